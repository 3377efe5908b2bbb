# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl reinstall: fresh from the template, with what is to be kept and nothing else.
. "$(dirname "$(realpath "$0")")/lib.sh"

PRIVATE=/var/lib/ve/private
CANARY=/root/canary

make_loop_nodes

mkdir -p /etc/ve $PRIVATE
for t in fresh other; do
    tiny_template $t static-init
    install "$INITS/busybox" /var/lib/ve/templates/$t/root/bin/busybox
    for applet in sh cat touch; do
        ln -s busybox /var/lib/ve/templates/$t/root/bin/$applet
    done
    echo $t >/var/lib/ve/templates/$t/root/etc/which
    printf '%s\n' root:x:0:0:root:/root:/bin/sh daemon:x:1:1::/:/bin/false >/var/lib/ve/templates/$t/root/etc/passwd
    printf '%s\n' 'root:*:19000:0:99999:7:::' 'daemon:*:19000:0:99999:7:::' >/var/lib/ve/templates/$t/root/etc/shadow
    printf '%s\n' root:x:0: sudo:x:27: >/var/lib/ve/templates/$t/root/etc/group
    chmod 640 /var/lib/ve/templates/$t/root/etc/shadow
    chgrp 42 /var/lib/ve/templates/$t/root/etc/shadow
done
snapshot "$WORK/at-first"

need_loop() {
    losetup --find >/dev/null 2>&1 || skip "no loop devices can be had on this host"
}

# new TYPE [OPTION…]: the VE "re", with something in it.
new() {
    vectl create re --template=fresh --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM --set Storage.Type="$1" --set Storage.Size="${SIZE-}" "${@:2}"
}

# A shell command in its root when it is stopped, as its root could have left it.
in_root() {
    local root
    root=$(vectl mount re)
    (cd "$root" && bash -euc "$1") || fail "cannot prepare its root"
    vectl umount re
}

# What is in a file of the stopped VE.
content() {
    rm -f "$WORK/content"
    vectl copy-from re "$1" "$WORK/content" 2>/dev/null || return 0
    cat "$WORK/content"
}

# That it is there: as one that has lived.
populate() {
    in_root '
        echo mine >etc/mine
        echo changed >etc/which
        echo "root:x:0:0::/elsewhere:/bin/zsh
ann:x:1000:1000:Ann:/home/ann:/bin/sh
toor:x:0:0::/root:/bin/sh" >etc/passwd
        echo "root:\$6\$secret:19500:0:99999:7:::
ann:\$6\$ann:19500:0:99999:7:::
toor:\$6\$toor:19500:0:99999:7:::" >etc/shadow
        echo "root:x:0:
sudo:x:5:ann,toor
ann:x:1000:" >etc/group
        mkdir -p etc/ssh root/.ssh home/ann/.ssh
        printf "%s\n" "-----BEGIN OPENSSH PRIVATE KEY-----" abc "-----END OPENSSH PRIVATE KEY-----" >etc/ssh/ssh_host_ed25519_key
        echo "ssh-ed25519 AAAA root@re" >etc/ssh/ssh_host_ed25519_key.pub
        echo "PermitRootLogin yes" >etc/ssh/sshd_config
        printf "%s\n" "ssh-ed25519 AAAA me" "rubbish" "no-pty ssh-rsa BBBB you" >root/.ssh/authorized_keys
        echo "ssh-ed25519 CCCC ann" >home/ann/.ssh/authorized_keys
        chown -R 1000:1000 home/ann'
}

plain() {
    local uuid
    new overlay
    vectl start re
    vectl stop re
    uuid=$(cat $PRIVATE/re/uuid)
    populate
    start re
    expect_status 5 vectl reinstall re
    expect_sentence "$ERR" "vectl: VE re is running: stop it first with \`vectl stop re\`."
    vectl stop re
    vectl mount re >/dev/null
    expect_status 5 vectl reinstall re
    vectl umount re
    expect_status 3 vectl reinstall nobody
    expect_status 3 vectl reinstall re --template=nothing
    expect "$(content /etc/mine)" mine "what is in it after that"
    expect_status 0 vectl reinstall re
    expect_sentence "$ERR" "vectl: What VE re was until now is snapshot before-*."
    expect "$(content /etc/mine)" "" "a file of its own"
    expect "$(content /etc/which)" fresh "a file of the template"
    expect "$(grep -c ann <<<"$(content /etc/passwd)")" 0 "users that were to be forgotten"
    expect "$(cat $PRIVATE/re/uuid)" "$uuid" "the id"
    expect "$(cat $PRIVATE/.snapshots/re/before-*/private/upper/etc/mine)" mine "what is kept"
    [ "$(vectl storage show re --json -o snapshots | grep -c '"snapshots": *[1-9]')" = 1 ] || fail "vectl storage show does not show it"
    expect "$(ls -A $PRIVATE/re | paste -sd' ')" "upper uuid work" "the private data"
    expect_status 0 vectl storage check re
    start re
    expect "$(inside re /bin/cat /etc/which)" fresh "what it sees"
    vectl stop re
    expect_status 0 vectl snapshot restore re "$(basename $PRIVATE/.snapshots/re/before-*)"
    expect "$(content /etc/mine)" mine "what is in it once it is what it was"
    vectl snapshot delete re $(ls $PRIVATE/.snapshots/re)
    expect_status 0 vectl reinstall re --discard-old
    expect "$ERR" "" "what is said"
    [ ! -e $PRIVATE/.snapshots ] || fail "what it had is still there"
    vectl reinstall re
    vectl destroy re
    [ ! -e $PRIVATE/.snapshots ] || fail "destroy left what it had"
}
check "fresh from its template; what it had is a snapshot" plain

# What must have come over, and what not.
expect_carried() {
    expect "$(content /etc/which)" "$1" "a file of the template"
    expect "$(content /etc/mine)" "" "a file of its own"
    expect "$(content /etc/passwd)" "root:x:0:0:root:/root:/bin/sh
daemon:x:1:1::/:/bin/false
ann:x:1000:1000:Ann:/home/ann:/bin/sh" "the users"
    # shellcheck disable=SC2016 # no variables
    expect "$(content /etc/shadow)" 'root:$6$secret:19500:0:99999:7:::
daemon:*:19000:0:99999:7:::
ann:$6$ann:19500:0:99999:7:::' "the passwords"
    expect "$(content /etc/group)" "root:x:0:
sudo:x:27:ann
ann:x:1000:" "the groups"
    expect "$(content /etc/ssh/ssh_host_ed25519_key | head -n 2 | tail -n 1)" abc "the host key"
    expect "$(content /etc/ssh/sshd_config)" "" "what is no key"
    expect "$(content /root/.ssh/authorized_keys)" "ssh-ed25519 AAAA me
no-pty ssh-rsa BBBB you" "the keys of root"
    expect "$(content /home/ann/.ssh/authorized_keys)" "ssh-ed25519 CCCC ann" "the keys of a user"
    in_root '
        [ "$(stat -c "%a %u %g" etc/shadow)" = "640 0 42" ]
        [ "$(stat -c "%a %u" etc/ssh/ssh_host_ed25519_key)" = "600 0" ]
        [ "$(stat -c "%a %u" root/.ssh)" = "700 0" ]
        [ "$(stat -c "%a %u %g" home/ann home/ann/.ssh)" = "700 1000 1000
700 1000 1000" ]'
}

carried() {
    new "$1"
    populate
    expect_status 0 vectl reinstall re --keep-passwords --keep-keys
    expect_carried fresh
    start re
    expect "$(inside re /bin/cat /etc/which)" fresh "what it sees"
    vectl stop re
    expect_status 0 vectl storage check re
    expect_status 0 vectl reinstall re --keep-keys --discard-old --template=other
    expect "$(content /etc/which)" other "a file of the other template"
    expect "$(grep -c ann <<<"$(content /etc/passwd)")" 0 "users that were to be forgotten"
    expect "$(content /etc/ssh/ssh_host_ed25519_key | head -n 2 | tail -n 1)" abc "the host key"
    expect "$(content /home/ann/.ssh/authorized_keys)" "" "the keys of a user that is not there"
    expect_match "$(cat /etc/ve/re.ve.d/90-vectl-set.conf)" "*[[]VE]
Template=other" "the definition"
    start re
    expect "$(inside re /bin/cat /etc/which)" other "what it sees"
    vectl destroy --force re
}
check "passwords, users and keys are carried over" carried overlay

carried_image() {
    need_loop
    SIZE=32M carried image
}
check "the same with an image" carried_image

# Nothing of the host, and nothing that is no such file, is ever read, written or waited for.
hostile() {
    local file before after
    # shellcheck disable=SC2016 # no variables
    echo 'root:$6$host:19000:0:99999:7:::' >$CANARY
    mkdir -p /root/canaries
    before=$(sha256sum $CANARY /etc/passwd /etc/shadow; ls -lR /root/canaries)
    new overlay
    for file in "ln -s $CANARY" "ln -s ../../../../../../../../../..$CANARY" "ln -s shadow" mkfifo mkdir "mknod 0 0" "ln -s /proc/self/root$CANARY"; do
        rm -rf $PRIVATE/re/upper/etc $PRIVATE/re/upper/root
        mkdir -p $PRIVATE/re/upper/etc/ssh $PRIVATE/re/upper/root/.ssh
        for at in etc/shadow etc/passwd etc/group etc/gshadow etc/ssh/ssh_host_rsa_key root/.ssh/authorized_keys; do
            case $file in
            mknod*) mknod $PRIVATE/re/upper/$at c 1 5 ;;
            *) $file $PRIVATE/re/upper/$at ;;
            esac
        done
        expect_status 0 timeout 20 vectl reinstall re --keep-passwords --keep-keys --discard-old
        expect "$(head -n 1 $PRIVATE/re/upper/etc/shadow)" "root:*:19000:0:99999:7:::" "root's password after $file"
        expect "$(find $PRIVATE/re/upper -name '*key*')" "" "the keys after $file"
    done
    for dir in etc root home; do
        rm -rf $PRIVATE/re/upper/$dir
        ln -s /root/canaries $PRIVATE/re/upper/$dir
    done
    expect_status 0 timeout 20 vectl reinstall re --keep-passwords --keep-keys --discard-old
    # Larger than such a file can be, and lines that are none.
    mkdir -p $PRIVATE/re/upper/etc $PRIVATE/re/upper/root/.ssh
    truncate -s 1T $PRIVATE/re/upper/etc/shadow
    printf 'ann:x:1000:1000::/home/../../root:/bin/sh\nbob:x:1001:1001::/home/..:/bin/sh\nroot:x:0:0\n\033[31m:x:1002:1002::/:/bin/sh\n' >$PRIVATE/re/upper/etc/passwd
    printf 'ssh-rsa \033[31m\n' >$PRIVATE/re/upper/root/.ssh/authorized_keys
    expect_status 0 vectl reinstall re --keep-passwords --keep-keys --discard-old
    expect "$(content /etc/shadow | head -n 1)" "root:*:19000:0:99999:7:::" "root's password after a large file"
    expect "$(content /etc/passwd | tail -n 2)" "ann:x:1000:1000::/home/../../root:/bin/sh
bob:x:1001:1001::/home/..:/bin/sh" "users with odd homes"
    expect "$(content /root/.ssh/authorized_keys)" "" "keys that are none"
    after=$(sha256sum $CANARY /etc/passwd /etc/shadow; ls -lR /root/canaries)
    expect "$after" "$before" "the host's files"
    vectl destroy re
    rm -r $CANARY /root/canaries
}
check "links, fifos and nodes in the place of what is carried over lead nowhere" hostile

# Old or new, with the snapshot that leads back or without, but whole, and nothing else.
killed() {
    local call n max total=0 status which template last=$1 arguments=$2
    command -v strace >/dev/null || skip "no strace here"
    prepare
    # shellcheck disable=SC2086 # words
    strace -f -c -o "$WORK/counts" vectl reinstall re $arguments 2>/dev/null
    for call in renameat2 renameat unlinkat fsync; do
        max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts")
        for ((n = max > last ? max - last + 1 : 1; n <= max; n++)); do
            prepare
            status=0
            # shellcheck disable=SC2086 # words
            strace -f -o /dev/null -e "inject=$call:signal=KILL:when=$n" vectl reinstall re $arguments 2>/dev/null || status=$?
            # A child that is killed fails its parent, which then says so.
            [ $status -eq 137 ] || [ $status -eq 1 ] || [ $status -eq 0 ] || fail "killed at $call $n it ended with $status"
            # The next command puts it in order; whether the VE is the old one or the new one.
            expect_status 4 vectl create re --template=fresh
            expect_match "$ERR" "*vectl: There is a VE re already, *"
            which=$(cat $PRIVATE/re/upper/etc/mine 2>/dev/null || echo fresh)
            template=$(vectl show re | sed -n 's/^Template=//p')
            case "$which $template $arguments" in
            "mine fresh "*) [ ! -e $PRIVATE/.snapshots ] || fail "after $call $n: two of them" ;;
            "fresh other --template=other"* | "fresh fresh --keep-passwords")
                # With --discard-old, it may have been removed already.
                [[ $arguments = *--discard-old && ! -e $PRIVATE/.snapshots ]] || expect "$(cat $PRIVATE/.snapshots/re/before-*/private/upper/etc/mine)" mine "what is kept after $call $n"
                ;;
            *) fail "after $call $n it has $which of $template" ;;
            esac
            expect "$(find $PRIVATE -maxdepth 3 -name '.[a-z]*' ! -name .snapshots)" "" "what is left after $call $n"
            expect "$(find $PRIVATE/re -mindepth 1 -maxdepth 1 ! -name uuid ! -name pending -printf '%f\n' | sort | paste -sd' ')" "upper work" "the private data after $call $n"
            total=$((total + 1))
        done
    done
    echo "killed $total times"
    [ $total -gt 6 ] || fail "only $total system calls to kill at"
    vectl destroy re
    expect "$(find $PRIVATE -mindepth 1 -maxdepth 1 -name '*-re*' -o -name .snapshots)" "" "what is left"
}

# Without the code under test, and a reload only where it takes one.
prepare() {
    [ -e /etc/ve/re.ve ] || new overlay
    [ ! -e /etc/ve/re.ve.d ] || {
        rm -r /etc/ve/re.ve.d
        systemctl daemon-reload
    }
    rm -rf $PRIVATE/re $PRIVATE/.snapshots
    mkdir -p $PRIVATE/re/upper/etc $PRIVATE/re/work
    chmod 700 $PRIVATE/re
    echo mine >$PRIVATE/re/upper/etc/mine
}
check "it is killed" killed 2 --keep-passwords
check "it is killed with another template" killed 2 "--template=other --discard-old"

same_as_before() {
    same_as "$WORK/at-first"
}
check "nothing is left" same_as_before

remove_template fresh other

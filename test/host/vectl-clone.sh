# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl clone: a copy of a VE that is another VE.
. "$(dirname "$(realpath "$0")")/lib.sh"

mkdir -p /etc/ve /var/lib/ve/private
PRIVATE=/var/lib/ve/private

tiny_template vl static-init

listing() {
    find /etc/ve /run/ve /var/lib/ve/private /etc/systemd/system /run/systemd/generator ! -name '*.lock' \
        -printf '%p %y %m %U:%G %s %l\n' 2>/dev/null | LC_ALL=C sort
}

# A check that leaves no VE to the next one.
alone() {
    local name
    check "$@"
    sweep
    for name in vl-a vl-b vl-c; do
        vectl destroy "$name" 2>/dev/null || true
    done
}

# refused STATUS PATTERN ARGUMENT…: one sentence, and nothing changed.
refused() {
    local status=$1 pattern=$2 before
    shift 2
    before=$(listing)
    expect_status "$status" vectl "$@"
    expect_sentence "$ERR" "vectl: $pattern"
    expect "$OUT" "" "what was printed"
    [ "$(listing)" = "$before" ] || fail "it changed: $(diff <(echo "$before") <(listing) | head -n 5 | paste -sd';')"
}

# Makes a VE, not started, with something of everything in it.
make_full() {
    local upper=$PRIVATE/$1/upper
    vectl create "$1" --template=vl --set VE.StopSignal=SIGTERM --set VE.NotifyReady=no "${@:2}"
    mkdir -p "$upper/srv/a/b" "$upper/etc"
    echo content >"$upper/srv/file"
    ln "$upper/srv/file" "$upper/srv/a/b/same"
    chown 1000:100 "$upper/srv/file"
    chmod 4750 "$upper/srv/file"
    ln -s /srv/file "$upper/srv/a/link"
    mkfifo "$upper/srv/fifo"
    # Deleted in the VE, as overlayfs says it.
    mknod "$upper/etc/os-release" c 0 0
    ln "$upper/etc/os-release" "$upper/srv/a/gone"
    truncate -s 10M "$upper/srv/sparse"
    make_socket "$upper/srv/socket"
    touch -d 2001-02-03 "$upper/srv/a/b"
}

make_socket() {
    perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die' "$1"
}

contents() {
    (cd "$1" && find . ! -type s -printf '%p %y %m %U:%G %n %T@ %l ' \( -type f -exec sh -c 'sha256sum <"$1"' - {} \; -o -printf '\n' \)) |
        sed 's/  -$//' | LC_ALL=C sort
}

bad_input() {
    make_full vl-a
    refused 2 "*missing*clone --help*" clone
    refused 2 "*clone --help*" clone vl-a
    refused 2 "*clone --help*" clone vl-a vl-b vl-c
    refused 2 "*\"vl/b\" cannot be*" clone vl-a vl/b
    refused 2 "*cannot be*" clone vl-a ..
    refused 2 "*cannot be*" clone vl-a ''
    refused 2 "*cannot be*" clone ../vl-a vl-b
    refused 2 "*own name*" clone vl-a vl-a
    refused 3 "*no VE vl-no*" clone vl-no vl-b
    refused 2 "*SECTION.KEY=VALUE*" clone vl-a vl-b --set foo
    refused 2 "*Template=*own template*" clone vl-a vl-b --set VE.Template=host
    refused 2 "*use \"=\"*" clone vl-a vl-b --set Network.DNS+=192.0.2.1
    refused 2 "*address is missing*" clone vl-a vl-b --address=
    refused 78 "Cannot clone VE vl-a as vl-b: *no profile*" clone vl-a vl-b --set VE.Profile=no-such
    expect_status 77 setpriv --reuid=65534 --regid=65534 --clear-groups vectl clone vl-a vl-b
}
alone "bad input gets a sentence and changes nothing" bad_input

exists() {
    make_full vl-a
    write_definition vl-b "[VE]" "Template=vl"
    refused 4 "*There is a VE vl-b already*" clone vl-a vl-b
    rm /etc/ve/vl-b.ve
    mkdir "$PRIVATE/vl-b"
    refused 4 "*private data of a VE vl-b*" clone vl-a vl-b
    rmdir "$PRIVATE/vl-b"
    mkdir /etc/ve/vl-b.ve.d
    refused 4 "*drop-ins of a VE vl-b*" clone vl-a vl-b
    rmdir /etc/ve/vl-b.ve.d
    write_definition vl-wrong "[VE]" "Template=vl" "NotifyReady=maybe"
    refused 78 "Cannot clone VE vl-wrong: /etc/ve/vl-wrong.ve:3:*" clone vl-wrong vl-b
    rm /etc/ve/vl-wrong.ve
}
alone "what exists is left alone" exists

copies() {
    local before
    make_full vl-a
    test -S $PRIVATE/vl-a/upper/srv/socket
    before=$(contents $PRIVATE/vl-a)
    expect_status 0 vectl clone vl-a vl-b
    expect "$OUT$ERR" "" "what it said"
    expect "$(contents $PRIVATE/vl-a)" "$before" "what the first VE has"
    diff <(contents $PRIVATE/vl-a/upper) <(contents $PRIVATE/vl-b/upper) || fail "the copy is another"
    [ "$(stat -c %i $PRIVATE/vl-b/upper/srv/file)" = "$(stat -c %i $PRIVATE/vl-b/upper/srv/a/b/same)" ] ||
        fail "two names of a file became two files"
    [ "$(stat -c %i $PRIVATE/vl-b/upper/srv/file)" != "$(stat -c %i $PRIVATE/vl-a/upper/srv/file)" ] ||
        fail "it is the same file"
    [ "$(stat -c %b $PRIVATE/vl-b/upper/srv/sparse)" -lt 100 ] || fail "a hole was filled"
    expect "$(stat -c %t:%T $PRIVATE/vl-b/upper/etc/os-release)" 0:0 "the device of a deletion"
    expect "$(ls -A $PRIVATE/vl-b/work)" "" "what is in work"
    [ ! -S $PRIVATE/vl-b/upper/srv/socket ] || fail "a socket was copied"
}
alone "copies what a VE has, and only reads it" copies

running() {
    make_full vl-a
    vectl start vl-a
    refused 5 "VE vl-a is running*vectl stop vl-a*" clone vl-a vl-c
    vectl stop --fast vl-a
    expect_status 0 vectl clone vl-a vl-c --start
    expect "$(property vl-c ActiveState)" active
    rm /etc/ve/vl-c.ve
    systemctl daemon-reload
    refused 4 "*VE vl-c still running without a definition*" clone vl-a vl-c
    vectl destroy --force vl-c
}
alone "does not copy what runs" running

# For two seconds the copy is not in place yet.
slow_clone() {
    strace -f -qq -o /dev/null -e inject=syncfs:delay_enter=1000000 vectl clone vl-a vl-b
}

started_meanwhile() {
    local clone start
    command -v strace >/dev/null || skip "no strace here"
    make_full vl-a
    slow_clone 2>"$WORK/slow" &
    clone=$!
    wait_until 5 test -e $PRIVATE/.new-vl-b || fail "it does not copy"
    systemctl start ve@vl-a &
    start=$!
    wait_until 5 state_is vl-a activating || fail "it does not wait"
    wait $clone || fail "it said: $(cat "$WORK/slow")"
    wait $start
    expect "$(property vl-a ActiveState)" active
    [ "$(stat -c %Y "/proc/$(leader vl-a)")" -ge "$(stat -c %Z /etc/ve/vl-b.ve)" ] || fail "it started before the copy was done"
}
alone "a start waits for the copy" started_meanwhile

mounted() {
    make_full vl-a
    vectl mount vl-a >/dev/null
    expect_status 5 vectl clone vl-a vl-b
    expect_sentence "$ERR" "vectl: VE vl-a is mounted at*vectl umount vl-a*"
    vectl umount vl-a
}
alone "does not copy what is mounted for repair" mounted

definitions() {
    mkdir -p /etc/ve/vl-net.ve.d /run/ve/definitions/vl-net.ve.d /usr/lib/ve/vl-net.ve.d
    write_definition vl-net "# Mine." "[VE]" "Template=vl" "NotifyReady=no" "StopSignal=SIGTERM" "Hostname=vl-net.example.org" \
        "UUID=6d2f3c9a4b5e4f708192a3b4c5d6e7f8" "[Network]" "Mode=routed" "Address=192.0.2.71" "MTU=1400" \
        "MACAddress=02:00:00:00:00:71" "Forward=tcp:8071:80"
    printf '[Slice]\nTasksMax=71\n' >/etc/ve/vl-net.ve.d/20-a.conf
    printf '[Slice]\nTasksMax=9\n' >/usr/lib/ve/vl-net.ve.d/20-a.conf
    printf '[Network]\nAddress=192.0.2.72\nDNS=192.0.2.53\n' >/run/ve/definitions/vl-net.ve.d/10-b.conf
    vectl set vl-net Slice.CPUWeight=50 Network.Domains=example.org
    refused 78 "Cannot clone VE vl-net as vl-b: *Address*--address=ADDRESS*" clone vl-net vl-b
    expect_status 0 vectl clone vl-net vl-b --address=192.0.2.81 --address=192.0.2.82 --set Slice.CPUWeight=60
    expect_sentence "$ERR" "vectl: Not taken along to VE vl-b, being VE vl-net's own: VE.Hostname=, VE.UUID=, Network.MACAddress=, Network.Forward=;*"
    expect "$(cat /etc/ve/vl-b.ve)" "$(printf '%s\n' "# Mine." "[VE]" "Template=vl" "NotifyReady=no" "StopSignal=SIGTERM" \
        "[Network]" "Mode=routed" "MTU=1400")" "the definition"
    expect "$(ls /etc/ve/vl-b.ve.d | paste -sd' ')" "10-b.conf 20-a.conf 90-vectl-set.conf" "the drop-ins"
    expect "$(cat /etc/ve/vl-b.ve.d/10-b.conf)" "$(printf '[Network]\nDNS=192.0.2.53')" "a drop-in"
    expect "$(systemctl show --value --property=TasksMax 've-vl\x2db.slice')" 71 "TasksMax="
    expect "$(systemctl show --value --property=CPUWeight 've-vl\x2db.slice')" 60 "CPUWeight="
    grep -qx 'Address=192.0.2.81 192.0.2.82' /run/systemd/generator/ve@vl-b.service.d/50-definition.conf ||
        fail "it has other addresses: $(grep Address /run/systemd/generator/ve@vl-b.service.d/50-definition.conf)"
    grep -qx 'Domains=example.org' /run/systemd/generator/ve@vl-b.service.d/50-definition.conf
    ! grep -q -e MACAddress= -e Forward= -e UUID= /run/systemd/generator/ve@vl-b.service.d/50-definition.conf ||
        fail "what is of one VE only was taken along"
    # A change taken back must not lead to the other's address.
    expect_status 78 vectl set vl-b Network.Address=
    vectl destroy vl-b vl-net
    rm -r /usr/lib/ve/vl-net.ve.d
    rmdir /run/ve/definitions /usr/lib/ve 2>/dev/null || true
}
alone "the definition comes along, but for what one VE only can have" definitions

packaged() {
    mkdir -p /usr/lib/ve
    printf '[VE]\nTemplate=vl\n[Install]\nWantedBy=ve.target\n' >/usr/lib/ve/vl-pkg.ve
    expect_status 0 vectl clone vl-pkg vl-b
    cmp /usr/lib/ve/vl-pkg.ve /etc/ve/vl-b.ve
    test -d $PRIVATE/vl-b/upper
    rm /usr/lib/ve/vl-pkg.ve
    rmdir /usr/lib/ve 2>/dev/null || true
    vectl destroy vl-b
}
alone "a VE of a package that never ran is cloned" packaged

ephemeral() {
    make_full vl-a
    expect_status 0 vectl clone vl-a vl-b --set VE.Ephemeral=yes
    test -e $PRIVATE/vl-b/upper/srv/file
    vectl destroy vl-b
    rm -r $PRIVATE/vl-a/work
    expect_status 0 vectl clone vl-a vl-b
    rm -r $PRIVATE/vl-a/upper
    refused 1 "*VE vl-a*" clone vl-a vl-c
    vectl destroy vl-a vl-b
}
alone "ephemeral and damaged data" ephemeral

full_disk() {
    mount -t tmpfs -o size=3m none $PRIVATE
    trap 'umount -l $PRIVATE' EXIT
    vectl create vl-full --template=vl
    mkdir -p $PRIVATE/vl-full/upper/deep/er
    head -c 2M /dev/zero >$PRIVATE/vl-full/upper/deep/er/file
    cp -a /etc/ve "$WORK/etc-ve"
    expect_status 1 vectl clone vl-full vl-b
    expect_sentence "$ERR" "vectl: *VE vl-full*vl-b, at deep/er/file: No space left*"
    diff -r /etc/ve "$WORK/etc-ve" || fail "something is left in /etc/ve"
    expect "$(ls -A $PRIVATE)" vl-full "what is in $PRIVATE"
    vectl destroy vl-full
    rm -r "$WORK/etc-ve"
}
alone "a full disk leaves nothing" full_disk

# --- identity

fingerprints() {
    local key
    for key in "$1"/upper/etc/ssh/ssh_host_[er]*_key.pub; do
        ssh-keygen -l -f "$key" | cut -d' ' -f2
    done
}

keys() {
    local ssh=$PRIVATE/vl-keys/upper/etc/ssh type
    command -v ssh-keygen >/dev/null || skip "no ssh-keygen here"
    vectl create vl-keys --template=vl
    mkdir -p $ssh
    for type in rsa ed25519 ecdsa; do
        ssh-keygen -q -t $type -N '' -f $ssh/ssh_host_${type}_key
    done
    chown 0:44 $ssh/ssh_host_rsa_key
    chmod 640 $ssh/ssh_host_rsa_key
    # Deleted in the VE, of a type that is no more, and a link that leads out.
    mknod $ssh/ssh_host_dsa_key c 0 0
    touch $ssh/ssh_host_old_key $ssh/ssh_host_rsa_key-cert.pub
    ln -s ../../../../../../../../../etc/hostname $ssh/ssh_host_up_key.pub
    trap 'mv -f /usr/bin/ssh-keygen.aside /usr/bin/ssh-keygen' EXIT
    mv /usr/bin/ssh-keygen /usr/bin/ssh-keygen.aside
    refused 69 "*ssh-keygen*--keep-host-keys*" clone vl-keys vl-b
    expect_status 0 vectl clone vl-keys vl-b --keep-host-keys
    mv /usr/bin/ssh-keygen.aside /usr/bin/ssh-keygen
    trap - EXIT
    expect "$(fingerprints $PRIVATE/vl-b)" "$(fingerprints $PRIVATE/vl-keys)" "the keys"
    expect_status 0 vectl clone vl-keys vl-c
    expect "$( (fingerprints $PRIVATE/vl-c && fingerprints $PRIVATE/vl-keys) | sort -u | wc -l)" 6 "the number of keys"
    for type in rsa ed25519 ecdsa; do
        install -m 600 $PRIVATE/vl-c/upper/etc/ssh/ssh_host_${type}_key "$WORK/key"
        expect "$(ssh-keygen -y -f "$WORK/key" | cut -d' ' -f1,2)" \
            "$(cut -d' ' -f1,2 $PRIVATE/vl-c/upper/etc/ssh/ssh_host_${type}_key.pub)" "the public key"
    done
    expect "$(stat -c '%a %U %g' $PRIVATE/vl-c/upper/etc/ssh/ssh_host_rsa_key)" "640 root 44" "who reads a key"
    expect "$(ls $PRIVATE/vl-c)" "$(printf 'upper\nuuid\nwork')" "what it has"
    expect "$(find $PRIVATE/vl-c/upper/etc/ssh -name '*cert*' -o -name '*old*' -o -name '*up*')" "" "keys that are of no use"
    test -c $PRIVATE/vl-c/upper/etc/ssh/ssh_host_dsa_key
    touch $ssh/ssh_host_{1..70}_key
    refused 1 "VE vl-keys can't be cloned: *more than 64 host keys*" clone vl-keys vl-d
    vectl destroy vl-b vl-c vl-keys
}
alone "SSH host keys are new" keys

# With an id that all its VEs have.
baked() {
    local root=/var/lib/ve/templates/vl/root
    echo 6d2f3c9a4b5e4f708192a3b4c5d6e7f8 >$root/etc/machine-id
    mkdir -p $root/var/lib/dbus $root/var/lib/systemd
    chmod 0711 $root/var/lib/dbus
    cp $root/etc/machine-id $root/var/lib/dbus/
    echo seed >$root/var/lib/systemd/random-seed
    vectl create vl-a --template=vl
    mkdir -p $PRIVATE/vl-a/upper/var/lib/systemd
    echo other >$PRIVATE/vl-a/upper/var/lib/systemd/random-seed
    echo secret >$PRIVATE/vl-a/upper/var/lib/systemd/credential.secret
    expect_status 0 vectl clone vl-a vl-b
    expect "$(cat $PRIVATE/vl-b/upper/etc/machine-id)" "$(cat $PRIVATE/vl-b/uuid)" "the machine-id"
    expect "$(cat $PRIVATE/vl-b/upper/var/lib/dbus/machine-id)" "$(cat $PRIVATE/vl-b/uuid)" "that of D-Bus"
    expect "$(stat -c %a $PRIVATE/vl-b/upper/var/lib/dbus)" 711 "the mode of a directory"
    expect "$(stat -c %F $PRIVATE/vl-b/upper/var/lib/systemd/random-seed)" "character special file" "the seed"
    test ! -e $PRIVATE/vl-b/upper/var/lib/systemd/credential.secret
    expect_status 0 vectl clone vl-a vl-c --set VE.UUID=6d2f3c9a4b5e4f708192a3b4c5d6e7f9
    expect "$(cat $PRIVATE/vl-c/upper/etc/machine-id)" 6d2f3c9a4b5e4f708192a3b4c5d6e7f9 "the machine-id"
    test ! -e $PRIVATE/vl-c/uuid
    vectl destroy vl-a vl-b vl-c
    rm -r $root/var/lib $root/etc/machine-id
}
alone "an id of the template's is not a VE's" baked

# What a VE could do to have files of the host changed by who clones it.
hostile() {
    local upper=$PRIVATE/vl-a/upper before
    vectl create vl-a --template=vl
    mkdir -p /tmp/vl-canary/ssh /tmp/vl-canary/systemd $upper/etc $upper/var/lib
    echo 6d2f3c9a4b5e4f708192a3b4c5d6e7f8 >/tmp/vl-canary/machine-id
    touch /tmp/vl-canary/ssh/ssh_host_rsa_key /tmp/vl-canary/systemd/random-seed
    before=$(contents /tmp/vl-canary)
    ln -s /tmp/vl-canary/ssh $upper/etc/ssh
    ln -s ../../../../../../../../tmp/vl-canary/systemd $upper/var/lib/systemd
    ln -s ../../../../../../../../tmp/vl-canary/machine-id $upper/etc/machine-id
    mkfifo $upper/etc/fifo
    mkdir $upper/var/lib/dbus
    mkfifo $upper/var/lib/dbus/machine-id
    expect_status 0 timeout 20 vectl clone vl-a vl-b
    expect "$(contents /tmp/vl-canary)" "$before" "what is outside"
    vectl destroy vl-a vl-b
    rm -r /tmp/vl-canary
}
alone "links in a VE lead nowhere else" hostile

booted() {
    local a b name
    vectl create vl-host --template=host --set Network.Mode=veth --start
    vectl exec vl-host sh -c 'mkdir /root/dir; echo text >/root/dir/file; ln /root/dir/file /root/same
        chown 1000:100 /root/same; rm -r /etc/skel /etc/terminfo
        mkdir /etc/terminfo; mkdir -p /etc/ssh; touch /etc/ssh/ssh_host_ed25519_key'
    vectl stop vl-host
    expect_status 0 vectl clone vl-host vl-b --start
    expect_status 0 vectl start vl-host
    for name in machine-id uuid mac hostname keys; do
        a=$(identity vl-host $name)
        b=$(identity vl-b $name)
        [ -n "$a" ] && [ -n "$b" ] || fail "there is no $name"
        [ "$a" != "$b" ] || fail "both have the $name $a"
    done
    expect "$(inside vl-b cat /etc/machine-id)" "$(identity vl-b uuid)" "the machine-id"
    expect "$(inside vl-b stat -c '%h %u:%g' /root/dir/file)" "2 1000:100" "a file"
    inside vl-b test ! -e /etc/skel || fail "a deleted directory is there again"
    expect "$(inside vl-b ls -A /etc/terminfo)" "" "what is in a directory that was made anew"
    expect "$(inside vl-b systemctl is-system-running --wait)" "$(inside vl-host systemctl is-system-running --wait)" "the state"
    vectl destroy --force vl-host vl-b
}

identity() {
    case $2 in
    machine-id) inside "$1" cat /etc/machine-id ;;
    uuid) tr '\0' '\n' <"/proc/$(leader "$1")/environ" | sed -n 's/^container_uuid=//p' ;;
    mac) inside "$1" cat /sys/class/net/host0/address ;;
    hostname) inside "$1" hostname ;;
    keys) inside "$1" sh -c 'sha256sum </etc/ssh/ssh_host_ed25519_key' ;;
    esac
}
alone "the clone boots as a machine of its own" booted

# The same in a filesystem of its own.
images() {
    local mounts
    make_loop_nodes
    losetup --find >/dev/null 2>&1 || skip "no loop devices can be had on this host"
    command -v mkfs.ext4 >/dev/null || skip "no mkfs.ext4 here"
    echo 6d2f3c9a4b5e4f708192a3b4c5d6e7f8 >/var/lib/ve/templates/vl/root/etc/machine-id
    vectl create vl-a --template=vl --set VE.StopSignal=SIGTERM --set VE.NotifyReady=no --set Storage.Type=image \
        --set Storage.Size=32M
    mount -o loop $PRIVATE/vl-a/image /mnt
    mkdir -p /mnt/upper/root /mnt/upper/etc/ssh
    echo text >/mnt/upper/root/file
    echo key >/mnt/upper/etc/ssh/ssh_host_ed25519_key.pub
    echo key >/mnt/upper/etc/ssh/ssh_host_ed25519_key
    umount /mnt
    mounts=$(snapshot_mounts)
    refused 1 "*type image*Type=overlay*" clone vl-a vl-b --set Storage.Type=overlay
    expect_status 0 vectl clone vl-a vl-b
    expect "$(snapshot_mounts)" "$mounts" "the host's mounts"
    expect "$(ls $PRIVATE/vl-b)" "$(printf 'image\nuuid')" "what it has"
    expect "$(losetup --noheadings --list --output=BACK-FILE | grep -c vl-b)" 0 "the number of devices"
    [ "$(stat -c %b $PRIVATE/vl-b/image)" -lt 40000 ] || fail "it is not sparse"
    vectl start vl-b
    expect "$(cat "/proc/$(leader vl-b)/root/root/file")" text "what the file says"
    expect "$(cat "/proc/$(leader vl-b)/root/etc/machine-id")" "$(cat $PRIVATE/vl-b/uuid)" "the machine-id"
    ssh-keygen -l -f "/proc/$(leader vl-b)/root/etc/ssh/ssh_host_ed25519_key.pub"
    rm /var/lib/ve/templates/vl/root/etc/machine-id
    vectl destroy --force vl-a vl-b
}
alone "an image is copied" images

# --- killed

CALLS="mkdir mkdirat linkat renameat renameat2 fsync syncfs sendmsg"

# What a command kept anywhere of the clone.
left() {
    find /etc/ve $PRIVATE /etc/systemd /run/systemd/generator -name '*vl-b*'
}

# A small one: each system call is one to be killed at.
make_small() {
    vectl create vl-a --template=vl --set Slice.TasksMax=20
    vectl set vl-a Slice.CPUWeight=20
    mkdir $PRIVATE/vl-a/upper/srv
    echo content >$PRIVATE/vl-a/upper/srv/file
    ln $PRIVATE/vl-a/upper/srv/file $PRIVATE/vl-a/upper/file
}

count() {
    awk -v call="$1" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts"
}

killed() {
    local call n max step total=0 status before
    command -v strace >/dev/null || skip "no strace here"
    make_small
    before=$(contents $PRIVATE/vl-a; cat /etc/ve/vl-a.ve)
    strace -c -o "$WORK/counts" vectl clone vl-a vl-b
    vectl destroy vl-b
    for call in $CALLS; do
        max=$(count "$call")
        # Most of these are for what is there, and most of those ask.
        case $call in
        mkdir) step=8 ;;
        sendmsg) step=4 ;;
        fsync) step=2 ;;
        *) step=1 ;;
        esac
        for ((n = 1; n <= max; n += step)); do
            status=0
            strace -o "$WORK/trace" -e "inject=$call:signal=KILL:when=$n" vectl clone vl-a vl-b >"$WORK/said" 2>&1 || status=$?
            [ $status -eq 137 ] || fail "killed at $call $n it ended with $status: $(cat "$WORK/said")"
            status=0
            if [ $((total % 2)) -eq 0 ]; then
                vectl clone vl-a vl-b 2>"$WORK/said" || status=$?
                [ $status -eq 0 ] || [ $status -eq 4 ] || fail "after $call $n, clone ended with $status: $(cat "$WORK/said")"
                [ "$(contents $PRIVATE/vl-b/upper)" = "$(contents $PRIVATE/vl-a/upper)" ] || fail "after $call $n, it is not whole"
                grep -qx CPUWeight=20 /etc/ve/vl-b.ve.d/90-vectl-set.conf || fail "after $call $n, a setting is missing"
                vectl destroy vl-b
            else
                # Any command that changes something.
                vectl set vl-a Slice.CPUWeight=20 2>"$WORK/said" || fail "after $call $n: $(cat "$WORK/said")"
                if [ -e /etc/ve/vl-b.ve ]; then
                    [ "$(contents $PRIVATE/vl-b/upper)" = "$(contents $PRIVATE/vl-a/upper)" ] || fail "after $call $n, it is not whole"
                    vectl destroy vl-b
                fi
            fi
            expect "$(left)" "" "what is left after $call $n"
            total=$((total + 1))
        done
    done
    expect "$(contents $PRIVATE/vl-a; cat /etc/ve/vl-a.ve)" "$before" "what the first VE is"
    vectl destroy vl-a
    echo "killed $total times"
    [ $total -gt 20 ] || fail "only $total system calls to kill at"
}
alone "killed anywhere, there is a clone or none" killed

at_once() {
    local pids=() i
    make_small
    for i in 1 2 3 4; do
        vectl clone vl-a vl-b 2>/dev/null &
        pids+=($!)
    done
    local done=0
    for i in "${pids[@]}"; do
        if wait "$i"; then done=$((done + 1)); fi
    done
    expect $done 1 "how many made it"
    vectl destroy vl-a vl-b
}
alone "of several at once one makes it" at_once

leaks() {
    snapshot "$WORK/at-first"
    make_full vl-a
    vectl clone vl-a vl-b --start
    vectl destroy --force vl-a vl-b
    snapshot "$WORK/after"
    diff "$WORK/at-first" "$WORK/after"
}
alone "nothing is left" leaks

remove_template vl

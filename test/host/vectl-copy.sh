# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl copy-to and copy-from, in and out of a VE that runs and one that doesn't, and of one that is hostile.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=vc-1
UPPER=/var/lib/ve/private/$VE/upper
tiny_template vc busybox
ROOT=/var/lib/ve/templates/vc/root
install -D "$INITS/busybox" $ROOT/bin/busybox
for applet in sh cat ls sleep stat mkdir ln rm mv mkfifo chmod chown mount umount touch readlink kill; do
    ln -s busybox $ROOT/bin/$applet
done
echo '::respawn:/bin/sleep 1000000' >$ROOT/etc/inittab
echo theirs >$ROOT/etc/shadow
mkdir -p $ROOT/srv

SHARED=$WORK/shared
mkdir -p "$SHARED"
vectl create $VE --template=vc --set VE.NotifyReady=no --set VE.StopSignal=SIGUSR2 --set Service.TimeoutStopSec=20 \
    --set "Storage.Bind=$SHARED:/shared:noidmap"
start $VE
systemctl stop ve@$VE
snapshot "$WORK/at-first"

# A tree as an administrator would bring one.
SITE=$WORK/site
mkdir -p "$SITE/a/b" "$SITE/empty"
echo content >"$SITE/a/b/file"
echo tool >"$SITE/tool"
truncate -s 3M "$SITE/sparse"
chmod 4750 "$SITE/tool"
ln -s /etc/shadow "$SITE/link"
mkfifo "$SITE/fifo"
chown 1000:1001 "$SITE/a/b/file"
chmod 1777 "$SITE/empty"
touch -d @1000000000 "$SITE/a/b/file" "$SITE/a"

to() {
    vectl copy-to $VE "$@"
}

from() {
    vectl copy-from $VE "$@"
}

# The VE's files as it sees them, whether it runs or not: by its namespaces, or on disk.
look() {
    if state_is $VE active; then
        inside $VE stat -c "$1" "$2"
    else
        stat -c "$1" "$UPPER$2"
    fi
}

in_and_out() {
    local out=$WORK/out-$1
    to "$SITE" /srv
    to "$SITE" srv/site2
    to "$SITE/tool" "$SITE/a/b/file" /srv
    to "$SITE/tool" /srv/renamed
    expect "$(look %u:%g:%a:%s /srv/site/a/b/file)" 0:0:644:8
    expect "$(look %Y /srv/site/a/b/file):$(look %Y /srv/site/a)" 1000000000:1000000000 "the times"
    expect "$(look %u:%g:%a /srv/site/tool)" 0:0:4750
    expect "$(look %a:%F /srv/site2/empty)" 1777:directory
    expect "$(look %F /srv/site2/fifo)" fifo
    expect_match "$(look %N /srv/site/link)" "*/srv/site/link' -> '/etc/shadow'"
    expect "$(look %s /srv/renamed):$(look %s /srv/file)" 5:8
    [ "$(look %b /srv/site/sparse)" -lt 1000 ] || fail "the holes are filled"
    from /srv/site "$out"
    diff -r --no-dereference -x fifo "$SITE" "$out"
    expect "$(stat -c %u:%g:%a "$out/a/b/file" "$out/tool" "$out/empty" | tr '\n' ' ')" "0:0:644 0:0:750 0:0:1777 "
    expect "$(stat -c %Y "$out/a/b/file")" 1000000000
    expect "$(readlink "$out/link")" /etc/shadow
    # Again, into what is there: one more file, and one changed.
    echo more >"$SITE/a/more"
    echo changed >"$SITE/a/b/file"
    to "$SITE/." /srv/site
    to "$SITE" /srv
    from srv/site/. "$out"
    expect "$(cat "$out/a/more" "$out/a/b/file" | tr '\n' ' ')" "more changed "
    expect "$(ls -A "$out" | tr '\n' ' ')" "a empty fifo link sparse tool "
    rm "$SITE/a/more"
    echo content >"$SITE/a/b/file"
    chown 1000:1001 "$SITE/a/b/file"
    touch -d @1000000000 "$SITE/a/b/file" "$SITE/a"
    from / "$WORK/whole-$1"
    [ -f "$WORK/whole-$1/srv/site/a/b/file" ] || fail "not all was copied"
    expect "$(find "$WORK/whole-$1" ! -type d ! -type f ! -type l ! -type p)" "" "what is no file"
}

owners() {
    local base=0
    ! state_is $VE active || base=$(vectl list -n -o name,uid-base | awk "\$1 == \"$VE\" { print \$2 }")
    chown 70000:5 "$SITE/tool"
    to --preserve-owner "$SITE" /srv/kept
    expect "$(look %u:%g /srv/kept/a/b/file)" 1000:1001
    expect "$(look %u:%g /srv/kept/tool)" 0:5 "what has no number in a VE"
    if [ "$base" != 0 ]; then
        expect "$(stat -c %u:%g "/proc/$(leader $VE)/root/srv/kept/a/b/file")" $((base + 1000)):$((base + 1001))
    fi
    from -o /srv/kept "$WORK/kept"
    expect "$(stat -c %u:%g "$WORK/kept/a/b/file")" 1000:1001
    from /srv/kept "$WORK/mine"
    expect "$(stat -c %u:%g "$WORK/mine/a/b/file")" 0:0
    chown 0:0 "$SITE/tool"
    chmod 4750 "$SITE/tool"
    rm -r "$WORK/kept" "$WORK/mine"
}

streams() {
    echo one | to - /srv/stream
    expect "$(look %u:%g:%a:%s /srv/stream)" 0:0:644:4
    expect "$(from /srv/stream -)" one
    head -c 3000000 /dev/urandom >"$WORK/random"
    to - /srv/stream <"$WORK/random"
    from /srv/stream - | cmp - "$WORK/random"
    expect_status 1 to - /srv </dev/null
    expect_sentence "$ERR" "vectl: Cannot copy stdin to /srv of VE $VE: there is a directory*"
    expect_status 2 from /srv/stream /srv/stream -
    ! from /srv/stream - 2>/dev/null >/dev/full || fail "a full disk is success"
}

# Paths lead where they do in the VE.
links() {
    ln -sfn /etc "$UPPER/srv/absolute"
    ln -sfn ../../../../../../../../etc "$UPPER/srv/up"
    ln -sfn /etc/shadow "$UPPER/srv/file"
    local host
    host=$(sha256sum /etc/shadow /etc/hostname)
    expect "$(from /srv/absolute/shadow -)" theirs
    expect "$(from /srv/up/shadow -)" theirs
    expect "$(from /srv/file -)" theirs
    expect "$(from ../../../../etc/shadow -)" theirs
    echo new | to - /srv/up/hostname
    expect "$(look %s /etc/hostname)" 4
    echo new | to - /srv/absolute/shadow2
    expect "$(look %s /etc/shadow2)" 4
    [ ! -e /etc/shadow2 ] || fail "it was made on the host"
    # A link in place of the file is replaced.
    echo new | to - /srv/file
    expect "$(look %F /srv/file)" "regular file"
    expect "$(from /etc/shadow -)" theirs
    # That to a directory leads there, named last, but not in a tree.
    to "$SITE/tool" /srv/absolute
    expect "$(look %s /etc/tool)" 5
    mkdir -p "$UPPER/srv/tree"
    ln -sfn /etc "$UPPER/srv/tree/a"
    expect_status 1 to "$SITE/." /srv/tree
    expect_sentence "$ERR" "*at a: there is a file of that name, not a directory;*"
    # On the host, too: what a VE has brought there leads nowhere.
    mkdir "$WORK/trap"
    ln -s "$WORK/victim" "$WORK/trap/stream"
    ln -s /etc "$WORK/trap/a"
    echo mine >"$WORK/victim"
    from /srv/stream "$WORK/trap"
    expect "$(cat "$WORK/victim")" mine
    [ ! -L "$WORK/trap/stream" ] || fail "the link is still there"
    expect_status 1 from /srv/site/. "$WORK/trap"
    rm -r "$WORK/trap" "$UPPER/srv/up" "$UPPER/srv/absolute" "$UPPER/srv/tree"
    expect "$(sha256sum /etc/shadow /etc/hostname)" "$host" "the host's files"
}

# Nothing that comes out of a VE may be more than a file, nor keep us waiting.
hostile_files() {
    mkdir -p "$UPPER/srv/bad"
    cp /bin/true "$UPPER/srv/bad/suid"
    chmod 6755 "$UPPER/srv/bad/suid"
    mkdir -m 2775 "$UPPER/srv/bad/dir"
    cp /bin/true "$UPPER/srv/bad/capable"
    setcap cap_net_raw+ep "$UPPER/srv/bad/capable"
    mknod "$UPPER/srv/bad/null" c 1 3
    mkfifo "$UPPER/srv/bad/fifo"
    timeout 20 vectl copy-from $VE /srv/bad "$WORK/bad" 2>"$WORK/err" || fail "it said: $(cat "$WORK/err")"
    expect_sentence "$(cat "$WORK/err")" "vectl: 1 device nodes or sockets were left out."
    expect "$(stat -c %a "$WORK/bad/suid" "$WORK/bad/capable" "$WORK/bad/dir" | tr '\n' ' ')" "755 755 775 "
    expect "$(getcap "$WORK/bad/capable")" "" "its capabilities"
    [ ! -e "$WORK/bad/null" ] || fail "a device came out"
    # The same, merged.
    timeout 20 vectl copy-from $VE /srv/bad "$WORK" 2>"$WORK/err"
    expect "$(stat -c %a "$WORK/bad/suid"):$(getcap "$WORK/bad/capable")" 755: "merged"
    from /srv/bad/suid "$WORK/suid"
    expect "$(stat -c %a "$WORK/suid")" 755
    for file in fifo null; do
        expect_status 1 timeout 20 vectl copy-from $VE /srv/bad/$file "$WORK/x"
        expect_sentence "$ERR" "*neither a file nor a directory."
    done
    expect_status 1 timeout 20 vectl copy-to $VE /etc/hostname /srv/bad/fifo
    expect_sentence "$ERR" "*it is there, and no file; remove it first."
    rm -r "$WORK/bad" "$WORK/suid" "$UPPER/srv/bad"
}

mistakes() {
    echo x >"$WORK/x"
    expect_status 1 to /no/such /srv
    expect_sentence "$ERR" "vectl: Cannot open /no/such: No such file or directory."
    expect_status 1 from /no/such "$WORK"
    expect_sentence "$ERR" "vectl: Cannot open /no/such of VE $VE: *"
    expect_status 1 to "$WORK/x" /no/such/place
    expect_sentence "$ERR" "vectl: Cannot open the directory /no/such/ of VE $VE: No such file or directory."
    expect_status 1 to "$WORK/x" "$SITE/tool" /srv/renamed
    expect_sentence "$ERR" "*several files to /srv/renamed of VE $VE: it is no directory."
    expect_status 1 to "$WORK/x" /srv/new/
    expect_sentence "$ERR" "vectl: Cannot copy $WORK/x to /srv/new/ of VE $VE: there is no such directory."
    expect_status 1 to - /srv/new/
    expect_status 1 to "$WORK/x" ""
    expect_sentence "$ERR" "vectl: Cannot copy to \"\": there is no such directory."
    expect_status 1 to "$SITE" /srv/renamed
    expect_sentence "$ERR" "*not a directory; remove it first, or choose another name."
    to "$SITE/a" /srv/taken/ # as mkdir and cp -r would
    mkdir -p "$WORK/d/taken/b"
    touch "$WORK/d/b"
    expect_status 1 to "$WORK/d/b" /srv/taken
    expect_sentence "$ERR" "*there is a directory of that name; remove it first*"
    expect_status 1 from /srv/renamed /dev/null
    expect_sentence "$ERR" "*it is there, and no file;*"
    [ -c /dev/null ] || fail "/dev/null was replaced"
    expect_status 2 to "$WORK/x"
    expect_status 3 vectl copy-to vc-none "$WORK/x" /srv
    # What is good among several is copied.
    expect_status 1 to /no/such "$WORK/x" /srv
    expect "$(look %s /srv/x)" 2
}

full() {
    local left
    mkdir -p "$WORK/small"
    mount -t tmpfs -o size=64k small "$WORK/small"
    echo old >"$WORK/small/stream"
    expect_status 1 from /srv/stream "$WORK/small"
    left=$(ls -A "$WORK/small"):$(cat "$WORK/small/stream")
    expect_status 1 from /srv/site /srv/stream "$WORK/small/tree/"
    head -c 100000 /dev/urandom >"$UPPER/srv/site/big"
    expect_status 1 from /srv/site "$WORK/small"
    expect_sentence "$ERR" "vectl: Cannot copy /srv/site of VE $VE to $WORK/small, at big: the disk is full."
    expect "$left $(ls -A "$WORK/small")" "stream:old stream" "what is left on the disk"
    rm "$UPPER/srv/site/big"
    umount "$WORK/small"
}

for state in stopped running; do
    [ $state = stopped ] || start $VE
    check "$state: files and trees go in and out" in_and_out $state
    check "$state: owners are kept on request" owners
    check "$state: stdin and stdout" streams
    # They change the VE's files from outside, which one that runs need not see.
    if [ $state = stopped ]; then
        check "paths lead where they do in the VE" links
        check "nothing comes out that is more than a file" hostile_files
        check "a full disk" full
        mountpoint -q "$WORK/small" && umount "$WORK/small"
    fi
    check "$state: mistakes" mistakes
    rm -rf "$WORK"/out-* "$WORK"/whole-*
    [ $state = running ] || rm -rf "${UPPER:?}"/*
done

as_the_ve_sees() {
    inside $VE mkdir -p /srv/mnt
    inside $VE mount -t tmpfs -o size=64k tmpfs /srv/mnt
    echo new | to - /srv/mnt/file
    expect "$(inside $VE cat /srv/mnt/file)" new
    [ ! -e "$UPPER/srv/mnt/file" ] || fail "it is below what the VE has mounted"
    expect "$(from /srv/mnt/file -)" new
    expect_status 1 to "$SITE/sparse" "$WORK/random" /srv/mnt
    expect_sentence "$ERR" "*the disk is full."
    [ -z "$(inside $VE ls -A /srv/mnt | grep -v -e '^file$' -e '^sparse$')" ] || fail "something is left"
    inside $VE umount /srv/mnt
    # What is the host's, and not the VE's to write to, is not ours either.
    inside $VE ln -sfn /shared /srv/up
    expect_status 1 to "$SITE/tool" /srv/up
    expect_sentence "$ERR" "vectl: Cannot write to /srv/up of VE $VE: Permission denied."
    expect_status 1 to "$SITE/tool" /proc/sys/kernel
    # Files that block their readers, and others of the kernel's.
    expect_status 1 timeout 20 vectl copy-from $VE /proc/kmsg "$WORK/x"
    expect_match "$(from /proc/1/status - | head -n 1)" "Name:*"
    expect_status 1 from /proc/1/root/etc/hostname -
}
check "what the VE has mounted is seen as it sees it" as_the_ve_sees

# The VE swaps a directory and a link while files and trees go to and fro.
SWAP='cd /srv && mkdir -p real/d && echo theirs >real/d/passwd && ln -sfn /../../../etc link
while :; do mv real x; mv link real; mv real link; mv x real; done'
racer() {
    local i host
    host=$(sha256sum /etc/passwd /etc/shadow)
    echo ours >"$WORK/passwd"
    mkdir -p "$WORK/r/d"
    echo ours >"$WORK/r/d/passwd"
    vectl exec $VE -- sh -c "$SWAP" >/dev/null 2>&1 &
    for ((i = 0; i < 40; i++)); do
        to "$WORK/passwd" /srv/real/ 2>/dev/null || true
        to "$WORK/r/." /srv/real 2>/dev/null || true
        rm -rf "$WORK/got"
        from /srv/real "$WORK/got" 2>/dev/null || true
        ! grep -q -r '^root:x:0:0:root:/root:/bin/bash' "$WORK/got" 2>/dev/null || fail "a file of the host's came out"
    done
    kill %1
    wait
    expect "$(sha256sum /etc/passwd /etc/shadow)" "$host" "the host's files"
    [ ! -e /etc/d ] || fail "a directory was made on the host"
}
check "a VE that swaps directories and links gets nowhere" racer

# A VE that ends takes a copy with it, and can be started again.
ends() {
    mkfifo "$WORK/slow" 2>/dev/null || true
    to - /srv/endless <"$WORK/slow" 2>"$WORK/err" &
    exec 7>"$WORK/slow"
    echo begun >&7
    wait_until 60 test -e "$UPPER/srv/.#endless.vectl" || fail "it does not begin"
    inside $VE kill -USR2 1 || true
    timeout 60 vectl restart $VE
    wait %1 && fail "it ended well" || expect $? 5 "the status"
    exec 7>&-
    expect_sentence "$(cat "$WORK/err")" "vectl: VE $VE has stopped meanwhile: not all was done."
    [ ! -e "$UPPER/srv/.#endless.vectl" ] || fail "something is left"
}
check "a VE that ends takes a copy with it" ends
systemctl stop ve@$VE

# A caller that is killed leaves nothing either.
caller_ends() {
    local signal
    mkfifo "$WORK/slow" 2>/dev/null || true
    for signal in TERM KILL; do
        to - /srv/endless <"$WORK/slow" &
        exec 7>"$WORK/slow"
        echo begun >&7
        wait_until 60 test -e "$UPPER/srv/.#endless.vectl" || fail "it does not begin"
        # The one that was called, not the one that works.
        kill -$signal "$(pgrep -o -x vectl)"
        wait_until 60 nobody_works || fail "processes are left after SIG$signal"
        exec 7>&-
        [ ! -e "$UPPER/srv/.#endless.vectl" ] || fail "something is left after SIG$signal"
        [ ! -e "$UPPER/srv/endless" ] || fail "half a file came of it"
    done
}
nobody_works() {
    ! pgrep -x vectl >/dev/null
}
check "a caller that is killed leaves nothing" caller_ends

# A start waits for who has the files of a stopped VE open.
start_waits() {
    SINCE=$(now)
    mkfifo "$WORK/slow" 2>/dev/null || true
    to - /srv/waited <"$WORK/slow" &
    exec 7>"$WORK/slow"
    echo begun >&7
    wait_until 60 test -e "$UPPER/srv/.#waited.vectl" || fail "it does not begin"
    systemctl start --no-block ve@$VE
    expect_said $VE "Waiting for a vectl that has files of VE $VE open"
    state_is $VE activating || fail "it was started"
    exec 7>&-
    wait %1
    expect_state $VE active
    expect "$(inside $VE cat /srv/waited)" begun
    systemctl stop ve@$VE
}
check "a start waits for a copy" start_waits

# Killed at every system call that changes something: a file is the old or the new one, a tree whole or not there,
# and the next copy leaves nothing.
CALLS="mkdirat renameat2 sendmsg flock fchmod move_mount fsmount mount"
everywhere() {
    local call n max total=0 size
    command -v strace >/dev/null || skip "no strace here"
    echo new >"$WORK/new"
    to "$WORK/new" /srv/target
    strace -f -c -o "$WORK/counts" vectl copy-to $VE "$WORK/new" "$SITE" /srv
    for call in $CALLS; do
        max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts")
        for ((n = 1; n <= max && n <= 6; n++)); do
            rm -rf "$UPPER/srv/site"
            echo old-old >"$UPPER/srv/new"
            strace -f -o "$WORK/trace" -e "inject=$call:signal=KILL:when=$n" \
                vectl copy-to $VE "$WORK/new" "$SITE" /srv >"$WORK/said" 2>&1 || true
            size=$(stat -c %s "$UPPER/srv/new")
            [ "$size" = 8 ] || [ "$size" = 4 ] || fail "killed at $call $n, the file has $size bytes"
            [ ! -e "$UPPER/srv/site" ] || expect "$(find "$UPPER/srv/site" | wc -l)" "$(find "$SITE" | wc -l)" "after $call $n"
            # The process between may still be at it.
            wait_until 60 nobody_works || fail "after $call $n, processes are left"
            total=$((total + 1))
            to "$WORK/new" "$SITE" /srv
            expect "$(find "$UPPER" -name '.#*')" "" "what is left after $call $n"
        done
    done
    echo "killed $total times"
    [ $total -gt 10 ] || fail "only $total system calls to kill at"
}
check "killed anywhere, a file is old or new" everywhere

check "nothing is left on the host" same_as "$WORK/at-first"
vectl destroy $VE
remove_template vc

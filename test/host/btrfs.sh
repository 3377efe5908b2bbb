# SPDX-License-Identifier: LGPL-2.1-or-later
# Type=btrfs: a VE's root is a subvolume, on a btrfs of the test's own.
. "$(dirname "$(realpath "$0")")/lib.sh"

PRIVATE=/var/lib/ve/private
TEMPLATES=/var/lib/ve/templates
M=$((1024 * 1024))
DISK=/var/lib/veneer-test.btrfs

make_loop_nodes

filler() {
    tiny_template filler static-init
    install "$INITS/busybox" $TEMPLATES/filler/root/bin/busybox
    for applet in sh dd rm cat stat; do
        ln -s busybox $TEMPLATES/filler/root/bin/$applet
    done
    head -c 5M /dev/urandom >$TEMPLATES/filler/root/usr/large
    ln $TEMPLATES/filler/root/usr/large $TEMPLATES/filler/root/usr/linked
}

need_btrfs() {
    [ -n "$MOUNTED" ] || skip "no btrfs can be mounted on this host"
}

new() {
    local name=$1
    shift
    vectl create "$name" --template=filler --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM \
        --set Storage.Type=btrfs "$@"
}

column() {
    vectl list --json -o "name,$2" | tr -d ' \n' | grep -o "\"name\":\"$1\",\"$2\":[^}]*" | sed 's/.*://'
}

# Writes COUNT MiB to FILE in a VE, and prints how many got there.
fill() {
    inside "$1" /bin/dd if=/dev/zero of="$2" bs=1M count="$3" conv=fsync >&2 || true
    echo $(($(inside "$1" /bin/stat -c %s "$2") / M))
}

# What takes room on the disk in MiB, when all of it is there.
taken() {
    sync -f $PRIVATE
    btrfs filesystem df -b $PRIVATE | sed -n 's/^Data.*used=//p' | awk -v m=$M '{ print int($1 / m) }'
}

# As the VE's root, with its view of the files.
as_root_of() {
    local pid
    pid=$(leader "$1")
    shift
    nsenter --target "$pid" --user --setuid 0 --setgid 0 -- "$@"
}

elsewhere() {
    expect_status 69 new sub
    expect_sentence "$ERR" "vectl: VE sub can't be of Type=btrfs: $PRIVATE is on another filesystem; mount a btrfs there, or use Type=directory."
    [ ! -e $PRIVATE/sub ] && [ ! -e /etc/ve/sub.ve ] || fail "something is left of it"
    expect_status 78 new sub --set Storage.Inodes=100
    expect_sentence "$ERR" "vectl: Cannot create VE sub: */sub.ve:*: Inodes= can't be had with Type=btrfs, which counts bytes only: say Inodes=infinity, or use another type."
    expect_status 78 vectl create sub --template=host --set Storage.Type=btrfs
    expect_sentence "$ERR" "vectl: Cannot create VE sub: */sub.ve:*: Type=btrfs takes a copy of a whole template, and template host has *"
}
filler
snapshot "$WORK/at-first"
mkdir -p $PRIVATE
if [ "$(stat -f -c %T $PRIVATE)" != btrfs ]; then
    check "another filesystem, Inodes=, template host: refused" elsewhere
fi

MOUNTED=
truncate -s 512M $DISK
! { mkfs.btrfs -q $DISK && mount -o loop $DISK $PRIVATE; } 2>/dev/null || MOUNTED=yes

life() {
    need_btrfs
    new sub --start
    expect "$(stat -c %i $PRIVATE/sub/root)" 256 "the inode of its root, which a subvolume has"
    expect "$(inside sub /bin/stat -c %h /usr/large)" 2 "the names of a file that has two"
    inside sub /bin/sh -c 'echo mine >/root/mine'
    expect "$(stat -c %u $PRIVATE/sub/root/root/mine)" 0 "on disk, its owner"
    [ "$(column sub used)" -gt $((5 * M)) ] || fail "vectl list shows $(column sub used) in use"
    systemctl restart ve@sub
    expect "$(inside sub /bin/cat /root/mine)" mine "what it wrote, after a restart"
    ! grep -q "private/sub" /proc/1/mountinfo || fail "something is mounted on the host"
    expect_status 69 vectl set sub Storage.Size=20M
    expect_sentence "$ERR" "vectl: VE sub can't be limited in size: the quotas of the btrfs that $PRIVATE is on are off; turn them on with \`btrfs quota enable $PRIVATE\`, or take Size= from the definition."
    [ ! -e /etc/ve/sub.ve.d ] || fail "the setting was kept"
    expect_status 69 new other --set Storage.Size=20M
    expect_sentence "$ERR" "vectl: VE other can't be limited in size: the quotas of the btrfs that *"
    [ ! -e $PRIVATE/other ] && [ ! -e $PRIVATE/.new-other ] || fail "something is left of it"
    vectl destroy --force sub
    expect "$(ls -A $PRIVATE)" "" "what is left"
    expect "$(btrfs subvolume list $PRIVATE)" "" "the subvolumes that are left"
}
check "a VE in a subvolume; without quotas a limit is refused, plainly" life

size() {
    need_btrfs
    btrfs quota enable $PRIVATE
    new sub --set Storage.Size=30M --start
    new neighbour --start
    expect "$(column sub size)" $((30 * M)) "the size that vectl list shows"
    expect "$(column neighbour size)" null "the size of its neighbour"
    expect_match "$(fill sub /root/a 40)" "[12][0-9]" "how many MiB of 40 fit into 30"
    cannot sub "write more" /bin/dd if=/dev/zero of=/root/b bs=1M count=1 conv=fsync
    expect "$(fill neighbour /root/a 40)" 40 "how many MiB its neighbour can write"
    sync -f $PRIVATE
    [ "$(column sub used)" -gt $((20 * M)) ] || fail "vectl list shows $(column sub used) in use"
    vectl set sub Storage.Size=60M 2>"$WORK/said"
    expect "$(cat "$WORK/said")" "vectl: Saved; Storage.Size is in effect in VE sub." "what vectl set says"
    expect "$(fill sub /root/a 40)" 40 "how many MiB of 40 fit into 60"
    vectl set sub Storage.Size=10M 2>"$WORK/said"
    expect_match "$(cat "$WORK/said")" "vectl: VE sub takes more on disk than Size= allows already: *" "what vectl set says"
    cannot sub "write more" /bin/dd if=/dev/zero of=/root/b bs=1M count=1 conv=fsync
    # Full as it is.
    systemctl restart ve@sub
    inside sub /bin/rm -f /root/a /root/b /usr/large /usr/linked
    sync -f $PRIVATE
    expect "$(fill sub /root/a 3)" 3 "how many MiB of 3 fit into 10, when there is room again"
    vectl set sub Storage.Size=infinity
    expect "$(fill sub /root/a 40)" 40 "how many MiB can be written without a limit"
    vectl destroy --force sub neighbour
    expect_status 1 new sub --set Storage.Size=2M
    expect_sentence "$ERR" "vectl: VE sub can't be given a copy of template filler, which takes more than Size= or Inodes= allows: choose larger ones."
    expect "$(ls -A $PRIVATE)" "" "what is left"
}
check "Size= holds, grows and shrinks live, and goes; a template has to fit" size

# What is in one counts nowhere.
no_subvolumes() {
    local kind file
    need_btrfs
    for kind in btrfs directory; do
        new sub --set Storage.Type=$kind
        for file in /usr/bin/btrfs $(ldd /usr/bin/btrfs | grep -o '/[^ ]*'); do
            install -D "$file" "$PRIVATE/sub/root$file"
        done
        start sub
        expect "$(sed -n 's/^Seccomp:\t//p' "/proc/$(leader sub)/status")" 2 "whether its PID 1 has a filter"
        expect_status 1 vectl exec sub -- /usr/bin/btrfs subvolume create /root/s
        expect_match "$ERR" "*Operation not permitted*" "what btrfs says"
        if [ $kind = btrfs ]; then
            expect_status 1 vectl exec sub -- /usr/bin/btrfs subvolume snapshot / /root/s
            expect_match "$ERR" "*Operation not permitted*" "what btrfs says of a snapshot"
        fi
        vectl destroy --force sub
    done
    # Nobody pays for what can't be.
    vectl create sub --template=filler --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM --start
    expect "$(sed -n 's/^Seccomp:\t//p' "/proc/$(leader sub)/status")" 0 "whether that of an overlay has a filter"
    vectl destroy --force sub
}
check "a VE can make no subvolumes, by which it would get around its Size=" no_subvolumes

# Should one be there all the same: the host's root makes them for it.
nested() {
    local root
    need_btrfs
    new sub --start
    root=/proc/$(leader sub)/root/root
    as_root_of sub btrfs subvolume create "$root/s" >/dev/null ||
        skip "subvolumes can't be made by VEs on this host"
    as_root_of sub btrfs subvolume create "$root/s/s" >/dev/null
    inside sub /bin/sh -c "echo x >/root/s/s/file"
    as_root_of sub btrfs subvolume snapshot -r "$root/s/s" "$root/s/read-only" >/dev/null
    as_root_of sub btrfs subvolume snapshot "/proc/$(leader sub)/root" "$root/all" >/dev/null
    as_root_of sub btrfs property set -t subvol "$root/s" ro true
    # Deeper than any path can be.
    # shellcheck disable=SC2016
    as_root_of sub bash -c 'cd "$1"; for ((i = 0; i < 50; i++)); do mkdir $2 && cd $2 2>/dev/null; done; btrfs subvolume create s' \
        bash "$root" "$(printf '%0100d' 0)" >/dev/null
    ! btrfs subvolume list $PRIVATE 2>"$WORK/said" || fail "its subvolumes have names"
    expect_match "$(cat "$WORK/said")" "*File name too long*" "what btrfs says of them"
    expect_status 0 vectl destroy --force sub
    expect "$(ls -A $PRIVATE)" "" "what is left"
    expect "$(btrfs subvolume list $PRIVATE)" "" "the subvolumes that are left"
    # In a directory, too.
    new sub --set Storage.Type=directory --start
    root=/proc/$(leader sub)/root/root
    as_root_of sub btrfs subvolume create "$root/s" >/dev/null
    as_root_of sub btrfs subvolume snapshot -r "$root/s" "$root/s/read-only" >/dev/null
    expect_status 0 vectl destroy --force sub
    expect "$(ls -A $PRIVATE)" "" "what is left"
    # One that is mounted there is somebody's.
    new sub
    btrfs subvolume create $PRIVATE/precious >/dev/null
    echo precious >$PRIVATE/precious/file
    btrfs subvolume create $PRIVATE/sub/root/mnt >/dev/null
    mount --bind $PRIVATE/precious $PRIVATE/sub/root/mnt
    expect_status 1 vectl destroy sub
    umount $PRIVATE/.gone-sub/root/mnt
    expect "$(cat $PRIVATE/precious/file)" precious
    vectl list >/dev/null
    expect_status 3 vectl destroy sub
    btrfs subvolume delete $PRIVATE/precious >/dev/null
    expect "$(ls -A $PRIVATE)" "" "what is left"
}
check "destroy removes the subvolumes that a VE made, too, but none that is mounted there" nested

ephemeral() {
    need_btrfs
    new sub --start
    inside sub /bin/sh -c 'echo mine >/root/mine'
    systemctl stop ve@sub
    vectl set sub VE.Ephemeral=yes Storage.Size=10M
    start sub
    inside sub /bin/sh -c 'cat /root/mine && rm /root/mine && echo new >/root/new' >/dev/null
    expect "$(fill sub /root/a 30)" 9 "how many MiB of 30 fit into 10"
    systemctl stop ve@sub
    expect "$(ls $PRIVATE/sub/root/root)" mine "what is kept"
    vectl set sub VE.Ephemeral= Storage.Size=infinity
}
check "an ephemeral VE leaves it as it is" ephemeral

# Template and VE share what they have in common.
shared() {
    local before
    need_btrfs
    expect "$(vectl clone sub twin 2>&1)" ""
    expect "$(cat $PRIVATE/twin/root/root/mine)" mine "what a clone has"
    expect "$(stat -c %i $PRIVATE/twin/root)" 256 "the inode of its root"
    vectl destroy twin
    mkdir $PRIVATE/.templates
    mount --bind $PRIVATE/.templates $TEMPLATES
    filler
    before=$(taken)
    new copied
    [ $(($(taken) - before)) -lt 3 ] || fail "a copy takes $(($(taken) - before)) MiB more"
    mv $TEMPLATES/filler/root $TEMPLATES/filler/plain
    btrfs subvolume snapshot $PRIVATE/copied/root $TEMPLATES/filler/root >/dev/null
    echo snapshot >$TEMPLATES/filler/root/etc/which
    before=$(taken)
    new snapped --start
    expect "$(inside snapped /bin/cat /etc/which)" snapshot
    [ $(($(taken) - before)) -lt 3 ] || fail "a snapshot takes $(($(taken) - before)) MiB more"
    [ "$(column snapped used)" -gt $((5 * M)) ] || fail "vectl list shows $(column snapped used) in use"
    expect_status 1 new other --set Storage.Size=2M
    expect_sentence "$ERR" "vectl: VE other can't be given a copy of template filler, which takes more *"
    systemctl stop ve@snapped
    btrfs subvolume delete $TEMPLATES/filler/root >/dev/null
    rm -rf $TEMPLATES/filler
    start snapped
    systemctl stop ve@snapped
    # What is imported there is a subvolume by itself.
    tar -C $PRIVATE/sub/root -cf "$WORK/archive.tar" .
    vectl template import imported "$WORK/archive.tar" 2>/dev/null
    expect "$(stat -c '%i %a' $TEMPLATES/imported/root)" "256 755" "inode and mode of an imported template's root"
    before=$(taken)
    vectl create again --template=imported --set Storage.Type=btrfs
    [ $(($(taken) - before)) -lt 3 ] || fail "a snapshot takes $(($(taken) - before)) MiB more"
    vectl template remove imported
    expect "$(cat $PRIVATE/again/root/root/mine)" mine "what came from the template"
    vectl destroy again
    expect "$(ls -A $TEMPLATES)" "" "what is left of the template"
    umount $TEMPLATES
    rm -rf $PRIVATE/.templates
    vectl destroy copied snapped
}
check "from a template on the same filesystem: reflinked, or a snapshot" shared

wrong_type() {
    need_btrfs
    expect_status 5 vectl set sub Storage.Type=directory
    expect_sentence "$ERR" "vectl: The private data of VE sub is of type btrfs, and can't be used as one of type directory: *"
    vectl destroy sub
    new sub --set Storage.Type=directory
    expect_status 5 vectl set sub Storage.Type=btrfs
    expect_sentence "$ERR" "vectl: The private data of VE sub is of type directory, and can't be used as one of type btrfs: *"
    vectl destroy sub
}
check "a directory is none, nor the other way round" wrong_type

left() {
    find /etc/ve $PRIVATE -name '*sub*'
    btrfs subvolume list $PRIVATE
}

# At the calls that are not for one file of many.
killed() {
    local call calls n max some total=0 status what
    need_btrfs
    command -v strace >/dev/null || skip "no strace here"
    for what in create destroy; do
        [ $what = create ] || new sub
        command_of $what strace -f -c -o "$WORK/counts"
        [ $what = destroy ] || vectl destroy sub
        calls="ioctl renameat2 syncfs"
        [ $what = create ] || calls="ioctl unlinkat"
        for call in $calls; do
            max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts")
            # Of many, the last ones: those of the storage layer.
            [ $call = ioctl ] && some=5 || some=2
            for ((n = max > some ? max - some + 1 : 1; n <= max; n++)); do
                [ $what = create ] || new sub
                status=0
                command_of $what strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" 2>"$WORK/said" || status=$?
                expect "$status" 137 "how $what ended, killed at $call $n"
                vectl destroy sub 2>/dev/null || vectl list >/dev/null
                expect "$(left)" "" "what is left after $what was killed at $call $n"
                total=$((total + 1))
            done
        done
    done
    echo "killed $total times"
    [ $total -gt 8 ] || fail "only $total system calls to kill at"
}

command_of() {
    local what=$1
    shift
    if [ "$what" = create ]; then
        "$@" vectl create sub --template=filler --set Storage.Type=btrfs --set Storage.Size=50M
    else
        "$@" vectl destroy sub
    fi
}
check "create and destroy are killed" killed

# What a snapshot takes: nothing, before anything changes.
history_of() {
    local before undo
    need_btrfs
    new sub --start
    inside sub /bin/sh -c 'echo one >/root/f'
    before=$(taken)
    vectl snapshot create sub first >/dev/null 2>"$WORK/said"
    expect_match "$(cat "$WORK/said")" "vectl: VE sub stood for [0-9]* ms." "what is said"
    [ $(($(taken) - before)) -le 1 ] || fail "the snapshot takes $(($(taken) - before)) MiB"
    expect_match "$(vectl snapshot list -n -o used sub)" "*[5-9].*M*" "what it is shown to take"
    # One that has more than it may by now is kept all the same.
    vectl set sub Storage.Size=1M 2>/dev/null
    vectl snapshot create sub full >/dev/null 2>&1
    vectl set sub Storage.Size=infinity
    vectl snapshot delete sub full
    inside sub /bin/sh -c 'echo two >/root/f; rm /usr/large'
    systemctl stop ve@sub
    vectl snapshot restore sub first 2>/dev/null
    start sub
    expect "$(inside sub /bin/cat /root/f)" one "what it has after it was restored"
    systemctl stop ve@sub
    vectl convert sub --to=overlay 2>"$WORK/said"
    undo=$(sed -n 's/.* is snapshot \(.*\)\.$/\1/p' "$WORK/said")
    start sub
    expect "$(inside sub /bin/cat /root/f)" one "what it has as an overlay"
    expect "$(inside sub /bin/stat -c %h /usr/large)" 2 "the names of a file of its, as an overlay"
    systemctl stop ve@sub
    vectl snapshot restore sub "$undo" 2>/dev/null
    # shellcheck disable=SC2046 # a list
    vectl snapshot delete sub $(vectl snapshot list -n -o name sub)
    start sub
    expect "$(inside sub /bin/cat /root/f)" one "what it has after that was taken back"
    vectl destroy --force sub
    expect "$(left)" "" "what is left"
}
check "snapshots take no room and no time, and lead back, from another type, too" history_of

# Private data whose VE is lost: moved, or copied.
registered() {
    local how options
    need_btrfs
    for how in move copy; do
        new sub
        echo one >$PRIVATE/sub/root/root/f
        mv $PRIVATE/sub $PRIVATE/elsewhere
        vectl destroy sub
        [ $how = copy ] && options=--copy || options=
        # shellcheck disable=SC2086 # none is none
        vectl register $PRIVATE/elsewhere sub --template=filler --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM --start $options
        [ $how = move ] || btrfs subvolume delete $PRIVATE/elsewhere/root >/dev/null
        [ $how = move ] || rm -r $PRIVATE/elsewhere
        expect "$(stat -c %i $PRIVATE/sub/root)" 256 "the inode of its root, by a $how"
        expect "$(inside sub /bin/cat /root/f)" one "what it has, by a $how"
        vectl destroy --force sub
        expect "$(ls -A $PRIVATE)" "" "what is left by a $how"
    done
}
check "it is registered as what it is" registered

gone() {
    need_btrfs
    expect "$(ls -A $PRIVATE)" "" "what is left"
    umount $PRIVATE
    same_as "$WORK/at-first"
}
check "nothing is left" gone

umount $PRIVATE 2>/dev/null
rm -f $DISK
remove_template filler

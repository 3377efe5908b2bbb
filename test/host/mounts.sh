# SPDX-License-Identifier: LGPL-2.1-or-later
# [Mount]: further disks of a VE. Block devices, and growing ext4 live, are in machine/mounts.sh.
. "$(dirname "$(realpath "$0")")/lib.sh"

IMAGES=/srv/veneer-images
M=$((1024 * 1024))

make_loop_nodes
mkdir -p $IMAGES
tiny_template filler static-init
install "$INITS/busybox" /var/lib/ve/templates/filler/root/bin/busybox
for applet in sh dd df touch rm cat sync stat ls mount umount chown mkdir mknod; do
    ln -s busybox /var/lib/ve/templates/filler/root/bin/$applet
done

need_loop() {
    losetup --find >/dev/null 2>&1 || skip "no loop devices can be had on this host"
}

# Defines VE NAME with the lines given, from [Mount] on.
disk_define() {
    local name=$1
    shift
    define "$name" "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=filler" "NotifyReady=no" "StopSignal=SIGTERM" "$@"
}

disk_start() {
    disk_define "$@"
    start "$1"
}

# disk_refused NAME PATTERN LINE…: it can't be started, and says why in one sentence, which systemctl status shows.
disk_refused() {
    local name=$1 pattern=$2
    shift 2
    SINCE=$(now)
    disk_define "$name" "$@"
    ! systemctl start "ve@$name" 2>/dev/null || fail "it was started with $*"
    expect_match "$(property "$name" StatusText)" "$pattern" "what systemctl status shows"
    wait_until 10 said "$name" "Disk\|disk" || fail "nothing was said of it"
    expect "$(said_all "$name" | grep -c 've-launch: \|Disk ')" 1 "the number of sentences"
    reset "$name"
}

# The type, size in MiB and options of what is mounted at a place in a VE.
type_of() {
    inside "$1" /bin/cat /proc/mounts | awk -v at="$2" '$2 == at { print $3 }'
}
size_of() {
    inside "$1" /bin/df -m "$2" | awk 'END { print $2 }'
}
options_of() {
    inside "$1" /bin/cat /proc/mounts | awk -v at="$2" '$2 == at { print "," $4 "," }'
}

no_loop() {
    [ -z "$(losetup --associated "$1")" ]
}

life() {
    local mountinfo
    need_loop
    mountinfo=$(snapshot_mounts)
    disk_start one "[Mount]" "What=$IMAGES/a.img" "Where=/srv/data" "Size=64M"
    expect "$(ls -A $IMAGES)" a.img "what is where it was made"
    expect "$(stat -c '%s %a %u' $IMAGES/a.img)" "$((64 * M)) 600 0" "its size, mode and owner"
    [ "$(stat -c %b $IMAGES/a.img)" -lt $((8 * 1024 * 2)) ] || fail "it is not sparse"
    expect "$(type_of one /srv/data)" ext4
    expect "$(losetup --noheadings --output AUTOCLEAR --associated $IMAGES/a.img | xargs)" 1 "whether the loop device goes by itself"
    expect "$(inside one /bin/stat -c %u:%g:%a /srv/data)" 0:0:755 "who it belongs to in the VE"
    inside one /bin/sh -c 'echo kept >/srv/data/kept && touch /srv/data/user && chown 1000:1001 /srv/data/user'
    cannot one "make a device" /bin/mknod /srv/data/null c 1 3
    [[ $(options_of one /srv/data) == *,nodev,* ]] || fail "it is mounted with $(options_of one /srv/data)"
    expect "$(snapshot_mounts)" "$mountinfo" "what is mounted on the host"
    systemctl restart ve@one
    expect "$(inside one /bin/cat /srv/data/kept)" kept
    systemctl kill --signal=KILL ve@one
    expect_state one failed
    wait_until 10 no_loop $IMAGES/a.img || fail "its loop device is left"
    reset one
    mount -o loop,ro $IMAGES/a.img /mnt
    expect "$(stat -c %u:%g /mnt/kept /mnt/user | paste -sd' ')" "0:0 1000:1001" "the owners on disk"
    umount /mnt
}
check "an image file is made, is the VE's with the ids on disk, and goes with it" life

in_use() {
    need_loop
    disk_start one "[Mount]" "What=$IMAGES/a.img" "Where=/srv/data"
    disk_refused two "Disk $IMAGES/a.img of VE two can't be used: it is in use by VE one; *" "[Mount]" "What=$IMAGES/a.img" "Where=/mnt"
    ln $IMAGES/a.img $IMAGES/link.img
    disk_refused two "*it is in use by VE one; *" "[Mount]" "What=$IMAGES/link.img" "Where=/mnt" "Options=ro"
    rm $IMAGES/link.img
    systemctl stop ve@one
    mount -o loop $IMAGES/a.img /mnt
    disk_refused one "*can't be used: it is in use by the host, at /mnt; *" "[Mount]" "What=$IMAGES/a.img" "Where=/srv/data"
    umount /mnt
    start one
    systemctl stop ve@one
}
check "what is in use is refused, and by whom is said" in_use

content() {
    local before
    need_loop
    truncate -s 64M $IMAGES/x.img
    disk_refused one "*there is no filesystem on it; make one with \`mkfs.ext4 $IMAGES/x.img\` if nothing else is." "[Mount]" "What=$IMAGES/x.img" "Where=/mnt"
    disk_refused one "*\`mkfs.xfs $IMAGES/x.img\`*" "[Mount]" "What=$IMAGES/x.img" "Where=/mnt" "Type=xfs" "Size=80M"
    expect "$(stat -c %s $IMAGES/x.img)" $((64 * M)) "its size"
    mkswap -q $IMAGES/x.img
    before=$(sha256sum <$IMAGES/x.img)
    disk_refused one "*it has swap on it, and a VE can have ext4, xfs and btrfs only." "[Mount]" "What=$IMAGES/x.img" "Where=/mnt" "Size=80M"
    expect "$(sha256sum <$IMAGES/x.img)" "$before" "what is in it"
    truncate -s 0 $IMAGES/x.img
    disk_refused one "*there is no filesystem on it*" "[Mount]" "What=$IMAGES/x.img" "Where=/mnt" "Size=80M"
    truncate -s 64M $IMAGES/x.img
    # One partition, of Linux.
    printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\0\001\0' | dd of=$IMAGES/x.img bs=1 seek=446 conv=notrunc status=none
    printf '\125\252' | dd of=$IMAGES/x.img bs=1 seek=510 conv=notrunc status=none
    disk_refused one "*it has a dos partition table; name one of the partitions." "[Mount]" "What=$IMAGES/x.img" "Where=/mnt" "Size=80M"
    rm $IMAGES/x.img
    disk_refused one "*there is no such file; make it, or have it made by giving it a Size=." "[Mount]" "What=$IMAGES/x.img" "Where=/mnt"
    disk_refused one "*by giving it a Size= without the option ro." "[Mount]" "What=$IMAGES/x.img" "Where=/mnt" "Size=64M" "Options=ro"
    disk_refused one "*its directory can't be opened: No such file or directory; make it." "[Mount]" "What=$IMAGES/none/x.img" "Where=/mnt" "Size=64M"
    [ ! -e $IMAGES/x.img ] || fail "it was made"
    mkfifo $IMAGES/x.img
    disk_refused one "*it is no regular file; *" "[Mount]" "What=$IMAGES/x.img" "Where=/mnt"
    rm $IMAGES/x.img
    ln -s a.img $IMAGES/x.img
    disk_refused one "*it is or goes through a symbolic link, which is not followed; *" "[Mount]" "What=$IMAGES/x.img" "Where=/mnt"
    rm $IMAGES/x.img
    disk_refused one "*it has ext4 on it, and Type=xfs is wanted; *" "[Mount]" "What=$IMAGES/a.img" "Where=/mnt" "Type=xfs"
}
check "what is no filesystem, or another, is refused and left as it is" content

# other TYPE SIZE: of another type.
other() {
    need_loop
    command -v "mkfs.$1" >/dev/null || skip "no mkfs.$1 here"
    grep -qw "$1" /proc/filesystems || modprobe "$1" 2>/dev/null || skip "no $1 in this kernel"
    rm -f $IMAGES/o.img
    disk_refused one "*no $1 can be made in it: *" "[Mount]" "What=$IMAGES/o.img" "Where=/mnt" "Type=$1" "Size=16M"
    expect "$(ls -A $IMAGES)" a.img "what is left of it"
    disk_start one "[Mount]" "What=$IMAGES/o.img" "Where=/mnt" "Type=$1" "Size=$2M"
    expect "$(type_of one /mnt)" "$1"
    inside one /bin/sh -c 'echo kept >/mnt/kept && chown 1000 /mnt/kept'
    # It grows, here and there.
    vectl set one "Mount.1.Size=$(($2 + 100))M" 2>"$WORK/said"
    expect "$(cat "$WORK/said")" "vectl: Saved; Mount.Size is in effect in VE one." "what vectl set says"
    [ "$(size_of one /mnt)" -gt "$2" ] || fail "df in the VE shows $(size_of one /mnt) MiB"
    systemctl stop ve@one
    rm -r /etc/ve/one.ve.d
    disk_start one "[Mount]" "What=$IMAGES/o.img" "Where=/mnt" "Size=$(($2 + 200))M"
    [ "$(size_of one /mnt)" -gt $(($2 + 100)) ] || fail "df in the VE shows $(size_of one /mnt) MiB after the next start"
    expect "$(inside one /bin/stat -c %u /mnt/kept)" 1000
    systemctl stop ve@one
    rm $IMAGES/o.img
}
check "xfs, made, and grown live and at a start" other xfs 300
rm -f $IMAGES/o.img
check "btrfs, made, and grown live and at a start" other btrfs 256
rm -f $IMAGES/o.img

options() {
    need_loop
    disk_start one "[Mount]" "What=$IMAGES/a.img" "Where=/srv/data" "Options=ro,noexec,nosuid noatime"
    for option in ro noexec nosuid nodev noatime; do
        [[ $(options_of one /srv/data) == *,$option,* ]] || fail "it is mounted with $(options_of one /srv/data), not $option"
    done
    expect "$(inside one /bin/cat /srv/data/kept)" kept
    cannot one "write to it" /bin/touch /srv/data/x
    cannot one "make it writable" /bin/mount -o remount,bind,rw /srv/data
    cannot one "make it writable" /bin/mount -o remount,rw /srv/data
    systemctl stop ve@one
}
check "options hold, whatever the VE's root does" options

below() {
    need_loop
    mkdir -p $IMAGES/bound
    chmod 700 $IMAGES
    disk_start one "[Mount]" "What=$IMAGES/b.img" "Where=/mnt/disk/deep/second" "Size=32M" \
        "[Mount]" "What=$IMAGES/a.img" "Where=/mnt/disk" \
        "[Storage]" "TemporaryFileSystem=/mnt" "Bind=$IMAGES/bound:/mnt/disk/bound"
    expect "$(inside one /bin/cat /mnt/disk/kept)" kept "what is on the first"
    expect "$(type_of one /mnt/disk/deep/second)" ext4
    inside one /bin/touch /mnt/disk/bound/here /mnt/disk/deep/second/there
    [ -e $IMAGES/bound/here ] || fail "what is bound below it is elsewhere"
    systemctl stop ve@one
    # A link that the VE's root leaves on its disk leads nowhere.
    wait_until 10 no_loop $IMAGES/a.img
    mount -o loop $IMAGES/a.img /mnt
    rmdir /mnt/bound
    ln -s ../../../etc /mnt/bound
    umount /mnt
    ! systemctl start ve@one 2>/dev/null || fail "it started in spite of the link"
    expect_match "$(property one StatusText)" "*/mnt/disk/bound, can't be used: Too many levels of symbolic links*"
    reset one
    wait_until 10 no_loop $IMAGES/a.img
    mount -o loop $IMAGES/a.img /mnt
    rm /mnt/bound
    umount /mnt
    rm $IMAGES/b.img
    rmdir $IMAGES/bound 2>/dev/null || rm -r $IMAGES/bound
}
check "what is mounted below a disk, and a disk below what is mounted" below

damaged() {
    need_loop
    cp --sparse=always $IMAGES/a.img "$WORK/good"
    # What a crash leaves is put right, and what a person must see to is not.
    debugfs -w -R "set_super_value state 0" $IMAGES/a.img 2>/dev/null
    disk_start one "[Mount]" "What=$IMAGES/a.img" "Where=/mnt"
    systemctl stop ve@one
    wait_until 10 no_loop $IMAGES/a.img
    dumpe2fs -h $IMAGES/a.img 2>/dev/null | grep -q '^Filesystem state: *clean$' || fail "its state is not clean"
    # As it is while it is mounted: with a journal to be replayed.
    mount -o loop $IMAGES/a.img /mnt
    touch /mnt/new
    sync -f /mnt
    cp --sparse=always $IMAGES/a.img $IMAGES/crashed.img
    umount /mnt
    disk_refused one "*can't be mounted read-only before what a crash left in it is put right; mount it once without the option ro." \
        "[Mount]" "What=$IMAGES/crashed.img" "Where=/mnt" "Options=ro"
    disk_start one "[Mount]" "What=$IMAGES/crashed.img" "Where=/mnt"
    inside one /bin/stat /mnt/new
    systemctl stop ve@one
    rm $IMAGES/crashed.img
    # All but the superblock.
    dd if=/dev/urandom of=$IMAGES/a.img bs=4096 seek=1 count=4096 conv=notrunc status=none
    disk_refused one "*its filesystem is damaged; copy it, then put it right with \`e2fsck -f $IMAGES/a.img\`." "[Mount]" "What=$IMAGES/a.img" "Where=/mnt"
    cp --sparse=always "$WORK/good" $IMAGES/a.img
    start one
    systemctl stop ve@one
}
check "a damaged filesystem is not mounted" damaged

sizes() {
    local free
    need_loop
    free=$(($(stat -f -c '%b * %S' $IMAGES) / M))
    disk_refused one "Disk $IMAGES/x.img of VE one can't have $((free + 1)) MiB: the whole filesystem that holds it has $free; choose a smaller Size=." \
        "[Mount]" "What=$IMAGES/x.img" "Where=/mnt" "Size=$((free + 1))M"
    disk_refused one "Disk $IMAGES/a.img of VE one has 64 MiB, and can't be shrunk to the 32 of its Size=; have that say at least 65536K." \
        "[Mount]" "What=$IMAGES/a.img" "Where=/mnt" "Size=32M"
    disk_start one "[Mount]" "What=$IMAGES/a.img" "Where=/mnt"
    expect_status 1 vectl set one Mount.1.Size=32M
    expect_sentence "$ERR" "vectl: Disk $IMAGES/a.img of VE one has 64 MiB, and can't be shrunk*"
    expect_status 1 vectl set one Mount.Size=$((free + 1))M
    expect_sentence "$ERR" "vectl: Disk $IMAGES/a.img of VE one can't have $((free + 1)) MiB: *"
    [ ! -e /etc/ve/one.ve.d ] || fail "it was saved"
    expect_status 0 vectl set one Mount.2.What=$IMAGES/new.img Mount.2.Where=/srv/new Mount.2.Size=16M Mount.Options+=noatime
    expect_sentence "$ERR" "vectl: Saved; Mount.2.What, Mount.2.Where, Mount.Options and Mount.2.Size take effect when VE one is restarted: *"
    expect_match "$(vectl show one | grep -v '^#')" "*
\[Mount\]
What=$IMAGES/a.img
Where=/mnt
Options=noatime

\[Mount\]
What=$IMAGES/new.img
Where=/srv/new
Size=$((16 * M))*" "what vectl show says"
    systemctl restart ve@one
    expect "$(type_of one /srv/new)" ext4
    systemctl stop ve@one
    vectl destroy --force one
    [ -e $IMAGES/new.img ] || fail "vectl destroy has removed a disk"
    rm $IMAGES/new.img
}
check "too large, or smaller than it is: refused; further ones by vectl set" sizes
remove one

# Whenever the launcher dies, the file is not there, or whole.
killed() {
    local call n max total=0 trace=/run/veneer-strace
    need_loop
    command -v strace >/dev/null || skip "no strace here"
    mkdir -p $trace /etc/systemd/system/ve@two.service.d
    printf '#!/bin/bash\nexec strace -D -f -qq -o %s/trace $(cat %s/options) %s "$@"\n' $trace $trace $LAUNCH >$trace/launch
    chmod +x $trace/launch
    printf '[Service]\nExecStart=\nExecStart=%s %%i\n' $trace/launch >/etc/systemd/system/ve@two.service.d/strace.conf
    : >$trace/options
    rm -f $IMAGES/k.img
    disk_start two "[Mount]" "What=$IMAGES/k.img" "Where=/mnt" "Size=16M"
    systemctl stop ve@two
    for call in flock ftruncate fsync renameat2 ioctl; do
        max=$(sed -n 's/^\([0-9]*\) *\([a-z0-9_]*\)(.*/\1 \2/p' $trace/trace | sort | uniq -c |
            awk -v call=$call '$3 == call && $1 > most { most = $1 } END { print most + 0 }')
        for ((n = max > 4 ? max - 3 : 1; n <= max; n++)); do
            wait_until 10 no_loop $IMAGES/k.img
            rm -f $IMAGES/k.img
            echo "-e inject=$call:signal=KILL:when=$n" >$trace/options
            systemctl start ve@two 2>/dev/null || true
            systemctl stop ve@two
            reset two
            [ ! -e $IMAGES/k.img ] || e2fsck -f -n $IMAGES/k.img >/dev/null 2>&1 ||
                fail "the file is damaged after it was killed at $call $n"
            : >$trace/options
            start two
            expect "$(type_of two /mnt)" ext4 "what is mounted after it was killed at $call $n"
            systemctl stop ve@two
            expect "$(ls -A $IMAGES | paste -sd' ')" "a.img k.img" "what is left after it was killed at $call $n"
            total=$((total + 1))
        done
    done
    echo "killed $total times"
    [ $total -gt 6 ] || fail "only $total system calls to kill at"
}
check "the launcher is killed while it makes one" killed

remove one two
rm -rf /run/veneer-strace
wait_until 10 no_loop $IMAGES/a.img
rm -rf $IMAGES
remove_template filler

# SPDX-License-Identifier: LGPL-2.1-or-later
# [Mount] with a block device, which a container has none of, and growing ext4 live, which takes
# CAP_SYS_RESOURCE; for all else see host/mounts.sh.
. "$(dirname "$(realpath "$0")")/../host/lib.sh"

DISK=/dev/vdc
IMAGE=/srv/veneer-disk.img
tiny_template filler static-init
install "$INITS/busybox" /var/lib/ve/templates/filler/root/bin/busybox
for applet in sh df touch cat stat chown mknod dd; do
    ln -s busybox /var/lib/ve/templates/filler/root/bin/$applet
done

disk_define() {
    local name=$1
    shift
    define "$name" "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=filler" "NotifyReady=no" "StopSignal=SIGTERM" "$@"
}

disk_refused() {
    local name=$1 pattern=$2
    shift 2
    disk_define "$name" "$@"
    ! systemctl start "ve@$name" 2>/dev/null || fail "it was started with $*"
    expect_match "$(property "$name" StatusText)" "$pattern" "what systemctl status shows"
    reset "$name"
}

size_of() {
    inside one /bin/df -m /srv/data | awk 'END { print $2 }'
}

device() {
    local uuid=6f1c2b3a-0000-4000-8000-00000000abcd before
    before=$(head -c 4M $DISK | sha256sum)
    disk_refused one "Disk $DISK of VE one can't be used: there is no filesystem on it; make one with \`mkfs.ext4 $DISK\` if nothing else is." \
        "[Mount]" "What=$DISK" "Where=/srv/data"
    expect "$(head -c 4M $DISK | sha256sum)" "$before" "what is on it"
    mkfs.ext4 -q -U $uuid $DISK
    udevadm settle
    disk_define one "[Mount]" "What=UUID=$uuid" "Where=/srv/data" "Options=discard"
    expect_match "$(property one Requires)" '*dev-disk-by*uuid*6f1c2b3a*.device*' "what it requires"
    start one
    inside one /bin/sh -c 'echo kept >/srv/data/kept && touch /srv/data/user && chown 1000:1001 /srv/data/user'
    cannot one "make a node of it" /bin/mknod /srv/data/disk b 254 32
    disk_refused two "Disk $DISK of VE two can't be used: it is in use by VE one; *" "[Mount]" "What=$DISK" "Where=/mnt" "Options=ro"
    systemctl restart ve@one
    expect "$(inside one /bin/cat /srv/data/kept)" kept
    systemctl stop ve@one
    # That the last process is gone is not that the kernel has put the filesystem away.
    wait_until 10 mount $DISK /mnt
    expect "$(stat -c %u:%g /mnt/kept /mnt/user | paste -sd' ')" "0:0 1000:1001" "the owners on disk"
    disk_refused two "*it is in use by the host, at /mnt; *" "[Mount]" "What=UUID=$uuid" "Where=/mnt"
    umount /mnt
    e2fsck -f -n $DISK >/dev/null || fail "the filesystem is damaged"
    start one
    systemctl stop ve@one
}
check "a block device, by its UUID, is the VE's alone" device

waits_for() {
    systemctl list-jobs --no-legend | grep -q "$1.*waiting\|$1.*running"
}

missing() {
    disk_define one "[Mount]" "What=UUID=00000000-dead-beef" "Where=/mnt"
    systemctl start --no-block ve@one
    wait_until 10 waits_for 'dev-disk-by\\x2duuid-00000000\\x2ddead\\x2dbeef.device' || fail "the device is not waited for: $(systemctl list-jobs)"
    systemctl stop ve@one
}
check "a device that is not there is waited for" missing

grows() {
    disk_define one "[Mount]" "What=$IMAGE" "Where=/srv/data" "Size=32M"
    start one
    vectl set one Mount.Size=100M 2>"$WORK/said"
    expect "$(cat "$WORK/said")" "vectl: Saved; Mount.Size is in effect in VE one." "what vectl set says"
    [ "$(size_of)" -gt 80 ] && [ "$(size_of)" -le 100 ] || fail "df in the VE shows $(size_of) MiB"
    systemctl stop ve@one
    vectl set one Mount.Size=150M
    start one
    [ "$(size_of)" -gt 120 ] || fail "df in the VE shows $(size_of) MiB after the next start"
    systemctl stop ve@one
    wait_until 10 e2fsck -f -n $IMAGE >/dev/null || fail "the filesystem is damaged"
}
check "an ext4 grows live, and at a start" grows

remove one two
rm -f $IMAGE
remove_template filler

# SPDX-License-Identifier: LGPL-2.1-or-later
# Growing an image takes CAP_SYS_RESOURCE, which a container may lack; for all else see host/image.sh.
. "$(dirname "$(realpath "$0")")/../host/lib.sh"

IMAGE=/var/lib/ve/private/img/image
tiny_template filler static-init
install "$INITS/busybox" /var/lib/ve/templates/filler/root/bin/busybox
ln -s busybox /var/lib/ve/templates/filler/root/bin/df

# What df shows in the VE, in MiB.
told() {
    inside img /bin/df -m / | awk 'END { print $2 }'
}

# The filesystem's size in MiB.
filesystem() {
    dumpe2fs -h $IMAGE 2>/dev/null | awk '/^Block count:/ { print $3 / 256 }'
}

live() {
    vectl create img --template=filler --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM \
        --set Storage.Type=image --set Storage.Size=32M --start
    vectl set img Storage.Size=100M 2>"$WORK/said"
    expect "$(cat "$WORK/said")" "vectl: Saved; Storage.Size is in effect in VE img." "what vectl set says"
    [ "$(told)" -gt 80 ] && [ "$(told)" -le 100 ] || fail "df in the VE shows $(told) MiB"
    expect "$(vectl list -n -o name,size | grep '^img ' | tr -s ' ')" "img 100.0M" "the size that vectl list shows"
    systemctl stop ve@img
    expect "$(filesystem)" 100 "the size of the filesystem"
}
check "an image grows live" live

stopped() {
    vectl set img Storage.Size=150M
    vectl start img
    [ "$(told)" -gt 120 ] || fail "df in the VE shows $(told) MiB"
    systemctl stop ve@img
    expect "$(filesystem)" 150 "the size of the filesystem"
    e2fsck -f -n $IMAGE >/dev/null || fail "the filesystem is damaged"
}
check "and at the next start when the VE is stopped" stopped

vectl destroy --force img
remove_template filler

# SPDX-License-Identifier: LGPL-2.1-or-later
# Type=image: a VE's private data in a filesystem of its own, in a file.
. "$(dirname "$(realpath "$0")")/lib.sh"

PRIVATE=/var/lib/ve/private
IMAGE=$PRIVATE/img/image
M=$((1024 * 1024))

make_loop_nodes

tiny_template filler static-init
install "$INITS/busybox" /var/lib/ve/templates/filler/root/bin/busybox
for applet in sh dd df touch rm cat sync; do
    ln -s busybox /var/lib/ve/templates/filler/root/bin/$applet
done
echo lower >/var/lib/ve/templates/filler/root/etc/lower

need_loop() {
    losetup --find >/dev/null 2>&1 || skip "no loop devices can be had on this host"
}

new() {
    local name=$1
    shift
    vectl create "$name" --template=filler --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM \
        --set Storage.Type=image "$@"
}

# As JSON has it.
column() {
    vectl list --json -o "name,$2" | tr -d ' \n' | grep -o "\"name\":\"$1\",\"$2\":[^}]*" | sed 's/.*://'
}

told() {
    inside img /bin/df -m / | awk 'END { print $2 }'
}

# The filesystem's size in MiB.
filesystem() {
    dumpe2fs -h $IMAGE 2>/dev/null | awk '/^Block count:/ { print $3 / 256 }'
}

root() {
    echo "/proc/$(leader img)/root"
}

is_unused() {
    [ -z "$(losetup --associated $IMAGE)" ]
}

smaller_than() {
    [ "$(column img used)" -lt "$1" ]
}

life() {
    need_loop
    expect_status 0 new img --set Storage.Size=64M --start
    expect "$(find $PRIVATE/img -mindepth 1 -printf '%f ' | tr ' ' '\n' | sort | xargs)" "image uuid" "the private data"
    expect "$(losetup --noheadings --output AUTOCLEAR --associated $IMAGE | xargs)" 1 "whether the loop device goes by itself"
    expect "$(column img size)" $((64 * M)) "the size that vectl list shows"
    smaller_than $((8 * M)) || fail "an empty one takes $(column img used) bytes"
    [ "$(told)" -gt 40 ] && [ "$(told)" -le 64 ] || fail "df in the VE shows $(told) MiB"
    expect "$(inside img /bin/cat /etc/lower)" lower "a file of its template"
    ! inside img /bin/dd if=/dev/zero of=/root/a bs=1M count=100 2>"$WORK/said" || fail "100 MiB fit into 64"
    expect_match "$(cat "$WORK/said")" "*No space left on device*" "what dd says"
    smaller_than $((80 * M)) || fail "it takes $(column img used) bytes"
    # What is removed is the host's again.
    inside img /bin/rm /root/a
    inside img /bin/touch /root/kept /etc/lower
    wait_until 20 smaller_than $((10 * M)) || fail "it still takes $(column img used) bytes"
    systemctl kill --signal=KILL ve@img
    expect_state img failed
    wait_until 10 is_unused || fail "its loop device is left: $(losetup --associated $IMAGE)"
    start img
    inside img /bin/touch /root/kept
    systemctl stop ve@img
    expect "$(stat -c %s $IMAGE)" $((64 * M)) "the size of the file"
}
check "it has its own size, gives back what is removed, and is not left mounted" life

shrink() {
    need_loop
    start img
    vectl set img Storage.Size=40M 2>"$WORK/said"
    expect_match "$(cat "$WORK/said")" "vectl: Saved; Storage.Size takes effect when VE img is restarted: *" "what vectl set says"
    systemctl restart ve@img
    [ "$(told)" -lt 40 ] || fail "df in the VE shows $(told) MiB"
    expect "$(column img size)" $((40 * M)) "the size that vectl list shows"
    inside img /bin/dd if=/dev/zero of=/root/a bs=1M count=25 2>/dev/null
    systemctl stop ve@img
    expect_status 1 vectl set img Storage.Size=16M
    expect_sentence "$ERR" "vectl: The image of VE img in $PRIVATE/img can't be shrunk to its Size=: *"
    expect_status 1 vectl start img
    expect_match "$ERR" "*The image of VE img in $PRIVATE/img can't be shrunk to its Size=: *" "what vectl start says"
    expect "$(ls $PRIVATE/img | paste -sd' ')" "image uuid" "the private data"
    vectl set img Storage.Size=40M
    start img
    expect "$(stat -c %s "$(root)/root/a")" $((25 * M)) "what was in it"
    inside img /bin/rm /root/a
    systemctl stop ve@img
    vectl set img Storage.Size=32M
    expect "$(filesystem)" 32 "the size of the filesystem, at once when the VE is stopped"
}
check "it shrinks at a restart, or when it is stopped; and not below what is in it" shrink

refused() {
    local free
    free=$(($(stat -f -c '%b * %S' $PRIVATE) / M))
    expect_status 1 new big --set Storage.Size=$((free + 1))M
    expect_sentence "$ERR" "vectl: VE big can't have an image of $((free + 1)) MiB: the whole filesystem of $PRIVATE has $free; choose a smaller Size=."
    expect_status 1 new big --set Storage.Size=1M
    expect_sentence "$ERR" "vectl: VE big can't have an image of so small a Size=: at least 16M."
    [ ! -e /etc/ve/big.ve ] && [ ! -e $PRIVATE/big ] || fail "something is left of it"
    expect_status 5 vectl set img Storage.Type=overlay Storage.Size=infinity
    expect_sentence "$ERR" "vectl: The private data of VE img is of type image, and can't be used as one of type overlay: have its definition say Type=image again."
    rm -r /etc/ve/img.ve.d
    sed -i 's/Type=image/Type=overlay/; /Size=/d' /etc/ve/img.ve
    systemctl daemon-reload
    expect_status 1 vectl start img
    expect_match "$ERR" "*is of type image, and can't be used as one of type overlay*" "what vectl start says"
    sed -i 's/Type=overlay/Type=image\nSize=32M/' /etc/ve/img.ve
    systemctl daemon-reload
}
check "too large, too small, another type: refused in one sentence" refused

twice() {
    local loop
    need_loop
    loop=$(losetup --find --show $IMAGE)
    expect_status 1 vectl start img
    losetup --detach "$loop"
    expect_match "$ERR" "*The image of VE img is in use already, by $loop: *" "what vectl start says"
    start img
    systemctl stop ve@img
}
check "in use by something else: refused" twice

damaged() {
    need_loop
    cp --sparse=always $IMAGE "$WORK/good"
    dd if=/dev/urandom of=$IMAGE bs=1M count=32 conv=notrunc status=none
    expect_status 1 vectl start img
    expect_match "$ERR" "*The filesystem in the image of VE img is damaged; copy the image, then put it right with*" "what vectl start says"
    truncate -s 0 $IMAGE
    expect_status 1 vectl start img
    expect_match "$ERR" "*The filesystem in the image of VE img is damaged; *" "what vectl start says of an empty one"
    rm $IMAGE
    mkfifo $IMAGE
    expect_status 1 vectl start img
    rm $IMAGE
    cp --sparse=always "$WORK/good" $IMAGE
    start img
    inside img /bin/touch /root/kept
    systemctl stop ve@img
}
check "damaged, empty, or no file: refused" damaged

ephemeral() {
    need_loop
    vectl set img VE.Ephemeral=yes
    start img
    inside img /bin/sh -c 'test -e /root/kept && echo new >/root/new'
    systemctl stop ve@img
    vectl set img VE.Ephemeral=
    start img
    ! inside img /bin/cat /root/new 2>/dev/null || fail "what it wrote while it was ephemeral is there"
    systemctl stop ve@img
}
check "an ephemeral VE leaves it as it is" ephemeral

# As it was before it shrank.
good_again() {
    cp --sparse=always "$WORK/good" $IMAGE
    vectl set img Storage.Size=32M
}

# Small or large, the file is whole, whenever the command dies.
killed() {
    local call n max status total=0
    command -v strace >/dev/null || skip "no strace here"
    good_again
    strace -c -o "$WORK/counts" vectl set img Storage.Size=30M
    for call in openat ftruncate copy_file_range fsync renameat unlinkat; do
        max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts")
        # Most files are opened for other things; those of the storage layer come last.
        for ((n = max > 12 ? max - 11 : 1; n <= max; n++)); do
            good_again
            status=0
            strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" vectl set img Storage.Size=30M 2>"$WORK/said" || status=$?
            expect "$status" 137 "how it ended, killed at $call $n"
            vectl set img Storage.Size=29M
            expect "$(filesystem)" 29 "the size after it was killed at $call $n"
            e2fsck -f -n $IMAGE >/dev/null 2>&1 || fail "the filesystem is damaged after it was killed at $call $n"
            expect "$(ls $PRIVATE/img | paste -sd' ')" "image uuid" "the private data after it was killed at $call $n"
            total=$((total + 1))
        done
    done
    echo "killed $total times"
    [ $total -gt 10 ] || fail "only $total system calls to kill at"
}
check "shrinking is killed" killed

# With it, see machine/luks.sh.
no_encryption() {
    need_loop
    [ ! -e /sys/class/misc/device-mapper ] || skip "this host has device-mapper"
    (umask 077 && { printf '\001' && head -c 32 /dev/urandom; } >"$WORK/key")
    expect_status 69 new secret --set Storage.Encrypt=luks2 --set Storage.Key="file:$WORK/key"
    expect_sentence "$ERR" "vectl: The image of VE secret can't be opened: this host's kernel has no dm-crypt, or keeps it from us; *"
    [ ! -e /etc/ve/secret.ve ] && [ -z "$(find $PRIVATE -maxdepth 1 -name '*secret*')" ] || fail "something is left of it"
    [ -z "$(losetup --list --noheadings | grep secret)" ] || fail "its loop device is left"
    mv /usr/libexec/veneer/ve-crypt "$WORK/ve-crypt"
    expect_status 69 new secret --set Storage.Encrypt=luks2 --set Storage.Key="file:$WORK/key"
    mv "$WORK/ve-crypt" /usr/libexec/veneer/ve-crypt
    expect_sentence "$ERR" "vectl: The image of VE secret can't be encrypted or opened: Veneer was built without libcryptsetup; *"
}
check "a host that can't encrypt: refused" no_encryption

gone() {
    vectl destroy img
    [ ! -e $PRIVATE/img ] || fail "it is still there"
}
check "destroy removes it" gone

remove_template filler

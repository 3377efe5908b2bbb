# SPDX-License-Identifier: LGPL-2.1-or-later
# A machine of its own, in an emulator: Debian's own kernel with all cgroup v2 controllers, and a
# true boot.

# The hosts that are booted so. By default the one with the oldest kernel that is supported: emulation
# takes its time.
MACHINES=${VENEER_MACHINES:-host-252}

set_up_machine() {
    local name
    need_machine_packages
    for name in $MACHINES; do
        need_root "$name" || return 1
        step "making the image of a machine ($name)" make_image "$ROOT" "$RUN/$name.image" || return 1
    done
}

# Makes a filesystem image of ROOT with the build, the tests and the VEs to start at boot; its
# kernel and initrd are put beside it.
make_image() {
    local root=$1 image=$2 dir=$2.root
    mkdir "$dir"
    (
        set -o pipefail
        tar -C "$root" --xattrs --one-file-system -c . |
            tar -C "$dir" --xattrs --xattrs-include='*' --numeric-owner -x
    ) || return 1
    finish_host_root "$dir" || return 1
    bash "$SOURCE/test/machine/prepare" "$dir" || return 1
    cp "$dir"/boot/vmlinuz-* "$image.kernel"
    cp "$dir"/boot/initrd.img-* "$image.initrd"
    mke2fs -q -t ext4 -O ^quota -d "$dir" "$image" 4G || return 1
    # Debian's initrd could not mount a root with quotas.
    mke2fs -q -t ext4 -O quota,project "$image.quota" 256M || return 1
    truncate -s 256M "$image.disk" || return 1
    rm -rf --one-file-system "$dir"
}

# Boots each machine and prints what its tests say on its second serial line.
run_machine() {
    local name status=0
    for name in $MACHINES; do
        boot_machine "$RUN/$name.image" "machine-${name#host-}" "$1" || status=$?
        rm -f "$RUN/$name.image"*
    done
    return $status
}

# Two network devices, for tests to give away, are on a cable with each other and nothing else.
# Without no_timer_check, some boots end in "IO-APIC + timer doesn't work" where the machine beneath has
# more to do. Without cx16 no boot fails; with it, emulation makes some kernels panic early. Hardware acceleration
# is not looked for: a machine that is virtual itself may offer it and then not come up with it.
boot_machine() (
    set -o pipefail
    local image=$1 name=$2 only=$3 console=${LOG%.log}-$2.console done=''
    # The containers beside it wait for one short process after the other; it can do with the rest.
    nice -n 10 timeout --kill-after=10 2400 qemu-system-x86_64 -accel tcg,thread=multi \
        -cpu max,cx16=off -smp 2 -m 2048 -no-reboot -nodefaults -display none \
        -drive "file=$image,format=raw,if=virtio,cache=unsafe" \
        -drive "file=$image.quota,format=raw,if=virtio,cache=unsafe" \
        -drive "file=$image.disk,format=raw,if=virtio,cache=unsafe" \
        -netdev hubport,id=one,hubid=0 -device virtio-net-pci,netdev=one,romfile= \
        -netdev hubport,id=other,hubid=0 -device virtio-net-pci,netdev=other,romfile= \
        -kernel "$image.kernel" -initrd "$image.initrd" \
        -append "root=/dev/vda rw console=ttyS0 panic=-1 no_timer_check systemd.show_status=0 veneer.suite=$name veneer.only=$only" \
        -serial "file:$console" -serial stdio 2>>"$LOG" </dev/null |
        sed -u 's/\r$//' |
        {
            while IFS= read -r line; do
                if [ "$line" = "tests ended" ]; then
                    done=yes
                else
                    printf '%s\n' "$line"
                fi
            done
            [ -n "$done" ]
        } || {
        tail -n 40 "$console" | sed 's/\r$//; s/^/    | /'
        echo "not ok $name/the machine: it did not come to the end of its tests"
    }
)

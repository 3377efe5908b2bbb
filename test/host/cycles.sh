# SPDX-License-Identifier: LGPL-2.1-or-later
# Two hundred starts and stops leak nothing: the check that every file ends with says so; this one
# also counts what is not listed there.
. "$(dirname "$(realpath "$0")")/lib.sh"

tiny_template tiny static-init

# What systemd and the kernel hold: descriptors, memory in use by slabs is not counted.
pid1_descriptors() {
    find /proc/1/fd -mindepth 1 | wc -l
}

counts() {
    echo "mounts $(wc -l </proc/1/mountinfo)"
    echo "cgroups $(find "$(cgroup_root)" -type d | wc -l)"
    echo "units $(systemctl list-units --all --plain --no-legend 've*' | wc -l)"
}

# Up when they say so: a stop that comes before would be lost on them. Five at a time: that they start and
# stop side by side is part of it.
UNITS="ve@cycle-1 ve@cycle-2 ve@cycle-3 ve@cycle-4 ve@cycle-5"
cycles() {
    local i
    for ((i = 1; i <= $1; i++)); do
        # shellcheck disable=SC2086 # a list
        systemctl start $UNITS || fail "start $i failed: $(systemctl show --property=Id,StatusText $UNITS | paste -sd' ')"
        # shellcheck disable=SC2086
        systemctl stop $UNITS || fail "stop $i failed"
    done
}

tiny_cycles() {
    local i
    for i in 1 2 3 4 5; do
        write_definition cycle-$i "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=tiny" \
            "Init=/sbin/init --ready" "NotifyReady=yes" "StopSignal=SIGTERM"
    done
    systemctl daemon-reload
    cycles 1
    # systemd forgets a stopped unit a moment later.
    wait_until 10 forgotten || fail "still loaded: $(systemctl list-units --all --plain --no-legend '*cycle*')"
    counts >"$WORK/counts"
    cycles 34
    wait_until 10 same_counts || fail "changed: $(diff "$WORK/counts" "$WORK/counts.now" | paste -sd' ')"
}
forgotten() {
    [ -z "$(systemctl list-units --all --plain --no-legend 've@cycle*' 've-cycle*')" ]
}
same_counts() {
    counts >"$WORK/counts.now"
    cmp -s "$WORK/counts" "$WORK/counts.now"
}
check "170 of a static init" tiny_cycles

descriptors() {
    local before
    before=$(pid1_descriptors)
    cycles 4
    # Some are for the moment only.
    wait_until 10 has_no_more "$before" ||
        fail "the host's systemd has $(pid1_descriptors) descriptors open, $before before"
}
has_no_more() {
    [ "$(pid1_descriptors)" -le $(($1 + 3)) ]
}
check "systemd's descriptors do not grow" descriptors

debian_cycles() {
    local i
    need_template 13
    define cycle "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=debian-13"
    for i in {1..10}; do
        systemctl start ve@cycle || fail "start $i failed: $(property cycle StatusText)"
        systemctl stop ve@cycle || fail "stop $i failed"
        expect "$(property cycle Result)" success "the result of stop $i"
    done
}
check "10 of a Debian 13" debian_cycles

remove cycle cycle-1 cycle-2 cycle-3 cycle-4 cycle-5
remove_template tiny

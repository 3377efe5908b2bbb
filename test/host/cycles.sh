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

tiny_cycles() {
    local i
    define cycle "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=tiny" "NotifyReady=no" "StopSignal=SIGTERM"
    systemctl start ve@cycle
    systemctl stop ve@cycle
    counts >"$WORK/counts"
    for i in {1..170}; do
        systemctl start ve@cycle || fail "start $i failed: $(property cycle StatusText)"
        systemctl stop ve@cycle || fail "stop $i failed"
    done
    wait_until 10 same_counts || fail "changed: $(diff "$WORK/counts" "$WORK/counts.now" | paste -sd' ')"
}
same_counts() {
    counts >"$WORK/counts.now"
    cmp -s "$WORK/counts" "$WORK/counts.now"
}
check "170 of a static init" tiny_cycles

descriptors() {
    local before after i
    before=$(pid1_descriptors)
    for i in {1..20}; do
        systemctl start ve@cycle
        systemctl stop ve@cycle
    done
    after=$(pid1_descriptors)
    [ "$after" -le $((before + 3)) ] || fail "the host's systemd has $after descriptors open, $before before"
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

remove cycle
remove_template tiny

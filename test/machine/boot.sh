# SPDX-License-Identifier: LGPL-2.1-or-later
# A true boot: ten VEs that are enabled came up by themselves (machine/definitions wrote them).
. "$(dirname "$(realpath "$0")")/../host/lib.sh"

NAMES="boot-0 boot-1 boot-2 boot-3 boot-4 boot-5 boot-6 boot-7 boot-8 boot-9"
# Those that are whole systems.
SYSTEMS="boot-0 boot-4 boot-8"

host_is_up() {
    expect "$(systemctl is-system-running)" running
    expect "$(stat -f -c %T /sys/fs/cgroup)" cgroup2fs
}
check "the machine is running, not degraded" host_is_up

came_up() {
    local name
    for name in $NAMES; do
        expect_state "$name" active 300
        expect "$(property "$name" NRestarts)" 0 "how often $name was restarted"
    done
    expect "$(vectl list -n -o name,state | grep -c ' running *$')" 10 "how many vectl list says are running"
}
check "ten VEs came up by themselves" came_up

are_running() {
    local name state
    for name in $SYSTEMS; do
        state=$(inside "$name" timeout 120 systemctl is-system-running --wait || true)
        [ "$state" = running ] || inside "$name" systemctl --failed --no-pager
        expect "$state" running "the state of $name"
    done
}
check "those with a systemd say that they are running, not degraded" are_running

in_order() {
    local i started
    for i in 0 1 2 3 4 5 6 7 8; do
        started=$(property boot-$i ExecMainStartTimestampMonotonic)
        [ "$started" -ge "$(property boot-$((i + 1)) ActiveEnterTimestampMonotonic)" ] ||
            fail "boot-$i started before boot-$((i + 1)) was up"
    done
}
check "in the order that After= asks for" in_order

# Numbers as machine/definitions chose them.
limits() {
    local i dir
    for i in 0 1 2 3 4 5 6 7 8 9; do
        dir="/sys/fs/cgroup/ve.slice/ve-boot\\x2d$i.slice"
        expect "$(cat "$dir/memory.max")" $(((256 + i) * 1024 * 1024)) "memory.max of boot-$i"
        expect "$(cat "$dir/pids.max")" $((200 + i)) "pids.max of boot-$i"
        expect "$(cat "$dir/cpu.max")" "$(((50 + i) * 1000)) 100000" "cpu.max of boot-$i"
    done
}
check "with MemoryMax=, TasksMax= and CPUQuota= in force" limits

no_process() {
    expect_no_veneer_process
    expect "$(cat /run/ve/running/boot-*/uid-base | tr -s '\n ' '\n' | sort -u | wc -l)" 10 "the number of uid bases"
}
check "with no process of Veneer, and a uid range each" no_process

cost() {
    local memory
    memory=$(cat "/sys/fs/cgroup/ve.slice/ve-boot\\x2d0.slice/memory.current")
    echo "a booted VE takes $((memory / 1024)) KiB"
    [ "$memory" -lt $((64 * 1024 * 1024)) ] || fail "a booted VE takes $((memory / 1024)) KiB"
}
check "a whole system takes less than 64 MiB" cost

stops() {
    local name
    systemctl stop ve.target
    for name in $NAMES; do
        # The target does not wait for them.
        expect_state "$name" inactive 120
        expect "$(property "$name" Result)" success "the result of $name"
    done
    wait_until 10 no_cgroups || fail "left: $(snapshot_cgroups | paste -sd' ')"
}
no_cgroups() {
    [ -z "$(snapshot_cgroups)" ]
}
check "all stop in order" stops

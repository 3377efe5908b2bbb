# SPDX-License-Identifier: LGPL-2.1-or-later
# Limits of [Slice] as read from cgroupfs, changed live, and controllers for the VE's own use. Needs a
# host with controllers on cgroup v2.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=limits

slice_file() {
    cat "$(cgroup_root)/ve.slice/ve-$VE.slice/$1"
}

in_force() {
    need_controllers memory pids cpu
    define $VE "[VE]" "Template=host" "[Slice]" "MemoryMax=300M" "MemorySwapMax=0" "TasksMax=123" "CPUQuota=150%" \
        "CPUWeight=50" "[Service]" "TimeoutStartSec=5min"
    start $VE
    expect "$(slice_file memory.max)" $((300 * 1024 * 1024)) memory.max
    expect "$(slice_file memory.swap.max)" 0 memory.swap.max
    expect "$(slice_file pids.max)" 123 pids.max
    # systemd's own default for services would be a second, hidden limit.
    expect "$(cat "$(cgroup_of $VE)/pids.max")" max "pids.max of the service"
    expect "$(slice_file cpu.max)" "150000 100000" cpu.max
    expect "$(slice_file cpu.weight)" 50 cpu.weight
}
check "what [Slice] says is in force" in_force

live() {
    need_controllers memory pids
    systemctl set-property --runtime ve-$VE.slice MemoryMax=200M TasksMax=99
    expect "$(slice_file memory.max)" $((200 * 1024 * 1024)) memory.max
    expect "$(slice_file pids.max)" 99 pids.max
    expect "$(vectl list -n -o name,tasks | tr -s ' ' | grep "^$VE ")" "$VE $(slice_file pids.current)"
}
check "and changes live" live

delegated() {
    local controller cgroup
    need_controllers memory pids cpu io
    cgroup=$(cgroup_of $VE)
    for controller in memory pids cpu io; do
        expect_match " $(cat "$cgroup/cgroup.controllers") " "* $controller *" "the VE's cgroup.controllers"
    done
    expect_match " $(cat "$cgroup/cgroup.subtree_control") " "* memory *pids *" "what the VE's systemd turned on"
    # Its systemd limits a service of its own with each.
    inside $VE systemd-run --unit=limited --property=MemoryMax=50M --property=TasksMax=9 --property=CPUQuota=20% \
        --property=IOWeight=50 sleep 1000
    expect "$(cat "$cgroup/system.slice/limited.service/memory.max")" $((50 * 1024 * 1024)) "memory.max inside"
    expect "$(cat "$cgroup/system.slice/limited.service/pids.max")" 9 "pids.max inside"
    expect "$(cat "$cgroup/system.slice/limited.service/cpu.max")" "20000 100000" "cpu.max inside"
    inside $VE systemctl stop limited
}
check "memory, pids, cpu and io are the VE's systemd's to use" delegated

not_its_own() {
    need_controllers memory
    # The cgroup that the VE was given is its root's, but not the limits on it.
    expect "$(stat -c %u "$(cgroup_of $VE)")" "$(cat /run/ve/running/$VE/uid-base)" "the owner of its cgroup"
    expect "$(stat -c %u "$(cgroup_of $VE)/memory.max")" 0 "the owner of its memory.max"
    cannot $VE "lift its own limit" sh -c 'echo max >/sys/fs/cgroup/memory.max'
    cannot $VE "lift its own limit" sh -c 'echo max >/sys/fs/cgroup/pids.max'
}
check "the VE cannot lift its own" not_its_own

too_many_by_exec() {
    need_controllers pids
    expect_status 2 vectl exec $VE -- sh -c 'i=0; while [ $i -lt 200 ]; do sleep 20 & i=$((i+1)); done'
    expect_match "$ERR" "*fork*"
    [ "$(slice_file pids.current)" -le 99 ] || fail "$(slice_file pids.current) processes"
}
check "what vectl exec starts is within them" too_many_by_exec

stops() {
    need_controllers pids
    systemctl stop ve@$VE
    wait_until 10 no_slice || fail "its slice is left"
}
no_slice() {
    [ ! -e "$(cgroup_root)/ve.slice/ve-$VE.slice" ]
}
check "and go with it" stops

# What an ephemeral VE writes lies in memory, which is the VE's and not the host's.
in_memory() {
    local before
    need_controllers memory
    define $VE "[VE]" "Template=host" "Ephemeral=yes"
    start $VE
    before=$(shared_memory)
    # As a process of the VE's: one of the test's own would count as the test's.
    vectl exec $VE -- sh -c 'head -c 64M /dev/zero >/var/big'
    [ $(($(shared_memory) - before)) -ge $((60 * 1024 * 1024)) ] || fail "$before bytes before, $(shared_memory) after 64 MiB"
}
shared_memory() {
    sed -n 's/^shmem //p' "$(cgroup_root)/ve.slice/ve-$VE.slice/memory.stat"
}
check "what an ephemeral VE writes counts as its memory" in_memory

remove $VE
rm -rf /run/systemd/system.control/ve-$VE.slice*
systemctl daemon-reload

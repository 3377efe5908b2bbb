# SPDX-License-Identifier: LGPL-2.1-or-later
# The host that tests run on is what they take it for.
. "$(dirname "$(realpath "$0")")/lib.sh"

unified() {
    expect "$(stat -f -c %T "$(cgroup_root)")" cgroup2fs "the filesystem at $(cgroup_root)"
}
check "cgroups are unified" unified

running() {
    local state
    state=$(systemctl is-system-running || true)
    [ "$state" = running ] || systemctl --failed --no-pager
    expect "$state" running
}
check "the system is running, not degraded" running

installed() {
    vectl --version
    test -x $LAUNCH
}
check "Veneer is installed" installed

# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian with sysvinit as PID 1.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=sysv

prepare() {
    need_template sysv
    define $VE "[VE]" "Template=debian-sysv" "NotifyReady=no" "StopSignal=SIGPWR" "[Service]" "TimeoutStopSec=60"
}

in_runlevel() {
    [ "$(inside $VE /sbin/runlevel 2>/dev/null)" = "$1" ]
}

starts() {
    prepare
    start $VE
    wait_until 60 in_runlevel "N 2" || {
        inside $VE /bin/ps -ef || true
        fail "it did not come to runlevel 2 but to \"$(inside $VE /sbin/runlevel || true)\""
    }
    expect "$(cat "/proc/$(leader $VE)/comm")" init "the main process"
    expect_no_veneer_process
}
check "starts, up to its runlevel" starts

reboots() {
    local before
    before=$(leader $VE)
    inside $VE /sbin/reboot || true
    wait_until 60 has_new_leader $VE "$before" || fail "it did not come back"
    wait_until 60 in_runlevel "N 2" || fail "it did not come to runlevel 2"
}
check "reboots from inside" reboots

# sysvinit does on SIGPWR what its inittab says, which an administrator sets so.
stops() {
    inside $VE /bin/sh -c "sed -i 's|^pf::powerwait:.*|pf::powerwait:/sbin/shutdown -h -P now|' /etc/inittab && /sbin/telinit q"
    SINCE=$(now)
    systemctl stop ve@$VE
    expect "$(property $VE Result)" success
}
check "stops in order, within its timeout" stops

powers_off() {
    start $VE
    wait_until 60 in_runlevel "N 2" || fail "it did not come to runlevel 2"
    inside $VE /sbin/poweroff || true
    expect_state $VE inactive 60
    expect "$(property $VE Result)" success
}
check "powers off from inside" powers_off

remove $VE

# SPDX-License-Identifier: LGPL-2.1-or-later
# systemd-machined knows a VE where there is a machined, and none is missed where there isn't.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=mach

registered() {
    machinectl list --no-legend | grep -q "^$VE "
}

not_registered() {
    ! registered
}

boots() {
    need_template 13
    systemctl start systemd-machined
    define $VE "[VE]" "Template=debian-13"
    start $VE
    inside $VE timeout 60 systemctl is-system-running --wait || true
}
check "a VE boots beside machined" boots

listed() {
    registered || fail "machinectl list does not have it: $(machinectl list --no-legend)"
    expect "$(machinectl show --value --property=Leader $VE)" "$(leader $VE)" "its leader"
    expect "$(machinectl show --value --property=Unit $VE)" ve@$VE.service "its unit"
    expect "$(machinectl show --value --property=Class $VE)" container "its class"
}
check "machinectl list has it, with the unit that is its own" listed

status() {
    local output
    output=$(machinectl status --no-pager $VE)
    expect_match "$output" "*Unit: ve@$VE.service*" "machinectl status"
}
check "machinectl status shows it" status

shell() {
    local output
    # A terminal is what it insists on.
    output=$(timeout 30 script -qec "machinectl shell -q $VE /bin/echo it-is-me" /dev/null </dev/null)
    expect_match "$output" "*it-is-me*" "the output of machinectl shell"
}
check "machinectl shell runs a program in it" shell

remote_systemctl() {
    expect "$(systemctl -M $VE is-system-running || true)" running
    expect_match "$(systemctl -M $VE show --value --property=Version)" "257*" "the version of its systemd"
}
check "systemctl -M talks to its systemd" remote_systemctl

remote_journal() {
    journalctl -M $VE --no-pager --quiet -n 200 | grep -q "Reached target" ||
        fail "journalctl -M does not show its log"
}
check "journalctl -M shows its journal" remote_journal

fast_restarts() {
    local i
    for i in 1 2 3 4 5 6 7 8; do
        systemctl restart ve@$VE
        registered || fail "it is not registered after restart $i"
        expect "$(machinectl show --value --property=Leader $VE)" "$(leader $VE)" "the leader after restart $i"
    done
    ! journalctl -q --no-pager -u ve@$VE --since=-3min | grep -i "already exists\|not registered" ||
        fail "a registration failed"
}
check "fast restarts are registered each time" fast_restarts

killed() {
    local before
    before=$(leader $VE)
    systemctl kill --signal=KILL ve@$VE
    expect_state $VE failed
    wait_until 10 not_registered || fail "a killed VE is still listed"
    reset $VE
    start $VE
    registered || fail "it is not registered after it was killed"
    expect "$(machinectl show --value --property=Leader $VE)" "$(leader $VE)"
}
check "a killed VE is forgotten, and registered when started again" killed

powers_off() {
    machinectl poweroff $VE
    expect_state $VE inactive 60
    expect "$(property $VE Result)" success
    wait_until 10 not_registered || fail "it is still listed"
}
check "machinectl poweroff stops it in order" powers_off

restarted_machined() {
    start $VE
    systemctl restart systemd-machined
    registered || fail "a restarted machined has forgotten it"
    systemctl stop ve@$VE
    wait_until 10 not_registered || fail "it is still listed"
}
check "machined may restart meanwhile" restarted_machined

absent() {
    local status=0
    systemctl mask --runtime systemd-machined dbus-org.freedesktop.machine1.service
    systemctl stop systemd-machined
    SINCE=$(now)
    systemctl start ve@$VE || status=$?
    systemctl unmask --runtime systemd-machined dbus-org.freedesktop.machine1.service
    expect $status 0 "the status of systemctl start"
    expect "$(inside $VE timeout 60 systemctl is-system-running --wait)" running
    systemctl stop ve@$VE
    expect "$(property $VE Result)" success
}
check "an absent machined is not missed" absent

remove $VE

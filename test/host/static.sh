# SPDX-License-Identifier: LGPL-2.1-or-later
# The smallest init there is: a static program as PID 1 (inits/static-init.c).
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=static
tiny_template $VE static-init

# setting INIT-ARGUMENTS [LINE…]
setting() {
    local arguments=$1
    shift
    define $VE "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=SIGTERM" \
        "Init=/sbin/init $arguments" "$@"
    SINCE=$(now)
}

starts() {
    setting ""
    start $VE
    expect_state $VE active
    expect_said $VE "static-init: up"
}
check "starts" starts

is_main_process() {
    local pid
    pid=$(leader $VE)
    expect "$(cat "/proc/$pid/comm")" init "the main process"
    expect "$(sed -n 's/^PPid:\t//p' "/proc/$pid/status")" 1 "its parent"
    expect "$(sed -n 's/^NSpid:\t//p' "/proc/$pid/status")" "$pid	1" "its pids"
    expect_no_veneer_process
}
check "its init is the main process, a child of the host's PID 1" is_main_process

no_descriptors() {
    local pid
    pid=$(leader $VE)
    SINCE=$(now)
    kill -HUP "$pid"
    expect_said $VE "static-init: listed"
    # stdin, stdout and stderr: nothing of the host's but its journal.
    said_all $VE | grep "static-init: fd" >"$WORK/fds"
    cat "$WORK/fds"
    ! grep -v -E "fd [012] is (/dev/null|socket:)" "$WORK/fds" || fail "it has other descriptors open"
}
check "its init has no descriptor but the standard three" no_descriptors

control_descriptors() {
    local pid
    "$INITS/static-init" >"$WORK/fds" 9</etc/passwd &
    pid=$!
    wait_until 20 grep -q "up" "$WORK/fds"
    kill -HUP $pid
    wait_until 20 grep -q "listed" "$WORK/fds"
    kill $pid
    grep -q "fd 9 is /etc/passwd" "$WORK/fds" || fail "it does not list a descriptor that is open"
}
check "control: a descriptor that is open would be found" control_descriptors

stops() {
    SINCE=$(now)
    systemctl stop ve@$VE
    expect_state $VE inactive
    expect "$(property $VE Result)" success
    expect_said $VE "static-init: stopping"
}
check "stops when asked" stops

each_stop_signal() {
    local signal
    for signal in SIGTERM SIGINT SIGPWR SIGRTMIN+3; do
        define $VE "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=$signal"
        start $VE
        SINCE=$(now)
        systemctl stop ve@$VE
        expect "$(property $VE Result)" success "the result with StopSignal=$signal"
        expect_said $VE "static-init: stopping"
    done
}
check "stops by the signal that StopSignal= names" each_stop_signal

reports_ready() {
    define $VE "[VE]" "Template=$VE" "NotifyReady=yes" "StopSignal=SIGTERM" "Init=/sbin/init --ready"
    start $VE
    expect_state $VE active 1
    systemctl stop ve@$VE
}
check "an init that sends READY=1 itself is waited for" reports_ready

guessed() {
    define $VE "[VE]" "Template=$VE" "StopSignal=SIGTERM"
    start $VE
    expect_state $VE active 1
    systemctl stop ve@$VE
}
check "whether it does is guessed where nothing is said" guessed

never_ready() {
    local status=0
    define $VE "[VE]" "Template=$VE" "NotifyReady=yes" "StopSignal=SIGTERM" "[Service]" "TimeoutStartSec=3"
    systemctl start ve@$VE || status=$?
    expect "$status" 1 "the status of systemctl start"
    expect "$(property $VE Result)" timeout
    reset $VE
}
check "one that should and does not is a start that timed out" never_ready

deaf() {
    local before=$SECONDS
    setting --deaf "[Service]" "TimeoutStopSec=2"
    start $VE
    systemctl stop ve@$VE || true
    [ $((SECONDS - before)) -lt 20 ] || fail "the stop took $((SECONDS - before)) s"
    expect "$(property $VE Result)" timeout
    expect "$(leader $VE)" 0 "the main pid"
    reset $VE
}
check "one that does not listen is killed after its time" deaf

exit_code() {
    setting --exit=7
    systemctl start ve@$VE || true
    expect_state $VE failed
    expect "$(property $VE ExecMainStatus)" 7
    reset $VE
}
check "its exit code is the unit's" exit_code

exit_zero() {
    setting --exit=0
    systemctl start ve@$VE || true
    expect_state $VE inactive
    expect "$(property $VE Result)" success
}
check "an exit with 0 is a poweroff" exit_zero

restarts_on_failure() {
    setting --exit=3 "[Service]" "Restart=on-failure" "RestartSec=100ms"
    systemctl start ve@$VE || true
    wait_until 20 restarted 3 || fail "restarted only $(property $VE NRestarts) times"
    systemctl stop ve@$VE
    reset $VE
}
restarted() {
    [ "$(property $VE NRestarts)" -ge "$1" ]
}
check "a crash restarts it as Restart= says" restarts_on_failure

crash_without_restart() {
    setting --abort
    systemctl start ve@$VE || true
    expect_state $VE failed
    expect_match "$(property $VE Result)" "@(signal|core-dump)"
    expect "$(property $VE NRestarts)" 0
    reset $VE
}
check "a crash without Restart= is a failed unit" crash_without_restart

reboots() {
    local before
    setting ""
    start $VE
    expect_said $VE "static-init: up"
    before=$(leader $VE)
    kill -USR1 "$before"
    wait_until 20 has_new_leader $VE "$before" || fail "it did not come back"
    expect_state $VE active
    expect "$(property $VE NRestarts)" 1
}
check "a reboot from inside starts it again" reboots

powers_off() {
    expect_state $VE active
    expect_said $VE "static-init: up"
    kill -USR2 "$(leader $VE)"
    expect_state $VE inactive
    expect "$(property $VE Result)" success
}
check "a poweroff from inside leaves it stopped, not failed" powers_off

remove $VE
remove_template $VE

# SPDX-License-Identifier: LGPL-2.1-or-later
# The suites of test/run.

# What the tests in a container host import.
HOST_ARCHIVES="ve-12 ve-13 ve-sysv"

# Suites on booted hosts wait more than they compute, so they run side by side: started here, and
# their results read one after the other.
STARTED=()
declare -A RUNNING LEADERS SUPERVISORS

# Sets a suite up in the main shell, so that what it starts is stopped at the end, and starts it.
start_suite() {
    printf '\n== setting up %s\n' "$1"
    set_up_suite "$1" || {
        suite_failed "$1" "could not be set up; see $LOG"
        return 0
    }
    (
        trap - EXIT
        set +e
        (
            set -e
            run_suite "$1"
        )
        echo $? >"$RUN/$1.status"
    ) >"$RUN/$1.results" 2>&1 &
    RUNNING[$1]=$!
    at_end "kill_tree $!"
    # Nobody is to be told when it is killed.
    disown $!
    STARTED+=("$1")
}

# Prints the results of a suite that was started until it has ended. Returns its status.
follow_suite() {
    tail -n +1 -s 0.2 -f --pid="${RUNNING[$1]}" "$RUN/$1.results"
    return "$(cat "$RUN/$1.status" 2>/dev/null || echo 1)"
}

set_up_suite() {
    case $1 in
    host-*)
        # shellcheck disable=SC2086 # a list
        need_archives $HOST_ARCHIVES || return 1
        need_root "$1" || return 1
        step "copying the host root" make_host_root "$ROOT" "$RUN/$1" || return 1
        printf '%s\n' "-- booting the host"
        if ! boot_container "$RUN/$1" "$1-$$" "$ARCHIVES"; then
            echo "   the host did not boot; its console said at last:"
            tail -n 30 "$RUN/$1.console" | sed 's/^/    | /'
            return 1
        fi
        LEADERS[$1]=$LEADER
        SUPERVISORS[$1]=$SUPERVISOR
        ;;
    machine) set_up_machine ;;
    esac
}

run_suite() {
    case $1 in
    lint) in_build_root bash /src/test/lint/run lint ;;
    unit) run_meson unit "$(meson_tests -v)" ;;
    golden) run_meson golden "$(meson_tests)" ;;
    host-*)
        LEADER=${LEADERS[$1]}
        service_in_container bash /opt/veneer-test/host/run "$1" "$ONLY"
        ;;
    machine) run_machine "$ONLY" ;;
    esac
}

tear_down_suite() {
    case $1 in
    host-*)
        stop_container "${SUPERVISORS[$1]}"
        cp "$RUN/$1.console" "${LOG%.log}-$1.console" 2>/dev/null || true
        rm -rf --one-file-system "${RUN:?}/$1"
        ;;
    esac
}

# Lists those of meson's tests that compare what the generator makes; with -v the others.
meson_tests() {
    in_build_root meson test -C /build/meson --list 2>>"$LOG" | sed 's|.* / ||' |
        grep "$@" -x -E 'golden.*|generator.*|should-fail' || true
}

# Runs meson's tests and reports each of their cases. Criterion speaks TAP when the environment says.
# Arguments: the suite; the tests, one a line. Timeouts are for what hangs, not for slow machines.
run_meson() {
    local suite=$1 tests=$2 status=0
    rm -f "$BUILD/meson/meson-logs/testlog.json"
    # shellcheck disable=SC2086 # a list
    in_build_root env CRITERION_OUTPUTS=tap:- meson test --no-rebuild -C /build/meson \
        --timeout-multiplier 10 --logbase testlog $tests >>"$LOG" 2>&1 || status=$?
    if [ ! -e "$BUILD/meson/meson-logs/testlog.json" ]; then
        tail -n 20 "$LOG" | sed 's/^/    | /'
        return 1
    fi
    in_build_root python3 /src/test/harness/meson-results.py \
        /build/meson/meson-logs/testlog.json "$suite"
    return $status
}

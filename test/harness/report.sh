# SPDX-License-Identifier: LGPL-2.1-or-later
# Results. A suite prints lines "ok NAME", "not ok NAME: REASON" and "skip NAME: REASON", which are
# counted here, and any other lines, which explain.

PASSED=0
FAILED=0
SKIPPED=0
FAILURES=()

# Runs a suite's command and counts its results. One that fails without having said which test did,
# or reports nothing at all, is itself a failure. Arguments: the suite's name; the command.
count_suite() {
    local suite=$1 line status='' before=$((PASSED + SKIPPED)) failed=$FAILED
    shift
    while IFS= read -r line; do
        case $line in
        "ok "*) PASSED=$((PASSED + 1)) ;;
        "not ok "*)
            FAILED=$((FAILED + 1))
            FAILURES+=("$line")
            ;;
        "skip "*) SKIPPED=$((SKIPPED + 1)) ;;
        "suite ended: "*)
            status=${line#suite ended: }
            continue
            ;;
        esac
        printf '%s\n' "$line"
    done < <(
        set +e
        (set -e; "$@")
        echo "suite ended: $?"
    )
    if [ $FAILED -eq "$failed" ]; then
        if [ "$status" != 0 ]; then
            suite_failed "$suite" "ended with status ${status:-unknown}; see $LOG"
        elif [ $((PASSED + SKIPPED)) -eq $before ]; then
            suite_failed "$suite" "reported no test"
        fi
    fi
}

suite_failed() {
    FAILED=$((FAILED + 1))
    FAILURES+=("not ok $1: $2")
    printf 'not ok %s: %s\n' "$1" "$2"
}

# Prints the failures again and the totals. Returns whether all is well.
report_totals() {
    if [ ${#FAILURES[@]} -gt 0 ]; then
        printf '\n%s\n' "Failed:"
        printf '  %s\n' "${FAILURES[@]#not ok }"
    fi
    printf '\n%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
    [ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by every test of a booted host.
#
#     check "what must hold" FUNCTION [ARGUMENT…]
#
# runs FUNCTION in a subshell with errexit, and reports one result. Inside, `fail REASON` and
# `skip REASON` end the check; so does any command that fails. What it prints is shown when it fails.

: "${SUITE:=host}" "${TEST:=$(basename "$0" .sh)}"
HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
ARCHIVES=$HERE/../archives
INITS=$HERE/../inits
LAUNCH=/usr/libexec/veneer/ve-launch
if [ -z "${WORK:-}" ]; then
    WORK=$(mktemp -d /tmp/veneer-test.XXXXXX)
    trap 'rm -rf "$WORK"' EXIT
    export WORK
fi
export LC_ALL=C.UTF-8 SYSTEMD_COLORS=0 SYSTEMD_PAGER='' SYSTEMD_URLIFY=0

# shellcheck source=test/host/snapshot.sh
. "$HERE/snapshot.sh"

# --- results

check() {
    local name=$1 status reason
    shift
    rm -f "$WORK/reason"
    (
        # The check's, not the file's, trap.
        trap - EXIT
        set -euo pipefail
        "$@"
    ) >"$WORK/output" 2>&1 </dev/null
    status=$?
    reason=$(cat "$WORK/reason" 2>/dev/null)
    case $status in
    0) printf 'ok %s/%s/%s\n' "$SUITE" "$TEST" "$name" ;;
    77) printf 'skip %s/%s/%s: %s\n' "$SUITE" "$TEST" "$name" "${reason:-no reason given}" ;;
    *)
        tail -n 60 "$WORK/output" | sed 's/^/    | /'
        not_ok "$name" "${reason:-$(grep -v '^ *$' "$WORK/output" | tail -n 1) (status $status)}"
        ;;
    esac
}

not_ok() {
    printf 'not ok %s/%s/%s: %s\n' "$SUITE" "$TEST" "$1" "$2"
}

fail() {
    echo "$*" | tr '\n' ' ' >"$WORK/reason"
    exit 1
}

skip() {
    echo "$*" >"$WORK/reason"
    exit 77
}

# --- assertions

# expect ACTUAL EXPECTED [WHAT]
expect() {
    [ "$1" = "$2" ] || fail "${3:-value} is \"$1\", not \"$2\""
}

# expect_match ACTUAL PATTERN [WHAT]: PATTERN as of the shell's case.
expect_match() {
    # shellcheck disable=SC2053
    [[ $1 == $2 ]] || fail "${3:-value} is \"$1\", which does not match \"$2\""
}

# expect_status STATUS COMMAND…: it must end with that status. Its output is in OUT and ERR.
expect_status() {
    local expected=$1 status=0
    shift
    "$@" >"$WORK/out" 2>"$WORK/err" || status=$?
    OUT=$(cat "$WORK/out")
    ERR=$(cat "$WORK/err")
    [ $status -eq "$expected" ] ||
        fail "\"$*\" ended with status $status, not $expected; it said: $ERR $OUT"
}

# expect_sentence TEXT PATTERN: an error message for people: one line, that matches.
expect_sentence() {
    [ "$(printf '%s\n' "$1" | wc -l)" -eq 1 ] || fail "more than one line: $1"
    expect_match "$1" "$2" "the message"
}

# wait_until SECONDS COMMAND…: until it succeeds; false when it never did.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    while ! "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.05
    done
}

# --- what a host has

need_controllers() {
    local controller available
    available=" $(cat "$(cgroup_root)/cgroup.controllers") "
    for controller in "$@"; do
        [[ $available == *" $controller "* ]] ||
            skip "no cgroup v2 controller \"$controller\" on this host"
    done
}

need_archive() {
    [ -e "$ARCHIVES/$1.tar.zst" ] || skip "no archive of $1 here"
}

systemd_version() {
    systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p'
}

# --- VEs

# Makes a definition: define NAME LINE…; reloads.
define() {
    local name=$1
    shift
    write_definition "$name" "$@"
    systemctl daemon-reload
}

write_definition() {
    local name=$1
    shift
    mkdir -p /etc/ve
    printf '%s\n' "$@" >"/etc/ve/$name.ve"
}

# Shows what a unit said, for a failed check's output.
explain() {
    systemctl status --no-pager --full --lines=0 "ve@$1.service" || true
    journalctl --quiet --no-pager --lines=15 --output=cat --unit="ve@$1.service" || true
}

# Waits, not for long, until it can be stopped, too: not every PID 1 ever does anything about signals.
start() {
    systemctl start "ve@$1.service" || {
        explain "$1"
        fail "ve@$1.service did not start"
    }
    wait_until 2 takes_signals "$1" || true
}

# The kernel drops a signal that a PID 1 neither blocks nor handles, as it does before its init gets to that. One that
# sleeps is past it: what it waits for by sigwait(3) does not count as blocked. What has ended takes none.
takes_signals() {
    local status
    status=$(cat "/proc/$(leader "$1")/status" 2>/dev/null) || return 0
    ! grep -q '^Name:.ve-launch' <<<"$status" && grep -q -E '^(Sig(Blk|Cgt):\s*0*[1-9a-f]|State:\s*S)' <<<"$status"
}

# Forgets that it failed, where systemd still remembers it.
reset() {
    systemctl reset-failed "ve@$1.service" 2>/dev/null || true
}

property() {
    systemctl show --value --property="$2" "ve@$1.service"
}

leader() {
    property "$1" MainPID
}

# Now, for `said`: to the microsecond, so that nothing older counts.
now() {
    date '+%F %T.%6N'
}

# What a VE's unit said since $SINCE.
said_all() {
    journalctl --quiet --no-pager --output=cat --unit="ve@$1.service" --since="${SINCE:--10min}"
}

said() {
    said_all "$1" | grep -q -e "$2"
}

# expect_said NAME PATTERN: since $SINCE, or within ten seconds.
expect_said() {
    wait_until 10 said "$1" "$2" || {
        explain "$1"
        fail "ve@$1.service did not say \"$2\""
    }
}

has_new_leader() {
    local pid
    pid=$(leader "$1")
    [ "$pid" != 0 ] && [ "$pid" != "$2" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != ve-launch ] &&
        state_is "$1" active
}

expect_no_veneer_process() {
    ! pgrep -l -x 've-launch|vectl|ve-generator' || fail "a process of Veneer runs"
}

state_is() {
    [ "$(property "$1" ActiveState)" = "$2" ]
}

# expect_state NAME STATE [SECONDS]
expect_state() {
    wait_until "${3:-30}" state_is "$1" "$2" || {
        explain "$1"
        fail "ve@$1.service is $(property "$1" ActiveState), not $2"
    }
}

# Runs a command in the VE by its leader's namespaces alone, without the code under test.
inside() {
    local pid
    pid=$(leader "$1")
    shift
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TERM=dumb \
        nsenter --target "$pid" --all -- "$@"
}

# cannot NAME WHAT COMMAND…: the command, run in the VE, must fail; that commands do run there is made
# sure of first.
cannot() {
    local name=$1 what=$2
    shift 2
    [ "$(leader "$name")" != 0 ] || fail "ve@$name.service does not run"
    inside "$name" /bin/sh -c : || fail "nothing can be run in $name"
    ! inside "$name" "$@" 2>/dev/null || fail "it can $what"
}

# The VE's cgroup, as a directory.
cgroup_of() {
    echo "$(cgroup_root)$(property "$1" ControlGroup)"
}

# Stops and removes the VEs named, and whatever was kept of them, without the code under test.
remove() {
    local name
    for name in "$@"; do
        systemctl stop "ve@$name.service" 2>/dev/null || true
        systemctl reset-failed "ve@$name.service" 2>/dev/null || true
        rm -rf "/etc/ve/$name.ve" "/etc/ve/$name.ve.d" "/var/lib/ve/private/$name" \
            "/etc/systemd/system/ve@$name.service.d" "/run/systemd/system/ve@$name.service.d"
    done
    systemctl daemon-reload
    return 0
}

# Whatever VEs a test file forgot or could not remove any more. Arguments: those to keep.
sweep() {
    local file name
    for file in /etc/ve/*.ve; do
        name=$(basename "$file" .ve)
        [ ! -e "$file" ] || [[ " $* " == *" $name "* ]] || remove "$name"
    done
}

# --- templates

# A container has no nodes of its own for loop devices.
make_loop_nodes() {
    local i
    [ ! -e /dev/loop-control ] || return 0
    mknod /dev/loop-control c 10 237
    for i in $(seq 0 31); do
        mknod "/dev/loop$i" b 7 "$i"
    done
}

# Makes a template from a directory with an init in it: tiny_template NAME PROGRAM [PATH]. Without
# the code under test.
tiny_template() {
    local name=$1 program=$2 path=${3:-/sbin/init} root=/var/lib/ve/templates/$1/root dir
    rm -rf "/var/lib/ve/templates/$name"
    for dir in etc proc sys dev run tmp var sbin bin usr root; do
        mkdir -p "$root/$dir"
    done
    install -D "$INITS/$program" "$root$path"
    echo "ID=$name" >"$root/etc/os-release"
}

remove_template() {
    local name
    for name in "$@"; do
        rm -rf "/var/lib/ve/templates/$name"
    done
}

# Imports an archive as the template NAME once; tests share it. The first failure is reported by
# whoever asks.
need_template() {
    need_archive "$1"
    [ ! -d "/var/lib/ve/templates/debian-$1/root" ] || return 0
    if command -v vectl >/dev/null; then
        vectl template import "debian-$1" "$ARCHIVES/$1.tar.zst"
    else
        mkdir -p "/var/lib/ve/templates/debian-$1/root"
        tar -C "/var/lib/ve/templates/debian-$1/root" -xf "$ARCHIVES/$1.tar.zst"
    fi
}

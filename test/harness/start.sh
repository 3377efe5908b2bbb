# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced first by test/run and test/try: who we are, where things are kept, what is said while
# things are set up, and what is cleaned up at the end.

# shellcheck disable=SC2034 # used by the files sourced after this one
SOURCE=$(realpath "${BASH_SOURCE[0]%/*}/../..")
CACHE=${VENEER_CACHE:-/var/cache/veneer-test}
PROGRAM=test/${0##*/}

die() {
    echo "$PROGRAM: $*" >&2
    exit 1
}

# Becomes root. Arguments: those of the program.
become_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    command -v sudo >/dev/null ||
        die "needs root to make root filesystems and boot containers, and there is no sudo: run it as root."
    echo "$PROGRAM: needs root to make root filesystems and boot containers: calling itself through sudo." >&2
    exec sudo --preserve-env=VENEER_CACHE,VENEER_MIRROR,VENEER_MAX_DAYS,http_proxy,https_proxy,TERM \
        -- "$0" "$@"
}

# Things to do when the program ends, however it ends; the newest first.
AT_END=()
at_end() {
    AT_END=("$*" "${AT_END[@]}")
}
run_at_end() {
    local todo
    set +e
    trap '' INT TERM HUP
    for todo in "${AT_END[@]}"; do
        eval "$todo"
    done
}

# Makes the cache, the log and a directory of this run; removes what killed runs left.
open_cache() {
    umask 022
    mkdir -p "$CACHE"/{roots,archives,build,run,log} 2>/dev/null ||
        die "cannot write to $CACHE; set VENEER_CACHE to a directory with some 5 GB free."
    case $(stat -f -c %T "$CACHE") in
    overlayfs | fuseblk | nfs | tmpfs | ramfs)
        die "$CACHE is on $(stat -f -c %T "$CACHE"), where private data of a VE cannot be kept;" \
            "set VENEER_CACHE to a directory on ext4, xfs or btrfs."
        ;;
    esac
    sweep_runs
    RUN=$CACHE/run/$$
    mkdir "$RUN"
    # The lock says that this run is alive: sweep_runs() of another takes away what has none.
    exec {RUN_LOCK}>"$RUN/lock"
    flock "$RUN_LOCK"
    trap run_at_end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    at_end 'rm -rf --one-file-system "$RUN"'
    LOG=$CACHE/log/$(date +%Y%m%d-%H%M%S)-$$.log
    : >"$LOG"
    find "$CACHE/log" -type f -mtime +14 -delete
}

sweep_runs() {
    local dir
    for dir in "$CACHE"/run/*; do
        [ -d "$dir" ] || continue
        if [ ! -e "$dir/lock" ] || flock --nonblock "$dir/lock" true; then
            rm -rf --one-file-system "$dir"
        fi
    done
}

# Runs a command of the set-up, quietly: what it prints goes to the log, whose end is shown when it
# fails. Arguments: what is being done, for people; the command.
step() {
    local what=$1 started=$SECONDS
    shift
    printf '%s\n' "-- $what"
    printf '\n=== %s: %s\n' "$what" "$*" >>"$LOG"
    if ! "$@" >>"$LOG" 2>&1 </dev/null; then
        printf '\n%s: failed: %s. The end of %s:\n' "$PROGRAM" "$what" "$LOG" >&2
        tail -n 60 "$LOG" | sed 's/^/    /' >&2
        return 1
    fi
    [ $((SECONDS - started)) -lt 10 ] || printf '%s\n' "   ($((SECONDS - started)) s)"
}

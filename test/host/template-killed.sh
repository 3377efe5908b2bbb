# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl template is killed at every call that changes something. What is there then is the old state
# or the new one: the next command works, and when the template is removed, nothing is left.
. "$(dirname "$(realpath "$0")")/lib.sh"

# Listed below, and there once a VE has been made.
mkdir -p /etc/ve

tiny_template source static-init
tar -C /var/lib/ve/templates/source/root -cf "$WORK/source.tar" .
remove_template source

# What of the trace changes something: "CALL NUMBER", the numbers as strace counts them, for the
# process that makes most of that call.
changing_calls() {
    awk '
        {
            call = $2
            sub(/\(.*/, "", call)
            n = ++count[$1, call]
            if (call ~ /^(mkdir|rename|unlink|link|symlink|fsync|fdatasync|syncfs|write|flock|sendmsg|sendto|connect|clone|fchmod|fchown|rmdir|ftruncate|utimensat|unshare|setns|mount)/ ||
                (call ~ /^openat/ && /O_CREAT|O_WRONLY|O_RDWR/))
                print call, n
        }' "$1" | sort -u
}

state() {
    find /etc/ve /var/lib/ve /etc/systemd/system -path '*/templates/host' -prune -o -path '*/templates/debian-*' -prune \
        -o ! -name '*.lock' -printf '%p %y\n' | LC_ALL=C sort
    find /run/ve -mindepth 1 ! -path '/run/ve/locks*' ! -name 'uid-ranges*' ! -name '*.lock' -printf '%p %y\n' 2>/dev/null || true
    snapshot_cgroups
    cat /proc/1/mountinfo
}

import() { vectl template import new "$WORK/source.tar"; }
remove_imported() { vectl template remove new; }

# kill_everywhere PREPARE COMMAND UNDO: the command is killed at each of its calls; then it is given
# again, and what it made undone; but for PREPARE's the command may find that it was done before.
kill_everywhere() {
    local prepare=$1 undo=$3 call number status n=0
    local -a command
    read -r -a command <<<"$2"
    command -v strace >/dev/null || skip "no strace here"
    $prepare
    strace -f -qq -o "$WORK/trace" "${command[@]}"
    $undo
    state >"$WORK/state"
    changing_calls "$WORK/trace" >"$WORK/calls"
    [ -s "$WORK/calls" ] || fail "nothing in the trace changes anything"
    while read -r call number; do
        n=$((n + 1))
        $prepare
        status=0
        strace -f -qq -o /dev/null -e "inject=$call:signal=KILL:when=$number" "${command[@]}" >"$WORK/said" 2>&1 || status=$?
        # The same command again: it does what it did not, or says that it was done.
        status=0
        "${command[@]}" >"$WORK/said" 2>&1 || status=$?
        case $status in
        0 | 3 | 4) ;;
        *) fail "after a kill at $call number $number: \"${command[*]}\" ended with status $status: $(cat "$WORK/said")" ;;
        esac
        $undo
        state | diff "$WORK/state" - || fail "after a kill at $call number $number: something is left"
    done <"$WORK/calls"
    echo "killed at $n calls"
    [ $n -ge 5 ] || fail "killed at only $n calls"
}

nothing() { :; }
check "import" kill_everywhere nothing "vectl template import new $WORK/source.tar" remove_imported
check "remove" kill_everywhere import "vectl template remove new" nothing

remove_template new

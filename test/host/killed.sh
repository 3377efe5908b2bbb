# SPDX-License-Identifier: LGPL-2.1-or-later
# ve-launch, or a process that it made, is killed at every step: at each single call of every system
# call that changes or hands over something. What remains is a failed unit that says why and nothing
# else, or, once the VE was handed over, a VE that runs.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=killed
CALLS="openat openat2 mkdir mkdirat renameat renameat2 flock write fsync fchown fchownat fchmod fchmodat
    symlinkat unlinkat open_tree mount_setattr move_mount mount umount2 fsopen fsconfig fsmount
    unshare setns clone clone3 pivot_root sethostname setfsuid setfsgid setresuid setgroups capset
    socket socketpair connect bind sendmsg sendto recvmsg pipe2 pidfd_open kill wait4 waitid chdir
    fchdir ioctl setsid close_range execve exit_group"

tiny_template $VE static-init
STRACE=/run/veneer-strace
mkdir -p $STRACE /etc/systemd/system/ve@$VE.service.d
# The launcher stays the main process: strace -D makes the tracer another.
cat >$STRACE/launch <<EOF
#!/bin/bash
exec strace -D -f -qq -o $STRACE/trace \$(cat $STRACE/options) $LAUNCH "\$@"
EOF
chmod +x $STRACE/launch
printf '[Service]\nExecStart=\nExecStart=%s %%i\nTimeoutStartSec=20s\n' $STRACE/launch \
    >/etc/systemd/system/ve@$VE.service.d/strace.conf
define $VE "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=SIGTERM"

can_trace() {
    command -v strace >/dev/null || skip "no strace here"
    : >$STRACE/options
    systemctl start ve@$VE
    systemctl stop ve@$VE
    rm -rf /var/lib/ve/private/$VE
    grep -q 'pivot_root(' $STRACE/trace || fail "the trace shows no start"
    # How often the one of its processes that calls it most often calls each.
    sed -n 's/^\([0-9]*\) *\([a-z0-9_]*\)(.*/\1 \2/p' $STRACE/trace | sort | uniq -c |
        awk '$1 > most[$3] { most[$3] = $1 } END { for (call in most) print call, most[call] }' >$STRACE/counts
    snapshot_mounts >"$WORK/mounts"
}
check "a start can be traced" can_trace

# Whatever happened, nothing is left but the private data, whole, and it can be started again.
nothing_left() {
    [ ! -e /run/ve/running/$VE ] && [ -z "$(snapshot_cgroups)" ] && [ -z "$(snapshot_processes)" ]
}

# kill_at CALL NUMBER
kill_at() {
    local where="at $1 number $2" status=0 shown
    echo "-e inject=$1:signal=KILL:when=$2" >$STRACE/options
    timeout 60 systemctl start ve@$VE >/dev/null 2>&1 || status=$?
    if [ $status -eq 0 ]; then
        # It was too late to matter, or it hit what had done its part.
        wait_until 20 runs_or_failed || fail "$where: the unit is active but runs nothing"
        systemctl stop ve@$VE || true
    else
        shown=$(systemctl show --property=ActiveState,Result,StatusText ve@$VE)
        expect_match "$shown" "*ActiveState=failed*" "$where: the state"
        # Killed itself, which systemd says; or it says what became of its child.
        expect_match "$shown" "@(*Result=signal*|*Result=exit-code*StatusText=?*|*StatusText=?*Result=exit-code*)" \
            "$where: what the unit says"
    fi
    wait_until 10 nothing_left ||
        fail "$where: left: $(snapshot_cgroups | paste -sd' ') $(snapshot_processes | paste -sd' ') $(ls -d /run/ve/running/$VE 2>/dev/null)"
    reset $VE
    rm -rf /var/lib/ve/private/$VE
}
runs_or_failed() {
    state_is $VE failed || [ "$(cat "/proc/$(leader $VE)/comm" 2>/dev/null)" = init ]
}

kill_each() {
    local call=$1 count=$2 i
    for ((i = 1; i <= count; i++)); do
        kill_at "$call" "$i"
    done
    snapshot_mounts | diff "$WORK/mounts" - || fail "the host's mounts changed"
}

for call in $CALLS; do
    count=$(sed -n "s/^$call //p" $STRACE/counts 2>/dev/null)
    [ -z "$count" ] || check "killed at each $call ($count)" kill_each "$call" "$count"
done

recovers() {
    : >$STRACE/options
    start $VE
    systemctl stop ve@$VE
    expect "$(property $VE Result)" success
    # What killed starts had made aside is gone with the next.
    expect "$(find /var/lib/ve/private -mindepth 1 -maxdepth 1 -printf '%f ')" "$VE " "what lies in /var/lib/ve/private"
}
check "and the next start succeeds, and cleans up" recovers

# A control: the tracer does kill, where it is told to.
fires() {
    local status=0
    strace -o /dev/null -e inject=mkdir:signal=KILL:when=1 mkdir "$WORK/not" || status=$?
    expect $status 137 "the status of a killed mkdir"
}
check "control: the injection kills" fires

remove $VE
remove_template $VE
rm -rf $STRACE

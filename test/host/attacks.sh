# SPDX-License-Identifier: LGPL-2.1-or-later
# What somebody hostile tries: who made a template, or is root in a VE. Where one could do harm to a
# host that is careless, a control shows that the attack works there.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=hostile
CANARY=/srv/veneer-canary

# A tree of the host that links point to, by every way out; its state is compared.
canary() {
    rm -rf $CANARY
    mkdir -p $CANARY/{proc,sys,dev,etc,run,sbin,usr}
    echo untouched >$CANARY/file
    canary_state >"$WORK/canary"
}
canary_state() {
    find $CANARY -printf '%P %y %m %U:%G %T@\n' | LC_ALL=C sort
    find $CANARY -type f -exec cat {} +
}
canary_untouched() {
    canary_state | diff "$WORK/canary" - || fail "the host's files were changed"
    ! grep -q " $CANARY" /proc/1/mountinfo || fail "something is mounted on the host"
}

# Starts the VE, whatever comes of it, and stops it.
try_start() {
    systemctl start ve@$VE || true
    wait_until 2 takes_signals $VE || true
    systemctl stop ve@$VE || true
    reset $VE
}

# linked DIRECTORY: the template's DIRECTORY is a link to the canary, absolute and relative.
linked() {
    local dir=$1 target
    for target in $CANARY/$dir ../../../../../../../../../../../..$CANARY/$dir /proc/1/root$CANARY/$dir; do
        tiny_template $VE static-init
        rm -rf "/var/lib/ve/templates/$VE/root/${dir:?}"
        ln -s "$target" "/var/lib/ve/templates/$VE/root/$dir"
        define $VE "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=SIGTERM" "[Service]" "TimeoutStartSec=20"
        try_start
        canary_untouched
        rm -rf /var/lib/ve/private/$VE
    done
}
canary
for dir in proc sys dev run etc usr; do
    check "a template whose /$dir is a link out" linked $dir
done

linked_by_ve() {
    local dir
    tiny_template $VE static-init
    define $VE "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=SIGTERM" "[Service]" "TimeoutStartSec=20"
    try_start
    # As root in the VE leaves them for the next start.
    for dir in proc sys dev run; do
        rm -rf /var/lib/ve/private/$VE/upper/$dir
        ln -s $CANARY/$dir /var/lib/ve/private/$VE/upper/$dir
    done
    try_start
    canary_untouched
    rm -rf /var/lib/ve/private/$VE
}
check "a VE that leaves such links for its next start" linked_by_ve

control_links() {
    # What a mount by path does with such a link.
    mkdir -p "$WORK/root"
    ln -s $CANARY/proc "$WORK/root/proc"
    mount -t tmpfs none "$WORK/root/proc"
    grep -q " $CANARY/proc " /proc/1/mountinfo || fail "the control did not follow the link"
    umount $CANARY/proc
}
check "control: a mount by path follows them" control_links
rm -rf $CANARY

# self_exe COMMAND…: runs it and compares the programs of ours before and after.
programs() {
    sha256sum $LAUNCH "$(command -v vectl)" /usr/lib/systemd/systemd /usr/bin/env /usr/bin/sleep
}

self_exe() {
    local i
    remove $VE
    programs >"$WORK/programs"
    tiny_template $VE overwriter /attack
    printf '#!/proc/self/exe\n' >/var/lib/ve/templates/$VE/root/sbin/init
    chmod 755 /var/lib/ve/templates/$VE/root/sbin/init
    define $VE "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=SIGTERM"
    for i in 1 2 3; do
        try_start
    done
    programs | diff "$WORK/programs" - || fail "a program of the host was changed"
}
check "an init that is #!/proc/self/exe" self_exe

# What enters is attacked by PID 1 of the VE; so is what is executed there of the host's own /usr.
enter_attacked() {
    local i
    programs >"$WORK/programs"
    remove $VE
    tiny_template $VE overwriter
    printf '#!/proc/self/exe\n' >/var/lib/ve/templates/$VE/root/bin/true
    chmod 755 /var/lib/ve/templates/$VE/root/bin/true
    define $VE "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=SIGKILL" "Init=/sbin/init 6"
    SINCE=$(now)
    start $VE
    for i in {1..12}; do
        vectl exec $VE -- /bin/true || true
    done
    wait_until 20 said $VE "overwriter: ended" || fail "the attacker did not end"
    remove $VE
    programs | diff "$WORK/programs" - || fail "a program of the host was changed"
}
check "a VE that writes to the executable of whoever enters it" enter_attacked

usr_attacked() {
    local i
    programs >"$WORK/programs"
    define $VE "[VE]" "Template=host"
    start $VE
    install "$INITS/overwriter" /var/lib/ve/private/$VE/upper/root/overwriter
    vectl exec $VE -- /root/overwriter 5 >"$WORK/said" &
    wait_until 10 grep -q "overwriter: up" "$WORK/said" || fail "the attacker did not start"
    for i in {1..5}; do
        vectl exec $VE -- env sleep 0.5 || true
    done
    wait
    grep -q "overwriter: ended" "$WORK/said" || fail "the attacker did not end"
    remove $VE
    programs | diff "$WORK/programs" - || fail "a program of the host was changed"
}
check "a VE that writes to the programs of the host's /usr while they run in it" usr_attacked

control_overwriter() {
    local pid
    # Without a user namespace of its own, the program is its to write once it has ended.
    install -D "$INITS/busybox" "$WORK/victim/busybox"
    "$WORK/victim/busybox" sleep 1 &
    pid=$!
    "$INITS/overwriter" 3 $pid >"$WORK/said"
    wait
    grep -q "wrote to" "$WORK/said" || fail "the attack does not work even there"
    ! cmp -s "$INITS/busybox" "$WORK/victim/busybox" || fail "the program was not changed"
}
check "control: on a host without user namespaces it could" control_overwriter

notifies() {
    local pid host_pid
    sleep 1000 &
    host_pid=$!
    remove $VE
    tiny_template $VE notifier
    define $VE "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=SIGKILL" \
        "Init=/sbin/init MAINPID=1 MAINPID=$host_pid MAINPID=99999999 'STATUS=\\\\nMAINPID=1' 'RELOADING=1\\\\nREADY=1' \
X_NONSENSE=1 BUSERROR=x EXTEND_TIMEOUT_USEC=18446744073709551615 WATCHDOG=trigger-not NOTIFYACCESS=all"
    SINCE=$(now)
    start $VE
    pid=$(leader $VE)
    expect_said $VE "notifier: sent"
    expect "$(leader $VE)" "$pid" "the main pid"
    expect "$(cat "/proc/$pid/comm")" init "the main process"
    expect "$(property $VE NFileDescriptorStore)" 0 "the descriptors that the host keeps for it"
    expect_match "$(systemctl is-system-running)" "@(running|degraded|starting)"
    systemctl stop ve@$VE || true
    kill -0 $host_pid || fail "a process of the host was killed with the VE"
    kill $host_pid
    reset $VE
}
check "a VE that tells the host's systemd lies" notifies

# A VE with tools in it.
toolbox() {
    remove $VE
    tiny_template $VE busybox
    printf '::respawn:/bin/sleep 1000000\n' >/var/lib/ve/templates/$VE/root/etc/inittab
    for applet in sh sleep mount mknod kill; do
        ln -s ../sbin/init /var/lib/ve/templates/$VE/root/bin/$applet
    done
    define $VE "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=SIGUSR2"
    start $VE
}

# A node may be made where the kernel lets it; to open it is what matters.
devices() {
    toolbox
    cannot $VE "open a disk of the host" /bin/sh -c '/bin/mknod /tmp/disk b 8 0 && : </tmp/disk'
    cannot $VE "open the host's memory" /bin/sh -c '/bin/mknod /tmp/mem c 1 1 && : </tmp/mem'
    cannot $VE "open the host's kernel log" /bin/sh -c '/bin/mknod /tmp/kmsg c 1 11 && : </tmp/kmsg'
}
check "device nodes of its own making" devices

cgroups() {
    # A v1 hierarchy that the host has may be mounted; what it would run on the host may not be set.
    cannot $VE "set a release_agent" /bin/sh -c '/bin/mount -t cgroup -o memory none /tmp && echo /x >/tmp/release_agent'
    # Its own tree, not the host's.
    expect "$(inside $VE /bin/sh -c 'while read -r line; do echo "$line"; done </proc/1/cgroup' | grep '^0:')" "0::/" \
        "the cgroup of its PID 1, inside"
    [ ! -e "/proc/$(leader $VE)/root/sys/fs/cgroup/ve.slice" ] || fail "it sees the host's cgroups"
}
check "cgroups: none but its own, and no release_agent" cgroups

kernel_knobs() {
    local file
    for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/drop_caches /proc/sysrq-trigger \
        /sys/kernel/uevent_helper /sys/power/state; do
        cannot $VE "write $file" /bin/sh -c ": >>$file"
    done
    # The control: what is its own, it can write.
    inside $VE /bin/sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' || fail "it cannot write a knob of its own"
}
check "knobs of the kernel" kernel_knobs

host_processes() {
    local pid
    pid=$(leader $VE)
    expect "$(inside $VE /bin/sh -c 'cd /proc && echo [0-9]*' | tr ' ' '\n' | sort -n | head -n 1)" 1 "the first process that it sees"
    sleep 1000 &
    cannot $VE "signal a process of the host" /bin/kill -0 $!
    kill $!
    systemctl stop ve@$VE
}
check "processes of the host" host_processes

# Opens inotify instances until the kernel refuses, says so, and keeps them. 294 is inotify_init1(2). A
# process may have fewer descriptors than a user instances, so each child opens what it can, until there
# is none left for their parent.
HOARD='$| = 1;
    for (1 .. 2000) {
        pipe(R, W);
        if (!fork) { 1 while syscall(294, 0) >= 0; close W; sleep 600 }
        close W;
        <R>;
        if (syscall(294, 0) < 0) { print "$_\n"; sleep 600 }
    }'
ONE='exit(syscall(294, 0) < 0)'
hoards() {
    [ "$(uname -m)" = x86_64 ] || skip "the system call's number is another one"
    define hoarder "[VE]" "Template=host"
    define neighbour "[VE]" "Template=host"
    start hoarder
    start neighbour
    # By its own systemd: nsenter stops with what it runs when the VE shuts down.
    inside hoarder sh -c 'cat >/run/hoard.pl' <<<"$HOARD"
    inside hoarder systemd-run --quiet --property=StandardOutput=file:/run/hoard perl /run/hoard.pl
    wait_until 30 inside hoarder test -s /run/hoard || fail "it did not come to the kernel's limit"
    # The control: there is nothing left for who shares the limit.
    ! inside hoarder perl -e "$ONE" || fail "the limit is none"
    perl -e "$ONE" || fail "the host's root has none left"
    inside neighbour perl -e "$ONE" || fail "another VE has none left"
    # Without any left, its own systemd takes minutes to shut down.
    inside hoarder pkill -KILL perl
    systemctl stop ve@hoarder ve@neighbour
}
check "a VE that uses up a per-user limit harms nobody else" hoards
remove hoarder neighbour

escapes() {
    local text
    tiny_template $VE static-init
    printf 'ID=x\nPRETTY_NAME="red \033[31m bell \007 csi \302\233 title \033]0;owned\007"\n' \
        >/var/lib/ve/templates/$VE/root/etc/os-release
    text=$(vectl template list; vectl template show $VE)
    ! grep -q -P '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' <<<"$text" || fail "control characters get through"
    printf '\033]0;owned\007\n' >/etc/ve/$VE.ve
    expect_status 78 vectl check $VE || expect_status 0 vectl check $VE
    ! grep -q -P '[\x00-\x08\x0b-\x1f\x7f]' <<<"$OUT$ERR" || fail "control characters get through"
}
check "control characters in os-release and in a definition" escapes

remove $VE
remove_template $VE

# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl exec and enter, in a VE without a D-Bus daemon or a login: busybox.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=vx-1
tiny_template vx busybox
ROOT=/var/lib/ve/templates/vx/root
install -D "$INITS/busybox" $ROOT/bin/busybox
for applet in sh cat ls sleep env tty stty ps readlink id pwd head seq kill true false wc grep mkdir chmod cp rm; do
    ln -s busybox $ROOT/bin/$applet
done
echo '::respawn:/bin/sleep 1000000' >$ROOT/etc/inittab
printf 'root:x:0:0:root:/root:/bin/sh\n' >$ROOT/etc/passwd
mkdir -p $ROOT/bin/a-directory
echo 'echo script $1' >$ROOT/bin/script
chmod +x $ROOT/bin/script
vectl create $VE --template=vx --set VE.NotifyReady=no --set VE.StopSignal=SIGUSR2 --set Service.TimeoutStopSec=20
start $VE

inside_exec() {
    vectl exec $VE -- "$@"
}

scopes() {
    systemctl list-units --all --plain --no-legend "ve-$VE-exec-*.scope" | cut -d' ' -f1
}

no_scopes() {
    [ -z "$(scopes)" ]
}

statuses() {
    expect_status 0 inside_exec true
    expect_status 1 inside_exec false
    expect_status 7 inside_exec sh -c 'exit 7'
    expect_status 143 inside_exec sh -c 'kill -TERM $$'
    expect_status 137 inside_exec sh -c 'kill -KILL $$'
    expect_status 127 inside_exec no-such
    expect_sentence "$ERR" "vectl: *no-such*VE $VE*"
    expect_status 126 inside_exec /etc/passwd
    expect_sentence "$ERR" "vectl: *Cannot run /etc/passwd in VE $VE: Permission denied*"
    expect_status 126 inside_exec /bin/a-directory
    expect_status 0 inside_exec script two
    expect "$OUT" "script two"
    expect_status 0 vectl exec $VE sh -c 'echo "$1"' -- --help
    expect "$OUT" "--help"
}
check "passes the exit status on" statuses

pipes() {
    head -c 3000000 /dev/urandom >"$WORK/data"
    inside_exec cat <"$WORK/data" >"$WORK/copy"
    cmp "$WORK/data" "$WORK/copy"
    inside_exec cat <"$WORK/data" | cmp - "$WORK/data"
    expect "$(inside_exec sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err "stderr"
    expect "$(inside_exec seq 1 100000 | head -n 1)" 1 "a pipe that ends early"
    expect "$(inside_exec cat </dev/null)" ""
}
check "passes stdin, stdout and stderr on" pipes

# The listing's own descriptor is the only one besides.
no_descriptors() {
    exec 7</etc/hostname 8>"$WORK/leak"
    expect "$(inside_exec sh -c 'ls /proc/self/fd' </dev/null | tr '\n' ' ')" "0 1 2 3 "
    ! inside_exec ls -l /proc/self/fd | grep -q -e leak -e hostname -e socket || fail "a descriptor got in"
}
check "lets no descriptor of the host in" no_descriptors

clean() {
    export VECTL_SECRET=1
    expect "$(inside_exec env | sed 's/=.*//' | LC_ALL=C sort | tr '\n' ' ')" "HOME LANG LOGNAME PATH SHELL USER container "
    expect "$(inside_exec env | grep container)" container=veneer
    expect "$(cd /tmp && inside_exec pwd)" / "the directory"
    expect "$(inside_exec id -u):$(inside_exec id -g)" 0:0 "the ids"
    expect "$(inside_exec grep '^Groups:' /proc/self/status | tr -d ' \t')" Groups: "the groups"
    expect "$(inside_exec grep CapBnd /proc/self/status)" "$(grep CapBnd "/proc/$(leader $VE)/status")" "the bounding set"
    expect "$(inside_exec grep CapEff /proc/self/status | cut -f 2)" "$(grep CapBnd "/proc/$(leader $VE)/status" | cut -f 2)" \
        "the capabilities"
    expect "$(inside_exec sh -c 'umask')" 0022 "the umask"
    expect "$(ulimit -S -n 77 && inside_exec cat /proc/self/limits | grep 'open files')" \
        "$(grep 'open files' "/proc/$(leader $VE)/limits")" "the limit of open files"
    expect "$(inside_exec grep -c '^Sig\(Blk\|Ign\):.0*$' /proc/self/status)" 2 "the signals neither blocked nor ignored"
}
check "starts with a clean environment, as the VE's root" clean

namespaces() {
    local name
    for name in cgroup ipc mnt net pid user uts; do
        expect "$(inside_exec readlink /proc/self/ns/$name)" "$(readlink "/proc/$(leader $VE)/ns/$name")" "the namespace $name"
    done
    expect "$(inside_exec sh -c 'readlink /proc/$PPID/exe || echo none')" none "its parent, as seen from inside"
}
check "runs in all namespaces of the VE" namespaces

# Begins a command in the background, as PID, and waits until it says "ready". SLOWLY: what runs vectl.
SLOWLY=()
begin() {
    # What the one before said must not be taken for this one's.
    rm -f "$WORK/said"
    "${SLOWLY[@]}" vectl exec $VE -- sh -c "$1" </dev/null >"$WORK/said" 2>&1 &
    PID=$!
    wait_until 20 grep -q ready "$WORK/said" || fail "it did not begin: $(cat "$WORK/said")"
}

in_scope() {
    local scope slice
    begin 'echo ready; exec sleep 1234'
    scope=$(scopes)
    [[ $scope =~ ^ve-$VE-exec-[0-9a-f]+\.scope$ ]] || fail "the scope is \"$scope\""
    slice=$(systemctl show --value --property=ControlGroup "$scope")
    expect_match "$slice" "/ve.slice/ve-vx\\\\x2d1.slice/$scope" "its cgroup"
    expect "$(wc -l <"$(cgroup_root)$slice/cgroup.procs")" 1 "the number of processes in it"
    expect "$(tr '\0' ' ' <"/proc/$(cat "$(cgroup_root)$slice/cgroup.procs")/cmdline")" "sleep 1234 " "the process in it"
    kill $PID
    wait $PID || expect $? 143 "the status"
    wait_until 10 no_scopes || fail "the scope stays: $(scopes)"
}
check "runs in a scope of its own in the VE's slice, alone" in_scope

signals() {
    local name
    for name in TERM HUP QUIT; do
        begin "trap 'exit 9' $name; echo ready; while :; do sleep 0.05; done"
        kill -$name $PID
        wait $PID || expect $? 9 "the status after SIG$name"
    done
    wait_until 10 no_scopes || fail "a scope stays"
}
check "hands signals on" signals

# The command runs, and may be known to, long before vectl gets to hear of it.
signals_early() {
    command -v strace >/dev/null || skip "no strace here"
    SLOWLY=(strace -D -qq -o /dev/null -e trace=close -e inject=close:delay_exit=200000)
    begin "trap 'exit 9' HUP; echo ready; while :; do sleep 0.05; done"
    kill -HUP $PID
    wait $PID || expect $? 9 "the status after SIGHUP"
    wait_until 10 no_scopes || fail "a scope stays"
}
check "hands on a signal that comes as soon as the command runs" signals_early

killed() {
    begin 'echo ready; exec sleep 1234'
    kill -KILL $PID
    wait $PID || true
    wait_until 10 no_scopes || fail "the command goes on when vectl was killed: $(scopes)"
    expect_no_veneer_process
}
check "ends with vectl" killed

left_behind() {
    expect_status 0 inside_exec sh -c 'sleep 4321 >/dev/null 2>&1 & echo started'
    expect "$OUT" started
    [ -n "$(scopes)" ] || fail "what was left in the background is gone"
    systemctl stop "$(scopes)"
    wait_until 10 no_scopes || fail "the scope stays"
}
check "what is left in the background stays, in the VE's slice" left_behind

stopped_meanwhile() {
    begin 'echo ready; exec sleep 1234'
    # Stopped itself, it must not keep the VE from stopping.
    kill -STOP $PID
    expect_status 0 timeout 15 vectl stop $VE
    kill -CONT $PID
    wait $PID || [ $? -gt 128 ] || fail "the status is not that of a killed command"
    no_scopes || fail "the scope stays: $(scopes)"
    expect_status 5 inside_exec true
    expect_sentence "$ERR" "vectl: VE $VE is not running: *vectl start $VE*"
    vectl start $VE
}
check "does not keep a VE from stopping" stopped_meanwhile

many() {
    local i pids=()
    for i in 1 2 3 4 5 6 7 8; do
        vectl exec $VE -- sh -c "exit $i" &
        pids+=($!)
    done
    for i in 1 2 3 4 5 6 7 8; do
        wait "${pids[i - 1]}" || expect $? "$i" "the status of the one that exits with $i"
    done
    wait_until 10 no_scopes || fail "a scope stays"
}
check "any number of them at once" many

# --- on a terminal

# Begins "$@" on a terminal of its own, with what it shows in $WORK/screen.
term_begin() {
    : >"$WORK/screen"
    mkfifo "$WORK/keys"
    # As a program that types and looks, but in two pieces.
    script --quiet --return --flush --command "stty rows 33 cols 101; $*" "$WORK/log" <"$WORK/keys" >"$WORK/screen" 2>&1 &
    TERM_PID=$!
    exec 9>"$WORK/keys"
    rm "$WORK/keys"
}

term_type() {
    printf '%b' "$1" >&9
}

term_expect() {
    wait_until 20 grep -q -e "$1" "$WORK/screen" || fail "no \"$1\" on the screen: $(cat -v "$WORK/screen")"
}

# The status of what ran there.
term_end() {
    local status=0
    wait $TERM_PID || status=$?
    exec 9>&-
    echo $status >"$WORK/status"
}

has_terminal() {
    term_begin vectl exec $VE -- sh -c "'tty; stty size; echo done; exit 5'"
    term_expect "done"
    term_end
    expect "$(cat "$WORK/status")" 5 "the status"
    grep -q '^/dev/pts/[0-9]' "$WORK/screen" || fail "no terminal of the VE: $(cat -v "$WORK/screen")"
    grep -q '^33 101' "$WORK/screen" || fail "not the size: $(cat -v "$WORK/screen")"
}
check "gives it a terminal of the VE's own, of the same size" has_terminal

interrupts() {
    term_begin vectl exec $VE -- sh -c "'echo ready; sleep 1234; echo not-here'"
    term_expect ready
    term_type '\003'
    term_end
    expect "$(cat "$WORK/status")" 130 "the status after Ctrl-C"
    wait_until 10 no_scopes || fail "a scope stays"
}
check "Ctrl-C reaches the command, not vectl" interrupts

enters() {
    term_begin "vectl enter $VE; echo status \$?; stty -a"
    term_type 'echo shell=$0 home=$HOME pwd=$PWD\n'
    term_expect 'shell=-sh home=/root pwd=/root'
    term_type 'exit 3\n'
    term_expect 'status 3'
    term_end
    grep -q ' icanon' "$WORK/screen" && grep -q ' echo ' "$WORK/screen" ||
        fail "the terminal is left raw: $(cat -v "$WORK/screen")"
}
check "enter opens a login shell, and leaves the terminal as it was" enters

hangs_up() {
    term_begin "vectl enter $VE; echo status \$?; stty -a"
    term_type 'echo rea""dy; sleep 1234\n'
    term_expect ready
    pkill -TERM -x vectl
    term_expect 'status 143'
    term_end
    grep -q ' icanon' "$WORK/screen" || fail "the terminal is left raw: $(cat -v "$WORK/screen")"
    wait_until 10 no_scopes || fail "the shell goes on: $(scopes)"
}
check "a vectl that is asked to end hangs up, and leaves the terminal as it was" hangs_up

no_host_terminal() {
    term_begin "echo x | vectl exec $VE -- sh -c 'cat; readlink /proc/self/fd/1; readlink /proc/self/fd/2; echo done'"
    term_expect "done"
    term_end
    ! grep -q 'pts' "$WORK/screen" || fail "it holds a terminal: $(cat -v "$WORK/screen")"
}
check "never holds a terminal of the host" no_host_terminal

no_devpts() {
    vectl exec $VE -- busybox umount /dev/pts || skip "busybox has no umount"
    term_begin "vectl exec $VE -- true; echo status \$?"
    term_expect 'status 1'
    term_end
    grep -q 'vectl: Cannot open a terminal in VE' "$WORK/screen" || fail "it says: $(cat -v "$WORK/screen")"
    expect_status 0 inside_exec true
    vectl restart $VE
}
check "says so when the VE has no devpts" no_devpts

# --- a VE that does what it can

# The joiner's memory and descriptors are the prize: root in the VE looks at whatever is named vectl, as
# fast as it can. What it finds of the host's is unmistakable: after exec, none of it is there.
cat >"$WORK/attack" <<'END'
echo ready
while :; do
    for p in /proc/[0-9]*; do
        read -r comm <$p/comm || continue
        [ "$comm" = vectl ] || continue
        echo seen
        grep -q HOST_SECRET $p/environ && echo "stole the environment"
        grep -q -e bin/vectl -e memfd:vectl $p/maps && echo "stole the memory's map"
        ls -l $p/fd | grep -q socket: && echo "stole a socket"
    done 2>/dev/null
done
END

attack() {
    vectl exec $VE -- sh -c 'cat >/attack' <"$WORK/attack"
    vectl exec $VE -- sh /attack </dev/null >"$WORK/attacked" 2>/dev/null &
    PID=$!
    wait_until 20 grep -q ready "$WORK/attacked" || fail "the attack did not begin"
}

# The same attack on a program of that name that does not defend itself.
control() {
    vectl exec $VE -- sh -c 'mkdir -p /usr/bin && cp /bin/busybox /usr/bin/vectl'
    attack
    vectl exec $VE -- sh -c 'HOST_SECRET=1 exec -a sleep /usr/bin/vectl 1234' </dev/null >/dev/null 2>&1 &
    CONTROL=$!
    wait_until 20 grep -q "stole the environment" "$WORK/attacked" || fail "it does not work: $(head -n 3 "$WORK/attacked")"
    grep -q "stole the memory" "$WORK/attacked" || fail "it does not see the memory"
    kill $PID $CONTROL
    wait $PID $CONTROL || true
    vectl exec $VE -- rm /usr/bin/vectl
}
check "the attack works on who does not defend himself" control

hostile() {
    local i
    export HOST_SECRET=1
    attack
    for i in $(seq 60); do
        vectl exec $VE -- true </dev/null
    done
    kill $PID
    wait $PID || true
    ! grep -q stole "$WORK/attacked" || fail "it $(grep -m 1 stole "$WORK/attacked")"
    grep -q seen "$WORK/attacked" || echo "it never saw vectl at work"
    wait_until 10 no_scopes || fail "a scope stays"
}
check "a hostile VE gets nothing from who joins it" hostile

# What runs as the joiner is no file of the host, and can't be written to.
sealed() {
    local pid
    begin 'echo ready; exec sleep 1234'
    for pid in $(pgrep -x vectl); do
        expect_match "$(readlink "/proc/$pid/exe")" "/memfd:vectl*" "what vectl runs from"
        ! (: >>"/proc/$pid/exe") 2>/dev/null || fail "even the host's root can write to it"
    done
    kill $PID
    wait $PID || true
}
check "joins from a sealed copy of vectl" sealed

own_binary() {
    local before
    before=$(sha256sum /usr/bin/vectl)
    vectl exec $VE -- sh -c 'echo "#!/proc/self/exe" >/self && chmod 755 /self'
    inside_exec /self </dev/null >/dev/null 2>&1 || true
    inside_exec sh -c 'for i in 1 2 3; do /self & echo x >/proc/$!/exe; done' </dev/null >/dev/null 2>&1 || true
    expect "$(sha256sum /usr/bin/vectl)" "$before" "the host's vectl"
    expect "$(stat -c %a:%U /usr/bin/vectl)" 755:root "its mode and owner"
}
check "a VE can't write to the host's vectl" own_binary

vectl destroy --force $VE
remove_template vx

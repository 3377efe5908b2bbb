# SPDX-License-Identifier: LGPL-2.1-or-later
# The command: what it makes, shows, runs and removes.
. "$(dirname "$(realpath "$0")")/lib.sh"

tiny_template tiny static-init
tiny_template bb busybox
for applet in sh reboot sleep cat id tty stty ls env true kill head; do
    ln -s ../sbin/init /var/lib/ve/templates/bb/root/bin/$applet
done
printf '::respawn:/bin/sleep 1000000\n' >/var/lib/ve/templates/bb/root/etc/inittab
printf 'root:x:0:0:root:/root:/bin/sh\n' >/var/lib/ve/templates/bb/root/etc/passwd

SET="--set VE.NotifyReady=no --set VE.StopSignal=SIGTERM"

reloads() {
    journalctl --quiet --no-pager --output=cat --since="$SINCE" _PID=1 | grep -c -E '^(Reloading\.\.\.$|Reloading requested)' || true
}

creates() {
    local name
    SINCE=$(now)
    # shellcheck disable=SC2086 # words
    vectl create one two three --template=tiny $SET --set Slice.TasksMax=77
    for name in one two three; do
        test -f /etc/ve/$name.ve
        grep -qx "Template=tiny" /etc/ve/$name.ve
        grep -qx "TasksMax=77" /etc/ve/$name.ve
        expect "$(systemctl show --value --property=TasksMax ve-$name.slice)" 77 "TasksMax of ve-$name.slice"
        expect "$(stat -c '%U %a' /etc/ve/$name.ve)" "root 644"
    done
    journalctl --sync
    expect "$(reloads)" 1 "the number of reloads"
}
check "create makes several, with settings, in one reload" creates

starts() {
    local pid
    vectl start one two three
    for name in one two three; do
        expect_state $name active 1
    done
    pid=$(leader one)
    expect_match "$(vectl status one)" "one running leader=$pid since=20??-??-??T??:??:??Z enabled=disabled result=success reload=no" \
        "what vectl status says"
    expect "$(vectl status one two three | wc -l)" 3 "the number of lines"
    expect_status 0 vectl start one
    expect "$(leader one)" "$pid" "the leader after another start"
}
check "start and status" starts

lists() {
    local base
    base=$(cat /run/ve/one/uid-base)
    expect "$(vectl list -n -o name,state,leader,template,uid-base | tr -s ' ' | grep '^one ')" \
        "one running $(leader one) tiny $base"
    expect "$(vectl list -n -o name | tr -d ' ' | paste -sd,)" one,three,two "the names in order"
    vectl list | head -n 1 | grep -q "^NAME *STATE *LEADER *TEMPLATE *UID-BASE *MEMORY *TASKS *SINCE" ||
        fail "the headings are: $(vectl list | head -n 1)"
    vectl list --json >"$WORK/json"
    ! command -v python3 >/dev/null || python3 -m json.tool "$WORK/json" >/dev/null || fail "that is no JSON"
    grep -q '"name": *"one"' "$WORK/json"
    grep -q "\"leader\": *$(leader one)" "$WORK/json"
    expect_status 2 vectl list -o nonsense
}
check "list, with columns, as JSON, without headings" lists

shows() {
    mkdir -p /etc/ve/one.ve.d
    printf '[Slice]\nTasksMax=78\n' >/etc/ve/one.ve.d/more.conf
    vectl show one >"$WORK/show"
    grep -q "^Template=tiny" "$WORK/show"
    grep -q "^TasksMax=78" "$WORK/show"
    grep -q "/etc/ve/one.ve.d/more.conf:2" "$WORK/show" || fail "it does not say where TasksMax= is from"
    rm -r /etc/ve/one.ve.d
}
check "show says what is in effect, and where it is from" shows

restarts_stops() {
    local before
    before=$(leader one)
    vectl restart one
    [ "$(leader one)" != "$before" ] || fail "the leader is the same"
    vectl stop one two three
    expect "$(vectl list -n -o name,state | tr -s ' ' | paste -sd,)" "one stopped,three stopped,two stopped"
    expect_status 0 vectl stop one
    expect_match "$(vectl status one)" "one stopped leader=- *"
}
check "restart and stop" restarts_stops

fast() {
    define deaf "[VE]" "Template=tiny" "NotifyReady=no" "Init=/sbin/init --deaf"
    vectl start deaf
    timeout 20 vectl stop --fast deaf || fail "status $?"
    expect_state deaf inactive 1
    vectl destroy deaf
}
check "stop --fast pulls the plug" fast

execs() {
    # shellcheck disable=SC2086
    vectl create shell --template=bb --set VE.NotifyReady=no --set VE.StopSignal=SIGUSR2 --start
    expect "$(vectl exec shell -- id -u)" 0
    expect_status 7 vectl exec shell -- sh -c 'exit 7'
    expect_status 127 vectl exec shell -- no-such-command
    expect_status 126 vectl exec shell -- /etc/passwd
    expect_status 143 vectl exec shell -- sh -c 'kill -TERM $$'
    expect_status 137 vectl exec shell sh -c 'kill -KILL $$'
    expect "$(printf 'one\ntwo\n' | vectl exec shell -- cat)" "$(printf 'one\ntwo')" "what went through a pipe"
    expect "$(vectl exec shell -- sh -c 'echo out; echo err >&2' 2>/dev/null)" out
    expect "$(vectl exec shell -- sh -c 'echo out; echo err >&2' 2>&1 >/dev/null)" err
    head -c 3000000 /dev/zero | vectl exec shell -- cat | cmp -n 3000000 - /dev/zero
}
check "exec: status, pipes, without D-Bus in the VE" execs

exec_confined() {
    local pid cgroup
    vectl exec shell -- sleep 1234.5 &
    wait_until 10 find_sleep || fail "the command does not run"
    pid=$(find_sleep)
    cgroup=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
    expect_match "$cgroup" "/ve.slice/ve-shell.slice/ve-shell-exec-*.scope*" "its cgroup"
    for ns in user pid mnt uts ipc net cgroup; do
        expect "$(readlink "/proc/$pid/ns/$ns")" "$(readlink "/proc/$(leader shell)/ns/$ns")" "its $ns namespace"
    done
    expect "$(grep '^Cap\(Bnd\|Prm\)' "/proc/$pid/status")" "$(grep '^Cap\(Bnd\|Prm\)' "/proc/$(leader shell)/status")" \
        "its capabilities"
    expect "$(readlink "/proc/$pid/root")" / "its root"
    expect "$(find "/proc/$pid/fd" -mindepth 1 ! -name '[012]' -printf '%f->%l ')" "" "its descriptors above 2"
    kill "$pid"
    wait
    ! find_sleep || fail "it still runs"
}
find_sleep() {
    pgrep -f '^sleep 1234\.5'
}
check "exec: in a scope of the VE's slice, in all its namespaces, with no descriptor of the host" exec_confined

exec_signals() {
    local status=0
    vectl exec shell -- sleep 1234.5 &
    wait_until 10 find_sleep >/dev/null || fail "the command does not run"
    kill -TERM $!
    wait $! || status=$?
    expect $status 143 "the status"
    wait_until 5 no_sleep || fail "the command still runs"
}
no_sleep() {
    ! find_sleep >/dev/null
}
check "exec: a signal is passed on" exec_signals

terminal() {
    local output
    output=$(script -qec "stty rows 33 cols 111; vectl exec shell -- sh -c 'tty; stty size'" /dev/null </dev/null | tr -d '\r')
    expect_match "$output" "*/dev/pts/[0-9]*" "the terminal"
    expect_match "$output" "*33 111*" "the size of the terminal"
    expect_status 5 script -qec "vectl exec shell -- sh -c 'exit 5'" /dev/null
}
check "exec: a terminal of the VE's own, with the size of ours" terminal

enters() {
    local output
    output=$(printf 'echo uid is $(id -u)\nexit 3\n' | script -qec "vectl enter shell" /dev/null | tr -d '\r') || true
    expect_match "$output" "*uid is 0*" "what the shell said"
    vectl stop shell
}
check "enter: a shell" enters

scopes_gone() {
    wait_until 5 no_scopes || fail "left: $(systemctl list-units --all --plain --no-legend 've-*-exec-*')"
}
no_scopes() {
    [ -z "$(systemctl list-units --all --plain --no-legend 've-*-exec-*')" ]
}
check "exec and enter leave no scope" scopes_gone

destroys() {
    vectl start one
    expect_status 5 vectl destroy one two
    expect_sentence "$ERR" "*one*"
    test -e /etc/ve/two.ve
    systemctl enable ve@one
    systemctl set-property ve-one.slice TasksMax=99
    mkdir -p /etc/ve/one.ve.d
    printf '[Slice]\nTasksMax=78\n' >/etc/ve/one.ve.d/more.conf
    SINCE=$(now)
    vectl destroy --force one two three
    journalctl --sync
    expect "$(reloads)" 1 "the number of reloads"
    expect "$(find /etc/ve /etc/systemd /var/lib/ve/private /run/ve -regextype egrep -regex '.*[/@-](one|two|three)([.].*)?' ! -path '*/locks/*')" "" \
        "what is left"
    expect_status 3 vectl status one
}
check "destroy refuses what runs; with --force nothing is left" destroys

templates() {
    mkdir -p "$WORK/dir"
    cp -a /var/lib/ve/templates/bb/root "$WORK/dir/root"
    for kind in gzip xz zstd; do
        tar -C "$WORK/dir/root" --$kind -cf "$WORK/root.tar" .
        vectl template import "t-$kind" "$WORK/root.tar"
    done
    vectl template import t-dir "$WORK/dir/root"
    tar -C "$WORK/dir/root" -cf "$WORK/root.tar" .
    vectl template import t-plain "$WORK/root.tar"
    for name in t-gzip t-xz t-zstd t-dir t-plain; do
        diff -r --no-dereference "$WORK/dir/root" "/var/lib/ve/templates/$name/root" || fail "$name is not what was imported"
        expect "$(vectl template list -n -o name | tr -d ' ' | grep -cx $name)" 1 "times that $name is listed"
        expect_match "$(vectl template show $name)" "*$name*"
    done
    expect_status 4 vectl template import t-dir "$WORK/dir/root"
    vectl create user --template=t-dir
    expect_status 5 vectl template remove t-dir
    expect_sentence "$ERR" "*user*"
    vectl destroy user
    vectl template remove t-dir
    for name in t-gzip t-xz t-zstd t-plain; do
        vectl template remove $name
    done
    [ ! -e /var/lib/ve/templates/t-dir ] || fail "it is still there"
}
check "template: import of all kinds, list, show, remove unless used" templates

help_everywhere() {
    local verb
    for verb in create destroy start stop restart status list show check exec enter template "template list" \
        "template show" "template import" "template remove" "template build-host"; do
        # shellcheck disable=SC2086 # words
        vectl $verb --help | grep -q "^Usage: vectl $verb" || fail "vectl $verb --help does not start with its usage"
    done
    bash -n "$(find /usr/share/bash-completion/completions -name vectl)"
}
check "every verb has --help, and completion is installed" help_everywhere

remove one two three deaf shell user
remove_template tiny bb

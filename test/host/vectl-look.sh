# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl status, list, top, show and check.
. "$(dirname "$(realpath "$0")")/lib.sh"

tiny_template vl static-init
vectl create vl-up vl-down --template=vl --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM --set Slice.TasksMax=100
start vl-up

status_line() {
    local line
    line=$(vectl status vl-up)
    [[ $line =~ ^vl-up\ running\ leader=([0-9]+)\ since=20[0-9-]{8}T[0-9:]{8}Z\ enabled=disabled\ result=success\ reload=no$ ]] ||
        fail "the line is: $line"
    expect "${BASH_REMATCH[1]}" "$(leader vl-up)" "the leader"
    expect_match "$(vectl status vl-down)" "vl-down stopped leader=- since=* enabled=disabled result=success reload=no"
    expect "$(vectl status vl-up vl-down | wc -l)" 2 "the number of lines"
    expect_status 3 vectl status vl-down vl-none vl-up
    expect "$(wc -l <<<"$OUT")" 2 "the number of lines for those that there are"
    systemctl enable --quiet ve@vl-down
    expect_match "$(vectl status vl-down)" "* enabled=enabled *"
    systemctl disable --quiet ve@vl-down
}
check "status prints one line for each" status_line

frozen() {
    systemctl freeze ve@vl-up
    expect_match "$(vectl status vl-up)" "vl-up frozen *"
    systemctl thaw ve@vl-up
    expect_match "$(vectl status vl-up)" "vl-up running *"
}
check "status knows a frozen VE" frozen

# due WHAT FILE LINE…: a new file makes a reload due, and removing it undoes that.
due() {
    local what=$1 file=$2
    shift 2
    expect_match "$(vectl status vl-up 2>&1)" "*reload=no" "without $what"
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$@" >"$file"
    expect_status 0 vectl status vl-up
    expect_match "$OUT" "*reload=due" "with $what"
    expect_sentence "$ERR" "vectl: *vl-up*daemon-reload*"
    rm "$file"
    rmdir --ignore-fail-on-non-empty "$(dirname "$file")"
    expect_match "$(vectl status vl-up 2>&1)" "*reload=no" "without $what"
}

reload_is_due() {
    due "a drop-in" /etc/ve/vl-up.ve.d/50-x.conf "[Slice]" "CPUWeight=7"
    due "a host-wide default" /etc/ve/ve.d/50-x.conf "[Slice]" "CPUWeight=7"
    due "a drop-in of the run-time" /run/ve/definitions/vl-up.ve.d/50-x.conf "[Slice]" "CPUWeight=7"
    rmdir /run/ve/definitions
}
check "status says that a reload is due, whichever file changed" reload_is_due

lists() {
    local line
    line=$(vectl list -n -o name,state,leader,template,uid-base,tasks,enabled,result,reload | grep '^vl-up ')
    read -r -a words <<<"$line"
    expect "${#words[@]}" 9 "the number of words in: $line"
    expect "${words[*]:0:5}" "vl-up running $(leader vl-up) vl $(cat /run/ve/running/vl-up/uid-base)"
    expect "${words[*]:6}" "disabled success no"
    expect_match "$(vectl list | head -n 1)" "NAME *STATE *LEADER *TEMPLATE *UID-BASE *MEMORY *TASKS *SINCE*" "the headings"
    read -r -a words <<<"$(vectl list -n | grep '^vl-down ')"
    expect "${words[*]:0:7}" "vl-down stopped - vl - - -"
    expect_status 2 vectl list -o name,no-such
    expect_sentence "$ERR" "vectl: *no-such*uid-base*"
    expect_status 2 vectl list vl-up
}
check "list shows what is asked for" lists

json() {
    local text
    text=$(vectl list --json)
    grep -q '"name": "vl-up"' <<<"$text"
    grep -q "\"leader\": $(leader vl-up)," <<<"$text"
    grep -q "\"uid-base\": $(cat /run/ve/running/vl-up/uid-base)," <<<"$text"
    grep -A 2 '"name": "vl-down"' <<<"$text" | grep '"leader": null'
    vectl list --json -o name,reload | grep '"reload": *false'
}
check "list prints JSON" json

counts() {
    need_controllers memory pids
    expect "$(vectl list -n -o name,tasks | grep '^vl-up ')" "vl-up $(systemctl show --value -p TasksCurrent 've-vl\x2dup.slice')"
    [[ $(vectl list --json -o name,memory | grep -A1 vl-up) =~ \"memory\":\ [0-9]+ ]] || fail "no memory in JSON"
}
check "list counts memory and tasks" counts

used() {
    local before after private=/var/lib/ve/private/vl-down
    before=$(used_by vl-down)
    head -c 8M /dev/urandom >$private/upper/big
    sync -f $private/upper/big
    after=$(used_by vl-down)
    [ $((after - before)) -ge $((8 << 20)) ] || fail "$before bytes before, $after after 8 MiB"
    # Without the directory itself, which du counts, too.
    expect $((after / 1024)) $(($(du -s $private | sed 's/\t.*//') - $(stat -c %b $private) / 2)) "what it takes in KiB, against du"
    rm $private/upper/big
    expect "$(used_by vl-down)" "$before" "what it takes without the file"
}
used_by() {
    vectl list --json -o name,used | tr -d ' \n' | sed "s/.*\"name\":\"$1\",\"used\":\([0-9]*\).*/\1/"
}
check "list counts what a VE has on disk" used

tops() {
    expect_status 0 vectl top
    expect_match "$(head -n 1 <<<"$OUT")" "NAME *CPU *MEMORY *TASKS *RX/S *TX/S *RX *TX" "the headings"
    read -r -a words <<<"$(grep '^vl-up ' <<<"$OUT")"
    expect "${#words[@]}" 8 "the number of words in: ${words[*]}"
    [[ ${words[1]} =~ ^[0-9]+\.[0-9]%$ ]] || fail "cpu is ${words[1]}"
    ! grep vl-down <<<"$OUT" || fail "it shows one that is down"
    expect_status 0 vectl top -n --delay=0.2 -c 3 -s name --output=name,cpu vl-up vl-up
    expect "$(grep -c '^vl-up  *[0-9.]*%$' <<<"$OUT")" 3 "the number of looks in: $OUT"
    expect "$(wc -l <<<"$OUT")" 3 "the number of lines in: $OUT"
}
check "top shows what running VEs use" tops

top_json() {
    local text
    text=$(vectl top --json -c 2 -d 0.2 vl-up)
    expect "$(grep -c '^{' <<<"$text")" 2 "the number of documents in: $text"
    expect "$(grep -c '"ves":' <<<"$text")" 2 "the number of arrays in: $text"
    expect "$(grep -c '"name": *"vl-up"' <<<"$text")" 2 "the number of rows in: $text"
    expect "$(grep -c '"cpu": *[0-9][0-9]*\.[0-9],\?$' <<<"$text")" 2 "the number of percentages in: $text"
    # It has no network of its own.
    expect "$(grep -c '"rx/s": *null,\?$' <<<"$text")" 2 "the number of nulls in: $text"
    ! grep '%' <<<"$text"
}
check "top prints JSON" top_json

top_measures() {
    local scope=vl-burner.scope tenths
    systemd-run --quiet --scope --unit=$scope --slice='ve-vl\x2dup.slice' sh -c 'while :; do :; done' &
    wait_until 10 systemctl --quiet is-active $scope
    tenths=$(vectl top --json -d 1 -o cpu vl-up | sed -n 's/.*"cpu": *\([0-9]*\)\.\([0-9]\).*/\1\2/p')
    systemctl kill --signal=SIGKILL $scope
    wait
    # Other tests may keep the processors busy at the same time.
    [ "$tenths" -gt 50 ] && [ "$tenths" -lt 1500 ] || fail "it used $tenths tenths of a percent"
}
check "top measures what processors do for a VE" top_measures

top_traffic() {
    local rate
    vectl create vl-net --template=vl --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM --address=192.0.2.77 --start
    # Nobody needs to take it.
    while sleep 0.01; do head -c 1000 /dev/zero >/dev/udp/192.0.2.77/9; done 2>/dev/null &
    rate=$(vectl top --json -d 1 -o rx/s vl-net | sed -n 's/.*"rx.s": *\([0-9]*\).*/\1/p')
    kill $!
    vectl destroy --force vl-net
    [ "$rate" -gt 1000 ] && [ "$rate" -lt 1000000 ] || fail "it received $rate bytes a second"
}
check "top measures what a VE receives" top_traffic

top_refuses() {
    expect_status 2 vectl top -o name,no-such
    expect_sentence "$ERR" "vectl: *no-such*rx/s*"
    expect_status 2 vectl top --sort=no-such
    expect_sentence "$ERR" "vectl: *no-such*rx/s*"
    for delay in 0 0.05 86401 -1 1e1 inf 1s . ''; do
        expect_status 2 vectl top --delay="$delay"
        expect_sentence "$ERR" "vectl: \"$delay\" is no delay*"
    done
    for count in 0 -1 1.5 x; do
        expect_status 2 vectl top --count=$count
        expect_sentence "$ERR" "vectl: \"$count\" is no number of looks*"
    done
    expect_status 5 vectl top vl-up vl-down
    expect_sentence "$ERR" "vectl: *vl-down is not running*"
    expect_status 3 vectl top vl-none
    expect_sentence "$ERR" "vectl: There is no VE vl-none."
    expect_status 2 vectl top Vl_
    expect_sentence "$ERR" "vectl: *Vl_*"
    expect "$OUT" "" "what it prints"
}
check "top says what it can't show" top_refuses

# on_terminal KEYS COMMAND…: runs it on a terminal of 12 rows and 40 columns, types KEYS after a look,
# and keeps what the terminal got in $WORK/screen.
on_terminal() {
    local keys=$1
    shift
    rm -f "$WORK/keys"
    mkfifo "$WORK/keys"
    : >"$WORK/screen"
    TERM=xterm script --quiet --return --flush --command "stty rows 12 cols 40; trap : INT; $*" "$WORK/log" \
        <"$WORK/keys" >>"$WORK/screen" 2>&1 &
    exec 9>"$WORK/keys"
    wait_until 20 grep -q 'vl-up' "$WORK/screen" || fail "nothing is shown: $(cat -v "$WORK/screen")"
    printf '%b' "$keys" >&9
}

# What it was like when the terminal was given back.
off_terminal() {
    wait $! || true
    exec 9>&-
    grep -q 'status 0' "$WORK/screen" || fail "it did not end well: $(cat -v "$WORK/screen")"
    grep -q '^isig icanon iexten echo ' "$WORK/screen" ||
        fail "the terminal is not as it was: $(cat -v "$WORK/screen")"
}

top_screen() {
    local end
    for end in q '\003' '\032'; do
        on_terminal "$end" "vectl top; echo status \$?; stty -a"
        # No shell with jobs is there that could continue it: Ctrl-Z is nothing.
        [ "$end" != '\032' ] || printf q >&9
        off_terminal
        grep -q "^$(printf '\033')\[H" "$WORK/screen" || fail "it does not begin at the top"
        ! grep -q 'vl-up.\{40\}' "$WORK/screen" || fail "a row is too wide: $(cat -v "$WORK/screen")"
    done
    on_terminal '' "vectl top -d 0.1 -o name,cpu; echo status \$?; stty -a"
    wait_until 20 grep -q 'vl-up.*%' "$WORK/screen" || fail "it is not painted anew: $(cat -v "$WORK/screen")"
    pkill -TERM -f '^vectl top -d 0.1'
    off_terminal
}
check "top fills a terminal until it is told to end, and leaves it as it was" top_screen

top_counts_on_terminal() {
    on_terminal '' "vectl top -c 2 -d 0.1 vl-up; echo status \$?; stty -a"
    off_terminal
    expect "$(grep -c 'vl-up ' "$WORK/screen")" 3 "the number of looks"
    # Without a screen to paint on: one table, nothing that moves a cursor.
    on_terminal '' "TERM=dumb vectl top -d 0.1; echo status \$?; stty -a"
    off_terminal
    ! grep -q "$(printf '\033')" "$WORK/screen" || fail "escape codes on a dumb terminal"
}
check "top ends by itself on a terminal" top_counts_on_terminal

top_pauses() {
    on_terminal '' bash --norc -m -c "'vectl top -d 0.1 -o name,cpu; stty -a; echo paused; fg >/dev/null; echo status \$?; stty -a'"
    wait_until 20 grep -q 'vl-up.*%' "$WORK/screen" || fail "it is not painted anew: $(cat -v "$WORK/screen")"
    printf '\032' >&9
    wait_until 20 grep -q paused "$WORK/screen" || fail "it does not stop: $(cat -v "$WORK/screen")"
    grep -q '^isig icanon iexten echo ' "$WORK/screen" || fail "the shell has no terminal as it was: $(cat -v "$WORK/screen")"
    : >"$WORK/screen"
    wait_until 20 grep -q 'vl-up.*%' "$WORK/screen" || fail "it does not go on: $(cat -v "$WORK/screen")"
    printf q >&9
    off_terminal
}
check "top can be stopped and continued" top_pauses

top_follows() {
    on_terminal '' "vectl top -d 0.1 -o name,cpu; echo status \$?; stty -a"
    systemctl stop ve@vl-up
    wait_until 20 grep -q 'No VE is running' "$WORK/screen" || fail "it is still shown: $(cat -v "$WORK/screen")"
    : >"$WORK/screen"
    systemctl start ve@vl-up
    wait_until 20 grep -q 'vl-up.*%' "$WORK/screen" || fail "it is not shown again: $(cat -v "$WORK/screen")"
    printf q >&9
    off_terminal
}
check "top sees VEs end and start" top_follows

anybody() {
    local run="setpriv --reuid=65534 --regid=65534 --clear-groups"
    $run vectl status vl-up >/dev/null
    $run vectl list -n -o name,leader | grep "^vl-up *$(leader vl-up)"
    $run vectl top -n -d 0.1 | grep "^vl-up "
    $run vectl show vl-up >/dev/null
    $run vectl check vl-up
    $run vectl template list >/dev/null
}
check "looking needs no root" anybody

undefined() {
    mv /etc/ve/vl-up.ve "$WORK/"
    expect_match "$(vectl list -n -o name,state)" "*vl-up *running*"
    expect_match "$(vectl status vl-up 2>/dev/null)" "vl-up running *reload=due"
    systemctl daemon-reload
    expect_match "$(vectl list -n -o name,state)" "*vl-up *running*"
    expect_status 0 vectl exec vl-up -- /sbin/init --exit=0
    mv "$WORK/vl-up.ve" /etc/ve/
    systemctl daemon-reload
}
check "a VE that runs without a definition is still seen" undefined

shows() {
    local text
    mkdir -p /etc/ve/vl-down.ve.d
    printf '[VE]\nHostname=other\n\n[Slice]\nCPUWeight=9\n' >/etc/ve/vl-down.ve.d/50-x.conf
    text=$(vectl show vl-down)
    grep -A 1 -xF '# /etc/ve/vl-down.ve.d/50-x.conf:2' <<<"$text" | grep -qx Hostname=other
    grep -A 1 -xF '# /etc/ve/vl-down.ve:3' <<<"$text" | grep -qx Template=vl
    grep -A 1 -xF '# /etc/ve/vl-down.ve.d/50-x.conf:5' <<<"$text" | grep -qx CPUWeight=9
    grep -A 1 -xF '# default' <<<"$text" | grep -qx Type=overlay
    rm -r /etc/ve/vl-down.ve.d
    expect_status 3 vectl show vl-none
    # What it prints is a definition again, with the same in it.
    vectl show vl-down >"$WORK/vl-again.ve"
    expect_status 0 vectl check "$WORK/vl-again.ve"
    expect "$OUT" "" "what check finds in it"
}
check "show names the file and line of each value" shows

checks() {
    expect_status 0 vectl check
    printf '[VE]\nTemplate=vl\n[Slic]\nCPUWeight=1\n' >"$WORK/warned.ve"
    expect_status 0 vectl check "$WORK/warned.ve"
    expect_match "$OUT" "$WORK/warned.ve:3: warning: *[[]Slice]*" "the warning"
    printf '[VE]\nTemplate=vl\nNotifyReady=maybe\n' >"$WORK/wrong.ve"
    expect_status 78 vectl check "$WORK/warned.ve" "$WORK/wrong.ve"
    grep -q "^$WORK/wrong.ve:3: error: .*NotifyReady" <<<"$OUT" || fail "it said: $OUT"
    expect_status 3 vectl check vl-none
    expect_status 3 vectl check "$WORK/none.ve"
    printf '\033]0;title\007' >>"$WORK/wrong.ve"
    vectl check "$WORK/wrong.ve" >"$WORK/text" 2>&1 || true
    ! grep -q $'\033' "$WORK/text" || fail "escape codes are printed"
}
check "check says what is wrong, with file and line" checks

no_output() {
    expect_status 1 sh -c 'vectl list >/dev/full'
    expect_sentence "$ERR" "vectl: *No space left*"
    expect_status 1 sh -c 'vectl top -d 0.1 -c 100 >/dev/full'
    expect_sentence "$ERR" "vectl: *No space left*"
}
check "output that can't be written is a failure" no_output

help() {
    local verb
    for verb in create destroy start stop restart status list top show check exec enter template; do
        expect_status 0 vectl $verb --help
        expect_match "$OUT" "Usage: vectl $verb *" "help of $verb"
        expect "$ERR" "" "stderr of help"
    done
    expect_status 0 vectl --help
    expect_match "$OUT" "Usage: vectl *create*"
    expect_status 2 vectl
    expect_status 0 setpriv --reuid=65534 --regid=65534 --clear-groups vectl create --help
}
check "each verb explains itself" help

completion() {
    [ -r /usr/share/bash-completion/completions/vectl ] || fail "it is not installed"
    expect "$(bash --norc -c '
        . /usr/share/bash-completion/completions/vectl
        ask() {
            COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
            _vectl 2>/dev/null
            echo "${COMPREPLY[*]}"
        }
        ask "vectl dest"
        ask "vectl start vl-"
        ask "vectl create x --template=v"
        ask "vectl list -o na"
        ask "vectl top --sort=cp"
        ask "vectl top -d 1 vl-u"
        ask "vectl exec vl-up ls -"')" "$(printf '%s\n' destroy "vl-down vl-up" vl name cpu vl-up "")" "what is completed"
}
check "bash completes verbs, VEs and templates" completion

vectl destroy --force vl-up vl-down
remove_template vl

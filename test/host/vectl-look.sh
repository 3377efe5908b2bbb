# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl status, list, show and check.
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

anybody() {
    local run="setpriv --reuid=65534 --regid=65534 --clear-groups"
    $run vectl status vl-up >/dev/null
    $run vectl list -n -o name,leader | grep "^vl-up *$(leader vl-up)"
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
}
check "output that can't be written is a failure" no_output

help() {
    local verb
    for verb in create destroy start stop restart status list show check exec enter template; do
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
        ask "vectl exec vl-up ls -"')" "$(printf '%s\n' destroy "vl-down vl-up" vl name "")" "what is completed"
}
check "bash completes verbs, VEs and templates" completion

vectl destroy --force vl-up vl-down
remove_template vl

# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl create, start, stop and destroy: what they make, refuse and leave.
. "$(dirname "$(realpath "$0")")/lib.sh"

# Listed below, and there once a VE has been made.
mkdir -p /etc/ve

tiny_template vc static-init
mkdir -p /etc/ve /var/lib/ve/private

# What creating and destroying may touch.
listing() {
    find /etc/ve /run/ve /var/lib/ve/private /etc/systemd/system /run/systemd/generator ! -name '*.lock' \
        -printf '%p %y %s\n' 2>/dev/null | LC_ALL=C sort
}

# How often systemd has loaded its units, as its log says.
reloads() {
    journalctl --quiet --output=cat _PID=1 --since="$SINCE" | grep -c '^Reloading\.\|^Reloading finished' || true
}

# refused STATUS PATTERN ARGUMENT…: one sentence, and nothing changed.
refused() {
    local status=$1 pattern=$2 before
    shift 2
    before=$(listing)
    expect_status "$status" vectl "$@"
    expect_sentence "$ERR" "vectl: $pattern"
    expect "$OUT" "" "what was printed"
    [ "$(listing)" = "$before" ] || fail "it changed: $(diff <(echo "$before") <(listing) | head -n 5 | paste -sd';')"
}

bad_input() {
    refused 2 "*missing*create --help*" create
    refused 2 "*needs a template*template list*" create vc-a
    refused 3 "*no template no-such*" create vc-a --template=no-such
    refused 2 "*../x*" create vc-a --template=../x
    refused 2 "*\"vc/a\" cannot be*" create vc/a --template=vc
    refused 2 "*cannot be*" create "$(printf 'a%.0s' {1..64})" --template=vc
    refused 2 "*cannot be*" create .. --template=vc
    refused 2 "*cannot be*" create vc-A --template=vc
    refused 2 "*cannot be*" create '' --template=vc
    refused 2 "*named twice*" create vc-a vc-a --template=vc
    refused 2 "*VE.Hostname=a b*" create vc-a --template=vc --set 'VE.Hostname=a b'
    refused 2 "*Hostname*" create vc-a --template=vc --set VE.Hostnam=a
    refused 2 "*SECTION.KEY=VALUE*" create vc-a --template=vc --set foo
    refused 2 "*ExecStart*" create vc-a --template=vc --set Service.ExecStart=/bin/sh
    refused 2 "*no option --tempate (did you mean --template?)*" create vc-a --tempate=vc
    refused 2 "*--template needs a value*" create vc-a --template
    refused 2 "*no verb \"crate\" (did you mean \"create\"?)*" crate vc-a
    refused 2 "*cannot be*" create vc-a vc_b --template=vc
    refused 3 "*no VE vc-a*" start vc-a
    refused 3 "*no VE vc-a*" stop vc-a
    refused 3 "*no VE vc-a*" destroy vc-a
    refused 3 "*no VE vc-a*" status vc-a
    refused 3 "*no VE vc-a*" exec vc-a true
}
check "bad input gets a sentence and changes nothing" bad_input

injected() {
    refused 2 "*" create vc-a --template=vc --set $'Unit.Description=a\n[Service]\nExecStart=/bin/sh'
    refused 2 "*" create vc-a --template=$'vc\n[Service]'
    refused 2 "*" create vc-a --template=vc --set $'Unit]\n[Service.User=x'
    ! grep -q $'\x1b' <<<"$(vectl create $'vc\x1b[31m' --template=vc 2>&1)" || fail "escape codes are printed"
}
check "nothing gets into a definition or a terminal through a value" injected

unprivileged() {
    local verb
    for verb in "create vc-a --template=vc" "destroy vc-a" "start vc-a" "stop vc-a" "restart vc-a" "exec vc-a true" \
        "enter vc-a" "template import a /etc" "template remove a" "template build-host"; do
        # shellcheck disable=SC2086 # words
        expect_status 77 setpriv --reuid=65534 --regid=65534 --clear-groups vectl $verb
        expect_sentence "$ERR" "vectl: *needs root*"
    done
}
check "who is not root is told so" unprivileged

creates() {
    SINCE=$(now)
    expect_status 0 vectl create vc-a vc-b vc-c --template=vc --set Slice.TasksMax=100 --set VE.StopSignal=SIGTERM \
        --set VE.NotifyReady=no --set 'Unit.Description=100% "x" \ y' --set Slice.CPUWeight=20
    expect "$OUT$ERR" "" "what it said"
    grep -qx Template=vc /etc/ve/vc-a.ve
    expect "$(property vc-b Description)" '100% "x" \ y' "the description"
    expect "$(systemctl show --value --property=TasksMax 've-vc\x2dc.slice')" 100 "TasksMax="
    test -d /var/lib/ve/private/vc-c
    journalctl --sync
    expect "$(reloads)" "$(($(systemd_version) >= 254 ? 2 : 1))" "the number of lines about a reload"
}
check "creates several at once, with one reload" creates

exists() {
    refused 4 "*There is a VE vc-b already*/etc/ve/vc-b.ve*" create vc-z vc-b --template=vc
    mkdir -p /usr/lib/ve
    printf '[VE]\nTemplate=vc\n' >/usr/lib/ve/vc-pkg.ve
    refused 4 "*There is a VE vc-pkg already*" create vc-pkg --template=vc
    ln -s /dev/null /etc/ve/vc-pkg.ve
    refused 4 "*There is a VE vc-pkg already*" create vc-pkg --template=vc
    rm /usr/lib/ve/vc-pkg.ve /etc/ve/vc-pkg.ve
    rmdir /usr/lib/ve 2>/dev/null || true
    mkdir /var/lib/ve/private/vc-old
    refused 4 "*private data of a VE vc-old*" create vc-old --template=vc
    rmdir /var/lib/ve/private/vc-old
}
check "what exists is left alone" exists

starts() {
    local pid
    expect_status 0 vectl start vc-a vc-b vc-c
    for name in vc-a vc-b vc-c; do
        expect "$(property $name ActiveState)" active
    done
    pid=$(leader vc-a)
    expect_status 0 vectl start vc-a
    expect "$(leader vc-a)" "$pid" "the leader after a second start"
    expect_status 0 vectl restart vc-a vc-b
    [ "$(leader vc-a)" != "$pid" ] || fail "it was not restarted"
    expect_no_veneer_process
}
check "starts and restarts several at once" starts

fast() {
    local before=$SECONDS
    expect_status 0 vectl create vc-deaf --template=vc --set 'VE.Init=/sbin/init --deaf' --set VE.NotifyReady=no --start
    expect_status 0 vectl stop --fast vc-deaf
    [ $((SECONDS - before)) -lt 30 ] || fail "it took $((SECONDS - before)) s"
    expect "$(property vc-deaf ActiveState)" inactive
    expect_status 0 vectl destroy vc-deaf
}
check "stop --fast stops what does not listen" fast

start_fails() {
    local template
    expect_status 78 vectl create vc-good vc-bad --template=vc --set VE.Profile=no-such --start
    expect_status 3 vectl status vc-good vc-bad
    expect_status 1 vectl create vc-bad --template=vc --set VE.Init=/no/such/init --start
    expect_sentence "$ERR" "vectl: VE vc-bad did not start: *init /no/such/init*journalctl -u ve@vc-bad*"
    expect_status 0 vectl status vc-bad
    write_definition vc-bad "[VE]" "Template=vc" "NotifyReady=maybe"
    systemctl daemon-reload
    expect_status 78 vectl start vc-bad
    expect_sentence "$ERR" "vectl: VE vc-bad cannot be started: /etc/ve/vc-bad.ve:3:*"
    expect_status 0 vectl destroy vc-bad
    systemctl mask --quiet ve@vc-a
    vectl stop vc-a
    expect_status 1 vectl start vc-a
    systemctl unmask --quiet ve@vc-a
    expect_sentence "$ERR" "vectl: VE vc-a did not start: *masked*"
}
check "a failed start is one sentence that says why" start_fails

handwritten() {
    write_definition vc-hand "[VE]" "Template=vc" "NotifyReady=no" "StopSignal=SIGTERM"
    expect_status 0 vectl start vc-hand
    expect "$(property vc-hand ActiveState)" active
    vectl destroy --force vc-hand
}
check "starts a definition that systemd has not seen" handwritten

# An upper directory with nothing in it, over VE_PRIVATE, that fails in some way.
undone() {
    local options
    for options in ro,size=64k nr_inodes=1 nr_inodes=3; do
        mount -t tmpfs -o "$options" none /var/lib/ve/private
        cp -a /etc/ve "$WORK/etc-ve"
        expect_status 1 vectl create vc-x vc-y vc-z --template=vc
        umount /var/lib/ve/private
        expect_sentence "$ERR" "vectl: *vc-[xyz]*/var/lib/ve/private*"
        diff -r /etc/ve "$WORK/etc-ve" || fail "definitions were left"
        rm -r "$WORK/etc-ve"
    done
    expect_status 3 vectl status vc-x
}
check "a creation that fails half-way is undone" undone

no_room() {
    mount -t tmpfs -o size=16k,nr_inodes=2 none /etc/ve
    expect_status 1 vectl create vc-x vc-y vc-z --template=vc
    expect "$(ls -A /etc/ve)" "" "what is in /etc/ve"
    umount /etc/ve
    expect_sentence "$ERR" "vectl: *definition of VE vc-[xyz] in /etc/ve*No space left*"
    test ! -e /var/lib/ve/private/vc-x
}
check "a full disk leaves nothing half-made" no_room

running_is_kept() {
    vectl start vc-b vc-c
    refused 5 "*VE vc-b is running*--force*" destroy vc-a vc-b
    expect "$(property vc-b ActiveState)" active
}
check "destroy refuses what runs" running_is_kept

packaged_is_kept() {
    mkdir -p /usr/lib/ve
    printf '[VE]\nTemplate=vc\n' >/usr/lib/ve/vc-pkg.ve
    refused 5 "*package*mask*ln -s /dev/null /etc/ve/vc-pkg.ve*" destroy vc-pkg
    ln -s /dev/null /etc/ve/vc-pkg.ve
    refused 5 "*package*" destroy vc-pkg
    rm /usr/lib/ve/vc-pkg.ve
    refused 3 "*masked*" destroy vc-pkg
    rm /etc/ve/vc-pkg.ve
    rmdir /usr/lib/ve 2>/dev/null || true
}
check "destroy refuses what is not its to destroy" packaged_is_kept

destroys() {
    systemctl enable --quiet ve@vc-a ve@vc-b
    systemctl set-property 've-vc\x2da.slice' TasksMax=50
    mkdir -p /etc/systemd/system/ve@vc-a.service.d /etc/ve/vc-a.ve.d /run/ve/definitions/vc-a.ve.d
    printf '[Service]\nTimeoutStopSec=7\n' >/etc/systemd/system/ve@vc-a.service.d/override.conf
    printf '[VE]\nHostname=x\n' | tee /etc/ve/vc-a.ve.d/a.conf >/run/ve/definitions/vc-a.ve.d/b.conf
    cp /etc/ve/vc-a.ve /run/ve/definitions/
    systemctl daemon-reload
    SINCE=$(now)
    expect_status 0 vectl destroy --force vc-a vc-b vc-c
    expect "$OUT$ERR" "" "what it said"
    journalctl --sync
    expect "$(reloads)" "$(($(systemd_version) >= 254 ? 2 : 1))" "the number of lines about a reload"
    rmdir /run/ve/definitions
    expect "$(find /etc /run /var/lib/ve \( -name '*vc-[abc]*' -o -name '*vc\\x2d[abc]*' \) ! -path '/run/log/*' 2>/dev/null)" "" \
        "what is left"
    expect "$(systemctl list-units --all --plain --no-legend '*vc-*' '*vc\\x2d*')" "" "the units left"
    expect_status 3 vectl destroy vc-a
}
check "destroy leaves nothing" destroys

orphan() {
    mkdir -p /var/lib/ve/private/vc-old/upper
    expect_status 0 vectl destroy vc-old
    test ! -e /var/lib/ve/private/vc-old
}
check "destroy removes data that has lost its definition" orphan

at_once() {
    local i pids=() failed=0
    for i in 1 2 3 4 5 6; do
        vectl create vc-race --template=vc 2>/dev/null &
        pids+=($!)
        vectl destroy vc-race 2>/dev/null &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i" || case $? in
        3 | 4) ;;
        *) failed=$? ;;
        esac
    done
    expect $failed 0 "the status of one of them"
    vectl destroy vc-race 2>/dev/null || true
    expect "$(find /etc/ve /var/lib/ve/private /run/ve -name '*vc-race*')" "" "what is left"
}
check "commands on one VE at once take turns" at_once

remove_template vc

# SPDX-License-Identifier: LGPL-2.1-or-later
# What was loaded is what runs: a definition edited, broken or removed since the last reload.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=reload
tiny_template $VE static-init

good() {
    write_definition $VE "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=SIGTERM" "Hostname=$1"
}

# systemctl compares times of files with the time of the reload, in whole seconds or so.
later() {
    touch -d '+2 seconds' /etc/ve/$VE.ve
}

hostname_inside() {
    nsenter --target "$(leader $VE)" --uts hostname
}

reload_due() {
    expect "$(property $VE NeedDaemonReload)" yes "NeedDaemonReload"
    systemctl status --no-pager ve@$VE 2>&1 | grep -q "daemon-reload" ||
        fail "systemctl status does not say that a reload is due"
    expect_match "$(vectl status $VE)" "*reload=due*" "what vectl status says"
}

edited() {
    good one
    systemctl daemon-reload
    start $VE
    expect "$(hostname_inside)" one
    expect "$(property $VE NeedDaemonReload)" no "NeedDaemonReload"
    expect_match "$(vectl status $VE)" "*reload=no*" "what vectl status says"
    good two
    later
    systemctl restart ve@$VE
    expect "$(hostname_inside)" one "the hostname after a restart"
}
check "an edited definition does nothing before a reload" edited
check "systemctl and vectl say that a reload is due" reload_due

crashed() {
    local before
    before=$(leader $VE)
    kill -USR1 "$before"
    wait_until 20 has_new_leader $VE "$before" || fail "it did not come back"
    expect "$(hostname_inside)" one
}
check "a VE that comes back by itself has the loaded settings" crashed

reloaded() {
    good two
    systemctl daemon-reload
    expect_match "$(vectl status $VE)" "*reload=no*" "what vectl status says"
    systemctl restart ve@$VE
    expect "$(hostname_inside)" two
}
check "a reload loads the edit" reloaded

broken() {
    write_definition $VE "[VE]" "Template=$VE" "NotifyReady=perhaps"
    later
    systemctl restart ve@$VE
    expect "$(hostname_inside)" two
}
check "a broken edit does nothing before a reload" broken
check "systemctl and vectl say that a reload is due for a broken edit" reload_due

checked() {
    expect_status 78 vectl check $VE
    expect_match "$OUT$ERR" "*/etc/ve/$VE.ve:3:*NotifyReady*" "what vectl check says"
    expect_status 78 vectl check
    expect_status 78 /bin/sh -c "cd /etc/ve && vectl check ./$VE.ve"
}
check "vectl check names file and line" checked

broken_loaded() {
    local status=0
    systemctl daemon-reload
    # It goes on running with what it was started with.
    expect "$(hostname_inside)" two
    systemctl stop ve@$VE
    SINCE=$(now)
    systemctl start ve@$VE || status=$?
    expect "$status" 1 "the status of systemctl start"
    expect "$(property $VE ExecMainStatus)" 78
    expect_match "$(property $VE StatusText)" "*/etc/ve/$VE.ve:3*" "the status text"
    expect_said $VE "/etc/ve/$VE.ve:3"
    reset $VE
}
check "a broken definition that is loaded fails at start, with file and line" broken_loaded

# What it logged of its own: one line.
sentences() {
    journalctl --quiet --no-pager --output=cat --since="$SINCE" _COMM=ve-launch
}

removed() {
    local status=0
    rm /etc/ve/$VE.ve
    systemctl daemon-reload
    SINCE=$(now)
    systemctl start ve@$VE || status=$?
    expect "$status" 1 "the status of systemctl start"
    wait_until 10 said $VE "no VE" || fail "it did not say that there is no such VE"
    expect_sentence "$(sentences)" "*no VE*$VE*/etc/ve/$VE.ve*"
    expect "$(property $VE ExecMainStatus)" 3
    reset $VE
}
check "a removed definition that is reloaded fails at start, with one sentence" removed

masked() {
    local status=0
    good one
    mkdir -p /usr/lib/ve
    mv /etc/ve/$VE.ve /usr/lib/ve/
    ln -s /dev/null /etc/ve/$VE.ve
    systemctl daemon-reload
    systemctl start ve@$VE || status=$?
    rm /usr/lib/ve/$VE.ve /etc/ve/$VE.ve
    rmdir /usr/lib/ve 2>/dev/null || true
    expect "$status" 1 "the status of systemctl start"
    reset $VE
}
check "a masked definition is none" masked

one_bad() {
    write_definition reload-bad "[VE]" "Template=a b c"
    good fine
    systemctl daemon-reload
    start $VE
    expect "$(hostname_inside)" fine
    remove reload-bad
}
check "a bad definition among good ones stops only its own VE" one_bad

remove $VE
remove_template $VE

# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl run: a VE for one command.
. "$(dirname "$(realpath "$0")")/lib.sh"

mkdir -p /etc/ve

left() {
    find /etc/ve /run/ve/definitions /var/lib/ve/private -mindepth 1 2>/dev/null
    systemctl list-units --all --plain --no-legend 've@*'
}

nothing_is_left() {
    [ -z "$(left)" ]
}

runs() {
    expect "$(vectl run --template=host -- sh -c 'echo "in $(cat /proc/1/comm)"; touch /root/x; ls /root' | paste -sd' ')" "in systemd x" "what it printed"
    expect "$(left)" "" "what is left"
    expect_status 7 vectl run --template=host --name=once -- sh -c 'exit 7'
    expect_status 127 vectl run --template=host no-such-program
    expect "$(echo words | vectl run -t host --set Slice.TasksMax=100 -- sh -c 'cat; cat /proc/sys/kernel/hostname' | head -n 1)" words "what goes through it"
    expect "$(left)" "" "what is left"
}
check "it runs, returns the command's status, and is gone" runs

refused() {
    expect_status 2 vectl run -- true
    expect_sentence "$ERR" "vectl: A new VE needs a template: *"
    expect_status 2 vectl run --template=host
    expect_status 3 vectl run --template=none -- true
    expect_status 2 vectl run --template=host --name=A -- true
    expect_status 2 vectl run --template=host --set VE.Nonsense=1 -- true
    vectl create once --template=host
    expect_status 4 vectl run --template=host --name=once -- true
    [ -e /etc/ve/once.ve ] || fail "it has destroyed a VE that was there"
    vectl destroy once
    expect "$(left)" "" "what is left"
}
check "what can't be is refused, and leaves nothing" refused

is_running() {
    [ "$(vectl list -n -o name,state | tr -s ' ' | sed 's/ $//')" = "once running" ]
}

killed() {
    local signal
    for signal in KILL TERM INT HUP; do
        vectl run --template=host --name=once -- sleep 1000 >/dev/null 2>&1 &
        wait_until 60 is_running || fail "it does not start"
        kill -$signal $!
        wait $! || true
        wait_until 60 nothing_is_left || fail "after SIG$signal there is $(left)"
    done
}
check "killed, it is gone, too" killed

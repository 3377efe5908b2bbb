# SPDX-License-Identifier: LGPL-2.1-or-later
# A stop that comes between the hand-over to the VE's init and that init listening for it is not lost.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=early

# Puts an init in the VE that is late to become its systemd: it waits for a line in a fifo first, and
# has no handler for the signal until then.
prepare() {
    need_template "$1"
    define $VE "[VE]" "Template=debian-$1"
    start $VE
    inside $VE sh -c 'cat >/usr/local/sbin/systemd && chmod +x /usr/local/sbin/systemd && mkfifo /root/go' <<'EOF'
#!/bin/bash
read -r _ </root/go
exec /lib/systemd/systemd "$@"
EOF
    systemctl stop ve@$VE
    define $VE "[VE]" "Template=debian-$1" "Init=/usr/local/sbin/systemd" "[Service]" "TimeoutStopSec=20s"
}

waits_in_init() {
    local pid
    pid=$(leader $VE)
    [ "$pid" != 0 ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q '^/bin/bash /usr/local/sbin/systemd '
}

substate_is() {
    [ "$(property $VE SubState)" = "$1" ]
}

stops_early() {
    local pid
    systemctl start --no-block ve@$VE
    wait_until 30 waits_in_init || fail "its init does not wait"
    pid=$(leader $VE)
    systemctl stop --no-block ve@$VE
    wait_until 10 substate_is stop-sigterm || fail "it is $(property $VE SubState), not asked to stop"
    echo go >"/proc/$pid/root/root/go"
    expect_state $VE inactive 60
    expect "$(property $VE Result)" success
}

# The mask is its first process' alone.
blocks_nothing() {
    local pid
    define $VE "[VE]" "Template=debian-$1"
    start $VE
    expect "$(inside $VE systemd-run --quiet --wait --pipe sed -n 's/^SigBlk:\t//p' /proc/self/status)" \
        0000000000000000 "the signals that its services block"
}

for release in 12 13; do
    check "Debian $release is given an init that is late" prepare $release
    check "Debian $release stops in order although its systemd was not there yet" stops_early
    check "Debian $release starts services without a signal blocked" blocks_nothing $release
    remove $VE
done

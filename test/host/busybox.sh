# SPDX-License-Identifier: LGPL-2.1-or-later
# busybox init as PID 1.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=bbox
tiny_template $VE busybox
ROOT=/var/lib/ve/templates/$VE/root
install -D "$INITS/busybox" $ROOT/bin/busybox
for applet in sh reboot poweroff halt sleep touch cat; do
    ln -s busybox $ROOT/bin/$applet
done
cat >$ROOT/etc/inittab <<'EOF'
::sysinit:/bin/touch /run/up
::respawn:/bin/sleep 1000000
::shutdown:/bin/touch /root/shut-down
EOF

define $VE "[VE]" "Template=$VE" "NotifyReady=no" "StopSignal=SIGUSR2" "[Service]" "TimeoutStopSec=20"

is_up() {
    inside $VE /bin/busybox test -e /run/up 2>/dev/null
}

starts() {
    start $VE
    wait_until 10 is_up || fail "its inittab did not run"
    expect "$(readlink "/proc/$(leader $VE)/exe")" /sbin/init "the main process"
    expect_no_veneer_process
}
check "starts" starts

reboots() {
    local before
    before=$(leader $VE)
    inside $VE /bin/busybox reboot || true
    wait_until 30 has_new_leader $VE "$before" || fail "it did not come back"
    wait_until 10 is_up || fail "its inittab did not run"
}
check "reboots from inside" reboots

stops() {
    local before=$SECONDS
    rm -f /var/lib/ve/private/$VE/upper/root/shut-down
    systemctl stop ve@$VE
    expect "$(property $VE Result)" success
    test -e /var/lib/ve/private/$VE/upper/root/shut-down || fail "it did not run what its inittab says for a shutdown"
    [ $((SECONDS - before)) -lt 15 ] || fail "the stop took $((SECONDS - before)) s"
}
check "stops in order, within its timeout" stops

powers_off() {
    start $VE
    wait_until 10 is_up || fail "its inittab did not run"
    inside $VE /bin/busybox poweroff || true
    expect_state $VE inactive
    expect "$(property $VE Result)" success
}
check "powers off from inside" powers_off

remove $VE
remove_template $VE

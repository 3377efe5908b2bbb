# SPDX-License-Identifier: LGPL-2.1-or-later
# Networking that takes a kernel of our own: hardware to give away, and what a container's host may lack.
#
# Emulation takes its time: there is one "outside" for all, and systemd reads all definitions at once.
. "$(dirname "$(realpath "$0")")/../host/lib.sh"
. "$(dirname "$(realpath "$0")")/../host/lib-network.sh"

# Where VEs run on it (machine/definitions), it must stay what it is.
[ -d /var/lib/ve/templates/tiny/root ] || tiny_template tiny static-init

# Two devices of the hardware, on a cable with each other: one to give away, and one for "outside".
NIC=$(printf '%s\n' /sys/class/net/*/device | cut -d/ -f5 | sed -n 1p)
FAR=$(printf '%s\n' /sys/class/net/*/device | cut -d/ -f5 | sed -n 2p)
FAR4=198.51.100.1
# In Mbit/s.
RATE=8

# As net_define, for later.
add() {
    local name=$1
    shift
    write_definition "$name" "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=tiny" "NotifyReady=no" \
        "StopSignal=SIGTERM" "[Network]" "$@"
}

add l2-one "Mode=ipvlan" "Parent=up0" "Address=192.0.2.20/24 2001:db8::20/64"
add l2-two "Mode=ipvlan" "Parent=up0" "Address=192.0.2.21/24"
add l3-one "Mode=ipvlan" "IPVlanMode=l3" "Parent=up0" "Address=203.0.113.10/32 2001:db8:1::10/128" \
    "Route=0.0.0.0/0 ::/0"
add l3-two "Mode=ipvlan" "IPVlanMode=l3" "Parent=up0" "Address=203.0.113.11/32 2001:db8:1::11/128" \
    "Route=0.0.0.0/0 ::/0"
add phys "Mode=phys" "Parent=$NIC" "Address=198.51.100.10/24"
# With another interface before it, it has another index in the VE, and so again when it comes back.
add phys-lan "Address=192.0.2.10" "[Network]" "Mode=phys" "Parent=$NIC" "Name=lan" "Address=198.51.100.10/24"
# By the name that it has in the VE it can't come back.
add phys-taken "Mode=phys" "Parent=$NIC" "Name=up0" "Address=198.51.100.10/24"
add phys-fails "Mode=phys" "Parent=$NIC" "Name=lan" "Address=$FAR4/24"
add vlan-one "Bridge=vetest0" "BridgeCreate=yes" "VLAN=10" "Address=198.51.100.1/24"
add vlan-two "Bridge=vetest0" "BridgeCreate=yes" "VLAN=10" "Address=198.51.100.2/24"
add vlan-other "Bridge=vetest0" "BridgeCreate=yes" "VLAN=20" "Address=198.51.100.3/24"
add free "Address=192.0.2.10"
add limited "Address=192.0.2.11" "BandwidthIn=${RATE}M" "BandwidthOut=${RATE}M"
add rules "Address=192.0.2.10 2001:db8::10" "Forward=tcp:8080:80" "Masquerade=yes" "Isolate=yes"
add allow "Address=192.0.2.10" "Allow=$OUTSIDE4"
add deny "Address=192.0.2.11" "Deny=$HOST4"
systemctl daemon-reload

outside_start
answer_in host
ip -n outside route add 203.0.113.0/24 via $HOST4
ip -n outside -6 route add 2001:db8:1::/64 via $HOST6
if [ -n "$FAR" ]; then
    ip link set "$FAR" netns outside
    ip -n outside addr add $FAR4/24 dev "$FAR"
    ip -n outside link set "$FAR" up
fi

start_all() {
    local name
    # shellcheck disable=SC2046 # a list
    systemctl start $(printf 've@%s ' "$@") || {
        for name in "$@"; do explain "$name"; done
        fail "not all of $* started"
    }
}

# Whoever answers in a VE's network would keep that, with its addresses and the hardware in it. In the
# list are shells, whose children answer; the first ones are not in VEs.
KEPT=$(wc -l <"$WORK/answers")
stop_all() {
    local pid
    for pid in $(tail -n "+$((KEPT + 1))" "$WORK/answers"); do
        pkill -P "$pid" || true
    done
    sed -i "$((KEPT + 1)),\$d" "$WORK/answers"
    # shellcheck disable=SC2046 # a list
    systemctl stop $(printf 've@%s ' "$@")
}

need_modules() {
    local module
    for module in "$@"; do
        modprobe --quiet --dry-run "$module" || skip "no module $module for this kernel"
    done
}

can_ping() {
    net "$1" ping -n -q -c 1 -w 20 "$2" >/dev/null || fail "$1 can't ping $2"
}

# --- ipvlan

ipvlan_l2() {
    need_modules ipvlan
    start_all l2-one l2-two
    answer_in l2-one
    reaches outside 192.0.2.20
    can_ping outside 2001:db8::20
    reaches l2-two 192.0.2.20
    reaches l2-one $OUTSIDE6
    expect "$(net l2-one ip -brief link show host0 | awk '{ print $3 }')" "$(cat /sys/class/net/up0/address)" \
        "the MAC address"
}
check "ipvlan, l2: VEs and outside reach each other" ipvlan_l2
stop_all l2-one l2-two

# The network sends the VE's addresses to the host, whose kernel knows where they are.
ipvlan_l3() {
    need_modules ipvlan
    start_all l3-one l3-two
    answer_in l3-one
    reaches outside 203.0.113.10
    can_ping outside 2001:db8:1::10
    can_ping l3-two 203.0.113.10
    can_ping l3-two 2001:db8:1::10
    reaches l3-one $OUTSIDE6
}
check "ipvlan, l3: the same, routed" ipvlan_l3
stop_all l3-one l3-two

# --- phys

need_hardware() {
    [ -n "$FAR" ] || skip "no two devices of the hardware here"
    # One failure is enough.
    [ -e "/sys/class/net/$NIC" ] || skip "the host has lost $NIC"
    MAC=$(cat "/sys/class/net/$NIC/address")
}

# Not a moment after the VE's end: what starts then may want it. Argument: the VE.
has_it_back() {
    [ -e "/sys/class/net/$NIC" ] || {
        ip link
        explain "$1"
        fail "the host has not got $NIC back"
    }
    expect "$(cat "/sys/class/net/$NIC/address")" "$MAC" "the MAC address"
    expect "$(printf '%s\n' /sys/class/net/*/device | wc -l)" 1 "the number of devices"
}

phys() {
    need_hardware
    start_all phys
    [ ! -e "/sys/class/net/$NIC" ] || fail "the host has it still"
    can_ping outside 198.51.100.10
    expect "$(ask phys tcp $FAR4)" 198.51.100.10 "who asked"
    /usr/libexec/veneer/ve-network show phys
    stop_all phys
    has_it_back phys
}
check "phys: moved into a VE, and back when it stops" phys
stop_all phys

phys_renamed() {
    need_hardware
    start_all phys-lan
    net phys-lan ip link show lan >/dev/null
    can_ping outside 198.51.100.10
    stop_all phys-lan
    has_it_back phys-lan
    start_all phys-taken
    stop_all phys-taken
    has_it_back phys-taken
    # The VE may call it anything.
    start_all phys
    net phys ip link set "$NIC" down
    net phys ip link set "$NIC" name mine address 02:00:00:00:00:99
    stop_all phys
    [ -e "/sys/class/net/$NIC" ] || fail "the host has not got what the VE renamed"
    ip link set "$NIC" address "$MAC"
    has_it_back phys
}
check "phys: back by its own name, whatever it was called meanwhile" phys_renamed
stop_all phys phys-lan phys-taken

phys_restarted() {
    local old
    need_hardware
    start_all phys-lan
    old=$(leader phys-lan)
    kill -USR1 "$old"
    wait_until 30 has_new_leader phys-lan "$old" || {
        explain phys-lan
        fail "it did not come up again"
    }
    can_ping outside 198.51.100.10
    kill -USR2 "$(leader phys-lan)"
    expect_state phys-lan inactive
    has_it_back phys-lan
}
check "phys: when the VE reboots, and when it powers off" phys_restarted
stop_all phys-lan

phys_changed() {
    need_hardware
    start_all phys
    add phys "Mode=phys" "Parent=$NIC" "Address=198.51.100.10/24 198.51.100.11/24"
    systemctl daemon-reload
    /usr/libexec/veneer/ve-network update phys
    can_ping outside 198.51.100.11
    stop_all phys
    has_it_back phys
}
check "phys: addresses change live" phys_changed
stop_all phys

phys_failed() {
    need_hardware
    SINCE=$(now)
    expect_status 1 systemctl start ve@phys-fails
    expect_said phys-fails "Address $FAR4 .*is used by another"
    has_it_back phys-fails
    # What is in use is not given away.
    ip addr add 198.51.100.3/24 dev "$NIC"
    expect_status 1 systemctl start ve@phys
    expect_said phys "$NIC is in use, with address 198.51.100.3"
    ip addr flush dev "$NIC"
}
check "phys: stays the host's when the VE can't start" phys_failed

# --- VLANs

vlan() {
    need_modules bridge
    start_all vlan-one vlan-two vlan-other
    answer_in vlan-one
    reaches vlan-two 198.51.100.1
    cannot_reach vlan-other 198.51.100.1
    cannot_reach vlan-one 198.51.100.3
    expect "$(bridge vlan show dev vb-vlan-other | awk '/vb-/ { print $2, $3, $4, $5 }')" "20 PVID Egress Untagged" \
        "the VLANs of vlan-other"
    # Taken away by hand, it is missed, and comes back.
    /usr/libexec/veneer/ve-network show vlan-one >/dev/null
    bridge vlan add dev vb-vlan-one vid 20 pvid untagged
    bridge vlan del dev vb-vlan-one vid 10
    expect_status 1 /usr/libexec/veneer/ve-network show vlan-one
    expect_match "$OUT" "*MISSING*vlan vb-vlan-one 10*"
    /usr/libexec/veneer/ve-network repair vlan-one
    expect_status 0 /usr/libexec/veneer/ve-network show vlan-one
    stop_all vlan-one vlan-two vlan-other
    expect "$(ip -brief link show type bridge)" "" "the bridges left"
}
check "bridge: VEs reach each other in their VLAN only" vlan
stop_all vlan-one vlan-two vlan-other

# --- limits

# What iperf3 counts at whoever receives, in kbit/s. Arguments: the VE; iperf3's.
measure() {
    local name=$1 out=$WORK/iperf3 server
    shift
    net outside timeout 60 iperf3 --server --one-off >"$out.server" 2>&1 &
    server=$!
    wait_until 10 outside_listens
    net "$name" timeout 60 iperf3 --client $OUTSIDE4 --format k "$@" >"$out" 2>&1 || {
        cat "$out" "$out.server" >&2
        fail "iperf3 can't say how fast $name is"
    }
    # The next one is to meet a server of its own.
    wait $server || true
    awk '/receiver/ { print int($7) }' "$out"
}
outside_listens() {
    [ -n "$(net outside ss -Hltn 'sport = :5201')" ]
}

expect_shaped() {
    expect_match "$(tc qdisc show dev "$1")" "qdisc tbf * root * rate ${RATE}Mbit *qdisc fq_codel *" "the qdiscs of $1"
}

bandwidth() {
    local free in out ifb before after
    need_modules sch_tbf ifb nft_fwd_netdev
    start_all free limited
    ifb=$(ip -oneline link show type ifb | sed 's/^[0-9]*: \([^:@]*\).*/\1/')
    [ -n "$ifb" ] || fail "there is no ifb"
    expect_shaped vr-limited
    expect_shaped "$ifb"
    free=$(measure free --time 1)
    before=$(cat "/sys/class/net/$ifb/statistics/tx_bytes")
    out=$(measure limited --time 3)
    after=$(cat "/sys/class/net/$ifb/statistics/tx_bytes")
    in=$(measure limited --time 3 --reverse)
    echo "unlimited $free kbit/s, out $out, in $in, by the ifb $((after - before)) bytes"
    [ $((after - before)) -gt 100000 ] || fail "of what it sent, the ifb saw $((after - before)) bytes only"
    for rate in "$in" "$out"; do
        [ "$rate" -gt 0 ] && [ "$rate" -le $((RATE * 1150)) ] || fail "$in kbit/s in and $out out, of $RATE Mbit/s"
    done
    # The rules come first.
    spoof_is_dropped limited
    [ "$free" -gt $((RATE * 1500)) ] || skip "this machine gets no further than $free kbit/s without a limit"
    stop_all limited
    expect "$(ip -brief link show type ifb)" "" "the ifbs left"
}

# How many packets were dropped for their source.
dropped() {
    nft list ruleset | sed -n 's/.*counter packets \([0-9]*\) .*comment "IPv4 source".*/\1/p' |
        awk '{ n += $1 } END { print n + 0 }'
}

spoof_is_dropped() {
    local before
    before=$(dropped)
    net "$1" ip addr add 192.0.2.77/32 dev host0
    ! net "$1" ping -n -q -c 1 -W 1 -I 192.0.2.77 $OUTSIDE4 >/dev/null || fail "it can use another's address"
    [ "$(dropped)" -gt "$before" ] || fail "no rule has dropped it"
    net "$1" ip addr del 192.0.2.77/32 dev host0
}
check "BandwidthIn= and BandwidthOut= are in force, and rules before them" bandwidth
stop_all free limited

# --- rules

rules() {
    need_modules nft_fib_inet nft_nat
    start_all rules
    answer_in rules
    expect "$(ask outside tcp $HOST4 8080)" $OUTSIDE4 "who asked from outside"
    expect "$(ask outside tcp $HOST6 8080)" $OUTSIDE6 "who asked from outside"
    for to in 127.0.0.1 ::1; do
        [ -n "$(ask host tcp $to 8080)" ] || fail "nobody answers at $to"
    done
    expect "$(ask rules tcp $OUTSIDE4)" $HOST4 "where the VE's question comes from"
    nft flush ruleset
    /usr/libexec/veneer/ve-network repair-firewall
    spoof_is_dropped rules
}
check "routing, forwards, masquerading and anti-spoofing" rules
stop_all rules

# Runs a command in the VE's network and, other than `net`, in its cgroup.
net_as() {
    local name=$1
    shift
    # shellcheck disable=SC2016 # expanded by the inner shell
    bash -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' bash "$(cgroup_of "$name")" \
        nsenter --target "$(leader "$name")" --net -- "$@"
}

access() {
    local name
    start_all allow deny
    for name in allow deny; do
        net_as $name ping -n -q -c 1 -w 20 $OUTSIDE4 >/dev/null || fail "$name can't reach whom it may"
        [ -n "$(net_as $name "$ANSWER" ask tcp $OUTSIDE4 80)" ] || fail "$name can't reach whom it may, by TCP"
        # The control: but for that it is within reach.
        can_ping $name $HOST4
        ! net_as $name ping -n -q -c 1 -W 1 $HOST4 >/dev/null 2>&1 || fail "$name can reach whom it may not"
        ! net_as $name "$ANSWER" ask tcp $HOST4 80 2>/dev/null || fail "$name can reach whom it may not, by TCP"
    done
}
check "Allow= and Deny= filter" access
stop_all allow deny

# The machine is thrown away: what else there is may stay.
rm -f /etc/ve/{l2,l3,phys,vlan}-*.ve /etc/ve/{phys,free,limited,rules,allow,deny}.ve
systemctl daemon-reload
outside_stop

# SPDX-License-Identifier: LGPL-2.1-or-later
# The network of VEs over time: starts and stops, names, claims, what others take away, changes.
. "$(dirname "$(realpath "$0")")/lib.sh"
. "$(dirname "$(realpath "$0")")/lib-network.sh"

tiny_template tiny static-init

same_net() {
    net_snapshot >"$WORK/net.now"
    cmp -s "$WORK/net" "$WORK/net.now"
}

# The old end goes with its namespace, which the kernel takes apart a moment after the stop.
restarts() {
    local i
    outside_start
    net_snapshot >"$WORK/net"
    # On no network of the host: nobody is asked for it, which would take its time. Up when it says so: the
    # kernel throws away a stop that comes before.
    write_definition one "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=tiny" "Init=/sbin/init --ready" \
        "NotifyReady=yes" "StopSignal=SIGTERM" "[Network]" "Address=198.51.100.1 2001:db8:1::1" \
        "Forward=tcp:8080:80" "BandwidthOut=100M" "BandwidthIn=100M"
    systemctl daemon-reload
    start one
    for i in {1..200}; do
        systemctl restart ve@one || {
            explain one
            fail "restart $i failed"
        }
    done
    expect "$(ip -brief link | grep -c '^vr-')" 1 "the number of host ends"
    ip -n outside route add 198.51.100.1 via $HOST4
    answer_in one
    reaches outside 198.51.100.1
    stop_answers
    systemctl stop ve@one
    wait_until 10 same_net || fail "left: $(diff "$WORK/net" "$WORK/net.now" | paste -sd' ')"
    outside_stop
}
check "200 restarts leave no interface, and none in the way" restarts
remove one

LONG="a-name-that-is-as-long-as-a-name-of-a-ve-may-be-sixty-three-long"
names() {
    local a=${LONG:0:61}1 b=${LONG:0:61}2
    net_start "$a" "Address=198.51.100.1"
    net_start "$b" "Address=198.51.100.2"
    net_start web1 "Address=198.51.100.3" "[Network]" "Mode=veth" "Address=198.51.100.9/30"
    net_start web1-1 "Address=198.51.100.5"
    for name in "vr-$a" "vr-$b" vr-web1 ve-web1_1 vr-web1-1; do
        ip link show "$name" >/dev/null || fail "no interface can be called $name"
    done
    expect "$(ip -brief link | grep -c '^v[er]-')" 5 "the number of host ends"
    for to in 1 2 3 5; do
        net host ping -n -q -c 1 -w 20 198.51.100.$to >/dev/null || fail "198.51.100.$to can't be reached"
    done
    remove "$a" "$b" web1 web1-1
}
check "long and look-alike names do not collide" names

# What is said when a start fails: in the journal, and by systemctl status.
refused() {
    local name=$1 message
    ! systemctl start "ve@$name" 2>/dev/null || fail "ve@$name started"
    message=$(property "$name" StatusText)
    expect_sentence "$message" "$2"
    reset "$name"
}

claims() {
    outside_start
    net_start one "Address=192.0.2.10" "Forward=tcp:8080:80"
    net_snapshot >"$WORK/net"
    net_define two "Address=192.0.2.10"
    refused two "*Address 192.0.2.10 of VE two is VE one's*"
    net_define two "Address=192.0.2.11" "Forward=tcp:8000-8100:8000-8100"
    refused two "*Forward=tcp:8000-8100:8000-8100 of VE two*Forward=tcp:8080:80 of VE one*"
    net_define two "Address=$HOST4"
    refused two "*Address $HOST4 of VE two is the host's own, on its interface up0*"
    net_define two "Address=$OUTSIDE4"
    refused two "*Address $OUTSIDE4 of VE two is used by another*$(net outside cat /sys/class/net/eth0/address 2>/dev/null || net outside ip -brief link show eth0 | awk '{ print $3 }')*"
    net_define two "Mode=bridge" "Bridge=nobr0" "Address=192.0.2.11/24"
    refused two "*bridge nobr0, which is not there*"
    net_define two "Mode=bridge" "Bridge=up0" "Address=192.0.2.11/24"
    refused two "*no bridge*"
    net_define two "Mode=macvlan" "Parent=nolink0" "Address=192.0.2.11/24"
    refused two "*interface nolink0, which is not there*"
    net_define two "Mode=phys" "Parent=up0"
    refused two "*up0 is virtual (veth)*"
    net_define two "Mode=namespace" "Path=/run/netns/none"
    ! systemctl start ve@two 2>/dev/null || fail "it started"
    reset two
    wait_until 10 same_net || fail "a failed start left or took something: $(diff "$WORK/net" "$WORK/net.now" | paste -sd' ')"
    # As soon as it is free, it can be had.
    systemctl stop ve@one
    net_define two "Address=192.0.2.10" "Forward=tcp:8080:80"
    start two
    outside_stop
}
check "what is somebody else's is refused before anything is touched" claims
remove one two

duplicate6() {
    outside_start
    bridge_start
    net_define one "Bridge=br0" "Address=$OUTSIDE6/64"
    refused one "*Address $OUTSIDE6 of VE one is used by another*"
    net_define one "Bridge=br0" "Address=$OUTSIDE4/24"
    refused one "*Address $OUTSIDE4 of VE one is used by another*"
    bridge_stop
    outside_stop
}
check "an address that a neighbour has is found out, on a bridge too" duplicate6
remove one
bridge_stop

# An address moves: the neighbour, who still knows the old MAC address, is told of the new one.
moves() {
    local old
    outside_start
    bridge_start
    for to in 192.0.2.10 2001:db8::10; do
        old=02:00:00:00:00:99
        net outside ip neigh replace $to lladdr $old dev eth0 nud reachable
    done
    net_start one "Bridge=br0" "Address=192.0.2.10/24 2001:db8::10/64"
    for to in 192.0.2.10 2001:db8::10; do
        wait_until 20 knows_new $to || fail "the neighbour still has $(net outside ip neigh show $to)"
    done
    bridge_stop
    outside_stop
}
knows_new() {
    ! net outside ip neigh show "$1" | grep -q -e 02:00:00:00:00:99 -e FAILED
}
check "an address that moves here works at once" moves
remove one
bridge_stop

flush() {
    outside_start
    net_start one "Address=192.0.2.10" "Forward=tcp:8080:80"
    answer_in one
    expect_status 0 vectl network show one
    nft flush ruleset
    expect "$(ask outside tcp $HOST4 8080)" "" "the answer without rules"
    expect_status 1 vectl network show one
    expect_match "$OUT" "*MISSING*firewall*vectl network repair one*"
    expect_status 0 vectl network repair
    expect "$(ask outside tcp $HOST4 8080)" $OUTSIDE4 "the answer with the rules again"
    expect_status 0 vectl network show one
    # More than rules can get lost.
    ip route del 192.0.2.10
    ip neigh del proxy 192.0.2.10 dev up0
    net one ip addr flush dev host0
    sysctl -q -w net.ipv4.conf.vr-one.route_localnet=0 net.ipv6.conf.vr-one.accept_ra=2
    expect_status 1 vectl network show one
    expect_match "$OUT" "*MISSING*no-ra vr-one*"
    expect_match "$OUT" "*MISSING*localnet vr-one*"
    expect_status 0 vectl network repair one
    reaches outside 192.0.2.10
    expect_status 3 vectl network show none-such
    expect_status 2 vectl network repair Bad_Name
    outside_stop
}
check "a flush of the host's firewall is seen and repaired" flush

reload() {
    outside_start
    net_start one "Address=192.0.2.10" "Forward=tcp:8080:80"
    answer_in one
    for verb in start reload restart stop; do
        systemctl $verb nftables.service
        expect "$(ask outside tcp $HOST4 8080)" $OUTSIDE4 "the answer after \"systemctl $verb nftables\""
    done
    outside_stop
    nft flush ruleset
}
check "nftables.service flushes all, and has our rules made again" reload
remove one

live() {
    outside_start
    vectl create one --template=tiny --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM --address=192.0.2.10 --start
    pid=$(leader one)
    vectl set one Network.Address+=192.0.2.11 Network.Forward+=tcp:8080:80
    answer_in one
    reaches outside 192.0.2.10
    # By UDP it would answer from its first address.
    [ -n "$(ask outside tcp 192.0.2.11)" ] || fail "the new address can't be reached"
    expect "$(ask outside tcp $HOST4 8080)" $OUTSIDE4 "who asked at the new port"
    vectl set one Network.Address-=192.0.2.10 Network.Forward-=tcp:8080:80
    cannot_reach outside 192.0.2.10
    reaches outside 192.0.2.11
    expect "$(ask outside tcp $HOST4 8080)" "" "the answer at the port that was taken back"
    vectl set one Network.BandwidthOut=8M
    tc qdisc show | grep -q tbf || fail "there is no limit"
    vectl set one Network.BandwidthOut=
    ! tc qdisc show | grep -q tbf || fail "the limit is still there"
    expect "$(leader one)" "$pid" "the main process"
    # A bad change is refused, and nothing is other than before.
    expect_status 4 vectl set one Network.Address+=$HOST4
    expect_match "$ERR" "*is the host's own*saved all the same*"
    vectl set one Network.Address-=$HOST4
    # Nor when it fails half-way: a neighbour has the address.
    expect_status 4 vectl set one Network.Address+=$OUTSIDE4 Network.Forward+=tcp:8099:80 Network.Masquerade=yes
    ! nft list ruleset | grep -q -e 8099 -e $OUTSIDE4 || fail "something of the change is left: $(nft list ruleset | grep -e 8099)"
    expect "$(net one ip -brief -4 addr show host0 | awk '{ print $3 }')" 192.0.2.11/32 "the address"
    vectl set one Network.Address-=$OUTSIDE4 Network.Forward= Network.Masquerade=
    # What takes a restart is said, and not that it is in effect.
    vectl set one Network.DNS=192.0.2.53 2>"$WORK/err"
    expect_match "$(cat "$WORK/err")" "*takes effect when*restarted*"
    vectl set one Network.MTU=1400
    expect "$(ip link show vr-one | sed -n 's/.* mtu \([0-9]*\).*/\1/p')" 1400 "the MTU"
    vectl set one Network.MTU=
    expect "$(ip link show vr-one | sed -n 's/.* mtu \([0-9]*\).*/\1/p')" 1500 "the MTU"
    reaches outside 192.0.2.11
    outside_stop
    vectl destroy --force one
}
check "addresses, ports and limits change live" live
remove one

live_bridge() {
    net_snapshot >"$WORK/net"
    vectl create one --template=tiny --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM \
        --set Network.Bridge=vetest0 --set Network.BridgeCreate=yes --address=198.51.100.1/24 --start
    vectl set one Network.Bridge=vetest1
    expect "$(ip -brief link show master vetest1 | awk -F '[@ ]' '{ print $1 }')" vb-one "the port of the new bridge"
    ! ip link show vetest0 2>/dev/null || fail "the old bridge is still there"
    vectl destroy --force one
    wait_until 10 same_net || fail "left: $(diff "$WORK/net" "$WORK/net.now" | paste -sd' ')"
}
check "a VE changes bridges live" live_bridge
remove one

# A VE is no router to the host, whether or not it may say so.
router() {
    local before
    before=$(cat /proc/sys/net/ipv6/conf/default/accept_ra)
    net_start one "Address=192.0.2.10 2001:db8::10" "AntiSpoof=no"
    expect "$(cat /proc/sys/net/ipv6/conf/vr-one/accept_ra)" 0 "what the host makes of its router advertisements"
    # While the host itself, which forwards now, goes on to hear those of its own routers.
    expect "$(cat /proc/sys/net/ipv6/conf/all/forwarding)" 1 "forwarding"
    expect "$(cat /proc/sys/net/ipv6/conf/default/accept_ra)" "$before" "what is said of interfaces to come"
}
check "router advertisements of a VE mean nothing to the host" router
remove one

# rate FROM TO: what passes in a second, in Mbit/s, by iperf3.
rate() {
    local from=$1 to=$2 address=$3 out
    net "$to" iperf3 --server --one-off --forceflush >"$WORK/iperf" 2>&1 &
    wait_until 20 grep -q listening "$WORK/iperf" || fail "iperf3 does not listen"
    out=$(net "$from" iperf3 --client "$address" --time 4 --omit 1 --format m 2>&1)
    wait $! || true
    sed -n 's|.* \([0-9.]*\) Mbits/sec.*receiver|\1|p' <<<"$out"
}
within() {
    awk -v rate="$1" -v limit="$2" 'BEGIN { exit !(rate >= limit * 0.9 && rate <= limit * 1.1) }' ||
        fail "$3: ${1:-nothing} Mbit/s, not $2"
}
shaping() {
    outside_start
    net_start one "Address=192.0.2.10" "BandwidthIn=20M" "BandwidthOut=50M"
    within "$(rate outside one 192.0.2.10)" 20 "into the VE"
    within "$(rate one outside $OUTSIDE4)" 50 "out of the VE"
    outside_stop
}
check "bandwidth is what is said, within a tenth, both ways" shaping
remove one

# With a systemd-networkd in the VE as well.
both_networkds() {
    local networkd=/usr/lib/systemd/systemd-networkd
    [ -x $networkd ] || skip "no systemd-networkd on this host"
    need_template 13
    outside_start
    systemctl start systemd-networkd.service
    define one "[VE]" "Template=debian-13" "[Network]" "Mode=veth"
    define two "[VE]" "Template=debian-13" "[Network]" "Address=192.0.2.10 2001:db8::10"
    start one
    start two
    inside one systemctl start systemd-networkd
    inside two systemctl start systemd-networkd
    # By systemd's own files on either side, through the rules that keep the VE to itself.
    wait_until 30 has_lease || fail "the VE got no address: $(inside one networkctl status host0 | paste -sd' ')"
    net one ping -n -q -c 1 -w 20 $HOST4 >/dev/null || fail "the host can't be reached by what DHCP gave"
    expect_match "$(vectl network show one)" "*address*/28 on host0 (not of the definition)*"
    # What the definition says, a networkd of the VE keeps.
    wait_until 30 is_configured || fail "$(inside two networkctl status host0 | paste -sd' ')"
    answer_in two
    reaches outside 192.0.2.10
    reaches outside 2001:db8::10
    expect_status 0 vectl network show two
    # The VE names its interfaces; what steers a terminal is not printed.
    net two ip link set host0 name $'x\e[31mx'
    ! vectl network show two | grep -q $'\e' || fail "an escape code gets through"
    systemctl stop ve@one ve@two systemd-networkd.service systemd-networkd.socket
    outside_stop
}
has_lease() {
    net one ip -brief -4 addr show host0 | grep -q '/28'
}
is_configured() {
    inside two networkctl status host0 | grep -q 'State: routable (configured)'
}
check "systemd-networkd in VEs gets addresses by DHCP, and keeps those that were set" both_networkds
systemctl stop systemd-networkd.service systemd-networkd.socket 2>/dev/null
remove one two

networkd() {
    local networkd=/usr/lib/systemd/systemd-networkd
    [ -x $networkd ] || skip "no systemd-networkd on this host"
    outside_start
    systemctl start systemd-networkd.service || skip "systemd-networkd does not start here"
    net_start one "Address=192.0.2.10 2001:db8::10"
    answer_in one
    reaches outside 192.0.2.10
    # By the files that systemd ships: an address for the host's end, and DHCP for the VE's.
    net_start two "Mode=veth"
    wait_until 15 has_private || fail "networkd gave ve-two no address: $(networkctl status ve-two | paste -sd' ')"
    # It leaves the routed one alone.
    reaches outside 192.0.2.10
    reaches outside 2001:db8::10
    systemctl stop systemd-networkd.service systemd-networkd.socket
    outside_stop
}
has_private() {
    ip -brief addr show ve-two | grep -q '/28'
}
check "systemd-networkd on the host sees to veth, and leaves routed VEs alone" networkd
systemctl stop systemd-networkd.service systemd-networkd.socket 2>/dev/null
remove one two

killed() {
    local n
    outside_start
    net_snapshot >"$WORK/net"
    net_define one "Address=192.0.2.10 2001:db8::10" "Forward=tcp:8080:80" "Masquerade=yes" "BandwidthOut=10M"
    # At every message to the kernel, which is where something may have been done and not been noted.
    for n in {1..40}; do
        mkdir -p /run/systemd/system/ve@one.service.d
        printf '[Service]\nExecStart=\nExecStart=strace -f -qqq -o /dev/null -e trace=sendmsg -e inject=sendmsg:signal=KILL:when=%s %s one\n' \
            "$n" $LAUNCH >/run/systemd/system/ve@one.service.d/99-kill.conf
        systemctl daemon-reload
        if systemctl start ve@one 2>/dev/null; then
            break
        fi
        reset one
        wait_until 10 same_net || fail "killed at message $n it left: $(diff "$WORK/net" "$WORK/net.now" | paste -sd' ')"
    done
    rm -r /run/systemd/system/ve@one.service.d
    systemctl daemon-reload
    [ "$n" -gt 5 ] || fail "only $n messages"
    systemctl restart ve@one
    net outside ping -n -q -c 1 -w 20 192.0.2.10 >/dev/null || fail "in the end it can't be reached"
    systemctl stop ve@one
    wait_until 10 same_net || fail "left: $(diff "$WORK/net" "$WORK/net.now" | paste -sd' ')"
    outside_stop
}
check "killed at any step of it, a start leaves nothing" killed
remove one

killed_update() {
    local n status
    outside_start
    ip link add br0 type bridge
    ip link set br0 up
    net_snapshot >"$WORK/net"
    for n in {1..60}; do
        net_define one "Address=192.0.2.10" "Forward=tcp:8080:80" "Masquerade=yes" "BandwidthOut=10M"
        start one
        net_define one "Address=192.0.2.11" "Forward=tcp:8081:80" "BandwidthIn=10M"
        status=0
        strace -f -qqq -o /dev/null -e trace=sendmsg -e "inject=sendmsg:signal=KILL:when=$n" \
            /usr/libexec/veneer/ve-network update one || status=$?
        systemctl stop ve@one
        wait_until 10 same_net || fail "killed at message $n it left: $(diff "$WORK/net" "$WORK/net.now" | paste -sd' ')"
        [ $status -ne 0 ] || break
    done
    [ $status -eq 0 ] && [ "$n" -gt 5 ] || fail "it ended at message $n with status $status"
    ip link del br0
    outside_stop
}
check "killed at any step, a live change leaves nothing that a stop does not take back" killed_update
ip link del br0 2>/dev/null
remove one
remove_template tiny

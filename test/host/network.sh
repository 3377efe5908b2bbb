# SPDX-License-Identifier: LGPL-2.1-or-later
# Every way for a VE to get to the network: that it does, with IPv4 and IPv6, and who reaches whom.
. "$(dirname "$(realpath "$0")")/lib.sh"
. "$(dirname "$(realpath "$0")")/lib-network.sh"

tiny_template tiny static-init

# Each of the two VEs, the host and the outside, with each other.
all_reach_all() {
    local from to
    answer_in one
    answer_in two
    for from in host outside two; do
        for to in "$@"; do
            reaches $from "$to"
        done
    done
    for to in $HOST4 $HOST6 $OUTSIDE4 $OUTSIDE6; do
        reaches one "$to"
    done
}

routed() {
    outside_start
    answer_in host
    net_snapshot >"$WORK/net"
    net_start one "Address=192.0.2.10 2001:db8::10"
    net_start two "Mode=routed" "Address=203.0.113.7/24 2001:db8:1::7/48"
    # What is not on the outside's own network, it must be told of: that is the data centre's router.
    ip -n outside route add 203.0.113.7 via $HOST4
    ip -n outside -6 route add 2001:db8:1::7 via $HOST6
    all_reach_all 192.0.2.10 2001:db8::10
    reaches outside 203.0.113.7
    reaches outside 2001:db8:1::7
    expect "$(net one ip -brief addr show host0 | awk '{ print $3 }')" 192.0.2.10/32 "the address"
    # The host is seen as itself, not as the end of a cable.
    expect "$(ask host tcp 192.0.2.10)" $HOST4 "where the host's question comes from"
    expect "$(ask host tcp 2001:db8::10)" $HOST6 "where the host's question comes from"
    systemctl stop ve@one ve@two
    wait_until 10 same_net || fail "left: $(diff "$WORK/net" "$WORK/net.now" | paste -sd' ')"
    outside_stop
}
same_net() {
    net_snapshot >"$WORK/net.now"
    cmp -s "$WORK/net" "$WORK/net.now"
}
check "routed: VEs, host and outside reach each other" routed
remove one two

bridge() {
    outside_start
    bridge_start
    answer_in host
    net_snapshot >"$WORK/net"
    net_start one "Mode=bridge" "Bridge=br0" "Address=192.0.2.10/24 2001:db8::10/64" "Gateway=$OUTSIDE4 $OUTSIDE6"
    net_start two "Bridge=br0" "Address=192.0.2.11/24 2001:db8::11/64"
    all_reach_all 192.0.2.10 2001:db8::10
    expect "$(net one ip route show default | awk '{ print $3 }')" $OUTSIDE4 "the default route"
    expect "$(net one ip -6 route show default | awk '{ print $3 }')" $OUTSIDE6 "the default route"
    systemctl stop ve@one ve@two
    wait_until 10 same_net || fail "left: $(diff "$WORK/net" "$WORK/net.now" | paste -sd' ')"
    bridge_stop
    outside_stop
}
check "bridge: the same" bridge
remove one two
bridge_stop

bridge_created() {
    net_snapshot >"$WORK/net"
    net_start one "Bridge=vetest0" "BridgeCreate=yes" "Address=198.51.100.1/24"
    net_start two "Bridge=vetest0" "BridgeCreate=yes" "Address=198.51.100.2/24"
    answer_in one
    reaches two 198.51.100.1
    stop_answers
    systemctl stop ve@one
    ip link show vetest0 >/dev/null || fail "the bridge went with the first of two"
    systemctl stop ve@two
    wait_until 10 same_net || fail "left: $(diff "$WORK/net" "$WORK/net.now" | paste -sd' ')"
}
check "bridge: made when there is none, gone with the last" bridge_created
remove one two

isolated() {
    outside_start
    bridge_start
    net_start one "Bridge=br0" "Isolate=yes" "Address=192.0.2.10/24"
    net_start two "Bridge=br0" "Isolate=yes" "Address=192.0.2.11/24"
    net_start three "Bridge=br0" "Address=192.0.2.12/24"
    answer_in two
    answer_in three
    answer_in host
    cannot_reach one 192.0.2.11
    # The control: who is not, can be reached, as can the host and the outside.
    reaches one 192.0.2.12
    reaches one $HOST4
    reaches one $OUTSIDE4
    # Taken away by hand, it is missed, and comes back.
    expect_status 0 vectl network show
    command bridge link set dev vb-one isolated off
    expect_status 1 vectl network show one
    expect_match "$OUT" "*MISSING*isolated vb-one*"
    vectl network repair one
    cannot_reach one 192.0.2.11
    bridge_stop
    outside_stop
}
check "bridge: isolated VEs don't reach each other" isolated
remove one two three
bridge_stop

isolated_routed() {
    outside_start
    answer_in host
    net_start one "Isolate=yes" "Address=192.0.2.10"
    net_start two "Isolate=yes" "Address=192.0.2.11"
    net_start three "Address=192.0.2.12"
    answer_in two
    answer_in three
    cannot_reach one 192.0.2.11
    reaches one 192.0.2.12
    reaches one $OUTSIDE4
    outside_stop
}
check "routed: isolated VEs don't reach each other" isolated_routed
remove one two three

veth() {
    answer_in host
    net_start one "Mode=veth" "Address=198.51.100.2/30 2001:db8:2::2/64" "Gateway=198.51.100.1"
    ip addr add 198.51.100.1/30 dev ve-one
    ip addr add 2001:db8:2::1/64 dev ve-one nodad
    answer_in one
    reaches host 198.51.100.2
    reaches host 2001:db8:2::2
    reaches one 198.51.100.1
    reaches one 2001:db8:2::1
    stop_answers
}
check "veth: a cable to the host" veth
remove one

macvlan() {
    outside_start
    net_start one "Mode=macvlan" "Parent=up0" "Address=192.0.2.10/24 2001:db8::10/64"
    net_start two "Mode=macvlan" "Parent=up0" "Address=192.0.2.11/24 2001:db8::11/64"
    answer_in one
    for to in 192.0.2.10 2001:db8::10; do
        reaches outside $to
        reaches two $to
    done
    reaches one $OUTSIDE4
    reaches one $OUTSIDE6
    outside_stop
}
check "macvlan: VEs and outside reach each other" macvlan
remove one two

host_mode() {
    net_start one "Mode=host"
    expect "$(readlink "/proc/$(leader one)/ns/net")" "$(readlink /proc/1/ns/net)" "the network namespace"
}
check "host: the host's own network" host_mode
remove one

namespace_mode() {
    ip netns add blue
    ip -n blue link set lo up
    net_start one "Mode=namespace" "Path=/run/netns/blue"
    expect "$(readlink "/proc/$(leader one)/ns/net")" "net:[$(stat -Lc %i /run/netns/blue)]" "the network namespace"
    systemctl stop ve@one
    ip -n blue link show lo >/dev/null || fail "the namespace is gone"
    ip netns del blue
}
check "namespace: one that is there already" namespace_mode
ip netns del blue 2>/dev/null
remove one

none_mode() {
    net_start one "Mode=none"
    expect "$(net one ip -brief link | awk '{ print $1 }' | paste -sd' ')" lo "the interfaces"
    net one ping -n -q -c 1 -w 20 127.0.0.1 >/dev/null
}
check "none: loopback, and nothing else" none_mode
remove one

several() {
    outside_start
    ip link add br1 type bridge
    ip link set br1 up
    ip addr add 10.1.0.1/24 dev br1
    net_define one "Address=198.51.100.9" "[Network]" "Bridge=br1" "Name=lan" "Address=10.1.0.10/24" "MTU=1400" \
        "MACAddress=02:00:00:00:00:0a" "Route=203.0.113.0/24,10.1.0.1"
    start one
    answer_in one
    reaches host 198.51.100.9
    reaches host 10.1.0.10
    expect "$(net one ip -brief link show lan | awk '{ print $3 }')" 02:00:00:00:00:0a "the MAC address"
    expect "$(net one ip link show lan | sed -n 's/.* mtu \([0-9]*\).*/\1/p')" 1400 "the MTU"
    expect "$(net one ip route show 203.0.113.0/24 | awk '{ print $3 }')" 10.1.0.1 "the route"
    expect "$(net one ip route show default | awk '{ print $5 }')" host0 "the default route's interface"
    ip link del br1
    outside_stop
}
check "several interfaces, each with what is said of it" several
remove one
ip link del br1 2>/dev/null

forward() {
    local port
    outside_start
    net_start one "Address=192.0.2.10 2001:db8::10" "Forward=tcp:8080:80 udp:8053:53 tcp:9000-9002:78-80"
    answer_in one
    # From outside, from the host's own addresses, and from its loopback.
    for port in 8080 9002; do
        expect "$(ask outside tcp $HOST4 $port)" $OUTSIDE4 "who asked at $port from outside"
        expect "$(ask outside tcp $HOST6 $port)" $OUTSIDE6 "who asked at $port from outside"
        for to in 127.0.0.1 ::1 $HOST4 $HOST6; do
            [ -n "$(ask host tcp $to $port)" ] || fail "nobody answers at $to, port $port"
        done
    done
    expect "$(ask outside udp $HOST4 8053)" $OUTSIDE4 "who asked by UDP"
    [ -n "$(ask host udp 127.0.0.1 8053)" ] || fail "nobody answers at 127.0.0.1 by UDP"
    expect "$(ask outside tcp $HOST4 8081)" "" "the answer at another port"
    systemctl stop ve@one
    expect "$(ask outside tcp $HOST4 8080)" "" "the answer when the VE has stopped"
    outside_stop
}
check "forwards, from outside, from the host and from loopback" forward
remove one

masquerade() {
    outside_start
    net_start one "Address=10.9.8.7 fd00::7" "Masquerade=yes"
    expect "$(ask one tcp $OUTSIDE4)" $HOST4 "where the question comes from"
    expect "$(ask one tcp $OUTSIDE6)" $HOST6 "where the question comes from"
    outside_stop
}
check "masquerading hides a VE behind the host" masquerade
remove one

least_effort() {
    outside_start
    vectl create one --template=host --address=192.0.2.10 --set VE.Hostname=one.example.org --set Network.DNS=$OUTSIDE4 \
        --set Network.Domains=example.org --start
    answer_in one
    reaches outside 192.0.2.10
    expect "$(inside one hostname)" one.example.org
    expect "$(inside one getent hosts one.example.org | awk '{ print $1 }')" 192.0.2.10 "its own address, by its name"
    expect "$(inside one grep -c -e "^nameserver $OUTSIDE4\$" -e '^search example.org$' /etc/resolv.conf)" 2 "what resolv.conf says"
    expect "$(inside one getent ahostsv4 some-name | awk 'NR == 1 { print $1 }')" 203.0.113.53 "what DNS says of a name"
    expect_match "$(vectl list -n -o name,address)" "one*192.0.2.10*"
    [ "$(vectl list -n -o rx | tr -d ' ')" != - ] || fail "list does not know what it received"
    stop_answers
    vectl destroy --force one
    outside_stop
}
check "vectl create --address is all that it takes" least_effort
remove one

GUEST_FILES="/etc/hosts /etc/resolv.conf /run/systemd/network/10-veneer-host0.network"
files_follow() {
    local change live
    vectl create one --template=host --address=192.0.2.10
    vectl set one Network.DNS=192.0.2.53 Network.Domains=example.org
    systemctl start ve@one
    for change in "Network.DNS+=192.0.2.54 Network.Address+=192.0.2.11" "Network.Domains= Network.Address-=192.0.2.10" Network.DNS=; do
        # shellcheck disable=SC2086 # a list
        vectl set one $change 2>"$WORK/err"
        expect_match "$(cat "$WORK/err")" "*Saved; * in effect in VE one."
        # shellcheck disable=SC2086 # a list
        inside one cat $GUEST_FILES >"$WORK/live"
    done
    expect "$(inside one grep -v '^#' /etc/resolv.conf)" "" "what resolv.conf says"
    expect "$(inside one getent hosts localhost | awk '{ print $2 }')" localhost
    expect "$(inside one getent hosts one | awk '{ print $1 }')" 192.0.2.11 "its own address, by its name"
    ! inside one sh -c 'echo 10.0.0.1 db >>/etc/hosts' || fail "a file that is not the VE's own can be written to"
    vectl set one Network.DNS=192.0.2.55
    # shellcheck disable=SC2086 # a list
    live=$(inside one cat $GUEST_FILES)
    systemctl restart ve@one
    # shellcheck disable=SC2086 # a list
    expect "$live" "$(inside one cat $GUEST_FILES)" "what was written live, against what a start writes"
    # What is not there can't be rewritten. Where its root leads us astray is its own.
    inside one sh -c 'umount /run/host/network/hosts 2>/dev/null; mount -t tmpfs none /run/host &&
        mv /run/systemd/network /run/systemd/was && ln -s / /run/systemd/network'
    vectl set one Network.Address=192.0.2.12 2>"$WORK/err"
    expect_match "$(cat "$WORK/err")" "*/etc/hosts of VE one *when it is restarted*"
    inside one grep -q 192.0.2.12 /10-veneer-host0.network || fail "it was written elsewhere"
    [ ! -e /10-veneer-host0.network ] || fail "it was written on the host"
    vectl destroy --force one
    # In the host's network, too.
    define one "[VE]" "Template=host" "[Network]" "Mode=host" "DNS=192.0.2.53"
    start one
    expect "$(inside one grep -c 192.0.2.53 /etc/resolv.conf)" 1 "what resolv.conf says"
    sed -i /DNS=/d /etc/ve/one.ve
    vectl set one Network.DNS=192.0.2.54
    expect "$(inside one grep -v '^#' /etc/resolv.conf)" "nameserver 192.0.2.54"
    vectl set one Network.DNS=
    expect "$(inside one grep -v '^#' /etc/resolv.conf)" "" "what resolv.conf says"
    vectl destroy --force one
}
check "hosts, resolv.conf and what networkd reads follow a live change" files_follow
remove one

owned() {
    vectl create one --template=host --address=192.0.2.10 --set Network.DNS=192.0.2.53 --start
    # What the VE itself wrote stays, from the next start on.
    inside one sh -c 'umount /etc/hosts /etc/resolv.conf && echo "10.0.0.1 db" >>/etc/hosts && ln -sf /run/mine /etc/resolv.conf'
    systemctl restart ve@one
    expect "$(inside one tail -n 1 /etc/hosts)" "10.0.0.1 db"
    expect "$(inside one readlink /etc/resolv.conf)" /run/mine
    vectl destroy --force one
}
check "hosts and resolv.conf that the VE sees to itself are left alone" owned
remove one

access() {
    outside_start
    net_start one "Address=192.0.2.10" "Allow=192.0.2.2"
    expect "$(systemctl show --value --property=IPAddressAllow ve-one.slice)" 192.0.2.2/32 "whom it may talk to"
    expect_match "$(systemctl show --value --property=IPAddressDeny ve-one.slice)" "*0.0.0.0/0*" "whom it may not"
    outside_stop
}
check "Allow= and Deny= are systemd's" access

remove one two three
remove_template tiny

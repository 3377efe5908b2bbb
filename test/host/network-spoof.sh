# SPDX-License-Identifier: LGPL-2.1-or-later
# What root in a VE can send: raw frames in somebody else's name, made here byte by byte. None may
# arrive; and each does, by the same way, where the VE has AntiSpoof=no, or where the rules are gone:
# otherwise that it does not arrive would say nothing.
. "$(dirname "$(realpath "$0")")/lib.sh"
. "$(dirname "$(realpath "$0")")/lib-network.sh"

VE=one
OWN4=192.0.2.10 OWN6=2001:db8::10 OTHER4=192.0.2.11 OTHER6=2001:db8::11
STRANGER=02:00:00:5e:ed:99 BROADCAST=ff:ff:ff:ff:ff:ff STP_GROUP=01:80:c2:00:00:00
# What frames are of for the host, for whom IP and ARP, 802.2, VLAN tags and LLDP are.
TYPES=(0800 0806 86dd 0004 8100 88a8 88cc)
# Frames stay in their order only if they are sent by the same processor.
CPU=$(sed -n 's/^Cpus_allowed_list:[^0-9]*\([0-9]*\).*/\1/p' /proc/self/status)

tiny_template tiny static-init
NETNS=$(mountpoint -q /run/netns && echo yes)

# --- frames, as hex
#
# MAC is the sender's true one. Each frame has in its last 28 bytes, where nobody looks at it, a MARK of
# its own; by these it is found.

mac() {
    echo "${1//:/}"
}

ip4() {
    # shellcheck disable=SC2086 # its four numbers
    printf '%02x%02x%02x%02x' ${1//./ }
}

ip6() {
    local left right i
    IFS=: read -ra left <<<"${1%%::*}"
    right=()
    [[ $1 != *::* ]] || IFS=: read -ra right <<<"${1##*::}"
    for ((i = ${#left[@]}; i + ${#right[@]} < 8; i++)); do
        left[i]=0
    done
    printf '%04x' "${left[@]/#/0x}" "${right[@]/#/0x}"
}

# The Internet's checksum (RFC 1071) of some hex.
checksum() {
    local hex=$1 sum=0 i
    for ((i = 0; i < ${#hex}; i += 4)); do
        sum=$((sum + 16#${hex:i:4}))
    done
    while ((sum > 0xffff)); do
        sum=$(((sum & 0xffff) + (sum >> 16)))
    done
    printf '%04x' $((~sum & 0xffff))
}

# The link-local address that is made of a MAC address.
link_local() {
    local hex
    hex=$(mac "$1")
    printf 'fe80::%02x%s:%sff:fe%s:%s' $((16#${hex:0:2} ^ 2)) "${hex:2:2}" "${hex:4:2}" "${hex:6:2}" "${hex:8:4}"
}

# ether TYPE HEX: from SOURCE to TO, which are the true one and everybody unless set.
ether() {
    printf '%s%s%s%s\n' "$(mac "${TO:-$BROADCAST}")" "$(mac "${SOURCE:-$MAC}")" "$1" "$2"
}

# from MAC COMMAND…, to MAC COMMAND…: the same frame with another address of Ethernet.
from() {
    local SOURCE=$1
    "${@:2}"
}
to() {
    local TO=$1
    "${@:2}"
}

# tagged TAG COMMAND…: the frame with a VLAN tag.
tagged() {
    local frame
    frame=$("${@:2}")
    echo "${frame:0:24}$1${frame:24}"
}

# arp OPERATION MAC ADDRESS TARGET: the sender's addresses; whom it asks for, or tells.
arp() {
    ether 0806 "000108000604000$1$(mac "$2")$(ip4 "$3")$MARK$(ip4 "$4")"
}

# udp FROM-PORT TO-PORT. Without a checksum, as IPv4 allows; IPv6's would be looked at after arrival.
udp() {
    printf '%04x%04x00140000%s' "$1" "$2" "${MARK}${MARK}"
}

# ipv4 FROM TO PROTOCOL HEX: the offset of a fragment is OFFSET.
ipv4() {
    local start end
    start=45$(printf '00%04x5eed%04x40' $((20 + ${#4} / 2)) "${OFFSET:-0}")$3
    end=$(ip4 "$1")$(ip4 "$2")
    ether 0800 "$start$(checksum "$start$end")$end$4"
}

# udp4 FROM TO [FROM-PORT TO-PORT]
udp4() {
    ipv4 "$1" "$2" 11 "$(udp "${3:-1000}" "${4:-2000}")"
}

# fragment4 OFFSET COMMAND…: with 0x2000 it is the first of several.
fragment4() {
    local OFFSET=$1
    "${@:2}"
}

# ipv6 FROM TO NEXT HEX: as VIA says, behind another header.
ipv6() {
    local next=$3 body=$4
    case ${VIA:-} in
    hop-by-hop) body=${next}00010400000000$body next=00 ;;
    destination) body=${next}00010400000000$body next=3c ;;
    # All of it in one; and a first one that ends before what matters.
    fragment) body=${next}000000$(printf '%.8s' "$MARK")$body next=2c ;;
    hidden) body=3c000001$(printf '%.8s' "$MARK")${next}000104${MARK:4:8} next=2c ;;
    esac
    ether 86dd "60000000$(printf %04x $((${#body} / 2)))${next}ff$(ip6 "$1")$(ip6 "$2")$body"
}
via() {
    local VIA=$1
    "${@:2}"
}

udp6() {
    ipv6 "$1" "$2" 11 "$(udp "${3:-1000}" "${4:-2000}")"
}

# icmp6 FROM TO TYPE HEX
icmp6() {
    local sum
    sum=$(checksum "$(ip6 "$1")$(ip6 "$2")$(printf '%08x' $((4 + ${#4} / 2)))0000003a${3}000000$4")
    ipv6 "$1" "$2" 3a "${3}00$sum$4"
}

# The four bytes after the checksum are reserved, but for three flags of an advertisement.
# solicit FROM ADDRESS [OPTION], advertise FROM ADDRESS [OPTION]
solicit() {
    icmp6 "$1" ff02::1 87 "${MARK:4:8}$(ip6 "$2")${3:-}"
}
advertise() {
    icmp6 "$1" ff02::1 88 "2${MARK:5:7}$(ip6 "$2")${3:-}"
}

# As the MAC address of who asks, and of what is told.
asker() {
    echo "0101$(mac "$1")"
}
told() {
    echo "0201$(mac "$1")"
}

# A router that is none any more, with an option that nobody knows: it harms nobody here.
router() {
    icmp6 "$1" ff02::1 86 "400000000000000000000000fd01$MARK"
}

redirect() {
    icmp6 "$1" ff02::1 89 "${MARK:4:8}$(ip6 "$(link_local "$MAC")")$(ip6 2001:db8:9::9)"
}

# A bridge's word that it is the root (802.1D), in a frame that has a length for a type, and padding.
bpdu() {
    local root
    root=0000$(mac "$MAC")
    to "$1" ether 0026 "4242030000000000${root}00000000${root}80010000140002000f00$MARK"
}

lldp() {
    ether 88cc "020704$(mac "$MAC")040703$(mac "$MAC")06020078fe06${MARK}0000"
}

# --- what is tried

NAMES=() FRAMES=() MARKS=0

# frame NAME COMMAND…: one more.
frame() {
    local MARK
    MARKS=$((MARKS + 1))
    MARK=$(printf '5eed5eed%04x' $MARKS)
    NAMES+=("$1")
    FRAMES+=("$("${@:2}")")
}

no_frames() {
    NAMES=() FRAMES=()
}

# The VE has MAC, OWN4 and OWN6; the router has GATEWAY, GATEWAY4, GATEWAY6; another VE OTHER4, OTHER6.
attacks() {
    local local6
    local6=$(link_local "$MAC")
    no_frames
    frame "IPv4 from another MAC address" from $STRANGER udp4 "$OWN4" 255.255.255.255
    frame "IPv4 from the router's MAC address" from "$GATEWAY" udp4 "$OWN4" 255.255.255.255
    frame "IPv6 from another MAC address" from $STRANGER udp6 "$OWN6" ff02::1
    frame "ARP from another MAC address" from $STRANGER arp 1 "$MAC" "$OWN4" "$OTHER4"
    frame "ARP that the router is here" arp 2 "$MAC" "$GATEWAY4" "$OTHER4"
    frame "ARP request by the router" arp 1 "$MAC" "$GATEWAY4" "$OTHER4"
    frame "ARP that another VE is here" arp 2 "$MAC" "$OTHER4" "$GATEWAY4"
    frame "ARP that it is elsewhere" arp 2 $STRANGER "$OWN4" "$GATEWAY4"
    frame "ARP that it is where the router is" arp 2 "$GATEWAY" "$OWN4" "$OTHER4"
    frame "gratuitous ARP for the router" arp 1 "$MAC" "$GATEWAY4" "$GATEWAY4"
    frame "gratuitous ARP for another VE" arp 2 "$MAC" "$OTHER4" "$OTHER4"
    frame "ARP probe for another VE's address" arp 1 "$MAC" 0.0.0.0 "$OTHER4"
    frame "IPv4 from the router" udp4 "$GATEWAY4" 255.255.255.255
    frame "IPv4 from another VE" udp4 "$OTHER4" 255.255.255.255
    frame "IPv4 from the broadcast address" udp4 255.255.255.255 "$OTHER4"
    frame "IPv4 from nobody" udp4 0.0.0.0 "$OTHER4"
    frame "an IPv4 fragment from the router" fragment4 3 udp4 "$GATEWAY4" "$OTHER4"
    frame "IPv6 from the router" udp6 "$GATEWAY6" ff02::1
    frame "IPv6 from another VE" udp6 "$OTHER6" ff02::1
    frame "IPv6 from another link-local address" udp6 fe80::99 ff02::1
    frame "IPv6 from nobody" udp6 :: ff02::1
    frame "an advertisement of the router's address" advertise "$OWN6" "$GATEWAY6" "$(told "$MAC")"
    frame "the same, by its link-local address" advertise "$local6" "$GATEWAY6" "$(told "$MAC")"
    frame "the same, without an option" advertise "$OWN6" "$GATEWAY6"
    frame "the same, as the router" advertise "$GATEWAY6" "$GATEWAY6" "$(told "$MAC")"
    frame "an advertisement of another VE's" advertise "$OWN6" "$OTHER6" "$(told "$MAC")"
    frame "an advertisement that it is elsewhere" advertise "$OWN6" "$OWN6" "$(told $STRANGER)"
    frame "an advertisement in a fragment" via fragment advertise "$OWN6" "$GATEWAY6" "$(told "$MAC")"
    frame "a solicitation as the router" solicit "$GATEWAY6" "$OTHER6" "$(asker "$MAC")"
    frame "a solicitation as somebody elsewhere" solicit "$OWN6" "$OTHER6" "$(asker $STRANGER)"
    frame "duplicate detection of the router's address" solicit :: "$GATEWAY6"
    frame "a router advertisement" router "$local6"
    frame "the same, behind a hop-by-hop header" via hop-by-hop router "$local6"
    frame "the same, behind destination options" via destination router "$local6"
    frame "the same, in a fragment" via fragment router "$local6"
    frame "the same, in fragments that don't show it" via hidden router "$local6"
    frame "a redirect" redirect "$local6"
    frame "a redirect as the router" redirect fe80::1
    frame "a DHCPv4 server's reply" udp4 "$OWN4" 255.255.255.255 67 68
    frame "the same, from another port" udp4 "$OWN4" 255.255.255.255 1000 68
    frame "the same, a first fragment" fragment4 0x2000 udp4 "$OWN4" 255.255.255.255 67 68
    frame "a DHCPv6 server's reply" udp6 "$local6" ff02::1 547 546
    frame "the same, behind a hop-by-hop header" via hop-by-hop udp6 "$local6" ff02::1 547 546
    frame "its own IPv4 in a VLAN" tagged 81000005 udp4 "$OWN4" 255.255.255.255
    frame "its own IPv4 with a tag of no VLAN" tagged 81000000 udp4 "$OWN4" 255.255.255.255
    frame "its own IPv4 in a VLAN of a provider" tagged 88a80006 udp4 "$OWN4" 255.255.255.255
    frame "ARP that the router is here, in a VLAN" tagged 81000005 arp 2 "$MAC" "$GATEWAY4" "$OTHER4"
    frame "a router advertisement in a VLAN" tagged 81000000 router "$local6"
    frame "STP" bpdu $STP_GROUP
    frame "STP to everybody" bpdu $BROADCAST
    frame "LLDP to everybody" lldp
}

# What the rules keep from the host even of a VE with AntiSpoof=no.
loopback_attacks() {
    no_frames
    frame "IPv4 to 127.0.0.1" udp4 "$OWN4" 127.0.0.1
    frame "IPv4 from 127.0.0.1" udp4 127.0.0.1 255.255.255.255
    frame "IPv6 to ::1" udp6 "$OWN6" ::1
    frame "IPv6 from ::1" udp6 ::1 ff02::1
}

# What is its own to send.
legitimate() {
    local local6
    local6=$(link_local "$MAC")
    no_frames
    frame "IPv4" udp4 "$OWN4" 255.255.255.255
    frame "a later fragment of IPv4" fragment4 3 udp4 "$OWN4" 255.255.255.255 67 68
    frame "IPv6" udp6 "$OWN6" ff02::1
    frame "IPv6 from its link-local address" udp6 "$local6" ff02::1
    frame "an ARP request" arp 1 "$MAC" "$OWN4" "$OTHER4"
    frame "an ARP reply" arp 2 "$MAC" "$OWN4" "$OTHER4"
    frame "gratuitous ARP" arp 1 "$MAC" "$OWN4" "$OWN4"
    frame "gratuitous ARP, a reply" arp 2 "$MAC" "$OWN4" "$OWN4"
    frame "an ARP probe for its address" arp 1 "$MAC" 0.0.0.0 "$OWN4"
    frame "duplicate detection of its address" solicit :: "$OWN6"
    frame "the same, with a nonce" solicit :: "$OWN6" 0e01123456789abc
    frame "duplicate detection of its link-local address" solicit :: "$local6"
    frame "a solicitation" solicit "$OWN6" "$OTHER6" "$(asker "$MAC")"
    frame "an advertisement of its address" advertise "$OWN6" "$OWN6" "$(told "$MAC")"
    frame "the same, by its link-local address" advertise "$local6" "$OWN6" "$(told "$MAC")"
    frame "a DHCPv6 client's question" udp6 "$local6" ff02::1:2 546 547
}

# --- sending, and seeing what arrives

# As root of the VE is one: in its user namespace, and its network's.
as_root_of() {
    nsenter --target "$(leader "$1")" --user --net -- "${@:2}"
}

# The LAST is the VE's own, and passes by the same way behind all others: when it is seen, those that
# were not seen will not be.
LAST=1a575eed1a57

# see WHERE LINK [TYPE]…: from now on, until the last.
see() {
    : >"$WORK/seen-$1"
    net "$1" "$INITS/see-frames" "$2" 20 $LAST$LAST "${@:3}" >"$WORK/seen-$1" &
    WATCHERS+=($!)
    WATCHED+=("$1")
    wait_until 20 grep -q ready "$WORK/seen-$1" || fail "nobody looks at $1:$2"
}

# throw NAME: sends the frames and the last, and waits until those who look have seen that.
throw() {
    local pid
    # shellcheck disable=SC2016 # the inner shell's
    as_root_of "$1" taskset -c "$CPU" bash -c 'for frame; do "$0" host0 "$frame" || exit 1; done' \
        "$INITS/send-raw" "${FRAMES[@]}" "$(MARK=$LAST udp4 "$OWN4" 255.255.255.255)"
    for pid in "${WATCHERS[@]}"; do
        wait "$pid" || fail "what is the VE's own did not arrive"
    done
    WATCHERS=()
}

# watched NAME: the same, with those looking who would be the victims, whichever mode it is.
watched() {
    WATCHERS=() WATCHED=()
    case $MODE in
    bridge)
        see outside eth0
        see two host0
        ;;
    # The host's end itself, where the host's IP and ARP have it.
    *) see host "$LINK" "${TYPES[@]}" ;;
    esac
    throw "$1"
}

# arrived WHERE: sets ARRIVED and LOST to the names of the frames that did, and that did not.
arrived() {
    local seen i
    seen=$(cat "$WORK/seen-$1")
    ARRIVED=() LOST=()
    for i in "${!FRAMES[@]}"; do
        if [[ $seen == *"${FRAMES[i]: -56}"* ]]; then
            ARRIVED+=("${NAMES[i]};")
        else
            LOST+=("${NAMES[i]};")
        fi
    done
}

none_arrives() {
    local where
    watched "$1"
    for where in "${WATCHED[@]}"; do
        arrived "$where"
        [ ${#ARRIVED[@]} -eq 0 ] || fail "at $where arrive ${#ARRIVED[@]}: ${ARRIVED[*]}"
    done
}

all_arrive() {
    local where
    watched "$1"
    for where in "${WATCHED[@]}"; do
        arrived "$where"
        [ ${#LOST[@]} -eq 0 ] || fail "at $where don't arrive ${#LOST[@]}: ${LOST[*]}"
    done
}

# How many packets of a VE the rules dropped, as people see it, whatever else may be missing there.
drops() {
    { vectl network show "$1" || true; } | sed -n 's/^ *rules *in force, \([0-9]*\) packets dropped.*$/\1/p'
}

dropped_more() {
    [ "$(drops $VE)" -ge $(($1 + $2)) ] || fail "of $2 attacks, $(($(drops $VE) - $1)) are counted as dropped"
}

# --- the places

# mac_of WHERE LINK
mac_of() {
    net "$1" ip -brief link show "$2" | awk '{ print $3 }'
}

# With the module br_netfilter, connection tracking keeps fragments until it has all: the control would
# not see them.
whole_bridge() {
    local knob
    for knob in /proc/sys/net/bridge/bridge-nf-call-{ip,ip6,arp}tables; do
        [ ! -e $knob ] || echo "${1:-0}" >$knob
    done
}

# place MODE [LINE]…: the VE that attacks, with these lines more in its definition; everybody around.
place() {
    MODE=$1
    systemctl stop ve@$VE ve@two
    outside_start
    case $MODE in
    bridge)
        bridge_stop
        bridge_start
        whole_bridge
        LINK=vb-$VE GATEWAY4=$OUTSIDE4 GATEWAY6=$OUTSIDE6 GATEWAY=$(mac_of outside eth0)
        net_start $VE "Bridge=br0" "Address=$OWN4/24 $OWN6/64" "Gateway=$GATEWAY4 $GATEWAY6" "${@:2}"
        net_start two "Bridge=br0" "Address=$OTHER4/24 $OTHER6/64"
        ;;
    routed)
        LINK=vr-$VE
        net_start $VE "Address=$OWN4 $OWN6" "${@:2}"
        net_start two "Address=$OTHER4 $OTHER6"
        GATEWAY=$(mac_of host $LINK)
        GATEWAY4=$(net $VE ip route show default | awk '{ print $3 }')
        GATEWAY6=$(net $VE ip -6 route show default | awk '{ print $3 }')
        ;;
    veth)
        OWN4=198.51.100.2 OWN6=2001:db8:2::2 GATEWAY4=198.51.100.1 GATEWAY6=2001:db8:2::1
        OTHER4=198.51.100.3 OTHER6=2001:db8:2::3 LINK=ve-$VE
        net_start $VE "Mode=veth" "Address=$OWN4/24 $OWN6/64" "Gateway=$GATEWAY4 $GATEWAY6" "${@:2}"
        ip addr add $GATEWAY4/24 dev $LINK
        ip addr add $GATEWAY6/64 dev $LINK nodad
        GATEWAY=$(mac_of host $LINK)
        ;;
    esac
    MAC=$(mac_of $VE host0)
}

leave() {
    stop_answers
    remove $VE two
    bridge_stop
    outside_stop
}

spoofs() {
    local before
    place "$1"
    attacks
    before=$(drops $VE)
    none_arrives $VE
    dropped_more "$before" ${#FRAMES[@]}
    loopback_attacks
    none_arrives $VE
    echo "$1: ${#NAMES[@]}"
}

control_spoofs() {
    place "$1" "AntiSpoof=no"
    attacks
    all_arrive $VE
    # These are nobody's to send.
    loopback_attacks
    none_arrives $VE
    nft delete table netdev veneer
    nft delete table inet veneer
    all_arrive $VE
}

# Sets LIMITS to the lines that limit a VE's bandwidth, where the kernel can.
find_limits() {
    LIMITS=()
    modprobe -q ifb || true
    ip link add ifbtest type ifb || return 0
    ip link del ifbtest
    LIMITS=("BandwidthIn=50M" "BandwidthOut=50M")
}

lives() {
    local before
    place "$1"
    answer_in $VE
    answer_in host
    before=$(drops $VE)
    legitimate
    all_arrive $VE
    case $1 in
    bridge | routed)
        for at in outside host; do
            reaches $at "$OWN4"
            reaches $at "$OWN6"
        done
        for at in $OUTSIDE4 $OUTSIDE6 $HOST4 $HOST6; do
            reaches $VE "$at"
        done
        ;;
    veth)
        reaches host "$OWN4"
        reaches host "$OWN6"
        reaches $VE "$GATEWAY4"
        reaches $VE "$GATEWAY6"
        ;;
    esac
    expect "$(drops $VE)" "$before" "the number of packets dropped"
}

for mode in bridge routed veth; do
    check "$mode: nothing in another's name arrives, and that is counted" spoofs $mode
    check "$mode: control: without AntiSpoof all of it does; without rules, loopback too" control_spoofs $mode
    check "$mode: what is the VE's own arrives, and it is reached" lives $mode
    leave
done

# --- who has loopback

# A service of the host that only the host is to reach: prints what it hears, in hex.
SERVICE='$| = 1;
    $socket = IO::Socket::INET->new(LocalAddr => "127.0.0.1:4444", Proto => "udp") or die "$!\n";
    print "ready\n";
    print unpack("H*", $_), "\n" while defined $socket->recv($_, 100)'
listen_at_loopback() {
    : >"$WORK/heard"
    perl -MIO::Socket::INET -e "$SERVICE" >"$WORK/heard" 2>&1 &
    echo $! >>"$WORK/answers"
    wait_until 20 grep -q ready "$WORK/heard" || fail "nobody listens at 127.0.0.1: $(cat "$WORK/heard")"
}

# expect_heard WHEN NOTHING|SOMETHING. What the host itself says is heard behind all else.
expect_heard() {
    local tag heard
    no_frames
    for tag in '' 81000000 8100000081000000 88a8000081000000; do
        frame "tagged \"$tag\"" tagged "$tag" to "$GATEWAY" udp4 "$OWN4" 127.0.0.1 1000 4444
    done
    watched $VE
    printf '%s' "end $MARKS" >/dev/udp/127.0.0.1/4444
    heard=$(printf '%s' "end $MARKS" | od -An -tx1 | tr -d ' ')
    wait_until 20 grep -q -x "$heard" "$WORK/heard" || fail "the host does not hear itself"
    heard=$(grep -c '^5eed5eed....5eed5eed' "$WORK/heard" || true)
    case $2 in
    nothing) [ "$heard" -eq "$HEARD" ] || fail "127.0.0.1 hears of a VE, $1" ;;
    something) [ "$heard" -gt "$HEARD" ] || fail "control: 127.0.0.1 hears nothing, $1" ;;
    esac
    HEARD=$heard
}

loopback() {
    # It is the forwarded port for which the kernel no longer keeps wires from 127.0.0.1.
    place routed "Forward=tcp:8080:80"
    listen_at_loopback
    HEARD=0
    expect_heard "with all rules" nothing
    place routed "Forward=tcp:8080:80" "AntiSpoof=no"
    listen_at_loopback
    expect_heard "with AntiSpoof=no" nothing
    nft delete table netdev veneer
    expect_heard "without the rules of the link" nothing
    nft delete table inet veneer
    expect_heard "without any rule" something
    vectl network repair
    expect_heard "with the rules put back" nothing
}
check "a service at the host's 127.0.0.1 hears nothing, but for the control" loopback
leave

# --- those who share a bridge

neighbours() {
    local before
    place bridge
    net_start three "Bridge=br0" "Address=192.0.2.12/24 2001:db8::12/64" "AntiSpoof=no"
    attacks
    none_arrives $VE
    before=$(drops $VE)
    # The third does as it likes, in the first one's name as well.
    MAC=$(mac_of three host0) OWN4=192.0.2.12 OWN6=2001:db8::12 OTHER4=192.0.2.10 OTHER6=2001:db8::10
    attacks
    all_arrive three
    expect "$(drops $VE)" "$before" "the number of packets of its neighbour that were dropped"
    remove three
}
check "a neighbour with AntiSpoof=no changes nothing for others" neighbours
remove three
leave

# --- what root in the VE can do about it

# What the host has, without what it counts.
rules() {
    nft -s list ruleset
    tc qdisc show dev "$LINK"
    tc qdisc show dev "vi.$VE" || true
    ip -brief link show dev "$LINK"
    bridge -d link show dev "$LINK"
}

same_rules() {
    rules >"$WORK/rules.now"
    cmp -s "$WORK/rules" "$WORK/rules.now"
}

tampers() {
    local command before
    find_limits
    place bridge "${LIMITS[@]}"
    rules >"$WORK/rules"
    # Each works there; that is not where the rules are.
    for command in "nft flush ruleset" "nft add table netdev veneer" "nft delete table netdev veneer" \
        "nft add table inet veneer" "nft delete table inet veneer" \
        "tc qdisc add dev host0 root pfifo" "tc qdisc del dev host0 root" \
        "ip link set host0 promisc on" "ip link add br9 type bridge" "ip link set host0 master br9" \
        "ip link set host0 nomaster" "ip link del br9" "ip addr add $GATEWAY4/32 dev host0" \
        "ip link set host0 down" "ip link set host0 name eth7" "ip link set eth7 name host0" \
        "ip link set host0 up" "ip link set host0 address $STRANGER"; do
        # shellcheck disable=SC2086 # a command's words
        as_root_of $VE $command || fail "it can't \"$command\", hence this shows nothing"
    done
    # The MAC address that it has now is not its own: nothing of it passes.
    cannot_reach $VE $HOST4
    as_root_of $VE ip link set host0 address "$MAC"
    reaches_host() {
        net $VE ping -n -q -c 1 -W 1 $HOST4
    }
    wait_until 20 reaches_host || fail "control: with its own MAC address it can't ping either"
    wait_until 20 same_rules || fail "the host's side has changed: $(diff "$WORK/rules" "$WORK/rules.now")"
    attacks
    before=$(drops $VE)
    none_arrives $VE
    dropped_more "$before" ${#FRAMES[@]}
    # By the host's names for what it is on, it has nothing.
    for command in "ip link show $LINK" "ip link show br0" "tc qdisc del dev $LINK root" \
        "ip link set host0 netns 1" "nft list chain netdev veneer from-$LINK"; do
        # shellcheck disable=SC2086 # a command's words
        ! as_root_of $VE $command || fail "it can \"$command\""
    done
}
check "what its root does to its own network changes nothing on the host's side" tampers
leave

unplugs() {
    place bridge
    answer_in host
    reaches $VE $HOST4
    as_root_of $VE ip link del host0
    ! ip link show $LINK 2>/dev/null || fail "the host's end is still there"
    # What it makes itself leads nowhere.
    as_root_of $VE ip link add host0 address "$MAC" type veth peer name host9
    as_root_of $VE ip link set host9 up
    as_root_of $VE ip link set host0 up
    as_root_of $VE ip addr add $OWN4/24 dev host0
    cannot_reach $VE $HOST4
    ! bridge link show | grep -q "$LINK" || fail "something of the VE is on the bridge"
    expect_status 1 vectl network show $VE
    expect_match "$OUT" "*MISSING*" "what is shown"
    # The next start plugs it in again, with its rules.
    systemctl restart ve@$VE
    reaches $VE $HOST4
    attacks
    none_arrives $VE
    # Without a link, newer kernels keep its chain.
    as_root_of $VE ip link del host0
    systemctl stop ve@$VE
    ! nft list chain netdev veneer from-$LINK 2>/dev/null || fail "its rules are left behind"
}
check "a VE that deletes its interface has none, until its next start" unplugs
leave

# --- others who see to the host's rules

flushed() {
    nft flush ruleset
    all_arrive $VE
    expect_status 1 vectl network show $VE
    expect_match "$OUT" "*MISSING*" "what is shown"
}

# Nothing was dropped yet by rules that are new.
in_force() {
    expect "$(drops $VE)" 0 "the number of packets dropped by the new rules"
    none_arrives $VE
    [ "$(drops $VE)" -ge ${#FRAMES[@]} ] || fail "not all is counted: $(drops $VE) of ${#FRAMES[@]}"
    expect_status 0 vectl network show $VE
}

flush() {
    place "$1"
    attacks
    none_arrives $VE
    flushed
    vectl network repair $VE
    in_force
    # Of the others too, and again what is there already.
    vectl network repair
    expect_status 0 vectl network show
    none_arrives $VE
}
for mode in bridge routed; do
    check "$mode: after a flush all passes, after a repair nothing does" flush $mode
    leave
done

nftables_service() {
    place bridge
    attacks
    [ -e /etc/nftables.conf ] || fail "there is no /etc/nftables.conf"
    # The control: what the service loads, by itself, takes the rules away.
    nft -f /etc/nftables.conf
    all_arrive $VE
    for verb in start reload restart stop; do
        none_arrives_after "$verb"
    done
    systemctl start nftables.service
}
none_arrives_after() {
    systemctl "$1" nftables.service
    in_force
    # Not only of the VE that attacks.
    expect_status 0 vectl network show
}
check "nftables.service, whatever is done with it, has the rules back behind it" nftables_service
systemctl stop nftables.service
leave

halves() {
    local table
    place routed "Forward=tcp:8080:80"
    answer_in $VE
    for table in "netdev veneer" "inet veneer"; do
        # shellcheck disable=SC2086 # a family and a name
        nft delete table $table
        expect_status 1 vectl network show $VE
        expect_match "$OUT" "*MISSING*" "what is shown without the table $table"
        vectl network repair $VE
        expect_status 0 vectl network show $VE
        [ -n "$(ask outside tcp $HOST4 8080)" ] || fail "the forward is not repaired"
    done
}
check "that one of the two tables is gone is seen and repaired" halves
leave

# What a VE sends is led through its limit by a rule.
limits() {
    find_limits
    [ ${#LIMITS[@]} -gt 0 ] || skip "no ifb in this kernel"
    place routed "${LIMITS[@]}"
    redirected || fail "there is no limit at all"
    for verb in start reload restart stop; do
        systemctl "$verb" nftables.service
        redirected || fail "the limit of what it sends is gone after $verb"
    done
    nft flush ruleset
    ! redirected || fail "control: the limit does not depend on rules"
    vectl network repair
    redirected || fail "the limit of what it sends is gone after a repair"
}
redirected() {
    local before
    before=$(passed)
    net $VE ping -n -q -c 3 -i 0.05 -w 20 $HOST4
    [ "$(passed)" -gt "$before" ]
}
# Packets that went through the bucket.
passed() {
    tc -s qdisc show dev vi.$VE | sed -n 's/^ Sent [0-9]* bytes \([0-9]*\) pkt.*/\1/p' | head -n 1
}
check "nftables.service, whatever is done with it, leaves the limit of what a VE sends" limits
systemctl stop nftables.service
leave

whole_bridge 1
# The mount that `ip netns` made.
[ -n "$NETNS" ] || {
    umount /run/netns
    rmdir /run/netns
}
remove_template tiny

# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced after lib.sh by the tests of networking.
#
# There is nothing in the host's network at first. `outside_start` makes a neighbour: the network namespace
# "outside", on a cable whose end here is up0.
#
#     host     up0   192.0.2.1/24, 2001:db8::1/64
#     outside  eth0  192.0.2.2/24, 2001:db8::2/64

: "${INITS:?lib.sh comes first}"
ANSWER=$INITS/answer
HOST4=192.0.2.1 HOST6=2001:db8::1 OUTSIDE4=192.0.2.2 OUTSIDE6=2001:db8::2

outside_start() {
    outside_stop
    ip netns add outside
    ip link add up0 type veth peer name eth0 netns outside
    ip addr add $HOST4/24 dev up0
    ip addr add $HOST6/64 dev up0 nodad
    ip link set up0 up
    ip -n outside link set lo up
    ip -n outside addr add $OUTSIDE4/24 dev eth0
    ip -n outside addr add $OUTSIDE6/64 dev eth0 nodad
    ip -n outside link set eth0 up
    answer_in outside
}

outside_stop() {
    stop_answers
    ip netns del outside 2>/dev/null || true
    ip link del up0 2>/dev/null || true
    # ip-netns(8) makes a mount of it.
    [ -n "$(ls -A /run/netns 2>/dev/null)" ] || umount /run/netns 2>/dev/null || true
}

# Makes the host's uplink a port of a bridge br0, which has the host's addresses then.
bridge_start() {
    # A multicast group is joined a moment after an address is used for the first time.
    ip link add br0 type bridge mcast_snooping 0
    ip link set br0 up
    ip addr flush dev up0
    ip link set up0 master br0
    ip addr add $HOST4/24 dev br0
    ip addr add $HOST6/64 dev br0 nodad
}

bridge_stop() {
    ip link del br0 2>/dev/null || true
}

# Defines a VE of the smallest kind with the lines given in [Network]; several sections by "[Network]".
net_define() {
    local name=$1
    shift
    write_definition "$name" "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=tiny" "NotifyReady=no" \
        "StopSignal=SIGTERM" "[Network]" "$@"
    systemctl daemon-reload
}

# Defines and starts one.
net_start() {
    net_define "$@"
    start "$1"
}

# Runs a command in a network namespace: of a VE, "outside" or "host".
net() {
    (net_exec "$@")
}

# The same, in place of the shell.
net_exec() {
    local where=$1
    shift
    case $where in
    host) exec "$@" ;;
    outside) exec ip netns exec outside "$@" ;;
    *) exec nsenter --target "$(leader "$where")" --net -- "$@" ;;
    esac
}

# Has somebody answer at ports 53 and 80 there, until `stop_answers`.
answer_in() {
    local where=$1 port ready=$WORK/ready-$1
    for port in 53 80; do
        : >"$ready"
        # What is killed later must be it, not a shell in front of it.
        (net_exec "$where" "$ANSWER" $port) >"$ready" 2>&1 </dev/null &
        echo $! >>"$WORK/answers"
        wait_until 20 grep -q ready "$ready" || fail "nobody answers at $where:$port: $(cat "$ready")"
    done
}

stop_answers() {
    [ ! -e "$WORK/answers" ] || xargs -r kill 2>/dev/null <"$WORK/answers" || true
    rm -f "$WORK/answers"
}

# What is seen of the question: the address it came from. Nothing when there was no answer.
ask() {
    net "$1" "$ANSWER" ask "$2" "$3" "${4:-80}" 2>/dev/null || true
}

# reaches FROM ADDRESS: by ping, TCP, and UDP at DNS's port.
reaches() {
    net "$1" ping -n -q -c 1 -w 20 "$2" >/dev/null || fail "$1 can't ping $2"
    [ -n "$(ask "$1" tcp "$2")" ] || fail "$1 can't reach $2 by TCP"
    [ -n "$(ask "$1" udp "$2" 53)" ] || fail "$1 can't reach $2 by UDP at port 53"
}

cannot_reach() {
    ! net "$1" ping -n -q -c 1 -W 1 "$2" >/dev/null || fail "$1 can ping $2"
}

# Forwarding, which stays on, has the host answer to its networks' anycast addresses.
net_routes() {
    ip "$1" route show table all | grep -v -e fe80 -e multicast -e ff00 -e anycast | LC_ALL=C sort
}

# What the host's network looks like, for comparing: names and addresses, not counters.
net_snapshot() {
    ip -brief link | sed 's/ .*//' | LC_ALL=C sort
    ip -brief addr | awk '{ $2 = ""; print }' | LC_ALL=C sort
    net_routes -4
    net_routes -6
    ip neigh show proxy
    ip -6 neigh show proxy
    nft list ruleset 2>/dev/null | grep -E 'chain (from-|v[erb]-)|elements' || true
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl set: what it keeps, refuses and changes at once; and create --address, which is about the same.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=vset
FILE=/etc/ve/$VE.ve.d/90-vectl-set.conf
COMMENT="# Made by vectl set, which writes all of it anew: put what is yours into another file."
mkdir -p /etc/ve
tiny_template $VE static-init
vectl create $VE --template=$VE --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM || true

# What setting may touch, names and contents.
listing() {
    find /etc/ve /run/ve /var/lib/ve/private /run/systemd/generator -printf '%p %y %m %s\n' 2>/dev/null | LC_ALL=C sort
    find /etc/ve -type f -exec sha256sum {} + | LC_ALL=C sort
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

# kept LINE…: the drop-in says that and nothing else.
kept() {
    expect "$(cat $FILE)" "$(printf '%s\n' "$COMMENT" "$@")" "what is in $FILE"
}

set_quietly() {
    expect_status 0 vectl set $VE "$@"
    expect "$OUT$ERR" "" "what it said"
}

slice_property() {
    systemctl show --value --property="$1" "ve-$VE.slice"
}

reloads() {
    journalctl --sync
    journalctl --quiet --output=cat _PID=1 --since="$SINCE" | grep -c '^Reloading\.\|^Reloading finished' || true
}

# How many lines systemd logs about one reload.
one_reload() {
    echo $(($(systemd_version) >= 254 ? 2 : 1))
}

saves() {
    local definition
    definition=$(cat /etc/ve/$VE.ve)
    SINCE=$(now)
    set_quietly VE.Hostname=one Slice.TasksMax=50 'Unit.Description=100% "x" \ y' Slice.CPUWeight=20
    kept "[VE]" "Hostname=one" "" "[Slice]" "TasksMax=50" "CPUWeight=20" "" "[Unit]" 'Description=100% "x" \ y'
    expect "$(reloads)" "$(one_reload)" "the number of lines about a reload"
    expect "$(stat -c '%a %U' $FILE)" "644 root" "its mode and owner"
    expect "$(slice_property TasksMax)" 50 "TasksMax="
    expect "$(property $VE Description)" '100% "x" \ y' "the description"
    expect "$(cat /etc/ve/$VE.ve)" "$definition" "the definition"
    expect_match "$(vectl status $VE)" "*reload=no*" "the status"
}
check "saves several settings with one reload" saves

replaces() {
    set_quietly Slice.TasksMax=60 VE.Hostname=two
    kept "[VE]" "Hostname=two" "" "[Slice]" "TasksMax=60" "CPUWeight=20" "" "[Unit]" 'Description=100% "x" \ y'
    expect "$(slice_property TasksMax)" 60 "TasksMax="
}
check "a setting replaces what was set before" replaces

takes_back() {
    set_quietly VE.Hostname= Unit.Description= Slice.CPUWeight=
    kept "[Slice]" "TasksMax=60"
    set_quietly Slice.TasksMax=
    test ! -e /etc/ve/$VE.ve.d
    expect "$(slice_property TasksMax)" 16384 "TasksMax="
    set_quietly Slice.TasksMax=
    test ! -e /etc/ve/$VE.ve.d
}
check "an empty value takes back, the last one the file too" takes_back

lists() {
    set_quietly Network.Address=192.0.2.1 Network.Address+=192.0.2.2
    kept "[Network]" "Address=" "Address=192.0.2.1 192.0.2.2"
    set_quietly Network.Address-=192.0.2.1 Network.Address+=2001:0db8::1 Network.MTU=1400
    kept "[Network]" "Address=" "Address=192.0.2.2 2001:db8::1" "MTU=1400"
    refused 2 "Cannot add 192.0.2.2 to Network.Address of VE $VE: it is there already." set $VE Network.Address+=192.0.2.2
    refused 2 "Cannot take 192.0.2.9 from Network.Address of VE $VE: it is not there." \
        set $VE Network.MTU=1300 Network.Address-=192.0.2.9
    set_quietly Network.Address= Network.MTU=
    test ! -e $FILE
}
check "lists are set, added to and taken from" lists

over_lists_of_others() {
    mkdir -p /etc/ve/$VE.ve.d
    printf '[Network]\nAddress=192.0.2.5\nAddress=192.0.2.6\n' >/etc/ve/$VE.ve.d/10-mine.conf
    set_quietly Network.Address+=192.0.2.7
    kept "[Network]" "Address=" "Address=192.0.2.5 192.0.2.6 192.0.2.7"
    set_quietly Network.Address-=192.0.2.5
    kept "[Network]" "Address=" "Address=192.0.2.6 192.0.2.7"
    expect "$(vectl show $VE | grep -c '^Address=')$(vectl show $VE | grep '^Address=')" "1Address=192.0.2.6 192.0.2.7" \
        "the addresses in effect"
    set_quietly Network.Address=
    test ! -e $FILE
    expect "$(cat /etc/ve/$VE.ve.d/10-mine.conf)" "$(printf '[Network]\nAddress=192.0.2.5\nAddress=192.0.2.6')" "the other file"
    rm -r /etc/ve/$VE.ve.d
    systemctl daemon-reload
}
check "what other files have in a list is changed without them" over_lists_of_others

interfaces() {
    set_quietly Network.Address=192.0.2.1 Network.2.Mode=veth Network.2.Name=eth7
    kept "[Network]" "Address=" "Address=192.0.2.1" "" "[Network]" "Mode=veth" "Name=eth7"
    set_quietly Network.2.Mode= Network.2.Name=
    kept "[Network]" "Address=" "Address=192.0.2.1"
    set_quietly Network.Address=
}
check "further interfaces have numbers" interfaces

refuses() {
    set_quietly Slice.TasksMax=70
    refused 2 "*missing*set --help*" set $VE
    refused 2 "*\"foo\" is no setting*" set $VE Slice.TasksMax=1 foo
    refused 2 "Cannot set VE.Hostname=a b: *" set $VE "VE.Hostname=a b"
    refused 2 "*did you mean Hostname=?*" set $VE VE.Hostnam=a
    refused 2 "*ExecStart*" set $VE Service.ExecStart=/bin/sh
    refused 2 "*is no list*" set $VE VE.Hostname+=a
    refused 2 "*use \"=\"*" set $VE Unit.After+=a.service
    refused 2 "*only one section*" set $VE VE.2.Hostname=a
    refused 2 "*counted from 1*" set $VE Network.0.MTU=1400
    refused 2 "*control character*" set $VE $'Unit.Description=a\n[Service]\nExecStart=/bin/sh'
    refused 2 "*cannot be the name*" set ../x VE.Hostname=a
    refused 3 "There is no VE vset-none." set vset-none VE.Hostname=a
    refused 78 "Cannot change VE $VE: Gateway= has no meaning*" set $VE Slice.TasksMax=1 Network.Gateway=192.0.2.1
    refused 78 "Cannot change VE $VE: *profile \"no-such\"*" set $VE VE.Profile=no-such
    expect_status 77 setpriv --reuid=65534 --regid=65534 --clear-groups vectl set $VE VE.Hostname=a
    kept "[Slice]" "TasksMax=70"
    set_quietly Slice.TasksMax=
}
check "what is wrong gets a sentence and changes nothing" refuses

masked() {
    printf '[VE]\nTemplate=%s\n' $VE >/run/ve-masked
    mkdir -p /usr/lib/ve
    mv /run/ve-masked /usr/lib/ve/vset-pkg.ve
    ln -s /dev/null /etc/ve/vset-pkg.ve
    refused 3 "VE vset-pkg is masked*" set vset-pkg VE.Hostname=a
    rm /etc/ve/vset-pkg.ve
}
check "a masked VE is refused" masked

packaged() {
    expect_status 0 vectl set vset-pkg VE.Hostname=a
    expect "$(vectl show vset-pkg | grep '^Hostname=')" Hostname=a
    expect "$(cat /usr/lib/ve/vset-pkg.ve)" "$(printf '[VE]\nTemplate=%s' $VE)" "the package's file"
    expect_status 0 vectl set vset-pkg VE.Hostname=
    test ! -e /etc/ve/vset-pkg.ve.d
    rm /usr/lib/ve/vset-pkg.ve
    rmdir /usr/lib/ve 2>/dev/null || true
    systemctl daemon-reload
}
check "a VE of a package can be changed" packaged

edited() {
    mkdir -p /etc/ve/$VE.ve.d
    printf '[VE]\nHostname=hand\nmade\n' >$FILE
    refused 78 "$FILE:3: *" set $VE VE.Hostname=a
    printf '[Slice]\nTasksMax=9\n# mine\n[VE]\nHostname=hand\n' >$FILE
    set_quietly Slice.TasksMax=10
    kept "[VE]" "Hostname=hand" "" "[Slice]" "TasksMax=10"
    set_quietly Slice.TasksMax= VE.Hostname=
}
check "an edited file keeps its settings, or is not touched" edited

stronger() {
    mkdir -p /etc/ve/$VE.ve.d
    printf '[Slice]\nTasksMax=11\n' >/etc/ve/$VE.ve.d/95-later.conf
    expect_status 0 vectl set $VE Slice.TasksMax=12
    expect_sentence "$ERR" "vectl: /etc/ve/$VE.ve.d/95-later.conf:2 has a say in Slice.TasksMax too, and comes after $FILE."
    rm /etc/ve/$VE.ve.d/95-later.conf
    systemctl set-property --runtime ve-$VE.slice TasksMax=13
    expect_status 0 vectl set $VE Slice.TasksMax=14
    expect_sentence "$ERR" "vectl: Saved, but what \`systemctl set-property\` has made of TasksMax wins: *systemctl revert*"
    expect "$(slice_property TasksMax)" 13 "TasksMax="
    systemctl revert ve-$VE.slice
    expect "$(slice_property TasksMax)" 14 "TasksMax= after systemctl revert"
    set_quietly Slice.TasksMax=
}
check "what is stronger is named" stronger

undone() {
    set_quietly VE.Hostname=before
    mount -t tmpfs -o size=16k,nr_inodes=2 none /etc/ve
    mkdir -p /usr/lib/ve
    printf '[VE]\nTemplate=%s\n' $VE >/usr/lib/ve/vset-pkg.ve
    expect_status 1 vectl set vset-pkg VE.Hostname=a
    expect "$(ls -A /etc/ve)" "" "what is in /etc/ve"
    umount /etc/ve
    expect_sentence "$ERR" "vectl: Cannot write /etc/ve/vset-pkg.ve.d/90-vectl-set.conf: No space left*"
    rm /usr/lib/ve/vset-pkg.ve
    rmdir /usr/lib/ve 2>/dev/null || true
    systemctl daemon-reload
    kept "[VE]" "Hostname=before"
    set_quietly VE.Hostname=
}
check "a full disk leaves nothing half-made" undone

# killed_at CALL N ARGUMENT…
killed_at() {
    local call=$1 n=$2 status=0
    shift 2
    strace -o "$WORK/trace" -e "inject=$call:signal=KILL:when=$n" vectl "$@" >"$WORK/said" 2>&1 || status=$?
    [ $status -eq 137 ] || fail "killed at $call $n it ended with $status: $(cat "$WORK/said")"
}

# everywhere BEFORE AFTER: from the hostname BEFORE to AFTER ("": unset), killed at every system call that
# changes or tells something. One of the two is there then, whole, and the next command leaves nothing.
everywhere() {
    local call n max total=0 before="$1" after="$2" found
    command -v strace >/dev/null || skip "no strace here"
    set_quietly VE.Hostname="$before"
    strace -c -o "$WORK/counts" vectl set $VE VE.Hostname="$after"
    for call in mkdir mkdirat rename renameat2 unlink unlinkat rmdir fsync sendmsg; do
        max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts")
        for ((n = 1; n <= max; n++)); do
            set_quietly VE.Hostname="$before"
            killed_at "$call" "$n" set $VE VE.Hostname="$after"
            found=$(sed -n 's/^Hostname=//p' $FILE 2>/dev/null || true)
            [ "$found" = "$before" ] || [ "$found" = "$after" ] || fail "after $call $n the hostname is \"$found\""
            [ ! -e $FILE ] || kept "[VE]" "Hostname=$found"
            vectl check $VE
            set_quietly VE.Hostname="$after"
            expect "$(sed -n 's/^Hostname=//p' $FILE 2>/dev/null || true)" "$after" "the hostname"
            set_quietly VE.Hostname=
            test ! -e /etc/ve/$VE.ve.d || fail "after $call $n there is $(ls -A /etc/ve/$VE.ve.d)"
            total=$((total + 1))
        done
    done
    echo "killed $total times"
    [ $total -gt 5 ] || fail "only $total system calls to kill at"
}
check "killed while it makes the file" everywhere "" new
check "killed while it changes the file" everywhere old new
check "killed while it removes the file" everywhere old ""

at_once() {
    local i pids=()
    for i in 1 2 3 4; do
        vectl set $VE "Slice.TasksMax=5$i" "Network.Address=192.0.2.$i" 2>/dev/null &
        pids+=($!)
        vectl set $VE "Network.DNS+=192.0.2.5$i" 2>/dev/null &
        pids+=($!)
    done
    wait "${pids[@]}"
    expect "$(grep -c = $FILE)" 5 "the number of lines"
    expect "$(grep '^DNS=.' $FILE | tr ' =' '\n\n' | grep -c '^192')" 4 "the number of name servers"
    set_quietly Slice.TasksMax= Network.Address= Network.DNS=
}
check "commands on one VE at once take turns" at_once

live() {
    expect_status 0 vectl start $VE
    SINCE=$(now)
    expect_status 0 vectl set $VE Slice.TasksMax=80
    expect_sentence "$ERR" "vectl: Saved; Slice.TasksMax is in effect in VE $VE."
    expect "$(slice_property TasksMax)" 80 "TasksMax="
    expect "$(reloads)" "$(one_reload)" "the number of lines about a reload"
    expect_status 0 vectl set $VE Slice.TasksMax=90 Slice.CPUWeight=30
    expect_sentence "$ERR" "vectl: Saved; Slice.TasksMax and Slice.CPUWeight are in effect in VE $VE."
    expect "$(slice_property TasksMax) $(slice_property CPUWeight)" "90 30"
}
check "limits change live" live

live_in_kernel() {
    need_controllers pids
    expect_status 0 vectl set $VE Slice.TasksMax=77
    expect "$(cat "$(cgroup_root)/ve.slice/ve-$VE.slice/pids.max")" 77 "pids.max"
}
check "limits change in the running VE's cgroup" live_in_kernel

# systemd brings programs of running units up to date sometimes only.
filters() {
    expect_status 0 vectl set $VE Slice.IPAddressDeny=192.0.2.0/24
    expect_sentence "$ERR" "vectl: Saved; Slice.IPAddressDeny takes effect when VE $VE is restarted: *"
    expect_status 0 vectl set $VE Slice.IPAddressDeny=
}
check "packet filters are said to take a restart" filters

restart_is_said() {
    local pid
    pid=$(leader $VE)
    expect_status 0 vectl set $VE VE.Hostname=later
    expect "$ERR" "vectl: Saved; VE.Hostname takes effect when VE $VE is restarted: \`vectl restart $VE\`."
    expect_status 0 vectl set $VE VE.Hostname=later Unit.After=a.service Service.TimeoutStopSec=7
    expect "$ERR" "vectl: Saved; VE.Hostname, Unit.After and Service.TimeoutStopSec take effect when VE $VE is restarted: \`vectl restart $VE\`."
    expect_status 0 vectl set $VE Slice.TasksMax=91 VE.Hostname=later
    expect "$ERR" "vectl: Saved; Slice.TasksMax is in effect in VE $VE.
vectl: Saved; VE.Hostname takes effect when VE $VE is restarted: \`vectl restart $VE\`."
    expect "$(leader $VE)" "$pid" "the leader"
    expect "$(nsenter --target "$pid" --uts hostname)" $VE "the hostname"
    expect_status 0 vectl restart $VE
    expect "$(nsenter --target "$(leader $VE)" --uts hostname)" later "the hostname after a restart"
}
check "what takes a restart is said" restart_is_said

new_interface_takes_restart() {
    expect_status 0 vectl set $VE Network.Address=192.0.2.77
    expect_sentence "$ERR" "vectl: *restart*vectl restart $VE*"
    expect_status 0 vectl set $VE Network.Address=
    vectl stop $VE
}
check "a new interface takes a restart" new_interface_takes_restart

created_with_address() {
    expect_status 0 vectl create vset-net --template=$VE --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM \
        --address=192.0.2.70 --address 2001:db8::70
    expect "$(sed -n '/^\[Network\]/,$p' /etc/ve/vset-net.ve)" "$(printf '[Network]\nAddress=192.0.2.70\nAddress=2001:db8::70')" \
        "the network in the definition"
    refused 2 "*address is missing*" create vset-x --template=$VE --address=
    refused 2 "*Address=x is not valid*" create vset-x --template=$VE --address=x
    refused 2 "*nothing to add to*" create vset-x --template=$VE --set Network.Address+=192.0.2.71
    expect_status 0 vectl create vset-two --template=$VE --set Network.2.Mode=veth --address=192.0.2.72
    expect "$(sed -n '/^\[Network\]/,$p' /etc/ve/vset-two.ve)" \
        "$(printf '[Network]\nAddress=192.0.2.72\n\n[Network]\nMode=veth')" "the networks in the definition"
    expect_status 0 vectl destroy vset-two
}
check "create takes addresses" created_with_address

# What the host speaks from, as one that is on a network has it.
ip address add 198.51.100.1/32 dev lo

network_columns() {
    expect "$(vectl list -n -o name,address,rx,tx | grep '^vset-net' | xargs)" "vset-net - - -" "before its start"
    expect_status 0 vectl start vset-net
    expect "$(vectl list -n -o address,name | grep 'vset-net$' | xargs)" "192.0.2.70 2001:db8::70 vset-net"
    expect_match "$(vectl list -n -o name,rx,tx | grep '^vset-net' | xargs)" "vset-net [0-9]* [0-9]*"
    expect_match "$(vectl list --json -o name,rx,tx | tr -d ' \n')" '*"name":"vset-net","rx":[0-9]*,"tx":[0-9]*'
    ping -q -c 2 -w 20 192.0.2.70
    [ "$(vectl list --json -o name,rx | tr -d ' \n' | sed 's/.*"vset-net","rx":\([0-9]*\).*/\1/')" -ge 168 ] ||
        fail "two pings were not counted"
}
check "list shows addresses and traffic" network_columns

network_live() {
    local pid
    pid=$(leader vset-net)
    expect_status 0 vectl set vset-net Network.Address+=192.0.2.71
    expect_sentence "$ERR" "vectl: Saved; Network.Address is in effect in VE vset-net."
    ping -q -c 1 -w 20 192.0.2.71
    expect "$(leader vset-net)" "$pid" "the leader"
    expect_status 0 vectl set vset-net Network.Address-=192.0.2.71
    ! ping -q -c 1 -W 1 192.0.2.71 || fail "the address that was taken away answers"
}
check "addresses change live" network_live

ip address delete 198.51.100.1/32 dev lo

destroyed() {
    expect_status 0 vectl destroy --force $VE vset-net
    expect "$(find /etc/ve /run/ve -name '*vset*')" "" "what is left"
}
check "destroy takes what was set along" destroyed

remove_template $VE

# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl rename: the same VE by another name, with all that goes by it.
. "$(dirname "$(realpath "$0")")/lib.sh"

mkdir -p /etc/ve /var/lib/ve/private
PRIVATE=/var/lib/ve/private
SYSTEM=/etc/systemd/system

tiny_template vr static-init

listing() {
    find /etc/ve /run/ve $PRIVATE $SYSTEM /etc/systemd/system.control /run/systemd/generator ! -name '*.lock' \
        -printf '%p %y %m %U:%G %s %l\n' 2>/dev/null | LC_ALL=C sort
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

# A check that leaves no VE to the next one.
alone() {
    local name
    check "$@"
    sweep
    for name in vr-a vr-b; do
        vectl destroy "$name" 2>/dev/null || true
    done
}

# A VE with something of everything that goes by its name.
make_full() {
    vectl create vr-a --template=vr --set VE.StopSignal=SIGTERM --set VE.NotifyReady=no "$@"
    echo content >$PRIVATE/vr-a/upper/file
    echo 6d2f3c9a4b5e4f708192a3b4c5d6e7f8 >$PRIVATE/vr-a/uuid
    mkdir -p /etc/ve/vr-a.ve.d
    printf '[Slice]\nTasksMax=71\n' >/etc/ve/vr-a.ve.d/x.conf
    systemctl enable --quiet ve@vr-a
    systemctl add-wants --quiet multi-user.target ve@vr-a.service
    systemctl set-property 've-vr\x2da.slice' CPUWeight=71
    mkdir -p $SYSTEM/ve@vr-a.service.d
    printf '[Service]\nTimeoutStopSec=71\n' >$SYSTEM/ve@vr-a.service.d/override.conf
    systemctl daemon-reload
}

# expect_full NAME SLICE
expect_full() {
    expect "$(cat "$PRIVATE/$1/upper/file")" content "the private data"
    expect "$(cat "$PRIVATE/$1/uuid")" 6d2f3c9a4b5e4f708192a3b4c5d6e7f8 "the id"
    expect "$(systemctl is-enabled "ve@$1")" enabled
    test -L "$SYSTEM/ve.target.wants/ve@$1.service"
    test -L "$SYSTEM/multi-user.target.wants/ve@$1.service"
    expect "$(property "$1" TimeoutStopUSec)" "1min 11s"
    expect "$(systemctl show --value --property=TasksMax "$2")" 71 "TasksMax="
    expect "$(systemctl show --value --property=CPUWeight "$2")" 71 "CPUWeight="
}

# What goes by a name.
left() {
    find /etc/ve $PRIVATE /etc/systemd /run/systemd/system /run/systemd/system.control /run/systemd/generator \
        -name "*$1" -o -name "*$1.*" -o -name "*@$1*" -o -name "*${1//-/'\\\\x2d'}*"
}

bad_input() {
    make_full
    refused 2 "*missing*rename --help*" rename
    refused 2 "*rename --help*" rename vr-a
    refused 2 "*rename --help*" rename vr-a vr-b vr-c
    refused 2 "*\"vr/b\" cannot be*" rename vr-a vr/b
    refused 2 "*cannot be*" rename vr-a ''
    refused 2 "*cannot be*" rename ../vr-a vr-b
    refused 2 "*that name already*" rename vr-a vr-a
    refused 3 "*no VE vr-no*" rename vr-no vr-b
    expect_status 77 setpriv --reuid=65534 --regid=65534 --clear-groups vectl rename vr-a vr-b
    vectl start vr-a
    refused 5 "VE vr-a is running*vectl stop vr-a*" rename vr-a vr-b
    vectl stop --fast vr-a
    vectl mount vr-a >/dev/null
    expect_status 5 vectl rename vr-a vr-b
    expect_sentence "$ERR" "vectl: VE vr-a is mounted at*"
    vectl umount vr-a
    ln -s /dev/null /etc/ve/vr-masked.ve
    refused 3 "*masked*" rename vr-masked vr-b
    rm /etc/ve/vr-masked.ve
}
alone "bad input gets a sentence and changes nothing" bad_input

exists() {
    make_full
    write_definition vr-b "[VE]" "Template=vr"
    refused 4 "*There is a VE vr-b already*" rename vr-a vr-b
    rm /etc/ve/vr-b.ve
    mkdir $PRIVATE/vr-b
    refused 4 "*private data of a VE vr-b*" rename vr-a vr-b
    rmdir $PRIVATE/vr-b
    mkdir /etc/ve/vr-b.ve.d
    refused 4 "*drop-ins of a VE vr-b*" rename vr-a vr-b
    rmdir /etc/ve/vr-b.ve.d
    mkdir $SYSTEM/ve@vr-b.service.d
    refused 4 "*something of a VE vr-b already, $SYSTEM/ve@vr-b.service.d*" rename vr-a vr-b
    rmdir $SYSTEM/ve@vr-b.service.d
    mkdir -p /usr/lib/ve/vr-a.ve.d
    refused 5 "*package*" rename vr-a vr-b
    rmdir /usr/lib/ve/vr-a.ve.d
    mv /etc/ve/vr-a.ve /usr/lib/ve/
    refused 5 "*package*" rename vr-a vr-b
    mv /usr/lib/ve/vr-a.ve /etc/ve/
    rmdir /usr/lib/ve 2>/dev/null || true
}
alone "what exists is left alone" exists

renames() {
    local definition
    make_full
    cp /etc/ve/vr-a.ve "$WORK/definition"
    vectl start vr-a
    vectl stop --fast vr-a
    vectl snapshot create vr-a before
    expect_full vr-a 've-vr\x2da.slice'
    expect_status 0 vectl rename vr-a vr-b
    expect "$OUT$ERR" "" "what it said"
    cmp "$WORK/definition" /etc/ve/vr-b.ve
    expect_full vr-b 've-vr\x2db.slice'
    vectl snapshot list vr-b | grep -q '^before ' || fail "a snapshot is missing: $(vectl snapshot list vr-b)"
    expect "$(left vr-a)" "" "what is left"
    expect "$(systemctl list-units --all --plain --no-legend '*vr-a*' '*vr\\x2da*')" "" "the units left"
    expect_status 0 vectl start vr-b
    expect "$(cat "/proc/$(leader vr-b)/root/file")" content "what it has"
    expect "$(tr '\0' '\n' <"/proc/$(leader vr-b)/environ" | sed -n 's/^container_uuid=//p')" 6d2f3c9a4b5e4f708192a3b4c5d6e7f8 "its id"
    vectl stop --fast vr-b
    # And back.
    expect_status 0 vectl rename vr-b vr-a
    expect_full vr-a 've-vr\x2da.slice'
    expect "$(left vr-b)" "" "what is left"
    vectl destroy vr-a
    expect "$(left vr-a)" "" "what is left"
}
alone "all of it goes by the new name" renames

runtime() {
    mkdir -p /run/ve/definitions/vr-a.ve.d
    printf '[VE]\nTemplate=vr\n' >/run/ve/definitions/vr-a.ve
    printf '[Slice]\nTasksMax=7\n' >/run/ve/definitions/vr-a.ve.d/x.conf
    systemctl daemon-reload
    systemctl enable --runtime --quiet ve@vr-a
    expect_status 0 vectl rename vr-a vr-b
    expect "$(systemctl is-enabled ve@vr-b)" enabled-runtime
    expect "$(systemctl show --value --property=TasksMax 've-vr\x2db.slice')" 7 "TasksMax="
    test ! -e $PRIVATE/vr-b
    systemctl mask --quiet ve@vr-b
    expect_status 0 vectl rename vr-b vr-a
    expect "$(systemctl is-enabled ve@vr-a || true)" masked
    systemctl unmask --quiet ve@vr-a
    vectl destroy vr-a
    rmdir /run/ve/definitions
    expect "$(left vr-a)" "" "what is left"
}
alone "a runtime definition, never started, and a mask" runtime

address() {
    inside "$1" cat /sys/class/net/host0/address
}

machine() {
    local mac id
    vectl create vr-a --template=host --set Network.Mode=veth --start
    mac=$(address vr-a)
    id=$(inside vr-a cat /etc/machine-id)
    vectl stop vr-a
    expect_status 0 vectl rename vr-a vr-b
    vectl start vr-b
    expect "$(address vr-b)" "$mac" "the MAC address"
    expect "$(inside vr-b cat /etc/machine-id)" "$id" "the machine-id"
    expect "$(inside vr-b hostname)" vr-b "the hostname"
    vectl stop vr-b
    vectl set vr-b VE.Hostname=stays
    expect_status 0 vectl rename vr-b vr-a
    vectl start vr-a
    expect "$(address vr-a)" "$mac" "the MAC address"
    expect "$(inside vr-a hostname)" stays "the hostname"
    vectl destroy --force vr-a
}
alone "it stays the same machine" machine

# Where a directory can't be renamed, for example.
undone() {
    make_full
    mkdir -p /etc/systemd/system.control
    mount --bind $SYSTEM/ve@vr-a.service.d $SYSTEM/ve@vr-a.service.d
    trap 'umount -l $SYSTEM/ve@vr-a.service.d' EXIT
    refused 1 "$SYSTEM/ve@vr-a.service.d can't be made one of VE vr-b: *" rename vr-a vr-b
    systemctl daemon-reload
    expect_full vr-a 've-vr\x2da.slice'
}
alone "a failure half-way is undone" undone

# A start finds the one name or the other.
slow_rename() {
    strace -f -qq -o /dev/null -e inject=renameat2:delay_enter=150000 vectl rename vr-a vr-b
}

started_meanwhile() {
    local rename
    command -v strace >/dev/null || skip "no strace here"
    make_full
    slow_rename 2>"$WORK/slow" &
    rename=$!
    wait_until 5 test -e /etc/ve/.vr-a.ve.to.vr-b || fail "it does not begin"
    systemctl start --no-block ve@vr-a || true
    wait $rename || fail "it said: $(cat "$WORK/slow")"
    expect_full vr-b 've-vr\x2db.slice'
    expect "$(left vr-a)" "" "what is left"
    expect "$(property vr-a ActiveState)" inactive
    vectl start vr-b
    expect "$(cat "/proc/$(leader vr-b)/root/file")" content "what it has"
    vectl destroy --force vr-b
}
alone "started meanwhile, it has its data" started_meanwhile

# --- killed

CALLS="renameat2 fsync unlink rmdir sendmsg"

count() {
    awk -v call="$1" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts"
}

killed() {
    local call n max step total=0 status now
    command -v strace >/dev/null || skip "no strace here"
    make_full --set Network.Mode=veth
    cp /etc/ve/vr-a.ve /run/ve/definitions/ 2>/dev/null || install -D /etc/ve/vr-a.ve /run/ve/definitions/vr-a.ve
    strace -c -o "$WORK/counts" vectl rename vr-a vr-b
    vectl rename vr-b vr-a
    [ "$(count renameat2)" -gt 8 ] || fail "it renames only $(count renameat2) files"
    for call in $CALLS; do
        max=$(count "$call")
        step=1
        # Each renaming is followed by one; and most questions are the same.
        case $call in
        fsync | sendmsg) step=3 ;;
        esac
        for ((n = 1; n <= max; n += step)); do
            status=0
            # Made anew each time, with its MAC address.
            rm -f /etc/ve/vr-a.ve.d/90-vectl-set.conf
            strace -o "$WORK/trace" -e "inject=$call:signal=KILL:when=$n" vectl rename vr-a vr-b >"$WORK/said" 2>&1 || status=$?
            [ $status -eq 137 ] || fail "killed at $call $n it ended with $status: $(cat "$WORK/said")"
            # Nothing is started without its data meanwhile.
            if [ -e /etc/ve/vr-a.ve ]; then test -e $PRIVATE/vr-a/upper/file; fi
            if [ -e /etc/ve/vr-b.ve ]; then test -e $PRIVATE/vr-b/upper/file; fi
            # Any command that would change something.
            expect_status 3 vectl destroy vr-none
            now=vr-a
            [ -e /etc/ve/vr-a.ve ] || now=vr-b
            expect_full $now "ve-${now//-/'\x2d'}.slice"
            test -e /run/ve/definitions/$now.ve || fail "after $call $n, a definition is missing"
            if [ $now = vr-b ]; then
                expect "$(left vr-a)" "" "what is left after $call $n"
                vectl rename vr-b vr-a
            else
                expect "$(left vr-b)" "" "what is left after $call $n"
            fi
            total=$((total + 1))
        done
    done
    vectl destroy vr-a
    rmdir /run/ve/definitions
    echo "killed $total times"
    [ $total -gt 15 ] || fail "only $total system calls to kill at"
}
alone "killed anywhere, it has one name" killed

remove_template vr

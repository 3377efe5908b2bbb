# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl snapshot: what a VE was, of both types of storage, stopped and running; whole or not at all.
. "$(dirname "$(realpath "$0")")/lib.sh"

PRIVATE=/var/lib/ve/private
mkdir -p /etc/ve

make_loop_nodes

tiny_template sn static-init
install "$INITS/busybox" /var/lib/ve/templates/sn/root/bin/busybox
for applet in sh dd touch rm ln cat mkdir sync sleep chown; do
    ln -s busybox /var/lib/ve/templates/sn/root/bin/$applet
done
echo lower >/var/lib/ve/templates/sn/root/etc/lower

new() {
    local name=$1
    shift
    vectl create "$name" --template=sn --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM "$@"
}

state() {
    vectl list -n -o name,state | awk -v name="$1" '$1 == name { print $2 }'
}

# What the tests change, as the running VE has it.
contents() {
    inside "$1" /bin/sh -c 'cat /root/f /root/d/f /etc/lower 2>&1; ls -A /root /etc | sort'
}

snapshots() {
    vectl snapshot list -n -o name "$1" | sort | tr -d ' ' | paste -sd' '
}

# Of commands that were killed.
leftovers() {
    find "$PRIVATE/.snapshots/$1" -mindepth 1 -maxdepth 1 -name '.*'
}

history_of() {
    local name=$1 before id first second
    shift
    [ "$name" != image ] || losetup --find >/dev/null 2>&1 || skip "no loop devices can be had on this host"
    new "$name" "$@" --start
    inside "$name" /bin/sh -c 'mkdir /root/d; echo one >/root/f; chown 33:34 /root/f; ln /root/f /root/d/f; rm /etc/lower'
    id=$(cat "/run/ve/running/$name/uid-base")
    before=$(contents "$name")
    first=$(vectl snapshot create "$name" first --description="the first one" 2>"$WORK/said")
    expect "$first" first "what is printed"
    expect_match "$(cat "$WORK/said")" "vectl: VE $name stood for [0-9]* ms." "what is said"
    expect "$(state "$name")" running "its state afterwards"
    inside "$name" /bin/sh -c 'echo two >/root/f; touch /root/new; rm -r /root/d; echo again >/etc/lower'
    second=$(contents "$name")
    vectl set "$name" Slice.TasksMax=77
    expect_status 5 vectl snapshot restore "$name" first
    expect_sentence "$ERR" "vectl: VE $name is running: stop it first with \`vectl stop $name\`."
    systemctl stop "ve@$name"
    vectl snapshot create "$name" second >"$WORK/out" 2>"$WORK/said"
    expect "$(cat "$WORK/said")" "" "what is said of a VE that did not run"
    vectl snapshot restore "$name" first 2>"$WORK/said"
    expect_match "$(cat "$WORK/said")" "vectl: What VE $name was until now is snapshot before-*." "what is said"
    [ ! -e "/etc/ve/$name.ve.d" ] || fail "TasksMax= of later is still there"
    start "$name"
    expect "$(contents "$name")" "$before" "what it has after it was restored"
    expect "$(stat -c %u:%g:%h "/proc/$(leader "$name")/root/root/f")" \
        "$(($(cat "/run/ve/running/$name/uid-base") + 33)):$(($(cat "/run/ve/running/$name/uid-base") + 34)):2" "a file's owner and names"
    inside "$name" /bin/touch /root/branch
    systemctl stop "ve@$name"
    vectl snapshot create "$name" branch >/dev/null
    vectl snapshot restore "$name" second 2>/dev/null
    grep -q TasksMax=77 "/etc/ve/$name.ve.d/"* || fail "TasksMax= of then is not there"
    start "$name"
    expect "$(contents "$name")" "$second" "what it has after the second was restored"
    systemctl stop "ve@$name"
    expect "$(vectl snapshot list -n -o name,base "$name" | grep -v '^before' | tr -s ' ' | sed 's/ $//' | paste -sd,)" \
        "first -,second first,branch first" "what came from what"
    expect "$(vectl snapshot list -n -o name,current "$name" | tr -s ' ' | grep ' yes' | sed 's/ $//')" "second yes" "what it is now"
    expect_match "$(vectl snapshot list --json "$name")" *'"name":'*'"description": "the first one"'* "the list as JSON"
}
check "overlay: stopped and running, back and forth, with branches and the definition" history_of overlay
check "image: the same" history_of image --set Storage.Type=image --set Storage.Size=32M
check "directory: the same" history_of directory --set Storage.Type=directory

undone() {
    local undo
    vectl set overlay Slice.TasksMax=88
    vectl snapshot restore --keep-definition overlay first 2>"$WORK/said"
    grep -q TasksMax=88 /etc/ve/overlay.ve.d/* || fail "the definition was changed"
    undo=$(sed -n 's/.* is snapshot \(.*\)\.$/\1/p' "$WORK/said")
    vectl set overlay Slice.TasksMax=99
    vectl snapshot restore overlay "$undo" 2>/dev/null
    grep -q TasksMax=88 /etc/ve/overlay.ve.d/* || fail "the definition did not come back"
    start overlay
    expect "$(inside overlay /bin/cat /root/f)" two "what it has again"
    systemctl stop ve@overlay
}
check "a restoring can be taken back; and leaves the definition when that is asked for" undone

refused() {
    expect_status 3 vectl snapshot restore overlay none
    expect_sentence "$ERR" "vectl: There is no snapshot none of VE overlay: \`vectl snapshot list overlay\` shows those there are."
    expect_status 3 vectl snapshot create nobody
    expect_status 4 vectl snapshot create overlay first
    expect_sentence "$ERR" "vectl: There is a snapshot first of VE overlay already: choose another name."
    expect_status 2 vectl snapshot create overlay ../x
    expect_status 2 vectl snapshot create overlay x --description=$'a\nb'
    expect_status 3 vectl snapshot delete overlay first none
    expect_match " $(snapshots overlay) " "* first *" "the snapshots after a wrong delete"
    echo "[Nonsense" >"$PRIVATE/.snapshots/overlay/branch/definition.ve"
    expect_status 78 vectl snapshot restore overlay branch
    expect "$(leftovers overlay)" "" "what is left of what was refused"
}
check "what can't be is refused in one sentence, and leaves nothing" refused

frozen() {
    start overlay
    # What an administrator froze stays so.
    systemctl freeze ve-overlay.slice
    vectl snapshot create overlay still >/dev/null 2>&1
    expect "$(grep frozen "$(cgroup_of overlay)/cgroup.events")" "frozen 1" "whether it is still frozen"
    systemctl thaw ve-overlay.slice
    systemctl stop ve@overlay
}

check "what an administrator has frozen stays frozen" frozen

thawed() {
    grep -q "frozen 0" "$(cgroup_of "$1")/cgroup.events"
}

# Killed at every system call that matters: with the VE running, it goes on; and there is a snapshot or
# none.
killed_create() {
    local name=$1 call n max total=0 status
    command -v strace >/dev/null || skip "no strace here"
    start "$name"
    strace -c -o "$WORK/counts" vectl snapshot create "$name" x >/dev/null 2>&1
    vectl snapshot delete "$name" x
    for call in mkdirat sendmsg clone clone3 vfork ioctl renameat renameat2 fsync syncfs wait4; do
        max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts")
        for ((n = max > 3 ? max - 2 : 1; n <= max; n++)); do
            status=0
            strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" vectl snapshot create "$name" x >/dev/null 2>&1 || status=$?
            [ $status -eq 137 ] || fail "killed at $call $n it ended with $status"
            wait_until 20 thawed "$name" || fail "killed at $call $n, the VE stands"
            inside "$name" /bin/sh -c 'echo alive >/root/alive; sync' || fail "killed at $call $n, nothing can be written"
            vectl snapshot create "$name" y >/dev/null 2>&1 || fail "killed at $call $n, there can be no other"
            vectl snapshot delete "$name" y
            expect "$(leftovers "$name")" "" "what is left, killed at $call $n"
            vectl snapshot delete "$name" x 2>/dev/null || true
            total=$((total + 1))
        done
    done
    systemctl stop "ve@$name"
    echo "killed $total times"
    [ $total -gt 10 ] || fail "only $total system calls to kill at"
}
check "overlay: killed, the VE goes on, and there is a snapshot or none" killed_create overlay
check "image: the same" killed_create image

# The VE is what it was, with the definition of then, or what it was to be, with that of the snapshot,
# and the way back is there.
killed_restore() {
    local call n max total=0 data definition
    command -v strace >/dev/null || skip "no strace here"
    vectl snapshot restore overlay second 2>/dev/null
    vectl set overlay Slice.TasksMax=55
    strace -c -o "$WORK/counts" vectl snapshot restore overlay first 2>/dev/null
    for call in mkdirat renameat renameat2 fsync syncfs unlinkat rename unlink rmdir sendmsg; do
        max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts")
        for ((n = 1; n <= max; n++)); do
            vectl snapshot restore overlay second 2>/dev/null
            vectl set overlay Slice.TasksMax=55
            # shellcheck disable=SC2046 # a list
            vectl snapshot delete overlay $(vectl snapshot list -n -o name overlay | grep before)
            strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" vectl snapshot restore overlay first >/dev/null 2>&1 || true
            # Whatever comes next.
            expect_status 3 vectl snapshot delete overlay none
            data=$(cat $PRIVATE/overlay/upper/root/f)
            definition=$(cat /etc/ve/overlay.ve.d/* 2>/dev/null | sed -n s/TasksMax=//p || true)
            case $data:$definition in
            two:55) expect "$(snapshots overlay | tr ' ' '\n' | grep -c before)" 0 "the ways back, killed at $call $n before" ;;
            one:) expect "$(snapshots overlay | tr ' ' '\n' | grep -c before)" 1 "the ways back, killed at $call $n afterwards" ;;
            *) fail "killed at $call $n, it has data \"$data\" and definition \"$definition\"" ;;
            esac
            expect "$(leftovers overlay)" "" "what is left, killed at $call $n"
            total=$((total + 1))
        done
    done
    echo "killed $total times"
    [ $total -gt 10 ] || fail "only $total system calls to kill at"
}
check "restoring is killed: the VE is what it was or what it was to be" killed_restore

gone() {
    vectl destroy overlay image directory
    expect "$(ls -A $PRIVATE)" "" "what is left"
}
check "destroy removes them" gone

remove_template sn

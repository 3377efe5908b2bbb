# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl register: a VE of what lies somewhere, whole or as it was.
. "$(dirname "$(realpath "$0")")/lib.sh"

PRIVATE=/var/lib/ve/private
# On the filesystem of the private data, and on another.
HERE_DIR=/var/lib/ve/elsewhere
THERE=/run/elsewhere
M=$((1024 * 1024))

make_loop_nodes

mkdir -p /etc/ve $PRIVATE
tiny_template reg static-init
install "$INITS/busybox" /var/lib/ve/templates/reg/root/bin/busybox
for applet in sh cat touch; do
    ln -s busybox /var/lib/ve/templates/reg/root/bin/$applet
done
snapshot "$WORK/before"
mkdir -p $HERE_DIR $THERE

need_loop() {
    losetup --find >/dev/null 2>&1 || skip "no loop devices can be had on this host"
}

SETTINGS=(--template=reg --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM)

# layer DIR: private data as of a VE.
layer() {
    rm -rf "$1"
    mkdir -p "$1/upper/etc" "$1/work"
    echo mine >"$1/upper/etc/mine"
    chown 5:6 "$1/upper/etc/mine"
    echo 0123456789abcdef0123456789abcdef >"$1/uuid"
}

# system DIR: the root of one.
system() {
    rm -rf "$1"
    cp -a /var/lib/ve/templates/reg/root "$1"
    echo mine >"$1/etc/mine"
    chown 5:6 "$1/etc/mine"
}

expect_runs() {
    start "$1"
    expect "$(inside "$1" /bin/cat /etc/mine)" mine "what it has"
    expect "$(stat -c '%u %g' "/proc/$(leader "$1")/root/etc/mine" | awk -v base="$(cat "/run/ve/running/$1/uid-base")" '{ print $1 - base, $2 - base }')" "5 6" "whose it is"
    expect "$(stat -c '%a %u' $PRIVATE/"$1")" "700 0" "who may enter its private data"
    expect_status 0 vectl storage check "$1"
    vectl destroy --force "$1"
}

moved() {
    layer $HERE_DIR/rg
    rmdir $HERE_DIR/rg/work
    expect_status 0 vectl register $HERE_DIR/rg/ "${SETTINGS[@]}"
    expect "$ERR" "" "what is said"
    [ ! -e $HERE_DIR/rg ] || fail "it is still there"
    expect "$(cat $PRIVATE/rg/uuid)" 0123456789abcdef0123456789abcdef "its id"
    expect_runs rg
    layer $THERE/rg
    expect_status 0 vectl register $THERE/rg rg2 "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: $THERE/rg was copied, and is as it was: remove it when VE rg2 is as it should be."
    expect "$(cat $THERE/rg/upper/etc/mine)" mine "what was copied"
    expect "$(cat $PRIVATE/rg2/uuid)" 0123456789abcdef0123456789abcdef "its id"
    expect_runs rg2
    # What lost its definition.
    vectl create rg "${SETTINGS[@]}"
    layer $PRIVATE/rg
    rm /etc/ve/rg.ve
    systemctl daemon-reload
    expect_status 4 vectl create rg --template=reg
    expect_sentence "$ERR" "vectl: There is private data of a VE rg in $PRIVATE/rg: take it for a VE again with \`vectl register $PRIVATE/rg\`, *"
    expect_status 0 vectl register $PRIVATE/rg "${SETTINGS[@]}"
    expect_runs rg
    layer $HERE_DIR/rg
    expect_status 0 vectl register $HERE_DIR/rg --copy "${SETTINGS[@]}"
    [ -e $HERE_DIR/rg/upper ] || fail "it was moved"
    vectl destroy rg
}
check "private data" moved

whole() {
    system $HERE_DIR/rg
    expect_status 0 vectl register $HERE_DIR/rg "${SETTINGS[@]}"
    [ ! -e $HERE_DIR/rg ] || fail "it is still there"
    expect_match "$(cat /etc/ve/rg.ve)" "*Type=directory*" "its definition"
    expect_runs rg
    system $THERE/rg
    expect_status 0 vectl register $THERE/rg "${SETTINGS[@]}"
    expect_runs rg
}
check "the root of a system" whole

shifted() {
    local dir
    for dir in $HERE_DIR $THERE; do
        system "$dir/rg"
        find "$dir/rg" -exec sh -c 'for f; do chown -h $(($(stat -c %u "$f") + 100000)):$(($(stat -c %g "$f") + 100000)) "$f"; done' sh {} +
        expect_status 1 vectl register "$dir/rg" "${SETTINGS[@]}"
        expect_sentence "$ERR" "vectl: $dir/rg can't be registered: it belongs to uid 100000, not to root, and seems to be shifted by that, as other managers of containers do: give --shift=100000."
        expect_status 1 vectl register "$dir/rg" --shift=100001 "${SETTINGS[@]}"
        expect_status 0 vectl register "$dir/rg" --shift=100000 "${SETTINGS[@]}"
        expect "$(stat -c %u "$dir/rg/etc/mine")" 100005 "what was copied"
        expect "$(find $PRIVATE/rg -uid +65535 -o -gid +65535)" "" "what is still shifted"
        expect_runs rg
        rm -r "$dir/rg"
    done
    layer $HERE_DIR/rg
    chown 100005 $HERE_DIR/rg/upper/etc/mine
    expect_status 1 vectl register $HERE_DIR/rg "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: $HERE_DIR/rg can't be registered: $HERE_DIR/rg/upper/etc/mine belongs to number 100005, and a VE has none above 65535; *give --shift=100005."
    expect_status 1 vectl register $HERE_DIR/rg --shift=100000 "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: $HERE_DIR/rg can't be registered: not all of it is shifted by 100000, *"
    expect_status 2 vectl register $HERE_DIR/rg --shift=none "${SETTINGS[@]}"
}
check "shifted numbers are refused, or shifted back in a copy" shifted

image() {
    need_loop
    vectl create rg "${SETTINGS[@]}" --set Storage.Type=image --set Storage.Size=24M --start
    inside rg /bin/sh -c 'echo mine >/etc/mine'
    vectl stop rg
    cp --sparse=always $PRIVATE/rg/image $HERE_DIR/rg.img
    expect_status 4 vectl register $HERE_DIR/rg.img "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: There is a VE rg already, *"
    vectl destroy rg
    ln $HERE_DIR/rg.img $HERE_DIR/other
    expect_status 5 vectl register $HERE_DIR/rg.img "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: $HERE_DIR/rg.img can't be registered: its file has another name, too."
    rm $HERE_DIR/other
    loop=$(losetup --find --show $HERE_DIR/rg.img)
    expect_status 5 vectl register $HERE_DIR/rg.img "${SETTINGS[@]}"
    losetup --detach "$loop"
    expect_status 1 vectl register $HERE_DIR/rg.img --shift=100000 "${SETTINGS[@]}"
    cp --sparse=always $HERE_DIR/rg.img $THERE/rg.img
    expect_status 0 vectl register $HERE_DIR/rg.img "${SETTINGS[@]}"
    [ ! -e $HERE_DIR/rg.img ] || fail "it is still there"
    start rg
    expect "$(inside rg /bin/cat /etc/mine)" mine "what it has"
    vectl stop rg
    expect "$(stat -c %s $PRIVATE/rg/image)" $((24 * M)) "its size"
    vectl destroy rg
    expect_status 0 vectl register $THERE/rg.img "${SETTINGS[@]}"
    start rg
    expect "$(inside rg /bin/cat /etc/mine)" mine "what it has when it was copied"
    vectl destroy --force rg
    dd if=/dev/urandom of=$THERE/bad.img bs=1M count=1 status=none
    expect_status 1 vectl register $THERE/bad.img "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: $THERE/bad.img can't be registered: its filesystem can't be mounted as ext4: *"
    truncate -s 8M $THERE/bad.img
    mkfs.ext4 -q -F $THERE/bad.img
    expect_status 1 vectl register $THERE/bad.img "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: $THERE/bad.img can't be registered: its filesystem has no directory *"
}
check "an image" image

refused() {
    local what
    layer $HERE_DIR/rg
    expect_status 2 vectl register $HERE_DIR/rg
    expect_status 3 vectl register $HERE_DIR/rg --template=nothing
    expect_status 2 vectl register $HERE_DIR/rg Bad_Name "${SETTINGS[@]}"
    ln -sfn rg $HERE_DIR/link
    expect_status 1 vectl register $HERE_DIR/link "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: $HERE_DIR/link is a link: *"
    chmod g+w $HERE_DIR/rg
    expect_status 1 vectl register $HERE_DIR/rg "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: $HERE_DIR/rg can't be registered: others than root may change it."
    chmod g-w $HERE_DIR/rg
    chown 1000 $HERE_DIR/rg
    expect_status 1 vectl register $HERE_DIR/rg "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: $HERE_DIR/rg can't be registered: it belongs to uid 1000, not to root."
    chown 0 $HERE_DIR/rg
    mkdir $HERE_DIR/rg/upper/mnt
    mount -t tmpfs none $HERE_DIR/rg/upper/mnt
    expect_status 5 vectl register $HERE_DIR/rg "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: $HERE_DIR/rg can't be registered: another filesystem is mounted in it."
    umount $HERE_DIR/rg/upper/mnt
    expect_status 78 vectl register $HERE_DIR/rg "${SETTINGS[@]}" --set Storage.Type=directory
    mkdir $HERE_DIR/empty
    mkfifo $HERE_DIR/fifo
    for what in empty fifo; do
        expect_status 1 timeout 10 vectl register $HERE_DIR/$what "${SETTINGS[@]}"
        expect_sentence "$ERR" "vectl: $HERE_DIR/$what is nothing that a VE could have: *"
    done
    expect_status 1 vectl register $HERE_DIR/nothing "${SETTINGS[@]}"
    vectl create rg "${SETTINGS[@]}"
    expect_status 4 vectl register $HERE_DIR/rg "${SETTINGS[@]}"
    expect_status 4 vectl register $PRIVATE/rg rg2 "${SETTINGS[@]}"
    expect_sentence "$ERR" "vectl: There is a VE rg already, *"
    vectl destroy rg
    expect "$(cat $HERE_DIR/rg/upper/etc/mine)" mine "what is there after all that"
    # A link in the place of a layer.
    mv $HERE_DIR/rg/upper $HERE_DIR/aside
    ln -s /root $HERE_DIR/rg/upper
    expect_status 1 vectl register $HERE_DIR/rg "${SETTINGS[@]}"
    rm -r $HERE_DIR/rg $HERE_DIR/aside $HERE_DIR/empty $HERE_DIR/fifo $HERE_DIR/link
    expect "$(ls $HERE_DIR)" "" "what is left"
}
check "what can't be a VE's is refused, and stays as it is" refused

# As it was, or a whole VE; and the next command leaves nothing else.
next_command() {
    local status=0
    # Of the VE, so that it puts in order what was left.
    vectl set rg Slice.TasksMax=99 2>"$WORK/said" || status=$?
    [ $status -eq 0 ] || [ $status -eq 3 ] || fail "after $1 it ended with $status: $(cat "$WORK/said")"
    expect "$(find /etc/ve $PRIVATE -maxdepth 1 -name '.*rg*')" "" "what is left after $1"
    if [ $status -eq 0 ]; then
        [ "$(cat $PRIVATE/rg/*/etc/mine)" = mine ] || fail "after $1 the VE has not got it"
        [ $COPIED = yes ] || [ ! -e $HERE_DIR/rg ] || fail "after $1 there are two of it"
    else
        [ ! -e $PRIVATE/rg ] || fail "after $1 there is private data of none"
    fi
    [ ! -e $HERE_DIR/rg ] || [ "$(cat $HERE_DIR/rg/upper/etc/mine 2>/dev/null || cat $HERE_DIR/rg/etc/mine)" = mine ] || fail "after $1 it is not as it was"
    [ $status -eq 0 ] || [ -e $HERE_DIR/rg ] || fail "after $1 it is gone"
}

killed() {
    local make=$1 call n max total=0
    command -v strace >/dev/null || skip "no strace here"
    COPIED=no
    [ $# -eq 1 ] || COPIED=yes
    "$make" $HERE_DIR/rg
    strace -c -o "$WORK/counts" vectl register $HERE_DIR/rg "${SETTINGS[@]}" "${@:2}"
    for call in mkdirat renameat2 fsync fchmod syncfs sendmsg; do
        max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts")
        for ((n = max > 2 ? max - 1 : 1; n <= max; n++)); do
            [ ! -e /etc/ve/rg.ve ] || vectl destroy rg
            "$make" $HERE_DIR/rg
            expect_status 137 strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" vectl register $HERE_DIR/rg "${SETTINGS[@]}" "${@:2}"
            next_command "$call $n"
            total=$((total + 1))
        done
    done
    echo "killed $total times"
    [ $total -gt 6 ] || fail "only $total system calls to kill at"
    [ ! -e /etc/ve/rg.ve ] || vectl destroy rg
    rm -rf $HERE_DIR/rg
}
check "it is killed" killed layer
check "it is killed, with the root of a system" killed system
check "it is killed, copying" killed layer --copy

same_as_before() {
    rm -r $HERE_DIR $THERE
    same_as "$WORK/before"
}
check "nothing is left" same_as_before

remove_template reg

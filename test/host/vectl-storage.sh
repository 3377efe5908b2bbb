# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl storage: what VEs take, what is wrong with it, and giving back.
. "$(dirname "$(realpath "$0")")/lib.sh"

PRIVATE=/var/lib/ve/private
IMAGE=$PRIVATE/sti/image
M=$((1024 * 1024))

make_loop_nodes

tiny_template storage static-init
dd if=/dev/urandom of=/var/lib/ve/templates/storage/root/big bs=1M count=3 status=none
install "$INITS/busybox" /var/lib/ve/templates/storage/root/bin/busybox
for applet in sh dd rm sync; do
    ln -s busybox /var/lib/ve/templates/storage/root/bin/$applet
done

need_loop() {
    losetup --find >/dev/null 2>&1 || skip "no loop devices can be had on this host"
}

new() {
    vectl create "$@" --template=storage --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM
}

# field NAME COLUMN: as JSON has it.
field() {
    vectl storage show "$1" --json -o "$2" | sed -n "s/^ *\"$2\": *\"\?\([^\",]*\)\"\?,\?$/\1/p"
}

# Nobody has it open, and it is not mounted.
is_unused() {
    [ -z "$(losetup --associated $IMAGE)" ]
}

expect_clean() {
    expect_status 0 vectl storage check "$1"
    expect "$OUT$ERR" "" "what is said of $1"
}

shown() {
    local template
    new sto
    vectl start sto
    expect "$(field sto type)" overlay "the type"
    expect "$(field sto path)" $PRIVATE/sto "the place"
    expect "$(field sto size)" null "the limit"
    expect "$(field sto template)" storage "the template"
    template=$(vectl template show storage | sed -n 's/^Size: .*(\([0-9]*\) bytes)$/\1/p')
    [ "$template" -gt $((3 * M)) ] || fail "the template takes $template bytes"
    expect "$(field sto shared)" "$template" "what is shared"
    expect "$(vectl list --json -o shared | grep -c "$template")" 1 "what vectl list has of it"
    inside sto /bin/dd if=/dev/zero of=/root/a bs=1M count=2 2>/dev/null
    inside sto /bin/sync
    [ "$(field sto used)" -ge $((2 * M)) ] || fail "2 MiB and more take $(field sto used)"
    [ "$(field sto files)" -ge 3 ] || fail "there are $(field sto files) files"
    expect "$(vectl storage show sto -n -o name,type | xargs)" "sto overlay" "the table"
    expect_match "$(vectl storage show | tail -n 1)" "sto *overlay *M *- *- *- *storage *M *0B *$PRIVATE/sto" "the table of all"
    expect_status 3 vectl storage show nobody
    expect_sentence "$ERR" "vectl: There is no VE nobody."
    expect_status 2 vectl storage show sto -o nothing
    expect_clean sto
    expect_status 0 vectl storage compact sto
    expect_sentence "$ERR" "vectl: VE sto has nothing to compact: *"
    expect_status 5 vectl storage check sto --repair
    expect_sentence "$ERR" "vectl: VE sto is running, and what it works on can't be put right: stop it first with \`vectl stop sto\`."
    vectl stop sto
    expect_clean sto
}
check "an overlay: what it takes, alone and shared" shown

# found LINE: it is all that is found.
found() {
    local line=$1
    expect_status 1 vectl storage check sto
    expect_match "$OUT" "$line"
    expect "$(wc -l <<<"$OUT")" 1 "lines that say so"
    expect "$ERR" "" "messages"
}

put_right() {
    found "$1."
    expect_status 0 vectl storage check sto --repair
    expect "$OUT" "$1: put right."
    expect_clean sto
}

damaged() {
    local i
    mv $PRIVATE/sto/work $PRIVATE/work
    put_right "sto: $PRIVATE/sto has no directory work"
    rmdir $PRIVATE/sto/work
    mv $PRIVATE/work $PRIVATE/sto/work
    mkdir $PRIVATE/.new-sto $PRIVATE/sto/.adopted
    expect_status 1 vectl storage check sto
    expect "$OUT" "sto: $PRIVATE/.new-sto was left by a command that was killed.
sto: $PRIVATE/sto/.adopted was left by a start that was killed."
    expect_status 0 vectl storage check --repair sto
    expect "$OUT" "sto: $PRIVATE/.new-sto was left by a command that was killed: put right.
sto: $PRIVATE/sto/.adopted was left by a start that was killed: put right."
    chmod 755 $PRIVATE/sto
    put_right "sto: $PRIVATE/sto lets others than root in"
    expect "$(stat -c %a $PRIVATE/sto)" 700 "the mode"
    echo rubbish >$PRIVATE/sto/uuid
    found "sto: The file uuid, by which the VE knows itself, can't be read: *"
    rm $PRIVATE/sto/uuid
    # What is in the name is no command to a terminal.
    touch "$PRIVATE/sto/upper/a"$'\e'"[31m"
    chown -h 100000:65536 "$PRIVATE/sto/upper/a"*
    found "sto: $PRIVATE/sto/upper/a?x1b[[]31m belongs to uid 100000 and gid 65536: a VE has no such numbers above 65535*"
    expect_status 1 vectl storage check sto --repair
    rm "$PRIVATE/sto/upper/a"*
    mkdir $PRIVATE/sto/upper/many
    for i in $(seq 30); do
        touch $PRIVATE/sto/upper/many/$i
    done
    chown 70000 $PRIVATE/sto/upper/many/*
    expect_status 1 vectl storage check sto
    expect "$(wc -l <<<"$OUT")" 21 "lines about 30 files"
    expect "$(tail -n 1 <<<"$OUT")" "sto: 10 more files belong to numbers above 65535."
    rm -r $PRIVATE/sto/upper/many
    mv $PRIVATE/sto/upper $PRIVATE/upper
    found "sto: $PRIVATE/sto holds nothing that is of any type: *"
    expect_status 1 vectl storage check --repair sto
    mv $PRIVATE/upper $PRIVATE/sto/upper
    expect_clean sto
}
check "an overlay: what is wrong is found, and put right" damaged

whole() {
    new stw --set Storage.Type=directory
    expect "$(field stw type)" directory "the type"
    [ "$(field stw used)" -gt $((3 * M)) ] || fail "its copy of 3 MiB takes $(field stw used)"
    expect_clean stw
    chown 70000 $PRIVATE/stw/root/big
    expect_status 1 vectl storage check stw
    expect_match "$OUT" "stw: $PRIVATE/stw/root/big belongs to uid 70000 and gid 0: *"
    vectl destroy stw
}
check "a directory: what it takes, and what is wrong" whole

image() {
    need_loop
    new sti --set Storage.Type=image --set Storage.Size=64M
    expect "$(field sti type)" image "the type"
    expect "$(field sti size)" $((64 * M)) "the size"
    vectl start sti
    inside sti /bin/dd if=/dev/zero of=/root/a bs=1M count=20 2>/dev/null
    inside sti /bin/sync
    [ "$(field sti inside)" -gt $((20 * M)) ] || fail "in use inside: $(field sti inside)"
    [ "$(field sti inside-size)" -le $((64 * M)) ] || fail "it holds $(field sti inside-size)"
    [ "$(field sti used)" -gt $((20 * M)) ] || fail "20 MiB and more take $(field sti used)"
    [ "$(field sti files)" -lt "$(field sti max-files)" ] || fail "$(field sti files) files of $(field sti max-files)"
    expect_clean sti
    vectl stop sti
    [ "$(field sti inside)" -gt $((20 * M)) ] || fail "in use inside when it is stopped: $(field sti inside)"
    expect_clean sti
}
check "an image: what it takes" image

# What a copy that knew nothing of holes takes.
fill() {
    dd if=$IMAGE of=$IMAGE.full bs=1M status=none
    mv $IMAGE.full $IMAGE
}

compacted() {
    need_loop
    fill
    expect_status 0 vectl storage compact sti
    expect_match "$OUT" "sti: *M given back (* bytes)"
    [ "$(field sti used)" -lt $((40 * M)) ] || fail "it takes $(field sti used)"
    wait_until 5 is_unused || fail "it is left mounted"
    fill
    start sti
    expect_status 0 vectl storage compact sti
    [ "$(field sti used)" -lt $((40 * M)) ] || fail "it takes $(field sti used) while it runs"
    expect "$(inside sti /bin/sh -c 'dd if=/root/a bs=1M 2>/dev/null' | wc -c)" $((20 * M)) "what is in the VE"
    vectl stop sti
    wait_until 5 is_unused || fail "it is left mounted after it ran"
    expect_clean sti
}
check "an image gives back what is free" compacted

# Something that e2fsck finds, with the same effect every time.
harm() {
    debugfs -w -R "set_inode_field <2> links_count 9" $IMAGE 2>/dev/null
}

image_damaged() {
    local before
    need_loop
    harm
    before=$(sha256sum $IMAGE)
    expect_status 1 vectl storage check sti
    expect "$OUT" "sti: Its filesystem: Inode 2 ref count is 9, should be 5."
    expect "$(sha256sum $IMAGE)" "$before" "the image after it was only looked at"
    expect_status 0 vectl storage check --repair sti
    expect "$OUT" "sti: Its filesystem: Inode 2 ref count is 9, should be 5: put right."
    expect_clean sti
    expect "$(ls $PRIVATE/sti | paste -sd" ")" "image uuid" "the private data"
    debugfs -w -R "set_inode_field /upper/root/a uid 65536" $IMAGE 2>/dev/null
    expect_status 1 vectl storage check sti
    expect_match "$OUT" "sti: */upper/root/a belongs to uid 65536 and gid 0: *"
    debugfs -w -R "set_inode_field /upper/root/a uid 0" $IMAGE 2>/dev/null
    debugfs -w -R "feature needs_recovery" $IMAGE >/dev/null 2>&1
    expect_status 1 vectl storage check sti
    expect "$OUT" "sti: Its filesystem was in use when the host went down; its next start puts that right."
    expect_status 0 vectl storage check --repair sti
    expect_clean sti
    dd if=/dev/urandom of=$IMAGE.bad bs=1M count=16 status=none
    mv $IMAGE $IMAGE.good
    mv $IMAGE.bad $IMAGE
    expect_status 1 vectl storage check sti
    expect "$OUT" "sti: Its filesystem is damaged."
    expect_status 1 vectl storage check --repair sti
    expect_sentence "$ERR" "vectl: The filesystem in the image of VE sti is damaged beyond what e2fsck can put right: *"
    mv $IMAGE.good $IMAGE
    expect "$(ls $PRIVATE/sti | paste -sd" ")" "image uuid" "the private data after what can't be put right"
}
check "an image: what is wrong is found, and put right in a copy" image_damaged

# Sound or not, the file is whole, whenever the command dies.
killed() {
    local call n max total=0
    need_loop
    command -v strace >/dev/null || skip "no strace here"
    harm
    cp --sparse=always $IMAGE "$WORK/harmed"
    strace -c -o "$WORK/counts" vectl storage check --repair sti >/dev/null
    for call in ftruncate copy_file_range fsync renameat unlinkat; do
        max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts")
        for ((n = max > 4 ? max - 3 : 1; n <= max; n++)); do
            cp --sparse=always "$WORK/harmed" $IMAGE
            expect_status 137 strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" vectl storage check --repair sti
            e2fsck -f -n $IMAGE >"$WORK/said" 2>&1 || grep -q "Inode 2 ref count is 9" "$WORK/said" || fail "killed at $call $n: $(cat "$WORK/said")"
            expect_status 0 vectl storage check --repair sti
            expect "$(ls $PRIVATE/sti | paste -sd" ")" "image uuid" "the private data after it was killed at $call $n"
            total=$((total + 1))
        done
    done
    echo "killed $total times"
    [ $total -ge 4 ] || fail "only $total system calls to kill at"
    expect_clean sti
}
check "putting an image right is killed" killed

for ve in sto sti; do
    [ ! -e /etc/ve/$ve.ve ] || vectl destroy $ve
done
remove_template storage

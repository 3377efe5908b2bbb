# SPDX-License-Identifier: LGPL-2.1-or-later
# Type=directory: a VE's root is a copy of its template, for it alone.
. "$(dirname "$(realpath "$0")")/lib.sh"

PRIVATE=/var/lib/ve/private
TEMPLATE=/var/lib/ve/templates/whole
M=$((1024 * 1024))

# All that there is of a VE, aside or not.
private_of() {
    find $PRIVATE -maxdepth 1 -name "*$1*" -printf '%f ' | sed 's/ $//'
}

snapshot "$WORK/at-first"
tiny_template whole static-init
install "$INITS/busybox" $TEMPLATE/root/bin/busybox
for applet in sh cat rm stat dd; do
    ln -s busybox $TEMPLATE/root/bin/$applet
done
ln $TEMPLATE/root/bin/busybox $TEMPLATE/root/usr/linked
install -m 4755 -o 5 -g 6 "$INITS/busybox" $TEMPLATE/root/usr/suid
truncate -s 64M $TEMPLATE/root/usr/sparse
mkfifo $TEMPLATE/root/var/fifo
mknod $TEMPLATE/root/var/whiteout c 0 0
chmod 1777 $TEMPLATE/root/tmp
chmod 750 $TEMPLATE/root
ln -s /etc/shadow $TEMPLATE/root/etc/link

new() {
    local name=$1
    shift
    vectl create "$name" --template=whole --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM \
        --set Storage.Type=directory "$@"
}

# All of a tree but for inode numbers and the root's own name.
listing() {
    (cd "$1" && find . -printf '%p %y %m %U %G %s %n %l %T@\n' | LC_ALL=C sort)
}

column() {
    vectl list --json -o "name,$2" | tr -d ' \n' | grep -o "\"name\":\"$1\",\"$2\":[^}]*" | sed 's/.*://'
}

whole() {
    new dir
    expect "$(listing $PRIVATE/dir/root)" "$(listing $TEMPLATE/root)" "the copy"
    expect "$(stat -c %i $PRIVATE/dir/root/usr/linked)" "$(stat -c %i $PRIVATE/dir/root/bin/busybox)" "a file's other name"
    [ "$(stat -c %b $PRIVATE/dir/root/usr/sparse)" -lt 100 ] || fail "holes were filled"
    expect "$(stat -c %t,%T $PRIVATE/dir/root/var/whiteout)" 0,0 "a whiteout"
    start dir
    expect "$(inside dir /bin/stat -c '%u %g %a' /usr/suid)" "5 6 4755" "owner and mode in the VE"
    expect "$(inside dir /bin/stat -c '%u %g %a' /)" "0 0 750" "those of its root directory"
    [ "$(column dir used)" -gt $M ] || fail "vectl list shows $(column dir used) in use"
    ! inside dir /bin/sh -c 'cat /usr/../../../../../../etc/hostname' 2>/dev/null || fail "it sees beyond its root"
    expect "$(grep -c private "/proc/$(leader dir)/mountinfo")" "$(grep -c "private/dir/root" "/proc/$(leader dir)/mountinfo")" "what is mounted of private data"
    ! grep -q private/dir /proc/1/mountinfo || fail "something is mounted on the host"
}
check "a VE has a copy of its template: links, holes, owners, modes" whole

# What is not its own belongs to nobody there.
owners() {
    local base
    base=$(cat /run/ve/running/dir/uid-base)
    inside dir /bin/sh -c 'echo mine >/root/mine'
    expect "$(stat -c %u:%g $PRIVATE/dir/root/root/mine)" 0:0 "on disk, its owner"
    [ "$base" -ge 65536 ] || fail "its range starts at $base"
    mkdir -m 700 $PRIVATE/dir/root/foreign
    chown 100000 $PRIVATE/dir/root/foreign
    expect "$(inside dir /bin/stat -c %u /foreign)" 65534 "the owner of what is not in its range"
    cannot dir "enter it" /bin/sh -c 'cd /foreign'
}
check "nothing is shifted on disk" owners

without_template() {
    systemctl stop ve@dir
    expect_status 0 vectl template remove whole
    start dir
    expect "$(inside dir /bin/cat /root/mine)" mine "what it wrote"
    systemctl restart ve@dir
    expect "$(inside dir /bin/cat /root/mine)" mine "what it wrote, after a restart"
    systemctl stop ve@dir
    expect "$(vectl mount dir)" /run/ve/mnt/dir
    expect "$(cat /run/ve/mnt/dir/root/mine)" mine
    expect_status 1 vectl start dir
    expect_match "$ERR" "*its root is mounted at /run/ve/mnt/dir; unmount it with*"
    expect_status 5 vectl destroy dir
    vectl umount dir
    expect_status 0 vectl clone dir twin
    expect "$(cat $PRIVATE/twin/root/root/mine)" mine "what its clone has of it"
    expect "$(stat -c %t,%T $PRIVATE/twin/root/var/whiteout)" 0,0 "a whiteout in its clone"
    expect_status 3 new other
    expect_sentence "$ERR" "vectl: There is no template whole*"
    [ ! -e $PRIVATE/other ] && [ ! -e /etc/ve/other.ve ] || fail "something is left of it"
    # Made again, from what is still there.
    mkdir -p $TEMPLATE
    cp -a $PRIVATE/dir/root $TEMPLATE/root
    rm -r $TEMPLATE/root/foreign $TEMPLATE/root/root/mine
    vectl destroy twin
}
check "once made, it needs no template" without_template

ephemeral() {
    vectl set dir VE.Ephemeral=yes
    start dir
    inside dir /bin/sh -c 'cat /root/mine && rm /root/mine && echo new >/root/new'
    expect "$(inside dir /bin/stat -c '%u %g %a' /)" "0 0 750" "its root directory"
    systemctl restart ve@dir
    expect "$(inside dir /bin/sh -c 'cat /root/mine; echo /root/*')" "mine
/root/mine" "what it has after a restart"
    systemctl stop ve@dir
    expect "$(ls $PRIVATE/dir/root/root)" mine "what is kept"
    vectl set dir VE.Ephemeral=
}
check "an ephemeral VE leaves it as it is" ephemeral

# By hand: the start does what vectl create does, once.
by_hand() {
    define hand "[VE]" "Template=whole" "NotifyReady=no" "StopSignal=SIGTERM" "[Storage]" "Type=directory"
    # What a killed one left.
    mkdir -p $PRIVATE/.new-hand/root/left
    start hand
    expect "$(private_of hand)" hand "the private data"
    [ ! -e $PRIVATE/hand/root/left ] || fail "what was left is in it"
    systemctl stop ve@hand
    remove hand
    # A VE that was never started.
    define hand "[VE]" "Template=whole" "NotifyReady=no" "[Storage]" "Type=directory"
    echo hello >"$WORK/file"
    vectl copy-to hand "$WORK/file" /root
    expect "$(cat $PRIVATE/hand/root/root/file)" hello
    vectl destroy hand
}
check "a definition by hand: its first start makes the copy" by_hand

# Several that need it at once: one makes it, the others wait.
at_once() {
    local i
    define hand "[VE]" "Template=whole" "NotifyReady=no" "StopSignal=SIGTERM" "[Storage]" "Type=directory"
    echo hello >"$WORK/file"
    for i in 1 2 3; do
        vectl copy-to hand "$WORK/file" "/root/$i" &
    done
    wait
    expect "$(cat $PRIVATE/hand/root/root/[123])" "hello
hello
hello" "what each of them has copied"
    expect "$(private_of hand)" hand "the private data"
    vectl destroy hand
}
check "made by several at once: once" at_once

refused() {
    expect_status 78 vectl create bad --template=host --set Storage.Type=directory
    expect_sentence "$ERR" "vectl: Cannot create VE bad: */bad.ve:*: Type=directory takes a copy of a whole template, and template host has its /usr from the host: use Type=overlay, or a template that is imported."
    expect_status 5 vectl set dir Storage.Type=overlay
    expect_sentence "$ERR" "vectl: The private data of VE dir is of type directory, and can't be used as one of type overlay: *"
    mv $PRIVATE/dir/root $PRIVATE/dir/elsewhere
    expect_status 1 vectl start dir
    expect_match "$ERR" "*The private data of VE dir is damaged: $PRIVATE/dir has no root directory in it; *"
    ln -s elsewhere $PRIVATE/dir/root
    expect_status 1 vectl start dir
    expect_match "$ERR" "*The private data of VE dir is damaged: *" "what vectl start says of a link"
    rm $PRIVATE/dir/root
    mv $PRIVATE/dir/elsewhere $PRIVATE/dir/root
    reset dir
    start dir
    systemctl stop ve@dir
}
check "template host, another type, no root: refused" refused

# Not even with the host's filesystem mounted for the host's own use only.
flags() {
    mount --bind $PRIVATE $PRIVATE
    mount -o remount,bind,nosuid,noexec $PRIVATE
    start dir
    inside dir /bin/sh -c 'cat /root/mine' >/dev/null
    systemctl stop ve@dir
    umount $PRIVATE
}
check "nosuid and noexec of the host's are not the VE's" flags

full() {
    mkdir "$WORK/small"
    mount -t tmpfs -o size=1m small "$WORK/small"
    mkdir "$WORK/small/private"
    mount --bind "$WORK/small/private" $PRIVATE
    expect_status 1 new other
    ls -A $PRIVATE >"$WORK/left"
    umount $PRIVATE "$WORK/small"
    rmdir "$WORK/small"
    expect_sentence "$ERR" "vectl: VE other can't be given a copy of template whole in $PRIVATE, at *: No space left on device."
    expect "$(cat "$WORK/left")" "" "what is left of it"
    [ ! -e /etc/ve/other.ve ] || fail "its definition is left"
}
check "no room: it says so, and leaves nothing" full

gone() {
    vectl destroy dir
    rm -rf $TEMPLATE
    same_as "$WORK/at-first"
}
check "destroy leaves nothing" gone

remove_template whole

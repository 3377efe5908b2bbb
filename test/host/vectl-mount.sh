# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl mount and umount: the root of a stopped VE on the host.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=vm-1
UPPER=/var/lib/ve/private/$VE/upper
DIR=/run/ve/mnt/$VE
SAFE=/root/veneer-mount-test
tiny_template vm busybox
ROOT=/var/lib/ve/templates/vm/root
install -D "$INITS/busybox" $ROOT/bin/busybox
for applet in sh cat ls sleep stat rm; do
    ln -s busybox $ROOT/bin/$applet
done
echo '::respawn:/bin/sleep 1000000' >$ROOT/etc/inittab
echo template >$ROOT/etc/below
vectl create $VE --template=vm --set VE.NotifyReady=no --set VE.StopSignal=SIGUSR2 --set Service.TimeoutStopSec=20
start $VE
systemctl stop ve@$VE
mkdir -p "$SAFE/dir"
snapshot "$WORK/at-first"

mounted() {
    findmnt -n -o TARGET -S ve-$VE
}

repair() {
    expect "$(vectl mount $VE)" $DIR
    expect "$(mounted)" $DIR
    expect "$(cat $DIR/etc/below)" template
    echo mine >$DIR/etc/below
    mkdir $DIR/srv
    echo new >$DIR/srv/new
    chown 1000:1001 $DIR/srv/new
    rm $DIR/bin/rm
    cp /bin/true $DIR/suid
    chmod 4755 $DIR/suid
    expect_match ",$(findmnt -n -o OPTIONS $DIR)," "*,nosuid,nodev,*"
    expect "$(stat -c %a /run/ve/mnt)" 700
    ! setpriv --reuid=1000 --clear-groups cat $DIR/srv/new 2>/dev/null || fail "another user gets there"
    # A second one, a start, and an end to it are refused.
    expect_status 5 vectl mount $VE
    expect_sentence "$ERR" "vectl: VE $VE is mounted at $DIR: unmount it first with \`vectl umount $VE\`."
    expect_status 5 vectl destroy --force $VE
    expect_sentence "$ERR" "vectl: VE $VE is mounted at $DIR: *"
    expect_status 5 vectl copy-to $VE /etc/hostname /srv
    expect_sentence "$ERR" "vectl: VE $VE is mounted at $DIR: *"
    expect_status 5 vectl clone $VE vm-2
    expect_sentence "$ERR" "vectl: VE $VE is mounted at $DIR: *"
    SINCE=$(now)
    expect_status 1 vectl start $VE
    expect_sentence "$ERR" "vectl: VE $VE did not start: its root is mounted at $DIR; unmount it with \`vectl umount $VE\`;*"
    expect_said $VE "can't be started: its root is mounted at $DIR; unmount it with .vectl umount $VE."
    reset $VE
    # Nor does a copy of the mount let it start.
    mount --bind $DIR "$SAFE/dir"
    umount $DIR
    expect_status 1 vectl start $VE
    reset $VE
    expect_status 0 vectl umount $VE
    expect "$(mounted)" ""
    [ ! -e /run/ve/mnt ] || fail "a directory is left"
    # The VE has it.
    start $VE
    expect "$(inside $VE cat /etc/below /srv/new | tr '\n' ' ')" "mine new "
    expect "$(inside $VE stat -c %u:%g /etc/below /srv/new | tr '\n' ' ')" "0:0 1000:1001 "
    cannot $VE "run what was removed" /bin/rm --help
    expect_status 5 vectl mount $VE
    expect_sentence "$ERR" "vectl: VE $VE is running: stop it first with \`vectl stop $VE\`."
    systemctl stop ve@$VE
}
check "a root is repaired" repair

elsewhere() {
    expect "$(vectl mount $VE "$SAFE/dir" --read-only)" "$SAFE/dir"
    expect "$(cat "$SAFE/dir/etc/below")" mine
    ! touch "$SAFE/dir/etc/x" 2>/dev/null || fail "it can be written to"
    expect "$(mounted)" "$SAFE/dir"
    vectl umount $VE
    ln -sfn "$SAFE/dir" "$WORK/link"
    expect "$(vectl mount $VE "$WORK/link")" "$SAFE/dir"
    vectl umount $VE
    for place in /mnt "$SAFE/none" /etc/hostname; do
        expect_status 1 vectl mount $VE $place
    done
    expect_status 1 vectl mount $VE /mnt
    expect_sentence "$ERR" "vectl: VE $VE cannot be mounted at /mnt, for users of the host can enter that: *"
    expect_status 5 vectl umount $VE
    expect_sentence "$ERR" "vectl: VE $VE is not mounted."
    expect_status 3 vectl mount vm-none
    expect_status 5 unshare -m vectl mount $VE
    expect_sentence "$ERR" "vectl: VE $VE cannot be mounted from here,*"
    expect "$(mounted)" ""
}
check "elsewhere, read-only, and refused" elsewhere

is_sleep() {
    [ "$(cat "/proc/$1/comm")" = sleep ]
}
busy() {
    local pid
    vectl mount $VE >/dev/null
    # shellcheck disable=SC2217 # all it is to do is to have it open
    sleep 1000 <$DIR/etc/below &
    pid=$!
    expect_status 5 vectl umount $VE
    expect_sentence "$ERR" "vectl: VE $VE cannot be unmounted from $DIR: process $pid (sleep) uses it; *"
    kill $pid
    wait $pid || true
    (cd $DIR/etc && exec sleep 1000) &
    pid=$!
    wait_until 5 is_sleep $pid
    expect_status 5 vectl umount $VE
    expect_sentence "$ERR" "*: process $pid (sleep) uses it; *"
    kill $pid
    wait $pid || true
    # What was mounted in it for a chroot goes, too.
    mkdir -p $DIR/proc
    mount --bind /proc $DIR/proc
    vectl umount $VE
    expect "$(mounted)" ""
    [ -d /proc/1 ] || fail "the host's own was unmounted"
}
check "who uses it is said" busy

host_template() {
    vectl create vm-host --template=host
    systemctl start ve-host-template
    vectl mount vm-host >/dev/null
    [ /run/ve/mnt/vm-host/usr/bin/true -ef /usr/bin/true ] || cmp /run/ve/mnt/vm-host/usr/bin/true /usr/bin/true
    ! touch /run/ve/mnt/vm-host/usr/x 2>/dev/null || fail "the host's /usr can be written to"
    expect "$(ls -A /run/ve/mnt/vm-host/usr/local)" "" "what is in the host's /usr/local"
    expect_match ",$(findmnt -n -o OPTIONS /run/ve/mnt/vm-host/usr)," "*,ro,nosuid,nodev,*"
    chroot /run/ve/mnt/vm-host /usr/bin/true
    expect_status 5 vectl template build-host
    vectl umount vm-host
    expect "$(findmnt -n -o TARGET | grep /run/ve/mnt || true)" "" "the mounts left"
    # By copies, too.
    vectl copy-from vm-host /usr/bin/true "$WORK/true"
    cmp "$WORK/true" /usr/bin/true
    expect_status 1 vectl copy-to vm-host "$WORK/true" /usr/bin/veneer-new
    vectl destroy vm-host
}
check "the host's /usr is in that of a VE made from it" host_template
vectl destroy vm-host 2>/dev/null

ephemeral() {
    vectl set $VE VE.Ephemeral=yes
    vectl mount $VE >/dev/null
    echo kept >$DIR/srv/kept
    vectl umount $VE
    expect "$(cat $UPPER/srv/kept)" kept
    start $VE
    expect "$(inside $VE cat /srv/kept)" kept
    systemctl stop ve@$VE
    vectl set $VE VE.Ephemeral=
    rm -rf /etc/ve/$VE.ve.d
}
check "what an ephemeral VE reads is repaired" ephemeral

# Killed at every system call that changes something, it is mounted or not, and the VE can be started after umount.
CALLS="mkdir mkdirat sendmsg fsmount move_mount open_tree mount_setattr write umount2 rmdir"
everywhere() {
    local call n max total=0
    command -v strace >/dev/null || skip "no strace here"
    vectl mount $VE >/dev/null
    vectl umount $VE
    strace -f -c -o "$WORK/counts.mount" vectl mount $VE
    strace -f -c -o "$WORK/counts.umount" vectl umount $VE
    for verb in mount umount; do
        for call in $CALLS; do
            max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts.$verb")
            for ((n = 1; n <= max && n <= 6; n++)); do
                [ $verb = mount ] || vectl mount $VE >/dev/null
                strace -f -o "$WORK/trace" -e "inject=$call:signal=KILL:when=$n" vectl $verb $VE >"$WORK/said" 2>&1 || true
                if [ -n "$(mounted)" ]; then
                    expect "$(mounted | wc -l)" 1 "how often it is mounted after $verb $call $n"
                    vectl umount $VE
                fi
                expect "$(mounted)" "" "what is mounted after $verb $call $n"
                total=$((total + 1))
            done
        done
    done
    echo "killed $total times"
    [ $total -gt 10 ] || fail "only $total system calls to kill at"
    start $VE
    systemctl stop ve@$VE
    vectl mount $VE
    vectl umount $VE
}
check "killed anywhere, it is mounted or not" everywhere

rm -rf $SAFE/dir
mkdir $SAFE/dir
check "nothing is left on the host" same_as "$WORK/at-first"
vectl destroy $VE
rm -rf $SAFE
remove_template vm

# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl convert: what a VE has, from any type of storage to any other, and back.
. "$(dirname "$(realpath "$0")")/lib.sh"

PRIVATE=/var/lib/ve/private
VE=cv

make_loop_nodes

tiny_template cv static-init
install "$INITS/busybox" /var/lib/ve/templates/cv/root/bin/busybox
for applet in sh touch rm ln cat mkdir find chown chmod stat; do
    ln -s busybox /var/lib/ve/templates/cv/root/bin/$applet
done
echo lower >/var/lib/ve/templates/cv/root/etc/lower
mkdir -p /var/lib/ve/templates/cv/root/{srv/gone,opt/kept}
echo template >/var/lib/ve/templates/cv/root/opt/kept/file
echo template >/var/lib/ve/templates/cv/root/srv/gone/file

# All there is in the running VE that is on disk: names, kinds, modes, owners, names of a file, content.
all_of_it() {
    # shellcheck disable=SC2016 # the VE's shell
    inside $VE /bin/sh -c 'find / -xdev | sort | while read -r f; do
        [ "$f" = / ] || stat -c "%n %F %a %u:%g" "$f"
        [ -d "$f" ] || [ -L "$f" ] || case $f in /bin/*|/sbin/*) ;; *) stat -c %h "$f"; cat "$f" ;; esac
    done'
}

setup() {
    losetup --find >/dev/null 2>&1 || skip "no loop devices can be had on this host"
    vectl create $VE --template=cv --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM --set Slice.TasksMax=50 --start
    inside $VE /bin/sh -c 'mkdir /root/d; echo own >/root/f; chown 33:34 /root/f; chmod 4711 /root/f; ln /root/f /root/d/f
        ln -s nowhere /root/l; rm /etc/lower; rm -r /srv/gone; rm -r /srv; mkdir /opt/new; echo more >>/opt/kept/file'
    all_of_it >"$WORK/all"
    systemctl stop ve@$VE
    cp $PRIVATE/$VE/uuid "$WORK/uuid"
}
check "a VE has what a VE may have" setup

to() {
    local undo
    vectl convert $VE --to="$1" 2>"$WORK/said"
    undo=$(sed -n 's/^vectl: What VE cv was until now is snapshot \(.*\)\.$/\1/p' "$WORK/said")
    [ -n "$undo" ] || fail "it said: $(cat "$WORK/said")"
    start $VE
    all_of_it | diff "$WORK/all" - >&2 || fail "as $1 it has something else"
    expect "$(cat "$PRIVATE/$VE/uuid")" "$(cat "$WORK/uuid")" "its id"
    grep -q "Type=$1" /etc/ve/$VE.ve.d/90-vectl-set.conf || fail "its definition does not say so"
    grep -q "TasksMax=50" /etc/ve/$VE.ve || fail "its definition has lost something"
    inside $VE /bin/sh -c 'echo written >/root/written; rm /root/written'
    systemctl stop ve@$VE
    vectl snapshot delete $VE "$undo"
}
check "overlay to image" to image
check "image to directory" to directory
check "directory to image" to image
check "image to overlay" to overlay
check "overlay to directory" to directory
check "directory to overlay" to overlay

taken_back() {
    local undo
    vectl convert $VE --to=image 2>"$WORK/said"
    undo=$(sed -n 's/^vectl: What VE cv was until now is snapshot \(.*\)\.$/\1/p' "$WORK/said")
    vectl snapshot restore $VE "$undo" 2>/dev/null
    [ -d $PRIVATE/$VE/upper ] || fail "it is no overlay again"
    start $VE
    all_of_it | diff "$WORK/all" - >&2 || fail "it has something else"
    systemctl stop ve@$VE
}
check "it is taken back by the snapshot" taken_back

refused() {
    expect_status 2 vectl convert $VE
    expect_status 2 vectl convert $VE --to=floppy
    expect_match "$ERR" "vectl: VE cv can't be converted: Type=floppy is not valid; expected *" "what it says"
    expect_status 4 vectl convert $VE --to=overlay
    expect_status 3 vectl convert nobody --to=image
    start $VE
    expect_status 5 vectl convert $VE --to=image
    expect_sentence "$ERR" "vectl: VE cv is running: stop it first with \`vectl stop cv\`."
    systemctl stop ve@$VE
}

killed() {
    local call n max total=0
    command -v strace >/dev/null || skip "no strace here"
    strace -c -o "$WORK/counts" vectl convert $VE --to=image 2>/dev/null
    for call in mkdirat renameat2 fsync syncfs unlinkat sendmsg; do
        max=$(awk -v call="$call" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts")
        for ((n = max > 3 ? max - 2 : 1; n <= max; n++)); do
            [ -d $PRIVATE/$VE/upper ] || vectl convert $VE --to=overlay 2>/dev/null
            strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" vectl convert $VE --to=image >/dev/null 2>&1 || true
            expect_status 3 vectl snapshot delete $VE none
            expect "$(find $PRIVATE/.snapshots -name '.*' -mindepth 2 2>/dev/null)" "" "what is left, killed at $call $n"
            start $VE || fail "killed at $call $n, it does not start"
            all_of_it | diff "$WORK/all" - >&2 || fail "killed at $call $n, it has something else"
            systemctl stop ve@$VE
            # shellcheck disable=SC2046 # a list
            [ -z "$(vectl snapshot list -n -o name $VE)" ] || vectl snapshot delete $VE $(vectl snapshot list -n -o name $VE)
            total=$((total + 1))
        done
    done
    echo "killed $total times"
    [ $total -gt 10 ] || fail "only $total system calls to kill at"
}
check "what can't be is refused in one sentence" refused
check "killed, it is of the one type or the other" killed

gone() {
    vectl destroy $VE
    expect "$(ls -A $PRIVATE)" "" "what is left"
}
check "nothing is left" gone

remove_template cv

# SPDX-License-Identifier: LGPL-2.1-or-later
# A whole Debian, imported from an archive that mmdebstrap made, with its own systemd.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=''

imports() {
    need_template "$1"
    test -d "/var/lib/ve/templates/debian-$1/root/etc"
}

boots() {
    local pid
    [ -d "/var/lib/ve/templates/debian-$1/root" ] || fail "there is no template"
    snapshot_mounts >"$WORK/mounts"
    define $VE "[VE]" "Template=debian-$1" "Hostname=inside.example.org"
    SINCE=$(now)
    start $VE
    pid=$(leader $VE)
    expect "$(cat "/proc/$pid/comm")" systemd "the main process"
    expect "$(sed -n 's/^PPid:\t//p' "/proc/$pid/status")" 1 "its parent"
    expect_no_veneer_process
    systemctl status --no-pager ve@$VE | grep -q "Main PID: $pid (systemd)" ||
        fail "systemctl status does not show it as the main process"
}

is_running() {
    local state
    state=$(inside $VE timeout 60 systemctl is-system-running --wait || true)
    if [ "$state" != running ]; then
        inside $VE systemctl --failed --no-pager
        inside $VE systemctl list-jobs --no-pager
        inside $VE journalctl -b --no-pager -p warning | tail -n 30
    fi
    expect "$state" running
}

same_mounts() {
    snapshot_mounts >"$WORK/mounts.now"
    diff "$WORK/mounts" "$WORK/mounts.now" || fail "the host's mounts changed"
}

container_interface() {
    local pid
    pid=$(leader $VE)
    expect "$(inside $VE systemd-detect-virt --container || true)" container-other
    tr '\0' '\n' <"/proc/$pid/environ" | grep -qx container=veneer || fail "no container= for its PID 1"
    expect "$(inside $VE cat /run/host/container-manager)" veneer
    expect "$(inside $VE cat /proc/sys/kernel/hostname)" inside.example.org "the hostname"
    expect "$(inside $VE cat /run/host/container-uuid | tr -d -)" "$(inside $VE cat /etc/machine-id)" \
        "the uuid"
    expect "$(inside $VE findmnt -no PROPAGATION /)" shared "the propagation of /"
    expect_match "$(inside $VE findmnt -no OPTIONS /sys)" "ro,*" "the options of /sys"
    inside $VE sh -c 'for i in null zero full random urandom tty ptmx pts/ptmx; do test -c /dev/$i || exit 1; done' ||
        fail "device nodes are missing"
}

shifted() {
    local pid base count
    pid=$(leader $VE)
    base=$(cat /run/ve/running/$VE/uid-base)
    expect "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")" "$base" "the uid of its PID 1"
    expect "$(sed -n 's/^Gid:\t\([0-9]*\).*/\1/p' "/proc/$pid/status")" "$base" "the gid of its PID 1"
    expect $((base % 65536)) 0 "the base modulo 65536"
    [ "$base" -ge 524288 ] && [ "$base" -le 1878982656 ] || fail "the base $base is out of range"
    read -r _ _ count <"/proc/$pid/uid_map"
    expect "$count" 65536 "the size of its range"
}

unshifted_on_disk() {
    local upper=/var/lib/ve/private/$VE/upper
    inside $VE sh -c 'echo text >/root/file && chown 1000:1000 /root/file && mkdir /srv/dir && mknod /srv/fifo p'
    inside $VE sh -c 'echo changed >>/etc/issue && rm /etc/debian_version && touch /usr/new'
    expect "$(stat -c %u:%g $upper/root/file)" 1000:1000 "the owner of a file on disk"
    expect "$(stat -c %u:%g $upper/srv/dir)" 0:0 "the owner of a directory on disk"
    expect "$(cat $upper/root/file)" text
    ! grep -q changed "/var/lib/ve/templates/debian-$1/root/etc/issue" || fail "the template was written"
    test -e "/var/lib/ve/templates/debian-$1/root/etc/debian_version"
}

# The kernel has the controllers that the VE's systemd turned on; see limits for the rest.
delegated() {
    local cgroup
    need_controllers memory pids
    cgroup=$(cgroup_of $VE)
    expect_match " $(cat "$cgroup/cgroup.subtree_control") " "* memory *" "subtree_control"
    expect_match " $(cat "$cgroup/cgroup.subtree_control") " "* pids *" "subtree_control"
}

restarts() {
    local before
    before=$(leader $VE)
    systemctl restart ve@$VE
    [ "$(leader $VE)" != "$before" ] || fail "the main process is the same"
    expect "$(inside $VE cat /root/file)" text "the file written before"
}

reboots() {
    local before boot
    before=$(leader $VE)
    boot=$(boot_id)
    [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id)" ] || fail "its boot id is the host's"
    inside $VE systemctl reboot || true
    wait_until 60 has_new_leader $VE "$before" || fail "it did not come back"
    expect "$(inside $VE timeout 60 systemctl is-system-running --wait)" running
    [ "$(boot_id)" != "$boot" ] || fail "its boot id is still the same"
    inside $VE journalctl --field=_BOOT_ID >"$WORK/boots"
    grep -qx "${boot//-/}" "$WORK/boots" || fail "its journal does not have the boot before"
    grep -qx "$(boot_id | tr -d -)" "$WORK/boots" || fail "its journal does not have this boot"
}
boot_id() {
    inside $VE cat /proc/sys/kernel/random/boot_id
}

stops() {
    SINCE=$(now)
    systemctl stop ve@$VE
    expect "$(property $VE ActiveState)" inactive
    expect "$(property $VE Result)" success
    # Its own journal, from its disk.
    journalctl --quiet --no-pager --output=cat --since="$SINCE" \
        --directory=/var/lib/ve/private/$VE/upper/var/log/journal >"$WORK/journal"
    grep -q "Reached target.*[Ss]hutdown\|Shutting down" "$WORK/journal" || {
        tail -n 20 "$WORK/journal"
        fail "its journal does not show its own shutdown"
    }
}

leaves_nothing() {
    wait_until 20 gone || fail "something of it is left: $(ls -d /run/ve/running/$VE "$(cgroup_root)"/ve.slice/ve-* 2>/dev/null | paste -sd' ')"
    expect "$(snapshot_processes)" "" "processes"
}
gone() {
    [ ! -e /run/ve/running/$VE ] && ! compgen -G "$(cgroup_root)/ve.slice/ve-*" >/dev/null
}

powers_off() {
    systemctl start ve@$VE
    inside $VE systemctl poweroff || true
    expect_state $VE inactive 60
    expect "$(property $VE Result)" success
}

for release in 12 13; do
    VE=deb$release
    NAME="Debian $release"
    check "$NAME is imported from an archive" imports $release
    check "$NAME boots to READY, its systemd the main process, and none of Veneer's" boots $release
    # Its journal is kept on its disk.
    check "$NAME says that it is running, not degraded" is_running
    check "$NAME is no mount on the host while it runs" same_mounts
    check "$NAME finds the container interface" container_interface
    check "$NAME has its root shifted to a range of its own" shifted
    check "$NAME writes unshifted to its own disk, not the template" unshifted_on_disk $release
    check "$NAME has controllers delegated" delegated
    check "$NAME keeps its files over a restart" restarts
    check "$NAME reboots from inside, with a boot id of its own each time" reboots
    check "$NAME stops in order" stops
    check "$NAME leaves nothing running" leaves_nothing
    check "$NAME is no mount on the host afterwards" same_mounts
    check "$NAME powers off from inside" powers_off
    remove $VE
done

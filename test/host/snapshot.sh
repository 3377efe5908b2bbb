# SPDX-License-Identifier: LGPL-2.1-or-later
# What a VE could leave on a host, listed so that two listings can be compared.

# Lists it into a file.
snapshot() {
    {
        section mounts snapshot_mounts
        section cgroups snapshot_cgroups
        section processes snapshot_processes
        section "/run/ve" snapshot_tree /run/ve
        section "/var/lib/ve" snapshot_tree /var/lib/ve 3
        section "/etc/ve" snapshot_tree /etc/ve
        section "machines" snapshot_machines
        section "loop devices" snapshot_loops
        section "network interfaces" ls /sys/class/net
        section "failed units" snapshot_failed
        section "transient units" snapshot_tree /run/systemd/transient
        section "generated units" snapshot_tree /run/systemd/generator
        section "/tmp" snapshot_tree /tmp 1
        section "user namespaces" snapshot_userns
    } >"$1" 2>&1
}

section() {
    local title=$1
    shift
    # That there is nothing to list is no failure.
    "$@" | sed "s|^|$title: |" || true
}

# Without the ids, which change with every mount; services' own credentials come and go with them.
snapshot_mounts() {
    cut -d' ' -f4- /proc/1/mountinfo | sed 's/ \(shared\|master\):[0-9]*//g' |
        grep -v -e ' /run/credentials/' -e ' /proc/sys/fs/binfmt_misc ' -e ' /run/user/' |
        LC_ALL=C sort
}

# Those of this host's files: others use the kernel's, too.
snapshot_loops() {
    local inode file
    losetup --noheadings --list --output BACK-INO,BACK-FILE 2>/dev/null | while read -r inode file; do
        [ "$(stat -c %i "$file" 2>/dev/null)" != "$inode" ] || echo "$file"
    done
}

snapshot_cgroups() {
    local root
    root=$(cgroup_root)
    [ ! -d "$root/ve.slice" ] || (cd "$root" && find ve.slice -mindepth 1 -type d)
}

# Processes of ours, and whatever is not in the host's own user namespace. Without a process for each
# that is looked at: tests ask for this often.
snapshot_processes() {
    local host dir comm
    host=$(readlink /proc/1/ns/user)
    # As a pattern.
    host=${host/\[/\\[}
    {
        for dir in /proc/[0-9]*; do
            read -r comm <"$dir/comm" || continue
            case $comm in
            ve-launch* | vectl | ve-generator) echo "$comm" ;;
            esac
        done
        find /proc/[0-9]*/ns/user -maxdepth 0 ! -lname "$host" \
            -printf 'a process in another user namespace\n'
    } 2>/dev/null | LC_ALL=C sort
}

# A lock file may stay: it is locked while somebody has it open. So may what is made once: the
# template "host", and the ones that tests share; and who had which uid range.
snapshot_tree() {
    [ ! -d "$1" ] || find "$1" -mindepth 1 -maxdepth "${2:-9}" ! -name '*.lock' ! -name 'systemd-private-*' \
        ! -path '/var/lib/ve/templates/host*' \
        ! -path '/var/lib/ve/templates/debian-*' -printf '%P %y\n' |
        grep -v -e '^veneer-test\.' -e '^templates d$' -e '^private d$' -e '^locks d$' -e '^running d$' -e '^uid-ranges f$' -e '^veneer-test.service' \
            -e '^\.[A-Za-z0-9]*-unix' |
        LC_ALL=C sort
}

snapshot_machines() {
    find /run/systemd/machines -type f -printf '%f\n' 2>/dev/null
}

snapshot_failed() {
    systemctl list-units --failed --plain --no-legend | cut -d' ' -f1
}

snapshot_userns() {
    lsns -t user -n -o TYPE 2>/dev/null | wc -l
}

cgroup_root() {
    if [ -d /sys/fs/cgroup/unified ]; then
        echo /sys/fs/cgroup/unified
    else
        echo /sys/fs/cgroup
    fi
}

# Fails, printing the difference, when the host is not as in the snapshot; waits a moment for what
# systemd and the kernel still take away by themselves.
same_as() {
    wait_until 10 snapshot_is "$1" || {
        diff "$1" "$1.now" || true
        fail "the host changed: $(diff "$1" "$1.now" | grep '^[<>]' | head -n 3 | paste -sd';')"
    }
}

snapshot_is() {
    snapshot "$1.now"
    cmp -s "$1" "$1.now"
}

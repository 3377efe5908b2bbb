# SPDX-License-Identifier: LGPL-2.1-or-later
# A disposable host: a copy of a host root with the build installed, booted by systemd-nspawn. Its
# systemd is a real one, and VEs run in it at native speed. Its network is its own, with nothing in it.

# Makes a host root of this run from ROOT at DIR: copied, since the private data of VEs lies in it
# and cannot lie on an overlay. The kernel is of no use in a container.
make_host_root() {
    local root=$1 dir=$2
    mkdir "$dir"
    # In subshells: a pipe's failure is the function's.
    (
        set -o pipefail
        tar -C "$root" --exclude=./boot --exclude=./usr/lib/modules --xattrs --one-file-system -c . |
            tar -C "$dir" --xattrs --xattrs-include='*' --numeric-owner -x
    ) || return 1
    finish_host_root "$dir"
}

# Installs the build, the tests and the archives into a host root.
finish_host_root() {
    local dir=$1 tests=$1/opt/veneer-test
    install_stage "$dir" || return 1
    mkdir -p "$tests"
    cp -a "$SOURCE/test/host" "$SOURCE/test/machine" "$tests/" || return 1
    [ ! -e "$SOURCE/test/golden" ] || cp -a "$SOURCE/test/golden" "$tests/" || return 1
    cp -a "$BUILD/inits" "$tests/inits" || return 1
    echo "veneer-host" >"$dir/etc/hostname"
    # Of its own, as every machine's is.
    tr -d - </proc/sys/kernel/random/uuid >"$dir/etc/machine-id"
    # Nothing in a disposable host waits for a network, fetches or cleans.
    rm -f "$dir"/etc/systemd/system/timers.target.wants/* "$dir/etc/resolv.conf"
    mkdir -p "$dir/var/log/journal"
}

# Copies what was built into a root whose /lib may be a link to usr/lib, as a package would.
install_stage() {
    (
        set -o pipefail
        tar -C "$STAGE" -c . |
            tar -C "$1" --keep-directory-symlink --no-overwrite-dir --numeric-owner -x
    )
}

# Boots the host root DIR under the name NAME, with ARCHIVES (a directory) at
# /opt/veneer-test/archives. Sets LEADER to the pid of its systemd. What its console says goes to
# DIR.console.
boot_container() {
    local dir=$1 name=$2 archives=$3 command scope=() cgroup=''
    if [ -d /run/systemd/system ]; then
        scope=(systemd-run --quiet --scope --collect --property=Delegate=yes --)
    else
        cgroup=$(own_cgroup "$name") || return 1
        at_end "remove_cgroup $cgroup"
    fi
    mkdir -p "$dir/opt/veneer-test/archives"
    command="exec systemd-nspawn --quiet --boot --keep-unit --register=no --capability=all --private-network
        --directory=$(printf %q "$dir") --machine=$(printf %q "$name") --hostname=veneer-host
        --bind-ro=$(printf %q "$archives"):/opt/veneer-test/archives"
    # Of its own session, so that an interrupt at the terminal reaches only us, who then stop it. $$ is
    # the inner shell's.
    # shellcheck disable=SC2016
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_SECCOMP=0 \
        setsid "${scope[@]}" bash -c '[ -z "$1" ] || echo $$ >"$1/cgroup.procs"; exec script -qefc "$2" "$3"' \
        bash "$cgroup" "${command//$'\n'/ }" "$dir.console" </dev/null >/dev/null 2>&1 &
    SUPERVISOR=$!
    at_end "stop_container $SUPERVISOR"
    LEADER=$(wait_for_leader "$SUPERVISOR") || return 1
    wait_for_boot
}

# Makes a cgroup for a container where no systemd does; prints its directory. From the same cgroup,
# two containers would share the one that nspawn makes below it.
own_cgroup() {
    local root=/sys/fs/cgroup controller
    [ "$(stat -f -c %T $root)" = cgroup2fs ] || root=/sys/fs/cgroup/unified
    [ "$(stat -f -c %T $root 2>/dev/null)" = cgroup2fs ] || {
        echo "$PROGRAM: there is no cgroup v2 hierarchy on this machine." >&2
        return 1
    }
    # Whatever controllers there are, the container may use.
    for controller in $(cat $root/cgroup.controllers); do
        echo "+$controller" >$root/cgroup.subtree_control || true
    done 2>>"$LOG"
    mkdir "$root/veneer-$1" || return 1
    echo "$root/veneer-$1"
}

remove_cgroup() {
    [ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} + 2>>"$LOG"
}

# Prints the children of a process.
children() {
    cat "/proc/$1/task"/*/children 2>/dev/null
}

# Prints the pid of the systemd that the nspawn below the process $1 has started.
wait_for_leader() {
    local deadline=$((SECONDS + 60)) pid child
    while [ $SECONDS -lt $deadline ] && [ -e "/proc/$1" ]; do
        for pid in $(descendants "$1"); do
            [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = systemd-nspawn ] || continue
            for child in $(children "$pid"); do
                if [ "$(cat "/proc/$child/comm" 2>/dev/null)" = systemd ]; then
                    echo "$child"
                    return
                fi
            done
        done
        sleep 0.1
    done
    return 1
}

descendants() {
    local child
    for child in $(children "$1"); do
        echo "$child"
        descendants "$child"
    done
}

# Waits until the host in the container has booted.
wait_for_boot() {
    local deadline=$((SECONDS + 120))
    while [ $SECONDS -lt $deadline ] && [ -e "/proc/$LEADER" ]; do
        if [ -S "/proc/$LEADER/root/run/dbus/system_bus_socket" ]; then
            # "degraded" is for the tests to say.
            in_container systemctl is-system-running --wait >>"$LOG" 2>&1 || true
            return 0
        fi
        sleep 0.1
    done
    return 1
}

# Ends a process that is ours, and all below it.
kill_tree() {
    local pid
    for pid in $(descendants "$1") "$1"; do
        kill -KILL "$pid" 2>/dev/null || true
    done
}

# Runs a command in the container, outside its units.
in_container() {
    nsenter --target "$LEADER" --all env -i HOME=/root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

# Runs a command in the container as a service of its systemd, with our standard output.
service_in_container() {
    in_container systemd-run --quiet --collect --wait --pipe --unit=veneer-test \
        --setenv=LC_ALL=C.UTF-8 --setenv=HOME=/root -- "$@"
}

# Stops a container by the pid of its supervisor: orderly for ten seconds, then at once.
stop_container() {
    local supervisor=$1 pid deadline=$((SECONDS + 10))
    for pid in $(descendants "$supervisor"); do
        if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = systemd-nspawn ]; then
            kill -TERM "$pid" 2>/dev/null || true
        fi
    done
    while [ -e "/proc/$supervisor" ] && [ $SECONDS -lt $deadline ]; do
        sleep 0.1
    done
    kill_tree "$supervisor"
    wait "$supervisor" 2>/dev/null || true
}

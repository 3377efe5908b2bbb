# SPDX-License-Identifier: LGPL-2.1-or-later
# Bad input and unfit hosts: one clear sentence, a documented exit code, and nothing changed.
. "$(dirname "$(realpath "$0")")/lib.sh"

# Listed below, and there once a VE has been made.
mkdir -p /etc/ve

tiny_template tiny static-init

# What a command could have changed; a whole snapshot would take longer than all else here.
state() {
    find /etc/ve /run/ve /var/lib/ve /etc/systemd/system /run/systemd/generator /run/systemd/transient \
        -path '*/templates/debian-*' -prune -o -name '*.lock' -o \
        -type d -printf '%p\n' -o -printf '%p %T@ %s\n' 2>/dev/null |
        grep -v -e '^/run/ve$' -e '/run-[^/]*\.service' -e '^/run/systemd/transient$' | LC_ALL=C sort
    cat /proc/1/mountinfo
}

# refused STATUS PATTERN COMMAND…: it fails so, says one line that matches, and changes nothing.
refused() {
    local status=$1 pattern=$2
    shift 2
    state >"$WORK/state"
    expect_status "$status" "$@"
    expect_sentence "$ERR" "$pattern"
    state | diff "$WORK/state" - || fail "\"$*\" changed something"
}

LONG=$(printf 'a%.0s' {1..64})
check "create: no such template" refused 3 "*no template*nosuch*" vectl create new --template=nosuch
check "create: a name with /" refused 2 "*a/b*" vectl create a/b --template=tiny
check "create: a name of 64 characters" refused 2 "*$LONG*" vectl create "$LONG" --template=tiny
check "create: a name in upper case" refused 2 "*Web*" vectl create Web --template=tiny
check "create: a name that leads out" refused 2 "*..*" vectl create .. --template=tiny
check "create: an empty name" refused 2 "*name*" vectl create "" --template=tiny
check "create: no name" refused 2 "*" vectl create --template=tiny
check "create: an unknown option" refused 2 "*--tempalte*" vectl create new --tempalte=tiny
check "create: a bad setting" refused 2 "*NotifyReady*perhaps*" vectl create new --template=tiny --set VE.NotifyReady=perhaps
check "create: one bad name among good ones" refused 2 "*a_b*" vectl create new a_b --template=tiny

existing() {
    vectl create there --template=tiny
    refused 4 "*there*" vectl create there --template=tiny
    refused 4 "*there*" vectl create new there --template=tiny
    vectl destroy there
}
check "create: a VE that there is already" existing

for verb in start stop restart status destroy show; do
    check "$verb: no such VE" refused 3 "*nosuch*" vectl $verb nosuch
done
check "exec: no such VE" refused 3 "*nosuch*" vectl exec nosuch -- true
check "enter: no such VE" refused 3 "*nosuch*" vectl enter nosuch
check "check: no such VE" refused 3 "*nosuch*" vectl check nosuch
check "an unknown verb" refused 2 "*craete*create*" vectl craete new
check "template show: no such template" refused 3 "*nosuch*" vectl template show nosuch
check "template remove: no such template" refused 3 "*nosuch*" vectl template remove nosuch
check "template import: no such archive" refused 3 "*/nosuch.tar*" vectl template import new /nosuch.tar
check "template import: a bad name" refused 2 "*a/b*" vectl template import a/b /nosuch.tar

not_running() {
    vectl create down --template=tiny
    refused 5 "*down*" vectl exec down -- true
    refused 5 "*down*" vectl enter down
    vectl destroy down
}
check "exec and enter: a VE that is not running" not_running

no_archive() {
    head -c 100000 /dev/urandom >"$WORK/noise.tar.zst"
    refused 1 "*noise.tar.zst*" vectl template import new "$WORK/noise.tar.zst"
    tar -C / -cf "$WORK/part.tar" etc/passwd usr/lib/os-release
    truncate -s 700 "$WORK/part.tar"
    refused 1 "*part.tar*" vectl template import new "$WORK/part.tar"
}
check "template import: what is no archive, or half of one" no_archive

no_root() {
    mkdir -p "$WORK/empty"
    refused 1 "*empty*" vectl template import new "$WORK/empty"
}
check "template import: a directory that is no root" no_root

# starts_with_error NAME STATUS PATTERN: the start of the VE fails so.
starts_with_error() {
    local name=$1 code=$2 pattern=$3 status=0 mounts
    mounts=$(snapshot_mounts)
    SINCE=$(now)
    systemctl start "ve@$name" || status=$?
    expect $status 1 "the status of systemctl start"
    expect "$(property "$name" ActiveState)" failed
    expect "$(property "$name" ExecMainStatus)" "$code" "the exit code of ve-launch"
    expect_match "$(property "$name" StatusText)" "$pattern" "the status text"
    wait_until 10 said "$name" "${pattern//\*/.*}" || {
        explain "$name"
        fail "the journal does not have it"
    }
    journalctl --sync
    expect "$(journalctl -q --no-pager -o cat --since="$SINCE" SYSLOG_IDENTIFIER="$name" | wc -l)" 1 "the number of its messages"
    expect "$(snapshot_mounts)" "$mounts" "the host's mounts"
    expect "$(snapshot_processes)" "" "the processes left"
    [ ! -e "/run/ve/running/$name" ] || fail "/run/ve/running/$name is left"
    reset "$name"
}

without() {
    local what=$1 template=broken root=/var/lib/ve/templates/broken/root
    shift
    tiny_template $template static-init
    rm -rf "${root:?}/$what"
    define broken "[VE]" "Template=$template" "NotifyReady=no" "$@"
}

no_init() {
    without sbin
    starts_with_error broken 1 "*init*"
}
check "start: a root without an init" no_init

no_such_init() {
    without none "Init=/no/such/init"
    starts_with_error broken 1 "*/no/such/init*"
}
check "start: an init that is not there" no_such_init

no_etc() {
    without etc
    starts_with_error broken 1 "*etc*"
}
check "start: a template without /etc" no_etc

template_gone() {
    without none
    remove_template broken
    starts_with_error broken 1 "*broken*"
}
check "start: a template that is gone" template_gone

not_roots() {
    without none
    chown 1000:1000 /var/lib/ve/templates/broken
    starts_with_error broken 1 "*broken*"
}
check "start: a template that is not root's" not_roots

# over PATH TYPE OPTIONS COMMAND…: with another filesystem mounted there until the check ends.
over() {
    local path=$1 type=$2 options=$3
    shift 3
    mkdir -p "$path"
    mount -t "$type" -o "$options" none "$path"
    # shellcheck disable=SC2064 # now
    trap "umount '$path'" EXIT
    "$@"
}

no_idmap() {
    without none
    over /var/lib/ve/private ramfs mode=0755 starts_with_error broken 1 "*idmap*"
}
check "start: a filesystem that cannot be idmapped" no_idmap

full() {
    without none
    over /var/lib/ve/private tmpfs size=4k,nr_inodes=2,mode=0755 starts_with_error broken 1 "*[Nn]o space*"
}
check "start: a full disk" full

full_create() {
    over /var/lib/ve/private tmpfs size=4k,nr_inodes=2,mode=0755 refused 1 "*[Nn]o space*" vectl create new --template=tiny
}
check "create: a full disk" full_create

read_only() {
    without none
    mount --bind /var/lib /var/lib
    trap 'umount /var/lib' EXIT
    mount -o remount,bind,ro /var/lib
    starts_with_error broken 1 "*[Rr]ead-only*"
    refused 1 "*[Rr]ead-only*" vectl create new --template=tiny
}
check "start and create: /var/lib is read-only" read_only

cgroup_v1() {
    without none
    # shellcheck disable=SC2016
    expect_status 69 env NOTIFY_SOCKET=/run/systemd/notify unshare --mount \
        sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$0" broken' $LAUNCH
    expect_sentence "$ERR" "*cgroup*"
}
check "start: no unified cgroup hierarchy" cgroup_v1

old_kernel() {
    expect_status 69 env NOTIFY_SOCKET=/run/systemd/notify setarch --uname-2.6 $LAUNCH broken
    expect_sentence "$ERR" "*6.1*"
}
check "start: a kernel that is too old" old_kernel

by_hand() {
    expect_status 2 env -u NOTIFY_SOCKET $LAUNCH broken
    expect_sentence "$ERR" "*systemctl start*"
}
check "ve-launch typed by hand" by_hand

nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
not_root() {
    local verb
    expect_status 77 nobody $LAUNCH broken
    expect_sentence "$ERR" "*root*"
    for verb in "create new --template=tiny" "destroy broken" "start broken" "stop broken" "exec broken -- true" \
        "enter broken" "template import new /etc" "template remove tiny" "template build-host"; do
        # shellcheck disable=SC2086 # words
        expect_status 77 nobody vectl $verb
        expect_sentence "$ERR" "*root*"
    done
}
check "not root" not_root

no_setuid() {
    local found
    found=$(find / -xdev -perm /6000 -type f \( -name '*vectl*' -o -path '*veneer*' -o -name 've-*' \))
    expect "$found" "" "set-uid programs of ours"
}
check "nothing of ours is set-uid" no_setuid

remove broken
remove_template tiny broken

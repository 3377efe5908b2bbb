# SPDX-License-Identifier: LGPL-2.1-or-later
# vectl create and destroy, killed at every system call that changes or tells something: the VE is
# there or it isn't, and the next command leaves nothing.
. "$(dirname "$(realpath "$0")")/lib.sh"

# Listed below, and there once a VE has been made.
mkdir -p /etc/ve

VE=vk
tiny_template vk static-init
CALLS="mkdirat ftruncate rename renameat2 unlink unlinkat rmdir fsync sendmsg"

left() {
    find /etc/ve /run/ve /var/lib/ve/private /etc/systemd /run/systemd/generator \( -name "*$VE" -o -name "*$VE.*" -o -name "*@$VE*" \)
    systemctl list-units --all --plain --no-legend "*$VE*"
}

prepare_create() {
    ARGUMENTS="create $VE --template=vk"
}

prepare_create_image() {
    ARGUMENTS="create $VE --template=vk --set Storage.Type=image --set Storage.Size=16M"
}

prepare_create_directory() {
    ARGUMENTS="create $VE --template=vk --set Storage.Type=directory"
}

prepare_destroy() {
    ARGUMENTS="destroy $VE"
    vectl create $VE --template=vk
    systemctl enable --quiet ve@$VE
    mkdir -p /etc/ve/$VE.ve.d
    printf '[Slice]\nTasksMax=9\n' >/etc/ve/$VE.ve.d/x.conf
}

# How often the command makes the system call.
count() {
    awk -v call="$1" '$NF == call { n = $4 } END { print n + 0 }' "$WORK/counts"
}

# kill_at CALL N: the command dies there, or it is over before.
kill_at() {
    local status=0
    # shellcheck disable=SC2086 # words
    strace -o "$WORK/trace" -e "inject=$1:signal=KILL:when=$2" vectl $ARGUMENTS >"$WORK/said" 2>&1 || status=$?
    [ $status -eq 137 ] || fail "killed at $1 $2 it ended with $status: $(cat "$WORK/said")"
}

# Whether or not the VE is there, both commands must say so, and do what they should.
recovers() {
    local status=0
    vectl list -n -o name >/dev/null
    if [ $(($2 % 2)) -eq 0 ]; then
        vectl create $VE --template=vk 2>"$WORK/said" || status=$?
        [ $status -eq 0 ] || [ $status -eq 4 ] || fail "after $1 $2, create ended with $status: $(cat "$WORK/said")"
        vectl destroy $VE
    else
        vectl destroy $VE 2>"$WORK/said" || status=$?
        [ $status -eq 0 ] || [ $status -eq 3 ] || fail "after $1 $2, destroy ended with $status: $(cat "$WORK/said")"
    fi
    expect "$(left)" "" "what is left after $1 $2"
}

everywhere() {
    local call n max total=0
    command -v strace >/dev/null || skip "no strace here"
    "prepare_$1"
    # shellcheck disable=SC2086 # words
    strace -c -o "$WORK/counts" vectl $ARGUMENTS
    vectl destroy $VE 2>/dev/null || true
    for call in $CALLS; do
        max=$(count "$call")
        for ((n = 1; n <= max; n++)); do
            "prepare_$1"
            kill_at "$call" "$n"
            recovers "$call" "$n"
            total=$((total + 1))
        done
    done
    echo "killed $total times"
    [ $total -gt 10 ] || fail "only $total system calls to kill at"
}
check "create is killed" everywhere create
check "create of an image is killed" everywhere create_image
check "destroy is killed" everywhere destroy
# Of the calls that are made for each file, these.
CALLS="utimensat renameat2 fsync syncfs sendmsg"
check "create of a directory is killed" everywhere create_directory

remove_template vk

# SPDX-License-Identifier: LGPL-2.1-or-later
# An ephemeral VE: what it writes is gone when it ends, however that comes, and what was there before stays.
. "$(dirname "$(realpath "$0")")/lib.sh"

PRIVATE=/var/lib/ve/private/passing

passing_define() {
    define passing "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=host" "$@"
}

# Names, kinds, sizes and times of what the VE has on disk.
kept() {
    find $PRIVATE -printf '%P %y %m %U %s %T@\n' | sort
}

write_some() {
    inside passing sh -c 'echo new >/root/d/new; echo changed >/root/d/old; rm -r /root/d/gone; head -c 1M /dev/zero >/var/big'
}

# The VE has what it had before, and nothing of write_some.
expect_as_before() {
    expect "$(inside passing ls -A /root/d | paste -sd' ')" "gone old" "what is in /root/d $1"
    expect "$(inside passing cat /root/d/old)" kept "what was there before, $1"
    ! inside passing test -e /var/big || fail "what was written is still there $1"
}

life() {
    local before uuid mounts pid
    mounts=$(cat /proc/self/mountinfo)
    passing_define "Ephemeral=no"
    start passing
    inside passing sh -c 'mkdir -p /root/d/gone && echo kept >/root/d/old'
    uuid=$(inside passing cat /etc/machine-id)
    systemctl stop ve@passing
    passing_define "Ephemeral=yes"
    before=$(kept)
    start passing
    expect_as_before "at first"
    write_some
    expect "$(inside passing cat /root/d/old)" changed "what was written, while it runs"
    expect "$(inside passing ls -A /root/d | paste -sd' ')" "new old" "what is in /root/d while it runs"
    systemctl restart ve@passing
    expect_as_before "after a restart"
    expect "$(inside passing cat /etc/machine-id)" "$uuid" "its machine ID"
    write_some
    pid=$(leader passing)
    inside passing systemctl reboot
    wait_until 60 has_new_leader passing "$pid" || fail "it did not reboot"
    expect_as_before "after a reboot from inside"
    write_some
    systemctl kill --signal=KILL ve@passing
    expect_state passing failed
    expect "$(kept)" "$before" "what it has on disk"
    expect "$(cat /proc/self/mountinfo)" "$mounts" "what is mounted on the host"
    start passing
    expect_as_before "after it was killed"
    systemctl stop ve@passing
    # And back.
    passing_define "Ephemeral=no"
    start passing
    expect_as_before "when it is ephemeral no more"
    write_some
    systemctl restart ve@passing
    expect "$(inside passing cat /root/d/new)" new "what was written when it was ephemeral no more"
}
check "what it writes is gone when it ends, and what was there before stays" life
remove passing

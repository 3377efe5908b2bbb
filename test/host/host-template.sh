# SPDX-License-Identifier: LGPL-2.1-or-later
# The built-in template: this host's /usr, read-only, over a sanitized /etc.
. "$(dirname "$(realpath "$0")")/lib.sh"

VE=builtin
ROOT=/var/lib/ve/templates/host/root

# Everything that identifies this host or opens it, planted where a careless copy would take it along.
MARK=veneer-secret-4711
plant() {
    echo "$MARK" >/etc/veneer-secret
    echo "$MARK" >/etc/ssh-host-key-of-some-kind
    mkdir -p /etc/ssh /etc/ssl/private /etc/wireguard
    echo "$MARK" >/etc/ssh/ssh_host_ed25519_key
    echo "$MARK" >/etc/ssl/private/server.key
    echo "$MARK" >/etc/wireguard/wg0.conf
    echo "somebody:\$6\$$MARK:19000:0:99999:7:::" >>/etc/shadow
    echo "somebody:x:1234:1234:$MARK:/home/somebody:/bin/sh" >>/etc/passwd
    echo "10.0.0.1 $MARK" >>/etc/hosts
    echo "/dev/disk/by-label/$MARK /mnt ext4 defaults 0 0" >>/etc/fstab
    mkdir -p /root/.ssh
    echo "$MARK" >/root/.ssh/id_ed25519
}
unplant() {
    sed -i "/$MARK/d" /etc/shadow /etc/passwd /etc/hosts /etc/fstab
    rm -rf /etc/veneer-secret /etc/ssh-host-key-of-some-kind /etc/ssh/ssh_host_ed25519_key /etc/ssl/private/server.key \
        /etc/wireguard/wg0.conf /root/.ssh/id_ed25519
}

builds() {
    plant
    vectl template build-host || {
        unplant
        fail "it cannot be built"
    }
    # The control: the marks are there to be found.
    [ "$(grep -r -l -s "$MARK" /etc /root/.ssh | wc -l)" -ge 9 ] || fail "the marks were not planted"
    unplant
}
check "it is built" builds

no_secret() {
    local found
    found=$(grep -r -l -s "$MARK" $ROOT || true)
    expect "$found" "" "files with a secret of the host"
    expect "$(cat $ROOT/etc/machine-id)" "" "its machine-id"
    ! grep -r -q -F "$(cat /etc/machine-id)" $ROOT || fail "the host's machine-id is in it"
    ! grep -r -q -x "$(cat /etc/hostname)" $ROOT/etc/hostname 2>/dev/null || fail "the host's name is in it"
    [ ! -s $ROOT/etc/fstab ] || ! grep -v '^#' $ROOT/etc/fstab || fail "it has an fstab"
    # No password but none.
    ! cut -d: -f2 $ROOT/etc/shadow | grep -v -x -e '!' -e '!\*' -e '\*' -e '!!' || fail "there is a password hash in it"
    expect "$(find $ROOT -name '*key*' -path '*ssh*')" "" "keys"
    find $ROOT/etc -type f -printf '%P\n' | LC_ALL=C sort
    # What systemd-update-done(8) would write.
    expect "$(find $ROOT/var -type f ! -path "$ROOT/var/.updated")" "" "the files in its /var"
    expect "$(ls $ROOT/usr)" "" "what lies in its /usr"
}
check "no password, key, id, name, fstab or secret of the host is in it" no_secret

boots() {
    define $VE "[VE]" "Template=host"
    snapshot_mounts >"$WORK/mounts"
    start $VE
    expect "$(inside $VE timeout 60 systemctl is-system-running --wait || true)" running
    expect_no_veneer_process
    snapshot_mounts | diff "$WORK/mounts" - || fail "the host's mounts changed"
}
check "a VE boots from it to running" boots

own_identity() {
    expect_match "$(inside $VE cat /etc/machine-id)" "????????????????????????????????" "its machine-id"
    [ "$(inside $VE cat /etc/machine-id)" != "$(cat /etc/machine-id)" ] || fail "it has the host's machine-id"
    expect "$(inside $VE hostname)" $VE "its hostname"
    expect "$(inside $VE sh -c 'ls /sys/class/net')" lo "its network interfaces"
    expect "$(inside $VE cat /sys/class/net/lo/operstate)" unknown "the state of lo"
}
check "it has an identity and a network of its own" own_identity

local_is_covered() {
    echo "$MARK" >/usr/local/veneer-secret
    chmod 600 /usr/local/veneer-secret
    # The control: it is in what the VE shares.
    expect "$(cat /usr/local/veneer-secret)" "$MARK"
    expect "$(inside $VE ls /usr/local)" "" "what the VE sees in /usr/local"
    ! inside $VE umount /usr/local || fail "root in the VE uncovered it"
    ! inside $VE grep -r -q "$MARK" /usr/local || fail "root in the VE reads it"
}
check "what the administrator keeps in /usr/local is covered" local_is_covered
rm -f /usr/local/veneer-secret

shared_usr() {
    local of_host of_ve
    # The same inode, so the same page cache.
    of_host=$(stat -c %i /usr/lib/systemd/systemd)
    of_ve=$(inside $VE stat -c %i /usr/lib/systemd/systemd)
    expect "$of_ve" "$of_host" "the inode of systemd"
    cannot $VE "write /usr" touch /usr/veneer-canary
    cannot $VE "write /usr after a remount" sh -c 'mount -o remount,rw /usr; touch /usr/veneer-canary'
    cannot $VE "write /usr after a bind remount" sh -c 'mount -o remount,bind,rw /usr; touch /usr/veneer-canary'
    inside $VE sh -c 'umount -l /usr; : >/usr/lib/veneer-canary' 2>/dev/null || true
    [ ! -e /usr/lib/veneer-canary ] || fail "what is below its /usr is the host's"
    [ ! -e /usr/veneer-canary ] || fail "the host's /usr was written"
}
check "the /usr is the host's, and not to be written by any remount" shared_usr

writable() {
    inside $VE sh -c 'echo x >/etc/mine && echo x >/var/mine && echo x >/root/mine && rm /etc/os-release; useradd -m somebody'
    test -f /var/lib/ve/private/$VE/upper/etc/mine
    test ! -e $ROOT/etc/mine
    grep -q somebody /var/lib/ve/private/$VE/upper/etc/passwd
}
check "the /etc and /var are its own, and written" writable

in_use() {
    expect_status 5 vectl template build-host
    expect_match "$ERR" "*$VE*"
    expect_status 5 vectl template remove host || expect_status 1 vectl template remove host
}
check "it is not built anew under a VE that runs from it" in_use

by_itself() {
    systemctl stop ve@$VE
    rm -rf /var/lib/ve/templates/host
    start $VE
    test -d $ROOT/etc
    systemctl stop ve@$VE
}
check "it is built when first needed" by_itself

remove $VE

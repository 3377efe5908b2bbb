# SPDX-License-Identifier: LGPL-2.1-or-later
# What of the host is in a VE, and what it has in memory: that it is there, with the VE's ids, and that the VE can't do
# more with it than its definition says.
. "$(dirname "$(realpath "$0")")/lib.sh"

# Where root alone gets: a VE may have what is in it with the ids on disk.
SAFE=$WORK/safe
OPEN=/srv/veneer-open

# Defines a VE with the lines given in [Storage].
bind_define() {
    define binds "[Unit]" "StartLimitIntervalSec=0" "[VE]" "Template=host" "[Storage]" "$@"
}

bind_start() {
    bind_define "$@"
    start binds
}

# The VE can't be started, and says why in one sentence.
bind_refused() {
    local pattern=$1
    shift
    SINCE=$(now)
    bind_define "$@"
    ! systemctl start ve@binds 2>/dev/null || fail "it was started with $*"
    expect_said binds "$pattern"
    expect "$(said_all binds | grep -c 've-launch: \|can.t be started')" 1 "the number of sentences"
    remove binds
}

# What is above it keeps nobody out.
chmod 755 "$WORK"
mkdir -p "$SAFE/data" "$SAFE/shared"
chmod 700 "$SAFE"
echo of-root >"$SAFE/data/root"
echo of-33 >"$SAFE/data/user"
chown 33:33 "$SAFE/data/user"
chmod 600 "$SAFE/data/user"
echo one >"$SAFE/file"
mknod "$SAFE/data/null" c 1 3

ids() {
    mountinfo=$(cat /proc/self/mountinfo)
    bind_start "Bind=$SAFE/data:/var/lib/new/data $SAFE/file:/etc/one" "BindReadOnly=$SAFE/shared:/mnt"
    expect "$(inside binds stat -c %u:%g /var/lib/new/data/root /var/lib/new/data/user | paste -sd' ')" "0:0 33:33" "owners in the VE"
    expect "$(inside binds cat /etc/one)" one
    inside binds sh -c 'echo new >/var/lib/new/data/new && chown 1000:1000 /var/lib/new/data/new && echo two >/etc/one'
    expect "$(stat -c %u:%g "$SAFE/data/new")" 1000:1000 "the owner on the host of what the VE made"
    expect "$(cat "$SAFE/file")" two
    cannot binds "open a device that lies in it" sh -c 'echo >/var/lib/new/data/null'
    # What is to be read stays so, whatever the VE's root does.
    cannot binds "write to what is read-only" touch /mnt/x
    cannot binds "make it writable" mount -o remount,bind,rw /mnt
    cannot binds "look at what is below it" umount /mnt
    expect "$(cat /proc/self/mountinfo)" "$mountinfo" "what is mounted on the host"
    systemctl restart ve@binds
    expect "$(inside binds cat /etc/one)" two
    systemctl stop ve@binds
    expect "$(cat /proc/self/mountinfo)" "$mountinfo" "what is mounted on the host"
}
check "what is bound has the ids that it has on disk, and stays read-only" ids
remove binds

options() {
    cp -a /usr/bin/id "$SAFE/data/id"
    chmod 4755 "$SAFE/data/id"
    bind_start "Bind=$SAFE/made/below:/srv/made:create $SAFE/data:/srv/data:noexec $SAFE/shared:/srv/host:noidmap"
    [ -d "$SAFE/made/below" ] || fail "it was not made"
    inside binds touch /srv/made/x
    cannot binds "execute what is there" /srv/data/id
    expect "$(inside binds stat -c %U /srv/host)" nobody "the owner of what is not mapped"
    cannot binds "write to what is not its own" touch /srv/host/x
}
check "options: create, noexec, noidmap" options
remove binds

# A user of the host must not find programs there that the VE's root has made to run as root.
exposed() {
    mkdir -p $OPEN
    bind_refused "users of the host can enter $OPEN" "Bind=$OPEN"
    # The mode of the directory itself is the VE's to change.
    chmod 700 $OPEN
    bind_refused "users of the host can enter $OPEN" "Bind=$OPEN"
    chmod 755 $OPEN
    # Nor does a directory that a group may enter, whichever: with an access control list, these bits are its mask.
    mkdir -p $OPEN/group/data
    chmod 710 $OPEN/group
    bind_refused "users of the host can enter $OPEN/group/data" "Bind=$OPEN/group/data:/mnt"
    chmod 700 $OPEN/group
    bind_start "Bind=$OPEN/group/data:/mnt"
    remove binds
    # Nor does another path to the same files keep anybody out.
    mkdir -p "$SAFE/elsewhere"
    mount --bind $OPEN "$SAFE/elsewhere"
    bind_refused "users of the host can enter $SAFE/elsewhere" "Bind=$SAFE/elsewhere:/mnt"
    umount "$SAFE/elsewhere"
    # To be read, not mapped, and where it is said that it is fine.
    bind_start "BindReadOnly=$OPEN"
    remove binds
    bind_start "Bind=$OPEN:$OPEN:noidmap"
    remove binds
    bind_start "Bind=$OPEN:$OPEN:exposed"
    # The control: that is what would happen.
    inside binds sh -c "cp /usr/bin/id $OPEN/id && chmod 4755 $OPEN/id"
    expect "$(setpriv --reuid=65534 --clear-groups $OPEN/id -u)" 0 "who a user of the host becomes by it"
    remove binds
    rm $OPEN/id
    mount -t tmpfs -o nosuid tmpfs $OPEN
    bind_start "Bind=$OPEN"
    inside binds sh -c "cp /usr/bin/id $OPEN/id && chmod 4755 $OPEN/id"
    expect "$(setpriv --reuid=65534 --clear-groups $OPEN/id -u)" 65534 "who a user of the host is with nosuid"
    remove binds
    umount $OPEN
}
check "what users of the host can enter is bound only where that is asked for" exposed
mountpoint -q "$SAFE/elsewhere" && umount "$SAFE/elsewhere"
mountpoint -q $OPEN && umount $OPEN
remove binds
rm -rf $OPEN

refused() {
    bind_refused "$SAFE/none, which is to be bound into it, can't be opened: No such file or directory; make it" "Bind=$SAFE/none"
    ln -sfn /etc "$SAFE/link"
    bind_refused "$SAFE/link/ssl, which is to be bound into it, is or goes through a symbolic link" "BindReadOnly=$SAFE/link/ssl:/mnt"
    bind_refused "is or goes through a symbolic link" "Bind=$SAFE/link/veneer-new:/mnt:create"
    [ ! -e /etc/veneer-new ] || fail "something was made behind the link"
    bind_refused "/var/run/app leads to where it has filesystems of its own" "Bind=$SAFE/data:/var/run/app"
    bind_refused "is a device" "Bind=$SAFE/data/null:/mnt/null"
    bind_refused "the place for $SAFE/file in it, /etc, can't be used: Is a directory" "Bind=$SAFE/file:/etc"
    bind_refused "the filesystem that holds /proc/sys can't be idmapped" "BindReadOnly=/proc/sys:/mnt"
}
check "what can't be bound is said" refused
remove binds

# Links in the VE's root lead where they do in the VE.
links() {
    canary=$(find /opt -xdev | sort)
    bind_start "Type=overlay"
    inside binds ln -s ../../../../../../opt /var/place
    bind_define "Bind=$SAFE/data:/var/place/data"
    systemctl restart ve@binds
    expect "$(inside binds cat /opt/data/root)" of-root "what is where the link leads in the VE"
    inside binds sh -c 'rm /var/place && ln -s loop /var/place && ln -s place /var/loop'
    SINCE=$(now)
    ! systemctl restart ve@binds 2>/dev/null || fail "it started in spite of a loop of links"
    expect_said binds "the place for $SAFE/data in it, /var/place/data, can't be used: Too many levels of symbolic links"
    expect "$(find /opt -xdev | sort)" "$canary" "what is in the host's /opt"
}
check "links in the VE lead nowhere out of it" links
remove binds

# What several VEs share, one of them may put links into: those don't lead into another.
shared() {
    bind_define "Bind=$SAFE/shared:/srv/shared $SAFE/data:/srv/shared/data"
    start binds
    expect "$(inside binds cat /srv/shared/data/root)" of-root
    systemctl stop ve@binds
    # As the other would do it.
    rmdir "$SAFE/shared/data"
    ln -s ../../etc "$SAFE/shared/data"
    SINCE=$(now)
    ! systemctl start ve@binds 2>/dev/null || fail "it started in spite of the link"
    expect_said binds "the place for $SAFE/data in it, /srv/shared/data, can't be used: Too many levels of symbolic links"
    rm "$SAFE/shared/data"
}
check "links in what VEs share lead nowhere" shared
remove binds

order() {
    mkdir -p "$SAFE/outer/inner"
    echo 10.0.0.1 db >"$SAFE/hosts"
    bind_start "Bind=$SAFE/data:/mnt/a/inner $SAFE/outer:/mnt/b/deep" "BindReadOnly=$SAFE/outer:/mnt/a $SAFE/hosts:/etc/hosts" \
        "TemporaryFileSystem=/mnt/b:ro" "[Network]" "Address=192.0.2.10" "DNS=192.0.2.53"
    expect "$(inside binds cat /mnt/a/inner/root)" of-root "what is bound into what is bound"
    inside binds touch /mnt/a/inner/new /mnt/b/deep/new
    cannot binds "write to what is read-only" touch /mnt/a/new
    cannot binds "write to what is read-only" touch /mnt/b/new
    cannot binds "make it writable" mount -o remount,bind,rw /mnt/b
    expect "$(inside binds cat /etc/hosts)" "10.0.0.1 db" "a file that is bound where the VE would be given one"
    expect "$(inside binds grep nameserver /etc/resolv.conf)" "nameserver 192.0.2.53"
}
check "what is mounted in something else is there, whichever is said first" order
remove binds

temporary() {
    bind_start "TemporaryFileSystem=/srv/cache:size=1M,mode=0700 /mnt:ro" "Bind=$SAFE/data:/srv/cache/data"
    expect "$(inside binds stat -f -c %T /srv/cache)" tmpfs
    expect "$(inside binds stat -c %a:%u /srv/cache)" 700:0 "its mode and owner"
    expect "$(inside binds cat /srv/cache/data/root)" of-root "what is bound in it"
    cannot binds "write more than its size" sh -c 'head -c 2M /dev/zero >/srv/cache/big'
    cannot binds "make it larger" mount -o remount,size=1G /srv/cache
    cannot binds "write to what is read-only" touch /mnt/x
    inside binds sh -c 'rm /srv/cache/big; touch /srv/cache/there'
    systemctl restart ve@binds
    ! inside binds test -e /srv/cache/there || fail "what was in memory is still there"
}
check "TemporaryFileSystem= is in memory, and as large as it is to be" temporary
remove binds

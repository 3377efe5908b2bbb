# SPDX-License-Identifier: LGPL-2.1-or-later
# Size= and Inodes= by project quotas, on a disk of their own.
. "$(dirname "$(realpath "$0")")/../host/lib.sh"

PRIVATE=/var/lib/ve/private
DISK=/dev/vdb
M=$((1024 * 1024))

# A VE that has what it takes to fill a disk.
tiny_template filler static-init
install "$INITS/busybox" /var/lib/ve/templates/filler/root/bin/busybox
for applet in sh dd df touch ln rm mv cat stat; do
    ln -s busybox /var/lib/ve/templates/filler/root/bin/$applet
done
echo lower >/var/lib/ve/templates/filler/root/etc/lower
mkdir /var/lib/ve/templates/filler/root/etc/directory

new() {
    local name=$1
    shift
    vectl create "$name" --template=filler --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM "$@"
}

# Writes COUNT MiB to FILE in a VE, and prints how many got there.
fill() {
    inside "$1" /bin/dd if=/dev/zero of="$2" bs=1M count="$3" conv=fsync >&2 || true
    echo $(($(stat -c %s "$(root_of "$1")$2") / M))
}

root_of() {
    echo "/proc/$(leader "$1")/root"
}

# What the VE is told: the size in MiB, or with -i the number of inodes.
told() {
    local name=$1
    shift
    inside "$name" /bin/df -m "$@" / | awk 'END { print $2 }'
}

column() {
    vectl list --json -o "name,$2" | tr -d ' \n' | grep -o "\"name\":\"$1\",\"$2\":[^}]*" | sed 's/.*://'
}

without_quota() {
    expect_status 69 new small --set Storage.Size=10M
    expect_sentence "$ERR" "vectl: VE small can't be limited in size: the filesystem of $PRIVATE has no project quotas; *"
    [ ! -e /etc/ve/small.ve ] && [ ! -e $PRIVATE/small ] || fail "something of it is left"
    new small
    expect_status 69 vectl set small Storage.Inodes=10
    expect_sentence "$ERR" "vectl: VE small can't be limited in size: the filesystem of $PRIVATE has no project quotas; *"
    [ ! -e /etc/ve/small.ve.d ] || fail "the setting was kept"
    # By hand: it must not run without its limit.
    echo "[Storage]
Size=10M" >>/etc/ve/small.ve
    systemctl daemon-reload
    ! systemctl start ve@small || fail "it was started without its limit"
    expect_match "$(systemctl status ve@small)" "*can't be limited in size*" "what systemctl status says"
    vectl destroy small
}
check "a filesystem without project quotas: create, set and start refuse a limit, plainly" without_quota

not_enforced() {
    mount $DISK $PRIVATE
    expect_status 69 new small --set Storage.Size=10M
    expect_sentence "$ERR" "vectl: VE small can't be limited in size: the filesystem of $PRIVATE counts what projects take but enforces no limits; mount it with the option prjquota, or take Size= and Inodes= from the definition."
    new early
    start early
    inside early /bin/rm /etc/lower
    inside early /bin/ln -s nowhere /etc/link
    inside early /bin/dd if=/dev/zero of=/root/old bs=1M count=3 >&2
    systemctl stop ve@early
    umount $PRIVATE
}
check "one that only counts: refused, too" not_enforced

mount -o prjquota $DISK $PRIVATE

size() {
    new small --set Storage.Size=20M --start
    new neighbour --start
    expect "$(told small)" 20 "the size that df shows in the VE"
    expect_match "$(fill small /root/a 30)" "1[0-9]" "how many MiB of 30 fit into 20"
    cannot small "write more" /bin/sh -c 'dd if=/dev/zero of=/root/b bs=64k count=1 conv=fsync && test -s /root/b'
    expect "$(fill neighbour /root/a 30)" 30 "how many MiB its neighbour can write"
    [ "$(told neighbour)" -gt 200 ] || fail "df in a VE without a limit shows $(told neighbour) MiB"
    expect "$(column small size)" $((20 * M)) "the size that vectl list shows"
    [ "$(column small used)" -gt $((19 * M)) ] || fail "vectl list shows $(column small used) in use"
    expect "$(column neighbour size)" null "the size of its neighbour"
}
check "Size= holds: df shows it, a write past it fails, others go on" size

grow() {
    vectl set small Storage.Size=40M 2>"$WORK/said"
    expect "$(cat "$WORK/said")" "vectl: Saved; Storage.Size is in effect in VE small." "what vectl set says"
    expect "$(told small)" 40 "the size that df shows in the VE"
    expect "$(fill small /root/a 30)" 30 "how many MiB of 30 fit into 40"
}
check "and grows live" grow

shrink() {
    vectl set small Storage.Size=10M 2>"$WORK/said"
    expect_match "$(cat "$WORK/said")" "vectl: VE small takes more on disk than Size= allows already: *" "what vectl set says"
    cannot small "write more" /bin/sh -c 'dd if=/dev/zero of=/root/b bs=64k count=1 conv=fsync && test -s /root/b'
    inside small /bin/rm -f /root/a /root/b
    expect "$(fill small /root/a 5)" 5 "how many MiB of 5 fit into 10, when there is room again"
    systemctl restart ve@small
    expect "$(told small)" 10 "the size after a restart"
    vectl set small Storage.Size=infinity
    expect "$(fill small /root/a 30)" 30 "how many MiB can be written without a limit"
}
check "and shrinks live, below what is in use, too; and goes" shrink

inodes() {
    vectl set small Storage.Inodes=100 2>"$WORK/said"
    expect "$(cat "$WORK/said")" "vectl: Saved; Storage.Inodes is in effect in VE small." "what vectl set says"
    expect "$(told small -i)" 100 "the inodes that df shows in the VE"
    # shellcheck disable=SC2016 # the VE's shell
    inside small /bin/sh -c 'i=0; while [ $i -lt 200 ] && touch /root/f$i 2>/dev/null; do i=$((i + 1)); done; echo $i' >"$WORK/made"
    [ "$(cat "$WORK/made")" -gt 50 ] && [ "$(cat "$WORK/made")" -lt 100 ] || fail "$(cat "$WORK/made") files fit into 100 inodes"
    inside neighbour /bin/touch /root/new
    vectl set small Storage.Inodes=infinity
    inside small /bin/touch /root/new
}
check "Inodes= holds, live, and goes" inodes

attack() {
    local root
    vectl set small Storage.Size=40M
    root=$(root_of small)
    inside small /bin/touch /root/mine
    attempt "$root/root/mine" -p 0
    attempt "$root/root/mine" -p 7
    attempt "$root/root" -P
    expect "$(project_of $PRIVATE/small/upper/root/mine)" "$(project_of $PRIVATE/small)" "the project of its file"
    # Of those from 0x76650000 on.
    [ "$(project_of $PRIVATE/small)" -ge 1986330624 ] || fail "its project is $(project_of $PRIVATE/small)"
}

project_of() {
    lsattr -pd "$1" | awk '{ print $1 }'
}

# chattr, by the VE's root: in its user namespace.
attempt() {
    local file=$1
    shift
    ! nsenter --target "$(leader small)" --user --setuid 0 --setgid 0 -- chattr "$@" "$file" 2>"$WORK/said" ||
        fail "the VE's root can chattr $*"
    # Not for want of the file.
    expect_match "$(cat "$WORK/said")" "chattr: *etting *$file" "what chattr $* says"
}
check "the VE's root can't leave its project" attack

adopted() {
    local file
    # As from before there were quotas.
    find $PRIVATE/early -type d -exec chattr -P -p 0 {} +
    find $PRIVATE/early -type f -exec chattr -p 0 {} +
    vectl set early Storage.Size=20M
    expect "$(column early size)" null "its size, before its start"
    start early
    expect "$(told early)" 20 "the size that df shows in the VE"
    [ "$(column early used)" -ge $((3 * M)) ] || fail "of what it had, only $(column early used) is counted"
    expect_match "$(fill early /root/a 30)" "1[0-9]" "how many MiB of 30 fit beside what it had"
    inside early /bin/rm /root/a
    for file in upper/root/old upper/etc work uuid; do
        expect "$(project_of "$PRIVATE/early/$file")" "$(project_of $PRIVATE/early)" "the project of $file"
    done
    # A whiteout or link of another project than its directory's could not be moved any more.
    expect "$(stat -c '%F %t %T' $PRIVATE/early/upper/etc/lower)" "character special file 0 0" "the whiteout"
    inside early /bin/sh -c 'echo again >/etc/lower && mv /etc/link /etc/directory/link'
    expect "$(inside early /bin/cat /etc/lower)" again "a file that was removed and made again"
    expect "$(readlink $PRIVATE/early/upper/etc/directory/link)" nowhere "a link that was moved"
    [ ! -e $PRIVATE/early/.adopted ] || fail "something is left of it"
    systemctl stop ve@early
}
check "what was there before the quota is counted from the next start on" adopted

gone() {
    local project
    project=$(project_of $PRIVATE/early)
    vectl destroy --force early small neighbour
    # The next one of this project must not find its limit.
    new next
    chattr -p "$project" $PRIVATE/next
    expect "$(column next size)" null "what is left of its limit"
    vectl destroy next
    expect "$(find $PRIVATE -mindepth 1 ! -name lost+found)" "" "what is left"
}
check "destroy takes the limit away with the data" gone

nested() {
    chattr +P -p 5 $PRIVATE
    expect_status 69 new small --set Storage.Size=10M
    expect_sentence "$ERR" "vectl: VE small can't be limited in size: $PRIVATE is of a project with a quota already, and there are no quotas in quotas; take that away, or take Size= and Inodes= from the definition."
    new small --start
    inside small /bin/touch /root/new
    vectl destroy --force small
    chattr -P -p 0 $PRIVATE
}
check "below an administrator's project there are no others" nested

# The VE's own copy of the template counts, and has to fit.
directory() {
    local takes
    new whole --set Storage.Type=directory
    takes=$(column whole used)
    [ "$takes" -gt $M ] || fail "a copy of the template takes $takes bytes"
    vectl destroy whole
    expect_status 1 new whole --set Storage.Type=directory --set Storage.Size=1M
    expect_sentence "$ERR" "vectl: VE whole can't be given a copy of template filler, which takes more than Size= or Inodes= allows: choose larger ones."
    expect_status 1 new whole --set Storage.Type=directory --set Storage.Inodes=10
    expect_sentence "$ERR" "vectl: VE whole can't be given a copy of template filler, which takes more than Size= or Inodes= allows: choose larger ones."
    expect "$(find $PRIVATE -mindepth 1 ! -name lost+found)" "" "what is left"
    new whole --set Storage.Type=directory --set Storage.Size=20M --start
    expect "$(inside whole /bin/stat -f -c '%b %S' / | awk '{ print $1 * $2 / 1048576 }')" 20 "the size that the VE is told"
    [ "$(fill whole /root/a 30)" -lt 20 ] || fail "30 MiB fit into 20"
    [ "$(fill whole /root/a 30)" -gt 10 ] || fail "hardly anything fits into 20 MiB"
    expect "$(column whole size)" $((20 * M)) "the size that vectl list shows"
    vectl set whole Storage.Size=50M 2>"$WORK/said"
    expect "$(cat "$WORK/said")" "vectl: Saved; Storage.Size is in effect in VE whole." "what vectl set says"
    expect "$(fill whole /root/a 30)" 30 "how many MiB of 30 fit into 50"
    vectl set whole Storage.Size=10M 2>"$WORK/said"
    expect_match "$(cat "$WORK/said")" "vectl: VE whole takes more on disk than Size= allows already: *" "what vectl set says"
    cannot whole "write more" /bin/sh -c 'dd if=/dev/zero of=/root/b bs=64k count=1 conv=fsync && test -s /root/b'
    root=$(root_of whole)
    ! nsenter --target "$(leader whole)" --user --setuid 0 --setgid 0 -- chattr -p 0 "$root/root/a" 2>/dev/null ||
        fail "the VE's root can leave its project"
    systemctl restart ve@whole
    cannot whole "write more after a restart" /bin/sh -c 'dd if=/dev/zero of=/root/b bs=64k count=1 conv=fsync && test -s /root/b'
    vectl destroy --force whole
    expect "$(find $PRIVATE -mindepth 1 ! -name lost+found)" "" "what is left"
}
check "a copy of the template for the VE alone: it counts" directory

ephemeral() {
    new small --set VE.Ephemeral=yes --set Storage.Size=10M --set Storage.Inodes=1000 --start
    expect "$(told small)" 10 "the size that df shows in the VE"
    expect "$(told small -i)" 1000 "the inodes that df shows in the VE"
    expect "$(fill small /root/a 30)" 10 "how many MiB of 30 fit into 10"
    vectl set small Storage.Size=20M 2>"$WORK/said"
    expect_match "$(cat "$WORK/said")" "vectl: Saved; Storage.Size takes effect when VE small is restarted*" "what vectl set says"
    vectl destroy --force small
}
check "an ephemeral VE: the memory that it writes to is limited so" ephemeral

umount $PRIVATE
remove_template filler

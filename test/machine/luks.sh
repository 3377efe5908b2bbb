# SPDX-License-Identifier: LGPL-2.1-or-later
# Encrypt=: images in LUKS2, which takes device-mapper. For all else of images see host/image.sh.
. "$(dirname "$(realpath "$0")")/../host/lib.sh"

PRIVATE=/var/lib/ve/private
IMAGE=$PRIVATE/img/image
KEYS=/root/keys
M=$((1024 * 1024))

mkdir -m 0700 $KEYS
# No passphrases, which take seconds each; the control character makes sure of that.
new_key() {
    (umask 077 && { printf '\001' && head -c 32 /dev/urandom; } >"$KEYS/$1")
}
new_key one

tiny_template filler static-init
install "$INITS/busybox" /var/lib/ve/templates/filler/root/bin/busybox
for applet in sh dd df touch rm cat sync ls; do
    ln -s busybox /var/lib/ve/templates/filler/root/bin/$applet
done

new() {
    local name=$1
    shift
    vectl create "$name" --template=filler --set VE.NotifyReady=no --set VE.StopSignal=SIGTERM \
        --set Storage.Type=image --set Storage.Size=32M "$@"
}

new_encrypted() {
    new "$@" --set Storage.Encrypt=luks2
}

# What df shows in the VE, in MiB.
told() {
    inside img /bin/df -m / | awk 'END { print $2 }'
}

devices() {
    printf '%s\n' /sys/block/dm-*/dm/name /sys/block/loop*/loop/backing_file | grep -v '\*' || true
}
no_devices() {
    [ -z "$(devices)" ]
}
expect_no_devices() {
    wait_until 20 no_devices || {
        dmsetup info
        losetup --list
        fail "devices are left: $(devices | paste -sd' ')"
    }
}

used() {
    echo $(($(stat -c %b $IMAGE) * 512))
}
smaller_than() {
    [ "$(used)" -lt "$1" ]
}

set_key() {
    vectl set img "Storage.Key=file:$KEYS/$1"
}

# The VE must not start, and say PATTERN, alone.
cannot_start() {
    local name=$1 pattern=$2
    SINCE=$(now)
    expect_status 1 vectl start "$name"
    expect_sentence "$ERR" "vectl: VE $name did not start: $pattern; \`journalctl -u ve@$name\` says more."
    expect_no_devices
}

life() {
    expect_status 0 new_encrypted img --set Storage.Key=file:$KEYS/one
    expect "$ERR" "" "what vectl create says"
    expect "$(head -c 4 $IMAGE)" LUKS "what the image starts with"
    expect "$(ls $PRIVATE/img)" image "the private data"
    expect_no_devices
    expect "$(stat -c %s $IMAGE)" $((48 * M)) "the size of the file"
    echo "an empty one takes $(used) bytes"
    smaller_than $((24 * M)) || fail "an empty one takes $(used) bytes"
    start img
    expect "$(dmsetup info -c --noheadings -o name,open)" ve-img:1 "the devices"
    expect_match "$(dmsetup info ve-img)" "*DEFERRED REMOVE*" "the state of the device"
    expect_match "$(dmsetup table ve-img)" "* allow_discards*" "the table of the device"
    [ "$(told)" -gt 20 ] && [ "$(told)" -le 32 ] || fail "df in the VE shows $(told) MiB"
}
check "an encrypted VE is made and started, with a device that goes by itself" life

secret() {
    inside img /bin/sh -c 'i=0; while [ $i -lt 2000 ]; do echo plain-text-of-the-VE; i=$((i + 1)); done >/root/secret; sync'
    # The control: by way of the device it is there.
    grep -q plain-text-of-the-VE /dev/mapper/ve-img || fail "it is not on the device"
    ! grep -q plain-text-of-the-VE $IMAGE || fail "it is in the image"
    inside img /bin/dd if=/dev/zero of=/root/large bs=1M count=15 conv=fsync 2>/dev/null
    ! smaller_than $((30 * M)) || fail "with 15 MiB in it, it takes $(used) bytes"
    inside img /bin/rm /root/large
    inside img /bin/sync
    wait_until 20 smaller_than $((26 * M)) || fail "it still takes $(used) bytes"
}
check "what it writes is encrypted on disk, and what it removes is the host's again" secret

ends() {
    systemctl kill --signal=KILL ve@img
    expect_state img failed
    expect_no_devices
    start img
    expect "$(inside img /bin/cat /root/secret | wc -l)" 2000 "the lines that it wrote"
    systemctl restart ve@img
    systemctl stop ve@img
    expect_no_devices
}
check "killed, restarted and stopped, it leaves no device and keeps its files" ends

grow() {
    start img
    vectl set img Storage.Size=64M 2>"$WORK/said"
    expect "$(cat "$WORK/said")" "vectl: Saved; Storage.Size is in effect in VE img." "what vectl set says"
    [ "$(told)" -gt 45 ] || fail "df in the VE shows $(told) MiB"
    expect "$(stat -c %s $IMAGE)" $((80 * M)) "the size of the file"
    vectl set img Storage.Size=40M 2>"$WORK/said"
    expect_match "$(cat "$WORK/said")" "vectl: Saved; Storage.Size takes effect when VE img is restarted: *" "what vectl set says"
    systemctl restart ve@img
    [ "$(told)" -le 40 ] || fail "df in the VE shows $(told) MiB"
    expect "$(stat -c %s $IMAGE)" $((56 * M)) "the size of the file"
    systemctl stop ve@img
    vectl set img Storage.Size=32M
    expect "$(stat -c %s $IMAGE)" $((48 * M)) "the size of the file, at once when the VE is stopped"
    expect_no_devices
    start img
    expect "$(inside img /bin/cat /root/secret | wc -l)" 2000 "the lines that it wrote"
    systemctl stop ve@img
    expect "$(ls $PRIVATE/img | paste -sd' ')" "image uuid" "the private data"
}
check "it grows live, and shrinks at a restart or when it is stopped" grow

wrong() {
    new_key other
    set_key other
    cannot_start img "The key in $KEYS/other does not open the image of VE img: it is another one's, or was changed"
    rm $KEYS/other
    cannot_start img "The key of VE img can't be read: there is no file $KEYS/other; put it there, *"
    cp $KEYS/one $KEYS/other
    chmod 0640 $KEYS/other
    cannot_start img "The key of VE img is not used, for others than root can get at $KEYS/other: *"
    chmod 0600 $KEYS/other
    chown 1 $KEYS/other
    cannot_start img "The key of VE img is not used, for others than root can get at $KEYS/other: *"
    ln -sf one $KEYS/other
    cannot_start img "The key of VE img can't be read: $KEYS/other is a symbolic link; name the file itself"
    rm $KEYS/other
    mkfifo -m 0600 $KEYS/other
    cannot_start img "The key of VE img can't be read: $KEYS/other is no regular file"
    rm $KEYS/other
    (umask 077 && : >$KEYS/other)
    cannot_start img "The key of VE img can't be used: $KEYS/other is empty"
    rm $KEYS/other
    vectl set img Storage.Key=tpm2
    cannot_start img "The image of VE img is not bound to a TPM: *"
    set_key one
    expect_status 1 new_encrypted missing --set Storage.Key=file:$KEYS/missing
    expect_sentence "$ERR" "vectl: The key of VE missing can't be read: there is no file $KEYS/missing; *"
    [ ! -e /etc/ve/missing.ve ] && [ ! -e $PRIVATE/missing ] && [ ! -e $PRIVATE/.new-missing ] || fail "something is left of it"
    expect_status 1 new_encrypted missing --set Storage.Key=tpm2
    expect_sentence "$ERR" "vectl: The key of VE missing is the TPM's, which has none yet: *"
    expect_no_devices
}
check "a wrong key, none, and one that others can get at: a sentence each" wrong

keys() {
    new_key two
    new_key three
    expect_status 5 vectl key remove img --key-file=$KEYS/one
    expect_sentence "$ERR" "vectl: This key of VE img is its last, *"
    vectl key add img --new-key-file=$KEYS/two
    vectl key remove img --key-file=$KEYS/one
    cannot_start img "The key in $KEYS/one does not open *"
    expect_status 1 vectl key add img --new-key-file=$KEYS/one
    expect_sentence "$ERR" "vectl: The key given does not open the image of VE img."
    set_key two
    # While it runs.
    start img
    vectl key change img --key-file=$KEYS/two --new-key-file=$KEYS/three
    systemctl stop ve@img
    cannot_start img "The key in $KEYS/two does not open *"
    vectl key change img --key-file=$KEYS/three --new-key-file=$KEYS/one
    set_key one
    start img
    systemctl stop ve@img
    expect_status 3 vectl key add none --new-key-file=$KEYS/two
    expect_sentence "$ERR" "vectl: There is no VE none."
}
check "vectl key adds, changes and removes keys, but not the last" keys

other_kind() {
    expect_status 5 vectl set img Storage.Encrypt=no
    expect_sentence "$ERR" "vectl: The image of VE img is encrypted, and its definition does not say so: have it say Encrypt=luks2 again."
    sed -i '/^Encrypt=/d' /etc/ve/img.ve
    systemctl daemon-reload
    cannot_start img "The image of VE img is encrypted, and its definition does not say so: *"
    sed -i 's/^Type=image/&\nEncrypt=luks2/' /etc/ve/img.ve
    new plain
    expect_status 5 vectl set plain Storage.Encrypt=luks2
    expect_sentence "$ERR" "vectl: The image of VE plain is not encrypted, and can't be used with Encrypt=luks2: *"
    sed -i 's/^Type=image/&\nEncrypt=luks2/' /etc/ve/plain.ve
    systemctl daemon-reload
    sha256sum $PRIVATE/plain/image >"$WORK/sum"
    cannot_start plain "The image of VE plain is not encrypted, *"
    sha256sum --quiet -c "$WORK/sum"
    vectl destroy plain
    expect_status 69 vectl clone img copy
    expect_sentence "$ERR" "vectl: VE img can't be cloned, for its image is encrypted: *"
}
check "an image that is encrypted and one that is not are not taken for each other" other_kind

header() {
    # One of both copies is enough.
    head -c 32768 $IMAGE >"$WORK/header"
    dd if=/dev/zero of=$IMAGE bs=4096 count=1 conv=notrunc status=none
    start img
    systemctl stop ve@img
    expect_no_devices
    dd if=/dev/urandom of=$IMAGE bs=4096 count=8 conv=notrunc status=none
    cannot_start img "The LUKS2 header of the image of VE img is damaged: *"
    dd if="$WORK/header" of=$IMAGE bs=4096 count=1 conv=notrunc status=none
    # With its beginning only, the library has a say.
    dd if=/dev/urandom of=$IMAGE bs=512 seek=1 count=63 conv=notrunc status=none
    cannot_start img "The LUKS2 header of the image of VE img is damaged: *"
    dd if="$WORK/header" of=$IMAGE bs=4096 conv=notrunc status=none
    dmsetup create ve-img --table "0 8 zero"
    expect_status 1 vectl start img
    expect_match "$ERR" "*there is a device /dev/mapper/ve-img of something else; *"
    dmsetup remove ve-img
    start img
    systemctl stop ve@img
    expect_no_devices
}
check "a damaged header, and a device of the same name: a sentence each" header

snapshot() {
    start img
    inside img /bin/sh -c 'echo old >/root/state; sync'
    vectl snapshot create img good
    inside img /bin/sh -c 'echo new >/root/state'
    systemctl stop ve@img
    expect_no_devices
    vectl snapshot restore img good
    vectl set img VE.Ephemeral=yes
    start img
    expect "$(inside img /bin/cat /root/state)" old "what it wrote before the snapshot"
    systemctl stop ve@img
    vectl set img VE.Ephemeral=
    expect_no_devices
}
check "snapshots of it are encrypted images, too; and it may be ephemeral" snapshot

upkeep() {
    local sum
    sum=$(sha256sum $IMAGE)
    expect_status 69 vectl storage check img
    expect_sentence "$ERR" "vectl: The image of VE img is encrypted, and can be checked only while the VE runs: start it."
    expect_status 69 vectl storage check --repair img
    expect_status 69 vectl storage compact img
    expect_status 0 vectl storage show img
    expect_match "$OUT" "*image*" "what vectl storage show prints"
    expect_status 78 vectl convert img --to=overlay
    expect_match "$ERR" "vectl: VE img can't be converted: *only an image can be encrypted*"
    expect "$(sha256sum $IMAGE)" "$sum" "the image"
}
check "stopped, it is neither checked nor compacted nor converted" upkeep

upkeep_running() {
    start img
    vectl storage check img
    vectl storage compact img
    vectl storage show img
    systemctl stop ve@img
    expect_no_devices
}
check "it is checked and compacted while it runs" upkeep_running

credential() {
    new_encrypted cred --set Storage.Key=credential:disk --set Service.LoadCredential=disk:$KEYS/one \
        --set Service.SetCredential=token:for-the-VE
    [ ! -e $PRIVATE/cred ] || fail "there is an image without its key"
    expect_status 1 vectl mount cred
    expect_sentence "$ERR" "vectl: The key of VE cred can't be had: systemd gives out the credential disk only while the VE runs."
    start cred
    expect "$(inside cred /bin/ls /run/host/credentials)" token "the credentials in the VE"
    vectl set cred Storage.Size=40M
    systemctl stop ve@cred
    vectl set cred Storage.Key=credential:nothing
    cannot_start cred "The key of VE cred can't be had: its service is given no credential nothing; *"
    vectl destroy cred
    expect_no_devices
}
check "by a credential, which the VE itself is not given" credential

# Answers the next question that is asked for VE NAME. Arguments: the VE, the passphrase.
question() {
    grep -l "^Id=ve:$1\$" /run/systemd/ask-password/ask.* 2>/dev/null
}
is_new_question() {
    local file
    file=$(question "$1" | head -n 1)
    [ -n "$file" ] && [ "$file" != "${ANSWERED:-}" ]
}
answer() {
    local file
    wait_until 60 is_new_question "$1" || fail "nobody asks"
    file=$(question "$1" | head -n 1)
    ANSWERED=$file
    printf %s "$2" | /lib/systemd/systemd-reply-password 1 "$(sed -n 's/^Socket=//p' "$file")"
}

ask() {
    local job
    new_encrypted asked </dev/null &
    job=$!
    answer asked "right one"
    answer asked "right one"
    wait $job || fail "it was not made"
    expect "$(property asked TimeoutStartUSec)" infinity "how long a start may take"
    systemctl start --no-ask-password ve@asked &
    job=$!
    answer asked "wrong one"
    answer asked "right one"
    wait $job || explain asked
    expect_state asked active
    systemctl stop ve@asked
    # Nobody answers, and the start is given up.
    systemctl start --no-block ve@asked
    wait_until 60 is_new_question asked
    systemctl stop ve@asked
    expect_no_devices
    [ -z "$(question asked)" ] || fail "the question is left"
}
check "by a passphrase that is asked for" ask

not_the_same() {
    local job status=0
    new_encrypted twice </dev/null 2>"$WORK/said" &
    job=$!
    answer twice "one"
    answer twice "another"
    wait $job || status=$?
    expect $status 1 "how it ended"
    expect_sentence "$(cat "$WORK/said")" "vectl: The two passphrases given for VE twice are not the same."
    [ ! -e /etc/ve/twice.ve ] && [ ! -e $PRIVATE/twice ] || fail "something is left of it"
}
check "two passphrases that differ make nothing" not_the_same

terminal() {
    : >"$WORK/said"
    (
        wait_until 60 grep -q "Passphrase of VE asked" "$WORK/said"
        echo "right one"
        wait_until 60 state_is asked active
    ) | script -qec "vectl start asked" /dev/null >"$WORK/said"
    expect_state asked active
    expect_match "$(cat "$WORK/said")" "*Passphrase of VE asked:*"
    systemctl stop ve@asked
    vectl destroy asked
    expect_no_devices
}
check "vectl start asks on its terminal" terminal

# A device that ve-crypt made and could not yet say of that it is to go with its last user.
leave() {
    strace -f -o "$WORK/trace" -e trace=ioctl -e inject=ioctl:signal=KILL:when="$1" \
        vectl mount img >"$WORK/said" 2>&1 && return 1
    return 0
}
left() {
    [ -e /sys/block/dm-0 ]
}

killed() {
    local n total
    command -v strace >/dev/null || skip "no strace here"
    strace -f -o "$WORK/trace" -e trace=ioctl vectl mount img >/dev/null
    vectl umount img
    expect_no_devices
    # In the process that makes devices: up to where the device is there, and is told to go.
    n=$(awk '/DM_DEV_REMOVE/ { print $1; exit }' "$WORK/trace")
    awk -v pid="$n" '$1 == pid' "$WORK/trace" >"$WORK/ioctls"
    total=$(grep -n DM_DEV_REMOVE "$WORK/ioctls" | head -n 1 | cut -d: -f1)
    echo "ve-crypt has $(wc -l <"$WORK/ioctls") ioctls, and the device goes by itself from $total on"
    leave "$total" || fail "it was not killed"
    left || fail "nothing is left to be cleaned up"
    start img
    systemctl stop ve@img
    expect_no_devices
    leave "$total"
    left || fail "nothing is left to be cleaned up"
    new_encrypted gone --set Storage.Key=file:$KEYS/one
    vectl destroy gone
    expect_no_devices
    for n in $((total - 2)) $((total - 5)); do
        leave "$n" || fail "it was not killed"
        start img
        systemctl stop ve@img
        expect_no_devices
    done
}
check "ve-crypt is killed: what it leaves is cleaned up" killed

gone() {
    vectl destroy img
    [ ! -e $PRIVATE/img ] || fail "it is still there"
    expect_no_devices
}
check "destroy removes it" gone

rm -r $KEYS
remove_template filler

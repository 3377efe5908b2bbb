# SPDX-License-Identifier: LGPL-2.1-or-later
# The root filesystems that tests run in, made by mmdebstrap and cached. A root is kept under its
# name and the hash of what it is made from, so a changed list makes a new one; it is made aside and
# renamed, so a killed run leaves none that is half made.
#
# VENEER_MIRROR: a Debian mirror to use instead of mmdebstrap's default.
# VENEER_MAX_DAYS: after how many days a root is made again, 14 by default.

ROOT_NAMES="build host-252 host-257 ve-12 ve-13 ve-sysv"

# Sets SUITE, FORMAT and PACKAGES of the root NAME.
describe_root() {
    local host="systemd systemd-sysv dbus systemd-container libpam-systemd strace procps iproute2 kmod
        e2fsprogs btrfs-progs xfsprogs busybox-static zstd xz-utils less man-db bash-completion nano-tiny openssh-client
        libsmartcols1 libblkid1 util-linux util-linux-extra libcryptsetup12 dmsetup
        libnl-route-3-200 libnftables1 nftables iperf3 iputils-ping"
    local ve="systemd systemd-sysv dbus libpam-systemd procps iproute2"
    FORMAT=directory
    case $1 in
    build)
        SUITE=bookworm
        PACKAGES="gcc libc6-dev meson ninja-build pkg-config libsystemd-dev libblkid-dev libsmartcols-dev
            libarchive-dev libcryptsetup-dev libnl-route-3-dev libnftables-dev libcriterion-dev systemd systemd-dev? clang libclang-rt-14-dev
            clang-format-14 shellcheck man-db mandoc bash-completion busybox-static strace git
            procps zstd xz-utils python3"
        ;;
    host-252) SUITE=bookworm PACKAGES="$host libarchive13 linux-image-cloud-amd64 initramfs-tools" ;;
    host-257) SUITE=trixie PACKAGES="$host libarchive13t64 linux-image-cloud-amd64 initramfs-tools" ;;
    ve-12) SUITE=bookworm FORMAT=archive PACKAGES=$ve ;;
    ve-13) SUITE=trixie FORMAT=archive PACKAGES=$ve ;;
    ve-sysv) SUITE=bookworm FORMAT=archive PACKAGES="sysvinit-core sysv-rc procps" ;;
    *) die "there is no root named $1." ;;
    esac
    PACKAGES=${PACKAGES//systemd-dev\?/}
    PACKAGES=$(printf '%s\n' $PACKAGES | LC_ALL=C sort -u | paste -sd,)
}

# Sets ROOT to the path of the root NAME (a directory, or an archive), making it where needed.
need_root() {
    local name=$1 hash lock
    describe_root "$name"
    hash=$(printf '1 %s\n' "$SUITE $FORMAT $PACKAGES" | sha256sum | cut -c1-12)
    case $FORMAT in
    directory) ROOT=$CACHE/roots/$name-$hash ;;
    archive) ROOT=$CACHE/archives/$name-$hash.tar.zst ;;
    esac
    exec {lock}>"$CACHE/roots/$name-$hash.lock"
    if [ ! -e "$ROOT" ]; then
        flock "$lock"
        # Another run may have made it meanwhile.
        [ -e "$ROOT" ] || step "making the root filesystem $name (Debian $SUITE)" make_root "$name" "$ROOT" ||
            return 1
    elif [ -n "$(find "$ROOT.made" -mtime "+${VENEER_MAX_DAYS:-14}")" ] && flock --nonblock "$lock"; then
        step "making the root filesystem $name again, which is old" make_root "$name" "$ROOT" ||
            echo "   (keeping the old one)"
    fi
    # Until this run ends, others may use it too, but not replace or remove it.
    flock --shared "$lock"
}

# Makes root NAME, described in the variables, at PATH.
make_root() {
    local name=$1 path=$2 new=$2.new-$$ old
    # Left by a run that was killed: whoever holds the lock may take them away.
    for old in "${path%/*}/$name"-*.new-* "${path%/*}/$name"-*.old-*; do
        [ ! -e "$old" ] || rm -rf --one-file-system "$old"
    done
    case $FORMAT in
    directory)
        mkdir "$new" || return 1
        bootstrap - | tar -C "$new" --numeric-owner --xattrs --xattrs-include='*' -x
        ;;
    archive) bootstrap - | zstd -q -T0 -3 -o "$new" ;;
    esac || {
        rm -rf --one-file-system "$new"
        return 1
    }
    [ ! -e "$path" ] || mv "$path" "$path.old-$$"
    mv "$new" "$path" || return 1
    touch "$path.made"
    rm -rf --one-file-system "$path.old-$$"
    remove_other_roots "$name" "$path"
}

# Removes what an earlier list of packages made, unless a run uses it.
remove_other_roots() {
    local lock base
    for lock in "$CACHE/roots/$1"-*.lock; do
        base=$(basename "$lock" .lock)
        case $2 in
        */"$base" | */"$base".tar.zst) continue ;;
        esac
        # shellcheck disable=SC2016 # expanded by the inner shell
        flock --nonblock "$lock" bash -c 'rm -rf --one-file-system "$@"' bash \
            "${2%/*}/$base" "${2%/*}/$base.made" "${2%/*}/$base.tar.zst" "${2%/*}/$base.tar.zst.made" "$lock" ||
            true
    done
}

# Runs mmdebstrap; the archive goes to TARGET.
bootstrap() (
    set -o pipefail
    export DEBIAN_FRONTEND=noninteractive
    local mirror=()
    [ -z "${VENEER_MIRROR:-}" ] || mirror=("$VENEER_MIRROR")
    mmdebstrap --mode=root --variant=minbase --format=tar \
        --aptopt='Acquire::Retries "3"' --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --include="$PACKAGES" "$SUITE" "$1" "${mirror[@]}"
)

# SPDX-License-Identifier: LGPL-2.1-or-later
# What this machine itself needs: only what makes and boots root filesystems. Everything else is
# installed into those.

# Installs Debian packages that are missing. Arguments: their names.
need_packages() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        die "needs ${missing[*]}, and can install them on Debian only: there is no apt-get here."
    step "installing ${missing[*]} on this machine" install_packages "${missing[@]}"
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qy -o Acquire::Retries=3 update
    apt-get -qy -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
}

need_container_packages() {
    need_packages mmdebstrap debian-archive-keyring systemd-container util-linux bsdutils zstd
}

need_machine_packages() {
    need_packages qemu-system-x86 e2fsprogs
}

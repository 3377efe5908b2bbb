# SPDX-License-Identifier: LGPL-2.1-or-later
# Building, in the build root: the oldest distribution that is supported, so that the result is the
# same on every machine and runs on every host root.

# Runs a command in the build root, with the sources at /src (read-only), the build directory at
# /build, and no network. Mounts and processes end with it.
in_build_root() {
    # What the inner shell expands is given to it as arguments.
    # shellcheck disable=SC2016
    unshare --mount --pid --net --fork --kill-child bash -euc '
        root=$1 source=$2 build=$3
        shift 3
        mount --make-rprivate /
        mount --bind "$root" "$root"
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount --rbind /sys "$root/sys"
        mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
        mkdir -p "$root/src" "$root/build"
        mount --bind "$source" "$root/src"
        mount -o remount,bind,ro "$root/src"
        mount --bind "$build" "$root/build"
        # Not chroot: a process in one may not make user namespaces, which tests do.
        cd "$root"
        pivot_root . .
        umount -l .
        exec env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
            LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" "$@"
    ' bash "$BUILD_ROOT" "$SOURCE" "$BUILD" "$@"
}

# Builds and installs below STAGE, which it sets. What did not change is not built again.
need_build() {
    need_root build
    BUILD_ROOT=$ROOT
    # One directory for each checkout and build root.
    BUILD=$CACHE/build/$(printf '%s\n' "$SOURCE" "$BUILD_ROOT" | sha256sum | cut -c1-12)
    mkdir -p "$BUILD"
    exec {BUILD_LOCK}>"$BUILD.lock"
    flock "$BUILD_LOCK"
    step "building Veneer and its tests" build
    step "building the small inits for tests" build_inits
    STAGE=$RUN/stage
    step "installing the build aside" stage
}

# These run in a condition, where errexit is off: each failure is returned.

build() {
    if [ ! -e "$BUILD/meson/build.ninja" ]; then
        rm -rf "$BUILD/meson"
        in_build_root meson setup /build/meson /src || return 1
    fi
    in_build_root ninja -C /build/meson
}

build_inits() {
    local source name
    mkdir -p "$BUILD/inits" || return 1
    for source in "$SOURCE"/test/host/inits/*.c; do
        name=$(basename "$source" .c)
        [ "$BUILD/inits/$name" -nt "$source" ] ||
            in_build_root gcc -static -Os -s -Wall -Wextra -Werror -D_GNU_SOURCE \
                -o "/build/inits/$name" "/src/test/host/inits/$name.c" || return 1
    done
    install "$BUILD_ROOT/bin/busybox" "$BUILD/inits/busybox"
}

stage() {
    rm -rf "$BUILD/stage"
    mkdir "$BUILD/stage" || return 1
    in_build_root env DESTDIR=/build/stage meson install --no-rebuild -C /build/meson || return 1
    # Moved into this run, so that another run's build does not change what is tested here.
    cp -a "$BUILD/stage" "$STAGE"
}

# SPDX-License-Identifier: LGPL-2.1-or-later
# The store of templates: import, list, show, remove.
. "$(dirname "$(realpath "$0")")/lib.sh"

tiny_template bb busybox
ln -s ../sbin/init /var/lib/ve/templates/bb/root/bin/sh
printf 'root:x:0:0:root:/root:/bin/sh\n' >/var/lib/ve/templates/bb/root/etc/passwd

templates() {
    mkdir -p "$WORK/dir"
    cp -a /var/lib/ve/templates/bb/root "$WORK/dir/root"
    for kind in gzip xz zstd; do
        tar -C "$WORK/dir/root" --$kind -cf "$WORK/root.tar" .
        vectl template import "t-$kind" "$WORK/root.tar"
    done
    vectl template import t-dir "$WORK/dir/root"
    tar -C "$WORK/dir/root" -cf "$WORK/root.tar" .
    vectl template import t-plain "$WORK/root.tar"
    for name in t-gzip t-xz t-zstd t-dir t-plain; do
        diff -r --no-dereference "$WORK/dir/root" "/var/lib/ve/templates/$name/root" || fail "$name is not what was imported"
        expect "$(vectl template list -n -o name | tr -d ' ' | grep -cx $name)" 1 "times that $name is listed"
        expect_match "$(vectl template show $name)" "*$name*"
    done
    expect_status 4 vectl template import t-dir "$WORK/dir/root"
    vectl create user --template=t-dir
    expect_status 5 vectl template remove t-dir
    expect_sentence "$ERR" "*user*"
    vectl destroy user
    vectl template remove t-dir
    for name in t-gzip t-xz t-zstd t-plain; do
        vectl template remove $name
    done
    [ ! -e /var/lib/ve/templates/t-dir ] || fail "it is still there"
}
check "template: import of all kinds, list, show, remove unless used" templates

help_everywhere() {
    local verb
    for verb in create destroy start stop restart status list show check exec enter template "template list" \
        "template show" "template import" "template remove" "template build-host"; do
        # shellcheck disable=SC2086 # words
        vectl $verb --help | grep -q "^Usage: vectl $verb" || fail "vectl $verb --help does not start with its usage"
    done
    bash -n "$(find /usr/share/bash-completion/completions -name vectl)"
}
check "every verb has --help, and completion is installed" help_everywhere

remove user
remove_template bb t-gzip t-xz t-zstd t-plain t-dir

# SPDX-License-Identifier: LGPL-2.1-or-later
# systemd takes every unit that is shipped, and every one of the golden tests' outputs, without a
# complaint.
. "$(dirname "$(realpath "$0")")/lib.sh"

GOLDEN=$HERE/../golden

shipped() {
    local output
    # An instance, since a template has no instance to check.
    output=$(systemd-analyze verify --man=no ve.target ve.slice ve@some.service \
        $(find /usr/lib/systemd/system /lib/systemd/system -name 've-*.service' -printf '%f\n' | sort -u) 2>&1) || true
    expect "$output" "" "what systemd-analyze verify says"
}
check "the units that are shipped" shipped

# Every golden output in one directory of units after the other, in front of the host's own.
verify_case() {
    local out=$1 output units
    units=$(cd "$out" && find . -maxdepth 1 \( -name '*.service' -o -name '*.slice' \) -printf '%f ')
    units+=$(cd "$out" && find . -maxdepth 1 -name 've@*.service.d' -printf '%f ' | sed 's/\.d / /g')
    [ -n "$units" ] || return 0
    # shellcheck disable=SC2086 # a list
    output=$(cd "$out" && SYSTEMD_UNIT_PATH="$out:" systemd-analyze verify --man=no $units 2>&1 |
        grep -v -e "^$") || true
    [ -z "$output" ] || {
        echo "$out: $output"
        return 1
    }
}

golden() {
    local out n=0 bad=0
    if [ -e "$GOLDEN/verify" ]; then
        bash "$GOLDEN/verify" || fail "systemd-analyze verify has complaints"
        return
    fi
    [ -d "$GOLDEN" ] || fail "there are no golden tests"
    for out in "$GOLDEN"/*/out; do
        n=$((n + 1))
        verify_case "$(realpath "$out")" || bad=$((bad + 1))
    done
    [ $n -ge 25 ] || fail "only $n golden tests"
    [ $bad -eq 0 ] || fail "$bad of $n are complained about"
}
check "the units that definitions become" golden

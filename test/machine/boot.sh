# SPDX-License-Identifier: LGPL-2.1-or-later
# A true boot: what is enabled came up by itself.
. "$(dirname "$(realpath "$0")")/../host/lib.sh"

host_is_up() {
    expect "$(systemctl is-system-running)" running
}
check "the machine is running, not degraded" host_is_up

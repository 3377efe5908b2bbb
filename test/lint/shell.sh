# SPDX-License-Identifier: LGPL-2.1-or-later
# The shell scripts, by shellcheck.

command -v shellcheck >/dev/null || {
    echo "no shellcheck here"
    exit 77
}
# SC1091, SC2154: sourced files are checked by themselves; their variables are not known then.
# SC2034: and neither is who uses theirs. SC2046: lists of files of ours, without blanks, are split.
find test .ci -type f \( -name '*.sh' -o -name run -o -name try \) ! -path '*/in/*' -print0 |
    xargs -0 shellcheck --shell=bash --severity=warning --exclude=SC1091,SC2154,SC2034,SC2046

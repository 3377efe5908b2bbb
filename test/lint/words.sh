# SPDX-License-Identifier: LGPL-2.1-or-later
# Nothing in the sources depends on one machine: no mirror's host name, no one's directories. No
# trailing blanks, and a newline at the end.

status=0
files=$(find src units man test .ci meson.build README.md -type f ! -path '*/golden/*' \
    ! -path '*/should-fail/*' ! -path '*/fuzz/*' ! -path '*/__pycache__/*')
# In brackets, so that they don't find themselves.
for pattern in '[d]eb\.debian\.org' '[d]ebian\.org/debian' '/[w]ork/' '/[t]mp/wt*/' '[F]IXME'; do
    if grep -n -I -e "$pattern" $files; then
        status=1
    fi
done
if grep -n -I ' $' $files; then
    echo "blanks at the end of a line"
    status=1
fi
for file in $files; do
    if [ -s "$file" ] && [ "$(tail -c 1 "$file" | wc -l)" -eq 0 ]; then
        echo "$file: no newline at the end"
        status=1
    fi
done
exit $status

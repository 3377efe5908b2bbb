# SPDX-License-Identifier: LGPL-2.1-or-later
# No function over 100 lines, no file over 1000.

awk '
    FNR == 1 { start = 0 }
    FNR == 1001 {
        print FILENAME ": more than 1000 lines"
        bad = 1
    }
    # What starts at column 0 and ends in an opening brace, until the brace at column 0.
    /^[a-zA-Z_].*\) \{$/ { start = FNR; what = $0 }
    /^}/ {
        if (start && FNR - start - 1 > 100) {
            print FILENAME ":" start ": " FNR - start - 1 " lines in: " what
            bad = 1
        }
        start = 0
    }
    END { exit bad }
' $(find src test -name '*.[ch]' | LC_ALL=C sort)

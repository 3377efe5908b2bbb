# SPDX-License-Identifier: LGPL-2.1-or-later
# Includes are path-qualified and point only to layers above, as src/README.md lists them.

awk '
    BEGIN {
        n = split("base config kernel bus ve unit storage network template launch operate", name, " ")
        for (i = 1; i <= n; i++)
            rank[name[i]] = i
        programs = "vectl ve-crypt ve-import ve-launch ve-network ve-generator"
        split(programs, program, " ")
        for (i in program)
            rank[program[i]] = n + 1
        split("storage network template launch", word, " ")
        for (i in word)
            apart[word[i]] = 1
    }
    function complain(what) {
        print FILENAME ":" FNR ": " what
        bad = 1
    }
    FNR == 1 {
        split(FILENAME, path, "/")
        from = path[2]
        if (!(from in rank))
            complain("\"" from "\" is no layer")
    }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
        split($0, quoted, "\"")
        # Made by the build.
        if (quoted[2] == "config.h")
            next
        if (split(quoted[2], part, "/") != 2) {
            complain("the include \"" quoted[2] "\" is not LAYER/FILE")
            next
        }
        to = part[1]
        if (!(to in rank))
            complain("the include \"" quoted[2] "\" names no layer")
        else if (to != from && rank[to] >= rank[from])
            complain(from " must not include " to)
        else if (to != from && (to in apart) && (from in apart))
            complain(from " and " to " must not know each other")
    }
    END { exit bad }
' $(find src -name '*.[ch]' ! -path '*.in' | LC_ALL=C sort)

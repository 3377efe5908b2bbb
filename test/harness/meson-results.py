#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the results in meson's testlog.json as lines "ok NAME", "not ok NAME: REASON" and
"skip NAME: REASON": one for each case of a test that speaks TAP (Criterion does), else one for
the test. Arguments: the log, and a prefix for names."""

import json
import re
import sys

TAP = re.compile(r"^(not ok|ok)(?: \d+)?(?: -)? (.*?)\s*(?:# (SKIP|TODO)\b\s*(.*))?$", re.I)


def cases(text):
    """The cases in TAP output, as (result, name, reason)."""
    for line in text.splitlines():
        match = TAP.match(line)
        if not match:
            continue
        verdict, name, directive, reason = match.groups()
        name = re.sub(r"\s*\([0-9.]+s\)$", "", name)
        if directive and directive.upper() == "SKIP":
            yield "skip", name, reason or "no reason given"
        else:
            yield verdict, name, "see above"


def say(result, name, reason=""):
    # A colon ends the name.
    name = name.replace(": ", " ")
    print(result + " " + name + ("" if result == "ok" else ": " + reason))


def report(test, prefix):
    name = prefix + "/" + test["name"].split(" / ")[-1]
    output = test.get("stdout", "")
    found = list(cases(output))
    bad = test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
    if bad:
        for line in (output + test.get("stderr", "")).splitlines()[-80:]:
            print("    | " + line)
    for result, case, reason in found:
        say(result, name + "/" + case, reason)
    if bad and not any(result == "not ok" for result, _, _ in found):
        # Crashed, timed out, or failed after its last case.
        say("not ok", name, "%s, exit status %s" % (test["result"].lower(), test.get("returncode")))
    elif not found and test["result"] == "SKIP":
        lines = (output + test.get("stderr", "")).strip().splitlines()
        say("skip", name, lines[-1] if lines else "no reason given")
    elif not found and not bad:
        say("ok", name)


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        for line in log:
            report(json.loads(line), sys.argv[2])


main()

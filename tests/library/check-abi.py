#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""check-abi.py LIBRARY RECORD: functions, types and enum values of libveil are those of tests/library/libveil.abi (abidiff says what is not).

A change on purpose: `tests/library/record-interface BUILD` writes the record anew. Additions are fine; whatever removes or changes something that programs may
use already needs a new major version of the library.

The check is itself checked: records of other interfaces must be told from the library.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

library, record = sys.argv[1:3]
text = pathlib.Path(record).read_text()
results = []


def report(good, name, said):
    results.append(good)
    print(("ok" if good else "not ok") + f" {len(results)} - {name}" + ("" if good else "".join("\n# " + line for line in said.splitlines()[:200])))


def diff(path):
    """abidiff's verdict. Bits: 1 an error of the tool, 2 a wrong use of it, 4 a change, 8 an incompatible one."""
    done = subprocess.run(["abidiff", "--no-added-syms", path, library], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def check_other(name, pattern, replacement):
    other, n = re.subn(pattern, replacement, text)
    with tempfile.NamedTemporaryFile("w", suffix=".abi") as file:
        file.write(other)
        file.flush()
        code, said = diff(file.name)
    report(n > 0 and code in (4, 12), name, said)


print("1..4")
code, said = diff(record)
report(code == 0, "the interface is as it was recorded", said + "\nIf that is on purpose, run: tests/library/record-interface BUILD")
check_other("a function that is gone is noticed", "veil_request_new'", "veil_request_old'")
check_other("another value of an error code is noticed", r"(name='VEIL_ERROR_STALE' value=)'\d+'", r"\1'77'")
check_other("another parameter is noticed", r"(<function-decl name='veil_client_set_refresh_interval'[^>]*>\s*)(<parameter [^>]*>)(\s*)(<parameter [^>]*>)", r"\1\4\3\2")
sys.exit(0 if all(results) else 1)

#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""expand-examples.py ROOT INPUT OUTPUT: puts the files that "@include PATH@" names into a page, verbatim, so that what is shown is what is tested."""
import pathlib
import re
import sys

root, page, output = map(pathlib.Path, sys.argv[1:])
text, n = re.subn(r"^@include (\S+)@$", lambda m: (root / m[1]).read_text().rstrip("\n"), page.read_text(), flags=re.M)
if n == 0:
    sys.exit(f"{page} includes nothing")
output.write_text(text)

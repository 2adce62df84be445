#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""check-interface.py LIBRARY RECORD CC CXX HEADERS_DIR... -- CFLAGS...: what libveil exports is what its public headers declare, and what was recorded.

The record, tests/library/libveil.symbols, names every exported symbol. One that is missing breaks programs: that needs a new major version of the library.
New ones are added on purpose, with `tests/library/record-interface BUILD`, which writes the record anew; so are the types and
signatures in libveil.abi (see check-abi.py).
"""
import pathlib
import re
import subprocess
import sys
import tempfile

library, record, cc, cxx = sys.argv[1:5]
split = sys.argv.index("--")
headers = [pathlib.Path(h) for h in sys.argv[5:split]]
cflags = sys.argv[split + 1:]
results = []


def check(name, wrong=()):
    wrong = list(wrong)
    results.append(not wrong)
    print(f"{'not ok' if wrong else 'ok'} {len(results)} - {name}" + "".join(f"\n# {w}" for w in wrong[:40]))


def compile_alone(header, compiler, language, standard):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / ("alone." + language)
        source.write_text(f'#include <{header.name}>\n#include <{header.name}>\nint main (void);\n')
        folders = sorted({str(h.parent) for h in headers})
        done = subprocess.run([*compiler.split(), f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wno-variadic-macros",
                               "-Wno-unused-parameter", "-fsyntax-only", *["-I" + f for f in folders], *cflags, source],
                              capture_output=True, text=True)
        return [] if done.returncode == 0 else done.stderr.splitlines()


out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
exported = {line.split()[-1].split("@")[0] for line in out.splitlines()}
text = "\n".join(re.sub(r"/\*.*?\*/", "", h.read_text(), flags=re.S) for h in headers)
declared = set(re.findall(r"\b(veil_\w+) \(", re.sub(r"^#.*$", "", text, flags=re.M)))
declared |= {name + "_get_type" for name in re.findall(r"G_DECLARE_\w+ \(\w+, (\w+),", text)}
recorded = set(pathlib.Path(record).read_text().split())

check("the library exports something", [] if len(exported) > 100 else ["the list of symbols is too short to be true"])
check("nothing is exported that no public header declares", sorted(exported - declared))
check("everything that a public header declares is exported", sorted(declared - exported))
check("no symbol is missing that was recorded", sorted(recorded - exported))
check("no symbol is new that was not recorded (tests/library/record-interface BUILD records it)", sorted(exported - recorded))
needed = subprocess.run(["readelf", "-dW", library], check=True, capture_output=True, text=True).stdout
imported = subprocess.run(["nm", "-D", "--undefined-only", library], check=True, capture_output=True, text=True).stdout
check("it links no display library", re.findall(r"lib(?:gtk|adwaita|gdk|X11|wayland)\S*", needed))
check("it holds nothing that signs", re.findall(r"\S*(?:rsa|pss|ecdsa|eddsa)\w*_sign\w*", imported))
umbrella = {h.name for h in headers if h.name == "veil.h"}
check("veil.h brings every other header", [] if umbrella and all(
    f'"{h.name}"' in next(u for u in headers if u.name == "veil.h").read_text() for h in headers if h.name != "veil.h") else ["one is not included"])
for header in sorted(headers, key=lambda h: h.name):
    check(f"{header.name} compiles alone in C", compile_alone(header, cc, "c", "c99"))
    check(f"{header.name} compiles alone in C++", compile_alone(header, cxx, "cc", "c++11"))
print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)

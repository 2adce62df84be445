#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""check-layers.py SRC: every #include of the project's own headers stays within what its layer may see, and GTK stays in app.

The build enforces the same by include folders; this also catches "../relay/x.h" and names where the mistake is.
"""
import pathlib
import re
import sys

ORDER = ["base", "crypto", "record", "registry", "attest", "login", "relay", "server", "service"]
ALLOWED = {layer: set(ORDER[: i + 1]) for i, layer in enumerate(ORDER)}
ALLOWED["cli"] = set(ORDER) | {"cli"}
ALLOWED["tray"] = set(ORDER) | {"tray"}
ALLOWED["app"] = set(ORDER) | {"tray", "app"}
ALLOWED["libveil"] = set(ORDER[:-1]) | {"libveil"}
ALLOWED["sandbox"] = {"base", "crypto", "sandbox"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)

src = pathlib.Path(sys.argv[1])
owner = {"veil-enums.h": "libveil"}  # made by the build
problems = []
for header in sorted(src.glob("*/*.h")):
    if header.name in owner:
        problems.append(f"{header.relative_to(src)}: the name is taken by {owner[header.name]}")
    owner[header.name] = header.parent.name
# What gdbus-codegen makes of a layer's contracts is named after it.
owner.update({f"{layer}-dbus.h": layer for layer in ALLOWED})

results = []
for path in sorted(src.glob("*/*.[ch]")):
    layer = path.parent.name
    wrong = [f"{layer} is not a known layer"] if layer not in ALLOWED else []
    for kind, name in INCLUDE.findall(path.read_text()):
        base = pathlib.PurePath(name).name
        if kind == '"' and name != base:
            wrong.append(f'"{name}": include by file name only')
        elif kind == '"' and base != "config.h" and owner.get(base) not in ALLOWED.get(layer, ()):
            wrong.append(f'"{name}" belongs to {owner.get(base)}')
        elif kind == "<" and re.match(r"(gtk|adwaita|gdk)", name) and layer != "app":
            wrong.append(f"<{name}>: GTK appears in app alone")
    results.append((path.relative_to(src), wrong))

print(f"1..{len(results) + 1}")
for number, (path, wrong) in enumerate(results, 1):
    print(f"{'not ok' if wrong else 'ok'} {number} - {path}" + "".join(f"\n# {w}" for w in wrong))
print(f"{'not ok' if problems else 'ok'} {len(results) + 1} - header names are unique" + "".join(f"\n# {p}" for p in problems))
sys.exit(1 if problems or any(w for _, w in results) or not results else 0)

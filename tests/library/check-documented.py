#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""check-documented.py GIR: every public symbol is documented: what it is, each parameter, what comes back, who owns it; and nothing of the layers is in it."""
import re
import sys
import xml.etree.ElementTree as ET

CORE, C, GLIB = ("{http://www.gtk.org/introspection/%s}" % n for n in ("core/1.0", "c/1.0", "glib/1.0"))
CALLABLE = {CORE + n for n in ("function", "method", "constructor", "callback", "virtual-method")} | {GLIB + "signal"}
DOCUMENTED = CALLABLE | {CORE + n for n in ("class", "interface", "record", "enumeration", "bitfield", "member", "property", "constant", "alias")}
results = []


def words(element):
    doc = element.find(CORE + "doc")
    return len((doc.text or "").split()) if doc is not None else 0


def wants(element):
    """What is missing of @element, if anything."""
    if element.get("introspectable") == "0":
        yield "other languages cannot use it"
    if element.tag not in CALLABLE:
        if not words(element):
            yield "it is not documented"
        return
    value = element.find(CORE + "return-value")
    returned = value is not None and value.find(CORE + "type") is not None and value.find(CORE + "type").get("name") != "none" or value.find(CORE + "array") is not None
    if not words(element) and not (returned and words(value)):
        yield "it is not documented"
    if returned and not words(value):
        yield "what it returns is not documented"
    for parameter in element.findall(f"{CORE}parameters/*"):
        if not words(parameter):
            yield f"its parameter {parameter.get('name')} is not documented"


def walk(element, path):
    for child in element:
        name = child.get(C + "identifier") or child.get(C + "type") or f"{path}:{child.get('name')}"
        if child.tag in DOCUMENTED and child.get(GLIB + "is-gtype-struct-for") is None:
            problems = list(wants(child))
            results.append(not problems)
            print(f"{'not ok' if problems else 'ok'} {len(results)} - {name}" + "".join(f"\n# {p}" for p in problems))
        walk(child, name)


root = ET.parse(sys.argv[1]).getroot()
walk(root.find(CORE + "namespace"), "Veil")
enough = len(results) > 150
# Types of the layers below, which share the prefix.
leaked = [e.get("name") for e in root.iter() if re.fullmatch(r"(Tee|Proof|Session|ChatRequest|ChatAnswer|Registry|Selection|RelayClient|Json.*|Ohttp.*|Fetch.*)", e.get("name") or "")
          and e.tag in (CORE + "class", CORE + "record", CORE + "enumeration")]
print(f"{'ok' if enough else 'not ok'} {len(results) + 1} - there is something to document")
print(f"{'not ok' if leaked else 'ok'} {len(results) + 2} - nothing of the layers is in it" + "".join(f"\n# {name}" for name in leaked))
print(f"1..{len(results) + 2}")
sys.exit(0 if all(results) and enough and not leaked else 1)

#!/usr/bin/env python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""check-binary.py OG_VEIL SANDBOX: what the programs link.

The client must not be able to sign an answer (that is the sandbox helper's alone), and the command line needs no display libraries.
"""
import re
import subprocess
import sys


def dynamic(program):
    out = subprocess.run(["readelf", "-dW", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.*)\]", out)


def symbols(program):
    out = subprocess.run(["readelf", "-sW", "--dyn-syms", program], check=True, capture_output=True, text=True).stdout
    return {line.split()[7].split("@")[0] for line in out.splitlines() if len(line.split()) > 7}


SIGNS = re.compile(r"rsa_\w*sign|rsa_generate|rsa_private_key|ecdsa_sign|eddsa_sign|pss_sha\w*_sign|gnutls_privkey_sign|gnutls_x509_crt_sign", re.I)
client, helper = sys.argv[1:3]
checks = [
    ("og-veil links no display library", not [lib for lib in dynamic(client) if re.match(r"lib(gtk|adwaita|gdk|X11|wayland)", lib)]),
    ("og-veil holds nothing that signs", not [s for s in symbols(client) if SIGNS.search(s)]),
    ("the sandbox helper does sign (the pattern finds it)", {"rsa", "gnutls"} <= {re.search("rsa|gnutls", s)[0] for s in symbols(helper) if
                                                                               SIGNS.search(s) and re.search("rsa|gnutls", s)}),
    ("og-veil holds none of the sandbox's code", not [s for s in symbols(client) if s.startswith("sandbox_")]),
]
print(f"1..{len(checks)}")
for number, (name, ok) in enumerate(checks, 1):
    print(f"{'ok' if ok else 'not ok'} {number} - {name}")
sys.exit(0 if all(ok for _, ok in checks) else 1)

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the peer by hand: prints a login bundle and serves until standard input closes."""

import json
import sys

from . import Peer

with Peer() as peer:
    print(json.dumps(peer.bundle()), flush=True)
    sys.stdin.read()
    peer.assert_clean()

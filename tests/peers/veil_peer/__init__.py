# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""An independent peer for the tests: registry, relay and enclaves, written from the protocol document alone.

It shares no code with the program and uses other cryptographic libraries (python3-cryptography, python3-pycryptodome), so that
one mistake cannot hide on both sides.
"""

from .peer import Peer  # noqa: F401

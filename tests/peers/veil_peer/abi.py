# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""A Solidity ABI encoder for the registry's answers (protocol.md section 1)."""

from .crypto import keccak256

OHTTP_CONFIG = ('tuple', ['uint8', 'uint16', 'uint16', 'uint16', 'bytes', 'bytes', 'uint256'])
TEE_INFO = ('tuple', ['address', 'address', 'string', 'bytes', 'bytes', 'bytes32', 'uint8', 'bool', 'uint256', 'uint256', OHTTP_CONFIG])


def is_dynamic(kind):
    if isinstance(kind, tuple):
        return kind[0] == 'array' or any(is_dynamic(member) for member in kind[1])
    return kind in ('bytes', 'string')


def encode(kind, value):
    if isinstance(kind, tuple) and kind[0] == 'tuple':
        return encode_tuple(kind[1], value)
    if isinstance(kind, tuple):
        return word(len(value)) + encode_tuple([kind[1]] * len(value), value)
    if kind in ('bytes', 'string'):
        data = value.encode() if isinstance(value, str) else value
        return word(len(data)) + data + bytes(-len(data) % 32)
    if kind == 'bytes32':
        return value.ljust(32, b'\0')
    if kind == 'address':
        return value.rjust(32, b'\0')
    return word(int(value))


def encode_tuple(kinds, values):
    head, tail = b'', b''
    size = 32 * len(kinds)
    for kind, value in zip(kinds, values):
        data = encode(kind, value)
        if is_dynamic(kind):
            head += word(size + len(tail))
            tail += data
        else:
            head += data
    return head + tail


def word(number):
    return number.to_bytes(32, 'big')


def returns(kind, value):
    """The return data of a function with one result."""
    return encode_tuple([kind], [value])


def selector(signature):
    return keccak256(signature.encode())[:4]

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The library's comparison of a document with an enclave. The documents are genuine as such, under a root of the test's own, which is why a program inside the
library asks: users of it cannot choose a root."""

import base64
import hashlib
import os
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from veil_peer import nitro
from veil_peer.nitro import Authority, Raw

NOW = 1760000000
NONCE = bytes(range(20))
PCRS = [bytes([n + 1]) * 48 for n in range(3)]
TLS = b'a TLS certificate' * 40


def new_key():
    return rsa.generate_private_key(65537, 2048).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


KEY = new_key()


@pytest.fixture(scope='module')
def judge():
    program = subprocess.Popen([os.environ['ENCLAVE_VERDICT']], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    authority = Authority(NOW)

    def ask(pcrs=PCRS, asked=NONCE, pcr_hash=nitro.pcr_hash(PCRS), key=KEY, tls=TLS, **changes):
        changes = {'user_data': nitro.user_data(TLS, KEY), 'nonce': NONCE, **changes}
        document = authority.document(authority.fields(pcrs, **changes))
        words = [authority.root.fingerprint.hex().encode(), base64.b64encode(document), base64.b64encode(asked), pcr_hash.hex().encode(),
                 base64.b64encode(key), b'-' if tls is None else base64.b64encode(tls)]
        program.stdin.write(b' '.join(words) + b'\n')
        program.stdin.flush()
        answer = program.stdout.readline().decode().split()
        assert answer, 'the program ended'
        return answer

    yield ask
    program.stdin.close()
    assert program.wait(60) == 0


def flipped(data, index):
    return data[:index] + bytes([data[index] ^ 1]) + data[index + 1:]


def test_accepted(judge):
    assert judge() == ['ok', 'ok', '0']


# Debug mode comes first: whatever the registry says of such a build, it is refused.

ZERO = bytes(48)
DEBUG = {
    'all': [ZERO] * 3,
    'pcr0': [ZERO, PCRS[1], PCRS[2]],
    'pcr1': [PCRS[0], ZERO, PCRS[2]],
    'pcr2': [PCRS[0], PCRS[1], ZERO],
}


@pytest.mark.parametrize('name', DEBUG)
def test_debug(judge, name):
    pcrs = DEBUG[name]
    assert judge(pcrs, pcr_hash=nitro.pcr_hash(pcrs)) == ['ok', 'attestation_debug', '1']
    assert judge(pcrs) == ['ok', 'attestation_debug', '1']


def test_almost_zero(judge):
    """One bit is no debug mode."""
    pcrs = [flipped(ZERO, 47), flipped(ZERO, 0), PCRS[2]]
    assert judge(pcrs, pcr_hash=nitro.pcr_hash(pcrs)) == ['ok', 'ok', '0']


@pytest.mark.parametrize('index', range(3))
def test_other_build(judge, index):
    pcrs = [flipped(pcr, 47) if n == index else pcr for n, pcr in enumerate(PCRS)]
    assert judge(pcrs) == ['ok', 'attestation_pcr', '0']


def test_swapped_pcrs(judge):
    assert judge([PCRS[1], PCRS[0], PCRS[2]]) == ['ok', 'attestation_pcr', '0']


def test_other_registers_do_not_matter(judge):
    """PCR3 to PCR31 say where and by whom it was started, not which build it is."""
    assert judge(PCRS + [os.urandom(48)]) == ['ok', 'ok', '0']


HASHES = nitro.user_data(TLS, KEY)
USER_DATA = {
    'none': None,
    'null': Raw(b'\xf6'),
    'empty': b'',
    'too-short': HASHES[:-1],
    'too-long': HASHES + b'\0',
    'first-only': HASHES[:34],
    'three': HASHES + HASHES[:34],
    'plain-hashes': HASHES[2:34] + HASHES[36:],
    'first-function': flipped(HASHES, 0),
    'first-length': flipped(HASHES, 1),
    'second-function': flipped(HASHES, 34),
    'second-length': flipped(HASHES, 35),
    'zeros': bytes(68),
}


@pytest.mark.parametrize('name', USER_DATA)
def test_user_data(judge, name):
    assert judge(user_data=USER_DATA[name]) == ['ok', 'attestation_user_data', '0']


def test_other_signing_key(judge):
    assert judge(key=new_key()) == ['ok', 'attestation_key', '0']
    for index in (36, 67):
        assert judge(user_data=flipped(HASHES, index)) == ['ok', 'attestation_key', '0']


def test_other_tls_certificate(judge):
    assert judge(tls=TLS + b'.') == ['ok', 'attestation_tls', '0']
    for index in (2, 33):
        assert judge(user_data=flipped(HASHES, index)) == ['ok', 'attestation_tls', '0']


def test_no_tls_certificate(judge):
    """What the registry does not list cannot be the attested one, not even the hash of nothing."""
    assert judge(tls=None) == ['ok', 'attestation_tls', '0']
    assert judge(tls=None, user_data=nitro.user_data(b'', KEY)) == ['ok', 'attestation_tls', '0']
    assert judge(tls=b'', user_data=nitro.user_data(b'', KEY)) == ['ok', 'attestation_tls', '0']


def test_swapped_hashes(judge):
    assert judge(user_data=nitro.user_data(KEY, TLS)) == ['ok', 'attestation_key', '0']
    both = b'\x12\x20' + hashlib.sha256(KEY).digest()
    assert judge(user_data=both + both) == ['ok', 'attestation_tls', '0']


NONCES = {
    'none': None,
    'null': Raw(b'\xf6'),
    'empty': b'',
    'beginning': NONCE[:-1],
    'longer': NONCE + b'\0',
    'last-bit': flipped(NONCE, 19),
    'hex': NONCE.hex().encode(),
}


@pytest.mark.parametrize('name', NONCES)
def test_nonce(judge, name):
    assert judge(nonce=NONCES[name]) == ['attestation_nonce', 'ok', '0']


def test_empty_nonce(judge):
    """Asked with nothing: a document without a nonce is no answer to that, one with an empty nonce is."""
    assert judge(asked=b'', nonce=None) == ['attestation_nonce', 'ok', '0']
    assert judge(asked=b'', nonce=b'') == ['ok', 'ok', '0']


def test_forged(judge):
    """There is no object to compare anything with."""
    assert judge(timestamp=0) == ['attestation_field']
    assert judge(certificate=Authority(NOW).leaf.der) == ['attestation_chain']

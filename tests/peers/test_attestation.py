# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Attestation documents that are signed as they should be, by chains that are and that are not: what no change of the genuine one can show."""

import base64
import hashlib
import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from veil_peer import crypto, nitro
from veil_peer.nitro import Authority, Certified, Indefinite, Raw, encode

NOW = 1760000000
DAY = 86400


@pytest.fixture(scope='module')
def judge():
    program = subprocess.Popen([os.environ['NITRO_VERDICT']], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(document, root, at='its'):
        program.stdin.write(b'%s %s %s\n' % (root.hex().encode(), str(at).encode(), base64.b64encode(document)))
        program.stdin.flush()
        answer = program.stdout.readline().decode().split()
        assert answer, 'the program ended'
        return answer

    yield ask
    program.stdin.close()
    assert program.wait(60) == 0


@pytest.fixture(scope='module')
def honest():
    return Authority(NOW)


def test_honest(judge, honest):
    """What is read is what was written."""
    tls, key = os.urandom(700), os.urandom(294)
    pcrs = [os.urandom(48) for _ in range(3)]
    fields = honest.fields(pcrs, user_data=nitro.user_data(tls, key), nonce=os.urandom(20))
    answer = judge(honest.document(fields), honest.root.fingerprint)
    assert answer == ['ok', fields['module_id'], str(fields['timestamp']), crypto.keccak256(b''.join(pcrs)).hex(), hashlib.sha256(tls).hexdigest(),
                      hashlib.sha256(key).hexdigest()]


def without(fields, *names):
    return Indefinite({k: v for k, v in fields.items() if k not in names})


ACCEPTED = {
    'count-instead-of-indefinite': lambda a: dict(a.fields()),
    'other-order': lambda a: Indefinite(reversed(list(a.fields().items()))),
    'no-public-key': lambda a: without(a.fields(), 'public_key'),
    'null-public-key': lambda a: a.fields(public_key=Raw(b'\xf6')),
    'null-user-data': lambda a: a.fields(user_data=Raw(b'\xf6')),
    'null-nonce': lambda a: a.fields(nonce=Raw(b'\xf6')),
    'empty-user-data': lambda a: a.fields(user_data=b'', nonce=b''),
    'largest-fields': lambda a: a.fields(user_data=bytes(512), nonce=bytes(512), public_key=bytes(1024)),
    'three-pcrs': lambda a: Indefinite({**a.fields(), 'pcrs': {n: bytes([n]) * 48 for n in (2, 0, 1)}}),
    'all-pcrs': lambda a: Indefinite({**a.fields(), 'pcrs': {n: bytes([n]) * 48 for n in range(32)}}),
}


@pytest.mark.parametrize('name', ACCEPTED)
def test_accepted(judge, honest, name):
    assert judge(honest.document(ACCEPTED[name](honest)), honest.root.fingerprint)[0] == 'ok'


# Signed by the right key, and yet not what AWS writes.

PAYLOADS = {
    'unknown-field': ('field', lambda a: Indefinite({**a.fields(), 'more': 1})),
    'no-timestamp': ('field', lambda a: without(a.fields(), 'timestamp')),
    'no-pcr1': ('field', lambda a: Indefinite({**a.fields(), 'pcrs': {0: bytes(48), 2: bytes(48)}})),
    '33-pcrs': ('field', lambda a: Indefinite({**a.fields(), 'pcrs': {n: bytes(48) for n in range(33)}})),
    'no-pcrs': ('field', lambda a: Indefinite({**a.fields(), 'pcrs': {}})),
    'short-pcr': ('field', lambda a: Indefinite({**a.fields(), 'pcrs': {n: bytes(32) for n in range(3)}})),
    'long-pcr': ('field', lambda a: Indefinite({**a.fields(), 'pcrs': {n: bytes(64) for n in range(3)}})),
    'no-cabundle': ('field', lambda a: Indefinite({**a.fields(), 'cabundle': []})),
    'nine-in-cabundle': ('field', lambda a: Indefinite({**a.fields(), 'cabundle': a.bundle * 3})),
    'large-certificate': ('field', lambda a: Indefinite({**a.fields(), 'cabundle': a.bundle[:2] + [bytes(1025)]})),
    'large-user-data': ('field', lambda a: a.fields(user_data=bytes(513))),
    'large-nonce': ('field', lambda a: a.fields(nonce=bytes(513))),
    'large-public-key': ('field', lambda a: a.fields(public_key=bytes(1025))),
    'null-digest': ('field', lambda a: Indefinite({**a.fields(), 'digest': Raw(b'\xf6')})),
    'array': ('field', lambda a: list(a.fields().values())),
    'field-twice': ('encoding', lambda a: encode(a.fields())[:-1] + encode('nonce') + encode(b'1') + encode('nonce') + encode(b'2') + b'\xff'),
    'trailing-byte': ('encoding', lambda a: encode(a.fields()) + b'\0'),
    'float-timestamp': ('encoding', lambda a: Indefinite({**a.fields(), 'timestamp': Raw(b'\xfb' + bytes(8))})),
    'tagged-timestamp': ('encoding', lambda a: Indefinite({**a.fields(), 'timestamp': Raw(b'\xc1' + encode(NOW * 1000))})),
    'indefinite-bundle': ('encoding', lambda a: Indefinite({**a.fields(), 'cabundle': Raw(b'\x9f' + b''.join(map(encode, a.bundle)) + b'\xff')})),
    'chunked-user-data': ('encoding', lambda a: a.fields(user_data=Raw(b'\x5f' + encode(b'a') + encode(b'b') + b'\xff'))),
    'deep-user-data': ('encoding', lambda a: a.fields(user_data=Raw(b'\x81' * 1000 + b'\x80'))),
    'many-values': ('encoding', lambda a: a.fields(user_data=[0] * 1000)),
    'too-large': ('encoding', lambda a: a.fields(user_data=bytes(40000))),
    'nothing': ('field', lambda a: Indefinite()),
    'null': ('field', lambda a: b'\xf6'),
}


@pytest.mark.parametrize('name', PAYLOADS)
def test_payloads(judge, honest, name):
    code, make = PAYLOADS[name]
    assert judge(honest.document(make(honest)), honest.root.fingerprint) == ['attestation_' + code]


FRAMES = {
    'other-key': ('signature', lambda a: a.document(key=ec.generate_private_key(ec.SECP384R1()))),
    'issuer-key': ('signature', lambda a: a.document(key=a.second.key)),
    'root-key': ('signature', lambda a: a.document(key=a.root.key)),
    'sha256': ('signature', lambda a: a.document(digest=hashes.SHA256)),
    'sha512': ('signature', lambda a: a.document(digest=hashes.SHA512)),
    'zeros': ('signature', lambda a: a.document(signature=bytes(96))),
    'ones': ('signature', lambda a: a.document(signature=b'\xff' * 96)),
    'der': ('cose', lambda a: a.document(signature=a.leaf.key.sign(b'', ec.ECDSA(hashes.SHA384())))),
    'es256': ('cose', lambda a: a.document(protected=b'\xa1\x01\x26')),
    'no-algorithm': ('cose', lambda a: a.document(protected=b'')),
    'two-headers': ('cose', lambda a: a.document(protected=encode({1: -35, 4: b'key'}))),
    'critical-header': ('cose', lambda a: a.document(protected=encode({1: -35, 2: [1]}))),
    'algorithm-outside': ('cose', lambda a: a.document(protected=b'', unprotected={1: -35})),
    'unprotected-header': ('cose', lambda a: a.document(unprotected={4: b'key'})),
    'unprotected-certificate': ('cose', lambda a: a.document(unprotected={33: a.leaf.der})),
    'empty-payload': ('cose', lambda a: a.document(b'')),
    'tagged': ('encoding', lambda a: b'\xd2' + a.document()),
    'twice': ('encoding', lambda a: a.document() * 2),
}


@pytest.mark.parametrize('name', FRAMES)
def test_frames(judge, honest, name):
    code, make = FRAMES[name]
    assert judge(make(honest), honest.root.fingerprint) == ['attestation_' + code]


# Chains.

UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier('1.3.6.1.4.1.99999.1'), b'\x05\x00'), True)
PURPOSE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])

CHAINS = {
    'expired-root': ('validity', {'root': {'before': -2 * DAY, 'after': -DAY}}),
    'expired-first': ('validity', {'first': {'before': -2 * DAY, 'after': -DAY}}),
    'expired-second': ('validity', {'second': {'before': -2 * DAY, 'after': -1}}),
    'expired-leaf': ('validity', {'leaf': {'before': -2 * DAY, 'after': -1}}),
    'future-root': ('validity', {'root': {'before': DAY}}),
    'future-first': ('validity', {'first': {'before': 1}}),
    'future-leaf': ('validity', {'leaf': {'before': 1}}),
    'first-is-no-ca': ('certificate', {'first': {'ca': False, 'usage': nitro.CA_USAGE}}),
    'second-is-no-ca': ('certificate', {'second': {'ca': False, 'usage': nitro.CA_USAGE}}),
    'second-without-constraints': ('certificate', {'second': {'limits': False}}),
    'second-constraints-not-critical': ('certificate', {'second': {'limits_critical': False}}),
    'second-may-not-sign-certificates': ('certificate', {'second': {'usage': {'digital_signature', 'crl_sign'}}}),
    'second-without-usage': ('certificate', {'second': {'usage': set()}}),
    'first-path-too-short': ('certificate', {'first': {'path': 0}}),
    'root-path-too-short': ('certificate', {'root': {'path': 1}}),
    'leaf-is-ca': ('certificate', {'leaf': {'usage': nitro.CA_USAGE}}),
    'leaf-may-not-sign': ('certificate', {'leaf': {'usage': {'key_encipherment'}}}),
    'leaf-without-usage': ('certificate', {'leaf': {'usage': set()}}),
    'first-unknown-critical': ('certificate', {'first': {'extensions': [UNKNOWN]}}),
    'leaf-unknown-critical': ('certificate', {'leaf': {'extensions': [UNKNOWN]}}),
    'leaf-critical-purpose': ('certificate', {'leaf': {'extensions': [(PURPOSE, True)]}}),
    'first-critical-name-constraints': ('certificate', {'first': {'extensions': [(x509.NameConstraints([x509.DNSName('test')], None), True)]}}),
    'first-of-p256': ('certificate', {'first': {'curve': ec.SECP256R1}}),
    'leaf-of-p521': ('certificate', {'leaf': {'curve': ec.SECP521R1}}),
    'leaf-with-sha256': ('certificate', {'leaf': {'digest': hashes.SHA256}}),
    'second-with-sha1': ('certificate', {'second': {'digest': hashes.SHA1}}),
    'second-other-issuer-name': ('chain', {'second': {'issuer_name': nitro.name_of('region.nitro.tesu')}}),
    'leaf-other-issuer-name': ('chain', {'leaf': {'issuer_name': nitro.name_of('')}}),
}


@pytest.mark.parametrize('name', CHAINS)
def test_chains(judge, name):
    code, changes = CHAINS[name]
    if name == 'leaf-is-ca':
        forger = Authority(NOW)
        forger.leaf = Certified('enclave.nitro.test', forger.second, now=NOW)
    else:
        forger = Authority(NOW, **changes)
    key = forger.leaf.key if isinstance(forger.leaf.key.curve, ec.SECP384R1) else forger.second.key
    assert judge(forger.document(key=key), forger.root.fingerprint) == ['attestation_' + code]


def test_harmless_extensions(judge):
    """What is not critical does not matter."""
    authority = Authority(NOW, leaf={'extensions': [(PURPOSE, False)]}, first={'extensions': [(UNKNOWN[0], False)]},
                          second={'path': None}, root={'path': 2})
    assert judge(authority.document(), authority.root.fingerprint)[0] == 'ok'


def test_usage_that_is_not_critical(judge):
    """AWS's own leaf has its keyUsage so."""
    authority = Authority(NOW, leaf={'usage_critical': False})
    assert judge(authority.document(), authority.root.fingerprint)[0] == 'ok'


def test_foreign_root_of_the_same_name(judge, honest):
    """The name of the root is nothing; its fingerprint is."""
    other = Authority(NOW)
    assert other.root.name == honest.root.name
    assert judge(other.document(), honest.root.fingerprint) == ['attestation_root']
    # The trusted root in front of what another one issued.
    fields = Indefinite({**other.fields(), 'cabundle': [honest.root.der] + other.bundle[1:]})
    assert judge(other.document(fields), honest.root.fingerprint) == ['attestation_chain']
    # Both.
    fields = Indefinite({**other.fields(), 'cabundle': [honest.root.der] + other.bundle})
    assert judge(other.document(fields), honest.root.fingerprint) == ['attestation_chain']
    # The same name, key and everything, newly made.
    again = Certified(honest.root.name, now=NOW, key=honest.root.key)
    fields = Indefinite({**honest.fields(), 'cabundle': [again.der] + honest.bundle[1:]})
    assert judge(honest.document(fields), honest.root.fingerprint) == ['attestation_root']


def test_right_names_wrong_key(judge, honest):
    """An issuer that is named, and did not sign."""
    for role in ('first', 'second', 'leaf'):
        forger = Authority(NOW, **{role: {'signer': Certified('x', now=NOW)}})
        assert judge(forger.document(), forger.root.fingerprint) == ['attestation_chain'], role


def test_other_orders(judge, honest):
    root, first, second = honest.bundle
    for bundle, code in (([root, second, first], 'chain'), ([first, root, second], 'root'), ([second, first, root], 'root'), ([root, first], 'chain'),
                         ([root, second], 'chain'), ([root], 'chain'), ([first, second], 'root'), ([root, root, first, second], 'chain'),
                         ([root, first, first, second], 'chain'), ([root, first, second, second], 'chain'),
                         ([root, first, second, honest.leaf.der], 'chain')):
        fields = Indefinite({**honest.fields(), 'cabundle': bundle})
        assert judge(honest.document(fields), honest.root.fingerprint) == ['attestation_' + code]


def test_self_made_leaf(judge, honest):
    """The chain of somebody else's enclave, and a certificate of one's own."""
    own = Certified('enclave.nitro.test', now=NOW, ca=False, issuer_name=honest.second.name)
    fields = Indefinite({**honest.fields(), 'certificate': own.der})
    assert judge(honest.document(fields, key=own.key), honest.root.fingerprint) == ['attestation_chain']


def test_leaf_that_issues(judge, honest):
    """The enclave's own key is no authority."""
    own = Certified('another.nitro.test', honest.leaf, now=NOW, ca=False)
    fields = Indefinite({**honest.fields(), 'certificate': own.der, 'cabundle': honest.bundle + [honest.leaf.der]})
    assert judge(honest.document(fields, key=own.key), honest.root.fingerprint) == ['attestation_certificate']


def test_times(judge):
    authority = Authority(NOW, leaf={'before': -10, 'after': 10})
    for at, valid in ((NOW - 11, False), (NOW - 10, True), (NOW, True), (NOW + 10, True), (NOW + 11, False), (0, False), (-1, False), (2 ** 62, False)):
        answer = judge(authority.document(), authority.root.fingerprint, at)
        assert answer[0] == ('ok' if valid else 'attestation_validity'), at


def test_certificates_that_are_none(judge, honest):
    leaf = honest.leaf.der
    for der in (b'\x30\x00', b'\0' * 500, b'-----BEGIN CERTIFICATE-----', leaf + b'\0', leaf[:-1], b'\x30\x80' + leaf[4:] + b'\0\0', leaf * 2,
                os.urandom(600)):
        if len(der) > 1024:
            der = der[:1024]
        fields = Indefinite({**honest.fields(), 'certificate': der})
        assert judge(honest.document(fields), honest.root.fingerprint) == ['attestation_certificate'], der[:8].hex()


def test_genuine_under_another_root(judge, honest):
    with open(os.path.join(os.environ['VEIL_VECTORS'], 'nitro-attestation-document.b64'), 'rb') as file:
        genuine = base64.b64decode(file.read())
    aws = bytes.fromhex('641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b')
    assert judge(genuine, aws)[0] == 'ok'
    assert judge(genuine, honest.root.fingerprint) == ['attestation_root']
    assert judge(honest.document(), aws) == ['attestation_root']

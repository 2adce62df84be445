# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Makes attestation documents like those of AWS Nitro, under a root of its own; every knob that a forger could turn is an argument."""

import base64
import datetime
import hashlib
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from .crypto import keccak256

# CBOR


class Indefinite(dict):
    """A map of indefinite length, as the hypervisor writes the outermost one."""


class Raw(bytes):
    """CBOR that is there already."""


def head(major, number):
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24:
            return bytes([major << 5 | number])
        if number < 1 << 8 * size:
            return bytes([major << 5 | code]) + number.to_bytes(size, 'big')
    raise ValueError(number)


def encode(value):
    if isinstance(value, Raw):
        return bytes(value)
    if value is None:
        return b'\xf6'
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, (list, tuple)):
        return head(4, len(value)) + b''.join(encode(v) for v in value)
    members = b''.join(encode(k) + encode(v) for k, v in value.items())
    return b'\xbf' + members + b'\xff' if isinstance(value, Indefinite) else head(5, len(value)) + members


# Certificates

ROOT_NAME = [(NameOID.COUNTRY_NAME, 'US'), (NameOID.ORGANIZATION_NAME, 'Amazon'), (NameOID.ORGANIZATIONAL_UNIT_NAME, 'AWS'),
             (NameOID.COMMON_NAME, 'aws.nitro-enclaves')]
CA_USAGE = {'digital_signature', 'key_cert_sign', 'crl_sign'}
LEAF_USAGE = {'digital_signature', 'content_commitment'}
USAGES = ('digital_signature', 'content_commitment', 'key_encipherment', 'data_encipherment', 'key_agreement', 'key_cert_sign', 'crl_sign',
          'encipher_only', 'decipher_only')


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def utc(seconds):
    return datetime.datetime.utcfromtimestamp(seconds)


class Certified:
    """A key and its certificate."""

    def __init__(self, name, issuer=None, *, now, ca=True, path=None, limits=True, limits_critical=True, usage=None, usage_critical=True,
                 extensions=(), curve=ec.SECP384R1, digest=hashes.SHA384, before=-3600, after=3600, issuer_name=None, signer=None, key=None):
        self.name = name_of(name) if isinstance(name, str) else name
        self.key = key or ec.generate_private_key(curve())
        issuer = issuer or self
        builder = x509.CertificateBuilder(issuer_name or issuer.name, self.name, self.key.public_key(), x509.random_serial_number(),
                                          utc(now + before), utc(now + after))
        if limits:
            builder = builder.add_extension(x509.BasicConstraints(ca, path if ca else None), limits_critical)
        usage = (CA_USAGE if ca else LEAF_USAGE) if usage is None else usage
        if usage:
            builder = builder.add_extension(x509.KeyUsage(**{u: u in usage for u in USAGES}), usage_critical)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        self.der = builder.sign((signer or issuer).key, digest()).public_bytes(Encoding.DER)

    @property
    def fingerprint(self):
        return hashlib.sha256(self.der).digest()


class Authority:
    """Root, two issuers and the enclave's certificate; keywords by role ("root", "first", "second", "leaf") for the forger."""

    def __init__(self, now=None, **changes):
        self.now = int(time.time()) if now is None else now
        root_name = x509.Name([x509.NameAttribute(*part) for part in ROOT_NAME])
        self.root = Certified(root_name, now=self.now, **{'after': 10 ** 8, **changes.get('root', {})})
        self.first = Certified('region.nitro.test', self.root, now=self.now, **{'path': 1, **changes.get('first', {})})
        self.second = Certified('instance.nitro.test', self.first, now=self.now, **{'path': 0, **changes.get('second', {})})
        self.leaf = Certified('enclave.nitro.test', self.second, now=self.now, ca=False, **changes.get('leaf', {}))

    @property
    def bundle(self):
        return [self.root.der, self.first.der, self.second.der]

    def fields(self, pcrs=None, **changes):
        """The payload's members; None leaves one out (Raw(b'\\xf6') is null)."""
        pcrs = pcrs or [bytes([n + 1]) * 48 for n in range(3)]
        fields = {'module_id': 'i-0123456789abcdef0-enc0123456789abcdef', 'digest': 'SHA384', 'timestamp': self.now * 1000 + 123,
                  'pcrs': {n: pcrs[n] if n < len(pcrs) else bytes(48) for n in range(16)}, 'certificate': self.leaf.der, 'cabundle': self.bundle,
                  'public_key': b'dummy', 'user_data': None, 'nonce': None, **changes}
        return Indefinite({k: v for k, v in fields.items() if v is not None})

    def document(self, fields=None, *, key=None, digest=hashes.SHA384, protected=b'\xa1\x01\x38\x22', unprotected=None, signature=None):
        """COSE_Sign1; @fields as a dictionary or encoded."""
        payload = fields if isinstance(fields, bytes) else encode(self.fields() if fields is None else fields)
        structure = encode(['Signature1', protected, b'', payload])
        if signature is None:
            r, s = decode_dss_signature((key or self.leaf.key).sign(structure, ec.ECDSA(digest())))
            signature = r.to_bytes(48, 'big') + s.to_bytes(48, 'big')
        return encode([protected, {} if unprotected is None else unprotected, payload, signature])

    def base64(self, *args, **kwargs):
        return base64.b64encode(self.document(*args, **kwargs))


def user_data(tls_certificate, signing_key):
    return b'\x12\x20' + hashlib.sha256(tls_certificate).digest() + b'\x12\x20' + hashlib.sha256(signing_key).digest()


def pcr_hash(pcrs):
    return keccak256(b''.join(pcrs[:3]))

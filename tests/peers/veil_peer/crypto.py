# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Keccak-256, the HPKE recipient, the OHTTP gateway side and the enclave's signature (protocol.md sections 3 and 5)."""

import base64
import hashlib
import hmac
import os

from Cryptodome.Hash import keccak
from cryptography.exceptions import InvalidTag  # noqa: F401  (raised by the functions below)
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEM, KDF, AEAD = 0x0020, 0x0001, 0x0003
HEADER_SIZE, ENC_SIZE, TAG_SIZE = 7, 32, 16


def keccak256(data):
    return keccak.new(digest_bits=256, data=data).digest()


def hkdf_extract(salt, ikm):
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def hkdf_expand(prk, info, length):
    out = block = b''
    for i in range(1, -(-length // 32) + 1):
        block = hmac.new(prk, block + info + bytes([i]), hashlib.sha256).digest()
        out += block
    return out[:length]


class HpkeRecipient:
    """RFC 9180 base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305."""

    KEM_SUITE = b'KEM' + KEM.to_bytes(2, 'big')
    SUITE = b'HPKE' + KEM.to_bytes(2, 'big') + KDF.to_bytes(2, 'big') + AEAD.to_bytes(2, 'big')

    def __init__(self, private_key, enc, info):
        # Raises ValueError when the shared secret is all zero.
        dh = private_key.exchange(X25519PublicKey.from_public_bytes(enc))
        public = private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        prk = self._extract(self.KEM_SUITE, b'', b'eae_prk', dh)
        self.shared_secret = self._expand(self.KEM_SUITE, prk, b'shared_secret', enc + public, 32)
        context = b'\x00' + self._extract(self.SUITE, b'', b'psk_id_hash', b'') + self._extract(self.SUITE, b'', b'info_hash', info)
        secret = self._extract(self.SUITE, self.shared_secret, b'secret', b'')
        self.key = self._expand(self.SUITE, secret, b'key', context, 32)
        self.base_nonce = self._expand(self.SUITE, secret, b'base_nonce', context, 12)
        self.exporter_secret = self._expand(self.SUITE, secret, b'exp', context, 32)
        self.sequence = 0

    @staticmethod
    def _extract(suite, salt, label, ikm):
        return hkdf_extract(salt, b'HPKE-v1' + suite + label + ikm)

    @staticmethod
    def _expand(suite, prk, label, info, length):
        return hkdf_expand(prk, length.to_bytes(2, 'big') + b'HPKE-v1' + suite + label + info, length)

    def open(self, aad, sealed):
        plaintext = ChaCha20Poly1305(self.key).decrypt(xor_counter(self.base_nonce, self.sequence), sealed, aad)
        self.sequence += 1
        return plaintext

    def export(self, context, length):
        return self._expand(self.SUITE, self.exporter_secret, b'sec', context, length)


def xor_counter(nonce, counter):
    return (int.from_bytes(nonce, 'big') ^ counter).to_bytes(12, 'big')


def varint(value, size=None):
    """A QUIC varint; @size forces a longer form."""
    shortest = next(n for n, bits in ((1, 6), (2, 14), (4, 30), (8, 62)) if value < 1 << bits)
    size = size or shortest
    return (value | {1: 0, 2: 1, 4: 2, 8: 3}[size] << (size * 8 - 2)).to_bytes(size, 'big')


class OhttpRequest:
    """An encapsulated request as the gateway opens it, and the secrets its answers are sealed with."""

    def __init__(self, private_key, key_id, sealed):
        header, self.enc = sealed[:HEADER_SIZE], sealed[HEADER_SIZE:HEADER_SIZE + ENC_SIZE]
        suite = b''.join(n.to_bytes(2, 'big') for n in (KEM, KDF, AEAD))
        if header != bytes([key_id]) + suite:
            raise ValueError('not the header of this key: ' + header.hex())
        hpke = HpkeRecipient(private_key, self.enc, b'message/bhttp request\x00' + header)
        self.plaintext = hpke.open(b'', sealed[HEADER_SIZE + ENC_SIZE:])
        self.response_secret = hpke.export(b'message/bhttp response', 32)
        self.chunked_secret = hpke.export(b'message/bhttp chunked response', 32)

    def seal_single(self, plaintext):
        sealer = Sealer(self.enc, self.response_secret)
        return sealer.response_nonce + sealer.seal(plaintext, b'')

    def sealer(self):
        return Sealer(self.enc, self.chunked_secret)


class Sealer:
    """Seals the chunks of one answer; every knob that a bad gateway could turn is an argument."""

    def __init__(self, enc, secret, response_nonce=None):
        self.response_nonce = response_nonce or os.urandom(32)
        prk = hkdf_extract(enc + self.response_nonce, secret)
        self.key = hkdf_expand(prk, b'key', 32)
        self.nonce = hkdf_expand(prk, b'nonce', 12)
        self.counter = 0

    def seal(self, plaintext, aad):
        sealed = ChaCha20Poly1305(self.key).encrypt(xor_counter(self.nonce, self.counter), plaintext, aad)
        self.counter += 1
        return sealed

    def chunk(self, plaintext, aad=b'', size=None):
        sealed = self.seal(plaintext, aad)
        return varint(len(sealed), size) + sealed

    def final(self, plaintext, aad=b'final', size=None):
        return varint(0, size) + self.seal(plaintext, aad)


def open_single(enc, secret, sealed):
    """The client's side, for the self-test."""
    opener = Sealer(enc, secret, sealed[:32])
    return ChaCha20Poly1305(opener.key).decrypt(opener.nonce, sealed[32:], b'')


def open_chunked(enc, secret, stream):
    """Likewise; ValueError or InvalidTag for anything that is not a whole stream."""
    opener = Sealer(enc, secret, stream[:32])
    chunks, at = [], 32
    while True:
        size = 1 << (stream[at] >> 6)
        length = int.from_bytes(stream[at:at + size], 'big') & ((1 << (size * 8 - 2)) - 1)
        at += size
        aad, sealed = (b'final', stream[at:]) if length == 0 else (b'', stream[at:at + length])
        if length and len(sealed) != length:
            raise ValueError('cut chunk')
        chunks.append(ChaCha20Poly1305(opener.key).decrypt(xor_counter(opener.nonce, len(chunks)), sealed, aad))
        at += length
        if length == 0:
            return chunks


def signed_digest(request_hash, output_hash, timestamp):
    return keccak256(request_hash + output_hash + timestamp.to_bytes(32, 'big'))


def pss_sign(private_key, message, salt_length=32):
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=salt_length)
    return base64.b64encode(private_key.sign(message, pss, hashes.SHA256())).decode()


def pss_verify(public_key, signature, message):
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    public_key.verify(base64.b64decode(signature, validate=True), message, pss, hashes.SHA256())


def x25519_private(raw):
    return X25519PrivateKey.from_private_bytes(raw)

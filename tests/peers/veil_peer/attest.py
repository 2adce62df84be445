# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""An enclave of the peer that can be asked itself: its attestation document and its signed OHTTP configuration, over TLS or plain HTTP."""

import base64
import json
import ssl
import tempfile
import time
import urllib.parse

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from . import crypto, nitro
from .http import Server


def context_for(key, certificate):
    """A server that shows @certificate (DER)."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode() + ssl.DER_cert_to_PEM_cert(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile('w') as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
    return context


def config_digest(tee_id, key_id, kem, kdf, aead, public_key, key_config):
    numbers = b''.join(n.to_bytes(32, 'big') for n in (key_id, kem, kdf, aead))
    return crypto.keccak256(crypto.keccak256(b'OPENGRADIENT_TEE_OHTTP_CONFIG_V1') + tee_id + numbers + crypto.keccak256(public_key) +
                            crypto.keccak256(key_config))


class Attesting:
    """Takes over @enclave's address. The attributes are for those who lie; @tls: its own context, another one, or None for plain HTTP."""

    def __init__(self, enclave, authority=None, tls=True):
        self.enclave, self.authority = enclave, authority or nitro.Authority()
        self.pcrs = [bytes([16 * enclave.key_id + n]) * 48 for n in range(3)]
        enclave.pcr_hash = nitro.pcr_hash(self.pcrs)
        self.field_changes = {}  # of the payload
        self.config_changes = {}  # of the configuration, before it is signed
        self.config_key = enclave.signing_key
        self.answers = {}  # by path: (status, body, headers)
        self.seen = []
        self.server = Server(self._answer, tls=context_for(enclave.signing_key, enclave.certificate) if tls is True else tls)
        enclave.endpoint = self.server.url

    def close(self):
        self.server.close()

    def document(self, nonce):
        fields = {'user_data': nitro.user_data(self.enclave.certificate, self.enclave.der), 'nonce': nonce, **self.field_changes}
        return self.authority.base64(self.authority.fields(self.pcrs, timestamp=fields.pop('timestamp', int(time.time() * 1000)), **fields))

    def config(self):
        enclave = self.enclave
        said = {'tee_id': enclave.tee_id, 'key_id': enclave.key_id, 'kem_id': crypto.KEM, 'kdf_id': crypto.KDF, 'aead_id': crypto.AEAD,
                'public_key': enclave.hpke_public, 'key_config': enclave.key_config(), **self.config_changes}
        digest = config_digest(bytes.fromhex(said['tee_id'][2:]), said['key_id'], said['kem_id'], said['kdf_id'], said['aead_id'], said['public_key'],
                               said['key_config'])
        said.update(public_key=said['public_key'].hex(), key_config=base64.b64encode(said['key_config']).decode(),
                    signature=crypto.pss_sign(self.config_key, digest), signature_hash='0x' + digest.hex())
        return json.dumps(said).encode()

    def _answer(self, message):
        self.seen.append(message)
        path, _, query = message.target.partition('?')
        if path in self.answers:
            return message.respond(*self.answers[path])
        if path == '/enclave/attestation':
            [nonce] = urllib.parse.parse_qs(query)['nonce']
            return message.respond(200, self.document(bytes.fromhex(nonce)) + b'\n', [('Content-Type', 'text/plain')])
        if path == '/v1/ohttp/config':
            return message.respond(200, self.config(), [('Content-Type', 'application/json')])
        return message.respond(404)

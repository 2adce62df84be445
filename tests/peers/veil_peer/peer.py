# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Registry, relay and enclaves on two loopback ports, and all that the relay got to see."""

import base64
import datetime
import json
import os
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from . import abi, answers, canonical, crypto
from .http import HungUp, Server

CONTRACT = bytes.fromhex('703cb174aeadb35d611858369b4b1111dc9abda6')
RELAY_PATH = '/api/v1/chat/ohttp'
COMMON_HEADERS = {'host', 'accept', 'accept-encoding', 'content-type', 'content-length', 'user-agent', 'connection'}
RELAY_HEADERS = COMMON_HEADERS | {'x-tee-id', 'authorization'}


class Enclave:
    """One TEE: signing key, HPKE key, registry record."""

    _signing_keys = {}  # made once in a process: each takes as long as a hundred requests

    def __init__(self, number):
        self.endpoint = 'https://tee-%d.peer.test' % number
        if number not in self._signing_keys:
            self._signing_keys[number] = rsa.generate_private_key(65537, 2048)
        self.signing_key = self._signing_keys[number]
        self.der = self.signing_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.tee_id = '0x' + crypto.keccak256(self.der).hex()
        self.key_id = number
        self.hpke_key = X25519PrivateKey.generate()
        self.hpke_public = self.hpke_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.pcr_hash = crypto.keccak256(b'peer build %d' % number)
        self.certificate = self._certificate()

    def _certificate(self):
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'peer')])
        now = datetime.datetime(2025, 1, 1)
        builder = x509.CertificateBuilder(name, name, self.signing_key.public_key(), x509.random_serial_number(), now,
                                          now + datetime.timedelta(days=36500))
        return builder.sign(self.signing_key, hashes.SHA256()).public_bytes(Encoding.DER)

    def key_config(self):
        suites = crypto.KDF.to_bytes(2, 'big') + crypto.AEAD.to_bytes(2, 'big')
        return bytes([self.key_id]) + crypto.KEM.to_bytes(2, 'big') + self.hpke_public + len(suites).to_bytes(2, 'big') + suites

    def record(self):
        now = int(time.time())
        ohttp = [self.key_id, crypto.KEM, crypto.KDF, crypto.AEAD, self.hpke_public, self.key_config(), now - 1000]
        return [os.urandom(20), os.urandom(20), self.endpoint, self.der, self.certificate, self.pcr_hash, 0, True, now - 1000, now - 5,
                ohttp]


class Exchange:
    """One sealed request at the relay, opened by the enclave it was for."""

    def __init__(self, peer, message, enclave, request, number):
        self.peer, self.http, self.enclave, self.request, self.number = peer, message, enclave, request, number
        self.wire_text = request.plaintext.decode()
        self.wire = canonical.read_strict(self.wire_text)
        self.stream = self.wire.get('stream') is True
        self.hung_up = threading.Event()

    def request_hash(self, with_effort=True):
        return crypto.keccak256(canonical.request(self.wire, with_effort).encode())

    def sign(self, output, *, enclave=None, tee_id=None, request_hash=None, output_hash=None, timestamp=None, timestamp_as=None, salt=32,
             with_effort=True, prefix='0x'):
        """The tee_* fields over @output; the keywords are for those who lie."""
        enclave = enclave or self.enclave
        request_hash = request_hash or self.request_hash(with_effort)
        output_hash = output_hash or crypto.keccak256(output)
        timestamp = int(time.time()) if timestamp is None else timestamp
        digest = crypto.signed_digest(request_hash, output_hash, timestamp)
        return {'tee_signature': crypto.pss_sign(enclave.signing_key, digest, salt), 'tee_request_hash': prefix + request_hash.hex(),
                'tee_output_hash': prefix + output_hash.hex(), 'tee_timestamp': timestamp if timestamp_as is None else timestamp_as,
                'tee_id': tee_id or self.enclave.tee_id}

    def hold(self, timeout):
        """Says nothing until the caller leaves; notes that it did."""
        if self.http.wait_hang_up(timeout):
            self.hung_up.set()
        self.http.close()


class Peer:
    """Answers as @handlers say, by model name; honestly for any other."""

    def __init__(self, enclaves=3, app_env='test'):
        self.app_env = app_env
        self.enclaves = [Enclave(n + 1) for n in range(enclaves)]
        self.active = list(self.enclaves)
        self.handlers = {}
        self.early = {}  # by number of the exchange's X-TEE-ID: answers before anything is opened
        self.registry_handler = None
        self.markers = set()
        self.violations = []
        self.exchanges = []
        self.counts = {}
        self.rpc_calls = []
        self.refreshes = []
        self.plaintext_lengths = []
        self.access_tokens = set()  # all that were ever given out: they stay good until they run out
        self.refresh_tokens = set()  # good for one use each
        self.issue()
        self._encs = set()
        self._changed = threading.Condition()
        self.relay = Server(self._relay, self._observe)
        self.registry = Server(self._registry, self._observe)

    def close(self):
        self.relay.close()
        self.registry.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def issue(self):
        """Tokens of a session of its own."""
        self.access_token = 'access-' + os.urandom(12).hex()
        self.refresh_token = 'refresh-' + os.urandom(12).hex()
        self.access_tokens.add(self.access_token)
        self.refresh_tokens.add(self.refresh_token)

    # What a person pastes into `login --manual`.

    def bundle(self, **config):
        self.issue()
        return {'type': 'opengradient-cli-auth', 'access_token': self.access_token, 'refresh_token': self.refresh_token,
                'token_type': 'bearer', 'expires_at': int(time.time()) + 3600, 'expires_in': 3600,
                'user': {'id': 'user-peer', 'email': 'person@peer.test', 'is_anonymous': False},
                'config': {'app_env': self.app_env, 'supabase_url': self.relay.url, 'supabase_anon_key': 'anon-peer',
                           'chat_api_base_url': self.relay.url, 'tee_registry_rpc_url': self.registry.url + '/rpc',
                           'tee_registry_address': '0x' + CONTRACT.hex(), 'tee_registry_tee_type': 0, **config}}

    # For the tests.

    def mark(self, text):
        """@text must never be seen outside a seal, in no spelling that a careless program would use."""
        self.markers |= {text.encode(), base64.b64encode(text.encode()).rstrip(b'=')[:-1], text.encode().hex().encode()}
        return text

    def complain(self, text):
        self.violations.append(text)

    def seen(self, model):
        return [ex for ex in list(self.exchanges) if ex.wire.get('model') == model]

    def wait(self, condition, timeout=20):
        """Waits until @condition() is true, looked at whenever something arrived."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def wait_seen(self, model, count=1, timeout=20):
        if not self.wait(lambda: len(self.seen(model)) >= count, timeout):
            raise AssertionError('the relay saw %d of %d requests for %s' % (len(self.seen(model)), count, model))
        return self.seen(model)[count - 1]

    def assert_clean(self):
        problems = self.violations + ['%s: %s' % (type(e).__name__, e) for e in self.relay.errors + self.registry.errors]
        assert not problems, problems

    # What the relay sees.

    def _observe(self, data):
        for marker in list(self.markers):
            if marker in data:
                self.complain('plaintext outside the seal: ' + marker.decode())

    def _check_headers(self, message, allowed, what):
        names = [name.lower() for name, _ in message.headers]
        for name in names:
            if name not in allowed:
                self.complain('%s: header %s' % (what, name))
            if names.count(name) > 1:
                self.complain('%s: header %s twice' % (what, name))
        if message.get('accept-encoding') != 'identity':
            self.complain('%s: Accept-Encoding is %r' % (what, message.get('accept-encoding')))

    def _relay(self, message):
        if message.target.startswith('/auth/v1/token'):
            with self._changed:
                self.refreshes.append(json.loads(message.body))
                self._changed.notify_all()
            return self.relay_refresh(message)
        if message.method != 'POST' or message.target != RELAY_PATH:
            self.complain('relay: %s %s' % (message.method, message.target))
            return message.respond(404)
        streams = message.get('x-ohttp-stream')
        self._check_headers(message, RELAY_HEADERS | ({'x-ohttp-stream'} if streams else set()), 'relay')
        expected = {'content-type': 'message/ohttp-req', 'accept': 'message/ohttp-chunked-res' if streams else 'message/ohttp-res',
                    'host': '127.0.0.1:%d' % self.relay.port}
        for name, value in expected.items():
            if message.get(name) != value:
                self.complain('relay: %s is %r' % (name, message.get(name)))
        if message.get('authorization') not in {'Bearer ' + token for token in self.access_tokens}:
            self.complain('relay: authorization is %r' % message.get('authorization'))
        if streams not in (None, 'true'):
            self.complain('relay: X-OHTTP-Stream is %r' % streams)
        enclave = next((e for e in self.enclaves if e.tee_id == message.get('x-tee-id')), None)
        if enclave is None:
            self.complain('relay: X-TEE-ID is %r' % message.get('x-tee-id'))
            return message.respond(404)
        self._open(message, enclave, bool(streams))

    def _open(self, message, enclave, streams):
        enc = message.body[crypto.HEADER_SIZE:crypto.HEADER_SIZE + crypto.ENC_SIZE]
        request = crypto.OhttpRequest(enclave.hpke_key, enclave.key_id, message.body)
        with self._changed:
            if enc in self._encs:
                self.complain('relay: an encapsulated key came twice')
            self._encs.add(enc)
            ex = Exchange(self, message, enclave, request, len(self.exchanges))
            self.plaintext_lengths.append(len(request.plaintext))
            if ex.stream != streams:
                self.complain('relay: X-OHTTP-Stream and the wire disagree')
            for bad in canonical.check_wire(ex.wire):
                self.complain(bad)
            if len(message.body) > 1 << 16:
                message.body = message.body[:1 << 16]
            self.exchanges.append(ex)
            self._changed.notify_all()
        try:
            self.handlers.get(ex.wire['model'], answers.honest)(ex)
        except HungUp:
            ex.hung_up.set()
            raise

    def relay_refresh(self, message):
        """Supabase's rotation: the old token is dead."""
        body = json.loads(message.body)
        with self._changed:
            if list(body) != ['refresh_token'] or body['refresh_token'] not in self.refresh_tokens or message.get('apikey') != 'anon-peer':
                return message.respond(400, b'{"error":"invalid_grant"}', [('Content-Type', 'application/json')])
            self.refresh_tokens.discard(body['refresh_token'])
            self.issue()
            self._changed.notify_all()
            answer = {'access_token': self.access_token, 'refresh_token': self.refresh_token, 'expires_in': 3600, 'token_type': 'bearer'}
        return message.respond(200, json.dumps(answer).encode(), [('Content-Type', 'application/json')])

    # The registry.

    def _registry(self, message):
        with self._changed:
            self.rpc_calls.append(message)
            self._changed.notify_all()
        self._check_headers(message, COMMON_HEADERS, 'registry')
        if message.method != 'POST' or message.target != '/rpc' or message.get('content-type') != 'application/json':
            self.complain('registry: %s %s %s' % (message.method, message.target, message.get('content-type')))
        call = json.loads(message.body)
        if self.registry_handler:
            return self.registry_handler(message, call)
        return self.answer_rpc(message, call, self.active_tees(call))

    def active_tees(self, call):
        """Return data for getActiveTEEs(0), the only call that selection needs."""
        params = call['params'][0]
        data = params.get('data') or params.get('input')
        wanted = '0x' + (abi.selector('getActiveTEEs(uint8)') + abi.word(0)).hex()
        if call['method'] != 'eth_call' or params['to'].lower() != '0x' + CONTRACT.hex() or data != wanted:
            self.complain('registry: unexpected call %s' % json.dumps(call))
        return abi.returns(('array', abi.TEE_INFO), [e.record() for e in self.active])

    @staticmethod
    def answer_rpc(message, call, data):
        reply = {'jsonrpc': '2.0', 'id': call['id'], 'result': '0x' + data.hex()}
        message.respond(200, json.dumps(reply).encode(), [('Content-Type', 'application/json')])

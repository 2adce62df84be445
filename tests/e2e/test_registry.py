# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Choosing an enclave: registries that are down, lie or are empty, pins, and relays that cannot be reached."""

import pytest
from program import PeerVeil, wait_until
from registry_faults import BROKEN
from veil_peer import Peer, abi, crypto


@pytest.fixture
def own():
    with Peer() as running:
        yield running


def start(tmp_path, peer, *args, **kwargs):
    return PeerVeil(tmp_path / 'veil', peer, *args, **kwargs)


@pytest.mark.parametrize('name', BROKEN)
def test_registry_that_cannot_be_read(own, tmp_path, name):
    """Its own error, which names the registry and is not "no TEE"; and all is well once it answers."""
    own.registry_handler = BROKEN[name](own)
    veil = start(tmp_path, own)
    reply = veil.ask('x', 'x')
    assert reply.status == 503 and reply.error['code'] == 'registry', reply.error
    assert 'registry' in reply.error['message'].lower()
    assert not own.exchanges
    assert veil.health()['status'] == 'registry_unreachable'
    own.registry_handler = None
    wait_until(lambda: veil.ask('x', 'x').status == 200, what='the registry to be read again')
    assert veil.health()['status'] == 'ok'
    veil.stop()


def test_no_active_tee(own, tmp_path):
    own.active = []
    veil = start(tmp_path, own)
    for fields in ({}, {'stream': True}):
        reply = veil.ask('x', 'x', **fields)
        assert reply.status == 503 and reply.error['code'] == 'no_active_tee', reply.error
    assert veil.health()['status'] == 'no_tee'
    own.active = own.enclaves
    wait_until(lambda: veil.ask('x', 'x').status == 200, what='an enclave to be found')
    veil.stop()


def test_outage_leaves_a_working_tee_alone(own, tmp_path):
    veil = start(tmp_path, own, '--refresh-interval', '1')
    first = veil.ask('before', 'x')
    assert first.status == 200
    own.registry_handler = BROKEN['500'](own)
    calls = len(own.rpc_calls)
    assert own.wait(lambda: len(own.rpc_calls) >= calls + 3), 'the registry is not read again'
    reply = veil.ask('after', 'x')
    assert reply.status == 200 and reply.header('X-OpenGradient-TEE-Id') == first.header('X-OpenGradient-TEE-Id')
    assert veil.health()['active_tee_id'] == first.header('X-OpenGradient-TEE-Id')
    veil.stop()


def test_tee_that_leaves_is_replaced(own, tmp_path):
    veil = start(tmp_path, own, '--refresh-interval', '1')
    gone = own.seen('one')[0].enclave if veil.ask('one', 'x').status == 200 and own.seen('one') else None
    own.active = [e for e in own.enclaves if e is not gone]
    wait_until(lambda: veil.ask('two', 'x').status == 200 and own.seen('two')[-1].enclave is not gone, what='another enclave')
    veil.stop()


def test_choice_is_kept(own, tmp_path):
    veil = start(tmp_path, own, '--refresh-interval', '1')
    calls = len(own.rpc_calls)
    assert veil.ask('keep', 'x').status == 200
    assert own.wait(lambda: len(own.rpc_calls) >= calls + 3)
    for _ in range(10):
        assert veil.ask('keep', 'x').status == 200
    assert len({ex.enclave.tee_id for ex in own.seen('keep')}) == 1
    veil.stop()


def test_new_keys_of_the_same_tee(own, tmp_path):
    """An HPKE key that changes in the registry is used from then on."""
    own.active = own.enclaves[:1]
    veil = start(tmp_path, own, '--refresh-interval', '1')
    assert veil.ask('x', 'x').status == 200
    enclave = own.enclaves[0]
    old, fresh = enclave.hpke_key, crypto.x25519_private(bytes(range(32)))
    calls = len(own.rpc_calls)
    enclave.hpke_public = fresh.public_key().public_bytes(crypto.Encoding.Raw, crypto.PublicFormat.Raw)
    enclave.key_id = 77

    def swap_when_read():
        return len(own.rpc_calls) >= calls + 3
    assert own.wait(swap_when_read)
    enclave.hpke_key = fresh
    assert veil.ask('fresh', 'x').status == 200
    assert own.seen('fresh')[0].request.plaintext and old is not fresh
    veil.stop()


@pytest.mark.parametrize('spoil', ['hpke-zero', 'hpke-short', 'hpke-none', 'suite', 'rsa-1024', 'not-rsa', 'no-endpoint', 'config-disagrees'])
def test_unusable_records_are_left_out(own, tmp_path, spoil):
    """They neither get requests nor spoil the rest."""
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    good = own.enclaves[2]

    def der(key):
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def record(enclave):
        row = enclave.record()
        if enclave is good:
            return row
        ohttp = row[10]
        if spoil == 'hpke-zero':
            ohttp[4], ohttp[5] = bytes(32), b''
        elif spoil == 'hpke-short':
            ohttp[4], ohttp[5] = ohttp[4][:31], b''
        elif spoil == 'hpke-none':
            ohttp[4], ohttp[5] = b'', b''
        elif spoil == 'suite':
            ohttp[3], ohttp[5] = 1, b''
        elif spoil == 'rsa-1024':
            row[3] = der(rsa.generate_private_key(65537, 1024))
        elif spoil == 'not-rsa':
            row[3] = der(ed25519.Ed25519PrivateKey.generate())
        elif spoil == 'no-endpoint':
            row[2] = ''
        elif spoil == 'config-disagrees':
            ohttp[5] = bytes([ohttp[0] ^ 1]) + ohttp[5][1:]
        return row

    own.registry_handler = lambda message, call: own.answer_rpc(
        message, call, abi.returns(('array', abi.TEE_INFO), [record(e) for e in own.enclaves]))
    veil = start(tmp_path, own)
    for _ in range(4):
        reply = veil.ask('good', 'x')
        assert reply.status == 200 and reply.header('X-OpenGradient-TEE-Id') == good.tee_id
    veil.stop()


def test_pcr_pin(own, tmp_path):
    wanted = own.enclaves[1]
    veil = start(tmp_path, own, '--expected-pcr', 'aa' * 32, '--expected-pcr', wanted.pcr_hash.hex().upper())
    for _ in range(4):
        assert veil.ask('pinned', 'x').header('X-OpenGradient-TEE-Id') == wanted.tee_id
    veil.stop()


def test_pcr_pin_that_none_matches(own, tmp_path):
    veil = start(tmp_path, own, '--expected-pcr', 'aa' * 32)
    reply = veil.ask('x', 'x')
    assert reply.status == 503 and reply.error['code'] == 'pin_mismatch' and not own.exchanges
    veil.stop()


def test_tee_id(own, tmp_path):
    wanted = own.enclaves[2]
    veil = start(tmp_path, own, '--tee-id', wanted.tee_id)
    for _ in range(4):
        assert veil.ask('chosen', 'x').header('X-OpenGradient-TEE-Id') == wanted.tee_id
    own.handlers['down'] = lambda ex: ex.http.respond(503, b'{}')
    assert veil.ask('down', 'x').status in (502, 504)
    assert {ex.enclave for ex in own.seen('down')} == {wanted}, 'a pinned TEE is used or nothing is'
    veil.stop()


def test_tee_id_that_is_not_active(own, tmp_path):
    own.active = own.enclaves[:2]
    veil = start(tmp_path, own, '--tee-id', own.enclaves[2].tee_id[2:].upper())
    reply = veil.ask('x', 'x')
    assert reply.status == 503 and reply.error['code'] == 'pinned_tee_inactive' and not own.exchanges
    veil.stop()


def test_relay_that_is_not_there(own, tmp_path):
    veil = start(tmp_path, own, chat_api_base_url='http://127.0.0.1:1')
    reply = veil.ask('x', 'x')
    assert reply.status == 502 and reply.error['code'] == 'unreachable', reply.error
    assert not own.exchanges
    veil.stop()


def test_registry_that_is_not_there(own, tmp_path):
    veil = start(tmp_path, own, tee_registry_rpc_url='http://127.0.0.1:1/rpc')
    reply = veil.ask('x', 'x')
    assert reply.status == 503 and reply.error['code'] == 'registry', reply.error
    veil.stop()


def test_registry_is_read_once_for_many(own, tmp_path):
    """A first burst of requests waits for one reading, instead of making a hundred."""
    import concurrent.futures
    veil = start(tmp_path, own)
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        assert {r.status for r in pool.map(lambda i: veil.ask('burst', str(i)), range(30))} == {200}
    assert len(own.rpc_calls) <= 3
    veil.stop()

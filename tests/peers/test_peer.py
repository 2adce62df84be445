#!/usr/bin/python3
# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The peer against the shared vectors: a witness has to be right itself before it can speak against anybody."""

import base64
import json
import os
import pathlib
import urllib.request

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from veil_peer import Peer, abi, canonical, crypto

VECTORS = pathlib.Path(os.environ.get('VEIL_VECTORS') or pathlib.Path(__file__).parents[1] / 'vectors')


def cases(name, **wanted):
    document = json.loads((VECTORS / (name + '.json')).read_text())
    found = [c for c in document['cases'] if all(c.get(k) == v for k, v in wanted.items())]
    assert found
    return document, [pytest.param(c, id=c['name']) for c in found]


@pytest.mark.parametrize('case', [c for c in cases('hpke')[1] if 'skR_hex' in c.values[0]])
def test_hpke(case):
    x = {k[:-4]: bytes.fromhex(v) for k, v in case.items() if k.endswith('_hex')}
    recipient = crypto.HpkeRecipient(crypto.x25519_private(x['skR']), x['enc'], x['info'])
    assert recipient.shared_secret == x['shared_secret']
    assert recipient.key == x['key'] and recipient.base_nonce == x['base_nonce']
    assert recipient.exporter_secret == x['exporter_secret']
    for seal in case['seals']:
        recipient.sequence = seal['seq']
        opened = recipient.open(bytes.fromhex(seal['aad_hex']), bytes.fromhex(seal['ct_hex']))
        assert opened.hex() == seal['pt_hex']
    for export in case['exports']:
        assert recipient.export(bytes.fromhex(export['context_hex']), export['length']).hex() == export['value_hex']


@pytest.mark.parametrize('case', [c for c in cases('ohttp', kind='request')[1] if 'error' not in c.values[0]])
def test_ohttp_request(case):
    key = crypto.x25519_private(bytes.fromhex(case['skR_hex']))
    request = crypto.OhttpRequest(key, case['key_id'], base64.b64decode(case['wire_b64']))
    assert request.plaintext == base64.b64decode(case['plaintext_b64'])
    assert request.response_secret.hex() == case['response_secret_hex']
    assert request.chunked_secret.hex() == case['chunked_response_secret_hex']


@pytest.mark.parametrize('case', cases('ohttp', kind='single')[1])
def test_ohttp_single(case):
    enc, secret = bytes.fromhex(case['enc_hex']), bytes.fromhex(case['response_secret_hex'])
    sealed = base64.b64decode(case['sealed_b64'])
    if 'error' in case:
        with pytest.raises(Exception):
            crypto.open_single(enc, secret, sealed)
        return
    sealer = crypto.Sealer(enc, secret, sealed[:32])
    plaintext = base64.b64decode(case['plaintext_b64'])
    assert sealer.response_nonce + sealer.seal(plaintext, b'') == sealed
    assert crypto.open_single(enc, secret, sealed) == plaintext


@pytest.mark.parametrize('case', [c for c in cases('ohttp', kind='chunked')[1] if 'error' not in c.values[0]])
def test_ohttp_chunked(case):
    enc, secret = bytes.fromhex(case['enc_hex']), bytes.fromhex(case['chunked_response_secret_hex'])
    chunks = [base64.b64decode(c) for c in case['chunks_b64']]
    assert crypto.open_chunked(enc, secret, base64.b64decode(case['stream_b64'])) == chunks
    sealer = crypto.Sealer(enc, secret)
    stream = sealer.response_nonce + b''.join(sealer.chunk(c) for c in chunks[:-1]) + sealer.final(chunks[-1])
    assert crypto.open_chunked(enc, secret, stream) == chunks


DOCUMENT, SIGNED = cases('verify-response', valid=True)


@pytest.mark.parametrize('case', [c for c in SIGNED if not c.values[0].get('allow_refuse')])
def test_signature(case):
    der = base64.b64decode(DOCUMENT['keys'][case['key']]['spki_der_b64'])
    assert '0x' + crypto.keccak256(der).hex() == DOCUMENT['keys'][case['key']]['tee_id']
    request_hash = crypto.keccak256(base64.b64decode(case['canonical_request_b64']))
    output_hash = crypto.keccak256(base64.b64decode(case['content_b64']))
    assert (request_hash.hex(), output_hash.hex()) == (case['request_hash_hex'], case['output_hash_hex'])
    signature = json.loads(base64.b64decode(case['response_json_b64']))['tee_signature']
    digest = crypto.signed_digest(request_hash, output_hash, int(case['timestamp']))
    key = load_der_public_key(der)
    crypto.pss_verify(key, signature, digest)
    with pytest.raises(InvalidSignature):
        crypto.pss_verify(key, signature, crypto.keccak256(digest))


@pytest.mark.parametrize('case', [c for c in cases('build-request')[1] if 'wire' in c.values[0] and not c.values[0].get('allow_refuse')])
def test_canonical_request(case):
    """From the wire alone the same canonical text follows as from the caller's body."""
    assert canonical.request(case['wire']).encode() == base64.b64decode(case['canonical_b64'])
    assert crypto.keccak256(canonical.request(case['wire']).encode()).hex() == case['request_hash_hex']


@pytest.mark.parametrize('case', [c for c in cases('registry-abi', kind='result', function='getActiveTEEs')[1]])
def test_abi(case):
    def row(tee):
        b64 = base64.b64decode
        ohttp = tee['ohttpConfig']
        return [bytes.fromhex(tee['owner'][2:]), bytes.fromhex(tee['paymentAddress'][2:]), b64(tee['endpoint_b64']), b64(tee['publicKey_b64']),
                b64(tee['tlsCertificate_b64']), bytes.fromhex(tee['pcrHash'][2:]), tee['teeType'], tee['enabled'], int(tee['registeredAt']),
                int(tee['lastHeartbeatAt']),
                [ohttp['keyId'], ohttp['kemId'], ohttp['kdfId'], ohttp['aeadId'], b64(ohttp['publicKey_b64']), b64(ohttp['keyConfig_b64']),
                 int(ohttp['registeredAt'])]]
    encoded = abi.returns(('array', abi.TEE_INFO), [row(tee) for tee in case['decoded']])
    assert '0x' + encoded.hex() == case['return_hex']


def test_selector():
    for case in cases('registry-abi', kind='call', function='getActiveTEEs')[1]:
        data = abi.selector('getActiveTEEs(uint8)') + abi.word(case.values[0]['tee_type'])
        assert '0x' + data.hex() == case.values[0]['data_hex']


def test_peer_complains():
    """The witness speaks up: a marker outside the seal, a foreign header, a path that is not the relay's."""
    with Peer(enclaves=1) as peer:
        peer.mark('the-secret-prompt')
        request = urllib.request.Request(peer.relay.url + '/the-secret-prompt', data=b'x', headers={'X-Caller': 'me'})
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request)
        request = urllib.request.Request(peer.relay.url + '/api/v1/chat/ohttp', data=b'x', headers={'X-Caller': 'me'})
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request)
        text = ' '.join(peer.violations)
        for part in ('plaintext outside the seal', 'header x-caller', 'Authorization'.lower(), 'X-TEE-ID', 'relay: POST /the-secret'):
            assert part in text, part
        with pytest.raises(AssertionError):
            peer.assert_clean()

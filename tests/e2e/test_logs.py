# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What is logged, with everything switched on: enough to tell what went wrong, and nothing of prompts, answers, names and tokens."""

import json
import re

import faults as f
import pytest
from program import PeerVeil, Veil
from veil_peer import answers

KEY = 'correct-horse-battery'
LOUD = {'G_MESSAGES_DEBUG': 'all', 'OG_VEIL_API_KEY': KEY}
AUTHORIZED = {'Authorization': 'Bearer ' + KEY}


@pytest.fixture
def loud(peer, tmp_path):
    veil = PeerVeil(tmp_path, peer, env=LOUD)
    veil.secrets |= {KEY, 'person@peer.test', 'user-peer', 'anon-peer', f.LEAK, 'leaked_tool'}
    yield veil
    if veil.process.poll() is None:
        veil.stop()


def inner_error(ex):
    f.inner(400, {'error': 'no: ' + json.dumps(ex.wire)})(ex)


def status_quoting(code):
    return lambda ex: f.status(code, {'detail': 'no: ' + json.dumps(ex.wire)})(ex)


def test_nothing_of_what_was_said(loud, peer):
    """Every way a request can go, each with words of its own; stop() looks for them in the log."""
    answer = loud.secret()
    peer.handlers.update({
        'log-answer': lambda ex: answers.send_text(ex, 'the answer is ' + answer),
        'log-lie': f.signed_fields(f.flip_signature), 'log-hash': f.signing(request_hash=b'q' * 32), 'log-gateway': inner_error,
        'log-reset': f.reset_inside, 'log-400': status_quoting(400), 'log-402': status_quoting(402), 'log-503': status_quoting(503),
    })
    for model in ('log-answer', 'log-echo', 'log-lie', 'log-hash', 'log-gateway', 'log-reset', 'log-400', 'log-402', 'log-503'):
        for stream in (False, True):
            loud.ask(model, loud.secret(), AUTHORIZED, stream=stream)
    for broken in ({'model': 'x', 'messages': [{'role': loud.secret(), 'content': loud.secret()}]},
                   {'model': 'x', 'messages': loud.secret()}, {'model': {loud.secret(): 1}, 'messages': [{'role': 'user', 'content': 'x'}]},
                   ('{"model": "' + loud.secret()).encode(), loud.secret().encode()):
        assert loud.chat(broken, {'Content-Type': 'application/json', **AUTHORIZED}).status == 400
    wrong = loud.secret()
    assert loud.request('GET', '/health', headers={'Authorization': 'Bearer ' + wrong}).status == 401
    assert loud.request('GET', '/' + loud.secret(), headers=AUTHORIZED).status == 404
    for header in ('Host', 'Origin'):
        assert loud.request('GET', '/health', headers={header: loud.secret() + '.example', **AUTHORIZED}).status in (200, 403)
    loud.stop()
    log = loud.stderr().decode()
    assert len(re.findall(r'chat: status 200', log)) == 4, 'it was not logged at all'


def test_refusals_are_logged(peer, tmp_path):
    """Without any switch: which enclave, which check."""
    peer.handlers['log-signature'] = f.signed_fields(f.flip_signature)
    veil = PeerVeil(tmp_path, peer)
    assert veil.ask('log-signature', veil.secret()).status == 502
    veil.stop()
    [ex] = peer.seen('log-signature')
    [line] = [line for line in veil.stderr().decode().splitlines() if 'refused' in line]
    assert ex.enclave.tee_id in line and line.endswith('signature')


def test_logs_go_to_standard_error(tmp_path):
    """GLib would print information and debugging to standard output, which is for programs; the helper's even is a protocol."""
    veil = Veil(tmp_path, '--sandbox', env={'G_MESSAGES_DEBUG': 'all'})
    assert veil.ask('gpt-4.1', 'x').status == 200
    veil.stop()
    assert veil.stdout == ['listening on ' + veil.url]
    assert b'chat: status 200' in veil.stderr()

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The official openai client for JavaScript, unmodified, against the independent peer and against the sandbox."""

import json
import pathlib
import re
import subprocess

import faults as f
import npm
import pytest
from program import PeerVeil, Sandbox, Veil, environment, wait_until
from veil_peer import Peer, answers
from veil_peer.http import Server

SOURCE = pathlib.Path(__file__).parent / 'openai'
SCENARIOS = re.findall(r"^  async (?:'([^']+)'|(\w+))\(\) \{$", (SOURCE / 'client.mjs').read_text(), re.M)
SCENARIOS = [quoted or plain for quoted, plain in SCENARIOS]
TARGETS = ['peer', 'sandbox']


@pytest.fixture(scope='module')
def client():
    """The script beside an installed client."""
    return npm.install(SOURCE) / 'client.mjs'


def prepare(peer):
    """What the peer does for each of the script's models."""
    peer.handlers.update({
        'json': lambda ex: answers.send_text(ex, json.dumps({'answer': 42})),
        'abort': lambda ex: ex.hold(60),
        'e401': f.status(401), 'e402': f.status(402), 'e413': f.status(413), 'e429': f.status(429, headers=[('Retry-After', '7')]),
        'e502': f.signed_fields(f.flip_signature),
    })
    own = ('json', 'abort', 'e401', 'e402', 'e413', 'e429', 'e502')
    return {**{name: name for name in own}, 'echo': 'echo', 'tools': 'tools', 'parse': 'json'}


SANDBOX_MODELS = {'echo': 'gpt-4.1', 'tools': 'gpt-4.1', 'json': 'gpt-4.1', 'abort': 'fault-hang', 'e401': 'fault-relay-401',
                  'e402': 'fault-relay-402', 'e413': 'fault-relay-413', 'e429': 'fault-relay-429', 'e502': 'fault-wrong-signature'}


def arrived(wait):
    """A server whose answer tells that the request to be aborted is where it should be."""
    def handle(message):
        wait()
        message.respond(204)
    return Server(handle)


@pytest.fixture(scope='module')
def no_enclave(tmp_path_factory):
    with Peer() as peer:
        peer.active = []
        running = PeerVeil(tmp_path_factory.mktemp('none'), peer)
        yield running
        running.stop()


@pytest.fixture(scope='module')
def results(client, peer, veil, sandbox, no_enclave, tmp_path_factory):
    """Runs the script against both networks; the outcome of every scenario."""
    out = {}
    network = Sandbox.of(sandbox)
    waits = {'peer': lambda: peer.wait_seen('abort'), 'sandbox': lambda: wait_until(lambda: network.stats()['in_flight'] > 0)}
    for target, running in (('peer', veil), ('sandbox', sandbox)):
        models = prepare(peer) if target == 'peer' else SANDBOX_MODELS
        home, env = tmp_path_factory.mktemp('keyed'), {'OG_VEIL_API_KEY': 'right-key'}
        keyed = PeerVeil(home, peer, env=env) if target == 'peer' else Veil(home, '--sandbox', env=env)
        server = arrived(waits[target])
        try:
            plan = {'baseURL': running.url, 'models': models, 'noEnclaveURL': no_enclave.url, 'keyedURL': keyed.url,
                    'arrivedURL': server.url}
            done = subprocess.run(['node', str(client), json.dumps(plan)], capture_output=True, timeout=150, env=environment())
            assert done.returncode == 0, done.stderr.decode(errors='replace')
            out[target] = {row['name']: row.get('error') for row in map(json.loads, done.stdout.splitlines())}
        finally:
            server.close()
            keyed.stop()
    wait_until(lambda: network.stats()['in_flight'] == 0, what='the aborted stream to be given up in the sandbox')
    return out


def test_scenarios_are_all_counted(results):
    assert all(sorted(rows) == sorted(SCENARIOS) for rows in results.values())


@pytest.mark.parametrize('target', TARGETS)
@pytest.mark.parametrize('name', SCENARIOS)
def test_client(results, target, name):
    error = results[target][name]
    assert error is None, error


def test_abort_reached_the_peer(results, peer):
    """The stream that the client aborted was given up upstream."""
    [ex] = peer.seen('abort')
    assert ex.hung_up.wait(10)


def test_what_the_client_sent(results, peer):
    """Its telemetry and the fields that tell about the person stay here."""
    for ex in peer.exchanges:
        assert not {'user', 'seed', 'metadata', 'store'} & set(ex.wire)
        assert b'stainless' not in ex.http.head.lower() and b'openai' not in ex.http.head.lower()

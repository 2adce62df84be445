# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Staying up: dead enclaves, rotated keys, registries that are down while all else works."""

import threading
import time

import pytest
from program import PeerVeil, Sandbox, Veil, wait_until
from veil_peer import Peer, answers

RETRIED = ['relay-502', 'relay-503', 'relay-504', 'relay-retryable', 'inner-retryable']
# What may have run, what no other enclave would do better, and what failed verification.
REPORTED = {'relay-402': 402, 'relay-403': 401, 'relay-404': None, 'relay-413': 413, 'relay-429': 429, 'relay-500': 502, 'redirect': 502,
            'empty-200': 502, 'html-200': 502, 'close': 502, 'reset': 502, 'cut-connection': 502, 'hang': 504, 'stall': 504, 'drip': 504, 'inner-400': None,
            'inner-429': None, 'inner-500': None, 'wrong-signature': 502, 'other-enclave': 502, 'aead': 502, 'request-hash': 502, 'changed-output': 502,
            'missing-final-chunk': 502, 'unsigned-tool-calls': 502, 'stale-timestamp': 502}


@pytest.fixture(scope='module')
def quick(tmp_path_factory):
    running = Veil(tmp_path_factory.mktemp('quick'), '--sandbox')
    yield running, Sandbox.of(running)
    running.stop()


@pytest.fixture(scope='module')
def hasty(tmp_path_factory):
    """With little patience for answers; the others get all the time that a slow machine needs."""
    running = Veil(tmp_path_factory.mktemp('hasty'), '--sandbox', '--answer-timeout', '2')
    yield running, Sandbox.of(running)
    running.stop()


@pytest.fixture
def own():
    with Peer() as running:
        yield running


def current(veil, network):
    """Index and id of the enclave that the next request goes to."""
    tee_id = veil.health()['active_tee_id']
    return next((tee['index'], tee_id) for tee in network.stats()['tees'] if tee['tee_id'] == tee_id)


def ask(veil, **fields):
    return veil.ask('gpt-4.1', 'Hello', **fields)


def verified(veil, **fields):
    reply = ask(veil, **fields)
    assert reply.status == 200 and reply.header('X-OpenGradient-Verified') == 'true', (reply.status, reply.body[:400])
    return reply.header('X-OpenGradient-TEE-Id')


def ready(veil, network):
    network.control('fault', {'fault': None})
    wait_until(lambda: ask(veil).status == 200, what='an enclave that answers')


@pytest.mark.parametrize('stream', [False, True], ids=['single', 'stream'])
@pytest.mark.parametrize('fault', RETRIED)
def test_one_retry_elsewhere(quick, fault, stream):
    veil, network = quick
    ready(veil, network)
    index, tee_id = current(veil, network)
    network.control('fault', {'fault': fault, 'tee': index})
    before = network.stats()
    other = verified(veil, stream=stream)
    after = network.stats()
    assert other != tee_id and after['total'] == before['total'] + 2
    assert after['tees'][index]['requests'] == before['tees'][index]['requests'] + 1


@pytest.mark.parametrize('stream', [False, True], ids=['single', 'stream'])
@pytest.mark.parametrize('fault', REPORTED)
def test_reported_not_retried(quick, hasty, fault, stream):
    veil, network = hasty if REPORTED[fault] == 504 else quick
    ready(veil, network)
    network.control('fault', {'fault': fault, 'times': 1})
    before = network.stats()['total']
    reply = ask(veil, stream=stream)
    assert reply.status == (REPORTED[fault] or reply.status) and reply.status >= 400 and 'choices' not in reply.json(), (reply.status, reply.body[:300])
    assert network.stats()['total'] == before + 1
    network.control('fault', {'fault': None})


def test_second_failure_is_reported(quick):
    """One retry, not two; and the two go to different enclaves."""
    veil, network = quick
    ready(veil, network)
    network.control('fault', {'fault': 'relay-503'})
    before = network.stats()
    assert ask(veil).status in (502, 503, 504)
    after = network.stats()
    assert sorted(b['requests'] - a['requests'] for a, b in zip(before['tees'], after['tees'])) == [0, 1, 1]


@pytest.mark.parametrize('fault', ['relay-503', 'relay-retryable'])
def test_one_of_three_dead(tmp_path, fault):
    """200 requests, 200 verified answers; the dead one is tried now and then, less and less."""
    veil = Veil(tmp_path, '--sandbox')
    network = Sandbox.of(veil)
    verified(veil)
    index, tee_id = current(veil, network)
    network.control('fault', {'fault': fault, 'tee': index})
    before = network.stats()['tees'][index]['requests']
    assert all(verified(veil, stream=i % 2 == 1) != tee_id for i in range(200))
    tried = network.stats()['tees'][index]['requests'] - before
    assert 1 <= tried <= 8, tried
    assert veil.counts()['failed'] == 0
    veil.stop()


def test_rotated_keys(tmp_path):
    """New enclaves under new ids: the registry is read again at the first failure, whatever the refresh interval."""
    veil = Veil(tmp_path, '--sandbox', '--refresh-interval', '0')
    network = Sandbox.of(veil)
    old = verified(veil)
    calls = network.stats()['registry_calls']
    ids = {tee['tee_id'] for tee in network.control('rotate', {})['tees']}
    assert old not in ids
    ask(veil)
    assert network.stats()['registry_calls'] == calls + 1
    assert all(verified(veil) in ids for _ in range(5))
    assert network.stats()['registry_calls'] == calls + 1
    veil.stop()


@pytest.mark.parametrize('fault', ['registry-500', 'registry-hang', 'registry-garbage', 'registry-truncated', 'registry-html', 'registry-error'])
def test_failure_while_the_registry_is_down(tmp_path, fault):
    """Another enclave still answers, and nobody waits for the registry for long."""
    veil = Veil(tmp_path, '--sandbox')
    network = Sandbox.of(veil)
    old = verified(veil)
    network.control('fault', {'fault': 'wrong-signature', 'times': 1})
    assert ask(veil).status == 502
    network.control('fault', {'fault': fault})
    began = time.monotonic()
    for _ in range(8):
        # Who waited longer than the first one is set aside for may go back to it.
        assert verified(veil) != old or fault == 'registry-hang'
    assert time.monotonic() - began < 8
    assert veil.health()['status'] == 'ok'
    veil.stop()


def test_long_outage(own, tmp_path):
    """However often the registry cannot be read: the enclave that works is used on, and the log says so once."""
    veil = PeerVeil(tmp_path / 'veil', own, '--refresh-interval', '1')
    first = veil.ask('x', 'x').header('X-OpenGradient-TEE-Id')
    own.registry_handler = lambda message, call: message.respond(500, b'{}')
    calls = len(own.rpc_calls)
    assert own.wait(lambda: len(own.rpc_calls) >= calls + 4, 30)
    assert veil.ask('x', 'x').header('X-OpenGradient-TEE-Id') == first
    assert veil.stderr().decode().count('could not be read') == 1
    veil.stop()


def test_running_requests_are_untouched(own, tmp_path):
    """Refresh, other enclaves, another pin: what runs ends with the keys it began with."""
    arrived, release = threading.Event(), threading.Event()

    def slow(ex):
        arrived.set()
        assert release.wait(60)
        answers.honest(ex)

    own.active = own.enclaves[:1]
    own.handlers['slow'] = slow
    veil = PeerVeil(tmp_path / 'veil', own, '--refresh-interval', '1')
    replies = []
    thread = threading.Thread(target=lambda: replies.append(veil.ask('slow', 'x')))
    thread.start()
    assert arrived.wait(30)
    own.active = own.enclaves[1:]
    (veil.home / 'home' / 'settings.ini').write_text("[veil]\npcr-pins=[('%s', '')]\n" % own.enclaves[2].pcr_hash.hex())
    wait_until(lambda: veil.ask('x', 'x').header('X-OpenGradient-TEE-Id') == own.enclaves[2].tee_id, what='the refresh')
    release.set()
    thread.join(30)
    assert replies[0].status == 200 and replies[0].header('X-OpenGradient-TEE-Id') == own.enclaves[0].tee_id
    veil.stop()

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The sandbox network: labelled as what it is, complete, and able to misbehave in every way that it lists."""

import json
import os
import subprocess
import threading

import pytest
from program import DEADLINE, OG_VEIL_SANDBOX, Sandbox, Veil, assert_no_report, complete, environment, processes, run, sign_in, wait_until
import test_attest

STREAM = {'stream': True, 'stream_options': {'include_usage': True}}
TOOLS = [{'type': 'function', 'function': {'name': 'get_weather', 'parameters': {'type': 'object', 'properties': {}}}}]
OK = (200, None, None)


def failed(check):
    return 502, {'unsigned_content': 'unsigned_content', 'stale_response': 'stale_response'}.get(check, 'verification_failed'), check


def plain(status, code):
    return status, code, None


# name: what a single answer and what a stream must lead to. Every fault that the program lists has to be here, and no other.
BROKEN, SEAL, TIMED_OUT = plain(502, 'broken_answer'), failed('seal'), plain(504, 'timed_out')
RELAY = {
    'wrong-signature': failed('signature'), 'short-signature': failed('signature'), 'bad-base64': failed('signature'),
    'other-enclave-signature': failed('signature'), 'other-enclave': failed('tee_id'), 'salt-0': failed('signature'),
    'salt-20': failed('signature'), 'salt-64': failed('signature'), 'tee-id': failed('tee_id'), 'request-hash': failed('request_hash'),
    'changed-output': failed('output_hash'), 'dropped-frame': failed('output_hash'),
    'missing-signature': failed('missing_field'), 'missing-request-hash': failed('missing_field'), 'missing-output-hash': failed('missing_field'),
    'missing-timestamp': failed('missing_field'), 'missing-tee-id': failed('missing_field'), 'null-signature': failed('missing_field'),
    'float-timestamp': failed('timestamp'), 'negative-timestamp': failed('timestamp'), 'huge-timestamp': failed('timestamp'),
    'stale-timestamp': failed('stale_response'), 'future-timestamp': failed('stale_response'),
    'aead': SEAL, 'short-body': SEAL, 'plaintext': SEAL, 'cut-stream': SEAL, 'missing-final-chunk': SEAL, 'empty-final-chunk': SEAL,
    'wrong-aad': SEAL, 'reordered-chunks': SEAL, 'duplicated-chunk': SEAL, 'dropped-chunk': SEAL, 'huge-varint': SEAL,
    # The end mark in a longer form; lengths alone may have one, as the shared vectors say.
    'non-minimal-varint': SEAL,
    'no-signed-frame': (failed('missing_field'), failed('no_signed_frame')),
    'error-frame': plain(502, 'upstream_error'), 'error-frame-object': plain(502, 'upstream_error'), 'error-then-signed': plain(502, 'upstream_error'),
    'after-signed': (failed('malformed_answer'), failed('no_signed_frame')), 'after-done': (failed('malformed_answer'), failed('no_signed_frame')),
    'unsigned-tool-calls': failed('unsigned_content'), 'unsigned-function-call': failed('unsigned_content'),
    'second-choice': failed('unsigned_content'), 'duplicate-keys': failed('unsigned_content'),
    'not-json': failed('malformed_answer'), 'list-answer': failed('malformed_answer'), 'deep-json': failed('malformed_answer'),
    'lone-surrogate': failed('output_hash'),
    # In a stream the error comes as a frame, which has no status.
    **{'inner-%d' % n: (plain(n, 'upstream_error'), plain(502, 'upstream_error')) for n in (400, 429, 500)},
    'inner-retryable': (plain(503, 'upstream_error'), plain(502, 'upstream_error')),
    'huge-answer': plain(502, 'answer_too_large'), 'drip': TIMED_OUT, 'stall': TIMED_OUT, 'hang': TIMED_OUT, 'cut-connection': (BROKEN, SEAL),
    'gzip': BROKEN, 'wrong-content-type': BROKEN, 'missing-content-type': BROKEN,
    'relay-401': plain(401, 'session_refused'), 'relay-402': plain(402, 'insufficient_quota'), 'relay-403': plain(401, 'session_refused'),
    'relay-404': plain(502, 'relay_error'), 'relay-413': plain(413, 'request_too_large'), 'relay-429': plain(429, 'rate_limit_exceeded'),
    'relay-500': plain(502, 'relay_error'), 'relay-502': plain(502, 'relay_error'), 'relay-503': plain(502, 'relay_error'),
    'relay-504': plain(504, 'relay_error'), 'relay-retryable': plain(502, 'relay_error'),
    'redirect': BROKEN, 'empty-200': BROKEN, 'html-200': BROKEN, 'gzip-bomb': BROKEN, 'header-bomb': BROKEN, 'reset': BROKEN, 'close': BROKEN,
    'no-effort-hash': OK, 'envelope': OK, 'bare': OK, 'string-timestamp': OK, 'hash-0x': OK, 'one-byte-writes': OK, 'long-varints': OK,
    'empty-chunks': OK, 'several-events-in-a-chunk': OK, 'split-events': OK, 'comments': OK, 'multi-line-data': OK, 'no-space': OK, 'crlf': OK,
    'cr': OK, 'tool-id-null': OK, 'tool-id-empty': OK, 'no-done': OK, 'final-data': OK, 'content-list': OK, 'extra-fields': OK,
}
REGISTRY = {'registry-500', 'registry-error', 'registry-garbage', 'registry-truncated', 'registry-html', 'registry-hang', 'registry-bad-key'}
AUTH = {'refresh-400', 'refresh-500', 'refresh-hang'}
RETRIED = {'relay-502', 'relay-503', 'relay-504', 'relay-retryable', 'inner-retryable'}


@pytest.fixture(scope='module')
def network():
    running = Sandbox.start()
    yield running
    running.stop()


def serve(network, home, *options):
    sign_in(home / 'home', network.bundle)
    running = Veil(home, '--session-store', 'file', *options)
    running.secrets |= {network.bundle['access_token'], network.bundle['refresh_token']}
    yield running
    running.stop()


@pytest.fixture(scope='module')
def veil(network, tmp_path_factory):
    yield from serve(network, tmp_path_factory.mktemp('veil'))


@pytest.fixture(scope='module')
def hasty(network, tmp_path_factory):
    """For answers that never end; the others get all the time that a slow machine needs."""
    yield from serve(network, tmp_path_factory.mktemp('hasty'), '--answer-timeout', '2')


def listed_faults():
    done = complete([OG_VEIL_SANDBOX, '--list-faults'])
    assert done.returncode == 0
    return {line.split()[0] for line in done.stdout.decode().splitlines() if line.startswith('  ')}


def test_every_fault_has_an_expectation():
    assert listed_faults() == set(RELAY) | REGISTRY | AUTH | set(test_attest.SANDBOX_FAULTS) | set(test_attest.UNANSWERED)


@pytest.mark.parametrize('kind', ['single', 'stream'])
@pytest.mark.parametrize('name', RELAY)
def test_fault(veil, hasty, network, name, kind):
    expected = RELAY[name]
    veil = hasty if expected == TIMED_OUT else veil
    status, code, check = expected[kind == 'stream'] if isinstance(expected[0], tuple) else expected
    before, health = network.stats()['total'], veil.counts()
    reply = veil.ask('fault-' + name, 'a secret question', **(STREAM if kind == 'stream' else {}))
    assert reply.header('X-OpenGradient-Verified') == ('true' if status == 200 else None)
    assert reply.status == status, reply.body
    if status == 200:
        assert 'a secret question' in (reply.streamed_text() if kind == 'stream' else reply.text)
        assert (reply.streamed_proof() if kind == 'stream' else reply.proof)['sandbox'] is True
    else:
        assert set(reply.json()) == {'error'} and b'a secret question' not in reply.body
        assert (reply.error['code'], reply.error.get('check')) == (code, check), reply.error
    # A 401 leads to a renewed session and one more try, unless the session was renewed just now.
    assert network.stats()['total'] - before in ((1, 2) if name == 'relay-401' else (2,) if name in RETRIED else (1,))
    assert veil.counts()['refused'] - health['refused'] == (check is not None)
    if name == 'redirect':
        assert network.stats()['redirects_followed'] == 0
    if name == 'relay-429':
        assert reply.header('Retry-After') == '7'


@pytest.mark.parametrize('name', ['tool-id-null', 'tool-id-empty', 'changed-output', 'wrong-signature', 'honest'])
def test_tools(veil, name):
    """The faults that only tool calls can show, and their honest form."""
    for fields in ({}, STREAM):
        reply = veil.ask('gpt-4.1' if name == 'honest' else 'fault-' + name, 'weather?', tools=TOOLS, **fields)
        if name in ('changed-output', 'wrong-signature'):
            assert reply.status == 502 and b'get_weather' not in reply.body
            continue
        assert reply.status == 200, reply.body
        assert (reply.streamed_proof() if fields else reply.proof)['signed'] == ['tool_calls']
        assert b'get_weather' in reply.body


def test_extra_fields_are_sorted_by_kind(veil):
    reply = veil.ask('fault-extra-fields', 'x')
    message = reply.json()['choices'][0]['message']
    assert set(message) <= {'role', 'content', 'refusal', 'images', 'citations'} and message['refusal'] is None
    assert {'citations', 'moderation'} <= set(reply.proof['unsigned'])
    assert any('reasoning' in name for name in reply.proof['unsigned']) and b'Unsigned reasoning' not in reply.body


def test_older_gateway(veil):
    for model, signed in (('gpt-4.1', True), ('fault-no-effort-hash', False)):
        reply = veil.ask(model, 'x', reasoning_effort='low')
        assert reply.status == 200 and reply.proof['reasoning_effort_signed'] is signed


@pytest.mark.parametrize('name', sorted(REGISTRY - {'registry-bad-key', 'registry-hang'}))
def test_registry_faults(tmp_path, name):
    network = Sandbox.start('--fault', name)
    sign_in(tmp_path / 'home', network.bundle)
    veil = Veil(tmp_path, '--session-store', 'file')
    reply = veil.ask('gpt-4.1', 'x')
    assert reply.status == 503 and reply.error['code'] == 'registry', reply.error
    network.control('fault', {'fault': None})
    wait_until(lambda: veil.ask('gpt-4.1', 'x').status == 200, what='the registry to be read again')
    assert network.stats()['total'] == 1
    veil.stop()
    network.stop()


def test_registry_bad_key(tmp_path):
    network = Sandbox.start('--fault', 'registry-bad-key')
    sign_in(tmp_path / 'home', network.bundle)
    for i in range(3):
        veil = Veil(tmp_path / str(i), '--session-store', 'file', '--home', str(tmp_path / 'home'))
        assert veil.ask('gpt-4.1', 'x').status == 200
        veil.stop()
    assert network.stats()['tees'][0]['requests'] == 0
    network.stop()


def test_caller_leaves_while_the_registry_hangs(tmp_path):
    """A registry that says nothing holds up its callers, who can leave, and neither /health nor the end of the program."""
    network = Sandbox.start('--fault', 'registry-hang')
    sign_in(tmp_path / 'home', network.bundle)
    veil = Veil(tmp_path, '--session-store', 'file')
    with veil.connect() as sock:
        body = json.dumps({'model': 'gpt-4.1', 'messages': [{'role': 'user', 'content': 'x'}]}).encode()
        sock.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s'
                     % (veil.port, len(body), body))
        wait_until(lambda: network.stats()['registry_calls'] > 0)
        assert veil.health()['active_tee_id'] is None
    veil.stop()
    assert network.stats()['total'] == 0
    network.stop()


def test_expired_session(tmp_path):
    """A token that the relay no longer takes ends in 401, with the way out, whatever the refresh endpoint says."""
    network = Sandbox.start()
    sign_in(tmp_path / 'home', network.bundle)
    veil = Veil(tmp_path, '--session-store', 'file')
    assert veil.ask('gpt-4.1', 'x').status == 200
    network.control('expire', {'refresh': True})
    reply = veil.ask('gpt-4.1', 'x')
    assert reply.status == 401 and 'og-veil login' in reply.error['message']
    veil.stop()
    network.stop()


def test_rotated_keys(tmp_path):
    """New enclave keys are taken up; a request sealed to the old ones is an error, never an answer that is not verified."""
    network = Sandbox.start()
    sign_in(tmp_path / 'home', network.bundle)
    veil = Veil(tmp_path, '--session-store', 'file', '--refresh-interval', '1')
    before = veil.ask('gpt-4.1', 'x').header('X-OpenGradient-TEE-Id')
    network.control('rotate', {})
    reply = wait_until(lambda: (r := veil.ask('gpt-4.1', 'x')).status == 200 and r, what='the new keys')
    assert reply.header('X-OpenGradient-TEE-Id') != before and reply.proof['verified'] is True
    veil.stop()
    network.stop()


@pytest.mark.parametrize('name', ['hang', 'stall', 'drip'])
@pytest.mark.parametrize('kind', ['single', 'stream'])
def test_caller_leaves(veil, network, name, kind):
    before = network.stats()
    with veil.connect() as sock:
        body = json.dumps({'model': 'fault-' + name, 'stream': kind == 'stream', 'messages': [{'role': 'user', 'content': 'x'}]}).encode()
        sock.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s'
                     % (veil.port, len(body), body))
        wait_until(lambda: network.stats()['in_flight'] > before['in_flight'])
    wait_until(lambda: network.stats()['in_flight'] == before['in_flight'], 1.9, 'the upstream request to be given up before its deadline')
    assert network.stats()['cancelled'] == before['cancelled'] + 1


# `og-veil serve --sandbox`


def test_everything_is_labelled(sandbox):
    single, stream = sandbox.ask('gpt-4.1', 'x'), sandbox.ask('gpt-4.1', 'x', **STREAM)
    for reply, proof in ((single, single.proof), (stream, stream.streamed_proof())):
        assert reply.header('X-OpenGradient-Sandbox') == 'true' and proof['sandbox'] is True
        assert proof['tee_host'].startswith('127.0.0.1:'), 'a sandbox enclave looks like a real one'
    assert sandbox.health()['sandbox'] is True
    assert b'sandbox' in sandbox.stderr().lower()
    done = run('test', '--port', str(sandbox.port), 'hello')
    assert done.returncode == 0 and '✓ verified (sandbox' in done.stdout.decode()


def test_sandbox_needs_no_session_and_leaves_none(tmp_path):
    veil = Veil(tmp_path, '--sandbox')
    assert veil.ask('gpt-4.1', 'x').status == 200
    veil.stop()
    home = tmp_path / 'home'
    assert not home.exists() or not list(home.iterdir()), 'the sandbox session is kept'


@pytest.mark.parametrize('how', ['term', 'kill'])
def test_sandbox_ends_with_its_parent(tmp_path, how):
    veil = Veil(tmp_path, '--sandbox')
    assert len(processes(veil.token)) == 2
    if how == 'kill':
        veil.kill()
        wait_until(lambda: not processes(veil.token), 10, 'the helper to end after its parent was killed')
    else:
        veil.stop()


def test_parent_says_when_the_sandbox_dies(tmp_path):
    veil = Veil(tmp_path, '--sandbox')
    [helper] = [pid for pid in processes(veil.token) if pid != veil.process.pid]
    os.kill(helper, 9)
    assert veil.wait() == 1
    assert_no_report(veil.stderr())
    assert b'sandbox' in veil.stderr().splitlines()[-1]


@pytest.mark.parametrize('program', ['/nonexistent/helper', '/bin/true', '/bin/cat'])
def test_helper_that_does_not_work(tmp_path, program):
    """Missing, or it ends at once. (cat never says anything: it is given up when og-veil is ended.)"""
    if program != '/bin/cat':
        done = run('serve', '-f', '--sandbox', '--port', '0', home=tmp_path, env={'VEIL_SANDBOX_PROGRAM': program})
        assert done.returncode == 1 and b'sandbox' in done.stderr.lower() and b'listening' not in done.stdout
        return
    token = 'veil-e2e-cat-%d' % os.getpid()
    process = subprocess.Popen([os.environ['OG_VEIL'], 'serve', '-f', '--sandbox', '--port', '0', '--home', str(tmp_path)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=environment(VEIL_TEST_TOKEN=token) | {'VEIL_SANDBOX_PROGRAM': program})
    wait_until(lambda: len(processes(token)) == 2)
    process.terminate()
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert b'listening' not in stdout
    assert_no_report(stderr)
    wait_until(lambda: not processes(token), 10, 'everything to end')


def test_many_at_once(sandbox):
    replies, threads = [], []
    for i in range(40):
        threads.append(threading.Thread(target=lambda i=i: replies.append(sandbox.ask('gpt-4.1', 'x', stream=i % 2 == 0))))
        threads[-1].start()
    for thread in threads:
        thread.join(DEADLINE)
    assert [r.status for r in replies] == [200] * 40


def test_sandbox_options():
    for arguments in (['--fault', 'no-such'], ['--tees', '0'], ['--port', '70000'], ['--nonsense'], ['extra'], ['--latency', '-1']):
        done = complete([OG_VEIL_SANDBOX, *arguments])
        assert done.returncode == 2 and done.stderr and not done.stdout, arguments
    done = complete([OG_VEIL_SANDBOX, '--version'])
    assert done.returncode == 0 and done.stdout.startswith(b'og-veil-sandbox ')

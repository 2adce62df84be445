# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""All that a server in the background leaves on the disk, with everything switched on: nothing of tokens, keys, prompts and answers; and what a service
manager is told."""

import http.client
import json
import os
import signal
import socket
import stat

import faults as f
import pytest
from program import DEADLINE, Sandbox, Veil, run, wait_until
from test_background import Home, start_with_browser
from veil_peer import Peer, answers

STORE = ('--session-store', 'file')
KEY = 'correct-horse-battery'


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / 'home')
    yield made
    made.end()


def assert_nothing_said(home, secrets):
    """In no file of the home but the session's own."""
    for path in home.path.rglob('*'):
        if path.is_file() and path.name != 'session.json':
            text = path.read_bytes()
            for secret in secrets:
                assert secret.encode() not in text, (path.name, secret)


def test_full_run_at_a_peer(home):
    """Chat, stream, refusals of all kinds, renewal: each with words of its own, at the loudest."""
    with Peer() as peer:
        done = run('login', '--manual', *STORE, input=json.dumps(peer.bundle()).encode(), home=home.path)
        assert done.returncode == 0, done
        home.start('serve', *STORE, '-v', env={'G_MESSAGES_DEBUG': 'all', 'OG_VEIL_API_KEY': KEY})
        secrets = {peer.access_token, peer.refresh_token, KEY, f.LEAK, 'anon-peer'}

        def word():
            made = 'zq' + os.urandom(12).hex()
            secrets.add(made)
            peer.mark(made)
            return made
        answer = word()
        peer.handlers.update({'log-answer': lambda ex: answers.send_text(ex, 'the answer is ' + answer), 'log-lie': f.signed_fields(f.flip_signature),
                              'log-401': f.status(401, {'detail': 'no'}), 'log-402': f.status(402, {'detail': 'no'}), 'log-reset': f.reset_inside})
        port = home.facts()['port']
        for model in ('log-answer', 'log-echo', 'log-lie', 'log-401', 'log-402', 'log-reset'):
            for stream in (False, True):
                ask(port, {'model': model, 'stream': stream, 'messages': [{'role': 'user', 'content': word()}]})
        secrets |= peer.access_tokens | peer.refresh_tokens
        assert len(peer.refreshes) >= 1, 'nothing was renewed'
        home.good('stop')
        log = home.log().decode()
        assert log.count('chat: status 200') == 4 and 'signature' in log and 'DEBUG' in log, 'it was not logged at all'
        assert_nothing_said(home, secrets)


def ask(port, body):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=DEADLINE)
    connection.request('POST', '/v1/chat/completions', json.dumps(body), {'Content-Type': 'application/json', 'Authorization': 'Bearer ' + KEY})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def test_sign_in_is_not_logged(home):
    network = Sandbox.start()
    process, url = start_with_browser(home, network, *STORE, env={'G_MESSAGES_DEBUG': 'all'})
    network.post_bundle(url)
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, stderr
    home.good('test', 'a-prompt-of-its-own')
    home.good('stop')
    bundle = json.loads(network.sign_in_page())
    secrets = {bundle['access_token'], bundle['refresh_token'], bundle['config']['supabase_anon_key'], 'a-prompt-of-its-own',
               url.partition('redirect_uri=')[2]}
    assert_nothing_said(home, secrets)
    assert not any(secret.encode() in stdout + stderr for secret in secrets - {url.partition('redirect_uri=')[2]})
    assert 'chat: status 200' in home.log().decode()
    network.stop()


def test_log_is_private_and_bounded(home):
    home.path.mkdir()
    (home.path / 'veil.log').write_bytes(b'x' * (1 << 20) + b'\n')
    (home.path / 'veil.log').chmod(0o644)
    home.start('--sandbox')
    assert home.good('test', 'x')
    wait_until(lambda: (home.path / 'veil.log.1').exists(), what='another file to be begun')
    home.good('stop')
    assert (home.path / 'veil.log').stat().st_size < 1 << 20
    assert [stat.S_IMODE((home.path / name).stat().st_mode) for name in ('veil.log', 'veil.log.1')] == [0o600, 0o600]


def test_log_that_was_moved_away(home):
    """SIGHUP begins another file, as programs that rotate logs expect."""
    home.start('--sandbox')
    (home.path / 'veil.log').rename(home.path / 'mine.log')
    os.kill(home.facts()['pid'], signal.SIGHUP)
    wait_until(lambda: (home.path / 'veil.log').exists(), what='the new file')
    home.good('stop')


# A service manager


class Manager:
    """The socket that systemd would give."""

    def __init__(self, folder):
        self.path = folder / 'notify'
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(DEADLINE)

    def hear(self):
        return self.socket.recv(4096).decode().split('\n')


@pytest.fixture
def manager(tmp_path):
    made = Manager(tmp_path)
    yield made
    made.socket.close()


def test_service_manager(manager, tmp_path):
    veil = Veil(tmp_path / 'veil', '--sandbox', env={'NOTIFY_SOCKET': str(manager.path)})
    assert manager.hear() == ['READY=1', 'STATUS=listening on ' + veil.url]
    veil.process.send_signal(signal.SIGHUP)
    assert manager.hear()[0] == 'RELOADING=1' and manager.hear()[0] == 'READY=1'
    assert run('restart', home=tmp_path / 'veil' / 'home').returncode == 0
    said = [manager.hear()[0]]
    while said[-1] != 'READY=1':
        said.append(manager.hear()[0])
    assert 'STOPPING=1' not in said and 'RELOADING=1' in said
    veil.process.send_signal(signal.SIGTERM)
    assert manager.hear() == ['STOPPING=1']
    assert veil.process.wait(DEADLINE) == 0
    veil.stop()


def test_service_manager_of_the_caller(manager, home):
    """What goes to the background is no part of the service that started it."""
    home.start('--sandbox', env={'NOTIFY_SOCKET': str(manager.path)})
    home.good('stop')
    manager.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.hear()

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The endpoint follows the settings file while it runs; who has a port that is taken."""

import json
import signal
import socket
import threading

import pytest
from program import DEADLINE, PeerVeil, Veil, free_port, run, wait_until
from test_cli import one_sentence
from veil_peer import Peer, answers
from veil_peer.http import Server


class Live:
    """A server whose address the settings file says."""

    def __init__(self, folder, *args, env=None):
        self.home = folder / 'home'
        self.home.mkdir(parents=True, exist_ok=True)
        self.path = self.home / 'settings.ini'
        self.write(port=free_port())
        self.veil = Veil.without_port(folder, *args, env=env)

    def write(self, **settings):
        text = ''.join('%s=%s\n' % (key.replace('_', '-'), value if isinstance(value, (int, bool)) else "'%s'" % value) for key, value in settings.items())
        self.path.write_text('[veil]\n' + text.replace('True', 'true').replace('False', 'false'))

    def facts(self):
        return json.loads((self.home / 'instance.lock').read_bytes())

    def log(self):
        return self.veil.stderr().decode()

    def wait_for(self, **facts):
        wait_until(lambda: {key: self.facts()[key] for key in facts} == facts, what='the new address')
        self.veil.host, self.veil.port = self.facts()['host'], self.facts()['port']

    def works(self):
        return self.veil.ask('gpt-4.1', 'x').status == 200


def listens(host, port):
    try:
        socket.create_connection((host, port), DEADLINE).close()
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        pass
    return True


@pytest.fixture
def live(tmp_path):
    running = Live(tmp_path, '--sandbox')
    yield running
    running.veil.stop()


def test_port(live):
    """Without any request; the former port is free, commands find the new one."""
    former, port = live.veil.port, free_port()
    live.write(port=port)
    live.wait_for(port=port)
    assert live.works() and 'Now listening on http://127.0.0.1:%d/v1' % port in live.log()
    wait_until(lambda: not listens('127.0.0.1', former), what='the former port to be free')
    assert run('test', 'x', home=live.home).returncode == 0
    live.write(port=former)
    live.wait_for(port=former)
    assert live.works()


def test_any_port(live):
    former = live.veil.port
    live.write(port=0)
    wait_until(lambda: live.facts()['port'] not in (0, former), what='another port')
    live.wait_for(host='127.0.0.1')
    assert live.works()


def test_host(live):
    port = live.veil.port
    live.write(port=port, host='localhost')
    live.wait_for(host='localhost')
    assert live.works()
    live.write(port=port, host='127.0.0.2')
    live.wait_for(host='127.0.0.2')
    assert live.works()
    wait_until(lambda: not listens('127.0.0.1', port), what='the former address to be free')


def test_address_that_cannot_be_had(live):
    """The former one stays, and the log says so; a later change is followed all the same."""
    former, other = live.veil.port, Server(lambda message: message.close())
    live.write(port=other.port)
    wait_until(lambda: 'cannot be had' in live.log(), what='the complaint')
    assert str(other.port) in live.log() and live.facts()['port'] == former and live.works()
    other.close()
    live.write(port=former, host='192.0.2.1')
    wait_until(lambda: live.log().count('cannot be had') == 2, what='the complaint')
    assert live.facts()['host'] == '127.0.0.1' and live.works()
    live.write(port=former, host='0.0.0.0')
    wait_until(lambda: live.log().count('cannot be had') == 3, what='the complaint')
    assert 'API key' in live.log() and live.works()
    port = free_port()
    live.write(port=port)
    live.wait_for(port=port, host='127.0.0.1')
    assert live.works()


def test_settings_that_cannot_be_read(live):
    port = live.veil.port
    live.path.write_text('[veil]\nport=nonsense\n')
    wait_until(lambda: 'the settings stay as they were' in live.log(), what='the complaint')
    assert live.facts()['port'] == port and live.works()


def test_flag_wins(tmp_path):
    veil = Veil(tmp_path, '--sandbox')
    (tmp_path / 'home' / 'settings.ini').write_text('[veil]\nport=%d\nrefresh-interval=77\n' % free_port())
    veil.process.send_signal(signal.SIGHUP)
    assert veil.ask('gpt-4.1', 'x').status == 200, 'a port from the command line is not changed by the file'
    veil.stop()


def test_running_requests_are_not_touched(tmp_path):
    with Peer() as peer:
        release = threading.Event()

        def wait(ex):
            release.wait(DEADLINE)
            answers.send_text(ex, 'at last')
        peer.handlers['slow'] = wait
        folder = tmp_path / 'veil'
        (folder / 'home').mkdir(parents=True)
        path = folder / 'home' / 'settings.ini'
        path.write_text('[veil]\nport=%d\n' % free_port())
        veil = PeerVeil.without_port(folder, peer)
        outcome = []
        asker = threading.Thread(target=lambda: outcome.append(veil.ask('slow', 'x')))
        asker.start()
        peer.wait_seen('slow')
        port = free_port()
        path.write_text('[veil]\nport=%d\n' % port)
        wait_until(lambda: listens('127.0.0.1', port), what='the new address')
        release.set()
        asker.join(DEADLINE)
        assert outcome[0].status == 200 and outcome[0].text == 'at last'
        veil.stop()


def test_sighup_reads_the_settings(tmp_path):
    """Where a change is not noticed by itself: a link to a file elsewhere."""
    folder, elsewhere = tmp_path / 'veil', tmp_path / 'elsewhere.ini'
    (folder / 'home').mkdir(parents=True)
    elsewhere.write_text('[veil]\nport=%d\n' % free_port())
    (folder / 'home' / 'settings.ini').symlink_to(elsewhere)
    veil = Veil.without_port(folder, '--sandbox')
    port = free_port()
    elsewhere.write_text('[veil]\nport=%d\n' % port)
    veil.process.send_signal(signal.SIGHUP)
    wait_until(lambda: listens('127.0.0.1', port), what='the new address')
    veil.stop()


def test_sighup_tries_again_for_an_address(tmp_path):
    """One that was taken when the settings changed."""
    folder = tmp_path / 'veil'
    (folder / 'home').mkdir(parents=True)
    path = folder / 'home' / 'settings.ini'
    path.write_text('[veil]\nport=%d\n' % free_port())
    veil = Veil.without_port(folder, '--sandbox')
    taken = Server(lambda message: message.close())
    path.write_text('[veil]\nport=%d\n' % taken.port)
    wait_until(lambda: b'cannot be had' in veil.stderr(), what='the complaint')
    taken.close()
    veil.process.send_signal(signal.SIGHUP)
    wait_until(lambda: listens('127.0.0.1', taken.port), what='the new address')
    wait_until(lambda: json.loads((folder / 'home' / 'instance.lock').read_bytes())['port'] == taken.port, what='the word about it')
    veil.stop()


# Who has the port


def test_port_of_another_veil(tmp_path):
    """Which home it is of, if that is the one that is meant without any."""
    home = tmp_path / 'data' / 'veil'
    env = {'XDG_DATA_HOME': str(tmp_path / 'data')}
    first = Veil(tmp_path / 'first', '--sandbox', '--home', str(home))
    done = run('serve', '-f', '--sandbox', '--port', str(first.port), home=tmp_path / 'second', env=env)
    message = one_sentence(done.stderr)
    assert done.returncode == 1 and str(first.port) in message and str(home) in message and str(first.process.pid) in message and '--port' in message
    done = run('serve', '-f', '--sandbox', '--port', str(first.port), home=tmp_path / 'second')
    message = one_sentence(done.stderr)
    assert done.returncode == 1 and 'another Veil' in message and str(first.port) in message and '--port' in message
    first.stop()

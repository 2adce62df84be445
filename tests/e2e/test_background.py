# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""A life in the background: `og-veil` without a command, stop, restart, status, and one instance for each home."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import resource
import signal
import socket
import stat
import subprocess
import threading
import time
import uuid

import pytest
from program import (DEADLINE, OG_VEIL, PeerVeil, Sandbox, Veil, assert_no_report, environment, free_port, processes, run, sign_in,
                     wait_until)
from veil_peer import Peer, answers
from veil_peer.http import Server

STORE = ('--session-store', 'file')


class Home:
    """A home, and whatever is started in it, until its end."""

    def __init__(self, path):
        self.path, self.token = path, 'veil-e2e-' + uuid.uuid4().hex
        self.env = {'VEIL_TEST_TOKEN': self.token}

    def run(self, *args, env=None, **kwargs):
        return run(*args, home=self.path, env={**self.env, **(env or {})}, **kwargs)

    def good(self, *args, **kwargs):
        done = self.run(*args, **kwargs)
        assert done.returncode == 0, done
        return done.stdout.decode()

    def start(self, *args, **kwargs):
        text = self.good(*args, '--port', '0', **kwargs)
        assert text.startswith('Veil serves at http://127.0.0.1:'), text
        return text

    def facts(self):
        return json.loads((self.path / 'instance.lock').read_bytes())

    def status(self, *args):
        return json.loads(self.good('status', '--json', *args))

    def is_held(self):
        """Whether somebody has the lock on what stands there now."""
        while True:
            try:
                with open(self.path / 'instance.lock', 'rb') as file:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    # Unless another one was put in its place between the two.
                    if os.path.samestat(os.fstat(file.fileno()), os.stat(self.path / 'instance.lock')):
                        return False
            except BlockingIOError:
                return True
            except FileNotFoundError:
                return False

    def log(self):
        path = self.path / 'veil.log'
        assert not path.exists() or stat.S_IMODE(path.stat().st_mode) == 0o600
        return b''.join(p.read_bytes() for p in (self.path / 'veil.log.1', path) if p.exists())

    def processes(self):
        return processes(self.token)

    def end(self):
        with contextlib.suppress(Exception):
            self.run('stop')
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not self.processes(), 20)
        left = self.processes()
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert_no_report(self.log())
        assert not left, 'something was left running'


@pytest.fixture
def make_home(tmp_path):
    with contextlib.ExitStack() as ends:
        def make(name='home'):
            made = Home(tmp_path / name)
            ends.callback(made.end)
            return made
        yield make


@pytest.fixture
def home(make_home):
    return make_home()


@pytest.fixture(scope='module')
def network():
    running = Sandbox.start()
    yield running
    running.stop()


def one_sentence(done):
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1 and lines[0].startswith('og-veil: '), done
    return lines[0]


# Starting


def test_sandbox(home):
    text = home.start('--sandbox')
    facts = home.facts()
    assert str(home.path / 'veil.log') in text and 'og-veil stop --home' in text and 'sandbox' in text and 'env --home' in text
    assert 'http://127.0.0.1:%d/v1' % facts['port'] in text and facts['program'] == 'og-veil' and facts['sandbox'] is True
    assert '✓ verified' in home.good('test', 'hello')
    assert 'Listening on' in home.log().decode()
    text = home.good('--sandbox')
    assert str(facts['pid']) in text and str(facts['port']) in text and 'og-veil' in text
    assert home.facts() == facts, 'the second start changes nothing'
    assert 'stopped' in home.good('stop')
    wait_until(lambda: not home.processes(), 20, 'server and helper to end')
    assert not (home.path / 'instance.lock').exists()


def test_background_has_no_terminal(home):
    home.start('--sandbox')
    pid = home.facts()['pid']
    fields = pathlib.Path('/proc/%d/stat' % pid).read_text().rpartition(')')[2].split()
    assert int(fields[3]) == pid, 'it leads a session of its own'
    assert fields[4] == '0', 'it has a terminal'
    assert os.readlink('/proc/%d/cwd' % pid) == '/'
    links = [os.readlink('/proc/%d/fd/%d' % (pid, fd)) for fd in range(3)]
    assert links == ['/dev/null', str(home.path / 'veil.log'), str(home.path / 'veil.log')]
    for fd in os.listdir('/proc/%d/fd' % pid):
        with contextlib.suppress(FileNotFoundError):
            assert not os.readlink('/proc/%d/fd/%s' % (pid, fd)).startswith('/dev/pts')


def test_serve_goes_to_the_background_too(home, network):
    sign_in(home.path, json.loads(network.sign_in_page()))
    home.start('serve', *STORE)
    assert '✓ verified' in home.good('test', 'hello')


def test_serve_in_the_background_without_a_session(home):
    home.start('serve', *STORE)
    done = home.run('test', 'hello')
    assert done.returncode == 1 and 'og-veil login' in one_sentence(done)


def start_with_browser(home, network, *args, env=None):
    """`og-veil` as far as the sign-in page; who opens that is the caller."""
    process = subprocess.Popen([OG_VEIL, '--no-browser', '--app-url', network.url, '--home', str(home.path), '--port', '0', *args], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(**home.env, **(env or {})))
    url = process.stdout.readline().decode().strip()
    assert url.startswith(network.url + '/cli-auth?'), (url, process.stderr.read() if not url else '')
    return process, url


def test_fresh_home(home, network):
    """Signs in, serves, and is found by every command."""
    process, url = start_with_browser(home, network, *STORE)
    assert not home.path.exists() or not (home.path / 'instance.lock').exists()
    network.post_bundle(url)
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, stderr
    facts, bundle = home.facts(), json.loads(network.sign_in_page())
    text = stdout.decode()
    assert 'http://127.0.0.1:%d/v1' % facts['port'] in text and 'veil.log' in text and 'og-veil stop' in text
    assert (home.path / 'session.json').exists()
    assert '✓ verified' in home.good('test', 'hello')
    assert 'export OPENAI_BASE_URL=http://127.0.0.1:%d/v1' % facts['port'] in home.good('env')
    assert 'gpt-4.1' in home.good('models').split()
    tees = json.loads(home.good('tees', '--json', *STORE))['tees']
    assert len(tees) == 3 and [tee['active'] for tee in tees].count(True) == 1
    home.good('pin', 'add', tees[0]['pcr_hash'])
    assert '✓ verified' in home.good('test', 'hello') and json.loads(home.good('tees', '--json', *STORE))['tees'][0]['pinned']
    status = home.status(*STORE)
    assert status['account'] == {'signed_in': True, 'email': bundle['user']['email'], 'problem': None}
    assert status['environment'] == bundle['config']['app_env'] and status['relay'] == bundle['config']['chat_api_base_url']
    assert status['registry'] == {'rpc_url': bundle['config']['tee_registry_rpc_url'], 'address': bundle['config']['tee_registry_address']}
    assert status['server']['pid'] == facts['pid'] and status['server']['counts'] == {'verified': 2, 'refused': 0, 'failed': 0}
    home.good('logout', *STORE)
    done = home.run('test', 'hello')
    assert done.returncode == 1 and 'og-veil login' in one_sentence(done)
    assert home.status(*STORE)['account']['signed_in'] is False
    home.good('stop')
    for secret in (bundle['access_token'], bundle['refresh_token']):
        assert secret.encode() not in stdout + stderr + home.log()


def test_signed_in_already(home, network):
    sign_in(home.path, json.loads(network.sign_in_page()))
    home.start(*STORE)
    assert home.status(*STORE)['account']['signed_in'] is True


def test_session_that_cannot_be_kept(home, network):
    """Without a keyring it signs in for this run, says so, and hands the session over without anybody seeing it."""
    process, url = start_with_browser(home, network, env={'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent'})
    network.post_bundle(url)
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0 and b'this run only' in stderr, stderr
    assert '✓ verified' in home.good('test', 'hello')
    bundle = json.loads(network.sign_in_page())
    pid = home.facts()['pid']
    for secret in (bundle['access_token'].encode(), bundle['refresh_token'].encode()):
        for place in [p for p in home.path.rglob('*') if p.is_file()] + [pathlib.Path('/proc/%d/%s' % (pid, n)) for n in ('cmdline', 'environ')]:
            assert secret not in place.read_bytes(), place
    text = home.good('status', env={'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent'})
    assert network.url in text


def test_sign_in_that_is_given_up(home, network):
    process, _ = start_with_browser(home, network, *STORE)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=DEADLINE)
    assert process.returncode != 0
    wait_until(lambda: not home.processes(), what='all of it to end')
    assert home.status(*STORE)['running'] is False


def test_start_that_comes_to_nothing(home, tmp_path):
    """The reason is on the terminal, in one sentence, and nothing stays."""
    taken = Server(lambda message: message.close())
    for args, words in ((('--port', str(taken.port)), ['--port', str(taken.port)]), (('--host', '192.0.2.1', '--port', '0'), ['192.0.2.1'])):
        done = home.run('--sandbox', *args)
        message = one_sentence(done)
        assert done.returncode == 1 and done.stdout == b'' and all(word in message for word in words), done
        wait_until(lambda: not home.processes(), 20, 'server and helper to end')
        assert not (home.path / 'instance.lock').exists()
    taken.close()
    done = home.run('--sandbox', '--port', '0', env={'VEIL_SANDBOX_PROGRAM': '/nonexistent'})
    assert done.returncode == 1 and 'sandbox' in one_sentence(done)
    (home.path / 'veil.log').unlink(missing_ok=True)
    (home.path / 'veil.log').mkdir()
    done = home.run('--sandbox', '--port', '0')
    assert done.returncode == 1 and 'veil.log' in one_sentence(done)
    (home.path / 'veil.log').rmdir()
    os.symlink(tmp_path / 'elsewhere', home.path / 'veil.log')
    assert home.run('--sandbox', '--port', '0').returncode == 1 and not (tmp_path / 'elsewhere').exists()
    (home.path / 'veil.log').unlink()


@pytest.mark.parametrize('command', [('serve', '-f', '--sandbox', '--port', '0'), ('logout', *STORE)], ids=lambda command: command[0])
def test_home_that_cannot_be_used(home, command):
    """It says which, and what to do."""
    (home.path / 'session.lock').mkdir(parents=True)
    (home.path / 'instance.lock').symlink_to('/dev/null/nothing')
    for path, name in ((home.path, str(home.path / ('session.lock' if command[0] == 'logout' else 'instance.lock'))), ('/dev/null/home', '/dev/null/home')):
        done = run(*command, home=path)
        message = one_sentence(done)
        assert done.returncode == 1 and name in message and message.endswith(', or choose another one with --home'), done
    (home.path / 'instance.lock').unlink()


def test_start_that_is_stopped(home, tmp_path):
    """Who started it is told so, and is not sent to a log that says nothing."""
    slow = tmp_path / 'slow-sandbox'
    slow.write_text('#!/bin/sh\nexec cat\n')
    slow.chmod(0o755)
    start = subprocess.Popen([OG_VEIL, '--sandbox', '--port', '0', '--home', str(home.path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=environment(**{**home.env, 'VEIL_SANDBOX_PROGRAM': str(slow)}))
    wait_until((home.path / 'instance.lock').exists, what='it to have the home')
    wait_until(lambda: home.status()['running'], what='it to say so')
    home.good('stop')
    stdout, stderr = start.communicate(timeout=DEADLINE)
    assert (start.returncode, stdout) == (1, b'') and stderr.startswith(b'og-veil: Veil was stopped before'), stderr
    wait_until(lambda: not home.processes(), 20, 'all of it to end')


def test_many_starts_at_once(home):
    """One serves, and all others say that it does."""
    starts = [subprocess.Popen([OG_VEIL, '--sandbox', '--port', '0', '--home', str(home.path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=environment(**home.env)) for _ in range(6)]
    texts = [start.communicate(timeout=DEADLINE) for start in starts]
    assert {start.returncode for start in starts} == {0}, texts
    pid = home.facts()['pid']
    assert sum(b'Veil serves at' in out for out, _ in texts) == 1
    assert all(b'Veil serves at' in out or str(pid).encode() in out for out, _ in texts)
    wait_until(lambda: len(home.processes()) == 2, 20, 'the others to end')


# One instance


def test_second_start_of_all_kinds(home, tmp_path):
    veil = Veil(tmp_path / 'first', '--sandbox', '--home', str(home.path))
    for args in (['serve', '-f', '--sandbox'], ['serve', '-f'], ['serve'], ['--sandbox'], []):
        done = home.run(*args)
        assert done.returncode == 0 and done.stderr == b'' and str(veil.process.pid) in done.stdout.decode() and veil.url in done.stdout.decode()
    assert '✓ verified' in home.good('test', 'x')
    assert home.status()['server']['log'] is None
    home.good('stop')
    assert veil.wait() == 0
    veil.stop()


def test_killed(home):
    home.start('--sandbox')
    old = home.facts()
    os.kill(old['pid'], signal.SIGKILL)
    wait_until(lambda: not home.processes(), 20, 'the helper to notice')
    assert home.facts() == old, 'what it wrote is still there'
    assert home.status()['running'] is False and 'nothing runs' in home.good('stop')
    assert home.run('restart').returncode == 1
    home.start('--sandbox')
    assert home.facts()['pid'] != old['pid'] and '✓ verified' in home.good('test', 'x')


def test_what_was_left_names_another_process(home):
    """A pid that somebody else has by now gets no signal."""
    other = subprocess.Popen(['sleep', '1000'], stdin=subprocess.DEVNULL)
    try:
        home.start('--sandbox')
        facts = home.facts()
        home.good('stop')
        (home.path / 'instance.lock').write_text(json.dumps({**facts, 'pid': other.pid}))
        assert 'nothing runs' in home.good('stop') and home.run('restart').returncode == 1
        home.start('--sandbox')
        home.good('stop')
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_two_homes(make_home):
    one, two = make_home('one'), make_home('two')
    one.start('--sandbox')
    two.start('--sandbox')
    assert one.facts()['port'] != two.facts()['port']
    assert '✓ verified' in one.good('test', 'x') and '✓ verified' in two.good('test', 'x')
    two.good('stop')
    assert one.status()['running'] is True and two.status()['running'] is False and '✓ verified' in one.good('test', 'x')


# stop, restart, status


def test_nothing_runs(home):
    assert 'nothing runs' in home.good('stop')
    done = home.run('restart')
    assert done.returncode == 1 and '`og-veil`' in one_sentence(done)
    text = home.good('status', *STORE)
    assert 'not running' in text and 'og-veil login' in text
    status = home.status(*STORE)
    assert status['running'] is False and status['server'] is None and status['account']['signed_in'] is False
    assert not home.path.exists(), 'asking makes no home'


def test_restart(home):
    """Same process, same arguments, same environment; a start of its own all the same."""
    home.start('--sandbox', '--refresh-interval', '7', env={'OG_VEIL_API_KEY': 'correct-horse'})
    old = home.facts()
    arguments = pathlib.Path('/proc/%d/cmdline' % old['pid']).read_bytes()
    for _ in range(3):
        before = home.facts()
        text = home.good('restart')
        now = home.facts()
        assert now['pid'] == old['pid'] and now['started_at'] > before['started_at'] and str(now['port']) in text
        assert now['port'] == old['port'], 'any port was asked for, and this one is known to those who use it'
    now_arguments = pathlib.Path('/proc/%d/cmdline' % old['pid']).read_bytes()
    assert [a for a in arguments.split(b'\0') if not a.startswith(b'--report')] == now_arguments.split(b'\0') and b'7' in now_arguments.split(b'\0')
    assert home.run('test', 'x').returncode == 1, 'the key is asked for as before'
    assert '✓ verified' in home.good('test', 'x', env={'OG_VEIL_API_KEY': 'correct-horse'})
    wait_until(lambda: len(home.processes()) == 2, 20, 'one server and one helper')


def test_restart_with_the_port_of_the_settings(home):
    """What they leave open stays as it is; what they say counts."""
    home.path.mkdir()
    settings, form = home.path / 'settings.ini', '[veil]\nport=%d\n'
    settings.write_text(form % 0)
    home.good('--sandbox')
    before = home.facts()['port']
    home.good('restart')
    assert home.facts()['port'] == before
    port = free_port()
    settings.write_text(form % port)
    home.good('restart')
    assert home.facts()['port'] == port


def test_restart_without_its_port(tmp_path):
    """While it waits for a request, somebody else takes it."""
    with Peer() as peer:
        release = threading.Event()

        def wait(ex):
            release.wait(DEADLINE)
            answers.send_text(ex, 'at last')
        peer.handlers['hold'] = wait
        veil = PeerVeil(tmp_path, peer)
        asker = threading.Thread(target=ask_quietly, args=(veil,))
        asker.start()
        peer.wait_seen('hold')
        restart = subprocess.Popen([OG_VEIL, 'restart', '--home', str(veil.home / 'home')], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        wait_until(lambda: refuses_connections(veil), what='the port to be free')
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(('127.0.0.1', veil.port))
            other.listen()
            release.set()
            stdout, stderr = restart.communicate(timeout=DEADLINE)
        asker.join(DEADLINE)
        assert restart.returncode == 0 and re.search(rb'127.0.0.1:(\d+)/v1', stdout)[1] != b'%d' % veil.port
        assert stderr.startswith(b'og-veil: Port %d, where it was before, is taken' % veil.port) and stderr.count(b'\n') == 1, stderr
        assert b'Port %d, which it had before, cannot be had again' % veil.port in veil.stderr()
        veil.stop()


def test_restart_in_the_foreground(home, tmp_path):
    """Whoever supervises it sees no end; a relative home is still the same."""
    home.path.mkdir()
    veil = Veil(tmp_path / 'first', '--sandbox', '--home', str(home.path))
    home.good('restart')
    wait_until(lambda: len(veil.stdout) == 2, what='the second address')
    assert veil.process.poll() is None and veil.stdout[1] == 'listening on http://127.0.0.1:%d/v1' % home.facts()['port']
    veil.stop()


def test_restarts_and_stop_at_once(home):
    """While it starts again the home is not anybody's to take, and whoever wants it to end or to start again is heard."""
    home.start('serve', *STORE)
    pid, seen, done = home.facts()['pid'], set(), threading.Event()

    def look():
        while not done.is_set():
            seen.add(home.is_held())
    looker = threading.Thread(target=look)
    looker.start()
    for _ in range(3):
        restarts = [subprocess.Popen([OG_VEIL, 'restart', '--home', str(home.path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(**home.env)) for _ in range(3)]
        for restart in restarts:
            stdout, stderr = restart.communicate(timeout=DEADLINE)
            assert (restart.returncode, stderr) == (0, b'') and b'(pid %d)' % pid in stdout, (stdout, stderr)
    done.set()
    looker.join()
    assert seen == {True}, 'for a moment nobody had it'
    os.kill(pid, signal.SIGUSR1)
    assert 'stopped' in home.good('stop')
    wait_until(lambda: not home.processes(), 20, 'it to end')


def test_restart_that_fails(home):
    home.start('--sandbox', *STORE)
    (home.path / 'settings.ini').write_text('[veil]\nport=nonsense\n')
    done = home.run('stop')
    assert done.returncode == 1, 'settings that cannot be read are an error of every command'
    (home.path / 'settings.ini').unlink()
    (home.path / 'settings.ini').write_text('[veil]\nrequire-api-key=true\n')
    done = home.run('restart')
    message = one_sentence(done)
    assert done.returncode == 1 and 'veil.log' in message and b'API key' in home.log()
    wait_until(lambda: not home.processes(), 20, 'all of it to end')


def test_status_for_people(home):
    home.start('--sandbox')
    home.good('test', 'hello')
    lines = home.good('status').splitlines()
    rows = dict(line.split(None, 1) for line in lines if not line.startswith(' '))
    facts, status = home.facts(), home.status()
    assert rows['Veil'] == os.environ['VEIL_VERSION'] == status['version'] and rows['environment'] == 'sandbox' and rows['relay'] == facts['relay_url']
    assert 'sandbox' in rows['account'] and 'pid %d' % facts['pid'] in rows['server'] and rows['address'].endswith(':%d/v1' % facts['port'])
    assert rows['enclave'] == status['server']['tee']['tee_id'] and status['server']['tee']['pcr_hash'] in ''.join(lines)
    assert rows['requests'] == '1 verified, 0 refused, 0 failed' and rows['log'] == str(home.path / 'veil.log')


def test_status_of_an_account(home, network):
    """Without a server: who is signed in. Never a token."""
    bundle = json.loads(network.sign_in_page())
    sign_in(home.path, bundle)
    text = home.good('status', *STORE) + json.dumps(home.status(*STORE))
    assert bundle['user']['email'] in text and bundle['config']['chat_api_base_url'] in text and 'not running' in text
    for secret in (bundle['access_token'], bundle['refresh_token'], bundle['config']['supabase_anon_key']):
        assert secret not in text
    (home.path / 'session.json').chmod(0o644)
    status = home.status(*STORE)
    assert status['account']['signed_in'] is False and 'session.json' in status['account']['problem']


def test_status_with_a_key(home):
    home.start('--sandbox', env={'OG_VEIL_API_KEY': 'correct-horse'})
    server = home.status()['server']
    assert server['port'] and server['counts'] is None and 'OG_VEIL_API_KEY' in server['problem']
    done = home.run('status', '--json', env={'OG_VEIL_API_KEY': 'correct-horse'})
    assert json.loads(done.stdout)['server']['counts'] == {'verified': 0, 'refused': 0, 'failed': 0} and b'correct-horse' not in done.stdout


def test_commands_take_the_port_that_is_given(home, make_home):
    other = make_home('other')
    home.start('--sandbox')
    other.start('--sandbox')
    port = other.facts()['port']
    assert ':%d/v1' % port in home.good('env', '--port', str(port)) and ':%d/v1' % home.facts()['port'] in home.good('env')
    assert ':%d/v1' % home.facts()['port'] in home.good('env', env={'OG_VEIL_PORT': '1'}), 'where it runs counts, not where it would'
    home.good('test', '--port', str(port), 'x')
    assert other.status()['server']['counts']['verified'] == 1 and home.status()['server']['counts']['verified'] == 0


def test_tees_of_the_sandbox(home):
    home.start('--sandbox')
    listed = json.loads(home.good('tees', '--json'))
    assert [tee['active'] for tee in listed['tees']].count(True) == 1 and len(listed['tees']) == 3
    tee = next(tee for tee in listed['tees'] if not tee['active'])
    home.good('tees', 'select', tee['tee_id'])
    assert tee['tee_id'] in home.good('test', 'x')


def test_a_full_disk(home, tmp_path):
    """Where it serves is true, even if others can be told only once there is room."""
    first = Veil(tmp_path / 'first', '--home', str(home.path), *STORE)
    room = (home.path / 'instance.lock').stat().st_size - 4  # enough as long as there is no address
    first.stop()

    def fill():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    process = subprocess.Popen([OG_VEIL, 'serve', '-f', '--port', '0', *STORE, '--home', str(home.path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=environment(**home.env), preexec_fn=fill)
    try:
        port = int(re.fullmatch(rb'listening on http://127.0.0.1:(\d+)/v1\n', process.stdout.readline())[1])
        status = home.status(*STORE)
        assert status['running'] and status['server']['port'] == 0 and home.run('test', '--port', str(port)).stderr.count(b'og-veil login') == 1
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_until(lambda: home.status(*STORE)['server']['port'] == port, what='it to tell the others')
        home.good('stop')
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.communicate()


# Ending


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_requests_that_run_may_end(tmp_path, number):
    """What runs is answered; who comes now is not let in; the program ends at once then."""
    with Peer() as peer:
        release = threading.Event()

        def wait(ex):
            release.wait(DEADLINE)
            answers.send_text(ex, 'at last')
        peer.handlers['slow'] = wait
        veil = PeerVeil(tmp_path, peer)
        outcome = []
        asker = threading.Thread(target=lambda: outcome.append(veil.ask('slow', 'x')))
        asker.start()
        peer.wait_seen('slow')
        veil.process.send_signal(number)
        wait_until(lambda: refuses_connections(veil), what='the port to be free')
        release.set()
        asker.join(DEADLINE)
        assert outcome and outcome[0].status == 200 and outcome[0].header('X-OpenGradient-Verified') == 'true'
        assert veil.wait(4) == 0
        veil.stop()


def refuses_connections(veil):
    try:
        veil.connect().close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # came just before
        pass
    return False


def test_requests_that_do_not_end_are_cancelled(tmp_path):
    with Peer() as peer:
        peer.handlers['hold'] = lambda ex: ex.hold(DEADLINE)
        veil = PeerVeil(tmp_path, peer)
        outcome = []

        def ask():
            try:
                outcome.append(veil.ask('hold', 'x').status)
            except Exception as error:  # noqa: BLE001
                outcome.append(error)
        asker = threading.Thread(target=ask)
        asker.start()
        ex = peer.wait_seen('hold')
        begun = time.monotonic()
        veil.process.send_signal(signal.SIGTERM)
        assert veil.wait() == 0
        assert 2 < time.monotonic() - begun < 15, 'five seconds, and some for a busy machine'
        asker.join(DEADLINE)
        assert ex.hung_up.wait(10) and outcome[0] != 200
        veil.stop()


def test_second_signal_ends_at_once(tmp_path):
    with Peer() as peer:
        peer.handlers['hold'] = lambda ex: ex.hold(DEADLINE)
        veil = PeerVeil(tmp_path, peer)
        asker = threading.Thread(target=ask_quietly, args=(veil,))
        asker.start()
        peer.wait_seen('hold')
        begun = time.monotonic()
        veil.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(veil), what='the first to be heard')
        veil.process.send_signal(signal.SIGTERM)
        assert veil.wait(3) == 0
        assert time.monotonic() - begun < 4, 'that is how long one signal alone would take'
        asker.join(DEADLINE)
        veil.stop()


def ask_quietly(veil):
    with contextlib.suppress(Exception):
        veil.ask('hold', 'x')


def test_stop_of_one_that_hangs(home):
    """It ends by force what does not answer."""
    home.start('--sandbox')
    pid = home.facts()['pid']
    os.kill(pid, signal.SIGSTOP)
    done = home.run('stop')
    assert done.returncode == 0 and b'by force' in done.stderr
    assert home.status()['running'] is False
    assert re.fullmatch(r'stopped og-veil \(pid %d\)\n' % pid, done.stdout.decode())

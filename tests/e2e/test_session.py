# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The session after signing in: where it is kept, that it leaks nowhere, how it is renewed, and what a running server notices."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import signal
import threading
import time

import pytest
from program import DEADLINE, OG_VEIL, PeerVeil, Sandbox, Veil, complete, run, wait_until
from signin import Bus, Login
from veil_peer import Peer

FILE = ('--session-store', 'file')


@pytest.fixture(scope='module')
def bus(tmp_path_factory):
    running = Bus(tmp_path_factory.mktemp('bus'))
    yield running
    running.stop()


@pytest.fixture
def network():
    running = Sandbox.start()
    yield running
    running.stop()


def sign_in(home, bundle, *args, env=None, code=0):
    done = run('login', '--manual', *args, input=json.dumps(bundle).encode(), home=home, env=env)
    assert done.returncode == code, done.stderr.decode()
    return done


def serve(folder, home, *args, env=None):
    return Veil(folder, *args, '--home', str(home), env=env)


def works(veil):
    return veil.ask('gpt-4.1', 'hello').status == 200


# The keyring


def leaks(tokens, folders, pids):
    """Where any of @tokens can be read: files, command lines, environments."""
    found = []
    tokens = [token.encode() for token in tokens]
    paths = [path for folder in folders for path in pathlib.Path(folder).rglob('*') if path.is_file()]
    paths += [pathlib.Path('/proc/%d/%s' % (pid, name)) for pid in pids for name in ('cmdline', 'environ')]
    for path in paths:
        data = path.read_bytes()
        found += [str(path) for token in tokens if token in data]
    return found


def test_keyring_holds_the_session(bus, network, tmp_path):
    """Through the browser's way into a real keyring; used, renewed, read back by the next server; gone after logout; and in no other place."""
    home, said, tokens = tmp_path / 'home', b'', {network.bundle['access_token'], network.bundle['refresh_token']}
    login = Login(home, network.url, '--no-browser', env=bus.env)
    login.send(json.dumps(network.bundle).encode(), Origin=network.url, Content_Type='application/json')
    assert login.end() == 0, login.output()
    said += login.output()
    assert b'keyring' in said and bus.items() == 1
    for i in range(2):
        veil = serve(tmp_path / str(i), home, env=bus.env)
        veil.secrets |= tokens
        assert works(veil)
        network.control('expire', {})
        assert works(veil), 'a refused token was not renewed'
        assert network.stats()['refreshes'] == i + 1
        bundle = json.loads(network.sign_in_page())
        tokens |= {bundle['access_token'], bundle['refresh_token']}
        assert not leaks(tokens, [tmp_path], [veil.process.pid])
        said += b''.join(line.encode() for line in veil.stdout) + json.dumps(veil.health()).encode()
        network.control('expire', {'refresh': True})
        reply = veil.ask('gpt-4.1', 'hello')
        assert reply.status == 401 and 'og-veil login' in reply.error['message']
        said += reply.body
        veil.stop()
        # Somebody signs in again for the next round.
        done = sign_in(home, json.loads(network.sign_in_page()), env=bus.env)
        said += done.stdout + done.stderr
        bundle = json.loads(network.sign_in_page())
        tokens |= {bundle['access_token'], bundle['refresh_token']}
    assert bus.items() == 1
    done = run('logout', home=home, env=bus.env)
    assert done.returncode == 0 and bus.items() == 0
    said += done.stdout + done.stderr
    assert not [token for token in tokens if token.encode() in said]
    assert not leaks(tokens, [tmp_path], [os.getpid()])
    assert run('logout', home=home, env=bus.env).returncode == 0


def test_homes_are_apart(bus, network, tmp_path):
    for name in 'ab':
        sign_in(tmp_path / name, network.bundle, env=bus.env)
    assert bus.items() == 2
    assert run('logout', home=tmp_path / 'a', env=bus.env).returncode == 0 and bus.items() == 1
    veil = serve(tmp_path / 'veil', tmp_path / 'b', env=bus.env)
    assert works(veil)
    veil.stop()
    assert run('logout', home=tmp_path / 'b', env=bus.env).returncode == 0 and bus.items() == 0


def test_keyring_that_was_restarted(network, tmp_path):
    """The item outlives the daemon; a server that runs through the restart goes on."""
    bus = Bus(tmp_path / 'bus')
    sign_in(tmp_path / 'home', network.bundle, env=bus.env)
    veil = serve(tmp_path / 'veil', tmp_path / 'home', env=bus.env)
    assert works(veil)
    bus.restart_keyring()
    assert bus.items() == 1 and works(veil)
    network.control('expire', {})
    assert works(veil)
    veil.stop()
    veil = serve(tmp_path / 'again', tmp_path / 'home', env=bus.env)
    assert works(veil)
    veil.stop()
    bus.stop()


def answers_at_once(veil):
    """The loop is not held: /health comes in no time while the keyring is waited for."""
    begun = time.monotonic()
    assert veil.health()['status'] == 'not_signed_in'
    assert time.monotonic() - begun < 1


def test_no_keyring(network, tmp_path):
    """Said before anybody signs in for nothing, with the ways out; the endpoint serves all the same, and says it too."""
    env = {'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent/bus', 'XDG_RUNTIME_DIR': '/nonexistent'}
    home = tmp_path / 'home'
    done = sign_in(home, network.bundle, env=env, code=1)
    assert b'keyring' in done.stderr and b'--session-store file' in done.stderr and b'serve -f --login' in done.stderr
    assert network.bundle['access_token'].encode() not in done.stderr and b'access' not in b''.join(
        path.read_bytes() for path in home.rglob('*') if path.is_file())
    veil = serve(tmp_path / 'veil', home, env=env)
    reply = veil.ask('x', 'x')
    assert reply.status == 401 and 'keyring' in reply.error['message'] and '--session-store file' in reply.error['message']
    veil.stop()


def test_sign_in_for_one_run(network, tmp_path):
    """Without a keyring, `serve --login` signs in and serves, and says that it will not last."""
    seen, script = tmp_path / 'url', tmp_path / 'browser'
    script.write_text('#!/bin/sh\nprintf %%s "$1" > "%s.new" && mv "%s.new" "%s"\n' % (seen, seen, seen))
    script.chmod(0o755)
    env = {'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent/bus', 'XDG_RUNTIME_DIR': '/nonexistent', 'BROWSER': str(script)}
    started = []
    thread = threading.Thread(target=lambda: started.append(serve(tmp_path / 'veil', tmp_path / 'home', '--login', '--app-url', network.url, env=env)))
    thread.start()
    wait_until(seen.exists, what='the browser to be opened')
    network.post_bundle(seen.read_text())
    thread.join(DEADLINE)
    [veil] = started
    assert works(veil) and b'for this run only' in veil.stderr() and b'--session-store file' in veil.stderr()
    network.control('expire', {})
    assert works(veil), 'renewed in memory'
    veil.stop()
    veil = serve(tmp_path / 'next', tmp_path / 'home', env={k: v for k, v in env.items() if k != 'BROWSER'})
    assert veil.ask('x', 'x').status == 401
    veil.stop()


def test_serve_login_leaves_what_is_stored(network, tmp_path):
    """Somebody is signed in: nothing is written over what another process may have renewed, but its network is looked at."""
    home = tmp_path / 'home'
    sign_in(home, network.bundle, *FILE)
    before = (home / 'session.json').stat()
    (home / 'trust.json').unlink()
    veil = serve(tmp_path / 'veil', home, '--login', *FILE)
    assert works(veil)
    veil.stop()
    after = (home / 'session.json').stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns) and (home / 'trust.json').exists()
    (home / 'trust.json').write_text('{}')
    (home / 'trust.json').chmod(0o600)
    done = run('serve', '-f', '--login', '--port', '0', *FILE, home=home)
    assert done.returncode == 1 and b'--trust-new-network' in done.stderr and json.loads((home / 'trust.json').read_bytes()) == {}


def test_hanging_keyring(network, tmp_path):
    """A service that takes calls and never answers: everybody is told within bounds, and nobody waits for it but who must."""
    bus, home = Bus(tmp_path / 'bus', 'hanging'), tmp_path / 'home'
    begun = time.monotonic()
    veil = serve(tmp_path / 'veil', home, env=bus.env)
    assert time.monotonic() - begun < 5
    answers_at_once(veil)
    begun = time.monotonic()
    reply = veil.ask('x', 'x')
    assert reply.status == 401 and 'keyring' in reply.error['message'] and time.monotonic() - begun < 8
    answers_at_once(veil)
    done = sign_in(home, network.bundle, env=bus.env, code=1)
    assert b'does not answer' in done.stderr and b'--session-store file' in done.stderr and time.monotonic() - begun < 25
    veil.stop()
    bus.stop()


def test_locked_keyring(network, tmp_path):
    """Locked, and nobody there to unlock it: the endpoint runs, says so, and takes the session up by itself once it is unlocked."""
    bus, home = Bus(tmp_path / 'bus'), tmp_path / 'home'
    sign_in(home, network.bundle, env=bus.env)
    bus.restart_keyring(None)
    veil = serve(tmp_path / 'veil', home, env=bus.env)
    answers_at_once(veil)
    reply = veil.ask('x', 'x')
    assert reply.status == 401 and 'keyring' in reply.error['message'] and 'unlock' in reply.error['message']
    answers_at_once(veil)
    bus.restart_keyring()
    wait_until(lambda: works(veil), what='the session to be taken up')
    veil.stop()
    bus.stop()


def test_keyring_that_is_locked_amid_a_renewal(network, tmp_path):
    """The spent token is in the keyring, its successor in memory alone: that is put there as soon as the keyring is unlocked, or asked for a last time."""
    bus, home = Bus(tmp_path / 'bus'), tmp_path / 'home'
    sign_in(home, network.bundle, env=bus.env)
    for name, last in ('unlocked', False), ('at the end', True):
        veil = serve(tmp_path / name, home, env=bus.env)
        assert works(veil)
        bus.restart_keyring(None)
        network.control('expire', {})
        assert works(veil) and (home / 'session.renewing').exists()
        bus.restart_keyring()
        if not last:
            wait_until(lambda: not (home / 'session.renewing').exists(), what='the session to be stored')
        veil.stop()
        assert not (home / 'session.renewing').exists()
        network.control('expire', {})
        veil = serve(tmp_path / (name + ', next'), home, env=bus.env)
        assert works(veil), 'the session is lost'
        veil.stop()
    bus.stop()


def test_logout_from_a_locked_keyring(network, tmp_path):
    """Says that it could not, and can be done once the keyring is unlocked."""
    bus, home = Bus(tmp_path / 'bus'), tmp_path / 'home'
    sign_in(home, network.bundle, env=bus.env)
    bus.restart_keyring(None)
    done = run('logout', home=home, env=bus.env)
    assert done.returncode == 1 and b'locked' in done.stderr and done.stdout == b'', done
    bus.restart_keyring()
    assert run('logout', home=home, env=bus.env).returncode == 0
    veil = serve(tmp_path / 'veil', home, env=bus.env)
    assert veil.ask('x', 'x').status == 401
    veil.stop()
    bus.stop()


def test_locked_keyring_that_is_unlocked_when_asked(network, tmp_path):
    """The keyring asks the person; what they answer is enough to read, to sign in anew, and to sign out."""
    bus, home = Bus(tmp_path / 'bus'), tmp_path / 'home'
    sign_in(home, network.bundle, env=bus.env)
    prompter = bus.start_prompter('a password')
    prompts = iter(prompter.stdout.readline, b'')
    bus.restart_keyring(None)
    veil = serve(tmp_path / 'veil', home, env=bus.env)
    assert next(prompts) == b'prompt password\n'
    wait_until(lambda: works(veil), what='the session to be taken up')
    veil.stop()
    bus.restart_keyring(None)
    sign_in(home, network.bundle, env=bus.env)
    assert next(prompts) == b'prompt password\n'
    bus.restart_keyring(None)
    done = run('logout', home=home, env=bus.env)
    assert done.returncode == 0 and done.stdout == b'signed out\n', done
    assert next(prompts) == b'prompt password\n' and bus.items() == 0
    bus.restart_keyring()
    assert bus.items() == 0
    bus.stop()


def test_locked_keyring_that_stays_locked(network, tmp_path):
    """The person closes the prompt: once is enough for each, and all say what to do."""
    bus, home = Bus(tmp_path / 'bus'), tmp_path / 'home'
    sign_in(home, network.bundle, env=bus.env)
    prompter = bus.start_prompter()
    bus.restart_keyring(None)
    veil = serve(tmp_path / 'veil', home, env=bus.env)
    assert prompter.stdout.readline() == b'prompt password\n'
    answers_at_once(veil)
    reply = veil.ask('x', 'x')
    assert reply.status == 401 and 'unlock' in reply.error['message']
    veil.stop()
    for command in ('logout', 'login'):
        done = run(command, *['--no-browser'][:command == 'login'], home=home, env=bus.env)
        assert done.returncode == 1 and b'locked' in done.stderr and done.stdout == b'', done
        assert prompter.stdout.readline() == b'prompt password\n'
    prompter.kill()
    assert prompter.stdout.read() == b''
    bus.restart_keyring()
    assert bus.items() == 1
    bus.stop()


def test_logout_leaves_no_file(network, tmp_path):
    bus, home = Bus(tmp_path / 'bus'), tmp_path / 'home'
    done = run('login', '--manual', '--session-store', 'file', input=json.dumps(network.bundle).encode(), home=home, env=bus.env)
    assert done.returncode == 0 and (home / 'session.json').exists()
    shutil.copy(home / 'session.json', home / 'session.json.aB3xYz')  # as a crash amid saving leaves it
    assert run('logout', home=home, env=bus.env).returncode == 0
    assert not list(home.glob('session.json*'))
    bus.stop()


# Renewal


def test_renewal_before_it_runs_out(tmp_path):
    """An access token of 62 seconds is renewed two seconds on, with nobody asking; what was rotated is in the store."""
    network = Sandbox.start('--expires-in', '62')
    sign_in(tmp_path / 'home', network.bundle, *FILE)
    veil = serve(tmp_path / 'veil', tmp_path / 'home', *FILE)
    wait_until(lambda: network.stats()['refreshes'] == 1, what='the renewal')
    stored = lambda: json.loads((tmp_path / 'home' / 'session.json').read_bytes())  # noqa: E731
    wait_until(lambda: stored()['refresh_token'] != network.bundle['refresh_token'], what='the store')
    assert stored()['refresh_token'] == json.loads(network.sign_in_page())['refresh_token'] and works(veil)
    assert not (tmp_path / 'home' / 'session.renewing').exists()
    veil.stop()
    network.stop()


def test_one_renewal_for_all_who_wait(network, tmp_path):
    sign_in(tmp_path / 'home', network.bundle, *FILE)
    veil = serve(tmp_path / 'veil', tmp_path / 'home', *FILE)
    assert works(veil)
    network.control('expire', {})
    results = []
    crowd = [threading.Thread(target=lambda: results.append(works(veil))) for _ in range(30)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(DEADLINE)
    assert results == [True] * 30 and network.stats()['refreshes'] == 1
    veil.stop()


def test_refused_renewal(network, tmp_path):
    sign_in(tmp_path / 'home', network.bundle, *FILE)
    veil = serve(tmp_path / 'veil', tmp_path / 'home', *FILE)
    network.control('expire', {'refresh': True})
    for _ in range(2):
        reply = veil.ask('gpt-4.1', 'hello')
        assert reply.status == 401 and 'og-veil login' in reply.error['message']
    assert veil.health()['status'] == 'not_signed_in'
    sign_in(tmp_path / 'home', json.loads(network.sign_in_page()), *FILE)
    assert works(veil)
    veil.stop()


def test_renewal_that_fails_for_now(network, tmp_path):
    """500 keeps the session: a later request has it renewed."""
    sign_in(tmp_path / 'home', network.bundle, *FILE)
    veil = serve(tmp_path / 'veil', tmp_path / 'home', *FILE)
    network.control('expire', {})
    network.control('fault', {'fault': 'refresh-500', 'times': 1})
    reply = veil.ask('gpt-4.1', 'hello')
    assert reply.status == 502 and 'renewed' in reply.error['message']
    assert works(veil)
    veil.stop()


def test_403_is_not_retried(network, tmp_path):
    sign_in(tmp_path / 'home', network.bundle, *FILE)
    veil = serve(tmp_path / 'veil', tmp_path / 'home', *FILE)
    assert veil.ask('fault-relay-403', 'hello').status == 401
    assert network.stats()['refreshes'] == 0
    total = network.stats()['total']
    assert veil.ask('fault-relay-401', 'hello').status == 401
    assert network.stats()['refreshes'] == 1 and network.stats()['total'] == total + 2, 'one renewal, one more try'
    veil.stop()


@contextlib.contextmanager
def renewing(folder):
    """A server amid a renewal, which the network answers when the gate opens."""
    with Peer() as peer:
        home, gate = folder / 'home', threading.Event()
        bundle = peer.bundle()
        bundle['expires_at'], bundle['expires_in'] = int(time.time()) + 30, 30
        answer = peer.relay_refresh
        peer.relay_refresh = lambda message: gate.wait(DEADLINE) and answer(message)
        sign_in(home, bundle, *FILE)
        veil = serve(folder / 'veil', home, *FILE)
        assert peer.wait(lambda: peer.refreshes), 'no renewal'
        assert (home / 'session.renewing').exists()
        try:
            yield peer, veil, home, bundle, gate
        finally:
            gate.set()
            peer.relay_refresh = answer


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_ended_amid_a_renewal(tmp_path, number):
    """The endpoint ends at once, the program when it has stored what it got for the token that is spent."""
    with renewing(tmp_path) as (peer, veil, home, bundle, gate):
        veil.process.send_signal(number)
        wait_until(lambda: not listens(veil), what='the endpoint to close')
        assert veil.process.poll() is None
        gate.set()
        veil.process.wait(DEADLINE)
        veil.stop()
        stored = json.loads((home / 'session.json').read_bytes())
        assert stored['refresh_token'] != bundle['refresh_token'] and stored['refresh_token'] in peer.refresh_tokens
        assert not (home / 'session.renewing').exists()
        veil = serve(tmp_path / 'next', home, *FILE)
        assert veil.ask('echo', 'x').status == 200
        veil.stop()


def listens(veil):
    with contextlib.suppress(ConnectionError):
        veil.connect().close()
        return True
    return False


def test_ended_amid_a_renewal_that_does_not_end(tmp_path):
    """Four seconds, and no more."""
    with renewing(tmp_path) as (peer, veil, home, bundle, gate):
        begun = time.monotonic()
        veil.process.terminate()
        veil.process.wait(DEADLINE)
        veil.stop()
        assert 3.5 < time.monotonic() - begun < 8
        assert (home / 'session.renewing').exists()


def test_ended_in_a_hurry(tmp_path):
    """Who asks twice does not wait."""
    with renewing(tmp_path) as (peer, veil, home, bundle, gate):
        begun = time.monotonic()
        veil.process.terminate()
        wait_until(lambda: not listens(veil), what='the endpoint to close')
        veil.process.send_signal(signal.SIGINT)
        veil.stop()
        assert time.monotonic() - begun < 3.5


def test_crash_between_renewal_and_store(tmp_path):
    """Killed when the server has spent the token and the answer is on its way: the next run says what was lost, and signing in mends it."""
    with renewing(tmp_path) as (peer, veil, home, bundle, gate):
        veil.kill()
        gate.set()
        assert peer.wait(lambda: bundle['refresh_token'] not in peer.refresh_tokens)
        veil = serve(tmp_path / 'next', home, *FILE)
        wait_until(lambda: veil.health()['status'] == 'not_signed_in', what='the refusal')
        reply = veil.ask('echo', 'x')
        assert reply.status == 401 and 'between renewing and storing' in reply.error['message']
        sign_in(home, peer.bundle(), *FILE)
        assert veil.ask('echo', 'x').status == 200
        veil.stop()


def test_signed_in_from_the_first_request_on(network, tmp_path):
    """Whoever asks as soon as it listens is not told that nobody is signed in."""
    home = tmp_path / 'home'
    sign_in(home, network.bundle, *FILE)
    for i in range(6):
        veil = serve(tmp_path / str(i), home, *FILE)
        assert veil.health()['status'] != 'not_signed_in'
        veil.stop()


# Take-over by a running server


@pytest.mark.parametrize('store', ['keyring', 'file'])
def test_taken_up_at_once(bus, network, tmp_path, store):
    """A login, a login as somebody else and a logout of another process hold for the very next request."""
    home, args = tmp_path / 'home', ('--session-store', store)
    veil = serve(tmp_path / 'veil', home, *args, env=bus.env)
    assert veil.ask('gpt-4.1', 'hello').status == 401
    for _ in range(3):
        sign_in(home, json.loads(network.sign_in_page()), *args, env=bus.env)
        assert works(veil)
        network.control('account', {})
        assert veil.ask('gpt-4.1', 'hello').status == 401
        sign_in(home, json.loads(network.sign_in_page()), *args, env=bus.env)
        assert works(veil)
        assert run('logout', *args, home=home, env=bus.env).returncode == 0
        assert veil.ask('gpt-4.1', 'hello').status == 401 and veil.health()['status'] == 'not_signed_in'
    veil.stop()


def test_session_that_was_removed_by_hand(network, tmp_path):
    """Nobody told the server. A renewal finds out: it stores nothing again, and the next sign-in is taken up."""
    home = tmp_path / 'home'
    sign_in(home, network.bundle, *FILE)
    veil = serve(tmp_path / 'veil', home, *FILE)
    assert works(veil)
    (home / 'session.json').unlink()
    network.control('expire', {})
    reply = veil.ask('gpt-4.1', 'hello')
    assert reply.status == 401 and 'og-veil login' in reply.error['message'] and network.stats()['refreshes'] == 1
    assert not list(home.glob('session.json*')) and veil.health()['status'] == 'not_signed_in'
    sign_in(home, json.loads(network.sign_in_page()), *FILE)
    assert works(veil)
    veil.stop()


def test_session_of_another_network_that_was_put_there(network, tmp_path):
    """A renewal writes nothing over it; and it is held until somebody consents."""
    home = tmp_path / 'home'
    sign_in(home, network.bundle, *FILE)
    veil = serve(tmp_path / 'veil', home, *FILE)
    assert works(veil)
    foreign = {**network.bundle, 'refresh_token': 'foreign', 'config': {**network.bundle['config'], 'supabase_url': 'https://auth.example'}}
    (home / 'session.json').write_text(json.dumps(foreign))
    network.control('expire', {})
    assert veil.ask('gpt-4.1', 'hello').status == 401
    reply = veil.ask('gpt-4.1', 'hello')
    assert reply.status == 401 and '--trust-new-network' in reply.error['message'] and 'https://auth.example' in reply.error['message']
    assert json.loads((home / 'session.json').read_bytes()) == foreign
    veil.stop()


def test_requests_that_run_keep_their_session(network, tmp_path):
    home = tmp_path / 'home'
    sign_in(home, network.bundle, *FILE)
    veil = serve(tmp_path / 'veil', home, *FILE)
    replies = []
    asker = threading.Thread(target=lambda: replies.append(veil.ask('gpt-4.1', 'slow:1500')))
    asker.start()
    wait_until(lambda: network.stats()['in_flight'] == 1)
    assert run('logout', *FILE, home=home).returncode == 0
    assert veil.ask('gpt-4.1', 'hello').status == 401
    asker.join(DEADLINE)
    assert replies[0].status == 200
    veil.stop()


# A clock that jumps


def used(pid):
    """Seconds of processor time."""
    fields = pathlib.Path('/proc/%d/stat' % pid).read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def test_clock_that_jumps(tmp_path):
    """By a day, there and back: what was signed is not taken for new then, which is said; the session is renewed once, and nothing stays of it."""
    clock = tmp_path / 'clock'

    def jump(days):
        (tmp_path / 'next').write_text(str(days * 86400))
        os.rename(tmp_path / 'next', clock)
    with Peer() as peer:
        jump(0)
        veil = PeerVeil(tmp_path / 'veil', peer, '--refresh-interval', '1', env={'LD_PRELOAD': os.environ['VEIL_CLOCK'], 'TEST_CLOCK': str(clock)})
        assert works(veil) and peer.refreshes == []
        for days, renewals in ((1, 1), (-1, 0)):
            peer.refreshes.clear()
            jump(days)
            reads, before = len(peer.rpc_calls), used(veil.process.pid)
            for _ in range(3):
                reply = veil.ask('gpt-4.1', 'hello')
                assert reply.status == 502 and reply.error['code'] == 'stale_response' and 'clock' in reply.error['message'], reply.body
            assert peer.wait(lambda: len(peer.rpc_calls) >= reads + 2), 'the registry is no longer read'
            assert len(peer.rpc_calls) <= reads + 30 and used(veil.process.pid) < before + 5, 'it is busy with the clock'
            assert len(peer.refreshes) == renewals and veil.health()['status'] == 'ok'
            jump(0)
            assert works(veil) and len(peer.refreshes) == renewals
        veil.stop()


# Several who sign in


def test_sign_ins_at_once(network, tmp_path):
    """Each is done as a whole, or refused in one sentence; and who serves is who signed in last."""
    other, home = Sandbox.start(), tmp_path / 'home'
    veil = serve(tmp_path / 'served', home, *FILE)
    bundles = [json.loads(place.sign_in_page()) for place in (network, other, network, other)]
    for i, bundle in enumerate(bundles):
        bundle['user']['email'] = 'person-%d@example.org' % i
    done = {}
    threads = [threading.Thread(target=lambda i=i: done.update({i: run('login', '--manual', *FILE, input=json.dumps(bundles[i]).encode(), home=home)})) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = json.loads((home / 'session.json').read_text())
    trusted = stored['config']['chat_api_base_url']
    for i, one in done.items():
        good = bundles[i]['config']['chat_api_base_url'] == trusted
        assert one.returncode == (0 if good else 1), one
        assert one.stderr.count(b'\n') == (0 if good else 1) and (good or b'another network' in one.stderr), one
    assert len(done) == 4 and stored['user']['email'] in {bundles[i]['user']['email'] for i, one in done.items() if one.returncode == 0}
    assert json.loads((home / 'trust.json').read_text())['relay'] == trusted
    wait_until(lambda: works(veil), what='it to be taken up')
    status = json.loads(run('status', '--json', *FILE, home=home).stdout)
    assert status['account']['email'] == stored['user']['email'] and status['relay'] == trusted
    veil.stop()
    assert sorted(path.name for path in home.iterdir()) == ['session.generation', 'session.json', 'session.lock', 'trust.json'], 'nothing half done is left'
    other.stop()


def test_sign_in_on_a_full_disk(network, tmp_path):
    """One sentence, and the session from before is kept, for the server as well; signing out works."""
    home, bundle = tmp_path / 'home', json.loads(network.sign_in_page())
    sign_in(home, bundle, *FILE)
    veil, before = serve(tmp_path / 'served', home, *FILE), (home / 'session.json').read_bytes()
    bundle['user']['email'] = 'another@example.org'

    def fill():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
    def call(*command, text=b''):
        return complete([OG_VEIL, *command, *FILE, '--home', str(home)], input=text, preexec_fn=fill)
    done = call('login', '--manual', text=json.dumps(bundle).encode())
    assert done.returncode == 1 and b'cannot be written' in done.stderr and done.stderr.count(b'\n') == 1 and done.stdout == b'', done
    assert (home / 'session.json').read_bytes() == before and works(veil)
    # To forget needs no room.
    done = call('logout')
    assert done.returncode == 0 and not (home / 'session.json').exists(), done
    assert veil.ask('gpt-4.1', 'hello').status == 401, 'the server was not told'
    veil.stop()

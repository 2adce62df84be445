# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Signing in through the browser: who may hand over a login bundle, and that Chromium can."""

import contextlib
import json
import os
import pathlib
import signal
import socket

import pytest
from program import DEADLINE, Sandbox, Veil, run, wait_until
from signin import Chromium, Login

STORE = ('--session-store', 'file')


@pytest.fixture(scope='module')
def network():
    running = Sandbox.start()
    yield running
    running.stop()


@pytest.fixture
def home(tmp_path):
    return tmp_path / 'home'


@pytest.fixture
def login(network, home):
    running = Login(home, network.url, '--no-browser', *STORE)
    yield running
    running.cancel()


def good(network):
    return {'Origin': network.url, 'Content_Type': 'application/json'}


def bundle(network):
    return json.dumps(network.bundle).encode()


def finish(login, network, home):
    status, headers, body = login.send(bundle(network), **good(network))
    assert status == 200 and json.loads(body) == {'ok': True} and headers['access-control-allow-origin'] == network.url
    assert login.end() == 0, login.output()
    assert json.loads((home / 'session.json').read_bytes())['access_token'] == network.bundle['access_token']
    assert network.bundle['access_token'].encode() not in login.output()
    assert network.bundle['refresh_token'].encode() not in login.output()


def test_a_sender_that_waits_to_be_told_to_go_on(login, network, home):
    """After "100 Continue" the answer has the headers of any other."""
    status, headers, _ = login.send(bundle(network), **good(network), Expect='100-continue')
    assert status == 200 and headers['access-control-allow-origin'] == network.url
    assert (headers['cache-control'], headers['connection'], headers['vary']) == ('no-store', 'close', 'Origin')
    assert login.end() == 0, login.output()


def test_the_page_is_told_that_it_may(login, network, home):
    """The preflight of a browser, with and without the private network question."""
    asked = {'Origin': network.url, 'Access_Control_Request_Method': 'POST', 'Access_Control_Request_Headers': 'content-type'}
    status, headers, _ = login.send(None, 'OPTIONS', **asked)
    assert status == 204 and 'access-control-allow-private-network' not in headers
    status, headers, _ = login.send(None, 'OPTIONS', **asked, Access_Control_Request_Private_Network='true')
    assert status == 204 and headers['access-control-allow-private-network'] == 'true'
    assert headers['access-control-allow-origin'] == network.url and headers['access-control-allow-methods'] == 'POST'
    assert headers['access-control-allow-headers'].lower() == 'content-type' and 'origin' in headers['vary'].lower()
    finish(login, network, home)


def test_foreign_pages_are_told_nothing(login, network, home):
    for origin in ('https://evil.example', 'null', None):
        status, headers, _ = login.send(None, 'OPTIONS', Origin=origin, Access_Control_Request_Method='POST')
        assert status == 403 and not [name for name in headers if name.startswith('access-control')], headers
    finish(login, network, home)


def changed(network, path, value):
    copy = json.loads(json.dumps(network.bundle))
    at = copy
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return json.dumps(copy).encode()


REFUSED = {
    'wrong origin': (403, lambda n, l: ({'Origin': 'https://evil.example'}, {})),
    'origin of another port': (403, lambda n, l: ({'Origin': 'http://127.0.0.1:1'}, {})),
    'origin with a path': (403, lambda n, l: ({'Origin': n.url + '/'}, {})),
    'null origin': (403, lambda n, l: ({'Origin': 'null'}, {})),
    'no origin': (403, lambda n, l: ({'Origin': None}, {})),
    'wrong path': (404, lambda n, l: ({}, {'path': '/' + '0' * 48})),
    'no path': (404, lambda n, l: ({}, {'path': '/'})),
    'longer path': (404, lambda n, l: ({}, {'path': l.target.path + '/x'})),
    'path with a query': (404, lambda n, l: ({}, {'path': l.target.path + '?a=b'})),
    'foreign host': (403, lambda n, l: ({'Host': 'evil.example:%d' % l.target.port}, {})),
    'host of another port': (403, lambda n, l: ({'Host': '127.0.0.1:1'}, {})),
    'host without a port': (403, lambda n, l: ({'Host': '127.0.0.1'}, {})),
    'foreign host in the target': (403, lambda n, l: ({}, {'path': 'http://evil.example:%d%s' % (l.target.port, l.target.path)})),
    'foreign port in the target': (403, lambda n, l: ({}, {'path': 'http://127.0.0.1:1' + l.target.path})),
    'somebody in the target': (403, lambda n, l: ({}, {'path': 'http://me@%s%s' % (l.target.netloc, l.target.path)})),
    'path with a fragment': (403, lambda n, l: ({}, {'path': l.target.path + '#x'})),
    'get': (405, lambda n, l: ({}, {'method': 'GET'})),
    'put': (405, lambda n, l: ({}, {'method': 'PUT'})),
    'text/plain': (415, lambda n, l: ({'Content_Type': 'text/plain'}, {})),
    'a form': (415, lambda n, l: ({'Content_Type': 'application/x-www-form-urlencoded'}, {})),
    'no type': (415, lambda n, l: ({'Content_Type': None}, {})),
    'two types': (415, lambda n, l: ({'Content_Type': 'application/json, text/plain'}, {})),
    'compressed': (415, lambda n, l: ({'Content_Encoding': 'gzip'}, {})),
    'too large': (413, lambda n, l: ({}, {'body': b' ' * 300000})),
    'too large, in chunks': (413, lambda n, l: ({'Content_Length': None, 'Transfer_Encoding': 'chunked'},
                                               {'body': b'%x\r\n%s\r\n0\r\n\r\n' % (300000, b' ' * 300000)})),
    'too large, told to go on': (413, lambda n, l: ({'Content_Length': None, 'Transfer_Encoding': 'chunked', 'Expect': '100-continue'},
                                                    {'body': b'%x\r\n%s\r\n0\r\n\r\n' % (300000, b' ' * 300000)})),
    'a length that overflows': (413, lambda n, l: ({'Content_Length': str(2 ** 64 - 1), 'Expect': '100-continue'}, {})),
    'empty': (400, lambda n, l: ({}, {'body': b''})),
    'malformed': (400, lambda n, l: ({}, {'body': bundle(n)[:-1]})),
    'not an object': (400, lambda n, l: ({}, {'body': b'[]'})),
    'wrong type': (400, lambda n, l: ({}, {'body': changed(n, ['type'], 'other')})),
    'no access token': (400, lambda n, l: ({}, {'body': changed(n, ['access_token'], None)})),
    'no config': (400, lambda n, l: ({}, {'body': changed(n, ['config'], None)})),
    'no registry': (400, lambda n, l: ({}, {'body': changed(n, ['config', 'tee_registry_address'], None)})),
    'relay without tls': (400, lambda n, l: ({}, {'body': changed(n, ['config', 'chat_api_base_url'], 'http://relay.example')})),
    'auth without tls': (400, lambda n, l: ({}, {'body': changed(n, ['config', 'supabase_url'], 'http://auth.example')})),
    'registry without tls': (400, lambda n, l: ({}, {'body': changed(n, ['config', 'tee_registry_rpc_url'], 'http://rpc.example')})),
}


@pytest.mark.parametrize('name', REFUSED)
def test_only_the_right_bundle(login, network, home, name):
    """Refused, nothing is stored, and the listener still takes the right one."""
    expected, make = REFUSED[name]
    headers, request = make(network, login)
    body = request.pop('body', bundle(network))
    status, answer_headers, answer = login.send(body, **{**good(network), **headers}, **request)
    assert status == expected, (status, answer)
    assert json.loads(answer)['ok'] is False
    assert (answer_headers['cache-control'], answer_headers['connection'], answer_headers['vary']) == ('no-store', 'close', 'Origin')
    assert answer_headers.get('access-control-allow-origin') == (None if expected in (403, 404) else network.url)
    assert network.bundle['access_token'].encode() not in answer
    assert not home.exists() or not list(home.glob('session.json')), 'something was stored'
    assert login.process.poll() is None
    finish(login, network, home)


def test_target_in_absolute_form(login, network, home):
    """As a proxy is asked, but of ourselves: RFC 9112 has servers take it."""
    status, _, _ = login.send(bundle(network), path='https://%s%s' % (login.target.netloc, login.target.path), **good(network))
    assert status == 400 and login.process.poll() is None
    login.target = login.target._replace(path=login.redirect_uri)
    finish(login, network, home)


def test_two_headers_of_a_name(login, network, home):
    """A second one does not hide behind the first."""
    for double in ('Host: evil.example', 'Origin: https://evil.example', 'Content-Type: text/plain'):
        body = bundle(network)
        with socket.create_connection((login.target.hostname, login.target.port), DEADLINE) as sock:
            sock.sendall(('POST %s HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nContent-Type: application/json\r\n%s\r\nContent-Length: %d\r\n\r\n'
                          % (login.target.path, login.target.netloc, network.url, double, len(body))).encode() + body)
            answer = sock.makefile('rb').read()
        assert b' 200 ' not in answer.split(b'\r\n')[0], double
    assert not (home / 'session.json').exists()
    finish(login, network, home)


def test_second_bundle(login, network, home):
    """Two begin to post at once; one of them signs in."""
    body = bundle(network)
    head = ('POST %s HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n'
            % (login.target.path, login.target.netloc, network.url, len(body))).encode()
    pair = [socket.create_connection((login.target.hostname, login.target.port), DEADLINE) for _ in range(2)]
    for sock in pair:
        sock.sendall(head + body[:-1])
    for sock in pair:
        sock.sendall(body[-1:])
    answers = []
    for sock in pair:
        try:
            answers.append(sock.makefile('rb').read())
        except ConnectionError:
            answers.append(b'')
        sock.close()
    assert sorted(b' 200 ' in answer[:20] for answer in answers) == [False, True], answers
    assert login.end() == 0


def test_crowd_at_the_door(login, network, home):
    """Connections that say nothing keep nobody out."""
    crowd = [socket.create_connection((login.target.hostname, login.target.port), DEADLINE) for _ in range(200)]
    finish(login, network, home)
    for sock in crowd:
        sock.close()


@pytest.mark.parametrize('origin', ['', 'https://evil.example'], ids=['ours', 'foreign'])
def test_body_without_end(login, network, home, origin):
    """What is refused is read on for a while so that the sender sees why, and then cut off; the listener still takes the right one."""
    with socket.create_connection((login.target.hostname, login.target.port), DEADLINE) as sock:
        sock.sendall(('POST %s HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n'
                      % (login.target.path, login.target.netloc, origin or network.url)).encode())
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 200 << 20:
                sock.sendall(b' ' * 65536)
                sent += 65536
        assert sent < 200 << 20, 'it is read for ever'
    assert login.process.poll() is None
    finish(login, network, home)


def test_listener_is_on_loopback_only(login):
    rows = [row.split() for path in ('/proc/net/tcp', '/proc/net/tcp6') for row in open(path).readlines()[1:]]
    mine = [row[1].split(':')[0] for row in rows if row[3] == '0A' and int(row[1].split(':')[1], 16) == login.target.port]
    assert mine == ['0100007F']
    assert len(login.target.path) >= 33 and login.target.hostname == '127.0.0.1'


def test_two_logins_have_different_paths(network, tmp_path):
    pair = [Login(tmp_path / str(i), network.url, '--no-browser', *STORE) for i in range(2)]
    assert pair[0].target.path != pair[1].target.path
    for login in pair:
        login.cancel()


def test_cancelled(network, home):
    login = Login(home, network.url, '--no-browser', *STORE)
    login.process.send_signal(signal.SIGINT)
    assert login.process.wait(DEADLINE) != 0 and not (home / 'session.json').exists()


@pytest.mark.parametrize('url', ['http://app.example', 'ftp://app.example', 'https://me@app.example', 'nonsense', 'https://app.example/?a=b'])
def test_app_urls(tmp_path, url):
    done = run('login', '--no-browser', '--app-url', url, home=tmp_path)
    assert done.returncode == 2 and b'--app-url' in done.stderr


def test_one_way_at_a_time(tmp_path):
    assert run('login', '--no-browser', '--manual', home=tmp_path).returncode == 2


# Chromium


@pytest.fixture(scope='module')
def chromium(tmp_path_factory):
    running = Chromium(tmp_path_factory.mktemp('chromium'))
    yield running
    running.stop()


def browser_script(folder):
    """What $BROWSER names: hands the address to the test, which drives the real browser there."""
    folder.mkdir(parents=True, exist_ok=True)
    script, seen = folder / 'browser', folder / 'url'
    script.write_text('#!/bin/sh\nprintf %%s "$1" > "%s.new" && mv "%s.new" "%s"\n' % (seen, seen, seen))
    script.chmod(0o755)
    return script, seen


def test_chromium_signs_in(chromium, network, tmp_path):
    """xdg-open is given the page; the page posts across origins; the program ends signed in, and what it got serves."""
    home = tmp_path / 'home'
    script, seen = browser_script(tmp_path / 'bin')
    login = Login(home, network.url, *STORE, env={'BROWSER': str(script), 'HOME': str(tmp_path)})
    wait_until(seen.exists, what='the browser to be opened')
    assert seen.read_text() == login.url
    chromium.open(seen.read_text())
    assert 'Veil' in chromium.evaluate('document.body.innerText')
    chromium.click('#allow')
    assert login.end() == 0, login.output()
    wait_until(lambda: 'signed in' in chromium.evaluate("document.querySelector('#status').textContent"), what='the page to say so')
    veil = Veil(tmp_path / 'veil', *STORE, '--home', str(home))
    assert veil.ask('gpt-4.1', 'hello').status == 200
    veil.stop()


def test_chromium_shows_the_code_when_nobody_listens(chromium, network, tmp_path):
    """The manual way: the page cannot reach the program, shows the bundle, and that is pasted."""
    login = Login(tmp_path / 'gone', network.url, '--no-browser', *STORE)
    login.cancel()
    chromium.open(login.url)
    chromium.click('#allow')
    wait_until(lambda: chromium.evaluate("!document.querySelector('#manual').hidden"), what='the code')
    code = chromium.evaluate("document.querySelector('#code').value")
    done = run('login', '--manual', *STORE, input=code.encode(), home=tmp_path / 'home')
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / 'home' / 'session.json').read_bytes())['access_token'] == network.bundle['access_token']


def test_chromium_cannot_from_elsewhere(chromium, network, tmp_path):
    """The same page under another origin (localhost is not 127.0.0.1): the browser asks, is told no, and nothing is stored."""
    home = tmp_path / 'home'
    login = Login(home, network.url, '--no-browser', *STORE)
    chromium.open(login.url.replace('//127.0.0.1:', '//localhost:', 1))
    chromium.click('#allow')
    wait_until(lambda: chromium.evaluate("!document.querySelector('#manual').hidden"), what='the refusal')
    assert login.process.poll() is None and not (home / 'session.json').exists()
    finish(login, network, home)


def test_no_browser_at_all(network, tmp_path):
    """No xdg-open, no handler: it says so, and the address is there to be visited."""
    nothing = {name: '/nonexistent' for name in ('PATH', 'XDG_DATA_HOME', 'XDG_DATA_DIRS', 'XDG_CONFIG_HOME', 'XDG_CONFIG_DIRS')}
    login = Login(tmp_path / 'home', network.url, *STORE, env={**nothing, 'HOME': str(tmp_path), 'GTK_USE_PORTAL': '0', 'SNAP': ''})
    wait_until(lambda: b'No browser' in login.output(), what='the complaint')
    finish(login, network, tmp_path / 'home')


# Trust


def foreign(network, **config):
    return json.dumps({**network.bundle, 'access_token': 'other-access', 'config': {**network.bundle['config'], **config}}).encode()


CHANGES = {'chat_api_base_url': 'https://relay.example', 'tee_registry_rpc_url': 'https://rpc.example', 'tee_registry_address': '0x' + '22' * 20,
           'tee_registry_tee_type': 1, 'supabase_url': 'https://auth.example', 'sandbox_attestation_root': '0x' + '33' * 32}


@pytest.mark.parametrize('field', CHANGES)
def test_another_network_needs_consent(network, home, field):
    """Held until the person consents; until then the first one is in force, also for a server that runs."""
    sign_in = lambda body, *args: run('login', '--manual', *STORE, *args, input=body, home=home)  # noqa: E731
    assert sign_in(bundle(network)).returncode == 0
    before = {p.name: p.read_bytes() for p in home.iterdir()}
    veil = Veil(home.parent / 'veil', *STORE, '--home', str(home))
    done = sign_in(foreign(network, **{field: CHANGES[field]}))
    assert done.returncode == 1 and b'--trust-new-network' in done.stderr and str(CHANGES[field]).encode() in done.stderr
    assert len(done.stderr.splitlines()) == 1 and b'other-access' not in done.stderr
    assert {p.name: p.read_bytes() for p in home.iterdir() if p.name != 'instance.lock'} == before
    assert veil.ask('gpt-4.1', 'hello').status == 200
    veil.stop()
    done = sign_in(foreign(network, **{field: CHANGES[field]}), '--trust-new-network')
    assert done.returncode == 0 and str(CHANGES[field]).encode() in done.stderr
    assert sign_in(foreign(network, **{field: CHANGES[field]})).returncode == 0, 'consent was given once'
    assert sign_in(bundle(network)).returncode == 1, 'and now the former network is the other one'


def test_trust_outlives_signing_out(network, home):
    assert run('login', '--manual', *STORE, input=bundle(network), home=home).returncode == 0
    assert run('logout', *STORE, home=home).returncode == 0
    assert run('login', '--manual', *STORE, input=foreign(network, **CHANGES), home=home).returncode == 1


def test_broken_trust_is_no_trust(network, home):
    assert run('login', '--manual', *STORE, input=bundle(network), home=home).returncode == 0
    (home / 'trust.json').write_text('{')
    assert run('login', '--manual', *STORE, input=bundle(network), home=home).returncode == 1
    assert run('login', '--manual', *STORE, '--trust-new-network', input=bundle(network), home=home).returncode == 0


def test_trust_that_others_can_write(network, home):
    """It is not believed, wherever it is looked at; what to do is said, and doing it helps."""
    assert run('login', '--manual', *STORE, input=bundle(network), home=home).returncode == 0
    (home / 'trust.json').chmod(0o622)
    done = run('login', '--manual', *STORE, input=bundle(network), home=home)
    assert done.returncode == 1 and b'trust.json' in done.stderr and b'chmod 600' in done.stderr and len(done.stderr.splitlines()) == 1
    veil = Veil(home.parent / 'veil', *STORE, '--home', str(home))
    reply = veil.ask('gpt-4.1', 'hello')
    assert reply.status == 401 and 'chmod 600' in reply.error['message']
    veil.stop()
    (home / 'trust.json').chmod(0o600)
    assert run('login', '--manual', *STORE, input=bundle(network), home=home).returncode == 0


def test_trust_of_before_the_sign_in_server_counted(network, home):
    """Such a file goes on working, and a server that takes it up adds what is missing."""
    assert run('login', '--manual', *STORE, input=bundle(network), home=home).returncode == 0
    path = home / 'trust.json'
    whole = json.loads(path.read_bytes())
    path.write_text(json.dumps({name: whole[name] for name in whole if name != 'auth'}))
    path.chmod(0o600)
    veil = Veil(home.parent / 'veil', *STORE, '--home', str(home))
    assert veil.ask('gpt-4.1', 'hello').status == 200
    veil.stop()
    assert json.loads(path.read_bytes()) == whole


def test_two_first_sign_ins(network, home):
    """Both were begun when nobody was signed in yet: the one that ends first decides, the other one needs consent."""
    pair = [Login(home, network.url, '--no-browser', *STORE) for _ in range(2)]
    finish(pair[0], network, home)
    status, _, _ = pair[1].send(foreign(network, **CHANGES), **good(network))
    assert status == 200 and pair[1].end() == 1 and b'--trust-new-network' in pair[1].output()
    assert json.loads((home / 'session.json').read_bytes())['access_token'] == network.bundle['access_token']


def test_session_that_was_put_there(network, home):
    """A store that somebody else wrote to does not change whom a server trusts."""
    assert run('login', '--manual', *STORE, input=bundle(network), home=home).returncode == 0
    (home / 'session.json').write_bytes(foreign(network, tee_registry_address='0x' + '22' * 20))
    veil = Veil(home.parent / 'veil', *STORE, '--home', str(home))
    reply = veil.ask('gpt-4.1', 'hello')
    assert reply.status == 401 and '--trust-new-network' in reply.error['message']
    veil.stop()


# The Python client's session


def python_session(folder, network):
    path = pathlib.Path(folder) / '.opengradient' / 'veil' / 'session.json'
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(network.bundle, indent=2))
    os.chmod(path, 0o600)
    return path


def test_import(network, home, tmp_path):
    path = python_session(tmp_path, network)
    done = run('login', '--import', *STORE, home=home, env={'HOME': str(tmp_path)})
    assert done.returncode == 0 and b'sandbox@localhost' in done.stdout
    assert json.loads((home / 'session.json').read_bytes())['refresh_token'] == network.bundle['refresh_token'] and path.exists()


def test_import_is_offered_at_the_first_sign_in_only(network, home, tmp_path):
    python_session(tmp_path, network)
    for expected in (True, False):
        login = Login(home, network.url, '--no-browser', *STORE, env={'HOME': str(tmp_path)})
        finish(login, network, home)
        assert (b'--import' in login.output()) == expected


def test_import_of_nothing(home, tmp_path):
    done = run('login', '--import', *STORE, home=home, env={'HOME': str(tmp_path)})
    assert done.returncode == 1 and b'session.json' in done.stderr and not (home / 'session.json').exists()


def test_import_of_what_others_can_read(network, home, tmp_path):
    python_session(tmp_path, network).chmod(0o644)
    done = run('login', '--import', *STORE, home=home, env={'HOME': str(tmp_path)})
    assert done.returncode == 1 and b'chmod' in done.stderr

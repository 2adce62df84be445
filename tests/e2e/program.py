# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the built programs in temporary homes, talks to them, ends them, and looks at what they leave behind."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import uuid

OG_VEIL = os.environ['OG_VEIL']
OG_VEIL_SANDBOX = os.environ['OG_VEIL_SANDBOX']
DEADLINE = float(os.environ.get('VEIL_TEST_DEADLINE', '60'))
REPORTS = re.compile(rb'AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|CRITICAL|Traceback')


# The exit code of a program in which AddressSanitizer found something.
CHECKER_CODE = 99


def environment(**extra):
    """Nothing of the caller's own Veil settings or proxies gets in."""
    env = {k: v for k, v in os.environ.items() if not k.startswith('OG_VEIL') and not k.lower().endswith('_proxy') and not re.fullmatch('XDG_.*_HOME', k)}
    # A home that nobody can make: what needs one says so, and no test meets the server of another.
    env.update({'VEIL_SANDBOX_PROGRAM': OG_VEIL_SANDBOX, 'HOME': '/dev/null/nobody', 'LC_ALL': 'C.UTF-8', 'NO_PROXY': '*', **extra})
    if 'ASAN_OPTIONS' in env:
        env['ASAN_OPTIONS'] += ':exitcode=%d' % CHECKER_CODE
    return env


def processes(token):
    """Pids of the processes that were started with @token in their environment."""
    found = []
    for entry in pathlib.Path('/proc').iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if token.encode() in (entry / 'environ').read_bytes():
                    found.append(int(entry.name))
    return found


RESERVED = []


def free_port():
    """One at which nobody listens on 127.0.0.1. The kernel gives it to nobody who asks for any port, but to who asks for this one, as GSocket does,
    with SO_REUSEADDR; until this process ends."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(('127.0.0.1', 0))
    RESERVED.append(held)
    return held.getsockname()[1]


def wait_until(condition, timeout=DEADLINE, what='the condition'):
    """For states that nobody signals (a process that ends): looked at often, with a deadline."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, 'waited %s s for %s' % (timeout, what)
        time.sleep(0.01)
    return value


def complete(command, **kwargs):
    """A program to its end. Returns the CompletedProcess; bytes."""
    return subprocess.run(command, **{'stdout': subprocess.PIPE, 'timeout': DEADLINE, 'env': environment(), **kwargs, 'stderr': subprocess.PIPE})


def assert_no_report(stderr):
    found = REPORTS.search(stderr)
    assert not found, 'the program reported:\n' + stderr[max(0, found.start() - 400):found.start() + 4000].decode(errors='replace')


def run(*args, input=b'', home=None, env=None, timeout=DEADLINE):
    """og-veil to its end. Returns the CompletedProcess; bytes."""
    args = [OG_VEIL, *args] + (['--home', str(home)] if home else [])
    done = complete(args, input=input, timeout=timeout, env=environment(**(env or {})))
    assert_no_report(done.stderr)
    assert done.returncode in (0, 1, 2), done
    return done


def sign_in(home, bundle, *args):
    done = run('login', '--manual', '--session-store', 'file', *args, input=json.dumps(bundle).encode(), home=home)
    assert done.returncode == 0, done.stderr.decode()
    return done


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        error = self.json()['error']
        assert set(error) >= {'message', 'type', 'code', 'param'}, error
        return error

    @property
    def text(self):
        return self.json()['choices'][0]['message']['content']

    @property
    def proof(self):
        return self.json()['opengradient_verification']

    def events(self):
        """The values of a replayed stream; asserts its form, [DONE] included."""
        assert self.header('content-type').startswith('text/event-stream')
        rows = self.body.decode().split('\n\n')
        assert rows.pop() == '', 'the stream does not end with a blank line'
        assert all(row.startswith('data: ') and '\n' not in row and '\r' not in row for row in rows), rows[:3]
        assert [row for row in rows if row == 'data: [DONE]'] == ['data: [DONE]'] and rows[-1] == 'data: [DONE]'
        return [json.loads(row[6:]) for row in rows[:-1]]

    def streamed_text(self):
        return ''.join(choice['delta'].get('content') or '' for event in self.events() for choice in event['choices'])

    def streamed_proof(self):
        return [e for e in self.events() if 'opengradient_verification' in e][-1]['opengradient_verification']


class Veil:
    """A running `og-veil serve -f`."""

    program = OG_VEIL
    started = []

    @classmethod
    def end_leftovers(cls):
        """Tests that fail do not get to stop what they started."""
        for veil in cls.started:
            if veil.process.poll() is None:
                veil.kill()

    port_flags = ['--port', '0']

    @classmethod
    def without_port(cls, *args, **kwargs):
        """One that takes its port from the settings file, which says one."""
        return type(cls.__name__, (cls,), {'port_flags': []})(*args, **kwargs)

    def __init__(self, home, *args, env=None):
        self.home, self.token = pathlib.Path(home), 'veil-e2e-' + uuid.uuid4().hex
        self.secrets = set()  # must never show in the logs or the home
        self.stderr_path = self.home / 'stderr.txt'
        self.home.mkdir(parents=True, exist_ok=True)
        command = [self.program, 'serve', '-f', '--home', str(self.home / 'home'), *self.port_flags, *args]
        with open(self.stderr_path, 'wb') as stderr:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                                            env=environment(VEIL_TEST_TOKEN=self.token, **(env or {})))
        self.started.append(self)
        self.stdout = []
        self._ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._ready.wait(DEADLINE) or not self.stdout:
            self.process.kill()
            raise AssertionError('og-veil did not start: ' + self.stderr().decode(errors='replace'))
        match = re.fullmatch(r'listening on (http://([^/]+):(\d+)/v1)', self.stdout[0])
        assert match, self.stdout
        self.url, self.host, self.port = match[1], match[2], int(match[3])

    def _read(self):
        for line in self.process.stdout:
            self.stdout.append(line.decode().rstrip('\n'))
            self._ready.set()
        self._ready.set()

    def stderr(self):
        return self.stderr_path.read_bytes()

    def connect(self, timeout=DEADLINE):
        return socket.create_connection((self.host, self.port), timeout)

    def request(self, method, path, body=None, headers=(), timeout=DEADLINE, connection=None):
        """@body: bytes, or a value to send as JSON."""
        headers = dict(headers)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault('Content-Type', 'application/json')
        http_connection = connection or http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            http_connection.request(method, path, body=body, headers=headers)
            response = http_connection.getresponse()
            return Reply(response.status, response.getheaders(), response.read())
        finally:
            if connection is None:
                http_connection.close()

    def chat(self, body, headers=(), **kwargs):
        return self.request('POST', '/v1/chat/completions', body, headers, **kwargs)

    def ask(self, model, text, headers=(), **fields):
        return self.chat({'model': model, 'messages': [{'role': 'user', 'content': text}], **fields}, headers)

    def health(self):
        return self.request('GET', '/health').json()

    def counts(self):
        return self.health()['counts']

    def kill(self):
        self.process.kill()
        self.process.wait()

    def wait(self, timeout=DEADLINE):
        """Until it has ended by itself. Returns its exit code."""
        return self.process.wait(timeout)

    def stop(self):
        """Ends it like systemd would, and looks at what is left."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError('og-veil did not end within 30 s of SIGTERM') from None
        stderr = self.stderr()
        assert_no_report(stderr)
        assert code == 0, 'og-veil ended with %d: %s' % (code, stderr[-4000:].decode(errors='replace'))
        for secret in self.secrets:
            assert secret.encode() not in stderr, 'a secret or a prompt is in the log'
        wait_until(lambda: not processes(self.token), 10, 'the processes of this run to end')


class Sandbox:
    """The simulated network: as its own process, or the one that `og-veil serve --sandbox` started."""

    def __init__(self, url, bundle=None, process=None):
        self.url, self.bundle, self.process = url, bundle, process

    @classmethod
    def start(cls, *args):
        process = subprocess.Popen([OG_VEIL_SANDBOX, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=environment())
        bundle = json.loads(process.stdout.readline())
        return cls(bundle['config']['chat_api_base_url'], bundle, process)

    @classmethod
    def of(cls, veil):
        """Its address, from the kernel: og-veil tells it to nobody."""
        [pid] = [p for p in processes(veil.token) if p != veil.process.pid]
        links = [os.readlink('/proc/%d/fd/%s' % (pid, fd)) for fd in os.listdir('/proc/%d/fd' % pid)]
        inodes = {link[8:-1] for link in links if link.startswith('socket:[')}
        rows = [row.split() for row in open('/proc/net/tcp').readlines()[1:]]
        [port] = {int(row[1].split(':')[1], 16) for row in rows if row[3] == '0A' and row[9] in inodes}
        return cls('http://127.0.0.1:%d' % port)

    def control(self, path, body=None):
        connection = http.client.HTTPConnection(self.url.removeprefix('http://'), timeout=DEADLINE)
        connection.request('GET' if body is None else 'POST', '/sandbox/' + path, None if body is None else json.dumps(body),
                           {'Content-Type': 'application/json'})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        assert response.status == 200, text
        return json.loads(text)

    def stats(self):
        return self.control('stats')

    def _send(self, url, method, body=None, headers=()):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=DEADLINE)
        connection.request(method, parts._replace(scheme='', netloc='').geturl(), body, dict(headers))
        response = connection.getresponse()
        text = response.read()
        connection.close()
        assert response.status == 200, text
        return text

    def sign_in_page(self):
        """The login bundle as the page holds it now."""
        return re.search(rb'type="application/json">(.*?)</script>', self._send(self.url + '/cli-auth', 'GET'))[1]

    def post_bundle(self, url):
        """What the page at @url does when the person agrees."""
        [target] = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)['redirect_uri']
        self._send(target, 'POST', self.sign_in_page(), {'Origin': self.url, 'Content-Type': 'application/json'})

    def stop(self):
        """Its standard input ends, and so does it."""
        _, stderr = self.process.communicate(timeout=DEADLINE)
        assert_no_report(stderr)
        assert self.process.returncode == 0, stderr


class PeerVeil(Veil):
    """The same, signed in at an independent peer."""

    def __init__(self, home, peer, *args, env=None, **config):
        self.peer = peer
        home = pathlib.Path(home)
        home.mkdir(parents=True, exist_ok=True)
        sign_in(home / 'home', peer.bundle(**config))
        super().__init__(home, '--session-store', 'file', *args, env=env)
        self.secrets |= {peer.access_token, peer.refresh_token}

    def secret(self):
        """A word for a prompt that nobody but the enclave and the caller may ever see."""
        word = 'zq' + uuid.uuid4().hex
        self.peer.mark(word)
        self.secrets.add(word)
        return word

    def stop(self):
        super().stop()
        self.peer.assert_clean()
        for path in (self.home / 'home').rglob('*'):
            if path.is_file():
                for marker in self.peer.markers:
                    assert marker not in path.read_bytes(), 'a prompt is in ' + path.name

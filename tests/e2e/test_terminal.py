# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What surrounds the program: a terminal, closed files, a full disk, a plain locale, few descriptors."""

import contextlib
import json
import os
import pty
import re
import resource
import select
import signal
import socket
import subprocess
import time

import pytest
from program import DEADLINE, OG_VEIL, Veil, assert_no_report, complete, environment, processes, run, wait_until
from test_cli import BUNDLE, change, login, one_sentence

LONG = change(BUNDLE, ['access_token'], 'secret' * 1500)


class Terminal:
    """og-veil login --manual on a terminal of its own, with a program after it that gets what login left behind."""

    def __init__(self, home):
        master, slave = pty.openpty()
        self.fd, self.shown = master, b''
        command = [OG_VEIL, 'login', '--manual', '--session-store', 'file', '--home', str(home)]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment(), start_new_session=True)
        self.slave = slave
        self.wait_for(b'Paste')

    def wait_for(self, text):
        deadline = time.monotonic() + DEADLINE
        while text not in self.shown:
            assert select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0], self.shown
            self.shown += os.read(self.fd, 65536)

    def type(self, data):
        """As fast as it is taken."""
        while data:
            data = data[os.write(self.fd, data[:1000]):]

    def end(self):
        self.process.wait(DEADLINE)
        while select.select([self.fd], [], [], 0)[0]:
            self.shown += os.read(self.fd, 65536)
        left = select.select([self.slave], [], [], 0)[0]
        os.close(self.fd)
        os.close(self.slave)
        assert_no_report(self.shown)
        assert not left, 'the shell would have got the rest of the paste'
        assert b'secret' not in self.shown, 'the tokens are on the screen'
        return self.process.returncode


@pytest.mark.parametrize('text', [json.dumps(BUNDLE), json.dumps(BUNDLE, indent=2), json.dumps(LONG), json.dumps(LONG, indent=2),
                                  json.dumps(change(BUNDLE, ['user', 'id'], 'a}"\\{{"'))], ids=['line', 'indented', 'long', 'long-indented', 'braces'])
def test_pasting(tmp_path, text):
    terminal = Terminal(tmp_path)
    terminal.type(b'\r ' + text.replace('\n', '\r').encode() + b'\r')
    assert terminal.end() == 0, terminal.shown
    saved = json.loads((tmp_path / 'session.json').read_bytes())
    assert saved['access_token'] == json.loads(text)['access_token'] and saved['user']['id'] == json.loads(text)['user']['id']


@pytest.mark.parametrize('text', [b'\x03', b'\x04', b'{"type": "opengrad\x03', b'rm -rf secret\r rm -rf secret\r', b'{"x": 1}} secret\r secret\r',
                                  b'{"a": "' + b'secret' * 60000 + b'"}\r'], ids=['ctrl-c', 'ctrl-d', 'ctrl-c-inside', 'no-bundle', 'too-much', 'too-long'])
def test_pasting_something_else(tmp_path, text):
    terminal = Terminal(tmp_path)
    terminal.type(text)
    assert terminal.end() == 1 and not (tmp_path / 'session.json').exists()


@pytest.mark.parametrize('answer, code', [(b'y\r', 0), (b'Yes\r', 0), (b'n\r', 1), (b'\r', 1), (b'\x04', 1)], ids=['y', 'yes', 'n', 'enter', 'end'])
def test_consent(tmp_path, answer, code):
    """Another network: it is shown, and nothing but a yes changes whom to trust, or who is signed in."""
    assert login(tmp_path, json.dumps(BUNDLE).encode()).returncode == 0
    before = {name: (tmp_path / name).read_bytes() for name in ('session.json', 'trust.json')}
    other = change(BUNDLE, ['config', 'chat_api_base_url'], 'https://other.example')
    terminal = Terminal(tmp_path)
    terminal.type(json.dumps(other).encode() + b'\r')
    terminal.wait_for(b'[y/N]')
    assert b'-> https://other.example' in terminal.shown and BUNDLE['config']['chat_api_base_url'].encode() in terminal.shown
    terminal.type(answer)
    assert terminal.end() == code, terminal.shown
    after = {name: (tmp_path / name).read_bytes() for name in before}
    if code:
        assert after == before and b'nothing was changed' in terminal.shown
    else:
        assert all(b'https://other.example' in text for text in after.values())


@pytest.mark.parametrize('before, after', [(b'\xef\xbb\xbf', b''), (b'\r\n\t ', b'\r\n\r\n'), (b'\xc2\xa0', b'\xe2\x80\x8b\n'), (b'', b'\xef\xbb\xbf')])
def test_what_surrounds_a_bundle(tmp_path, before, after):
    """Editors put a mark before it, pages white space of every sort around it."""
    done = login(tmp_path, before + json.dumps(BUNDLE).encode() + after)
    assert done.returncode == 0, done.stderr


def test_ctrl_c(tmp_path):
    """Meant for the whole group of processes; that the helper is gone must not look like an accident."""
    for _ in range(10):
        veil = Veil(tmp_path, '--sandbox')
        [helper] = [pid for pid in processes(veil.token) if pid != veil.process.pid]
        assert os.getpgid(helper) != os.getpgid(veil.process.pid), 'the helper gets it, too'
        veil.process.send_signal(signal.SIGINT)
        assert veil.wait() == 0
        veil.stop()


@pytest.mark.parametrize('closed', ['<&-', '>&-', '2>&-', '<&- >&- 2>&-'])
def test_closed_files(tmp_path, closed):
    """Nothing else may get the numbers of the standard files, or what is printed lands in it."""
    script = 'exec "$0" serve -f --sandbox --port 0 --home "$1" ' + closed
    env = environment()
    env['ASAN_OPTIONS'] = env.get('ASAN_OPTIONS', '') + ':log_path=%s' % (tmp_path / 'report')
    process = subprocess.Popen(['sh', '-c', script, OG_VEIL, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL, env=env)
    sockets = '/proc/%d/net/tcp' % process.pid

    def listens():
        with open(sockets) as table:
            rows = [row.split() for row in table.readlines()[1:]]
        inodes = {row[9] for row in rows if row[3] == '0A'}
        links = []
        for fd in os.listdir('/proc/%d/fd' % process.pid):
            with contextlib.suppress(FileNotFoundError):  # closed since
                links.append(os.readlink('/proc/%d/fd/%s' % (process.pid, fd)))
        return any(link[8:-1] in inodes for link in links if link.startswith('socket:['))

    wait_until(listens, what='the endpoint')
    for fd, name in ((0, '<'), (1, '>'), (2, '2>')):
        if name in re.split('&- ?', closed):
            assert os.readlink('/proc/%d/fd/%d' % (process.pid, fd)) == '/dev/null'
    process.terminate()
    process.wait(DEADLINE)
    report = b''.join(path.read_bytes() for path in tmp_path.glob('report.*'))
    assert_no_report(report)
    assert process.returncode == 0
    process.stdout.close()


@pytest.mark.parametrize('command', [['--version'], ['--help'], ['env'], ['models'], ['models', '--json']], ids=' '.join)
def test_full_output(command):
    """What could not be printed did not succeed."""
    with open('/dev/full', 'wb') as full:
        done = complete([OG_VEIL, *command], stdout=full)
    assert done.returncode == 1 and 'output' in one_sentence(done.stderr)


@pytest.mark.parametrize('locale', ['C', 'C.UTF-8'])
def test_names_in_any_locale(tmp_path, locale):
    """A folder's name is bytes; what people are called may have letters."""
    for name in ('häuser ☃'.encode(), b'\xff\xfe'):
        home = os.path.join(os.fsencode(tmp_path), name)
        bundle = json.dumps(change(BUNDLE, ['user', 'email'], 'jürgen@example.com')).encode()
        for arguments, env in (([b'--home', home], {}), ([], {'OG_VEIL_HOME': os.fsdecode(home)})):
            done = complete([OG_VEIL, 'login', '--manual', '--session-store', 'file', *arguments], input=bundle,
                            env={**environment(**env), 'LC_ALL': locale})
            assert done.returncode == 0 and b'rgen@example.com' in done.stdout, done
            os.unlink(os.path.join(home, b'session.json'))


def test_homes_that_cannot_be_written(tmp_path):
    """One sentence that names the place, whatever stands in the way."""
    (tmp_path / 'file').write_text('')
    (tmp_path / 'folder' / 'session.json').mkdir(parents=True)
    for home in (tmp_path / 'file', tmp_path / 'file' / 'below', tmp_path / 'folder', '/dev/full'):
        done = login(home, json.dumps(BUNDLE).encode())
        assert done.returncode == 1 and str(home) in one_sentence(done.stderr) and b'secret' not in done.stderr
        assert run('serve', '-f', '--session-store', 'file', '--port', '0', home=home).returncode == 1
    assert set(os.listdir(tmp_path / 'folder')) == {'session.json', 'session.lock'}, 'something is left beside it'


def test_few_descriptors(tmp_path):
    """Callers who connect and say nothing take what there is; those who were first are answered all the same."""
    veil = Veil(tmp_path, '--sandbox')
    resource.prlimit(veil.process.pid, resource.RLIMIT_NOFILE, (100, 100))
    with veil.connect() as early:
        idle = [socket.create_connection((veil.host, veil.port), DEADLINE) for _ in range(150)]
        body = json.dumps({'model': 'gpt-4.1', 'messages': [{'role': 'user', 'content': 'x'}]}).encode()
        early.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s'
                      % (veil.host.encode(), veil.port, len(body), body))
        assert b' 200 ' in early.recv(65536).split(b'\r\n')[0]
        for sock in idle:
            sock.close()
    assert veil.ask('gpt-4.1', 'x').status == 200
    veil.stop()

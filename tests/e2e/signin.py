# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Keyrings, browsers and sign-ins of the tests' own: a session bus with the real gnome-keyring-daemon or with one that misbehaves, Chromium through
chromedriver, and `og-veil login` while it waits."""

import atexit
import http.client
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import urllib.parse

from program import DEADLINE, OG_VEIL, assert_no_report, environment, wait_until

HERE = pathlib.Path(__file__).parent


class Bus:
    """A session bus and what serves secrets on it: 'gnome' (unlocked), 'locked', 'hanging', or None."""

    def __init__(self, folder, keyring='gnome'):
        self.folder, self.processes = pathlib.Path(folder), []
        atexit.register(self.stop)  # tests that fail do not get to it
        self.folder.mkdir(parents=True, exist_ok=True)
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix='veil-bus-'))  # short, for socket addresses
        config = self.runtime / 'bus.conf'
        # No service folders: the bus must not start a keyring of its own accord.
        config.write_text('<busconfig><type>session</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth><policy context="default">'
                          '<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>'
                          % self.runtime)
        daemon = subprocess.Popen(['dbus-daemon', '--config-file', str(config), '--nofork', '--print-address=1'],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.processes.append(daemon)
        self.env = {'DBUS_SESSION_BUS_ADDRESS': daemon.stdout.readline().decode().strip(), 'XDG_RUNTIME_DIR': str(self.runtime),
                    'XDG_DATA_HOME': str(self.folder / 'data')}
        if keyring in ('gnome', 'locked'):
            self.start_keyring()
        elif keyring == 'hanging':
            hanging = subprocess.Popen(['/usr/bin/python3', str(HERE / 'hanging_keyring.py')], stdout=subprocess.PIPE, env=self.environment())
            self.processes.append(hanging)
            assert hanging.stdout.readline() == b'ready\n'

    def environment(self):
        return {**environment(), **self.env}

    def start_keyring(self, password='a password'):
        """With @password the login keyring is made or unlocked; with None it stays locked."""
        args = ['gnome-keyring-daemon', '--foreground', '--components=secrets', '--control-directory', str(self.runtime / 'keyring')]
        process = subprocess.Popen(args + (['--unlock'] if password is not None else []), stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment())
        if password is not None:
            process.stdin.write(password.encode())
        process.stdin.close()
        self.processes.append(process)
        self.keyring = process
        # It has its name before it has read its files.
        state = b'(<false>,)' if password is not None else b'(<true>,)'
        wait_until(lambda: self.call('--dest', 'org.freedesktop.secrets', '--object-path', '/org/freedesktop/secrets/collection/login', '--method',
                                     'org.freedesktop.DBus.Properties.Get', 'org.freedesktop.Secret.Collection', 'Locked').stdout.strip() == state,
                   what='the keyring to come up')

    def start_prompter(self, *password):
        """Who answers the keyring's prompts from now on. Returns the process, whose output has a line for each."""
        process = subprocess.Popen(['/usr/bin/python3', str(HERE / 'prompter.py'), *password], stdout=subprocess.PIPE, env=self.environment())
        self.processes.append(process)
        assert process.stdout.readline() == b'ready\n'
        return process

    def restart_keyring(self, password='a password'):
        self.keyring.terminate()
        self.keyring.wait(DEADLINE)
        wait_until(lambda: not self.has_owner(), what='the keyring to go')
        self.start_keyring(password)

    def call(self, *args):
        return subprocess.run(['gdbus', 'call', '--session', *args], capture_output=True, env=self.environment(), timeout=DEADLINE)

    def has_owner(self):
        done = self.call('--dest', 'org.freedesktop.DBus', '--object-path', '/org/freedesktop/DBus', '--method',
                         'org.freedesktop.DBus.NameHasOwner', 'org.freedesktop.secrets')
        return b'true' in done.stdout

    def items(self):
        """How many items of Veil's the service has."""
        done = self.call('--dest', 'org.freedesktop.secrets', '--object-path', '/org/freedesktop/secrets', '--method',
                         'org.freedesktop.Secret.Service.SearchItems', "{'xdg:schema': 'ai.opengradient.Veil.Session'}")
        assert done.returncode == 0, done.stderr
        return len(re.findall(rb"/org/freedesktop/secrets/collection/", done.stdout))

    def stop(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.runtime, ignore_errors=True)


class Login:
    """`og-veil login` that waits for the browser."""

    def __init__(self, home, app_url, *args, env=None):
        self.process = subprocess.Popen([OG_VEIL, 'login', '--home', str(home), '--app-url', app_url, *args], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**environment(), **(env or {})})
        atexit.register(self.process.kill)
        self.lines = queue.Queue()
        self.stdout, self.stderr = [], []
        self.readers = [threading.Thread(target=self._read, args=parts, daemon=True)
                        for parts in ((self.process.stdout, self.stdout), (self.process.stderr, self.stderr))]
        for reader in self.readers:
            reader.start()
        self.url = self._wait_url()
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.url).query)
        [self.redirect_uri] = query['redirect_uri']
        assert query['app_name'] == ['Veil']
        self.target = urllib.parse.urlsplit(self.redirect_uri)

    def _read(self, stream, kept):
        for line in stream:
            kept.append(line)
            self.lines.put(line)
        self.lines.put(None)

    def _wait_url(self):
        while True:
            line = self.lines.get(timeout=DEADLINE)
            assert line is not None, b''.join(self.stderr)
            found = re.search(rb'https?://\S+/cli-auth\?\S+', line)
            if found:
                return found[0].decode()

    def send(self, body, method='POST', path=None, **headers):
        """One request to the listener. Header names with _ for -; None leaves one out."""
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=DEADLINE)
        connection.putrequest(method, path or self.target.path, skip_host=True, skip_accept_encoding=True)
        headers.setdefault('Host', self.target.netloc)
        if body is not None:
            headers.setdefault('Content-Length', str(len(body)))
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, text

    def end(self):
        self.process.wait(DEADLINE)
        for reader in self.readers:
            reader.join(DEADLINE)
            assert not reader.is_alive(), 'something holds on to what it says'
        assert_no_report(b''.join(self.stderr))
        return self.process.returncode

    def output(self):
        return b''.join(self.stdout + self.stderr)

    def cancel(self):
        self.process.terminate()
        self.process.wait()


class Chromium:
    """Debian's Chromium, headless, through chromedriver's HTTP interface."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       env={**os.environ, 'HOME': self.folder, 'TMPDIR': self.folder})
        for line in self.driver.stdout:
            found = re.search(rb'on port (\d+)', line)
            if found and b'successfully' in line:
                break
        self.port = int(found[1])
        threading.Thread(target=self.driver.stdout.read, daemon=True).start()
        flags = ['--headless', '--no-sandbox', '--disable-background-networking', '--no-first-run', '--disable-component-update',
                 '--disable-sync', '--disable-gpu', '--disable-dev-shm-usage', '--user-data-dir=' + self.folder + '/profile']
        options = {'binary': '/usr/bin/chromium', 'args': flags}
        self.session = self.command('POST', '/session', {'capabilities': {'alwaysMatch': {
            'browserName': 'chrome', 'goog:chromeOptions': options}}})['sessionId']

    def command(self, method, path, body=None):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=DEADLINE)
        connection.request(method, path, None if body is None else json.dumps(body), {'Content-Type': 'application/json'})
        value = json.loads(connection.getresponse().read())['value']
        connection.close()
        assert not isinstance(value, dict) or 'error' not in value, value
        return value

    def do(self, path, body=None, method='POST'):
        return self.command(method, '/session/%s/%s' % (self.session, path), {} if body is None and method == 'POST' else body)

    def open(self, url):
        self.do('url', {'url': url})

    def evaluate(self, script):
        return self.do('execute/sync', {'script': 'return ' + script, 'args': []})

    def click(self, selector):
        [element] = self.do('element', {'using': 'css selector', 'value': selector}).values()
        self.do('element/%s/click' % element)

    def stop(self):
        try:
            self.command('DELETE', '/session/' + self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()

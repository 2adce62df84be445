# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""og-veil setup, asked on a terminal and by options; and starting at login, by the desktop's entry and through its portal."""

import json
import os
import pty
import select
import stat
import subprocess
import time

import pytest
from program import DEADLINE, OG_VEIL, Sandbox, assert_no_report, environment, run, sign_in
from signin import HERE, Bus
from test_background import STORE, Home
from test_cli import one_sentence

HASHES = ['0x' + '%02x' % n * 32 for n in (1, 2)]
QUIET = ['--yes', '--no-login', '--no-start', '--session-store', 'file']
ENTRY = 'autostart/ai.opengradient.Veil.desktop'


@pytest.fixture(scope='module')
def network():
    running = Sandbox.start()
    yield running
    running.stop()


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / 'home')
    yield made
    made.end()


@pytest.fixture
def config(tmp_path):
    return tmp_path / 'config'


def set_up(home, config, *args, env=None):
    return run('setup', *args, home=home, env={'XDG_CONFIG_HOME': str(config), **(env or {})})


class Terminal:
    """og-veil setup on a terminal."""

    def __init__(self, *args, env):
        self.fd, slave = pty.openpty()
        self.shown, self.seen = b'', 0
        self.process = subprocess.Popen([OG_VEIL, 'setup', *args], stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True)
        os.close(slave)

    def wait_for(self, text):
        deadline = time.monotonic() + DEADLINE
        while text not in self.shown[self.seen:]:
            assert select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0], self.shown
            self.shown += os.read(self.fd, 65536)
        self.seen = self.shown.index(text, self.seen) + len(text)

    def answer(self, question, reply):
        self.wait_for(question.encode())
        os.write(self.fd, reply.encode() + b'\n')

    def end(self):
        try:
            while piece := os.read(self.fd, 65536):
                self.shown += piece
        except OSError:  # the other side is closed
            pass
        os.close(self.fd)
        assert_no_report(self.shown)
        return self.process.wait(DEADLINE)


def test_by_options(tmp_path, config):
    home = tmp_path / 'home'
    done = set_up(home, config, *QUIET, '--port', '11500', '--expected-pcr', HASHES[0], '--expected-pcr', HASHES[1].upper().replace('0X', ''), '--app-url', 'https://app.test')
    assert done.returncode == 0 and done.stderr == b'' and str(home) in done.stdout.decode(), done
    text = (home / 'settings.ini').read_text()
    for line in ('port=11500', "session-store='file'", "app-url='https://app.test'", "pcr-pins=[('%s', ''), ('%s', '')]" % tuple(HASHES)):
        assert line in text.splitlines()
    assert stat.S_IMODE((home / 'settings.ini').stat().st_mode) == 0o600
    assert not (config / ENTRY).exists()
    before = text
    assert set_up(home, config, *QUIET).returncode == 0, 'again, with nothing to change'
    assert (home / 'settings.ini').read_text() == before
    assert set_up(home, config, *QUIET, '--port', '0').returncode == 0
    assert (home / 'settings.ini').read_text() == before.replace('11500', '0')


@pytest.mark.parametrize('arguments, why', [(['--port', 'x'], '--port must'), (['--session-store', 'cloud'], '--session-store must'), (['--app-url', 'http://app.test'], '--app-url must'),
                                            (['--expected-pcr', '12'], '64 hexadecimal digits'), (['extra'], '"extra"'), (['--autostart', '--no-autostart'], 'choose one'),
                                            (['--api-key', 'secret'], '--api-key'), (['--token', 'secret'], '--token')])
def test_bad_values(tmp_path, config, arguments, why):
    """Nothing is kept then; and secrets are no options."""
    done = set_up(tmp_path / 'home', config, '--yes', '--no-login', '--no-start', *arguments)
    assert done.returncode == 2 and why in one_sentence(done.stderr)
    assert not (tmp_path / 'home' / 'settings.ini').exists()


def test_without_a_terminal(tmp_path, config):
    done = set_up(tmp_path / 'home', config)
    assert done.returncode == 2 and '--yes' in one_sentence(done.stderr) and done.stdout == b''


def test_on_a_terminal(home, network, config):
    """With one wrong answer to each question; somebody is signed in, and it starts."""
    sign_in(home.path, json.loads(network.sign_in_page()))
    env = {**environment(), 'XDG_CONFIG_HOME': str(config), 'OG_VEIL_SESSION_STORE': 'file', 'VEIL_TEST_TOKEN': home.token}
    terminal = Terminal('--home', str(home.path), env=env)
    terminal.answer('Port to listen on [11434]:', '65536')
    terminal.wait_for(b'og-veil: --port must')
    terminal.answer('Port to listen on [11434]:', '0')
    terminal.answer('PCR hash', 'nonsense')
    terminal.wait_for(b'64 hexadecimal digits')
    terminal.answer('PCR hash', '')
    terminal.wait_for(b'signed in as ')
    terminal.answer('Start when you log in? [y/N]', 'y')
    terminal.answer('Start in the background now? [Y/n]', '')
    terminal.wait_for(b'http://127.0.0.1:')
    assert terminal.end() == 0, terminal.shown.decode()
    assert home.status(*STORE)['running'] is True
    assert (home.path / 'settings.ini').read_text().splitlines()[:2] == ['[veil]', 'port=0'] and (config / ENTRY).exists()
    terminal = Terminal('--home', str(home.path), env=env)
    terminal.answer('Port to listen on [0]:', '')
    terminal.answer('PCR hash', '')
    terminal.answer('Start when you log in? [Y/n]', 'n')
    terminal.answer('Start in the background now? [Y/n]', 'n')
    assert terminal.end() == 0 and not (config / ENTRY).exists()


def test_input_that_ends(tmp_path, config):
    """Ctrl-D keeps what is, and asks no further."""
    terminal = Terminal('--home', str(tmp_path / 'home'), '--no-login', env={**environment(), 'XDG_CONFIG_HOME': str(config), 'OG_VEIL_SESSION_STORE': 'file'})
    for question in (b'Port', b'PCR hash', b'Start when'):
        terminal.wait_for(question)
        os.write(terminal.fd, b'\x04')
    assert terminal.end() == 0
    assert b'Nobody is signed in' in terminal.shown and not (config / ENTRY).exists() and not (tmp_path / 'home' / 'settings.ini').exists()


# Starting at login


def test_entry(tmp_path, config):
    """A desktop finds it, and it starts this program with this home."""
    home = tmp_path / 'a "home" $x'
    assert set_up(home, config, *QUIET, '--autostart').returncode == 0
    path = config / ENTRY
    done = subprocess.run(['desktop-file-validate', str(path)], capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
    from gi.repository import GLib
    file = GLib.KeyFile()
    file.load_from_file(str(path), GLib.KeyFileFlags.NONE)
    words = GLib.shell_parse_argv(file.get_string('Desktop Entry', 'Exec'))[1]
    assert words == [OG_VEIL, '--home', str(home)]
    assert set_up(home, config, *QUIET).returncode == 0 and path.exists(), 'what is on stays on'
    assert set_up(home, config, *QUIET, '--no-autostart').returncode == 0 and not path.exists()
    assert set_up(home, config, *QUIET, '--no-autostart').returncode == 0


def test_entry_that_cannot_be_written(tmp_path, config):
    config.mkdir()
    (config / 'autostart').touch()
    done = set_up(tmp_path / 'home', config, *QUIET, '--autostart')
    assert done.returncode == 1 and str(config / ENTRY) in one_sentence(done.stderr)


@pytest.fixture
def bus(tmp_path):
    running = Bus(tmp_path / 'bus', keyring=None)
    yield running
    running.stop()


def portal(bus, how):
    process = subprocess.Popen(['/usr/bin/python3', str(HERE / 'portal.py'), how], stdout=subprocess.PIPE, env=bus.environment())
    bus.processes.append(process)
    assert process.stdout.readline() == b'ready\n'
    return process


def through_portal(bus, tmp_path, *args):
    return set_up(tmp_path / 'home', tmp_path / 'config', *QUIET, *args, env={**bus.env, 'GTK_USE_PORTAL': '1'})


@pytest.mark.parametrize('how', ['granted', 'early', 'old', 'odd'])
def test_portal_grants(bus, tmp_path, how):
    process = portal(bus, how)
    done = through_portal(bus, tmp_path, '--autostart')
    assert done.returncode == 0 and b'starts when you log in' in done.stdout, done
    asked = json.loads(process.stdout.readline())
    assert asked['autostart'] is True and asked['commandline'] == [OG_VEIL, '--home', str(tmp_path / 'home')] and asked['dbus-activatable'] is False
    assert asked['reason'] and not (tmp_path / 'config').exists(), 'the portal keeps it, not we'
    assert (tmp_path / 'home' / 'autostart').exists()
    if how == 'granted':
        assert through_portal(bus, tmp_path, '--no-autostart').returncode == 0
        assert json.loads(process.stdout.readline())['autostart'] is False and not (tmp_path / 'home' / 'autostart').exists()


@pytest.mark.parametrize('how, why', [('refused', 'did not let'), ('failed', 'did not let'), ('no-autostart', 'start at login'), ('silent', 'start at login'),
                                      ('error', 'not today'), ('ends', 'ended before')])
def test_portal_does_not(bus, tmp_path, how, why):
    portal(bus, how)
    done = through_portal(bus, tmp_path, '--autostart')
    assert done.returncode == 1 and why in one_sentence(done.stderr), done
    assert not (tmp_path / 'home' / 'autostart').exists() and not (tmp_path / 'config').exists()


def test_no_portal(bus, tmp_path):
    done = through_portal(bus, tmp_path, '--autostart')
    assert done.returncode == 1 and 'portal' in one_sentence(done.stderr)


def test_no_bus(tmp_path):
    done = set_up(tmp_path / 'home', tmp_path / 'config', *QUIET, '--autostart', env={'GTK_USE_PORTAL': '1', 'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent'})
    assert done.returncode == 1 and 'session bus' in one_sentence(done.stderr)

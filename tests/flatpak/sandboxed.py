# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Veil as a Flatpak: built by flatpak/build on a runtime of Debian's packages, installed from the signed repository that comes out, and run on a desktop of
the test's own. Installation, homes and keys are the tests' own too."""

import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import dbus
from desktop import DEADLINE, wait_until
from tray import PanelDesktop

TOP = pathlib.Path(__file__).parents[2]
CACHE = pathlib.Path(os.environ.get('VEIL_FLATPAK_CACHE', TOP / '_build' / 'flatpak')).absolute()
SUITE = os.environ.get('SUITE', 'bookworm')
ID = 'ai.opengradient.Veil'
BUILD_DEADLINE = 1500
PORTALS = ('org.freedesktop.portal.Documents', 'org.freedesktop.impl.portal.PermissionStore', 'org.freedesktop.portal.Desktop',
           'org.freedesktop.impl.portal.desktop.gtk')


def said(done):
    return (done.stdout or b'').decode(errors='replace')[-6000:] + (done.stderr or b'').decode(errors='replace')[-6000:]


class Installation:
    """One for each checkout: a second run of the tests waits for the first."""

    def __init__(self):
        CACHE.mkdir(parents=True, exist_ok=True)
        self.lock = open(CACHE / 'lock', 'w')
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='veil-fp-'))  # short, for gpg-agent's socket
        self.out = CACHE / 'out'
        self.installed = CACHE / ('installation-' + SUITE)
        self.env = {'PATH': os.environ['PATH'], 'HOME': str(self.folder / 'home'), 'LC_ALL': 'C.UTF-8', 'XDG_RUNTIME_DIR': str(self.folder),
                    'FLATPAK_USER_DIR': str(self.installed), 'FLATPAK_SYSTEM_DIR': str(self.folder / 'system'), 'CACHE': str(CACHE), 'SUITE': SUITE,
                    'GIO_USE_VFS': 'local', 'GSETTINGS_BACKEND': 'memory'}
        (self.folder / 'home').mkdir()
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def run(self, *command, timeout=DEADLINE, check=True):
        # What reads a system bus finds none, and does without.
        command = ['dbus-run-session', '--config-file', str(self.bus_config()), '--', 'sh', '-c', 'DBUS_SYSTEM_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS exec "$@"', 'sh',
                   *map(str, command)]
        done = subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
        assert not check or done.returncode == 0, said(done)
        return done

    def bus_config(self):
        """A bus that starts nothing."""
        path = self.folder / 'bus.conf'
        path.write_text('<busconfig><type>session</type><listen>unix:tmpdir=%s</listen><auth>EXTERNAL</auth><policy context="default">'
                        '<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>' % self.folder)
        return path

    def make_key(self, name):
        """(folder, fingerprint) of a key that lasts as long as the tests."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        subprocess.run(['gpg', '--homedir', str(folder), '--batch', '--passphrase', '', '--quick-generate-key', name, 'ed25519', 'sign', '1d'], check=True,
                       env=self.env, capture_output=True, timeout=DEADLINE)
        listed = subprocess.run(['gpg', '--homedir', str(folder), '--with-colons', '--list-keys'], check=True, env=self.env, capture_output=True, timeout=DEADLINE)
        return folder, re.search(rb'^fpr:+([0-9A-F]+):', listed.stdout, re.M)[1].decode()

    def build(self):
        shutil.rmtree(self.out, ignore_errors=True)
        folder, key = self.make_key('key')
        self.built = self.run(TOP / 'flatpak' / 'build', '--local-runtime', '--gpg-key', key, '--gpg-homedir', folder, '--url', (self.out / 'repo').as_uri(), self.out,
                              timeout=BUILD_DEADLINE)
        self.run('flatpak', '--user', 'uninstall', '--noninteractive', '--delete-data', ID, check=False)
        self.run('flatpak', '--user', 'remote-delete', '--force', 'veil', check=False)
        # As a person does it, from the file with address and public key.
        self.run('flatpak', '--user', 'remote-add', 'veil', self.out / 'veil.flatpakrepo')
        self.run('flatpak', '--user', 'install', '--noninteractive', 'veil', ID)

    def close(self):
        for folder in self.folder.glob('*/S.gpg-agent'):
            subprocess.run(['gpgconf', '--homedir', str(folder.parent), '--kill', 'all'], env=self.env, capture_output=True, timeout=DEADLINE)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.close()


class FlatpakDesktop(PanelDesktop):
    """A desktop that knows the installation. With @portals those of xdg-desktop-portal, whose backends are those that @portals describes."""

    def __init__(self, installation, portals=None, **options):
        self.installation, self.portals = installation, portals
        exports = installation.installed / 'exports' / 'share'
        super().__init__(FLATPAK_USER_DIR=str(installation.installed), FLATPAK_SYSTEM_DIR=str(installation.folder / 'system'),
                         XDG_DATA_DIRS='%s:/usr/local/share:/usr/share' % exports, **options)

    def start_bus(self, services):
        own = self.folder / 'services'
        # The installed program finds its parts by itself, and its home where Flatpak says.
        self.env = {key: value for key, value in self.env.items() if 'VEIL' not in key and key != 'GSETTINGS_SCHEMA_DIR'}
        super().start_bus(services)
        shutil.copy(self.installation.installed / 'exports/share/dbus-1/services' / (ID + '.service'), own)
        if self.portals is not None:
            backends = self.folder / 'portals'
            backends.mkdir()
            for name, text in self.portals.items():
                (backends / (name + '.portal')).write_text(text)
            self.env['XDG_DESKTOP_PORTAL_DIR'] = str(backends)
            for name in PORTALS[:2]:
                shutil.copy('/usr/share/dbus-1/services/%s.service' % name, own)
        self.bus.call_blocking('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'ReloadConfig', '', [])

    def start_portal(self):
        self.start(['/usr/libexec/xdg-desktop-portal'])
        wait_until(lambda: self.owns('org.freedesktop.portal.Desktop'), 'the portal')

    def start_keyring(self):
        """gnome-keyring, unlocked."""
        process = self.start(['gnome-keyring-daemon', '--foreground', '--components=secrets', '--unlock', '--control-directory', str(self.folder / 'keyring')],
                             stdin=subprocess.PIPE)
        process.stdin.write(b'a password')
        process.stdin.close()

        def unlocked():
            with contextlib.suppress(dbus.DBusException):
                return not self.bus.call_blocking('org.freedesktop.secrets', '/org/freedesktop/secrets/collection/login', 'org.freedesktop.DBus.Properties', 'Get',
                                                  'ss', ['org.freedesktop.Secret.Collection', 'Locked'])
        wait_until(unlocked, 'the keyring')

    def stored(self):
        """How many sessions the Secret Service holds, for whoever asks it on the host."""
        unlocked, locked = self.bus.call_blocking('org.freedesktop.secrets', '/org/freedesktop/secrets', 'org.freedesktop.Secret.Service', 'SearchItems', 'a{ss}',
                                                  [{'xdg:schema': 'ai.opengradient.Veil.Session'}])
        return len(unlocked) + len(locked)

    def close(self):
        # A sandbox outlives who started it.
        if hasattr(self, 'bus'):
            self.run('flatpak', 'kill', ID, check=False)
        super().close()

    @property
    def data(self):
        """What the sandbox has for a home, as the host sees it."""
        return pathlib.Path(self.env['HOME'], '.var', 'app', ID)

    def command(self, *args, program=None):
        return ['flatpak', 'run', *(['--command=' + program] if program else []), ID, *args]

    def complete(self, program, *args, input=b'', check=True):
        """Runs @program in a sandbox of its own to its end."""
        # Into files: what goes on in the background holds a pipe's end.
        with tempfile.TemporaryFile(dir=self.folder) as out, tempfile.TemporaryFile(dir=self.folder) as err:
            done = subprocess.run(self.command(*args, program=program), env=self.env, input=input, stdout=out, stderr=err, timeout=DEADLINE)
            out.seek(0)
            err.seek(0)
            done.stdout, done.stderr = out.read(), err.read()
        assert not check or done.returncode == 0, said(done)
        return done


class Sandboxed:
    """A program in its sandbox, to its end."""

    def __init__(self, desktop, *args, program=None):
        self.desktop = desktop
        self.log = tempfile.TemporaryFile(dir=desktop.folder)
        self.process = desktop.start(desktop.command(*args, program=program), stdout=subprocess.PIPE, stderr=self.log)

    @property
    def name(self):
        """The bus name under which the panel's watcher knows the icon."""
        items = self.desktop.bus.call_blocking('org.kde.StatusNotifierWatcher', '/StatusNotifierWatcher', 'org.freedesktop.DBus.Properties', 'Get', 'ss',
                                               ['org.kde.StatusNotifierWatcher', 'RegisteredStatusNotifierItems'])
        return next((str(item).partition('/')[0] for item in items), None)

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors='replace')

    def children(self, pid):
        """Of all threads."""
        found = []
        with contextlib.suppress(OSError):
            for task in pathlib.Path('/proc/%d/task' % pid).iterdir():
                found += [int(child) for child in (task / 'children').read_text().split()]
        return found

    def inside(self):
        """The pid, on the host, of the program itself: bwrap, bwrap as the sandbox's init, and then it."""
        for init in self.children(self.process.pid):
            for pid in self.children(init):
                return pid
        return None

    def signal(self, number=signal.SIGTERM):
        os.kill(wait_until(self.inside, 'the program in the sandbox'), number)

    def close(self):
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.signal()
        try:
            self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        self.close()
        if kind is not None:
            print(self.said())

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""A desktop of the test's own: an X server, a session bus with accessibility, a window manager, and, if wanted, a panel; the program runs on it."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import dbus
import dbus.bus
from program import CHECKER_CODE, environment

VEIL = os.environ['VEIL']
ID = 'ai.opengradient.Veil'  # of the program on the bus, or what it begins with
DEADLINE = float(os.environ.get('VEIL_TEST_DEADLINE', '120'))
SYSTEM_SERVICES = pathlib.Path('/usr/share/dbus-1/services')
KEPT = ('PATH', 'LD_LIBRARY_PATH', 'ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS', 'GSETTINGS_SCHEMA_DIR', 'VEIL_MODELS_FILE', 'VEIL_SANDBOX_PROGRAM', 'VEIL_ICONS')
# What a program is not to say, whoever of its libraries says it.
COMPLAINTS = re.compile(rb'AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|CRITICAL|WARNING|Traceback|blocked for')


def wait_until(condition, what='the condition', timeout=DEADLINE):
    """For states that nobody signals: looked at often, with a deadline."""
    end = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < end, 'waited %s s for %s' % (timeout, what)
        time.sleep(0.02)
    return found


def request(port, method, path, body=None):
    """(status, parsed answer) from the endpoint; OSError if there is none."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=DEADLINE)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, {'Content-Type': 'application/json'} if body is not None else {})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


class Desktop:
    """Everything ends with close(), in the order opposite to that of its start."""

    def __init__(self, size='1280x900', services=('org.a11y.Bus.service',), **env):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='veil-ui-'))  # short, for socket addresses
        self.processes = []
        home = self.folder / 'home'
        entries = home / 'data' / 'applications'
        entries.mkdir(parents=True)
        # The browser opens nothing, and none of the machine's is started.
        (entries / 'browser.desktop').write_text('[Desktop Entry]\nType=Application\nName=Browser\nExec=true %u\n')
        (entries / 'mimeapps.list').write_text('[Default Applications]\nx-scheme-handler/http=browser.desktop\nx-scheme-handler/https=browser.desktop\n')
        # Without OpenGL, which nothing here is drawn with: the drivers for it leak a little at each start.
        self.env = {**{key: value for key, value in environment().items() if key in KEPT}, 'HOME': str(home), 'XDG_RUNTIME_DIR': str(self.folder),
                    'XDG_CONFIG_HOME': str(home / 'config'), 'XDG_DATA_HOME': str(home / 'data'), 'XDG_CACHE_HOME': str(home / 'cache'),
                    'XDG_CURRENT_DESKTOP': 'XFCE', 'GDK_BACKEND': 'x11', 'GSK_RENDERER': 'cairo', 'GDK_DEBUG': 'gl-disable', 'GTK_A11Y': 'atspi', 'GTK_USE_PORTAL': '0',
                    'GSETTINGS_BACKEND': 'memory', 'GIO_USE_PROXY_RESOLVER': 'dummy', 'GIO_USE_VFS': 'local', 'NO_AT_BRIDGE': '0', 'LC_ALL': 'C.UTF-8', **env}
        try:
            self.start_display(size)
            self.start_bus(services)
            self.start_wm()
        except BaseException:
            self.close()
            raise

    def start(self, command, **options):
        options = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL, **options}
        process = subprocess.Popen(command, env={**self.env, **options.pop('env', {})}, start_new_session=True, **options)
        self.processes.append(process)
        return process

    def start_display(self, size):
        reader, writer = os.pipe()
        self.start(['Xvfb', '-displayfd', str(writer), '-screen', '0', size + 'x24', '-nolisten', 'tcp', '-noreset', '-r'], pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as said:
            number = said.readline().strip()
        assert number, 'the X server did not start'
        self.env['DISPLAY'] = ':' + number

    def start_bus(self, services):
        folder = self.folder / 'services'
        folder.mkdir()
        for name in services:
            shutil.copy(SYSTEM_SERVICES / name, folder)
        config = self.folder / 'bus.conf'
        config.write_text('<busconfig><type>session</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth><servicedir>%s</servicedir>'
                          '<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>'
                          '</busconfig>' % (self.folder, folder))
        daemon = self.start(['dbus-daemon', '--config-file', str(config), '--nofork', '--print-address=1'], stdout=subprocess.PIPE)
        self.env['DBUS_SESSION_BUS_ADDRESS'] = daemon.stdout.readline().decode().strip()
        assert self.env['DBUS_SESSION_BUS_ADDRESS'], 'the session bus did not start'
        self.bus = dbus.bus.BusConnection(self.env['DBUS_SESSION_BUS_ADDRESS'])

    def start_wm(self):
        self.start(['openbox', '--sm-disable'])
        wait_until(lambda: self.run('xprop', '-root', '_NET_SUPPORTING_WM_CHECK').find(b'window id') >= 0, 'the window manager')

    def run(self, *command, check=True):
        done = subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def owns(self, name):
        return self.bus.name_has_owner(name)

    def screenshot(self, path):
        self.run('import', '-window', 'root', str(path))

    def windows(self, name):
        """Ids of the visible windows with this title."""
        def look():
            done = subprocess.run(['xdotool', 'search', '--onlyvisible', '--name', name], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)
            return b'X Error' not in done.stderr and [done.stdout.decode().split()]  # one may go while it looks
        return wait_until(look, 'a list of windows')[0]

    def end(self, process):
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def close(self):
        if hasattr(self, 'bus'):
            self.bus.close()
        for process in reversed(self.processes):
            if process.poll() is None:
                self.end(process)
        self.end_strays()
        shutil.rmtree(self.folder, ignore_errors=True)

    def end_strays(self):
        """What the bus or the session started has the folder in its environment."""
        mark = ('XDG_RUNTIME_DIR=%s\0' % self.folder).encode()
        for entry in pathlib.Path('/proc').iterdir():
            with contextlib.suppress(OSError, ProcessLookupError):
                if entry.name.isdigit() and mark in (entry / 'environ').read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

# The one leak of a program with many windows that is GLib's own: when there are more than 2048 names (g_quark_from_string()) it begins another list, and gives up
# the old one, as its code says, for those who still read it. GLib has no frame pointers, so its size is all that tells it.
NAMES = re.compile(rb'=+\n==\d+==ERROR: LeakSanitizer: detected memory leaks\n\nDirect leak of 16384 byte\(s\) in 1 object\(s\) allocated from:\n'
                   rb' +#0 \S+ in (?:__interceptor_)?malloc .*\n +#1 \S+ in g_malloc .*\n\nSUMMARY: AddressSanitizer: 16384 byte\(s\) leaked in 1 allocation\(s\)\.\n')


def ended_well(code, said):
    """Exit code and standard error, as they are without GLib's list of names."""
    rest = NAMES.sub(b'', said)
    return (0 if rest != said and code == CHECKER_CODE else code), rest


class App:
    """The program `veil` on a desktop, at a port that is free or, with @port None, that of its settings. With @tray_told it was said before that no panel is
    here, or word of that could come at any time. Whatever it says that sounds like a complaint is a failure when it ends."""

    def __init__(self, desktop, *args, home=None, env=None, port='0', tray_told=True):
        self.desktop = desktop
        self.home = home or desktop.folder / 'veil-home'
        if tray_told:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.home / 'no-tray-told').touch()
        self.log = tempfile.TemporaryFile(dir=desktop.folder)
        self.process = desktop.start([VEIL, '--home', str(self.home), *(['--port', port] if port else []), *args], stderr=self.log, env=env or {})
        self.quit_status = None

    @property
    def name(self):
        """The bus name of the process that shows the icon. Only a connection that owns the program's name is asked: one that GLib 2.74 is still setting up
        must not be called, or GLib complains about itself (check_unclosed: assertion 'flags & FLAG_INITIALIZED' failed)."""
        def call(name, path, method, signature, *arguments):
            interface = 'org.freedesktop.DBus.Properties' if method == 'Get' else 'org.freedesktop.DBus'
            return self.desktop.bus.call_blocking(name, path, interface, method, signature, list(arguments))

        for name in self.desktop.bus.list_names():
            # It may have gone since, or have no icon.
            with contextlib.suppress(dbus.DBusException):
                if name.startswith(ID) and call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'GetConnectionUnixProcessID', 's', name) == self.process.pid:
                    call(name, '/StatusNotifierItem', 'Get', 'ss', 'org.kde.StatusNotifierItem', 'Id')
                    return self.desktop.bus.get_name_owner(name)
        return None

    @property
    def running(self):
        return self.process.poll() is None

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def wait(self, timeout=DEADLINE):
        """Until it has ended by itself. Returns its exit code."""
        return ended_well(self.process.wait(timeout), self.said())[0]

    def end(self):
        status = self.desktop.end(self.process) if self.running else self.process.returncode
        status, said = ended_well(status, self.said())
        found = COMPLAINTS.search(said)
        assert not found, 'the program said:\n' + said[max(0, found.start() - 500):found.start() + 3000].decode(errors='replace')
        assert status == 0, (status, said.decode(errors='replace'))

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        if kind is None:
            self.end()
        elif self.running:
            self.desktop.end(self.process)
            print(self.said().decode(errors='replace'))

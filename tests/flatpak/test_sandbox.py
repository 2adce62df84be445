# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What the Flatpak may do, and what it does with that on a desktop with panel, keyring and portals."""

import json
import pathlib
import re
import subprocess
import sys

import pytest
from desktop import request, wait_until
from sandboxed import CACHE, ID, TOP, FlatpakDesktop, Sandboxed, said
from tray import Tray
from veil_peer import Peer

SHOTS = CACHE / 'shots'
ADDRESS = re.compile(rb'http://127\.0\.0\.1:(\d+)/v1')
HELLO = {'model': 'gpt-4.1', 'messages': [{'role': 'user', 'content': 'hello'}]}
BACKGROUND = ('[portal]\nDBusName=org.freedesktop.impl.portal.desktop.test\n'
              'Interfaces=org.freedesktop.impl.portal.Access;org.freedesktop.impl.portal.Background\nUseIn=xfce\n')
# Another program of the desktop.
OWNER = 'from gi.repository import Gio, GLib; Gio.bus_own_name(2, "org.freedesktop.systemd1", 0, None, lambda *_: print("ready", flush=True)); GLib.MainLoop().run()'
ALONE = ('--yes', '--no-login', '--no-start')
SECRET = '[portal]\nDBusName=org.freedesktop.secrets\nInterfaces=org.freedesktop.impl.portal.Secret\nUseIn=xfce\n'


@pytest.fixture(scope='module')
def desktop(installation):
    """Without portals, with keyring and panel."""
    SHOTS.mkdir(exist_ok=True)
    with FlatpakDesktop(installation) as running:
        running.start_keyring()
        yield running


def port_of(program):
    """Of a server in the foreground."""
    line = program.process.stdout.readline()
    found = ADDRESS.search(line)
    assert found, (line, program.said())
    return int(found[1])


def verified(port, body=HELLO):
    status, answer = request(port, 'POST', '/v1/chat/completions', body)
    assert status == 200, answer
    assert answer['opengradient_verification']['verified'] is True
    return answer


def test_permissions(installation):
    """These and no others: README.md gives a reason for each."""
    shown = installation.run('flatpak', '--user', 'info', '--show-permissions', ID).stdout.decode()
    lines = [line for line in shown.splitlines() if line]
    assert lines == ['[Context]', 'shared=network;ipc;', 'sockets=x11;wayland;fallback-x11;', 'devices=dri;', '[Session Bus Policy]',
                     'org.kde.StatusNotifierWatcher=talk', 'org.freedesktop.secrets=talk'], shown


def test_foreign_signature(installation):
    """Who knows another key takes nothing from the repository."""
    other, _ = installation.make_key('other')
    key = installation.folder / 'other.gpg'
    key.write_bytes(subprocess.run(['gpg', '--homedir', str(other), '--export'], check=True, capture_output=True, env=installation.env).stdout)
    added = installation.run('flatpak', '--user', 'remote-add', '--gpg-import=%s' % key, 'foreign', (installation.out / 'repo').as_uri(), check=False)
    listed = installation.run('flatpak', '--user', 'remote-ls', 'foreign', check=False)
    installation.run('flatpak', '--user', 'remote-delete', '--force', 'foreign', check=False)
    assert listed.returncode != 0 and b'public key not found' in listed.stderr, said(added) + said(listed)


def test_bundle(installation):
    """The one file holds what the repository holds."""
    repo = installation.folder / 'bundle'
    installation.run('ostree', 'init', '--mode=archive', '--repo=%s' % repo)
    installation.run('flatpak', 'build-import-bundle', repo, installation.out / (ID + '.flatpak'))
    ref = 'app/%s/%s/stable' % (ID, installation.run('flatpak', '--default-arch').stdout.decode().strip())
    commits = [installation.run('ostree', 'rev-parse', '--repo=%s' % folder, ref).stdout for folder in (repo, installation.out / 'repo')]
    assert commits[0] == commits[1]


def test_languages(installation, desktop):
    """All are in the one file, which has no room for what would be an extension of its own, and are spoken."""
    refs = installation.run('ostree', 'refs', '--repo=%s' % (installation.out / 'repo')).stdout.decode().split()
    assert [ref for ref in refs if '.Locale/' in ref] == []
    for language in re.sub('#.*', '', (TOP / 'po' / 'LINGUAS').read_text()).split():
        there = '/app/share/locale/%s/LC_MESSAGES/veil.mo' % language
        assert desktop.complete('head', '-c', '4', there).stdout == b'\xde\x12\x04\x95', there
    spoken = desktop.complete('env', 'LC_ALL=C.UTF-8', 'LANGUAGE=de', 'og-veil', '--help').stdout.decode()
    assert 'Befehle' in spoken, spoken


def test_command_line(desktop):
    assert desktop.complete('og-veil', '--version').stdout.startswith(b'og-veil ')
    updated = desktop.complete('og-veil', 'update').stdout.decode()
    assert 'flatpak update ' + ID in updated


def test_serves_for_the_host(desktop):
    with Sandboxed(desktop, 'serve', '-f', '--sandbox', '--port', '0', program='og-veil') as server:
        port = port_of(server)
        assert verified(port)['opengradient_verification']['sandbox'] is True
        server.signal()
        assert server.process.wait(60) == 0, server.said()
        with pytest.raises(OSError):
            request(port, 'GET', '/health')


def keeps_its_session(desktop):
    """Signs in in one sandbox; another one, later, serves with what the first has stored where the host can see it, and nowhere else."""
    with Peer() as peer:
        done = desktop.complete('og-veil', 'login', '--manual', input=json.dumps(peer.bundle()).encode())
        assert b'keyring' not in done.stderr, done.stderr
        assert desktop.stored() == 1
        with Sandboxed(desktop, 'serve', '-f', '--port', '0', program='og-veil') as server:
            assert verified(port_of(server))['opengradient_verification'].get('sandbox') is not True
        written = [path for path in desktop.data.rglob('*') if path.is_file()]
        assert written
        for path in written:
            assert peer.refresh_token.encode() not in path.read_bytes(), path
        desktop.complete('og-veil', 'logout')
        assert desktop.stored() == 0


def test_session_in_the_secret_service(desktop):
    assert not desktop.owns('org.freedesktop.portal.Desktop')
    keeps_its_session(desktop)


def test_session_beside_the_secret_portal(installation):
    """Where there is that portal, libsecret would keep an encrypted file in the sandbox; Veil asks the Secret Service all the same, so that a session is in one
    place however it was started."""
    with FlatpakDesktop(installation, portals={'gnome-keyring': SECRET}) as desktop:
        desktop.start_keyring()
        desktop.start_portal()
        assert desktop.bus.call_blocking('org.freedesktop.portal.Desktop', '/org/freedesktop/portal/desktop', 'org.freedesktop.DBus.Properties', 'Get', 'ss',
                                         ['org.freedesktop.portal.Secret', 'version']) >= 1
        keeps_its_session(desktop)


def test_session_without_a_keyring(installation):
    """The reason, and the way out."""
    with FlatpakDesktop(installation) as desktop, Peer() as peer:
        done = desktop.complete('og-veil', 'login', '--manual', input=json.dumps(peer.bundle()).encode(), check=False)
        assert b'keyring' in done.stderr and b'--session-store file' in done.stderr, said(done)


def test_one_for_each_home(desktop):
    """Each command runs in a sandbox of its own, with process numbers of its own; they find the server all the same, and signal nobody."""
    with Sandboxed(desktop, 'serve', '-f', '--sandbox', '--port', '0', program='og-veil') as server:
        port = port_of(server)
        status = json.loads(desktop.complete('og-veil', 'status', '--json').stdout)
        assert str(port) in json.dumps(status), status
        assert ':%d/v1' % port in desktop.complete('og-veil', 'env').stdout.decode()
        second = desktop.complete('og-veil', 'serve', '-f', '--sandbox', '--port', '0')
        assert b'already' in second.stdout and b':%d/v1' % port in second.stdout, said(second)
        for command in ('stop', 'restart'):
            done = desktop.complete('og-veil', command, check=False)
            assert done.returncode == 1 and ('flatpak kill ' + ID) in done.stderr.decode(), said(done)
        verified(port)
    assert b'nothing runs' in desktop.complete('og-veil', 'stop').stdout


def test_serves_in_the_background(desktop):
    """It outlives the command that started it, and ends when flatpak is told to end it."""
    started = desktop.complete('og-veil', '--sandbox', '--port', '0')
    port = int(ADDRESS.search(started.stdout)[1])
    try:
        verified(port)
    finally:
        desktop.run('flatpak', 'kill', ID)

    def ended():
        try:
            return not request(port, 'GET', '/health')
        except OSError:
            return True
    wait_until(ended, 'it to end')
    assert b'nothing runs' in desktop.complete('og-veil', 'stop').stdout


def asks_to_start_at_login(installation, answer, *more):
    """`og-veil setup --autostart` under the real portal, behind which a person says @answer. (what came of it, what the desktop was asked)"""
    with FlatpakDesktop(installation, portals={'test': BACKGROUND}) as desktop:
        backend = desktop.start([sys.executable, str(pathlib.Path(__file__).parent / 'backend.py'), answer], stdout=subprocess.PIPE)
        assert backend.stdout.readline() == b'ready\n'
        # Whoever was not asked yet may.
        desktop.bus.call_blocking('org.freedesktop.impl.portal.PermissionStore', '/org/freedesktop/impl/portal/PermissionStore',
                                  'org.freedesktop.impl.portal.PermissionStore', 'SetPermission', 'sbssas', ['background', True, 'background', ID, ['ask']])
        desktop.start_portal()
        done = desktop.complete('og-veil', 'setup', *ALONE, '--autostart', check=False)
        again = [desktop.complete('og-veil', 'setup', *ALONE, argument, check=False) for argument in more]
        desktop.end(backend)
        mark = (desktop.data / 'data' / 'veil' / 'autostart').exists()
        return [done, *again], mark, [json.loads(line) for line in backend.stdout]


def test_autostart_granted(installation):
    (done, undone), mark, asked = asks_to_start_at_login(installation, 'yes', '--no-autostart')
    assert done.returncode == 0, said(done)
    assert asked[0][0] == 'AccessDialog' and asked[0][2] == ID
    wishes = [question[1:] for question in asked if question[0] == 'EnableAutostart']
    assert [wish[:2] for wish in wishes] == [[ID, True], [ID, False]], asked
    # What the desktop runs then is a command of the host, which flatpak wrote around ours.
    command = wishes[0][2]
    assert command[:2] == ['flatpak', 'run'] and ID in command and any('og-veil' in word for word in command), command
    assert undone.returncode == 0 and not mark


def test_autostart_refused(installation):
    (done,), mark, asked = asks_to_start_at_login(installation, 'no')
    assert done.returncode == 1 and b'did not let Veil' in done.stderr, said(done)
    assert not mark and not [question for question in asked if question[0] == 'EnableAutostart' and question[2]]


def test_autostart_without_a_portal(desktop):
    done = desktop.complete('og-veil', 'setup', *ALONE, '--autostart', check=False)
    assert done.returncode == 1 and b'portal' in done.stderr, said(done)
    assert [path.name for path in pathlib.Path(desktop.env['HOME']).rglob('*.desktop')] == ['browser.desktop'], 'the desktop has one entry of its own'


def test_tray_and_window(desktop):
    with Sandboxed(desktop, '--sandbox', '--port', '0', '--background') as app:
        tray = Tray(app)
        wait_until(lambda: tray.icon == 'sandbox', 'it to serve')
        assert tray.name.startswith(':')
        tray.click('Serve')
        wait_until(lambda: tray.icon == 'off', 'it to be off')
        tray.click('Serve')
        wait_until(lambda: tray.icon == 'sandbox', 'it to be on')
        assert desktop.windows('^Veil$') == []
        tray.click('Open Veil')
        window = wait_until(lambda: desktop.windows('^Veil$'), 'the window')[0]
        shot = SHOTS / 'window.png'

        def drawn():
            desktop.run('import', '-window', window, str(shot))
            return int(desktop.run('convert', str(shot), '-format', '%k', 'info:')) > 200
        wait_until(drawn, 'the window to be drawn')
        desktop.screenshot(SHOTS / 'desktop.png')
        tray.click('Quit')
        assert app.process.wait(60) == 0, app.said()
        wait_until(lambda: app.name is None, 'the icon to go')


def refused(desktop, *command):
    """@command in the sandbox fails; what it said."""
    done = desktop.complete(command[0], *command[1:], check=False)
    assert done.returncode != 0, said(done)
    return said(done)


def test_refused_files(desktop):
    mine = pathlib.Path(desktop.env['HOME'], 'diary')
    mine.write_text('dear diary')
    assert 'No such file' in refused(desktop, 'cat', str(mine))
    # Its own home is in ~/.var/app; nothing that it writes elsewhere arrives.
    desktop.complete('sh', '-c', 'echo mine > "$0"', str(mine.with_name('notes')), check=False)
    assert not mine.with_name('notes').exists()
    assert mine.read_text() == 'dear diary'
    for place in ('/root', '/home', '/media', '/mnt', '/srv', str(desktop.folder)):
        seen = desktop.complete('sh', '-c', 'ls -A "$0" || true', place).stdout.decode().split()
        assert not set(seen) & {'diary', 'bus.conf', 'services', 'keyring'}, seen
    for place in ('/app/changed', '/usr/changed'):
        assert 'Read-only' in refused(desktop, 'touch', place)


def test_refused_bus_names(desktop):
    """Names that it has not asked for are as if nobody had them; it cannot take any but its own."""
    def call(name, path, method, *args):
        return refused(desktop, 'gdbus', 'call', '--session', '--dest', name, '--object-path', path, '--method', method, *args)
    desktop.start([sys.executable, '-c', OWNER], stdout=subprocess.PIPE).stdout.readline()
    for name in ('org.freedesktop.systemd1', 'org.freedesktop.Notifications', 'org.xfce.Panel'):
        assert desktop.owns(name)
        assert 'ServiceUnknown' in call(name, '/', 'org.freedesktop.DBus.Peer.Ping')
    for name in ('org.gnome.Shell', 'org.kde.StatusNotifierItem-2-1', 'org.freedesktop.secrets'):
        answer = call('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus.RequestName', name, '0')
        assert 'ServiceUnknown' in answer or 'AccessDenied' in answer
    assert not desktop.owns('org.gnome.Shell')


def test_refused_processes(desktop):
    """It sees none of the host's, and can signal none."""
    victim = desktop.start(['sleep', '600'])
    pids = [int(name) for name in desktop.complete('ls', '/proc').stdout.decode().split() if name.isdigit()]
    assert pids and max(pids) < 20, pids
    assert 'No such process' in refused(desktop, 'sh', '-c', 'kill -TERM "$0"', str(max(victim.pid, 20)))
    assert victim.poll() is None
    desktop.end(victim)

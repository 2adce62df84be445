# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The tray of the real program on a real panel: xfce4-panel."""

import contextlib
import functools
import os
import pathlib
import re
import subprocess

import dbus
import faults
import gi
import pytest
from desktop import App, request, wait_until
from program import sign_in
from tray import PanelDesktop, Tray
from veil_peer import Peer

gi.require_version('GdkPixbuf', '2.0')
from gi.repository import GdkPixbuf  # noqa: E402

SHOTS = pathlib.Path(os.environ['VEIL_UI_SHOTS'])
ICON = 36  # the panel is as high


@pytest.fixture(scope='module')
def desktop():
    SHOTS.mkdir(exist_ok=True)
    with PanelDesktop() as running:
        yield running


@pytest.fixture
def app(desktop, tmp_path):
    with App(desktop, '--sandbox', '--background', home=tmp_path / 'home') as running:
        yield running


@pytest.fixture
def tray(app):
    found = Tray(app)
    wait_until(lambda: found.icon == 'sandbox', 'the sandbox to serve')
    return found


def picture(desktop, name):
    """The place of the icon on the panel; its file."""
    whole, part = SHOTS / (name + '.png'), desktop.folder / (name + '.png')
    desktop.screenshot(whole)
    desktop.run('convert', str(whole), '-crop', '%dx%d+0+0' % (ICON, ICON - 2), '+repage', '-colorspace', 'gray', str(part))
    return part


def is_drawn(desktop, name='icon'):
    """Is there anything but the panel's colour?"""
    deviation = desktop.run('convert', str(picture(desktop, name)), '-format', '%[fx:standard_deviation]', 'info:')
    return float(deviation) > 0.02


@functools.cache
def drawing(state):
    """The icon as it should look: white where it is drawn, cut to what there is."""
    source = pathlib.Path(os.environ['VEIL_ICONS'], 'hicolor', 'symbolic', 'apps', 'ai.opengradient.Veil-%s-symbolic.svg' % state)
    path = SHOTS / ('wanted-%s.png' % state)
    GdkPixbuf.Pixbuf.new_from_file_at_size(str(source), 44, 44).savev(str(path), 'png', [], [])
    subprocess.run(['convert', str(path), '-alpha', 'extract', '-trim', '+repage', '-resize', '22x22!', str(path)], check=True, timeout=60)
    return path


def shown(desktop, name):
    """Which of the icons the panel shows, by shape alone: the nearest, if it is near."""
    part = picture(desktop, name)
    desktop.run('convert', str(part), '-normalize', '-fuzz', '30%', '-trim', '+repage', '-resize', '22x22!', str(part))
    distances = {}
    for state in ('verified', 'attention', 'off', 'sandbox'):
        out = desktop.run('sh', '-c', 'compare -metric RMSE "$1" "$2" null: 2>&1 || true', 'sh', str(part), str(drawing(state)))
        distances[state] = float(re.search(rb'\(([\d.e-]+)\)', out).group(1))
    nearest, second = sorted(distances, key=distances.get)[:2]
    return nearest if distances[nearest] < 0.25 and distances[second] > 1.5 * distances[nearest] else None


def clipboard(desktop):
    return desktop.run('xclip', '-selection', 'clipboard', '-o', check=False).decode()


def settings(app):
    path = app.home / 'sandbox.ini'
    return path.read_text() if path.exists() else ''


def address(desktop, tray):
    tray.click('Copy Environment')
    found = wait_until(lambda: re.search(r'OPENAI_BASE_URL=http://127\.0\.0\.1:(\d+)/v1', clipboard(desktop)), 'the environment on the clipboard')
    return int(found.group(1))


def test_icon_and_menu_by_mouse(desktop, app, tray):
    wait_until(lambda: is_drawn(desktop), 'the icon on the panel')
    for step in range(2):
        # A click on "Serve", third in the menu; the first opens no window, as a menu is wanted.
        desktop.run('xdotool', 'mousemove', str(ICON // 2), str(ICON // 2), 'click', '3')
        wait_until(lambda: menu_is_open(desktop), 'the menu')
        desktop.run('xdotool', 'mousemove', '600', '600')  # or the icon's tooltip would be there when the menu has gone
        desktop.screenshot(SHOTS / ('tray-menu-%d.png' % step))
        desktop.run('xdotool', 'key', 'Home', 'Down', 'Return')
        wait_until(lambda: tray.icon == ('off' if step == 0 else 'sandbox'), 'serving to change')
        wait_until(lambda: not menu_is_open(desktop), 'the menu to close')
    assert desktop.windows('^Veil$') == []


def menu_is_open(desktop):
    """Below the panel there is nothing but a menu."""
    path = desktop.folder / 'below.png'
    desktop.run('import', '-window', 'root', '-crop', '300x300+0+%d' % ICON, str(path))
    return float(desktop.run('convert', str(path), '-colorspace', 'gray', '-format', '%[fx:standard_deviation]', 'info:')) > 0.01


def test_left_click_opens_the_window(desktop, app, tray):
    wait_until(lambda: is_drawn(desktop), 'the icon on the panel')
    desktop.run('xdotool', 'mousemove', str(ICON // 2), str(ICON // 2), 'click', '1')
    wait_until(lambda: desktop.windows('^Veil$'), 'the window')


def test_each_entry(desktop, app, tray):
    wait_until(lambda: tray.status == 'Sandbox: On, no requests yet', 'it to serve')
    assert [path for path, _, _ in tray.rows() if len(path) == 1] == [
        ('Sandbox: On, no requests yet',), ('Open Veil',), ('Serve',), ('Enclave',), ('Copy Environment',), ('Sandbox',), ('Quit',)]
    assert 'sandbox' in tray.get('Title')

    tray.click('Open Veil')
    wait_until(lambda: desktop.windows('^Veil$'), 'the window')

    port = address(desktop, tray)
    assert request(port, 'GET', '/health')[0] == 200
    tray.click('Serve')
    wait_until(lambda: tray.icon == 'off' and tray.find('Serve')[1]['toggle-state'] == 0, 'it to be off')
    with pytest.raises(OSError):
        request(port, 'GET', '/health')
    wait_until(lambda: not tray.find('Copy Environment')[1].get('enabled', True), 'the entry to be insensitive')
    tray.click('Serve')
    wait_until(lambda: tray.icon == 'sandbox', 'it to be on')

    wait_until(lambda: sum(path[0] == 'Enclave' for path, _, _ in tray.rows()) > 2, 'the enclaves')
    choice = next(path for path, _, _ in tray.rows() if path[0] == 'Enclave' and len(path) == 2 and path[1] != 'Automatic')
    tray.click(*choice)
    wait_until(lambda: tray.find(*choice)[1]['toggle-state'] == 1, 'the choice')
    prefix = re.search(r'\((0x[0-9a-f]+)', choice[1]).group(1)
    assert re.search("^tee-id='%s" % prefix, settings(app), re.M), settings(app)
    assert tray.find('Enclave', 'Automatic')[1]['toggle-state'] == 0
    tray.click('Enclave', 'Automatic')
    wait_until(lambda: tray.find('Enclave', 'Automatic')[1]['toggle-state'] == 1, 'no choice')
    assert "tee-id='auto'" in settings(app)

    tray.click('Quit')
    assert app.wait(60) == 0
    wait_until(lambda: not is_drawn(desktop), 'the icon to go')


def test_nonsense_from_the_bus(desktop, app, tray):
    """Nobody on it can have something written that the next start cannot read, nor end the program."""
    wait_until(lambda: tray.icon == 'sandbox', 'it to serve')
    name = next(n for n in desktop.bus.list_names() if n.startswith('ai.opengradient.Veil'))
    path = '/' + name.replace('.', '/')

    def call(method, signature, *arguments):
        with contextlib.suppress(dbus.DBusException):
            desktop.bus.call_blocking(name, path, 'org.gtk.Actions', method, signature, list(arguments))

    none = dbus.Dictionary({}, 'sv')
    for value in (dbus.String('nonsense'), dbus.Int32(42), dbus.String('x' * 10000), dbus.String('')):
        call('SetState', 'sva{sv}', 'tee', value, none)
        call('Activate', 'sava{sv}', 'tee', dbus.Array([value], 'v'), none)
    call('Activate', 'sava{sv}', 'show-request', dbus.Array([dbus.Int64(2**63 - 1)], 'v'), none)
    call('Activate', 'sava{sv}', 'show-page', dbus.Array(['<b>nowhere'], 'v'), none)
    # The last change is written when the first ones are.
    tray.click('Serve')
    wait_until(lambda: tray.icon == 'off', 'it to be off')
    tray.click('Enclave', 'Automatic')
    wait_until(lambda: desktop.windows('^Veil$'), 'the window')
    assert 'nonsense' not in settings(app) and 'xxx' not in settings(app)


def test_out_of_the_sandbox(desktop, app, tray):
    tray.click('Sandbox')
    wait_until(lambda: tray.icon == 'attention' and tray.get('Status') == 'NeedsAttention', 'nobody to be signed in')
    wait_until(lambda: tray.find('Sandbox') is None and tray.status == 'Nobody is signed in', 'the menu to say so')
    assert tray.get('Title') == 'Veil'
    tray.click('Sign In…')
    wait_until(lambda: desktop.windows('^Veil$'), 'the window')


def test_states_show_on_the_panel(desktop, app, tray):
    desktop.run('xdotool', 'mousemove', '600', '600')
    wait_until(lambda: shown(desktop, 'tray-sandbox') == 'sandbox', 'the icon of the sandbox')
    tray.click('Serve')
    wait_until(lambda: shown(desktop, 'tray-off') == 'off', 'the icon of off')
    tray.click('Serve')
    wait_until(lambda: shown(desktop, 'tray-sandbox') == 'sandbox', 'the icon of the sandbox again')
    tray.click('Sandbox')
    wait_until(lambda: shown(desktop, 'tray-attention') == 'attention', 'the icon of attention')


def test_comes_back_with_the_panel(desktop, app, tray):
    wait_until(lambda: is_drawn(desktop), 'the icon on the panel')
    desktop.stop_panel()
    wait_until(lambda: not is_drawn(desktop), 'the panel to go')
    desktop.start_panel()
    wait_until(lambda: is_drawn(desktop), 'the icon on the new panel')
    assert tray.icon == 'sandbox'


def test_closing_the_window_serves_on(desktop, app, tray):
    port = address(desktop, tray)
    tray.activate()
    window = wait_until(lambda: desktop.windows('^Veil$'), 'the window')[0]
    desktop.run('xdotool', 'windowactivate', '--sync', window, 'key', 'ctrl+w')
    wait_until(lambda: not desktop.windows('^Veil$'), 'the window to close')
    assert request(port, 'GET', '/health')[0] == 200
    tray.activate()
    wait_until(lambda: desktop.windows('^Veil$'), 'the window again')
    tray.click('Quit')
    assert app.wait(60) == 0
    with pytest.raises(OSError):
        request(port, 'GET', '/health')


def test_signed_in_verified_and_refused(desktop, tmp_path):
    """With an account, the icon says verified; a refused answer asks for attention until somebody looks."""
    with Peer() as peer:
        sign_in(tmp_path / 'home', peer.bundle())
        peer.handlers['bad'] = faults.signed_fields(faults.flip_signature)
        with App(desktop, '--background', '--session-store', 'file', home=tmp_path / 'home') as app:
            tray = Tray(app)
            wait_until(lambda: tray.icon == 'verified', 'it to serve')
            desktop.run('xdotool', 'mousemove', '600', '600')
            wait_until(lambda: shown(desktop, 'tray-verified') == 'verified', 'the icon of verified')
            port = address(desktop, tray)
            body = {'model': 'bad', 'messages': [{'role': 'user', 'content': 'hello'}]}
            assert request(port, 'POST', '/v1/chat/completions', body)[0] == 502
            wait_until(lambda: shown(desktop, 'tray-refused') == 'attention', 'the refusal to show')
            wait_until(lambda: tray.status == '0 answers verified, 1 refused', 'the status')
            tray.activate()
            wait_until(lambda: tray.icon == 'verified', 'it to be seen')
            tray.click('Sign Out')
            wait_until(lambda: tray.status == 'Nobody is signed in', 'nobody to be signed in')
            assert not (tmp_path / 'home' / 'session.json').exists()

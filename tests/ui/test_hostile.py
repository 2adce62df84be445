# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The window among those who mean it no good, and in odd moments: it stays usable, and waits for nobody whom it need not wait for."""

import contextlib
import copy
import os
import pathlib
import re
import socket
import sys

import dbus
import dbus.bus
import pytest
from desktop import App, Desktop, wait_until
from window import Window, connect

sys.path.append(str(pathlib.Path(__file__).parent.parent / 'e2e'))
from program import sign_in  # noqa: E402
from veil_peer import Peer, answers  # noqa: E402

BROWSER = 'org.example.Browser'
ANY_WINDOW = '^(Veil|Preferences|About)$'


@pytest.fixture(scope='module')
def desktop():
    with Desktop() as running:
        home = running.folder / 'home'
        entries = home / 'data' / 'applications'
        (entries / (BROWSER + '.desktop')).write_text('[Desktop Entry]\nType=Application\nName=Browser\nExec=false\nDBusActivatable=true\n'
                                                      'MimeType=x-scheme-handler/https;x-scheme-handler/http;\n')
        (home / 'config').mkdir()
        (home / 'config' / 'mimeapps.list').write_text('[Default Applications]\nx-scheme-handler/https=%s.desktop\n' % BROWSER)
        yield running


@pytest.fixture(scope='module')
def atspi(desktop):
    return connect(desktop)


@pytest.fixture
def peer():
    with Peer() as running:
        yield running


@pytest.fixture
def hanging_browser(desktop):
    """Takes the call and says nothing, until it goes."""
    connection = dbus.bus.BusConnection(desktop.env['DBUS_SESSION_BUS_ADDRESS'])
    connection.request_name(BROWSER)
    yield connection
    connection.close()


def listens(port):
    try:
        socket.create_connection(('127.0.0.1', int(port)), timeout=60).close()
    except ConnectionRefusedError:
        return False
    return True


def activate(desktop, action):
    name = next(str(n) for n in desktop.bus.list_names() if n.startswith('ai.opengradient.Veil'))
    desktop.bus.call_blocking(name, '/' + name.replace('.', '/'), 'org.gtk.Actions', 'Activate', 'sava{sv}', [action, dbus.Array([], 'v'), dbus.Dictionary({}, 'sv')])


def opened(app, atspi):
    window = Window(app, atspi)
    wait_until(lambda: window.root, 'the window')
    window.focus_window()
    return window


def started(desktop, atspi, home, *args):
    return App(desktop, '--session-store', 'file', *args, home=home)


def serving(window):
    wait_until(lambda: window.says('Requests appear here when a program asks http'), 'it to serve')


def ask_for_long(atspi, peer, app):
    """Sends the test prompt, which does not end, so that the program goes on for a while when it is to end. Returns the window."""
    peer.handlers['gpt-4.1-mini'] = lambda ex: ex.hold(60)
    window = opened(app, atspi)
    serving(window)
    window.keys('alt+3')
    window.press('Send', 'push button')
    peer.wait_seen('gpt-4.1-mini')
    return window


def test_a_long_answer_does_not_stop_everything(desktop, atspi, peer, tmp_path):
    """All of it would be laid out at once, by the thread that serves the endpoint."""
    peer.handlers['gpt-4.1-mini'] = lambda ex: answers.send_text(ex, '<b>markup</b> and words ' * 50000)
    sign_in(tmp_path / 'home', peer.bundle())
    with started(desktop, atspi, tmp_path / 'home') as app:
        window = opened(app, atspi)
        serving(window)
        window.keys('alt+3')
        window.press('Send', 'push button')
        answer = wait_until(lambda: next((n for n in window.showing() if '<b>markup</b>' in n.name), None), 'the answer')
        assert len(answer.name) < 5000 and 'The answer is longer' in answer.name


def test_many_enclaves_do_not_stop_everything(desktop, atspi, peer, tmp_path):
    for _ in range(1000):
        other = copy.copy(peer.enclaves[0])
        other.der = os.urandom(300)
        peer.active.append(other)
    sign_in(tmp_path / 'home', peer.bundle())
    with started(desktop, atspi, tmp_path / 'home') as app:
        window = opened(app, atspi)
        window.keys('alt+2')
        wait_until(lambda: window.says('953 more are not shown here'), 'the enclaves')
        wait_until(lambda: len([n for n in window.showing() if n.name.startswith('Use only ')]) == 50, '50 of them')


def test_nothing_waits_for_a_login_once_somebody_is_signed_in(desktop, atspi, peer, hanging_browser, tmp_path):
    app = started(desktop, atspi, tmp_path / 'home')
    window = opened(app, atspi)
    window.press('Sign In', 'push button')
    port = wait_until(lambda: next((found for n in window.showing() if (found := re.search(r'127\.0\.0\.1%3A(\d+)', n.name))), None), 'the address').group(1)
    assert listens(port)
    sign_in(tmp_path / 'home', peer.bundle())
    wait_until(lambda: not listens(port), 'it to wait no more')
    # And the browser that was to come does not matter any more.
    hanging_browser.close()
    wait_until(lambda: b'g_app_launch_context_launch_failed' in app.said() or not app.running, 'word of the browser')
    serving(window)
    # GLib 2.74 says that one thing whenever a program that the bus starts does not come.
    assert app.said().count(b'CRITICAL') == 1, app.said().decode(errors='replace')
    assert desktop.end(app.process) == 0


def test_one_preferences_window(desktop, atspi, tmp_path):
    def show_page():
        """What is asked for is not behind it."""
        activate(desktop, 'requests')
        wait_until(lambda: [n.name for n in window.roots] == ['Veil'], 'the page alone')

    with started(desktop, atspi, tmp_path / 'home', '--sandbox') as app:
        window = opened(app, atspi)
        for action, title in (('preferences', 'Preferences'), ('about', 'About')):
            for _ in range(3):
                activate(desktop, action)
            wait_until(lambda title=title: [n for n in window.roots if n.name == title], title)
            assert len([n for n in window.roots if n.name == title]) == 1
        show_page()
        # Nor behind a dialog of a dialog.
        activate(desktop, 'preferences')
        window.focus_window('Preferences')
        window.find('Trust', 'page tab')
        window.keys('alt+t')
        window.find('Pinned Builds')
        window.keys('alt+p')
        window.press('Compute…', 'push button')
        wait_until(lambda: desktop.windows('^Compute a Pin$'), 'the dialog')
        show_page()


def test_a_screen_reader_asks_for_windows_that_are_gone(desktop, atspi, tmp_path):
    with started(desktop, atspi, tmp_path / 'home', '--sandbox') as app:
        window = opened(app, atspi)

        def ask_on():
            window.ask_for_more()
            wait_until(lambda: window.says('Requests appear here when a program asks http'), 'it to go on')
        ask_on()
        window.keys('ctrl+question')
        window.find('Close the Window (Veil Goes on Serving)')
        ask_on()
        window.focus_window('Keyboard Shortcuts')
        window.keys('Escape')
        wait_until(lambda: len(window.roots) == 1, 'the shortcuts to go')
        ask_on()


def test_no_window_while_it_ends(desktop, atspi, peer, tmp_path):
    """Requests that run get a few seconds, in which the tray and others may still ask for one."""
    sign_in(tmp_path / 'home', peer.bundle())
    with started(desktop, atspi, tmp_path / 'home') as app:
        window = ask_for_long(atspi, peer, app)
        activate(desktop, 'preferences')
        wait_until(lambda: desktop.windows('^Preferences$'), 'the preferences')
        activate(desktop, 'quit')
        wait_until(lambda: not desktop.windows(ANY_WINDOW), 'the windows to go')
        assert app.running
        asked = 0
        for action in ('open', 'about', 'preferences', 'requests', 'sign-in'):
            with contextlib.suppress(dbus.DBusException, StopIteration):  # it may have ended
                activate(desktop, action)
                asked += 1
        assert asked > 0
        while app.running:
            assert desktop.windows(ANY_WINDOW) == []


def test_a_screen_reader_asks_while_it_ends(desktop, atspi, peer, tmp_path):
    """Nothing answers it then, so it may wait for as long as that takes."""
    sign_in(tmp_path / 'home', peer.bundle())
    with started(desktop, atspi, tmp_path / 'home') as app:
        window = ask_for_long(atspi, peer, app)
        activate(desktop, 'quit')
        wait_until(lambda: not desktop.windows(ANY_WINDOW), 'the window to go')
        window.ask_for_more(1)
        assert app.wait() == 0

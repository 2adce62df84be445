# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The window at the least of its width, in the real translations: nothing is cut off, and GTK finds nothing to complain of."""

import gettext
import json
import os
import pathlib
import socket
import subprocess

import locales
import pytest
from desktop import App, Desktop, wait_until
from program import run, sign_in
from veil_peer import Peer
from window import Window, connect

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCALES = {'ar': 'ar_EG', 'de': 'de_DE'}
ONE_LINE = 40  # pixels: higher than that, and than the button beside it; two are higher still


@pytest.fixture(scope='module')
def desktop():
    with Desktop() as running:
        yield running


@pytest.fixture(scope='module')
def atspi(desktop):
    return connect(desktop)


class Language:
    """As somebody has it whose session is in it."""

    def __init__(self, name, folder):
        file = folder / name / 'LC_MESSAGES' / 'veil.mo'
        file.parent.mkdir(parents=True)
        subprocess.run(['msgfmt', '-o', str(file), str(ROOT / 'po' / (name + '.po'))], check=True)
        self.env = {'LOCPATH': str(locales.make(LOCALES[name])), 'LC_ALL': LOCALES[name] + '.UTF-8', 'LANGUAGE': name, 'TEST_LOCALE_FOLDER': str(folder),
                    'LD_PRELOAD': os.environ['VEIL_BINDTEXTDOMAIN']}
        with file.open('rb') as stream:
            self.texts = gettext.GNUTranslations(stream)

    def __call__(self, text):
        """As a screen reader gets it."""
        assert self.texts.gettext(text) != text, text
        return self.texts.gettext(text).replace('_', '')


def shrink(desktop, title, height):
    window = wait_until(lambda: desktop.windows('^%s$' % title), title)[0]
    desktop.run('xdotool', 'windowactivate', '--sync', window, 'windowsize', '--sync', window, '360', str(height))


def opened(app, atspi):
    window = Window(app, atspi)
    wait_until(lambda: window.root, 'the window')
    shrink(app.desktop, 'Veil', 700)
    return window


def test_a_toast_of_one_long_line(desktop, atspi, tmp_path):
    """It is broken into two, rather than cut off before what it is about."""
    tr = Language('de', tmp_path)
    with App(desktop, '--sandbox', home=tmp_path / 'home', env=tr.env) as app:
        window = opened(app, atspi)
        window.keys('ctrl+comma')
        shrink(desktop, tr('Preferences'), 640)
        window.find(tr('New _key, to be kept in the keyring'), 'text')
        text = tr('An API key has at least 8 characters')
        assert 28 < len(text) <= 42

        def height():
            """Tried anew, as a toast may be gone before a busy machine has looked."""
            window.keys('alt+s', 'ctrl+a')
            desktop.run('xdotool', 'type', 'short')
            window.keys('Return')
            found = next((node for node in window.showing() if node.name == text), None)
            return found and found.get(lambda: found.accessible.get_extents(atspi.CoordType.WINDOW).height, 0)
        assert wait_until(height, 'the toast') > ONE_LINE


@pytest.mark.parametrize('language', LOCALES)
def test_why_it_cannot_serve(desktop, atspi, tmp_path, language):
    """Where the requests are to appear, without options of the command line, and with a way out."""
    tr, home = Language(language, tmp_path), tmp_path / 'home'
    home.mkdir()
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        (home / 'settings.ini').write_text('[veil]\nport=%d\n' % port)
        with App(desktop, '--sandbox', home=home, env=tr.env, port=None) as app:
            window = opened(app, atspi)
            window.find(tr('Veil Cannot Serve'))
            assert window.says(tr('Port %u on %s is taken by another program; choose another one with --port').split('%u')[0] + str(port))
            assert not window.says('--port') and not window.says(tr('Veil is switched off, so no program can ask.'))
            wait_until(lambda: (place := window.place(window.root)) and place.width == 360, 'its width')
            window.press(tr('Use a _Free Port'), 'push button')
            window.find(tr('No Requests Yet'))
            assert window.says('http://127.0.0.1:') and not window.says(':%d/' % port)


@pytest.fixture
def arabic(tmp_path):
    """In two fonts, of which the first has no Arabic letters: their widths are what GTK 4.8 is easily wrong about."""
    tr = Language('ar', tmp_path)
    settings = tmp_path / 'config' / 'gtk-4.0' / 'settings.ini'
    settings.parent.mkdir(parents=True)
    settings.write_text('[Settings]\ngtk-font-name=Cantarell, DejaVu Sans 11\n')
    tr.env['XDG_CONFIG_HOME'] = str(tmp_path / 'config')
    return tr


def test_signing_in_from_the_right_to_the_left(desktop, atspi, arabic, tmp_path):
    """Up to the question of whoever signs in at another network than before."""
    home, code = tmp_path / 'home', tmp_path / 'code'
    with Peer() as peer, Peer() as other:
        sign_in(home, peer.bundle())
        assert run('logout', '--session-store', 'file', home=home).returncode == 0
        code.write_text(json.dumps(other.bundle()))
    desktop.start(['xclip', '-quiet', '-selection', 'clipboard', '-i', str(code)])
    wait_until(lambda: b'opengradient-cli-auth' in desktop.run('xclip', '-selection', 'clipboard', '-o', check=False), 'the clipboard')
    with App(desktop, '--app-url', 'http://127.0.0.1:9', '--session-store', 'file', home=home, env=arabic.env) as app:
        window = opened(app, atspi)
        window.press(arabic('Sign _In'), 'push button')
        window.find(arabic('_Cancel'), 'push button')
        window.click(window.find(arabic('Or _paste the code that the page shows'), 'text'))
        window.paste(arabic('Or _paste the code that the page shows'))
        window.keys('Return')
        window.find(arabic('_Trust It'), 'push button')
        window.focus_window(arabic('Trust Another Network?'))
        # From the old one to the new one, in the direction of reading.
        assert window.says(peer.relay.url) and window.says('\n\u200f← \u2066%s' % other.relay.url)
        window.keys('Escape')
        window.find(arabic('Signing In Was Cancelled'))


def test_a_request_from_the_right_to_the_left(desktop, atspi, arabic, tmp_path):
    with App(desktop, '--sandbox', home=tmp_path / 'home', env=arabic.env) as app:
        window = opened(app, atspi)
        window.find(arabic('No Requests Yet'))
        window.keys('alt+3')
        window.press(arabic('Se_nd'), 'push button')
        wait_until(lambda: window.says(arabic('Verified (sandbox: simulated, not attested)')), 'the answer')
        window.keys('alt+1')
        window.click(wait_until(lambda: next((node for node in window.showing() if node.role == 'list item' and 'gpt-4.1-mini' in node.name), None), 'the request'))
        outcome = window.find(arabic('All checks passed, with the keys of a simulated enclave. Nothing is attested.'))
        place = wait_until(lambda: outcome.get(lambda: outcome.accessible.get_extents(atspi.CoordType.WINDOW), None), 'its place')
        assert 12 <= place.x and place.x + place.width <= 348, (place.x, place.width)

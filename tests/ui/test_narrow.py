# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The window at the least of its width, in the real translations: nothing is cut off, and GTK finds nothing to complain of."""

import gettext
import os
import pathlib
import socket
import subprocess

import locales
import pytest
from desktop import App, Desktop, wait_until
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
            assert window.root.accessible.get_extents(atspi.CoordType.WINDOW).width == 360
            window.press(tr('Use a _Free Port'), 'push button')
            window.find(tr('No Requests Yet'))
            assert window.says('http://127.0.0.1:') and not window.says(':%d/' % port)

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The window, the tray and the notifications in a language in which every letter has an accent: whatever else can be read there was not translated. And from the
right to the left, where the locale is read so."""

import os
import pathlib
import re
import subprocess

import locales
import pseudo
import pytest
from desktop import App, request as ask, wait_until
from tray import PanelDesktop, Tray
from window import Window, connect

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRELOAD = os.environ['VEIL_BINDTEXTDOMAIN']
ALLOWED = (
    # Names, and what programs read.
    r'\b[Vv]eil\b', r'\bOpenGradient\b', r'https?://\S+', r'\b0x[0-9a-f]+', r'\bsandbox-\d\b', r'\bgpt-4\.1(-mini)?\b', r'\bfault-[a-z-]+', r'\bAM\b|\bPM\b',
    r'^(content|id|created|model|finish_reason|usage)(, (id|created|model|finish_reason|usage))*$', r'^Sandbox reply to: ',
    # Of GTK and libadwaita, which have translations of their own; GTK says the names of classes of what has no name.
    r'^(Gtk|Adw|Veil)[A-Z]\w*$', r'^(Minimize|Maximize|Close)( the window)?$', r'^Show Text$', r'\b(Ctrl|Alt|Shift)\b', r'^(Search )?Shortcuts$', r'^(F1|F10)$',
    r'^(Search|About)$', r'^(_?Details|_?Credits|_?Legal|Back|License|Version)$', r'^(Code|Design|Documentation|Artwork|Translated) by$', r'^Apache.*', r'^This application comes.*',
)


def tr(text):
    """As a screen reader gets it."""
    return pseudo.translate(text).replace('_', '')


@pytest.fixture(scope='module')
def language(tmp_path_factory):
    folder = tmp_path_factory.mktemp('language')
    pseudo.write(ROOT, folder, os.environ['VEIL_XGETTEXT_FLAGS'].split('\n'))
    return {'LOCPATH': str(locales.make('en_US')), 'LC_ALL': 'en_US.UTF-8', 'LANGUAGE': pseudo.LANGUAGE, 'TEST_LOCALE_FOLDER': str(folder)}


@pytest.fixture(scope='module')
def desktop():
    with PanelDesktop(panel=True) as running:
        yield running


@pytest.fixture(scope='module')
def atspi(desktop):
    return connect(desktop)


def untranslated(texts):
    return {text: words for text in texts for line in text.split('\n') if (words := pseudo.untranslated(line, ALLOWED))}


def read(window, text):
    """Everything that can be seen or is read aloud, once @text is there; of a dialog, without the window behind it."""
    def look():
        roots = window.roots
        texts = {what for root in roots[1:] or roots for node in root.showing() for what in (node.name, node.description, node.text) if what}
        return any(text in what for what in texts) and texts
    assert untranslated(wait_until(look, repr(text))) == {}


def open_window(app, atspi):
    window = Window(app, atspi)
    wait_until(lambda: window.root, 'the window')
    window.focus_window()
    return window


def test_the_search_finds_what_is_not_translated():
    assert untranslated(['⟦Ńó⟧', 'gpt-4.1', 'Close', 'Close It', '⟦óƒ⟧ an enclave']) == {'Close It': ['Close It'], '⟦óƒ⟧ an enclave': ['an enclave']}


def test_the_first_run(language, desktop, atspi, tmp_path):
    with App(desktop, '--session-store', 'file', home=tmp_path / 'home', env={**language, 'LD_PRELOAD': PRELOAD}) as app:
        window = open_window(app, atspi)
        read(window, tr('Private, Verified Answers'))
        window.press(tr('Sign _In'), 'push button')
        read(window, tr('Sign In in Your Browser'))


def places(window):
    """The middle of each page's tab."""
    tabs = {name: window.find(tr(name), 'page tab').accessible.get_extents(window.atspi.CoordType.WINDOW) for name in ('_Requests', '_Enclaves', '_Connect')}
    return [tab.x + tab.width // 2 for tab in tabs.values()]


@pytest.mark.parametrize('language,mirrored', [('ar', True), ('de', False)])
def test_the_direction_is_that_of_the_texts(desktop, atspi, tmp_path, language, mirrored):
    """Whatever the locale and the translations of GTK say."""
    pseudo.write(ROOT, tmp_path, os.environ['VEIL_XGETTEXT_FLAGS'].split('\n'), language=language)
    env = {'LOCPATH': str(locales.make('en_US')), 'LC_ALL': 'en_US.UTF-8', 'LANGUAGE': language, 'TEST_LOCALE_FOLDER': str(tmp_path), 'LD_PRELOAD': PRELOAD}
    with App(desktop, '--sandbox', home=tmp_path / 'home', env=env) as app:
        window = open_window(app, atspi)
        window.find(tr('No Requests Yet'))
        found = places(window)
        assert found == sorted(found, reverse=mirrored), found
        window.keys('alt+2')
        row = wait_until(lambda: next((node for node in window.showing() if 'sandbox-1' in node.name), None), 'the enclaves')
        assert re.search('\u2066sandbox-1\u2069 · \u20660x[0-9a-f]{8}…\u2069' if mirrored else ' · sandbox-1 · 0x[0-9a-f]{8}…$', row.name), row.name


@pytest.fixture(scope='class')
def app(language, desktop, atspi, tmp_path_factory):
    env = {**language, 'LD_PRELOAD': PRELOAD}
    with App(desktop, '--sandbox', home=tmp_path_factory.mktemp('app') / 'home', env=env) as running:
        open_window(running, atspi)
        yield running


@pytest.fixture
def window(app, atspi):
    window = open_window(app, atspi)
    yield window
    # Menus and dialogs go.
    for _ in range(2):
        window.keys('Escape')
    wait_until(lambda: len(window.roots) == 1 or window.keys('Escape'), 'the window alone')


class TestPages:
    """The pages, as they are without requests, and the menu."""

    @pytest.mark.parametrize('keys,text', [('alt+1', 'No Requests Yet'), ('alt+2', 'Any that is ready and whose build may be used'), ('alt+3', 'Try It'), ('F10', '_About Veil'),
                                           ('ctrl+question', 'Close the Window (Veil Goes on Serving)')])
    def test_pages(self, window, keys, text):
        window.keys(keys)
        read(window, tr(text))



class TestPreferences:
    """Each page of them."""

    @pytest.mark.parametrize('page,text', [('_General', 'Start at _Login'), ('_Trust', 'Pinned Builds'), ('A_ccount', 'A simulated account on this computer; nothing is attested')])
    def test_preferences(self, window, page, text):
        window.keys('ctrl+comma')
        tab = window.find(tr(page), 'page tab')
        window.click(tab)
        read(window, tr(text))



class TestAbout:
    def test_about(self, window):
        window.keys('F10')
        window.find(tr('_About Veil'))
        window.keys('Up', 'Up', 'Return')
        read(window, tr('The Veil authors'))


class TestAnswers:
    """What comes of requests."""

    def test_answers(self, window):
        """One that is verified, one that is refused, and all that is said of them."""
        window.keys('alt+3')
        window.press(tr('Se_nd'), 'push button')
        read(window, tr('Verified (sandbox: simulated, not attested)'))
        address = next(found for node in window.showing() for what in (node.name, node.text) if (found := re.search(r'http://127\.0\.0\.1:(\d+)/v1', what)))
        status, answer = ask(int(address[1]), 'POST', '/v1/chat/completions', {'model': 'fault-wrong-signature', 'messages': [{'role': 'user', 'content': 'x'}]})
        assert status >= 400 and not untranslated([answer['error']['message']])
        window.keys('alt+1')
        rows = wait_until(lambda: next((n.children for n in window.showing() if n.role in ('list', 'list box') and len(n.children) == 2), None), 'the requests')
        for row, text in zip(rows, ('Refused', 'Verified in the Sandbox')):
            window.click(row)
            wait_until(lambda: window.says(tr(text)), text)
            read(window, tr('E_xport Receipt…') if text != 'Refused' else tr('What to do'))

    def test_asking_an_enclave(self, window):
        window.keys('alt+2')
        row = wait_until(lambda: next((node for node in window.showing() if 'sandbox-1' in node.name), None), 'the enclaves')
        window.click(row)
        window.press(tr('C_heck…'), 'push button')
        read(window, tr('Ask the Enclave Itself?'))
        window.press(tr('_Ask It'), 'push button')
        read(window, tr('Checks'))


def test_tray_and_notification(language, desktop, tmp_path):
    """An answer is refused while there is no window."""
    with App(desktop, '--background', '--sandbox', home=tmp_path / 'home', env={**language, 'LD_PRELOAD': PRELOAD}) as app:
        tray = Tray(app)
        wait_until(lambda: tray.find(tr('_Enclave'), tr('_Automatic')), 'it to serve')
        tray.click(tr('_Copy Environment'))
        copied = wait_until(lambda: re.search(rb'http://127\.0\.0\.1:(\d+)/v1', desktop.run('xclip', '-selection', 'clipboard', '-o', check=False)), 'the environment')
        before = len(desktop.notifications.seen)
        status, answer = ask(int(copied[1]), 'POST', '/v1/chat/completions', {'model': 'fault-wrong-signature', 'messages': [{'role': 'user', 'content': 'x'}]})
        assert status == 502 and untranslated([answer['error']['message']]) == {}
        told = desktop.notifications.wait(before + 1, 60)
        assert told['summary'] == tr('Answer Refused (Sandbox)') and untranslated([told['body']]) == {}
        labels = [path[-1] for path, _, _ in tray.rows()]
        assert len(labels) >= 8 and untranslated(labels) == {}
        tooltip = tray.get('ToolTip')
        shown = [str(text) for text in (tray.get('Title'), tooltip[2], tooltip[3], tray.get('IconAccessibleDesc'), tray.get('AttentionAccessibleDesc'))]
        assert all(pseudo.OPEN in text for text in shown[:3]) and untranslated(shown) == {}


def test_the_options(language, tmp_path):
    env = {**os.environ, **language, 'LD_PRELOAD': PRELOAD}
    done = subprocess.run([os.environ['VEIL'], '--help'], env=env, capture_output=True, text=True, timeout=60, check=True)
    assert not [line for line in done.stdout.splitlines() if pseudo.untranslated(line, (r'^\s+--[\w-]+(=[A-Z]+)?(?= |$)', r'^ *-h, --help +Show help options', '^(Usage|Help Options|Application Options):',
                                                                                       r'^  ai\.opengradient\.Veil \[OPTION…\]'))]

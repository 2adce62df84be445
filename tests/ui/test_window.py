# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The window, driven as a screen reader and a keyboard drive it, on the sandbox; with a watchdog on its main loop."""

import contextlib
import json
import os
import re
import subprocess

import pytest
from desktop import App, Desktop, wait_until
from program import run, sign_in
from test_hostile import activate
from veil_peer import Peer
from window import Window, connect

PROBE = os.environ['VEIL_UI_PROBE']
PROBED = os.environ['VEIL_UI_PROBED']
# What a window does at its start (fonts, icons, the X server) sleeps for less than this even on a busy machine; a lock, a lookup or a store that hangs for more.
BOUND_MS = '1000'
CONTROLS = {'push button', 'toggle button', 'check box', 'radio button', 'text', 'password text', 'entry', 'combo box', 'spin button', 'link', 'page tab',
            'menu item', 'check menu item', 'radio menu item', 'slider', 'list item'}
NO_NAME = re.compile(r'^$|^(Gtk|Adw|Veil)[A-Z]\w*$')


@pytest.fixture(scope='module')
def desktop():
    with Desktop() as running:
        yield running


@pytest.fixture(scope='module')
def atspi(desktop):
    return connect(desktop)


def probed(desktop, *args, home, env=None):
    return App(desktop, *args, home=home, env={'LD_PRELOAD': PROBE, 'VEIL_UI_PROBE_MS': BOUND_MS, **(env or {})})


# What these open in GTK leaks in a library of others, which only a whole stack tells (tests/lsan.supp); it takes ten times the processor time elsewhere.
CHOOSE_A_FILE = ('test_compute_a_pin', 'test_export_a_receipt', 'test_the_keyboard_alone')
WHOLE_STACKS = {'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':fast_unwind_on_malloc=0'}


@pytest.fixture
def app(desktop, tmp_path, request):
    env = WHOLE_STACKS if request.function.__name__ in CHOOSE_A_FILE else None
    with probed(desktop, '--sandbox', home=tmp_path / 'home', env=env) as running:
        yield running


@pytest.fixture
def window(app, atspi):
    found = Window(app, atspi)
    wait_until(lambda: found.root, 'the window')
    found.focus_window()
    wait_until(lambda: found.says('Requests appear here when a program asks http'), 'the sandbox to serve')
    return found


def is_named(node):
    """A row of a list is called what is in it, if it has no name of its own; a control has to have one."""
    return not NO_NAME.match(node.name) or (node.role == 'list item' and any(not NO_NAME.match(inner.name) for inner in list(node.walk())[1:]))


def unnamed(window):
    """Controls that a screen reader has no word for."""
    return [node for node in window.showing() if node.role in CONTROLS and node.has('FOCUSABLE') and not is_named(node)]


def choice(app):
    """The choice of enclaves that the settings keep for the sandbox."""
    path = app.home / 'sandbox.ini'
    assert not (app.home / 'settings.ini').exists(), 'nothing is said of other networks'
    return path.read_text() if path.exists() else ''


@pytest.mark.parametrize('how,said', [('sleep', True), ('work', False)])
def test_the_watchdog_tells_sleeping_from_working(how, said):
    env = {**os.environ, 'LD_PRELOAD': PROBE, 'VEIL_UI_PROBE_MS': '300'}
    done = subprocess.run([PROBED, how, '700'], env=env, capture_output=True, timeout=60, check=True)
    assert (b'blocked for' in done.stderr) == said, done.stderr


def test_from_the_first_run_to_a_verified_answer(desktop, atspi, tmp_path):
    with probed(desktop, home=tmp_path / 'home') as app:
        window = Window(app, atspi)
        wait_until(lambda: window.root, 'the window')
        window.focus_window()
        window.find('Sign In', 'push button')
        assert_named(window)
        window.press('Try the Sandbox', 'push button')
        wait_until(lambda: window.says('Requests appear here when a program asks http'), 'the sandbox to serve')
        assert window.says('Sandbox: simulated enclaves, nothing is attested')
        window.keys('alt+3')
        window.press('Send', 'push button')
        wait_until(lambda: window.says('Verified (sandbox'), 'the answer')
        window.keys('alt+1')
        wait_until(lambda: window.says('gpt-4.1-mini'), 'the request in the list')


@pytest.mark.parametrize('page,word', [('alt+1', 'No Requests Yet'), ('alt+2', 'Automatic'), ('alt+3', 'Address'), ('ctrl+comma', 'Port (0 is any free one)')])
def test_every_control_has_a_name(window, page, word):
    window.keys(page)
    wait_until(lambda: window.says(word), 'the page')
    assert_named(window)


def assert_named(window):
    """Looked at more than once, as what comes or goes meanwhile has no name."""
    with contextlib.suppress(AssertionError):
        wait_until(lambda: unnamed(window) == [], timeout=20)
    assert unnamed(window) == []


def offers(window, *wanted):
    """Names and roles."""
    wait_until(lambda: set(wanted) <= shown(window), str(wanted))


def shown(window):
    return {(node.name, node.role) for node in window.showing()}


def open_request(window):
    """Sends the test prompt and selects what became of it."""
    window.keys('alt+3')
    window.press('Send', 'push button')
    wait_until(lambda: window.says('Verified (sandbox'), 'the answer')
    window.keys('alt+1')
    row = wait_until(lambda: next(iter(window.requests()), None), 'the request')
    window.click(row)
    window.find('Export Receipt…', 'push button')
    return row


def test_names_in_a_request(window):
    row = open_request(window)
    assert row.role == 'list item' and re.fullmatch(r'gpt-4\.1-mini, Verified in the Sandbox, .*\d.*', row.name), row
    offers(window, ('Copy Enclave Id', 'push button'), ('Copy Request Hash', 'push button'), ('Requests', 'list'))
    assert_named(window)


def test_the_tab_key_reaches_what_a_request_offers(window):
    open_request(window)
    wanted = {'Copy Enclave Id', 'Copy Request Hash', 'Copy Output Hash', 'Export Receipt…'}
    reached = tab_through(window, wanted)
    assert wanted <= reached, reached


def begin_sign_in(app, atspi):
    window = Window(app, atspi)
    wait_until(lambda: window.root, 'the window')
    window.focus_window()
    window.press('Sign In', 'push button')
    window.find('Open Again', 'push button')
    return window


def test_names_where_one_signs_in(desktop, atspi, tmp_path):
    with probed(desktop, '--app-url', 'http://127.0.0.1:9', home=tmp_path / 'home') as app:
        window = begin_sign_in(app, atspi)
        # Which row of text has the focus, GTK 4.8 does not tell.
        offers(window, ('Or paste the code that the page shows', 'text'), ('Sign In in Your Browser', 'label'), ('Other ways to sign in', 'list'),
               ('Copy Address', 'push button'), ('Show or Hide What Is Typed', 'push button'), ('Cancel', 'push button'))
        assert_named(window)
        wanted = {'Open Again', 'Copy Address', 'Show or Hide What Is Typed', 'Cancel'}
        reached = tab_through(window, wanted)
        assert wanted <= reached, reached
        window.press('Cancel', 'push button')
        window.find('Try Again', 'push button')
        offers(window, ('Signing In Was Cancelled', 'label'), ('Back', 'push button'))
        assert_named(window)
        window.press('Back', 'push button')
        window.find('Try the Sandbox', 'push button')


def test_names_in_the_question_about_another_network(desktop, atspi, tmp_path):
    """Somebody trusts a network, signed out, and pastes the code of another one."""
    home, code = tmp_path / 'home', tmp_path / 'code'
    with Peer() as peer, Peer() as other:
        sign_in(home, peer.bundle())
        assert run('logout', '--session-store', 'file', home=home).returncode == 0
        code.write_text(json.dumps(other.bundle()))
    with probed(desktop, '--app-url', 'http://127.0.0.1:9', '--session-store', 'file', home=home) as app:
        window = begin_sign_in(app, atspi)
        desktop.start(['xclip', '-quiet', '-selection', 'clipboard', '-i', str(code)])
        wait_until(lambda: b'opengradient-cli-auth' in desktop.run('xclip', '-selection', 'clipboard', '-o', check=False), 'the clipboard')
        window.keys('alt+p')
        window.paste('Or paste the code that the page shows')
        window.keys('Return')
        wait_until(lambda: window.says('Trust Another Network?'), 'the question')
        activate(desktop, 'requests')  # which closes other dialogs, but is no answer to this one
        window.focus_window('Trust Another Network?')
        offers(window, ('Cancel', 'push button'), ('Trust It', 'push button'))
        assert [root.role for root in window.roots if any(n.name == 'Trust It' for n in root.walk())] == ['dialog'], window.roots
        assert window.says(peer.relay.url) and window.says(other.relay.url)
        assert_named(window)
        assert {'Cancel', 'Trust It'} <= tab_through(window, {'Cancel', 'Trust It'})
        window.keys('Escape')
        window.find('Signing In Was Cancelled')


def test_names_where_an_enclave_is_asked(window):
    window.keys('alt+2')
    only = wait_until(lambda: next((n for n in window.showing() if n.name.startswith('Use only ')), None), 'the enclaves')
    window.click(window.find(only.name.removeprefix('Use only '), 'list item'))
    window.press('Check…', 'push button')
    window.find('Ask It', 'push button')
    window.focus_window('Ask the Enclave Itself?')
    offers(window, ('Ask the Enclave Itself?', 'label'), ('Cancel', 'push button'))
    assert_named(window)
    assert {'Cancel', 'Ask It'} <= tab_through(window, {'Cancel', 'Ask It'})
    window.press('Ask It', 'push button')
    window.find('All Checks Passed, in the Sandbox', 'label')
    offers(window, ('Checks', 'list'), ('Close', 'push button'))
    assert_named(window)
    dialog = next(root for root in window.roots if root.role == 'dialog')
    next(n for n in dialog.showing() if (n.name, n.role) == ('Close', 'push button')).act()
    wait_until(lambda: [root.name for root in window.roots] == ['Veil'], 'the dialog to close')


def test_names_in_the_menu(window):
    window.keys('F10')
    wait_until(lambda: {'Serve', 'Sandbox', 'Preferences', 'Keyboard Shortcuts', 'About Veil', 'Quit'} <= {name for name, _ in shown(window)}, 'the menu')
    assert_named(window)
    roles = {name: role for name, role in shown(window) if role.endswith('menu item')}
    assert 'check' in roles['Serve'] and 'check' in roles['Sandbox'] and roles['Preferences'] == roles['Quit'] == 'menu item', roles


def tab_through(window, wanted):
    """What the Tab key comes by until all of @wanted was there, or for long enough."""
    reached = set()
    for _ in range(80):
        window.keys('Tab')
        reached |= {node.name for node in window.focused_path()}
        if wanted <= reached:
            break
    return reached


def test_the_tab_key_reaches_the_preferences(window):
    window.keys('ctrl+comma')
    wait_until(lambda: window.says('Port (0 is any free one)'), 'the preferences')
    window.focus_window('Preferences')
    wanted = {'Start at Login', 'Keep the List of Requests'}
    reached = tab_through(window, wanted)
    assert wanted <= reached, reached


@pytest.mark.parametrize('page,wanted', [('alt+1', {'Connect a Program', 'Main Menu'}), ('alt+2', {'Read the Registry Again', 'Main Menu', 'Requests'}),
                                         ('alt+3', {'Serve', 'Copy Address', 'Send', 'Main Menu'})])
def test_the_tab_key_reaches_the_controls(window, page, wanted):
    window.keys(page)
    wait_until(lambda: wanted <= {node.name for node in window.showing()}, 'the page')
    reached = tab_through(window, wanted)
    assert wanted <= reached, reached


def test_the_keyboard_alone(app, window):
    """Sends the test prompt, switches off and on, opens the request, asks to export its receipt and chooses an enclave, by keys that a person presses."""
    window.keys('alt+3')
    window.find('Send', 'push button')
    window.keys('alt+n')
    wait_until(lambda: window.says('Verified (sandbox'), 'the answer')
    for state in ('Switched off', '1 answer verified'):
        window.keys('alt+s')
        wait_until(lambda state=state: window.says(state), state)
    window.keys('alt+1')
    window.tab_to('gpt-4.1-mini', 'list item')
    window.keys('Return')
    window.find('Export Receipt…', 'push button')
    window.keys('alt+x')
    window.focus_window('Export Receipt')
    window.keys('Escape')
    wait_until(lambda: not app.desktop.windows('^Export Receipt$'), 'the dialog to close')
    window.focus_window()
    window.keys('alt+2')
    window.tab_to('Use only ', 'check box')
    window.keys('space')
    wait_until(lambda: re.search(r"^tee-id='0x", choice(app), re.M), 'the choice')


def test_a_window_that_shrinks_without_animations(desktop, atspi, tmp_path):
    """The pages move from the title to the bottom and back, and nothing is complained of."""
    config = tmp_path / 'config' / 'gtk-4.0'
    config.mkdir(parents=True)
    (config / 'settings.ini').write_text('[Settings]\ngtk-enable-animations=0\n')
    with App(desktop, '--sandbox', home=tmp_path / 'home', env={'XDG_CONFIG_HOME': str(config.parent)}) as running:
        window = Window(running, atspi)
        wait_until(lambda: window.root, 'the window')

        def pages_at():
            tabs = [window.place(n) for n in window.showing() if (n.name, n.role) == ('Enclaves', 'page tab')]
            return [tab.y for tab in tabs if tab]
        number = wait_until(lambda: desktop.windows('^Veil$'), 'the window')[0]
        wait_until(lambda: window.says('Requests appear here when a program asks http'), 'the sandbox to serve')
        for width, at_the_bottom in ((1200, False), (360, True), (1200, False), (360, True)):
            desktop.run('xdotool', 'windowsize', '--sync', number, str(width), '700')
            wait_until(lambda: (places := pages_at()) and any(y > 500 for y in places) == at_the_bottom, 'the pages to move')


def test_off_and_on(window):
    window.keys('alt+3')
    switch = window.find('Serve', 'check box')
    switch.act()
    wait_until(lambda: window.says('Switched off'), 'it to be off')
    switch.act()
    wait_until(lambda: window.says('On, no requests yet'), 'it to be on')


def test_select_an_enclave(app, window):
    window.keys('alt+2')
    only = wait_until(lambda: next((n for n in window.showing() if n.name.startswith('Use only ')), None), 'the enclaves')
    window.click(only)
    wait_until(lambda: re.search(r"^tee-id='0x[0-9a-f]{64}'", choice(app), re.M), 'the choice in the settings')
    automatic = window.find('Automatic', 'check box')
    window.click(automatic)
    wait_until(lambda: "tee-id='auto'" in choice(app), 'no choice')


def test_an_error_is_shown_as_it_stands(desktop, atspi, tmp_path):
    """It quotes names of files, and those are no markup."""
    home = tmp_path / 'R&D <b>'
    with App(desktop, '--sandbox', home=home) as running:
        window = Window(running, atspi)
        wait_until(lambda: window.root, 'the window')
        window.focus_window()
        window.keys('alt+2')
        only = wait_until(lambda: next((n for n in window.showing() if n.name.startswith('Use only ')), None), 'the enclaves')
        (home / 'sandbox.ini').mkdir()
        window.click(only)
        wait_until(lambda: window.says('The settings file %s/sandbox.ini cannot be' % home), 'the word about it')


def test_pin_a_build(app, window):
    window.keys('alt+2')
    only = wait_until(lambda: next((n for n in window.showing() if n.name.startswith('Use only ')), None), 'the enclaves')
    window.click(window.find(only.name.removeprefix('Use only '), 'list item'))
    window.press('Pin This Build', 'check box')
    wait_until(lambda: re.search(r"pcr-pins=\[\('0x[0-9a-f]{64}'", choice(app)), 'the pin in the settings')
    window.press('Pin This Build', 'check box')
    wait_until(lambda: 'pcr-pins=[]' in choice(app), 'no pin')


def test_compute_a_pin(app, window, tmp_path):
    """From the measurements of a build that somebody reproduced: the same pin as on the command line."""
    path = tmp_path / 'measurements.txt'
    path.write_text(''.join('PCR%d: %s\n' % (i, '%096x' % (7 ** 100 + i)) for i in range(4)))
    pin = run('pin', 'compute', '--measurements', str(path)).stdout.decode().strip()
    window.keys('ctrl+comma')
    window.focus_window('Preferences')
    window.find('Trust', 'page tab')
    window.keys('alt+t')
    window.find('Pinned Builds')
    window.keys('alt+p')
    window.press('Compute…', 'push button')
    window.focus_window('Compute a Pin')
    window.find('Use This Pin', 'push button')
    offers(window, *(('PCR%d, 96 hexadecimal digits' % i, 'text') for i in range(3)))
    assert_named(window)
    window.keys('alt+1', '1', '2')
    wait_until(lambda: window.says('PCR1 has 96 hexadecimal digits, with or without 0x'), 'what is wrong')
    assert not window.find('Use This Pin').has('SENSITIVE')
    window.press('Open File…', 'push button')
    window.focus_window('Open Measurements')
    window.app.desktop.run('xdotool', 'type', str(path))
    window.keys('Return')
    window.find(pin, 'label')
    window.ask_for_more()
    window.press('Use This Pin', 'push button')
    wait_until(lambda: not window.app.desktop.windows('^Compute a Pin$'), 'the end of the dialog')
    window.press('Add', 'push button')
    wait_until(lambda: "pcr-pins=[('%s', '')]" % pin in choice(app), 'the pin in the settings')
    window.find('Remove ' + pin, 'push button')


def test_export_a_receipt(app, window, tmp_path):
    window.keys('alt+3')
    window.press('Send', 'push button')
    wait_until(lambda: window.says('Verified (sandbox'), 'the answer')
    window.keys('alt+1')
    row = wait_until(lambda: next((n for n in window.showing() if n.role in ('list item', 'table row') and 'gpt-4.1-mini' in ' '.join(m.name for m in n.walk())), None),
                     'the request')
    window.click(row)
    window.press('Export Receipt…', 'push button')
    window.focus_window('Export Receipt')
    path = tmp_path / 'receipt.json'
    window.keys('ctrl+a')
    window.app.desktop.run('xdotool', 'type', str(path))
    window.keys('Return')
    wait_until(lambda: path.exists() and path.read_bytes().rstrip().endswith(b'}'), 'the whole receipt')
    verified = subprocess.run([os.environ['OG_VEIL'], 'verify', str(path)], capture_output=True, text=True, timeout=60, env={**os.environ, 'LC_ALL': 'C.UTF-8'})
    assert verified.returncode == 0 and 'sandbox' in verified.stdout, verified

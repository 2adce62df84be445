# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The window, driven as a screen reader and a keyboard drive it, on the sandbox; with a watchdog on its main loop."""

import os
import re
import subprocess

import pytest
from desktop import App, Desktop, wait_until
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


def probed(desktop, *args, home):
    return App(desktop, *args, home=home, env={'LD_PRELOAD': PROBE, 'VEIL_UI_PROBE_MS': BOUND_MS})


@pytest.fixture
def app(desktop, tmp_path):
    with probed(desktop, '--sandbox', home=tmp_path / 'home') as running:
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


def settings(app):
    path = app.home / 'settings.ini'
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
        assert unnamed(window) == []
        window.press('Try the Sandbox', 'push button')
        wait_until(lambda: window.says('Requests appear here when a program asks http'), 'the sandbox to serve')
        assert window.says('Sandbox: simulated enclaves, nothing is attested')
        window.keys('alt+3')
        window.press('Send', 'push button')
        wait_until(lambda: window.says('erified'), 'the answer')
        window.keys('alt+1')
        wait_until(lambda: window.says('gpt-4.1-mini'), 'the request in the list')


@pytest.mark.parametrize('page,word', [('alt+1', 'No Requests Yet'), ('alt+2', 'Automatic'), ('alt+3', 'Address'), ('ctrl+comma', 'Port (0 is any free one)')])
def test_every_control_has_a_name(window, page, word):
    window.keys(page)
    wait_until(lambda: window.says(word), 'the page')
    assert unnamed(window) == []


def shown(window):
    return {(node.name, node.role) for node in window.showing()}


def open_request(window):
    """Sends the test prompt and selects what became of it."""
    window.keys('alt+3')
    window.press('Send', 'push button')
    wait_until(lambda: window.says('erified'), 'the answer')
    window.keys('alt+1')
    row = wait_until(lambda: next(iter(window.requests()), None), 'the request')
    window.click(row)
    window.find('Export Receipt…', 'push button')
    return row


def test_names_in_a_request(window):
    row = open_request(window)
    assert row.role == 'list item' and re.fullmatch(r'gpt-4\.1-mini, Verified in the Sandbox, .*\d.*', row.name), row
    assert {('Copy Enclave Id', 'push button'), ('Copy Request Hash', 'push button'), ('Requests', 'list')} <= shown(window), shown(window)
    assert unnamed(window) == []


def test_names_in_the_menu(window):
    window.keys('F10')
    wait_until(lambda: {'Serve', 'Sandbox', 'Preferences', 'Keyboard Shortcuts', 'About Veil', 'Quit'} <= {name for name, _ in shown(window)}, 'the menu')
    assert unnamed(window) == []
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


def test_off_and_on(window):
    window.keys('alt+3')
    switch = window.find('Serve', 'check box')
    switch.act()
    wait_until(lambda: window.says('Switched off'), 'it to be off')
    switch.act()
    wait_until(lambda: window.says('On, no requests yet'), 'it to be on')


def test_select_an_enclave(app, window):
    window.keys('alt+2')
    choice = wait_until(lambda: next((n for n in window.showing() if n.name.startswith('Use only ')), None), 'the enclaves')
    window.click(choice)
    wait_until(lambda: re.search(r"^tee-id='0x[0-9a-f]{64}'", settings(app), re.M), 'the choice in the settings')
    automatic = window.find('Automatic', 'check box')
    window.click(automatic)
    wait_until(lambda: "tee-id='auto'" in settings(app), 'no choice')


def test_an_error_is_shown_as_it_stands(desktop, atspi, tmp_path):
    """It quotes names of files, and those are no markup."""
    home = tmp_path / 'R&D <b>'
    with App(desktop, '--sandbox', home=home) as running:
        window = Window(running, atspi)
        wait_until(lambda: window.root, 'the window')
        window.focus_window()
        window.keys('alt+2')
        choice = wait_until(lambda: next((n for n in window.showing() if n.name.startswith('Use only ')), None), 'the enclaves')
        (home / 'settings.ini').mkdir()
        window.click(choice)
        wait_until(lambda: window.says('The settings file %s/settings.ini cannot be' % home), 'the word about it')


def test_pin_a_build(app, window):
    window.keys('alt+2')
    choice = wait_until(lambda: next((n for n in window.showing() if n.name.startswith('Use only ')), None), 'the enclaves')
    window.click(next(n for n in window.showing() if n.role == 'list item' and n.name == choice.name.removeprefix('Use only ')))
    window.press('Pin This Build', 'check box')
    wait_until(lambda: re.search(r"pcr-pins=\[\('0x[0-9a-f]{64}'", settings(app)), 'the pin in the settings')
    window.press('Pin This Build', 'check box')
    wait_until(lambda: 'pcr-pins=[]' in settings(app), 'no pin')


def test_export_a_receipt(app, window, tmp_path):
    window.keys('alt+3')
    window.press('Send', 'push button')
    wait_until(lambda: window.says('erified'), 'the answer')
    window.keys('alt+1')
    row = wait_until(lambda: next((n for n in window.showing() if n.role in ('list item', 'table row') and 'gpt-4.1-mini' in ' '.join(m.name for m in n.walk())), None),
                     'the request')
    window.click(row)
    window.press('Export Receipt…', 'push button')
    dialog = wait_until(lambda: window.app.desktop.windows('^Export Receipt$'), 'the dialog')[0]
    window.app.desktop.run('xdotool', 'windowactivate', '--sync', dialog)
    path = tmp_path / 'receipt.json'
    window.keys('ctrl+a')
    window.app.desktop.run('xdotool', 'type', str(path))
    window.keys('Return')
    wait_until(path.exists, 'the receipt')
    verified = subprocess.run([os.environ['OG_VEIL'], 'verify', str(path)], capture_output=True, text=True, timeout=60, env={**os.environ, 'LC_ALL': 'C.UTF-8'})
    assert verified.returncode == 0 and 'sandbox' in verified.stdout, verified

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What Veil says through notifications: a refused answer, once for a burst; and that there is no tray."""

import concurrent.futures
import os
import pathlib
import re

import faults
import pytest
from desktop import App, request, wait_until
from program import run, sign_in
from tray import PanelDesktop, Tray
from veil_peer import Peer
from window import Window, connect

SHOTS = pathlib.Path(os.environ['VEIL_UI_SHOTS'])
MARKUP = 'b<i>ad & co'


@pytest.fixture(scope='module')
def accessible():
    """One desktop for the tests that look into the window."""
    SHOTS.mkdir(exist_ok=True)
    with PanelDesktop(panel=False) as running:
        yield running


@pytest.fixture
def desktop():
    with PanelDesktop(panel=False) as running:
        yield running


@pytest.fixture
def peer():
    with Peer() as running:
        for model in ('bad', MARKUP):
            running.handlers[model] = faults.signed_fields(faults.flip_signature)
        yield running


def address(desktop, tray):
    tray.click('Copy Environment')
    return int(wait_until(lambda: re.search(rb'http://127\.0\.0\.1:(\d+)/v1', desktop.run('xclip', '-selection', 'clipboard', '-o', check=False)),
                          'the environment on the clipboard').group(1))


def ask(port, model):
    return request(port, 'POST', '/v1/chat/completions', {'model': model, 'messages': [{'role': 'user', 'content': 'hello'}]})[0]


def test_no_markup_in_a_notification(desktop, peer, tmp_path):
    """Some desktops read it and some do not; the name of a model is the caller's."""
    sign_in(tmp_path / 'home', peer.bundle())
    with App(desktop, '--background', '--session-store', 'file', home=tmp_path / 'home') as app:
        tray = Tray(app)
        wait_until(lambda: tray.icon == 'verified', 'it to serve')
        assert ask(address(desktop, tray), MARKUP) == 502
        body = desktop.notifications.wait(1, 60)['body']
        assert re.search(r'\bb i ad   co\b', body) and not re.search('[<>&]', body), body


def test_the_environment_with_a_key(desktop, tmp_path):
    home, store = tmp_path / 'home', ('--session-store', 'file')
    done = run('key', 'set', *store, input=b'a-key-of-the-person\n', home=home)
    assert done.returncode == 0, done
    with App(desktop, '--sandbox', '--background', *store, home=home) as app:
        tray = Tray(app)
        wait_until(lambda: tray.icon == 'sandbox', 'it to serve')
        address(desktop, tray)
        copied = desktop.run('xclip', '-selection', 'clipboard', '-o').decode()
        assert 'export OPENAI_API_KEY="$OG_VEIL_API_KEY"' in copied and 'a-key-of-the-person' not in copied, copied
        assert run('key', 'clear', *store, home=home).returncode == 0
        wait_until(lambda: (tray.click('Copy Environment'), b'export OPENAI_API_KEY=veil' in desktop.run('xclip', '-selection', 'clipboard', '-o'))[1],
                   'the environment without it')


def test_what_the_tray_cannot_do_is_told_in_full_below_a_dialog(accessible, tmp_path):
    atspi = connect(accessible)
    home = tmp_path / ('a-long-name-' * 8)
    with App(accessible, '--sandbox', home=home) as app:
        tray, window = Tray(app), Window(app, atspi)
        wait_until(lambda: tray.icon == 'sandbox' and window.root, 'the window')
        window.focus_window()
        window.keys('F10')
        window.press('About Veil')
        wait_until(lambda: len(window.roots) == 2, 'the dialog')
        choice = wait_until(lambda: next((path for path, _, _ in tray.rows() if len(path) == 2 and path[0] == 'Enclave' and '(0x' in path[1]), None), 'the enclaves')
        (home / 'sandbox.ini').mkdir()
        tray.click(*choice)
        text = wait_until(lambda: next((n for n in window.showing() if n.name.startswith('The settings file %s/sandbox.ini cannot be' % home)), None), 'the word')
        place = wait_until(lambda: window.place(text), 'its place')
        assert place.height > 50 and place.width < 500, (place.width, place.height)
        assert [n for n in window.showing() if (n.name, n.role) == ('GtkImage', 'push button')] == [], 'the button to close it has a name'
        accessible.screenshot(SHOTS / 'long-toast.png')
        assert accessible.notifications.seen == [n for n in accessible.notifications.seen if 'sandbox.ini' not in n['body']]


def test_a_burst_of_refusals_is_told_once_and_opens_the_request(desktop, peer, tmp_path):
    sign_in(tmp_path / 'home', peer.bundle())
    with App(desktop, '--background', '--session-store', 'file', home=tmp_path / 'home') as app:
        tray = Tray(app)
        wait_until(lambda: tray.icon == 'verified', 'it to serve')
        port = address(desktop, tray)
        assert ask(port, 'gpt-4.1-mini') == 200
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert set(pool.map(lambda _: ask(port, 'bad'), range(20))) == {502}
        told = desktop.notifications.wait(1, 60)
        assert told['summary'] == 'Answer Refused' and 'could not be verified' in told['body']
        assert 'hello' not in told['body']
        wait_until(lambda: tray.status == '1 answer verified, 20 refused', 'all to be counted')
        assert [n['summary'] for n in desktop.notifications.seen] == ['Answer Refused']
        assert desktop.windows('^Veil$') == []
        desktop.notifications.click(told)
        wait_until(lambda: desktop.windows('^Veil$'), 'the window')


def test_a_notification_opens_its_own_request(accessible, peer, tmp_path):
    """Not the newest, and not the one that is open."""
    atspi = connect(accessible)
    sign_in(tmp_path / 'home', peer.bundle())
    with App(accessible, '--background', '--session-store', 'file', home=tmp_path / 'home') as app:
        tray = Tray(app)
        wait_until(lambda: tray.icon == 'verified', 'it to serve')
        port = address(accessible, tray)
        before = len(accessible.notifications.seen)
        assert ask(port, 'gpt-4.1-mini') == 200
        assert ask(port, 'bad') == 502
        told = accessible.notifications.wait(before + 1, 60)
        for _ in range(2):
            assert ask(port, 'gpt-4.1-mini') == 200
        wait_until(lambda: tray.status == '3 answers verified, 1 refused', 'all to be counted')
        tray.activate()
        window = Window(app, atspi)
        wait_until(lambda: window.says('gpt-4.1-mini'), 'the requests')
        assert not window.says('Request Hash') and not [row for row in window.requests() if row.has('SELECTED')]
        accessible.notifications.click(told)
        wait_until(lambda: [row.name for row in window.requests() if row.has('SELECTED')] and window.says('bad'), 'the request')
        assert [row.name.split(', ')[:2] for row in window.requests() if row.has('SELECTED')] == [['bad', 'Refused']]
        assert window.find('Model').role and window.says('Refused')


def test_a_notification_leaves_no_question_before_its_request(accessible, peer, tmp_path):
    atspi = connect(accessible)
    sign_in(tmp_path / 'home', peer.bundle())
    with App(accessible, '--session-store', 'file', home=tmp_path / 'home') as app:
        tray, window = Tray(app), Window(app, atspi)
        wait_until(lambda: tray.icon == 'verified' and window.root, 'it to serve')
        before = len(accessible.notifications.seen)
        assert ask(address(accessible, tray), 'bad') == 502
        told = accessible.notifications.wait(before + 1, 60)
        window.focus_window()
        window.keys('alt+2')
        only = wait_until(lambda: next((n for n in window.showing() if n.name.startswith('Use only ')), None), 'the enclaves')
        window.click(window.find(only.name.removeprefix('Use only '), 'list item'))
        window.press('Check…', 'push button')
        window.find('Ask It', 'push button')
        accessible.notifications.click(told)
        wait_until(lambda: [n.name for n in window.roots] == ['Veil'], 'the window alone')
        wait_until(lambda: [row for row in window.requests() if row.has('SELECTED')] and window.says('What to do'), 'the request')


def test_verified_answers_and_failures_tell_nothing(desktop, peer, tmp_path):
    sign_in(tmp_path / 'home', peer.bundle())
    with App(desktop, '--background', '--session-store', 'file', home=tmp_path / 'home') as app:
        tray = Tray(app)
        wait_until(lambda: tray.icon == 'verified', 'it to serve')
        port = address(desktop, tray)
        assert ask(port, 'gpt-4.1-mini') == 200
        assert ask(port, None) == 400
        wait_until(lambda: tray.status == '1 answer verified', 'the answer to be counted')
        assert desktop.notifications.seen == []


def test_no_tray_is_told_once(desktop, tmp_path):
    for run in range(2):
        with App(desktop, '--sandbox', '--background', home=tmp_path / 'home', tray_told=False) as app:
            wait_until(lambda: b'No panel shows tray icons' in app.said(), 'the word about it')
            if run == 0:
                told = desktop.notifications.wait(1, 60)
                assert 'no tray icons' in told['body']
                desktop.notifications.click(told)
                wait_until(lambda: desktop.windows('^Veil$'), 'the window')
    assert len(desktop.notifications.seen) == 1

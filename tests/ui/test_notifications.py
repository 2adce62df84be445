# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What Veil says through notifications: a refused answer, once for a burst; and that there is no tray."""

import concurrent.futures
import re

import faults
import pytest
from desktop import App, request, wait_until
from program import sign_in
from tray import PanelDesktop, Tray
from veil_peer import Peer
from window import Window, connect


@pytest.fixture(scope='module')
def accessible():
    """One desktop for the test that looks into the window."""
    with PanelDesktop(panel=False) as running:
        yield running


@pytest.fixture
def desktop():
    with PanelDesktop(panel=False) as running:
        yield running


@pytest.fixture
def peer():
    with Peer() as running:
        running.handlers['bad'] = faults.signed_fields(faults.flip_signature)
        yield running


def address(desktop, tray):
    tray.click('Copy Environment')
    return int(wait_until(lambda: re.search(rb'http://127\.0\.0\.1:(\d+)/v1', desktop.run('xclip', '-selection', 'clipboard', '-o', check=False)),
                          'the environment on the clipboard').group(1))


def ask(port, model):
    return request(port, 'POST', '/v1/chat/completions', {'model': model, 'messages': [{'role': 'user', 'content': 'hello'}]})[0]


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
        assert ask(port, 'gpt-4.1-mini') == 200
        assert ask(port, 'bad') == 502
        told = accessible.notifications.wait(1, 60)
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
        with App(desktop, '--sandbox', '--background', home=tmp_path / 'home') as app:
            wait_until(lambda: b'No panel shows tray icons' in app.said(), 'the word about it')
            if run == 0:
                told = desktop.notifications.wait(1, 60)
                assert 'no tray icons' in told['body']
                desktop.notifications.click(told)
                wait_until(lambda: desktop.windows('^Veil$'), 'the window')
    assert len(desktop.notifications.seen) == 1

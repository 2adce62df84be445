# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The window at odd moments: started while it ends, and asked for what is no longer there."""

import http.client
import json
import socket
import subprocess
import time

import pytest
from desktop import DEADLINE, VEIL, App, wait_until
from faults import flip_signature, signed_fields
from program import sign_in
from test_hostile import activate, ask_for_long, opened, serving, started
from test_notifications import address, ask
from tray import PanelDesktop, Tray
from veil_peer import Peer, answers
from window import connect


@pytest.fixture(scope='module')
def desktop():
    with PanelDesktop(panel=False) as running:
        yield running


@pytest.fixture(scope='module')
def atspi(desktop):
    return connect(desktop)


@pytest.fixture
def peer():
    with Peer() as running:
        yield running


def start_another(desktop, home):
    """A second click on its entry. It has nothing to do but to tell the first one."""
    done = subprocess.run([VEIL, '--home', str(home)], env=desktop.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b''), done


def test_started_while_it_ends(desktop, atspi, peer, tmp_path):
    """Whoever quits and starts it again gets a window, and a program that serves."""
    sign_in(tmp_path / 'home', peer.bundle())
    with started(desktop, atspi, tmp_path / 'home') as app:
        ask_for_long(atspi, peer, app)
        activate(desktop, 'quit')
        wait_until(lambda: not desktop.windows('^Veil$'), 'the window to go')
        start_another(desktop, tmp_path / 'home')
        window = opened(app, atspi)
        serving(window)


def test_started_while_it_is_told_to_end(desktop, atspi, peer, tmp_path):
    """At the end of a session, or by `og-veil stop`, the end is the end."""
    sign_in(tmp_path / 'home', peer.bundle())
    with started(desktop, atspi, tmp_path / 'home') as app:
        ask_for_long(atspi, peer, app)
        app.process.terminate()
        wait_until(lambda: not desktop.windows('^Veil$'), 'the window to go')
        start_another(desktop, tmp_path / 'home')
        assert app.wait() == 0


class Client:
    """A program that has asked for a stream."""

    def __init__(self, port, model):
        self.connection = http.client.HTTPConnection('127.0.0.1', port, timeout=DEADLINE)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.connection.request('POST', '/v1/chat/completions', json.dumps({'model': model, 'stream': True, 'messages': [{'role': 'user', 'content': 'hello'}]}),
                                {'Content-Type': 'application/json'})

    def status(self):
        """None: there was no answer."""
        try:
            return self.connection.getresponse().status
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.connection.close()


def quit_by_key(window, tray):
    window.focus_window()
    window.keys('ctrl+q')


def quit_by_tray(window, tray):
    tray.click('Quit')


@pytest.mark.parametrize('quit_it', [quit_by_key, quit_by_tray])
def test_quit_amid_a_stream(desktop, atspi, peer, tmp_path, quit_it):
    """Who reads one goes on reading it to its end; who waits for one that does not come waits no longer, and gets nothing of it. The program says nothing."""
    text = 'word ' * 2000000  # more than all buffers hold
    peer.handlers['long'] = lambda ex: answers.send_text(ex, text)
    peer.handlers['endless'] = lambda ex: ex.hold(60)
    sign_in(tmp_path / 'home', peer.bundle())
    with started(desktop, atspi, tmp_path / 'home') as app:
        tray, window = Tray(app), opened(app, atspi)
        serving(window)
        port = address(desktop, tray)
        with Client(port, 'long') as reader, Client(port, 'endless') as waiter:
            stream = reader.connection.getresponse()
            first = stream.readline()
            assert first.startswith(b'data: {') and stream.getheader('X-OpenGradient-Verified') == 'true'
            peer.wait_seen('endless')
            before, begun = app.said(), time.monotonic()
            quit_it(window, tray)
            wait_until(lambda: not desktop.windows('^Veil$'), 'the window to go')
            events = [line[6:] for line in (first + stream.read()).split(b'\n') if line.startswith(b'data: ')]
            assert events[-1] == b'[DONE]' and events.count(b'[DONE]') == 1
            chunks = [json.loads(event) for event in events[:-1]]
            assert ''.join(choice['delta'].get('content') or '' for chunk in chunks for choice in chunk['choices']) == text
            assert waiter.status() != 200
        assert app.wait() == 0
        print('ended within %.1f s' % (time.monotonic() - begun))
        assert time.monotonic() - begun < 15, 'five seconds, and some for a busy machine'
        assert app.said() == before


def test_a_notification_of_a_request_that_is_gone(desktop, atspi, peer, tmp_path):
    """The numbers of requests begin anew with each network: it opens the page, and no other request."""
    peer.handlers['bad'] = signed_fields(flip_signature)
    sign_in(tmp_path / 'home', peer.bundle())
    with started(desktop, atspi, tmp_path / 'home') as app:
        tray, window = Tray(app), opened(app, atspi)
        serving(window)
        assert ask(address(desktop, tray), 'bad') == 502
        told = wait_until(lambda: [n for n in desktop.notifications.seen if n['summary'] == 'Answer Refused'], 'the word about it')[-1]
        activate(desktop, 'sandbox')
        wait_until(lambda: tray.icon == 'sandbox', 'the sandbox to serve')
        window.keys('alt+3')
        window.press('Send', 'push button')
        wait_until(lambda: window.says('Verified (sandbox'), 'the answer')
        desktop.notifications.click(told)
        wait_until(window.requests, 'the requests')
        # What is done next is done after it.
        activate(desktop, 'about')
        wait_until(lambda: desktop.windows('^About$'), 'the window about it')
        wait_until(lambda: len(window.requests()) == 1, 'the requests')
        assert not [row for row in window.requests() if row.has('SELECTED')]


def test_a_request_that_is_gone_from_a_narrow_window(desktop, atspi, tmp_path):
    """Its page has no way back once it is empty."""
    def send():
        window.keys('alt+3')
        window.press('Send', 'push button')
        wait_until(lambda: window.says('Verified (sandbox'), 'the answer')
        window.keys('alt+1')

    with App(desktop, '--sandbox', home=tmp_path / 'home') as app:
        window = opened(app, atspi)
        serving(window)
        desktop.run('xdotool', 'windowsize', '--sync', desktop.windows('^Veil$')[0], '360', '700')
        send()
        window.click(wait_until(lambda: next(iter(window.requests()), None), 'the request'))
        window.find('Requests', 'push button')
        tray = Tray(app)
        tray.click('Sandbox')
        window.find('Try the Sandbox', 'push button')
        window.press('Try the Sandbox', 'push button')
        serving(window)
        send()
        row = wait_until(lambda: next(iter(window.requests()), None), 'the list')
        window.click(row)
        wait_until(lambda: row.has('SELECTED'), 'the click to reach it')

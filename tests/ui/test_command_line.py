# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The window and the command line in one home: `og-veil` works on what `veil` serves, and the other way round."""

import json
import os

import program
import pytest
from desktop import App, Desktop, wait_until
from window import Window, connect

# The libraries' own settings: of nobody, as on the desktop.
OURS = {'GSETTINGS_BACKEND': 'memory', 'GIO_USE_PROXY_RESOLVER': 'dummy'}


@pytest.fixture(scope='module')
def desktop():
    with Desktop() as running:
        yield running


@pytest.fixture(scope='module')
def atspi(desktop):
    return connect(desktop)


@pytest.fixture
def home(tmp_path):
    return tmp_path / 'home'


def run(home, *args):
    return program.run(*args, home=home, env=OURS)


def good(home, *args):
    done = run(home, *args)
    assert done.returncode == 0, done
    return done.stdout.decode()


def status(home):
    return json.loads(good(home, 'status', '--json'))


def served(home):
    """What the server of the home says of itself, once it serves."""
    def look():
        server = status(home)['server']
        return server if server is not None and server['url'] is not None else None
    return wait_until(look, 'the endpoint')


def test_commands_on_a_window(desktop, home):
    with App(desktop, '--sandbox', '--background', home=home) as app:
        server = served(home)
        assert (server['program'], server['pid'], server['sandbox'], server['log']) == ('veil', app.process.pid, True, None)
        assert '✓ verified (sandbox' in good(home, 'test', 'hello')
        assert status(home)['server']['counts'] == {'verified': 1, 'refused': 0, 'failed': 0}
        assert 'export OPENAI_BASE_URL=%s\n' % server['url'] in good(home, 'env')
        assert 'gpt-4.1' in good(home, 'models').split()
        tees = json.loads(good(home, 'tees', '--json'))['tees']
        assert len(tees) == 3 and [tee['active'] for tee in tees].count(True) == 1
        # Pins and selection reach it at once.
        good(home, 'pin', 'add', 'ab' * 32)
        done = run(home, 'test', 'hello')
        assert done.returncode == 1 and b'pin' in done.stderr, done
        good(home, 'pin', 'remove', 'ab' * 32)
        good(home, 'tees', 'select', tees[2]['tee_id'])
        assert tees[2]['tee_id'] in good(home, 'test', 'hello')
        # A second start, and what it cannot do.
        text = good(home, '--sandbox')
        assert 'veil' in text and str(app.process.pid) in text and server['url'] in text and 'og-veil stop' in text
        done = run(home, 'restart')
        assert done.returncode == 1 and b'veil cannot start again by itself' in done.stderr and b'og-veil stop' in done.stderr
        assert app.running and served(home) == status(home)['server']
        assert 'stopped veil (pid %d)' % app.process.pid in good(home, 'stop')
        wait_until(lambda: not app.running, 'the end of the program')
    assert status(home)['running'] is False and not (home / 'instance.lock').exists()


def test_window_that_was_killed(desktop, home):
    """The next start from the terminal finds nothing in its way."""
    app = App(desktop, '--sandbox', '--background', home=home)
    served(home)
    app.process.kill()
    app.process.wait()
    assert status(home)['running'] is False and 'nothing runs' in good(home, 'stop')
    good(home, '--sandbox', '--port', '0')
    assert served(home)['program'] == 'og-veil'
    good(home, 'stop')


def test_window_where_the_command_line_serves(desktop, atspi, home):
    """It says who serves and leaves that alone, until it is asked to take over."""
    good(home, '--sandbox', '--port', '0')
    before = served(home)
    try:
        with App(desktop, '--sandbox', home=home) as app:
            window = Window(app, atspi)
            wait_until(lambda: window.root, 'the window')
            window.focus_window()
            window.keys('alt+3')
            window.find('Take Over')
            assert window.says('og-veil (process %d) serves already, at %s' % (before['pid'], before['url']))
            assert status(home)['server']['pid'] == before['pid'] and '✓ verified' in good(home, 'test', 'hello')
            window.press('Take Over')
            assert wait_until(lambda: served(home)['program'] == 'veil' and served(home), 'the window to serve')['pid'] == app.process.pid
            assert '✓ verified' in good(home, 'test', 'hello')
            wait_until(lambda: not os.path.exists('/proc/%d' % before['pid']), 'the end of the other one')
    finally:
        good(home, 'stop')

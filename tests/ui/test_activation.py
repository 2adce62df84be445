# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Started by the bus, as the desktop's entry asks for it: the installed service file with the built program, and the actions that the entry names."""

import configparser
import os
import pathlib

import pytest
from desktop import ID, VEIL, Desktop, wait_until

PATH = '/' + ID.replace('.', '/')


def read(path):
    parser = configparser.RawConfigParser(delimiters='=', comment_prefixes='#')
    parser.optionxform = str
    parser.read(path, encoding='utf-8')
    return parser


ENTRY = read(os.environ['VEIL_DESKTOP_FILE'])
ACTIONS = ENTRY['Desktop Entry']['Actions'].split(';')[:-1]


@pytest.fixture
def desktop():
    with Desktop(OG_VEIL_PORT='0') as running:
        service = pathlib.Path(os.environ['VEIL_SERVICE_FILE'])
        program, *rest = read(service)['D-BUS Service']['Exec'].split()
        assert program.endswith('/veil')
        text = service.read_text().replace('Exec=' + program, 'Exec=' + VEIL)
        (running.folder / 'services' / service.name).write_text(text)
        running.bus.call_blocking('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'ReloadConfig', '', [])
        yield running
        # Whatever is left of it ends by its own action.
        if running.owns(ID):
            call(running, 'ActivateAction', 'sava{sv}', 'quit', [], {})
            wait_until(lambda: not running.owns(ID), 'the program to end')


def call(desktop, method, signature, *arguments):
    desktop.bus.call_blocking(ID, PATH, 'org.freedesktop.Application', method, signature, list(arguments))


def test_activate(desktop):
    """A click on the entry starts it, and a second one shows the window that is there."""
    assert ENTRY['Desktop Entry']['DBusActivatable'] == 'true' and not desktop.owns(ID)
    call(desktop, 'Activate', 'a{sv}', {})
    [window] = wait_until(lambda: desktop.windows('^Veil$'), 'the window')
    call(desktop, 'Activate', 'a{sv}', {})
    assert desktop.windows('^Veil$') == [window]


@pytest.mark.parametrize('action', [name for name in ACTIONS if name != 'quit'])
def test_action_starts_it(desktop, action):
    call(desktop, 'ActivateAction', 'sava{sv}', action, [], {})
    assert len(wait_until(lambda: desktop.windows('^Veil$'), 'the window')) == 1


def test_quit(desktop):
    assert 'quit' in ACTIONS
    call(desktop, 'Activate', 'a{sv}', {})
    wait_until(lambda: desktop.windows('^Veil$'), 'the window')
    call(desktop, 'ActivateAction', 'sava{sv}', 'quit', [], {})
    wait_until(lambda: not desktop.owns(ID) and not desktop.windows('^Veil$'), 'the program to end')

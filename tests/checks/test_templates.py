# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Each .ui file as gtk4-builder-tool judges it, with libadwaita's types and the application's own loaded into the tool."""

import os
import pathlib
import re
import subprocess

import pytest

APP = pathlib.Path(__file__).parents[2] / 'src' / 'app'
FILES = sorted(APP.glob('*.ui'))
HANDLER = re.compile(r'(handler|function)="(\w+)"')
# What the tool refuses: whoever changes the check sees that it still finds these.
WRONG = {
    'unknown-property': ('<property name="title">', '<property name="no-such-property">'),
    'wrong-value': ('<property name="orientation">vertical', '<property name="orientation">diagonal'),
    'unknown-class': ('class="VeilConnectPage"', 'class="VeilNoSuchPage"'),
    'unclosed': ('</template>', ''),
}


@pytest.fixture(scope='module')
def display():
    reader, writer = os.pipe()
    server = subprocess.Popen(['Xvfb', '-displayfd', str(writer), '-screen', '0', '800x600x24', '-nolisten', 'tcp', '-noreset'], pass_fds=[writer],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as said:
            number = said.readline().strip()
        assert number, 'the X server did not start'
        yield ':' + number
    finally:
        server.terminate()
        server.wait()


def validate(display, tmp_path, name, text):
    # The real class builds this template by itself and knows its callbacks; here the tool makes a class of another name, from the same parent, without them.
    text = re.sub(r'<template class="(\w+)"', r'<template class="\1Judged"', text)
    copy = tmp_path / name
    copy.write_text(HANDLER.sub(r'\1="veil_ui_types_callback"', text))
    env = {**os.environ, 'DISPLAY': display, 'GDK_BACKEND': 'x11', 'GTK_A11Y': 'none', 'GSETTINGS_BACKEND': 'memory', 'LC_ALL': 'C.UTF-8', 'HOME': str(tmp_path),
           'LD_PRELOAD': os.environ['VEIL_UI_TYPES']}
    done = subprocess.run(['gtk4-builder-tool', 'validate', str(copy)], env=env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_valid(display, tmp_path, path):
    assert validate(display, tmp_path, path.name, path.read_text()) == (0, '')


@pytest.mark.parametrize('name', WRONG)
def test_wrong_is_found(display, tmp_path, name):
    path = APP / 'window.ui'
    right, wrong = WRONG[name]
    assert right in path.read_text()
    _, said = validate(display, tmp_path, path.name, path.read_text().replace(right, wrong))
    assert said


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_callbacks_are_bound(path):
    """Each handler that a template names is bound by the class of the same file."""
    named = {name for _, name in HANDLER.findall(path.read_text())}
    code = path.with_suffix('.c').read_text() if named else ''
    bound = set(re.findall(r'bind_template_callback(?:_full)?\s*\(\s*\w+,\s*"?(\w+)', code))
    assert named == bound


def test_all_are_resources():
    """What stands here is what the program carries."""
    listed = re.findall(r'>([\w-]+\.ui)<', (APP / 'veil.gresource.xml').read_text())
    assert sorted(listed) == [path.name for path in FILES] and FILES

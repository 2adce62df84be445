# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The examples of the reference as somebody else would build and run them: outside the tree, against an installed library."""

import html
import json
import os
import pathlib
import re
import subprocess

import pytest
from program import DEADLINE, Sandbox, assert_no_report, environment

SOURCE, BUILD = pathlib.Path(os.environ['VEIL_SOURCE']), pathlib.Path(os.environ['VEIL_BUILD'])
EXAMPLES = ['verified-chat.c', 'verified-chat.js', 'verified-chat.py']


class Installed:
    def __init__(self, folder):
        subprocess.run(['meson', 'install', '-C', str(BUILD), '--destdir', str(folder), '--no-rebuild', '--quiet'], check=True, stdout=subprocess.DEVNULL,
                       timeout=DEADLINE)
        [library] = folder.rglob('libveil-1.so.0')
        self.folder, self.libdir = folder, library.parent
        self.env = environment(PKG_CONFIG_PATH=str(self.libdir / 'pkgconfig'), LD_LIBRARY_PATH=str(self.libdir),
                               GI_TYPELIB_PATH=str(self.libdir / 'girepository-1.0'))

    def pkg_config(self, *args):
        return subprocess.run(['pkg-config', *args, 'libveil'], check=True, capture_output=True, text=True, env=self.env).stdout.split()


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp('installed'))


@pytest.fixture(scope='module')
def network(tmp_path_factory):
    """A sandbox, and its bundle as a file."""
    running = Sandbox.start()
    running.path = tmp_path_factory.mktemp('network') / 'bundle.json'
    running.path.write_text(json.dumps(running.bundle))
    yield running
    running.stop()


@pytest.fixture(scope='module', params=EXAMPLES)
def command(request, installed, tmp_path_factory):
    """The example outside the tree, built if need be."""
    folder = tmp_path_factory.mktemp('outside')
    path = folder / request.param
    path.write_text((SOURCE / 'examples' / request.param).read_text())
    if path.suffix == '.c':
        program = folder / 'verified-chat'
        subprocess.run(['cc', '-Wall', '-Wextra', '-Werror', str(path), '-o', str(program), *installed.pkg_config('--cflags', '--libs')],
                       check=True, env=installed.env, cwd=folder)
        return [str(program)]
    return {'.py': ['/usr/bin/python3'], '.js': ['gjs', '-m']}[path.suffix] + [str(path)]


def run(command, installed, *args):
    done = subprocess.run([*command, *map(str, args)], capture_output=True, timeout=DEADLINE, env=installed.env, stdin=subprocess.DEVNULL)
    assert_no_report(done.stderr.replace(b'Traceback', b''))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_sends_a_verified_chat_and_verifies_a_receipt(command, installed, network, tmp_path):
    before = network.stats()
    code, out, err = run(command, installed, network.path, 'Hello "there", you\\!', tmp_path / 'receipt.json')
    assert code == 0, err
    assert 'Hello "there", you\\!' in out
    tee_id = re.search(r'^receipt verified: (0x[0-9a-f]{64})$', out, re.M)[1]
    assert tee_id in (tmp_path / 'receipt.json').read_text()
    assert network.stats() != before, 'the sandbox was not asked'


def test_shows_nothing_of_an_answer_that_fails_verification(command, installed, network, tmp_path):
    network.control('fault', {'fault': 'changed-output', 'times': 1})
    code, out, err = run(command, installed, network.path, 'Hello!', tmp_path / 'receipt.json')
    assert code == 1
    assert '(output_hash)' in err and out == ''
    assert not (tmp_path / 'receipt.json').exists()


def test_takes_only_a_bundle(command, installed, tmp_path):
    (tmp_path / 'bundle.json').write_text('{"type": "something else"}')
    code, out, err = run(command, installed, tmp_path / 'bundle.json', 'Hello!', tmp_path / 'receipt.json')
    assert code == 1 and out == '' and '(bundle)' in err


def test_the_library_can_be_moved_and_names_what_it_needs(installed):
    folder, library = installed.pkg_config('--libs')[:2]
    assert os.path.realpath(folder.removeprefix('-L')) == str(installed.libdir) and library == '-lveil-1'
    assert '-I' + str(installed.folder) in ' '.join(installed.pkg_config('--cflags'))
    assert set(installed.pkg_config('--print-requires')) >= {'glib-2.0', 'gobject-2.0', 'gio-2.0'}
    assert {p.name for p in installed.libdir.glob('**/*Veil-1*')} == {'Veil-1.typelib'}
    assert [p.name for p in installed.folder.rglob('Veil-1.gir')]


@pytest.mark.parametrize('name', EXAMPLES)
def test_the_reference_shows_the_examples_as_they_are_run(name):
    page = html.unescape(re.sub(r'<[^>]+>', '', (BUILD / 'docs' / 'libveil-1' / 'verified-chat.html').read_text()))
    assert (SOURCE / 'examples' / name).read_text().rstrip('\n') in page


def test_the_reference_has_a_page_for_each_task_and_each_class():
    pages = {p.name for p in (BUILD / 'docs' / 'libveil-1').glob('*.html')}
    gir = (BUILD / 'src' / 'libveil' / 'Veil-1.gir').read_text()
    assert pages >= {'verified-chat.html', 'verify-response.html', 'discover.html', 'verify-receipt.html', 'verify-attestation.html', 'overview.html'}
    classes = re.findall(r'<class name="(\w+)"', gir)
    assert len(classes) >= 12 and pages >= {'class.%s.html' % name for name in classes}

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""og-veil update, in installations of each kind: the program is copied there, and the tools it may call are scripts that note it."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from program import OG_VEIL, assert_no_report, complete, environment

NOBODY = 65534


@pytest.fixture
def place():
    """Readable by whoever runs the program; pytest's own folders are not."""
    place = pathlib.Path(tempfile.mkdtemp(prefix='veil-update-'))
    place.chmod(0o755)
    (place / 'tools').mkdir()
    yield place
    shutil.rmtree(place)


def tool(place, name, script):
    path = place / 'tools' / name
    path.write_text('#!/bin/sh\nprintf "%%s\\n" "%s $*" >>%s/calls\n%s\n' % (name, place, script))
    path.chmod(0o755)


def calls(place):
    path = place / 'calls'
    return path.read_text().splitlines() if path.exists() else []


def install(place, where='opt/bin/og-veil'):
    path = place / where
    path.parent.mkdir(parents=True)
    shutil.copy(OG_VEIL, path)
    return path


def update(place, program, *args, user=None, env=None):
    env = environment(PATH=str(place / 'tools'), HOME=str(place), XDG_DATA_HOME=str(place / 'data'), **(env or {}))
    if user is not None:
        subprocess.run(['chown', '-R', str(user), str(place)], check=True)
    done = complete([program, 'update', *args], env=env, user=user, cwd='/')
    assert_no_report(done.stderr)
    return done


def said(done):
    assert done.returncode == 0 and done.stderr == b'', done
    return done.stdout.decode()


def test_flatpak(place):
    for name in ('flatpak', 'dpkg-query', 'git', 'sudo'):
        tool(place, name, 'exit 1')
    assert '\n  flatpak update ai.opengradient.Veil\n' in said(update(place, install(place), env={'FLATPAK_ID': 'ai.opengradient.Veil'}))
    assert calls(place) == []


@pytest.mark.parametrize('manager, answer, tools, command', [
    ('dpkg-query', 'veil: /usr/bin/og-veil', [], 'sudo apt update && sudo apt install --only-upgrade veil'),
    ('dpkg-query', 'veil-cli:amd64, other: /usr/bin/og-veil', [], 'sudo apt update && sudo apt install --only-upgrade veil-cli'),
    ('rpm', 'veil', ['dnf'], 'sudo dnf upgrade veil'), ('rpm', 'veil', ['zypper'], 'sudo zypper update veil'),
    ('pacman', 'veil', [], 'sudo pacman -Syu veil')], ids=['dpkg', 'dpkg-several', 'dnf', 'zypper', 'pacman'])
def test_package(place, manager, answer, tools, command):
    """The manager is asked about this very file; the person is told, and nothing is run."""
    tool(place, manager, "echo '%s'" % answer)
    for name in tools + ['sudo', 'apt', 'git', 'meson']:
        tool(place, name, 'exit 1')
    program = install(place)
    assert said(update(place, program)).endswith('\n\n  %s\n' % command)
    [call] = calls(place)
    assert call.startswith(manager + ' ') and call.endswith(' %s' % program)


@pytest.mark.parametrize('answer, status', [('', 0), ('no path found', 1), ('x; rm -rf /: /usr', 0), ('--help: x', 0), ('\x1b[2J', 0), ('veil', 1), ('%s: x' % ('v' * 300), 0)],
                         ids=['nothing', 'no', 'shell', 'option', 'escape', 'refused', 'long'])
def test_answer_of_a_manager_that_is_no_package(place, answer, status):
    tool(place, 'dpkg-query', "echo '%s'\nexit %d" % (answer, status))
    tool(place, 'rpm', 'echo "file is not owned by any package"; exit 1')
    tool(place, 'dnf', '')
    text = said(update(place, install(place)))
    assert 'belongs to no package' in text and 'meson install' in text and 'sudo' not in text


def clone(place, installed=True):
    """What build-aux/run leaves behind, or a build folder."""
    root = place / 'clone'
    for name in ('meson.build', 'build-aux/run', 'data/ai.opengradient.Veil.gschema.xml', '_build/run/build.ninja', '.git/HEAD'):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root, install(place, 'clone/_build/root/bin/og-veil' if installed else 'clone/_build/run/src/cli/og-veil')


@pytest.mark.parametrize('installed', [True, False])
def test_clone(place, installed):
    root, program = clone(place, installed)
    tool(place, 'git', 'pwd >>%s/calls' % place)
    tool(place, 'meson', '')
    tool(place, 'ninja', '')
    make = 'meson install -C %s/_build/run --quiet' % root if installed else 'ninja -C %s/_build/run' % root
    assert '\n  git pull --ff-only && %s\n' % make in said(update(place, program, '--dry-run'))
    assert calls(place) == []
    # Who is root updates as somebody else.
    done = update(place, program, user=NOBODY if os.geteuid() == 0 else None)
    assert 'up to date' in said(done)
    assert calls(place) == ['git pull --ff-only', str(root), make]


@pytest.mark.parametrize('broken, ran', [('git', ['git']), ('meson', ['git', 'meson'])])
def test_clone_that_cannot_be_updated(place, broken, ran):
    root, program = clone(place)
    tool(place, 'git', '')
    tool(place, 'meson', '')
    tool(place, broken, 'echo its reasons >&2; exit 3')
    done = update(place, program, user=NOBODY if os.geteuid() == 0 else None)
    assert done.returncode == 1 and b'up to date' not in done.stdout
    first, last = done.stderr.decode().splitlines()
    assert first == 'its reasons' and last.startswith('og-veil: `%s ' % broken)
    assert [call.split()[0] for call in calls(place)] == ran


def test_never_as_root(place):
    root, program = clone(place)
    for name in ('git', 'meson', 'ninja', 'sudo'):
        tool(place, name, '')
    command = [program, 'update'] if os.geteuid() == 0 else ['/usr/bin/unshare', '-r', program, 'update']
    done = complete(command, env=environment(PATH=str(place / 'tools'), XDG_DATA_HOME=str(place / 'data')), cwd='/')
    assert 'nothing is run as root' in said(done)
    assert calls(place) == []


def test_clone_without_a_build(place):
    root, program = clone(place)
    (root / '_build/run/build.ninja').unlink()
    assert 'belongs to no package' in said(update(place, program))

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The Containerfile without an engine: its build stage is compared with build-aux/install-deps, and what its last stage says is done in a folder: the packages
it installs (their files, taken from this system), the installed program, the user, the environment, the command."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

import pytest
from distribution import closure, copy_packages
from program import DEADLINE, Veil

SOURCE = pathlib.Path(__file__).parents[2]
BUILD = os.environ['VEIL_BUILD']
KEY = 'a-key-of-some-length'


def instructions():
    """[[(word, rest)]] of each stage."""
    text = re.sub(r'(?m)^#.*\n', '', (SOURCE / 'Containerfile').read_text()).replace('\\\n', ' ')
    stages = []
    for line in text.splitlines():
        if line.strip():
            word, rest = line.split(None, 1)
            if word == 'FROM':
                stages.append([])
            stages[-1].append((word, rest.strip()))
    return stages


BUILDING, RUNNING = instructions()


def all_of(stage, word):
    return [rest for name, rest in stage if name == word]


def test_build_stage():
    """What it calls is there, and knows what is asked of it."""
    [base] = all_of(BUILDING, 'FROM')
    assert base == 'docker.io/library/debian:12-slim AS build' and all_of(RUNNING, 'FROM') == [base.removesuffix(' AS build')]
    deps, setup, install = all_of(BUILDING, 'RUN')
    script, which = shlex.split(deps)
    assert os.access(SOURCE / script, os.X_OK) and re.search(r'(?m)^  %s\) wanted=' % which, (SOURCE / script).read_text())
    options = dict(re.findall(r'-D(\w+)=(\w+)', setup))
    known = (SOURCE / 'meson_options.txt').read_text()
    assert options == {'app': 'disabled', 'tests': 'false'} and all("option('%s'" % name in known for name in options)
    assert install == 'DESTDIR=/out meson install -C %s' % shlex.split(setup)[2]


def test_headless_needs_no_window():
    """What the build stage installs is enough for what it builds, and GTK is not among it."""
    script = (SOURCE / 'build-aux' / 'install-deps').read_text()
    packages = re.search(r'(?m)^headless="([^"]*)"', script)[1].split()
    assert not [name for name in packages if 'gtk' in name or 'adwaita' in name]
    wanted = {name for path in [SOURCE / 'meson.build', *(SOURCE / 'src').rglob('meson.build')] if 'app' not in path.parts and 'tray' not in path.parts
              for name in re.findall(r"dependency\('([\w.-]+)'", path.read_text())}
    assert {'libsoup-3.0', 'nettle'} <= wanted
    for name in wanted - {'libadwaita-1', 'gtk4'}:
        found = subprocess.run(['pkg-config', '--variable=pcfiledir', name], capture_output=True, text=True, check=True).stdout.strip()
        owner = subprocess.run(['dpkg-query', '-S', '%s/%s.pc' % (found, name)], capture_output=True, text=True, check=True).stdout.split(':')[0]
        assert owner in closure(packages), '%s of %s is not installed in the build stage' % (owner, name)


@pytest.fixture(scope='module')
def root():
    """The last stage, as far as it goes without an engine."""
    root = pathlib.Path(tempfile.mkdtemp(prefix='veil-container-'))
    root.chmod(0o755)
    first, schemas = all_of(RUNNING, 'RUN')
    words = first.split()
    packages = [word for word in words[words.index('--no-install-recommends') + 1:words.index('rm') - 1] if word != '&&']
    missing = [name for name in packages if not subprocess.run(['dpkg-query', '-W', name], capture_output=True).stdout]
    assert not missing, 'no such packages: %s' % missing
    for name in ('bin', 'sbin', 'lib', 'lib64'):
        (root / 'usr' / name).mkdir(parents=True)
        (root / name).symlink_to('usr/' + name)
    copy_packages(root, closure([*packages, 'base-files', 'libc-bin']))
    assert 'install -d -m 700 -o 10001 -g 10001 /var/lib/veil' in first
    [copied] = all_of(RUNNING, 'COPY')
    assert copied == '--from=build /out/usr /usr'
    out = root / 'out'
    subprocess.run(['meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet'], check=True, capture_output=True, env={**os.environ, 'DESTDIR': str(out)})
    prefix = json.loads(subprocess.run(['meson', 'introspect', '--buildoptions', BUILD], capture_output=True, check=True).stdout)
    prefix = next(option['value'] for option in prefix if option['name'] == 'prefix')
    # This build's prefix is another one than the image's: the program has it inside.
    shutil.copytree(out / prefix[1:], root / prefix[1:], dirs_exist_ok=True, symlinks=True)
    shutil.rmtree(out)
    (root / 'usr/bin').mkdir(exist_ok=True)
    if not (root / 'usr/bin/og-veil').exists():
        (root / 'usr/bin/og-veil').symlink_to(prefix + '/bin/og-veil')
    assert schemas == 'glib-compile-schemas /usr/share/glib-2.0/schemas'
    enter(root, ['/usr/bin/glib-compile-schemas', prefix + '/share/glib-2.0/schemas'], user='0:0', check=True)
    home = root / 'var/lib/veil'
    home.mkdir(parents=True, mode=0o700)
    os.chown(home, 10001, 10001)
    (root / 'dev').mkdir(exist_ok=True)
    (root / 'dev/null').touch(mode=0o666)
    (root / 'tmp').mkdir(exist_ok=True)
    (root / 'tmp').chmod(0o1777)
    yield root
    shutil.rmtree(root)


def given():
    [line] = all_of(RUNNING, 'ENV')
    return dict(word.split('=', 1) for word in shlex.split(line))


def prefix_of(root, user, env):
    """Nothing of this system but the kernel: no display, no bus, no home, no PATH of ours."""
    return ['/usr/bin/env', '-i', *('%s=%s' % item for item in env.items()), '/usr/sbin/chroot', '--userspec', user, str(root)]


def enter(root, command, user='10001:10001', env=(), **kwargs):
    return subprocess.run(prefix_of(root, user, dict(env)) + command, capture_output=True, timeout=DEADLINE, **kwargs)


def command():
    [entry], [arguments] = all_of(RUNNING, 'ENTRYPOINT'), all_of(RUNNING, 'CMD')
    return json.loads(entry), json.loads(arguments)


def test_it_does_not_run_as_root():
    assert all_of(RUNNING, 'USER') == ['10001:10001']
    assert given() == {'HOME': '/var/lib/veil', 'OG_VEIL_HOME': '/var/lib/veil', 'OG_VEIL_SESSION_STORE': 'file', 'OG_VEIL_HOST': '0.0.0.0'}
    assert all_of(RUNNING, 'VOLUME') == ['/var/lib/veil'] and all_of(RUNNING, 'EXPOSE') == ['11434']
    assert command() == (['/usr/bin/og-veil'], ['serve', '-f'])


def test_it_starts_only_with_a_key(root):
    entry, arguments = command()
    done = enter(root, entry + arguments, env={**given(), 'OG_VEIL_PORT': '0'})
    assert done.returncode == 1 and done.stdout == b'' and b'API key' in done.stderr, done


def test_it_signs_in_by_a_pasted_code(root):
    from test_cli import BUNDLE
    entry, _ = command()
    done = enter(root, entry + ['login', '--manual'], env=given(), input=json.dumps(BUNDLE).encode())
    assert done.returncode == 0 and b'person@example.com' in done.stdout, done
    assert (root / 'var/lib/veil/session.json').stat().st_uid == 10001
    assert enter(root, entry + ['logout'], env=given()).returncode == 0


def test_it_serves(root, tmp_path):
    """On the sandbox, which is part of the image; an answer is verified, and callers need the key."""
    entry, arguments = command()
    env = {**given(), 'OG_VEIL_API_KEY': KEY, 'VEIL_TEST_TOKEN': 'veil-container-%d' % os.getpid()}
    program = tmp_path / 'contained'
    program.write_text('#!/bin/sh\nexec %s "$@"\n' % shlex.join(prefix_of(root, '10001:10001', env) + entry))
    program.chmod(0o755)

    class Contained(Veil):
        pass

    Contained.program = str(program)
    home = root / 'var/lib/veil'
    veil = Contained(tmp_path / 'run', '--home', '/var/lib/veil', '--sandbox')
    assert veil.host == '127.0.0.1'
    assert veil.ask('gpt-4.1', 'x').status == 401
    reply = veil.ask('gpt-4.1', 'x', {'Authorization': 'Bearer ' + KEY})
    assert reply.status == 200 and reply.header('X-OpenGradient-Verified') == 'true'
    assert arguments == ['serve', '-f'] and home.stat().st_uid == 10001
    veil.stop()

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What `meson install` leaves: the files of installed.txt and no others, nothing that knows where it was built."""

import json
import os
import pathlib
import re
import stat
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ['VEIL_BUILD'])
OPTIONS = {option['name']: option['value'] for option in
           json.loads(subprocess.run(['meson', 'introspect', '--buildoptions', str(BUILD)], capture_output=True, check=True).stdout)}
PREFIX = OPTIONS['prefix']
HAS = {'app': OPTIONS['app'] != 'disabled', 'docs': OPTIONS['docs'], 'introspection': os.environ['VEIL_INTROSPECTION'] == 'true', None: True}


def expected():
    """{path: (mode, the option that brings it or None)}"""
    rows = [line.split() for line in (pathlib.Path(__file__).parent / 'installed.txt').read_text().splitlines() if not line.startswith('#')]
    files = {row[1].replace('{libdir}', OPTIONS['libdir']): (row[0], row[2] if len(row) > 2 else None) for row in rows}
    languages = [word for line in (SOURCE / 'po' / 'LINGUAS').read_text().splitlines() if not line.startswith('#') for word in line.split()]
    files.update({'share/locale/%s/LC_MESSAGES/veil.mo' % language: ('644', None) for language in languages})
    return files


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Installed by somebody with a mask that lets nobody else read."""
    folder = tmp_path_factory.mktemp('install')
    done = subprocess.run(['meson', 'install', '-C', str(BUILD), '--no-rebuild', '--quiet', '--destdir', str(folder)], capture_output=True, text=True,
                          timeout=120, umask=0o077)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope='module')
def files(root):
    """{path below the prefix: path}"""
    top = root / PREFIX.lstrip('/')
    return {str(path.relative_to(top)): path for path in sorted(top.rglob('*')) if path.is_symlink() or not path.is_dir()}


def test_nothing_outside(root):
    parts = pathlib.PurePath(PREFIX).parts[1:]
    for depth in range(len(parts)):
        folder = root.joinpath(*parts[:depth])
        assert [path.name for path in folder.iterdir()] == [parts[depth]]


def test_files(files):
    reference = 'share/doc/libveil-1/'
    found = {path if not path.startswith(reference) else reference + '*' for path in files}
    assert found == {path for path, (_, option) in expected().items() if HAS[option]}
    assert not HAS['docs'] or reference + 'index.html' in files


def test_modes(files):
    wanted = expected()
    wrong = []
    for path, file in files.items():
        mode, _ = wanted.get(path, ('644', None))
        have = 'l' if file.is_symlink() else '%o' % stat.S_IMODE(file.stat().st_mode)
        if have != mode:
            wrong.append((path, have))
        if file.parent.stat().st_mode & 0o7777 != 0o755:
            wrong.append((file.parent, 'folder'))
    assert wrong == []


def test_links(files):
    """They lead to what stands beside them."""
    links = {path: os.readlink(file) for path, file in files.items() if file.is_symlink()}
    assert links == {OPTIONS['libdir'] + '/libveil-1.so': 'libveil-1.so.0'}


def test_no_trace_of_the_build(files):
    """Neither source nor build folder in any file, and no name of a source file that leads out of the tree."""
    wanted = [str(path).encode() for path in (SOURCE, BUILD)]
    assert not [path for path, file in files.items() if any(folder in file.read_bytes() for folder in wanted)]
    # The compiler is given names that begin with one of these.
    outward = re.compile(rb'\.\./src/\w+/[\w-]+\.[ch]\b')
    assert not [path for path, file in files.items() if outward.search(file.read_bytes())]


def test_programs(files):
    """They are looked up where the system's are, not where they were built, and are hardened."""
    elf = {path: file for path, file in files.items() if not file.is_symlink() and file.read_bytes()[:4] == b'\x7fELF'}
    assert set(elf) == {path for path, (mode, option) in expected().items() if mode == '755' and HAS[option]}
    for path, file in elf.items():
        said = subprocess.run(['readelf', '-dlW', str(file)], capture_output=True, text=True, check=True).stdout
        assert 'RPATH' not in said and 'RUNPATH' not in said, path
        assert 'BIND_NOW' in said and 'GNU_RELRO' in said and re.search(r'GNU_STACK .* RW ', said), path


def test_pkg_config(files):
    """It moves with its folder, and says this version."""
    env = {**os.environ, 'PKG_CONFIG_PATH': str(files[OPTIONS['libdir'] + '/pkgconfig/libveil.pc'].parent)}

    def ask(*arguments):
        return subprocess.run(['pkg-config', *arguments, 'libveil'], env=env, capture_output=True, text=True, check=True).stdout.split()

    assert ask('--modversion') == [os.environ['VEIL_VERSION']]
    include, library = ask('--cflags-only-I')[0], ask('--libs-only-L')[0]
    assert (pathlib.Path(include[2:]) / 'veil.h').samefile(files['include/veil-1/veil.h'])
    assert (pathlib.Path(library[2:]) / 'libveil-1.so').samefile(files[OPTIONS['libdir'] + '/libveil-1.so']) and '-lveil-1' in ask('--libs-only-l')


def test_without_window(tmp_path):
    """What -Dapp=disabled leaves out, by the build's plan."""
    done = subprocess.run(['meson', 'setup', str(tmp_path / 'build'), str(SOURCE), '-Dapp=disabled', '-Dtests=false', '-Dintrospection=disabled',
                           '--prefix', PREFIX, '--libdir', OPTIONS['libdir']], capture_output=True, text=True, timeout=120, env={**os.environ, 'CC': 'gcc'})
    assert done.returncode == 0, done.stdout + done.stderr
    plan = json.loads((tmp_path / 'build' / 'meson-info' / 'intro-install_plan.json').read_text())
    names = {pathlib.PurePath(entry['destination']).name for part in plan.values() for entry in part.values()}
    wanted = {path: option for path, (mode, option) in expected().items() if mode != 'l' and '/icons/' not in path and not path.endswith('.mo')}
    assert {name for name in names if not name.endswith('.mo')} - {'hicolor'} == {pathlib.PurePath(path).name for path, option in wanted.items() if option is None}

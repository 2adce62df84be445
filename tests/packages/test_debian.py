# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Debian's packages: built of a release tarball as `build-aux/deb` does it, judged by lintian, compared with lists, installed in a Debian of their own, used
there and removed. On the way it is shown that the tarball of `meson dist` builds and passes its unit tests."""

import fnmatch
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import uuid

import pytest
from distribution import closure
from program import Veil
from scratch import Scratch

SOURCE = pathlib.Path(__file__).parents[2]
PACKAGING = SOURCE / 'build-aux' / 'debian'
VERSION = os.environ['VEIL_VERSION']
ID = 'ai.opengradient.Veil'

LIBRARIES = {'libc6', 'libglib2.0-0', 'libgmp10', 'libgnutls30', 'libhogweed6', 'libnettle8', 'libsoup-3.0-0'}
DEPENDS = {
    'veil': LIBRARIES | {'libadwaita-1-0', 'libgtk-4-1', 'libpango-1.0-0', 'libsecret-1-0', 'og-veil', 'veil-common'},
    'og-veil': LIBRARIES | {'init-system-helpers', 'libsecret-1-0', 'veil-common'},
    'veil-common': set(),
    'libveil-1-0': LIBRARIES,
    'gir1.2-veil-1': {'gir1.2-glib-2.0', 'libveil-1-0'},
    'libveil-dev': {'gir1.2-veil-1', 'libglib2.0-dev', 'libveil-1-0'},
    'libveil-doc': set(),
}
CONTENTS = {
    'veil': ['usr/bin/veil', 'usr/share/applications/%s.desktop' % ID, 'usr/share/dbus-1/services/%s.service' % ID,
             'usr/share/icons/hicolor/scalable/apps/%s.svg' % ID, 'usr/share/icons/hicolor/symbolic/apps/%s*-symbolic.svg' % ID,
             'usr/share/man/man1/veil.1.gz', 'usr/share/metainfo/%s.metainfo.xml' % ID],
    'og-veil': ['usr/bin/og-veil', 'usr/libexec/og-veil-sandbox', '*lib/systemd/system/og-veil.service', 'usr/lib/systemd/user/og-veil.service',
                'usr/share/bash-completion/completions/og-veil', 'usr/share/fish/vendor_completions.d/og-veil.fish',
                'usr/share/zsh/vendor-completions/_og-veil', 'usr/share/man/man1/og-veil.1.gz', 'usr/share/doc/og-veil/*.md',
                'usr/share/doc/og-veil/*.md.gz', 'usr/share/doc/og-veil/schema/*.json'],
    'veil-common': ['usr/share/glib-2.0/schemas/%s.gschema.xml' % ID, 'usr/share/veil/models.json', *(
        'usr/share/locale/%s/LC_MESSAGES/veil.mo' % language for language in re.sub('#.*', '', (SOURCE / 'po' / 'LINGUAS').read_text()).split())],
    'libveil-1-0': ['usr/lib/*/libveil-1.so.0'],
    'gir1.2-veil-1': ['usr/lib/*/girepository-1.0/Veil-1.typelib'],
    'libveil-dev': ['usr/include/veil-1/veil*.h', 'usr/lib/*/libveil-1.so', 'usr/lib/*/pkgconfig/libveil.pc', 'usr/share/gir-1.0/Veil-1.gir'],
    'libveil-doc': ['usr/share/doc/libveil-doc/libveil-1/*', 'usr/share/doc/libveil-dev/examples/verified-chat.*', 'usr/share/doc-base/libveil-doc.libveil',
                    'usr/share/devhelp/books/libveil-1'],
}
COMMON = ['usr/share/doc/%s/changelog.Debian.gz', 'usr/share/doc/%s/copyright', 'usr/share/lintian/overrides/%s']
# Programs that the packages' own tests use besides, and what runs them.
TESTERS = ['curl', 'gcc', 'libc6-dev', 'pkg-config', 'python3', 'python3-gi']


def said(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True, timeout=600, **options).stdout


class Built:
    def __init__(self, folder):
        self.folder = folder / 'packages'
        env = {name: value for name, value in os.environ.items() if name in ('PATH', 'CC', 'TMPDIR') or name.startswith('CCACHE')}
        done = subprocess.run([SOURCE / 'build-aux' / 'deb', self.folder], capture_output=True, text=True, timeout=2400, env={**env, 'HOME': str(folder)})
        why = [row for row in done.stderr.splitlines() if re.search(r'not ok|Bail out|ERROR|FAILED|[Ee]rror:', row)]
        assert done.returncode == 0, '\n'.join(['it does not build:', *why[-60:], done.stderr[-2000:]])
        self.log = done.stderr
        self.packages = {path.name.partition('_')[0]: path for path in self.folder.glob('*.deb') if '-dbgsym_' not in path.name}
        self.trees = folder / 'trees'
        self.trees.mkdir()
        for name, path in self.packages.items():
            said('dpkg-deb', '--raw-extract', path, self.trees / name)

    def files(self, name):
        tree = self.trees / name
        return sorted(str(path.relative_to(tree)) for path in tree.rglob('*')
                      if (path.is_symlink() or not path.is_dir()) and not path.is_relative_to(tree / 'DEBIAN'))

    def field(self, name, field):
        return said('dpkg-deb', '--field', self.packages[name], field).strip()

    def depends(self, name):
        """Without versions, and by the names that they had before time counted in 64 bits."""
        ways = re.sub(r' *\([^)]*\)', '', self.field(name, 'Depends')).split(',')
        return {way.strip().removesuffix('t64') for way in ways if way.strip()}

    def programs(self):
        paths = [self.trees / name / file for name in self.packages for file in self.files(name)]
        return [path for path in paths if not path.is_symlink() and path.read_bytes()[:4] == b'\x7fELF']


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp('built')
    yield Built(folder)
    shutil.rmtree(folder)


def test_there_are_those_that_control_names(built):
    named = re.findall(r'(?m)^Package: (.*)$', (PACKAGING / 'control').read_text())
    assert sorted(named) == sorted(DEPENDS) == sorted(CONTENTS) == sorted(built.packages)
    assert {built.field(name, 'Version') for name in named} == {said('dpkg-parsechangelog', '-l', PACKAGING / 'changelog', '-S', 'Version').strip()}
    assert [path.name for path in built.folder.glob('*.orig.tar.xz')] == ['veil_%s.orig.tar.xz' % VERSION]


def test_unit_tests_of_the_tarball_passed(built):
    counts = {name: int(count) for name, count in re.findall(r'(?m)^(Ok|Fail|Skipped|Timeout): +(\d+)', built.log)}
    assert counts['Ok'] >= 60 and counts['Fail'] == counts['Skipped'] == counts['Timeout'] == 0, counts


def test_lintian(built):
    """Of source and packages, with its smallest doubts. Overrides count; each has its reason beside it."""
    [changes] = built.folder.glob('*.changes')
    command = ['lintian', '--fail-on', 'error,warning', '--pedantic', '--display-info', '--allow-root', changes]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert (done.returncode, done.stdout) == (0, ''), done


@pytest.mark.parametrize('name', CONTENTS)
def test_contents(built, name):
    patterns = CONTENTS[name] + [pattern % name for pattern in COMMON]
    files = built.files(name)
    assert [file for file in files if not any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns)] == []
    assert [pattern for pattern in patterns if not fnmatch.filter(files, pattern)] == []


def test_each_file_is_in_one_package(built):
    files = [file for name in built.packages for file in built.files(name)]
    assert len(files) > 150 and len(set(files)) == len(files)


@pytest.mark.parametrize('name', DEPENDS)
def test_dependencies(built, name):
    assert built.depends(name) == DEPENDS[name]


def test_command_line_needs_no_desktop(built):
    """Not by way of others either; nor does the library."""
    outside = {name for package in ('og-veil', 'veil-common', 'libveil-1-0') for name in built.depends(package)} - set(DEPENDS)
    assert not [name for name in closure(outside) if re.match(r'libgtk|libadwaita|libx11-6|libwayland|libpango|adwaita', name)]


def test_programs_are_hardened(built):
    programs = built.programs()
    assert sorted(path.name for path in programs) == ['libveil-1.so.0', 'og-veil', 'og-veil-sandbox', 'veil']
    for path in programs:
        shown = said('readelf', '-W', '-h', '-l', '-d', path)
        assert re.search(r'Type: +DYN', shown) and 'GNU_RELRO' in shown and re.search(r'FLAGS.*NOW', shown), path
        assert re.search(r'GNU_STACK.* RW ', shown), path
        assert '__stack_chk_fail' in said('readelf', '-W', '--dyn-syms', path), path


def test_nothing_tells_where_it_was_built(built):
    where = str(built.folder).encode()
    for name in built.packages:
        for file in built.files(name):
            path = built.trees / name / file
            assert path.is_symlink() or where not in path.read_bytes(), path


def test_library_tells_what_it_has(built):
    control = built.trees / 'libveil-1-0' / 'DEBIAN'
    symbols = (control / 'symbols').read_text()
    assert symbols.startswith('libveil-1.so.0 libveil-1-0 #MINVER#\n* Build-Depends-Package: libveil-dev\n')
    assert len(re.findall(r'(?m)^ veil_\w+@Base', symbols)) > 100
    assert (control / 'triggers').read_text().endswith('activate-noawait ldconfig\n')


# In a Debian of their own.

@pytest.fixture(scope='module')
def root(built, tmp_path_factory):
    """With what the command line depends on, and nothing else."""
    root = Scratch(tmp_path_factory.mktemp('debian') / 'root')
    root.add({name for package in ('og-veil', 'veil-common') for name in closure_of(built, package)})
    root.before = root.files()
    root.dpkg('--install', built.packages['veil-common'], built.packages['og-veil'])
    yield root
    shutil.rmtree(root.path)


def closure_of(built, package):
    """What @package needs of others, by the names that they have here."""
    ways = re.sub(r' *\([^)]*\)', '', built.field(package, 'Depends')).split(',')
    return {way.strip() for way in ways if way.strip()} - set(DEPENDS)


@pytest.fixture(scope='module')
def full(built, root):
    """With all packages, and what their own tests use."""
    before = root.files()
    root.add({name for package in DEPENDS for name in closure_of(built, package)} | set(TESTERS))
    root.before |= root.files() - before
    root.dpkg('--install', *(path for name, path in built.packages.items() if name not in ('og-veil', 'veil-common')))
    return root


def test_installed_command_line_says_its_version(root):
    assert root.inside(['og-veil', '--version'], check=True).stdout.split()[-1] == VERSION
    assert 'listening on' not in root.inside(['og-veil', '--help'], check=True).stderr


def test_installed_command_line_serves(root, tmp_path):
    """With only what it depends on: an answer of the sandbox, verified."""
    program = tmp_path / 'inside'
    home = root.home('served')
    token = 'veil-debian-' + uuid.uuid4().hex
    program.write_text('#!/bin/sh\nexec %s og-veil "$@"\n' % shlex.join(root.prefix(HOME=home, VEIL_TEST_TOKEN=token)))
    program.chmod(0o755)
    veil = type('Inside', (Veil,), {'program': str(program)})(tmp_path / 'run', '--home', home, '--sandbox')
    veil.token = token
    try:
        reply = veil.ask('gpt-4.1', 'Hello, package!')
        assert reply.status == 200 and reply.header('X-OpenGradient-Verified') == 'true' and 'Hello, package!' in reply.text
        assert veil.request('GET', '/v1/models').json()['data'], 'the models of veil-common'
    finally:
        veil.stop()


def test_installing_starts_and_enables_nothing(root):
    assert not [file for file in root.files() if re.search(r'\.wants/og-veil|og-veil\.service$', file) and file.startswith('etc/')]


def test_all_are_installed(full):
    rows = full.dpkg('--list', *DEPENDS).splitlines()
    assert sorted(row.split()[1].partition(':')[0] for row in rows if row.startswith('ii ')) == sorted(DEPENDS)


def test_installed_window_says_its_version(full):
    assert full.inside(['veil', '--version'], check=True).stdout.split()[-1] == VERSION
    schemas = full.path / 'usr/share/glib-2.0/schemas/gschemas.compiled'
    assert ID.encode() in schemas.read_bytes()


@pytest.mark.parametrize('name', ['command-line', 'library'])
def test_packages_own_tests(full, name):
    """debian/tests, which a distribution runs after installing."""
    source = full.path / 'tmp' / ('source-' + name)
    for path in [PACKAGING / 'tests' / name, *(SOURCE / 'examples').glob('verified-chat.*')]:
        target = source / ('debian/tests' if path.parent.name == 'tests' else 'examples') / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        target.chmod(path.stat().st_mode & 0o777)
    wanted = re.search(r'Tests: %s\nDepends: (.*)' % name, (PACKAGING / 'tests' / 'control').read_text())[1].split(', ')
    assert set(wanted) <= set(TESTERS) | set(DEPENDS)
    done = full.inside(['sh', '-c', 'cd "$1" && exec debian/tests/"$2"', 'sh', '/tmp/source-' + name, name], HOME=full.home('test-' + name))
    assert done.returncode == 0, done


def test_purging_leaves_nothing(full):
    """Of the packages, and of what the system service and docs/service.md make."""
    for file in ('var/lib/private/og-veil/session.json', 'etc/credstore/og-veil.api-key', 'etc/og-veil/environment'):
        (full.path / file).parent.mkdir(parents=True, exist_ok=True)
        (full.path / file).write_text('secret')
    (full.path / 'var/lib/og-veil').symlink_to('private/og-veil')
    full.dpkg('--remove', *DEPENDS)
    assert (full.path / 'etc/credstore/og-veil.api-key').exists(), 'a removal is no purge'
    full.dpkg('--purge', *DEPENDS)
    left = {file for file in full.files() - full.before - full.listed() if not file.startswith('tmp/')}
    # What other packages' triggers write about all that is installed.
    assert left <= {'etc/ld.so.cache', 'var/cache/ldconfig', 'var/cache/ldconfig/aux-cache', 'usr/share/glib-2.0/schemas/gschemas.compiled',
                    'usr/lib/%s/gio/modules/giomodule.cache' % said('dpkg-architecture', '-qDEB_HOST_MULTIARCH').strip(), 'var/lib/private', 'etc/credstore',
                    'var/log', 'var/log/dpkg.log'}
    compiled = full.path / 'usr/share/glib-2.0/schemas/gschemas.compiled'
    assert not compiled.exists() or ID.encode() not in compiled.read_bytes()

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What Debian's packaging says of the rest of the tree, without building anything."""

import pathlib
import re
import subprocess

from distribution import closure

SOURCE = pathlib.Path(__file__).parents[2]
PACKAGING = SOURCE / 'build-aux' / 'debian'


def test_symbols_are_those_of_the_record():
    """`tests/library/record-interface` writes both; what was there stays with the version in which it came."""
    rows = (PACKAGING / 'libveil-1-0.symbols').read_text().splitlines()
    assert rows[:2] == ['libveil-1.so.0 libveil-1-0 #MINVER#', '* Build-Depends-Package: libveil-dev']
    assert all(re.fullmatch(r' veil_\w+@Base \d+\.\d+\.\d+', row) for row in rows[2:])
    assert [row[1:].partition('@')[0] for row in rows[2:]] == (SOURCE / 'tests' / 'library' / 'libveil.symbols').read_text().split()


def test_overrides_have_reasons():
    for path in [*PACKAGING.glob('*.lintian-overrides'), PACKAGING / 'source' / 'lintian-overrides']:
        assert re.fullmatch(r'(#.{20,}\n([a-z].*\n)+)+', path.read_text()), path


def test_copyright_names_files_that_are_there():
    """And says of each thing that is not ours where it comes from."""
    text = (PACKAGING / 'copyright').read_text()
    patterns = [word for words in re.findall(r'(?m)^Files:((?:.|\n )*)', text) for word in words.split()]
    assert '*' in patterns and len(patterns) > 3
    assert [pattern for pattern in patterns if not list(SOURCE.glob(pattern))] == []
    foreign = [path for path in (SOURCE / 'tests' / 'vectors').iterdir() if 'nitro' in path.name]
    assert foreign and all(str(path.relative_to(SOURCE)) in patterns for path in foreign)
    licences = set(re.findall(r'(?m)^License: (\S+)$', text))
    assert {re.search('SPDX-License-Identifier: ([\\w.-]+)', path.read_text())[1] for folder in ('src', 'data', 'build-aux', 'examples')
            for path in (SOURCE / folder).rglob('*') if path.suffix in ('.c', '.h', '.in', '.ui', '.xml', '.svg', '.py')} <= licences


def test_what_install_deps_installs_is_enough():
    """Who can run the tests can build the packages."""
    script = (SOURCE / 'build-aux' / 'install-deps').read_text()
    listed = ' '.join(re.findall(r'(?m)^(?:headless|run|test)="([^"]*)"', script)).replace('$headless', '').replace('$run', '').split()
    here = subprocess.run(['dpkg-query', '-W', '-f', '${Package}\n'], capture_output=True, text=True, check=True).stdout.split()
    listed = closure(set(listed) & set(here))
    wanted = re.findall(r'(?m)^Build-Depends[^:]*:\n((?: .*\n)+)', (PACKAGING / 'control').read_text())
    ways = [[re.sub(r' *[(<].*', '', way).strip() for way in row.split('|')] for row in ''.join(wanted).replace(',', '').splitlines()]
    assert len(ways) > 15
    known = listed | {'dh-sequence-gir', 'debhelper-compat'}
    assert [way for way in ways if not known & set(way)] == []

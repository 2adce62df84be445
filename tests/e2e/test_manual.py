# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The manual pages: whether `man` has something to say against them, and whether they describe what the programs' --help lists, no less and no more."""

import os
import pathlib
import re
import subprocess

import pytest
from commands import COMMANDS, OPTION, help_of, options
from program import DEADLINE, environment

SOURCE = pathlib.Path(__file__).parents[2]
PAGES = {name: SOURCE / 'data' / 'man' / (name + '.1') for name in ('og-veil', 'veil')}
COMMON = {'help', 'version', 'verbose'}


def man(*args):
    return subprocess.run(['man', '--warnings', '-E', 'UTF-8', '-l', *args], capture_output=True, timeout=DEADLINE,
                          env={'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8', 'MANROFFSEQ': '', 'MANWIDTH': '80', 'MANPAGER': 'cat', 'HOME': '/nonexistent'})


@pytest.mark.parametrize('name', PAGES)
def test_man_has_nothing_to_say(name):
    done = man('-Tutf8', '-Z', str(PAGES[name]))
    assert (done.returncode, done.stderr) == (0, b'')
    assert b'x T utf8' in done.stdout


def test_man_would_say_something(tmp_path):
    path = tmp_path / 'broken.1'
    path.write_text('.Dd today\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd y\n.Nonsense here\n')
    assert man('-Tutf8', '-Z', str(path)).stderr


def sections(name, macro):
    """{title: lines} of the page's source."""
    found, title = {}, None
    for line in PAGES[name].read_text().splitlines():
        if re.match(r'\.(Sh|Ss) ', line):
            title = line[4:] if line.startswith('.' + macro) else None
            if title:
                found[title] = []
        elif title:
            found[title].append(line)
    return found


def flags(lines):
    """Long options that are described there."""
    return {name for line in lines if line.startswith('.') and ' Fl ' in ' ' + line[1:] for name in re.findall(r'(?<= )-([a-z][a-z0-9-]+)', line)}


def letters(lines):
    return {name for line in lines if ' Fl ' in ' ' + line[1:] for name in re.findall(r'(?<=Fl )([a-z])(?= )', line)}


def test_all_commands_are_described():
    titles = [title.split()[0] for title in sections('og-veil', 'Ss')]
    assert titles == list(COMMANDS), 'one .Ss for each command, in the order of `og-veil --help`'


@pytest.mark.parametrize('command', COMMANDS)
def test_options_of_a_command(command):
    """Whoever adds an option describes it in data/man/og-veil.1, in the section of the command."""
    [lines] = [lines for title, lines in sections('og-veil', 'Ss').items() if title.split()[0] == command]
    taken = {name: short for name, (short, _, _) in options(command).items() if name not in COMMON}
    assert flags(lines) == set(taken), 'options in data/man/og-veil.1 and in `og-veil %s --help`' % command
    assert letters(lines) == {short for short in taken.values() if short}


@pytest.mark.parametrize('command', COMMANDS)
def test_arguments_of_a_command(command):
    [title] = [title for title in sections('og-veil', 'Ss') if title.split()[0] == command]
    described = re.sub(r'\b(Op|Ar|Cm)\b ', '', title[len(command):]).replace(' ...', '…').strip()
    usage = re.sub(r'[][]', '', help_of(command).splitlines()[1].split('…]', 1)[1]).strip().lower()
    assert described == usage


def test_settings_are_described():
    items = [line for line in sections('og-veil', 'Sh')['SETTINGS'] if line.startswith('.It')]
    schema = (SOURCE / 'data' / 'ai.opengradient.Veil.gschema.xml').read_text()
    assert {word for line in items for word in re.findall(r'Va ([a-z-]+)', line)} == set(re.findall(r'<key name="([a-z-]+)"', schema))
    table = dict(re.findall(r'^  \{ (?:"([a-z-]+)"|NULL), "(OG_VEIL_\w+)"', (SOURCE / 'src' / 'service' / 'settings.c').read_text(), re.M))
    assert {variable for variable in table.values()} == {word for line in items for word in re.findall(r'Ev (OG_VEIL_\w+)', line)}
    for flag, variable in table.items():
        assert not flag or any(' -%s ' % flag in line and variable in line for line in items), flag
    assert 'pii' not in PAGES['og-veil'].read_text().lower()


def test_settings_table():
    """docs/settings.md has the keys, defaults, variables and flags that the program has."""
    text = (SOURCE / 'docs' / 'settings.md').read_text()
    rows = {row[0]: row for row in re.findall(r'(?m)^\| `([\w-]+)` \| [^|]* \| `([^`]*)` \| [^|]* \|(?: `(\w+)`)?(?:, `--([\w-]+)`)?[^|]*\|$', text)}
    schema = dict(re.findall(r'(?s)<key name="([\w-]+)".*?<default>(.*?)</default>', (SOURCE / 'data' / 'ai.opengradient.Veil.gschema.xml').read_text()))
    assert {key: row[1] for key, row in rows.items()} == schema, 'keys and defaults in docs/settings.md and in the schema'
    table = re.findall(r'(?m)^  \{ "([\w-]+)", "(\w+)", "([\w-]+)"', (SOURCE / 'src' / 'service' / 'settings.c').read_text())
    assert len(table) >= 8
    for flag, variable, key in table:
        assert rows[key][2:] == (variable, flag)
    assert rows['require-api-key'][2] == 'OG_VEIL_API_KEY'


def test_page_of_the_window():
    done = subprocess.run([os.environ['VEIL'], '--help'], capture_output=True, timeout=DEADLINE, env=environment())
    assert done.returncode == 0, done.stderr
    taken = {name for _, name, _, _ in OPTION.findall(done.stdout.decode())}
    assert {'sandbox', 'home'} <= taken
    assert flags(sections('veil', 'Sh')['OPTIONS']) == taken

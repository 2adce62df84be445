# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Help texts, and what is said to those who call in a wrong way."""

import os
import re
import shlex

import pytest
from commands import COMMANDS, help_of, options
from program import Veil, run


def sections(text):
    """{title: body} of the blocks that blank lines set apart."""
    blocks = text.strip().split('\n\n')
    return {block.split('\n')[0]: block for block in blocks}


def test_overview():
    text = help_of()
    assert len(COMMANDS) >= 8 and text.startswith('Usage: og-veil') and 'Exit status:' in text
    assert all(len(line) <= 140 for line in text.splitlines())
    for flags in (['-h'], ['help']):
        assert run(*flags).stdout.decode() == text


@pytest.mark.parametrize('command', COMMANDS)
def test_help(command):
    text = help_of(command)
    parts = sections(text)
    assert parts['Usage:'].splitlines()[1].startswith('  og-veil %s [OPTION…]' % command)
    assert COMMANDS[command] + '.\n' in text, 'the summary of the overview'
    assert 'Exit status:' in parts
    assert {'help', 'version', 'verbose'} <= set(options(command))
    assert run('help', command).stdout.decode() == run(command, '-h').stdout.decode() == text
    assert all(len(line) <= 140 for line in text.splitlines())


@pytest.mark.parametrize('command', COMMANDS)
def test_examples_can_be_called_like_that(command):
    """Each option of each example is one that the command has."""
    lines = sections(help_of(command))['Examples:'].splitlines()[1:]
    assert lines
    for line in lines:
        found = re.search(r'og-veil ?(\w*)([^|)]*)', line)
        assert found and found[1] in (command, ''), line
        for word in shlex.split(found[2]):
            if word.startswith('--'):
                assert word[2:] in options(command), line
            elif word.startswith('-'):
                assert word[1:] in {short for short, _, _ in options(command).values()}, line


@pytest.mark.parametrize('command', COMMANDS)
def test_wrong_option(command):
    done = run(command, '--nonsense')
    [line] = done.stderr.decode().splitlines()
    assert done.returncode == 2 and done.stdout == b''
    assert line.startswith('og-veil: ') and '--nonsense' in line and line.endswith('`og-veil %s --help` tells more' % command)


@pytest.mark.parametrize('command', COMMANDS)
def test_version_of_each(command):
    assert run(command, '--version').stdout == run('--version').stdout == b'og-veil %s\n' % os.environ['VEIL_VERSION'].encode()


@pytest.mark.parametrize('arguments', [['conquer'], ['help', 'conquer'], ['--conquer']], ids=' '.join)
def test_no_such_command(arguments):
    done = run(*arguments)
    [line] = done.stderr.decode().splitlines()
    assert done.returncode == 2 and done.stdout == b'' and 'conquer' in line and '`og-veil --help`' in line


def test_hostile_argument_does_not_steer_the_terminal():
    done = run('models', '\x1b]0;x\x07')
    assert done.returncode == 2 and b'\x1b' not in done.stderr and b'\x07' not in done.stderr


def test_verbose(tmp_path):
    """-v shows the program's own debugging, and not that of its libraries, which may print what passes through them."""
    for flags, loud in (([], False), (['-v'], True)):
        veil = Veil(tmp_path / str(loud), '--sandbox', *flags)
        assert veil.ask('gpt-4.1', 'Hello').status == 200
        veil.stop()
        domains = set(re.findall(r'\([^)]*:\d+\): ([\w-]+)-DEBUG', veil.stderr().decode()))
        assert domains == ({'veil'} if loud else set())

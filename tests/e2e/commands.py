# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What og-veil says of itself: its commands and their options, read off `--help`. Completions and manual are checked against it."""

import re

from program import run

# Some option names also stand in the descriptions; those that are offered begin a line.
OPTION = re.compile(r'^  (?:-(\w), )?--([\w-]+)(=\S+)?  +(\S.*)$', re.M)


def help_of(*command):
    done = run(*command, '--help')
    assert done.returncode == 0 and done.stderr == b'', done
    return done.stdout.decode()


def overview():
    """{command: summary}, as `og-veil --help` lists them."""
    listed = help_of().split('\nCommands:\n')[1].split('\n\n')[0]
    return dict(re.fullmatch(r'  (\w+) +(\S.*)', line).groups() for line in listed.splitlines())


def options(command):
    """{long name: (short name or None, value or None, text)}"""
    return {name: (short or None, value[1:] or None, text) for short, name, value, text in OPTION.findall(help_of(command))}


COMMANDS = overview()

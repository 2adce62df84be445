# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""How flatpak/compose-runtime ends before it is done."""

import contextlib
import os
import pathlib
import signal
import subprocess

import pytest
from desktop import DEADLINE, wait_until
from sandboxed import TOP


def lives(pid):
    """Others than children have nobody here who buries them."""
    with contextlib.suppress(OSError):
        return pathlib.Path('/proc/%d/cmdline' % pid).read_bytes() != b''
    return False


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_interrupted(tmp_path, number):
    """Nothing goes on without it, and nothing of it is left in folders for others."""
    programs, pid, temporary = tmp_path / 'bin', tmp_path / 'pid', tmp_path / 'tmp'
    programs.mkdir()
    temporary.mkdir()
    # What takes long: here the lists of packages.
    for name, script in (('apt-get', 'echo $$ > "%s.new" && mv "%s.new" "%s" && exec sleep 600' % (pid, pid, pid)), ('flatpak', 'echo x86_64')):
        (programs / name).write_text('#!/bin/sh\n%s\n' % script)
        (programs / name).chmod(0o755)
    env = {'PATH': '%s:%s' % (programs, os.environ['PATH']), 'CACHE': str(tmp_path / 'a cache'), 'TMPDIR': str(temporary)}
    # Who runs the tests may ignore the signal (nohup does), and a shell cannot take that back.
    composing = subprocess.Popen([TOP / 'flatpak' / 'compose-runtime'], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    wait_until(pid.exists, 'it to be at work')
    try:
        composing.send_signal(number)
        assert composing.wait(DEADLINE) == 143
        wait_until(lambda: not lives(int(pid.read_text())), 'what it started to end')
    finally:
        if lives(int(pid.read_text())):
            os.kill(int(pid.read_text()), signal.SIGKILL)
    assert list(temporary.iterdir()) == []

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""How flatpak/build shares its folder, with programs in place of those that take long."""

import contextlib
import os
import select
import subprocess

from desktop import DEADLINE, wait_until
from sandboxed import TOP

# Says for whom it works, which is the process that started it, and goes on until it may end.
BUILDER = '''#!/bin/sh
echo "begin $PPID" >> "%(log)s"
while ! [ -e "%(go)s" ]; do sleep 0.05; done
echo "end $PPID" >> "%(log)s"
'''


def test_two_at_once(tmp_path):
    """The second waits, says so, and touches nothing of the first's meanwhile."""
    programs, log, go = tmp_path / 'bin', tmp_path / 'log', tmp_path / 'go'
    programs.mkdir()
    for name, script in (('git', '#!/bin/sh\nexec tar -c -f - -T /dev/null\n'), ('flatpak', '#!/bin/sh\n'), ('flatpak-builder', BUILDER % {'log': log, 'go': go})):
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    env = {'PATH': '%s:%s' % (programs, os.environ['PATH']), 'CACHE': str(tmp_path / 'a cache'), 'HOME': str(tmp_path)}
    with contextlib.ExitStack() as ends:
        def start():
            build = subprocess.Popen([TOP / 'flatpak' / 'build'], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            ends.callback(build.stderr.close)
            ends.callback(build.wait, DEADLINE)
            ends.callback(go.touch)
            return build
        first = start()
        wait_until(log.exists, 'the first to be at work')
        (tmp_path / 'a cache' / 'source' / 'mark').touch()
        second = start()
        assert select.select([second.stderr], [], [], DEADLINE)[0], 'it does not say that it waits'
        assert second.stderr.readline() == 'flatpak/build: another run is at work in %s/a cache; this one waits until that has ended\n' % tmp_path
        assert (tmp_path / 'a cache' / 'source' / 'mark').exists() and first.poll() is None and second.poll() is None
        go.touch()
        assert first.wait(DEADLINE) == 0 and second.wait(DEADLINE) == 0
    assert log.read_text().split() == ['begin', str(first.pid), 'end', str(first.pid), 'begin', str(second.pid), 'end', str(second.pid)]


def test_one_that_was_killed(tmp_path):
    """Nobody waits for it."""
    programs, log = tmp_path / 'bin', tmp_path / 'log'
    programs.mkdir()
    for name, script in (('git', 'exec tar -c -f - -T /dev/null'), ('flatpak', ':'), ('flatpak-builder', '[ -e "%s" ] || { touch "%s"; kill -9 $PPID; }' % (log, log))):
        (programs / name).write_text('#!/bin/sh\n%s\n' % script)
        (programs / name).chmod(0o755)
    env = {'PATH': '%s:%s' % (programs, os.environ['PATH']), 'CACHE': str(tmp_path), 'HOME': str(tmp_path)}
    codes = [subprocess.run([TOP / 'flatpak' / 'build'], env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE).returncode for _ in range(2)]
    assert codes == [-9, 0]

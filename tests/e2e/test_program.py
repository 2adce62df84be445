# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""That a crash of the leak checker is told from everything that the checker and the program have to say."""

import sys

import pytest
from program import CHECKER_CODE, assert_no_report, complete, ended

CRASH = (b'Tracer caught signal 11: addr=0x0 pc=0x55d3c1a2 sp=0x7f2b1c\n==4242==LeakSanitizer has encountered a fatal error.\n'
         b'==4242==HINT: For debugging, try setting environment variable LSAN_OPTIONS=verbosity=1:log_threads=1\n'
         b'==4242==HINT: LeakSanitizer does not work under ptrace (strace, gdb, etc)\n')
LEAK = (b'\n=================================================================\n==4242==ERROR: LeakSanitizer: detected memory leaks\n\n'
        b'Direct leak of 32 byte(s) in 1 object(s) allocated from:\n')


@pytest.mark.parametrize('said, code', [(b'', 0), (b'veil-Message: Signed in\n', 0), (b'og-veil: The port is taken\n', 1), (b'Waiting\nog-veil: x\n', 1)])
def test_crash_of_the_checker(said, code):
    """The rest is as if it had not been there, in a terminal too."""
    for crash in (CRASH, CRASH.replace(b'\n', b'\r\n')):
        assert ended(CHECKER_CODE, said + crash) == (code, said)
        assert ended(0, crash + said) == (0, said), 'of a helper'
        assert ended(-9, said + crash) == (-9, said)
        assert_no_report(said + crash)


@pytest.mark.parametrize('said', [LEAK, LEAK + CRASH, CRASH + b'==7==ERROR: AddressSanitizer: heap-use-after-free\n', b'x.c:1:2: runtime error: shift\n' + CRASH,
                                  b'==4242==LeakSanitizer has encountered a fatal error.\n', b'veil-CRITICAL **: assertion failed\n' + CRASH])
def test_what_is_reported_stays(said):
    assert ended(CHECKER_CODE, said)[0] == CHECKER_CODE
    with pytest.raises(AssertionError):
        assert_no_report(said)


def test_another_time(tmp_path):
    """A crash hides the exit code: it is asked for again."""
    count, report = tmp_path / 'count', tmp_path / 'report'
    report.write_bytes(CRASH)
    script = ('import os, sys\nopen(%r, "a").write("x")\nif os.path.getsize(%r) < 3:\n sys.stderr.write(open(%r).read())\n sys.exit(%d)\nsys.exit(2)'
              % (str(count), str(count), str(report), CHECKER_CODE))
    done = complete([sys.executable, '-c', script])
    assert (done.returncode, done.stderr, count.read_text()) == (2, b'', 'xxx')

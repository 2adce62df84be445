# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The units for systemd: what systemd's own checker says, how exposed they are, and that the program gets along with what they forbid."""

import os
import pathlib
import re
import shlex
import signal
import subprocess

import pytest
from program import DEADLINE, OG_VEIL, PeerVeil, Veil, environment, run
from test_cli import one_sentence

UNITS = pathlib.Path(os.environ['VEIL_UNITS'])
DOCS = pathlib.Path(__file__).parents[2] / 'docs' / 'service.md'
KINDS = {'user': UNITS / 'og-veil.service', 'system': UNITS / 'system' / 'og-veil.service'}
KEY = 'a-key-of-some-length'


def text_of(kind):
    """The unit as built, with the program where it is."""
    text, count = re.subn(r'(?m)^ExecStart=\S+', 'ExecStart=' + OG_VEIL, KINDS[kind].read_text())
    assert count == 1
    return text


def values(kind, key):
    return re.findall(r'(?m)^%s=(.*)$' % key, text_of(kind))


@pytest.fixture(params=KINDS)
def unit(request, tmp_path):
    path = tmp_path / request.param / 'og-veil.service'
    path.parent.mkdir()
    path.write_text(text_of(request.param))
    return request.param, path


def analyze(tmp_path, *args):
    runtime = tmp_path / 'runtime'
    runtime.mkdir(mode=0o700, exist_ok=True)
    return subprocess.run(['systemd-analyze', '--no-pager', *args], capture_output=True, text=True, timeout=DEADLINE, env=environment(XDG_RUNTIME_DIR=str(runtime), HOME=str(tmp_path)))


def test_verify(unit, tmp_path):
    kind, path = unit
    done = analyze(tmp_path, '--' + kind, '--man=no', 'verify', str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, '', '')


def test_verify_finds_mistakes(tmp_path):
    path = tmp_path / 'og-veil.service'
    path.write_text(text_of('system').replace('ProtectSystem=strict', 'ProtectSystem=perhaps'))
    assert 'protect system' in analyze(tmp_path, '--man=no', 'verify', str(path)).stderr


def test_exposure(unit, tmp_path):
    """As low as the documentation says."""
    kind, path = unit
    stated = re.search(r'\| `?%s`? unit \|.*?\| (\d+\.\d) \|' % kind, DOCS.read_text())[1]
    assert float(stated) < 2.5
    done = analyze(tmp_path, 'security', '--offline=true', '--threshold=%d' % (float(stated) * 10), str(path))
    assert done.returncode == 0, done.stdout.splitlines()[-1]
    assert 'Overall exposure level for og-veil.service: %s ' % stated in done.stdout
    lax = path.with_name('lax.service')
    lax.write_text(text_of(kind).replace('NoNewPrivileges=yes\n', '').replace('SystemCallFilter=@system-service\n', ''))
    assert analyze(tmp_path, 'security', '--offline=true', '--threshold=%d' % (float(stated) * 10), str(lax)).returncode != 0


def expand(tmp_path, group):
    done = analyze(tmp_path, 'syscall-filter', group)
    assert done.returncode == 0, done.stderr
    names = set()
    for line in done.stdout.splitlines()[1:]:
        word = line.split('#')[0].strip()
        if word:
            names |= expand(tmp_path, word) if word.startswith('@') else {word}
    return names


def allowed(tmp_path, kind):
    """The filter's system calls: the first line says which are allowed, later ones take some back."""
    first, *rest = values(kind, 'SystemCallFilter')
    names = set().union(*(expand(tmp_path, group) for group in first.split()))
    for line in rest:
        assert line.startswith('~')
        names -= set().union(*(expand(tmp_path, group) for group in line[1:].split()))
    assert len(names) > 200
    return names


def test_system_calls(peer, tmp_path):
    """What the program calls while it starts, serves and ends is what the units allow; a call that is refused would end as an odd error."""
    trace = tmp_path / 'trace'
    program = tmp_path / 'traced'
    program.write_text('#!/bin/sh\nexec strace -f -qq -e signal=none -o %s -- %s "$@"\n' % (shlex.quote(str(trace)), shlex.quote(OG_VEIL)))
    program.chmod(0o755)

    class Traced(PeerVeil):
        pass

    Traced.program = str(program)
    # The leak checker traces as well, and there can be only one.
    veil = Traced(tmp_path / 'veil', peer, env={'ASAN_OPTIONS': 'detect_leaks=0'})
    for stream in (False, True):
        assert veil.ask('x', 'x', stream=stream).status == 200
    assert run('pin', 'add', '0x' + peer.enclaves[0].pcr_hash.hex(), home=veil.home / 'home').returncode == 0
    assert veil.ask('x', 'x').status == 200
    [child] = pathlib.Path('/proc/%d/task/%d/children' % (veil.process.pid, veil.process.pid)).read_text().split()
    os.kill(int(child), signal.SIGTERM)
    assert veil.process.wait(DEADLINE) == 0
    called = set(re.findall(r'(?m)^\d+ +(\w+)\(', trace.read_text()))
    assert {'execve', 'listen', 'sendto', 'exit_group'} <= called
    for kind in KINDS:
        assert called <= allowed(tmp_path, kind), (kind, called - allowed(tmp_path, kind))


def test_addresses():
    """Without a session bus or a display, with what the system unit gives."""
    for kind in KINDS:
        assert set(' '.join(values(kind, 'RestrictAddressFamilies')).split()) == {'AF_UNIX', 'AF_INET', 'AF_INET6', 'AF_NETLINK'}


def test_command_of_the_units():
    for kind in KINDS:
        [line] = values(kind, 'ExecStart')
        assert shlex.split(line)[1:] == ['serve', '-f']
        assert values(kind, 'UMask') == ['0077']
        assert values(kind, 'KillMode') == ['mixed'], 'the helper would end first, and look like an accident'


def test_what_need_not_be():
    """A unit does not start where the file of a credential is missing, if that is a path and not a name to look for in /etc/credstore."""
    [credential] = values('system', 'LoadCredential')
    key, name = credential.split(':')
    assert key == 'api-key' and '/' not in name and '/etc/credstore/' + name in DOCS.read_text()
    [file] = values('system', 'EnvironmentFile')
    assert file.startswith('-') and file[1:] in DOCS.read_text()


def credentials(tmp_path, content):
    folder = tmp_path / 'credentials'
    folder.mkdir()
    (folder / 'api-key').write_bytes(content)
    return {'CREDENTIALS_DIRECTORY': str(folder)}


def system_environment(tmp_path):
    """What the system unit sets, with %S where the test may write."""
    line = ' '.join(values('system', 'Environment'))
    return dict(word.split('=', 1) for word in line.replace('%S', str(tmp_path)).split())


def test_credential_is_the_api_key(tmp_path):
    env = {**system_environment(tmp_path), **credentials(tmp_path, KEY.encode() + b'\n')}
    assert env['OG_VEIL_SESSION_STORE'] == 'file' and env['OG_VEIL_HOME'] == str(tmp_path / 'og-veil')
    veil = Veil(tmp_path / 'served', '--sandbox', env=env)
    veil.secrets.add(KEY)
    assert veil.ask('gpt-4.1', 'x').status == 401
    assert veil.ask('gpt-4.1', 'x', {'Authorization': 'Bearer ' + KEY}).status == 200
    veil.stop()


def test_environment_wins_over_the_credential(tmp_path):
    veil = Veil(tmp_path / 'served', '--sandbox', env={**credentials(tmp_path, KEY.encode()), 'OG_VEIL_API_KEY': 'another-key'})
    assert veil.ask('gpt-4.1', 'x', {'Authorization': 'Bearer ' + KEY}).status == 401
    assert veil.ask('gpt-4.1', 'x', {'Authorization': 'Bearer another-key'}).status == 200
    veil.stop()


@pytest.mark.parametrize('content, why', [(b'short', 'at least 8'), (b'', 'at least 8'), (b'with a space', 'printable'), (b'x' * 4097, 'too long'), (b'x' * 100000, 'too long'),
                                          (b'\xff' * 20, 'printable'), (None, 'cannot be read')], ids=['short', 'empty', 'space', 'long', 'huge', 'bytes', 'folder'])
def test_credential_that_is_no_key(tmp_path, content, why):
    """An endpoint that was to have a key does not start without."""
    env = credentials(tmp_path, content or b'')
    if content is None:
        (tmp_path / 'credentials' / 'api-key').unlink()
        (tmp_path / 'credentials' / 'api-key').mkdir()
    done = run('serve', '-f', '--port', '0', home=tmp_path / 'home', env=env)
    error = one_sentence(done.stderr)
    assert done.returncode == 2 and str(tmp_path / 'credentials' / 'api-key') in error and why in error
    assert not content or len(content) < 9 or content.decode('latin-1') not in error


def test_without_the_credential(tmp_path):
    env = credentials(tmp_path, b'')
    (tmp_path / 'credentials' / 'api-key').unlink()
    veil = Veil(tmp_path / 'served', '--sandbox', env=env)
    assert veil.ask('gpt-4.1', 'x').status == 200
    veil.stop()

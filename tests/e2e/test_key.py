# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The API key: kept in the keyring or a file, required by a server that runs as soon as it is set, and shown to nobody else."""

import json
import os
import pty
import select
import stat
import subprocess

import pytest
from program import DEADLINE, OG_VEIL, Veil, environment, run, wait_until
from signin import Bus
from test_cli import one_sentence

FILE = ('--session-store', 'file')
KEY, OTHER = 'correct-horse-battery', 'another-one-entirely'


def set_key(home, key, *args, env=None, code=0):
    done = run('key', 'set', *args, input=key.encode() + b'\n', home=home, env=env)
    assert done.returncode == code and key.encode() not in done.stdout + done.stderr, done
    return done


def asked(veil, key=None):
    headers = {'Authorization': 'Bearer ' + key} if key else {}
    return veil.ask('gpt-4.1', 'x', headers).status


@pytest.fixture
def home(tmp_path):
    return tmp_path / 'veil' / 'home'


def test_file(home):
    assert b'from now on' in set_key(home, KEY, *FILE).stdout
    path = home / 'api-key'
    assert path.read_text() == KEY and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert run('key', 'show', *FILE, home=home).stdout.decode() == KEY + '\n'
    assert 'require-api-key=true' in (home / 'settings.ini').read_text()
    veil = Veil(home.parent, '--sandbox', *FILE)
    veil.secrets |= {KEY, OTHER}
    assert asked(veil) == 401 and asked(veil, OTHER) == 401 and asked(veil, KEY) == 200
    # Another one, live; then none.
    set_key(home, OTHER, *FILE)
    wait_until(lambda: asked(veil, OTHER) == 200, what='the other key to be taken up')
    assert asked(veil, KEY) == 401
    done = run('key', 'clear', *FILE, home=home)
    assert done.returncode == 0 and not path.exists()
    wait_until(lambda: asked(veil) == 200, what='the key to be given up')
    set_key(home, KEY, *FILE)
    wait_until(lambda: asked(veil) == 401, what='the key to be taken up')
    assert asked(veil, KEY) == 200
    veil.stop()


def test_settings_that_cannot_be_written(home):
    """The key is as it was then, for the server would not be told of another one before its next start."""
    home.mkdir(parents=True)
    (home / 'settings.lock').mkdir()
    assert 'settings.ini cannot be written' in one_sentence(set_key(home, KEY, *FILE, code=1).stderr)
    assert run('key', 'show', *FILE, home=home).returncode == 1 and not (home / 'api-key').exists()
    (home / 'settings.lock').rmdir()
    set_key(home, KEY, *FILE)
    (home / 'settings.lock').unlink()
    (home / 'settings.lock').mkdir()
    one_sentence(set_key(home, OTHER, *FILE, code=1).stderr)
    assert run('key', 'show', *FILE, home=home).stdout.decode() == KEY + '\n'


def test_commands_know_the_key(home, tmp_path):
    set_key(home, KEY, *FILE)
    (home / 'settings.ini').write_text("[veil]\nrequire-api-key=true\nsession-store='file'\n")
    veil = Veil(home.parent, '--sandbox')
    done = run('test', 'hello', home=home)
    assert done.returncode == 0 and 'verified' in done.stdout.decode()
    assert b'1 verified' in run('status', home=home).stdout
    lines = run('env', home=home).stdout.decode()
    assert KEY not in lines and 'key show' in lines
    (tmp_path / 'og-veil').symlink_to(OG_VEIL)
    shell = subprocess.run(['sh', '-c', lines + 'printf %s "$OPENAI_API_KEY"'], capture_output=True, timeout=DEADLINE,
                           env=environment(PATH='%s:%s' % (tmp_path, os.environ['PATH'])))
    assert shell.stdout.decode() == KEY, shell
    veil.stop()


def test_keyring(home, tmp_path):
    bus = Bus(tmp_path / 'bus')
    try:
        set_key(home, KEY, env=bus.env)
        assert not (home / 'api-key').exists() and bus.items() == 0, 'it is not taken for a session'
        assert run('key', 'show', home=home, env=bus.env).stdout.decode() == KEY + '\n'
        veil = Veil(home.parent, '--sandbox', env=bus.env)
        assert asked(veil) == 401 and asked(veil, KEY) == 200
        set_key(home, OTHER, env=bus.env)
        wait_until(lambda: asked(veil, OTHER) == 200, what='the other key to be taken up')
        assert asked(veil, KEY) == 401
        veil.stop()
        assert run('key', 'clear', home=home, env=bus.env).returncode == 0
        done = run('key', 'show', home=home, env=bus.env)
        assert done.returncode == 1 and 'no API key' in one_sentence(done.stderr)
        assert all(KEY.encode() not in p.read_bytes() for p in home.rglob('*') if p.is_file())
    finally:
        bus.stop()


def test_keyring_that_cannot_be_had(home):
    nobody = {'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent'}
    done = set_key(home, KEY, env=nobody, code=1)
    assert '--session-store file' in one_sentence(done.stderr) and not (home / 'settings.ini').exists(), 'a key that is not kept is not required'
    home.mkdir(parents=True, exist_ok=True)
    (home / 'settings.ini').write_text('[veil]\nrequire-api-key=true\n')
    done = run('serve', '-f', '--sandbox', '--port', '0', home=home, env=nobody)
    said = one_sentence(done.stderr)
    assert done.returncode == 1 and done.stdout == b'' and 'keyring' in said
    assert 'API key' in said and 'OG_VEIL_API_KEY' in said and 'session in' not in said, 'it is not the session that is missing'


def test_required_while_it_runs_and_there_is_none(home):
    """Nobody is let in rather than everybody."""
    veil = Veil(home.parent, '--sandbox', *FILE)
    assert asked(veil) == 200
    (home / 'settings.ini').write_text('[veil]\nrequire-api-key=true\n')
    wait_until(lambda: asked(veil) == 401, what='the requirement to be taken up')
    wait_until(lambda: b'og-veil key set' in veil.stderr(), what='the complaint')
    set_key(home, KEY, *FILE)
    wait_until(lambda: asked(veil, KEY) == 200, what='the key to be taken up')
    veil.stop()


def test_required_and_there_is_none(home):
    home.mkdir(parents=True)
    (home / 'settings.ini').write_text('[veil]\nrequire-api-key=true\n')
    done = run('serve', '-f', '--sandbox', '--port', '0', *FILE, home=home)
    assert done.returncode != 0 and '`og-veil key set`' in one_sentence(done.stderr)


def test_variable_wins(home):
    set_key(home, KEY, *FILE)
    veil = Veil(home.parent, '--sandbox', *FILE, env={'OG_VEIL_API_KEY': OTHER})
    assert asked(veil, KEY) == 401 and asked(veil, OTHER) == 200
    veil.stop()


def test_open_address_keeps_its_key(home):
    """An endpoint that others can reach does not lose it, whatever the settings say."""
    set_key(home, KEY, *FILE)
    veil = Veil(home.parent, '--sandbox', *FILE, '--host', '0.0.0.0')
    veil.host = '127.0.0.1'
    assert asked(veil) == 401 and asked(veil, KEY) == 200
    assert run('key', 'clear', *FILE, home=home).returncode == 0
    wait_until(lambda: b'stays required' in veil.stderr(), what='the complaint')
    assert asked(veil) == 401 and asked(veil, KEY) == 200
    veil.stop()


@pytest.mark.parametrize('text', ['', '\n', 'short\n', 'with a space\n', 'ümlaut-key\n', 'x' * 4097 + '\n'], ids=['nothing', 'empty', 'short', 'space', 'letters', 'long'])
def test_keys_that_do_not_do(home, text):
    done = run('key', 'set', *FILE, input=text.encode(), home=home)
    assert done.returncode == 2 and done.stdout == b'' and 'nothing is changed' in one_sentence(done.stderr)
    assert not (home / 'api-key').exists() and not (home / 'settings.ini').exists()


@pytest.mark.parametrize('damage', ['mode', 'link', 'folder', 'content', 'nul'])
def test_file_that_does_not_do(home, tmp_path, damage):
    set_key(home, KEY, *FILE)
    path = home / 'api-key'
    if damage == 'mode':
        path.chmod(0o640)
    elif damage == 'content':
        path.write_text('a b')
    elif damage == 'nul':
        path.write_bytes(KEY.encode() + b'\0more')
    else:
        path.rename(tmp_path / 'elsewhere')
        path.symlink_to(tmp_path / 'elsewhere') if damage == 'link' else path.mkdir()
    for args in (['key', 'show'], ['serve', '-f', '--sandbox', '--port', '0']):
        done = run(*args, *FILE, home=home)
        assert done.returncode == 1 and done.stdout == b'' and KEY.encode() not in done.stderr
        one_sentence(done.stderr)


def test_terminal(home):
    """The key is typed unseen."""
    master, slave = pty.openpty()
    process = subprocess.Popen([OG_VEIL, 'key', 'set', *FILE, '--home', str(home)], stdin=slave, stdout=slave, stderr=slave, env=environment(),
                               start_new_session=True)
    shown = b''
    while b'API key' not in shown:
        assert select.select([master], [], [], DEADLINE)[0], shown
        shown += os.read(master, 4096)
    os.write(master, KEY.encode() + b'\r')
    assert process.wait(DEADLINE) == 0
    while select.select([master], [], [], 0)[0]:
        shown += os.read(master, 4096)
    os.close(master)
    os.close(slave)
    assert KEY.encode() not in shown and b'from now on' in shown and (home / 'api-key').read_text() == KEY


@pytest.mark.parametrize('arguments', [['key'], ['key', 'set', KEY], ['key', 'get'], ['key', 'clear', 'x']], ids=' '.join)
def test_bad_usage(home, arguments):
    done = run(*arguments, home=home)
    assert done.returncode == 2 and done.stdout == b'' and not home.exists()
    one_sentence(done.stderr)


@pytest.mark.parametrize('key', [None, KEY])
def test_command_to_try(tmp_path, key):
    """What a server on the sandbox prints works as it is, also where it wants a key, which it does not print."""
    given = {'OG_VEIL_API_KEY': key} if key else {}
    veil = Veil(tmp_path, '--sandbox', env=given)
    wait_until(lambda: b"}]}'\n" in veil.stderr(), what='the command')
    command = veil.stderr().decode().split('Try it:\n\n')[1].split('\n\n')[0]
    assert command.startswith('curl ') and KEY not in command
    done = subprocess.run(['sh', '-c', command], capture_output=True, timeout=DEADLINE, env=environment(**given))
    assert done.returncode == 0 and json.loads(done.stdout)['opengradient_verification']['sandbox'] is True, done
    veil.stop()

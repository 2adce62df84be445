# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Flags over environment over settings file over default, for each setting: what the program does tells which value counts."""

import contextlib
import json
import re
import stat
import subprocess

import pytest
from commands import options
from program import DEADLINE, OG_VEIL, PeerVeil, environment, run, sign_in
from test_cli import BUNDLE, one_sentence
from veil_peer import Peer, answers

IDS = ['0x' + '%02x' % n * 32 for n in range(1, 4)]
NO_BUS = {'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent'}


@pytest.fixture
def own():
    with Peer() as running:
        yield running


# What each value does, seen from outside: (home, flags, environment, peer) -> the value that counted.


def seen_home(home, flags, env, peer):
    """Where the settings file is made."""
    data = home.parent / 'data'
    done = run('pin', 'add', IDS[0], *flags, env={'XDG_DATA_HOME': str(data), **env})
    assert done.returncode == 0, done.stderr
    [path] = home.parent.rglob('settings.ini')
    path.unlink()
    return str(path.parent)


def address(home, flags, env):
    done = run('env', *flags, home=home, env=env)
    assert done.returncode == 0, done.stderr
    return re.search(r'=http://(\S+):(\d+)/v1', done.stdout.decode()).groups()


def seen_host(home, flags, env, peer):
    return address(home, flags, env)[0]


def seen_port(home, flags, env, peer):
    return address(home, flags, env)[1]


def listing(home, flags, env, peer):
    if not (home / 'session.json').exists():
        sign_in(home, peer.bundle())
    done = run('tees', '--json', *flags, '--session-store', 'file', home=home, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)['tees']


def seen_tee_id(home, flags, env, peer):
    return next((tee['tee_id'] for tee in listing(home, flags, env, peer) if tee['selected']), 'auto')


def seen_pcr(home, flags, env, peer):
    return next((tee['pcr_hash'] for tee in listing(home, flags, env, peer) if tee['pinned']), None)


def seen_app_url(home, flags, env, peer):
    """From the address of the sign-in page."""
    process = subprocess.Popen([OG_VEIL, 'login', '--no-browser', '--home', str(home), *flags, '--session-store', 'file'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=environment(**env))
    line = process.stdout.readline().decode()
    process.kill()
    process.wait(DEADLINE)
    process.stdout.close()
    return line.split('/cli-auth')[0]


def seen_store(home, flags, env, peer):
    """Where a session is kept; there is no keyring here, so that is told by its error."""
    done = run('login', '--manual', *flags, input=json.dumps(BUNDLE).encode(), home=home, env={**NO_BUS, **env})
    path = home / 'session.json'
    if path.exists():
        path.unlink()
        return 'file'
    assert done.returncode == 1 and b'keyring' in done.stderr, done
    return 'keyring'


@contextlib.contextmanager
def serving(home, flags, env, peer):
    veil = PeerVeil(home.parent / 'served', peer, *flags, env=env)
    yield veil
    veil.stop()


def place_settings(home):
    """A server has its home in a folder of its own."""
    target = home.parent / 'served' / 'home'
    target.mkdir(parents=True, exist_ok=True)
    (target / 'settings.ini').unlink(missing_ok=True)
    if (home / 'settings.ini').exists():
        (target / 'settings.ini').write_text((home / 'settings.ini').read_text())


def seen_refresh(home, flags, env, peer):
    """With one second the registry is read again by itself."""
    place_settings(home)
    with serving(home, flags, env, peer) as veil:
        assert veil.ask('x', 'x').status == 200
        calls = len(peer.rpc_calls)
        return '1' if peer.wait(lambda: len(peer.rpc_calls) >= calls + 2, seconds(peer)) else 'longer'


def seconds(peer):
    """How long to wait for what happens after one second: short only where it is not to happen."""
    return DEADLINE if peer.expected == '1' else 2.5


def slowly(ex):
    if not ex.http.wait_hang_up(seconds(ex.peer)):
        answers.honest(ex)


def seen_patience(home, flags, env, peer):
    """With one second an answer that takes longer is given up."""
    place_settings(home)
    peer.handlers['slow'] = slowly
    with serving(home, flags, env, peer) as veil:
        return '1' if veil.ask('slow', 'x').status == 504 else 'longer'


def text(value):
    return "'%s'" % value


def plain(value):
    return value


def pin(value):
    return "[('%s', 'label')]" % value


class Row:
    def __init__(self, flag, variable, key, seen, values, default, quote=plain, bad=(), bad_saved=()):
        self.flag, self.variable, self.key, self.seen = flag, variable, key, seen
        self.values, self.default, self.quote, self.bad, self.bad_saved = values, default, quote, bad, bad_saved


# values: for flag, environment and file, in an order that tells each from the next; callables get the peer.
ROWS = {row.variable: row for row in [
    Row('home', 'OG_VEIL_HOME', None, seen_home, None, None, bad=['']),
    Row('host', 'OG_VEIL_HOST', 'host', seen_host, ['127.0.0.2', 'localhost', '127.0.0.3'], '127.0.0.1', text, ['example.org', '', '127.0.0.1:80'], ["'example.org'", '7', '']),
    Row('port', 'OG_VEIL_PORT', 'port', seen_port, ['1003', '1002', '1001'], '11434', plain, ['x', '', '-1', '65536', '80x', '0x50', '1e3', ' 80'], ['65536', "'80'", '-1', '']),
    Row('tee-id', 'OG_VEIL_TEE_ID', 'tee-id', seen_tee_id, [lambda peer, n=n: peer.enclaves[n].tee_id for n in (0, 1, 2)], 'auto', text, ['any', '', '0x' + 'a' * 63, 'g' * 64], ["'any'", '0']),
    Row('expected-pcr', 'OG_VEIL_EXPECTED_PCR_HASH', 'pcr-pins', seen_pcr, [lambda peer, n=n: '0x' + peer.enclaves[n].pcr_hash.hex() for n in (0, 1, 2)], None, pin,
        ['any', '', 'a' * 63, IDS[0] + 'zz'], ["[('any', '')]", "['%s']" % IDS[0], 'any']),
    Row('app-url', 'OG_VEIL_APP_URL', 'app-url', seen_app_url, ['https://flag.test', 'https://variable.test', 'https://file.test'], 'https://chat.opengradient.ai', text,
        ['http://flag.test', 'flag.test', '', 'https://x@flag.test', 'https://flag.test/?q', 'javascript:x'], ["'http://flag.test'", 'flag']),
    Row('refresh-interval', 'OG_VEIL_TEE_REFRESH_INTERVAL', 'refresh-interval', seen_refresh, ['1', '0', '1'], 'longer', plain, ['-1', '', 'often', '604801', '1s'], ['604801', "'1'"]),
    Row('answer-timeout', 'OG_VEIL_ANSWER_TIMEOUT', 'answer-timeout', seen_patience, ['1', '600', '1'], 'longer', plain, ['-1', '', 'long', '3601'], ['3601', "'1'"]),
    Row('session-store', 'OG_VEIL_SESSION_STORE', 'session-store', seen_store, ['file', 'keyring', 'file'], 'keyring', text, ['cloud', '', 'File'], ["'cloud'", 'file']),
]}
# Which commands say no to a bad value; serve takes all of them.
SERVE = ['serve', '-f']


@pytest.mark.parametrize('row', [row for row in ROWS.values() if row.key], ids=lambda row: row.flag)
def test_order(row, own, tmp_path):
    """Each value beats those after it, and is what counts once those before it are gone."""
    home = tmp_path / 'home'
    home.mkdir()
    flag, variable, saved = [value(own) if callable(value) else value for value in row.values]
    path = home / 'settings.ini'
    path.write_text('[veil]\n%s=%s\n' % (row.key, row.quote(saved)))
    flags, env = ['--' + row.flag, flag], {row.variable: variable}

    def check(given, variables, expected):
        own.expected = {'0': 'longer', '600': 'longer'}.get(expected, expected)
        assert row.seen(home, given, variables, own) == own.expected

    check(flags, env, flag)
    check(flags, {}, flag)
    check([], env, variable)
    check([], {row.variable: ''}, saved)  # an empty variable says nothing
    check([], {}, saved)
    path.unlink()
    check([], env, variable)
    check([], {}, row.default)


def test_home(tmp_path):
    places = [str(tmp_path / name) for name in ('flag', 'variable')]
    home = tmp_path / 'unused'
    flags, env = ['--home', places[0]], {'OG_VEIL_HOME': places[1]}
    assert seen_home(home, flags, env, None) == places[0]
    assert seen_home(home, flags, {}, None) == places[0]
    assert seen_home(home, [], env, None) == places[1]
    assert seen_home(home, [], {}, None) == str(tmp_path / 'data' / 'veil')


def test_last_flag_counts_and_pins_add_up(own, tmp_path):
    assert seen_port(tmp_path, ['--port', '1', '--port', '2'], {}, own) == '2'
    pcrs = ['0x' + enclave.pcr_hash.hex() for enclave in own.enclaves]
    for flags, env in ((['--expected-pcr', pcrs[0], '--expected-pcr', pcrs[2]], {}), ([], {'OG_VEIL_EXPECTED_PCR_HASH': '%s, %s' % (pcrs[0].upper().replace('0X', ''), pcrs[2])})):
        found = listing(tmp_path, flags, env, own)
        assert [tee['pinned'] for tee in found] == [tee['pcr_hash'] in (pcrs[0], pcrs[2]) for tee in found] and any(tee['pinned'] for tee in found)


@pytest.mark.parametrize('row', ROWS.values(), ids=lambda row: row.flag)
def test_bad_values_are_refused_by_name(row, tmp_path):
    """With the reason, and without starting; an empty variable is none."""
    good = {'tee-id': IDS[0]}.get(row.flag)
    for bad in row.bad:
        done = run(*SERVE, '--' + row.flag, bad, env={'OG_VEIL_HOME': str(tmp_path)})
        assert done.returncode == 2 and done.stdout == b'', (bad, done)
        assert re.match(r'og-veil: --%s must \w' % row.flag, one_sentence(done.stderr)), (bad, done.stderr)
        if bad and row.key:
            done = run(*SERVE, env={row.variable: bad}, home=tmp_path)
            assert done.returncode == 2 and re.match(r'og-veil: %s must \w' % row.variable, one_sentence(done.stderr)), (bad, done.stderr)
    for bad in row.bad_saved:
        path = tmp_path / 'settings.ini'
        path.write_text('[veil]\n%s=%s\n' % (row.key, bad))
        # Whether a flag says something better or not.
        for flags in ([], ['--' + row.flag, good] if good else []):
            done = run(*SERVE, *flags, home=tmp_path)
            error = one_sentence(done.stderr)
            assert done.returncode == 1 and error.startswith('og-veil: %s in %s ' % (row.key, path)), (bad, error)
        path.unlink()


def test_api_key_comes_from_the_environment_alone(tmp_path):
    """Arguments are visible to other processes, and the settings file is no place for secrets."""
    key = 'a-key-of-some-length'
    assert run(*SERVE, '--api-key', key, home=tmp_path).returncode == 2
    (tmp_path / 'settings.ini').write_text("[veil]\napi-key='%s'\n" % key)
    done = run(*SERVE, home=tmp_path)
    assert done.returncode == 1 and 'api-key' in one_sentence(done.stderr) and key.encode() not in done.stderr
    for bad in ('short', 'with a space in it', 'ümlaut-ümlaut'):
        done = run(*SERVE, env={'OG_VEIL_API_KEY': bad}, home=tmp_path / 'other')
        error = one_sentence(done.stderr)
        assert done.returncode == 2 and error.startswith('og-veil: OG_VEIL_API_KEY cannot be used: An API key ') and bad not in error


def test_every_setting_is_here():
    """The rows of this test are the settings that `serve` takes, and those of the schema."""
    taken = {name for name in options('serve') if name in {row.flag for row in ROWS.values()} or options('serve')[name][1]}
    assert taken == {row.flag for row in ROWS.values()}


def test_redaction_is_not_offered(tmp_path):
    """Until it works, nothing pretends that it does."""
    assert run(*SERVE, '--pii-scrub', home=tmp_path).returncode == 2
    (tmp_path / 'settings.ini').write_text('[veil]\npii-scrub=true\n')
    assert 'pii-scrub' in one_sentence(run(*SERVE, home=tmp_path).stderr)
    assert 'pii' not in ''.join(str(options(command)) for command in ('serve', 'test', 'env')).lower()


@pytest.mark.parametrize('mode', [0o600, 0o640, 0o644])
def test_file_stays_readable(tmp_path, mode):
    """What the person wrote stays: comments, order, spelling, mode."""
    before = "# my settings\n\n[veil]\n# why this port\nport=12345\n\n# whom to trust\npcr-pins=[('%s', 'mine')]\n# the end\nhost='localhost'\n" % IDS[0]
    path = tmp_path / 'settings.ini'
    path.write_text(before)
    path.chmod(mode)
    assert run('pin', 'add', IDS[1], home=tmp_path).returncode == 0
    assert path.read_text() == before.replace("'mine')]", "'mine'), ('%s', '')]" % IDS[1])
    assert run('tees', 'select', IDS[2], home=tmp_path).returncode == 0
    assert path.read_text() == before.replace("'mine')]", "'mine'), ('%s', '')]" % IDS[1]) + "tee-id='%s'\n" % IDS[2]
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_unknown_key_is_named_and_kept(tmp_path):
    """A key that is misspelt must not pass for one that is not there; nor is it thrown away."""
    path = tmp_path / 'settings.ini'
    path.write_text("[veil]\npcr-pin=[('%s', '')]\nport=1\n" % IDS[0])
    before = path.read_text()
    done = run('pin', 'add', IDS[1], home=tmp_path)
    assert done.returncode == 1 and '"pcr-pin"' in one_sentence(done.stderr) and path.read_text() == before


def test_patience_follows_the_file(own, tmp_path):
    own.handlers['slow'] = slowly
    veil = PeerVeil(tmp_path, own)
    path = tmp_path / 'home' / 'settings.ini'
    path.write_text('[veil]\nanswer-timeout=1\n')
    own.expected = '1'
    assert veil.ask('slow', 'x').status == 504
    path.write_text('# another file\n[veil]\nanswer-timeout=60\n')
    own.expected = 'longer'
    assert veil.ask('slow', 'x').status == 200
    veil.stop()

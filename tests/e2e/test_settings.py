# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The settings file, `og-veil pin` and `og-veil tees`: what they change counts from the next request of a running server on."""

import concurrent.futures
import json
import os
import resource
import stat

import pytest
from program import OG_VEIL, PeerVeil, Veil, complete, environment, processes, run, sign_in, wait_until
from veil_peer import Peer, abi

ABSENT = 'aa' * 32


@pytest.fixture
def own():
    with Peer() as running:
        yield running


def pcr(enclave):
    return '0x' + enclave.pcr_hash.hex()


def start(tmp_path, peer, *args, **kwargs):
    return PeerVeil(tmp_path / 'veil', peer, *args, **kwargs)


def command(veil, *args):
    done = run(*args, home=veil.home / 'home')
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def settings_path(veil):
    return veil.home / 'home' / 'settings.ini'


def asked(veil, model='x'):
    """Whom the next request goes to."""
    reply = veil.ask(model, 'x')
    assert reply.status == 200, reply.body
    return reply.header('X-OpenGradient-TEE-Id')


def refused(veil):
    reply = veil.ask('x', 'x')
    assert reply.status == 503, (reply.status, reply.body)
    return reply.error


def test_pins_count_from_the_next_request_on(own, tmp_path):
    veil = start(tmp_path, own)
    first = asked(veil)
    for enclave in own.enclaves + own.enclaves[::-1]:
        command(veil, 'pin', 'add', pcr(enclave).upper().replace('0X', ''))
        for other in own.enclaves:
            if other is not enclave and pcr(other) in command(veil, 'pin', 'list'):
                command(veil, 'pin', 'remove', pcr(other))
        assert asked(veil) == enclave.tee_id == veil.health()['active_tee_id']
    command(veil, 'pin', 'remove', pcr(own.enclaves[0]))
    assert asked(veil) == own.enclaves[0].tee_id, 'without pins, the choice is kept'
    assert first in {e.tee_id for e in own.enclaves} and len(own.rpc_calls) == 1, 'no pin needs the registry'
    veil.stop()


def test_pin_that_none_matches_and_back(own, tmp_path):
    veil = start(tmp_path, own)
    asked(veil)
    command(veil, 'pin', 'add', ABSENT)
    seen = len(own.exchanges)
    error = refused(veil)
    assert error['code'] == 'pin_mismatch' and 'pin' in error['message'] and len(own.exchanges) == seen
    assert veil.health()['status'] == 'no_tee'
    command(veil, 'pin', 'add', pcr(own.enclaves[1]))
    assert asked(veil) == own.enclaves[1].tee_id, 'several pins: any of them'
    command(veil, 'pin', 'remove', pcr(own.enclaves[1]))
    assert refused(veil)['code'] == 'pin_mismatch'
    command(veil, 'pin', 'remove', ABSENT)
    asked(veil)
    veil.stop()


def test_unpinned_tee_is_not_used_in_failover(own, tmp_path):
    """The second try goes to the other pinned TEE, and where there is none there is no second try."""
    veil = start(tmp_path, own)
    a, b, c = own.enclaves
    command(veil, 'pin', 'add', pcr(a))
    command(veil, 'pin', 'add', pcr(b))
    own.handlers['down'] = lambda ex: ex.http.respond(503, b'{}')
    for _ in range(6):
        assert veil.ask('down', 'x').status in (502, 503, 504)
    assert {ex.enclave for ex in own.seen('down')} == {a, b} and len(own.seen('down')) == 12
    command(veil, 'pin', 'remove', pcr(b))
    own.handlers['alone'] = own.handlers['down']
    assert veil.ask('alone', 'x').status in (502, 503, 504)
    assert [ex.enclave for ex in own.seen('alone')] == [a]
    veil.stop()


def test_pins_of_the_moment_count_for_the_second_try(own, tmp_path):
    """A request that runs while the pins change does not take its second try to an enclave that is no longer pinned."""
    veil = start(tmp_path, own)
    path = settings_path(veil)

    def lose(ex):
        path.write_text("[veil]\npcr-pins=[('%s', '')]\n" % ABSENT)
        ex.http.respond(503, b'{}')

    own.handlers['lose'] = lose
    for n in range(1, 4):
        path.write_text('[veil]\npcr-pins=[%s]\n' % ', '.join("('%s', '')" % pcr(enclave) for enclave in own.enclaves))
        assert veil.ask('lose', 'x').status in (502, 503, 504)
        assert len(own.seen('lose')) == n
    veil.stop()


def test_selecting_live(own, tmp_path):
    veil = start(tmp_path, own)
    for enclave in own.enclaves + own.enclaves[:1]:
        command(veil, 'tees', 'select', enclave.tee_id[2:].upper())
        assert asked(veil) == enclave.tee_id
    command(veil, 'tees', 'select', ABSENT)
    error = refused(veil)
    assert error['code'] == 'pinned_tee_inactive' and '0x' + ABSENT in error['message'] and 'not active' in error['message']
    command(veil, 'tees', 'select', 'auto')
    assert asked(veil)
    veil.stop()


def test_selected_tee_that_becomes_inactive(own, tmp_path):
    veil = start(tmp_path, own, '--refresh-interval', '1')
    command(veil, 'tees', 'select', own.enclaves[0].tee_id)
    assert asked(veil) == own.enclaves[0].tee_id
    own.active = own.enclaves[1:]
    wait_until(lambda: veil.ask('x', 'x').status == 503, what='the refresh to see that it is gone')
    assert refused(veil)['code'] == 'pinned_tee_inactive'
    own.active = own.enclaves
    wait_until(lambda: veil.ask('x', 'x').status == 200, what='the refresh to see that it is back')
    assert asked(veil) == own.enclaves[0].tee_id
    veil.stop()


def test_settings_file_by_hand(own, tmp_path):
    """Written by an editor: in place, or as another file under the name."""
    veil = start(tmp_path, own)
    path = settings_path(veil)
    asked(veil)
    for i, enclave in enumerate(own.enclaves * 2):
        text = "# mine\n[veil]\ntee-id='%s'\n" % enclave.tee_id if i % 2 else "[veil]\npcr-pins=[('%s', 'by hand')]\n" % pcr(enclave)
        if i < 3:
            path.write_text(text)
        else:
            (path.parent / 'new').write_text(text)
            os.replace(path.parent / 'new', path)
        assert asked(veil) == enclave.tee_id
    veil.stop()


@pytest.mark.parametrize('damage', [b'', b'[veil', b'[veil]\npcr-pins=[(', b'[veil]\ntee-id=nonsense\n', b"[veil]\ntee-id='zz'\n", b'[veil]\npcr-pin=[]\n', b'[viel]\n',
                                    b'\0\xff', b'port=1\n', None], ids=repr)
def test_damage_leaves_a_running_server_as_it_was(own, tmp_path, damage):
    """A pin must not be lost because a file is cut short or gone."""
    veil = start(tmp_path, own)
    command(veil, 'pin', 'add', pcr(own.enclaves[2]), '--label', 'kept')
    assert asked(veil) == own.enclaves[2].tee_id
    path = settings_path(veil)
    good = path.read_bytes()
    if damage is None:
        os.unlink(path)
    else:
        # At once: a look between the emptying and the writing is of another damage, and rightly told of too.
        (path.parent / 'new').write_bytes(damage)
        os.replace(path.parent / 'new', path)
    for _ in range(4):
        assert asked(veil) == own.enclaves[2].tee_id
    assert veil.stderr().decode().count('the settings stay as they were') == 1
    if damage:
        done = run('pin', 'add', ABSENT, home=veil.home / 'home')
        assert done.returncode == 1 and str(path) in done.stderr.decode() and path.read_bytes() == damage, 'nothing is written over it'
        assert len(done.stderr.decode().splitlines()) == 1
    path.write_bytes(good.replace(pcr(own.enclaves[2]).encode(), pcr(own.enclaves[1]).encode()))
    assert asked(veil) == own.enclaves[1].tee_id
    veil.stop()


@pytest.mark.parametrize('text', ['[veil]\nport=70000\n', '[veil]\nport=-1\n', "[veil]\nport='80'\n", "[veil]\nhost='not an address'\n", '[veil]\nrefresh-interval=604801\n',
                                  '[veil]\nanswer-timeout=3601\n', "[veil]\nsession-store='cloud'\n", "[veil]\npcr-pins=[('12', '')]\n", "[veil]\npcr-pins=['%s']\n" % ABSENT,
                                  '[veil]\nrequire-api-key=maybe\n', '[veil]\nunknown=1\n', '[other]\nport=1\n', 'text\n', '[veil]\nport=1\n' + '#' * (1 << 20),
                                  "[veil]\npcr-pins=[('%s', '')]\n pcr-pins = []\n" % ABSENT, "[veil]\nport=1\n[veil]\nport=2\n", "[veil]\npcr-pins[de]=[('%s', '')]\n" % ABSENT],
                         ids=range(17))
def test_bad_file_is_an_error(tmp_path, text):
    """Each command says which file, and what in it; none goes on with half of the settings."""
    (tmp_path / 'settings.ini').write_text(text)
    for arguments in (['env'], ['pin', 'list'], ['tees', 'select', 'auto'], ['serve', '-f', '--port', '0', '--host', '127.0.0.1']):
        done = run(*arguments, home=tmp_path)
        lines = done.stderr.decode().splitlines()
        assert done.returncode == 1 and done.stdout == b'' and len(lines) == 1 and str(tmp_path / 'settings.ini') in lines[0], done
    assert (tmp_path / 'settings.ini').read_text() == text


def test_file_that_is_none(tmp_path):
    os.mkfifo(tmp_path / 'settings.ini')
    assert run('env', home=tmp_path).returncode == 1


def test_link_that_leads_nowhere(tmp_path):
    """Perhaps to a volume that is not there yet: what it says must not count as nothing, nor be written over."""
    (tmp_path / 'settings.ini').symlink_to(tmp_path / 'elsewhere' / 'settings.ini')
    for arguments in (['env'], ['pin', 'list'], ['pin', 'add', ABSENT], ['serve', '-f', '--port', '0']):
        done = run(*arguments, home=tmp_path)
        assert done.returncode == 1 and done.stdout == b'' and str(tmp_path / 'settings.ini') in done.stderr.decode(), done
    assert (tmp_path / 'settings.ini').is_symlink()


def test_file_full_of_pins(tmp_path):
    """As large as a file may be; a running server reads it between two requests."""
    def seconds(count):
        (tmp_path / 'settings.ini').write_text('[veil]\npcr-pins=[%s]\n' % ', '.join("('%064x','')" % n for n in range(count)))
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        assert run('env', home=tmp_path).returncode == 0
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before

    few, many = seconds(3500), seconds(14000)
    assert many < max(2, 8 * few), 'four times as many take four times as long, in a slow build too'


@pytest.mark.parametrize('schema_dir', [True, False], ids=['with ours', 'with none'])
def test_without_the_schemas_of_the_system(tmp_path, schema_dir):
    """XDG_DATA_DIRS may name folders that hold none; what GIO loads to find proxies must not end the program."""
    env = environment(XDG_DATA_DIRS='/nonexistent')
    env.pop('GIO_USE_PROXY_RESOLVER', None)
    if not schema_dir:
        env.pop('GSETTINGS_SCHEMA_DIR', None)
    for arguments in (['tees', '--session-store', 'file'], ['test', '--port', '1', 'x']):
        done = complete([OG_VEIL, *arguments, '--home', str(tmp_path)], env=env)
        assert done.returncode == 1 and len(done.stderr.decode().splitlines()) == 1, done


def test_serving_without_the_schemas_of_the_system(tmp_path):
    program = tmp_path / 'og-veil'
    program.write_text('#!/bin/sh\nunset GIO_USE_PROXY_RESOLVER\nexec "%s" "$@"\n' % OG_VEIL)
    program.chmod(0o755)

    class Bare(Veil):
        pass

    Bare.program = str(program)
    veil = Bare(tmp_path / 'veil', '--sandbox', env={'XDG_DATA_DIRS': '/nonexistent'})
    assert veil.ask('gpt-4.1', 'x').status == 200
    veil.stop()


def test_flags_over_environment_over_file(tmp_path):
    (tmp_path / 'settings.ini').write_text("[veil]\nport=1001\nhost='::1'\n")
    assert b'http://[::1]:1001/v1' in run('env', home=tmp_path).stdout
    assert b'http://[::1]:1002/v1' in run('env', home=tmp_path, env={'OG_VEIL_PORT': '1002'}).stdout
    assert b'http://[::1]:1003/v1' in run('env', '--port', '1003', home=tmp_path, env={'OG_VEIL_PORT': '1002'}).stdout


def test_flags_win_over_later_changes(own, tmp_path):
    """What was said at the start of the server is not undone by the file."""
    veil = start(tmp_path, own, '--tee-id', own.enclaves[0].tee_id, env={'OG_VEIL_EXPECTED_PCR_HASH': pcr(own.enclaves[0])})
    command(veil, 'tees', 'select', own.enclaves[1].tee_id)
    command(veil, 'pin', 'add', pcr(own.enclaves[1]))
    assert asked(veil) == own.enclaves[0].tee_id
    veil.stop()


def test_refresh_interval_live(own, tmp_path):
    veil = start(tmp_path, own, '--session-store', 'file')
    asked(veil)
    calls = len(own.rpc_calls)
    settings_path(veil).write_text('[veil]\nrefresh-interval=1\n')
    asked(veil)
    assert own.wait(lambda: len(own.rpc_calls) >= calls + 2), 'the registry is not read at the new interval'
    veil.stop()


def test_required_key(tmp_path):
    home = tmp_path / 'home'
    home.mkdir()
    (home / 'settings.ini').write_text('[veil]\nrequire-api-key=true\n')
    done = run('serve', '-f', '--port', '0', home=home)
    said = done.stderr.decode().splitlines()[-1]
    assert done.returncode != 0 and 'API key' in said and 'OG_VEIL_API_KEY' in said, said
    veil = Veil(tmp_path, '--sandbox', env={'OG_VEIL_API_KEY': 'right-key'})
    assert veil.ask('gpt-4.1', 'x').status == 401
    assert veil.ask('gpt-4.1', 'x', {'Authorization': 'Bearer right-key'}).status == 200
    veil.stop()


def test_pin_command(tmp_path):
    def listed():
        return json.loads(run('pin', 'list', '--json', home=tmp_path).stdout)
    hashes = ['%02x' % n * 32 for n in range(3)]
    assert listed() == []
    assert run('pin', 'add', hashes[0], '--label', 'ä “quoted” \\ [x] = \'y\'', home=tmp_path).returncode == 0
    assert run('pin', 'add', '0x' + hashes[1].upper(), home=tmp_path).returncode == 0
    assert run('pin', 'add', hashes[0].upper(), home=tmp_path).returncode == 0, 'again, without a label'
    assert listed() == [{'pcr_hash': '0x' + hashes[0], 'label': 'ä “quoted” \\ [x] = \'y\''}, {'pcr_hash': '0x' + hashes[1], 'label': ''}]
    assert run('pin', 'add', hashes[1], '--label', 'second', home=tmp_path).returncode == 0
    assert run('pin', 'list', home=tmp_path).stdout.decode().splitlines()[1] == '0x%s  second' % hashes[1]
    done = run('pin', 'remove', hashes[2], home=tmp_path)
    assert done.returncode == 1 and b'not pinned' in done.stderr
    assert b'no build is pinned' not in run('pin', 'remove', hashes[0], home=tmp_path).stdout
    assert b'no build is pinned' in run('pin', 'remove', hashes[1], home=tmp_path).stdout
    assert listed() == []
    assert stat.S_IMODE((tmp_path / 'settings.ini').stat().st_mode) == 0o600


@pytest.mark.parametrize('arguments', [['pin'], ['pin', 'add'], ['pin', 'add', '12'], ['pin', 'add', 'z' * 64], ['pin', 'remove', ''], ['pin', 'list', 'x'], ['pin', 'add', ABSENT, 'x'],
                                       ['pin', 'swap', ABSENT], ['pin', 'list', '--label', 'x'], ['pin', 'add', ABSENT, '--json'], ['pin', 'add', ABSENT, '--label', 'a\nb'],
                                       ['pin', 'add', ABSENT, '--label', 'x' * 201], ['tees', 'select'], ['tees', 'select', 'any'], ['tees', 'choose', ABSENT],
                                       ['tees', 'select', ABSENT, 'x'], ['tees', 'select', ABSENT, '--json']], ids=lambda a: ' '.join(a)[:40])
def test_bad_usage(arguments, tmp_path):
    done = run(*arguments, home=tmp_path)
    assert done.returncode == 2 and done.stdout == b'' and len(done.stderr.decode().splitlines()) == 1
    assert not (tmp_path / 'settings.ini').exists()


def test_many_writers_lose_nothing(tmp_path):
    hashes = ['%064x' % n for n in range(24)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert {done.returncode for done in pool.map(lambda h: run('pin', 'add', h, home=tmp_path), hashes)} == {0}
    pins = json.loads(run('pin', 'list', '--json', home=tmp_path).stdout)
    assert sorted(pin['pcr_hash'] for pin in pins) == ['0x' + h for h in hashes]


def test_disk_that_does_not_take_it(tmp_path):
    """Root may write anywhere, so what stands in the way is a folder."""
    (tmp_path / 'settings.lock').mkdir()
    done = run('pin', 'add', ABSENT, home=tmp_path)
    assert done.returncode == 1 and b'cannot be written' in done.stderr


@pytest.mark.parametrize('link', [None, os.link, os.symlink], ids=['plain', 'hard link', 'link'])
def test_disk_that_is_full(tmp_path, link):
    """What could not be written has not harmed what was there: an empty file would be one without pins."""
    path, other = tmp_path / 'settings.ini', tmp_path / 'elsewhere'
    text = "# mine\n\n[veil]\n# which ones\npcr-pins=[('%s', '')]\n\nport=1\n" % ('0x' + ABSENT)
    (other if link else path).write_text(text)
    if link:
        link(other, path)
    # Python ignores the signal of this limit, and so does what it starts.
    done = complete([OG_VEIL, 'pin', 'add', 'bb' * 32, '--home', str(tmp_path)], restore_signals=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20)))
    assert done.returncode == 1 and done.stdout == b'' and b'cannot be written' in done.stderr and len(done.stderr.decode().splitlines()) == 1, done
    assert path.read_text() == text and {p.name for p in tmp_path.iterdir()} <= {'settings.ini', 'settings.lock', 'elsewhere'}
    assert run('pin', 'add', 'bb' * 32, home=tmp_path).returncode == 0
    assert path.read_text() == text.replace("'')]", "''), ('%s', '')]" % ('0x' + 'bb' * 32)), 'the rest of the file stays'
    assert path.is_symlink() == (link is os.symlink)


def test_more_pins_than_a_file_may_hold(tmp_path):
    text = '[veil]\npcr-pins=[%s]\n' % ', '.join("('0x%064x', '')" % n for n in range(13796))
    (tmp_path / 'settings.ini').write_text(text)
    done = run('pin', 'add', ABSENT, home=tmp_path)
    assert done.returncode == 1 and b'too large' in done.stderr and (tmp_path / 'settings.ini').read_text() == text


def test_tees_of_a_running_server(own, tmp_path):
    """The listing marks what is in use, selected and pinned."""
    active = abi.selector('getActiveTEEs(uint8)').hex()

    def answer(message, call):
        if call['params'][0]['data'].startswith('0x' + active):
            return own.answer_rpc(message, call, own.active_tees(call))
        error = {'jsonrpc': '2.0', 'id': call['id'], 'error': {'code': 3, 'message': 'execution reverted'}}
        return message.respond(200, json.dumps(error).encode(), [('Content-Type', 'application/json')])

    own.registry_handler = answer
    veil = start(tmp_path, own)
    command(veil, 'tees', 'select', own.enclaves[1].tee_id)
    command(veil, 'pin', 'add', pcr(own.enclaves[1]))
    assert asked(veil) == own.enclaves[1].tee_id
    text = command(veil, 'tees', '--session-store', 'file', '--port', str(veil.port))
    rows = [line for line in text.splitlines() if line.startswith('0x')]
    assert [row.endswith('  active  selected') for row in rows] == [False, True, False]
    assert [line.endswith('  pinned') for line in text.splitlines() if 'PCR' in line] == [False, True, False]
    found = json.loads(command(veil, 'tees', '--json', '--session-store', 'file', '--port', str(veil.port)))
    assert [(row['active'], row['selected'], row['pinned']) for row in found['tees']] == [(False,) * 3, (True,) * 3, (False,) * 3]
    veil.stop()


def test_versions_of_those_that_run(own, tmp_path):
    """A registry that has approved very many builds is asked for the versions of the running ones first."""
    count, version = 200, '1.2.3'
    active, listed, one = (abi.selector(call) for call in ('getActiveTEEs(uint8)', 'getApprovedPCRs()', 'approvedPCRs(uint8,bytes32)'))

    def answer(message, call):
        selector = bytes.fromhex(call['params'][0]['data'][2:10])
        if selector == active:
            return own.answer_rpc(message, call, own.active_tees(call))
        if selector == listed:
            builds = [n.to_bytes(32, 'big') for n in range(1, count)] + [own.enclaves[0].pcr_hash]
            return own.answer_rpc(message, call, abi.word(32) + abi.word(count) + b''.join(build + abi.word(0) for build in builds))
        assert selector == one
        return own.answer_rpc(message, call, abi.word(1) + abi.word(0) + abi.word(7) + abi.word(128) + abi.word(len(version)) + version.encode().ljust(32, b'\0'))

    own.registry_handler = answer
    veil = start(tmp_path, own)
    found = json.loads(command(veil, 'tees', '--json', '--session-store', 'file', '--port', str(veil.port)))
    assert [tee['version'] for tee in found['tees']] == [version] * 3
    assert len(found['builds']) == count + 2 and all(build['approved'] for build in found['builds'])
    veil.stop()


def test_what_was_chosen_in_the_sandbox_stays_there(own, tmp_path):
    """Its enclaves exist nowhere else, and no longer than it, however it ended; and pins of another network let none of them in."""
    home, store = tmp_path / 'veil' / 'home', ('--session-store', 'file')
    sign_in(home, own.bundle())
    assert run('pin', 'add', pcr(own.enclaves[1]), home=home).returncode == 0
    before = (home / 'settings.ini').read_bytes()
    for _ in range(2):
        veil = Veil(tmp_path / 'veil', '--sandbox', *store)
        asked(veil, 'gpt-4.1')
        listed = json.loads(command(veil, 'tees', '--json'))['tees']
        assert not any(tee['pinned'] or tee['selected'] for tee in listed)
        assert 'sandbox' in command(veil, 'tees', 'select', listed[2]['tee_id'])
        assert 'sandbox' in command(veil, 'pin', 'add', listed[2]['pcr_hash'], '--label', 'simulated')
        assert asked(veil, 'gpt-4.1') == listed[2]['tee_id']
        assert json.loads(command(veil, 'pin', 'list', '--json')) == [{'pcr_hash': listed[2]['pcr_hash'], 'label': 'simulated'}]
        assert [(tee['pinned'], tee['selected']) for tee in json.loads(command(veil, 'tees', '--json'))['tees']][2] == (True, True)
        assert listed[2]['pcr_hash'] in run('--complete', 'pin', '--home', str(home), 'remove', '').stdout.decode()
        veil.kill()
        wait_until(lambda: not processes(veil.token), what='the end of its helper')
        assert (home / 'settings.ini').read_bytes() == before
        veil = Veil(tmp_path / 'veil', *store)
        assert asked(veil) == own.enclaves[1].tee_id
        assert 'sandbox' not in command(veil, 'pin', 'add', pcr(own.enclaves[1]), '--label', '')
        assert json.loads(command(veil, 'pin', 'list', '--json')) == [{'pcr_hash': pcr(own.enclaves[1]), 'label': ''}]
        veil.stop()


def test_the_choice_in_the_sandbox_acts_at_once_and_is_no_other_setting(tmp_path):
    veil = Veil(tmp_path / 'veil', '--sandbox', '--tee-id', 'auto')
    path = veil.home / 'home' / 'sandbox.ini'
    command(veil, 'pin', 'add', ABSENT)
    refused(veil)
    path.write_text('[veil]\nport=1\n')
    refused(veil)
    assert b'there is no setting "port"' in veil.stderr()
    path.unlink()
    asked(veil, 'gpt-4.1')
    assert not settings_path(veil).exists()
    veil.stop()

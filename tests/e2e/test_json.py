# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What --json prints, against the schemas in docs/schema."""

import copy
import json
import pathlib
import re
import types

import jsonschema
import pytest
from commands import COMMANDS, options
from program import PeerVeil, Veil, run, sign_in
from test_attest import Network
from veil_peer import Peer, abi

DOCS = pathlib.Path(__file__).parents[2] / 'docs'
SCHEMAS = {path.name.rsplit('-', 1)[0]: json.loads(path.read_text()) for path in (DOCS / 'schema').glob('*-1.json')}
HASH = '0x' + 'ab' * 32


def validator(name):
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, resolver=jsonschema.RefResolver((DOCS / 'schema').as_uri() + '/', schema))


def members(value, path=()):
    """Paths of all members of objects in it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield path + (key,)
            yield from members(inner, path + (key,))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:3]):
            yield from members(inner, path + (index,))


def check(name, done):
    """One line that the schema takes; and the schema is no empty one: without any of its members it does not take it."""
    text = done.stdout.decode()
    assert text.endswith('\n') and text.count('\n') == 1, done
    value = json.loads(text)
    validate = validator(name)
    validate.validate(value)
    for path in members(value):
        less = copy.deepcopy(value)
        at = less
        for key in path[:-1]:
            at = at[key]
        if 'pcrs' in path[:-1]:
            continue
        del at[path[-1]]
        assert not validate.is_valid(less), 'the schema does without %s' % (path,)
        at[path[-1]] = object
        assert not validate.is_valid(less), 'the schema takes anything as %s' % (path,)
    return value


@pytest.fixture
def own():
    with Peer() as running:
        yield running


def test_each_has_a_schema():
    """The table of docs/json.md has the commands that take --json, and the schemas that are there."""
    rows = re.findall(r'(?m)^\| `og-veil ([^`]*) --json` \| \[([\w-]+)-1\.json\]\(schema/\2-1\.json\) \|$', (DOCS / 'json.md').read_text())
    assert {command.split()[0] for command, _ in rows} == {command for command in COMMANDS if 'json' in options(command)}
    assert {name for _, name in rows} | {'receipt'} == set(SCHEMAS)
    for command, name in rows:
        assert SCHEMAS[name]['title'] == 'og-veil %s --json' % command.replace(' FILE', '')


def test_status_of_nobody(tmp_path):
    value = check('status', run('status', '--json', '--session-store', 'file', home=tmp_path))
    assert (value['running'], value['server'], value['account']['signed_in']) == (False, None, False)


def test_status_of_an_account(own, tmp_path):
    veil = PeerVeil(tmp_path, own)
    arguments = ['status', '--json', '--session-store', 'file']
    before = check('status', run(*arguments, home=tmp_path / 'home'))
    assert veil.ask('x', 'x').status == 200
    value = check('status', run(*arguments, home=tmp_path / 'home'))
    assert value['account'] == {'signed_in': True, 'email': 'person@peer.test', 'problem': None}
    assert value['server']['url'] == veil.url and value['server']['pid'] == veil.process.pid
    assert (before['server']['counts']['verified'], value['server']['counts']['verified']) == (0, 1)
    veil.stop()


def test_on_the_sandbox(tmp_path):
    """status, test and verify."""
    veil = Veil(tmp_path, '--sandbox')
    home, receipt = tmp_path / 'home', tmp_path / 'receipt.json'
    answer = check('test', run('test', '--json', '--receipt', str(receipt), 'Hello', '--port', str(veil.port), home=home))
    assert answer['sandbox'] is True
    value = check('status', run('status', '--json', home=home))
    assert value['server']['sandbox'] is True and value['server']['tee']['tee_id'] == answer['tee_id']
    done = run('verify', str(receipt), '--json')
    assert done.returncode == 0 and check('verify', done)['verified'] is True
    receipt.write_text(receipt.read_text().replace(answer['tee_id'], HASH))
    done = run('verify', str(receipt), '--json')
    assert done.returncode == 1 and check('verify', done)['verified'] is False
    receipt.write_text('{}')
    done = run('verify', str(receipt), '--json')
    assert done.returncode == 1 and check('verify', done)['receipt'] is None
    veil.stop()


def test_models():
    assert check('models', run('models', '--json'))


def test_pins(tmp_path):
    assert check('pins', run('pin', 'list', '--json', home=tmp_path)) == []
    for value, label in ((HASH, 'ä "label"'), ('cd' * 32, '')):
        assert run('pin', 'add', value, '--label', label, home=tmp_path).returncode == 0
    assert len(check('pins', run('pin', 'list', '--json', home=tmp_path))) == 2


@pytest.mark.parametrize('versions', [True, False], ids=['versions', 'none'])
def test_tees(own, tmp_path, versions):
    active, listed = abi.selector('getActiveTEEs(uint8)'), abi.selector('getApprovedPCRs()')

    def answer(message, call):
        selector = bytes.fromhex(call['params'][0]['data'][2:10])
        if selector == active:
            return own.answer_rpc(message, call, own.active_tees(call))
        if not versions:
            error = {'jsonrpc': '2.0', 'id': call['id'], 'error': {'code': 3, 'message': 'execution reverted'}}
            return message.respond(200, json.dumps(error).encode(), [('Content-Type', 'application/json')])
        if selector == listed:
            return own.answer_rpc(message, call, abi.word(32) + abi.word(1) + own.enclaves[0].pcr_hash + abi.word(0))
        return own.answer_rpc(message, call, abi.word(1) + abi.word(0) + abi.word(7) + abi.word(128) + abi.word(5) + b'1.2.3'.ljust(32, b'\0'))

    own.registry_handler = answer
    sign_in(tmp_path, own.bundle())
    value = check('tees', run('tees', '--json', '--session-store', 'file', home=tmp_path))
    assert len(value['tees']) == 3
    assert {tee['version'] for tee in value['tees']} == ({'1.2.3'} if versions else {None})


@pytest.mark.parametrize('genuine', [True, False], ids=['holds', 'does not'])
def test_attestation(tmp_path, genuine):
    network = Network(tmp_path, **({} if genuine else {'root': types.SimpleNamespace(hex=lambda: '11' * 32)}))
    done = network.attest('--json')
    value = check('attest', done)
    assert value['holds'] is genuine and done.returncode == (0 if genuine else 1) and (value['document'] is None) is not genuine
    network.close()

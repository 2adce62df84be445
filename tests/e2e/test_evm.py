# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The registry as a Solidity contract on a real EVM node, read by the built program."""

import http.client
import json
import os
import pathlib
import subprocess
import time

import npm
import pytest
from program import PeerVeil, environment, run, sign_in, wait_until
from veil_peer import Peer, abi, crypto

SOURCE = pathlib.Path(__file__).parent / 'evm'
CALLS = ['getActiveTEEs(uint8)', 'getEnabledTEEs(uint8)', 'getTEE(bytes32)', 'isTEEActive(bytes32)', 'getApprovedPCRs()',
         'approvedPCRs(uint8,bytes32)']


class Node:
    """ganache with the contracts of registry.sol, compiled by solc."""

    def __init__(self, folder):
        self.process = subprocess.Popen(['node', str(folder / 'node.cjs')], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=environment())
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1].decode(errors='replace')
        ready = json.loads(line)
        self.url, self.contracts = ready['url'], ready['contracts']
        [self.account] = self.rpc('eth_accounts')

    def rpc(self, method, *params):
        connection = http.client.HTTPConnection(self.url.removeprefix('http://'), timeout=60)
        connection.request('POST', '/', json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': method, 'params': params}),
                           {'Content-Type': 'application/json'})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        assert 'error' not in answer, answer
        return answer['result']

    def send(self, data, to=None):
        receipt = self.rpc('eth_sendTransaction', {'from': self.account, 'data': '0x' + data, 'gas': '0xffffffffff', **({'to': to} if to else {})})
        receipt = self.rpc('eth_getTransactionReceipt', receipt)
        assert receipt['status'] == '0x1', receipt
        return receipt

    def deploy(self, name):
        return Contract(self, name, self.send(self.contracts[name]['bytecode'])['contractAddress'])

    def close(self):
        self.process.communicate(timeout=30)


class Contract:
    def __init__(self, node, name, address):
        self.node, self.address = node, address
        methods = node.contracts[name]['methods']
        self.selectors = {signature.split('(')[0]: digits for signature, digits in methods.items()}

    def call(self, method, kinds, values):
        self.node.send(self.selectors[method] + abi.encode_tuple(kinds, values).hex(), self.address)

    def add(self, record):
        self.call('add', [abi.TEE_INFO], [record])

    def approve(self, pcr_hash, version, tee_type=0):
        self.call('approve', ['uint8', 'bytes32', 'string'], [tee_type, pcr_hash, version])


@pytest.fixture(scope='module')
def node():
    running = Node(npm.install(SOURCE))
    yield running
    running.close()


@pytest.fixture(scope='module')
def many():
    """Keys for forty enclaves, and the relay that leads to them."""
    with Peer(enclaves=40) as running:
        yield running


def bundle(peer, node, contract):
    return peer.bundle(tee_registry_rpc_url=node.url, tee_registry_address=contract.address)


def list_tees(home, peer, node, contract, *args):
    sign_in(home, bundle(peer, node, contract))
    return run('tees', '--session-store', 'file', '--port', '0', *args, home=home)


def listed(home, peer, node, contract, *args):
    done = list_tees(home, peer, node, contract, '--json', *args)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_the_contract_is_the_one_that_is_specified(node):
    """solc gives its functions the selectors that the client computes."""
    methods = node.contracts['Registry']['methods']
    for signature in CALLS:
        assert methods[signature] == abi.selector(signature).hex()


@pytest.mark.parametrize('count', [0, 1, 3, 40])
def test_tees(node, many, tmp_path, count):
    """All that are active, with their ids derived, as many as there are."""
    contract = node.deploy('Registry')
    enclaves = many.enclaves[:count]
    for enclave in enclaves:
        contract.add(enclave.record())
        contract.approve(enclave.pcr_hash, 'v%s' % enclave.key_id)
    found = listed(tmp_path, many, node, contract)
    assert [(row['tee_id'], row['endpoint'], row['pcr_hash'], row['version']) for row in found['tees']] == [
        (e.tee_id, e.endpoint, '0x' + e.pcr_hash.hex(), 'v%s' % e.key_id) for e in enclaves]
    assert all(row['unusable'] is None and not row['pinned'] and not row['selected'] and not row['active'] for row in found['tees'])
    assert [build['approved'] for build in found['builds']] == [True] * count
    text = list_tees(tmp_path, many, node, contract).stdout.decode()
    assert all(e.tee_id in text for e in enclaves) and ('no active enclave' in text) == (count == 0)


@pytest.mark.parametrize('count', [0, 1, 3])
def test_requests(node, many, tmp_path, count):
    """What the node says is what requests go to."""
    contract = node.deploy('Registry')
    enclaves = many.enclaves[:count]
    for enclave in enclaves:
        contract.add(enclave.record())
        contract.approve(enclave.pcr_hash, '')
    veil = PeerVeil(tmp_path / 'veil', many, tee_registry_rpc_url=node.url, tee_registry_address=contract.address)
    reply = veil.ask('x', 'x')
    if count == 0:
        assert reply.status == 503 and reply.error['code'] == 'no_active_tee', reply.error
    else:
        assert reply.status == 200 and reply.header('X-OpenGradient-TEE-Id') in {e.tee_id for e in enclaves}
    veil.stop()


def test_large_certificates_and_unicode_endpoints(node, many, tmp_path):
    contract = node.deploy('PlainRegistry')
    endpoints = ['https://bücher.example/日本', 'https://🔒.example', 'https://' + 'ä' * 500 + '.example', 'https://evil\u202egnp.example', 'https://a\x1b[2J.example']
    for enclave, endpoint, size in zip(many.enclaves, endpoints, (0, 31, 20000, 33, 64)):
        record = enclave.record()
        record[2], record[4] = endpoint, record[4] + os.urandom(size)
        contract.add(record)
    found = listed(tmp_path, many, node, contract)['tees']
    assert [row['endpoint'] for row in found] == endpoints[:3] + ['', '']
    assert [row['unusable'] is None for row in found] == [True, True, True, False, False]
    text = list_tees(tmp_path, many, node, contract).stdout.decode()
    assert endpoints[0] in text and '\x1b' not in text and '\u202e' not in text and text.count('not used:') == 2


def test_only_active_ones(node, many, tmp_path):
    """Switched off, not heard of for long, not approved, of another type: the contract leaves them out."""
    contract = node.deploy('Registry')
    off, old, foreign, other, good = [e.record() for e in many.enclaves[:5]]
    old[9] = int(time.time()) - 7200
    other[6] = 1
    off[7] = False
    for record in (off, old, foreign, other, good):
        contract.add(record)
        if record is not foreign:
            contract.approve(record[5], 'v1', record[6])
    assert [row['tee_id'] for row in listed(tmp_path, many, node, contract)['tees']] == [many.enclaves[4].tee_id]


def test_approved_builds(node, many, tmp_path):
    """Versions are shown with TEEs and with builds that no TEE runs yet; strange ones are not."""
    contract = node.deploy('Registry')
    contract.add(many.enclaves[0].record())
    contract.approve(many.enclaves[0].pcr_hash, 'v1.4.2 – “ä”')
    later, strange, long = (crypto.keccak256(b'build %d' % n) for n in range(3))
    contract.approve(later, 'v2.0.0-rc1')
    contract.approve(strange, 'v3\x1b]0;x\x07')
    contract.approve(long, 'v' * 5000)
    contract.approve(crypto.keccak256(b'validator'), 'validator 1', 1)
    pin = '0x' + later.hex()
    found = listed(tmp_path, many, node, contract, '--expected-pcr', pin)
    assert {build['pcr_hash']: (build['version'], build['approved'], build['pinned']) for build in found['builds']} == {
        '0x' + many.enclaves[0].pcr_hash.hex(): ('v1.4.2 – “ä”', True, False), pin: ('v2.0.0-rc1', True, True),
        '0x' + strange.hex(): (None, True, False), '0x' + long.hex(): (None, True, False)}
    assert found['tees'][0]['version'] == 'v1.4.2 – “ä”'
    assert 'version v1.4.2 – “ä”' in list_tees(tmp_path, many, node, contract).stdout.decode()


@pytest.mark.parametrize('name', ['PlainRegistry', 'HalfRegistry'])
def test_without_the_optional_calls(node, many, tmp_path, name):
    """Versions are unknown, and nothing else is different."""
    contract = node.deploy(name)
    contract.add(many.enclaves[0].record())
    [row] = listed(tmp_path, many, node, contract)['tees']
    assert row['tee_id'] == many.enclaves[0].tee_id and row['version'] is None and row['unusable'] is None
    veil = PeerVeil(tmp_path / 'veil', many, tee_registry_rpc_url=node.url, tee_registry_address=contract.address)
    assert veil.ask('x', 'x').status == 200
    veil.stop()


def test_reverting(node, many, tmp_path):
    """An error of its own that names the registry and says why; never an empty list."""
    contract = node.deploy('RevertingRegistry')
    done = list_tees(tmp_path, many, node, contract)
    assert done.returncode == 1 and done.stdout == b''
    assert b'The registry at 127.0.0.1' in done.stderr and b'the registry is paused' in done.stderr
    veil = PeerVeil(tmp_path / 'veil', many, tee_registry_rpc_url=node.url, tee_registry_address=contract.address)
    reply = veil.ask('x', 'x')
    assert reply.status == 503 and reply.error['code'] == 'registry' and 'the registry is paused' in reply.error['message']
    veil.stop()


def test_no_contract_there(node, many, tmp_path):
    class Nothing:
        address = '0x' + '11' * 20
    done = list_tees(tmp_path, many, node, Nothing)
    assert done.returncode == 1 and b'no contract' in done.stderr


def test_switching_off_at_the_node(node, many, tmp_path):
    """The refresh sees what a transaction changed."""
    contract = node.deploy('PlainRegistry')
    for enclave in many.enclaves[:2]:
        contract.add(enclave.record())
    veil = PeerVeil(tmp_path / 'veil', many, '--refresh-interval', '1', tee_registry_rpc_url=node.url, tee_registry_address=contract.address)
    first = veil.ask('x', 'x').header('X-OpenGradient-TEE-Id')
    contract.call('setEnabled', ['bytes32', 'bool'], [bytes.fromhex(first[2:]), False])
    wait_until(lambda: veil.health()['active_tee_id'] not in (first, None), what='the refresh')
    assert veil.ask('x', 'x').header('X-OpenGradient-TEE-Id') != first
    veil.stop()

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Receipts of all kinds of answers, checked by `og-veil verify` and by a verifier that shares no code with it; and every change of one caught by both."""

import base64
import concurrent.futures
import copy
import json
import pathlib
import stat
import subprocess
import sys

import jsonschema
import pytest
from program import DEADLINE, OG_VEIL, Sandbox, Veil, complete, environment, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'receipts'))
import verify_receipt  # noqa: E402

WITH_RECEIPT = {'X-OpenGradient-Receipt': '1'}
TOOLS = [{'type': 'function', 'function': {'name': 'get_weather', 'parameters': {'type': 'object', 'properties': {}}}}]
SCHEMA = json.loads((ROOT / 'docs' / 'schema' / 'receipt-1.json').read_text())


class Kept:
    """What a person has of one request: body, answer, receipt."""

    def __init__(self, name, body, reply):
        assert reply.status == 200, reply.body
        self.name, self.request, self.response = name, json.dumps(body).encode(), reply.body
        if body.get('stream'):
            [self.receipt] = [e['opengradient_receipt'] for e in reply.events() if 'opengradient_receipt' in e]
        else:
            self.receipt = reply.json()['opengradient_receipt']

    @property
    def data(self):
        return json.dumps(self.receipt).encode()


def ask(veil, name, **fields):
    body = {'model': 'gpt-4.1', 'messages': [{'role': 'user', 'content': 'Hello from ' + name}], 'user': 'me', **fields}
    return Kept(name, body, veil.chat(body, WITH_RECEIPT))


def make_kept(veil, prefix):
    tools = {'tools': TOOLS, 'messages': [{'role': 'user', 'content': 'Use the tool to tell the weather in Rome. ' + prefix}]}
    streamed = {**tools, 'messages': [{'role': 'user', 'content': 'Tell the weather in Rome, streaming. ' + prefix}]}
    return [
        ask(veil, prefix + 'single'), ask(veil, prefix + 'stream', stream=True),
        ask(veil, prefix + 'tools', **tools), ask(veil, prefix + 'tools-stream', stream=True, **streamed),
        ask(veil, prefix + 'effort', reasoning_effort='low', model='openai/gpt-4.1'),
        ask(veil, prefix + 'wörds', model='模型 \U0001f600', **{'fré\U0001f600\n': 1}),
    ]


@pytest.fixture(scope='module')
def network(sandbox):
    return Sandbox.of(sandbox)


@pytest.fixture(scope='module')
def kept(sandbox, network, veil):
    """Of one enclave, of another, with rotated keys, and of a network that is no sandbox."""
    found = make_kept(sandbox, 'first ')
    ids = {tee['tee_id'] for tee in network.control('rotate', {})['tees']}
    sandbox.ask('gpt-4.1', 'x')  # fails: the old enclaves are gone, and the registry is read again
    found += make_kept(sandbox, 'rotated ')
    rotated = found[-1].receipt['tee']['id']
    assert rotated in ids and rotated != found[0].receipt['tee']['id']
    [index] = [tee['index'] for tee in network.stats()['tees'] if tee['tee_id'] == rotated]
    network.control('fault', {'fault': 'relay-503', 'tee': index})
    found += [ask(sandbox, 'second single')]
    network.control('fault', {'fault': None})
    found += [ask(veil, 'peer single'), ask(veil, 'peer stream', stream=True)]
    return found


def verify(data, *args, env=None):
    """(exit status, parsed JSON)"""
    done = run('verify', '--json', '-', *args, input=data, env=env)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else None


def python_takes(data):
    try:
        verify_receipt.verify(data)
        return True
    except verify_receipt.Refused:
        return False


def schema_takes(receipt):
    try:
        jsonschema.Draft202012Validator(SCHEMA).validate(receipt)
        return True
    except jsonschema.ValidationError:
        return False


def test_all_verify(kept, tmp_path):
    assert len({k.receipt['tee']['id'] for k in kept}) >= 3, 'there are several enclaves, and keys that were rotated'
    assert {k.receipt['signed'][0] for k in kept} == {'content', 'tool_calls'}
    assert {k.receipt['stream'] for k in kept} == {True, False} and {k.receipt['sandbox'] for k in kept} == {True, False}
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for k in kept:
        (tmp_path / 'request.json').write_bytes(k.request)
        (tmp_path / 'response').write_bytes(k.response)
        status, report = verify(k.data, '--request', str(tmp_path / 'request.json'), '--response', str(tmp_path / 'response'),
                                '--signed-by', k.receipt['tee']['id'].upper().replace('0X', ''))
        assert status == 0 and report['verified'] is True, (k.name, report)
        assert report['sandbox'] is k.receipt['sandbox'] and report['receipt'] == k.receipt
        assert {c['check'] for c in report['checks'] if c['result'] == 'passed'} == {
            'format', 'tee_id', 'signature', 'time', 'signed_by', 'request', 'response'}
        assert verify_receipt.verify(k.data) == k.receipt
        assert schema_takes(k.receipt), k.name


def test_no_words(kept):
    """A receipt holds neither the prompt nor the answer."""
    for k in kept:
        assert 'Hello' not in json.dumps(k.receipt) and 'Rome' not in json.dumps(k.receipt)
        assert k.receipt['dropped'][0] == 'user'


def test_pretty_printed(kept):
    data = json.dumps(kept[0].receipt, indent=4, ensure_ascii=False).encode()
    assert verify(data)[0] == 0 and python_takes(data)


def paths(value, prefix=()):
    for key in value:
        yield (*prefix, key)
        if isinstance(value[key], dict):
            yield from paths(value[key], (*prefix, key))


def at(receipt, path):
    for key in path:
        receipt = receipt[key]
    return receipt


def put(receipt, path, value):
    receipt = copy.deepcopy(receipt)
    at(receipt, path[:-1])[path[-1]] = value
    return receipt


def other_values(value):
    """Of the same type and form, then of every other type."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, value ^ (1 << 20))
    elif isinstance(value, str):
        yield from (value[:-1], value + 'x', value.upper(), value.swapcase())
        for i in {0, 1, 2, len(value) // 2, len(value) - 1}:
            replacement = {'0': '1', 'A': 'B'}.get(value[i:i + 1], '0')
            yield value[:i] + replacement + value[i + 1:]
    elif isinstance(value, list):
        yield from (value + ['x'], value[:-1], value[::-1], [*value, *value], [value])
    elif isinstance(value, dict):
        yield from ({}, {**value, 'x': 1})
    elif value is None:
        yield from (True, False)
    yield from (None, True, False, 0, 1, -1, 1.5, 10**30, '', 'x', '0x', 'A' * 4, 'é', '\0', '\ud800', [], [[]], ['content'], ['tool_calls'], {}, {'a': {}})


def changes(receipt, others):
    """(what, data): every single-member change."""
    for path in paths(receipt):
        name = '.'.join(path)
        value = at(receipt, path)
        gone = copy.deepcopy(receipt)
        del at(gone, path[:-1])[path[-1]]
        yield name + ' removed', gone
        for other in other_values(value):
            if type(other) is not type(value) or other != value:
                yield '%s as %.60r' % (name, other), put(receipt, path, other)
        for other in others:
            if at(other, path) != value:
                yield name + ' of another receipt', put(receipt, path, at(other, path))
    for path in [(), ('tee',), ('duration_us',)]:
        more = copy.deepcopy(receipt)
        at(more, path)['more'] = 1
        yield 'a member more in ' + '.'.join(path), more


def repeats(receipt):
    """(what, data): each member twice, with the same value and another."""
    text = json.dumps(receipt)
    for path in paths(receipt):
        value = json.dumps(at(receipt, path))
        for second in (value, '17'):
            yield '.'.join(path) + ' twice', text.replace('"%s": %s' % (path[-1], value), '"%s": %s, "%s": %s' % (path[-1], second, path[-1], value), 1)


def byte_flips(data):
    """Each byte with one bit turned, each of the eight in its turn. test-receipt turns every bit of every byte."""
    for i in range(len(data)):
        flipped = bytearray(data)
        flipped[i] ^= 1 << (i % 8)
        yield 'byte %d' % i, bytes(flipped)


def cuts(data):
    for i in [*range(0, len(data), 101), len(data) - 1]:
        yield 'cut after %d' % i, data[:i]
    for tail in (b'x', b'{}', b'\0', b',', data):
        yield 'with %r behind' % tail[:5], data + tail


def taken_of(tmp_path, cases):
    """Names of those of @cases that `og-veil verify` takes."""
    files = []
    for i, (_, data) in enumerate(cases):
        files.append(tmp_path / ('case-%d' % i))
        files[-1].write_bytes(data)
    script = 'for f; do "$OG" verify "$f" >/dev/null 2>&1; echo $?; done'

    def run_some(some):
        done = complete(['sh', '-c', script, 'sh', *map(str, some)], timeout=4 * DEADLINE, env=environment(OG=OG_VEIL))
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        statuses = [status for some in pool.map(run_some, [files[i:i + 50] for i in range(0, len(files), 50)]) for status in some]
    assert len(statuses) == len(cases) and set(statuses) <= {b'0', b'1'}, statuses
    return [name for (name, _), status in zip(cases, statuses) if status == b'0']


def dump(value):
    return json.dumps(value).encode()


def check_caught(cases, tmp_path):
    cases = list(cases)
    assert [name for name, data in cases if python_takes(data)] == []
    assert taken_of(tmp_path, cases) == []
    return len(cases)


def test_each_change_of_a_member(kept, tmp_path):
    by_name = {k.name: k.receipt for k in kept}
    receipt, others = by_name['rotated tools'], [by_name['first stream'], by_name['peer single'], by_name['rotated tools-stream']]
    assert python_takes(dump(receipt))
    n = check_caught([(name, dump(value)) for name, value in changes(receipt, others)], tmp_path)
    assert n > 700, n


def test_each_repeat(kept, tmp_path):
    cases = [(name, text.encode()) for name, text in repeats(kept[0].receipt)]
    assert all(data != kept[0].data for _, data in cases)
    assert check_caught(cases, tmp_path) == 54


def test_cut_or_continued(kept, tmp_path):
    check_caught(cuts(kept[0].data), tmp_path)


def same_value(data, receipt):
    """White space, or another spelling of the same value, is no change."""
    try:
        return verify_receipt.read_strict(data) == receipt
    except verify_receipt.Refused:
        return False


def test_byte_flips(kept, tmp_path):
    receipt = kept[1].receipt
    cases = list(byte_flips(kept[1].data))
    harmless = {name for name, data in cases if same_value(data, receipt)}
    assert len(harmless) < len(cases) // 20
    assert {name for name, data in cases if python_takes(data)} == harmless
    some = cases[::9]
    assert set(taken_of(tmp_path, some)) == harmless & {name for name, _ in some}


def seal_again(receipt):
    """The digest has no key: who changes a receipt on purpose makes it anew."""
    rest = {key: value for key, value in receipt.items() if key != 'digest'}
    return {**rest, 'digest': '0x' + verify_receipt.keccak256(json.dumps(rest, sort_keys=True).encode()).hex()}


def test_forgers(kept, tmp_path):
    """With a digest of their own, too, nobody gets past what the enclave signed."""
    by_name = {k.name: k.receipt for k in kept}
    receipt = by_name['first single']
    cases = []
    for path in [('request_hash',), ('output_hash',), ('timestamp',), ('signature',), ('tee', 'id'), ('tee', 'signing_key')]:
        value = at(receipt, path)
        for other in other_values(value):
            if type(other) is type(value) and other != value and '\ud800' != other:
                cases.append(('.'.join(path), dump(seal_again(put(receipt, path, other)))))
        for other in ('first stream', 'rotated single', 'peer single'):
            if at(by_name[other], path) != value:
                cases.append(('.'.join(path) + ' of ' + other, dump(seal_again(put(receipt, path, at(by_name[other], path))))))
    # Key and id together, and the whole enclave of another.
    for other in ('rotated single', 'peer single'):
        cases.append(('tee of ' + other, dump(seal_again(put(receipt, ('tee',), by_name[other]['tee'])))))
    cases.append(('time', dump(seal_again(put(receipt, ('time',), '2020-01-01T00:00:00.000000Z')))))
    assert check_caught(cases, tmp_path) > 50
    # What no signature covers can be forged, as docs/receipts.md says; both verifiers agree on that too.
    forged = dump(seal_again(put(receipt, ('model',), 'another')))
    assert python_takes(forged) and verify(forged)[0] == 0


def test_old_signatures(kept, tmp_path):
    """Salt of another length, a key that is too short, a key with bytes behind it."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    def make(key, salt, extra=b''):
        receipt = copy.deepcopy(kept[0].receipt)
        der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo) + extra
        message = bytes.fromhex(receipt['request_hash'][2:]) + bytes.fromhex(receipt['output_hash'][2:]) + receipt['timestamp'].to_bytes(32, 'big')
        signature = key.sign(verify_receipt.keccak256(message), padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
        receipt['tee'] |= {'signing_key': base64.b64encode(der).decode(), 'id': '0x' + verify_receipt.keccak256(der).hex()}
        receipt['signature'] = base64.b64encode(signature).decode()
        return dump(seal_again(receipt))

    key = rsa.generate_private_key(65537, 2048)
    good = make(key, 32)
    assert python_takes(good) and verify(good)[0] == 0, 'anybody can sign with a key of his own: --signed-by is for that'
    assert verify(good, '--signed-by', kept[0].receipt['tee']['id'])[0] == 1
    short = rsa.generate_private_key(65537, 1024)
    check_caught([('salt 20', make(key, 20)), ('salt 0', make(key, 0)), ('1024 bits', make(short, 32)), ('extra', make(key, 32, b'\0'))], tmp_path)


def test_content(kept, tmp_path):
    """Request and answer belong to their receipt and to no other."""
    for k in kept[:4]:
        for other in kept:
            same = (other.request == k.request, other.response == k.response)
            (tmp_path / 'request').write_bytes(other.request)
            (tmp_path / 'response').write_bytes(other.response)
            status, report = verify(k.data, '--request', str(tmp_path / 'request'), '--response', str(tmp_path / 'response'))
            results = {c['check']: c['result'] for c in report['checks']}
            if same[0]:
                assert status == 0 and results['request'] == results['response'] == 'passed'
                continue
            assert status == 1 and results['request'] == 'failed', (k.name, other.name)
            assert results['signature'] == 'passed'


def test_answer_with_more(kept, tmp_path):
    """Tool calls that somebody put beside a signed text are seen; other things are named."""
    answer = json.loads(kept[0].response)
    answer['choices'][0]['message']['reasoning'] = 'x'
    (tmp_path / 'more').write_text(json.dumps(answer))
    status, report = verify(kept[0].data, '--response', str(tmp_path / 'more'))
    assert status == 0 and 'choices[0].message.reasoning' in report['unsigned_in_response']
    answer['choices'][0]['message']['tool_calls'] = [{'id': 'c', 'type': 'function', 'function': {'name': 'f', 'arguments': '{}'}}]
    (tmp_path / 'more').write_text(json.dumps(answer))
    status, report = verify(kept[0].data, '--response', str(tmp_path / 'more'))
    assert status == 1 and not report['verified']


def test_text(kept, tmp_path):
    """What a person reads."""
    for k in (kept[0], kept[-1]):
        done = run('verify', '-', input=k.data)
        out = done.stdout.decode()
        assert done.returncode == 0 and '✓ verified' in out and '✗' not in out and k.receipt['tee']['id'] in out
        assert ('sandbox: simulated, not attested' in out) == k.receipt['sandbox']
        assert ('attested' in out.replace('not attested', '')) is False
    changed = put(kept[0].receipt, ('output_hash',), '0x' + '0' * 64)
    out = run('verify', '-', input=dump(changed)).stdout.decode()
    assert 'NOT verified' in out and '✓ verified' not in out
    out = run('verify', '-', input=dump(seal_again(changed))).stdout.decode()
    assert 'NOT verified' in out and '✓ verified' not in out and '✗ That key signed' in out


def test_terminal(kept):
    """Whatever the receipt says about itself does not steer the terminal."""
    receipt = seal_again(put(put(kept[0].receipt, ('model',), 'a\x1b[2J\nverified'), ('tee', 'endpoint'), 'https://x\r\x07'))
    out = run('verify', '-', input=dump(receipt)).stdout
    assert b'\x1b' not in out and b'\r' not in out and b'\x07' not in out and b'\nverified' not in out


def test_files(kept, tmp_path):
    receipt = tmp_path / 'receipt.json'
    receipt.write_bytes(kept[0].data)
    assert run('verify', str(receipt)).returncode == 0
    big = tmp_path / 'big'
    big.write_bytes(kept[0].data + b' ' * (256 * 1024))
    for path in (tmp_path, tmp_path / 'none', big):
        done = run('verify', str(path))
        assert done.returncode == 1 and str(path).encode() in done.stderr and b'verified' not in done.stdout
        done = run('verify', '--request', str(tmp_path), str(receipt))
        assert done.returncode == 1 and done.stdout == b''
    # Sparse: no disk is filled.
    huge = tmp_path / 'huge'
    with open(huge, 'wb') as file:
        file.truncate(200 << 20)
    for option in ('--request', '--response'):
        assert run('verify', option, str(huge), str(receipt)).returncode == 1
    assert run('verify', '/dev/zero').returncode == 1
    assert run('verify', '--request', '-', str(receipt), input=kept[0].request).returncode == 0
    assert run('verify', '--response', '-', str(receipt), input=kept[0].response).returncode == 0


@pytest.mark.parametrize('args', [[], ['a', 'b'], ['--nonsense', 'a'], ['--signed-by', '0x12', 'a'], ['--request', '-', '-'],
                                  ['--request', '-', '--response', '-', 'a']])
def test_usage(args):
    done = run('verify', *args)
    assert done.returncode == 2 and done.stdout == b'' and done.stderr.startswith(b'og-veil')


def test_command(sandbox, tmp_path):
    """`og-veil test --receipt`, and --json."""
    file = tmp_path / 'receipt.json'
    done = run('test', '--port', str(sandbox.port), '--receipt', str(file))
    assert done.returncode == 0 and '✓ verified (sandbox'.encode() in done.stdout, done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes().endswith(b'}\n') and verify(file.read_bytes())[0] == 0 and python_takes(file.read_bytes())
    done = run('test', '--port', str(sandbox.port), '--json', 'Say', 'something')
    report = json.loads(done.stdout)
    assert report['verified'] is True and report['sandbox'] is True and report['text']
    assert report['tee_id'] == report['receipt']['tee']['id'] and python_takes(dump(report['receipt']))
    done = run('test', '--port', str(sandbox.port), '--receipt', str(tmp_path / 'no' / 'folder'))
    assert done.returncode == 1 and b'cannot be written' in done.stderr and b'verified' not in done.stdout


def test_not_asked_for(sandbox, network):
    """Without the header an answer has none; a refused one never has."""
    for fields in ({}, {'stream': True, 'stream_options': {'include_usage': True}}):
        body = {'model': 'gpt-4.1', 'messages': [{'role': 'user', 'content': 'x'}], **fields}
        for headers in ({}, {'X-OpenGradient-Receipt': '0'}, {'X-OpenGradient-Proof': '1'}):
            assert b'opengradient_receipt' not in sandbox.chat(body, headers).body
    network.control('fault', {'fault': 'wrong-signature'})
    reply = sandbox.ask('gpt-4.1', 'x', WITH_RECEIPT)
    network.control('fault', {'fault': None})
    assert reply.status == 502 and b'opengradient_receipt' not in reply.body


def test_python_program(kept, tmp_path):
    """The second verifier as a program of its own."""
    (tmp_path / 'good').write_bytes(kept[0].data)
    (tmp_path / 'bad').write_bytes(dump(put(kept[0].receipt, ('timestamp',), 1)))
    program = ROOT / 'tests' / 'receipts' / 'verify_receipt.py'
    done = subprocess.run([sys.executable, str(program), str(tmp_path / 'good'), str(tmp_path / 'bad')], capture_output=True, timeout=DEADLINE,
                          env=environment())
    assert done.returncode == 1 and b'good: verified (sandbox)' in done.stdout and b'bad: NOT verified' in done.stdout

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""og-veil tees --attest: an enclave's own documents against the registry; and the pins of builds that somebody reproduced."""

import contextlib
import json
import os
import pty
import re
import select
import subprocess
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from program import DEADLINE, OG_VEIL, Sandbox, Veil, assert_no_report, environment, run, sign_in
from veil_peer import Peer, crypto, nitro
from veil_peer.attest import Attesting, context_for
from veil_peer.nitro import Raw
from veil_peer.peer import Enclave

CHECKS = ['connection', 'form', 'chain', 'signature', 'fresh', 'nonce', 'debug', 'pcr_hash', 'user_data', 'signing_key', 'tls_certificate', 'ohttp_config']
MINUTE = 60000


class Network:
    """A peer that passes for the sandbox, so that its root may count, and one enclave of it that can be asked."""

    def __init__(self, home, tls=True, app_env='sandbox', root=None, **config):
        self.peer = Peer(2, app_env)
        self.home = home
        self.attesting = Attesting(self.peer.enclaves[0], tls=tls)
        self.enclave = self.attesting.enclave
        if root is not False:
            config['sandbox_attestation_root'] = (root or self.attesting.authority.root.fingerprint).hex()
        sign_in(home, self.peer.bundle(**config))

    def attest(self, *args, tee_id=None, yes=True, env=None):
        return run('tees', '--attest', tee_id or self.enclave.tee_id, '--session-store', 'file', *(['--yes'] if yes else []), *args, home=self.home, env=env)

    def report(self, *args, **kwargs):
        done = self.attest('--json', *args, **kwargs)
        assert done.stdout, done.stderr
        report = json.loads(done.stdout)
        assert report['holds'] == (done.returncode == 0)
        return report

    def close(self):
        self.attesting.close()
        self.peer.close()


@pytest.fixture
def network(tmp_path):
    running = Network(tmp_path)
    yield running
    running.close()
    assert not running.attesting.server.errors, running.attesting.server.errors
    running.peer.assert_clean()


def failures(report):
    """{check: code} of those that did not hold; those that were not made have None."""
    return {check['check']: check['code'] for check in report['checks'] if check['state'] != 'passed'}


def test_all_holds(network):
    report = network.report()
    assert [check['check'] for check in report['checks']] == CHECKS and failures(report) == {}
    assert report['sandbox'] and report['attested'] is False, 'nothing of a sandbox is ever attested'
    assert report['document']['pcr_hash'] == report['registered_pcr_hash'] == '0x' + network.enclave.pcr_hash.hex()
    assert [report['document']['pcrs'][str(n)] for n in range(3)] == [pcr.hex() for pcr in network.attesting.pcrs]
    first, second = network.attesting.seen
    nonce = re.fullmatch(r'/enclave/attestation\?nonce=([0-9a-f]{40})', first.target)[1]
    assert report['document']['nonce'] == nonce and second.target == '/v1/ohttp/config'
    for message in network.attesting.seen:
        assert message.method == 'GET' and {name.lower() for name, _ in message.headers} <= {'host', 'user-agent', 'accept-encoding', 'connection'}
    network.report()
    assert network.attesting.seen[2].target != first.target, 'the same nonce again'
    assert not network.peer.exchanges, 'the relay has no part in this'


def test_what_a_person_reads(network):
    done = network.attest()
    text = done.stdout.decode()
    assert done.returncode == 0 and text.splitlines()[0] == network.enclave.tee_id
    assert text.count('✓') == len(CHECKS) + 1 and '✗' not in text and '–' not in text
    for pcr in network.attesting.pcrs:
        assert pcr.hex() in text
    assert re.search(r'pin +0x' + network.enclave.pcr_hash.hex(), text)
    assert 'sandbox' in text.splitlines()[-1] and 'attested' not in text.splitlines()[-1]
    said = done.stderr.decode()
    assert network.enclave.endpoint in said and "this machine's address" in said and 'No prompt' in said
    network.attesting.pcrs[1] = bytes(47) + b'1'
    done = network.attest()
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 1 and [line for line in lines if line.startswith('  ✗')] == ['  ✗ It runs the build that is registered']
    assert lines[-1].startswith('✗ sandbox')


def other_key(network):
    return rsa.generate_private_key(65537, 2048)


def set_pcrs(network):
    network.attesting.pcrs = [bytes([n + 1]) * 48 for n in range(3)]


def set_debug(network):
    network.attesting.pcrs = [bytes(48)] * 3
    network.enclave.pcr_hash = nitro.pcr_hash(network.attesting.pcrs)


def set_user_data(make):
    def change(network):
        network.attesting.field_changes['user_data'] = make(network.enclave)
    return change


def set_nonce(value):
    def change(network):
        network.attesting.field_changes['nonce'] = value
    return change


def set_time(minutes):
    def change(network):
        now = int(time.time())
        network.attesting.authority = nitro.Authority(now - minutes * 60, root={'key': network.attesting.authority.root.key})
        network.attesting.field_changes['timestamp'] = (now - minutes * 60) * 1000
        sign_in(network.home, network.peer.bundle(sandbox_attestation_root=network.attesting.authority.root.fingerprint.hex()), '--trust-new-network')
    return change


def set_authority(**changes):
    def change(network):
        network.attesting.authority = nitro.Authority(**changes)
        sign_in(network.home, network.peer.bundle(sandbox_attestation_root=network.attesting.authority.root.fingerprint.hex()), '--trust-new-network')
    return change


def foreign_root(network):
    network.attesting.authority = nitro.Authority()


def other_signature(network):
    document = network.attesting.document
    other = nitro.Authority()

    def sign(nonce):
        network.attesting.authority.leaf.key = other.leaf.key
        return document(nonce)
    network.attesting.document = sign


def set_config(**changes):
    def change(network):
        network.attesting.config_changes.update(changes)
    return change


def config_by_another_key(network):
    network.attesting.config_key = other_key(network)


def answer(path, *what):
    def change(network):
        network.attesting.answers[path] = what
    return change


DOCUMENT, CONFIG = '/enclave/attestation', '/v1/ohttp/config'
UNREAD = {check: None for check in CHECKS[CHECKS.index('form'):CHECKS.index('ohttp_config')]}
NO_DOCUMENT = {**UNREAD, 'form': 'attestation_encoding'}
UNTRUSTED = {check: code for check, code in UNREAD.items() if check != 'form'}

FAULTS = {
    'pcr': (set_pcrs, {'pcr_hash': 'attestation_pcr'}),
    'debug-mode': (set_debug, {'debug': 'attestation_debug'}),
    'signing-key': (set_user_data(lambda e: nitro.user_data(e.certificate, e.der + b'x')), {'signing_key': 'attestation_key'}),
    'tls-certificate': (set_user_data(lambda e: nitro.user_data(e.certificate + b'x', e.der)), {'tls_certificate': 'attestation_tls'}),
    'keys-swapped': (set_user_data(lambda e: nitro.user_data(e.der, e.certificate)),
                     {'signing_key': 'attestation_key', 'tls_certificate': 'attestation_tls'}),
    'no-user-data': (set_user_data(lambda e: None),
                     {'user_data': 'attestation_user_data', 'signing_key': None, 'tls_certificate': None}),
    'short-user-data': (set_user_data(lambda e: nitro.user_data(e.certificate, e.der)[:-1]),
                        {'user_data': 'attestation_user_data', 'signing_key': None, 'tls_certificate': None}),
    'other-multihash': (set_user_data(lambda e: b'\x13' + nitro.user_data(e.certificate, e.der)[1:]),
                        {'user_data': 'attestation_user_data', 'signing_key': None, 'tls_certificate': None}),
    'nonce': (set_nonce(bytes(20)), {'nonce': 'attestation_nonce'}),
    'no-nonce': (set_nonce(None), {'nonce': 'attestation_nonce'}),
    'null-nonce': (set_nonce(Raw(b'\xf6')), {'nonce': 'attestation_nonce'}),
    'empty-nonce': (set_nonce(b''), {'nonce': 'attestation_nonce'}),
    'old': (set_time(20), {'fresh': 'attestation_time'}),
    'future': (set_time(-20), {'fresh': 'attestation_time'}),
    'foreign-root': (foreign_root, {**UNTRUSTED, 'chain': 'attestation_root'}),
    'expired': (set_authority(leaf={'before': -7200, 'after': -3600}), {**UNTRUSTED, 'chain': 'attestation_validity'}),
    'no-ca': (set_authority(second={'ca': False, 'usage': nitro.CA_USAGE}), {**UNTRUSTED, 'chain': 'attestation_certificate'}),
    'signed-by-another': (other_signature, {**{k: v for k, v in UNTRUSTED.items() if k != 'chain'}, 'signature': 'attestation_signature'}),
    'not-base64': (answer(DOCUMENT, 200, b'<html>'), NO_DOCUMENT),
    'empty': (answer(DOCUMENT, 200, b''), NO_DOCUMENT),
    'not-cose': (answer(DOCUMENT, 200, b'9g=='), {**UNREAD, 'form': 'attestation_cose'}),
    'config-key': (set_config(public_key=bytes(range(32))), {'ohttp_config': 'attestation_ohttp'}),
    'config-key-id': (set_config(key_id=200), {'ohttp_config': 'attestation_ohttp'}),
    'config-suite': (set_config(aead_id=1), {'ohttp_config': 'attestation_ohttp'}),
    'config-tee-id': (set_config(tee_id='0x' + '11' * 32), {'ohttp_config': 'attestation_ohttp'}),
    'config-blob': (set_config(key_config=b'\x01'), {'ohttp_config': 'attestation_ohttp'}),
    'config-signature': (config_by_another_key, {'ohttp_config': 'attestation_ohttp'}),
    'config-not-json': (answer(CONFIG, 200, b'<html>'), {'ohttp_config': 'attestation_ohttp'}),
    'config-missing': (answer(CONFIG, 404, b''), {'ohttp_config': 'broken_answer'}),
    'config-endless': (answer(CONFIG, 200, bytes(70000)), {'ohttp_config': 'answer_too_large'}),
    'config-elsewhere': (answer(CONFIG, 302, b'', [('Location', '/elsewhere')]), {'ohttp_config': 'broken_answer'}),
}


@pytest.mark.parametrize('name', FAULTS)
def test_faults(network, name):
    change, expected = FAULTS[name]
    change(network)
    report = network.report()
    assert failures(report) == expected and report['attested'] is False
    assert all(check['message'] for check in report['checks'] if check['state'] == 'failed')


@pytest.mark.parametrize('name, status, headers, word', [('missing', 404, [], '404'), ('error', 500, [], '500'),
                                                         ('elsewhere', 302, [('Location', '/elsewhere')], '302')])
def test_no_document_at_all(network, name, status, headers, word):
    """No report, one sentence; nobody is sent elsewhere."""
    network.attesting.answers[DOCUMENT] = (status, b'', headers)
    done = network.attest('--json')
    assert done.returncode == 1 and done.stdout == b'' and word in done.stderr.decode().splitlines()[-1]
    assert [message.target.split('?')[0] for message in network.attesting.seen] == [DOCUMENT]


def test_document_without_end(network):
    network.attesting.answers[DOCUMENT] = (200, b'A' * 70000)
    done = network.attest('--json')
    assert done.returncode == 1 and done.stdout == b'' and 'larger' in done.stderr.decode()


def test_nobody_there(network):
    network.attesting.close()
    done = network.attest()
    assert done.returncode == 1 and done.stdout == b'' and 'could not be reached' in done.stderr.decode().splitlines()[-1]


def test_cookies_are_not_kept(network):
    body = network.attesting.document(bytes(20))
    network.attesting.answers[DOCUMENT] = (200, body, [('Set-Cookie', 'who=you; Path=/')])
    network.report()
    assert all(message.get('cookie') is None for message in network.attesting.seen)


# TLS: the registered certificate, and no other, whoever vouches for that.


def test_other_certificate(tmp_path):
    """Of the same name, and asked for nothing: no nonce, no path is shown to whoever that is."""
    other = Enclave(9)
    network = Network(tmp_path, tls=context_for(other.signing_key, other.certificate))
    report = network.report()
    assert failures(report) == {**UNREAD, 'connection': 'attestation_tls', 'ohttp_config': None}
    assert report['document'] is None and not network.attesting.seen
    network.close()


def test_other_certificate_of_the_same_key(tmp_path):
    enclave = Enclave(1)  # the peer's first has this key, too
    network = Network(tmp_path, tls=context_for(enclave.signing_key, enclave._certificate()))
    assert failures(network.report())['connection'] == 'attestation_tls' and not network.attesting.seen
    network.close()


def test_plain_http_on_loopback(tmp_path):
    network = Network(tmp_path, tls=None)
    report = network.report()
    assert failures(report) == {} and [check['check'] for check in report['checks']] == CHECKS[1:]
    network.close()


def test_no_certificate_registered(tmp_path):
    """The hash of nothing is not that of a certificate."""
    network = Network(tmp_path, tls=None)
    network.enclave.certificate = b''
    assert failures(network.report()) == {'tls_certificate': 'attestation_tls'}
    network.close()


@pytest.mark.parametrize('endpoint', ['http://tee.example', 'ftp://127.0.0.1', 'https://me@127.0.0.1', 'https://127.0.0.1/?x=', '127.0.0.1', 'https://127.0.0.1:0',
                                      'https://127.0.0.1/#x'])
def test_endpoints_that_may_not_be_asked(network, endpoint):
    network.enclave.endpoint = endpoint
    done = network.attest()
    assert done.returncode in (1, 2) and done.stdout == b'' and 'address' in done.stderr.decode().splitlines()[-1]
    assert not network.attesting.seen


def test_endpoint_with_a_path(tmp_path):
    network = Network(tmp_path, tls=None)
    network.enclave.endpoint += '/'
    assert network.report()['holds']
    network.close()


# Whose root counts.


def test_foreign_chain_outside_the_sandbox(tmp_path):
    """A bundle of any other network cannot name a root: AWS's counts."""
    network = Network(tmp_path, app_env='production')
    report = network.report()
    assert report['sandbox'] is False and report['attested'] is False
    assert failures(report) == {**UNTRUSTED, 'chain': 'attestation_root'}
    done = network.attest()
    assert done.stdout.decode().splitlines()[-1] == '✗ not attested' and b'sandbox' not in done.stdout
    assert b'sandbox_attestation_root' not in (tmp_path / 'session.json').read_bytes()
    network.close()


def test_sandbox_without_a_root(tmp_path):
    network = Network(tmp_path, root=False)
    done = network.attest()
    assert done.returncode == 1 and done.stdout == b'' and not network.attesting.seen
    network.close()


def test_sandbox_with_another_root(tmp_path):
    aws = bytes.fromhex('641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b')
    network = Network(tmp_path, root=aws)
    assert failures(network.report())['chain'] == 'attestation_root'
    network.close()


def test_root_that_is_none(tmp_path):
    with Peer(1, 'sandbox') as peer:
        for root in ('12', 'x' * 64, 7):
            done = run('login', '--manual', '--session-store', 'file', home=tmp_path,
                       input=json.dumps(peer.bundle(sandbox_attestation_root=root)).encode())
            assert done.returncode == 1 and b'sandbox_attestation_root' in done.stderr


# Consent.


def test_consent_is_needed(network):
    """Without a terminal: --yes, or nothing is asked, of nobody."""
    done = network.attest(yes=False)
    assert done.returncode == 2 and done.stdout == b'' and '--yes' in done.stderr.decode()
    assert not network.attesting.seen and not network.peer.rpc_calls


@pytest.mark.parametrize('reply, asked', [(b'y\n', True), (b'n\n', False), (b'\n', False), (b'\x04', False)], ids=['yes', 'no', 'enter', 'end'])
def test_consent_at_a_terminal(network, reply, asked):
    master, slave = pty.openpty()
    command = [OG_VEIL, 'tees', '--attest', network.enclave.tee_id, '--session-store', 'file', '--home', str(network.home)]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment(), start_new_session=True)
    os.close(slave)
    shown, deadline = b'', time.monotonic() + DEADLINE
    while b'[y/N]' not in shown:
        assert select.select([master], [], [], max(0, deadline - time.monotonic()))[0], shown
        shown += os.read(master, 65536)
    assert not network.attesting.seen and b"this machine's address" in shown
    os.write(master, reply)
    with contextlib.suppress(OSError):  # the end of the other side
        while select.select([master], [], [], max(0, deadline - time.monotonic()))[0]:
            data = os.read(master, 65536)
            if not data:
                break
            shown += data
    assert (process.wait(DEADLINE) == 0) == asked and bool(network.attesting.seen) == asked
    os.close(master)
    assert_no_report(shown)


def test_words(network):
    """Called in a wrong way; and an id that the registry does not list."""
    for arguments in (['tees', '--attest', 'xyz', '--yes'], ['tees', '--attest', '0x' + '1' * 63, '--yes'], ['tees', '--yes'], ['tees', '--attest'],
                      ['tees', 'select', 'auto', '--attest', '1' * 64]):
        done = run(*arguments, home=network.home)
        assert done.returncode == 2 and done.stdout == b'', arguments
    done = network.attest(tee_id='22' * 32)
    assert done.returncode == 1 and '0x' + '22' * 32 in done.stderr.decode() and not network.attesting.seen
    done = network.attest(tee_id=network.enclave.tee_id[2:].upper())
    assert done.returncode == 0


def test_pins(network):
    other, own = '0x' + '11' * 32, '0x' + network.enclave.pcr_hash.hex()
    for pins, failed in (([other], {'pin': 'pin_mismatch'}), ([other, own], {})):
        report = network.report(*[word for pin in pins for word in ('--expected-pcr', pin)])
        assert failures(report) == failed and 'pin' in [check['check'] for check in report['checks']]


# The sandbox.


@pytest.fixture(scope='module')
def sandbox(tmp_path_factory):
    running = Sandbox.start()
    running.home = tmp_path_factory.mktemp('sandbox')
    sign_in(running.home, running.bundle)
    yield running
    running.stop()


def sandbox_report(sandbox, tee, *args):
    done = run('tees', '--attest', tee['tee_id'], '--yes', '--json', '--session-store', 'file', *args, home=sandbox.home)
    report = json.loads(done.stdout)
    assert report['holds'] == (done.returncode == 0) and report['sandbox'] and not report['attested']
    return report


def test_sandbox_enclaves(sandbox):
    for tee in sandbox.stats()['tees']:
        report = sandbox_report(sandbox, tee)
        assert failures(report) == {} and report['document']['pcr_hash'] == tee['pcr_hash']


def test_sandbox_after_a_rotation(sandbox):
    sandbox.control('rotate', {})
    for tee in sandbox.stats()['tees']:
        assert sandbox_report(sandbox, tee)['holds']


def test_sandbox_of_a_running_server(tmp_path):
    """`og-veil serve --sandbox` runs a helper of its own, which tells the root to nobody else."""
    veil = Veil(tmp_path, '--sandbox')
    [tee, *_] = Sandbox.of(veil).stats()['tees']
    done = run('tees', '--attest', tee['tee_id'], '--yes', '--json', home=veil.home / 'home')
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report['holds'] and report['sandbox'] and not report['attested']
    veil.stop()


SANDBOX_FAULTS = {
    'attest-encoding': ('form', 'attestation_encoding'),
    'attest-root': ('chain', 'attestation_root'),
    'attest-expired': ('chain', 'attestation_validity'),
    'attest-signature': ('signature', 'attestation_signature'),
    'attest-old': ('fresh', 'attestation_time'),
    'attest-nonce': ('nonce', 'attestation_nonce'),
    'attest-debug': ('debug', 'attestation_debug'),
    'attest-pcr': ('pcr_hash', 'attestation_pcr'),
    'attest-user-data': ('user_data', 'attestation_user_data'),
    'attest-key': ('signing_key', 'attestation_key'),
    'attest-tls': ('tls_certificate', 'attestation_tls'),
    'attest-ohttp-key': ('ohttp_config', 'attestation_ohttp'),
    'attest-ohttp-signature': ('ohttp_config', 'attestation_ohttp'),
}


UNANSWERED = {'attest-500': b'500', 'attest-hang': b'did not answer'}


@pytest.mark.parametrize('name', SANDBOX_FAULTS)
def test_sandbox_faults(sandbox, name):
    check, code = SANDBOX_FAULTS[name]
    sandbox.control('fault', {'fault': name})
    failed = failures(sandbox_report(sandbox, sandbox.stats()['tees'][0]))
    sandbox.control('fault', {'fault': None})
    assert failed[check] == code and not {c for c, why in failed.items() if why and c not in (check, 'pcr_hash')}


@pytest.mark.parametrize('name', UNANSWERED)
def test_sandbox_that_does_not_answer(sandbox, name):
    sandbox.control('fault', {'fault': name})
    done = run('tees', '--attest', sandbox.stats()['tees'][0]['tee_id'], '--yes', '--session-store', 'file', home=sandbox.home)
    sandbox.control('fault', {'fault': None})
    assert done.returncode == 1 and done.stdout == b'' and UNANSWERED[name] in done.stderr


# Pins of builds that were reproduced.

PCRS = ['9baef83909784e4d2cb84466c02931bb8125e948b62029029e80bfa1698bfd7069408e4ab20d1c99c859e8f774cce0ff',
        '4b4d5b3661b3efc12920900c80e126e4ce783c522de6c02a2a5bf7af3a2b9327b86776f188e4be1c1c404a129dbda493',
        '769925c8ae0c5c2d1aa86de149213b1c5dec642557bf0c426c6581f0e562a042d1c7d2578443515d103f74ce55337666']
PIN = '0x8082af22571613eabd5dad9c7e857c4f16154ded3d387386d8193b53906f6a24'
WORDS = [word for n, pcr in enumerate(PCRS) for word in ('--pcr%d' % n, pcr)]
JSON = json.dumps({'Measurements': {'HashAlgorithm': 'Sha384 { ... }', **{'PCR%d' % n: pcr for n, pcr in enumerate(PCRS)}}})
LINES = ''.join('PCR%d: %s\n' % row for row in enumerate(PCRS))


def compute(home, *args, input=b''):
    return run('pin', 'compute', *args, home=home, input=input)


def test_pin_is_that_of_the_chain():
    assert PIN == '0x' + crypto.keccak256(bytes.fromhex(''.join(PCRS))).hex()


def test_compute(tmp_path):
    for text in (JSON, LINES):
        (tmp_path / 'measurements.txt').write_text(text)
        done = compute(tmp_path / 'home', '--measurements', str(tmp_path / 'measurements.txt'))
        assert (done.returncode, done.stdout, done.stderr) == (0, PIN.encode() + b'\n', b'')
        assert compute(tmp_path / 'home', '--measurements', '-', input=text.encode()).stdout == PIN.encode() + b'\n'
    assert compute(tmp_path / 'home', *WORDS).stdout == PIN.encode() + b'\n'
    assert compute(tmp_path / 'home', *[w.upper() if len(w) > 9 else w for w in WORDS]).stdout == PIN.encode() + b'\n'
    assert json.loads(run('pin', 'list', '--json', home=tmp_path / 'home').stdout) == [], 'nothing was pinned'


def test_compute_and_add(tmp_path):
    done = compute(tmp_path, *WORDS, '--add', '--label', 'made by me')
    assert done.returncode == 0 and done.stdout.decode().splitlines() == [PIN, 'pinned ' + PIN]
    assert json.loads(run('pin', 'list', '--json', home=tmp_path).stdout) == [{'pcr_hash': PIN, 'label': 'made by me'}]


@pytest.mark.parametrize('arguments, word', [
    ([], '--pcr0'), (WORDS[:4], '--pcr0'), (WORDS + ['--measurements', 'x'], '--pcr0'), (WORDS[:4] + ['--pcr2', 'xyz'], 'PCR2'),
    (WORDS[:4] + ['--pcr2', PCRS[2][2:]], 'PCR2'), (WORDS[:4] + ['--pcr2', '00' * 48], 'debug'), (WORDS + ['--label', 'x'], '--label'),
    (WORDS + ['--json'], '--json'), (WORDS + ['extra'], 'compute'),
], ids=str)
def test_compute_called_wrong(tmp_path, arguments, word):
    done = compute(tmp_path, *arguments)
    assert done.returncode == 2 and done.stdout == b'' and word in done.stderr.decode()


def test_options_of_compute_elsewhere(tmp_path):
    for arguments in (['list', '--add'], ['add', PIN, '--pcr0', PCRS[0]], ['remove', PIN, '--measurements', 'x']):
        done = run('pin', *arguments, home=tmp_path)
        assert done.returncode == 2 and b'compute' in done.stderr


def test_measurements_that_cannot_be_used(tmp_path):
    file = tmp_path / 'measurements.txt'
    for text, word in ((b'', 'PCR0'), (LINES.replace('PCR1', 'PCR3').encode(), 'all of'), (JSON.replace('Sha384', 'Sha256').encode(), 'HashAlgorithm'),
                       (b'{', 'JSON'), (LINES.encode() * 400, '64 KiB'), (b'\xff\xfe', 'UTF-8')):
        file.write_bytes(text)
        done = compute(tmp_path / 'home', '--measurements', str(file), '--add')
        assert done.returncode == 2 and done.stdout == b'' and word in done.stderr.decode()
    for name in (tmp_path / 'nothing', tmp_path):
        done = compute(tmp_path / 'home', '--measurements', str(name))
        assert done.returncode == 1 and done.stdout == b'' and str(name) in done.stderr.decode()
    done = compute(tmp_path / 'home', '--measurements', '/dev/zero')
    assert done.returncode == 2 and '64 KiB' in done.stderr.decode()
    assert json.loads(run('pin', 'list', '--json', home=tmp_path / 'home').stdout) == []

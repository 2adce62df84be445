# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Registries that lie, break or stall while an enclave works: the choice stays, time and memory are bounded."""

import contextlib
import pathlib
import re
import socket
import ssl
import threading

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from program import PeerVeil, wait_until
from registry_faults import BROKEN
from veil_peer import Peer


@pytest.fixture
def own():
    with Peer() as running:
        yield running


def start(tmp_path, peer, *args, **kwargs):
    return PeerVeil(tmp_path / 'veil', peer, *args, **kwargs)


@pytest.fixture(scope='module')
def settled(tmp_path_factory):
    """og-veil with a choice made, that reads the registry every second."""
    with Peer() as peer:
        running = PeerVeil(tmp_path_factory.mktemp('settled'), peer, '--refresh-interval', '1')
        yield running, peer
        peer.registry_handler = None
        running.stop()


def peak_kb(veil):
    return int(re.search(r'VmHWM:\s+(\d+)', pathlib.Path('/proc/%d/status' % veil.process.pid).read_text())[1])


@pytest.mark.parametrize('name', BROKEN)
def test_hostile_registry_leaves_the_choice(settled, name):
    """The current choice is kept, requests wait for nothing, memory stays bounded, and the log names the registry."""
    veil, peer = settled
    chosen = veil.ask('x', 'x').header('X-OpenGradient-TEE-Id')
    memory, logged = peak_kb(veil), len(veil.stderr())
    assert chosen
    peer.registry_handler = BROKEN[name](peer)
    wait_until(lambda: b'The registry at 127.0.0.1 could not be read' in veil.stderr()[logged:], what='the refresh to fail')
    peer.registry_handler = BROKEN[name](peer) if name != 'fifty-megabytes' else None
    for _ in range(3):
        reply = veil.ask('x', 'x')
        assert reply.status == 200 and reply.header('X-OpenGradient-TEE-Id') == chosen
    assert veil.health()['status'] == 'ok'
    assert peak_kb(veil) - memory < 45 * 1024, 'of 50 MB that came, 8 are looked at'
    peer.registry_handler = None
    calls = len(peer.rpc_calls)
    assert peer.wait(lambda: len(peer.rpc_calls) > calls), 'it is read again'


def test_slow_registry(own, tmp_path):
    """A byte now and then: while it lasts the choice is used on, and it does not last for ever."""
    def drip(message, call):
        message.start(200, [('Content-Type', 'application/json')])
        while True:
            message.write_chunk(b' ')
            if message.wait_hang_up(0.02):
                return message.close()

    veil = start(tmp_path, own, '--refresh-interval', '1')
    chosen = veil.ask('x', 'x').header('X-OpenGradient-TEE-Id')
    own.registry_handler = drip
    calls = len(own.rpc_calls)
    assert own.wait(lambda: len(own.rpc_calls) > calls)
    for _ in range(5):
        assert veil.ask('x', 'x').header('X-OpenGradient-TEE-Id') == chosen
    wait_until(lambda: b'could not be read' in veil.stderr(), 40, 'the deadline of the reading')
    assert veil.ask('x', 'x').header('X-OpenGradient-TEE-Id') == chosen
    veil.stop()


def test_registry_with_a_certificate_that_nobody_vouches_for(own, tmp_path):
    """TLS errors are fatal: nothing is asked, and the error names the registry."""
    enclave, path = own.enclaves[0], tmp_path / 'own.pem'
    path.write_bytes(enclave.signing_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                     + ssl.DER_cert_to_PEM_cert(enclave.certificate).encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    listener = socket.create_server(('127.0.0.1', 0))
    got = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                plain_socket, _ = listener.accept()
                with contextlib.suppress(OSError), context.wrap_socket(plain_socket, server_side=True) as tls:
                    got.append(tls.recv(65536))

    thread = threading.Thread(target=serve)
    thread.start()
    veil = start(tmp_path, own, tee_registry_rpc_url='https://127.0.0.1:%d/rpc' % listener.getsockname()[1])
    reply = veil.ask('x', 'x')
    assert reply.status == 503 and reply.error['code'] == 'registry' and 'The registry at 127.0.0.1' in reply.error['message'], reply.error
    veil.stop()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)
    assert not any(got), 'something was sent over an unverified connection'

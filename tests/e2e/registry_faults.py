# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What a registry can answer that is no answer: handlers for the peer, by name."""

import json


def reply_json(value):
    return lambda message, call: message.respond(200, json.dumps({'jsonrpc': '2.0', 'id': call['id'], **value}).encode(),
                                                 [('Content-Type', 'application/json')])


def changed(change):
    """The honest return data, changed."""
    def handler(peer):
        return lambda message, call: peer.answer_rpc(message, call, change(bytearray(peer.active_tees(call))))
    return handler


def plain(handler):
    return lambda peer: handler


BROKEN = {
    '500': plain(lambda message, call: message.respond(500, b'{}')),
    '404': plain(lambda message, call: message.respond(404, b'')),
    'redirect': plain(lambda message, call: message.respond(307, b'', [('Location', '/elsewhere')])),
    'html': plain(lambda message, call: message.respond(200, b'<html>', [('Content-Type', 'text/html')])),
    'empty-body': plain(lambda message, call: message.respond(200, b'')),
    'rpc-error': plain(reply_json({'error': {'code': -32000, 'message': 'execution reverted'}})),
    'error-and-result': plain(reply_json({'error': {'code': 1, 'message': 'x'}, 'result': '0x'})),
    'no-result': plain(reply_json({})),
    'null-result': plain(reply_json({'result': None})),
    'number-result': plain(reply_json({'result': 7})),
    'no-code-at-the-address': plain(reply_json({'result': '0x'})),
    'odd-digits': plain(reply_json({'result': '0x0'})),
    'not-hex': plain(reply_json({'result': '0xzz'})),
    'cut': changed(lambda data: bytes(data[:-64])),
    'cut-early': changed(lambda data: bytes(data[:100])),
    'huge-count': changed(lambda data: bytes(data[:32]) + b'\xff' * 32 + bytes(data[64:])),
    'huge-offset': changed(lambda data: b'\xff' * 32 + bytes(data[32:])),
    'close': plain(lambda message, call: message.close()),
    'reset': plain(lambda message, call: message.reset()),
    'huge-length': changed(lambda data: bytes(data).replace((294).to_bytes(32, 'big'), b'\xff' * 32, 1)),
    'length-that-wraps': changed(lambda data: bytes(data).replace((294).to_bytes(32, 'big'), ((1 << 64) - 31).to_bytes(32, 'big'), 1)),
    'offset-past-the-end': changed(lambda data: bytes(data[:64]) + (1 << 20).to_bytes(32, 'big') + bytes(data[96:])),
    'offset-that-wraps': changed(lambda data: bytes(data[:64]) + ((1 << 64) - 32).to_bytes(32, 'big') + bytes(data[96:])),
    'overlapping-tails': changed(lambda data: bytes(data[:96]) + bytes(data[64:96]) + bytes(data[128:])),
    'more-than-announced': changed(lambda data: bytes(data) + bytes(32)),
    'wrong-id': plain(lambda message, call: message.respond(200, json.dumps({'jsonrpc': '2.0', 'id': call['id'] + 1, 'result': '0x'}).encode(),
                                                            [('Content-Type', 'application/json')])),
    'fifty-megabytes': plain(reply_json({'result': '0x' + '00' * (25 << 20)})),
    'endless': plain(lambda message, call: [message.start(200, [('Content-Type', 'application/json')])] + [message.write_chunk(b' ' * 65536) for _ in range(4096)]),
}

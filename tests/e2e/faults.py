# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What the independent peer can do wrong, and what it may do otherwise: functions of one exchange."""

import base64
import gzip
import itertools
import json
import os
import time
import zlib

from veil_peer import answers, crypto
from veil_peer.http import HungUp

LEAK = 'must never be seen unverified'
TEXTS = ['must never ', 'be seen ', 'unverified']
CALLS = [answers.call('call_1', 'leaked_tool', '{"leak": 1}')]


def events(ex, sign=None, texts=TEXTS):
    return answers.text_events(ex, texts, sign)


def send(ex, single=None, stream=None, sign=None):
    """Single or stream, as asked; @single and @stream bend the honest form. None drops a part."""
    if ex.stream:
        rows = events(ex, sign)
        answers.send_stream(ex, (stream or (lambda x: x))(rows))
    else:
        body = answers.signed_completion(ex, LEAK, sign=sign)
        answers.send_single(ex, (single or (lambda x: x))(body))


def value_of(row):
    return json.loads(row[6:])


def signed_fields(change):
    """Changes the object that carries the tee_* fields."""
    def apply_stream(rows):
        signed = value_of(rows[-2])
        change(signed)
        return rows[:-2] + [answers.event(signed), rows[-1]]

    def apply_single(body):
        change(body)
        return body

    return lambda ex: send(ex, apply_single, apply_stream)


def signing(**lies):
    def handler(ex):
        sign = {k: (v(ex) if callable(v) else v) for k, v in lies.items()}
        send(ex, sign=sign)
    return handler


def other(ex):
    return next(e for e in ex.peer.enclaves if e is not ex.enclave)


def without(name):
    return signed_fields(lambda signed: signed.pop(name))


def with_value(name, value):
    return signed_fields(lambda signed: signed.update({name: value}))


def flip_signature(signed):
    raw = bytearray(base64.b64decode(signed['tee_signature']))
    raw[100] ^= 4
    signed['tee_signature'] = base64.b64encode(raw).decode()


# The seal.

def sealed_single(change):
    """@change: sealed bytes to sealed bytes."""
    def handler(ex):
        text = json.dumps(answers.signed_completion(ex, LEAK)).encode()
        ex.http.respond(200, change(ex.request.seal_single(text)), [('Content-Type', 'message/ohttp-res')])
    return handler


def send_parts(ex, parts):
    ex.http.start(200, answers.STREAM_TYPE)
    for part in parts:
        ex.http.write_chunk(part)
    ex.http.end_chunks()


def sealed_parts(change):
    """@change: the list (nonce, chunk, chunk, ..., final) to another list."""
    return lambda ex: send_parts(ex, change(answers.seal_events(ex, events(ex))))


def flip(data, at=-1):
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


def swap(parts, i, j):
    parts[i], parts[j] = parts[j], parts[i]
    return parts


def chunker(build):
    """@build: (sealer, events) to a list of parts."""
    def handler(ex):
        sealer = ex.request.sealer()
        send_parts(ex, [sealer.response_nonce] + build(sealer, events(ex)))
    return handler


def foreign_secret(ex):
    """Sealed with the other of the two exported secrets."""
    if ex.stream:
        sealer = crypto.Sealer(ex.request.enc, ex.request.response_secret)
        rows = events(ex)
        send_parts(ex, [sealer.response_nonce] + [sealer.chunk(r) for r in rows[:-1]] + [sealer.final(rows[-1])])
    else:
        sealer = ex.request.sealer()
        text = json.dumps(answers.signed_completion(ex, LEAK)).encode()
        ex.http.respond(200, sealer.response_nonce + sealer.seal(text, b''), [('Content-Type', 'message/ohttp-res')])


def replayed(ex):
    """The answer of an earlier, equal request, as the relay could have kept it."""
    kept = getattr(ex.peer, 'kept', None)
    text = json.dumps(answers.signed_completion(ex, LEAK)).encode()
    sealed = ex.request.seal_single(text)
    ex.peer.kept = sealed
    ex.http.respond(200, kept or sealed, [('Content-Type', 'message/ohttp-res')])


def inside(plaintext):
    """Correctly sealed, whatever it is."""
    def handler(ex):
        if ex.stream:
            answers.send_stream(ex, [plaintext, answers.DONE])
        else:
            answers.send_single(ex, plaintext)
    return handler


# What is signed, and what only stands beside it.

def beside_text(message):
    """A correctly signed text with something in the message that nothing signs."""
    def handler(ex):
        if ex.stream:
            rows = events(ex)
            rows.insert(1, answers.event(answers.frame(ex, message)))
            answers.send_stream(ex, rows)
        else:
            body = answers.signed_completion(ex, LEAK)
            body['choices'][0]['message'].update(message)
            answers.send_single(ex, body)
    return handler


def delta_calls(ex):
    calls = [{**call, 'index': i} for i, call in enumerate(CALLS)]
    return beside_text({'tool_calls': calls if ex.stream else CALLS})(ex)


def second_choice(ex):
    extra = {'index': 1, 'message': {'role': 'assistant', 'content': LEAK}, 'finish_reason': 'stop'}
    if ex.stream:
        rows = events(ex)
        frame = answers.frame(ex, {'content': LEAK})
        frame['choices'][0]['index'] = 1
        rows.insert(1, answers.event(frame))
        answers.send_stream(ex, rows)
    else:
        body = answers.signed_completion(ex, LEAK)
        body['choices'].append(extra)
        answers.send_single(ex, body)


def second_choice_in_one_frame(ex):
    rows = events(ex)
    frame = value_of(rows[0])
    frame['choices'].append({'index': 1, 'delta': {'content': LEAK}, 'finish_reason': None})
    answers.send_stream(ex, [answers.event(frame)] + rows[1:])


def duplicated(key, first):
    """@key twice in one object: lenient readers take one, others the other."""
    def handler(ex):
        def twice(text):
            at = text.index(b'"%s":' % key.encode())
            return text[:at] + b'"%s": %s, ' % (key.encode(), json.dumps(first).encode()) + text[at:]
        if ex.stream:
            rows = events(ex)
            index = 0 if key in ('content', 'delta') else -2
            rows[index] = twice(rows[index])
            answers.send_stream(ex, rows)
        else:
            answers.send_single(ex, twice(json.dumps(answers.signed_completion(ex, LEAK)).encode()))
    return handler


def changed_text(ex):
    def single(body):
        body['choices'][0]['message']['content'] += '!'
        return body

    def stream(rows):
        return [rows[0], answers.event(answers.frame(ex, {'content': '!'}))] + rows[1:]
    send(ex, single, stream)


def changed_calls(ex):
    changed = [answers.call('call_1', 'leaked_tool', '{"leak": 2}')]
    if ex.stream:
        answers.send_stream(ex, answers.call_events(ex, changed, signed_calls=CALLS))
    else:
        body = answers.completion(ex, None, changed)
        answers.send_single(ex, {**body, **ex.sign(answers.calls_output(CALLS))})


def calls_signed_as_text(ex):
    """The signature is over the text, the finish reason says tool calls."""
    if ex.stream:
        rows = answers.call_events(ex, CALLS)
        signed = answers.frame(ex, {}, 'tool_calls', **ex.sign(answers.text_output('')))
        answers.send_stream(ex, rows[:-2] + [answers.event(signed), answers.DONE])
    else:
        answers.send_single(ex, {**answers.completion(ex, '', CALLS), **ex.sign(answers.text_output(''))})


def finished_with(reason):
    def change(signed):
        signed['choices'][0]['finish_reason'] = reason
    return signed_fields(change)


def error_frame(error):
    return lambda ex: answers.send_stream(ex, events(ex)[:2] + [answers.event({'error': error})])


def rows(change):
    return lambda ex: answers.send_stream(ex, change(ex, events(ex)))


def inner(status, body):
    return lambda ex: answers.send_single(ex, {'status': status, 'body': body})


# HTTP.

def sealed_text(ex):
    if ex.stream:
        return b''.join(answers.seal_events(ex, events(ex)))
    return ex.request.seal_single(json.dumps(answers.signed_completion(ex, LEAK)).encode())


def type_of(ex):
    return 'message/ohttp-chunked-res' if ex.stream else 'message/ohttp-res'


def typed(value):
    return lambda ex: ex.http.respond(200, sealed_text(ex), [('Content-Type', value)] if value else [])


def swapped_type(ex):
    ex.http.respond(200, sealed_text(ex), [('Content-Type', 'message/ohttp-res' if ex.stream else 'message/ohttp-chunked-res')])


def status(code, body=None, headers=()):
    text = json.dumps({'detail': 'the relay says no'} if body is None else body).encode()
    return lambda ex: ex.http.respond(code, text, [('Content-Type', 'application/json'), *headers])


def empty(ex):
    ex.http.respond(200, b'', [('Content-Type', type_of(ex))])


def gzipped(ex):
    ex.http.respond(200, gzip.compress(sealed_text(ex)), [('Content-Type', type_of(ex)), ('Content-Encoding', 'gzip')])


def gzip_bomb(ex):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b''.join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()
    ex.http.respond(200, bomb, [('Content-Type', type_of(ex)), ('Content-Encoding', 'gzip')])


def header_bomb(ex):
    """Header lines without end; gives up when the other side has."""
    ex.http.close()
    ex.http.write(b'HTTP/1.1 200 OK\r\n')
    for _ in range(4096):
        ex.http.write(b''.join(b'X-Filler-%d: %s\r\n' % (i, b'x' * 1000) for i in range(16)))


def informational_flood(ex):
    ex.http.close()
    for _ in range(200000):
        ex.http.write(b'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n')


def drip_without_end(ex):
    """Sealed comments for as long as anybody listens, up to four times the cap."""
    ex.http.start(200, answers.STREAM_TYPE if ex.stream else [('Content-Type', type_of(ex))])
    sealer = ex.request.sealer()
    ex.http.write_chunk(sealer.response_nonce)
    for _ in range(1024):
        ex.http.write_chunk(sealer.chunk(b': still thinking\n\n' * 15000))
    ex.http.end_chunks()


def too_long(ex):
    """A length beyond the cap, announced."""
    ex.http.close()
    ex.http.start(200, [('Content-Type', type_of(ex))], 65 << 20)
    for _ in range(65):
        ex.http.write(os.urandom(1 << 16) * 16)


def cut_body(ex):
    data = sealed_text(ex)
    ex.http.close()
    ex.http.start(200, [('Content-Type', type_of(ex))], len(data) + 1)
    ex.http.write(data)


def cut_chunked(keep):
    """So much of the sealed answer, and no end of the HTTP body."""
    def handler(ex):
        ex.http.close()
        ex.http.start(200, [('Content-Type', type_of(ex))])
        ex.http.write_chunk(sealed_text(ex)[:keep])
    return handler


def reset_inside(ex):
    ex.http.start(200, [('Content-Type', type_of(ex))])
    ex.http.write_chunk(sealed_text(ex)[:100])
    ex.http.reset()


def hang(ex):
    ex.hold(60)


def stall(ex):
    data = sealed_text(ex)
    ex.http.start(200, [('Content-Type', type_of(ex))], len(data))
    ex.http.write(data[:len(data) // 2])
    ex.hold(60)


def trickle(ex, pieces_):
    """One piece every 20 ms until the other side leaves."""
    for piece in pieces_:
        try:
            ex.http.write(piece)
        except HungUp:
            break
        if ex.http.wait_hang_up(0.02):
            break
    ex.hung_up.set()
    ex.http.close()


def drip_slowly(ex):
    """Sealed comments for ever, or a body whose end is far away."""
    sealer = ex.request.sealer()
    if ex.stream:
        ex.http.start(200, answers.STREAM_TYPE)
        ex.http.write_chunk(sealer.response_nonce)
        chunks = (sealer.chunk(b': thinking\n\n') for _ in itertools.count())
        trickle(ex, (b'%x\r\n%s\r\n' % (len(chunk), chunk) for chunk in chunks))
    else:
        ex.http.start(200, [('Content-Type', type_of(ex))], 1 << 20)
        trickle(ex, itertools.repeat(b'x'))


def drip_headers(ex):
    ex.http.write(b'HTTP/1.1 200 OK\r\n')
    trickle(ex, itertools.repeat(b'X-More: y\r\n'))


def not_http(ex):
    ex.http.close()
    ex.http.write(b'SSH-2.0-OpenSSH_9.2p1\r\n\r\n')


# Unusual, and fine.

def in_pieces(size):
    """The body in HTTP chunks of @size bytes."""
    def handler(ex):
        data = sealed_text(ex)
        ex.http.start(200, [('Content-Type', type_of(ex))])
        ex.http.write(b''.join(b'%x\r\n%s\r\n' % (len(data[at:at + size]), data[at:at + size]) for at in range(0, len(data), size)))
        ex.http.end_chunks()
    return handler


def slowly(ex):
    """Every byte in a packet of its own."""
    data = sealed_text(ex)
    ex.http.start(200, [('Content-Type', type_of(ex))], len(data))
    for at in range(len(data)):
        ex.http.write(data[at:at + 1])


def until_closed(ex):
    """Framed by the end of the connection alone. A cut cannot be told from an end here, but the seal tells."""
    ex.http.close()
    ex.http.write(b'HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\n' % type_of(ex).encode() + sealed_text(ex))


def early_hints(ex):
    data = sealed_text(ex)
    ex.http.write(b'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n')
    ex.http.respond(200, data, [('Content-Type', type_of(ex))])


def lower_case_head(ex):
    data = sealed_text(ex)
    ex.http.write(b'HTTP/1.1 200 \r\ncontent-type:%s\r\ncontent-length:%d\r\n\r\n' % (type_of(ex).upper().encode(), len(data)) + data)


def resealed(build):
    """@build: (sealer, all events as one text) to parts."""
    return lambda ex: build_and_send(ex, build)


def build_and_send(ex, build):
    sealer = ex.request.sealer()
    send_parts(ex, [sealer.response_nonce] + build(sealer, b''.join(events(ex))))


def pieces(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def long_varints(ex):
    """Chunks whose lengths take 2 and 4 bytes; filled up with comments."""
    sealer = ex.request.sealer()
    parts = [sealer.response_nonce]
    for i, row in enumerate(events(ex)[:-1]):
        parts.append(sealer.chunk(b': ' + b'x' * (500, 20000, 70000, 300)[i % 4] + b'\n\n' + row))
    send_parts(ex, parts + [sealer.final(answers.DONE)])


def reframed(change):
    """@change: the text of all events to the same events in another spelling."""
    def handler(ex):
        text = change(b''.join(events(ex)))
        sealer = ex.request.sealer()
        send_parts(ex, [sealer.response_nonce] + [sealer.chunk(p) for p in pieces(text, 50)] + [sealer.final(b'')])
    return handler


def multi_line(text):
    return text.replace(b', "', b',\ndata: "')


def comments(text):
    return b': hello\n\n' + text.replace(b'data: ', b': ping\nevent: message\nid: 7\nretry: 10\ndata: ')


def content_list(ex):
    body = answers.completion(ex, [{'type': 'text', 'text': text} for text in TEXTS])
    answers.send_single(ex, {**body, **ex.sign(answers.text_output(LEAK))})


def content_and_signature_in_one_frame(ex):
    signed = answers.frame(ex, {'role': 'assistant', 'content': LEAK}, 'stop', **ex.sign(answers.text_output(LEAK)))
    answers.send_stream(ex, [answers.event(signed), answers.DONE])


def upper_case_hashes(signed):
    for name in ('tee_request_hash', 'tee_output_hash'):
        signed[name] = '0x' + signed[name].removeprefix('0x').upper()


def now():
    return int(time.time())

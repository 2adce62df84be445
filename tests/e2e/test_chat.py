# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Honest answers of the independent peer, and what of them the caller gets."""

import concurrent.futures
import http.client
import json
import os
import subprocess
import threading
import time

import pytest
from program import DEADLINE, environment, wait_until
from veil_peer import answers, canonical, crypto
from veil_peer.http import HungUp

WEATHER = {'type': 'function', 'function': {'name': 'get_weather', 'parameters': {'type': 'object', 'properties': {'city': {'type': 'string'}}}}}
STREAM = {'stream': True, 'stream_options': {'include_usage': True}}
MIB = 1 << 20


def check_proof(proof, ex, output, signed, timestamp=None):
    assert proof['verified'] is True
    assert proof['tee_id'] == ex.enclave.tee_id
    assert proof['request_hash'].removeprefix('0x') == ex.request_hash().hex()
    assert proof['output_hash'].removeprefix('0x') == crypto.keccak256(output).hex()
    assert proof['pcr_hash'].removeprefix('0x') == ex.enclave.pcr_hash.hex()
    assert proof['tee_host'] == ex.enclave.endpoint.removeprefix('https://')
    assert proof['signed'] == [signed]
    assert isinstance(proof['timestamp'], int) and abs(proof['timestamp'] - time.time()) < 120
    assert 'sandbox' not in proof or proof['sandbox'] is False


def check_headers(reply, ex):
    assert reply.status == 200, reply.body
    assert reply.header('X-OpenGradient-Verified') == 'true'
    assert reply.header('X-OpenGradient-TEE-Id') == ex.enclave.tee_id
    assert reply.header('X-OpenGradient-Sandbox') is None


def check_chunks(events):
    """The form that official clients rely on."""
    assert len({e['id'] for e in events}) == 1 and len({e['model'] for e in events}) == 1
    for e in events:
        assert e['object'] == 'chat.completion.chunk' and isinstance(e['created'], int)
        assert all(set(c) >= {'index', 'delta', 'finish_reason'} and c['index'] == 0 for c in e['choices'])
    finishes = [c['finish_reason'] for e in events for c in e['choices']]
    assert finishes[-1] and not any(finishes[:-1])


def test_single(veil, peer):
    prompt = veil.secret()
    reply = veil.ask('single', prompt, user='someone', metadata={'who': veil.secret()}, request_id=veil.secret(), temperature=1)
    [ex] = peer.seen('single')
    text = 'echo: ' + prompt
    check_headers(reply, ex)
    assert reply.header('content-type').startswith('application/json')
    body = reply.json()
    assert body['object'] == 'chat.completion' and body['choices'][0]['finish_reason'] == 'stop' and len(body['choices']) == 1
    assert body['choices'][0]['message'] == {'role': 'assistant', 'content': text, 'refusal': None}
    assert body['id'] == 'chatcmpl-peer' and body['model'] == 'single' and body['usage']['total_tokens'] == 7
    check_proof(reply.proof, ex, text.encode(), 'content')
    assert set(reply.proof['unsigned']) >= {'id', 'model', 'usage'}
    assert set(reply.proof['dropped']) == {'user', 'metadata', 'request_id'}
    for name in [k for k in body if k.startswith('tee_')]:
        assert name == 'tee_id' and body[name] == ex.enclave.tee_id, 'a tee_* field that could disagree is passed on'
    assert set(ex.wire) == {'model', 'messages', 'temperature'} and ex.wire['temperature'] == 1.0
    assert ex.wire['messages'] == [{'role': 'user', 'content': prompt}]


def test_stream(veil, peer):
    prompt = veil.secret()
    reply = veil.ask('stream', prompt, **STREAM)
    [ex] = peer.seen('stream')
    check_headers(reply, ex)
    events = reply.events()
    assert reply.streamed_text() == 'echo: ' + prompt
    check_chunks([e for e in events if e['choices']])
    assert events[-1]['choices'] == [] and events[-1]['object'] == 'chat.completion.chunk'
    check_proof(events[-1]['opengradient_verification'], ex, ('echo: ' + prompt).encode(), 'content')
    assert [e['usage']['total_tokens'] for e in events if e.get('usage')] == [7]
    assert ex.wire['stream'] is True and 'stream_options' not in ex.wire


def test_stream_keeps_the_cut_of_the_deltas(veil, peer):
    texts = ['a', 'bc', ' ', 'défg', '🙂']
    peer.handlers['cut'] = lambda ex: answers.send_stream(ex, answers.text_events(ex, texts))
    events = veil.ask('cut', 'x', stream=True).events()
    assert [c['delta']['content'] for e in events for c in e['choices'] if c['delta'].get('content')] == texts


def test_stream_proof_only_when_asked_for(veil):
    plain = veil.ask('stream-plain', 'x', stream=True)
    assert all(e['choices'] and 'opengradient_verification' not in e for e in plain.events())
    asked = veil.ask('stream-asked', 'x', {'X-OpenGradient-Proof': '1'}, stream=True)
    assert asked.events()[-1]['choices'] == [] and asked.streamed_proof()['verified'] is True
    assert not [e for e in plain.events() if e.get('usage')]


def test_nothing_is_sent_before_all_is_verified(veil, peer):
    """The first bytes of the answer come after the peer has sent its last."""
    go, first = threading.Event(), threading.Event()

    def slow(ex):
        parts = answers.seal_events(ex, answers.text_events(ex, ['one ', 'two ', 'three']))
        ex.http.start(200, answers.STREAM_TYPE)
        for part in parts[:-1]:
            ex.http.write_chunk(part)
        first.set()
        assert go.wait(DEADLINE)
        ex.http.write_chunk(parts[-1])
        ex.http.end_chunks()

    peer.handlers['slow'] = slow
    with veil.connect() as sock:
        send_chat(sock, {'model': 'slow', 'stream': True, 'messages': [{'role': 'user', 'content': 'x'}]})
        assert first.wait(DEADLINE)
        sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        go.set()
        sock.settimeout(DEADLINE)
        assert sock.recv(1) == b'H'


CALLS = [answers.call('call_1', 'get_weather', '{"city": "Zürich", "n": 1.0}'), answers.call('call_2', 'get_weather', '{"city": "北京"}')]


def test_tool_calls_single_and_second_round(veil, peer):
    peer.handlers['tools-single'] = lambda ex: answers.honest(ex) if ex.wire['messages'][-1]['role'] == 'tool' else \
        answers.send_calls(ex, CALLS)
    messages = [{'role': 'user', 'content': 'weather?'}]
    reply = veil.chat({'model': 'tools-single', 'messages': messages, 'tools': [WEATHER], 'tool_choice': 'auto'})
    ex = peer.seen('tools-single')[0]
    check_headers(reply, ex)
    choice = reply.json()['choices'][0]
    assert choice['finish_reason'] == 'tool_calls' and choice['message']['content'] is None
    assert choice['message']['tool_calls'] == CALLS
    check_proof(reply.proof, ex, canonical.dumps(CALLS).encode(), 'tool_calls')
    assert ex.wire['tools'] == [WEATHER] and ex.wire['tool_choice'] == 'auto'

    messages += [choice['message'], {'role': 'tool', 'tool_call_id': 'call_1', 'content': '21 °C'},
                 {'role': 'tool', 'tool_call_id': 'call_2', 'content': '30 °C'}]
    reply = veil.chat({'model': 'tools-single', 'messages': messages, 'tools': [WEATHER]})
    ex = peer.seen('tools-single')[1]
    check_headers(reply, ex)
    assert reply.text == 'echo: 30 °C'
    assert [m['role'] for m in ex.wire['messages']] == ['user', 'assistant', 'tool', 'tool']
    assert ex.wire['messages'][1]['tool_calls'] == CALLS and ex.wire['messages'][2]['tool_call_id'] == 'call_1'


def streamed_calls(events):
    calls = {}
    for delta in (c['delta'] for e in events for c in e['choices']):
        for part in delta.get('tool_calls') or []:
            call = calls.setdefault(part['index'], {'id': None, 'type': None, 'function': {'name': None, 'arguments': ''}})
            call['id'] = part.get('id', call['id'])
            call['type'] = part.get('type') or call['type']
            call['function']['name'] = part['function'].get('name') or call['function']['name']
            call['function']['arguments'] += part['function'].get('arguments') or ''
    return [calls[i] for i in sorted(calls)]


def test_tool_calls_stream(veil, peer):
    peer.handlers['tools-stream'] = lambda ex: answers.send_calls(ex, CALLS)
    reply = veil.chat({'model': 'tools-stream', 'messages': [{'role': 'user', 'content': 'w'}], 'tools': [WEATHER], **STREAM})
    [ex] = peer.seen('tools-stream')
    check_headers(reply, ex)
    events = reply.events()
    check_chunks([e for e in events if e['choices']])
    assert streamed_calls(events) == CALLS
    assert [c['finish_reason'] for e in events for c in e['choices'] if c['finish_reason']] == ['tool_calls']
    check_proof(reply.streamed_proof(), ex, canonical.dumps(CALLS).encode(), 'tool_calls')


@pytest.mark.parametrize('signed_id', [None, ''], ids=['signed-as-null', 'signed-as-empty'])
def test_tool_calls_without_ids(veil, peer, signed_id):
    calls = [answers.call(None, 'get_weather', '{}')]
    signed = [answers.call(signed_id, 'get_weather', '{}')]
    model = 'null-id-%r' % signed_id
    peer.handlers[model] = lambda ex: answers.send_stream(ex, answers.call_events(ex, calls, signed_calls=signed))
    reply = veil.chat({'model': model, 'messages': [{'role': 'user', 'content': 'w'}], 'tools': [WEATHER], **STREAM})
    assert reply.status == 200, reply.body
    assert streamed_calls(reply.events()) == signed
    check_proof(reply.streamed_proof(), peer.seen(model)[0], canonical.dumps(signed).encode(), 'tool_calls')


def test_interleaved_tool_call_deltas(veil, peer):
    def part(index, **rest):
        return {'tool_calls': [{'index': index, **rest}]}
    deltas = [part(1, id='call_2', type='function', function={'name': 'get_weather', 'arguments': ''}),
              part(0, id='call_1', type='function', function={'name': 'get_weather'}),
              part(1, function={'arguments': '{"city": '}), part(0, function={'arguments': '{"city": "Zürich", '}),
              part(1, function={'arguments': '"北京"}'}), part(0, function={'arguments': '"n": 1.0}'})]
    peer.handlers['interleaved'] = lambda ex: answers.send_stream(ex, answers.call_events(ex, CALLS, deltas=deltas))
    reply = veil.chat({'model': 'interleaved', 'messages': [{'role': 'user', 'content': 'w'}], 'tools': [WEATHER], **STREAM})
    assert reply.status == 200, reply.body
    assert streamed_calls(reply.events()) == CALLS


def test_text_beside_signed_calls_is_withheld(veil, peer):
    def both(ex):
        body = answers.completion(ex, 'unsigned words', CALLS)
        body.update(ex.sign(answers.calls_output(CALLS)))
        answers.send_single(ex, body)
    peer.handlers['both'] = both
    reply = veil.ask('both', 'x', tools=[WEATHER])
    assert reply.status == 200 and b'unsigned words' not in reply.body
    assert reply.json()['choices'][0]['message']['content'] is None
    assert any('content' in name for name in reply.proof['unsigned'])


@pytest.mark.parametrize('stream', [False, True], ids=['single', 'stream'])
def test_message_fields_outside_the_signature_are_withheld(veil, peer, stream):
    """Refusal, reasoning and their like never reach the caller; images, citations and the cost block do, named as unsigned."""
    beside = {'refusal': 'withheld-refusal', 'reasoning': 'withheld-reasoning', 'audio': {'data': 'withheld-audio'}}
    outside = {'citations': [{'url': 'https://cited.test'}], 'moderation': {'flagged': False}}

    def handler(ex):
        if ex.stream:
            events = answers.text_events(ex, ['signed words'])
            events.insert(1, answers.event(answers.frame(ex, dict(beside))))
            answers.send_stream(ex, events)
        else:
            body = answers.signed_completion(ex, 'signed words', **outside)
            body['choices'][0]['message'].update(beside)
            answers.send_single(ex, body)

    model = 'beside-%d' % stream
    peer.handlers[model] = handler
    reply = veil.ask(model, 'x', **(STREAM if stream else {}))
    assert reply.status == 200, reply.body
    assert b'withheld' not in reply.body
    proof = reply.streamed_proof() if stream else reply.proof
    for name in beside:
        assert any(name in unsigned for unsigned in proof['unsigned']), proof['unsigned']
    if not stream:
        assert reply.json()['citations'] == outside['citations'] and reply.json()['moderation'] == outside['moderation']
        assert {'citations', 'moderation'} <= set(proof['unsigned'])


def test_response_format_and_the_other_fields(veil, peer):
    schema = {'type': 'json_schema', 'json_schema': {'name': 'x', 'schema': {'type': 'object'}, 'strict': True}}
    reply = veil.chat({'model': 'openai/fields', 'messages': [{'role': 'developer', 'content': 'be brief'}, {'role': 'user', 'content': 'x'}],
                       'response_format': schema, 'max_completion_tokens': 12345678901234567890, 'stop': ['a', '\x7f'], 'web_search': 1,
                       'temperature': 1e-05})
    [ex] = peer.seen('fields')
    check_headers(reply, ex)
    assert ex.wire['response_format'] == schema and ex.wire['max_tokens'] == 12345678901234567890 and ex.wire['stop'] == ['a', '\x7f']
    assert ex.wire['web_search'] is True and ex.wire['temperature'] == 1e-05
    assert ex.wire['messages'][0] == {'role': 'system', 'content': 'be brief'}
    assert ex.wire['model'] == 'fields' and reply.proof['dropped'] in ([], ['max_completion_tokens'])


def test_vision_parts(veil, peer):
    url = 'data:image/png;base64,' + 'iVBORw0KGgo' * 50
    parts = [{'type': 'text', 'text': 'what is this? '}, {'type': 'image_url', 'image_url': {'url': url, 'detail': 'low'}},
             {'type': 'file', 'file': {'filename': 'a.pdf', 'file_data': 'JVBERi0='}}]
    reply = veil.chat({'model': 'vision', 'messages': [{'role': 'user', 'content': parts}]})
    [ex] = peer.seen('vision')
    check_headers(reply, ex)
    assert reply.text == 'echo: what is this? '
    assert ex.wire['messages'][0]['content'] == parts, 'attachments travel whole'
    assert url not in canonical.request(ex.wire), 'and are not hashed'


UNICODE = 'ä ß 中文 עברית 🙂👨‍👩‍👧 \u2028\u2029\x85\x7f\u0000 "quoted" \\ / \t [DONE] data: x\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize('stream', [False, True], ids=['single', 'stream'])
def test_unicode(veil, stream):
    reply = veil.ask('unicode', UNICODE, **(STREAM if stream else {}))
    assert reply.status == 200, reply.body
    assert (reply.streamed_text() if stream else reply.text) == 'echo: ' + UNICODE


@pytest.mark.parametrize('with_effort', [True, False], ids=['signed', 'unsigned'])
def test_reasoning_effort(veil, peer, with_effort):
    model = 'effort-%d' % with_effort
    peer.handlers[model] = lambda ex: answers.send_text(ex, 'thought', sign={'with_effort': with_effort})
    reply = veil.ask(model, 'x', reasoning_effort='high')
    [ex] = peer.seen(model)
    check_headers(reply, ex)
    assert ex.wire['reasoning_effort'] == 'high'
    assert reply.proof['request_hash'].removeprefix('0x') == ex.request_hash(with_effort).hex()
    assert reply.proof['reasoning_effort_signed'] is with_effort


def test_envelope(veil, peer):
    peer.handlers['envelope'] = lambda ex: answers.send_single(ex, {'status': 200, 'body': answers.signed_completion(ex, 'inside')})
    reply = veil.ask('envelope', 'x')
    check_headers(reply, peer.seen('envelope')[0])
    assert reply.text == 'inside'


def test_decimal_string_timestamp(veil, peer):
    now = int(time.time())
    peer.handlers['decimal'] = lambda ex: answers.send_text(ex, 'when', sign={'timestamp': now, 'timestamp_as': str(now)})
    for fields in ({}, STREAM):
        reply = veil.ask('decimal', 'x', **fields)
        assert reply.status == 200, reply.body
        assert (reply.streamed_proof() if fields else reply.proof)['timestamp'] == now


def test_only_size_steps_show(veil, peer):
    """Prompts that differ a little in length are sealed at the same length."""
    for length in range(1, 64, 7):
        assert veil.ask('pad-small', 'x' * length).status == 200
    small = {len(ex.request.plaintext) for ex in peer.seen('pad-small')}
    assert len(small) <= 2, small
    for power in range(10, 19):
        assert veil.ask('pad-large', 'y' * (1 << power)).status == 200
    lengths = [(len(ex.wire_text.rstrip(' ')), len(ex.wire_text)) for ex in peer.seen('pad-large')]
    assert all(padded > bare for bare, padded in lengths), lengths
    assert all(padded % 256 == 0 for _, padded in lengths), lengths
    assert all(ex.wire_text.lstrip() == ex.wire_text for ex in peer.seen('pad-large'))


def send_chat(sock, body):
    data = json.dumps(body).encode()
    head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n'
    sock.sendall((head % (sock.getpeername()[1], len(data))).encode() + data)


def hold(begun):
    """Answers nothing, or a part, and waits for the other side to leave."""
    def begin(ex):
        if ex.stream:
            ex.http.start(200, answers.STREAM_TYPE)
            for part in answers.seal_events(ex, answers.text_events(ex, ['some ', 'text']))[:2]:
                ex.http.write_chunk(part)
        else:
            ex.http.start(200, [('Content-Type', 'message/ohttp-res')], 1000)
            ex.http.write(b'x' * 100)

    def handler(ex):
        try:
            if begun:
                begin(ex)
        except HungUp:  # left already
            ex.hung_up.set()
        else:
            ex.hold(DEADLINE)
    return handler


@pytest.mark.parametrize('stream', [False, True], ids=['single', 'stream'])
@pytest.mark.parametrize('begun', [False, True], ids=['before-the-answer', 'as-the-answer-begins'])
def test_hang_up_cancels_upstream(veil, peer, stream, begun):
    """The caller leaves at about the time when the answer's first bytes come in; often, because the moment matters."""
    before = veil.counts()
    for i in range(20):
        model = 'hold-%d-%d-%d' % (stream, begun, i)
        peer.handlers[model] = hold(begun)
        with veil.connect() as sock:
            send_chat(sock, {'model': model, 'stream': stream, 'messages': [{'role': 'user', 'content': 'x'}]})
            ex = peer.wait_seen(model)
            assert not ex.hung_up.is_set()
        assert ex.hung_up.wait(10), 'the upstream request goes on though its caller has left'
        assert len(peer.seen(model)) == 1
    assert veil.health()['status'] == 'ok' and veil.counts() == before, 'a caller who leaves is no failure'


def test_hang_up_inside_a_long_answer(veil, peer):
    """The caller leaves in the middle of a stream that goes on and on."""
    def endless(ex):
        sealer = ex.request.sealer()
        ex.http.start(200, answers.STREAM_TYPE)
        ex.http.write_chunk(sealer.response_nonce)
        try:
            while True:
                ex.http.write_chunk(sealer.chunk(b': thinking\n\n'))
                ex.written = True
                if ex.http.wait_hang_up(0.01):
                    break
        finally:
            ex.hung_up.set()

    peer.handlers['long'] = endless
    with veil.connect() as sock:
        send_chat(sock, {'model': 'long', 'stream': True, 'messages': [{'role': 'user', 'content': 'x'}]})
        ex = peer.wait_seen('long')
        wait_until(lambda: getattr(ex, 'written', False), what='the answer to begin')
    assert ex.hung_up.wait(10)


def test_callers_who_leave_leave_nothing_behind(veil):
    """Connections that callers close, before or after their answer, do not add up."""
    def sockets():
        return len(os.listdir('/proc/%d/fd' % veil.process.pid))
    veil.ask('x', 'x')
    before = sockets()
    for i in range(60):
        assert veil.ask('x', 'x', stream=i % 2 == 0).status == 200
        veil.connect().close()
    wait_until(lambda: sockets() <= before + 3, 10, 'the connections to be closed')


def body_of(size, model):
    frame = json.dumps({'model': model, 'messages': [{'role': 'user', 'content': ''}]})
    at = frame.index('""') + 1
    return (frame[:at] + 'a' * (size - len(frame)) + frame[at:]).encode()


def test_body_of_the_limit(veil, peer):
    peer.handlers['limit'] = lambda ex: answers.send_text(ex, 'long')
    body = body_of(20 * MIB, 'limit')
    assert len(body) == 20 * MIB
    reply = veil.chat(body, {'Content-Type': 'application/json'})
    [ex] = peer.seen('limit')
    check_headers(reply, ex)
    assert reply.text == 'long' and len(ex.wire['messages'][0]['content']) == len(body) - len(body_of(100, 'limit')) + \
        len(json.loads(body_of(100, 'limit'))['messages'][0]['content'])
    ex.wire_text = ex.request.plaintext = ''
    ex.wire = {'model': 'limit', 'messages': []}


def read_reply(sock):
    response = http.client.HTTPResponse(sock)
    response.begin()
    return response.status, json.loads(response.read())


def test_body_over_the_limit_is_not_read(veil, peer):
    """413 comes while nearly all of the body has not even been sent."""
    with veil.connect() as sock:
        head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n'
        sock.sendall((head % (veil.port, 20 * MIB + 1)).encode() + b'{"model":"over"')
        status, body = read_reply(sock)
    assert status == 413 and body['error']['type'] == 'invalid_request_error'
    assert not peer.seen('over')


def test_chunked_body_over_the_limit(veil):
    """Without a length it is refused as soon as it has grown too large."""
    sent, piece = 0, b'10000\r\n' + b'x' * 65536 + b'\r\n'
    with veil.connect() as sock:
        sock.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n'
                     b'Transfer-Encoding: chunked\r\n\r\n' % veil.port)
        try:
            while sent < 64 * MIB:
                sock.sendall(piece)
                sent += 65536
        except OSError:
            pass
        assert sent < 40 * MIB, 'all of an endless body was taken'
        try:
            assert read_reply(sock)[0] == 413
        except (OSError, http.client.HTTPException):
            pass  # the answer may be lost when the connection is reset under a sender


def test_stream_of_10000_frames(veil, peer):
    texts = ['frame %d, ' % i for i in range(10000)]
    peer.handlers['frames'] = lambda ex: answers.send_stream(ex, answers.text_events(ex, texts))
    reply = veil.ask('frames', 'x', **STREAM)
    check_headers(reply, peer.seen('frames')[0])
    assert reply.streamed_text() == ''.join(texts)
    check_proof(reply.streamed_proof(), peer.seen('frames')[0], ''.join(texts).encode(), 'content')


def test_keep_alive(veil, peer):
    """Answers, streams and errors leave the caller's connection usable; upstream connections are used again as well."""
    connection = http.client.HTTPConnection(veil.host, veil.port, timeout=DEADLINE)
    connection.connect()
    sock, upstream = connection.sock, peer.relay.connections
    for i in range(6):
        reply = veil.chat({'model': 'keep', 'messages': [{'role': 'user', 'content': str(i)}], 'stream': i % 2 == 0}, connection=connection)
        assert reply.status == 200
        assert veil.chat(b'{', {'Content-Type': 'application/json'}, connection=connection).status == 400
        assert veil.request('GET', '/v1/models', connection=connection).status == 200
    assert connection.sock is sock
    connection.close()
    assert peer.relay.connections - upstream <= 1, 'a new upstream connection for every request'


def test_hundred_at_once(veil, peer):
    words = [veil.secret() for _ in range(100)]
    before = veil.counts()

    def one(i):
        reply = veil.ask('hundred', words[i], **(STREAM if i % 2 else {}))
        assert reply.status == 200, reply.body
        text, proof = (reply.streamed_text(), reply.streamed_proof()) if i % 2 else (reply.text, reply.proof)
        assert text == 'echo: ' + words[i]
        return proof

    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        proofs = list(pool.map(one, range(100)))
    assert all(p['verified'] is True for p in proofs)
    seen = peer.seen('hundred')
    assert sorted(ex.wire['messages'][0]['content'] for ex in seen) == sorted(words), 'each was sent once'
    assert {p['request_hash'].removeprefix('0x') for p in proofs} == {ex.request_hash().hex() for ex in seen}
    after = veil.counts()
    assert after['verified'] - before['verified'] == 100 and after['refused'] == before['refused']


def test_curl(veil, peer):
    """curl as people run it, with a body that makes it ask first (Expect: 100-continue)."""
    word = veil.secret()
    body = json.dumps({'model': 'curl', 'messages': [{'role': 'user', 'content': word + ' ' + 'z' * (2 * MIB)}]}).encode()
    done = subprocess.run(['curl', '-sS', '-f', '-D', '-', veil.url + '/chat/completions', '-H', 'Content-Type: application/json',
                           '-H', 'Expect: 100-continue', '--data-binary', '@-'], input=body, capture_output=True, timeout=DEADLINE,
                          env=environment())
    assert done.returncode == 0, done.stderr
    assert b'x-opengradient-verified: true' in done.stdout.lower() and ('echo: ' + word).encode() in done.stdout


def test_health(veil, peer):
    health = veil.health()
    assert health['status'] == 'ok' and health['verified_inference'] is True and health['sandbox'] is False
    assert health['active_tee_id'] in {e.tee_id for e in peer.enclaves}
    assert health['active_tee_endpoint'] in {e.endpoint for e in peer.enclaves}
    text = json.dumps(health)
    assert peer.access_token not in text and 'person@peer.test' not in text

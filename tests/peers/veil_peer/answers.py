# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What an honest gateway answers, in parts that a test can bend (protocol.md sections 4 and 5)."""

import json

from . import canonical


def call(id, name, arguments):
    return {'id': id, 'type': 'function', 'function': {'name': name, 'arguments': arguments}}


def text_output(text):
    return text.encode()


def calls_output(calls):
    return canonical.dumps(calls).encode()


def completion(ex, content, calls=None, **extra):
    """An unsigned chat.completion."""
    message = {'role': 'assistant', 'content': content}
    if calls is not None:
        message['tool_calls'] = calls
    body = {'id': 'chatcmpl-peer', 'object': 'chat.completion', 'created': 1700000000, 'model': ex.wire['model'],
            'choices': [{'index': 0, 'message': message, 'finish_reason': 'tool_calls' if calls else 'stop'}],
            'usage': {'prompt_tokens': 3, 'completion_tokens': 4, 'total_tokens': 7}}
    body.update(extra)
    return body


def signed_completion(ex, content, calls=None, sign=None, **extra):
    body = completion(ex, content, calls, **extra)
    output = calls_output(calls) if calls else text_output(content or '')
    body.update(ex.sign(output, **(sign or {})))
    return body


def event(value):
    return b'data: ' + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b'\n\n'


def frame(ex, delta, finish=None, **extra):
    return {'choices': [{'delta': delta, 'index': 0, 'finish_reason': finish}], 'model': ex.wire['model'], **extra}


DONE = event(b'[DONE]')
USAGE = {'prompt_tokens': 3, 'completion_tokens': 4, 'total_tokens': 7}


def text_events(ex, texts, sign=None, finish='stop', role=True):
    """The events of a signed text stream, as a list of byte strings: deltas, signed frame, [DONE]."""
    events = []
    for i, text in enumerate(texts):
        events.append(event(frame(ex, {'content': text, **({'role': 'assistant'} if role and i == 0 else {})})))
    signed = frame(ex, {}, finish, usage=USAGE, **ex.sign(text_output(''.join(texts)), **(sign or {})))
    return events + [event(signed), DONE]


def call_deltas(calls, pieces=3):
    """Tool-call deltas the way gateways cut them: id, type and name first, then argument fragments."""
    deltas = []
    for i, one in enumerate(calls):
        arguments = one['function']['arguments']
        step = max(1, -(-len(arguments) // pieces))
        first = {'index': i, 'id': one['id'], 'type': 'function', 'function': {'name': one['function']['name'], 'arguments': ''}}
        deltas.append({'tool_calls': [first]})
        for at in range(0, len(arguments), step):
            deltas.append({'tool_calls': [{'index': i, 'function': {'arguments': arguments[at:at + step]}}]})
    return deltas


def call_events(ex, calls, sign=None, deltas=None, signed_calls=None):
    events = [event(frame(ex, {'role': 'assistant', 'content': None}))]
    events += [event(frame(ex, delta)) for delta in (deltas or call_deltas(calls))]
    signed = frame(ex, {}, 'tool_calls', usage=USAGE, **ex.sign(calls_output(signed_calls or calls), **(sign or {})))
    return events + [event(signed), DONE]


def seal_events(ex, events, size=None):
    """One sealed chunk per event, the last one final."""
    sealer = ex.request.sealer()
    return [sealer.response_nonce] + [sealer.chunk(e, size=size) for e in events[:-1]] + [sealer.final(events[-1], size=size)]


def send_single(ex, body, headers=()):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    ex.http.respond(200, ex.request.seal_single(text), [('Content-Type', 'message/ohttp-res'), *headers])


STREAM_TYPE = [('Content-Type', 'message/ohttp-chunked-res')]


def send_stream(ex, events):
    """The honest way: each sealed chunk leaves when it is there."""
    ex.http.start(200, STREAM_TYPE)
    for part in seal_events(ex, events):
        ex.http.write_chunk(part)
    ex.http.end_chunks()


def send_text(ex, text, **kwargs):
    if ex.stream:
        send_stream(ex, text_events(ex, split(text), **kwargs))
    else:
        send_single(ex, signed_completion(ex, text, **kwargs))


def send_calls(ex, calls, **kwargs):
    if ex.stream:
        send_stream(ex, call_events(ex, calls, **kwargs))
    else:
        send_single(ex, signed_completion(ex, None, calls, **kwargs))


def split(text, pieces=4):
    step = max(1, -(-len(text) // pieces))
    return [text[at:at + step] for at in range(0, len(text), step)] or ['']


def last_text(wire):
    """The text of the last message, attachments left out."""
    content = wire['messages'][-1].get('content') or ''
    if isinstance(content, list):
        return ''.join(part.get('text') or '' for part in content if part.get('type') == 'text')
    return content


def honest(ex):
    """Echoes; calls the first offered tool when it is asked to and has not been answered yet."""
    last = ex.wire['messages'][-1]
    if ex.wire.get('tools') and last['role'] != 'tool':
        name = ex.wire['tools'][0]['function']['name']
        send_calls(ex, [call('call_peer_1', name, json.dumps({'city': 'Zürich'}, ensure_ascii=False))])
    else:
        send_text(ex, 'echo: ' + last_text(ex.wire))

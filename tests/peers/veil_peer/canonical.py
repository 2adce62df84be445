# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""From the wire JSON that was opened to the text whose hash is signed (protocol.md section 2)."""

import json

# All that may ever be inside the seal; anything else of a caller's body could identify the person.
WIRE_FIELDS = {'model', 'messages', 'temperature', 'max_tokens', 'stop', 'tools', 'response_format', 'web_search', 'reasoning_effort',
               'tool_choice', 'stream'}
UNHASHED = {'tool_choice', 'stream'}


def dumps(value):
    return json.dumps(value, sort_keys=True)


def read_strict(text):
    """Like json.loads, but a duplicate key or NaN is an error: the program has no business sending either."""
    def no_duplicates(pairs):
        keys = [key for key, _ in pairs]
        if len(set(keys)) != len(keys):
            raise ValueError('duplicate key on the wire')
        return dict(pairs)

    def refuse(name):
        raise ValueError(name)

    return json.loads(text, object_pairs_hook=no_duplicates, parse_constant=refuse)


def user_part(part):
    if not isinstance(part, dict):
        return {'type': 'text', 'text': str(part)}
    if part.get('type') == 'text':
        return {'type': 'text', 'text': part.get('text') or ''}
    out = {'type': part.get('type')}
    file = part.get('file')
    name = (file.get('filename') if isinstance(file, dict) else None) or part.get('filename')
    if name:
        out['filename'] = name
    return out


def message(wire):
    role = wire['role']
    if role in ('system', 'developer'):
        return {'role': 'system', 'content': wire.get('content')}
    if role == 'user':
        content = wire.get('content')
        if isinstance(content, list):
            return {'role': 'user', 'content': [user_part(part) for part in content]}
        return {'role': 'user', 'content': str(content)}
    if role == 'assistant':
        out = {'role': 'assistant', 'content': wire.get('content') or ''}
        if wire.get('tool_calls'):
            out['tool_calls'] = [{'id': call['id'], 'type': call['type'],
                                  'function': {'name': call['function']['name'], 'arguments': call['function']['arguments']}}
                                 for call in wire['tool_calls']]
        return out
    if role == 'tool':
        return {'role': 'tool', 'content': wire.get('content'), 'tool_call_id': wire.get('tool_call_id')}
    if role == 'function':
        return {'role': 'function', 'content': wire.get('content'), 'name': wire.get('name')}
    raise ValueError('role on the wire: %r' % role)


def request(wire, with_effort=True):
    out = {key: value for key, value in wire.items() if key not in UNHASHED}
    if not with_effort:
        out.pop('reasoning_effort', None)
    out['messages'] = [message(m) for m in wire['messages']]
    return dumps(out)


def check_wire(wire):
    """What must hold of everything that was sealed; returns the complaints."""
    bad = ['field on the wire: ' + name for name in sorted(set(wire) - WIRE_FIELDS)]
    if not isinstance(wire.get('temperature'), float):
        bad.append('temperature is not a float')
    if not isinstance(wire.get('messages'), list) or not wire['messages']:
        bad.append('no messages')
    if '/' in wire.get('model', ''):
        bad.append('provider/ left on the model')
    return bad

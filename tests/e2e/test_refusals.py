# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Every answer that must be refused, with its own error and nothing of its content; and every unusual one that must not."""

import concurrent.futures
import json
import time

import faults as f
import pytest
from program import PeerVeil
from veil_peer import answers

STREAM = {'stream': True, 'stream_options': {'include_usage': True}}
SINGLE, STREAMED, BOTH = ['single'], ['stream'], ['single', 'stream']
TOOLS = [{'type': 'function', 'function': {'name': 'leaked_tool', 'parameters': {}}}]


def middle_aad(sealer, rows):
    return [sealer.chunk(rows[0]), sealer.chunk(rows[1], b'final')] + [sealer.chunk(r) for r in rows[2:-1]] + [sealer.final(rows[-1])]


def finished(sealer, rows, last, size=None):
    parts = [sealer.chunk(r, size=size) for r in rows]
    return parts + [last()]


# check: (name, kinds, what the peer does)
VERIFICATION = {
    'signature': [
        ('wrong-signature', BOTH, f.signed_fields(f.flip_signature)),
        ('other-enclaves-signature', BOTH, f.signing(enclave=f.other)),
        ('salt-0', BOTH, f.signing(salt=0)),
        ('salt-20', BOTH, f.signing(salt=20)),
        ('salt-33', BOTH, f.signing(salt=33)),
        ('salt-222', BOTH, f.signing(salt=222)),
        ('bad-base64', BOTH, f.with_value('tee_signature', '%%%=')),
        ('signature-of-zeros', BOTH, f.with_value('tee_signature', 'AAAA' * 85 + 'AA==')),
        ('empty-signature', BOTH, f.with_value('tee_signature', 'AA==')),
        ('timestamp-changed', BOTH, f.with_value('tee_timestamp', f.now() - 1)),
    ],
    'tee_id': [
        ('other-enclave', BOTH, f.signing(enclave=f.other, tee_id=lambda ex: f.other(ex).tee_id)),
        ('unknown-tee-id', BOTH, f.signing(tee_id='0x' + '5a' * 32)),
        ('cut-tee-id', BOTH, f.signing(tee_id=lambda ex: ex.enclave.tee_id[:-2])),
    ],
    'request_hash': [
        ('request-hash', BOTH, f.signing(request_hash=b'q' * 32)),
        ('cut-request-hash', BOTH, f.with_value('tee_request_hash', '0x1234')),
        ('upper-case-hashes', BOTH, f.signed_fields(f.upper_case_hashes)),
    ],
    'output_hash': [
        ('changed-text', BOTH, f.changed_text),
        ('changed-tool-calls', BOTH, f.changed_calls),
        ('calls-signed-as-text', BOTH, f.calls_signed_as_text),
        ('output-hash', BOTH, f.signing(output_hash=b'q' * 32)),
        ('dropped-frame', STREAMED, f.rows(lambda ex, rows: rows[:1] + rows[2:])),
        ('reordered-frames', STREAMED, f.rows(lambda ex, rows: f.swap(rows, 0, 1))),
        ('repeated-frame', STREAMED, f.rows(lambda ex, rows: rows[:2] + rows[1:])),
    ],
    'missing_field': [
        *(('missing-' + name, BOTH, f.without(name))
          for name in ('tee_request_hash', 'tee_output_hash', 'tee_timestamp', 'tee_id')),
        ('missing-tee_signature', SINGLE, f.without('tee_signature')),
        ('null-tee_signature', SINGLE, f.with_value('tee_signature', None)),
        ('list-tee_output_hash', SINGLE, f.with_value('tee_output_hash', ['x'])),
    ],
    'timestamp': [
        ('float-timestamp', BOTH, f.signing(timestamp_as=f.now() + 0.5)),
        ('whole-float-timestamp', BOTH, f.signing(timestamp_as=float(f.now()))),
        ('negative-timestamp', BOTH, f.signing(timestamp_as=-5)),
        ('negative-string-timestamp', BOTH, f.signing(timestamp_as='-5')),
        ('float-string-timestamp', BOTH, f.signing(timestamp_as='%d.0' % f.now())),
        ('word-timestamp', BOTH, f.signing(timestamp_as='now')),
        ('empty-timestamp', BOTH, f.signing(timestamp_as='')),
        ('arabic-digits-timestamp', BOTH, f.signing(timestamp_as='١٧٠٠٠٠٠٠٠٠')),
        ('space-timestamp', BOTH, f.signing(timestamp_as=' %d' % f.now())),
        ('huge-timestamp', BOTH, f.signing(timestamp_as=10 ** 400)),
        ('true-timestamp', BOTH, f.signing(timestamp_as=True)),
    ],
    'stale_response': [
        ('stale', BOTH, f.signing(timestamp=lambda ex: f.now() - 660)),
        ('from-the-future', BOTH, f.signing(timestamp=lambda ex: f.now() + 660)),
        ('year-1970', BOTH, f.signing(timestamp=0)),
    ],
    'seal': [
        ('aead', SINGLE, f.sealed_single(f.flip)),
        ('nonce', SINGLE, f.sealed_single(lambda sealed: f.flip(sealed, 3))),
        ('short-body', SINGLE, f.sealed_single(lambda sealed: sealed[:20])),
        ('only-the-nonce', SINGLE, f.sealed_single(lambda sealed: sealed[:32])),
        ('cut-tag', SINGLE, f.sealed_single(lambda sealed: sealed[:-1])),
        ('one-byte-more', SINGLE, f.sealed_single(lambda sealed: sealed + b'x')),
        ('plaintext', SINGLE, f.sealed_single(lambda sealed: b'{"choices": [{"message": {"content": "%s"}}]}' % f.LEAK.encode())),
        ('foreign-secret', BOTH, f.foreign_secret),
        ('aead-chunk', STREAMED, f.sealed_parts(lambda parts: [*parts[:2], f.flip(parts[2]), *parts[3:]])),
        ('aead-final', STREAMED, f.sealed_parts(lambda parts: [*parts[:-1], f.flip(parts[-1])])),
        ('short-stream', STREAMED, f.sealed_parts(lambda parts: [parts[0][:20]])),
        ('only-the-nonce', STREAMED, f.sealed_parts(lambda parts: [parts[0]])),
        ('cut-mid-chunk', STREAMED, f.sealed_parts(lambda parts: [*parts[:3], parts[3][:30]])),
        ('cut-inside-the-varint', STREAMED, f.sealed_parts(lambda parts: [*parts[:3], parts[3][:1]])),
        ('missing-final-chunk', STREAMED, f.chunker(lambda s, rows: [s.chunk(r) for r in rows])),
        ('empty-final-chunk', STREAMED, f.chunker(lambda s, rows: finished(s, rows, lambda: b'\0'))),
        ('wrong-aad', STREAMED, f.chunker(lambda s, rows: finished(s, rows[:-1], lambda: s.final(rows[-1], b'')))),
        ('final-aad-inside', STREAMED, f.chunker(middle_aad)),
        ('reordered-chunks', STREAMED, f.sealed_parts(lambda parts: f.swap(parts, 1, 2))),
        ('repeated-chunk', STREAMED, f.sealed_parts(lambda parts: parts[:2] + parts[1:])),
        ('dropped-chunk', STREAMED, f.sealed_parts(lambda parts: parts[:1] + parts[2:])),
        ('bytes-after-the-final-chunk', STREAMED, f.sealed_parts(lambda parts: parts + [b'x'])),
        ('a-second-stream', STREAMED, f.sealed_parts(lambda parts: parts + parts[1:])),
        ('huge-varint', STREAMED, f.sealed_parts(lambda parts: [*parts[:2], b'\xff' * 8, *parts[2:]])),
        ('tiny-chunk', STREAMED, f.sealed_parts(lambda parts: [*parts[:2], b'\x01x', *parts[2:]])),
    ],
    'malformed_answer': [
        ('not-json', SINGLE, f.inside(b'<html>' + f.LEAK.encode())),
        ('nothing-inside', SINGLE, f.inside(b'')),
        ('list', SINGLE, f.inside(b'["%s"]' % f.LEAK.encode())),
        ('deep', SINGLE, f.inside(b'[' * 100000)),
        ('deep', STREAMED, f.rows(lambda ex, rows: [answers.event(b'[' * 100000)] + rows)),
        ('bad-utf8', SINGLE, f.inside(b'{"choices": "\xff"}')),
        ('two-documents', SINGLE, lambda ex: answers.send_single(ex, json.dumps(answers.signed_completion(ex, f.LEAK)).encode() * 2)),
        ('not-json', STREAMED, f.rows(lambda ex, rows: [answers.event(b'{"choices": ' + f.LEAK.encode())] + rows)),
        ('bad-utf8', STREAMED, f.rows(lambda ex, rows: [answers.event(b'{"x": "\xff"}')] + rows)),
        ('list', STREAMED, f.rows(lambda ex, rows: [answers.event(b'[]')] + rows)),
        ('sentence-as-finish-reason', BOTH, f.finished_with(f.LEAK)),
        ('lines-as-finish-reason', BOTH, f.finished_with('stop\n\ndata: ' + f.LEAK)),
    ],
    'no_signed_frame': [
        ('no-signed-frame', STREAMED, f.rows(lambda ex, rows: rows[:-2] + rows[-1:])),
        ('nothing-at-all', STREAMED, f.rows(lambda ex, rows: rows[-1:])),
        ('no-events', STREAMED, f.rows(lambda ex, rows: [b': nothing\n\n', b''])),
        ('text-after-the-signed-frame', STREAMED, f.rows(lambda ex, rows: rows[:-1] + [rows[0], rows[-1]])),
        ('text-after-done', STREAMED, f.rows(lambda ex, rows: rows + [rows[0]])),
        ('done-before-the-signed-frame', STREAMED, f.rows(lambda ex, rows: rows[:1] + rows[-1:])),
    ],
    'unsigned_content': [
        ('unsigned-tool-calls', BOTH, f.delta_calls),
        ('unsigned-function-call', BOTH, f.beside_text({'function_call': {'name': 'leaked_tool', 'arguments': '{}'}})),
        ('second-choice', BOTH, f.second_choice),
        ('second-choice-in-one-frame', STREAMED, f.second_choice_in_one_frame),
        ('duplicate-content', BOTH, f.duplicated('content', 'something else')),
        ('duplicate-choices', BOTH, f.duplicated('choices', [])),
        ('duplicate-tee_id', BOTH, f.duplicated('tee_id', '0x' + '00' * 32)),
    ],
}
CODES = {'unsigned_content': 'unsigned_content', 'stale_response': 'stale_response'}

SIMPLE = [pytest.param(check, kind, handler, id='%s-%s-%s' % (check, name, kind))
          for check, rows in VERIFICATION.items() for name, kinds, handler in rows for kind in kinds]


def ask(veil, peer, request, kind, handler, **fields):
    model = request.node.name
    peer.handlers[model] = handler
    return model, veil.ask(model, 'x', **(STREAM if kind == 'stream' else {}), **fields)


def assert_refused(reply):
    """An error of OpenAI's shape, as JSON also for streams, and not a word of the answer."""
    assert reply.header('content-type').startswith('application/json')
    assert reply.header('X-OpenGradient-Verified') is None
    assert set(reply.json()) == {'error'}
    for word in (*f.TEXTS, 'leaked_tool'):
        assert word.encode() not in reply.body, 'something of the answer shows'
    return reply.error


@pytest.mark.parametrize('check, kind, handler', SIMPLE)
def test_verification(veil, peer, request, check, kind, handler):
    before = veil.counts()
    model, reply = ask(veil, peer, request, kind, handler)
    error = assert_refused(reply)
    assert (reply.status, error['code'], error['check']) == (502, CODES.get(check, 'verification_failed'), check), error
    assert len(peer.seen(model)) == 1, 'a verification failure is not tried again'
    after = veil.counts()
    assert (after['refused'], after['verified']) == (before['refused'] + 1, before['verified'])


def test_replayed_answer(veil, peer):
    """The sealed answer of an earlier, equal request does not pass for the next."""
    peer.handlers['replayed'] = f.replayed
    assert veil.ask('replayed', 'x').status == 200
    reply = veil.ask('replayed', 'x')
    assert reply.status == 502 and assert_refused(reply)['check'] == 'seal'


@pytest.mark.parametrize('kind', BOTH)
def test_lone_surrogate(veil, peer, request, kind):
    """Text without a UTF-8 form: refused, whatever was signed."""
    def handler(ex):
        frame = json.dumps('\ud800').encode()
        if ex.stream:
            rows = f.events(ex, texts=['xyzzy'])
            answers.send_stream(ex, [rows[0].replace(b'"xyzzy"', frame)] + rows[1:])
        else:
            answers.send_single(ex, json.dumps(answers.signed_completion(ex, 'xyzzy')).encode().replace(b'"xyzzy"', frame))
    _, reply = ask(veil, peer, request, kind, handler)
    error = assert_refused(reply)
    assert reply.status == 502 and error['code'] == 'verification_failed', error


# Not a question of verification: the gateway or the relay said something else, or nothing. Status and code of ours.
REFUSALS = [
    ('error-frame', STREAMED, 502, 'upstream_error', f.error_frame('the model is on fire')),
    ('error-frame-object', STREAMED, 502, 'upstream_error', f.error_frame({'message': 'the model is on fire', 'code': 1})),
    ('error-then-signed', STREAMED, 502, 'upstream_error', f.rows(lambda ex, rows: [rows[0], answers.event({'error': 'x'})] + rows[1:])),
    ('wrong-type', BOTH, 502, 'broken_answer', f.typed('application/octet-stream')),
    ('html-type', BOTH, 502, 'broken_answer', f.typed('text/html')),
    ('no-type', BOTH, 502, 'broken_answer', f.typed(None)),
    ('the-other-type', BOTH, 502, 'broken_answer', f.swapped_type),
    ('empty-200', BOTH, 502, 'broken_answer', f.empty),
    ('gzip', BOTH, 502, 'broken_answer', f.gzipped),
    ('gzip-bomb', BOTH, 502, 'broken_answer', f.gzip_bomb),
    ('header-bomb', BOTH, 502, 'broken_answer', f.header_bomb),
    ('informational-flood', BOTH, 502, 'broken_answer', f.informational_flood),
    ('endless-drip', BOTH, 502, 'answer_too_large', f.drip_without_end),
    ('too-long', BOTH, 502, 'answer_too_large', f.too_long),
    ('cut-body', BOTH, 502, 'broken_answer', f.cut_body),
    ('reset-inside', BOTH, 502, 'broken_answer', f.reset_inside),
    ('reset', BOTH, 502, 'broken_answer', lambda ex: ex.http.reset()),
    ('close', BOTH, 502, 'broken_answer', lambda ex: ex.http.close()),
    ('not-http', BOTH, 502, 'broken_answer', f.not_http),
    *(('redirect-%d' % n, BOTH, 502, 'broken_answer', f.status(n, headers=[('Location', '/elsewhere')])) for n in (301, 302, 303, 307, 308)),
    ('relay-402', BOTH, 402, 'insufficient_quota', f.status(402)),
    ('relay-413', BOTH, 413, 'request_too_large', f.status(413)),
    ('relay-429', BOTH, 429, 'rate_limit_exceeded', f.status(429)),
    ('relay-400', BOTH, 502, 'relay_error', f.status(400)),
    ('relay-404', BOTH, 502, 'relay_error', f.status(404)),
    ('relay-500', BOTH, 502, 'relay_error', f.status(500)),
]


@pytest.mark.parametrize('kind, status, code, handler', [pytest.param(kind, status, code, handler, id='%s-%s' % (name, kind))
                                                         for name, kinds, status, code, handler in REFUSALS for kind in kinds])
def test_refusal(veil, peer, request, kind, status, code, handler):
    before = veil.counts()['verified']
    model, reply = ask(veil, peer, request, kind, handler)
    error = assert_refused(reply)
    assert (reply.status, error['code']) == (status, code) and 'check' not in error, error
    assert len(peer.seen(model)) == 1, 'a request that may have run is not sent twice'
    assert veil.counts()['verified'] == before


@pytest.mark.parametrize('kind', BOTH)
@pytest.mark.parametrize('keep', [20, 40, -1], ids=['in-the-nonce', 'in-the-text', 'before-the-end'])
def test_cut_inside_a_chunked_http_body(veil, peer, request, kind, keep):
    """The connection ends without the body's end mark: the seal is not whole, whether HTTP tells or not."""
    _, reply = ask(veil, peer, request, kind, f.cut_chunked(keep))
    error = assert_refused(reply)
    assert reply.status == 502 and error['code'] in ('broken_answer', 'verification_failed'), error


@pytest.mark.parametrize('kind', BOTH)
def test_retry_after_is_kept(veil, peer, request, kind):
    for value in ('7', 'Fri, 21 Nov 2036 20:00:00 GMT'):
        _, reply = ask(veil, peer, request, kind, f.status(429, headers=[('Retry-After', value)]))
        assert reply.status == 429 and reply.header('Retry-After') == value


def test_deadline(peer, tmp_path):
    """An answer that does not come, stops half way or never ends is given up when its time is over, and not asked for again."""
    hasty = PeerVeil(tmp_path, peer, '--answer-timeout', '2')
    handlers = {'hang': f.hang, 'stall': f.stall, 'drip': f.drip_slowly, 'header-drip': f.drip_headers}
    cases = [(name, kind) for name in handlers for kind in BOTH]
    peer.handlers.update({'late-%s-%s' % case: handlers[case[0]] for case in cases})

    def one(case):
        start = time.monotonic()
        return hasty.ask('late-%s-%s' % case, 'x', **(STREAM if case[1] == 'stream' else {})), time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for case, (reply, seconds) in zip(cases, pool.map(one, cases)):
            error = assert_refused(reply)
            assert (reply.status, error['code']) == (504, 'timed_out'), (case, error)
            assert 1.5 < seconds < 10, (case, seconds)
            [ex] = peer.seen('late-%s-%s' % case)
            assert ex.hung_up.wait(10), case
    hasty.stop()


@pytest.mark.parametrize('kind', BOTH)
@pytest.mark.parametrize('code', [502, 503, 504])
def test_relay_down_tries_another_enclave_once(veil, peer, request, kind, code):
    model, reply = ask(veil, peer, request, kind, f.status(code))
    assert_refused(reply)
    assert reply.status in (502, 504)
    seen = peer.seen(model)
    assert len(seen) == 2 and seen[0].enclave is not seen[1].enclave
    peer.handlers[model] = lambda ex: f.status(code)(ex) if len(peer.seen(model)) == 3 else f.send(ex)
    reply = veil.ask(model, 'x', **(STREAM if kind == 'stream' else {}))
    assert reply.status == 200 and len(peer.seen(model)) == 4, 'the other enclave answers'
    assert reply.header('X-OpenGradient-TEE-Id') == peer.seen(model)[3].enclave.tee_id


@pytest.mark.parametrize('kind', BOTH)
def test_retryable_error_tries_another_enclave_once(veil, peer, request, kind):
    body = {'detail': 'busy', 'exception_type': 'X', 'source': 'upstream_error', 'retryable': True}
    model, reply = ask(veil, peer, request, kind, f.status(500, body))
    assert_refused(reply)
    assert reply.status == 502 and len(peer.seen(model)) == 2


@pytest.mark.parametrize('kind', BOTH)
@pytest.mark.parametrize('code', [401, 403])
def test_session_refused(veil, peer, request, kind, code):
    _, reply = ask(veil, peer, request, kind, f.status(code))
    error = assert_refused(reply)
    assert reply.status == 401 and 'og-veil login' in error['message']
    assert peer.access_token not in json.dumps(error)
    veil.secrets |= {peer.access_token, peer.refresh_token}


@pytest.mark.parametrize('code, status', [(400, 400), (401, 502), (402, 402), (413, 413), (429, 429), (500, 500), (503, 503)])
@pytest.mark.parametrize('body', [{'error': 'upstream said no'}, {'detail': 'upstream said no'}, {'error': {'message': 'upstream said no'}}],
                         ids=['error', 'detail', 'object'])
def test_error_inside_the_seal(veil, peer, request, code, status, body):
    _, reply = ask(veil, peer, request, 'single', f.inner(code, body))
    error = assert_refused(reply)
    assert (reply.status, error['code']) == (status, 'upstream_error'), error
    assert 'upstream said no' in error['message']


def test_relay_cannot_put_words_into_our_terminal(veil, peer, request):
    """Control characters and endless texts of an error are cleaned before they are shown."""
    _, reply = ask(veil, peer, request, 'single', f.status(500, {'detail': 'bell\x07 esc\x1b[31m\nnew line \u202e' + 'x' * 100000}))
    message = assert_refused(reply)['message']
    assert len(message) < 2000 and not any(ord(c) < 32 or ord(c) == 127 for c in message)


LEGAL = [
    ('one-byte-chunks', BOTH, f.in_pieces(1)),
    ('one-byte-packets', BOTH, f.slowly),
    ('seven-byte-chunks', BOTH, f.in_pieces(7)),
    ('until-closed', BOTH, f.until_closed),
    ('early-hints', BOTH, f.early_hints),
    ('lower-case-head', BOTH, f.lower_case_head),
    ('type-with-parameters', BOTH, lambda ex: f.typed(f.type_of(ex) + '; charset=binary')(ex)),
    ('bare-hashes', BOTH, f.signing(prefix='')),
    ('decimal-string-timestamp', BOTH, f.signed_fields(lambda signed: signed.update(tee_timestamp=str(signed['tee_timestamp'])))),
    ('nine-minutes-old', BOTH, f.signing(timestamp=lambda ex: f.now() - 540)),
    ('envelope', SINGLE, lambda ex: answers.send_single(ex, {'status': 200, 'body': answers.signed_completion(ex, f.LEAK)})),
    ('content-list', SINGLE, f.content_list),
    ('long-varints', STREAMED, f.long_varints),
    ('varints-of-8-bytes', STREAMED, f.chunker(lambda s, rows: finished(s, rows[:-1], lambda: s.final(rows[-1]), size=8))),
    ('varints-of-4-bytes', STREAMED, f.chunker(lambda s, rows: finished(s, rows[:-1], lambda: s.final(rows[-1]), size=4))),
    ('empty-chunks', STREAMED, f.chunker(lambda s, rows: [c for r in rows for c in (s.chunk(b''), s.chunk(r))] + [s.final(b'')])),
    ('all-in-the-final-chunk', STREAMED, f.resealed(lambda s, text: [s.final(text)])),
    ('several-events-in-a-chunk', STREAMED, f.resealed(lambda s, text: [s.chunk(text), s.final(b'')])),
    ('one-byte-sealed-chunks', STREAMED, f.resealed(lambda s, text: [s.chunk(p) for p in f.pieces(text, 1)] + [s.final(b'')])),
    ('seven-byte-sealed-chunks', STREAMED, f.resealed(lambda s, text: [s.chunk(p) for p in f.pieces(text, 7)] + [s.final(b'')])),
    ('comments', STREAMED, f.reframed(f.comments)),
    ('crlf', STREAMED, f.reframed(lambda text: text.replace(b'\n', b'\r\n'))),
    ('cr', STREAMED, f.reframed(lambda text: text.replace(b'\n', b'\r'))),
    ('mixed-line-ends', STREAMED, f.reframed(lambda text: text.replace(b'\n\n', b'\r\n\n', 2).replace(b'\n\n', b'\r\r', 1))),
    ('no-space', STREAMED, f.reframed(lambda text: text.replace(b'data: ', b'data:'))),
    ('multi-line-data', STREAMED, f.reframed(f.multi_line)),
    ('multi-line-data-bare-cr', STREAMED, f.reframed(lambda text: f.multi_line(text).replace(b'\n', b'\r'))),
    ('no-done', STREAMED, f.rows(lambda ex, rows: rows[:-1])),
    ('done-twice', STREAMED, f.rows(lambda ex, rows: rows + rows[-1:])),
    ('content-and-signature-in-one-frame', STREAMED, f.content_and_signature_in_one_frame),
]


@pytest.mark.parametrize('kind, handler', [pytest.param(kind, handler, id='%s-%s' % (name, kind)) for name, kinds, handler in LEGAL for kind in kinds])
def test_legal_variant(veil, peer, request, kind, handler):
    _, reply = ask(veil, peer, request, kind, handler)
    assert reply.status == 200, reply.body
    assert reply.header('X-OpenGradient-Verified') == 'true'
    assert (reply.streamed_text() if kind == 'stream' else reply.text) == f.LEAK
    assert (reply.streamed_proof() if kind == 'stream' else reply.proof)['verified'] is True


@pytest.mark.parametrize('text', ['[DONE]', 'data: [DONE]\n\n', 'a\rdata: {"choices":[]}\r\r', '\u2028data: x\u0085', '\n\n: comment\n\n', '"}]}\n\n'],
                         ids=['done', 'done-line', 'bare-cr', 'unicode-lines', 'comment', 'json-end'])
@pytest.mark.parametrize('escaped', [True, False], ids=['escaped', 'raw'])
def test_what_is_replayed_is_what_was_verified(veil, peer, request, text, escaped):
    """Texts that look like framing come back as text, whichever way the gateway spells them."""
    def handler(ex):
        rows = answers.text_events(ex, ['before ', text, ' after'])
        if not escaped:
            rows[1] = answers.event(json.dumps(answers.frame(ex, {'content': text}), ensure_ascii=False).encode())
        answers.send_stream(ex, rows)
    _, reply = ask(veil, peer, request, 'stream', handler)
    assert reply.status == 200, reply.body
    assert reply.streamed_text() == 'before ' + text + ' after'


def test_veil_still_answers(veil):
    """After all of that."""
    reply = veil.ask('honest', 'still there?')
    assert reply.status == 200 and reply.text == 'echo: still there?'

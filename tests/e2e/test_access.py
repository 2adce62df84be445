# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Who may ask, and how: what the endpoint does with requests that no well-behaved client sends."""

import concurrent.futures
import http.client
import json
import os
import socket
import struct
import time

import pytest
from program import PeerVeil, run, wait_until

KEY = 'correct-horse-battery'
BODY = json.dumps({'model': 'access', 'messages': [{'role': 'user', 'content': 'x'}]}).encode()


@pytest.fixture(scope='module')
def keyed(peer, tmp_path_factory):
    running = PeerVeil(tmp_path_factory.mktemp('keyed'), peer, env={'OG_VEIL_API_KEY': KEY})
    running.secrets.add(KEY)
    yield running
    running.stop()


def raw(veil, method, path, headers, body=b''):
    """Exactly these headers. Returns (status, headers, body), or None when the connection was closed without an answer."""
    rows = ['%s %s HTTP/1.1' % (method, path)] + ['%s: %s' % row for row in headers] + ['Connection: close']
    if body:
        rows.append('Content-Length: %d' % len(body))
    with veil.connect() as sock:
        try:
            sock.sendall('\r\n'.join(rows).encode('latin-1') + b'\r\n\r\n' + body)
        except OSError:
            pass  # refused while we were still talking
        response = http.client.HTTPResponse(sock, method=method)
        try:
            response.begin()
            return response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException):
            return None


def post(veil, *headers, host=None, path='/v1/chat/completions', body=BODY):
    host = ('Host', host or '127.0.0.1:%d' % veil.port)
    return raw(veil, 'POST', path, [host, ('Content-Type', 'application/json'), *headers], body)


def sent(peer):
    return len(peer.exchanges)


@pytest.fixture(autouse=True)
def quiet(peer, request):
    """Unless a test says otherwise, nothing may go upstream."""
    before = sent(peer)
    yield
    if 'serves' not in request.keywords:
        assert sent(peer) == before, 'a refused request was sent on'


def error_of(answer):
    status, headers, body = answer
    assert headers['Content-Type'].startswith('application/json')
    error = json.loads(body)['error']
    assert set(error) >= {'message', 'type', 'code', 'param'} and error['message']
    return error


@pytest.mark.serves
@pytest.mark.parametrize('host', ['127.0.0.1:%d', 'localhost:%d', 'LocalHost:%d', '[::1]:%d'])
def test_loopback_hosts(veil, host):
    assert post(veil, host=host % veil.port)[0] == 200


@pytest.mark.parametrize('host', ['evil.example:%d', '127.0.0.1', '127.0.0.1:1', 'localhost', 'localhost.evil.example:%d', '127.0.0.1.nip.io:%d',
                                  '10.0.0.1:%d', '0.0.0.0:%d', 'evil@127.0.0.1:%d', '2130706433:%d', '0x7f.1:%d', 'localhost:%d.evil.example', '[::2]:%d',
                                  '[::1:%d', 'localhost.:%d', ':%d', 'localhost:0%d'])
def test_other_hosts(veil, host):
    """DNS rebinding: a name that leads here is not us."""
    host = host % veil.port if '%' in host else host
    for path in ('/v1/chat/completions',):
        answer = post(veil, host=host, path=path)
        assert answer is None or answer[0] in (400, 403), answer
    for path in ('/v1/models', '/health', '/'):
        answer = raw(veil, 'GET', path, [('Host', host)])
        assert answer is None or answer[0] in (400, 403), answer


def test_host_missing_or_twice(veil):
    own = '127.0.0.1:%d' % veil.port
    for hosts in ([], [own, 'evil.example'], ['evil.example', own], [own, own]):
        headers = [('Host', h) for h in hosts] + [('Content-Type', 'application/json')]
        answer = raw(veil, 'POST', '/v1/chat/completions', headers, BODY)
        assert answer is None or answer[0] in (400, 403), (hosts, answer)


def test_foreign_host_in_the_request_line(veil):
    answer = post(veil, path='http://evil.example/v1/chat/completions')
    assert answer is None or answer[0] in (400, 403, 404), answer


@pytest.mark.parametrize('origin', ['https://evil.example', 'null', 'http://127.0.0.1:%d', 'http://localhost:3000', 'file://', 'chrome-extension://abc', ''])
def test_pages_are_refused(veil, origin):
    answer = post(veil, ('Origin', origin % veil.port if '%' in origin else origin))
    assert answer[0] == 403 and 'Access-Control-Allow-Origin' not in answer[1]
    error_of(answer)
    answer = raw(veil, 'GET', '/health', [('Host', '127.0.0.1:%d' % veil.port), ('Origin', 'https://evil.example')])
    assert answer[0] == 403 and b'active_tee_id' not in answer[2]


@pytest.mark.parametrize('site', ['cross-site', 'same-site', 'other', ''])
def test_fetches_of_pages_are_refused(veil, site):
    assert post(veil, ('Sec-Fetch-Site', site))[0] == 403


@pytest.mark.serves
@pytest.mark.parametrize('site', ['none', 'same-origin'])
def test_fetches_of_our_own_pass(veil, site):
    assert post(veil, ('Sec-Fetch-Site', site))[0] == 200


@pytest.mark.parametrize('extra', [[], [('Access-Control-Request-Private-Network', 'true')]], ids=['plain', 'private-network'])
def test_preflight_of_a_page_is_refused(veil, extra):
    headers = [('Host', '127.0.0.1:%d' % veil.port), ('Origin', 'https://evil.example'), ('Access-Control-Request-Method', 'POST'),
               ('Access-Control-Request-Headers', 'authorization,content-type'), *extra]
    status, answer, _ = raw(veil, 'OPTIONS', '/v1/chat/completions', headers)
    assert status == 403
    assert not [name for name in answer.keys() if name.lower().startswith('access-control-allow')]


def test_options(veil):
    for path, allowed in (('/v1/chat/completions', 'POST'), ('/v1/models', 'GET'), ('/health', 'GET')):
        status, headers, body = raw(veil, 'OPTIONS', path, [('Host', '127.0.0.1:%d' % veil.port)])
        assert status in (200, 204) and body == b''
        assert allowed in headers['Allow'] and 'OPTIONS' in headers['Allow']


@pytest.mark.serves
def test_api_key(keyed, peer):
    before = sent(peer)
    for value in (None, 'Bearer wrong', 'Bearer ', 'Bearer', 'Bearer %s%s' % (KEY, 'x'), 'Bearer %s' % KEY[:-1], 'Basic %s' % KEY, KEY,
                  'Bearer %s' % KEY.upper()):
        headers = [('Authorization', value)] if value is not None else []
        answer = post(keyed, *headers)
        assert answer[0] == 401, value
        assert error_of(answer)['type'] == 'authentication_error' and KEY not in json.dumps(error_of(answer))
        assert raw(keyed, 'GET', '/v1/models', [('Host', '127.0.0.1:%d' % keyed.port), *headers])[0] == 401
    assert sent(peer) == before
    assert post(keyed, ('Authorization', 'Bearer ' + KEY))[0] == 200
    assert post(keyed, ('Authorization', 'bearer ' + KEY))[0] == 200
    [ex] = peer.exchanges[before:before + 1]
    assert KEY.encode() not in ex.http.head, "the caller's key goes nowhere"


@pytest.mark.serves
def test_a_page_with_the_key(keyed):
    assert post(keyed, ('Origin', 'https://app.example'), ('Authorization', 'Bearer ' + KEY))[0] == 200
    assert post(keyed, ('Origin', 'https://app.example'), ('Authorization', 'Bearer wrong'))[0] in (401, 403)
    assert post(keyed, ('Origin', 'https://app.example'))[0] in (401, 403)


def test_other_machines_need_a_key(tmp_path):
    for host in ('0.0.0.0', '::'):
        done = run('serve', '-f', '--sandbox', '--port', '0', '--host', host, home=tmp_path)
        assert done.returncode in (1, 2) and b'OG_VEIL_API_KEY' in done.stderr and b'listening' not in done.stdout


@pytest.mark.serves
@pytest.mark.parametrize('name, status', [('application/json', 200), ('application/json; charset=utf-8', 200), ('Application/JSON', 200),
                                          ('text/plain', 415), ('application/x-www-form-urlencoded', 415), ('multipart/form-data; boundary=x', 415),
                                          ('application/jsonp', 415), ('text/json', 415), (None, 415), ('', 415)])
def test_content_type(veil, name, status):
    headers = [('Host', '127.0.0.1:%d' % veil.port)] + ([('Content-Type', name)] if name is not None else [])
    answer = raw(veil, 'POST', '/v1/chat/completions', headers, BODY)
    assert answer[0] == status, answer
    if status != 200:
        assert error_of(answer)['type'] == 'invalid_request_error'


@pytest.mark.parametrize('method, path, status', [
    ('GET', '/v1/chat/completions', 405), ('PUT', '/v1/chat/completions', 405), ('DELETE', '/v1/models', 405), ('POST', '/v1/models', 405),
    ('PATCH', '/health', 405), ('POST', '/v1/models/gpt-4.1', 405), ('TRACE', '/v1/models', 405),
    ('GET', '/', 404), ('GET', '/v1', 404), ('POST', '/v1/completions', 404), ('POST', '/v1/embeddings', 404), ('GET', '/v1/models/no-such', 404),
    ('POST', '/v1/chat/completions/', 404), ('POST', '/v1/chat/completions/x', 404), ('GET', '/v1/models/../../etc/passwd', 404),
    ('POST', '/V1/chat/completions', 404), ('POST', '//v1/chat/completions', 404)])
def test_paths_and_methods(veil, method, path, status):
    answer = raw(veil, method, path, [('Host', '127.0.0.1:%d' % veil.port), ('Content-Type', 'application/json')], BODY if method in ('POST', 'PUT') else b'')
    assert answer[0] == status, answer
    error_of(answer)
    if status == 405:
        assert answer[1]['Allow']


def test_head(veil):
    for path in ('/v1/models', '/health', '/v1/models/gpt-4.1'):
        host = [('Host', '127.0.0.1:%d' % veil.port)]
        get, head = raw(veil, 'GET', path, host), raw(veil, 'HEAD', path, host)
        assert head[0] == get[0] == 200 and head[2] == b'' and head[1]['Content-Length'] == get[1]['Content-Length'] == str(len(get[2]))
    assert raw(veil, 'HEAD', '/nowhere', host)[0] == 404


def test_models(veil):
    host = [('Host', '127.0.0.1:%d' % veil.port)]
    listed = json.loads(raw(veil, 'GET', '/v1/models?limit=3', host)[2])
    assert listed['object'] == 'list' and listed['data']
    for model in listed['data']:
        assert set(model) >= {'id', 'object', 'created', 'owned_by'} and model['object'] == 'model'
    one = json.loads(raw(veil, 'GET', '/v1/models/' + listed['data'][0]['id'], host)[2])
    assert one == listed['data'][0]


def chat(**fields):
    return json.dumps({'model': 'access', 'messages': [{'role': 'user', 'content': 'x'}], **fields}).encode()


@pytest.mark.parametrize('body, param', [
    (b'', None), (b'{', None), (b'[]', None), (b'"x"', None), (b'null', None), (b'{"model": NaN}', None), (BODY + b'{}', None), (BODY[:-1] + b',}', None),
    (b'\xef\xbb\xbf' + BODY, None), (BODY.replace(b'"x"', b'"\xff"'), None), (BODY.replace(b'"x"', b'"a\nb"'), None), (BODY.replace(b'{', b'{/**/', 1), None),
    (chat().replace(b'"access"', b'"access", "temperature": 1e999'), None), (b'[' * 100000, None), (b'{"a":' * 100000, None),
    (json.dumps({'messages': [{'role': 'user', 'content': 'x'}]}).encode(), 'model'), (chat(model=7), 'model'),
    (json.dumps({'model': 'm'}).encode(), 'messages'), (chat(messages=[]), 'messages'), (chat(messages={}), 'messages'), (chat(messages=['x']), 'messages[0]'),
    (chat(messages=[{'role': 'user', 'content': 'x'}, {'role': 'wizard', 'content': 'x'}]), 'messages[1].role'),
    (chat(messages=[{'content': 'x'}]), 'messages[0].role'), (chat(messages=[{'role': 7}]), 'messages[0].role'),
    (chat(temperature='hot'), 'temperature'), (chat(tools={'a': 1}), 'tools'), (chat(stream='yes'), 'stream'),
], ids=lambda value: repr(value)[:40])
def test_bad_requests(veil, body, param):
    answer = post(veil, body=body) if body else raw(veil, 'POST', '/v1/chat/completions', [
        ('Host', '127.0.0.1:%d' % veil.port), ('Content-Type', 'application/json'), ('Content-Length', '0')])
    assert answer[0] == 400, answer
    error = error_of(answer)
    assert error['type'] == 'invalid_request_error' and error['param'] == param, error


@pytest.mark.parametrize('headers', [[('X-Big', 'x' * (1 << 20))], [('X-%d' % i, 'y' * 100) for i in range(20000)], [('X-Many', 'z' * 60000)] * 40],
                         ids=['one-long', 'many', 'long-and-many'])
def test_oversized_headers(veil, headers):
    """Refused or cut off, with bounded memory, and nobody else notices."""
    before = memory(veil)
    for _ in range(8):
        answer = post(veil, *headers)
        assert answer is None or answer[0] in (400, 413, 431), answer
    assert memory(veil) - before < 40 << 10, 'KiB kept for headers that were refused'
    assert veil.health()['status'] == 'ok'


def memory(veil):
    with open('/proc/%d/status' % veil.process.pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS'))


@pytest.mark.parametrize('rows', [
    [('Content-Length', '5'), ('Content-Length', '6')], [('Content-Length', '-1')], [('Content-Length', 'ten')], [('Content-Length', '99999999999999999999999')],
    [('Transfer-Encoding', 'chunked'), ('Content-Length', '5')], [('Transfer-Encoding', 'gzip')]], ids=str)
def test_ambiguous_lengths(veil, rows):
    """Nothing that two readers could frame in two ways is served."""
    headers = [('Host', '127.0.0.1:%d' % veil.port), ('Content-Type', 'application/json'), *rows]
    answer = raw(veil, 'POST', '/v1/chat/completions', headers)
    assert answer is None or 400 <= answer[0] < 600, answer


@pytest.mark.parametrize('row', ['identity', 'chunked, chunked', 'gzip, chunked', 'chunked, identity', 'Xchunked'])
def test_other_transfer_codings(veil, row):
    """What follows such a head is no request: neither the body nor what is behind it."""
    behind = b'GET /health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n' % veil.port
    with veil.connect() as sock:
        sock.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nTransfer-Encoding: %s\r\n\r\n%s'
                     % (veil.port, row.encode(), behind))
        answer = b''
        while piece := sock.recv(65536):
            answer += piece
    assert b' 200 ' not in answer and b'active_tee_id' not in answer and answer.split()[1] in (b'400', b'501'), answer


@pytest.mark.parametrize('line', [b'\r\n\r\n', b'GET\r\n\r\n', b'\x16\x03\x01\x02\x00\x01\x00', b'GET /health HTTP/9.9\r\n\r\n', b'GET /\x00 HTTP/1.1\r\n\r\n',
                                  b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'], ids=repr)
def test_not_http(veil, line):
    with veil.connect() as sock:
        sock.sendall(line)
        sock.shutdown(1)
        answer = sock.recv(65536)
    assert b' 200 ' not in answer.split(b'\r\n')[0]
    assert veil.health()['status'] == 'ok'


@pytest.mark.serves
def test_http_1_0(veil):
    with veil.connect() as sock:
        sock.sendall(b'POST /v1/chat/completions HTTP/1.0\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s'
                     % (veil.port, len(BODY), BODY))
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.status == 200 and json.loads(response.read())['opengradient_verification']['verified'] is True

MANNERS = ['close-at-once', 'half-close', 'close-after-answer', 'part-of-a-second', 'pipelined', 'pipelined-close', 'reset']


@pytest.mark.serves
@pytest.mark.parametrize('manners', MANNERS)
@pytest.mark.parametrize('kind', ['health', 'chat', 'malformed', 'unknown-path'])
def test_callers_without_manners(veil, kind, manners):
    """Connections that end in every way at every moment harm nobody else, and leave nothing behind."""
    host = b'Host: 127.0.0.1:%d\r\n' % veil.port
    post = b'POST /v1/chat/completions HTTP/1.1\r\n' + host + b'Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s'
    request = {'health': b'GET /health HTTP/1.1\r\n' + host + b'\r\n', 'chat': post % (len(BODY), BODY), 'malformed': post % (1, b'{'),
               'unknown-path': b'GET /nowhere HTTP/1.1\r\n' + host + b'\r\n'}[kind]
    before = sockets(veil)

    def one(i):
        with veil.connect() as sock:
            try:
                part = request[:1 + i % 30] if manners == 'part-of-a-second' else b''
                sock.sendall(request * (3 if manners.startswith('pipelined') else 1) + part)
                if manners == 'half-close':
                    sock.shutdown(socket.SHUT_WR)
                if manners in ('half-close', 'close-after-answer', 'part-of-a-second', 'pipelined'):
                    sock.recv(65536)
                    time.sleep(i % 4 / 1000)  # leave at different moments
                if manners == 'reset':
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            except ConnectionError:
                pass

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(one, range(150)))
    assert veil.process.poll() is None, veil.stderr()[:4000].decode(errors='replace')
    assert veil.health()['status'] == 'ok'
    wait_until(lambda: sockets(veil) <= before + 8, 10, 'the connections to be closed')


def sockets(veil):
    return len(os.listdir('/proc/%d/fd' % veil.process.pid))


def test_nothing_about_the_caller_goes_upstream(veil, peer):
    """The headers of the caller end here (checked for every request by the peer as well)."""
    for ex in peer.exchanges:
        assert b'python' not in ex.http.head.lower()

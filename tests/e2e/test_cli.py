# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The commands: what they print, where, and how they end."""

import json
import os
import signal
import stat
import threading

import pytest
from program import DEADLINE, OG_VEIL, PeerVeil, Veil, complete, environment, free_port, run, sign_in
from veil_peer import Peer
from veil_peer.http import Server


def one_sentence(stderr):
    """Every error is one line that begins with the program's name."""
    lines = stderr.decode().splitlines()
    assert len(lines) == 1 and lines[0].startswith('og-veil: '), lines
    return lines[0]


def test_version_and_help():
    done = run('--version')
    assert done.returncode == 0 and done.stdout.startswith(b'og-veil ') and done.stderr == b''
    for flag in ('--help', '-h'):
        done = run(flag)
        assert done.returncode == 0 and done.stderr == b''
        for command in (b'serve', b'login', b'logout', b'test', b'models', b'env'):
            assert command in done.stdout
    for command in ('serve', 'login', 'logout', 'test', 'models', 'env'):
        done = run(command, '--help')
        assert done.returncode == 0 and done.stdout, command


@pytest.mark.parametrize('arguments', [
    ['conquer'], [''], ['--nonsense'], ['--sandbox', 'extra'], ['--foreground'], ['stop', 'extra'], ['restart', 'extra'], ['status', 'extra'], ['serve', '--nonsense'], ['serve', '-f', 'extra'], ['login', '--manual', 'extra'], ['models', 'extra'], ['env', 'extra'],
    ['serve', '-f', '--port', 'nonsense'], ['serve', '-f', '--port', '65536'], ['serve', '-f', '--port', '-1'], ['serve', '-f', '--port', ''],
    ['serve', '-f', '--port', '80x'], ['serve', '-f', '--port'], ['serve', '-f', '--tee-id', 'xyz'], ['serve', '-f', '--tee-id', '0x' + 'a' * 63],
    ['serve', '-f', '--expected-pcr', '12'], ['serve', '-f', '--refresh-interval', '-3'], ['serve', '-f', '--refresh-interval', 'often'],
    ['serve', '-f', '--session-store', 'cloud'], ['login', '--manual', '--session-store', 'cloud'],
], ids=' '.join)
def test_bad_usage(arguments, tmp_path):
    done = run(*arguments, env={'OG_VEIL_HOME': str(tmp_path)})
    assert done.returncode == 2 and done.stdout == b''
    one_sentence(done.stderr)
    for name in ('--port', '--tee-id', '--expected-pcr', '--refresh-interval', '--session-store'):
        assert name not in arguments or name in done.stderr.decode(), 'the error does not name the flag'


@pytest.mark.parametrize('name, value', [('OG_VEIL_PORT', 'abc'), ('OG_VEIL_TEE_ID', 'q'), ('OG_VEIL_EXPECTED_PCR_HASH', 'q'),
                                         ('OG_VEIL_TEE_REFRESH_INTERVAL', 'x'), ('OG_VEIL_SESSION_STORE', 'x'), ('OG_VEIL_API_KEY', 'short')])
def test_bad_environment(name, value, tmp_path):
    done = run('serve', '-f', env={name: value}, home=tmp_path)
    assert done.returncode == 2 and name in one_sentence(done.stderr)


def test_flags_win_over_the_environment():
    done = run('env', '--port', '2222', env={'OG_VEIL_PORT': '1111'})
    assert b':2222/v1' in done.stdout
    assert b':1111/v1' in run('env', env={'OG_VEIL_PORT': '1111'}).stdout
    assert b'127.0.0.1:11434/v1' in run('env').stdout


def test_env_can_be_evaluated():
    """eval "$(og-veil env)", with a key that the shell has."""
    script = 'eval "$("$0" env --port 4321)"; printf "%s|%s" "$OPENAI_BASE_URL" "$OPENAI_API_KEY"'
    for env, key in (({}, 'veil'), ({'OG_VEIL_API_KEY': 'a-key$(false)`'}, 'a-key$(false)`')):
        done = complete(['sh', '-c', script, OG_VEIL], env=environment(**env))
        assert done.stdout.decode() == 'http://127.0.0.1:4321/v1|' + key, done


def test_models():
    plain, listed = run('models'), run('models', '--json')
    assert plain.returncode == listed.returncode == 0
    assert plain.stdout.decode().split() == [m['id'] for m in json.loads(listed.stdout)]
    assert 'gpt-4.1' in plain.stdout.decode().split()


# login


def change(bundle, path, value):
    bundle = json.loads(json.dumps(bundle))
    at = bundle
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return bundle


BUNDLE = {'type': 'opengradient-cli-auth', 'access_token': 'secret-access-token', 'refresh_token': 'secret-refresh-token', 'token_type': 'bearer',
          'expires_in': 3600, 'user': {'id': 'u', 'email': 'person@example.com', 'is_anonymous': False},
          'config': {'app_env': 'test', 'supabase_url': 'https://auth.example', 'supabase_anon_key': 'anon', 'chat_api_base_url': 'https://relay.example',
                     'tee_registry_rpc_url': 'https://rpc.example', 'tee_registry_address': '0x' + '11' * 20, 'tee_registry_tee_type': 0}}


def login(home, text):
    return run('login', '--manual', '--session-store', 'file', input=text, home=home)


def test_login_and_logout(tmp_path):
    home = tmp_path / 'home'
    done = login(home, json.dumps(BUNDLE).encode() + b'\n')
    assert done.returncode == 0, done.stderr
    assert b'person@example.com' in done.stdout and b'relay.example' in done.stdout and b'rpc.example' in done.stdout
    assert b'secret' not in done.stdout + done.stderr
    session = home / 'session.json'
    assert stat.S_IMODE(session.stat().st_mode) == 0o600 and stat.S_IMODE(home.stat().st_mode) & 0o077 == 0
    names = {p.name for p in home.iterdir()}
    assert names == {'session.json', 'session.lock', 'session.generation', 'trust.json'}, 'something is left beside the session'
    assert all(b'secret' not in (home / name).read_bytes() for name in names - {'session.json'})
    done = run('logout', '--session-store', 'file', home=home)
    assert done.returncode == 0 and not session.exists()
    assert run('logout', '--session-store', 'file', home=home).returncode == 0


@pytest.mark.parametrize('text, word', [
    (b'', None), (b'\n', None), (b'not json', None), (b'[]', None), (b'{}', 'type'), (b'\xff\xfe', None), (b'{"type": "opengradient-cli-auth"', None),
    (change(BUNDLE, ['type'], 'other'), 'type'), (change(BUNDLE, ['access_token'], None), 'access_token'), (change(BUNDLE, ['access_token'], 7), 'access_token'),
    (change(BUNDLE, ['access_token'], 'a\r\nX-Evil: 1'), 'access_token'), (change(BUNDLE, ['access_token'], ''), 'access_token'),
    (change(BUNDLE, ['config'], None), 'config'), (change(BUNDLE, ['config', 'chat_api_base_url'], None), 'chat_api_base_url'),
    (change(BUNDLE, ['config', 'supabase_url'], None), 'supabase_url'), (change(BUNDLE, ['config', 'supabase_anon_key'], None), 'supabase_anon_key'),
    (change(BUNDLE, ['config', 'chat_api_base_url'], 'http://relay.example'), 'chat_api_base_url'),
    (change(BUNDLE, ['config', 'chat_api_base_url'], 'http://127.0.0.1.relay.example'), 'chat_api_base_url'),
    (change(BUNDLE, ['config', 'chat_api_base_url'], 'https://me:you@relay.example'), 'chat_api_base_url'),
    (change(BUNDLE, ['config', 'chat_api_base_url'], 'file:///etc/passwd'), 'chat_api_base_url'),
    (change(BUNDLE, ['config', 'tee_registry_rpc_url'], 'http://rpc.example'), 'tee_registry_rpc_url'),
    (change(BUNDLE, ['config', 'tee_registry_rpc_url'], None), 'tee_registry_rpc_url'),
    (change(BUNDLE, ['config', 'tee_registry_address'], '0x1234'), 'tee_registry_address'),
    (change(BUNDLE, ['config', 'tee_registry_tee_type'], 300), 'tee_registry_tee_type'),
], ids=lambda value: value.decode(errors='replace') if isinstance(value, bytes) else None)
def test_bad_bundles(tmp_path, text, word):
    """Refused with the field's name, no token quoted, and whoever was signed in still is."""
    assert login(tmp_path, json.dumps(BUNDLE).encode()).returncode == 0
    before = (tmp_path / 'session.json').read_bytes()
    done = login(tmp_path, text if isinstance(text, bytes) else json.dumps(text).encode())
    assert done.returncode == 1, done
    message = one_sentence(done.stderr)
    assert word is None or word in message, message
    assert b'secret' not in done.stdout + done.stderr
    assert (tmp_path / 'session.json').read_bytes() == before


def test_bundle_without_end(tmp_path):
    done = login(tmp_path, json.dumps(change(BUNDLE, ['access_token'], 'x' * (1 << 20))).encode())
    assert done.returncode == 1 and not (tmp_path / 'session.json').exists()


def test_session_that_others_can_read(tmp_path):
    assert login(tmp_path, json.dumps(BUNDLE).encode()).returncode == 0
    (tmp_path / 'session.json').chmod(0o644)
    done = run('serve', '-f', '--session-store', 'file', '--port', '0', home=tmp_path)
    assert done.returncode == 1 and 'session.json' in one_sentence(done.stderr) and done.stdout == b''


def test_broken_session_file(tmp_path):
    assert login(tmp_path, json.dumps(BUNDLE).encode()).returncode == 0
    (tmp_path / 'session.json').write_bytes(b'{"type": "opengra')
    done = run('serve', '-f', '--session-store', 'file', '--port', '0', home=tmp_path)
    assert done.returncode == 1 and b'Traceback' not in done.stderr
    one_sentence(done.stderr)


def test_serving_without_a_session(tmp_path):
    veil = Veil(tmp_path, '--session-store', 'file')
    reply = veil.ask('x', 'x')
    assert reply.status == 401 and reply.error['type'] == 'authentication_error' and 'og-veil login' in reply.error['message']
    assert veil.health()['status'] == 'not_signed_in'
    veil.stop()


# serve, test


def test_output_of_serve(veil):
    """One line on standard output, for programs; the rest on standard error."""
    assert veil.stdout == ['listening on ' + veil.url]


def test_sigint_ends_it_too(tmp_path):
    veil = Veil(tmp_path, '--session-store', 'file')
    veil.process.send_signal(signal.SIGINT)
    assert veil.wait() == 0
    veil.stop()


def test_stopping_while_a_request_runs(tmp_path):
    """The caller is told or cut off, the upstream request is given up, and the program ends."""
    with Peer() as peer:
        peer.handlers['hold'] = lambda ex: ex.hold(DEADLINE)
        veil = PeerVeil(tmp_path, peer)
        outcome = []

        def ask():
            try:
                outcome.append(veil.ask('hold', 'x').status)
            except Exception as error:  # noqa: BLE001
                outcome.append(error)

        asker = threading.Thread(target=ask)
        asker.start()
        ex = peer.wait_seen('hold')
        veil.stop()
        asker.join(DEADLINE)
        assert ex.hung_up.wait(10) and outcome and outcome[0] != 200


def test_port_that_is_taken(veil, tmp_path):
    done = run('serve', '-f', '--session-store', 'file', '--port', str(veil.port), home=tmp_path)
    message = one_sentence(done.stderr.splitlines()[-1])
    assert done.returncode == 1 and done.stdout == b'' and str(veil.port) in message and '--port' in message


def test_port_of_an_ollama_server(tmp_path):
    def ollama(message):
        message.close()
        message.respond(200, b'Ollama is running', [('Content-Type', 'text/plain; charset=utf-8')])
    server = Server(ollama)
    done = run('serve', '-f', '--session-store', 'file', '--port', str(server.port), home=tmp_path)
    server.close()
    message = one_sentence(done.stderr.splitlines()[-1])
    assert done.returncode == 1 and 'Ollama' in message and str(server.port) in message and '--port' in message


def test_test(veil, peer):
    word = veil.secret()
    done = run('test', '--port', str(veil.port), '--model', 'cli-test', 'Hello', word)
    assert done.returncode == 0, done.stderr
    [ex] = peer.seen('cli-test')
    lines = done.stdout.decode().splitlines()
    assert lines[0] == 'echo: Hello ' + word and '✓ verified' in lines and ex.enclave.tee_id in lines
    assert run('test', '--port', str(veil.port)).returncode == 0, 'it has a prompt and a model of its own'


def test_prompts_as_they_are(veil, peer):
    for model, arguments, prompt in (('cli-dash', ['--', '--dash', '-x'], '--dash -x'), ('cli-letters', ['Grüße', '☃'], 'Grüße ☃')):
        for locale in ('C', 'C.UTF-8'):
            done = complete([OG_VEIL, 'test', '--port', str(veil.port), '--model', model, *arguments], env={**environment(), 'LC_ALL': locale})
            assert done.returncode == 0 and peer.seen(model)[-1].wire['messages'][0]['content'] == prompt
    done = complete([OG_VEIL, 'test', '--port', str(veil.port), '--model', 'cli-bytes', b'gr\xfc\xdf'])
    assert done.returncode == 2 and 'UTF-8' in one_sentence(done.stderr) and not peer.seen('cli-bytes')


def test_test_of_a_refused_answer(veil, peer):
    import faults as f
    peer.handlers['cli-bad'] = f.signed_fields(f.flip_signature)
    done = run('test', '--port', str(veil.port), '--model', 'cli-bad', 'x')
    assert done.returncode == 1 and done.stdout == b'' and f.LEAK.encode() not in done.stderr
    one_sentence(done.stderr)


def test_test_cleans_what_the_terminal_would_obey(veil, peer):
    from veil_peer import answers
    peer.handlers['cli-esc'] = lambda ex: answers.send_text(ex, 'a\x1b]0;evil\x07b\x1b[2J')
    done = run('test', '--port', str(veil.port), '--model', 'cli-esc', 'x')
    assert done.returncode == 0 and b'\x1b' not in done.stdout and b'\x07' not in done.stdout


def test_test_without_a_server(tmp_path):
    done = run('test', '--port', str(free_port()), 'x')
    assert done.returncode == 1 and 'og-veil serve' in one_sentence(done.stderr)


def test_test_of_something_that_is_not_veil():
    """Another program's answer on the port is not taken for a verified one."""
    body = {'choices': [{'message': {'role': 'assistant', 'content': 'trust me'}}]}
    for answer in (json.dumps(body).encode(), b'<html>', b''):
        server = Server(lambda message, answer=answer: message.respond(200, answer, [('Content-Type', 'application/json')]))
        done = run('test', '--port', str(server.port), 'x')
        server.close()
        assert done.returncode == 1 and b'verified\n' not in done.stdout and b'trust me' not in done.stdout


def test_home_of_the_environment(tmp_path, peer):
    sign_in(tmp_path / 'home', peer.bundle())
    done = run('logout', '--session-store', 'file', env={'OG_VEIL_HOME': str(tmp_path / 'home')})
    assert done.returncode == 0 and not os.path.exists(tmp_path / 'home' / 'session.json')

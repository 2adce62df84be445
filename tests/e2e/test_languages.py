# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What people read is in their language: each line is looked for in a catalogue in which every letter has an accent. What programs read is the same in all."""

import copy
import json
import os
import pathlib
import re
import socket
import subprocess
import unicodedata

import locales
import pseudo
import pytest
from commands import COMMANDS
from program import OG_VEIL, PeerVeil, Veil, complete, environment, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Names, and what is typed or read by programs.
ALLOWED = (
    r'\bog-veil(-sandbox)?\b', r'https?://\S+', r'\blistening on(?= http)', r'(?<!\w)(/[\w.+-]+)+/?', r'0x[0-9a-f]+', r'--[a-z][a-z0-9-]*', r'\bOG_VEIL_\w+',
    # Of GLib, which has translations of its own.
    r'Usage:', r'\[OPTION…\]', r'(Help|Application) Options:', r'Show help options', r'(Unknown option|Missing argument for)',
)


def make_language(folder, **options):
    """Environment in which the program speaks it."""
    pseudo.write(ROOT, folder, os.environ['VEIL_XGETTEXT_FLAGS'].split('\n'), **options)
    return {'LOCPATH': str(locales.make('en_US')), 'LC_ALL': 'en_US.UTF-8', 'LANGUAGE': pseudo.LANGUAGE, 'TEST_LOCALE_FOLDER': str(folder),
            'LD_PRELOAD': os.environ['VEIL_BINDTEXTDOMAIN']}


@pytest.fixture(scope='module')
def language(tmp_path_factory):
    return make_language(tmp_path_factory.mktemp('language'))


def read(text, *more):
    """Complains of what is not translated."""
    for line in text.splitlines():
        assert not pseudo.untranslated(line, (*more, *ALLOWED)), line
    return text


def speak(language, *arguments, allowed=(), env=None, **options):
    """The command's exit status; both its outputs are read."""
    done = run(*arguments, env={**language, **(env or {})}, **options)
    assert done.stdout or done.stderr
    read(done.stdout.decode(), *allowed)
    read(done.stderr.decode(), *allowed)
    return done


def test_the_search_finds_what_is_not_translated():
    assert pseudo.untranslated('⟦Ńó⟧ answer of /home/me at http://x/v1', ALLOWED) == ['answer of', 'at']
    with pytest.raises(AssertionError):
        read('⟦ýéś⟧\nverified')


def test_one_text_without_translation_is_found(tmp_path, language):
    """As if it were not marked."""
    speak(language, 'stop', home=tmp_path)
    without = make_language(tmp_path, leave_out='nothing runs\n')
    with pytest.raises(AssertionError, match='nothing runs'):
        speak(without, 'stop', home=tmp_path)


# --- what people read ---

TYPED = r'(?<=og-veil )[a-z]+'
ARGUMENTS = r'(?<==)[A-Z]+\b'


@pytest.mark.parametrize('command', ['', *COMMANDS])
def test_help(language, command):
    """The examples and the words of the usage line are typed as they are."""
    usage, examples = ' '.join(COMMANDS), run(*command.split(), '--help').stdout.decode().split('Examples:')
    names = r'^  (%s)  +(?=⟦)' % usage.replace(' ', '|')
    done = run(*command.split(), '--help', env=language)
    text = done.stdout.decode()
    if command:
        head, text = text.split('\n\n', 1)
        body, shown = text.split(pseudo.translate('Examples:'))
        assert head.split('\n')[0] == 'Usage:' and [line.strip('⟦⟧ ') for line in shown.split('\n\n')[0].strip().split('\n')] == \
            [line.strip() for line in examples[1].split('\n\n')[0].strip().split('\n')]
        text = body + '\n' + shown.split('\n\n', 1)[1]
    read(text, names, ARGUMENTS)


# Each word is an argument; what an argument of the person's own is in the message is allowed in it.
WRONG = ['--foo', 'nonsense', 'stop extra', 'serve extra', 'serve -f --port 99999', 'serve -f --port x', 'serve -f --tee-id x', 'serve -f --expected-pcr x', 'serve -f --refresh-interval x',
         'serve -f --answer-timeout x', 'serve -f --session-store cloud', 'serve -f --login --sandbox', 'serve -f --host example.org', 'serve -f --app-url ftp://x', 'login --manual --import', 'login extra', 'logout extra', 'status extra', 'models extra',
         'env extra', 'test --port 0', 'tees extra', 'tees select x', 'tees --attest x', 'tees --attest ' + 'a' * 64, 'tees --yes', 'pin', 'pin add x', 'pin add ' + 'a' * 64 + ' --label ' + 'x' * 999,
         'pin list --add', 'pin remove x --label x', 'pin remove ' + 'a' * 64, 'pin compute', 'pin compute --pcr0 x --pcr1 x --pcr2 x', 'pin compute --measurements /dev/null',
         'key', 'setup', 'setup --autostart --no-autostart', 'update extra', 'verify', 'verify /dev/null', 'verify --signed-by x x', 'verify - --request -']


@pytest.mark.parametrize('arguments', WRONG, ids=lambda arguments: arguments[:40])
def test_called_in_a_wrong_way(language, tmp_path, arguments):
    words = arguments.split()
    own = [r'(?<![\w-])%s(?![\w-])' % word for word in words[min(1, len(words) - 1):] if not word.startswith('-')]
    done = speak({**language, 'OG_VEIL_HOME': str(tmp_path)}, *words, allowed=(TYPED, r'(?<=⟦)%s\b' % words[0], *own))
    assert done.returncode in (1, 2)


@pytest.mark.parametrize('name', ['OG_VEIL_PORT', 'OG_VEIL_HOST', 'OG_VEIL_TEE_ID', 'OG_VEIL_EXPECTED_PCR_HASH', 'OG_VEIL_TEE_REFRESH_INTERVAL', 'OG_VEIL_SESSION_STORE', 'OG_VEIL_API_KEY'])
def test_wrong_environment(language, tmp_path, name):
    assert speak({**language, name: 'x;'}, 'serve', '-f', home=tmp_path, allowed=(r'\bx;',)).returncode == 2


@pytest.mark.parametrize('content', ['port=x', 'tee-id=1', 'nonsense', 'pcr-pins=[(1)]'])
def test_settings_that_cannot_be_used(language, tmp_path, content):
    (tmp_path / 'settings.ini').write_text('[veil]\n' + content + '\n')
    # What is wrong in a GVariant is said by GLib.
    speak(language, 'status', home=tmp_path, allowed=(r'\(.*\)', 'Veil', r'\b[a-z-]+(?=[ "”])', r': .*'))


FILE = ('--session-store', 'file')


def test_commands_without_a_server(language, tmp_path):
    quiet = {'home': tmp_path / 'home'}
    status = speak(language, 'status', *FILE, allowed=('^Veil',), **quiet)
    assert status.returncode == 0
    for arguments in ('stop', 'restart', 'pin list', 'tees', 'key show', 'key clear', 'key set', 'logout', 'pin add %s --label x' % ('a' * 64), 'pin remove ' + 'a' * 64, 'tees select auto',
                      'tees select ' + 'a' * 64, 'setup --yes --no-login --no-start --session-store file', 'update --dry-run', 'login --import'):
        words = arguments.split()
        if words[0] in ('tees', 'key', 'logout', 'login') and words[1:2] != ['select']:
            words += FILE
        done = run(*words, env=language, input=b'short\n', **({} if words[0] == 'update' else quiet))
        read((done.stdout + done.stderr).decode(), r'^session-store: file', r'\b(git|ninja|meson|apt|dpkg)\b', r'Not a directory')


@pytest.mark.parametrize('code', ['', 'nonsense', '{}', '{"type":"opengradient-cli-auth"}', '[' * 1000, 'x' * 2000000], ids=lambda code: code[:8])
def test_a_wrong_code(language, tmp_path, code):
    done = speak(language, 'login', '--manual', *FILE, home=tmp_path, input=code.encode(), allowed=(r'“[\w.-]+”',))
    assert done.returncode == 1


@pytest.fixture(scope='module')
def served(language, tmp_path_factory):
    home = tmp_path_factory.mktemp('served')
    veil = Veil(home, '--sandbox', env=language)
    yield veil
    veil.stop()
    said = veil.stderr().decode()
    # What it says to a person; then the log, which stays English.
    assert pseudo.translate('This is the sandbox: real cryptography, simulated enclaves, nothing attested. Try it:') in said


def test_a_server(language, served, tmp_path):
    """Status, enclaves, an answer and its receipt; then receipts that are not right."""
    where = {'home': served.home / 'home'}
    speak(language, 'status', allowed=('^Veil', r'(?<= )sandbox$'), **where)
    speak(language, 'tees', allowed=(r'\bsandbox-\d\b',), **where)
    path = tmp_path / 'receipt.json'
    assert speak(language, 'test', '--receipt', str(path), allowed=(r'^Sandbox reply to: .*',), **where).returncode == 0
    names = (r'\bgpt-4.1-mini\b', r'(?<=⟧ {2})[a-z_, ]+$', r'“[\w.-]+”')
    assert speak(language, 'verify', str(path), allowed=names).returncode == 0
    kept = json.loads(path.read_text())
    for change in (lambda r: r.pop('version'), lambda r: r.update(version=2), lambda r: r.update(type='x'), lambda r: r.clear(), lambda r: r.update(timestamp=r['timestamp'] + 1),
                   lambda r: r.update(tee_id='0x' + '1' * 64)):
        wrong = copy.deepcopy(kept)
        change(wrong)
        path.write_text(json.dumps(wrong))
        assert speak(language, 'verify', str(path), allowed=names).returncode == 1
    done = speak(language, '--sandbox', allowed=(TYPED,), **where)
    assert done.returncode == 0 and str(served.port) in done.stdout.decode()


def cells(text):
    """Columns of the terminal that it takes, as East Asian Width says it; of accents, none."""
    return sum(0 if unicodedata.category(c) in ('Mn', 'Me', 'Cf') else 2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


@pytest.mark.parametrize('name', ['de_DE', 'zh_CN', 'hu_HU', 'es_ES', 'ar_EG'])
def test_columns(served, tmp_path, name):
    """Values stand below each other, two columns past the widest name; so no name needs to be cut short."""
    home, receipt = served.home / 'home', tmp_path / 'receipt.json'
    env = {'LOCPATH': str(locales.make(name)), 'LC_ALL': name + '.UTF-8', 'LD_PRELOAD': os.environ['VEIL_BINDTEXTDOMAIN'],
           'TEST_LOCALE_FOLDER': os.path.join(os.environ['VEIL_BUILD'], 'po')}
    assert run('test', '--receipt', str(receipt), 'x', home=home).returncode == 0
    tee_id = json.loads(receipt.read_text())['tee']['id']
    for command, least in (('status', 5), ('tees', 6), ('tees --attest %s --yes' % tee_id, 6), ('verify %s' % receipt, 5)):
        texts = (run(*command.split(), home=None if 'verify' in command else home, env=e).stdout.decode() for e in ({}, env))
        english, other = (re.sub(r'\d{4}-\d\d-\d\dT\S+', '0000-00-00T00:00:00Z', text).splitlines() for text in texts)  # when a document was made: each time anew
        rows = [re.fullmatch(r'( *\S.*?) {2,}(0x\S+|content|https?:\S+|\d+\.\d+\.\d+|[\da-f]{96}|\d+-\d+-\d+T\S+)(?:, | {2}|$).*', line) for line in english]
        ends, begins, translated = set(), set(), 0
        for row, line in zip(rows, other, strict=True):
            if row:
                label = line[:line.index(row[2])]
                begins.add(cells(label))
                ends.add(cells(label.rstrip()))
                translated += label.split() != row[1].split()
        assert sum(map(bool, rows)) >= least, english
        assert len(begins) == 1 and translated > 0, other
        assert begins == {max(ends) + 2} or 'status' in command, other


def test_a_taken_port(language, tmp_path):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        assert speak(language, 'serve', '-f', '--sandbox', '--port', str(taken.getsockname()[1]), home=tmp_path).returncode == 1


def test_in_the_background(language, tmp_path):
    try:
        assert speak(language, '--sandbox', '--port', '0', home=tmp_path, allowed=(TYPED,)).returncode == 0
        assert not any(mark in (tmp_path / 'veil.log').read_text() for mark in (pseudo.OPEN, pseudo.CLOSE)), 'the log is for programs, too'
        speak(language, 'restart', home=tmp_path)
    finally:
        # Whatever was wrong with what they said.
        stopped = run('stop', home=tmp_path, env=language)
    read(stopped.stdout.decode())


NO_KEYRING = {'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nonexistent'}


def test_a_start_that_goes_wrong_in_the_background(language, tmp_path):
    """Why is for the person who waits for it."""
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        assert speak(language, 'serve', '--port', str(taken.getsockname()[1]), home=tmp_path, env=NO_KEYRING).returncode == 1


# --- what programs read ---


def test_the_log_and_the_api_from_the_first_line_on(language, tmp_path):
    """What went wrong before it listened is in the log, and is kept for the answers."""
    veil = Veil(tmp_path, env={**language, **NO_KEYRING})
    answer = veil.chat({'model': 'x', 'messages': [{'role': 'user', 'content': 'x'}]})
    assert answer.status == 401 and 'keyring' in answer.error['message'] and pseudo.OPEN not in answer.body.decode(), answer.body
    veil.stop()
    told = veil.stderr().decode()
    assert 'keyring' in told and pseudo.OPEN not in told, told


# English; a decimal comma; a capital of "i" that is no "I", and the comma, too; letters of the right, and digits of its own.
LOCALES = {'C': {'LC_ALL': 'C.UTF-8'}, **{name: {'LC_ALL': name + '.UTF-8'} for name in ('de_DE', 'tr_TR', 'ar_EG')}}


@pytest.fixture(scope='module', params=['de_DE', 'tr_TR', 'ar_EG'])
def elsewhere(request):
    return {**LOCALES[request.param], 'LOCPATH': str(locales.make(request.param))}


def test_the_locale_is_in_force(elsewhere):
    """Or the tests below would say nothing: GLib reads a number as C's strtod() does, in the locale."""
    shown = subprocess.run(['locale', '-k', 'decimal_point', 'yesexpr'], env={'PATH': '/usr/bin:/bin', **elsewhere}, capture_output=True, text=True, check=True)
    expected = {'de_DE': 'decimal_point=","', 'tr_TR': 'yesexpr="^[+1yYeE]"', 'ar_EG': 'yesexpr="^[+1نyY]"'}
    assert expected[elsewhere['LC_ALL'].split('.')[0]] in shown.stdout, shown


def test_numbers_on_the_wire(elsewhere, peer, tmp_path):
    """The enclave gets the numbers that were asked for, and its answers are verified, however the locale writes numbers and letters."""
    veil = PeerVeil(tmp_path, peer, '--refresh-interval', '1', env=elsewhere)
    model = 'IşIK-' + elsewhere['LC_ALL']
    try:
        for stream in (False, True):
            body = {'model': model, 'messages': [{'role': 'user', 'content': 'III iii'}], 'temperature': 0.25, 'top_p': 1e-05, 'max_tokens': 1234567, 'stream': stream}
            reply = veil.chat(body, {'X-OPENGRADIENT-RECEIPT': '1', 'Content-Type': 'APPLICATION/JSON'})
            assert reply.status == 200 and reply.header('x-opengradient-verified') == 'true', reply.body
            exchange = peer.seen(model)[-1]
            assert exchange.wire['temperature'] == 0.25 and '"temperature":0.25' in exchange.wire_text.replace(' ', ''), exchange.wire_text
            receipt = [event['opengradient_receipt'] for event in reply.events() if 'opengradient_receipt' in event][0] if stream else reply.json()['opengradient_receipt']
            path = tmp_path / 'receipt.json'
            path.write_text(json.dumps(receipt))
            assert run('verify', str(path)).returncode == 0, 'it was made here, and holds there'
            assert run('verify', '--json', str(path), env=elsewhere).stdout == run('verify', '--json', str(path)).stdout
    finally:
        veil.stop()


@pytest.fixture(scope='module')
def plain_server(tmp_path_factory):
    veil = Veil(tmp_path_factory.mktemp('plain'), '--sandbox')
    assert run('pin', 'add', 'a' * 64, '--label', 'Iı', home=veil.home / 'home').returncode == 0
    yield veil
    veil.stop()


FOR_PROGRAMS = ['status --json', 'models --json', 'models', 'tees --json', 'pin list --json', 'pin list', 'env', '--version', '--complete', '--complete te', 'status --complete --',
                'tees --complete select ', 'pin --complete remove ', 'test --complete --model=', 'pin compute --pcr0 %s --pcr1 %s --pcr2 %s' % (('1' * 96,) * 3)]


@pytest.mark.parametrize('arguments', FOR_PROGRAMS, ids=lambda arguments: arguments[:30])
def test_what_programs_read_is_the_same_everywhere(language, plain_server, arguments):
    """Numbers, times and words of `--json`, `env` and lists; of completions, what is typed: what is said about it is for people."""
    words = arguments.split(' ')
    home = {'OG_VEIL_HOME': str(plain_server.home / 'home')}

    def call(env):
        done = run(*words, env={**home, **env})
        assert done.returncode == 0, done
        text = re.sub(r'"last_heartbeat_at":\d+', '"last_heartbeat_at":0', done.stdout.decode())
        return [line.split('\t')[0] for line in text.splitlines()] if '--complete' in words else text

    expected = call({})
    assert expected
    for env in (language, *({**env, 'LOCPATH': str(locales.make(name))} for name, env in LOCALES.items() if name != 'C')):
        assert call(env) == expected, env['LC_ALL']


def test_a_receipt_that_is_wrong_in_json(language, tmp_path):
    path = tmp_path / 'receipt.json'
    path.write_text('{"type":1}')
    done = run('verify', '--json', str(path), env=language)
    assert done.returncode == 1 and done.stdout == run('verify', '--json', str(path)).stdout


def test_the_api_and_the_log_of_a_server(language, served):
    reply = served.chat({'model': 'fault-wrong-signature', 'messages': [{'role': 'user', 'content': 'Hello'}]})
    wrong = served.chat({'model': 1})
    for answer in (reply, wrong):
        assert answer.status >= 400 and pseudo.untranslated(answer.error['message']) and pseudo.OPEN not in answer.body.decode()
    told = served.stderr().decode().split("Hello!")[1]
    assert pseudo.OPEN not in told, 'the log'


def consent(language, served, answer):
    """Status of a command that asks whether to go on."""
    home = str(served.home / 'home')
    [tee_id, *_] = [tee['tee_id'] for tee in json.loads(run('tees', '--json', home=home).stdout)['tees']]
    master, slave = os.openpty()
    try:
        os.write(master, answer.encode() + b'\n')
        done = complete([OG_VEIL, 'tees', '--attest', tee_id, '--home', home], stdin=slave, env=environment(**language))
    finally:
        os.close(master)
        os.close(slave)
    read(done.stderr.decode())
    read(done.stdout.decode(), r'\benclave-\d\b', r'\bsandbox\S*', r'(?<=⟦ɱóđúĺé⟧  ).*', r'\bPCR\d', r'\b[0-9a-f]{96}', r'\d+-\d+-\d+T\S+')
    return done.returncode


@pytest.mark.parametrize('answer,agreed', [('⟦ý⟧', True), ('y', True), ('Y', True), ('ń', False), ('n', False), ('', False)])
def test_yes_is_the_letter_of_the_language(language, served, answer, agreed):
    """And always the English one."""
    assert consent(language, served, answer) == (0 if agreed else 1)

# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""What bash, zsh and fish offer, asked of the real shells, against what the program says in its help."""

import contextlib
import json
import os
import pathlib
import pty
import re
import select
import shlex
import signal
import time

import pytest
from commands import COMMANDS, help_of, options
from program import DEADLINE, OG_VEIL, PeerVeil, complete, environment, run
from veil_peer import abi

COMPLETIONS = pathlib.Path(__file__).parents[2] / 'data' / 'completions'
HASHES = ['0x' + '%02x' % n * 32 for n in (1, 2)]

BASH = r'''
source /usr/share/bash-completion/bash_completion
source "$1/og-veil.bash"
COMP_LINE=$2 COMP_POINT=${#2}
# As readline splits it: at blanks, and at = and : too.
IFS=' ' read -r -a typed <<<"${2//=/ = }"
[[ $2 == *[\ =] ]] && typed+=('')
COMP_WORDS=("${typed[@]}") COMP_CWORD=$((${#typed[@]} - 1))
_og_veil og-veil 2>/dev/null
for found in "${COMPREPLY[@]}"; do printf '%s\n' "$found"; done
'''

FISH = 'source $argv[1]/og-veil.fish; complete -C $argv[2]'

# What zsh's completion adds is caught where it adds it; then it goes on as for a person.
ZSH = r'''
fpath=($1 $fpath)
autoload -Uz compinit && compinit -D -u
unsetopt beep
PS1='' PS2=''
zstyle ':completion:*' completer _complete
compadd() {
  local -a hits
  if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then builtin compadd -O hits "$@"; print -rl -- $hits >>$2; fi
  builtin compadd "$@"
}
mark() { print -r -- done >>$2; zle kill-whole-line }
zle -N mark
bindkey '^X' mark
bindkey '^I' complete-word
'''


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    """A folder with og-veil on the path, a home with two pins, and folders to be completed."""
    place = tmp_path_factory.mktemp('shells')
    (place / 'bin').mkdir()
    (place / 'bin' / 'og-veil').symlink_to(OG_VEIL)
    for name in ('folder-a', 'folder-b'):
        (place / name).mkdir()
    (place / 'file-a').touch()
    for value in HASHES:
        assert run('pin', 'add', value, '--label', 'build of ' + value[:4], home=place / 'home').returncode == 0
    return place


def shell_environment(place):
    return environment(HOME=str(place), PATH='%s:/usr/bin:/bin' % (place / 'bin'), TERM='dumb', XDG_CONFIG_HOME=str(place / 'config'),
                       XDG_DATA_HOME=str(place / 'data'), OG_VEIL_HOME=str(place / 'home'))


def script(place, command, *arguments):
    done = complete([*command, *arguments], cwd=place, env=shell_environment(place))
    assert done.stderr == b'', done.stderr.decode()
    return [line.split('\t')[0] for line in done.stdout.decode().splitlines()]


def bash(place, line):
    found = script(place, ['bash', '--norc', '-c', BASH, 'bash'], COMPLETIONS, line)
    return [line[line.rindex(' ') + 1:line.index('=', line.rindex(' ')) + 1] + word if '=' in line else word for word in found]


def fish(place, line):
    return script(place, ['fish', '--no-config', '-c', FISH], COMPLETIONS, line)


def read_until(terminal, condition):
    """Drains what the shell shows, which would otherwise stop it, until the file tells the end."""
    deadline = time.monotonic() + DEADLINE
    shown = b''
    while not condition():
        assert time.monotonic() < deadline, shown.decode(errors='replace')
        if select.select([terminal], [], [], 0.05)[0]:
            shown += os.read(terminal, 65536)


def zsh(place, line):
    caught = place / ('caught-%d' % time.monotonic_ns())
    caught.touch()
    start = place / 'start.zsh'
    start.write_text(ZSH.replace('$1', shlex.quote(str(COMPLETIONS))).replace('$2', '$CAUGHT'))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(place)
        os.execvpe('zsh', ['zsh', '-f', '-i'], {**shell_environment(place), 'CAUGHT': str(caught)})
    try:
        ready = place / (caught.name + '-ready')
        os.write(terminal, ('source %s; print >%s\n' % (start, ready)).encode())
        read_until(terminal, ready.exists)
        os.write(terminal, line.encode() + b'\t\x18')
        read_until(terminal, lambda: caught.read_text().endswith('done\n'))
    finally:
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        os.close(terminal)
    prefix = re.search(r'(--[^= ]+=|)\S*$', line)[1]
    found = [word for word in caught.read_text().splitlines()[:-1] if word]
    return [word if word.startswith(prefix) else prefix + word for word in found]


SHELLS = [bash, zsh, fish]


def offered(shell, place, line):
    """Without the slash that some put after folders."""
    return {word.rstrip('/').replace('\\', '') for word in shell(place, line)}


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.__name__)
def shell(request):
    return request.param


def test_commands(shell, place):
    assert offered(shell, place, 'og-veil ') == set(COMMANDS)
    assert offered(shell, place, 'og-veil log') == {'login', 'logout'}
    assert offered(shell, place, 'og-veil help log') == {'login', 'logout'}
    assert offered(shell, place, 'og-veil conquer ') == set()


def test_options_without_a_command(shell, place):
    """Those of serving in the background."""
    assert {'--' + name for name in options('serve') if name not in ('foreground', 'login')} == offered(shell, place, 'og-veil --')
    assert offered(shell, place, 'og-veil --session-store ') == {'keyring', 'file'}


@pytest.mark.parametrize('command', COMMANDS)
def test_options(shell, place, command):
    """All that the help lists, and nothing else."""
    assert offered(shell, place, 'og-veil %s --' % command) == {'--' + name for name in options(command)}


def usage(command):
    """The arguments of the usage line, each way in words."""
    line = help_of(command).splitlines()[1].split('…]', 1)[1]
    return [way.split() for way in re.sub(r'[][]', ' ', line).split('|') if way.strip()]


@pytest.mark.parametrize('command', [command for command in COMMANDS if any(way[0].islower() for way in usage(command))])
def test_verbs(shell, place, command):
    assert offered(shell, place, 'og-veil %s ' % command) == {way[0] for way in usage(command)}


def test_values(shell, place):
    models = set(run('models').stdout.decode().split())
    assert offered(shell, place, 'og-veil test --model ') == models
    assert offered(shell, place, 'og-veil test -m gpt-4.1') == {name for name in models if name.startswith('gpt-4.1')}
    assert offered(shell, place, 'og-veil serve --session-store ') == {'keyring', 'file'}
    assert offered(shell, place, 'og-veil serve --session-store=k') == {'--session-store=keyring'}
    assert offered(shell, place, 'og-veil pin remove ') == set(HASHES)
    assert offered(shell, place, 'og-veil pin --home %s remove ' % (place / 'elsewhere')) == set()


@pytest.fixture(scope='module')
def served(peer, tmp_path_factory):
    """A running server; its home keeps the session in a file."""
    veil = PeerVeil(tmp_path_factory.mktemp('served'), peer)
    (veil.home / 'home' / 'settings.ini').write_text("[veil]\nsession-store='file'\n")
    active = abi.selector('getActiveTEEs(uint8)').hex()

    def answer(message, call):
        if call['params'][0]['data'].startswith('0x' + active):
            return peer.answer_rpc(message, call, peer.active_tees(call))
        error = {'jsonrpc': '2.0', 'id': call['id'], 'error': {'code': 3, 'message': 'execution reverted'}}
        return message.respond(200, json.dumps(error).encode(), [('Content-Type', 'application/json')])

    peer.registry_handler = answer
    yield veil
    veil.stop()


def test_enclaves_of_a_running_server(shell, place, served, peer):
    home = '--home %s' % (served.home / 'home')
    ids = {enclave.tee_id for enclave in peer.enclaves}
    assert offered(shell, place, 'og-veil tees %s select ' % home) == ids | {'auto'}
    assert offered(shell, place, 'og-veil serve %s --tee-id ' % home) == ids
    assert offered(shell, place, 'og-veil pin %s add ' % home) == {'0x' + enclave.pcr_hash.hex() for enclave in peer.enclaves}


def test_enclaves_of_nobody(place):
    """Without a server nothing is asked of keyring or registry."""
    done = run('--complete', 'tees', '--home', str(place / 'home'), 'select', '')
    assert (done.returncode, done.stdout, done.stderr) == (0, b'auto\t\n', b'')


def test_folders(shell, place):
    assert offered(shell, place, 'og-veil serve --home f') == {'folder-a', 'folder-b'}
    assert offered(shell, place, 'og-veil serve --home=f') == {'--home=folder-a', '--home=folder-b'}


def test_after_the_end_of_options(shell, place):
    assert offered(shell, place, 'og-veil pin -- ') == {'add', 'remove', 'list', 'compute'}
    assert offered(shell, place, 'og-veil pin -- -') == set()


def test_nothing_is_said_about_what_is_wrong(place):
    """A settings file that cannot be read is no matter for the line that is being typed."""
    broken = place / 'broken'
    broken.mkdir()
    (broken / 'settings.ini').write_text('nonsense')
    done = run('--complete', 'pin', '--home', str(broken), 'remove', '')
    assert (done.returncode, done.stdout, done.stderr) == (0, b'', b'')


@pytest.mark.parametrize('words', [[], ['--home'], ['pin', '--'], ['pin', '-'], ['pin', '=', '-=', '--=', '--home=', ''], ['', '', ''], ['test', '\udcff', '-'],
                                   ['serve', '-f', '-vf', '-x', '--port', '']], ids=repr)
def test_unfinished_words(words):
    done = run('--complete', *[os.fsencode(word) for word in words])
    assert done.returncode == 0 and done.stderr == b''

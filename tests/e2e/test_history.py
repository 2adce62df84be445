# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""The list of requests that outlasts the program, for who switched it on; its form is test-history's to prove."""

import json
import stat

import pytest
from program import PeerVeil, wait_until
from veil_peer import answers


class Kept:
    def __init__(self, tmp_path, on):
        self.home = tmp_path / 'home'
        self.path, self.settings = self.home / 'history.jsonl', self.home / 'settings.ini'
        self.home.mkdir(parents=True)
        self.switch(on)

    def switch(self, on):
        fresh = self.home / 'settings.new'
        fresh.write_text('[veil]\nhistory=%s\n' % ('true' if on else 'false'))
        fresh.replace(self.settings)

    def lines(self):
        return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path / 'veil', True)


def models(lines):
    return [line['receipt']['model'] if 'receipt' in line else line['model'] for line in lines]


def test_kept(kept, peer, tmp_path):
    """Over several runs, each request that ended, however; never a word of it. PeerVeil.stop() looks for the prompts in every file of the home."""
    for run in range(2):
        veil = PeerVeil(tmp_path / 'veil', peer)
        assert veil.ask('verified-%d' % run, veil.secret()).status == 200
        assert veil.ask('stream-%d' % run, veil.secret(), stream=True).status == 200
        assert veil.chat(b'{', {'Content-Type': 'application/json'}).status == 400
        wait_until(lambda: len(kept.lines()) == 3 * run + 3, what='three lines more')
        veil.stop()
    lines = kept.lines()
    assert models(lines) == ['verified-0', 'stream-0', None, 'verified-1', 'stream-1', None]
    assert [line['status'] for line in lines] == [200, 200, 400] * 2
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600


def test_quoted_prompt(kept, peer, tmp_path):
    """A gateway that quotes the prompt in its error is heard by the caller, and nothing of it is kept."""
    veil = PeerVeil(tmp_path / 'veil', peer)
    word = veil.secret()
    peer.handlers['quoting'] = lambda ex: answers.send_single(ex, {'status': 400, 'body': {'error': 'I do not like: ' + word}})
    reply = veil.ask('quoting', word)
    assert reply.status == 400 and word in reply.error['message']
    wait_until(kept.lines, what='a line')
    assert kept.lines()[0]['code'] == 'upstream_error' and word not in kept.path.read_text()
    veil.stop()


def test_off(peer, tmp_path):
    """Nothing is written unless somebody asked for it."""
    kept = Kept(tmp_path / 'veil', False)
    kept.settings.unlink()
    veil = PeerVeil(tmp_path / 'veil', peer)
    assert veil.ask('off', veil.secret()).status == 200
    veil.stop()
    assert not kept.path.exists()


def test_switched_off(kept, peer, tmp_path):
    """While it runs, and between two runs: what was kept is gone."""
    veil = PeerVeil(tmp_path / 'veil', peer)
    assert veil.ask('on', veil.secret()).status == 200
    wait_until(kept.lines, what='a line')
    kept.switch(False)
    wait_until(lambda: not kept.path.exists(), what='the file to go')
    assert veil.ask('off', veil.secret()).status == 200
    kept.switch(True)
    assert veil.ask('again', veil.secret()).status == 200
    wait_until(kept.lines, what='a line')
    assert models(kept.lines()) == ['again']
    veil.stop()
    kept.switch(False)
    veil = PeerVeil(tmp_path / 'veil', peer)
    assert not kept.path.exists()
    veil.stop()


@pytest.mark.parametrize('what', ['garbage', 'folder', 'link'])
def test_in_the_way(kept, peer, tmp_path, what):
    """Whatever is found there, requests are served; and nothing is written elsewhere."""
    elsewhere = tmp_path / 'elsewhere'
    if what == 'garbage':
        kept.path.write_bytes(b'\xff\0{"version":1' * 1000)
    elif what == 'folder':
        kept.path.mkdir()
    else:
        kept.path.symlink_to(elsewhere)
    veil = PeerVeil(tmp_path / 'veil', peer)
    for _ in range(3):
        assert veil.ask('served-' + what, veil.secret()).status == 200
    veil.stop()
    assert not elsewhere.exists()
    if what == 'garbage':
        assert kept.path.read_bytes().count(b'"receipt":') == 3

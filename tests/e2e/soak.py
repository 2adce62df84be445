# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0
"""Thousands of requests while everything that can go wrong does: lying enclaves, dead ones, new keys, registries that are down, pins that change, callers
who leave. Each must end in a verified answer or a proper error, and og-veil must be as small afterwards as before.

    soak.py [REQUESTS [THREADS [SEED]]]     20000 requests of 16 callers unless said otherwise; prints what came of them
"""

import collections
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import statistics
import sys
import tempfile
import threading
import time

from program import OG_VEIL_SANDBOX, Sandbox, Veil, complete, wait_until

STATUSES = {400, 401, 402, 404, 413, 429, 500, 502, 503, 504}
HEAVY = {'huge-answer', 'gzip-bomb', 'header-bomb', 'hang', 'stall', 'drip'}
PATIENCE = 60  # seconds: what takes longer hangs


def fault_names():
    """Those that a request can ask for, by what must become of them."""
    text = complete([OG_VEIL_SANDBOX, '--list-faults']).stdout.decode()
    groups = [re.findall(r'^  (\S+)', group, re.M) for group in text.split('\n\n')]
    enclave, variants, relay, registry = groups[:4]
    return enclave + relay, variants, registry


def memory_kb(pid):
    return int(re.search(r'VmRSS:\s+(\d+)', pathlib.Path('/proc/%d/status' % pid).read_text())[1])


def open_files(pid):
    return len(os.listdir('/proc/%d/fd' % pid))


class Soak:
    def __init__(self, home, threads=16, seed=1):
        self.random, self.threads = random.Random(seed), threads
        self.bad, self.variants, self.registry = fault_names()
        self.outcomes, self.errors, self.failures, self.samples = collections.Counter(), collections.Counter(), [], []
        self.longest, self.done, self.lock, self.over = 0.0, 0, threading.Lock(), threading.Event()
        self.veil = Veil(home, '--sandbox', '--answer-timeout', '1', '--refresh-interval', '1')
        self.network = Sandbox.of(self.veil)
        self.settings = self.veil.home / 'home' / 'settings.ini'
        self.settings.parent.mkdir(exist_ok=True)

    # The callers.

    def plan(self):
        """(model, must it be refused, stream, does the caller leave)"""
        with self.lock:
            kind, stream = self.random.random(), self.random.random() < 0.4
            if kind < 0.55:
                return 'gpt-4.1', False, stream, False
            if kind < 0.6:
                return 'gpt-4.1', False, stream, True
            if kind < 0.75:
                return 'fault-' + self.random.choice(self.variants), False, stream, False
            fault = self.random.choice(self.bad)
            if fault in HEAVY and self.random.random() < 0.8:
                fault = 'wrong-signature'
            return 'fault-' + fault, True, stream, False

    def leave(self, body):
        """Asks and goes, somewhere between at once and after the answer."""
        with self.lock:
            delay = self.random.choice([0, 0.001, 0.01, 0.05])
        with contextlib.closing(self.veil.connect(PATIENCE)) as caller:
            caller.sendall(b'POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s'
                           % (self.veil.port, len(body), body))
            self.over.wait(delay)

    def judge(self, model, refused, stream, reply):
        if reply.status == 200:
            proofs = ([event['opengradient_verification'] for event in reply.events() if 'opengradient_verification' in event] if stream
                      else [reply.json()['opengradient_verification']])
            assert reply.header('X-OpenGradient-Verified') == 'true' and len(proofs) == 1 and proofs[0]['verified'] is True
            assert not refused, 'an answer that had to be refused was passed on'
            return 'verified'
        error = reply.error
        assert reply.status in STATUSES and error['message'] and error['code'], (reply.status, error)
        assert 'choices' not in reply.json() and reply.header('X-OpenGradient-Verified') is None
        with self.lock:
            self.errors[reply.status, error['code']] += 1
        return 'refused as it must be' if refused else 'an error of the network'

    def one(self):
        model, refused, stream, leaves = self.plan()
        body = {'model': model, 'messages': [{'role': 'user', 'content': 'Hello'}]}
        if stream:
            body.update(stream=True, stream_options={'include_usage': True})
        began = time.monotonic()
        try:
            if leaves:
                self.leave(json.dumps(body).encode())
                outcome = 'left by the caller'
            else:
                outcome = self.judge(model, refused, stream, self.veil.chat(body, timeout=PATIENCE))
        except (AssertionError, OSError, ValueError, KeyError, http.client.HTTPException) as e:
            outcome = 'FAILED'
            self.failures.append('%s%s: %s: %s' % (model, ', stream' if stream else '', type(e).__name__, e))
        with self.lock:
            self.outcomes[outcome] += 1
            self.longest = max(self.longest, time.monotonic() - began)
            self.done += 1
            done = self.done
        if outcome == 'an error of the network':
            self.over.wait(0.2)  # as clients do, or a moment without enclaves would use up most of the requests
        return done

    def call(self, numbers, every):
        while True:
            with self.lock:
                if next(numbers, None) is None:
                    return
            if self.one() % every == 0:
                self.samples.append((self.done, memory_kb(self.veil.process.pid), open_files(self.veil.process.pid)))

    # The world they live in.

    def disturb(self):
        tees = self.network.stats()['tees']
        kind = self.random.choice(['nothing', 'nothing', 'registry', 'dead', 'dead', 'active', 'pin', 'select', 'garbage', 'rotate'])
        if kind == 'registry':
            self.network.control('fault', {'fault': self.random.choice(self.registry)})
        elif kind == 'dead':
            self.network.control('fault', {'fault': self.random.choice(['relay-502', 'relay-503', 'relay-504', 'relay-retryable', 'inner-retryable']),
                                           'tee': self.random.randrange(len(tees))})
        elif kind == 'active':
            self.network.control('tees', {'active': [tee['index'] for tee in tees if self.random.random() < 0.6]})
        elif kind == 'pin':
            self.settings.write_text("[veil]\npcr-pins=[('%s', 'soak')]\n" % self.random.choice(tees)['pcr_hash'])
        elif kind == 'select':
            self.settings.write_text("[veil]\ntee-id='%s'\n" % self.random.choice(tees)['tee_id'])
        elif kind == 'garbage':
            self.settings.write_text('[veil\nnothing')
        elif kind == 'rotate' and self.random.random() < 0.3:
            self.network.control('rotate', {})

    def calm(self):
        self.network.control('fault', {'fault': None})
        self.network.control('tees', {'active': [tee['index'] for tee in self.network.stats()['tees']]})
        self.settings.write_text('[veil]\n')

    def trouble(self):
        """Half of the time something is wrong beyond what the requests ask for."""
        try:
            while not self.over.wait(0.3):
                self.disturb()
                self.over.wait(0.3)
                self.calm()
        except Exception as e:  # noqa: BLE001 - a network that cannot be disturbed is no soak
            self.failures.append('the sandbox: %r' % e)

    # All of it.

    def until_idle(self):
        """Files and connections of what is over are closed; says how many are left."""
        deadline = time.monotonic() + 30
        counts = [open_files(self.veil.process.pid)]
        while time.monotonic() < deadline and (len(counts) < 20 or len(set(counts[-20:])) > 1):
            self.over.wait(0) if not self.over.is_set() else time.sleep(0.1)
            counts.append(open_files(self.veil.process.pid))
        return counts[-1]

    def heals(self):
        """The calm network works again, at the latest when doubts about the keys may be settled anew (network.c pauses between two such readings),
        and, if the registry may have been left hanging, once that reading is over (registry.c gives it 20 seconds)."""
        replies = []

        def verified():
            replies.append(self.veil.ask('gpt-4.1', 'after'))
            return replies[-1].status == 200

        try:
            wait_until(verified, timeout=40 if 'registry-hang' in self.registry else 10, what='a verified answer of the calm network')
        except AssertionError as e:
            self.failures.append('afterwards: %s; %d tries, the last: %s' % (e, len(replies), replies[-1].body[:300]))

    def run(self, requests):
        for _ in range(50):  # what is made once is made
            self.veil.ask('gpt-4.1', 'warm')
        files = open_files(self.veil.process.pid)
        began, numbers = time.monotonic(), iter(range(requests))
        callers = [threading.Thread(target=self.call, args=(numbers, max(1, requests // 20))) for _ in range(self.threads)]
        trouble = threading.Thread(target=self.trouble)
        for thread in callers + [trouble]:
            thread.start()
        for thread in callers:
            thread.join()
        seconds = time.monotonic() - began
        self.over.set()
        trouble.join()
        self.calm()
        self.heals()
        return {'requests': requests, 'seconds': seconds, 'files_before': files, 'files_after': self.until_idle(), 'longest': self.longest}

    def flat(self):
        """Memory: the middle of the second quarter of the samples, and of the last."""
        memory = [kb for _, kb, _ in sorted(self.samples)]
        quarter = max(1, len(memory) // 4)
        return statistics.median(memory[quarter:2 * quarter]), statistics.median(memory[-quarter:])

    def report(self, result):
        print('%(requests)d requests in %(seconds).0f s; the longest took %(longest).1f s' % result)
        for outcome, count in self.outcomes.most_common():
            print('  %6d  %s' % (count, outcome))
        print('errors:')
        for (status, code), count in sorted(self.errors.items()):
            print('  %6d  %d %s' % (count, status, code))
        print('og-veil while it ran:\n  requests  memory, KB  open files')
        for row in sorted(self.samples):
            print('  %8d  %10d  %10d' % row)
        print('  memory: %d KB in the second quarter, %d KB in the last; open files: %d before, %d after' % (*self.flat(), result['files_before'], result['files_after']))
        for failure in self.failures[:20]:
            print('FAILED:', failure)


def main():
    requests, threads, seed = [int(a) for a in sys.argv[1:]] + [20000, 16, 1][len(sys.argv) - 1:]
    with tempfile.TemporaryDirectory() as home:
        soak = Soak(home, threads, seed)
        result = soak.run(requests)
        soak.report(result)
        soak.veil.stop()
    before, after = soak.flat()
    sys.exit(0 if not soak.failures and after < before * 1.15 + 8192 and result['files_after'] <= result['files_before'] + threads + 4 else 1)


if __name__ == '__main__':
    main()

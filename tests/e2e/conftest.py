# SPDX-FileCopyrightText: The Veil authors
# SPDX-License-Identifier: Apache-2.0

import pytest
from program import PeerVeil, Veil
from veil_peer import Peer


def pytest_configure(config):
    config.addinivalue_line('markers', 'serves: the test sends requests that are served')


def pytest_sessionfinish():
    Veil.end_leftovers()


@pytest.fixture(scope='module')
def peer():
    with Peer() as running:
        yield running


@pytest.fixture(scope='module')
def veil(peer, tmp_path_factory):
    """og-veil against the independent peer, one for the module."""
    running = PeerVeil(tmp_path_factory.mktemp('veil'), peer)
    yield running
    running.stop()


@pytest.fixture(scope='module')
def sandbox(tmp_path_factory):
    """og-veil with its own sandbox network."""
    running = Veil(tmp_path_factory.mktemp('sandbox'), '--sandbox')
    yield running
    running.stop()

"""A real keeper for each test that asks for one."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from overmind_core.system.spawn import POSIX_SPAWN, PTYPROCESS
from tests.kit.keeper_client import KeeperProcess

WAYS = [POSIX_SPAWN, PTYPROCESS] if sys.platform.startswith("linux") else [PTYPROCESS]


@pytest.fixture
def start_keeper(marker):
    """Start keepers with options; each gets a home of its own, and ends with all that it holds.

    `journal` is what an earlier keeper left of exits.
    """
    started = []

    def start(*, journal=b"", **options):
        home = tempfile.mkdtemp(prefix="om-", dir="/tmp")
        if journal:
            Path(home, "exits.ndjson").write_bytes(journal)
        keeper = KeeperProcess(home, marker=marker, **options)
        started.append(keeper)
        return keeper

    yield start
    try:
        for keeper in started:
            keeper.end()
            assert keeper.log() == "", "the keeper complained"
    finally:
        for keeper in started:
            shutil.rmtree(keeper.home.root, ignore_errors=True)


@pytest.fixture
def keeper(start_keeper):
    """One keeper."""
    return start_keeper()


@pytest.fixture
def lone_keeper(start_keeper):
    """One whose memory is its own: no fork, which has that of the tests' fork server."""
    return start_keeper(alone=True)


@pytest.fixture
def client(keeper):
    """Its supervisor."""
    return keeper.client()


@pytest.fixture(params=WAYS)
def way(request):
    """Both ways to spawn."""
    return request.param

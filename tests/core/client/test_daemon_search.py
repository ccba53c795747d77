"""Finding a daemon that comes, or goes, while it is looked for."""

from __future__ import annotations

import contextlib
import os

import pytest

from overmind_core.client import daemon as client_daemon
from overmind_core.errors import OvermindError
from overmind_core.system.lock import try_lock
from tests.kit.fake_daemon import FakeDaemon


class Booting:
    """A daemon that takes the lock right after the first look that finds nobody, and listens after so many more."""

    def __init__(self, place, *, patience):
        self._place = place
        self._left = patience
        self._knock = client_daemon.try_connect
        self._all = contextlib.ExitStack()
        self._lock = None

    def __enter__(self):
        os.makedirs(self._place.root, mode=0o700)
        return self

    def __exit__(self, *_):
        self._all.close()

    def try_connect(self, home):
        """Look as the client does, and do the next thing after it."""
        if self._lock is not None:
            self._left -= 1
        if self._left == 0:
            self._all.enter_context(FakeDaemon(home, lambda _: [{"ok": 7}]))
        return self._knock(home)

    def holder(self, path):
        """Nobody, at the look that is the last before it takes the lock."""
        if self._lock is None:
            self._lock = try_lock(path)
            assert self._lock is not None
            self._all.callback(self._lock.release)
            return None
        return os.getpid()


def test_a_daemon_that_takes_the_lock_between_two_looks_is_waited_for(place, join, monkeypatch):
    """Ten commands at once start ten daemons: the lock is taken while somebody looks."""
    with Booting(place, patience=3) as daemon:
        monkeypatch.setattr(client_daemon, "try_connect", daemon.try_connect)
        monkeypatch.setattr(client_daemon, "holder_pid", daemon.holder)
        assert join(place).call("ps") == 7


def test_one_that_never_listens_is_named(place, join, monkeypatch):
    monkeypatch.setattr(client_daemon, "ANSWER_LIMIT", 0.3)
    with Booting(place, patience=-1) as daemon:
        monkeypatch.setattr(client_daemon, "try_connect", daemon.try_connect)
        monkeypatch.setattr(client_daemon, "holder_pid", daemon.holder)
        with pytest.raises(OvermindError) as raised:
            join(place).call("ps")
    assert raised.value.code == "busy"
    assert f"kill {os.getpid()}" in raised.value.message

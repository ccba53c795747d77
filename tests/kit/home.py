"""Homes for tests, and the proof at their end that nothing of them is left.

Most tests don't care how a daemon starts and ends: those of one file share a home, which each gets and leaves empty.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable

from tests.kit import processes, raw_socket
from tests.kit.overmind import Overmind
from tests.kit.waiting import eventually

SOCKETS = ("overmind.sock", "keeper.sock")
LOCKS = ("supervisor.lock", "keeper.lock")
PATIENCE = 3.0
"""Seconds in which what was ended is gone."""
DAEMONS_OWN = (*SOCKETS, *LOCKS, "exits.ndjson", "logs", "state.db", "daemon.log", "keeper.log")
"""How the names begin of what a daemon keeps in its home; what else is there a test has put there."""


def make(*, user_home: str, marker: str) -> Overmind:
    """Make a home with a short path, since a socket's path may have 107 bytes only."""
    return Overmind(tempfile.mkdtemp(prefix="om-", dir="/tmp"), user_home=user_home, marker=marker)


def end(overmind: Overmind) -> list[str]:
    """Shut everything down, remove the home, and return what should have been gone and was not."""
    overmind.end_clients()
    addresses = [raw_socket.address(overmind.home, name) for name in SOCKETS]
    try:
        return _shut_down(overmind, addresses) + _leftovers(overmind.home) + _listeners(addresses)
    finally:
        processes.kill_home(overmind.home)
        _open_up(overmind.home)
        shutil.rmtree(overmind.home, ignore_errors=True)


class SharedHome:
    """One home with a daemon, lent to one test after the other.

    A daemon that a test has ended is started again for the next one; after a test that failed, or left something, the
    next one gets another home.

    Args:
        user_home: What the daemon takes for the person's home; each test has one of its own.
        marker: What the processes of this test run carry.
    """

    def __init__(self, *, user_home: str, marker: str) -> None:
        self._user_home = user_home
        self._marker = marker
        self._home: Overmind | None = None

    def lend(self, user_home: str) -> Overmind:
        """Return the command line in the empty home, with a daemon that answers."""
        if self._home is None:
            self._home = make(user_home=self._user_home, marker=self._marker)
        if not raw_socket.listens(raw_socket.address(self._home.home)):
            self._home.ok("start")
        return Overmind(self._home.home, user_home=user_home, marker=self._marker)

    def take_back(self, overmind: Overmind, *, failed: bool) -> list[str]:
        """Empty the home; return what the test has left that should have been gone."""
        overmind.end_clients()
        if failed:
            return self.end()
        try:
            left = _emptied(overmind)
        except (AssertionError, EOFError, OSError) as error:
            left = [f"what can't be removed: {error!r}"]
        return left and [*left, *self.end()]

    def end(self) -> list[str]:
        """Shut it down and remove it; return what should have been gone and was not."""
        home, self._home = self._home, None
        return end(home) if home else []


def _emptied(overmind: Overmind) -> list[str]:
    """End and remove all that a test has made; return the processes that live on."""
    if not raw_socket.listens(raw_socket.address(overmind.home)):
        overmind.ok("start")
    with raw_socket.RawSocket.connect(overmind.home, timeout=30.0) as daemon:
        for ritual in daemon.ok("rituals"):
            daemon.ok("ritual_delete", id=ritual["id"])
        for quest in daemon.ok("quests"):
            daemon.request("quest_cancel", id=quest["id"])  # refused when it has just ended
        daemon.ok("kill", all=True)
        if daemon.ok("worktrees")["worktrees"]:
            daemon.ok("worktrees_prune", force=True)
        daemon.ok("prune")
        rows = daemon.ok("ps", all=True)
    assert not rows, rows
    for name in os.listdir(overmind.home):
        if not name.startswith(DAEMONS_OWN):
            _remove(overmind.path(name))
    _soon(lambda: not _strangers(overmind))
    return [f"process {description}" for description in _strangers(overmind)]


def _strangers(overmind: Overmind) -> list[str]:
    """The home's processes, but for daemon and keeper."""
    ours = [f"{pid} " for pid in map(overmind.holder, LOCKS) if pid]
    return [one for one in processes.of_home(overmind.home) if not one.startswith(tuple(ours))]


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _shut_down(overmind: Overmind, addresses: list[str]) -> list[str]:
    """Shut down if anything lives; a clean end also removes the sockets."""
    if not processes.of_home(overmind.home):
        return []
    if not _leaves_when_asked(overmind):
        finished = overmind("shutdown", "-y")
        if finished.returncode:
            return [f"shutdown: exit {finished.returncode}: {finished.stdout}{finished.stderr}"]
        if "Daemon stopped" not in finished.stdout:
            return []
    _soon(lambda: not any(map(os.path.exists, addresses)))
    return [f"socket {address}" for address in addresses if os.path.exists(address)]


def _leaves_when_asked(overmind: Overmind) -> bool:
    """Whether a daemon answered that it leaves, which needs no process of the command line."""
    try:
        overmind.api("shutdown")
    except (AssertionError, EOFError, OSError):
        return False
    with contextlib.suppress(AssertionError):
        return eventually(lambda: not any(map(overmind.holder, LOCKS)), what="both have left")
    return False


def _leftovers(home: str) -> list[str]:
    _soon(lambda: not processes.of_home(home))
    return [f"process {description}" for description in processes.of_home(home)]


def _listeners(addresses: list[str]) -> list[str]:
    return [f"listener at {address}" for address in addresses if raw_socket.listens(address)]


def _soon(look: Callable[[], bool]) -> None:
    """Give `look` a moment to come true; the caller judges what is then."""
    with contextlib.suppress(AssertionError):
        eventually(look, timeout=PATIENCE)


def _open_up(home: str) -> None:
    """Undo what a test of permissions left, so that the folder can be removed."""
    if os.path.isdir(home) and not stat.S_IMODE(os.stat(home).st_mode) & stat.S_IWUSR:
        os.chmod(home, 0o700)

"""Homes for tests, and the proof at their end that nothing of them is left."""

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


def make(*, user_home: str, marker: str) -> Overmind:
    """Make a home with a short path, since a socket's path may have 107 bytes only."""
    return Overmind(tempfile.mkdtemp(prefix="om-", dir="/tmp"), user_home=user_home, marker=marker)


def end(overmind: Overmind) -> list[str]:
    """Shut everything down, remove the home, and return what should have been gone and was not."""
    overmind.end_clients()
    addresses = [raw_socket.address(overmind.home, name) for name in SOCKETS]
    is_clean = False
    try:
        left = _shut_down(overmind, addresses) + _leftovers(overmind.home) + _listeners(addresses)
        is_clean = not left
        return left
    finally:
        if not is_clean:
            processes.kill_home(overmind.home)
        _open_up(overmind.home)
        shutil.rmtree(overmind.home, ignore_errors=True)


def _shut_down(overmind: Overmind, addresses: list[str]) -> list[str]:
    """Shut down if anything lives; a clean end also removes the sockets."""
    if not any(map(overmind.holder, LOCKS)) and not processes.of_home(overmind.home):
        return []
    if not _leaves_when_asked(overmind):
        finished = overmind("shutdown", "-y")
        if finished.returncode:
            return [f"shutdown: exit {finished.returncode}: {finished.stdout}{finished.stderr}"]
        if "Daemon stopped" not in finished.stdout:
            return []
    soon(lambda: not any(map(os.path.exists, addresses)))
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
    found: list[str] = []

    def alone() -> bool:
        found[:] = processes.of_home(home)
        return not found

    soon(alone)
    return [f"process {description}" for description in found]


def _listeners(addresses: list[str]) -> list[str]:
    return [f"listener at {address}" for address in addresses if raw_socket.listens(address)]


def soon(look: Callable[[], bool]) -> None:
    """Give `look` a moment to come true; the caller judges what is then."""
    with contextlib.suppress(AssertionError):
        eventually(look, timeout=PATIENCE)


def _open_up(home: str) -> None:
    """Undo what a test of permissions left, so that the folder can be removed."""
    if os.path.isdir(home) and not stat.S_IMODE(os.stat(home).st_mode) & stat.S_IWUSR:
        os.chmod(home, 0o700)

"""One home with one daemon that many tests use, one after the other, each as if it were its own; a web server, too.

To start and to end them costs more than most tests that need them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.kit import home as homes
from tests.kit import processes
from tests.kit.overmind import FINAL, Overmind
from tests.kit.raw_socket import RawSocket

if TYPE_CHECKING:
    from tests.kit.web_site import Site

FAILED = pytest.StashKey[bool]()
"""A test that failed: its home is not lent to the next one."""
CONFIG = "config.toml"
"""What a daemon has read of it stays in its head."""
DAEMONS_OWN = (
    *homes.SOCKETS, *homes.LOCKS, "exits.ndjson", "logs", "state.db", "memory.db", "daemon.log", "keeper.log",
    "config.last-good", "web.lock", "web.json", "web-server.log",
)  # fmt: skip
"""How the names begin of what a daemon keeps in its home; what else is there a test has put there."""


@contextlib.contextmanager
def shared(*, user_home: str, marker: str) -> Iterator[SharedHome]:
    """A home for all tests of the block."""
    home = SharedHome(user_home=user_home, marker=marker)
    yield home
    left = home.end()
    assert not left, "left after the tests:\n" + "\n".join(left)


class SharedHome:
    """Lends the home to a test and empties it afterwards.

    After a test that failed, left something, or replaced or configured the daemons the next one gets another home.

    Args:
        user_home: What the daemons take for the person's home; each test has one of its own.
        marker: What every process of the test run inherits.
    """

    def __init__(self, *, user_home: str, marker: str) -> None:
        self._user_home = user_home
        self._marker = marker
        self._home: Overmind | None = None
        self._daemons: set[int] = set()
        self._newest = 0
        self._lent: Overmind | None = None
        self._site: Site | None = None

    def lend(self, user_home: str) -> Overmind:
        """Return the command line in the home, where a daemon runs and knows nothing."""
        if self._home is None:
            self._home = homes.make(user_home=self._user_home, marker=self._marker)
            self._home.ok("start")
            self._daemons, self._newest = _daemons(self._home), 0
        self._lent = Overmind(self._home.home, user_home=user_home, marker=self._marker, since=self._newest)
        return self._lent

    def lends(self, overmind: Overmind) -> bool:
        """Whether this is the command line that was lent last."""
        return overmind is self._lent

    def site(self) -> Site:
        """The web server of the home that is lent, where nobody is logged in."""
        from tests.kit.web_site import Site

        assert self._home is not None
        assert self._lent is not None
        if self._site is not None and not self._site.runs:
            self._end_site()
        if self._site is None:
            self._site = Site(self._home)
        self._site.om = self._lent
        self._site.forget()
        return self._site

    def _end_site(self) -> None:
        if self._site is not None:
            self._site.close()
        self._site = None

    @contextlib.contextmanager
    def lent(self, user_home: str) -> Iterator[Overmind]:
        """`lend` it for the block, and see to it that nothing is left."""
        overmind = self.lend(user_home)
        yield overmind
        left = self.take_back(overmind)
        assert not left, "left after the test:\n" + "\n".join(left)

    def take_back(self, overmind: Overmind, *, failed: bool = False) -> list[str]:
        """Empty the home; return what the test has left that should have been gone."""
        overmind.end_clients()
        if failed or _daemons(overmind) != self._daemons or os.path.exists(overmind.path(CONFIG)):
            return self.end()
        try:
            if self._site is not None:
                overmind.api("web_revoke", all=True)
            left = _emptied(overmind, self._ours())
            self._newest = max((event["seq"] for event in overmind.events()), default=self._newest)
        except (AssertionError, EOFError, OSError) as error:
            left = [f"what can't be removed: {error!r}"]
        return left and [*left, *self.end()]

    def _ours(self) -> set[int]:
        """What runs in the home for all tests."""
        return self._daemons if self._site is None else {*self._daemons, self._site.pid}

    def end(self) -> list[str]:
        """End the daemons and remove the home; return what should have been gone and was not."""
        self._end_site()
        home, self._home = self._home, None
        return homes.end(home) if home else []


def _daemons(overmind: Overmind) -> set[int]:
    return {pid for pid in map(overmind.holder, homes.LOCKS) if pid}


def _emptied(overmind: Overmind, ours: set[int]) -> list[str]:
    """End and remove all that a test has made; return the processes that live on, but for `ours`."""
    with RawSocket.connect(overmind.home, timeout=30.0) as daemon:
        for ritual in daemon.ok("rituals"):
            daemon.ok("ritual_delete", id=ritual["id"])
        for quest in daemon.ok("quests", status=["running"]):
            daemon.request("quest_cancel", id=quest["id"])  # refused when it has just ended
        rows = daemon.ok("ps", all=True)
        if any(row["status"] not in FINAL for row in rows):
            daemon.ok("kill", all=True)
        if daemon.ok("worktrees")["worktrees"]:
            daemon.ok("worktrees_prune", force=True)
        for_all = daemon.request("notes", scope="global", all=True).get("ok", {"notes": ()})  # refused: memory is off
        if for_all["notes"]:  # other notes are seen in the test's own folders alone
            daemon.ok("forget", notes=[note["id"] for note in for_all["notes"]], purge=True)
        if rows:
            daemon.ok("prune")
            rows = daemon.ok("ps", all=True)
    assert not rows, rows
    for name in os.listdir(overmind.home):
        if not name.startswith(DAEMONS_OWN):
            _remove(overmind.path(name))
    left: list[str] = []

    def alone() -> bool:
        left[:] = _strangers(overmind, ours)
        return not left

    homes.soon(alone)
    return [f"process {description}" for description in left]


def _strangers(overmind: Overmind, ours: set[int]) -> list[str]:
    """The home's processes, but for `ours`."""
    known = tuple(f"{pid} " for pid in ours)
    return [one for one in processes.of_home(overmind.home) if not one.startswith(known)]


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)

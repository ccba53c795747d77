"""One home with one daemon that many tests use, one after the other, each as if it were its own.

To start and to end two daemons costs more than most tests that need them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

from tests.kit import home as homes
from tests.kit import processes
from tests.kit.overmind import Overmind
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

CONFIG = "config.toml"
"""What a daemon has read of it stays in its head."""
LATER = {"logs"}
"""What daemons make when they need it and then count on."""


@contextlib.contextmanager
def shared(*, user_home: str, marker: str) -> Iterator[SharedHome]:
    """A home for all tests of the block."""
    home = SharedHome(user_home=user_home, marker=marker)
    yield home
    left = home.end()
    assert not left, "left after the tests:\n" + "\n".join(left)


class SharedHome:
    """Lends the home to a test and empties it afterwards. Whose daemons a test has replaced is ended; the next is new.

    Args:
        user_home: HOME of the daemons.
        marker: What every process of the test run inherits.
    """

    def __init__(self, *, user_home: str, marker: str) -> None:
        self._user_home = user_home
        self._marker = marker
        self._host: Overmind | None = None
        self._daemons: set[int] = set()
        self._files: set[str] = set()

    def lend(self, user_home: str) -> Overmind:
        """The command line in the home, where a daemon runs and knows nothing."""
        if self._host is None:
            self._host = homes.make(user_home=self._user_home, marker=self._marker)
            self._host.ok("start")
            self._daemons = {self._host.supervisor_pid(), self._host.keeper_pid()}
            self._files = {*os.listdir(self._host.home), *LATER}
        return Overmind(self._host.home, user_home=user_home, marker=self._marker)

    @contextlib.contextmanager
    def lent(self, user_home: str) -> Iterator[Overmind]:
        """`lend` it for the block, and see to it that nothing is left."""
        overmind = self.lend(user_home)
        yield overmind
        left = self.take_back(overmind)
        assert not left, "left after the test:\n" + "\n".join(left)

    def take_back(self, overmind: Overmind) -> list[str]:
        """Empty the home; return what should have been gone and was not."""
        overmind.end_clients()
        if not self._is_as_lent() or not self._emptied():
            return self.end()
        return []

    def end(self) -> list[str]:
        """End the daemons; return what should have been gone and was not."""
        host, self._host = self._host, None
        return homes.end(host) if host is not None else []

    def _is_as_lent(self) -> bool:
        assert self._host is not None
        daemons = {self._host.holder("supervisor.lock"), self._host.holder("keeper.lock")}
        return daemons == self._daemons and not os.path.exists(self._host.path(CONFIG))

    def _emptied(self) -> bool:
        """End what runs, and forget everything; whether that is all there was."""
        assert self._host is not None
        with RawSocket.connect(self._host.home, timeout=30) as api:
            for ritual in api.ok("rituals"):
                api.ok("ritual_delete", id=ritual["id"])
            api.ok("kill", all=True)
            api.ok("prune")
            empty = api.ok("ps", all=True) == []
        for name in set(os.listdir(self._host.home)) - self._files:
            _remove(self._host.path(name))
        return empty and self._are_alone()

    def _are_alone(self) -> bool:
        """Whether nothing but the daemons is left of the home's processes, which may take a moment to go."""
        home = self._host.home if self._host is not None else ""
        with contextlib.suppress(AssertionError):
            return eventually(lambda: len(processes.of_home(home)) == len(self._daemons), timeout=3.0)
        return False


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)

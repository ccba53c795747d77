"""A tab of a browser as the web server meets it: one socket, its panes and its presses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.kit.waiting import eventually

PATIENCE = 30.0
"""Seconds within which what is waited for has to come."""
Message = dict[str, Any]
Found = TypeVar("Found")


class Tab:
    """A page's end of its socket; a context manager.

    Attributes:
        socket: The connection.
        panes: Number of a pane → the messages that came for it since it was opened.
        said: Kind → the other messages that came, pings left out.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.socket = connection
        self.panes: dict[int, list[Message]] = {}
        self.said: dict[str, list[Message]] = {}
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self.socket.close()

    # what it says

    def say(self, message: object) -> None:
        """Send whatever this is."""
        self.socket.send(json.dumps(message))

    def send(self, **message: Any) -> None:
        """Send a message; `from_` is written as `from`."""
        self.say({name.rstrip("_"): value for name, value in message.items()})

    def open(self, pane: int, view: str, begin: int = 0, end: int = 90, /, **args: Any) -> None:
        """Open a pane; what came of an earlier one with this number is forgotten."""
        self.panes[pane] = []
        self.send(t="open", p=pane, view=view, args=args, from_=begin, to=end)

    def begin(self, verb: str, **args: Any) -> int:
        """Ask for an operation; the number of its `did`."""
        self._number += 1
        self.send(t="do", n=self._number, verb=verb, args=args)
        return self._number

    def press(self, verb: str, **args: Any) -> Message:
        """Do something, and return the answer: `ok`, or `error` and `message`."""
        number = self.begin(verb, **args)
        return self.heard(lambda message: message["t"] == "did" and message["n"] == number)

    # what it hears

    def hear(self, timeout: float = PATIENCE) -> Message:
        """The next message, which is kept; pings are answered. Raises TimeoutError, ConnectionClosed."""
        deadline = time.monotonic() + timeout
        while True:
            message: Message = json.loads(self.socket.recv(max(0.0, deadline - time.monotonic())))
            if message["t"] != "ping":
                kept = self.panes.setdefault(message["p"], []) if "p" in message else self._said(message["t"])
                kept.append(message)
                return message
            self.send(t="pong")

    def _said(self, kind: str) -> list[Message]:
        return self.said.setdefault(kind, [])

    def heard(self, wanted: Callable[[Message], bool], timeout: float = PATIENCE) -> Message:
        """The first message from now on that `wanted` is true of. Raises as `hear`."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.hear(deadline - time.monotonic())
            if wanted(message):
                return message

    def next(self, pane: int, *kinds: str) -> Message:
        """The next message for a pane that is one of these."""
        return self.heard(lambda message: message.get("p") == pane and message["t"] in kinds)

    def until(self, look: Callable[[], Found | None], *, what: str) -> Found:
        """Take messages until there is what is looked for, in what was kept; return it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = look()
            if found:
                return found
            left = deadline - time.monotonic()
            assert left > 0, f"{what}: {self.panes} {self.said}"
            self.hear(left)


def is_closed(tab: Tab, timeout: float = PATIENCE) -> bool:
    """Whether the server ends the socket."""

    def ended() -> bool:
        try:
            while True:  # what was said before
                tab.socket.recv(0.05)
        except TimeoutError:
            return False
        except (ConnectionClosed, OSError):
            return True

    return bool(eventually(ended, timeout=timeout, what="the socket ends"))


class Table:
    """What a page makes of the frames of a table's pane: the rows in view, in their order."""

    def __init__(self, tab: Tab, pane: int) -> None:
        self._tab, self._pane = tab, pane
        self._taken = 0
        self.ids: list[str] = []
        self.rows: dict[str, list[Any]] = {}
        self.total = 0
        self.head: Message = {}
        self.problem = ""

    def take(self) -> Table:
        """Apply what came since the last time."""
        frames = self._tab.panes[self._pane]
        for frame in frames[self._taken :]:
            assert frame["t"] == "rows", frame
            self.total = frame["total"]
            self.ids = frame.get("ids", self.ids)
            self.rows |= frame.get("rows", {})
            for mission, cells in frame.get("cells", {}).items():
                self.rows[mission] = with_cells(self.rows[mission], cells)
            self.head = frame.get("head", self.head)
            self.problem = frame.get("problem", self.problem)
        self._taken = len(frames)
        return self

    @property
    def missions(self) -> list[str]:
        """Ids of the missions in view, without the lines that are none."""
        return [one for one in self.ids if not one.startswith(":")]

    @property
    def names(self) -> list[str]:
        """Names of the rows in view, with their guides before them; lines that are none are left out."""
        return [self.rows[one][0] + self.rows[one][2] for one in self.missions]

    @property
    def lines(self) -> list[str]:
        """All lines in view: names with their guides, and the words of the others behind a colon."""
        return [f"{':' if one.startswith(':') else ''}{self.rows[one][0]}{self.rows[one][2]}" for one in self.ids]

    def cells(self, mission: str) -> dict[str, list[Any]]:
        """A row's cells by their columns."""
        return {cell[0]: cell[1:] for cell in self.rows[mission][4]}


def with_cells(row: list[Any], cells: list[list[Any]]) -> list[Any]:
    """A row with some other cells, as a page has it then; one without a text is gone."""
    told = {cell[0]: cell for cell in row[4]} | {cell[0]: cell for cell in cells}
    return [*row[:4], [cell for cell in told.values() if cell[1] or len(cell) > 3], *row[5:]]

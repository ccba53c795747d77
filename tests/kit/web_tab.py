"""A tab of a browser as the web server meets it: one socket, its panes and its presses."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from tests.kit.website import Website

PATIENCE = 30.0
"""Seconds within which what is waited for has to come."""
Message = dict[str, Any]
Found = TypeVar("Found")


class Tab:
    """One socket of a site; a context manager. Frames are kept by their pane, other messages by their kind."""

    def __init__(self, site: Website) -> None:
        self._opening = site.socket("ws")
        self._socket = self._opening.__enter__()
        self.panes: dict[int, list[Message]] = {}
        self.said: dict[str, list[Message]] = {}
        self._number = 0

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._opening.__exit__(None, None, None)

    def send(self, **message: Any) -> None:
        """Send a message; `from_` is written as `from`."""
        self._socket.send(json.dumps({name.rstrip("_"): value for name, value in message.items()}))

    def open(self, pane: int, view: str, begin: int = 0, end: int = 90, /, **args: Any) -> None:
        """Open a pane; what came of an earlier one with this number is forgotten."""
        self.panes[pane] = []
        self.send(t="open", p=pane, view=view, args=args, from_=begin, to=end)

    def take(self, timeout: float) -> None:
        """Take one message.

        Raises:
            TimeoutError: none came.
        """
        message = json.loads(self._socket.recv(timeout=timeout))
        if message["t"] == "ping":
            self.send(t="pong")
        elif "p" in message:
            self.panes.setdefault(message["p"], []).append(message)
        else:
            self.said.setdefault(message["t"], []).append(message)

    def until(self, look: Callable[[], Found | None], *, what: str) -> Found:
        """Take messages until there is what is looked for; return it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = look()
            if found:
                return found
            left = deadline - time.monotonic()
            assert left > 0, f"{what}: {self.panes} {self.said}"
            self.take(left)

    def press(self, verb: str, **args: Any) -> Message:
        """Do something, and return the answer: `ok`, or `error` and `message`."""
        self._number += 1
        number = self._number
        self.send(t="do", n=number, verb=verb, args=args)
        return self.until(
            lambda: next((one for one in self.said.get("did", ()) if one["n"] == number), None), what=f"{verb} is done"
        )


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
    def names(self) -> list[str]:
        """Names of the rows in view, with their guides before them."""
        return [self.rows[one][0] + self.rows[one][2] for one in self.ids]

    def cells(self, mission: str) -> dict[str, list[Any]]:
        """A row's cells by their columns."""
        return {cell[0]: cell[1:] for cell in self.rows[mission][4]}


def with_cells(row: list[Any], cells: list[list[Any]]) -> list[Any]:
    """A row with some other cells, as a page has it then; one without a text is gone."""
    told = {cell[0]: cell for cell in row[4]} | {cell[0]: cell for cell in cells}
    return [*row[:4], [cell for cell in told.values() if cell[1] or len(cell) > 3], *row[5:]]

"""Replies of the terminal in memory to a program's queries, from the log of its run.

A reply belongs to the place at which the query stands: the cursor is where it was there, and so are the modes and the
size. The screens are kept, so that a program that asks again and again costs what it has written since.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from overmind_core.logs.layout import OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.snapshot import DrawnScreen, drawn_to
from overmind_core.terminal.state import Colours

COLOURS = Colours((0xE5, 0xE5, 0xE5), (0, 0, 0), (0xE5, 0xE5, 0xE5))
"""Light text on black: what programs are told that ask for colours which nobody sees."""
MOST_KEPT = 8
"""Screens."""


class Reply(NamedTuple):
    """The answer to one query."""

    end: int
    """Where the query ends in the output."""
    data: bytes
    """Empty: it gets none."""


class RepliesFromLogs:
    """The terminals in memory that are asked now; each run's is asked by one thread at a time."""

    def __init__(self) -> None:
        self._drawn: OrderedDict[str, DrawnScreen] = OrderedDict()
        """Folder of a run → its screen, the one that was asked last at the end."""

    def replies(self, path: str, columns: int, rows: int, queries: Iterable[tuple[int, int]]) -> list[Reply]:
        """Answer queries, as far as they stand in the log.

        Args:
            path: The run's folder.
            columns: Of the terminal when the run began.
            rows: The same.
            queries: Where each begins and ends in the output; in their order.
        """
        log = RunLog(path)
        drawn = self._drawn.pop(path, None)
        replies: list[Reply] = []
        for start, end in queries:
            at, query = log.read(OUT, start, end - start)
            if at > start:  # the log was cut there meanwhile
                replies.append(Reply(end, b""))
                continue
            if len(query) < end - start:  # it is not written yet, as on a full disk
                break
            drawn = drawn_to(start, log, columns, rows, drawn)
            screen = drawn.screen
            said: list[bytes] = []
            screen.colours, screen.on_reply = COLOURS, said.append
            screen.feed(query)
            screen.on_reply = _ignore
            drawn = drawn._replace(at=end)
            replies.append(Reply(end, b"".join(said)))
        if drawn is not None:
            self._drawn[path] = drawn
            while len(self._drawn) > MOST_KEPT:
                self._drawn.popitem(last=False)
        return replies


def _ignore(_data: bytes) -> None:
    return

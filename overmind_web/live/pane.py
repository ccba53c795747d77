"""A pane: one part of a page that is kept up to date. Opening one is its snapshot; nothing else has to be remembered.

Two kinds carry most pages: `TablePane` (rows, of which only those in view are sent) and `ContentPane` (one JSON value).
A page overrides `load`, and names the events after which it is loaded again.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from overmind_core.errors import OvermindError
from overmind_web.live.feed import Change, Feed
from overmind_web.live.messages import Open, ToPane, Window
from overmind_web.supervisor import Supervisor

Frame = Mapping[str, object]
ANY = frozenset({"*"})
"""Every event."""
MARGIN = 30
"""Rows sent beyond those in view, on both sides."""
CELLS = 4
"""Where a row has its cells."""
MOST_ROWS = 1_000
"""Rows in view at once; more are not sent."""
SHARE = 4.0
"""A pane is loaded again after so many times the time that it took."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PaneContext:
    """What a pane is given."""

    supervisor: Supervisor
    feed: Feed
    by: str
    """In whose name requests are sent."""
    read_only: bool
    wake: Callable[[], None]
    """Says that `frame` has something new."""

    async def call(self, command: str, args: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  (any JSON)
        """Ask the daemon, in the name of who looks. Raises OvermindError."""
        return await self.supervisor.call(command, args, by=self.by)


class Pane(Protocol):
    """What a tab needs of a pane."""

    async def start(self) -> None:
        """Fetch what it shows; `frame` then gives all of it."""
        ...

    def frame(self) -> Frame | None:
        """Return what the browser has not got yet, without `p`; None: nothing."""
        ...

    async def handle(self, message: ToPane) -> None:
        """Take a message of the page to this pane."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


class LoadedPane(ABC):
    """A pane that is loaded when it opens and again after events, one load at a time.

    Args:
        context: What it may use.
        opened: How it was opened.
    """

    events: ClassVar[frozenset[str]] = frozenset()
    """Types of events after which it is loaded again; `ANY`: all."""
    missions: ClassVar[bool] = False
    """Whether it is loaded again after the rows of missions changed."""

    def __init__(self, context: PaneContext, opened: Open) -> None:
        self.context = context
        self.args = opened.args
        self._failure: OvermindError | None = None
        self._failure_sent = False
        self._stale = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    @abstractmethod
    async def reload(self) -> None:
        """Fetch what it shows and keep it. Raises OvermindError."""

    async def start(self) -> None:
        """Load it, and again after each change."""
        self._unsubscribe = self.context.feed.subscribe(self._on_change)
        await self._load()
        self._task = asyncio.get_running_loop().create_task(self._follow())

    async def handle(self, message: ToPane) -> None:
        """Take a message of the page."""
        del message

    async def close(self) -> None:
        """Load it no more."""
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def concerns(self, change: Change) -> bool:
        """Whether it may show something else after `change`."""
        if change.everything or (self.missions and change.missions):
            return True
        return bool(self.events & change.types) or (self.events == ANY and bool(change.types))

    def failed_frame(self) -> Frame | None:
        """Return why it could not be loaded, once."""
        if self._failure is None or self._failure_sent:
            return None
        self._failure_sent = True
        return {"t": "failed", "error": self._failure.code, "message": self._failure.message}

    @property
    def has_failed(self) -> bool:
        """Whether the last load failed."""
        return self._failure is not None

    def _on_change(self, change: Change) -> None:
        if self.concerns(change):
            self._stale.set()

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._stale.wait()
            self._stale.clear()
            began = loop.time()
            await self._load()
            await asyncio.sleep((loop.time() - began) * SHARE)

    async def _load(self) -> None:
        try:
            await self.reload()
        except OvermindError as error:
            self._failure, self._failure_sent = error, False
        except Exception:  # noqa: BLE001 - the boundary: what one pane meets is its own
            _log.exception("a pane could not be loaded")
            self._failure, self._failure_sent = OvermindError("internal"), False
        else:
            self._failure = None
        self.context.wake()


class ContentPane(LoadedPane):
    """A pane of one JSON value, sent when it changed."""

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._content: object = None
        self._sent: object = self  # equal to no content

    @abstractmethod
    async def load(self) -> object:
        """Return what it shows. Raises OvermindError."""

    async def reload(self) -> None:
        """Load it."""
        self._content = await self.load()

    def frame(self) -> Frame | None:
        """Return the content, if it changed."""
        failed = self.failed_frame()
        if failed is not None or self.has_failed:
            self._sent = self
            return failed
        if self._sent == self._content:
            return None
        self._sent = self._content
        return {"t": "content", "content": self._content}


@dataclass(frozen=True)
class Rows:
    """What a table shows."""

    ids: Sequence[str]
    """Of all rows, in order."""
    row: Callable[[str], object]
    """Returns a row by its id, as it is sent: `[guides, mark, name, new, cells]`, a cell is
    `[column, text, tone, since?]`. Called for rows in view alone."""
    head: Mapping[str, object] | None = None
    """More of the frame, sent when it changed: columns, counts, what an empty table says."""


class TablePane(LoadedPane):
    """A pane of rows: only those in view, and of them only what changed.

    A frame has `rows` by their ids, whole; and `cells`, of rows of which nothing else changed: those that did, an empty
    text where there is none any more.
    """

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._from, self._to = opened.from_, opened.to
        self._rows = Rows((), lambda _: None)
        self._sent_ids: list[str] | None = None
        self._sent_total = -1
        self._sent_from = -1
        self._sent_rows: dict[str, object] = {}
        self._sent_head: Mapping[str, object] | None = None

    @abstractmethod
    async def load(self) -> Rows:
        """Return all rows. Raises OvermindError."""

    async def reload(self) -> None:
        """Load it."""
        self._rows = await self.load()

    async def handle(self, message: ToPane) -> None:
        """Move the window."""
        if isinstance(message, Window):
            self._from, self._to = message.from_, message.to
            self.context.wake()

    def frame(self) -> Frame | None:
        """Return rows that changed or came into view, and `ids` if their order did: the page drops others."""
        failed = self.failed_frame()
        if failed is not None or self.has_failed:
            self._sent_ids = None
            return failed
        total = len(self._rows.ids)
        last = min(self._to, self._from + MOST_ROWS) + MARGIN
        begin = max(0, min(self._from - MARGIN, total))
        ids = list(self._rows.ids[begin:last])
        before = {} if self._sent_ids is None else self._sent_rows
        rows = {one: self._rows.row(one) for one in ids}
        changed = {one: row for one, row in rows.items() if one not in before or before[one] != row}
        cells = {one: found for one, row in changed.items() if (found := changed_cells(before.get(one), row))}
        whole = {one: row for one, row in changed.items() if one not in cells}
        frame: dict[str, object] = {}
        if ids != self._sent_ids or begin != self._sent_from:
            frame["ids"] = ids
        if whole:
            frame["rows"] = whole
        if cells:
            frame["cells"] = cells
        if self._rows.head is not None and (self._rows.head != self._sent_head or self._sent_ids is None):
            frame["head"] = self._rows.head
        if not frame and total == self._sent_total:
            return None
        self._sent_ids, self._sent_rows, self._sent_total, self._sent_from = ids, rows, total, begin
        self._sent_head = self._rows.head
        return {"t": "rows", "total": total, "from": begin, **frame}


def changed_cells(before: object, row: object) -> list[Sequence[object]]:
    """The cells of a row that were others before, without a text if they are gone; none: more of the row is other."""
    if not (isinstance(before, Sequence) and isinstance(row, Sequence) and len(row) > CELLS):
        return []
    if before[:CELLS] != row[:CELLS] or before[CELLS + 1 :] != row[CELLS + 1 :]:
        return []
    old = {cell[0]: cell for cell in before[CELLS]}
    new = {cell[0]: cell for cell in row[CELLS]}
    changed = [cell for key, cell in new.items() if old.get(key) != cell]
    return changed + [(key, "", "") for key in old if key not in new]

"""Lists of what is no mission: quests, the queue, rituals, plans, specs, worktrees, notes, health, cost.

A list is a row of `RESOURCES`: the registry of views says its columns, orders and request, as the full-screen program
reads them too; the row adds what a browser needs besides. One that is opened is described in the same words as there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, cast

from overmind_core.errors import OvermindError
from overmind_core.view import frames, numbers, row_filter, tables
from overmind_core.view import health as health_rows
from overmind_core.view import notes as notes_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view import queue as queue_rows
from overmind_core.view import schedules as schedules_rows
from overmind_core.view import specs as specs_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.describe import Lines, Rendering
from overmind_core.view.fleet import Fleet
from overmind_core.view.registry import RUNS, VIEWS, View
from overmind_core.view.row_filter import NOTHING, BrokenFilter, Filter
from overmind_web.live.feed import Change
from overmind_web.live.messages import Open
from overmind_web.live.pane import ANY, ContentPane, PaneContext, Rows, TablePane
from overmind_web.pages.arguments import text
from overmind_web.pages.mission import started_in

TICK = 5.0
"""Seconds after which ages and durations of rows in view are said anew."""
LONGEST_FILTER = 2_000
"""Characters."""
LISTS: Mapping[str, Mapping[str, Any]] = {"queue": {"limit": 0}, "notes": {"all": True}}
"""View → arguments of its request in place of the full-screen program's, which asks for what fits on its screen, and
for notes of the folder that it was started in."""


class Listed(NamedTuple):
    """What an answer means."""

    rows: list[Row]
    line: str = ""
    """Said over the table."""
    facts: Mapping[str, object] = {}
    """Of the whole, for buttons."""


class Resource(NamedTuple):
    """A list of the web.

    Attributes:
        view: Its columns, orders and request.
        listed: An answer as rows.
        facts: Keys of a row that its page needs besides the cells, to know what can be asked of it.
        looked_in: The text of a row in which a filter searches.
        word: The word of its mark; None: of its status.
        about: The request that tells all about one; "": the row does.
        asked: The arguments of that request, from the id.
        lines: All about one, for reading.
    """

    view: View
    listed: Callable[[Any, Fleet, float], Listed]
    facts: tuple[str, ...] = ()
    looked_in: Callable[[Row], str] = tables.looked_in
    word: Callable[[Row], str] | None = None
    about: str = ""
    asked: Callable[[str], dict[str, Any]] = lambda one: {"id": one}
    lines: Callable[[Row, Rendering], Lines] | None = None


def _shaped(view: View) -> Callable[[Any, Fleet, float], Listed]:
    assert view.fetch is not None
    shape = view.fetch.shape
    return lambda answer, _fleet, _now: Listed(shape(answer))


def _quests(answer: Any, fleet: Fleet, _now: float) -> Listed:  # noqa: ANN401 - an answer is any JSON
    rows = quests_rows.quests(answer)
    quests_rows.learn(rows, fleet.rows, fleet.questions)
    return Listed(rows)


def _queue(answer: Any, fleet: Fleet, _now: float) -> Listed:  # noqa: ANN401 - as above
    rows = queue_rows.listed(answer)
    quests_rows.learn(rows, fleet.rows, fleet.questions)
    status = queue_rows.Status.of(answer)
    return Listed(rows, status._replace(paused=False).text, {"paused": status.paused, "slots": status.slots})


def _health(answer: Any, fleet: Fleet, now: float) -> Listed:  # noqa: ANN401 - as above
    rows = health_rows.listed(answer, fleet.rows, now)
    health_rows.learn(rows, fleet.rows, fleet.questions)
    return Listed(rows, health_rows.summary(answer["coherence"]))


def _notes(answer: Any, _fleet: Fleet, _now: float) -> Listed:  # noqa: ANN401 - as above
    rows = notes_rows.listed(answer) if "proposed" in answer else notes_rows.found(answer)
    notes_rows.draw_marks(rows, ascii_only=False)
    return Listed(rows, "", {"proposed": answer.get("proposed", 0)})


def _cost(answer: Any, _fleet: Fleet, _now: float) -> Listed:  # noqa: ANN401 - as above
    rows = tables.cost(answer)
    total = tables.total(rows)
    total["cost"] = numbers.cost_of(total) or "-"
    return Listed(rows, "", {"total": total, "most": max((row["cost_usd"] or 0.0 for row in rows), default=0.0)})


RESOURCES: Mapping[str, Resource] = {
    "quests": Resource(
        VIEWS["quests"], _quests, ("status", "priority", "check_id", "can_retry"), quests_rows.looked_in,
        about="quest", lines=quests_rows.quest,
    ),
    "queue": Resource(
        VIEWS["queue"], _queue, ("status", "priority", "check_id", "can_retry"), quests_rows.looked_in,
        about="quest", lines=quests_rows.quest,
    ),
    "rituals": Resource(
        VIEWS["rituals"], _shaped(VIEWS["rituals"]),
        ("paused", "running", "last_id", "schedule", "last_number", "queued"),
        about="ritual", lines=schedules_rows.ritual,
    ),
    "runs": Resource(RUNS, _shaped(RUNS), ("mission",), lines=schedules_rows.run),
    "plans": Resource(VIEWS["plans"], _shaped(VIEWS["plans"]), ("status", "file")),
    "specs": Resource(
        VIEWS["specs"], _shaped(VIEWS["specs"]), ("state",), specs_rows.looked_in,
        about="spec", lines=specs_rows.description,
    ),
    "worktrees": Resource(VIEWS["worktrees"], _shaped(VIEWS["worktrees"]), ("mission", "path", "branch", "problem")),
    "health": Resource(
        VIEWS["health"], _health, ("status",), health_rows.looked_in, lines=health_rows.description,
    ),
    "notes": Resource(
        VIEWS["notes"], _notes, ("state", "pinned"), notes_rows.looked_in, lambda row: notes_rows.mark(row).word,
        "note", lambda one: {"note": one, "history": True}, notes_rows.description,
    ),
    "cost": Resource(VIEWS["cost"], _cost, ("key", "named", "cost_usd")),
}  # fmt: skip


def resource(name: object) -> Resource:
    """The list of this name.

    Raises:
        OvermindError: `invalid`, there is none.
    """
    found = RESOURCES.get(name) if isinstance(name, str) else None
    if found is None:
        raise OvermindError("invalid", f"There is no list {safe(name)!r}; one of: {', '.join(RESOURCES)}")
    return found


class ResourcePane(TablePane):
    """The rows of a list, filtered and in an order.

    Args of the page: `list`, a name of `RESOURCES`; `filter`, as behind `/`; `order`, a column, and `reversed`; `way`,
    a word that the view knows; `id`, of what the list is about, where it is about one; `words`, a question to
    notes, and `cwd`, the folder whose notes are asked.
    """

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._resource = resource(opened.args.get("list"))
        fetch = self._resource.view.fetch
        assert fetch is not None
        self._fetch = fetch
        self._filter, self._problem = _parsed(text(opened.args, "filter"), self._resource)
        self._ticking: asyncio.Task[None] | None = None
        self._found: dict[str, Row] = {}

    async def start(self) -> None:
        """Show them; ages go on."""
        await super().start()
        self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def close(self) -> None:
        """Nobody looks any more."""
        if self._ticking is not None:
            self._ticking.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticking
        await super().close()

    def concerns(self, change: Change) -> bool:
        """Whether it may show something else."""
        return _concerns(self._resource.view, change)

    async def _tick(self) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            if self._fetch.every and time.monotonic() - began >= max(self._fetch.every, TICK):
                began = time.monotonic()
                self._stale.set()
            self.context.wake()

    def _asked(self) -> tuple[str, dict[str, Any]]:
        """The request and its arguments."""
        name, words = text(self.args, "list"), text(self.args, "words").strip()
        if name == "notes" and words:
            named = "" if self.context.read_only else text(self.args, "cwd")  # who may only look has no folder opened
            return "search", {"words": words, "cwd": named or started_in()}
        way = self._fetch.ways.get(text(self.args, "way"))
        asked = dict(way if way is not None else LISTS.get(name, self._fetch.arguments))
        if about := text(self.args, "id"):
            asked["id"] = about
        return self._fetch.request, asked

    async def load(self) -> Rows:
        """Ask, filter, sort."""
        request, asked = self._asked()
        answer = await self.context.call(request, asked)
        now = time.time()
        listed = self._resource.listed(answer, self.context.feed.fleet.fleet, now)
        rows = self._sorted(await self._kept(listed.rows), now)
        self._found = {str(row["id"]): row for row in rows}
        return Rows(list(self._found), self._row, self._head(listed))

    async def _kept(self, rows: list[Row]) -> list[Row]:
        """Those that the filter keeps, judged in slices between which others are served."""
        if not self._filter:
            return rows
        kept: set[str] = set()
        try:
            for some in row_filter.sieved(self._filter, rows):
                kept.update(some)
                await asyncio.sleep(0)
        except BrokenFilter as broken:
            self._filter, self._problem = NOTHING, f"{broken}"
            return rows
        return [row for row in rows if row["id"] in kept]

    def _sorted(self, rows: list[Row], now: float) -> Sequence[Row]:
        by = self._resource.view.orders.get(text(self.args, "order") or self._resource.view.order)
        if by is None:
            return rows
        rises = by.rises is not (self.args.get("reversed") is True)
        return sorted(rows, key=lambda row: by.key(row, now), reverse=not rises)

    def _head(self, listed: Listed) -> Mapping[str, object]:
        view = self._resource.view
        shown = [
            {**cast("dict[str, object]", column), "least": one.least, "most": one.most}
            for column, one in zip(frames.columns(view.columns), view.columns, strict=True)
        ]
        return {
            "columns": shown, "orders": list(view.orders), "empty": view.empty.split("\n"), "line": listed.line,
            "facts": listed.facts, "problem": self._problem, "ways": list(self._fetch.ways),
        }  # fmt: skip

    def _row(self, one: str) -> object:
        row, now = self._found[one], time.time()
        facts = {key: row.get(key) for key in self._resource.facts}
        if one in self.context.feed.fleet.fleet.rows:
            facts["there"] = True
        word = "" if self._resource.word is None else self._resource.word(row)
        return frames.row(row, self._resource.view.columns, now, mark=word, facts=facts)


class ThingPane(ContentPane):
    """All about one row of a list, in lines, as the full-screen program has them.

    Args of the page: `list` and `id`; `what`: `why`, for why a quest waits.
    """

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._resource = resource(opened.args.get("list"))

    def concerns(self, change: Change) -> bool:
        """Whether it may read otherwise."""
        return _concerns(self._resource.view, change)

    async def load(self) -> object:
        """Ask for it."""
        named = text(self.args, "id")
        if not named:
            raise OvermindError("invalid", "Name what it is about.")
        if self.args.get("what") == "why":
            answer = await self.context.call("quest_why", {"id": named})
            return {"lines": frames.lines(quests_rows.why_text(answer))}
        row = await self._row(named)
        if self._resource.lines is None:
            raise OvermindError("invalid", f"Nothing more is known of {safe(named)}.")
        return {
            "lines": frames.lines(self._resource.lines(row, Rendering(time.time()))),
            "name": safe(row.get("name") or named),
        }

    async def _row(self, named: str) -> Row:
        resource = self._resource
        if resource.about:
            row = cast("Row", await self.context.call(resource.about, resource.asked(named)))
            if resource.about == "quest":
                fleet = self.context.feed.fleet.fleet
                quests_rows.learn([row], fleet.rows, fleet.questions)
            return row
        fetch = resource.view.fetch
        assert fetch is not None
        asked = dict(LISTS.get(text(self.args, "list"), fetch.arguments))
        if about := text(self.args, "about"):
            asked["id"] = about
        listed = resource.listed(
            await self.context.call(fetch.request, asked), self.context.feed.fleet.fleet, time.time()
        )
        found = next((row for row in listed.rows if str(row["id"]) == named), None)
        if found is None:
            raise OvermindError("not_found", f"{safe(named)} is not there any more.")
        return found


def _concerns(view: View, change: Change) -> bool:
    """Whether a list may stand otherwise after a change."""
    assert view.fetch is not None
    return (
        change.everything or bool(view.fetch.events & change.types) or (view.fetch.events == ANY and bool(change.types))
    )


def _parsed(typed: str, of: Resource) -> tuple[Filter, str]:
    """The filter, and what is wrong with it; "" where nothing is."""
    if not typed.strip():
        return NOTHING, ""
    try:
        return row_filter.parsed(typed[:LONGEST_FILTER], looked_in=of.looked_in, now=time.time), ""
    except BrokenFilter as broken:
        return NOTHING, f"/{safe(typed[:80])}: {broken}"

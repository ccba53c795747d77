"""One spec: how it stands, its phases and tasks, what is asked about it, and its documents line by line."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.errors import OvermindError
from overmind_core.spec_files import document_texts
from overmind_core.spec_files.document_texts import DocumentText
from overmind_core.view import cards, frames, inbox, tones
from overmind_core.view import missions as missions_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view import specs as specs_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.registry import VIEWS
from overmind_core.view.specs import BRIEF, Work
from overmind_web.live.feed import Change
from overmind_web.live.fleet import FleetChange
from overmind_web.live.messages import Open
from overmind_web.live.pane import ContentPane, PaneContext
from overmind_web.pages.arguments import text

WIDEST = 1_000_000
"""Cells in which lines of a document are not folded: the browser does that."""
LEAD = 2
"""Cells before the text of a document's line: mark and number."""


class _OfSpec(ContentPane):
    """A pane about one spec, loaded again when that, its quests or what is asked about it changed. Args: `id`."""

    events = specs_rows.CHANGES

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._leave: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Show it, and again after each change."""
        self._leave = self.context.feed.fleet.subscribe(self._on_fleet)
        await self.context.feed.ready.wait()
        await super().start()

    async def close(self) -> None:
        """Nobody looks any more."""
        self._leave()
        await super().close()

    def _on_fleet(self, change: FleetChange) -> None:
        if change.rows is None or change.questions:
            self._stale.set()

    async def spec(self) -> Row:
        """Ask for it. Raises OvermindError: `invalid`, none is named; `not_found`."""
        named = text(self.args, "id")
        if not named:
            raise OvermindError("invalid", "Name a spec.")
        return specs_rows.named(await self.context.call("spec", {"id": named}))

    @property
    def questions(self) -> Sequence[Row]:
        """What is asked of people."""
        return self.context.feed.fleet.fleet.questions


class SpecPane(_OfSpec):
    """A spec: its state, cards of what is asked about it, its phases, its tasks."""

    def concerns(self, change: Change) -> bool:
        """Whether it may stand otherwise; tasks have missions that start and end."""
        return super().concerns(change) or bool(change.missions)

    async def load(self) -> object:
        """Ask for it and for its quests, and look into its folder."""
        spec = await self.spec()
        quests: list[Row] = await self.context.call("quests", {"spec": spec["id"]})
        work, brief = await asyncio.to_thread(_looked, spec["folder"])
        fleet = self.context.feed.fleet.fleet
        quests_rows.learn(quests, fleet.rows, fleet.questions)
        now = time.time()
        needs = [
            need for need in inbox.needs(fleet.rows.values(), fleet.questions, now) if need.row["id"] == spec["id"]
        ]
        return content(spec, specs_rows.parts(spec, work, quests, brief=brief), now) | {
            "cards": [cards.card(need) for need in needs]
        }


def _looked(folder: str) -> tuple[Work, bool]:
    """The tasks of its document, and whether there is a brief; in a thread."""
    return Work(*document_texts.tasks(folder)), document_texts.has_brief(folder)


def content(spec: Row, rows: Sequence[Row], now: float) -> dict[str, Any]:
    """A spec as a page draws it; `rows`: its parts; `now` in seconds since the epoch. Pure."""
    mark = missions_rows.mark(spec)
    shown = [branch for branch in specs_rows.branches(rows, drawn=True) if branch.row["name"]]
    return {
        "id": spec["id"],
        "name": specs_rows.shown(spec),
        "title": safe(spec["title"]),
        "state": spec["state"],
        "mark": mark.word,
        "tone": tones.named(mark.tone),
        "summary": safe(specs_rows.summary(spec, rows)),
        "drift": len(spec["drift"]),
        "edited": any(one["state"] == "stale" for one in spec["phases"]) or spec["changed_since"] is not None,
        "archived": spec["state"] == "archived",
        "columns": frames.columns(specs_rows.PART_COLUMNS),
        "parts": [_part(branch.row, branch.guides, now) for branch in shown],
        "documents": [BRIEF, *(one["phase"] for one in spec["phases"])],
        "current": (specs_rows.current_phase(spec) or {"phase": BRIEF})["phase"],
        "empty": VIEWS["spec"].empty.split("\n"),
    }


def _part(row: Row, guides: str, now: float) -> tuple[object, ...]:
    task = specs_rows.is_task(row)
    facts: dict[str, object] = {
        "id": row["id"], "task": task, "quest": row["quest"], "question": row.get("question"), "state": row["state"],
        "critical": bool(row["critical"]), "needs": [f"task:{one}" for one in row["needs"]],
    }  # fmt: skip
    return (guides, *frames.row(row, specs_rows.PART_COLUMNS, now, facts=facts)[1:])


class DocumentPane(_OfSpec):
    """A document of a spec, line by line, with what is wrong with it. Args of the page: `id`; `phase`, or `brief`."""

    async def load(self) -> object:
        """Read it from its folder, in a thread."""
        spec = await self.spec()
        wanted = text(self.args, "phase") or BRIEF
        if wanted not in {BRIEF, *(one["phase"] for one in spec["phases"])}:
            raise OvermindError("not_found", f"This spec has no document {safe(wanted[:40])!r}.")
        read = await asyncio.to_thread(document_texts.read, spec["folder"], wanted)
        phase = next((one for one in spec["phases"] if one["phase"] == wanted), None)
        gate = gate_of(self.questions, spec["id"], wanted)
        return document(read, wanted, phase) | {"gate": None if gate is None else gate["question"]}


def gate_of(questions: Sequence[Row], spec: str, phase: str) -> Row | None:
    """The gate that comments go to: that of this phase, else the oldest of the spec. Pure."""
    found = [one for one in questions if one["id"] == spec and one.get("need") == EngineNeed.PHASE]
    return next((one for one in found if one.get("part") == phase), next(iter(found), None))


def document(read: DocumentText, wanted: str, phase: Row | None) -> dict[str, Any]:
    """A document as a page draws it; `phase`: how that stands, None for the brief. Pure."""
    name = document_texts.name_of(wanted)
    drawn, places = specs_rows.document_lines(read.lines, read.why_not, phase, name=name, pending=(), cells=WIDEST)
    above = [line for line, place in zip(drawn, places, strict=True) if place is None]
    lines = [
        (place, frames.line(line[LEAD:]), line[1].tone == "bad")
        for line, place in zip(drawn, places, strict=True)
        if place is not None
    ]
    return {
        "phase": wanted,
        "file": name,
        "state": "" if phase is None else specs_rows.phase_words(phase),
        "above": frames.lines([line for line in above if line]),
        "lines": lines,
    }

"""The changes of a mission: its files, the diff of each with its line numbers, and what a landing would bring."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from overmind_core.errors import OvermindError
from overmind_core.view import diff, frames, landing, landing_form
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.diff import DiffFiles, File
from overmind_core.view.field import Field
from overmind_core.view.landing import HOWS, How, Wanted
from overmind_core.view.landing_form import LandForm
from overmind_web.live.feed import Change
from overmind_web.live.messages import Say, ToPane
from overmind_web.live.pane import ContentPane
from overmind_web.pages.arguments import text
from overmind_web.pages.mission import OfMission

LONG = 100_000
"""Characters of a diff from which on a thread makes lines of it: nobody else waits for that."""
LONGEST_TARGET = 1_000
"""Characters of the branch that a landing goes to."""
SESSION = "session"
"""The type of a mission that reads messages."""
OWN_WORK = frozenset({"dirty", "nothing_to_merge"})
"""Refusals that may be about work in the worktree that is not committed."""
Line = tuple[str, str, int | None, int | None]
"""Sign, text, number as it was, number as it is now; sign `@`: the heading of a part, or what is said above all."""


class ChangesPane(OfMission):
    """What a mission changed.

    It looks again whenever its page says something to it: no event tells that a file was written.
    """

    async def handle(self, message: ToPane) -> None:
        """Look again."""
        if isinstance(message, Say):
            self._stale.set()

    async def load(self) -> object:
        """Ask for it."""
        named = _named(self.args)
        answer = await self.context.call("changes", {"id": named})
        self.mission = str(answer["mission"])
        found = diff.of_api(answer)
        if len(found.diff) < LONG:
            shown = content(found)
        else:
            shown = await asyncio.to_thread(content, found)
        return shown | {"about": about(self.context.feed.missions.get(str(answer["mission"])), answer)}


def content(found: DiffFiles) -> dict[str, Any]:
    """The changes as a page draws them. Pure."""
    parts: dict[str, list[Line]] = {}
    room = diff.MOST_LINES
    for part in diff.parts(found.diff):
        if room <= 0:
            break
        path = diff.path_text(part)
        parts[path] = parts.get(path, []) + [_line(*drawn) for drawn in diff.drawn(part, room)]
        room -= len(part)
    listed = {one.path for one in found.files}
    others = [File("M", path) for path in parts if path not in listed]
    cut = found.cut or (f"more than {diff.MOST_LINES:,} lines" if room < 0 else "")
    what = f"no changes compared with {safe(found.base)}" if found.base else "no uncommitted changes"
    return {
        "branch": safe(found.branch),
        "base": safe(found.base),
        "commits": [(safe(number), safe(subject)) for number, subject in found.commits[: diff.MOST_COMMITS]],
        "earlier": max(0, len(found.commits) - diff.MOST_COMMITS),
        "files": [_file(one, parts.get(one.path, [])) for one in (*found.files, *others)],
        "cut": safe(cut),
        "note": safe(found.note),
        "empty": what,
    }


def _file(one: File, lines: Sequence[Line]) -> dict[str, object]:
    return {
        "path": safe(one.path), "was": safe(one.old_path), "word": one.word, "tone": one.tone,
        "added": one.added or 0, "removed": one.removed or 0, "lines": lines,
    }  # fmt: skip


def _line(cells: Sequence[Cell], spot: diff.Spot | None) -> Line:
    shown = cells[-1].text
    if spot is None:
        return "@", shown, None, None
    gone = spot.text.startswith("-")
    return shown[:1], shown[1:], spot.number if gone else None, None if gone else spot.number


def about(row: Row | None, answer: Mapping[str, Any]) -> dict[str, object]:
    """What can be asked of the mission whose changes these are; `row`: None, it was removed. Pure."""
    return {
        "id": answer["mission"],
        "name": safe(answer["name"] if row is None else row["name"]),
        "there": row is not None,
        "live": row is not None and missions_rows.is_live(row),
        "takes": row is not None and row["type"] == SESSION and missions_rows.is_live(row),
        "resolves": landing.resolves(row),
        "worktree": landing.PLACE in str(answer["path"]) if row is None else landing.has_one(row),
        "folder": safe(answer["path"]),
    }


class LandingPane(ContentPane):
    """What a landing would bring, or why it can't be: nothing is changed.

    Args of the page: `id`; `how`, a word of `How`; `into`, a branch.
    """

    def concerns(self, change: Change) -> bool:
        """Whether something else may come."""
        return change.everything or bool(landing.CHANGES & change.types)

    async def load(self) -> object:
        """Ask for a preview."""
        named = _named(self.args)
        listed = await self.context.call("worktrees", {"ids": [named], "sizes": False})
        row: Row = next(iter(listed["worktrees"]), {})
        form = begun(row, self.args)
        try:
            form = landing_form.looked(form, await self._preview(form.wanted.request(named, preview=True)))
        except OvermindError as error:
            if error.code in {"daemon_lost", "daemon_not_running", "not_found"}:
                raise
            form = landing_form.refused(form, error, own=error.code in OWN_WORK and bool(row.get("dirty")))
        return {
            "stage": form.stage.value,
            "lines": frames.lines(form.answer_lines or []),
            "base": safe(form.base),
            "hows": [(how.value, meaning) for how, meaning in HOWS.items()],
        }

    async def _preview(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The last answer of the stream. Raises OvermindError."""
        answer: Mapping[str, Any] = {}
        async with aclosing(self.context.supervisor.stream("merge", request, by=self.context.by)) as lines:
            async for _, content_ in lines:
                if isinstance(content_, dict) and "commits" in content_:
                    answer = content_
        return answer


def begun(row: Row, args: Mapping[str, Any]) -> LandForm:
    """The form of a landing as a page has filled it in; `row`: of the worktree. Pure."""
    typed = text(args, "how")
    how = How(typed) if typed in set(How) else How.MERGE
    form = landing_form.begun(str(row.get("branch") or row.get("name") or ""), str(row.get("base") or ""), Wanted(how))
    return replace(form, fields={"into": Field.of(text(args, "into")[:LONGEST_TARGET]), "verify": Field()})


def _named(args: Mapping[str, Any]) -> str:
    """The mission that a pane is about.

    Raises:
        OvermindError: `invalid`, it names none.
    """
    if not (named := text(args, "id")):
        raise OvermindError("invalid", "Name a mission.")
    return named

"""What happened: day by day, folded by mission; and the whole timeline of one quest, spec or mission."""

from __future__ import annotations

import time

from overmind_core.errors import OvermindError
from overmind_core.view import frames, tables
from overmind_core.view import timeline as timeline_rows
from overmind_core.view.cells import safe
from overmind_web.live.feed import Change
from overmind_web.live.messages import Open
from overmind_web.live.pane import ContentPane, PaneContext
from overmind_web.live.recent import RecentEvents
from overmind_web.pages.arguments import text

EARLIER = 4_000
"""Events before the newest of which days are made."""
MOST_ROWS = 40
"""Rows of a chapter that are sent; its own timeline has all."""
MOST_CHAPTERS = 200


class DaysPane(ContentPane):
    """The newest days, folded by what they are about. Followed: no event is asked for twice."""

    def __init__(self, context: PaneContext, opened: Open) -> None:
        super().__init__(context, opened)
        self._events = RecentEvents(context, earlier=EARLIER, most=2 * EARLIER)

    def concerns(self, change: Change) -> bool:
        """Whether it may show something else; keeps what came."""
        self._events.take(change)
        return change.everything or bool(change.types & timeline_rows.SHOWN)

    async def load(self) -> object:
        """Return the days."""
        found = timeline_rows.chapters(await self._events.all())[:MOST_CHAPTERS]
        days: dict[str, list[object]] = {}
        for one in found:
            days.setdefault(one.day, []).append(chapter(one, has_log=one.id in self.context.feed.missions))
        return {"days": [{"day": day, "chapters": chapters} for day, chapters in days.items()]}


_SAID_APART = dict.fromkeys(("by", "what", "day", "clock", timeline_rows.BEGINS))
"""Fields of an event that a line says elsewhere than in its text."""


def chapter(one: timeline_rows.Chapter, *, has_log: bool) -> object:
    """One chapter as the page draws it; `has_log`: it is a mission that is still there. Pure."""
    shown = [
        {
            "at": row["clock"][11:],
            "attempt": row[timeline_rows.BEGINS],
            "what": frames.line([timeline_rows.what(row)]),
            "by": safe(row.get("by") or ""),
            "text": tables.event_text({**row, **_SAID_APART}),
        }
        for row in one.rows[-MOST_ROWS:]
    ]
    return {
        "id": one.id,
        "name": one.name or one.id,
        "mission": has_log,
        "count": len(one.rows),
        "from": one.rows[0]["clock"][11:16],
        "to": one.rows[-1]["clock"][11:16],
        "rows": shown,
    }


class TimelinePane(ContentPane):
    """The whole timeline of one. Args of the page: `id`, of a quest, a spec or a mission, or its name."""

    def concerns(self, change: Change) -> bool:
        """Whether it may have gone on."""
        return change.everything or bool(change.types)

    async def load(self) -> object:
        """Return its rows."""
        named = text(self.args, "id")
        if not named:
            raise OvermindError("invalid", "Name a quest, a spec or a mission.")
        rows = timeline_rows.rows(await self.context.call("timeline", {"id": named}), None, time.time())
        return {
            "rows": [
                {"at": row["clock"][11:], "day": row["clock"][:10], "attempt": row[timeline_rows.BEGINS],
                 "what": frames.line([timeline_rows.what(row)]), "by": safe(row["by"] or ""), "text": safe(row["text"])}
                for row in rows
            ]
        }  # fmt: skip

"""The posts of the swarm, in a list, in the order of their turns, and on the board; and what their keys do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.domain.hives import SWARM
from overmind_core.logs.display import readable_lines
from overmind_core.providers import registry
from overmind_core.view import hints
from overmind_core.view import missions as missions_rows
from overmind_core.view import swarm as swarm_rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.hive_keys import HIVES, LOCAL, bare_name, hive_of, key_of
from overmind_core.view.registry import View
from overmind_core.view.swarm import POST
from overmind_tui.board.cards import CardsPage
from overmind_tui.command_line.parse import Show
from overmind_tui.pages.dialog import ask_first
from overmind_tui.pages.table import as_now
from overmind_tui.pages.text import TextPage
from overmind_tui.render import texts
from overmind_tui.swarm.page import SwarmTablePage

if TYPE_CHECKING:
    from overmind_core.view.actions import Context
    from overmind_tui.pages.page import Handler
    from overmind_tui.shell.shell import Shell

HANG = 4
"""Cells from the left where a long line of a reason goes on."""


def open_posts(shell: Shell, view: View, show: Show) -> None:
    """What the swarm holds."""
    shell.open(PostsPage(view, show))


class PostRowsPage(SwarmTablePage):
    """Rows of posts, wherever they are shown."""

    def take(self, rows: list[Row]) -> None:
        """Show these, with what is asked about each."""
        if self.swarm is not None:
            self.swarm.learn_posts(rows)
        super().take(rows)

    def named(self, rows: Sequence[Row]) -> list[str]:
        """What these are called on a line: here, a bare name means the swarm's."""
        return [bare for row in rows for bare in (_bare(row), row["name"])]

    def swarm_changed(self) -> None:
        """Hives may have become silent, and other questions may be open."""
        super().swarm_changed()
        if self.is_mounted and self._loaded and self.swarm is not None:
            self.swarm.learn_posts(self.rows)
            self.rearrange()

    def looked_in(self, row: Row) -> str:
        """What a plain word of a filter is looked for in."""
        return swarm_rows.looked_in(row)

    def standing(self) -> Cell:
        """How the post under the cursor stands, in full."""
        row = self.current
        return Cell("") if row is None else Cell(swarm_rows.standing_of(row, self.shell.now()), "quiet")

    # keys

    def unusable(self) -> frozenset[str]:
        """Also what these posts can't have done to them, and a log that nobody here can have."""
        chosen, row = self.chosen(), self.current
        is_ended = row is not None and row["state"] in swarm_rows.ENDED
        return super().unusable() | hints.refused({
            "question": self.has_question(),
            "retry-post": any(row["state"] in swarm_rows.RETRIED for row in chosen),
            "cancel-post": any(row["state"] not in swarm_rows.ENDED for row in chosen),
            "post-log": row is not None and (is_ended or self._mission(row) is not None),
        })  # fmt: skip

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also what keys do to posts."""
        return super().handlers(context) | {
            "why": self.do_why,
            "post-log": self.do_log,
            "retry-post": self.do_retry,
            "cancel-post": self.do_cancel,
        }

    def do_describe_row(self) -> None:
        """All about it, with why it waits, or the end of its log."""
        row = self.current
        if row is None:
            return
        if row["state"] == "queued":
            self.get("swarm_why", {"id": row[POST]}, lambda why: self._show(row, why, ""))
        elif row["state"] in swarm_rows.ENDED:
            self.get("swarm_tail", {"id": row[POST]}, lambda found: self._show(row, None, _readable(found)))
        else:
            self._show(row, None, "")

    def _show(self, row: Row, why: Any, tail: str) -> None:  # noqa: ANN401 - an answer
        self.read(row, lambda: swarm_rows.described(row, why, tail, self.rendering()), hang=HANG)

    def do_why(self) -> None:
        """Why it waits, a line for each hive."""
        row = self.current
        if row is not None:
            self.get("swarm_why", {"id": row[POST]}, lambda answer: self._read_why(row, answer))

    def _read_why(self, row: Row, answer: Any) -> None:  # noqa: ANN401 - as above
        self.read(row, lambda: swarm_rows.why_text(answer), what="why", hang=HANG)

    def do_log(self) -> None:
        """Its log as it grows where its hive can be asked, else the end that the swarm has."""
        row = self.current
        if row is None:
            return
        mission = self._mission(row)
        if mission is not None:
            self.shell.main.show_log(mission["id"], f"the mission of {safe(row['name'])} was removed")
        elif row["state"] in swarm_rows.ENDED:
            self.get("swarm_tail", {"id": row[POST]}, lambda found: self._show_tail(row, _readable(found)))
        else:
            where = f"{safe(row['hive'])} has no gate: " if row["state"] == "claimed" else ""
            self.shell.flash(f"{where}the swarm has the end of its log once it has ended", "slow")

    def _mission(self, row: Row) -> Row | None:
        """What runs a post, where its hive is this home or has a gate; None where nobody here knows it."""
        hives = {"" if one == LOCAL else one for one in row[HIVES] if one}
        if row["state"] in swarm_rows.ENDED or not hives:
            return None
        known = self.shell.fleet.rows.values()
        there = [one for one in known if hive_of(one) in hives and missions_rows.is_live(one)]
        return next((one for one in there if bare_name(one) == _bare(row)), None)

    def _show_tail(self, row: Row, tail: str) -> None:
        if not tail:
            self.shell.flash(f"{safe(row['name'])} has written nothing", "slow")
            return
        lines = texts.plain(tail)
        self.shell.open(TextPage("log", f"{safe(row['name'])} · its end", lambda: lines))

    def do_cancel(self) -> None:
        """Cancel those that are meant, after a question."""
        chosen = self.chosen()
        live = [row for row in chosen if row["state"] not in swarm_rows.ENDED]
        if not live:
            if chosen:
                self.shell.flash(f"{safe(chosen[0]['name'])} is already {chosen[0]['state']}", "slow")
            return
        now = self.shell.now()

        def lines() -> list[str]:
            return [swarm_rows.standing_of(row, now) for row in as_now(self, live)]

        ask_first(self.shell, "cancel post", live, lines, lambda: self._cancel(live))

    def _cancel(self, rows: Sequence[Row]) -> None:
        def summary(answers: Sequence[Any]) -> str:
            ending = sum(one["state"] == "cancelling" for one in answers)
            tail = " · its hive ends it" if len(answers) == 1 else f" · hives end {ending} of them"
            return f"cancelled {_count(answers)}" + (tail if ending else "")

        self.change("swarm_cancel", [{"id": row[POST]} for row in rows], summary)

    def do_retry(self) -> None:
        """Queue those again that have failed or were cancelled."""
        chosen = self.chosen()
        ended = [row for row in chosen if row["state"] in swarm_rows.RETRIED]
        if ended:
            again = [{"id": row[POST]} for row in ended]
            self.change("swarm_retry", again, lambda answers: f"queued {_count(answers)} again")
        elif chosen:
            name, state = safe(chosen[0]["name"]), chosen[0]["state"]
            self.shell.flash(f"{name} is {state}: r retries what has failed or was cancelled", "slow")


class PostsPage(PostRowsPage):
    """The posts, the newest first."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._names_all = self.way == "all"

    def subtitle(self) -> str:
        """How many stand how."""
        counts = [(word, sum(row["state"] == word for row in self.rows)) for word in ("claimed", "queued", "lost")]
        said = " · ".join(f"{word} {count}" for word, count in counts if count or word != "lost")
        return (said if self._names_all else f"{said} · :swarm all shows ended ones") if self._loaded else ""

    def _empty(self) -> tuple[str, ...]:
        said = super()._empty()
        nothing = self._loaded and not self.rows and self.swarm is not None and not self._names_all
        return (*said, ":swarm all   shows what has ended, too") if nothing else said


class SwarmQueuePage(PostRowsPage):
    """The posts that wait, in the order in which a hive that fits takes them."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._used = (0, 0)

    def take(self, rows: list[Row]) -> None:
        """Show the posts of the answer."""
        (answer,) = rows
        self._used = answer["used"], answer["slots"]
        super().take(swarm_rows.line(answer))

    def subtitle(self) -> str:
        """How full all hives are."""
        used, slots = self._used
        return f"running {used}/{slots} · queued {len(self.rows)}" if self._loaded else ""


class SwarmBoardPage(CardsPage, PostRowsPage):
    """A card for each post."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._posts: list[Row] = []

    def take(self, rows: list[Row]) -> None:
        """Show the cards of these posts."""
        self._posts = rows
        if self.swarm is not None:
            self.swarm.learn_posts(rows)
        super().take([swarm_rows.cards(rows, self.shell.now())])

    def swarm_changed(self) -> None:
        """A card may stand elsewhere: what asks something is to be reviewed."""
        if self.is_mounted and self._loaded:
            self.take(self._posts)

    def looked_in(self, row: Row) -> str:
        """What a plain word of a filter is looked for in."""
        return swarm_rows.looked_in(row)


def _bare(row: Row) -> str:
    """The name of a post in the swarm."""
    return str(row["name"]).partition("/")[2]


def _count(answers: Sequence[Any]) -> str:
    return key_of(SWARM, answers[0]["name"]) if len(answers) == 1 else f"{len(answers)} posts"


def _readable(found: Row) -> str:
    """The end of a log as its lines are read: an agent's are made so by whoever knows them."""
    renderer = registry.renderer(found["format"]) if found.get("format") else None
    lines = readable_lines(found["tail"].encode("utf-8", "replace"), renderer, cut=found.get("cut") is True)
    return "\n".join(lines)

"""Who needs the person, and what for, answered in place: the list above, all of what the cursor's one asks below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual import on
from textual.app import ComposeResult

from overmind_core.errors import OvermindError
from overmind_tui import registry
from overmind_tui.actions import Action, Context
from overmind_tui.screens.answerside import AnswerSide
from overmind_tui.screens.page import Page
from overmind_tui.view import asking, missions, needs, subject
from overmind_tui.view import filter as filtering
from overmind_tui.view.cells import Cell, Row, safe
from overmind_tui.view.filter import BrokenFilter, Filter
from overmind_tui.view.needs import Key, Need
from overmind_tui.view.shape import Panel
from overmind_tui.widgets.lines import Lines, Text
from overmind_tui.widgets.needs_list import NeedsList

Answers = Sequence[Any | OvermindError]
SHARE = 0.4
"""The part of the screen that the list takes at most."""
COME_BY_THEMSELVES = ("Who asks something, or has answered you, is listed here by itself.", "! opens it from anywhere.")
FEWEST = 3
"""Its lines with the border at least; the question that is answered has to be in sight, too."""
FRAME = 3
"""Cells of the border and of the scrollbar."""


class NeedsPage(Page):
    """Keys answer the question that is on the screen, once a person can have read it.

    Args:
        first: Where the cursor begins; None: with who has waited longest.
    """

    view = "inbox"

    def __init__(self, first: Key | None = None) -> None:
        super().__init__()
        self.crumbs = ("missions", "needs you")
        self._first = first
        self._whole = False
        self._filter: Filter | None = None
        self._on_screen: Key | None = None
        self._shown: object = None
        """All that what is on the screen is made of."""
        self._said: dict[tuple[str, str], str] = {}
        """The last answers of those whose turn is over, by mission and since when it is."""
        self.answers = AnswerSide(self)

    @property
    def sides(self) -> Sequence[object]:
        """Who answers."""
        return (self.answers,)

    @property
    def context(self) -> Context:
        """Its own keys."""
        return Context.NEEDS

    def compose(self) -> ComposeResult:
        """The list above the question."""
        self.list = NeedsList(ascii_only=self.program.ascii_only, id="needs")
        self.text = Text(id="question")
        yield self.list
        self.keys = Lines(self._compose_keys, id="question-keys")
        yield self.text
        yield self.keys
        yield from self.compose_bottom()

    def begin(self) -> None:
        """Show it."""
        self.list.key = self._first
        self.set_focus(self.list)
        self.update()

    def on_resize(self) -> None:
        """Other rows, once they are laid out."""
        self.call_after_refresh(self.show)

    def on_screen_resume(self) -> None:
        """What changed below another screen."""
        if self.is_mounted:
            self.update()

    # what is shown

    @property
    def current(self) -> Need | None:
        """What is under the cursor."""
        return self.list.current

    def targets(self) -> list[Row]:
        """The cursor's mission."""
        return [] if self.current is None else [self.current.row]

    @property
    def restless(self) -> bool:
        """Whether the cursor's row has just left or moved."""
        return self.list.restless

    def update(self, *, asked: bool = False) -> None:
        """Show who needs the person now; `asked`: a key of theirs changed who is shown."""
        if not self.is_mounted:
            return
        program, gone = self.program, self._on_screen
        found = needs.needs(program.fleet.rows.values(), program.fleet.questions, program.now())
        left = gone is not None and gone[1] > 0 and gone not in {need.key for need in found}
        ours = gone is not None and gone[1] in program.deeds.answering.given
        self.list.empty = self._empty(found)
        self.list.show([need for need in found if self._wanted(need)], asked=asked or ours)
        self.show()
        if left and not ours and gone is not None:
            program.flash(asking.ended(gone[1], program.news.events), "slow")

    def _empty(self, found: Sequence[Need]) -> tuple[str, ...]:
        """Why nothing is listed."""
        if found and self._filter:
            return (f"Nobody of {len(found)} matches /{self._filter.text}", "esc shows everybody again")
        return (*registry.VIEWS["inbox"].empty.split("\n"), "", *COME_BY_THEMSELVES)

    def _wanted(self, need: Need) -> bool:
        """Whether the filter keeps it; its question counts as what goes on there."""
        return self._filter is None or self._filter.matches({**need.row, "now": need.said})

    def show(self) -> None:
        """All of what is under the cursor; what was there longer stays where it was scrolled to."""
        need = self.current
        fresh = (need and need.key) != self._on_screen
        if fresh:
            self._on_screen = need and need.key
            self.answers.begin(need)
            self._fetch(need)
        self._lay_out()
        cells = self.app.size.width - FRAME
        shown = (
            None if need is None else (need.key, need.said, self._said.get(_turn(need)), self.answers.choosing, cells)
        )
        if shown != self._shown:
            self._shown = shown
            self.text.show([] if need is None else subject.wrapped(self._lines(need), cells))
        if fresh:
            self.text.to_row(0)
            self.call_after_refresh(self._entitle)
        self._entitle()

    def _lay_out(self) -> None:
        """The list is as high as it needs, up to its share."""
        rows = len(self.list.lines) + 2
        self.list.display = not self._whole
        self.text.display = self.keys.display = bool(self.list.needs)
        self.list.styles.height = min(rows, max(int(self.size.height * SHARE), FEWEST)) if self.list.needs else "1fr"

    def _entitle(self) -> None:
        self.list.entitle("needs you" + (f" </{self._filter.text}>" if self._filter else ""))
        need = self.current
        if need is not None:
            below = len(self.text.lines) - self.text.scrollable_content_region.height
            more = f"{below} more lines: enter shows all" if below > 0 and not self._whole else ""
            self.text.entitle(asking.title(need), more)
        self.keys.say()

    def _compose_keys(self, cells: int) -> Sequence[Sequence[Cell]]:
        read_only = self.program.read_only
        return [asking.keys(self.current, self.answers.choosing, cells, read_only=read_only, whole=self._whole)]

    def _lines(self, need: Need) -> subject.Lines:
        if need.asked is not None:
            return [*subject.lines(need.asked, self.answers.choosing), *asking.afterwards(need.asked)]
        return asking.about(need, self._said.get(_turn(need), ""))

    def _fetch(self, need: Need | None) -> None:
        """Ask for the whole of the last answer of one whose turn is over."""
        if need is None or need.group != needs.TURN or _turn(need) in self._said:
            return

        def told(answers: Answers) -> None:
            (result,) = answers
            text = result.get("result") if isinstance(result, dict) else None
            self._said[_turn(need)] = text if isinstance(text, str) else ""
            self.update()

        self.program.request("result", [{"id": need.row["id"]}], told)

    # keys

    def act(self, action: Action) -> None:
        """Do one action of the table."""
        if action.name.startswith("option-"):
            if self.program.read_only:
                self.program.flash("read-only: nothing is answered", "slow")
            else:
                self.answers.choose(int(action.name.removeprefix("option-")))
            return
        before = self.list.key
        super().act(action)
        if self.list.key != before:
            self.show()

    @on(NeedsList.Selected)
    def _clicked(self) -> None:
        self.show()

    def do_next_panel(self) -> None:
        """The keys that move are for the list, or for the question."""
        self.set_focus(self.text if self.focused is self.list and self.list.needs else self.list)

    do_previous_panel = do_next_panel

    def do_next_need(self) -> None:
        """Round and round."""
        following = needs.after(self.list.needs, self.list.key)
        if following is None:
            self.program.flash(asking.NOBODY, "quiet")
        else:
            self.list.select(following.key)
            self.program.deeds.needing.went_to(following)

    def do_whole(self) -> None:
        """The question alone, as large as the screen; of several options it ends the choice."""
        if self.answers.confirm():
            return
        self._whole = bool(self.list.needs) and not self._whole
        self.set_focus(self.text if self._whole else self.list)
        self._lay_out()
        self.call_after_refresh(self.show)

    do_zoom = do_whole

    def do_back(self) -> None:
        """The list again, then all of it, then the screen below."""
        if self._whole:
            self.do_whole()
        elif self._filter is not None:
            self.typing("/", "")
        else:
            self.program.back()

    do_quit = do_back

    def do_inbox(self) -> None:
        """It is open."""

    def do_filter(self) -> None:
        """Type whom, or what, is to be shown."""
        self.open_bar("/", self._filter.text if self._filter else "")

    def typing(self, sign: str, text: str) -> None:
        """Each key filters; a broken text keeps the last good rows."""
        if sign != "/":
            return
        try:
            self._filter = filtering.parsed(text) if text else None
        except BrokenFilter:
            self.bar.broken = True
            return
        self.bar.broken = False
        self.update(asked=True)

    def do_log(self) -> None:
        """Its log, on the main screen."""
        row = self._to_main()
        if row is not None:
            self.program.main.panels.give(Panel.LOG)

    def do_attach(self) -> None:
        """Its terminal, on the main screen."""
        need = self.current
        if need is not None and not missions.is_live(need.row):
            self.program.flash(f"{safe(need.row['name'])} has ended: it has no terminal", "slow")
        elif (row := self._to_main()) is not None:
            self.program.main.terminal_side.join(row)

    def _to_main(self) -> Row | None:
        """Close this page, with the cursor of the main screen on the same mission."""
        program, rows = self.program, self.targets()
        if not rows:
            program.flash(asking.NOBODY, "quiet")
            return None
        program.to_root()
        if not program.main.table.select(rows[0]["id"]):
            program.main.table_side.do_clear_filter()
            program.main.table.select(rows[0]["id"])
        return rows[0]


def _turn(need: Need) -> tuple[str, str]:
    return need.row["id"], str(need.row.get("activity_since"))

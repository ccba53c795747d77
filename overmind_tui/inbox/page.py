"""The inbox: a list of who needs the person, and all of what the one under the cursor asks, answered in place.

A key answers the question that is on the screen, once it can have been read; another goes to whoever is next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from textual import events, on
from textual.app import ComposeResult

from overmind_core.errors import OvermindError
from overmind_core.view import first_run, numbers, row_filter, subject
from overmind_core.view import inbox as inbox_rows
from overmind_core.view import inbox as rows
from overmind_core.view import missions as missions_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view.actions import Action, Context
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.hive_keys import is_of_swarm
from overmind_core.view.inbox import Key, Need
from overmind_core.view.prompt import Filtered
from overmind_core.view.row_filter import BrokenFilter, Filter
from overmind_core.view.subject import Choosing
from overmind_tui.inbox import actions
from overmind_tui.pages.dialog import ReadingDelay
from overmind_tui.pages.page import Handler, Page, joined
from overmind_tui.render.layout import Panel
from overmind_tui.widgets.lines import Lines, TextView
from overmind_tui.widgets.needs_list import NeedsList

if TYPE_CHECKING:
    from textual.screen import Screen

    from overmind_tui.shell.shell import Shell


class Asked(Protocol):
    """A page with a question on it."""

    @property
    def shell(self) -> Shell:
        """Who shows it."""

    @property
    def screen(self) -> Screen[Any]:
        """The page, as Textual knows it."""

    @property
    def restless(self) -> bool:
        """Whether the cursor's row has just left or moved."""

    @property
    def current(self) -> Need | None:
        """What is under the cursor."""

    def show(self) -> None:
        """Draw the question again."""


class AnswerSide:
    """What was chosen so far, how long the question has been in sight, and the answer."""

    def __init__(self, page: Asked, answer_actions: actions.AnswerActions) -> None:
        self._page = page
        self._answer_actions = answer_actions
        self.choosing: Choosing | None = None
        self.reading_delay = ReadingDelay()
        self.handlers: dict[str, Handler] = {
            "allow": self.do_allow,
            "deny": self.do_deny,
            "always": self.do_always,
            "reply": self.do_reply,
            **{f"option-{number}": partial(self.choose, number) for number in range(1, 10)},
        }

    def begin(self, need: Need | None) -> None:
        """Something else is on the screen."""
        self.choosing = Choosing.of(need.asked["subject"]) if need and need.asked and not need.by_engine else None
        self.reading_delay.begin(self._page.screen)

    # keys

    def do_allow(self) -> None:
        """Once."""
        question = self._question()
        if question is None:
            return
        if question["need"] == rows.QUESTION:
            self._page.shell.flash(
                "this is a question: choose with 1-9, or press m to answer in your own words", "slow"
            )
        else:
            self._answer_actions.give(question, rows.ALLOW)

    def do_deny(self) -> None:
        """No."""
        question = self._question()
        if question is not None:
            self._answer_actions.give(question, rows.DENY)

    def do_always(self) -> None:
        """From now on; the rule is shown first."""
        question = self._question()
        if question is not None:
            self._answer_actions.always(question)

    def do_reply(self) -> None:
        """In the person's own words; who asks nothing gets a message."""
        need = self._page.current
        if need is not None and need.asked is None and missions_rows.is_live(need.row) and not self._page.restless:
            self._page.shell.act("message", [need.row])
        elif (question := self._question()) is not None:
            self._answer_actions.write(question)

    def choose(self, number: int) -> None:
        """An option of the question that is next."""
        question = self._question()
        if question is None:
            return
        chosen = None if self.choosing is None else self.choosing.pressed(number)
        if chosen is None:
            self._page.shell.flash(f"there is no option {number}", "slow")
        else:
            self._chosen(question, chosen)

    def confirm(self) -> bool:
        """With several options marked: that was all. False where there is nothing to confirm."""
        if self.choosing is None or not self.choosing.begun:
            return False
        question = self._question()
        if question is not None:
            self._chosen(question, self.choosing.confirmed())
        return True

    def _chosen(self, question: Row, choosing: Choosing) -> None:
        """Answer once all is chosen; the next of several questions has to be read first, too."""
        if choosing.complete:
            self._answer_actions.give(question, rows.ALLOW, choosing.labels)
            return
        if self.choosing is not None and choosing.at != self.choosing.at:
            self.reading_delay.begin(self._page.screen)
        self.choosing = choosing
        self._page.show()

    # what may be answered

    def _question(self) -> Row | None:
        """The question on the screen, if a key may answer it by now; else it is said why none may."""
        need = self._page.current
        if need is not None and need.key in self._answer_actions.given:
            return None
        refusal = rows.NOBODY if need is None else self._refusal(need)
        if refusal:
            self._page.shell.flash(refusal, "slow")
            return None
        return None if need is None else need.asked

    def _refusal(self, need: Need) -> str:
        name = safe(need.row["name"])
        if silent := self._silent(need):
            return silent
        if self._page.restless:
            return "the row under the cursor just changed: check it, then press the key again"
        if need.asked is None:
            live = missions_rows.is_live(need.row)
            return f"{name} has no question: m sends it a message" if live else f"{name} has no question: r restarts it"
        if not self.reading_delay.enough:
            return "this question just appeared: read it, then press the key again"
        where = f"on hive {safe(need.asked.get(rows.HOLDER))}" if is_of_swarm(need.asked) else "a opens it"
        return f"answer {name} in its terminal: {where}" if need.asked["attach_only"] else ""

    def _silent(self, need: Need) -> str:
        """Why nobody would hear the answer, a sentence; "": nothing keeps from it."""
        shell = self._page.shell
        if need.asked is not None and is_of_swarm(need.asked):
            return "" if shell.swarm is None else shell.swarm.refusal
        return "" if shell.hives is None else shell.hives.refusal([need.row])


Answers = Sequence[Any | OvermindError]
SHARE = 0.4
"""The part of the screen that the list takes at most."""
COME_BY_THEMSELVES = ("Agents that ask or have answered you appear here.", "!   opens this list from anywhere")
NAMED_KEYS: Mapping[str, tuple[str, str | None]] = {
    "enter": ("enter", None), "esc": ("escape", None), "shift-y": ("Y", "Y"), "1-9": ("", None),
}  # fmt: skip
"""A key as it is drawn → its name and its character, where these are others."""
LATELY = 3600.0
"""Seconds in which missions that ended are counted where nobody needs a person."""
FEWEST = 3
"""Its lines with the border at least; the question that is answered has to be in sight, too."""
FRAME = 3
"""Cells of the border and of the scrollbar."""


class NeedsPage(Page):
    """Keys answer the question that is on the screen, once a person can have read it.

    Args:
        answer_actions: Who answers.
        went_to: Told whom the person looks at now.
        first: Where the cursor begins; None: with who has waited longest.
    """

    view = "inbox"

    def __init__(
        self, answer_actions: actions.AnswerActions, went_to: Callable[[Need], None], first: Key | None = None
    ) -> None:
        super().__init__()
        self._answer_actions = answer_actions
        self._went_to = went_to
        self.crumbs = ("missions", "needs you")
        self._first = first
        self._whole = False
        self._filter: Filter | None = None
        self._count = 0
        """How many need a person, whatever the filter says."""
        self._on_screen: Key | None = None
        self._shown: object = None
        """All that what is on the screen is made of."""
        self._replies: dict[tuple[str, str], str] = {}
        """The last answers of those whose turn is over, by mission and since when it is."""
        self.answers = AnswerSide(self, answer_actions)

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also who answers."""
        own = super().handlers(context) | {
            "next-panel": self.do_next_panel,
            "previous-panel": self.do_next_panel,
            "next-need": self.do_next_need,
            "whole": self.do_whole,
            "zoom": self.do_whole,
            "filter": self.do_filter,
            "log": self.do_log,
            "attach": self.do_attach,
        }
        return joined(own, self.answers.handlers)

    @property
    def context(self) -> Context:
        """Its own keys."""
        return Context.NEEDS

    def compose_body(self) -> ComposeResult:
        """The list above the question."""
        self.list = NeedsList(ascii_only=self.shell.ascii_only, id="needs")
        self.text = TextView(id="question")
        yield self.list
        self.keys = Lines(self._compose_keys, id="question-keys")
        yield self.text.title_line
        yield self.text
        yield self.keys

    def begin(self) -> None:
        """Show it."""
        self.list.key = self._first
        self.set_focus(self.list)
        self.update()

    def on_resize(self, event: events.Resize) -> None:
        """Other rows: of the text at once, also below another screen; the rest once it is laid out."""
        super().on_resize(event)
        if self.is_mounted:
            self.show()
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
        mission = None if self.current is None else self.current.mission
        return [] if mission is None else [mission]

    @property
    def restless(self) -> bool:
        """Whether the cursor's row has just left or moved."""
        return self.list.restless

    def update(self, *, asked: bool = False) -> None:
        """Show who needs the person now; `asked`: a key of theirs changed who is shown."""
        if not self.is_mounted:
            return
        shell, gone = self.shell, self._on_screen
        found = inbox_rows.needs(shell.fleet.rows.values(), shell.fleet.questions, shell.now())
        left = gone is not None and gone[1] > 0 and gone not in {need.key for need in found}
        ours = gone is not None and gone in self._answer_actions.given
        self._count = len(found)
        self.list.empty = first_run.in_place(self._empty(found))
        self.list.show([need for need in found if self._wanted(need)], asked=asked or ours)
        self.show()
        self.refresh_line()
        if left and not ours and gone is not None:
            shell.flash(inbox_rows.ended(gone[1], shell.fleet.events_about(gone[0])), "slow")

    def _empty(self, found: Sequence[Need]) -> tuple[str, ...]:
        """Why nothing is listed."""
        if found and self._filter:
            return (first_run.nothing_matches(self._filter.text, len(found)),)
        shell = self.shell
        since = shell.now() - LATELY
        rows = shell.fleet.rows.values()
        ended = sum((numbers.moment(row.get("ended_at")) or 0.0) >= since for row in rows)
        running = sum(map(missions_rows.is_live, rows))
        return (first_run.nobody_needs_you(running, ended, since, shell.zone), *COME_BY_THEMSELVES)

    @property
    def filtered(self) -> Filtered | None:
        """The filter, and how many of all it shows."""
        if self._filter is None or not self._filter.text:
            return None
        return Filtered(self._filter.text, len(self.list.needs), self._count)

    def _wanted(self, need: Need) -> bool:
        """Whether the filter keeps it; its question counts as what goes on there."""
        return self._filter is None or self._filter.matches({**need.row, "now": need.summary})

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
            None
            if need is None
            else (need.key, need.summary, self._replies.get(_turn(need)), self.answers.choosing, cells)
        )
        if shown != self._shown:
            self._shown = shown
            self.text.show([] if need is None else subject.wrapped(self._lines(need), cells))
        if fresh:
            self.text.to_row(0)
            self.call_after_refresh(self._set_title)
        self._set_title()

    def _lay_out(self) -> None:
        """The list is as high as it needs, up to its share."""
        rows = len(self.list.lines) + 1
        self.list.display = not self._whole
        self.text.display = self.text.title_line.display = self.keys.display = bool(self.list.needs)
        self.list.styles.height = min(rows, max(int(self.size.height * SHARE), FEWEST)) if self.list.needs else "1fr"

    def _set_title(self) -> None:
        need = self.current
        if need is not None:
            below = len(self.text.lines) - self.text.scrollable_content_region.height
            more = (
                f"{below} more line{'' if below == 1 else 's'}: enter shows all"
                if below > 0 and not self._whole
                else ""
            )
            self.text.set_title(inbox_rows.title(need), more)
        self.keys.refresh_if_changed()

    def _compose_keys(self, cells: int) -> Sequence[Sequence[Cell]]:
        read_only = self.shell.read_only
        return [inbox_rows.keys(self.current, self.answers.choosing, cells, read_only=read_only, whole=self._whole)]

    def _lines(self, need: Need) -> subject.SubjectLines:
        if need.asked is not None:
            return [*subject.lines(need.asked, self.answers.choosing), *inbox_rows.afterwards(need.asked)]
        return inbox_rows.about(need, self._replies.get(_turn(need), ""))

    def _fetch(self, need: Need | None) -> None:
        """Ask for the whole of the last answer of one whose turn is over."""
        if need is None or need.group != inbox_rows.TURN or _turn(need) in self._replies:
            return

        def on_result(answers: Answers) -> None:
            (result,) = answers
            text = result.get("result") if isinstance(result, dict) else None
            self._replies[_turn(need)] = text if isinstance(text, str) else ""
            self.update()

        self.shell.request("result", [{"id": need.row["id"]}], on_result)

    # keys

    def act(self, action: Action) -> None:
        """Do one action of the table."""
        if action.name.startswith("option-"):
            if self.shell.read_only:
                self.shell.flash("read-only: answering is off", "slow")
            else:
                self.answers.handlers[action.name]()
            return
        before = self.list.key
        super().act(action)
        if self.list.key != before:
            self.show()

    @on(Lines.Clicked)
    def offer_clicked(self, message: Lines.Clicked) -> None:
        """A click on a key of the question is that key."""
        if message.lines is self.keys:
            key = inbox_rows.key_at(self._compose_keys(self.app.size.width)[0], message.x)
            name, character = NAMED_KEYS.get(key, (key, key))
            if name:
                self.press(name, character)

    @on(NeedsList.Selected)
    def _clicked(self) -> None:
        self.show()

    def do_next_panel(self) -> None:
        """The keys that move are for the list, or for the question."""
        self.set_focus(self.text if self.focused is self.list and self.list.needs else self.list)

    def do_next_need(self) -> None:
        """Round and round."""
        following = inbox_rows.after(self.list.needs, self.list.key)
        if following is None:
            self.shell.flash(inbox_rows.NOBODY, "quiet")
        else:
            self.list.select(following.key)
            self._went_to(following)

    def do_whole(self) -> None:
        """The question alone, as large as the screen; of several options it ends the choice."""
        if self.answers.confirm():
            return
        self._whole = bool(self.list.needs) and not self._whole
        self.set_focus(self.text if self._whole else self.list)
        self._lay_out()
        self.call_after_refresh(self.show)

    def close_one(self) -> bool:
        """The list again, then all of it, then the screen below."""
        if self._whole:
            self.do_whole()
        elif self._filter is not None:
            self.typing("/", "")
        else:
            self.close()
        return True

    def do_filter(self) -> None:
        """Type whom, or what, is to be shown."""
        self.list.keep_place()
        self.open_bar("/", self._filter.text if self._filter else "")

    def typing(self, sign: str, text: str) -> None:
        """Each key filters; a broken text keeps the last good rows."""
        if sign != "/":
            return
        try:
            self._filter = row_filter.parsed(text) if text else None
        except BrokenFilter:
            self.bar.broken = True
            return
        self.bar.broken = False
        self.update(asked=True)

    def do_log(self) -> None:
        """Its log, on the main screen."""
        row = self._to_main()
        if row is not None:
            self.shell.main.give(Panel.LOG)

    def do_attach(self) -> None:
        """Its terminal, on the main screen."""
        need = self.current
        if need is not None and need.mission and not missions_rows.is_live(need.mission):
            self.shell.flash(f"{safe(need.row['name'])} has ended and has no terminal", "slow")
        elif (row := self._to_main()) is not None:
            self.shell.main.join(row)

    def _to_main(self) -> Row | None:
        """Close this page, with the cursor of the main screen on the same mission."""
        shell, rows = self.shell, self.targets()
        if not rows:
            need = self.current
            none = inbox_rows.NOBODY if need is None else f"{safe(need.row['name'])} has no mission"
            shell.flash(none, "quiet")
            return None
        shell.main.go_to(rows[0]["id"])
        return rows[0]


def _turn(need: Need) -> tuple[str, str]:
    return need.row["id"], str(need.row.get("activity_since"))


class InboxActions:
    """Opens the inbox, and goes round those that need the person."""

    def __init__(self, shell: Shell, answer_actions: actions.AnswerActions) -> None:
        self._shell = shell
        self.answer_actions = answer_actions
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "inbox": self.inbox,
            "next-need": self.next_need,
            "question": self.question,
        }
        self._last: Key | None = None

    def inbox(self, rows: list[Row]) -> None:
        """Open the page, unless it is open."""
        del rows
        if not isinstance(self._shell.app.screen, NeedsPage):
            self._shell.open(NeedsPage(self.answer_actions, self.went_to))

    def next_need(self, rows: list[Row]) -> None:
        """Open the page on the next one; the cursor of the main screen goes along."""
        del rows
        shell = self._shell
        found = inbox_rows.needs(shell.fleet.rows.values(), shell.fleet.questions, shell.now())
        need = inbox_rows.after(found, self._last)
        if need is None:
            shell.flash(inbox_rows.NOBODY, "quiet")
            return
        self.went_to(need)
        shell.open(NeedsPage(self.answer_actions, self.went_to, need.key))

    def question(self, rows: list[Row]) -> None:
        """Open the page on what is asked about the first of these, which need not be missions."""
        asked = quests_rows.question_of(rows[0], self._shell.fleet.questions)
        if asked is None:
            self._shell.flash(f"nothing is asked about {safe(rows[0]['name'])}", "slow")
        else:
            self._shell.open(NeedsPage(self.answer_actions, self.went_to, (asked["id"], int(asked["question"]))))

    def went_to(self, need: Need) -> None:
        """The person looks at this one: the next is the one behind it."""
        self._last = need.key
        if need.mission:
            self._shell.main.select(need.mission["id"])

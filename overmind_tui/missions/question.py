"""The question above the face of the panel: the keys go into it, and answer it once all of it was in sight.

A key answers the question that is on the screen; whatever comes in its place begins unread.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.missions.status_marks import WAITING, YOUR_TURN
from overmind_core.view import inbox, numbers, question_block, subject
from overmind_core.view import missions as missions_rows
from overmind_core.view.actions import JUST_CHANGED, Context, shown_key
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.header_line import needing
from overmind_core.view.hive_keys import is_of_swarm
from overmind_core.view.inbox import Key, Need
from overmind_core.view.keymap import keymap
from overmind_core.view.question_block import Asking, QuestionBlock, QuestionText
from overmind_core.view.question_sight import QuestionSight
from overmind_core.view.subject import Choosing
from overmind_tui.missions.panels import AT_LIST
from overmind_tui.render.layout import Panel

if TYPE_CHECKING:
    from overmind_tui.inbox.actions import AnswerActions
    from overmind_tui.inbox.messages import MessageActions
    from overmind_tui.missions.main_screen import MainScreen
    from overmind_tui.pages.page import Handler

Lines = Sequence[Sequence[Cell]]
NOT_READ = "this question just appeared: read it, then press the key again"
NOT_ALL = "not all of it was in sight"
SESSION = "session"
CHOOSE = "this is a question: choose with 1-9, or press m to answer in your own words"
OPTIONS = 10
CONTENT = ("need", "summary", "subject", "replaces", "begins", "rule")
"""Fields of a question that say what an answer does: also the file that it would write anew, as that is by now."""


class _Folded(NamedTuple):
    """A question as it was folded, and of what."""

    asked: Row
    choosing: Choosing | None
    place: str
    cells: int
    text: QuestionText


class QuestionPanel:
    """What is asked, what was chosen so far, how much of it was in sight, and the keys that answer.

    Attributes:
        key: The question that is shown; None: none is.
        whole: It has the panel alone, as large as the screen.
        choosing: What was chosen so far, where there is a choice.
        wanted: The one of several questions of a mission that is to be shown.
        said: Mission → what was answered it from here, until the cursor leaves it.
    """

    def __init__(self, screen: MainScreen, answers: AnswerActions, messages: MessageActions) -> None:
        self._screen = screen
        self._answers = answers
        self._messages = messages
        self._sight = QuestionSight()
        self.key: Key | None = None
        self._content = ""
        """The content of its question: once that is another one, it has to be read anew."""
        self._folded: _Folded | None = None
        self._block: QuestionBlock | None = None
        """As it was composed last."""
        self._is_shown = False
        self._unexplained: Key | None = None
        """A question that others have ended, of which nobody knows by now how."""
        self._top = 0
        self.whole = False
        self.wanted: Key | None = None
        self.choosing: Choosing | None = None
        self.said: dict[str, str] = {}
        answers.listeners.append(self._answered)
        acts: dict[str, Handler] = {
            "allow": self.do_allow,
            "deny": self.do_deny,
            "always": self.do_always,
            "reply": self.do_reply,
            "whole": self.do_whole,
            "attach": self.do_attach,
            **{f"option-{number}": partial(self.choose, number) for number in range(1, OPTIONS)},
        }
        self.handlers: dict[str, Handler] = {name: partial(self._do, act) for name, act in acts.items()}

    def _do(self, act: Handler) -> None:
        """Act for the row under the cursor: the panel, which rests before it follows, comes there first."""
        self._screen.following.at_once()
        act()

    # what is asked

    @property
    def need(self) -> Need | None:
        """Why the mission of the panel needs a person: what is wanted, else the oldest not answered from here."""
        left = self._needs
        return next((one for one in left if one.key == self.wanted), left[0] if left else None)

    @property
    def _needs(self) -> list[Need]:
        """All that the mission of the panel needs a person for and was not answered from here, the oldest first."""
        mission, fleet = self._screen.faces.mission, self._screen.shell.fleet
        row = fleet.of(mission)
        asked = [one for one in fleet.questions if one["id"] == mission]
        if row is None and not asked:
            return []
        found = inbox.needs([] if row is None else [row], asked, self._screen.shell.now())
        return [one for one in inbox.by_urgency(found) if one.key not in self._answers.given]

    @property
    def following(self) -> Key | None:
        """The question of the same mission behind the one that is shown; None where that is the last one."""
        keys = [(one["id"], int(one["question"])) for one in self._screen.shell.fleet.questions]
        keys = [one for one in keys if self.key and one[0] == self.key[0] and one not in self._answers.given]
        return keys[keys.index(self.key) + 1] if self.key in keys[:-1] else None

    @property
    def is_as_found(self) -> bool:
        """True where the keys are at the list, and going to its mission again would show nothing else."""
        is_same = self.key in {None, *(need.key for need in self._needs[:1])}
        return is_same and not self.whole and self._screen.panels.current in AT_LIST

    @property
    def is_open(self) -> bool:
        """True while a question is shown."""
        return self.key is not None

    @property
    def has_keys(self) -> bool:
        """Whether the keys are in the question."""
        return self._screen.panels.current is Panel.QUESTION

    @property
    def may_answer(self) -> bool:
        """Whether a key may answer it by now."""
        return self.key is not None and self._sight.may_answer(self._as_read, time.monotonic())

    @property
    def _as_read(self) -> Hashable:
        """The question as it has to be read."""
        return self.key, self._at, self._content

    @property
    def _at(self) -> int:
        """The one of several questions at once that is next."""
        return 0 if self.choosing is None else self.choosing.at

    def refresh(self) -> None:
        """Another mission, another question, or another size."""
        need = self.need
        key = need.key if need is not None and need.asked is not None else None
        if key is not None:
            self.said.pop(key[0], None)
        if key != self.key:
            gone, self.key = self.key, key
            self._begin(need)
            self._left(gone)
        content = "" if need is None or need.asked is None else repr([need.asked.get(field) for field in CONTENT])
        if content != self._content:
            self._content, self._is_shown = content, False

    def _begin(self, need: Need | None) -> None:
        """Another question is shown."""
        asked = None if need is None else need.asked
        self.choosing = None
        if asked is not None and need is not None and not need.by_engine:
            self.choosing = Choosing.of(asked["subject"])
        self._top, self._is_shown = 0, False
        if self.whole:
            self.whole = False
            self._screen.panels.fold()
            self._screen.panels.show_face()

    def _left(self, gone: Key | None) -> None:
        """A question is no longer shown: where it was answered elsewhere, that is said, and the keys go back."""
        fleet = self._screen.shell.fleet
        is_open = gone is None or any((one["id"], int(one["question"])) == gone for one in fleet.questions)
        is_here = gone is not None and gone[0] == self._screen.faces.mission
        if gone is not None and is_here and not is_open and self.has_keys and gone not in self._answers.given:
            self._screen.shell.flash(inbox.NO_LONGER_OPEN, "slow")
            self._unexplained = gone
            self.explain()
        if self.key is None and self.has_keys:
            self.give_back()

    def explain(self) -> None:
        """Say who has answered, in the place of what was said without knowing it: that event may come later."""
        shell, gone = self._screen.shell, self._unexplained
        if gone is None:
            return
        text = inbox.ended(gone[1], shell.fleet.events_about(gone[0]))
        if shell.notice.text != inbox.NO_LONGER_OPEN:
            self._unexplained = None
        elif text != inbox.NO_LONGER_OPEN:
            self._unexplained = None
            shell.flash(text, "slow")

    def give_back(self) -> None:
        """The keys go back to the list; where only those are listed who need a person, they stay."""
        self.whole = False
        self._screen.panels.give(self._screen.panels.home)

    def lost(self) -> None:
        """It is not on the screen any more."""
        self._is_shown = False
        self._sight.lost()

    # how it is drawn

    def lines(self, cells: int) -> Lines:
        """Above the face of the panel; none where nothing is asked."""
        need = self.need
        if need is None or self._screen.panels.is_typing:
            return []
        panel = self._screen.panels.shape.panel_lines
        if need.asked is None:
            return _about(need, cells, airy=panel >= question_block.AIRY)
        self._block = self._composed(need, need.asked, cells, panel)
        return self._block.lines

    def _composed(self, need: Need, asked: Row, cells: int, panel: int) -> QuestionBlock:
        shell, row = self._screen.shell, need.mission
        home = shell.world.environ.get("HOME", "")
        place = ""
        if row is not None and _happens_somewhere(need):
            place = question_block.place(row, self._screen.stats_panel.changes_of(row["id"]), home)
        folder = "" if row is None else str(row.get("cwd") or "")
        asking = Asking(
            asked, shell.now(), folder, place, choosing=self.choosing if need.key == self.key else None,
            read_only=shell.read_only,
        )  # fmt: skip
        known = self._folded
        if known is None or known[:4] != (asked, asking.choosing, place, cells):
            known = self._folded = _Folded(
                asked, asking.choosing, place, cells, question_block.text_of(asking, cells)
            )  # fmt: skip
        top = self._top if self.whole else None
        return question_block.block(asking, cells, panel, has_keys=self.has_keys, top=top, text=known.text)

    def drawn(self, cells: int, height: int) -> None:
        """It is being drawn, in so many lines: what of it is in sight counts from now on."""
        block, key, panel = self._block, self.key, self._screen.panels.shape.panel_lines
        if block is None or key is None:
            return
        height, seen = min(height, panel - 1), block.seen
        if height < len(block.lines):  # the panel has no room for all of it
            height -= 2 if panel >= question_block.AIRY and not self.whole else 0
            seen = range(seen.start, max(seen.start, min(seen.stop, seen.start + height)))
        self._sight.saw(self._as_read, seen, block.height, cells, time.monotonic())

    def show(self) -> None:
        """Make room for it above the face, and have it drawn where it is another one."""
        self.refresh()
        screen, shape = self._screen, self._screen.panels.shape
        view = screen.question_view
        lines = self.lines(shape.panel_cells) if shape.panel_lines and not shape.small else []
        view.display = bool(lines)
        view.styles.height = "1fr" if self.whole else max(len(lines), 1)
        if self.has_keys:
            screen.set_focus(view if lines else screen.table)  # what is hidden can't have them
        need = self.need if lines else None
        says_place = need is not None and need.mission is not None and _happens_somewhere(need)
        screen.stats_panel.look_at_question(need.row["id"] if need is not None and says_place else None)
        if not lines:
            self.lost()
        elif self._is_shown:
            view.refresh_if_changed()
        else:
            self._is_shown = True
            view.refresh()

    # the keys

    def press(self, action: str) -> bool:
        """Scroll the question that has the screen alone, else move the cursor of the list."""
        if not self.whole:
            moved = self._screen.table.press(action)
            if moved:
                self._screen.following.at_once()
                self.follow_cursor()
            return moved
        block = self._block
        page = 1 if block is None else max(len(block.seen) - 1, 1)
        height = 0 if block is None else block.height
        steps = {"down": 1, "up": -1, "page-down": page, "page-up": -page, "first": -height, "last": height}
        if action not in steps:
            return False
        room = 1 if block is None else len(block.seen)
        self._top = max(0, min(self._top + steps[action], height - room))
        self._screen.question_view.refresh()
        return True

    def follow_cursor(self) -> None:
        """The cursor went to another row: the keys stay in its question, if it asks anything."""
        need = self.need
        asks = need is not None and need.asked is not None
        if self.has_keys and not asks:
            self.give_back()

    def cursor_at(self, mission: str | None) -> None:
        """The cursor stands here: what was answered is said of no other row."""
        if self.said.keys() - {mission}:
            self.said = {one: text for one, text in self.said.items() if one == mission}
            self._screen.table.tick()

    def type(self, text: str) -> bool:
        """Filter the list."""
        return self._screen.table_panel.type(text)

    def close_one(self) -> bool:
        """The question beside its face again; whether it had the screen alone."""
        if not self.whole:
            return False
        self.do_whole()
        return True

    def do_enter(self) -> None:
        """Move the keys into the question of the row under the cursor; on its turn, write to it."""
        shell, entry = self._screen.shell, self._screen.table.current
        if entry is None:
            shell.flash(self._nothing(), "quiet")
            return
        self._screen.following.at_once()
        need, name = self.need, safe(entry.name)
        if self._screen.table.restless:
            shell.flash(JUST_CHANGED, "slow")
        elif need is not None and need.asked is not None:
            self._screen.panels.give(Panel.QUESTION)
        elif missions_rows.is_live(entry.row) and missions_rows.mark(entry.row) is YOUR_TURN:
            self._write_to(entry.row)
        elif need is not None and need.mark is WAITING:
            shell.flash(f"{name} asks, but not yet here: wait a moment", "slow")
        else:
            shell.flash(f"{name} asks nothing", "slow")

    def do_message(self) -> None:
        """Write to all that are meant; who waits for words hears no message before: what is written is the answer."""
        screen = self._screen
        screen.following.at_once()
        need = self.need
        if screen.table.marked or need is None or need.asked is None:
            screen.shell.actions.act(screen, keymap(Context.MISSIONS)["m"])
        elif not inbox.wants_words(need.asked):
            self._refuse_or_write(need)
        elif not self.may_answer:
            self.do_enter()
        elif (question := self._asked()) is not None:
            self._answers.write(question)

    def _refuse_or_write(self, need: Need) -> None:
        """A message to who asks something else; a task takes none, and its question has the place for words."""
        shell = self._screen.shell
        if need.row.get("type") == SESSION:
            shell.actions.act(self._screen, keymap(Context.MISSIONS)["m"])
        else:
            shell.flash(f"{safe(need.row['name'])} asks something: y goes to its question", "slow")
            shell.typed.hush()

    def _write_to(self, row: Row) -> None:
        """Write to this mission alone, whatever is marked, as far as its key may."""
        shell = self._screen.shell
        if refusal := self._screen.refusal(keymap(Context.MISSIONS)["m"], [row]):
            shell.flash(refusal, "slow")
        else:
            self._messages.write_to(row)
        if not shell.typed.is_waiting:  # nothing opened: text that still comes is no commands
            shell.typed.hush()

    # answers

    def do_allow(self) -> None:
        """Once; who asks nothing and has answered gets a message."""
        need = self.need
        if need is not None and need.group == inbox.TURN and not self._screen.table.restless:
            self._write_to(need.row)
            return
        question = self._asked()
        if question is None:
            return
        if question["need"] == inbox.QUESTION:
            self._screen.shell.flash(CHOOSE, "slow")
        else:
            self._answers.give(question, inbox.ALLOW)
            self.give_back()

    def do_deny(self) -> None:
        """No."""
        question = self._asked()
        if question is not None:
            self._answers.give(question, inbox.DENY)
            self.give_back()

    def do_always(self) -> None:
        """From now on; the rule is shown first."""
        question = self._asked()
        if question is not None:
            self._answers.always(question)

    def do_reply(self) -> None:
        """In the person's own words; who asks nothing gets a message."""
        need = self.need
        if need is not None and need.asked is None and missions_rows.is_live(need.row):
            if self._screen.table.restless:
                self._screen.shell.flash(JUST_CHANGED, "slow")
            else:
                self._write_to(need.row)
        elif (question := self._asked()) is not None:
            self._answers.write(question)

    def choose(self, number: int) -> None:
        """An option of the question that is next."""
        question = self._asked()
        if question is None:
            return
        chosen = None if self.choosing is None else self.choosing.pressed(number)
        if chosen is None:
            self._screen.shell.flash(f"there is no option {number}", "slow")
        else:
            self._chosen(question, chosen)

    def _chosen(self, question: Row, choosing: Choosing) -> None:
        """Answer once all is chosen; the next of several questions has to be read first, too."""
        if choosing.complete:
            self._answers.give(question, inbox.ALLOW, choosing.labels)
            self.give_back()
            return
        self._is_shown = self._is_shown and choosing.at == self._at
        self.choosing = choosing
        self.show()

    def do_whole(self) -> None:
        """The question alone, as large as the screen, and back; of several options it ends the choice."""
        if self.choosing is not None and self.choosing.begun:
            question = self._asked()
            if question is not None:
                self._chosen(question, self.choosing.confirmed())
            return
        if not self.whole and self.key is None:
            return
        self.whole, self._top, self._is_shown = not self.whole, 0, False
        self._screen.panels.fold()
        self._screen.panels.show_face()

    def do_attach(self) -> None:
        """Its terminal."""
        need, shell = self.need, self._screen.shell
        mission = shell.fleet.behind(self._screen.table.cursor_id)
        if mission is None:
            shell.flash(self._nothing() if need is None else f"{safe(need.row['name'])} has no mission", "quiet")
        elif not missions_rows.is_live(mission):
            shell.flash(f"{safe(mission['name'])} has ended and has no terminal", "slow")
        else:
            shell.main.join(mission)

    # what may be answered

    def _asked(self) -> Row | None:
        """The question on the screen, if a key may answer it by now; else it is said why none may."""
        self.refresh()
        need = self.need
        refusal = self._nothing() if need is None else self._refusal(need)
        if refusal:
            self._screen.shell.flash(refusal, "slow")
            return None
        return None if need is None else need.asked

    def _nothing(self) -> str:
        """Why there is nothing to answer."""
        entry = self._screen.table.current
        if entry is not None:
            return f"{safe(entry.name)} asks nothing"
        asking = len(self._screen.shell.fleet.asking)
        return f"this row asks nothing · {needing(asking)}: . goes there" if asking else inbox.NOBODY

    def _refusal(self, need: Need) -> str:
        name = safe(need.row["name"])
        if silent := self._silent(need):
            return silent
        if self._screen.table.restless:
            return JUST_CHANGED
        if need.asked is None:
            live = missions_rows.is_live(need.row)
            return f"{name} asks nothing: {'m sends it a message' if live else 'r restarts it'}"
        if not self.may_answer:
            return self._unread()
        where = f"on hive {safe(need.asked.get(inbox.HOLDER))}" if is_of_swarm(need.asked) else "a opens it"
        return f"answer {name} in its terminal: {where}" if need.asked["attach_only"] else ""

    def _unread(self) -> str:
        """Why it counts as not read, and the key that shows what is missing."""
        unseen = self._sight.unseen(self._as_read)
        hidden = 0 if self._block is None else self._block.hidden
        if not self.whole and hidden:
            return f"{NOT_ALL}: enter shows {numbers.counted(hidden, 'more line')}"
        if not unseen:
            return NOT_READ
        if not self.whole:  # the panel has no room for all of it
            return f"{NOT_ALL}: enter shows it whole"
        is_above = self._block is not None and unseen[0] < self._block.seen.start
        key = shown_key("pageup" if is_above else "pagedown")
        return f"{NOT_ALL}: {key} shows the rest, then press the key again"

    def _silent(self, need: Need) -> str:
        """Why nobody would hear the answer, a sentence; "": nothing keeps from it."""
        shell = self._screen.shell
        if need.asked is not None and is_of_swarm(need.asked):
            return "" if shell.swarm is None else shell.swarm.refusal
        return "" if shell.hives is None else shell.hives.refusal([need.row])

    def _answered(self, question: Row, words: str) -> None:
        """An answer from here was taken."""
        mission, given = question["id"], self._answers.given
        others = (one for one in self._screen.shell.fleet.questions if one["id"] == mission)
        if all((mission, int(one["question"])) in given for one in others):
            self.said[mission] = words
            self.cursor_at(self._screen.table.cursor_id)
        if self.has_keys and (mission, int(question["question"])) == self.key:
            self.give_back()
        self._screen.table.tick()
        self.show()

    # the mouse

    def click(self, x: int, y: int) -> None:
        """A click on a key does what that does; elsewhere it moves the keys here."""
        key = question_block.key_at([] if self._block is None else self._block.lines, x, y)
        if not self.has_keys:
            self.do_enter()
        elif key == "enter":
            self._screen.press("enter", None)
        elif len(key) == 1:
            self._screen.press(key, key)


def _happens_somewhere(need: Need) -> bool:
    """Whether what is asked for would happen in the folder of its mission; words of an agent happen nowhere."""
    return need.asked is not None and need.asked["need"] != inbox.QUESTION and not need.by_engine


def _about(need: Need, cells: int, *, airy: bool) -> Lines:
    """What is known of one that goes no further and asks nothing; of a turn that is over the log says all."""
    if need.group == inbox.TURN or need.mark is WAITING:
        return []
    found = subject.wrapped(inbox.about(need, ""), cells - 1)
    blank: list[list[Cell]] = [[]] if airy else []
    return [*blank, *found, *blank]

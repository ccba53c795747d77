"""Landing a worktree: what would come is shown first, then how is chosen, then it is done, and seen to be done.

What keys do to worktrees: land them, commit in them, push them, discard them.

The worktrees of isolated missions, and what is to be done about each.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.errors import OvermindError
from overmind_tui.command_line.parse import Show
from overmind_tui.landing import form
from overmind_tui.landing import lines as landing_lines
from overmind_tui.landing.form import KEYS, KEYS_OF_A_TASK, LandForm, Stage
from overmind_tui.landing.lines import Wanted
from overmind_tui.missions import form_fields
from overmind_tui.missions import rows as missions_rows
from overmind_tui.pages.compose import COMMIT, Box, Purpose
from overmind_tui.pages.dialog import Answer, Dialog, Sight
from overmind_tui.pages.page import Fitting, Handler
from overmind_tui.pages.table import TablePage
from overmind_tui.pages.text import TextPage
from overmind_tui.render import texts
from overmind_tui.render.cells import Cell, Row, clipped, safe
from overmind_tui.shell import clipboard, external, keymap
from overmind_tui.shell.actions import Context
from overmind_tui.shell.registry import View
from overmind_tui.shell.shell import Shell, shell_of
from overmind_tui.widgets.canvas import Canvas, literal

if TYPE_CHECKING:
    from overmind_tui.inbox.messages import Talking


Answers = Sequence[Any | OvermindError]
SESSION = "session"
"""The type of a mission that reads messages."""
WIDTH = 84
COMMITTED_FIRST = frozenset({"dirty", "nothing_to_merge"})
"""Refusals that may be about what is in the worktree, and not committed."""
FORM = 5
"""Lines of the form, with the empty one above it."""
PAUSE = 0.4
"""Seconds without a key after which a target that is typed is looked at."""


class Commits(Protocol):
    """What a screen that lands asks to be done besides."""

    def chosen(self, wanted: Wanted) -> None:
        """Begin with this the next time."""

    def commit_first(self, row: Row, then: Callable[[], None]) -> None:
        """Ask for a message, commit, and go on."""

    def land(self, rows: list[Row]) -> None:
        """Show what would come, and merge what the person wants."""

    def propose(self, row: Row, text: str) -> None:
        """Write to the agent, beginning with a text."""


class LandScreen(Fitting, ModalScreen[None]):
    """Asks how, and lands.

    Args:
        row: The mission, or the row of its worktree.
        wanted: How to begin with.
        landing: Who commits, and remembers how.
    """

    AUTO_FOCUS = ""

    def __init__(self, row: Row, wanted: Wanted, landing: Commits) -> None:
        super().__init__()
        isolation = row.get("isolation") or {}
        branch, base = row.get("branch") or isolation.get("branch"), row.get("base") or isolation.get("base")
        self.state = form.begun(str(branch or row["name"]), str(base or ""), wanted)
        self._row = row
        self._landing = landing
        self._asked = 0
        self._sight = Sight()
        self._handlers: dict[str, Handler] = {
            "next-entry": partial(self._step, 1),
            "below": partial(self._step, 1),
            "previous-entry": partial(self._step, -1),
            "above": partial(self._step, -1),
        }

    @property
    def shell(self) -> Shell:
        """Who shows it."""
        return shell_of(self)

    def compose(self) -> ComposeResult:
        """A box in the middle."""
        self._sheet = _Sheet(self)
        with Vertical(id="form") as self._frame:
            self._frame.border_title = "land"
            yield self._sheet

    def on_mount(self) -> None:
        """It can take keys now."""
        self._be(self.state)
        self._sight.begin(self)
        self._look()
        self.shell.typed.release()

    def on_resize(self) -> None:
        """Other lines."""
        self._be(self.state)

    # what would come

    def _look(self) -> None:
        """Ask what would come."""
        self._asked += 1
        asked = self._asked
        self._be(replace(self.state, stage=Stage.LOOKING))

        def told(answer: Mapping[str, Any] | OvermindError) -> None:
            if asked == self._asked and self.is_attached:
                self._looked(answer)

        request = self.state.wanted.request(self._row["id"], preview=True)
        self.shell.follow("merge", request, lambda _item: None, told)

    def _looked(self, answer: Mapping[str, Any] | OvermindError) -> None:
        if not isinstance(answer, OvermindError):
            self._be(form.looked(self.state, answer))
        else:
            self._refused(answer)
        self._sight.begin(self)

    def _refused(self, error: OvermindError) -> None:
        """Why it can't be landed, and what to do about that."""
        if error.code in COMMITTED_FIRST:
            self._whose(error)
        else:
            self._be(form.refused(self.state, error, own=False))

    def _whose(self, error: OvermindError) -> None:
        """What is not committed is in its worktree, or in the person's checkout."""

        def told(answers: Answers) -> None:
            (answer,) = answers
            rows = [] if isinstance(answer, OvermindError) else answer["worktrees"]
            if self.is_attached:
                self._be(form.refused(self.state, error, own=any(row.get("dirty") for row in rows)))

        self.shell.request("worktrees", [{"ids": [self._row["id"]], "sizes": False}], told)

    # keys

    def press(self, key: str, character: str | None) -> None:
        """Choose, type, land or leave."""
        action = None if character is not None else keymap.keymap(Context.FORM).get(key)
        if action is not None and action.name == "cancel":
            self.close()
        elif self.is_too_small or self._press_word(character):
            return
        elif action is not None and action.name == "start":
            self.do_start()
        elif self.state.stage in {Stage.RUNNING, Stage.CONFLICTS, Stage.DIRTY}:
            return
        elif action is not None and action.name in self._handlers:
            self._handlers[action.name]()
        else:
            self._change(form.pressed(self.state, key) if character is None else form.typed(self.state, character))

    def _step(self, step: int) -> None:
        """To another entry."""
        self._be(form.stepped(self.state, step))

    def paste(self, text: str) -> None:
        """Into the entry with the cursor."""
        if self.state.stage not in {Stage.RUNNING, Stage.CONFLICTS, Stage.DIRTY}:
            self._change(form.typed(self.state, text))

    def _change(self, state: LandForm) -> None:
        """Another way, or another target: something else would come."""
        other = (state.how, state.wanted.into) != (self.state.how, self.state.wanted.into)
        self._be(state)
        if other:
            self._asked += 1
            asked = self._asked
            self._be(replace(self.state, stage=Stage.LOOKING))
            self.set_timer(PAUSE, lambda: self._look() if asked == self._asked and self.is_attached else None)

    def _press_word(self, character: str | None) -> bool:
        """Letters that mean something where nothing can be typed."""
        stage = self.state.stage
        if character == "v" and stage in {Stage.CONFLICTS, Stage.DIRTY}:
            self.close()
            self.shell.act("changes", [self._row])
        elif character == "m" and stage is Stage.CONFLICTS:
            self._ask_agent()
        elif character == "l" and stage is Stage.CHECK_FAILED and self.state.at == "how":
            self.close()
            self.shell.main.show_log(self.state.verify, "the check's log is no more")
        else:
            return False
        return True

    def _ask_agent(self) -> None:
        known = self.shell.fleet.of(self._row["id"])
        self.close()
        if known is None:
            self.shell.flash(f"the mission of {safe(self._row['name'])} was removed", "slow")
        else:
            self._landing.propose(known, self.state.resolve)

    def do_start(self) -> None:
        """Land it, or first commit what is not committed."""
        stage = self.state.stage
        if stage in {Stage.READY, Stage.CHECK_FAILED}:
            if self._sight.enough:
                self._land()
            else:
                self.shell.flash("it has just come: read it, then press enter", "slow")
        elif stage is Stage.DIRTY:
            self.close()
            self._landing.commit_first(self._row, lambda: self._landing.land([self._row]))

    def _land(self) -> None:
        self._landing.chosen(self.state.wanted)
        self._be(form.running(self.state, {"step": "merging"}))
        request = self.state.wanted.request(self._row["id"], preview=False)
        self.shell.follow("merge", request, self._goes_on, self._told)

    def _goes_on(self, item: Mapping[str, Any]) -> None:
        if "ok" not in item:
            self._be(form.running(self.state, item))
            if not self.is_attached:
                self.shell.flash(f"land {safe(self._row['name'])}: {landing_lines.progress(item)} …", "quiet")

    def _told(self, answer: Mapping[str, Any] | OvermindError) -> None:
        name = safe(self._row["name"])
        if not isinstance(answer, OvermindError):
            self.close()
            self.shell.flash(landing_lines.landed(name, answer), "good")
            return
        self.shell.flash(f"{name} was not landed: {safe(answer.message)}", "bad")
        if self.is_attached:
            self._refused(answer)
            self._sight.begin(self)

    def close(self) -> None:
        """Leave the screen below to the keys."""
        self._asked += 1
        if self.is_attached and self.is_current:
            self.app.pop_screen()

    # drawing

    def _be(self, state: LandForm) -> None:
        self.state = state
        if not self.is_attached:
            return
        size = self.app.size
        self._frame.styles.width = min(WIDTH, size.width)
        known = self.shell.fleet.of(self._row["id"])
        keys = KEYS[state.stage]
        if state.stage is Stage.CONFLICTS and (known is None or known["type"] != SESSION):
            keys = KEYS_OF_A_TASK
        self._frame.border_title = literal(clipped(f"land {safe(self._row['name'])}", max(size.width - 8, 8)))
        self._frame.border_subtitle = keys if len(keys) < size.width - 6 else "esc closes"
        self._sheet.lay_out(min(WIDTH, size.width) - 6, size.height - 4)


class _Sheet(Canvas):
    """Draws the form."""

    def __init__(self, screen: LandScreen) -> None:
        super().__init__()
        self._screen = screen
        self._lines: list[list[Cell]] = []

    def lay_out(self, cells: int, most: int) -> None:
        """Draw it in so many cells, at most so many lines: of what would come some is left out, of the form nothing."""
        lines = form.drawn(self._screen.state, cells, ascii_only=self._screen.shell.ascii_only)
        if len(lines) > most:
            room = max(most - FORM, 1)
            above = lines[:room] if room == 1 else [*lines[: room - 1], [Cell("  …", "quiet")]]
            lines = [*above, *lines[-FORM:]]
        self._lines = lines
        self.styles.height = len(self._lines)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line; the cursor is a cell in reverse."""
        cells = self._lines[y] if y < len(self._lines) else []
        runs = [
            (cell.text, Style(reverse=True) if cell.tone == form_fields.CURSOR else self.tone(cell.tone))
            for cell in cells
        ]
        return self.strip(runs, self.content_size.width)


UNMERGED = "unmerged"


class Landing:
    """Asks before anything leaves a worktree, or is lost with it."""

    def __init__(self, shell: Shell, talking: Talking) -> None:
        self._shell = shell
        self.propose = talking.propose
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "land": self.land,
            "commit": self.commit,
            "push": self.push,
            "discard": self.discard,
            "copy-path": self.copy_path,
            "shell-there": self.shell_there,
        }
        self._wanted = Wanted()
        """As the last one was landed."""
        self._messages: dict[str, str] = {}
        """Mission → the message of a commit that was not made."""

    # landing

    def land(self, rows: list[Row]) -> None:
        """Show what would come, and merge what the person wants."""
        row = self._only(rows, "land")
        if row is not None:
            self._shell.open(LandScreen(row, self._wanted._replace(into=""), self))

    def chosen(self, wanted: Wanted) -> None:
        """Begin with this the next time."""
        self._wanted = wanted

    def _only(self, rows: list[Row], word: str) -> Row | None:
        """The one that is meant; None, with a flash, where there are several, or it has no worktree."""
        if len(rows) > 1:
            self._shell.flash(f"{word}: one at a time, and {len(rows)} are marked", "slow")
            return None
        if not landing_lines.has_one(rows[0]):
            name = safe(rows[0]["name"])
            self._shell.flash(f"{name} has no worktree of its own · run --isolate gives a mission one", "slow")
            return None
        return rows[0]

    # committing

    def commit(self, rows: list[Row]) -> None:
        """Commit everything in it, with a message of the person's."""
        row = self._only(rows, "commit")
        if row is not None:
            self.commit_first(row, lambda: None)

    def commit_first(self, row: Row, then: Callable[[], None]) -> None:
        """Ask for a message, commit, and go on."""
        mission, name = row["id"], safe(row["name"])

        def send(box: Box, text: str) -> None:
            def told(answers: Answers) -> None:
                (answer,) = answers
                if isinstance(answer, OvermindError):
                    box.refused(answer.message)
                    return
                box.done()
                files = landing_lines.counted(landing_lines.count(answer.get("files")), "file")
                self._shell.flash(f"committed {files} of {name}: {safe(answer.get('subject'))}", "good")
                then()

            self._shell.request("commit", [{"id": mission, "message": text}], told)

        def keep(text: str) -> None:
            self._messages[mission] = text

        draft, note = self._messages.get(mission, ""), "everything in its worktree is committed; hooks run"
        self._shell.open(Box(Purpose(f"commit · {name}", send, keep, draft, (), note, COMMIT)))

    # pushing

    def push(self, rows: list[Row]) -> None:
        """Push the branch."""
        row = self._only(rows, "push")
        if row is None:
            return
        name = safe(row["name"])
        self._shell.flash(f"push {name} …", "quiet")

        def told(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self._shell.flash(f"{name}: {safe(answer.message)}", "bad")
            else:
                left = landing_lines.count(answer.get("uncommitted"))
                tail = f" · {landing_lines.counted(left, 'file')} not committed: not among it" if left else ""
                self._shell.flash(f"pushed {safe(answer['branch'])} to {safe(answer['remote'])}{tail}", "good")

        self._shell.request("push", [{"id": row["id"], "remote": None}], told)

    # discarding

    def discard(self, rows: list[Row]) -> None:
        """Remove it with its branch, ports and containers; work that is nowhere else only after a second question."""
        row = self._only(rows, "discard")
        if row is None:
            return
        known = self._shell.fleet.of(row["id"])
        if known is not None and missions_rows.is_live(known):
            self._shell.flash(f"{safe(row['name'])} is {known['status']}: stop it first", "slow")
            return
        answers = [
            Answer(("y",), "discard", lambda: self._discard(row), "bad"),
            Answer(("n",), "cancel", lambda: None),
        ]
        self._shell.open(Dialog(f"discard {safe(row['name'])}?", landing_lines.at_stake(row), answers, first=1))

    def _discard(self, row: Row, *, force: bool = False) -> None:
        name = safe(row["name"])
        self._shell.flash(f"discard {name} …", "quiet")

        def told(answers: Answers) -> None:
            (answer,) = answers
            if not isinstance(answer, OvermindError):
                self._shell.flash(f"discarded {name}: {safe(answer.get('branch'))} and its worktree are gone", "good")
            elif answer.code == UNMERGED and not force:
                self._ask_twice(row, answer)
            else:
                self._shell.flash(f"{name}: {safe(answer.message)}", "bad")

        self._shell.request("discard", [{"id": row["id"], "force": force}], told)

    def _ask_twice(self, row: Row, error: OvermindError) -> None:
        """What would be lost for good, by another key than the first question's."""
        lines = [*(landing_lines.lost(error.fields) or [safe(error.message)]), "", "nothing brings it back"]
        answers = [
            Answer(("f",), "lose it all", lambda: self._discard(row, force=True), "bad"),
            Answer(("n",), "keep it", lambda: self._shell.flash("nothing was removed", "quiet")),
        ]
        self._shell.open(Dialog(f"lose the work of {safe(row['name'])}?", lines, answers, first=1))

    # beside

    def copy_path(self, rows: list[Row]) -> None:
        """Where they are, each on a line of its own."""
        paths = [landing_lines.folder(row) for row in rows]
        what = safe(paths[0]) if len(paths) == 1 else f"{len(paths)} paths"
        clipboard.copy(self._shell, "\n".join(paths), what)

    def shell_there(self, rows: list[Row]) -> None:
        """A shell in it: in the environment of its mission, as long as there is one."""
        row = rows[0]
        known, folder = self._shell.fleet.of(row["id"]), from_wire(landing_lines.folder(row))
        if known is not None:
            self._shell.act("shell", [known])
        elif not os.path.isdir(folder):
            self._shell.flash(f"{safe(row['name'])}: its worktree {safe(folder)} is not there", "bad")
        else:
            argv = [self._shell.world.environ.get("SHELL", "/bin/sh")]
            external.run(self._shell, argv, cwd=folder, then=lambda _: self._shell.flash(f"back from {safe(folder)}"))


def open_worktrees(shell: Shell, view: View, show: Show) -> None:
    """All of them."""
    shell.open(WorktreesPage(view, show))


class WorktreesPage(TablePage):
    """A row for each worktree. How large each is takes long to find out: only a person's key asks for that."""

    def __init__(self, view: View, show: Show) -> None:
        super().__init__(view, show)
        self._measures = True

    @property
    def arguments(self) -> Mapping[str, Any]:
        """All of them."""
        measures, self._measures = self._measures, False
        return {**super().arguments, "sizes": measures}

    def handlers(self, context: Context) -> dict[str, Handler]:
        """Also what is read of a worktree."""
        return super().handlers(context) | {"log": self.do_log, "describe-row": self.do_describe_row}

    def take(self, rows: list[Row]) -> None:
        """Show these; what nobody measured anew is as large as before."""
        sizes = {row["id"]: row.get("size_bytes") for row in self.rows}
        super().take([
            self._doing(row) if row.get("size_bytes") is not None
            else {**self._doing(row), "size_bytes": sizes.get(row["id"])} for row in rows
        ])  # fmt: skip

    def _doing(self, row: Row) -> Row:
        """The row with what its agent does, so that its state is the same word as on the main screen."""
        known = self.shell.fleet.of(row["id"])
        return row if known is None else {**row, "activity": known.get("activity")}

    def targets(self) -> list[Row]:
        """Their missions, as far as there are any."""
        return [known for row in self.chosen() if (known := self.shell.fleet.of(row["id"])) is not None]

    def subtitle(self) -> str:
        """What all that is shown comes to."""
        return landing_lines.summary([branch.row for branch in self.table.branches])

    def do_refresh(self) -> None:
        """Ask anew, and measure."""
        self._measures = True
        super().do_refresh()

    def do_log(self) -> None:
        """The log of its mission."""
        current = self.table.current
        if current is not None:
            self.shell.main.show_log(current.id, f"the mission of {safe(current.row['name'])} was removed")

    def do_describe_row(self) -> None:
        """Everything known about its mission; where that was removed, about the worktree."""
        current = self.table.current
        if current is None:
            return
        known = self.shell.fleet.of(current.id)
        if known is not None:
            self.shell.act("describe", [known])
            return
        lines = texts.plain(json.dumps(current.row, ensure_ascii=False, indent=2))
        self.shell.open(TextPage(self.view, f"worktree · {safe(current.row['name'])}", lambda: lines))

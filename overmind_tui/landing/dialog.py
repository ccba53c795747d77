"""The dialog of a landing: what would come is shown first, then how is chosen, then it is done, and seen to be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip

from overmind_core.errors import OvermindError
from overmind_core.view import form_fields, keymap
from overmind_core.view import landing as landing_lines
from overmind_core.view import landing_form as form
from overmind_core.view.actions import Context
from overmind_core.view.cells import Cell, Row, clipped, safe
from overmind_core.view.landing import Wanted
from overmind_core.view.landing_form import KEYS, KEYS_BY_HAND, KEYS_OF_A_TASK, LandForm, Stage
from overmind_tui.pages.dialog import ReadingDelay
from overmind_tui.pages.page import Handler
from overmind_tui.pages.room import NeedsRoom
from overmind_tui.shell import clipboard
from overmind_tui.shell.shell import Shell, shell_of
from overmind_tui.widgets.canvas import Canvas, literal

Answers = Sequence[Any | OvermindError]


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


class LandingDialog(NeedsRoom, ModalScreen[None]):
    """Asks how to land, and lands.

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
        self._reading_delay = ReadingDelay()
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
        self._sheet = _FormCanvas(self)
        with Vertical(id="form") as self._frame:
            self._frame.border_title = "land"
            yield self._sheet

    def on_mount(self) -> None:
        """It can take keys now."""
        self._be(self.state)
        self._reading_delay.begin(self)
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

        def on_result(answer: Mapping[str, Any] | OvermindError) -> None:
            if asked == self._asked and self.is_attached:
                self._looked(answer)

        request = self.state.wanted.request(self._row["id"], preview=True)
        self.shell.follow("merge", request, lambda _item: None, on_result)

    def _looked(self, answer: Mapping[str, Any] | OvermindError) -> None:
        if not isinstance(answer, OvermindError):
            self._be(form.looked(self.state, answer))
        else:
            self._refused(answer)
        self._reading_delay.begin(self)

    def _refused(self, error: OvermindError) -> None:
        """Why it can't be landed, and what to do about that."""
        if error.code in COMMITTED_FIRST:
            self._whose(error)
        else:
            self._be(form.refused(self.state, error, own=False))

    def _whose(self, error: OvermindError) -> None:
        """What is not committed is in its worktree, or in the person's checkout."""

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            rows = [] if isinstance(answer, OvermindError) else answer["worktrees"]
            if self.is_attached:
                self._be(form.refused(self.state, error, own=any(row.get("dirty") for row in rows)))

        self.shell.request("worktrees", [{"ids": [self._row["id"]], "sizes": False}], on_result)

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
        elif character == "m" and stage is Stage.CONFLICTS and self._resolves:
            self._hand_over()
        elif character == "c" and stage is Stage.CONFLICTS and self.state.by_hand:
            clipboard.copy(self.shell, self.state.by_hand, "the command")
        elif character == "l" and stage is Stage.CHECK_FAILED and self.state.at == "how":
            self.close()
            self.shell.main.show_log(self.state.verify, "the log of the check was removed")
        else:
            return False
        return True

    @property
    def _resolves(self) -> bool:
        """Whether its agent can be handed conflicts."""
        return landing_lines.resolves(self.shell.fleet.of(self._row["id"]))

    def _hand_over(self) -> None:
        """Have its agent resolve the conflicts: nothing is merged yet."""
        if not self._reading_delay.enough:
            self.shell.flash("the conflicts just appeared: read them, then press m again", "slow")
            return
        self._be(form.running(self.state, {"step": landing_lines.RESOLVING}))
        request = self.state.wanted.resolution(self._row["id"]) | self.shell.world.session()
        self.shell.follow("merge", request, self._goes_on, self._on_handed_over)

    def _on_handed_over(self, answer: Mapping[str, Any] | OvermindError) -> None:
        if not isinstance(answer, OvermindError):
            self.close()
            self.shell.flash(landing_lines.resolving(answer), "good")
            return
        self.shell.flash(safe(answer.message), "bad")
        if self.is_attached:
            self._refused(answer)

    def do_start(self) -> None:
        """Land it, or first commit what is not committed."""
        stage = self.state.stage
        if stage in {Stage.READY, Stage.CHECK_FAILED}:
            if self._reading_delay.enough:
                self._land()
            else:
                self.shell.flash("the preview just appeared: read it, then press enter again", "slow")
        elif stage is Stage.DIRTY:
            self.close()
            self._landing.commit_first(self._row, lambda: self._landing.land([self._row]))

    def _land(self) -> None:
        self._landing.chosen(self.state.wanted)
        self._be(form.running(self.state, {"step": "merging"}))
        request = self.state.wanted.request(self._row["id"], preview=False)
        self.shell.follow("merge", request, self._goes_on, self._on_result)

    def _goes_on(self, item: Mapping[str, Any]) -> None:
        if "ok" not in item:
            self._be(form.running(self.state, item))
            if not self.is_attached:
                self.shell.flash(f"landing {safe(self._row['name'])}: {landing_lines.progress(item)} …", "quiet")

    def _on_result(self, answer: Mapping[str, Any] | OvermindError) -> None:
        name = safe(self._row["name"])
        if not isinstance(answer, OvermindError):
            self.close()
            self.shell.flash(landing_lines.landed(name, answer), "good")
            return
        self.shell.flash(f"{name} could not be landed: {safe(answer.message)}", "bad")
        if self.is_attached:
            self._refused(answer)
            self._reading_delay.begin(self)

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
        keys = KEYS[state.stage]
        if state.stage is Stage.CONFLICTS and not self._resolves:
            keys = KEYS_BY_HAND if state.by_hand else KEYS_OF_A_TASK
        self._frame.border_title = literal(clipped(f"land {safe(self._row['name'])}", max(size.width - 8, 8)))
        self._frame.border_subtitle = keys if len(keys) < size.width - 6 else "esc closes"
        self._sheet.lay_out(min(WIDTH, size.width) - 6, size.height - 4)


class _FormCanvas(Canvas):
    """Draws the form."""

    def __init__(self, screen: LandingDialog) -> None:
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

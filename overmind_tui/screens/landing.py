"""Landing a worktree: what would come is shown first, then how is chosen, then it is done, and seen to be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip

from overmind_core.errors import OvermindError
from overmind_tui import actiontable
from overmind_tui.actions import Context
from overmind_tui.screens.fitting import Fitting
from overmind_tui.screens.readfirst import Sight
from overmind_tui.screens.reveal import log_of
from overmind_tui.view import formrows, landform, landing
from overmind_tui.view.cells import Cell, Row, clipped, safe
from overmind_tui.view.landform import KEYS, KEYS_OF_A_TASK, LandForm, Stage
from overmind_tui.view.landing import Wanted
from overmind_tui.widgets.canvas import Canvas, literal

if TYPE_CHECKING:
    from overmind_tui.app import OvermindApp
    from overmind_tui.deeds.landing import Landing

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


class LandScreen(Fitting, ModalScreen[None]):
    """Asks how, and lands.

    Args:
        row: The mission, or the row of its worktree.
        wanted: How to begin with.
        deeds: Who commits, and remembers how.
    """

    AUTO_FOCUS = ""

    def __init__(self, row: Row, wanted: Wanted, deeds: Landing) -> None:
        super().__init__()
        isolation = row.get("isolation") or {}
        branch, base = row.get("branch") or isolation.get("branch"), row.get("base") or isolation.get("base")
        self.state = landform.begun(str(branch or row["name"]), str(base or ""), wanted)
        self._row = row
        self._deeds = deeds
        self._asked = 0
        self._sight = Sight()

    @property
    def _program(self) -> OvermindApp:
        return cast("OvermindApp", self.app)

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
        self._program.typed.release()

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
        self._program.follow("merge", request, lambda _item: None, told)

    def _looked(self, answer: Mapping[str, Any] | OvermindError) -> None:
        if not isinstance(answer, OvermindError):
            self._be(landform.looked(self.state, answer))
        else:
            self._refused(answer)
        self._sight.begin(self)

    def _refused(self, error: OvermindError) -> None:
        """Why it can't be landed, and what to do about that."""
        if error.code in COMMITTED_FIRST:
            self._whose(error)
        else:
            self._be(landform.refused(self.state, error, own=False))

    def _whose(self, error: OvermindError) -> None:
        """What is not committed is in its worktree, or in the person's checkout."""

        def told(answers: Answers) -> None:
            (answer,) = answers
            rows = [] if isinstance(answer, OvermindError) else answer["worktrees"]
            if self.is_attached:
                self._be(landform.refused(self.state, error, own=any(row.get("dirty") for row in rows)))

        self._program.request("worktrees", [{"ids": [self._row["id"]], "sizes": False}], told)

    # keys

    def press(self, key: str, character: str | None) -> None:
        """Choose, type, land or leave."""
        action = None if character is not None else actiontable.keymap(Context.FORM).get(key)
        if action is not None and action.name == "cancel":
            self.close()
        elif self.is_too_small or self._press_word(character):
            return
        elif action is not None and action.name == "start":
            self.do_start()
        elif self.state.stage in {Stage.RUNNING, Stage.CONFLICTS, Stage.DIRTY}:
            return
        elif action is not None and action.name in {"next-entry", "below"}:
            self._be(landform.stepped(self.state, 1))
        elif action is not None and action.name in {"previous-entry", "above"}:
            self._be(landform.stepped(self.state, -1))
        else:
            self._change(
                landform.pressed(self.state, key) if character is None else landform.typed(self.state, character)
            )

    def paste(self, text: str) -> None:
        """Into the entry with the cursor."""
        if self.state.stage not in {Stage.RUNNING, Stage.CONFLICTS, Stage.DIRTY}:
            self._change(landform.typed(self.state, text))

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
            self._program.deeds.looking.changes([self._row])
        elif character == "m" and stage is Stage.CONFLICTS:
            self._ask_agent()
        elif character == "l" and stage is Stage.CHECK_FAILED and self.state.at == "how":
            self.close()
            log_of(self._program, self.state.verify, "the check's log is no more")
        else:
            return False
        return True

    def _ask_agent(self) -> None:
        known = self._program.fleet.of(self._row["id"])
        self.close()
        if known is None:
            self._program.flash(f"the mission of {safe(self._row['name'])} was removed", "slow")
        else:
            self._program.deeds.talking.propose(known, self.state.resolve)

    def do_start(self) -> None:
        """Land it, or first commit what is not committed."""
        stage = self.state.stage
        if stage in {Stage.READY, Stage.CHECK_FAILED}:
            if self._sight.enough:
                self._land()
            else:
                self._program.flash("it has just come: read it, then press enter", "slow")
        elif stage is Stage.DIRTY:
            self.close()
            self._deeds.commit_first(self._row, lambda: self._deeds.land([self._row]))

    def _land(self) -> None:
        self._deeds.chosen(self.state.wanted)
        self._be(landform.running(self.state, {"step": "merging"}))
        request = self.state.wanted.request(self._row["id"], preview=False)
        self._program.follow("merge", request, self._goes_on, self._told)

    def _goes_on(self, item: Mapping[str, Any]) -> None:
        if "ok" not in item:
            self._be(landform.running(self.state, item))
            if not self.is_attached:
                self._program.flash(f"land {safe(self._row['name'])}: {landing.progress(item)} …", "quiet")

    def _told(self, answer: Mapping[str, Any] | OvermindError) -> None:
        name = safe(self._row["name"])
        if not isinstance(answer, OvermindError):
            self.close()
            self._program.flash(landing.landed(name, answer), "good")
            return
        self._program.flash(f"{name} was not landed: {safe(answer.message)}", "bad")
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
        known = self._program.fleet.of(self._row["id"])
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
        program = cast("OvermindApp", self.app)
        lines = landform.drawn(self._screen.state, cells, ascii_only=program.ascii_only)
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
            (cell.text, Style(reverse=True) if cell.tone == formrows.CURSOR else self.tone(cell.tone)) for cell in cells
        ]
        return self.strip(runs, self.content_size.width)

"""The terminal panel of the missions screen: looked at, or typed into; and what is left when its program is gone."""

from __future__ import annotations

import time
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from overmind_core.client.detach_keys import DEFAULT_KEY, DetachKey
from overmind_core.terminal import input_encoding as terminal_keys
from overmind_core.view import missions as missions_rows
from overmind_core.view import terminal_title as title
from overmind_core.view.actions import Context
from overmind_core.view.cells import Row, safe
from overmind_core.view.keymap import ACTIONS
from overmind_tui.render.layout import Panel
from overmind_tui.shell import clipboard
from overmind_tui.terminal.hop import Hop
from overmind_tui.terminal.keys import TerminalKeys
from overmind_tui.terminal.session import TerminalSession

if TYPE_CHECKING:
    from overmind_core.client.terminal_stream import Joined
    from overmind_tui.missions.main_screen import MainScreen
    from overmind_tui.pages.page import Handler

LEFT_SECONDS = 1.0
"""How long after the pane was left ctrl-c does not leave the program."""


class Mode(Enum):
    """What the person does with the pane."""

    CLOSED = "closed"
    LOOKING = "looking"
    TYPING = "typing"


class TerminalPanel:
    """The terminal panel, and what actions do in it."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.session = TerminalSession(screen, joined=self._joined, gone=self._gone)
        self.left_at = float("-inf")
        """When typing ended (monotonic seconds)."""
        self._was_final = False
        """The mission has ended, as the list knows by now."""
        self._zoomed_by_itself = False
        """The pane has the screen alone because one types into it, not because somebody asked for that."""
        self._begin_pending = False
        """The terminal is asked for once the pane has a size: none may be given one that nobody sees."""
        self.hop = Hop(screen)
        self.keys = TerminalKeys(screen, self.session, detach=self.do_detach, leave=self._leave)
        self.handlers: dict[str, Handler] = {
            "type": self.do_type,
            "attach": self.do_type,
            "detach": self.do_detach,
            "leave-terminal": screen.close_terminal,
            "next-need": self.hop.go,
            "send-detach-key": partial(self._send_itself, DEFAULT_KEY),
            "search": self.do_search,
            "next-match": partial(self._to_match, back=True),
            "previous-match": partial(self._to_match, back=False),
            "select": self._select,
            "copy": self.do_copy,
            "restart": self.do_restart,
            "replay": self.do_replay,
        }

    @property
    def mode(self) -> Mode:
        """What the person does with the pane."""
        if self.session.mission is None:
            return Mode.CLOSED
        return Mode.TYPING if self.session.typing else Mode.LOOKING

    @property
    def is_open(self) -> bool:
        """Whether there is a pane at all."""
        return self.session.mission is not None

    # opening and closing

    def look(self, row: Row) -> None:
        """Look at a mission's terminal."""
        self._screen.following.at_once()  # else the panel would come to its row later, and put the terminal away
        self._stop_typing()
        if self.session.mission != row["id"] or self.session.over:
            self._enter(row)
            self._screen.give(Panel.TERMINAL)
            self._begin_once_laid_out()
        else:
            self._screen.give(Panel.TERMINAL)

    def watch(self, row: Row | None) -> None:
        """Look at a mission's terminal while the keys are in the list; None: at nobody's."""
        if row is None:
            if self.is_open:
                self.close()
        elif self.session.mission != row["id"]:
            self._stop_typing()
            self._enter(row)
            self._begin_once_laid_out()

    def join(self, row: Row) -> None:
        """Type into a mission's terminal; where nothing may be typed, look at it."""
        if self._screen.shell.read_only or missions_rows.takes_no_input(row):
            self.look(row)
            if not self._screen.shell.read_only:
                self._view_only(row)
            return
        self._screen.following.at_once()  # else the panel would come later, and take the terminal for another one
        if self.session.mission != row["id"] or self.session.over:
            self._enter(row)
        self.session.typing = True
        self._zoomed_by_itself |= not self._screen.zoomed
        self._screen.give(Panel.TERMINAL, zoomed=True)
        self._begin_once_laid_out()

    def close(self) -> None:
        """Leave the pane: who had a terminal only for us has it back."""
        self._stop_typing()
        self._zoomed_by_itself = False
        self.session.leave()

    def hang_up(self) -> None:
        """The program ends: the terminal is nobody's any more."""
        self._stop_typing()
        self.session.disconnect()

    def _enter(self, row: Row) -> None:
        self._was_final = False
        self.session.enter(row)

    def _begin_once_laid_out(self) -> None:
        self._begin_pending = True
        self._screen.call_after_refresh(self._begin_if_laid_out)

    def _begin_if_laid_out(self) -> None:
        """A frame that was due already comes before the layout: then the pane begins when it gets its first size."""
        if not self._begin_pending or not self._screen.terminal_view.is_laid_out:
            return
        self._begin_pending = False
        if self.session.typing:
            self._begin_typing()
        elif self.is_open and self.session.link is None and not self.session.over:
            self.session.connect(read_only=True)

    def _begin_typing(self) -> None:
        """The pane has its size: have the terminal take it."""
        if self.session.link is not None and self.session.writes:
            self.session.link.resize(*self._screen.terminal_view.pane)
            self._typing_begins()
        else:
            self.session.connect(read_only=False)
        self._screen.retitle()

    def _joined(self, item: Joined) -> None:
        if not self.session.typing or not self.session.asks:  # what only looked may still be drawn when typing begins
            return
        if not item.write:
            self._stop_typing()
            self._view_only({"name": self.session.name})
            self._screen.refocus()
        elif not item.again:
            self._typing_begins()
            self.session.redraw(item)

    def _view_only(self, row: Row) -> None:
        self._screen.shell.flash(missions_rows.view_only(row), "slow")
        self._screen.shell.typed.hush()

    def _typing_begins(self) -> None:
        """Everything that the person's terminal sends goes there from now on."""
        view = self._screen.terminal_view
        view.live = True
        view.add_class("typing")
        view.drop_selection()
        view.drop_search()
        view.to_end()
        self.session.outer.tap(self.keys.leaving)
        self.session.send(terminal_keys.focus(self.session.modes, gained=True))
        self.session.paint()

    def _stop_typing(self) -> None:
        if not self.session.typing:
            return
        self.session.typing, self.left_at = False, time.monotonic()
        self.session.forget_ahead()
        self._screen.terminal_view.live = False
        self._screen.terminal_view.remove_class("typing")
        self.session.outer.tap(None)
        self.session.outer.show_cursor(None)
        self._screen.terminal_view.refresh()

    def _gone(self) -> None:
        """What was typed into has gone away."""
        if self.session.typing:
            self._stop_typing()
            self._screen.shell.typed.hush()
        self._screen.refocus()

    def rows_changed(self) -> None:
        """Missions may have ended, or been started again."""
        row = self._screen.shell.fleet.of(self.session.mission)
        if row is None or not self.session.over:
            return
        if not missions_rows.is_live(row):
            self._was_final = True
        elif self._was_final and missions_rows.has_terminal(row):
            if self._screen.panels.current is Panel.TERMINAL:
                self.look(row)
            else:  # it is only the face of the panel: the keys stay where they are
                self._enter(row)
                self._begin_once_laid_out()

    # what is said

    def targets(self) -> list[Row]:
        """The mission of the pane."""
        row = self._screen.shell.fleet.of(self.session.mission)
        return [] if row is None else [row]

    @property
    def takes_no_input(self) -> bool:
        """Whether nothing that is typed would reach the program."""
        return any(map(missions_rows.takes_no_input, self.targets()))

    @property
    def context(self) -> Context:
        """Whose keys count."""
        return Context.TYPING if self.session.typing else Context.LOOKING

    def titles(self) -> tuple[str, str]:
        """What the border says above and below."""
        view, session = self._screen.terminal_view, self.session
        fleet = self._screen.shell.fleet
        row = fleet.of(session.mission)
        name = session.name if row is None else missions_rows.called(row, fleet.rows)
        above = title.title(name, view.screen_shown.title if view.screen_shown is not None else "")
        if session.over:
            return above, session.over
        if session.finishing is not None:
            return above, title.finishing(session.finishing)
        size = session.size or view.pane
        if session.typing:
            names = [key.name for key in self.keys.leaving]
            return above, title.typing(names, terminal=size, cropped=view.cropped)
        return above, title.looking(
            terminal=size, cropped=view.cropped, back=view.back, selecting=view.selection is not None,
            searching=view.searched, read_only=self._screen.shell.read_only, no_input=self.takes_no_input,
        )  # fmt: skip

    def shown_text(self) -> str:
        """What the pane shows."""
        return self._screen.terminal_view.text()

    def resized(self) -> None:
        """The pane has another size."""
        if self.session.typing and self.session.link is not None:
            self.session.link.resize(*self._screen.terminal_view.pane)
        self._begin_if_laid_out()
        self.session.paint()
        self._screen.retitle()

    # actions

    def do_detach(self) -> None:
        """Back to looking, beside the list where there is room; the terminal stays ours until the pane is closed."""
        self.session.send(terminal_keys.focus(self.session.modes, gained=False))
        self._stop_typing()
        self.hop.begin(self.session.mission)
        unzooms, self._zoomed_by_itself = self._zoomed_by_itself, False
        self._screen.give(Panel.TERMINAL, zoomed=False if unzooms else None)

    def do_type(self) -> None:
        """Type into it."""
        row = self._screen.shell.fleet.of(self.session.mission)
        if row is None or not missions_rows.is_live(row) or (self.session.ended and not self._was_final):
            self._screen.shell.flash(f"{safe(self.session.name)} has ended: r restarts it", "slow")
        else:
            self.join(row)

    def keep(self) -> None:
        """Leave the agent in its terminal also when the pane is left."""
        if self.session.link is not None and self.session.writes:
            self.session.link.keep()
            self._screen.shell.flash(f"{safe(self.session.name)} stays in its terminal", "good")
        else:
            self._screen.shell.flash("keep: start typing in the terminal first", "slow")

    def _leave(self) -> None:
        """A key that leaves typing was pressed in looking: as its action does."""
        self._screen.act(next(one for one in ACTIONS if one.name == "leave-terminal"))

    def _send_itself(self, key: DetachKey) -> None:
        if self.session.over:
            self._screen.shell.flash(f"not sent: the terminal of {safe(self.session.name)} is gone", "slow")
            return
        if self.takes_no_input:
            self._screen.shell.flash(missions_rows.view_only({"name": self.session.name}), "slow")
            return
        if not self.session.writes:
            self.session.connect(read_only=False, size=self.session.size)
        if self.session.link is not None:
            self.session.link.type(bytes([key.byte]))
            self._screen.shell.flash(f"sent {key.name}", "quiet")

    def do_search(self) -> None:
        """Type what to look for."""
        self._screen.terminal_view.begin_search()
        self._screen.open_bar("/")

    def type(self, text: str) -> bool:
        """What is looked for so far."""
        self._screen.terminal_view.search(text)
        return True

    def _to_match(self, *, back: bool) -> None:
        """The one above, or below."""
        self._screen.terminal_view.to_match(back=back)

    def _select(self) -> None:
        """Begin to select, or move the other end."""
        self._screen.terminal_view.select()

    def do_copy(self) -> None:
        """What is selected, else the screen."""
        view = self._screen.terminal_view
        what = "the selection" if view.selection is not None else "the screen"
        clipboard.copy(self._screen.shell, view.text(), what)
        view.drop_selection()

    def do_replay(self) -> None:
        """Replay the run: scrolled back, from the moment of the last row in sight, else from its beginning."""
        from overmind_tui.log import replay  # noqa: PLC0415 - not for the first frame

        view = self._screen.terminal_view
        for row in self.targets():
            if view.back:
                replay.replay_from_rows(self._screen.shell, row, view.rows_below())
            else:
                replay.replay(self._screen.shell, row)

    def do_restart(self) -> None:
        """Run it again, once it has ended."""
        rows = self.targets()
        if rows and not missions_rows.is_live(rows[0]):
            self._was_final = True
            self._screen.shell.act("restart", rows)
        else:
            self._screen.shell.flash(f"{safe(self.session.name)} is still running", "slow")

    def close_one(self) -> bool:
        """Close one thing; whether there was any."""
        view = self._screen.terminal_view
        return view.drop_selection() or view.drop_search()

"""The session with one mission's terminal: the link to it, what comes on that, and what is shown without one."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.terminal.modes import Modes
from overmind_core.view import terminal_title as title
from overmind_core.view.cells import Row, safe
from overmind_tui.shell import clipboard
from overmind_tui.shell.messages import Done
from overmind_tui.shell.shell import ring
from overmind_tui.terminal.feeding import Feeding
from overmind_tui.terminal.user_terminal import UserTerminal

if TYPE_CHECKING:
    from textual.app import App

    from overmind_core.client import terminal_stream as stream
    from overmind_core.client.terminal_link import Link
    from overmind_core.terminal import state as happened
    from overmind_tui.missions.main_screen import MainScreen

AHEAD_LIMIT = 1 << 16
"""Bytes that are kept until there is a link that types."""


class TerminalSession:
    """The mission's terminal that stands in the pane.

    Args:
        screen: Whose pane.
        joined: Called when a run's terminal is on the screen.
        gone: Called when there is nothing to type into any more; `over` says why.
    """

    def __init__(
        self, screen: MainScreen, *, joined: Callable[[stream.Joined], None], gone: Callable[[], None]
    ) -> None:
        self._screen = screen
        self._joined_then, self._gone_then = joined, gone
        self.mission: str | None = None
        self.name = ""
        self.link: Link | None = None
        self.writes = False
        """Whether the link may type, and has a terminal to type into."""
        self.typing = False
        """Whether a person types now: only then anything is sent."""
        self.over = ""
        """Why there is nothing to type into any more."""
        self.ended = False
        """Whether that is because its program has ended."""
        self.finishing: float | None = None
        """Seconds that the turn lasts which has to end first."""
        self.finishing_since = 0.0
        """When that was said first (monotonic seconds)."""
        self.stale = False
        """Something came while nobody saw the pane."""
        self._asked = False
        self._ahead = bytearray()
        """Typed before there was such a link."""
        self._stirred = False
        self._feeding = Feeding(self._later, self.paint, self._pump)
        self._outer: UserTerminal | None = None

    @property
    def outer(self) -> UserTerminal:
        """The person's own terminal."""
        if self._outer is None:
            self._outer = UserTerminal(self._screen.shell)
        return self._outer

    @property
    def asks(self) -> bool:
        """Whether the link is one that asked to type."""
        return self._asked

    @property
    def modes(self) -> Modes:
        """Those of the terminal that is shown."""
        return self._feeding.screen.modes if self._feeding.screen is not None else Modes()

    @property
    def size(self) -> tuple[int, int] | None:
        """Columns and rows of the terminal that is shown."""
        shown = self._screen.terminal_view.screen_shown
        return None if shown is None else (shown.columns, shown.rows)

    # coming and going

    def enter(self, row: Row) -> None:
        """Another mission, or another try."""
        self.disconnect()
        self.mission, self.name = row["id"], row["name"]
        self.over, self.ended, self.finishing, self.stale = "", False, None, False
        self._screen.terminal_view.show(None)

    def leave(self) -> None:
        """No mission any more."""
        self.disconnect()
        self.mission = None
        self._screen.terminal_view.show_words("")
        self._screen.terminal_view.show(None)

    def connect(self, *, read_only: bool, size: tuple[int, int] | None = None) -> None:
        """Ask for the mission's terminal; `size`: of the pane, where it is not to be its own."""
        from overmind_core.client.terminal_link import Link  # noqa: PLC0415 - not before the first frame

        self.disconnect()
        columns, rows = size or self._screen.terminal_view.pane
        shell = self._screen.shell
        try:
            place, (mission,) = shell.located([self.mission or ""])
        except OvermindError as error:
            self._gone(f"{error.message} · esc back")
            return
        request = {"id": mission, "read_only": read_only, "keep": False, "columns": columns, "rows": rows}
        request |= {"looks": True} if read_only else {}
        self.link, self._asked = Link(place, request, partial(self._stir, shell.app)), not read_only
        if self._asked and self._ahead:
            self.link.type(bytes(self._ahead))
            self._ahead.clear()
        self.link.start()

    def disconnect(self) -> None:
        """Give the terminal up."""
        if self.link is not None:
            self.link.close()
        self.link, self.writes, self._asked = None, False, False

    def send(self, data: bytes) -> None:
        """Send what is typed; what comes before the link waits for it. Who does not type sends nothing."""
        if not data or not self.typing:
            return
        if self.link is not None and self._asked:
            self.link.type(data)
        elif len(self._ahead) + len(data) <= AHEAD_LIMIT:
            self._ahead += data

    def forget_ahead(self) -> None:
        """What was typed ahead is for nobody."""
        self._ahead.clear()

    def _gone(self, why: str) -> None:
        """The pane stays, with what stands there."""
        self.over, self.finishing, self.writes = why, None, False
        self._screen.terminal_view.show_words("")
        self._gone_then()

    # what comes

    def _stir(self, app: App[Any]) -> None:
        """From the link's thread, which may live longer than the screen: so it is told whose it is."""
        if not self._stirred:
            self._stirred = True
            app.post_message(Done(self._pump))

    def _later(self, seconds: float, then: Callable[[], None]) -> None:
        self._screen.set_timer(seconds, then)

    def _pump(self) -> None:
        """Take what has come, as much as fits into a slice."""
        self._stirred = False
        current = self.link
        self._feeding.begin()
        while current is not None and current is self.link and not self._feeding.busy:
            item = current.take()
            if item is None:
                break
            self._came(item)
        self._feeding.end()

    def _came(self, item: stream.Item) -> None:
        from overmind_core.client import terminal_stream as stream  # noqa: PLC0415 - not before the first frame

        shown = self._feeding.screen
        match item:
            case bytes():
                if self.in_sight:
                    self._feeding.feed(item)
                else:
                    self.stale = True
            case stream.Sized():
                if shown is not None:
                    shown.resize(item.columns, item.rows)
                    self.paint()
            case stream.Joined():
                self._joined(item)
            case stream.Exited():
                self.ended = True
                self._gone(title.exited(item.code))
            case stream.StateChange():
                self._on_result(item.item)
            case stream.Failed():
                self._gone(f"{safe(item.message)} · esc back")
            case stream.Severed():
                self._gone("connection lost · esc back")

    def _joined(self, item: stream.Joined) -> None:
        """Show the screen as it is, and listen to what its program says."""
        self._feeding.show(item.screen)
        self.over, self.ended, self.finishing, self.stale = "", False, None, False
        item.screen.on_event, item.screen.on_reply = self._happened, self._reply
        item.screen.colours = self.outer.colours()
        view = self._screen.terminal_view
        view.show_words("")
        view.show(item.screen)
        self.writes = item.write
        self._joined_then(item)
        self._screen.retitle()

    def redraw(self, item: stream.Joined) -> None:
        """A full-screen program is asked to draw everything, unless the new size does that."""
        size = (item.screen.columns, item.screen.rows)
        if item.screen.modes.alternate and size == self._screen.terminal_view.pane and self.link is not None:
            self.link.redraw()

    def _on_result(self, item: stream.Json) -> None:
        match item["type"]:
            case "finishing":
                if self.finishing is None:
                    self.finishing_since = time.monotonic()
                self.finishing = float(item["seconds"])
                if self.link is not None:
                    self.link.forget()
                self._screen.terminal_view.show_words(title.finishing(self.finishing))
                self._screen.retitle()
            case "waiting":
                self._screen.terminal_view.show_words(f"{safe(self.name)} is {safe(item['status'])} · esc back")
            case _:
                self.ended = item["type"] == "ended"
                self._gone(title.over(item))

    def _happened(self, event: happened.Event) -> None:
        """What the program said apart from text."""
        from overmind_core.terminal import state as happened  # noqa: PLC0415 - not before the first frame

        shell = self._screen.shell
        match event:
            case happened.TitleChanged():
                self._screen.retitle()
            case happened.Bell():
                shell.flash(f"{safe(self.name)}: bell")
                shell.app.bell()
            case happened.Notification():
                text = " · ".join(safe(part) for part in (self.name, event.title, event.body) if part)
                shell.flash(text)
                ring(shell, text)
            case happened.Clipboard():
                clipboard.copy(shell, event.data.decode("utf-8", "replace"), f"text from {safe(self.name)}")

    def _reply(self, answer: bytes) -> None:
        """What a terminal answers by itself; who only looks says nothing."""
        if self.writes:
            self.send(answer)

    def paint(self) -> None:
        """Draw what is different."""
        view = self._screen.terminal_view
        view.update()
        if self.typing:
            place = view.cursor_place
            shape = view.screen_shown.cursor.shape if view.screen_shown is not None else 0
            self.outer.show_cursor(None if place is None else shape)

    # being seen

    @property
    def in_sight(self) -> bool:
        """Whether a person sees the pane; what comes meanwhile is not fed, but drawn from the log later."""
        return self._screen.in_sight and self._screen.terminal_view.display

    def seen_again(self) -> None:
        """The pane may be in sight again."""
        if self.stale and self.in_sight and self.link is not None:
            self.stale = False
            self.link.replay()

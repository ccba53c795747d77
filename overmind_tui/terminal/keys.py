"""Keys, pastes and the mouse of a terminal pane, on their way to the program in there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from overmind_core.client.detach_keys import DetachKey
from overmind_core.terminal import input_encoding as terminal_keys
from overmind_core.terminal.modes import Modes
from overmind_core.view.cells import safe
from overmind_tui.terminal import encoding, input_tap
from overmind_tui.terminal.encoding import detach_keys
from overmind_tui.terminal.input_tap import Part
from overmind_tui.terminal.session import TerminalSession
from overmind_tui.widgets.canvas import WHEEL

if TYPE_CHECKING:
    from overmind_core.terminal.input_encoding import MouseEvent
    from overmind_tui.missions.main_screen import MainScreen

READ_SECONDS = 0.3
"""How long an offer stands there before its key counts: what was typed before was not meant for it."""


class TerminalKeys:
    """Sends what is for the program, and knows what is not.

    Args:
        screen: Whose pane.
        session: What stands in it.
        detach: Goes back to looking.
        leave: Leaves the pane, as a detach key does while one only looks: no key of ours reaches the program then.
    """

    def __init__(
        self,
        screen: MainScreen,
        session: TerminalSession,
        *,
        detach: Callable[[], None],
        leave: Callable[[], None],
    ) -> None:
        self._screen = screen
        self._session = session
        self._detach, self._leave = detach, leave

    @property
    def leaving(self) -> Sequence[DetachKey]:
        """The keys that leave."""
        shell = self._screen.shell
        return detach_keys(shell.home.config, shell.settings.detach_keys)

    def press(self, key: str, character: str | None) -> bool:
        """A key, when it is for the terminal."""
        if self._session.typing:
            self._press_typing(key, character)
            return True
        if self._leaves(key) is None:
            return False
        self._leave()
        return True

    def _press_typing(self, key: str, character: str | None) -> None:
        if self._session.finishing is not None:
            self._press_finishing(key)
        elif self._leaves(key) is not None:
            self._detach()
        else:
            self._screen.terminal_view.to_end()
            self._session.send(encoding.key(key, character, self._session.modes))

    def _press_finishing(self, key: str) -> None:
        if (
            key == "i"
            and self._session.link is not None
            and time.monotonic() > self._session.finishing_since + READ_SECONDS
        ):
            self._session.link.interrupt()
            self._screen.shell.flash(f"interrupting {safe(self._session.name)} …", "quiet")
        elif key in {"escape", "ctrl+c"} or self._leaves(key) is not None:
            self._screen.close_terminal()

    def _leaves(self, key: str) -> DetachKey | None:
        """The detach key that this is."""
        return next((one for one in self.leaving if encoding.key(key, None, Modes()) == bytes([one.byte])), None)

    def paste(self, text: str) -> bool:
        """A paste; whether it was for the terminal."""
        if self._session.typing and self._session.finishing is None:
            self._session.send(terminal_keys.paste(text, self._session.modes))
        return True

    def tapped(self, parts: Sequence[Part]) -> None:
        """What the person's terminal sent while it was tapped."""
        if not self._session.typing:
            self._screen.shell.typed.quiet.extend(time.monotonic())
            return
        modes = self._session.modes
        for part in parts:
            if part.kind is input_tap.PartKind.LEFT:
                self._detach()
                return
            if part.kind is not input_tap.PartKind.OURS:
                self._screen.terminal_view.to_end()
            self._session.send(encoding.tapped(part, modes))

    def point(self, event: MouseEvent) -> bool:
        """The mouse over the terminal; whether its program asked for that."""
        if not self._session.typing:
            return False
        from overmind_core.terminal import input_encoding  # noqa: PLC0415 - not before the first frame

        modes = self._session.modes
        if modes.mouse:
            self._session.send(input_encoding.encode_mouse(event, modes))
            return True
        arrows = {input_encoding.MouseButton.WHEEL_UP: "up", input_encoding.MouseButton.WHEEL_DOWN: "down"}
        arrow = arrows.get(event.button) if modes.alternate and modes.alternate_scroll else None
        if arrow is not None:
            self._session.send(terminal_keys.encode_key(arrow, modes) * WHEEL)
        return arrow is not None

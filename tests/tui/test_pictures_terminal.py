"""Pictures of the terminal pane in 80x24 and 120x40: looked at, typed into, searched, and what is left at the end."""

from __future__ import annotations

import pytest

from overmind_core.client import terminal_stream as stream
from overmind_core.terminal.screen import Screen
from tests.kit.pictures import SIZES
from tests.tui.test_pictures import ROWS, Still, settle

SHOWN = (
    "\x1b]2;make \x1b[red]\x07"
    + "".join(f"\x1b[90m{number:4d}\x1b[0m step {number} \x1b[32mok\x1b[0m [b]\r\n" for number in range(60))
    + "\x1b[1;31merror\x1b[0m: \x1b[4;38;2;122;162;247msrc/main.c:12\x1b[0m  日本語  e\u0301  \x1b[7mreverse\x1b[0m "
    "\x1b[9mgone\x1b[0m"
    "\r\n\x1b[48;5;236m a line on a ground of its own that is longer than the pane beside the list of missions \x1b[0m"
    "\r\n┌──────┬──────┐\r\n│ left │ right│\r\n└──────┴──────┘\r\n\x1b[1m$\x1b[0m make test"
)
STATES = {
    "looking": (["enter"], ()),
    "zoomed": (["enter", "z"], ()),
    "typing": (["a"], ()),
    "back": (["enter", "g"], ()),
    "searching": (["enter", "/", *"step 1", "enter"], ()),
    "selecting": (["enter", "space", "k", "k", "k"], ()),
    "characters": (["enter", "space", "k", "k", "k", "k", "k", *["left"] * 6], ()),
    "exited": (["a"], (stream.Exited(3),)),
    "finishing": (["a"], (stream.StateChange({"type": "finishing", "seconds": 125.0}),)),
}


class Stopped(Still):
    """Whose terminal shows always the same."""

    def __init__(self, after):
        super().__init__([{**row, "type": "session", "tty": True, "interactive": True} for row in ROWS])
        self._after = after
        self.main.terminal_panel.session.connect = self._connect  # type: ignore[method-assign]

    def _connect(self, *, read_only, size=None):
        del size
        stay = self.main.terminal_panel.session
        stay._asked = not read_only
        screen = Screen(100, 30) if read_only else Screen(*self.main.terminal_view.pane)
        screen.feed(SHOWN.encode())
        if not any(isinstance(item, stream.StateChange) for item in self._after):
            stay._came(stream.Joined(screen, "00000002.1", not read_only, again=False))
        for item in self._after:
            stay._came(item)


AFRESH = {"typing", "exited"}
"""What is typed into has the size of its pane: another mission's program would draw it again."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_the_terminal_looks_as_it_did(state, size, pictured):
    keys, after = STATES[state]

    async def drive(pilot):
        await settle(pilot)
        for key in keys:
            await pilot.press("space" if key == " " else key)
        await settle(pilot)
        pilot.app.main.refresh_status()
        await settle(pilot)

    assert pictured(Stopped(after), size, drive, afresh=state in AFRESH)

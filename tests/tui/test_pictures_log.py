"""Pictures of the log: filter, search, lines of ours, several missions, an empty part, in 80x24 and 120x40."""

from __future__ import annotations

import pytest

from overmind_core.logs.display import NOTE
from overmind_tui.render.layout import Panel
from overmind_tui.shell.messages import LogShown
from tests.kit.pictures import SIZES
from tests.tui.test_pictures import LOG, NOW, Still, settle

SERVICE = [
    (NOW - 600 + at * 7, 1 if at % 11 == 10 else 0, text)
    for at, text in enumerate(
        "\x1b[31mERROR\x1b[0m no answer from db-2 after 3 s"
        if at % 13 == 12
        else f"\x1b[32mGET\x1b[0m /users/{at * 37 % 101} \x1b[2m200 in {at % 9 + 2} ms\x1b[0m"
        for at in range(90)
    )
]
RULE = (NOW - 100, NOTE, "\x1b[2m── new since 23:58 ──\x1b[0m")
TOGETHER = [
    (wall, stream, f"\x1b[{36 if at % 3 else 33}m{'api    ' if at % 3 else 'planner'} │\x1b[0m {text}")
    for at, (wall, stream, text) in enumerate(SERVICE)
]
RESTART = (NOW - 50, NOTE, "\x1b[2m── restart 2 at 23:59 ──\x1b[0m")


class Log(Still):
    """The program with one log that never changes."""

    def __init__(self, lines, **how):
        super().__init__()
        self._lines, self._how = lines, how

    def _show_log(self, look):
        how = {"partial": "listening …", "runs": (3, 3)} | self._how
        self.post_message(LogShown(look, self._lines, **how))


STATES = {
    "new_since": (lambda: Log([*SERVICE[:60], RULE, *SERVICE[60:70], RESTART, *SERVICE[70:]]), ["l", "t"]),
    "filtered": (lambda: Log(SERVICE), ["l", "slash", *"error", "enter"]),
    "typing_a_filter": (lambda: Log(SERVICE), ["l", "f", "slash", *"db !x("]),
    "searched": (lambda: Log(SERVICE), ["l", "f", "slash", *"users", "tab", "enter", "N", "N"]),
    "together": (lambda: Log(TOGETHER, partial="", runs=(0, 0)), ["space", "space", "l", "f"]),
    "one_run": (lambda: Log(LOG, runs=(2, 3)), ["l", "p"]),
    "nothing_lately": (lambda: Log([], partial="", last_written=NOW - 7200), ["l", "f", "3"]),
    "no_match": (lambda: Log(SERVICE), ["l", "f", "slash", *"nowhere", "enter"]),
    "gone": (lambda: Log([], partial="", reason="the log was removed: /srv/logs/1 does not exist"), ["l"]),
    "reading_back": (lambda: Log(SERVICE, before=100_000), ["l", "f", "w", "t", "pageup", "ctrl+u"]),
    "sideways": (lambda: Log(LOG), ["l", "right"]),
}


AFRESH = {"reading_back"}
"""So many rows back is somewhere else in another size."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_log(pictured, state, size):
    make, keys = STATES[state]

    async def press(pilot):
        await settle(pilot)
        for key in keys:
            await pilot.press({"!": "exclamation_mark", "(": "left_parenthesis", " ": "space"}.get(key, key))
        assert pilot.app.main.panels.current is Panel.LOG
        await settle(pilot)

    assert pictured(make(), size, press, afresh=state in AFRESH)

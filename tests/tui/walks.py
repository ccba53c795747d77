"""Walks through a program that stands still: keys are pressed, and its requests to the supervisor are recorded."""

from __future__ import annotations

import asyncio
from typing import Any

from overmind_core.errors import OvermindError
from tests.tui.test_pictures import Still


class Recording(Still):
    """Records requests and command lines; goes before the class that answers.

    Attributes:
        asked: Each request as its command and its arguments.
        ran: The words of each command line that was begun.
        refuses: Whether every request is answered with `refusal`.
    """

    refusal = OvermindError("not_running", "It has ended.")

    def __init__(self, **how):
        super().__init__(**how)
        self.asked: list[tuple[str, Any]] = []
        self.ran: list[list[str]] = []
        self.refuses = False

        def start(_name, calls, _on_result):
            self.ran += [list(argv[4:]) for argv in calls]

        self.jobs.start = start  # type: ignore[method-assign]

    def request(self, command, requests, on_result):
        self.asked += [(command, dict(one)) for one in requests]
        if self.refuses:
            on_result([self.refusal for _ in requests])
        else:
            super().request(command, requests, on_result)

    def of(self, command):
        """The arguments of each request of a kind."""
        return [given for name, given in self.asked if name == command]


def walk(scenario, make, size=(120, 40), **how):
    """Run a scenario, which gets the program and a function that presses keys; `how`: arguments of `make`."""

    async def whole():
        app = make(**how)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()

            async def press(*steps):
                for one in steps:
                    await go(app, pilot, [one])
                    await pilot.pause()

            await scenario(app, press)

    asyncio.run(whole())


async def go(app, pilot, steps):
    """Lines and keys as the screen on top gets them: a fraction of the time that the pilot's own keys take."""
    for one in steps:
        if one.startswith(":"):
            app.commands.run(one[1:])
        else:
            app.screen.press(one, one if len(one) == 1 else None)
        if one.startswith(":") or one in {"enter", "x", "ctrl+d", "d", "escape", "y", "R", "H"}:
            await pilot.pause()


def read(lines):
    """The text of each line of cells."""
    return ["".join(cell.text for cell in line).rstrip() for line in lines]

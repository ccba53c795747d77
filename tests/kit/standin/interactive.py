"""On a terminal: what is asked before the start, the full-screen program, its ways out."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import Any, NoReturn

from tests.kit.standin import dialogs, screen_text
from tests.kit.standin.conversation import Unknown
from tests.kit.standin.options import Options, Refused
from tests.kit.standin.screen import Left, Screen
from tests.kit.standin.setup import NO_SERVICE, Setup, Step
from tests.kit.standin.terminal import Terminal
from tests.kit.standin.world import World

DEAF = 0.2
"""Seconds for which a dialog before the start hears nothing but Enter."""
LOOK_AGAIN = 1.0
"""Seconds after which a dialog is drawn anew."""


def run(options: Options) -> int:
    """Run the program on its terminal, and return its exit code."""
    terminal = Terminal()
    setup = Setup(os.environ, os.getcwd())
    if not setup.onboarded:
        terminal.write(NO_SERVICE.encode())
        return 1
    try:
        world = World(options._replace(partial=True), os.environ, "cli")
    except Unknown as unknown:
        raise Refused(str(unknown)) from None
    screen = Screen(world, terminal)
    _handle_signals(terminal)
    terminal.enter()
    try:
        for step in setup.steps(skips_permissions=options.skip_permissions):
            _settle(step, terminal)
        screen.run(options.prompt)
    except Left as left:
        return _leave(left, screen, terminal)
    except (EOFError, OSError):
        screen.leave("other")
        return screen.hang_up()


def _leave(left: Left, screen: Screen, terminal: Terminal) -> int:
    if left.reason:
        screen.leave(left.reason)
    terminal.leave()
    terminal.write(left.words.encode())
    return left.code


def _settle(step: Step, terminal: Terminal) -> None:
    """Ask before the start, until there is an answer."""
    opened, chosen = time.monotonic(), step.draw(80).default
    while True:
        size = terminal.size()
        asked = step.draw(size[0])
        terminal.draw(screen_text.dialog([], asked, chosen, size, numbered=False))
        for key in terminal.keys(LOOK_AGAIN):
            deaf = time.monotonic() - opened < DEAF
            if key.name in {"up", "down"} and not deaf:
                chosen = 1 - chosen
            elif key.name == "enter" and asked.options[chosen].decision is dialogs.YES:
                step.accept()
                return
            elif key.name in {"enter", "escape"} and step.ends:
                raise Left(1, words=step.refused)
            elif key.name in {"enter", "escape"}:
                return


def _handle_signals(terminal: Terminal) -> None:
    def end(number: int, _: FrameType | None) -> NoReturn:
        raise Left(0 if number == signal.SIGINT else 128 + number, "other")

    def resized(*_: Any) -> None:
        terminal.wake()  # the next picture has the new size

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)
    signal.signal(signal.SIGWINCH, resized)

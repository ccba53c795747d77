"""The scripted agent: no model, but it speaks as Claude Code does, in lines and on a terminal."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Sequence

from overmind_core.demo.project import SESSIONS
from overmind_core.demo.stage import ConversationMemory, HookCommands, Stage, TurnInterrupted
from overmind_core.demo.story import Story
from overmind_core.demo.stream_agent import InputEnded, StreamStage

SESSION = ("--session-id", "--resume")
SETTINGS = ("--settings",)
IN_LINES = "-p"
NO_SETTINGS = "{}"
NO_SESSION = "none"


def option(argv: Sequence[str], names: Sequence[str], otherwise: str) -> str:
    """The value of the option that has one of these names."""
    return next((value for name, value in itertools.pairwise(argv) if name in names), otherwise)


def in_lines(session: str, story_on: Callable[[Stage], Story], shop: str) -> None:
    """Answer messages until there will be no more."""
    lines = StreamStage(session)
    story = story_on(lines)
    while (message := lines.message()) is not None:
        began = time.monotonic()
        lines.begin(message, shop)
        try:
            text = story.answer(message.text)
            lines.say(text)
        except TurnInterrupted:
            lines.end("", time.monotonic() - began, interrupted=True)
        else:
            lines.end(text, time.monotonic() - began)


def on_terminal(session: str, story_on: Callable[[Stage], Story], argv: Sequence[str]) -> None:
    """Talk with a person until they leave; a first message may stand behind `--`."""
    from overmind_core.demo.terminal_agent import PersonLeft, TerminalStage, raw, turn, watch_size  # noqa: PLC0415 - the same

    hooks = HookCommands(option(argv, SETTINGS, NO_SETTINGS), session)
    screen = TerminalStage(hooks)
    story = story_on(screen)
    message = argv[-1] if "--" in argv[:-1] else ""
    with raw():
        watch_size(screen)
        screen.greet()
        hooks.run("SessionStart", source="startup")
        try:
            while True:
                turn(screen, story.answer, message or screen.message())
                message = ""
        except PersonLeft:
            hooks.run("SessionEnd", reason="other")


def main() -> None:
    """Play in the folder that we stand in."""
    argv, shop = sys.argv[1:], os.getcwd()
    session = option(argv, SESSION, NO_SESSION)
    memory = ConversationMemory(os.path.join(os.path.dirname(shop), SESSIONS), session)
    try:
        if IN_LINES in argv:
            in_lines(session, lambda stage: Story(stage, shop, memory), shop)
        else:
            on_terminal(session, lambda stage: Story(stage, shop, memory), argv)
    except (InputEnded, BrokenPipeError, KeyboardInterrupt):
        return


if __name__ == "__main__":
    main()

"""The scripted agent on a terminal: what was said scrolls above a prompt, or above the options of a question."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import termios
import time
import tty
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from overmind_core.demo.colours import BOLD, CYAN, GREEN, GREY, RED, YELLOW, paint
from overmind_core.demo.stage import (
    BACKSPACE,
    CANCEL,
    END,
    ENTER,
    ESCAPE,
    QUESTION,
    HookCommands,
    Keys,
    QuestionReply,
    TurnInterrupted,
    decision,
    stop,
)
from overmind_core.demo.stream_agent import reply

CURSOR = "\u276f"
"""Stands before the prompt, and before the first option."""
LEAVE = "/exit"
YES, NO = "Yes", "No, and tell the agent that you don't want it"
BUSY, IDLE = "◐", "✳"
"""First characters of the window's title."""
_CHUNK = 65536


class PersonLeft(Exception):
    """The person has left the program, or the terminal has gone."""


class TerminalStage:
    """A stage in front of a person.

    Args:
        hooks: Who gets what happens.
    """

    def __init__(self, hooks: HookCommands) -> None:
        self._hooks = hooks
        self._keys = Keys()
        self._came: deque[tuple[str, str]] = deque()
        self._typed = ""
        self._ahead: deque[str] = deque()
        """Messages that were typed and not answered yet."""
        self._working = False
        self._options: Sequence[str] = ()
        self._row = 0
        """Lines between the top of what is redrawn and the cursor."""
        self._drawn = False
        self._calls: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def greet(self) -> None:
        """Show the agent's name, and what it understands."""
        self._print(
            f"{paint('demo agent', BOLD)} {paint('a script, not a model: say tests, changes, ask or work', GREY)}"
        )

    # turns

    def message(self) -> str:
        """What the person types next.

        Raises:
            Left: they don't.
        """
        self._title(IDLE)
        self._draw()
        while not self._ahead:
            name, text = self._next(None)
            if name in {CANCEL, END} and not self._typed:
                raise PersonLeft
            self._edit(name, text)
        message = self._ahead.popleft()
        if message == LEAVE:
            raise PersonLeft
        return message

    def begin(self, message: str) -> None:
        """A turn begins."""
        self._hooks.turn = str(uuid.uuid4())
        self._working = True
        self._title(BUSY)
        self._print(paint(f"{CURSOR} {message}", BOLD))
        self._hooks.run("UserPromptSubmit", prompt=message)

    def end(self, text: str, *, interrupted: bool = False) -> None:
        """The turn is over."""
        self._working = False
        if interrupted:
            self._print(paint("Interrupted · What should I do instead?", YELLOW))
        else:
            self._hooks.run("Stop", last_assistant_message=text)

    # the stage

    def say(self, text: str) -> None:
        """Print it."""
        self._print(f"{paint('●', CYAN)} {text}")
        self.wait(0.3)

    def call(self, tool: str, subject: Mapping[str, Any]) -> str:
        """Print it."""
        name = f"toolu_{uuid.uuid4().hex[:16]}"
        self._calls[name] = (tool, subject)
        about = next((str(value) for value in subject.values() if isinstance(value, str)), "")
        self._print(f"{paint('●', GREEN)} {paint(tool, BOLD)} {paint(about, GREY)}")
        self._hooks.run("PreToolUse", tool_name=tool, tool_input=subject, tool_use_id=name)
        return name

    def returned(self, call: str, text: str, *, failed: bool = False) -> None:
        """Print its first line."""
        tool, subject = self._calls.pop(call)
        first = text.strip().partition("\n")[0]
        self._print(paint(f"  ⎿ {first or 'done'}", RED if failed else GREY))
        event = "PostToolUseFailure" if failed else "PostToolUse"
        self._hooks.run(event, tool_name=tool, tool_input=subject, tool_use_id=call, tool_response=text)

    def ask(self, call: str, tool: str, subject: Mapping[str, Any]) -> QuestionReply:
        """Show the options; whoever answers first, here or elsewhere, has answered."""
        labels = _labels(tool, subject)
        for line in _shown(tool, subject):
            self._print(line)
        waiting = self._hooks.begin("PermissionRequest", tool_name=tool, tool_input=subject, tool_use_id=call)
        self._options = labels or (YES, NO)
        self._draw()
        try:
            return self._answer(tool, labels, waiting)
        finally:
            self._options = ()
            stop(waiting)
            self._draw()

    def wait(self, seconds: float) -> None:
        """Meanwhile what is typed is taken in."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._listen(*self._next(left))

    # input

    def _answer(self, tool: str, labels: Sequence[str], waiting: Sequence[subprocess.Popen[bytes]]) -> QuestionReply:
        open_hooks = {hook.stdout.fileno(): hook for hook in waiting if hook.stdout is not None}
        while True:
            name, text = self._next(None, open_hooks)
            if name == ESCAPE:
                raise TurnInterrupted
            if text.isdigit() and 0 < int(text) <= len(self._options):
                label = self._options[int(text) - 1]
                return QuestionReply(allowed=label != NO, chosen=label if labels else "")
            if (decided := self._decided(open_hooks)) is not None:
                return reply(tool, decided)

    def _decided(self, hooks: dict[int, subprocess.Popen[bytes]]) -> Mapping[str, Any] | None:
        ready, _, _ = select.select(list(hooks), [], [], 0)
        for found in ready:
            text = hooks.pop(found).communicate()[0]
            if (decided := decision(text)) is not None:
                return decided
        return None

    def _next(self, seconds: float | None, others: Mapping[int, object] | None = None) -> tuple[str, str]:
        """The next key or text; nothing when the time is over, or one of the others has something.

        Raises:
            Left: the terminal has gone.
        """
        if not self._came:
            ready, _, _ = select.select([0, *(others or {})], [], [], seconds)
            if 0 in ready:
                data = os.read(0, _CHUNK)
                if not data:
                    raise PersonLeft
                self._came.extend(self._keys.feed(data))
        return self._came.popleft() if self._came else ("", "")

    def _listen(self, name: str, text: str) -> None:
        """During a turn Esc ends it; a message waits for its end."""
        if name in {ESCAPE, CANCEL}:
            raise TurnInterrupted
        self._edit(name, text)

    def _edit(self, name: str, text: str) -> None:
        if name == BACKSPACE:
            self._typed = self._typed[:-1]
        elif name in {CANCEL, ESCAPE}:
            self._typed = ""
        elif name == ENTER:
            self._ahead.extend(filter(None, [self._typed.strip()]))
            self._typed = ""
        elif text:
            self._typed += " ".join(text.split("\n"))
        else:
            return
        self._draw()

    # output

    def _bottom(self, columns: int) -> list[str]:
        if self._options:
            choices = [f"{CURSOR if not at else ' '} {at + 1}. {label}" for at, label in enumerate(self._options)]
            return ["", *choices]
        rule = paint("─" * (columns - 1), GREY)
        room = columns - 4
        hint = "esc to interrupt" if self._working else f"enter sends · {LEAVE} leaves"
        return [rule, f"{CURSOR} {self._typed[-room:]}", rule, paint(f"  {hint}", GREY)]

    def _draw(self) -> None:
        lines = self._bottom(_columns())
        self._write(self._erased() + "\r\n".join(lines))
        self._row, self._drawn = len(lines) - 1, True
        if not self._options:
            self._write(f"\x1b[2A\r\x1b[{2 + len(self._typed[-(_columns() - 4) :])}C")
            self._row = 1

    def _erased(self) -> str:
        if not self._drawn:
            return ""
        self._drawn = False
        return "\r" + (f"\x1b[{self._row}A" if self._row else "") + "\x1b[J"

    def _print(self, text: str) -> None:
        self._write(self._erased() + text.replace("\n", "\r\n") + "\r\n")
        self._draw()

    def _title(self, mark: str) -> None:
        self._write(f"\x1b]0;{mark} demo agent\x07")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def resized(self, *_: object) -> None:
        """The terminal has another size."""
        if self._drawn:
            self._draw()


def _columns() -> int:
    try:
        return max(os.get_terminal_size(1).columns, 20)
    except OSError:
        return 80


def _labels(tool: str, subject: Mapping[str, Any]) -> tuple[str, ...]:
    """The options of a choice; none of a permission."""
    if tool != QUESTION:
        return ()
    return tuple(option["label"] for option in subject["questions"][0]["options"])


def _shown(tool: str, subject: Mapping[str, Any]) -> Iterator[str]:
    """What is asked."""
    if tool == QUESTION:
        yield paint(subject["questions"][0]["question"], BOLD)
        return
    for name, colour, sign in (("old_string", RED, "-"), ("new_string", GREEN, "+")):
        if name in subject:
            yield from (paint(f"    {sign} {line}", colour) for line in str(subject[name]).split("\n"))
    about = str(subject.get("command") or subject.get("file_path"))
    yield f"{paint('May I?', BOLD)} {about}"


@contextlib.contextmanager
def raw() -> Iterator[None]:
    """A full screen; keys come one by one, pastes between brackets. Afterwards the terminal is as before."""
    before = termios.tcgetattr(0)
    tty.setraw(0)
    sys.stdout.write("\x1b[?1049h\x1b[H\x1b[2J\x1b[?2004h")
    try:
        yield
    finally:
        sys.stdout.write("\x1b[?2004l\x1b[?1049l")
        sys.stdout.flush()
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def turn(screen: TerminalStage, answer: Callable[[str], str], message: str) -> None:
    """One message and its answer."""
    screen.begin(message)
    try:
        text = answer(message)
        screen.say(text)
    except TurnInterrupted:
        screen.end("", interrupted=True)
    else:
        screen.end(text)


def watch_size(screen: TerminalStage) -> None:
    """Draw anew when the terminal changes its size."""
    signal.signal(signal.SIGWINCH, screen.resized)

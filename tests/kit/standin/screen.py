"""The full-screen program itself: one conversation on one terminal, its prompt, its questions."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NoReturn

from tests.kit.standin import dialogs, screen_text
from tests.kit.standin.agent import Agent
from tests.kit.standin.dialogs import Option
from tests.kit.standin.events import Event
from tests.kit.standin.keyboard import WRAP_END, Key, wrapped
from tests.kit.standin.questions import Decision, Question
from tests.kit.standin.terminal import Terminal
from tests.kit.standin.transcript import Transcript
from tests.kit.standin.world import World

START = 0.15
"""Seconds until the prompt is drawn; an Enter that comes before is lost."""
HOOKS_FIRST = 0.1
"""Seconds for which a question is not shown yet."""
TOO_SOON = 0.15
"""Seconds for which a key of a new question only moves the marker."""
SPINNER = ("◐", "◑")
TITLE_PERIOD = 1.0
"""Seconds for which the title shows one half of its spinner."""
AGAIN = "Press Ctrl-C again to exit"
CLEAR = "esc again to clear"
KEPT_LINES = 400
"""Lines of the conversation that are laid out."""


class Left(Exception):
    """The program ends; `code`: its exit status, `reason`: for the hooks, "" = it had not started."""

    def __init__(self, code: int, reason: str = "", words: str = "") -> None:
        super().__init__()
        self.code, self.reason, self.words = code, reason, words


class Screen:
    """Shows one conversation, and takes keys.

    Args:
        world: Of the process.
        terminal: That it has for itself.
    """

    can_ask = True
    refusal = ""

    def __init__(self, world: World, terminal: Terminal) -> None:
        self._world = world
        self._terminal = terminal
        self._agent = Agent(world, self)
        self._transcript = Transcript(screen_text.header(world.cwd))
        self._incoming: deque[Callable[[], None]] = deque()
        self._typed = ""
        self._hint = ""
        self._busy = False
        self._question: Question | None = None
        self._chosen = 0
        self._opened = 0.0
        self._title = ""
        self._keys: dict[str, Callable[[Key], None]] = {
            "text": self._type, "paste": self._type, "newline": self._type, "enter": self._enter,
            "escape": self._escape, "backspace": self._backspace, "ctrl-c": self._leave_or_stop,
            "ctrl-d": self._leave_or_stop, "ctrl-u": self._clear_line,
        }  # fmt: skip

    # for the agent's thread

    def emit(self, event: Event) -> None:
        """Show an event soon."""
        self._soon(lambda: self._show(event))

    def write(self, data: bytes) -> None:
        """Put bytes on the screen."""
        self._terminal.write(data)

    def asked(self, question: Question) -> None:
        """Show a question, unless a hook answers at once."""
        opening = threading.Timer(HOOKS_FIRST, self._soon, [lambda: self._open(question)])
        opening.daemon = True
        opening.start()

    def settled(self, question: Question, decision: Decision) -> None:
        """Take it away soon."""
        self._soon(lambda: self._close(question, decision))

    def _soon(self, step: Callable[[], None]) -> None:
        self._incoming.append(step)
        self._terminal.wake()

    # the program

    def run(self, prompt: str) -> NoReturn:
        """Run until the person leaves.

        Raises:
            Left: always.
        """
        early = self._before_the_prompt()
        for role, text in self._world.conversation.messages():
            self._transcript.person(text) if role == "user" else self._transcript.note("● " + text)
        self._agent.start()
        self._set_title()
        for key in early:
            if key.name in {"text", "paste"}:
                self._type(key)
        if prompt:
            self._submit(prompt)
        while True:
            self._paint()
            for key in self._terminal.keys(TITLE_PERIOD):
                self._press(key)
            while self._incoming:
                self._incoming.popleft()()

    def _before_the_prompt(self) -> list[Key]:
        keys: list[Key] = []
        ready = time.monotonic() + START
        while (left := ready - time.monotonic()) > 0:
            keys += self._terminal.keys(left)
        return keys

    def _paint(self) -> None:
        self._set_title()
        lines, size = self._transcript.shown()[-KEPT_LINES:], self._terminal.size()
        if self._question:
            asked = dialogs.permission(self._question, self._world.cwd, size[0])
            self._terminal.draw(screen_text.dialog(lines, asked, self._chosen, size, numbered=True))
        else:
            mode = self._world.permissions.mode
            self._terminal.draw(screen_text.prompt(lines, self._typed, mode, size, busy=self._busy, hint=self._hint))

    def _set_title(self) -> None:
        spinning = self._busy and not self._question
        sign = SPINNER[int(time.monotonic() / TITLE_PERIOD) % 2] if spinning else "✳"
        title = f"{sign} Claude Code"
        if title != self._title:
            self._title = title
            self._terminal.title(title)

    # what the agent does

    def _show(self, event: Event) -> None:
        if event.get("subtype") == "init":
            self._busy = True
        if event["type"] == "result":
            self._busy = False
        if event["type"] == "taken_back":
            self._typed = event["text"] + self._typed
            self._transcript.take_back()
        self._transcript.show(event)

    def _open(self, question: Question) -> None:
        if question.open:
            self._question, self._chosen, self._opened = question, 0, time.monotonic()

    def _close(self, question: Question, decision: Decision) -> None:
        if self._question is question:
            self._question = None
        self._transcript.decided(decision)

    # what the person does

    def _press(self, key: Key) -> None:
        self._hint = self._hint if key.name in {"ctrl-c", "ctrl-d", "escape", "other"} else ""
        if self._question and key.name not in {"ctrl-c", "ctrl-d"}:
            self._choose(self._question, key)
        elif key.name in self._keys:
            self._keys[key.name](key)

    def _choose(self, question: Question, key: Key) -> None:
        options = dialogs.permission(question, self._world.cwd, self._terminal.size()[0]).options
        if key.name in {"up", "down"}:
            self._chosen = (self._chosen + (1 if key.name == "down" else -1)) % len(options)
        elif key.name == "escape":
            question.answer(dialogs.STOP)
        elif key.name == "text" and key.text.isdigit() and 0 < int(key.text) <= len(options):
            self._chosen = int(key.text) - 1
            self._confirm(question, options)
        elif key.name == "enter":
            self._confirm(question, options)

    def _confirm(self, question: Question, options: Sequence[Option]) -> None:
        if time.monotonic() - self._opened > TOO_SOON:
            question.answer(options[self._chosen].decision)

    def _type(self, key: Key) -> None:
        self._typed += wrapped(key.text) if key.name == "paste" else key.text or "\n"

    def _backspace(self, _: Key) -> None:
        self._typed = self._typed[:-1]

    def _escape(self, _: Key) -> None:
        if self._busy:
            self._agent.interrupt()
        elif self._hint == CLEAR:
            self._typed, self._hint = "", ""
        elif self._typed:
            self._hint = CLEAR

    def _clear_line(self, _: Key) -> None:
        self._typed = self._typed[: self._typed.rfind("\n") + 1]

    def _leave_or_stop(self, _: Key) -> None:
        if self._hint == AGAIN:
            raise Left(0, "prompt_input_exit", self._farewell())
        if self._busy:
            self._agent.interrupt()
        else:
            self._typed, self._hint = "", AGAIN

    def _enter(self, _: Key) -> None:
        if self._typed.endswith("\\"):
            self._typed = self._typed[:-1] + "\n"
            return
        text, self._typed = self._typed if self._typed.endswith(WRAP_END) else self._typed.rstrip(), ""
        if text in {"/exit", "/quit"}:
            raise Left(0, "prompt_input_exit", self._farewell())
        if text == "/clear":
            self._clear()
        elif text.startswith("/"):
            self._transcript.note(f"● Unknown command: {text.split()[0]}")
        elif text.startswith("!"):
            self._shell(text[1:])
        elif text:
            self._submit(text)

    def _submit(self, text: str) -> None:
        self._transcript.person(text)
        self._agent.submit([{"type": "text", "text": text}])

    def _shell(self, command: str) -> None:
        done = subprocess.run(["/bin/bash", "-c", command], cwd=self._world.cwd, capture_output=True, text=True)
        self._transcript.note(f"! {command}\n  ⎿  {done.stdout}{done.stderr}".rstrip())

    def _clear(self) -> None:
        self._agent.leave("clear")
        self._world.clear()
        self._world.hooks.run("SessionStart", self._world.payload("SessionStart", source="clear"))
        self._transcript.clear()

    def _farewell(self) -> str:
        if not self._world.conversation.texts():
            return ""
        return f"\r\nResume this session with:\r\nclaude --resume {self._world.conversation.id}\r\n"

    # other ways out

    def leave(self, reason: str) -> None:
        """End what runs, and run the hooks of the end."""
        self._agent.leave(reason)

    def hang_up(self) -> int:
        """Return the exit status of a program whose terminal has gone."""
        return 128 + signal.SIGHUP if self._busy else 0

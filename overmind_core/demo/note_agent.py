"""The agents of the demonstration's notes: one learns something and writes it down, the other one is given that.

`python -m overmind_core.demo.note_agent learner …`; what stands behind the role is for the real program. They speak as
Claude Code does, in lines; what they do to files and which commands they run is real.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from typing import TYPE_CHECKING

from overmind_core.demo.agent import NO_SESSION, SESSION, option
from overmind_core.demo.project import AGENTS, LABEL, LEARNER, PROMPTS, READER
from overmind_core.demo.stage import run_program
from overmind_core.demo.stock import STOCK
from overmind_core.demo.stream_agent import InputEnded, StreamStage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LESSON = "Weights in stock.json are grams: ./check-stock refuses kilograms, so write 250 and not 0.25"
FIRST, MENDED = {"packets": 12, "weight": 0.25}, {"packets": 12, "weight": 250}
BLIND, INFORMED = {"packets": 8, "weight": 0.5}, {"packets": 8, "weight": 500}
"""What the reader writes without the note, and with it."""
GIVEN = "--append-system-prompt-file"
_NOTE = re.compile(r"\[(N-[0-9a-z]{10})\][^\n]*\n  \| ([^\n]*)")


class NoteAgent:
    """Plays one part in the folder that it stands in."""

    def __init__(self, stage: StreamStage, folder: str, given: str) -> None:
        """`given`: the text that was added to its system prompt."""
        self._stage = stage
        self._folder = folder
        self._given = given

    def learn(self) -> str:
        """A check fails, it mends what it wrote, and remembers why."""
        self._put("tea", FIRST)
        if self._check():
            return "Done: tea is in stock."
        self._stage.say("The check wants grams. I'll fix it, and write that down for the next one.")
        self._put("tea", MENDED)
        self._check()
        self._overmind("remember", "--kind", "gotcha", "--file", STOCK, LESSON)
        program = os.path.join(os.path.dirname(self._folder), AGENTS[READER])
        words = ("run", "--name", f"{LABEL}-{READER}", "--label", f"{LABEL}={READER}", "--provider", "claude")
        self._overmind(*words, "--env", f"OVERMIND_CLAUDE_BIN={program}", PROMPTS[READER])
        return "Done: tea is in stock, weighed in grams."

    def read(self) -> str:
        """It is given the note, cites it, and says that it has helped."""
        note = next((found for found in _NOTE.finditer(self._given) if STOCK in found[0]), None)
        if note is None:
            self._put("cocoa", BLIND)
            return "Done: cocoa is in stock." if self._check() else "The check fails, and I don't know why."
        self._stage.say(f"[{note[1]}] says: {note[2]}. So half a kilogram is 500.")
        self._put("cocoa", INFORMED)
        if not self._check():
            return f"The check fails, whatever [{note[1]}] says."
        self._overmind("helped", note[1])
        return f"Done: cocoa is in stock, the first time right, thanks to [{note[1]}]."

    def _put(self, name: str, entry: Mapping[str, float]) -> None:
        path = os.path.join(self._folder, STOCK)
        with open(path, encoding="utf-8") as file:
            before = file.read()
        after = json.dumps({**json.loads(before), name: entry}, indent=2) + "\n"
        edit = {"file_path": STOCK, "old_string": before, "new_string": after}
        self._use("Edit", edit, lambda: self._write(path, after))

    def _write(self, path: str, text: str) -> tuple[bool, str]:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return True, f"{STOCK} has been changed"

    def _check(self) -> bool:
        return self._run("./check-stock", ["./check-stock"])

    def _overmind(self, *words: str) -> None:
        shown = " ".join(["overmind", *(json.dumps(word) if " " in word else word for word in words)])
        self._run(shown, [sys.executable, "-P", "-m", "overmind_core.cli", *words])

    def _run(self, shown: str, argv: Sequence[str]) -> bool:
        """Run a command; whether it has succeeded."""
        return self._use("Bash", {"command": shown}, lambda: self._program(argv))

    def _use(self, tool: str, subject: dict[str, str], work: Callable[[], tuple[bool, str]]) -> bool:
        call = self._stage.call(tool, subject)
        self._stage.wait(0.4)
        well, output = work()
        self._stage.returned(call, output, failed=not well)
        self._stage.wait(0.2)
        return well

    def _program(self, argv: Sequence[str]) -> tuple[bool, str]:
        code, output = run_program(argv, self._folder)
        return (True, output) if code == 0 else (False, output if code is None else f"Exit code {code}\n{output}")


def given(argv: Sequence[str]) -> str:
    """The text that the file holds which the arguments name; "" for none."""
    path = option(argv, (GIVEN,), "")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def main() -> None:
    """Play in the folder that we stand in."""
    role, *argv = sys.argv[1:]
    folder = os.getcwd()
    stage = StreamStage(option(argv, SESSION, NO_SESSION))
    agent = NoteAgent(stage, folder, given(argv))
    try:
        while (message := stage.message()) is not None:
            began = time.monotonic()
            stage.begin(message, folder)
            text = agent.learn() if role == LEARNER else agent.read()
            stage.say(text)
            stage.end(text, time.monotonic() - began)
    except (InputEnded, BrokenPipeError, KeyboardInterrupt):
        return


if __name__ == "__main__":
    main()

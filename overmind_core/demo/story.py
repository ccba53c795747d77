"""What the scripted agent does: a plan that really changes the shop, with two questions in it, and small talk after."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from overmind_core.demo import project
from overmind_core.demo.project import PROMPT
from overmind_core.demo.stage import QUESTION, ConversationMemory, QuestionReply, Stage, question, run_program

GO_ON = ("go on", "continue", PROMPT.lower())
HELP = (
    "I am a script that plays an agent, so I know only a few words: `tests`, `changes`, `ask` (I ask you something),"
    " `work` (for a minute, so that you can interrupt it)."
)
SHOWN_AS = "How should prices be shown?"


class WorkRefused(Exception):
    """A person has refused; holds the agent's answer."""


class Story:
    """One conversation.

    Args:
        stage: Where it is played.
        shop: The folder of the project, in which we stand.
        memory: How far it has come.
    """

    def __init__(self, stage: Stage, shop: str, memory: ConversationMemory) -> None:
        self._stage = stage
        self._shop = shop
        self._memory = memory
        self._plan: Sequence[Callable[[], None]] = (
            self._look,
            self._promise,
            self._watch,
            self._fix,
            self._prove,
            self._choose,
            self._prove,
        )

    def answer(self, message: str) -> str:
        """Do what a message asks for; return the agent's last words."""
        wanted = message.strip().lower()
        if any(words in wanted for words in GO_ON) and self._memory.step < len(self._plan):
            return self._go_on()
        talk = {
            "test": self._tests,
            "change": self._changes,
            "diff": self._changes,
            "ask": self._ask,
            "work": self._work,
        }
        return next((do() for word, do in talk.items() if word in wanted), HELP)

    # the plan

    def _go_on(self) -> str:
        try:
            while self._memory.step < len(self._plan):
                self._plan[self._memory.step]()
                self._memory.advance()
        except WorkRefused as refused:
            return str(refused)
        return "Done: prices keep their cents, and a test proves it. `v` shows what I changed. Send me a message."

    def _look(self) -> None:
        self._stage.say("Let me look at how prices are shown.")
        self._use("Read", {"file_path": "prices.py"}, lambda: self._read("prices.py"))

    def _promise(self) -> None:
        self._stage.say("`cents // 100` drops the cents. I'll write a failing test first.")
        end = project.TESTS.rstrip("\n").rpartition("\n")[2] + "\n"
        edit = {"file_path": "test_prices.py", "old_string": end, "new_string": end + project.NEW_TEST}
        self._use("Edit", edit, lambda: self._edit("test_prices.py", end, end + project.NEW_TEST))
        self._run_tests()

    def _watch(self) -> None:
        """A mission of its own, below ours."""
        self._stage.say("It fails, as expected. I'll start a mission that runs the tests at every change.")
        name = "demo-tests"
        words = ["run", "--name", name, "--label", "demo=tests", "./test", "--watch"]
        self._use("Bash", {"command": f"overmind {' '.join(words)}"}, lambda: self._overmind(words))

    def _fix(self) -> None:
        old, new = f"    return FORMAT.format({project.LOST_CENTS})", f"    return FORMAT.format({project.KEPT_CENTS})"
        edit = {"file_path": "prices.py", "old_string": old, "new_string": new}
        self._may("Edit", edit, lambda: self._edit("prices.py", old, new), "I'll leave prices.py unchanged.")

    def _prove(self) -> None:
        self._run_tests()

    def _choose(self) -> None:
        asked = question(SHOWN_AS, {label: about for label, (about, _) in project.FORMATS.items()})
        reply = self._asked(QUESTION, asked)
        chosen = project.FORMATS.get(reply.chosen)
        if not reply.allowed or chosen is None or chosen[1] == project.FORMAT:
            self._stage.say("The format stays the same.")
            return
        edit = {"file_path": "prices.py", "old_string": project.FORMAT, "new_string": chosen[1]}
        self._use("Edit", edit, lambda: self._edit("prices.py", project.FORMAT, chosen[1]))

    # small talk

    def _tests(self) -> str:
        return "All tests pass." if self._run_tests() else "A test fails."

    def _changes(self) -> str:
        output = self._use("Bash", {"command": "git diff --stat"}, lambda: self._program(["git", "diff", "--stat"]))
        return output or "I haven't changed anything yet."

    def _ask(self) -> str:
        built = os.path.join(self._shop, "dist", "shop.zip")
        command = {"command": "rm -f dist/shop.zip", "description": "Remove the build's package"}
        try:
            self._may("Bash", command, lambda: self._remove(built), "I'll keep it.")
        except WorkRefused as refused:
            return str(refused)
        return "Removed. `r` on the build creates it again."

    def _work(self) -> str:
        for part in range(1, 13):
            self._use("Bash", {"command": f"sleep 5  # part {part} of 12"}, lambda: (True, ""), seconds=5.0)
        return "That was a minute."

    # tools

    def _use(
        self, tool: str, subject: Mapping[str, Any], work: Callable[[], tuple[bool, str]], *, seconds: float = 0.7
    ) -> str:
        """Use a tool without asking; what it said."""
        call = self._stage.call(tool, subject)
        self._stage.wait(seconds)
        return self._done(call, work)[1]

    def _may(self, tool: str, subject: Mapping[str, Any], work: Callable[[], tuple[bool, str]], otherwise: str) -> None:
        """Use a tool once a person allows it.

        Raises:
            Refused: nobody does.
        """
        call = self._stage.call(tool, subject)
        reply = self._stage.ask(call, tool, subject)
        if not reply.allowed:
            self._stage.returned(call, reply.said or "denied", failed=True)
            words = f" You said: {reply.said.rstrip('.')}." if reply.said else ""
            raise WorkRefused(f"{otherwise}{words} Write `go on`, and I'll ask again.")
        self._done(call, work)

    def _asked(self, tool: str, subject: Mapping[str, Any]) -> QuestionReply:
        call = self._stage.call(tool, subject)
        reply = self._stage.ask(call, tool, subject)
        self._stage.returned(call, reply.chosen or reply.said or "no answer", failed=not reply.allowed)
        return reply

    def _done(self, call: str, work: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
        well, output = work()
        self._stage.returned(call, output, failed=not well)
        self._stage.wait(0.3)
        return well, output

    def _run_tests(self) -> bool:
        call = self._stage.call("Bash", {"command": "./test"})
        return self._done(call, lambda: self._program(["./test"]))[0]

    def _overmind(self, words: list[str]) -> tuple[bool, str]:
        """Our own command line; where the name is taken another one will do."""
        program = [sys.executable, "-P", "-m", "overmind_core.cli"]
        well, output = self._program([*program, *words])
        if well or "name_taken" not in output:
            return well, output
        return self._program([*program, words[0], *words[3:]])

    def _program(self, argv: Sequence[str]) -> tuple[bool, str]:
        code, output = run_program(argv, self._shop)
        return code == 0, output

    def _path(self, name: str) -> str:
        return os.path.join(self._shop, name)

    def _read(self, name: str) -> tuple[bool, str]:
        try:
            with open(self._path(name), encoding="utf-8") as file:
                return True, file.read()
        except OSError as error:
            return False, str(error)

    def _edit(self, name: str, old: str, new: str) -> tuple[bool, str]:
        """Put one text in the place of another, once; done before is done."""
        well, text = self._read(name)
        if not well or (old not in text and new not in text):
            return False, f"{name} has changed in the meantime" if well else text
        if new not in text:
            with open(self._path(name), "w", encoding="utf-8") as file:
                file.write(text.replace(old, new, 1))
        return True, f"{name} has been changed"

    def _remove(self, path: str) -> tuple[bool, str]:
        if os.path.exists(path):
            os.unlink(path)
        return True, ""

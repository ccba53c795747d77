"""Actions that start missions: new ones, changed ones, and shells beside them.

A project's file runs commands: a person sees them, and says yes, before anything of it is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.view import form_request
from overmind_core.view.cells import Row, safe
from overmind_core.view.form_request import Talk
from overmind_core.view.hive_keys import hive_of
from overmind_tui.command_line.jobs import PROGRAM
from overmind_tui.missions import folder_completion
from overmind_tui.missions.new_mission import NewMissions, Starting, talk_of
from overmind_tui.pages.dialog import Answer, Dialog
from overmind_tui.shell import external

if TYPE_CHECKING:
    from overmind_tui.shell.remembered import Remembered
    from overmind_tui.shell.shell import Shell


Answers = Sequence[Any | OvermindError]
UNTRUSTED = "untrusted_project"
MOST = 12
"""Commands that the question shows."""
_WAYS = {Talk.TERMINAL: " · a types into it", Talk.MESSAGES: " · m sends it a message", Talk.NOT: ""}


def is_asked(error: OvermindError) -> bool:
    """Whether a person can allow what was refused."""
    return error.code == UNTRUSTED and {"path", "sha256", "commands"} <= error.fields.keys()


def ask(shell: Shell, error: OvermindError, trust: Callable[[], None]) -> None:
    """Show what the file of a project would run, after this refusal; trust it once the person says yes."""
    answers = [
        Answer(("y",), "trust it and start", trust, "slow"),
        Answer(
            ("n",), "cancel", lambda: shell.flash("nothing started · set isolate to no to start without it", "quiet")
        ),
    ]
    shell.open(Dialog("trust this project?", lines(error.fields), answers, first=1))


def lines(fields: Mapping[str, Any]) -> list[str]:
    """What a person has to know before they trust a file."""
    why = "has changed since you trusted it" if fields.get("changed") else "is not trusted yet"
    commands = [safe(command) for command in fields["commands"]]
    head = [safe(fields["path"]), f"{why}. It runs:" if commands else f"{why}. It runs no commands."]
    more = len(commands) - MOST
    return [*head, *(f"  {command}" for command in commands[:MOST]), *([f"  … and {more} more"] if more > 0 else [])]


UNTIL_READ = '"$@" || { code=$?; printf "\\n[press enter to go back] "; read -r line; exit $code; }'
"""What went wrong is on the terminal that we are about to cover."""


class StartActions:
    """Actions that begin work, or begin it anew."""

    def __init__(self, shell: Shell, remembered: Remembered) -> None:
        self._shell = shell
        self.new_missions = NewMissions(shell, Starting(self._run, self._started), remembered)
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "new": self.new,
            "edit": self.edit,
            "shell": self.shell,
        }

    # new

    def new(self, _rows: list[Row]) -> None:
        """Ask for a mission, in the folder of this program, or with what was typed before."""
        self.new_missions.open()

    def start_fast(self, what: str, text: str, *, folder: str) -> None:
        """Start an agent's session, a shell or a command without asking anything.

        Args:
            what: An agent, `shell` or `command`.
            text: The prompt or the command; may be empty but for a command.
            folder: Where it runs.
        """

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                self._shell.flash(safe(answer.message), "bad")
            else:
                self.new_missions.used(what)
                self._started(answer, talk)

        talk = talk_of(what, text)
        self._run(form_request.begun(what, text, talk), folder, on_result, lambda: None)

    def _run(
        self, asked: dict[str, Any], folder: str, on_result: Callable[[Answers], None], wait: Callable[[], None]
    ) -> None:
        """Ask for a mission; `wait`: called once the person trusts its project, and it is asked for again."""
        cwd = to_wire(folder_completion.absolute(folder, self._shell.world.folder))
        request = self._shell.world.request() | asked | {"cwd": cwd}
        place = self._shell.app.screen

        def judged(answers: Answers) -> None:
            (answer,) = answers
            on_result(answers)
            if isinstance(answer, OvermindError) and is_asked(answer) and self._shell.rests_at(place):
                ask(self._shell, answer, partial(trust, str(answer.fields["sha256"])))

        def trust(sha256: str) -> None:
            wait()
            told = {"cwd": request["cwd"], "env": request["env"], "sha256": sha256, "revoke": False}
            self._shell.request("trust", [told], trusted)

        def trusted(answers: Answers) -> None:
            if isinstance(answers[0], OvermindError):
                on_result(answers)
            else:
                self._run(asked, folder, on_result, wait)

        self._shell.request("run", [request], judged)

    def _started(self, answer: Row, talk: Talk) -> None:
        tail = _WAYS[talk]
        if answer.get("status") == "preparing":
            self._shell.flash(f"preparing {answer['name']} · l shows its setup log", "good")
        else:
            self._shell.flash(f"started {answer['name']}{tail}", "good")
        self._shell.main.select_soon(answer["id"])

    # changed

    def edit(self, rows: list[Row]) -> None:
        """Have its definition changed in the person's editor; what has changed is restarted."""
        row = rows[0]

        def begin(before: str) -> None:
            argv = ["/bin/sh", "-c", UNTIL_READ, "sh", *PROGRAM, "edit", "--no-restart", "--quiet", row["id"]]
            if expected.came():
                self._outside(argv, self._shell.world.folder, lambda code: self._edited(row["id"], before, code))

        expected = self._shell.expect_view()
        self._as_of(row["id"], begin, expected.failed)

    def _edited(self, mission: str, before: str, code: int) -> None:
        if code:
            self._shell.flash(f"nothing changed · your text is in {self._shell.home.root}/edits", "slow")
            return

        page = self._shell.app.screen

        def compare(after: str) -> None:
            row = self._shell.fleet.of(mission)
            if after == before or row is None:
                self._shell.flash("nothing changed", "quiet")
            else:
                self._shell.flash(f"{safe(row['name'])} is saved · r restarts it with the new definition", "good")
                if self._shell.rests_at(page):  # else the keys that come now are for what was opened meanwhile
                    self._shell.act("restart", [row])

        self._as_of(mission, compare)

    def _as_of(self, mission: str, then: Callable[[str], None], failed: Callable[[], None] = lambda: None) -> None:
        """Hand on what names the definition as it is now."""

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                failed()
                self._shell.flash(safe(answer.message), "bad")
            else:
                then(answer["as_of"])

        self._shell.request("definition", [{"id": mission}], on_result)

    # beside

    def shell(self, rows: list[Row]) -> None:
        """A shell in its folder and environment, until that is left."""
        row = rows[0]
        if hive := hive_of(row):
            name = safe(row["name"])
            self._shell.flash(f"{name} has its folder on {hive}: open a shell there, with overmind shell", "slow")
            return
        folder = from_wire(row["cwd"])
        if not os.path.isdir(folder):
            self._shell.flash(f"{safe(row['name'])}: its folder {safe(folder)} does not exist", "bad")
            return
        argv = [*PROGRAM, "shell", "--quiet", row["id"]]
        self._outside(argv, folder, lambda _code: self._shell.flash(f"back from {safe(folder)}", "quiet"))

    def _outside(self, argv: Sequence[str], folder: str, then: Any) -> None:  # noqa: ANN401 - see `outside.run`
        environ = {**self._shell.world.environ, "OVERMIND_HOME": self._shell.home.root}
        external.run(self._shell, argv, cwd=folder if os.path.isdir(folder) else "/", then=then, environ=environ)

"""Actions that start missions: new ones, changed ones, and shells beside them.

A project's file runs commands: a person sees them, and says yes, before anything of it is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.view import form_request
from overmind_core.view.cells import Row, safe
from overmind_core.view.form_request import Talk
from overmind_core.view.hive_keys import hive_of, key_of
from overmind_tui.command_line.jobs import PROGRAM
from overmind_tui.missions import folder_completion
from overmind_tui.missions.new_mission import NewMissions, Starting, talk_of
from overmind_tui.pages.compose import Composer, Purpose
from overmind_tui.pages.dialog import Answer, Dialog, is_shown_whole
from overmind_tui.pages.line import LineComposer
from overmind_tui.shell import external

if TYPE_CHECKING:
    from overmind_tui.shell.remembered import Remembered
    from overmind_tui.shell.shell import Shell


Answers = Sequence[Any | OvermindError]
UNTRUSTED = "untrusted_project"
MOST = 12
"""Commands that the question shows."""
NOT_STARTED = "nothing started · set isolate to no to start without it"
_WAYS = {Talk.TERMINAL: " · a types into it", Talk.MESSAGES: " · m sends it a message", Talk.NOT: ""}


def is_asked(error: OvermindError) -> bool:
    """Whether a person can allow what was refused."""
    return error.code == UNTRUSTED and {"path", "sha256", "commands"} <= error.fields.keys()


def ask(shell: Shell, error: OvermindError, trust: Callable[[], None]) -> None:
    """Show what the file of a project would run, after this refusal; trust it once the person says yes."""
    answers = [
        Answer(("y",), "trust it and start", trust, "slow"),
        Answer(("n",), "cancel", lambda: shell.flash(NOT_STARTED, "quiet")),
    ]
    shell.open(Dialog("trust this project?", lines(error.fields), answers, first=1))


def ask_to_trust(shell: Shell, folder: str, in_terminal: Callable[[], None]) -> None:
    """Trust the file of a folder's project as it is shown, once the person says yes; says so where there is none.

    `in_terminal`: asks there, where it runs more than a question shows.
    """
    cwd = to_wire(folder_completion.absolute(folder, shell.world.folder))
    request = {"cwd": cwd, "env": shell.world.request()["env"]}
    expected = shell.expect_view()

    def looked(answers: Answers) -> None:
        (seen,) = answers
        if isinstance(seen, OvermindError) or (why := _why_not_asked(seen, cwd)):
            expected.unneeded()
            shell.flash(f"trust: {safe(seen.message if isinstance(seen, OvermindError) else why)}", "bad")
        elif seen["trusted"]:
            expected.unneeded()
            shell.flash(f"trust: {safe(seen['path'])} is trusted already", "good")
        elif not expected.came():
            shell.flash("trust: not done, its question came late · type it again", "slow")
        elif not is_whole(shell, seen):
            in_terminal()
        else:
            ways = [
                Answer(("y",), "trust it", partial(trust, seen["sha256"]), "slow"),
                Answer(("n",), "cancel", lambda: shell.flash("trust: nothing was changed", "quiet")),
            ]
            shell.open(Dialog("trust this project?", lines(seen), ways, first=1))

    def trust(sha256: str) -> None:
        shell.request("trust", [{**request, "sha256": sha256, "revoke": False}], trusted)

    def trusted(answers: Answers) -> None:
        (answer,) = answers
        if isinstance(answer, OvermindError):
            shell.flash(f"trust: {safe(answer.message)}", "bad")
        else:
            shell.flash(f"trusted {safe(answer['path'])}", "good")

    shell.request("isolate", [request], looked)


def _why_not_asked(seen: Mapping[str, Any], folder: str) -> str:
    """Why there is nothing to trust in a folder; "": there is."""
    if seen["problems"] and not seen["sha256"]:
        return str(seen["problems"][0])
    where = seen["source"] or folder
    return f"{where} has no .overmind.yml · :init --isolation writes one" if seen["path"] is None else ""


def lines(fields: Mapping[str, Any]) -> list[str]:
    """What a person has to know before they trust a file."""
    why = "has changed since you trusted it" if fields.get("changed") else "is not trusted yet"
    commands = [safe(command) for command in fields["commands"]]
    head = [safe(fields["path"]), f"{why}. It runs:" if commands else f"{why}. It runs no commands."]
    more = len(commands) - MOST
    return [*head, *(f"  {command}" for command in commands[:MOST]), *([f"  … and {more} more"] if more > 0 else [])]


def is_whole(shell: Shell, fields: Mapping[str, Any]) -> bool:
    """Whether a question shows all that a file runs."""
    return len(fields["commands"]) <= MOST and is_shown_whole(lines(fields), shell.app.size)


class StartActions:
    """Actions that begin work, or begin it anew."""

    def __init__(self, shell: Shell, remembered: Remembered) -> None:
        self._shell = shell
        self.new_missions = NewMissions(shell, Starting(self._run, self._started), remembered)
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "new": self.new,
            "edit": self.edit,
            "shell": self.shell,
            "fork": self.fork,
        }
        self._forks: dict[str, str] = {}
        """Mission → how a copy of its conversation was to go on, while that was not sent."""

    # new

    def new(self, _rows: list[Row]) -> None:
        """Ask for a mission, in the folder of this program, or with what was typed before."""
        self.new_missions.open()

    def fork(self, rows: list[Row]) -> None:
        """Ask how a copy of an agent's conversation goes on; `:fork` makes one that waits for that."""
        row = rows[0]
        name = safe(row["name"])
        if len(rows) > 1:
            self._shell.flash(f"fork: select one: {len(rows)} are marked", "slow")
            return
        if row.get("provider") in {None, "", RAW}:
            is_session = row.get("type") == "session"
            why = "can be forked without a message alone: :fork" if is_session else "has no conversation to fork"
            self._shell.flash(f"{name} {why}", "slow")
            return

        def send(composer: Composer, text: str) -> None:
            def on_result(answers: Answers) -> None:
                (answer,) = answers
                if isinstance(answer, OvermindError):
                    composer.refused(answer.message)
                    return
                composer.done()
                self._shell.flash(f"forked {name} as {safe(answer['name'])}", "good")
                hive = hive_of(row)
                self._shell.main.select_soon(key_of(hive, answer["id"]) if hive else answer["id"])

            key = keys.setdefault(text, uuid4().hex)  # the same text forks once, also where an answer was lost
            self._shell.request("fork", [{"id": row["id"], "prompt": text, "request": key}], on_result)

        def keep(text: str) -> None:
            self._forks[row["id"]] = text

        keys: dict[str, str] = {}
        draft = self._forks.get(row["id"], "")
        self._shell.open(LineComposer(Purpose(f"fork of {name}", send, keep, draft)))

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
            if not (isinstance(answer, OvermindError) and is_asked(answer) and self._shell.rests_at(place)):
                return
            if is_whole(self._shell, answer.fields):
                ask(self._shell, answer, partial(trust, str(answer.fields["sha256"])))
            else:
                argv = ["/bin/sh", "-c", external.UNTIL_READ, "sh", *PROGRAM, "trust"]
                self._outside(argv, from_wire(cwd), asked_outside)

        def asked_outside(code: int) -> None:
            if code:
                self._shell.flash(NOT_STARTED, "quiet")
            else:
                wait()
                self._run(asked, folder, on_result, wait)

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

        def begin(before: Mapping[str, Any]) -> None:
            refusal = before.get("restart_refused")  # an older daemon says none
            if refusal is not None and not before["live"]:
                expected.failed()
                self._shell.flash(safe(refusal), "slow")
                return
            argv = ["/bin/sh", "-c", external.UNTIL_READ, "sh", *PROGRAM, "edit", "--no-restart", "--quiet", row["id"]]
            if expected.came():
                as_of = before["as_of"]
                self._outside(argv, self._shell.world.folder, lambda code: self._edited(row["id"], as_of, code))

        expected = self._shell.expect_view()
        self._defined(row["id"], begin, expected.failed)

    def _edited(self, mission: str, before: str, code: int) -> None:
        if code:
            self._shell.flash(f"nothing changed · your text is in {self._shell.home.root}/edits", "slow")
            return

        page = self._shell.app.screen

        def compare(after: Mapping[str, Any]) -> None:
            row = self._shell.fleet.of(mission)
            if after["as_of"] == before or row is None:
                self._shell.flash("nothing changed", "quiet")
            elif after.get("restart_refused") is not None:
                told = "its limits apply at once, all else in its next run"
                self._shell.flash(f"{safe(row['name'])} is saved · {told}", "good")
            else:
                self._shell.flash(f"{safe(row['name'])} is saved · r restarts it with the new definition", "good")
                if self._shell.rests_at(page):  # else the keys that come now are for what was opened meanwhile
                    self._shell.act("restart", [row])

        self._defined(mission, compare)

    def _defined(
        self, mission: str, then: Callable[[Mapping[str, Any]], None], failed: Callable[[], None] = lambda: None
    ) -> None:
        """Hand on the answer to `definition`."""

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                failed()
                self._shell.flash(safe(answer.message), "bad")
            else:
                then(answer)

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
        external.run_shell(self._shell, argv, folder, safe(row["name"]), self._environ)

    def _outside(self, argv: Sequence[str], folder: str, then: Any) -> None:  # noqa: ANN401 - see `external.run`
        cwd = folder if os.path.isdir(folder) else "/"
        external.run(self._shell, argv, cwd=cwd, then=then, environ=self._environ)

    @property
    def _environ(self) -> dict[str, str]:
        return {**self._shell.world.environ, "OVERMIND_HOME": self._shell.home.root}

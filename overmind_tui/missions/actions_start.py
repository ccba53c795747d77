"""Actions that start missions: new ones, changed ones, and shells beside them.

A project's file runs commands: a person sees them, and says yes, before anything of it is used.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent import RAW, AgentMode
from overmind_core.domain.missions import names
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.providers import registry as providers
from overmind_core.view import form_fields, form_request
from overmind_core.view.cells import Row, safe
from overmind_core.view.field import Field
from overmind_core.view.form_fields import COMMAND, SHELL, Form, ProgramKind, Startable
from overmind_core.view.hive_keys import hive_of
from overmind_tui.command_line.jobs import PROGRAM
from overmind_tui.missions import folder_completion
from overmind_tui.pages.dialog import Answer, Dialog
from overmind_tui.shell import external, world

if TYPE_CHECKING:
    from overmind_tui.missions.form import FormScreen
    from overmind_tui.shell.shell import Shell


Answers = Sequence[Any | OvermindError]
UNTRUSTED = "untrusted_project"
MOST = 12
"""Commands that the question shows."""


def is_asked(error: OvermindError) -> bool:
    """Whether a person can allow what was refused."""
    return error.code == UNTRUSTED and {"path", "sha256", "commands"} <= error.fields.keys()


def ask(shell: Shell, error: OvermindError, request: Mapping[str, Any], then: Callable[[], None]) -> None:
    """Show what the file of a project would run; trust it, and go on, once the person says yes.

    Args:
        shell: The program that asks.
        error: The refusal.
        request: What was refused, with `cwd` and `env`.
        then: Asks for the same again.
    """

    def on_result(answers: Answers) -> None:
        (answer,) = answers
        if isinstance(answer, OvermindError):
            shell.flash(safe(answer.message), "bad")
        else:
            then()

    def trust() -> None:
        asked = {"cwd": request["cwd"], "env": request["env"], "sha256": error.fields["sha256"], "revoke": False}
        shell.request("trust", [asked], on_result)

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
LOOK_SECONDS = 1.0
"""Seconds that keys wait for what is installed; a file system that does not answer must not hold them for ever."""
_random = random.SystemRandom()


class StartActions:
    """Actions that begin work, or begin it anew."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.handlers: dict[str, Callable[[list[Row]], object]] = {
            "new": self.new,
            "edit": self.edit,
            "shell": self.shell,
        }
        self._draft: Form | None = None
        """What was typed into a form that was closed."""
        self._folder = ""
        """With which that form began."""
        self._last = ""
        """What was started last."""

    # new

    def new(self, _rows: list[Row]) -> None:
        """Ask for a mission, beginning in the folder of this program, or with what was typed before."""
        shell = self._shell
        folder = safe(shell.world.folder)
        shell.typed.hold()
        opened = False

        def open_once(agents: dict[str, bool]) -> None:
            nonlocal opened
            if not opened:
                opened = True
                self._open(agents, folder)

        def work() -> Callable[[], None]:
            agents = world.installed_agents(shell.world.environ)
            return lambda: open_once(agents)

        nobody_knows = {name: False for name in providers.names() if name != RAW}
        shell.app.set_timer(LOOK_SECONDS, lambda: open_once(nobody_knows))
        shell.background(work)

    def _open(self, agents: dict[str, bool], folder: str) -> None:
        from overmind_tui.missions.form import FormScreen  # noqa: PLC0415 - only when it is asked for

        form = self._form(_whats(agents), folder)
        self._folder = folder
        self._shell.open(FormScreen(form, start=self._start, keep=self._keep))

    def _form(self, whats: Sequence[Startable], folder: str) -> Form:
        fresh = form_fields.empty(whats, folder=folder, generated=self._generated())
        draft = self._draft
        if draft is not None:
            known = {one.name for one in whats}
            untouched = {"cwd"} if draft.values["cwd"].text == self._folder else set()
            untouched |= set() if draft.what.name in known else {"what"}
            values = {key: value for key, value in draft.values.items() if key not in untouched}
            return replace(fresh, values={**fresh.values, **values}, at=draft.at, unfolded=draft.unfolded)
        if self._last in {one.name for one in whats if not one.missing}:
            fresh = replace(fresh, values={**fresh.values, "what": Field(self._last)})
        return form_fields.settled(fresh)

    def _generated(self) -> str:
        return names.generate({row["name"] for row in self._shell.fleet.rows.values()}, _random)

    def _keep(self, form: Form) -> None:
        given = {key: value.text for key, value in form.values.items() if key not in {"what", "cwd", "more"}}
        nothing = form_fields.empty(form.whats, folder="", generated="")
        self._draft = None if all(text == nothing.values[key].text for key, text in given.items()) else form

    def _start(self, screen: FormScreen, form: Form) -> None:
        try:
            asked = form_request.request(form)
        except form_request.Wrong as wrong:
            screen.refused(wrong.key, wrong.sentence)
            return
        if form.what.sort is ProgramKind.AGENT and not _has_screen(form.what.name):
            asked = {key: value for key, value in asked.items() if key not in {"type", "interactive"}}

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                screen.refused(form_request.wrong_entry(answer), form_request.without_options(answer.message))
                return
            self._draft, self._last = None, form.what.name
            screen.close()
            self._started(answer, typed_into=form_request.is_typed_into(form.what.name, form.text("text")))

        self._run(asked, form.text("cwd"), on_result)

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
                self._started(answer, typed_into=form_request.is_typed_into(what, text))

        interactive = what in {SHELL, COMMAND} or _has_screen(what)
        self._run(form_request.begun(what, text, interactive=interactive), folder, on_result)

    def _run(self, asked: dict[str, Any], folder: str, on_result: Any) -> None:  # noqa: ANN401 - see `Requests.send`
        cwd = to_wire(folder_completion.absolute(folder, self._shell.world.folder))
        request = self._shell.world.request() | asked | {"cwd": cwd}

        def judged(answers: Answers) -> None:
            (answer,) = answers
            on_result(answers)
            if isinstance(answer, OvermindError) and is_asked(answer):
                ask(self._shell, answer, request, lambda: self._run(asked, folder, on_result))

        self._shell.request("run", [request], judged)

    def _started(self, answer: Row, *, typed_into: bool) -> None:
        tail = " · a types into it" if typed_into else ""
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
                if self._shell.app.screen is page:  # else the keys that come now are for what was opened meanwhile
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


def _has_screen(agent: str) -> bool:
    """Whether its program is one that a person can type into."""
    return AgentMode.INTERACTIVE in providers.get(agent).modes


def _whats(agents: dict[str, bool]) -> list[Startable]:
    """What can be started; what is not installed stands last, with how it would be."""
    there = [Startable(name) for name, found in agents.items() if found]
    missing = [
        Startable(name, f"{providers.get(name).program} is not on PATH · {providers.get(name).install}")
        for name, found in agents.items()
        if not found
    ]
    plain = [Startable(SHELL), Startable(COMMAND)] if there else [Startable(COMMAND), Startable(SHELL)]
    return [*there, *plain, *missing]

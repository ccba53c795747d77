"""New missions: typed in the line, or filled in as a form. What was typed is kept until it is started or dropped."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.agents.agent import RAW, AgentMode
from overmind_core.domain.missions import names
from overmind_core.errors import OvermindError
from overmind_core.providers import registry as providers
from overmind_core.view import form_fields, form_request, prompt
from overmind_core.view.cells import Row, safe
from overmind_core.view.field import Field
from overmind_core.view.form_fields import COMMAND, SHELL, Form, ProgramKind, Startable
from overmind_core.view.form_request import Talk
from overmind_core.view.prompt import Task
from overmind_core.view.question_block import short_path
from overmind_tui.missions.task_line import TaskLine
from overmind_tui.pages.compose import START, Purpose
from overmind_tui.shell import world

if TYPE_CHECKING:
    from overmind_tui.missions.form import FormScreen
    from overmind_tui.pages.compose import Composer
    from overmind_tui.shell.remembered import Remembered
    from overmind_tui.shell.shell import Shell

Answers = Sequence[Any | OvermindError]
Run = Callable[[dict[str, Any], str, Callable[[Answers], None], Callable[[], None]], None]
"""Asks for a mission: its arguments, its folder, who hears the answer, and who waits anew when it is asked again."""
LOOK_SECONDS = 1.0
"""Seconds that keys wait for what is installed; a file system that does not answer must not hold them for ever."""
LAST_AGENT = "last_agent"
"""The name by which the agent that was used last is remembered."""
TASK, TASK_AGENT = "new_task", "new_task_agent"
"""The names by which a task that was not started is remembered, and whose it was."""
TASKS = "tasks"
"""The name by which texts that were started or dropped are remembered."""
LONGEST = 4_000
"""Characters of a task that is kept beyond this program's end."""
MOST = 50
"""Tasks that are kept to be taken again."""
ELSEWHERE = frozenset({"what", "text", "more"})
"""Entries of the form that the line has, too, or that hold nothing."""
_random = random.SystemRandom()


class Starting(NamedTuple):
    """What a new mission asks of the actions that begin work: to run it, and to say that it runs."""

    run: Run
    started: Callable[[Row, Talk], None]
    """Gets the answer, and how a person talks with what it is about."""


class NewMissions:
    """The line and the form of a new mission.

    Args:
        shell: Where they are shown.
        starting: Runs what was typed.
        remembered: Which agent was used last.
    """

    def __init__(self, shell: Shell, starting: Starting, remembered: Remembered) -> None:
        self._shell = shell
        self._starting = starting
        self._last_agent = remembered.get(LAST_AGENT, "")
        self._text, self._text_agent = remembered.get(TASK, ""), remembered.get(TASK_AGENT, "")
        """What was typed into the line and not started, and whose task it was."""
        self._form: Form | None = None
        """What was typed into the form and not started."""
        self._folder = ""
        """With which that form began."""
        self._tasks: list[str] = remembered.get(TASKS, list[str]())[-MOST:]
        """Texts that were started or dropped, the newest last."""
        self._agents: Mapping[str, bool] | None = None
        """Each agent and whether it is installed, as of the last look."""

    # opening

    def open(self) -> None:
        """Take a task in the line, or go on in the form where more than that was filled in."""
        shell = self._shell
        shell.typed.hold()
        opened = False

        def open_once(agents: Mapping[str, bool] | None) -> None:
            nonlocal opened
            if not opened:
                opened = True
                self._open(agents)

        def work() -> Callable[[], None]:
            agents = world.installed_agents(shell.world.environ)
            return lambda: open_once(agents)

        shell.app.set_timer(LOOK_SECONDS, lambda: open_once(self._agents))
        shell.background(work)

    def _open(self, agents: Mapping[str, bool] | None) -> None:
        self._agents = self._agents if agents is None else agents
        agent = prompt.agent_for(self._last_agent, self._agents or {})
        kept = prompt.task(self._text)
        if self._form is not None:
            self._open_form(self._form)
        elif self._agents is None or (kept.text and not kept.is_command and self._text_agent and not agent):
            self._to_form(kept, self._text_agent)  # it says whose task it is
        else:
            self._open_line(agent, self._text)

    def _open_line(self, agent: str, draft: str) -> None:
        shell = self._shell

        def send(line: Composer, text: str) -> None:
            self._start_task(line, text, agent)

        def keep(text: str) -> None:
            self._hold(text, agent)
            if text.strip():
                shell.flash("kept: n opens it again", "quiet")

        purpose = Purpose("", send, keep, draft, self._tasks, verb=START, recall=self._recall,
                          way_back="n, then up, restores the text")  # fmt: skip
        folder = short_path(shell.world.folder, shell.world.environ.get("HOME", ""))
        shell.open(TaskLine(purpose, agent, folder, lambda text: self._to_form(prompt.task(text), agent)))

    def _to_form(self, task: Task, agent: str) -> None:
        """Go on in the form with what was typed in the line; the cursor is behind that."""
        form = self._fresh()
        if task.text and not task.is_command and not agent:  # a task is not run as a command
            agent = next((one.name for one in form.whats if one.sort is ProgramKind.AGENT), "")
        if task.text or task.is_command or agent:
            what = COMMAND if task.is_command else agent
            values = {**form.values, "text": Field.of(task.text), **({"what": Field(what)} if what else {})}
            form = form_fields.settled(replace(form, values=values, at="name" if task.text else "text"))
        self._show(form)

    def _open_form(self, draft: Form) -> None:
        """Go on in a form that was closed."""
        fresh = self._fresh()
        untouched = {"cwd"} if draft.values["cwd"].text == self._folder else set()
        untouched |= set() if draft.what.name in {one.name for one in fresh.whats} else {"what"}
        values = {key: value for key, value in draft.values.items() if key not in untouched}
        filled = replace(fresh, values={**fresh.values, **values}, at=draft.at, unfolded=draft.unfolded)
        self._show(form_fields.settled(filled))

    def _show(self, form: Form) -> None:
        from overmind_tui.missions.form import FormScreen  # noqa: PLC0415 - only when it is asked for

        self._folder = safe(self._shell.world.folder)
        self._shell.open(FormScreen(form, start=self._start, keep=self._keep))

    def _fresh(self) -> Form:
        agents = self._agents or {name: False for name in providers.names() if name != RAW}
        taken = {row["name"] for row in self._shell.fleet.rows.values()}
        generated = names.generate(taken, _random)
        return form_fields.empty(_startable(agents), folder=safe(self._shell.world.folder), generated=generated)

    # keeping

    def _hold(self, text: str, agent: str) -> None:
        """Keep a text of the line, also beyond the end of this program."""
        if (text, agent) != (self._text, self._text_agent):
            self._text, self._text_agent = text, agent
            self._shell.remember(**{TASK: text if len(text) <= LONGEST else "", TASK_AGENT: agent})

    def _recall(self, text: str) -> None:
        self._tasks[:] = [*(one for one in self._tasks if one != text), text][-MOST:]
        self._shell.remember(**{TASKS: [one for one in self._tasks if len(one) <= LONGEST]})

    def _keep(self, form: Form) -> None:
        """Keep the form; where it says no more than the line can, its text is that of the line."""
        agent = prompt.agent_for(self._last_agent, self._agents or {})
        task = Task(form.what.sort is ProgramKind.COMMAND, form.text("text"))
        in_line = self._agents is not None and prompt.can_be_typed(task) and _fits_line(form, agent, self._folder)
        self._form = None if in_line else form
        self._hold(prompt.as_typed(task) if in_line and task.text else "", agent)
        if task.text or self._form is not None:
            self._shell.flash("kept: n opens it again", "quiet")

    # starting

    def _start_task(self, line: Composer, typed: str, agent: str) -> None:
        task = prompt.task(typed)
        what = COMMAND if task.is_command else agent

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                line.refused(form_request.without_options(answer.message))
                return
            if typed.strip():
                self._recall(typed)
            self._form = None
            self._hold("", "")
            line.done()
            self._started(what, task.text, answer)

        begun = form_request.begun(what, task.text, talk_of(what, task.text))
        self._starting.run(begun, self._shell.world.folder, on_result, line.wait)

    def _start(self, screen: FormScreen, form: Form) -> None:
        try:
            asked = form_request.request(form, talk_of(form.what.name, form.text("text")))
        except form_request.Wrong as wrong:
            screen.refused(wrong.key, wrong.sentence)
            return

        def on_result(answers: Answers) -> None:
            (answer,) = answers
            if isinstance(answer, OvermindError):
                screen.refused(form_request.wrong_entry(answer), form_request.without_options(answer.message))
                return
            self._form = None
            self._hold("", "")
            screen.close()
            self._started(form.what.name, form.text("text"), answer)

        self._starting.run(asked, form.text("cwd"), on_result, screen.wait)

    def _started(self, what: str, text: str, answer: Row) -> None:
        self.used(what)
        self._starting.started(answer, talk_of(what, text))

    def used(self, what: str) -> None:
        """This was started; the next task is for the same agent."""
        if what not in {SHELL, COMMAND, self._last_agent}:
            self._last_agent = what
            self._shell.remember(**{LAST_AGENT: what})


def _fits_line(form: Form, agent: str, folder: str) -> bool:
    """Whether the line of `agent` has a place for all that was filled in. `folder`: with which the form began."""
    nothing = form_fields.empty(form.whats, folder=folder, generated="")
    is_same = form.what.sort is ProgramKind.COMMAND or form.what.name == agent
    return is_same and all(
        value.text == nothing.values[key].text for key, value in form.values.items() if key not in ELSEWHERE
    )


def talk_of(what: str, text: str) -> Talk:
    """How a person talks with what begins: an agent, `shell` or `command`; of commands a shell alone is typed into."""
    if what in {SHELL, COMMAND}:
        return Talk.TERMINAL if what == SHELL or text in form_request.SHELLS else Talk.NOT
    modes = providers.get(what).modes
    if AgentMode.INTERACTIVE in modes:
        return Talk.TERMINAL
    return Talk.MESSAGES if AgentMode.HEADLESS in modes else Talk.NOT


def _startable(agents: Mapping[str, bool]) -> list[Startable]:
    """What can be started; what is not installed stands last, with how it would be."""
    there = [Startable(name) for name, found in agents.items() if found]
    missing = [
        Startable(name, f"{providers.get(name).program} is not on PATH · {providers.get(name).install}")
        for name, found in agents.items()
        if not found
    ]
    plain = [Startable(SHELL), Startable(COMMAND)] if there else [Startable(COMMAND), Startable(SHELL)]
    return [*there, *plain, *missing]

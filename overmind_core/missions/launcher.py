"""The launcher of runs: composes the environment, asks the keeper, applies what came of it."""

from __future__ import annotations

import asyncio
import errno
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.events import NotesGiven
from overmind_core.domain.memory.giving import log_line
from overmind_core.domain.missions.facts import Spawned, SpawnFailed
from overmind_core.domain.missions.mission import Definition, Mission, Run, Status
from overmind_core.domain.shell.executed import executed
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError, with_hint
from overmind_core.kernel.database import StoreError
from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused
from overmind_core.missions import private_files
from overmind_core.missions.environment import NOTES_FILE, SHELL, Identity, Located, Locator, compose
from overmind_core.missions.leases import MissionFenced
from overmind_core.providers import registry
from overmind_core.system.process_table import identity
from overmind_core.wire.keeper import ERROR_FENCED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from overmind_core.domain.memory.giving import GivenNotes
    from overmind_core.domain.missions.tree import SpentLimit
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.journal import Change
    from overmind_core.kernel.keeper_client import KeeperConnection
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.leases import Leases
    from overmind_core.missions.ports import Preparer, Runner
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.spec import Environment
    from overmind_core.system.paths import Home

_REASONS = {
    errno.E2BIG: "too_large",
    errno.ENOENT: "not_found",  # the program is there: its interpreter is not
    errno.ENOEXEC: "invalid",
    errno.EACCES: "invalid",
    errno.EAGAIN: "busy",
    errno.ENOMEM: "busy",
}
"""errno of execve(2) or fork(2) → code of the error that the person reads."""
SPAWNING = frozenset({Status.PREPARING, Status.STARTING, Status.STOPPING})
"""Where a mission may be while the keeper is asked for its run."""
_log = logging.getLogger(__name__)


class PreparedRun(NamedTuple):
    """Everything that the keeper needs beyond the definition."""

    program: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    given: GivenNotes | None
    """What of the notes it is given; None: it is to be given nothing."""


class Launcher:
    """Asks the keeper for runs. `link` is replaced when the keeper is."""

    def __init__(
        self,
        *,
        home: Home,
        registry: Registry,
        settings: Settings,
        environments: Environments,
        leases: Leases,
        runner: Runner,
        preparer: Preparer,
        secrets: Callable[[Mission], Mapping[str, str]],
    ) -> None:
        """`secrets`: variables of a mission's runs that are asked for at each start, and saved nowhere."""
        self._home = home
        self._leases = leases
        self._registry = registry
        self._settings = settings
        self._environments = environments
        self._runner = runner
        self._preparer = preparer
        self._secrets = secrets
        self._locator = Locator()
        self._prepared: dict[str, PreparedRun] = {}
        self._requested: set[str] = set()
        """Runs that a keeper may have started, without our having heard of it."""
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        """Run → what the keeper will answer to its start, until that was taken in."""
        self._leases_asked: dict[str, float | None] = {}
        """Run → the lease with which that start was asked for."""
        self.link: KeeperConnection | None = None

    async def prepare(self, mission: Mission, environment: Environment) -> None:
        """Look everything up and keep it for the spawn that follows.

        Raises:
            OvermindError: the folder or the program is not there.
        """
        self._prepared[mission.id] = await self._prepare(mission, environment)

    async def check(self, mission: Mission, environment: Environment) -> None:
        """Look whether a run could be started.

        Raises:
            OvermindError: the folder or the program is not there.
        """
        searched = environment.both
        await self._locate(mission, mission.definition.argv[0], searched)

    async def surroundings(self, mission: Mission) -> dict[str, str]:
        """The environment of the mission's own programs, for one that runs beside them in its folder. Wire form.

        Raises:
            OvermindError: the folder is not there.
        """
        environment = self._environments.of(mission.id)
        located = await self._locate(mission, SHELL, environment.both)
        return self._composed(mission, environment, located)

    def assume_requested(self, missions: Iterable[Mission]) -> None:
        """An earlier supervisor may have asked for their runs."""
        self._requested.update(mission.run_id for mission in missions)

    def unasked(self, missions: Iterable[Mission]) -> set[str]:
        """Runs of these that no keeper was ever asked for."""
        return {mission.run_id for mission in missions} - self._requested

    def forget(self, mission_id: str) -> None:
        """The spawn that was prepared will not happen."""
        prepared = self._prepared.pop(mission_id, None)
        if prepared is not None and prepared.given is not None:
            self._runner.never_begun(mission_id, 1)

    def record_notes(self, mission: Mission) -> tuple[Change, ...]:
        """Record what a run that is prepared is given, in the commit of its mission."""
        prepared = self._prepared.get(mission.id)
        return () if prepared is None else self._record_notes(mission, prepared)

    def _record_notes(self, mission: Mission, prepared: PreparedRun) -> tuple[Change, ...]:
        given = prepared.given
        line = None if given is None else log_line(given)
        if given is None or line is None:
            return ()
        if self._registry.has_event(mission, NotesGiven):  # by an earlier supervisor, which died right behind it
            return ()
        event = NotesGiven(text=line, notes=given.notes, tokens=given.tokens, left_out=given.left_out)
        return (self._registry.record(mission, event),)

    def ask(self, mission_id: str) -> None:
        """Ask the keeper for a run that is prepared, and was saved just now; `spawn` has to follow."""
        mission, prepared = self._registry.live.get(mission_id), self._prepared.get(mission_id)
        if mission is not None and prepared is not None and self.link is not None:
            del self._prepared[mission_id]
            self._ask(self.link, mission, prepared)

    def _ask(self, link: KeeperConnection, mission: Mission, prepared: PreparedRun) -> asyncio.Future[dict[str, Any]]:
        self._requested.add(mission.run_id)
        lease = self._leases_asked[mission.run_id] = self._leases.until(mission)
        request = {**self._request(mission, prepared), **({} if lease is None else {"lease": lease})}
        asked = self._asked[mission.run_id] = link.request("spawn", **request)
        asked.add_done_callback(partial(self._answered, mission))
        return asked

    def _answered(self, mission: Mission, asked: asyncio.Future[dict[str, Any]]) -> None:
        """Take the keeper's answer in, once: also when whoever asked for the run has gone meanwhile."""
        if self._asked.get(mission.run_id) is not asked:
            return
        del self._asked[mission.run_id]
        lease = self._leases_asked.pop(mission.run_id)
        if asked.cancelled():
            return
        error = asked.exception()
        if error is None or isinstance(error, KeeperRefused):
            self._requested.discard(mission.run_id)
        if error is None:
            self.started(mission, asked.result())
            self._leases.confirm(mission, lease)

    async def spawn(self, mission: Mission) -> None:
        """Start the mission's newest run, and wait for that; one that was asked for is not asked for again.

        The keeper may come to the second request after the run has ended and is forgotten, and would start it again.

        Raises:
            OvermindError: it can't be started.
            KeeperGone: before it answered; whoever reconciles decides.
        """
        if not self._is_awaited(mission):
            return
        asked = self._asked.get(mission.run_id)
        if asked is None:
            prepared = self._prepared.pop(mission.id, None)
            is_known = prepared is not None
            prepared = prepared or await self._prepare(mission, self._environments.of(mission.id))
            if self.link is None:
                raise KeeperGone
            if not self._is_awaited(mission):
                if prepared.given is not None and self._registry.run(mission.run_id) is None:
                    self._runner.never_begun(mission.id, mission.run)
                return
            if not is_known:
                self._record_notes(mission, prepared)
            asked = self._asked.get(mission.run_id) or self._ask(self.link, mission, prepared)
        try:
            await asyncio.shield(asked)  # others may wait for it, too
        except KeeperRefused as refusal:
            if refusal.code == ERROR_FENCED:
                raise self._fenced(mission) from refusal
            self._locator.forget()
            # Knows better what is missing, if anything is.
            if (await self._prepare(mission, self._environments.of(mission.id))).given is not None:
                self._runner.never_begun(mission.id, mission.run)
            raise _explain(refusal) from refusal
        self._answered(mission, asked)  # a future that was done already has not called it yet

    def _fenced(self, mission: Mission) -> MissionFenced:
        """The lease of a run has ended before its start, and the mission with it; return the error."""
        self._runner.never_begun(mission.id, mission.run)
        error = MissionFenced(mission)
        current = self._registry.live.get(mission.id)
        if current is not None and current.run == mission.run:
            ending = self._leases.fence(current)
            self._registry.apply_if_legal(ending, SpawnFailed(error.code, error.message, hopeless=True), urgent=True)
        return error

    def _is_awaited(self, mission: Mission) -> bool:
        """Whether the run has not begun.

        Who reconciles with a new keeper may have had it started meanwhile, and it may have ended: that keeper has
        forgotten it then, and would start it once more.
        """
        current = self._registry.live.get(mission.id)
        if current is None or current.run != mission.run or (current.ending is not None and current.ending.exited):
            return False
        return current.pid is None and current.status in SPAWNING

    async def respawn(self, mission: Mission) -> None:
        """`spawn` for a mission that already has a past: a failure is a fact of its life, not somebody's error."""
        spent = self._runner.spent(mission)
        if spent is not None:
            self._refuse(mission, spent)
            return
        ready = mission if mission.setup else self._runner.ready(mission)
        if ready != mission:
            self._registry.put(ready)
        try:
            await self._registry.journal.saved()  # what the run is to be: it must not be started as two things
            await self.spawn(ready)
        except (KeeperGone, StoreError):
            return
        except OvermindError as error:
            _log.info("mission %s could not start: %s", mission.id, error.message)
            current = self._registry.live.get(mission.id)
            if current is not None and current.run == mission.run:
                self._registry.apply_if_legal(current, SpawnFailed(error.code, error.message), urgent=True)

    def _refuse(self, mission: Mission, spent: SpentLimit) -> None:
        """End it instead of starting it: no policy begins another run, for that would spend more."""
        current = self._registry.live.get(mission.id)
        if current is not None and current.run == mission.run:
            failed = SpawnFailed(spent.reason, spent.sentence, hopeless=True)
            self._registry.apply_if_legal(current, failed, urgent=True)

    async def _prepare(self, mission: Mission, environment: Environment) -> PreparedRun:
        mission = self.as_it_runs(mission)
        briefing = None if mission.setup else self._runner.brief(mission)
        if briefing is None:
            return await self._with_notes(mission, environment, None, is_asked=False)
        given = await briefing
        try:
            return await self._with_notes(mission, environment, given, is_asked=True)
        except BaseException:
            if given is not None:
                self._runner.never_begun(mission.id, mission.run)
            raise

    async def _with_notes(
        self, mission: Mission, environment: Environment, given: GivenNotes | None, *, is_asked: bool
    ) -> PreparedRun:
        """The run with what it is given; `is_asked`: whether memory was asked about it."""
        definition = mission.definition
        notes = given.text if given is not None and given.text else None
        searched = environment.both
        launch = None if mission.setup else self._runner.launch(mission, notes, searched)
        launch = None if launch is None else private_files.filled(self._home, mission.id, launch)
        argv = _argv(definition) if launch is None else launch.argv
        located = await self._locate(mission, argv[0], searched)
        composed = self._composed(mission, environment, located)
        if launch is not None:
            composed.update(launch.environment)
        if is_asked and (path := private_files.put_notes(self._home, mission.id, notes)) is not None:
            composed[NOTES_FILE] = to_wire(path)
        composed.update(self._secrets(mission))
        return PreparedRun(located.program, argv, composed, given)

    def as_it_runs(self, mission: Mission) -> Mission:
        """With the definition of its newest run: the project's set-up is another program."""
        return replace(mission, definition=self._preparer.setup(mission)) if mission.setup else mission

    def _composed(self, mission: Mission, environment: Environment, located: Located) -> dict[str, str]:
        definition = mission.definition
        identity = Identity(mission.id, definition.name, to_wire(self._home.root), definition.parent, located.cwd)
        return compose(
            environment.inherited,
            environment.chosen,
            identity,
            tty=definition.tty,
            unattended=not definition.has_terminal_input,
            tools=located.tools,
        )

    async def _locate(self, mission: Mission, program: str, searched: Mapping[str, str]) -> Located:
        definition = mission.definition
        try:
            return await self._locator.locate(program, definition.cwd, searched)
        except OvermindError as error:
            if error.code != "not_found" or definition.provider == RAW:
                raise
            own = next((one.install for one in self._settings.own if one.provider == definition.provider), "")
            how = own or registry.get(definition.provider).install
            mend = f"Install it with: {how}" if how else "Its program is set in config.toml."
            raise OvermindError("provider_missing", with_hint(error.message, mend)) from None

    def _request(self, mission: Mission, prepared: PreparedRun) -> dict[str, Any]:
        definition = self.as_it_runs(mission).definition
        return {
            "run": mission.run_id,
            "program": prepared.program,
            "argv": prepared.argv,
            "cwd": definition.cwd,
            "env": prepared.environment,
            "umask": definition.umask,
            "tty": definition.tty,
            "stdin": _stdin(definition),
            "columns": definition.columns,
            "rows": definition.rows,
            "method": self._settings.spawn_method,
            "log_limit": self._settings.log_limit,
            "segment": self._settings.log_segment,
            "hold": _has_pipes(definition),
        }

    def started(self, mission: Mission, answer: Mapping[str, Any]) -> None:
        """The keeper has the mission's newest run: `answer` says as which process."""
        definition = self.as_it_runs(mission).definition
        run = Run(
            mission=mission.id,
            number=mission.run,
            started_at=answer["started"],
            started_mono=answer["mono"],
            pid=answer["pid"],
            ticks=answer["ticks"] or (identity(answer["pid"]) or (0, 0))[1],
            mark=answer["mark"],
            boot=self._registry.boot,
            tty=definition.tty,
            columns=definition.columns,
            rows=definition.rows,
        )
        current = self._registry.live.get(mission.id)
        if current is None or current.run != mission.run or (current.ending is not None and current.ending.exited):
            return  # that it has begun is known
        known = self._registry.runs.get(mission.id)
        if known is None or known.number != run.number or not known.pid:
            self._registry.put_run(run)
        if current.pid is None and current.status in SPAWNING:
            self._registry.apply_if_legal(current, Spawned(run.pid, run.started_at, run.started_mono))


def _has_pipes(definition: Definition) -> bool:
    """Whether it is an agent that talks through pipes: what it says must be read before it may be dropped."""
    return definition.provider != RAW and not definition.tty


def _argv(definition: Definition) -> tuple[str, ...]:
    """The program with its arguments: the shell of a terminal, which gets the keys too, becomes what it would start."""
    match definition.argv:
        case (str() as shell, "-c", str() as command) if shell == SHELL and definition.has_terminal_input:
            return (shell, "-c", executed(command))
    return definition.argv


def _stdin(definition: Definition) -> str:
    if _has_pipes(definition):
        return "pipe"
    return "tty" if definition.has_terminal_input else "null"


def _explain(refusal: KeeperRefused) -> OvermindError:
    if refusal.code == "no_terminals":
        return OvermindError("no_terminals", "The machine has no free terminals (kernel.pty.max). Stop some programs.")
    if refusal.code == "too_many":
        return OvermindError("busy", f"Too many missions for the limit of open files: {refusal.message}")
    code = _REASONS.get(refusal.answer.get("errno", 0), "internal")
    return OvermindError(code, f"The process can't be started: {refusal.message}")

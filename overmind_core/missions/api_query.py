"""`ps`, `info`, `top`, `wait`: what missions are, use and become."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.domain.missions.mission import Kind, Mission, Status
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.missions.reasons import kept_limit
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions import answers
from overmind_core.missions.callers import forbid_inside, mission_of
from overmind_core.missions.lookup import find, find_each
from overmind_core.missions.registry import decode_mission as decoded
from overmind_core.missions.requests import Info, Nothing, Ps, Wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.domain.missions.standing import WorkStanding
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.answer_types import (
        ListedMission,
        MissionEnd,
        MissionInfo,
        MissionInfoWithEnvironment,
        MissionsFollowed,
        MissionUsage,
        MissionWithHistory,
        WideMission,
    )
    from overmind_core.missions.attachments import Attachments
    from overmind_core.missions.environment import Environments
    from overmind_core.missions.figures import FigureReader
    from overmind_core.missions.left_processes import LeftProcesses
    from overmind_core.missions.load_history import LoadHistory
    from overmind_core.missions.lost import LostLookup
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.ports import Budget, Preparer, Runner, Standings
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.resources import Resources
    from overmind_core.missions.store import MissionTable
    from overmind_core.missions.unseen import Unseen
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


def _has_labels(mission: Mission, wanted: Sequence[str]) -> bool:
    labels = mission.definition.labels
    for text in wanted:
        key, given, value = text.partition("=")
        if key not in labels or (given and labels[key] != value):
            return False
    return True


def _end(mission: Mission, standing: WorkStanding | None) -> MissionEnd:
    return {
        **answers.brief(mission),
        "status": mission.status,
        "exit_code": answers.exit_code(mission),
        "shell_exit": mission.shell_exit,
        "reason": mission.reason,
        "outcome": answers.outcome(mission, standing),
        "quest_state": None if standing is None else standing.state,
        "quest_text": (standing.text or None) if standing is not None else None,
        "run_reason": mission.run_reason,
        "limit_seconds": kept_limit(mission.run_reason or mission.reason, mission.limit),
        "restart_policy": mission.definition.restart.when,
        "max_restarts": mission.definition.restart.max_restarts,
        "max_seconds": mission.definition.restart.window,
        "restart_count": mission.restart_count,
    }


class QueryApi:
    """The requests that look at missions."""

    def __init__(
        self,
        *,
        home: Home,
        clock: Clock,
        registry: Registry,
        mission_table: MissionTable,
        unseen: Unseen,
        attachments: Attachments,
        progress: OutputProgress,
        figures: FigureReader,
        resources: Resources,
        load_history: LoadHistory,
        environments: Environments,
        runner: Runner,
        preparer: Preparer,
        budget: Budget,
        lost: LostLookup,
        standings: Standings,
        left_processes: LeftProcesses,
    ) -> None:
        self._home = home
        self._clock = clock
        self._registry = registry
        self._mission_table = mission_table
        self._unseen = unseen
        self._attachments = attachments
        self._progress = progress
        self._figures = figures
        self._resources = resources
        self._load_history = load_history
        self._environments = environments
        self._runner = runner
        self._preparer = preparer
        self._budget = budget
        self._lost = lost
        self._standings = standings
        self._left_processes = left_processes

    @handles(Ps)
    async def ps(
        self, request: Ps, caller: Caller
    ) -> list[ListedMission] | list[WideMission] | list[MissionWithHistory]:
        """Missions by start time; killed ones only when asked for."""
        del caller
        now = self._clock.wall()
        parent = None if request.children is None else find(self._registry, request.children).id
        found = [mission for mission in self._listed(request, parent) if _has_labels(mission, request.label)]
        children = self._registry.children({mission.id for mission in found})
        found.sort(key=lambda mission: (mission.started_at or mission.created_at, mission.created_at, mission.id))
        conversations = self._runner.conversations(found)
        lost, standings = self._lost.among(found), self._standings.of(found)
        rows: list[ListedMission] = [
            {
                **answers.row(
                    mission,
                    children.get(mission.id, ()),
                    now,
                    conversations.get(mission.id),
                    unseen=self._unseen.is_new(mission.id),
                    conversation_lost=self._unseen.has_lost_conversation(mission.id),
                    lost=mission.id in lost,
                    standing=standings.get(mission.id),
                ),
                "attached": self._attachments.count(mission.id),
                "isolation": self._preparer.shown(mission.id),
                "changed_lines": self._preparer.changed_lines(mission.id),
            }
            for mission in found
        ]
        if not request.wide:
            return rows
        wide = await self._widened(found, rows)
        if not request.history:
            return wide
        loaded: list[MissionWithHistory] = [{**row, "history": self._load_history.of(row["id"])} for row in wide]
        return loaded

    @handles(Info)
    async def info(self, request: Info, caller: Caller) -> MissionInfo | MissionInfoWithEnvironment:
        """All fields of one mission; values of its environment only for people."""
        mission = find(self._registry, request.id)
        if request.env or request.reveal:
            forbid_inside(mission_of(caller, self._registry, self._home.root), "read environments")
        if mission.is_live:
            await self._progress.look()
        runs = self._registry.runs_of(mission.id)
        children = self._registry.children({mission.id}).get(mission.id, [])
        noted = self._runner.notes_of(mission)
        notes = None if noted is None else await noted
        line = await self._figures.last_line(mission)
        conversation = self._runner.conversations([mission]).get(mission.id)
        unseen, lost = self._unseen.is_new(mission.id), mission.id in self._lost.among([mission])
        found: MissionInfo = {
            **answers.details(
                mission,
                runs,
                children,
                self._clock.wall(),
                line,
                conversation=conversation,
                unseen=unseen,
                conversation_lost=self._unseen.has_lost_conversation(mission.id),
                lost=lost,
                standing=self._standings.of([mission]).get(mission.id),
            ),
            "isolation": self._preparer.shown(mission.id),
            "changed_lines": self._preparer.changed_lines(mission.id),
            "own_rules": list(self._runner.own_rules(mission)),
            "notes": notes,
        }
        found["background"] = [line for one in await self._left_processes.of([mission.id]) for line in one.processes]
        found["attached"] = self._attachments.count(mission.id)
        found["now"] = self._preparer.step_of(mission.id) or found["now"]
        found["last_activity_at"] = await self._last_activity(mission)
        found["kill_at"] = self._kill_at(mission)
        tree = self._budget.tree_cost(mission.id)
        if mission.definition.max_cost:
            found["tree_cost_usd"] = None if tree.usd is None else round(tree.usd, 6)
            found["tree_cost_source"], found["tree_cost_partial"] = tree.source, tree.partial
        if mission.definition.max_tokens:
            found["tree_tokens"] = tree.tokens
        if request.env or request.reveal:
            environment = self._environments.of(mission.id)
            both = {**environment.inherited, **environment.chosen}
            return {**found, "env": dict(sorted(both.items())) if request.reveal else sorted(both)}
        return found

    @handles(Nothing)
    async def top(self, request: Nothing, caller: Caller) -> list[MissionUsage]:
        """The current load of each live mission."""
        del request, caller
        missions = sorted(self._registry.live.values(), key=lambda mission: (mission.created_at, mission.id))
        await self._progress.look()
        used = await self._resources.usage(missions)
        conversations = self._runner.conversations(missions)
        rows: list[MissionUsage] = []
        for mission in missions:
            usage, state = used.get(mission.id), answers.talking(mission, conversations.get(mission.id))
            rows.append(
                {
                    **answers.brief(mission),
                    "status": mission.status,
                    "activity": state["activity"],
                    "activity_guess": state["activity_guess"],
                    "next_restart_at": answers.time(mission.next_restart_at),
                    "resume_at": state["resume_at"],
                    "cpu_percent": None if usage is None else usage.cpu_percent,
                    "memory_bytes": None if usage is None else usage.memory_bytes,
                    "output_bytes_per_second": round(self._progress.rate(mission.run_id), 1),
                    "processes": 0 if usage is None else usage.processes,
                    "cost_usd": state["cost_usd"],
                    "cost_source": state["cost_source"],
                    "cost_partial": state["cost_partial"],
                    "tokens": state["tokens"],
                }
            )
        return rows

    def _listed(self, request: Ps, parent: str | None) -> list[Mission]:
        if request.ids or request.known:
            return find_each(self._registry, request.ids, known=request.known)
        for text in request.status:
            if text not in set(Status):
                known = ", ".join(Status)
                raise OvermindError("invalid", f"Unknown status {text!r}. Known: {known}.")
        for text in request.outcome:
            if text not in set(Outcome):
                raise OvermindError("invalid", f"Unknown outcome {text!r}. Known: {', '.join(Outcome)}.")
        filtered = request.all or request.status or request.outcome or request.label or parent
        if request.recent is not None and not filtered:
            lost = self._lost.ids()
            rows = self._mission_table.recent(request.recent, also=lost)
            found = [self._registry.known(row.id) or decoded(row) for row in rows]
            # A killed agent of a plan is why that failed; one that was hidden after its end is not wanted.
            return [one for one in found if not one.hidden or one.id in lost]
        hidden = request.all or Status.KILLED in request.status or bool(request.outcome)
        rows = self._mission_table.all(statuses=request.status, include_hidden=hidden, parent=parent)
        found = [self._registry.known(row.id) or decoded(row) for row in rows]
        if not request.outcome:
            return found
        standings = self._standings.of(found)
        return [one for one in found if answers.outcome(one, standings.get(one.id)) in request.outcome]

    async def _widened(self, missions: Sequence[Mission], rows: Sequence[ListedMission]) -> list[WideMission]:
        await self._progress.look()
        wide: list[WideMission] = []
        for row, read in zip(rows, await self._figures.read(missions), strict=True):
            wide.append(
                {
                    **row,
                    "cpu_percent": read["cpu_percent"],
                    "memory_bytes": read["memory_bytes"],
                    "output_bytes_per_second": read["output_bytes_per_second"],
                    "next_restart_at": read["next_restart_at"],
                    "now": read["now"],
                }
            )
        return wide

    async def _last_activity(self, mission: Mission) -> str | None:
        """When it last wrote: as the keeper says while it runs, else as its log does; a plan has no log of its own."""
        if mission.definition.kind is Kind.BLUEPRINT:
            began = mission.run_started_at or mission.started_at
            return answers.time(began if mission.is_live else mission.ended_at)
        last = self._progress.of(mission.run_id).last
        if mission.is_live and last:
            return answers.time(self._clock.wall() - (self._clock.mono() - last))
        return answers.time(await self._figures.last_activity(mission))

    def _kill_at(self, mission: Mission) -> str | None:
        """When what is left of a run that is asked to end is killed; a plan has no process of its own."""
        if mission.ending is None or mission.definition.kind is Kind.BLUEPRINT:
            return None
        return answers.time(self._clock.wall() + mission.ending.deadline_mono - self._clock.mono())

    @handles(Wait)
    async def wait(self, request: Wait, caller: Caller) -> Stream[MissionsFollowed, MissionEnd]:
        """An item as each mission ends for good; `any`: only the first."""
        del caller
        missions = [find(self._registry, text) for text in request.ids]
        yield {"missions": [answers.brief(mission) for mission in missions]}
        waiting = {asyncio.create_task(self._registry.ended(one)) for one in dict.fromkeys(m.id for m in missions)}
        try:
            for next_end in asyncio.as_completed(waiting):  # looks at each once, however many there are
                mission = await next_end
                yield _end(mission, self._standings.of([mission]).get(mission.id))
                if request.any:
                    return
        finally:
            for task in waiting:
                task.cancel()

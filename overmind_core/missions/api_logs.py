"""`logs`: where the logs are, what belongs between their lines, and how both change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.mission import Kind, Mission, Status
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions import answers
from overmind_core.missions.lookup import find
from overmind_core.missions.registry import decode_mission
from overmind_core.missions.requests import Logs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Sequence

    from overmind_core.domain.missions.mission import Run
    from overmind_core.kernel.event_log import EventTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.answer_types import (
        LogAnnotated,
        LogAnnotation,
        LogEnd,
        LoggedMission,
        LoggedRun,
        LogGrew,
        LogItem,
        LogPlaces,
        LogRunBegan,
        LogTrouble,
    )
    from overmind_core.missions.followers import Followers
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.store import MissionTable
    from overmind_core.missions.unseen import Unseen
    from overmind_core.system.paths import Home

PAGE = 500
"""Events read from the store at once."""
_TEXT = '"text":'
"""In the JSON of each event that has one."""
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def format_of(mission: Mission | None, run: Run) -> str | None:
    """Which provider's lines the run wrote to its pipe; None: plain ones."""
    if mission is None or run.tty or mission.definition.provider == RAW:
        return None
    return mission.definition.provider


def _has_annotations_only(mission: Mission, number: int) -> bool:
    """Whether there is nothing of this run but annotations: a plan writes nothing itself."""
    return mission.definition.kind is Kind.BLUEPRINT and 0 < number <= mission.run


def _trouble(mission: Mission | None, held: dict[str, str | None]) -> Iterator[LogTrouble]:
    """Why no more output comes although there is some, and that it comes again (null)."""
    if mission is None or mission.status is not Status.RUNNING or held.get(mission.id) == mission.reason:
        return
    held[mission.id] = mission.reason
    yield {"type": "trouble", "mission": mission.id, "reason": mission.reason}


def _log_end(mission_id: str, mission: Mission | None) -> LogEnd:
    return {
        "type": "end",
        "mission": mission_id,
        "status": Status.KILLED if mission is None else mission.status,
        "exit_code": None if mission is None else answers.exit_code(mission),
        "reason": None if mission is None else mission.reason,
    }


class LogsApi:
    """The request for logs."""

    def __init__(
        self,
        *,
        progress: OutputProgress,
        journal: Journal,
        event_table: EventTable,
        followers: Followers,
        registry: Registry,
        mission_table: MissionTable,
        unseen: Unseen,
        home: Home,
    ) -> None:
        self._progress = progress
        self._journal = journal
        self._event_table = event_table
        self._followers = followers
        self._registry = registry
        self._mission_table = mission_table
        self._unseen = unseen
        self._home = home

    @handles(Logs)
    def logs(self, request: Logs, caller: Caller) -> Awaitable[LogPlaces] | Stream[LogPlaces, LogItem]:
        """The places of the logs and the annotations between their lines; with `follow`, their changes."""
        del caller
        return self._follow_logs(request) if request.follow else self._logs(request)

    async def _logs(self, request: Logs) -> LogPlaces:
        await self._progress.look()
        self._journal.flush()
        seq = self._event_table.newest()
        missions = self._wanted(request)
        if request.ids is None:  # at once: there may be thousands
            runs = self._registry.all_runs()
            described = [self._described(one, request, runs.get(one.id, [])) for one in missions]
        else:
            described = [self._described(one, request, self._registry.runs_of(one.id)) for one in missions]
        notes = {one["id"]: one["annotations"] for one in described}
        for note in self._annotations(None if request.ids is None else list(notes), request.seq, request.kinds)[1]:
            if note["mission"] in notes:
                notes[note["mission"]].append(note)
        return {"missions": described, "seq": seq}

    async def _follow_logs(self, request: Logs) -> Stream[LogPlaces, LogItem]:
        missions = self._wanted(request)
        with self._followers.follow([mission.id for mission in missions]) as follower:
            head = await self._logs(request)
            yield head
            seq = head["seq"]
            known = {
                mission["id"]: {run["number"]: (run["out"], run["err"]) for run in mission["runs"]}
                for mission in head["missions"]
            }
            waiting = list(known)
            held: dict[str, str | None] = {}
            while waiting:
                for mission_id in list(waiting):
                    mission = self._registry.get(mission_id)
                    for news in self._news(mission_id, mission, known[mission_id]):
                        yield news
                    for trouble in _trouble(mission, held):
                        yield trouble
                seq, notes = self._new_notes(list(known), seq, request.kinds)
                for note in notes:
                    yield note
                for mission_id in list(waiting):
                    mission = self._registry.get(mission_id)
                    if mission is None or not mission.is_live:
                        waiting.remove(mission_id)
                        yield _log_end(mission_id, mission)
                if waiting:
                    await follower.news()

    def _wanted(self, request: Logs) -> list[Mission]:
        if request.ids is not None:
            named = (find(self._registry, text) for text in request.ids)
            return list({mission.id: mission for mission in named}.values())
        self._journal.flush()
        rows = self._mission_table.all(include_hidden=request.hidden)
        return [self._registry.known(row.id) or decode_mission(row) for row in rows]

    def _described(self, mission: Mission, request: Logs, runs: Sequence[Run]) -> LoggedMission:
        runs = [run for run in runs if request.run in {None, run.number}]
        if request.run is not None and not runs and not _has_annotations_only(mission, request.run):
            raise OvermindError("not_found", f"Mission {mission.id} has no run {request.run}.")
        return {
            **answers.brief(mission),
            "provider": mission.definition.provider,
            "type": mission.definition.kind,
            "status": mission.status,
            "exit_code": answers.exit_code(mission),
            "reason": mission.reason,
            "seen_at": answers.time(self._unseen.seen_at(mission.id)),
            "runs": [self._run(mission, run) for run in runs],
            "annotations": [],
        }

    def _run(self, mission: Mission | None, run: Run) -> LoggedRun:
        reached = self._progress.extent(run)
        return {
            "number": run.number,
            "path": to_wire(f"{self._home.logs}/{run.mission}/{run.number:06d}"),
            "tty": run.tty,
            "format": format_of(mission, run),
            "columns": run.columns,
            "rows": run.rows,
            "started_at": format_time(run.started_at),
            "ended_at": answers.time(run.ended_at),
            "out": reached.out,
            "err": reached.err,
        }

    def _news(
        self, mission_id: str, mission: Mission | None, known: dict[int, tuple[int, int]]
    ) -> Iterator[LogRunBegan | LogGrew]:
        """New runs, and growth of the newest."""
        newest = max(known, default=0)
        current = self._registry.runs.get(mission_id)
        if mission is not None and (current is None or current.number != newest):
            for run in self._registry.runs_of(mission_id):
                if run.number not in known:
                    known[run.number] = (0, 0)
                    yield {"type": "run", "mission": mission_id, "run": self._run(mission, run)}
                elif run.number == newest:
                    yield from self._growth(run, known)
        if current is not None and current.number in known:
            yield from self._growth(current, known)

    def _growth(self, run: Run, known: dict[int, tuple[int, int]]) -> Iterator[LogGrew]:
        reached = self._progress.extent(run)
        if known[run.number] != (reached.out, reached.err):
            known[run.number] = (reached.out, reached.err)
            yield {"type": "grown", "mission": run.mission, "run": run.number, "out": reached.out, "err": reached.err}

    def _new_notes(
        self, missions: Sequence[str], seq: int, kinds: Sequence[str] | None
    ) -> tuple[int, list[LogAnnotated]]:
        self._journal.flush()
        seq, found = self._annotations(missions, seq, kinds)
        return seq, [{"type": "annotation", **note} for note in found]

    def _annotations(
        self, missions: Sequence[str] | None, seq: int, kinds: Sequence[str] | None
    ) -> tuple[int, list[LogAnnotation]]:
        """Events with a text for the log, and the sequence number up to which they were read; `None` means any."""
        found: list[LogAnnotation] = []
        while page := self._event_table.after(seq, PAGE, missions=missions, types=kinds):
            seq = page[-1].seq
            for event in page:
                data = _decode(event.data) if _TEXT in event.data else {}
                if "text" in data and event.mission is not None:
                    found.append(
                        {
                            "seq": event.seq,
                            "at": event.at,
                            "mission": event.mission,
                            "run": data.get("run", 0),
                            "out": data.get("out", 0),
                            "err": data.get("err", 0),
                            "kind": event.type,
                            "text": data["text"],
                        }
                    )
        return seq, found

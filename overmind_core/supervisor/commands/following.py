"""`wait`, `events`, `logs`, `subscribe`: answers that go on until something ends."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.mission import Mission, Status
from overmind_core.domain.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.logs.layout import OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import Sanitiser
from overmind_core.supervisor import records
from overmind_core.supervisor.lookup import find
from overmind_core.supervisor.pulse import Extent
from overmind_core.wire.bytestrings import to_wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from overmind_core.domain.run import Run
    from overmind_core.supervisor.callers import Caller
    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.requests import Events, Logs, Subscribe, Wait

PAGE = 500
"""Events read from the store at once."""
WINDOW = 64 * 1024
"""Bytes of output read at once."""
_NEWLINE = re.compile(rb"(?<=\n)")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


async def wait(core: Supervisor, request: Wait, caller: Caller) -> AsyncIterator[Any]:
    """An item as each mission ends for good; `any`: only the first."""
    del caller
    missions = [find(core.book, text) for text in request.ids]
    yield {"missions": [records.brief(mission) for mission in missions]}
    waiting = {asyncio.create_task(core.book.ended(one)) for one in dict.fromkeys(m.id for m in missions)}
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield _end(task.result())
                if request.any:
                    return
    finally:
        for task in waiting:
            task.cancel()


async def events(core: Supervisor, request: Events, caller: Caller) -> AsyncIterator[Any]:
    """The event log after `since`, then what follows."""
    del caller
    core.ledger.flush()
    oldest = core.state.events.oldest()
    if request.since and request.since + 1 < oldest:
        raise OvermindError(
            "gone", f"Events before {oldest} are no longer kept. Begin with: --since {oldest - 1}", oldest=oldest
        )
    seq = request.since
    with core.feed.follow(None) as follower:
        yield {"oldest": oldest}
        while True:
            core.ledger.flush()
            page = core.state.events.after(seq, PAGE)
            for event in page:
                yield _event(event.seq, event.data)
            seq = page[-1].seq if page else seq
            if not page:
                if not request.follow:
                    return
                await follower.news()
            await asyncio.sleep(0)


def logs(core: Supervisor, request: Logs, caller: Caller) -> Any:  # noqa: ANN401 - one answer, or a stream
    """Where the logs are and what belongs between their lines; with `follow`, what changes about that."""
    del caller
    return _follow_logs(core, request) if request.follow else _logs(core, request)


async def subscribe(core: Supervisor, request: Subscribe, caller: Caller) -> AsyncIterator[Any]:
    """The output as objects, one for each line, until the missions end."""
    del caller
    missions = [find(core.book, text) for text in request.ids]
    with core.feed.follow([mission.id for mission in missions]) as follower:
        await core.pulse.refresh()
        tails = [Tail(core, mission, request) for mission in missions]
        offsets = {run: offset for tail in tails for run, offset in tail.begin()}
        yield {"missions": [records.brief(mission) for mission in missions], "offsets": offsets}
        while tails:
            for tail in list(tails):
                for item in tail.items():
                    yield item
                    await asyncio.sleep(0)
                if tail.ended:
                    tails.remove(tail)
            if tails and not any(tail.behind for tail in tails):
                await follower.news()


async def _logs(core: Supervisor, request: Logs) -> dict[str, Any]:
    await core.pulse.refresh()
    core.ledger.flush()
    seq = core.state.events.newest()
    missions = _wanted(core, request.ids)
    return {"missions": [_described(core, mission, request) for mission in missions], "seq": seq}


async def _follow_logs(core: Supervisor, request: Logs) -> AsyncIterator[Any]:
    missions = _wanted(core, request.ids)
    with core.feed.follow([mission.id for mission in missions]) as follower:
        head = await _logs(core, request)
        yield head
        seq: int = head["seq"]
        known = {
            mission["id"]: {run["number"]: (run["out"], run["err"]) for run in mission["runs"]}
            for mission in head["missions"]
        }
        waiting = list(known)
        held: dict[str, str | None] = {}
        while waiting:
            for mission_id in list(waiting):
                mission = core.book.get(mission_id)
                for item in _news(core, mission_id, mission, known[mission_id]):
                    yield item
                for item in _trouble(mission, held):
                    yield item
            seq, notes = _new_notes(core, list(known), seq)
            for note in notes:
                yield note
            for mission_id in list(waiting):
                mission = core.book.get(mission_id)
                if mission is None or not mission.is_live:
                    waiting.remove(mission_id)
                    yield _log_end(mission_id, mission)
            if waiting:
                await follower.news()


def _wanted(core: Supervisor, ids: Sequence[str] | None) -> list[Mission]:
    if ids is not None:
        return list({mission.id: mission for mission in (find(core.book, text) for text in ids)}.values())
    core.ledger.flush()
    found = (core.book.get(row.id) for row in core.state.missions.all())
    return [mission for mission in found if mission is not None]


def _described(core: Supervisor, mission: Mission, request: Logs) -> dict[str, Any]:
    runs = [run for run in core.book.runs_of(mission.id) if request.run in {None, run.number}]
    if request.run is not None and not runs:
        raise OvermindError("not_found", f"Mission {mission.id} has no run {request.run}.")
    return {
        **records.brief(mission),
        "status": mission.status.value,
        "exit_code": records.exit_code(mission),
        "runs": [_run(core, run) for run in runs],
        "annotations": _annotations(core, [mission.id], request.seq)[1],
    }


def _run(core: Supervisor, run: Run) -> dict[str, Any]:
    extent = _extent(core, run)
    return {
        "number": run.number,
        "path": to_wire(f"{core.home.logs}/{run.mission}/{run.number:06d}"),
        "tty": run.tty,
        "columns": run.columns,
        "rows": run.rows,
        "started_at": format_time(run.started_at),
        "ended_at": records.time(run.ended_at),
        "out": extent.out,
        "err": extent.err,
    }


def _extent(core: Supervisor, run: Run) -> Extent:
    known = core.pulse.of(run.id)
    return Extent(max(known.out, run.out), max(known.err, run.err), known.last)


def _news(
    core: Supervisor, mission_id: str, mission: Mission | None, known: dict[int, tuple[int, int]]
) -> Iterator[dict[str, Any]]:
    """New runs, and growth of the newest."""
    newest = max(known, default=0)
    current = core.book.runs.get(mission_id)
    if mission is not None and (current is None or current.number != newest):
        for run in core.book.runs_of(mission_id):
            if run.number not in known:
                known[run.number] = (0, 0)
                yield {"type": "run", "mission": mission_id, "run": _run(core, run)}
            elif run.number == newest:
                yield from _growth(core, run, known)
    if current is not None and current.number in known:
        yield from _growth(core, current, known)


def _trouble(mission: Mission | None, held: dict[str, str | None]) -> Iterator[dict[str, Any]]:
    """Why no more output comes although there is some, and that it comes again (null)."""
    if mission is None or mission.status is not Status.RUNNING or held.get(mission.id) == mission.reason:
        return
    held[mission.id] = mission.reason
    yield {"type": "trouble", "mission": mission.id, "reason": mission.reason}


def _growth(core: Supervisor, run: Run, known: dict[int, tuple[int, int]]) -> Iterator[dict[str, Any]]:
    extent = _extent(core, run)
    if known[run.number] != (extent.out, extent.err):
        known[run.number] = (extent.out, extent.err)
        yield {"type": "grown", "mission": run.mission, "run": run.number, "out": extent.out, "err": extent.err}


def _new_notes(core: Supervisor, missions: Sequence[str], seq: int) -> tuple[int, list[dict[str, Any]]]:
    core.ledger.flush()
    seq, found = _annotations(core, missions, seq)
    return seq, [{"type": "annotation", **note} for note in found]


def _annotations(core: Supervisor, missions: Sequence[str], seq: int) -> tuple[int, list[dict[str, Any]]]:
    """Events with a text for the log, and the sequence number up to which they were read."""
    found = []
    while page := core.state.events.after(seq, PAGE, missions=missions):
        seq = page[-1].seq
        for event in page:
            data = _decode(event.data)
            if "text" in data:
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


def _log_end(mission_id: str, mission: Mission | None) -> dict[str, Any]:
    status = "killed" if mission is None else mission.status.value
    return {
        "type": "end",
        "mission": mission_id,
        "status": status,
        "exit_code": None if mission is None else records.exit_code(mission),
    }


def _end(mission: Mission) -> dict[str, Any]:
    return {
        **records.brief(mission),
        "status": mission.status.value,
        "exit_code": records.exit_code(mission),
        "shell_exit": mission.shell_exit,
        "reason": mission.reason,
    }


def _event(seq: int, data: str) -> dict[str, Any]:
    event = _decode(data)
    event["at"] = format_time(event["at"])
    return {"seq": seq, **event}


class Tail:
    """What one subscriber has seen of one mission's output."""

    def __init__(self, core: Supervisor, mission: Mission, request: Subscribe) -> None:
        self._core = core
        self._id = mission.id
        self._given = request.offsets
        self._from_start = request.from_start or not mission.is_live
        self._sanitiser = Sanitiser()
        self._number = 0
        self._offset = 0
        self.ended = False
        self.behind = False

    def begin(self) -> list[tuple[str, int]]:
        """Find the place to begin at; the run and the offset, so that the caller can come back to it."""
        runs = self._core.book.runs_of(self._id)
        given = [run for run in runs if run.id in self._given]
        if given:
            self._enter(given[-1], self._given[given[-1].id])
        elif runs and self._from_start:
            self._enter(runs[0], 0)
        elif runs:
            self._enter(runs[-1], _extent(self._core, runs[-1]).out)
        return [(f"{self._id}.{self._number}", self._offset)] if self._number else []

    def items(self) -> Iterator[dict[str, Any]]:
        """What is new; `behind` says that there is more already."""
        mission = self._core.book.get(self._id)
        self.behind = False
        for run in self._core.book.runs_of(self._id):
            if run.number < self._number:
                continue
            if run.number > self._number:
                yield from self._next_run(run)
            yield from self._read(run)
            if self.behind:
                return
        if mission is None or not mission.is_live:
            self.ended = True
            status = "killed" if mission is None else mission.status.value
            code = None if mission is None else records.exit_code(mission)
            yield {"type": "exit", "mission": self._id, "status": status, "exit_code": code}

    def _enter(self, run: Run, offset: int) -> None:
        self._number = run.number
        self._offset = offset
        self._sanitiser = Sanitiser()

    def _next_run(self, run: Run) -> Iterator[dict[str, Any]]:
        if self._number:
            yield {"type": "restart", "mission": self._id, "run": run.id, "offset": 0}
        self._enter(run, 0)

    def _read(self, run: Run) -> Iterator[dict[str, Any]]:
        """Whole lines; each with the offset behind it, at which a broken stream goes on."""
        log = RunLog(f"{self._core.home.logs}/{run.mission}/{run.number:06d}")
        start, data = log.read(OUT, self._offset, WINDOW)
        self._offset = start if data else self._offset
        for piece in _NEWLINE.split(data):
            self._offset += len(piece)
            yield from self._plain(run, self._sanitiser.feed(piece))
        self.behind = bool(data)
        if not data and run.swept:
            yield from self._plain(run, self._sanitiser.flush())

    def _plain(self, run: Run, lines: Sequence[str]) -> Iterator[dict[str, Any]]:
        for text in lines:
            yield {"type": "plain", "mission": self._id, "text": text, "run": run.id, "offset": self._offset}

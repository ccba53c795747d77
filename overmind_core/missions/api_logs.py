"""`logs`: where the logs are, what belongs between their lines, and how both change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.missions.mission import Kind, Mission, Status
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.missions import answers
from overmind_core.missions.lookup import find
from overmind_core.missions.output_progress import Extent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from overmind_core.daemon.app import Supervisor
    from overmind_core.domain.missions.mission import Run
    from overmind_core.missions.callers import Caller
    from overmind_core.missions.requests import Logs

PAGE = 500
"""Events read from the store at once."""
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def logs(core: Supervisor, request: Logs, caller: Caller) -> Any:  # noqa: ANN401 - one answer, or a stream
    """Where the logs are and what belongs between their lines; with `follow`, what changes about that."""
    del caller
    return _follow_logs(core, request) if request.follow else _logs(core, request)


def extent(core: Supervisor, run: Run) -> Extent:
    """How far the run's log is known to reach."""
    known = core.pulse.of(run.id)
    return Extent(max(known.out, run.out), max(known.err, run.err), known.last)


def format_of(mission: Mission | None, run: Run) -> str | None:
    """Which provider's lines the run wrote to its pipe; None: plain ones."""
    if mission is None or run.tty or mission.definition.provider == RAW:
        return None
    return mission.definition.provider


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
    if request.run is not None and not runs and not _is_told_only(mission, request.run):
        raise OvermindError("not_found", f"Mission {mission.id} has no run {request.run}.")
    return {
        **answers.brief(mission),
        "type": mission.definition.kind.value,
        "status": mission.status.value,
        "exit_code": answers.exit_code(mission),
        "seen_at": answers.time(core.news.seen_at(mission.id)),
        "runs": [_run(core, run) for run in runs],
        "annotations": _annotations(core, [mission.id], request.seq)[1],
    }


def _is_told_only(mission: Mission, number: int) -> bool:
    """Whether there is nothing of this run but annotations: a plan writes nothing itself."""
    return mission.definition.kind is Kind.BLUEPRINT and 0 < number <= mission.run


def _run(core: Supervisor, run: Run) -> dict[str, Any]:
    reached = extent(core, run)
    return {
        "number": run.number,
        "path": to_wire(f"{core.home.logs}/{run.mission}/{run.number:06d}"),
        "tty": run.tty,
        "format": format_of(core.book.get(run.mission), run),
        "columns": run.columns,
        "rows": run.rows,
        "started_at": format_time(run.started_at),
        "ended_at": answers.time(run.ended_at),
        "out": reached.out,
        "err": reached.err,
    }


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
    reached = extent(core, run)
    if known[run.number] != (reached.out, reached.err):
        known[run.number] = (reached.out, reached.err)
        yield {"type": "grown", "mission": run.mission, "run": run.number, "out": reached.out, "err": reached.err}


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
        "exit_code": None if mission is None else answers.exit_code(mission),
    }

"""The records of runs: each run that was started is on the books, whoever died before it was put there.

A start is recorded when the keeper has answered it. Where nobody heard that answer, the record is made of what the
keeper says later, of its journal of exits, or, once it is dead, of what the run has written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.missions.mission import Mission, Run
from overmind_core.logs.layout import run_folder, split_run
from overmind_core.logs.reader import RunLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from overmind_core.domain.missions.mission import Definition
    from overmind_core.missions.changes import RunConcluded
    from overmind_core.missions.registry import Registry


RECENT = 60.0
"""Seconds before the last exit of a journal within which a run may have written behind its own end."""


class Begin(NamedTuple):
    """When a run began, and as which process; zeros where nobody knows."""

    wall: float
    mono: float = 0.0
    pid: int = 0
    ticks: int = 0
    mark: int = 0


class RunRecords:
    """Puts runs on the books that are on none, and corrects how much they have written."""

    def __init__(self, registry: Registry, *, logs: str, as_it_runs: Callable[[Mission], Definition]) -> None:
        """`logs`: the folder of all logs; `as_it_runs`: with which definition a mission's newest run was started."""
        self._registry = registry
        self._logs = logs
        self._as_it_runs = as_it_runs

    def newest(self, mission: Mission, row: Mapping[str, Any]) -> Run | None:
        """The newest run of a live mission; None when nothing tells that it ever began.

        Args:
            mission: The mission.
            row: What the keeper, or its journal of exits, says of the run; empty when they say nothing.
        """
        run = self._registry.runs.get(mission.id)
        if run is not None and run.number == mission.run:
            return run
        begin = self._begin(mission.run_id, row)
        if begin is None:
            return None
        run = self._made(mission, mission.run, begin)
        self._registry.put_run(run)
        return run

    def lost(self, mission: Mission, *, asked: bool) -> None:
        """The keeper of a live mission is dead: its newest run has written what its files hold, and no more.

        `asked`: the keeper may have been asked for it. Then it has begun for all that is known, though nothing tells.
        """
        run = self.newest(mission, {})
        if run is None and asked:
            run = self._made(mission, mission.run, Begin(self._registry.now().wall))
        if run is not None:
            out, err = self._log(run.id).end
            self._registry.put_run(replace(run, out=out, err=err))

    def ended(self, run_id: str, row: Mapping[str, Any]) -> None:
        """A run has ended that no live mission has as its newest: its record is made, or made complete."""
        mission_id, number = split_run(run_id)
        mission = self._registry.get(mission_id)
        if mission is None or number > mission.run or (mission.is_live and mission.run == number):
            return
        known = self._registry.run(run_id)
        if known is not None:
            self._extend(known, row["out"], row["err"])
        elif (begin := self._begin(run_id, row)) is not None:
            run = self._made(mission, number, begin)
            self._registry.insert_run(
                replace(run, code=row["code"], ended_at=row["end"], out=row["out"], err=row["err"], swept=True)
            )

    def journalled(self, exits: Mapping[str, Mapping[str, Any]]) -> None:
        """The keeper that kept this journal of exits is dead: what its runs wrote behind their ends counts as well."""
        last = max((entry["end"] for entry in exits.values()), default=0.0)
        for run_id, entry in exits.items():
            if entry["end"] < last - RECENT:
                continue
            out, err = self._log(run_id).end
            self.ended(run_id, {**entry, "out": max(out, entry.get("out", 0)), "err": max(err, entry.get("err", 0))})

    def released(self, concluded: RunConcluded, row: Mapping[str, Any]) -> None:
        """The keeper has read all that the processes of a concluded run have written."""
        if "out" in row and (row["out"], row["err"]) != (concluded.out, concluded.err):
            run = self._registry.run(concluded.run)
            if run is not None:
                self._extend(run, row["out"], row["err"])

    def _extend(self, run: Run, out: int, err: int) -> None:
        if out > run.out or err > run.err:
            self._registry.put_run(replace(run, out=max(out, run.out), err=max(err, run.err)))

    def _begin(self, run_id: str, row: Mapping[str, Any]) -> Begin | None:
        if "began" in row:
            same_boot = row.get("boot", self._registry.boot) == self._registry.boot
            process = (row["began"], row["pid"], row["ticks"], row["mark"]) if same_boot else ()
            return Begin(row["started"], *process)
        if "end" in row:  # an older keeper does not say more
            return Begin(self._log(run_id).began_at or row["end"])
        began = self._log(run_id).began_at
        return None if began is None else Begin(began)

    def _made(self, mission: Mission, number: int, begin: Begin) -> Run:
        definition = self._as_it_runs(mission)
        return Run(
            mission=mission.id,
            number=number,
            started_at=begin.wall,
            started_mono=begin.mono,
            pid=begin.pid,
            ticks=begin.ticks,
            mark=begin.mark,
            boot=self._registry.boot,
            tty=definition.tty,
            columns=definition.columns,
            rows=definition.rows,
        )

    def _log(self, run_id: str) -> RunLog:
        return RunLog(run_folder(self._logs, run_id))

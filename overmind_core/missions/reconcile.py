"""What the store says should run against what the keeper says does run. Pure.

The same verdicts serve a first start, a restart after a crash of ours, a keeper that was lost and a reboot.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.missions.mission import Mission, Status

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping


class Action(Enum):
    """What to do about one live mission."""

    NOTHING = "nothing"
    """It waits for its restart; its timer does the rest."""
    SPAWN = "spawn"
    """It was to be started, and the keeper never heard of it."""
    ADOPT = "adopt"
    """It runs: `row` has its process."""
    ENDED = "ended"
    """It ended while nobody listened: `row` has its exit."""
    LOST = "lost"
    """It ran, and whoever held it is dead."""


class Verdict(NamedTuple):
    """`row`: what the keeper, or its journal of exits, says of the run."""

    mission: Mission
    action: Action
    row: Mapping[str, Any]


def compare(
    missions: Iterable[Mission],
    held: Mapping[str, Mapping[str, Any]],
    exits: Mapping[str, Mapping[str, Any]],
    *,
    same_keeper: bool,
    unasked: Container[str] = (),
) -> list[Verdict]:
    """One verdict for each live mission.

    Args:
        missions: the live ones.
        held: the keeper's rows by run id; `exit` is null while the run lives.
        exits: the journal's entries by run id.
        same_keeper: the keeper is the one that these missions were started with; else a mission that was only to
            be started may have been started after all.
        unasked: runs that no keeper was ever asked for.
    """

    def never_started(mission: Mission) -> bool:
        if mission.status is Status.STARTING and mission.definition.isolated and not same_keeper:
            return False  # its services, which were ready, are dead
        waits = mission.status in {Status.STARTING, Status.PREPARING} and mission.pid is None
        return waits and (same_keeper or mission.run_id in unasked)

    return [
        _judge(one, held.get(one.run_id), exits.get(one.run_id), never_started=never_started(one)) for one in missions
    ]


def _judge(
    mission: Mission,
    row: Mapping[str, Any] | None,
    journal: Mapping[str, Any] | None,
    *,
    never_started: bool,
) -> Verdict:
    if mission.status is Status.RESTARTING:
        return Verdict(mission, Action.NOTHING, {})
    if row is not None:
        return Verdict(mission, Action.ENDED if row.get("exit") else Action.ADOPT, row)
    if journal is not None:
        return Verdict(mission, Action.ENDED, {"exit": {**journal, "left": False}, **_extent(journal)})
    if never_started:
        return Verdict(mission, Action.SPAWN, {})
    return Verdict(mission, Action.LOST, {})


def _extent(journal: Mapping[str, Any]) -> dict[str, Any]:
    return {"out": journal.get("out", 0), "err": journal.get("err", 0)}


def unknown_runs(held: Mapping[str, Mapping[str, Any]], missions: Mapping[str, Mission]) -> list[str]:
    """Runs that the keeper holds and no live mission has as its newest."""
    return [run for run in held if (one := missions.get(run.partition(".")[0])) is None or one.run_id != run]

"""How many instances a pool is to have, and what is to be done about each: pure, and the same for whoever decides.

A row of the swarm says what was asked for, the engine says what there is. After any crash the two are brought together
by the names alone: an instance is a row before it is started, so that one of which nobody knows how far it came is
found by its name, or is started.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

from overmind_core.domain.swarm.instance_names import pool_and_number, swarm_and_instance

State = Literal["asked", "started", "running", "joined", "ended"]
"""Of a row; it only goes on."""
ASKED, STARTED, RUNNING, JOINED, ENDED = "asked", "started", "running", "joined", "ended"
PENDING = "pending"
"""Of a machine, beside `running` and `ended`."""
NOT_JOINED = "it has not joined within {}"
BEFORE_JOINING = "it ended before it had joined"
UNKNOWN = "its engine does not know it any more"
GONE = "its machine has ended"


class Instance(NamedTuple):
    """An instance, as the swarm has it."""

    name: str
    state: State
    ending: Literal["drain", "force"] | None = None
    """What a person wants of it: to end once what it has has ended, or at once."""
    is_hive: bool = False
    is_draining: bool = False
    held: int = 0
    """Posts that it has."""


class Machine(NamedTuple):
    """An instance, as its engine has it."""

    name: str
    engine_id: str
    state: Literal["pending", "running", "ended"]


def machines_of(seen: Iterable[Machine], swarm: str, pool: str) -> dict[str, Machine]:
    """Return what an engine knows of a pool's instances, by their names in the swarm; of several the one that lives.

    Those of another swarm of this account may be called the same there: they are none of this pool.

    Args:
        seen: As the engine names them.
        swarm: Its id.
        pool: Its name.
    """
    found: dict[str, Machine] = {}
    for one in seen:
        of, instance = swarm_and_instance(one.name) or ("", "")
        if of != swarm or (pool_and_number(instance) or ("", 0))[0] != pool:
            continue
        if instance not in found or one.state != ENDED:
            found[instance] = one._replace(name=instance)
    return found


def reported_id(machine: Machine | None, at_engine: str) -> str | None:
    """Return what a look has to report as the engine's own name of an instance; None: what is known of it stays.

    A list that has nothing but the name that we gave says nothing new: what the engine answered at the start counts.

    Args:
        machine: As it was seen; None: it was not.
        at_engine: The name that we gave.
    """
    return None if machine is None or machine.engine_id == at_engine else machine.engine_id


def outlook(starting: Sequence[str], live: int, most: int | None, silence: str = "") -> str:
    """Return what a pool does for a post that waits for its machines, behind the pool's name.

    Args:
        starting: Instances that were asked for, and have not joined.
        live: Instances that have not ended.
        most: Its max; None: nobody has looked at it yet.
        silence: Why its engine does not answer; empty: it does.
    """
    if starting:
        return f"starts {', '.join(starting)}" + (f"; its engine does not answer: {silence}" if silence else "")
    if silence:
        return f"its engine does not answer: {silence}"
    if most is not None and live >= most:
        return f"has {live} instance{'s' * (live != 1)}, its max"
    return "will start an instance"


class Deed(StrEnum):
    """What is done about an instance."""

    START = "start"
    END = "end"
    """By its engine."""
    REPORT = "report"
    """Tell the swarm."""


class Step(NamedTuple):
    """One deed."""

    deed: Deed
    name: str
    state: State = "asked"
    """Of a report."""
    reason: str | None = None
    """Of a report: why it has ended, where somebody has to be told."""


def wanted(waiting: int, held: int, slots: int, least: int, most: int) -> int:
    """Return how many instances there are to be.

    Args:
        waiting: Posts that wait and that the instances could take.
        held: Posts that they have: these slots are taken.
        slots: Of each instance.
        least: Instances, whatever waits.
        most: Instances, whatever waits.
    """
    return min(max(-(-(waiting + held) // slots), least), most)


def counts(instance: Instance) -> bool:
    """Whether an instance is there for what waits, now or soon."""
    return instance.state != ENDED and instance.ending is None and not instance.is_draining


def held_by(instances: Sequence[Instance]) -> int:
    """Return how many posts have the slots of those that count."""
    return sum(one.held for one in instances if counts(one))


class Seen(NamedTuple):
    """Names of which something has been so for a while, on the clock of whoever decides."""

    missing: Collection[str] = ()
    """The engine has not known them for so long that it will not any more."""
    late: Collection[str] = ()
    """They have run for too long without having joined."""
    stray: Collection[str] = ()
    """Their rows have ended, and their machines have not."""


def steps(instances: Sequence[Instance], machines: Mapping[str, Machine], seen: Seen, patience: str) -> list[Step]:
    """Return what brings the rows and the machines together.

    Args:
        instances: The rows.
        machines: What the engine knows, by name.
        seen: What has been so for a while.
        patience: How long those that are late have had, for people.
    """
    return [step for one in instances for step in _about(one, machines.get(one.name), seen, patience)]


def _about(one: Instance, machine: Machine | None, seen: Seen, patience: str) -> list[Step]:
    lives = machine is not None and machine.state != ENDED
    is_gone = not lives and (machine is not None or one.name in seen.missing)
    end = [Step(Deed.END, one.name)] if lives else []
    if one.state == ENDED:
        return [*(end if one.name in seen.stray else []), *([_ended(one)] if one.is_hive else [])]
    if one.ending == "force" or (one.ending == "drain" and one.state != JOINED):
        # Of one that was never started there is no machine; of one that was, its engine says when it has ended.
        return end or ([_ended(one)] if is_gone or one.state == ASKED else [])
    if one.state == JOINED:
        return [_ended(one, GONE)] if is_gone else []
    return _before_joining(one, machine, end, seen, patience)


def _before_joining(one: Instance, machine: Machine | None, end: list[Step], seen: Seen, patience: str) -> list[Step]:
    if machine is None:
        if one.state == ASKED:
            return [Step(Deed.START, one.name)]
        return [_ended(one, UNKNOWN)] if one.name in seen.missing else []
    if machine.state == ENDED:
        return [_ended(one, BEFORE_JOINING)]
    if one.name in seen.late:
        return [*end, _ended(one, NOT_JOINED.format(patience))]
    state: State = "running" if machine.state == RUNNING else "started"
    return [Step(Deed.REPORT, one.name, state)] if state != one.state else []


def _ended(one: Instance, reason: str | None = None) -> Step:
    return Step(Deed.REPORT, one.name, "ended", reason)

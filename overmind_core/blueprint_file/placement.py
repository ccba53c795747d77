"""Where in the swarm something runs, and what it needs there: the keys `on`, `cpu` and `memory` of fleets and agents.

An agent of a plan that has `on` is posted to the swarm when its turn comes. It runs on whichever hive takes it, so it
can't have what is of the machine on which its plan stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from overmind_core.blueprint_file.dependencies import Scope, resolved
from overmind_core.documents import reading
from overmind_core.documents.reading import FileValue, is_number
from overmind_core.domain.plans.placement import ANY, MOST_CPU, OF_THIS_MACHINE, label_problem
from overmind_core.domain.text.duration import SizeError, parse_size

ON, CPU, MEMORY = "on", "cpu", "memory"


class Placement(NamedTuple):
    """What an agent's table says."""

    on: dict[str, str] | None = None
    """Labels that a hive must have; None: it runs on this machine."""
    cpu: float = 0.0
    memory: int = 0
    """Bytes."""


HERE = Placement()
"""Of an agent that says nothing about it."""


def placement(agent: FileValue, table: Mapping[str, FileValue], scope: Scope) -> Placement:
    """What the table of a plan's agent says; what is wrong is reported."""
    if ON not in table:
        for name in (CPU, MEMORY):
            if name in table:
                message = f'{name} needs on, as it is reserved on a hive of the swarm: add on = "any", or remove it'
                agent.notes.at_key((*agent.path, name), message)
        return HERE
    for name, why in OF_THIS_MACHINE.items():
        if name in table and table[name].value is not False:
            agent.notes.at_key((*agent.path, name), f"{name} can't be combined with on: {why}")
    found = _where(table[ON], scope)
    size = {name: resolved(table[name], scope) for name in (CPU, MEMORY) if name in table}
    needed, bytes_ = size.get(CPU), size.get(MEMORY)
    return Placement(
        {} if found is None else found,
        (0.0 if needed is None else cpu(needed)) or 0.0,
        (0 if bytes_ is None else memory(bytes_)) or 0,
    )


def _where(spot: FileValue, scope: Scope) -> dict[str, str] | None:
    if isinstance(spot.value, str):
        plain = resolved(spot, scope)
        if plain is not None and plain.value != ANY:
            spot.wrong(f'write "{ANY}", or a table of labels, such as {{ region = "eu" }}')
        return {}
    table = spot.table(f'write "{ANY}", or a table of labels, such as {{ region = "eu" }}')
    return None if table is None else labels(table, scope)


def labels(table: Mapping[str, FileValue], scope: Scope) -> dict[str, str]:
    """The labels that a hive must have."""
    found: dict[str, str] = {}
    for name, entry in table.items():
        plain = resolved(entry, scope)
        written = None if plain is None else reading.text(plain)
        problem = label_problem(name, written or "")
        if problem is not None and problem.of_name:
            entry.notes.at_key(entry.path, f"on: {problem.text}")
        elif problem is not None:
            entry.wrong(problem.text)
        found[name] = written or ""
    return found


def cpu(spot: FileValue) -> float | None:
    """A number of processors."""
    if is_number(spot.value, int, float) and 0 < spot.value <= MOST_CPU:
        return float(spot.value)
    spot.wrong("write a number of processors, such as 2 or 0.5")
    return None


def memory(spot: FileValue) -> int | None:
    """A size, in bytes."""
    if is_number(spot.value, int) and 0 <= spot.value <= reading.LARGEST:
        return spot.value
    try:
        return parse_size(spot.value if isinstance(spot.value, str) else "")
    except SizeError:
        spot.wrong('write a size, such as "4GB"')
    return None

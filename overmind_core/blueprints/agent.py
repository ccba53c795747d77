"""One agent of a blueprint, from its table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from overmind_core.blueprints import kinds
from overmind_core.blueprints.dependencies import Waits, depends_on
from overmind_core.blueprints.keys import AGENT, BESIDE_MERGE, MERGE, WHEN
from overmind_core.blueprints.merge import Landing, landing
from overmind_core.blueprints.notes import Spot
from overmind_core.blueprints.probe import probe
from overmind_core.blueprints.request import World, request
from overmind_core.blueprints.scope import ALWAYS, resolved
from overmind_core.domain.names import name_problem
from overmind_core.domain.plan.blueprint import Agent, Probe, When
from overmind_core.domain.plan.reference import WORD
from overmind_core.domain.problems import hinted


@dataclass(slots=True)
class Draft:
    """An agent as far as it could be read."""

    name: str
    start: dict[str, Any] = field(default_factory=dict)
    waits: Waits = field(default_factory=Waits)
    outputs: tuple[str, ...] = ()
    ready: Probe | None = None
    when: When = When.SUCCESS
    retries: int = 0
    clean_env: bool = False
    landing: Landing | None = None

    def finished(self) -> Agent:
        """The agent; only when nothing was wrong."""
        return Agent(
            name=self.name,
            start=self.start,
            depends_on=tuple(self.waits.on.values()),
            outputs=self.outputs,
            ready=self.ready,
            when=self.when,
            retries=self.retries,
            clean_env=self.clean_env,
            merge=None if self.landing is None else self.landing.merge,
        )


def draft(spot: Spot, world: World) -> Draft:
    """Read an agent's table; what is wrong in it is told."""
    found = Draft(str(spot.path[-1]))
    problem = name_problem(found.name)
    if problem is not None:
        spot.notes.at_key(spot.path, f"{problem}: {found.name!r}")
    table = spot.table()
    if table is None:
        return found
    for name in table:
        if name not in AGENT:
            spot.notes.at_key((*spot.path, name), hinted(f"unknown key {name!r}", name, AGENT))
    _plan(found, table, world)
    if any(name in table for name in MERGE):
        found.landing = landing(spot, table, world.scope, found.waits)
    if "merge" in table:
        table = {name: one for name, one in table.items() if name in {"merge", *BESIDE_MERGE}}
    found.start = request(spot, table, world, found.waits)
    named = "depends_on" in table and table["depends_on"].value
    if found.when is When.FAILURE and not named and not found.waits.on:
        table["when"].wrong("it waits for a failure of what it depends on, and depends_on names nothing")
    return found


def _plan(found: Draft, table: Mapping[str, Spot], world: World) -> None:
    """What makes it a part of the plan."""
    if "depends_on" in table:
        found.waits = depends_on(table["depends_on"], found.name, world.scope.agents)
    found.outputs = outputs(table)
    tell_outputs(table)
    if "ready" in table:
        found.ready = probe(table["ready"], world.scope)
    found.when = When(_closed(table, "when", WHEN, world) or When.SUCCESS)
    found.retries = _closed(table, "retries", kinds.whole, world) or 0
    found.clean_env = _closed(table, "clean_env", kinds.flag, world) or False


def _closed(table: Mapping[str, Spot], name: str, read: kinds.Read, world: World) -> Any:  # noqa: ANN401
    spot = table.get(name)
    spot = spot and resolved(spot, world.scope)
    return None if spot is None else read(spot)


def outputs(table: Mapping[str, Any]) -> tuple[str, ...]:
    """The outputs that an agent declares, as far as they are names; tells nothing.

    Args:
        table: Its keys, with plain values or with spots.
    """
    written = table.get("outputs")
    written = written.value if isinstance(written, Spot) else written
    if not isinstance(written, list):
        return ()
    return tuple(dict.fromkeys(one for one in written if isinstance(one, str) and WORD.fullmatch(one)))


def tell_outputs(table: Mapping[str, Spot]) -> None:
    """Tell what is wrong with an agent's outputs."""
    spot = table.get("outputs")
    if spot is None:
        return
    entries = spot.entries()
    if entries is None:
        spot.wrong('write a list of names, such as ["facts"]')
    seen: set[object] = set()
    for entry in entries or ():
        written = kinds.text(entry)
        if written is None:
            continue
        if not WORD.fullmatch(written):
            entry.wrong(f"{written!r} is no name: write letters, digits, '_' and '-'")
        elif written in ALWAYS:
            entry.wrong(f"every agent has {written!r}; leave it out")
        elif written in seen:
            entry.wrong(f"{written} is there twice")
        seen.add(written)

"""Fleets and sentinels of a blueprint: `[fleets.NAME]`, `[sentinels.NAME]`, and the agents that only they run.

An agent that a fleet names is none of the plan: it runs on hives of the swarm, where the plan's agents, folders and
worktrees are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from overmind_core.blueprint_file.agent import Draft
from overmind_core.blueprint_file.dependencies import Scope, resolved
from overmind_core.blueprint_file.keys import MERGE, SWARM
from overmind_core.blueprint_file.placement import cpu, labels, memory
from overmind_core.documents import reading
from overmind_core.documents.reading import FileValue, is_number
from overmind_core.domain.plans.bindings import Wanted, bound, wanted
from overmind_core.domain.plans.blueprint import Probe, ProbeKind
from overmind_core.domain.plans.fleet import MOST_PLACES, SHORTEST_LEASE, Fleet, fleet_name_problem
from overmind_core.domain.plans.references import bind_shell, references
from overmind_core.domain.swarm.secrets import NAME_RULE, is_secret_name
from overmind_core.domain.text.problems import hinted

FLEETS, SENTINELS = "fleets", "sentinels"
EACH = "each"
"""In the place of a number: one on every fitting hive."""
_KEYS = ("agent", "replicas", "on", "on_lost", "lease", "cpu", "memory", "secrets")
_OF_PLANS = ("depends_on", "outputs", "when", "retries", *MERGE)
"""Keys of an agent of the plan, which one of a fleet can't have; where that one runs is its fleet's to say."""


def agents_of_fleets(data: Mapping[str, Any]) -> frozenset[str]:
    """The agents that fleets and sentinels name, before any of it is judged."""
    found = set()
    for key in (FLEETS, SENTINELS):
        table = data.get(key)
        for name, one in table.items() if isinstance(table, dict) else ():
            found.add(one.get("agent", name) if isinstance(one, dict) else name)
    return frozenset(one for one in found if isinstance(one, str))


def report_apart(drafts: Iterable[Draft], agents: Mapping[str, FileValue], remote: frozenset[str]) -> None:
    """Tell what keeps an agent of a fleet from running elsewhere, and who in the plan waits for it.

    Args:
        drafts: All agents of the file.
        agents: Their tables.
        remote: Those of fleets.
    """
    for draft in drafts:
        spot = agents[draft.name]
        if draft.name not in remote:
            for name in remote.intersection(draft.waits.on):
                spot.notes.at(draft.waits.at[name], f"{name} runs in a fleet: no agent of the plan can wait for it")
            continue
        table = spot.value if isinstance(spot.value, dict) else {}
        for key in (*_OF_PLANS, *SWARM):
            if key in table:
                end = ": say it there" if key in SWARM else ""
                message = f"{key} is for agents of the plan, and {draft.name} runs in a fleet{end}"
                spot.notes.at_key((*spot.path, key), message)
        if table.get("isolate"):
            message = f"isolate needs a repository, and {draft.name} runs in a folder of its hive: remove it"
            spot.notes.at_key((*spot.path, "isolate"), message)
        if "depends_on" not in table:
            for name, place in draft.waits.at.items():
                spot.notes.at(place, f"{draft.name} runs in a fleet, and can't refer to the agent {name}")


class FleetDraft:
    """A fleet as far as it could be read."""

    def __init__(self, spot: FileValue, agents: Mapping[str, Draft], scope: Scope) -> None:
        """`spot`: its table; `agents`: those of the file. What is wrong is reported."""
        self.name = str(spot.path[-1])
        self.spot = spot
        self._scope = scope
        self._agents = agents
        self._fields: dict[str, Any] = {}
        self.agent = self.name
        problem = fleet_name_problem(self.name)
        if problem is not None:
            spot.notes.at_key(spot.path, f"{problem}: {self.name!r}")
        table = spot.table()
        if table is not None:
            self._read(table)

    def _read(self, table: Mapping[str, FileValue]) -> None:
        is_sentinel = self.spot.path[0] == SENTINELS
        self.spot.report_unknown([key for key in _KEYS if not (is_sentinel and key == "replicas")])
        self._read_agent(table.get("agent"))
        if is_sentinel:
            self._fields["want"] = None
        for key, read in _READ.items():
            spot = table.get(key)
            if spot is None or (is_sentinel and key == "replicas"):
                continue
            plain = spot if key == "on" else resolved(spot, self._scope)
            value = None if plain is None else read(plain)
            if key == "on" and value is not None:
                value = labels(value, self._scope)
            if value is not None:
                self._fields["want" if key == "replicas" else key] = None if value == EACH else value

    def _read_agent(self, spot: FileValue | None) -> None:
        written = None if spot is None else reading.text(spot)
        if spot is not None and written is None:
            return
        self.agent = self.name if written is None else written
        if self.agent in self._agents:
            return
        message = hinted(f"no agent is named {self.agent!r}", self.agent, self._agents)
        if spot is None:
            end = "" if message.endswith("?") else "."
            self.spot.notes.at_key(self.spot.path, f'{self.name}: {message}{end} Name one: agent = "…"')
        else:
            spot.wrong(message)

    def finished(self) -> Fleet:
        """The fleet; only when nothing was wrong so far.

        Raises:
            ValueError: a value can't be given to a program; the message says which.
        """
        draft = self._agents[self.agent]
        ready, ready_env = self._probe(draft.ready)
        run = bound(draft.start, self._values(wanted(draft.start)))
        return Fleet(name=self.name, agent=self.agent, run=run, ready=ready, ready_env=ready_env, **self._fields)

    def _probe(self, probe: Probe | None) -> tuple[Probe | None, dict[str, str]]:
        if probe is None or probe.kind is not ProbeKind.EXEC:
            return probe, {}
        found = {(str(one.source), one.name, one.field) for one in references(probe.target)}
        command, variables = bind_shell(probe.target, self._values(found))
        return Probe(probe.kind, command, probe.timeout), variables

    def _values(self, found: set[Wanted]) -> dict[str, str]:
        known = {"vars": self._scope.variables, "env": self._scope.environ}
        return {f"{source}.{name}": known[source][name] for source, name, _ in found}


def fleet_drafts(tables: Mapping[str, FileValue], drafts: Sequence[Draft], scope: Scope) -> Iterator[FleetDraft]:
    """Read the tables of fleets and sentinels; what is wrong in them is reported."""
    agents = {one.name: one for one in drafts}
    seen: set[str] = set()
    for key in (FLEETS, SENTINELS):
        spot = tables.get(key)
        for entry in ((None if spot is None else spot.table()) or {}).values():
            found = FleetDraft(entry, agents, scope)
            if found.name in seen:
                entry.notes.at_key(entry.path, f"a fleet is called {found.name} already: choose another name")
            seen.add(found.name)
            yield found


def _replicas(spot: FileValue) -> int | str | None:
    if spot.value == EACH:
        return EACH
    if is_number(spot.value, int) and 0 <= spot.value <= MOST_PLACES:
        return spot.value
    spot.wrong(f'write a number from 0 to {MOST_PLACES}, or "{EACH}" for one on every fitting hive')
    return None


def _lease(spot: FileValue) -> float | None:
    found = reading.seconds(spot)
    if found is not None and found < SHORTEST_LEASE:
        spot.wrong(f"a hive that is only slow would lose it: write {SHORTEST_LEASE:g}s or more")
        return None
    return found


def _secrets(spot: FileValue) -> tuple[str, ...] | None:
    names = reading.texts(spot)
    for name in names or ():
        if not is_secret_name(name):
            spot.wrong(f"{name!r} can't be the name of a secret. {NAME_RULE}")
            return None
    return None if names is None else tuple(dict.fromkeys(names))


def _table(spot: FileValue) -> dict[str, FileValue] | None:
    return spot.table('write a table of labels, such as { region = "eu" }')


_READ: Mapping[str, reading.Read] = {
    "replicas": _replicas,
    "on": _table,
    "on_lost": reading.choice(("wait", "move")),
    "lease": _lease,
    "cpu": cpu,
    "memory": memory,
    "secrets": _secrets,
}

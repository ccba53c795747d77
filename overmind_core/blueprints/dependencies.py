"""What each agent waits for: as `depends_on` says it, and as references imply it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from overmind_core.blueprints import kinds
from overmind_core.blueprints.notes import Notes, Spot
from overmind_core.domain.plan.blueprint import Dependency, Until
from overmind_core.domain.plan.graph import find_cycle
from overmind_core.domain.problems import hinted

EARLY = frozenset({Until.STARTED, Until.READY})
"""The other agent may still run then, and has no result yet."""
_UNTIL = kinds.choice([until.value for until in Until])
_KEYS = ("agent", "until")


@dataclass(slots=True)
class Waits:
    """What one agent waits for."""

    on: dict[str, Dependency] = field(default_factory=dict)
    """By the other's name."""
    at: dict[str, int] = field(default_factory=dict)
    """Where each is said first."""

    def imply(self, name: str, offset: int) -> None:
        """A reference needs another agent's end, unless something else was said of it."""
        self.on.setdefault(name, Dependency(name))
        self.at.setdefault(name, offset)


def depends_on(spot: Spot, own: str, known: Collection[str]) -> Waits:
    """What the key says; of what makes no sense it is told why."""
    found = Waits()
    entries = spot.entries()
    if entries is None:
        spot.wrong('write a list, such as ["build"] or [{ agent = "db", until = "ready" }]')
        return found
    for entry in entries:
        named = entry if isinstance(entry.value, str) else _named(entry)
        if named is None or kinds.text(named) is None:
            continue
        name = str(named.value)
        problem = _problem(name, own, known, found)
        if problem is not None:
            named.wrong(problem)
            continue
        found.on[name] = Dependency(name, _until(entry))
        found.at[name] = named.offset
    return found


def _named(entry: Spot) -> Spot | None:
    """The agent's name in an entry that is a table."""
    if not isinstance(entry.value, dict):
        entry.wrong('write the name of an agent in quotes, or { agent = "…", until = "…" }')
        return None
    for name in entry.value:
        if name not in _KEYS:
            entry.notes.at_key((*entry.path, name), hinted(f"unknown key {name!r}", name, _KEYS))
    if "agent" not in entry.value:
        entry.wrong('which agent is missing: { agent = "…", until = "…" }')
        return None
    return Spot(entry.notes, (*entry.path, "agent"), entry.value["agent"])


def _until(entry: Spot) -> Until:
    if not isinstance(entry.value, dict) or "until" not in entry.value:
        return Until.SUCCESS
    written = _UNTIL(Spot(entry.notes, (*entry.path, "until"), entry.value["until"]))
    return Until.SUCCESS if written is None else Until(written)


def _problem(name: str, own: str, known: Collection[str], before: Waits) -> str | None:
    if name == own:
        return f"{own} depends on itself"
    if name in before.on:
        return f"{name} is there twice"
    if name not in known:
        return hinted(f"there is no agent {name!r}", name, known)
    return None


def tell_cycles(waits: Mapping[str, Waits], notes: Notes) -> None:
    """Tell each circle of agents once, where its first member names the next."""
    edges: dict[str, Sequence[str]] = {name: list(one.on) for name, one in waits.items()}
    while (circle := find_cycle(edges)) is not None:
        first, following = circle[0], circle[1]
        told = " -> ".join([*circle, first])
        notes.at(waits[first].at[following], f"these agents depend on each other in a circle: {told}")
        for name in circle:
            del edges[name]


def tell_endless(waits: Mapping[str, Waits], staying: Iterable[str], notes: Notes) -> None:
    """Tell who waits for the success of an agent that never ends by itself: the plan would stand still."""
    never = frozenset(staying)
    for one in waits.values():
        for name in never.intersection(one.on):
            if one.on[name].until is Until.SUCCESS:
                notes.at(
                    one.at[name],
                    f"{name} does not end by itself, so nothing can wait for its success. Write in depends_on:"
                    f' {{ agent = "{name}", until = "ready" }}',
                )

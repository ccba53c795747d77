"""What would have to be done to turn one plan into another. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from overmind_core.domain.plans.blueprint import Blueprint, PlanAgent, PlanMerge
from overmind_core.domain.plans.references import ValueSource, references

NEW = "+"
CHANGED = "~"
GONE = "-"

_WHOLE = ("name", "max_parallel", "on_failure", "timeout")
_PLAN = ("depends_on", "outputs", "ready", "service", "when", "retries", "clean_env", "on", "cpu", "memory")
_MERGE = ("into", "verify", "squash", "rebase")
_WRITTEN = {
    "env_set": "env", "columns": "size", "rows": "size", "tty": "no_tty", "prompt": "command", "arguments": "agent_arg",
}  # fmt: skip
"""Fields of a request → what they are called in a blueprint, where that is not the same."""


class PlanChange(NamedTuple):
    """One line of the plan that turns one into the other."""

    sign: str
    """`+` new, `~` changed, `-` gone."""
    agent: str | None
    """None: the limits of the whole."""
    why: tuple[str, ...] = ()
    """The keys that differ; empty for an agent that is added or removed."""


def difference(old: Blueprint, new: Blueprint) -> list[PlanChange]:
    """What changes: the whole first, then the agents of `new` in its order, then those of `old` that are gone."""
    before, after = old.by_name, new.by_name
    moved = {name for name in old.variables.keys() | new.variables.keys()
             if old.variables.get(name) != new.variables.get(name)}  # fmt: skip
    found = [PlanChange(NEW, agent.name) if agent.name not in before else _change(before[agent.name], agent, moved)
             for agent in new.agents]  # fmt: skip
    whole = tuple(name for name in _WHOLE if getattr(old, name) != getattr(new, name))
    gone = [PlanChange(GONE, agent.name) for agent in old.agents if agent.name not in after]
    return [
        change for change in (PlanChange(CHANGED, None, whole), *found, *gone) if change.sign != CHANGED or change.why
    ]


def _change(old: PlanAgent, new: PlanAgent, moved: set[str]) -> PlanChange:
    """How an agent differs, also when only a variable that it uses has another value."""
    keys = [*_fields(old.start, new.start), *(name for name in _PLAN if getattr(old, name) != getattr(new, name))]
    keys += _merges(old.merge, new.merge)
    keys += [f"vars.{name}" for name in _variables(new) if name in moved]
    return PlanChange(CHANGED, new.name, tuple(dict.fromkeys(keys)))


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys((*new, *old)):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if name == "agent":
            yield from _fields(before or {}, after or {})
        else:
            yield _WRITTEN.get(name, name)


def _merges(old: PlanMerge | None, new: PlanMerge | None) -> Iterator[str]:
    if old is None or new is None:
        yield from [] if old is new else ["merge"]
        return
    if old.agents != new.agents:
        yield "merge"
    yield from (name for name in _MERGE if getattr(old, name) != getattr(new, name))


def _variables(agent: PlanAgent) -> Iterator[str]:
    """The variables that the agent's texts refer to."""
    ready = "" if agent.ready is None else agent.ready.target
    for text in (*_texts(agent.start), ready):
        if "${vars." in text:
            yield from (one.name for one in references(text) if one.source is ValueSource.VARS)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)

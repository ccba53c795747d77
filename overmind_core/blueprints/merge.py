"""The key `merge`: an agent that lands what others have done, instead of running a command."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from overmind_core.blueprints import kinds
from overmind_core.blueprints.dependencies import EARLY, Waits
from overmind_core.blueprints.keys import AGENT, BESIDE_MERGE, MERGE
from overmind_core.blueprints.notes import Notes, Spot
from overmind_core.blueprints.scope import Scope, resolved
from overmind_core.domain.plan.blueprint import Merge
from overmind_core.domain.plan.reference import bind_text, check_text, references
from overmind_core.domain.problems import hinted

_EXAMPLE = 'merge = ["api", "ui"]'


class Landing(NamedTuple):
    """What the keys say, as far as it makes sense."""

    merge: Merge
    at: Mapping[str, int]
    """Where each agent that lands is named."""


def landing(agent: Spot, table: Mapping[str, Spot], scope: Scope, waits: Waits) -> Landing | None:
    """What an agent's table says about landing; what is wrong is told. None when it names nobody.

    Args:
        agent: The agent's table.
        table: What stands in it, one of `MERGE` at least.
        scope: What its texts may refer to.
        waits: What it waits for; the end of each agent that lands is added.
    """
    if "merge" not in table:
        for name in MERGE:
            if name in table:
                agent.notes.at_key((*agent.path, name), f"{name} says how to merge: name the agents, {_EXAMPLE}")
        return None
    for name in table:
        if name in AGENT and name not in {*MERGE, *BESIDE_MERGE}:
            told = "it runs no command of its own: leave one of them out" if name == "command" else "leave it out"
            agent.notes.at_key((*agent.path, name), f"{name} does not go with merge; {told}")
    at = dict(_named(table["merge"], str(agent.path[-1]), scope, waits))
    into, verify = _branch(table.get("into"), scope), _command(table.get("verify"))
    squash, rebase = _flag(table.get("squash")), _flag(table.get("rebase"))
    if squash and rebase:
        table["rebase"].wrong("squash is there, too: it is one or the other")
    return Landing(Merge(tuple(at), into, verify, squash, rebase), at)


def _named(spot: Spot, own: str, scope: Scope, waits: Waits) -> Iterator[tuple[str, int]]:
    """The agents that it names; it waits for each."""
    entries = [spot] if isinstance(spot.value, str) else spot.entries()
    if not entries:
        spot.wrong(f"write the name of an agent in quotes, or a list of them: {_EXAMPLE}")
    seen: set[str] = set()
    for entry in entries or ():
        name = kinds.text(entry)
        if name is None:
            continue
        problem = _problem(name, own, scope.agents, seen)
        if problem is not None:
            entry.wrong(problem)
            continue
        seen.add(name)
        before = waits.on.get(name)
        if before is not None and before.until in EARLY:
            entry.wrong(f"{name} is still at work then: depends_on waits only until it is {before.until}")
        waits.imply(name, entry.offset)
        yield name, entry.offset


def _problem(name: str, own: str, known: Collection[str], seen: Collection[str]) -> str | None:
    if name == own:
        return f"{own} can't merge itself"
    if name in seen:
        return f"{name} is there twice"
    return None if name in known else hinted(f"there is no agent {name!r}", name, known)


def tell_shared(landings: Mapping[str, Landing], isolated: Collection[str], notes: Notes) -> None:
    """Tell of each agent that is to land and has no branch of its own."""
    for one in landings.values():
        for name, offset in one.at.items():
            if name in landings:
                notes.at(offset, f"merge: {name} merges others itself: name those")
            elif name not in isolated:
                notes.at(
                    offset, f"merge: {name} has no worktree of its own: write isolate = true below [agents.{name}]"
                )


def _branch(spot: Spot | None, scope: Scope) -> str | None:
    spot = spot and resolved(spot, scope)
    written = None if spot is None else kinds.text(spot)
    if spot is not None and written is not None and (not written.strip() or not written.isprintable()):
        spot.wrong("write the name of a branch")
        return None
    return written


def _command(spot: Spot | None) -> str | None:
    """A shell command. It runs in the world of the agent that lands, so no variable of ours could carry a value."""
    written = None if spot is None else kinds.text(spot)
    if spot is None or written is None:
        return None
    if not written.strip() or "\0" in written:
        spot.wrong("write a command that exits with 0 when the merged work is right")
        return None
    for refused in check_text(written):
        spot.wrong_inside(refused.at, refused.why)
        return None
    for reference in references(written):
        spot.wrong_inside(reference.start, "it can refer to nothing: a value could not reach it safely")
        return None
    return bind_text(written, {})


def _flag(spot: Spot | None) -> bool:
    return False if spot is None else kinds.flag(spot) or False

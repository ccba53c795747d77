"""One agent of a blueprint, from its table; with `merge` it lands what others have done, and runs no command."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from overmind_core.blueprint_file.command import ReadContext, request
from overmind_core.blueprint_file.dependencies import ALWAYS, EARLY, Scope, Waits, depends_on, resolved
from overmind_core.blueprint_file.foreign_keys import FOREIGN_AGENT
from overmind_core.blueprint_file.keys import AGENT, BESIDE_MERGE, MERGE, WHEN
from overmind_core.blueprint_file.placement import HERE, Placement, placement
from overmind_core.blueprint_file.probe import probe
from overmind_core.documents import reading
from overmind_core.documents.reading import FileValue, Findings, Place
from overmind_core.domain.missions.names import name_problem
from overmind_core.domain.plans.blueprint import BACKOFF, MOST_RETRIES, PlanAgent, PlanMerge, Probe, When
from overmind_core.domain.plans.references import WORD, bind_text, check_text, references
from overmind_core.domain.text.problems import hinted

_EXAMPLE = 'merge = ["api", "ui"]'


class Landing(NamedTuple):
    """What the keys say, as far as it makes sense."""

    merge: PlanMerge
    at: Mapping[str, Place]
    """Where each agent that lands is named."""


def landing(agent: FileValue, table: Mapping[str, FileValue], scope: Scope, waits: Waits) -> Landing | None:
    """What an agent's table says about landing; what is wrong is reported. None when it names nobody.

    Args:
        agent: The agent's table.
        table: What stands in it, one of `MERGE` at least.
        scope: What its texts may refer to.
        waits: What it waits for; the end of each agent that lands is added.
    """
    if "merge" not in table:
        for name in MERGE:
            if name in table:
                agent.notes.at_key((*agent.path, name), f"{name} needs merge: name the agents to merge, {_EXAMPLE}")
        return None
    for name in table:
        if name in AGENT and name not in {*MERGE, *BESIDE_MERGE}:
            how = "a merging agent runs no command: remove one of them" if name == "command" else "remove it"
            agent.notes.at_key((*agent.path, name), f"{name} can't be combined with merge: {how}")
    at = dict(_named(table["merge"], str(agent.path[-1]), scope, waits))
    into, verify = _branch(table.get("into"), scope), _command(table.get("verify"))
    squash, rebase = _flag(table.get("squash")), _flag(table.get("rebase"))
    if squash and rebase:
        table["rebase"].wrong("can't be combined with squash: choose one")
    return Landing(PlanMerge(tuple(at), into, verify, squash, rebase), at)


def _named(spot: FileValue, own: str, scope: Scope, waits: Waits) -> Iterator[tuple[str, Place]]:
    """The agents that it names; it waits for each."""
    entries = [spot] if isinstance(spot.value, str) else spot.entries()
    if not entries:
        spot.wrong(f"write the name of an agent in quotes, or a list of them: {_EXAMPLE}")
    seen: set[str] = set()
    for entry in entries or ():
        name = reading.text(entry)
        if name is None:
            continue
        problem = _problem(name, own, scope.agents, seen)
        if problem is not None:
            entry.wrong(problem)
            continue
        seen.add(name)
        before = waits.on.get(name)
        if before is not None and before.until in EARLY:
            entry.wrong(f"{name} is still running then: depends_on waits only until it is {before.until}")
        waits.imply(name, entry.place)
        yield name, entry.place


def _problem(name: str, own: str, known: Collection[str], seen: Collection[str]) -> str | None:
    if name == own:
        return f"{own} can't merge itself"
    if name in seen:
        return f"{name} is listed twice"
    return None if name in known else hinted(f"no agent is named {name!r}", name, known)


def report_shared(landings: Mapping[str, Landing], isolated: Collection[str], notes: Findings) -> None:
    """Tell of each agent that is to land and has no branch of its own."""
    for one in landings.values():
        for name, place in one.at.items():
            if name in landings:
                notes.at(place, f"merge: {name} is itself a merging agent: name the agents that it merges")
            elif name not in isolated:
                notes.at(place, f"merge: {name} has no worktree: set isolate = true in [agents.{name}]")


def _branch(spot: FileValue | None, scope: Scope) -> str | None:
    spot = spot and resolved(spot, scope)
    written = None if spot is None else reading.text(spot)
    if spot is not None and written is not None and (not written.strip() or not written.isprintable()):
        spot.wrong("write the name of a branch")
        return None
    return written


def _command(spot: FileValue | None) -> str | None:
    """A shell command. It runs in the environment of the agent that lands, so no variable of ours could carry it."""
    written = None if spot is None else reading.text(spot)
    if spot is None or written is None:
        return None
    if not written.strip() or "\0" in written:
        spot.wrong("write a command that exits with 0 if the merged work is good")
        return None
    for refused in check_text(written):
        spot.wrong_inside(refused.at, refused.why)
        return None
    for reference in references(written):
        spot.wrong_inside(reference.start, "it can't contain references: values can't be passed to it safely")
        return None
    return bind_text(written, {})


def _flag(spot: FileValue | None) -> bool:
    return False if spot is None else reading.flag(spot) or False


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
    backoff: float = BACKOFF
    clean_env: bool = False
    service: bool | None = None
    landing: Landing | None = None
    placement: Placement = HERE

    def finished(self) -> PlanAgent:
        """The agent; only when nothing was wrong."""
        return PlanAgent(
            name=self.name,
            start=self.start,
            depends_on=tuple(self.waits.on.values()),
            outputs=self.outputs,
            ready=self.ready,
            when=self.when,
            retries=self.retries,
            backoff=self.backoff,
            clean_env=self.clean_env,
            service=self.service,
            merge=None if self.landing is None else self.landing.merge,
            **self.placement._asdict(),
        )


def draft(spot: FileValue, context: ReadContext) -> Draft:
    """Read an agent's table; what is wrong in it is reported."""
    found = Draft(str(spot.path[-1]))
    problem = name_problem(found.name)
    if problem is not None:
        spot.notes.at_key(spot.path, f"{problem}: {found.name!r}")
    table = spot.table()
    if table is None:
        return found
    spot.report_unknown(AGENT, FOREIGN_AGENT)
    _plan(found, spot, table, context)
    if any(name in table for name in MERGE):
        found.landing = landing(spot, table, context.scope, found.waits)
    if "merge" in table:
        table = {name: one for name, one in table.items() if name in {"merge", *BESIDE_MERGE}}
    found.start = request(spot, table, context, found.waits)
    named = "depends_on" in table and table["depends_on"].value
    if found.when is When.FAILURE and not named and not found.waits.on:
        table["when"].wrong("it runs after a dependency fails, but depends_on is empty: name one there")
    return found


def _plan(found: Draft, spot: FileValue, table: Mapping[str, FileValue], context: ReadContext) -> None:
    """What makes it a part of the plan."""
    if "depends_on" in table:
        found.waits = depends_on(table["depends_on"], found.name, context.scope.agents)
    found.outputs = outputs(table)
    report_outputs(table)
    if "ready" in table:
        found.ready = probe(table["ready"], context.scope)
    found.when = When(_closed(table, "when", WHEN, context) or When.SUCCESS)
    found.retries = _closed(table, "retries", _retries, context) or 0
    backoff = _closed(table, "backoff", reading.milliseconds, context)
    found.backoff = BACKOFF if backoff is None else backoff
    found.clean_env = _closed(table, "clean_env", reading.flag, context) or False
    found.service = _closed(table, "service", reading.flag, context)
    if "merge" not in table and not context.in_fleet:
        found.placement = placement(spot, table, context.scope)


def _retries(spot: FileValue) -> int | None:
    found = reading.whole(spot)
    if found is not None and found > MOST_RETRIES:
        spot.wrong(f"an agent can have at most {MOST_RETRIES} times")
        return None
    return found


def _closed(table: Mapping[str, FileValue], name: str, read: reading.Read, context: ReadContext) -> Any:  # noqa: ANN401
    spot = table.get(name)
    spot = spot and resolved(spot, context.scope)
    return None if spot is None else read(spot)


def outputs(table: Mapping[str, Any]) -> tuple[str, ...]:
    """The outputs that an agent declares, as far as they are names; tells nothing.

    Args:
        table: Its keys, with plain values or with spots.
    """
    written = table.get("outputs")
    written = written.value if isinstance(written, FileValue) else written
    if not isinstance(written, list):
        return ()
    return tuple(dict.fromkeys(one for one in written if isinstance(one, str) and WORD.fullmatch(one)))


def report_outputs(table: Mapping[str, FileValue]) -> None:
    """Tell what is wrong with an agent's outputs."""
    spot = table.get("outputs")
    if spot is None:
        return
    entries = spot.entries()
    if entries is None:
        spot.wrong('write a list of names, such as ["facts"]')
    seen: set[object] = set()
    for entry in entries or ():
        written = reading.text(entry)
        if written is None:
            continue
        if not WORD.fullmatch(written):
            entry.wrong(f"{written!r} is not a valid name: use letters, digits, '_' and '-'")
        elif written in ALWAYS:
            entry.wrong(f"{written!r} is built in for every agent: remove it")
        elif written in seen:
            entry.wrong(f"{written} is listed twice")
        seen.add(written)

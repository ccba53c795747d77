"""The dependencies of a blueprint's agents: as `depends_on` says them, and as references imply them.

Also what the references in its texts can mean, and what is wrong with those that mean nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from overmind_core.documents import reading
from overmind_core.documents.reading import FileValue, Findings, Place
from overmind_core.domain.plans.blueprint import ENDS, Dependency, Until
from overmind_core.domain.plans.references import Reference, ValueSource, bind_text, check_shell, check_text, references
from overmind_core.domain.text.graph import find_cycle
from overmind_core.domain.text.problems import CycleProblem, hinted

EARLY = frozenset({Until.STARTED, Until.READY})
"""The other agent may still run then, and has no result yet."""
_UNTIL = reading.choice([until.value for until in Until])
_KEYS = ("agent", "until")


@dataclass(slots=True)
class Waits:
    """What one agent waits for."""

    on: dict[str, Dependency] = field(default_factory=dict)
    """By the other's name."""
    at: dict[str, Place] = field(default_factory=dict)
    """Where each is said first."""

    def imply(self, name: str, place: Place) -> None:
        """A reference needs another agent's end, unless something else was said of it."""
        self.on.setdefault(name, Dependency(name))
        self.at.setdefault(name, place)


def depends_on(spot: FileValue, own: str, known: Collection[str]) -> Waits:
    """What the key says; what makes no sense is reported."""
    found = Waits()
    entries = spot.entries()
    if entries is None:
        spot.wrong('write a list, such as ["build"] or [{ agent = "db", until = "ready" }]')
        return found
    for entry in entries:
        named = entry if isinstance(entry.value, str) else _named(entry)
        if named is None or reading.text(named) is None:
            continue
        name = str(named.value)
        problem = _problem(name, own, known, found)
        if problem is not None:
            named.wrong(problem)
            continue
        found.on[name] = Dependency(name, _until(entry))
        found.at[name] = named.place
    return found


def _named(entry: FileValue) -> FileValue | None:
    """The agent's name in an entry that is a table."""
    if not isinstance(entry.value, dict):
        entry.wrong('write the name of an agent in quotes, or { agent = "…", until = "…" }')
        return None
    entry.report_unknown(_KEYS)
    if "agent" not in entry.value:
        entry.wrong('the name of the agent is missing: { agent = "…", until = "…" }')
        return None
    return FileValue(entry.notes, (*entry.path, "agent"), entry.value["agent"])


def _until(entry: FileValue) -> Until:
    if not isinstance(entry.value, dict) or "until" not in entry.value:
        return Until.SUCCESS
    written = _UNTIL(FileValue(entry.notes, (*entry.path, "until"), entry.value["until"]))
    return Until.SUCCESS if written is None else Until(written)


def _problem(name: str, own: str, known: Collection[str], before: Waits) -> str | None:
    if name == own:
        return f"{own} depends on itself"
    if name in before.on:
        return f"{name} is listed twice"
    if name not in known:
        return hinted(f"no agent is named {name!r}", name, known)
    return None


def report_cycles(waits: Mapping[str, Waits], notes: Findings) -> None:
    """Tell each circle of agents once, where its first member names the next."""
    edges: dict[str, Sequence[str]] = {name: list(one.on) for name, one in waits.items()}
    while (circle := find_cycle(edges)) is not None:
        first, following = circle[0], circle[1]
        cycle = " -> ".join([*circle, first])
        place = waits[first].at[following]
        notes.problems.append(CycleProblem(*place, f"these agents depend on each other in a circle: {cycle}"))
        for name in circle:
            del edges[name]


def report_endless(waits: Mapping[str, Waits], staying: Iterable[str], notes: Findings) -> None:
    """Tell who waits for the end of an agent that never ends by itself: the plan would stand still."""
    never = frozenset(staying)
    for one in waits.values():
        for name in never.intersection(one.on):
            if (end := ENDS.get(one.on[name].until)) is not None:
                notes.at(
                    one.at[name],
                    f"{name} never ends on its own, so no agent can wait for its {end}. Write in depends_on:"
                    f' {{ agent = "{name}", until = "ready" }}, or service = false in {name} if it does end',
                )


ALWAYS = ("result", "output", "exit_code")
"""What every agent hands on when it has finished."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known while a text is read. All texts are in wire form."""

    variables: Mapping[str, str]
    environ: Mapping[str, str]
    """The caller's."""
    agents: Mapping[str, Iterable[str]]
    """Agent → the outputs that it declares."""
    used: set[str] = field(default_factory=set)
    """Variables that some text has asked for."""

    def problem(self, reference: Reference, own: str | None) -> str | None:
        """Why a reference of the agent `own` means nothing; None when it means something."""
        if reference.source is ValueSource.AGENTS:
            return self._agent_problem(reference, own)
        if reference.source is ValueSource.VARS:
            self.used.add(reference.name)
        known = self.known(reference)
        if reference.name in known:
            return None
        where = "[vars] has" if reference.source is ValueSource.VARS else "the environment has"
        return hinted(f"{where} no {reference.name!r}", reference.name, known)

    def known(self, reference: Reference) -> Mapping[str, str]:
        """The values among which a reference to no agent finds its own."""
        return self.variables if reference.source is ValueSource.VARS else self.environ

    def _agent_problem(self, reference: Reference, own: str | None) -> str | None:
        if own is None:
            return "outputs of agents are not known yet when this file is read"
        if reference.name == own:
            return f"{own} refers to itself"
        if reference.name not in self.agents:
            return hinted(f"no agent is named {reference.name!r}", reference.name, self.agents)
        known = (*ALWAYS, *self.agents[reference.name])
        if reference.field in known:
            return None
        return hinted(f"{reference.name} declares no output {reference.field!r}", reference.field, known)


def found_in(spot: FileValue, scope: Scope, own: str | None, *, in_shell: bool = False) -> list[Reference]:
    """The references of a text that mean something; the others are reported."""
    text = str(spot.value)
    for refused in check_shell(text) if in_shell else check_text(text):
        spot.wrong_inside(refused.at, refused.why)
    found = references(_without_misspelt(text))
    problems = {reference: scope.problem(reference, own) for reference in found}
    for reference, problem in problems.items():
        if problem is not None:
            spot.wrong_inside(reference.start, problem)
    return [reference for reference, problem in problems.items() if problem is None]


def _without_misspelt(text: str) -> str:
    """The text, in which no misspelt reference is one any more; once it is none, others may be seen inside it."""
    while misspelt := check_text(text):
        characters = list(text)
        for one in misspelt:
            characters[one.at] = " "
        text = "".join(characters)
    return text


def resolved(spot: FileValue, scope: Scope) -> FileValue | None:
    """The same with the values of its references in it; None, and a report, when one means nothing."""
    if isinstance(spot.value, list):
        entries = [resolved(entry, scope) for entry in spot.entries() or []]
        right = [entry.value for entry in entries if entry is not None]
        return FileValue(spot.notes, spot.path, right) if len(right) == len(entries) else None
    if not isinstance(spot.value, str) or "${" not in spot.value:
        return spot
    before = len(spot.notes.problems)
    found = found_in(spot, scope, None)
    if len(spot.notes.problems) > before:
        return None
    values = {reference.key: scope.known(reference)[reference.name] for reference in found}
    return FileValue(spot.notes, spot.path, bind_text(spot.value, values))


def literal(text: str) -> str:
    """A text that means `text` where references are replaced."""
    return text.replace("${", "$${")

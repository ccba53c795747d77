"""What the references in a blueprint's texts can mean, and what is wrong with those that mean nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from overmind_core.blueprints.notes import Spot
from overmind_core.domain.plan.reference import Reference, Source, bind_text, check_shell, check_text, references
from overmind_core.domain.problems import hinted

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
        if reference.source is Source.AGENTS:
            return self._agent_problem(reference, own)
        if reference.source is Source.VARS:
            self.used.add(reference.name)
        known = self.known(reference)
        if reference.name in known:
            return None
        where = "[vars] has" if reference.source is Source.VARS else "the environment has"
        return hinted(f"{where} no {reference.name!r}", reference.name, known)

    def known(self, reference: Reference) -> Mapping[str, str]:
        """The values among which a reference to no agent finds its own."""
        return self.variables if reference.source is Source.VARS else self.environ

    def _agent_problem(self, reference: Reference, own: str | None) -> str | None:
        if own is None:
            return "what agents hand on is not known yet when this is read"
        if reference.name == own:
            return f"{own} refers to itself"
        if reference.name not in self.agents:
            return hinted(f"there is no agent {reference.name!r}", reference.name, self.agents)
        known = (*ALWAYS, *self.agents[reference.name])
        if reference.field in known:
            return None
        return hinted(f"{reference.name} declares no output {reference.field!r}", reference.field, known)


def found_in(spot: Spot, scope: Scope, own: str | None, *, in_shell: bool = False) -> list[Reference]:
    """The references of a text that mean something; of the others it is told what is wrong with them."""
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


def resolved(spot: Spot, scope: Scope) -> Spot | None:
    """The same with the values of its references in it; None, and told, when one means nothing."""
    if isinstance(spot.value, list):
        entries = [resolved(entry, scope) for entry in spot.entries() or []]
        right = [entry.value for entry in entries if entry is not None]
        return Spot(spot.notes, spot.path, right) if len(right) == len(entries) else None
    if not isinstance(spot.value, str) or "${" not in spot.value:
        return spot
    before = len(spot.notes.problems)
    found = found_in(spot, scope, None)
    if len(spot.notes.problems) > before:
        return None
    values = {reference.key: scope.known(reference)[reference.name] for reference in found}
    return Spot(spot.notes, spot.path, bind_text(spot.value, values))


def literal(text: str) -> str:
    """A text that means `text` where references are replaced."""
    return text.replace("${", "$${")

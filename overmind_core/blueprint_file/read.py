"""A whole blueprint: read, its variables filled in, and judged completely before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_core.blueprint_file.agent import Draft, draft, outputs, report_shared
from overmind_core.blueprint_file.command import ReadContext
from overmind_core.blueprint_file.dependencies import Scope, report_cycles, report_endless, resolved
from overmind_core.blueprint_file.fleets import FleetDraft, agents_of_fleets, fleet_drafts, report_apart
from overmind_core.blueprint_file.foreign_keys import FOREIGN_ROOT, FOREIGN_WHOLE
from overmind_core.blueprint_file.genomes import expand
from overmind_core.blueprint_file.keys import ROOT, WHOLE, Disk
from overmind_core.blueprint_file.placement import ON
from overmind_core.documents.reading import FileValue, Findings
from overmind_core.documents.toml import document
from overmind_core.domain.missions.names import name_problem
from overmind_core.domain.plans.blueprint import Blueprint, OnFailure, PlanAgent
from overmind_core.domain.plans.fleet import Fleet
from overmind_core.domain.plans.genome import Genome
from overmind_core.domain.plans.references import WORD
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.problems import Problem, Problems, hinted


def read_variables(spot: FileValue | None, given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """All variables: those of the file, and over them what the caller gave.

    A text may refer to the environment, and to variables that stand above it.
    """
    table = (None if spot is None else spot.table()) or {}
    found: dict[str, str] = {}
    for name, entry in table.items():
        if not WORD.fullmatch(name):
            entry.notes.at_key(entry.path, f"{name!r} is not a valid name: use letters, digits, '_' and '-'")
        value = _value(entry, Scope(found, environ, {}))
        found[name] = given.get(name, value)
    return {**found, **given}


def _value(spot: FileValue, scope: Scope) -> str:
    """Its text; "" after reporting what is wrong."""
    if isinstance(spot.value, bool):
        return str(spot.value).lower()
    if isinstance(spot.value, (int, float)):
        return str(spot.value)
    if not isinstance(spot.value, str):
        spot.wrong("write a string in quotes, a number, or true or false")
        return ""
    plain = resolved(spot, scope)
    return "" if plain is None else str(plain.value)


class ReadBlueprint(NamedTuple):
    """A blueprint that can be used."""

    blueprint: Blueprint
    """Without the agents of fleets; it may have no other."""
    warnings: tuple[Problem, ...]
    """What was probably meant otherwise, in the order of the file."""
    fleets: tuple[Fleet, ...] = ()
    """Sentinels, too."""


def read(
    text: str,
    *,
    name: str,
    folder: str,
    variables: Mapping[str, str],
    environ: Mapping[str, str],
    disk: Disk,
    called: str | None = None,
) -> ReadBlueprint:
    """Read a blueprint.

    Args:
        text: What the file says. All texts are in wire form.
        name: Of the blueprint, when it does not say its own: the file's stem.
        folder: In which the file stands, absolute; relative paths begin there.
        variables: What the caller gave for `${vars.x}`; wins over the file.
        environ: The caller's environment, for `${env.X}`.
        disk: Answers about the files that it names.
        called: The name that the caller gave; wins over the file.

    Raises:
        Problems: all that is wrong with it.
    """
    data, places, problems = document(text)
    notes = Findings(places, list(problems))
    root = FileValue(notes, (), data)
    root.report_unknown(ROOT, FOREIGN_ROOT)
    tables = root.table() or {}
    known = read_variables(tables.get("vars"), variables, environ)
    used: set[str] = set()
    taken = expand(data, notes, Scope(known, environ, {}, used), folder, disk)
    data = taken.data
    root = FileValue(notes, (), data)
    tables = root.table() or {}
    scope = Scope(known, environ, _declared(data.get("agents")), used)
    settings = _settings(tables.get("blueprint"), scope)
    remote = agents_of_fleets(data)
    drafts = _drafts(tables.get("agents"), root, ReadContext(folder, disk, scope), remote)
    fleets = list(fleet_drafts(tables, drafts, scope))
    if remote and "agents" in tables:
        report_apart(drafts, tables["agents"].table() or {}, remote)
    _report_whole(drafts, notes)
    _report_unused(variables, data.get("vars"), scope, notes)
    blueprint_name = called or _named(settings.get("name"), name, tables.get("blueprint"), notes)
    finished = [] if notes.problems else [fleet for one in fleets for fleet in _finished(one, taken.genomes)]
    if notes.problems:
        raise Problems(notes.problems)
    return ReadBlueprint(
        Blueprint(
            name=blueprint_name,
            agents=tuple(
                replace(one.finished(), genome=taken.genomes.get(one.name)) for one in drafts if one.name not in remote
            ),
            max_parallel=settings.get("max_parallel", 0),
            on_failure=OnFailure(settings.get("on_failure", OnFailure.STOP)),
            timeout=settings.get("timeout", 0.0),
            variables=dict(scope.variables),
        ),
        tuple(sorted(notes.warnings)),
        tuple(finished),
    )


def _finished(draft: FleetDraft, genomes: Mapping[str, Genome]) -> list[Fleet]:
    """The fleet; nothing after reporting why no program can be given what its texts refer to."""
    try:
        return [replace(draft.finished(), genome=genomes.get(draft.agent))]
    except ValueError as error:
        draft.spot.wrong_key(str(error))
        return []


def _declared(agents: object) -> dict[str, tuple[str, ...]]:
    """Agent → its outputs, before any of them is judged."""
    if not isinstance(agents, dict):
        return {}
    return {name: outputs(one) if isinstance(one, dict) else () for name, one in agents.items()}


def _settings(spot: FileValue | None, scope: Scope) -> dict[str, Any]:
    found: dict[str, Any] = {}
    table = (None if spot is None else spot.table()) or {}
    if spot is not None:
        spot.report_unknown(WHOLE, FOREIGN_WHOLE)
    for key, entry in table.items():
        plain = resolved(entry, scope) if key in WHOLE else None
        value = None if plain is None else WHOLE[key](plain)
        if value is not None:
            found[key] = value
    return found


def _drafts(spot: FileValue | None, root: FileValue, context: ReadContext, remote: frozenset[str]) -> list[Draft]:
    """All agents; `remote`: those of fleets."""
    table = {} if spot is None else spot.table()
    if table == {}:
        (spot or root).notes.at_key(("agents",), 'no agents: write [agents.NAME] and command = "…" below it')
    found = []
    for name, entry in (table or {}).items():
        is_posted = isinstance(entry.value, dict) and ON in entry.value
        there = context._replace(elsewhere=name in remote or is_posted, in_fleet=name in remote)
        found.append(draft(entry, there))
    return found


def _report_whole(drafts: list[Draft], notes: Findings) -> None:
    """What is wrong with all agents together."""
    waits = {one.name: one.waits for one in drafts}
    isolated = {one.name for one in drafts if PlanAgent(one.name, one.start).isolated}
    report_shared({one.name: one.landing for one in drafts if one.landing is not None}, isolated, notes)
    report_cycles(waits, notes)
    report_endless(waits, [one.name for one in drafts if _stays(one)], notes)


def _stays(one: Draft) -> bool:
    return PlanAgent(one.name, one.start, ready=one.ready, service=one.service).stays


def _report_unused(given: Mapping[str, str], written: object, scope: Scope, notes: Findings) -> None:
    known = {*(written if isinstance(written, dict) else ()), *scope.used}
    for name in given:
        if name not in known:
            notes.at((1, 1), hinted(f"--var {name}: the blueprint has no variable of this name", name, known))


def _named(written: str | None, stem: str, spot: FileValue | None, notes: Findings) -> str:
    name = stem if written is None else written
    problem = name_problem(name)
    if problem is not None:
        where = (1, 1) if written is None or spot is None else notes.places.at_value((*spot.path, "name"))
        hint = "" if written is not None else '. Set one: [blueprint] name = "…"'
        notes.at(where, f"{problem}: {name!r}{hint}")
    return name

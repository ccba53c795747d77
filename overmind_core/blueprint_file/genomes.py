"""Agents that a blueprint takes from git: their keys stand in the file of the address, those of the blueprint win.

What is wrong in the other file is reported where the blueprint names it, with its place there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from overmind_core.blueprint_file.dependencies import Scope, resolved
from overmind_core.blueprint_file.keys import MERGE, Disk
from overmind_core.documents.reading import FileValue, Findings, Path, Place, PlaceElsewhere, Places
from overmind_core.documents.toml import document
from overmind_core.domain.plans.genome import Genome, GenomeAddress, GenomeError, commands_of, is_address, parse
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.problems import Problem, Problems, decoded, hinted
from overmind_core.errors import OvermindError

AGENTS, KEY = "agents", "agent"
_OF_FILE = ("env_file",)
"""Keys that name a file beside the one in which they stand."""
_OF_PLANS = ("depends_on", *MERGE)


class Taken(NamedTuple):
    """What an address has brought."""

    genome: Genome
    table: dict[str, Any]
    places: Places


@dataclass(slots=True)
class OverlaidPlaces:
    """Where things stand: in the blueprint, or in the file from which its agent was taken."""

    own: Places
    at: Place
    """Where the blueprint names that file."""
    agent: str
    """As the blueprint calls it."""
    keys: frozenset[str]
    """Those of the agent that stand in the other file."""
    taken: Taken

    def at_key(self, path: Path) -> Place:
        """Where a key stands."""
        return self._found(path, lambda places, path: places.at_key(path))

    def at_value(self, path: Path) -> Place:
        """Where a value begins."""
        return self._found(path, lambda places, path: places.at_value(path))

    def at_character(self, path: Path, index: int) -> Place:
        """Where a character of a text stands."""
        return self._found(path, lambda places, path: places.at_character(path, index))

    def _found(self, path: Path, look: Callable[[Places, Path], Place]) -> Place:
        if path[:2] != (AGENTS, self.agent):
            return look(self.own, path)
        if len(path) == 2:  # noqa: PLR2004 - the agent itself
            return self.at
        if path[2] not in self.keys:
            return look(self.own, path)
        line, column = look(self.taken.places, (AGENTS, self.taken.genome.agent, *path[2:]))
        return PlaceElsewhere(self.at, f"{self.taken.genome.file}:{line}:{column}: ")


@dataclass(slots=True)
class Expanded:
    """A blueprint's data with the agents that were taken from git in it."""

    data: dict[str, Any]
    genomes: dict[str, Genome] = field(default_factory=dict)
    """By the names of their agents here."""


def expand(data: Mapping[str, Any], notes: Findings, scope: Scope, folder: str, disk: Disk) -> Expanded:
    """Take the agents from git that a blueprint names; what is wrong is reported.

    Args:
        data: Of the blueprint.
        notes: Its findings; from now on they know the places of the other files, too.
        scope: What addresses may refer to.
        folder: In which the blueprint stands.
        disk: Fetches the files.
    """
    agents = data.get(AGENTS)
    tables = dict(agents) if isinstance(agents, dict) else {}
    found = Expanded({**data, AGENTS: tables} if agents is None or isinstance(agents, dict) else dict(data))
    for spot, name, is_fleet in _addresses(data, notes):
        own = {} if is_fleet else {key: value for key, value in tables[name].items() if key != KEY}
        if is_fleet and name in tables:
            spot.wrong(f"[agents.{name}] is there, too: take the agent there, and name it here")
            continue
        taken = _taken(spot, scope, folder, disk)
        if taken is None:
            tables.setdefault(name, {})
            tables[name] = {**own, "command": own.get("command", "true")}  # what else is wrong with it is not known
            continue
        keys = frozenset(taken.table) - frozenset(own)
        notes.places = OverlaidPlaces(notes.places, spot.place, name, keys, taken)
        tables[name] = {**taken.table, **own}
        found.genomes[name] = taken.genome
        if is_fleet:
            kind = str(spot.path[0])
            found.data[kind] = {**found.data[kind], name: {**found.data[kind][name], KEY: name}}
    if not tables and agents is None:
        del found.data[AGENTS]
    return found


def _addresses(data: Mapping[str, Any], notes: Findings) -> list[tuple[FileValue, str, bool]]:
    """Where an address stands, the name of its agent here, and whether a fleet has it."""
    found = []
    for key in (AGENTS, "fleets", "sentinels"):
        tables = data.get(key)
        for name, table in tables.items() if isinstance(tables, dict) else ():
            written = table.get(KEY) if isinstance(table, dict) else None
            if isinstance(written, str) and (key == AGENTS or is_address(written)):
                found.append((FileValue(notes, (key, name, KEY), written), name, key != AGENTS))
    return found


def _taken(spot: FileValue, scope: Scope, folder: str, disk: Disk) -> Taken | None:
    """Fetch and read what an address names; None, and a report: it can't be had."""
    plain = resolved(spot, scope)
    if plain is None:
        return None
    address = None
    try:
        address = parse(str(plain.value), folder)
        fetched = disk.genome(address)
        return read_genome(address, fetched.commit, fetched.data)
    except GenomeError as error:
        spot.wrong(str(error))
    except OvermindError as error:
        spot.wrong(error.message.rstrip("."))
    except Problems as wrong:
        assert address is not None
        for line, column, message in wrong.problems:
            spot.wrong(f"{address.place}:{line}:{column}: {message}")
    return None


def read_genome(address: GenomeAddress, commit: str, data: bytes) -> Taken:
    """Read the file of an address.

    Raises:
        GenomeError: it has no such agent.
        Problems: it can't be read, or says what no agent can be that is taken from git.
    """
    values, places, problems = document(to_wire(decoded(data)))
    if problems:
        raise Problems(problems)
    agents = values.get(AGENTS)
    agents = agents if isinstance(agents, dict) else {}
    table = agents.get(address.agent)
    if not isinstance(table, dict):
        sentence = f"{address.place} has no agent {address.agent!r} at {commit[:7]}"
        raise GenomeError(hinted(sentence, address.agent, agents))
    refused = [key for key in table if key in {KEY, *_OF_PLANS, *_OF_FILE}]
    if refused:
        where = (places.at_key((AGENTS, address.agent, key)) for key in refused)
        raise Problems(
            Problem(*place, f"an agent that is taken from git can't have {key}")
            for place, key in zip(where, refused, strict=True)
        )
    digest = hashlib.sha256(data).hexdigest()
    genome = Genome(address.place, address.ref, commit, address.agent, digest, commands_of(agents))
    return Taken(genome, dict(table), places)

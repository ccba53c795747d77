"""The tables of specs and their phases. Reads any time, changes inside of a transaction."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.specs.spec import Spec, SpecPhase
from overmind_core.kernel.codec import Codec

if TYPE_CHECKING:
    from overmind_core.kernel.database import Database

SPEC = Codec(Spec)
PHASE = Codec(SpecPhase)


class SpecRow(NamedTuple):
    """The row of a spec; `record` is JSON that only the daemon reads."""

    id: str
    slug: str
    repository: str
    """Top of its checkout, or its folder's where there is no git."""
    archived: bool
    record: str


class SpecPhaseRow(NamedTuple):
    """The row of a phase."""

    spec: str
    phase: str
    record: str


_COLUMNS = ", ".join(SpecRow._fields)
_SAVE = f"""INSERT INTO specs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, repository = excluded.repository,
    archived = excluded.archived, record = excluded.record"""
_SAVE_PHASE = """INSERT INTO spec_phases (spec, phase, record) VALUES (?, ?, ?)
    ON CONFLICT (spec, phase) DO UPDATE SET record = excluded.record"""


class SpecTable:
    """Specs, archived ones too."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, spec: SpecRow) -> None:
        """Insert or replace.

        Raises:
            Conflict: another one has this slug.
        """
        self._database.write(_SAVE, spec)

    def remove(self, spec: str) -> None:
        """Forget one."""
        self._database.write("DELETE FROM specs WHERE id = ?", (spec,))

    def all(self) -> list[SpecRow]:
        """Return every spec, by slug."""
        rows = self._database.read(f"SELECT {_COLUMNS} FROM specs ORDER BY slug")
        return [
            SpecRow(id_, slug, repository, bool(archived), record) for id_, slug, repository, archived, record in rows
        ]


class SpecPhaseTable:
    """The phases that have begun."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, phase: SpecPhaseRow) -> None:
        """Insert or replace."""
        self._database.write(_SAVE_PHASE, phase)

    def remove(self, spec: str) -> None:
        """Forget those of a spec."""
        self._database.write("DELETE FROM spec_phases WHERE spec = ?", (spec,))

    def all(self) -> list[SpecPhaseRow]:
        """Return all of them."""
        rows = self._database.read("SELECT spec, phase, record FROM spec_phases ORDER BY spec, phase")
        return [SpecPhaseRow._make(row) for row in rows]


def spec_row(spec: Spec) -> SpecRow:
    """As it is stored."""
    return SpecRow(spec.id, spec.slug, spec.repository or spec.folder, spec.archived, SPEC.encode(spec))


def phase_row(spec_id: str, phase: SpecPhase) -> SpecPhaseRow:
    """As it is stored."""
    return SpecPhaseRow(spec_id, phase.phase.value, PHASE.encode(phase))

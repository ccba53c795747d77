"""The notes given to runs, by conversation: the same bytes each time, but for those that were purged since."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from overmind_core.domain.text.moment import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.kernel.database import Database, Row
    from overmind_core.memory.answer_types import NoteUse


class GivenRow(msgspec.Struct, frozen=True):
    """A note as it was given: its lines are kept, as ages and votes change."""

    note: str
    version: str
    why: str
    head: str = ""
    """Its first line in the block."""
    text: str = ""
    """As the block has it."""


class Given(NamedTuple):
    """The notes that a conversation was given."""

    row: int
    conversation: str
    mission: str
    at: float
    tokens: int
    left_out: int
    purged: int
    block: str
    notes: tuple[GivenRow, ...] = ()


_RUNS = "SELECT mission, run FROM given_runs WHERE given = ?"
_COLUMNS = "row, conversation, mission, at, tokens, left_out, purged, block"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(GivenRow).decode


class GivenTable:
    """Reads any time, changes inside of a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, given: Given) -> int:
        """Store the notes for a conversation; return their row."""
        sql = """INSERT INTO given (conversation, mission, at, tokens, left_out, purged, block)
            VALUES (?, ?, ?, ?, ?, ?, ?)"""
        row = self._database.insert(sql, given[1:8])
        self._database.write_many(
            "INSERT INTO given_notes (given, place, note, version, why, data) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (row, place, one.note, one.version, one.why, _encode(one).decode())
                for place, one in enumerate(given.notes)
            ),
        )
        return row

    def replace(self, given: Given) -> None:
        """Replace the notes of its row."""
        self._database.write(
            "UPDATE given SET tokens = ?, purged = ?, block = ? WHERE row = ?",
            (given.tokens, given.purged, given.block, given.row),
        )
        kept = [one.note for one in given.notes]
        for one in self._notes(given.row):
            if one.note not in kept:
                self._database.write("DELETE FROM given_notes WHERE given = ? AND note = ?", (given.row, one.note))

    def begun(self, row: int, mission: str, run: int) -> bool:
        """Note that a run has it; False: that is known."""
        sql = "INSERT OR IGNORE INTO given_runs (mission, run, given) VALUES (?, ?, ?)"
        return bool(self._database.write(sql, (mission, run, row)))

    def not_begun(self, mission: str, run: int) -> None:
        """Note that a run does not have it after all."""
        self._database.write("DELETE FROM given_runs WHERE mission = ? AND run = ?", (mission, run))

    def runs(self, row: int) -> list[tuple[str, int]]:
        """Return the runs that have it: mission and number."""
        return [(mission, run) for mission, run in self._database.read(_RUNS, (row,))]

    def remove_unused(self, row: int) -> None:
        """Delete the notes of a row that no run has."""
        sql = "DELETE FROM given WHERE row = ?1 AND NOT EXISTS (SELECT 1 FROM given_runs WHERE given = ?1)"
        self._database.write(sql, (row,))

    def of(self, conversation: str) -> Given | None:
        """Return the notes of a conversation."""
        return self._one("conversation = ?", conversation)

    def with_note(self, note: str) -> list[Given]:
        """Return the rows with a note."""
        rows = self._database.read("SELECT DISTINCT given FROM given_notes WHERE note = ?", (note,))
        return [one for (row,) in rows if (one := self._one("row = ?", row)) is not None]

    def of_run(self, mission: str, run: int | None) -> tuple[int, Given] | None:
        """Return the number of a run and its notes; without `run` the newest that was given some."""
        found = self._database.read_one(
            """SELECT run, given FROM given_runs WHERE mission = ?1 AND (?2 IS NULL OR run = ?2)
            ORDER BY run DESC LIMIT 1""",
            (mission, run),
        )
        given = None if found is None else self._one("row = ?", found[1])
        return None if found is None or given is None else (found[0], given)

    def to(self, mission: str) -> list[str]:
        """Return the ids of all notes that a mission was given."""
        sql = """SELECT DISTINCT given_notes.note FROM given_notes JOIN given ON given.row = given_notes.given
            WHERE given.mission = ?"""
        return [row[0] for row in self._database.read(sql, (mission,))]

    def missions(self, before: float) -> list[str]:
        """Return the missions that were given something, the last time before a moment."""
        sql = "SELECT mission FROM given GROUP BY mission HAVING max(at) < ?"
        return [row[0] for row in self._database.read(sql, (before,))]

    def uses(self, note: str, limit: int) -> list[NoteUse]:
        """Return the runs that were given a note, newest first."""
        sql = """SELECT given_runs.mission, given_runs.run, given.at FROM given_notes
            JOIN given ON given.row = given_notes.given JOIN given_runs ON given_runs.given = given.row
            WHERE given_notes.note = ? ORDER BY given.at DESC, given_runs.run DESC LIMIT ?"""
        rows = self._database.read(sql, (note, limit))
        return [{"mission": mission, "run": run, "at": format_time(at)} for mission, run, at in rows]

    def remove(self, missions: Sequence[str]) -> None:
        """Delete the notes that these missions were given."""
        for mission in missions:
            self._database.write("DELETE FROM given_runs WHERE mission = ?", (mission,))
            self._database.write("DELETE FROM given WHERE mission = ?", (mission,))

    def _one(self, condition: str, value: str | int) -> Given | None:
        row: Row | None = self._database.read_one(f"SELECT {_COLUMNS} FROM given WHERE {condition}", (value,))  # noqa: S608 - of constants
        return None if row is None else Given._make((*row, tuple(self._notes(row[0]))))

    def _notes(self, given: int) -> list[GivenRow]:
        rows = self._database.read("SELECT data FROM given_notes WHERE given = ? ORDER BY place", (given,))
        return [_decode(row[0]) for row in rows]

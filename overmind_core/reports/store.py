"""The table of reports. Reads any time, changes inside of a transaction."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.reports import Report, same_text
from overmind_core.kernel.codec import Codec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.kernel.database import Database

RECORD = Codec(Report)


class ReportRow(NamedTuple):
    """One row."""

    id: int
    source: str
    """Id of the mission that reported."""
    spec: str | None
    hash: str
    """Hash of its text; case and blanks do not count."""
    record: str

    @property
    def report(self) -> Report:
        """The report, with its number."""
        return RECORD.decode(self.record)


def digest_of(text: str) -> str:
    """Return the hash of a text; case and blanks do not count."""
    import hashlib  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those who report

    return hashlib.sha256(same_text(text).encode("utf-8", "surrogatepass")).hexdigest()


_COLUMNS = ", ".join(ReportRow._fields)
_SELECT = f"SELECT {_COLUMNS} FROM reports"
_SAVE = f"""INSERT INTO reports ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET record = excluded.record"""


class ReportTable:
    """The reports of a home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, row: ReportRow) -> None:
        """Insert a report, or replace it."""
        self._database.write(_SAVE, row)

    def get(self, number: int) -> ReportRow | None:
        """Return the report with this number."""
        return next(iter(self._read("id = ?", (number,))), None)

    def same(self, digest: str) -> list[ReportRow]:
        """Return those with the same text, oldest first."""
        return self._read("hash = ?", (digest,))

    def of(self, source: str) -> list[ReportRow]:
        """Return those of a mission, oldest first."""
        return self._read("source = ?", (source,))

    def asked(self, question: int) -> list[ReportRow]:
        """Return those that share a question, oldest first."""
        found = self._read("record LIKE ?", (f'%"question":{question}%',))
        return [row for row in found if row.report.question == question]

    def of_spec(self, spec: str) -> list[ReportRow]:
        """Return those of a spec, oldest first."""
        return self._read("spec = ?", (spec,))

    def remove_of_spec(self, spec: str) -> None:
        """Forget those of a spec."""
        self._database.write("DELETE FROM reports WHERE spec = ?", (spec,))

    def newest(self) -> int:
        """Return the highest number that was ever given."""
        row = self._database.read_one("SELECT seq FROM sqlite_sequence WHERE name = 'reports'")
        return 0 if row is None else int(row[0])

    def trim(self, keep: int) -> None:
        """Forget all but the newest `keep`."""
        self._database.write("DELETE FROM reports WHERE id <= (SELECT max(id) FROM reports) - ?", (keep,))

    def _read(self, condition: str, values: Sequence[str | int]) -> list[ReportRow]:
        rows = self._database.read(f"{_SELECT} WHERE {condition} ORDER BY id", values)
        return [ReportRow(*row) for row in rows]

"""The table of outcomes. Reads any time, changes inside of a transaction."""

# ruff: noqa: S608 -- every statement is put together from constants of this file

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.watching.learning import AttemptOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.kernel.database import Database

LOOKED_AT = 200
"""How many outcomes, the newest of a kind, an estimate is made from."""
_FIELDS = "at, quest, attempt, type, provider, model, spec, class, cost_usd, seconds, estimated"
_SAVE_OUTCOME = f"INSERT OR IGNORE INTO outcomes ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class OutcomeTable:
    """The outcomes of attempts, one row each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, one: AttemptOutcome) -> None:
        """Add an outcome; one that is there already stays as it is."""
        row = (
            one.at, one.quest, one.attempt, one.type, one.provider, one.model or None, one.spec or None, one.failure,
            one.cost_usd, one.seconds, one.is_estimated,
        )  # fmt: skip
        self._database.write(_SAVE_OUTCOME, row)

    def newest(self, limit: int) -> list[AttemptOutcome]:
        """Return the newest ones, oldest first."""
        rows = self._database.read(f"SELECT {_FIELDS} FROM outcomes ORDER BY id DESC LIMIT ?", (limit,))
        return [_outcome(row) for row in reversed(rows)]

    def passed(self, type: str, provider: str) -> list[AttemptOutcome]:  # noqa: A002 - the field's name
        """Return the newest successful ones of this type and provider."""
        sql = f"""SELECT {_FIELDS} FROM outcomes WHERE type = ? AND provider = ? AND class IS NULL
            ORDER BY id DESC LIMIT ?"""
        return [_outcome(row) for row in self._database.read(sql, (type, provider, LOOKED_AT))]

    def providers(self, enough: int) -> frozenset[str]:
        """Return the providers with at least so many successful attempts."""
        sql = "SELECT provider FROM outcomes WHERE class IS NULL GROUP BY provider HAVING count(*) >= ?"
        return frozenset(str(row[0]) for row in self._database.read(sql, (enough,)))

    def remove(self, quests: Sequence[str]) -> None:
        """Delete the outcomes of these quests."""
        self._database.write_many("DELETE FROM outcomes WHERE quest = ?", ((quest,) for quest in quests))

    def trim(self, keep: int) -> None:
        """Forget all but the newest `keep`."""
        self._database.write("DELETE FROM outcomes WHERE id <= (SELECT max(id) FROM outcomes) - ?", (keep,))


def _outcome(row: Sequence[object]) -> AttemptOutcome:
    at, quest, attempt, kind, provider, model, spec, failure, cost, seconds, estimated = row
    assert isinstance(at, float)
    assert isinstance(attempt, int)
    assert isinstance(seconds, float)
    assert cost is None or isinstance(cost, float)
    return AttemptOutcome(
        str(quest),
        attempt,
        at,
        type=str(kind),
        provider=str(provider),
        model=str(model or ""),
        spec=str(spec or ""),
        failure=None if failure is None else str(failure),
        cost_usd=cost,
        seconds=seconds,
        is_estimated=bool(estimated),
    )

"""The shape of the database, as the steps that lead there: forward only, never changed once released.

Step n brings a file of schema n-1 to schema n; `user_version` in the file says how far it is. A step is a file of SQL
in `schema/`, named by its number and by what it is for: a change of the tables is one more file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence

Migration = Sequence[str]
"""Statements that run in one transaction."""
FOLDER = os.path.join(os.path.dirname(__file__), "schema")


def released(folder: str = FOLDER) -> list[Migration]:
    """Return all steps in their order.

    Raises:
        RuntimeError: a number is missing or there twice, or a file ends within a statement.
    """
    steps: list[Migration] = []
    for number, name in enumerate(sorted(name for name in os.listdir(folder) if name.endswith(".sql")), 1):
        if int(name.partition("_")[0]) != number:
            raise RuntimeError(f"{name} stands where step {number} should")
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            steps.append(tuple(statements(file.read())))
    return steps


def statements(text: str) -> Iterator[str]:
    """Yield the statements of a text, each with the comments above it.

    Raises:
        RuntimeError: the text ends within one.
    """
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if statement.strip():
        raise RuntimeError(f"not a whole statement: {statement.strip()}")

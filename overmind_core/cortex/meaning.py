"""The vectors of versions: stored and compared by pgvector, where that is installed; else none are kept.

Each model has vectors of its own size, and an index of its own over them. Its name stands in the statements that make
and use that index: an index of a part is chosen only where the statement names the same part as a constant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import psycopg
from psycopg import sql

from overmind_core.cortex.protocol import Refused, Vectors

MOST_MODELS = 4
"""Of a colony."""


def is_there(connection: psycopg.Connection) -> bool:
    """Whether vectors are kept."""
    row = connection.execute("select to_regclass('meaning') is not null").fetchone()
    return bool(row and row[0])


def dimensions_of(connection: psycopg.Connection, colony: str, model: str) -> int | None:
    """Return the size of a model's vectors; None: there are none."""
    row = connection.execute("select dimensions from model where colony = %s and name = %s", [colony, model]).fetchone()
    return row[0] if row else None


def store(connection: psycopg.Connection, colony: str, vectors: Vectors) -> None:
    """Keep the vectors of versions that are in the log and have a text.

    Raises:
        Refused: they have another size than others of that model, or there are too many models.
    """
    if not vectors.values or not is_there(connection):
        return
    size = len(next(iter(vectors.values.values())))
    known = dimensions_of(connection, colony, vectors.model)
    if known is None:
        _add_model(connection, colony, vectors.model, size)
    elif known != size:
        raise Refused("invalid", f"Vectors of this model have {known} numbers.")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into meaning (colony, id, note, model, value)"
            " select %(colony)s, id, note, %(model)s, %(value)s::halfvec from entry"
            " where colony = %(colony)s and id = %(id)s and words is not null on conflict do nothing",
            [
                {"colony": colony, "model": vectors.model, "id": key, "value": _as_text(value)}
                for key, value in vectors.values.items()
            ],
        )


def _add_model(connection: psycopg.Connection, colony: str, model: str, size: int) -> None:
    row = connection.execute("select count(*) from model where colony = %s", [colony]).fetchone()
    if row and row[0] >= MOST_MODELS:
        raise Refused("invalid", f"There are vectors of {MOST_MODELS} models already.")
    connection.execute("insert into model (colony, name, dimensions) values (%s, %s, %s)", [colony, model, size])
    part = hashlib.sha256(f"{model} {size}".encode()).hexdigest()[:16]
    connection.execute(
        sql.SQL(
            "create index if not exists {index} on meaning"
            " using hnsw ((value::halfvec({size})) halfvec_cosine_ops) where model = {model}"
        ).format(index=sql.Identifier(f"meaning_{part}"), size=sql.Literal(size), model=sql.Literal(model))
    )


def remove(connection: psycopg.Connection, colony: str, notes: Collection[str]) -> None:
    """Delete the vectors of these notes."""
    if is_there(connection):
        connection.execute("delete from meaning where colony = %s and note = any(%s)", [colony, list(notes)])


def nearest(
    connection: psycopg.Connection, colony: str, model: str, vector: Sequence[float], limit: int
) -> list[tuple[str, str]]:
    """Return the notes and versions whose meaning is nearest, the nearest first; none without pgvector or vectors."""
    if not is_there(connection) or dimensions_of(connection, colony, model) != len(vector):
        return []
    with connection.transaction():
        # Else the index gives up after its first forty, which may all be of others.
        connection.execute("set local hnsw.iterative_scan = strict_order")
        return connection.execute(
            sql.SQL(
                "select note, id from meaning where colony = %s and model = {model}"
                " order by value::halfvec({size}) <=> %s::halfvec({size}) limit %s"
            ).format(model=sql.Literal(model), size=sql.Literal(len(vector))),
            [colony, _as_text(vector), limit],
        ).fetchall()


def _as_text(vector: Sequence[float]) -> str:
    return f"[{','.join(map(repr, vector))}]"

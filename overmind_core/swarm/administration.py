"""Making a swarm of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import conninfo

from overmind_core.swarm import connection, schema

if TYPE_CHECKING:
    from overmind_core.swarm.answer_types import SwarmReady


def init(url: str) -> SwarmReady:
    """Make a swarm of a database, as its owner, or bring one to today's schema. Waits for the database.

    Raises:
        OvermindError: `invalid`, `forbidden`, `swarm_silent`.
    """
    opened = connection.connect(url)
    try:
        prepared = schema.migrate(opened)
    finally:
        opened.close()
    found = conninfo.conninfo_to_dict(url)
    host = str(found.get("host") or found.get("hostaddr") or "the local socket")
    where = f"{'the local socket' if host.startswith('/') else host}/{found.get('dbname') or ''}"
    return {
        "where": where,
        "server": prepared.server,
        "schema": prepared.schema,
        "warnings": list(prepared.warnings),
    }

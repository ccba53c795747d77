"""The schema `overmind` of a swarm's database, and how an older one gets today's: forward only, one at a time.

It stands beside the tables of a Cortex, which are in schema `public`, and shares nothing with them. A step is a file of
SQL in `sql/`, named by its number and by what it is for; each is applied in one transaction. The numbers that were
applied stand in `overmind.schema_version`.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import psycopg

from overmind_core.errors import OvermindError

FOLDER = os.path.join(os.path.dirname(__file__), "sql")
_LOCK = 0x6F76_7377_6172_6D00
"""Of the advisory lock that is held by whoever migrates a database."""


class SchemaNewer(OvermindError):
    """A newer version of the program has made the tables; nothing was changed."""

    def __init__(self, found: int) -> None:
        newest = len(released())
        super().__init__(
            "swarm_silent", f"The swarm has schema {found}, this version knows {newest}. Upgrade Overmind."
        )
        self.found = found


class Prepared(NamedTuple):
    """A swarm that is ready."""

    schema: int
    """Its number now."""
    server: str
    """The version of PostgreSQL: `15.18`."""
    warnings: tuple[str, ...]
    """Sentences: what the contract asks of a server that this one does not give."""


class Step(NamedTuple):
    """One file of SQL."""

    name: str
    sql: str


def released(folder: str = FOLDER) -> list[Step]:
    """Return all steps in their order.

    Raises:
        RuntimeError: a number is missing, or there twice.
    """
    steps = []
    for number, name in enumerate(sorted(name for name in os.listdir(folder) if name.endswith(".sql")), 1):
        if int(name.partition("_")[0]) != number:
            raise RuntimeError(f"{name} stands where step {number} should")
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            steps.append(Step(name, file.read()))
    return steps


def migrate(connection: psycopg.Connection) -> Prepared:
    """Make a swarm of a database, or bring one to today's schema; `connection` in autocommit, as the database's owner.

    Raises:
        SchemaNewer: it has a later schema.
        OvermindError: `invalid`, schema `overmind` is somebody else's; `swarm_silent`, the server takes no writes;
            `forbidden`, this login may not make a schema or roles.
    """
    recovering = connection.execute("select pg_is_in_recovery()").fetchone()
    if recovering is None or recovering[0]:
        raise OvermindError("swarm_silent", "The database is a standby and takes no writes. Name its primary.")
    try:
        schema = _migrate(connection)
    except psycopg.errors.InsufficientPrivilege as error:
        raise OvermindError(
            "forbidden",
            f"Login {connection.info.user} may not make a swarm in database {connection.info.dbname}:"
            f" {error.diag.message_primary}. It has to own the database, and have CREATEROLE.",
        ) from None
    version = connection.execute("select split_part(current_setting('server_version'), ' ', 1)").fetchone()
    assert version is not None
    return Prepared(schema, version[0], tuple(_warnings(connection)))


def _migrate(connection: psycopg.Connection) -> int:
    steps = released()
    connection.execute("select pg_advisory_lock(%s)", [_LOCK])
    try:
        found = _found(connection)
        if found > len(steps):
            raise SchemaNewer(found)
        for number, step in enumerate(steps[found:], found + 1):
            with connection.transaction():
                if number == 1:
                    connection.execute("create schema overmind")
                    connection.execute("create table overmind.schema_version (version int not null)")
                connection.execute("set local search_path = overmind")
                connection.execute("set local check_function_bodies = on")
                connection.execute(step.sql.encode())
                connection.execute("insert into overmind.schema_version values (%s)", [number])
        with connection.transaction():
            connection.execute("set local search_path = overmind")
            connection.execute(
                "insert into meta (key, system, timeline, database, store, started)"
                " select sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), i.*"
                " from identity() i"
                " on conflict do nothing"
            )
            connection.execute("select grant_rights()")
    finally:
        if not connection.broken:
            connection.execute("select pg_advisory_unlock(%s)", [_LOCK])
    return len(steps)


def _found(connection: psycopg.Connection) -> int:
    """The schema of this database; 0: there is none."""
    row = connection.execute(
        "select to_regnamespace('overmind') is not null, to_regclass('overmind.schema_version') is not null"
    ).fetchone()
    assert row is not None
    exists, ours = row
    if exists and not ours:
        raise OvermindError(
            "invalid",
            f"Database {connection.info.dbname} has a schema overmind that is no swarm. Name another database.",
        )
    if not ours:
        return 0
    found = connection.execute("select max(version) from overmind.schema_version").fetchone()
    return 0 if found is None or found[0] is None else int(found[0])


def _warnings(connection: psycopg.Connection) -> list[str]:
    row = connection.execute("select rolcreaterole or rolsuper from pg_roles where rolname = current_user").fetchone()
    kept = connection.execute(KEPT).fetchone()
    assert row is not None
    assert kept is not None
    found = unkept(by_disk=kept[0], by_standby=kept[1])
    if not row[0]:
        found.append(
            f"Login {connection.info.user} may not make logins, so that nobody can be invited. The server's admin can"
            f" allow it: ALTER ROLE {connection.info.user} CREATEROLE"
        )
    return found


KEPT = (
    "select current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on'"
    " and current_setting('synchronous_commit') not in ('off', 'local'),"
    # Who may not see how a standby follows sees that there is one.
    " current_setting('synchronous_standby_names') <> ''"
    " or not exists (select from pg_stat_replication where coalesce(sync_state, 'async') = 'async')"
)
"""Whether the server's disk, and its standby, have what was answered: what `unkept` takes. Any login may ask."""


def unkept(*, by_disk: bool, by_standby: bool) -> list[str]:
    """Return in sentences what may be forgotten."""
    found = []
    if not by_disk:
        found.append(
            "The server may forget what it has answered: set fsync, full_page_writes and synchronous_commit to on."
        )
    if not by_standby:
        found.append(
            "The server has a standby that is not synchronous: promoted, it would have forgotten answered claims. Set"
            " synchronous_standby_names"
        )
    return found

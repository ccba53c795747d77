"""The recovery of state.db: what can be read of it is taken over into a new one, and the newest copy fills in the rest.

For a command, while no daemon runs. Missions live on with their keeper meanwhile: a row is brought up to the run that
the keeper holds, and one of an earlier day whose mission the keeper does not hold is lost with its keeper, so that
nothing runs twice. What can be read of the file is newer than the copy; the copy gives rows that are known to be lost,
and, of a table that is not whole, those that are not there.
"""

# ruff: noqa: S608 -- names of tables and columns are of our schema

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.daemon.state_check import log_trouble
from overmind_core.daemon.state_copies import Copy, copies
from overmind_core.daemon.state_rows import is_valid, may_come_back
from overmind_core.daemon.state_worktrees import ISOLATIONS, Worktrees
from overmind_core.domain.missions.facts import KeeperLost, Now
from overmind_core.domain.missions.lifecycle import next_state
from overmind_core.domain.missions.mission import Kind, RestartPolicy, Status
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.git.run import Git
from overmind_core.isolation.adoption import source_of
from overmind_core.kernel.database import Conflict, Database, MetaTable, StoreError
from overmind_core.kernel.migrations import released
from overmind_core.kernel.replaced_file import put_in_place
from overmind_core.kernel.salvage import name_of, salvage, shape_of
from overmind_core.missions.private_files import private_missions
from overmind_core.missions.registry import MISSION
from overmind_core.quests.queue import PAUSED_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.migrations import Migration
    from overmind_core.kernel.salvage import Key, Salvage, Shape, Table, Values
    from overmind_core.system.paths import Home

_SKIPPED_NUMBERS = 1000
"""Numbers that are not given again where it is not known which were."""


class TableReport(NamedTuple):
    """What came back of a table."""

    table: str
    recovered: int
    """Rows that were read of the damaged file."""
    from_copy: list[str]
    """Names of rows that the copy had."""
    from_disk: list[str]
    """Names of rows that were made again of what stands on disk: records of worktrees."""
    lost: list[str]
    """Names of rows that are lost."""
    is_whole: bool
    """Whether nothing of it can be lost that is not named."""


class Report(NamedTuple):
    """The result of a recovery."""

    damaged: str | None
    """Where the damaged file is now; None: there was none."""
    copy: str | None
    """Day of the copy that was there to fill in; None: there is no copy that can be read."""
    unread_copies: list[str]
    """Days of the newer copies, none of which can be read."""
    tables: list[TableReport]
    unrecorded: list[str]
    """Missions of which only logs, files or a process are left."""
    queue_paused: bool
    """Whether quests of an earlier day came back, and nothing is to start before a person has looked at them."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing came back of the damaged file or the copy: what was in it nobody can tell."""
        return not any(one.recovered or one.from_copy for one in self.tables)


def recover(home: Home, held: Mapping[str, int], now: Now, folder: str | None = None) -> Report:
    """Put a new file in the place of the state.

    Args:
        home: The home, in which no daemon runs.
        held: Mission → the number of the run of it that the keeper holds and that lives.
        now: This moment on both clocks.
        folder: Where the person is: worktrees of lost missions may be in the checkout around it.

    Raises:
        StoreError: the new file can't be written, such as DiskFull; the old one is where it was.
        OSError: the same.
    """
    steps = released()
    path = home.database
    was_there = any(os.path.exists(one) for one in (path, f"{path}-wal"))
    is_current = os.path.exists(path) and not log_trouble(path)
    found = salvage(path, steps, is_valid, is_current=is_current)
    shape = shape_of(steps[: found.schema])
    copied = _Copied(home, steps[: found.schema], shape)
    left = {*_folders(home.logs), *private_missions(home), *held}
    taking = _Taking(found, shape, copied, held, now)
    around = None if folder is None else source_of(to_wire(folder))
    worktrees = Worktrees(Git(os.environ, home=home.root), left, around)
    reports, aside = put_in_place(path, lambda new: taking.write(new, steps, worktrees), now.wall)
    unrecorded = sorted(left - taking.owners)
    return Report(
        aside if was_there else None,
        copied.copy and copied.copy.day,
        copied.unread,
        reports,
        unrecorded,
        taking.queue_paused,
    )


def is_needed(home: Home) -> bool:
    """Whether a file in which SQLite finds nothing wrong has rows that mean nothing any more."""
    if not os.path.exists(home.database):
        return False
    found = salvage(home.database, released(), is_valid)
    return any(one.lost or not one.is_whole for one in found.tables.values())


def begin_anew(home: Home, at: float) -> str | None:
    """Put an empty file in the place of the state; return where the old one is now, None: there was none.

    Args:
        home: The home, in which no daemon runs.
        at: When that was asked for, in seconds since the epoch.

    Raises:
        StoreError: it can't be written.
        OSError: the same.
    """
    was_there = any(os.path.exists(one) for one in (home.database, f"{home.database}-wal"))
    _, aside = put_in_place(home.database, lambda new: Database.open(new).close(), at)
    return aside if was_there else None


def _folders(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []


class _Copied:
    """The rows of the newest copy that can be read."""

    def __init__(self, home: Home, steps: Sequence[Migration], shape: Shape) -> None:
        self.copy: Copy | None = None
        self.unread: list[str] = []
        """Days of the newer ones."""
        self._rows: dict[str, dict[Key, Values]] = {}
        for copy in copies(home.copies):
            try:
                self._rows = _rows_of(copy.path, f"{home.database}.copy", steps, shape)
            except (StoreError, OSError, sqlite3.Error):
                self.unread.append(copy.day)
            else:
                self.copy = copy
                return

    def of(self, table: Table) -> Mapping[Key, Values]:
        """The rows of a table that may come back."""
        rows = self._rows.get(table.name, {})
        return {key: values for key, values in rows.items() if may_come_back(table, values)}


def _rows_of(path: str, work: str, steps: Sequence[Migration], shape: Shape) -> dict[str, dict[Key, Values]]:
    """All rows of a copy, brought to the schema of these steps at the path `work`, where nothing stays."""
    try:
        shutil.copyfile(path, work)
        os.chmod(work, 0o600)
        with closing(Database.open(work, migrations=steps)) as database:
            found: dict[str, dict[Key, Values]] = {}
            for table in shape.tables.values():
                rows = database.read(f"SELECT {_names(table)} FROM {table.name}")
                found[table.name] = {table.key_of(row): row for row in rows if is_valid(table, row)}
            return found
    finally:
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(f"{work}{ending}")


def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns)


class _Taking:
    """The rows of a damaged file, and of a copy, on their way into a new one."""

    def __init__(self, found: Salvage, shape: Shape, copied: _Copied, held: Mapping[str, int], now: Now) -> None:
        self.owners: set[str] = set()
        """Missions and quests that are on the books again: logs and files are theirs."""
        self.queue_paused = False
        self._found = found
        self._shape = shape
        self._held = held
        self._now = now
        self._copied = copied
        self._parents: set[str] = set()
        """Missions with a child that the keeper holds."""
        self._from_disk: dict[str, dict[str, str]] = {}
        """Table → mission → the name of what was made again of what stands on disk."""
        self._gone: dict[str, dict[str, str]] = {}
        """The same of what is not there either."""

    def write(self, new: str, steps: Sequence[Migration], worktrees: Worktrees) -> list[TableReport]:
        """Make the new file; return what came back of each table."""
        tables = self._shape.tables.values()
        with closing(Database.open(new, migrations=steps[: self._found.schema])) as database:
            with database.transaction():
                database.read("PRAGMA defer_foreign_keys = ON")  # until all are there
                for table in tables:
                    self._fill(database, table)
                self._drop_orphans(database)
                self._bring_up(database)
                self._skip_numbers(database)
                if ISOLATIONS in self._found.tables:
                    worktrees.take(database, self._found.tables[ISOLATIONS].lost)
            self._from_disk = {ISOLATIONS: worktrees.names}
            self._gone = {ISOLATIONS: worktrees.gone}
            self.owners = {row[0] for row in database.read("SELECT id FROM missions UNION SELECT id FROM quests")}
            reports = [self._report(database, table) for table in tables]
        Database.open(new, migrations=steps).close()
        return reports

    def _fill(self, database: Database, table: Table) -> None:
        found = self._found.tables[table.name]
        sql = f"INSERT INTO {table.name} ({_names(table)}) VALUES ({', '.join('?' * len(table.columns))})"
        for values in (*found.rows.values(), *self._missing(table).values()):
            with suppress(Conflict):  # with a newer one, such as that of a live mission of the same name
                database.write(sql, values)

    def _report(self, database: Database, table: Table) -> TableReport:
        found, missing = self._found.tables[table.name], self._missing(table)
        key = ", ".join(table.columns[place].name for place in table.key)
        there = set(database.read(f"SELECT {key} FROM {table.name}"))
        names = {key: name_of(table, values) for key, values in (*missing.items(), *found.rows.items())}
        lost = {**names, **found.lost}
        from_disk, gone = self._from_disk.get(table.name, {}), self._gone.get(table.name, {})
        said = {*from_disk.values(), *gone.values()}
        return TableReport(
            table.name,
            recovered=len(found.rows.keys() & there),
            from_copy=[name_of(table, values) for key, values in missing.items() if key in there],
            from_disk=list(from_disk.values()),
            lost=[*gone.values(), *(name for key, name in lost.items() if key not in there and name not in said)],
            is_whole=found.is_whole,
        )

    def _missing(self, table: Table) -> dict[Key, Values]:
        """The rows of the copy that are to be filled in."""
        found = self._found.tables[table.name]
        return {
            key: values
            for key, values in self._copied.of(table).items()
            if key not in found.rows and (key in found.lost or not found.is_whole)
        }

    def _drop_orphans(self, database: Database) -> None:
        """Remove what belongs to a row that is lost."""
        while rows := database.read("PRAGMA foreign_key_check"):
            for name, rowid, *_ in rows:
                if rowid is not None:
                    database.write(f"DELETE FROM {name} WHERE rowid = ?", (rowid,))
            for name in {name for name, rowid, *_ in rows if rowid is None}:
                self._drop_orphans_of(database, name)

    def _drop_orphans_of(self, database: Database, name: str) -> None:
        """The same in a table without rowids."""
        for _, _, above, column, key, *_ in database.read(f"PRAGMA foreign_key_list({name})"):
            database.write(f"DELETE FROM {name} WHERE {column} NOT IN (SELECT {key} FROM {above})")

    def _bring_up(self, database: Database) -> None:
        """Bring the live missions to what the keeper holds; and start no quest of an earlier day."""
        old = set(self._missing(self._shape.tables["missions"]))
        live = [MISSION.decode(record) for (record,) in database.read("SELECT record FROM missions WHERE live = 1")]
        self._parents = {str(one.definition.parent) for one in live if one.id in self._held}
        for mission in live:
            changed = self._as_held(mission, is_old=(mission.id,) in old)
            if changed is not mission:
                _save(database, changed)
        old_quests = set(self._missing(self._shape.tables["quests"]))
        if old_quests & set(database.read("SELECT id FROM quests WHERE live = 1")):
            self.queue_paused = True
            MetaTable(database).save(PAUSED_KEY, "1")

    def _as_held(self, mission: Mission, *, is_old: bool) -> Mission:
        number = self._held.get(mission.id)
        if number is not None and (number > mission.run or is_old):
            return replace(mission, status=Status.STARTING, run=number, pid=None, ending=None)
        is_plan_that_goes_on = mission.definition.kind is Kind.BLUEPRINT and mission.id in self._parents
        if not is_old or number is not None or is_plan_that_goes_on:
            return mission
        status = Status.RUNNING if mission.status is Status.RESTARTING else mission.status
        unasked = replace(
            mission, status=status, ending=None, definition=replace(mission.definition, restart=RestartPolicy())
        )
        lost, _ = next_state(unasked, KeeperLost(), self._now)
        return replace(lost, definition=mission.definition)

    def _skip_numbers(self, database: Database) -> None:
        """Give no number twice, also where the row that had it is lost: those who read on from a number count on it."""
        for table in self._shape.tables.values():
            known = database.read_one("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,))
            given = max(self._found.sequences.get(table.name, 0), int(known[0]) if known else 0)
            if given and table.rowid is not None:
                more = 0 if self._found.tables[table.name].is_whole else _SKIPPED_NUMBERS
                database.write("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
                database.write("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, given + more))


def _save(database: Database, mission: Mission) -> None:
    values = (mission.is_live, mission.status.value, None if mission.is_live else mission.ended_at)
    database.write(
        "UPDATE missions SET live = ?, status = ?, ended_at = ?, record = ? WHERE id = ?",
        (*values, MISSION.encode(mission), mission.id),
    )

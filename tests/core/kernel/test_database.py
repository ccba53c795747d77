"""The database file: its modes, its migrations, and what happens when it can't be used."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys

import pytest

from overmind_core.daemon.state import State
from overmind_core.kernel.database import Conflict, Database, DiskFull, SchemaNewer, StoreCorrupt, StoreUnavailable
from overmind_core.kernel.migrations import released, statements
from tests.kit.overmind import REPOSITORY

RELEASED = tuple(released())
FIRST = RELEASED[0]
SECOND = (
    "CREATE TABLE extras (id TEXT PRIMARY KEY)",
    "INSERT INTO extras SELECT id FROM missions",
)
BROKEN = ("CREATE TABLE half (id TEXT)", "INSERT INTO nosuch VALUES (1)")
ADD = "INSERT INTO meta (key, value) VALUES (?, ?)"


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state.db")


@pytest.fixture
def database(path):
    database = Database.open(path)
    yield database
    database.close()


def pragma(database, name):
    return database.read(f"PRAGMA {name}")[0][0]


def write_schema_1(path):
    """A file as the first release has written it, made without any of our code but the first step."""
    connection = sqlite3.connect(path)
    for statement in FIRST:
        connection.execute(statement)
    connection.execute("PRAGMA user_version = 1")
    row = ("deadbee1", "api", 1, 0, None, "task", "raw", "running", None, 5.0, None, "{}")
    connection.execute("INSERT INTO missions VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", row)
    connection.execute("INSERT INTO runs VALUES ('deadbee1.1', 'deadbee1', 1, 5.0, NULL, 0, '{}')")
    connection.execute("INSERT INTO events (at, type, mission, data) VALUES (5.0, 'created', 'deadbee1', '{}')")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 1),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("auto_vacuum", 2),
        ("user_version", len(RELEASED)),
        ("busy_timeout", 2000),
    ],
)
def test_a_database_has_the_settings_it_needs(database, name, value):
    assert pragma(database, name) == value


def test_all_its_files_are_for_us_alone_whatever_the_umask(path):
    before = os.umask(0)
    try:
        database = Database.open(path)
        with database.transaction():
            database.write(ADD, ("a", "b"))
    finally:
        os.umask(before)
    assert {os.stat(path + end).st_mode & 0o777 for end in ("", "-wal", "-shm")} == {0o600}
    database.close()


def test_a_transaction_keeps_all_or_nothing(database, path):
    with database.transaction():
        database.write(ADD, ("a", "1"))
        assert database.in_transaction
    with pytest.raises(Conflict):
        _add_twice(database, "b")
    assert not database.in_transaction
    assert database.read("SELECT key FROM meta") == [("a",)]


def _add_twice(database, key):
    with database.transaction():
        database.write(ADD, (key, "1"))
        database.write(ADD, (key, "2"))


def test_transactions_don_t_nest(database):
    with database.transaction(), pytest.raises(RuntimeError, match="nest"), database.transaction():
        pass


def test_a_change_outside_of_a_transaction_is_a_mistake(database):
    with pytest.raises(RuntimeError, match="outside"):
        database.write(ADD, ("a", "1"))
    with pytest.raises(RuntimeError, match="outside"):
        database.write_many(ADD, [("a", "1")])


def test_a_broken_rule_is_a_conflict_and_undoes_its_transaction(database):
    with pytest.raises(Conflict, match=r"meta\.key"):
        _add_twice(database, "a")
    assert database.read("SELECT * FROM meta") == []


def test_a_mistake_in_the_sql_stays_what_it_is(database):
    with pytest.raises(sqlite3.OperationalError, match="nosuch"):
        database.read("SELECT * FROM nosuch")


def test_what_was_committed_survives_a_kill_and_what_was_not_is_gone(path):
    program = f"""
import os, signal
from overmind_core.kernel.database import Database
database = Database.open({path!r})
with database.transaction():
    database.write("INSERT INTO meta VALUES ('kept', '')")
with database.transaction():
    database.write("INSERT INTO meta VALUES ('lost', '')")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": REPOSITORY})
    assert done.returncode == -signal.SIGKILL
    database = Database.open(path)
    assert database.read("SELECT key FROM meta") == [("kept",)]
    database.close()


def test_an_older_file_is_brought_to_today_s_schema_with_its_rows(path):
    write_schema_1(path)
    state = State.open(path)
    assert pragma(state.database, "user_version") == len(RELEASED)
    assert [mission.name for mission in state.missions.live()] == ["api"]
    assert [run.id for run in state.runs.unfinished_or_unswept()] == ["deadbee1.1"]
    assert state.events.newest() == 1
    state.close()


def test_steps_run_once_and_in_order(path):
    write_schema_1(path)
    for _ in range(2):
        database = Database.open(path, migrations=(FIRST, SECOND))
        assert database.read("SELECT id FROM extras") == [("deadbee1",)]
        assert pragma(database, "user_version") == 2
        database.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(path):
    write_schema_1(path)
    with pytest.raises(sqlite3.OperationalError):
        Database.open(path, migrations=(FIRST, SECOND, BROKEN))
    database = Database.open(path, migrations=(FIRST, SECOND))
    assert pragma(database, "user_version") == 2
    assert database.read("SELECT name FROM sqlite_schema WHERE name = 'half'") == []
    database.close()


def test_a_step_is_a_file_and_its_comments_and_quotes_are_no_ends_of_statements(tmp_path):
    text = "-- one; two\nCREATE TABLE a (\n    x TEXT DEFAULT ';'\n);\n\nCREATE INDEX b ON a (x);\n"
    (tmp_path / "0001_first.sql").write_text(text)
    (tmp_path / "0002_second.sql").write_text("DROP INDEX b;\n")
    (tmp_path / "notes.txt").write_text("no step")
    first, second = released(str(tmp_path))
    assert first == ("-- one; two\nCREATE TABLE a (\n    x TEXT DEFAULT ';'\n);", "CREATE INDEX b ON a (x);")
    assert second == ("DROP INDEX b;",)


@pytest.mark.parametrize("names", [["0002_b"], ["0001_a", "0001_b"], ["0001_a", "0003_b"]])
def test_a_step_that_is_missing_or_there_twice_is_a_mistake(tmp_path, names):
    for name in names:
        (tmp_path / f"{name}.sql").write_text("DROP TABLE x;\n")
    with pytest.raises(RuntimeError, match="stands where step"):
        released(str(tmp_path))


def test_half_a_statement_is_a_mistake():
    with pytest.raises(RuntimeError, match="not a whole statement: CREATE TABLE a"):
        list(statements("CREATE TABLE a (\n"))


def test_a_file_of_a_newer_program_is_refused_and_left_alone(path):
    Database.open(path, migrations=(*RELEASED, SECOND)).close()
    with open(path, "rb") as file:
        before = file.read()
    with pytest.raises(SchemaNewer) as caught:
        Database.open(path)
    assert (caught.value.found, caught.value.known) == (len(RELEASED) + 1, len(RELEASED))
    with open(path, "rb") as file:
        assert file.read() == before


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 200, b"\0" * 8192])
def test_a_file_that_is_no_database_is_corrupt_and_left_alone(path, content):
    with open(path, "wb") as file:
        file.write(content)
    with pytest.raises(StoreCorrupt) as caught:
        Database.open(path)
    assert caught.value.path == path
    with open(path, "rb") as file:
        assert file.read() == content


def test_a_damaged_page_is_corrupt(path):
    database = Database.open(path)
    with database.transaction():
        database.write_many(ADD, ((f"key{number}", "x" * 500) for number in range(200)))
    database.close()
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (os.path.getsize(path) - 4096))
    with pytest.raises(StoreCorrupt):
        _read_all(path)


def _read_all(path):
    database = Database.open(path)
    try:
        database.read("SELECT * FROM meta")
    finally:
        database.close()


def test_a_full_disk_is_named_and_what_was_there_stays(database):
    with database.transaction():
        database.write(ADD, ("a", "1"))
    database.read(f"PRAGMA max_page_count = {pragma(database, 'page_count') + 2}")
    with pytest.raises(DiskFull), database.transaction():
        database.write(ADD, ("b", "x" * 100_000))
    assert not database.in_transaction
    assert database.read("SELECT key FROM meta") == [("a",)]
    database.read("PRAGMA max_page_count = 100000")
    with database.transaction():
        database.write(ADD, ("b", "x" * 100_000))


def _limit_files(size):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("size", [0, 1024, 20_000, 200_000])
def test_a_file_size_limit_is_a_full_disk_also_while_opening(path, size):
    program = f"""
from overmind_core.kernel.database import Database
from overmind_core.kernel.database import DiskFull
try:
    database = Database.open({path!r})
    for number in range(1000):
        with database.transaction():
            database.write({ADD!r}, (str(number), "x" * 2000))
except DiskFull:
    print("full")
"""
    told = subprocess.check_output(
        [sys.executable, "-c", program],
        text=True,
        env=os.environ | {"PYTHONPATH": REPOSITORY, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=_limit_files(size),
    )
    assert told == "full\n"
    database = Database.open(path)
    assert pragma(database, "integrity_check") == "ok"
    database.close()


def test_a_missing_folder_is_unavailable(tmp_path):
    with pytest.raises(StoreUnavailable, match="No such file"):
        Database.open(str(tmp_path / "nowhere" / "state.db"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_unavailable(path, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnavailable):
        Database.open(path)
    tmp_path.chmod(0o700)


def test_a_file_that_somebody_has_locked_is_unavailable(path, monkeypatch):
    monkeypatch.setattr("overmind_core.kernel.database.BUSY_TIMEOUT", 0.05)
    database = Database.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"), database.transaction():
        pass
    other.close()
    with database.transaction():
        database.write(ADD, ("a", "1"))
    database.close()


def test_a_reader_beside_us_is_no_obstacle(database, path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT * FROM meta").fetchall()
    with database.transaction():
        database.write(ADD, ("a", "1"))
    database.tidy()
    assert os.path.getsize(path + "-wal") > 0
    other.close()
    database.tidy()
    assert os.path.getsize(path + "-wal") == 0
    assert pragma(database, "busy_timeout") == 2000


def test_what_is_deleted_is_in_none_of_the_files(database, path):
    secret = "correct-horse-battery-staple"
    with database.transaction():
        database.write(ADD, ("environment", secret * 300))
    assert _holds(path, secret)
    with database.transaction():
        database.write("DELETE FROM meta")
    database.tidy()
    assert not _holds(path, secret)


def _holds(path, text):
    found = False
    for end in ("", "-wal"):
        with open(path + end, "rb") as file:
            found |= text.encode() in file.read()
    return found


def test_freed_room_goes_back_to_the_system(database, path):
    with database.transaction():
        database.write_many(ADD, ((str(number), "x" * 4000) for number in range(400)))
    database.tidy()
    full = os.path.getsize(path)
    with database.transaction():
        database.write("DELETE FROM meta")
    database.tidy()
    assert os.path.getsize(path) < full / 4
    assert os.path.getsize(path + "-wal") == 0

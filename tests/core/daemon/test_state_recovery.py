"""A damaged state.db comes back table by table; what the file has lost comes from the newest copy, or is named."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from functools import partial

import pytest

from overmind_core.daemon.state import State
from overmind_core.daemon.state_check import prepare, trouble
from overmind_core.daemon.state_copies import StateCopies, copies, make_copy
from overmind_core.daemon.state_recovery import is_needed, recover
from overmind_core.domain.missions.facts import Now
from overmind_core.domain.missions.mission import Definition, Kind, Mission, Restart, RestartPolicy, Run, Status
from overmind_core.domain.quests.quest import Goal, Quest, QuestStatus, QueueState
from overmind_core.domain.schedules import Ritual
from overmind_core.domain.specs.spec import Spec
from overmind_core.kernel.database import PAGE, DiskFull
from overmind_core.missions import registry
from overmind_core.quests import store as quests
from overmind_core.schedules import store as schedules
from overmind_core.specs import store as specs
from overmind_core.system.paths import Home
from tests.kit.cases import Cases
from tests.kit.full_disk import full_disk
from tests.kit.torture import portion

MISSIONS, QUESTS = 60, 40
NOW = Now(2e9, 1000.0)
DAY = "2026-11-26"


def mission_id(number):
    return f"{number:08x}"


def mission(number, **changes):
    always = RestartPolicy(when=Restart.ALWAYS)
    definition = Definition(
        f"m{number}", "sleep 9", ("sleep", "9"), "/", restart=always, labels={"é": "ü" * (number * 40)}
    )
    fields = {"status": Status.RUNNING, "run": 1, "pid": 4000 + number, **changes}
    return Mission(mission_id(number), definition, float(number), **fields)


def add_mission(state, one):
    state.missions.insert(registry._row(one, f"request-{one.id}"))
    run = Run(one.id, 1, 1.0, pid=one.pid or 0)
    state.database.write(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?)", (run.id, one.id, 1, 1.0, None, 0, registry.RUN.encode(run))
    )
    state.environments.save(one.id, '{"inherited":{"A":"é"},"chosen":{}}')


def add_quest(state, number, status=QuestStatus.QUEUED):
    made = Quest(f"{number:08x}", f"q{number}", "true", "/", "raw", 1.0, status=status, goal=Goal(), queue=QueueState())
    state.database.write(
        "INSERT INTO quests (id, name, live, status, created_at, record) VALUES (?, ?, 1, ?, 1, ?)",
        (made.id, made.name, made.status.value, quests.RECORD.encode(made)),
    )
    state.database.write(
        "INSERT INTO work_environments VALUES (?, ?)", (made.id, '{"definition":{},"text":"' + "w" * 900 + '"}')
    )


def fill(state):
    with state.transaction():
        for number in range(MISSIONS):
            add_mission(state, mission(number))
            for _ in range(5):
                state.database.write(
                    "INSERT INTO events (at, type, mission, data) VALUES (1, 'started', ?, '{\"type\":\"x\"}')",
                    (mission_id(number),),
                )
        for number in range(QUESTS):
            add_quest(state, 5000 + number)
        for number in range(5):
            ritual = Ritual(f"{7000 + number:08x}", f"r{number}", "hourly", "UTC", 1.0, "true", 1.0, quest={})
            state.rituals.insert(ritual.id, ritual.name, schedules.RITUAL.encode(ritual), "{}")
            spec = Spec(f"{8000 + number:08x}", f"s{number}", "S", "/s", repository="/r")
            row = specs.SpecRow(spec.id, spec.slug, "/r", archived=False, record=specs.SPEC.encode(spec))
            state.specs.save(row)
        for number in range(20):
            state.database.write("INSERT INTO trusted VALUES (?, 'ab', 1)", (f"/p{number}",))
        state.meta.save("queue_slots", "3")


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A home whose daemon was killed: its last changes are in the log; with a copy from before those."""
    folder = tmp_path_factory.mktemp("killed")
    state = State.open(str(folder / "state.db"))
    fill(state)
    made = make_copy(str(folder / "state.db"), str(folder / "copies"), DAY)
    assert made is not None
    with state.transaction():
        add_mission(state, mission(900))
        add_quest(state, 9000)
        state.database.write("DELETE FROM trusted WHERE path = '/p0'")
        state.meta.save("newest", "yes")
    (folder / "logs").mkdir()
    (folder / "logs" / mission_id(900)).mkdir()
    kept = tmp_path_factory.mktemp("kept")
    shutil.copytree(folder, kept / "home")
    state.close()
    return kept / "home"


@pytest.fixture
def home(killed, tmp_path):
    return Home(str(shutil.copytree(killed, tmp_path / "home")))


@pytest.fixture(scope="module")
def closed(killed, tmp_path_factory):
    """The same after an orderly end, without a log."""
    folder = shutil.copytree(killed, tmp_path_factory.mktemp("closed") / "home")
    State.open(str(folder / "state.db")).close()
    return folder


def contents(path):
    with closing(sqlite3.connect(path)) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: sorted(map(repr, database.execute(f"SELECT * FROM {name}")))
            for name in names
            if not name.startswith("sqlite_")
        }


def overwrite(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def table(report, name):
    return next(one for one in report.tables if one.table == name)


def nothing_lost(report):
    return not any(one.lost for one in report.tables)


SINCE_THE_COPY = (mission_id(900), f"{9000:08x}")
ALL_HELD = {mission_id(number): 1 for number in (*range(MISSIONS), 900)}


def test_a_whole_state_is_no_trouble(home, closed):
    assert trouble(home) == ""
    assert trouble(Home(str(closed))) == ""
    empty = Home(str(closed.parent / "none"))
    assert trouble(empty) == ""
    assert not is_needed(Home(str(closed)))
    assert not is_needed(home)
    assert sorted(os.listdir(closed)) == ["copies", "logs", "state.db"], "a look leaves no file"


def zeros_at_the_head(path):
    overwrite(path, 0, bytes(100))


def another_header(path):
    overwrite(path, 0, b"no database " * 8)


def first_page_gone(path):
    overwrite(path, 0, b"\xff" * PAGE)


def half(path):
    os.truncate(path, os.path.getsize(path) // 2)


def emptied(path):
    os.truncate(path, 0)


def deleted(path):
    os.unlink(path)


def holes(path):
    for page in range(5, os.path.getsize(path) // PAGE, 7):
        overwrite(path, page * PAGE, bytes(PAGE))


@pytest.mark.parametrize(
    "damage",
    [zeros_at_the_head, another_header, first_page_gone, half, emptied, deleted, holes],
    ids=lambda one: one.__name__,
)
def test_a_damaged_file_is_told_and_comes_back_whole(closed, tmp_path, damage):
    """All that it held before its last change is in the file or in the copy."""
    home = Home(str(shutil.copytree(closed, tmp_path / "home")))
    before = contents(home.database)
    damage(home.database)
    assert trouble(home)
    report = recover(home, ALL_HELD, NOW)
    assert trouble(home) == ""
    after = contents(home.database)
    assert (report.damaged is None) == (damage is deleted)
    for name in ("missions", "runs", "environments", "quests", "rituals", "specs", "trusted", "work_environments"):
        kept, known = set(after[name]), set(before[name])
        told = table(report, name)
        missing = [row for row in known - kept if not any(one in row for one in SINCE_THE_COPY)]
        if name == "missions":
            continue  # those of the copy are brought up to the keeper's runs
        assert not [row for row in missing if not told.lost], (name, told)
    names = {row.split("'")[3] for row in after["missions"]}
    assert {f"m{number}" for number in range(MISSIONS)} <= names
    lost = table(report, "missions").lost
    assert "m900" in names or "m900" in lost or report.unrecorded == [mission_id(900)]
    State.open(home.database).close()


def log_gone(home):
    os.unlink(f"{home}/state.db-wal")


def log_flipped(home):
    path = f"{home}/state.db-wal"
    chosen = random.Random(3)
    for _ in range(50):
        overwrite(path, chosen.randrange(32, os.path.getsize(path)), bytes([chosen.randrange(256)]))


def log_head_gone(home):
    overwrite(f"{home}/state.db-wal", 0, bytes(32))


def log_damaged_in_the_middle(home):
    overwrite(f"{home}/state.db-wal", 32 + 5 * (PAGE + 24) + 100, b"\xff" * 40)


def file_deleted(home):
    os.unlink(f"{home}/state.db")


@pytest.mark.parametrize(
    "damage",
    [log_gone, log_flipped, log_head_gone, log_damaged_in_the_middle, file_deleted],
    ids=lambda one: one.__name__,
)
def test_a_damaged_log_is_told_and_its_commits_come_back(home, damage):
    damage(home.root)
    assert trouble(home)
    report = recover(home, ALL_HELD, NOW)
    assert trouble(home) == ""
    after = contents(home.database)
    names = {row.split("'")[3] for row in after["missions"]}
    assert {f"m{number}" for number in range(MISSIONS)} - {"m900"} <= names | set(table(report, "missions").lost)
    assert len(after["rituals"]) == len(after["specs"]) == 5
    if damage is log_gone:
        assert report.unrecorded == [mission_id(900)], "what only its log tells of is named"
    else:
        assert "m900" in names | set(table(report, "missions").lost)


def test_a_text_that_is_no_text_any_more_comes_from_the_copy_and_is_named(closed, tmp_path):
    home = Home(str(shutil.copytree(closed, tmp_path / "home")))
    with open(home.database, "rb") as file:
        data = file.read()
    at = data.index(b'"name":"m17"') + 10
    overwrite(home.database, at, b"\xae\xae")
    report = recover(home, ALL_HELD, NOW)
    assert table(report, "missions").from_copy == ["m17"]
    assert nothing_lost(report)
    shutil.rmtree(home.copies)
    with open(home.database, "rb") as file:
        data = file.read()
    overwrite(home.database, data.index(b'"name":"m17"') + 1, b"\xae")
    report = recover(home, ALL_HELD, NOW)
    assert (report.copy, table(report, "missions").lost) == (None, ["m17"])
    assert str(report.damaged).startswith(f"{home.database}.damaged-")


def test_what_was_removed_since_the_copy_does_not_come_back_where_its_table_is_whole(closed, tmp_path):
    home = Home(str(shutil.copytree(closed, tmp_path / "home")))
    with open(home.database, "rb") as file:
        data = file.read()
    overwrite(home.database, data.index(b'"name":"q5003"'), b"\xae")
    report = recover(home, ALL_HELD, NOW)
    assert table(report, "quests").from_copy == ["q5003"]
    assert "/p0'" not in str(contents(home.database)["trusted"])
    assert report.queue_paused


def test_flipped_bytes_anywhere_lose_nothing_unnamed(closed, tmp_path):
    """Each row is there as it stood, there as the copy has it, or named as lost."""
    cases = Cases()
    before = contents(str(closed / "state.db"))
    for number in range(portion(200)):
        chosen = random.Random(number)
        folder = tmp_path / str(number)
        home = Home(str(shutil.copytree(closed, folder)))
        for _ in range(200 if number % 2 else 3):
            offset = chosen.randrange(os.path.getsize(home.database))
            overwrite(home.database, offset, bytes([chosen.randrange(256)]))
        with cases(f"round {number}"):
            report = recover(home, ALL_HELD, NOW)
            assert trouble(home) == ""
            after = contents(home.database)
            for name in ("missions", "quests", "rituals", "specs"):
                ids = {row.split("'")[1] for row in before[name]} - {mission_id(900), f"{9000:08x}"}
                there = {row.split("'")[1] for row in after[name]}
                told = table(report, name).lost
                assert len(ids - there) <= len(told), (name, ids - there, told)
            State.open(home.database).close()
        shutil.rmtree(folder)
    cases.verdict()


def test_missions_of_an_earlier_day_follow_the_keeper(closed, tmp_path):
    home = Home(str(shutil.copytree(closed, tmp_path / "home")))
    os.unlink(home.database)
    report = recover(home, {mission_id(1): 1, mission_id(2): 4}, NOW)
    state = State.open(home.database)
    found = {row.name: registry.decode_mission(row) for row in state.missions.all(include_hidden=True)}
    assert (found["m1"].is_live, found["m1"].run) == (True, 1)
    assert (found["m2"].is_live, found["m2"].run) == (True, 4)
    assert (found["m3"].status, found["m3"].reason) == (Status.CRASHED, "keeper_lost")
    assert found["m3"].definition.restart.when is Restart.ALWAYS
    assert report.queue_paused, "a quest of yesterday may have run since"
    assert state.meta.get("queue_paused") == "1"
    state.close()


def test_copies_that_can_not_be_read_are_named(closed, tmp_path):
    home = Home(str(shutil.copytree(closed, tmp_path / "home")))
    half(home.database)
    days = [one.day for one in copies(home.copies)]
    for one in copies(home.copies):
        overwrite(one.path, 0, b"no database " * 8)
    report = recover(home, {}, NOW)
    assert days
    assert (report.copy, report.unread_copies) == (None, days)


def test_a_plan_goes_on_while_the_keeper_holds_one_of_its_agents(tmp_path):
    home = Home(str(tmp_path))
    state = State.open(home.database)
    plan = mission(1)
    plan = Mission(plan.id, Definition("plan", "p", ("p",), "/", kind=Kind.BLUEPRINT), 1.0, Status.RUNNING)
    agent = Mission(mission_id(2), Definition("agent", "a", ("a",), "/", parent=plan.id), 1.0, Status.RUNNING, run=1)
    with state.transaction():
        for one in (plan, agent):
            state.missions.insert(registry._row(one, None))
    make_copy(home.database, home.copies, DAY)
    state.close()
    os.unlink(home.database)
    recover(home, {agent.id: 1}, NOW)
    state = State.open(home.database)
    assert len(state.missions.live()) == 2
    state.close()
    os.unlink(home.database)
    recover(home, {}, NOW)
    state = State.open(home.database)
    assert state.missions.live() == []
    state.close()


def test_a_recovery_without_room_changes_nothing_and_one_that_is_cut_off_goes_on(closed, tmp_path):
    home = Home(str(shutil.copytree(closed, tmp_path / "home")))
    half(home.database)
    with open(home.database, "rb") as file:
        data = file.read()
    with full_disk(os.getpid(), len(data) // 4), pytest.raises((DiskFull, OSError)):
        recover(home, ALL_HELD, NOW)
    with open(home.database, "rb") as file:
        assert file.read() == data
    assert not [name for name in os.listdir(home.root) if "recover" in name or name.endswith(".copy")]
    recover(home, ALL_HELD, NOW)
    os.rename(home.database, f"{home.database}.recovered")  # as a kill leaves it between the two names
    prepare(home)
    assert trouble(home) == ""


def test_a_copy_a_day_after_a_change_and_seven_of_them(tmp_path):
    path, folder = str(tmp_path / "state.db"), str(tmp_path / "copies")
    state = State.open(path)
    for number in range(1, 10):
        with state.transaction():
            state.meta.save("number", str(number))
        os.utime(f"{path}-wal", (4e9 + number, 4e9 + number))
        made = make_copy(path, folder, f"2026-11-{number:02}")
        assert made is not None
        os.utime(made.path, (4e9 + number + 0.5, 4e9 + number + 0.5))
        assert make_copy(path, folder, f"2026-11-{number:02}") is None, "one a day"
        assert make_copy(path, folder, "2026-12-24") is None, "nothing has changed"
    assert [one.day for one in copies(folder)] == [f"2026-11-{number:02}" for number in range(9, 2, -1)]
    assert {os.stat(os.path.join(folder, name)).st_mode & 0o777 for name in os.listdir(folder)} == {0o600}
    with closing(sqlite3.connect(copies(folder)[0].path)) as database:
        assert database.execute("SELECT value FROM meta WHERE key = 'number'").fetchone() == ("9",)
    state.close()


class SlowCopying(sqlite3.Connection):
    """One that takes ten seconds for a copy."""

    meanwhile = staticmethod(int)
    """Called in that time."""

    def execute(self, sql, *values):
        done = super().execute(sql, *values)
        if sql.startswith("VACUUM INTO"):
            ((path,),) = values
            begun = os.stat(path).st_mtime - 10
            os.utime(path, (begun, begun))
            self.meanwhile()
        return done


@pytest.mark.parametrize("busy", [False, True])
def test_a_state_in_which_nothing_changes_has_one_copy_and_what_came_during_that_is_in_another(
    tmp_path, monkeypatch, busy
):
    path, folder = str(tmp_path / "state.db"), str(tmp_path / "copies")
    state = State.open(path)

    def change(number="1"):
        with state.transaction():
            state.meta.save("number", number)

    change()
    monkeypatch.setattr(SlowCopying, "meanwhile", staticmethod(partial(change, "2") if busy else int))
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=SlowCopying))
    assert make_copy(path, folder, "2026-11-01") is not None
    again = make_copy(path, folder, "2026-11-02")
    assert (again is not None) is busy
    state.close()


def test_copies_that_a_wrong_clock_has_dated_in_the_future_stop_none_and_go_first(tmp_path):
    path, folder = str(tmp_path / "state.db"), tmp_path / "copies"
    state = State.open(path)
    folder.mkdir()
    for number in range(1, 8):
        (folder / f"state-2031-01-0{number}.db").touch()
    for number in (1, 2):
        with state.transaction():
            state.meta.save("number", str(number))
        os.utime(f"{path}-wal", (4e9 + number, 4e9 + number))
        made = make_copy(path, str(folder), f"2026-11-0{number}")
        assert made is not None
        assert made.day == f"2026-11-0{number}"
    days = [one.day for one in copies(str(folder))]
    assert days == [*(f"2031-01-0{number}" for number in (7, 6, 5, 4, 3)), "2026-11-02", "2026-11-01"]
    state.close()


def test_a_copy_that_has_no_room_is_a_line_in_the_log(tmp_path, caplog):
    home = Home(str(tmp_path))
    state = State.open(home.database)
    fill(state)
    with full_disk(os.getpid(), PAGE):
        StateCopies(home).look()
    assert "no copy of the state was made" in caplog.text
    assert os.listdir(home.copies) == []
    StateCopies(home).look()
    assert len(copies(home.copies)) == 1
    state.close()

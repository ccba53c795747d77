"""Files that are damaged, gone or from another time: a clear sentence, or as much as can be had, and no new loss."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3

import pytest

from overmind_core.kernel.migrations import released
from overmind_core.system.lock import try_lock
from overmind_core.system.paths import Home
from tests.kit import processes, torture
from tests.kit.cases import Cases
from tests.kit.fake_daemon import FakeDaemon
from tests.kit.killing import kill_both
from tests.kit.waiting import eventually


def garbage(path):
    with open(path, "wb") as file:
        file.write(random.Random(1).randbytes(20_000))


def text(path):
    with open(path, "w") as file:
        file.write("this is no database\n" * 500)


def half(path):
    os.truncate(path, os.path.getsize(path) // 2)


def holes(path):
    """Pages in the middle are zeros, as after a crash of a file system."""
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\0" * (os.path.getsize(path) - 8192))


@pytest.mark.torture
@pytest.mark.parametrize("damage", torture.some([garbage, text, half, holes], part=2))
def test_a_damaged_state_is_named(om, damage):
    for number in range(3):
        om.finished(f"echo {number}")
    om.ok("shutdown", "-y")
    damage(om.path("state.db"))
    for _ in range(2):
        sentence = om.refused("start", code="internal")
        assert om.path("state.db") in sentence
        assert "damaged" in sentence
        eventually(lambda: not processes.of_home(om.home), what="no daemon stays")
    recovered = om("state", "recover", "-y")
    assert f"{om.path('state.db')}.damaged-" in recovered.stdout
    assert recovered.returncode == ("Nothing could be read" in recovered.stdout)
    assert om.finished("exit 4")["exit_code"] == 4


def test_an_empty_file_is_a_new_state_where_nothing_tells_of_an_old_one(om):
    om.ok("start")
    om.ok("shutdown", "-y")
    os.truncate(om.path("state.db"), 0)
    om.ok("start")
    assert om.ps("--all") == []
    assert om.finished("exit 4")["exit_code"] == 4


def test_a_newer_state_is_refused_and_left_as_it_is(om):
    mission = om.mission("sleep 600")
    pid = om.pid(mission)
    om.ok("shutdown", "--keep")
    _set_schema(om, len(released()) + 1)
    for words in (("start",), ("run", "true"), ("ps",)):
        assert "newer" in om.refused(*words, code="schema_newer")
    assert processes.alive(pid)
    _set_schema(om, len(released()))
    om.ok("start")
    assert om.pid(mission) == pid


@pytest.mark.parametrize("words", [("shutdown", "-y"), ("kill", "--all", "-y"), ("stop", "--all", "-y")], ids=" ".join)
def test_what_runs_can_be_ended_though_no_daemon_can_read_the_state(om, words):
    missions = [om.mission("sleep 600"), om.mission("setsid sleep 601 & sleep 602", "--restart", "always")]
    pids = [om.pid(mission) for mission in missions]
    keeper = om.keeper_pid()
    om.ok("shutdown", "--keep")
    _set_schema(om, len(released()) + 1)
    inside = om(*words, env={"OVERMIND_MISSION_ID": missions[0]})
    assert (inside.returncode, inside.stderr.split(": ")[1]) == (1, "schema_newer")
    finished = om(*words)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "Ended 2 missions and the keeper; the state is unchanged\n"
    assert "newer" in finished.stderr
    assert not any(map(processes.alive, pids))
    eventually(lambda: not processes.alive(keeper), what="the keeper has let go of its lock, and exits")
    assert processes.with_variable("OVERMIND_MISSION_ID", missions[1]) == []
    _set_schema(om, len(released()))
    om.ok("start")
    assert om.info(missions[0])["runs"][0]["exit_code"] is not None, "its exit is in the journal"


def test_a_damaged_state_leaves_the_agents_alone_and_a_mended_one_has_them_again(om):
    mission = om.mission("sleep 600")
    pid = om.pid(mission)
    om.ok("shutdown", "--keep")
    shutil.copy(om.path("state.db"), om.path("copy"))
    garbage(om.path("state.db"))
    om.refused("start", code="internal")
    assert processes.alive(pid)
    shutil.move(om.path("copy"), om.path("state.db"))
    om.ok("start")
    assert om.pid(mission) == pid


def test_agents_whose_state_is_gone_are_found_again(om):
    """Nobody knows any more what they were, but they can be seen, read and ended."""
    mission = om.mission("echo here; exec sleep 600", "--name", "forgotten")
    pid = om.pid(mission)
    eventually(lambda: om.logs(mission) == "here\n")
    om.ok("shutdown", "--keep")
    for name in os.listdir(om.home):
        if name.startswith("state.db"):
            os.unlink(om.path(name))
    recovered = om("state", "recover", "-y")
    assert (recovered.returncode, mission in recovered.stdout) == (1, True)
    (row,) = om.ps()
    assert (row["id"], row["status"]) == (mission, "running")
    assert "sleep 600" in row["command"]
    assert om.pid(mission) == pid
    assert om.logs(mission) == "here\n"
    om.ok("stop", mission)
    assert not processes.alive(pid)


def lose_state(om):
    for name in os.listdir(om.home):
        if name.startswith("state.db"):
            os.unlink(om.path(name))


def test_logs_whose_record_is_lost_are_told_and_stay(om):
    """Also those of a mission between two runs, of which the keeper knows nothing."""
    ended = om.finished("echo kept; exit 3")["id"]
    between = om.mission("echo begun; exit 1", "--restart", "always", "--backoff", "1h")
    om.wait_status(between, "restarting")
    removed = om.finished("echo gone")["id"]
    om.ok("rm", removed)
    assert "Problem" not in om.ok("status")
    kill_both(om)
    lose_state(om)
    first, second = sorted([ended, between])
    assert f"2 missions ({first}, {second})" in om("state", "recover", "-y").stdout
    told = f"2 log folders have no record ({first}, {second}): the state was lost."
    assert told in om.ok("status")
    (daemon,) = [one for one in om.json("doctor", "--json") if one["check"] == "daemon"]
    assert (daemon["status"], told in daemon["found"]) == ("warn", True)
    shutil.rmtree(om.path("logs", ended))
    assert f"1 log folder has no record ({between})" in om.ok("status")


def test_a_daemon_that_leaves_before_it_answers_is_out_of_the_way_of_a_recovery(om):
    """One that was killed answers nobody, and keeps lock and socket until the last of its threads is gone."""
    mission = om.finished("echo kept")["id"]
    kill_both(om)
    lose_state(om)
    lock = try_lock(om.path("supervisor.lock"))
    assert lock is not None

    def leave(_):
        lock.release()

    with FakeDaemon(Home(om.home), leave) as dying:
        assert f"1 mission ({mission})" in om("state", "recover", "-y").stdout
    assert [request["cmd"] for request in dying.requests] == ["shutdown"]


def test_a_damaged_journal_of_exits_costs_only_what_was_damaged(om):
    trigger = om.path("trigger")
    missions = [om.mission(f"while [ ! -e {trigger} ]; do sleep 0.02; done; exit {code}") for code in (5, 6)]
    os.kill(om.supervisor_pid(), 19)  # it must not hear of their ends
    with open(trigger, "w"):
        pass
    eventually(lambda: len(_journal(om)) == 2, what="both ends are in the journal")
    kill_both(om)
    lines = _journal(om)
    with open(om.path("exits.ndjson"), "wb") as file:
        file.write(b"\xff\0garbage\n[]\n7\n{}\n" + b"\n".join([*lines, b'{"run":"' + missions[0].encode()]))
    om.ok("start")
    for mission, code in zip(missions, (5, 6), strict=True):
        assert om.wait_status(mission, "crashed")["exit_code"] == code


def nothing(path):
    os.truncate(path, 0)


def test_a_damaged_time_index_costs_no_output(om):
    expected = "".join(f"{number}\n" for number in range(1, 3001))
    cases = Cases()
    for damage in (garbage, half, nothing, os.unlink):
        mission = om.finished("seq 1 3000")["id"]
        (folder,) = [path for path, _, files in os.walk(om.path("logs", mission)) if files]
        (index,) = [name for name in os.listdir(folder) if name.startswith("index.")]
        damage(os.path.join(folder, index))
        with cases(damage.__name__):
            assert om.logs(mission) == expected
            assert om.raw("logs", mission, "--raw").replace(b"\r", b"") == expected.encode()
            assert om("logs", mission, "--timestamps").returncode == 0
    cases.verdict()


def test_logs_that_are_gone_are_no_error(om):
    mission = om.finished("seq 1 10")["id"]
    shutil.rmtree(om.path("logs"))
    assert om.logs(mission) == ""
    assert om.info(mission)["exit_code"] == 0
    assert om.logs(om.finished("echo again")["id"]) == "again\n"
    om.ok("rm", mission)


def test_a_pointer_to_nowhere_is_no_obstacle(om):
    """A socket that had to move, and whose folder was cleaned since."""
    for name in ("overmind.sock.path", "keeper.sock.path"):
        with open(om.path(name), "w") as file:
            file.write("/tmp/overmind-nobody/gone.sock")
    om.ok("start")
    assert om.finished("exit 4")["exit_code"] == 4


def _set_schema(om, version):
    with contextlib.closing(sqlite3.connect(om.path("state.db"))) as database, database:
        database.execute(f"PRAGMA user_version = {version}")


def _journal(om):
    with open(om.path("exits.ndjson"), "rb") as file:
        return file.read().splitlines()

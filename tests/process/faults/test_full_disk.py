"""No room for the state, or for the logs: nothing is promised that can't be kept, and nothing that was is lost.

A limit of file size, set from outside while the daemon runs, is a full disk for one process alone; the contract's tests
fill real file systems.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess

import pytest

from tests.kit import processes
from tests.kit.full_disk import FULL, full_disk
from tests.kit.killing import answers, kill, kill_both, kill_supervisor, without_waiting
from tests.kit.overmind import PROGRAM
from tests.kit.queued_shop import Shop
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux
LINES = "seq 100000; exit 9"


def keeper_of(om):
    om.ok("start")
    return om.keeper_pid()


def saved(om):
    """Everything that is on disk, by mission: what a daemon that knows nothing else says."""
    om.ok("shutdown", "--keep")
    om.ok("start")
    return {row["id"]: row for row in om.ps("--all")}


def test_nothing_is_started_that_can_not_be_recorded(om):
    before = om.mission("sleep 600")
    with full_disk(om.supervisor_pid()):
        for words in (("run", "touch ran"), ("run", "--name", "mine", "touch ran"), ("run", "--wait", "touch ran")):
            assert "free some space" in om.refused(*words, code="disk_full").lower()
        assert [row["id"] for row in om.ps("--all")] == [before]
        assert om.info(before)["status"] == "running"
    mine = eventually(lambda: room_again(om, "--name", "mine"), what="there is room again")
    assert not os.path.exists(om.path("ran"))
    assert saved(om).keys() == {before, mine}
    created = [event["mission"] for event in om.events("created")]
    assert created == [before, mine], "a mission that never was has an event"


def room_again(om, *options):
    finished = om.run("true", "--json", *options)
    return json.loads(finished.stdout)["id"] if finished.returncode == 0 else None


def test_keys_that_could_not_be_recorded_are_refused_and_not_typed_later(om):
    session = om.mission(["cat"], "--type", "session")
    om.wait_status(session, "running")
    with full_disk(om.supervisor_pid()):
        om.refused("keys", session, "-l", "lost", code="disk_full")
    eventually(lambda: om("keys", session, "-l", "kept", "Enter").returncode == 0, what="there is room again")
    eventually(lambda: "kept" in om.logs(session), what="they are typed")
    assert "lost" not in om.logs(session)


def test_what_ends_meanwhile_is_told_at_once_and_saved_later(om):
    trigger = om.path("trigger")
    mission = om.mission(f"while [ ! -e {trigger} ]; do sleep 0.02; done; echo bye; exit 7")
    waiting = om.popen("wait", mission)
    with full_disk(om.supervisor_pid()):
        with open(trigger, "w"):
            pass
        assert om.wait_status(mission, "crashed")["exit_code"] == 7
        assert waiting.wait(timeout=20) == 7
        assert om.logs(mission) == "bye\n"
    eventually(lambda: room_again(om), what="there is room again")
    assert saved(om)[mission]["exit_code"] == 7


def test_what_ends_meanwhile_is_not_lost_when_the_supervisor_is_killed_before_it_could_save(om):
    trigger = om.path("trigger")
    mission = om.mission(f"while [ ! -e {trigger} ]; do sleep 0.02; done; exit 7")
    with full_disk(om.supervisor_pid()):
        with open(trigger, "w"):
            pass
        om.wait_status(mission, "crashed")
        kill_supervisor(om)
    info = om.wait_status(mission, "crashed")
    assert [run["exit_code"] for run in info["runs"]] == [7]
    assert saved(om)[mission]["exit_code"] == 7


@pytest.mark.parametrize(("command", "status", "code"), [("stop", "stopped", 143), ("kill", "killed", None)])
def test_stop_and_kill_work_all_the_same(om, command, status, code):
    """What has filled the disk may have to be ended first."""
    missions = [om.mission("sleep 600 & exec sleep 601") for _ in range(3)]
    with full_disk(om.supervisor_pid()):
        om.ok(command, *missions)
        for mission in missions:
            assert om.info(mission)["status"] == status
            assert not processes.with_variable("OVERMIND_MISSION_ID", mission)
    eventually(lambda: room_again(om), what="there is room again")
    found = saved(om)
    assert {(found[mission]["status"], found[mission]["exit_code"]) for mission in missions} == {(status, code)}


def test_a_restart_waits_until_it_can_be_recorded_and_comes_then(om):
    mission = om.mission("echo begun; exec sleep 600", "--restart", "always", "--backoff", "10ms")
    eventually(lambda: om.logs(mission).count("begun") == 1, what="it has begun")
    with full_disk(om.supervisor_pid()):
        os.kill(om.pid(mission), 9)
        om.wait_status(mission, "restarting", "starting")
    info = om.wait_status(mission, "running")
    assert [run["exit_code"] for run in info["runs"]] == [137, None]
    eventually(lambda: om.logs(mission).count("begun") == 2, what="it has begun again")
    assert saved(om)[mission]["restart_count"] == 1


def test_a_daemon_that_finds_no_room_at_its_start_shows_everything_and_can_end_everything(om):
    """What fills the disk may run while nobody supervises."""
    old = om.finished("echo text")["id"]
    stopped, killed, kept = (om.mission("sleep 600", "--restart", "always") for _ in range(3))
    om.ok("shutdown", "--keep")
    with _started_on_full_disk(om):
        assert {row["id"] for row in om.ps("--all")} == {old, stopped, killed, kept}
        assert "stored once there is space" in om("stop", stopped).stderr
        assert "stored once there is space" in om("kill", killed).stderr
        for mission, status in ((stopped, "stopped"), (killed, "killed")):
            assert om.info(mission)["status"] == status
            assert not processes.with_variable("OVERMIND_MISSION_ID", mission)
        om.refused("rm", old, code="disk_full")
        assert not os.path.exists(om.path("logs", old)), "that makes room"
        assert "free some space" in om.refused("run", "true", code="disk_full").lower()
        pid = om.pid(kept)
        kill(om.supervisor_pid())
    om.ok("start")
    assert (om.wait_status(stopped, "stopped")["status"], om.pid(kept)) == ("stopped", pid)
    assert om.wait_status(killed, "killed")["restart_count"] == 0


def test_a_home_that_can_not_even_be_made_is_refused(om):
    finished = _with_full_disk(om, "start")
    assert finished.returncode == 1
    assert without_waiting(finished.stderr).startswith("Error: disk_full: ")
    assert not answers(om)


@pytest.mark.parametrize("command", ["stop", "kill"])
def test_what_a_person_has_ended_on_a_full_disk_is_not_started_again(om, command):
    """Not by the daemon that follows when this one is killed before there is room, nor when the keeper is, too."""
    first, second = (om.mission("echo begun; sleep 600", "--restart", "always", "--backoff", "0") for _ in range(2))
    both = om.mission("exit 1", "--restart", "always", "--backoff", "1h")
    om.wait_status(both, "restarting")
    with full_disk(om.supervisor_pid()):
        finished = om(command, first, both)
        assert finished.returncode == 0
        assert "stored once there is space" in finished.stderr
        kill_supervisor(om)
    for mission in (first, both):
        assert om.wait_status(mission, "stopped", "killed", "crashed")["status"].startswith(command)
    with full_disk(om.supervisor_pid()):
        om.ok(command, second)
        kill_both(om)
    om.ok("start")
    assert om.wait_status(second, "stopped", "killed", "crashed")["status"].startswith(command)
    assert [om.info(mission)["restart_count"] for mission in (first, second)] == [0, 0]
    assert [om.logs(mission).count("begun") for mission in (first, second)] == [1, 1]
    assert [name for name in os.listdir(om.home) if name.startswith("ended")] == [], "all is stored by now"


def test_a_shutdown_right_after_space_was_freed_is_complete(om):
    """The last changes were to be tried again only later."""
    mission = om.mission("sleep 600")
    om.mission("sleep 601")
    with full_disk(om.supervisor_pid()):
        assert "stored once there is space" in om("stop", mission).stderr
    finished = om("shutdown", "-y")
    assert (finished.returncode, finished.stdout, without_waiting(finished.stderr)) == (0, "Daemon stopped\n", "")
    assert (om.locked_by("supervisor.lock"), om.locked_by("keeper.lock")) == (None, None)
    om.ok("start")
    assert om.info(mission)["status"] == "stopped"


@pytest.mark.parametrize("missions", [1, 2])
def test_a_shutdown_on_a_full_disk_says_what_stays_and_the_next_one_is_complete(om, missions):
    started = [om.mission("sleep 600", "--restart", "always") for _ in range(missions)]
    keeper = om.keeper_pid()
    with full_disk(om.supervisor_pid()):
        finished = om("shutdown", "-y")
    assert (finished.returncode, finished.stdout) == (1, "Daemon stopped\n")
    assert finished.stderr.startswith("The disk is full: the end")
    assert f"The keeper (PID {keeper}) stays" in finished.stderr
    assert finished.stderr.endswith("then run: overmind shutdown\n")
    assert (om.locked_by("supervisor.lock"), om.locked_by("keeper.lock")) == (None, keeper)
    assert om.ok("shutdown", "-y") == "Daemon stopped\n"
    assert om.locked_by("keeper.lock") is None
    om.ok("start")
    assert [om.info(mission)["status"] for mission in started] == ["stopped"] * missions
    assert [om.info(mission)["restart_count"] for mission in started] == [0] * missions


def test_a_shutdown_that_keeps_the_missions_on_a_full_disk_says_what_stays(om):
    ended, kept = om.mission("sleep 600"), om.mission("sleep 601")
    keeper, pid = om.keeper_pid(), om.pid(kept)
    with full_disk(om.supervisor_pid()):
        om.ok("stop", ended)
        answer = om.api("shutdown", keep=True)
        assert (answer["kept"], answer["held"]) == (1, 1)
        assert answer["note"] == (
            f"The disk is full: the last changes are not saved. The keeper (PID {keeper}) stays, with everything that "
            "runs. Free some space, then run: overmind start"
        )
    om.ok("start")
    om.wait_status(ended, "stopped")
    assert om.pid(kept) == pid


def test_a_mission_whose_log_is_full_waits_and_can_be_ended(om):
    """Its output is held back, others are not, and what was written stays readable."""
    with full_disk(keeper_of(om), 5_000):
        blocked = [om.mission(LINES) for _ in range(3)]
        for mission in blocked:
            await_held_back(om, mission)
        fine = om.finished("echo fine; exit 2")
        assert (fine["exit_code"], om.logs(fine["id"])) == (2, "fine\n")
        assert om.logs(blocked[0]).startswith("1\n2\n3\n")
        om.ok("kill", blocked[0])
        om.ok("stop", blocked[1])
        assert om.info(blocked[1])["status"] == "stopped"
    info = om.wait_status(blocked[2], "crashed")
    assert info["exit_code"] == 9
    assert om.logs(blocked[2]) == "".join(f"{number}\n" for number in range(1, 100_001))


def test_what_is_removed_while_the_disk_is_full_leaves_no_log(om):
    mission = om.finished("echo text")["id"]
    with full_disk(om.supervisor_pid()):
        said = om.refused("rm", mission, code="disk_full")
        assert "The log of 1 mission was removed, but the disk is still full." in said
        assert not os.path.exists(om.path("logs", mission))
        om.refused("prune", "-y", code="disk_full")
    eventually(lambda: not om.ps("--all"), what="its record is gone")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
@pytest.mark.parametrize("command", ["rm", "prune"])
def test_a_removal_makes_the_room_that_it_needs(om, command):
    with _small_disk(om.home):
        old = om.finished("seq 400000")["id"]
        filler = om.mission("yes")
        await_held_back(om, filler)
        om.ok("kill", filler)
        om.refused("run", "true", code="disk_full")
        om.ok(command, *([old] if command == "rm" else ["-y"]))
        assert old not in {row["id"] for row in om.ps("--all")}
        assert om.finished("exit 3")["exit_code"] == 3
        om.ok("shutdown")


@contextlib.contextmanager
def _small_disk(path):
    """A file system of its own at `path`, which a mission fills at once."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", path]
    finished = subprocess.run(words, capture_output=True, text=True)
    if finished.returncode:
        pytest.skip(f"can't mount: {finished.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_repository_without_room_for_a_landing_is_named_and_no_fault_of_the_work(om):
    """The work stays as it is; see `tests/core/quests/test_landing.py` for when it is tried again."""
    with _small_disk(om.environment["HOME"]):
        shop = Shop(om)
        quest = shop.add("work", "echo 2 > b; git commit -qam two", check=shop.held("check"), into="main")
        shop.await_at("check")
        filler = os.path.join(om.environment["HOME"], "filler")
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        shop.go("check")
        question = shop.asked("merge", quest)
        assert question["summary"].startswith("work can't land on main: The disk is full: ")
        assert question["subject"]["lines"] == ["It is tried again by itself until there is room."]
        assert shop.info(quest)["reason"] == "disk_full"
        assert om.ok("quest", "why", "work").splitlines()[0] == (
            "work is running: landing was refused (the disk was full): it is tried again by itself, attempt 1 of 3"
        )
        assert om.ok("queue").splitlines()[-1] == "landing: work on main (the disk was full: tried again by itself)"
        os.unlink(filler)
        shop.answer(question, "allow")
        info = shop.ended(quest)
        assert (info["status"], info["attempts"], shop.code.read("b")) == ("completed", 1, "2\n")
        om.ok("shutdown", "-y")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
@pytest.mark.parametrize("what", ["check", "verify"])
def test_a_check_that_fails_without_room_is_no_fault_of_the_work(om, what):
    with _small_disk(om.environment["HOME"]):
        shop = Shop(om)
        into = {"into": "main"} if what == "verify" else {}
        quest = shop.add(
            "work", "echo 2 > b; git add b; git commit -qm two", **{what: shop.held(what, "false")}, **into
        )
        shop.await_at(what)
        filler = os.path.join(om.environment["HOME"], "filler")
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        shop.go(what)
        eventually(lambda: shop.info(quest)["reason"] == "disk_full", what="the full disk is named")
        info = shop.info(quest)
        assert (info["status"], info["attempts"]) == ("running", 1)
        assert re.search("once the disk has room|the disk was full", om.ok("quest", "why", "work").splitlines()[0])
        os.unlink(filler)
        om.ok("quest", "cancel", "work")
        om.ok("shutdown", "-y")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_full_disk_that_nobody_supervises_is_got_out_of_by_the_command_line_alone(om):
    with _small_disk(om.home):
        filler = om.mission("yes", "--restart", "always")
        await_held_back(om, filler)
        kill(om.supervisor_pid())
        om.ok("start")
        assert [row["id"] for row in om.ps("--all")] == [filler]
        assert "overmind prune" in om("stop", filler).stderr
        assert om.ok("prune", "-y").startswith("Removed 1 mission (")
        assert om.finished("exit 3")["exit_code"] == 3
        om.ok("shutdown")


def test_silence_that_a_full_disk_imposes_is_no_stall(om):
    with full_disk(keeper_of(om), 5_000):
        mission = om.mission(LINES, "--activity-timeout", "1s")
        await_held_back(om, mission)
        with RawSocket.connect(om.home) as api:
            began = api.ok("status")["uptime_seconds"]
            eventually(lambda: api.ok("status")["uptime_seconds"] > began + 2.5, what="its patience would be over")
        assert om.info(mission)["status"] == "running"
    assert om.wait_status(mission, "crashed")["exit_code"] == 9


def await_held_back(om, mission):
    eventually(lambda: om.info(mission)["reason"] == "disk_full", what="it is held back")


@contextlib.contextmanager
def _started_on_full_disk(om):
    """A daemon that never had any room."""
    finished = _with_full_disk(om, "start")
    assert finished.returncode == 0, finished.stderr
    yield


def _with_full_disk(om, *words):
    command = ["prlimit", f"--fsize={FULL}:unlimited", *PROGRAM, *words]
    return subprocess.run(command, env=om.environment, cwd="/", capture_output=True, text=True, timeout=60)

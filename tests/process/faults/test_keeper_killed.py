"""The keeper is killed, alone or with its supervisor, or the machine is restarted: cli.md, behaviour 3."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
import uuid

import psutil
import pytest

from tests.kit import processes
from tests.kit.killing import answers, kill, kill_both, kill_keeper
from tests.kit.processes import alive
from tests.kit.waiting import eventually

pytestmark = pytest.mark.torture
NASTY = """
trap '' HUP TERM
nohup sleep 600 >/dev/null 2>&1 &
setsid sleep 601 &
(setsid sh -c 'trap "" HUP TERM; sleep 602; :' &)
env -i OMTEST_RUN="$OMTEST_RUN" setsid sleep 603.{unique} &
echo begun
sleep 604
"""
ENDED = [("exit 0", "stopped", 0), ("exit 42", "crashed", 42), ("kill -9 $$", "crashed", 137)]
NOBODY = "00000000-0000-0000-0000-000000000000"
"""A boot id that no boot has."""


def begun(om, *options):
    """A mission whose processes try to survive their keeper, once all of them are there; with their pids."""
    unique = uuid.uuid4().int % 10**9
    mission = om.mission(NASTY.format(unique=unique), *options)
    tree = eventually(lambda: _complete_tree(mission, f"sleep 603.{unique}"), what="the whole tree is there")
    return mission, tree


def _complete_tree(mission, bare):
    """Pids of everything that the mission started; `bare` is the command line of the one without a mark."""
    marked = {pid: _words(pid) for pid in processes.with_variable("OVERMIND_MISSION_ID", mission)}
    naked = [pid for pid in processes.with_word(bare) if _words(pid) == bare]
    expected = {"sleep 600", "sleep 601", "sleep 602", "sleep 604"}
    return {*marked, *naked} if naked and expected <= set(marked.values()) else None


def _words(pid):
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return ""


def ended(om):
    """Missions that have ended in every way, with what must still be known of each."""
    return {om.finished(command)["id"]: (status, code) for command, status, code in ENDED}


def assert_still_known(om, missions):
    for mission, (status, code) in missions.items():
        info = om.info(mission)
        assert (info["status"], info["exit_code"], info["reason"]) == (status, code, None)
        assert [run["exit_code"] for run in info["runs"]] == [code]


def assert_lost(om, mission):
    """It is `crashed`, nobody knows its code, and nothing has started it again."""
    info = om.wait_status(mission, "crashed")
    assert (info["reason"], info["exit_code"], info["restart_count"]) == ("keeper_lost", None, 0)
    assert len(info["runs"]) == 1


def assert_restarted(om, mission, old_pid):
    info = om.wait_status(mission, "running")
    assert (info["restart_count"], len(info["runs"])) == (1, 2)
    assert info["os_pid"] not in {None, old_pid}
    assert alive(info["os_pid"])
    assert (info["runs"][0]["exit_code"], info["runs"][0]["reason"]) == (None, "keeper_lost")
    assert om.logs(mission).count("--- restart #1 at ") == 1


def assert_none_lives(pids):
    eventually(lambda: not [pid for pid in pids if alive(pid)], what=f"all of {pids} are gone")


def test_what_ran_is_lost_or_restarted_and_no_process_is_left(om):
    known = ended(om)
    plain, tree = begun(om)
    restarted = om.mission("echo again; sleep 600", "--restart", "on-failure", "--backoff", "100ms")
    always = om.mission("echo again; sleep 600", "--restart", "always", "--backoff", "100ms")
    pids = {one: om.pid(one) for one in (restarted, always)}
    waiting = om.popen("wait", plain)
    kill_keeper(om)
    assert_lost(om, plain)
    assert_none_lives({*tree, *pids.values()})
    for mission, pid in pids.items():
        assert_restarted(om, mission, pid)
    assert_still_known(om, known)
    text, errors = waiting.communicate(timeout=20)
    assert (text, errors, waiting.returncode) == (
        f"Mission {plain} finished: crashed (lost with its keeper): lost\n",
        "",
        1,
    )
    assert om.finished("exit 5")["exit_code"] == 5


def test_a_restart_that_was_due_still_comes(om):
    mission = om.mission("exit 3", "--restart", "on-failure", "--backoff", "2s")
    waiting = om.wait_status(mission, "restarting")
    kill_keeper(om)
    assert om.info(mission)["status"] in {"restarting", "running"}
    eventually(lambda: om.info(mission)["restart_count"] >= 1, what="it was restarted")
    assert om.info(mission)["runs"][0]["exit_code"] == waiting["exit_code"] == 3
    om.ok("kill", mission)


def test_a_stop_under_way_ends_as_a_stop(om):
    mission, tree = begun(om, "--grace", "60s", "--restart", "always")
    stopping = om.popen("stop", mission)
    om.wait_status(mission, "stopping")
    kill_keeper(om)
    text, errors = stopping.communicate(timeout=20)
    assert (text, errors, stopping.returncode) == (f"Stopped mission {mission}\n", "", 0)
    assert om.info(mission)["status"] == "stopped"
    assert_none_lives(tree)


def test_the_keeper_killed_again_and_again_spends_the_budget_and_no_more(om):
    mission = om.mission("sleep 600", "--restart", "always", "--max-restarts", "2", "--backoff", "0")
    pids = []
    for restarts in range(3):
        pids.append(_pid_after(om, mission, restarts))
        kill_keeper(om)
        assert_none_lives(pids)
    info = om.wait_status(mission, "crashed")
    assert (info["reason"], info["restart_count"]) == ("restart_budget_spent", 2)


def test_with_supervisor_and_keeper_dead_the_next_daemon_settles_it(om):
    known = ended(om)
    plain, tree = begun(om)
    restarted = om.mission("sleep 600", "--restart", "on-failure", "--backoff", "100ms")
    pid = om.pid(restarted)
    unheard = _mission_that_ends_unheard(om)
    kill_both(om)
    om.refused("ps", code="daemon_not_running")
    om.ok("start")
    assert_lost(om, plain)
    assert_none_lives(tree)
    assert_restarted(om, restarted, pid)
    assert_still_known(om, {**known, unheard: ("crashed", 7)})


def test_an_exit_that_only_the_journal_knows_keeps_its_true_code(om):
    mission = _mission_that_ends_unheard(om)
    kill_both(om)
    om.ok("start")
    assert_still_known(om, {mission: ("crashed", 7)})


@pytest.mark.parametrize("same_boot", [True, False], ids=["the same boot", "another boot"])
def test_after_a_reboot_nothing_is_swept(om, same_boot):
    """The bystander looks like a process of the lost run; when that ran in an earlier boot, it can be none."""
    known = ended(om)
    mission = om.mission("sleep 600")
    again = om.mission("sleep 600", "--restart", "always", "--backoff", "100ms")
    pids = [om.pid(mission), om.pid(again)]
    unheard = _mission_that_ends_unheard(om)
    kill_both(om)
    assert_none_lives(pids)
    bystander = _bystander(om, mission)
    try:
        if not same_boot:
            _reboot(om)
        om.ok("start")
        assert_lost(om, mission)
        assert_restarted(om, again, pids[1])
        assert_still_known(om, {**known, unheard: ("crashed", 7)})
        if same_boot:
            assert bystander.wait(timeout=10) == -signal.SIGKILL
        else:
            om.ok("shutdown", "-y")
            assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_lost_missions_are_restarted_when_asked(om):
    lost = [om.mission("sleep 600") for _ in range(3)]
    stopped = om.mission("sleep 600")
    om.ok("stop", stopped)
    kill_both(om)
    om.ok("start")
    for mission in lost:
        assert_lost(om, mission)
    told = "3 missions were lost with their keeper. Start them again with: overmind restart --lost"
    assert_told(om, told)
    om.ok("restart", lost[0])
    assert_told(om, told.replace("3", "2"))
    om.ok("restart", "--lost", "-y")
    assert_told(om, None)
    assert [om.info(mission)["status"] for mission in [*lost, stopped]] == ["running"] * 3 + ["stopped"]


def assert_told(om, sentence):
    """Whether everybody who looks reads of what was lost, and of the one command that starts it again."""
    status = om.json("status", "--json")
    assert status["problems"] == ([] if sentence is None else [sentence])
    for words in (("ps",), ("inbox",)):
        assert om(*words).stderr == ("" if sentence is None else f"{sentence}\n")
    assert ("lost with its keeper" in om.ok("ps", "--wide")) is (sentence is not None)
    checks = {row["check"]: row for row in om.json("doctor", "--json")}
    lost = status["missions"]["lost"]
    assert checks["missions"]["status"] == ("warn" if lost else "ok")
    assert checks["missions"]["found"] == f"{3 - lost} live" + (f", {lost} lost with their keeper" if lost else "")
    assert checks["missions"]["mend"] == ("overmind restart --lost" if lost else None)


def test_a_supervisor_killed_while_it_sweeps_for_a_dead_keeper_is_followed_by_one_that_ends_it(om, moments):
    trees = [begun(om)]
    trees += [begun(om, "--restart", "always", "--backoff", "100ms", "--grace", "100ms")]
    supervisor, keeper = om.supervisor_pid(), om.keeper_pid()
    kill(keeper)
    time.sleep(moments.random() / 10)  # somewhere in its sweep
    with contextlib.suppress(ProcessLookupError):
        os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: not alive(supervisor))
    om.ok("start")
    assert answers(om)
    assert_lost(om, trees[0][0])
    om.wait_status(trees[1][0], "running")
    assert om.info(trees[1][0])["restart_count"] == 1
    assert_none_lives(trees[0][1] | trees[1][1])


def _pid_after(om, mission, restarts):
    """The mission's process once it was restarted so often."""

    def pid():
        info = om.info(mission)
        return info["os_pid"] if info["restart_count"] == restarts else None

    return eventually(pid, what=f"restart {restarts}")


def _mission_that_ends_unheard(om):
    """A mission whose end is in the keeper's journal while the supervisor is deaf; it stays so."""
    trigger = om.path("trigger")
    mission = om.mission(f"while [ ! -e {trigger} ]; do sleep 0.02; done; exit 7")
    os.kill(om.supervisor_pid(), signal.SIGSTOP)
    with open(trigger, "w"):
        pass
    eventually(lambda: f'"{mission}.1"' in _journal(om), what="the exit is in the journal")
    return mission


def _journal(om):
    with open(om.path("exits.ndjson")) as file:
        return file.read()


def _bystander(om, mission):
    """A process that looks like one of the mission, born after its run."""
    marks = {"OVERMIND_MISSION_ID": mission, "OVERMIND_HOME": om.home}
    return subprocess.Popen(["sleep", "600"], env={**om.environment, **marks}, start_new_session=True)


def _reboot(om):
    """Make all that is stored a thing of another boot, as if the machine had been restarted while nothing ran."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        this_boot = file.read().strip()
    with contextlib.closing(sqlite3.connect(om.path("state.db"))) as database, database:
        for table, column in (("missions", "record"), ("runs", "state"), ("meta", "value")):
            found = database.execute(f"SELECT count(*) FROM {table} WHERE {column} LIKE ?", (f"%{this_boot}%",))
            assert found.fetchone()[0], f"{table}.{column} holds no boot id any more: this test must learn where it is"
            database.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (this_boot, NOBODY))
    journal = [json.loads(line) for line in _journal(om).splitlines()]
    with open(om.path("exits.ndjson"), "w") as file:
        file.writelines(json.dumps({**entry, "boot": NOBODY}) + "\n" for entry in journal)

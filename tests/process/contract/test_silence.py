"""Killed for silence, stopped after its time: behaviour 19, `run --timeout`, and clocks that stand in a pause."""

from __future__ import annotations

import os
import signal
from datetime import datetime

import pytest

from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

LATE = 0.5
"""Seconds after its limit by which a mission is being ended."""
NOISE = 1.5
"""Seconds more that a busy machine may add for some."""
TWINS = 3
"""Missions that are timed side by side: the machine is late for one or the other, a slow supervisor for all."""


def seconds(moment):
    return datetime.fromisoformat(moment).timestamp()


def at(om, mission, kind):
    """When the last event of this type was."""
    mine = om.events(kind, mission=mission)
    return seconds(mine[-1]["at"])


def began(om, mission):
    """When the newest run's process was there."""
    return seconds(om.info(mission)["runs"][-1]["started_at"])


def assert_in_time(lasted, limit):
    """All went on for as long as they may; the first was ended within the time, and no other much later."""
    assert limit <= min(lasted) + 0.005 <= limit + LATE, lasted
    assert max(lasted) <= limit + LATE + NOISE, lasted


def lasted(om, missions):
    """Seconds from the begin of each mission's newest run to its end's beginning."""
    return [at(om, mission, "stopping") - began(om, mission) for mission in missions]


# --- silence ------------------------------------------------------------------------------------------------------


def test_silence_ends_a_mission_between_its_limit_and_half_a_second_later(om):
    missions = [om.mission("echo last words; exec sleep 60", "--activity-timeout", "1s") for _ in range(TWINS)]
    for mission in missions:
        info = om.wait_status(mission, "crashed")
        assert (info["reason"], info["exit_code"], info["runs"][0]["exit_code"]) == ("stalled", 137, 137)
        assert om.logs(mission).splitlines() == ["last words", "--- timed out: no activity for 1s ---"]
    assert_in_time(lasted(om, missions), 1.0)


def test_a_silent_mission_that_never_said_anything_is_ended_too(om):
    info = om.finished("exec sleep 60", "--activity-timeout", "300ms", "--no-tty")
    assert (info["status"], info["reason"]) == ("crashed", "stalled")


TALK = (
    "printf x",
    r"printf '\000'",
    r"printf '\303'",  # half a character
    r"printf '\007'",
    r"printf '\033[0m'",
    "printf x >&2",
    "(setsid sh -c 'printf x' &)",
)


@pytest.mark.parametrize("options", [[], ["--no-tty"]], ids=["terminal", "pipes"])
def test_any_byte_counts_as_activity(om, options):
    talk = "; sleep 0.4; ".join(TALK)
    info = om.finished(f"{talk}; exit 7", "--activity-timeout", "1500ms", *options)
    assert (info["status"], info["reason"], info["exit_code"]) == ("crashed", None, 7)
    assert info["uptime_seconds"] > 1.5


def test_the_clock_begins_again_at_each_byte(om):
    command = "sleep 0.6; echo one; sleep 0.6; echo two; exec sleep 60"
    missions = [om.mission(command, "--activity-timeout", "1s") for _ in range(TWINS)]
    for mission in missions:
        om.wait_status(mission, "crashed")
        assert om.logs(mission).splitlines()[:2] == ["one", "two"]
    assert_in_time(lasted(om, missions), 2.2)


def test_the_policy_answers_a_stall(om):
    options = ("--activity-timeout", "200ms", "--restart", "on-failure", "--max-restarts", "1", "--backoff", "1ms")
    info = om.finished("exec sleep 60", *options)
    assert (info["reason"], info["exit_code"]) == ("restart_budget_spent", 137)
    assert [(run["exit_code"], run["reason"]) for run in info["runs"]] == [(137, "stalled")] * 2
    assert om.logs(info["id"]).count("--- timed out: no activity for 0.2s ---") == 2


def test_a_stop_is_no_silence(om):
    mission = om.mission("trap '' TERM; while :; do sleep 0.05; done", "--activity-timeout", "400ms", "--grace", "1s")
    om.ok("stop", mission)
    info = om.info(mission)
    assert (info["status"], info["reason"]) == ("stopped", None)


def test_while_it_is_paused_the_clock_stands(om):
    missions = [om.mission("exec sleep 60", "--activity-timeout", "1500ms") for _ in range(TWINS)]
    for mission in missions:
        om.ok("freeze", mission)
    om.finished("sleep 1.8")
    assert {om.info(mission)["status"] for mission in missions} == {"paused"}
    for mission in missions:
        om.ok("thaw", mission)
    assert [om.wait_status(mission, "crashed")["reason"] for mission in missions] == ["stalled"] * TWINS
    pauses = [at(om, mission, "thawed") - at(om, mission, "paused") for mission in missions]
    assert_in_time([whole - pause for whole, pause in zip(lasted(om, missions), pauses, strict=True)], 1.5 - 0.1)


def test_an_activity_timeout_can_be_set_changed_and_taken_away_while_it_runs(om):
    mission = om.mission("exec sleep 60")
    om.ok("update", mission, "--activity-timeout", "1h")
    om.ok("update", mission, "--activity-timeout", "0")
    assert om.info(mission)["activity_timeout_seconds"] == 0
    om.finished("sleep 0.3")
    assert om.info(mission)["status"] == "running"
    om.ok("update", mission, "--activity-timeout", "100ms")
    assert om.wait_status(mission, "crashed")["reason"] == "stalled"


@pytest.mark.own_home
def test_a_supervisor_that_takes_over_watches_the_silence_too(om):
    mission = om.mission("exec sleep 60", "--activity-timeout", "1500ms")
    os.kill(om.supervisor_pid(), signal.SIGKILL)
    om.ok("start")
    assert om.wait_status(mission, "crashed")["reason"] == "stalled"
    assert at(om, mission, "stopping") - began(om, mission) + 0.005 >= 1.5


@pytest.mark.own_home
def test_a_supervisor_that_stood_still_kills_nobody_who_talked_meanwhile(om, tmp_path):
    mission = om.mission(f"while :; do echo x | tee -a {tmp_path}/said; sleep 0.1; done", "--activity-timeout", "600ms")
    eventually((tmp_path / "said").exists)
    supervisor = om.supervisor_pid()
    os.kill(supervisor, signal.SIGSTOP)
    already = (tmp_path / "said").stat().st_size
    eventually(lambda: (tmp_path / "said").stat().st_size > already + 24, what="a second of words")
    os.kill(supervisor, signal.SIGCONT)
    om.finished("sleep 0.8")
    assert om.info(mission)["status"] == "running"


# --- time ---------------------------------------------------------------------------------------------------------


def test_a_run_that_lasts_too_long_is_stopped_with_124(om):
    command = "trap 'echo bye; exit 0' TERM; while :; do sleep 0.02; done"
    missions = [om.mission(command, "--timeout", "600ms") for _ in range(TWINS)]
    for mission in missions:
        info = om.wait_status(mission, "crashed")
        assert (info["reason"], info["exit_code"], info["runs"][0]["exit_code"]) == ("timeout", 124, 0)
        lines = [line for line in om.logs(mission).splitlines() if line != "Terminated"]  # the shell, of its `sleep`
        assert lines == ["--- timed out: ran longer than 0.6s ---", "bye"]
        assert om("wait", mission).returncode == 124
    assert_in_time(lasted(om, missions), 0.6)


def test_a_run_that_lasts_too_long_and_is_deaf_is_killed_after_its_grace(om, lock):
    mission = om.mission(lock.wrap("trap '' TERM; sleep @; sleep @"), "--timeout", "300ms", "--grace", "300ms")
    info = om.wait_status(mission, "crashed")
    assert (info["reason"], info["exit_code"], info["runs"][0]["exit_code"]) == ("timeout", 124, 137)
    assert not lock.held(), lock.holders()


def test_a_timeout_is_no_reason_to_start_again(om):
    info = om.finished("exec sleep 60", "--timeout", "200ms", "--restart", "always", "--backoff", "1ms")
    assert (info["status"], info["reason"], info["restart_count"]) == ("crashed", "timeout", 0)


def test_a_timeout_counts_for_each_run_anew(om):
    missions = [om.mission("exec sleep 60", "--timeout", "1s") for _ in range(TWINS)]
    om.ok("restart", *missions)
    for mission in missions:
        om.wait_status(mission, "crashed")
    assert_in_time(lasted(om, missions), 1.0)


def test_a_paused_mission_runs_out_of_time_all_the_same(om):
    mission = om.mission("exec sleep 60", "--timeout", "800ms")
    om.ok("freeze", mission)
    assert om.wait_status(mission, "crashed")["reason"] == "timeout"

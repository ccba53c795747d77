"""Attached while something dies: the mission, the supervisor, the keeper, the client itself."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kit.killing import await_another, kill, kill_keeper
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

SESSION = ("--type", "session", "--name", "shell")
RESTARTS = ("--restart", "always", "--backoff", "1ms", "--max-seconds", "1ms")


def restored(person):
    assert person.settings() == person.before
    assert person.screen.modes.private == {7, 25}
    return True


def attached(om, mission):
    return om.info(mission)["attached"]


def events(om, mission, *types):
    return [one["type"] for one in om.events(*types, mission=mission)]


def await_run(om, mission, number):
    eventually(lambda: om.info(mission)["runs"][-1]["number"] >= number, what=f"run {number} is there")


def test_a_killed_client_harms_nobody(om, attach, shell):
    victim, witness = attach(shell), attach(shell)
    victim.kill()
    eventually(lambda: attached(om, shell) == 1, what="its seat is free")
    witness.type(b"echo still''here\r")
    witness.shows("stillhere")
    again = attach(shell)
    again.shows("stillhere")


def test_the_agents_death_ends_the_stay(om, attach, shell):
    person = attach(shell)
    person.type(b"kill -9 $$\r")
    assert person.end() == 137
    assert restored(person)
    assert "[shell ended: exited 137]" in person.text()


def test_a_kill_ends_the_stay(om, attach, shell):
    person = attach(shell)
    om.ok("kill", shell)
    assert person.end() == 137
    assert restored(person)
    assert "[shell ended: killed]" in person.text()


def test_a_program_that_dies_full_screen_leaves_the_terminal_in_order(om, attach):
    command = "printf '\\033[?1049h\\033[?1000h\\033[?2004h\\033[?25l\\033[5;10r\\033[31mmess'; sleep 100"
    mission = om.mission(command, *SESSION)
    person = attach(mission)
    person.shows("mess")
    assert person.screen.modes.alternate
    om.ok("kill", mission)
    assert person.end() == 137
    assert restored(person)
    assert "mess" not in person.text()


def test_a_restart_is_stayed_through(om, attach):
    mission = om.mission("echo run $$: $(stty size); read -r x; exit 3", *SESSION, *RESTARTS)
    person = attach(mission, size=(93, 33))
    person.shows("run")
    for run in range(2, 5):
        before = f"run {om.pid(mission)}:"
        person.shows(before)
        person.type(b"next\r")
        await_run(om, mission, run)
        person.until(lambda: before not in person.text() and person.text().startswith("run"), "its screen is shown")  # noqa: B023
    person.type(b"\x1c")
    assert person.end() == 0
    assert restored(person)
    assert om.info(mission)["attached"] == 0
    assert events(om, mission, "attached", "detached") == ["attached", "detached"]


@pytest.mark.own_home
def test_a_killed_supervisor_is_not_noticed(om, attach, shell):
    person = attach(shell)
    old = om.supervisor_pid()
    os.kill(old, signal.SIGSTOP)  # nobody supervises, and nobody else may
    person.type(b"echo with''out\r")
    person.shows("without")
    kill(old)
    person.type(b"echo dead''too\r")
    person.shows("deadtoo")
    await_another(om, old)
    eventually(lambda: attached(om, shell) == 1, what="it has a seat again")
    person.type(b"echo and af''ter\r")
    person.shows("and after")
    person.type(b"\x1c")
    assert person.end() == 0
    assert restored(person)
    eventually(lambda: attached(om, shell) == 0, what="it has left")
    assert events(om, shell, "attached", "detached") == ["attached", "detached"]


@pytest.mark.own_home
def test_an_end_while_nobody_supervises_is_told_by_the_next_supervisor(om, attach, shell):
    person = attach(shell)
    old = om.supervisor_pid()
    kill(old)
    person.type(b"exit 5\r")
    assert person.end() == 5
    assert restored(person)


@pytest.mark.own_home
def test_detach_reaches_who_came_before_this_supervisor(om, attach, shell):
    person = attach(shell)
    old = om.supervisor_pid()
    kill(old)
    await_another(om, old)
    eventually(lambda: attached(om, shell) == 1, what="it has a seat again")
    om.ok("detach", shell)
    assert person.end() == 0
    assert restored(person)


@pytest.mark.own_home
def test_a_killed_keeper_ends_the_stay_with_its_mission(om, attach, shell):
    person = attach(shell)
    kill_keeper(om)
    assert person.end() == 1
    assert restored(person)
    assert "[shell ended: crashed, the program that held it, or the machine, went away]" in person.text()


@pytest.mark.own_home
def test_with_another_keeper_the_stay_goes_on(om, attach):
    mission = om.mission("echo run; exec cat", *SESSION, "--restart", "always", "--backoff", "1ms")
    person = attach(mission)
    person.shows("run")
    kill_keeper(om)
    await_run(om, mission, 2)
    person.until(lambda: _echoes(person), "it is joined")


def _echoes(person):
    person.type(b"\rhere\r")
    return "here\nhere" in person.text()

"""Clocks on the wall of server and hives are a day off, and step; that makes no difference."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import psycopg
import pytest

from tests.kit.breaths import breathing, gaps, lives
from tests.kit.engines import leave_out
from tests.kit.overmind import Overmind
from tests.kit.postgres_server import servers
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually
from tests.kit.wrong_clock import DAY, LIBRARY, WrongClock

HOUR = 3600


@pytest.fixture(autouse=True)
def library():
    """The library that makes clocks wrong."""
    if LIBRARY is None:
        leave_out("postgres", "libfaketime is not installed: apt-get install libfaketime")


WRONG = {"server": DAY, "a": -DAY, "b": DAY + HOUR}
"""By how many seconds at first."""


def test_wall_clocks_a_day_off_and_stepping_make_no_difference(make_home, tmp_path, monkeypatch):
    monkeypatch.setenv("OVERMIND_TEST_EXEC", "1")  # a fork of a program has the clock that it has
    with servers() as machines:
        server = machines.empty()
        server.make()
        clocks = {"server": WrongClock(Path(server.folder, "clock"), WRONG["server"])}
        with monkeypatch.context() as only_there:
            for name, value in clocks["server"].environment.items():
                only_there.setenv(name, value)
            server.start()
        homes = SwarmHomes(server.url, make_home)
        made = homes._make

        def with_clock(short: str):
            home = made()
            clocks[short] = WrongClock(tmp_path / f"clock-{short}", WRONG[short])
            home.environment |= clocks[short].environment
            return home

        for short in ("a", "b"):
            homes._make = partial(with_clock, short)
            homes.hive(short, "--slots", "2")
        for short in ("a", "b"):
            homes.homes[short].ok("run", "--name", "local", "true")
        days = [homes.homes[short].ps("--all")[0]["started_at"][:10] for short in ("a", "b")]
        assert days[0] < days[1], "they are days apart"
        mover, waiter = tmp_path / "mover", tmp_path / "waiter"
        homes.desk.ok("hive", "drain", homes.name("b"))
        homes.desk.ok("run", "--on", "any", "--name", "mover", "--on-lost", "move", "--lease", "10s", breathing(mover))
        homes.desk.ok("run", "--on", "any", "--name", "waiter", breathing(waiter))
        for journal in (mover, waiter):
            wait_begun(journal)
        homes.desk.ok("hive", "drain", homes.name("b"), "--undo")
        clocks["server"].step_to(-DAY)
        clocks["a"].step_to(2 * DAY)
        clocks["b"].step_to(-HOUR)
        beats = beat_of(homes, "a")
        eventually(lambda: beat_of(homes, "a") >= beats + 3, timeout=40, what="longer than the lease")
        assert [[life.goes_on for life in lives(one)] for one in (mover, waiter)] == [[True], [True]]
        assert {row["fence"] for row in homes.posts().values()} == {1, 2}
        home = homes.homes["a"]
        pids = (home.supervisor_pid(), home.keeper_pid())
        os.kill(pids[0], signal.SIGSTOP)
        try:
            clocks["b"].step_to(3 * DAY)
            clocks["server"].step_to(2 * DAY)
            eventually(lambda: len(lives(mover)) == 2, timeout=60, what="it has moved")
            assert min(gaps(mover)) > 0
            assert min(gaps(mover)) < 60
        finally:
            os.kill(pids[0], signal.SIGCONT)
        homes.desk.ok("quest", "add", "Then", "--on", "any", "--", "true")
        homes.wait_state("then", "done")
        eventually(lambda: homes.posts()["waiter"]["state"] == "claimed", timeout=30, what="it has answered")
        assert [[life.goes_on for life in lives(one)] for one in (mover, waiter)] == [[False, True], [True]]
        homes.desk.ok("kill", "swarm/mover", "swarm/waiter")
        for home in homes.homes.values():  # a call of the library that fakes the clocks fails now and then, with EINVAL
            eventually(partial(is_shut_down, home), timeout=100, what="it has ended")


def is_shut_down(home: Overmind) -> bool:
    """Ask a home to shut down; whether it has."""
    return not home("shutdown", "-y").returncode


def wait_begun(journal: Path) -> None:
    """Wait until it breathes."""
    eventually(lambda: lives(journal), timeout=30, what="it runs")


def beat_of(homes: SwarmHomes, short: str) -> int:
    with psycopg.connect(homes.url) as owner:
        ((beat,),) = owner.execute(
            "select beat from overmind.sessions where hive = %s and state = 'alive'", (homes.name(short),)
        ).fetchall()
        return int(beat)

"""Real homes whose store goes back in time, or who are copied: what runs goes on, what had ended stays ended."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.breaths import breathing, lives
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


def run(homes: SwarmHomes, name: str, command: str, *words: str) -> None:
    homes.homes["a"].ok("run", "--on", "any", "--name", name, *words, command)


MOVE = ("--on-lost", "move", "--lease", "10s")


def wait_begun(journal: Path) -> None:
    """Wait until it breathes."""
    eventually(lambda: lives(journal), timeout=30, what="it runs")


def check(homes: SwarmHomes, goes_on: list[Path], ended: list[Path]) -> None:
    """All that ran goes on, once; nothing that had ended has begun again."""
    assert [[life.goes_on for life in lives(journal)] for journal in goes_on] == [[True]] * len(goes_on)
    assert [len(lives(journal)) for journal in ended] == [1] * len(ended)
    rows = homes.posts()
    assert [rows[journal.name]["state"] for journal in goes_on] == ["claimed"] * len(goes_on)
    assert [rows[journal.name]["state"] for journal in ended] == ["done"] * len(ended)


def finish(homes: SwarmHomes, goes_on: list[Path]) -> None:
    for journal in goes_on:
        homes.homes["a"].ok("kill", f"swarm/{journal.name}")
    for journal in goes_on:
        homes.wait_state(journal.name, "cancelled")


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


def copied(original, make_home):
    """Copy a home as it is, as somebody does who sets up a second machine from the first."""
    copy = make_home()
    shutil.rmtree(copy.home)
    subprocess.run(["cp", "-a", "--sparse=auto", original.home, copy.home], check=False, stderr=subprocess.DEVNULL)
    for name in ("overmind.sock", "keeper.sock", "supervisor.lock", "keeper.lock"):
        Path(copy.home, name).unlink(missing_ok=True)
    return copy


def test_a_copied_home_takes_nothing_while_the_first_lives_and_ends_nothing_of_it(homes, make_home, tmp_path):
    original = homes.hive("a")
    journals = [tmp_path / "mover", tmp_path / "waiter"]
    for journal, words in zip(journals, (MOVE, ()), strict=True):
        run(homes, journal.name, breathing(journal), *words)
        wait_begun(journal)
    copy = copied(original, make_home)
    copy.ok("start")
    said = eventually(lambda: copy.json("swarm", "status", "--json")["silence"], timeout=60, what="it is refused")
    assert "lives already, in another home" in said
    lines = copy.ok("swarm", "status").splitlines()
    assert lines[0].startswith("swarm overmind · 1/1 hives · ")  # the database answers
    assert " · this hive takes nothing · store " in lines[0]
    run(homes, "new", "true")
    homes.wait_state("new", "done")
    check(homes, journals, [])
    assert [row["name"] for row in copy.ps() if row["status"] == "running"] == []
    finish(homes, journals)

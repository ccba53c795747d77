"""Lineages over real homes: the next generation goes on where the last one's conversation lies, elsewhere anew."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.engines.postgres.swarm.test_lineage_homes import begin, lineage
from tests.kit import claude
from tests.kit.overmind import Overmind
from tests.kit.swarm_homes import SwarmHomes


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


@pytest.fixture
def hive(homes: SwarmHomes, tmp_path: Path) -> Callable[..., Overmind]:
    """Make a hive whose account has `claude`."""

    folder = str(tmp_path / "bin")
    claude.install(folder)

    def made(name: str, *words: str) -> Overmind:
        return homes.hive(name, *words, environment={"PATH": f"{folder}:{os.environ['PATH']}"})

    return made


def test_elsewhere_it_begins_a_new_conversation_after_a_minute_with_the_last_result_and_the_notes_and_says_so(
    homes, hive
):
    first = hive("a", "--label", "at=a")
    begin(first, "one", "!bash overmind remember 'the tests need redis'", "--on", "at=a", "--allowed-tools", "Bash")
    homes.wait_state("one", "done")
    result = lineage(first)["result"]
    assert lineage(first)["notes"] == "- the tests need redis"
    second = hive("b", "--label", "at=b")
    first.ok("shutdown")
    began = time.monotonic()
    begin(second, "two", "go on", "--on", "any")
    said = second.ok("why", "two")
    assert f"{homes.name('b')}  waits: for 60 s it is for {homes.name('a')}, where its conversation lies\n" in said
    row = homes.wait_state("two", "done", timeout=100)
    assert time.monotonic() - began >= 60
    assert row["hive"] == homes.name("b")
    told = second.ok("logs", "two")
    assert (
        f"[lineage] generation 2 of ada begins a new conversation: that of generation 1 lies on {homes.name('a')}"
        in told
    )
    echo = lineage(second)["result"]
    assert echo.startswith("echo: go on\n\n---\n\nYou are generation 2 of ada.")
    assert f"The result of generation 1:\n\n{result}" in echo
    assert "Notes of earlier generations:\n\n- the tests need redis" in echo
    (_, newest) = lineage(second)["generations"]
    assert (newest["conversation"], newest["why"]) == ("new", f"that of generation 1 lies on {homes.name('a')}")
    assert lineage(second)["notes"] == "- the tests need redis"

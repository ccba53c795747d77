"""Lineages over real homes: the next generation goes on where the last one's conversation lies, elsewhere anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit import claude
from tests.kit.overmind import Overmind
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


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


def begin(home: Overmind, name: str, prompt: str, *words: str) -> str:
    """Post the next generation of ada; return what is said."""
    key = ("--env", f"ANTHROPIC_API_KEY={claude.API_KEY}")
    return home.ok("run", "--lineage", "ada", "--name", name, *key, *words, "--provider", "claude", prompt)


def conversation(home: Overmind, name: str) -> str:
    """The id of the conversation of a mission that has ended."""
    (row,) = [one for one in home.ps("--all") if one["name"] == name]
    return str(home.info(row["id"])["session_id"])


def lineage(home: Overmind) -> Any:
    """All that is known of ada."""
    return home.json("lineage", "info", "ada", "--json")


def test_the_second_generation_goes_on_with_the_conversation_of_the_first_at_its_hive(homes, hive):
    first = hive("a")
    second = hive("b")
    assert first.ok("lineage", "list") == ""
    begin(first, "one", "hello", "--on", "any")
    holder = homes.wait_state("one", "done")["hive"]
    home = {homes.name("a"): first, homes.name("b"): second}[holder]
    begin(first, "two", "!history now", "--on", "any")
    row = homes.wait_state("two", "done")
    assert row["hive"] == holder
    assert conversation(home, "two") == conversation(home, "one")
    said = first.ok("logs", "swarm/two")
    assert "history: n=2 | hello | !history now" in said
    assert "{" not in said, "it is shown as `logs` shows it at its hive"
    assert '{"type":' in first.ok("logs", "swarm/two", "--raw").replace(" ", "")
    assert "[lineage] generation 2 of ada goes on with the conversation of generation 1" in home.ok("logs", "two")
    found = lineage(second)
    assert (found["generation"], found["state"], found["hive"], found["waiting"]) == (2, "done", holder, [])
    assert [(one["number"], one["conversation"], one["why"]) for one in found["generations"]] == [
        (1, "new", ""), (2, "continued", ""),
    ]  # fmt: skip
    assert found["result_of"] == 2
    assert found["result"].startswith("history: n=2")
    assert first.ok("lineage", "list").split() == [
        "NAME", "GENERATION", "STATE", "HIVE", "WAITING", "ada", "2", "done", holder, "-",
    ]  # fmt: skip


def test_at_most_one_generation_lives_and_the_next_waits_for_its_end(homes, hive, tmp_path):
    home = hive("a")
    gate = tmp_path / "go"
    begin(home, "one", f"!bash while [ ! -e {gate} ]; do sleep .05; done", "--on", "any", "--allowed-tools", "Bash")
    homes.wait_state("one", "claimed")
    said = begin(home, "two", "hello", "--on", "any")
    assert said.startswith("Posted ")
    assert said.endswith(f"(two): waits: lineage ada: one lives on {homes.name('a')}\n")
    assert lineage(home)["waiting"] == ["two"]
    gate.touch()
    homes.wait_state("two", "done")


def test_without_on_a_generation_runs_here_and_still_one_at_a_time(homes, hive):
    first = hive("a")
    second = hive("b")
    begin(second, "one", "hello")
    assert homes.wait_state("one", "done")["hive"] == homes.name("b")
    begin(first, "two", "hello")
    assert homes.wait_state("two", "done")["hive"] == homes.name("a")
    assert [one["why"] for one in lineage(first)["generations"]] == [
        "", f"that of generation 1 lies on {homes.name('b')}",
    ]  # fmt: skip


def test_what_can_be_no_generation_is_refused_and_nothing_is_posted(homes, hive):
    home = hive("a")
    for words, text in (
        (("run", "--lineage", "ada", "true"), "--lineage is for agents"),
        (("run", "--lineage", "ada", "--type", "session", "--provider", "claude"), "begins with its task"),
        (("run", "--lineage", "a/b", "--provider", "claude", "hello"), "Lineage 'a/b'"),
        (("run", "--lineage", "ada", "--wait", "--provider", "claude", "hello"), "can't be used with --lineage"),
        (("lineage", "info", "nobody"), "There is no lineage 'nobody'. See them with: overmind lineage list"),
    ):
        assert text in home(*words).stderr, words
    assert homes.posts() == {}
    alone = homes.desk("run", "--lineage", "ada", "--provider", "claude", "hello")
    assert "This hive is in no swarm" in alone.stderr


def test_a_conversation_whose_record_was_removed_is_not_gone_on_with(homes, hive):
    home = hive("a")
    begin(home, "one", "hello", "--on", "any")
    homes.wait_state("one", "done")
    eventually(lambda: home("rm", "one").returncode == 0, what="its record is removed")
    begin(home, "two", "hello", "--on", "any")
    homes.wait_state("two", "done")
    assert lineage(home)["generations"][1]["why"] == "the record of generation 1 was removed here"

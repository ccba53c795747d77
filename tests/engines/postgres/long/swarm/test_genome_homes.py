"""Fleets whose agent is taken from git: each hive has to trust the file, and what was taken is shown."""

from __future__ import annotations

import pytest

from tests.engines.postgres.conftest import empty_database
from tests.kit.repositories import Repository
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


def test_a_place_whose_agent_comes_from_git_begins_once_its_hive_trusts_the_file(homes, tmp_path):
    shelf = Repository(str(tmp_path / "agents"))
    commit = shelf.commit("agents", {"watch.toml": '[agents.watch]\ncommand = "exec sleep 1000"\n'})
    shelf.git("tag", "v1")
    address = f"{shelf.folder}//watch.toml@v1#watch"
    home = homes.hive("a")
    team = tmp_path / "team.toml"
    team.write_text(f'[fleets.watch]\nagent = "{address}"\n')
    assert home.ok("apply", str(team)) == "Fleet watch: 1 wanted\n"
    genome = home.json("fleet", "info", "watch", "--json")["genome"]
    assert (genome["file"], genome["ref"], genome["commit"]) == (f"{shelf.folder}//watch.toml", "v1", commit)

    def refused() -> bool:
        return f"given back: {shelf.folder}//watch.toml is not trusted here yet" in home.ok("why", "watch-1")

    eventually(refused, timeout=40, what="the hive says why it gives the place back")
    said = home.ok("trust", address, "--yes")
    assert "It runs:\n  exec sleep 1000\n" in said
    assert said.endswith(f"Trusted: {shelf.folder}//watch.toml\n")
    homes.wait_state("watch-1", "claimed", timeout=90)
    home.wait_status("watch-1", "running")
    home.ok("fleet", "delete", "watch", "--yes")
    homes.wait_state("watch-1", "cancelled")

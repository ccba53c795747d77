"""Specs whose phases and tasks real homes of a swarm do: code and documents come from a bare remote."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest

from overmind_core.domain.specs.spec import PhaseName
from tests.engines.postgres.conftest import empty_database
from tests.kit.killing import kill, kill_both
from tests.kit.overmind import Overmind
from tests.kit.raw_socket import RawSocket
from tests.kit.specs import SpecWorld, Steps, handed_in
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually

IDENTITY = "[user]\n\tname = Ada\n\temail = ada@example.com\n"
PATIENT = {"timeout": 60.0}


class World(SpecWorld):
    """A spec's world whose repository has a bare remote; the home of the desk owns the spec, and does nothing of it."""

    def __init__(self, homes: SwarmHomes, tmp_path: Path) -> None:
        super().__init__(homes.desk)
        self.homes = homes
        self.gate = tmp_path / "gate"
        self.remote = str(tmp_path / "shop.git")
        self.repository.git("init", "-q", "--bare", "-b", "main", self.remote)
        self.repository.git("remote", "add", "origin", self.remote)
        self.repository.git("push", "-q", "-u", "origin", "main")

    def hive(self, name: str, *words: str) -> Overmind:
        """A hive whose account can commit."""
        home = self.homes.hive(name, *words)
        Path(home.environment["HOME"], ".gitconfig").write_text(IDENTITY)
        return home

    def begin(self, *options: str) -> str:
        """Create the spec, without gates, and have the swarm do it; return what that says."""
        self.new("Carts", "--gates", "none", "--allow", "Bash(true)", *options)
        return self.run("carts", "--on", "any")

    def held(self) -> Steps:
        """Steps that go on once the gate is open."""
        return [{"call": f"touch {self.gate}.begun; while [ ! -e {self.gate} ]; do sleep .05; done"}]

    def wait_held(self) -> None:
        """Wait until an agent is at the gate."""
        eventually(Path(f"{self.gate}.begun").exists, **PATIENT, what="it has begun")

    def at_remote(self, *words: str) -> str:
        """What git says of the remote."""
        return self.repository.git("--git-dir", self.remote, *words)

    def states(self, slug: str = "carts") -> dict[str, str]:
        """How each post stands, by name; the newest of each."""
        del slug
        return {name: row["state"] for name, row in self.homes.posts().items()}


@pytest.fixture
def homes(make_home):
    """A swarm of this test."""
    with empty_database() as url:
        yield SwarmHomes(url, make_home)


@pytest.fixture
def world(homes, tmp_path):
    return World(homes, tmp_path)


def test_an_end_of_which_nobody_heard_before_a_loss_of_power_is_told_again(world):
    world.write(tasks={"TSK-001": [*world.held(), {"exit": 3}]})
    world.hive("a")
    world.begin("--retries", "0")
    world.wait_held()
    quest = world.quest("carts/TSK-001")["id"]
    program = world.om.pid(quest)
    os.kill(program, signal.SIGSTOP)
    world.gate.touch()
    world.homes.wait_state("carts/TSK-001", "failed", timeout=60.0)
    with RawSocket.connect(world.om.home, timeout=30.0) as api:  # as the program would have heard it
        api.send("spec_attempt", quest=quest, remote=world.remote, commit="0" * 40, brought="0" * 40)
        assert any("'failed'" in str(line) for line in api.lines())
    kill_both(world.om)
    with contextlib.suppress(ProcessLookupError):  # who was stopped, and has lost its parent, is hung up
        kill(program)
    world.om.ok("start")
    world.until("stuck", "failed")
    rows = world.homes.desk.json("ps", "-H", "swarm", "--all", "--json")
    assert [row["state"] for row in rows if row["name"] == "carts/TSK-001"] == ["failed"]


def test_a_hive_whose_specs_wait_for_others_leaves_only_if_it_is_told_to(world):
    world.write(phases={"explore": [*world.held(), *handed_in(PhaseName.EXPLORE)]})
    world.homes.hive("b", "--slots", "0", home=world.om)
    world.hive("a")
    world.begin()
    world.wait_held()
    said = world.om.refused("swarm", "leave", code="busy")
    assert "This hive waits for work of the swarm (spec carts)." in said
    assert world.om.ok("swarm", "leave", "--release").startswith("Left swarm ")
    world.gate.touch()
    world.homes.wait_state("carts/explore", "done", timeout=60.0)


def test_a_spec_is_not_forgotten_while_nobody_can_be_told_to_end_its_work(world):
    way = world.homes.way()
    world.write(phases={"explore": [*world.held(), *handed_in(PhaseName.EXPLORE)]})
    with way:
        world.homes.hive("b", "--slots", "0", home=world.om, way=way)
        world.hive("a")
        world.begin()
        world.wait_held()
        way.cut()
        world.om.ok("quest", "cancel", "carts/explore")
        world.om.ok("spec", "archive", "carts")
        with RawSocket.connect(world.om.home, timeout=60.0) as api:
            assert api.request("spec_forget", id="carts")["error"] == "swarm_silent"
        way.mend()
        world.homes.wait_state("carts/explore", "cancelled", timeout=60.0)
        world.om.api("spec_forget", id="carts")


def test_it_is_said_before_anything_begins_what_keeps_other_hives_from_doing_a_spec(world, om, tmp_path):
    world.new("Carts")
    world.repository.commit("not pushed", {"new.txt": "x"})
    refused = world.om("spec", "run", "carts", "--on", "any")
    assert (refused.returncode, "is not on origin. Push it" in refused.stderr) == (1, True)
    world.repository.git("push", "-q")
    refused = world.om("spec", "run", "carts", "--on", "any", "--here")
    assert (refused.returncode, "can't be used together" in refused.stderr) == (2, True)
    refused = world.om("spec", "run", "carts", "--cpu", "2")
    assert (refused.returncode, "--cpu needs --on" in refused.stderr) == (2, True)
    assert world.states() == {}
    assert world.show()["on"] is None
    alone = SpecWorld(om)
    slug = alone.new("Other carts")
    refused = om("spec", "run", slug, "--on", "any")
    assert (refused.returncode, "This hive is in no swarm" in refused.stderr) == (1, True)
    assert alone.show(slug)["state"] == "draft"


def test_a_spec_comes_back_to_this_machine(world):
    world.hive("a")
    world.new("Carts", "--gates", "none", "--allow", "Bash(true)")
    assert world.om.ok("-H", "swarm", "spec", "run", "carts", "--to", "explore") == "Spec carts: explore queued\n"
    eventually(lambda: world.phase("explore")["state"] == "passed", **PATIENT, what="it has passed")
    world.run("carts", "--here")
    assert world.until("done", "stuck", "failed")["state"] == "done"
    assert sorted(world.homes.posts()) == ["carts/explore"]

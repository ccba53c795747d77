"""A project's file runs nothing before a person has seen it, and asks again when it has changed."""

from __future__ import annotations

import hashlib
import os

import pytest

from tests.kit.overmind import PROGRAM
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository
from tests.kit.terminal import Terminal

pytestmark = pytest.mark.shared_home

FILE = 'isolation:\n  setup: ["touch ~/ran"]\n'
CHANGED = "isolation:\n  setup: [\"touch ~/ran; printf '\\\\e[2J'\"]\n"


def project(om):
    shop = Repository(os.path.join(om.environment["HOME"], "shop"))
    shop.commit("first", {".overmind.yml": FILE})
    return shop


def ran(om):
    return os.path.exists(os.path.join(om.environment["HOME"], "ran"))


def test_nothing_runs_before_a_person_has_seen_it_and_a_change_asks_again(om):
    shop = project(om)
    path = shop.path(".overmind.yml")
    om.ok("start")
    refused = om.refused("run", "--cwd", shop.folder, "true", code="untrusted_project")
    assert all(way in refused for way in ("overmind trust", "overmind isolate --check", "--no-isolate"))
    assert (om.ps("--all"), ran(om), os.path.exists(shop.path(".overmind"))) == ([], False, False)

    with Terminal(om, "run", "--cwd", shop.folder, "true") as person:
        person.expect(r"Trust this file\? \[y/N\] ")
        person.type("n\n")
        assert person.end() == 1
    assert (om.ps("--all"), ran(om)) == ([], False)

    with Terminal(om, "run", "--cwd", shop.folder, "true") as person:
        person.expect(f"{path} is not trusted yet.\nIt runs:\n  setup: touch ~/ran\nTrust this file")
        person.type("y\n")
        assert person.end() == 0
        assert "Started mission " in person.shown
    assert ran(om)
    assert om.run("true", cwd=shop.folder).returncode == 0

    shop.write({".overmind.yml": CHANGED})
    assert f"{path} has changed since it was trusted" in om.refused(
        "run", "true", code="untrusted_project", cwd=shop.folder
    )
    with Terminal(om, "trust", shop.folder) as person:
        person.expect(r"Trust this file\? \[y/N\] ")
        assert "setup: touch ~/ran; printf" in person.shown
        assert "\x1b" not in person.shown
        person.type("y\n")
        assert person.end() == 0
    shop.write({".overmind.yml": FILE})  # only one content is trusted at a time
    om.refused("run", "true", code="untrusted_project", cwd=shop.folder)


def test_a_plan_is_not_started_again_where_its_agents_could_not_begin(om):
    shop = project(om)
    shop.write({"iso.toml": '[blueprint]\nname = "iso"\n[agents.a]\ncommand = "true"\nisolate = true\n'})
    om.ok("trust", "-y", shop.folder)
    om.ok("apply", shop.path("iso.toml"), "--wait")
    before = om.info("iso")
    shop.write({".overmind.yml": CHANGED})
    assert "has changed since it was trusted" in om.refused("restart", "iso", code="untrusted_project")
    assert (om.info("iso")["run"], om.info("iso")["outcome"]) == (before["run"], "succeeded")
    om.ok("trust", "-y", shop.folder)
    om.ok("restart", "iso")
    assert om.info("iso")["run"] == before["run"] + 1


def test_trust_is_of_what_was_seen_never_given_by_a_mission_and_may_be_taken_back(om):
    shop = project(om)
    seen = om.json("isolate", shop.folder, "--json")
    assert (seen["trusted"], seen["sha256"]) == (False, hashlib.sha256(FILE.encode()).hexdigest())
    shop.write({".overmind.yml": CHANGED})
    with RawSocket.connect(om.home) as connection:
        answer = connection.request("trust", cwd=shop.folder, env=om.environment, sha256=seen["sha256"])
        assert (answer["error"], "Review it again" in answer["message"]) == ("invalid", True)

    inside = om.run([*PROGRAM, "trust", "--yes"], "--no-isolate", "--wait", cwd=shop.folder)
    assert (inside.returncode, "forbidden" in inside.stdout) == (1, True)
    assert not om.json("isolate", shop.folder, "--json")["trusted"]

    assert om.ok("trust", shop.folder).endswith(f"Trusted: {shop.path('.overmind.yml')}\n")
    assert om.ok("trust", shop.folder).startswith("Already trusted: ")
    shop.write({".overmind.yml": "services: 5\n"})
    assert om.ok("trust", "--revoke", shop.folder) == f"No longer trusted: {shop.path('.overmind.yml')}\n"
    om.refused("trust", "--revoke", shop.folder, code="not_found")
    shop.write({".overmind.yml": CHANGED})
    om.refused("run", "true", code="untrusted_project", cwd=shop.folder)


def test_a_ritual_is_isolated_as_well_and_asks_when_it_is_created(om):
    shop = project(om)
    nightly = ("ritual", "create", "nightly", "@daily", "--cwd", shop.folder, "pwd")
    om.ok("start")
    om.refused(*nightly, code="untrusted_project")
    with Terminal(om, *nightly) as person:
        person.expect(r"Trust this file\? \[y/N\] ")
        person.type("y\n")
        assert person.end() == 0
    om.ok("ritual", "run", "nightly")
    om.ok("quest", "wait", "nightly/1")
    assert f"{shop.folder}/.overmind/worktrees/" in om.logs("nightly/1")

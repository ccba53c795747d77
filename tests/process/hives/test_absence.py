"""Without hives and without a swarm nothing of them is loaded, neither by a command nor by the daemon."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FOREIGN = ("psycopg", "nacl", "overmind_core.gate", "overmind_core.client.hives", "overmind_core.cli.hives",
           "overmind_core.cli.swarm", "overmind_core.wire.gate")  # fmt: skip
"""Packages of the gate and the swarm."""
SAYS_THAT_THERE_IS_NONE = {
    f"overmind_core.swarm{name}"
    for name in ("", ".api", ".api_fleets", ".api_lineages", ".api_pools", ".api_posts", ".api_vault", ".handed_on",
                 ".host", ".plan_posts", ".posts", ".requests")
}  # fmt: skip
"""Modules of the swarm that every daemon loads; what a membership needs besides is loaded with one."""
LOOK = """
import os, sys
os._exit = lambda status: print(status, *sys.modules, file=sys.stderr)
sys.argv = ["overmind", *sys.argv[1:]]
from overmind_core.cli.main import main
main()
"""


def loaded(om, *words):
    """The modules that a command has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *words],
        env={**om.environment, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    status, *modules = done.stderr.splitlines()[-1].split()
    assert status == "0", done.stderr
    return set(modules)


def foreign(modules):
    """Those of the gate and the swarm."""
    return {one for one in modules if any(one == name or one.startswith(f"{name}.") for name in FOREIGN)}


@pytest.mark.parametrize("words", [["ps"], ["ps", "--json"], ["info", "api"], ["logs", "api"], ["top", "--once"]])
def test_no_command_loads_what_only_hives_and_a_swarm_need(om, words):
    om.mission("sleep 300", "--name", "api")
    assert not foreign(loaded(om, *words))


def test_hives_that_are_known_load_what_they_need_and_only_for_their_commands(om):
    om.mission("sleep 300", "--name", "api")
    with open(os.path.join(om.home, "config.toml"), "a", encoding="utf-8") as file:
        file.write('[hives.eu1]\ngate = ["false"]\n')
    assert not foreign(loaded(om, "ps"))
    assert "overmind_core.client.hives.config" in loaded(om, "ps", "-H", "local")


def test_a_daemon_of_a_home_without_a_swarm_has_no_part_of_its_database(om):
    om.environment["PYTHONPROFILEIMPORTTIME"] = "1"  # it writes each import into daemon.log
    started = [sys.executable, "-P", "-m", "overmind_core.cli", "start"]
    world = {**om.environment, "PYTHONPATH": ":".join(sys.path)}
    subprocess.run(started, env=world, capture_output=True, timeout=60, check=True)
    om.finished("true")
    om.ok("quest", "add", "--wait", "Work", "--", "true")
    with open(os.path.join(om.home, "daemon.log"), encoding="utf-8") as file:
        imported = {line.rpartition("|")[2].strip() for line in file if line.startswith("import time:")}
    assert "overmind_core.quests.service" in imported
    assert not {one for one in imported if one.split(".")[0] in {"psycopg", "nacl"}}
    assert not foreign(imported)
    assert {one for one in imported if one.startswith("overmind_core.swarm")} <= SAYS_THAT_THERE_IS_NONE

"""A mission with a worktree, ports and services of its own, as the command line starts it and shows it."""

from __future__ import annotations

import os

import pytest

from tests.kit.repositories import Repository
from tests.kit.terminal import Terminal
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

PROJECT = """\
services:
  web:
    command: echo up at $PORT; exec sleep 1000
    port: 3000
    ready: { log: up at }
isolation:
  port_range: 21100-21199
  copy: [.env, no.env]
  link: [node_modules]
  setup: ["echo set up in $PWD", "until [ -e ~/go ]; do sleep 0.05; done", "[ ! -e ~/fail ]"]
"""


@pytest.fixture
def shop(om):
    """A trusted project, whose set-up lasts until it is let go."""
    shop = Repository(os.path.join(om.environment["HOME"], "shop"))
    shop.commit("first", {".overmind.yml": PROJECT, ".gitignore": ".env\n", "sub/a.txt": "a\n"})
    shop.write({".env": "KEY=1\n"})
    om.ok("trust", shop.folder)
    return shop


def let_go(om, *names):
    for name in (*names, "go"):
        with open(os.path.join(om.environment["HOME"], name), "w"):
            pass


def test_it_is_followed_until_it_runs_and_has_everything_of_its_own(om, shop):
    let_go(om)
    show = "cat ../.env; echo $PORT $WEB_PORT $WEB_HOST $OVERMIND_BRANCH; pwd; exec sleep 1000"
    started = om.run(show, "--name", "api.one", cwd=shop.path("sub"))

    mission = started.stdout.split()[2]
    worktree = shop.path(".overmind", "worktrees", mission)
    assert (started.returncode, started.stdout) == (0, f"Started mission {mission} (api.one)\n")
    assert f"Worktree {worktree} (branch overmind/api.one)\n" in started.stderr
    info = om.info(mission)
    ports = info["isolation"]["ports"]
    assert (info["status"], info["cwd"]) == ("running", f"{worktree}/sub")
    assert (info["isolation"]["worktree"], info["isolation"]["base"]) == (worktree, "main")
    assert all(21100 <= port <= 21199 for port in ports.values())
    own = f"KEY=1\n{ports['']} {ports['web']} 127.0.0.1 overmind/api.one\n{worktree}/sub\n"
    eventually(lambda: om.logs(mission).endswith(own), what="it has shown what it has")
    log = om.logs(mission)
    assert f"set up in {worktree}\n" in log
    assert "--- not copied: no.env does not exist ---\n--- not linked: node_modules does not exist ---\n" in log
    assert om.json("ports", "--json") == [
        {
            "mission": mission,
            "name": "api.one",
            "status": "running",
            "service": name or None,
            "port": port,
            "held": True,
        }
        for name, port in sorted(ports.items(), key=lambda one: one[1])
    ]
    assert shop.git("status", "--porcelain") == ""

    om.ok("stop", mission)
    assert om.json("ports", "--json") == []
    assert [row["held"] for row in om.json("ports", "--all", "--json")] == [False, False]
    assert not os.path.exists(worktree)


def test_what_can_not_be_set_up_is_an_error_and_nothing_is_left(om, shop):
    let_go(om, "fail")
    finished = om.run("true", "--name", "web", cwd=shop.folder)

    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.endswith(
        "Error: setup_failed: The project's set-up failed. See its log: overmind logs web. "
        "Check the set-up: overmind isolate --check\n"
    )
    assert "set up in" in om.logs("web")
    eventually(lambda: not any(row["held"] for row in om.api("ports")["ports"]), what="its ports are free")
    eventually(lambda: shop.git("branch", "--list", "overmind/*") == "", what="its branch is gone")
    assert [row["status"] for row in om.ps("--all")] == ["crashed"]


def test_ctrl_c_leaves_a_preparation_going_and_its_log_can_be_followed(om, shop):
    with Terminal(om, "run", "--name", "web", "--cwd", shop.folder, "--wait", "echo work; exit 7") as person:
        person.expect("Preparing web.*: setting up: echo set up")
        person.type("\x03")
        assert person.end() == 130
    assert person.shown.endswith("is still being prepared. Follow it with: overmind logs -f web\n")
    (row,) = om.ps("--wide")
    assert (row["status"], row["now"][:12]) == ("preparing", "setting up: ")
    assert row["now"] == row["isolation"]["step"]

    follower = om.popen("logs", "-f", "web")
    assert "making a worktree" in follower.stdout.readline()
    let_go(om)
    shown, _ = follower.communicate(timeout=30)
    assert shown.endswith("work\n")
    assert om("wait", "web").returncode == 7


def test_who_opts_out_is_told_so_and_a_restart_can_begin_anew(om, shop):
    let_go(om)
    plain = om.run("pwd", "--no-isolate", "--wait", cwd=shop.folder)
    assert (plain.returncode, plain.stdout) == (0, f"{shop.folder}\n")
    assert plain.stderr.startswith("not isolated: ")

    mission = om.mission("echo x >> made; wc -l < made; exec sleep 1000", cwd=shop.folder)
    made = shop.path(".overmind", "worktrees", mission, "made")
    eventually(lambda: os.path.exists(made))
    assert "made" in om.refused("restart", mission, "--fresh", code="dirty")
    om.ok("restart", mission)
    eventually(lambda: om.logs(mission).endswith("2\n"), what="it goes on in its worktree")
    om.ok("restart", mission, "--fresh", "--force")
    eventually(lambda: om.logs(mission).endswith("1\n"), what="it has begun anew")

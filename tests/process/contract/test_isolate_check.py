"""`isolate --check` says what a mission would get, and changes nothing."""

from __future__ import annotations

import json
import os

from tests.kit.repositories import Repository

FILE = """\
services:
  web:
    command: npm start
    port: 3000
    ready: { http: /health, timeout: 30s }
  db:
    docker: postgres:16
    port: 5432
isolation:
  port_range: 21200-21202
  base: main
  copy: [.env, gone.txt]
  setup: [make deps]
"""
BROKEN = "services:\n  web:\n    comand: x\nisolation:\n  port_range: 9-1\n"
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere.sock"}


def test_a_file_with_another_ending_is_named(om):
    shop = Repository(os.path.join(om.environment["HOME"], "shop"))
    shop.commit("first", {".overmind.yaml": "isolation: {}\n"})
    words = ".overmind.yaml is not read: its name has to be .overmind.yml."
    assert words in om.ok("isolate", shop.folder)
    shop.commit("second", {".overmind.yml": "isolation: {}\n"})
    assert words not in om.ok("isolate", shop.folder)


def test_it_explains_what_a_mission_would_get_and_changes_nothing(om, cases):
    shop = Repository(os.path.join(om.environment["HOME"], "shop"))
    shop.commit("first", {".overmind.yml": FILE, ".gitignore": ".env\n", "sub/a": ""})
    shop.write({".env": ""})
    om.ok("start")
    before = shop.traces()

    with cases("a whole project"):
        said = om("isolate", "--check", cwd=shop.path("sub"), env=NO_ENGINE)
        assert said.returncode == 1  # there is no engine for its container
        for line in (
            f"File      {shop.path('.overmind.yml')}",
            "Trusted   not yet: overmind trust",
            f"Worktree  {shop.path('.overmind/worktrees/<id>')}",
            "Branch    overmind/<name> from main",
            "Ports     PORT 21200, web 21201 (for 3000), db 21202 (for 5432)",
            "  setup: make deps",
            "  1. create the worktree, on a branch that starts at main",
            "  2. copy .env, gone.txt",
            "  4. start a container of postgres:16 for db (at 127.0.0.1:21202)",
            "  6. run: make deps",
            "  8. wait until web answers /health (at most 30 s)",
            "  Nothing to copy: gone.txt does not exist.",
        ):
            assert f"\n{line}\n" in f"\n{said.stdout}", line
        assert "Docker" in said.stdout.rpartition("Problems\n")[2]

    with cases("as JSON"):
        explained = om("isolate", shop.folder, "--json", env=NO_ENGINE)
        facts = json.loads(explained.stdout)
        assert (facts["trusted"], facts["changed"], facts["problems"]) == (False, False, [])
        assert [one["step"] for one in facts["steps"]][:3] == ["worktree", "files", "image db"]
        assert facts["engine"] is None
        assert facts["engine_problem"]

    with cases("too few ports"):
        shop.write({".overmind.yml": FILE.replace("21202", "21201")})
        assert "The port range 21200-21201 has too few free ports" in om("isolate", cwd=shop.folder).stdout

    with cases("mistakes, each at its place"):
        shop.write({".overmind.yml": BROKEN})
        broken = om("isolate", cwd=shop.folder)
        assert broken.returncode == 1
        assert f"  {shop.path('.overmind.yml')}:3:5: " in broken.stdout
        assert f"  {shop.path('.overmind.yml')}:5:" in broken.stdout

    with cases("a base that does not exist"):
        shop.write({".overmind.yml": "isolation: { base: nowhere }\n"})
        assert "nowhere" in om("isolate", cwd=shop.folder).stdout.rpartition("Problems\n")[2]

    with cases("no file: what --isolate would give"):
        os.unlink(shop.path(".overmind.yml"))
        plain = om.ok("isolate", shop.folder)
        assert "No .overmind.yml" in plain
        assert "Branch    overmind/<name> from main" in plain

    with cases("no repository"):
        assert "Not a git repository" in om.ok("isolate", om.environment["HOME"])

    with cases("a repository without a commit"):
        empty = om.path("empty")
        shop.git("init", "-q", empty)
        said = om("isolate", cwd=empty).stdout
        assert ("None" not in said, "Branch    overmind/<name>\n" in said) == (True, True), said

    with cases("no such folder"):
        om.refused("isolate", shop.path("nowhere"), code="cwd_not_found")

    assert shop.traces() == before
    assert not os.path.exists(shop.path(".overmind"))
    assert (om.ps("--all"), om.json("ports", "--json")) == ([], [])

"""`run --base`: a mission begins at a branch that is not checked out, and its work lands there."""

from __future__ import annotations

import os

import pytest

from tests.kit.overmind import FINAL
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import Repository

pytestmark = pytest.mark.shared_home

WORK = "cat a; echo mine > mine"


@pytest.fixture
def shop(om):
    """A repository whose checkout is at `main` and has changes; the branch `release` is older."""
    code = Repository(os.path.join(om.environment["HOME"], "shop"))
    code.commit("first", {"a": "released\n"})
    code.git("branch", "release")
    code.commit("second", {"a": "newest\n"})
    code.write({"a": "edited\n", "untracked": "x\n"})
    om.environment.update({name: value for name, value in code.environ.items() if name.startswith("GIT_")})
    om.ok("start")
    return code


@pytest.mark.parametrize("verb", [("run",), ("quest", "run")])
def test_a_mission_begins_at_the_branch_and_lands_there_and_the_checkout_is_not_touched(om, shop, verb):
    before = shop.git("status", "--porcelain", "--branch"), shop.git("rev-parse", "HEAD")
    om.ok(*verb, "--name", "fix", "--base", "release", WORK, cwd=shop.folder)
    mission = om.wait_status("fix", *FINAL)["id"]
    info = om.info(mission)
    assert info["isolation"]["base"] == "release"
    assert om.logs(mission).endswith("---\nreleased\n")
    assert om.ok("changes", "fix", "--name-only") == "mine\n"
    om.ok("commit", "fix", "-m", "mine")
    assert om.json("merge", "fix", "--json")["target"] == "release"
    assert shop.git("log", "--first-parent", "--format=%s", "release").splitlines()[0] == (
        "Merge overmind/fix into release"
    )
    assert (shop.git("status", "--porcelain", "--branch"), shop.git("rev-parse", "HEAD")) == before


def test_the_base_of_the_command_comes_before_that_of_the_project(om, shop):
    shop.commit("project", {".overmind.yml": "isolation: { base: main }\n"})
    om.ok("trust", shop.folder)
    om.ok("run", "--name", "fix", "--base", "release", WORK, cwd=shop.folder)
    om.wait_status("fix", *FINAL)
    assert om.info("fix")["isolation"]["base"] == "release"


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("nowhere", "There is no branch 'nowhere' in {shop}. See: git branch --all\n"),
        ("HEAD~1", "There is no branch 'HEAD~1' in {shop}. See: git branch --all\n"),
        ("-x", "There is no branch '-x' in {shop}. See: git branch --all\n"),
        ("", "--base needs the name of a branch.\n"),
    ],
)
def test_a_base_that_is_no_branch_is_named_and_nothing_is_started(om, shop, base, told):
    assert om.refused("run", f"--base={base}", "true", code="invalid", cwd=shop.folder) == told.format(shop=shop.folder)
    assert om.ps("--all") == []


def test_a_base_needs_a_worktree(om, shop, tmp_path):
    told = om.refused("run", "--base", "release", "true", code="invalid", cwd=str(tmp_path))
    assert told == f"There is no branch 'release': {tmp_path} is not in a git repository.\n"
    both = ("run", "--base", "release", "--no-isolate", "true")
    assert om.refused(*both, code="invalid", exit_code=2, cwd=shop.folder) == (
        "Give --base or --no-isolate, not both.\n"
    )
    shop.commit("project", {".overmind.yml": "isolation: { worktree: false }\n"})
    om.ok("trust", shop.folder)
    told = om.refused("run", "--base", "release", "true", code="invalid", cwd=shop.folder)
    assert told == f"The branch 'release' needs a worktree: {shop.folder}/.overmind.yml says `worktree: false`.\n"
    asked = {"command": "true", "cwd": shop.folder, "env": om.environment, "base": "release", "isolate": False}
    with RawSocket.connect(om.home) as api:
        assert api.request("run", **asked) == {
            "error": "invalid",
            "message": "--base needs a worktree: omit --no-isolate.",
        }
    assert om.ps("--all") == []

"""`merge --resolve`: the merge is begun in the mission's worktree, and its agent is told to finish it."""

from __future__ import annotations

import json
import os

import pytest

from tests.kit.overmind import FINAL
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

RESOLVE = "sed -i -e '/^<<<<<<< /d' -e '/^=======$/d' -e '/^>>>>>>> /d' a && git commit -qam both"


@pytest.fixture
def shop(agents):
    """A shop in which a session has changed a file that main changes, too."""
    code = Repository(os.path.join(agents.om.environment["HOME"], "shop"))
    code.commit("first", {"a": "1\n", "b": "1\n"})
    agents.om.environment |= {name: value for name, value in code.environ.items() if name.startswith("GIT_")}
    agents.work = code.folder
    return code


def conflicting(agents, shop):
    red = agents.session("--isolate", "--name", "red", "--allowed-tools", "Bash")
    agents.say(red, "!bash echo red > a; git commit -qam red")
    shop.commit("mine", {"a": "mine\n"})
    return Repository(shop.path(".overmind", "worktrees", red)), red


def test_a_live_session_gets_the_conflicts_and_what_it_makes_of_them_lands(agents, shop):
    om = agents.om
    work, red = conflicting(agents, shop)
    told = om("merge", "red").stderr
    assert "Hand 1 conflict to its agent with: overmind merge red --resolve" in told
    assert work.read("a") == "red\n", "nothing has begun"
    done = om.ok("merge", "red", "--resolve").splitlines()
    assert done[0].startswith("Began to merge main in the worktree of red: 1 file conflicts (a). red resolves them (")
    assert "<<<<<<< HEAD\nred\n=======\nmine\n>>>>>>> " in work.read("a")
    (message,) = [one for one in om.api("messages", id=red) if "is being merged into your work" in one["text"]]
    assert message["text"].startswith("In your worktree `main` is being merged into your work. Both sides stand in `a`")
    agents.answer(message["message"])
    assert shop.git("show", "main:a") == "mine"
    agents.say(red, f"!bash {RESOLVE}")
    om.ok("merge", "red")
    assert shop.read("a") == "red\nmine\n"
    assert "main already has all changes of red" in om.refused("merge", "red", "--resolve", code="nothing_to_merge")


def test_a_session_that_has_ended_is_started_again_with_its_conversation(agents, shop):
    om = agents.om
    work, red = conflicting(agents, shop)
    om.ok("stop", "red")
    om.wait_status(red, *FINAL)
    before = om.info(red)["session_id"]
    item = json.loads(om.ok("merge", "red", "--resolve", "--json", env={"SSH_AUTH_SOCK": "/new"}))
    assert (item["restarted"], item["resolving"], item["merged"]) == (True, ["a"], False)
    om.wait_status(red, "running")
    agents.answer(item["message"])
    assert om.info(red)["session_id"] == before
    assert om.api("environment", id=red)["env"]["SSH_AUTH_SOCK"] == "/new"
    assert "<<<<<<< HEAD" in work.read("a")
    again = om.json("merge", "red", "--resolve", "--json")
    assert (again["resolving"], again["restarted"]) == (["a"], False), "what was begun is handed over as it is"


def test_what_can_not_be_handed_over_says_so_and_nothing_is_changed(agents, shop, cases):
    om = agents.om
    work, red = conflicting(agents, shop)
    plain = om.finished("echo plain > b; git commit -qam plain", "--isolate", "--name", "plain", "--cwd", shop.folder)
    shop.commit("mine again", {"b": "mine\n"})
    before = work.git("rev-parse", "HEAD"), shop.git("for-each-ref")
    said = om("merge", "plain").stderr
    assert ("conflict with main" in said or "conflicts with main" in said, "--resolve" in said) == (True, False)
    with cases("no agent"):
        said = om.refused("merge", "plain", "--resolve", code="not_session")
        assert "is no session of an agent" in said
        begin = f"git -C {shop.path('.overmind', 'worktrees', plain['id'])} merge main"
        assert f"Resolve them there with: {begin}, and merge again once that is committed" in said
    with cases("no branch"):
        om.refused("merge", "red", "--resolve", "--into", "nosuch", code="invalid")
    with cases("no conflict"):
        shop.git("branch", "old", "main~2")
        said = om.refused("merge", "red", "--resolve", "--into", "old", code="invalid")
        assert "red has no conflicts with old. Merge it without --resolve" in said
        shop.git("branch", "-D", "old")
    with cases("uncommitted"):
        work.write({"new": "x\n"})
        assert "Commit with: overmind commit red" in om.refused("merge", "red", "--resolve", code="dirty")
        os.unlink(work.path("new"))
    with cases("another operation"):
        with pytest.raises(AssertionError):
            work.git("rebase", "main")
        assert "A rebase in the worktree of red has unresolved conflicts: a." in om.refused(
            "merge", "red", "--resolve", code="git_failed"
        )
        work.git("rebase", "--abort")
    with cases("busy"):
        gate = agents.gate()
        agents.post(red, gate.prompt)
        gate.runs()
        assert "red is working" in om.refused("merge", "red", "--resolve", code="busy")
        gate.open()
        eventually(lambda: om.info(red)["activity"] == "idle", what="its turn is over")
    assert om("merge", "red", "--resolve", "--squash").returncode == 2
    assert (work.git("rev-parse", "HEAD"), shop.git("for-each-ref")) == before

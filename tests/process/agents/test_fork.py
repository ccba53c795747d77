"""Forks with scripted programs: what is refused, what a copy costs, and what a crash in the middle leaves."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kit.agents import Agents
from tests.kit.killing import kill_supervisor
from tests.kit.raw_socket import RawSocket
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.rpc import RpcAgents


class OwnAgents(RpcAgents):
    """A person's own agent, which speaks the Agent Client Protocol."""

    def __init__(self, om, folder, way):
        super().__init__(om, folder, "mine", "acp_agent.py", ACP_WAY=way)
        self.provider, program = "acp:mine", om.environment.pop("OVERMIND_MINE_BIN")
        Path(om.path("config.toml")).write_text(
            f'[providers.mine]\nprogram = "{program}"\nprotocol = "acp"\n', encoding="utf-8"
        )

    def talked(self, *options):
        """A session that has answered two messages."""
        source = self.session("--name", "planner", *options, prompt="one")
        self.answer(1)
        self.say(source, "two")
        return source


@pytest.fixture
def agents(om, tmp_path):
    """The stand-in for claude."""
    return Agents(om, str(tmp_path / "claude"))


def forked(agents, source, *words, **how):
    """The id of a fork."""
    return agents.om.ok("fork", source, *words, **how).split()[2]


def test_an_agent_of_ones_own_forks_as_it_announces(om, tmp_path):
    agents = OwnAgents(om, str(tmp_path / "own"), "forks")
    source = agents.talked()
    fork = forked(agents, source)
    assert agents.say(fork, "!history") == "one | two | !history"
    assert agents.say(source, "!history") == "one | two | !history"
    assert (om.info(fork)["cost_usd"], om.info(source)["cost_usd"]) == (0.5, 1.5)
    kept = om.info(fork)["session_id"]
    om.ok("restart", fork)
    agents.doing(fork, "idle")
    assert agents.say(fork, "!history") == "one | two | !history | !history"
    assert om.info(fork)["session_id"] == kept


def test_an_agent_of_ones_own_that_announces_none_is_refused(om, tmp_path):
    agents = OwnAgents(om, str(tmp_path / "own"), "")
    source = agents.talked()
    assert om.refused("fork", source, code="invalid") == "acp:mine can't fork a conversation.\n"
    assert len(om.json("ps", "--all", "--json")) == 1


def test_a_program_that_dies_as_it_copies_makes_one_fork_with_the_history(om, tmp_path):
    """It has stored a copy of which nobody knows the name: the next run makes another one."""
    agents = OwnAgents(om, str(tmp_path / "own"), "dies-forking")
    source = agents.talked("--restart", "always", "--backoff", "1ms")
    fork = forked(agents, source, "!history")
    assert agents.answer(3)["text"] == "one | two | !history"
    info = om.info(fork)
    assert len(info["runs"]) == 2
    assert info["cost_usd"] == 0.5
    assert sorted(one["name"] for one in om.json("ps", "--all", "--json")) == ["planner", "planner-fork"]


def test_the_same_request_makes_one_fork(agents):
    source = agents.session("--name", "planner", prompt="one")
    agents.answer(1)
    first = agents.om.api("fork", id=source, request="once")
    kill_supervisor(agents.om)
    agents.say(source, "two")
    again = agents.om.api("fork", id=source, request="once")
    assert {name: again[name] for name in ("id", "name", "source", "source_name", "at")} == {
        "id": first["id"], "name": "planner-fork", "source": source, "source_name": "planner", "at": agents.number(1),
    }  # fmt: skip
    assert agents.say(first["id"], "!history") == "history: n=2 | one | !history", "as it was when it was asked for"
    assert forked(agents, source, "--at", str(agents.number(1)), "--name", "third") != first["id"]
    assert "is taken by mission" in agents.om.refused("fork", source, "--name", "third", code="name_taken")
    assert agents.om.json("fork", source, "--json")["name"] == "planner-fork-2"


def test_several_forks_at_once_have_names_of_their_own(agents):
    source = agents.session("--name", "planner", prompt="one")
    agents.answer(1)
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: agents.om.api("fork", id=source), range(4)))
    names = ["planner-fork", *(f"planner-fork-{number}" for number in (2, 3, 4))]
    assert sorted(one["name"] for one in answers) == names


def test_a_fork_waits_for_its_first_message_before_anybody_has_it_on_a_terminal(agents):
    source = agents.session("--name", "planner", prompt="one")
    agents.answer(1)
    fork = forked(agents, source)
    with RawSocket.connect(agents.om.home) as api:
        refused = api.request("attach", id=fork)
    assert "makes its copy with its first message, not on a terminal" in refused["message"]
    agents.say(fork, "hello")


def test_a_message_of_a_lost_conversation_is_refused(agents):
    source = agents.session("--name", "planner", "--restart", "always", "--backoff", "1ms", prompt="one")
    agents.answer(1)
    session = agents.om.info(source)["session_id"]
    (path,) = Path(agents.om.environment["HOME"]).glob(f".claude/projects/*/{session}.jsonl")
    path.unlink()
    agents.om.ok("restart", source)
    agents.doing(source, "idle")
    agents.say(source, "two")
    said = agents.om.refused("fork", source, "--at", str(agents.number(1)), code="invalid")
    assert "belongs to a conversation that planner has lost or left" in said
    assert "one |" in agents.say(forked(agents, source), "!history"), "its first prompt was given again"


def test_plain_programs_and_plans_are_refused(om):
    task = om.mission(["sleep", "1000"], "--name", "plain")
    said = om.refused("fork", task, code="invalid")
    assert said.startswith(f"Mission {task} (plain) is a plain program: it has no conversation")


def test_the_rules_of_the_source_hold_in_the_fork(agents):
    source = agents.session("--name", "planner", "--deny", "Bash(touch:*)", "--env", "MINE=kept", prompt="one")
    agents.answer(1)
    fork = forked(agents, source, "!bash touch made")
    assert "denies it" in agents.answer(2)["text"]
    assert not os.path.exists(os.path.join(agents.work, "made"))
    assert os.path.samefile(agents.om.info(fork)["cwd"], agents.work)


def test_a_fork_of_an_isolated_session_has_a_copy_of_its_work(agents):
    """A worktree and a branch of its own: the source's commits, and what it has changed, made, staged and deleted."""
    om = agents.om
    om.environment |= AUTHOR
    code = Repository(om.path("code"))
    code.commit("first", {"kept": "first", "gone": "first", ".gitignore": "ignored\n"})
    source = agents.session("--name", "planner", "--isolate", "--cwd", code.folder, prompt="one")
    agents.answer(1)
    isolation = om.info(source)["isolation"]
    tree = Repository(isolation["worktree"])
    tree.commit("work of the source", {"committed": "by the source"})
    tree.write({"kept": "changed", "new": "not known to git", "staged": "known", "ignored": "no work"})
    tree.git("add", "staged")
    os.unlink(tree.path("gone"))
    before = tree.git("status", "--porcelain")
    fork = forked(agents, source)
    of_fork = om.info(fork)["isolation"]
    assert (of_fork["base"], of_fork["branch"] == isolation["branch"]) == (isolation["base"], False)
    own = Repository(of_fork["worktree"])
    assert own.git("rev-parse", "HEAD") == tree.git("rev-parse", "HEAD")
    files = {name: own.read(name) for name in ("committed", "kept", "new", "staged")}
    assert files == {"committed": "by the source", "kept": "changed", "new": "not known to git", "staged": "known"}
    assert not os.path.exists(own.path("gone"))
    assert not os.path.exists(own.path("ignored"))
    assert tree.git("status", "--porcelain") == before
    own.write({"kept": "by the fork"})
    assert tree.read("kept") == "changed"
    assert agents.say(fork, "!history") == "history: n=2 | one | !history"
    assert {one["path"] for one in om.json("changes", fork, "--json")["files"]} >= {"committed", "kept", "new", "gone"}
    later = om.api("fork", id=source, name="killed")["id"]
    kill_supervisor(om)  # as it is prepared
    agents.doing(later, "idle")
    assert Repository(om.info(later)["isolation"]["worktree"]).read("new") == "not known to git"
    om.ok("stop", source)
    om.ok("discard", source, "--force")
    assert "is gone: this one begins at its base" in om("fork", source, "--name", "later").stderr
    assert own.read("kept") == "by the fork"

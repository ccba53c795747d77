"""Forks of sessions and tasks, with the real program: each has the history up to its place, and the source goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.kit.directives import HISTORY_WIDTH
from tests.kit.killing import kill_supervisor
from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.claude, pytest.mark.linux]

BASH = ("--allowed-tools", "Bash")


def history(agents, mission):
    """What the model was told by the person, as it says itself."""
    said = agents.say(mission, "!history").removesuffix(" | !history")
    return said.split(" | ")[1:]


def forked(agents, source, *words):
    """Fork it, and return the answer and the new mission's line."""
    line = agents.om.ok("fork", source, *words).strip()
    return line, line.split()[2]


def talked(agents, *texts, options=()):
    """A session that has answered these."""
    mission = agents.session("--name", "planner", *options, prompt=texts[0])
    agents.answer(1)
    for text in texts[1:]:
        agents.say(mission, text)
    return mission


@pytest.mark.proves("fork")
def test_a_fork_has_all_that_was_said_and_its_source_goes_on(agents, api):
    source = talked(agents, "one", "two", "three", options=("--label", "team=a", "--deny", "Bash(rm:*)"))
    before = agents.om.info(source)
    line, fork = forked(agents, source)
    assert line == f"Forked mission {fork} (planner-fork) from {source} (planner) at message 3"
    assert history(agents, fork) == ["one", "two", "three"]
    assert history(agents, source) == ["one", "two", "three"]
    of_fork, of_source = agents.om.info(fork), agents.om.info(source)
    assert of_fork["session_id"] != of_source["session_id"] == before["session_id"]
    assert (of_fork["type"], of_fork["cwd"], of_fork["labels"]) == ("session", of_source["cwd"], {"team": "a"})
    assert f"--- forked from {source} (planner) at message 3 ---" in agents.om.logs(fork).splitlines()[0]
    answered = agents.om.json("send", fork, "--wait", "--json", "once more")
    spent = agents.om.info(fork)["cost_usd"]
    assert 0 < answered["cost_usd"] < spent < before["cost_usd"]  # its two turns, and nothing of the source's three


@pytest.mark.proves("fork at a message")
def test_a_fork_ends_at_the_message_that_is_named(agents):
    source = talked(agents, "one", "!bash echo hi", "three", options=BASH)
    line, fork = forked(agents, source, "--at", "2", "--name", "branch", "!history")
    assert line == f"Forked mission {fork} (branch) from {source} (planner) at message 2"
    assert agents.answer(4)["text"] == "history: n=3 | one | !bash echo hi | !history"
    assert history(agents, source) == ["one", "!bash echo hi", "three"]
    # A fork of the fork, at a message of its own.
    _, second = forked(agents, fork, "--at", "4")
    assert history(agents, second) == ["one", "!bash echo hi", "!history"]


def test_a_turn_under_way_is_not_in_the_fork(agents):
    source, gate = talked(agents, "one", options=BASH), agents.gate()
    agents.post(source, gate.prompt)
    gate.runs()
    line, fork = forked(agents, source)
    assert line.endswith("at message 1")
    assert history(agents, fork) == ["one"]
    gate.open()
    assert history(agents, source) == ["one", gate.prompt[:HISTORY_WIDTH]]


@pytest.mark.parametrize("shown", ["", "Claude Code", "!slow 20"])
def test_a_fork_on_its_screen_that_is_interrupted_at_its_start_takes_the_next_message(agents, shown):
    """The program loses the key, puts its prompt back, or has begun its turn."""
    source = talked(agents, "one", options=("--interactive",))
    _, fork = forked(agents, source, "!slow 20")
    eventually(lambda: shown in agents.om("screen", fork).stdout, timeout=agents.patience, what="it has drawn that")
    agents.om.ok("interrupt", fork)
    ended = agents.answer(2)
    assert (ended["state"], ended["error"]) == ("failed", "interrupted")
    assert agents.say(fork, "still there") == "echo: still there"


def test_what_has_nothing_stored_is_refused(agents):
    gate = agents.gate()
    source = agents.session("--name", "planner", *BASH, prompt=gate.prompt)
    gate.runs()
    assert "is in its first turn: nothing is stored yet" in agents.om.refused("fork", source, code="not_finished")
    gate.open()
    agents.answer(1)
    assert "has no message 99" in agents.om.refused("fork", source, "--at", "99", code="not_found")
    empty = agents.session("--name", "empty")
    assert "has not had a turn yet" in agents.om.refused("fork", empty, code="not_finished")
    names = {one["name"] for one in agents.om.json("ps", "--all", "--json")}
    assert names == {"planner", "empty"}


def test_a_task_that_is_over_can_be_forked(agents):
    task = agents.task("the only prompt")["id"]
    _, fork = forked(agents, task)
    assert history(agents, fork) == ["the only prompt"]


@pytest.mark.parametrize("delay", ["asked", "spoken"])
def test_a_fork_that_is_killed_in_its_first_turn_has_the_history_all_the_same(agents, delay):
    """Both are killed, the supervisor and the program: there is one fork, whole, and its message is answered."""
    gate = agents.gate()
    source = talked(agents, "one", "two", options=(*BASH, "--restart", "always", "--backoff", "1ms"))
    prompt = gate.prompt if delay == "spoken" else "hello"
    _, fork = forked(agents, source, prompt)
    pid = agents.om.pid(fork)
    if delay == "spoken":
        gate.runs()
    kill_supervisor(agents.om)
    os.kill(pid, signal.SIGKILL)
    gate.open()
    agents.doing(fork, "idle")
    assert history(agents, fork)[:3] == ["one", "two", prompt[:HISTORY_WIDTH]]
    assert history(agents, source) == ["one", "two"]
    forks = [one for one in agents.om.json("ps", "--all", "--json") if one["name"].startswith("planner-fork")]
    assert [one["id"] for one in forks] == [fork]


def test_a_first_turn_on_a_screen_that_has_failed_is_not_forgotten(agents):
    source = talked(agents, "one", options=("--interactive",))
    _, fork = forked(agents, source, "!error 400")
    assert agents.answer(2)["state"] == "failed"
    before = agents.doing(fork, "idle")["session_id"]
    agents.om.ok("restart", fork)
    agents.om.wait_status(fork, "running")
    agents.doing(fork, "idle")
    assert history(agents, fork) == ["one", "!error 400"]
    assert agents.om.info(fork)["session_id"] == before


def test_a_first_turn_on_a_screen_that_was_interrupted_keeps_what_was_copied(agents, api):
    """Before the first word of the answer: what the program has written by then may be less than a conversation."""
    source = talked(agents, "one", options=("--interactive",))
    _, fork = forked(agents, source, "!sleep 60 hello")
    eventually(lambda: any("!sleep 60 hello" in str(one.body) for one in api.requests), what="the model is asked")
    agents.om.ok("interrupt", fork)
    agents.doing(fork, "idle")
    agents.om.ok("restart", fork)
    agents.om.wait_status(fork, "running")
    agents.doing(fork, "idle")
    assert history(agents, fork)[:1] == ["one"]


def test_a_fork_of_a_conversation_that_is_gone_fails_with_the_reason(agents, world):
    source = talked(agents, "one")
    session = agents.om.info(source)["session_id"]
    (path,) = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(os.path.join(world.home, ".claude", "projects"))
        for name in names
        if name == f"{session}.jsonl"
    ]
    os.unlink(path)
    _, fork = forked(agents, source, "hello")
    info = agents.om.wait_status(fork, "crashed")
    assert info["reason"] == "wrong_start"
    assert len(info["runs"]) == 1


def test_a_fork_of_an_isolated_session_works_in_a_worktree_of_its_own(agents, world):
    code = Repository(world.path("code"))
    code.commit("first", {"kept": "first"})
    source = talked(agents, "one", options=("--isolate", "--cwd", code.folder))
    tree = agents.om.info(source)["isolation"]["worktree"]
    Path(tree, "kept").write_text("changed", encoding="utf-8")
    _, fork = forked(agents, source)
    own = agents.om.info(fork)["isolation"]["worktree"]
    assert own != tree
    assert Path(own, "kept").read_text(encoding="utf-8") == "changed"
    assert history(agents, fork) == ["one"]
    assert history(agents, source) == ["one"]

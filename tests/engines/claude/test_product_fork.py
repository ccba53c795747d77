"""Forks of sessions and tasks, with the real program: each has the history up to its place, and the source goes on."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.kit.directives import HISTORY_WIDTH
from tests.kit.killing import kill_supervisor

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


def git(folder, *words):
    done = subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_fork_of_an_isolated_session_has_a_copy_of_its_work(agents, world):
    """A worktree and a branch of its own: the source's commits, and what it has changed, made, staged and deleted."""
    repository(world.work)
    source = talked(agents, "one", options=("--isolate",))
    tree = agents.om.info(source)["isolation"]["worktree"]
    write(tree, "committed", "by the source")
    git(tree, "add", "committed")
    git(tree, *AUTHOR, "commit", "-qm", "work of the source")
    write(tree, "kept", "changed")
    write(tree, "new", "not known to git")
    write(tree, "staged", "known")
    git(tree, "add", "staged")
    os.unlink(os.path.join(tree, "gone"))
    write(tree, ".gitignore", "ignored\n")
    write(tree, "ignored", "no work")
    before = git(tree, "status", "--porcelain")
    _, fork = forked(agents, source)
    of_source, of_fork = (agents.om.info(one)["isolation"] for one in (source, fork))
    own = of_fork["worktree"]
    assert own != tree
    assert of_fork["branch"] != of_source["branch"]
    assert of_fork["base"] == of_source["base"]
    assert git(own, "rev-parse", "HEAD") == git(tree, "rev-parse", "HEAD")
    files = {name: read(own, name) for name in ("committed", "kept", "new", "staged")}
    assert files == {"committed": "by the source", "kept": "changed", "new": "not known to git", "staged": "known"}
    assert not os.path.exists(os.path.join(own, "gone"))
    assert not os.path.exists(os.path.join(own, "ignored"))
    assert git(tree, "status", "--porcelain") == before
    assert history(agents, fork) == ["one"]
    write(own, "kept", "by the fork")
    assert read(tree, "kept") == "changed"
    assert history(agents, source) == ["one"]


AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b")


def repository(folder):
    git(folder, "init", "-q", "-b", "main")
    for name in ("kept", "gone"):
        write(folder, name, "first")
    git(folder, "add", ".")
    git(folder, *AUTHOR, "commit", "-qm", "first")


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()

"""Forks of codex and opencode, with the real programs: the history of each, the place it ends at, and the source."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kit.agents import LEAVE
from tests.kit.attached import Attached
from tests.kit.killing import kill_supervisor
from tests.kit.model_api import OUTPUT
from tests.kit.overmind import FINAL
from tests.kit.processes import with_variable

pytestmark = pytest.mark.linux

FORKS = pytest.mark.parametrize("provider", ["codex", "opencode"])
TEXTS = ("one", "two", "three")
SLOW = 60.0
"""Seconds that a program may take to start, and to start again."""


def history(agents, mission):
    """What the model was told by the person, as it says itself."""
    said = agents.say(mission, "!history").removesuffix(" | !history")
    return tuple(said.split(" | ")[1:])


def talked(agents, *options):
    """A session that has answered three messages."""
    source = agents.session("--name", "planner", *options, prompt=TEXTS[0])
    agents.answer(1)
    for text in TEXTS[1:]:
        agents.say(source, text)
    return source


def forked(agents, source, *words):
    """Fork it; return the line that says so, and the new mission."""
    line = agents.om.ok("fork", source, *words).strip()
    return line, line.split()[2]


@FORKS
@pytest.mark.proves("fork")
def test_a_fork_has_all_that_was_said_and_its_source_goes_on(agents):
    source = talked(agents)
    before = agents.om.info(source)
    line, fork = forked(agents, source)
    assert line == f"Forked mission {fork} (planner-fork) from {source} (planner) at message {agents.number(3)}"
    first = agents.om.json("send", fork, "--wait", "--json", "!history")
    assert first["text"] == "history: n=4 | one | two | three | !history"
    assert agents.api.requests[-1].asked.texts == [*TEXTS, "!history"]
    assert history(agents, source) == TEXTS
    own = agents.om.info(fork)
    assert own["session_id"] not in {None, before["session_id"]}
    assert first["usage"]["output"] == OUTPUT  # of one turn, not of four
    if before["cost_usd"]:
        assert own["cost_usd"] == pytest.approx(before["cost_usd"] / 3, rel=0.1)


@pytest.mark.parametrize("provider", [pytest.param("codex", marks=pytest.mark.proves("fork at a message")), "opencode"])
def test_a_fork_ends_at_a_message_where_its_program_can(agents, provider):
    source = talked(agents)
    at = str(agents.number(2))
    if provider == "opencode":
        said = agents.om.refused("fork", source, "--at", at, code="invalid")
        assert "opencode can't fork at a message: it copies the whole conversation. Omit --at." in said
        return
    _, fork = forked(agents, source, "--at", at)
    assert history(agents, fork) == TEXTS[:2]
    assert history(agents, source) == TEXTS


@FORKS
def test_a_turn_under_way_is_not_in_the_fork(agents, provider):
    os.makedirs(agents.folder, exist_ok=True)
    gate = agents.gate()
    gate = agents.gate()
    source = talked(agents, "--permission-mode", "all")
    agents.post(source, gate.prompt)
    gate.runs()
    if provider == "opencode":
        said = agents.om.refused("fork", source, code="not_finished")
        assert "is in a turn, and opencode copies a conversation only between two" in said
        gate.open()
        return
    _, fork = forked(agents, source)
    assert history(agents, fork) == TEXTS
    gate.open()
    assert len(history(agents, source)) == len(TEXTS) + 1


@FORKS
@pytest.mark.proves("fork")
def test_a_fork_that_is_killed_as_it_begins_is_whole_all_the_same(agents):
    source = talked(agents, "--restart", "always", "--max-restarts", "0", "--backoff", "1ms")
    _, fork = forked(agents, source, "!sleep 1 hello")
    kill_supervisor(agents.om)
    for pid in with_variable("OVERMIND_MISSION_ID", fork):
        os.kill(pid, signal.SIGKILL)
    assert agents.answer(4, timeout=SLOW)["text"] == "echo: hello"
    assert history(agents, fork)[:4] == (*TEXTS, "!sleep 1 hello")
    assert history(agents, source) == TEXTS
    names = [one["name"] for one in agents.om.json("ps", "--all", "--json")]
    assert sorted(names) == ["planner", "planner-fork"]


CODEX = pytest.mark.parametrize("provider", ["codex"])


@CODEX
def test_a_first_turn_on_a_screen_that_is_denied_is_not_forgotten(agents):
    source = talked(agents, "--interactive")
    _, fork = forked(agents, source, "%bash touch made")
    agents.asked(fork)
    with Attached(agents.om, fork) as person:
        person.joined()
        person.press_away("Press enter to confirm", b"\x1b")
        person.shows("interrupted")
        person.type(LEAVE)
        assert person.end() == 0
    before = agents.doing(fork, "idle")["session_id"]
    agents.om.ok("restart", fork)
    agents.om.wait_status(fork, "running")
    agents.doing(fork, "idle")
    assert history(agents, fork) == (*TEXTS, "%bash touch made")
    assert agents.om.info(fork)["session_id"] == before


@CODEX
def test_a_fork_on_a_screen_whose_source_is_gone_fails_at_once(agents):
    source = talked(agents, "--interactive", "--restart", "always", "--backoff", "1ms", "--max-restarts", "3")
    agents.forget()
    _, fork = forked(agents, source, "hello")
    info = agents.om.wait_status(fork, *FINAL, timeout=SLOW)
    assert (info["status"], info["reason"], len(info["runs"])) == ("crashed", "wrong_start", 1)


@FORKS
def test_a_task_that_is_over_can_be_forked(agents):
    task = agents.start("the only prompt")
    agents.om.wait_status(task, *FINAL, timeout=SLOW)
    _, fork = forked(agents, task)
    assert history(agents, fork) == ("the only prompt",)


@pytest.mark.parametrize("provider", ["gemini", "qwen", "copilot"])
def test_other_programs_refuse_before_anything_exists(agents, provider):
    source = agents.session("--name", "planner")
    said = agents.om.refused("fork", source, code="invalid")
    assert said.strip() == f"{provider} can't fork a conversation."
    assert [one["name"] for one in agents.om.json("ps", "--all", "--json")] == ["planner"]

"""An agent that runs agents, from the first word to the last process: the stand-in does as it is told."""

from __future__ import annotations

import json

import pytest

from tests.kit import processes
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]

ORCHESTRATOR = ("--orchestrator", "--name", "boss")


def told(agents, mission, command):
    """Let an agent run a command in its shell, and return what it says that this printed."""
    answer = agents.say(mission, f"!bash {command}", "--timeout", "60s")
    return answer.removeprefix("tool said: ").strip()


def decisions(agents, mission):
    """Who has answered the agent's questions."""
    return [event["by"] for event in agents.events(mission, "answered")]


def test_it_starts_agents_waits_reads_their_results_talks_to_them_and_ends_them(agents):
    om = agents.om
    boss = agents.session(*ORCHESTRATOR)
    worker = json.loads(told(agents, boss, "overmind claude run --json --name worker 'sum it up'"))["id"]
    waited = told(agents, boss, "overmind wait worker --timeout 30s")
    assert waited == f"Mission {worker} finished: stopped (exit code 0): succeeded"
    assert json.loads(told(agents, boss, "overmind result worker --json"))["result"] == "echo: sum it up"
    assert "sum it up" in told(agents, boss, "overmind logs worker")

    told(agents, boss, "overmind claude run --type session --name helper 'read the code'")
    assert told(agents, boss, "overmind send helper --wait 'and now?'") == "echo: and now?"
    assert [row["name"] for row in om.ps("--children", boss)] == ["worker", "helper"]
    assert [one["sender"] for one in agents.messages("helper")] == [None, boss]
    assert told(agents, boss, "overmind stop helper") == f"Stopped mission {om.info('helper')['id']}"
    assert set(decisions(agents, boss)) == {"rule orchestrator"}
    assert om.json("inbox", "--json") == []


def test_a_prompt_of_many_lines_needs_no_persons_consent_either(agents):
    boss = agents.session(*ORCHESTRATOR)
    script = "overmind claude run --wait --name worker - <<'EOF'\nGoal: `this`,\n\tand \"that\".\nEOF"
    assert "Goal: `this`," in told(agents, boss, script)
    assert decisions(agents, boss) == ["rule orchestrator"]


@pytest.mark.own_home
def test_a_family_of_agents_leaves_nothing_behind(agents):
    om = agents.om
    boss = agents.session(*ORCHESTRATOR)
    middle = told(agents, boss, "overmind run --orchestrator --type session --name middle 'wait for me'")
    assert middle.startswith("Started mission ")
    told(agents, "middle", "overmind claude run --type session --name leaf 'wait for me'")
    agents.post(om.info("leaf")["id"], "!sleep 600")
    agents.doing(om.info("leaf")["id"], "working")
    line = [om.info(name)["id"] for name in ("boss", "middle", "leaf")]
    assert [om.info(one)["parent"] for one in line] == [None, *line[:2]]
    assert om.ok("kill", "boss", "--cascade") == f"Killed mission {boss} and all children\n"
    assert {row["status"] for row in om.ps("--all")} == {"killed"}
    daemons = {om.supervisor_pid(), om.keeper_pid()}
    eventually(lambda: {int(one.split()[0]) for one in processes.of_home(om.home)} == daemons, what="nothing is left")


def test_what_could_do_more_than_the_orchestrator_itself_waits_for_a_person(agents):
    boss = agents.session(*ORCHESTRATOR)
    for command in ("overmind run 'touch made'", "overmind claude run --allow Bash 'touch made'", "touch made"):
        agents.post(boss, f"!bash {command}")
        (question,) = agents.asked(boss)
        assert question["subject"]["command"] == command
        agents.om.ok("answer", str(question["question"]), "deny")
        agents.doing(boss, "idle")
    assert agents.om.ps("--children", boss) == []


def test_an_agent_that_is_no_orchestrator_asks_before_it_starts_another(agents):
    plain = agents.session()
    agents.post(plain, "!bash overmind claude run 'hello'")
    (question,) = agents.asked(plain)
    assert question["need"] == "permission"


def test_what_an_orchestrator_is_denied_its_agents_are_denied(agents):
    om = agents.om
    boss = agents.session(*ORCHESTRATOR, "--deny", "Bash(touch:*)")
    told(agents, boss, "overmind claude run --type session --name worker 'wait for me'")
    answer = agents.say("worker", "!bash touch made")
    assert "error" in answer
    assert decisions(agents, om.info("worker")["id"]) == ["rule Bash(touch:*)"]
    said = told(agents, boss, "overmind run --provider codex --permission-mode read-only 'touch made'")
    why = "--deny is not possible with --permission-mode read-only of codex, which does not ask before each command"
    assert f"could not be kept by the agent that it would start: {why}" in said


def test_a_limit_is_told_to_the_agent_in_a_sentence(agents):
    boss = agents.session(*ORCHESTRATOR, "--max-children", "1")
    told(agents, boss, "overmind claude run --type session --name one 'wait for me'")
    said = told(agents, boss, "overmind claude run 'more'")
    assert "Error: forbidden: Mission" in said
    assert "--max-children of mission" in said


def test_it_is_told_how(agents):
    """The instructions reach the program as an addition to its own."""
    boss = agents.session(*ORCHESTRATOR, "--no-memory", "--append-system-prompt", "Speak Latin.")
    with open(f"/proc/{agents.om.pid(boss)}/cmdline", encoding="utf-8") as file:
        words = file.read().split("\0")
    given = words[words.index("--append-system-prompt") + 1]
    assert given == agents.om.ok("skill") + "\nSpeak Latin."

"""What an agent did is found, and what it mended is proposed: on the command line, also when the daemon was killed."""

from __future__ import annotations

import json
import os
import re

import pytest

from tests.kit import claude
from tests.kit.agents import Json
from tests.kit.killing import kill_supervisor
from tests.kit.rpc import CodexAgents
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


class Work:
    """A folder in which agents work, and what is known of it."""

    def __init__(self, agents, folder):
        folder.mkdir()
        self.agents = agents
        self.folder = str(folder)
        agents.work = self.folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def answer(self, *words):
        """The JSON that a command of somebody in the folder prints."""
        return json.loads(self.agents.om.ok(*words, "--json", cwd=self.folder))

    def proposals(self, number=0):
        """The folder's proposals, once there are so many."""

        def found():
            proposals = {one["text"]: one for one in self.answer("notes", "--proposed", "--scope", "repo")}
            return proposals if len(proposals) >= number else None

        return eventually(found) if number else found() or {}

    def check(self, name):
        """A check that fails, and the command that runs it."""
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(f"echo 'boom: {name} is broken'\nexit 4\n")
        return f"!bash sh {self.path(name)}"

    def mend(self, name):
        """What has an agent mend a check."""
        return f"!tool Write {json.dumps({'file_path': self.path(name), 'content': 'exit 0'})}"

    def lesson(self, name):
        """What is proposed of that."""
        said = f"`sh {self.path(name)}` failed with exit code 4: boom: {name} is broken"
        return f"{said}\nIt succeeded after changes of:\n  {name}"

    def until_found(self, words):
        """Wait until a run has these words."""
        eventually(lambda: self.answer("search", "--episodes", words))


@pytest.fixture
def work(agents, tmp_path, request):
    return Work(agents, tmp_path / request.node.name)  # tests that share a home may get one folder after the other


@pytest.mark.own_home
def test_a_session_that_mends_a_check_is_found_and_proposes_it_once(agents, work):
    mission = agents.session("--allowed-tools", "Bash,Write")
    check = work.check("check.sh")
    agents.say(mission, check)
    agents.say(mission, work.mend("check.sh"))
    kill_supervisor(agents.om)
    agents.say(mission, check)
    (note,) = work.proposals(1).values()
    assert (note["kind"], note["from"], note["files"]) == ("lesson", "overmind", ["check.sh"])
    assert note["text"] == work.lesson("check.sh")
    (found,) = work.answer("search", "--episodes", "check.sh")
    assert [one["exit_code"] for one in found["commands"]] == [4, None]
    assert found["files"] == [work.path("check.sh")]
    assert len(work.proposals()) == 1


def test_what_was_no_mending_is_not_proposed_nor_a_third_lesson_nor_the_same_again(agents, work):
    first = agents.session("--allowed-tools", "Write,Bash(sh:*)")
    chance, asked, *checks = (work.check(f"{name}.sh") for name in ("chance", "asked", "a", "b", "c"))
    agents.say(first, chance)
    with open(work.path("chance.sh"), "w", encoding="utf-8") as file:  # not the agent
        file.write("exit 0\n")
    agents.say(first, chance)
    call = f"!ask Bash {json.dumps({'command': asked.removeprefix('!bash ')})}"
    for behaviour in ("deny", "allow"):
        answer = agents.post(first, call)
        agents.asked(first)
        agents.om.ok("answer", first, behaviour)
        agents.answer(answer)
        agents.say(first, work.mend("asked.sh"))
    agents.say(first, "!bash sh -c 'echo so far'")
    work.until_found("so far")
    assert work.proposals() == {}
    for number, name in enumerate(("a.sh", "b.sh", "c.sh")):
        for said in (checks[number], work.mend(name), checks[number]):
            agents.say(first, said)
    assert set(work.proposals(2)) == {work.lesson("a.sh"), work.lesson("b.sh")}
    agents.om.ok("stop", first)
    second = agents.session("--allowed-tools", "Write,Bash")
    for said in (work.check("a.sh"), work.mend("a.sh"), "!bash sh a.sh", checks[0], "!bash echo told"):
        agents.say(second, said)
    work.until_found("echo told")
    assert set(work.proposals()) == {work.lesson("a.sh"), work.lesson("b.sh")}


def test_lessons_of_a_message_are_proposed_and_given_once_a_person_has_accepted_them(agents, work):
    lessons = [
        f"The {word} needs {other} before its tests"
        for word, other in (("limiter", "redis"), ("shop", "docker"), ("mailer", "postfix"), ("crawler", "chromium"))
    ]
    items = "\n".join(f"- {one}" for one in lessons)
    agents.task(f"done\n\nLessons:\n{items}")
    found = work.proposals(2)
    assert set(found) == set(lessons[:2])
    note = found[lessons[0]]["id"]
    prompt = "Why does the limiter want redis in its tests?"
    assert note not in agents.om.ok("memory", "used", agents.task(prompt)["id"])
    assert note in agents.om.ok("search", "limiter redis", cwd=work.folder)
    assert agents.om.ok("note", "accept", note, cwd=work.folder) == f"Accepted {note}\n"
    assert note in agents.om.ok("memory", "used", agents.task(prompt)["id"])


MAKE: Json = {"type": "commandExecution", "command": "/bin/bash -lc 'make codex'", "status": "inProgress"}
UNTOLD: Json = MAKE | {"command": "make untold"}
EDIT: Json = {
    "type": "fileChange",
    "changes": [{"path": "api.py", "kind": {"type": "add"}, "diff": "x"}],
    "status": "inProgress",
}
ITEMS: tuple[tuple[Json, Json], ...] = (
    (MAKE, {"status": "failed", "exitCode": 2, "aggregatedOutput": "boom"}),
    (UNTOLD, {"status": "failed", "aggregatedOutput": ""}),
    (EDIT, {"status": "completed"}),
    (MAKE, {"status": "completed", "exitCode": 0}),
)
"""What codex does, and what it tells of the end of that."""


def codex(agents, work):
    programs = CodexAgents(agents.om, os.path.join(agents.folder, "codex"))
    prompt = f"!items {json.dumps(ITEMS)}"
    started = agents.om.json(
        "run", "--json", "--provider", "codex", prompt, cwd=work.folder, env=programs.om.environment
    )
    agents.om.wait_status(started["id"], "stopped")
    return started["id"], [("make codex", 2), ("make untold", None), ("make codex", 0)], ["api.py"]


def conversation(agents, work, *options, sign):
    mission = agents.session("--allowed-tools", "Bash,Write", *options)
    if options:
        agents.doing(mission, "idle")
    check = work.check("check.sh")
    for said in (check, work.mend("check.sh"), check):
        agents.say(mission, said.replace("!", sign, 1))
    command = check.removeprefix("!bash ")
    return mission, [(command, 4), (command, None)], [work.path("check.sh")]


def stream(agents, work):
    return conversation(agents, work, sign="!")


def hooks(agents, work):
    claude.settle(agents.om, work.folder)
    return conversation(agents, work, "--interactive", "--permission-mode", "manual", sign="%")


@pytest.mark.parametrize("program", [stream, hooks, codex])
def test_files_and_exit_codes_are_told_as_far_as_the_program_tells_them(agents, work, program):
    mission, commands, files = program(agents, work)

    def found():
        runs = work.answer("search", "--episodes", re.split("/| ", commands[0][0])[-1])
        return runs and len(runs[0]["commands"]) == len(commands) and runs[0]

    run = eventually(found)
    assert (run["mission"], run["run"]) == (mission, 1)
    assert [(one["command"], one["exit_code"]) for one in run["commands"]] == commands
    assert run["files"] == files
    assert len(work.proposals(1)) == 1

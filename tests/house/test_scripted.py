"""The scripted agent: one script drives a plain command and the stand-in for `claude`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.kit import claude, processes, scripted
from tests.kit.agent_world import AgentWorld
from tests.kit.repositories import Repository


class Plain:
    """The scripted agent as a command, in a folder of its own."""

    def __init__(self, folder: str, marker: str) -> None:
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], processes.MARKER: marker, "HOME": folder}

    def start(self, steps: Any, **variables: str) -> subprocess.Popen[str]:
        script = scripted.write(self.folder, steps)
        return subprocess.Popen(
            scripted.command(script), cwd=self.folder, env={**self.environment, **variables}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, steps: Any, **variables: str) -> tuple[int, str]:
        with self.start(steps, **variables) as agent:
            printed, errors = agent.communicate("first\nsecond\n", timeout=60)
        return agent.returncode, printed + errors

    def path(self, *names: str) -> str:
        return os.path.join(self.folder, *names)


@pytest.fixture
def plain(marker: str, tmp_path) -> Plain:
    return Plain(str(tmp_path), marker)


@pytest.fixture
def world(marker: str, tmp_path) -> Iterator[AgentWorld]:
    program = claude.install(str(tmp_path / "bin"))
    with tempfile.TemporaryDirectory(prefix="om-claude-", dir="/tmp") as folder:
        yield AgentWorld(folder, program, "http://127.0.0.1:9", marker)


def behind(world: AgentWorld, steps: Any, **variables: str) -> Mapping[str, str]:
    return {"STAND_IN_SCRIPT": scripted.write(world.home, steps), **variables}


SAID = [
    ([{"say": "hello"}], "hello\n"),
    ([{"write": "a.txt", "text": "x"}, {"read": "a.txt"}], "a.txt\nx\n"),
    ([{"read": "gone"}], "error: gone: No such file or directory\n"),
    ([{"call": "echo out; echo err >&2; exit 3"}], "error: out\nerr\nexit 3\n"),
    ([{"call": ["printf", "%s", "a b"]}], "a b\nexit 0\n"),
    ([{"tool": "Bash", "command": "pytest -q", "error": "1 failed"}], "Bash: pytest -q\nerror: 1 failed\n"),
    ([{"ask": "Bash", "command": "rm x"}], "may I use Bash?\ndone\n"),
    ([{"cost": 0.4}], "cost $0.4\n"),
    ([{"say": "a"}, {"listen": True}, {"say": "b"}, {"listen": True}], "a\nheard: first\nb\n"),
    ([{"spin": 0.01}, {"sleep": 0.01}, {"say": "late"}], "late\n"),
]


@pytest.mark.parametrize(("steps", "said"), SAID)
def test_a_command_prints_what_it_does(plain, steps, said):
    code, printed = plain.run(steps)
    assert (code, printed[-len(said) :]) == (0, said)


ENDS = [
    ([{"exit": 7}, {"say": "never"}], 7),
    ([{"limit": 30}, {"say": "never"}], 1),
    ([{"api_error": 529}, {"say": "never"}], 1),
    ([{"signal": "KILL"}, {"say": "never"}], -signal.SIGKILL),
    ([{"ignore": "TERM"}, {"signal": "TERM"}, {"exit": 5}], 5),
]


@pytest.mark.parametrize(("steps", "code"), ENDS)
def test_a_command_ends_as_it_is_told(plain, steps, code):
    ended, printed = plain.run(steps)
    assert ended == code
    assert "never" not in printed


UNPLAYABLE = [
    ([{"output": "a.json", "data": 1}], "OVERMIND_OUTPUT_DIR is not set"),
    ([{"ignore": "NOBODY"}], "NOBODY is no signal"),
    ([{"call": ["/no/such/program"]}], "No such file"),
    ({"tasks.TSK-001": []}, "script.json has no section for "),
    ([{"sya": "x"}], "step 1"),
]


@pytest.mark.parametrize(("steps", "why"), UNPLAYABLE)
def test_a_script_that_cannot_be_played_says_why(plain, steps, why):
    code, printed = plain.run(steps)
    assert code == 2
    assert why in printed


def test_each_attempt_at_a_task_plays_its_own_part(plain):
    script = {"tasks.TSK-002.2": [{"say": "again"}], "tasks.TSK-002": [{"say": "once"}], "*": [{"say": "somebody"}]}
    who = {"OVERMIND_TASK": "TSK-002"}
    assert plain.run(script, **who, OVERMIND_ATTEMPT="1")[1] == "once\n"
    assert plain.run(script, **who, OVERMIND_ATTEMPT="2")[1] == "again\n"
    assert plain.run(script)[1] == "somebody\n"


def test_a_document_is_handed_in_whole_or_cut_in_half(plain):
    document = {"feature_name": "carts", "requirements": []}
    steps = [{"output": "whole.json", "data": document}, {"output": "half.json", "data": document, "cut": True}]
    assert plain.run(steps, OVERMIND_OUTPUT_DIR=plain.path("out"))[0] == 0
    with open(plain.path("out", "whole.json")) as whole, open(plain.path("out", "half.json")) as half:
        text, cut = whole.read(), half.read()
    assert json.loads(text) == document
    assert text.startswith(cut)
    assert len(cut) == len(text) // 2


def test_what_an_attempt_gets_is_read_before_what_lies_in_its_folder(plain):
    os.mkdir(plain.path("in"))
    for name, text in (("in/feedback.md", "from the queue"), ("feedback.md", "mine"), ("own.md", "own")):
        with open(plain.path(name), "w") as file:
            file.write(text)
    printed = plain.run([{"read": "feedback.md"}, {"read": "own.md"}], OVERMIND_IN=plain.path("in"))[1]
    assert printed.splitlines()[1::2] == ["from the queue", "own"]


def test_files_order_what_two_agents_do(plain):
    first = plain.start([{"say": "waits"}, {"until": "$GATE"}, {"say": "goes on"}], GATE=plain.path("gate"))
    with first:
        assert first.stdout.readline() == "waits\n"
        assert plain.run([{"touch": "gate"}])[0] == 0
        assert first.communicate(timeout=60)[0] == "goes on\n"


def test_a_step_of_which_the_mark_is_there_is_left_out(plain):
    steps = [{"say": "first time", "once": "mark"}, {"say": "each time"}]
    assert plain.run(steps)[1] == "first time\neach time\n"
    assert plain.run(steps)[1] == "each time\n"


def test_a_commit_holds_all_that_has_changed(plain):
    made = Repository(plain.path("repository"))
    plain.folder = made.folder
    assert plain.run([{"write": "a/b.txt", "text": "x"}, {"commit": "it's done"}])[0] == 0
    assert made.git("log", "-1", "--format=%s") == "it's done"
    assert "a/b.txt" in made.git("ls-files")


@pytest.mark.parametrize("session", [False, True])
def test_a_child_lives_on(plain, session):
    code, printed = plain.run([{"child": ["sleep", "60"], "session": session}])
    pid = int(printed.split()[-1])
    assert (code, processes.alive(pid)) == (0, True)
    assert (os.getsid(pid) == pid) is session
    os.kill(pid, signal.SIGKILL)


def uses(lines: Any) -> list[tuple[str, dict[str, Any]]]:
    blocks = [block for line in lines.of_type("assistant") for block in line["message"]["content"]]
    return [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]


def results(lines: Any) -> list[tuple[str, bool]]:
    blocks = [block for line in lines.of_type("user") for block in line["message"]["content"]]
    return [(block["content"], block["is_error"]) for block in blocks if block["type"] == "tool_result"]


def test_its_steps_are_uses_of_tools(world):
    steps = [
        {"write": "a.txt", "text": "x"},
        {"read": "a.txt"},
        {"call": "echo hi"},
        {"tool": "Edit", "file": "b.py", "error": "not found"},
        {"output": "design.json", "data": {}},
        {"say": "done"},
    ]
    code, lines = world.once("begin", env=behind(world, steps, OVERMIND_OUTPUT_DIR=world.path("out")))
    assert (code, lines.lines[-1]["result"]) == (0, "done")
    assert [name for name, _ in uses(lines)] == ["Write", "Read", "Bash", "Edit", "Write"]
    assert [subject.get("file_path") for _, subject in uses(lines)] == [
        world.path("a.txt"), world.path("a.txt"), None, world.path("b.py"), world.path("out", "design.json"),
    ]  # fmt: skip
    assert results(lines) == [
        ("1 bytes", False), ("x", False), ("hi\nexit 0", False), ("not found", True), ("3 bytes", False),
    ]  # fmt: skip


def test_it_costs_what_its_script_says(world):
    _, lines = world.once("begin", env=behind(world, [{"say": "a"}, {"cost": 0.4}, {"say": "b"}, {"cost": 0.05}]))
    result = lines.result()
    assert result["total_cost_usd"] == pytest.approx(0.45)
    assert sum(model["costUSD"] for model in result["model_usage_since_last_result"].values()) == pytest.approx(0.45)


def test_it_stops_at_what_it_may_cost(world):
    steps = [{"cost": 0.4}, {"cost": 0.7}, {"touch": "never"}]
    code, lines = world.once("begin", "--max-budget-usd", "1", env=behind(world, steps))
    assert (code, lines.result()["subtype"]) == (1, "error_max_budget_usd")
    assert not os.path.exists(world.path("never"))


def test_it_stops_after_so_many_uses_of_tools(world):
    steps = [{"tool": "Edit", "times": 2}, {"touch": "never"}]
    code, lines = world.once("begin", "--max-turns", "2", env=behind(world, steps))
    assert (code, lines.result()["subtype"]) == (1, "error_max_turns")


def test_a_limit_resets_when_its_script_says(world):
    code, lines = world.once("begin", env=behind(world, [{"limit": 90}]))
    info = lines.of_type("rate_limit_event")[0]["rate_limit_info"]
    assert (code, info["status"]) == (1, "rejected")
    assert "You've hit your 5-hour limit" in lines.result()["result"]


@pytest.mark.parametrize(("steps", "code"), [row for row in ENDS if "signal" in str(row) or "exit" in str(row)])
def test_it_ends_as_a_command_does(world, steps, code):
    ended, lines = world.once("begin", env=behind(world, steps))
    assert (ended, lines.of_type("result")) == (code, [])


def test_it_asks_and_hears_the_answer(world):
    steps = [{"ask": "Bash", "command": "rm -r x", "result": "removed"}, {"ask": "Write", "file": "b"}]
    with world.lines(env=behind(world, steps)) as lines:
        lines.say("begin")
        asked = lines.question()["request"]
        assert (asked["tool_name"], asked["input"]) == ("Bash", {"command": "rm -r x"})
        lines.answer(lines.question(), behavior="allow", updatedInput=asked["input"])
        lines.answer(lines.question(2), behavior="deny", message="not that")
        lines.result()
        assert results(lines) == [("removed", False), ("not that", True)]


def test_its_turn_ends_where_it_listens(world):
    steps = [{"say": "a"}, {"listen": True}, {"say": "b"}]
    with world.lines(env=behind(world, steps)) as lines:
        lines.say("begin")
        assert lines.result()["result"] == "a"
        lines.say("look at the cents")
        assert lines.result(2)["result"] == "b"
        lines.say("and now?")
        assert lines.result(3)["result"] == "echo: and now?"
        said = [line["message"]["content"][0].get("text") for line in lines.of_type("assistant")]
        assert said[1] == "heard: look at the cents"


@pytest.mark.parametrize("step", [{"until": "never"}, {"call": "sleep 60"}, {"sleep": 60}, {"spin": 60}])
def test_an_interrupt_ends_its_turn_and_the_next_message_goes_on(world, step):
    with world.lines(env=behind(world, [{"say": "began"}, step, {"say": "went on"}])) as lines:
        lines.say("begin")
        lines.until_type("assistant", count=2 if "call" in step else 1)
        lines.control("c1", "interrupt")
        assert lines.result()["terminal_reason"] == ("aborted_tools" if "call" in step else "aborted_streaming")
        lines.say("go on")
        assert lines.result(2)["result"] == "went on"


def test_on_a_terminal_it_shows_the_same(world):
    with world.screen("begin", env=behind(world, [{"tool": "Edit", "file": "a"}, {"say": "all done"}])) as screen:
        screen.until("all done")


def test_who_is_not_in_the_script_answers_as_ever(world):
    _, lines = world.once("hello", env=behind(world, {"tasks.TSK-001": [{"say": "x"}]}))
    assert lines.lines[-1]["result"] == "echo: hello"


def test_a_script_that_is_none_is_told_at_once(world):
    with world.lines(env=behind(world, [{"sya": "x"}])) as lines:
        assert lines.end() == 1
        assert "step 1" in lines.stderr()

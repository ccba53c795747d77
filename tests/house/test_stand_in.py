"""What only the stand-in for `claude` does: what no decent program would, and questions on demand."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kit import claude
from tests.kit.agent_world import AgentWorld
from tests.kit.cases import tabled
from tests.kit.standin.keyboard import Key, Keyboard
from tests.kit.standin.options import Refused, parse
from tests.kit.standin.permissions import Permissions
from tests.kit.standin.script import GARBAGE
from tests.kit.waiting import eventually


@pytest.fixture
def world(marker: str, tmp_path) -> Iterator[AgentWorld]:
    program = claude.install(str(tmp_path / "bin"))
    with tempfile.TemporaryDirectory(prefix="om-claude-", dir="/tmp") as folder:
        yield AgentWorld(folder, program, "http://127.0.0.1:9", marker)


def test_it_tells_the_version_of_the_real_one(world):
    with world.lines("--version", mode=()) as lines:
        assert lines.end() == 0
    assert lines.lines == [{"plain": b"2.1.332 (Claude Code)"}]


def test_a_crash_leaves_half_a_line(world):
    code, lines = world.once("!crash")
    assert code == -signal.SIGKILL
    assert lines.kinds() == ["system/init"]
    assert lines._pending.startswith(b'{"type":"assistant"')


def test_after_a_crash_the_conversation_goes_on(world):
    session = "11111111-2222-4333-8444-555555555555"
    world.once("!crash", "--session-id", session)
    _, lines = world.once("!history", "--resume", session)
    assert lines.lines[-1]["result"] == "history: n=2 | !crash | !history"


def test_garbage_stands_between_the_lines_and_does_not_end_the_turn(world):
    code, lines = world.once("!garbage")
    assert (code, lines.lines[-1]["result"]) == (0, "echo: !garbage")
    assert len([line for line in lines.lines if "plain" in line]) == len(GARBAGE) - 1
    assert {"type": "of_the_future", "subtype": {"nested": True}} in lines.lines


def test_a_huge_answer_is_one_line(world):
    _, lines = world.once("!huge 10000000")
    assert lines.lines[-1]["result"] == "x" * 10_000_000


@pytest.mark.parametrize("code", [0, 7])
def test_it_can_end_without_a_result(world, code):
    ended, lines = world.once(f"!exit {code}")
    assert (ended, lines.of_type("result")) == (code, [])


ASKED = [
    ('!ask Bash {"command":"echo hi"}', "Bash", {"command": "echo hi"}),
    ('!ask Read {"file_path":"a"}', "Read", {"file_path": "a"}),
    ("!plan 1. Look", "ExitPlanMode", {"plan": "1. Look"}),
]


@pytest.mark.parametrize(("prompt", "tool", "arguments"), ASKED)
def test_it_asks_on_demand(world, prompt, tool, arguments):
    with world.lines("--allowedTools", "Bash") as lines:
        lines.say(prompt)
        request = lines.question()["request"]
        assert (request["tool_name"], request["input"]) == (tool, arguments)
        lines.answer(lines.question(), behavior="deny", message="no")
        assert lines.result()["result"] == "tool said: error: no"


def test_a_question_on_demand_takes_an_answer(world):
    with world.lines() as lines:
        lines.say("!question")
        asked = lines.question()["request"]["input"]
        lines.answer(lines.question(), behavior="allow", updatedInput={**asked, "answers": {"Which color?": "Red"}})
        assert '"Which color?"="Red"' in lines.result()["result"]


def test_a_reader_that_goes_away_does_not_keep_it_from_working(world):
    with world.lines("--allowedTools", "Bash") as lines:
        lines.say("!bash sleep 0.3; touch made")
        lines.until_type("system", "init")
        lines._process.stdout.close()
        lines._process.stdout = None
        lines.close()
        assert lines._process.wait(20) == 0
    assert os.path.exists(world.path("made"))


# the command line


def test_variadic_flags_swallow_what_follows_up_to_the_next_flag():
    options = parse(["-p", "--allowedTools", "Bash(git *)", "Edit", "--model", "sonnet", "--", "-x"])
    assert options.allowed == ("Bash(git *)", "Edit")
    assert (options.print, options.model, options.prompt) == (True, "sonnet", "-x")


@pytest.mark.parametrize("words", [["--nope"], ["--model"]])
def test_a_command_line_that_the_real_one_refuses_is_refused(words):
    with pytest.raises(Refused):
        parse(words)


# rules

VERDICTS = [
    ("default", [], [], "Bash", {"command": "echo hi"}, "allow"),
    ("default", [], [], "Bash", {"command": "echo hi; rm x"}, "ask"),
    ("default", [], [], "Bash", {"command": "touch x"}, "ask"),
    ("default", ["Bash(touch:*)"], [], "Bash", {"command": "touch x"}, "allow"),
    ("default", ["Bash(touch x)"], [], "Bash", {"command": "touch xy"}, "ask"),
    ("default", ["Bash"], ["Bash(rm:*)"], "Bash", {"command": "rm x"}, "deny"),
    ("acceptEdits", [], [], "Write", {"file_path": "x"}, "allow"),
    ("dontAsk", [], [], "Write", {"file_path": "x"}, "deny"),
    ("bypassPermissions", [], [], "Write", {"file_path": "x"}, "allow"),
    ("bypassPermissions", [], [], "ExitPlanMode", {}, "ask"),
]


@tabled(("mode", "allow", "deny", "tool", "arguments", "verdict"), VERDICTS)
def test_rules_decide(mode, allow, deny, tool, arguments, verdict):
    assert Permissions(mode, allow, deny).verdict(tool, arguments) == verdict


# keys


def keys_of(data: bytes, *cuts: int) -> list[Key]:
    keyboard, keys = Keyboard(), []
    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        keys += keyboard.feed(data[start:end])
    return keys + keyboard.flush()


KEYS = [
    (b"ab\r", [Key("text", "ab"), Key("enter")]),
    (b"\x1b", [Key("escape")]),
    (b"\x1b[A\x1bOB", [Key("up"), Key("other")]),
    (b"\x1b[200~a\r\nb\tc\x01\x1b[201~\r", [Key("paste", "a\nb    c"), Key("enter")]),
    (b"\x1b\r", [Key("newline")]),
    (b"\x1b[?1;2c\x1b[I", [Key("other"), Key("other")]),
    ("é😀".encode(), [Key("text", "é😀")]),
]


@tabled(("data", "keys"), KEYS)
def test_bytes_are_keys(data, keys):
    assert keys_of(data) == keys


@given(st.sampled_from([data for data, _ in KEYS if len(data) > 1]), st.data())
def test_cut_anywhere_they_are_the_same_keys(data, choice):
    cut = choice.draw(st.integers(1, len(data) - 1))
    joined = [key for key in keys_of(data) if key.name != "text"]
    assert [key for key in keys_of(data, cut) if key.name != "text"] == joined
    assert _typed(keys_of(data, cut)) == _typed(keys_of(data))


def _typed(keys: list[Key]) -> str:
    return "".join(key.text for key in keys if key.name == "text")


def test_hooks_of_all_settings_run(world, tmp_path):
    command = f"touch {tmp_path}/project"
    os.makedirs(world.path(".claude"))
    with open(world.path(".claude", "settings.json"), "w") as file:
        json.dump({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": command}]}]}}, file)
    world.once("hello")
    assert os.path.exists(tmp_path / "project")


@pytest.mark.parametrize("words", [("--allowedTools", "Bash"), ()], ids=["allowed", "asked about"])
def test_a_tool_does_not_begin_after_an_interrupt(world, tmp_path, words):
    began, gate = tmp_path / "began", tmp_path / "gate"
    command = f"touch {began}; while [ ! -e {gate} ]; do sleep 0.02; done"
    world.set_settings({"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": command}]}]}})
    with world.lines(*words) as lines:
        lines.say("!bash touch ran")
        eventually(began.exists, what="the tool is about to begin")
        lines.control("c1", "interrupt")
        lines.control("c2", "mcp_status")
        lines.until_type("control_response", count=2)  # lines are taken one after the other
        gate.touch()
        assert lines.result()["terminal_reason"] == "aborted_tools"
        assert lines.of_type("control_request") == []
    assert not os.path.exists(world.path("ran"))

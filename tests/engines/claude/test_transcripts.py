"""What was captured from the real program is what comes, key by key: types, subtypes, their order, what they tell."""

from __future__ import annotations

import json
import os
from functools import partial
from typing import Any

import pytest

from tests.kit.agent_lines import AgentLines, Line, kind
from tests.kit.agent_world import ASKING, SESSION
from tests.kit.overmind import REPOSITORY

FOLDER = os.path.join(REPOSITORY, "tests", "data", "transcripts", "claude")
OAUTH: dict[str, str | None] = {"ANTHROPIC_API_KEY": None, "CLAUDE_CODE_OAUTH_TOKEN": "dummy"}
DETAILS = {
    "arguments", "content", "input", "modelUsage", "model_usage_since_last_result", "tool_input", "tool_use_result",
    "models", "permission_suggestions", "plugins", "usage", "unifiedWindows",
}  # fmt: skip
"""Fields whose own keys depend on what was said, or on how far the program's numbers go."""


def captured(name: str) -> list[Any]:
    with open(os.path.join(FOLDER, f"{name}.ndjson"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def shape(line: Any) -> Any:
    """Return the names of all fields, without their values."""
    if isinstance(line, dict):
        return {name: None if name in DETAILS else shape(value) for name, value in line.items()}
    if isinstance(line, list):
        return [shape(value) for value in line if isinstance(value, dict)][:1]
    return None


def shapes(lines: list[Line]) -> list[tuple[str, Any]]:
    return [(kind(line), shape(line)) for line in lines]


ONE_SHOT: dict[str, tuple[str, list[str], dict[str, str | None]]] = {
    "text": ("hello world", [], {}),
    "tool": ("!bash echo hi", [], {}),
    "permission_denied": ("!bash touch made.txt", [], {}),
    "thinking": ("!think deep", [], {}),
    "failed_tool": ("!bash exit 3", ["--allowedTools", "Bash"], {}),
    "max_turns": ("!bash echo hi", ["--allowedTools", "Bash", "--max-turns", "1"], {}),
    "max_cost": ("!bash echo hi", ["--allowedTools", "Bash", "--max-budget-usd", "0.01"], {}),
    "not_logged_in": ("hi", [], {"ANTHROPIC_API_KEY": None}),
    "usage_limit": ("!limit 3600", [], OAUTH),
    "error_400": ("!error 400", [], {}),
    "error_401": ("!error 401", [], {}),
    "error_413": ("!error 413", [], {}),
    "error_429": ("!error 429", [], {}),
    "error_500": ("!error 500", [], {}),
    "error_529": ("!error 529", [], {"CLAUDE_CODE_MAX_RETRIES": None}),
    "partial_messages": ("hello partial", ["--include-partial-messages"], {}),
}


@pytest.mark.parametrize("name", ONE_SHOT)
def test_a_prompt_is_answered_in_the_captured_shapes(world, name):
    prompt, words, env = ONE_SHOT[name]
    _, lines = world.once(prompt, *words, env=env)
    wanted = [line for line in captured(name) if "hook" not in kind(line)]
    assert shapes(lines.lines) == shapes(wanted)


SESSIONS = {
    "session": ([], SESSION),
    "session_interrupt": (["--include-partial-messages"], [word for word in SESSION if "replay" not in word]),
    "session_permission": ([], [word for word in ASKING if "replay" not in word]),
    "session_uuids": ([], ASKING),
    "session_questions": ([], ASKING),
    "session_api_error": ([], ASKING),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_a_session_answers_in_the_captured_shapes(world, name):
    words, mode = SESSIONS[name]
    script = captured(name)
    with world.lines(*words, mode=mode) as lines:
        play(script, lines, pieces="--include-partial-messages" in words)
        assert lines.end() == script[-1]["rc"]
    told = [line for line in lines.lines if line["type"] != "stream_event" and line.get("subtype") != "status"]
    wanted = [step["line"] for step in script if step["dir"] == "out" and step["line"].get("subtype") != "status"]
    assert shapes(told) == shapes(wanted)


def play(script: list[Any], lines: AgentLines, *, pieces: bool) -> None:
    """Send what was sent, each line as soon as everything had come that had come then.

    Args:
        script: The captured session.
        lines: The program.
        pieces: Whether it tells pieces of an answer, so that its middle can be waited for.
    """
    expected: list[Line] = []
    for step in script:
        if step["dir"] == "out":
            expected.append(step["line"])
        elif step["dir"] == "in":
            _await(lines, expected, pieces=pieces)
            lines.send(_answering(step["line"], lines))


def _await(lines: AgentLines, expected: list[Line], *, pieces: bool) -> None:
    for wanted in sorted({kind(line) for line in expected}):
        count = sum(kind(line) == wanted for line in expected)
        lines.until(partial(_is, wanted), count=count)
    if pieces and expected and kind(expected[-1]) == "system/init":
        lines.until_type("stream_event", count=4)


def _is(wanted: str, line: Line) -> bool:
    return kind(line) == wanted


def _answering(line: Line, lines: AgentLines) -> Line:
    """Answer the newest question, since ids differ from those captured."""
    if line["type"] != "control_response":
        return line
    newest = lines.of_type("control_request")[-1]["request_id"]
    return {**line, "response": {**line["response"], "request_id": newest}}

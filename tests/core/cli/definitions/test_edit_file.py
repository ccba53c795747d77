"""A definition as a text: whatever it holds comes back, and a mistake is found in its line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.cli.attach.commands import shell_environment
from overmind_core.cli.definitions import edit_file
from overmind_core.cli.definitions.edit_file import AGENT, MARK, ROOT, Mistake, line_of, marked, mistake_of, unmarked
from overmind_core.errors import OvermindError
from overmind_core.missions.requests import AgentArgs, Terms
from tests.kit.cases import tabled

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = TEXTS.filter(bool)
TERMS: dict[str, Any] = {
    "name": "api", "command": "true", "cwd": "/", "columns": 80, "rows": 24, "labels": {}, "env": {},
    "restart": "never", "max_restarts": 5, "max_seconds": "60s", "backoff": "1s", "activity_timeout": "0s",
    "stall_waiting": False, "grace": "10s", "stop_signal": "TERM", "timeout": "0s", "leave_background": False,
    "max_children": None, "max_depth": 3, "max_cost": 0.0, "max_tokens": 0, "notes": "pinned",
    "agent": None,
}  # fmt: skip
AGENT_TERMS: dict[str, Any] = {
    "prompt": "go", "model": None, "permission_mode": None, "allowed_tools": [], "disallowed_tools": [], "allow": [],
    "deny": [], "max_turns": 0, "system_prompt": None, "append_system_prompt": None, "mcp_config": [],
    "arguments": [], "orchestrator": False,
}  # fmt: skip


def answer(**terms):
    return {"id": "00000001", "name": "api", "provider": "raw", "type": "task", "definition": {**TERMS, **terms}}


def set_ones(terms):
    return {key: value for key, value in terms.items() if value is not None}


@given(st.one_of(TEXTS, st.lists(TEXTS, min_size=1)), st.dictionaries(NAMES, TEXTS), st.dictionaries(NAMES, TEXTS))
def test_whatever_a_definition_holds_comes_back(command, labels, env):
    terms = {**TERMS, "command": command, "labels": labels, "env": env}
    assert edit_file.read_definition(edit_file.definition_text(answer(**terms))) == set_ones(terms)


@given(TEXTS, st.lists(TEXTS), st.one_of(st.none(), TEXTS))
def test_whatever_an_agent_is_told_comes_back(prompt, rules, model):
    agent = {**AGENT_TERMS, "prompt": prompt, "allow": rules, "model": model}
    found = edit_file.read_definition(edit_file.definition_text(answer(command=None, agent=agent)))
    assert found["agent"] == set_ones(agent)
    assert "command" not in found


def test_what_a_terminal_would_obey_is_escaped():
    hostile = "echo \x9b31m \u202ebackwards \x85 \x1b]0;title\x07\nsecond\tline \u2028 🐝"
    text = edit_file.definition_text(answer(command=hostile, labels={"k\x9b": "v\u202e"}))
    assert not {character for character in text if character not in "\n\t🐝" and not character.isprintable()}
    assert "🐝" in text
    found = edit_file.read_definition(text)
    assert (found["command"], found["labels"]) == (hostile, {"k\x9b": "v\u202e"})


def mistake_in(text):
    try:
        edit_file.read_definition(text)
    except Mistake as mistake:
        return mistake
    return None


@given(st.text(max_size=200))
def test_any_text_is_a_definition_or_has_a_mistake(text):
    found = mistake_in(text)
    assert found is None or (1 <= found.line <= text.count("\n") + 2 and found.sentence)


def test_the_keys_are_those_of_the_request():
    tables = {"labels", "env", "agent"}
    assert {key.name for key in ROOT} | tables == set(Terms.__struct_fields__)
    assert {key.name for key in AGENT} == set(AgentArgs.__struct_fields__)


TEXT = """a = 1
"b c" = 2

[env]
a = 3
d.e = 4
[agent]
allow = []
"""
LINES = [(("a",), 1), (("b c",), 2), (("env", "a"), 5), (("env", "d", "e"), 6), (("env",), 4), (("env", "x"), 4),
         (("agent", "allow"), 8), (("nowhere",), 1), ((), 1)]  # fmt: skip


@tabled(("path", "line"), LINES)
def test_a_key_is_found_in_its_table(path, line):
    assert line_of(TEXT, path) == line


REFUSED = [
    (OvermindError("invalid", "--allow: no such rule"), 8, "allow: no such rule"),
    (
        OvermindError("invalid", "'x=' is not a label: use --label key=value."),
        1,
        "'x=' is not a label: use label key=value.",
    ),
    (OvermindError("internal", "Something else."), 1, "Something else."),
    (OvermindError("invalid", "Not --model. Use: overmind send --to x"), 1, "Not model. Use: overmind send --to x"),
    (OvermindError("invalid", "agent.prompt: a session takes messages"), 7, "agent.prompt: a session takes messages"),
]


ABOUT_A_KEY = [
    ("Quest a (x) ends on its own: it has retries in the place of restarts.", ("restart",)),
    ("Mission b (x/check) belongs to quest x, which waits for its end: it has no restarts.", ("restart",)),
    ("Quest a (x) has failed: its next attempt has the command of the quest.", ("command",)),
    ("Quest a (x) has failed: its next attempt has the prompt of the quest.", ("agent", "prompt")),
    ("Quest a (x) is running: its prompt can't be changed now.", ("agent", "prompt")),
]


@tabled(("sentence", "key"), ABOUT_A_KEY)
def test_what_a_quest_can_not_have_is_a_mistake_in_the_line_of_its_key(sentence, key):
    text = 'command = "x"\nrestart = "always"\n[agent]\nprompt = "y"\n'
    assert mistake_of(OvermindError("invalid", sentence), text).line == line_of(text, key)


@pytest.mark.parametrize(("error", "line", "sentence"), REFUSED)
def test_what_the_daemon_refuses_is_a_mistake_in_a_line(error, line, sentence):
    mistake = mistake_of(error, TEXT)
    assert (mistake.line, mistake.sentence) == (line, sentence)


@pytest.mark.parametrize(("name", "shown"), [("api", "api"), ("日本", "'日本'")])
@pytest.mark.parametrize(("limit", "options", "refused"), [
    ("10m", ("--no-restart",), True),
    (600_000, ("--no-restart",), True),
    ("2h", ("--no-restart",), False),
    ("0s", ("--no-restart",), False),
    ("10m", (), False),
])  # fmt: skip
def test_a_limit_of_time_that_the_run_has_passed_is_refused_where_that_goes_on(
    overmind, limit, options, refused, name, shown
):
    text = edit_file.definition_text(answer(timeout=limit))
    told = {
        "definition": [{"ok": {**answer(timeout="1d"), "name": name, "live": True, "as_of": "x"}}],
        "info": [{"ok": {"status": "running", "uptime_seconds": 3600.0}}],
        "redefine": [{"ok": {"id": "00000001", "name": "api", "changed": ["timeout"]}}],
        "restart": [{"ok": {"id": "00000001", "name": "api"}}],
    }
    ran = overmind(told, "edit", name, "-", *options, stdin=text.encode())
    where = f"Error: invalid: standard input, line {line_of(text, ('timeout',))}: timeout: the run has lasted 1h"
    said = f"{where}, so it would end at once. Give more, or restart it with that: overmind edit {shown}\n"
    assert ran.err == (said if refused else "")
    assert ("redefine" in [command for command, _ in ran.requests]) is not refused


def test_a_mistake_is_marked_above_the_text_and_taken_off_again():
    text = marked(TEXT, Mistake(5, "why"))
    assert text.startswith(f"{MARK}Not stored: line 7: why\n")
    assert text.splitlines()[6] == "a = 3"
    assert unmarked(text) == TEXT
    assert unmarked(marked(text, Mistake(1, "again"))) == TEXT


def test_a_shell_has_the_callers_terminal_and_the_missions_world():
    mission = {"TERM": "xterm-256color", "TMUX": "theirs", "KEY": "theirs", "SSH_TTY": "/dev/theirs"}
    caller = {"TERM": "screen", "COLUMNS": "77", "KEY": "ours", "SSH_AUTH_SOCK": "/ours"}
    assert shell_environment(mission, caller) == {
        "KEY": "theirs",
        "TERM": "screen",
        "COLUMNS": "77",
        "SSH_AUTH_SOCK": "/ours",
    }


@pytest.mark.parametrize(("options", "refused"), [((), True), (("--no-restart",), False), (("--print",), False)])
def test_what_may_not_be_started_again_is_refused_before_anything_is_changed(overmind, options, refused):
    known = {**answer(), "name": "api", "live": False, "as_of": "x", "restart_refused": "Quest api has already failed."}
    told = {
        "definition": [{"ok": known}],
        "redefine": [{"ok": {"id": "00000001", "name": "api", "changed": ["command"]}}],
    }
    ran = overmind(told, "edit", "api", "-", *options, stdin=edit_file.definition_text(answer()).encode())
    error = "Error: not_finished: Nothing was changed. Quest api has already failed.\n"
    assert ran.err == (error if refused else "")
    wanted = ["definition"] if refused or "--print" in options else ["definition", "redefine"]
    assert [command for command, _ in ran.requests] == wanted

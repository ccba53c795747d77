"""The command line of `claude`: each wish becomes its option, and an argument that undoes ours is refused."""

from __future__ import annotations

import json
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.agents.agent import Agent, AgentFolders, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import Asked, Behaviour, Decision, MarkReached
from overmind_core.domain.agents.conversation import ForkPoint
from overmind_core.providers import registry
from overmind_core.providers.base import ConnectionRequest, InteractiveProvider, LaunchRequest
from overmind_core.providers.claude.command_line import LINES
from tests.kit.cases import tabled

CLAUDE = registry.get("claude")
HEARD = CLAUDE.connect(ConnectionRequest(AgentMode.HEADLESS, Agent(), "s", resume=False, cwd="/"))
SESSION = "3f2b8f0e-0000-4000-8000-000000000000"
HOOK = ("/usr/bin/python3", "-m", "overmind_core.hook", "it's a token")


def launch(mode, agent=None, **fields):
    fields = {"resume": False, **fields}
    return CLAUDE.launch(LaunchRequest(mode, agent if agent is not None else Agent(), SESSION, **fields))


def after(argv, option):
    return [argv[at + 1] for at, word in enumerate(argv) if word == option]


def test_one_shot_writes_the_prompt_and_keeps_the_input_open_for_answers():
    started = launch(AgentMode.ONE_SHOT, Agent(prompt='say "hi" — now\nplease'))
    line = json.loads(started.stdin)
    assert started.argv == ("claude", "--session-id", SESSION, *LINES)
    assert line["message"]["content"] == [{"type": "text", "text": 'say "hi" — now\nplease'}]
    assert started.stdin.count(b"\n") == 1
    assert not started.end_input


def test_a_headless_session_begins_without_a_message():
    started = launch(AgentMode.HEADLESS, Agent(home=AgentMode.HEADLESS, prompt="later"), resume=True)
    assert started.argv == ("claude", "--resume", SESSION, *LINES)
    assert started.stdin == b""


def test_a_fork_resumes_its_source_under_a_name_of_its_own():
    fork = ("--resume", "theirs", "--fork-session")
    whole = launch(AgentMode.HEADLESS, fork=ForkPoint("theirs"))
    assert whole.argv == ("claude", *fork, "--session-id", SESSION, *LINES)
    part = launch(AgentMode.HEADLESS, fork=ForkPoint("theirs", "uuid"))
    assert part.argv == ("claude", *fork, "--resume-session-at", "uuid", "--session-id", SESSION, *LINES)


def test_the_last_line_of_the_model_is_where_a_copy_can_end():
    said = {"content": [{"type": "text", "text": "hi"}]}
    assert MarkReached("u") in HEARD.parse(json.dumps({"type": "assistant", "uuid": "u", "message": said}).encode())
    helper = {"type": "assistant", "uuid": "u", "message": said, "parent_tool_use_id": "t"}
    error = {"type": "assistant", "uuid": "u", "message": said, "error": "server_error"}
    for line in (helper, error):
        assert not any(isinstance(fact, MarkReached) for fact in HEARD.parse(json.dumps(line).encode()))


def test_on_a_terminal_the_first_prompt_is_protected_whatever_it_begins_with():
    started = launch(AgentMode.INTERACTIVE, Agent(home=AgentMode.INTERACTIVE), first_prompt="--help me\nplease")
    assert started.argv == ("claude", "--session-id", SESSION, "--", "--help me\nplease")
    assert started.stdin is None


def test_what_the_person_wants_of_it_becomes_options_with_several_values_first():
    agent = Agent(
        program="/opt/claude",
        model="sonnet",
        allowed_tools=("Bash(git *)", "Edit"),
        disallowed_tools=("WebFetch",),
        permission_mode="acceptEdits",
        max_turns=3,
        max_cost=0.5,
        system_prompt="-- be brief",
        append_system_prompt="and kind",
        mcp_config=("a.json", '{"mcpServers":{}}'),
        arguments=("--add-dir", "/x"),
    )
    argv = launch(AgentMode.ONE_SHOT, agent).argv
    assert argv[0] == "/opt/claude"
    assert argv[-2:] == ("--add-dir", "/x")
    assert after(argv, "--allowedTools") == ["Bash(git *)", "Edit"]
    assert after(argv, "--mcp-config") == ["a.json", '{"mcpServers":{}}']
    assert after(argv, "--disallowedTools") == ["WebFetch"]
    assert max(argv.index("--allowedTools"), argv.index("--mcp-config")) < argv.index("--session-id")
    single = ["--model", "--permission-mode", "--max-turns", "--max-budget-usd", "--system-prompt"]
    assert [after(argv, option) for option in single] == [
        ["sonnet"],
        ["acceptEdits"],
        ["3"],
        ["0.500000"],
        ["-- be brief"],
    ]
    assert after(argv, "--append-system-prompt") == ["and kind"]


@pytest.mark.parametrize("mode", AgentMode)
def test_the_folders_of_a_quest_are_the_programs_too(mode):
    argv = launch(mode, Agent(home=mode, prompt="go", folders=AgentFolders("/h/in", "/h/out"))).argv
    assert after(argv, "--add-dir") == ["/h/in", "/h/out"]
    assert argv.index("--add-dir") < argv.index("--session-id")


def test_limits_are_options_without_a_terminal_only():
    argv = launch(AgentMode.INTERACTIVE, Agent(max_turns=3, max_cost=1.0)).argv
    assert not {"--max-turns", "--max-budget-usd"} & set(argv)


def test_a_long_system_prompt_goes_by_file():
    started = launch(AgentMode.ONE_SHOT, Agent(append_system_prompt="é" * 60_000))
    assert after(started.argv, "--append-system-prompt-file") == ["{file:append-system-prompt}"]
    assert started.files == {"append-system-prompt": "é" * 60_000}


NOTES = "<notes 3f9a1c0b77de>\n[N-7f3k9c2m4q] gotcha\n  | Start redis first.\n</notes 3f9a1c0b77de>\n"


@pytest.mark.parametrize("mode", AgentMode)
@pytest.mark.parametrize(
    ("addition", "before"),
    [(None, ""), ("Speak Latin.", "Speak Latin.\n\n"), ("two\nlines\n", "two\nlines\n\n")],
)
def test_notes_go_by_one_file_behind_the_persons_own_addition(mode, addition, before):
    agent = Agent(home=mode, prompt="go", append_system_prompt=addition)
    plain, started = launch(mode, agent, resume=True), launch(mode, agent, resume=True, notes=NOTES)
    assert after(started.argv, "--append-system-prompt-file") == ["{file:append-system-prompt}"]
    assert started.files == {"append-system-prompt": f"{before}{NOTES}"}
    assert "notes" not in " ".join(started.argv)
    assert "--append-system-prompt" not in started.argv
    others = [word for word in plain.argv if word not in {"--append-system-prompt", addition}]
    assert [word for word in started.argv if "append-system-prompt" not in word] == others
    assert (started.stdin, started.environment) == (plain.stdin, plain.environment)


THEIRS = [
    ((), None),
    (("--append-system-prompt", "x"), "--agent-arg --append-system-prompt takes their place"),
    (("--append-system-prompt=x",), "--agent-arg --append-system-prompt takes their place"),
    (("--chrome", "--append-system-prompt-file=x"), "--agent-arg --append-system-prompt-file takes their place"),
    (("--system-prompt", "x"), None),
]


@pytest.mark.parametrize(("arguments", "why"), THEIRS)
def test_an_addition_among_the_persons_arguments_takes_the_place_of_notes(arguments, why):
    assert CLAUDE.refuse_notes(Agent(arguments=arguments)) == why


MODES = [
    (AgentMode.INTERACTIVE, AgentMode.INTERACTIVE, None, []),
    (AgentMode.HEADLESS, AgentMode.INTERACTIVE, None, ["manual"]),
    (AgentMode.HEADLESS, AgentMode.INTERACTIVE, "plan", ["plan"]),
    (AgentMode.HEADLESS, AgentMode.HEADLESS, None, []),
    (AgentMode.ONE_SHOT, AgentMode.ONE_SHOT, "dontAsk", ["dontAsk"]),
]


@pytest.mark.parametrize(("home", "mode", "asked", "given_"), MODES)
def test_a_session_that_is_handed_over_goes_on_asking(home, mode, asked, given_):
    argv = launch(mode, Agent(home=home, permission_mode=asked)).argv
    assert after(argv, "--permission-mode") == given_


def hooks_of(argv):
    return json.loads(after(argv, "--settings")[0])["hooks"]


def test_on_a_terminal_our_hook_is_told_of_every_event():
    hooks = hooks_of(launch(AgentMode.INTERACTIVE, hook=HOOK).argv)
    assert {"SessionStart", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "Stop", "SessionEnd"} <= set(hooks)
    command = hooks["Stop"][0]["hooks"][0]["command"]
    assert command == "/usr/bin/python3 -m overmind_core.hook 'it'\"'\"'s a token'"
    assert hooks["PermissionRequest"][0]["hooks"][0]["timeout"] > 86_400


PERSON = {"theme": "dark", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "theirs"}]}]}}
SETTINGS = [
    (("--settings", json.dumps(PERSON)), {}),
    ((f"--settings={json.dumps(PERSON)}",), {}),
    (("--settings", "mine.json"), {"mine.json": json.dumps(PERSON)}),
]


@pytest.mark.parametrize(("arguments", "texts"), SETTINGS)
def test_a_persons_settings_are_merged_with_ours(arguments, texts):
    agent = Agent(arguments=("--chrome", *arguments, "--ide"))
    argv = launch(AgentMode.INTERACTIVE, agent, hook=HOOK, texts=texts).argv
    (value,) = after(argv, "--settings")
    merged = json.loads(value)
    assert merged["theme"] == "dark"
    assert merged["hooks"]["Stop"][0]["hooks"][0]["command"] == "theirs"
    assert len(merged["hooks"]["Stop"]) == 2
    assert argv[-2:] == ("--chrome", "--ide")


def test_only_settings_in_files_are_read():
    assert CLAUDE.reads(Agent(arguments=("--settings", "a.json", "--settings={}", "b.json")), {}) == ("a.json",)


def test_without_a_terminal_a_persons_settings_are_passed_on():
    agent = Agent(arguments=("--settings", "mine.json"))
    assert launch(AgentMode.HEADLESS, agent, hook=HOOK).argv[-2:] == ("--settings", "mine.json")
    assert CLAUDE.refuse(agent) is None


REFUSED = [
    "-p",
    "--print",
    "--output-format=text",
    "--input-format",
    "--session-id",
    "-r",
    "--resume=x",
    "-c",
    "-pc",
    "--permission-prompt-tool",
    "--fork-session",
    "--bg",
    "--help",
    "--version",
    "--",
]


@tabled("argument", REFUSED)
def test_an_argument_that_undoes_ours_is_refused_by_name(argument):
    reason = CLAUDE.refuse(Agent(arguments=("--chrome", argument)))
    assert reason is not None
    assert f"--agent-arg {argument.partition('=')[0][:2]}" in reason


GIVEN = [
    ("--model", Agent(model="opus")),
    ("--max-turns=3", Agent(max_turns=2)),
    ("--max-budget-usd", Agent(max_cost=2)),
    ("--allowedTools", Agent(allowed_tools=("Bash",))),
    ("--allowed-tools", Agent(allowed_tools=("Bash",))),
    ("--system-prompt-file", Agent(system_prompt="x")),
    ("--mcp-config", Agent(mcp_config=("x",))),
    ("--permission-mode", Agent(permission_mode="plan")),
]


@tabled(("argument", "agent"), GIVEN)
def test_an_argument_that_says_what_an_option_says_is_refused_beside_it(argument, agent):
    both = Agent(**{**{name: getattr(agent, name) for name in agent.__slots__}, "arguments": (argument,)})
    assert "conflicts" in (CLAUDE.refuse(both) or "")
    assert CLAUDE.refuse(Agent(arguments=(argument,))) is None


@tabled("argument", ["--add-dir", "-d", "-dpapi", "--effort", "high", "-n", "--strict-mcp-config", "-"])
def test_other_arguments_are_the_persons_business(argument):
    assert CLAUDE.refuse(Agent(arguments=(argument,))) is None


def test_all_collisions_are_named_at_once():
    reason = CLAUDE.refuse(Agent(arguments=("--print", "--resume", "x")))
    assert "--print" in (reason or "")
    assert "--resume" in (reason or "")


@given(st.text(), st.text())
def test_a_message_is_one_line_that_says_exactly_what_was_said(text, uuid):
    line = HEARD.message(text, uuid)
    found = json.loads(line)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert (found["message"]["content"][0]["text"], found["uuid"]) == (text, uuid)


def test_a_message_is_no_command_but_the_prompt_of_a_task_may_be_one():
    assert json.loads(HEARD.message("/clear", "u1"))["text_not_typed"] is True
    assert "text_not_typed" not in json.loads(HEARD.message("look at @a.py", "u1"))
    assert "text_not_typed" not in json.loads(launch(AgentMode.ONE_SHOT, Agent(prompt="/review")).stdin)


def test_an_interrupt_is_a_control_request():
    assert json.loads(HEARD.interrupt("r1", ())) == {
        "type": "control_request",
        "request_id": "r1",
        "request": {"subtype": "interrupt"},
    }


COLOUR = {"question": "Which colour?", "options": [{"label": "Red"}, {"label": "Blue"}], "multiSelect": True}
SIZE = {"question": "Which size?", "options": [{"label": "S"}, {"label": "L"}]}
ALLOW, ALWAYS, DENY = Behaviour.ALLOW, Behaviour.ALWAYS, Behaviour.DENY
ANSWERS = [
    (
        AgentNeed.PERMISSION,
        {"command": "ls"},
        Decision(ALLOW),
        {"behavior": "allow", "updatedInput": {"command": "ls"}},
    ),
    (
        AgentNeed.PERMISSION,
        {"command": "ls"},
        Decision(ALWAYS),
        {"behavior": "allow", "updatedInput": {"command": "ls"}},
    ),
    (AgentNeed.PERMISSION, {"command": "ls"}, Decision(DENY, "no"), {"behavior": "deny", "message": "no"}),
    (AgentNeed.PERMISSION, {}, Decision(DENY), {"behavior": "deny", "message": "A person denied this."}),
    (AgentNeed.PLAN, {}, Decision(ALLOW), {"behavior": "allow", "updatedInput": {}}),
    (AgentNeed.PLAN, {}, Decision(DENY, "shorter"), {"behavior": "deny", "message": "shorter"}),
]


@tabled(("need", "subject", "decision", "expected"), ANSWERS)
def test_an_answer_names_its_question(need, subject, decision, expected):
    question = Asked("r1", need, "Bash", "x", subject)
    assert json.loads(HEARD.answer(question, decision)) == {
        "type": "control_response",
        "response": {"subtype": "success", "request_id": "r1", "response": expected},
    }
    output = {"hookEventName": "PermissionRequest", "decision": expected}
    assert cast("InteractiveProvider", CLAUDE).hook_answer(question, decision) == {"hookSpecificOutput": output}


CHOICES = [
    ([COLOUR], Decision(ALLOW, chosen=(("Blue",),)), {"Which colour?": "Blue"}),
    ([COLOUR], Decision(ALLOW, chosen=(("Red", "Blue"),)), {"Which colour?": "Red, Blue"}),
    ([COLOUR, SIZE], Decision(ALLOW, chosen=(("Red",), ("L",))), {"Which colour?": "Red", "Which size?": "L"}),
    ([COLOUR, SIZE], Decision(ALLOW, "any", chosen=((), ("L",))), {"Which colour?": "any", "Which size?": "L"}),
    ([COLOUR], Decision(ALLOW, "green, please"), {"Which colour?": "green, please"}),
    ("garbage", Decision(ALLOW, "x"), {}),
]


@tabled(("questions", "decision", "answers"), CHOICES)
def test_a_question_is_answered_by_labels_or_in_the_persons_own_words(questions, decision, answers):
    question = Asked("r1", AgentNeed.QUESTION, "AskUserQuestion", "x", {"questions": questions})
    response = json.loads(HEARD.answer(question, decision))["response"]["response"]
    assert response["updatedInput"] == {"questions": questions, "answers": answers}


@pytest.mark.parametrize("mode", AgentMode)
def test_no_key_of_its_own_takes_a_session_out_of_its_mission(mode):
    assert launch(mode, Agent(home=mode, prompt="go")).environment["CLAUDE_CODE_DISABLE_AGENT_VIEW"] == "1"

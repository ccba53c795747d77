"""What `run` and `claude run` make of the options for agents."""

from __future__ import annotations

import pytest

from overmind_core.client import skill

STARTED = {"run": [{"ok": {"id": "a1b2c3d4", "name": "planner"}}]}


def sent(overmind, *words, stdin=b""):
    ran = overmind(STARTED, *words, stdin=stdin)
    assert (ran.status, ran.err) == (0, "")
    ((command, args),) = ran.requests
    assert command == "run"
    return args


OPTIONS = [
    (["--model", "opus"], {"model": "opus"}),
    (["--allowed-tools", "Bash", "--allowed-tools", "Edit"], {"allowed_tools": ["Bash", "Edit"]}),
    (["--disallowed-tools", "WebFetch"], {"disallowed_tools": ["WebFetch"]}),
    (["--permission-mode", "plan"], {"permission_mode": "plan"}),
    (["--allow", "Bash(git status)", "--deny", "Bash(rm:*)"], {"allow": ["Bash(git status)"], "deny": ["Bash(rm:*)"]}),
    (["--max-turns", "3"], {"max_turns": 3}),
    (["--system-prompt", "- be brief"], {"system_prompt": "- be brief"}),
    (["--append-system-prompt", "-x"], {"append_system_prompt": "-x"}),
    (["--mcp-config", '{"mcpServers":{}}'], {"mcp_config": ['{"mcpServers":{}}']}),
    (["--mcp-config", "/etc/mcp.json"], {"mcp_config": ["/etc/mcp.json"]}),
    (["--agent-arg", "--verbose", "--agent-arg", "x y"], {"arguments": ["--verbose", "x y"]}),
    (["--agent-arg=--verbose"], {"arguments": ["--verbose"]}),
    ([], {}),
]


@pytest.mark.parametrize(("words", "expected"), OPTIONS)
def test_each_option_travels_under_its_name(overmind, words, expected):
    args = sent(overmind, "run", "--provider", "claude", *words, "go")

    assert args["agent"] == {"prompt": "go", **expected}
    assert (args["provider"], args["command"]) == ("claude", "")


def test_claude_run_is_run_with_the_provider_claude(overmind):
    plain = sent(overmind, "run", "--provider", "claude", "--model", "opus", "fix", "the", "tests")
    short = sent(overmind, "claude", "run", "--model", "opus", "fix", "the", "tests")

    assert {**plain, "request": ""} == {**short, "request": ""}
    assert short["agent"]["prompt"] == "fix the tests"


def test_options_end_where_the_prompt_begins(overmind):
    assert sent(overmind, "claude", "run", "explain", "--model", "x")["agent"] == {"prompt": "explain --model x"}
    assert sent(overmind, "claude", "run", "--", "--model")["agent"] == {"prompt": "--model"}


PROMPTS = [
    (b"fix this\n", "fix this"),
    (b"two\nlines\n\n", "two\nlines\n"),
    ("quotes \" ' and ünï🙂".encode(), "quotes \" ' and ünï🙂"),
    (b"x" * 200_000, "x" * 200_000),
]


@pytest.mark.parametrize(("stdin", "prompt"), PROMPTS, ids=["line", "lines", "unicode", "long"])
def test_a_dash_reads_the_prompt_from_standard_input(overmind, stdin, prompt):
    assert sent(overmind, "claude", "run", "-", stdin=stdin)["agent"]["prompt"] == prompt


def test_a_relative_mcp_file_counts_from_the_caller(overmind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    args = sent(overmind, "claude", "run", "--cwd", "/", "--mcp-config", "mcp.json", "go")

    assert args["agent"]["mcp_config"] == [str(tmp_path / "mcp.json")]


@pytest.mark.parametrize("words", [["--type", "session"], ["--interactive"]])
def test_who_can_be_told_later_needs_no_prompt(overmind, words):
    assert sent(overmind, "claude", "run", *words)["agent"] == {}


def test_a_raw_session_needs_no_command(overmind):
    args = sent(overmind, "run", "--type", "session")

    assert (args["command"], args["type"]) == ("", "session")
    assert "agent" not in args
    assert "provider" not in args


def test_limits_of_the_tree_and_of_silence_are_for_every_mission(overmind):
    args = sent(overmind, "run", "--max-children", "3", "--max-depth", "0", "--stall-waiting", "make")

    assert (args["max_children"], args["max_depth"], args["stall_waiting"]) == (3, 0, True)


WISHES = [([], "absent"), (["--memory"], "auto"), (["--no-memory"], "off")]


@pytest.mark.parametrize("command", [["run"], ["claude", "run"]])
@pytest.mark.parametrize(("words", "notes"), WISHES)
def test_who_wants_notes_or_none_says_so(overmind, command, words, notes):
    assert sent(overmind, *command, *words, "make").get("notes", "absent") == notes


def test_notes_and_none_exclude_each_other(overmind):
    refused = overmind({}, "run", "--memory", "--no-memory", "make")
    assert refused.status == 2
    assert "Give --memory or --no-memory, not both." in refused.err


@pytest.mark.parametrize(("word", "usd"), [("0.5", 0.5), ("$2", 2.0)])
def test_a_limit_of_cost_is_the_whole_trees_so_a_plain_script_can_have_one(overmind, word, usd):
    assert sent(overmind, "run", "--max-cost", word, "make")["max_cost"] == usd
    assert sent(overmind, "claude", "run", "--max-cost", word, "go")["max_cost"] == usd


@pytest.mark.parametrize(("word", "tokens"), [("500k", 500_000), ("1.5M", 1_500_000), ("9", 9)])
def test_a_limit_of_tokens_may_have_a_sign_behind_it(overmind, word, tokens):
    assert sent(overmind, "run", "--max-tokens", word, "make")["max_tokens"] == tokens
    assert sent(overmind, "claude", "run", "--max-tokens", word, "go")["max_tokens"] == tokens


@pytest.mark.parametrize("word", ["0", "-1", "x", "1.5", "1e3", "9" * 20])
def test_what_is_no_number_of_tokens_is_refused(overmind, word):
    assert overmind({}, "run", f"--max-tokens={word}", "make").status == 2


@pytest.mark.parametrize(
    "words", [["run", "--type", "session", "--orchestrator", "go"], ["claude", "run", "--orchestrator", "go"]]
)
def test_an_orchestrator_is_claude_with_our_instructions(overmind, words):
    args = sent(overmind, *words)

    assert args["provider"] == "claude"
    assert args["agent"] == {"prompt": "go", "orchestrator": True, "append_system_prompt": skill.instructions()}


def test_what_a_person_adds_to_the_instructions_stands_below_them(overmind):
    agent = sent(overmind, "claude", "run", "--orchestrator", "--append-system-prompt", "Speak Latin.", "go")["agent"]

    assert agent["append_system_prompt"] == skill.instructions() + "\nSpeak Latin."


REFUSED = [
    (["run", "--provider", "raw", "--orchestrator", "make"], 2, "--orchestrator is only for agents"),
    (["run", "--model", "opus", "make"], 2, "--model is only for agents"),
    (["run", "--provider", "raw", "--agent-arg", "-v", "make"], 2, "--agent-arg is only for agents"),
    (["run", "--allow", "Bash", "--type", "session"], 2, "--allow is only for agents"),
    (["claude", "run"], 2, "empty_command: Missing prompt"),
    (["claude", "run", ""], 2, "empty_command: Missing prompt"),
    (["run", "--provider", "claude"], 2, "empty_command: Missing prompt"),
    (["claude", "run", "--provider", "codex", "x"], 2, "Unknown option --provider"),
    (["claude", "run", "--max-cost", "lots", "x"], 2, "'lots' is not an amount of US dollars above 0"),
    (["claude", "run", "--max-cost", "0", "x"], 2, "'0' is not an amount of US dollars above 0"),
    (["claude", "run", "--max-turns", "-1", "x"], 2, "--max-turns"),
    (["claude", "run", "--agent-arg"], 2, "--agent-arg"),
    (["claude", "walk"], 2, "unknown_command"),
]


@pytest.mark.parametrize(("words", "status", "said"), REFUSED)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(overmind, words, status, said):
    ran = overmind(STARTED, *words)

    assert (ran.status, ran.out, ran.requests) == (status, "", [])
    assert said in ran.err


def test_a_prompt_with_a_nul_is_refused(overmind):
    ran = overmind(STARTED, "claude", "run", "-", stdin=b"a\0b")

    assert (ran.status, ran.requests) == (1, [])
    assert ran.err.startswith("Error: invalid: The text contains a NUL")

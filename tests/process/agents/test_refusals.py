"""What can't be run is refused by name, and nothing is started or recorded."""

from __future__ import annotations

import os

import pytest

from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home


@pytest.fixture
def started(agents):
    """A daemon, and the promise that nothing was recorded in it."""
    agents.om.ok("start")
    yield agents
    assert agents.om.ps("--all") == []


def test_a_program_that_is_not_there(started):
    started.om.environment.pop("OVERMIND_CLAUDE_BIN")
    sentence = started.om.refused("claude", "run", "hi", code="provider_missing", env={"PATH": "/nowhere"})
    assert "npm install -g @anthropic-ai/claude-code" in sentence


@pytest.mark.parametrize("path", ["/nowhere/claude", "/etc/passwd"])
def test_a_program_that_can_not_be_run(started, path):
    sentence = started.om.refused("claude", "run", "hi", code="provider_missing", env={"OVERMIND_CLAUDE_BIN": path})
    assert path in sentence


def test_an_unknown_provider(started):
    sentence = started.om.refused("run", "--provider", "nobody", "hi", code="unknown_provider", exit_code=2)
    assert "claude" in sentence
    assert "raw" in sentence


COLLISIONS = ["-p", "--print", "--session-id=x", "--resume", "-c", "--output-format=text", "--verbose",
              "--permission-prompt-tool", "--help", "-pc"]  # fmt: skip


def test_an_argument_that_is_ours(started, cases):
    for argument in COLLISIONS:
        with cases(argument):
            sentence = started.om.refused("claude", "run", "--agent-arg", argument, "hi", code="invalid")
            assert "--agent-arg" in sentence


TEXTS = {"prompt": "The prompt", "model": "--model", "permission_mode": "--permission-mode",
         "mcp_config": "--mcp-config", "system_prompt": "--system-prompt",
         "append_system_prompt": "--append-system-prompt", "allowed_tools": "--allowed-tools",
         "disallowed_tools": "--disallowed-tools", "arguments": "--agent-arg"}  # fmt: skip
"""What becomes an argument of the agent's program → how an error names it."""
LISTS = {"allowed_tools", "disallowed_tools", "mcp_config", "arguments"}


def test_a_text_that_no_program_can_be_given_is_named(started, cases):
    with RawSocket.connect(started.om.home) as client:
        for name, said in TEXTS.items():
            with cases(name):
                agent = {"prompt": "hi", name: ["a\0b"] if name in LISTS else "a\0b"}
                answer = client.request("run", command="", provider="claude", cwd="/", agent=agent)
                assert answer["error"] == "invalid", answer
                assert answer["message"].startswith(f"{said} contains a NUL character")


def test_an_argument_that_was_given_as_an_option_too(started):
    words = ("--model", "opus", "--agent-arg", "--model=haiku")
    assert "conflicts with" in started.om.refused("claude", "run", *words, "hi", code="invalid")


def test_a_task_without_a_prompt(started, cases):
    for prompt in ([], [""], ["  "], ["-"]):
        with cases(f"{prompt}"):
            started.om.refused("claude", "run", *prompt, code="empty_command", exit_code=2)


def test_options_for_agents_need_an_agent(started, cases):
    for option in (("--model", "opus"), ("--allow", "Bash"), ("--agent-arg", "-x")):
        with cases(f"{option}"):
            finished = started.om("run", *option, "true")
            assert finished.returncode == 2
            assert option[0] in finished.stderr


def test_a_task_that_wants_a_terminal_or_pipes_of_its_choice(started):
    refused = started.om.refused("claude", "run", "--interactive", "--type", "task", "hi", code="invalid")
    assert "--interactive is for sessions, and this is a task: leave out one of them" in refused
    quest = started.om.refused("quest", "add", "--provider", "claude", "--interactive", "hi", code="invalid")
    assert "--interactive is for sessions, and this is a task" in quest
    started.om.refused("claude", "run", "--no-tty", "hi", code="invalid")


def test_other_arguments_are_passed_through(agents):
    """The program itself refuses one that it does not know: that is no run to repeat."""
    info = agents.task("hi", "--agent-arg", "--no-such-option", "--restart", "always", "--backoff", "1ms")
    assert (info["status"], info["reason"], len(info["runs"])) == ("crashed", "usage_error", 1)
    assert "unknown option '--no-such-option'" in agents.om.logs(info["id"])
    assert agents.task("hi", "--agent-arg", "--name", "--agent-arg", "it is")["status"] == "stopped"


def test_settings_of_the_persons_own_are_merged_with_ours(agents):
    """Their rules and their hooks hold."""
    hook = f"touch {agents.folder}/hooked"
    settings = '{"permissions":{"deny":["Bash"]},"hooks":{"Stop":[{"hooks":[{"type":"command","command":"%s"}]}]}}'
    mission = agents.session("--agent-arg", "--settings", "--agent-arg", settings % hook)
    assert "denied" in agents.say(mission, "!bash touch x")
    eventually(lambda: os.path.exists(f"{agents.folder}/hooked"))


@pytest.mark.own_home
def test_the_configuration_names_the_program(agents):
    agents.om.environment.pop("OVERMIND_CLAUDE_BIN")
    with open(agents.om.path("config.toml"), "w") as file:
        file.write(f'[providers.claude]\nprogram = "{agents.program}"\n')
    assert agents.task("hello")["status"] == "stopped"


def test_the_program_is_found_on_the_callers_path(agents):
    agents.om.environment.pop("OVERMIND_CLAUDE_BIN")
    agents.om.environment["PATH"] = f"{agents.folder}:{os.environ['PATH']}"
    assert agents.task("hello")["status"] == "stopped"


def test_no_word_is_ever_read_by_a_shell_or_as_an_option(agents, cases):
    for word in ("opus; touch x", "--model", "$(touch x)"):
        with cases(word):
            info = agents.task("hello", f"--model={word}")
            assert info["status"] == "stopped"
            assert not os.path.exists(agents.om.path("x"))


def test_a_system_prompt_of_any_length(agents):
    for size in (10, 120_000):
        finished = agents.om("claude", "run", "--wait", "--append-system-prompt", "x" * size, "hello")
        assert finished.returncode == 0, finished.stderr

"""Each provider by its name, with a renderer for each run; a name without a row is refused."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.providers import registry
from overmind_core.providers.base import ConnectionRequest, LaunchRequest
from overmind_core.providers.terminal_rows import PROMPTS


def test_each_row_is_a_provider_of_that_name():
    assert [registry.get(name).name for name in registry.names()] == list(registry.names())
    assert {"raw", "claude", "codex"} <= set(registry.names())


def test_a_name_without_a_row_is_refused_with_those_that_there_are():
    with pytest.raises(registry.UnknownProvider, match=r"'nosuch'.*raw, claude"):
        registry.get("nosuch")


@pytest.mark.parametrize("program", PROMPTS)
def test_a_program_that_is_known_on_its_terminal_alone_says_how_it_runs(program):
    said = registry.unknown(program)
    assert (said == f"{program} is no provider, but a program that Overmind knows on its terminal. Run it with: "
            f"overmind run --type session -- {program}") == (program not in registry.names())  # fmt: skip


@pytest.mark.parametrize("name", [*registry.names(), "acp:mine"])
def test_a_program_without_a_login_is_to_be_logged_in_first_and_each_says_how(name):
    how = registry.log_in_first(name, "not_logged_in")
    assert how.startswith("log in first: ") == (name != "raw")
    assert "claude" not in how or how == "log in first: run claude in a terminal and type /login"
    assert registry.log_in_first(name, "api_error 529") == registry.log_in_first("nosuch", "not_logged_in") == ""


@pytest.mark.parametrize(("name", "readable"), [("claude", True), ("codex", True), ("raw", False), ("nosuch", False)])
def test_only_lines_that_somebody_knows_are_made_readable(name, readable):
    assert (registry.renderer(name) is not None) == readable


@pytest.mark.parametrize("name", registry.names())
def test_a_run_has_its_own_renderer(name):
    provider = registry.get(name)
    assert provider.renderer() is not provider.renderer()
    known = registry.renderer(name)
    assert known is None or (type(known) is type(provider.renderer()) and known is not registry.renderer(name))


def test_who_only_reads_the_lines_of_claude_loads_nothing_else_of_it():
    """A search in logs is as quick as what it imports."""
    line = "import sys; from overmind_core.providers import registry as r; r.renderer('claude'); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-P", "-c", line], capture_output=True, text=True, check=True)
    loaded = found.stdout.split()
    assert "overmind_core.providers.claude.transcript" in loaded
    assert "overmind_core.providers.claude.provider" not in loaded


@pytest.mark.parametrize("name", registry.names())
def test_the_program_that_a_person_names_is_started_in_every_mode(name):
    provider = registry.get(name)
    for mode in provider.modes:
        start = LaunchRequest(mode, Agent(prompt="do it", program="/opt/it"), "3f2b", resume=False)
        launch = provider.launch(start)
        opened = launch.files.get("opening")  # another program of ours becomes it
        assert (launch.argv if opened is None else json.loads(opened)["screen"])[0] == "/opt/it"


def test_a_raw_program_is_told_what_a_terminal_would_type():
    raw = registry.get("raw")
    heard = raw.connect(ConnectionRequest(AgentMode.INTERACTIVE, Agent(), "", resume=False, cwd="/"))
    assert heard.message("ls", "id") == b"ls\n"
    assert heard.message(to_wire("caf\udce9 caf\u00e9"), "id") == b"caf\xe9 caf\xc3\xa9\n", "bytes that are no UTF-8"
    assert heard.interrupt("id", ()) == b"\x03"
    assert raw.renderer().feed(b"caf\xc3\xa9 \xff") == ["café \ufffd"]
    assert raw.modes == {AgentMode.INTERACTIVE}
    assert raw.verdict(3, None, "", mode=AgentMode.INTERACTIVE, resumed=False).failed
    assert raw.refuse(Agent(arguments=("-x",))) is not None

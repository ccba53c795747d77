"""`overmind providers` and `overmind provider add`: rows by what providers say of themselves, and a table more."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from overmind_core.cli.agents.providers import TITLES, abilities, abilities_cells
from overmind_core.cli.context import Context
from overmind_core.cli.main import guarded
from overmind_core.kernel.config import Settings
from overmind_core.providers import registry
from tests.kit.overmind import REPOSITORY


@pytest.fixture
def overmind(tmp_path, capsys):
    """Run a command line in a home with no daemon; return (exit status, stdout, stderr)."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir(mode=0o700)

    def run(*words, **environ):
        world = {"OVERMIND_HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin"), **environ}
        status = guarded(list(words), Context(world))
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


def program(path, script):
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


CONFIG = """
[providers.ask]
program = "{bin}/ask"
protocol = "once"
args = ["{{prompt}}"]
[providers.far]
program = "far"
protocol = "acp"
install = "pipx install far"
[providers.full]
program = "full"
protocol = "terminal"
terminal = {{ rules = [{{ on = "title", any = ["^x"], state = "idle" }}] }}
"""


def test_each_provider_has_a_row_and_what_is_missing_says_how_to_get_it(overmind, tmp_path):
    program(tmp_path / "bin" / "codex", 'echo "codex-cli 0.165.0 (x)"')
    program(tmp_path / "bin" / "ask", "exit 1")
    (tmp_path / "home" / "config.toml").write_text(CONFIG.format(bin=tmp_path / "bin"), encoding="utf-8")
    status, out, err = overmind("providers")
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert status == 0
    assert rows.pop("PROVIDER") == list(TITLES[1:])
    assert list(rows) == [*registry.names()[1:], "once:ask", "acp:far", "full"]
    assert rows["codex"] == ["0.165.0", "codex", "codex", "yes", "status", "yes", "yes", "at", "tokens"]
    assert rows["once:ask"] == ["?", "once", "-", "raw", "-", "-", "-", "-", "-"]
    assert rows["acp:far"] == ["-", "acp", "acp", "raw", "-", "yes", "yes", "whole", "-"]
    assert rows["full"] == ["-", "-", "-", "raw", "title", "-", "-", "-", "-"]
    assert "claude is not installed. Get it with: npm install -g @anthropic-ai/claude-code\n" in err
    assert "acp:far is not installed. Get it with: pipx install far\n" in err
    assert "full is not installed. Its program is set in config.toml.\n" in err
    found = {row["provider"]: row for row in json.loads(overmind("providers", "--json")[1])}
    assert (found["codex"]["version"], found["codex"]["tested"]) == ("0.165.0", "0.171.0")
    assert found["codex"]["path"] == str(tmp_path / "bin" / "codex")
    assert (found["gemini"]["installed"], found["gemini"]["version"]) == (False, None)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("raw", "Known: claude, codex, "), ("opencod", "Did you mean opencode?"), ("acp:fat", "Did you mean acp:far?")],
)
def test_a_test_of_what_is_no_agent_names_those_that_can_be_tested(overmind, tmp_path, name, hint):
    (tmp_path / "home" / "config.toml").write_text(CONFIG.format(bin=tmp_path / "bin"), encoding="utf-8")
    status, _, said = overmind("provider", "test", name, "--yes")
    assert status == 2
    assert f"Unknown provider '{name}'. {hint}" in said


def test_the_page_about_agents_shows_what_the_rows_say():
    page = Path(REPOSITORY, "docs", "agents.md").read_text(encoding="utf-8")
    lines = page.partition("$ overmind providers\n")[2].partition("```")[0].splitlines()
    shown = {line.split()[0]: line.split()[1:] for line in lines}
    assert shown.pop("PROVIDER") == list(TITLES[1:])
    said = {}
    for name in registry.names()[1:]:
        provider = registry.get(name)
        said[name] = [provider.tested, *abilities_cells(abilities(provider, (provider.program, Settings())))]
    assert shown == said


REGISTRY: dict[str, Any] = {
    "version": "1.0.0",
    "agents": [
        {
            "id": f"agent-{number}",
            "name": f"Agent {number}",
            "version": f"1.0.{number}",
            "distribution": {"npx": {"package": f"@a/agent-{number}@1.0.{number}", "args": ["--acp"]}},
        }
        for number in range(40)
    ],
}
MINE = """# my settings
[queue]
slots = 2   # two

[providers.claude]
program = "/opt/claude" # mine
"""


@pytest.fixture
def registry_file(tmp_path):
    path = tmp_path / "registry.json"
    path.write_text(json.dumps(REGISTRY), encoding="utf-8")
    return str(path)


def test_an_agent_of_a_registry_becomes_a_table_and_all_else_stays(overmind, tmp_path, registry_file):
    config = tmp_path / "home" / "config.toml"
    config.write_text(MINE, encoding="utf-8")
    added = [overmind("provider", "add", f"agent-{number}", "--from", registry_file) for number in range(40)]
    assert {(status, err) for status, _, err in added} == {(0, "")}
    assert added[-1][1].splitlines() == [
        f"Added acp:agent-39 to {config}: agent-39 1.0.39, untested",
        "Install it:    npm install -g @a/agent-39@1.0.39",
        "Then:          overmind start --replace",
        "Try it:        overmind run --provider acp:agent-39 --wait 'say hello'",
    ]
    text = config.read_text(encoding="utf-8")
    assert text.startswith(MINE)
    assert text.endswith(
        "\n[providers.agent-39]\n# Agent 39 1.0.39, from a registry's file: nobody has tried it with Overmind\n"
        'program = "npx"\nprotocol = "acp"\nargs = ["--yes", "@a/agent-39@1.0.39", "--acp"]\n'
        'install = "npm install -g @a/agent-39@1.0.39"\n'
    )
    rows = json.loads(overmind("providers", "--json")[1])
    assert len([row for row in rows if row["provider"].startswith("acp:agent-")]) == 40


def test_what_can_not_be_added_is_refused_and_nothing_is_written(overmind, tmp_path, registry_file):
    config = tmp_path / "home" / "config.toml"
    assert overmind("provider", "add", "agent-1", "--from", registry_file, "-n", "mine")[0] == 0
    before = config.read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    wrong = tmp_path / "wrong.json"
    wrong.write_bytes(b"\xff[")
    for words, said in (
        (("agent-1", "-n", "mine", "--from", registry_file), "There is an agent mine already"),
        (("agent-1", "-n", "codex", "--from", registry_file), "codex is known already"),
        (("agent-1", "-n", "Mine", "--from", registry_file), "can't be the name of an agent"),
        (("agent-99", "--from", registry_file), "it has no agent 'agent-99'. Did you mean"),
        (("agent-1", "--from", str(tmp_path / "none")), "does not exist"),
        (("agent-1", "--from", str(pipe)), "can't be read: it is not a regular file"),
        (("agent-1", "--from", str(wrong)), "it is not JSON"),
        (("agent-1",), "Missing --from FILE"),
    ):
        status, out, err = overmind("provider", "add", *words)
        assert (status != 0, out) == (True, "")
        assert said in err
    inside = overmind("provider", "add", "agent-2", "--from", registry_file, OVERMIND_MISSION_ID="5d1e77a0")
    assert "may not add an agent to config.toml" in inside[2]
    assert config.read_bytes() == before
    config.write_bytes(before + b"[queu]\n")
    assert "unknown table 'queu'" in overmind("provider", "add", "agent-2", "--from", registry_file)[2]


HOSTILE = ["a\x1b]0;x\x07b", "a\nprogram = 'x'", "a\ud800\udc9b", "\u202e\x00\x7f\x85\u2028", "#" * 3000]


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_a_registry_calls_an_agent_the_file_can_be_read(overmind, tmp_path, name):
    path = tmp_path / "registry.json"
    path.write_text(json.dumps({"agents": [{**REGISTRY["agents"][1], "name": name}]}), encoding="utf-8")
    status, _, err = overmind("provider", "add", "agent-1", "--from", str(path))
    assert (status, err) == (0, "")
    assert [row["program"] for row in json.loads(overmind("providers", "--json")[1])][-1] == "npx"


def test_what_can_not_be_written_is_one_sentence_and_nothing_is_written(overmind, tmp_path, registry_file):
    config = tmp_path / "home" / "config.toml"
    wrong = {**REGISTRY["agents"][1], "distribution": {"npx": {"package": "a@1", "args": ["\ud800"]}}}
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps({"agents": [wrong]}), encoding="utf-8")
    status, _, err = overmind("provider", "add", "agent-1", "--from", str(path))
    assert (status, config.exists()) == (1, False)
    assert "its args are not all texts" in err
    inline = 'providers = { claude = { program = "/opt/claude" } }\n'
    config.write_text(inline, encoding="utf-8")
    status, _, err = overmind("provider", "add", "agent-1", "--from", registry_file)
    assert (status, config.read_text(encoding="utf-8")) == (1, inline)
    assert "providers is an inline table, which takes no other: write [providers.NAME] for each of its entries" in err

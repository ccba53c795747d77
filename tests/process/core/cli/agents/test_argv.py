"""What an agent's program really sees of a command line: through request, supervisor and keeper to its own argv.

Only the two sockets in between are spared: what is sent through one is handed on as it is.
"""

from __future__ import annotations

import json
import os
import stat

import pytest

from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.providers.claude.command_line import LINES
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising
from tests.kit.keeper_client import KeeperProcess

BRIEF = "- \"brief\"\n$HOME `x` 'y' {file:append-system-prompt} *"
SEEN = """#!/bin/sh
for word in "$@"; do printf '%s\\0' "$word"; done > "$SEEN"
pwd > "$SEEN.cwd"
test -t 0 && echo terminal > "$SEEN.tty"
"""


class Machine:
    """Runs command lines of agents; the program that stands for each says what it was given."""

    def __init__(self, folder, overmind, keeper):
        self.folder = folder
        self.home = Home(str(folder / "home"))
        self._overmind = overmind
        self._keeper = keeper
        for name in ("claude", "codex"):
            (folder / name).write_text(SEEN, encoding="utf-8")
            (folder / name).chmod(0o700)

    def seen(self, *words):
        """The words that the program was started with, behind its name; and the mission's id."""
        started = self._overmind({"run": [{"ok": {"id": "a1b2c3d4", "name": "x"}}]}, *map(to_wire, words))
        assert (started.status, started.err) == (0, "")
        ((_, request),) = started.requests
        path = str(self.folder / "seen")
        request["env"] = {"PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}", "SEEN": path}
        mission, asked = in_process.run(self._asked(request))
        self._keeper.client().run(asked.pop("run"), asked.pop("argv"), **asked)
        with open(path, "rb") as file:
            return [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]], mission

    def has_terminal(self):
        return os.path.exists(self.folder / "seen.tty")

    async def _asked(self, request):
        """What the supervisor asks its keeper to start."""
        keeper = ScriptedKeeper(self.home)
        async with supervising(self.home, keeper) as inside:
            started = await inside.ask("run", **request)
        (asked,) = keeper.asked["spawn"]
        return started["id"], asked


@pytest.fixture(scope="module")
def keeper(tmp_path_factory, marker):
    """A real one, which starts what it is asked to."""
    made = KeeperProcess(str(tmp_path_factory.mktemp("keeper")), marker=marker)
    yield made
    made.end()


@pytest.fixture
def machine(tmp_path, overmind, keeper):
    return Machine(tmp_path, overmind, keeper)


def test_a_task_sees_each_option_as_it_was_written(machine):
    long = "long: " + "é" * 60_000
    words, mission = machine.seen(
        *("run", "--provider", "claude", "--model", "sonnet", "--permission-mode", "acceptEdits", "--max-turns", "3"),
        *("--max-cost", "0.5", "--allowed-tools", "Bash(git *)", "--allowed-tools", "Edit"),
        *("--disallowed-tools", "WebFetch", "--mcp-config", '{"mcpServers":{}}', "--append-system-prompt", long),
        *("--system-prompt", BRIEF, "--agent-arg", "--add-dir", "--agent-arg", "/größe 1", "--", "--fix", "it"),
    )
    session = words.pop(words.index("--session-id") + 1)
    private = words[words.index("--append-system-prompt-file") + 1]
    assert words == [
        "--mcp-config", '{"mcpServers":{}}', "--allowedTools", "Bash(git *)", "--allowedTools", "Edit",
        "--disallowedTools", "WebFetch", "--session-id", "--model", "sonnet", "--permission-mode", "acceptEdits",
        "--system-prompt", BRIEF, "--append-system-prompt-file", private,
        "--max-turns", "3", "--max-budget-usd", "0.500000", *LINES, "--add-dir", "/größe 1",
    ]  # fmt: skip
    assert len(session) == 36
    assert private == f"{machine.home.root}/files/{mission}/append-system-prompt"
    with open(private, encoding="utf-8") as file:
        assert file.read() == long
    assert stat.S_IMODE(os.stat(private).st_mode) == 0o600
    assert not machine.has_terminal()


def test_a_word_that_is_no_text_arrives_byte_by_byte(machine):
    words, _ = machine.seen(
        "run", "--provider", "claude", "--agent-arg", "--add-dir", "--agent-arg", "/x\udcff\udc80", "go"
    )
    assert words[-2:] == ["--add-dir", "/x\udcff\udc80"]


def test_a_session_on_a_terminal_sees_our_hooks_and_its_first_prompt(machine):
    words, mission = machine.seen(
        *("run", "--provider", "claude", "--type", "session", "--interactive", "--agent-arg", "--chrome"),
        *("--agent-arg", "--settings", "--agent-arg", '{"theme":"dark"}', "--", "--help me\nplease"),
    )
    assert words[0] == "--session-id"
    assert words[2] == "--settings"
    assert words[4:] == ["--chrome", "--", "--help me\nplease"]
    settings = json.loads(words[3])
    assert settings["theme"] == "dark"
    (hook,) = settings["hooks"]["Stop"][0]["hooks"]
    assert f" hook --mission {mission} --token " in hook["command"]
    assert machine.has_terminal()


def test_codex_is_started_as_a_server_on_its_pipes(machine):
    words, _ = machine.seen("run", "--provider", "codex", "--model", "o9", "--agent-arg", "--oss", "go on")
    assert words == ["app-server", "--oss"]
    assert not machine.has_terminal()

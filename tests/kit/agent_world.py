"""A person with a `claude`: a home, a project, the program in it, the real one or the stand-in."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from tests.kit.agent_lines import AgentLines
from tests.kit.agent_screen import AgentScreen
from tests.kit.claude import API_KEY
from tests.kit.processes import MARKER

QUIET = dict.fromkeys(
    (
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        "DISABLE_AUTOUPDATER",
        "DISABLE_BUG_COMMAND",
        "DISABLE_ERROR_REPORTING",
        "DISABLE_TELEMETRY",
    ),
    "1",
)
LINES = ("-p", "--output-format", "stream-json", "--verbose")
SESSION = (*LINES, "--input-format", "stream-json", "--replay-user-messages")
ASKING = (*SESSION, "--permission-prompt-tool", "stdio")
MANUAL = ("--permission-mode", "manual")


class AgentWorld:
    """One person, one project.

    Args:
        folder: Empty; home and project are made in it.
        program: Path of a `claude`.
        api: Address of the API.
        marker: What the processes of this test run carry.

    Attributes:
        home: The person's.
        work: The project's folder, which is trusted.
        environment: All that a program gets; nothing of the tests' own.
    """

    def __init__(self, folder: str, program: str, api: str, marker: str) -> None:
        self.program = program
        self.home = os.path.join(folder, "home")
        self.work = os.path.join(folder, "work")
        os.mkdir(self.home)
        os.mkdir(self.work)
        self.environment = QUIET | {
            "ANTHROPIC_API_KEY": API_KEY,
            "ANTHROPIC_BASE_URL": api,
            "CLAUDE_CODE_MAX_RETRIES": "1",
            "HOME": self.home,
            "LANG": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "SHELL": "/bin/bash",
            "TERM": "xterm-256color",
            MARKER: marker,
        }
        self.set_up()

    def set_up(self, **changes: Any) -> None:
        """Write what the full-screen program keeps about its person; None as a value leaves a key out.

        Without it there are dialogs before the first prompt.
        """
        kept: dict[str, Any] = {
            "hasCompletedOnboarding": True,
            "hasSeenAutoDefaultNudge": True,
            "customApiKeyResponses": {"approved": [API_KEY], "rejected": []},
            "projects": {self.work: {"hasTrustDialogAccepted": True}},
        }
        kept = {name: value for name, value in {**kept, **changes}.items() if value is not None}
        _write(os.path.join(self.home, ".claude.json"), kept)

    def set_settings(self, settings: Mapping[str, Any]) -> None:
        """Write the person's own settings."""
        os.makedirs(os.path.join(self.home, ".claude"), exist_ok=True)
        _write(os.path.join(self.home, ".claude", "settings.json"), settings)

    def lines(
        self, *words: str, mode: Sequence[str] = ASKING, env: Mapping[str, str | None] | None = None
    ) -> AgentLines:
        """Start the program without a terminal; `mode`: one of this module's."""
        return AgentLines([self.program, *mode, *words], self._world(env), self.work)

    def once(self, prompt: str, *words: str, env: Mapping[str, str | None] | None = None) -> tuple[int, AgentLines]:
        """Run the program for one prompt, to its end; return its exit status and what it printed."""
        with self.lines(*words, mode=LINES, env=env) as lines:
            lines.send_bytes(prompt.encode())
            return lines.end(), lines

    def screen(
        self,
        *words: str,
        mode: Sequence[str] = MANUAL,
        size: tuple[int, int] = (80, 24),
        env: Mapping[str, str | None] | None = None,
    ) -> AgentScreen:
        """Start the program on a terminal."""
        return AgentScreen([self.program, *mode, *words], self._world(env), self.work, size)

    def conversation(self, session: str) -> str:
        """Return what is stored of a conversation; "" = nothing is."""
        paths = glob.glob(os.path.join(self.home, ".claude", "projects", "*", f"{session}.jsonl"))
        return "".join(map(_read, paths))

    def path(self, *names: str) -> str:
        """Return a path in the project."""
        return os.path.join(self.work, *names)

    def _world(self, changes: Mapping[str, str | None] | None) -> dict[str, str]:
        return {name: value for name, value in {**self.environment, **(changes or {})}.items() if value is not None}


def _write(path: str, value: Mapping[str, Any]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(value, file)


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()

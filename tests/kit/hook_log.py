"""Hooks for a test: what they were told, and what they say to it."""

from __future__ import annotations

import json
import os
import shlex
from typing import Any

from tests.kit.waiting import eventually

EVENTS = (
    "SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure", "PermissionRequest",
    "Notification", "Stop", "StopFailure", "SessionEnd",
)  # fmt: skip


class HookLog:
    """Hooks that write down every event.

    Args:
        folder: Where the log is.
        name: Of the log.
    """

    def __init__(self, folder: str, name: str = "hooks") -> None:
        self._log = os.path.join(folder, f"{name}.log")

    def settings(self, *, answers: str = "", timeout: int = 0) -> dict[str, Any]:
        """Return settings with a hook for each event.

        Args:
            answers: A shell script that PermissionRequest runs after it has written its event down; what it prints is
                the answer.
            timeout: Seconds for that one; 0 = the program's own.
        """
        note = f'printf "%s\\n" "$(cat)" >>{shlex.quote(self._log)}'  # one write: hooks run side by side
        hooks = {event: _group(note) for event in EVENTS}
        hooks["PermissionRequest"] = _group(f"{note}; {answers}" if answers else note, timeout)
        return {"hooks": hooks}

    def argument(self, **how: Any) -> tuple[str, str]:
        """Return the settings as an argument of the command line."""
        return "--settings", json.dumps(self.settings(**how))

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Return what was told so far; `name`: of this event alone."""
        if not os.path.exists(self._log):
            return []
        with open(self._log, encoding="utf-8") as file:
            told = [json.loads(line) for line in file if line.strip()]
        return [event for event in told if name in {"", event["hook_event_name"]}]

    def names(self) -> list[str]:
        """Return the events' names so far."""
        return [event["hook_event_name"] for event in self.events()]

    def until(self, name: str, count: int = 1) -> dict[str, Any]:
        """Wait for the `count`th event of this name."""
        eventually(lambda: len(self.events(name)) >= count, timeout=30.0, what=f"{count} × {name}")
        return self.events(name)[count - 1]


def decision(behavior: str, **more: Any) -> str:
    """Return the shell command that prints an answer to a permission question."""
    said = {"hookEventName": "PermissionRequest", "decision": {"behavior": behavior, **more}}
    return f"printf %s {shlex.quote(json.dumps({'hookSpecificOutput': said}))}"


def _group(command: str, timeout: int = 0) -> list[dict[str, Any]]:
    hook: dict[str, Any] = {"type": "command", "command": command}
    return [{"hooks": [hook | ({"timeout": timeout} if timeout else {})]}]

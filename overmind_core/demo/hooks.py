"""What the scripted agent on a terminal tells of itself: the commands that its settings name for each event."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

_PATIENCE = 10.0
"""Seconds for a hook whose answer nobody needs."""


class Hooks:
    """Calls them.

    Args:
        settings: JSON, as the option `--settings` carries it.
        session: The conversation's id.
    """

    def __init__(self, settings: str, session: str) -> None:
        try:
            self._by_event: Mapping[str, Any] = json.loads(settings).get("hooks", {})
        except (ValueError, AttributeError):
            self._by_event = {}
        self._session = session
        self.turn = ""
        """Names the turn under way."""

    def tell(self, event: str, **fields: Any) -> None:  # noqa: ANN401 - any JSON
        """Tell them of an event, and wait until they know."""
        for hook in self.begin(event, **fields):
            try:
                hook.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                stop([hook])

    def begin(self, event: str, **fields: Any) -> list[subprocess.Popen[bytes]]:  # noqa: ANN401 - any JSON
        """The same without waiting: the processes."""
        payload = {
            "hook_event_name": event,
            "session_id": self._session,
            "cwd": os.getcwd(),
            "prompt_id": self.turn,
            **fields,
        }
        return [_started(command, json.dumps(payload).encode()) for command in self._commands(event)]

    def _commands(self, event: str) -> list[str]:
        entries = self._by_event.get(event, [])
        return [str(hook["command"]) for entry in entries for hook in entry.get("hooks", []) if "command" in hook]


def _started(command: str, payload: bytes) -> subprocess.Popen[bytes]:
    hook = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    assert hook.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it wants to know nothing
        hook.stdin.write(payload)
        hook.stdin.close()
    hook.stdin = None
    return hook


def decision(said: bytes) -> Mapping[str, Any] | None:
    """The decision over a permission that a hook printed; None when it printed none."""
    try:
        found = json.loads(said)["hookSpecificOutput"]["decision"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) else None


def stop(hooks: Sequence[subprocess.Popen[bytes]]) -> None:
    """End those that still wait, with what their shells started."""
    for hook in hooks:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(hook.pid, signal.SIGKILL)
        hook.wait()
        if hook.stdout is not None:
            hook.stdout.close()

"""What a conversation looks like on the screen: events → lines. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from tests.kit.standin.events import Event
from tests.kit.standin.questions import Decision

INTERRUPTED = "  ⎿  Interrupted · What should Claude do instead?"


class Transcript:
    """The lines so far."""

    def __init__(self, head: Iterable[str]) -> None:
        self._head = list(head)
        self.lines = list(self._head)
        self._partial = ""
        self._mark = 0

    def shown(self) -> list[str]:
        """Return the lines, with what has come of the one that is being said."""
        return [*self.lines, "● " + self._partial] if self._partial else self.lines

    def clear(self) -> None:
        """Begin anew."""
        self.lines = [*self._head, "❯ /clear", ""]

    def person(self, text: str) -> None:
        """The person said something."""
        self._mark = len(self.lines)
        self.lines += ["❯ " + text.replace("\n", "\n  "), ""]

    def take_back(self) -> None:
        """Forget what the person said last."""
        del self.lines[self._mark :]

    def note(self, text: str) -> None:
        """The program said something."""
        self.lines += [text, ""]

    def decided(self, decision: Decision) -> None:
        """A hook has answered a question."""
        if decision.by == "hook":
            outcome = "Allowed" if decision.behavior == "allow" else "Denied"
            self.lines += [f"  ⎿  {outcome} by PermissionRequest hook"]

    def show(self, event: Event) -> None:
        """Add what an event tells a person."""
        if event["type"] == "stream_event":
            self._partial += event["event"].get("delta", {}).get("text", "")
        elif event["type"] == "assistant":
            self._partial = ""
            for block in event["message"]["content"]:
                self._said(block)
        elif event["type"] == "user" and not event.get("isReplay"):
            for block in event["message"]["content"]:
                self._told(block)
        elif event["type"] == "result" and not event["is_error"]:
            moment = time.strftime("%-I:%M %p")
            self.lines += [f"✻ Worked for {event['duration_ms'] // 1000}s · done {moment}", ""]

    def _said(self, block: dict[str, Any]) -> None:
        if block["type"] == "text":
            self.lines += ["● " + block["text"].replace("\n", "\n  "), ""]
        elif block["type"] == "tool_use" and block["name"] == "Bash":
            self.lines += ["● Stub command", f"  ⎿  $ {block['input']['command']}"]
        elif block["type"] == "tool_use":
            self.lines += [f"● {block['name']}"]

    def _told(self, block: dict[str, Any]) -> None:
        if block["type"] == "text":
            self.lines += [INTERRUPTED, ""]
        elif block["is_error"] and not block["content"].startswith("The user doesn't want"):
            self.lines += [f"  ⎿  Error: {block['content']}", ""]

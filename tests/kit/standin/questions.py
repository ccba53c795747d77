"""What waits for somebody's yes or no; the first answer counts."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tests.kit.standin import ids
from tests.kit.standin.permissions import QUESTIONS


class Decision(NamedTuple):
    """An answer."""

    behavior: str
    """allow or deny."""
    by: str
    """person, hook, config, or interrupt where the turn was stopped instead."""
    message: str = ""
    arguments: Mapping[str, Any] | None = None
    """The tool's arguments instead of those asked about; None = the same."""
    updates: Sequence[Mapping[str, Any]] = ()
    """Permissions that hold from now on."""
    interrupt: bool = False
    """A no that also stops the turn."""


class Question:
    """One open question about one tool call."""

    def __init__(self, call: Mapping[str, Any], suggestions: Sequence[Mapping[str, Any]], path: str) -> None:
        self.id = ids.uuid4()
        self.tool: str = call["name"]
        self.arguments: dict[str, Any] = call["input"]
        self.tool_use_id: str = call["id"]
        self.suggestions = suggestions
        self.path = path
        self._answered = threading.Event()
        self._lock = threading.Lock()
        self._decision: Decision | None = None

    def answer(self, decision: Decision) -> bool:
        """Settle it; False where that was done before, or where a bare yes says nothing."""
        if decision.behavior == "allow" and self.tool in QUESTIONS and decision.arguments is None:
            return False
        with self._lock:
            if self._decision:
                return False
            self._decision = decision
        self._answered.set()
        return True

    def wait(self) -> Decision:
        """Return the answer when it is there."""
        self._answered.wait()
        if self._decision is None:
            raise RuntimeError("answered without a decision")
        return self._decision

    @property
    def open(self) -> bool:
        """Whether nobody has answered."""
        return self._decision is None


def parse(answer: Mapping[str, Any], by: str) -> Decision:
    """Read an answer in the form that control responses and hooks share."""
    return Decision(
        behavior=answer.get("behavior", "deny"),
        by=by,
        message=answer.get("message", ""),
        arguments=answer.get("updatedInput"),
        updates=answer.get("updatedPermissions", ()),
        interrupt=bool(answer.get("interrupt")),
    )

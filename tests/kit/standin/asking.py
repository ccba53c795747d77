"""May a tool call run? By the rules, or by whoever answers first: the person, a hook, an interruption."""

from __future__ import annotations

import threading
from typing import Any

from tests.kit.directives import Block
from tests.kit.standin import permissions
from tests.kit.standin.questions import Decision, Question
from tests.kit.standin.turn_state import TurnState

NOTIFIED_AFTER = 6.0
"""Seconds that a question is open before the notification."""
STOPPED = Decision("deny", "interrupt", interrupt=True)
DENIED = {"permission_decision": {"decision": "reject", "source": "config"}}


class Asking:
    """Decides about the tool calls of a turn."""

    def __init__(self, turn: TurnState) -> None:
        self._turn = turn

    def decide(self, call: Block, *, always_asks: bool = False) -> Decision:
        """Return whether it may run, asking where the rules do not say; nobody is asked once the turn was stopped.

        Args:
            call: The use of a tool.
            always_asks: Whether rules that allow it do not count.
        """
        if self._turn.stopped.is_set():
            return STOPPED
        world = self._turn.world
        verdict = world.permissions.verdict(call["name"], call["input"])
        if verdict == "allow" and not always_asks:
            return Decision("allow", "config")
        if verdict == "deny":
            command = call["input"].get("command")
            subject = f"{call['name']} with command {command}" if command else call["name"]
            return Decision("deny", "rule", f"Permission to use {subject} has been denied.")
        return self._ask(call)

    def _ask(self, call: Block) -> Decision:
        world, front = self._turn.world, self._turn.front
        name, arguments = call["name"], call["input"]
        offered = permissions.suggestions(name, arguments, world.cwd)
        question = Question(call, offered, permissions.blocked_path(name, arguments, world.cwd))
        about = {"tool_name": name, "tool_input": arguments} | ({"permission_suggestions": offered} if offered else {})
        payload = world.payload("PermissionRequest", **self._turn.state(), **about)
        race = world.hooks.race("PermissionRequest", payload, name, question.answer)
        self._turn.question = question
        if self._turn.stopped.is_set():  # whoever did that may not have seen the question
            question.answer(STOPPED)
        if front.can_ask:
            decision = self._wait(question)
        else:
            race.wait()
            question.answer(self._nobody(call))
            decision = question.wait()
        if decision.interrupt:
            race.stop()
        return decision

    def _nobody(self, call: Block) -> Decision:
        if self._turn.front.refusal:
            return Decision("deny", "person", self._turn.front.refusal)
        return Decision("deny", "config", permissions.refusal(call["name"], call["input"], self._turn.world.cwd))

    def _wait(self, question: Question) -> Decision:
        reminder = threading.Timer(NOTIFIED_AFTER, self._remind, [question])
        reminder.daemon = True
        reminder.start()
        self._turn.front.asked(question)
        decision = question.wait()
        reminder.cancel()
        self._turn.front.settled(question, decision)
        return decision

    def _remind(self, question: Question) -> None:
        message = f"Claude needs your permission to use {question.tool}"
        self._turn.hook("Notification", message=message, notification_type="permission_prompt")


def accepted(decision: Decision) -> dict[str, Any]:
    """What the line of a tool's result tells about a yes."""
    if decision.by == "person":
        return {"permission_decision": {"decision": "accept", "source": "user_temporary"}}
    kind = "hook" if decision.by == "hook" else "rule"
    return {"permission_decision": {"decision": "accept", "source": decision.by, "reason_type": kind}}


def refused(decision: Decision) -> dict[str, Any]:
    """The same about a no."""
    if decision.by == "config":
        return {"non_execution_kind": "user-rejected", **DENIED}
    source = {"person": "user_reject", "rule": "config"}.get(decision.by, decision.by)
    return {
        "non_execution_kind": "permission-rule",
        "permission_decision": {"decision": "reject", "source": source},
    }

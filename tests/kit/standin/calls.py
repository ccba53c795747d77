"""The tool calls of a turn: they run, or are told why not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NoReturn

from tests.kit.directives import Block
from tests.kit.standin import asking, script
from tests.kit.standin.asking import Asking
from tests.kit.standin.questions import Decision
from tests.kit.standin.tools import NotBegun, Outcome
from tests.kit.standin.turn_state import Interrupted, TurnState

REJECTED = (
    "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit, the "
    "new_string was NOT written to the file). STOP what you are doing and wait for the user to tell you how to proceed."
)
STOPPED = (
    REJECTED + " Correction to the text above: this call was stopped while running, not refused before it ran. It may "
    "have run in part or in full, and its changes may have been written. No permission prompt was involved."
)


class Calls:
    """Runs tool calls, one after the other."""

    def __init__(self, turn: TurnState) -> None:
        self._turn = turn
        self._asking = Asking(turn)

    def run(self, call: Block) -> None:
        """Run one.

        Raises:
            Interrupted: it was stopped, or refused so that the turn ends.
        """
        self.begin(call)
        decision = self.ask(call, always_asks=script.always_asks(self._turn.world.conversation.texts()))
        if decision.behavior == "allow":
            self._allowed(call, decision)

    def begin(self, call: Block) -> None:
        """Tell hooks that it is about to be."""
        self._hook("PreToolUse", call, tool_use_id=call["id"])

    def ask(self, call: Block, *, always_asks: bool = True) -> Decision:
        """Return whether it may run; a refusal has been told.

        Raises:
            Interrupted: it was refused so that the turn ends.
        """
        decision = self._asking.decide(call, always_asks=always_asks)
        if decision.interrupt:
            self._deny(call)
            self._stop(call, REJECTED)
        if decision.behavior != "allow":
            self._refuse(call, decision)
        return decision

    def end(self, call: Block, outcome: Outcome) -> None:
        """Tell what one has done that did not run here."""
        self._ran(call, outcome, 0)
        self._tell(call, outcome, asking.accepted(Decision("allow", "config")))

    def stopped(self, call: Block) -> NoReturn:
        """Tell that the person stopped it while it ran, and end the turn."""
        self._stop(call, STOPPED)

    def _allowed(self, call: Block, decision: Decision) -> None:
        world = self._turn.world
        for update in decision.updates:
            world.keep(update)
        began = time.monotonic()
        try:
            outcome = world.tools.run(call["name"], decision.arguments or call["input"], self._turn.stopped)
        except NotBegun:
            self._stop(call, REJECTED)
        if self._turn.stopped.is_set():
            self._stop(call, STOPPED)
        self._ran(call, outcome, int((time.monotonic() - began) * 1000))
        if call["name"] == "ExitPlanMode":
            world.permissions.mode = "default"
            self._turn.emit(world.events.system("status", status=None, permissionMode="default"))
        self._tell(call, outcome, asking.accepted(decision))

    def _ran(self, call: Block, outcome: Outcome, milliseconds: int) -> None:
        took = {"tool_use_id": call["id"], "duration_ms": milliseconds}
        if outcome.is_error:
            self._hook("PostToolUseFailure", call, error=outcome.content, is_interrupt=False, **took)
        else:
            self._hook("PostToolUse", call, tool_response=outcome.detail, **took)

    def _refuse(self, call: Block, decision: Decision) -> None:
        self._deny(call)
        if decision.by in {"config", "rule"}:
            fields = {"tool_name": call["name"], "tool_use_id": call["id"]}
            reason = {"decision_reason_type": "rule"} if decision.by == "rule" else {}
            self._turn.emit(
                self._turn.world.events.system("permission_denied", **fields, **reason, message=decision.message)
            )
        outcome = Outcome(decision.message, f"Error: {decision.message}", is_error=True)
        self._tell(call, outcome, asking.refused(decision))

    def _stop(self, call: Block, words: str) -> NoReturn:
        """Tell that the person stopped this call, and end the turn."""
        outcome = Outcome(words, "User rejected tool use", is_error=True)
        self._tell(call, outcome, {"non_execution_kind": "user-rejected"})
        raise Interrupted(while_tool=True)

    def _deny(self, call: Block) -> None:
        denial = {"tool_name": call["name"], "tool_use_id": call["id"], "tool_input": call["input"]}
        self._turn.denials.append(denial)

    def _tell(self, call: Block, outcome: Outcome, meta: Mapping[str, Any]) -> None:
        block = {"tool_use_id": call["id"], "type": "tool_result", "content": outcome.content}
        block["is_error"] = outcome.is_error
        about = [{"id": call["id"], **meta}]
        self._turn.messages += 1
        self._turn.store("user", [block])
        self._turn.emit(self._turn.world.events.user([block], tool_use_result=outcome.detail, tool_result_meta=about))

    def _hook(self, event: str, call: Block, **fields: Any) -> None:
        about = {"tool_name": call["name"], "tool_input": call["input"]}
        self._turn.hook(event, call["name"], **self._turn.state(), **about, **fields)

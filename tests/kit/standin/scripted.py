"""A turn of the stand-in that plays a script instead of answering: its steps as what an agent says and does.

The file that STAND_IN_SCRIPT names is the script; its steps: `overmind_core/demo/script.py`. It begins with the first
prompt of a process, and costs what its steps say. A process that the script has nothing for, or nothing more, answers
as ever.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from overmind_core.demo import script
from overmind_core.demo.script_player import UNUSABLE, Player, StepFailed
from overmind_core.demo.stage import QuestionReply
from tests.kit.directives import Block, Reply
from tests.kit.standin import ids, results
from tests.kit.standin.calls import Calls
from tests.kit.standin.events import message_usage
from tests.kit.standin.options import Refused
from tests.kit.standin.outage import Outage
from tests.kit.standin.results import Ending
from tests.kit.standin.tools import Outcome
from tests.kit.standin.turn_state import TurnState
from tests.kit.standin.usage import INPUT_PRICE

SCRIPT = "STAND_IN_SCRIPT"


def player(environment: Mapping[str, str]) -> Player | None:
    """Return who plays in a process with this environment; None where it is to answer by itself.

    Raises:
        Refused: the script can't be played.
    """
    path = environment.get(SCRIPT)
    if not path:
        return None
    try:
        steps = script.steps_for(script.load(path), script.role(environment))
    except (OSError, script.InvalidScript) as error:
        raise Refused(str(error)) from None
    return None if steps is None else Player(steps)


class _TurnOver(Exception):
    """The turn is over before its steps are."""

    def __init__(self, ending: Ending) -> None:
        super().__init__()
        self.ending = ending


class ScriptedTurn:
    """Plays a part of the script in one turn; a stage for its player."""

    def __init__(self, turn: TurnState, calls: Calls) -> None:
        self._turn = turn
        self._calls = calls
        self._open: Block | None = None
        """The call of a tool that has not returned."""
        self._asked = False
        self._rounds = 0

    def play(self, steps: Player) -> Ending:
        """Play until the turn is over.

        Raises:
            Interrupted: somebody stopped it.
        """
        if not self._turn.world.logged_in():
            return Outage(self._turn).end(Reply(error=401))
        try:
            if steps.has_begun:
                self.say("heard: " + "\n".join(self._turn.prompt.texts()))
            steps.play(self)
        except _TurnOver as over:
            return over.ending
        except StepFailed as error:
            sys.stderr.write(f"{error}\n")
            sys.stderr.flush()
            os._exit(UNUSABLE)
        self._turn.replay()
        return Ending("completed", text=self._turn.said, streamed=True)

    # what its steps show

    def say(self, text: str) -> None:
        """A message of the model."""
        self._speak({"type": "text", "text": text})
        self._turn.said = text

    def call(self, tool: str, subject: Mapping[str, Any]) -> str:
        """A message of the model that uses a tool, and what hooks are told before that."""
        block = {"type": "tool_use", "id": f"toolu_standin_{ids.uuid4()[:8]}", "name": tool, "input": dict(subject)}
        self._speak(block)
        self._open = block
        self._calls.begin(block)
        return str(block["id"])

    def returned(self, call: str, text: str, *, failed: bool = False) -> None:
        """What the tool says, also to hooks."""
        del call
        if self._open is None:  # a refusal has been told
            return
        block, self._open = self._open, None
        self._calls.end(block, Outcome(text, f"Error: {text}" if failed else text, is_error=failed))
        self._count_round()

    def ask(self, call: str, tool: str, subject: Mapping[str, Any]) -> QuestionReply:
        """A question, unless a rule denies it."""
        del call, tool, subject
        assert self._open is not None
        decision = self._calls.ask(self._open)
        if decision.behavior == "allow":
            answers = (decision.arguments or {}).get("answers", {})
            return QuestionReply(allowed=True, chosen=", ".join(map(str, answers.values())))
        self._open = None
        self._count_round()
        return QuestionReply(allowed=False, said=decision.message)

    def wait(self, seconds: float) -> None:
        """Wait, and stop when somebody wants that."""
        if self._turn.stopped.wait(seconds) and self._open is not None:
            self._calls.stopped(self._open)
        self._turn.pause(0)

    def spend(self, dollars: float) -> None:
        """A message of the model that has read so much."""
        self._turn.world.meter.spend(dollars)
        self._speak({"type": "text", "text": f"cost ${dollars:g}"}, tokens=round(dollars / INPUT_PRICE))
        if self._turn.world.too_dear():
            sentence = f"Reached maximum budget (${self._turn.world.options.max_cost:g})"
            raise _TurnOver(results.too_much(sentence, "budget_exhausted", "budget_usd"))

    def limited(self, seconds: float) -> NoReturn:
        """The limit of a subscription, which resets in so many whole seconds."""
        raise _TurnOver(Outage(self._turn).end(Reply(error=429, resets_in=max(1, -int(-seconds // 1)))))

    def failed(self, status: int) -> NoReturn:
        """The API says so, until the program gives up."""
        raise _TurnOver(Outage(self._turn).end(Reply(error=status)))

    # parts of that

    def _speak(self, block: Block, *, tokens: int = 0) -> None:
        turn = self._turn
        self.wait(0)
        turn.replay()
        message_id = "msg_standin_" + ids.uuid4()[:8]
        used = message_usage(tokens) | {"output_tokens": 0}
        event = turn.world.events.assistant(message_id, block, tokens, **turn.first())
        event["message"]["usage"] = used
        stop = "tool_use" if block["type"] == "tool_use" else "end_turn"
        about = {"id": message_id, "model": turn.world.model, "stop_reason": stop, "usage": used}
        turn.store("assistant", [block], about=about)
        turn.emit(event)

    def _count_round(self) -> None:
        self._rounds += 1
        if self._rounds == self._turn.world.options.max_turns:
            sentence = f"Reached maximum number of turns ({self._rounds})"
            raise _TurnOver(results.too_much(sentence, "max_turns", "turns"))

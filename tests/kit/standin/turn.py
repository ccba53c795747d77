"""One turn: a prompt, what the model says to it, the tools it calls, the result."""

from __future__ import annotations

import time

from tests.kit.standin import ids, results
from tests.kit.standin.asking import STOPPED
from tests.kit.standin.calls import Calls
from tests.kit.standin.events import Event
from tests.kit.standin.model_reply import ModelReply
from tests.kit.standin.outage import Outage
from tests.kit.standin.results import Ending, Figures
from tests.kit.standin.turn_state import Front, Interrupted, Prompt, TurnState
from tests.kit.standin.world import World


class Turn:
    """One turn in the world of one process; runs in a thread of its own, and is stopped from others.

    Args:
        world: Of the process.
        front: Who shows what happens.
        prompt: What is answered.
        index: Number of this turn in its process, from 0.
    """

    def __init__(self, world: World, front: Front, prompt: Prompt, *, index: int) -> None:
        self._world = world
        self._index = index
        self._turn = TurnState(world, front, prompt)
        self._began = time.monotonic()

    def interrupt(self) -> None:
        """Stop it as soon as may be."""
        self._turn.stopped.set()
        if self._turn.question:
            self._turn.question.answer(STOPPED)
        self._world.tools.kill()

    def run(self) -> Event:
        """Run it to its end, and return the result line."""
        self._begin()
        try:
            ending = self._converse()
        except Interrupted as stop:
            ending = self._interrupted(while_tool=stop.while_tool)
        return self._finish(ending)

    def _begin(self) -> None:
        turn, world = self._turn, self._world
        world.prompt_id = ids.uuid4()
        texts = turn.prompt.texts()
        for said in texts if world.entrypoint == "cli" else ["\n\n".join(texts)]:
            turn.hook("UserPromptSubmit", permission_mode=world.permissions.mode, prompt=said)
        turn.store("user", [{"type": "text", "text": text} for text in texts], uuids=list(turn.prompt.uuids))
        named = turn.answered()
        named.pop("user_message_uuid", None)
        turn.emit(world.init() | named)
        if world.options.partial:
            turn.emit(world.events.system("status", status="requesting"))

    def _converse(self) -> Ending:
        spoken_reply, calls = ModelReply(self._turn), Calls(self._turn)
        if (player := self._world.player) is not None and player.waits:
            from tests.kit.standin.scripted import ScriptedTurn  # not every stand-in has a script

            return ScriptedTurn(self._turn, calls).play(player)
        rounds = 0
        while True:
            answer = spoken_reply.ask()
            if answer.error:
                return Outage(self._turn).end(answer)
            wanted = [block for block in spoken_reply.stream(answer) if block["type"] == "tool_use"]
            if not wanted:
                return Ending("completed", text=self._turn.said, streamed=True)
            if self._world.too_dear():
                return results.too_much(
                    f"Reached maximum budget (${self._world.options.max_cost:g})", "budget_exhausted", "budget_usd"
                )
            for call in wanted:
                calls.run(call)
            rounds += 1
            if rounds == self._world.options.max_turns:
                return results.too_much(f"Reached maximum number of turns ({rounds})", "max_turns", "turns")

    def _interrupted(self, *, while_tool: bool) -> Ending:
        turn = self._turn
        if self._world.entrypoint == "cli" and not (while_tool or turn.said or turn.partial):
            return self._taken_back()
        note = "[Request interrupted by user for tool use]" if while_tool else "[Request interrupted by user]"
        turn.messages += 1
        turn.store("user", [{"type": "text", "text": note}])
        turn.emit(self._world.events.user([{"type": "text", "text": note}]))
        reason = "tool_use" if while_tool else None
        return Ending(
            "aborted_tools" if while_tool else "aborted_streaming", "error_during_execution", is_error=True,
            stop_reason=reason,
            errors=(f"[ede_diagnostic] result_type=user last_content_type=n/a stop_reason={reason or 'null'}",),
        )  # fmt: skip

    def _taken_back(self) -> Ending:
        """On a terminal, a message of whose answer nothing was shown goes back to where it was typed."""
        self._world.conversation.take_back()
        self._turn.emit({"type": "taken_back", "text": "\n".join(self._turn.prompt.texts())})
        return Ending("aborted_streaming", "error_during_execution", is_error=True)

    def _finish(self, ending: Ending) -> Event:
        turn, world = self._turn, self._world
        if ending.terminal_reason == "completed":
            turn.hook("Stop", **turn.state(), stop_hook_active=False, last_assistant_message=turn.said,
                        background_tasks=[], session_crons=[])  # fmt: skip
        usage, since = world.meter.take_turn()
        figures = Figures(
            usage, world.meter.total, since, world.meter.dollars(), int((time.monotonic() - self._began) * 1000),
            turn.messages, turn.denials, self._index, turn.begun if world.options.partial else None,
        )  # fmt: skip
        return results.result(world.conversation.id, ending, figures, turn.answered())

"""One turn: a prompt, what the model says to it, the tools it calls, the result."""

from __future__ import annotations

import time

from tests.kit.standin import ids, results
from tests.kit.standin.calls import Calls
from tests.kit.standin.course import Course, Front, Interrupted, Prompt
from tests.kit.standin.events import Event
from tests.kit.standin.outage import Outage
from tests.kit.standin.questions import Decision
from tests.kit.standin.results import Ending, Figures
from tests.kit.standin.speech import Speech
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
        self._course = Course(world, front, prompt)
        self._began = time.monotonic()

    def interrupt(self) -> None:
        """Stop it as soon as may be."""
        self._course.stopped.set()
        if self._course.question:
            self._course.question.answer(Decision("deny", "interrupt", interrupt=True))
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
        course, world = self._course, self._world
        world.prompt_id = ids.uuid4()
        texts = course.prompt.texts()
        for said in texts if world.entrypoint == "cli" else ["\n\n".join(texts)]:
            course.hook("UserPromptSubmit", permission_mode=world.permissions.mode, prompt=said)
        course.store("user", [{"type": "text", "text": text} for text in texts], uuids=list(course.prompt.uuids))
        named = course.answered()
        named.pop("user_message_uuid", None)
        course.emit(world.init() | named)
        if world.options.partial:
            course.emit(world.events.system("status", status="requesting"))

    def _converse(self) -> Ending:
        speech, calls = Speech(self._course), Calls(self._course)
        rounds = 0
        while True:
            answer = speech.ask()
            if answer.error:
                return Outage(self._course).end(answer)
            wanted = [block for block in speech.stream(answer) if block["type"] == "tool_use"]
            if not wanted:
                return Ending("completed", text=self._course.said, streamed=True)
            if self._world.too_dear():
                return _too_much(
                    f"Reached maximum budget (${self._world.options.max_cost:g})", "budget_exhausted", "budget_usd"
                )
            for call in wanted:
                calls.run(call)
            rounds += 1
            if rounds == self._world.options.max_turns:
                return _too_much(f"Reached maximum number of turns ({rounds})", "max_turns", "turns")

    def _interrupted(self, *, while_tool: bool) -> Ending:
        course = self._course
        if self._world.entrypoint == "cli" and not (while_tool or course.said or course.partial):
            return self._taken_back()
        note = "[Request interrupted by user for tool use]" if while_tool else "[Request interrupted by user]"
        course.messages += 1
        course.store("user", [{"type": "text", "text": note}])
        course.emit(self._world.events.user([{"type": "text", "text": note}]))
        reason = "tool_use" if while_tool else None
        return Ending(
            "aborted_tools" if while_tool else "aborted_streaming", "error_during_execution", is_error=True,
            stop_reason=reason,
            errors=(f"[ede_diagnostic] result_type=user last_content_type=n/a stop_reason={reason or 'null'}",),
        )  # fmt: skip

    def _taken_back(self) -> Ending:
        """On a terminal, a message of whose answer nothing was shown goes back to where it was typed."""
        self._world.conversation.take_back()
        self._course.emit({"type": "taken_back", "text": "\n".join(self._course.prompt.texts())})
        return Ending("aborted_streaming", "error_during_execution", is_error=True)

    def _finish(self, ending: Ending) -> Event:
        course, world = self._course, self._world
        if ending.terminal_reason == "completed":
            course.hook("Stop", **course.state(), stop_hook_active=False, last_assistant_message=course.said,
                        background_tasks=[], session_crons=[])  # fmt: skip
        usage, since = world.meter.take_turn()
        figures = Figures(
            usage, world.meter.total, since, world.meter.dollars(), int((time.monotonic() - self._began) * 1000),
            course.messages, course.denials, self._index,
        )  # fmt: skip
        return results.result(world.conversation.id, ending, figures, course.answered())


def _too_much(sentence: str, reason: str, what: str) -> Ending:
    return Ending(reason, f"error_max_{what}", is_error=True, stop_reason="tool_use", errors=(sentence,))

"""What the parts of one turn share: the prompt, what was said so far, and whether somebody stopped it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from tests.kit.directives import Block
from tests.kit.standin import hooks, ids
from tests.kit.standin.events import Event
from tests.kit.standin.questions import Decision, Question
from tests.kit.standin.usage import input_tokens
from tests.kit.standin.world import World


class Front(Protocol):
    """Who shows what happens, and who can be asked."""

    can_ask: bool
    refusal: str
    """What is said to a question once nobody can be asked any more; "" = nobody ever could."""

    def emit(self, event: Event) -> None:
        """Show a line."""

    def write(self, data: bytes) -> None:
        """Put bytes where the lines go."""

    def asked(self, question: Question) -> None:
        """A question is open."""

    def settled(self, question: Question, decision: Decision) -> None:
        """It is answered."""


class Prompt(NamedTuple):
    """What is answered in one turn: one message, or several that had waited."""

    content: Sequence[Block]
    uuids: Sequence[str] = ()
    """Of the messages that came with one."""

    def texts(self) -> list[str]:
        """Return the texts without the line ends between merged ones."""
        texts = [block["text"] for block in self.content if block["type"] == "text"]
        return [text.removesuffix("\n") for text in texts[:-1]] + texts[-1:]


class Interrupted(Exception):
    """The turn was stopped; `while_tool`: while a tool ran or was asked about."""

    def __init__(self, *, while_tool: bool) -> None:
        super().__init__()
        self.while_tool = while_tool


class TurnState:
    """The state of one turn.

    Args:
        world: Of the process.
        front: Who shows what happens.
        prompt: What is answered.

    Attributes:
        stopped: Set by whoever interrupts.
        question: The newest question of this turn.
        messages: How many the turn has had, the prompt among them.
        denials: The tool calls that were not allowed.
        said: The newest text of the model.
        partial: What has come of the text that is being said.
        begun: The names of the messages that the model has begun.
    """

    def __init__(self, world: World, front: Front, prompt: Prompt) -> None:
        self.world = world
        self.front = front
        self.prompt = prompt
        self.stopped = threading.Event()
        self.question: Question | None = None
        self.messages = 1
        self.denials: list[dict[str, Any]] = []
        self.said = ""
        self.partial = ""
        self.begun: list[str] = []
        self._replayed = not world.options.replay
        self._spoken = False

    def emit(self, event: Event) -> None:
        """Show a line."""
        self.front.emit(event)

    def replay(self) -> None:
        """Show the prompt, once, where that was asked for."""
        if not self._replayed:
            self._replayed = True
            uuid = self.prompt.uuids[-1] if self.prompt.uuids else ids.uuid4()
            self.emit(self.world.events.replay(self.prompt.content, uuid))

    def answered(self) -> dict[str, Any]:
        """Return what names the messages of this turn, where they came with uuids."""
        uuids = list(self.prompt.uuids)
        return {"user_message_uuid": uuids[-1], "user_message_uuids": uuids} if uuids else {}

    def first(self) -> dict[str, Any]:
        """Return the same for the first line of the answer, and nothing for later ones."""
        named = {} if self._spoken else self.answered()
        self._spoken = True
        return named

    def pause(self, seconds: float, message_id: str = "") -> None:
        """Wait.

        Args:
            seconds: How long.
            message_id: Of the message that is being said, if one is.

        Raises:
            Interrupted: the turn was stopped meanwhile; what had been said is shown.
        """
        if not self.stopped.wait(seconds):
            return
        self.replay()
        if message_id:
            block = {"type": "text", "text": self.partial}
            self.emit(
                self.world.events.assistant(message_id, block, input_tokens(self.sent()), aborted=True, **self.first())
            )
            self.world.meter.request(self.sent(), 0, finished=False)
        raise Interrupted(while_tool=False)

    def store(
        self, role: str, content: Sequence[Block], *, about: Mapping[str, Any] | None = None, **more: Any
    ) -> None:
        """Keep a message in the conversation; `about`: its name, its model and what it has used."""
        conversation = self.world.conversation
        message = {"role": role, "content": [dict(block) for block in content], **(about or {})}
        told = {"sessionId": conversation.id, "entrypoint": self.world.entrypoint, "timestamp": _now()}
        conversation.append({"type": role, **told, "message": message, **more})

    def hook(self, event: str, subject: str = "", **fields: Any) -> None:
        """Run the hooks of an event; `subject`: the tool that it is about."""
        finished = self.world.hooks.run(event, self.world.payload(event, **fields), subject)
        name = f"{event}:{subject}" if subject else event
        for one in finished if self.world.options.hook_events else ():
            for line in hooks.lines(self.world.events.system, name, event, one):
                self.emit(line)

    def state(self) -> dict[str, Any]:
        """What most hooks are told beside their event."""
        return {"permission_mode": self.world.permissions.mode, "effort": {"level": "medium"}}

    def sent(self) -> int:
        """Characters that a request carries."""
        return sum(map(len, self.world.conversation.texts()))


def _now() -> str:
    from datetime import UTC, datetime  # not every stand-in has a turn

    return datetime.now(UTC).isoformat()

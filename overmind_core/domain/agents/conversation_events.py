"""What people and the supervisor tell a conversation, and what follows from a step of it. Plain values."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.domain.agents.agent import AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import AgentFact, Decision, TokenUsage, TurnResult
from overmind_core.domain.agents.conversation import Conversation
from overmind_core.domain.events import MissionEvent
from overmind_core.domain.missions.mission import Cause

# What people and the supervisor tell.


class RunBegun(NamedTuple):
    """A run was started; `message`: what it was given to begin with; `opens`: it says when it takes messages."""

    run: int
    message: int | None = None
    opens: bool = False


class RunOver(NamedTuple):
    """The run has ended; `final`: none follows."""

    final: bool


class InputHeld(NamedTuple):
    """It can be given nothing now (`on`), or can again."""

    on: bool


class Queued(NamedTuple):
    """A message was accepted."""

    message: int


class Withdrawn(NamedTuple):
    """A queued message is not wanted any more."""

    message: int


class Asking(NamedTuple):
    """The program asks; `number` is ours. `ruled`: what a rule decided, and which."""

    number: int
    request: str
    need: AgentNeed
    summary: str
    ruled: tuple[Decision, str] | None = None


class Answered(NamedTuple):
    """Somebody has answered a question; `by` says who."""

    number: int
    decision: Decision
    by: str


class WaiterGone(NamedTuple):
    """The hook that waited for the answer to a question is gone."""

    number: int


class InterruptAsked(NamedTuple):
    """The turn is to end, the session to stay."""


class ModeWanted(NamedTuple):
    """A person attaches to the session or leaves it; `keep`: see `Conversation`."""

    mode: AgentMode
    keep: bool = False


class PromptTaken(NamedTuple):
    """The prompt holds something else: what was to be typed there waits."""


class Undelivered(NamedTuple):
    """The message that was typed did not arrive, and is not on its way any more."""

    error: str


Fact = (
    AgentFact
    | RunBegun
    | RunOver
    | InputHeld
    | Queued
    | Withdrawn
    | Asking
    | Answered
    | WaiterGone
    | InterruptAsked
    | ModeWanted
    | PromptTaken
    | Undelivered
)


# Effects.


class Deliver(NamedTuple):
    """Write the message to the agent."""

    message: int


class MessageMoved(NamedTuple):
    """The message is delivered, answered, failed, cancelled, or queued again."""

    message: int
    state: str
    error: str | None = None
    result: TurnResult | None = None
    mark: str = ""
    """The program's name of the place where its turn has ended; "" where it tells none."""
    lost: int = 0
    """As of the conversation in which that was."""


class WriteAnswer(NamedTuple):
    """Write the answer to a question."""

    number: int
    decision: Decision


class AskOpened(NamedTuple):
    """A question waits for a person."""

    number: int


class AskClosed(NamedTuple):
    """A question is answered or withdrawn. `by`: None when it was withdrawn."""

    number: int
    decision: Decision | None = None
    by: str | None = None


class Interrupt(NamedTuple):
    """Write what ends the turn."""


class CloseInput(NamedTuple):
    """Close the agent's input: nothing more will be written."""


class LeaveProgram(NamedTuple):
    """Make the interactive program end by itself, else end it after `CHANGE_GRACE`."""


class EndRun(NamedTuple):
    """End the run."""

    cause: Cause
    grace: float
    reason: str | None = None
    text: str | None = None


class TurnPaid(NamedTuple):
    """A turn, or a part of one, was paid for. `usd`: None when nobody knows its price; `turns`: calls of the model.

    `estimated`: a part of `usd` is at a person's price.
    """

    usd: float | None
    usage: TokenUsage
    turns: int
    estimated: bool = False


class Notify(NamedTuple):
    """Notify a person: `blocked` (the agent waits) or `your_turn`."""

    why: str


Effect = (
    Deliver
    | MessageMoved
    | WriteAnswer
    | AskOpened
    | AskClosed
    | Interrupt
    | CloseInput
    | LeaveProgram
    | EndRun
    | TurnPaid
    | Notify
    | MissionEvent
)
"""An event among them is to be recorded."""
Step = tuple[Conversation, tuple[Effect, ...]]

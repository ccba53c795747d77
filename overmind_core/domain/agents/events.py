"""What happens to agents, as the log has it."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import MissionAct, MissionEvent


class ActivityChanged(MissionEvent, frozen=True, kw_only=True, tag="activity"):
    """An agent does something else now."""

    doing: str
    """`working`, `idle`, `waiting`, `limited` or `unknown`."""
    need: str | None
    """What it needs of a person, when it waits for one."""


class ConversationChanged(MissionEvent, frozen=True, kw_only=True, tag="session"):
    """An agent goes on in another conversation of its program."""

    session_id: str
    """As its program knows it."""


class PromptGiven(MissionEvent, frozen=True, tag="prompt"):
    """An agent that does one task was started with its prompt, which is the text."""


class MessageQueued(MissionAct, frozen=True, kw_only=True, tag="message_queued"):
    """A message for an agent was accepted."""

    message: int
    sender: str | None
    """The mission that sent it; null for a person."""


class MessageDelivered(MissionEvent, frozen=True, kw_only=True, tag="message_delivered"):
    """A message has reached its agent; it is the text."""

    message: int


class MessageResent(MissionEvent, frozen=True, kw_only=True, tag="message_resent"):
    """A message is sent once more; the text says why."""

    message: int | None = None
    """Its new number; absent where it keeps its own."""


class MessageOver(MissionEvent, frozen=True, kw_only=True):
    """Nothing more becomes of a message."""

    message: int
    error: str | None


class MessageAnswered(MessageOver, frozen=True, tag="message_answered"):
    """An agent has answered a message."""


class MessageFailed(MessageOver, frozen=True, tag="message_failed"):
    """A message has got no answer, and gets none any more."""


class MessageCancelled(MessageOver, frozen=True, kw_only=True, tag="message_cancelled"):
    """A message that waited was taken back."""

    by: str | UnsetType = UNSET
    """Who asked: `person`, a mission's id, or `?` for a program that some mission started."""


class TurnFinished(MissionEvent, frozen=True, kw_only=True, tag="turn_ended"):
    """A turn of an agent is over, and paid for."""

    ok: bool
    reason: str | None
    cost_usd: float
    turns: int
    """Of the model, within it."""
    duration_ms: float


class QuestionAsked(MissionEvent, frozen=True, kw_only=True, tag="asked"):
    """An agent asks a person, and waits."""

    question: int
    """Its number, for `answer`."""
    need: str
    """`permission`, `question`, `plan` or `setup`."""
    tool: str
    """Which it wants to use; empty when it is about none."""
    summary: str


class QuestionAnswered(MissionEvent, frozen=True, kw_only=True, tag="answered"):
    """A question of an agent was answered, by a person or a rule, or withdrawn."""

    question: int
    by: str | None
    """Who or which rule; null when it was withdrawn."""
    behaviour: str | None
    """Such as `allow`, `always`, `deny`."""
    options: tuple[str, ...] | UnsetType = UNSET
    """The labels that were chosen; absent where none was."""
    summary: str | None


class NotificationDue(MissionEvent, frozen=True, kw_only=True, tag="notification"):
    """An agent is worth calling a person for. In a stream with `eyes` it has `ring`, too."""

    why: str
    """`blocked` or `your_turn`."""
    now: str
    """What the agent does, or waits for."""


class CostWarning(MissionEvent, frozen=True, kw_only=True, tag="cost_warning"):
    """Most of what a mission's tree may cost is spent."""

    cost_usd: float

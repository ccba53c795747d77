"""What happens to agents, as the log has it."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from overmind_core.domain.events import About, MissionAct, MissionEvent


class ActivityChanged(MissionEvent, frozen=True, kw_only=True, tag="activity"):
    """The activity of an agent has changed."""

    doing: str
    """`working`, `idle`, `waiting`, `limited` or `unknown`."""
    need: str | None
    """The need of an agent that waits for a person."""
    guess: str | UnsetType = UNSET
    """While it is `unknown`: what its screen looks as if it did; absent where nothing is guessed."""


class ConversationChanged(MissionEvent, frozen=True, kw_only=True, tag="session"):
    """An agent continues in another conversation of its program."""

    session_id: str
    """The id of the conversation in its program."""


class ConversationAdopted(MissionEvent, frozen=True, kw_only=True, tag="conversation_adopted"):
    """A new session goes on with a conversation that a person has led; the text shows its last lines."""

    session_id: str
    """The id of the conversation in its program."""


class ConversationLost(MissionEvent, frozen=True, tag="conversation_lost"):
    """An agent's program has lost its conversation, and begins a new one without what was said before."""


class ConversationForked(MissionEvent, frozen=True, kw_only=True, tag="forked"):
    """The mission was made by a fork: its conversation begins as a copy of another mission's; the text names that."""

    source: str
    """The id of the mission that was forked."""
    up_to: int | UnsetType = UNSET
    """The number of the last message in the copy; absent where it is not known."""


class PromptGiven(MissionEvent, frozen=True, tag="prompt"):
    """The agent of a task was started, or a person has typed on an agent's own screen; the text is the prompt."""


class AnswerFound(MissionEvent, frozen=True, tag="answer_found"):
    """The answer of an agent whose output has more than that, or is its own screen; the text is the answer."""


class NotesGiven(MissionEvent, frozen=True, kw_only=True, tag="notes_given"):
    """A run was given notes, or should have been; the text says what."""

    notes: tuple[str, ...]
    """Their ids."""
    tokens: int
    left_out: int
    """The number of notes that fit, too, and for which there was no room."""


class GenerationBegun(MissionEvent, frozen=True, kw_only=True, tag="generation_begun"):
    """A run is a generation of a lineage; the text says how it begins."""

    lineage: str
    generation: int
    conversation: str
    """`new`, or `continued`: it goes on with that of the last generation."""


class MessageQueued(MissionAct, frozen=True, kw_only=True, tag="message_queued"):
    """A message for an agent was accepted."""

    message: int
    sender: str | None
    """The mission or the client, such as `web:phone`, that sent it; null for a person without one."""


class MessageDelivered(MissionEvent, frozen=True, kw_only=True, tag="message_delivered"):
    """A message has reached its agent; the text is the message."""

    message: int


class MessageResent(MissionEvent, frozen=True, kw_only=True, tag="message_resent"):
    """A message is sent again; the text gives the reason."""

    message: int | None = None
    """The new number; absent if it keeps its own."""


class MessageOver(MissionEvent, frozen=True, kw_only=True):
    """The last event of a message."""

    message: int
    error: str | None


class MessageAnswered(MessageOver, frozen=True, tag="message_answered"):
    """An agent has answered a message."""


class MessageFailed(MessageOver, frozen=True, tag="message_failed"):
    """A message has failed and will not be answered."""


class MessageCancelled(MessageOver, frozen=True, kw_only=True, tag="message_cancelled"):
    """A queued message was withdrawn."""

    by: str | UnsetType = UNSET
    """The caller: `person`, a person's client such as `web:phone`, a mission's id, or `?` for a program started by an
    unknown mission."""


class TurnFinished(MissionEvent, frozen=True, kw_only=True, tag="turn_ended"):
    """A turn of an agent has ended."""

    ok: bool
    reason: str | None
    cost_usd: float | None
    """Null if nobody knows."""
    cost_source: str | None = None
    """Where the cost is from: `reported` by the program, or `estimated` at the prices in config.toml; null if there is
    none, or in events of earlier versions."""
    turns: int
    """The number of model turns in this turn."""
    duration_ms: float


class QuestionAsked(MissionEvent, frozen=True, kw_only=True, tag="asked"):
    """An agent asks a question and waits for the answer, or the engine asks one."""

    question: int
    """The question's number, for `answer`."""
    need: str
    """`permission`, `question`, `plan` or `setup`; of the engine `phase`, `review`, `merge`, `budget`, `stuck`,
    `report` or `steer`."""
    tool: str
    """The tool the agent wants to use; empty if there is none."""
    summary: str
    about: About | UnsetType = UNSET
    """The subject of a question of the engine; absent for an agent's."""


class QuestionAnswered(MissionEvent, frozen=True, kw_only=True, tag="answered"):
    """A question was answered by a person or a rule, or withdrawn."""

    question: int
    by: str | None
    """`a person`, a person's client such as `web:phone`, or the rule; null if the question was withdrawn."""
    behaviour: str | None
    """For example `allow`, `always`, `deny`."""
    options: tuple[str, ...] | UnsetType = UNSET
    """The chosen labels; absent if there are none."""
    answer: str | UnsetType = UNSET
    """The answer in the person's own words, on one line and cut to 200 cells; absent if it has none."""
    summary: str | None
    about: About | UnsetType = UNSET
    """The subject of a question of the engine; absent for an agent's."""


class NotificationDue(MissionEvent, frozen=True, kw_only=True, tag="notification"):
    """An agent or the engine needs a person. In a stream with `eyes`, the event also has `ring`."""

    why: str
    """`blocked` or `your_turn`."""
    now: str
    """The agent's current work, the reason it waits, or what the engine asks."""
    about: About | UnsetType = UNSET
    """The subject of a question of the engine; absent for an agent."""
    question: int | UnsetType = UNSET
    """The number of the question that is open, the newest of several; absent where there is none."""


class CostWarning(MissionEvent, frozen=True, kw_only=True, tag="cost_warning"):
    """A mission's tree, a spec or the queue has spent most of its cost limit, or a tree most of its token limit."""

    cost_usd: float
    tokens: int | UnsetType = UNSET
    """The tokens of the tree, where its limit of tokens is meant; else absent."""
    about: About | UnsetType = UNSET
    """The spec or the queue; absent for a mission's tree."""
    by: str
    """Always `engine`."""
    why: str
    """The reason, for people."""

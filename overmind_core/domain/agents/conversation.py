"""A conversation with an agent: its state, and how its next run begins. Plain values; `conversation_step` changes them.

A message is known again by its visible characters, for programs tidy up what is pasted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple
from unicodedata import category, normalize
from uuid import NAMESPACE_OID, UUID, uuid5

from overmind_core.domain.agents.agent import BY_KEYS, Activity, ActivityKind, AgentMode, AgentNeed
from overmind_core.domain.agents.agent_events import FilePosition, ModelCalled, TokenUsage, TurnResult
from overmind_core.domain.agents.prices import KeptPrice
from overmind_core.domain.missions.reasons import message_failure


class ToolCall(NamedTuple):
    """A tool call under way."""

    call: str
    summary: str


@dataclass(frozen=True, slots=True)
class TurnUsage:
    """The usage of one turn, as far as the program has told it call by call."""

    calls: int = 0
    usage: TokenUsage = TokenUsage()  # noqa: RUF009 - frozen
    usd: float | None = 0.0
    """None when a part of it has no price."""
    final: bool = False
    """The call that ends the turn is in it."""
    estimated: bool = False
    """A part of `usd` is at a person's price."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn under way. `message`: the one of ours that it answers, None when a person typed or nobody asked."""

    message: int | None
    began: float
    """Seconds since the epoch."""
    calls: tuple[ToolCall, ...] = ()
    used: TurnUsage = TurnUsage()
    mark: str = ""
    """The program's name of the place that it has reached; "" where it tells none."""


@dataclass(frozen=True, slots=True)
class ConversationFiles:
    """The program's own record of a conversation, which tells what it uses on a terminal."""

    path: str
    since: float
    """Seconds since the epoch: what was written down earlier was counted otherwise, or is not ours."""
    read: tuple[FilePosition, ...] = ()


class ForkPoint(NamedTuple):
    """The conversation that another one begins as a copy of, and the place where the copy ends."""

    session: str
    """The program's name of that conversation."""
    mark: str = ""
    """The program's name of the place; "": it copies all that it holds as the copy is made."""
    mission: str = ""
    """The id of the mission whose conversation that is."""
    message: int | None = None
    """The number of the last message in the copy, where it is known."""


class FailedMessage(NamedTuple):
    """The last message of an agent, where it has failed."""

    message: int
    error: str
    """A code, or a sentence."""
    is_given_up: bool = False
    """The agent ended before it answered, twice: the message is not sent a third time."""

    @property
    def sentence(self) -> str:
        """The failure as people read it."""
        return message_failure(self.message, self.error, is_given_up=self.is_given_up)


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question that nobody has answered yet."""

    number: int
    request: str
    """The program's own name of it; "" when it came by a hook."""
    need: AgentNeed
    summary: str
    call: str = ""
    """The tool call that it is about, where that is known."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """How an agent's conversation stands; saved with every step. Replaced, never changed."""

    session: str
    """The id that we chose, until a person changes it in the program."""
    home: AgentMode
    """How it runs unless somebody is attached."""
    mode: AgentMode
    """Of the newest run."""
    wanted: AgentMode
    """Of the next one; another than `mode` while it changes over."""
    token: str = ""
    """What a hook of the newest run must know, and the password of its server."""
    run: int = 0
    running: int = 0
    """The run that lives; 0 when none does."""
    begun: bool = False
    """The program has stored the conversation: it can be resumed, and can't be begun."""
    inherited: bool = False
    """An earlier mission has begun it: each run goes on with it, that of a task, too."""
    adopted: bool = False
    """A person has begun it with the program alone: no other one takes its place."""
    resumed: bool = False
    """How the newest run was started."""
    switched: bool = False
    """The newest run was started the other way round, as the program knew better."""
    held: bool = False
    """Frozen, or not running: nothing is delivered."""
    keep: bool = False
    """Stay interactive when nobody is attached any more."""
    refused: str | None = None
    """Why its program could not start in the terminal of a person, who had it last."""
    leaving: bool = False
    """The program was asked to end, so that the other mode can follow."""
    activity: Activity = Activity()  # noqa: RUF009 - frozen
    queue: tuple[int, ...] = ()
    """Messages that wait, in order."""
    resent: tuple[int, ...] = ()
    """Messages that were in flight when the agent died, until they have ended."""
    cut_off: int | None = None
    """The message that was in flight when a run was last switched over: a terminal begins with it."""
    sending: int | None = None
    """The message that was written, of which the agent has not shown yet that it has it."""
    failed: FailedMessage | None = None
    """The last message, if it has failed and nothing has followed; None where a person has interrupted its turn."""
    turn: Turn | None = None
    open: tuple[OpenQuestion, ...] = ()
    tries: int = 0
    """Turns in a row that a limit of the service has ended."""
    last: TurnResult | None = None
    """The result of the newest turn of the newest run, without the program's own object; None before it is known."""
    model: str | None = None
    permission_mode: str | None = None
    """What the program may do unasked: as it says, else as it was told; None: its own default."""
    seq: int = 0
    """Number of the newest input of the newest run."""
    input_closed: bool = False
    cost_total: float | None = 0.0
    """US dollars of this session as the program counted last; None of one that a person has brought."""
    cost: float = 0.0
    """US dollars of all sessions of the mission."""
    input_tokens: int = 0
    output_tokens: int = 0
    turns: int = 0
    """Model turns."""
    unpriced: bool = False
    """A part of that has no price that anybody knows: `cost` is what the rest has cost."""
    estimated: bool = False
    """A part of `cost` is at a person's price: its program does not tell dollars."""
    reported: bool = False
    """Its program has told dollars: what it does not tell of a turn is in its next total."""
    files: ConversationFiles | None = None
    """Where the newest interactive run's figures are read."""
    counted: tuple[ModelCalled, ...] = ()
    """The newest calls that were counted; the program tells of some more than once."""
    opening: bool = False
    """The newest run's program has yet to open the conversation: until then nothing is delivered."""
    heard_from: int = 0
    """Offset in the newest run's output from which on its lines are read again by who has to know the turn so far."""
    process_usage: TokenUsage = TokenUsage()  # noqa: RUF009 - frozen
    """Tokens of the newest run as its program counted last, where it counts those of its process."""
    fork: ForkPoint | None = None
    """It began as a copy of this; None: with nothing."""
    copied: bool = False
    """It has had a turn of its own since: the copy is stored for certain."""
    mark: str = ""
    """The program's name of the place where its newest turn has ended; "" where it tells none."""
    lost: int = 0
    """Conversations of the mission that were lost or left before this one."""
    forks: bool | None = None
    """Whether its program has announced that it can copy a conversation; None: it has announced nothing."""
    price: KeptPrice | None = None
    """The price at which its tokens count; None: its program tells dollars, or its model has none."""
    port: int = 0
    """TCP port of loopback of the newest run's server; 0: it has none."""
    terminal_session: str = ""
    """The id of the conversation that a plain program leads on its terminal; "": it is not known."""
    unnamed: bool = False
    """True once the program has refused an id of ours at its start."""


def is_busy(c: Conversation) -> bool:
    """Whether a turn is under way or about to be."""
    return c.turn is not None or c.sending is not None or bool(c.open)


def has_turn(c: Conversation) -> bool:
    """True while a turn can be ended: a dialog before it, and a draft, are a person's, and no turn."""
    if any(one.need is AgentNeed.SETUP for one in c.open):  # what ends a turn would answer it
        return False
    return c.turn is not None or c.sending is not None or any(one.need not in BY_KEYS for one in c.open)


def failed_message(c: Conversation) -> str | None:
    """The sentence about the last message, where that has failed and the agent waits for another; None: it has not."""
    return c.failed.sentence if c.failed is not None and c.activity.doing is ActivityKind.IDLE else None


def is_handed_over(c: Conversation) -> bool:
    """Whether a person has a session that otherwise runs headless, is about to have it, or is giving it back."""
    return c.home is AgentMode.HEADLESS and AgentMode.INTERACTIVE in {c.mode, c.wanted}


def has_begun(c: Conversation) -> bool:
    """Return whether the program of a person's newest terminal has shown that it works.

    A dialog before that, and a prompt that it was started with, show nothing.
    """
    asks_setup = any(one.need is AgentNeed.SETUP for one in c.open)
    is_unproved = asks_setup or c.sending is not None or c.activity.doing is ActivityKind.UNKNOWN
    return c.turn is not None or not is_unproved


def last_paragraph(lines: Sequence[str]) -> str:
    """The first line of the last lines that stand together, such as a program's last words."""
    found = ""
    above = ""
    for line in lines:
        if line.strip() and not above.strip():
            found = line.strip()
        above = line
    return found


def handover_phase(c: Conversation) -> Literal["handing_back", "handed_over", "finishing"] | None:
    """Where it is between pipes and a person's terminal; None when it is where it belongs."""
    if not is_handed_over(c):
        return None
    if c.wanted is AgentMode.HEADLESS:
        return "handing_back"
    return "handed_over" if c.mode is AgentMode.INTERACTIVE else "finishing"


def plan_run(c: Conversation, run: int, *, session: str, token: str, port: int = 0) -> Conversation:
    """The conversation as run number `run` begins it; `session`, `token` and `port` are new ones, used where needed.

    A run that was planned before keeps its plan.
    """
    if c.run == run:
        return c
    goes_on = c.home is not AgentMode.ONE_SHOT or c.inherited
    # A program that was killed as it copied may have left half a copy under the name: the next copy gets another one.
    is_copied_again = is_uncopied(c)
    again = goes_on and (c.begun or (c.run > 0 and not is_copied_again))
    same = again or not c.run
    return replace(
        c,
        run=run,
        mode=c.wanted,
        session=c.session if same else session,
        cost_total=c.cost_total if same or is_copied_again else 0.0,
        token=token,
        port=port,
        resumed=c.begun and goes_on,
        refused=None if c.wanted is AgentMode.INTERACTIVE else c.refused,
        leaving=False,
        seq=0,
        input_closed=False,
        last=None,
        heard_from=0,
        process_usage=TokenUsage(),
        counted=c.counted if c.wanted is AgentMode.INTERACTIVE else (),
    )


def inherit(c: Conversation, earlier: Conversation) -> Conversation:
    """A new mission's conversation, as one that goes on where that of an earlier mission has ended."""
    return replace(c, session=earlier.session, begun=earlier.begun, inherited=True, cost_total=earlier.cost_total)


def adopt(c: Conversation, session: str, cost: float | None) -> Conversation:
    """Return a new mission's conversation as one that a person has led; what that has `cost` is not this mission's."""
    return replace(c, session=session, begun=True, inherited=True, adopted=True, cost_total=cost)


def begin_as_copy(c: Conversation, point: ForkPoint, source: Conversation) -> Conversation:
    """A new mission's conversation, as one that begins as a copy of another mission's.

    Programs count its cost from what that one had cost.
    """
    return replace(c, fork=point, cost_total=source.cost_total, forks=source.forks)


def may_copy_again(c: Conversation) -> bool:
    """Return whether it began as a copy that is not stored for certain: where it is gone, another one is made."""
    return c.fork is not None and not c.copied


def is_first_message(c: Conversation) -> bool:
    """Return whether the message that is sent is the first one of ours in it, before which its program is told more."""
    return not c.begun or may_copy_again(c) or (c.adopted and c.run == 1 and c.last is None)


def is_uncopied(c: Conversation) -> bool:
    """Return whether its next run makes the copy that it begins with."""
    return may_copy_again(c) and not c.begun


def fork_of_run(c: Conversation) -> ForkPoint | None:
    """Return what the newest run begins as a copy of; None: it goes on with what is stored, or begins with nothing."""
    return None if c.resumed or c.copied else c.fork


def lose_conversation(c: Conversation) -> Conversation:
    """The conversation is gone, and the next run begins one with nothing: no copy ends at a place of the old one."""
    return replace(c, lost=c.lost + 1, mark="", adopted=False)


def first_prompt(c: Conversation) -> int | None:
    """The message with which an interactive run begins: the first of a new conversation, or one to be sent again."""
    if c.mode is not AgentMode.INTERACTIVE or not c.queue:
        return None
    return c.queue[0] if not c.begun or c.queue[0] in (*c.resent, c.cut_off) else None


def switch_resume(c: Conversation) -> Conversation:
    """The program refused to begin (or resume) the conversation: the next run does the other.

    It has not read what was written to it.
    """
    unread = () if c.sending is None else (c.sending,)
    return replace(c, begun=not c.resumed, switched=True, sending=None, queue=(*unread, *c.queue))


def message_uuid(c: Conversation, message: int) -> UUID:
    """Return the name by which the newest run's program knows a message.

    Of its own for each run: a program that resumes drops a message whose answer had begun when it died. And of its own
    for each try: one that is known is answered no more.
    """
    try:
        namespace = UUID(c.session)
    except ValueError:  # its program has chosen another text
        namespace = uuid5(NAMESPACE_OID, c.session)
    return uuid5(namespace, f"{message}.{c.run}{f'.{c.tries}' if c.tries else ''}")


def uuid_under_way(c: Conversation) -> str:
    """Return that name of the message that is not answered yet; "": there is none, or it is a task's."""
    message = c.turn.message if c.turn is not None else c.sending
    return "" if message is None else str(message_uuid(c, message))


_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def same_prompt(message: str, prompt: str) -> bool:
    """Whether both show the same characters, whatever became of blanks, accents, line ends and control characters."""
    return message.strip() == prompt.strip() or _visible_text(message) == _visible_text(prompt)


def begins_prompt(message: str, prompt: str) -> bool:
    """Whether the message begins with what the prompt shows, as `same_prompt` compares them."""
    return _visible_text(message).startswith(_visible_text(prompt))


def _visible_text(text: str) -> str:
    plain = normalize("NFD", _ESCAPES.sub("", text))
    return "".join(one for one in plain if one.isprintable() and not one.isspace() and category(one) != "Mn")

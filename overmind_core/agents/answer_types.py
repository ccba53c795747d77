"""The types of answers about agents: messages, questions, costs, output as objects. Only annotations name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta

from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.missions.mission import Status
from overmind_core.missions.answer_types import MissionBrief


class SentMessage(MissionBrief):
    """A message that was accepted, and the session that it is for."""

    message: int
    """Its number."""
    state: str
    """queued, delivered, answered, failed or cancelled."""
    ahead: int
    """How many turns come before it."""


class TokenCounts(TypedDict):
    """Tokens of one turn."""

    input: int
    output: int
    cache_read: int
    cache_write: int


class MessageAnswer(TypedDict):
    """The answer to a message; all null before it arrives."""

    text: str | None
    duration_ms: float | None
    cost_usd: float | None
    cost_source: Literal["reported", "estimated"] | None
    usage: TokenCounts | None
    error: str | None
    """Why there is no answer."""


class AwaitedMessage(MessageAnswer):
    """The state of a message, and the answer to it."""

    message: int
    id: str
    """Of the mission that it is for."""
    state: str
    """queued, delivered, answered, failed or cancelled."""


class MessageInfo(TypedDict):
    """A message of a session."""

    message: int
    state: str
    """queued, delivered, answered, failed or cancelled."""
    text: str
    sender: str | None
    """The mission or the client, such as `web:phone`, that sent it; null: a person without one."""
    created_at: str
    delivered_at: str | None
    ended_at: str | None
    resent: bool
    """It was sent twice, as nobody could tell whether it had arrived."""
    error: str | None
    """Why there is no answer."""


class PressedKeys(MissionBrief):
    """A session into whose terminal was typed."""

    keys: int
    """So many keys were pressed."""
    characters: int
    """Length of the text before them."""


class InterruptedMission(MissionBrief):
    """A session whose turn was to end."""

    interrupted: bool
    """There was a turn."""


class ReplacedFile(TypedDict):
    """The file that a tool would write anew, as it stands now."""

    state: Literal["new", "text", "unreadable"]
    """`new`: there is none; `unreadable`: it is no text, or too large."""
    bytes: int
    text: str | None


class AskedChoice(TypedDict):
    """One of the questions that are asked at once."""

    question: str
    heading: str
    options: list[str]
    several: bool
    """More than one may be chosen."""


class QuestionSubject(TypedDict):
    """What a question is about."""

    kind: str
    """`mission`, `quest`, `spec` or `queue`."""
    id: str
    name: str


class Question(TypedDict):
    """A question to a person, of an agent or of the engine."""

    question: int
    """Its number."""
    id: str
    """Of what it is about: of an agent's question its mission."""
    name: str
    about: QuestionSubject
    part: NotRequired[str]
    """The part of its subject that a question of the engine is about, such as the phase of a spec."""
    quests: NotRequired[list[str]]
    """The ids of the quests whose work a question of the engine decides about, where its subject is another thing: of a
    gate the one that made the document, of a checkout in the way all that wait for it. Their names find the question,
    too."""
    need: str
    """Of an agent `permission`, `question`, `plan`, `setup` or `draft`; of the engine `phase`, `review`, `merge`,
    `budget`, `stuck`, `report` or `steer`."""
    tool: str
    """The tool that an agent wants to use."""
    summary: str
    """One line."""
    subject: dict[str, Any]
    """The arguments of the tool, as its program reports them; of a question of the engine `lines` for people, and what
    programs need."""
    rule: str | None
    """The rule that `always` adds."""
    options: list[str]
    """The answers that it offers, as `answer` takes them; with several questions `1:LABEL`."""
    choices: list[AskedChoice]
    """The questions that are asked at once, each with its own options."""
    replaces: ReplacedFile | None
    """The file that it wants to write anew; null when it is about something else."""
    begins: NotRequired[list[int]]
    """The line of its file in which each edit begins; 0 where nobody knows. Only where it wants to edit a file."""
    asked_at: str
    attach_only: bool
    """Only its own keys answer it: attach."""


class AnsweredQuestion(TypedDict):
    """A question that was answered."""

    question: int
    id: NotRequired[str]
    """Of what it is about; absent for a mission that was removed meanwhile."""
    name: NotRequired[str]
    about: NotRequired[QuestionSubject]
    part: NotRequired[str]
    """As in `inbox`; of a question of the engine."""
    need: NotRequired[str]
    """Likewise."""
    behaviour: Behaviour
    by: str
    """The one who answered."""


class HookTaken(TypedDict):
    """An empty object: it was taken in."""


HookReply = Annotated[Mapping[str, Any], Meta(description="The hook's output, in the form its program expects.")]
ProgramResult = Annotated[Mapping[str, Any], Meta(description="The program's own object; empty if it gave none.")]


class CostSum(TypedDict):
    """The summed cost of turns."""

    key: str
    """A mission's id, a day, or `label=value`; empty for missions without a label."""
    name: NotRequired[str]
    """By mission only: its name."""
    cost_usd: float | None
    """US dollars, as far as prices are known; null when none is."""
    cost_source: Literal["reported", "estimated"] | None
    """Where they are from: the programs, or in part the prices in config.toml; null where there are none."""
    cost_partial: bool
    """Part of the cost is unknown: `cost_usd` is the rest."""
    input_tokens: int
    output_tokens: int
    turns: int


class OutputFollowed(TypedDict):
    """The missions whose output comes."""

    missions: list[MissionBrief]
    offsets: dict[str, int]
    """Run to the byte at which it begins: use it to resume a stream that broke at once."""


class OutputPlace(TypedDict):
    """Where output comes from."""

    mission: str
    run: str
    """Id of the run."""
    offset: int
    """The byte behind it, at which a broken stream goes on."""


class OutputLine(OutputPlace):
    """A line of text."""

    type: Literal["plain"]
    text: str


class OutputObject(OutputPlace):
    """An object of the agent's program."""

    type: Literal["object"]
    object: Mapping[str, Any]
    """As the program wrote it."""


class OutputRestart(OutputPlace):
    """The next run has begun."""

    type: Literal["restart"]


class OutputEnd(TypedDict):
    """The log of this mission is complete."""

    type: Literal["exit"]
    mission: str
    status: Status
    exit_code: int | None


OutputItem = OutputLine | OutputObject | OutputRestart | OutputEnd


class TurnFinishing(TypedDict):
    """The turn under way has to end before its terminal can be had."""

    type: Literal["finishing"]
    seconds: float
    """How long it takes already."""

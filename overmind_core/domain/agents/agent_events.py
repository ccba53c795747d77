"""Agent events: what an agent's output or hooks report, whichever program it is. Plain values.

Providers make these of lines, and nobody else does. Nothing here says when: whoever reads the line knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from overmind_core.domain.agents.agent import ActivityKind, AgentNeed
from overmind_core.domain.text.cells import cut


class SessionNamed(NamedTuple):
    """The program names its conversation, and its model where that is known.

    At its start, and when a person changes it (`/clear`). `begins`: it was to choose the name.
    """

    session: str
    model: str | None = None
    permission_mode: str | None = None
    forks: bool | None = None
    """Whether it announces that it can copy a conversation; None: it announces nothing, or that was not heard."""
    begins: bool = False


class Echoed(NamedTuple):
    """A message of ours has reached the agent: a turn begins with it. `uuid` when the program repeats ours."""

    text: str
    uuid: str | None = None


class TurnBegan(NamedTuple):
    """A turn has begun, on whose behalf ever."""


class MarkReached(NamedTuple):
    """The program's own name of the place in the conversation that a turn has reached: a copy can end there."""

    mark: str


class TextSpoken(NamedTuple):
    """Text of the agent (`thought`: of its thinking)."""

    text: str
    thought: bool = False


LONGEST_COMMAND = 4000
"""Characters of a command that are told."""


class ToolCalled(NamedTuple):
    """The agent uses a tool.

    Args:
        call: The program's own name of this use.
        tool: The tool's name.
        summary: One line, as in `Bash: pytest -q`.
        paths: The files that it reads or edits, as the agent names them: absolute, or relative to where it works.
            What a command does with files is not known.
        edits: Whether it changes `paths`.
        runs: Whether it runs a command.
        digest: Equal for uses of a tool with the same input; "" of edits, which are not compared.
        command: The command that it runs, at most `LONGEST_COMMAND` characters of it; "" of other tools.
    """

    call: str
    tool: str
    summary: str
    paths: tuple[str, ...] = ()
    edits: bool = False
    runs: bool = False
    digest: str = ""
    command: str = ""


class ToolReturned(NamedTuple):
    """The tool's answer is there.

    Args:
        call: As in `ToolCalled`.
        failed: Whether the tool failed.
        digest: Equal for equal answers.
        error: The first line about an error in the answer of a tool that failed; "" where it says nothing.
        exit_code: Of the command that it ran; None where the program doesn't tell it, be it that all went well.
        denied: Whether it was not allowed to run, or a person stopped it: `failed` then tells nothing of the tool.
    """

    call: str
    failed: bool
    digest: str = ""
    error: str = ""
    exit_code: int | None = None
    denied: bool = False


class Asked(NamedTuple):
    """The agent asks, and can't go on before a person (or a rule) has answered.

    Args:
        request: The program's own name of the question, which the answer must carry.
        need: Of which kind it is.
        tool: The tool that it wants to use, "" when it is about none.
        summary: One line: the command, the file, the question.
        subject: The tool's input, or the dialog's text, whole.
        suggestions: Rules that the program proposes for "always", in its own shape.
        hidden: Whether no dialog shows it while a hook waits for the answer.
    """

    request: str
    need: AgentNeed
    tool: str
    summary: str
    subject: Mapping[str, Any]
    suggestions: tuple[Any, ...] = ()
    hidden: bool = False


class AskCancelled(NamedTuple):
    """The question was answered elsewhere, or the turn was interrupted. `request` "": every open one."""

    request: str = ""


class Retrying(NamedTuple):
    """The program tries again by itself; `delay` in seconds, `error` as in `overloaded 529`."""

    attempt: int
    most: int
    delay: float
    error: str


class LimitReached(NamedTuple):
    """A limit holds it up until `until` (seconds since the epoch; None when nobody knows)."""

    until: float | None
    error: str


class TokenUsage(NamedTuple):
    """Tokens."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def read(self) -> int:
        """All that a model was given, from a cache or not."""
        return self.input + self.cache_read + self.cache_write

    @property
    def total(self) -> int:
        """All tokens."""
        return self.read + self.output

    def since(self, before: TokenUsage) -> TokenUsage:
        """Return what was used after it was `before`; a count that went back has used nothing."""
        return TokenUsage(*(max(now - then, 0) for now, then in zip(self, before, strict=True)))


class ModelCalled(NamedTuple):
    """A call of a model, as the program has written it down; told again once it knows more of it.

    Args:
        call: The program's name of it.
        usage: Its tokens.
        usd: US dollars; None when nobody knows its price.
        final: Whether the turn ends with it: it asks for no tool.
        estimated: Whether `usd` is at a person's price.
    """

    call: str
    usage: TokenUsage
    usd: float | None = None
    final: bool = False
    estimated: bool = False


class CostTotalled(NamedTuple):
    """The program's own sum of what the conversation has cost so far, in US dollars."""

    usd: float


class FilePosition(NamedTuple):
    """How far a file of a conversation was read. `name`: of a sub-agent's; "" is the conversation's own."""

    name: str
    offset: int


class UsageRead(NamedTuple):
    """More of the conversation's files was read, up to `positions`."""

    path: str
    positions: tuple[FilePosition, ...]
    figures: tuple[ModelCalled | CostTotalled, ...] = ()


NO_CREDIT = "no_credit"
"""The reason of a turn that only money lets go on: no time ends that."""


class Retry(StrEnum):
    """What a failure means for the mission's restart policy."""

    POLICY = "policy"
    """Whatever the policy says."""
    NEVER = "never"
    """Another run would end the same way."""
    SWITCH = "switch"
    """Start again at once with the other one of "begin" and "resume": the program knows the conversation better."""
    WAIT = "wait"
    """After a limit of the service: at its end where that is known, else after a while."""


@dataclass(frozen=True, slots=True)
class TurnResult:
    """How a turn ended."""

    ok: bool
    reason: str | None = None
    """What went wrong, as reasons of missions are written: `api_error 529`, `max_turns`, `interrupted`."""
    text: str = ""
    """The answer; of a failed turn what the program says about it."""
    retry: Retry = Retry.POLICY
    resume_at: float | None = None
    """With `Retry.WAIT`: seconds since the epoch."""
    cost_total: float | None = None
    """US dollars of the whole conversation so far, as the program counts."""
    cost_turn: float | None = None
    """US dollars since the last result, where the program tells; else at a person's price."""
    estimated: bool = False
    """True where `cost_turn` is at a person's price."""
    usage: TokenUsage = field(default_factory=TokenUsage)
    """Of this turn."""
    process_usage: TokenUsage | None = None
    """Tokens of its process so far, where the program counts that way; `usage` is then what its lines tell of it."""
    duration_ms: float = 0.0
    turns: int = 0
    """Model turns within it."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The program's own object."""

    @property
    def interrupted(self) -> bool:
        """Whether a person ended the turn."""
        return self.reason == "interrupted"


class TurnEnded(NamedTuple):
    """The turn is over. `result` is None where only its end is known (a hook), and `text`, if anything was said."""

    result: TurnResult | None
    text: str = ""


class StateForgotten(NamedTuple):
    """The program says no more what it does: nobody knows."""


class StateGuessed(NamedTuple):
    """A guess by the look of its screen: the state is still not known."""

    state: ActivityKind


class Acknowledged(NamedTuple):
    """The program has taken a control request of ours; `error` when it refused."""

    request: str
    error: str | None = None


class Owed(NamedTuple):
    """Bytes that are to be written to the program because of what it says: an answer, or the next step of ours."""

    data: bytes
    is_prompt: bool = False
    """Whether it is the prompt of a task."""


class SessionReady(NamedTuple):
    """The program has opened its conversation, and takes messages from now on."""


class NotOpened(NamedTuple):
    """The program can't open its conversation; `result` says why, and what that means for the restart policy."""

    result: TurnResult


class PlainLine(NamedTuple):
    """A line that is none of the program's objects."""

    text: str


class ProgramLeft(NamedTuple):
    """The program announces its end."""

    reason: str


AgentFact = (
    SessionNamed
    | Echoed
    | TurnBegan
    | MarkReached
    | TextSpoken
    | ToolCalled
    | ToolReturned
    | Asked
    | AskCancelled
    | Retrying
    | LimitReached
    | TurnEnded
    | StateForgotten
    | StateGuessed
    | Acknowledged
    | Owed
    | SessionReady
    | NotOpened
    | PlainLine
    | ProgramLeft
    | ModelCalled
    | UsageRead
)


class RunVerdict(NamedTuple):
    """What a provider makes of the end of a run.

    Args:
        failed: Whether the mission's work failed, whatever the exit code says.
        reason: Why, as reasons of missions are written; None when the exit code says it all.
        retry: What that means for the restart policy.
        resume_at: With `Retry.WAIT`: seconds since the epoch.
        succeeded: The work is done, whatever the exit code says: it counts as 0.
    """

    failed: bool
    reason: str | None = None
    retry: Retry = Retry.POLICY
    resume_at: float | None = None
    succeeded: bool = False


class Behaviour(StrEnum):
    """How a question can be answered."""

    ALLOW = "allow"
    DENY = "deny"
    ALWAYS = "always"


MOST_CELLS = 200
"""Cells of an answer in words, as far as an event holds it."""


class Decision(NamedTuple):
    """An answer to a question.

    Args:
        behaviour: Allow it once, deny it, or allow it from now on.
        message: What the agent reads beside it; with `Need.QUESTION` the answer in the person's own words.
        options: With `Need.QUESTION`: what was chosen, as the person has written it.
        chosen: The same, as the labels of each question that was asked; empty for one that only words answer.
    """

    behaviour: Behaviour
    message: str | None = None
    options: tuple[str, ...] = ()
    chosen: tuple[tuple[str, ...], ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The options of all questions together, with the number of each where there are several."""
        several = len(self.chosen) > 1
        named = enumerate(self.chosen, 1)
        labels = tuple(f"{number}:{one}" if several else one for number, labels in named for one in labels)
        return labels or self.options

    @property
    def words(self) -> str:
        """The answer in the person's own words as others read it; "" where they deny it, or name an option by them."""
        names_an_option = not self.options and any(self.chosen)
        if self.message is None or self.behaviour is not Behaviour.ALLOW or names_an_option:
            return ""
        return cut(" ".join(self.message.split()), MOST_CELLS)

"""An agent: how a person defines it, in which modes its program can be run, and what it is doing. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

RAW = "raw"
"""The provider of plain programs, which say nothing that we understand."""
ACP, ONCE = "acp", "once"
"""Protocols of agents of a person's own: the Agent Client Protocol, and one prompt with its answer."""
LONGEST_OWN_NAME = 32
"""Characters."""


def own_provider(protocol: str, name: str) -> str:
    """Return what a person's own agent is called: `acp:mine`. The protocol says how its lines are read."""
    return f"{protocol}:{name}"


def is_own(provider: str) -> bool:
    """True for the provider of a person's own agent: `acp:mine`, `once:mine`."""
    protocol, _, name = provider.partition(":")
    return protocol in {ACP, ONCE} and is_own_name(name)


def is_own_name(name: str) -> bool:
    """True for a name of a person's own agent: small letters and digits, `-` and `_` behind the first."""
    letters = name.replace("-", "").replace("_", "")
    is_word = letters.isascii() and letters.isalnum() and letters == letters.lower()
    return is_word and name[0] not in "-_" and len(name) <= LONGEST_OWN_NAME


class AgentMode(StrEnum):
    """How a run talks to us."""

    ONE_SHOT = "one_shot"
    """Pipes: one prompt in, lines of JSON out, then it ends."""
    HEADLESS = "headless"
    """Pipes, lines of JSON both ways: many turns in one process."""
    INTERACTIVE = "interactive"
    """A terminal: the agent's own full-screen program."""


class AgentFolders(NamedTuple):
    """The folders of a quest's agent. Absolute, wire form."""

    inputs: str
    """It reads there unasked."""
    outputs: str
    """It writes there unasked."""


@dataclass(frozen=True, slots=True)
class Agent:
    """The definition of an agent, as given to `run`; only a person changes it. Texts are in wire form."""

    home: AgentMode = AgentMode.ONE_SHOT
    """How it runs unless somebody is attached."""
    prompt: str | None = None
    """What it is to do first; None for a session that waits for its first message."""
    model: str | None = None
    allowed_tools: tuple[str, ...] = ()
    """Passed to the agent's program as they are."""
    disallowed_tools: tuple[str, ...] = ()
    permission_mode: str | None = None
    allow: tuple[str, ...] = ()
    """Rules by which we answer its questions; `deny` wins."""
    deny: tuple[str, ...] = ()
    max_turns: int = 0
    """0 = no limit."""
    max_cost: float = 0.0
    """US dollars; 0 = no limit."""
    system_prompt: str | None = None
    append_system_prompt: str | None = None
    mcp_config: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    """Passed through, behind ours (`--agent-arg`)."""
    orchestrator: bool = False
    """It runs agents of its own, and does so unasked: see `permission.permits`."""
    program: str = ""
    """The program to run: a name that PATH resolves, or a path."""
    program_arguments: tuple[str, ...] = ()
    """The first arguments of that program, where a person has set it up themselves; see `argument_places`."""
    answer: str = ""
    """Of a program that takes one prompt: the dotted key of its answer in lines of JSON; "": all that it prints."""
    folders: AgentFolders | None = None
    """Of the quest that it works on; see `own_folders`. Nobody but the queue sets them."""


def with_program_of(agent: Agent, other: Agent) -> Agent:
    """Return an agent that runs the program of another one, with its first arguments."""
    return replace(agent, program=other.program, program_arguments=other.program_arguments, answer=other.answer)


class ActivityKind(StrEnum):
    """The closed set that every face shows beside a status."""

    WORKING = "working"
    IDLE = "idle"
    """The turn is over: it is the person's turn."""
    WAITING = "waiting"
    """A person must answer before it can go on."""
    LIMITED = "limited"
    """Held up by a rate limit, an overload or missing credit."""
    UNKNOWN = "unknown"


class AgentNeed(StrEnum):
    """What a waiting agent wants from a person."""

    PERMISSION = "permission"
    QUESTION = "question"
    PLAN = "plan"
    SETUP = "setup"
    """A dialog of the program's own before it begins: trust, login, key. Only its own keys answer it."""
    DRAFT = "draft"
    """Something stands in its prompt that nobody has sent: what is to be typed waits for that."""
    REPORT = "report"
    """The answer to a question that it has reported; a plain program may wait for that, too."""


CAUTIOUS_MODES = frozenset(["default", "manual", "plan"])
"""Permission modes in which an agent asks before it acts."""
QUEUE_WITH = "Queue the message with: overmind send --queue "
"""What to do about a message for a session that is on a terminal, before its name."""
BY_KEYS = frozenset({AgentNeed.SETUP, AgentNeed.DRAFT})
"""What only the program's own keys settle."""


class ActivitySource(StrEnum):
    """The source of an activity, best first."""

    STREAM = "stream"
    STATUS = "status"
    """The program's own reports on a terminal (Program Status Protocol)."""
    HOOK = "hook"
    TITLE = "title"
    TERMINAL = "terminal"
    SCREEN = "screen"
    """Words on the screen of a program that says nothing else: a guess."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What an agent is doing, since when (seconds since the epoch), and the source of that."""

    doing: ActivityKind = ActivityKind.UNKNOWN
    since: float = 0.0
    source: ActivitySource = ActivitySource.STREAM
    now: str = ""
    """One line: the question, the last tool call, the last text."""
    need: AgentNeed | None = None
    attempt: int = 0
    """While limited: how often the agent has tried by itself."""
    resume_at: float | None = None
    """While limited: when it tries again, or when the limit ends; seconds since the epoch, None when nobody knows."""
    guess: ActivityKind | None = None
    """While unknown: what it seems to be doing. It is shown as a guess, and nothing follows from it."""

    @property
    def word(self) -> str:
        """As lists show it: `waiting:permission`, `working`."""
        return f"{self.doing.value}:{self.need.value}" if self.need is not None else self.doing.value

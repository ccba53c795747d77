"""What a provider is: how to start an agent's program in each mode, and what the program's lines mean. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    Asked,
    CostTotalled,
    Decision,
    ModelCalled,
    NotOpened,
    Retry,
    RunVerdict,
    TextSpoken,
    TurnResult,
)
from overmind_core.domain.agents.conversation import ForkPoint
from overmind_core.domain.agents.prices import Prices


class TokensTold(StrEnum):
    """What a program tells of the tokens that it uses."""

    NOTHING = "nothing"
    UNSURE = "unsure"
    """Nobody knows whether it tells them."""
    PART = "part"
    """Those of some calls of a turn alone."""
    TURNS = "turns"
    """All, as a turn ends."""
    CALLS = "calls"
    """All, call by call."""


TOLD = frozenset({TokensTold.PART, TokensTold.TURNS, TokensTold.CALLS})
"""With these, a turn has some for certain."""
COUNTED = frozenset({TokensTold.UNSURE, TokensTold.TURNS, TokensTold.CALLS})
"""With these, what tokens cost is what a turn has cost."""


class LaunchRequest(NamedTuple):
    """A run that is about to begin.

    Args:
        mode: How it shall talk to us.
        agent: What a person wants of it.
        session: The conversation's id, which we chose.
        resume: Whether the program has that conversation already; else it begins it.
        hook: argv of our hook program, run token included: the event's JSON goes to its standard input.
        first_prompt: With `Mode.INTERACTIVE`: what the program is to begin with by itself; under 100 KB.
        texts: What the files hold that `Provider.reads` names and that are there; "" where it could not be read.
        notes: What earlier work has taught, as one text that the program is to know from its beginning; None: nothing.
            No wire form: any text.
        fork: The conversation that the new one begins as a copy of; None: it begins with nothing. Never with `resume`.
        cwd: Where it works. Absolute, wire form.
        opener: argv of our program that opens a conversation over pipes, and then becomes the full-screen program.
        port: TCP port of loopback for the server of a full-screen program that has one.
        password: The word by which that knows us.
    """

    mode: AgentMode
    agent: Agent
    session: str
    resume: bool
    hook: tuple[str, ...] = ()
    first_prompt: str | None = None
    texts: Mapping[str, str] = {}
    notes: str | None = None
    fork: ForkPoint | None = None
    cwd: str = "/"
    opener: tuple[str, ...] = ()
    port: int = 0
    password: str = ""


SESSION_WORD = "{session}"
"""Stands in the full-screen program's argv for the name of the conversation that the opener has opened."""
NOT_THERE, NOT_COPIED, NO_NAME, NO_LOGIN, NO_TOOLS = 66, 73, 76, 77, 78
"""Exit codes of the opener. Source: sysexits.h."""
OPENER_ENDS: Mapping[int, tuple[str, Retry]] = {
    NOT_THERE: ("wrong_start", Retry.SWITCH),
    NOT_COPIED: ("wrong_start", Retry.NEVER),
    NO_NAME: ("no_conversation", Retry.NEVER),
    NO_LOGIN: ("not_logged_in", Retry.NEVER),
    NO_TOOLS: ("mcp_config", Retry.NEVER),
}
"""Each of them → the reason that no conversation was opened, and whether another run may open one."""


class Launch(NamedTuple):
    """How the program is started.

    Args:
        argv: `argv[0]` is the program as PATH or the configuration names it. A word `{file:NAME}` stands for the
            path of a private file that holds `files[NAME]`; one whose name has a `/` lies in a folder, a word as well.
        notes: A text with the notes that is written to the pipe before `stdin`: it is made again of those, which rest
            in a file of their own, where a purge reaches them.
        first_words: What stands before a person's words in the first message of a conversation, with the notes: a piece
            of its bytes, made again as `notes`, which are None then; None: its program takes nothing there.
        stdin: What is written to the pipe first; None with a terminal.
        end_input: Whether nothing follows it; else whoever reads a one-shot's result closes its input.
        environment: Variables for this run, on top of the caller's; a value `{file:NAME}` as a word of `argv`.
        files: Texts too long for an argument.
    """

    argv: tuple[str, ...]
    notes: str | None = None
    first_words: str | None = None
    stdin: bytes | None = None
    end_input: bool = False
    environment: Mapping[str, str] = {}
    files: Mapping[str, str] = {}


class ConnectionRequest(NamedTuple):
    """A run whose program is to be heard, from its first line on or in the middle.

    Args:
        mode: How it talks to us.
        agent: What a person wants of it.
        session: The conversation's id.
        resume: Whether the run goes on with that conversation; else it begins one.
        cwd: Where it works. Absolute.
        in_turn: Whether it was given a message that it has not answered.
        fork: As in `LaunchRequest`.
        message: The uuid of that message; "": nobody knows it.
        read: Returns what is in a small file, by its path in wire form, which begins in that folder; None: there is
            none. Raises OSError.
    """

    mode: AgentMode
    agent: Agent
    session: str
    resume: bool
    cwd: str
    in_turn: bool = False
    fork: ForkPoint | None = None
    message: str = ""
    read: Callable[[str], bytes | None] = lambda _name: None


class Connection(Protocol):
    """Hears the program of one run, and writes to it.

    One that remembers knows a turn at most, and can be made again: from the lines since that turn began, or from all
    while the conversation is being opened.
    """

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """Return the facts of one line of output, without its newline. Never raises; unknown lines tell none."""

    def message(self, text: str, uuid: str) -> bytes:
        """Return a person's message as it is written to a headless session, newline included."""

    def interrupt(self, request: str, asked: Sequence[Asked]) -> bytes:
        """Return the bytes that end the turn of a headless session, and keep it; `asked`: its open questions."""

    def answer(self, question: Asked, decision: Decision) -> bytes:
        """Return the answer to a question of a headless session, as it is written to that."""

    settles: bool
    """True while the program tells a conversation again that it has opened; nothing says when it is done."""

    def settled(self) -> Iterable[AgentFact]:
        """Return the facts of a silence in which nothing more of that came."""


class ReopenedFile(NamedTuple):
    """The file of a conversation that its program spoils as it opens that again, unless it is called otherwise."""

    pattern: str
    """The paths, as glob has them; the file's first line is an object with the conversation's id as `sessionId`."""
    before: str
    """How its name ends."""
    after: str
    """The ending that its name has to have."""


class Renderer(Protocol):
    """Turns a run's lines into what a person reads. Remembers tool calls until they return."""

    def feed(self, line: bytes) -> list[str]:
        """The lines of the readable transcript that one line of output makes; a plain line is itself."""


class Provider(Protocol):
    """One agent program. Stateless; one instance for all missions."""

    name: str
    program: str
    """What is looked up on PATH when nobody says otherwise."""
    install: str
    """How to get it, in one sentence."""
    log_in: str
    """How to log its program in, in the imperative."""
    login_status: Sequence[str]
    """Arguments with which its program says, by its exit code and without a model, whether it has a login; (): none."""
    tested: str
    """The version of its program that was tried; "": none was."""
    transport: str
    """How it is spoken to on pipes, in one word."""
    asks: bool
    """Whether it asks on pipes before it acts: its questions stand in the inbox."""
    reports: bool
    """Whether its full-screen program reports its state on the terminal."""
    serves: bool
    """Whether that has a server of its own beside it, which tells all and takes all: then nothing is typed there."""
    modes: frozenset[AgentMode]
    speaks_json: bool
    """Whether its pipes carry lines that `parse` understands; else they are plain output."""
    opens: bool
    """Whether a run on pipes begins with an exchange behind which the program says that it takes messages."""
    opening_seconds: float
    """Seconds within which that exchange has to be over."""
    forks: bool
    """Whether it can begin a conversation as a copy of another one; one that announces what it can may lack it yet."""
    forks_at: bool
    """Whether such a copy can end at any earlier answer, and so leave out the turn under way."""
    tells_cost: bool
    """Whether it tells what the conversation has cost in US dollars."""
    tokens: TokensTold
    reads_reasons: bool
    """Whether its program reads what a person writes beside what they deny."""
    words_at: int
    """The offset at which `Launch.first_words` stand in the bytes of a message; 0: its program takes nothing there."""

    def refuse(self, agent: Agent) -> str | None:
        """Why this agent can't be run, such as an `--agent-arg` that collides with ours; None when it can."""

    def refuse_notes(self, agent: Agent) -> str | None:
        """Why this agent can't be given notes, as a person's argument takes their place; None when it can."""

    def reads(self, agent: Agent, environ: Mapping[str, str]) -> Sequence[str]:
        """Files whose text `launch` needs, in wire form; relative ones are of the mission's folder.

        `environ`: of the run.
        """

    def launch(self, start: LaunchRequest) -> Launch:
        """How to start the program for this run.

        Raises:
            ValueError: It can't be started so; the text is a sentence that says why.
        """

    def conversations(self, environ: Mapping[str, str]) -> str | None:
        """Pattern of the paths at which its program keeps conversations, with `{session}`; None: nobody knows."""

    def has_turn(self, record: bytes) -> bool:
        """Whether in the beginning of such a file anything was said."""

    def reopened_file(self, session: str, environ: Mapping[str, str]) -> ReopenedFile | None:
        """The file of a conversation that has to be called otherwise before a run goes on with that; None: none has."""

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """Return the facts of one line by itself, of any run's output, or of a stored `TurnResult.raw`."""

    def connect(self, request: ConnectionRequest) -> Connection:
        """Return the one that hears the program of one run, and writes to it."""

    def listener(self) -> Connection:
        """Return one that hears a run that somebody else talks with, from the beginning of any of its turns."""

    def renderer(self) -> Renderer:
        """A renderer for one run."""

    def whole_answer(self, agent: Agent, output: bytes) -> TurnResult | None:
        """Return the answer of a task that went well, where no line tells it but all of them; None: none does.

        Args:
            agent: What a person wants of it.
            output: What the run has printed, the end of it where that is very long.
        """

    def verdict(self, code: int, last: TurnResult | None, errors: str, *, mode: AgentMode, resumed: bool) -> RunVerdict:
        """What the end of a run means.

        Args:
            code: As waitpid tells it: negative for a signal.
            last: The run's last result.
            errors: The end of what it wrote to standard error, or of what was no JSON.
            mode: Of the run.
            resumed: Whether it was started on an existing conversation.
        """


def chosen_program(provider: Provider, variables: Mapping[str, str], programs: Mapping[str, str]) -> str:
    """Return the program that runs: the caller's choice, else the configuration's, else what PATH has."""
    return variables.get(f"OVERMIND_{provider.name.upper()}_BIN") or programs.get(provider.name) or provider.program


def limit_problem(agent: Agent, max_tokens: int, provider: Provider, prices: Prices | None) -> str | None:
    """Why nobody could hold its limit of money or tokens, and what to do; None where somebody can.

    The program does not tell them, or too late. The model is the one that is named, for a program tells the one that it
    chooses once it has started. `prices`: None where nobody knows them yet, so that any model may have one.
    """
    name, is_task = provider.name, agent.home is AgentMode.ONE_SHOT
    is_served = provider.serves and agent.home is AgentMode.INTERACTIVE  # its server tells each call
    knows = is_served or provider.tokens in {TokensTold.TURNS, TokensTold.CALLS}
    has_price = knows and (prices is None or prices.find(agent.model) is not None)
    if agent.max_cost and not provider.tells_cost and not has_price:
        table = f'[prices."{agent.model or "MODEL"}"] in config.toml' + ("" if agent.model else ", run it with --model")
        how = f" Set {table}, or use --max-tokens." if knows else ""
        return f"--max-cost is not possible with {name}: it does not tell what it costs.{how}"
    if agent.max_cost and is_task and provider.tokens is not TokensTold.CALLS:
        told = "cost" if provider.tells_cost else "tokens"
        return f"--max-cost is not possible with a task of {name}: {_LATE.format(told)}"
    if max_tokens and not knows:
        what = _UNTOLD[provider.tokens] + (" Use --max-cost." if provider.tells_cost else "")
        return f"--max-tokens is not possible with {name}: {what}"
    if max_tokens and is_task and provider.tokens is not TokensTold.CALLS:
        return f"--max-tokens is not possible with a task of {name}: {_LATE.format('tokens')}"
    return None


_LATE = "it tells its {} at the end of a turn, and a task is one turn."
_UNTOLD = {
    TokensTold.NOTHING: "it does not tell its tokens.",
    TokensTold.UNSURE: "nobody knows whether it tells its tokens.",
    TokensTold.PART: "it tells only those of the last call of each turn.",
}
"""Why there is no limit of tokens."""


class WithoutRecords:
    """A provider that reads no files, and whose program says itself where a conversation is gone."""

    login_status: Sequence[str] = ()

    def reads(self, agent: Agent, environ: Mapping[str, str]) -> Sequence[str]:
        """None."""
        del agent, environ
        return ()

    def conversations(self, environ: Mapping[str, str]) -> str | None:
        """None: nobody looks at them."""
        del environ
        return None

    def has_turn(self, record: bytes) -> bool:
        """True: nobody looks."""
        del record
        return True

    def reopened_file(self, session: str, environ: Mapping[str, str]) -> ReopenedFile | None:
        """None: its program keeps what it opens."""
        del session, environ
        return None

    def whole_answer(self, agent: Agent, output: bytes) -> TurnResult | None:
        """None: its lines tell it."""
        del agent, output
        return None


class EachLine:
    """A connection that hears each line by itself."""

    settles = False

    def settled(self) -> Iterable[AgentFact]:
        """Nothing: no conversation is told again."""
        return ()


Figure = ModelCalled | CostTotalled | TextSpoken
"""A fact that stands in the file of a conversation."""


class ServerRequest(NamedTuple):
    """A request to a program's own server; one without a body only reads."""

    path: str
    body: Mapping[str, Any] | None = None


class Lookup(NamedTuple):
    """Something that a program's server tells, and what has to be read before it is known what that means."""

    path: str
    found: Mapping[str, Any]


class Standing(NamedTuple):
    """The state that a conversation has here as its program's server is heard, for the first time or again.

    Args:
        awaited: The uuid of the message that was sent and has not been seen there yet; "": there is none.
        in_turn: Whether a turn was under way.
        asked: The program's names of its open questions.
        counted: The program's names of the newest calls of its model that were counted.
        since: When the run began, in seconds since the epoch.
    """

    awaited: str
    in_turn: bool
    asked: frozenset[str]
    counted: frozenset[str]
    since: float


class ServerConnection(Protocol):
    """The talk with the server of one run's full-screen program. Never raises, but where that is said."""

    user: str
    """The name with which we log in."""
    events: str
    """The path at which it tells what happens, line by line."""

    def opening(self) -> Sequence[ServerRequest]:
        """Return the requests that open the conversation: the last one does, and those before it prepare that.

        Raises:
            ValueError: It can't be opened as it was wanted; the text says why.
        """

    def opened(self, status: int, reply: object) -> Sequence[AgentFact]:
        """The facts of the last one's reply: `SessionReady` is among them, or `NotOpened`."""

    def unreadable(self, wrong: ValueError) -> NotOpened:
        """The fact that `opening` has raised."""

    def show(self) -> ServerRequest:
        """Return the request that puts the conversation on the screen."""

    def is_shown(self, lines: Sequence[str]) -> bool | None:
        """Whether the lines of the screen show a conversation; None: its program has drawn nothing yet."""

    def listing(self, most: int) -> Sequence[ServerRequest]:
        """Return the requests behind each connection; the last one is for the newest messages, so many at most."""

    def settle(self, replies: Sequence[object], standing: Standing) -> Sequence[AgentFact | Lookup]:
        """The news in the replies to `listing`; None stands for one that was none."""

    def parse(self, line: bytes) -> Sequence[AgentFact | Lookup]:
        """The facts of one line that it tells, without its newline; unknown lines tell none."""

    def looked_up(self, lookup: Lookup, reply: object) -> Sequence[AgentFact | Lookup]:
        """The facts of what could not be told before; `reply`: None where there is none."""

    def message(self, text: str, uuid: str, words: Sequence[str]) -> ServerRequest:
        """A person's message; `words`: texts that stand before the first one of a conversation, unseen."""

    def interrupt(self) -> ServerRequest:
        """The end of the turn; the session goes on."""

    def answer(self, asked: Asked, decision: Decision) -> ServerRequest:
        """The answer to a question."""


class ServingProvider(Protocol):
    """What else is known of a program with a server; every provider that `serves` is one, too."""

    def serve(self, request: ConnectionRequest) -> ServerConnection:
        """Return the one that talks with the server of one run."""

    def draft(self, lines: Sequence[str]) -> str:
        """Text that a person has typed into its prompt; "": the screen shows none."""

    def hidden_words(self, notes: str | None, instructions: str | None) -> Sequence[str]:
        """The texts that stand before the first message of a conversation, unseen."""


class InteractiveProvider(Protocol):
    """What else is known of a program that people use on a terminal; every provider with that mode is one, too.

    One that `serves` is none: nothing is typed there.
    """

    interrupt_keys: Sequence[bytes]
    """They end a turn, one by one: at once they would be another key."""
    exit_keys: bytes
    """What makes it end by itself when it is idle; Enter follows."""
    shows_held: bool
    """Whether its dialog stands on the screen while a hook waits for the answer: else none waits."""

    def hook(self, payload: Mapping[str, Any]) -> Sequence[AgentFact]:
        """What one hook event means. The same question of one turn has the same `request` whenever it is asked."""

    def conversation_path(self, payload: Mapping[str, Any]) -> str | None:
        """Where the program keeps the conversation of a hook event, as an absolute path; None when that is not said."""

    def sub_agent_folder(self, path: str) -> str:
        """The folder in which the files of the conversation's sub-agents are."""

    def figure(self, line: bytes, since: float) -> Figure | None:
        """The use, the cost, or what no hook tells of an answer, in a line of these, since then (epoch seconds)."""

    def hook_answer(self, question: Asked, decision: Decision) -> Mapping[str, Any] | None:
        """The JSON that the question's hook prints to answer it; None when the program takes no such answer."""

    def title(self, title: str) -> Sequence[AgentFact]:
        """What the window title means; a turn's end counts only while `is_idle`: a question looks the same.

        `StateGuessed` alone: it waits for an answer, of which a hook tells.
        """

    def dialog(self, lines: Sequence[str]) -> Asked | None:
        """The dialog on its screen that only a person can answer (trust, login, key); None when there is none."""

    def is_argument(self, text: str) -> bool:
        """Whether a message arrives as it is when a run begins with it; else it is typed."""

    def pastes(self, text: str) -> Sequence[str]:
        """What to paste one behind the other, before Enter, so that the message arrives as it is and runs nothing."""

    def draft_of(self, text: str) -> str:
        """What stands in its prompt once that was pasted so, blanks aside."""

    def is_idle(self, lines: Iterable[str]) -> bool:
        """Whether its prompt is on the screen and no turn is under way, whatever has been typed."""

    def is_ready(self, lines: Iterable[str]) -> bool:
        """Whether its prompt is on the screen, empty, and takes what is typed."""

    def draft(self, lines: Iterable[str]) -> str:
        """What somebody has typed into its prompt and not sent; "" when nothing is there, or no prompt."""

    def was_interrupted(self, lines: Sequence[str]) -> bool:
        """Whether its screen tells that a person has ended the newest turn: no hook tells of that."""

    def keys_for(self, lines: Sequence[str], question: Asked, decision: Decision) -> bytes | None:
        """The keys that answer this very question while it is on the screen; None when that can't be known."""

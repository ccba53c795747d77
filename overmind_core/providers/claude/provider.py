"""Claude Code as a provider, and the verdict on a run: by exit code, last result and standard error together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from overmind_core.domain.agents.agent import Agent, AgentMode
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    Asked,
    CostTotalled,
    Decision,
    ModelCalled,
    Retry,
    RunVerdict,
    TurnResult,
)
from overmind_core.providers.base import (
    Connection,
    ConnectionRequest,
    EachLine,
    Launch,
    LaunchRequest,
    Renderer,
    TokensTold,
)
from overmind_core.providers.claude import command_line, conversation_file, hooks, messages, screen_rules, stream
from overmind_core.providers.claude.transcript import ClaudeTranscript

_USAGE = re.compile(r"^error: (unknown option|unknown command|option|too many arguments|missing)", re.MULTILINE)
_REFUSED = re.compile(r"cannot be used with root|requires --verbose|only works with --print", re.IGNORECASE)


def verdict(code: int, last: TurnResult | None, errors: str, *, mode: AgentMode, resumed: bool) -> RunVerdict:
    """See `Provider.verdict`."""
    if code != 0 and (last is None or last.retry is Retry.SWITCH) and _wrong_start(errors, resumed=resumed):
        return RunVerdict(failed=True, reason=stream.WRONG_START, retry=Retry.SWITCH)
    if code not in {0, 1}:  # a signal, or a program that is no claude: the code says it all
        return RunVerdict(failed=True)
    if last is None:
        return _without_result(code, errors, mode)
    if last.ok or (
        last.interrupted and mode is not AgentMode.ONE_SHOT
    ):  # a person's interrupt is no failure of the agent
        return RunVerdict(failed=False)
    return RunVerdict(failed=True, reason=last.reason, retry=last.retry, resume_at=last.resume_at)


def _wrong_start(errors: str, *, resumed: bool) -> bool:
    return (stream.UNKNOWN_CONVERSATION if resumed else stream.KNOWN_CONVERSATION) in errors


def _without_result(code: int, errors: str, mode: AgentMode) -> RunVerdict:
    if code == 0:
        return RunVerdict(failed=True, reason="no_result") if mode is AgentMode.ONE_SHOT else RunVerdict(failed=False)
    if _USAGE.search(errors) or _REFUSED.search(errors):
        return RunVerdict(failed=True, reason="usage_error", retry=Retry.NEVER)
    if stream.api_reason(errors, 0) == "not_logged_in":
        return RunVerdict(failed=True, reason="not_logged_in", retry=Retry.NEVER)
    return RunVerdict(failed=True)


class Claude(EachLine):
    """The `claude` program, in all its modes."""

    name = "claude"
    program = "claude"
    install = "npm install -g @anthropic-ai/claude-code"
    log_in = "run claude in a terminal and type /login"
    login_status = ("auth", "status")
    tested = "2.1.332"
    transport = "stream"
    asks = True
    reports = True
    serves = False
    modes = frozenset(AgentMode)
    speaks_json = True
    opens = False
    opening_seconds = 0.0
    forks = True
    forks_at = True
    tells_cost = True
    tokens = TokensTold.CALLS
    reads_reasons = True
    words_at = 0
    interrupt_keys = (b"\x1b",)
    exit_keys = b"/exit"
    shows_held = True

    def refuse(self, agent: Agent) -> str | None:
        """Name arguments that collide with ours."""
        return command_line.refusal(agent)

    def refuse_notes(self, agent: Agent) -> str | None:
        """Their place is taken by a person's own addition to the system prompt, given as an argument."""
        return command_line.notes_refusal(agent)

    def reads(self, agent: Agent, environ: Mapping[str, str]) -> Sequence[str]:
        """Settings files that a person passes as arguments: ours are merged with them."""
        del environ
        return command_line.settings_files(agent.arguments)

    def conversations(self, environ: Mapping[str, str]) -> str | None:
        """One folder for each folder in which it works."""
        return conversation_file.kept_in(environ)

    def has_turn(self, record: bytes) -> bool:
        """Whether somebody has spoken: a program that is ended writes its figures into a new file."""
        return conversation_file.has_turn(record)

    def reopened_file(self, session: str, environ: Mapping[str, str]) -> None:
        """None: its program keeps what it opens."""
        del session, environ

    def launch(self, start: LaunchRequest) -> Launch:
        """Its command line."""
        return command_line.launch(start, self.program)

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """A line of `stream-json`."""
        return stream.parse(line)

    def connect(self, request: ConnectionRequest) -> Connection:
        """Return this one: each line is heard by itself."""
        del request
        return self

    def listener(self) -> Connection:
        """Return this one."""
        return self

    def renderer(self) -> Renderer:
        """A transcript."""
        return ClaudeTranscript()

    def message(self, text: str, uuid: str) -> bytes:
        """A line of type `user`."""
        return messages.message(text, uuid)

    def interrupt(self, request: str, asked: Sequence[Asked]) -> bytes:
        """A control request."""
        del asked
        return messages.interrupt(request)

    def answer(self, question: Asked, decision: Decision) -> bytes:
        """A control response."""
        return messages.answer(question, decision)

    def whole_answer(self, agent: Agent, output: bytes) -> None:
        """None: a line tells it."""
        del agent, output

    def verdict(self, code: int, last: TurnResult | None, errors: str, *, mode: AgentMode, resumed: bool) -> RunVerdict:
        """What its end means."""
        return verdict(code, last, errors, mode=mode, resumed=resumed)

    def hook(self, payload: Mapping[str, Any]) -> Sequence[AgentFact]:
        """A hook event."""
        return hooks.read_event(payload)

    def conversation_path(self, payload: Mapping[str, Any]) -> str | None:
        """Its transcript."""
        return conversation_file.path_of(payload)

    def sub_agent_folder(self, path: str) -> str:
        """Beside the transcript."""
        return conversation_file.sub_agents_of(path)

    def figure(self, line: bytes, since: float) -> ModelCalled | CostTotalled | None:
        """A line of the transcript."""
        return conversation_file.figure(line, since)

    def hook_answer(self, question: Asked, decision: Decision) -> Mapping[str, Any] | None:
        """The decision of a permission hook: the program closes its dialog."""
        return hooks.decision(question, decision)

    def title(self, title: str) -> Sequence[AgentFact]:
        """It turns a wheel in its title while it works."""
        return screen_rules.title(title)

    def dialog(self, lines: Sequence[str]) -> Asked | None:
        """A dialog of its own."""
        return screen_rules.dialog(lines)

    def is_argument(self, text: str) -> bool:
        """Anything but a command of its own."""
        return screen_rules.is_argument(text)

    def pastes(self, text: str) -> Sequence[str]:
        """Pieces that are too small for its tags."""
        return screen_rules.pastes(text)

    def draft_of(self, text: str) -> str:
        """The text."""
        return text

    def is_idle(self, lines: Iterable[str]) -> bool:
        """Its prompt is there."""
        return screen_rules.is_idle(lines)

    def is_ready(self, lines: Iterable[str]) -> bool:
        """Its prompt is there and empty."""
        return screen_rules.is_ready(lines)

    def draft(self, lines: Iterable[str]) -> str:
        """What stands in its prompt."""
        return screen_rules.draft(lines)

    def was_interrupted(self, lines: Sequence[str]) -> bool:
        """Whether the screen shows that a person has ended the newest turn."""
        return screen_rules.was_interrupted(lines)

    def keys_for(self, lines: Sequence[str], question: Asked, decision: Decision) -> bytes | None:
        """The number before the option."""
        return screen_rules.keys_for(lines, question, decision)

"""Claude Code as a provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from overmind_core.domain.agent import Agent, Mode
from overmind_core.domain.agentfacts import AgentFact, Asked, Decision, Result, Verdict
from overmind_core.providers.base import Launch, Renderer, Start
from overmind_core.providers.claude import (
    collisions,
    command,
    endings,
    hooks,
    screens,
    settings,
    speech,
    stream,
    typing,
)
from overmind_core.providers.claude.transcript import Transcript


class Claude:
    """The `claude` program, in all its modes."""

    name = "claude"
    program = "claude"
    install = "npm install -g @anthropic-ai/claude-code"
    modes = frozenset(Mode)
    speaks_json = True
    interrupt_keys = b"\x1b"
    exit_keys = b"/exit"

    def refuse(self, agent: Agent) -> str | None:
        """Name arguments that collide with ours."""
        return collisions.refusal(agent)

    def reads(self, agent: Agent) -> Sequence[str]:
        """Settings files that a person passes as arguments: ours are merged with them."""
        return settings.files(agent.arguments)

    def launch(self, start: Start) -> Launch:
        """Its command line."""
        return command.launch(start, self.program)

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """A line of `stream-json`."""
        return stream.parse(line)

    def renderer(self) -> Renderer:
        """A transcript."""
        return Transcript()

    def message(self, text: str, uuid: str) -> bytes:
        """A line of type `user`."""
        return speech.message(text, uuid)

    def interrupt(self, request: str) -> bytes:
        """A control request."""
        return speech.interrupt(request)

    def answer(self, question: Asked, decision: Decision) -> bytes:
        """A control response."""
        return speech.answer(question, decision)

    def verdict(self, code: int, last: Result | None, errors: str, *, mode: Mode, resumed: bool) -> Verdict:
        """What its end means."""
        return endings.verdict(code, last, errors, mode=mode, resumed=resumed)

    def hook(self, payload: Mapping[str, Any]) -> Sequence[AgentFact]:
        """A hook event."""
        return hooks.read(payload)

    def hook_answer(self, question: Asked, decision: Decision) -> Mapping[str, Any] | None:
        """The decision of a permission hook: the program closes its dialog."""
        return hooks.decision(question, decision)

    def title(self, title: str) -> Sequence[AgentFact]:
        """It turns a wheel in its title while it works."""
        return screens.title(title)

    def dialog(self, lines: Sequence[str]) -> Asked | None:
        """A dialog of its own."""
        return screens.dialog(lines)

    def is_argument(self, text: str) -> bool:
        """Anything but a command of its own."""
        return typing.is_argument(text)

    def pastes(self, text: str) -> Sequence[str]:
        """Pieces that are too small for its tags."""
        return typing.pastes(text)

    def is_idle(self, lines: Iterable[str]) -> bool:
        """Its prompt is there."""
        return screens.is_idle(lines)

    def is_ready(self, lines: Iterable[str]) -> bool:
        """Its prompt is there and empty."""
        return screens.is_ready(lines)

    def was_interrupted(self, lines: Sequence[str]) -> bool:
        """It says so."""
        return screens.was_interrupted(lines)

    def keys_for(self, lines: Sequence[str], question: Asked, decision: Decision) -> bytes | None:
        """The number before the option."""
        return screens.keys_for(lines, question, decision)

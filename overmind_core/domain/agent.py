"""An agent as a person defines it, and the ways in which its program can be run. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

RAW = "raw"
"""The provider of plain programs, which say nothing that we understand."""


class Mode(StrEnum):
    """How a run talks to us."""

    ONE_SHOT = "one_shot"
    """Pipes: one prompt in, lines of JSON out, then it ends."""
    HEADLESS = "headless"
    """Pipes, lines of JSON both ways: many turns in one process."""
    INTERACTIVE = "interactive"
    """A terminal: the agent's own full-screen program."""


@dataclass(frozen=True, slots=True)
class Agent:
    """What `run` was told about the agent; never changes but by a person. Texts are in wire form."""

    home: Mode = Mode.ONE_SHOT
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
    """It runs agents of its own, and does so unasked: see `orchestrating`."""
    program: str = ""
    """The program to run: a name that PATH resolves, or a path."""

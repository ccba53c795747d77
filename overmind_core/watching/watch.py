"""One mission that is watched: its signs of life, its newest tool calls, and what was found the last time."""

from __future__ import annotations

from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent_events import ToolCalled, ToolReturned
from overmind_core.domain.watching import health, tool_window
from overmind_core.domain.watching.health import HealthLevel
from overmind_core.domain.watching.steering import SteeringState
from overmind_core.domain.watching.tool_window import ToolWindow

if TYPE_CHECKING:
    import asyncio

    from overmind_core.domain.agents.agent_events import AgentFact
    from overmind_core.domain.settings import HealthSettings
    from overmind_core.domain.watching.guardian import Review, Sample
    from overmind_core.domain.watching.health import Vitals


@dataclass(slots=True)
class Watch:
    """Kept in memory, while the mission has a process. Times in monotonic seconds, where nothing else is said."""

    mission: str
    run: int
    vitals: Vitals | None = None
    """None: its silence means nothing now, for it waits, is limited, idle, frozen or held."""
    recorded_level: HealthLevel = HealthLevel.OK
    """The level of the newest event."""
    fact_at: float = 0.0
    """When its agent told something last; 0: never."""
    window: ToolWindow = field(default_factory=ToolWindow)
    touched: bool = True
    """Something has happened since its worktree was looked at last, so that a file may have changed."""
    looking: bool = False
    """Its worktree is being looked at."""
    changed: frozenset[str] | None = None
    """Files that its worktree has changed, relative to the top; None: nobody has looked, or it has none."""
    sample: Sample | None = None
    review: Review | None = None
    steering: SteeringState = field(default_factory=SteeringState)
    due: asyncio.TimerHandle | None = None
    """When it is sampled next, where something has happened since the last sample."""

    def begin(self, run: int) -> None:
        """Another run: a new conversation, of which nothing is known."""
        self.run = run
        self.vitals = None
        self.window = ToolWindow()
        self.changed = None
        self.touched = True
        self.sample = self.review = None
        self.close()

    def apply(self, fact: AgentFact, now: float) -> bool:
        """Take in what its agent told; whether that says something of its way."""
        self.fact_at = now
        self.touched = True
        if isinstance(fact, ToolCalled):
            self.window = tool_window.called(self.window, fact)
        elif isinstance(fact, ToolReturned):
            self.window = tool_window.returned(self.window, fact)
        else:
            return False
        return True

    def level(self, settings: HealthSettings) -> HealthLevel | None:
        """How long it gave no sign of life; None while that means nothing."""
        return None if self.vitals is None else health.level(self.vitals, settings)

    def edited(self, folder: str) -> frozenset[str]:
        """The files that its newest tool calls have edited, as absolute paths; it works in `folder`."""
        done = (use for use in self.window.uses if use.edits and use.returned and not use.failed)
        return frozenset(normpath(join(folder, path)) for use in done for path in use.paths)

    def close(self) -> None:
        """It is not to be sampled any more."""
        if self.due is not None:
            self.due.cancel()
            self.due = None

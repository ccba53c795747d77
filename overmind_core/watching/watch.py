"""One mission that is watched: when it was last active, its newest tool calls, and the result of the last sample."""

from __future__ import annotations

from dataclasses import dataclass
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
    from overmind_core.domain.watching.health import Liveness


_NO_CALLS, _NOT_STEERED = ToolWindow(), SteeringState()
"""How each begins; they are never changed, so all share them."""


@dataclass(slots=True)
class Watch:
    """One mission, in memory while it has a process. Times are monotonic seconds, unless said otherwise."""

    mission: str
    run: int
    liveness: Liveness | None = None
    """None: silence is no bad sign, because it waits, is limited, idle, frozen or held, as of the newest beat."""
    may_alarm: bool = True
    """Whether its silence is a bad sign, rather than that of a server that nobody asks anything."""
    recorded_level: HealthLevel = HealthLevel.OK
    """The level of the newest event."""
    worked: float = 0.0
    """Seconds of this run, under this daemon, in which it was not to wait, nor limited, idle, frozen or held."""
    fact_at: float = 0.0
    """When its agent last said or did something; 0: never."""
    window: ToolWindow = _NO_CALLS
    asked: frozenset[int] = frozenset()
    """Messages of people that it has not received yet."""
    touched: bool = True
    """Whether a file may have changed since git was asked last."""
    looking: bool = False
    """Git is being asked now."""
    changed: frozenset[str] | None = None
    """The changed files of its worktree, relative to the top; None: git was not asked, or it has no worktree."""
    sample: Sample | None = None
    review: Review | None = None
    steering: SteeringState = _NOT_STEERED
    due: asyncio.TimerHandle | None = None
    """The timer of the next sample; None: nothing has happened since the last one."""

    def begin(self, run: int) -> None:
        """Begin with another run: its conversation is new, so nothing is known of it."""
        self.run = run
        self.liveness = None
        self.worked = 0.0
        self.window = _NO_CALLS
        self.changed = None
        self.touched = True
        self.sample = self.review = None
        self.close()

    def apply(self, fact: AgentFact, now: float) -> bool:
        """Take in a fact about its agent; return whether that changes what a sample would say."""
        self.fact_at = now
        self.touched = True
        if isinstance(fact, ToolCalled):
            self.window = tool_window.called(self.window, fact)
        elif isinstance(fact, ToolReturned):
            self.window = tool_window.returned(self.window, fact)
        else:
            return False
        return True

    def on_message_delivered(self, message: int) -> None:
        """It has received a message; what a person asks for is no loop, however often it was done before."""
        if message in self.asked:
            self.asked -= {message}
            self.window = tool_window.asked(self.window)

    def level(self, settings: HealthSettings) -> HealthLevel | None:
        """The level of its health; None while silence is no bad sign."""
        return None if self.liveness is None else health.level(self.liveness, settings, may_alarm=self.may_alarm)

    def edited(self, folder: str) -> frozenset[str]:
        """The files that its newest tool calls have edited, as absolute paths; it works in `folder`."""
        done = (use for use in self.window.uses if use.edits and use.returned and not use.failed)
        return frozenset(normpath(join(folder, path)) for use in done for path in use.paths)

    def close(self) -> None:
        """Cancel the next sample."""
        if self.due is not None:
            self.due.cancel()
            self.due = None

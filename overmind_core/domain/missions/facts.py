"""What may happen to a mission, and what may follow from it: facts in, effects out. Plain values."""

from __future__ import annotations

from typing import NamedTuple

from overmind_core.domain.agents.agent_events import RunVerdict
from overmind_core.domain.events import MissionEvent
from overmind_core.domain.missions.mission import Cause, Mission


class Now(NamedTuple):
    """One moment on both clocks: seconds since the epoch, and monotonic seconds."""

    wall: float
    mono: float


# Facts: the inputs of `next_state`.


class Spawned(NamedTuple):
    """The keeper started the run that was asked for; a plan, which has no process of its own, has begun."""

    pid: int | None
    wall: float
    mono: float


class SpawnFailed(NamedTuple):
    """The run could not be started: an error code, and a sentence for people; `hopeless`: no policy tries again."""

    code: str
    message: str
    hopeless: bool = False


class Exited(NamedTuple):
    """The run's own process was reaped.

    `code`: negative for a signal, None when nobody knows; `left`: other processes of the run may live; `verdict`: what
    the run's own words say about its end, None when it has none.
    """

    code: int | None
    wall: float
    left: bool
    verdict: RunVerdict | None = None


class Gone(NamedTuple):
    """The sweep is done: nothing of the run lives but `survivors` (`pid command`)."""

    survivors: tuple[str, ...] = ()
    killed: bool = False
    """Whether something of it lived until the sweep killed it."""


class EndAsked(NamedTuple):
    """The run is to end, for a `cause`.

    `grace` in seconds; `text` explains it between the log's lines; `reason` is the mission's with `Cause.LIMIT`;
    `given`: the grace that a person chose, which a plan hands on to its agents; `limit`: seconds, of the limit of time
    or silence that is reached.
    """

    cause: Cause
    grace: float
    text: str | None = None
    reason: str | None = None
    given: float | None = None
    limit: float | None = None


class SetUpAsked(NamedTuple):
    """What is prepared has come to the project's set-up commands: they are the next run."""


class Prepared(NamedTuple):
    """All that the mission needs is there: the work can begin."""


class StartAsked(NamedTuple):
    """A person starts an ended mission again."""


class RestartDue(NamedTuple):
    """The back-off is over."""


class Frozen(NamedTuple):
    """The tree was SIGSTOPped on request."""


class Thawed(NamedTuple):
    """The tree was SIGCONTed on request; `last_output` in monotonic seconds."""

    last_output: float


class KeeperLost(NamedTuple):
    """The keeper that held the run is dead, or the machine was restarted, and no exit was recorded.

    `leased`: the run had a lease, which has ended with its keeper.
    """

    leased: bool = False


Fact = (
    Spawned
    | SpawnFailed
    | Exited
    | Gone
    | EndAsked
    | SetUpAsked
    | Prepared
    | StartAsked
    | RestartDue
    | Frozen
    | Thawed
    | KeeperLost
)


# Effects: what the supervisor does once the new state is saved.


class Spawn(NamedTuple):
    """Ask the keeper for the mission's newest run."""


class Prepare(NamedTuple):
    """See to all that the mission needs before it can be started."""


class SignalTree(NamedTuple):
    """Send each signal, in order, to every process of the run, then watch it go until its deadline."""

    signals: tuple[int, ...]


class EndTree(NamedTuple):
    """Freeze and SIGKILL every process of the run."""


Effect = Spawn | Prepare | SignalTree | EndTree | MissionEvent
"""An event among them is to be recorded."""
Outcome = tuple[Mission, tuple[Effect, ...]]

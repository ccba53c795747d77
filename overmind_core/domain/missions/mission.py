"""A mission and its runs: its definition, which a person gives, and its state, which only `lifecycle` changes.

Wall times are seconds since the epoch, for display; `*_mono` times are CLOCK_MONOTONIC seconds and mean
something only while the machine's boot id is the one they were stored with. A run is one process from its start to its
end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from overmind_core.domain.memory.giving import Injection
from overmind_core.domain.missions.reasons import SPENT

TYPE_CHECKING = False


class Status(StrEnum):
    """Where a mission is in its life; the closed set that every face shows."""

    PREPARING = "preparing"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CRASHED = "crashed"
    KILLED = "killed"


FINAL = frozenset({Status.STOPPED, Status.CRASHED, Status.KILLED})
LIVE = frozenset(Status) - FINAL


class Kind(StrEnum):
    """A task ends by itself, a session waits for input (`--type` names these two); a blueprint has no process."""

    TASK = "task"
    SESSION = "session"
    BLUEPRINT = "blueprint"


class Restart(StrEnum):
    """When the restart policy applies."""

    NEVER = "never"
    ON_FAILURE = "on_failure"
    ALWAYS = "always"


class Cause(StrEnum):
    """Why a run is ending."""

    EXITED = "exited"
    STOP = "stop"
    KILL = "kill"
    RESTART = "restart"
    STALLED = "stalled"
    TIMEOUT = "timeout"
    KEEPER_LOST = "keeper_lost"
    SPAWN_FAILED = "spawn_failed"
    LIMIT = "limit"
    """A limit that a person has set is reached: cost, turns."""
    CHANGE_OVER = "change_over"
    """The next run begins at once, in another way: no restart, and no policy is asked."""
    FENCED = "fenced"
    """Its lease has ended: another hive may have taken the work by now. Nothing changes this any more."""


_OF_STOPS = frozenset({"restart_cancelled", "stopped"})
"""Reasons of missions that a stop has ended."""
UNFORGIVING = frozenset({Cause.KILL, Cause.FENCED})
"""Endings of the mission that leave no time, not even to clean up."""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When to start a mission again after its process ended."""

    when: Restart = Restart.NEVER
    max_restarts: int = 5
    """Within `window`; 0 = unlimited."""
    window: float = 60.0
    """Seconds, sliding. A run that lasts longer is healthy and resets the delay."""
    backoff: float = 1.0
    """Seconds before the first restart; doubles up to `restart.MAX_DELAY`."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What to run and how to treat it. Texts are in wire form (`domain.text.bytestrings`)."""

    name: str
    command: str
    """One line for people: the shell string as given, or the argv joined."""
    argv: tuple[str, ...]
    cwd: str
    kind: Kind = Kind.TASK
    provider: str = "raw"
    interactive: bool = False
    tty: bool = True
    columns: int = 80
    rows: int = 24
    umask: int = 0o022
    parent: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    activity_timeout: float = 0.0
    """Seconds of silence after which the run is killed; 0 = never."""
    grace: float = 10.0
    """Seconds between the stop signal and SIGKILL."""
    stop_signal: int = 15
    timeout: float = 0.0
    """Seconds of wall clock for one run; 0 = none."""
    leave_background: bool = False
    stall_waiting: bool = False
    """Whether waiting for a person, or for a limit to end, is silence too."""
    max_children: int | None = None
    """Live missions that each mission of its tree may have directly below it; None: see `tree`."""
    max_depth: int | None = None
    """Generations that may stand below it; None: see `tree`."""
    max_cost: float = 0.0
    """US dollars for all agents of its tree, its own included; 0 = no limit."""
    max_tokens: int = 0
    """The same in tokens."""
    isolated: bool = False
    """Whether it is prepared before each start: a worktree, ports, services of its own."""
    notes: Injection | None = None
    """Which notes each new conversation of it begins with; None: an agent as the configuration says, a command none."""

    @property
    def has_terminal_input(self) -> bool:
        """Whether standard input is the terminal; else it is closed."""
        return self.tty and (self.interactive or self.kind is Kind.SESSION)


_OF_RUN_ONLY = frozenset({Cause.EXITED, Cause.RESTART, Cause.STALLED, Cause.CHANGE_OVER})


@dataclass(frozen=True, slots=True)
class Ending:
    """A run on its way out. Stored before the first signal is sent, so that a crash of ours finishes it."""

    cause: Cause
    deadline_mono: float
    """When what is left gets SIGKILL."""
    exited: bool = False
    """The root process is reaped (or the keeper that could have reported it is dead)."""
    gone: bool = False
    """No process of the run is left, or only those in `survivors`."""
    survivors: tuple[str, ...] = ()
    """`pid command` of each process that could not be ended."""
    reason: str | None = None
    """Why the work failed, as far as more is known than the exit code."""
    resume_at: float | None = None
    """Seconds since the epoch before which another run makes no sense."""
    hopeless: bool = False
    """Another run would end the same way: no policy starts one."""
    grace: float | None = None
    """Seconds that whoever asked gave it, and what a plan ends with it; None: to each its own."""

    @property
    def is_of_run_only(self) -> bool:
        """Whether the mission may go on after it: the run ends, and nobody has asked the mission to."""
        return self.cause in _OF_RUN_ONLY


@dataclass(frozen=True, slots=True)
class Mission:
    """A mission and where it stands. Replaced, never changed."""

    id: str
    definition: Definition
    created_at: float
    status: Status = Status.STARTING
    reason: str | None = None
    run: int = 0
    """Number of the newest run; 0 before the first."""
    pid: int | None = None
    started_at: float | None = None
    """Wall time of the first run's start."""
    run_started_at: float | None = None
    """Wall time of the newest run's start; None: there was none, or an older program started it."""
    run_started_mono: float = 0.0
    ended_at: float | None = None
    run_ended_at: float | None = None
    """Wall time of the newest run's end, where the mission ended later: before its restart; else None."""
    exit_code: int | None = None
    """Of the newest finished run, 128+N for a signal; None when killed or unknown."""
    ended_by: Cause | None = None
    """Why its newest run ended; None: it has not, or an older program ended it."""
    run_reason: str | None = None
    """Why its newest run ended, where the reason of the mission is that its restarts are used up."""
    limit: float | None = None
    """Seconds, of the limit of time or silence that ended its newest run; None: none did, or nobody noted it."""
    killed_after: float | None = None
    """Seconds that its last run was given to end, and then had to be killed; None: it was not asked, or did end."""
    resume_at: float | None = None
    """Wall time before which another run makes no sense, as the last one said at its end; None: nobody knows."""
    restart_count: int = 0
    restarts_mono: tuple[float, ...] = ()
    """When it was restarted by policy, within the policy's window."""
    streak: int = 0
    """Restarts since the last healthy run."""
    next_restart_at: float | None = None
    next_restart_mono: float | None = None
    ending: Ending | None = None
    quiet_since_mono: float = 0.0
    """The stall clock never starts before this: run start, thaw."""
    held_mono: float | None = None
    """When the stall clock was stopped (frozen, or output held back); None while it runs."""
    survivors: tuple[str, ...] = ()
    hidden: bool = False
    """It was killed once it had ended: plain lists leave it out, and how it ended stays as it was."""
    setup: bool = False
    """The newest run is the project's set-up, not the work."""
    set_up: bool = False
    """The project's set-up has succeeded."""
    boot: str = ""
    """Boot id to which the `*_mono` times belong."""

    @property
    def run_id(self) -> str:
        """`<mission>.<number>` of the newest run."""
        return f"{self.id}.{self.run}"

    @property
    def is_live(self) -> bool:
        """Whether it may still run or be started by itself."""
        return self.status in LIVE

    @property
    def is_killed(self) -> bool:
        """Whether a kill ended it; of one that had ended before, an older program stored the same status."""
        if self.ended_by is not None:
            return self.status is Status.KILLED and self.ended_by in UNFORGIVING
        # An older program did not note who ended it.
        return self.status is Status.KILLED and self.exit_code is None and self.reason in {None, Cause.FENCED.value}

    @property
    def shell_exit(self) -> int:
        """What `wait` exits with: the child's code, 137 when killed, 1 when it has failed although it exited 0.

        Source: cli.md, exit codes.
        """
        if self.is_killed:
            return 137
        has_failed = self.status is Status.CRASHED or self.is_given_up
        if self.exit_code is None:
            return 1 if has_failed else 0
        if self.exit_code == 0 and has_failed:
            return 1
        return self.exit_code

    @property
    def is_given_up(self) -> bool:
        """Whether it was to be started again, and its restarts were used up: it has failed, whatever its exit code."""
        return self.reason == SPENT

    @property
    def ended_by_stop(self) -> bool:
        """Whether a stop ended it, or its restart."""
        return self.ended_by is Cause.STOP or self.reason in _OF_STOPS


def shell_code(code: int) -> int:
    """An exit status as a shell shows it: `code`, or 128+N for the signal `-code`."""
    return 128 - code if code < 0 else code


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a run; enough to find its processes again after any crash of ours."""

    mission: str
    number: int
    started_at: float
    """Wall seconds."""
    pid: int = 0
    """0 until the keeper answered the spawn."""
    ticks: int = 0
    """Start time of the process as /proc/<pid>/stat counts it: with the pid, its identity."""
    mark: int = 0
    """The soft RLIMIT_MSGQUEUE that every process of the run inherits; 0 = none."""
    boot: str = ""
    started_mono: float = 0.0
    tty: bool = True
    columns: int = 80
    rows: int = 24
    ended_at: float | None = None
    code: int | None = None
    """As waitpid tells it: negative for a signal; None while it runs or when nobody knows."""
    reason: str | None = None
    out: int = 0
    """Bytes in the log of each stream, as of the last report."""
    err: int = 0
    swept: bool = False
    """Nothing of it can be left; it needs no sweep any more."""

    @property
    def id(self) -> str:
        """`<mission>.<number>`."""
        return f"{self.mission}.{self.number}"

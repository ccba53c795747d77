"""One run of a mission: one process from its start to its end."""

from __future__ import annotations

from dataclasses import dataclass


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

"""What happens to what isolated missions have of their own, as the log has it."""

from __future__ import annotations

from overmind_core.domain.events import MissionAct, MissionEvent


class PreparationStep(MissionEvent, frozen=True, kw_only=True, tag="preparing"):
    """The preparation of a mission has come to its next step."""

    step: str


class FileLeftOut(MissionEvent, frozen=True, tag="left_out"):
    """A file that the project names was not copied or linked; the text says why."""


class ServiceWrote(MissionEvent, frozen=True, tag="service_wrote"):
    """A line of the log of a container that did not become ready, or has ended."""


class ServiceEnded(MissionEvent, frozen=True, kw_only=True, tag="service_ended"):
    """A container of a running mission has ended, or could not be started again."""

    service: str
    exit_code: int | None = None
    """Null when it is gone, or could not be started."""


class IgnoredFilesLeft(MissionEvent, frozen=True, kw_only=True, tag="ignored_left"):
    """A worktree with files that git ignores, and the work made or changed: it was kept, or removed by the rules."""

    files: int
    kept: bool
    """Whether the worktree was kept for them."""


class WorkDiscarded(MissionAct, frozen=True, tag="discarded"):
    """The worktree of a mission was removed, with all that belongs to it."""

"""What happens to what isolated missions have of their own, as the log has it."""

from __future__ import annotations

from overmind_core.domain.events import MissionAct, MissionEvent


class PreparationStep(MissionEvent, frozen=True, kw_only=True, tag="preparing"):
    """The preparation of a mission has reached its next step."""

    step: str


class FileLeftOut(MissionEvent, frozen=True, tag="left_out"):
    """A file of `.overmind.yml`, a submodule or git's hooks are missing in the worktree; the text gives the reason."""


class GitWrote(MissionEvent, frozen=True, tag="git_wrote"):
    """A line of what git wrote when it refused to create a worktree, or to remove it."""


class ServiceWrote(MissionEvent, frozen=True, tag="service_wrote"):
    """A log line of a container that did not become ready, or has ended."""


class ServiceEnded(MissionEvent, frozen=True, kw_only=True, tag="service_ended"):
    """A container of a running mission has ended, or could not be restarted."""

    service: str
    exit_code: int | None = None
    """Null if the container is gone, or could not be started."""


class IgnoredFilesLeft(MissionEvent, frozen=True, kw_only=True, tag="ignored_left"):
    """A worktree contained ignored files that the work created or changed: it was kept, or removed by the rules."""

    files: int
    kept: bool
    """Whether the worktree was kept."""


class WorkDiscarded(MissionAct, frozen=True, tag="discarded"):
    """The worktree of a mission was removed, with everything that belongs to it."""

"""What is known of one mission's isolation, as long as anything of it exists. Texts are in wire form."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from overmind_core.domain.isolation.project import Project
from overmind_core.domain.isolation.saga import Saga

OWN = ""
"""The service's name under which the mission's own port is kept."""


class Removal(StrEnum):
    """Whether all of it is being taken away: one that was interrupted is brought to its end."""

    NONE = "none"
    UNASKED = "unasked"
    """Nothing in it is work."""
    FORCED = "forced"
    """Work and all: a person wants it."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """Replaced, never changed. It outlives its mission while a worktree is left."""

    mission: str
    name: str
    """The mission's name when it was begun."""
    source: str
    """Top of the person's checkout, or the folder that it was started in where there is no repository."""
    subfolder: str
    """Where in `source` it was started, relative; "" for its top."""
    project: Project
    saga: Saga
    generation: int = 0
    """Which start of the mission `saga` prepares: its `restart_count` then."""
    repository: str | None = None
    """Git's common folder: the same for all worktrees of a repository; None without one."""
    worktree: str | None = None
    """Its path; None when it has none."""
    half: bool = False
    """It is being made: nothing at its path is anybody's work yet."""
    branch: str | None = None
    base: str | None = None
    """Name of the branch that it began at, or the commit where that has no name."""
    base_commit: str | None = None
    engine: str | None = None
    """Address of the container engine; None without containers."""
    ports: dict[str, int] = field(default_factory=dict)
    """Service → port; `OWN` for the mission's own."""
    containers: dict[str, str] = field(default_factory=dict)
    """Service → name of the container, as soon as it is to be created."""
    volumes: tuple[str, ...] = ()
    """Names of all volumes of its containers."""
    services: dict[str, str] = field(default_factory=dict)
    """Service → id of the child mission."""
    ready_once: bool = False
    """Its mission has run: work may be in the worktree, which nothing but a person removes from now on."""
    ended: bool = False
    """What it held while its mission lived is let go: ports, services, running containers."""
    removal: Removal = Removal.NONE

    @property
    def folder(self) -> str:
        """Where the mission runs."""
        top = self.worktree or self.source
        return f"{top}/{self.subfolder}" if self.subfolder else top

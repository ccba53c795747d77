"""The types of answers about isolation: trust, what a mission would get, ports. Only annotations name them."""

from __future__ import annotations

from typing import TypedDict

from overmind_core.domain.missions.mission import Status


class TrustedFile(TypedDict):
    """A project's file, and whether it is trusted now."""

    path: str
    sha256: str | None
    """Of the content that is trusted, in hex; null with `revoke`."""
    commands: list[str]
    """What it runs, copies and links."""
    trusted: bool


class ProjectFacts(TypedDict):
    """The project of a folder, and its file."""

    source: str
    """Top of the repository, or the folder."""
    repository: bool
    """It is one of git."""
    path: str | None
    """Its `.overmind.yml`; null: there is none."""
    sha256: str | None
    """Of the file's content, in hex."""
    trusted: bool
    """What it runs may be run; also true without a file."""
    changed: bool
    """Another content of the file was trusted."""
    commands: list[str]
    """What the file runs, copies and links."""


class PreparationStep(TypedDict):
    """One step of the preparation of a mission."""

    step: str
    text: str


class PortWish(TypedDict):
    """A port that a mission would get."""

    service: str | None
    """Null for the mission's own, which it sees as PORT."""
    port: int | None
    wanted: int | None
    """What the file names."""


class IsolationPlan(ProjectFacts):
    """What a mission in a folder would get for itself."""

    problems: list[str]
    """What is wrong; empty when nothing is."""
    branch: str | None
    """The pattern of its branch's name; null without a worktree."""
    base: str | None
    """Where the branch would begin."""
    worktree: bool
    steps: list[PreparationStep]
    ports: list[PortWish]
    engine: str | None
    """The engine of containers, where they are needed."""
    engine_problem: str | None
    notes: list[str]
    """What the person may want to know."""


class PortInfo(TypedDict):
    """A port of an isolated mission."""

    mission: str
    service: str | None
    """Null for the mission's own, which it sees as PORT."""
    port: int
    held: bool
    """Reserved now; else what the mission would like to have again."""
    name: str | None
    """Of the mission; null when nothing is known of it any more."""
    status: Status | None
    """Null when the mission was removed."""


class PortList(TypedDict):
    """The ports of isolated missions."""

    ports: list[PortInfo]
    """By number."""

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
    """The commands it runs, and the files it copies and links."""
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
    """Its commands are trusted; also true without a file."""
    changed: bool
    """Another content of the file was trusted."""
    commands: list[str]
    """The commands the file runs, and the files it copies and links."""


class PreparationStep(TypedDict):
    """One step of the preparation of a mission."""

    step: str
    text: str


class PortWish(TypedDict):
    """A port that a mission would get."""

    service: str | None
    """Null for the mission's own, which it sees as PORT; `minio/9001` for a further port of the service `minio`."""
    port: int | None
    wanted: int | None
    """The file's content."""


class IsolationPlan(ProjectFacts):
    """The isolation a mission in a folder would get."""

    problems: list[str]
    """The problem; empty if there is none."""
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
    """Notes for the person."""


class PortInfo(TypedDict):
    """A port of an isolated mission."""

    mission: str
    service: str | None
    """Null for the mission's own, which it sees as PORT; `minio/9001` for a further port of the service `minio`."""
    port: int
    held: bool
    """Reserved now; false for a port reserved for an ended mission."""
    name: str | None
    """Of the mission; null when nothing is known of it any more."""
    status: Status | None
    """Of the service that has the port, once it was started, else of the mission. Null when that was removed."""


class PortList(TypedDict):
    """The ports of isolated missions."""

    ports: list[PortInfo]
    """By number."""

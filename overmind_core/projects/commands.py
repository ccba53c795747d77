"""What a project's file makes us run, copy and link: what a person is asked to trust."""

from __future__ import annotations

from overmind_core.domain.isolation.project import Project, ReadyKind, Service


def commands(project: Project) -> tuple[str, ...]:
    """Return a line for each thing, in the order in which it happens; texts as the file has them, for no terminal yet.

    A text of several lines stays one entry, with all of its lines: nothing of it may be hidden.
    """
    found = [f"copies: {one}" for one in project.copy]
    found += [f"links: {one}" for one in project.link]
    for one in project.containers:
        found += [f"{one.name}: container {one.image}", *_ready(one, "in the container: ")]
    found += [f"setup: {one}" for one in project.setup]
    for one in project.processes:
        found += [f"{one.name}: {one.command}", *_ready(one, "")]
    return tuple(found)


def _ready(service: Service, where: str) -> list[str]:
    ready = service.ready
    if ready is None or ready.kind is not ReadyKind.EXEC:
        return []
    return [f"{service.name} is ready when {where}{ready.target}"]

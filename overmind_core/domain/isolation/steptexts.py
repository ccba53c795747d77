"""What each step of a preparation is for, before it is taken: for people who ask what would be done. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from overmind_core.domain.isolation.naming import HOST
from overmind_core.domain.isolation.project import Project, Ready, ReadyKind, Service
from overmind_core.domain.isolation.steps import Act, Step


def text_of(step: Step, project: Project, ports: Mapping[str, int], base: str) -> str:
    """Return the step as a sentence without a full stop.

    Args:
        step: One of `steps`.
        project: What they are for.
        ports: Service → port.
        base: What the branch would begin at.
    """
    service = next((one for one in project.services if one.name == step.service), Service(step.service))
    place = _place(service, ports)
    texts = {
        Act.WORKTREE: f"{'fetch, then ' if project.fetch else ''}make the worktree, on a branch that begins at {base}",
        Act.FILES: _files(project),
        Act.IMAGE: f"pull {service.image}, if it is not there",
        Act.CONTAINER: f"start a container of {service.image} for {service.name}{place}",
        Act.SETUP: f"run: {'; '.join(project.setup)}",
        Act.SERVICE: f"start {service.name}: {service.command}{place}",
        Act.READY: f"wait until {service.name} {_readiness(service.ready)}",
    }
    return texts[step.act]


def _files(project: Project) -> str:
    words = (("copy", project.copy), ("link", project.link))
    return "; ".join(f"{word} {', '.join(names)}" for word, names in words if names)


def _place(service: Service, ports: Mapping[str, int]) -> str:
    port = ports.get(service.name)
    return "" if port is None else f" (at {HOST}:{port})"


def _readiness(ready: Ready | None) -> str:
    if ready is None:
        return "runs"
    how = {
        ReadyKind.TCP: "takes connections",
        ReadyKind.HTTP: f"answers {ready.target}",
        ReadyKind.EXEC: f"passes: {ready.target}",
        ReadyKind.LOG: f"writes: {ready.target}",
    }
    return f"{how[ready.kind]} (at most {ready.timeout:g} s)"

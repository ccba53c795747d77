"""One mission's isolation: what is recorded of it, what its parts are called, and what each step is for. Pure.

A record lives as long as anything of the isolation exists; its texts are in wire form. Names are those of the branch,
the containers, the volumes and the variables. The sentences about steps are for people who ask what would be done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import NamedTuple

from overmind_core.domain.isolation.project import Project, ReadyCheck, ReadyKind, Service, service_and_number
from overmind_core.domain.isolation.saga import Saga, SagaPhase, SagaStep, StepKind

OWN = ""
"""The service's name under which the mission's own port is kept."""


class Removal(StrEnum):
    """Whether all of it is being taken away: one that was interrupted is brought to its end."""

    NONE = "none"
    UNASKED = "unasked"
    """Nothing in it is work."""
    FORCED = "forced"
    """Work and all: a person wants it."""


class WorkCopy(NamedTuple):
    """The work of another mission that a worktree begins with."""

    commit: str
    """The newest commit there."""
    tree: str
    """A tree of all files that were there but those that git ignores, committed or not."""
    base_commit: str | None
    """The commit at which that work began."""


@dataclass(frozen=True, slots=True)
class Isolation:
    """Replaced, never changed. It outlives its mission while a worktree is left."""

    mission: str
    name: str
    """The mission's name; of one that was removed, its last."""
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
    """Service → port; `OWN` for the mission's own; of a service with several, see `Service.ports`."""
    containers: dict[str, str] = field(default_factory=dict)
    """Service → name of the container, as soon as it is to be created."""
    volumes: tuple[str, ...] = ()
    """Names of all volumes of its containers."""
    services: dict[str, str] = field(default_factory=dict)
    """Service → id of the child mission."""
    ready_once: bool = False
    """Its mission has run: work may be in the worktree, which nothing but a person removes from now on."""
    ready_at: int | None = None
    """When the worktree was set up, in nanoseconds on the clock of its file system; None: nobody knows."""
    ignored: int = 0
    """Files that git ignores for which the worktree was kept when its mission ended."""
    ended: bool = False
    """What it held while its mission lived is let go: ports, services, running containers."""
    removal: Removal = Removal.NONE
    removed: Removal = Removal.NONE
    """How its worktree was removed; NONE while it has one, or where nobody has noted that."""
    lost: bool = False
    """A recovery of the state found neither worktree nor branch: what its mission did is nowhere."""
    copy_of: WorkCopy | None = None
    """What its worktree begins with; None: with its base alone."""

    @property
    def folder(self) -> str:
        """Where the mission runs."""
        top = self.worktree or self.source
        return f"{top}/{self.subfolder}" if self.subfolder else top

    @property
    def project_folder(self) -> str:
        """The folder that its mission was started in."""
        return f"{self.source}/{self.subfolder}" if self.subfolder else self.source


_REMOVED: Mapping[Removal, str] = {
    Removal.UNASKED: "it was removed, and no work was lost with it",
    Removal.FORCED: "it was discarded",
}
_NOT_PREPARED: Mapping[SagaPhase, str] = {
    SagaPhase.FORWARD: "it is not made yet",
    SagaPhase.BACKWARD: "its preparation was undone",
    SagaPhase.UNDONE: "its preparation was undone",
}


def reason_without_worktree(isolation: Isolation) -> str | None:
    """Return why a mission that was isolated has no worktree, such as `it was discarded`; None: it has one."""
    if isolation.worktree is None:
        in_checkout = "its .overmind.yml says `worktree: false`"
        return f"{isolation.source} is not in a git repository" if isolation.project.worktree else in_checkout
    if isolation.branch is not None:
        return None
    unknown = _NOT_PREPARED.get(isolation.saga.phase, "it was removed")  # an older program did not note how
    return _REMOVED.get(isolation.removed, unknown)


PREFIX = "overmind-"
"""Of all containers and volumes."""
HOST = "127.0.0.1"
"""Where services listen, and where containers are published."""
WORKTREE_VARIABLE, BRANCH_VARIABLE = "OVERMIND_WORKTREE", "OVERMIND_BRANCH"
"""Tell a mission of its own worktree."""
LONGEST_BRANCH = 200
"""Bytes: git keeps a branch as a file, whose name has at most 255, and adds to it while it writes."""
PLACEHOLDERS = ("name", "id")
"""What a branch's template may contain, each in braces."""

_PLACE = re.compile(r"\{([^{}]*)\}")
_NO_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
"""See git-check-ref-format(1)."""


def ref_problem(name: str) -> str | None:
    """Return why git takes no branch of this name, such as `contains ':'`; None when it does."""
    found = _NO_REF.search(name)
    parts = name.split("/")
    for is_wrong, problem in (
        (not name, "is empty"),
        (found is not None, f"contains {found[0]!r}" if found else ""),
        (name.startswith("-"), "begins with '-'"),
        (name.startswith("/") or name.endswith("/"), "begins or ends with '/'"),
        (name.endswith("."), "ends with '.'"),
        (any(part.startswith(".") for part in parts), "has a part that begins with '.'"),
        (any(part.endswith(".lock") for part in parts), "has a part that ends with '.lock'"),
        (name in {"@", "HEAD"}, "has another meaning in git"),
        (len(name.encode(errors="surrogateescape")) > LONGEST_BRANCH, f"has more than {LONGEST_BRANCH} bytes"),
    ):
        if is_wrong:
            return problem
    return None


def template_problem(template: str) -> str | None:
    """Return what is wrong with a branch's template as a sentence; None when every mission gets a branch by it."""
    for word in _PLACE.findall(template):
        if word not in PLACEHOLDERS:
            return f"{{{word}}} is not known: use {{name}} or {{id}}"
    if not _PLACE.search(template):
        return "each mission needs a separate branch: write {name} or {id} in it, such as overmind/{name}"
    filled = _filled(template, "x" * 63, "0" * 8)
    if "{" in filled or "}" in filled:
        return "'{' and '}' stand around name or id only"
    problem = ref_problem(filled) or ref_problem(f"{filled}-2")
    return None if problem is None else f"git does not accept this branch: it {problem}"


def branches(template: str, *, name: str, mission: str) -> Iterator[str]:
    """Give the branches that a mission may have, the best first, without end: `x`, `x-2`, `x-3` ….

    Args:
        template: As `template_problem` has found it right.
        name: The mission's.
        mission: Its id.
    """
    first = _filled(template, _for_git(name) or mission, mission)
    first = first if ref_problem(first) is None else f"overmind/{mission}"
    yield first
    for number in count(2):
        yield f"{first}-{number}"


def container_name(mission: str, service: str) -> str:
    """Return the name of a mission's container."""
    return f"{PREFIX}{mission}-{service}"


def volume_name(mission: str, service: str, name: str) -> str:
    """Return the name of a volume of a mission's container."""
    return f"{PREFIX}{mission}-{service}-{name}"


def port_variable(key: str) -> str:
    """Return the variable of a port: `my-db` → `MY_DB_PORT`, `my-db/81` → `MY_DB_PORT_81`; `PORT` for the mission's."""
    service, number = service_and_number(key)
    return "_".join(filter(None, (_stem(service), "PORT", number)))


def host_variable(service: str) -> str:
    """Return the variable that holds where a service listens."""
    return f"{_stem(service)}_HOST"


def clashes(services: Iterable[str]) -> dict[str, str]:
    """Return service → the earlier one that has the same variables, for those that can't be told apart."""
    first: dict[str, str] = {}
    found: dict[str, str] = {}
    for name in services:
        earlier = first.setdefault(_stem(name), name)
        if earlier != name:
            found[name] = earlier
    return found


def volume_clashes(services: Iterable[Service]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return (service, volume) → the earlier ones whose volume has the same full name: `a-b` + `c` and `a` + `b-c`."""
    first: dict[str, tuple[str, str]] = {}
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for service in services:
        for name in service.volumes:
            own = (service.name, name)
            earlier = first.setdefault(f"{service.name}-{name}", own)
            if earlier != own:
                found[own] = earlier
    return found


def isolation_variables(isolation: Isolation, service: str = OWN) -> dict[str, str]:
    """Return what isolation adds to the environment of a mission, or of one of its process services.

    Ports are among it only while they are held: later nothing listens there, or another mission.

    Args:
        isolation: What the mission has.
        service: Whose `PORT` it is; `OWN`: the mission's.
    """
    found: dict[str, str] = {}
    ports = {} if isolation.ended else isolation.ports
    for key, port in ports.items():
        if key != OWN:
            found[port_variable(key)] = str(port)
            found[host_variable(service_and_number(key)[0])] = HOST
    own = ports.get(service)
    if own is not None:
        found["PORT"] = str(own)
    if isolation.worktree is not None:
        found[WORKTREE_VARIABLE] = isolation.worktree
    if isolation.branch is not None:
        found[BRANCH_VARIABLE] = isolation.branch
    return found


def _stem(service: str) -> str:
    return re.sub(r"[^A-Z0-9_]", "_", service.upper())


def _filled(template: str, name: str, mission: str) -> str:
    values: Mapping[str, str] = {"name": name, "id": mission}
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), template)


def _for_git(name: str) -> str:
    """A mission's name as a part of a branch's."""
    plain = re.sub(r"[\x00-\x20\x7f~^:?*\[\\{}@/]", "-", name)
    plain = re.sub(r"\.{2,}", ".", plain).lstrip(".-").rstrip(".")
    return plain.removesuffix(".lock")


def text_of(step: SagaStep, project: Project, ports: Mapping[str, int], base: str) -> str:
    """Return the step as a sentence without a full stop.

    Args:
        step: One of `steps`.
        project: What they are for.
        ports: Service → port.
        base: What the branch would begin at.
    """
    service = next((one for one in project.services if one.name == step.service), Service(step.service))
    place = _place(service, ports)
    fetch = "fetch, then " if project.fetch else ""
    texts = {
        StepKind.WORKTREE: f"{fetch}create the worktree, on a branch that starts at {base}",
        StepKind.FILES: _files(project),
        StepKind.IMAGE: f"pull {service.image}, if it is missing",
        StepKind.CONTAINER: f"start a container of {service.image} for {service.name}{place}",
        StepKind.SETUP: f"run: {'; '.join(project.setup)}",
        StepKind.SERVICE: f"start {service.name}: {service.command}{place}",
        StepKind.READY: f"wait until {service.name} {_readiness(service.ready)}",
    }
    return texts[step.act]


def _files(project: Project) -> str:
    words = (("copy", project.copy), ("link", project.link))
    return "; ".join(f"{word} {', '.join(names)}" for word, names in words if names)


def _place(service: Service, ports: Mapping[str, int]) -> str:
    found = [(number, ports[key]) for key, number in service.ports.items() if key in ports]
    if len(found) < 2:  # noqa: PLR2004 - of one port it is clear which
        return "".join(f" (at {HOST}:{port})" for _, port in found)
    return f" ({', '.join(f'{number} at {HOST}:{port}' for number, port in found)})"


def _readiness(ready: ReadyCheck | None) -> str:
    if ready is None:
        return "runs"
    how = {
        ReadyKind.TCP: "accepts connections",
        ReadyKind.HTTP: f"answers {ready.target}",
        ReadyKind.EXEC: f"passes: {ready.target}",
        ReadyKind.LOG: f"writes: {ready.target}",
    }
    return f"{how[ready.kind]} (at most {ready.timeout:g} s)"

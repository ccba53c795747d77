"""What a project wants for each mission in it: services of its own, ports, a worktree. `.overmind.yml` as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from overmind_core.domain.isolation import keep

FILE = ".overmind.yml"
"""At the top of the project."""
FIRST_PORT, LAST_PORT = 3100, 3999
BRANCH = "overmind/{name}"
"""`{name}` and `{id}` are the mission's."""
READY_SECONDS = 60.0
KEY_SIGN = "/"
"""Between a service and the number of a port, where it has several; no service's name contains it."""


class Strategy(StrEnum):
    """How services of several missions keep out of each other's way."""

    PORTS = "ports"
    """Each gets a port of its own."""
    NONE = "none"
    """Each gets the port that it asks for: one mission at a time."""


class Teardown(StrEnum):
    """What becomes of a worktree when its mission has ended for good."""

    KEEP = "keep"
    REMOVE = "remove"
    """Unless it has changes: those are never removed unasked."""
    KEEP_IF_CHANGED = "keep-if-changed"


class ReadyKind(StrEnum):
    """How it is seen that a service is ready."""

    TCP = "tcp"
    """Its port takes connections."""
    HTTP = "http"
    EXEC = "exec"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class ReadyCheck:
    """When a service is ready."""

    kind: ReadyKind
    target: str = ""
    """A path on the service's port; a shell command; a regular expression over its output; nothing for tcp."""
    timeout: float = READY_SECONDS
    """Seconds from its start."""


@dataclass(frozen=True, slots=True)
class Service:
    """A process of the project, or a container: one of `command` and `image` is there."""

    name: str
    command: str | None = None
    """For a shell, in the worktree."""
    image: str | None = None
    port: int | None = None
    """What a container listens at; for a process what it would take if it were alone."""
    env: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    """Name → path in the container."""
    restart: str = "never"
    """never, on-failure or always."""
    ready: ReadyCheck | None = None
    """On `port`, where it is about a port."""
    more_ports: tuple[int, ...] = ()
    """The other ports of a service that has several."""

    @property
    def ports(self) -> dict[str, int]:
        """Its ports, by what each is kept under: `minio` for the first one, `minio/9001` for each other."""
        first = {} if self.port is None else {self.name: self.port}
        return first | {f"{self.name}{KEY_SIGN}{port}": port for port in self.more_ports}


def service_and_number(key: str) -> tuple[str, str]:
    """Return whose a port is that is kept under `key`, and its number there; "" for the first one of a service."""
    service, _, number = key.partition(KEY_SIGN)
    return service, number


@dataclass(frozen=True, slots=True)
class Project:
    """The whole file; without one, what `run --isolate` gives."""

    services: tuple[Service, ...] = ()
    """In the order of the file."""
    strategy: Strategy = Strategy.PORTS
    first_port: int = FIRST_PORT
    last_port: int = LAST_PORT
    worktree: bool = True
    base: str | None = None
    """What the branch begins at; None: what is checked out."""
    fetch: bool = False
    """Whether the base is fetched first."""
    branch: str = BRANCH
    copy: tuple[str, ...] = ()
    """Glob patterns, relative to the project, of files that are copied into the worktree."""
    link: tuple[str, ...] = ()
    """Paths, relative to the project, that are linked into the worktree."""
    setup: tuple[str, ...] = ()
    """For a shell, in the worktree, one after the other, before any process of the mission."""
    teardown: Teardown = Teardown.KEEP_IF_CHANGED
    keep: tuple[str, ...] = keep.ALL
    """Patterns of files that git ignores and that keep the worktree when the work made or changed them; see `keep`."""

    @property
    def containers(self) -> tuple[Service, ...]:
        """The services that are containers."""
        return tuple(one for one in self.services if one.image is not None)

    @property
    def processes(self) -> tuple[Service, ...]:
        """The services that are processes."""
        return tuple(one for one in self.services if one.command is not None)

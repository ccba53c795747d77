"""A whole `.overmind.yml`: read, with its services (processes and containers), and judged before anything is done."""

from __future__ import annotations

import re

from overmind_core.documents.reading import FileValue, Findings
from overmind_core.documents.yaml import document
from overmind_core.domain.isolation import keep
from overmind_core.domain.isolation.isolation import clashes, template_problem, volume_clashes
from overmind_core.domain.isolation.project import (
    BRANCH,
    FIRST_PORT,
    LAST_PORT,
    READY_SECONDS,
    Project,
    ReadyCheck,
    ReadyKind,
    Service,
    Strategy,
    Teardown,
)
from overmind_core.domain.text.problems import Problems
from overmind_core.project_file import values
from overmind_core.project_file.values import LARGEST_PORT, plain_number

KEYS = ("command", "docker", "port", "ports", "env", "volumes", "restart", "ready")
READY = (*(kind.value for kind in ReadyKind), "timeout")
RESTARTS = ("never", "on-failure", "always")
MOST_PORTS = 20
"""Of one service."""
LONGEST_NAME = 32
LONGEST_IMAGE = 255
LONGEST_PATTERN = 1000
"""Characters, as the two above."""

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")
_VOLUME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def service(spot: FileValue, name: str) -> Service | None:
    """Read a service's table; None, and a report, when nothing can be made of it."""
    problem = name_problem(name)
    if problem is not None:
        spot.wrong_key(problem)
    table = values.table_of(spot, KEYS)
    if table is None:
        return None
    command, image = _what(spot, table)
    ports = _ports(table)
    if not {"port", "ports"} & table.keys() and "ready" in table:
        _report_no_port(table["ready"])
    if "volumes" in table and image is None and command is not None:
        table["volumes"].wrong_key("only a container (docker) can have this")
    return Service(
        name=name,
        command=command,
        image=image,
        port=next(iter(ports), None),
        env=_env(table["env"]) if "env" in table else {},
        volumes=_volumes(table["volumes"]) if "volumes" in table else {},
        restart=(values.choice(table["restart"], RESTARTS) if "restart" in table else None) or "never",
        ready=_ready(table["ready"]) if "ready" in table else None,
        more_ports=ports[1:],
    )


def _ports(table: dict[str, FileValue]) -> tuple[int, ...]:
    """Its ports, the first one first."""
    if "port" in table and "ports" in table:
        table["ports"].wrong_key("write port: … for one port, or ports: […] for several, not both")
    if "ports" in table:
        return values.port_list(table["ports"], MOST_PORTS)
    port = values.port(table["port"], "; for several write ports: […]") if "port" in table else None
    return () if port is None else (port,)


def name_problem(name: str) -> str | None:
    """Return what is wrong with a service's name; None when nothing is."""
    if len(name) > LONGEST_NAME:
        return f"a service's name has at most {LONGEST_NAME} characters"
    if not _NAME.fullmatch(name):
        return "a service's name can only contain lower-case letters, digits, '-' and '_', and begins with a letter"
    return None


def _what(spot: FileValue, table: dict[str, FileValue]) -> tuple[str | None, str | None]:
    """Its command or its image: one of them."""
    if "command" in table and "docker" in table:
        table["docker"].wrong_key("a service is a process (command) or a container (docker), not both")
    elif "command" not in table and "docker" not in table:
        spot.wrong_key("write command: … for a process, or docker: … for a container")
    return (
        values.text(table["command"]) if "command" in table else None,
        values.checked(table["docker"], image_problem) if "docker" in table else None,
    )


def image_problem(image: str) -> str | None:
    """Return why this is no name of an image; None when it is one."""
    if len(image) <= LONGEST_IMAGE and _IMAGE.fullmatch(image):
        return None
    return "this is not an image name: write one such as postgres:16"


def _env(spot: FileValue) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, one in ({} if values.is_nothing(spot) else values.table(spot) or {}).items():
        problem = env_name_problem(name)
        if problem is not None:
            one.wrong_key(problem)
        value = values.written(one)
        if value is not None:
            found[name] = value
    return found


def _volumes(spot: FileValue) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, one in ({} if values.is_nothing(spot) else values.table(spot) or {}).items():
        problem = volume_problem(name)
        if problem is not None:
            one.wrong_key(problem)
        path = values.checked(one, mount_problem)
        if path is not None and path.rstrip("/") in found.values():
            one.wrong("another volume is mounted at this path")
        elif path is not None:
            found[name] = path.rstrip("/")
    return found


def env_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of a variable; None when nothing is."""
    if _VARIABLE.fullmatch(name):
        return None
    return "a variable's name can only contain letters, digits and '_', and can't begin with a digit"


def volume_problem(name: str) -> str | None:
    """Return what is wrong with the name of a volume; None when nothing is."""
    if len(name) <= LONGEST_NAME and _VOLUME.fullmatch(name):
        return None
    return (
        "a volume has a name of lower-case letters, digits, '-', '_' and '.'; folders of this machine can't be mounted"
    )


def mount_problem(path: str) -> str | None:
    """Return why nothing can be mounted there; None when it can."""
    if not path.startswith("/") or not path.strip("/") or ":" in path:
        return "write an absolute path in the container, such as /data"
    if {"..", "."} & set(path.split("/")):
        return "'.' and '..' are not allowed in this path"
    return None


def _ready(spot: FileValue) -> ReadyCheck | None:
    table = values.table_of(spot, READY)
    if table is None:
        return None
    kinds = [kind for kind in ReadyKind if kind.value in table]
    if len(kinds) != 1:
        spot.wrong_key(f"write one of {', '.join(ReadyKind)}, such as tcp: true")
    timeout = values.seconds(table["timeout"]) if "timeout" in table else None
    targets = {kind: _target(kind, table[kind.value]) for kind in kinds}
    if len(kinds) != 1 or None in targets.values():
        return None
    return ReadyCheck(kinds[0], targets[kinds[0]] or "", timeout or READY_SECONDS)


def _target(kind: ReadyKind, spot: FileValue) -> str | None:
    match kind:
        case ReadyKind.TCP:
            if values.flag(spot) is False:
                spot.wrong("write tcp: true, or remove it")
            return ""
        case ReadyKind.HTTP:
            return values.checked(spot, _path_problem)
        case ReadyKind.EXEC:
            return values.text(spot)
        case ReadyKind.LOG:
            return values.checked(spot, _pattern_problem)


def _path_problem(path: str) -> str | None:
    if path.startswith("/") and path.isascii() and path.isprintable() and " " not in path:
        return None
    return "write a path on the service's port, such as /health"


def _pattern_problem(pattern: str) -> str | None:
    if len(pattern) > LONGEST_PATTERN:
        return f"a regular expression has at most {LONGEST_PATTERN} characters"
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"this is not a valid regular expression: {error}"
    return None


def _report_no_port(ready: FileValue) -> None:
    for kind in (ReadyKind.TCP, ReadyKind.HTTP):
        if isinstance(ready.value, dict) and kind.value in ready.value:
            ready.wrong_key(f"{kind} needs the service's port: write port: … beside it")


ROOT = ("services", "isolation")
ISOLATION = (
    "strategy",
    "port_range",
    "worktree",
    "base",
    "fetch",
    "branch",
    "copy",
    "link",
    "setup",
    "teardown",
    "keep",
)
MOST_SERVICES = 50
LOWEST_PORT = 1024
"""Below, only root may listen."""
OURS = frozenset({".git", ".overmind"})
"""What no worktree gets of another."""

_BASE = re.compile(r"[^-\s\x00-\x1f\x7f:?*\[\\][^\s\x00-\x1f\x7f:?*\[\\]*")


def project(data: bytes) -> Project:
    """Read a project's file; texts of the result are in wire form.

    Raises:
        Problems: all that is wrong with it.
    """
    root, places, doubled = document(data)
    notes = Findings(places, doubled, named=values.full_name)
    if isinstance(root, dict):  # as in compose: what other parts take over by an anchor
        root = {name: value for name, value in root.items() if not name.startswith("x-")}
    tables = values.table_of(FileValue(notes, (), root), ROOT) or {}
    services = _services(tables["services"]) if "services" in tables else ()
    found = _isolation(tables.get("isolation"), services)
    if notes.problems:
        raise Problems(notes.problems)
    return found


def _services(spot: FileValue) -> tuple[Service, ...]:
    table = {} if values.is_nothing(spot) else values.table(spot) or {}
    if len(table) > MOST_SERVICES:
        spot.wrong_key(f"there are {len(table)} services; the limit is {MOST_SERVICES}")
        return ()
    found = [one for name, entry in table.items() if (one := service(entry, name)) is not None]
    for name, earlier in clashes(one.name for one in found).items():
        table[name].wrong_key(f"it would set the same variables as {earlier}: rename it")
    for (name, volume), (other, others) in volume_clashes(found).items():
        table[name].wrong_key(f"its volume {volume} would be the same as {others} of {other}: rename it")
    return tuple(found)


def _isolation(spot: FileValue | None, services: tuple[Service, ...]) -> Project:
    table = {} if spot is None or values.is_nothing(spot) else values.table_of(spot, ISOLATION) or {}
    first, last = _port_range(table["port_range"]) if "port_range" in table else (FIRST_PORT, LAST_PORT)
    strategy = values.choice(table["strategy"], Strategy) if "strategy" in table else None
    teardown = values.choice(table["teardown"], Teardown) if "teardown" in table else None
    worktree = values.flag(table["worktree"]) if "worktree" in table else None
    return Project(
        services=services,
        strategy=Strategy(strategy or Strategy.PORTS),
        first_port=first,
        last_port=last,
        worktree=worktree is not False,
        base=values.checked(table["base"], _base_problem) if "base" in table else None,
        fetch=("fetch" in table and values.flag(table["fetch"])) or False,
        branch=(values.checked(table["branch"], template_problem) if "branch" in table else None) or BRANCH,
        copy=_paths(table.get("copy"), patterns=True),
        link=_paths(table.get("link"), patterns=False),
        setup=_commands(table.get("setup")),
        teardown=Teardown(teardown or Teardown.KEEP_IF_CHANGED),
        keep=_keep(table.get("keep")),
    )


def _port_range(spot: FileValue) -> tuple[int, int]:
    written = values.text(spot)
    if written is not None:
        first, _, last = (part.strip() for part in written.partition("-"))
        ports = plain_number(first), plain_number(last)
        if ports[0] is None or ports[1] is None:
            spot.wrong("write two ports with '-' between them, such as 3100-3999")
        elif not LOWEST_PORT <= ports[0] <= ports[1] <= LARGEST_PORT:
            spot.wrong(f"write ports from {LOWEST_PORT} to {LARGEST_PORT}, the lower one first")
        else:
            return ports[0], ports[1]
    return FIRST_PORT, LAST_PORT


def _base_problem(base: str) -> str | None:
    if _BASE.fullmatch(base) and ".." not in base:
        return None
    return "write the name of a branch, or a commit, such as main"


def _commands(spot: FileValue | None) -> tuple[str, ...]:
    found = [values.text(one) for one in ([] if spot is None or values.is_nothing(spot) else values.texts(spot))]
    return tuple(one for one in found if one is not None)


def _paths(spot: FileValue | None, *, patterns: bool) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for one in [] if spot is None or values.is_nothing(spot) else values.texts(spot):
        written = values.checked(one, _read_pattern_problem if patterns else _read_path_problem)
        if written is not None:
            found["/".join(part for part in written.split("/") if part not in {"", "."})] = None
    return tuple(found)


def _keep(spot: FileValue | None) -> tuple[str, ...]:
    if spot is None or values.is_nothing(spot):
        return keep.ALL
    found = (values.checked(one, _keep_problem) for one in values.texts(spot))
    return tuple("/".join(part for part in one.split("/") if part) for one in found if one is not None)


def _keep_problem(pattern: str) -> str | None:
    return _read_pattern_problem(pattern.removeprefix(keep.EXCEPT))


def _read_path_problem(path: str) -> str | None:
    if any(sign in path for sign in "*?["):
        return "write paths: patterns are only for copy"
    return _read_pattern_problem(path)


def _read_pattern_problem(path: str) -> str | None:
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith(("/", "~")):
        return "write a path relative to the top of the project"
    if ".." in parts:
        return "'..' is not allowed: only files inside the project can be taken"
    if not parts:
        return "name a file or folder in the project, not the project itself"
    if any(part.lower() in OURS for part in parts):
        return "files of git and of Overmind can't be taken"
    return None

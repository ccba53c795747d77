"""What everything that belongs to one mission is called: its branch, containers, volumes and variables. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from overmind_core.domain.isolation.project import Service
from overmind_core.domain.isolation.record import OWN, Isolation

PREFIX = "overmind-"
"""Of all containers and volumes."""
HOST = "127.0.0.1"
"""Where services listen, and where containers are published."""
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
        (name in {"@", "HEAD"}, "means something else to git"),
        (len(name.encode(errors="surrogateescape")) > LONGEST_BRANCH, f"has more than {LONGEST_BRANCH} bytes"),
    ):
        if is_wrong:
            return problem
    return None


def template_problem(template: str) -> str | None:
    """Return what is wrong with a branch's template as a sentence; None when every mission gets a branch by it."""
    for word in _PLACE.findall(template):
        if word not in PLACEHOLDERS:
            return f"{{{word}}} means nothing here: write {{name}} or {{id}}"
    if not _PLACE.search(template):
        return "each mission needs a branch of its own: write {name} or {id} in it, such as overmind/{name}"
    filled = _filled(template, "x" * 63, "0" * 8)
    if "{" in filled or "}" in filled:
        return "'{' and '}' stand around name or id only"
    problem = ref_problem(filled) or ref_problem(f"{filled}-2")
    return None if problem is None else f"git takes no such branch: it {problem}"


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


def container(mission: str, service: str) -> str:
    """Return the name of a mission's container."""
    return f"{PREFIX}{mission}-{service}"


def volume(mission: str, service: str, name: str) -> str:
    """Return the name of a volume of a mission's container."""
    return f"{PREFIX}{mission}-{service}-{name}"


def port_variable(service: str) -> str:
    """Return the variable that holds a service's port: `my-db` → `MY_DB_PORT`; `PORT` for the mission's own."""
    return f"{_stem(service)}_PORT" if service else "PORT"


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


def environment(isolation: Isolation, service: str = OWN) -> dict[str, str]:
    """Return what isolation adds to the environment of a mission, or of one of its process services.

    Args:
        isolation: What the mission has.
        service: Whose `PORT` it is; `OWN`: the mission's.
    """
    found: dict[str, str] = {}
    for name, port in isolation.ports.items():
        if name != OWN:
            found[port_variable(name)] = str(port)
            found[host_variable(name)] = HOST
    own = isolation.ports.get(service)
    if own is not None:
        found["PORT"] = str(own)
    if isolation.worktree is not None:
        found["OVERMIND_WORKTREE"] = isolation.worktree
    if isolation.branch is not None:
        found["OVERMIND_BRANCH"] = isolation.branch
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

"""A whole `.overmind.yml`: read, and judged completely before anything is done for it."""

from __future__ import annotations

import re

from overmind_core.domain.isolation.naming import clashes, template_problem, volume_clashes
from overmind_core.domain.isolation.project import BRANCH, FIRST_PORT, LAST_PORT, Project, Service, Strategy, Teardown
from overmind_core.domain.problems import Problems
from overmind_core.projects.service import service
from overmind_core.projects.spot import LARGEST_PORT, Spot, plain_number
from overmind_core.projects.yamltext import document

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
    root, doubled = document(data)
    problems = list(doubled)
    tables = Spot(problems, "", root, (root.line, root.column)).table(ROOT) or {}
    services = _services(tables["services"]) if "services" in tables else ()
    found = _isolation(tables.get("isolation"), services)
    if problems:
        raise Problems(problems)
    return found


def _services(spot: Spot) -> tuple[Service, ...]:
    table = {} if spot.is_nothing else spot.pairs() or {}
    if len(table) > MOST_SERVICES:
        spot.wrong_key(f"there are {len(table)} services, and {MOST_SERVICES} are the most")
        return ()
    found = [one for name, entry in table.items() if (one := service(entry, name)) is not None]
    for name, earlier in clashes(one.name for one in found).items():
        table[name].wrong_key(f"it would have the same variables as {earlier}: give it another name")
    for (name, volume), (other, others) in volume_clashes(found).items():
        table[name].wrong_key(f"its volume {volume} would be the same as {others} of {other}: give it another name")
    return tuple(found)


def _isolation(spot: Spot | None, services: tuple[Service, ...]) -> Project:
    table = {} if spot is None or spot.is_nothing else spot.table(ISOLATION) or {}
    first, last = _port_range(table["port_range"]) if "port_range" in table else (FIRST_PORT, LAST_PORT)
    strategy = table["strategy"].choice(Strategy) if "strategy" in table else None
    teardown = table["teardown"].choice(Teardown) if "teardown" in table else None
    worktree = table["worktree"].flag() if "worktree" in table else None
    return Project(
        services=services,
        strategy=Strategy(strategy or Strategy.PORTS),
        first_port=first,
        last_port=last,
        worktree=worktree is not False,
        base=table["base"].checked(_base_problem) if "base" in table else None,
        fetch=("fetch" in table and table["fetch"].flag()) or False,
        branch=(table["branch"].checked(template_problem) if "branch" in table else None) or BRANCH,
        copy=_paths(table.get("copy"), patterns=True),
        link=_paths(table.get("link"), patterns=False),
        setup=_commands(table.get("setup")),
        teardown=Teardown(teardown or Teardown.KEEP_IF_CHANGED),
    )


def _port_range(spot: Spot) -> tuple[int, int]:
    written = spot.text()
    if written is not None:
        first, _, last = (part.strip() for part in written.partition("-"))
        ports = plain_number(first), plain_number(last)
        if ports[0] is None or ports[1] is None:
            spot.wrong("write two ports with '-' between them, such as 3100-3999")
        elif not LOWEST_PORT <= ports[0] <= ports[1] <= LARGEST_PORT:
            spot.wrong(f"the ports are from {LOWEST_PORT} to {LARGEST_PORT}, the lower one first")
        else:
            return ports[0], ports[1]
    return FIRST_PORT, LAST_PORT


def _base_problem(base: str) -> str | None:
    if _BASE.fullmatch(base) and ".." not in base:
        return None
    return "write the name of a branch, or a commit, such as main"


def _commands(spot: Spot | None) -> tuple[str, ...]:
    found = [one.text() for one in ([] if spot is None or spot.is_nothing else spot.texts())]
    return tuple(one for one in found if one is not None)


def _paths(spot: Spot | None, *, patterns: bool) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for one in [] if spot is None or spot.is_nothing else spot.texts():
        written = one.checked(_pattern_problem if patterns else _path_problem)
        if written is not None:
            found["/".join(part for part in written.split("/") if part not in {"", "."})] = None
    return tuple(found)


def _path_problem(path: str) -> str | None:
    if any(sign in path for sign in "*?["):
        return "write paths; patterns are for copy"
    return _pattern_problem(path)


def _pattern_problem(path: str) -> str | None:
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if path.startswith(("/", "~")):
        return "write a path that begins at the top of the project"
    if ".." in parts:
        return "'..' can't stand in it: only what is in the project is taken"
    if not parts:
        return "name something in the project, not the whole"
    if any(part.lower() in OURS for part in parts):
        return "what is git's, and what is Overmind's, can't be taken"
    return None

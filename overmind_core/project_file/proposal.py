"""What was found out about a project that has no `.overmind.yml` yet: values, and the services of a compose file.

Of those only such are proposed as are containers that each mission can have for itself.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from overmind_core.documents.yaml import Scalar, ScalarKind, Value, document
from overmind_core.domain.isolation.isolation import clashes, volume_clashes
from overmind_core.domain.isolation.project import ReadyCheck, ReadyKind, Service
from overmind_core.project_file.read import (
    LONGEST_NAME,
    MOST_SERVICES,
    env_name_problem,
    image_problem,
    mount_problem,
    volume_problem,
)
from overmind_core.project_file.values import LARGEST_PORT, plain_number


@dataclass(frozen=True, slots=True)
class Proposal:
    """A service that the project seems to have."""

    service: Service
    origin: str
    """The file that says so."""
    left_out: tuple[str, ...] = ()
    """What that file says besides, and ours has no word for."""


@dataclass(frozen=True, slots=True)
class Detected:
    """All that was found."""

    proposals: tuple[Proposal, ...] = ()
    copy: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    other_setup: tuple[str, ...] = ()
    """What could be done as well, or instead of a link."""
    main_branch: str | None = None
    found: tuple[str, ...] = ()
    """What was looked at and understood, for people."""
    problems: tuple[str, ...] = ()
    """What was there and not understood, for people."""


def distinct(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Return them with names that services may have, and that can be told apart; as many as there may be."""
    found: dict[str, Proposal] = {}
    for one in proposals:
        if len(found) == MOST_SERVICES:
            break
        plain = _plain(one.service.name)
        name, number = plain, 1
        while name in found or clashes([*found, name]):
            number += 1
            end = f"-{number}"
            name = plain[: LONGEST_NAME - len(end)] + end
        found[name] = replace(one, service=replace(one.service, name=name))
    doubled = volume_clashes(one.service for one in found.values())
    return tuple(
        replace(one, service=_without(one.service, {key[1] for key in doubled if key[0] == name}))
        for name, one in found.items()
    )


def _without(service: Service, volumes: set[str]) -> Service:
    return replace(service, volumes={name: path for name, path in service.volumes.items() if name not in volumes})


def _plain(name: str) -> str:
    plain = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-") or "service"
    return (plain if plain[0].isalpha() else f"s-{plain}")[:LONGEST_NAME]


PORTS = {
    "postgres": 5432,
    "postgis": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "redis": 6379,
    "valkey": 6379,
    "memcached": 11211,
    "mongo": 27017,
    "rabbitmq": 5672,
    "nats": 4222,
    "elasticsearch": 9200,
    "opensearch": 9200,
    "minio": 9000,
    "localstack": 4566,
    "mailpit": 8025,
    "mailhog": 8025,
}
"""Where well-known images listen."""
UNKNOWN = ("build", "command", "entrypoint", "networks", "configs", "secrets", "profiles")
"""What compose files say and ours has no word for."""
LONGEST = 200
"""Characters of a variable, its value or a command that is taken over."""

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?-([^{}]*))?[^{}]*\}|\$[A-Za-z_][A-Za-z0-9_]*")
_NAMED = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?[-?][^{}]*)?\}|\$([A-Za-z_][A-Za-z0-9_]*)")
_SETTING = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")


def variables(data: bytes) -> dict[str, str]:
    """Return the settings of a `.env` file that may be written into ours, which git tracks: no secrets."""
    found = {}
    for line in data.decode(errors="replace").splitlines():
        setting = _SETTING.fullmatch(line)
        if setting is None or _SECRET.search(setting[1]) or "$" in setting[2]:
            continue
        value = setting[2]
        quoted = value[:1] in {"'", '"'}
        value = value[1:].partition(value[0])[0] if quoted else value.partition(" #")[0].rstrip()
        if value and len(value) <= LONGEST and value.isprintable() and "@" not in value:
            found[setting[1]] = value
    return found


def proposals(
    data: bytes, origin: str, known: Mapping[str, str] = MappingProxyType({})
) -> tuple[list[Proposal], list[str]]:
    """Return the containers of a compose file, and the names of services that are built here and are none.

    Args:
        data: The file.
        origin: Its name.
        known: The variables that are set for it.

    Raises:
        Problems: it is no YAML.
    """
    root, _, _ = document(data)
    root = _with(root, known)
    found: list[Proposal] = []
    built: list[str] = []
    for name, table in _tables(_at(root, "services")):
        image = _filled(_at(table, "image"))
        if image is None or image_problem(image) is not None:
            built.append(name)
            continue
        found.append(Proposal(_service(name, image, table), origin, _left_out(table)))
    return found, built


def _with(node: Value, known: Mapping[str, str]) -> Value:
    """The same with the variables filled in that are known."""

    def value(named: re.Match[str]) -> str:
        return known.get(named[1] or named[2] or "", named[0])

    match node:
        case Scalar():
            return replace(node, text=_NAMED.sub(value, node.text)) if known else node
        case dict():
            return {name: _with(one, known) for name, one in node.items()}
        case list():
            return [_with(one, known) for one in node]


def _service(name: str, image: str, table: dict[str, Value]) -> Service:
    port = next(_ports(table), None) or _known_port(image)
    return Service(
        name=name,
        image=image,
        port=port,
        env=dict(_env(_at(table, "environment"))),
        volumes=dict(_volumes(_at(table, "volumes"))),
        ready=_ready(_at(_at(table, "healthcheck"), "test"), port),
    )


def _left_out(table: dict[str, Value]) -> tuple[str, ...]:
    found = [key for key in UNKNOWN if key in table]
    mounts = len(_entries(_at(table, "volumes"))) - len(dict(_volumes(_at(table, "volumes"))))
    return (*found, "folders of this machine") if mounts else tuple(found)


def _ports(table: dict[str, Value]) -> Iterator[int]:
    for one in (*_entries(_at(table, "ports")), *_entries(_at(table, "expose"))):
        written = _filled(_at(one, "target") if isinstance(one, dict) else one)
        port = plain_number((written or "").partition("/")[0].rpartition(":")[2])
        if port is not None and 1 <= port <= LARGEST_PORT:
            yield port


def _known_port(image: str) -> int | None:
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return PORTS.get(name)


def _env(node: Value | None) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        texts = [(name, _filled(one, name)) for name, one in node.items()]
    else:
        words = [one.text.partition("=") for one in _entries(node) if isinstance(one, Scalar)]
        texts = [(name, _default(value, name) if equals else None) for name, equals, value in words]
    for name, value in texts:
        if value is not None and max(len(name), len(value)) <= LONGEST and env_name_problem(name) is None:
            yield name, value


def _volumes(node: Value | None) -> Iterator[tuple[str, str]]:
    paths: set[str] = set()
    for one in _entries(node):
        if isinstance(one, dict):
            name, path = _filled(_at(one, "source")), _filled(_at(one, "target"))
        else:
            parts = (_filled(one) or "").split(":")
            name, path = (parts[0], parts[1]) if len(parts) > 1 else (None, None)
        if name is None or path is None or volume_problem(name) or mount_problem(path):
            continue
        if path.rstrip("/") not in paths:
            paths.add(path.rstrip("/"))
            yield name, path.rstrip("/")


def _ready(test: Value | None, port: int | None) -> ReadyCheck | None:
    words = [one.text for one in _entries(test) if isinstance(one, Scalar)]
    command = test.text if isinstance(test, Scalar) and test.kind is ScalarKind.TEXT else ""
    if words[:1] == ["CMD-SHELL"]:
        command = " ".join(words[1:])
    elif words[:1] == ["CMD"]:
        command = shlex.join(words[1:])
    command = command.replace("$$", "$").strip()
    if command and len(command) <= LONGEST:
        return ReadyCheck(ReadyKind.EXEC, command)
    return None if port is None else ReadyCheck(ReadyKind.TCP)


def _filled(node: Value | None, name: str = "") -> str | None:
    """A word as compose would see it when no variable is set; None where that leaves nothing."""
    if not isinstance(node, Scalar) or node.kind is ScalarKind.NOTHING:
        return None
    return _default(node.text, name)


def _default(text: str, name: str = "") -> str | None:
    lacking = [found for found in _VARIABLE.finditer(text) if found[1] is None and "$$" not in found[0]]
    if lacking:
        return "dev" if _SECRET.search(name) else None
    return _VARIABLE.sub(lambda found: found[1], text).replace("$$", "$")


def _at(node: Value | None, key: str) -> Value | None:
    return node.get(key) if isinstance(node, dict) else None


def _entries(node: Value | None) -> list[Value]:
    return node if isinstance(node, list) else []


def _tables(node: Value | None) -> Iterator[tuple[str, dict[str, Value]]]:
    for name, one in (node if isinstance(node, dict) else {}).items():
        if isinstance(one, dict):
            yield name, one

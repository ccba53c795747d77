"""What was found out about a project that has no `.overmind.yml` yet: values, and the services of a compose file.

Of those only such are proposed as are containers that each mission can have for itself.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from overmind_core.documents.yaml import Scalar, ScalarKind, Value, document
from overmind_core.domain.isolation.isolation import clashes, volume_clashes
from overmind_core.domain.isolation.project import ReadyCheck, ReadyKind, Service
from overmind_core.project_file.read import (
    LONGEST_NAME,
    MOST_PORTS,
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
    references: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Variable → the services whose hosts its value names: containers of a mission do not reach each other by name."""
    placeholders: tuple[str, ...] = ()
    """Variables of which the value is a secret, so that `PLACEHOLDER` stands for it."""


class ComposeFile(NamedTuple):
    """What became of a compose file."""

    proposals: list[Proposal]
    """Containers, each behind those that it depends on."""
    built: list[str]
    """Services that are built here, and are none."""
    left_out: list[str]
    """Keys of the file itself that ours has no word for."""


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
OF_FILE = frozenset({"services", "volumes", "version", "name"})
"""Keys of a compose file that are taken over, or say nothing about containers."""
STARTED = "service_started"
"""The condition of `depends_on` that an order of starts fulfils."""
OF_DEPENDENCY = {"condition": None, "restart": "false", "required": "true"}
OF_VOLUME = {"driver": "local", "external": "false"}
OF_MOUNT = {"type": None, "source": None, "target": None, "read_only": "false"}
OF_MOUNT_OPTIONS = {"nocopy": "false"}
"""Key → the value that asks for nothing; None: it is taken over."""
FLAGS = {"true": "true", "yes": "true", "on": "true", "false": "false", "no": "false", "off": "false"}
"""Word → the flag that compose reads in it."""
MODES = frozenset({"rw", "z", "Z"})
"""Words behind a mount that ask for nothing, or for what each container of ours has."""
RESTARTS = {"always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
LONGEST = 200
"""Characters of a variable, its value or a command that is taken over."""

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?-([^{}]*))?[^{}]*\}|\$[A-Za-z_][A-Za-z0-9_]*")
_NAMED = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?[-?][^{}]*)?\}|\$([A-Za-z_][A-Za-z0-9_]*)")
_SETTING = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_FOR_HOSTS = re.compile(r"HOST|URL|URI|ADDR|ENDPOINT|SERVER|BROKER|DSN")
"""In the name of a variable whose whole value may be a host."""
_SECRET = re.compile(r"PASS|PW|SECRET|KEY|TOKEN|CRED|AUTH", re.IGNORECASE)
"""In the name of a variable whose value may be for nobody else: it is written into no file that git tracks."""
_PLAIN = re.compile(r".*_(?:VERSION|TAG|IMAGE|HOST|PORTS?)", re.IGNORECASE)
"""The name of one that holds no secret, whatever else it says: `AUTH_VERSION`."""
_CHOSEN = re.compile(r"(?:(?<!BY)PASS(?:WORD|WD|PHRASE)?|PW|PWD|SECRET|KEY|TOKEN)S?(?:_|\d|$)", re.IGNORECASE)
"""In that of one for which any value does, such as the password of a new database."""
_FOLDER = frozenset({"$PWD", "${PWD}"})
"""Values that are no password, whatever the name says."""
PLACEHOLDER = "dev"
"""Stands where any value does."""


def variables(data: bytes) -> dict[str, str]:
    """Return the settings of a `.env` file that may be written into ours, which git tracks: no secrets."""
    found = {}
    for line in data.decode(errors="replace").splitlines():
        setting = _SETTING.fullmatch(line)
        if setting is None or _is_secret(setting[1]) or "$" in setting[2]:
            continue
        value = setting[2]
        quoted = value[:1] in {"'", '"'}
        value = value[1:].partition(value[0])[0] if quoted else value.partition(" #")[0].rstrip()
        if value and len(value) <= LONGEST and value.isprintable() and "@" not in value:
            found[setting[1]] = value
    return found


def proposals(data: bytes, origin: str, known: Mapping[str, str] = MappingProxyType({})) -> ComposeFile:
    """Return what a compose file says: its containers, and all that has no equivalent.

    Args:
        data: The file.
        origin: Its name.
        known: The variables that are set for it.

    Raises:
        Problems: it is no YAML.
    """
    root, _, _ = document(data)
    root = _with(root, known)
    found: dict[str, Proposal] = {}
    built: list[str] = []
    tables = dict(_tables(_at(root, "services")))
    for name, table in tables.items():
        image = _filled(_at(table, "image"))
        if image is None or image_problem(image) is not None:
            built.append(name)
            continue
        service = _service(name, image, table)
        others = [other for other in tables if other != name]
        references, settings = dict(_references(service, others)), _settings(_at(table, "environment"))
        stand_ins = tuple(name for name, text in settings if name in service.env and _default(text) is None)
        found[name] = Proposal(service, origin, tuple(_left_out(table, service)), references, stand_ins)
    names = root if isinstance(root, dict) else {}
    left_out = [key[:LONGEST_NAME] for key in names if key not in OF_FILE and not key.startswith("x-")]
    left_out += _other_volumes(_at(root, "volumes"))
    return ComposeFile([found[name] for name in _ordered(found, tables)], built, left_out)


def _ordered(names: Iterable[str], tables: Mapping[str, dict[str, Value]]) -> list[str]:
    """The names in their order, but each behind those that it depends on; a circle is cut where it is met first."""
    wanted, order, on_the_way = list(names), dict[str, None](), set[str]()

    def add(name: str) -> None:
        if name in order or name in on_the_way or name not in tables:
            return
        on_the_way.add(name)
        for other in _needed(tables[name]):
            add(other)
        order[name] = None

    for name in wanted:
        add(name)
    return [name for name in order if name in set(wanted)]


def _needed(table: dict[str, Value]) -> list[str]:
    """The services that one depends on."""
    node = _at(table, "depends_on")
    return list(node) if isinstance(node, dict) else [one.text for one in _entries(node) if isinstance(one, Scalar)]


def _references(service: Service, others: Iterable[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for variable, value in service.env.items():
        found = {
            named.start(): other
            for other in others
            if (named := re.search(rf"(?:^|//|[@,=])(?:{re.escape(other)})(?=:\d|[/,]|$)", value)) is not None
            and (named[0] != value or _FOR_HOSTS.search(variable.upper()))
        }
        if found:
            yield variable, tuple(found[start] for start in sorted(found))


def _with(node: Value, known: Mapping[str, str], key: str = "") -> Value:
    """The same with the variables filled in that are known, but where a secret belongs; `key`: whose value it is."""

    def value(named: re.Match[str]) -> str:
        before, behind = named.string[: named.start()], named.string[named.end() : named.end() + 1]
        is_password = "://" in before and behind == "@"
        return named[0] if is_password else known.get(named[1] or named[2] or "", named[0])

    match node:
        case Scalar():
            name, equals, _ = node.text.partition("=")
            is_secret = _is_secret(key) or (equals and _is_secret(name))
            return replace(node, text=_NAMED.sub(value, node.text)) if known and not is_secret else node
        case dict():
            return {name: _with(one, known, name) for name, one in node.items()}
        case list():
            return [_with(one, known) for one in node]


def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None and not _PLAIN.fullmatch(name)


def _service(name: str, image: str, table: dict[str, Value]) -> Service:
    ports = _ports(table).taken or _known_ports(image)
    port = next(iter(ports), None)
    return Service(
        name=name,
        image=image,
        port=port,
        more_ports=ports[1:],
        env=dict(_env(_at(table, "environment"))),
        volumes=dict(_volumes(_at(table, "volumes"))),
        restart=RESTARTS.get(_policy(_at(table, "restart")), "never"),
        ready=_ready(_at(_at(table, "healthcheck"), "test"), port),
    )


def _left_out(table: dict[str, Value], service: Service) -> Iterator[str]:
    """All that is said of a service and is not in ours: what was taken is known, what there is besides is not."""
    taken: Mapping[str, Callable[[Value], Iterable[str]]] = {
        "image": lambda _: (),
        "environment": lambda node: _other_variables(node, service),
        "ports": lambda _: (),
        "expose": lambda _: (),
        "volumes": _other_mounts,
        "healthcheck": lambda node: _other_checks(node, service),
        "depends_on": _conditions,
        "restart": lambda node: () if _policy(node) in {*RESTARTS, "no"} else ("restart",),
    }
    for key, node in table.items():
        if key in taken:
            yield from taken[key](node)
        elif not key.startswith("x-"):
            yield key[:LONGEST_NAME]
    yield from _ports(table).left_out


def _policy(node: Value | None) -> str:
    """When a container is started again, without how often."""
    return (_filled(node) or "no").partition(":")[0]


def _other_variables(node: Value, service: Service) -> Iterator[str]:
    names = node if isinstance(node, dict) else [one.text.partition("=")[0] for one in _entries(node)
                                                 if isinstance(one, Scalar)]  # fmt: skip
    yield from (f"environment {name[:LONGEST_NAME]}" for name in names if name not in service.env)


def _other_mounts(node: Value) -> Iterator[str]:
    if len(_entries(node)) > len(dict(_volumes(node))):
        yield "folders of this machine"
    words = (word for one in _entries(node) if any(_volumes([one])) for word in _mount_words(one))
    yield from dict.fromkeys(f"volumes {word[:LONGEST_NAME]}" for word in words)


def _mount_words(entry: Value) -> list[str]:
    """The words of a mount besides the volume and its place."""
    if isinstance(entry, dict):
        options = {key: [*_asked(table, OF_MOUNT_OPTIONS)] for key, table in _tables(entry)}
        return [f"{key} {word}".rstrip() for key in _asked(entry, OF_MOUNT) for word in options.get(key, [""])]
    modes = (_filled(entry) or "").split(":")[2:]
    return [word for mode in modes for word in mode.split(",") if word not in MODES]


def _other_volumes(node: Value | None) -> Iterator[str]:
    """All that is said of named volumes: ours are new, and have no settings."""
    for name, table in _tables(node):
        for key in _asked(table, OF_VOLUME):
            yield f"volumes {name[:LONGEST_NAME]} {key[:LONGEST_NAME]}"


def _asked(table: dict[str, Value], nothing: Mapping[str, str | None]) -> Iterator[str]:
    """The keys that ask for something and are not taken over; `nothing`: as `OF_VOLUME`."""
    for key, one in table.items():
        if key.startswith("x-") or nothing.get(key, "") is None or one in ([], {}):
            continue
        if not isinstance(one, Scalar):
            yield key
        elif one.kind is not ScalarKind.NOTHING:
            word = _filled(one)
            if word is None or FLAGS.get(word.lower(), word) not in {"", nothing.get(key)}:
                yield key


def _other_checks(node: Value, service: Service) -> Iterator[str]:
    is_taken = service.ready is not None and service.ready.kind is ReadyKind.EXEC
    for key in node if isinstance(node, dict) else ():
        if key != "test" or not is_taken:
            yield f"healthcheck {key[:LONGEST_NAME]}"


def _conditions(node: Value) -> Iterator[str]:
    """An order of starts is taken; nothing waits for another container to be healthy, or to end."""
    words = dict[str, None]()
    for _, table in _tables(node):
        condition = _filled(_at(table, "condition")) or STARTED
        words |= dict.fromkeys([condition] if condition != STARTED else [])
        words |= dict.fromkeys(_asked(table, OF_DEPENDENCY))
    yield from (f"depends_on {word[:LONGEST_NAME]}" for word in words)


class _Ports(NamedTuple):
    """The ports of a container."""

    taken: tuple[int, ...]
    """Inside of it, in the order of the file."""
    left_out: tuple[str, ...]
    """What is no port of TCP, or too many ports, or depends on a variable."""


def _ports(table: dict[str, Value]) -> _Ports:
    taken: dict[int, None] = {}
    left_out: dict[str, None] = {}
    for one in (*_entries(_at(table, "ports")), *_entries(_at(table, "expose"))):
        numbers = _numbers(one)
        if not 0 < len(numbers) <= MOST_PORTS or len({*taken, *numbers}) > MOST_PORTS:
            left_out[_written_port(one)] = None
        else:
            taken |= dict.fromkeys(numbers)
    return _Ports(tuple(taken), tuple(left_out))


def _numbers(entry: Value) -> range:
    """The ports inside of the container that an entry means; none where it does not say, or not of TCP."""
    is_table = isinstance(entry, dict)
    written = _at(entry, "target") if is_table else entry
    text = _VARIABLE.sub(lambda found: found[1] or "?", written.text) if isinstance(written, Scalar) else ""
    inside, _, protocol = text.partition("/")
    protocol = (_filled(_at(entry, "protocol")) or "") if is_table else protocol
    first, dash, last = inside.rpartition(":")[2].partition("-")
    ends = plain_number(first), plain_number(last if dash else first)
    if protocol not in {"", "tcp"} or ends[0] is None or ends[1] is None or not 1 <= ends[0] <= ends[1] <= LARGEST_PORT:
        return range(0)
    return range(ends[0], ends[1] + 1)


def _written_port(entry: Value) -> str:
    """An entry that is not taken, for people."""
    parts = [_at(entry, "target"), _at(entry, "protocol")] if isinstance(entry, dict) else [entry]
    return f"port {'/'.join(one.text for one in parts if isinstance(one, Scalar))}"[:LONGEST_NAME].rstrip()


def _known_ports(image: str) -> tuple[int, ...]:
    name = image.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return (PORTS[name],) if name in PORTS else ()


def _env(node: Value | None) -> Iterator[tuple[str, str]]:
    for name, text in _settings(node):
        value = _default(text, name)
        if value is not None and max(len(name), len(value)) <= LONGEST and env_name_problem(name) is None:
            yield name, value


def _settings(node: Value | None) -> Iterator[tuple[str, str]]:
    """The variables that have a value, and that as it is written."""
    if isinstance(node, dict):
        for name, one in node.items():
            if isinstance(one, Scalar) and one.kind is not ScalarKind.NOTHING:
                yield name, one.text
        return
    for one in _entries(node):
        if isinstance(one, Scalar) and "=" in one.text:
            name, _, value = one.text.partition("=")
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


def _filled(node: Value | None) -> str | None:
    """A word as compose would see it when no variable is set; None where that leaves nothing."""
    if not isinstance(node, Scalar) or node.kind is ScalarKind.NOTHING:
        return None
    return _default(node.text)


def _default(text: str, name: str = "") -> str | None:
    lacking = [found for found in _VARIABLE.finditer(text) if found[1] is None and "$$" not in found[0]]
    if lacking:
        takes_any = _CHOSEN.search(name) and not _PLAIN.fullmatch(name) and text not in _FOLDER
        return PLACEHOLDER if takes_any else None
    return _VARIABLE.sub(lambda found: found[1], text).replace("$$", "$")


def _at(node: Value | None, key: str) -> Value | None:
    return node.get(key) if isinstance(node, dict) else None


def _entries(node: Value | None) -> list[Value]:
    return node if isinstance(node, list) else []


def _tables(node: Value | None) -> Iterator[tuple[str, dict[str, Value]]]:
    for name, one in (node if isinstance(node, dict) else {}).items():
        if isinstance(one, dict):
            yield name, one

"""A first `.overmind.yml`, with a comment on everything, from what was found out about the project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import yaml
from yaml.resolver import Resolver

from overmind_core.domain.isolation.isolation import port_variable
from overmind_core.domain.isolation.project import Service
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.project_file.proposal import Detected, Proposal

HEAD = """\
# The isolation of missions in this project: each gets its own files, branch, ports and services.
# To see the effect without changing anything: overmind isolate --check
# The commands in this file run only after you allow them: overmind trust
"""
NO_SERVICES = """\
# services:
#   web:                                 # a process of the project, in the mission's worktree
#     command: python app.py --port $PORT
#     port: 3000                         # its usual port; each mission gets another one, in PORT and WEB_PORT
#     ready: { http: /health, timeout: 30s }
#   db:                                  # a container for this mission alone
#     docker: postgres:16
#     port: 5432                         # its port in the container; reached at 127.0.0.1:$DB_PORT
#     # ports: [5432, 9000]              # several, at $DB_PORT and $DB_PORT_9000
#     env: { POSTGRES_PASSWORD: dev }
#     volumes: { data: /var/lib/postgresql/data }
#     ready: { tcp: true }
"""
PLACES = """\
isolation:
  strategy: ports                        # each mission gets its own ports; none: use the ports as written
  port_range: 3100-3999
  worktree: true                         # each mission works in its own git worktree
"""
BRANCH = """\
  # fetch: true                          # fetch the base first
  branch: overmind/{name}                # {name} and {id} of the mission
"""
TEARDOWN = """\
  teardown: keep-if-changed              # the worktree when the mission ends: keep, remove or keep-if-changed
  # keep: ["*", "!dist"]                 # ignored files that keep the worktree if the mission made them; all
"""
COMMENT = 41
"""Column of the comments behind lines."""
MOST_BYTES = 32 * 1024
"""Of services: our reader takes that, however much of it are keys."""

_PLAIN = re.compile(r"[A-Za-z0-9_./$=-][A-Za-z0-9_./$=:@+-]*( [A-Za-z0-9_./$=-][A-Za-z0-9_./$=:@+-]*)*")
_RESOLVER = Resolver()
_ESCAPES = {"x": 2, "u": 4, "U": 8}
"""Letter → hex digits behind it."""


def first(detected: Detected) -> str:
    """Return the file's text, which our reader takes as it is; of very much, the last services are left out."""
    parts = [HEAD, "\n"]
    services: list[str] = []
    size = 0
    for one in detected.proposals:
        lines = "".join(f"{line}\n" for line in _service(one))
        size += len(lines.encode())
        if size > MOST_BYTES:
            break
        services.append(lines)
    parts += ["services:\n", *services] if services else [NO_SERVICES]
    parts += ["\n", PLACES]
    base = f"# base: {quoted(detected.main_branch or 'main')}"
    parts.append(f"{_commented(f'  {base}', 'the start of the branch; default: the current checkout')}\n")
    parts.append(BRANCH)
    parts += [f"{line}\n" for line in _lists(detected)]
    parts.append(TEARDOWN)
    return "".join(parts)


def quoted(text: str) -> str:
    """Return a text of ours as YAML reads it back, without quotes where it needs none."""
    if _PLAIN.fullmatch(text) and not text.endswith(":") and ": " not in text and not text.startswith(("-", "=")):
        tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call] # PyYAML has no types
        if tag == "tag:yaml.org,2002:str":
            return text
    plain = from_wire(text).encode(errors="surrogateescape").decode(errors="replace")
    return f'"{"".join(map(_escaped, plain))}"'


def _escaped(sign: str) -> str:
    if sign in {'"', "\\"}:
        return f"\\{sign}"
    code = ord(sign)
    if sign.isprintable() and sign != "\ufeff":
        return sign
    return next(f"\\{letter}{code:0{digits}x}" for letter, digits in _ESCAPES.items() if code < 16**digits)


def _service(proposal: Proposal) -> Iterator[str]:
    service = proposal.service
    left = f"; not imported: {', '.join(map(quoted, proposal.left_out))}" if proposal.left_out else ""
    yield _commented(f"  {quoted(service.name)}:", f"from {proposal.origin}{left}")
    if service.command is not None:
        yield f"    command: {quoted(service.command)}"
    if service.image is not None:
        yield f"    docker: {quoted(service.image)}"
    yield from _ports(service)
    yield from _pairs("env", service.env, _comments(proposal))
    yield from _pairs("volumes", service.volumes)
    if service.restart != "never":
        yield f"    restart: {service.restart}"
    yield from _ready(service)


def _ports(service: Service) -> Iterator[str]:
    if len(service.ports) == 1:
        comment = (
            "its port in the container" if service.image else "its usual port; each mission gets another one, in PORT"
        )
        yield _commented(f"    port: {service.port}", comment)
    elif service.ports:
        where = "its ports in the container" if service.image else "its usual ports"
        first, second, *more = map(port_variable, service.ports)
        names = f"{first}, {second} …" if more else f"{first} and {second}"
        numbers = ", ".join(map(str, service.ports.values()))
        yield _commented(f"    ports: [{numbers}]", f"{where}; each mission gets others, in {names}")


def _comments(proposal: Proposal) -> dict[str, str]:
    """Variable → what is said of it."""
    placeholders = dict.fromkeys(proposal.placeholders, "in place of a secret: this file is meant for git")
    return placeholders | {
        name: f"names the host of {' and '.join(map(quoted, others))}: a container is not reached by its name here"
        for name, others in proposal.references.items()
    }


def _pairs(key: str, pairs: Mapping[str, str], comments: Mapping[str, str] = MappingProxyType({})) -> Iterator[str]:
    if pairs:
        yield f"    {key}:"
    for name, value in pairs.items():
        line = f"      {quoted(name)}: {quoted(value)}"
        yield _commented(line, comments[name]) if name in comments else line


def _ready(service: Service) -> Iterator[str]:
    if service.ready is not None:
        target = quoted(service.ready.target) if service.ready.target else "true"
        yield "    ready:"
        yield f"      {service.ready.kind}: {target}"


def _lists(detected: Detected) -> Iterator[str]:
    yield from _list("copy", detected.copy, "# copy: [.env]", "ignored files that missions need")
    yield from _list(
        "link", detected.link, "# link: [node_modules]", "links to your checkout: fast, but shared by all missions"
    )
    comment = "runs in a new worktree before the mission starts"
    if detected.other_setup and not detected.setup:  # each line makes sense without its sign
        yield _commented("  # setup:", comment)
    else:
        yield from _list("setup", detected.setup, '# setup: ["make deps"]', comment)
    for one in detected.other_setup:
        yield f"    # - {quoted(one)}"


def _list(key: str, entries: Iterable[str], example: str, comment: str) -> Iterator[str]:
    found = [f"    - {quoted(one)}" for one in entries]
    yield _commented(f"  {key}:" if found else f"  {example}", comment)
    yield from found


def _commented(line: str, comment: str) -> str:
    return f"{line:<{COMMENT - 2}}  # {comment}"

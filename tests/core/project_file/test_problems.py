"""Every mistake that a project's file can have, and the exact place that it is told for.

A § in a text stands where the mistake is expected; the sentences follow in the order of the file.
"""

from __future__ import annotations

import pytest

from overmind_core.domain.text.problems import Problems
from overmind_core.project_file.read import project
from tests.kit.blueprint_texts import marked
from tests.kit.cases import tabled

KNOWN = "strategy, port_range, worktree, base, fetch, branch, copy, link, setup, teardown, keep"
KEYS = "command, docker, port, ports, env, volumes, restart, ready"
PARTS = "known are services, isolation"
TEARDOWNS = "known are keep, remove, keep-if-changed"
RESTARTS = "known are never, on-failure, always"
TABLE = "write a table of keys and values"
PORT = "write a port number from 1 to 65535"
PORTS = "write a list of port numbers, such as [9000, 9001]"
DURATION = "write a duration: a number with ms, s, m, h or d, such as 30s or 1.5m"
ONE_OF = "services.a.ready: write one of tcp, http, exec, log, such as tcp: true"
WHAT = "services.a: write command: … for a process, or docker: … for a container"
OWN = "each mission needs a separate branch: write {name} or {id} in it, such as overmind/{name}"
NAME = "a service's name can only contain lower-case letters, digits, '-' and '_', and begins with a letter"
VARIABLE = "a variable's name can only contain letters, digits and '_', and can't begin with a digit"
VOLUME = "a volume has a name of lower-case letters, digits, '-', '_' and '.'; folders of this machine can't be mounted"
RANGE = "isolation.port_range: write ports from 1024 to 65535, the lower one first"
MOUNT = "write an absolute path in the container, such as /data"
A = "services:\n  a:\n    command: x\n    "
C = "services:\n  a:\n    docker: x\n    "
I = "isolation:\n  "  # noqa: E741

CASES = {
    "no table": ("§- a\n", [TABLE]),
    "an unknown part": (
        "§service: {}\n",
        [f"unknown key 'service'; {PARTS}. Did you mean services?"],
    ),
    "an unknown key of a service": (
        f"{A}§prot: 1\n",
        [f"unknown key 'prot' in services.a; known are {KEYS}. Did you mean port or ports?"],
    ),
    "an unknown key of isolation": (
        f"{I}§setpu: x\n",
        [f"unknown key 'setpu' in isolation; known are {KNOWN}. Did you mean setup?"],
    ),
    "services that are a list": ("services: §[a]\n", [f"services: {TABLE}"]),
    "a service that is a text": ("services: { a: §x }\n", [f"services.a: {TABLE}"]),
    "a key twice": (f"{A}port: 1\n    §port: 2\n", ["port is listed twice: first in line 4"]),
    "neither process nor container": ("services:\n  §a: { port: 1 }\n", [WHAT]),
    "both": (
        f"{A}§docker: y\n",
        ["services.a.docker: a service is a process (command) or a container (docker), not both"],
    ),
    "a bad name": ("services:\n  §Web: { command: x }\n", [f"services.Web: {NAME}"]),
    "a name that begins with a digit": ("services:\n  §1a: { command: x }\n", [f"services.1a: {NAME}"]),
    "a long name": (
        f"services:\n  §{'a' * 33}: {{ command: x }}\n",
        [f"services.{'a' * 33}: a service's name has at most 32 characters"],
    ),
    "names that can't be told apart": (
        "services:\n  my-db: { command: x }\n  §my_db: { command: x }\n",
        ["services.my_db: it would set the same variables as my-db: rename it"],
    ),
    "volumes that can't be told apart": (
        "services:\n  a: { docker: x, volumes: { b-c: /x } }\n  §a-b: { docker: x, volumes: { c: /x } }\n",
        ["services.a-b: its volume c would be the same as b-c of a: rename it"],
    ),
    "no command": ("services: { a: { command: §'  ' } }\n", ["services.a.command: write a string that is not empty"]),
    "nothing behind a command": ("services: { a: { command:§ } }\n", ["services.a.command: write a string"]),
    "a command that is no text": (
        "services: { a: { command: §true } }\n",
        ['services.a.command: write a string: "true" in quotes, if you mean text'],
    ),
    "no image": (
        "services: { a: { docker: §--rm x } }\n",
        ["services.a.docker: this is not an image name: write one such as postgres:16"],
    ),
    "a port that is too large": (f"{A}port: §65536\n", [f"services.a.port: {PORT}"]),
    "a port that is a text": (f"{A}port: §'80'\n", [f"services.a.port: {PORT}"]),
    "a port in other digits": (f"{A}port: §0x50\n", [f"services.a.port: {PORT}"]),
    "two ports": (f"{A}port: §1:30\n", [f"services.a.port: {PORT}"]),
    "several where one stands": (f"{A}port: §[1, 2]\n", [f"services.a.port: {PORT}; for several write ports: […]"]),
    "one where several stand": (f"{A}ports: §1\n", [f"services.a.ports: {PORTS}"]),
    "ports by name": (f"{A}ports: §{{ api: 1 }}\n", [f"services.a.ports: {PORTS}"]),
    "ports that are nothing": (f"{A}ports: §[]\n", [f"services.a.ports: {PORTS}"]),
    "wrong ports of several": (
        f"{A}ports: [1, §0, §65536, §'3', §0x50, §x, §1.5, §[2], §{{}}, §~]\n",
        [f"services.a.ports: {PORT}"] * 9,
    ),
    "ports as compose has them": (
        f"{A}ports: [§1:30, §'9000:9000']\n",
        ["services.a.ports: write only the service's own port: each mission gets another port of this machine"] * 2,
    ),
    "a port of several twice": (f"{A}ports: [1, 2, §1]\n", ["services.a.ports: port 1 is listed twice"]),
    "too many ports": (
        f"{A}ports: §{list(range(1, 22))}\n",
        ["services.a.ports: there are 21 ports; the limit is 20"],
    ),
    "one port and several": (
        f"{A}port: 1\n    §ports: [2]\n",
        ["services.a.ports: write port: … for one port, or ports: […] for several, not both"],
    ),
    "env that is a list": (f"{A}env: §[A=1]\n", [f"services.a.env: {TABLE}"]),
    "a bad variable": (f"{A}env: {{ §A-B: 1 }}\n", [f"services.a.env.A-B: {VARIABLE}"]),
    "a variable without a value": (f"{A}env: {{ A:§ }}\n", ['services.a.env.A: write a value; "" is an empty string']),
    "a variable that is a list": (f"{A}env: {{ A: §[] }}\n", ["services.a.env.A: write a single value"]),
    "volumes of a process": (
        f"{A}§volumes: {{ d: /x }}\n",
        ["services.a.volumes: only a container (docker) can have this"],
    ),
    "a folder of this machine": (f"{C}volumes: {{ §./x: /x }}\n", [f"services.a.volumes../x: {VOLUME}"]),
    "a relative path in a container": (f"{C}volumes: {{ d: §x }}\n", [f"services.a.volumes.d: {MOUNT}"]),
    "the whole container": (f"{C}volumes: {{ d: §/ }}\n", [f"services.a.volumes.d: {MOUNT}"]),
    "a path with options": (f"{C}volumes: {{ d: §'/x:ro' }}\n", [f"services.a.volumes.d: {MOUNT}"]),
    "a path that goes up": (
        f"{C}volumes: {{ d: §/x/../y }}\n",
        ["services.a.volumes.d: '.' and '..' are not allowed in this path"],
    ),
    "a path twice": (
        f"{C}volumes: {{ d: /x, e: §/x/ }}\n",
        ["services.a.volumes.e: another volume is mounted at this path"],
    ),
    "an unknown restart policy": (
        f"{A}restart: §on_failure\n",
        [f"services.a.restart: unknown value 'on_failure', {RESTARTS}. Did you mean on-failure?"],
    ),
    "ready that is a word": (f"{A}port: 1\n    ready: §tcp\n", [f"services.a.ready: {TABLE}"]),
    "ready in no way": (f"{A}§ready: {{ timeout: 3s }}\n", [ONE_OF]),
    "ready in two ways": (f"{A}port: 1\n    §ready: {{ tcp: true, log: x }}\n", [ONE_OF]),
    "ready without a port": (
        f"{C}§ready: {{ tcp: true }}\n",
        ["services.a.ready: tcp needs the service's port: write port: … beside it"],
    ),
    "not tcp": (
        f"{C}port: 1\n    ready: {{ tcp: §false }}\n",
        ["services.a.ready.tcp: write tcp: true, or remove it"],
    ),
    "tcp with a port": (f"{C}port: 1\n    ready: {{ tcp: §80 }}\n", ["services.a.ready.tcp: write true or false"]),
    "http that is no path": (
        f"{C}port: 1\n    ready: {{ http: §'http://x' }}\n",
        ["services.a.ready.http: write a path on the service's port, such as /health"],
    ),
    "log that is no pattern": (
        f"{A}ready: {{ log: §'(' }}\n",
        [
            (
                "services.a.ready.log: this is not a valid regular expression:"
                " missing ), unterminated subpattern at position 0"
            )
        ],
    ),
    "a long pattern": (
        f"{A}ready: {{ log: §'{'x' * 1001}' }}\n",
        ["services.a.ready.log: a regular expression has at most 1000 characters"],
    ),
    "a bad duration": (f"{A}ready: {{ log: x, timeout: §soon }}\n", [f"services.a.ready.timeout: {DURATION}"]),
    "no time": (f"{A}ready: {{ log: x, timeout: §0 }}\n", ["services.a.ready.timeout: it must be greater than 0"]),
    "time that is a list": (
        f"{A}ready: {{ log: x, timeout: §[] }}\n",
        ["services.a.ready.timeout: write a duration, such as 30s"],
    ),
    "an unknown strategy": (
        f"{I}strategy: §port\n",
        ["isolation.strategy: unknown value 'port', known are ports, none. Did you mean ports?"],
    ),
    "an unknown teardown": (
        f"{I}teardown: §keep-changed\n",
        [f"isolation.teardown: unknown value 'keep-changed', {TEARDOWNS}. Did you mean keep-if-changed?"],
    ),
    "a pattern of files to keep that leads out": (
        f"{I}keep: ['*', §'!../x']\n",
        ["isolation.keep: '..' is not allowed: only files inside the project can be taken"],
    ),
    "no range": (
        f"{I}port_range: §a-b\n",
        ["isolation.port_range: write two ports with '-' between them, such as 3100-3999"],
    ),
    "a range of low ports": (f"{I}port_range: §80-90\n", [RANGE]),
    "a range backwards": (f"{I}port_range: §4000-3000\n", [RANGE]),
    "a range of too high ports": (f"{I}port_range: §4000-65536\n", [RANGE]),
    "no flag": (f"{I}worktree: §maybe\n", ["isolation.worktree: write true or false"]),
    "an option for a base": (
        f"{I}base: §--help\n",
        ["isolation.base: write the name of a branch, or a commit, such as main"],
    ),
    "one branch for all": (f"{I}branch: §work\n", [f"isolation.branch: {OWN}"]),
    "a placeholder that means nothing": (
        f"{I}branch: §'{{user}}/{{id}}'\n",
        ["isolation.branch: {user} is not known: use {name} or {id}"],
    ),
    "a path that goes up to copy": (
        f"{I}copy: [§../x]\n",
        ["isolation.copy: '..' is not allowed: only files inside the project can be taken"],
    ),
    "absolute paths": (
        f"{I}copy: [§/etc/x, §~/x]\n",
        ["isolation.copy: write a path relative to the top of the project"] * 2,
    ),
    "what is git's": (
        f"{I}copy: [§.git/config, §x/.GIT, §./.overmind]\n",
        ["isolation.copy: files of git and of Overmind can't be taken"] * 3,
    ),
    "all": (f"{I}copy: §.\n", ["isolation.copy: name a file or folder in the project, not the project itself"]),
    "patterns for links": (f"{I}link: §x*\n", ["isolation.link: write paths: patterns are only for copy"]),
    "a list that is a table": (f"{I}setup: §{{}}\n", ["isolation.setup: write a list of strings"]),
    "a list of numbers": (f"{I}setup: [§1]\n", ['isolation.setup: write a string: "1" in quotes, if you mean text']),
    "everything at once": (
        f"{A}§x: 1\n    port: §no\n{I}§y: 1\n  fetch: §1\n",
        [
            f"unknown key 'x' in services.a; known are {KEYS}",
            f"services.a.port: {PORT}",
            f"unknown key 'y' in isolation; known are {KNOWN}",
            "isolation.fetch: write true or false",
        ],
    ),
}


@tabled("case", CASES)
def test_a_mistake_is_told_for_its_place(case):
    text, messages = CASES[case]
    written, places = marked(text)
    with pytest.raises(Problems) as raised:
        project(written.encode())
    assert [one.message for one in raised.value.problems] == messages
    assert [(one.line, one.column) for one in raised.value.problems] == places

"""What a project's file means."""

from __future__ import annotations

import pytest

from overmind_core.domain.isolation.project import Project, ReadyCheck, ReadyKind, Service, Strategy, Teardown
from overmind_core.domain.text.problems import Problems
from overmind_core.project_file.file import commands
from overmind_core.project_file.read import project

WHOLE = """\
services:
  web:                                   # a process of the project
    command: python app.py --port $PORT
    port: 3000
    restart: on-failure
    ready: { http: /health, timeout: 30s }
  db:
    docker: postgres:16
    port: 5432
    env: { POSTGRES_PASSWORD: dev }
    volumes: { data: /var/lib/postgresql/data }
    ready: { tcp: true }
isolation:
  strategy: none
  port_range: 4000-4999
  worktree: false
  base: main
  fetch: true
  branch: x/{id}
  copy: [.env, "config/*.local.yml"]
  link: [node_modules, ./.venv/]
  setup: ["make deps"]
  teardown: remove
  keep: ["*", "!build/"]
"""


def test_everything_that_a_file_can_say():
    web = Service(
        "web",
        command="python app.py --port $PORT",
        port=3000,
        restart="on-failure",
        ready=ReadyCheck(ReadyKind.HTTP, "/health", 30.0),
    )
    db = Service(
        "db",
        image="postgres:16",
        port=5432,
        env={"POSTGRES_PASSWORD": "dev"},
        volumes={"data": "/var/lib/postgresql/data"},
        ready=ReadyCheck(ReadyKind.TCP, "", 60.0),
    )
    assert project(WHOLE.encode()) == Project(
        services=(web, db),
        strategy=Strategy.NONE,
        first_port=4000,
        last_port=4999,
        worktree=False,
        base="main",
        fetch=True,
        branch="x/{id}",
        copy=(".env", "config/*.local.yml"),
        link=("node_modules", ".venv"),
        setup=("make deps",),
        teardown=Teardown.REMOVE,
        keep=("*", "!build"),
    )


@pytest.mark.parametrize(
    "text", ["{}", "isolation:\n", "services:\nisolation: {}\n", "\ufeff---\nisolation: {}\n...\n"]
)
def test_a_file_may_say_nearly_nothing(text):
    assert project(text.encode()) == Project()


def service(text):
    return project(f"services:\n  a:\n    {text}\n".encode()).services[0]


SERVICES = {
    "command: make\n    env: { A: 1, B: yes, C: 1.50, D: '', NO: 0x10, E: 2026-11-20 }": Service(
        "a", command="make", env={"A": "1", "B": "yes", "C": "1.50", "D": "", "NO": "0x10", "E": "2026-11-20"}
    ),
    "command: make\n    env:\n    ready: { log: 'listening on \\d+' }": Service(
        "a", command="make", ready=ReadyCheck(ReadyKind.LOG, "listening on \\d+")
    ),
    "command: make\n    ready: { exec: test -e x, timeout: 90 }": Service(
        "a", command="make", ready=ReadyCheck(ReadyKind.EXEC, "test -e x", 90.0)
    ),
    "docker: minio\n    ports: [9000, 9001, 9002]\n    ready: { tcp: true }": Service(
        "a", image="minio", port=9000, more_ports=(9001, 9002), ready=ReadyCheck(ReadyKind.TCP)
    ),
    "command: make\n    ports: [80]": Service("a", command="make", port=80),
    "command: |\n      make\n      serve\n": Service("a", command="make\nserve\n"),
    "docker: ghcr.io/x/y@sha256:0\n    volumes: { d: /data/ }": Service(
        "a", image="ghcr.io/x/y@sha256:0", volumes={"d": "/data"}
    ),
}


@pytest.mark.parametrize("text", SERVICES)
def test_services(text):
    assert service(text) == SERVICES[text]


def test_what_other_parts_take_over_by_an_anchor_stands_under_a_key_of_its_own():
    text = b"x-web: &web { command: serve, port: 3000 }\nx-y: 1\nservices: { a: *web, b: { <<: *web, port: 4000 } }\n"
    assert [(one.command, one.port) for one in project(text).services] == [("serve", 3000), ("serve", 4000)]
    with pytest.raises(Problems):
        project(b"xweb: {}\n")
    with pytest.raises(Problems):
        project(b"services: { x-a: 1 }\n")


def test_what_is_written_once_can_be_meant_several_times():
    found = project(
        b"services:\n"
        b"  a: &base\n    command: make\n    env: &env { A: '1', B: '2' }\n"
        b"  b:\n    <<: *base\n    command: other\n"
        b"  c:\n    <<: [*base]\n    env: { <<: *env, A: '3' }\n"
    )
    assert [(one.command, one.env) for one in found.services] == [
        ("make", {"A": "1", "B": "2"}),
        ("other", {"A": "1", "B": "2"}),
        ("make", {"A": "3", "B": "2"}),
    ]


def test_a_single_text_is_a_list_of_one():
    found = project(b"isolation:\n  setup: make\n  copy: .env\n  link: x\n")
    assert (found.setup, found.copy, found.link) == (("make",), (".env",), ("x",))


def test_what_a_person_is_asked_to_trust():
    text = WHOLE.replace("ready: { tcp: true }", "ready: { exec: pg_isready }")
    assert commands(project(text.encode())) == (
        "copies: .env",
        "copies: config/*.local.yml",
        "links: node_modules",
        "links: .venv",
        "db: container postgres:16",
        "db is ready when in the container: pg_isready",
        "setup: make deps",
        "web: python app.py --port $PORT",
    )
    web = b"services:\n  web:\n    command: serve\n    ready: { exec: test -e up }\n"
    assert commands(project(web)) == ("web: serve", "web is ready when test -e up")
    assert commands(Project()) == ()


def test_fifty_services_are_the_most():
    text = "services:\n" + "".join(f"  s{number}: {{ command: x }}\n" for number in range(50))
    assert len(project(text.encode()).services) == 50
    with pytest.raises(Problems, match="1:1: services: there are 51 services; the limit is 50"):
        project((text + "  last: { command: x }\n").encode())

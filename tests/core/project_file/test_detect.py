"""What is seen in a project, and the file that comes of it: our own reader takes it, whatever the project says."""

from __future__ import annotations

import json
import os
import re
from functools import partial

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.domain.isolation.project import Project, ReadyCheck, ReadyKind, Service
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.domain.text.problems import Problems
from overmind_core.git.ignored import ignored
from overmind_core.git.run import Git
from overmind_core.project_file import proposal
from overmind_core.project_file.detect import detect
from overmind_core.project_file.proposal import Detected, Proposal, distinct
from overmind_core.project_file.read import project
from overmind_core.project_file.template import first, quoted
from tests.kit.cases import tabled

COMPOSE = """\
version: "3"
services:
  my.DB:
    image: postgres:${PG:-16}
    ports: ["127.0.0.1:5433:5432/tcp"]
    environment: { POSTGRES_PASSWORD: "${DB_PASSWORD}", MODE: "${MODE}", TLS: on }
    volumes: ["data:/var/lib/postgresql/data", "./init:/docker-entrypoint-initdb.d"]
    healthcheck: { test: ["CMD-SHELL", "pg_isready -U $${USER}"] }
  cache: { image: redis, command: redis-server }
  queue: { image: "x/rabbitmq@sha256:0", environment: [A=1, B], healthcheck: { test: [CMD, check, a b] } }
  mail: { image: mail, ports: [{ target: 25 }], volumes: [{ source: spool, target: /spool }] }
  api: { build: . }
"""


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def written(folder, **files):
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return detected_in(folder)


def detected_in(folder):
    return detect(str(folder), partial(ignored, Git(os.environ), str(folder)))


def read(detected):
    return project(first(detected).encode())


def test_an_empty_project_gets_what_it_would_have_without_a_file(folder):
    detected = detected_in(folder)
    assert detected == Detected()
    assert read(detected) == Project()
    assert "# base: main " in first(detected)


def test_the_containers_of_a_compose_file(folder):
    detected = written(folder, compose__yaml=COMPOSE, Procfile="")

    assert read(detected).services == (
        Service(
            "my-db",
            image="postgres:16",
            port=5432,
            env={"POSTGRES_PASSWORD": "dev", "TLS": "on"},
            volumes={"data": "/var/lib/postgresql/data"},
            ready=ReadyCheck(ReadyKind.EXEC, "pg_isready -U ${USER}"),
        ),
        Service("cache", image="redis", port=6379, ready=ReadyCheck(ReadyKind.TCP)),
        Service(
            "queue",
            image="x/rabbitmq@sha256:0",
            port=5672,
            env={"A": "1"},
            ready=ReadyCheck(ReadyKind.EXEC, "check 'a b'"),
        ),
        Service("mail", image="mail", port=25, volumes={"spool": "/spool"}, ready=ReadyCheck(ReadyKind.TCP)),
    )
    assert detected.found == ("compose.yaml (4 containers)",)
    assert detected.problems == (
        "compose.yaml: no image to pull for api: skipped",
        "compose.yaml: 4 settings of 3 containers not imported: the file names them",
    )
    assert "# from compose.yaml; not imported: environment MODE, folders of this machine\n" in first(detected)
    assert "# from compose.yaml; not imported: command\n" in first(detected)
    assert "# from compose.yaml; not imported: environment B\n" in first(detected)


STACK = """\
x-common: &common { restart: always, user: "101:101" }
networks: { back: {} }
services:
  worker:
    <<: *common
    image: acme/worker:3
    depends_on: { store: { condition: service_healthy }, cache: { condition: service_started }, web: {} }
    environment:
      DATABASE_URL: postgresql://acme:dev@store:5432/acme
      REDIS_HOST: cache
      CACHE_KIND: cache
      BROKERS: "queue:9092,other:9092"
    x-note: mine
  web: { build: ., depends_on: [worker] }
  queue: { image: kafka, restart: "on-failure:3", expose: [9092, "9092-9094"], stop_grace_period: 5s }
  cache: { image: redis, restart: unless-stopped, "odd\\nkey": 1 }
  store:
    image: acme/store
    ports: ["8123:8123", "127.0.0.1:9000:9000"]
    healthcheck: { test: [CMD, ready], interval: 5s, retries: 10, start_period: 1s }
    depends_on: [cache]
    restart: on-demand
"""


def test_each_key_of_a_compose_file_without_an_equivalent_is_named(folder):
    detected = written(folder, compose__yaml=STACK)
    assert {one.service.name: one.left_out for one in detected.proposals} == {
        "cache": ("odd\nkey",),
        "store": ("healthcheck interval", "healthcheck retries", "healthcheck start_period", "restart"),
        "worker": ("depends_on service_healthy", "user"),
        "queue": ("stop_grace_period",),
    }
    assert detected.problems == (
        "compose.yaml: no image to pull for web: skipped",
        "compose.yaml: not imported: networks",
        "compose.yaml: 8 settings of 4 containers not imported: the file names them",
        "compose.yaml: 3 variables name the host of another container: they need your edit, see the file",
    )
    text = first(detected)
    assert 'not imported: "odd\\x0akey"\n' in text
    assert text.count("a container is not reached by its name here") == 3
    found = read(detected).services
    assert [one.name for one in found] == ["cache", "store", "worker", "queue"], "what others need comes first"
    assert [one.restart for one in found] == ["always", "never", "always", "on-failure"]
    assert found[2].env["DATABASE_URL"] == "postgresql://acme:dev@store:5432/acme"
    assert [(one.port, one.more_ports) for one in found] == [
        (6379, ()), (8123, (9000,)), (None, ()), (9092, (9093, 9094)),
    ]  # fmt: skip
    variables = "STORE_PORT and STORE_PORT_9000"
    assert f" ports: [8123, 9000]  # its ports in the container; each mission gets others, in {variables}\n" in (
        re.sub(" +#", "  #", text)
    )


PORTS = [
    # as compose has them, the first, the others, not imported
    ("ports: ['9000:9000', '127.0.0.1:9091:9001/tcp', 9000]", 9000, (9001,), ()),
    ("ports: [{ target: 80, published: 8080 }, { target: 443, protocol: tcp }], expose: ['81', 80]", 80, (443, 81), ()),
    ("ports: ['53:53/udp', '53:53/tcp', { target: 5353, protocol: udp }]", 53, (), ("port 53:53/udp", "port 5353/udp")),
    ("ports: ['7000-7002:9000-9002', '49100-49105:22']", 9000, (9001, 9002, 22), ()),
    ("ports: ['${WEB}:${INSIDE}', '${WEB}:${INSIDE:-80}', '[::1]:81:81']", 80, (81,), ("port ${WEB}:${INSIDE}",)),
    ("ports: ['90${X}:80', '80${X}', '${X:-90}']", 80, (90,), ("port 80${X}",)),
    ("ports: ['80', '10000-10019', '1-65535', '20-19', '5-', '0', '65536', x, ~, [1]]", 80, (), (
        "port 10000-10019", "port 1-65535", "port 20-19", "port 5-", "port 0", "port 65536", "port x", "port ~", "port",
    )),
    ("ports: ['5000:53/udp']", None, (), ("port 5000:53/udp",)),
]  # fmt: skip


@tabled(("keys", "first_port", "others", "left_out"), PORTS)
def test_all_ports_of_a_container_are_taken(keys, first_port, others, left_out):
    found = proposal.proposals(f"services: {{ a: {{ image: x, {keys} }} }}\n".encode(), "compose.yaml").proposals
    service = found[0].service
    assert (service.port, service.more_ports, found[0].left_out) == (first_port, others, left_out)
    assert read(Detected(distinct(found))).services == (service,)


MOUNTED = """\
services:
  db: { image: db, volumes: ["plain:/a:rw,z", "ours:/b"] }
  cache:
    image: cache
    environment: { URL: "postgres://u@db:5432/app" }
    depends_on: { db: { condition: service_healthy }, app: { condition: service_healthy } }
  app:
    image: app
    environment: { DBLIST: "cache:6379,db:1" }
    depends_on: { db: { condition: service_healthy, restart: true, required: yes }, cache: { restart: no } }
    volumes:
      - shared:/x:ro
      - { type: volume, source: plain, target: /z, read_only: False, volume: { nocopy: false, subpath: }, tmpfs: {} }
      - { type: volume, source: other, target: /y, read_only: true, volume: { nocopy: true } }
volumes:
  shared: { external: true, name: prodvol, x-note: 1 }
  other: { driver: nfs, driver_opts: { o: addr } }
  ours: { driver: local, external: no, labels: {} }
  new: { driver: , driver_opts: , labels: [], name: "", external: "off" }
  plain:
"""


def test_what_is_said_of_volumes_mounts_and_dependencies_is_named(folder):
    detected = written(folder, compose__yaml=MOUNTED)
    assert {one.service.name: one.left_out for one in detected.proposals} == {
        "db": (),
        "cache": ("depends_on service_healthy",),
        "app": (
            "depends_on service_healthy",
            "depends_on restart",
            "volumes ro",
            "volumes read_only",
            "volumes volume nocopy",
        ),
    }
    volumes = "volumes shared external, volumes shared name, volumes other driver, volumes other driver_opts"
    assert detected.problems == (
        f"compose.yaml: not imported: {volumes}",
        "compose.yaml: 6 settings of 2 containers not imported: the file names them",
        "compose.yaml: 2 variables name the host of another container: they need your edit, see the file",
    )


def test_each_host_that_a_variable_names_is_marked(folder):
    text = first(written(folder, compose__yaml=MOUNTED))
    assert "# names the host of cache and db: a container is not reached by its name here\n" in text
    assert "# names the host of db: a container is not reached by its name here\n" in text


def test_a_circle_of_containers_has_some_order(folder):
    text = "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: {a: {}, gone: {}}}}"
    assert [one.service.name for one in written(folder, compose__yaml=text).proposals] == ["b", "a"]


def test_a_compose_file_that_is_broken_is_told(folder):
    detected = written(folder, compose__yaml="services: [\n")
    assert len(detected.problems) == 1
    assert detected.problems[0].startswith("compose.yaml:2:1: expected the node content")
    assert read(detected) == Project()


def test_the_processes_of_a_procfile(folder):
    text = "web: serve\nworker: python w.py \nadmin: x --port ${PORT:-1}\nrelease: migrate\n# no\nbad\n"
    services = read(written(folder, Procfile=text)).services
    tcp = ReadyCheck(ReadyKind.TCP)
    assert services == (
        Service("web", command="serve", port=3000, restart="on-failure", ready=tcp),
        Service("worker", command="python w.py", restart="on-failure"),
        Service("admin", command="x --port ${PORT:-1}", port=3000, restart="on-failure", ready=tcp),
    )


NODE = [
    # lock, script, command, setup
    ("package-lock__json", "node x", "npm run dev", "npm ci"),
    ("yarn__lock", "node x", "yarn run dev", "yarn install --frozen-lockfile"),
    ("pnpm-lock__yaml", "vite", "pnpm run dev --port $PORT", "pnpm install --frozen-lockfile"),
    ("README", "vite", "npm run dev -- --port $PORT", "npm install"),
]


@pytest.mark.parametrize(("lock", "script", "command", "setup"), NODE)
def test_a_project_of_node(folder, lock, script, command, setup):
    package = json.dumps({"scripts": {"start": "other", "dev": script}})
    found = read(written(folder, package__json=package, **{lock: ""}))
    assert found.services[0].command == command
    assert (found.setup, found.link) == ((setup,), ())


def test_what_is_installed_already_is_linked(folder):
    (folder / "node_modules").mkdir()
    found = written(folder, package__json="{}", __gitignore="node_modules/\n")
    assert (read(found).link, read(found).setup) == (("node_modules",), ())
    assert "    # - npm install\n" in first(found)


PYTHON = [
    ("uv__lock", "uv sync"),
    ("requirements__txt", "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"),
    ("pyproject__toml", "python3 -m venv .venv && .venv/bin/pip install -e ."),
]


@pytest.mark.parametrize(("name", "setup"), PYTHON)
def test_a_project_of_python(folder, name, setup):
    assert read(written(folder, **{name: ""})).setup == (setup,)


def test_a_target_of_make_is_preferred_to_what_is_guessed(folder):
    detected = written(folder, uv__lock="", Makefile="setup := x\ninstall:\n\tx\ndeps: install\n\ty\n")
    assert read(detected).setup == ("make deps",)
    assert "    # - uv sync\n" in first(detected)


def test_env_files_that_git_ignores_are_copied(folder):
    detected = written(
        folder, __env="", __env__local="", __env__example="", __env__prod="", __gitignore="# x\n.env*\n!.env.prod\n"
    )
    assert read(detected).copy == (".env", ".env.local")
    assert detected.found == (".env, .env.local",)


def test_hooks_that_are_not_committed_are_copied(folder):
    assert detect(str(folder), lambda _: (), ".husky/_").copy == (".husky/_",)
    assert detect(str(folder), lambda _: (), "hooks*").copy == ()


def test_who_runs_git_is_asked_about_what_is_there_and_once(folder):
    for name in (".env", ".env.sample", "x.env", ".envrc"):
        (folder / name).write_text("")
    for name in ("node_modules", ".env.d"):
        (folder / name).mkdir()
    (folder / "package.json").write_text("{}")
    asked = []

    def answer(names):
        asked.append(names)
        return ["node_modules", "other"]

    found = detect(str(folder), answer)
    assert (asked, found.link, found.copy) == ([["node_modules", ".env"]], ("node_modules",), ())


def test_the_main_branch_is_offered(folder):
    (folder / ".git/refs/remotes/origin").mkdir(parents=True)
    (folder / ".git/refs/heads").mkdir(parents=True)
    (folder / ".git/refs/heads/master").write_text("0" * 40)
    assert detected_in(folder).main_branch == "master"
    (folder / ".git/refs/remotes/origin/HEAD").write_text("ref: refs/remotes/origin/develop\n")
    assert "  # base: develop " in first(detected_in(folder))


BROKEN = {
    "package__json": ["[", "[]", '{"scripts": []}', '{"scripts": {"dev": 1}}', "[" * 100_000],
    "compose__yaml": ["services: 1", "services: { a: 1, b: { image: [] } }", "x: !y z", "\x00"],
    "Procfile": ["web:", ":\n: x\n", "\x00", "web: " + "x" * 600],
    "Makefile": [":", "\x00deps"],
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_makes_no_sense_is_not_there(folder, name):
    for text in BROKEN[name]:
        assert not read(written(folder, **{name: text})).services, text


def test_what_is_no_file_is_not_there(folder):
    (folder / "compose.yaml").mkdir()
    (folder / "package.json").symlink_to("gone")
    (folder / "Procfile").write_bytes(b"web: x\n" * 200_000)
    assert detected_in(folder) == Detected()


@example("\U0010dc80")  # a character of the wire's own
@given(st.text(max_size=30))
def test_a_text_is_read_back_as_it_was(text):
    text = text.replace("\x00", "")
    written = quoted(to_wire(text))
    assert yaml.safe_load(f"a: {written}") == {"a": text}
    assert yaml.safe_load(f"{written}: 1") == {text: 1}


OTHERS = ["yes", "null", "1", "1.5", "1:30", "2026-11-20", "=", "<<", "- a", "a: b", "a #b", "a:", ""]


@tabled("text", OTHERS)
def test_words_that_mean_something_else_to_yaml_are_quoted(text):
    assert quoted(text).startswith('"')


ODD_NAMES = ["my-db", "my_db", "MY.DB", "a", "a-b", "1", "ä", "-" * 40, "no"]
ODD_TEXTS = ["postgres:16", "${A:-b}", "5432:5432", "1-3", "data:/x", "a=b", "yes", "$PORT"]
NAMES = st.text(min_size=1, max_size=40) | st.sampled_from(ODD_NAMES)
TEXTS = st.text(max_size=30) | st.sampled_from(ODD_TEXTS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
KEYS = ["image", "ports", "expose", "environment", "volumes", "healthcheck", "command"]
SERVICE = st.fixed_dictionaries(
    {"image": st.sampled_from(["redis", "x/y:z", "${X}"]) | TEXTS},
    optional={
        "ports": st.lists(TEXTS | st.integers(), max_size=3) | VALUES,
        "environment": st.dictionaries(TEXTS, TEXTS, max_size=3) | VALUES,
        "volumes": st.lists(TEXTS | st.sampled_from(["b-c:/b", "c:/b", "c:/c"]), max_size=3) | VALUES,
        "healthcheck": st.fixed_dictionaries({"test": st.lists(TEXTS, max_size=3) | TEXTS}) | VALUES,
        "command": VALUES,
    },
)
COMPOSES = st.dictionaries(NAMES, SERVICE | VALUES, max_size=6)


@given(COMPOSES)
def test_whatever_a_compose_file_says_our_reader_takes_what_comes_of_it(services):
    data = yaml.safe_dump({"services": services}, allow_unicode=True).encode(errors="replace")
    try:
        proposals, *_ = proposal.proposals(data, "compose.yaml")
    except Problems:
        return
    found = read(Detected(distinct(proposals)))
    assert [one.image for one in found.services] == [one.service.image for one in proposals]


def test_what_is_too_much_for_a_file_is_left_out():
    proposals = distinct(
        Proposal(Service(f"s{number}", image="x", env={f"A{one}": "\x01" * 100 for one in range(5)}), "compose.yaml")
        for number in range(50)
    )
    assert 10 < len(read(Detected(proposals)).services) < 20


@given(st.lists(st.tuples(NAMES, TEXTS.filter(lambda text: text.strip() and "\x00" not in text)), max_size=60))
def test_whatever_processes_are_called_our_reader_takes_them(processes):
    proposals = distinct(Proposal(Service(name, command=command), "Procfile") for name, command in processes)
    found = read(Detected(proposals, setup=tuple(command for _, command in processes)))
    assert [one.command for one in found.services] == [command for _, command in processes[:50]]
    assert found.setup == tuple(command for _, command in processes)


def test_a_workspace_is_installed_since_links_would_lead_to_the_persons_packages(folder):
    for place in ("", "apps/web", "packages/ui"):
        (folder / place / "node_modules").mkdir(parents=True)
        (folder / place / "package.json").write_text(json.dumps({"workspaces": ["packages/*"]} if not place else {}))
    found = written(folder, __gitignore="node_modules/\n", package_lock__json="")
    assert (read(found).link, read(found).setup) == ((), ("npm install",))
    (folder / "package.json").write_text("{}")
    (folder / "pnpm-workspace.yaml").write_text("")
    assert detected_in(folder).link == ()


def test_parts_of_a_project_have_settings_and_libraries_of_their_own(folder):
    for place in ("", "apps/web", "apps/api", "apps/web/node_modules/x", "deep/er/than/that"):
        (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / place / ".env.local").write_text("")
        (folder / place / "package.json").write_text("{}")
    found = written(folder, __gitignore="node_modules/\n.env*\n", package__json="{}")
    assert read(found).copy == (".env.local", "apps/api/.env.local", "apps/web/.env.local")
    assert (read(found).link, read(found).setup) == (("apps/web/node_modules",), ("npm install",))


SERVERS = [
    (("Gemfile", "bin/rails"), "bin/rails server --port $PORT --pid tmp/server.pid", ("bundle install",)),
    (("manage.py",), "python3 manage.py runserver $PORT", ()),
    (("manage.py", "uv.lock"), "uv run python manage.py runserver $PORT", ("uv sync",)),
    (
        ("manage.py", "requirements.txt"),
        ".venv/bin/python manage.py runserver $PORT",
        ("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",),
    ),
    (("go.mod",), None, ("go mod download",)),
]


@pytest.mark.parametrize(("names", "command", "setup"), SERVERS)
def test_a_project_of_rails_django_or_go(folder, names, command, setup):
    (folder / "bin").mkdir()
    for name in names:
        (folder / name).write_text("")
    found = read(detected_in(folder))
    assert ([one.command for one in found.services], found.setup) == ([command] if command else [], setup)


def test_a_procfile_says_better_how_a_server_is_started(folder):
    (folder / "Procfile").write_text("web: mine\n")
    (folder / "manage.py").write_text("")
    assert [one.command for one in read(detected_in(folder)).services] == ["mine"]


def test_keys_of_rails_that_git_ignores_are_copied(folder):
    (folder / "config").mkdir()
    (folder / "config" / "master.key").write_text("")
    assert written(folder, __gitignore="*.key\n").copy == ("config/master.key",)


def test_a_compose_file_is_read_with_the_settings_beside_it_but_no_secret_is_written_down(folder):
    compose = """\
services:
  db:
    image: "postgres:${PG:-15}"
    ports: ["${DB_PORT-5433}:5432"]
    environment: { POSTGRES_DB: "$NAME", POSTGRES_PASSWORD: "${DB_PASSWORD:-x}", URL: "${URL:-none}" }
"""
    settings = "# x\nexport PG=16 # newest\nNAME='shop'\nDB_PASSWORD=hidden\nURL=pg://a:hidden@b\n"
    found = written(folder, compose__yaml=compose, __env=settings, __gitignore=".env\n")
    (db,) = read(found).services
    assert db.image == "postgres:16"
    assert db.env == {"POSTGRES_DB": "shop", "POSTGRES_PASSWORD": "x", "URL": "none"}
    assert "hidden" not in first(found)


SECRETS = [
    # beside the file, the variable of its container, what is written down
    ("DB_PASS=hunter2", "POSTGRES_PASSWORD: ${DB_PASS}", {"POSTGRES_PASSWORD": "dev"}),
    ("AUTH_VERSION=1.2", "VERSION: ${AUTH_VERSION}", {"VERSION": "1.2"}),
    ("X=1", "PASSIVE_PORTS: ${PORTS}", {}),
    ("X=1", "BYPASS_CACHE: ${CACHE}", {}),
    ("X=1", "HOST_PWD: ${PWD}", {}),
    ("MYSQL_PWD=hunter2", "MYSQL_ROOT_PASSWORD: $MYSQL_PWD", {"MYSQL_ROOT_PASSWORD": "dev"}),
    ("db_password=hunter2", "root_password: ${db_password:?}", {"root_password": "dev"}),
    ("APP_CREDENTIALS=hunter2", "CREDENTIALS: ${APP_CREDENTIALS}", {}),
    ("MINE=hunter2", "ROOT_TOKEN: ${MINE}", {"ROOT_TOKEN": "dev"}),
    ("MINE=hunter2", "- ROOT_TOKEN=${MINE}", {"ROOT_TOKEN": "dev"}),
    ("MINE=hunter2", "HTTP_AUTH: ${MINE}", {}),
    ("MINE=hunter2", "DATABASE_URL: pg://me:${MINE}@db/x", {}),
    ("MINE=plain", "NAME: ${MINE}", {"NAME": "plain"}),
    ("MINE=plain", "- NAME=${MINE}", {"NAME": "plain"}),
]


@tabled(("settings", "variable", "env"), SECRETS)
def test_no_secret_of_a_compose_project_is_written_into_a_file_for_git(settings, variable, env):
    compose = f"services:\n  db:\n    image: x\n    environment:\n      {variable}\n"
    known = proposal.variables(f"{settings}\n".encode())
    detected = Detected(distinct(proposal.proposals(compose.encode(), "compose.yaml", known).proposals))
    text = first(detected)
    (service,) = read(detected).services
    assert (service.env, "hunter2" in text) == (env, False)
    assert ("# in place of a secret: this file is meant for git\n" in text) is ("dev" in env.values())


COMMENTED = {
    "nothing": {},
    "installed": {"package__json": "{}", "__gitignore": "node_modules/\n"},
    "make": {"Makefile": "deps:\n", "uv__lock": ""},
}


@pytest.mark.parametrize("name", COMMENTED)
def test_each_line_that_is_a_comment_makes_sense_without_its_sign(folder, name):
    (folder / "node_modules").mkdir()
    text = first(written(folder, **COMMENTED[name]))
    head, _, rest = text.partition("\n\n")
    assert project(re.sub(r"(?m)^( *)# ", r"\1", rest).encode()) != Project(), head

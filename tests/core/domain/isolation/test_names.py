"""Names of branches, containers and variables: what git and the shell take, and no two alike."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.isolation import isolation as isolation_isolation
from overmind_core.domain.isolation.isolation import OWN, Isolation, Removal
from overmind_core.domain.isolation.project import Project, Service
from overmind_core.domain.isolation.saga import SagaPhase, saga_of
from overmind_core.domain.missions.names import LONGEST_NAME, name_problem
from tests.kit.cases import tabled

ID = "0123abcd"
BRANCHES = [
    ("overmind/{name}", "api", ["overmind/api", "overmind/api-2", "overmind/api-3"]),
    ("overmind/{name}", "plan/api", ["overmind/plan-api", "overmind/plan-api-2", "overmind/plan-api-3"]),
    ("{id}", "api", [ID, f"{ID}-2", f"{ID}-3"]),
    ("x/{name}.{id}", "a.lock", [f"x/a.{ID}", f"x/a.{ID}-2", f"x/a.{ID}-3"]),
    ("{name}/{name}", "a..b", ["a.b/a.b", "a.b/a.b-2", "a.b/a.b-3"]),
    ("w/{name}", "...", [f"w/{ID}", f"w/{ID}-2", f"w/{ID}-3"]),
    ("{name}", "HEAD", [f"overmind/{ID}", f"overmind/{ID}-2", f"overmind/{ID}-3"]),
]


@tabled(("template", "name", "expected"), BRANCHES)
def test_a_missions_branch_and_what_comes_when_it_is_there_already(template, name, expected):
    assert list(islice(isolation_isolation.branches(template, name=name, mission=ID), 3)) == expected


TEMPLATES = [
    ("overmind/{name}", None),
    ("{id}", None),
    ("a/{name}/{id}", None),
    ("overmind/x", "each mission needs a separate branch: write {name} or {id} in it, such as overmind/{name}"),
    ("", "each mission needs a separate branch: write {name} or {id} in it, such as overmind/{name}"),
    ("{user}/{name}", "{user} is not known: use {name} or {id}"),
    ("{}{name}", "{} is not known: use {name} or {id}"),
    ("{{name}}", "'{' and '}' stand around name or id only"),
    ("{name", "each mission needs a separate branch: write {name} or {id} in it, such as overmind/{name}"),
    ("a b{name}", "git does not accept this branch: it contains ' '"),
    ("a..{name}", "git does not accept this branch: it contains '..'"),
    ("-{name}", "git does not accept this branch: it begins with '-'"),
    ("/{name}", "git does not accept this branch: it begins or ends with '/'"),
    ("{name}.lock/x", "git does not accept this branch: it has a part that ends with '.lock'"),
    (".{name}", "git does not accept this branch: it has a part that begins with '.'"),
    ("{name}.", "git does not accept this branch: it ends with '.'"),
    ("{name}" + "x" * 140, "git does not accept this branch: it has more than 200 bytes"),
]


@tabled(("template", "problem"), TEMPLATES)
def test_what_is_wrong_with_a_template(template, problem):
    assert isolation_isolation.template_problem(template) == problem


REFS = ["a", "a/b", "", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a.lock", "a.lock/b", "a..b", "a b", "a\tb", "a\x7fb"]
REFS += [
    "a~b",
    "a^b",
    "a:b",
    "a?b",
    "a*b",
    "a[b",
    "a\\b",
    "a@{b",
    "a@",
    "@/a",
    "-a",
    "a-",
    "HEAD",
    "ä",
    "a]",
    "{a}",
]


@pytest.mark.skipif(shutil.which("git") is None, reason="asks git")
def test_git_agrees_about_what_is_a_branch():
    for ref in REFS:
        finished = subprocess.run(["git", "check-ref-format", "--branch", ref], capture_output=True, check=False)
        assert (isolation_isolation.ref_problem(ref) is None) is (finished.returncode == 0), ref


NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}(/[a-z0-9._-]{1,63})?", fullmatch=True)
WORDS = st.lists(st.sampled_from(["{name}", "{id}", "a", "/", ".", "-", "é"]), min_size=1, max_size=6).map("".join)


@given(name=NAMES, template=WORDS.filter(lambda template: isolation_isolation.template_problem(template) is None))
def test_every_mission_gets_branches_that_git_takes(name, template):
    found = list(islice(isolation_isolation.branches(template, name=name, mission=ID), 4))
    assert [isolation_isolation.ref_problem(branch) for branch in found] == [None] * 4
    assert len(set(found)) == 4


@given(name=NAMES.filter(lambda name: name_problem(name) is None))
def test_a_name_that_a_mission_may_have_stays_as_it_is(name):
    assert len(name) <= LONGEST_NAME
    assert next(isolation_isolation.branches("overmind/{name}", name=name, mission=ID)) == f"overmind/{name}"


def test_containers_and_volumes():
    assert isolation_isolation.container_name(ID, "my-db") == f"overmind-{ID}-my-db"
    assert isolation_isolation.volume_name(ID, "my-db", "data") == f"overmind-{ID}-my-db-data"


def test_variables():
    assert (isolation_isolation.port_variable("my-db"), isolation_isolation.host_variable("my-db")) == (
        "MY_DB_PORT",
        "MY_DB_HOST",
    )
    assert isolation_isolation.port_variable(OWN) == "PORT"
    assert isolation_isolation.port_variable("my-db/81") == "MY_DB_PORT_81"


def test_services_that_can_not_be_told_apart_are_found():
    assert isolation_isolation.clashes(["web", "my-db", "my_db", "db", "my-db2"]) == {"my_db": "my-db"}
    services = [
        Service("a", image="x", volumes={"b-c": "/x", "d": "/y"}),
        Service("a-b", image="x", volumes={"c": "/x", "d": "/y"}),
    ]
    assert isolation_isolation.volume_clashes(services) == {("a-b", "c"): ("a", "b-c")}


def isolation(**facts):
    known: dict[str, Any] = {"project": Project(), "saga": saga_of(())}
    return Isolation("1", "api", "/p", "", **known | facts)


TREE = {"worktree": "/p/.overmind/worktrees/1"}
LACKING = [
    ({}, "/p is not in a git repository"),
    ({"project": Project(worktree=False)}, "its .overmind.yml says `worktree: false`"),
    ({**TREE, "saga": replace(saga_of(()), phase=SagaPhase.FORWARD)}, "it is not made yet"),
    ({**TREE, "branch": "overmind/api"}, None),
    ({**TREE, "removed": Removal.UNASKED}, "it was removed, and no work was lost with it"),
    ({**TREE, "removed": Removal.FORCED}, "it was discarded"),
    (TREE, "it was removed"),
    ({**TREE, "saga": replace(saga_of(()), phase=SagaPhase.UNDONE)}, "its preparation was undone"),
]


@pytest.mark.parametrize(("facts", "reason"), LACKING)
def test_why_an_isolated_mission_has_no_worktree_is_said(facts, reason):
    assert isolation_isolation.reason_without_worktree(isolation(**facts)) == reason


ENVIRONMENTS = [
    ({}, OWN, {}),
    ({"ports": {OWN: 3100}}, OWN, {"PORT": "3100"}),
    (
        {"ports": {OWN: 3100, "web": 3101, "my-db": 3102}, "worktree": "/w", "branch": "overmind/api"},
        OWN,
        {
            "PORT": "3100",
            "WEB_PORT": "3101",
            "WEB_HOST": "127.0.0.1",
            "MY_DB_PORT": "3102",
            "MY_DB_HOST": "127.0.0.1",
            "OVERMIND_WORKTREE": "/w",
            "OVERMIND_BRANCH": "overmind/api",
        },
    ),
    (
        {"ports": {OWN: 3100, "web": 3101}},
        "web",
        {"PORT": "3101", "WEB_PORT": "3101", "WEB_HOST": "127.0.0.1"},
    ),
    (
        {"ports": {OWN: 3100, "web": 3101, "web/81": 3102}},
        "web",
        {"PORT": "3101", "WEB_PORT": "3101", "WEB_PORT_81": "3102", "WEB_HOST": "127.0.0.1"},
    ),
    ({"ports": {OWN: 3100}}, "worker", {}),
]


@pytest.mark.parametrize(("facts", "service", "expected"), ENVIRONMENTS)
def test_the_environment(facts, service, expected):
    assert isolation_isolation.isolation_variables(isolation(**facts), service) == expected

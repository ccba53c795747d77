"""`isolate`, `trust`, `ports` and the question of `run`, against a scripted daemon."""

from __future__ import annotations

import json
from typing import Any

import pytest

FILE = "/src/shop/.overmind.yml"
SUM = "5f" * 32
HOSTILE = "make deps\n\x1b[2K\u202e"
SAFE = "make deps\\n\\x1b[2K\\u202e"
FACTS = {"path": FILE, "sha256": SUM, "commands": [HOSTILE, "container postgres:16"], "changed": False}
UNTRUSTED = {"error": "untrusted_project", "message": "no", **FACTS}
EXPLAINED = {
    **FACTS,
    "source": "/src/shop",
    "repository": True,
    "trusted": False,
    "problems": [],
    "branch": "overmind/<name>",
    "base": "main",
    "worktree": True,
    "steps": [{"step": "worktree", "text": "make the worktree"}, {"step": "setup", "text": "run: make deps"}],
    "ports": [
        {"service": None, "port": 3100, "wanted": None},
        {"service": "web", "port": 3101, "wanted": 3000},
        {"service": "db", "port": 3102, "wanted": 3102},
        {"service": "db/81", "port": 3103, "wanted": 81},
    ],
    "engine": "unix:///run/docker.sock",
    "engine_problem": None,
    "notes": [],
}
NOTHING = {**EXPLAINED, "path": None, "sha256": None, "commands": [], "worktree": False, "ports": [], "engine": None}
MISTAKES = [f"{FILE}:3:5: a port is a number from 1 to 65535", f"{FILE}:9:1: unknown key"]
BROKEN = {**NOTHING, "path": FILE, "problems": MISTAKES, "steps": []}
TRUSTED = {"path": FILE, "sha256": SUM, "commands": [HOSTILE], "trusted": True}


def daemon(explained=EXPLAINED):
    return {"isolate": [{"ok": explained}], "trust": [{"ok": TRUSTED}]}


def test_isolate_explains_everything_and_no_character_of_the_file_reaches_the_terminal_raw(overmind):
    ran = overmind(daemon(), "isolate", "--check", "/src/shop/sub/..")

    assert (ran.status, ran.err) == (0, "")
    assert ran.requests[0][1]["cwd"] == "/src/shop"
    assert ran.out == (
        f"File      {FILE}\n"
        "Trusted   not yet: overmind trust\n"
        "Worktree  /src/shop/.overmind/worktrees/<id>\n"
        "Branch    overmind/<name> from main\n"
        "Ports     PORT 3100, web 3101 (for 3000), db 3102, db 3103 (for 81)\n"
        "Engine    unix:///run/docker.sock\n"
        "\n"
        "Runs\n"
        f"  {SAFE}\n"
        "  container postgres:16\n"
        "\n"
        "Steps\n"
        "  1. make the worktree\n"
        "  2. run: make deps\n"
    )


WRONG = [
    ({}, 0),
    ({"problems": MISTAKES}, 1),
    ({"engine": None, "engine_problem": "Docker doesn't answer."}, 1),
    ({"notes": ["The container engine was not asked."]}, 0),
]


@pytest.mark.parametrize("words", [["isolate"], ["isolate", "--check", "--json"]])
@pytest.mark.parametrize(("more", "expected"), WRONG)
def test_isolate_exits_with_1_when_something_is_wrong_and_says_what(overmind, words, more, expected):
    ran = overmind(daemon({**EXPLAINED, **more}), *words)

    assert ran.status == expected
    if "--json" in words:
        assert json.loads(ran.out) == {**EXPLAINED, **more}
    else:
        said = [*more.get("problems", []), *filter(None, [more.get("engine_problem")]), *more.get("notes", [])]
        assert all(f"\n  {one}\n" in f"{ran.out}\n" for one in said)


def test_of_a_file_with_mistakes_nothing_is_told_but_these(overmind):
    ran = overmind(daemon(BROKEN), "isolate")

    assert ran.out == f"File      {FILE}\n\nProblems\n  {MISTAKES[0]}\n  {MISTAKES[1]}\n"


def test_without_a_terminal_trust_prints_what_it_trusts_and_records_exactly_that(overmind):
    ran = overmind(daemon(), "trust", "/src/shop")

    assert (ran.status, ran.err) == (0, "")
    assert ran.out == (f"{FILE} is not trusted yet.\nIt runs:\n  {SAFE}\n  container postgres:16\nTrusted: {FILE}\n")
    assert [name for name, _ in ran.requests] == ["isolate", "trust"]
    assert (ran.requests[1][1]["cwd"], ran.requests[1][1]["sha256"]) == ("/src/shop", SUM)


TRUSTS = [
    ({"changed": True}, f"{FILE} has changed since you trusted it.\nIt runs:"),
    ({"commands": []}, f"{FILE} is not trusted yet.\nIt runs no commands.\nTrusted: "),
    ({"trusted": True}, f"Already trusted: {FILE}\n"),
]


@pytest.mark.parametrize(("more", "begin"), TRUSTS)
def test_trust_says_how_the_file_stands(overmind, more, begin):
    ran = overmind(daemon({**EXPLAINED, **more}), "trust")

    assert ran.status == 0
    assert ran.out.startswith(begin)


def test_trust_may_be_taken_back(overmind):
    ran = overmind(daemon(), "trust", "--revoke")

    assert (ran.status, ran.out) == (0, f"No longer trusted: {FILE}\n")
    assert [(name, args.get("revoke")) for name, args in ran.requests] == [("trust", True)]


def test_there_is_nothing_to_trust_where_there_is_no_file(overmind):
    ran = overmind(daemon(NOTHING), "trust")

    assert ran.status == 1
    assert ran.err.startswith("Error: not_found: /src/shop has no .overmind.yml. Write one: overmind init --isolation")


def test_mistakes_are_told_with_their_places_a_line_each(overmind):
    told = "".join(f"{one}\n" for one in MISTAKES) + f"Error: invalid: {FILE} has 2 mistakes.\n"
    refused = {"error": "invalid", "message": "x", "problems": MISTAKES, "path": FILE}

    assert overmind(daemon(BROKEN), "trust")[:3] == (1, "", told)
    assert overmind({"run": [refused]}, "run", "true")[:3] == (1, "", told)


def test_without_a_terminal_an_untrusted_project_is_an_error_that_says_how_to_go_on(overmind):
    ran = overmind({"run": [UNTRUSTED]}, "run", "true")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith(f"Error: untrusted_project: {FILE} is not trusted; nothing was started.")
    assert all(way in ran.err for way in ("overmind trust", "overmind isolate --check", "--no-isolate"))
    assert [name for name, _ in ran.requests] == ["run"]


PORTS = [
    {"mission": "a1b2c3d4", "name": "web", "status": "running", "service": None, "port": 3100, "held": True},
    {"mission": "b1b2c3d4", "name": "old", "status": None, "service": "db", "port": 3101, "held": False},
]


def test_ports_are_a_table_and_an_empty_one_has_its_header(overmind):
    answers = {"ports": [{"ok": {"ports": PORTS}}]}
    ran = overmind(answers, "ports", "--all")

    assert [line.split() for line in ran.out.splitlines()] == [
        ["PORT", "MISSION", "NAME", "STATUS", "SERVICE", "HELD"],
        ["3100", "a1b2c3d4", "web", "running", "-", "yes"],
        ["3101", "b1b2c3d4", "old", "-", "db", "no"],
    ]
    assert overmind(answers, "ports").out.splitlines()[1:] == ran.out.splitlines()[1:2]
    empty: dict[str, Any] = {"ports": [{"ok": {"ports": []}}]}
    assert overmind(empty, "ports")[:3] == (0, "PORT  MISSION  NAME  STATUS  SERVICE  HELD\n", "")
    assert overmind(empty, "ports", "--json")[1] == "[]\n"


FRESH: list[tuple[list[str], dict[str, Any]]] = [
    ([], {"id": "web", "session_env": {}}),
    (["--fresh"], {"id": "web", "session_env": {}, "fresh": True, "force": False}),
]


@pytest.mark.parametrize(("words", "sent"), [*FRESH, (["--fresh", "--force"], {**FRESH[1][1], "force": True})])
def test_a_restart_may_be_fresh(overmind, words, sent):
    assert overmind({"restart": [{"ok": {"id": "a"}}]}, "restart", "web", *words).requests == [("restart", sent)]


def test_a_restart_follows_the_preparation_too(overmind):
    events = [
        {"seq": 8, "mission": "a", "type": "spawn_failed", "text": "--- could not start: No port. ---"},
        {"seq": 9, "mission": "a", "type": "crashed", "reason": "port_range_exhausted"},
    ]
    answers = {
        "restart": lambda args: [{"ok": {"id": args["id"], "name": "web", "status": "preparing"}}],
        "logs": [{"ok": {"seq": 7, "missions": [{"annotations": []}]}}],
        "info": [{"ok": {"status": "preparing", "reason": None, "exit_code": None, "isolation": {"step": None}}}],
        "events": [{"ok": {}}, *({"item": one} for one in events)],
    }
    ran = overmind(answers, "restart", "a")

    assert (ran.status, ran.out) == (1, "Restarted mission a\n")
    assert ran.err.startswith("Error: port_range_exhausted: No port. See its log: overmind logs web.")


@pytest.mark.parametrize("words", [["web", "--force"], ["--lost", "--fresh"]])
def test_a_restart_without_sense_is_refused(overmind, words):
    assert overmind({}, "restart", *words).status == 2


def test_ps_shows_the_step_of_what_is_being_prepared(overmind):
    row = {
        "id": "a1b2c3d4", "name": "web", "type": "task", "status": "preparing", "restart_count": 0, "parent": None,
        "children": [], "uptime_seconds": 1, "exit_code": None, "command": "x", "now": None,
        "isolation": {"step": "pulling redis:7"},
    }  # fmt: skip
    assert overmind({"ps": [{"ok": [row]}]}, "ps", "--wide").out.splitlines()[1].endswith("pulling redis:7")

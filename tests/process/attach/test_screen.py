"""`overmind screen`: what a mission's terminal shows."""

from __future__ import annotations

import shutil

import pytest

from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

SESSION = ("--type", "session")


def test_of_one_that_runs(om):
    mission = om.mission("printf 'one\\r\\n\\033[31mtwo\\033[m\\033]2;the title\\007'; exec cat", *SESSION)
    eventually(lambda: om.ok("screen", mission) == "one\ntwo\n", what="it stands there")
    assert om.ok("screen", mission, "--ansi") == "one\n\x1b[0;31mtwo\x1b[0m\n"
    assert om.json("screen", mission, "--json") == {
        "columns": 80,
        "rows": 24,
        "cursor": [3, 1],
        "title": "the title",
        "lines": ["one", "two"] + [""] * 22,
    }


def test_of_one_that_has_ended(om):
    mission = om.finished("printf 'wiped\\033[2J\\033[3;4Hlast words'", "--size", "40x10")["id"]
    assert om.ok("screen", mission) == "\n\n   last words\n"
    assert om.json("screen", mission, "--json")["rows"] == 10


def test_of_the_newest_run(om):
    mission = om.finished("echo run; exit 1", "--restart", "on-failure", "--max-restarts", "2", "--backoff", "1ms")
    assert om.ok("screen", mission["id"]) == "run\n"


def test_after_another_size(om, attach):
    mission = om.mission("stty -echo; echo ready; read -r x; seq -s ' ' 1 30; read -r x", *SESSION)
    person = attach(mission, size=(50, 12))
    person.type(b"\r")
    person.shows("30")
    found = om.json("screen", mission, "--json")
    assert (found["columns"], found["rows"]) == (50, 12)
    assert found["lines"] == person.screen.lines()


def test_of_a_long_output(om):
    mission = om.finished("printf '\\033[?1049h\\033[?25l'; seq 1 400000")["id"]
    assert om.ok("screen", mission).splitlines()[-2:] == ["399999", "400000"]


@pytest.mark.skipif(not shutil.which("vim"), reason="vim is not installed: nothing to look at")
def test_of_an_editor(om):
    path = om.path("text")
    with open(path, "w") as file:
        file.write("alpha\nbeta\n")
    mission = om.mission(["vim", "-u", "NONE", "-i", "NONE", "-n", path], *SESSION)
    eventually(lambda: om.ok("screen", mission).startswith("alpha\nbeta\n~\n"), what="it shows the file")


def test_controls_in_a_title_are_not_printed(om):
    mission = om.finished("printf '\\033]2;a\\302\\233b\\007x'")["id"]
    assert om.json("screen", mission, "--json")["title"].isprintable()


def test_what_has_no_terminal_is_told_so(om):
    mission = om.finished("echo out", "--no-tty")["id"]
    assert "has no terminal" in om.refused("screen", mission, code="invalid")
    om.refused("screen", "nosuch", code="not_found")
    om.refused("screen", mission, "--ansi", "--json", code="invalid", exit_code=2)

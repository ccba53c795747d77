"""The warning about a text that was meant for an agent, or as a brief, and would be run as a command."""

from __future__ import annotations

import pytest

from overmind_core.cli.definitions.missing_program import missing_program


@pytest.fixture
def programs(tmp_path):
    """A folder with one program, `make`."""
    (tmp_path / "make").write_text("#!/bin/sh\n")
    (tmp_path / "make").chmod(0o755)
    return str(tmp_path)


TEXTS = [
    (["a login page"], "a"),
    (["Visitors keep a cart"], "Visitors"),
    (["make test"], None),
    (["make"], None),
    (["nothing"], None),
    ([], None),
    ([""], None),
    (["-"], None),
    (["a", "login", "page"], None),
    (["test -s page && echo yes"], None),
    (["cd site && make"], None),
    (["./build all"], None),
    (["dist/tool --all"], None),
    (["A=1 run it"], None),
    (["$RUN it"], None),
    (["{ a; }"], None),
    (["f() { :; }; f"], None),
    (["if true; then make; fi"], None),
]


@pytest.mark.parametrize(("words", "program"), TEXTS)
def test_a_text_of_several_words_whose_first_names_no_program_is_noticed(programs, words, program):
    assert missing_program(words, programs) == program


QUEST = {"quest_add": [{"ok": {"quests": [{"id": "a1b2c3d4", "name": "login"}]}}]}
SPEC = {"spec_new": [{"ok": {"id": "a1b2c3d4", "slug": "login", "folder": "x", "hidden_by": None}}]}


@pytest.mark.parametrize("options", [(), ("--provider", "raw")])
def test_who_adds_a_text_as_a_command_is_told_where_it_belongs(overmind, programs, options):
    environ = {"PATH": programs}
    ran = overmind(SPEC, "spec", "new", *options, "login", "a login page", environ=environ)
    assert ran.status == 0
    assert ran.err == (
        "Warning: no program named 'a' is on PATH, and 'a login page' is the command. A text about the spec goes with "
        "--brief, and --provider claude has an agent do it. Undo: overmind spec archive login\n"
    )
    ran = overmind(QUEST, "quest", "add", *options, "login", "a login page", environ=environ)
    assert ran.status == 0
    assert ran.err.endswith(" Undo: overmind quest cancel login\n")


NO_COMMANDS = [
    ("login", "make it"),
    ("--provider", "claude", "login", "a page"),
    ("--env", "PATH=/x", "login", "a page"),
]


@pytest.mark.parametrize("words", NO_COMMANDS)
def test_nobody_is_warned_of_a_command_of_what_an_agent_is_told_or_of_another_path(overmind, programs, words):
    assert overmind(QUEST, "quest", "add", *words, environ={"PATH": programs}).err == ""


NO_PROGRAM = [{"error": "not_found", "message": "No program named 'exit 3' on PATH."}]
BEHIND = "No program named 'exit 3' on PATH. --retries stands behind the command, so it is a part of it"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--name", "q", "exit 3", "--retries", "0"], f"{BEHIND}: options go before the command.\n"),
        (["exit 3", "--retries=0"], f"{BEHIND}: options go before the command.\n"),
        (["--", "exit 3", "--retries", "0"], "No program named 'exit 3' on PATH.\n"),
        (["exit 3", "--verbose"], "No program named 'exit 3' on PATH.\n"),
        (["exit 3"], "No program named 'exit 3' on PATH.\n"),
    ],
)
def test_an_option_behind_the_command_is_named_where_the_command_is_no_program(overmind, words, said):
    ran = overmind({"quest_run": NO_PROGRAM}, "quest", "run", *words)
    assert (ran.status, ran.out, ran.err) == (1, "", f"Error: not_found: {said}")


def test_a_quest_of_the_queue_with_such_an_option_is_added_with_a_warning(overmind, programs):
    environ = {"PATH": programs}
    ran = overmind(QUEST, "quest", "add", "login", "exit 3", "--retries", "0", environ=environ)
    assert ran.err == (
        "Warning: no program named 'exit 3' is on PATH. "
        "--retries stands behind the command, so it is a part of it: options go before the command.\n"
    )
    assert overmind(QUEST, "quest", "add", "login", "make", "--retries", "0", environ=environ).err == ""
    assert overmind(QUEST, "quest", "add", "login", "--", "exit 3", "--retries", "0", environ=environ).err == ""

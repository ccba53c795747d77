"""Bad input about quests, as it is typed: a clear error, nothing is recorded, and what is only unwise is accepted."""

from __future__ import annotations

import json
import os
import re

import pytest

from tests.kit.killing import without_waiting
from tests.kit.queued import Queued
from tests.kit.queued_shop import Shop

REFUSED = [
    (["--needs", "nobody"], "not_found", "No quest named 'nobody'. See them with: overmind quest list"),
    (["--name", "me", "--needs", "me"], "cycle", "These quests would need each other: me → me."),
    (["--needs", "first,second", "--needs-min", "3"], "invalid", "--needs-min is 3, but there are 2 needs."),
    (["--needs", "first,first", "--needs-min", "2"], "invalid", "--needs-min is 2, but there is 1 need."),
    (["--needs", "first", "--needs-min", "-1"], "invalid", "--needs-min: '-1' is not a whole number of 0 or more"),
    (["--retries", "-1"], "invalid", "--retries: '-1' is not a whole number"),
    (["--retries", "1e3"], "invalid", "--retries: '1e3' is not a whole number"),
    (["--retries", "101"], "too_large", "--retries 101 is too many; the limit is 100."),
    (["--retries", "100000000000"], "too_large", "the limit is 100."),
    (["--estimate", "0"], "invalid", "--estimate: 0 is no estimate: give a duration above 0, such as 30m."),
    (["--max-cost", "-1"], "invalid", "--max-cost: '-1' is not an amount of US dollars above 0"),
    (["--max-cost", "nan"], "invalid", "--max-cost: 'nan' is not an amount"),
    (["--timeout=-5s"], "invalid", "--timeout: "),
    (["--estimate=-5m"], "invalid", "--estimate: "),
    (["--deadline", "yesterday"], "invalid", "--deadline: 'yesterday' is not a time"),
    (["--priority", "urgent"], "invalid", "--priority"),
    (["--owns", ""], "invalid", "--owns: '' is empty."),
    (["--owns", "a["], "invalid", "--owns: 'a[' has a [ without its ]"),
    (["--owns", "a/../b"], "invalid", "leads out of its folder with '..'"),
    (["--owns", "../b"], "invalid", "leads out of its folder with '..'"),
    (["--outputs", ".."], "invalid", "--outputs: '..' is not the name of a file."),
    (["--outputs", "."], "invalid", "--outputs: '.' is not the name of a file."),
    (["--outputs", ""], "invalid", "--outputs: '' is not the name of a file."),
    (["--outputs", "a/b"], "invalid", "--outputs: 'a/b' leads to another folder: give a plain name"),
    (["--outputs", "/etc/passwd"], "invalid", "leads to another folder"),
    (["--outputs", "../x"], "invalid", "leads to another folder"),
    (["--outputs", "a\x1bb"], "invalid", "has characters that can't be printed"),
    (["--outputs", "x" * 256], "invalid", "has more than 255 bytes"),
    (["--name", "a b"], "invalid", "'a b'"),
    (["--into", "nosuch"], "invalid", "There is no branch 'nosuch': "),
    (["--into", "-x"], "invalid", "--into needs a value"),
    (["--verify", "true"], "invalid", "--verify is about merged work: add --into BRANCH"),
]


@pytest.fixture
def queue(om):
    """A paused queue with two quests, of which one has not begun and the other neither."""
    queue = Queued(om)
    om.ok("queue", "pause")
    for name in ("first", "second"):
        queue.add(name)
    return queue


def test_what_makes_no_sense_is_refused_by_name_and_nothing_is_recorded(queue, cases):
    om = queue.om
    events = om.events("quest")
    for words, code, said in REFUSED:
        with cases(" ".join(words)[:60]):
            finished = om("quest", "add", "x", *words, "--", "true")
            assert (finished.returncode, finished.stdout) in {(1, ""), (2, "")}, finished
            assert without_waiting(finished.stderr).startswith(f"Error: {code}: "), finished.stderr
            assert said in finished.stderr, finished.stderr
    assert sorted(queue.statuses()) == ["first", "second"]
    assert om.events("quest") == events
    assert om.ps("--all") == []


def test_a_name_that_is_taken_by_one_that_has_not_begun_is_refused_everywhere(queue):
    om = queue.om
    mission = om.finished("true", "--name", "other")["id"]
    for words in (
        ["quest", "add", "x", "--name", "first", "--", "true"],
        ["quest", "edit", "second", "--name", "first"],
        ["quest", "run", "--name", "first", "true"],
        ["run", "--name", "first", "true"],
        ["update", mission, "--name", "first"],
    ):
        assert "'first'" in om.refused(*words, code="name_taken")
    assert sorted(queue.statuses()) == ["first", "second"]
    om.ok("quest", "cancel", "first")
    assert om.finished("true", "--name", "first")["name"] == "first"


def test_a_need_that_has_failed_is_accepted_and_says_that_it_is_blocked(om):
    queue = Queued(om)
    queue.ended(queue.add("root", "exit 3", retries=0))
    om.ok("quest", "add", "Later", "--needs", "root", "--", "true")
    assert om.ok("quest", "why", "later").splitlines()[:2] == [
        "later is queued: blocked: needs root (failed: its command failed)",
        "  go on with: overmind quest retry root",
    ]


def test_a_deadline_that_has_passed_since_ranks_as_past(queue):
    om = queue.om
    om.ok("quest", "add", "Late", "--deadline", "1ms", "--", "true")
    assert "0.15 deadline" in om.ok("quest", "why", "late").splitlines()[2]
    assert "× 1.25 near its deadline; 1 of 3" in om.ok("quest", "why", "late").splitlines()[2]
    om.ok("quest", "edit", "first", "--deadline", "1ms", "--priority", "high")
    assert [row["name"] for row in om.api("queue")["quests"]] == ["first", "late", "second"]


def test_names_of_files_with_dots_are_names_and_are_handed_in(om):
    queue = Queued(om)
    names = [".hidden", "a..b", "v1.2.tar.gz", "with space.md", "-dash"]
    command = "; ".join(f"echo x > $OVERMIND_OUTPUT_DIR/'{name}'" for name in names)
    words = [word for name in names for word in ("--outputs", name)]
    words[-2:] = ["--outputs=-dash"]
    om.ok("quest", "add", "Hand in", *words, "--", command)
    assert queue.ended("hand-in")["status"] == "completed"
    assert sorted(os.listdir(om.path("files", queue.info("hand-in")["id"], "out"))) == sorted(names)


def test_an_agent_that_writes_below_our_folder_has_failed_and_is_told(om):
    shop = Shop(om)
    om.ok(
        *("quest", "add", "Work", "--cwd", shop.code.folder, "--into", "main", "--retries", "1", "--"),
        "cat $OVERMIND_IN/feedback.md; rm -rf .overmind/specs; echo 2 > b; test $OVERMIND_ATTEMPT = 2 || "
        "{ mkdir -p .overmind/specs/x; echo x > .overmind/specs/x/tasks.md; }",
    )
    info = shop.ended("work")
    assert [one["class"] for one in info["attempt_list"]] == ["output_invalid", None]
    assert ".overmind/specs/x/tasks.md" in om.logs("work")
    assert info["status"] == "completed"
    assert shop.code.git("ls-tree", "-r", "--name-only", "main").splitlines() == ["a", "b"]


NO_FILES = [
    (b"\xff\xfe\x00", "invalid", ":1: the line is not valid UTF-8 text."),
    (b'{"title": "caf\xc3", "command": "true"}', "invalid", ":1: the line is not valid UTF-8 text."),
    (b"[]", "invalid", ":1: write a JSON object, such as "),
    (b"null", "invalid", ":1: write a JSON object, such as "),
    (b"[" * 100_000, "invalid", ":1: not valid JSON: it is nested too deeply."),
    (b'{"title": "x", "command": "true", "retries": 1e400}', "invalid", ":1: not valid JSON: "),
    (b'{"title": "x", "command": "true", "retries": NaN}', "invalid", ":1: not valid JSON: NaN."),
    (b'{"title": "x", "command": "true", "retries": -1}', "invalid", ":1: "),
    (b'{"title": "x", "command": "true", "check": "a\\u0000b"}', "invalid", ":1: --check contains a NUL character"),
    (b'{"title": "x\\u0000", "command": "true"}', "invalid", ":1: The title contains a NUL character."),
    (b'{"title": "x", "command": "true", "brief": "\\u0000"}', "invalid", ":1: The text contains a NUL character."),
    (b'{"title": "x", "command": "true", "needs": "first"}', "invalid", ":1: "),
    (b'{"title": "x", "command": "true", "owns": [5]}', "invalid", ":1: "),
    (b'{"title": "x", "command": "true", "ref": "r", "needs": ["r"]}', "cycle", ":1: "),
    (b'\n{"title": "' + b"x" * 301 + b'", "command": "true"}', "too_large", ":2: The title has 301 characters"),
    (b"\n\n", "invalid", " has no quests: write a JSON object per line."),
]


def test_a_file_that_is_none_of_quests_names_its_line_and_adds_nothing(queue, cases):
    om = queue.om
    path = om.path("quests.jsonl")
    for text, code, said in NO_FILES:
        with cases(repr(text)[:70]):
            with open(path, "wb") as file:
                file.write(text)
            told = om.refused("quest", "add", "-f", path, code=code)
            assert told.startswith(f"{path}{said}"), told
    for path, said in (("/dev/zero", "has more than 16 MiB"), (om.home, "Is a directory")):
        assert said in om.refused("quest", "add", "-f", path, code="too_large" if path == "/dev/zero" else "invalid")
    assert sorted(queue.statuses()) == ["first", "second"]


def test_slots_have_a_number_that_makes_sense(queue, cases):
    om = queue.om
    for word in ("0", "-3", "1001", "99999999999999999999", "many", "2.5", ""):
        with cases(word):
            finished = om("queue", "slots", word)
            assert finished.returncode in {1, 2}
            assert without_waiting(finished.stderr).startswith("Error: invalid: ")
            assert "overmind queue slots" in finished.stderr
    assert om.api("queue")["slots"] == 3


def test_titles_and_reasons_are_shown_literally_in_each_face(queue):
    om = queue.om
    title = "\x1b[2J *bold* [red]x[/red] $(touch pwned) `id`"
    om.ok("quest", "add", title, "--brief", "\x1b]0;gone\x07", "--group", "\x1b[31mred", "--", "true")
    (name,) = [row["name"] for row in om.api("quests") if row["name"] not in {"first", "second"}]
    assert re.fullmatch(r"[a-z0-9-]{1,40}", name)
    assert queue.info(name)["title"] == title
    for words in (["quest", "info", name], ["quest", "list", "--wide"], ["board", "--by", "group"], ["queue"]):
        said = om.ok(*words)
        assert "\x1b" not in said
        assert "\x07" not in said
    assert json.loads(om.ok("quest", "info", name, "--json"))["title"] == title


def test_a_name_that_ended_quests_about_different_things_have_had_is_refused_with_them(om):
    for title in ("First thing", "Second thing", "Second thing"):
        om.ok("quest", "add", title, "--name", "x", "--wait", "--", "true")
        if title == "First thing":
            assert om.ok("quest", "why", "x").startswith("x has completed")
    said = om.refused("quest", "why", "x", code="ambiguous")
    assert said.startswith("'x' names several quests: ")
    assert "(First thing)" in said
    assert "(Second thing)" in said
    om.ok("quest", "add", "Third thing", "--name", "x", "--", "sleep", "600")
    assert om.ok("quest", "why", "x").startswith("x is "), "the unfinished one is meant"


def test_a_change_of_one_of_several_ended_quests_of_a_name_is_refused_with_them_and_a_look_tells_of_the_others(om):
    made = []
    for code in (3, 4):
        words = ("Same thing", "--name", "x", "--retries", "0", "--json", "--", f"exit {code}")
        made.append(om.json("quest", "add", *words)["id"])
        om("quest", "wait", made[-1])
    first, second = made
    for change in (["retry"], ["edit", "--title", "Other"], ["cancel"]):
        said = om.refused("quest", change[0], "x", *change[1:], code="ambiguous")
        assert said.startswith("'x' names several quests that have ended: ")
        assert said.index(f"{second} (failed, ended ") < said.index(f"{first} (failed, ended ")
    looked = om("quest", "why", "x")
    assert (looked.returncode, first in looked.stderr) == (0, True), looked.stderr
    assert f"go on with: overmind quest retry {second}" in looked.stdout, "what is proposed is not refused"
    assert first not in om("quest", "why", second).stderr
    assert om.refused("rm", "x", code="ambiguous").startswith("'x' names several missions that have ended: ")
    assert om.json("quest", "retry", first, "--json")[0]["id"] == first

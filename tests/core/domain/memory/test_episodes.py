"""What one run of an agent did, and what is proposed from it."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.agents.agent_events import (
    LONGEST_COMMAND,
    Echoed,
    TextSpoken,
    ToolCalled,
    ToolReturned,
    TurnBegan,
    TurnEnded,
    TurnResult,
)
from overmind_core.domain.memory import episodes
from overmind_core.domain.memory.episodes import (
    Episode,
    Lesson,
    RunCommand,
    begun,
    ended,
    fold,
    in_repository,
    lesson_key,
    lesson_text,
    lines,
)
from overmind_core.domain.memory.lessons_section import lessons_of
from overmind_core.domain.memory.notes import LONGEST_TEXT
from overmind_core.domain.memory.redaction import redact
from tests.kit.cases import tabled
from tests.kit.planted_secrets import tokens
from tests.kit.torture import examples, seeded_random


def clean(text):
    return redact(text).text


def ran(command, code=None, *, failed=None, denied=False, error="", call="c"):
    failed = bool(code) if failed is None else failed
    return [
        ToolCalled(call, "Bash", f"Bash: {command}", runs=True, command=command),
        ToolReturned(call, failed, error=error, exit_code=code, denied=denied),
    ]


def edit(*paths, failed=False, call="e"):
    return [ToolCalled(call, "Edit", "Edit", paths, edits=True), ToolReturned(call, failed)]


def said(text, *, ok=True, usd=None):
    return [TurnEnded(TurnResult(ok=ok, text=text, cost_turn=usd))]


def of(*parts):
    return fold(begun("do it", clean), [fact for part in parts for fact in part], clean)


FAILS, PASSES = ran("make test", 2, error="E   assert 1 == 2"), ran("make test")
MENDED = [
    ([FAILS, edit("a.py"), PASSES], ("a.py",)),
    ([FAILS, edit("a.py"), FAILS, edit("b.py", "a.py"), PASSES], ("a.py", "b.py")),
    ([FAILS, edit("a.py"), ran("make test", 0)], ("a.py",)),
    ([FAILS, edit("a.py"), ran("make test", failed=True, denied=True), PASSES], ("a.py",)),
    ([FAILS, ran("ls", 1), edit("a.py"), ran(" make test\n")], ("a.py",)),
    ([FAILS, PASSES], None),
    ([FAILS, PASSES, edit("a.py"), PASSES], None),
    ([FAILS, edit("a.py", failed=True), PASSES], None),
    ([edit("a.py"), FAILS, PASSES], None),
    ([FAILS, edit("a.py")], None),
    ([FAILS, edit("a.py"), ran("make")], None),
    ([ran("make test", failed=True), edit("a.py"), PASSES], None),
    ([ran("make test", failed=True, denied=True), edit("a.py"), PASSES], None),
    ([ran("make test", 0), edit("a.py"), PASSES], None),
]


@tabled(("parts", "files"), MENDED)
def test_a_command_that_failed_and_succeeded_after_a_change_is_a_lesson(parts, files):
    found = of(*parts).lessons
    if files is None:
        assert found == ()
        return
    (lesson,) = found
    assert (lesson.command, lesson.error, lesson.files) == ("make test", "E   assert 1 == 2", files)
    for words in ("`make test` failed with exit code 2: E   assert 1 == 2", *files):
        assert words in lesson_text(lesson, lesson.files)


PATHS = [
    ("/p/api/a.py", "/p", "api/a.py"),
    ("a.py", "/p/api", "api/a.py"),
    ("../b.py", "/p/api", "b.py"),
    ("/p/.overmind/worktrees/x1/api/a.py", "/p", "api/a.py"),
    ("/q/a.py", "/p", None),
    ("../../x", "/p/api", None),
    ("/p", "/p", None),
    ("a[1].py", "/p", None),
]


@tabled(("path", "folder", "name"), PATHS)
def test_a_file_is_called_as_from_the_top_of_its_repository(path, folder, name):
    assert in_repository(path, top="/p", folder=folder) == name


def test_a_lesson_is_the_same_when_only_times_and_files_differ():
    first, again = (Lesson("", "make", 2, f"1 failed in {took}s", (took,)) for took in ("0.1", "2.5"))
    assert lesson_key("r", first) == lesson_key("r", again)
    assert len({lesson_key("r", first), lesson_key("s", first), lesson_key("r", Lesson("make"))}) == 3


def test_a_run_has_two_lessons_at_most():
    mended = [part for name in "abc" for part in (ran(name, 1, error=name), edit("x"), ran(name))]
    assert [lesson.command for lesson in of(*mended).lessons] == ["a", "b"]
    assert [one.text for one in of(said("Lessons:\n- a\n- b\n- c\n- d")).lessons] == ["a", "b"]
    assert [one.text for one in of(said("Lessons:\n- a"), said("Lessons:\n- a\n- b\n- c")).lessons] == ["a", "b"]
    assert of(said("Lessons:\n- a", ok=False)).lessons == ()


def test_the_message_that_was_said_last_counts_where_the_result_has_none():
    spoken = [TextSpoken("Done."), TextSpoken("Lessons:\n- use make"), TextSpoken("hm", thought=True)]
    assert [one.text for one in of(spoken, [TurnEnded(None)]).lessons] == ["use make"]
    assert of(spoken).lessons == ()


SECTIONS = [
    ("Done.\n\nLessons:\n- one\n- two", ["one", "two"]),
    ("Lessons learned:\n\n* one\n\n* two\n", ["one", "two"]),
    ("## Lessons\n1. one\n2) two", ["one", "two"]),
    ("**Lessons:**\n• one", ["one"]),
    ("**Lessons**:\n+ one", ["one"]),
    ("### Lessons Learned:\n- one", ["one"]),
    ("Lessons: run make first", ["run make first"]),
    ("lessons:\n- one\n  goes on\n- two", ["one\ngoes on", "two"]),
    ("Lessons:\n- one\n    - part\n- two", ["one\n- part", "two"]),
    ("Lessons:\n- one\n\nNow the rest.\n- other", ["one"]),
    ("Lessons:\n- one\n## Next\n- other", ["one"]),
    ("Lessons:\n- one\nFiles:\n- other", ["one"]),
    ("Lessons:\n- old\n\nLessons:\n- new", ["new"]),
    ("Lessons:\r\n- one\r\n- two", ["one", "two"]),
    ("Lessons:\n- none", []),
    ("Lessons: N/A", []),
    ("Lessons:\n", []),
    ("Lessons:\n- " + "x" * 5000 + "\n- short", ["short"]),
    ("```\nLessons:\n- one\n```", []),
    ("I have taken many lessons:\n- one", []),
    ("Lessons learned here are many\n- one", []),
    ("Lessonsx:\n- one", []),
    ("", []),
]


@tabled(("message", "items"), SECTIONS)
def test_the_items_of_the_section_of_lessons(message, items):
    assert lessons_of(message) == items


def test_an_episode_tells_prompts_files_commands_cost_and_end():
    read = ToolCalled("r", "Read", "Read: a", ("a.py",))
    token = "ghp_" + "a1B2" * 9
    found = of([read], edit("b.py"), ran(f"curl -H {token}", 22, error=f"bad {token}"),
               [Echoed("do it"), Echoed("more")],
               said("ok", usd=0.5), said("fine", usd=0.25))  # fmt: skip
    found = ended(found, "crashed: timeout")
    assert (found.prompts, found.read, found.edited) == (("do it", "more"), ("a.py",), ("b.py",))
    assert found.commands == (
        RunCommand("curl -H [redacted: github token]", 22, failed=True, error="bad [redacted: github token]"),
    )
    assert (found.turns, found.usd, found.said, found.end) == (2, 0.75, "fine", "crashed: timeout")
    assert token not in msgspec.json.encode(found).decode()
    assert "curl -H [redacted: github token]: bad [redacted: github token]" in lines(found)


def test_no_token_of_any_format_is_in_an_episode():
    for one in tokens(seeded_random()):
        secret = one.whole
        facts = [
            Echoed(f"use {secret}"), ToolCalled("r", "Read", "", (f"a/{secret}",)), *edit(f"b/{secret}"),
            *ran(f"curl {secret}", 2, error=f"no {secret}"), *edit("c.py"), *ran(f"curl {secret}", None),
            TextSpoken(f"I say {secret}"), *said(f"Done.\n\nLessons:\n- never use {secret}"),
        ]  # fmt: skip
        found = fold(begun(f"first {secret}", clean), facts, clean)
        assert (len(found.prompts), len(found.lessons)) == (2, 2), one
        assert one.rest not in msgspec.json.encode(found).decode(), one
        assert one.rest not in str([lesson_text(lesson, lesson.files) for lesson in found.lessons]), one


def test_all_that_is_kept_is_bounded():
    long = "x" * 100_000
    facts = [fact for number in range(600) for fact in (
        *ran(f"{number} {long}"[:LONGEST_COMMAND], 1, error="e" * 200, call=f"c{number}"),
        *edit(*(f"f{number}-{other}" for other in range(5)), call=f"e{number}"),
        ToolCalled(f"o{number}", "Bash", "", runs=True, command="open"),
        ToolCalled("", "Read", "", (f"r{number}", "p" * 5000)), Echoed(f"{number} {long}"), TextSpoken(long),
    )]  # fmt: skip
    found = fold(begun(long, clean), [*facts, TurnEnded(None)], str)
    assert (len(found.commands), found.ran) == (episodes.MOST_COMMANDS, 600)
    assert found.commands[-1].command.startswith("599 ")
    assert (len(found.edited), len(found.read)) == (episodes.MOST_FILES,) * 2
    assert len(found.open) <= episodes.MOST_OPEN
    assert len(found.failures) == episodes.MOST_FAILURES
    assert max(len(one.changed) for one in found.failures) == episodes.MOST_CHANGED
    mended = of(ran("c" * 4000, 1), edit(*(f"{number}" + "p" * 499 for number in range(9))), ran("c" * 4000)).lessons
    assert len(lesson_text(mended[0], mended[0].files)) <= LONGEST_TEXT
    assert len(msgspec.json.encode(found)) < 1 << 20


CALLS = st.sampled_from(["a", "b", ""])
FACTS = st.one_of(
    st.builds(ToolCalled, CALLS, st.just("Bash"), st.just(""), runs=st.just(value=True), command=st.sampled_from("mn")),
    st.builds(ToolCalled, CALLS, st.just("Edit"), st.just(""), st.sampled_from([(), ("x",), ("x", "y")]),
              st.booleans()),
    st.builds(ToolReturned, CALLS, st.booleans(), exit_code=st.sampled_from([None, 0, 1]), denied=st.booleans()),
    st.builds(TextSpoken, st.sampled_from(["", "Lessons:\n- a\n- b"]) | st.text()),
    st.builds(Echoed, st.text()),
    st.builds(TurnEnded, st.none() | st.builds(TurnResult, st.booleans(), text=st.text(), cost_turn=st.floats(0, 9))),
    st.just(TurnBegan()),
)  # fmt: skip


@settings(max_examples=examples(600))
@given(st.lists(FACTS, max_size=40), st.integers(0, 40))
def test_it_goes_on_from_what_was_saved_as_if_nothing_had_been(facts, place):
    whole = fold(begun("p", clean), facts, clean)
    first = msgspec.json.encode(fold(begun("p", clean), facts[:place], clean))
    assert fold(msgspec.json.decode(first, type=Episode), facts[place:], clean) == whole
    assert len(whole.lessons) <= episodes.MOST_PROPOSED

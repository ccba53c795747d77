"""The output of a headless run: whose line it is, what is kept for reports, and when colours are welcome."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.cli.headless.output import KEPT, KeptOutput, OutputLost, OutputScreen, wants_colour
from tests.kit.cases import tabled


def kept(*lines):
    output = KeptOutput()
    for line in lines:
        output.add(line)
    return output


def test_all_is_kept_until_it_is_too_much_and_then_the_oldest_lines_go():
    output = kept("one", "two")
    assert (output.text, output.dropped) == ("one\ntwo", 0)
    full = kept("a" * 9, "b" * (KEPT - 11))
    assert (len(full.text), full.dropped) == (KEPT - 1, 0)
    full.add("")
    assert (full.text[:1], full.dropped) == ("b", 10)


def test_of_a_line_that_is_longer_than_all_the_end_is_kept():
    output = kept("first", "x" * KEPT + "end")
    assert (len(output.text), output.text[-4:]) == (KEPT - 1, "xend")
    assert output.dropped + KEPT == len("first\n") + KEPT + len("end\n")
    output.add("next")
    assert (output.text, output.dropped) == ("next", 6 + KEPT + 4)


def test_reports_have_no_colours():
    assert kept("\x1b[1;31mred\x1b[0m \x1b[38:5:1mtoo").text == "red too"


@tabled(
    ("environ", "terminal", "wanted"),
    [
        ({}, False, False), ({}, True, True), ({"TERM": "dumb"}, True, False), ({"TERM": "xterm"}, True, True),
        ({"NO_COLOR": "1"}, True, False), ({"NO_COLOR": ""}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True), ({"FORCE_COLOR": "0"}, True, False), ({"FORCE_COLOR": ""}, True, False),
        ({"GITHUB_ACTIONS": "true"}, False, True), ({"GITHUB_ACTIONS": "false"}, False, False),
        ({"GITLAB_CI": "true"}, False, True), ({"CI": "true"}, False, False),
        ({"TERM": "dumb", "GITHUB_ACTIONS": "true"}, True, False),
    ],
)  # fmt: skip
def test_colours_are_shown_where_they_are_welcome(environ, terminal, wanted):
    assert wants_colour(environ, terminal=terminal) is wanted


def transcript(id_, name, *, is_plan=False):
    return SimpleNamespace(id=id_, name=name, is_plan=is_plan, ended=False, several=False, runs=[])


def lines(*texts):
    return [(0.0, 0, text) for text in texts]


@pytest.fixture
def screen(monkeypatch):
    """A screen whose printer keeps what it shows: (mission, text)."""
    made: Any = OutputScreen(colour=False)
    made.shown = []

    class Printer:
        def name(self, transcripts, _to_come):
            made.shown.append(("names", [one.name for one in transcripts]))

        def show(self, mission, found):
            made.shown += [(mission, line[2]) for line in found]

    made._printer = Printer()
    return made


def test_the_first_mission_is_announced_once_and_names_come_with_the_second(screen):
    said: list[str] = []
    screen.announce = said.append
    one, two = transcript("1", "one"), transcript("2", "two")
    screen.enter(one)
    screen.show(one, lines("a"))
    screen.enter(two)
    screen.show(two, lines("b"))
    assert said == ["one"]
    assert screen.shown == [("1", "a"), ("names", ["one", "two"]), ("2", "b")]
    assert (screen.tails["1"].text, screen.tails["2"].text) == ("a", "b")


def test_where_there_will_be_several_the_first_has_a_name_too_and_all_have_the_room_for_theirs(capsys):
    made: Any = OutputScreen(colour=False, names=["one", "one/other"])
    one = transcript("1", "one")
    made.enter(one)
    made.show(one, lines("a"))
    assert capsys.readouterr().out == "one       | a\n"


def test_lines_of_a_plans_agent_follow_the_line_that_says_that_it_began(screen):
    plan, agent = transcript("aaaaaaaa", "release", is_plan=True), transcript("bbbbbbbb", "release/build")
    other = transcript("cccccccc", "helper")
    for one in (plan, agent, other):
        screen.enter(one)
    screen.shown.clear()
    screen.show(agent, lines("early"))
    screen.show(other, lines("of nobody's plan"))
    assert screen.shown == [("cccccccc", "of nobody's plan")]
    screen.show(plan, lines("--- build: started (bbbbbbbb) ---"))
    screen.show(agent, lines("late"))
    assert [text for _, text in screen.shown[1:]] == ["--- build: started (bbbbbbbb) ---", "early", "late"]


def test_what_a_plan_never_named_is_shown_at_its_end_or_at_the_end_of_all(screen):
    plan = transcript("aaaaaaaa", "release", is_plan=True)
    first, second = transcript("b", "release/build"), transcript("c", "release/test")
    for one in (plan, first, second):
        screen.enter(one)
    screen.shown.clear()
    screen.show(first, lines("kept back"))
    plan.ended = True
    screen.show(plan, lines("over"))
    assert [text for _, text in screen.shown] == ["over", "kept back"]
    plan.ended = False
    screen.show(second, lines("to the last"))
    assert len(screen.shown) == 2
    screen.finish()
    assert screen.shown[-1] == ("c", "to the last")


def test_a_screen_that_nobody_reads_keeps_lines_for_reports(screen):
    one = transcript("1", "one")
    screen.enter(one)
    screen.silence()
    screen.show(one, lines("unseen"))
    assert (screen.shown, screen.tails["1"].text) == ([], "unseen")


@tabled(
    ("number", "reader_gone", "words"),
    [
        (errno.EPIPE, True, "the output has no reader"),
        (errno.EIO, True, "the output has no reader"),
        (errno.ENOSPC, False, "Standard output can't be written: No space left on device"),
    ],
)
def test_output_that_is_lost_says_whether_anybody_was_there(number, reader_gone, words):
    lost = OutputLost(OSError(number, os.strerror(number)))
    assert (lost.reader_gone, str(lost)) == (reader_gone, words)


def test_an_error_of_stdout_is_lost_output(screen):
    def fails(_mission, _found):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    one = transcript("1", "one")
    screen.enter(one)
    screen._printer = SimpleNamespace(show=fails)
    with pytest.raises(OutputLost):
        screen.show(one, lines("x"))

"""The header of the screen: who needs a person, then figures, as far as there is room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.view import header_line
from overmind_core.view.cells import Cell, clipped_line
from overmind_core.view.fleet import Fleet, unseen_failures
from overmind_core.view.header_line import HeaderFacts
from overmind_core.view.summary import Load
from tests.kit.cases import tabled
from tests.kit.screen_edges import FAILED, RUNNING, row
from tests.kit.screen_pictures import pictures

NAMES = sorted({name for name, _ in pictures()} - {"typing"})
FULL = HeaderFacts(3, 1, 2, 7, today=12.4, load=Load(34.0, 2.1e9), missions=45, place="quests", owner="build-7")


def text(line):
    return "".join(cell.text for cell in line)


@tabled(
    ("facts", "shown"),
    [
        (HeaderFacts(), "nothing runs"),
        (HeaderFacts(missions=4), "nobody needs you"),
        (HeaderFacts(asking=1, missions=4), "1 needs you"),
        (HeaderFacts(asking=1), "1 needs you"),
        (HeaderFacts(asking=3, failed=2, missions=4), "3 need you   2 failed"),
        (HeaderFacts(sharing=2, missions=4), "nobody needs you   2 agents change the same files"),
        (HeaderFacts(sharing=1, missions=4), "nobody needs you"),
    ],
)
def test_the_call_for_a_person(facts, shown):
    assert text(header_line.header_line(facts, 120)).strip() == f"⬢ overmind   {shown}"


@tabled(
    ("more", "shown"),
    [
        ({}, ""),
        ({"queued": 7}, "7 queued"),
        ({"queued": 7, "paused": True}, "queue paused"),
        ({"proposed": 1}, "1 note to accept"),
        ({"proposed": 2, "queued": 7, "reached": "2 hosts"}, "2 hosts   2 notes to accept   7 queued"),
        ({"tokens": 12_300}, "12K tokens today"),
        ({"tokens": 12_300, "today": 0.5}, "$0.50 today"),
        ({"load": Load(0.0, 512.0)}, "cpu 0 %   mem 512 B"),
        ({"load": Load(131.0, 3400.0)}, "cpu 131 %   mem 3.4 kB"),
    ],
)
def test_figures_stand_at_the_right(more, shown):
    line = text(header_line.header_line(HeaderFacts(missions=1)._replace(**more), 120))
    assert line.removeprefix(" ⬢ overmind   nobody needs you").strip() == shown


@tabled(
    ("cells", "shown"),
    [
        (150, " ⬢ overmind  build-7 › quests   3 need you   1 failed   2 agents change the same files"),
        (85, " ⬢  build-7 › quests   3 need you   1 failed   2 agents change the same files"),
        (70, " ⬢ › quests   3 need you   1 failed   2 agents change the same files"),
        (60, " ⬢ 3 need you   1 failed   2 agents change the same files"),
        (40, " 3 need you   1 failed   2 agents chang…"),
    ],
)
def test_a_narrow_header_keeps_the_call_for_a_person(cells, shown):
    assert text(header_line.header_line(FULL, cells)).startswith(shown)


def test_notes_that_wait_are_quiet_and_give_way_last_of_the_figures():
    facts = FULL._replace(asking=0, failed=0, sharing=0, place="", owner="", proposed=2)
    assert text(header_line.header_line(facts, 66)).endswith("   2 notes to accept   7 queued ")
    assert text(header_line.header_line(facts, 60)).endswith("   2 notes to accept ")
    assert text(header_line.header_line(facts, 54)).rstrip() == " ⬢ overmind   nobody needs you"
    assert {cell.tone for cell in header_line.header_line(facts, 66) if "notes" in cell.text} == {"quiet"}


def test_names_stand_before_the_place():
    facts = HeaderFacts(missions=1, read_only=True, owner="build-7", place="quests")
    assert text(header_line.header_line(facts, 80)).startswith(" ⬢ overmind  read-only  build-7 › quests   nobody")


def test_a_lost_supervisor_takes_the_line():
    (cell,) = header_line.header_line(FULL._replace(lost="no supervisor answers: ctrl-r takes over"), 60)
    assert cell == Cell(" no supervisor answers: ctrl-r takes over".ljust(60), "bad bold")


@tabled(
    ("found", "count"),
    [
        ([FAILED], 1),
        ([{**FAILED, "unseen": False}], 0),
        ([{**FAILED, "outcome": "timed out"}, {**FAILED, "outcome": "stopped"}], 1),
        ([row("a", "killed", outcome="lost", unseen=True), row("b", "killed", outcome="lost", unseen=True, lost=True)],
         1),
        ([*RUNNING, row("c", unseen=True)], 0),
    ],
)  # fmt: skip
def test_failures_are_counted_until_they_are_seen(found, count):
    assert unseen_failures(found) == count


def test_a_failure_that_needs_a_person_is_counted_once():
    fleet = Fleet()
    fleet.apply([FAILED, {**FAILED, "id": "e2e", "reason": "restart_budget_spent"}], (), everything=True)
    facts = HeaderFacts.of(fleet, len(fleet.asking))
    assert (facts.asking, facts.failed) == (1, 1)


@given(
    st.builds(
        HeaderFacts, *[st.integers(0, 3000)] * 4, st.booleans(), st.floats(0, 1e5), st.integers(0, 10**9),
        st.builds(Load, st.floats(0, 5000), st.floats(0, 1e12)), st.integers(0, 9), st.text(max_size=30),
        st.text(max_size=30), st.booleans(), st.sampled_from(["", "lost"]), st.text(max_size=60),
    ),
    st.integers(1, 220),
)  # fmt: skip
def test_a_header_has_the_width_of_the_screen(facts, cells):
    assert header_line.size_of(header_line.header_line(facts, cells)) == cells


def test_orange_is_only_who_needs_a_person():
    for facts in (FULL, FULL._replace(read_only=True, paused=True)):
        waits = [cell.text for cell in header_line.header_line(facts, 200) if cell.tone.startswith("wait")]
        assert waits == ["3 need you"]


@tabled(
    ("cell", "step"),
    [(0, 0), (3, 0), (10, 0), (12, 1), (17, 1), (20, 2), (26, 2), (27, None), (60, None)],
)
def test_each_step_of_the_way_here_is_known_to_the_mouse(cell, step):
    line = header_line.header_line(HeaderFacts(asking=1, missions=3, place="specs › carts"), 80)
    assert header_line.step_at(line, cell) == step


@tabled(
    ("words", "part"),
    [("overmind", ""), ("need you", "needs"), ("1 failed", "failed"), ("agents change", "sharing"),
     ("7 queued", "queue"), ("today", "cost"), ("cpu", "cpu"), ("2.1 GB", "memory"), ("1 note to", "notes"),
     ("2 of 3", "hives")],
)  # fmt: skip
def test_each_part_is_known_to_the_mouse(words, part):
    facts = FULL._replace(proposed=1, reached="2 of 3 hives")
    line = "".join(cell.text for cell in header_line.header_line(facts, 200))
    assert header_line.part_at(facts, 200, line.index(words)) == part
    assert header_line.part_at(facts, 200, line.index(words) + len(words) - 1) == part


def test_no_part_is_known_to_the_mouse_where_none_stands():
    facts = FULL._replace(proposed=1)
    line = "".join(cell.text for cell in header_line.header_line(facts, 200))
    blanks = [at for at, sign in enumerate(f"{line}  ") if f"{line}  "[at : at + 2] == "  " and sign == " "]
    assert {header_line.part_at(facts, 200, at) for at in blanks} == {""}
    assert {header_line.part_at(facts._replace(lost="no answer"), 80, at) for at in range(80)} == {""}


def test_each_part_that_is_no_sentence_leads_somewhere():
    facts = FULL._replace(proposed=1, reached="2 of 3 hives")
    keys = {part.key for part in (*header_line.call_parts(facts), *header_line.figure_parts(facts))}
    assert keys == {header_line.NEEDS, *header_line.SHOWN_BY}


CUT = [
    ([Cell("abc"), Cell("def", "bad")], 6, ["abc", "def"]),
    ([Cell("abc"), Cell("def", "bad")], 5, ["abc", "d…"]),
    ([Cell("abc"), Cell("def", "bad")], 3, ["ab…"]),
    ([Cell("abc"), Cell("def", "bad"), Cell("g")], 6, ["abc", "de…"]),
    ([Cell("日本"), Cell("語")], 4, ["日…"]),
    ([Cell("abc"), Cell("   ")], 4, ["abc", " "]),
    ([Cell("abc")], 0, []),
]  # fmt: skip


@tabled(("line", "cells", "shown"), CUT)
def test_a_line_that_was_cut_says_so_wherever_its_parts_end(line, cells, shown):
    assert [cell.text for cell in clipped_line(line, cells)] == shown

"""The list of missions as somebody wants to see it without groups, and what is sent of it elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from overmind_core.view import arrangement, frames, row_filter, tones
from overmind_core.view import fleet as missions_fleet
from overmind_core.view import missions as missions_rows
from overmind_core.view.arrangement import Arrangement
from overmind_core.view.cells import Cell
from overmind_core.view.columns import MISSIONS, Order
from overmind_core.view.fleet import Fleet
from overmind_core.view.head import head
from overmind_core.view.header_line import HeaderFacts, header_line
from overmind_core.view.missions import Branch
from overmind_core.view.ringing import tab_title, title
from overmind_core.view.row_filter import SLICE, BrokenFilter
from tests.core.view.test_subject import question
from tests.kit.cases import tabled

NOW = 1_767_225_600.0
"""2026-01-01T00:00:00Z."""


def row(name, status="running", parent=None, **more):
    return {
        "id": name, "name": name, "status": status, "parent": parent, "activity": None, "provider": "raw",
        "command": f"run {name}", "labels": {}, "started_at": "2025-12-31T23:00:00.000Z", "ended_at": None,
        "uptime_seconds": 1.0, "restart_count": 0, "exit_code": None, "type": "task", "cwd": "/src", **more,
    }  # fmt: skip


def run(number, status="stopped"):
    return row(
        f"nightly/{number}", status, started_at=f"2025-12-31T0{number}:00:00.000Z", ended_at="2026-01-01T00:00:00Z"
    )


TREE = [row("a"), row("b", parent="a"), row("c", "crashed", parent="b"), row("d")]
UNSEEN = [one | {"unseen": one["id"] == "c"} for one in TREE]
RUNS = [run(1), run(2), run(3), row("z")]


def parsed(text):
    return row_filter.parsed(text)


ARRANGED = [
    (Arrangement(), TREE, ["a", "└─b", "  └─c", "d"]),
    (Arrangement(flat=True), TREE, ["a", "b", "c", "d"]),
    (Arrangement(folded={"b"}), TREE, ["a", "└─b", "d"]),
    (Arrangement(order=Order("name", inverted=True)), TREE, ["d", "a", "└─b", "  └─c"]),
    (Arrangement(attention=True), TREE, []),
    (Arrangement(attention=True), UNSEEN, ["a", "└─b", "  └─c"]),
    (Arrangement(filter=parsed("state:crashed")), TREE, ["a", "└─b", "  └─c"]),
    (Arrangement(filter=parsed("state:crashed"), flat=True), TREE, ["c"]),
    (Arrangement(), RUNS, ["nightly/3", "z"]),
    (Arrangement(opened={"nightly"}), RUNS, ["nightly/3", "├─nightly/1", "└─nightly/2", "z"]),
    (Arrangement(flat=True), RUNS, ["nightly/1", "nightly/2", "nightly/3", "z"]),
]


@tabled(("wish", "rows", "shown"), ARRANGED)
def test_missions_are_listed_as_they_are_wanted(wish, rows, shown):
    branches = wish._replace(order=wish.order if wish.order != Order() else Order("name")).of(rows, NOW).branches
    assert sorted(f"{one.guides}{one.id}" for one in branches) == sorted(shown)
    if wish.order != Order():
        assert [f"{one.guides}{one.id}" for one in branches] == shown


def test_what_the_filter_keeps_may_be_known_before():
    wish = Arrangement(Order("name"), filter=parsed("c"))
    branches = wish.of(TREE, NOW, kept={"d"}).branches
    assert [(one.id, one.dimmed) for one in branches] == [("d", False)]


@tabled(
    ("was", "dimmed", "status", "so"),
    [
        ("running", False, "killed", True),
        ("running", True, "killed", True),
        ("running", True, "frozen", True),
        ("running", False, "frozen", False),
        ("killed", True, "killed", True),
        ("killed", True, "running", False),
    ],
)
def test_a_row_that_changed_before_all_are_arranged_anew_is_dimmed_as_it_will_be(was, dimmed, status, so):
    assert Branch("a", row("a", was), dimmed=dimmed).updated(row("a", status)).dimmed is so


def test_it_is_known_below_which_rows_others_are_shown():
    assert arrangement.opening(Arrangement(Order("name")).of(TREE, NOW).branches) == {"a", "b"}
    assert arrangement.opening(Arrangement(Order("name"), folded={"b"}).of(TREE, NOW).branches) == {"a"}
    assert arrangement.opening(Arrangement(flat=True).of(TREE, NOW).branches) == frozenset()
    assert arrangement.opening([]) == frozenset()


def test_a_filter_is_asked_in_slices_and_keeps_the_same_rows():
    rows = [row(f"m{number:04}", "crashed" if number % 3 else "running") for number in range(SLICE * 2 + 1)]
    slices = list(row_filter.sieved(parsed("state:crashed"), rows))
    wanted = parsed("state:crashed")
    assert len(slices) == 3
    assert [one for some in slices for one in some] == [one["id"] for one in rows if wanted.matches(one)]
    assert list(row_filter.sieved(parsed("x"), [])) == []


def test_a_filter_that_never_ends_is_refused_after_its_time():
    rows = [row("a" * 60 + "!") for _ in range(SLICE)]
    with pytest.raises(BrokenFilter, match="too long"):
        list(row_filter.sieved(parsed("name:(a+)+$"), rows))


# what is sent


def test_every_tone_that_is_sent_has_a_colour():
    used = {
        "",
        "news",
        "name",
        "faint",
        "guide",
        "title",
        "label",
        "accent",
        "chosen",
        "mark",
        "nonsense",
        *tones.NAMES,
    }
    assert {tones.named(tone) for tone in used} == set(tones.NAMES)
    assert frames.line([Cell("a", "faint"), Cell(""), Cell("b")]) == [("a", "quiet"), ("b", "text")]


def test_columns_are_named_without_what_only_terminals_need():
    shown = frames.columns(MISSIONS)
    assert [one["key"] for one in shown] == [column.key for column in MISSIONS]
    assert shown[0] == {"key": "name", "title": "NAME", "keep": 0}
    assert {"key": "cost", "title": "COST", "keep": 4, "right": True, "spare": True} in shown
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize(
    "killed",
    [row("k", "crashed", hidden=True), row("k", "killed", hidden=True), row("k", "killed")],
    ids=["after its end", "while it ran", "by an older daemon"],
)
def test_a_killed_mission_stays_until_it_is_removed_as_one_that_was_stopped(killed):
    fleet = Fleet()
    fleet.apply([row("a", hidden=False)], (), everything=True)
    fleet.apply([killed], (), everything=False)
    assert set(fleet.rows) == {"a", "k"}, "it began and was killed between two looks"
    fleet.apply([row("a"), killed], (), everything=True)
    assert set(fleet.rows) == {"a", "k"}
    fleet.apply([row("a")], (), everything=True)
    assert set(fleet.rows) == {"a"}, "it was removed while nobody looked"
    fleet.apply([killed], (), everything=False)
    fleet.apply([], ["k"], everything=False)
    assert set(fleet.rows) == {"a"}


def test_a_filter_finds_a_state_that_is_shown_and_that_no_row_says():
    fleet = Fleet()
    fleet.apply([row("a"), row("b"), row("c"), row("d", activity="waiting")], (), everything=True)
    fleet.health = {"a": {"level": "quiet"}, "b": {"level": "ok"}, "d": {"level": "hung"}}
    fleet.questions = [question(mission="c", part="steer")]
    words = {one: fleet.state_word(row, NOW) for one, row in fleet.rows.items()}
    assert words == {"a": "quiet", "b": "", "c": "asks", "d": ""}
    for text, kept in (("quiet", {"a"}), ("state:asks", {"c", "d"}), ("hung", set()), ("asks", {"c", "d"})):
        found = row_filter.parsed(text, noted=lambda row: fleet.state_word(row, NOW))
        assert {one for one, row in fleet.rows.items() if found.matches(row)} == kept, text


def test_a_filter_finds_what_is_tried_again_until_it_says_that_it_is_queued():
    one, clock = row("a", "crashed", quest_state="queued", next_try_at="2026-01-01T00:00:08.000Z"), [NOW]
    fleet = Fleet()
    for text in ("retry", "state:retry"):
        found = row_filter.parsed(text, noted=lambda row: fleet.state_word(row, clock[0]))
        for clock[0] in (NOW, NOW + 9.0):
            assert found.matches(one) == missions_rows.state(one, clock[0]).startswith("retry "), text


# the top of every page


def test_the_head_counts_as_the_header_of_the_terminal_does():
    fleet = Fleet()
    rows = [
        row("a", activity="waiting"), row("b", activity="idle", unseen=True), row("c", "crashed"),
        row("d", "stopped", tokens={"input": 5}), row("e", cpu_percent=50.0, memory_bytes=3_000_000, now=None),
    ]  # fmt: skip
    fleet.apply(rows, (), everything=True)
    fleet.questions = [question(mission="a")]
    fleet.today, fleet.proposed = 1.25, 2
    found = head(fleet, NOW)
    assert found["counts"] == {"working": 1, "waiting": 1, "your turn": 1, "failed": 1, "stopped": 1}
    assert (found["needs"], found["turns"], found["asking"], found["title"]) == (1, 1, 2, "!1 ❯1 overmind")
    assert (found["today"], found["tokens"], found["load"]) == (1.25, 5, "cpu 50% mem 3.0M")
    assert found["call"] == [["needs", "2 need you", "wait"]]
    assert found["figures"] == [
        ["notes", "2 notes to accept", "quiet"], ["cost", "$1.25 today", "quiet"],
        ["cpu", "cpu 50 %", "quiet"], ["memory", "mem 3.0 MB", "quiet"],
    ]  # fmt: skip
    assert json.loads(json.dumps(found)) == found
    words = "".join(cell.text for cell in header_line(HeaderFacts.of(fleet, 2), 120))
    told: Any = [*found["call"], *found["figures"]]
    assert words.split("overmind", 1)[1].split() == " ".join(text for _, text, _ in told).split()


@pytest.mark.parametrize(
    ("blocked", "turns", "shown"), [(0, 0, "overmind"), (2, 5, "!2 ❯5 overmind"), (0, 1, "❯1 overmind")]
)
def test_the_title_of_a_page_begins_with_who_needs_the_person(blocked, turns, shown):
    assert tab_title(blocked, turns) == shown
    assert sorted(title(blocked, turns, ascii_only=False).split()) == sorted(shown.split())


def test_attention_is_asked_for_as_in_the_terminal():
    rows = [
        row("a", activity="waiting"),
        row("b"),
        row("c", "crashed", unseen=True),
        row("d", activity="idle", unseen=True),
    ]
    shown = [branch.id for branch in Arrangement(attention=True).of(rows, NOW, asked_about={"b"}).branches]
    assert set(shown) == {one["id"] for one in rows if missions_fleet.wanted(one, {"b"})} == {"a", "b", "c", "d"}
    assert missions_rows.mark(rows[0]).word == "waiting"


def test_events_name_the_missions_whose_rows_they_may_have_changed():
    told: list[dict[str, Any]] = [
        {"type": "started", "mission": "a"},
        {"type": "agent_started", "mission": "plan", "child": "b2", "tried": "b1"},
        {"type": "asked", "mission": "queue", "about": {"kind": "queue", "id": "queue"}},
        {"type": "asked", "mission": "c", "about": {"kind": "mission", "id": "c"}},
        {"type": "removed", "mission": "d"},
        {"type": "crashed", "mission": "d"},
        {"type": "daemon_started", "mission": None},
    ]
    assert missions_fleet.missions_of(told) == {"a", "plan", "b1", "c"}

"""Whatever another hive sends is drawn, or left out: no row of it can break the list of all hives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.view import (
    columns,
    hive_rows,
    inbox,
    list_columns,
    mission_list,
    question_block,
    row_filter,
    stats_face,
)
from overmind_core.view.arrangement import Arrangement
from overmind_core.view.columns import MISSIONS_OF_HIVES, ORDERS, Order
from overmind_core.view.fleet import Fleet
from overmind_core.view.grouping import grouped, ordered
from overmind_core.view.missions import name_cell
from overmind_core.view.question_block import Asking
from overmind_core.view.row_words import Facts
from overmind_core.view.stats_face import MissionFacts, StatsLook
from overmind_core.view.subject import Choosing
from tests.core.view.test_arrangement import NOW, row
from tests.core.view.test_subject import question

FIELDS = sorted({*hive_rows.MISSION, "history", "children", "mode"})
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("2026-01-01T00:00:00.000Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def drawn(fleet: Fleet) -> None:
    """Draw, sort, filter and count all that there is, as the program does."""
    rows = list(fleet.rows.values())
    for order in ORDERS:
        Arrangement(Order(order)).of(rows, NOW)
    for text in ("api", "state:crashed", "cpu>1", "cost>$1", "age<5m", "label=x", "unseen", "hive:eu1", "now:x"):
        wanted = row_filter.parsed(text, now=lambda: NOW)
        for one in rows:
            wanted.matches(one)
    branches = Arrangement().of(rows, NOW).branches
    columns.text(MISSIONS_OF_HIVES, branches, NOW, ascii_only=False)
    columns.needed(MISSIONS_OF_HIVES, branches, NOW)
    for branch in branches:
        name_cell(branch, ascii_only=True)
    for one in rows:
        stats_face.lines(MissionFacts(one, None, None), (), StatsLook(80, NOW))
    listing = grouped(ordered(rows, None, NOW), fleet.questions, NOW)
    slots = mission_list.slots(listing, roomy=True)
    mission_list.drawn(slots, mission_list.Look(list_columns.laid_out(80), Facts(NOW)))
    assert fleet.counts is not None
    assert fleet.tokens >= 0
    assert fleet.live_in("eu1") <= len(rows)


@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=4), st.booleans())
def test_a_mission_with_any_fields_is_drawn_or_left_out(fields, everything):
    fleet = Fleet()
    fleet.name_hives(has_hives=True)
    fleet.apply([row("a")], (), everything=True)
    fleet.apply(hive_rows.missions([{**row("b", now="x"), **fields}, row("c")]), (), everything=everything, hive="eu1")
    assert {"a", "eu1/c"} <= set(fleet.rows)
    drawn(fleet)


@given(st.dictionaries(st.sampled_from(sorted({*hive_rows.QUESTION, "about"})), ANYTHING, max_size=4))
def test_a_question_with_any_fields_is_drawn_or_left_out(fields):
    fleet = Fleet()
    fleet.apply([row("a", activity="waiting")], (), everything=True, hive="eu1")
    fleet.ask(hive_rows.questions([{**question(mission="a"), **fields}]), hive="eu1")
    found = inbox.needs(fleet.rows.values(), fleet.questions, NOW)
    for need in found:
        list(inbox.offers(need))
        if need.asked is not None:
            asking = Asking(need.asked, NOW, choosing=Choosing.of(need.asked["subject"]))
            question_block.block(asking, 80, 30, has_keys=True)
    drawn(fleet)


@pytest.mark.parametrize("found", [None, 7, "rows", {"id": "a"}, [None, 7, [], {}, {"id": "a"}]])
def test_what_is_no_list_of_rows_is_none(found):
    assert hive_rows.missions(found) == hive_rows.questions(found) == hive_rows.events(found) == []


BAD: dict[str, dict[str, Any]] = {
    "no id": {"id": ""}, "a long id": {"id": "a" * 1000}, "an id that draws": {"id": "a\x1b[2J"},
    "no state": {"status": "odd"}, "a number for a name": {"name": 7}, "no time": {"started_at": "soon"},
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_mission_without_what_is_needed_is_left_out(case):
    assert [one["id"] for one in hive_rows.missions([{**row("a"), **BAD[case]}, row("b")])] == ["b"]


def test_a_figure_alone_is_measured():
    fleet = Fleet()
    fleet.apply(hive_rows.missions([row("a", cpu_percent=3.0)]), (), everything=True, hive="eu1")
    assert fleet.load.cpu == 3.0
    drawn(fleet)


def test_what_a_real_supervisor_says_stays_as_it_is():
    past = {"cpu_percent": [1.0, 2.0], "memory_bytes": [1, 2], "output_bytes_per_second": [0, 0]}
    told = row("a", cpu_percent=3.0, memory_bytes=10, now="x", tokens={"input": 5, "output": 7}, history=past)
    (found,) = hive_rows.missions([json.loads(json.dumps(told))])
    assert {name: found[name] for name in told} == told
    asked = question(mission="a")
    (kept,) = hive_rows.questions([asked])
    assert {name: kept[name] for name in asked} == asked
    event = {"seq": 3, "type": "message_answered", "mission": "a", "name": "a", "message": 4, "run": 1}
    (heard,) = hive_rows.events([event])
    assert {name: heard[name] for name in event} == event


@pytest.mark.parametrize("outcome", ["timed out", "won", ["failed"], {}, 3, None])
def test_an_outcome_is_a_word_of_ours_or_none(outcome):
    (shown,) = hive_rows.missions([row("a", "stopped", outcome=outcome)])
    assert shown["outcome"] == ("timed out" if outcome == "timed out" else None)

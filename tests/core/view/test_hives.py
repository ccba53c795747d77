"""Missions of several hives in one list: none is taken for another, and each request goes where its missions are."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.domain import engine_questions
from overmind_core.errors import OvermindError
from overmind_core.view import columns, header_line, hive_keys, hive_rows, hives, inbox, row_filter
from overmind_core.view import missions as missions_rows
from overmind_core.view.arrangement import Arrangement
from overmind_core.view.columns import MISSIONS, MISSIONS_OF_HIVES
from overmind_core.view.fleet import Fleet
from overmind_core.view.header_line import HeaderFacts
from overmind_core.view.hives import HiveState, Link
from overmind_core.view.numbers import Cost
from tests.core.view.test_arrangement import NOW, row
from tests.core.view.test_subject import question

HIVES = ("eu1", "eu10", "gpu")
ADDRESSED: dict[str, tuple[dict[str, Any], tuple[str, dict[str, Any]]]] = {
    "a mission of another hive": ({"id": "eu1/00c0ffee"}, ("eu1", {"id": "00c0ffee"})),
    "one of this home": ({"id": "00c0ffee"}, ("", {"id": "00c0ffee"})),
    "a hive whose name begins as another's": ({"id": "eu10/00c0ffee"}, ("eu10", {"id": "00c0ffee"})),
    "a run of a ritual here, whose name is no hive's": ({"id": "nightly/3"}, ("", {"id": "nightly/3"})),
    "several": ({"ids": ["gpu/a", "gpu/b"], "wide": True}, ("gpu", {"ids": ["a", "b"], "wide": True})),
    "none of several": ({"ids": []}, ("", {"ids": []})),
    "a question": ({"question": "eu1/7", "behaviour": "allow"}, ("eu1", {"question": 7, "behaviour": "allow"})),
    "a question here": ({"question": 7}, ("", {"question": 7})),
    "notes of a mission": ({"mission": "eu1/a", "all": True}, ("eu1", {"mission": "a", "all": True})),
    "a text that looks like a key": ({"id": "a", "text": "eu1/b"}, ("", {"id": "a", "text": "eu1/b"})),
    "nothing of anybody": ({"cwd": "/src"}, ("", {"cwd": "/src"})),
}


@pytest.mark.parametrize("case", ADDRESSED)
def test_a_request_goes_to_the_hive_of_what_it_names(case):
    arguments, found = ADDRESSED[case]
    assert tuple(hive_keys.addressed(arguments, HIVES)) == found


@pytest.mark.parametrize("arguments", [{"ids": ["eu1/a", "gpu/b"]}, {"ids": ["a", "gpu/b"]},
                                       {"id": "eu1/a", "parent": "b"}])  # fmt: skip
def test_a_request_for_two_hives_is_refused(arguments):
    with pytest.raises(OvermindError, match="several hives") as refused:
        hive_keys.addressed(arguments, HIVES)
    assert refused.value.code == "invalid"


def two_hives() -> Fleet:
    """The same two missions here and on eu1, a child of each."""
    fleet = Fleet()
    fleet.name_hives(has_hives=True)
    for hive in ("", "eu1"):
        fleet.apply(
            [row("a", cpu_percent=10.0, memory_bytes=None), row("b", parent="a")], (), everything=True, hive=hive
        )
    return fleet


def test_missions_with_one_id_on_two_hives_are_two():
    fleet = two_hives()
    assert set(fleet.rows) == {"a", "b", "eu1/a", "eu1/b"}
    assert {one: row["hive"] for one, row in fleet.rows.items()} == {
        "a": "local", "b": "local", "eu1/a": "eu1", "eu1/b": "eu1",
    }  # fmt: skip
    assert fleet.rows["eu1/b"]["parent"] == "eu1/a"
    assert fleet.load.cpu == 20.0
    fleet.apply([row("b", "crashed", parent="a")], ["a"], everything=False, hive="eu1")
    assert set(fleet.rows) == {"a", "b", "eu1/b"}
    assert (fleet.rows["b"]["status"], fleet.rows["eu1/b"]["status"]) == ("running", "crashed")
    assert (fleet.live, fleet.live_in("eu1")) == (2, 0)


def test_all_of_a_hive_are_no_others_of_that_hive_alone():
    fleet = two_hives()
    fleet.apply([row("c")], (), everything=True, hive="eu1")
    assert set(fleet.rows) == {"a", "b", "eu1/c"}
    fleet.apply([row("d")], (), everything=True)
    assert set(fleet.rows) == {"d", "eu1/c"}


def test_each_hive_has_its_own_tree_and_its_names_stand_there_without_the_hive():
    branches = Arrangement().of(two_hives().rows.values(), NOW).branches
    assert [(branch.id, branch.name, len(branch.guides)) for branch in branches] == [
        ("a", "a", 0), ("b", "b", 2), ("eu1/a", "a", 0), ("eu1/b", "b", 2),
    ]  # fmt: skip
    assert two_hives().named("eu1/a") == two_hives().rows["eu1/a"]


def test_missions_of_a_hive_are_no_runs_of_a_ritual_because_their_names_are_numbers():
    fleet = Fleet()
    fleet.name_hives(has_hives=True)
    ended = {"ended_at": "2026-01-01T00:00:00Z"}
    fleet.apply([row(str(at), "stopped", **ended) for at in range(1, 6)], (), everything=True, hive="eu1")
    assert not missions_rows.older_runs(fleet.rows.values())
    runs = [{**row(f"r{at}", "stopped", **ended), "name": f"nightly/{at}"} for at in range(1, 4)]
    for hive in ("", "eu1"):
        fleet.apply(runs, (), everything=True, hive=hive)
    assert missions_rows.older_runs(fleet.rows.values()) == {
        "r1": "r3", "r2": "r3", "eu1/r1": "eu1/r3", "eu1/r2": "eu1/r3",
    }  # fmt: skip


def test_rows_of_a_silent_hive_are_faint_with_their_age_until_it_answers():
    fleet = two_hives()
    fleet.silence("eu1", NOW - 12)
    (now,) = (column for column in MISSIONS_OF_HIVES if column.key == "now")
    assert now.cell(fleet.rows["eu1/a"], NOW).text.startswith("silent 12s")
    assert "silent" not in now.cell(fleet.rows["a"], NOW).text
    fleet.silence("eu1", None)
    assert fleet.rows == two_hives().rows


def test_a_hive_that_is_taken_out_leaves_nothing():
    fleet = two_hives()
    fleet.ask([question(mission="a")])
    fleet.ask([question(mission="a")], hive="eu1")
    fleet.today = 1.5
    fleet.pay("eu1", Cost(2.0))
    assert (len(fleet.questions), fleet.today) == (2, 3.5)
    fleet.drop_hive("eu1")
    fleet.name_hives(has_hives=False)
    assert set(fleet.rows) == {"a", "b"}
    assert all("hive" not in one for one in fleet.rows.values())
    assert (len(fleet.questions), fleet.today) == (1, 1.5)


def test_a_question_of_another_hive_is_found_by_the_keys_of_its_quests():
    asked = hive_keys.keyed({**question(mission="5bec"), "quests": ["a1", "b2"]}, "eu1")
    assert asked["quests"] == ["eu1/a1", "eu1/b2"]
    assert engine_questions.concerns(asked, {"eu1/b2"})
    assert not engine_questions.concerns(asked, {"b2"})
    assert hive_rows.questions([{**question(mission="a"), "quests": [3]}])[0]["quests"] == []


def test_questions_with_one_number_on_two_hives_are_two_needs():
    fleet = two_hives()
    asks = question(mission="a")
    for hive in ("", "eu1"):
        fleet.apply([row("a", activity="waiting")], (), everything=False, hive=hive)
        fleet.ask([asks], hive=hive)
    found = inbox.needs(fleet.rows.values(), fleet.questions, NOW)
    assert {need.key[0] for need in found} == {"a", "eu1/a"}
    assert {need.key[1] for need in found} == {asks["question"]}
    assert [hive_keys.question_key(need.asked or {}) for need in sorted(found, key=lambda need: need.key)] == [
        asks["question"], f"eu1/{asks['question']}",
    ]  # fmt: skip


def test_events_are_those_of_the_hive_that_a_key_is_of():
    fleet = two_hives()
    fleet.events.append({"seq": 4, "type": "answered", "mission": "a", "question": 7, "by": "web", "name": "a"})
    fleet.hear("eu1", [{"seq": 9, "type": "answered", "mission": "a", "question": 7, "by": "ada", "name": "a"}])
    assert inbox.ended(7, fleet.events_about("eu1/a")).endswith("by ada")
    assert inbox.ended(7, fleet.events_about("a")).endswith("by web")
    assert fleet.newest_event == 4


FILTERS = {
    "hive:eu1": ["eu1/a", "eu1/b"], "hive:eu": [], "hive:eu.*": ["eu1/a", "eu1/b"], "hive:local": ["a", "b"],
    "!hive:eu1": ["a", "b"], "hive:eu1 b": ["eu1/b"], "eu1": ["eu1/a", "eu1/b"],
}  # fmt: skip


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_names_a_hive_whole(text):
    rows = two_hives().rows
    wanted = row_filter.parsed(text)
    assert [key for key, one in rows.items() if wanted.matches(one)] == FILTERS[text]


def test_the_column_of_hives_is_there_only_where_there_are_several():
    assert [one.key for one in MISSIONS_OF_HIVES] == ["name", "hive", *(one.key for one in MISSIONS[1:])]
    shown = columns.laid_out(MISSIONS_OF_HIVES, {}, 78)
    assert "hive" in [one.key for one in shown.columns]


# hives themselves

OPEN = HiveState("local", link=Link.OPEN)
REACHED = [
    ([OPEN], ""),
    ([OPEN, OPEN._replace(name="eu1")], "2 of 2 hives"),
    ([OPEN, *(OPEN._replace(link=link) for link in (Link.SILENT, Link.CLOSED, Link.OPENING))], "1 of 4 hives"),
]


@pytest.mark.parametrize(("known", "text"), REACHED)
def test_the_header_counts_the_hives_that_answer_where_there_are_several(known, text):
    found = tuple(hives.reached(known))
    assert "".join(cell.text for cell in found) == text
    for is_unreached in (True, False):
        drawn = header_line.header_line(HeaderFacts(reached=text, is_unreached=is_unreached), 160)
        assert text in "".join(cell.text for cell in drawn)


SILENCES = [
    (HiveState("eu1", answered_at=NOW - 12.4), "eu1 has been silent for 12 s"),
    (HiveState("eu1", reason="no route to host"), "eu1 has not answered yet: no route to host"),
    (HiveState("eu1"), "eu1 has not answered yet"),
]


@pytest.mark.parametrize(("known", "text"), SILENCES)
def test_the_refusal_says_since_when_a_hive_is_silent(known, text):
    error = hives.silent(known, NOW)
    assert (error.code, error.message) == ("hive_silent", text)


def test_the_row_of_a_hive_says_how_it_is_reached():
    silent = HiveState("eu1", "ssh", Link.SILENT, "0.9.0", NOW - 70, "the connection was lost",
                       {"slots": 3, "cpu": 8, "memory": 31_000_000_000, "labels": {"gpu": "yes"}})  # fmt: skip
    drawn = [column.cell(hives.row_of(silent, 4), NOW).text for column in hives.COLUMNS]
    assert drawn == ["eu1", "ssh", "silent", "0.9.0", "4", "3", "8", "31G", "gpu=yes",
                     "1m ago · the connection was lost"]  # fmt: skip
    unknown = hives.row_of(HiveState("gpu", "gate"), 0)
    assert [column.cell(unknown, NOW).text for column in hives.COLUMNS] == [
        "gpu", "gate", "opening", "", "", "", "", "", "", "never",
    ]  # fmt: skip
    assert all(by.key(hives.row_of(silent, 4), NOW) is not None for by in hives.ORDERS.values())

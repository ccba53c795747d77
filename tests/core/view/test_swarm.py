"""What the screen makes of a swarm: its hives beside named ones, each question once, posts as rows and as cards."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.domain.missions.status_marks import UNHEARD, mark_of
from overmind_core.domain.text.moment import parse_time
from overmind_core.view import hives, inbox, missions, quests, row_filter, swarm, swarm_tables
from overmind_core.view.board import counted
from overmind_core.view.describe import Rendering
from overmind_core.view.fleet import Fleet, Way
from overmind_core.view.hives import HiveState, Link
from overmind_core.view.swarm import SwarmState
from tests.kit.cases import tabled

NOW = 1_000_000.0
LOOK = Rendering(NOW)


def hive(name: str, link: str = "open", seen: float | None = 2.0, **more: Any) -> dict[str, Any]:
    """A hive as `swarm_status` has it."""
    facts = {"version": "1", "held": 2, "slots": 4, "cpu": 8.0, "memory": 1, "labels": {}}
    return {"name": name, "id": f"id-{name}", "link": link, "seen_ago": seen, **facts, **more}


def answer(*found: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An answer of `swarm_status`."""
    facts = {"swarm": "s", "hive": "me", "silence": "", "silent_seconds": 0.0, "mode": "open", "lost": 0}
    return {**facts, "queued": 12, "claimed": 31, "hives": list(found), **more}


def state(*found: dict[str, Any], **more: Any) -> SwarmState:
    """A swarm with these hives."""
    return SwarmState().then(answer(*found, **more), NOW)


def said(cells: Any) -> str:
    """The text of cells."""
    return "".join(cell.text for cell in cells)


# how it stands

STANDS = [
    ({}, "swarm 31 claimed, 12 queued"),
    ({"mode": "settling"}, "swarm settling"),
    ({"mode": "presenting"}, "swarm settling"),
    ({"silence": "refused", "silent_seconds": 12.0}, "swarm silent 12s"),
]


@tabled(("more", "text"), STANDS)
def test_the_header_says_how_the_swarm_stands(more, text):
    assert said(swarm.standing(state(**more), NOW)) == text


def test_a_silent_swarm_keeps_what_was_known_of_it():
    before = state(hive("eu1"))
    after = before.then(answer(silence="refused", silent_seconds=0.0, queued=0, claimed=0), NOW + 7)
    assert (after.claimed, after.hives, after.answered_at) == (31, before.hives, NOW)
    assert swarm.refusal(after, NOW + 7) == "swarm_silent: the swarm has been silent for 7s"
    assert swarm.refusal(before, NOW) == ""


# hives

LOCAL = HiveState("local", "", Link.OPEN)


def test_a_hive_that_is_named_and_in_the_swarm_is_one_row():
    named = [LOCAL, HiveState("prod", "ssh", Link.OPEN, home="id-eu1"), HiveState("lab", "gate", Link.CLOSED)]
    found = hives.merged(named, state(hive("me"), hive("eu1"), hive("lab"), hive("gpu", "draining")))
    assert [(one.name, one.via, one.in_swarm) for one in found] == [
        ("local", "", "me"), ("prod", "ssh+swarm", "eu1"), ("lab", "gate+swarm", "lab"), ("gpu", "swarm", "gpu"),
    ]  # fmt: skip
    assert hives.names_of(found)["eu1"] == ("prod", "eu1")
    rows = [hives.row_of(one, 0) for one in found]
    assert [row["is_named"] for row in rows] == [True, True, True, False]
    assert said([column.cell(rows[3], NOW) for column in hives.COLUMNS if column.key == "link"]) == "draining"
    assert said([column.cell(rows[1], NOW) for column in hives.COLUMNS if column.key == "seen"]) == "now · as eu1"


def test_another_home_of_the_same_name_is_another_hive():
    named = [LOCAL, HiveState("eu1", "ssh", Link.OPEN, home="id-other")]
    assert [one.name for one in hives.merged(named, state(hive("eu1")))] == ["local", "eu1", "eu1"]


LINKS = [("open", Link.OPEN), ("silent", Link.SILENT), ("settling", Link.SETTLING), ("closed", Link.CLOSED)]


@tabled(("word", "link"), LINKS)
def test_the_link_of_a_hive_of_the_swarm_is_what_the_swarm_says(word, link):
    assert hives.merged([], state(hive("a", word)))[0].link is link


def test_hives_that_only_a_silent_swarm_knows_are_silent():
    found = state(hive("a"), hive("b", "closed", None)).then(answer(silence="off"), NOW + 9)
    assert [(one.link, one.answered_at) for one in hives.merged([], found)] == [
        (Link.SILENT, NOW - 2), (Link.CLOSED, 0.0),
    ]  # fmt: skip


# questions

HERE = {"id": "a1", "name": "docs", "question": 3, "need": "permission", "summary": "rm", "subject": {},
        "attach_only": False, "rule": None, "tool": "", "asked_at": "2026-01-01T00:00:00.000Z"}  # fmt: skip
IN_SWARM = {**HERE, "id": "p1", "question": 7, "hive": "eu1", "there": 3}
LOST = {**IN_SWARM, "question": 9, "there": None, "need": "lost"}


def numbers(fleet: Fleet) -> list[tuple[Any, Any]]:
    return [(one["id"], one["question"]) for one in fleet.questions]


def test_a_question_that_a_gate_shows_too_is_answered_there():
    fleet = Fleet()
    fleet.ask([HERE], hive="prod")
    fleet.ask_in_swarm([IN_SWARM], {"eu1": Way("prod", is_open=True)})
    assert numbers(fleet) == [("prod/a1", 3)]
    fleet.ask([], hive="prod")  # answered: that the swarm still has it for a moment shows nobody
    assert numbers(fleet) == []


def test_a_question_of_this_home_is_answered_here():
    fleet = Fleet()
    fleet.ask([HERE])
    fleet.ask_in_swarm([IN_SWARM], {"eu1": Way("", is_open=True)})
    assert numbers(fleet) == [("a1", 3)]


def test_a_question_of_a_hive_whose_gate_is_silent_is_answered_through_the_swarm():
    fleet = Fleet()
    fleet.ask([HERE], hive="prod")
    fleet.ask_in_swarm([IN_SWARM], {"eu1": Way("prod", is_open=False)})
    assert numbers(fleet) == [("prod/a1", 7)]  # it stands at its mission
    assert fleet.questions[0]["hive"] == "swarm"


def test_a_question_of_a_hive_without_a_gate_comes_from_the_swarm():
    fleet = Fleet()
    fleet.ask([HERE])
    fleet.ask_in_swarm([IN_SWARM], {})
    assert numbers(fleet) == [("a1", 3), ("swarm/p1", 7)]
    fleet.join_swarm(is_in_swarm=True)
    fleet.join_swarm(is_in_swarm=False)
    assert numbers(fleet) == [("a1", 3)]


def test_what_the_swarm_itself_asks_is_shown_though_a_gate_answers():
    fleet = Fleet()
    fleet.ask([HERE], hive="prod")
    fleet.ask_in_swarm([LOST], {"eu1": Way("prod", is_open=True)})
    assert numbers(fleet) == [("prod/a1", 3), ("swarm/p1", 9)]


def test_a_question_of_a_post_needs_the_person_without_a_mission():
    fleet = Fleet()
    fleet.ask_in_swarm([IN_SWARM, LOST], {})
    found = inbox.needs([], fleet.questions, NOW)
    assert [(one.row["name"], one.mission, one.mark.word) for one in found] == [("swarm/docs", None, "waiting")] * 2
    assert [one.name for one in inbox.offers(found[1])] == [inbox.ALLOW, inbox.DENY, "whole"]
    assert missions.counts([], fleet.questions)[mark_of("running", "waiting")] == 2


# posts


MOMENT = "2026-01-01T00:0{}:00.000Z"
TIMES = [
    ("queued", {"claimed_at": None}, 600.0),
    ("claimed", {"claimed_at": MOMENT.format(8)}, 120.0),
    ("done", {"claimed_at": MOMENT.format(5), "ended_at": MOMENT.format(7)}, 120.0),
    ("claimed", {}, 600.0),
]


@pytest.mark.parametrize(("state_", "times", "seconds"), TIMES)
def test_a_post_lasts_since_its_hive_took_it_and_not_since_it_was_posted(state_, times, seconds):
    now = parse_time("2026-01-01T00:10:00Z", 0.0)
    row = post("a", state_, "eu1", **times)
    assert swarm.lasted(row, now) == seconds
    (card,) = (one for column in swarm.cards([row], now)["columns"] for one in column["quests"])
    assert quests.quest_lasted(card, now) == seconds


def post(name: str, state_: str, on: str | None = None, **more: Any) -> dict[str, Any]:
    """A post as `swarm_posts` has it."""
    return {
        "id": f"id{name}", "kind": "run", "name": name, "state": state_, "hive": on, "status": "running",
        "phase": None, "priority": "medium", "cost_usd": None, "attempt": 1, "labels": {}, "exit_code": None,
        "reason": None, "posted_by": "ada", "posted_at": "2026-01-01T00:00:00.000Z", "ended_at": None, **more,
    }  # fmt: skip


POSTS = [
    post("a", "queued"), post("b", "queued", reason="needs a (queued)"), post("c", "claimed", "eu1"),
    post("d", "lost", "eu2"), post("e", "done", "eu1"), post("f", "failed", "eu1", exit_code=3), post("g", "cancelled"),
]  # fmt: skip
WORDS = ["queued", "blocked", "running", "lost", "succeeded", "failed", "cancelled"]
SIGNS = ["o", "%", ">", "?", "+", "x", "-"]


def test_each_state_of_a_post_has_its_mark():
    rows = [swarm.as_row(one) for one in POSTS]
    assert [missions.mark(row).ascii for row in rows] == SIGNS
    assert [swarm.state_word(row) for row in rows] == WORDS
    assert [missions.mark(row) is UNHEARD for row in rows] == [word == "lost" for word in WORDS]
    assert [row["name"] for row in swarm.posts(POSTS)] == [f"swarm/{one}" for one in "gfedcba"]


def test_a_post_whose_hive_or_whose_swarm_is_silent_is_faint_with_its_age():
    known = state(hive("eu1"), hive("eu2", "silent", 48.0))
    rows = [swarm.as_row(one) for one in POSTS]
    swarm.learn(rows, [], known, {})
    assert [row["name"] for row in rows if missions.silent_for(row, NOW)] == ["swarm/d"]
    assert missions.silent_for(rows[3], NOW) == "silent 48s"
    swarm.learn(rows, [], known.then(answer(silence="off"), NOW), {})
    assert all(missions.silent_for(row, NOW + 5) == "silent 5s" for row in rows)
    swarm.learn(rows, [], known, {})
    assert not missions.silent_for(rows[0], NOW)


FILTERS = [
    ("hive:eu1", "cef"), ("hive:prod", "cef"), ("hive:local", ""), ("hive:eu", ""), ("!hive:eu1", "abdg"),
    ("state:lost", "d"), ("state:queued", "ab"), ("exit 3", "f"),
]  # fmt: skip


@tabled(("text", "names"), FILTERS)
def test_a_filter_finds_posts_by_any_name_of_their_hive(text, names):
    rows = [swarm.as_row(one) for one in POSTS]
    swarm.learn(rows, [], state(), {"eu1": ("prod", "eu1")})
    found = row_filter.parsed(text, looked_in=swarm.looked_in)
    assert "".join(row["name"][-1] for row in rows if found.matches(row)) == names


@pytest.mark.parametrize("names", [["eu1", "eu2"], []])
def test_a_filter_finds_what_is_on_several_hives(names):
    (row,) = swarm_tables.fleets([{"name": "r", "want": 1, "alive": 0, "hives": names}])
    assert row_filter.parsed("hive:eu2").matches(row) is bool(names)


def test_cards_stand_where_their_posts_do_and_what_asks_is_to_be_reviewed():
    rows = [swarm.as_row(one) for one in POSTS]
    swarm.learn(rows, [{"id": "swarm/idc", "summary": "rm -rf build?"}], state(), {})
    found = counted(swarm.cards(rows, NOW))
    assert found.counts == (2, 0, 2, 1, 2)
    assert swarm.explanation(rows[2]) == "rm -rf build?"


def test_all_about_a_post_says_why_it_waits_or_how_its_log_ends():
    row = swarm.as_row(POSTS[0])
    why = {"name": "a", "state": "queued", "summary": "waits", "hives": [{"hive": "eu1", "text": "no: cpu"}]}
    text = "\n".join(said(line) for line in swarm.described(row, why, "", LOOK))
    assert "why it waits" in text
    assert "eu1  no: cpu" in text
    text = "\n".join(said(line) for line in swarm.described(swarm.as_row(POSTS[5]), None, "one\n\x1b[31mtwo\n", LOOK))
    assert "exit 3" in text
    assert "\x1b" not in text
    assert text.splitlines()[-1].strip().endswith("two")

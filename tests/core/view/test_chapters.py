"""Events folded by day and subject, and rows of what happened by attempt."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from overmind_core.cli.timeline import timeline_table
from overmind_core.view.timeline import BEGINS, chapters, rows, what


def event(seq: int, at: str, kind: str, mission: str | None = "a", **more: object) -> dict[str, object]:
    return {"seq": seq, "at": at, "type": kind, "mission": mission, "name": mission, "run": None, **more}


def test_the_newest_day_and_what_changed_last_stand_first():
    found = chapters(
        [
            event(1, "2026-11-22T10:00:00Z", "started", "a", run=1),
            event(2, "2026-11-22T11:00:00Z", "started", "b", run=1),
            event(3, "2026-11-22T12:00:00Z", "exited", "a", run=1),
            event(4, "2026-11-23T09:00:00Z", "started", "b", run=2),
        ],
        UTC,
    )
    assert [(one.day, one.id, len(one.rows)) for one in found] == [
        ("2026-11-23", "b", 1), ("2026-11-22", "a", 2), ("2026-11-22", "b", 1),
    ]  # fmt: skip


def test_a_run_is_named_where_it_begins():
    found = chapters(
        [event(number, "2026-11-23T09:00:00Z", kind, run=run) for number, (kind, run) in
         enumerate([("created", None), ("started", 1), ("exited", 1), ("started", 2)])],
        UTC,
    )  # fmt: skip
    assert [row[BEGINS] for row in found[0].rows] == ["", "1", "", "2"]


def entry(seq: int, mission: str | None, attempt: int | None) -> dict[str, Any]:
    return {"at": None, "seq": seq, "attempt": attempt, "what": "working", "by": None, "text": "t", "mission": mission}


def test_of_a_spec_the_attempts_of_each_quest_are_named_on_their_first_lines():
    told = [("spec", None), ("a", None), ("a", 1), ("b", 1), ("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    answer = [entry(seq, *one) for seq, one in enumerate(told)]
    begins = ["", "", "1", "1", "", "2", "", "2"]
    assert [row[BEGINS] for row in rows(answer, UTC, 0.0)] == begins
    lines = timeline_table(answer).splitlines()[1:]
    assert [line.removeprefix("-").partition("working")[0].strip() for line in lines] == begins


def test_an_end_is_said_as_its_outcome():
    ends = [("stopped", "succeeded"), ("stopped", "stopped"), ("crashed", "failed"), ("crashed", None)]
    found = chapters(
        [event(number, "2026-11-23T09:00:00Z", kind, outcome=how) for number, (kind, how) in enumerate(ends)], UTC
    )
    assert [what(row).text for row in found[0].rows] == ["✔ succeeded", "■ stopped", "✖ failed", "✖ failed"]


def test_what_only_the_log_of_events_says_is_left_out():
    assert (
        chapters([event(1, "2026-11-23T09:00:00Z", "notification"), event(2, "2026-11-23T09:00:00Z", "turn_ended")])
        == []
    )


def test_what_is_about_no_mission_is_folded_by_what_it_is_about():
    about = {"kind": "spec", "id": "s1", "name": "carts"}
    asked = event(1, "2026-11-23T09:00:00Z", "asked", None, about=about, name=None)
    (one,) = chapters([asked], UTC)
    assert (one.id, one.name) == ("s1", "carts")

"""How `make demo-engine` judges what has happened."""

from __future__ import annotations

from typing import Any

from scripts.engine.ending import claims


def ended(name, *failed, **more):
    tries = [{"run": run, "class": each} for run, each in enumerate((*failed, None), 1)]
    return {"id": name, "name": f"carts/{name}", "status": "completed", "landed": {}, "attempt_list": tries, **more}


EVENTS: list[dict[str, Any]] = [
    {"type": "steer", "outcome": None},
    {"type": "steer", "outcome": "helped"},
    {"type": "report", "kind": "bug", "quest": "R-001"},
    {"type": "note", "change": "proposed", "by": "engine", "why": "it failed (check_failed), then it passed"},
    {"type": "note", "change": "proposed", "by": "engine", "why": "it failed (steered), then it passed"},
    {"type": "overlap"},
]
QUESTS: list[dict[str, Any]] = [
    ended("requirements", "output_invalid"), ended("TSK-001", "steered"), ended("TSK-002", "check_failed"),
    ended("TSK-003"), ended("TSK-004", "conflicts"), ended("TSK-005"), ended("TSK-006"), ended("R-001"),
]  # fmt: skip


def wrong(events, quests):
    return {claim.what for claim in claims(events, quests) if not claim.holds}


def test_an_end_as_it_must_be_is_told_from_any_other():
    assert wrong(EVENTS, QUESTS) == set()
    assert all(
        wrong([one for one in EVENTS if one is not event], QUESTS) for event in EVENTS if event["type"] != "note"
    )
    for at, quest in enumerate(QUESTS):
        for other in (
            {**quest, "status": "failed"},
            {**quest, "attempt_list": [{"run": 1, "class": "keeper_lost"}, *quest["attempt_list"]]},
        ):
            assert wrong(EVENTS, [*QUESTS[:at], other, *QUESTS[at + 1 :]]), quest["name"]

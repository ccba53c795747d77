"""What must have happened in the end: counted in events and quests, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Row = Mapping[str, Any]

TASKS = 6


class Claim(NamedTuple):
    """One line of the comparison."""

    what: str
    expected: object
    found: object

    @property
    def holds(self) -> bool:
        """Whether it is so."""
        return self.expected == self.found


def claims(events: Sequence[Row], quests: Sequence[Row]) -> Iterator[Claim]:
    """Compare everything that has happened with the story.

    Args:
        events: All of the home.
        quests: `quest info` of each quest of the spec.
    """
    tasks = [one for one in quests if "/TSK-" in one["name"]]
    landed = [one for one in tasks if one["status"] == "completed" and one["landed"] is not None]
    yield Claim("tasks landed", TASKS, len(landed))
    steers = _of(events, "steer")
    yield Claim("steered", 1, sum(one["outcome"] is None for one in steers))
    yield Claim("steered and helped", 1, sum(one["outcome"] == "helped" for one in steers))
    reported = {one["quest"] for one in _of(events, "report") if one["kind"] == "bug"}
    done = {one["id"] for one in quests if one["status"] == "completed"}
    yield Claim("reported bug done", 1, len(reported & done))
    proposed = [one for one in _of(events, "note") if one["change"] == "proposed"]
    lessons = [one for one in proposed if "(check_failed)" in one.get("why", "")]
    yield Claim("lesson proposed by a failed check", 1, len(lessons))
    yield Claim("overlap", 1, len(_of(events, "overlap")))
    lost = [one for one in quests if one["status"] != "completed"]
    lost += [one for one in quests if "keeper_lost" in _classes(one)]
    yield Claim("lost", 0, len(lost))
    by_name = {one["name"].rpartition("/")[2]: [name for name in _classes(one) if name is not None] for one in quests}
    menu = sorted((by_name.pop("TSK-004", None), by_name.pop("TSK-005", None)), key=str)
    yield Claim("conflicts of the two that change the menu", [["conflicts"], []], menu)
    yield Claim("failed attempts of the others", _FAILED, {name: each for name, each in by_name.items() if each})
    yield Claim("attempts that ran twice", 0, sum(_ran_twice(one) for one in quests))


_FAILED = {"requirements": ["output_invalid"], "TSK-001": ["steered"], "TSK-002": ["check_failed"]}
"""Phase or task → classes of its attempts that failed."""


def _of(events: Sequence[Row], kind: str) -> list[Row]:
    return [one for one in events if one["type"] == kind]


def _classes(quest: Row) -> list[str | None]:
    return [one["class"] for one in quest["attempt_list"]]


def _ran_twice(quest: Row) -> bool:
    runs = [one["run"] for one in quest["attempt_list"]]
    return len(runs) != len(set(runs))

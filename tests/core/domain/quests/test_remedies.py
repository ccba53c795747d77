"""The commands that help a quest that does not start: each names the quest that is meant, and works."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from overmind_core.domain.admission import Wait, WaitCode
from overmind_core.domain.quests.needs import Need, Needs
from overmind_core.domain.quests.quest import Goal, Quest, QuestStatus, QueueState
from overmind_core.domain.quests.remedies import Known, is_look, remedies
from overmind_core.domain.quests.why import PAUSED, in_the_way
from tests.kit.cases import tabled

NOW = 1_000_000.0


def quest(name: str, *needs: str, status: str = "queued", **more: Any) -> Quest:
    """One of the queue; its id is its name in capitals, as those of its needs are."""
    goal = Goal(needs=tuple(need.upper() for need in needs))
    made = Quest(name.upper(), name, "true", "/", "raw", 0.0, status=QuestStatus(status), goal=goal)
    return replace(made, queue=QueueState(), **more)


def told(one: Quest, *others: Quest, gone: str = "", taken: str = "", older: str = "", slots: int = 3) -> list[str]:
    """The remedies of `one`; those in `gone` have no mission any more, others have the names in `taken`."""
    store = {each.id: each for each in (one, *others)}
    wait = Needs(store.get, NOW).wait(one) if one.status is QuestStatus.QUEUED else None
    by = in_the_way(one, wait, Needs(store.get, NOW), lambda name: store.get(name.upper()))
    known = Known(
        store.get,
        lambda each: each.id if each.name in older else each.name,
        lambda each: each.is_queued and each.name not in gone,
        lambda each: f"{each.name}-2" if each.name in taken else None,
        lambda each: each.name not in gone,
    )
    return list(remedies(one, wait, by, slots, known))


FAILED = quest("b", status="failed")
CASES = {
    "a retry of what has failed": (told(quest("a", "b"), FAILED), ["overmind quest retry b"]),
    "at any depth": (told(quest("a", "c"), quest("c", "d"), quest("d", "b"), FAILED), ["overmind quest retry b"]),
    "of each that has": (
        told(quest("a", "b", "c"), FAILED, quest("c", status="cancelled")),
        ["overmind quest retry b", "overmind quest retry c"],
    ),
    "by its id, where another one has its name": (told(quest("a", "b"), FAILED, older="b"), ["overmind quest retry B"]),
    "with another name, where somebody has it who goes on": (
        told(quest("a", "b"), FAILED, taken="b"),
        ["overmind quest edit B --name b-2", "overmind quest retry B"],
    ),
    "without what can't be retried": (
        told(quest("a", "b", "c"), FAILED, quest("c"), gone="b"),
        ["overmind quest edit a --needs c"],
    ),
    "without all that can't be retried, at once": (
        told(quest("a", "b", "c", "d"), FAILED, quest("c", status="failed"), quest("d"), gone="bc"),
        ["overmind quest edit a --needs d"],
    ),
    "without what was removed": (told(quest("a", "x")), ["overmind quest edit a --needs ''"]),
    "without what began at once": (
        told(quest("a", "b"), replace(FAILED, goal=None, queue=None)),
        ["overmind quest edit a --needs ''"],
    ),
    "whoever needs what is gone does without it, at any depth": (
        told(quest("a", "c", "d"), quest("c", "b", "e"), quest("d", "b"), quest("e"), FAILED, gone="b"),
        ["overmind quest edit c --needs e", "overmind quest edit d --needs ''"],
    ),
    "what is needed tells why it goes on": (told(quest("a", "c"), quest("c")), ["overmind quest why c"]),
    "one that has failed itself": (told(FAILED), ["overmind quest logs b", "overmind quest retry b"]),
    "one whose check has failed": (
        told(replace(FAILED, reason="check_failed")),
        ["overmind quest logs --check b", "overmind quest retry b"],
    ),
    "one whose merged work was not verified": (
        told(replace(FAILED, reason="verify_failed")),
        ["overmind logs b/verify", "overmind quest retry b"],
    ),
    "one that has failed and is gone": (told(FAILED, gone="b"), []),
    "one that began at once": (told(replace(FAILED, goal=None, queue=None)), ["overmind quest logs b"]),
    "one that began at once and is gone": (told(replace(FAILED, goal=None, queue=None), gone="b"), []),
    "one that runs": (told(quest("a", status="running")), []),
    "of many that have failed the first": (
        told(quest("a", *"bcdefgh"), *(quest(name, status="failed") for name in "bcdefgh")),
        [f"overmind quest retry {name}" for name in "bcdef"],
    ),
}


@tabled(("found", "expected"), CASES.values(), ids=CASES)
def test_what_helps(found, expected):
    assert found == expected


OTHERS = [
    (PAUSED, (), ("overmind queue resume",)),
    (Wait(WaitCode.BUDGET, "$4.10 are spent", do=("overmind answer 7 allow",)), (), ("overmind answer 7 allow",)),
    (Wait(WaitCode.UNTIL, "not before 12:00"), (), ("overmind quest info a",)),
    (Wait(WaitCode.OWNS, "x is owned by b, which runs", ("b",)), (Need("B", FAILED),), ("overmind quest why b",)),
    (Wait(WaitCode.SLOTS, "3 of 3 slots are taken", ("queue",)), (), ("overmind queue slots 4",)),
    (Wait(WaitCode.SLOTS, "1 of 1 slots of provider claude", ("provider:claude",)), (), ("overmind queue",)),
]  # fmt: skip


@tabled(("wait", "by", "expected"), OTHERS)
def test_each_reason_has_a_command(wait, by, expected):
    known = Known(lambda _: None, lambda one: one.name, lambda _: True, lambda _: None, lambda _: True)
    assert remedies(quest("a"), wait, by, 3, known) == expected


@tabled(
    ("command", "expected"),
    [
        ("overmind quest why b", True),
        ("overmind quest info b", True),
        ("overmind logs b/verify", True),
        ("overmind queue", True),
        ("overmind queue slots 4", False),
        ("overmind queue resume", False),
        ("overmind quest retry b", False),
    ],
)
def test_a_look_changes_nothing(command, expected):
    assert is_look(command) is expected

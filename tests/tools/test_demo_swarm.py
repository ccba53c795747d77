"""How `make demo-swarm` judges what has happened."""

from __future__ import annotations

import pytest

from scripts.swarm.ending import Event, claims
from scripts.swarm.quests import QUESTS

IDS = {quest.name: f"id-{quest.name}" for quest in QUESTS}


def story() -> list[Event]:
    """All as it must be: eu1 is killed while it has `index`, which eu2 then does."""
    events = [event("post_claimed", "index", "eu1", 1), event("post_queued", "index", "eu1", 1)]
    for fence, quest in enumerate(QUESTS, 2):
        events += [event("post_claimed", quest.name, "eu2", fence), event("post_done", quest.name, "eu2", fence)]
    return events


def event(kind: str, name: str, hive: str, fence: int) -> Event:
    return Event(kind, IDS[name], hive, fence, None)


def broken(events: list[Event], landed: list[str] | None = None, **changed: dict[str, str]) -> list[str]:
    """What does not hold of a story."""
    posts = {name: {"id": post, "state": "done", "hive": "eu2"} | changed.get(name, {}) for name, post in IDS.items()}
    shown = [IDS[quest.name] for quest in QUESTS if quest.lands] if landed is None else landed
    return [one.what for one in claims(posts, events, shown, killed="eu1", held=["index"]) if not one.holds]


def test_a_story_that_is_as_it_must_be_holds():
    assert len(QUESTS) == 12
    assert broken(story()) == []


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (event("post_done", "plan", "eu3", 2), "ends of each quest"),
        (event("post_claimed", "notes", "eu3", 99), "other quests that were given twice"),
        (event("post_claimed", "index", "eu3", 99), "quests that ended under another fence than their last"),
        (event("post_claimed", "index", "eu3", 2), "fences that were given twice"),
    ],
)
def test_an_event_too_many_is_noticed(more, what):
    assert what in broken([*story(), more])


def test_what_begins_too_early_is_noticed():
    early = event("post_claimed", "cart", "eu2", 3)
    assert "quests that began before those they need" in broken([early, *(one for one in story() if one != early)])


def test_what_has_landed_twice_or_not_at_all_is_noticed():
    landed = [IDS[quest.name] for quest in QUESTS if quest.lands]
    for shown in ([*landed, landed[0]], landed[1:], [*landed, "unknown"]):
        assert broken(story(), shown) == ["landings, by the trailers on main"]


def test_what_is_not_done_or_done_by_the_dead_is_noticed():
    assert broken(story(), notes={"state": "failed"}) == ["quests that are done"]
    assert broken(story(), index={"hive": "eu1"}) == ["quests of eu1 that ended there"]

"""What must have happened in the end: counted in the swarm, its events, and on the remote's main, and compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from scripts.swarm.quests import QUESTS

ENDS = frozenset({"post_done", "post_failed", "post_cancelled"})


class Claim(NamedTuple):
    """One line of the comparison."""

    what: str
    expected: object
    found: object

    @property
    def holds(self) -> bool:
        """Whether it is so."""
        return self.expected == self.found


class Event(NamedTuple):
    """Something that the swarm has recorded."""

    type: str
    post: str | None
    hive: str | None
    fence: int | None
    why: str | None


def claims(
    posts: Mapping[str, Mapping[str, Any]],
    events: Sequence[Event],
    landed: Sequence[str],
    *,
    killed: str,
    held: Collection[str],
) -> Iterator[Claim]:
    """Compare everything with the story.

    Args:
        posts: As they are in the end, by name.
        events: All of the swarm, oldest first.
        landed: Ids of the quests whose work is on main, one for each commit.
        killed: The hive that was killed.
        held: Names of the quests that it had then.
    """
    ids = {name: str(row["id"]) for name, row in posts.items()}
    yield Claim("quests that are done", len(QUESTS), sum(row["state"] == "done" for row in posts.values()))
    ends = Counter(one.post for one in events if one.type in ENDS and one.post in ids.values())
    yield Claim("ends of each quest", dict.fromkeys(sorted(ids), 1), {name: ends[ids[name]] for name in sorted(ids)})
    last = {one.post: one.fence for one in events if one.type == "post_claimed"}
    final = {one.post: one.fence for one in events if one.type in ENDS}
    late = [name for name, post in ids.items() if final.get(post) != last.get(post)]
    yield Claim("quests that ended under another fence than their last", [], late)
    fences = [one.fence for one in events if one.type == "post_claimed"]
    yield Claim("fences that were given twice", 0, len(fences) - len(set(fences)))
    lands = sorted(one.name for one in QUESTS if one.lands)
    names = {post: name for name, post in ids.items()}
    yield Claim("landings, by the trailers on main", lands, sorted(names.get(post, post) for post in landed))
    yield Claim(f"quests of {killed} that ended there", [], [name for name in held if posts[name]["hive"] == killed])
    others = [name for name in ids if name not in held]
    again = [name for name in others if sum(_claimed(one, ids[name]) for one in events) != 1]
    yield Claim("other quests that were given twice", [], again)
    early = [post for name in ids for post in _begun_early(name, ids, events)]
    yield Claim("quests that began before those they need", [], early)


def _claimed(event: Event, post: str) -> bool:
    return event.type == "post_claimed" and event.post == post


def _begun_early(name: str, ids: Mapping[str, str], events: Sequence[Event]) -> Iterator[str]:
    needs = {ids[need] for quest in QUESTS if quest.name == name for need in quest.needs}
    for event in events:
        if event.type == "post_done":
            needs.discard(event.post or "")
        elif needs and _claimed(event, ids[name]):
            yield name

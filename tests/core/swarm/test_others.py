"""Watching other hives: nothing is taken before its holder has ended it, however long questions and answers take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from overmind_core.domain.swarm.leases import DRIFT, deadline_of
from overmind_core.swarm.answers import Taken, WatchedPost, WatchedSession, Watchlist
from overmind_core.swarm.others import LOST_AFTER, Others
from tests.kit import torture
from tests.kit.clock import FakeClock

LEASE = 10.0


class Beat(NamedTuple):
    """When the holder has sent it, and when the store has accepted it; by the watcher's clock."""

    sent: float
    accepted: float


class Store:
    """What the swarm's functions answer of one holder at a moment."""

    def __init__(
        self, beats: list[Beat], clock: FakeClock, *, lease: float | None = LEASE, waits: bool = False
    ) -> None:
        self.beats = beats
        self.clock = clock
        self.session = (lease, waits)
        self.posts: list[WatchedPost] = []
        self.taken: list[float] = []
        """When it was freed."""

    def number(self) -> int:
        return sum(beat.accepted <= self.clock.boot() for beat in self.beats)

    def watchlist(self, session: str) -> Watchlist:
        assert session == "mine"
        held = [] if self.taken else [WatchedSession("theirs", "eu2", self.number(), *self.session)]
        return Watchlist(held, self.posts)

    def take(self, _session: str, holder: str, beat: int, watched: float) -> Taken:
        least = LEASE * 1.01 + 2 if self.session[0] else LOST_AFTER
        if holder != "theirs" or beat != self.number() or watched < least:
            return Taken("moved", [], [])
        self.taken.append(self.clock.boot())
        return Taken("ok", ["post"], [])


class Line:
    """The way there and back; both take as long as they like."""

    def __init__(self, store: Store, ways: Callable[[], float]) -> None:
        self.store = store
        self.ways = ways

    async def ask(self, work: Callable[[Any], Any]) -> Any:
        self.store.clock.advance(self.ways())
        answer = work(self.store)
        self.store.clock.advance(self.ways())
        return answer


@settings(max_examples=torture.examples(2000))
@given(
    pauses=st.lists(st.tuples(st.integers(1, 9), st.sampled_from([0.0, 0.5, 4.0])), min_size=1, max_size=4),
    ways=st.lists(st.sampled_from([0.0, 0.5, 3.0, 9.5]), max_size=6),
    looks=st.lists(st.sampled_from([0.1, 1.0, 5.0]), max_size=6),
    drift=st.floats(-DRIFT, DRIFT),
)
@example(pauses=[(9, 0.0)], ways=[9.5], looks=[], drift=0.0)  # it beats while the question is on its way
def test_a_taker_is_never_before_the_holders_deadline(pauses, ways, looks, drift):
    """All moments by the watcher's clock; a lease by the holder's is longer or shorter by the drift."""
    beats, sent, accepted = [], 1_000.0, 1_000.0
    for pause, delay in pauses:
        sent += pause
        accepted = max(accepted, sent + delay)
        beats.append(Beat(sent, accepted))
    store = Store(beats, FakeClock(mono=1_000.0))
    left = iter(ways)
    others = Others(Line(store, lambda: next(left, 0.0)), store.clock)  # type: ignore[arg-type] # as much of a line as it takes

    async def watch() -> None:
        for pause in [*looks, *[1.0] * 60]:
            store.clock.advance(pause)
            await others.watch("mine")

    asyncio.run(watch())
    (taken,) = store.taken
    known = max((beat.sent for beat in beats if beat.accepted <= taken), default=1_000.0)
    assert taken >= known + (deadline_of(0.0, LEASE)) * (1 + drift)


def test_what_waits_is_lost_after_a_minute_and_it_is_known_when():
    store = Store([], FakeClock(), lease=None, waits=True)
    others = Others(Line(store, lambda: 0.0), store.clock)  # type: ignore[arg-type] # as above
    asyncio.run(others.watch("mine"))
    assert list(others.later(store.clock.boot())) == [store.clock.boot() + LOST_AFTER]
    assert not others.is_due(store.clock.boot() + 59)
    store.clock.advance(LOST_AFTER)
    assert others.is_due(store.clock.boot())
    asyncio.run(others.watch("mine"))
    assert store.taken == [store.clock.boot()]


def test_a_post_was_seen_for_as_long_as_it_is_the_same():
    store = Store([], FakeClock())
    others = Others(Line(store, lambda: 0.0), store.clock)  # type: ignore[arg-type] # as above
    store.posts = [WatchedPost("docs", 1, 5.0)]
    asyncio.run(others.watch("mine"))
    store.clock.advance(3.0)
    asyncio.run(others.watch("mine"))
    assert others.seen_posts() == {"docs": (1, 3.0)}
    store.posts = [WatchedPost("docs", 2, 5.0)]
    asyncio.run(others.watch("mine"))
    assert others.seen_posts() == {"docs": (2, 0.0)}
    others.forget()
    assert others.seen_posts() == {}

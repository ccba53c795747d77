"""`events`, `used`: the event log, followed, and who says that a person looks at it."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.domain.agents.events import NotificationDue
from overmind_core.domain.events import known_types, type_of
from overmind_core.domain.text.cells import did_you_mean
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import Args, handles
from overmind_core.missions.callers import forbid_inside, mission_of
from overmind_core.missions.requests import Amount, Whole
from overmind_core.missions.validate import seconds

if TYPE_CHECKING:
    from collections.abc import Collection

    from overmind_core.domain.events import Event
    from overmind_core.kernel.event_log import EventRow, EventTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.followers import Followers
    from overmind_core.missions.registry import Registry
    from overmind_core.notifications.answer_types import EventItem, EventsFollowed, ViewerUsed
    from overmind_core.notifications.service import Notifications
    from overmind_core.system.paths import Home


LONGEST_TYPE = 100
"""Characters of a type that nobody knows: what it may have meant is worth no more."""
PAGE = 500
"""Events read from the store at once."""
_NOTIFICATION = type_of(NotificationDue)
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Events(Args, frozen=True):
    """The event log after `since`."""

    since: Whole = 0
    follow: bool = False
    types: list[str] = []
    """Only events of these types; empty: of all."""
    eyes: bool = False
    """A person sees it at once: as long as the stream lasts, notifications are left to such clients. The first item
    has a number, `viewer`; an event `notification` says with `ring` whether this one is to call its person, where it
    doesn't show that mission already: one that shows it (as `used` told), else the one used last."""


class Used(Args, frozen=True):
    """A client that follows events for a person was used, `ago` before now; `view`: the mission that it shows."""

    viewer: Whole
    ago: Amount = 0
    view: str | None = None


class EventsApi:
    """The requests of those who follow events."""

    def __init__(
        self,
        *,
        home: Home,
        registry: Registry,
        journal: Journal,
        event_table: EventTable,
        followers: Followers,
        notifications: Notifications,
    ) -> None:
        self._home = home
        self._registry = registry
        self._journal = journal
        self._event_table = event_table
        self._followers = followers
        self._notifications = notifications

    @handles(Events)
    async def events(self, request: Events, caller: Caller) -> Stream[EventsFollowed, EventItem]:
        """The event log after `since`, then new events."""
        if request.eyes:
            forbid_inside(mission_of(caller, self._registry, self._home.root), "report a person's presence")
        kinds = _kinds(request.types)
        self._journal.flush()
        oldest = self._event_table.oldest()
        if request.since and request.since + 1 < oldest:
            raise OvermindError(
                "gone", f"Events before {oldest} have been removed. Begin with: --since {oldest - 1}", oldest=oldest
            )
        seq = request.since
        looking = self._notifications.looking() if request.eyes and request.follow else nullcontext()
        follow = self._followers.follow_types(kinds.values()) if kinds else self._followers.follow(None)
        with looking as viewer, follow as follower:
            yield {"oldest": oldest} if viewer is None else {"oldest": oldest, "viewer": viewer}
            while True:
                before, (page, seq) = seq, self._page(seq, kinds)
                for event in page:
                    yield self._event(event.seq, event.data, viewer)
                if seq == before:
                    if not request.follow:
                        return
                    await follower.news()
                await asyncio.sleep(0)

    @handles(Used)
    async def used(self, request: Used, caller: Caller) -> ViewerUsed:
        """Note when a person last used a program that follows events, and which mission it shows."""
        del caller
        at = time.monotonic() - seconds(request.ago, "ago")
        if not self._notifications.viewers.used(request.viewer, at, request.view):
            raise OvermindError("not_found", f"No client follows events as viewer {request.viewer}.")
        return {"viewer": request.viewer}

    def _page(self, seq: int, types: Collection[str]) -> tuple[list[EventRow], int]:
        """The next events after `seq`, of these types if there are any, and the number of the last one looked at."""
        self._journal.flush()
        if types:
            return self._event_table.scan(seq, PAGE, types)
        page = self._event_table.after(seq, PAGE)
        return page, page[-1].seq if page else seq

    def _event(self, seq: int, data: str, viewer: int | None) -> EventItem:
        event = _decode(data)
        event["at"] = format_time(event["at"])
        if viewer is not None and event["type"] == _NOTIFICATION:
            event["ring"] = self._notifications.rings(seq, viewer)
        return {"seq": seq, **event}


def _kinds(names: Collection[str]) -> dict[str, type[Event]]:
    """The types of events of these names.

    Raises:
        OvermindError: `invalid`, there is no such type.
    """
    known = known_types() if names else {}
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        unknown = unknown[:LONGEST_TYPE]
        meant = did_you_mean(unknown, sorted(known)) or f" Known: {', '.join(sorted(known))}."
        raise OvermindError("invalid", f"Unknown type of event {unknown!r}.{meant}")
    return {name: known[name] for name in names}

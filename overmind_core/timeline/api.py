"""`timeline`: what happened to a quest, a spec or a mission, from the events that are kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from overmind_core.domain.missions.references import Ambiguous, Candidate, ResolvedReference, resolve
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import Args, handles

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from overmind_core.kernel.event_log import EventRow, EventTable
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.store import MissionTable
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.store import QuestTable
    from overmind_core.timeline.answer_types import TimelineRow

PAGE = 5000
"""Events read from the store at once: some milliseconds."""
_LISTED = 10
"""Candidates that an `ambiguous` error names."""
_OVERLAP = "overlap"
_fields = msgspec.json.Decoder(dict[str, Any]).decode


class TimelineOf(Args, frozen=True):
    """What happened to a quest, a spec or a mission: the newest `limit` things, oldest of them first."""

    id: str
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


class SpecNamed(NamedTuple):
    """The parts of a spec that its timeline needs."""

    id: str
    slug: str
    created_at: float
    """Seconds since the epoch."""
    archived: bool


class _Subject(NamedTuple):
    ids: Sequence[str]
    """Its own id, then of a spec the ids of its quests."""
    created_at: float
    kind: str = ""
    """`quest`, `spec` or `mission`."""
    others: Sequence[tuple[str, str]] = ()
    """Kind and id of those of another kind that have the name by which it was asked for."""


class TimelineApi:
    """The request `timeline`.

    Args:
        specs: All of them.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        registry: Registry,
        quests: QuestRegistry,
        mission_table: MissionTable,
        quest_table: QuestTable,
        event_table: EventTable,
        specs: Callable[[], Iterable[SpecNamed]],
    ) -> None:
        self._journal = journal
        self._registry = registry
        self._quests = quests
        self._mission_table = mission_table
        self._quest_table = quest_table
        self._event_table = event_table
        self._specs = specs

    @handles(TimelineOf)
    async def timeline(self, request: TimelineOf, caller: Caller) -> list[TimelineRow]:
        """What happened, oldest first; a first row `earlier` stands for what is not shown or no longer kept.

        A row `also` above that names those of another kind that have the same name.
        """
        from overmind_core.domain.watching.timeline import WHAT, Timeline, also, newest, of_other  # noqa: PLC0415 - few ask for it

        del caller
        self._journal.flush()
        subject = self._subject(request.id)
        complete = self._is_complete(subject)
        head = [also(subject.kind, subject.others)] if subject.others else []
        timeline = Timeline(subject.ids[0], () if subject.kind == "mission" else subject.ids)
        of_others = ((event, of_other(fields)) for event, fields in self._overlaps(subject))
        for event, fields in sorted([*await self._events(subject, WHAT), *of_others], key=_number):
            timeline.apply(event.seq, event.at, fields)
        return [
            {
                "at": None if one.at is None else format_time(one.at),
                "seq": one.seq,
                "attempt": one.attempt,
                "what": one.what,
                "by": one.by,
                "text": one.text,
                "mission": one.mission,
            }
            for one in [*head, *newest(timeline.entries, request.limit, complete=complete)]
        ]

    async def _events(self, subject: _Subject, types: Collection[str]) -> list[tuple[EventRow, dict[str, Any]]]:
        """The events of these types about a subject."""
        found, seq = [], 0
        while page := self._event_table.after(seq, PAGE, missions=subject.ids, types=types):
            found += [(event, _fields(event.data)) for event in page]
            seq = page[-1].seq
            if len(page) < PAGE:
                break
            await asyncio.sleep(0)
        return found

    def _overlaps(self, subject: _Subject) -> Iterator[tuple[EventRow, dict[str, Any]]]:
        """The overlaps that were recorded with the other mission of the pair."""
        ids = frozenset(subject.ids)
        for event in self._event_table.after(0, PAGE, types=[_OVERLAP]):
            if event.mission not in ids and (fields := _fields(event.data)).get("other") in ids:
                yield event, fields

    def _is_complete(self, subject: _Subject) -> bool:
        """Whether all of its events are still kept."""
        oldest = self._event_table.oldest()
        if oldest <= 1:
            return True
        (first,) = self._event_table.after(oldest - 1, 1)
        return first.at <= subject.created_at

    def _subject(self, text: str) -> _Subject:
        """The quest, spec or mission that a word names, by the rules for missions; of live ones a quest, then a spec.

        Raises:
            OvermindError: `not_found`; `ambiguous`, with the candidates.
        """
        specs = {one.id: one for one in self._specs()}
        quests = {one.id: one for one in self._quest_table.candidates(text)}  # a quest has the id of its mission
        missions = {one.id: one for one in self._mission_table.candidates(text) if one.id not in quests}
        slugs = {one.id: Candidate(one.id, one.slug, not one.archived, None) for one in specs.values()}
        kinds = {"quest": quests, "spec": slugs, "mission": missions}
        found = resolve(text, (one for known in kinds.values() for _, one in sorted(known.items())))
        if isinstance(found, Ambiguous):
            listed = ", ".join(f"{one.id} ({one.name})" for one in found.candidates[:_LISTED])
            raise OvermindError(
                "ambiguous",
                f"{text!r} matches several ids: {listed}. Give more characters.",
                candidates=[{"id": one.id, "name": one.name} for one in found.candidates],
            )
        if isinstance(found, ResolvedReference):
            candidate = found.candidate
            if (spec := specs.get(candidate.id)) is not None:
                own = [one.id for one in self._quest_table.standing_of_spec(spec.id)]
                return _Subject([spec.id, *own], spec.created_at, "spec", _others(kinds, "spec", text))
            holder = self._quests.get(candidate.id) or self._registry.get(candidate.id)
            if holder is not None:
                kind = "quest" if candidate.id in quests else "mission"
                return _Subject([candidate.id], holder.created_at, kind, _others(kinds, kind, text))
        raise OvermindError("not_found", f"No quest, spec or mission named {text!r}. See them with: overmind ps --all")


def _others(kinds: Mapping[str, Mapping[str, Candidate]], kind: str, text: str) -> list[tuple[str, str]]:
    """Of each other kind the one that has this name: it lives, or has ended last."""
    found = []
    for other, known in kinds.items():
        named = [one for one in known.values() if one.name == text]
        match = resolve(text, named) if other != kind and named else None
        if isinstance(match, ResolvedReference):
            found.append((other, match.candidate.id))
    return found


def _number(found: tuple[EventRow, dict[str, Any]]) -> int:
    return found[0].seq

"""Lessons of the engine: what waits in its outbox becomes notes and votes. On the loop's thread.

Ids come from what waits, and what was taken in is deleted from the outbox only then: whoever is killed in between, each
lesson is one note, and each vote counts once. While memory can't be used, all of it waits.
"""

from __future__ import annotations

import asyncio
import logging
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.actor import ENGINE
from overmind_core.domain.memory.notes import (
    LONGEST_TEXT,
    MOST_FILES,
    Author,
    Content,
    NoteKind,
    NoteState,
    Origin,
    Scope,
    ScopeKind,
    Standing,
    Version,
    Vote,
    note_id,
)
from overmind_core.domain.memory.redaction import redact, secret_values
from overmind_core.domain.missions.reasons import sentence
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.watching.learning import AttemptVote, Lesson, LessonState
from overmind_core.errors import OvermindError
from overmind_core.memory.episode_table import EpisodeTable
from overmind_core.memory.events import NoteChanged, Voted
from overmind_core.memory.proposals import room
from overmind_core.memory.store import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.learning.outbox import Outbox
    from overmind_core.memory.opened import Writing
    from overmind_core.memory.service import Memory
    from overmind_core.memory.store import NoteStore

RETRY_SECONDS = 600.0
"""After which what could not be taken in is tried again, if nothing wakes us before."""
AT_ONCE = 50
"""Lessons of one transaction."""
_log = logging.getLogger(__name__)


class IntakeParts(NamedTuple):
    """The parts of the daemon that the intake uses."""

    memory: Memory
    outbox: Outbox
    journal: Journal
    events: EventLog
    tasks: Tasks
    variables: Callable[[str], Mapping[str, str]]
    """The environment of a mission."""
    person: str
    """Login name of whoever has accepted and dropped the lessons of an older home."""


class _Placed(NamedTuple):
    """A lesson, the name of its repository, and what is secret in its mission."""

    lesson: Lesson
    repository: str
    secrets: Sequence[str]


class LessonIntake:
    """Takes in what waits, one batch after the other."""

    def __init__(self, parts: IntakeParts) -> None:
        self._parts = parts
        self._is_working = False
        self._is_woken = False
        self._retry: asyncio.TimerHandle | None = None
        self._is_closed = False

    def wake(self) -> None:
        """Something waits."""
        self._is_woken = True
        if not self._is_working and not self._is_closed:
            self._is_working = True
            self._parts.tasks.start(self._work())

    def close(self) -> None:
        """Take in nothing more."""
        self._is_closed = True
        if self._retry is not None:
            self._retry.cancel()

    async def _work(self) -> None:
        try:
            while self._is_woken and not self._is_closed:
                self._is_woken = False
                await self._take_in()
        except OvermindError as error:
            _log.info("lessons wait, as memory can't take them in: %s", error.message)
            self._later()
        finally:
            self._is_working = False

    def _later(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        if not self._is_closed:
            self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self.wake)

    async def _take_in(self) -> None:
        outbox, memory = self._parts.outbox, self._parts.memory
        if not memory.is_on:
            return
        self._parts.journal.flush()
        votes = outbox.votes()
        if votes:
            counted = await memory.write(lambda writing: _count(writing, votes), ours=True)
            for told in counted:
                self._parts.events.record(told)
            self._parts.journal.save(lambda: outbox.remove_votes(votes))
        lessons = [one for one in outbox.lessons() if one.number not in outbox.unfinished]
        for first in range(0, len(lessons), AT_ONCE):
            placed = [found for one in lessons[first : first + AT_ONCE] if (found := await self._placed(one))]
            await self._keep(placed)
        if votes or lessons:
            memory.cortex.wake()

    async def _keep(self, placed: Sequence[_Placed]) -> None:
        """Make notes of lessons, and delete these from the outbox."""
        person, outbox = self._parts.person, self._parts.outbox
        changes = await self._parts.memory.write(lambda writing: _write(writing, placed, person), ours=True)
        for lesson, change in changes:
            self._parts.events.record(_event_of(lesson, change))
        self._parts.journal.save(lambda: outbox.remove_lessons([one.lesson.number for one in placed]))

    async def _placed(self, lesson: Lesson) -> _Placed | None:
        """None: nobody can say which repository its folder is of, and it waits."""
        try:
            place = await self._parts.memory.place_of(lesson.repository)
        except OvermindError as error:
            if error.code == "memory_off":
                raise
            _log.info("lesson %d waits: %s", lesson.number, error.message)
            self._later()
            return None
        variables = self._parts.variables(lesson.mission) if lesson.mission else {}
        return _Placed(lesson, place.repository, secret_values(variables))


def _event_of(lesson: Lesson, change: Change) -> NoteChanged:
    why = f"it failed ({lesson.failure}), then it passed" if lesson.mission else "a lesson of an older home"
    return NoteChanged(
        mission=lesson.mission or None,
        note=change.note,
        change=change.change,
        scope=change.scope,
        version=change.version,
        by=ENGINE,
        why=why,
    )


# on the thread that writes


def _write(writing: Writing, placed: Iterable[_Placed], person: str) -> list[tuple[Lesson, Change]]:
    """Make notes of lessons, all of them or none."""
    store = writing.store
    changes = []
    with writing.database.transaction():
        proposed: dict[str, None] = {}
        for one in placed:
            change = _written(writing, one, person)
            if change is not None:
                changes.append((one.lesson, change))
            if change is not None and one.lesson.state is LessonState.PROPOSED:
                proposed[one.repository] = None
        for repository in proposed:
            store.limit_proposals(repository)
    return changes


def _written(writing: Writing, one: _Placed, person: str) -> Change | None:
    """Make a note of a lesson; None: it is one already, or nothing is to be made of it."""
    lesson, store = one.lesson, writing.store
    seed = _digest("lesson", lesson.key, str(lesson.number), repr(lesson.at))
    first = _first_version(one, seed)
    if store.versions.get(first.id) is not None:
        return None
    store.check_room()
    is_new = lesson.state is LessonState.PROPOSED
    if is_new and lesson.mission and not room(store, lesson.mission, lesson.began_at):
        return None
    known_by = _digest("attempt", one.repository, lesson.failure, lesson.feedback)
    if not EpisodeTable(writing.database).take_lesson(known_by, writing.at):
        return None
    versions = [first]
    if not is_new:
        versions.append(
            replace(
                first,
                id=_digest(seed, "decided")[:32],
                number=2,
                replaces=(first.id,),
                standing=Standing.LIVE if lesson.state is LessonState.ACCEPTED else Standing.FORGOTTEN,
                author=Author(person=person),
                origin=Origin.COMMAND,
            )
        )
    note = store.put(versions, _earlier_votes(lesson, versions[-1], seed))
    change = {LessonState.PROPOSED: "proposed", LessonState.ACCEPTED: "accepted"}.get(lesson.state, "forgotten")
    return Change(note=note.id, change=change, scope=ScopeKind.REPO, version=note.version)


def _first_version(one: _Placed, seed: str) -> Version:
    lesson = one.lesson
    shown = [path for path in lesson.files if not set(path) & set("*?[]\\\n")]
    content = Content(
        text=redact(_text(lesson), one.secrets).text[:LONGEST_TEXT],
        kind=NoteKind.LESSON,
        scope=Scope(ScopeKind.REPO, one.repository),
        files=tuple(dict.fromkeys(redact(path, one.secrets).text for path in shown))[:MOST_FILES],
    )
    return Version(
        id=_digest(seed, "first")[:32],
        note=note_id(int(seed, 16)),
        number=1,
        replaces=(),
        standing=Standing.PROPOSED,
        content=content,
        author=Author(mission=lesson.mission, name=redact(lesson.quest, one.secrets).text, agent=lesson.agent),
        origin=Origin.OVERMIND,
        at=lesson.at,
    )


def _earlier_votes(lesson: Lesson, version: Version, seed: str) -> Iterator[Vote]:
    """The votes of a lesson of an older home, which has counted them and not kept who has given them."""
    said = [True] * lesson.helped + [False] * lesson.hurt
    for number, helped in enumerate(said, 1):
        yield Vote(
            id=_digest(seed, "vote", str(number))[:32],
            note=version.note,
            version=version.id,
            voter=f"lesson:L-{lesson.number}/{number}",
            number=1,
            helped=helped,
            at=lesson.at,
        )


def _text(lesson: Lesson) -> str:
    """A lesson as a note: what failed, quoted, and where it was mended."""
    quoted = "\n".join(f"> {line}" for line in lesson.feedback.splitlines())
    text = f"{display_safe(lesson.quest)}: {display_safe(sentence(lesson.failure))}:\n{quoted}\n"
    text += "The next attempt passed after changes of:" if lesson.files else "The next attempt passed."
    for path in map(display_safe, lesson.files):
        if len(text) + len(path) + 3 <= LONGEST_TEXT:
            text += f"\n  {path}"
    return text


def _count(writing: Writing, votes: Iterable[AttemptVote]) -> list[Voted]:
    """Count votes for the lessons that attempts were given, each once; return those that are new."""
    store = writing.store
    with writing.database.transaction():
        return [
            Voted(mission=vote.mission, note=note, helped=vote.helped, by=ENGINE)
            for vote in votes
            for note in _voted(store, vote)
        ]


def _voted(store: NoteStore, vote: AttemptVote) -> Iterator[str]:
    found = store.given.of_run(vote.mission, vote.run)
    for given in () if found is None else found[1].notes:
        stored = store.notes.get(given.note)
        if stored is None or stored.note.state is not NoteState.LIVE or stored.note.content.kind is not NoteKind.LESSON:
            continue
        said = Vote(
            id=_digest("attempt", vote.mission, str(vote.attempt), given.note)[:32],
            note=given.note,
            version=given.version,
            voter=f"mission:{vote.mission}/{vote.attempt}",
            number=1,
            helped=vote.helped,
            at=vote.at,
        )
        if store.votes.add(said):
            store.refold(given.note)
            yield given.note


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()

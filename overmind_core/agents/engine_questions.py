"""Questions of the engine: asked about a quest, a spec, a mission or the queue, by no conversation.

The part that asks says with `on` who acts on an answer, which happens in the commit that stores the answer: no
question is answered and not acted on, whoever dies when.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import UNSET

from overmind_core.agents.questions import too_late
from overmind_core.agents.store import (
    DECISION,
    ENGINE_ASKED,
    QUESTION_ANSWERED,
    QUESTION_OPEN,
    WITHDRAWN,
    EngineAsked,
    QuestionRow,
)
from overmind_core.domain.agents.agent_events import Behaviour, Decision
from overmind_core.domain.agents.choices import typed_text
from overmind_core.domain.agents.events import NotificationDue, QuestionAnswered, QuestionAsked
from overmind_core.domain.agents.turns import one_line
from overmind_core.domain.engine_questions import DECIDES_WORK, QUESTION, QUOTED_TEXT
from overmind_core.domain.events import About
from overmind_core.errors import OvermindError
from overmind_core.kernel.database import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Mapping
    from collections.abc import Set as AbstractSet

    from overmind_core.agents.questions import Questions
    from overmind_core.agents.store import QuestionTable
    from overmind_core.domain.engine_questions import EngineNeed
    from overmind_core.domain.events import AboutKind
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.changes import MissionChanged
    from overmind_core.system.machine import Clock

LARGEST_MESSAGE = 64 * 1024
"""Bytes of what a person says beside an answer."""
KEPT = 10_000
"""Questions, the newest, of which is remembered who answered."""
ALONE = Decision(Behaviour.DENY, "No one can answer.")
"""The answer where no person can give one."""
_log = logging.getLogger(__name__)

_REPORT = "report"
"""`EngineNeed.REPORT`: what a mission asks, which a text answers."""


class EngineQuestion(NamedTuple):
    """One that is open."""

    number: int
    need: str
    """Of `EngineNeed`, or of a later version's."""
    about: About
    key: str
    """Tells apart what is asked about one subject for one need at the same time."""
    part: str
    """The part of its subject that it is about, such as the phase of a spec; "" for all of it."""
    summary: str
    """One line."""
    subject: Mapping[str, Any]
    """All of it: `lines` for people, the rest for programs."""
    asked_at: float
    """Seconds since the epoch."""
    ends_with: str = ""
    """The mission whose end withdraws it; "" for none."""


class EngineQuestions:
    """The engine's questions. Used from the loop's thread.

    Args:
        unattended: No person can answer, as in a headless run: each question is denied at once.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        events: EventLog,
        questions: Questions,
        table: QuestionTable,
        clock: Clock,
        unattended: bool,
    ) -> None:
        self._journal = journal
        self._events = events
        self._questions = questions
        self._table = table
        self._clock = clock
        self._unattended = unattended
        self._open: dict[int, EngineQuestion] = {}
        self._numbers: dict[str, set[int]] = {}
        """Id of a subject → the open questions about it."""
        self._ends_with: dict[str, set[int]] = {}
        """Mission → the open questions that its end withdraws."""
        self._shown: set[int] = set()
        """The open questions that somebody may have read, or answers: none decides more than it did then."""
        self._unsaved: dict[int, QuestionRow] = {}
        """Those that were closed while the disk was full."""
        self._handlers: dict[tuple[str, str | None], Callable[[EngineQuestion, Decision], None]] = {}
        self._guards: dict[tuple[str, str | None], Callable[[EngineQuestion, Decision], Awaitable[None]]] = {}
        self._waiters: dict[int, list[asyncio.Future[None]]] = {}

    def load(self, live: Container[str]) -> None:
        """Bring the open ones into memory; behind `Questions.load`. `live`: the missions that may still run."""
        for row in self._questions.open():
            if row.mission is None:
                self._know(read_question(row))
        for mission_id in [one for one in self._ends_with if one not in live]:
            self._on_end(mission_id)
        if self._table.newest() > KEPT:
            self._journal.save(self._trim)

    def on(
        self,
        need: EngineNeed,
        handler: Callable[[EngineQuestion, Decision], None],
        *,
        kind: AboutKind | None = None,
    ) -> None:
        """Have `handler` act on answers to questions of this need, about subjects of this kind (None: of the rest).

        It is called inside of `Journal.together`: what it saves is stored with the answer, or not at all. It looks
        first and changes then, for it may raise `OvermindError` to refuse the answer, and the question stays open.
        """
        assert (need, kind) not in self._handlers, f"two handlers of {need}"
        self._handlers[need, kind] = handler

    def guard(
        self,
        need: EngineNeed,
        guard: Callable[[EngineQuestion, Decision], Awaitable[None]],
        *,
        kind: AboutKind | None = None,
    ) -> None:
        """Have `guard` look before an answer is taken, for as long as that takes; `kind` as for `on`.

        It raises `OvermindError` to refuse the answer, and the question stays open unless it has withdrawn it.
        """
        assert (need, kind) not in self._guards, f"two guards of {need}"
        self._guards[need, kind] = guard

    def ask(
        self,
        need: EngineNeed,
        about: About,
        *,
        summary: str,
        subject: Mapping[str, Any] | None = None,
        part: str = "",
        key: str | None = None,
        ends_with: str = "",
    ) -> int:
        """Ask in the commit that is due, and return the question's number.

        Where the same is open (subject, need and key, which is `part` unless it is given), that one's number is
        returned, and nothing changes. `subject` is JSON-able: `lines` is what people read, the rest is for programs.
        The end of the mission `ends_with` withdraws it.
        """
        key = part if key is None else key
        earlier = self.find(about.id, need, key)
        if earlier is not None:
            return earlier.number
        line = one_line(_valid(summary))
        asked = EngineAsked(str(need), _valid(about.name), key, part, line, _valid(dict(subject or {})), ends_with)
        number, at = self._questions.next_number(), self._clock.wall()
        kind, text = str(about.kind), ENGINE_ASKED.encode(asked)
        row = QuestionRow(number, None, None, kind, about.id, QUESTION_OPEN, at, None, None, None, text)
        whole = read_question(row).about
        self._know(read_question(row))
        with self._journal.together():
            self._questions.put(row)
            self._events.record(
                QuestionAsked(
                    mission=about.id,
                    name=asked.name,
                    question=number,
                    need=asked.need,
                    tool="",
                    summary=line,
                    about=whole,
                )
            )
            self._events.record(
                NotificationDue(
                    mission=about.id, name=asked.name, why="blocked", now=line, about=whole, question=number
                )
            )
        if self._unattended:
            self._journal.decide(lambda: self._answer_alone(number))
        return number

    def reword(self, number: int, *, summary: str, subject: Mapping[str, Any]) -> None:
        """Have an open question say something else, in the commit that is due.

        Of one that was shown (`is_shown`) no answer may decide more than it did.
        """
        question = self._open[number]
        said = question._replace(summary=one_line(_valid(summary)), subject=_valid(dict(subject)))
        name, ends_with = said.about.name, said.ends_with
        asked = EngineAsked(said.need, name, said.key, said.part, said.summary, said.subject, ends_with)
        self._open[number] = said
        self._questions.reword(number, ENGINE_ASKED.encode(asked))

    def note_shown(self, number: int) -> None:
        """Keep in mind that somebody reads a question as it is now, or answers it."""
        if number in self._open:
            self._shown.add(number)

    def is_shown(self, number: int) -> bool:
        """Return whether somebody may have read a question as it is now; a daemon that has just begun knows of none."""
        return number in self._shown

    def withdraw(self, about_id: str, need: EngineNeed | None = None, *, key: str | None = None) -> None:
        """Take back what is open about a subject, of one need and key or of all, in the commit that is due."""
        for question in self.open_for(about_id):
            if need in {None, question.need} and key in {None, question.key}:
                self._forget(question)
                self._close(question, None, None)

    def on_change(self, change: MissionChanged) -> None:
        """A state of a mission was saved."""
        if not change.saved.is_live:
            self._on_end(change.saved.id)

    def _on_end(self, mission_id: str) -> None:
        for number in sorted(self._ends_with.get(mission_id, ())):
            question = self._open[number]
            self._forget(question)
            self._close(question, None, None)

    def asked_about(self) -> AbstractSet[str]:
        """Ids of the subjects about which something is open."""
        return self._numbers.keys()

    def open_for(self, about_id: str) -> list[EngineQuestion]:
        """What is open about a subject, oldest first."""
        return [self._open[number] for number in sorted(self._numbers.get(about_id, ()))]

    def deciding(self, about_id: str) -> int | None:
        """The number of the open question whether the work of a subject lands."""
        return next((one.number for one in self.open_for(about_id) if one.need in DECIDES_WORK), None)

    def get(self, number: int) -> EngineQuestion | None:
        """The open question of this number."""
        return self._open.get(number)

    def find(self, about_id: str, need: str, key: str) -> EngineQuestion | None:
        """The open question about a subject that has this need and key."""
        return next((one for one in self.open_for(about_id) if (one.need, one.key) == (need, key)), None)

    async def answer(self, row: QuestionRow, decision: Decision, by: str, *, is_named: bool = True) -> EngineQuestion:
        """Answer a question, once; returns when that, and what follows from it, is saved.

        `is_named`: whether the person has said that they allow or deny it, and not merely answered.

        Raises:
            OvermindError: `not_found`, it is not asked any more; `invalid` or `too_large`, it takes no such answer; or
                what its handler refuses with. It is open as before.
            StoreError: there is no room for the answer. It is open as before.
        """
        question = self._asked(row)
        if _takes_words(question) and not decision.message and (text := typed_text(decision.options)):
            decision = decision._replace(message=text, options=())
        self._check(question, decision, is_named=is_named)
        guard = self._guards.get(_key(self._guards, question))
        if guard is not None:
            await guard(question, decision)
        await self._make_room(row.id, decision, by)
        self._journal.flush()  # what acts on it reads the store
        question = self._asked(row)  # somebody may have been faster
        self._act(question, decision, by)
        await self._journal.saved()
        return question

    async def closed(self, number: int) -> Decision | None:
        """Wait until a question is answered, and that is saved; None when it was withdrawn.

        Raises:
            OvermindError: `gone`, nobody knows of it any more.
        """
        if number in self._open or number in self._unsaved:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.setdefault(number, []).append(waiter)
            await waiter
        row = self._questions.get(number)
        if row is None:
            raise OvermindError("gone", f"Question {number} is no longer known.")
        return DECISION.decode(row.decision) if row.state == QUESTION_ANSWERED and row.decision else None

    def _asked(self, row: QuestionRow) -> EngineQuestion:
        question = self._open.get(row.id)
        if question is None:
            raise too_late(self._unsaved.get(row.id) or self._questions.get(row.id) or row, self._clock.wall())
        return question

    def _check(self, question: EngineQuestion, decision: Decision, *, is_named: bool) -> None:
        if decision.options and not is_named and _takes_words(question):
            way = f"Answer it with a text: overmind answer {question.number} {QUOTED_TEXT}"
            raise OvermindError("invalid", f"This question has no options. {way}")
        if not is_named and (decision.options or question.need != _REPORT):
            ways = "allow or deny, and perhaps --message TEXT"
            raise OvermindError("invalid", f"Answer it with {ways}: overmind answer {question.number} allow")
        if decision.behaviour is Behaviour.ALWAYS:
            raise OvermindError("invalid", "`always` is for permissions. Use allow or deny.")
        if decision.options:
            raise OvermindError("invalid", "This question has no options. Allow or deny it, with --message TEXT.")
        if len((decision.message or "").encode(errors="replace")) > LARGEST_MESSAGE:
            raise OvermindError("too_large", f"The message is longer than {LARGEST_MESSAGE // 1024} KiB.")
        if self._handlers.get(_key(self._handlers, question)) is None:
            raise OvermindError(
                "invalid", f"This version can't act on question {question.number} ({question.need}). It stays open."
            )

    async def _make_room(self, number: int, decision: Decision, by: str) -> None:
        """Store what is to be answered, which is most of what the answer takes: on a full disk nothing is decided."""
        text = DECISION.encode(decision)
        change = self._journal.save(lambda: self._table.note(number, by, text))
        try:
            await self._journal.saved()
        except StoreError:
            self._journal.withdraw([change])
            raise

    def _act(self, question: EngineQuestion, decision: Decision, by: str) -> None:
        """Close it and have its handler act, in one commit."""
        handler = self._handlers.get(_key(self._handlers, question))
        assert handler is not None
        self._forget(question)
        try:
            with self._journal.together():
                handler(question, decision)
                self._close(question, decision, by)
        except BaseException:
            self._know(question)
            raise

    def _answer_alone(self, number: int) -> None:
        question = self._open.get(number)
        if question is None or self._handlers.get(_key(self._handlers, question)) is None:
            return
        try:
            self._act(question, ALONE, "headless")
        except OvermindError as error:
            _log.info("question %d stays open: %s", number, error.message)

    def _close(self, question: EngineQuestion, decision: Decision | None, by: str | None) -> None:
        number = question.number
        self._shown.discard(number)
        self._unsaved[number] = self._row_of(question, by)
        self._questions.close(number, decision, by, then=lambda: self._on_saved(number))
        words = decision.words if decision is not None and question.need == _REPORT else ""
        self._events.record(
            QuestionAnswered(
                mission=question.about.id,
                name=question.about.name,
                question=number,
                by=by,
                behaviour=None if decision is None else decision.behaviour.value,
                answer=words or UNSET,
                summary=question.summary,
                about=question.about,
            )
        )

    def _know(self, question: EngineQuestion) -> None:
        self._open[question.number] = question
        self._numbers.setdefault(question.about.id, set()).add(question.number)
        if question.ends_with:
            self._ends_with.setdefault(question.ends_with, set()).add(question.number)

    def _forget(self, question: EngineQuestion) -> None:
        del self._open[question.number]
        for index, key in ((self._numbers, question.about.id), (self._ends_with, question.ends_with)):
            if key in index:
                index[key].discard(question.number)
                if not index[key]:
                    del index[key]

    def _trim(self) -> None:
        self._table.trim(keep=KEPT)

    def _on_saved(self, number: int) -> None:
        self._unsaved.pop(number, None)
        for waiter in self._waiters.pop(number, ()):
            if not waiter.done():
                waiter.set_result(None)

    def _row_of(self, question: EngineQuestion, by: str | None) -> QuestionRow:
        """How it is stored once it can be."""
        state = WITHDRAWN if by is None else QUESTION_ANSWERED
        kind, about_id, now = question.about.kind, question.about.id, self._clock.wall()
        return QuestionRow(question.number, None, None, kind, about_id, state, question.asked_at, now, by, None, "")


def _takes_words(question: EngineQuestion) -> bool:
    """Return whether it is a question that a mission has reported: its answer is a text, and so is a number."""
    return question.need == _REPORT and question.subject.get("kind") == QUESTION


def _key(those: Container[tuple[str, str | None]], question: EngineQuestion) -> tuple[str, str | None]:
    """Return the key under which those have one for a question: its need and subject, else its need alone."""
    key = (question.need, question.about.kind)
    return key if key in those else (question.need, None)


def read_question(row: QuestionRow) -> EngineQuestion:
    """Return a question of the engine as it was asked, open or not."""
    asked = ENGINE_ASKED.decode(row.asked)
    return EngineQuestion(
        number=row.id,
        need=asked.need,
        about=About(row.about, row.about_id, asked.name),
        key=asked.key,
        part=asked.part,
        summary=asked.summary,
        subject=asked.subject,
        asked_at=row.asked_at,
        ends_with=asked.ends_with,
    )


def _valid(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same with texts that are valid Unicode: what agents write and files hold may be half of a character."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))

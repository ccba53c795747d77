"""`inbox`, `answer`, `hook`: what agents and the engine ask people, who answers, and what agents' programs report."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from overmind_core.agents.answering import answerer, is_attach_only, options_of, rules_of
from overmind_core.agents.engine_questions import read_question
from overmind_core.agents.replaced_file import begins_of, path_written, replaced_file
from overmind_core.agents.requests import Answer, Hook
from overmind_core.agents.store import ASKED
from overmind_core.domain.agents.agent import ActivitySource, AgentMode
from overmind_core.domain.agents.agent_events import Asked, Behaviour, Decision
from overmind_core.domain.agents.choices import choices_of
from overmind_core.domain.agents.turns import one_line
from overmind_core.domain.engine_questions import (
    QUESTS,
    RAN_IN,
    concerns,
    is_for_all,
    is_gate,
    with_answer,
    without_folder,
)
from overmind_core.domain.events import About, AboutKind
from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.lookup import find
from overmind_core.missions.requests import Nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Sequence

    from overmind_core.agents.answer_types import AnsweredQuestion, HookReply, HookTaken, Question, QuestionSubject
    from overmind_core.agents.answering import Answering
    from overmind_core.agents.engine_questions import EngineQuestion, EngineQuestions
    from overmind_core.agents.permission_hooks import PermissionWaiters
    from overmind_core.agents.questions import Questions
    from overmind_core.agents.service import Agents
    from overmind_core.agents.session import Session
    from overmind_core.agents.store import QuestionRow
    from overmind_core.agents.terminal_driver import TerminalDriver
    from overmind_core.agents.usage_reader import UsageReader
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.registry import Registry
    from overmind_core.providers.base import InteractiveProvider

MOST_LISTED = 5
"""Questions that an error lists."""


class QuestionApi:
    """The requests about questions.

    Args:
        resolvers: What finds the quests and specs that a person's word means; each raises `OvermindError`, `not_found`
            or `ambiguous`, where it finds none.
        spec_of: The id of the spec to which a subject of questions belongs: a quest, or a mission that works for one.
        quests_of: The ids of the quests whose work a question decides about, whose subject is another thing.
    """

    def __init__(
        self,
        *,
        agents: Agents,
        questions: Questions,
        answering: Answering,
        engine: EngineQuestions,
        resolvers: Sequence[Callable[[str], About]],
        spec_of: Callable[[str], str | None],
        quests_of: Callable[[EngineQuestion], Sequence[str]],
        waiters: PermissionWaiters,
        driver: TerminalDriver,
        registry: Registry,
        journal: Journal,
        phase: Phase,
        usage: UsageReader,
    ) -> None:
        self._agents = agents
        self._questions = questions
        self._answering = answering
        self._engine = engine
        self._resolvers = resolvers
        self._spec_of = spec_of
        self._quests_of = quests_of
        self._waiters = waiters
        self._driver = driver
        self._registry = registry
        self._journal = journal
        self._phase = phase
        self._usage = usage

    @handles(Nothing)
    async def inbox(self, request: Nothing, caller: Caller) -> list[Question]:
        """The questions that wait for a person, oldest first."""
        del request, caller
        return await self.open_questions()

    async def open_questions(self) -> list[Question]:
        """Return those that wait for a person, oldest first."""
        found = []
        for question in self._questions.open():
            self._engine.note_shown(question.id)
            found.append(await self._row(question))
        return [row for row in found if row is not None]

    async def questions_about(self, subject_id: str, name: str) -> list[Question]:
        """Return those that concern a subject, what its mission has started, or what is named below it.

        The oldest comes first.
        """
        rows = self._questions.open()
        ids = self._family(subject_id) if rows else set()
        below = f"{name}/"
        asked = [row for row in rows if self._concerns(row, ids) or self._name_of(row).startswith(below)]
        found = [await self._row(row) for row in asked]
        return [one for one in found if one is not None]

    def _concerns(self, row: QuestionRow, ids: Container[str]) -> bool:
        """True where a question, or a quest that it decides about, has one of these ids."""
        asked = self._engine.get(row.id)
        return concerns({"id": row.about_id, QUESTS: () if asked is None else self._quests_of(asked)}, ids)

    def _family(self, mission_id: str) -> set[str]:
        """The mission and all that descend from it."""
        found, left = {mission_id}, [mission_id]
        while left:
            children = self._registry.children(left)
            left = [child for known in children.values() for child in known if child not in found]
            found.update(left)
        return found

    def _name_of(self, question: QuestionRow) -> str:
        """The name of the subject of a question; "" where that is about to leave the inbox."""
        if question.mission is None:
            asked = self._engine.get(question.id)
            return "" if asked is None else self._about(asked)["name"]
        mission = self._registry.get(question.mission)
        return "" if mission is None else mission.definition.name

    @handles(Answer)
    async def answer(self, request: Answer, caller: Caller) -> AnsweredQuestion:
        """Answer one question, once."""
        del caller
        return await self.answered(request)

    async def answered(self, request: Answer) -> AnsweredQuestion:
        """Answer one question in the name of who acts; return what was answered.

        Raises:
            OvermindError: it is answered already, there is none, or the answer does not fit.
        """
        question = self._question(request)
        is_named = request.behaviour is not None
        behaviour = Behaviour.ALLOW if request.behaviour is None else Behaviour(request.behaviour)
        decision, by = Decision(behaviour, request.message, tuple(request.options)), answerer()
        if question.mission is None:
            asked = await self._engine.answer(question, decision, by, is_named=is_named)
            about = self._about(asked)
            return {
                "question": question.id,
                "id": about["id"],
                "name": about["name"],
                "about": about,
                "part": asked.part,
                "need": asked.need,
                "behaviour": behaviour,
                "by": by,
            }
        self._answering.answer(question, decision, is_named=is_named)
        await self._journal.saved()
        mission = self._registry.get(question.mission)
        if mission is None:
            return {"question": question.id, "behaviour": behaviour, "by": by}
        return {
            "question": question.id,
            "id": mission.id,
            "name": mission.definition.name,
            "about": _of_mission(mission.id, mission.definition.name),
            "behaviour": behaviour,
            "by": by,
        }

    @handles(Hook)
    async def hook(self, request: Hook, caller: Caller) -> Stream[HookTaken, HookReply]:
        """Take in what a hook tells; of a question the answer follows, once somebody has given it."""
        del caller
        import hmac  # noqa: PLC0415 - it loads OpenSSL, 4 MB that a supervisor without agents never needs

        session = self._agents.of(request.mission)
        if session is None or not hmac.compare_digest(session.state.token, request.token):
            raise OvermindError("forbidden", "This hook does not belong to a run.")
        if session.state.mode is not AgentMode.INTERACTIVE or session.is_served:
            yield {}
            return
        program: InteractiveProvider = session.provider  # type: ignore[assignment] # only those with that mode run interactively
        number = 0
        waiter: asyncio.Future[tuple[Asked, Decision] | None] | None = None
        facts = program.hook(request.payload)
        await self._usage.on_hook(session, request.payload, facts)
        if session.closed or session.state.token != request.token:  # its run has ended meanwhile
            yield {}
            return
        for fact in facts:
            if isinstance(fact, Asked):
                number, waiter = self._wait_for(session, fact)
            else:
                session.receive(fact, ActivitySource.HOOK)
        yield {}
        if waiter is None:
            return
        if not program.shows_held and not waiter.done():  # its dialog comes once the hook has ended
            self._waiters.forget(number, waiter)
            return
        try:
            decided = await waiter
        finally:
            unanswered = waiter.cancelled() or not waiter.done()
            if self._waiters.forget(number, waiter) and unanswered and not self._phase.closing:
                self._driver.on_waiter_gone(session, number)
        if decided is not None:
            yield program.hook_answer(*decided) or {}

    def _wait_for(self, session: Session, asked: Asked) -> tuple[int, asyncio.Future[tuple[Asked, Decision] | None]]:
        """The question's number and a future of its answer; of a new one the waiter is there before a rule answers."""
        kept = self._waiters.come_back(asked.request)
        if kept is not None:
            return 0, kept
        number = _known(session, asked)
        if number is not None:
            return number, self._waiters.wait(number)
        number = self._questions.upcoming
        waiter = self._waiters.wait(number)
        session.receive(asked, ActivitySource.HOOK)
        return number, waiter

    def _question(self, request: Answer) -> QuestionRow:
        if request.question is not None:
            found = self._questions.get(request.question)
            if found is None:
                raise OvermindError("not_found", f"There is no question {request.question}. See: overmind inbox")
            return found
        if request.id is None:
            raise OvermindError("invalid", "Missing question: give its number or its mission. See: overmind inbox")
        return self._oldest(request.id)

    def _oldest(self, word: str) -> QuestionRow:
        """The oldest open question about what a person's word means."""
        every = self._questions.open()
        for_all = {row.id: asked for row in every if (asked := self._for_all(row)) is not None}
        opened = [row for row in every if row.id not in for_all]
        at_gate = next((row for row in opened if self._is_gate(row, word)), None)
        try:
            subjects = self._subjects(word)
        except OvermindError as error:
            if at_gate is None:
                raise self._late_at_gate(word) or error from None
            return at_gate
        found = {about: [row for row in opened if self._concerns(row, {about.id})] for about in subjects}
        waiting = {about: rows for about, rows in found.items() if rows}
        if at_gate is not None and all(at_gate not in rows for rows in waiting.values()):
            waiting[About(AboutKind.SPEC, at_gate.about_id, word)] = [at_gate]
        if not waiting:
            return self._only_of_spec(word, subjects, for_all.values())
        if len(waiting) > 1:
            listed = ", ".join(f"{rows[0].id} ({self._kind(rows[0])} {about.name})" for about, rows in waiting.items())
            raise OvermindError("ambiguous", f"{word!r} has several open questions: {listed}. Give the number.")
        return next(iter(waiting.values()))[0]

    def _kind(self, row: QuestionRow) -> str:
        """The kind of subject that asks: a quest has the id of its mission, so that the id does not say it."""
        asked = self._engine.get(row.id)
        return AboutKind.MISSION if asked is None else asked.about.kind

    def _is_gate(self, row: QuestionRow, word: str) -> bool:
        """True where a word is the name of the gate at which this is asked, such as `carts/tasks`."""
        asked = self._engine.get(row.id)
        return asked is not None and is_gate(self._engine_row(asked), word)

    def _for_all(self, row: QuestionRow) -> Question | None:
        """The question, where one answer decides about all that wait for a branch; else None."""
        asked = self._engine.get(row.id)
        question = None if asked is None else self._engine_row(asked)
        return question if question is not None and is_for_all(question) else None

    def _only_of_spec(self, word: str, subjects: Sequence[About], for_all: Iterable[Question]) -> QuestionRow:
        """The one open question about a quest of a spec, about which itself nothing is open.

        `for_all`: the open questions that no name answers.
        """
        specs = {about.id for about in subjects if about.kind is AboutKind.SPEC}
        rows = [row for row in self._questions.open() if self._spec_of(row.about_id) in specs] if specs else []
        if not rows:
            ids = {about.id for about in subjects}
            asked = next((one for one in for_all if self._is_among(one, ids, specs)), None)
            raise self._nothing_open(word, subjects) if asked is None else _decides_for_all(subjects[0], asked)
        if len(rows) > 1:
            listed = "; ".join(map(self._command_for, rows[:MOST_LISTED]))
            more = "" if len(rows) <= MOST_LISTED else "; all of them: overmind inbox"
            raise OvermindError("ambiguous", f"{len(rows)} questions about quests of {word} are open: {listed}{more}")
        return rows[0]

    def _command_for(self, row: QuestionRow) -> str:
        """How a question is answered, and what is asked."""
        asked = self._engine.get(row.id)
        summary = ASKED.decode(row.asked).summary if asked is None else asked.summary
        return f"overmind answer {row.id} allow|deny ({one_line(summary)})"

    def _is_among(self, asked: Question, ids: Container[str], specs: Container[str]) -> bool:
        """True where an answer for all decides about one of these ids, or about a quest of one of these specs."""
        return concerns(asked, ids) or any(self._spec_of(quest) in specs for quest in asked["quests"])

    def _nothing_open(self, word: str, subjects: Sequence[About]) -> OvermindError:
        """The refusal of an answer by a name without an open question; it says who answered first, if anybody did."""
        about, ids = subjects[0], [about.id for about in subjects]
        specs = {self._spec_of(one) for one in ids} - {None}
        found = [self._questions.newest_about(ids), self._newest_at_gate(word, [one for one in specs if one], ids)]
        newest = max((row for row in found if row is not None), key=lambda row: row.id, default=None)
        message = f"{about.kind.capitalize()} {about.id} ({about.name}) has no open question."
        if newest is None:
            return OvermindError("not_found", f"{message} See: overmind inbox")
        late = self._questions.too_late(newest)
        return OvermindError("not_found", f"{message} {late.message}", **late.fields)

    def _late_at_gate(self, word: str) -> OvermindError | None:
        """The refusal of a late answer by the name of a gate without a quest; None where there was no such gate."""
        try:
            subjects = self._subjects(word.rpartition("/")[0])
        except OvermindError:
            return None
        specs = [about.id for about in subjects if about.kind is AboutKind.SPEC]
        newest = self._newest_at_gate(word, specs, ())
        return None if newest is None else self._questions.too_late(newest)

    def _newest_at_gate(self, word: str, specs: Collection[str], ids: Container[str]) -> QuestionRow | None:
        """The newest question at the gate of one of these specs that a word names, or whose document one of these made.

        It may be open or not.
        """
        rows = self._questions.every_about(specs) if specs else ()
        for row in rows:
            asked = self._engine_row(read_question(row))
            made = {"id": "", QUESTS: asked["quests"]}
            if is_gate(asked, word) or concerns(made, ids):
                return row
        return None

    def _subjects(self, word: str) -> list[About]:
        """The mission, quest and spec that it means, each id once."""
        found: dict[str, About] = {}
        errors: list[OvermindError] = []
        for resolve in (self._mission, *self._resolvers):
            try:
                about = resolve(word)
            except OvermindError as error:
                errors.append(error)
            else:
                found.setdefault(about.id, about)
        if not found:
            raise next((error for error in errors if error.code == "ambiguous"), errors[0])
        return list(found.values())

    def _mission(self, word: str) -> About:
        mission = find(self._registry, word, live_first=True)
        return About(AboutKind.MISSION, mission.id, mission.definition.name)

    async def _row(self, question: QuestionRow) -> Question | None:
        """The question as the inbox shows it; None when it is about to leave it."""
        if question.mission is None:
            asked = self._engine.get(question.id)
            if asked is None:
                return None
            row, folder = self._engine_row(asked), asked.subject.get(RAN_IN)
            if isinstance(folder, str) and not await asyncio.to_thread(os.path.isdir, from_wire(folder)):
                row["subject"] = without_folder(row["subject"])
            return row
        session = self._agents.of(question.mission)
        return None if session is None else await self._described(question, question.mission, session)

    def _engine_row(self, asked: EngineQuestion) -> Question:
        about = self._about(asked)
        return {
            "question": asked.number,
            "id": about["id"],
            "name": about["name"],
            "about": about,
            "part": asked.part,
            "quests": list(self._quests_of(asked)),
            "need": asked.need,
            "tool": "",
            "summary": asked.summary,
            "subject": dict(asked.subject),
            "rule": None,
            "options": [],
            "choices": [],
            "replaces": None,
            "asked_at": format_time(asked.asked_at),
            "attach_only": False,
        }

    def _about(self, asked: EngineQuestion) -> QuestionSubject:
        """Its subject, by the name that it has now."""
        kind, id_, name = asked.about.kind, asked.about.id, asked.about.name
        mission = self._registry.live.get(id_)
        return {"kind": kind, "id": id_, "name": name if mission is None else mission.definition.name}

    async def _described(self, question: QuestionRow, mission_id: str, session: Session) -> Question:
        asked = ASKED.decode(question.asked)
        mission = self._registry.get(mission_id)
        name = mission_id if mission is None else mission.definition.name
        folder = "/" if mission is None else mission.definition.cwd
        path = path_written(asked.subject, folder)
        replaces = None if path is None else await asyncio.to_thread(replaced_file, path)
        begins = None if path is not None else await asyncio.to_thread(begins_of, asked.subject, folder)
        found: Question = {
            "question": question.id,
            "id": mission_id,
            "name": name,
            "about": _of_mission(mission_id, name),
            "need": asked.need,
            "tool": asked.tool,
            "summary": asked.summary,
            "subject": dict(asked.subject),
            "rule": ", ".join(rules_of(asked)) or None,
            "options": options_of(asked),
            "choices": [
                {"question": one.text, "heading": one.heading, "options": list(one.labels), "several": one.several}
                for one in choices_of(asked.subject)
            ],
            "replaces": replaces,
            "asked_at": format_time(question.asked_at),
            "attach_only": is_attach_only(asked, session),
        }
        return found if begins is None else {**found, "begins": begins}


def _decides_for_all(about: About, asked: Question) -> OvermindError:
    """The refusal of an answer by one name to a question that decides about all that wait for a branch."""
    return OvermindError(
        "ambiguous",
        f"{about.kind.capitalize()} {about.id} ({about.name}) waits with all that are to land on {asked['part']}, and "
        f"one answer decides about them all. Give its number: {with_answer(asked)}",
    )


def _of_mission(mission_id: str, name: str) -> QuestionSubject:
    return {"kind": AboutKind.MISSION, "id": mission_id, "name": name}


def _known(session: Session, asked: Asked) -> int | None:
    """The number of the same question, asked again because our answer was lost."""
    if not asked.request:
        return None
    return next((number for number, one in session.questions.items() if one.request == asked.request), None)

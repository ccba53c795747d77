"""The service of reports: each is counted, and becomes a quest, a question or a record in the same commit."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from overmind_core.domain import reports as rules
from overmind_core.domain.agents.agent_events import Behaviour
from overmind_core.domain.engine_questions import BLOCKS, LINES, NAMED, REPORTS, UNASSIGNED, EngineNeed
from overmind_core.domain.events import THE_QUEUE, About, AboutKind
from overmind_core.domain.quests.needs import cycle_of
from overmind_core.domain.quests.quest import Goal, Quest, QuestStatus, QueueState
from overmind_core.domain.replacing import replace
from overmind_core.domain.reports import BECOMES_QUEST, MOST_AT_ONCE, MOST_OF_A_SOURCE, Outcome, Report, ReportKind
from overmind_core.domain.text.slug import slug_of
from overmind_core.errors import OvermindError, with_hint
from overmind_core.quests.intake import cycle_error, needs_of
from overmind_core.reports.assignment import worded
from overmind_core.reports.events import ReportMade
from overmind_core.reports.store import RECORD, ReportRow, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from overmind_core.agents.engine_questions import EngineQuestion, EngineQuestions
    from overmind_core.agents.waiting import WaitingMissions
    from overmind_core.domain.agents.agent_events import Decision
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.config import Settings
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.service import Missions
    from overmind_core.quests.attempts import Attempts
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.store import StoredWork
    from overmind_core.reports.answer_types import ReportAnswer, Reported
    from overmind_core.reports.assignment import Assignment, Assignments
    from overmind_core.reports.store import ReportTable
    from overmind_core.system.machine import Clock

PERSON = "person"
"""The id of the source of a person's reports."""
KEPT = 20_000
"""How many reports are kept, the newest."""
_TRIM_EVERY = 500


class Source(NamedTuple):
    """Who reports."""

    id: str
    """Of the mission; `person`."""
    name: str
    mission: Mission | None
    quest: Quest | None
    """The quest of the queue whose work, check or review the mission is, or descends from."""

    @property
    def spec(self) -> str | None:
        """Id of its spec."""
        return None if self.quest is None or self.quest.queue is None else self.quest.queue.spec


class Reports:
    """Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        journal: Journal,
        events: EventLog,
        clock: Clock,
        settings: Settings,
        registry: Registry,
        missions: Missions,
        quests: QuestRegistry,
        attempts: Attempts,
        engine: EngineQuestions,
        waiting: WaitingMissions,
        assignments: Assignments,
        table: ReportTable,
        slug_of_spec: Callable[[str], str | None],
        on_queued: Callable[[str], None],
    ) -> None:
        """`on_queued`: called with the id of a spec for which a quest is queued, in the commit that does so."""
        self._journal = journal
        self._events = events
        self._clock = clock
        self._settings = settings
        self._registry = registry
        self._missions = missions
        self._quests = quests
        self._attempts = attempts
        self._engine = engine
        self._waiting = waiting
        self._assignments = assignments
        self._table = table
        self._slug_of_spec = slug_of_spec
        self._on_queued = on_queued
        self._newest = 0

    def load(self) -> None:
        """Continue after the highest number that was ever used."""
        self._newest = self._table.newest()

    async def forgetting(self, spec: str, quests: Sequence[Quest]) -> Callable[[], None]:
        """Return a function that forgets a spec's reports; it is called in the commit that forgets the spec."""
        del quests

        def forget() -> None:
            self._journal.save(lambda: self._table.remove_of_spec(spec))

        return forget

    # reporting

    async def report(
        self, source: Source, wanted: Report, *, block: bool, waits: bool, at_hand: Assignment | None
    ) -> Reported:
        """Accept a report: count it, and queue, ask or record it.

        Args:
            source: Who reports.
            wanted: The report, validated; its depth and outcome are decided here.
            block: Whether the source's quest is to wait for the new quest.
            waits: Whether the source waits for the answer to its question.
            at_hand: The agent for what a person reports.

        Raises:
            OvermindError: `cycle`, it would wait for a quest that waits for it; `invalid`, for one that never comes.
        """
        self._journal.flush()
        blocked = source.quest if block else None
        digest = digest_of(wanted.text)
        again = self._repeated(source, wanted, digest)
        if blocked is not None and again is not None and again.report.quest is not None:
            self._check_circle(blocked, again.report.quest)
        if again is not None:
            answer = self._count(again, wanted, blocked)
        else:
            answer = self._new(source, wanted, digest, blocked=blocked, waits=waits, at_hand=at_hand)
        quest, question = answer["quest"], answer["question"]
        if blocked is not None and quest is not None:
            self._attempts.block(blocked.id, quest["id"])
        elif blocked is not None and question is not None and self._engine.get(question) is not None:
            self._attempts.wait_for(blocked.id, question)
        await self._journal.saved()
        return answer

    def _check_circle(self, blocked: Quest, need: str) -> None:
        """Refuse to have a quest wait for one that waits for it.

        Raises:
            OvermindError: `cycle`.
        """

        def needs(quest_id: str) -> Sequence[str]:
            known = needs_of(self._quests.live.get(quest_id))
            return (*known, need) if quest_id == blocked.id else known

        if loop := cycle_of(blocked.id, needs):
            names = [one if (found := self._quests.get(one)) is None else found.name for one in loop]
            error = cycle_error(names)
            raise OvermindError(error.code, with_hint(error.message, "Report it without --block"), **error.fields)

    def _repeated(self, source: Source, wanted: Report, digest: str) -> ReportRow | None:
        """The report that this one repeats, with the same text or evidence; None: it is to be acted on."""
        same = self._table.same(digest)
        if not same and wanted.evidence:
            known = self._table.of(wanted.source)
            same = [row for row in known if set(row.report.evidence) == set(wanted.evidence)]
        return next((row for row in same if self._repeats(source, wanted, row.report)), None)

    def _repeats(self, source: Source, wanted: Report, earlier: Report) -> bool:
        """Whether a report adds nothing to an earlier one that says the same.

        A question that is answered is asked anew, for the answer was to what was so then; so is that of another
        mission, with whose end it is withdrawn. What has come back after its quest was over, or is found in another
        repository, is new. What a person has denied stays recorded.
        """
        if earlier.kind is not wanted.kind:
            return False
        if wanted.request is not None and earlier.request == wanted.request:
            return True
        if earlier.kind is ReportKind.QUESTION:
            is_open = earlier.question is not None and self._engine.get(earlier.question) is not None
            return is_open and earlier.source == wanted.source
        if earlier.quest is None:
            mission = self._registry.get(earlier.source)
            quest = None if mission is None else self.source_of(mission).quest
            return quest is None or _repository(source.quest) in {None, _repository(quest)}
        quest = self._quests.live.get(earlier.quest)
        return quest is not None and _repository(source.quest) in {None, _repository(quest)}

    def _count(self, row: ReportRow, wanted: Report, blocked: Quest | None) -> Reported:
        """Count a report that was made before.

        Raises:
            OvermindError: `invalid`, nobody queues it any more, so that a quest would wait in vain.
        """
        report = row.report
        if wanted.request is not None and report.request == wanted.request:  # again, as its answer was lost
            return self._answer(row.id, report, None)
        is_open = report.question is None or self._engine.get(report.question) is not None
        closed = "" if is_open or report.quest is not None else rules.closed_text(report)
        if closed and blocked is not None:
            raise OvermindError("invalid", with_hint(closed, "Go on without it, or say what is new"))
        waiting = () if blocked is None or blocked.id in report.blocked else (blocked.id,)
        counted = replace(report, count=report.count + 1, blocked=(*report.blocked, *waiting))
        self._save(row._replace(record=RECORD.encode(counted)))
        self._record(wanted, row.id, counted, "it was reported before")
        told = replace(counted, question=None, outcome=Outcome.RECORDED) if closed else counted
        return self._answer(row.id, told, closed or None)

    def _new(
        self,
        source: Source,
        wanted: Report,
        digest: str,
        *,
        blocked: Quest | None,
        waits: bool,
        at_hand: Assignment | None,
    ) -> Reported:
        kept = self._table.of(source.id)
        depth = 1 if source.quest is None or source.quest.queue is None else source.quest.queue.depth + 1
        assignment = at_hand if source.mission is None else self._assignments.of(source.mission, source.quest)
        root = self._root(source)
        open_together = self._open_of_spec(source.spec) if root is None else self._open_below(root)
        verdict = rules.verdict_on(
            wanted.kind,
            depth=depth,
            queued_of_source=0 if source.mission is None else sum(row.report.quest is not None for row in kept),
            open_together=open_together,
            together="its spec" if root is None else root.name,
            is_assignable=assignment is not None,
            limits=self._settings.reports,
        )
        report = replace(wanted, depth=depth, outcome=verdict.outcome)
        twin = rules.twin_of(report.text, (row.report for row in kept))
        why = verdict.why or ("" if twin is None else _alike(twin))
        if verdict.outcome is Outcome.RECORDED and len(kept) >= MOST_OF_A_SOURCE:
            self._record(report, 0, report, "too many reports of one mission are kept")
            return self._answer(0, report, f"{MOST_OF_A_SOURCE} reports of one mission are kept, so this one is not")
        self._newest += 1
        number = self._newest
        with self._journal.together():
            if verdict.outcome is Outcome.QUEUED and assignment is not None:
                report = replace(report, quest=self._queue(source, report, assignment))
            elif verdict.outcome is Outcome.ASKED:
                limits = self._settings.reports
                shared = root if depth > limits.depth or open_together >= limits.per_spec else None
                report = replace(report, why=verdict.why, blocked=() if blocked is None else (blocked.id,))
                asked = self._ask(source, report, number, blocked, waits=waits, shared=shared)
                report = replace(report, question=asked)
            if report.outcome is not Outcome.ASKED:
                report = replace(report, environment=())  # it is kept for what may become a quest
            self._save(ReportRow(number, source.id, source.spec, digest, RECORD.encode(report)))
            self._record(report, number, report, why)
        return self._answer(number, report, why or None)

    def _root(self, source: Source) -> Quest | None:
        """The quest outside of specs from which what is reported comes, over all reports; None: a spec, or a person."""
        quest, seen = source.quest, set[str]()
        if source.spec is not None or quest is None:
            return None
        while quest.queue is not None and quest.queue.source is not None and quest.id not in seen:
            seen.add(quest.id)
            mission = self._registry.get(quest.queue.source)
            above = None if mission is None else self.source_of(mission).quest
            if above is None:
                return quest
            quest = above
        return quest

    def _open_below(self, root: Quest) -> int:
        """How many unfinished quests reports have queued below a quest."""
        reported = [one for one in self._quests.live.values() if one.queue is not None and one.queue.depth]
        roots = [self._root(Source(one.id, one.name, None, one)) for one in reported]
        return sum(one is not None and one.id == root.id for one in roots)  # a quest is another record at each change

    def _open_of_spec(self, spec: str | None) -> int:
        return sum(one.id in self._quests.live for one in self._of_spec(spec))

    def _queue(self, source: Source, report: Report, assignment: Assignment) -> str:
        """Queue a quest for a report; return its id."""
        title = rules.title_of(report.kind, report.title, report.text)
        quest_id = self._missions.new_id()
        work = worded(assignment.work, self._name_for(title, source.spec, quest_id), title)
        made = self._quest(quest_id, source, report, work, title)
        if made.goal is not None and made.goal.into is not None:
            work = replace(work, isolate=True, base=made.goal.into)
        self._quests.enqueue([(made, work)], assignment.environments)
        if source.spec is not None:
            self._on_queued(source.spec)
        return made.id

    def _name_for(self, title: str, spec: str | None, quest_id: str) -> str:
        """The name of a reported quest: `carts/R-001` in a spec, else made of the title."""
        slug = None if spec is None else self._slug_of_spec(spec)
        if slug is None:
            return slug_of(title, self._is_taken, unnamed=f"quest-{quest_id}")
        return rules.next_report_name(slug, [one.name for one in self._of_spec(spec)])

    def _quest(self, quest_id: str, source: Source, report: Report, work: StoredWork, title: str) -> Quest:
        """A queued quest that lands, and is reviewed and verified before, as the quest that reports it."""
        quest, now = source.quest, self._clock.wall()
        goal = None if quest is None else quest.goal
        return Quest(
            id=quest_id,
            name=work.definition.name,
            command=work.definition.command,
            cwd=work.definition.cwd,
            provider=work.definition.provider,
            created_at=now,
            retries=2 if quest is None else quest.retries,
            status=QuestStatus.QUEUED,
            attempts=0,
            goal=Goal(
                title=title,
                brief=rules.brief_of(report),
                priority=rules.priority_of(None if goal is None else goal.priority),
                review=None if goal is None or goal.into is None else goal.review,
                into=None if goal is None else goal.into,
                verify=None if goal is None else goal.verify,
                group=None if goal is None else goal.group,
            ),
            queue=QueueState(
                able_at=now,
                repository=None if quest is None or quest.queue is None else quest.queue.repository,
                spec=source.spec,
                source=source.id,
                depth=report.depth,
            ),
        )

    def _of_spec(self, spec: str | None) -> list[Quest]:
        """The quests of a spec that reports have made, ended ones too."""
        if spec is None:
            return []
        ids = {row.report.quest for row in self._table.of_spec(spec)}
        queued = ((one.id, one.queue) for one in self._quests.live.values())  # rows may not be written yet
        ids |= {one for one, queue in queued if queue is not None and queue.spec == spec and queue.source is not None}
        return [found for one in ids if one is not None and (found := self._quests.get(one)) is not None]

    def _is_taken(self, name: str) -> bool:
        return self._quests.holder(name) is not None or self._registry.index.holder(name) is not None

    def _ask(
        self,
        source: Source,
        report: Report,
        number: int,
        blocked: Quest | None,
        *,
        waits: bool,
        shared: Quest | None,
    ) -> int:
        """Ask a person; all reports of a source that are past a limit share one question, or all below a quest."""
        about, known = self._about(source, blocked), {number: report}
        if report.kind is not ReportKind.QUESTION:
            key = f"limit:{source.id}"
            if shared is not None and blocked is None:
                about, key = About(AboutKind.QUEST, shared.id, shared.name), f"limit:{shared.id}"
            return self._ask_to_queue(known, about, key)
        subject = _subject(known, [number]) | {"waits": waits}
        summary, key = f"{_reporter(report)} asks: {report.text}", f"report:{number}"
        heard_by = "" if source.mission is None else source.id
        return self._engine.ask(EngineNeed.REPORT, about, summary=summary, subject=subject, key=key, ends_with=heard_by)

    def _ask_to_queue(self, reports: Mapping[int, Report], about: About, key: str) -> int:
        """Ask whether these reports, by their numbers, become quests; return the number of the question.

        The open question about others takes them in, unless somebody may have read that, or it is full: it says that
        there are more, and these are asked about after its answer.
        """
        asked = self._engine.find(about.id, EngineNeed.REPORT, key)
        if asked is None:
            subject = _subject(reports, list(reports)[:MOST_AT_ONCE])
            summary = _summary([reports[one] for one in subject[REPORTS]])
            return self._engine.ask(EngineNeed.REPORT, about, summary=summary, subject=subject, key=key)
        every = {row.id: row.report for row in self._table.asked(asked.number)} | dict(reports)
        is_shown = self._engine.is_shown(asked.number)
        shown = [one for one in _asked_about(asked) if one in every] if is_shown else list(every)[:MOST_AT_ONCE]
        if shown:
            summary = asked.summary if is_shown else _summary([every[one] for one in shown])
            self._engine.reword(asked.number, summary=summary, subject=_subject(every, shown))
        return asked.number

    def _ask_about_others(self, question: EngineQuestion, rows: Sequence[ReportRow]) -> int:
        """Ask about reports that an answered question was not about; return the number of the new question."""
        number = self._ask_to_queue({row.id: row.report for row in rows}, question.about, question.key)
        for row in rows:
            self._save(row._replace(record=RECORD.encode(replace(row.report, question=number))))
        return number

    def _about(self, source: Source, blocked: Quest | None) -> About:
        if blocked is not None:
            return About(AboutKind.QUEST, blocked.id, blocked.name)
        if source.mission is not None:
            return About(AboutKind.MISSION, source.mission.id, source.mission.definition.name)
        return THE_QUEUE

    def _save(self, row: ReportRow) -> None:
        def write() -> None:
            self._table.save(row)
            if row.id % _TRIM_EVERY == 0:
                self._table.trim(KEPT)

        self._journal.save(write)

    def _record(self, wanted: Report, number: int, report: Report, why: str) -> None:
        self._events.record(
            ReportMade(
                mission=None if wanted.source == PERSON else wanted.source,
                name=wanted.source_name,
                report=number,
                kind=report.kind.value,
                quest=report.quest,
                question=report.question,
                count=report.count,
                why=why or None,
            )
        )

    def _answer(self, number: int, report: Report, why: str | None) -> Reported:
        quest = None if report.quest is None else self._quests.get(report.quest)
        return {
            "report": number,
            "kind": report.kind.value,
            "outcome": report.outcome.value,
            "quest": None if quest is None else {"id": quest.id, "name": quest.name},
            "question": report.question,
            "count": report.count,
            "why": why,
        }

    # answering

    async def answered(self, number: int, source: Source) -> ReportAnswer:
        """Wait until a person has answered a question, unless somebody has already; until then the source waits.

        Raises:
            OvermindError: `gone`: the question was withdrawn, or is unknown.
        """
        asked = self._engine.get(number)
        waiting = asked and source.mission and self._waiting.waits(source.id, asked.summary)
        with waiting or nullcontext():
            decision = await self._engine.closed(number)
        if decision is None:
            raise OvermindError("gone", f"Question {number} was withdrawn.")
        behaviour: Literal["allow", "deny"] = "allow" if decision.behaviour is Behaviour.ALLOW else "deny"
        return {"question": number, "behaviour": behaviour, "message": decision.message or None}

    async def check_answer(self, question: EngineQuestion, decision: Decision) -> None:
        """See that a person answers what they were shown, and that the agent which they name for reports is there.

        Raises:
            OvermindError: `changed`, several reports share the question, and nobody was shown that; `provider_missing`,
                the agent is not there; `cwd_not_found`; `invalid`, none is named.
        """
        count, number = len(_asked_about(question)), question.number
        if count > 1 and not self._engine.is_shown(number):
            raise OvermindError("changed", f"Question {number} is about {count} reports by now. See: overmind inbox")
        self._engine.note_shown(number)
        for row in self._late(question, decision):
            _, assignment = self._assigned_late(row.report, _named(decision))
            await self._missions.check_program(assignment.work.spec(dict(assignment.environment)))

    def on_answer(self, question: EngineQuestion, decision: Decision) -> None:
        """Act on a person's answer: a report that they allow is queued, and a blocked source can go on.

        What was reported after they were shown the question is asked about anew.
        """
        decided, others = self._split(question)
        late = [(row, self._queue_late(row, _named(decision))) for row in self._late(question, decision)]
        again = self._ask_about_others(question, others) if others else None
        for quest in [one for one in self._quests.live.values() if _waits_for(one, question.number)]:
            waits_on = again is not None and _blocks(others, quest)
            is_named = _blocks(decided, quest)  # a report of an earlier version names none
            if is_named or not waits_on:
                self._attempts.answered(quest.id, decision.message or "")
                for row, need in late:
                    if not is_named or _blocks([row], quest):
                        self._attempts.block(quest.id, need)
            if again is not None and waits_on:
                self._attempts.wait_for(quest.id, again)

    def _split(self, question: EngineQuestion) -> tuple[list[ReportRow], list[ReportRow]]:
        """The reports that a question is about, and those that wait for its answer to be asked about."""
        rows, shown = self._table.asked(question.number), _asked_about(question)
        return [row for row in rows if row.id in shown], [row for row in rows if row.id not in shown]

    def _late(self, question: EngineQuestion, decision: Decision) -> list[ReportRow]:
        """The reports that this answer has queued."""
        if decision.behaviour is not Behaviour.ALLOW:
            return []
        decided, _ = self._split(question)
        return [row for row in decided if row.report.kind in BECOMES_QUEST and row.report.quest is None]

    def _assigned_late(self, report: Report, named: str) -> tuple[Source, Assignment]:
        """The source of a report that was asked about, and who does it.

        `named`: the agent that the person has named, should none be set; "": nobody has.

        Raises:
            OvermindError: `invalid`: no agent does it.
        """
        mission = self._registry.get(report.source)
        if mission is not None:
            source = self.source_of(mission)
            assignment = self._assignments.of(mission, source.quest, named=named)
        else:
            source = Source(PERSON, PERSON, None, None)
            environment = dict(report.environment)
            assignment = self._assignments.of_queue(report.cwd, environment, named=named) if report.cwd else None
        if assignment is None:
            title = shlex.quote(rules.title_of(report.kind, report.title, report.text))
            ways = f"Name one: overmind answer {report.question} {NAMED}, or add it yourself: overmind quest add"
            raise OvermindError("invalid", f"No agent is set for it. {ways} --provider {NAMED} {title}")
        return source, assignment

    def _queue_late(self, row: ReportRow, named: str) -> str:
        """Queue a report that was asked about; return the quest's id. As `_assigned_late`."""
        report = row.report
        source, assignment = self._assigned_late(report, named)
        quest = self._queue(source, report, assignment)
        queued = replace(report, quest=quest, outcome=Outcome.QUEUED, environment=())
        self._save(row._replace(record=RECORD.encode(queued)))
        return queued.quest or ""

    def source_of(self, mission: Mission) -> Source:
        """The source of a mission's reports, with the quest that the mission works for."""
        above: Mission | None = mission
        while above is not None:
            quest = self._quests.get(above.id)
            if quest is not None and quest.queue is not None:
                return Source(mission.id, mission.definition.name, mission, quest)
            parent = above.definition.parent
            above = None if parent is None else self._registry.get(parent)
        return Source(mission.id, mission.definition.name, mission, None)


def _subject(reports: Mapping[int, Report], shown: Sequence[int]) -> dict[str, Any]:
    """The subject of a question about the reports of these numbers, which says how many others there are."""
    told = [reports[one] for one in shown]
    lines, more = rules.lines_of(told), len(reports) - len(told)
    if more:
        lines.append(f"{more} more {'has' if more == 1 else 'have'} come since: asked about after this answer.")
    first: dict[str, Any] = {"kind": told[0].kind.value, "report": shown[0], "source": told[0].source}
    subject = {**first, LINES: lines, REPORTS: list(shown), "waits": False}
    if all(one.blocked for one in reports.values()):  # else it is still asked when nothing waits for it any more
        subject[BLOCKS] = True
    return subject | ({UNASSIGNED: True} if any(one.why == rules.NO_AGENT for one in told) else {})


def _asked_about(question: EngineQuestion) -> Sequence[int]:
    """The numbers of the reports that a question is about; one of an earlier version shows the first alone."""
    numbers: Sequence[int] = question.subject.get(REPORTS) or [question.subject.get("report", 0)]
    return numbers


def _summary(reports: Sequence[Report]) -> str:
    """The sentence that asks about reports which are not queued by themselves, with the reason for the newest."""
    who, others = _reporter(reports[0]), len({one.source for one in reports}) - 1
    if others:
        who = f"{who} and {others} other{'' if others == 1 else 's'}"
    count = len(reports)
    what = "something that is" if count == 1 else f"{count} things that are"
    why = f": {reports[-1].why}" if reports[-1].why else ""
    itself = "itself" if count == 1 else "themselves"
    return f"{who} {'have' if others else 'has'} reported {what} not queued by {itself}{why}"


def _reporter(report: Report) -> str:
    return "A person" if report.source == PERSON else report.source_name


def _blocks(rows: Sequence[ReportRow], quest: Quest) -> bool:
    """True of a quest that can't go on without one of these."""
    return any(quest.id in row.report.blocked for row in rows)


def _repository(quest: Quest | None) -> str | None:
    return None if quest is None or quest.queue is None else quest.queue.repository


def _named(decision: Decision) -> str:
    return (decision.message or "").strip()


def _waits_for(quest: Quest, question: int) -> bool:
    return quest.queue is not None and quest.queue.waits_for == question


def _alike(twin: Report) -> str:
    return f"a report says nearly the same: {rules.title_of(twin.kind, twin.title, twin.text)}"

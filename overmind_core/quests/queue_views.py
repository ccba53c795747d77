"""The queue as people look at it: rows with places, scores and reasons; the board; why one quest waits."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from overmind_core.domain.engine_questions import DECIDES_WORK, with_answer
from overmind_core.domain.landing import VERIFY
from overmind_core.domain.quests.attempt import is_gone, is_overdue
from overmind_core.domain.quests.board import COLUMNS, Column, column_of
from overmind_core.domain.quests.classes import CHECK_FAILED, VERIFY_FAILED, last_failure
from overmind_core.domain.quests.life import has_landed_nothing, is_landed_by_hand, is_refused, waits_for_target
from overmind_core.domain.quests.needs import set_free
from overmind_core.domain.quests.quest import HAS_ENDED, Quest, QuestPhase, QuestStatus
from overmind_core.domain.quests.remedies import Known, remedies
from overmind_core.domain.quests.why import (
    Evidence,
    Place,
    has_failed_for_command,
    in_the_way,
    last_printed,
    may_keep_work,
    setting_of,
    why_of,
)
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.domain.text.slug import slug_of
from overmind_core.errors import OvermindError
from overmind_core.logs.run_output import ending, newest
from overmind_core.missions.answers import time
from overmind_core.missions.lookup import find
from overmind_core.missions.registry import decode_mission
from overmind_core.quests import answers, store
from overmind_core.quests.answers import InQueue
from overmind_core.quests.question_subjects import checked_in
from overmind_core.quests.queue import POOL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from overmind_core.agents.answer_types import Question
    from overmind_core.domain.admission import Wait
    from overmind_core.domain.landing import KeptWork
    from overmind_core.domain.quests.needs import Need
    from overmind_core.domain.quests.score import Score
    from overmind_core.domain.quests.why import Refusal
    from overmind_core.kernel.journal import Journal
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.store import MissionTable
    from overmind_core.quests.answer_types import (
        BoardColumn,
        BoardGate,
        OpenQuestion,
        QuestBoard,
        QuestDetails,
        QuestRow,
        QuestScore,
        QuestWhy,
        QueueStatus,
        WaitedFor,
    )
    from overmind_core.quests.line import Line
    from overmind_core.quests.obstacles import Obstacles
    from overmind_core.quests.ports import Asker
    from overmind_core.quests.queue import Queue
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.quests.store import QuestTable
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


ENDED = tuple(one.value for one in HAS_ENDED)
KEPT_DONE = 1000
"""Ended quests that a board looks at."""
LAST_BYTES = 4096
"""Of a check's output, in which its last lines are looked for."""


class QueueViews:
    """Answers requests about the queue. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        queue: Queue,
        obstacles: Obstacles,
        asker: Asker,
        registry: Registry,
        journal: Journal,
        clock: Clock,
        mission_table: MissionTable,
        quest_table: QuestTable,
        slug_of: Callable[[str], str | None],
        find_spec: Callable[[str], str],
        estimated: Callable[[Quest], float | None],
        look: Callable[[str], Awaitable[object]],
        refusal: Callable[[str], Refusal | None],
        in_the_way: Callable[[str], str],
        gates: Callable[[str | None], list[BoardGate]],
        worktree: Callable[[str], str | None],
        kept_work: Callable[[str], Awaitable[KeptWork | None]],
        home: Home,
        pending_settings: Callable[[str | None], str],
        questions_about: Callable[[str, str], Awaitable[Sequence[Question]]],
    ) -> None:
        """`slug_of`: of the spec with an id. `find_spec`: the id of the spec that a word means.

        `estimated`: how many seconds an attempt of a quest takes; None: nobody knows. `look`: looks at what is in the
        way of the landing of a quest; `refusal`: what that is; `in_the_way`: the same in a few words. `gates`: what
        specs wait for, or the one with an id. `worktree`: the folder of the worktree of a mission; `kept_work`:
        what would be lost with it. `pending_settings`: a sentence about a key in [queue] of config.toml, or about all
        of that file, that was changed since the daemon began; "" else. `questions_about`: what is asked about the
        quest of an id and a name.
        """
        self._quests = quests
        self._queue = queue
        self._obstacles = obstacles
        self._asker = asker
        self._registry = registry
        self._journal = journal
        self._clock = clock
        self._mission_table = mission_table
        self._quest_table = quest_table
        self._slug_of = slug_of
        self._find_spec = find_spec
        self._estimated = estimated
        self._look = look
        self._refusal = refusal
        self._in_the_way = in_the_way
        self._gates = gates
        self._worktree = worktree
        self._kept_work = kept_work
        self._home = home
        self._pending_settings = pending_settings
        self._questions_about = questions_about

    def rows(self, quests: Sequence[Quest]) -> list[QuestRow]:
        """These quests as rows."""
        now = self._clock.wall()
        return self._rows(quests, now, self._queue.line(now) if any(_is_queued(one) for one in quests) else None)

    def details(self, quest: Quest) -> QuestDetails:
        """Everything known of one quest."""
        folder = self._worktree(quest.id)
        return answers.details(self.rows([quest])[0], quest, None if folder is None else to_wire(folder))

    def ready(self, quests: Iterable[Quest]) -> list[Quest]:
        """Those of these that nothing but a slot keeps from starting, in their order."""
        line = self._queue.line(self._clock.wall())
        waits = line.waits([one for one in quests if _is_queued(one)])
        return [one for one in line.quests if (wait := waits.get(one.id)) is not None and wait.code == "slots"]

    def queue(self, now: float, *, limit: int = 0) -> QueueStatus:
        """The queue as it stands at `now`, seconds since the epoch; of the queued ones the first `limit`, 0: all."""
        line = self._queue.line(now)
        landing = [one for one in self._quests.live.values() if _lands(one)]
        limits = self._queue.limits()
        pools = sorted(limits.pools.items(), key=lambda pool: (pool[0] != POOL, pool[0]))
        return {
            "paused": self._queue.paused,
            "slots": self._queue.slots,
            "pools": [{"name": name, "slots": pool.at_once, "used": pool.running} for name, pool in pools],
            "count": len(line.quests),
            "quests": self._rows(line.quests[: limit or None], now, line),
            "landing": self._rows(sorted(landing, key=_landing_since), now),
            "pending_settings": self._pending(line),
        }

    def _pending(self, line: Line) -> str:
        """What was changed in config.toml for which any quest waits."""
        if not self._pending_settings(None):
            return ""
        keys = {key for wait in line.waits(line.quests).values() if (key := self._key_of(wait)) is not None}
        return next(filter(None, map(self._pending_settings, sorted(keys))), "")

    def _key_of(self, wait: Wait | None) -> str | None:
        """The key in [queue] of config.toml for which it waits; None: for none, or a person has set another value."""
        key = None if wait is None else setting_of(wait)
        return None if key == "slots" and self._queue.has_set_slots else key

    def spec_id(self, word: str) -> str:
        """The id of the spec that a word means; raises `not_found`, `ambiguous`."""
        return self._find_spec(word)

    def board(self, spec: str | None, *, every: bool, limit: int = 0) -> QuestBoard:
        """Every quest in exactly one column.

        Args:
            spec: Only those of the spec that this word means.
            every: With all that have ended, not only the newest.
            limit: At most so many in each column; 0: all.
        """
        self._journal.flush()
        now = self._clock.wall()
        wanted = None if spec is None else self._find_spec(spec)
        live = self._quests.live
        others = [one for one in live.values() if not _is_queued(one)]
        ended = self._quest_table.newest(1_000_000 if every else KEPT_DONE, statuses=ENDED)
        others += [self._quests.get(row.id) or store.quest(row) for row in ended if row.id not in live]
        gates = self._gates(wanted)
        at_gates = {gate["quest"]: self._quests.get(gate["quest"]) for gate in gates if gate["quest"] is not None}
        shown = {one.id for one in others} | live.keys()
        others += [one for one in at_gates.values() if one is not None and one.id not in shown]
        line = self._queue.line(now)
        asked = self._asker.asked_about()
        columns: dict[Column, list[Quest]] = {column: [] for column in COLUMNS}
        first = sorted(others, key=lambda one: (one.id not in at_gates, *_newest_first(one)))
        for quest in (*first, *line.quests):
            if wanted is None or quest.spec == wanted:
                code = line.code(quest) if _is_queued(quest) else None
                is_asked, at_gate = quest.id in asked or is_refused(quest), quest.id in at_gates
                columns[column_of(quest, code, asked=is_asked, at_gate=at_gate)].append(quest)
        return {
            "columns": [self._column(column, columns[column], now, line, limit) for column in COLUMNS],
            "gates": gates,
        }

    def _column(self, column: Column, quests: list[Quest], now: float, line: Line, limit: int) -> BoardColumn:
        return {
            "name": column.value,
            "count": len(quests),
            "quests": self._rows(quests[: limit or None], now, line),
        }

    async def why(self, quest: Quest) -> QuestWhy:
        """Why a quest does not start, or how it stands, and what depends on it."""
        evidence = await self._evidence(quest)
        kept_work = await self._kept_work(quest.id) if may_keep_work(quest) else None
        if waits_for_target(quest):
            await self._look(quest.id)
        asked = await self._questions_about(quest.id, quest.name)
        questions = [_open_question(one) for one in asked]
        decides = (one["question"] for one in asked if one["about"]["id"] == quest.id and one["need"] in DECIDES_WORK)
        quest = self._quests.get(quest.id) or quest
        kept_work = kept_work if may_keep_work(quest) else None  # it may go on again by now
        quest = replace(quest, attempts=answers.attempts_of(quest, self._registry.live.get(quest.id)))
        now = self._clock.wall()
        line = self._queue.line(now)
        wait = line.waits([quest]).get(quest.id)
        position = line.positions.get(quest.id)
        place = None
        if position is not None:
            place = Place(position, len(line.quests), self._obstacles.score(quest, now))
        dependants = [self._quests.live[one] for one in self._quests.dependants(quest.id) if one in self._quests.live]
        free = set_free(quest, dependants, self._quests.get)
        by = in_the_way(quest, wait, self._obstacles.needs(now), self._named)
        refusal = self._refusal(quest.id) if waits_for_target(quest) else None
        do = self._remedies(quest, wait, by)
        empty, by_hand = self._needs(quest, has_landed_nothing), self._needs(quest, is_landed_by_hand)
        found = why_of(
            quest,
            wait,
            place,
            free,
            do,
            refusal=refusal,
            evidence=evidence,
            empty_needs=empty,
            needs_by_hand=by_hand,
            overdue=is_overdue(quest, self._clock.wall()),
            kept_work=kept_work,
            question=next(decides, None),
        )
        until = (
            quest.queue.not_before if quest.queue is not None and wait is not None and wait.code == "until" else None
        )
        return {
            **answers.brief(quest),
            "status": quest.status,
            "code": None if wait is None else wait.code.value,
            "text": found.text,
            "by": [_waited_for(one) for one in by],
            "next_at": time(until),
            "do": list(found.do),
            "score": None if found.score is None else _score(found.score),
            "position": found.position,
            "queued": found.queued,
            "starts": list(found.starts),
            "waiting_then": [{"name": one.name, "needs": list(one.needs)} for one in found.waiting_then],
            "folder": None if evidence is None else evidence.folder,
            "folder_gone": evidence is not None and evidence.is_gone,
            "work_folder": found.kept_work or (None if evidence is None else evidence.work),
            "output": [] if evidence is None else list(evidence.output),
            "empty_needs": empty,
            "needs_by_hand": by_hand,
            "same_name": self._quests.others_named(quest),
            "pending_settings": "" if (key := self._key_of(wait)) is None else self._pending_settings(key),
            "questions": questions,
        }

    def _needs(self, quest: Quest, test: Callable[[Quest], bool]) -> list[str]:
        """The names of those that it needs and that a test holds for."""
        needed = map(self._quests.get, () if quest.goal is None else quest.goal.needs)
        return [one.name for one in needed if one is not None and test(one)]

    async def _evidence(self, quest: Quest) -> Evidence | None:
        """What is known of the command that a quest has failed for."""
        if not has_failed_for_command(quest):
            return None
        output = None  # one of the queue has it in its feedback
        if not quest.is_queued:
            by_check = last_failure(quest) == CHECK_FAILED
            mission = self._registry.get((quest.check_id or "") if by_check else quest.id)
            if mission is None:  # its log has gone with it
                return None
            output = await asyncio.to_thread(ending, newest(self._home.logs, mission), LAST_BYTES)
        folder = checked_in(self._registry, quest, self._worktree(quest.id))
        is_gone = folder is not None and not await asyncio.to_thread(os.path.isdir, from_wire(folder))
        worktree = self._worktree(quest.id) if last_failure(quest) == VERIFY_FAILED else None
        work = to_wire(worktree) if worktree is not None and await asyncio.to_thread(os.path.isdir, worktree) else None
        return Evidence(folder, last_printed(quest, output), is_gone=is_gone, work=work)

    def _remedies(self, quest: Quest, wait: Wait | None, by: Sequence[Need]) -> tuple[str, ...] | None:
        """The commands that help; None: how it stands says it."""
        if wait is None and quest.status not in HAS_ENDED:
            return None
        known = Known(self._quests.get, self._word, self._may_retry, self._free_name, self._has_log)
        return remedies(quest, wait, by, self._queue.slots, known)

    def _word(self, quest: Quest) -> str:
        try:
            meant = self._quests.find(quest.name, alone=True)
        except OvermindError:
            return quest.id
        return quest.name if meant.id == quest.id else quest.id

    def _may_retry(self, quest: Quest) -> bool:
        return quest.is_queued and not is_gone(quest, has_mission=self._registry.get(quest.id) is not None)

    def _has_log(self, quest: Quest) -> bool:
        failure = last_failure(quest)
        if failure == VERIFY_FAILED:
            return self._has_mission(f"{quest.name}/{VERIFY}")
        mission = quest.check_id if failure == CHECK_FAILED else quest.id
        return mission is not None and self._registry.get(mission) is not None

    def _has_mission(self, name: str) -> bool:
        try:
            return bool(find(self._registry, name))
        except OvermindError as error:
            return error.code == "ambiguous"

    def _free_name(self, quest: Quest) -> str | None:
        return slug_of(quest.name, self._is_taken) if self._is_taken(quest.name) else None

    def _is_taken(self, name: str) -> bool:
        return self._quests.holder(name) is not None or self._registry.index.holder(name) is not None

    def _named(self, name: str) -> Quest | None:
        holder = self._quests.holder(name)
        return None if holder is None else self._quests.get(holder)

    def _rows(self, quests: Sequence[Quest], now: float, line: Line | None = None) -> list[QuestRow]:
        """`line`: may be left out where none of them is queued."""
        works = {row.id: decode_mission(row) for row in self._mission_table.by_ids([one.id for one in quests])}
        in_line: dict[str, InQueue] = {}
        if line is not None:
            waits = line.waits(quests)
            in_line = {
                one.id: InQueue(position, waits.get(one.id))
                for one in quests
                if (position := line.positions.get(one.id)) is not None
            }
        return [
            answers.row(
                one,
                self._registry.known(one.id) or works.get(one.id),
                now,
                line=in_line.get(one.id),
                score=self._obstacles.score(one, now).total if one.id in in_line else None,
                name_of=self._name_of,
                spec=None if one.spec is None else self._slug_of(one.spec),
                estimate=self._estimated(one),
                in_the_way=self._in_the_way(one.id),
            )
            for one in quests
        ]

    def _name_of(self, quest_id: str) -> str:
        found = self._quests.get(quest_id)
        return quest_id if found is None else found.name


def _is_queued(quest: Quest) -> bool:
    return quest.status is QuestStatus.QUEUED


def _lands(quest: Quest) -> bool:
    return quest.queue is not None and quest.runs and quest.queue.phase is QuestPhase.LANDING


def _landing_since(quest: Quest) -> float:
    return 0.0 if quest.queue is None else quest.queue.tries[-1].started_at


def _newest_first(quest: Quest) -> tuple[float, str]:
    return -(quest.ended_at or quest.created_at), quest.id


def _waited_for(need: Need) -> WaitedFor:
    quest = need.quest
    return {
        "id": need.id,
        "name": need.name,
        "status": QuestStatus.CANCELLED if quest is None else quest.status,
        "reason": "removed" if quest is None else quest.reason,
    }


def _open_question(asked: Question) -> OpenQuestion:
    return {
        "question": asked["question"],
        "need": asked["need"],
        "name": asked["about"]["name"],
        "text": with_answer(asked),
    }


def _score(score: Score) -> QuestScore:
    return {
        "total": score.total,
        "priority": score.priority,
        "age": score.age,
        "deadline": score.deadline,
        "blocking": score.blocking,
        "retries": score.retries,
        "factor": score.factor,
        "floor": score.floor,
    }

"""The registry of quests: the unfinished ones in memory, the rest in the store; the one writer of their rows.

It has both kinds of quests: those that began at once, and those of the queue. Their services change them through `put`
and `end`, which save the row, record the event and wake waiting clients, all in one commit.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from overmind_core.domain.actor import ENGINE
from overmind_core.domain.events import About, AboutKind
from overmind_core.domain.missions.lost import KEEPER_LOST
from overmind_core.domain.missions.reasons import kept_limit
from overmind_core.domain.missions.references import Ambiguous, Candidate, ResolvedReference, ended_so_named, resolve
from overmind_core.domain.quests.again import row_of, sentence_again
from overmind_core.domain.quests.life import QuestState, because, state_of
from overmind_core.domain.quests.quest import HAS_ENDED, IS, Quest, QuestPhase, QuestStatus
from overmind_core.domain.quests.standing import check_left_behind, state_word
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.paragraphs import behind
from overmind_core.errors import OvermindError
from overmind_core.kernel.actor import actor
from overmind_core.missions.lookup import several_ended
from overmind_core.quests import store
from overmind_core.quests.events import QuestChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.kernel.bus import Bus
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.kernel.journal import Change, Journal
    from overmind_core.quests.store import NeedTable, QuestTable, StoredWork, WorkTable
    from overmind_core.system.machine import Clock

KEPT = 1000
"""How many ended quests are kept."""
_SEVERAL = 2
_SHOWN = 10
"""Quests of one name that an error lists."""
_TRIM_EVERY = 500


class QuestEnded(NamedTuple):
    """On the bus: a quest has ended, and that is saved."""

    quest: Quest


class QuestRegistry:
    """All quests. Used from the event loop's thread only; others read `live` and never change it."""

    def __init__(
        self,
        *,
        bus: Bus,
        journal: Journal,
        events: EventLog,
        quest_table: QuestTable,
        need_table: NeedTable,
        work_table: WorkTable,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._journal = journal
        self._events = events
        self._quest_table = quest_table
        self._need_table = need_table
        self._work_table = work_table
        self._clock = clock
        self.live: dict[str, Quest] = {}
        """Id → unfinished quest."""
        self._names: dict[str, str] = {}
        self._ended: dict[str, Quest] = {}
        """Ended quests that unfinished ones need."""
        self._dependants: dict[str, set[str]] = {}
        """Quest → the unfinished ones that need it."""
        self._unsaved: dict[str, Quest] = {}
        """Ended quests whose end is not saved yet."""
        self._fresh_work: dict[str, StoredWork] = {}
        """The work of new and edited quests until it is saved: they may begin in the same commit."""
        self._shared: tuple[str, dict[str, str]] | None = None
        """The newest environment that was read, and its owner."""
        self._fresh_environments: dict[str, dict[str, str]] = {}
        self._arriving: set[str] = set()
        """New quests that are being saved, and that nobody has met yet."""
        self._waiters: dict[str, list[asyncio.Future[Quest]]] = {}
        self._ends = 0
        self.on_put: Callable[[Quest | None, Quest], None] = _nothing
        """Called before a change is saved, with the quest before it (None: a new one) and after it."""
        self.on_amend: Callable[[Quest | None, Quest], None] = _nothing
        """The same for a quest that has ended, and that unfinished ones need."""

    def load(self) -> None:
        """Load the unfinished quests, and the quests that they need."""
        for row in self._quest_table.live():
            self._know(store.quest(row))
        needed = {need for quest in self.live.values() if quest.goal is not None for need in quest.goal.needs}
        for row in self._quest_table.by_ids(sorted(needed - self.live.keys())):
            self._ended[row.id] = store.quest(row)

    def get(self, quest_id: str) -> Quest | None:
        """The quest with this id, unfinished or not."""
        found = self.live.get(quest_id) or self._unsaved.get(quest_id) or self._ended.get(quest_id)
        if found is not None:
            return found
        self._journal.flush()
        row = self._quest_table.get(quest_id)
        if row is None:
            return None
        quest = store.quest(row)
        self.know(quest)  # where it was saved a moment ago: whoever changes it now changes what is known of it
        return quest

    def by_ids(self, quest_ids: Collection[str]) -> dict[str, Quest]:
        """The quests with these ids by id, unfinished or not; ids of none are left out. Commits nothing."""
        found = {}
        for quest_id in quest_ids:
            quest = self.live.get(quest_id) or self._unsaved.get(quest_id) or self._ended.get(quest_id)
            if quest is not None:
                found[quest_id] = quest
        if left := [quest_id for quest_id in quest_ids if quest_id not in found]:
            found |= {row.id: store.quest(row) for row in self._quest_table.by_ids(left)}
        return found

    def knows(self, quest_id: str) -> bool:
        """Whether there is a quest of this exact id, or one is being saved. Commits nothing."""
        return (
            quest_id in self.live
            or quest_id in self._unsaved
            or quest_id in self._ended
            or quest_id in self._arriving
            or self._quest_table.get(quest_id) is not None
        )

    def text_of(self, quest_id: str) -> str | None:
        """Title and brief of an unfinished quest of the queue; None: there is none with this id."""
        quest = self.live.get(quest_id)
        goal = None if quest is None or quest.queue is None else quest.goal
        return None if goal is None else behind(goal.title, goal.brief).strip()

    def asked_about(self, word: str) -> About:
        """The quest that a person's word means, as the subject of questions; errors as of `find`."""
        quest = self.find(word, live_first=True)
        return About(AboutKind.QUEST, quest.id, quest.name)

    def ended_at(self, quest_id: str) -> float | None:
        """When a quest ended, in seconds since the epoch; None: it has not, or is unknown."""
        quest = self.get(quest_id)
        return None if quest is None or not quest.is_over else quest.ended_at

    def find(self, text: str, *, live_first: bool = False, alone: bool = False) -> Quest:
        """The quest that `text` means, by the rules for missions.

        With `alone`, for commands that change it, a name that several quests have had which have ended is refused. Of
        a spec's the newest is meant: it stands in the place of those before.

        Raises:
            OvermindError: `not_found`, or `ambiguous` with the candidates.
        """
        self._journal.flush()
        exact = self.live.get(text)
        if exact is not None:  # an id comes before each name; who waits for a thousand quests names them so
            return exact
        candidates = self._quest_table.candidates(text)
        match resolve(text, candidates, live_first=live_first):
            case ResolvedReference(candidate):
                self._check_meant(text, candidate, candidates)
                found = self.get(candidate.id)
                if alone and (found is None or found.queue is None or found.queue.spec is None):
                    self._check_alone(text, candidate, candidates)
                if found is not None:
                    return found
            case Ambiguous(several):
                raise _ambiguous(text, several)
        raise OvermindError("not_found", f"No quest named {text!r}. See them with: overmind quest list")

    def _check_meant(self, text: str, meant: Candidate, candidates: Sequence[Candidate]) -> None:
        """Check that a name means one work: of several that have ended the newest, if they are about the same.

        Raises:
            OvermindError: `ambiguous`: their titles differ.
        """
        named = [one for one in candidates if one.name == text]
        if meant.live or meant.name != text or meant.id == text or len(named) < _SEVERAL:
            return
        titles: dict[str, str] = {}
        for one in sorted(named, key=lambda one: -(one.ended_at or 0.0))[:_SHOWN]:
            quest = self.get(one.id)
            if quest is not None and quest.goal is not None:
                titles[one.id] = quest.goal.title
        if len(set(titles.values())) > 1:
            listed = ", ".join(f"{id_} ({title})" for id_, title in titles.items())
            raise OvermindError(
                "ambiguous",
                f"{text!r} names several quests: {listed}. Give an id.",
                candidates=[{"id": id_, "name": text} for id_ in titles],
            )

    def _check_alone(self, text: str, meant: Candidate, candidates: Sequence[Candidate]) -> None:
        """Check that no other quest that has ended has had the name.

        Raises:
            OvermindError: `ambiguous`.
        """
        if several := ended_so_named(meant, text, candidates):
            ends = {one.id: None if (known := self.get(one.id)) is None else known.status.value for one in several}
            raise several_ended(text, "quests", several, ends, self._clock.wall())

    def others_named(self, quest: Quest) -> list[str]:
        """The ids of the other quests that have ended under its name, newest first, where it has ended too."""
        self._journal.flush()
        meant = Candidate(quest.id, quest.name, not quest.is_over, quest.ended_at)
        several = ended_so_named(meant, quest.name, self._quest_table.candidates(quest.name))
        return [one.id for one in several if one.id != quest.id][:_SHOWN]

    def holder(self, name: str) -> str | None:
        """The id of the unfinished quest of this name."""
        return self._names.get(name)

    def dependants(self, quest_id: str) -> Collection[str]:
        """The unfinished quests that need this one directly."""
        return self._dependants.get(quest_id, ())

    def kept_for(self, mission_id: str, parent: str | None) -> str | None:
        """Why an ended mission can't be removed yet, as a sentence that says what to do; None: it can."""
        for quest_id in (mission_id, parent):
            quest = None if quest_id is None else self.live.get(quest_id)
            if quest is not None:
                message = f"Quest {quest.id} ({quest.name}) has not finished: it {IS[quest.status]}."
                return f"{message} Cancel it first: overmind quest cancel {quest.name}"
        for one in self.dependants(mission_id):
            dependant, needed = self.live.get(one), self.get(mission_id)
            if dependant is not None and needed is not None:
                message = f"Quest {needed.id} ({needed.name}) is needed by {dependant.name}, which has not finished."
                return f"{message} See: overmind quest why {dependant.name}"
        return None

    def goes_on(self, mission_id: str) -> str | None:
        """The sentence about a quest that has not finished though its work has, with its end; None: there is none."""
        quest = self.live.get(mission_id)
        if quest is None or quest.cancelling:
            return None
        return f"Its quest goes on ({state_word(quest)}). Cancel it with: overmind quest cancel {quest.name}"

    def is_queued(self, mission_id: str | None) -> bool:
        """Whether the queue still starts this mission: it is an unfinished quest's."""
        quest = None if mission_id is None else self.live.get(mission_id)
        return quest is not None and quest.is_queued

    def checked_at_once(self, missions: Sequence[str]) -> Collection[str]:
        """Those of these missions that began at once as quests with a check: nobody would check what they do now."""
        return {one.id for one in self.by_ids(missions).values() if not one.is_queued and one.check is not None}

    def runs_by_itself(self, mission: Mission) -> str | None:
        """Why a person can't start a mission again, as a sentence that says what to do; None: they can."""
        parent = mission.definition.parent
        for quest_id in (mission.id, parent):
            quest = None if quest_id is None else self.live.get(quest_id)
            if quest is not None and quest.is_queued:
                message = f"The queue starts quest {quest.id} ({quest.name}), which {IS[quest.status]}."
                return f"{message} See: overmind quest why {quest.name}"
            if quest is not None and (mission.id == quest.check_id or (mission.id == quest.id and not mission.is_live)):
                checked = f"The work of quest {quest.id} ({quest.name}) has ended, and its check follows."
                again = sentence_again(row_of(quest, timeout=mission.definition.timeout))
                return f"{checked} Cancel it first: overmind quest cancel {quest.name}. {again}"
        ended = self.get(mission.id)
        if ended is None:
            return None
        if not ended.is_queued:
            return _begins_anew(ended, mission)
        if ended.status is QuestStatus.COMPLETED:
            return f"Quest {ended.id} ({ended.name}) has completed. Add it again with: overmind quest add"
        again = f"overmind quest retry {ended.id if self.others_named(ended) else ended.name}"
        return f"Quest {ended.id} ({ended.name}) {HAS_ENDED[ended.status]}. Queue it again with: {again}"

    def add(self, quest: Quest) -> Callable[[], None]:
        """Add a new quest; return a function that saves it inside of a transaction."""
        self._know(quest)
        self.on_put(None, quest)
        row, needs = store.row(quest), _needs(quest)

        def write() -> None:
            self._quest_table.add(row)
            if needs:
                self._need_table.save(quest.id, needs)

        return write

    def drop(self, quest_id: str) -> None:
        """Drop a new quest that could not be saved."""
        quest = self.live.pop(quest_id, None)
        if quest is not None:
            self._free(quest)
            self._index(quest, None)
            self._journal.save(lambda: self._quest_table.remove([quest_id]))

    def note_steer(self, quest_id: str, text: str) -> None:
        """Keep the guardian's text for the next attempt; nothing to do for a mission that is no attempt."""
        quest = self.live.get(quest_id)
        if quest is not None and quest.queue is not None:
            self.put(replace(quest, queue=replace(quest.queue, steer=text)))

    def put(self, quest: Quest) -> None:
        """Save an unfinished quest."""
        before = self.live.get(quest.id) or self._ended.get(quest.id)
        if quest.id not in self.live:
            self.remember_needs(_needs(quest))
        self._know(quest)
        self.on_put(before, quest)
        row = store.row(quest)
        needs = None if _needs(before) == _needs(quest) else _needs(quest)

        def write() -> None:
            self._quest_table.save(row)
            if needs is not None:
                self._need_table.save(quest.id, needs)

        self._journal.save(write)

    def of_spec(self, spec: str) -> list[Quest]:
        """All quests of a spec, oldest first."""
        self._journal.flush()
        return [self.live.get(row.id) or store.quest(row) for row in self._quest_table.of_spec(spec)]

    def forget(self, quests: Sequence[str]) -> None:
        """Forget ended quests that no other quest needs."""
        for quest_id in quests:
            self._ended.pop(quest_id, None)

        def write() -> None:
            self._quest_table.remove(quests)
            for quest_id in quests:
                self._need_table.save(quest_id, ())
            self._work_table.remove_unused()

        self._journal.save(write)

    def writing(self, quest: Quest) -> Callable[[], None]:
        """Return a function that saves it inside of another transaction; memory changes with a later `put`."""
        row = store.row(quest)
        return lambda: self._quest_table.save(row)

    def end(self, quest: Quest, then: Callable[[], None] = lambda: None) -> None:
        """Save the end of a quest; then call `then`, and wake the clients that wait for it."""
        before = self.live.pop(quest.id, None)
        self._free(quest)
        self._index(before, None)
        self._unsaved[quest.id] = quest
        if quest.id in self._dependants:
            self._ended[quest.id] = quest
        self.on_put(before, quest)
        self.record(quest)
        self._journal.save(lambda: self._save_end(quest), lambda: self._over(quest, then), urgent=True)

    def amend(self, quest: Quest) -> None:
        """Save an ended quest that was changed."""
        if quest.id in self._ended:
            before, self._ended[quest.id] = self._ended[quest.id], quest
            self.on_amend(before, quest)
        row, needs = store.row(quest), _needs(quest)

        def write() -> None:
            self._quest_table.save(row)
            self._need_table.save(quest.id, needs)

        self._journal.save(write)

    def enqueue(self, made: Sequence[tuple[Quest, StoredWork]], environments: Mapping[str, Mapping[str, str]]) -> None:
        """Queue quests that the engine has made, in the current commit.

        Args:
            made: Each quest with its work.
            environments: Owner, as `StoredWork.shared` names it → environment.
        """
        write = self.writing_new(made, environments)
        fresh = {quest.id: work for quest, work in made}
        self._fresh_work |= fresh
        self._fresh_environments |= {owner: dict(values) for owner, values in environments.items()}
        for quest, _ in made:
            self.know(quest)
        self._journal.save(write, lambda: self._on_saved(fresh, environments))
        for quest, _ in made:
            self.record(quest)

    def _on_saved(self, quests: Iterable[str], environments: Iterable[str]) -> None:
        """Read the work of these quests from the store from now on."""
        for quest_id in quests:
            self._fresh_work.pop(quest_id, None)
        for owner in environments:
            self._fresh_environments.pop(owner, None)

    def writing_new(
        self, made: Sequence[tuple[Quest, StoredWork]], environments: Mapping[str, Mapping[str, str]]
    ) -> Callable[[], None]:
        """Save new quests inside of a transaction; `know` adds them to memory, or `dismiss` takes them back."""
        self._arriving.update(quest.id for quest, _ in made)
        rows = [(store.row(quest), _needs(quest), store.WORK.encode(work)) for quest, work in made]
        shared = {owner: msgspec.json.encode(values).decode() for owner, values in environments.items()}

        def write() -> None:
            for owner, text in shared.items():
                self._work_table.save(owner, text)
            for row, needs, work in rows:
                self._quest_table.add(row)
                self._work_table.save(row.id, work)
                if needs:
                    self._need_table.save(row.id, needs)

        return write

    def know(self, quest: Quest) -> None:
        """Add a new quest that is saved already, unless that was done: somebody may have met it at once."""
        if quest.id not in self._arriving:
            return
        self._arriving.discard(quest.id)
        self.remember_needs(_needs(quest))
        self._know(quest)
        self.on_put(None, quest)

    def dismiss(self, quests: Iterable[str]) -> None:
        """New quests could not be saved."""
        self._arriving.difference_update(quests)

    def remember_needs(self, needs: Iterable[str]) -> None:
        """Keep in memory the ended quests that an unfinished quest will need."""
        found = (self.get(need) for need in needs if need not in self.live and need not in self._ended)
        self._ended.update((one.id, one) for one in found if one is not None)

    def work(self, quest_id: str) -> StoredWork | None:
        """The work of a quest, while it is kept."""
        if quest_id in self._fresh_work:
            return self._fresh_work[quest_id]
        stored = self._work_table.get(quest_id)
        return None if stored is None else store.WORK.decode(stored)

    def change_work(self, quest_id: str, work: StoredWork) -> None:
        """Replace the work of a quest."""
        self._fresh_work[quest_id] = work
        text = store.WORK.encode(work)
        self._journal.save(lambda: self._work_table.save(quest_id, text), lambda: self._on_saved((quest_id,), ()))

    def shared(self, owner: str) -> dict[str, str]:
        """A shared environment; empty if it is unknown."""
        if owner in self._fresh_environments:
            return self._fresh_environments[owner]
        if self._shared is None or self._shared[0] != owner:  # hundreds of quests in a row share one
            stored = self._work_table.get(owner)
            self._shared = None if stored is None else (owner, json.loads(stored))
        return {} if self._shared is None else self._shared[1]

    def record(self, quest: Quest, *, why: str | None = None) -> Change:
        """Record an event with the quest's state; `why`: the reason for a change that no person has asked for."""
        queue, is_over = quest.queue, quest.is_over
        by_engine = queue is not None and actor() is None
        is_late = queue is None and is_over and kept_limit(quest.reason, quest.limit) is not None
        event = QuestChanged(
            mission=quest.id,
            name=quest.name,
            by=ENGINE if by_engine else UNSET,
            status=quest.status.value,
            reason=quest.reason if is_over else UNSET,
            exit_code=quest.exit_code if is_over else UNSET,
            phase=_phase(quest),
            attempt=UNSET if queue is None else len(queue.tries),
            failure=UNSET if queue is None else queue.failure,
            why=(why or because(quest)) if by_engine or is_late else UNSET,
            tried=UNSET if (checked := check_left_behind(quest)) is None else checked,
        )
        return self._events.record(event)

    def end_of(self, quest_id: str) -> asyncio.Future[Quest]:
        """The quest as it ends, or has ended: a future, since somebody may wait for thousands at once.

        Raises:
            OvermindError: `gone`: it is unknown.
        """
        waiter: asyncio.Future[Quest] = asyncio.get_running_loop().create_future()
        if quest_id in self.live or quest_id in self._unsaved:
            self._waiters.setdefault(quest_id, []).append(waiter)
            return waiter
        quest = self.get(quest_id)
        if quest is None:
            raise OvermindError("gone", f"Quest {quest_id} has been removed.")
        waiter.set_result(quest)
        return waiter

    def _know(self, quest: Quest) -> None:
        before = self.live.get(quest.id)
        self._index(before, quest)
        if before is not None and before.name != quest.name:
            self._free(before)
        self.live[quest.id] = quest
        self._names[quest.name] = quest.id
        self._ended.pop(quest.id, None)
        self._unsaved.pop(quest.id, None)

    def _index(self, before: Quest | None, after: Quest | None) -> None:
        """Update who needs whom."""
        old, new = _needs(before), _needs(after)
        if old == new:
            return
        for need in old:
            if (found := self._dependants.get(need)) is not None:
                found.discard(after.id if after is not None else before.id if before is not None else "")
                if not found:
                    del self._dependants[need]
                    self._ended.pop(need, None)
        for need in new:
            assert after is not None
            self._dependants.setdefault(need, set()).add(after.id)

    def _free(self, quest: Quest) -> None:
        if self._names.get(quest.name) == quest.id:
            del self._names[quest.name]

    def _save_end(self, over: Quest) -> None:
        self._quest_table.save(store.row(over))
        self._ends += 1
        if self._ends % _TRIM_EVERY == 1:  # at the first one, too: a daemon may see few quests end
            self._quest_table.trim(KEPT)
            self._work_table.remove_unused()

    def _over(self, quest: Quest, then: Callable[[], None]) -> None:
        then()
        if self._unsaved.get(quest.id) is quest:
            del self._unsaved[quest.id]
        for waiter in self._waiters.pop(quest.id, ()):
            if not waiter.done():
                waiter.set_result(quest)
        self._bus.publish(QuestEnded(quest))


def _phase(quest: Quest) -> str | UnsetType | None:
    """What a quest that runs is doing; one that began at once has no word for it before and behind that."""
    if quest.queue is not None:
        return quest.queue.phase.value if quest.runs else None
    if not quest.runs:
        return UNSET
    return (QuestPhase.CHECK if state_of(quest) is QuestState.CHECKING else QuestPhase.WORK).value


def _begins_anew(quest: Quest, mission: Mission) -> str | None:
    """Why the mission of a quest that began at once is not started again; None: it has not ended, or was lost."""
    was_lost = quest.reason == KEEPER_LOST and quest.check is None  # its run was cut: `restart --lost` offers it
    if not quest.is_over or was_lost:
        return None
    again = sentence_again(row_of(quest, timeout=mission.definition.timeout))
    return f"Quest {quest.id} ({quest.name}) {HAS_ENDED[quest.status]}. {again}"


def _needs(quest: Quest | None) -> tuple[str, ...]:
    return () if quest is None or quest.goal is None else quest.goal.needs


def _nothing(_before: Quest | None, _quest: Quest) -> None:
    return


def _ambiguous(text: str, candidates: tuple[Candidate, ...]) -> OvermindError:
    listed = ", ".join(f"{one.id} ({one.name})" for one in candidates[:10])
    return OvermindError(
        "ambiguous",
        f"{text!r} matches several ids: {listed}. Give more characters.",
        candidates=[{"id": one.id, "name": one.name} for one in candidates],
    )

"""Clients that wait for a spec: they get each phase and task that ends, and what the spec itself waits for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.specs.spec import PHASES, PhaseName, PhaseState, SpecState, changed_text
from overmind_core.specs.spec_quests import WAITS_FOR_QUESTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from overmind_core.domain.admission import Wait
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.specs.answer_types import SpecProgressItem
    from overmind_core.specs.registry import SpecRegistry

_ENDED = frozenset({PhaseState.PASSED, PhaseState.REVIEW, PhaseState.FAILED})
_OVER = frozenset({SpecState.DONE, SpecState.FAILED, SpecState.STUCK, SpecState.ARCHIVED, SpecState.DRAFT})
"""States in which nothing more happens without a person."""


class SpecWatchers:
    """The waiting clients. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        registry: SpecRegistry,
        quests: QuestRegistry,
        held: Callable[[str], tuple[Quest, Wait] | None],
    ) -> None:
        """`held`: the quest of a spec that waits for money or for a person while none of them runs, and why."""
        self._held = held
        self._registry = registry
        self._quests = quests
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    def on_advance(self, spec_id: str) -> None:
        """Wake the clients that wait for a spec."""
        for waiter in self._waiting.pop(spec_id, ()):
            if not waiter.done():
                waiter.set_result(None)

    def on_hold(self) -> None:
        """Wake all clients: the reasons that hold quests back may have changed."""
        for spec_id in list(self._waiting):
            self.on_advance(spec_id)

    def ended(self, spec_id: str) -> list[str]:
        """Keys of the items that exist already; pass them to `follow` to get later ones only."""
        return [item["key"] for item in self._ends(spec_id)]

    async def follow(self, spec_id: str, known: set[str]) -> AsyncIterator[SpecProgressItem]:
        """Yield an item for each phase and task that ends, last the state of the spec; `known`: keys to leave out."""
        while True:
            changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(spec_id, []).append(changed)
            for item in list(self._ends(spec_id)):
                if item["key"] not in known:
                    known.add(item["key"])
                    yield item
            held = self._hold(spec_id)
            if held is not None and held["key"] not in known:
                known.add(held["key"])
                yield held
            state = self._registry.all[spec_id].recorded_state or SpecState.DRAFT
            if state in _OVER:
                tasks = self._registry.changed_tasks(spec_id)
                text = changed_text(tasks) if tasks else None
                yield {**_item("state", state.value, state.value), "text": text}
                return
            await changed

    def _hold(self, spec_id: str) -> SpecProgressItem | None:
        if self._registry.all[spec_id].recorded_state not in WAITS_FOR_QUESTS:
            return None
        held = self._held(spec_id)
        if held is None:
            return None
        quest, wait = held
        item = _item("held", quest.name, str(wait.code), version=wait.text)
        return {**item, "text": wait.text, "do": list(wait.do)}

    def _ends(self, spec_id: str) -> Iterator[SpecProgressItem]:
        spec, records = self._registry.all[spec_id], self._registry.phases(spec_id)
        for phase in PHASES:
            record = records.get(phase)
            if record is None or record.recorded_state not in _ENDED:
                continue
            quest = None if record.quest is None else self._quests.get(record.quest)
            state = "failed" if record.recorded_state is PhaseState.FAILED else "passed"
            version = f"{record.sha256}:{record.attempts}"
            yield {**_item("phase", phase, state, quest, version=version), "score": record.score}
            if record.question is not None:
                yield _question(phase, record.question)
        tasks = {} if PhaseName.SYNC not in records else records[PhaseName.SYNC].tasks
        for task, made in tasks.items():
            quest = self._quests.get(made.quest)
            if quest is not None and quest.is_over:
                yield _item("task", task, quest.status.value, quest)
        if spec.question is not None:
            yield _question("merge", spec.question)


def _question(name: str, number: int) -> SpecProgressItem:
    return {**_item("question", name, "review", version=str(number)), "question": number}


def _item(what: str, name: str, state: str, quest: Quest | None = None, *, version: str = "") -> SpecProgressItem:
    tries = () if quest is None or quest.queue is None else quest.queue.tries
    seconds = None
    if quest is not None and tries and quest.status in {QuestStatus.COMPLETED, QuestStatus.FAILED}:
        seconds = round((quest.ended_at or tries[-1].started_at) - tries[0].started_at, 3)
    of_quest = "" if quest is None else f"{quest.id}:{len(tries)}"
    return {
        "key": f"{what}:{name}:{state}:{of_quest}:{version}",
        "what": what,  # type: ignore[typeddict-item] # one of its words
        "name": name,
        "state": state,
        "score": None,
        "attempt": len(tries) or None,
        "seconds": seconds,
        "question": None,
        "text": None,
        "do": [],
    }

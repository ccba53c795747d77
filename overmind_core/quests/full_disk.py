"""Quests for which the disk had no room: they are checked, or land, again by themselves once there is."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from overmind_core.domain.missions.facts import StartAsked
from overmind_core.domain.quests.life import is_refused, waits_for_room
from overmind_core.domain.replacing import replace
from overmind_core.domain.text.bytestrings import from_wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.missions.mission import Mission
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.missions.registry import Registry
    from overmind_core.quests.registry import QuestRegistry
    from overmind_core.system.paths import Home

ROOM_SECONDS = 30.0
"""Pause before what the disk had no room for is tried again."""
_log = logging.getLogger(__name__)


async def had_no_room(mission: Mission, home: Home) -> bool:
    """Whether the disk has no room where a mission works, where its log is, or for temporary files."""
    from overmind_core.system.disk import first_full  # noqa: PLC0415 - for those whose check has failed

    full = await asyncio.to_thread(first_full, (from_wire(mission.definition.cwd), home.root))
    if full is not None:
        _log.warning("mission %s had no room: the disk of %s is full", mission.id, full)
    return full is not None


class FullDisk:
    """The quests that wait for room. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        registry: Registry,
        journal: Journal,
        phase: Phase,
        tasks: Tasks,
        home: Home,
        go_on: Callable[[str], None],
    ) -> None:
        """`go_on`: decides what comes next for a quest."""
        self._quests = quests
        self._registry = registry
        self._journal = journal
        self._phase = phase
        self._tasks = tasks
        self._home = home
        self._go_on = go_on
        self._waiting: set[str] = set()

    def wait(self, quest: Quest) -> None:
        """Where the disk was full for its check or its landing, try that again later."""
        if waits_for_room(quest) and quest.id not in self._waiting:
            self._waiting.add(quest.id)
            self._tasks.start(self._wait(quest.id))

    async def _wait(self, quest_id: str) -> None:
        try:
            while True:
                await asyncio.sleep(ROOM_SECONDS)
                quest = self._waits(quest_id)
                if quest is None:
                    return
                check = self._check_of(quest)
                if check is None or not await had_no_room(check, self._home):
                    break
        finally:
            self._waiting.discard(quest_id)
        quest = self._waits(quest_id)
        if quest is None:
            return
        check = self._check_of(quest)  # somebody may have started it meanwhile
        with self._journal.together():
            self._quests.put(replace(quest, reason=None))
            if check is not None and not check.is_live:
                self._registry.apply(check, StartAsked())
        self._go_on(quest_id)

    def _check_of(self, quest: Quest) -> Mission | None:
        """The check that is to run again; None: a landing looks for itself, and has nothing to repeat."""
        return None if is_refused(quest) or quest.check_id is None else self._registry.get(quest.check_id)

    def _waits(self, quest_id: str) -> Quest | None:
        quest = self._quests.live.get(quest_id)
        waits = quest is not None and waits_for_room(quest) and not quest.cancelling and not self._phase.closing
        return quest if waits else None

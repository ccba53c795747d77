"""Quests whose landing meets uncommitted files in the checkout of its target: they land by themselves once it doesn't.

There is one question for each such checkout, whoever is to land there; it goes away with the last of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING

from overmind_core.domain.checkout_collisions import in_the_way
from overmind_core.domain.quests.life import DIRTY, QuestState, state_of, waits_for_target
from overmind_core.domain.quests.why import Refusal
from overmind_core.domain.replacing import replace
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from overmind_core.domain.quests.quest import Quest
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.phase import Phase
    from overmind_core.kernel.tasks import Tasks
    from overmind_core.quests.ports import Asker, Lander, LandingRequest
    from overmind_core.quests.registry import QuestRegistry

LOOK_SECONDS = 5.0
"""For which somebody who wants to know what is in the way of a landing waits at most for a look at it."""
LONGEST_SECONDS = 300.0
"""Pause before a landing that is refused though nobody sees what is in its way is tried again; from 1 s it doubles."""
_log = logging.getLogger(__name__)


class TargetWaits:
    """The quests that wait for a checkout. Used from the event loop's thread only."""

    def __init__(
        self,
        *,
        quests: QuestRegistry,
        journal: Journal,
        phase: Phase,
        tasks: Tasks,
        asker: Asker,
        lander: Lander,
        landing: Callable[[Quest], LandingRequest],
        go_on: Callable[[str], None],
    ) -> None:
        """Connect them.

        Args:
            quests: The registry.
            journal: For what changes together.
            phase: Of the daemon.
            tasks: Run the looks.
            asker: Asks people.
            lander: Looks at checkouts.
            landing: Returns how the work of a quest is to land.
            go_on: Decides what comes next for a quest.
        """
        self._quests = quests
        self._journal = journal
        self._phase = phase
        self._tasks = tasks
        self._asker = asker
        self._lander = lander
        self._landing = landing
        self._go_on = go_on
        self._waiting: set[str] = set()
        self._pauses: dict[str, float] = {}
        """Quest → seconds before the next try, where nobody saw what was in the way."""
        self._found: dict[str, OvermindError] = {}
        """Quest → what is in its way, as it was seen last."""
        self._watches: dict[str, _Watch] = {}
        """Quest → the looks at its checkout, while there are any."""

    def wait(self, quest: Quest) -> None:
        """Where its landing waits for a checkout, try it again once that is out of the way."""
        if waits_for_target(quest) and quest.id not in self._waiting:
            self._waiting.add(quest.id)
            self._tasks.start(self._wait(quest.id))

    def report(self, quest_id: str, error: OvermindError) -> None:
        """Note what is in the way of a landing, and ask about it unless that is asked already.

        One that was refused for something else does not wait for a checkout any more.
        """
        quest = self._waits(quest_id)
        folder = error.fields.get("folder")
        if quest is None:
            self._found.pop(quest_id, None)
            self._settle()
            return
        if quest.goal is None or not isinstance(folder, str):
            return
        known = self._found.get(quest_id)
        self._found[quest_id] = error
        if known is None or known.message != error.message:
            self._quests.record(quest, why=DIRTY)  # whoever shows it says now for what it waits
        into = quest.goal.into or ""
        do = _commands(error)
        subject = {
            "code": error.code,
            "into": into,
            "folder": folder,
            "lines": ["It lands by itself once that is out of the way:", *(f"$ {command}" for command in do)],
        }
        with self._journal.together():
            self._asker.ask_about_target(into, folder, f"Work can't land on {into}: {error.message}", subject)
            self._settle()

    async def look(self, quest_id: str) -> None:
        """Look now at what is in the way of a quest that waits, so that an answer names nothing that has gone."""
        watch = self._watches.get(quest_id)
        if watch is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch.look(), LOOK_SECONDS)

    def refusal(self, quest_id: str) -> Refusal | None:
        """What is in the way of a quest that waits, for people; None: nobody knows yet."""
        error = self._found.get(quest_id)
        return None if error is None else Refusal(error.message, _commands(error))

    def in_the_way(self, quest_id: str) -> str:
        """The same in a few words: `README.md is not committed`; "" where nobody knows yet."""
        error = self._found.get(quest_id)
        if error is None:
            return ""
        files, operation = error.fields.get("files"), error.fields.get("operation")
        named = files if isinstance(files, list) else ()
        half_done = operation if isinstance(operation, str) else None
        return in_the_way(named, half_done, unmerged="unmerged" in error.fields)

    def at(self, into: str, folder: str) -> list[Quest]:
        """The quests that wait for a branch to be out of the way in a folder."""
        return [one for one in self._landing_on(into, folder) if waits_for_target(one)]

    def retried_at(self, into: str, folder: str) -> list[Quest]:
        """The quests that have waited for that, and are just tried again."""
        return [one for one in self._landing_on(into, folder) if one.reason is None]

    def on_attempt_end(self, quest: Quest) -> None:
        """Withdraw the question that it was the last to wait for; in the commit that saves the end."""
        self._found.pop(quest.id, None)
        self._pauses.pop(quest.id, None)
        self._settle()

    def resume(self) -> None:
        """Withdraw questions for whose branch none waits any more, as an earlier daemon had no time to."""
        self._settle()

    def _settle(self) -> None:
        for into, folder in self._asker.targets_asked_about():
            if not self._landing_on(into, folder):
                self._asker.withdraw_target(into, folder)

    def _landing_on(self, into: str, folder: str) -> list[Quest]:
        """Those that wait there, and those that are just tried again."""
        return [one for one in self._quests.live.values() if self._is_landing_on(one, into, folder)]

    def _is_landing_on(self, quest: Quest, into: str, folder: str) -> bool:
        if quest.goal is None or quest.goal.into != into or state_of(quest) is not QuestState.LANDING:
            return False
        found = self._found.get(quest.id)
        return waits_for_target(quest) if found is None else found.fields["folder"] == folder

    async def _wait(self, quest_id: str) -> None:
        """Look until it is free; then land."""
        pause = self._pauses.get(quest_id, 0.0)
        watch = _Watch()
        try:
            await asyncio.sleep(pause)
            quest = self._waits(quest_id)
            if quest is None:
                return
            self._pauses[quest_id] = min(pause * 2 or 1.0, LONGEST_SECONDS)
            self._watches[quest_id] = watch
            await self._lander.until_free(self._landing(quest), partial(self._on_look, quest_id), watch.pause)
        except _NoLonger:
            return
        except OvermindError as error:
            _log.info("nobody can tell what is in the way of quest %s: %s", quest_id, error.message)
        finally:
            self._waiting.discard(quest_id)
            self._watches.pop(quest_id, None)
            watch.end()
        quest = self._waits(quest_id)
        if quest is not None:
            self._quests.put(replace(quest, reason=None))
            self._go_on(quest_id)

    def _on_look(self, quest_id: str, error: OvermindError) -> None:
        if self._waits(quest_id) is None:
            raise _NoLonger
        self._pauses.pop(quest_id, None)
        self.report(quest_id, error)

    def _waits(self, quest_id: str) -> Quest | None:
        quest = self._quests.live.get(quest_id)
        waits = quest is not None and waits_for_target(quest) and not quest.cancelling and not self._phase.closing
        return quest if waits else None


class _Watch:
    """The pauses between looks at one checkout: whoever wants to know ends one, and is told when the look is over."""

    def __init__(self) -> None:
        self._wanted = asyncio.Event()
        self._asking: list[asyncio.Future[None]] = []
        self._looking: list[asyncio.Future[None]] = []
        """Those for whom the look is that is under way."""

    async def look(self) -> None:
        """Return after a look that begins now, or when there are no more."""
        seen = asyncio.get_running_loop().create_future()
        self._asking.append(seen)
        self._wanted.set()
        await seen

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until a look is wanted."""
        _tell(self._looking)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), seconds)
        self._wanted.clear()
        self._looking, self._asking = self._asking, []

    def end(self) -> None:
        """Say that there are no more looks."""
        _tell([*self._looking, *self._asking])


def _tell(waiting: Iterable[asyncio.Future[None]]) -> None:
    for seen in waiting:
        if not seen.done():
            seen.set_result(None)


class _NoLonger(Exception):
    """It does not wait any more."""


def _commands(error: OvermindError) -> tuple[str, ...]:
    do = error.fields.get("do")
    return tuple(map(str, do)) if isinstance(do, list) else ()

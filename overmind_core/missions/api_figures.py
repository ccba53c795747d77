"""`figures`: what missions use and do, measured again and again; only what changed is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError
from overmind_core.kernel.request import handles
from overmind_core.missions.lookup import find_each
from overmind_core.missions.requests import Figures
from overmind_core.missions.validate import seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.answer_types import FiguresChanged, FiguresRead, MissionFigures
    from overmind_core.missions.figures import FigureLooks, SharedLook
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.registry import Registry
    from overmind_core.missions.requests import Amount

SHORTEST, LONGEST = 0.5, 60.0
"""Seconds between two looks: over less than that a figure says little, and costs more than what it shows."""


class FiguresApi:
    """The request for figures."""

    def __init__(self, *, registry: Registry, progress: OutputProgress, looks: FigureLooks) -> None:
        self._registry = registry
        self._progress = progress
        self._looks = looks
        self._replaced: dict[tuple[Caller, str], asyncio.Event] = {}
        """By connection and key: set once a newer stream takes the place of the one that shows these."""

    @handles(Figures)
    async def figures(self, request: Figures, caller: Caller) -> Stream[FiguresRead, FiguresChanged]:
        """The load and the current line of missions: first of all of them, then of those for which they changed."""
        every = None if request.every is None else _period(request.every)
        told = _Told(self._ids(request))
        replaced = asyncio.Event()
        key = (caller, request.key or "")
        if request.key is not None:
            if (before := self._replaced.get(key)) is not None:
                before.set()
            self._replaced[key] = replaced
        try:
            await self._progress.look()
            if (found := await self._looks.now(told.left).figures()) is None:
                raise OvermindError("busy", "The machine can't be looked at just now: too many files are open.")
            yield told.news(found)
            while every is not None and told.left:
                look = self._looks.next(told.left, every)
                if await self._is_over(replaced, look):
                    return
                found = await look.figures()
                news = None if found is None else told.news(found)
                if news is not None and any(news.values()):
                    yield news
        finally:
            if self._replaced.get(key) is replaced:
                del self._replaced[key]

    def _ids(self, request: Figures) -> Sequence[str]:
        """The ids of what is asked for, of each once."""
        if request.known:
            return tuple(dict.fromkeys(request.ids))
        return tuple({mission.id: mission for mission in find_each(self._registry, request.ids)})

    async def _is_over(self, replaced: asyncio.Event, look: SharedLook) -> bool:
        """Wait until the look is due; whether another stream has taken the place of this one meanwhile."""
        try:
            await asyncio.wait_for(replaced.wait(), self._looks.seconds_until(look))
        except TimeoutError:
            return False
        return True


class _Told:
    """What one client was told last."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.left = ids
        """Those that are not gone."""
        self._figures: Mapping[str, MissionFigures] = {}

    def news(self, found: Mapping[str, MissionFigures]) -> FiguresRead:
        """What it does not know yet of what was found."""
        changed = [found[one] for one in self.left if one in found and found[one] != self._figures.get(one)]
        gone = [one for one in self.left if one not in found]
        self.left = tuple(one for one in self.left if one in found)
        self._figures = {one: found[one] for one in self.left}
        return {"missions": changed, "gone": gone}


def _period(amount: Amount) -> float:
    """Seconds between two looks.

    Raises:
        OvermindError: `invalid`, it is no time, or out of bounds.
    """
    every = seconds(amount, "every")
    if not SHORTEST <= every <= LONGEST:
        raise OvermindError("invalid", f"every: it is from {SHORTEST} to {LONGEST:.0f} seconds, not {every:g}.")
    return every

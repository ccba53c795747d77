"""`subscribe`: the output of missions as objects, a line at a time."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from overmind_core.logs.layout import OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import Sanitiser
from overmind_core.supervisor import records
from overmind_core.supervisor.commands.logs import extent
from overmind_core.supervisor.lookup import find

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from overmind_core.domain.mission import Mission
    from overmind_core.domain.run import Run
    from overmind_core.supervisor.callers import Caller
    from overmind_core.supervisor.core import Supervisor
    from overmind_core.supervisor.requests import Subscribe

WINDOW = 64 * 1024
"""Bytes of output read at once."""
_NEWLINE = re.compile(rb"(?<=\n)")


async def subscribe(core: Supervisor, request: Subscribe, caller: Caller) -> AsyncIterator[Any]:
    """The output as objects, one for each line, until the missions end."""
    del caller
    missions = [find(core.book, text) for text in request.ids]
    with core.feed.follow([mission.id for mission in missions]) as follower:
        await core.pulse.refresh()
        tails = [Tail(core, mission, request) for mission in missions]
        offsets = {run: offset for tail in tails for run, offset in tail.begin()}
        yield {"missions": [records.brief(mission) for mission in missions], "offsets": offsets}
        while tails:
            for tail in list(tails):
                for item in tail.items():
                    yield item
                    await asyncio.sleep(0)
                if tail.ended:
                    tails.remove(tail)
            if tails and not any(tail.behind for tail in tails):
                await follower.news()


class Tail:
    """What one subscriber has seen of one mission's output."""

    def __init__(self, core: Supervisor, mission: Mission, request: Subscribe) -> None:
        self._core = core
        self._id = mission.id
        self._given = request.offsets
        self._from_start = request.from_start or not mission.is_live
        self._sanitiser = Sanitiser()
        self._number = 0
        self._offset = 0
        self.ended = False
        self.behind = False

    def begin(self) -> list[tuple[str, int]]:
        """Find the place to begin at; the run and the offset, so that the caller can come back to it."""
        runs = self._core.book.runs_of(self._id)
        given = [run for run in runs if run.id in self._given]
        if given:
            self._enter(given[-1], self._given[given[-1].id])
        elif runs and self._from_start:
            self._enter(runs[0], 0)
        elif runs:
            self._enter(runs[-1], extent(self._core, runs[-1]).out)
        return [(f"{self._id}.{self._number}", self._offset)] if self._number else []

    def items(self) -> Iterator[dict[str, Any]]:
        """What is new; `behind` says that there is more already."""
        mission = self._core.book.get(self._id)
        self.behind = False
        for run in self._core.book.runs_of(self._id):
            if run.number < self._number:
                continue
            if run.number > self._number:
                yield from self._next_run(run)
            yield from self._read(run)
            if self.behind:
                return
        if mission is None or not mission.is_live:
            self.ended = True
            status = "killed" if mission is None else mission.status.value
            code = None if mission is None else records.exit_code(mission)
            yield {"type": "exit", "mission": self._id, "status": status, "exit_code": code}

    def _enter(self, run: Run, offset: int) -> None:
        self._number = run.number
        self._offset = offset
        self._sanitiser = Sanitiser()

    def _next_run(self, run: Run) -> Iterator[dict[str, Any]]:
        if self._number:
            yield {"type": "restart", "mission": self._id, "run": run.id, "offset": 0}
        self._enter(run, 0)

    def _read(self, run: Run) -> Iterator[dict[str, Any]]:
        """Whole lines; each with the offset behind it, at which a broken stream goes on."""
        log = RunLog(f"{self._core.home.logs}/{run.mission}/{run.number:06d}")
        start, data = log.read(OUT, self._offset, WINDOW)
        self._offset = start if data else self._offset
        for piece in _NEWLINE.split(data):
            self._offset += len(piece)
            yield from self._plain(run, self._sanitiser.feed(piece))
        self.behind = bool(data)
        if not data and run.swept:
            yield from self._plain(run, self._sanitiser.flush())

    def _plain(self, run: Run, lines: Sequence[str]) -> Iterator[dict[str, Any]]:
        for text in lines:
            yield {"type": "plain", "mission": self._id, "text": text, "run": run.id, "offset": self._offset}

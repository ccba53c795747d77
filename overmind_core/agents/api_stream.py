"""`subscribe`: the output of missions as objects, a line at a time: an agent's own ones, or what a plain line says."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from overmind_core.agents.requests import Subscribe
from overmind_core.domain.missions.mission import Status
from overmind_core.kernel.request import handles
from overmind_core.logs.display import begins_inside_a_line
from overmind_core.logs.layout import OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import Sanitiser
from overmind_core.missions import answers
from overmind_core.missions.api_logs import format_of
from overmind_core.missions.lookup import find
from overmind_core.providers import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from overmind_core.agents.answer_types import OutputFollowed, OutputItem, OutputRestart
    from overmind_core.domain.missions.mission import Mission, Run
    from overmind_core.kernel.request import Caller, Stream
    from overmind_core.missions.followers import Followers
    from overmind_core.missions.output_progress import OutputProgress
    from overmind_core.missions.registry import Registry
    from overmind_core.providers.lines import Object
    from overmind_core.system.paths import Home

WINDOW = 64 * 1024
"""Bytes of output read at once."""
_NEWLINE = re.compile(rb"(?<=\n)")


class Tail:
    """What one subscriber has seen of one mission's output."""

    def __init__(
        self, registry: Registry, progress: OutputProgress, logs: str, mission: Mission, request: Subscribe
    ) -> None:
        self._registry = registry
        self._progress = progress
        self._logs = logs
        self._id = mission.id
        self._given = request.offsets
        self._from_start = request.from_start or not mission.is_live
        self._lines: Plain | Objects = Plain()
        self._number = 0
        self._offset = 0
        self.ended = False
        self.behind = False

    def begin(self) -> list[tuple[str, int]]:
        """Find the place to begin at; the run and the offset, so that the caller can come back to it."""
        runs = self._registry.runs_of(self._id)
        given = [run for run in runs if run.id in self._given]
        if given:
            self._enter(given[-1], self._given[given[-1].id])
        elif runs and self._from_start:
            self._enter(runs[0], 0)
        elif runs:
            self._enter(runs[-1], self._progress.extent(runs[-1]).out)
        return [(f"{self._id}.{self._number}", self._offset)] if self._number else []

    def items(self) -> Iterator[OutputItem]:
        """What is new; `behind` says that there is more already."""
        mission = self._registry.get(self._id)
        self.behind = False
        for run in self._registry.runs_of(self._id):
            if run.number < self._number:
                continue
            if run.number > self._number:
                yield from self._next_run(run)
            yield from self._read(run)
            if self.behind:
                return
        if mission is None or not mission.is_live:
            self.ended = True
            status = Status.KILLED if mission is None else mission.status
            code = None if mission is None else answers.exit_code(mission)
            yield {"type": "exit", "mission": self._id, "status": status, "exit_code": code}

    def _enter(self, run: Run, offset: int) -> None:
        self._number = run.number
        self._offset = offset
        agent = format_of(self._registry.get(self._id), run)
        self._lines = Objects(cut=begins_inside_a_line(self._log(run), OUT, offset)) if agent else Plain()

    def _next_run(self, run: Run) -> Iterator[OutputRestart]:
        if self._number:
            yield {"type": "restart", "mission": self._id, "run": run.id, "offset": 0}
        self._enter(run, 0)

    def _read(self, run: Run) -> Iterator[OutputItem]:
        """Whole lines; each with the offset behind it, at which a broken stream goes on."""
        start, data = self._log(run).read(OUT, self._offset, WINDOW)
        self._offset = start if data else self._offset
        for piece in _NEWLINE.split(data):
            self._offset += len(piece)
            yield from self._placed(run, self._lines.feed(piece))
        self.behind = bool(data)
        if not data and run.swept:
            yield from self._placed(run, self._lines.flush())

    def _placed(self, run: Run, found: Iterable[Object | str]) -> Iterator[OutputItem]:
        """Each with where it comes from."""
        for one in found:
            if isinstance(one, str):
                yield {"type": "plain", "text": one, "mission": self._id, "run": run.id, "offset": self._offset}
            else:
                yield {"type": "object", "object": one, "mission": self._id, "run": run.id, "offset": self._offset}

    def _log(self, run: Run) -> RunLog:
        return RunLog(f"{self._logs}/{run.mission}/{run.number:06d}")


class Plain:
    """Lines of text."""

    def __init__(self) -> None:
        self._sanitiser = Sanitiser()

    def feed(self, piece: bytes) -> list[str]:
        """What a piece of output, cut at newlines at the latest, completes."""
        return self._sanitiser.feed(piece)

    def flush(self) -> list[str]:
        """What is left at the end of the run."""
        return self._sanitiser.flush()


class Objects:
    """An agent's lines: its objects as they are, whatever is none as text. `cut`: begins in the middle of a line."""

    def __init__(self, *, cut: bool) -> None:
        self._pieces: list[bytes] = []
        self._cut = cut

    def feed(self, piece: bytes) -> list[Object | str]:
        """See `Plain.feed`."""
        self._pieces.append(piece)
        return self.flush() if piece.endswith(b"\n") else []

    def flush(self) -> list[Object | str]:
        """See `Plain.flush`."""
        line = b"".join(self._pieces)
        self._pieces.clear()
        cut, self._cut = self._cut, False
        if cut or not line:
            return []
        found = lines.read_object(line)
        if not isinstance(found, str):
            return [found]
        sanitiser = Sanitiser()
        return [*sanitiser.feed(line), *sanitiser.flush()]


class StreamApi:
    """The request for output as objects."""

    def __init__(self, registry: Registry, followers: Followers, progress: OutputProgress, home: Home) -> None:
        self._registry = registry
        self._followers = followers
        self._progress = progress
        self._home = home

    @handles(Subscribe)
    async def subscribe(self, request: Subscribe, caller: Caller) -> Stream[OutputFollowed, OutputItem]:
        """The output as objects, one for each line, until the missions end."""
        del caller
        missions = [find(self._registry, text) for text in request.ids]
        with self._followers.follow([mission.id for mission in missions]) as follower:
            await self._progress.look()
            tails = [self._tail(mission, request) for mission in missions]
            offsets = {run: offset for tail in tails for run, offset in tail.begin()}
            yield {"missions": [answers.brief(mission) for mission in missions], "offsets": offsets}
            while tails:
                for tail in list(tails):
                    for item in tail.items():
                        yield item
                        await asyncio.sleep(0)
                    if tail.ended:
                        tails.remove(tail)
                if tails and not any(tail.behind for tail in tails):
                    await follower.news()

    def _tail(self, mission: Mission, request: Subscribe) -> Tail:
        return Tail(self._registry, self._progress, self._home.logs, mission, request)

"""The progress of each run's output, learnt by asking the keeper for what changed since the last time.

About once a second while anything lives, and at once when something must be known exactly. Output itself never
passes through here. The newest line of a run's log, for what a mission is doing NOW, is read again only when the log
has grown.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.text.cells import display_safe
from overmind_core.kernel.keeper_client import KeeperGone, KeeperRefused
from overmind_core.logs.display import RenderedLines, begins_inside_a_line
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import Sanitiser, is_span
from overmind_core.logs.tail import last_switch
from overmind_core.missions.changes import Extent, OutputGrew
from overmind_core.providers import registry
from overmind_core.providers.lines import is_turn_summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.missions.mission import Run
    from overmind_core.kernel.bus import Bus
    from overmind_core.kernel.keeper_client import KeeperConnection
    from overmind_core.missions.changes import RunConcluded
    from overmind_core.system.machine import Clock


PERIOD = 1.0
LOOK_SECONDS = 2.0
"""How long who only looks waits for a keeper, which may be stopped."""
RATE_WINDOW = 5
"""Samples over which an output rate is taken."""


class OutputProgress:
    """What the keeper last said of each run it holds."""

    def __init__(self, bus: Bus, clock: Clock, wanted: Callable[[str], bool]) -> None:
        """`wanted`: whether anybody still asks for a run."""
        self._bus = bus
        self._clock = clock
        self._wanted = wanted
        self._since = 0
        self._extents: dict[str, Extent] = {}
        self._samples: dict[str, deque[tuple[float, int]]] = {}
        """Runs that wrote lately → moments, and bytes by then; most runs are silent, and cost nothing here."""
        self._sampled_at = clock.mono()
        self._asking: asyncio.Task[None] | None = None
        """The question that the keeper was asked, until it is answered."""
        self._next: asyncio.Task[None] | None = None
        """The question that it is asked behind that, shared by all who came since."""
        self.link: KeeperConnection | None = None

    def of(self, run: str) -> Extent:
        """The newest known extent of the run's log."""
        return self._extents.get(run, Extent())

    def extent(self, run: Run) -> Extent:
        """How far a run's log is known to reach, whether it goes on or not."""
        known = self.of(run.id)
        return Extent(max(known.out, run.out), max(known.err, run.err), known.last)

    def rate(self, run: str) -> float:
        """Bytes per second over the last few seconds."""
        samples = self._samples.get(run)
        if not samples:
            return 0.0
        extent = self.of(run)
        elapsed = self._clock.mono() - samples[0][0]
        return max(0.0, (extent.out + extent.err - samples[0][1]) / elapsed) if elapsed > 0 else 0.0

    def set(self, run: str, out: int, err: int, last: float | None = None) -> None:
        """Note what a notice or an answer said of the run."""
        if not self._wanted(run):
            return
        before = self.of(run)
        extent = Extent(out, err, before.last if last is None else last)
        if extent != before:
            if run in self._extents and run not in self._samples:
                self._samples[run] = deque([(self._sampled_at, before.out + before.err)], RATE_WINDOW)
            self._extents[run] = extent
            self._bus.publish(OutputGrew(run, extent))

    def on_notice(self, run: str, out: int, err: int, last: float | None) -> None:
        """Note what a notice says of a watched run; `last`: None of an older keeper, which does not say when it wrote.

        A notice also comes because somebody has begun to look, and that is no sign of life.
        """
        before = self.of(run)
        if last is None and (out, err) != (before.out, before.err):
            last = self._clock.mono()
        self.set(run, out, err, last)

    def on_conclusion(self, concluded: RunConcluded) -> None:
        """The run is over."""
        self._extents.pop(concluded.run, None)
        self._samples.pop(concluded.run, None)

    def restart(self, link: KeeperConnection | None) -> None:
        """Ask this keeper from now on, from the beginning."""
        self.link = link
        self._since = 0

    async def refresh(self) -> None:
        """Ask for what changed until now; callers at the same time share one question."""
        await asyncio.shield(self._asked())  # whoever gives up must not take the answer from the others

    async def look(self) -> None:
        """As `refresh`, for who only shows it: where the keeper does not answer, what was known last will do."""
        await asyncio.wait((self._asked(),), timeout=LOOK_SECONDS)

    def _asked(self) -> asyncio.Task[None]:
        if self._next is None:
            self._next = asyncio.create_task(self._ask(self._asking))
        return self._next

    async def _ask(self, before: asyncio.Task[None] | None) -> None:
        """Ask, once nothing is asked any more: the answer under way may be from before what our callers have seen."""
        if before is not None and not before.done():
            await asyncio.wait((before,))
        self._asking, self._next = self._next, None
        await self._request()

    async def beat(self, needed: asyncio.Event) -> None:
        """Refresh once a second while it is needed, for as long as the supervisor lives."""
        while True:
            if not needed.is_set():
                await needed.wait()
                self._sampled_at = self._clock.mono()
            await asyncio.sleep(PERIOD)
            await self.refresh()
            self._sample()

    async def _request(self) -> None:
        if self.link is None:
            return
        try:
            answer = await self.link.request("changed", since=self._since)
        except (KeeperGone, KeeperRefused):
            return
        self._since = answer["seq"]
        for row in answer["runs"]:
            self._record(row)

    def _record(self, row: dict[str, Any]) -> None:
        self.set(row["run"], row["out"], row["err"], row["last"])

    def _sample(self) -> None:
        now = self._sampled_at = self._clock.mono()
        for run, samples in list(self._samples.items()):
            extent = self._extents[run]
            samples.append((now, extent.out + extent.err))
            if samples[0][1] == samples[-1][1]:  # nothing for as long as is looked back
                del self._samples[run]


WINDOW = 4096
"""Bytes at the end of a stream in which the line is looked for."""
AGENT_WINDOW = 256 * 1024
"""Likewise of an agent's lines, which are longer; one that is longer still shows as nothing."""
LONGEST = 200
"""Characters that are kept of it."""
LOOKBACK = 1024 * 1024
"""Bytes before the window in which is looked for what switched to a full screen, or back."""
OVERLAP = 80
"""Bytes that are read again: a switch may have been cut in two."""
FULL_SCREEN = "(full screen)"
"""Instead of a line, where nothing but a full screen was drawn."""
REMEMBERED = 20_000
"""Runs."""


class LineExtent(NamedTuple):
    """A run, where its log lies, how long each stream is, and whose lines it holds (None: plain ones).

    Attributes:
        is_explained: Its standard error need not say why it has ended.
    """

    run: str
    path: str
    out: int
    err: int
    format: str | None = None
    is_explained: bool = False


class AlternateScreen(NamedTuple):
    """Whether a terminal showed its alternate screen where the window of its newest line begins."""

    at: int = 0
    on: bool = False


class _Known(NamedTuple):
    extent: LineExtent
    text: str
    screen: AlternateScreen


class LastLines:
    """Remembers what it read."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def of(self, extent: LineExtent) -> str:
        """The last line with a letter or a digit; "" when there is none. Reads a file: for a worker thread."""
        known = self._known.get(extent.run)
        if known is not None and known.extent == extent:
            return known.text
        screen = _screen(extent, known.screen if known is not None else AlternateScreen())
        text = _read(extent, on_screen=screen.on)
        self._known[extent.run] = _Known(extent, text, screen)
        self._known.move_to_end(extent.run)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return text


def _screen(extent: LineExtent, before: AlternateScreen) -> AlternateScreen:
    """Looks only at what came since: whole logs are not read again for a line."""
    start = max(extent.out - WINDOW, 0)
    if extent.format is not None or start <= before.at:
        return before
    begin = max(before.at - OVERLAP, start - LOOKBACK, 0)
    switch = last_switch(RunLog(extent.path), OUT, begin, start)
    return AlternateScreen(start, switch.on if switch is not None else before.on)


def _read(extent: LineExtent, *, on_screen: bool) -> str:
    log = RunLog(extent.path)
    speaks = extent.format is not None and registry.renderer(extent.format) is not None
    errors = 0 if speaks and extent.is_explained else extent.err  # noise beside a protocol
    for stream, end in ((OUT, extent.out), (ERR, errors)):
        found = _last(log, stream, end, extent.format, on_screen=on_screen and stream == OUT) if end else ""
        if found:
            return display_safe(found[:LONGEST])
    return ""


def _last(log: RunLog, stream: int, end: int, whose: str | None, *, on_screen: bool) -> str:
    renderer = registry.renderer(whose) if whose is not None and stream == OUT else None
    start = max(end - (WINDOW if renderer is None else AGENT_WINDOW), 0)
    start, data = log.read(stream, start, end - start)
    cut = begins_inside_a_line(log, stream, start)
    if cut and renderer is None and not on_screen and (newline := data.find(b"\n")) >= 0:
        data = data[newline + 1 :] or data
    reading = Sanitiser(full_screen=int(on_screen)) if renderer is None else RenderedLines(renderer, cut=cut)
    lines = [line.strip() for line in (*reading.feed(data), *reading.flush())]
    says_nothing = is_span if renderer is None else is_turn_summary
    nothing = FULL_SCREEN if any(map(is_span, lines)) else ""
    return next((line for line in reversed(lines) if _is_said(line) and not says_nothing(line)), nothing)


def _is_said(line: str) -> bool:
    """True for a line that says something: dots and bars tell nobody what is being done."""
    return any(map(str.isalnum, line))

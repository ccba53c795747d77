"""The output of a mission's newest run as clean text: its last line, its end. All functions read files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.agents.agent_events import TextSpoken
from overmind_core.logs.display import RenderedLines, begins_inside_a_line
from overmind_core.logs.layout import ERR, OUT, run_folder
from overmind_core.logs.reader import RunLog
from overmind_core.logs.sanitise import Sanitiser, is_span
from overmind_core.logs.tail import full_screen_bytes
from overmind_core.providers import registry

if TYPE_CHECKING:
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.logs.time_order import Offsets
    from overmind_core.providers.base import Provider

WINDOWS = (64 * 1024, 4 * 1024 * 1024)
"""Bytes at the end of a stream in which a line is looked for: first in few, then in many."""


class RunOutput(NamedTuple):
    """The output of one run: its folder, and the provider whose lines it holds (None: plain ones)."""

    path: str
    format: str | None


def newest(logs: str, mission: Mission) -> RunOutput:
    """The output of the mission's newest run; `logs` is the folder of all logs."""
    definition = mission.definition
    plain = definition.tty or definition.provider == RAW
    return RunOutput(run_folder(logs, mission.run_id), None if plain else definition.provider)


def last_line(path: str) -> str:
    """The last line of plain output with something on it, without the blanks around it; "" when there is none."""
    log = RunLog(path)
    end = log.end[OUT]
    for window in WINDOWS:
        start, data = log.read(OUT, max(0, end - window), window)
        reading = Sanitiser(full_screen=full_screen_bytes(log, OUT, start))
        lines = [line.strip() for line in (*reading.feed(data), *reading.flush())]
        if begins_inside_a_line(log, OUT, start):
            if len(lines) > 1:
                del lines[0]
            elif window != WINDOWS[-1]:
                continue  # a long line: more of it
        found = next((line for line in reversed(lines) if line and not is_span(line)), "")
        if found or start == 0:
            return found
    return ""


def last_spoken(path: str, provider: Provider) -> str:
    """What the agent said last, in its own words; "" when it said nothing."""
    log = RunLog(path)
    end = log.end[OUT]
    for window in WINDOWS:
        start, data = log.read(OUT, max(0, end - window), window)
        lines = data.split(b"\n")
        if begins_inside_a_line(log, OUT, start):
            del lines[0]
        found = next(filter(None, (_spoken(provider, line) for line in reversed(lines))), "")
        if found or start == 0:
            return found
    return ""


def ending(output: RunOutput, limit: int) -> str:
    """The last lines of both streams in the order in which they were written: at most `limit` bytes of UTF-8."""
    log = RunLog(output.path)
    ends = log.end
    kept: list[str] = []
    size = 0
    for line in reversed(list(_lines(log, output.format, ends))):
        size += len(line.encode("utf-8", "replace")) + 1
        kept.append(line)
        if size > limit:
            break
    return last_bytes("\n".join(reversed(kept)), limit)


def last_bytes(text: str, limit: int) -> str:
    """The end of a text: as many whole characters as `limit` bytes of UTF-8 hold."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= limit else data[-limit:].decode("utf-8", "ignore")


def _spoken(provider: Provider, line: bytes) -> str:
    return "".join(fact.text for fact in provider.parse(line) if isinstance(fact, TextSpoken) and not fact.thought)


def _lines(log: RunLog, whose: str | None, ends: Offsets) -> Iterator[str]:
    since = _line_start(log, OUT, ends[OUT]), _line_start(log, ERR, ends[ERR])
    renderer = None if whose is None else registry.renderer(whose)
    out = (
        RenderedLines(renderer)
        if renderer is not None
        else Sanitiser(full_screen=full_screen_bytes(log, OUT, since[OUT]))
    )
    readings = (out, Sanitiser())
    for _, stream, _, data in log.interleaved(since, ends):
        yield from readings[stream].feed(data)
    for reading in readings:
        yield from reading.flush()


def _line_start(log: RunLog, stream: int, end: int) -> int:
    """Where the first whole line of the last bytes begins; where those begin, when none does."""
    start, data = log.read(stream, max(0, end - WINDOWS[-1]), WINDOWS[-1])
    if not begins_inside_a_line(log, stream, start):
        return start
    newline = data.find(b"\n")
    return start if newline < 0 else start + newline + 1

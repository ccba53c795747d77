"""The readable transcript of a run of `claude`: what it says, a line for each tool, errors, and a summary per turn.

A tool call waits for its return, so that one line tells both; calls that never return are shown at the end of the turn.
What a person said is not in here: it stands in the log as an annotation.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from overmind_core.providers.claude import stream
from overmind_core.providers.claude.stream import FRAGMENT, blocks
from overmind_core.providers.lines import (
    GEAR,
    Object,
    count_at,
    failure,
    number_at,
    object_at,
    objects_at,
    plain_text,
    read_object,
    text_at,
    tool_line,
    turn_summary,
)

INDENT = "  "
"""Of what a sub-agent does, under the call that started it."""
MAX_CALLS = 256
"""Calls that are remembered until they return."""


class PendingCall(NamedTuple):
    """A tool call under way. `at`: seconds since the epoch, None when the line doesn't say."""

    summary: str
    at: float | None
    depth: int


class ClaudeTranscript:
    """One run's lines, readable."""

    def __init__(self) -> None:
        self._calls: dict[str, PendingCall] = {}
        self._depths: dict[str, int] = {}

    def feed(self, line: bytes) -> list[str]:
        """What one line of output adds."""
        if line.startswith(FRAGMENT):
            return []
        found = read_object(line)
        if isinstance(found, str):
            return [plain_text(line)]
        return list(self._lines(found))

    def _lines(self, found: Object) -> Iterator[str]:
        kind = text_at(found, "type")
        if kind == "assistant":
            yield from self._assistant(found)
        elif kind == "user" and found.get("isReplay") is not True:
            yield from self._user(found)
        elif kind == "system":
            yield from _system(found)
        elif kind == "control_request":
            yield from _question_lines(object_at(found, "request"))
        elif kind == "result":
            yield from self._result(found)

    def _assistant(self, found: Object) -> Iterator[str]:
        depth = self._depth(found)
        if "error" in found and not depth:
            return  # the result says it again
        for block in blocks(found):
            kind = text_at(block, "type")
            if kind == "text":
                yield from _indented(text_at(block, "text"), depth)
            elif kind.endswith("tool_use"):
                self._began(block, found, depth)

    def _began(self, block: Object, found: Object, depth: int) -> None:
        name = text_at(block, "id")
        summary = stream.summary(text_at(block, "name"), object_at(block, "input"))
        self._calls[name] = PendingCall(summary, _moment(found), depth)
        self._depths[name] = depth
        for remembered in (self._calls, self._depths):
            while len(remembered) > MAX_CALLS:
                remembered.pop(next(iter(remembered)))

    def _user(self, found: Object) -> Iterator[str]:
        for block in blocks(found):
            if text_at(block, "type").endswith("tool_result"):
                yield from self._returned(block, found)

    def _returned(self, block: Object, found: Object) -> Iterator[str]:
        earlier = PendingCall("…", None, self._depth(found))  # where the lines before are not looked at
        call = self._calls.pop(text_at(block, "tool_use_id"), earlier)
        began, ended = call.at, _moment(found)
        took = ended - began if began is not None and ended is not None else None
        error = _content(block) if block.get("is_error") is True else None
        yield from _indented(tool_line(call.summary, error, took), call.depth)

    def _result(self, found: Object) -> Iterator[str]:
        for call in self._calls.values():
            yield from _indented(f"{GEAR} {call.summary} → no answer", call.depth)
        self._calls.clear()
        result = stream.turn_result(found)
        if result.reason == stream.WRONG_START:  # no turn: the next run begins otherwise, which the log says
            return
        if not result.ok:
            yield failure(result)
        yield turn_summary(result)

    def _depth(self, found: Object) -> int:
        """How deep in sub-agents a line is."""
        parent = text_at(found, "parent_tool_use_id")
        return self._depths.get(parent, 0) + 1 if parent else 0


def _system(found: Object) -> Iterator[str]:
    subtype = text_at(found, "subtype")
    if subtype == "api_retry":
        delay = (number_at(found, "retry_delay_ms") or 0.0) / 1000
        error = f"{text_at(found, 'error')} {count_at(found, 'error_status') or ''}".strip()
        yield f"… {error}: try {count_at(found, 'attempt')} of {count_at(found, 'max_retries')} in {delay:.1f} s"
    elif subtype == "compact_boundary":
        yield "— the conversation was summarised to make room —"


def _question_lines(request: Object) -> Iterator[str]:
    if text_at(request, "subtype") == "can_use_tool":
        asked = stream.question_of("", text_at(request, "tool_name"), object_at(request, "input"))
        yield f"? {asked.need.value}: {asked.summary}"


def _indented(text: str, depth: int) -> Iterator[str]:
    for line in text.splitlines() or [text]:
        yield INDENT * depth + line


def _content(block: Object) -> str:
    """What a tool returned: a string, or blocks of text."""
    return text_at(block, "content") or "\n".join(text_at(piece, "text") for piece in objects_at(block, "content"))


def _moment(found: Object) -> float | None:
    """When the line was written, in seconds since the epoch."""
    try:
        return datetime.fromisoformat(text_at(found, "timestamp")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None

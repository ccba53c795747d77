"""The newest tool calls of an agent: what it called, what came back, and errors that can be compared. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from overmind_core.domain.replacing import replace
from overmind_core.domain.text.cells import display_safe

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent_events import ToolCalled, ToolReturned

MOST_CALLS = 30
LONGEST_SUMMARY = 200
"""Characters of a call or an error that are kept."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool."""

    call: str
    """The program's own name of it."""
    key: tuple[str, str]
    """Equal for the same call: the tool, and what it was given."""
    summary: str
    """One line for people."""
    paths: tuple[str, ...] = ()
    """The files that it reads or edits."""
    edits: bool = False
    runs: bool = False
    """Whether it runs a command."""
    returned: bool = False
    failed: bool = False
    result: str = ""
    """Equal for equal answers."""
    error: str = ""
    """The first line about an error, as it was."""
    same_error: str = ""
    """Equal for the same error at another time: see `comparable`."""


@dataclass(frozen=True, slots=True)
class ToolWindow:
    """The newest calls, oldest first."""

    uses: tuple[ToolUse, ...] = ()
    known: bool = False
    """Whether its program tells its calls at all: it has told one."""
    since_asked: int = MOST_CALLS
    """Calls since a person has asked for something, or all that are kept: whatever is asked for again is done again."""


def called(window: ToolWindow, fact: ToolCalled) -> ToolWindow:
    """One more call."""
    use = ToolUse(
        fact.call,
        (fact.tool, fact.digest or fact.summary),
        display_safe(fact.summary[:LONGEST_SUMMARY]),
        fact.paths,
        fact.edits,
        fact.runs,
    )
    uses = (*window.uses[1 - MOST_CALLS :], use)
    return ToolWindow(uses, known=True, since_asked=min(window.since_asked + 1, MOST_CALLS))


def asked(window: ToolWindow) -> ToolWindow:
    """A person has asked for something."""
    return replace(window, since_asked=0)


def returned(window: ToolWindow, fact: ToolReturned) -> ToolWindow:
    """A call has its answer; one that is not known any more, or has one, changes nothing."""
    for place in range(len(window.uses) - 1, -1, -1):
        use = window.uses[place]
        if use.call == fact.call and not use.returned:
            error = display_safe(fact.error[:LONGEST_SUMMARY])
            done = replace(
                use,
                returned=True,
                failed=fact.failed,
                result=fact.digest,
                error=error,
                same_error=comparable(error) if error else "",
            )
            return replace(window, uses=(*window.uses[:place], done, *window.uses[place + 1 :]), known=True)
    return window


_TIME = (
    r"(?<![\w:./-])(?:\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?"
    r"|\d\d?:\d\d:\d\d(?:[.,]\d+)?)(?!\w)"
)
_DURATION = (
    r"(?<![\w./-])(?:(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|s|m|h))+"
    r"|\d+(?:\.\d+)? ?(?:ms|us|µs|ns|s|milliseconds?|secs?|seconds?|mins?|minutes?|hours?))(?!\w)"
)
_ADDRESS = r"(?<!\w)0x[0-9a-fA-F]{6,16}(?!\w)"
_VARYING = re.compile(rf"{_TIME}|{_DURATION}|{_ADDRESS}")
_TEMPORARY = re.compile(
    r"(?<![\w./])(?:/private)?/(?:tmp|var/tmp|var/folders|dev/shm)(?P<inside>/[^\s'\"`:,;()<>\[\]]*)?(?![\w-])"
)
_INSIDE = 2
"""Slashes behind the root of temporary files in the path of one that has a folder there."""


def comparable(line: str) -> str:
    """A line without what differs each time: times, durations, addresses, temporary paths.

    A file in a temporary folder keeps its name, for that is another file. Any other number stays, too: `3 failed` after
    `4 failed` is progress.
    """
    return _VARYING.sub("", _TEMPORARY.sub(_lasting_name, line))


def _lasting_name(found: re.Match[str]) -> str:
    inside = found["inside"] or ""
    name = inside.rpartition("/")[2]
    lasts = inside.count("/") >= _INSIDE and "." in name.strip(".") and not name.startswith("tmp")
    return name if lasts else ""

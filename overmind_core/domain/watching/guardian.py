"""The guardian: whether an agent still does what it was asked to do, judged by what it does alone. No clock, no IO.

Alignment is 1 minus the cost of each term that holds. It needs no model: a term is a pattern in calls of tools, in
changed files, in time and cost. A term that can't be measured neither holds nor counts as fine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from posixpath import isabs, join, normpath, relpath
from types import MappingProxyType
from typing import NamedTuple

from overmind_core.domain.agents.turns import one_line
from overmind_core.domain.text import file_pattern
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.decimals import dollars
from overmind_core.domain.text.duration import format_uptime
from overmind_core.domain.watching.health import ALARMING, HealthLevel
from overmind_core.domain.watching.tool_window import ToolUse, ToolWindow

COSTS: Mapping[str, float] = MappingProxyType(
    {"loop": 0.35, "drift": 0.25, "thrash": 0.20, "overrun": 0.10, "silence": 0.10}
)
"""Term → what it takes from alignment; together 1."""
REVIEW = "review"
"""The term that a review adds while it counts."""
BASES = frozenset({"loop", "drift", "overrun"})
"""While none of these can be measured, alignment is not known."""
LOW = 0.6
"""Alignment below which an agent is steered; no term alone gets there."""
LOOP_CALLS = 10
REPEATED = 3
EDITED_AGAIN = 5
OVERRUN = 2.0
"""Times its estimate that a quest may take or cost."""
REVIEW_COUNTS = 300.0
"""Seconds for which the number of a review stands for the measured one."""
NAMED = 3
"""Files that evidence names."""
_TEMPORARY = ("/tmp", "/private/tmp", "/var/tmp", "/private/var/tmp", "/var/folders", "/dev/shm")  # noqa: S108
"""Temporary folders, where any file may be changed."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The files that a quest may change."""

    owns: tuple[str, ...]
    """Patterns of paths, relative to `top`; none: everywhere."""
    top: str
    """Folder of the worktree."""
    folder: str
    """Where the agent works: in `top`, or below it."""
    scratch: tuple[str, ...] = ()
    """Folders outside that are its to write in, such as that of its outputs."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The facts about a mission from which a sample is computed."""

    window: ToolWindow
    level: HealthLevel | None = None
    """None: silence is no bad sign now."""
    silent_seconds: float = 0.0
    scope: Scope | None = None
    changed: frozenset[str] | None = None
    """Files that its worktree has changed, relative to the top; None: it has none, or nobody has looked."""
    seconds: float = 0.0
    """In which we have watched this attempt work, without those in which it waited or was frozen."""
    estimate_seconds: float | None = None
    cost_usd: float | None = None
    """Of this attempt so far; None: nobody knows."""
    estimate_usd: float | None = None


class Term(NamedTuple):
    """One pattern, as a sample found it."""

    term: str
    cost: float
    holds: bool | None
    """None: it can't be measured."""
    evidence: str
    """The facts that show it, in one line; "" while it doesn't hold."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewing agent has said of a mission."""

    at: float
    alignment: float
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What the guardian has found at one moment."""

    at: float
    terms: tuple[Term, ...]
    alignment: float | None
    """None: none of `BASES` can be measured."""
    score: float
    """As `alignment`, with what can't be measured counted as fine."""
    advice: str = ""
    """The reviewer's message for the agent; "" if there is none."""

    @property
    def holding(self) -> tuple[Term, ...]:
        """The terms that hold, the most costly first."""
        return tuple(term for term in self.terms if term.holds)


def sample(observed: Observed, now: float, review: Review | None = None) -> Sample:
    """Judge what is known of a mission.

    Args:
        observed: That.
        now: Seconds since the epoch.
        review: The newest review of it; its number counts instead of ours for `REVIEW_COUNTS`.
    """
    terms = tuple(_term(name, found(observed)) for name, found in _TERMS.items())
    score = round(1.0 - sum(term.cost for term in terms if term.holds), 4)
    if review is not None and now - review.at < REVIEW_COUNTS:
        low = review.alignment < LOW
        cost = round(1.0 - review.alignment, 4)
        found = Term(REVIEW, cost, holds=low, evidence=review.reason or "a reviewer says so" if low else "")
        return Sample(now, (*terms, found), review.alignment, review.alignment, review.message)
    known = any(term.holds is not None for term in terms if term.term in BASES)
    return Sample(now, terms, score if known else None, score)


Found = str | bool | None
"""The evidence of a term that holds; False: it doesn't; None: nobody can tell."""


def _term(name: str, found: Found) -> Term:
    if isinstance(found, str):
        return Term(name, COSTS[name], holds=True, evidence=one_line(display_safe(found)))
    return _UNKNOWN[name] if found is None else _FINE[name]


_UNKNOWN = {name: Term(name, cost, holds=None, evidence="") for name, cost in COSTS.items()}
_FINE = {name: Term(name, cost, holds=False, evidence="") for name, cost in COSTS.items()}
"""Most terms of most missions, which share them."""


def _loop(observed: Observed) -> Found:
    """The same call with the same result, and nothing edited between; or the same error. A person may ask for that."""
    if not observed.window.known:
        return None
    count = min(LOOP_CALLS, observed.window.since_asked)
    newest = observed.window.uses[-count:] if count else ()
    errors = Counter(use.same_error for use in newest if use.same_error)
    for same, times in errors.items():
        if times >= REPEATED:
            shown = next(use.error for use in reversed(newest) if use.same_error == same)
            return f"{times} times: {shown}"
    calls: Counter[tuple[tuple[str, str], str]] = Counter()
    for use in newest:
        if use.edits:
            if not use.failed:
                calls.clear()
        elif use.returned:
            same_call = (use.key, use.result)
            calls[same_call] += 1
            if calls[same_call] >= REPEATED:
                return f"{calls[same_call]} times with the same result: {use.summary}"
    return False


def _drift(observed: Observed) -> Found:
    """A file is changed that is not its own."""
    scope = observed.scope
    if scope is None or not scope.owns:
        return None
    if observed.changed is not None:
        outside = files_outside(scope.owns, scope.top, observed.changed)
    elif observed.window.known:
        outside = _edited_outside(scope, observed.window.uses)
    else:
        return None
    return _named(outside) if outside else False


@lru_cache(maxsize=256)
def files_outside(owns: tuple[str, ...], top: str, changed: frozenset[str]) -> tuple[str, ...]:
    """The changed files that no pattern names; remembered, for most samples find what the one before found."""
    return tuple(path for path in sorted(changed) if path and not is_owned(owns, path, top))


def is_owned(owns: tuple[str, ...], path: str, top: str) -> bool:
    """Whether one of the patterns names the file, a path relative to `top`."""
    return any(file_pattern.matches(pattern, path, folder=top) for pattern in owns)


def _edited_outside(scope: Scope, uses: tuple[ToolUse, ...]) -> tuple[str, ...]:
    """What tool calls have edited and nobody may: elsewhere on the machine is outside, too, but not what is scratch."""
    edited = {path for use in uses if use.edits and use.returned and not use.failed for path in use.paths}
    found = set()
    for path in edited:
        absolute = normpath(join(scope.folder, path))
        inside = relative(absolute, scope.top)
        if inside is not None:
            if not is_owned(scope.owns, inside, scope.top):
                found.add(inside)
        elif not any(relative(absolute, folder) for folder in (*scope.scratch, *_TEMPORARY)):
            found.add(absolute)
    return tuple(sorted(found))


def relative(path: str, folder: str) -> str | None:
    """The absolute path as one relative to the folder; None when it lies elsewhere."""
    if not isabs(path) or not isabs(folder):
        return None
    found = relpath(path, folder)
    return None if found == ".." or found.startswith("../") else found


def _named(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return f"{', '.join(paths[:NAMED])}{more}"


def _thrash(observed: Observed) -> Found:
    """One file is edited many times, and the newest failing command still fails."""
    window = observed.window
    if not window.known:
        return None
    edits = Counter(path for use in window.uses if use.edits and not use.failed for path in use.paths)
    often = [path for path, times in edits.items() if times >= EDITED_AGAIN]
    failing = _failing(window.uses) if often else None
    if failing is None:
        return False
    return f"{often[-1]} was edited {edits[often[-1]]} times, and this still fails: {failing.summary}"


def _failing(uses: tuple[ToolUse, ...]) -> ToolUse | None:
    """The newest command that failed, unless the same one has succeeded since."""
    succeeded = set()
    for use in reversed(uses):
        if use.runs and use.returned:
            if use.failed:
                return None if use.key in succeeded else use
            succeeded.add(use.key)
    return None


def _overrun(observed: Observed) -> Found:
    """It takes or costs more than twice its estimate."""
    seconds, usd = observed.estimate_seconds, observed.estimate_usd
    by_cost = usd is not None and observed.cost_usd is not None
    if seconds is None and not by_cost:
        return None
    if seconds is not None and observed.seconds > OVERRUN * seconds:
        return f"{format_uptime(observed.seconds)} of an estimated {format_uptime(seconds)}"
    if usd is not None and observed.cost_usd is not None and observed.cost_usd > OVERRUN * usd:
        return f"{dollars(observed.cost_usd)} of an estimated {dollars(usd)}"
    return False


def _silence(observed: Observed) -> Found:
    """It gives no sign of life."""
    if observed.level is None:
        return None
    return f"no sign of life for {format_uptime(observed.silent_seconds)}" if observed.level in ALARMING else False


_TERMS: Mapping[str, Callable[[Observed], Found]] = {
    "loop": _loop,
    "drift": _drift,
    "thrash": _thrash,
    "overrun": _overrun,
    "silence": _silence,
}

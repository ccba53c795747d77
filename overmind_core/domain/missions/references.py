"""Which mission a person means by an id, a name, or the beginning of an id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from overmind_core.domain.text.duration import format_uptime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Random(Protocol):
        """The part of `random.Random` that is used here."""

        def choice(self, seq: Sequence[str], /) -> str:
            """Return one element."""


SHORTEST_PREFIX = 3
"""Characters of an id that may stand for it."""


_PREFIX = re.compile(rf"[0-9a-f]{{{SHORTEST_PREFIX},8}}")


_ID = re.compile(r"[0-9a-f]{8}")


def is_id(text: str) -> bool:
    """Whether a mission may have this id: one of digits alone would be taken for a number."""
    return _ID.fullmatch(text) is not None and not text.isdigit()


class Candidate(NamedTuple):
    """What has to be known of a mission to tell whether it is meant."""

    id: str
    name: str
    live: bool
    ended_at: float | None
    """Seconds since the epoch; None while it lives."""


class ResolvedReference(NamedTuple):
    """It can only be this one."""

    candidate: Candidate


class Ambiguous(NamedTuple):
    """It could be each of these; ordered by id."""

    candidates: tuple[Candidate, ...]


class NoMatch(NamedTuple):
    """It is none of them."""


def ended_so_named(meant: Candidate, text: str, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """All that have ended under this name, newest first, where `meant` is one of several; else nothing.

    A command that only looks gets the newest. A change has to name which, so that it meets the one that is in the
    person's mind.
    """
    if meant.live or text != meant.name or text == meant.id:
        return ()
    found = sorted((one for one in candidates if not one.live and one.name == text), key=_end, reverse=True)
    return tuple(found) if len(found) > 1 else ()


def ago(ended_at: float | None, now: float) -> str:
    """When it ended, as an error says it; both in seconds since the epoch."""
    return "" if ended_at is None else f", ended {format_uptime(max(0.0, now - ended_at))} ago"


Resolution = ResolvedReference | Ambiguous | NoMatch


def resolve(text: str, candidates: Iterable[Candidate], *, live_first: bool = False) -> Resolution:
    """Return which of `candidates` is meant by `text`.

    In this order: exact id, live name, newest finished name, unique beginning of an id. `live_first` is for commands
    that end missions: there no finished name is taken while a live id begins with `text`.
    """
    known = tuple(candidates)
    rules = _LIVE_FIRST if live_first else _RULES
    return next((found for rule in rules if (found := rule(text, known)) is not None), NoMatch())


Rule = Callable[[str, Sequence[Candidate]], ResolvedReference | Ambiguous | None]


def _exact_id(text: str, known: Sequence[Candidate]) -> ResolvedReference | None:
    return next((ResolvedReference(candidate) for candidate in known if candidate.id == text), None)


def _live_name(text: str, known: Sequence[Candidate]) -> ResolvedReference | None:
    return next(
        (ResolvedReference(candidate) for candidate in known if candidate.live and candidate.name == text), None
    )


def _finished_name(text: str, known: Sequence[Candidate]) -> ResolvedReference | None:
    finished = [candidate for candidate in known if not candidate.live and candidate.name == text]
    return ResolvedReference(max(finished, key=_end)) if finished else None


def _end(candidate: Candidate) -> tuple[float, str]:
    return candidate.ended_at or 0.0, candidate.id


def _prefix(text: str, known: Sequence[Candidate]) -> ResolvedReference | Ambiguous | None:
    if not _PREFIX.fullmatch(text):
        return None
    found = sorted(candidate for candidate in known if candidate.id.startswith(text))
    if len(found) > 1:
        return Ambiguous(tuple(found))
    return ResolvedReference(found[0]) if found else None


def _prefix_of_live(text: str, known: Sequence[Candidate]) -> ResolvedReference | Ambiguous | None:
    return _prefix(text, known) if _prefix(text, [candidate for candidate in known if candidate.live]) else None


_RULES: tuple[Rule, ...] = (_exact_id, _live_name, _finished_name, _prefix)


_LIVE_FIRST: tuple[Rule, ...] = (_exact_id, _live_name, _prefix_of_live, _finished_name, _prefix)

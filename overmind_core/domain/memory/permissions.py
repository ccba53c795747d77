"""Who may write what about notes: a person all, a mission its own, and else only proposals. Pure.

A guard-rail for what agents say to each other, as that of missions is: what reaches everybody, or stands over what a
person has said, is read by a person first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from overmind_core.domain.memory.notes import MOST_OF_A_MISSION, Author, Note, ScopeKind, Standing, Version

OWN_CHANGES = frozenset({"edit", "forget"})
"""Changes that a mission may make of a note that it alone has touched."""
_FOR_MANY = frozenset({ScopeKind.COLONY, ScopeKind.GLOBAL})


class Forbidden(Exception):
    """A mission asked for what only a person may do.

    Attributes:
        what: what it asked for, behind `may not`.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes."""

    author: Author
    proposes: bool = False
    """All that is written is a proposal: the settings say so of agents, and an import may."""

    @property
    def is_person(self) -> bool:
        """Whether everything is allowed."""
        return self.author.is_person


def written_as(writer: Writer, scope: ScopeKind, *, target: Note | None, written: int) -> Standing:
    """How a new text counts: at once, or once a person accepts it.

    Args:
        writer: Who writes it.
        scope: For whom it is.
        target: The note whose next version it is.
        written: How many notes the writer's mission has written so far.
    """
    if writer.is_person:
        return Standing.PROPOSED if writer.proposes else Standing.LIVE
    asked_first = (
        writer.proposes
        or scope in _FOR_MANY
        or written >= MOST_OF_A_MISSION
        or (target is not None and (target.by_person or target.content.scope.kind in _FOR_MANY))
    )
    return Standing.PROPOSED if asked_first else Standing.LIVE


def check_pin(writer: Writer) -> None:
    """Refuse a mission to pin.

    Raises:
        Forbidden: it is one.
    """
    if not writer.is_person:
        raise Forbidden("pin a note")


def check_change(writer: Writer, change: str, note: Note, versions: Iterable[Version]) -> None:
    """Refuse a mission what it may not do to a note.

    Args:
        writer: Who asks.
        change: What: `edit`, `forget`, `purge`, `accept`, `pin`, `unpin`, `restore` or `promote`.
        note: The note.
        versions: Its versions.

    Raises:
        Forbidden: only a person may.
    """
    if writer.is_person:
        return
    if change not in OWN_CHANGES:
        raise Forbidden(f"{change} a note")
    if any(version.author.mission != writer.author.mission for version in versions):
        raise Forbidden(f"{change} {note.id}: it is not only its own")

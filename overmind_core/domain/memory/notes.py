"""Notes: what one agent or person has learned, for the next one. Pure values, with neither clock nor chance.

A note is its versions and votes, which never change and may come in any order, from this machine or from another one:
`versions.py` folds them. What depends on where it is looked at (how often it was given, whether its files are there) is
not part of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

LONGEST_TEXT = 4000
"""Characters of a note."""
LONGEST_QUESTION = 10_000
"""Bytes of a question."""
LONGEST_WHY = 300
"""Characters of the reason of a vote."""
MOST_TAGS = 20
LONGEST_TAG = 60
MOST_FILES = 20
MOST_NOTES = 200_000
"""Notes of a home."""
MOST_OF_A_MISSION = 20
"""Notes that a mission may write; each further one is a proposal."""
ID_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Without those that are mistaken for others: i l o u."""
ID_LENGTH = 10
SHORTEST_PREFIX = 4
"""Characters of an id, behind `N-`, that may stand for it."""
KEY = re.compile(r"[a-z0-9][a-z0-9._/-]{0,62}")
ID = re.compile(rf"N-[{ID_LETTERS}]{{{ID_LENGTH}}}")


class NoteKind(StrEnum):
    """The kind of a note."""

    FACT = "fact"
    DECISION = "decision"
    PATTERN = "pattern"
    GOTCHA = "gotcha"
    FIX = "fix"
    LESSON = "lesson"
    """Proposed by Overmind itself."""


class ScopeKind(StrEnum):
    """For whom a note is."""

    MISSION = "mission"
    """The tree of one mission."""
    REPO = "repo"
    COLONY = "colony"
    """Everybody who shares the Cortex."""
    GLOBAL = "global"
    """One person, everywhere."""


class Scope(NamedTuple):
    """For whom a note is."""

    kind: ScopeKind
    where: str = ""
    """The repository's name (`repository.py`), or the id of the root mission of the tree; "" of the other kinds."""


class Standing(StrEnum):
    """The state that a version gives its note."""

    PROPOSED = "proposed"
    LIVE = "live"
    REPLACED = "replaced"
    """Of a proposal: its text has become a version of the note that it was proposed for."""
    FORGOTTEN = "forgotten"
    PURGED = "purged"


class NoteState(StrEnum):
    """How a note stands."""

    PROPOSED = "proposed"
    """Found, and given to nobody until a person accepts it."""
    LIVE = "live"
    REPLACED = "replaced"
    """A proposal whose text became a version of another note."""
    FORGOTTEN = "forgotten"
    PURGED = "purged"


class Origin(StrEnum):
    """How a version came to be."""

    COMMAND = "command"
    AGENT = "agent"
    """Written from inside a mission."""
    OVERMIND = "overmind"
    """Noticed by Overmind itself."""
    FILE = "file"
    CORTEX = "cortex"


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a version: a person, or a mission with its agent; never blank."""

    person: str = ""
    """A login name; "" of a mission."""
    mission: str = ""
    """The id of the mission."""
    name: str = ""
    """The name of the mission at that time."""
    agent: str = ""
    """The provider of the mission's agent; "" of a plain command."""

    @property
    def is_person(self) -> bool:
        """Whether a person wrote it, not from inside a mission."""
        return bool(self.person)

    @property
    def shown(self) -> str:
        """One word for people."""
        return self.person or self.name or self.mission


EVERYWHERE = Scope(ScopeKind.GLOBAL)


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a version; an edit replaces all of it."""

    text: str
    kind: NoteKind = NoteKind.FACT
    scope: Scope = EVERYWHERE
    key: str = ""
    """The name by which people call it, one note of a scope; "" for none."""
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Globs, from the top of the repository."""
    pinned: bool = False


EMPTY = Content("")
"""Of a purged note."""


@dataclass(frozen=True, slots=True)
class Version:
    """One edit of a note. Immutable, but for a purge, which empties the content of all versions of its note."""

    id: str
    """32 hexadecimal digits, random but for those of purges."""
    note: str
    number: int
    """One more than the largest of those that it replaces, from 1: how deep it is. No clock decides anything."""
    replaces: tuple[str, ...]
    """Ids of the versions of its note that its author has seen; none of the first one."""
    standing: Standing
    content: Content
    author: Author
    origin: Origin
    at: float
    """Seconds since the epoch, by its author's clock; for people only."""
    proposed_for: str = ""
    """The note whose next version it becomes once a person accepts it; "" for none."""


@dataclass(frozen=True, slots=True)
class Vote:
    """Whether a note has helped somebody. The newest of a voter counts."""

    id: str
    """32 hexadecimal digits."""
    note: str
    version: str
    """The version that the voter saw."""
    voter: str
    """`mission:ID`, or `LOGIN@MACHINE` of a person."""
    number: int
    """From 1, for each voter and note: the largest counts; of equal ones (a restored machine makes such) that with
    the largest id."""
    helped: bool
    """False: it hurt."""
    why: str = ""
    at: float = 0.0
    """Seconds since the epoch, for people only."""


@dataclass(frozen=True, slots=True)
class Note:
    """How a note stands: the fold of its versions and votes."""

    id: str
    state: NoteState
    version: str
    """Id of the version that is shown."""
    number: int
    """The depth of that version, as people count: `version 3`."""
    versions: int
    content: Content
    author: Author
    """Of its first version."""
    origin: Origin
    """Of its first version."""
    created_at: float
    """Of its first version; seconds since the epoch."""
    edited_at: float
    """Of the version that is shown."""
    by_person: bool
    """Whether a person wrote, edited, accepted or pinned it."""
    conflicts: tuple[str, ...] = ()
    """The other heads: versions that nobody has replaced, and that are not shown."""
    helped: int = 0
    hurt: int = 0
    rests: bool = False
    """Too many votes said that its newest text hurts: it is given to nobody."""
    proposed_for: str = ""
    """The note whose next version it becomes once it is accepted."""


def note_id(random: int) -> str:
    """The id of a new note, from 50 random bits: `N-7f3k9c2m4q`."""
    letters = [ID_LETTERS[(random >> 5 * place) & 31] for place in range(ID_LENGTH)]
    return f"N-{''.join(reversed(letters))}"


def purge_id(note: str) -> str:
    """The id of the version that purges a note: the same on every machine, so that a purge is one thing."""
    import hashlib  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those who purge

    return hashlib.sha256(f"purge {note}".encode()).hexdigest()[:32]

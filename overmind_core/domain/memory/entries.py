"""Versions and votes as the Cortex exchanges them: objects of JSON, each checked in every field when it comes.

What may leave a machine has no other form: notes of a mission's tree or of one person, and proposals, can't be written
so. How a version came to be (`origin`) is its own machine's affair: whatever is read is from a Cortex.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from overmind_core.domain.memory.notes import (
    EMPTY,
    ID,
    KEY,
    LONGEST_TAG,
    LONGEST_TEXT,
    LONGEST_WHY,
    MOST_FILES,
    MOST_TAGS,
    Author,
    Content,
    NoteKind,
    Origin,
    Scope,
    ScopeKind,
    Standing,
    Version,
    Vote,
    purge_id,
)

Entry = Version | Vote

LONGEST_NAME = 200
"""Characters of a login name, a mission's name or id, a voter."""
LONGEST_PATH = 500
"""Characters of a glob, and of a repository's name."""
MOST_REPLACED = 50
"""Versions that one version may replace: as many heads nobody has left beside each other."""
LARGEST_NUMBER = 1_000_000
"""The deepest version, and the most votes of one voter for one note."""
_HEX = re.compile(r"[0-9a-f]{32}")
_REPOSITORY = re.compile(r"[^\s/\x00-\x1f\x7f]+/[^\x00-\x1f\x7f]+")
"""`host/path`, or what a person calls it: never the path of a folder, which begins with a slash."""
_UNSAFE = re.compile("[\x00\ud800-\udfff]")
"""Characters that PostgreSQL does not store in a text: NUL, and lone surrogates."""
_LATEST: Final = 4e10
"""Seconds since the epoch, in the year 3237: no clock is asked, so a wrong one is refused by nobody."""
_SHARED = (ScopeKind.COLONY, ScopeKind.REPO)

Value = TypeVar("Value")


class InvalidEntry(Exception):
    """An object of JSON is no version or vote that the Cortex exchanges; the text says why, in one sentence."""


def is_emptied(entry: Entry) -> bool:
    """Whether a purge has emptied this version: no other version is without text."""
    return isinstance(entry, Version) and not entry.content.text


def emptied(entry: Entry) -> Entry:
    """Return a version or vote as a purge of its note leaves it."""
    return replace(entry, content=EMPTY) if isinstance(entry, Version) else replace(entry, why="")


def standing_elsewhere(version: Version) -> Standing:
    """Return its standing for all machines: a proposal made of an incoming version is live elsewhere."""
    came_as_live = version.standing is Standing.PROPOSED and version.origin is Origin.CORTEX
    return Standing.LIVE if came_as_live else version.standing


def to_wire(entry: Entry) -> dict[str, object]:
    """Return a version or vote as an object of JSON."""
    if isinstance(entry, Vote):
        return {
            "id": entry.id,
            "note": entry.note,
            "version": entry.version,
            "voter": entry.voter,
            "number": entry.number,
            "helped": entry.helped,
            "why": entry.why,
            "at": entry.at,
        }
    author = entry.author
    return {
        "id": entry.id,
        "note": entry.note,
        "number": entry.number,
        "replaces": [] if entry.standing is Standing.PURGED else list(entry.replaces),  # it replaces all there is
        "standing": standing_elsewhere(entry).value,
        "content": None if is_emptied(entry) else _content_to_wire(entry.content),
        "author": {"person": author.person, "mission": author.mission, "name": author.name, "agent": author.agent},
        "at": entry.at,
    }


def _content_to_wire(content: Content) -> dict[str, object]:
    return {
        "text": content.text,
        "kind": content.kind.value,
        "scope": content.scope.kind.value,
        "repository": content.scope.where,
        "key": content.key,
        "tags": list(content.tags),
        "files": list(content.files),
        "pinned": content.pinned,
    }


def version_from_wire(value: object) -> Version:
    """Return the version that an object of JSON holds.

    Raises:
        InvalidEntry: it holds none.
    """
    fields = _Fields(value, "version", _VERSION_FIELDS)
    note = fields.matching("note", ID)
    standing = fields.one_of("standing", Standing)
    content = fields.get("content")
    version = Version(
        id=fields.matching("id", _HEX),
        note=note,
        number=fields.count("number"),
        replaces=fields.texts("replaces", most=MOST_REPLACED, longest=32),
        standing=standing,
        content=EMPTY if content is None else _content_from_wire(content),
        author=_author_from_wire(fields.get("author")),
        origin=Origin.CORTEX,
        at=fields.time("at"),
    )
    if standing in {Standing.PROPOSED, Standing.REPLACED}:
        raise InvalidEntry("A proposal is not shared.")
    if (version.id == purge_id(note)) != (standing is Standing.PURGED):
        raise InvalidEntry("The id of a purge comes from its note.")
    if standing is Standing.PURGED and content is not None:
        raise InvalidEntry("A purge has no content.")
    if not all(_HEX.fullmatch(one) for one in version.replaces):
        raise InvalidEntry("replaces: 32 hexadecimal digits each.")
    return version


def _content_from_wire(value: object) -> Content:
    fields = _Fields(value, "content", _CONTENT_FIELDS)
    kind = fields.one_of("scope", ScopeKind)
    where = fields.text("repository", LONGEST_PATH)
    if kind not in _SHARED:
        raise InvalidEntry(f"A note of scope {kind} is not shared.")
    if bool(where) != (kind is ScopeKind.REPO) or (where and not _REPOSITORY.fullmatch(where)):
        raise InvalidEntry("repository: host/path of a note of scope repo, else nothing.")
    key = fields.text("key", LONGEST_PATH)
    if key and not KEY.fullmatch(key):
        raise InvalidEntry("key: small letters, digits and . _ / - only.")
    text = fields.text("text", LONGEST_TEXT)
    if not text:
        raise InvalidEntry("text: 1 to 4000 characters.")
    return Content(
        text=text,
        kind=fields.one_of("kind", NoteKind),
        scope=Scope(kind, where),
        key=key,
        tags=fields.texts("tags", most=MOST_TAGS, longest=LONGEST_TAG),
        files=fields.texts("files", most=MOST_FILES, longest=LONGEST_PATH),
        pinned=fields.flag("pinned"),
    )


def _author_from_wire(value: object) -> Author:
    fields = _Fields(value, "author", _AUTHOR_FIELDS)
    author = Author(**{name: fields.text(name, LONGEST_NAME) for name in _AUTHOR_FIELDS})
    if not author.shown:
        raise InvalidEntry("author: a person or a mission.")
    return author


def vote_from_wire(value: object) -> Vote:
    """Return the vote that an object of JSON holds.

    Raises:
        InvalidEntry: it holds none.
    """
    fields = _Fields(value, "vote", _VOTE_FIELDS)
    voter = fields.text("voter", LONGEST_NAME)
    if not voter:
        raise InvalidEntry("voter: a mission or a person.")
    return Vote(
        id=fields.matching("id", _HEX),
        note=fields.matching("note", ID),
        version=fields.matching("version", _HEX),
        voter=voter,
        number=fields.count("number"),
        helped=fields.flag("helped"),
        why=fields.text("why", LONGEST_WHY),
        at=fields.time("at"),
    )


_VERSION_FIELDS = ("id", "note", "number", "replaces", "standing", "content", "author", "at")
_CONTENT_FIELDS = ("text", "kind", "scope", "repository", "key", "tags", "files", "pinned")
_AUTHOR_FIELDS = ("person", "mission", "name", "agent")
_VOTE_FIELDS = ("id", "note", "version", "voter", "number", "helped", "why", "at")


class _Fields:
    """The fields of one object, read by type.

    `seq` and `by` may stand beside the others: a server adds them to what it sends. All else that is not known is left
    out by whoever sends it: what comes later has another number of the protocol.
    """

    def __init__(self, value: object, name: str, known: tuple[str, ...]) -> None:
        if not isinstance(value, Mapping):
            raise InvalidEntry(f"{name}: an object.")
        self._fields = value
        self._name = name
        unknown = sorted(str(field) for field in value if field not in {*known, "seq", "by"})
        if unknown:
            raise InvalidEntry(f"{name}: {unknown[0][:40]!a} is not known.")

    def get(self, name: str) -> object:
        if name not in self._fields:
            raise InvalidEntry(f"{self._name}: {name} is missing.")
        return self._fields[name]

    def _checked(self, name: str, kind: type[Value], holds: Callable[[Value], bool], wanted: str) -> Value:
        value = self.get(name)
        if type(value) is not kind or not holds(value):
            raise InvalidEntry(f"{self._name}: {name}: {wanted}.")
        return value

    def text(self, name: str, longest: int) -> str:
        return self._checked(
            name, str, lambda text: _is_text(text, longest), f"text of at most {longest} characters, no control code 0"
        )

    def texts(self, name: str, *, most: int, longest: int) -> tuple[str, ...]:
        values = self._checked(
            name,
            list,
            lambda texts: len(texts) <= most and all(isinstance(one, str) and _is_text(one, longest) for one in texts),
            f"at most {most} texts of at most {longest} characters",
        )
        return tuple(values)

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        return self._checked(name, str, lambda text: bool(pattern.fullmatch(text)), f"like {pattern.pattern}")

    def one_of(self, name: str, kinds: type[Value]) -> Value:
        try:
            return kinds(self.get(name))  # type: ignore[call-arg] # an enumeration of words
        except ValueError:
            raise InvalidEntry(f"{self._name}: {name}: no such word.") from None

    def count(self, name: str) -> int:
        return self._checked(name, int, lambda number: 1 <= number <= LARGEST_NUMBER, f"1 to {LARGEST_NUMBER}")

    def flag(self, name: str) -> bool:
        return self._checked(name, bool, lambda _: True, "true or false")

    def time(self, name: str) -> float:
        value = self.get(name)
        if type(value) not in {int, float} or not 0 <= float(value) <= _LATEST:  # type: ignore[arg-type] # it is a number
            raise InvalidEntry(f"{self._name}: {name}: seconds since the epoch.")
        return float(value)  # type: ignore[arg-type] # same


def _is_text(text: str, longest: int) -> bool:
    return len(text) <= longest and not _UNSAFE.search(text)

"""A value at a place of a text, read with its type; all that is wrong is collected, and reported at once.

The text may be TOML, YAML or JSON: who parsed it brings the values, and knows where each stands. The functions for what
may be written behind a key each return what it means, or None after reporting what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeGuard, TypeVar

from overmind_core.domain.text.duration import DurationError, parse_duration
from overmind_core.domain.text.problems import Problem, hinted

Path = tuple[str | int, ...]
"""Keys and places in lists, from the root."""
Place = tuple[int, int]
"""Line and column of a character, from 1."""


class PlaceElsewhere(tuple[int, int]):  # noqa: SLOT001 - a tuple can have none of its own
    """A place of another file, as that of the value which names the file."""

    where: str
    """The place there, before what is wrong with it: `review.toml:3:1: `."""

    def __new__(cls, place: Place, where: str) -> Self:
        """`place`: where the file is named."""
        made = super().__new__(cls, place)
        made.where = where
        return made


class Places(Protocol):
    """Where things stand in a text."""

    def at_key(self, path: Path) -> Place:
        """Where a key stands."""

    def at_value(self, path: Path) -> Place:
        """Where a value begins."""

    def at_character(self, path: Path, index: int) -> Place:
        """Where a character of a value stands that is a text."""


def last_name(path: Path) -> str:
    """The name of the nearest key."""
    return next((part for part in reversed(path) if isinstance(part, str)), "")


@dataclass(slots=True)
class Findings:
    """What was found so far."""

    places: Places
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    """What is possible, but was probably meant otherwise."""
    named: Callable[[Path], str] = last_name
    """What a value is called when something is wrong with it; "" for no name."""

    def at(self, place: Place, message: str) -> None:
        """Something is wrong there."""
        self.problems.append(_problem(place, message))

    def at_key(self, path: Path, message: str) -> None:
        """Something is wrong with a key."""
        self.at(self.places.at_key(path), message)


def _problem(place: Place, message: str) -> Problem:
    return Problem(*place, f"{place.where}{message}" if isinstance(place, PlaceElsewhere) else message)


@dataclass(frozen=True, slots=True)
class FileValue:
    """A value of the text."""

    notes: Findings
    path: Path
    value: object

    @property
    def key(self) -> str:
        """The name that it goes by."""
        return self.notes.named(self.path)

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.notes.places.at_value(self.path)

    def wrong(self, message: str) -> None:
        """Something is wrong with it."""
        self.notes.at(self.place, self._named(message))

    def wrong_key(self, message: str) -> None:
        """Something is wrong with its key."""
        self.notes.at_key(self.path, self._named(message))

    def wrong_inside(self, index: int, message: str) -> None:
        """Something is wrong with a part of this text; `index` is that of a character."""
        self.notes.at(self.notes.places.at_character(self.path, index), self._named(message))

    def warn(self, message: str) -> None:
        """It is probably meant otherwise."""
        self.notes.warnings.append(_problem(self.place, self._named(message)))

    def _named(self, message: str) -> str:
        return f"{self.key}: {message}" if self.key else message

    def table(self, wanted: str = "write a table") -> dict[str, FileValue] | None:
        """What stands in it by its keys; None, and `wanted` is reported, when it is no table."""
        if isinstance(self.value, dict):
            return {name: FileValue(self.notes, (*self.path, name), value) for name, value in self.value.items()}
        self.wrong(wanted)
        return None

    def entries(self) -> list[FileValue] | None:
        """What stands in it, in order; None when it is no list."""
        if not isinstance(self.value, list):
            return None
        return [FileValue(self.notes, (*self.path, place), value) for place, value in enumerate(self.value)]

    def texts(self) -> list[FileValue]:
        """The texts in it: itself, or those of a list or table."""
        if isinstance(self.value, dict):
            parts = [FileValue(self.notes, (*self.path, name), value) for name, value in self.value.items()]
        else:
            parts = self.entries() or [self]
        return [part for part in parts if isinstance(part.value, str)]

    def report_unknown(self, known: Iterable[str], foreign: Mapping[str, str] | None = None) -> None:
        """Tell of the keys in it that nobody knows; `foreign`: keys of other programs, and what to write for them."""
        words, elsewhere = tuple(known), foreign or {}
        for name in self.value if isinstance(self.value, dict) else ():
            if name in words:
                continue
            ours = elsewhere.get(name.lower().replace("-", "_"))
            sentence = f"unknown key {name!r}"
            self.notes.at_key(
                (*self.path, name), f"{sentence}: write {ours}" if ours else hinted(sentence, name, words)
            )


Read = Callable[[FileValue], Any]
"""None: it was wrong, and reported."""

MILLISECONDS = "ms"
LARGEST = 2**53
"""What every reader of JSON can hold."""


def text(spot: FileValue) -> str | None:
    """A text."""
    if isinstance(spot.value, str):
        return spot.value
    spot.wrong("write a string in quotes")
    return None


def texts(spot: FileValue) -> list[str] | None:
    """A text, or several."""
    entries = [spot] if isinstance(spot.value, str) else spot.entries()
    if entries is None:
        spot.wrong("write a string in quotes, or a list of them")
        return None
    found = [text(entry) for entry in entries]
    return None if None in found else [one for one in found if one is not None]


def flag(spot: FileValue) -> bool | None:
    """True or false."""
    if isinstance(spot.value, bool):
        return spot.value
    spot.wrong("write true or false")
    return None


def whole(spot: FileValue) -> int | None:
    """A whole number that is not negative."""
    if is_number(spot.value, int) and 0 <= spot.value <= LARGEST:
        return spot.value
    spot.wrong("write a whole number from 0 up")
    return None


def seconds(spot: FileValue) -> float | None:
    """A duration in seconds; a bare number counts in seconds."""
    return _duration(spot, "s")


def milliseconds(spot: FileValue) -> float | None:
    """A duration in seconds; a bare number counts in milliseconds."""
    return _duration(spot, MILLISECONDS)


def _duration(spot: FileValue, unit: str) -> float | None:
    written = spot.value
    if not (isinstance(written, str) or is_number(written, int, float)):
        spot.wrong('write a duration: a number, or a string such as "90s", "5m" or "1.5h"')
        return None
    try:
        return parse_duration(f"{written:.3f}" if isinstance(written, float) else str(written), default_unit=unit)
    except DurationError as error:
        spot.wrong(str(error))
        return None


def choice(known: Iterable[str], what: str = "value") -> Read:
    """One of these words."""
    words = tuple(known)

    def read(spot: FileValue) -> str | None:
        written = text(spot)
        if written is None or written in words:
            return written
        spot.wrong(hinted(f"unknown {what} {written!r}, known are {', '.join(words)}", written, words))
        return None

    return read


Number = TypeVar("Number", bound=float)


def is_number(value: object, *kinds: type[Number]) -> TypeGuard[Number]:
    """Whether it is a number of one of these types; true and false are none."""
    return isinstance(value, kinds) and not isinstance(value, bool)

"""Where readers of a blueprint write down what is wrong, so that all of it is told at once.

What may be written behind a key: each function returns what it means, or None after it has told what is wrong.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from overmind_core.documents.toml import Path, TomlPlaces
from overmind_core.domain.agents import permission
from overmind_core.domain.text.duration import DurationError, parse_duration
from overmind_core.domain.text.problems import Problem, hinted


@dataclass(slots=True)
class Findings:
    """What was found so far."""

    places: TomlPlaces
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    """What is possible, but was probably meant otherwise."""

    def at(self, offset: int, message: str) -> None:
        """Something is wrong at a character."""
        self.problems.append(Problem(*self.places.position(offset), message))

    def at_key(self, path: Path, message: str) -> None:
        """Something is wrong with a key."""
        self.at(self.places.of_key(path), message)


@dataclass(frozen=True, slots=True)
class FileValue:
    """A value of the file."""

    notes: Findings
    path: Path
    value: object

    @property
    def key(self) -> str:
        """The name that it goes by."""
        return next(str(part) for part in reversed(self.path) if isinstance(part, str))

    @property
    def offset(self) -> int:
        """Where it stands."""
        return self.notes.places.of_value(self.path)

    def wrong(self, message: str) -> None:
        """Something is wrong with it."""
        self.notes.at(self.offset, f"{self.key}: {message}")

    def wrong_inside(self, index: int, message: str) -> None:
        """Something is wrong with a part of this text; `index` is that of a character."""
        self.notes.at(self.notes.places.inside(self.path, index), f"{self.key}: {message}")

    def warn(self, message: str) -> None:
        """It is probably meant otherwise."""
        self.notes.warnings.append(Problem(*self.notes.places.position(self.offset), f"{self.key}: {message}"))

    def table(self) -> dict[str, FileValue] | None:
        """What stands in it by its keys; None, and told, when it is no table."""
        if isinstance(self.value, dict):
            return {name: FileValue(self.notes, (*self.path, name), value) for name, value in self.value.items()}
        self.wrong("write a table")
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


Read = Callable[[FileValue], Any]
"""None: it was wrong, and told."""

MILLISECONDS = "ms"
LARGEST = 2**53
"""What every reader of JSON can hold."""
MEANT_SECONDS = 1000
"""A bare number of milliseconds below this was probably meant otherwise."""
MAX_CELLS = 1000
"""Columns or rows of a terminal."""


def text(spot: FileValue) -> str | None:
    """A text."""
    if isinstance(spot.value, str):
        return spot.value
    spot.wrong("write a text in quotes")
    return None


def texts(spot: FileValue) -> list[str] | None:
    """A text, or several."""
    entries = [spot] if isinstance(spot.value, str) else spot.entries()
    if entries is None:
        spot.wrong("write a text in quotes, or a list of them")
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
    if _is_number(spot.value, int) and 0 <= spot.value <= LARGEST:  # type: ignore[operator]
        return int(spot.value)  # type: ignore[call-overload, no-any-return]
    spot.wrong("write a whole number from 0 up")
    return None


def dollars(spot: FileValue) -> float | None:
    """An amount of US dollars above 0."""
    if _is_number(spot.value, int, float) and 0 < spot.value < float("inf"):  # type: ignore[operator]
        return float(spot.value)  # type: ignore[arg-type]
    spot.wrong("write an amount of US dollars above 0, such as 2.50")
    return None


def seconds(spot: FileValue) -> float | None:
    """A duration in seconds; a bare number counts in seconds."""
    return _duration(spot, "s")


def milliseconds(spot: FileValue) -> float | None:
    """A duration in seconds; a bare number counts in milliseconds."""
    return _duration(spot, MILLISECONDS)


def limit(spot: FileValue) -> float | None:
    """A limit of time, in seconds; a bare number counts in milliseconds, and a small one is pointed out."""
    found = milliseconds(spot)
    if found is not None and isinstance(spot.value, int) and 0 < spot.value < MEANT_SECONDS:
        spot.warn(f'{spot.value} means {spot.value} milliseconds; for seconds write "{spot.value}s"')
    return found


def _duration(spot: FileValue, unit: str) -> float | None:
    written = spot.value
    if not (isinstance(written, str) or _is_number(written, int, float)):
        spot.wrong('write a duration: a number, or a text such as "90s", "5m" or "1.5h"')
        return None
    try:
        return parse_duration(f"{written:.3f}" if isinstance(written, float) else str(written), default_unit=unit)
    except DurationError as error:
        spot.wrong(str(error))
        return None


def as_written(read: Read) -> Read:
    """Check a duration, but keep it as it was written: the request takes it so."""
    return lambda spot: None if read(spot) is None else spot.value


def window(spot: FileValue) -> object:
    """A duration that is not 0, as it was written."""
    found = seconds(spot)
    if found is not None and found <= 0:
        spot.wrong("it must be more than 0")
    return spot.value if found else None


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


def stop_signal(spot: FileValue) -> str | int | None:
    """A signal by its name or number."""
    written = spot.value
    if isinstance(written, str) or _is_number(written, int):
        word = str(written).upper()
        try:
            signal.Signals(int(word)) if word.isdecimal() else signal.Signals[f"SIG{word.removeprefix('SIG')}"]
        except (KeyError, ValueError):
            spot.wrong(f"there is no signal {written!r}. Write a name such as TERM, INT or HUP")
            return None
        return written  # type: ignore[return-value]
    spot.wrong("write the name of a signal in quotes, or its number")
    return None


def rules(spot: FileValue) -> list[str] | None:
    """Rules by which an agent's questions are answered."""
    found = texts(spot)
    if found is None:
        return None
    right = [_is_rule(entry) for entry in ([spot] if isinstance(spot.value, str) else spot.entries() or [])]
    return found if all(right) else None


def _is_rule(spot: FileValue) -> bool:
    try:
        permission.parse(str(spot.value))
    except permission.InvalidRule as error:
        spot.wrong(str(error))
        return False
    return True


def terminal_size(spot: FileValue) -> tuple[int, int] | None:
    """Columns and rows."""
    found = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})", spot.value) if isinstance(spot.value, str) else None
    if found is not None and all(1 <= int(cells) <= MAX_CELLS for cells in found.groups()):
        return int(found[1]), int(found[2])
    spot.wrong(f'write columns x rows, such as "80x24", each from 1 to {MAX_CELLS}')
    return None


def pairs(spot: FileValue) -> dict[str, str] | None:
    """A table of texts."""
    table = spot.table()
    if table is None:
        return None
    found = {name: text(entry) for name, entry in table.items()}
    for name in table:
        if not name or "=" in name or not name.isprintable():
            spot.notes.at_key((*spot.path, name), f"{spot.key}: {name!r} is no name for this")
    return None if None in found.values() else {name: one for name, one in found.items() if one is not None}


def _is_number(value: object, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)

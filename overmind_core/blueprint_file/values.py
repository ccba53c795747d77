"""What may be written behind the keys of a blueprint, beside what any file has.

Each function returns what it means, or None after reporting what is wrong.
"""

from __future__ import annotations

import re
import signal

from overmind_core.documents.reading import FileValue, Read, is_number, milliseconds, seconds, text, texts
from overmind_core.domain.agents import permission
from overmind_core.domain.text.duration import CountError, parse_count

MEANT_SECONDS = 1000
"""A bare number of milliseconds below this was probably meant otherwise."""
MOST_CELLS = 1000
"""Columns or rows of a terminal."""


def dollars(spot: FileValue) -> float | None:
    """An amount of US dollars above 0."""
    if is_number(spot.value, int, float) and 0 < spot.value < float("inf"):
        return float(spot.value)
    spot.wrong("write an amount of US dollars above 0, such as 2.50")
    return None


def tokens(spot: FileValue) -> int | None:
    """A count of tokens above 0."""
    try:
        found = parse_count(str(spot.value)) if is_number(spot.value, int) or isinstance(spot.value, str) else 0
    except CountError:
        found = 0
    if found > 0:
        return found
    spot.wrong('write a number of tokens above 0, such as 500000 or "500k"')
    return None


def limit(spot: FileValue) -> float | None:
    """A limit of time, in seconds; a bare number counts in milliseconds, and a small one is pointed out."""
    found = milliseconds(spot)
    if found is not None and isinstance(spot.value, int) and 0 < spot.value < MEANT_SECONDS:
        spot.warn(f'{spot.value} means {spot.value} milliseconds; for seconds write "{spot.value}s"')
    return found


def as_written(read: Read) -> Read:
    """Check a duration, but keep it as it was written: the request takes it so."""
    return lambda spot: None if read(spot) is None else spot.value


def window(spot: FileValue) -> object:
    """A duration that is not 0, as it was written."""
    found = seconds(spot)
    if found is not None and found <= 0:
        spot.wrong("it must be greater than 0")
    return spot.value if found else None


def stop_signal(spot: FileValue) -> str | int | None:
    """A signal by its name or number."""
    written = spot.value
    if isinstance(written, str) or is_number(written, int):
        word = str(written).upper()
        try:
            signal.Signals(int(word)) if word.isdecimal() else signal.Signals[f"SIG{word.removeprefix('SIG')}"]
        except (KeyError, ValueError):
            spot.wrong(f"unknown signal {written!r}. Write a name such as TERM, INT or HUP")
            return None
        return written
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
        permission.check(str(spot.value))
    except permission.InvalidRule as error:
        spot.wrong(str(error))
        return False
    return True


def terminal_size(spot: FileValue) -> tuple[int, int] | None:
    """Columns and rows."""
    found = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})", spot.value) if isinstance(spot.value, str) else None
    if found is not None and all(1 <= int(cells) <= MOST_CELLS for cells in found.groups()):
        return int(found[1]), int(found[2])
    spot.wrong(f'write columns x rows, such as "80x24", each from 1 to {MOST_CELLS}')
    return None


def pairs(spot: FileValue) -> dict[str, str] | None:
    """A table of texts."""
    table = spot.table()
    if table is None:
        return None
    found = {name: text(entry) for name, entry in table.items()}
    for name in table:
        if not name or "=" in name or not name.isprintable():
            spot.notes.at_key((*spot.path, name), f"{spot.key}: {name!r} is not a valid name")
    return None if None in found.values() else {name: one for name, one in found.items() if one is not None}

"""What may be written behind the keys of a project's file, as YAML has it: words, and what they seem to be.

Each function returns what it means, or None after reporting what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from overmind_core.documents.reading import FileValue, Path
from overmind_core.documents.yaml import Scalar, ScalarKind, short
from overmind_core.domain.text.duration import DurationError, parse_duration
from overmind_core.domain.text.problems import hinted

LARGEST_PORT = 65_535
MOST_DIGITS = 9
"""Of any number in the file."""
_TRUE = frozenset({"true", "yes", "on"})


def full_name(path: Path) -> str:
    """What a value is called: its keys from the root, with dots between them."""
    return ".".join(short(part) for part in path if isinstance(part, str))


def is_nothing(spot: FileValue) -> bool:
    """Whether nothing is written behind the key."""
    return isinstance(spot.value, Scalar) and spot.value.kind is ScalarKind.NOTHING


def table(spot: FileValue) -> dict[str, FileValue] | None:
    """What stands in a table, by its keys."""
    return spot.table("write a table of keys and values")


def table_of(spot: FileValue, known: Iterable[str]) -> dict[str, FileValue] | None:
    """What stands in a table under keys that are known; the others are reported."""
    words = tuple(known)
    found = table(spot)
    for name in found or ():
        if name not in words:
            where = f" in {spot.key}" if spot.key else ""
            message = hinted(f"unknown key {short(name)!r}{where}; known are {', '.join(words)}", name, words)
            spot.notes.at_key((*spot.path, name), message)
    return None if found is None else {name: found[name] for name in words if name in found}


def text(spot: FileValue) -> str | None:
    """A text that says something."""
    if not isinstance(spot.value, Scalar) or spot.value.kind is ScalarKind.NOTHING:
        spot.wrong("write a string")
    elif spot.value.kind is not ScalarKind.TEXT:
        spot.wrong(f'write a string: "{short(spot.value.text)}" in quotes, if you mean text')
    elif not spot.value.text.strip():
        spot.wrong("write a string that is not empty")
    else:
        return spot.value.text
    return None


def written(spot: FileValue) -> str | None:
    """A word, a number or a text, as it was written."""
    if not isinstance(spot.value, Scalar):
        spot.wrong("write a single value")
    elif spot.value.kind is ScalarKind.NOTHING:
        spot.wrong('write a value; "" is an empty string')
    else:
        return spot.value.text
    return None


def texts(spot: FileValue) -> list[FileValue]:
    """The texts of a list, or a single one."""
    entries = spot.entries()
    if entries is not None:
        return entries
    if isinstance(spot.value, Scalar) and spot.value.kind is ScalarKind.TEXT:
        return [spot]
    spot.wrong("write a list of strings")
    return []


def flag(spot: FileValue) -> bool | None:
    """True or false."""
    if isinstance(spot.value, Scalar) and spot.value.kind is ScalarKind.FLAG:
        return spot.value.text.lower() in _TRUE
    spot.wrong("write true or false")
    return None


def port(spot: FileValue, list_hint: str = "") -> int | None:
    """The number of a port; `list_hint` ends what is said of a list."""
    if isinstance(spot.value, Scalar) and spot.value.kind is ScalarKind.WHOLE:
        number = plain_number(spot.value.text)
        if number is not None and 1 <= number <= LARGEST_PORT:
            return number
    spot.wrong(f"write a port number from 1 to {LARGEST_PORT}{list_hint if isinstance(spot.value, list) else ''}")
    return None


def port_list(spot: FileValue, most: int) -> tuple[int, ...]:
    """The numbers of several ports, each once."""
    entries = spot.entries()
    if not entries:
        spot.wrong("write a list of port numbers, such as [9000, 9001]")
        return ()
    if len(entries) > most:
        spot.wrong(f"there are {len(entries)} ports; the limit is {most}")
        return ()
    found: list[int] = []
    for one in entries:
        if isinstance(one.value, Scalar) and ":" in one.value.text:
            one.wrong("write only the service's own port: each mission gets another port of this machine")
            continue
        number = port(one)
        if number in found:
            one.wrong(f"port {number} is listed twice")
        elif number is not None:
            found.append(number)
    return tuple(found)


def seconds(spot: FileValue) -> float | None:
    """A duration above 0; a bare number counts in seconds."""
    if not isinstance(spot.value, Scalar) or spot.value.kind in {ScalarKind.FLAG, ScalarKind.NOTHING}:
        spot.wrong("write a duration, such as 30s")
        return None
    try:
        found = parse_duration(spot.value.text)
    except DurationError:
        spot.wrong("write a duration: a number with ms, s, m, h or d, such as 30s or 1.5m")
        return None
    if found <= 0:
        spot.wrong("it must be greater than 0")
        return None
    return found


def choice(spot: FileValue, known: Iterable[str]) -> str | None:
    """One of these words."""
    words = tuple(known)
    found = text(spot)
    if found is None or found in words:
        return found
    spot.wrong(hinted(f"unknown value {short(found)!r}, known are {', '.join(words)}", found, words))
    return None


def checked(spot: FileValue, problem: Callable[[str], str | None]) -> str | None:
    """A text with which nothing is wrong."""
    found = text(spot)
    message = None if found is None else problem(found)
    if message is None:
        return found
    spot.wrong(message)
    return None


def plain_number(digits: str) -> int | None:
    """Return a number in decimal digits; YAML has other ways to write one, which nobody means."""
    return int(digits) if re.fullmatch(rf"0|[1-9][0-9]{{0,{MOST_DIGITS - 1}}}", digits) else None

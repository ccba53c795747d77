"""The line of a key in a TOML text, for who reads it by Python's own parser, which tells none. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def line_of(text: str, path: Sequence[str]) -> int:
    """The line, counted from 1, of the key that `path` leads to, else of the nearest one above it; 0 for none."""
    best, found = 0, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = line.split("#")[0].strip()
        if header.startswith("[") and header.endswith("]"):
            here = table = keys(header.strip("[] "))
        else:
            here = (*table, *_key_of(line)) if "=" in line else ()
        depth = _shared(here, path)
        if depth > best and depth == len(here):
            best, found = depth, number
    return found


def _key_of(line: str) -> tuple[str, ...]:
    """The keys before the `=`; a quoted key may hold one itself."""
    at = line.find("=")
    while at >= 0:
        if found := keys(line[:at].strip()):
            return found
        at = line.find("=", at + 1)
    return ()


def keys(written: str) -> tuple[str, ...]:
    """The parts of a dotted key; none when it is no key."""
    import tomllib  # noqa: PLC0415 - only for the message of a mistake

    try:
        value: object = tomllib.loads(f"{written} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    found: list[str] = []
    while isinstance(value, dict) and len(value) == 1:
        name, value = next(iter(value.items()))
        found.append(name)
    return tuple(found)


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count

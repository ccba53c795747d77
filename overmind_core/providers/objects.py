"""One line of an agent's output as an object, whatever the line holds. Never raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

Object = Mapping[str, Any]

_NOTHING: Object = {}


def read(line: bytes) -> Object | str:
    """The line's JSON object; a line that is none as text, its bytes that are no UTF-8 replaced."""
    text = plain_text(line)
    if not line.lstrip(b" \t\r\n").startswith(b"{"):
        return text
    try:
        found = json.loads(text)
        if b"\\ud" in line or b"\\uD" in line:  # half of an escaped pair is a text that nobody can write
            found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, dict) else text


def plain_text(line: bytes) -> str:
    """The line as text, its bytes that are no UTF-8 replaced."""
    return line.decode("utf-8", "replace")


def part(found: Object, key: str) -> Object:
    """The object under `key`; an empty one when something else is there."""
    value = found.get(key)
    return value if isinstance(value, dict) else _NOTHING


def items(found: Object, key: str) -> list[Any]:
    """The list under `key`; an empty one when something else is there."""
    value = found.get(key)
    return value if isinstance(value, list) else []


def objects(found: Object, key: str) -> list[Object]:
    """The objects in the list under `key`."""
    return [item for item in items(found, key) if isinstance(item, dict)]


def text(found: Object, key: str) -> str:
    """The text under `key`; "" when something else is there."""
    value = found.get(key)
    return value if isinstance(value, str) else ""


def number(found: Object, key: str) -> float | None:
    """The finite number under `key`; None when something else is there."""
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if isfinite(converted) else None


def count(found: Object, key: str) -> int:
    """The whole number under `key`, at least 0; 0 when something else is there."""
    return max(int(number(found, key) or 0), 0)


def one_line(value: str, longest: int = 200) -> str:
    """The first line of `value` with something on it, at most `longest` characters."""
    beginning = value[: longest * 20].strip()
    line = next((line.strip() for line in beginning.splitlines() if line.strip()), "")
    more = len(line) < len(value.strip())
    return f"{line[: longest - 1]}…" if more else line

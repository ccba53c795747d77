"""What the words after options mean. Each function raises ValueError with a text for the person."""

from __future__ import annotations

from overmind_core.domain.duration import parse_duration

MILLISECONDS = "ms"


def duration(word: str) -> str:
    """Check a duration of seconds or with a unit; it travels as it was written."""
    parse_duration(word)
    return word


def milliseconds(word: str) -> str:
    """Check a duration of milliseconds or with a unit; it travels as it was written."""
    parse_duration(word, default_unit=MILLISECONDS)
    return word


def whole(word: str) -> int:
    """Return a whole number that is not negative."""
    if not (word.isascii() and word.isdigit()):
        raise ValueError(f"{word!r} is not a whole number from 0 up")
    return int(word)


def count(word: str) -> int:
    """Return a whole number from 1 up."""
    number = whole(word)
    if not number:
        raise ValueError(f"{word!r} is not a whole number from 1 up")
    return number


def dollars(word: str) -> float:
    """Return an amount of US dollars above 0, such as 2.50 or $2.50."""
    digits = word.removeprefix("$")
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit() or not 0 < float(digits) < float("inf"):
        raise ValueError(f"{word!r} is not an amount of US dollars above 0, such as 2.50")
    return float(digits)


def terminal_size(word: str) -> tuple[int, int]:
    """Return columns and rows of `80x24`."""
    columns, _, rows = word.partition("x")
    try:
        return whole(columns), whole(rows)
    except ValueError:
        raise ValueError(f"{word!r} is not a size: write columns x rows, such as 80x24") from None


def label(word: str) -> tuple[str, str]:
    """Return key and value of `key=value`."""
    key, equals, value = word.partition("=")
    if not key or not equals:
        raise ValueError(f"{word!r} is not a label: write key=value")
    return key, value


def label_change(word: str) -> tuple[str, str | None]:
    """Return key and value of `key=value`, or key and None of `key-`, which removes it."""
    if "=" not in word and word.endswith("-") and len(word) > 1:
        return word[:-1], None
    return label(word)

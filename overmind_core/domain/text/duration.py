"""Durations, sizes and counts as people write and read them: seconds, bytes and tokens."""

from __future__ import annotations

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
"""Seconds in each unit of a duration."""
SIZES = {
    "b": 1,
    **{f"{letter}{end}": 1000**power for power, letter in enumerate("kmgt", 1) for end in ("", "b")},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}
"""Bytes in each unit of a size, written in any case: MB = 1,000,000, MiB = 1,048,576."""
LONGEST = 36_525 * 86_400.0
"""Seconds in a hundred years: more is a slip of the finger."""
COUNTS = {"": 1, "k": 1000, "m": 1_000_000}
"""Signs behind a count, written in any case."""
MOST = 10**12
"""Of what is counted; more is a slip of the finger."""
LARGEST = 10**18
"""Bytes; more is one too."""

_NUMBER = r"[0-9]{1,18}(?:\.[0-9]{0,9})?"
_PART = rf"({_NUMBER})(ms|s|m|h|d)"
_DURATION = rf"(?:{_NUMBER}(?:ms|s|m|h|d))+"
_COUNT = rf"({_NUMBER}) ?([kKmM]?)"
_SIZE = rf"({_NUMBER}) ?([A-Za-z]{{0,3}})"
# Compiled, and `re` imported, at first use: every start of the command line that shows an uptime imports this file.


class QuantityError(ValueError):
    """A text that is no quantity of the wanted kind.

    Attributes:
        text: what was written.
    """

    def __init__(self, text: str, expected: str) -> None:
        super().__init__(f"{text!r} is not {expected}")
        self.text = text


class DurationError(QuantityError):
    """A text that is no duration."""


class SizeError(QuantityError):
    """A text that is no size."""


class CountError(QuantityError):
    """A text that is no count."""


def parse_duration(text: str, *, default_unit: str = "s") -> float:
    """Return the seconds that `text` means: `5m`, `1.5h`, `250ms`, `1h30m`, or a number of `default_unit`.

    Raises:
        DurationError: it is something else, negative, or longer than a hundred years.
    """
    import re  # noqa: PLC0415 (as above)

    written = text.strip()
    if re.fullmatch(_NUMBER, written):
        seconds = float(written) * UNITS[default_unit]
    elif re.fullmatch(_DURATION, written):
        seconds = sum(float(number) * UNITS[unit] for number, unit in re.findall(_PART, written))
    else:
        raise DurationError(text, "a duration: write a number with ms, s, m, h or d, such as 90s or 1.5h")
    if seconds > LONGEST:
        raise DurationError(text, "a supported duration: the limit is a hundred years")
    return seconds


def format_uptime(seconds: float) -> str:
    """Return whole units of the largest that fits: `12s`, `5m`, `3h`, `2d`."""
    for unit in ("d", "h", "m"):
        if seconds >= UNITS[unit]:
            return f"{int(seconds // UNITS[unit])}{unit}"
    return f"{int(max(seconds, 0.0))}s"


def parse_size(text: str) -> int:
    """Return the bytes that `text` means: `100MB`, `1.5 GiB`, `64k`, or a number of bytes.

    Raises:
        SizeError: it is something else.
    """
    import re  # noqa: PLC0415 (as above)

    found = re.fullmatch(_SIZE, text.strip())
    unit = SIZES.get(found[2].lower() or "b") if found else None
    if found is None or unit is None or float(found[1]) * unit > LARGEST:
        raise SizeError(text, "a size: write a number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 100MB")
    return int(found[1]) * unit if found[1].isdigit() else int(float(found[1]) * unit)


def parse_count(text: str) -> int:
    """Return the whole number that `text` means: `200000`, `200k`, `1.5M`.

    Raises:
        CountError: it is something else, or nothing whole.
    """
    import re  # noqa: PLC0415 (as above)

    found = re.fullmatch(_COUNT, text.strip())
    number, sign = (found[1], found[2].lower()) if found else ("", "")
    whole, _, part = number.partition(".")
    digits = COUNTS[sign]
    scaled = int(whole or 0) * digits + (int(part or 0) * digits // 10 ** len(part) if part else 0)
    if found is None or scaled > MOST or (part and int(part) * digits % 10 ** len(part)):
        raise CountError(text, "a count: write a whole number, or one with k or M, such as 500k or 1.5M")
    return scaled

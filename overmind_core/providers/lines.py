"""Lines of an agent's output: JSON objects read without ever raising, and the words of readable transcripts.

The words are for what every agent does: a use of a tool, the end of a turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any

from overmind_core.domain.text.decimals import dollars

if TYPE_CHECKING:
    from overmind_core.domain.agents.agent_events import TurnResult

Object = Mapping[str, Any]

_NOTHING: Object = {}


def read_object(line: bytes) -> Object | str:
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


def object_at(found: Object, key: str) -> Object:
    """The object under `key`; an empty one when something else is there."""
    value = found.get(key)
    return value if isinstance(value, dict) else _NOTHING


def list_at(found: Object, key: str) -> list[Any]:
    """The list under `key`; an empty one when something else is there."""
    value = found.get(key)
    return value if isinstance(value, list) else []


def objects_at(found: Object, key: str) -> list[Object]:
    """The objects in the list under `key`."""
    return [item for item in list_at(found, key) if isinstance(item, dict)]


def text_at(found: Object, key: str) -> str:
    """The text under `key`; "" when something else is there."""
    value = found.get(key)
    return value if isinstance(value, str) else ""


def number_at(found: Object, key: str) -> float | None:
    """The finite number under `key`; None when something else is there."""
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if isfinite(converted) else None


def count_at(found: Object, key: str) -> int:
    """The whole number under `key`, at least 0; 0 when something else is there."""
    return max(int(number_at(found, key) or 0), 0)


def one_line(value: str, longest: int = 200) -> str:
    """The first line of `value` with something on it, at most `longest` characters."""
    beginning = value[: longest * 20].strip()
    line = next((line.strip() for line in beginning.splitlines() if line.strip()), "")
    more = len(line) > longest or len(line) < len(value.strip())
    return f"{line[: longest - 1]}…" if more else line


def moment(written: str) -> float:
    """When a line of a program's file was written, in seconds since the epoch; one that does not say is new."""
    from datetime import datetime  # noqa: PLC0415 - few who read lines ask for it

    try:
        return datetime.fromisoformat(written).timestamp()
    except (ValueError, OverflowError, OSError):
        return float("inf")


def digest(value: object) -> str:
    """Sixteen characters that are the same for the same text or JSON, and differ for different ones."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except RecursionError:
        return ""
    from hashlib import blake2b  # noqa: PLC0415 - it loads OpenSSL: 4 MB, for those who have agents

    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


_ERROR_WORDS = (
    "error", "exception", "err!", "fatal", "panic", "fail", "cannot", "can't", "could not", "denied", "not found",
    "no such", "undefined", "unexpected", "assert",
)  # fmt: skip
_ERROR = re.compile(
    r"(?:error|exception)\b|\b(?:err!|(?:fatal|panic|panicked|fail|failed|failure|cannot|can't|could not|denied"
    r"|not found|no such|undefined|unexpected|assert)\b)",
)
_NO_ERROR = re.compile(r"\b(?:0|no) (?:errors?|failed|failures?)\b|^(?:={3}|_{3})")
"""Counts of nothing, and headlines."""
_EXIT_CODE = re.compile(r"(?:exit code:?|exited with code) -?\d+\.?", re.IGNORECASE)
_EXIT_LINE = re.compile(r"Exit code (-?\d{1,10})")
_TRACEBACK = "Traceback (most recent call last)"
_LOOKED_AT = 16_384
"""Characters at either end of an answer in which its error is looked for."""
_MOST_LINES = 400


def error_line(text: str) -> str:
    """The first line about an error in what a failed tool says; else its first line; "" when it says nothing.

    The exit code alone says nothing, nor does the headline of a traceback.
    """
    if len(text) > 2 * _LOOKED_AT:
        text = f"{text[:_LOOKED_AT]}\n{text[-_LOOKED_AT:]}"
    first, in_traceback = "", False
    is_plain = _TRACEBACK not in text and not _has_word(text.lower())
    for line in islice(text.splitlines(), _MOST_LINES):
        stripped = line.strip()
        if not stripped or _EXIT_CODE.fullmatch(stripped):
            continue
        if is_plain:
            return one_line(stripped)
        if stripped.startswith(_TRACEBACK):
            in_traceback = True
        elif in_traceback and line[:1].isspace():
            continue
        elif in_traceback or _is_error(stripped.lower()):
            return one_line(stripped)
        first = first or stripped
    return one_line(first)


def exit_code(text: str) -> int | None:
    """The exit code that the first line of a failed command's answer is; None where that is something else."""
    found = _EXIT_LINE.fullmatch(text.partition("\n")[0].rstrip("\r"))
    return int(found[1]) if found else None


def _is_error(line: str) -> bool:
    """Whether a line in small letters is about an error; the words alone, looked for first, rule out most lines."""
    return _has_word(line) and _ERROR.search(line) is not None and _NO_ERROR.search(line) is None


def _has_word(text: str) -> bool:
    return any(word in text for word in _ERROR_WORDS)


GEAR = "⚙"
FAILED = "✗"
FAILURES = "✗✘✖× "
"""Signs of failure that a program's own words begin with, where ours already stands."""
ERROR = 120
"""Characters that are shown of what a failed tool says."""

_SECOND, _MINUTE, _HOUR = 1000.0, 60, 3600
_THOUSAND, _MILLION = 1000, 1_000_000


def tool_line(summary: str, error: str | None = None, took: float | None = None) -> str:
    """As in `⚙ Bash: pytest -q → ok, 2.1 s`; `error` None when it went well, `took` in seconds."""
    why = "" if error is None else one_line(error, ERROR).lstrip(FAILURES)
    outcome = "ok" if error is None else f"{FAILED} {why or 'failed'}"
    return f"{GEAR} {summary} → {outcome}" + ("" if took is None else f", {max(took, 0.0):.1f} s")


def failure(result: TurnResult) -> str:
    """As in `✗ api_error 529: the API is overloaded`; a person's interrupt needs no words."""
    text = "" if result.interrupted else one_line(result.text)
    return f"{FAILED} {result.reason}" + (f": {text}" if text else "")


def turn_summary(result: TurnResult) -> str:
    """As in `— 3 turns, 41 s, $0.12, 12.3k in / 840 out —`; what the program didn't tell is left out."""
    usage = result.usage
    read = usage.input + usage.cache_read + usage.cache_write
    parts = [
        f"{result.turns} turn{'' if result.turns == 1 else 's'}" if result.turns else "",
        duration(result.duration_ms) if result.duration_ms else "",
        dollars(result.cost_turn) if result.cost_turn is not None else "",
        f"{tokens(read)} in / {tokens(usage.output)} out" if read or usage.output else "",
    ]
    return f"— {', '.join(filter(None, parts)) or 'turn over'} —"


def is_turn_summary(line: str) -> bool:
    """Whether a line of a transcript is the one under a turn, which says nothing of what was done."""
    return line.startswith("— ") and line.endswith(" —")


def duration(milliseconds: float) -> str:
    """As in `0.4 s`, `41 s`, `3 min 20 s`, `1 h 5 min`."""
    seconds = milliseconds / _SECOND
    whole = round(seconds)
    if seconds < 10:  # noqa: PLR2004 - tenths are of interest below ten seconds
        return f"{seconds:.1f} s"
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def tokens(number: int) -> str:
    """As in `840`, `12.3k`, `1.2M`."""
    if number < _THOUSAND:
        return str(number)
    return f"{number / _THOUSAND:.1f}k" if number < _MILLION else f"{number / _MILLION:.1f}M"

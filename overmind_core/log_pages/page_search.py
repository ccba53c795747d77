"""Which lines of a page match, without reading a page whose bytes already say that none does. For threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from overmind_core.log_pages.index import LogPage
    from overmind_core.log_pages.line_filter import LineFilter
    from overmind_core.log_pages.pattern import Pattern
    from overmind_core.log_pages.reader import Reader
    from overmind_core.logs.display import Line


def may_match(reader: Reader, page: LogPage, pattern: Pattern) -> bool:
    """Whether a line of the page may match, as far as its bytes say."""
    if not pattern.literals or pattern.slow:
        return True
    raw = reader.raw(page)
    if raw is None or not raw.isascii() or b"\x1b" in raw:
        return True
    return _holds(raw.lower(), pattern)


def matching(reader: Reader, page: LogPage, line_filter: LineFilter) -> int:
    """How many lines of a page match."""
    return len(matches(reader, page, line_filter))


def matches(reader: Reader, page: LogPage, line_filter: LineFilter) -> list[tuple[int, Line]]:
    """The lines of a page that match, in their order, each with its number on the page, from 0."""
    if not may_match(reader, page, line_filter.pattern):
        return []
    lines = reader.lines(page)
    wanted = line_filter.which([text for _, _, text in lines])
    return [(number, line) for number, (line, meant) in enumerate(zip(lines, wanted, strict=True)) if meant]


def _holds(raw: bytes, pattern: Pattern) -> bool:
    """Whether all words stand on the page at all; a returned or backspaced line may hold more than its bytes do."""
    return b"\b" in raw or b"\r" in raw.replace(b"\r\n", b"") or all(word in raw for word in pattern.literals)

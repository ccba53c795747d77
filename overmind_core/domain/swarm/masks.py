"""Values of secrets are masked in what leaves a hive: the tail of a log, and a result. Pure.

A terminal breaks lines its own way, so that each line of a value is masked by itself as well. A tail may begin in the
middle of a value: whatever is the end of one at its very beginning is masked, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MASK = b"***"
_SHORTEST_LINE = 4
"""Bytes of a line of a longer value that is masked by itself; shorter ones stand everywhere."""


def masked(data: bytes, values: Iterable[bytes], *, is_cut: bool = False) -> bytes:
    """Return the bytes without any of the values; one that is nothing but asterisks stays.

    Args:
        data: As it was written.
        values: Of the secrets.
        is_cut: Whether something stood before it, so that its beginning may be the end of a value.
    """
    hidden = {part for value in values for part in _parts(value) if part.strip(b"*")}
    if is_cut:
        data = _without_end(data, hidden)
    while True:
        spans = sorted(span for value in hidden for span in _found(data, value))
        if not spans:
            return data
        data = _cut_out(data, spans)  # with less that is no asterisk each time


def masked_tail(data: bytes, values: Iterable[bytes], limit: int) -> bytes:
    """Return the last `limit` bytes, masked before they are cut."""
    return masked(data, values)[-limit:] if limit > 0 else b""


def _parts(value: bytes) -> Iterator[bytes]:
    whole = value.strip()
    if whole:
        yield whole
    lines = whole.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line.strip()) >= _SHORTEST_LINE)


def _found(data: bytes, value: bytes) -> Iterator[tuple[int, int]]:
    at = data.find(value)
    while at >= 0:
        yield at, at + len(value)
        at = data.find(value, at + 1)


def _cut_out(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    """Put the mask in place of what lies in any of them; those that overlap are one."""
    kept, at = [], 0
    begin, end = spans[0]
    for low, high in (*spans[1:], (len(data) + 1, 0)):
        if low <= end:
            end = max(end, high)
            continue
        kept += [data[at:begin], MASK]
        at, begin, end = end, low, high
    return b"".join((*kept, data[at:]))


def _without_end(data: bytes, hidden: set[bytes]) -> bytes:
    longest = max(
        (length for value in hidden for length in range(1, len(value)) if data.startswith(value[-length:])), default=0
    )
    return MASK + data[longest:] if longest else data

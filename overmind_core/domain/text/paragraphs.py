"""Texts that are put together of parts which stand apart."""

from __future__ import annotations


def behind(first: str | None, second: str) -> str:
    """The second text behind the first and a blank line; alone where there is no first one."""
    if not first:
        return second
    return f"{first}\n{second}" if first.endswith("\n") else f"{first}\n\n{second}"

"""Texts that are put together of parts which stand apart."""

from __future__ import annotations

_DID = frozenset({"completed", "failed", "succeeded", "timed out"})
"""States that say what something did itself."""
_WHERE = "review"
"""The state that says where something is."""


def behind(first: str | None, second: str) -> str:
    """The second text behind the first and a blank line; alone where there is no first one."""
    if not first:
        return second
    return f"{first}\n{second}" if first.endswith("\n") else f"{first}\n\n{second}"


def stands(state: str) -> str:
    """A state behind the name of what stands so: `is queued`, `has failed`, `is in review`."""
    if state == _WHERE:
        return f"is in {state}"
    return f"{'has' if state in _DID else 'is'} {state}"

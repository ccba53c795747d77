"""Waiting for what announces itself by no event: the only poll in the tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")

INTERVAL, LONGEST_INTERVAL = 0.02, 0.2
"""Seconds between two looks: a tenth of what was waited already, within these. Many looks start a process each."""


def eventually(look: Callable[[], Seen], timeout: float = 10.0, *, what: str = "") -> Seen:
    """Return the first true answer of `look`, which is asked at least twice.

    Args:
        look: Asked again and again; an assertion that fails inside counts as not yet.
        timeout: Seconds.
        what: The fact waited for, for the message of the failure.
    """
    began = time.monotonic()
    while True:
        waited = time.monotonic() - began
        late = waited > timeout
        try:
            seen = look()
        except AssertionError:
            if late:
                raise
        else:
            if seen:
                return seen
            assert not late, f"after {timeout} s still not: {what or look}"
        time.sleep(min(max(waited / 10, INTERVAL), LONGEST_INTERVAL))

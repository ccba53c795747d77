"""Waiting for what announces itself by no event: the only poll in the tests.

All patience is told in seconds of a normal day, and is longer where the machine is slower (`look.slowness`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tests.kit import look as looks

Seen = TypeVar("Seen")

INTERVAL, LONGEST_INTERVAL = 0.02, 0.2
"""Seconds between two looks: a tenth of what was waited already, within these. Many looks start a process each."""


def eventually(look: Callable[[], Seen], timeout: float = 10.0, *, what: str = "") -> Seen:
    """Return the first true answer of `look`, which is asked at least twice.

    Args:
        look: Asked again and again; an assertion that fails inside counts as not yet.
        timeout: Seconds of a normal day.
        what: The fact waited for, for the message of the failure.
    """
    patience = timeout * looks.slowness()
    began = time.monotonic()
    while True:
        waited = time.monotonic() - began
        late = waited > patience
        try:
            seen = look()
        except AssertionError:
            if late:
                raise
        else:
            if seen:
                return seen
            assert not late, f"after {patience:g} s still not: {what or look}"
        time.sleep(min(max(waited / 10, INTERVAL), LONGEST_INTERVAL))

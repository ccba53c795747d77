"""A full disk for one process alone: a limit of file size, set from outside while it runs."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

FULL = 5_000
"""Bytes that a file may have: too few for the state, which has more already."""


@contextlib.contextmanager
def full_disk(pid: int, size: int = FULL) -> Iterator[None]:
    """No file may grow beyond `size` for this process; room again after the block, if it still lives."""
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

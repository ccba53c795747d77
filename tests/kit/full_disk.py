"""A full disk for one process alone: a limit of file size, set from outside while it runs."""

from __future__ import annotations

import compileall
import contextlib
import os
import resource
from collections.abc import Iterator

from tests.kit.overmind import REPOSITORY

FULL = 5_000
"""Bytes that a file may have: too few for the state, which has more already."""


@contextlib.contextmanager
def full_disk(pid: int, size: int = FULL) -> Iterator[None]:
    """No file may grow beyond `size` for this process; room again after the block, if it still lives.

    All modules are compiled before: of one that is imported meanwhile Python would leave half a file, which nobody can
    import any more. Source: github.com/python/cpython/issues/126606
    """
    compileall.compile_dir(os.path.join(REPOSITORY, "overmind_core"), quiet=2)
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

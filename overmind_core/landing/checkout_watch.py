"""Waiting until a person's checkout is out of the way of what is to land: cheap looks, each few seconds.

As long as neither the files in the way nor git's own files for the checkout change, nothing else can have: git is only
asked again when they have.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.git.layout import folders_of
from overmind_core.git.operation import MARKS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from overmind_core.errors import OvermindError
    from overmind_core.landing.locations import Locations, WorkLocation

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 2.0
"""Pause before the second look, and before any: who has taken away what was in the way sees it land."""
GROWTH = 1.5
MOST_FILES = 20
"""Files in the way that are looked at: each has to change before nothing is in the way."""
BLIND_LOOKS = 300
"""Looks at files alone, after which git is asked in any case: a disk may not tell of a change."""

Traces = tuple[tuple[int, ...] | None, ...]


async def until_free(
    locations: Locations,
    place: WorkLocation,
    into: str,
    report: Callable[[OvermindError], object],
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Return once nothing in the checkout of a branch is in the way of what is to land on it.

    Args:
        locations: Runs git.
        place: Where the work is.
        into: The branch.
        report: Called with what is in the way, each time that git was asked.
        pause: Waits before the next look, for as many seconds or until somebody wants to know.

    Raises:
        OvermindError: `git_failed`, git can't tell.
    """
    from overmind_core.landing import preview  # noqa: PLC0415 - most daemons land nothing

    seconds, blind = FIRST_SECONDS, 0
    known: tuple[str, ...] = ()
    seen: Traces | None = None
    while True:
        now = await asyncio.to_thread(traces, known) if known else None
        if now is None or now != seen or blind >= BLIND_LOOKS:
            error = await locations.run(preview.obstacle, place, into)
            if error is None:
                return
            report(error)
            paths = watched(error)
            # What was looked at before git was: a change between both is seen by the next look.
            known, seen, blind = paths, now if paths == known else None, 0
        blind += 1
        await pause(seconds)
        seconds = min(seconds * GROWTH, LONGEST_SECONDS)


def watched(error: OvermindError) -> tuple[str, ...]:
    """Return the files without whose change what is in the way stays there: a person's, and git's of that checkout."""
    folder = from_wire(str(error.fields.get("folder", "")))
    files = error.fields.get("files")
    names = [from_wire(str(name)) for name in files[:MOST_FILES]] if isinstance(files, list) else []
    found = folders_of(folder)
    own = [] if found is None else [os.path.join(found.own, name) for name in ("HEAD", "index", *MARKS)]
    return (*own, *(os.path.join(folder, name) for name in names))


def traces(paths: tuple[str, ...]) -> Traces:
    """Return how files are now, as far as their folder tells; None for one that is not there."""
    return tuple(map(_trace, paths))


def _trace(path: str) -> tuple[int, ...] | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

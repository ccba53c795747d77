"""What another supervisor has begun to merge: taken back, or written down where it landed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from overmind_core.git import merging, repository
from overmind_core.git.run import MARK, Git, GitFailed, GitMissing
from overmind_core.supervisor.landing.places import world
from overmind_core.system.stragglers import end_stragglers
from overmind_core.wire.bytestrings import from_wire

if TYPE_CHECKING:
    from overmind_core.supervisor.landing.merger import Merger
    from overmind_core.supervisor.landing.trace import Trace

LOOKS = 10
LOOK_SECONDS = 0.5
"""Between looks whether a git that the other supervisor began with still moves the target."""
_log = logging.getLogger(__name__)


async def settle(merger: Merger, trace: Trace) -> None:
    """Leave nothing of a merge that was interrupted; its repository is ours until then."""
    core = merger.core
    git = world(core, trace.mission, trace.mark)
    await core.isolation.in_thread(end_stragglers, MARK, trace.mark)
    await merger.end(trace.verify)
    if await _has_landed(merger, git, trace):
        merger.record(trace)
    try:
        await core.isolation.in_thread(merging.close_scratch, git, from_wire(trace.source), from_wire(trace.scratch))
    except (GitFailed, GitMissing) as error:
        _log.warning("the scratch worktree %s is left: %s", trace.scratch, error)
        return
    merger.forget(trace.mission)


async def _has_landed(merger: Merger, git: Git, trace: Trace) -> bool:
    """Whether the target has it, now or in a moment."""
    if not trace.landing:
        return False
    for _ in range(LOOKS):
        if await merger.core.isolation.in_thread(_has, git, trace):
            return True
        await asyncio.sleep(LOOK_SECONDS)
    return False


def _has(git: Git, trace: Trace) -> bool:
    source = from_wire(trace.source)
    try:
        now = repository.resolve(git, source, repository.HEADS + from_wire(trace.target))
        return now is not None and merging.is_in(git, source, trace.after, now)
    except (GitFailed, GitMissing):
        return False

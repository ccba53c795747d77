"""What becomes of what a mission has of its own: when it ends, and when somebody wants it gone."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.isolation.isolation import Removal
from overmind_core.domain.isolation.project import Teardown
from overmind_core.domain.missions.facts import Note
from overmind_core.domain.missions.mission import Cause, Status
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git import worktrees
from overmind_core.git.status import WorktreeStatus, worktree_status
from overmind_core.isolation.steps import containers, services
from overmind_core.isolation.steps.worktree import remove, with_git

if TYPE_CHECKING:
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.isolation.service import IsolationService

NAMED = 10
"""Files and commits that a refusal names."""
_log = logging.getLogger(__name__)


async def over(isolations: IsolationService, mission: str) -> None:
    """The mission has ended for good: its ports are free, its services ended, its containers stopped.

    What can't be done now, as the engine of its containers is away, is tried again at the next start.
    """
    isolation, current = isolations.records.get(mission), isolations.core.book.known(mission)
    if isolation is None or (current is not None and current.is_live):
        return
    if isolation.removal is not Removal.NONE:  # it was interrupted
        await _unasked(isolations, mission, isolation.removal)
    elif not isolation.ended:
        await _let_go(isolations, isolation)


async def _let_go(isolations: IsolationService, isolation: Isolation) -> None:
    mission = isolation.mission
    ended = isolations.core.book.get(mission)
    cause = Cause.KILL if ended is not None and ended.status is Status.KILLED else Cause.STOP
    await services.end(isolations, isolation, cause)
    try:
        await _containers_over(isolations, isolation)
    except OvermindError as error:
        _log.warning("containers of mission %s were not stopped: %s", mission, error.message)
        return
    finally:
        isolations.ports.release(mission)
    isolation = isolations.records[mission]
    unwanted = isolation.ready_once and isolation.project.teardown is not Teardown.KEEP
    if unwanted and await _is_untouched(isolations, isolation):
        await _unasked(isolations, mission, Removal.UNASKED)
    isolations.put(replace(isolations.records[mission], ended=True))


async def _unasked(isolations: IsolationService, mission: str, removal: Removal) -> None:
    """Remove what the mission had, where nobody waits for an answer."""
    try:
        await _remove(isolations, isolations.records[mission], removal)
    except OvermindError as error:
        _log.warning("what mission %s has of its own is kept: %s", mission, error.message)
    else:
        isolations.put(replace(isolations.records[mission], ended=True))
        if isolations.core.book.get(mission) is None:
            isolations.forget(mission)


async def discard(isolations: IsolationService, isolation: Isolation, *, force: bool) -> None:
    """Remove everything; see `Isolations.discard`."""
    core, mission = isolations.core, isolation.mission
    current = core.book.known(mission)
    if current is not None and current.is_live:
        name = current.definition.name
        raise OvermindError("not_finished", f"Mission {mission} ({name}) is {current.status}. Stop or kill it first.")
    await over(isolations, mission)
    isolation = isolations.records.get(mission, isolation)
    if not force:
        await check(isolations, isolation)
    await _remove(isolations, isolation, Removal.FORCED if force else Removal.UNASKED)
    isolations.ports.forget(mission)
    kept = core.book.get(mission)
    if kept is None:
        isolations.forget(mission)
    else:
        core.book.note(kept, Note("discarded"))


async def check(isolations: IsolationService, isolation: Isolation) -> None:
    """Refuse to remove work that is nowhere else.

    Raises:
        OvermindError: `dirty` or `unmerged`, naming it.
    """
    if isolation.branch is None or isolation.worktree is None:
        return
    if not await isolations.in_thread(os.path.isdir, from_wire(isolation.worktree)):
        return
    state = await state_of(isolations, isolation)
    name = isolation.name
    if state.dirty:
        files = [to_wire(path) for path in state.dirty]
        are = "is" if len(files) == 1 else "are"
        told = f"{_some(files, 'file')} in the worktree of {name} {are} not committed: {_listed(files)}."
        raise OvermindError(
            "dirty", f"{told} Commit with: overmind commit {name} -m …; to lose it: --force", files=files
        )
    if not state.merged:
        commits = [f"{number[:9]} {to_wire(subject)}" for number, subject in state.commits]
        are = "is" if len(commits) == 1 else "are"
        told = f"{_some(commits, 'commit')} of {name} {are} merged nowhere: {_listed(commits)}."
        raise OvermindError(
            "unmerged", f"{told} Land it with: overmind merge {name}; to lose it: --force", commits=commits
        )


async def state_of(isolations: IsolationService, isolation: Isolation) -> WorktreeStatus:
    """How the mission's worktree stands to its base.

    Raises:
        OvermindError: `git_failed`.
    """
    assert isolation.worktree is not None
    return await with_git(
        isolations,
        worktree_status,
        isolations.git(isolation),
        from_wire(isolation.worktree),
        None if isolation.base is None else from_wire(isolation.base),
        isolation.base_commit or "",
    )


async def _containers_over(isolations: IsolationService, isolation: Isolation) -> None:
    """Stopped; removed when nobody will ever know of them again: a headless run takes its home along."""
    if not isolation.containers:
        return
    if not isolations.core.line.headless:
        await containers.stop(isolations, isolation)
    else:
        await containers.remove(isolations, isolation)
        isolations.put(replace(isolations.records[isolation.mission], containers={}, volumes=()))


async def _is_untouched(isolations: IsolationService, isolation: Isolation) -> bool:
    if isolation.worktree is None:  # nobody can tell
        return isolation.project.teardown is Teardown.REMOVE
    if isolation.branch is None or not await isolations.in_thread(os.path.isdir, from_wire(isolation.worktree)):
        return False
    try:
        state = await state_of(isolations, isolation)
    except OvermindError as error:
        _log.warning("the worktree of mission %s is kept: %s", isolation.mission, error.message)
        return False
    return not state.dirty and not state.ahead and not state.files


async def finish(isolations: IsolationService, isolation: Isolation) -> None:
    """Bring to its end what was begun: everything is removed.

    Raises:
        OvermindError: `unmerged`, there is work by now, and it is kept; or it can't be done now.
    """
    await _remove(isolations, isolation, isolation.removal)


async def _remove(isolations: IsolationService, isolation: Isolation, removal: Removal) -> None:
    """Remove everything; begun, it is brought to its end, by the next supervisor if need be."""
    mission = isolation.mission
    isolations.put(replace(isolation, removal=removal))
    await isolations.saved()
    force = removal is Removal.FORCED or isolation.half or not isolation.ready_once
    try:
        if isolation.branch is not None or isolation.half:
            await with_git(isolations, remove, isolations.git(isolation), isolation, force=force)
    except (worktrees.Dirty, worktrees.Unmerged) as error:
        isolations.put(replace(isolations.records[mission], removal=Removal.NONE))
        raise OvermindError("unmerged", f"The worktree of {isolation.name} is kept: {error}.") from None
    await containers.remove(isolations, isolation)
    cleaned = replace(
        isolations.records.get(mission, isolation),
        half=False,
        branch=None,
        base_commit=None,
        containers={},
        volumes=(),
        ready_once=False,
        removal=Removal.NONE,
    )
    isolations.put(cleaned)


def _some(things: list[str], what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"


def _listed(things: list[str]) -> str:
    more = f" and {len(things) - NAMED} more" if len(things) > NAMED else ""
    return ", ".join(things[:NAMED]) + more

"""What becomes of what a mission has of its own: when it ends, and when somebody wants it gone."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from overmind_core.domain.isolation.isolation import Removal
from overmind_core.domain.isolation.project import Teardown
from overmind_core.domain.landing import KeptWork
from overmind_core.domain.missions.mission import Cause, Status
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.status import IgnoredWork, RemovalRefused, WorktreeStatus, is_untouched, worktree_status
from overmind_core.isolation.events import IgnoredFilesLeft, WorkDiscarded
from overmind_core.isolation.steps import containers, services
from overmind_core.isolation.steps.worktree import keep_rules, remove, with_git
from overmind_core.kernel.database import DiskFull

if TYPE_CHECKING:
    from overmind_core.domain.isolation.isolation import Isolation
    from overmind_core.git.worktree_removal import RemovedWorktree
    from overmind_core.isolation.workspace import Workspace

NAMED = 10
"""Files and commits that a refusal names."""
_log = logging.getLogger(__name__)


async def over(workspace: Workspace, mission: str, *, at_once: bool = False) -> None:
    """The mission has ended for good: its ports are free, its services ended, its containers stopped.

    While something else uses them, such as a check in its folder, they stay, unless `at_once`. What can't be done now,
    as the engine of its containers is away, is tried again at the next start.
    """
    isolation, current = workspace.records.get(mission), workspace.registry.known(mission)
    if isolation is None or (current is not None and current.is_live):
        return
    if isolation.removal is not Removal.NONE:  # it was interrupted
        await _unasked(workspace, mission, isolation.removal)
    elif not isolation.ended and (at_once or not workspace.is_served(mission)):
        await _let_go(workspace, isolation)


async def _let_go(workspace: Workspace, isolation: Isolation) -> None:
    mission = isolation.mission
    ended = workspace.registry.get(mission)
    cause = Cause.KILL if ended is not None and ended.status is Status.KILLED else Cause.STOP
    await services.end(workspace, isolation, cause)
    try:
        await _containers_over(workspace, isolation)
    except OvermindError as error:
        _log.warning("can't stop containers of mission %s: %s", mission, error.message)
        return
    finally:
        workspace.ports.release(mission)
    isolation = workspace.records[mission]
    await _tidy(workspace, isolation)
    workspace.put(replace(workspace.records[mission], ended=True))


async def guest_gone(workspace: Workspace, mission: str) -> None:
    """A mission that ran in the worktree of this ended one has ended: perhaps nobody needs that any more."""
    isolation, current = workspace.records.get(mission), workspace.registry.known(mission)
    if isolation is None or not isolation.ended or (current is not None and current.is_live):
        return  # `over` sees to it, once nothing is held any more
    if mission in workspace.with_guests:
        await _tidy(workspace, isolation)


async def _tidy(workspace: Workspace, isolation: Isolation) -> None:
    """Remove what nobody has worked in, once nobody works in it any more."""
    mission = isolation.mission
    if not isolation.ready_once or isolation.project.teardown is Teardown.KEEP:
        return
    if workspace.is_needed(mission) or workspace.guest(isolation) is not None:
        workspace.with_guests.add(mission)
        return
    workspace.with_guests.discard(mission)
    if await _is_untouched(workspace, isolation):
        await _unasked(workspace, mission, Removal.UNASKED)


async def _unasked(workspace: Workspace, mission: str, removal: Removal) -> None:
    """Remove what the mission had, where nobody waits for an answer."""
    isolation = workspace.records[mission]
    try:
        await _remove_all(workspace, isolation, removal)
    except IgnoredWork as error:
        workspace.put(replace(workspace.records[mission], ignored=len(error.files)))
        _note_ignored(workspace, mission, [to_wire(path) for path in error.files], kept=True)
    except RemovalRefused as error:
        _log.info("the worktree of mission %s is kept: %s", mission, error)
    except OvermindError as error:
        _log.warning("the resources of mission %s are kept: %s", mission, error.message)
    else:
        workspace.put(replace(workspace.records[mission], ended=True))
        if workspace.registry.get(mission) is None:
            workspace.forget(mission)


async def discard(
    workspace: Workspace, isolation: Isolation, *, force: bool, is_removed: bool = False
) -> RemovedWorktree | None:
    """Remove everything; see `IsolationService.discard`."""
    mission = isolation.mission
    current = workspace.registry.known(mission)
    if current is not None and current.is_live:
        name = current.definition.name
        raise OvermindError("not_finished", f"Mission {mission} ({name}) is {current.status}. Stop or kill it first.")
    if (guest := workspace.guest(isolation)) is not None:
        message = f"Mission {guest.id} ({guest.definition.name}) runs in the worktree of {isolation.name}."
        raise OvermindError("not_finished", f"{message} Stop or kill it first.")
    await over(workspace, mission, at_once=True)
    isolation = workspace.records.get(mission, isolation)
    if not force and not _may_have_work(isolation):
        await check(workspace, isolation, is_removed=is_removed)
    try:
        removed = await _remove_all(workspace, isolation, Removal.FORCED if force else Removal.UNASKED)
    except RemovalRefused as error:
        await check(workspace, isolation, is_removed=is_removed)
        raise _kept(isolation, error) from None
    workspace.ports.forget(mission)
    kept = workspace.registry.get(mission)
    if kept is None:
        workspace.forget(mission)
    else:
        workspace.registry.record(kept, WorkDiscarded())
    return removed


BY_FORCE = "discard with --force"
"""The end of what `check` says: what helps those who do not want the work."""


async def check(workspace: Workspace, isolation: Isolation, *, is_removed: bool = False) -> None:
    """Refuse to remove work that is nowhere else.

    Args:
        workspace: Where it is known.
        isolation: What a mission has.
        is_removed: The mission itself is removed, so that its name may be another one's as soon as somebody wants it.

    Raises:
        OvermindError: `dirty` or `unmerged`, naming it.
    """
    if isolation.branch is None or isolation.worktree is None:
        return
    if not await workspace.in_thread(os.path.isdir, from_wire(isolation.worktree)):
        return
    state = await state_of(workspace, isolation)
    name = isolation.name
    word = isolation.mission if is_removed else workspace.reference(isolation)
    dirty, ignored = [*map(to_wire, state.dirty)], [*map(to_wire, state.ignored.kept)]
    commits = [] if state.merged else [f"{number[:9]} {to_wire(subject)}" for number, subject in state.commits]
    facts, ways = [], []
    if dirty:
        are = "is" if len(dirty) == 1 else "are"
        facts.append(f"{_some(dirty, 'file')} in the worktree of {name} {are} uncommitted: {_listed(dirty)}.")
        ways.append(f"commit with: overmind commit {word} -m …")
    if ignored:
        were = "was" if len(ignored) == 1 else "were"
        which = f"{_some(ignored, 'file')} that git ignores"
        facts.append(f"{which} {were} made in the worktree of {name}: {_listed(ignored)}.")
        ways.append(f"look in {isolation.worktree}")
    if not state.merged:
        are = "is" if len(commits) == 1 else "are"
        runs = " (its own check runs first)" if workspace.is_verified(isolation.mission) else ""
        facts.append(f"{_some(commits, 'commit')} of {name} {are} not merged anywhere: {_listed(commits)}.")
        ways.append(f"merge with: overmind merge {word}{runs}")
    if facts:
        how = ", ".join((*ways, f"or {BY_FORCE}"))
        fields = {"files": dirty + ignored, "commits": commits}
        code = "dirty" if dirty or ignored else "unmerged"
        raise OvermindError(code, f"{' '.join(facts)} {how[:1].upper()}{how[1:]}", **fields)


async def kept_work(workspace: Workspace, isolation: Isolation) -> KeptWork | None:
    """What would be lost with the mission's worktree; None: nothing, or it has none.

    Raises:
        OvermindError: `git_failed`.
    """
    if isolation.branch is None or isolation.worktree is None:
        return None
    if not await workspace.in_thread(os.path.isdir, from_wire(isolation.worktree)):
        return None
    state = await state_of(workspace, isolation)
    kept = KeptWork(isolation.worktree, bool(state.dirty), not state.merged)
    return kept if kept.uncommitted or kept.unmerged or state.ignored.kept else None


async def state_of(workspace: Workspace, isolation: Isolation) -> WorktreeStatus:
    """How the mission's worktree stands to its base.

    Raises:
        OvermindError: `git_failed`.
    """
    assert isolation.worktree is not None
    return await with_git(
        workspace,
        worktree_status,
        workspace.git(isolation),
        from_wire(isolation.worktree),
        None if isolation.base is None else from_wire(isolation.base),
        isolation.base_commit or "",
        keep=keep_rules(isolation),
        own=None if isolation.branch is None else from_wire(isolation.branch),
    )


async def _containers_over(workspace: Workspace, isolation: Isolation) -> None:
    """Stopped; removed when nobody will ever know of them again: a run that leaves nothing takes its home along."""
    if not isolation.containers:
        return
    if not workspace.line.ends_all:
        await containers.stop(workspace, isolation)
    else:
        await containers.remove(workspace, isolation)
        workspace.put(replace(workspace.records[isolation.mission], containers={}, volumes=()))


async def _is_untouched(workspace: Workspace, isolation: Isolation) -> bool:
    if isolation.worktree is None:  # nobody can tell
        return isolation.project.teardown is Teardown.REMOVE
    if isolation.branch is None or not await workspace.in_thread(os.path.isdir, from_wire(isolation.worktree)):
        return False
    base = None if isolation.base is None else from_wire(isolation.base)
    where = workspace.git(isolation), from_wire(isolation.worktree)
    try:
        return await with_git(workspace, is_untouched, *where, base, isolation.base_commit or "")
    except OvermindError as error:
        _log.warning("the worktree of mission %s is kept: %s", isolation.mission, error.message)
        return False


async def finish(workspace: Workspace, isolation: Isolation) -> None:
    """Bring to its end what was begun: everything is removed.

    Raises:
        OvermindError: `unmerged`, there is work by now, and it is kept; or it can't be done now.
    """
    try:
        await _remove_all(workspace, isolation, isolation.removal)
    except RemovalRefused as error:
        raise _kept(isolation, error) from None


def _kept(isolation: Isolation, error: RemovalRefused) -> OvermindError:
    return OvermindError("unmerged", f"The worktree of {isolation.name} is kept: {error}.")


async def _remove_all(workspace: Workspace, isolation: Isolation, removal: Removal) -> RemovedWorktree | None:
    """Remove everything, and return what was there of the worktree; None: the mission had none.

    Begun, it is brought to its end, by the next supervisor if need be. What is removed by force is begun no sooner than
    something of it is gone: who was told that it has failed goes on with what is there.

    Raises:
        RemovalRefused: there is work that is nowhere else; nothing was removed, and nothing is begun any more.
        OvermindError: it can't be done now.
    """
    mission = isolation.mission
    force = removal is Removal.FORCED or not _may_have_work(isolation)
    had_worktree = isolation.branch is not None or isolation.half
    was_there, is_begun = await _is_there(workspace, isolation), False
    removed: RemovedWorktree | None = None
    try:
        for_room = await _begin(workspace, isolation, removal, force=force)
        is_begun = True
        if had_worktree:
            removed = await with_git(workspace, remove, workspace.git(isolation), isolation, force=force)
            if for_room is not None:
                removed = removed._replace(worktree=True, ignored=for_room.ignored)
            if removed.ignored:
                _note_ignored(workspace, mission, [to_wire(path) for path in removed.ignored], kept=False)
    except RemovalRefused:
        workspace.put(replace(workspace.records[mission], removal=Removal.NONE))
        raise
    except OvermindError:
        is_under_way = is_begun and was_there and not await _is_there(workspace, isolation)
        if removal is Removal.FORCED and not is_under_way:
            workspace.put(replace(workspace.records[mission], removal=isolation.removal))
        raise
    await containers.remove(workspace, isolation)
    cleaned = replace(
        workspace.records.get(mission, isolation),
        half=False,
        branch=None,
        base_commit=None,
        containers={},
        volumes=(),
        ready_once=False,
        ready_at=None,
        ignored=0,
        removal=Removal.NONE,
        removed=removal if had_worktree else isolation.removed,
    )
    workspace.put(cleaned)
    return removed


async def _begin(
    workspace: Workspace, isolation: Isolation, removal: Removal, *, force: bool
) -> RemovedWorktree | None:
    """Have it on record that everything is being removed; return what of the worktree had to go before.

    That is where a full disk lets nothing be recorded: it makes room. Who dies then leaves a worktree that is missing,
    as if a person had deleted it, and its branch.

    Raises:
        RemovalRefused: there is work that is nowhere else, and no `force`.
        OvermindError: it can't be recorded, or removed.
    """
    workspace.put(replace(isolation, removal=removal))
    try:
        await workspace.saved()
    except OvermindError:
        is_full = isinstance(workspace.journal.failure, DiskFull)
        if not is_full or isolation.branch is None or isolation.half:
            raise
        git = workspace.git(isolation)
        removed = await with_git(workspace, remove, git, isolation, force=force, folder_only=True)
        try:
            await workspace.saved()
        except OvermindError as error:
            message = f"The folder of {isolation.name} was removed, which made too little room. Its branch is kept:"
            raise OvermindError(error.code, f"{message} {isolation.branch}. {error.message}") from None
        return removed
    return None


async def _is_there(workspace: Workspace, isolation: Isolation) -> bool:
    """True while there is something where the mission's worktree is."""
    path = isolation.worktree
    return path is not None and await workspace.in_thread(os.path.lexists, from_wire(path))


def _may_have_work(isolation: Isolation) -> bool:
    """Whether there may be work in its worktree; before the mission has run, all in it is of the preparation."""
    return isolation.ready_once and not isolation.half


def _note_ignored(workspace: Workspace, mission: str, files: list[str], *, kept: bool) -> None:
    """Tell in the mission's log what has become of files that git ignores."""
    known = workspace.registry.get(mission)
    if known is None:
        return
    what = f"{_some(files, 'file')} that git ignores: {_listed(files)}"
    message = f"the worktree is kept for {what}" if kept else f"removed with the worktree: {what}"
    workspace.registry.record(known, IgnoredFilesLeft(text=f"--- {message} ---", files=len(files), kept=kept))


def _some(things: list[str], what: str) -> str:
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"


def _listed(things: list[str]) -> str:
    more = f" and {len(things) - NAMED} more" if len(things) > NAMED else ""
    return ", ".join(things[:NAMED]) + more

"""Checked work: only that lands, so files that change while its check runs have it run again. Pure.

Where files change behind it, before the work lands, it runs on the merged work.
A check may change files itself, as one that formats does, and leave others at each run. What changes again is taken for
its own, so that a check of work at which nobody else writes runs twice at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.quests.quest import CheckedWork
from overmind_core.domain.replacing import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.domain.quests.quest import FolderState, Quest

MOST_CHECKS = 3
"""Runs of the check of one attempt, the last of which decides: a check that leaves another file each time ends, too."""


def is_compared(quest: Quest) -> bool:
    """Return whether the files of a quest are compared from its check on: its work is to land from here."""
    goal, queue = quest.goal, quest.queue
    if goal is None or queue is None or quest.check is None:
        return False
    return goal.into is not None and queue.elsewhere is None


def checked_work(quest: Quest) -> CheckedWork | None:
    """Return what is known of the check of its newest attempt; None: nothing."""
    tries = () if quest.queue is None else quest.queue.tries
    return tries[-1].checked if tries else None


def with_check_begun(quest: Quest, state: FolderState) -> Quest:
    """The quest whose worktree was in this state just before the first check of its newest attempt."""
    assert quest.check is not None
    return _with(quest, CheckedWork(state, quest.check))


def passed_state(quest: Quest | None) -> FolderState | None:
    """The state of its worktree that has passed its check, as that is now; None: nobody knows, or it has none."""
    work = None if quest is None else checked_work(quest)
    return None if quest is None or work is None or work.command != quest.check else work.state


def with_check_passed(quest: Quest, changed: Iterable[str], state: FolderState) -> Quest:
    """The quest as its check has passed; where that was not of the files that are there, it is not checked yet.

    Args:
        quest: As it stood.
        changed: Files that are not as they were when that check began. Wire form.
        state: Of its worktree, now.
    """
    known = checked_work(quest)
    assert known is not None
    files = set(changed)
    passed = replace(known, state=state, changed=tuple(sorted(files.union(known.changed))))
    if files.issubset(known.changed) or known.checks == MOST_CHECKS:
        return _with(quest, passed)
    return replace(_with(quest, replace(passed, checks=known.checks + 1)), checked=quest.checked - 1)


def _with(quest: Quest, work: CheckedWork) -> Quest:
    queue = quest.queue
    assert queue is not None
    *earlier, newest = queue.tries
    return replace(quest, queue=replace(queue, tries=(*earlier, replace(newest, checked=work))))

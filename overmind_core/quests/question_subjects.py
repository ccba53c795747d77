"""The subjects of questions about quests, as people read them line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.engine_questions import CODE, COMMAND, LINES, PROBLEM, RAN_IN, UNDOES_LANDED
from overmind_core.domain.missions.reasons import aside_text, attempt_words, kept_limit, sentence
from overmind_core.domain.quests.classes import CHECK_FAILED, VERIFY_FAILED, last_failure
from overmind_core.domain.quests.life import left_conflict, waits_for_room
from overmind_core.domain.quests.remedies import more_time
from overmind_core.domain.quests.resolution import beyond_allowed, dropped_brief, dropped_lines, ways_to_keep_both
from overmind_core.domain.quests.why import failed_command
from overmind_core.domain.text.bytestrings import to_wire

if TYPE_CHECKING:
    from overmind_core.domain.quests.quest import Quest
    from overmind_core.missions.registry import Registry

SHOWN_LINES = 12
"""The last lines of what failed that its question shows."""


def stuck(quest: Quest, folder: str | None, worktree: str | None, feedback: str) -> dict[str, object]:
    """The subject for a quest that has failed: how, of a check which and where, and the end of its output."""
    queue = quest.queue
    assert queue is not None
    code = queue.tries[-1].exit_code if queue.tries else None
    why = left_conflict(quest) or sentence(queue.failure, quest.limit)
    number, counted = len(queue.tries), queue.spent
    words = attempt_words(number, counted, max(counted, quest.retries + 1), queue.round)
    attempt = words if number > counted else f"attempt {number}"
    is_late = kept_limit(queue.failure, quest.limit) is not None
    head = [f"{why} in {attempt}" + ("" if code is None or is_late else f", exit code {code}")]
    if command := failed_command(quest):
        is_merged = last_failure(quest) == VERIFY_FAILED
        head += [f"$ {command}"]
        head += [] if folder is None else [f"in {folder}{' (removed since)' if is_merged else ''}"]
        head += [f"its work is in {to_wire(worktree)}"] if is_merged and worktree is not None else []
    head += [f"More time: {command}" for command in more_time(quest, quest.id)]
    head += [kept] if (kept := aside_text(queue.aside)) else []
    lines = [*head, *feedback.splitlines()[-SHOWN_LINES:]]
    named = {} if folder is None else {RAN_IN: folder}
    return {"class": queue.failure, LINES: lines, **named, **of_command(quest)}


def checked_in(registry: Registry, quest: Quest, worktree: str | None) -> str | None:
    """Return the folder in which the command ran that a quest has failed for, which may be gone; None: nobody knows.

    `worktree`: of its work, where it has one. It names the folder of a mission that was removed.
    """
    if last_failure(quest) == VERIFY_FAILED:
        return None if quest.queue is None else quest.queue.verified_in
    is_check = last_failure(quest) == CHECK_FAILED
    ran = registry.get((quest.check_id or "") if is_check else quest.id)
    if ran is not None:
        return ran.definition.cwd
    return None if is_check or worktree is None else to_wire(worktree)


def refused_landing(quest: Quest, worktree: str | None) -> dict[str, object]:
    """The subject for a landing that was refused: the error, what it would undo, and what helps."""
    dropped = () if quest.queue is None else quest.queue.dropped
    lines = dropped_lines(dropped)
    if quest.reason == UNDOES_LANDED and quest.provider == RAW:
        lines += ways_to_keep_both(quest, None if worktree is None else to_wire(worktree))
    elif quest.reason == UNDOES_LANDED:
        lines.append(f"To leave it, with its branch and worktree: overmind quest cancel {quest.name}")
    if waits_for_room(quest):
        lines.append("It is tried again by itself until there is room.")
    problem = {PROBLEM: f"{beyond_allowed(quest)}{dropped_brief(dropped)}"} if dropped else {}
    return {CODE: quest.reason, **({LINES: lines} if lines else {}), **problem, **of_command(quest)}


def of_command(quest: Quest) -> dict[str, object]:
    """The field of a subject that says that a command does the work."""
    return {COMMAND: True} if quest.provider == RAW else {}

"""The subjects of questions about quests, as people read them line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.engine_questions import COMMAND, LINES, RAN_IN
from overmind_core.domain.missions.reasons import aside_text, attempt_words, kept_limit, sentence
from overmind_core.domain.quests.classes import VERIFY_FAILED, last_failure
from overmind_core.domain.quests.life import left_conflict
from overmind_core.domain.quests.why import failed_command
from overmind_core.domain.text.bytestrings import to_wire

if TYPE_CHECKING:
    from overmind_core.domain.quests.quest import Quest

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
    head += [kept] if (kept := aside_text(queue.aside)) else []
    lines = [*head, *feedback.splitlines()[-SHOWN_LINES:]]
    named = {} if folder is None else {RAN_IN: folder}
    return {"class": queue.failure, LINES: lines, **named, **of_command(quest)}


def of_command(quest: Quest) -> dict[str, object]:
    """The field of a subject that says that a command does the work."""
    return {COMMAND: True} if quest.provider == RAW else {}

"""The commands that help a quest that does not start: as they are typed, and so that they work. Pure.

Two quests may have one name once the older one has ended, the mission of another may be removed, and who began at once
has no other round: what a command names, and which one it is, follows from that.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.admission import QUEUE, WaitCode
from overmind_core.domain.landing import VERIFY
from overmind_core.domain.missions.reasons import kept_limit
from overmind_core.domain.quests.classes import CHECK_FAILED, VERIFY_FAILED, last_failure
from overmind_core.domain.quests.needs import Need, needs_of
from overmind_core.domain.quests.quest import QuestStatus

if TYPE_CHECKING:
    from overmind_core.domain.admission import Wait
    from overmind_core.domain.landing import KeptWork
    from overmind_core.domain.quests.quest import Quest

MOST = 5
"""Commands that are given."""
MOST_LOOKED_AT = 1000
"""Quests that are looked at for one that needs what is gone."""


class Known(NamedTuple):
    """Lookups that the remedies need."""

    get: Callable[[str], Quest | None]
    """The quest with an id; None: it was removed."""
    word: Callable[[Quest], str]
    """What a person types to mean this quest: its name, or its id where that means another one."""
    may_retry: Callable[[Quest], bool]
    """Whether it may have another round, once its name is free."""
    free_name: Callable[[Quest], str | None]
    """Another name for one whose name somebody else has who has not ended; None: nobody has it."""
    has_log: Callable[[Quest], bool]
    """True while the log is there that shows why it has failed: it goes with its mission."""


def remedies(quest: Quest, wait: Wait | None, by: Sequence[Need], slots: int, known: Known) -> tuple[str, ...]:
    """Return the commands that let a quest go on; where it goes on by itself, the one that tells more.

    Args:
        quest: As it stands.
        wait: Why it waits; None: it does not.
        by: The quests that are in its way.
        slots: Of the queue.
        known: What is asked about quests.
    """
    if wait is None:
        return _after(quest, known)
    match wait.code:
        case WaitCode.BLOCKED:
            return tuple(dict.fromkeys(islice(_unblock(quest, by, known), MOST)))
        case WaitCode.NEEDS | WaitCode.OWNS:
            return tuple(f"overmind quest why {known.word(one.quest)}" for one in by[:1] if one.quest is not None)
        case WaitCode.UNTIL:
            return (f"overmind quest info {known.word(quest)}",)
        case WaitCode.SLOTS:
            return (f"overmind queue slots {slots + 1}",) if wait.by == (QUEUE,) else ("overmind queue",)
    return wait.do


def _after(quest: Quest, known: Known) -> tuple[str, ...]:
    """The commands for one that has ended, and not well."""
    if quest.status not in {QuestStatus.FAILED, QuestStatus.CANCELLED}:
        return ()
    has_landed = quest.queue is not None and quest.queue.landed is not None  # a person has landed it
    look = look_at(quest, known.word(quest)) if known.has_log(quest) else ()
    if not known.may_retry(quest) or has_landed:
        return look
    return (*look, *more_time(quest, known.word(quest)), *_again(quest, known))


def look_at(quest: Quest, word: str) -> tuple[str, ...]:
    """Return the command that shows what failed; none for one that has not, or that could not begin.

    `word`: what a person calls it.
    """
    if quest.status is not QuestStatus.FAILED:
        return ()
    from overmind_core.domain.quests.briefing import start_refusal  # noqa: PLC0415 - for quests that have failed

    if start_refusal(quest):
        return ()
    failure = last_failure(quest)
    if failure == CHECK_FAILED:
        return (f"overmind quest logs --check {word}",)
    if failure == VERIFY_FAILED:
        return (f"overmind logs {quest.name}/{VERIFY}",)
    return (f"overmind quest logs {word}",)


def more_time(quest: Quest, word: str) -> tuple[str, ...]:
    """Return the command that doubles the limit of time or of silence that has ended one; none for any other.

    `word`: what a person calls it.
    """
    failure = last_failure(quest)
    limit = kept_limit(failure, quest.limit)
    if quest.status is not QuestStatus.FAILED or limit is None or failure not in _LIMITS:
        return ()
    return (f"overmind quest edit {word} {_LIMITS[failure]} {2 * limit:.12g}s",)


_LIMITS = {"timeout": "--timeout", CHECK_FAILED: "--timeout", "stalled": "--activity-timeout"}
"""Classes of failures that a limit may cause, each with its option: a check has the limit of its work."""


def ways_of_kept_work(mission: str, kept: KeptWork, *, unreviewed: bool = False) -> tuple[str, ...]:
    """Return the commands for work that is kept in the worktree of a mission: see it, land it, remove it.

    `unreviewed`: it was to be reviewed, and nobody has accepted it.
    """
    has_changes = kept.uncommitted or kept.unmerged  # else git ignores what there is
    see = (f"overmind changes {mission}",) if has_changes else ()
    commit = (f"overmind commit {mission} -m …",) if kept.uncommitted else ()
    merge = (f"overmind merge {mission}{UNREVIEWED if unreviewed else ''}",) if has_changes else ()
    return (*see, *commit, *merge, f"{REMOVE}{mission} --force")


REMOVE = "overmind discard "
"""The command that removes kept work, with a blank."""
UNREVIEWED = " --unreviewed"
"""The end of the command that lands work whose review nobody has accepted, with a blank."""
_LOOKS = ("overmind changes ", "overmind quest why ", "overmind quest info ", "overmind quest logs ", "overmind logs ")


def is_look(command: str) -> bool:
    """Return whether a command only shows something."""
    return command == "overmind queue" or command.startswith(_LOOKS)


def lead_of(command: str) -> str:
    """Return what stands before a command that helps."""
    if command.startswith(REMOVE):
        return "remove it with"
    if command.endswith(UNREVIEWED):
        return "land it without its review with"
    if command.startswith("overmind quest edit ") and any(f" {one} " in command for one in _LIMITS.values()):
        return "give it more time with"
    return "see" if is_look(command) else "go on with"


def _unblock(quest: Quest, roots: Sequence[Need], known: Known) -> Iterator[str]:
    lost = set[str]()
    for root in roots:
        if root.quest is not None and known.may_retry(root.quest):
            yield from _again(root.quest, known)
        else:
            lost.add(root.id)
    if lost:
        yield from _do_without(quest, lost, known)


def _again(quest: Quest, known: Known) -> Iterator[str]:
    name = known.free_name(quest)
    if name is not None:
        yield f"overmind quest edit {quest.id} --name {name}"
    yield f"overmind quest retry {known.word(quest) if name is None else quest.id}"


def _do_without(quest: Quest, lost: Container[str], known: Known) -> Iterator[str]:
    """Commands that remove lost quests from the needs of others, at any depth: one for each of these."""
    waiting, seen = [quest], {quest.id}
    while waiting and len(seen) <= MOST_LOOKED_AT:
        one = waiting.pop(0)
        needs = needs_of(one, known.get)
        if any(need.id in lost for need in needs):
            left = [known.word(need.quest) for need in needs if need.id not in lost and need.quest is not None]
            yield f"overmind quest edit {known.word(one)} --needs {','.join(left) or repr('')}"
        for need in needs:
            if need.quest is not None and need.quest.status is QuestStatus.QUEUED and need.id not in seen:
                seen.add(need.id)
                waiting.append(need.quest)

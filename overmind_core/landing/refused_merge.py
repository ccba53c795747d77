"""The refusals of a merge by hand, each with the command that merges the work as it was asked for. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.engine_questions import ALLOW, UNDOES_LANDED
from overmind_core.domain.landing import VERIFY_LIMIT, marks_text
from overmind_core.domain.quests.classes import CONFLICT_LEFT, VERIFY_FAILED
from overmind_core.domain.quests.hand_landing import why_unreviewed
from overmind_core.domain.quests.life import is_refused
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.quests.why import check_at_merge
from overmind_core.errors import OvermindError, with_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.domain.quests.quest import Quest
    from overmind_core.landing.requests import Merge

_FLAGS: Mapping[str, str] = {
    "squash": "--squash",
    "rebase": "--rebase",
    "with_marks": "--with-marks",
    "unreviewed": "--unreviewed",
    "undo_landed": "--undo-landed",
}
"""Field of a request → its flag."""


def merge_command(word: str, request: Merge, *also: str) -> str:
    """Return the command that merges work as it was asked for, with these options, too.

    `also`: a flag, or an option and its value; it takes the place of the one that was given.
    """
    words = ["overmind", "merge", word]
    words += [] if request.into is None else ["--into", request.into]
    words += [flag for name, flag in _FLAGS.items() if getattr(request, name) and flag not in also]
    if request.verify is not None and "--verify" not in also:
        words += ["--verify", request.verify]
    if request.verify_timeout != VERIFY_LIMIT:
        words += ["--verify-timeout", _time(request.verify_timeout)]
    words += [] if request.message is None else ["-m", request.message]
    return shlex.join([*words, *also])


def _time(amount: object) -> str:
    """A time as an option has it: seconds, or as it was written."""
    return f"{amount:g}" if isinstance(amount, (int, float)) else str(amount)


def unreviewed_text(quest: Quest, name: str, mission: str) -> str:
    """Say why nobody has accepted some work, as a sentence without its end.

    Args:
        quest: The one that nobody has accepted: that whose work it is, or another one with commits in it.
        name: Of the mission whose work it is.
        mission: Its id.
    """
    others = "" if quest.id == mission else f"{name} has commits of {quest.name}. "
    return f"{others}{why_unreviewed(quest)}"


def unreviewed(
    quest: Quest,
    word: str,
    request: Merge,
    question: int | None,
    *,
    why: str,
    may_retry: bool,
    other: str | None = None,
) -> OvermindError:
    """Return the refusal of work that nobody has accepted.

    Args:
        quest: As for `unreviewed_text`.
        word: The name or id that commands about the work are given.
        request: The merge.
        question: The number of the one that asks whether its work lands; None: there is none.
        why: Of `unreviewed_text`.
        may_retry: A person may have the quest tried again.
        other: What commands about the quest are given, where it is another one.
    """
    name = shlex.quote(other or word)
    if quest.status is QuestStatus.REVIEW:
        asked = name if question is None else question
        ways = f"See it with: overmind changes {name}. Accept it with: overmind answer {asked} {ALLOW}"
    elif quest.status is QuestStatus.COMPLETED:
        ways = f"See what has not landed with: overmind changes {name}"
    elif may_retry:
        ways = f"Have it tried again with: overmind quest retry {name}"
    else:
        ways = f"See how it stands with: overmind quest why {name}"
    again = merge_command(word, request, "--unreviewed")
    message = f"{why}: nothing was changed."
    return OvermindError(
        "unreviewed",
        with_hint(message, f"{ways}, or, once all of it is committed, merge it all the same with: {again}"),
    )


class RefusedWork(NamedTuple):
    """Work that did not land."""

    name: str
    word: str
    """The name or id that commands about it are given."""
    quest: Quest | None
    """The quest that it was done for."""
    question: int | None
    """The number of the one that asks whether it lands; None: there is none."""
    may_retry: bool
    """A person may have the quest tried again."""


def explained(error: OvermindError, work: RefusedWork, request: Merge, *, is_person: bool) -> OvermindError:
    """Return why work did not land, with the command that merges it all the same.

    `is_person`: nothing inside a mission has asked, which may not pass by the checks of a quest.
    """
    if error.code == CONFLICT_LEFT:
        return _marked(error, work, request)
    if not is_person:
        return error
    if error.code == UNDOES_LANDED:
        return _undoing(error, work, request)
    if request.verify is None and error.code == VERIFY_FAILED:
        return _hinted(error, _ways(work, request))
    if request.verify is None and error.code == "dirty" and "folder" not in error.fields and work.quest is not None:
        said = check_at_merge(work.quest)  # what a person would meet next
        return _hinted(error, f"{said} {_ways(work, request)}") if said else error
    return error


def _undoing(error: OvermindError, work: RefusedWork, request: Merge) -> OvermindError:
    is_asked = work.quest is not None and work.quest.reason == UNDOES_LANDED and is_refused(work.quest)
    asked = shlex.quote(work.word) if work.question is None else work.question
    allow = f"Allow it with: overmind answer {asked} {ALLOW}, or merge" if is_asked else "Merge"
    return _hinted(error, f"{allow} it all the same with: {merge_command(work.word, request, '--undo-landed')}")


def _marked(error: OvermindError, work: RefusedWork, request: Merge) -> OvermindError:
    files: Any = error.fields["files"]
    message = marks_text(work.name, files, merge_command(work.word, request, "--with-marks"))
    return OvermindError(error.code, message, **error.fields)


def _ways(work: RefusedWork, request: Merge) -> str:
    """How work goes on that the check of its own quest refuses."""
    retry = f"Have it tried again with: overmind quest retry {shlex.quote(work.word)}, or merge"
    again = retry if work.may_retry else "Merge"
    return f"{again} it all the same with: {merge_command(work.word, request, '--verify', 'true')}"


def _hinted(error: OvermindError, way: str) -> OvermindError:
    return OvermindError(error.code, with_hint(error.message, way), **error.fields)

"""The other side of conflicts that work has met: merged work that leaves it out undoes what had landed.

Blocks: runs git.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from overmind_core.domain.engine_questions import UNDOES_LANDED
from overmind_core.domain.quests.resolution import FileSides, dropped_change, dropped_sentence
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.changes import merge_base
from overmind_core.git.file_texts import file_texts
from overmind_core.git.run import GitFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from overmind_core.domain.quests.quest import DroppedChange, MetConflict
    from overmind_core.landing.locations import WorkLocation

_log = logging.getLogger(__name__)


def check(place: WorkLocation, met: Sequence[MetConflict], before: str, after: str) -> None:
    """See that merged work keeps what had landed in the files in which it has met conflicts.

    Args:
        place: Of the work.
        met: The conflicts.
        before: The commit of the target.
        after: The commit that it would get.

    Raises:
        OvermindError: `undoes_landed` with `dropped`.
    """
    found: dict[str, DroppedChange] = {}
    for one in met:
        try:
            found |= {change.path: change for change in _dropped(place, one, before, after)}
        except GitFailed as error:  # its commits were cleaned away: nobody can tell
            _log.info("nobody can tell what %s keeps of %s: %s", place.name, one.landed, error)
    if found:
        dropped = list(found.values())
        raise OvermindError(
            UNDOES_LANDED,
            f"{dropped_sentence(dropped)} Nothing was changed.",
            dropped=[{"path": one.path, "text": one.text, "lines": list(one.lines)} for one in dropped],
        )


def _dropped(place: WorkLocation, met: MetConflict, before: str, after: str) -> Iterator[DroppedChange]:
    git, source = place.git, place.source
    since = merge_base(git, source, met.landed, met.own)
    commits = (since, met.landed, met.own, before, after)
    asked = [(commit, from_wire(file.path)) for file in met.files for commit in commits]
    texts = [None if text is None else to_wire(text) for text in file_texts(git, source, asked)]
    for number, file in enumerate(met.files):
        sides = FileSides(*texts[number * len(commits) : (number + 1) * len(commits)])
        change = dropped_change(file.path, file.whose, sides)
        if change is not None:
            yield change

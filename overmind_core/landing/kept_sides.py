"""The other side of conflicts that work has met: merged work that leaves it out undoes what had landed.

Blocks: runs git.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.engine_questions import UNDOES_LANDED
from overmind_core.domain.quests.resolution import (
    ConflictTexts,
    FileLoss,
    LandedTexts,
    dropped_change,
    dropped_sentence,
    file_loss,
    is_within,
    lost_again,
    together,
)
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.changes import merge_base
from overmind_core.git.file_texts import file_texts
from overmind_core.git.run import GitFailed
from overmind_core.landing.preview import known_landings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.domain.quests.quest import DroppedChange, MetConflict, UndoingLanding
    from overmind_core.landing.locations import WorkLocation
    from overmind_core.landing.store import LandingRow

_log = logging.getLogger(__name__)


class _Conflict(NamedTuple):
    """One that the work has met, as git knows it. Commits, and paths in wire form."""

    since: str
    """Where both sides went apart."""
    landed: str
    own: str
    paths: frozenset[str]


def check(
    place: WorkLocation,
    met: Sequence[MetConflict],
    before: str,
    after: str,
    *,
    allowed: UndoingLanding | None = None,
    denied: Sequence[UndoingLanding] = (),
    won: MetConflict | None = None,
    landings: Sequence[LandingRow] = (),
) -> None:
    """See that merged work keeps what had landed in the files in which it has met conflicts, and what is to stay.

    Args:
        place: Of the work.
        met: The conflicts, the oldest first.
        before: The commit of the target.
        after: The commit that it would get.
        allowed: What a person lets it undo.
        denied: Landings of earlier attempts that no person has allowed: what they would have undone stays, too.
        won: The conflict with the target in which the merge has taken the work's own side.
        landings: Those of the repository, the oldest first: they tell whose it is.

    Raises:
        OvermindError: `undoes_landed` with `dropped`, and with both commits.
    """
    known = [one for one in (_known(place, conflict) for conflict in met) if one is not None]
    taken = None if won is None else _known(place, won)
    known += [] if taken is None else [taken]
    kept = _losses_denied(place, known, denied)
    losses = _losses(place, known, before, after, own=frozenset() if taken is None else taken.paths)
    losses = _with_kept(place, losses, kept, before, after)
    if not losses or (allowed is not None and _are_within(losses, _losses_allowed(place, known, allowed, kept))):
        return
    dropped = _dropped(place, known, before, losses, landings)
    raise OvermindError(
        UNDOES_LANDED,
        f"{dropped_sentence(dropped)} Nothing was changed.",
        dropped=[{"path": one.path, "text": one.text, "lines": list(one.lines)} for one in dropped],
        before=before,
        after=after,
    )


def _known(place: WorkLocation, met: MetConflict) -> _Conflict | None:
    try:
        since = merge_base(place.git, place.source, met.landed, met.own)
    except GitFailed as error:  # its commits were cleaned away: nobody can tell
        _log.info("nobody can tell what %s keeps of %s: %s", place.name, met.landed, error)
        return None
    return _Conflict(since, met.landed, met.own, frozenset(one.path for one in met.files))


def _losses(
    place: WorkLocation, met: Sequence[_Conflict], before: str, after: str, *, own: frozenset[str] = frozenset()
) -> dict[str, FileLoss]:
    """What a landing would undo, by file; `own`: those in which the merge has taken the work's own side."""
    pairs = [(one, path) for one in met for path in sorted(one.paths)]
    paths = list(dict.fromkeys(path for _, path in pairs))
    texts = iter(
        _texts(
            place,
            [
                *((commit, path) for one, path in pairs for commit in (one.since, one.landed, one.own)),
                *((commit, path) for path in paths for commit in (before, after)),
            ],
        )
    )
    conflicts: dict[str, list[ConflictTexts]] = {}
    for _, path in pairs:
        conflicts.setdefault(path, []).append(ConflictTexts(next(texts), next(texts), next(texts)))
    found = {path: file_loss(conflicts[path], next(texts), next(texts), own_wins=path in own) for path in paths}
    return {path: loss for path, loss in found.items() if loss is not None}


def _losses_denied(
    place: WorkLocation, met: Sequence[_Conflict], denied: Sequence[UndoingLanding]
) -> dict[str, list[FileLoss | None]]:
    """What landings would have undone that nobody has allowed, by file; None: nobody can tell, of one of them."""
    kept: dict[str, list[FileLoss | None]] = {}
    for one in denied:
        found: dict[str, FileLoss] = {}
        try:
            merge_base(place.git, place.source, one.before, one.after)
            found = _losses(place, met, one.before, one.after, own=frozenset(one.paths))
        except GitFailed as error:  # cleaned away
            _log.info("nobody can tell what %s was not allowed to undo: %s", place.name, error)
        for path in one.paths:
            kept.setdefault(path, []).append(found.get(path))
    return kept


def _with_kept(
    place: WorkLocation,
    losses: dict[str, FileLoss],
    kept: dict[str, list[FileLoss | None]],
    before: str,
    after: str,
) -> dict[str, FileLoss]:
    """The losses of a landing with those of what is to stay."""
    texts = iter(_texts(place, [(commit, path) for path in kept for commit in (before, after)]))
    found = dict(losses)
    for path, several in kept.items():
        now, result = next(texts), next(texts)
        again = [loss for one in several if (loss := lost_again(one, now, result)) is not None]
        if again:
            found[path] = together([*([found[path]] if path in found else []), *again])
    return found


def _losses_allowed(
    place: WorkLocation,
    met: Sequence[_Conflict],
    allowed: UndoingLanding,
    kept: dict[str, list[FileLoss | None]],
) -> dict[str, FileLoss]:
    try:
        merge_base(place.git, place.source, allowed.before, allowed.after)
    except GitFailed as error:  # cleaned away: nobody can tell what it was
        _log.info("nobody can tell what %s was allowed to undo: %s", place.name, error)
        return {}
    losses = _losses(place, met, allowed.before, allowed.after)
    return _with_kept(place, losses, kept, allowed.before, allowed.after)


def _are_within(losses: dict[str, FileLoss], allowed: dict[str, FileLoss]) -> bool:
    return all(path in allowed and is_within(loss, allowed[path]) for path, loss in losses.items())


def _dropped(
    place: WorkLocation,
    met: Sequence[_Conflict],
    before: str,
    losses: dict[str, FileLoss],
    landings: Sequence[LandingRow],
) -> list[DroppedChange]:
    """The same for people: with the names of those whose it is."""
    began = {path: next((one.since for one in met if path in one.paths), before) for path in losses}
    others = {
        since: [one for one in known_landings(place, since, before, landings) if one.mission != place.mission]
        for since in dict.fromkeys(began.values())
    }
    found = []
    for path, loss in losses.items():
        rows = others[began[path]]
        asked = [(began[path], path), (before, path)]
        asked += [(commit, path) for row in rows for commit in (row.before, row.after)]
        base, now, *around = _texts(place, asked)
        theirs = [LandedTexts(row.name, *around[2 * at : 2 * at + 2]) for at, row in enumerate(rows)]
        found.append(dropped_change(path, loss, now, base, theirs))
    return found


def _texts(place: WorkLocation, asked: Iterable[tuple[str, str]]) -> list[str | None]:
    files = [(commit, from_wire(path)) for commit, path in asked]
    return [None if text is None else to_wire(text) for text in file_texts(place.git, place.source, files)]

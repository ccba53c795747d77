"""The answers to questions about notes, as one caller sees them. On a reader thread."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from overmind_core.domain.memory.notes import NoteState, Scope, ScopeKind
from overmind_core.errors import OvermindError
from overmind_core.memory import validate
from overmind_core.memory.answers import note_info, version_info
from overmind_core.memory.copies import MOST_USES
from overmind_core.memory.lookup import find_note
from overmind_core.memory.recall import Finding, is_about, recall
from overmind_core.memory.tables import Chosen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.memory import answer_types as answers
    from overmind_core.memory import requests
    from overmind_core.memory.meaning import ByMeaning
    from overmind_core.memory.opened import Reading
    from overmind_core.memory.sight import Sight


def found(
    reading: Reading, sight: Sight, asked: Sequence[str], request: requests.Recall | requests.Search, meant: ByMeaning
) -> list[answers.FoundNote]:
    """Return the notes that answer these questions, the best first; `meant`: those that the model has found."""
    files = sight.files()
    finding = Finding(
        asked,
        _chosen(reading, sight, request),
        limit=validate.limit(request.limit),
        file=request.file,
        is_stale=lambda one: sight.is_stale(one, files),
    )
    return [
        {
            "note": note_info(one.stored, stale=one.stale),
            "score": one.score,
            "why": list(one.why),
            "corrected": dict(one.corrected),
        }
        for one in recall(reading, finding, meaning=[[note for note, _ in one] for one in meant.found])
    ]


def with_text(reading: Reading, sight: Sight, text: str, request: requests.Search) -> list[answers.FoundNote]:
    """Return the notes that hold exactly this text."""
    files = sight.files()
    stored = reading.notes.literally(text, _chosen(reading, sight, request), validate.MOST_AT_ONCE)
    named = [one for one in stored if is_about(one, request.file)][: validate.limit(request.limit)]
    infos = [note_info(one, stale=sight.is_stale(one, files)) for one in named]
    return [{"note": info, "score": 1.0, "why": ["words"], "corrected": {}} for info in infos]


def _chosen(reading: Reading, sight: Sight, request: requests.Recall | requests.Search) -> Chosen:
    kind = None if request.kind is None else validate.kind(request.kind)
    return Chosen(scopes=reading.scopes.rows_of(sight.chosen(request.scope)), kind=kind, tag=request.tag)


def note_list(reading: Reading, sight: Sight, request: requests.Notes) -> answers.NoteList:
    """Return notes, the newest first, and how many proposals there are.

    Raises:
        OvermindError: `invalid`, an export of no repository, or no such kind, scope or limit.
    """
    if request.export and sight.place is None:
        raise OvermindError("invalid", "Which repository? Say its folder.")
    limit = validate.limit(request.limit)
    scopes = (sight.scope(ScopeKind.REPO),) if request.export else sight.chosen(request.scope)
    rows = reading.scopes.rows_of(scopes)
    of_mission = None
    if request.mission is not None:
        its = (*reading.notes.written_by(request.mission), *reading.given.to(request.mission))
        of_mission = tuple(dict.fromkeys(its))
    in_all_scopes = sight.writer.is_person and (of_mission is not None or (request.all and request.scope is None))
    chosen = Chosen(
        scopes=None if in_all_scopes else rows,
        states=_states(request),
        kind=None if request.kind is None else validate.kind(request.kind),
        tag=request.tag,
        conflicts=request.conflicts,
        resting=request.resting,
        with_files=request.stale,
        ids=of_mission,
    )
    files = sight.files()
    if request.export:
        every = reading.notes.behind(request.after, chosen, limit)
    else:
        every = reading.notes.choose(chosen, -1 if request.stale else limit)
    notes = []
    for one in every:
        stale = sight.is_stale(one, files)
        if stale or not request.stale:
            notes.append(note_info(one, stale=stale))
    proposed = reading.notes.count(Chosen(scopes=rows, states=(NoteState.PROPOSED,)))
    return {"notes": notes[:limit], "proposed": proposed}


def _states(request: requests.Notes) -> tuple[NoteState, ...]:
    if request.export:
        return (NoteState.LIVE,)
    if request.proposed:
        return (NoteState.PROPOSED,)
    is_counted = request.conflicts or request.resting  # as `count` has them: a forgotten note asks nothing of anybody
    shown = (NoteState.PROPOSED, NoteState.LIVE)
    return (*shown, NoteState.FORGOTTEN, NoteState.REPLACED) if request.all and not is_counted else shown


def note_named(reading: Reading, sight: Sight, request: requests.Note) -> answers.NoteInfo:
    """Return everything known of one note.

    Raises:
        OvermindError: `not_found`, `ambiguous`.
    """
    stored = find_note(reading.notes, reading.scopes, request.note, sight.reach, with_gone=True)
    info = note_info(stored, stale=sight.is_stale(stored, sight.files()))
    if request.history:
        newest = sorted(reading.versions.of(stored.note.id), key=lambda one: (-one.number, one.id))
        info["history"] = [version_info(one) for one in newest]
        info["used_by"] = reading.given.uses(stored.note.id, MOST_USES)
    return info


def note_with_id(reading: Reading, sight: Sight, note: str) -> answers.NoteInfo:
    """Return a note that was there a moment ago.

    Raises:
        OvermindError: `gone`.
    """
    stored = reading.notes.get(note)
    if stored is None:
        raise OvermindError("gone", f"{note} was removed meanwhile.")
    return note_info(stored, stale=sight.is_stale(stored, sight.files()))


def count(reading: Reading, sight: Sight, state: answers.MemoryState) -> None:
    """Count into `state`: the notes that a mission sees (for a person all), those of the repository, and the bytes."""
    notes = reading.notes
    scopes = None if sight.writer.is_person else reading.scopes.rows_of(sight.scopes)
    state["live"] = notes.count(Chosen(scopes=scopes, states=(NoteState.LIVE,)))
    state["proposed"] = notes.count(Chosen(scopes=scopes, states=(NoteState.PROPOSED,)))
    state["resting"] = notes.count(Chosen(scopes=scopes, resting=True))
    state["conflicts"] = notes.count(Chosen(scopes=scopes, conflicts=True))
    if sight.place is not None:
        here = reading.scopes.rows_of([Scope(ScopeKind.REPO, sight.place.repository)])
        state["repository"] = sight.place.repository
        state["here"] = notes.count(Chosen(scopes=here, states=(NoteState.LIVE,)))
    paths = (reading.path, f"{reading.path}-wal", f"{reading.path}-shm")
    state["bytes"] = sum(os.path.getsize(path) for path in paths if os.path.exists(path))

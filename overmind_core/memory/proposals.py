"""Proposals of Overmind's own: how many a run may still leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.memory.episodes import MOST_PROPOSED
from overmind_core.domain.memory.notes import NoteKind, NoteState, Origin
from overmind_core.memory.tables import Chosen

if TYPE_CHECKING:
    from overmind_core.memory.store import NoteStore

_LOOKED_AT = 100
"""Lessons of a mission, the newest: more are not of one run."""


def room(store: NoteStore, mission: str, began_at: float) -> int:
    """Return how many lessons may still be proposed from the run of a mission that began then."""
    chosen = Chosen(states=tuple(NoteState), kind=NoteKind.LESSON, mission=mission)
    found = [one.note for one in store.notes.choose(chosen, _LOOKED_AT)]
    of_run = sum(note.origin is Origin.OVERMIND and note.created_at >= began_at for note in found)
    return max(0, MOST_PROPOSED - of_run)

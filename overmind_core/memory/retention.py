"""Retention: what is removed from memory by age, or with the mission that it belongs to. On the thread that writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.memory.notes import ScopeKind
from overmind_core.memory.episode_table import EpisodeTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.memory.opened import Writing

RECENT = 3600.0
"""Seconds within which the mission of what was given may not be registered yet."""


def remove_old(writing: Writing, keep: float) -> None:
    """Delete episodes older than `keep` seconds, and Overmind's own proposals that are too old or too many."""
    with writing.database.transaction():
        EpisodeTable(writing.database).remove_before(writing.at - keep)
        for scope in writing.store.scopes.all(ScopeKind.REPO):
            writing.store.limit_proposals(scope.where)


def owners(writing: Writing) -> tuple[list[str], list[str]]:
    """Return the root missions that notes belong to, and the missions that were given some, not lately."""
    roots = [scope.where for scope in writing.store.scopes.all(ScopeKind.MISSION)]
    return roots, writing.store.given.missions(writing.at - RECENT)


def remove_orphans(writing: Writing, roots: Sequence[str], missions: Sequence[str]) -> None:
    """Delete the notes of these trees, and what these missions were given: memory was off when their records went."""
    if roots or missions:
        writing.store.remove_mission(roots, missions)

"""From a mission upwards: itself, its parent, and so on to the root of its tree. Commits nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.supervisor.book import mission_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from overmind_core.domain.mission import Mission
    from overmind_core.supervisor.book import Book


def line(book: Book, mission_id: str | None) -> Iterator[Mission]:
    """The mission and all above it, live or finished; it ends where one was removed."""
    seen: set[str] = set()
    while mission_id is not None and mission_id not in seen:
        seen.add(mission_id)
        mission = _found(book, mission_id)
        if mission is None:
            return
        yield mission
        mission_id = mission.definition.parent


def descends(mission: Mission, ancestor: str, book: Book) -> bool:
    """Whether `ancestor` is above the mission."""
    parent = mission.definition.parent
    return parent == ancestor or any(ancestor in {one.id, one.definition.parent} for one in line(book, parent))


def _found(book: Book, mission_id: str) -> Mission | None:
    known = book.known(mission_id)
    if known is not None:
        return known
    row = book.state.missions.get(mission_id)  # what is neither live nor about to be saved is saved
    return None if row is None else mission_of(row)

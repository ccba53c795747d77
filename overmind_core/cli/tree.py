"""Missions as a tree: children under their parents, with drawn branches."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]

FORK = "├─ "
LAST = "└─ "
PASSING = "│  "
EMPTY = "   "


def branches(rows: Sequence[Row]) -> list[tuple[str, Row]]:
    """Return each row once, with the branch to draw before its name.

    A row whose parent is not among `rows` is a root. The order among siblings stays. Rows that are their own
    ancestors, which nothing can make, still appear.
    """
    children: dict[str | None, list[Row]] = {}
    known = {row["id"] for row in rows}
    for row in rows:
        children.setdefault(row["parent"] if row["parent"] in known else None, []).append(row)
    drawn: dict[str, tuple[str, Row]] = {}
    for root in (*children.get(None, ()), *rows):
        for prefix, row in _descend(root, children, drawn):
            drawn[row["id"]] = (prefix, row)
    return list(drawn.values())


def _descend(
    root: Row, children: Mapping[str | None, Sequence[Row]], drawn: Mapping[str, object]
) -> Iterator[tuple[str, Row]]:
    """Walk depth first, without recursion: a chain may be a thousand deep."""
    waiting = [("", "", root)]
    while waiting:
        prefix, below, row = waiting.pop()
        if row["id"] in drawn:
            continue
        yield prefix, row
        brood = children.get(row["id"], ())
        for place, child in enumerate(reversed(brood)):
            ends = place == 0
            waiting.append((below + (LAST if ends else FORK), below + (EMPTY if ends else PASSING), child))

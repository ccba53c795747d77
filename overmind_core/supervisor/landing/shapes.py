"""Files, commits and changes as the API shows them. Texts of the system become those of the wire. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.wire.bytestrings import to_wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.git.changes import ChangedFile, Changes
    from overmind_core.supervisor.landing.places import Place

MOST = 12 * 1024 * 1024
"""Bytes of a diff as JSON: what is escaped in it may take six times its size."""


def commits(found: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Hashes and subjects."""
    return [{"hash": number, "subject": to_wire(subject)} for number, subject in found]


def files(found: Iterable[ChangedFile]) -> list[dict[str, Any]]:
    """Files with what became of them."""
    return [
        {
            "path": to_wire(one.path),
            "old_path": None if one.old_path is None else to_wire(one.old_path),
            "status": one.status,
            "added": one.added,
            "removed": one.removed,
            "binary": one.binary,
        }
        for one in found
    ]


def changes(place: Place, found: Changes) -> dict[str, Any]:
    """All that is in a worktree."""
    diff, cut = to_wire(found.diff), to_wire(found.cut)
    while len(msgspec.json.encode(diff)) > MOST:
        diff = diff[: diff.rfind("\n", 0, len(diff) // 2) + 1]
        cut = f"There is more than is shown here. See all with: git -C {to_wire(found.top)} diff {found.since[:12]}"
    return {
        "mission": place.mission,
        "name": place.name,
        "path": to_wire(found.top),
        "branch": None if found.branch is None else to_wire(found.branch),
        "base": "HEAD" if place.base is None else to_wire(place.base),
        "merge_base": found.since,
        "commits": commits(found.commits),
        "files": files(found.files),
        "diff": diff,
        "cut": cut,
    }

"""What was removed of a mission's own, as one line."""

from __future__ import annotations

from overmind_core.domain.cells import display_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def line(gone: Mapping[str, Any]) -> str:
    """Return the mission's name, and what it had."""
    parts = ["worktree"] if gone["worktree"] else []
    parts += [f"branch {gone['branch']}"] if gone["branch"] else []
    for key, what in (("containers", "container"), ("volumes", "volume")):
        if number := len(gone[key]):
            parts.append(f"{number} {what}{'' if number == 1 else 's'}")
    return display_safe(f"{gone['name']}: {', '.join(parts) or 'nothing was left of its own'}")

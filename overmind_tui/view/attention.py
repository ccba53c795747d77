"""Who wants to be looked at: who waits, who failed, and who has answered without anybody having seen it."""

from __future__ import annotations

from overmind_core.domain.marks import CRASHED, LIMITED, WAITING, YOUR_TURN
from overmind_tui.view import missions
from overmind_tui.view.cells import Row


def wanted(row: Row) -> bool:
    """Whether it needs attention: it waits, crashed, is limited for good, or its answer is unseen."""
    found = missions.mark(row)
    if found is LIMITED:
        return row.get("resume_at") is None and not row.get("attempt")
    return found in {WAITING, CRASHED} or (found is YOUR_TURN and bool(row.get("unseen")))

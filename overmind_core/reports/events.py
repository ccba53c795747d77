"""What the log has of reports."""

from __future__ import annotations

from overmind_core.domain.events import MissionAct


class ReportMade(MissionAct, frozen=True, kw_only=True, tag="report"):
    """A mission, or a person, has reported something."""

    report: int
    """Its number; 0: it was not kept."""
    kind: str
    quest: str | None
    """The id of the quest that it became."""
    question: int | None
    """The number of the question that it asks."""
    count: int
    """How often it was reported."""
    why: str | None
    """The reason why it was not queued."""

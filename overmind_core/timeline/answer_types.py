"""The type of the answer about what happened. Only annotations name it."""

from __future__ import annotations

from typing import TypedDict


class TimelineRow(TypedDict):
    """One thing that happened."""

    at: str | None
    """The time; null for the rows `earlier` and `also`."""
    seq: int
    """The number of its event in the log; of the row `earlier` that of the row after it, of `also` 0."""
    attempt: int | None
    """The attempt of a quest, else the run of a mission; null before the first, and for a spec as a whole."""
    what: str
    """The state of a quest (`queued`, `working`, `checking`, `reviewing`, `landing`, `review`, `completed`, `failed`,
    `cancelled`), else `spec`, `phase`, `report`, `health`, `steer`, `overlap`, `note`, `asked`, `answered`,
    `withdrawn`, `landed`, `cost_warning`, `created`, `started`, `spawn_failed`, `set_up_failed`, `paused`, `thawed`,
    `stopping`, `exited`, `keeper_lost`, `restarting`, `stopped`, `crashed` or `killed`; `earlier`: earlier ones are not
    shown, or no longer kept; `also`: others have the same name."""
    by: str | None
    """`person`, `engine`, a mission's id or the rule that answered; null where the event does not say."""
    text: str
    """One line for people. In the timeline of a spec it begins with the name of the quest."""
    mission: str | None
    """The id of the quest, mission or spec that it is about; null for the rows `earlier` and `also`."""

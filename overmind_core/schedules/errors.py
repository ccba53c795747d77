"""What can be wrong with a schedule, named by the field that is."""

from __future__ import annotations


class InvalidSchedule(ValueError):
    """A text that is no schedule.

    Attributes:
        field: The part that is wrong, such as `hour`; `schedule` for the whole.
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


class UnknownZone(ValueError):
    """A name that no time zone of this machine has."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no time zone {name[:80]!r} on this machine. Write a name such as Europe/Berlin or UTC"
        )
        self.name = name

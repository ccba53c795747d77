"""The types of answers about what was learned. Only annotations name them."""

from __future__ import annotations

from typing import Literal, TypedDict

LessonStateWord = Literal["proposed", "accepted", "dropped"]


class QuestGroup(TypedDict):
    """How the quests of one group went. Figures are null where fewer than three tell."""

    key: str
    """The type, provider, model or spec; empty for quests without one."""
    quests: int
    attempts: int
    rate: float | None
    """The share of the quests that passed, 0 to 1."""
    tries: float | None
    """Attempts of a quest, on average."""
    cost_usd: float | None
    """Of a quest, the median of those whose cost is known."""
    cost_unknown: int
    """Quests whose cost is not known."""
    seconds: float | None
    """Of a quest, all its attempts together: the median."""
    failures: dict[str, int]
    """Class → attempts that failed with it, the most frequent first."""


class LessonInfo(TypedDict):
    """What a failed attempt lacked that the next one had."""

    id: str
    """`L-7`."""
    state: LessonStateWord
    repository: str
    """The common folder of git."""
    failure: str
    """The class of the attempt that failed."""
    feedback: str
    """The first lines of what failed."""
    files: list[str]
    """The files that the attempt which passed has changed."""
    quest: str
    """The name of the quest."""
    at: str
    """The time at which it was proposed."""
    helped: int
    """Attempts that were shown it, and passed."""
    hurt: int
    """Attempts that were shown it, and failed."""
    rests: bool
    """It is accepted, and not shown any more: too many attempts failed with it."""


class Learned(TypedDict):
    """What was learned."""

    by: str
    groups: list[QuestGroup]
    """The largest first."""
    lessons: list[LessonInfo] | None
    """Oldest first; null unless they were asked for."""


class LessonSet(TypedDict):
    """A lesson after a person has decided on it."""

    id: str
    state: LessonStateWord

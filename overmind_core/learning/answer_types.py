"""The types of answers about how quests went. Only annotations name them."""

from __future__ import annotations

from typing import Literal, TypedDict


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
    cost_source: Literal["reported", "estimated"] | None
    """Where these costs are from: the programs, or in part the prices in config.toml; null if there is none."""
    cost_unknown: int
    """Quests whose cost is not known."""
    seconds: float | None
    """Of a quest, all its attempts together: the median."""
    failures: dict[str, int]
    """Class → attempts that failed with it, the most frequent first."""


class Learned(TypedDict):
    """How quests went."""

    by: str
    groups: list[QuestGroup]
    """The largest first."""

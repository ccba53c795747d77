"""`learn`: how quests went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.agents.spending import source_of
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import Args, handles

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.watching.learning import Rate
    from overmind_core.kernel.request import Caller
    from overmind_core.learning.answer_types import Learned, QuestGroup
    from overmind_core.learning.service import Learning


class Learn(Args, frozen=True):
    """Rates of success, attempts, cost and time of quests."""

    by: str = "type"
    """`type`, `provider`, `model` or `spec`."""


class LearnApi:
    """The request about how quests went."""

    def __init__(self, learning: Callable[[], Learning]) -> None:
        self._learning = learning

    @handles(Learn)
    async def learn(self, request: Learn, caller: Caller) -> Learned:
        """How quests went, by group."""
        from overmind_core.domain.watching.learning import GROUPS  # noqa: PLC0415 - for those who have quests

        del caller
        if request.by not in GROUPS:
            raise OvermindError("invalid", f"Unknown group {request.by!r}. Known: {', '.join(GROUPS)}.")
        return {"by": request.by, "groups": [_group(one) for one in self._learning().rates(request.by)]}


def _group(rate: Rate) -> QuestGroup:
    return {
        "key": rate.key,
        "quests": rate.quests,
        "attempts": rate.attempts,
        "rate": _rounded(rate.rate),
        "tries": _rounded(rate.tries),
        "cost_usd": rate.cost_usd,
        "cost_source": source_of(rate.cost_usd, is_estimated=rate.is_estimated),
        "cost_unknown": rate.cost_unknown,
        "seconds": _rounded(rate.seconds),
        "failures": dict(rate.failures),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

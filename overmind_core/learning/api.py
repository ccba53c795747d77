"""`learn` and `learn_set`: how quests went, and the lessons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import Args, handles

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.domain.watching.learning import Lesson, Rate
    from overmind_core.kernel.request import Caller
    from overmind_core.learning.answer_types import Learned, LessonInfo, LessonSet, QuestGroup
    from overmind_core.learning.service import Learning


class Learn(Args, frozen=True):
    """Rates of success, attempts, cost and time of quests; with `lessons` the lessons as well."""

    by: str = "type"
    """`type`, `provider`, `model` or `spec`."""
    lessons: bool = False


class LearnSet(Args, frozen=True):
    """Accept or drop a lesson."""

    lesson: str
    """`L-7`, or its number."""
    state: str
    """`accepted` or `dropped`."""


class LearnApi:
    """The requests about what was learned."""

    def __init__(self, learning: Callable[[], Learning]) -> None:
        self._learning = learning

    @handles(Learn)
    async def learn(self, request: Learn, caller: Caller) -> Learned:
        """How quests went, by group; with `lessons` what they have taught."""
        from overmind_core.domain.watching.learning import GROUPS  # noqa: PLC0415 - for those who have quests

        del caller
        if request.by not in GROUPS:
            raise OvermindError("invalid", f"Unknown group {request.by!r}. Known: {', '.join(GROUPS)}.")
        lessons = [_info(one) for one in self._learning().lessons()] if request.lessons else None
        return {"by": request.by, "groups": [_group(one) for one in self._learning().rates(request.by)],
                "lessons": lessons}  # fmt: skip

    @handles(LearnSet)
    async def learn_set(self, request: LearnSet, caller: Caller) -> LessonSet:
        """Accept a lesson, or drop it."""
        from overmind_core.domain.watching.learning import LessonState  # noqa: PLC0415 - for those who have quests

        del caller
        decided = (LessonState.ACCEPTED, LessonState.DROPPED)
        if request.state not in decided:
            raise OvermindError("invalid", f"Unknown state {request.state!r}. Known: {', '.join(decided)}.")
        lesson = await self._learning().decide(request.lesson, LessonState(request.state))
        return {"id": lesson.id, "state": lesson.state.value}


def _group(rate: Rate) -> QuestGroup:
    return {
        "key": rate.key,
        "quests": rate.quests,
        "attempts": rate.attempts,
        "rate": _rounded(rate.rate),
        "tries": _rounded(rate.tries),
        "cost_usd": rate.cost_usd,
        "cost_unknown": rate.cost_unknown,
        "seconds": _rounded(rate.seconds),
        "failures": dict(rate.failures),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _info(lesson: Lesson) -> LessonInfo:
    return {
        "id": lesson.id,
        "state": lesson.state.value,
        "repository": lesson.repository,
        "failure": lesson.failure,
        "feedback": lesson.feedback,
        "files": list(lesson.files),
        "quest": lesson.quest,
        "at": format_time(lesson.at),
        "helped": lesson.helped,
        "hurt": lesson.hurt,
        "rests": lesson.rests and lesson.state.value == "accepted",
    }

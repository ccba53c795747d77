"""How long what cleans up has, once a plan is being ended."""

from __future__ import annotations

from overmind_core.domain.missions.mission import Cause, Ending
from overmind_core.domain.plans.progress import PlanEnding
from overmind_core.plans.plan_run import CLEAN_UP_SECONDS, plan_ending
from tests.kit.cases import tabled

ENDINGS = [
    # cause, seconds after the grace, how it ends
    (Cause.STOP, -10.0, PlanEnding.ORDERLY),
    (Cause.TIMEOUT, 0.0, PlanEnding.ORDERLY),
    (Cause.RESTART, 0.0, PlanEnding.ORDERLY),
    (Cause.LIMIT, CLEAN_UP_SECONDS - 1, PlanEnding.ORDERLY),
    (Cause.STOP, CLEAN_UP_SECONDS + 1, PlanEnding.AT_ONCE),
    (Cause.KILL, -10.0, PlanEnding.AT_ONCE),
    (Cause.FENCED, -10.0, PlanEnding.AT_ONCE),
]


@tabled(("cause", "after", "expected"), ENDINGS)
def test_what_cleans_up_has_a_limit_and_none_after_a_kill_or_a_fence(cause, after, expected):
    ending, left = plan_ending(Ending(cause, 1000.0), 1000.0 + after)
    assert ending is expected
    assert left == (CLEAN_UP_SECONDS - after if expected is PlanEnding.ORDERLY else 0.0)

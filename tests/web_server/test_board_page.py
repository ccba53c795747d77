"""Cards of the browser's board: from which moments their times and their bars count."""

from __future__ import annotations

import pytest

from overmind_core.domain.text.moment import parse_time
from overmind_core.view import quests
from overmind_web.pages.board import card
from tests.core.cli.quest_rows import row

ADDED, BEGAN, AGAIN = ("2026-11-20T12:00:00Z", "2026-11-20T12:05:00Z", "2026-11-20T12:09:00Z")


@pytest.mark.parametrize(("phase", "attempt"), [("work", AGAIN), ("check", BEGAN)])
def test_a_card_counts_since_the_first_attempt_and_its_bar_since_the_one_under_way(phase, attempt):
    """What its like took is the time of one attempt; its time in the queue is in neither."""
    one = row("docs", status="running", phase=phase, started_at=ADDED, began_at=BEGAN, attempts=2)
    quests.learn([one], {one["id"]: {"started_at": BEGAN, "run_started_at": AGAIN}}, [])
    made = card(one, by="", question=None, there=True)
    assert (made["since"], made["attempt"]) == (parse_time(BEGAN, 0.0), parse_time(attempt, 0.0))


def test_a_card_of_a_quest_that_waits_has_no_time():
    waits = row("docs", started_at=ADDED)
    quests.learn([waits], {}, [])
    assert not {"since", "attempt"} & set(card(waits, by="", question=None, there=False))

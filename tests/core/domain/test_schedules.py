"""Rituals' values, as people read them."""

from __future__ import annotations

import pytest

from overmind_core.cli.schedules import reason_cell
from overmind_core.domain.schedules import MOST_MISSED


@pytest.mark.parametrize(
    ("missed", "shown"), [(0, "-"), (3, "3 missed before"), (MOST_MISSED, f"{MOST_MISSED}+ missed before")]
)
def test_missed_times_that_were_not_counted_are_told_as_more(missed, shown):
    assert reason_cell({"status": "completed", "reason": None, "missed": missed}) == shown


RUN = {"status": "failed", "exit_code": 124, "reason": "timeout", "text": None, "missed": 0}


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({}, "it took too long"),
        ({"text": "it took longer than 1 hour"}, "it took longer than 1 hour"),
        ({"exit_code": 1, "reason": None, "text": "an agent of it failed"}, "an agent of it failed"),
        ({"exit_code": None, "reason": "cwd_not_found", "text": "No /x. See: y"}, "its folder does not exist"),
    ],
)
def test_why_a_run_failed_is_told_with_its_limit(facts, shown):
    assert reason_cell({**RUN, **facts}) == shown

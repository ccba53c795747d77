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

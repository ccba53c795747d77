"""A time budget: work that would take too long is ended, and nothing else is."""

from __future__ import annotations

import gc
import itertools
import re

import pytest

from overmind_core.system import time_budget

FOREVER = re.compile(r"(a|aa)+$")


def test_work_within_its_budget_is_done():
    assert time_budget.within(60, lambda: 42) == 42


def test_a_search_that_takes_for_ever_is_ended():
    with pytest.raises(time_budget.BudgetExceeded):
        time_budget.within(0.05, lambda: FOREVER.search("a" * 80 + "b"))
    assert time_budget.within(60, lambda: 42) == 42


@pytest.mark.parametrize("collects", [True, False])
def test_no_garbage_is_collected_within_a_budget(collects):
    """What ends the work is an exception, and in what a collection calls back it would be lost."""
    collections: list[str] = []

    def note(phase, _info):
        collections.append(phase)

    was = gc.isenabled()
    gc.callbacks.append(note)
    try:
        (gc.enable if collects else gc.disable)()
        with pytest.raises(time_budget.BudgetExceeded):
            time_budget.within(0.05, lambda: [[number] for number in itertools.count()])
        during, collections[:] = [*collections], []
        assert gc.isenabled() is collects
    finally:
        (gc.enable if was else gc.disable)()
        gc.callbacks.remove(note)
    assert not during

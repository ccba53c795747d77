"""How long the program waits from one question to the next: an answer that was late once is no reason to wait long."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_tui.pages.table import LONGEST_PAUSE as LONGEST_OF_A_PAGE
from overmind_tui.pages.table import TableSource
from overmind_tui.shell.missions_stream import LONGEST_PAUSE, pause_after


@pytest.mark.parametrize(("took", "pause"), [(0.0, 0.0), (0.07, 2.0), (29.0, LONGEST_PAUSE), (1e9, LONGEST_PAUSE)])
def test_the_load_is_asked_for_again_within_a_minute_also_after_a_daemon_that_stood_still(took, pause):
    assert pause_after(took) == pytest.approx(pause)


@pytest.mark.parametrize(("took", "pause"), [(0.0, 0.0), (0.2, 1.0), (10.0, LONGEST_OF_A_PAGE)])
def test_a_page_asks_again_soon_after_an_answer_that_was_late(took, pause):
    source: Any = TableSource.__new__(TableSource)
    source._took = took
    assert source._pause == pytest.approx(pause)

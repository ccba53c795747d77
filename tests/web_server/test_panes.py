"""What of a row is sent: all of it, or the cells that changed."""

from __future__ import annotations

from overmind_web.live.pane import changed_cells
from tests.kit.web_tab import with_cells


def row(*cells, name="worker", **facts):
    return ("", "working", name, 0, list(cells), facts)


def test_cells_that_changed_are_told_from_those_that_did_not_and_gone_ones_have_no_text():
    before = row(("state", "working", "good"), ("for", "", "", 5.0), ("now", "tick 1", ""), ("cpu", "3%", ""))
    after = row(("state", "working", "good"), ("for", "", "", 9.0), ("now", "tick 2", ""), ("output", "1 kB/s", ""))
    changed = changed_cells(before, after)
    assert changed == [("for", "", "", 9.0), ("now", "tick 2", ""), ("output", "1 kB/s", ""), ("cpu", "", "")]
    told = with_cells(list(before), [list(cell) for cell in changed])
    assert {cell[0]: tuple(cell) for cell in told[4]} == {cell[0]: cell for cell in after[4]}


def test_a_row_of_which_more_changed_is_sent_whole():
    before = row(("now", "a", ""), type="agent")
    assert changed_cells(before, row(("now", "b", ""), type="agent", dimmed=True)) == []
    assert changed_cells(before, row(("now", "b", ""), name="other", type="agent")) == []
    assert changed_cells(None, before) == []
    assert changed_cells(before, None) == []
    assert changed_cells({"no": "row"}, {"a": "row"}) == []

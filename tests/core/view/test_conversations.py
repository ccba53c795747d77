"""Rows of the conversations that programs keep."""

from __future__ import annotations

from overmind_core.view.conversations import conversations
from tests.kit.cases import tabled

SHOWN = [
    ((), ()),
    (("2c1d9e40-aaaa-bbbb", "2c2d9e40-aaaa"), ("2c1d9e40", "2c2d9e40")),
    (("ses_dd12d6d1cffeZ", "ses_dd12d6913ffeN"), ("ses_dd12d6d", "ses_dd12d69")),
    (("a", "ab"), ("a", "ab")),
    (("x" * 900, "x" * 901), ("x" * 20, "x" * 20)),
]


@tabled(("sessions", "shown"), SHOWN)
def test_an_id_is_shown_as_far_as_it_differs_from_the_others(sessions, shown):
    rows = conversations([{"provider": "opencode", "session": one, "title": ""} for one in sessions])
    assert tuple(row["beginning"] for row in rows) == shown

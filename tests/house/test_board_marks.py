"""The page on the queue explains each mark that a card of the board can have."""

from __future__ import annotations

import re
from itertools import product

from overmind_core.domain.missions.outcome import outcome_of_state
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.view import missions as missions_rows
from tests.house.test_docs import read


def marks_of_cards():
    """The mark and the ASCII sign of each card of a quest that there can be."""
    for status, code, asked, why, reason in product(
        QuestStatus, (None, "blocked"), (False, True), ("", "README.md is not committed"), (None, "timeout")
    ):
        row = {
            "id": "a1b2c3d4", "status": status.value, "code": code, "why": why, "into": "main", "landed": None,
            "outcome": outcome_of_state(status.value, reason), "reason": reason, "phase": "work",
            "activity": "waiting" if asked and status is QuestStatus.RUNNING else None,
        }  # fmt: skip
        found = missions_rows.mark(row)
        yield found.mark, found.ascii


def test_the_page_on_the_queue_has_each_mark_of_a_card():
    table = read("docs/queue.md").partition("| mark | ASCII | |\n|---|---|---|\n")[2].partition("\n\n")[0]
    rows = [[re.findall("`(.)`", cell) for cell in line.split("|")[1:3]] for line in table.splitlines()]
    explained = {pair for signs, plain in rows for pair in zip(signs, plain, strict=True)}
    assert explained == set(marks_of_cards())

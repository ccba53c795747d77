"""The sums that the store of quests makes by itself."""

from __future__ import annotations

import json

import pytest

from overmind_core.kernel.database import Database
from overmind_core.quests.store import QuestRow, QuestTable

SPEC = "0" * 8
TRIES = [
    # the newest attempts of its quests, and what the spec has cost: dollars, of unknown cost, estimated
    ([{"cost_usd": 0.5, "ended_at": 1.0}], (0.5, 0, 0)),
    ([{"cost_usd": 0.5, "is_estimated": True}, {"cost_usd": 0.25, "is_estimated": False}], (0.75, 0, 1)),
    ([{"cost_usd": None, "ended_at": 1.0, "is_estimated": False}], (None, 1, 0)),
]


@pytest.mark.parametrize(("tries", "sums"), TRIES)
def test_the_cost_of_a_spec_says_how_much_of_it_is_known_for_certain(tmp_path, tries, sums):
    database = Database.open(str(tmp_path / "state.db"))
    with database.transaction():
        for number, attempt in enumerate(tries):
            record = json.dumps({"provider": "codex", "queue": {"tries": [attempt]}})
            row = QuestRow(f"{number:08x}", f"q{number}", live=True, status="x", created_at=0.0, ended_at=None,
                           record=record, spec=SPEC)  # fmt: skip
            QuestTable(database).add(row)
    (found,) = QuestTable(database).costs_of_specs()
    assert found == (SPEC, *sums)
    database.close()

"""Pictures of missions of several hives, of the view of hives, and of rows whose hive is silent."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.view import hives
from overmind_core.view.hives import HiveState, Link
from tests.kit.pictures import SIZES
from tests.tui.test_pictures import AGENTS, NOW, QUESTIONS, ROWS, Still, mission, settle

MACHINE = {"slots": 3, "draining": False, "cpu": 8, "memory": 33_000_000_000}
STATES = [
    HiveState("local", "", Link.OPEN, "0.1.0", NOW, figures=MACHINE),
    HiveState("eu1", "ssh", Link.OPEN, "0.1.0", NOW, figures={**MACHINE, "slots": 16, "cpu": 32}),
    HiveState("gpu", "ssh", Link.OPEN, "0.1.0", NOW, figures={**MACHINE, "draining": True}),
    HiveState("lab", "gate", Link.SILENT, "0.1.0", NOW - 12, figures=MACHINE),
    HiveState("attic", "ssh", Link.CLOSED, "", 0.0,
              "ssh: connect to host attic port 22: No route to host"),
]  # fmt: skip
TRAIN = [
    mission(1, "train", "running", cpu_percent=780.0, memory_bytes=9_400_000_000, now="epoch 14, loss 0.021"),
    mission(2, "[red]eval[/]", "running", "00000001", cpu_percent=12.0, memory_bytes=300_000_000, now="waits for data"),
]


class Known:
    """Hives whose links stay as they are."""

    states = STATES
    mistakes = ()

    @property
    def reached(self) -> Any:
        return tuple(hives.reached(self.states))

    def refusal(self, rows: Any) -> str:
        silent = [state for state in self.states if state.link is not Link.OPEN]
        return next((hives.silent(state, NOW).message for state in silent for row in rows
                     if row.get("hive") == state.name), "")  # fmt: skip

    def look(self) -> None:
        """Nothing changes."""

    def close(self) -> None:
        """There is no connection."""


class OfHives(Still):
    """The program with missions of four hives, one of which is silent."""

    def __init__(self, **how):
        super().__init__(ROWS[:4], **how)
        self.hives = Known()  # type: ignore[assignment]
        self.fleet.name_hives(has_hives=True)

    def _start(self):
        fleet = self.fleet
        fleet.apply(AGENTS[1:3], (), everything=True, hive="eu1")
        fleet.ask(QUESTIONS[:1], hive="eu1")
        fleet.apply(TRAIN, (), everything=True, hive="gpu")
        fleet.apply([mission(9, "survey", "running", now="page 7 of 90")], (), everything=True, hive="lab")
        fleet.silence("lab", NOW - 12)
        super()._start()

    def request(self, command, requests, on_result):
        """As all others; what this home is asked for is not asked of others."""
        super().request(command, requests, on_result)


VIEWS = {
    "missions": [],
    "wide": ["ctrl+w", "z"],
    "one_hive": ["/", *"hive:gpu", "enter"],
    "silent": ["G", "x"],
    "needs": ["!"],
    "hives": [":", *"hives", "enter"],
    "keys": [":", *"hives", "enter", "?"],
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_view(pictured, view, size):
    async def press(pilot):
        await settle(pilot)
        for key in VIEWS[view]:
            named = {"/": "slash", ":": "colon", "!": "exclamation_mark", "?": "question_mark"}
            await pilot.press(named.get(key, key))
        await settle(pilot)

    assert pictured(OfHives(), size, press)


@pytest.mark.parametrize("size", SIZES)
def test_without_other_hives_the_view_says_how_one_is_added(pictured, size):
    async def press(pilot):
        await settle(pilot)
        await pilot.press("colon", *"hives", "enter")
        await settle(pilot)

    assert pictured(Still(), size, press)

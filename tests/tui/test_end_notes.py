"""What is noted with an end, such as a full disk, is said in the flash for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from overmind_core.errors import OvermindError
from overmind_core.view.fleet import Fleet
from overmind_tui.missions.actions_end import Request, each

FULL = "The disk is full: the end takes effect now, and is stored once there is space."
STOP = Request("stop", "stop", "stopped", "missions")


@pytest.mark.parametrize(
    ("answers", "flash"),
    [
        ([{"id": "a"}], ("stopped one", "good")),
        ([{"id": "a", "note": FULL}], (f"stopped one · {FULL}", "slow")),
        ([{"id": "a", "note": FULL}, {"id": "b", "note": FULL}], (f"stopped 2 of 2 · {FULL}", "slow")),
        ([{"id": "a", "note": FULL}, OvermindError("busy")], (f"stopped 1 of 2 · two: busy · {FULL}", "bad")),
    ],
)
def test_what_is_noted_with_an_end_is_said_once_in_its_flash(answers, flash):
    flashes: list[tuple[str, str]] = []
    shell = SimpleNamespace(
        flash=lambda text, style: flashes.append((text, style)),
        request=lambda _command, _requests, on_result: on_result(answers),
        fleet=Fleet(),
    )
    rows: list[Any] = [{"id": "a", "name": "one"}, {"id": "b", "name": "two"}]
    each(cast("Any", shell), STOP, rows[: len(answers)])
    assert flashes[-1] == flash

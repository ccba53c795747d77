"""The table of missions under the keys: order, marks, attention, what closes, what is remembered, what is said."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.domain.text.cells import width
from overmind_core.view import numbers
from overmind_tui.render import texts
from tests.kit.cases import tabled
from tests.tui.conftest import picture
from tests.tui.test_pictures import Still, mission, settle


def event(kind, mission="a"):
    return {"type": kind, "mission": mission}


def asked_about(subject, question=1):
    return {**event("asked", subject), "question": question, "about": {"kind": "spec", "id": subject, "name": subject}}


def row(mission, status="running", activity=None):
    return {"id": mission, "status": status, "activity": activity}


MEANWHILE = [
    ([], [], 0.0, ""),
    ([event("started")], [row("a")], 0.0, ""),
    ([event("turn_ended"), event("turn_ended")], [row("a", activity="idle")], 4.1, "since 12:40: 1 finished, $4.10"),
    ([event("asked")], [row("a", activity="waiting")], 0.0, "since 12:40: 1 waits"),
    ([event("turn_ended"), event("asked")], [row("a", activity="waiting")], 0.0, "since 12:40: 1 waits"),
    (
        [event("stopped", "b"), event("crashed", "c"), event("asked"), event("asked", "d")],
        [row("a", activity="waiting"), row("d", activity="waiting"), row("b", "stopped"), row("c", "crashed")],
        0.5,
        "since 12:40: 1 finished, 2 wait, 1 failed, $0.50",
    ),
    ([event("crashed")], [row("a", "running")], 0.0, ""),
    ([event("stopped")], [{**row("a", "stopped"), "outcome": "failed"}], 0.0, "since 12:40: 1 failed"),
    ([asked_about("s"), asked_about("q", 2)], [row("a", activity="waiting")], 0.0, "since 12:40: 2 wait"),
    ([asked_about("s"), {**event("answered", "s"), "question": 1}], [], 0.0, ""),
    ([event("asked"), asked_about("a")], [row("a", activity="waiting")], 0.0, "since 12:40: 1 waits"),
]


@tabled(("events", "rows", "cost", "said"), MEANWHILE)
def test_what_happened_meanwhile_in_one_line(events, rows, cost, said):
    assert texts.away_text(events, rows, numbers.Cost(cost), since="12:40") == said


HOSTILE = "[red]e\u0301\u0301[/] \u202e\x1b[2J👨‍👩‍👧 🇩🇪 \x00\ttab"
CROWD = [
    mission(1, "a" * 60, "running", now="x" * 300, cpu_percent=1.0, memory_bytes=3),
    mission(2, "日本語の長い名前です" * 2, "running", now="処理中" * 40),
    *(mission(3 + at, f"deep{at}", "running", f"{2 + at:08x}", now=HOSTILE) for at in range(20)),
    mission(90, "ro\u0301le", "stopped", exit_code=0, now=HOSTILE, command=HOSTILE),
]


@pytest.mark.parametrize("size", [(40, 8), (60, 15), (80, 24), (120, 40), (300, 100)], ids="{0[0]}x{0[1]}".format)
def test_whatever_agents_write_every_line_keeps_its_width(size):
    async def scenario():
        app = Still(CROWD)
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            for keys in (["*"], ["G"], ["ctrl+w"], ["t"], ["z"]):
                await pilot.press(*keys)
                await settle(pilot)
                shown = picture(app).splitlines()
                assert {width(line) for line in shown} == {size[0]}
                assert not any(character in "\x1b\x00\t\u202e" for line in shown for character in line)

    asyncio.run(scenario())

"""Traps of real terminals: keys in one write or in pieces, a terminal that takes nothing, and how it is left behind."""

from __future__ import annotations

import psutil
import pytest

from tests.kit import torture
from tests.kit.waiting import eventually
from tests.process.tui.test_traps_terminal import tui

FLOOD = "while :; do printf '%s flood of words that fill a line of the terminal %s\\n' $RANDOM $RANDOM; done"


@pytest.mark.torture
def test_nothing_piles_up_for_a_terminal_that_takes_nothing(om):
    """Not one byte is read of many MB of output; then what is shown is of now, and keys are obeyed."""
    begun, more = 16_000_000, torture.portion(128_000_000, part=4)
    mission = om.mission(FLOOD, "--type", "session", "--name", "flood")
    with tui(om, size=(120, 40)) as person:
        person.shows("1 running")
        person.type(b"\r")
        person.shows("looking")
        program = psutil.Process(person.process.pid)
        wait_for_output(om, mission, begun)
        before = program.memory_info().rss
        wait_for_output(om, mission, begun + more)
        assert program.memory_info().rss - before < more * 7 / 8, "less than what came meanwhile"
        person.type(b"?")
        seen = len(person.seen)
        person.shows("› keys")
        assert len(person.seen) - seen < 400_000, "some frames, and what the kernel holds"


def wait_for_output(om, mission, size):
    """Until the mission has written so many bytes more or less."""

    def written():
        return sum(run.get("output_bytes") or 0 for run in om.info(mission)["runs"]) >= size

    eventually(written, timeout=60.0, what="output")

"""Asking the keeper how far each log is."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from overmind_core.kernel.bus import Bus
from overmind_core.missions.changes import Extent
from overmind_core.missions.output_progress import OutputProgress
from tests.kit.clock import FakeClock


class Keeper:
    """Answers when it is told to."""

    def __init__(self):
        self.asked = 0
        self.answers = asyncio.Event()

    async def request(self, *_, **__):
        self.asked += 1
        await self.answers.wait()
        return {"seq": 1, "runs": [{"run": "a.1", "out": 5, "err": 0, "last": 2.0}]}


def test_who_gives_up_leaves_the_shared_question_to_the_others():
    async def scene():
        pulse, keeper = OutputProgress(Bus(), FakeClock(), lambda _run: True), cast("Any", Keeper())
        pulse.restart(keeper)
        patient, impatient = (asyncio.create_task(pulse.refresh()) for _ in range(2))
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        keeper.answers.set()
        await patient
        assert pulse.of("a.1") == Extent(5, 0, 2.0)
        assert keeper.asked == 1

    asyncio.run(scene())

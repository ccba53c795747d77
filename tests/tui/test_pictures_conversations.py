"""Pictures of the conversations that programs keep, and of lines of transcripts, in 80x24 and 120x40."""

from __future__ import annotations

import pytest

from tests.kit.pictures import SIZES
from tests.tui.test_conversations import HITS, KEPT, Kept
from tests.tui.test_pictures import settle

VIEWS = {
    "adopt": ([], ":adopt"),
    "adopt_all": (KEPT, ":adopt all"),
    "transcripts": (HITS, ":transcripts redis 'rate limit' -cluster"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_view(pictured, view, size):
    printed, line = VIEWS[view]

    async def press(pilot):
        await settle(pilot)
        pilot.app.commands.run(line[1:])
        await settle(pilot)

    assert pictured(Kept(printed), size, press)

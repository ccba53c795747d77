"""The view to begin with: asked for while the program still loads, drawn before all others, and with its answer."""

from __future__ import annotations

import asyncio

from tests.tui.conftest import picture, until


def test_a_program_that_is_its_own_supervisor_shows_its_first_view(program, alone):
    """Quests are asked for when something happens, not every so often."""
    del alone

    async def session():
        app = program(view="quests")
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: "No quests yet." in picture(app), what="the answer of our own supervisor")
            assert app.supervisor_host.active
        await asyncio.to_thread(app.quitting.on_exit)

    asyncio.run(session())

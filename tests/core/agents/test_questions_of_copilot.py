"""Questions of a program whose screen tells its state: somebody there may answer between two looks at it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from overmind_core.agents.output_reader import DIALOG_SECONDS, UNSEEN_SECONDS
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, world

SCREENS = Path(__file__).parents[2] / "data" / "screens" / "copilot"
WORKS = 2 * (UNSEEN_SECONDS + DIALOG_SECONDS)
SPIN = 0.25
"""Seconds between two drawings of a program that works."""


@asynccontextmanager
async def asking(tmp_path):
    """A copilot whose question is in the inbox, and what draws it."""
    home = Home(str(tmp_path / "home"))
    keeper = ScriptedKeeper(home)
    async with supervising(home, keeper) as inside:
        environment = world(str(tmp_path / "bin"), "copilot")
        mission = await inside.run("do it", env=environment, provider="copilot", type="session", interactive=True)
        session = inside.app.agents.of(mission)
        assert session is not None
        state = session.state

        async def hook(event, **payload):
            told = {"hook_event_name": event, "session_id": state.session, "cwd": "/", **payload}
            told |= {"hookName": event}
            return [one async for one in inside.stream("hook", mission=mission, token=state.token, payload=told) if one]

        async def shows(name, seconds):
            text = "\r\n".join((SCREENS / f"{name}.txt").read_text(encoding="utf-8").splitlines()[-24:])
            for _ in range(int(seconds / SPIN)):
                keeper.write(f"{mission}.1", f"\x1b[2J\x1b[H{text}".encode())
                await asyncio.sleep(SPIN)
            return [one["summary"] for one in await inside.ask("inbox")]

        await shows("working", SPIN)
        await hook("UserPromptSubmit", prompt="do it")
        await hook("PermissionRequest", toolName="bash", toolInput={"command": "touch made"})
        yield shows
    keeper.close()


@pytest.mark.parametrize(("name", "left"), [("working", []), ("command", ["Bash: touch made"])])
def test_a_question_whose_dialog_nobody_saw_is_answered_once_the_program_works_on(tmp_path, name, left):
    async def play():
        async with asking(tmp_path) as shows:
            return await shows("working", UNSEEN_SECONDS - 1), await shows(name, WORKS)

    assert in_process.run(play()) == (["Bash: touch made"], left)

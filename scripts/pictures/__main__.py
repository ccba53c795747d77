"""Draw all pictures, or those that are named."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable

from textual.pilot import Pilot

from overmind_core.system.paths import Home
from overmind_tui.app import OvermindApp
from overmind_tui.world import World
from scripts.pictures import chromium
from scripts.pictures.colony import Colony, colony
from scripts.pictures.scenes import SCENES, WIDE, Scene

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "screenshots")
RUNS = 3
"""How often the unlucky mission has been started again before the first picture."""
HISTORY = 20.0
"""Seconds that the program watches at least, so that there is a load to show."""
PATIENCE = 60.0


async def until(pilot: Pilot[str], look: Callable[[], object], what: str) -> None:
    """Let the program work until `look` comes true."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not: {what}")
        await pilot.pause(0.05)


async def photograph(here: Colony, scenes: list[Scene]) -> dict[str, str]:
    """The scenes' SVGs by their names."""
    app = OvermindApp(Home(here.home), World(here.project, 0o022, here.environ))
    found: dict[str, str] = {}
    async with app.run_test(size=WIDE) as pilot:

        def by_name() -> dict[str, str]:
            return {str(row["name"]): mission for mission, row in app.fleet.rows.items()}

        began = time.monotonic()
        await until(pilot, lambda: len(by_name()) == 6, "six missions")  # noqa: PLR2004 - three, and the planner's three
        await until(pilot, lambda: app.fleet.rows[by_name()["worker"]]["restart_count"] >= RUNS, "restarts")
        await until(pilot, lambda: app.fleet.rows[by_name()["train"]]["now"], "a frozen mission that said something")
        here.overmind("freeze", "train")
        await until(pilot, lambda: time.monotonic() > began + HISTORY, "a history")
        for scene in scenes:
            await _arrange(app, pilot, scene, by_name()[scene.row])
            found[scene.name] = app.export_screenshot(title="overmind")
            await pilot.press("escape", "escape", "escape", "escape")
    return found


async def _arrange(app: OvermindApp, pilot: Pilot[str], scene: Scene, mission: str) -> None:
    app.theme = scene.theme
    await pilot.resize_terminal(*scene.size)
    app.main.table.select(mission)
    await until(pilot, lambda: app.main.log_view.mission == mission and app.main.log_view.text(), "its log")
    for key in scene.keys:
        await pilot.press(key)
    await pilot.pause(1.0)


def main(names: list[str]) -> int:
    """Return the exit status."""
    browser = chromium.found()
    if browser is None:
        sys.stderr.write(f"Error: {chromium.MISSING}\n")
        return 1
    scenes = [scene for scene in SCENES if not names or scene.name in names]
    with colony() as here:
        pictures = asyncio.run(photograph(here, scenes))
    os.makedirs(FOLDER, exist_ok=True)
    for name, svg in pictures.items():
        path = os.path.join(FOLDER, f"{name}.png")
        chromium.draw(browser, svg, path)
        sys.stdout.write(f"screenshots/{name}.png, {os.path.getsize(path) // 1000} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

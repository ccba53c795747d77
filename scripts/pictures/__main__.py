"""Draw all pictures, or those that are named."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import groupby

from textual.pilot import Pilot

from overmind_core.system.paths import Home
from overmind_core.view.actions import Context
from overmind_tui.app import OvermindApp
from overmind_tui.pages.compose import Composer
from overmind_tui.shell.world import World
from scripts.pictures import afternoon, chromium, day
from scripts.pictures import browser as browsers
from scripts.pictures.colony import Colony, colony
from scripts.pictures.scenes import ASCII, NORMAL, SCENES, WEB_BEFORE, WEB_SCENES, Command, Scene, Stage

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "screenshots")
HISTORY = 3.0
"""Seconds that a scene lasts at least, so that there is a load to show."""
PATIENCE = 30.0
BACK = ("escape",) * 5
LEAVE, CANCEL = "ctrl+backslash", "ctrl+c"


async def until(pilot: Pilot[str], look: Callable[[], object], what: str) -> None:
    """Let the program work until `look` comes true."""
    deadline = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not: {what}")
        await pilot.pause(0.05)


class Photographer:
    """Takes pictures of the program while a person, who is a script, uses it."""

    def __init__(self, here: Colony, pilot: Pilot[str], app: OvermindApp) -> None:
        self._here = here
        self._pilot = pilot
        self._app = app

    async def take(self, scene: Scene) -> str:
        """The scene's SVG."""
        app, pilot = self._app, self._pilot
        for command in scene.before:
            await self._give(command)
        if not scene.coached:
            app.coaching.end()
        await pilot.resize_terminal(*scene.size)
        if scene.row:
            await until(pilot, lambda: scene.row in self._missions(), scene.row)
            app.main.go_to(scene.row)
        await pilot.pause(HISTORY)
        await pilot.press(*scene.keys)
        if scene.then:
            await until(pilot, lambda: not self._lacks(scene.shows[:1]), f"{scene.name}: {scene.shows[0]}")
            await pilot.press(*scene.then)
        await until(pilot, lambda: not self._lacks(scene.shows), f"{scene.name}: {self._lacks(scene.shows)}")
        await pilot.pause(1.0)
        svg = app.export_screenshot(title="overmind")
        await self.leave()
        return svg

    async def leave(self) -> None:
        """Close what the scene has opened."""
        if self._app.main.context is Context.TYPING:
            await self._pilot.press(LEAVE)
        if isinstance(self._app.screen, Composer):
            await self._pilot.press(CANCEL)  # esc would keep the draft, and say so in the next picture
        await self._pilot.press(*BACK)
        if self._app.main.table_panel.unfolded:
            self._app.main.table_panel.turn_fold()
        self._app.notice.put("", "quiet")

    async def _give(self, command: Command) -> None:
        """Give a command as soon as it can be: a question may not have been asked yet."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                await asyncio.to_thread(self._here.overmind, *command)
            except subprocess.CalledProcessError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(error.stderr) from None
                await self._pilot.pause(0.2)
            else:
                return

    def _missions(self) -> dict[str, str]:
        return {str(row["name"]): mission for mission, row in self._app.fleet.rows.items()}

    def _lacks(self, words: Sequence[str]) -> list[str]:
        lines = self._app.screen._compositor.render_strips()  # noqa: SLF001 - what a person sees, as text
        shown = "\n".join("".join(segment.text for segment in line) for line in lines)
        return [word for word in words if word not in shown]


async def photograph(here: Colony, scenes: Sequence[Scene], look: str) -> dict[str, str]:
    """The scenes' SVGs by their names, by a program that looks so; one that can't be drawn is told, and left out."""
    theme = "dark" if look == ASCII else look
    app = OvermindApp(Home(here.home), World(here.project, 0o022, here.environ), theme=theme)
    found: dict[str, str] = {}
    async with app.run_test(size=NORMAL) as pilot:
        photographer = Photographer(here, pilot, app)
        for scene in scenes:
            try:
                found[scene.name] = await photographer.take(scene)
            except TimeoutError as problem:
                sys.stderr.write(f"{problem}\n")
                await photographer.leave()
    await asyncio.to_thread(app.quitting.on_exit)  # where nothing runs the program is the supervisor
    return found


def photographed(stage: Stage, scenes: Sequence[Scene]) -> dict[str, str]:
    """The SVGs of all scenes of a stage, by their names."""
    found: dict[str, str] = {}
    with colony(demonstration=stage is Stage.DEMO) as here:
        if stage is Stage.DEMO:
            sys.stdout.write(f"Claude Code is played by: {here.agent}\n")
        if stage is Stage.DAY:
            day.play(here)
        for look, same in groupby(scenes, lambda scene: scene.look):
            if look == ASCII:
                with open(Home(here.home).config, "w", encoding="utf-8") as file:
                    file.write('[tui]\nsymbols = "ascii"\n')
            found |= asyncio.run(photograph(here, list(same), look))
    return found


def main(names: list[str]) -> int:
    """Return the exit status."""
    browser = chromium.found()
    if browser is None:
        sys.stderr.write(f"Error: {chromium.MISSING}\n")
        return 1
    scenes = [scene for scene in SCENES if _named(scene.name, names)]
    web_scenes = [scene for scene in WEB_SCENES if _named(f"web-{scene.page}", names)]
    os.makedirs(FOLDER, exist_ok=True)
    drawn: list[str] = []
    if web_scenes:
        with colony() as here:
            for command in WEB_BEFORE:
                here.overmind(*command)
            afternoon.begin(here)
            drawn = browsers.draw(browser, here, web_scenes, FOLDER)
    pictures: dict[str, str] = {}
    for stage, of_stage in groupby(scenes, lambda scene: scene.stage):
        pictures |= photographed(stage, list(of_stage))
    for name, svg in pictures.items():
        chromium.draw(browser, svg, os.path.join(FOLDER, f"{name}.png"))
    for name in (*drawn, *pictures):
        size = os.path.getsize(os.path.join(FOLDER, f"{name}.png"))
        sys.stdout.write(f"screenshots/{name}.png, {size // 1000} kB\n")
    wanted = len(scenes) + sum(len(scene.names) for scene in web_scenes)
    return 0 if len(drawn) + len(pictures) == wanted else 1


def _named(name: str, names: Sequence[str]) -> bool:
    """Whether a picture is asked for: by its name, or by the beginning of it, `web` for all of the dashboard."""
    return not names or any(name == one or name.startswith(f"{one}-") for one in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

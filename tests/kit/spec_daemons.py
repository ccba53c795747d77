"""A home with a spec whose supervisors come and go in this process, beside a keeper that starts nothing."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from overmind_core.domain.specs.spec import PhaseName
from overmind_core.quests.input_folder import attempt_folders
from overmind_core.system.paths import Home
from tests.kit.in_process import ScriptedKeeper, supervising, until, world
from tests.kit.spec_documents import WHOLE, write_files


class Daemons:
    """One home, one folder without git, and the supervisor of the moment."""

    def __init__(self, tmp_path: Path) -> None:
        self.home = Home(str(tmp_path / "home"))
        self.keeper = ScriptedKeeper(self.home)
        self.folder = str(tmp_path / "shop")
        write_files(self.folder)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Daemons]:
        async with supervising(self.home, self.keeper) as inside:
            self.inside = inside
            yield self

    @property
    def work(self) -> Any:
        return self.inside.app.engine.specs.parts.work

    async def new(self, **options: object) -> str:
        given = {"title": "Carts", "command": "true", "cwd": self.folder, "env": world()}
        made = await self.inside.ask("spec_new", **{**given, **options})
        return str(made["slug"])

    async def begun(self, phase: str) -> Any:
        """The quest of a phase, once its attempt runs."""

        def running() -> str | None:
            runs = [run for run, row in self.keeper.held.items() if row["exit"] is None]
            missions = {run: self.inside.app.registry.get(run.partition(".")[0]) for run in runs}
            names = {run: one.definition.name for run, one in missions.items() if one is not None}
            return next((run for run, name in names.items() if name.endswith(f"/{phase}")), None)

        return await until(running, f"{phase} runs")

    def hand_in(self, run: str, phase: str) -> None:
        folder = attempt_folders(self.home, run.partition(".")[0]).outputs
        with open(os.path.join(folder, f"{phase}.json"), "w") as file:
            json.dump(WHOLE[PhaseName(phase)], file)

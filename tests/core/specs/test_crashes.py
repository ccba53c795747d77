"""Specs whose supervisor is gone right behind a commit: the next one goes on from there, and no agent works twice."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import asynccontextmanager

from overmind_core.domain.specs.spec import PhaseName
from overmind_core.quests.input_folder import attempt_folders
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until, world
from tests.kit.spec_documents import WHOLE, write_files


class Daemons:
    """One home, one folder without git, and the supervisor of the moment."""

    def __init__(self, tmp_path):
        self.home = Home(str(tmp_path / "home"))
        self.keeper = ScriptedKeeper(self.home)
        self.folder = str(tmp_path / "shop")
        write_files(self.folder)

    @asynccontextmanager
    async def one(self):
        async with supervising(self.home, self.keeper) as inside:
            self.inside = inside
            yield self

    @property
    def work(self):
        return self.inside.app.engine.specs.parts.work

    async def new(self):
        made = await self.inside.ask("spec_new", title="Carts", command="true", cwd=self.folder, env=world())
        return made["slug"]

    async def begun(self, phase):
        """The quest of a phase, once its attempt runs."""

        def running():
            runs = [run for run, row in self.keeper.held.items() if row["exit"] is None]
            missions = {run: self.inside.app.registry.get(run.partition(".")[0]) for run in runs}
            names = {run: one.definition.name for run, one in missions.items() if one is not None}
            return next((run for run, name in names.items() if name.endswith(f"/{phase}")), None)

        return await until(running, f"{phase} runs")

    def hand_in(self, run, phase):
        folder = attempt_folders(self.home, run.partition(".")[0]).outputs
        with open(os.path.join(folder, f"{phase}.json"), "w") as file:
            json.dump(WHOLE[PhaseName(phase)], file)


def test_a_document_that_was_taken_up_before_its_quest_was_completed_is_not_made_again(tmp_path):
    """Kill table: between what saves the document and what saves that its quest has completed."""
    daemons = Daemons(tmp_path)

    async def tell():
        async with daemons.one():
            slug = await daemons.new()
            await daemons.inside.ask("spec_run", id=slug, last="requirements")
            run = await daemons.begun("explore")
            daemons.hand_in(run, "explore")
            judge, judged = daemons.work.judge, asyncio.Event()

            async def judge_and_be_gone(quest):
                await judge(quest)
                judged.set()
                await asyncio.Future()

            daemons.work.judge = judge_and_be_gone
            daemons.keeper.exit(run)
            await judged.wait()
        async with daemons.one():
            await daemons.begun("requirements")
            spec = await daemons.inside.ask("spec", id=slug)
            assert [one["state"] for one in spec["phases"][:2]] == ["passed", "running"]
            await idle()
            assert len(daemons.keeper.held) == 2, "nothing was made twice"

    try:
        in_process.run(tell())
    finally:
        daemons.keeper.close()

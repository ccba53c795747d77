"""A ritual's work: stored in two parts, environments apart from all else; and its plans, which are its own."""

from __future__ import annotations

import asyncio
import json

from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.quests.requests import QuestRun
from overmind_core.schedules.actions import parted
from overmind_core.system.paths import Home
from tests.kit.in_process import played, world


def test_environments_are_kept_apart_from_all_other_fields():
    work = QuestRun(command="make", cwd="/", env={"PATH": "/bin"}, env_set={"KEY": "secret"})
    fields, environments = parted(work)
    assert json.loads(environments) == {"env": {"PATH": "/bin"}, "env_set": {"KEY": "secret"}}
    assert "secret" not in json.dumps(fields)
    assert fields["command"] == "make"


def test_of_two_rituals_with_one_blueprint_that_begin_at_once_one_has_the_plan_and_the_other_is_refused(tmp_path):
    regions = ("eu", "us")

    async def play(inside, _keeper):
        env = world(str(tmp_path / "bin"), "claude")
        for region in regions:
            agent = {"name": "a", "start": {"command": region, "cwd": "/", "provider": "claude"}}
            plan = {"blueprint": {"name": "deploy", "agents": [agent]}, "cwd": "/", "file": "/deploy.toml", "env": env}
            await inside.ask("ritual_create", name=region, schedule="@daily", apply=plan)
        begin = (inside.ask("ritual_run", id=region) for region in regions)
        answers = await asyncio.gather(*begin, return_exceptions=True)
        (plan,) = inside.app.plans.live.values()
        rows = {region: (await inside.ask("ritual_history", id=region))[-1] for region in regions}
        return answers, rows, plan.id, plan.blueprint.agents[0].start["command"]

    answers, rows, plan, region = played(Home(str(tmp_path / "home")), play, Settings())
    assert [one.code for one in answers if isinstance(one, OvermindError)] == ["name_taken"]
    (other,) = set(regions) - {region}
    assert (rows[region]["status"], rows[region]["id"]) == ("running", plan)
    assert (rows[other]["status"], rows[other]["reason"]) == ("failed", "name_taken")
    assert rows[other]["text"] == f"A plan named 'deploy' is still running: mission {plan}."

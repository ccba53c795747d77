"""Whoever has waited may hold a mission as it was: what happens to such a copy never brings back what has ended."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from overmind_core.domain.missions.facts import EndAsked, Exited, Frozen, Gone, Prepared, Spawned, StartAsked, Thawed
from overmind_core.domain.missions.mission import Cause, Status
from overmind_core.domain.missions.transitions import IllegalTransition
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit.in_process import played, until, world

FACTS = [
    Thawed(0.0), Frozen(), Spawned(7, 0.0, 0.0), Exited(0, 0.0, left=False), Gone(()), Prepared(),
    EndAsked(Cause.STOP, 1.0),
]  # fmt: skip


@pytest.fixture
def story(tmp_path):
    return lambda play: played(Home(str(tmp_path / "home")), play, Settings())


async def begun(inside, keeper):
    mission = await inside.run("sleep 500", name="z")
    await until(lambda: f"{mission}.1" in keeper.held and inside.app.registry.live[mission].pid, "it runs")
    return mission


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: type(fact).__name__)
@pytest.mark.parametrize("frozen", [False, True])
def test_nothing_happens_to_a_copy_of_a_mission_that_has_ended(story, fact, frozen):
    async def play(inside, keeper):
        mission = await begun(inside, keeper)
        registry = inside.app.registry
        if frozen:
            await inside.ask("freeze", id=mission)
        copy = registry.live[mission]
        keeper.exit(f"{mission}.1", 143)
        await registry.ended(mission)
        before = inside.event_types(mission)
        with pytest.raises(IllegalTransition):
            registry.apply(copy, fact)
        assert mission not in registry.live
        assert inside.event_types(mission) == before

    story(play)


def test_what_happened_meanwhile_to_a_live_mission_stays(story):
    async def play(inside, keeper):
        mission = await begun(inside, keeper)
        registry = inside.app.registry
        copy = registry.live[mission]
        await inside.ask("update", id=mission, labels={"team": "web"})
        registry.apply(copy, Frozen())
        assert dict(registry.live[mission].definition.labels) == {"team": "web"}

    story(play)


def test_a_frozen_mission_that_a_signal_ends_is_not_thawed_to_life(story):
    async def play(inside, keeper):
        mission = await begun(inside, keeper)
        await inside.ask("freeze", id=mission)
        thawing = asyncio.ensure_future(inside.ask("thaw", id=mission))
        keeper.on_ask["changed"] = lambda _fields: keeper.exit(f"{mission}.1", 143) if _lives(keeper, mission) else None
        with pytest.raises(OvermindError) as refused:
            await thawing
        assert refused.value.code == "not_running"
        await inside.app.registry.ended(mission)
        assert "thawed" not in inside.event_types(mission)
        assert (await inside.ask("info", id=mission))["status"] == "crashed"

    story(play)


def test_what_runs_again_is_not_put_off_the_books_by_a_copy_of_its_end(story):
    async def play(inside, keeper):
        mission = await begun(inside, keeper)
        registry = inside.app.registry
        keeper.exit(f"{mission}.1", 143)
        copy = await registry.ended(mission)
        await inside.ask("restart", id=mission)
        for fact in (EndAsked(Cause.KILL, 0.0), StartAsked()):
            with pytest.raises(IllegalTransition):
                registry.apply(copy, fact)
        assert registry.live[mission].run == 2

    story(play)


@pytest.mark.parametrize("hidden", [False, True], ids=["it is started again meanwhile", "it ends meanwhile"])
def test_a_kill_is_about_the_mission_as_it_is_once_that_has_taken_a_moment(story, monkeypatch, hidden):
    async def play(inside, keeper):
        mission = await begun(inside, keeper)
        registry, left = inside.app.registry, inside.app.missions.left_processes
        if not hidden:
            keeper.exit(f"{mission}.1", 143)
            await registry.ended(mission)

        async def of(_missions):
            if hidden:
                keeper.exit(f"{mission}.1", 143)
                await registry.ended(mission)
            else:
                await inside.ask("restart", id=mission)
            return []

        monkeypatch.setattr(left, "of", of)
        killing = asyncio.ensure_future(inside.ask("kill", id=mission))
        if not hidden:
            await until(lambda: mission in registry.live and registry.live[mission].status is Status.STOPPING)
            keeper.exit(f"{mission}.2", -9)
        answer = await killing
        assert answer == {"killed": [{"id": mission, "name": "z"}], "hidden": [mission] if hidden else []}
        assert (await inside.ask("info", id=mission))["status"] == ("crashed" if hidden else "killed")

    story(play)


MOMENTS = {
    "its output is looked at": ("progress", "look", []),
    "it is saved": ("journal", "saved", []),
    "its processes are stopped": ("trees", "freeze", ["freeze", "thaw"]),
}
"""When a stop comes → the part of a freeze that takes that moment, and what is done to the processes."""


@pytest.mark.parametrize(("part", "step", "done"), MOMENTS.values(), ids=MOMENTS)
def test_a_freeze_that_meets_a_stop_is_refused_and_the_stop_is_as_graceful_as_any(story, monkeypatch, part, step, done):
    acts: list[str] = []

    async def play(inside, keeper):
        mission = await begun(inside, keeper)
        for name in ("freeze", "thaw"):
            monkeypatch.setattr(inside.app.trees, name, partial(_note, acts, name))
        stops: list[asyncio.Future[Any]] = []
        whole = getattr(inside.app, part)
        real = getattr(whole, step)

        async def with_stop(*arguments):
            if not stops:
                stops.append(asyncio.ensure_future(inside.ask("stop", id=mission)))
                await until(lambda: inside.app.registry.live[mission].status is Status.STOPPING)
            return await real(*arguments)

        monkeypatch.setattr(whole, step, with_stop)
        with pytest.raises(OvermindError) as refused:
            await inside.ask("freeze", id=mission)
        assert refused.value.code == "not_running"
        keeper.exit(f"{mission}.1", 143)
        assert (await stops[0])["status"] == "stopped"

    story(play)
    assert acts == done


async def _note(acts, name, _mission):
    acts.append(name)


def _lives(keeper, mission):
    return keeper.held[f"{mission}.1"]["exit"] is None


@pytest.mark.parametrize(("command", "code"), [("kill", None), ("stop", 143)])
@pytest.mark.parametrize("forgotten", [False, True])
def test_an_end_needs_no_word_of_a_keeper_that_tells_none(story, command, code, forgotten):
    """Its exit was told to nobody, or the keeper knows of no such run: who ends it waits no longer than its grace."""

    async def play(inside, keeper):
        mission = await begun(inside, keeper)
        told, keeper._notice = keeper._notice, lambda _notice: None
        keeper.exit(f"{mission}.1", 143)
        keeper._notice = told
        if forgotten:
            del keeper.held[f"{mission}.1"]
        await asyncio.wait_for(inside.ask(command, id=mission), 30.0)
        assert mission not in inside.app.registry.live
        assert (await inside.ask("info", id=mission))["exit_code"] == code

    story(play)


@pytest.mark.parametrize("meanwhile", ["stop", "kill", "stopping", "rm", "its end"])
def test_a_restart_of_a_plan_is_about_it_as_it_is_once_its_agents_were_looked_at(story, monkeypatch, meanwhile):
    async def play(inside, keeper):
        keeper.on_ask["purge"] = lambda fields: keeper.exit(fields["run"], -9)
        blueprint = {"name": "p", "agents": [{"name": "a", "start": {"command": ["sleep"], "cwd": "/"}}]}
        plan = (await inside.ask("apply", blueprint=blueprint, cwd="/", env=world()))["id"]
        registry, plans = inside.app.registry, inside.app.plans
        await until(lambda: any(held["exit"] is None for held in keeper.held.values()), "its agent runs")
        if meanwhile == "rm":
            await inside.ask("kill", id=plan)
        stops = []

        async def check(_mission, _environ):
            if meanwhile == "stopping":
                stops.append(asyncio.ensure_future(inside.ask("stop", id=plan)))
                await until(lambda: registry.live[plan].status is Status.STOPPING)
            elif meanwhile == "its end":
                keeper.exit(next(run for run, held in keeper.held.items() if held["exit"] is None), 3)
                await registry.ended(plan)
            else:
                await inside.ask(meanwhile, id=plan)

        monkeypatch.setattr(plans, "check_restart", check)
        if meanwhile == "its end":
            await inside.ask("restart", id=plan)
            assert registry.live[plan].run == 2
            return
        with pytest.raises(OvermindError) as refused:
            await inside.ask("restart", id=plan)
        assert refused.value.code == ("not_found" if meanwhile == "rm" else "not_running")
        for one in stops:
            await one
        known = registry.get(plan)
        assert plan not in registry.live
        assert (known.run if known else None) == (None if meanwhile == "rm" else 1)

    story(play)

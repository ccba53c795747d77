"""Whoever has waited may hold a mission as it was: what happens to such a copy never brings back what has ended."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.domain.missions.facts import EndAsked, Exited, Frozen, Gone, Prepared, Spawned, Thawed
from overmind_core.domain.missions.mission import Cause
from overmind_core.domain.missions.transitions import IllegalTransition
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit.in_process import played, until

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

"""A mission that waits for the answer to what it has reported waits, as everybody sees, also where it is no agent."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.domain.agents.agent_events import TurnBegan, TurnEnded, TurnResult
from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.events import About, AboutKind
from overmind_core.domain.missions.restart_policy import stall_due
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world


def test_its_silence_is_none_while_it_waits(tmp_path):
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("ask", activity_timeout="1h")
            live, waiting = inside.app.registry.live, inside.app.agents.waiting
            await until(lambda: live[mission].status == "running")
            held = [live[mission].held_mono is not None]
            with waiting.waits(mission, "Which port?"):
                with waiting.waits(mission, "And which host?"):
                    held.append(live[mission].held_mono is not None)
                (shown,) = await inside.ask("ps", ids=[mission], wide=True)
                held.append(live[mission].held_mono is not None)
            held.append(live[mission].held_mono is not None)
        keeper.close()
        return shown["activity"], shown["now"], held

    assert in_process.run(story()) == ("waiting", "Which port?", [False, True, True, False])


@pytest.mark.parametrize("kind", ["session", "task"])
def test_an_idle_session_waits_for_a_person_and_a_one_shot_agent_that_stays_is_silent(tmp_path, kind):
    home = Home(str(tmp_path / "home"))
    environment = world(str(tmp_path / "bin"), "claude")

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            how = {"provider": "claude", "type": kind, "activity_timeout": "15m"}
            mission = await inside.run("" if kind == "session" else "fix it", env=environment, **how)
            session, live = inside.app.agents.of(mission), inside.app.registry.live
            assert session is not None
            await until(lambda: session.state.running)
            session.receive(TurnBegan())
            session.receive(TurnEnded(TurnResult(ok=True)))
            await until(lambda: session.state.activity.doing == "idle", "its turn is over")
            held = live[mission].held_mono is not None
        keeper.close()
        return held

    assert in_process.run(story()) is (kind == "session")


async def freeze_and_thaw(inside, mission):
    await inside.ask("freeze", id=mission)
    await inside.ask("thaw", id=mission)


async def fill_the_disk(inside, mission):
    inside.app.keeper._troubled(f"{mission}.1", "disk_full")
    await inside.app.journal.saved()


async def fill_the_disk_for_a_while(inside, mission):
    await fill_the_disk(inside, mission)
    inside.app.keeper._troubled(f"{mission}.1", None)


async def set_the_limit(inside, mission):
    await inside.ask("update", id=mission, activity_timeout="30s")


@pytest.mark.parametrize(
    ("limit", "change"),
    [("30s", freeze_and_thaw), ("30s", fill_the_disk_for_a_while), (0, set_the_limit)],
    ids=["a thaw", "room on the disk", "another limit"],
)
def test_its_silence_is_still_none_behind(tmp_path, limit, change):
    """An event after which it goes on to wait: nothing of its activity changes."""
    home = Home(str(tmp_path / "home"))
    environment = world(str(tmp_path / "bin"), "claude")

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            how = {"provider": "claude", "type": "session", "activity_timeout": limit}
            mission = await inside.run("", env=environment, **how)
            session, live = inside.app.agents.of(mission), inside.app.registry.live
            assert session is not None
            await until(lambda: session.state.activity.doing == "idle")
            await asyncio.sleep(60)
            await change(inside, mission)
            await asyncio.sleep(60)
            status = live[mission].status
            session.receive(TurnBegan())
            due = stall_due(live[mission], 0.0)
            assert due is not None
            left = due - asyncio.get_running_loop().time()
        keeper.close()
        return status, left

    assert in_process.run(story()) == ("running", pytest.approx(30.0))


def test_what_a_full_disk_holds_back_is_not_silent_behind_a_thaw_either(tmp_path):
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("make", activity_timeout="30s")
            live = inside.app.registry.live
            await until(lambda: live[mission].status == "running")
            await fill_the_disk(inside, mission)
            await freeze_and_thaw(inside, mission)
            await asyncio.sleep(60)
            status = live[mission].status
        keeper.close()
        return status

    assert in_process.run(story()) == "running"


def test_whoever_waits_hears_how_a_question_was_closed(tmp_path):
    home = Home(str(tmp_path / "home"))

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            engine = inside.app.engine_questions
            about = About(AboutKind.MISSION, "m", "m")
            for key in "abc":
                engine.ask(EngineNeed.REPORT, about, summary=key, key=key)
            heard = [asyncio.ensure_future(engine.closed(number)) for number in (1, 2, 2)]
            await in_process.idle()
            assert not any(one.done() for one in heard)
            engine.withdraw("m", key="a")
            await inside.ask("answer", question=2, behaviour="deny", message="no")
            withdrawn, *answered = await asyncio.gather(*heard)
            later = await engine.closed(2)
            with pytest.raises(OvermindError) as unknown:
                await engine.closed(99)
        keeper.close()
        return withdrawn, [one and one.message for one in [*answered, later]], unknown.value.code

    assert in_process.run(story()) == (None, ["no", "no", "no"], "gone")

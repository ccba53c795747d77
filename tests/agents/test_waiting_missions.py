"""A mission that waits for the answer to what it has reported waits, as everybody sees, also where it is no agent."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.domain.agents.agent_events import TurnBegan, TurnEnded, TurnResult
from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.domain.events import About, AboutKind
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world
from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually

WAITS = "overmind report question 'Which port?' --wait; sleep 300"


def row(om, mission):
    (found,) = (one for one in om.api("ps", ids=[mission], wide=True))
    return found


def test_a_plain_command_that_waits_for_an_answer_is_shown_as_waiting(om):
    mission = om.mission(WAITS, "--name", "asker")
    waiting = eventually(lambda: (found := row(om, mission))["activity"] and found, what="it waits")
    assert (waiting["activity"], waiting["need"], waiting["mode"]) == ("waiting", "report", None)
    assert "Which port?" in waiting["now"]
    assert "waiting:report" in om.ok("ps", "--wide")
    assert [event["need"] for event in om.events("activity", mission=mission)] == ["report"]
    (asked,) = om.api("inbox")
    assert asked["about"] == {"kind": "mission", "id": mission, "name": "asker"}
    assert om.ok("answer", "asker", "allow", "-m", "8080") == "Answered question 1 of asker (report): allow\n"
    eventually(lambda: row(om, mission)["activity"] is None, what="it goes on")
    assert "8080" in om.logs(mission)
    assert [event["doing"] for event in om.events("activity", mission=mission)] == ["waiting", "unknown"]


def test_it_waits_no_longer_once_nobody_of_it_does_and_its_question_stays(om):
    mission = om.mission("timeout -s KILL 3 overmind report question 'Which port?' --wait; sleep 300")
    eventually(lambda: row(om, mission)["activity"] == "waiting", what="it waits")
    eventually(lambda: row(om, mission)["activity"] is None, what="it goes on")
    assert len(om.api("inbox")) == 1


def test_a_new_daemon_sees_it_wait_as_soon_as_it_asks_again(om):
    mission = om.mission(WAITS)
    eventually(lambda: row(om, mission)["activity"] == "waiting", what="it waits")
    kill_supervisor(om)
    eventually(lambda: row(om, mission)["activity"] == "waiting", what="it waits again")
    om.ok("answer", "1", "allow", "-m", "8080")
    eventually(lambda: "8080" in om.logs(mission), what="the answer")


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

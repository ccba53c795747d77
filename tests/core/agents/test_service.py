"""Which session speaks for a mission: the newest, and never one that has ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from overmind_core.agents.service import REJOIN_SECONDS
from overmind_core.domain.agents.agent import ActivityKind, AgentMode
from overmind_core.domain.agents.agent_events import LimitReached, TurnBegan, TurnEnded, TurnResult
from overmind_core.domain.agents.conversation_events import ModeWanted
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import WALL, ScriptedKeeper, supervising, until, world


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


@pytest.fixture
def environment(tmp_path):
    return world(str(tmp_path / "bin"), "claude")


def agent_of(inside, mission):
    return inside.app.agents.of(mission)


async def session(inside, environment, **arguments):
    return await inside.run("", env=environment, provider="claude", type="session", **arguments)


def test_what_was_denied_to_agents_is_found_once_each(home, environment):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            one = await session(inside, environment, agent={"deny": ["Bash(rm:*)", "Write"]})
            two = await session(inside, environment, agent={"deny": ["Write", "Bash(mv:*)"]})
            plain = await inside.run("sleep 9")
            await until(lambda: f"{two}.1" in keeper.held, "it runs")
            keeper.exit(f"{two}.1")
            await until(lambda: agent_of(inside, two) is None, "it has ended")
            denied = inside.app.agents.denied([one, plain, "nobody", two])
        keeper.close()
        return denied

    assert in_process.run(story()) == ("Bash(rm:*)", "Write", "Bash(mv:*)")


@pytest.mark.parametrize("ended", [True, False])
def test_the_end_of_a_limit_is_nothing_to_a_session_that_has_ended(home, environment, ended):
    """Its mission may have been started again: what the earlier session would save is not true any more."""

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await session(inside, environment)
            agent = agent_of(inside, mission)
            await until(lambda: agent.state.running)
            agent.receive(TurnBegan())
            agent.receive(LimitReached(WALL + 60, "rate_limit"))
            agent.receive(TurnEnded(TurnResult(ok=False, reason="limit")))
            agent.receive(LimitReached(WALL + 60, "rate_limit"))
            if ended:
                inside.app.agents.drop(mission)
            before = agent.state
            await asyncio.sleep(70)
            after = agent.state
        keeper.close()
        return agent.closed, after == before

    assert in_process.run(story()) == (ended, ended)


LIMITED = 300.0
"""Seconds."""
JUMPS: dict[str, tuple[float, float]] = {
    # by how much the wall clock jumps while a session waits so long, and when it goes on, by the loop's clock
    "nothing": (0.0, LIMITED),
    "an hour of sleep": (3600.0, 60.0),
    "a day back": (-86_400.0, LIMITED),
}


@pytest.mark.parametrize(("jump", "goes_on"), JUMPS.values(), ids=JUMPS)
def test_a_limit_ends_at_its_time_though_the_machine_sleeps_or_the_clock_is_set(
    home, environment, monkeypatch, jump, goes_on
):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await session(inside, environment)
            agent = agent_of(inside, mission)
            await until(lambda: agent.state.running)
            agent.receive(TurnBegan())
            agent.receive(LimitReached(inside.app.clock.wall() + LIMITED, "rate_limit"))
            agent.receive(TurnEnded(TurnResult(ok=False, reason="limit")))
            monkeypatch.setattr(inside.app.clock, "_later", jump)
            await asyncio.sleep(goes_on - 5)
            waits = agent.state.activity.doing
            await asyncio.sleep(10)
            doing = agent.state.activity.doing
        keeper.close()
        return waits, doing

    assert in_process.run(story()) == (ActivityKind.LIMITED, ActivityKind.IDLE)


@pytest.mark.parametrize("rejoined", [True, False])
def test_a_handed_over_session_is_taken_back_when_nobody_comes_back_after_a_crash(home, environment, rejoined):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await session(inside, environment)
            agent = agent_of(inside, mission)
            await until(lambda: agent.state.running)
            agent.put(replace(agent.state, mode=AgentMode.INTERACTIVE))
            agent.apply(ModeWanted(AgentMode.INTERACTIVE))
            await inside.app.journal.saved()
        async with supervising(home, keeper) as inside:
            if rejoined:
                back_again = inside.app.attachments.seat(mission, types=True)
                back_again.__enter__()
            await asyncio.sleep(REJOIN_SECONDS - 1)
            wanted = [agent_of(inside, mission).state.wanted]
            await asyncio.sleep(2)
            wanted.append(agent_of(inside, mission).state.wanted)
        keeper.close()
        return wanted

    there, back = AgentMode.INTERACTIVE, AgentMode.HEADLESS
    assert in_process.run(story()) == [there, there if rejoined else back]


def test_a_task_has_no_turn_and_takes_no_messages_and_both_say_what_can_be_done(home, environment):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            await inside.run("sleep 9", name="api")
            return [await refused(inside, "interrupt", id="api"), await refused(inside, "send", id="api", text="x")]

    async def refused(inside, command, **arguments):
        with pytest.raises(OvermindError) as error:
            await inside.ask(command, **arguments)
        return error.value.message.partition("(api) ")[2]

    assert in_process.run(story()) == [
        "is a task and has no turn to interrupt. Stop it: overmind stop api",
        "is a task and takes no messages. Its input is empty. Start it with one: overmind run --type session …",
    ]


def test_a_plan_takes_no_messages_and_says_so_of_itself(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            agents = [{"name": "a", "start": {"command": ["cat"], "cwd": "/"}}]
            await inside.ask("apply", blueprint={"name": "p", "agents": agents}, cwd="/", env=world())
            said = []
            for command, more in (("interrupt", {}), ("send", {"text": "x"})):
                with pytest.raises(OvermindError) as error:
                    await inside.ask(command, id="p", **more)
                said.append(error.value.message.partition("(p) ")[2])
            await until(lambda: keeper.held, "its agent runs")
            keeper.exit(next(iter(keeper.held)))
            await until(lambda: not inside.app.plans.live, "it has ended")
            with pytest.raises(OvermindError) as error:
                await inside.ask("attach", id="p")
        keeper.close()
        return [*said, error.value.message.partition("(p) ")[2]]

    named = "is a plan: its agents have a name of their own, p/AGENT. See: overmind describe p"
    assert in_process.run(story()) == [named, named, "has already ended: succeeded. See: overmind logs p"]

"""Which session speaks for a mission: the newest, and never one that has ended."""

from __future__ import annotations

import asyncio
import json
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


def test_a_limit_of_cost_that_is_set_later_counts_what_the_tree_has_cost_before(home, environment):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            root = await inside.run("sleep 9")
            mission = await session(inside, environment, parent=root)
            agent = agent_of(inside, mission)
            await until(lambda: agent.state.running)
            turn(agent, 10.0)
            known = await inside.ask("definition", id=root)
            terms = {**known["definition"], "max_cost": 12.0}
            await inside.ask("redefine", id=root, as_of=known["as_of"], definition=terms)
            info = await inside.ask("info", id=root)
            turn(agent, 11.0)
            warned = "cost_warning" in inside.event_types(root)
            goes_on = inside.app.registry.live[mission].ending is None
            turn(agent, 12.0)
            ending = inside.app.registry.live[mission].ending
        keeper.close()
        assert ending is not None
        return info["tree_cost_usd"], warned, goes_on, ending.reason

    def turn(agent, total):
        agent.receive(TurnBegan())
        agent.receive(TurnEnded(TurnResult(ok=True, cost_total=total)))

    assert in_process.run(story()) == (10.0, True, True, "max_cost")


def test_who_attaches_beside_somebody_who_keeps_it_there_does_not_take_that_back(home, environment):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await session(inside, environment)
            agent = agent_of(inside, mission)
            await until(lambda: agent.state.running)
            agent.put(replace(agent.state, mode=AgentMode.INTERACTIVE))
            seat = inside.app.attachments.seat
            kept: list[bool] = []

            async def attach(attachment, *, keep):
                async for _ in inside.app.agents.handover.give(agent, attachment, keep=keep):
                    pass
                kept.append(agent.state.keep)

            with seat(mission, types=True) as first:
                await attach(first, keep=True)
                with seat(mission, types=True) as second:
                    await attach(second, keep=False)
            with seat(mission, types=True) as later:
                await attach(later, keep=False)
        keeper.close()
        return kept

    assert in_process.run(story()) == [True, True, False]


def test_a_message_that_is_stored_with_the_end_of_its_session_reaches_nobody_who_starts_it_again(home, environment):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await session(inside, environment)
            await until(lambda: agent_of(inside, mission).state.running)
            await inside.app.journal.saved()
            sending = asyncio.ensure_future(inside.ask("send", id=mission, text="hello"))
            keeper.exit(f"{mission}.1")
            await sending
            await inside.app.registry.ended(mission)
            await inside.ask("restart", id=mission)
            await until(lambda: agent_of(inside, mission).state.running)
            await in_process.idle()
            typed = b"".join(keeper.typed[f"{mission}.2"])
            states = [one["state"] for one in await inside.ask("messages", id=mission)]
        keeper.close()
        return states, b"hello" in typed

    assert in_process.run(story()) == (["failed"], False)


def test_a_live_session_without_a_terminal_is_not_said_to_have_ended(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            await inside.run("sleep 9", name="s", type="session", tty=False)
            said = []
            for command, more in (("interrupt", {}), ("send", {"text": "x"})):
                with pytest.raises(OvermindError) as error:
                    await inside.ask(command, id="s", **more)
                said.append((error.value.code, error.value.message.partition("(s) ")[2]))
        keeper.close()
        return said

    assert in_process.run(story()) == [
        ("not_session", "has no terminal and has no turn to interrupt. Stop it: overmind stop s"),
        ("not_session", "has no terminal and takes no messages. Start one that has: overmind run --type session …"),
    ]


def test_what_is_no_agent_is_not_interrupted_between_two_runs(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("cat", name="s", type="session", restart="always", backoff="1h")
            await until(lambda: f"{mission}.1" in keeper.held and agent_of(inside, mission).state.running)
            keeper.exit(f"{mission}.1", 1)
            await until(lambda: inside.app.registry.live[mission].status == "restarting")
            with pytest.raises(OvermindError) as error:
                await inside.ask("interrupt", id=mission)
        keeper.close()
        return error.value.code

    assert in_process.run(story()) == "not_running"


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
        "is a task and takes no messages. Its input is empty. Start a session: overmind run --type session …",
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


COLOUR = {"question": "Which colour?", "header": "", "multiSelect": False,
          "options": [{"label": "Red"}, {"label": "Blue"}]}  # fmt: skip
PLAIN = {"question": "Which currency?", "header": "", "multiSelect": False, "options": []}


@pytest.mark.parametrize(
    ("question", "answer", "labels", "words"),
    [
        (COLOUR, {"options": ["1:#2"]}, ["Blue"], None),
        (COLOUR, {"message": "blue"}, ["Blue"], None),
        (COLOUR, {"message": "neither\nof them"}, None, "neither of them"),
        (PLAIN, {"message": "y" * 300}, None, f"{'y' * 197}..."),
        (PLAIN, {"options": ["1:#443"]}, None, "443"),
        (PLAIN, {"behaviour": "deny", "message": "not now"}, None, None),
    ],
)
def test_the_event_of_an_answer_has_the_labels_or_the_words(home, environment, question, answer, labels, words):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await session(inside, environment)
            await until(lambda: agent_of(inside, mission).state.running)
            subject = {"questions": [question]}
            asked = {"subtype": "can_use_tool", "tool_name": "AskUserQuestion", "input": subject, "tool_use_id": "t1"}
            line = {"type": "control_request", "request_id": "r1", "request": asked}
            keeper.write(f"{mission}.1", json.dumps(line).encode() + b"\n")
            await until(lambda: agent_of(inside, mission).state.open)
            number = (await inside.ask("inbox"))[0]["question"]
            await inside.ask("answer", question=number, **answer)
            (event,) = (one for one in inside.events(mission) if one["type"] == "answered")
        keeper.close()
        return event.get("options"), event.get("answer")

    assert in_process.run(story()) == (labels, words)

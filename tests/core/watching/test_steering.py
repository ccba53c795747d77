"""Steering by a supervisor whose clock moves only while nothing is to be done: asked for, answered, and by itself."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.domain.agents.agent import AgentNeed
from overmind_core.domain.agents.agent_events import Asked, TextSpoken, ToolCalled, ToolReturned, TurnBegan
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause, Status
from overmind_core.domain.settings import GuardianSettings, HealthSettings
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from overmind_core.watching.steerer import LONGEST_TOLD, _shortened
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, played, supervising, until
from tests.kit.mortal import Mortal, at_each_commit

ERROR = "ImportError: no module named 'carts'"
HEALTH = HealthSettings(beat=2.0)
ASK = Settings(health=HEALTH, guardian=GuardianSettings(steer="ask", every=1.0, pause=60.0))
AUTO = Settings(health=HEALTH, guardian=GuardianSettings(steer="auto", every=1.0, pause=20.0))


def story(home, play, settings=ASK):
    return played(home, play, settings)


async def agent(inside, environment, **how):
    """A claude session in a turn; its mission and its session."""
    mission = await inside.run("", env=environment, provider="claude", type="session", **how)
    session = inside.app.agents.of(mission)
    await until(lambda: session.state.running)
    session.receive(TurnBegan())
    return mission, session


CALLS = iter(range(1_000_000))


def use(session, tool, error="", **fields):
    call = f"t{next(CALLS)}"
    session.receive(ToolCalled(call, tool, f"{tool}: it", digest=call, **fields))
    session.receive(ToolReturned(call, failed=bool(error), digest=call, error=error))


def stray(session):
    """Three times the same error, and five edits of one file while it fails."""
    for _ in range(5):
        use(session, "Edit", paths=("a.py",), edits=True)
    for _ in range(3):
        use(session, "Bash", ERROR, runs=True)


async def astray(session, seconds):
    """It goes on like that."""
    for _ in range(int(seconds)):
        stray(session)
        await asyncio.sleep(1.0)


def events(inside, mission, kind):
    return [event for event in inside.events(mission) if event["type"] == kind]


def steers(inside, mission):
    return [(event["rung"], event["outcome"]) for event in events(inside, mission, "steer")]


async def question(inside):
    return (await inside.ask("inbox"))[0]


async def texts(inside, mission):
    return [message["text"] for message in await inside.ask("messages", id=mission)]


def test_when_it_strays_a_person_is_asked_and_allow_sends_once_and_none_comes_within_the_pause(home, environment):
    """Acceptance 46."""

    async def play(inside, _keeper):
        mission, session = await agent(inside, environment)
        await astray(session, 3)
        asked = await question(inside)
        before = await texts(inside, mission)
        await inside.ask("answer", question=asked["question"], behaviour="allow")
        sent = await texts(inside, mission)
        await astray(session, 50)
        (first, *_), left = events(inside, mission, "steer"), await inside.ask("inbox")
        return asked, before, sent, await texts(inside, mission), left, steers(inside, mission), first["why"]

    asked, before, sent, later, inbox, told, why = story(home, play)
    assert (asked["need"], asked["about"]["kind"], asked["subject"]["does"]) == ("steer", "mission", "message")
    assert asked["summary"].endswith(
        f"? loop: 3 times: {ERROR}; thrash: a.py was edited 5 times, and this still fails: Bash: it"
    )
    assert asked["summary"].endswith(f"? {why}"), "what was found is known after the answer as well"
    assert before == []
    assert sent == later == [asked["subject"]["text"]]
    assert f"> 3 times: {ERROR}" in sent[0]
    assert inbox == []
    assert told == [("message", None), ("message", "unchanged")]


def test_what_is_told_in_a_log_is_cut_between_words():
    assert _shortened("Stop\n and\x1b read") == "Stop and\\x1b read"
    words = " ".join(f"word{number}" for number in range(300))
    *kept, dots = _shortened(words).split(" ")
    assert (dots, kept) == ("...", words.split(" ")[: len(kept)])
    assert LONGEST_TOLD - 10 < len(_shortened(words)) <= LONGEST_TOLD


def test_a_person_may_say_it_in_other_words(home, environment):
    async def play(inside, _keeper):
        mission, session = await agent(inside, environment)
        await astray(session, 3)
        asked = await question(inside)
        await inside.ask("answer", question=asked["question"], behaviour="allow", message="look into carts.py")
        return await texts(inside, mission)

    assert story(home, play) == ["look into carts.py"]


def test_a_person_who_denies_is_not_asked_about_it_for_an_hour(home, environment):
    async def play(inside, _keeper):
        mission, session = await agent(inside, environment)
        await astray(session, 3)
        asked = await question(inside)
        await inside.ask("answer", question=asked["question"], behaviour="deny")
        await astray(session, 200)
        return await texts(inside, mission), await inside.ask("inbox"), steers(inside, mission)

    assert story(home, play) == ([], [], [])


def test_a_denial_holds_over_another_daemon(home, environment):
    async def told():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=ASK) as inside:
            mission, session = await agent(inside, environment)
            await astray(session, 3)
            asked = await question(inside)
            await inside.ask("answer", question=asked["question"], behaviour="deny")
        async with supervising(home, keeper, settings=ASK) as inside:
            again = inside.app.agents.of(mission)
            assert again is not None
            again.receive(TurnBegan())
            await astray(again, 200)
            return await inside.ask("inbox"), await texts(inside, mission)

    assert in_process.run(told()) == ([], [])


def test_a_question_goes_with_its_mission(home, environment):
    async def told():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=ASK) as inside:
            mission, session = await agent(inside, environment)
            await astray(session, 3)
            asked = await question(inside)
            keeper.exit(f"{mission}.1")
            await until(lambda: mission not in inside.app.registry.live)
            assert await inside.ask("inbox") == []
            with pytest.raises(OvermindError) as refusal:
                await inside.ask("answer", question=asked["question"], behaviour="allow")
        keeper.close()
        return refusal.value.code

    assert in_process.run(told()) == "not_found"


def test_a_question_goes_with_the_run_that_it_is_about(home, environment):
    async def play(inside, keeper):
        mission, session = await agent(inside, environment, restart="always", backoff=1)
        await astray(session, 3)
        await question(inside)
        await astray(session, 2 * HEALTH.beat)
        there = len(await inside.ask("inbox"))
        keeper.exit(f"{mission}.1", 1)
        await until(lambda: f"{mission}.2" in keeper.held, "it runs again")
        return there, await inside.ask("inbox")

    assert story(home, play) == (1, [])


def test_a_question_about_silence_goes_with_the_next_sign_of_life_and_the_next_silence_is_asked_about(
    home, environment
):
    async def play(inside, _keeper):
        _, session = await agent(inside, environment)
        numbers = []
        for _ in range(2):
            await until(inside.app.engine_questions.asked_about, "it is silent")
            asked = await question(inside)
            assert asked["subject"]["terms"] == ["silence"]
            numbers.append(asked["question"])
            session.receive(TextSpoken("still here"))
            await asyncio.sleep(2 * HEALTH.beat)
            assert await inside.ask("inbox") == []
        return len(set(numbers))

    assert story(home, play) == 2


@pytest.mark.parametrize("limits", [{}, {"activity_timeout": 900.0}])
def test_a_question_about_silence_goes_once_the_agent_says_that_it_waits(home, environment, limits):
    async def play(inside, _keeper):
        _, session = await agent(inside, environment, **limits)
        await until(inside.app.engine_questions.asked_about, "it is silent")
        session.receive(Asked("", AgentNeed.PERMISSION, "Bash", "make", {}))
        await asyncio.sleep(2 * HEALTH.beat)
        return [one["need"] for one in await inside.ask("inbox")]

    assert story(home, play) == ["permission"]


def test_a_question_about_what_was_frozen_for_it_goes_once_a_person_has_thawed_that(home, environment):
    async def play(inside, _keeper):
        mission, _ = await agent(inside, environment)
        await until(lambda: inside.app.registry.live[mission].status is Status.PAUSED, "it is frozen")
        asked = await question(inside)
        await inside.ask("thaw", id=mission)
        left = await inside.ask("inbox")
        await inside.ask("freeze", id=mission)
        with pytest.raises(OvermindError) as refused:
            await inside.ask("answer", question=asked["question"], behaviour="deny")
        return left, refused.value.code, inside.app.registry.live[mission].status

    assert story(home, play, AUTO) == ([], "not_found", Status.PAUSED)


def test_what_is_asked_to_end_while_it_is_being_frozen_is_thawed_and_is_not_asked_about(home, environment):
    async def play(inside, _keeper):
        await agent(inside, environment)
        done = []

        async def freeze(frozen):
            done.append("freeze")
            inside.app.registry.apply(inside.app.registry.live[frozen.id], EndAsked(Cause.STOP, 10.0))

        async def thaw(_mission):
            done.append("thaw")

        inside.app.trees.freeze, inside.app.trees.thaw = freeze, thaw
        await until(lambda: len(done) > 1, "it is let go")
        return done, await inside.ask("inbox")

    assert story(home, play, AUTO) == (["freeze", "thaw"], [])


def test_by_itself_it_sends_interrupts_freezes_and_then_a_person_decides(home, environment):
    async def play(inside, _keeper):
        mission, session = await agent(inside, environment)
        frozen = asyncio.create_task(
            until(lambda: inside.app.registry.live[mission].status is Status.PAUSED, "it is frozen")
        )
        await astray(session, 50)
        await frozen
        asked = await question(inside)
        shown = (await inside.ask("health", ids=[mission]))["missions"][0]
        await inside.ask("answer", question=asked["question"], behaviour="deny")
        await until(lambda: inside.app.registry.live[mission].status is Status.RUNNING, "it goes on")
        return asked, shown, [rung for rung, outcome in steers(inside, mission) if outcome is None]

    asked, shown, rungs = story(home, play, AUTO)
    assert rungs == ["message", "interrupt", "freeze"]
    assert (asked["need"], asked["subject"]["frozen"], shown["steers"], shown["level"]) == ("steer", True, 3, None)


def test_what_was_sent_is_remembered_by_the_next_daemon(home, environment):
    async def told():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=AUTO) as inside:
            mission, session = await agent(inside, environment)
            await astray(session, 3)
            await inside.app.journal.saved()
        async with supervising(home, keeper, settings=AUTO) as inside:
            found = (await inside.ask("health", ids=[mission]))["missions"][0]["steers"]
        keeper.close()
        return found

    assert in_process.run(told()) == 1


@pytest.mark.parametrize("saved", [False, True], ids=["before it is saved", "right after it is saved"])
def test_a_steer_is_one_message_and_judged_whichever_commit_a_daemon_dies_at(tmp_path, environment, saved):
    """Kill table: a steer decided, sent: one message (request key), judged later."""

    async def dies(at):
        home = Home(str(tmp_path / f"home{at}"))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=AUTO) as inside:
            mission, session = await agent(inside, environment)
            await inside.app.journal.saved()
            mortal = Mortal(inside.app, at, saved=saved)
            for _ in range(6):
                if not mortal.dead:
                    await astray(session, 1)
        async with supervising(home, keeper, settings=AUTO) as inside:
            again = inside.app.agents.of(mission)
            assert again is not None
            told, sent = steers(inside, mission), len(await texts(inside, mission))
            assert sent == sum(outcome is None for _, outcome in told) <= 1, "the event and the message are one commit"
            again.receive(TurnBegan())
            await astray(again, 6)
            if told:
                assert len(await texts(inside, mission)) == 1, "none is sent twice, nor within the pause"
            found = steers(inside, mission)
            assert [outcome is None for _, outcome in found][:2] == [True, False], found
        keeper.close()
        return mortal.dead

    assert in_process.run(at_each_commit(dies)) > 2


def test_a_silent_agent_is_asked_about_once_it_is_stalled_and_a_silent_server_is_not(home, environment):
    async def play(inside, _keeper):
        server = await inside.run("python -m http.server")
        mission, _ = await agent(inside, environment)
        await asyncio.sleep(2.0 * 30)
        asked = await inside.ask("inbox")
        levels = [[event["level"] for event in events(inside, one, "health")] for one in (server, mission)]
        return asked, mission, levels

    asked, mission, levels = story(home, play)
    assert [(one["about"]["id"], one["subject"]["terms"]) for one in asked] == [(mission, ["silence"])]
    assert levels == [[], ["quiet", "stalled", "hung"]]


def test_one_that_stays_silent_after_a_message_is_frozen_and_a_person_is_asked(home, environment):
    async def play(inside, _keeper):
        mission, _ = await agent(inside, environment)
        await until(lambda: inside.app.registry.live[mission].status is Status.PAUSED, "it is frozen")
        (asked,) = await inside.ask("inbox")
        await asyncio.sleep(2.0 * 2)
        return asked["subject"]["frozen"], steers(inside, mission), events(inside, mission, "health")[-1]["level"]

    frozen, told, level = story(home, play, AUTO)
    assert (frozen, told[0], level) == (True, ("message", None), "ok")
    assert ("freeze", None) in told


def test_what_is_off_steers_nobody(home, environment):
    async def play(inside, _keeper):
        mission, session = await agent(inside, environment)
        await astray(session, 5)
        await asyncio.sleep(60.0)
        return await inside.ask("inbox"), steers(inside, mission)

    off = ASK._replace(guardian=ASK.guardian._replace(steer="off"))
    assert story(home, play, off) == ([], [])

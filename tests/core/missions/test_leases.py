"""The supervisor's side of leases: over real books, by a keeper that is scripted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from overmind_core.domain.missions.events import MissionRemoved
from overmind_core.domain.missions.mission import Definition, Restart, RestartPolicy, Status
from overmind_core.errors import OvermindError
from overmind_core.missions.leases import LEASES_FACT, SLACK
from overmind_core.missions.spec import Environment, MissionSpec
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, idle, supervising, until, world

LEASE = 60.0
"""Seconds."""


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path))


def now():
    """The boot clock of these tests."""
    return asyncio.get_running_loop().time()


def spec(*, leased_until, when=Restart.NEVER, parent=None, name="leased"):
    definition = Definition(name, "work", ("/bin/sh", "-c", "work"), "/", restart=RestartPolicy(when), parent=parent)
    return MissionSpec(definition, Environment(world(), {}), leased_until=leased_until)


async def started(inside, **how):
    """Start a mission with a lease; its id."""
    return str((await inside.app.missions.start(spec(**{"leased_until": now() + LEASE} | how))).mission.id)


def sent_leases(keeper):
    """Each message about leases that the keeper has got: run → moment."""
    return [fields["runs"] for fields in keeper.asked["lease"]]


def played(home, play):
    """Run a story with one supervisor."""

    async def whole():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            found = await play(inside, keeper)
        keeper.close()
        return found

    return in_process.run(whole())


# --- giving, moving and taking off --------------------------------------------------------------------------------


def test_a_run_gets_its_lease_at_its_start(home):
    async def story(inside, keeper):
        end = now() + LEASE
        mission = await started(inside, leased_until=end)
        other = await inside.run("other")
        assert keeper.held[f"{mission}.1"]["lease"] == end
        assert keeper.held[f"{other}.1"]["lease"] is None
        assert "lease" not in keeper.asked["spawn"][-1], "who has none costs nothing"
        assert inside.app.leases.until(inside.app.registry.live[mission]) == end
        assert inside.app.leases.until(inside.app.registry.live[other]) is None

    played(home, story)


def test_a_lease_may_be_given_to_what_runs_and_to_what_is_to_come(home):
    async def story(inside, keeper):
        mission = await inside.run("work")
        inside.app.leases.hold(mission, 100.0)
        await idle()
        assert sent_leases(keeper) == [{f"{mission}.1": 100.0}]
        inside.app.leases.hold("abcdef01", 200.0)
        await idle()
        assert len(sent_leases(keeper)) == 1
        spawned = spec(leased_until=None)
        await inside.app.missions.start_child(replace(spawned, request="key"), mission_id="abcdef01")
        assert keeper.held["abcdef01.1"]["lease"] == 200.0

    played(home, story)


def test_many_leases_move_in_one_message(home):
    async def story(inside, keeper):
        missions = [await started(inside, name=f"leased{number}") for number in range(5)]
        unleased = await inside.run("other")
        inside.app.leases.renew({mission: 300.0 + number for number, mission in enumerate(missions)})
        await idle()
        assert sent_leases(keeper) == [{f"{mission}.1": 300.0 + number for number, mission in enumerate(missions)}]
        inside.app.leases.renew({missions[0]: 150.0})
        await idle()
        assert keeper.held[f"{missions[0]}.1"]["lease"] == 150.0, "earlier, too"
        assert keeper.held[f"{unleased}.1"]["lease"] is None

    played(home, story)


def test_a_lease_that_is_taken_off_ends_nothing(home):
    async def story(inside, keeper):
        mission = await started(inside)
        inside.app.leases.release([mission])
        await idle()
        assert sent_leases(keeper) == [{f"{mission}.1": None}]
        await asyncio.sleep(2 * LEASE)
        assert inside.app.registry.live[mission].status is Status.RUNNING

    played(home, story)


def test_a_mission_lends_its_lease_to_all_that_it_has_started(home):
    async def story(inside, keeper):
        mission = await started(inside)
        child = await inside.run("child", parent=mission)
        grandchild = await inside.run("grandchild", parent=child)
        assert keeper.held[f"{grandchild}.1"]["lease"] == LEASE
        inside.app.leases.renew({mission: 300.0})
        await idle()
        assert [keeper.held[f"{one}.1"]["lease"] for one in (mission, child, grandchild)] == [300.0] * 3
        inside.app.leases.hold(child, 200.0)
        await idle()
        assert [keeper.held[f"{one}.1"]["lease"] for one in (mission, child, grandchild)] == [300.0, 200.0, 200.0]
        inside.app.leases.release([mission])
        await idle()
        assert [keeper.held[f"{one}.1"]["lease"] for one in (mission, child, grandchild)] == [None, 200.0, 200.0]

    played(home, story)


@pytest.mark.parametrize("moved", [300.0, None])
def test_a_lease_that_moves_while_its_run_begins_is_told_behind_the_start(home, moved):
    async def story(inside, keeper):
        def move(fields):
            mission = fields["run"].partition(".")[0]
            leases = inside.app.leases
            leases.release([mission]) if moved is None else leases.renew({mission: moved})
            keeper.held[fields["run"]]["lease"] = fields["lease"]  # the keeper starts what it was told before

        keeper.on_ask["spawn"] = move
        mission = await started(inside)
        await idle()
        assert keeper.held[f"{mission}.1"]["lease"] == moved

    played(home, story)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_a_person_ends_has_no_lease_any_more(home, end):
    async def story(inside, keeper):
        keeper.on_ask["purge"] = lambda fields: keeper.exit(fields["run"], -9)
        mission = await started(inside)
        await inside.ask(end, id=mission, **({"grace": 0.0} if end == "stop" else {}))
        assert dict(inside.app.leases.held) == {}
        await inside.ask("restart", id=mission)
        assert keeper.held[f"{mission}.2"]["lease"] is None

    played(home, story)


def test_a_removed_mission_has_no_lease(home):
    async def story(inside, _keeper):
        inside.app.leases.hold("abcdef01", 100.0)
        inside.app.leases.on_removal(MissionRemoved(mission="abcdef01"))
        return dict(inside.app.leases.held)

    assert played(home, story) == {}


def test_an_older_keeper_gets_no_lease_to_hold(home):
    async def story(inside, _keeper):
        inside.app.line.hello.pop("leases")
        with pytest.raises(OvermindError, match="older Overmind") as refusal:
            await started(inside)
        assert refusal.value.code == "busy"
        assert inside.app.registry.live == {}
        assert dict(inside.app.leases.held) == {}

    played(home, story)


def test_a_start_that_fails_leaves_no_lease_behind(home):
    async def story(inside, _keeper):
        nowhere = replace(spec(leased_until=now() + LEASE).definition, cwd="/nowhere/at/all")
        with pytest.raises(OvermindError):
            await inside.app.missions.start(replace(spec(leased_until=now() + LEASE), definition=nowhere))
        return dict(inside.app.leases.held)

    assert played(home, story) == {}


# --- the end of a lease -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", list(Restart))
def test_a_fenced_run_is_killed_and_never_started_again(home, when):
    async def story(inside, keeper):
        mission = await started(inside, when=when)
        keeper.fence(f"{mission}.1")
        ended = await inside.app.registry.ended(mission)
        assert (ended.status, ended.reason, ended.run) == (Status.KILLED, "fenced", 1)
        (stopping,) = (event for event in inside.events(mission) if event["type"] == "stopping")
        assert (stopping["cause"], stopping["text"]) == ("fenced", "--- killed: its lease has ended ---")
        await asyncio.sleep(2 * LEASE)
        assert len(keeper.asked["spawn"]) == 1
        with pytest.raises(OvermindError) as refusal:
            await inside.ask("restart", id=mission)
        assert refusal.value.code == "fenced"

    played(home, story)


def test_leases_of_what_has_ended_are_not_kept_for_ever_but_those_of_queued_quests_are(home):
    async def story(inside, keeper):
        index = inside.app.registry.index
        index.hold("quest", "abcdef01")
        inside.app.leases.hold("abcdef01", 3.0)
        ended, lives = await started(inside, name="ended"), await started(inside, name="lives")
        keeper.exit(f"{ended}.1", 0)
        await inside.app.registry.ended(ended)
        await asyncio.sleep(5.0)
        inside.app.leases.renew({lives: 300.0})
        assert set(inside.app.leases.held) == {"abcdef01", ended, lives}
        await asyncio.sleep(LEASE)
        inside.app.leases.renew({lives: 900.0})
        assert set(inside.app.leases.held) == {"abcdef01", lives}

    played(home, story)


def test_a_fence_overrides_a_stop_that_is_under_way(home):
    async def story(inside, keeper):
        mission = await started(inside)
        stopping = asyncio.create_task(inside.ask("stop", id=mission, grace=30.0))
        await until(lambda: inside.app.registry.live[mission].status is Status.STOPPING)
        keeper.fence(f"{mission}.1")
        await stopping
        ended = inside.app.registry.get(mission)
        assert (ended.status, ended.reason) == (Status.KILLED, "fenced")
        with pytest.raises(OvermindError, match="another machine may have taken its work"):
            await inside.ask("restart", id=mission)

    played(home, story)


def test_a_keeper_that_stands_still_is_not_waited_for(home):
    async def story(inside, keeper):
        keeper.on_ask["purge"] = lambda fields: keeper.exit(fields["run"], -9)
        mission = await started(inside)
        ended = await inside.app.registry.ended(mission)
        assert (ended.status, ended.reason) == (Status.KILLED, "fenced")
        assert LEASE + SLACK <= now() < LEASE + SLACK + 0.5

    played(home, story)


def test_a_lease_that_ends_before_the_next_run_begins_ends_the_mission(home):
    async def story(inside, keeper):
        mission = await started(inside, when=Restart.ALWAYS)
        inside.app.leases.renew({mission: 10.0})
        live = inside.app.registry.live
        policy = replace(live[mission].definition.restart, backoff=30.0)
        await inside.app.missions.redefine(live[mission], replace(live[mission].definition, restart=policy))
        keeper.exit(f"{mission}.1", 1)
        await until(lambda: live[mission].status is Status.RESTARTING)
        ended = await inside.app.registry.ended(mission)
        assert (ended.status, ended.reason, ended.run) == (Status.KILLED, "fenced", 1)
        assert now() < 10.0 + 2 * SLACK
        await asyncio.sleep(60.0)
        assert len(keeper.asked["spawn"]) == 1

    played(home, story)


def test_a_spawn_whose_lease_has_ended_is_never_started(home):
    async def story(inside, keeper):
        await asyncio.sleep(5.0)
        mission = await started(inside, leased_until=4.0, when=Restart.ALWAYS)
        ended = inside.app.registry.get(mission)
        assert (ended.status, ended.reason, ended.pid) == (Status.KILLED, "fenced", None)
        assert keeper.held == {}
        assert inside.app.registry.newest_run(mission) is None
        await asyncio.sleep(60.0)
        assert len(keeper.asked["spawn"]) == 1

    played(home, story)


def test_a_lease_that_has_ended_is_never_renewed(home):
    async def story(inside, keeper):
        mission = await started(inside, leased_until=now() + 5.0)
        await asyncio.sleep(5.1)
        inside.app.leases.renew({mission: now() + LEASE})
        assert inside.app.leases.has_ended(inside.app.registry.live[mission])
        assert sent_leases(keeper) == []

    played(home, story)


# --- the next supervisor ------------------------------------------------------------------------------------------


def test_the_next_supervisor_learns_from_the_keeper_and_goes_on(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await started(first)
            child = await first.run("child", parent=mission)
            first.app.leases.renew({mission: 70.0})  # too little to be stored
            await idle()
            first.app.journal.flush()
        async with supervising(home, keeper) as second:
            live = second.app.registry.live
            assert second.app.leases.until(live[mission]) == second.app.leases.until(live[child]) == 70.0
            second.app.leases.renew({mission: 300.0})
            await idle()
            assert keeper.held[f"{child}.1"]["lease"] == 300.0
            await asyncio.sleep(100.0)
            assert live[mission].status is Status.RUNNING
        keeper.close()

    in_process.run(story())


def test_a_run_that_was_fenced_while_nobody_supervised_was_fenced(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await started(first, when=Restart.ALWAYS)
            first.app.journal.flush()
        keeper.fence(f"{mission}.1")
        async with supervising(home, keeper) as second:
            ended = await second.app.registry.ended(mission)
            assert (ended.status, ended.reason, ended.run) == (Status.KILLED, "fenced", 1)
        keeper.close()

    in_process.run(story())


def test_a_tree_that_is_being_fenced_when_the_next_supervisor_comes_is_no_run_to_adopt(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await started(first, when=Restart.ALWAYS)
            first.app.journal.flush()
        keeper.held[f"{mission}.1"] |= {"fenced": True, "lease": None}
        keeper.on_ask["purge"] = lambda fields: keeper.exit(fields["run"], -9)
        async with supervising(home, keeper) as second:
            ended = await second.app.registry.ended(mission)
            assert (ended.status, ended.reason) == (Status.KILLED, "fenced")
        keeper.close()

    in_process.run(story())


@pytest.mark.parametrize("is_journalled", [False, True])
def test_a_leased_run_that_is_lost_with_its_keeper_is_final_too(home, is_journalled):
    """Nobody holds its lease any more; what the journal of exits says of its end counts."""

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await started(first, when=Restart.ALWAYS)
            child = await first.run("child", parent=mission, restart="always")
            other = await first.run("other")
            first.app.journal.flush()
        if is_journalled:
            keeper.fence(f"{mission}.1")
        another = ScriptedKeeper(home, number=2)
        async with supervising(home, another) as second:
            for one in (mission, child):
                ended = await second.app.registry.ended(one)
                assert (ended.status, ended.reason) == (Status.KILLED, "fenced")
            lost = await second.app.registry.ended(other)
            assert (lost.status, lost.reason) == (Status.CRASHED, "keeper_lost")
            assert another.asked["spawn"] == []
        keeper.close()

    in_process.run(story())


@pytest.mark.parametrize(("renewed", "is_stored"), [(70.0, False), (200.0, True), (30.0, True)])
def test_a_move_is_stored_where_much_of_the_lease_would_be_lost_or_it_is_earlier(home, renewed, is_stored):
    async def story(inside, _keeper):
        mission = await started(inside)
        inside.app.leases.renew({mission: renewed})
        await inside.app.journal.saved()
        stored = inside.app.state.meta.get(LEASES_FACT)
        assert stored is not None
        assert (f'"{mission}":{renewed}' in stored) is is_stored

    played(home, story)


def test_after_a_restart_of_the_machine_all_leases_have_ended(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            waiting = await started(first, when=Restart.ALWAYS)
            keeper.exit(f"{waiting}.1", 1)
            await until(lambda: first.app.registry.live[waiting].status is Status.RESTARTING)
            text = first.app.state.meta.get(LEASES_FACT)
            assert text is not None
            other_boot = text.replace(first.app.registry.boot, "another")
            first.app.journal.save(lambda: first.app.state.meta.save(LEASES_FACT, other_boot))
            first.app.journal.flush()
        async with supervising(home, ScriptedKeeper(home, number=2)) as second:
            ended = await second.app.registry.ended(waiting)
            assert (ended.status, ended.reason, ended.run) == (Status.KILLED, "fenced", 1)
        keeper.close()

    in_process.run(story())


def test_a_supervisor_that_has_left_fences_nobody(home):
    async def story(inside, _keeper):
        mission = await started(inside)
        inside.app.leases.cancel()
        await asyncio.sleep(2 * LEASE)
        found: Any = inside.app.registry.live[mission]
        return found.status, found.ending

    assert played(home, story) == (Status.RUNNING, None)

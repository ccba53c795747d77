"""How much is kept, and how much may wait: the numbers that docs/ promises, told here by themselves."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from overmind_core.domain.missions.mission import Status
from overmind_core.domain.quests.quest import Quest, QuestStatus
from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.kernel.database import Database, DiskFull, StoreUnavailable
from overmind_core.logs.time_index import RECORD
from overmind_core.missions import retention
from overmind_core.quests import store
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

LOG = 1000
"""Bytes of each log here, with its index."""
LARGE = 1 << 40


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path / "home"))


# --- logs ---------------------------------------------------------------------------------------------------------


async def writing(inside, keeper, command):
    """A mission that has written a log."""
    mission = await inside.run(command)
    keeper.write(f"{mission}.1", b"x" * (LOG - 3 * RECORD.size))
    return mission


async def ended(inside, keeper, command):
    """The same, ended; a second passes."""
    mission = await writing(inside, keeper, command)
    keeper.exit(f"{mission}.1")
    await until(lambda: mission not in inside.app.registry.live)
    await asyncio.sleep(1)
    return mission


def test_all_logs_take_no_more_than_is_set_and_never_more_than_a_tenth_of_the_disk(home, monkeypatch):
    """Those go first that ended first, and what lives stays."""
    steps = [
        # bytes of the disk, bytes that are set, whose logs are left
        (LARGE, LARGE, ["one", "two", "three", "live"]),
        (LARGE, 4 * LOG, ["one", "two", "three", "live"]),
        (40 * LOG, LARGE, ["one", "two", "three", "live"]),
        (40 * LOG - 1, LARGE, ["two", "three", "live"]),
        (LARGE, 3 * LOG - 1, ["three", "live"]),
        (0, LARGE, ["live"]),
    ]

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            names = {await ended(inside, keeper, name): name for name in ("one", "two", "three")}
            names[await writing(inside, keeper, "live")] = "live"
            assert [retention.folder_size(f"{home.logs}/{mission}") for mission in names] == [LOG] * 4
            for disk, total, left in steps:
                monkeypatch.setattr(os, "statvfs", lambda _, disk=disk: SimpleNamespace(f_blocks=disk, f_frsize=1))
                inside.app.retention._settings = Settings(log_total=total)
                await inside.app.retention.tidy()
                kept = [name for mission, name in names.items() if retention.folder_size(f"{home.logs}/{mission}")]
                told = [name for mission, name in names.items() if "log_removed" in inside.event_types(mission)]
                assert kept == left, (disk, total)
                assert told == [name for name in names.values() if name not in left]
        keeper.close()

    in_process.run(story())


def test_a_log_without_a_record_is_never_removed_but_that_of_a_removed_mission_is(home):
    """A removal may have been cut off between the record and the folder."""

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            gone = await ended(inside, keeper, "gone")
            await inside.ask("rm", id=gone)
        keeper.close()
        for name in (gone, "f00dcafe"):
            os.makedirs(f"{home.logs}/{name}/000001")
        async with supervising(home, ScriptedKeeper(home, number=2)) as inside:
            before = inside.app.unrecorded.names()
            await inside.app.retention.tidy()
            return before, os.listdir(home.logs), inside.app.unrecorded.problem()

    before, after, problem = in_process.run(story())
    assert before == after == ["f00dcafe"]
    assert problem is not None
    assert problem.startswith("1 log folder has no record (f00dcafe)")


def test_a_log_without_a_record_pushes_out_no_other(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await ended(inside, keeper, "one")
        keeper.close()
        os.makedirs(f"{home.logs}/f00dcafe/000001")
        await asyncio.to_thread(Path(f"{home.logs}/f00dcafe/000001/out.0").write_bytes, b"x" * 9 * LOG)
        settings = Settings(log_total=2 * LOG)
        async with supervising(home, ScriptedKeeper(home, number=2), settings=settings) as inside:
            await inside.app.retention.tidy()
            return retention.folder_size(f"{home.logs}/{mission}"), inside.app.unrecorded.problem()

    size, problem = in_process.run(story())
    assert size == LOG
    assert problem is not None
    assert problem.endswith(": no limit counts or removes them")


@pytest.mark.parametrize("failure", [DiskFull, StoreUnavailable])
def test_a_removal_is_told_as_done_although_the_state_can_give_back_no_room(home, monkeypatch, failure):
    """As on a full disk: the records and the logs are gone already."""

    def tidy(database):
        raise failure(database.path, "no room")

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            one, two = [await ended(inside, keeper, name) for name in ("one", "two")]
            monkeypatch.setattr(Database, "tidy", tidy)
            removed = await inside.ask("rm", id=one)
            pruned = await inside.ask("prune")
        keeper.close()
        return removed["id"] == one, [row["id"] for row in pruned["missions"]] == [two], os.listdir(home.logs)

    assert in_process.run(story()) == (True, True, [])


def test_records_over_the_limit_go_soon_after_too_many_have_ended(home):
    """Not only with the next look, which may be ten minutes off."""

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=Settings(finished=3)) as inside:
            looking = asyncio.ensure_future(inside.app.retention.keep_bounded())
            await asyncio.sleep(retention.FIRST_SECONDS + retention.SOON_SECONDS + 1)
            missions = [await ended(inside, keeper, f"number {number}") for number in range(6)]
            await asyncio.sleep(2 * retention.SOON_SECONDS)
            assert [row["id"] for row in await inside.ask("ps")] == missions[-3:]
            looking.cancel()
        keeper.close()

    in_process.run(story())


def test_no_removal_takes_away_a_mission_below_which_another_lives(home):
    """A cascade would miss what is below it, and so would the limits and the cost of its tree."""

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=Settings(finished=0)) as inside:
            live = inside.app.registry.live

            def is_stopping(mission):
                return live[mission].status is Status.STOPPING

            boss = await inside.run("boss")
            between = await inside.run("between", name="between", parent=boss)
            below = await inside.run("below", name="below", parent=between)
            keeper.exit(f"{between}.1")
            await inside.app.registry.ended(between)
            await asyncio.sleep(1)
            await inside.app.retention.tidy()
            pruned = await inside.ask("prune")
            with pytest.raises(OvermindError) as refused:
                await inside.ask("rm", id="between")
            assert await inside.app.retention.remove([between]) == []
            killing = asyncio.ensure_future(inside.ask("kill", id=boss, cascade=True))
            for one in (below, boss):
                await until(partial(is_stopping, one))
                keeper.exit(f"{one}.1", -9)
            killed = [one["id"] for one in (await killing)["killed"]]
            await asyncio.sleep(1)
            rest = await inside.ask("prune")
        keeper.close()
        return boss, between, below, pruned, refused.value, killed, rest

    boss, between, below, pruned, refusal, killed, rest = in_process.run(story())
    assert pruned["missions"] == []
    assert pruned["note"] == "Kept, as missions below them live: between. See: overmind ps --all --tree"
    assert refusal.code == "not_finished"
    assert refusal.message == (
        f"Mission {below} (below) is running. It descends from between. "
        f"Stop it first, with all below between: overmind stop {between} --cascade"
    )
    assert killed == [below, boss]
    assert {one["id"] for one in rest["missions"]} == {boss, between, below}


def test_what_has_ended_since_a_dry_run_is_not_removed_by_what_follows_it(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            before = await ended(inside, keeper, "before")
            planned = await inside.ask("prune", dry_run=True)
            await ended(inside, keeper, "since")
            removed = await inside.ask("prune", as_of=planned["as_of"])
        keeper.close()
        return before, planned, removed

    before, planned, removed = in_process.run(story())
    assert [one["id"] for one in removed["missions"]] == [before]
    assert removed == planned


def test_what_is_started_again_while_it_is_removed_was_not_removed(home, monkeypatch):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await ended(inside, keeper, "again")

            async def release(_missions):
                await inside.ask("restart", id=mission)
                return []

            monkeypatch.setattr(inside.app.isolation, "release", release)
            with pytest.raises(OvermindError, match="It was started again meanwhile") as refused:
                await inside.ask("rm", id=mission)
            lives = mission in inside.app.registry.live
        keeper.close()
        return refused.value.code, lives

    assert in_process.run(story()) == ("not_finished", True)


# --- lists --------------------------------------------------------------------------------------------------------


def test_a_list_of_the_recent_ones_has_all_that_live_all_that_were_lost_and_the_newest_that_have_ended(home):
    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            live = await writing(inside, keeper, "live")
            lost = await ended(inside, keeper, "lost")
            gone = inside.app.registry.get(lost)
            assert gone is not None
            inside.app.registry.put(replace(gone, status=Status.CRASHED, reason="keeper_lost"))
            missions = [await ended(inside, keeper, f"number {number}") for number in range(4)]

            async def listed(**wanted):
                return {row["id"] for row in await inside.ask("ps", **wanted)}

            assert await listed(recent=2) == {live, lost, *missions[-2:]}
            assert await listed(recent=0) == {live, lost}
            for wanted in ({}, {"recent": 2, "all": True}):
                assert await listed(**wanted) == {live, lost, *missions}
            assert await listed(recent=0, status=["stopped"]) == set(missions)
        keeper.close()

    in_process.run(story())


# --- quests -------------------------------------------------------------------------------------------------------


def test_the_last_thousand_quests_are_remembered(home):
    """Also by supervisors each of which sees few of them end."""
    known = [
        Quest(f"{number:08x}", f"q{number}", "true", "/", "raw", number, status=QuestStatus.COMPLETED, ended_at=number)
        for number in range(1, 1101)
    ]

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            quests = inside.app.state.quests
            with inside.app.state.transaction():
                for quest in known:
                    quests.save(store.row(quest))
            running = (await inside.ask("quest_run", command="work", cwd="/", env=world()))["id"]
            await asyncio.sleep(1)
            newest = (await inside.ask("quest_run", command="work", cwd="/", env=world()))["id"]
            keeper.exit(f"{newest}.1")
            await inside.app.quests.end_of(newest)
            listed = [row["id"] for row in await inside.ask("quests", limit=5000)]
            assert [row["id"] for row in await inside.ask("quests", limit=3)] == listed[-3:]
            ended = await inside.ask("quests", limit=2, status=["completed"])
            assert [row["id"] for row in ended] == [listed[-3], newest]
        keeper.close()
        assert listed == [*(quest.id for quest in known[-999:]), running, newest]

    in_process.run(story())


# --- messages -----------------------------------------------------------------------------------------------------


def test_at_most_a_thousand_messages_wait_for_an_agent(home, tmp_path):
    environment = world(str(tmp_path / "bin"), "claude")

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as inside:
            mission = await inside.run("", type="session", provider="claude", env=environment)
            await inside.ask("send", id=mission, text="in its hands")

            async def sent():
                try:
                    await inside.ask("send", id=mission, text="waits")
                except OvermindError as error:
                    return error.code, error.message
                return "", ""

            results = await asyncio.gather(*(sent() for _ in range(1010)))  # in one turn, as of many clients
            refused = [one for one in results if one != ("", "")]
            assert refused == [("busy", f"1000 messages are already waiting for mission {mission}.")] * 10
            assert (await sent())[0] == "busy"
            states = [one["text"] for one in await inside.ask("messages", id=mission)]
            assert states == ["in its hands", *["waits"] * 1000]
        keeper.close()

    in_process.run(story())

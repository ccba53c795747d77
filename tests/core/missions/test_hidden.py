"""A mission that was killed once it had ended: hidden, and as it ended; over real books, by a scripted keeper."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel.config import Settings
from overmind_core.kernel.database import StoreCorrupt
from overmind_core.missions.terminator import LISTED, RESWEEP_SECONDS, listed
from overmind_core.system.paths import Home
from overmind_core.system.sweep import DAEMON, NamedProcess, Sweep
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising, until, world

OLDER = """UPDATE missions SET status = 'killed',
    record = json_remove(json_set(record, '$.status', 'killed'), '$.hidden')"""
"""What an older program has made of such missions."""
LISTS: list[tuple[dict[str, Any], bool]] = [
    # arguments of `ps`, whether it lists the mission
    ({}, False),
    ({"recent": 10}, False),
    ({"all": True}, True),
    ({"all": True, "status": ["crashed"]}, True),
    ({"status": ["crashed"]}, False),
    ({"status": ["killed"]}, False),
    ({"all": True, "status": ["stopped", "killed"]}, False),
    ({"outcome": ["failed"]}, True),
]


def test_a_kill_tries_once_more_what_could_not_be_ended_and_so_does_the_next_supervisor(tmp_path, monkeypatch):
    stubborn = [NamedProcess(4711, "server")]
    tried: list[list[str]] = []

    def end(sweep, **_how):
        tried.append([target.run for target in sweep.targets])
        return {target.run: [*stubborn] for target in sweep.targets if stubborn}

    monkeypatch.setattr(Sweep, "end", end)

    async def killed(inside, mission):
        try:
            return (await inside.ask("kill", id=mission))["hidden"]
        except OvermindError as error:
            return error.code

    async def story():
        home = Home(str(tmp_path))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await first.run("sleep 500")
            await until(lambda: first.app.registry.live[mission].pid, "it runs")
            answers = [await killed(first, mission), await killed(first, mission)]
            stubborn.clear()
            answers.append(await killed(first, mission))
            told = [(await first.ask("info", id=mission))["survivors"]]
            stubborn.append(NamedProcess(4711, "server"))
            other = await first.run("sleep 500")
            await until(lambda: first.app.registry.live[other].pid, "it runs")
            answers.append(await killed(first, other))
        async with supervising(home, keeper) as second:
            told.append((await second.ask("info", id=other))["survivors"])
            stubborn.clear()
            await asyncio.sleep(RESWEEP_SECONDS + 1)
            told.append((await second.ask("info", id=other))["survivors"])
        keeper.close()
        return mission, other, answers, told

    mission, other, answers, told = in_process.run(story())
    assert answers == ["survivors", "survivors", [], "survivors"], "killed it was by the first"
    assert told == [[], ["4711 server"], []]
    assert tried == [[f"{mission}.1"]] * 3 + [[f"{other}.1"]] * 2


@pytest.mark.parametrize(
    ("survivors", "end"),
    [
        (["server"], ""),
        (["overmind (a daemon of /a b, PID 4711)"], " End the daemon with: overmind --home '/a b' shutdown"),
        (
            [*(f"overmind {DAEMON.format(home=home, pid=7)}" for home in ("/a", "/b", "/a"))],
            " End the daemons with: overmind --home /a shutdown; overmind --home /b shutdown",
        ),
        ([f"server {number}" for number in range(LISTED + 2)], ""),
    ],
)
def test_a_shutdown_names_what_could_not_be_ended_and_what_ends_a_daemon_of_another_home(
    tmp_path, monkeypatch, survivors, end
):
    stubborn = [NamedProcess(4711, one) for one in survivors]
    monkeypatch.setattr(Sweep, "end", lambda sweep, **_how: {one.run: stubborn for one in sweep.targets})

    async def play(inside, _keeper):
        mission = await inside.run("sleep 500", name="api")
        await until(lambda: inside.app.registry.live[mission].pid, "it runs")
        with pytest.raises(OvermindError):
            await inside.ask("kill", id=mission)
        return (await inside.ask("shutdown"))["note"]

    told = listed([f"4711 {one}" for one in survivors])
    note = in_process.played(Home(str(tmp_path)), play, Settings())
    assert note == f"Processes of api could not be ended: {told}.{end}"


def test_a_shutdown_over_a_damaged_state_tells_less_and_the_daemon_leaves(tmp_path, monkeypatch):
    def damaged(*_):
        raise StoreCorrupt("state.db", "malformed")

    async def left():
        damaged()

    async def play(inside, _keeper):
        monkeypatch.setattr(inside.app.registry.mission_table, "with_survivors", damaged)
        monkeypatch.setattr(inside.app.missions.left_processes, "all", left)
        answer = await inside.ask("shutdown")
        return answer.get("note"), inside.app.phase.leaving.is_set()

    assert in_process.played(Home(str(tmp_path)), play, Settings()) == (None, True)


def test_a_kill_before_a_removal_is_about_what_would_be_removed(tmp_path, monkeypatch):
    """Not about a live mission whose id begins with the word, and about none of several that have had the name."""

    async def ended(inside, keeper, name):
        mission = await inside.run("true", name=name)
        keeper.exit(f"{mission}.1")
        await inside.app.registry.ended(mission)
        return mission

    async def play(inside, keeper):
        monkeypatch.setattr(inside.app.missions, "new_id", iter(("addc0ffe", "bbbbbbb1", "bbbbbbb2")).__next__)
        live = await inside.run("sleep 500", name="live")
        first = await ended(inside, keeper, "add")
        killed = await inside.ask("kill", id="add", alone=True)
        await ended(inside, keeper, "add")
        with pytest.raises(OvermindError) as refused:
            await inside.ask("kill", id="add", alone=True)
        return live in inside.app.registry.live, first, killed["hidden"], refused.value.code

    lives, first, hidden, code = in_process.played(Home(str(tmp_path)), play, Settings())
    assert (lives, hidden, code) == (True, [first], "ambiguous")


def test_the_ended_work_of_a_quest_that_goes_on_is_neither_stopped_nor_hidden_and_its_quest_is_named(tmp_path):
    async def play(inside, keeper):
        quest = {"title": "v1", "name": "v1", "command": "true", "check": "sleep 60", "isolate": False}
        added = await inside.ask("quest_add", quests=[quest], cwd=str(tmp_path), env=world())
        work = added["quests"][0]["id"]
        await until(lambda: f"{work}.1" in keeper.held, "it works")
        keeper.exit(f"{work}.1")
        check = await until(lambda: inside.app.quest_registry.live[work].check_id, "it is checked")
        await until(lambda: f"{check}.1" in keeper.held, "the check runs")
        said = []
        for operation in ("stop", "kill"):
            with pytest.raises(OvermindError) as refused:
                await inside.ask(operation, id=work)
            said.append((refused.value.code, refused.value.message))
        hidden = (await inside.ask("info", id=work))["hidden"]
        keeper.exit(f"{check}.1")
        await until(lambda: work not in inside.app.quest_registry.live, "it is done")
        return work, said, hidden, (await inside.ask("kill", id=work))["hidden"]

    work, said, hidden, later = in_process.played(Home(str(tmp_path / "home")), play, Settings())
    ended = f"The work of mission {work} (v1) has ended."
    goes_on = "Its quest goes on (checking). Cancel it with: overmind quest cancel v1"
    assert said == [("not_running", f"{ended} {goes_on}")] * 2
    assert (hidden, later) == (False, [work])


def _make_older(database):
    database.write(OLDER, ())


@pytest.mark.parametrize("older", [False, True], ids=["of today", "stored by an older program"])
def test_what_was_killed_after_its_end_is_hidden_and_keeps_how_it_ended(tmp_path, older):
    async def story():
        home = Home(str(tmp_path))
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await first.run("exit 3")
            keeper.exit(f"{mission}.1", 3)
            before = (await first.app.registry.ended(mission)).status
            killed = await first.ask("kill", id=mission)
            first.app.journal.flush()
            if older:
                first.app.journal.save(partial(_make_older, first.app.state.database))
                await first.app.journal.saved()
        async with supervising(home, keeper) as second:
            info = await second.ask("info", id=mission)
            end = [item async for item in second.stream("wait", ids=[mission])][-1]
            listed = [[row["id"] for row in await second.ask("ps", **arguments)] for arguments, _ in LISTS]
            counts = (await second.ask("status"))["missions"]
            with pytest.raises(OvermindError, match="already ended: failed"):
                await second.ask("stop", id=mission)
            await second.ask("restart", id=mission)
            again = await second.ask("ps")
        keeper.close()
        assert killed["hidden"] == [mission]
        assert {name: count for name, count in counts.items() if count} == {"crashed": 1, "total": 1}
        assert [bool(ids) for ids in listed] == [is_listed for _, is_listed in LISTS]
        for told in (info, end):
            assert (told["status"], told["exit_code"], told["outcome"]) == (before, 3, "failed")
        assert info["hidden"]
        assert [(row["id"], row["hidden"]) for row in again] == [(mission, False)]

    in_process.run(story())

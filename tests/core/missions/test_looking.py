"""Whoever looks at a mission is no sign of life of it: over real books, by a keeper that is scripted."""

from __future__ import annotations

import asyncio
import os
import shutil

import pytest

from overmind_core.domain.missions.mission import Status
from overmind_core.domain.text.moment import format_time
from overmind_core.errors import OvermindError
from overmind_core.kernel.bus import Bus
from overmind_core.kernel.config import Settings
from overmind_core.logs.layout import run_folder
from overmind_core.missions.changes import Extent
from overmind_core.missions.output_progress import OutputProgress
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.clock import FakeClock
from tests.kit.in_process import ScriptedKeeper, played, supervising

LIMIT = 8.0
"""Seconds of silence that a mission is given."""
LOOKED = 5.0
"""Seconds after its only output at which somebody looks."""
SOON = 1.5
"""Seconds until the end of a mission whose limit is over is saved."""
DOORS = [("logs", {"follow": True}), ("subscribe", {}), ("logs", {}), ("info", {}), ("ps", {}), ("health", {})]


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path))


async def look(inside, mission, command, arguments):
    """Look, and look away."""
    who = {"id": mission} if command == "info" else {"ids": [mission]}
    await inside.ask(command, **who, **arguments)
    await in_process.idle()


@pytest.mark.parametrize(("command", "arguments"), DOORS, ids=lambda part: str(part) if part else "")
def test_looking_at_a_silent_mission_neither_postpones_its_end_nor_moves_its_last_activity(home, command, arguments):
    async def play(inside, keeper):
        mission = await inside.run("echo h; sleep 900", activity_timeout=LIMIT)
        keeper.write(f"{mission}.1", b"h")
        before = (await inside.ask("info", id=mission))["last_activity_at"]
        await asyncio.sleep(LOOKED)
        await look(inside, mission, command, arguments)
        after = (await inside.ask("info", id=mission))["last_activity_at"]
        await asyncio.sleep(LIMIT - LOOKED + SOON)
        return before, after, inside.app.registry.live[mission].status

    before, after, status = played(home, play, Settings())
    assert after == before
    assert status is Status.STOPPING


def test_who_follows_a_mission_over_a_new_supervisor_does_not_make_it_active(home):
    """A client that has lost its daemon follows the log again at the next one."""

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper) as first:
            mission = await first.run("echo h; sleep 900", activity_timeout=LIMIT)
            keeper.write(f"{mission}.1", b"h")
            before = (await first.ask("info", id=mission))["last_activity_at"]
            await asyncio.sleep(LOOKED)
        async with supervising(home, keeper) as second:
            await look(second, mission, "logs", {"follow": True})
            after = (await second.ask("info", id=mission))["last_activity_at"]
        keeper.close()
        return before, after

    before, after = in_process.run(story())
    assert after == before


ENDS = ["by itself", "to be restarted", "killed", "killed while frozen"]


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("wrote", [True, False])
def test_the_last_activity_of_one_that_has_ended_is_not_its_end(home, how, wrote):
    async def play(inside, keeper):
        mission = await inside.run("echo h; sleep 900", restart="always" if how == "to be restarted" else "never",
                                   backoff=60_000)  # fmt: skip
        run = f"{mission}.1"
        began = inside.app.registry.live[mission].run_started_at
        await asyncio.sleep(LOOKED)
        if wrote:
            keeper.write(run, b"h")
            _date(home, run, began + LOOKED)
        await asyncio.sleep(LOOKED)
        before = (await inside.ask("info", id=mission))["last_activity_at"]
        if how == "killed while frozen":
            await inside.ask("freeze", id=mission)
            await asyncio.sleep(LOOKED)
        kill = asyncio.create_task(inside.ask("kill", id=mission)) if how.startswith("killed") else None
        await in_process.idle()
        keeper.exit(run, 0)
        await (asyncio.sleep(LOOKED) if kill is None else kill)
        after = await inside.ask("info", id=mission)
        return before, after["last_activity_at"], format_time(began + (LOOKED if wrote else 0.0)), after["status"]

    before, after, expected, status = played(home, play, Settings())
    assert status == {"by itself": "stopped", "to be restarted": "restarting"}.get(how, "killed")
    assert before[:19] == after[:19] == expected[:19]


def test_the_last_activity_of_one_whose_log_is_gone_is_not_known(home):
    async def play(inside, keeper):
        mission = await inside.run("echo h")
        keeper.write(f"{mission}.1", b"h")
        keeper.exit(f"{mission}.1", 0)
        await in_process.idle()
        shutil.rmtree(run_folder(home.logs, f"{mission}.1"))
        return (await inside.ask("info", id=mission))["last_activity_at"]

    assert played(home, play, Settings()) is None


def _date(home, run, wall):
    """Let the log have been written at that moment: its files know only the machine's clock."""
    for file in os.scandir(run_folder(home.logs, run)):
        os.utime(file.path, (wall, wall))


@pytest.mark.parametrize(("more", "leaves"), [({"looks": True}, False), ({"looks": True, "read_only": True}, False),
                                             ({"read_only": True}, True), ({}, True)])  # fmt: skip
def test_who_only_looks_at_a_terminal_leaves_no_trace(home, more, leaves):
    async def play(inside, _keeper):
        mission = await inside.run("sh", tty=True, type="session")
        before = len(inside.event_types(mission))
        stream = inside.stream("attach", id=mission, **more)
        head, ready = await anext(stream), await anext(stream)
        seats = (await inside.ask("info", id=mission))["attached"]
        if not leaves:
            with pytest.raises(OvermindError, match="No one is attached"):
                await inside.ask("detach", id=mission)
        await stream.aclose()
        await in_process.idle()
        return head["write"], ready["write"], seats, inside.event_types(mission)[before:]

    write, ready, seats, happened = played(home, play, Settings())
    assert write is ready is (not more)
    assert (seats, happened) == ((1, ["attached", "detached"]) if leaves else (0, []))


WRITTEN = Extent(5, 0, 2.0)
NOTICES = [
    ("of an older keeper, as somebody begins to look", (5, 0, None), WRITTEN),
    ("of an older keeper, as it has written", (6, 0, None), Extent(6, 0, 100.0)),
    ("as somebody begins to look", (5, 0, 2.0), WRITTEN),
    ("later than what it tells", (6, 0, 99.5), Extent(6, 0, 99.5)),
]


@pytest.mark.parametrize(("notice", "known"), [row[1:] for row in NOTICES], ids=[row[0] for row in NOTICES])
def test_a_notice_says_when_a_run_wrote_last(notice, known):
    progress = OutputProgress(Bus(), FakeClock(mono=100.0), lambda _run: True)
    progress.set("a.1", *WRITTEN)
    progress.on_notice("a.1", *notice)
    assert progress.of("a.1") == known

"""The full-screen program over several hives: real homes of this machine, each reached by the command of its gate."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from overmind_core.version import VERSION
from overmind_core.view.hives import Link
from overmind_tui.hives.page import HivesPage
from overmind_tui.missions.describe_page import DescribePage
from overmind_tui.pages.compose import Composer
from overmind_tui.pages.dialog import Dialog
from overmind_tui.render.layout import Panel
from tests.kit import claude, processes, sessions
from tests.kit.named_hives import gate_of, name_hives, name_odd_hive
from tests.kit.screen_parts import face_of, title_of
from tests.process.tui.test_needs import decisions
from tests.tui.conftest import later, picture, question_read, until


@pytest.fixture
def eu1(make_home):
    """Another home, with its daemon."""
    other = make_home()
    other.ok("start")
    return other


@pytest.fixture
def several(alone, eu1, opened):
    """Run the program of a home that knows the hive eu1, until that has answered."""
    del alone

    def open_with(om, missions, scenario, **how):
        name_hives(om, eu1=eu1)
        om.ok("start")

        async def connected(app, pilot):
            await until(pilot, lambda: app.hives.states[1].link is Link.OPEN, what="eu1 is open")
            await scenario(app, pilot)

        opened(missions, connected, **how)

    return open_with


def of_eu1(app, name):
    """The row of a mission of eu1."""
    return app.fleet.named(f"eu1/{name}")


async def selected(app, pilot, name):
    """Put the cursor on a mission of eu1."""
    await until(pilot, lambda: of_eu1(app, name) and app.main.select(of_eu1(app, name)["id"]), what=f"{name} is there")
    await until(pilot, lambda: app.main.table.current.row is of_eu1(app, name), what="shown as it is")


async def heard(app, pilot):
    """Wait until letters are commands again: behind a view that opens late, as on a busy machine, they are not."""
    await until(pilot, lambda: time.monotonic() >= app.typed.quiet.until, what="letters are commands")


def has_keys(app):
    """Whether the list of missions has the keys."""
    return app.screen is app.main and app.main.panels.current is Panel.TABLE


def lines(app):
    """The lines of the screen."""
    return picture(app).split("\n")


def test_missions_of_all_hives_stand_in_one_list(om, eu1, several):
    eu1.ok("run", "--name", "there", "sleep", "300")

    async def scenario(app, pilot):
        await until(pilot, lambda: "▶ there" in picture(app), what="its mission")
        heading, here, there = (next(line for line in lines(app) if word in line) for word in ("HOST", "▶ h", "▶ t"))
        assert heading.split()[:4] == ["2", "running", "HOST", "STATE"]
        assert here.lstrip("▌ •").split()[1:3] == ["here", "local"]
        assert there.lstrip("▌ •").split()[1:3] == ["there", "eu1"]
        assert "2 of 2 hives" in picture(app)
        eu1.ok("run", "--name", "later", "sleep", "300")
        await until(pilot, lambda: "▶ later" in picture(app), what="one that was started meanwhile")
        await pilot.press("slash", *"hive:eu1", "enter")
        await until(pilot, lambda: "▶ here" not in picture(app), what="filtered")
        assert {branch.row["hive"] for branch in app.main.table.branches} == {"eu1"}

    several(om, {"here": ["sleep", "300"]}, scenario)


def test_what_is_done_to_a_row_is_done_in_its_hive(om, eu1, several):
    """Also where this home has a mission of the same name."""
    eu1.ok("run", "--name", "work", "--restart", "never", "sleep", "300")

    async def scenario(app, pilot):
        await selected(app, pilot, "work")
        await pilot.press("x")
        await until(pilot, lambda: "stop eu1/work?" in picture(app), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: "stopped eu1/work" in picture(app), what="told")
        assert eu1.wait_status("work", "stopped")
        await until(pilot, lambda: of_eu1(app, "work")["status"] == "stopped", what="seen")
        await selected(app, pilot, "work")
        await pilot.press("r")
        await until(pilot, lambda: of_eu1(app, "work")["status"] == "running", what="runs again")
        await selected(app, pilot, "work")
        await pilot.press("ctrl+k")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: of_eu1(app, "work")["status"] == "killed", what="killed")
        assert eu1.wait_status("work", "killed")
        assert om.json("info", "work")["status"] == "running"

    several(om, {"work": ["sleep", "300"]}, scenario)


def test_marked_rows_of_several_hives_are_each_met_in_their_own(om, eu1, several):
    eu1.ok("run", "--name", "work", "sleep", "300")

    async def scenario(app, pilot):
        await selected(app, pilot, "work")
        await pilot.press("asterisk", "x")
        await until(pilot, lambda: "stop 2 missions?" in picture(app), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: "stopped 2 of 2" in picture(app), what="told")
        assert om.wait_status("work", "stopped", "crashed", "killed")
        assert eu1.wait_status("work", "stopped", "crashed", "killed")

    several(om, {"work": ["sleep", "300"]}, scenario)


def test_a_word_behind_a_colon_is_for_the_hives_of_the_marked_rows(om, eu1, several):
    eu1.ok("run", "--name", "work", "sleep", "300")

    async def scenario(app, pilot):
        await selected(app, pilot, "work")
        await pilot.press("asterisk")
        app.commands.run("freeze")
        await until(pilot, lambda: of_eu1(app, "work")["status"] == "paused", what="frozen there")
        await until(pilot, lambda: app.fleet.named("work")["status"] == "paused", what="and here")
        app.commands.run("thaw")
        await until(pilot, lambda: of_eu1(app, "work")["status"] == "running", what="it goes on")

    several(om, {"work": ["sleep", "300"]}, scenario)


def test_the_log_of_another_hive_is_read_and_followed(om, eu1, several):
    said = Path(eu1.home, "said")
    talk = f"echo first; while ! [ -e {said} ]; do sleep .05; done; echo last"
    eu1.ok("run", "--name", "talk", "--", "sh", "-c", talk)

    async def scenario(app, pilot):
        await selected(app, pilot, "talk")
        await pilot.press("l")
        await until(pilot, lambda: "first" in picture(app), what="its first line")
        await asyncio.to_thread(said.touch)
        await until(pilot, lambda: "last" in picture(app), what="what came later")

    several(om, {}, scenario)


def test_a_terminal_of_another_hive_is_typed_into(om, eu1, several):
    eu1.ok("run", "--name", "shell", "--type", "session", "--", "sh", "-c", "PS1='ready$ ' exec sh")

    async def scenario(app, pilot):
        await selected(app, pilot, "shell")
        await pilot.press("a")
        await until(pilot, lambda: "ready$" in picture(app) and app.main.terminal_panel.session.writes, what="joined")
        await pilot.press(*"echo $((6", "asterisk", *"7))", "enter")
        await until(pilot, lambda: "42" in picture(app), what="answered")
        await pilot.press("ctrl+backslash", "escape")
        await until(pilot, lambda: not app.main.terminal_panel.is_open, what="left")

    several(om, {}, scenario)


# a hive that doesn't answer


async def hived(app, pilot, link):
    """Until eu1 is reached that way."""
    await until(pilot, lambda: app.hives.states[1].link is link, what=f"eu1 is {link.value}")


def gates(om):
    """The processes of gates to this home."""
    return [int(line.split()[0]) for line in processes.of_home(om.home) if line.endswith(" gate")]


def test_a_hive_that_stands_still_is_noticed_hides_nothing_and_is_back_by_itself(om, eu1, several):
    eu1.ok("run", "--name", "work", "sleep", "300")

    async def scenario(app, pilot):
        await selected(app, pilot, "work")
        daemon = eu1.holder("supervisor.lock")
        os.kill(daemon, signal.SIGSTOP)
        try:
            await hived(app, pilot, Link.SILENT)
            await until(
                pilot, lambda: "▶ work" in picture(app) and "silent " in picture(app), what="it says since when"
            )
            assert "1 of 2 hives" in picture(app)
            assert "▶ here" in picture(app)
            for key in ("x", "l", "d", "ctrl+k", "a"):
                await selected(app, pilot, "work")
                await pilot.press(key)
                await until(pilot, lambda: re.search("eu1 has been silent for [0-9]+ s", picture(app)), what=key)
                assert app.screen is app.main
                app.notice.put("", "")
            later(app)
            app.main.select(app.fleet.named("here")["id"])
            await pilot.press("x")
            await until(pilot, lambda: "stop here?" in picture(app), what="what is here works")
            await pilot.press("n")
        finally:
            os.kill(daemon, signal.SIGCONT)
        await hived(app, pilot, Link.OPEN)
        await until(pilot, lambda: "silent " not in picture(app), what="as before")
        assert "2 of 2 hives" in picture(app)

    several(om, {"here": ["sleep", "300"]}, scenario)


def test_a_link_that_is_cut_is_found_again_with_what_happened_meanwhile(om, eu1, several):
    eu1.ok("run", "--name", "work", "sleep", "300")

    async def scenario(app, pilot):
        await until(pilot, lambda: of_eu1(app, "work"), what="its mission")
        for pid in gates(eu1):
            os.kill(pid, signal.SIGKILL)
        eu1.ok("kill", "work")
        eu1.ok("run", "--name", "next", "sleep", "300")
        await until(pilot, lambda: of_eu1(app, "next"), what="what was started meanwhile")
        await hived(app, pilot, Link.OPEN)

    several(om, {}, scenario)


def test_a_hive_without_a_daemon_says_so_and_comes_with_it(om, eu1, several):
    async def scenario(app, pilot):
        eu1.ok("shutdown", "-y")
        await hived(app, pilot, Link.CLOSED)
        assert "1 of 2 hives" in picture(app)
        eu1.ok("run", "--name", "work", "sleep", "300")
        app.refresh_all()  # ctrl-r does not wait for the next try
        await hived(app, pilot, Link.OPEN)
        await until(pilot, lambda: of_eu1(app, "work"), what="its mission")

    several(om, {}, scenario)


def test_a_gate_that_never_answers_keeps_nobody_waiting(om, alone, opened):
    del alone
    config = Path(om.home, "config.toml")
    config.write_text('[hives.deaf]\ngate = ["sleep", "300"]\n')

    async def scenario(app, pilot):
        assert app.hives.states[1].link is Link.OPENING
        await until(pilot, lambda: "▶ here" in picture(app), what="what is here")
        assert "1 of 2 hives" in picture(app)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, DescribePage), what="keys work")

    opened({"here": ["sleep", "300"]}, scenario)


def test_hives_come_and_go_with_the_configuration_and_mistakes_are_said(om, alone, eu1, opened):
    del alone
    config = Path(om.home, "config.toml")
    eu1.ok("run", "--name", "work", "sleep", "300")

    async def scenario(app, pilot):
        assert app.hives is None
        assert "HOST" not in picture(app)
        name_hives(om, eu1=eu1)
        await until(pilot, lambda: of_eu1(app, "work"), what="its mission")
        assert "HOST" in picture(app)
        written = await asyncio.to_thread(config.read_text)
        await asyncio.to_thread(config.write_text, written + "[hives.Bad]\nssh = 'x'\n")
        await until(pilot, lambda: "hives.Bad" in app.notice.text, what="the mistake")
        assert of_eu1(app, "work")
        await asyncio.to_thread(config.write_text, "")
        await until(pilot, lambda: not of_eu1(app, "work"), what="gone")
        await until(pilot, lambda: "HOST" not in picture(app), what="as before")
        await until(pilot, lambda: not gates(eu1), what="its channels are closed")

    opened({"here": ["sleep", "300"]}, scenario)


# who needs the person


def test_needs_of_all_hives_are_one_list_and_an_answer_goes_to_the_hive_that_asks(om, eu1, several, tmp_path):
    claude.at_hand(eu1, tmp_path)
    claude.at_hand(om, tmp_path)
    om.ok("start")
    for home in (om, eu1):
        sessions.greeted(home, "planner")
    here, there = (sessions.asks(home, "planner", "!bash touch x")["question"] for home in (om, eu1))
    assert here == there, "each home counts its own"

    async def scenario(app, pilot):
        await until(pilot, lambda: len(app.fleet.questions) == 2, what="both ask")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "2 need you" in picture(app), what="one list")
        assert app.main.select(of_eu1(app, "planner")["id"])
        await question_read(app, pilot, (of_eu1(app, "planner")["id"], there))
        await pilot.press("y")
        await until(pilot, lambda: "eu1/planner: allowed" in picture(app), what="told")
        await until(pilot, lambda: decisions(eu1) == {there: ("allow", "a person")}, what="decided there")
        await until(pilot, lambda: [one["name"] for one in app.fleet.questions] == ["planner"], what="one is left")
        assert not decisions(om)

    several(om, {}, scenario)


# the list of hives


def test_the_view_of_hives_leads_to_their_missions_and_drains_them(om, eu1, several):
    eu1.ok("run", "--name", "work", "sleep", "300")

    async def scenario(app, pilot):
        await until(pilot, lambda: of_eu1(app, "work"), what="its mission")
        app.commands.run("hives")
        await until(pilot, lambda: isinstance(app.screen, HivesPage) and len(app.screen.rows) == 2, what="the view")
        here, there = app.screen.rows
        assert (here["name"], here["link"], here["live"]) == ("local", "open", 1)
        assert (there["name"], there["via"], there["link"], there["version"], there["live"]) == (
            "eu1", "gate", "open", VERSION, 1,
        )  # fmt: skip
        assert app.screen.table.select("eu1")
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: "eu1 takes nothing new (0 run on)" in picture(app), what="told")
        assert eu1.json("queue", "--json")["paused"]
        await until(pilot, lambda: "draining" in picture(app), what="shown")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main and "▶ here" not in picture(app), what="its missions")
        assert [branch.row["name"] for branch in app.main.table.branches] == ["eu1/work"]

    several(om, {"here": ["sleep", "300"]}, scenario)


# without any


IMPORTS = """
import asyncio, sys
from overmind_core.system.paths import Home
from overmind_tui.app import OvermindApp
from overmind_tui.shell.world import World

async def whole():
    app = OvermindApp(Home(sys.argv[1]), World("/", 0o022, {}))
    async with app.run_test(size=(120, 40)) as pilot:
        while not app.fleet.loaded:
            await pilot.pause(0.02)
        app.commands.run("hives")
        await pilot.pause()

asyncio.run(whole())
known = ("overmind_core.client.hives", "overmind_core.gate", "overmind_core.wire.gate", "overmind_tui.hives.hives")
print([name for name in sys.modules if name.startswith(known)])
"""


def test_without_hives_nothing_about_gates_is_imported(om, alone):
    del alone
    om.ok("start")
    done = subprocess.run([sys.executable, "-c", IMPORTS, om.home], env=om.environment, capture_output=True, text=True,
                          check=True, timeout=60)  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


# whatever is at the other end


MISSION = {
    "id": "00c0ffee", "name": "\x1b[2J[red]x[/] [b", "status": "running", "started_at": "2026-01-01T00:00:00.000Z",
    "cpu_percent": "much", "labels": 7, "now": None,
}  # fmt: skip
REST: dict[str, Any] = {"cost": [], "inbox": [], "queue": {"slots": 1, "paused": False}}
HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "names that draw": ({**REST, "ps": [MISSION]}, "open"),
    "no list": ({"ps": 7}, "closed"),
    "no number of events": ({"logs": {}}, "closed"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hive_that_answers_nonsense_harms_itself_alone(om, alone, opened, tmp_path, case):
    del alone
    answers, link = HOSTILE[case]
    name_odd_hive(om, tmp_path, answers)

    async def scenario(app, pilot):
        await until(pilot, lambda: app.hives.states[1].link is Link(link), what=link)
        if link == "open":
            await until(pilot, lambda: "\\x1b[2J[" in picture(app), what="its name, as it is")
            assert app.main.select("odd/00c0ffee")
            name = "odd/\\x1b[2J[red]"
            await until(pilot, lambda: title_of(picture(app)).startswith(name), what="it is under the cursor")
            await until(pilot, lambda: "Its answers make no sense" in picture(app), what="a log of nonsense")
            for key in "deiva":
                later(app)
                app.notice.clear()
                await pilot.press(key)
                if key in "dei":
                    await until(pilot, lambda: "answers make no sense" in app.notice.text, what=key)
                    continue
                await until(pilot, lambda: not has_keys(app) and "answers make no sense" in picture(app), what=key)
                for _ in range(3):  # a terminal, and the room that it took, are closed one by one
                    await pilot.press("escape")
                await until(pilot, lambda: has_keys(app), what="the missions")
            assert app.main.select(next(one for one, row in app.fleet.rows.items() if row["name"] == "here"))
            await until(pilot, lambda: "no output yet" in face_of(picture(app)), what="another log is read")
        else:
            assert "make no sense" in app.hives.states[1].reason
        assert "▶ here" in picture(app)
        later(app)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, DescribePage), what="keys work")

    opened({"here": ["sleep", "300"]}, scenario)


def test_a_gate_that_is_frozen_is_silent_and_what_is_asked_of_it_waits_for_nobody(om, eu1, several):
    eu1.ok("run", "--name", "work", "sleep", "300")

    async def scenario(app, pilot):
        await selected(app, pilot, "work")
        frozen = gates(eu1)
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            await hived(app, pilot, Link.SILENT)
            answers: list[Any] = []
            app.request("info", [{"id": of_eu1(app, "work")["id"]}, {"id": app.fleet.named("here")["id"]}],
                        answers.extend)  # fmt: skip
            await until(pilot, lambda: answers, what="answered at once")
            assert answers[0].code == "hive_silent"
            assert answers[1]["name"] == "here"
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        await hived(app, pilot, Link.OPEN)

    several(om, {"here": ["sleep", "300"]}, scenario)


def test_what_is_known_of_a_mission_is_asked_of_its_hive(om, eu1, several):
    eu1.ok("run", "--name", "work", "--label", "team=web", "sleep", "300")

    async def scenario(app, pilot):
        await selected(app, pilot, "work")
        await pilot.press("d")
        await until(
            pilot, lambda: isinstance(app.screen, DescribePage) and "team=web" in picture(app), what="described"
        )
        await pilot.press("escape")
        await heard(app, pilot)
        await pilot.press("E")
        await until(pilot, lambda: 'command = ["sleep", "300"]' in picture(app), what="its definition")
        await pilot.press("escape")
        await heard(app, pilot)
        await pilot.press("s")
        await until(pilot, lambda: "has its folder on eu1" in picture(app), what="a shell is for its own machine")

    several(om, {}, scenario)


def test_a_message_goes_to_the_agent_of_the_row_and_its_answer_is_said(om, eu1, several, tmp_path):
    claude.at_hand(eu1, tmp_path)
    sessions.greeted(eu1, "planner")

    async def scenario(app, pilot):
        await selected(app, pilot, "planner")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, Composer), what="the box")
        assert "eu1/planner" in picture(app)
        await pilot.press(*"hello", "enter")
        await until(pilot, lambda: "eu1/planner answered" in [app.notice.text, *said(app)], what="its answer")

    several(om, {}, scenario)


def said(app):
    """What was flashed so far."""
    return [flash["text"] for flash in app.notice.kept]


def test_hives_are_added_and_taken_out_behind_a_colon(om, eu1, alone, opened):
    del alone
    eu1.ok("run", "--name", "work", "sleep", "300")

    async def scenario(app, pilot):
        app.commands.run(f"hive add eu1 --gate {shlex.quote(shlex.join(gate_of(eu1)))}")
        await until(pilot, lambda: "Added hive eu1" in picture(app), what="told")
        await until(pilot, lambda: of_eu1(app, "work"), what="its mission")
        app.commands.run("hive rm eu1")
        await until(pilot, lambda: "hive rm eu1" in picture(app), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: "Removed hive eu1" in picture(app), what="told")
        await until(pilot, lambda: not of_eu1(app, "work"), what="gone")

    opened({"here": ["sleep", "300"]}, scenario)

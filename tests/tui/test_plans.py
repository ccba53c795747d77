"""Plans, quests and rituals: one walk through each view."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from overmind_core.errors import OvermindError
from overmind_core.view import plans as plans_rows
from overmind_core.view.actions import Context
from overmind_core.view.keymap import keymap
from overmind_tui.missions import describe_page
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.text import TextPage
from overmind_tui.plans.page import PlanPage, PlansPage
from overmind_tui.render.layout import Panel
from overmind_tui.schedules.page import RunsPage
from overmind_tui.shell.messages import RowsChanged
from tests.kit.cases import tabled
from tests.tui.conftest import picture
from tests.tui.test_keys import ALL_KEYS
from tests.tui.test_pictures import NOW, mission
from tests.tui.test_pictures_plans import (
    LISTED,
    RELEASE,
    Empty,
    Planned,
    at,
)
from tests.tui.test_pictures_watching import TIMELINE
from tests.tui.walks import go

if TYPE_CHECKING:
    from overmind_tui.shell.shell import Shell


class Asked(Planned):
    """Keeps what it was asked."""

    def __init__(self, **how):
        super().__init__(**how)
        self.asked = []
        self.ran: list[list[str]] = []

        def start(_name, calls, _on_result):
            self.ran += [list(argv[4:]) for argv in calls]

        self.jobs.start = start  # type: ignore[method-assign]
        self.refuses = False

    def request(self, command, requests, on_result):
        self.asked += [(command, one.get("id")) for one in requests]
        if self.refuses:
            on_result([OvermindError("not_found", "It is gone.") for _ in requests])
        else:
            super().request(command, requests, on_result)


def walk(scenario, make=Asked, **how):
    async def whole_walk():
        app = make(**how)
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await scenario(app, lambda *steps: go(app, pilot, steps))

    asyncio.run(whole_walk())


def name_at(page):
    """Where the cursor stands."""
    return page.table.current.row["name"]


def notes_of(app):
    """Whose notes have the keys on the missions screen."""
    return name_at(app.main) if app.screen is app.main and app.main.panels.current is Panel.NOTES else None


def run_of_release(number, status, began, **more):
    """A run of a plan of that name, which began so many seconds before now."""
    return mission(number, "release", status, type="blueprint", started_at=at(began), **more)


def test_a_plan_that_is_named_goes_on_to_its_next_run_as_soon_as_that_is_known():
    async def scenario(app, press):
        await press(":plan release")
        page = app.screen
        page.table.mark({"types"})
        app.updates.take(RowsChanged([run_of_release(0x91, "running", 1)], []))
        await press("j")
        assert ("plan", "00000091") in app.asked
        assert not page.table.marked, "agents of the run before"
        assert page.restless, "a key may have been meant for an agent of the run before"
        app.updates.take(RowsChanged([run_of_release(0x92, "crashed", 0)], []))
        await press("k")
        assert ("plan", "00000092") in app.asked
        assert "older run" not in page.table.title

    walk(scenario)


@pytest.mark.parametrize("line", [":plan 00000010", ":plan 00000001"])
def test_a_run_that_is_named_by_its_id_or_an_agent_of_it_stays_and_says_that_there_is_a_newer_one(line):
    async def scenario(app, press):
        await press(line)
        page = app.screen
        app.updates.take(RowsChanged([run_of_release(0x91, "crashed", 1)], []))
        await press("j")
        assert ("plan", "00000091") not in app.asked
        older = f"{datetime.fromtimestamp(NOW - 180, app.zone):%Y-%m-%d %H:%M}"
        assert page.table.title.startswith(f"an older run of {older} · the newest: failed, see :plan release · ")
        await press(":plan release")
        assert app.asked[-1] == ("plan", "00000091")
        assert "older run" not in app.screen.table.title

    walk(scenario)


@tabled(("number", "follows"), [(0x10, False), (0x91, True)])
def test_a_run_that_is_opened_from_the_list_goes_on_only_where_it_is_the_newest(number, follows):
    async def scenario(app, press):
        app.answers = {**app.answers, "plans": [{**LISTED[0], "id": f"{number:08x}"}]}
        app.fleet.apply([run_of_release(0x91, "crashed", 60)], (), everything=False)
        await press(":plans", "enter")
        page = app.screen
        assert ("older run" in page.table.title) is not follows
        app.updates.take(RowsChanged([run_of_release(0x92, "running", 1)], []))
        await press("j")
        assert (("plan", "00000092") in app.asked) is follows
        assert ("older run" in page.table.title) is not follows

    walk(scenario)


@pytest.mark.parametrize("view", ["timeline", "describe"])
def test_other_pages_about_an_older_run_say_that_it_is_one(view):
    async def scenario(app, press):
        app.answers = {**app.answers, "timeline": TIMELINE}
        await press(f":{view} 00000010")
        shown = app.screen.table if view == "timeline" else app.screen.text
        assert "older run" not in shown.title
        app.updates.take(RowsChanged([run_of_release(0x91, "crashed", 1)], []))
        app.screen.refresh_status()
        assert f" · the newest: failed, see :{view} release" in shown.title

    walk(scenario)


def test_a_description_is_asked_for_again_once_its_mission_stands_otherwise():
    async def scenario(app, press):
        await press(":describe 00000010")
        asked = app.asked.count(("info", "00000010"))
        for status in ("stopped", "stopped", "running"):
            app.updates.take(RowsChanged([run_of_release(0x10, status, 180)], []))
            app.screen.refresh_status()
        assert app.asked.count(("info", "00000010")) == asked + 2

    walk(scenario)


class Late(Asked):
    """Answers about a plan only when it is told to."""

    def __init__(self, **how):
        super().__init__(**how)
        self.late = []

    def request(self, command, requests, on_result):
        if command == "plan":
            self.asked += [(command, one.get("id")) for one in requests]
            self.late.append((requests[0]["id"], on_result))
        else:
            super().request(command, requests, on_result)


@pytest.mark.parametrize("is_refused", [False, True])
def test_an_answer_about_the_run_before_is_not_shown(is_refused):
    async def scenario(app, press):
        await press(":plan release")
        page = app.screen
        app.updates.take(RowsChanged([run_of_release(0x91, "running", 1)], []))
        await press("j")
        (first, answer) = app.late.pop()
        assert first == "00000010"
        answer([OvermindError("not_found", "It is gone.") if is_refused else RELEASE])
        assert not page.rows
        assert "gone" not in app.notice.text
        (second, answer) = app.late.pop()
        assert second == "00000091"
        answer([{**RELEASE, "id": second}])
        assert len(page.rows) == len(RELEASE["agents"])

    walk(scenario, Late)


def test_from_all_plans_to_one_to_the_log_of_an_agent():
    async def scenario(app, press):
        await press(":bp", "enter")
        page = app.screen
        assert isinstance(page, PlanPage)
        names = [name_at(page)]
        for _ in range(9):
            await press("down")
            names.append(name_at(page))
        assert names == [row["name"] for row in page.rows], "the cursor leaves out edges"
        for key in ("up", "G", "g", "pagedown", "pageup"):
            await press(key)
            assert name_at(page) in names, key
        asked = app.asked.count(("plan", "00000010"))
        page.happened({"line_written"})
        assert not page.source.asking
        page.happened({"agent_ended"})
        page.source.ask_again()
        assert app.asked.count(("plan", "00000010")) == asked + 1, "asked again once something happened"
        await press("*")
        assert len(page.table.marked) == 10, "all agents, and no edges"
        await press("escape", ">", "O")
        assert all(map(plans_rows.is_agent, page.table.branches)), "sorted rows have no edges"
        assert "├" not in page.shown_text()
        page.table.select("build")
        await press("u", "enter")
        assert app.notice.text == "build has not started: waits for types"
        page.table.select("types")
        await press("u")
        assert notes_of(app) == "release/types"
        await press("u")
        assert app.screen_stack[-1] is page, "back where they were opened"
        await press("enter")
        assert app.screen is app.main
        assert app.main.panels.current is Panel.LOG
        assert name_at(app.main) == "release/types"

    walk(scenario)


def test_esc_in_a_log_goes_back_to_the_list_that_it_was_opened_from():
    async def scenario(app, press):
        await press(":bp", "enter", "/", *"types", "enter")
        plan_page = app.screen
        names = [branch.row["name"] for branch in plan_page.table.branches]
        await press("enter", ":help")
        assert app.screen.view == "help"
        await press("escape", "escape")
        assert app.screen is plan_page, "after a page above the log, too"
        assert [branch.row["name"] for branch in plan_page.table.branches] == names, "as it stood"
        await press("escape", "escape", "escape")
        assert app.screen is app.main
        await press(":rituals", "enter", ":plan release")
        plan_page = app.screen
        await press("enter", "tab", "tab", "escape")
        assert app.screen is app.main, "who went elsewhere stays there"
        assert not plan_page.is_attached, "and leaves nothing"
        await press(":plan release", "enter", ":logs", "escape", "escape")
        assert app.screen is app.main, "the log was asked for by itself"

    walk(scenario)


def test_without_any_plan_it_is_said_what_to_type():
    async def scenario(app, press):
        app.fleet.apply((), (), everything=True)
        app.main.rearrange(asked=True)
        await press(":plan")
        assert app.notice.text == "no plans yet · :init writes an example, :apply FILE starts it"
        await press(":plan release")
        assert app.notice.text.startswith("plan: no plan named 'release' · :init writes an example")

    walk(scenario)


class BeforeLoaded(Asked):
    """Asks for its first view before any mission has come, as `tui -c` does."""

    def _start(self):
        self.commands.begin("plan")
        super()._start()


def test_a_view_to_begin_with_does_not_say_that_there_is_no_plan_where_nobody_knows():
    async def scenario(app, _press):
        assert isinstance(app.screen, PlansPage)
        assert app.screen.table.branches
        assert "plan" not in app.notice.text

    walk(scenario, BeforeLoaded)


def test_a_plan_is_shown_by_its_name_and_stopped_with_its_agents():
    async def scenario(app, press):
        await press(":plan release/types")
        assert isinstance(app.screen, PlanPage), "the one that it belongs to"
        await press(":pipelines", "x")
        assert "3 live children end with it" in picture(app)
        await press("y", "l")
        assert ("stop", "00000010") in app.asked
        assert app.main.panels.current is Panel.LOG

    walk(scenario)


def test_a_quest_is_cancelled_only_after_a_question():
    async def scenario(app, press):
        await press(":quests", "x")
        assert isinstance(app.screen, Dialog)
        assert "port  working for 42s" in picture(app)
        await press("enter")
        assert ("quest_cancel", "00000024") not in app.asked, "the focus is on what ends nothing"
        await press("x", "y")
        assert ("quest_cancel", "00000024") in app.asked
        assert app.notice.text == "cancelled port"
        await press("V")
        assert app.notice.text == "port has no check yet"
        await press("G", "x")
        assert app.notice.text == "backup/4 has ended: succeeded"
        await press("l")
        assert app.notice.text == "the mission of backup/4 was removed"
        await press("d")
        assert ("quest", "00000020") in app.asked
        assert isinstance(app.screen, TextPage)
        assert "✔ succeeded after 1m 40s" in picture(app), "as prose"

    walk(scenario)


def test_a_ritual_is_run_paused_resumed_and_deleted_and_has_a_history():
    async def scenario(app, press):
        await press(":rituals", "R")
        await press("y")
        await press("H")
        await press("y")
        assert app.asked[-2:] == [("ritual_run", "backup"), ("ritual_pause", "backup")]
        await press("j", "j", "H", "k", "ctrl+d")
        assert ("ritual_resume", "prune") in app.asked
        assert "mail  @every 10m  with its runs" in picture(app)
        assert "the running quest of mail continues" in picture(app)
        await press("y")
        assert ("ritual_delete", "mail") in app.asked
        await press(":ritual resume --json", ":ritual pause prune", ":ritual delete", "y")
        assert app.ran == [
            ["ritual", "resume", "mail", "--json"], ["ritual", "pause", "prune"], ["ritual", "delete", "-y", "mail"],
        ]  # fmt: skip
        app.refuses = True
        await press("R")
        await press("y")
        assert app.notice.text == "mail: It is gone."
        app.refuses = False
        await press("enter")
        assert isinstance(app.screen, RunsPage)
        assert ("ritual_history", "mail") in app.asked

    walk(scenario)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("running", "started a run of backup · enter shows its runs"),
        ("queued", "queued behind the run before: backup · enter shows its runs"),
    ],
)
def test_a_run_that_waits_for_the_one_before_is_not_said_to_have_started(status, said):
    async def scenario(app, press):
        app.answers = {**app.answers, "ritual_run": {"status": status}}
        await press(":rituals", "R", "y")
        assert app.notice.text == said

    walk(scenario)


def test_nothing_is_done_where_there_is_no_row():
    async def scenario(app, press):
        await press(":rituals", "R", "enter", "d", "l")
        assert app.notice.text == "run now: no ritual is selected here"
        await press(":quests", "x", "enter", "v")
        assert app.notice.text == "cancel: no quest is selected here"
        await press(":quest cancel")
        assert app.notice.text == "quest cancel: name one, or select it in :quests"
        await press(":bp", "enter", "l")
        assert app.screen.view == "plans"
        app.read_only = True
        await press(":rituals", "H")
        assert app.notice.text == "read-only: pause is off"

    walk(scenario, Empty)


KEYS = [key for key in ALL_KEYS if not key.startswith("alt+")]
OPENED = {
    Context.PLANS: (":bp",),
    Context.PLAN: (":bp", "enter"),
    Context.RITUALS: (":rituals",),
    Context.RUNS: (":rituals", "enter"),
}


@pytest.mark.parametrize("context", OPENED)
def test_each_key_means_what_the_table_says_and_each_action_is_done(context, monkeypatch):
    async def scenario(app, press):
        await press(*OPENED[context])
        meant = []
        with monkeypatch.context() as patched:
            patched.setattr(type(app.screen), "act", lambda page, action: meant.append((page.context, action.name)))
            for key in KEYS:
                app.screen.press(key, key if len(key) == 1 else None)
        keys = keymap(context)
        assert meant == [(context, keys[key].name) for key in KEYS if key in keys]
        page = app.screen
        for key, action in keys.items():
            if action.context is context:
                await press(key)
                if app.screen is not page:
                    app.main.to_front()
                    await press(*OPENED[context])
                    page = app.screen

    walk(scenario)


def test_a_plan_is_described_with_its_agents_and_its_definition_is_not_asked_for():
    info = {**RELEASE, "type": "blueprint", "provider": "raw", "outcome": None, "runs": [], "command": "apply r.toml"}
    answers = {"info": info, "plan": RELEASE}
    asked: list[str] = []

    def request(command, _arguments, on_result):
        asked.append(command)
        on_result([answers[command]])

    shell = SimpleNamespace(request=request, now=lambda: NOW, zone=UTC, ascii_only=False)
    found: list[str] = []
    describe_page.ask(
        cast("Shell", shell),
        {"id": RELEASE["id"]},
        lambda lines: found.extend("".join(cell.text for cell in line) for line in lines),
        lambda: pytest.fail("it can be described"),
    )
    assert asked == ["info", "plan"]
    assert "  file               /srv/work/release.toml" in found
    assert any(line.split()[:3] == ["⊘", "日本-site", "skipped"] for line in found)

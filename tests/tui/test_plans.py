"""Plans, quests and rituals: what a row says as tables, and one walk through each view."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions.status_marks import MARKS, PLANNED, SILENT, mark_of
from overmind_core.domain.plans.progress import AgentStage
from overmind_core.domain.quests.quest import QuestStatus
from overmind_core.domain.schedules import RunStatus
from overmind_core.errors import OvermindError
from overmind_core.view import plans as plans_rows
from overmind_core.view import quests as quests_rows
from overmind_core.view import schedules as schedules_rows
from overmind_core.view.actions import Context
from overmind_core.view.describe import Rendering
from overmind_core.view.keymap import keymap
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.text import TextPage
from overmind_tui.plans.page import PlanPage, PlansPage
from overmind_tui.render.layout import Panel
from overmind_tui.schedules.page import RunsPage
from overmind_tui.shell.appearance import PLAIN
from tests.kit.cases import tabled
from tests.tui.conftest import picture, until
from tests.tui.test_keys import ALL_KEYS
from tests.tui.test_pictures import NOW
from tests.tui.test_pictures_plans import (
    FLEET,
    QUESTS,
    RELEASE,
    RITUALS,
    RUNS,
    WIDE,
    Empty,
    Planned,
    quest,
    ritual,
    run,
    step,
    whole,
)
from tests.tui.walks import go, read

LOOK = Rendering(NOW, UTC)


def rows_of(*agents, status="running", began=100, ended=None):
    found = plans_rows.agents(whole(1, "p", status, agents, began, ended), NOW)
    plans_rows.learn(found, {})
    return {row["name"]: row for row in found}


# signs


def test_all_that_is_planned_has_a_mark_of_its_own_word_that_can_be_drawn_anywhere():
    for status in (*AgentStage, *QuestStatus, *RunStatus, "waiting", "paused"):
        assert mark_of(status).word
    assert len({mark.word for mark in PLANNED}) == len(PLANNED)
    assert all(mark.ascii.isascii() for mark in PLANNED)
    assert all(mark_of(mark.word) is mark and mark.ascii.isascii() for mark in SILENT)
    assert all(mark.mark.translate(PLAIN) == mark.ascii for mark in (*PLANNED, *SILENT))
    shown = "".join(mark.mark for mark in (*MARKS, *PLANNED, *SILENT)) + plans_rows.RAN + plans_rows.CRITICAL
    assert shown.translate(PLAIN).isascii()


# all plans


def test_a_plan_counts_its_agents():
    (row,) = plans_rows.plans([RELEASE])
    said = {column.key: column.cell(row, NOW).text for column in plans_rows.PLANS_COLUMNS}
    assert said == {
        "name": "release", "id": "00000010", "state": "working", "over": "4/10", "running": "3", "waiting": "3",
        "failed": "1", "left_out": "1", "for": "3m 20s", "run": "1", "why": "", "file": "release.toml  /srv/work",
    }  # fmt: skip


@tabled("by", plans_rows.PLAN_ORDERS)
def test_plans_have_an_order_by_each_column(by):
    order = plans_rows.PLAN_ORDERS[by]
    assert sorted(plans_rows.plans([RELEASE, WIDE]), key=lambda row: order.key(row, NOW))


# one plan


def posted(stage, state, hive=None, **more):
    """An agent whose attempt is a post of a swarm."""
    return step("a", stage, **more) | {"post": {"id": "1a2b3c", "state": state, "hive": hive, "ending": False}}


WHY = [
    (step("a", "waiting", waits_for="b, c (ready)"), "waits for b, c (ready)"),
    (step("a", "waiting", waits_for="b", attempt=1), "try 2 · waits for b"),
    (step("a", "waiting"), ""),
    (step("a", "running", began=5), ""),
    (step("a", "running", began=5, attempt=3), "try 3"),
    (step("a", "succeeded", began=5, ended=1, result="done [b]"), "done [b]"),
    (step("a", "succeeded", began=5, ended=1, facts={"url": "http://x"}), "url=http://x"),
    (step("a", "failed", began=5, ended=1, exit_code=3), "exit 3"),
    (step("a", "failed", began=5, ended=1, exit_code=0, reason="output_missing"), "output missing · exit 0"),
    (step("a", "failed", reason="name_taken"), "name taken"),
    (step("a", "failed", began=5, ended=1, exit_code=3, attempt=2), "try 2 · exit 3"),
    (step("a", "failed"), "failed"),
    (step("a", "skipped", reason="b failed"), "b failed"),
    (step("a", "cancelled", reason="cancel"), "stopped by the plan"),
    (posted("starting", None), "is being posted to the swarm"),
    (posted("starting", "queued"), "waits in the swarm: swarm/1a2b3c"),
    (posted("starting", "behind", "eu1"), "waits for the end of its last attempt on eu1"),
    (posted("running", "claimed", "eu1", attempt=2), "try 2 · on eu1"),
    (posted("running", "lost", "eu1"), "on eu1, which is silent"),
    (posted("failed", "failed", "eu1", exit_code=3), "exit 3 · on eu1"),
    (posted("succeeded", "done", "eu1", result="done"), "done"),
]


@tabled(("agent", "said"), WHY)
def test_a_row_says_what_it_waits_for_or_why_it_came_out_so(agent, said):
    assert plans_rows.why(rows_of(agent)["a"]) == said


def test_what_a_mission_does_is_said_beside_its_agent():
    rows = plans_rows.agents(RELEASE, NOW)
    plans_rows.learn(rows, {row["id"]: row for row in FLEET})
    said = {row["name"]: (plans_rows.state(row), plans_rows.why(row)) for row in rows}
    assert said["types"] == ("working", "checking 214 of 300 files")
    assert said["unit"] == ("waiting", "try 2 · Bash: rm -rf build")
    assert said["db"][0] == "ready"
    assert said["[red]docs[/]"][1] == "exit 2: E999 [/] syntax error"
    assert rows_of(step("a", "running", began=5, ready=False))["a"]["ready"] is False
    assert plans_rows.state(rows_of(step("a", "running", began=5, ready=False))["a"]) == "not ready"


BARS = [
    (step("x", "running", began=100), "━" * 10),
    (step("x", "succeeded", began=100, ended=50), "━" * 5),
    (step("x", "succeeded", began=50, ended=0), " " * 5 + "━" * 5),
    (step("x", "succeeded", began=0.001, ended=0), " " * 9 + "━"),
    (step("x", "waiting"), ""),
]


@pytest.mark.parametrize(("agent", "drawn"), BARS)
def test_a_bar_stands_where_the_agent_ran_in_the_time_of_the_plan(agent, drawn):
    assert plans_rows.bar(rows_of(step("first", "succeeded", began=100, ended=99), agent)["x"], NOW) == drawn


def test_times_go_on_while_a_plan_runs_and_stand_when_it_is_over():
    live = rows_of(step("a", "running", began=10))["a"]
    assert (plans_rows.seconds(live, NOW), plans_rows.seconds(live, NOW + 5)) == (10, 15)
    over = rows_of(step("a", "succeeded", began=10, ended=4), step("b", "skipped"), status="stopped", ended=4)["a"]
    assert (plans_rows.seconds(over, NOW), plans_rows.bar(over, NOW + 900)) == (6, "━" * 10)


def test_the_critical_path_is_the_chain_that_takes_longest_and_goes_on_with_the_clock():
    agents = plans_rows.agents(
        whole(1, "p", "running", [
            step("fast", "running", (), 5), step("slow", "succeeded", (), 60, 50),
            step("service", "running", (), 60, stays=True),
            step("last", "waiting", ("fast", "slow", "service"), waits_for="fast"),
        ], 60), NOW,
    )  # fmt: skip
    assert [row["name"] for row in agents if row["critical"]] == ["slow", "last"]
    plans_rows.mark_critical(agents, NOW + 6)
    assert [row["name"] for row in agents if row["critical"]] == ["fast", "last"]
    summary = plans_rows.summary(whole(1, "p", "running", [], 60), agents, NOW + 6)
    assert summary == "working 1m 06s · ◆ critical path 11s · 2 running · 1 waiting · 1 succeeded"


def edges(rows):
    return [(branch.guides, branch.row["name"]) for branch in plans_rows.branches(list(rows.values()))]


def test_edges_are_drawn_beside_the_names_and_are_no_agents():
    diamond = rows_of(
        step("a", "waiting"),
        step("b", "waiting", ("a",)),
        step("c", "waiting", ("a",)),
        step("d", "waiting", ("b", "c")),
    )
    assert edges(diamond) == [("●  ", "a"), ("├─╮", ""), ("● │", "b"), ("│ ●", "c"), ("├─╯", ""), ("●  ", "d")]
    found = plans_rows.branches(list(diamond.values()))
    assert [branch.id for branch in found if plans_rows.is_agent(branch)] == ["a", "b", "c", "d"]
    shown = ["".join(cell.text for cell in plans_rows.name_cell(branch, ascii_only=True)) for branch in found]
    assert shown == ["o   a", "├─╮", "o │ b", "│ o c", "├─╯", "o   d"]
    for column in plans_rows.COLUMNS:
        assert all(column.cell(branch.row, NOW) is not None for branch in found)


def test_where_too_many_edges_pass_agents_are_indented_instead():
    drawn = edges({row["name"]: row for row in plans_rows.agents(WIDE, NOW)})
    assert drawn[0] == ("●", "root")
    assert drawn[1] == ("  ●", "part-1")
    assert drawn[-1] == ("    ●", "join")


@given(st.lists(st.lists(st.integers(0, 30), max_size=5), min_size=1, max_size=40))
def test_no_plan_is_too_tangled_to_be_shown_and_every_agent_stands_behind_what_it_needs(needs):
    agents = [
        step(f"a{at}", "waiting", sorted({f"a{one % at}" for one in below} if at else ()))
        for at, below in enumerate(needs)
    ]
    rows = rows_of(*agents)
    names = [branch.id for branch in plans_rows.branches(list(rows.values())) if plans_rows.is_agent(branch)]
    assert sorted(names) == sorted(rows)
    places = {name: at for at, name in enumerate(names)}
    assert all(places[one] < places[row["name"]] for row in rows.values() for one in row["needs"])


@tabled("by", plans_rows.AGENT_ORDERS)
def test_agents_have_an_order_by_each_column(by):
    order = plans_rows.AGENT_ORDERS[by]
    assert len(sorted(plans_rows.agents(RELEASE, NOW), key=lambda row: order.key(row, NOW))) == 10


# quests and rituals

QUESTS_SAY = [
    (quest(1, "q", "running", 42, phase="work"), ("working", "42s", "", "")),
    (quest(1, "q", "running", 42, phase="check", retries=2, attempts=2), ("checking", "42s", "2/3", "")),
    (quest(1, "q", "failed", 42, 2, reason="check_failed", exit_code=1), ("failed", "40s", "", "check failed, exit 1")),
    (quest(1, "q", "completed", 42, 2, exit_code=0), ("completed", "40s", "", "")),
]


@pytest.mark.parametrize(("row", "said"), QUESTS_SAY)
def test_a_quest_says_how_it_stands(row, said):
    cells = {column.key: column.cell(row, NOW).text for column in quests_rows.COLUMNS}
    assert tuple(cells[key] for key in ("state", "for", "attempts", "why")) == said


LEFT = [
    (0, "now"), (-5, "now"), (0.4, "now"), (1, "1s"), (59, "59s"), (60, "1m 00s"), (250, "4m 10s"), (3600, "1h 00m"),
    (11_100, "3h 05m"), (86_400, "1d 00h"), (187_200, "2d 04h"), (9e6, "104d"),
]  # fmt: skip


@tabled(("seconds", "said"), LEFT)
def test_a_countdown_has_two_units(seconds, said):
    assert schedules_rows.countdown(seconds) == said


@given(st.floats(0, 1e9))
def test_a_countdown_fits_its_column(seconds):
    assert len(schedules_rows.countdown(seconds)) <= 8


RITUALS_SAY = [
    (ritual("r", "waiting", "@daily", 250), ("waiting", "4m 10s", "", "")),
    (ritual("r", "paused", "@daily", 250), ("paused", "paused", "", "")),
    (ritual("r", "waiting", "@daily", None), ("waiting", "never", "", "")),
    (ritual("r", "running", "@daily", 250, queued=2, last_at=RITUALS[0]["last_at"], last_result="running"),
     ("working +2", "4m 10s", "2h ago", "running")),
]  # fmt: skip


@pytest.mark.parametrize(("row", "said"), RITUALS_SAY)
def test_a_ritual_says_when_it_comes_and_what_came_of_it(row, said):
    cells = {column.key: column.cell(row, NOW).text for column in schedules_rows.RITUALS_COLUMNS}
    assert tuple(cells[key] for key in ("state", "next", "last", "result")) == said


RUNS_SAY = [
    (run(1, "completed", began=9, ended=4), ("backup/1", "completed", "5s", "")),
    (run(2, "missed", missed=3), ("#2", "missed", "", "3 more missed")),
    (run(2, "missed", missed=1000), ("#2", "missed", "", "1000+ more missed")),
    (run(3, "failed", began=9, ended=4, exit_code=2, reason="check_failed"),
     ("backup/3", "failed", "5s", "check failed · exit 2")),
    (run(4, "skipped", reason="overlap", text="The run before went on."),
     ("#4", "skipped", "", "The run before went on.")),
    (run(5, "running", began=9), ("backup/5", "working", "9s", "")),
]  # fmt: skip


@tabled(("row", "said"), RUNS_SAY)
def test_a_run_says_how_it_came_out(row, said):
    (found,) = schedules_rows.runs([row])
    cells = {column.key: column.cell(found, NOW).text for column in schedules_rows.RUNS}
    assert tuple(cells[key] for key in ("name", "state", "took", "why")) == said


def test_all_about_a_quest_is_a_text_to_read():
    assert read(quests_rows.quest(QUESTS[1], LOOK)) == [
        " docs 00000021",
        " ✖ failed after 16m 40s  check failed, exit 2",
        "  command            make docs",
        "  folder             /srv/work",
        "  check              test -f index.html",
        "  tries              3 of 3",
        "  exit code          2",
        "  started            2025-12-31 22:53:20",
        "  ended              2025-12-31 23:10:00",
        "  mission            00000021  running",
    ]


def test_all_about_a_ritual_says_when_it_comes_and_how_its_runs_came_out():
    coming = [{"local": f"2026-01-0{day} 03:00 CET"} for day in (2, 3)]
    said = read(schedules_rows.ritual(RITUALS[0] | {"upcoming": coming, "runs": RUNS, "retries": 0}, LOOK))
    assert said[1] == " ○ waiting · next in 2h 03m"
    assert said[5:7] == ["  next               2026-01-02 03:00 CET", "                     2026-01-03 03:00 CET"]
    assert said[-4] == "  ⊘ #4        skipped    2026-01-04 03:00 CET  schedule          The run before went on."
    paused = read(schedules_rows.ritual(RITUALS[2] | {"runs": [], "upcoming": coming}, LOOK))
    assert paused[1] == " ‖ paused"
    assert not [line for line in paused if line.startswith(("  next", " runs"))]


def test_all_about_a_run_says_why_it_never_began():
    missed = schedules_rows.runs(RUNS)[3]
    assert read(schedules_rows.run(missed, LOOK))[1] == " ⊘ missed  3 more missed"


def test_each_order_of_the_schedules_sorts_all_rows():
    for orders, rows in (
        (quests_rows.ORDERS, quests_rows.quests(QUESTS)),
        (schedules_rows.RITUAL_ORDERS, schedules_rows.rituals(RITUALS)),
        (schedules_rows.RUN_ORDERS, schedules_rows.runs(RUNS)),
    ):
        for order in orders.values():
            assert sorted(order.key(row, NOW) for row in rows)
    assert next(row["name"] for row in quests_rows.quests(QUESTS)) == "port", "the newest first"


# walks


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
        await press("v")
        assert app.notice.text == "port has no check yet"
        await press("G", "x")
        assert app.notice.text == "backup/4 is already completed"
        await press("l")
        assert app.notice.text == "the mission of backup/4 was removed"
        await press("d")
        assert ("quest", "00000020") in app.asked
        assert isinstance(app.screen, TextPage)
        assert "✔ completed after 1m 40s" in picture(app), "as prose"

    walk(scenario)


def test_a_ritual_is_run_paused_resumed_and_deleted_and_has_a_history():
    async def scenario(app, press):
        await press(":rituals", "t", "s")
        assert app.asked[-2:] == [("ritual_run", "backup"), ("ritual_pause", "backup")]
        await press("j", "j", "p", "k", "ctrl+d")
        assert ("ritual_resume", "prune") in app.asked
        assert "the running quest of mail continues" in picture(app)
        await press("y")
        assert ("ritual_delete", "mail") in app.asked
        await press(":ritual resume --json", ":ritual pause prune", ":ritual delete", "y")
        assert app.ran == [
            ["ritual", "resume", "mail", "--json"], ["ritual", "pause", "prune"], ["ritual", "delete", "mail"],
        ]  # fmt: skip
        app.refuses = True
        await press("t")
        assert app.notice.text == "mail: It is gone."
        app.refuses = False
        await press("enter")
        assert isinstance(app.screen, RunsPage)
        assert ("ritual_history", "mail") in app.asked

    walk(scenario)


def test_nothing_is_done_where_there_is_no_row():
    async def scenario(app, press):
        await press(":rituals", "t", "enter", "d", "l")
        assert app.notice.text == "run now: no ritual is selected here"
        await press(":quests", "x", "enter", "v")
        assert app.notice.text == "cancel: no quest is selected here"
        await press(":quest cancel")
        assert app.notice.text == "quest cancel: name one, or select it in :quests"
        await press(":bp", "enter", "l")
        assert app.screen.view == "blueprints"
        app.read_only = True
        await press(":rituals", "s")
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


BLUEPRINT = """
[agents.first]
command = "until test -e {gate}; do sleep 0.05; done; echo through"
[agents.second]
command = "echo ${{agents.first.result}}"
"""


def test_what_a_supervisor_tells_is_what_is_shown_and_it_is_shown_as_it_happens(om, opened, tmp_path):
    gate, file = tmp_path / "gate", tmp_path / "two.toml"
    file.write_text(BLUEPRINT.format(gate=gate))
    om.ok("apply", str(file))
    om.ok("quest", "run", "--name", "docs", "sleep 300")
    om.ok("ritual", "create", "nightly", "0 3 * * *", "true")

    async def scenario(app, pilot):
        async def shown(line, *texts):
            app.commands.run(line)
            await until(pilot, lambda: all(text in picture(app) for text in texts), what=line)

        await shown("quests", "docs", "working", "sleep 300")
        await shown("rituals", "nightly", "waiting", "0 3 * * *")
        app.screen.act(keymap(Context.RITUALS)["t"])
        await until(pilot, lambda: "completed" in picture(app), what="its run")
        app.screen.act(keymap(Context.RITUALS)["enter"])
        await until(pilot, lambda: "nightly/1" in picture(app) and "manual" in picture(app), what="its history")
        await shown("bp", "two", "0/2", "two.toml")
        await shown("plan two", "waits for first", "1 running")
        gate.touch()
        await until(pilot, lambda: picture(app).count("succeeded") >= 2 and "through" in picture(app), what="the end")
        app.screen.act(keymap(Context.PLAN)["enter"])
        await until(pilot, lambda: app.main.panels.current is Panel.LOG and "through" in picture(app), what="the log")

    opened({}, scenario)

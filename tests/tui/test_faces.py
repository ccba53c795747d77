"""The faces of the panel as they are drawn: a log without a cut line, graphs only where there is something to see."""

from __future__ import annotations

from collections import deque

import pytest

from overmind_core.view.summary import Sample
from overmind_tui.render.layout import Panel
from overmind_tui.shell.messages import LogShown
from tests.kit.screen_panel import LOG
from tests.tui.conftest import picture, until
from tests.tui.test_pictures import AGENTS, Still, mission, settle
from tests.tui.test_traps import run

PLANNER = "00000001"
BARS = set("▁▂▃▄▅▆▇█")


@pytest.mark.parametrize("face", [Panel.LOG, Panel.STATS])
def test_where_no_mission_is_selected_the_panel_says_so_once_and_offers_no_faces(face):
    async def scenario(app, pilot):
        app.main.panels.turn_to(face)
        await pilot.press("slash", *"nosuchname", "enter")
        await settle(pilot)
        assert app.main.table.cursor_id is None
        panel = [line.partition("│")[2] or line for line in picture(app).splitlines() if "no mission is sel" in line]
        assert len(panel) == 1
        assert not {"log", "diff", "stats", "follows"} & set(panel[0].split())

    run(Told, scenario, (200, 60))


class Told(Still):
    """Agents, one of which has said this; its figures are those that a test takes."""

    def __init__(self, samples=()):
        super().__init__(AGENTS)
        self._samples = samples

    def _start(self):
        super()._start()
        self.fleet.samples.clear()
        self.fleet.samples[PLANNER] = deque(self._samples)
        self.main.table.select(PLANNER)
        self.flash("")

    def _show_log(self, look):
        self.post_message(LogShown(look, LOG, partial="", runs=(1, 1)))


def words_below(app, title):
    """The words of the panel, without the minutes at their left."""
    lines = [line.partition("│")[2] or line for line in picture(app).splitlines()]
    (begins,) = (at for at, line in enumerate(lines) if "log  diff" in line and title in line)
    return [word for line in lines[begins + 1 : -2] for word in line[8:].split()]


@pytest.mark.parametrize("keys", [[], ["l"], ["l", "z"]], ids=["in the list", "in the log", "alone"])
@pytest.mark.parametrize("columns", [80, 120, 200])
def test_no_line_of_the_log_of_an_agent_is_cut(columns, keys):
    """Acceptance 18."""
    said = [word for _, _, text in LOG for word in text.replace("[human] ", "you ").split()]

    async def scenario(app, pilot):
        for key in keys:
            await pilot.press(key)
        await settle(pilot)
        assert app.main.panels.shown is Panel.LOG
        assert words_below(app, "planner") == said
        assert "…" not in "".join(words_below(app, "planner"))

    run(Told, scenario, (columns, 60))


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
def test_memory_that_stays_is_steady_and_one_sample_has_no_bar(size):
    """Acceptance 19: in the stats and in the title."""
    many = [Sample(5.0 * at, 210e6, 900.0 * at) for at in range(20)]

    def lines(app, *labels):
        return [line for line in picture(app).splitlines() if any(f" {label} " in line for label in labels)]

    async def flat(app, pilot):
        await until(pilot, lambda: BARS & set(next(iter(lines(app, "log  diff")))), what="the load in the title")
        app.main.panels.turn_to(Panel.STATS)
        await settle(pilot)
        (memory,) = lines(app, "mem      210 MB")
        assert "210 MB  steady" in memory
        assert not BARS & set(memory)
        (cpu,) = lines(app, "cpu        95 %")
        assert BARS & set(cpu)

    async def one(app, pilot):
        app.main.panels.turn_to(Panel.STATS)
        await settle(pilot)
        assert "210 MB" in picture(app)
        assert "steady" not in picture(app)
        assert not BARS & set(picture(app))

    run(lambda: Told(many), flat, size)
    run(lambda: Told(many[:1]), one, size)


ENDED = [
    mission(1, "web", "running", cpu_percent=2.0, memory_bytes=48_000_000),
    mission(2, "unit", "stopped", exit_code=0, ended_at="2025-12-31T23:50:00.000Z"),
]
EVENTS = [
    {"seq": at, "at": f"2025-12-31T23:4{at}:00.000Z", "mission": one["id"], "name": one["name"], "type": "keeper_lost"}
    for at, one in enumerate(ENDED, 1)
]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
def test_on_the_line_of_those_that_ended_the_panel_says_what_happened(size):
    async def scenario(app, pilot):
        app.fleet.events.extend(EVENTS)
        await pilot.press("G")
        await settle(pilot)
        assert app.main.table.on_fold
        shown = picture(app).split("\n")
        title = next(at for at, line in enumerate(shown) if line.startswith("── what happened ──"))
        assert [name for line in shown[title:] for name in ("unit", "web") if f" {name} " in line] == ["unit", "web"]
        assert "no mission is selected" not in picture(app)
        await pilot.press("tab")
        assert app.notice.text == "no mission is selected"
        await pilot.click(offset=(10, title + 2))
        await settle(pilot)
        assert app.main.table.cursor_id == ENDED[0]["id"], "an event leads to its mission"
        assert "── web " in picture(app)

    run(lambda: Still(ENDED), scenario, size=size)


def test_beside_the_list_what_happened_is_said_once():
    async def scenario(app, pilot):
        await pilot.press("G")
        await settle(pilot)
        assert picture(app).count("── what happened ──") == 1

    run(lambda: Still(ENDED), scenario, size=(200, 60))


def test_the_title_of_a_log_says_that_it_follows_while_there_may_be_more():
    async def scenario(app, pilot):
        await pilot.press("G", "enter")
        for one, note in zip(ENDED, ("follows", "its end"), strict=True):
            app.main.table.select(one["id"])
            await settle(pilot)
            (title,) = (line for line in picture(app).split("\n") if line.startswith(f"── {one['name']} "))
            assert title.endswith(f"{note} ──")

    run(lambda: Still(ENDED), scenario, size=(120, 40))


class Rerun(Still):
    """A mission in its second run, of whose load more is known than one sample."""

    def __init__(self):
        super().__init__([{**ENDED[0], "run": 2}])

    def _start(self):
        super()._start()
        self.fleet.samples[ENDED[0]["id"]] = deque(Sample(5.0 * at, 210e6, 0.0) for at in range(20))
        self.main.table.select(ENDED[0]["id"])


def test_the_title_of_the_log_of_an_earlier_run_says_its_end_without_the_load_of_the_newest():
    async def scenario(app, pilot):
        def title():
            return next(line for line in picture(app).split("\n") if line.startswith("── web "))

        await until(pilot, lambda: "cpu" in title(), what="the load in the title")
        assert title().endswith("follows ──")
        assert app.main.in_view == ENDED[0]["id"]
        await pilot.press("p")
        await settle(pilot)
        assert "run 1" in title()
        assert title().endswith("── its end ──")
        assert "cpu" not in title()
        assert app.main.in_view is None, "its newest lines are elsewhere"
        app.main.panels.turn_to(Panel.STATS)
        await settle(pilot)
        assert "cpu" in title(), "the figures are those of the mission"

    run(Rerun, scenario, size=(120, 40))

"""The faces of the panel as they are drawn: a log without a cut line, graphs only where there is something to see."""

from __future__ import annotations

from collections import deque

import pytest

from overmind_core.view.summary import Sample
from overmind_tui.render.layout import Panel
from overmind_tui.shell.messages import LogShown
from tests.kit.screen_panel import LOG
from tests.tui.conftest import picture, until
from tests.tui.test_pictures import AGENTS, Still, settle
from tests.tui.test_traps import run

PLANNER = "00000001"
BARS = set("▁▂▃▄▅▆▇█")


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

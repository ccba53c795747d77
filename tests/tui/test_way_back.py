"""The two ways back: esc closes one thing and never leaves; q goes a step back, and leaves from the list."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from overmind_core.view.actions import Context
from overmind_tui.shell.quit import Quit
from tests.kit.cases import tabled
from tests.tui.conftest import until
from tests.tui.test_hint_walk import CALM, Talking, at_list
from tests.tui.test_pictures import AGENTS, settle
from tests.tui.test_traps import run

LOW, ROOMY, WIDE = (80, 24), (120, 40), (200, 60)


def has_panel(app):
    """Whether the panel is on the screen."""
    return bool(app.main.panels.shape.panel_lines)


@pytest.mark.parametrize("opened", [(), ("tab",), ("tab", "tab"), ("u", "escape"), ("y", "escape")], ids=" ".join)
@pytest.mark.parametrize("size", [LOW, ROOMY, WIDE], ids=str)
@pytest.mark.parametrize("rows", [CALM, AGENTS], ids=["few", "many"])
def test_q_leaves_from_the_list_whatever_the_panel_beside_it_is(rows, size, opened):
    async def scenario(app, pilot):
        await pilot.press(*opened)
        await settle(pilot)
        assert at_list(app)
        shown = has_panel(app)
        await pilot.press("q")
        await until(pilot, lambda: app.left == ["asked"], what="the question whether to leave")
        assert has_panel(app) is shown, "nothing was closed instead"

    run(lambda: Talking(rows), scenario, size=size)


@tabled(
    ("opened", "steps"),
    [(["l"], 1), (["slash", "a", "enter"], 1), (["space"], 1), (["!"], 1), (["z"], 1), (["l", "z"], 2), (["d"], 1),
     (["slash", "a", "enter", "space"], 2), (["y"], 1)],
)  # fmt: skip
def test_q_goes_back_what_the_keys_are_in_or_what_hides_rows_and_then_leaves(opened, steps):
    async def scenario(app, pilot):
        assert app.main.select("00000002")
        await pilot.press(*opened)
        await settle(pilot)
        for _ in range(steps):
            assert not app.left
            await pilot.press("q")
            await settle(pilot)
        assert not app.left
        assert app.screen is app.main
        assert app.main.context is Context.MISSIONS
        await pilot.press("q")
        assert app.left == ["asked"]

    run(Talking, scenario, size=LOW)


def test_esc_closes_the_panel_that_was_opened_and_never_leaves():
    async def scenario(app, pilot):
        await pilot.press("tab")
        await until(pilot, lambda: has_panel(app), what="the panel")
        await pilot.press("escape")
        await until(pilot, lambda: not has_panel(app), what="the list alone")
        await pilot.press("escape", "escape")
        await settle(pilot)
        assert not app.left

    run(Talking, scenario, size=LOW)


@tabled(
    ("read_only", "labels"),
    [(False, ["keep running in the background", "stop all", "cancel"]),
     (True, ["keep running in the background", "cancel"])],
)  # fmt: skip
def test_who_may_only_look_is_not_offered_to_stop_what_only_this_program_supervises(read_only, labels):
    asked: list[Any] = []
    shell = SimpleNamespace(read_only=read_only, open=asked.append)
    Quit(cast("Any", shell), cast("Any", SimpleNamespace(live=2)), lambda: None).ask()
    (dialog,) = asked
    assert [answer.label for answer in dialog._answers] == labels

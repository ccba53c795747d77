"""The table of missions under the keys: order, marks, attention, what closes, what is remembered, what is said."""

from __future__ import annotations

import os
import re
import sys

import pytest
from ptyprocess import PtyProcess

from overmind_core.errors import OvermindError
from overmind_tui.app import OvermindApp
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.table import TablePage
from overmind_tui.render.layout import Panel
from overmind_tui.shell import clipboard
from overmind_tui.shell.remembered import Remembered
from tests.tui.conftest import picture, until

SLEEPERS = {"alpha": "sleep 300", "beta": "sleep 300", "gamma": "sleep 300"}


def names(app: OvermindApp) -> list[str]:
    return [branch.row["name"] for branch in app.main.table.branches]


def marked(app: OvermindApp) -> list[str]:
    return [branch.row["name"] for branch in app.main.table.branches if branch.id in app.main.table.marked]


def test_a_sort_key_sorts_and_the_same_again_turns_it_round(opened):
    async def scenario(app, pilot):
        assert names(app) == ["alpha", "beta", "gamma"]
        await pilot.press("N")
        assert names(app) == ["alpha", "beta", "gamma"]
        await pilot.press("N")
        assert names(app) == ["gamma", "beta", "alpha"]
        await pilot.press("A")
        assert names(app) == ["alpha", "beta", "gamma"], "the oldest first"
        assert "3 missions" in picture(app), "the old order: one list without groups"
        await pilot.press("A")
        assert "3 running" in picture(app)
        for key in "SCMD":
            await pilot.press(key)
            assert sorted(names(app)) == ["alpha", "beta", "gamma"]

    opened(SLEEPERS, scenario)


def test_a_column_is_chosen_and_sorted_by(opened):
    async def scenario(app, pilot):
        table = app.main.table
        await pilot.press("less_than_sign")
        chosen = table.chosen
        assert chosen
        await pilot.press("greater_than_sign", "shift+right", "shift+left")
        assert table.chosen != chosen
        while table.chosen != "name":
            await pilot.press("greater_than_sign")
        await pilot.press("O")
        assert app.main.table_panel.order.by == "name"
        await pilot.press("O")
        assert names(app) == ["gamma", "beta", "alpha"]
        assert re.search(r"3 running +NAME↓ +STATE", picture(app))
        await pilot.press("shift+right")
        assert re.search(r"3 running +NAME↓ +STATE", picture(app)), "what it is sorted by stays in sight"

    opened(SLEEPERS, scenario)


def test_how_the_table_looks_is_remembered(om, program, opened):
    async def scenario(app, pilot):
        await pilot.press("N", "N", "ctrl+w", "t")
        assert app.main.table.wide

    opened(SLEEPERS, scenario)
    kept = Remembered(program().home)
    assert (kept.get("order", ""), kept.get("wide", default=False), kept.get("flat", default=False)) == (
        "name:inverted", True, True,
    )  # fmt: skip

    async def again(app, _pilot):
        assert names(app)[:3] == ["gamma", "beta", "alpha"]
        assert app.main.table.wide
        assert app.main.table_panel.flat

    opened({}, again)


def test_marks_are_set_one_by_one_in_a_range_all_and_none(opened):
    async def scenario(app, pilot):
        await pilot.press("space")
        assert marked(app) == ["alpha"]
        await pilot.press("j", "ctrl+@")
        assert marked(app) == ["alpha", "beta", "gamma"]
        await pilot.press("ctrl+backslash")
        assert marked(app) == []
        await pilot.press("*")
        assert marked(app) == ["alpha", "beta", "gamma"]
        assert "3 marked" in picture(app)

    opened(SLEEPERS, scenario)


def test_marks_that_a_filter_hides_are_not_acted_on_and_the_title_says_so(om, opened):
    async def scenario(app, pilot):
        await pilot.press("*", "slash", *"beta", "enter")
        assert "3 marked, 2 hidden" in picture(app)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: app.notice.text == "stopped beta", what="stopped")
        assert {row["name"]: row["status"] for row in om.api("ps")} == {
            "alpha": "running", "beta": "stopped", "gamma": "running",
        }  # fmt: skip

    opened(SLEEPERS, scenario)


def test_of_several_at_once_the_one_flash_names_who_refused(om, opened):
    async def scenario(app, pilot):
        def refuse(_command, requests, on_result):
            on_result(
                [OvermindError("not_running", "It isn't running") if at == 1 else {} for at in range(len(requests))]
            )

        app.request = refuse
        await pilot.press("*", "x")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("y")
        assert app.notice.text == "stopped 2 of 3 · beta: not_running"

    opened(SLEEPERS, scenario)


def test_esc_closes_marks_filter_zoom_and_panel_in_this_order_and_never_leaves(opened):
    async def scenario(app, pilot):
        main = app.main
        await pilot.press("z", "slash", *"a", "enter", "space")
        await pilot.press("escape")
        assert (marked(app), main.table_panel.filter.text, main.panels.zoomed) == ([], "a", True)
        await pilot.press("escape")
        assert (main.table_panel.filter.text, main.panels.zoomed) == ("", True)
        await pilot.press("escape")
        assert not main.panels.zoomed
        await pilot.press("l", "escape")
        assert main.panels.current is Panel.TABLE
        await pilot.press("escape")
        assert app.is_running
        assert len(app.screen_stack) == 1

    opened(SLEEPERS, scenario)


def test_ctrl_c_cancels_a_prompt_or_a_dialog_and_only_then_leaves(opened):
    async def scenario(app, pilot):
        await pilot.press("slash", "a", "ctrl+c")
        assert app.main.bar.sign == ""
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("ctrl+c")
        await until(pilot, lambda: app.screen is app.main, what="cancelled")
        assert app.is_running

    opened(SLEEPERS, scenario)


def test_only_what_needs_attention_and_back(om, opened):
    async def scenario(app, pilot):
        await until(
            pilot, lambda: app.fleet.rows and any(row["status"] == "crashed" for row in app.fleet.rows.values())
        )
        await pilot.press("ctrl+z")
        assert names(app) == ["lost"]
        assert "/ needs attention   1 of 2   esc all" in picture(app)
        await pilot.press("ctrl+z")
        assert len(names(app)) == 2
        assert "needs attention" not in picture(app)
        await pilot.press("ctrl+z", "escape")
        assert len(names(app)) == 2

    opened({"alpha": "sleep 300", "lost": "exit 3"}, scenario)


def test_nobody_needs_attention_is_said(opened):
    async def scenario(app, pilot):
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert "nothing needs attention: esc shows all 1" in picture(app)
        await pilot.press("escape")
        assert names(app) == ["alpha"]

    opened({"alpha": "sleep 300"}, scenario)


def test_ids_of_the_marked_are_copied(monkeypatch, opened):
    copied: list[tuple[str, str]] = []
    monkeypatch.setattr(clipboard, "copy", lambda _app, text, what: copied.append((text, what)))

    async def scenario(app, pilot):
        ids = [branch.id for branch in app.main.table.branches]
        await pilot.press("c", "space", "space", "c")
        assert copied == [(ids[0], f"{ids[0]} (alpha)"), ("\n".join(ids[:2]), "2 ids")]

    opened(SLEEPERS, scenario)


def saved(home):
    folder = os.path.join(home, "saved")
    (name,) = [name for name in os.listdir(folder) if name.startswith("missions")]
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read().splitlines()


def test_what_is_shown_is_saved(om, opened):
    async def scenario(app, pilot):
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "saved" in app.notice.text, what="the flash")
        found = saved(om.home)
        assert found[0].split()[:4] == ["3", "running", "STATE", "FOR"]
        assert [line[2:].split()[:3] for line in found[1:]] == [
            ["▶", "alpha", "working"], ["▶", "beta", "working"], ["▶", "gamma", "working"],
        ]  # fmt: skip

    opened(SLEEPERS, scenario)


def test_killed_rows_stay_dimmed_until_the_view_is_left_and_are_counted_then(om, opened):
    async def scenario(app, pilot):
        await pilot.press("ctrl+k")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: app.main.table.branches[0].dimmed, what="dimmed")
        assert app.notice.text == "killed alpha · r restarts it"
        await pilot.press("x")
        await pilot.pause()
        assert names(app)[0] == "alpha", "a question or a flash leaves no view"
        await pilot.press("?")
        await until(pilot, lambda: app.screen is not app.main, what="help")
        await pilot.press("q")
        await until(pilot, lambda: names(app) == ["beta"], what="folded away")
        assert "1 ended: 1 killed" in picture(app)
        assert app.fleet.named("alpha")["hidden"]

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_a_finished_mission_is_started_again_without_a_question(om, opened):
    async def scenario(app, pilot):
        await until(pilot, lambda: any(row["status"] == "stopped" for row in app.fleet.rows.values()), what="finished")
        await until(pilot, lambda: "1 ended: 1 succeeded   enter unfolds" in picture(app), what="it is folded away")
        await pilot.press("enter", "j")
        assert app.main.table.current.row["name"] == "alpha"
        await pilot.press("r")
        await until(pilot, lambda: app.notice.text == "restarted alpha", what="restarted at once")

    opened({"alpha": "true"}, scenario)


def test_read_only_hides_and_refuses_what_changes(om, opened):
    async def scenario(app, pilot):
        shown = picture(app)
        assert "read-only" in shown.splitlines()[0]
        assert "l log" in shown.splitlines()[-1]
        assert not {"x stop", "m message"} & set(re.split("  +", shown.splitlines()[-1]))
        assert "n new" not in shown
        for key in ("x", "ctrl+k", "r", "n", "m", "ctrl+d"):
            await pilot.press(key)
            assert "read-only" in app.notice.text, key
            assert app.screen is app.main, key

    opened({"alpha": "sleep 300"}, scenario, read_only=True)


@pytest.mark.usefixtures("alone")
def test_who_comes_back_is_told_what_happened_and_enter_shows_it(om, program, opened):
    om.mission("true", "--name", "done")
    om.mission("exit 3", "--name", "lost")
    om("wait", "done", "lost")
    kept = Remembered(program().home)
    kept.put(used_at=1_000_000_000.0, used_seq=0)
    kept.save()

    async def scenario(app, pilot):
        await until(pilot, lambda: "1 finished, 1 failed" in picture(app), what="the line")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TablePage), what="events")
        await pilot.press("q")
        await until(pilot, lambda: app.screen is app.main, what="back")
        assert "1 finished" not in picture(app)

    opened({}, scenario)


def test_who_was_here_a_moment_ago_is_told_nothing(om, program, opened):
    async def scenario(app, pilot):
        assert not app.away_summary.text

    opened({"alpha": "true"}, scenario)
    kept = Remembered(program().home)
    assert kept.get("used_at", 0.0) > 1_700_000_000
    assert kept.get("used_seq", 0) > 0
    opened({}, scenario)


SHAPES = [((59, 24), 1, False), ((80, 24), 1, True), ((80, 24), 12, False), ((120, 40), 12, True)]
"""Columns and rows, missions, and whether there is a panel at the start."""


@pytest.mark.parametrize(("size", "missions", "has_panel"), SHAPES)
def test_no_frame_of_the_start_has_another_shape_than_the_first_one(om, size, missions, has_panel):
    """All that a terminal gets until the missions are there; the faces of the panel would be in it."""
    for number in range(missions):
        om.mission("sleep 300", "--name", f"alpha-{number}")
    wanted = {f"alpha-{number}".encode() for number in range(missions)} | ({b"stats"} if has_panel else set())
    seen = b""
    process = PtyProcess.spawn(
        [sys.executable, "-P", "-m", "overmind_core.cli", "tui"],
        env={**om.environment, "TERM": "xterm-256color"},
        dimensions=(size[1], size[0]),
    )
    try:
        while not all(one in seen for one in wanted):
            seen += os.read(process.fd, 65536)
    finally:
        process.close(force=True)
    assert (b"stats" in seen) is has_panel

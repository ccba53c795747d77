"""The list of missions as a tab gets it: a real supervisor and web server, a socket instead of a browser."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.view import row_filter
from tests.kit.killing import kill_supervisor
from tests.kit.web_tab import Tab, Table

BUSY = ["sh", "-c", "while :; do :; done"]
LANGUAGE = (
    "alpha", "!alpha", "state:crashed", "alp gam", '"sleep 1000"', "name:^b", "restarts>0", "age<1h", "-f ga",
    "exit>=3",
)  # fmt: skip

pytestmark = pytest.mark.shared_home


def listed(tab: Tab, count: int, **args: Any) -> Table:
    """The list, once it has so many rows: what has just been started is told a moment later."""
    tab.open(1, "missions", **args)
    table = Table(tab, 1)
    tab.until(lambda: tab.panes[1] and table.take().total == count, what=f"{count} are listed")
    return table


def test_the_first_frame_is_the_whole_list_with_its_columns(om, tab):
    parent = om.mission("sleep 1000", "--name", "parent")
    om.mission("sleep 1000", "--name", "child", "--parent", parent)
    om.mission(["sh", "-c", "exit 3"], "--name", "broken")
    table = listed(tab, 3, order="name")
    assert table.names == ["broken", "parent", "└─child"]
    assert (table.total, table.head["order"], table.head["rises"]) == (3, "name", True)
    assert [column["key"] for column in table.head["columns"]][:2] == ["name", "id"]
    assert table.rows[parent][1] == "working"
    assert table.rows[parent][5]["folded"] == 0


def test_a_mission_that_starts_changes_and_goes_is_seen_without_asking(om, tab):
    table = listed(tab, 0)
    assert (table.total, table.ids, table.head["empty"][0]) == (0, [], "No missions yet.")
    mission = om.mission("sleep 1000", "--name", "api")
    tab.until(lambda: table.take().rows.get(mission), what="it is listed")
    om.ok("freeze", mission)
    tab.until(lambda: table.take().rows[mission][1] == "frozen", what="it is frozen")
    assert table.cells(mission)["state"] == ["frozen", "off"]
    om.ok("rename", mission, "gate")
    tab.until(lambda: table.take().rows[mission][2] == "gate", what="it is renamed")
    om.ok("kill", mission)
    tab.until(lambda: table.take().rows[mission][1] == "killed", what="it is killed")
    assert table.rows[mission][5]["dimmed"]
    om.ok("rm", mission)
    tab.until(lambda: table.take().total == 0, what="it is gone")


def test_what_somebody_presses_is_done_and_seen(om, tab):
    mission = om.mission("sleep 1000")
    table = listed(tab, 1)
    assert tab.press("kill", id=mission)["ok"]["killed"][0]["id"] == mission
    tab.until(lambda: table.take().rows[mission][1] == "killed", what="it is killed")
    assert tab.press("kill", id="nobody")["error"] == "not_found"


def test_a_filter_keeps_what_it_keeps_in_the_terminal(om, tab):
    for name in ("alpha", "beta", "gamma"):
        om.mission("sleep 1000", "--name", name)
    om.finished(["sh", "-c", "exit 3"], "--name", "delta")
    rows = om.api("ps")
    for text in LANGUAGE:
        wanted = row_filter.parsed(text)
        kept = {row["id"] for row in rows if wanted.matches(row)}
        table = listed(tab, len(kept), filter=text, flat=True)
        assert set(table.ids) == kept, text
        assert table.problem == ""


def test_a_filter_that_makes_no_sense_or_never_ends_is_refused_in_words(om, tab, cases):
    for number in range(2):
        om.mission(["sh", "-c", "sleep 1000", f"{'a' * 40}{number}!"])
    table = listed(tab, 2)  # else the expression is given up with a row that came later, not refused
    for text in ("[", "name:(", "command:(a+)+$"):
        with cases(text):
            table = listed(tab, 2, filter=text)
            assert table.problem.startswith(f"/{text}: ")


@pytest.mark.parametrize(
    "args",
    [
        {
            "filter": 5,
            "order": ["x"],
            "folded": "abc",
            "flat": "yes",
            "attention": 1,
            "opened": {"a": 1},
            "reversed": 1,
        },
        {"order": "nothing:else", "folded": [1, None, [], "no such id"]},
        {"filter": "x" * 100_000},
    ],
)
def test_arguments_of_the_wrong_kind_count_as_not_said(om, tab, args):
    om.mission("sleep 1000", "--name", "one")
    listed(tab, 0 if isinstance(args.get("filter"), str) else 1, **args)


def test_only_rows_in_view_are_sent_and_others_when_they_come_into_view(om, tab):
    count = 130
    for number in range(count):
        om.mission("true", "--name", f"m{number:03}")
    tab.open(1, "missions", 0, 20, order="name")
    table = Table(tab, 1)
    tab.until(lambda: tab.panes[1] and table.take().total == count, what="all are counted")
    assert len(table.ids) == 50
    tab.send(t="window", p=1, from_=100, to=120)
    tab.until(lambda: "m119" in table.take().names, what="the window has moved")
    assert {table.rows[one][2] for one in table.ids} == {f"m{number:03}" for number in range(70, 130)}


def test_folded_rows_are_left_out_and_counted(om, tab):
    parent = om.mission("sleep 1000", "--name", "parent")
    om.mission("sleep 1000", "--name", "child", "--parent", parent)
    listed(tab, 2)
    table = listed(tab, 1, folded=[parent])
    assert (table.names, table.rows[parent][5]["folded"]) == (["parent"], 1)


def test_who_looks_at_a_busy_mission_sees_its_load_and_another_tab_does_not_change_it(om, site, tab):
    busy, calm = om.mission(BUSY, "--name", "busy"), om.mission("sleep 1000", "--name", "calm")
    table = listed(tab, 1, filter="name:busy", flat=True)
    with site.tab() as other:
        beside = listed(other, 1, filter="name:calm", flat=True)
        tab.until(lambda: table.take().cells(busy).get("cpu", ["0%"])[0] != "0%", what="it is busy")
        other.until(lambda: "cpu" in beside.take().cells(calm), what="its load is known")
        assert table.rows[busy][1] == "working"


def test_nothing_is_sent_while_nothing_happens(om, tab):
    om.mission("sleep 1000")
    table = listed(tab, 1)
    tab.until(lambda: "cpu" in table.take().cells(table.ids[0]), what="its load is known")
    tab.until(lambda: len(tab.said.get("head", ())) > 0, what="the head is there")
    seen = len(tab.panes[1])
    om.ok("ps")
    tab.send(t="ping")
    tab.until(lambda: tab.said.get("pong"), what="the server answers")
    assert len(tab.panes[1]) == seen


def test_the_head_counts_what_every_page_shows(om, tab):
    om.mission("sleep 1000")
    om.mission(["sh", "-c", "exit 3"])
    tab.until(
        lambda: tab.said.get("head") and tab.said["head"][-1]["counts"] == {"working": 1, "failed": 1}, what="both"
    )
    head = tab.said["head"][-1]
    assert (head["needs"], head["turns"], head["title"]) == (0, 0, "overmind")


def test_what_somebody_has_looked_at_is_no_news_in_any_tab(om, site, tab):
    mission = om.mission(["sh", "-c", "exit 3"])
    table = listed(tab, 1)
    tab.until(lambda: table.take().rows[mission][3] == 1, what="it is news")
    with site.tab() as other:
        other.press("seen", id=mission)
    tab.until(lambda: table.take().rows[mission][3] == 0, what="it was looked at")


@pytest.mark.own_home
def test_after_the_supervisor_was_killed_the_list_is_fresh(om, tab):
    mission = om.mission("sleep 1000")
    table = listed(tab, 1)
    kill_supervisor(om)
    om.ok("freeze", mission)
    tab.until(lambda: table.take().rows[mission][1] == "frozen", what="the change is seen")

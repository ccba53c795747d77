"""The list of missions as a tab gets it: a real supervisor and web server, a socket instead of a browser."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.view import row_filter
from overmind_core.view.mission_list import FOLD
from tests.kit.killing import kill_supervisor
from tests.kit.web_tab import Tab, Table

BUSY = ["sh", "-c", "while :; do :; done"]
LANGUAGE = (
    "alpha", "!alpha", "state:crashed", "alp gam", '"sleep 1000"', "name:^b", "restarts>0", "age<1h", "-f ga",
    "exit>=3",
)  # fmt: skip

pytestmark = pytest.mark.shared_home


def listed(tab: Tab, count: int, **args: Any) -> Table:
    """The list, once it shows so many: what has just been started is told a moment later; those that ended, too."""
    tab.open(1, "missions", **{"unfolded": True, **args})
    table = Table(tab, 1)
    tab.until(lambda: tab.panes[1] and table.take().head.get("shown") == count, what=f"{count} are listed")
    return table


def test_the_first_frame_is_the_whole_list_with_its_columns(om, tab):
    parent = om.mission("sleep 1000", "--name", "parent")
    om.mission("sleep 1000", "--name", "child", "--parent", parent)
    om.finished(["sh", "-c", "exit 3"], "--name", "broken")
    table = listed(tab, 3, order="name")
    tab.until(lambda: table.take().lines[:1] == [":2 running"], what="the page knows that one has ended")
    assert table.lines == [":2 running", "parent", "└ child", "broken"]
    assert (table.total, table.head["order"], table.head["rises"]) == (4, "name", True)
    assert [column["key"] for column in table.head["columns"]][:3] == ["name", "state", "for"]
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
        assert set(table.missions) == kept, text
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
    tab.open(1, "missions", 0, 20, order="name", unfolded=True)
    table = Table(tab, 1)
    tab.until(lambda: table.take().rows.get(FOLD, [""] * 3)[2] == f"{count} ended: {count} succeeded", what="all")
    assert (table.total, len(table.ids)) == (count + 2, 50)
    tab.send(t="window", p=1, from_=100, to=120)
    tab.until(lambda: "m119" in table.take().names, what="the window has moved")
    assert {table.rows[one][2] for one in table.ids} == {f"m{number:03}" for number in range(68, 130)}


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
    tab.until(lambda: "cpu" in table.take().cells(table.missions[0]), what="its load is known")
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
    assert (head["needs"], head["turns"], head["asking"], head["title"]) == (0, 0, 0, "overmind")
    assert [words for _, words, _ in head["call"]] == ["nobody needs you", "1 failed"]


def test_what_somebody_has_looked_at_is_no_news_in_any_tab(om, site, tab):
    mission = om.mission(["sh", "-c", "exit 3"])
    table = listed(tab, 1)
    tab.until(lambda: table.take().rows[mission][3] == 1, what="it is news")
    with site.tab() as other:
        other.press("seen", id=mission)
    tab.until(lambda: table.take().rows[mission][3] == 0, what="it was looked at")


def test_those_that_ended_are_one_line_until_it_is_unfolded(om, tab):
    om.mission("sleep 1000", "--name", "worker")
    for name in ("one", "two"):
        om.finished(["true"], "--name", name)
    table = listed(tab, 1, unfolded=False)
    folded = [":1 running", "worker", ":2 ended: 2 succeeded"]
    tab.until(lambda: table.take().lines == folded, what="they are one line")
    assert table.rows[FOLD][5] == {"kind": "fold", "folded": 1}
    assert listed(tab, 3).lines == [":1 running", "worker", ":2 ended: 2 succeeded", "two", "one"]
    assert listed(tab, 3, plain=True).lines == [":3 missions", "worker", "one", "two"]


def test_one_that_failed_stands_above_the_others_that_ended_until_somebody_has_looked(om, tab):
    bad = om.finished(["sh", "-c", "exit 3"], "--name", "bad")["id"]
    om.finished(["true"], "--name", "good")
    table = listed(tab, 1, unfolded=False)
    tab.until(lambda: table.take().lines == [":nothing runs", "bad", ":1 ended: 1 succeeded"], what="both")
    assert table.rows[bad][5]["group"] == "above"
    assert table.cells(bad)["state"] == ["failed (3)", "bad"]
    tab.press("seen", id=bad)
    tab.until(
        lambda: table.take().lines == [":nothing runs", ":2 ended: 1 succeeded, 1 failed"],
        what="it is among the others",
    )


def test_a_row_that_somebody_is_at_keeps_its_place_until_they_are_elsewhere(om, tab):
    first, second = (om.mission("sleep 1000", "--name", name) for name in ("first", "second"))
    table = listed(tab, 2, unfolded=False)
    tab.send(t="say", p=1, say={"row": first})
    om.ok("kill", first)
    tab.until(lambda: table.take().rows[first][1] == "killed", what="it is killed")
    assert table.names == ["first", "second"]
    for nonsense in ({"row": second}, {}, {"row": 5}, {"row": "no such row"}):
        tab.send(t="say", p=1, say=nonsense)
    tab.until(lambda: table.take().names == ["second"], what="it went where it belongs")
    om.ok("kill", second)
    tab.until(lambda: table.take().lines == [":nothing runs", ":2 ended: 2 killed"], what="the other one ended, too")


@pytest.mark.own_home
def test_after_the_supervisor_was_killed_the_list_is_fresh(om, tab):
    mission = om.mission("sleep 1000")
    table = listed(tab, 1)
    kill_supervisor(om)
    om.ok("freeze", mission)
    tab.until(lambda: table.take().rows[mission][1] == "frozen", what="the change is seen")

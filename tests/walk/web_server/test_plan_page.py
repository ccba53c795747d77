"""One plan, as a tab gets it: agents with what they wait for, live; and plans as a list."""

from __future__ import annotations

from pathlib import Path

from overmind_web.pages.plan import MOST_DRAWN
from tests.kit.blueprints import applied
from tests.kit.web_tab import Message, Tab

RELEASE = """
[agents.fetch]
command = "echo fetched"
[agents.db]
command = "while [ ! -e go ]; do sleep 0.05; done"
depends_on = ["fetch"]
[agents.build]
command = "echo built"
depends_on = ["db"]
"""


def agents(tab: Tab, pane: int = 1) -> dict[str, Message]:
    """The agents that the pane shows now."""
    frames = tab.panes[pane]
    content = frames[-1].get("content") if frames else None
    return {agent["id"]: agent for agent in content["agents"]} if content else {}


def test_a_plan_is_shown_as_it_goes_on_to_its_end(om, tab, tmp_path):
    plan = applied(om, tmp_path, RELEASE, "release")
    tab.open(1, "plan", id=plan)
    tab.until(lambda: agents(tab).get("db", {}).get("state") == "working", what="db works")
    shown = agents(tab)
    assert list(shown) == ["fetch", "db", "build"]
    assert [shown[name]["depth"] for name in shown] == [0, 1, 2]
    assert shown["build"]["why"] == "waits for db"
    assert shown["build"]["mark"] == "queued"
    assert shown["fetch"]["until"] >= shown["fetch"]["began"]
    assert shown["db"]["critical"]
    (tmp_path / "go").touch()
    tab.until(lambda: agents(tab)["build"]["state"] == "succeeded", what="all is built")
    tab.until(lambda: tab.panes[1][-1]["content"]["live"] is False, what="the plan has ended")
    assert tab.panes[1][-1]["content"]["counts"] == [["succeeded", 3]]


def test_a_plan_is_found_by_its_name_and_stopped_by_a_press(om, tab, tmp_path):
    plan = applied(om, tmp_path, RELEASE, "release")
    tab.open(1, "plan", id="release")
    tab.until(lambda: agents(tab), what="the plan")
    assert tab.press("delete", id=plan)["ok"]
    tab.until(lambda: tab.panes[1][-1]["content"]["live"] is False, what="it is stopped")


def test_of_a_large_plan_the_list_is_drawn_and_no_graph(om, tab, tmp_path):
    text = '[agents.gate]\ncommand = "sleep 600"\n' + "".join(
        f'[agents.a{number}]\ncommand = "true"\ndepends_on = ["gate"]\n' for number in range(MOST_DRAWN)
    )
    tab.open(1, "plan", id=applied(om, Path(tmp_path), text, "large"))
    tab.until(lambda: len(agents(tab)) == MOST_DRAWN + 1, what="the plan")
    assert tab.panes[1][-1]["content"]["drawn"] is False


def test_a_plan_that_there_is_not_is_refused_and_the_tab_lives_on(tab, cases):
    for args in ({}, {"id": ""}, {"id": 3}, {"id": ["x"]}, {"id": "nobody"}, {"id": "\x00\x1b"}):
        with cases(str(args)):
            tab.open(1, "plan", **args)
            frame = tab.until(lambda: tab.panes[1][-1] if tab.panes[1] else None, what="a refusal")
            assert frame["t"] == "failed"
            assert frame["error"] in {"invalid", "not_found", "ambiguous"}
            tab.open(2, "list", list="plans")
            tab.until(lambda: tab.panes[2], what="the list")

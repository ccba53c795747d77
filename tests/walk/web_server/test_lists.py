"""Lists beside that of the missions, as a tab gets them: quests, the queue, rituals, notes, cost and more."""

from __future__ import annotations

from typing import Any

from overmind_web.pages.resources import RESOURCES
from tests.kit.web_tab import Message, Tab, Table


def listed(tab: Tab, name: str, count: int, pane: int = 1, /, **args: Any) -> Table:
    """The list, once it has so many rows."""
    tab.open(pane, "list", list=name, **args)
    table = Table(tab, pane)
    tab.until(lambda: bool(tab.panes[pane]) and table.take().total == count, what=f"{count} rows of {name}")
    return table


def about(tab: Tab, name: str, one: str, pane: int = 2, /, **args: Any) -> str:
    """All about one, as text."""
    tab.open(pane, "thing", list=name, id=one, **args)
    frame: Message = tab.until(lambda: tab.panes[pane][-1] if tab.panes[pane] else None, what=f"all about {one}")
    assert frame["t"] == "content", frame
    return "\n".join("".join(text for text, _ in line) for line in frame["content"]["lines"])


def test_each_list_opens_empty_and_says_what_to_do_then(tab, cases):
    for name in RESOURCES:
        if name != "runs":
            with cases(name):
                table = listed(tab, name, 0)
                assert table.head["columns"]
                assert table.head["empty"][0]


def test_a_quest_is_seen_when_it_comes_and_when_it_is_cancelled(om, tab):
    table = listed(tab, "quests", 0)
    om.ok("quest", "add", "Build the site", "--", "sleep", "600")
    tab.until(lambda: table.take().total == 1, what="the quest")
    (one,) = table.ids
    assert table.names == ["build-the-site"]
    tab.until(lambda: table.take().cells(one)["state"][0] == "working", what="it runs")
    assert "sleep 600" in about(tab, "quests", one)
    assert tab.press("quest_cancel", id=one)["ok"]
    tab.until(lambda: table.take().cells(one)["state"][0] == "stopped", what="it is cancelled")
    assert table.rows[one][5]["status"] == "cancelled"


def test_the_queue_says_who_is_next_why_and_that_it_is_paused(om, tab):
    om.ok("queue", "pause")
    om.ok("quest", "add", "Low one", "--priority", "low", "--", "true")
    om.ok("quest", "add", "High one", "--priority", "high", "--", "true")
    table = listed(tab, "queue", 2)
    assert table.names == ["high-one", "low-one"]
    assert table.head["facts"]["paused"] is True
    assert "paused" in about(tab, "queue", table.ids[0], what="why")
    assert tab.press("queue_set", paused=False)["ok"]
    tab.until(lambda: table.take().head["facts"]["paused"] is False, what="it goes on")


def test_a_ritual_runs_at_a_press_and_its_runs_are_a_list(om, tab):
    om.ok("ritual", "create", "nightly", "0 3 * * *", "true")
    table = listed(tab, "rituals", 1)
    (one,) = table.ids
    assert "0 3 * * *" in about(tab, "rituals", one)
    assert tab.press("ritual_run", id=one)["ok"]
    runs = listed(tab, "runs", 1, 3, id=one)
    tab.until(lambda: runs.take().cells(runs.ids[0])["state"][0] == "succeeded", what="it is done")


def test_notes_are_listed_found_by_a_question_and_decided_on(om, tab, tmp_path):
    for text in ("The tests need Redis: make redis", "Prices are kept in cents"):
        om.ok("remember", text, cwd=str(tmp_path))
    table = listed(tab, "notes", 2)
    found = listed(tab, "notes", 1, 3, words="redis", cwd=str(tmp_path))
    assert "Redis" in found.cells(found.ids[0])["text"][0]
    one = found.ids[0]
    assert "make redis" in about(tab, "notes", one)
    assert tab.press("forget", notes=[one])["ok"]
    tab.until(lambda: table.take().rows[one][5]["state"] == "forgotten", what="it is forgotten")


def test_a_list_is_filtered_and_ordered_as_in_the_terminal(om, tab):
    om.ok("queue", "pause")
    for name in ("Beta", "Alpha", "Gamma"):
        om.ok("quest", "add", name, "--", "true")
    assert listed(tab, "quests", 3, order="name").names == ["alpha", "beta", "gamma"]
    assert listed(tab, "quests", 3, order="name", reversed=True).names == ["gamma", "beta", "alpha"]
    assert listed(tab, "quests", 1, filter="alph").names == ["alpha"]
    assert listed(tab, "quests", 3, filter="(").head["problem"]


def test_a_list_that_there_is_not_is_refused_and_the_tab_lives_on(tab, cases):
    for args in ({}, {"list": "nothing"}, {"list": 3}, {"list": ["quests"]}):
        with cases(str(args)):
            tab.open(1, "list", **args)
            frame = tab.until(lambda: tab.panes[1][-1] if tab.panes[1] else None, what="a refusal")
            assert frame["t"] == "failed"
            assert listed(tab, "quests", 0, 2).total == 0


def test_what_is_not_there_is_said(tab):
    tab.open(1, "thing", list="quests", id="nobody")
    frame = tab.until(lambda: tab.panes[1][-1] if tab.panes[1] else None, what="a refusal")
    assert frame["t"] == "failed"
    assert frame["error"] == "not_found"

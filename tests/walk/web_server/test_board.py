"""The board, as a tab gets it: cards in columns, what is asked about them, lanes and filters."""

from __future__ import annotations

from typing import Any

from tests.kit.web_tab import Message, Tab


def newest(tab: Tab, pane: int) -> Message:
    """What the pane shows now."""
    frames = tab.panes[pane]
    return dict(frames[-1].get("content") or {}) if frames else {}


def names(board: Message, column: str) -> list[str]:
    """The cards of a column."""
    return [card["name"] for one in board.get("columns", ()) if one["name"] == column for card in one["cards"]]


def shown(tab: Tab, column: str, wanted: list[str], pane: int = 1) -> Message:
    """The board, once a column has these cards."""
    tab.until(lambda: names(newest(tab, pane), column) == wanted, what=f"{column} has {wanted}")
    return newest(tab, pane)


def test_an_empty_board_has_five_columns_and_says_what_to_do(tab):
    tab.open(1, "board")
    tab.until(lambda: newest(tab, 1), what="the board")
    board = newest(tab, 1)
    assert [column["name"] for column in board["columns"]] == ["queued", "running", "blocked", "review", "done"]
    assert not any(column["count"] for column in board["columns"])
    assert board["empty"][0] == "No quests yet."


def test_a_card_goes_through_the_columns_by_what_is_asked_of_its_quest(om, tab):
    tab.open(1, "board")
    om.ok("queue", "pause")
    om.ok("quest", "add", "Build the site", "--", "sleep", "600")
    board = shown(tab, "blocked", ["build-the-site"])
    assert board["paused"] is True
    card = board["columns"][2]["cards"][0]
    assert "paused" in card["why"]
    om.ok("queue", "resume")
    running = shown(tab, "running", ["build-the-site"])["columns"][1]["cards"][0]
    assert running["since"] > 0
    assert tab.press("quest_cancel", id=card["id"])["ok"]
    shown(tab, "running", [])
    board = newest(tab, 1)
    (ended,) = [one for column in board["columns"] for one in column["cards"]]
    assert ended["facts"]["status"] == "cancelled"
    assert tab.press("quest_retry", id=card["id"])["ok"]
    shown(tab, "running", ["build-the-site"])


def test_a_filter_keeps_the_cards_that_match_and_counts_them(om, tab):
    om.ok("queue", "pause")
    for name in ("Alpha", "Beta"):
        om.ok("quest", "add", name, "--", "true")
    tab.open(1, "board", filter="alph")
    board = shown(tab, "blocked", ["alpha"])
    assert board["columns"][2]["count"] == 1
    tab.open(2, "board", filter="(")
    tab.until(lambda: newest(tab, 2), what="the board")
    assert newest(tab, 2)["problem"]
    assert len(names(newest(tab, 2), "blocked")) == 2


def test_lanes_are_made_of_what_quests_have(om, tab):
    om.ok("queue", "pause")
    om.ok("quest", "add", "Low one", "--priority", "low", "--", "true")
    om.ok("quest", "add", "High one", "--priority", "high", "--", "true")
    tab.open(1, "board", by="priority")
    board = shown(tab, "blocked", ["high-one", "low-one"])
    assert [card["lane"] for card in board["columns"][2]["cards"]] == ["high", "low"]
    assert board["lanes"] == ["", "priority"]


HOSTILE: list[dict[str, Any]] = [
    {"filter": 3, "by": ["x"], "spec": None, "all": "yes"},
    {"filter": "x" * 100_000},
    {"by": "nothing"},
    {"filter": "\x00\x1b[31m"},
]


def test_arguments_of_any_kind_are_answered_and_the_tab_lives_on(site, cases):
    for args in HOSTILE:
        with cases(str(args)[:40]), site.tab() as tab:
            tab.open(1, "board", **args)
            tab.until(lambda: tab.panes[1], what="an answer")
            tab.open(2, "board")
            tab.until(lambda: newest(tab, 2), what="the board")


def test_a_spec_that_there_is_not_is_said(tab):
    tab.open(1, "board", spec="nothing")
    frame = tab.until(lambda: tab.panes[1][-1] if tab.panes[1] else None, what="an answer")
    assert frame["t"] in {"failed", "content"}
    if frame["t"] == "content":
        assert not any(column["count"] for column in frame["content"]["columns"])

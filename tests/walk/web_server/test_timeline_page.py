"""The page of what happened: by days, folded by mission; and all about one."""

from __future__ import annotations

from tests.kit.web_tab import Message, Tab


def newest(tab: Tab, pane: int = 1) -> Message:
    """The newest frame of a pane."""
    found: Message = tab.until(lambda: tab.panes[pane][-1] if tab.panes[pane] else None, what="a frame")
    return found


def chapters(tab: Tab) -> list[Message]:
    """Those of the newest day."""
    days = newest(tab)["content"]["days"]
    return list(days[0]["chapters"]) if days else []


def test_an_empty_home_has_no_days(tab):
    tab.open(1, "days")
    assert newest(tab)["content"] == {"days": []}


def test_what_happens_is_told_at_once_folded_by_its_mission(om, tab):
    tab.open(1, "days")
    newest(tab)
    one = om.mission("true", "--name", "quick")
    tab.until(lambda: any(row["what"][-1][0].strip().endswith("exited") for c in chapters(tab) for row in c["rows"]),
              what="its end")  # fmt: skip
    found = next(chapter for chapter in chapters(tab) if chapter["id"] == one)
    assert (found["name"], found["mission"], found["count"]) == ("quick", True, len(found["rows"]))


def test_the_timeline_of_one_is_whole(om, tab):
    one = om.mission("true", "--name", "quick")
    om.ok("wait", one)
    tab.open(1, "timeline", id="quick")
    said = ["".join(text for text, _ in row["what"]).strip() for row in newest(tab)["content"]["rows"]]
    assert any("started" in what for what in said)
    assert any("succeeded" in what for what in said)


def test_what_is_not_there_is_refused_in_words(tab, cases):
    for args in ({}, {"id": 3}, {"id": "nobody"}):
        with cases(str(args)):
            tab.open(1, "timeline", **args)
            assert newest(tab)["t"] == "failed"
            tab.open(2, "days")
            assert newest(tab, 2)["content"] == {"days": []}

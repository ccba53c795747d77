"""The full-screen program and a page of the web, side by side: the same rows, and one answer to each question."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from overmind_core.view import row_filter
from tests.kit import claude, sessions
from tests.kit.overmind import REPOSITORY
from tests.kit.waiting import eventually
from tests.kit.web_site import Site
from tests.kit.web_tab import Tab
from tests.tui.conftest import lists_needs, picture, question_read, until

GUIDE = Path(REPOSITORY, "docs", "tui.md")
MORE = ("!x", "-f w", "agent:claude state:your", "label=team !alpha", '"rm -rf" exit>0', "!name:^w type:session")
"""Examples of the parts together."""
FIGURES = {"cpu>50", "mem>=1.5g", "cost>$2", "restarts>3", "age<5m", "!x", "!word", "hive:eu1", "hive:local"}
"""Examples that these missions need not tell apart."""


def examples() -> list[str]:
    """What the table of the guide shows."""
    table = GUIDE.read_text(encoding="utf-8").partition("\n## Filters\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [example for cell in cells for example in re.findall("`([^`]+)`", cell)]


@pytest.fixture
def om(om, tmp_path):
    """The command line in a world where `claude` is the stand-in."""
    return claude.at_hand(om, tmp_path)


def listed(tab: Tab, text: str) -> list[str]:
    """The ids that the page of missions shows with a filter, in their order, group by group."""
    pane = max(tab.panes, default=0) + 1  # frames of the one before may still be under way
    tab.open(pane, "missions", filter=text)
    tab.until(lambda: bool(tab.panes[pane]), what=f"rows of {text}")
    first = tab.panes[pane][0]
    tab.send(t="close", p=pane)
    assert not first.get("problem"), first
    return [str(one) for one in first["ids"] if not str(one).startswith(":")]


def test_each_example_of_the_filter_language_shows_the_same_rows_in_both(om, opened, tmp_path):
    (tmp_path / "src").mkdir()
    parent = om.mission("sleep 1000", "--name", "api", "--label", "team=web")
    om.mission(["sh", "-c", "sleep 1000; : tests"], "--name", "worker", "--parent", parent, "--label", "team=core")
    om.mission(["sh", "-c", "sleep 1000; : api tests"], "--name", "alpha", "--cwd", str(tmp_path / "src"))
    om.finished(["sh", "-c", "rm -rf nothing; exit 3"], "--name", "importer")
    om.finished(["sh", "-c", "echo a word"], "--name", "word")
    sessions.greeted(om, "helper")
    rows = len(om.api("ps"))
    told_apart: dict[str, int] = {}

    async def scenario(app, pilot):
        await until(pilot, lambda: len(app.fleet.rows) == rows, what="all rows")
        for text in (*examples(), *MORE):
            app.main.narrow(text)
            assert app.main.table_panel.filter.text == text
            found = await asyncio.to_thread(listed, tab, text)
            for _ in range(100):  # figures come to both in their own time
                if found == [branch.id for branch in app.main.table.branches]:
                    break
                await pilot.pause(0.05)
                found = await asyncio.to_thread(listed, tab, text)
            assert found == [branch.id for branch in app.main.table.branches], text
            wanted = row_filter.parsed(text)
            told_apart[text] = sum(wanted.matches(row) for row in app.fleet.rows.values())

    with Site(om) as site, site.tab() as tab:
        opened({}, scenario)
    assert len(told_apart) >= 20
    assert not [text for text, kept in told_apart.items() if text not in FIGURES and kept in {0, rows}], told_apart


@pytest.mark.parametrize("first", ["web", "full screen", "command line"])
def test_of_three_who_answer_one_wins_and_the_others_hear_who(om, opened, first, tmp_path):
    mission = sessions.greeted(om, "planner")
    made = tmp_path / "made"
    question = sessions.asks(om, "planner", f"!bash echo once >> {made}")["question"]
    said: dict[str, str] = {}

    def by_web() -> None:
        answer = tab.press("answer", question=question, behaviour="allow")
        said["web"] = answer.get("message", "won")

    def by_command() -> None:
        done = om("answer", str(question), "allow")
        said["command line"] = "won" if done.returncode == 0 else done.stderr

    async def scenario(app, pilot):
        await until(pilot, lambda: any(one["question"] == question for one in app.fleet.questions), what="asked")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: lists_needs(app) and app.main.question.key, what="the page")
        await question_read(app, pilot, question)
        elsewhere = {"web": by_web, "command line": by_command}
        begun = [asyncio.create_task(asyncio.to_thread(elsewhere.pop(first)))] if first in elsewhere else []
        await pilot.press("y")
        begun += [asyncio.create_task(asyncio.to_thread(press)) for press in elsewhere.values()]
        await asyncio.gather(*begun)
        await until(pilot, lambda: words(picture(app)), what="the full-screen program says what came of it")
        said["full screen"] = words(picture(app))

    def words(shown: str) -> str:
        if "planner: allowed" in shown and "allowed by" not in shown:
            return "won"
        found = re.search(r"(?:already answered|allowed|was answered already),? by [\w:-]+( person)?", shown)
        return found[0] if found else ""

    with Site(om) as site, site.tab() as tab:
        opened({}, scenario)
    winners = [name for name, words in said.items() if words == "won"]
    events = [one for one in sessions.events(om) if one["type"] == "answered" and one["question"] == question]
    assert len(events) == 1
    assert len(winners) == 1, said
    by = events[0]["by"]
    assert by.startswith("web:") == (winners == ["web"])
    assert all(by in words for name, words in said.items() if name not in winners), (by, said)
    eventually(made.exists, what="it goes on")
    eventually(lambda: om.info(mission)["activity"] == "idle", what="its turn ends")
    assert made.read_text(encoding="utf-8") == "once\n"

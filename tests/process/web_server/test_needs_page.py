"""What needs the person, as a tab gets it: questions whole, answered once, and who was faster."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.agents import Agents
from tests.kit.killing import kill_supervisor
from tests.kit.overmind import Overmind
from tests.kit.web_site import Site
from tests.kit.web_tab import Message, Tab, Table

pytestmark = pytest.mark.shared_home


@pytest.fixture
def agents(om: Overmind, tmp_path: Any) -> Agents:
    """A stand-in for `claude`."""
    return Agents(om, str(tmp_path / "bin"))


@pytest.fixture
def tab(agents: Agents, site: Site) -> Iterator[Tab]:
    """A tab that shows the page."""
    del agents  # whose program is in the server's world, too
    with site.tab() as opened:
        opened.open(1, "needs")
        yield opened


def content(tab: Tab) -> Message:
    """The newest of the page."""
    found: Message = tab.panes[1][-1]["content"]
    return found


def cards(tab: Tab, count: int, *, asked: bool = True) -> list[Message]:
    """The cards, once there are so many, each with its question; `asked`: unless they ask nothing."""

    def there() -> bool:
        needs = content(tab)["needs"] if tab.panes[1] else None
        return needs is not None and len(needs) == count and all(one["question"] or not asked for one in needs)

    tab.until(there, what=f"{count} cards")
    found: list[Message] = content(tab)["needs"]
    return found


def ask(agents: Agents, tool: str, **args: object) -> str:
    """A session that asks for this; its id."""
    mission = agents.session()
    agents.post(mission, f"!ask {tool} {json.dumps(args)}")
    return mission


def answered(tab: Tab, card: Message) -> str:
    """How a question was answered, once that is said."""
    number = str(card["question"])
    tab.until(lambda: number in content(tab)["answered"], what="who answered")
    return str(content(tab)["answered"][number])


def text(card: Message) -> str:
    return "\n".join("".join(text for text, _ in line) for line in card["lines"])


def test_nothing_needs_attention_at_first(tab):
    assert cards(tab, 0) == []
    assert content(tab)["empty"] == ["Nothing needs your attention."]


def test_a_question_comes_whole_and_is_allowed_once(om, agents, tab):
    made = om.path("made")
    mission = ask(agents, "Bash", command=f"touch {made}", description="<img src=x onerror=alert(1)>\x1b[2J")
    (card,) = cards(tab, 1)
    assert (card["id"], card["group"], card["kind"], card["tool"]) == (mission, "blocked", "permission", "Bash")
    assert f"$ touch {made}" in text(card)
    assert "<img src=x onerror=alert(1)>\\x1b[2J" in text(card)
    assert card["offers"][0][:2] == ["allow", "y"]
    done = tab.press("answer", question=card["question"], behaviour="allow")
    assert done["ok"]["by"].startswith("web:")
    tab.until(lambda: card["key"] not in {one["key"] for one in content(tab)["needs"]}, what="the card leaves")
    agents.until(mission, lambda info: info["activity"] == "idle" or None, what="it goes on")
    assert os.path.exists(made)


def test_a_change_of_a_file_is_a_diff(om, agents, tab):
    ask(agents, "Edit", file_path=om.path("prices.py"), old_string="a\nb", new_string="a\nc")
    (card,) = cards(tab, 1)
    assert card["diffs"] == [{"path": om.path("prices.py"), "note": "", "lines": [[" ", "a"], ["-", "b"], ["+", "c"]]}]


def test_a_long_file_comes_whole(om, agents, tab):
    lines = [f"line {number}" for number in range(2_000)]
    ask(agents, "Write", file_path=om.path("long.txt"), content="\n".join(lines))
    (card,) = cards(tab, 1)
    assert [line for _, line in card["diffs"][0]["lines"]] == lines


def test_three_that_ask_are_three_cards_in_the_order_of_the_terminal(om, agents, tab):
    missions = [ask(agents, "Bash", command=f"touch {number}") for number in range(3)]
    found = cards(tab, 3)
    assert {card["id"] for card in found} == set(missions)
    assert [card["since"] for card in found] == sorted(card["since"] for card in found)
    tab.until(lambda: tab.said.get("head") and tab.said["head"][-1]["needs"] == 3, what="the head counts them")
    assert tab.said["head"][-1]["title"] == "!3 overmind"


def test_who_was_late_is_told_who_was_faster_and_the_card_leaves_everywhere(om, agents, site, tab):
    ask(agents, "Bash", command="true")
    (card,) = cards(tab, 1)
    with site.tab() as other:
        other.open(1, "needs")
        assert cards(other, 1)[0] == card
        om.ok("answer", str(card["question"]), "deny")
        for one in (tab, other):
            assert "denied by " in answered(one, card)
        late = tab.press("answer", question=card["question"], behaviour="allow")
        assert late["error"] == "not_found"
        assert "already" in late["message"]


def test_whose_turn_is_over_has_its_whole_answer(agents, tab):
    mission = agents.session()
    agents.say(mission, "hello\nthere")
    (card,) = cards(tab, 1, asked=False)
    assert (card["id"], card["group"], card["session"]) == (mission, "your turn", True)
    assert text(card).strip()
    assert tab.press("seen", id=mission)["ok"] is not None
    cards(tab, 0)


@pytest.mark.own_home
def test_a_question_outlives_the_supervisor(om, agents, tab):
    ask(agents, "Bash", command="true")
    (card,) = cards(tab, 1)
    kill_supervisor(om)
    tab.until(lambda: any(not one["ok"] for one in tab.said["up"]), what="it is said")
    tab.until(lambda: tab.said["up"][-1]["ok"], what="the next one answers")
    assert cards(tab, 1)[0]["id"] == card["id"]
    assert "ok" in tab.press("answer", question=cards(tab, 1)[0]["question"], behaviour="allow")


def test_a_row_says_what_was_answered_it_from_here_until_somebody_is_at_another_one(om, agents, tab):
    first, second = (ask(agents, "Bash", command=f"touch {number}; sleep 30") for number in range(2))
    found = {one["id"]: one["question"] for one in cards(tab, 2)}
    tab.open(2, "missions")
    table = Table(tab, 2)

    def states() -> list[str]:
        return [table.take().cells(one)["state"][0] for one in (first, second)]

    tab.until(lambda: tab.panes[2] and states() == ["asks", "asks"], what="both ask")
    tab.send(t="say", p=2, say={"row": first})
    assert "ok" in tab.press("answer", question=found[first], behaviour="allow")
    tab.until(lambda: states() == ["allowed", "asks"], what="what was answered")
    om.ok("answer", second, "deny")
    tab.until(lambda: states()[1] not in {"asks", "denied"}, what="another person has answered")
    assert states()[0] == "allowed"
    tab.send(t="say", p=2, say={"row": second})
    tab.until(lambda: states()[0] == "working", what="somebody is elsewhere")

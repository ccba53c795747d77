"""First steps: told until they were done once, remembered, never in the way."""

from __future__ import annotations

import pytest

from overmind_core.view.actions import TAKES_EVERYTHING, Context
from overmind_core.view.cells import Cell
from overmind_core.view.keymap import ACTIONS
from overmind_tui.pages.page import bottom_line
from overmind_tui.shell.coaching import ANSWERS, LEAVES, LISTS, OPENS, STEPS, Coach
from tests.kit.cases import tabled

M, N, LOOKING, LOG = Context.MISSIONS, Context.NEEDS, Context.LOOKING, Context.LOG

WAYS = [
    ("nothing was done", [], "1/3"),
    ("a move teaches nothing", [(M, "down"), (M, "up")], "1/3"),
    ("the list was opened", [(M, "inbox")], "2/3"),
    ("the next one was gone to", [(M, "next-need")], "2/3"),
    ("it was answered", [(M, "inbox"), (N, "allow")], "3/3"),
    ("nobody asked anything", [(M, "inbox"), (N, "back")], "3/3"),
    ("moving in the list is no answer", [(M, "inbox"), (N, "down")], "2/3"),
    ("a terminal was opened", [(M, "inbox"), (N, "deny"), (M, "open")], "3/3"),
    ("and left", [(M, "inbox"), (N, "deny"), (M, "open"), (LOOKING, "back")], ""),
    ("or its log", [(M, "inbox"), (N, "deny"), (M, "open"), (LOG, "quit")], ""),
    ("the last one first", [(M, "open"), (LOOKING, "back")], "1/3"),
    ("all, the other way round", [(M, "open"), (LOOKING, "back"), (N, "option-2"), (M, "inbox")], ""),
    ("esc at the root is not coming back", [(M, "inbox"), (N, "deny"), (M, "open"), (M, "back")], "3/3"),
]


@tabled(("what", "actions", "line"), WAYS)
def test_the_line_follows_what_the_person_does(what, actions, line):
    coach = Coach()
    for context, action in actions:
        coach = coach.did(context, action)
    assert coach.line(M).partition(" ")[0] == line


WORDS = [
    ((), M, "1/3 ! lists"), ((), LOG, "1/3 ! lists"), (("needs",), N, "2/3 answer with the keys below the question"),
    (("needs",), M, "2/3 ! opens the list"),
    (("needs", "answer"), M, "3/3 enter shows its terminal or log, esc"),
    (("needs", "answer"), LOOKING, "3/3 esc goes back"),
]  # fmt: skip


@tabled(("done", "context", "line"), WORDS)
def test_the_words_are_of_the_keys_that_count_here(done, context, line):
    assert Coach(frozenset(done)).line(context).startswith(line)


@pytest.mark.parametrize("context", sorted(TAKES_EVERYTHING))
def test_no_key_is_named_where_it_would_be_text(context):
    assert Coach().line(context) == ""


def test_every_action_that_counts_is_in_the_table_of_keys():
    assert {*ANSWERS, *LEAVES, *LISTS, *OPENS} <= {action.name for action in ACTIONS}


def test_what_is_remembered_from_another_version_is_left_out():
    assert Coach.remembered(["needs", "dance"]).done == {"needs"}
    assert Coach.remembered(step.name for step in STEPS).line(M) == ""


@tabled("cells", range(10, 130))
def test_the_line_gives_way_to_what_is_said(cells):
    shown = "".join(cell.text for cell in bottom_line(("missions",), Cell("stopped lint"), cells, coach="1/3 press"))
    assert ("stopped lint" in shown) or cells < 26
    assert len(shown) <= max(cells, len(" <missions>") + 2)


def test_what_stands_gives_way_to_the_line():
    def shown(cells, coach="1/3 press !"):
        line = bottom_line(("missions",), Cell(""), cells, coach=coach, standing=Cell("api asks: may I?"))
        return "".join(cell.text for cell in line).split("  ")

    assert shown(60)[1] == "1/3 press !"
    assert shown(60)[-1].strip() == "api asks: may I?"
    assert "api asks" not in "".join(shown(40))
    assert "api asks" in "".join(shown(40, ""))
    assert "api asks" in "".join(shown(25))


@tabled("cells", range(12, 130))
def test_what_asks_a_person_does_not_give_way_to_the_line(cells):
    asks = Cell("api asks: may I?", "wait")
    line = bottom_line(("board",), Cell(""), cells, coach="1/3 press !", standing=asks)
    shown = "".join(cell.text for cell in line)
    assert asks.text[: max(cells - len(" <board>") - 3, 0)] in shown
    assert ("1/3 press !" in shown) == (cells >= len(" <board>") + len("1/3 press !") + len(asks.text) + 4)

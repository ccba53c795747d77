"""Quests of the queue as people see them: the list, the queue, why one waits, the board. Rows in, text out."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.cli.finished import quest_end_line
from overmind_core.cli.quests.board import BOARD as BOARD_COMMAND
from overmind_core.cli.quests.board import CARDS, LANES, BoardDrawing, card_text, lanes, shares, with_gates
from overmind_core.cli.quests.list import _why as list_why
from overmind_core.cli.quests.list import graph_text, mermaid_text, quest_table
from overmind_core.cli.quests.queue import queue_text
from overmind_core.cli.quests.rows import quest_mark
from overmind_core.domain.quests.board import column_of
from overmind_core.domain.quests.quest import Priority, Quest, QuestStatus
from overmind_core.domain.text.cells import width
from overmind_core.domain.text.decimals import shortest_decimal
from overmind_core.view import quests as quests_rows
from tests.core.cli.quest_rows import began_at_once, row
from tests.kit.cases import tabled

# numbers


@tabled(
    ("number", "written"),
    [
        (0.6475, "0.6475"),
        (0.0, "0"),
        (1.0, "1"),
        (1.25, "1.25"),
        (0.2, "0.2"),
        (0.00004, "0"),
        (0.99999, "1"),
        (10.5, "10.5"),
    ],
)
def test_a_part_of_a_score_is_written_as_short_as_it_can_be(number, written):
    assert shortest_decimal(number, 4) == written


# why

WHY = {
    "id": "a1b2c3d4",
    "name": "login/TSK-004",
    "status": "queued",
    "code": "blocked",
    "text": "needs login/TSK-002 (failed: check_failed)",
    "by": [{"id": "b1b2c3d4", "name": "login/TSK-002", "status": "failed", "reason": "check_failed"}],
    "next_at": None,
    "do": ["overmind quest retry login/TSK-002"],
    "score": {
        "total": 0.6475, "priority": 0.225, "age": 0.2, "deadline": 0, "blocking": 0.0, "retries": 0.05, "factor": 1.0,
        "floor": 0.6475,
    },
    "position": 3,
    "queued": 7,
    "starts": ["login/TSK-005"],
    "waiting_then": [{"name": "login/TSK-006", "needs": ["login/TSK-003"]}],
}  # fmt: skip
ENDED: dict[str, Any] = {
    "score": None,
    "position": None,
    "code": None,
    "queued": 0,
    "do": [],
    "starts": [],
    "waiting_then": [],
}


def test_why_a_quest_waits_reads_as_the_pages_have_it(overmind):
    ran = overmind({"quest_why": [{"ok": WHY}]}, "quest", "why", "login/TSK-004")
    assert ran.out == (
        "login/TSK-004 is queued: blocked: needs login/TSK-002 (failed: check_failed)\n"
        "  go on with: overmind quest retry login/TSK-002\n"
        "score 0.6475 = 0.225 priority + 0.2 age + 0 deadline + 0 blocking + 0.05 retries, 0.6475 after 2h; 3 of 7\n"
        "completing it starts: login/TSK-005 · still waiting then: login/TSK-006 (login/TSK-003)\n"
    )


@pytest.mark.parametrize(
    ("facts", "out"),
    [
        ({"status": "completed", "text": "landed on main"}, "login/TSK-004 has completed: landed on main\n"),
        ({"name": "a\x1b[2J", "status": "failed", "text": "b\nc", "do": ["x\t"]},
         "a\\x1b[2J has failed: b\\nc\n  go on with: x\\t\n"),
    ],
)  # fmt: skip
def test_of_a_quest_that_has_ended_only_that_is_said_and_harms_no_terminal(overmind, facts, out):
    assert overmind({"quest_why": [{"ok": {**WHY, **ENDED, **facts}}]}, "quest", "why", "x").out == out


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ({"spec": [{"ok": {"slug": "carts"}}]}, "spec"),
        ({"info": [{"ok": {"type": "blueprint"}}]}, "plan"),
        ({"info": [{"ok": {"type": "task"}}]}, "mission"),
    ],
)
def test_why_of_what_is_no_quest_names_the_command_that_is_about_it(overmind, answers, what):
    none = [{"error": "not_found", "message": "No quest named 'carts'."}]
    ran = overmind({"quest_why": none, "spec": none, "info": none, **answers}, "quest", "why", "carts")
    said = f"Error: not_found: 'carts' is a {what}, no quest. See: overmind why carts\n"
    assert (ran.status, ran.out, ran.err) == (1, "", said)


# the queue


def queue(*quests, **facts):
    return {
        "paused": False,
        "slots": 3,
        "pools": [{"name": "queue", "slots": 3, "used": 2}],
        "quests": list(quests),
        "landing": [],
        **facts,
    }


def test_the_queue_says_how_full_it_is_then_whose_turn_it_is_then_who_lands():
    text = queue_text(
        queue(
            row(
                "login",
                title="Let visitors log in",
                position=1,
                score=0.6475,
                priority="critical",
                code="slots",
                why="3 of 3 slots are taken",
            ),
            row("docs", position=2, score=0.1625, priority="low", code="needs", why="waits for login (queued)"),
            landing=[row("shop", status="running", phase="landing", into="main"), row("api", status="running")],
        )
    )
    assert text.splitlines() == [
        "running 2/3 · queued 2 · landing 2",
        "#  SCORE   QUEST  PRIORITY  WAITS                     TITLE",
        "1  0.6475  login  critical  3 of 3 slots are taken    Let visitors log in",
        "2  0.1625  docs   low       waits for login (queued)  -",
        "landing: shop on main, api",
    ]


def test_the_queue_ends_with_a_change_of_the_settings_that_hold_it():
    text = queue_text(queue(row("a", code="budget", why="the money is spent"), pending_settings="it was changed"))
    assert text.splitlines()[-1] == "it was changed"


def test_an_empty_queue_is_its_first_line():
    assert queue_text(queue()) == "running 2/3 · queued 0 · landing 0"
    assert queue_text(queue(paused=True, pools=[])) == "running 0/3 · queued 0 · landing 0 · paused"


def test_limits_of_providers_and_specs_are_shown_where_there_are_some():
    pools = [
        {"name": name, "slots": 2, "used": used} for name, used in [("queue", 2), ("provider:claude", 1), ("spec:a", 0)]
    ]
    assert queue_text(queue(pools=pools)).splitlines()[1] == "slots: provider:claude 1/2, spec:a 0/2"


def test_nothing_that_a_quest_is_called_reaches_the_terminal_as_it_is():
    text = queue_text(queue(row("a\x1b[2J", why="b\r"), landing=[row("\x07", into="\x9b")]))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


# the list

OLD = [
    began_at_once("docs", id="a1b2c3d4", command="make site", status="completed", exit_code=0, retries=2, attempts=2),
    began_at_once("api", id="b1b2c3d4", command="pytest", status="failed", reason="retries_spent", exit_code=3),
]


def test_a_quest_that_began_at_once_is_listed_as_ever():
    assert quest_table(OLD, wide=False, colours=None).splitlines() == [
        "ID        NAME  STATUS     TRIES  DURATION  EXIT  REASON                     COMMAND    TITLE",
        "a1b2c3d4  docs  completed  2/3    2m        0     -                          make site  -",
        "b1b2c3d4  api   failed     1/1    2m        3     it failed in each attempt  pytest     -",
    ]


def test_the_reason_of_a_queued_one_is_why_it_waits_and_its_tries_are_numbered_through_all_rounds():
    rows = [row("docs", code="blocked", why="needs a (failed)"), row("api", tries=1, attempts=4, round=2)]
    lines = quest_table(rows, wide=False, colours=None).splitlines()
    cells = [re.split(" {2,}", line)[3:7] for line in lines[1:]]
    assert cells == [["0/3", "2m", "-", "needs a (failed)"], ["4/6", "2m", "-", "-"]]


SAID = [
    # a quest, its reason in the list, its card, and how its end is told
    ({"status": "completed", "exit_code": 0, "achieved": "landed on main", "outcome": "succeeded"},
     "landed on main", "docs landed on main 2m", "completed (exit code 0): landed on main"),
    ({"status": "completed", "exit_code": 0, "achieved": "checked", "outcome": "succeeded"},
     "checked", "docs checked 2m", "completed (exit code 0): checked"),
    ({"status": "completed", "exit_code": 0, "outcome": "succeeded"}, "-", "docs 2m", "completed (exit code 0)"),
    ({"status": "failed", "reason": "timeout", "exit_code": 124, "outcome": "timed out"},
     "it took too long", "docs it took too long", "failed (timed out, exit code 124)"),
    ({"status": "failed", "reason": "timeout", "limit_seconds": 60.0, "exit_code": 124, "outcome": "timed out"},
     "it took longer than 1 minute", "docs it took longer than 1 minute",
     "failed (timed out: it took longer than 1 minute, exit code 124)"),
    ({"status": "failed", "reason": "retries_spent", "class": "stalled", "exit_code": 137, "outcome": "timed out"},
     "it was silent for too long", "docs it was silent for too long",
     "failed (timed out: it was silent for too long, exit code 137)"),
    ({"status": "cancelled", "reason": "killed", "exit_code": 137, "attempts": 1, "outcome": "killed"},
     "it was killed", "docs it was killed", "cancelled (killed, exit code 137)"),
    ({"status": "failed", "exit_code": 4, "outcome": "failed"}, "its command failed", "docs its command failed",
     "failed (exit code 4)"),
    ({"status": "cancelled", "exit_code": 1, "outcome": "stopped"}, "-", "docs cancelled", "cancelled"),
    ({"status": "cancelled", "exit_code": None, "attempts": 4, "outcome": "stopped"}, "-", "docs cancelled",
     "cancelled"),
    ({"status": "cancelled", "exit_code": 143, "attempts": 1, "outcome": "stopped"}, "-", "docs cancelled",
     "cancelled (exit code 143)"),
]  # fmt: skip


@tabled(("facts", "reason", "card", "told"), SAID)
def test_each_end_says_what_it_is_worth_on_every_face(facts, reason, card, told):
    quest = row("docs", **facts)
    assert list_why(quest) == (None if reason == "-" else reason)
    assert card_text(quest, 60) == card
    assert quest_end_line(quest) == f"Quest {quest['id']} finished: {told}"


@pytest.mark.parametrize(
    ("cells", "card"),
    [
        (45, "docs landed on main after a conflict in a 2m"),
        (43, "docs landed on main 2m"),
        (21, "docs landed 2m"),
        (13, "docs landed"),
    ],
)
def test_in_a_few_cells_the_card_of_what_has_landed_says_less_of_that_and_still_its_time(cells, card):
    quest = row("docs", status="completed", exit_code=0, achieved="landed on main after a conflict in a")
    assert card_text(quest, cells) == card


def test_a_landing_that_waits_says_for_which_file_and_is_no_work():
    landing = row("docs", status="running", phase="landing", why="README.md is not committed")
    assert card_text(landing, 60) == "docs waits: README.md is not committed"
    assert list_why(landing) == "waits: README.md is not committed"
    assert quest_mark(landing).word == "to land"


def test_in_a_few_cells_a_card_says_who_owns_what_it_waits_for():
    waits = row("docs", code="owns", why="src/** is owned by login, which runs")
    assert card_text(waits, 60) == "docs src/** is owned by login, which runs"
    assert card_text(waits, 25) == "docs owned by login"


def test_wide_shows_the_queue_beside_it():
    rows = [row("docs", needs=["a", "b"], why="waits for a (queued)", code="needs"), OLD[0]]
    title, waiting, old = quest_table(rows, wide=True, colours=None).splitlines()
    assert re.split(" {2,}", title)[-5:] == ["PRIORITY", "SCORE", "NEEDS", "WAITS", "TITLE"]
    assert re.split(" {2,}", waiting)[-5:] == ["medium", "0.475", "a, b", "waits for a (queued)", "-"]
    assert waiting.count("waits for a") == 1, "not as its reason, too"
    assert re.split(" {2,}", old)[-5:] == ["-"] * 5


def test_a_title_in_any_script_is_shown_as_written_and_takes_its_cells():
    titles = {"quest-5dabb79e": "修复登录问题", "quest-5dabb79f": "إصلاح", "quest-5dabb7a0": "🚀"}
    rows = [row(name, title=title) for name, title in titles.items()]
    listed = quest_table(rows, wide=False, colours=None).splitlines()[1:]
    for line, (name, title) in zip(listed, titles.items(), strict=True):
        assert (line.split()[1], line.split()[-1]) == (name, title)
    lines = drawn(columns(queued=rows, running=[row("api", status="running")]), 100)
    for line, title in zip(lines[1:], titles.values(), strict=True):
        assert line.startswith(f"○ {title}")
    title, first = lines[:2]
    assert width(first[: first.index("▶")]) == width(title[: title.index("RUNNING")])


def test_old_daemons_rows_have_no_queue():
    known = {name: OLD[0][name] for name in ("id", "name", "status", "attempts", "retries", "duration_seconds")}
    line = quest_table([{**known, "exit_code": None, "reason": None, "command": "x"}], wide=True, colours=None)
    assert line.splitlines()[1].split()[-6:] == ["x", *["-"] * 5]


CHAIN = [
    row("plan", status="completed"),
    row("other", status="completed"),
    row("build", status="running", phase="work", needs=["plan"]),
    row("docs", needs=["build", "removed"]),
    row("ship", needs=["build", "docs"], code="blocked"),
]


def test_a_drawing_has_what_is_unfinished_and_what_that_needs():
    assert graph_text(CHAIN, 100, ascii_only=False).splitlines() == [
        "plan ─┐",
        "      └─ build ─┐",
        "                ├─ docs ─┐",
        "                └────────┴─ ship",
    ]


def test_where_all_have_ended_all_are_drawn():
    ended = [row("a", status="completed"), row("b", status="failed", needs=["a"])]
    assert re.findall("[a-z]+", graph_text(ended, 100, ascii_only=True)) == ["a", "b"]
    assert graph_text([], 100, ascii_only=True) == ""


def test_two_of_one_name_are_told_apart():
    rows = [row("docs", id="a1b2c3d4", status="completed"), {**row("docs"), "id": "b1b2c3d4"}]
    rows[1]["needs"] = [{"id": "a1b2c3d4", "name": "docs"}]
    assert "docs (a1b2c3d4)" in graph_text(rows, 100, ascii_only=True)


def test_a_flowchart_says_how_each_stands():
    text = mermaid_text(CHAIN)
    assert text.startswith("flowchart LR\n")
    for name, state in [("plan", "completed"), ("build", "running"), ("docs", "queued"), ("ship", "blocked")]:
        assert f'["{name}<br/>{state}"]' in text
        assert f"classDef {state} " in text
    assert "other" not in text


LATE = [("needs api (running 4m)", "past its deadline; needs api (running 4m)"), (None, "past its deadline")]


@tabled(("why", "said"), LATE)
def test_a_quest_past_its_deadline_says_so_first_in_each_list(why, said):
    late = row("docs", code=why and "needs", why=why, overdue=True)
    answer = {"paused": False, "slots": 1, "count": 1, "quests": [late], "landing": [],
              "pools": [{"name": "queue", "used": 1, "slots": 1}]}  # fmt: skip
    assert said in queue_text(answer).splitlines()[2]
    assert list_why(late) == said
    assert card_text(late, 80) == f"docs {said}"
    assert quests_rows.why(late) == said
    assert [list_why(one) for one in (row("docs", why=why), row("docs", why=why, overdue=False))] == [why, why]


# the board


def said_of(word: str) -> str:
    """What the help of the board says of a column."""
    found = re.search(rf"{word}: (.*?)\.(?= [A-Z])", BOARD_COMMAND.notes)
    assert found is not None
    return found[1]


@tabled(("asked", "column"), [(True, "Blocked"), (False, "Done")])
def test_the_help_of_the_board_has_failed_quests_in_both_columns_in_which_they_stand(asked, column):
    failed = Quest("a", "a", "true", "/", "raw", 0.0, status=QuestStatus.FAILED)
    assert column_of(failed, None, asked=asked) == column.lower()
    assert "failed" in said_of(column)
    assert ("runs of rituals" in said_of(column)) is not asked


def columns(**quests):
    names = ("queued", "running", "blocked", "review", "done")
    return [{"name": name, "count": len(quests.get(name, ())), "quests": list(quests.get(name, ()))} for name in names]


BOARD = columns(
    queued=[row("docs", code="slots", why="3 of 3 slots are taken; 1st in line")],
    running=[
        row("login", status="running", phase="work", cost_usd=0.12, spec="shop"),
        row("api", status="running", phase="check", group="core"),
    ],
    blocked=[row("ship", code="blocked", why="needs api (failed)"), row("web", status="failed", reason="check_failed")],
    review=[row("pay", status="review", cost_usd=1.5, priority="high")],
    done=[row("old", status="completed", duration_seconds=30.0), row("bad", status="cancelled", reason=None)],
)


def drawn(board, cells=100, by=None, **how):
    return list(BoardDrawing(cells, **how).lines(board, by))


def test_the_board_is_five_columns_with_counts_and_a_card_a_line():
    assert drawn(BOARD, 100) == [
        "QUEUED 1                 RUNNING 2          BLOCKED 2                REVIEW 1        DONE 2",
        "○ docs slots             ▶ login 2m $0.12   ⊗ ship needs api (fa...  ? pay 2m $1.50  ✔ old 30s",
        "                         ▶ api checking 2m  ✖ web its check failed                   – bad cancelled",
    ]


@tabled(
    ("wanted", "room", "given"),
    [
        ([5, 5, 5], 30, [5, 5, 5]),
        ([20, 5, 5], 30, [20, 5, 5]),
        ([40, 5, 40], 35, [15, 5, 15]),
        ([40, 1, 4, 40], 26, [10, 1, 4, 11]),
        ([9, 9], 0, [0, 0]),
        ([9], -3, [0]),
        ([], 10, []),
    ],
)
def test_a_column_that_needs_little_leaves_room_for_the_others(wanted, room, given):
    assert shares(wanted, room) == given


@pytest.mark.parametrize(
    ("cells", "card"),
    [
        (50, "docs waits for login (queued)"),
        (29, "docs waits for login (queued)"),
        (28, "docs waits for login (que..."),
        (10, "docs"),
    ],
)
def test_a_sentence_that_names_what_it_waits_for_shows_where_it_is_cut(cells, card):
    assert card_text(row("docs", code="needs", why="waits for login (queued)"), cells) == card


@pytest.mark.parametrize(("cells", "card"), [(40, "docs 3 of 3 slots are taken"), (20, "docs slots"), (9, "docs")])
def test_where_a_sentence_does_not_fit_its_code_does(cells, card):
    assert card_text(row("docs", code="slots", why="3 of 3 slots are taken"), cells) == card


@pytest.mark.parametrize(
    ("cells", "card"),
    [(40, "docs not before 14:32 (attempt 2 of 3)"), (30, "docs not before 14:32"), (15, "docs not bef...")],
)
def test_what_waits_for_its_time_names_it(cells, card):
    assert card_text(row("docs", code="until", why="not before 14:32 (attempt 2 of 3)"), cells) == card


def test_a_reason_without_a_shorter_one_is_cut():
    assert card_text(row("docs", status="failed", reason="check_failed"), 14) == "docs its ch..."
    assert card_text(row("ship", code="blocked", why="needs api (failed)"), 16) == "ship needs ap..."
    assert card_text(row("docs", status="failed", reason="check_failed"), 12) == "docs"


def test_what_a_person_is_asked_stands_beside_the_quest_instead_of_what_it_does():
    landing = row("login", status="running", phase="landing", asked="can't land on main: it has changes")
    assert quest_mark(landing).word == "waiting"
    assert card_text(landing, 60) == "login can't land on main: it has changes"
    assert card_text({**landing, "asked": ""}, 60).startswith("login landing ")


GATE = {
    "spec": "5bec5bec", "name": "carts", "title": "Carts", "need": "phase", "phase": "tasks", "priority": "high",
    "question": 11, "summary": "carts: tasks passed with 0.95", "asked_at": "2025-11-27T10:00:00.000Z",
}  # fmt: skip


def test_what_specs_wait_for_are_cards_in_review():
    board = with_gates(BOARD, [GATE, {**GATE, "need": "merge", "phase": None}])
    shown = drawn(board, 200)
    assert "REVIEW 3" in shown[0]
    assert "carts/tasks gate" in shown[1]
    assert "carts merge" in shown[2]
    at = drawn(board, 40, by="spec").index("carts")
    assert drawn(board, 40, by="spec")[at + 1].endswith(" tasks gate"), "a lane of its spec, named as there"
    assert with_gates(BOARD, []) is BOARD


def test_the_quest_whose_document_waits_at_a_gate_is_the_card_of_that():
    quest = row("carts/tasks", status="completed", outcome="succeeded", ended_at="2026-11-20T12:00:02.000Z")
    columns: list[Any] = [
        {"name": name, "count": len(quests), "quests": quests} for name, quests in (("review", [quest]), ("done", []))
    ]
    board = with_gates(columns, [{**GATE, "quest": quest["id"]}])
    assert drawn(board, 60) == ["REVIEW 1            DONE 0", "? carts/tasks gate"]


def test_a_narrow_terminal_gets_the_columns_below_each_other():
    assert drawn(BOARD, 40) == [
        "QUEUED 1",
        "○ docs slots",
        "RUNNING 2",
        "▶ login 2m $0.12",
        "▶ api checking 2m",
        "BLOCKED 2",
        "⊗ ship needs api (failed)",
        "✖ web its check failed",
        "REVIEW 1",
        "? pay 2m $1.50",
        "DONE 2",
        "✔ old 30s",
        "– bad cancelled",
    ]


def test_twenty_cards_of_a_column_are_shown_and_the_rest_is_counted():
    board = columns(queued=[row(f"q{number}") for number in range(32)])
    lines = drawn(board)
    assert [line.split()[1] for line in lines[1:21]] == [f"q{number}" for number in range(CARDS)]
    assert lines[21:] == ["… 12 more"]
    assert drawn(board, ascii_only=True)[21:] == ["... 12 more"]
    assert len(drawn(board, most=None)) == 33


def test_a_column_counts_what_the_daemon_left_out():
    (queued, *others) = columns(queued=[row("a")])
    assert drawn([{**queued, "count": 7}, *others]) == [
        "QUEUED 7  RUNNING 0  BLOCKED 0  REVIEW 0  DONE 0",
        "○ a",
        "… 6 more",
    ]


def test_parts_of_the_board_stand_below_their_names():
    board = columns(
        queued=[row("shop/TSK-1", spec="shop"), row("b", priority="low"), row("c", priority="critical", group="core")],
        done=[row("shop/TSK-2", spec="shop", status="completed")],
    )
    by_spec = drawn(board, by="spec")
    assert [line.split() for line in by_spec[1:]] == [
        ["shop"], ["○", "TSK-1", "✔", "TSK-2", "2m"], ["no", "spec"], ["○", "b"], ["○", "c"],
    ]  # fmt: skip
    assert [name for name, _ in lanes(board, "priority")] == ["critical", "medium", "low"]
    assert [name for name, _ in lanes(board, "group")] == ["core", "no group"]
    assert drawn(board, 40, by="priority")[:3] == ["QUEUED 3", "critical", "○ c"]


def test_a_part_can_be_made_of_each_priority():
    board = columns(queued=[row(one.value, priority=one.value) for one in reversed(Priority)])
    assert [name for name, _ in lanes([*board, *columns(done=[began_at_once("x")])], "priority")] == [
        *Priority,
        "no priority",
    ]


@tabled(
    ("name", "cells", "shown"),
    [
        ("docs", 4, "docs"),
        ("documents", 6, "doc..."),
        ("authentication/TSK-004", 12, "...n/TSK-004"),
        ("authentication/TSK-004", 2, "au"),
        ("漢字漢字", 6, "漢..."),
        ("spec/漢字漢字", 6, "...字"),
    ],
)
def test_a_name_that_is_too_long_keeps_what_tells_it_apart(name, cells, shown):
    assert card_text(row(name), cells) == shown


def test_colours_take_no_room():
    plain, painted = drawn(BOARD, 100), drawn(BOARD, 100, colours=True)
    assert [re.sub("\x1b\\[[0-9]*m", "", line) for line in painted] == plain
    assert "\x1b[31m⊗\x1b[0m ship" in painted[1]


@tabled(
    ("facts", "mark"),
    [
        ({}, "o"),
        ({"code": "slots"}, "o"),
        ({"code": "held"}, "o"),
        ({"code": "blocked"}, "%"),
        ({"status": "running", "phase": "landing"}, ">"),
        ({"status": "review"}, "?"),
        ({"status": "completed"}, "+"),
        ({"status": "failed", "reason": "timeout"}, "x"),
        ({"status": "cancelled"}, "-"),
    ],
)
def test_each_quest_has_its_mark(facts, mark):
    assert quest_mark(row("a", **facts)).ascii == mark


words = st.text(max_size=70)
statuses = st.sampled_from(["queued", "running", "review", "completed", "failed", "cancelled"])
cards = st.builds(
    lambda name, why, status, phase, cost, spec: {
        **row("x", status=status, phase=phase, cost_usd=cost, spec=spec), "name": name, "why": why, "code": "slots",
    },
    words, words, statuses, st.sampled_from([None, "work", "check"]), st.none() | st.floats(0, 1e6), st.none() | words,
)  # fmt: skip


@given(
    st.lists(st.lists(cards, max_size=25), min_size=5, max_size=5),
    st.integers(1, 300),
    st.sampled_from([None, *LANES]),
    st.booleans(),
)
@example(rows=[[{**row("x"), "why": "", "code": "slots"}] * 21, [], [], [], []], cells=1, by=None, plain=True)
def test_whatever_the_quests_are_the_board_fits_and_harms_no_terminal(rows, cells, by, plain):
    board = [{"name": name, "count": len(part), "quests": part} for name, part in zip("abcde", rows, strict=True)]
    for line in drawn(board, cells, by, ascii_only=plain):
        assert line.isprintable() or not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in line)
        assert width(line) <= max(cells, 2)


@given(st.lists(st.lists(cards, max_size=5), min_size=5, max_size=5), st.sampled_from(LANES))
def test_each_quest_is_in_one_part_of_the_board(rows, by):
    board = [{"name": name, "count": len(part), "quests": part} for name, part in zip("abcde", rows, strict=True)]
    for place, part in enumerate(rows):
        found = [quest for _, lane in lanes(board, by) for quest in lane[place]["quests"]]
        assert sorted(map(id, found)) == sorted(map(id, part))


def test_the_limit_of_this_day_is_changed_with_both_words(overmind):
    changed = {"queue_set": [{"ok": {"paused": False, "slots": 3, "running": 0}}]}
    ran = overmind(changed, "queue", "--max-cost-per-day", "50", "--today")
    assert (ran.status, ran.out) == (0, "Limit until midnight: $50.00\n")
    assert ran.requests[-1] == ("queue_set", {"max_cost_today": 50.0})
    for words in (["--today"], ["--max-cost-per-day", "50"], ["--max-cost-per-day", "50", "--today", "--at", "+2h"]):
        refused = overmind(changed, "queue", *words)
        assert (refused.status, refused.out) == (2, "")
        assert "overmind queue --max-cost-per-day 50 --today" in refused.err

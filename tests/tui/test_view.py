"""What is computed for the screen: trees, filters, columns, commands, fields, colours; tables without a screen."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from rich.cells import cell_len

from overmind_core.domain.missions.mission import Status
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.missions.status_marks import MARKS, OUTCOMES, mark_of
from overmind_core.domain.operation import Danger
from overmind_core.domain.text.cells import width
from overmind_core.view import cells as render_cells
from overmind_core.view import columns, field, keymap, log_lines, numbers, ringing, row_filter
from overmind_core.view import fleet as missions_fleet
from overmind_core.view import inbox as inbox_rows
from overmind_core.view import missions as missions_rows
from overmind_core.view.actions import Context
from overmind_core.view.cells import TextStyle, clipped, fitted, safe
from overmind_core.view.field import Field
from overmind_core.view.fleet import Fleet
from overmind_core.view.keymap import ACTIONS
from overmind_core.view.log_lines import Wrapping
from overmind_core.view.row_filter import BrokenFilter
from overmind_core.view.summary import EngineLoad
from tests.kit.cases import tabled


def row(name, status="running", parent=None, **more):
    return {
        "id": name, "name": name, "status": status, "parent": parent, "activity": None, "provider": "raw",
        "command": f"run {name}", "labels": {}, "started_at": "2026-01-01T00:00:00.000Z", "ended_at": None,
        "uptime_seconds": 1.0, "restart_count": 0, "exit_code": None, "type": "task", **more,
    }  # fmt: skip


TREE = [row("a"), row("b", parent="a"), row("c", parent="b"), row("d", parent="a"), row("e"), row("f", parent="gone")]


def drawn(branches):
    return [f"{one.guides}{one.id}" for one in branches]


def test_children_stand_under_their_parents_and_orphans_are_roots():
    assert drawn(missions_rows.arranged(TREE)) == ["a", "├─b", "│ └─c", "└─d", "e", "f"]


def test_folded_rows_hide_what_is_below_and_say_how_many():
    branches = missions_rows.arranged(TREE, folded={"a"})
    assert drawn(branches) == ["a", "e", "f"]
    assert branches[0].folded == 3


def test_agents_below_their_plan_do_not_repeat_its_name():
    rows = [
        row("web", type="blueprint"), row("web/db", parent="web", id="db"), row("web/", parent="web"),
        row("own", parent="web"), row("web/db/x", parent="db"),
    ]  # fmt: skip
    assert [one.name for one in missions_rows.arranged(rows)] == ["web", "db", "web/db/x", "web/", "own"]
    whole = ["web", "web/db", "web/db/x", "web/", "own"]
    assert [one.name for one in missions_rows.arranged(rows, wanted=lambda _: True)] == whole
    assert {one.name for one in missions_rows.arranged(rows, flat=True)} == set(whole)


def test_a_filter_keeps_ancestors_dimmed():
    branches = missions_rows.arranged(TREE, wanted=lambda row: row["name"] == "c")
    assert drawn(branches) == ["a", "└─b", "  └─c"]
    assert [one.dimmed for one in branches] == [True, True, False]


def test_a_chain_of_thousands_is_no_recursion():
    chain = [row(str(at), parent=str(at - 1) if at else None) for at in range(5000)]
    assert len(missions_rows.arranged(chain)) == 5000


ROWS = [
    row("api", labels={"team": "web"}, cpu_percent=80.0, command="serve", activity="idle", cost_usd=1.5),
    row("worker", "crashed", exit_code=2, cpu_percent=1.0, now="E999", unseen=True),
]
FILTERS = [
    ("", {"api", "worker"}),
    ("API", {"api"}),
    ("^api$", {"api"}),
    ("a !serve", {"worker"}),
    ("state:crashed", {"worker"}),
    ("state:crash", {"worker"}),
    ("cpu>50", {"api"}),
    ("cpu<50", {"worker"}),
    ("exit>0", {"worker"}),
    ("label=team", {"api"}),
    ("label=team=web", {"api"}),
    ("label=team=ops", set()),
    ("-f wkr", {"worker"}),
    ("e999", {"worker"}),
    ("unseen", {"worker"}),
    ("!unseen", {"api"}),
    ("cost>1", {"api"}),
    ("state:your", {"api"}),
]


@tabled(("text", "names"), FILTERS)
def test_a_filter_means(text, names):
    assert {one["name"] for one in ROWS if row_filter.parsed(text).matches(one)} == names


SHOWN = [
    row("flaky", "restarting", exit_code=7, now="exit 7: oops", next_restart_at="2026-01-01T00:01:00Z"),
    row("gate", activity="waiting", type="session", now="Bash: git push"),
    row("guess", activity="unknown", activity_guess="idle"),
    row("lost", "crashed", reason="keeper_lost"),
    row("release", type="blueprint"),
    row("quest-5dabb79e", title="修复登录问题"),
    row("cut", isolation={"step": "copies files"}),
    row("long", "stopping", command="x" * 4500),
]
"""Missions of which the list says words that are not in their records."""


@tabled(("text", "name"), [
    ("fail oops", "flaky"), (r"failed.\(7\)", "flaky"), ("retry", "flaky"), ("asks", "gate"), ("push.\\?", "gate"),
    ("turn\\?", "guess"), ('"lost with its keeper"', "lost"), ("^plan$", "release"), ("登录", "quest-5dabb79e"),
    ("copies", "cut"), ("stopping", "long"),
])  # fmt: skip
def test_a_word_of_a_filter_is_looked_for_in_what_the_list_says(text, name):
    assert [one["name"] for one in SHOWN if row_filter.parsed(text).matches(one)] == [name]


class Read(dict[str, Any]):
    """A row that counts how often its labels are read."""

    times = 0

    def get(self, key, default=None):
        self.times += key == "labels"
        return super().get(key, default)


def test_the_text_of_a_row_is_put_together_once_for_all_filters_that_are_typed(monkeypatch):
    monkeypatch.setattr(row_filter, "REMEMBERED", 2)
    one = Read(row("api"))
    assert all(row_filter.parsed(text).matches(one) for text in ("a", "ap", "api"))
    assert one.times == 1
    assert row_filter.parsed("e999").matches(Read(one, now="E999")), "another row of the same mission"
    assert {other["name"] for other in TREE if row_filter.parsed("[ab]$").matches(other)} == {"a", "b"}
    assert len(row_filter._TEXTS) <= 2


def test_in_a_question_about_several_missions_their_states_stand_below_each_other():
    rows = [row(name, started_at="2026-01-01T09:00:00.000Z") for name in ("a", "worker", "日本")]
    lines = missions_rows.at_stake(rows, (), NOON)
    assert lines == ["a       working for 3h", "worker  working for 3h", "日本    working for 3h"]


@pytest.mark.parametrize("text", ["[", "(", "!*", "state:["])
def test_a_broken_filter_says_so(text):
    with pytest.raises(BrokenFilter):
        row_filter.parsed(text)


@tabled("cells", range(8, 220, 7))
def test_columns_fill_the_table_and_never_more(cells):
    branches = missions_rows.arranged(TREE)
    layout = columns.laid_out(columns.MISSIONS, columns.needed(columns.MISSIONS, branches, 0.0), cells)
    assert sum(layout.widths) + columns.GAP * (len(layout.widths) - 1) == cells
    assert layout.columns[0].key == "name"


def test_columns_leave_by_priority():
    shown = [{one.key for one in columns.laid_out(columns.MISSIONS, {}, cells).columns} for cells in range(12, 150)]
    assert all(few <= many for few, many in itertools.pairwise(shown))


@pytest.mark.parametrize("by", ["cpu", "id", "restarts"])
def test_the_column_by_which_rows_are_sorted_stays_long(by):
    shown = columns.laid_out(columns.stressed(columns.MISSIONS, by), {}, 52).columns
    assert by in {one.key for one in shown}
    assert by not in {one.key for one in columns.laid_out(columns.MISSIONS, {}, 52).columns}


@tabled("text", ["👨‍👩‍👧", "⚠️", "👍🏽", "❤️‍🔥", "🏳️‍🌈", "1️⃣", "🇩🇪", "日本", "e\u0301", "한국"])
def test_pictures_of_several_characters_take_as_many_cells_for_us_as_for_who_draws_them(text):
    assert width(safe(text)) == cell_len(safe(text)) > 0


@pytest.mark.parametrize("text", ["plain", "日本語のテキスト", "e\u0301e\u0301e\u0301e\u0301", "👍👍👍👍", ""])
@pytest.mark.parametrize("cells", range(1, 9))
def test_a_cell_has_its_width_whatever_is_in_it(text, cells):
    assert width(clipped(text, cells)) <= cells
    assert width(fitted(text, cells)) == cells
    assert width(fitted(text, cells, right=True)) == cells


EDITS = [
    ("abc def", ["ctrl+w"], "abc ", 4),
    ("abc def", ["ctrl+a", "ctrl+k"], "", 0),
    ("abc def", ["ctrl+u"], "", 0),
    ("abc def", ["ctrl+u", "ctrl+y"], "abc def", 7),
    ("abc def", ["alt+b", "alt+backspace"], "def", 0),
    ("abc def", ["home", "alt+f"], "abc def", 3),
    ("abc", ["left", "backspace"], "ac", 1),
    ("abc", ["left", "delete"], "ab", 2),
    ("", ["backspace", "left", "ctrl+d"], "", 0),
]


@tabled(("text", "keys", "wanted", "at"), EDITS)
def test_a_field_knows_the_keys_of_readline(text, keys, wanted, at):
    now = Field.of(text)
    for key in keys:
        now = field.pressed(now, key) or now
    assert (now.text, now.at) == (wanted, at)


def test_a_paste_of_several_lines_is_one_line_without_control_characters():
    assert field.typed(Field(), "a\nb\x1b[31mc\n").text == "a b [31mc"


@tabled(
    ("text", "at", "cells", "wanted"),
    [
        ("abc", 3, 9, 0),
        ("abcdef", 6, 4, 2),
        ("abcdef", 1, 4, 0),
        ("ab日本", 4, 3, 3),
        ("ae\u0301", 3, 1, 1),
        ("", 0, 0, 0),
    ],
)
def test_a_line_that_is_too_long_is_shown_from_where_the_cursor_still_fits(text, at, cells, wanted):
    assert field.begin(Field(text, at), cells) == wanted


def test_a_pasted_megabyte_is_measured_only_where_it_is_seen():
    class Counted(str):
        __slots__ = ("looks",)

        def __getitem__(self, key):
            self.looks = getattr(self, "looks", 0) + 1
            return super().__getitem__(key)

    text = Counted("q" * 1_000_000)
    assert field.begin(Field(text, len(text)), 80) == len(text) - 80
    assert text.looks < 100


def test_colours_of_agents_become_looks():
    assert render_cells.runs("a\x1b[1;31mb\x1b[0mc\x1b[38;2;1;2;3md\x1b[0m") == [
        ("a", TextStyle()), ("b", TextStyle(("bold",), 1)), ("c", TextStyle()), ("d", TextStyle((), "#010203")),
    ]  # fmt: skip
    assert render_cells.runs("[red]x[/]") == [("[red]x[/]", TextStyle())]


def test_long_lines_wrap_or_move_sideways_without_splitting_wide_characters():
    parts = log_lines.pieces((0.0, 0, "ab日本cd"))
    assert ["".join(text for text, _ in one) for one in log_lines.wrapped(parts, 3)] == ["ab", "日", "本c", "d"]
    seen = {(2, 4): "日…", (2, 5): "日本…", (2, 6): "日本cd", (0, 1): "…", (6, 2): "cd", (9, 2): ""}
    for (offset, cells), text in seen.items():
        assert "".join(text for text, _ in log_lines.sideways(parts, offset, cells)) == text
    blank = log_lines.pieces((0.0, 0, "ab   "))
    assert "".join(text for text, _ in log_lines.sideways(blank, 0, 2)) == "ab", "nothing of it is missing"


def test_the_load_is_nothing_once_nothing_lives():
    fleet = Fleet()
    fleet.apply([row("a", cpu_percent=30.0, memory_bytes=1000)], (), everything=True)
    assert fleet.load == (30.0, 1000)
    fleet.apply([row("a", "stopped", cpu_percent=None, memory_bytes=None)], (), everything=False)
    assert fleet.load == (0.0, 0)


def said(line):
    return "".join(cell.text for cell in line)


ENGINES = [
    (EngineLoad(2, 3, 7, sharing=2), "queue 2/3 +7 · 2 agents change the same files"),
    (EngineLoad(2, 3), "queue 2/3"),
    (EngineLoad(0, 3, 7, paused=True), "queue paused 0/3 +7"),
    (EngineLoad(0, 3, sharing=3), "3 agents change the same files"),
    (EngineLoad(0, 3), ""),
]


@pytest.mark.parametrize(("engine", "text"), ENGINES)
def test_how_full_the_queue_is_and_whether_agents_work_against_each_other_is_said(engine, text):
    assert engine.words == text


def test_a_graph_is_as_high_as_it_is_told_and_ends_with_the_newest_value():
    assert numbers.sparkline([0, 50, 100], 4, top=100.0) == [" ▁▄█"]
    assert numbers.sparkline([0, 50, 100], 4, 2, top=100.0) == ["   █", " ▁██"]
    assert numbers.sparkline([], 3, 2) == ["   ", "   "]
    assert numbers.sparkline(range(100), 3) == ["███"]


@tabled("by", columns.ORDERS)
def test_every_order_sorts_all_rows_and_turns_round_when_asked_again(by):
    rows = [
        row("b", cost_usd=1.0, cpu_percent=3.0, started_at="2026-01-01T00:00:01.000Z"),
        row("A", "crashed", exit_code=2, memory_bytes=10, tokens={"input": 1, "output": 2}),
        row("c", activity="waiting", restart_count=3),
    ]
    order = columns.Order("none").asked(by)
    assert len(order.of(rows, 0.0)) == 3
    assert columns.Order.read(str(order)) == order
    again = order.asked(by)
    assert again.rises is not order.rises
    assert columns.Order.read(str(again)) == again


SORTED = [
    ("name", "A b c"), ("cost", "b A c"), ("cpu", "b A c"), ("memory", "A c b"), ("state", "c A b"), ("age", "A c b"),
    ("restarts", "c A b"), ("exit", "A c b"),
]  # fmt: skip


@tabled(("by", "names"), SORTED)
def test_rows_are_sorted_as_people_expect_it_first(by, names):
    rows = [
        row("b", cost_usd=1.0, cpu_percent=3.0, started_at="2026-01-01T00:00:01.000Z"),
        row("A", "crashed", exit_code=2, memory_bytes=10),
        row("c", activity="waiting", restart_count=3),
    ]
    found = columns.Order("none").asked(by).of(rows, 1_767_300_000.0)
    assert " ".join(one["name"] for one in found) == names


def test_an_order_that_nobody_knows_is_the_first_one():
    assert columns.Order.read("colour:inverted") == columns.Order.read("") == columns.Order("age")


ATTENTION = [
    ({"activity": "waiting"}, True), ({"activity": "idle", "unseen": True}, True), ({"activity": "idle"}, False),
    ({"activity": "limited"}, True), ({"activity": "limited", "resume_at": "2026-01-01T12:10:00.000Z"}, False),
    ({"status": "crashed"}, False), ({"status": "crashed", "unseen": True}, True),
    ({"status": "crashed", "reason": "restart_budget_spent"}, True), ({"status": "killed", "lost": True}, True),
    ({"activity": "idle", "conversation_lost": True}, True), ({}, False),
    ({"status": "stopped", "unseen": True}, False),
]  # fmt: skip


@tabled(("more", "wanted"), ATTENTION)
def test_what_needs_attention(more, wanted):
    assert missions_fleet.wanted(row("a", **more)) is wanted


def test_rows_of_wrapped_lines_are_the_same_however_the_lines_came():
    texts = ["", "x" * 9, "日本語" * 3, "\ttab", "\x1b[31mred\x1b[0m", "y" * 4 + "\x1b[1mz\x1b[0m" * 9]
    lines = [(0.0, at % 3, text) for at, text in enumerate(texts)]
    for cells in (1, 4, 5, 80):
        rows = [len(log_lines.wrapped(log_lines.pieces(line), cells)) for line in lines]
        wanted = [(at, row) for at, count in enumerate(rows) for row in range(count)]

        def height(known, at, cells=cells):
            return len(log_lines.wrapped(log_lines.pieces(known[at]), cells))

        grown, whole = Wrapping(height), Wrapping(height)
        whole.add(lines)
        grown.add(lines[:2])
        grown.add(lines, 2)
        assert [[one.at(row) for row in range(len(one))] for one in (whole, grown)] == [wanted, wanted]
        assert whole.at(len(whole)) == (len(lines), 0)


def test_the_cursor_follows_its_row_and_knows_when_it_was_moved():
    old, new = missions_rows.arranged(TREE, flat=True), missions_rows.arranged(TREE[1:], flat=True)
    assert missions_rows.cursor_place(new, "c", 2) == 1
    assert missions_rows.has_moved(old, new, "c", 2)
    assert missions_rows.has_moved(old, new, "a", 0)
    assert not missions_rows.has_moved(old, old, "c", 2)


# agents

NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""


def agent(activity, since="2026-01-01T11:58:00.000Z", **more):
    more = {"started_at": "2026-01-01T09:00:00.000Z", "activity_since": since, **more}
    return row("a", activity=activity, **more)


SINCE = [
    (agent("working"), 120.0, "working for 2m · running for 3h"),
    (agent("waiting", need="permission"), 120.0, "asks for 2m · running for 3h"),
    (agent("idle"), 120.0, "your turn for 2m · running for 3h"),
    (agent("unknown"), 10800.0, "working for 3h"),
    (agent(None, None), 10800.0, "working for 3h"),
    (agent("idle", status="paused"), 10800.0, "frozen for 3h"),
]


@pytest.mark.parametrize("state", ["checking", "reviewing", "landing", "to land", "review", "queued"])
def test_the_time_of_a_mission_that_has_ended_is_not_that_of_its_quests_state(state):
    ended = {"status": "stopped", "ended_at": "2026-01-01T09:02:00.000Z", "uptime_seconds": 120.0}
    shown = agent(None, None, quest_state=state, **ended)
    assert missions_rows.since(shown, NOON) == f"{state} · ran for 2m"


@tabled(("shown", "seconds", "words"), SINCE)
def test_a_state_lasts_since_the_agent_does_what_it_does(shown, seconds, words):
    assert missions_rows.held(shown, NOON) == seconds
    assert missions_rows.since(shown, NOON) == words


def test_a_limit_says_when_it_ends_where_that_is_known():
    assert missions_rows.state(agent("limited", resume_at="2026-01-01T12:10:00.000Z"), NOON) == "limited 10m"
    assert missions_rows.state(agent("limited"), NOON) == "limited"


NEEDS = [
    (agent("waiting", need="setup"), True, False),
    (agent("limited"), True, False),
    (agent("limited", resume_at="2026-01-01T12:10:00.000Z"), False, False),
    (agent("limited", attempt=2), False, False),
    (agent("idle", unseen=True), False, True),
    (agent("idle"), False, False),
    (agent("working", unseen=True), False, False),
    (row("a", "crashed", reason="restart_budget_spent"), True, False),
    (row("a", "stopped", reason="restart_budget_spent", outcome="failed"), True, False),
    (row("a", "crashed", reason="exited"), False, False),
    (row("a", "crashed", reason="restart_budget_spent", outcome="failed", quest_state="failed"), False, False),
    (row("a", "crashed", reason="restart_budget_spent", quest_state="queued"), False, False),
]


@tabled(("shown", "blocked", "turn"), NEEDS)
def test_who_needs_the_person(shown, blocked, turn):
    assert (inbox_rows.blocked(shown), inbox_rows.your_turn(shown)) == (blocked, turn)


def test_a_column_without_anything_to_say_is_left_out():
    def keys(rows):
        branches = missions_rows.arranged(rows)
        needed = columns.needed(columns.MISSIONS, branches, NOON)
        return [column.key for column in columns.laid_out(columns.MISSIONS, needed, 150).columns]

    assert "cost" not in keys([row("a")])
    assert "cost" in keys([row("a"), agent("idle", cost_usd=0.0)])


def test_news_are_a_tone_and_a_person_at_the_terminal_is_a_badge():
    shown = missions_rows.name_cell(
        missions_rows.arranged([agent("idle", unseen=True, attached=1)])[0], ascii_only=False
    )
    assert (shown[2].text, shown[2].tone) == ("a ⌨", "news")


def test_the_terminal_is_rung_with_one_line_that_runs_nothing():
    event = {"type": "notification", "name": "a\x07\x1b]0;b", "why": "blocked", "now": "rm\n-rf \u202e"}
    text = ringing.sentence(event)
    assert text == "overmind: a\\x07\\x1b]0;b · needs you · rm\\n-rf \\u202e"
    assert ringing.ring(text, tmux=False) == f"\x07\x1b]9;{text}\x07"
    assert ringing.ring("x", tmux=True) == "\x07\x1bPtmux;\x1b\x1b]9;x\x07\x1b\\"


# the tables


def test_every_state_has_its_own_mark_sign_and_word():
    assert all(mark_of(one.value) in MARKS for one in Status)
    assert {one.value for one in Outcome} == {mark.word for mark in OUTCOMES}
    assert len({mark.word for mark in MARKS}) == len(MARKS)
    assert all(width(mark.mark) == 1 and mark.ascii.isascii() and "\ufe0f" not in mark.mark for mark in MARKS)


@tabled("context", list(Context))
def test_no_key_means_two_things_in_one_context(context):
    keys = [key for action in ACTIONS if action.context is context for key in action.keys]
    assert sorted(keys) == sorted(set(keys))


def test_read_only_leaves_nothing_that_changes():
    shown = [action for context in Context for action in keymap.hints(context, read_only=True)]
    assert shown
    assert all(action.danger is Danger.NONE for action in shown)


def loaded(*figures):
    """The load that a supervisor has kept of a mission."""
    keys = ("cpu_percent", "memory_bytes", "output_bytes_per_second")
    return {"step_seconds": 5.0, **dict(zip(keys, map(list, zip(*figures, strict=True)), strict=True))}


def test_the_load_of_the_minutes_before_is_there_at_once_and_goes_on_in_the_same_steps():
    fleet = Fleet()
    used = {"cpu_percent": 30.0, "memory_bytes": 300, "output_bytes_per_second": 3.0, "now": ""}
    fleet.apply([row("a", **used, history=loaded((10.0, 100, 1.0), (20.0, 200, 2.0)))], (), everything=False, at=100.0)
    assert [sample.cpu for sample in fleet.history("a")] == [10.0, 20.0, 30.0]
    assert "history" not in fleet.rows["a"]
    for at in (101.0, 104.9):
        fleet.apply([row("a", **used | {"cpu_percent": at})], (), everything=False, at=at)
    assert [sample.cpu for sample in fleet.history("a")] == [10.0, 20.0, 104.9], (
        "the newest look counts until its step is over"
    )
    fleet.apply([row("a", **used)], (), everything=False, at=105.0)
    assert [sample.cpu for sample in fleet.history("a")] == [10.0, 20.0, 104.9, 30.0]

"""What is computed for the screen: trees, filters, columns, commands, fields, colours; tables without a screen."""

from __future__ import annotations

import itertools

import pytest

from overmind_core.domain.cells import width
from overmind_core.domain.marks import MARKS
from overmind_core.domain.mission import Status
from overmind_tui import actions, registry
from overmind_tui.actions import ACTIONS, ELSEWHERE, VERBS, Context, Danger
from overmind_tui.view import ansi, columns, command, diff, field, loglines, missions, summary
from overmind_tui.view import filter as filtering
from overmind_tui.view.ansi import Look
from overmind_tui.view.cells import clipped, fitted
from overmind_tui.view.field import Field
from overmind_tui.view.filter import BrokenFilter
from overmind_tui.view.fleet import Fleet
from overmind_tui.view.summary import Load
from overmind_tui.view.wrapping import Wrapping


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
    assert drawn(missions.arranged(TREE)) == ["a", "├─b", "│ └─c", "└─d", "e", "f"]


def test_folded_rows_hide_what_is_below_and_say_how_many():
    branches = missions.arranged(TREE, folded={"a"})
    assert drawn(branches) == ["a", "e", "f"]
    assert branches[0].folded == 3


def test_a_filter_keeps_ancestors_dimmed():
    branches = missions.arranged(TREE, wanted=lambda row: row["name"] == "c")
    assert drawn(branches) == ["a", "└─b", "  └─c"]
    assert [one.dimmed for one in branches] == [True, True, False]


def test_a_chain_of_thousands_is_no_recursion():
    chain = [row(str(at), parent=str(at - 1) if at else None) for at in range(5000)]
    assert len(missions.arranged(chain)) == 5000


ROWS = [
    row("api", labels={"team": "web"}, cpu_percent=80.0, command="serve"),
    row("worker", "crashed", exit_code=2, cpu_percent=1.0, now="E999"),
]
FILTERS = [
    ("", {"api", "worker"}),
    ("API", {"api"}),
    ("^api$", {"api"}),
    ("a !serve", {"worker"}),
    ("state:crashed", {"worker"}),
    ("state:work", {"api"}),
    ("cpu>50", {"api"}),
    ("cpu<50", {"worker"}),
    ("exit>0", {"worker"}),
    ("label=team", {"api"}),
    ("label=team=web", {"api"}),
    ("label=team=ops", set()),
    ("-f wkr", {"worker"}),
    ("e999", {"worker"}),
]


@pytest.mark.parametrize(("text", "names"), FILTERS)
def test_a_filter_means(text, names):
    assert {one["name"] for one in ROWS if filtering.parsed(text).matches(one)} == names


@pytest.mark.parametrize("text", ["[", "(", "!*", "state:["])
def test_a_broken_filter_says_so(text):
    with pytest.raises(BrokenFilter):
        filtering.parsed(text)


@pytest.mark.parametrize("cells", range(8, 220, 7))
def test_columns_fill_the_table_and_never_more(cells):
    branches = missions.arranged(TREE)
    layout = columns.laid_out(columns.MISSIONS, columns.needed(columns.MISSIONS, branches, 0.0), cells)
    assert sum(layout.widths) + columns.GAP * (len(layout.widths) - 1) == cells
    assert layout.columns[0].key == "name"


def test_columns_leave_by_priority():
    shown = [{one.key for one in columns.laid_out(columns.MISSIONS, {}, cells).columns} for cells in range(12, 150)]
    assert all(few <= many for few, many in itertools.pairwise(shown))


@pytest.mark.parametrize("text", ["plain", "日本語のテキスト", "e\u0301e\u0301e\u0301e\u0301", "👍👍👍👍", ""])
@pytest.mark.parametrize("cells", range(1, 9))
def test_a_cell_has_its_width_whatever_is_in_it(text, cells):
    assert width(clipped(text, cells)) <= cells
    assert width(fitted(text, cells)) == cells
    assert width(fitted(text, cells, right=True)) == cells


COMMANDS = [
    ("", None),
    ("m", command.Show("missions")),
    ("missions /api label=x", command.Show("missions", "api label=x")),
    ("/api m", command.Show("missions", "api")),
    ("stop --cascade", command.Do("stop", ("--cascade",))),
    ("run 'make test'", command.Do("run", ("make test",))),
    ("q", command.Leave()),
    ("nosuch", command.Unknown("there is no command 'nosuch'")),
    ("m nosuch", command.Unknown("there is no command 'm'")),
]
VIEWS = {word: view.name for view in registry.VIEWS.values() for word in (view.name, *view.aliases)}


@pytest.mark.parametrize(("text", "wanted"), COMMANDS)
def test_a_command_means(text, wanted):
    assert command.parsed(text, views=VIEWS, verbs=VERBS, leave=registry.LEAVE) == wanted


def test_an_open_quote_is_no_command():
    found = command.parsed("run 'x", views=VIEWS, verbs=VERBS, leave=registry.LEAVE)
    assert isinstance(found, command.Unknown)


@pytest.mark.parametrize(("text", "rest"), [("res", "tart"), ("ev", "ents"), ("stop", ""), ("stop x", ""), ("", "")])
def test_what_is_typed_is_completed(text, rest):
    assert command.ghost(text, [*registry.VIEWS, *VERBS]) == rest


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


@pytest.mark.parametrize(("text", "keys", "wanted", "at"), EDITS)
def test_a_field_knows_the_keys_of_readline(text, keys, wanted, at):
    now = Field.of(text)
    for key in keys:
        now = field.pressed(now, key) or now
    assert (now.text, now.at) == (wanted, at)


def test_a_paste_of_several_lines_is_one_line_without_control_characters():
    assert field.typed(Field(), "a\nb\x1b[31mc\n").text == "a b [31mc"


def test_colours_of_agents_become_looks():
    assert ansi.runs("a\x1b[1;31mb\x1b[0mc\x1b[38;2;1;2;3md\x1b[0m") == [
        ("a", Look()), ("b", Look(("bold",), 1)), ("c", Look()), ("d", Look((), "#010203")),
    ]  # fmt: skip
    assert ansi.runs("[red]x[/]") == [("[red]x[/]", Look())]


def test_long_lines_wrap_or_move_sideways_without_splitting_wide_characters():
    parts = loglines.pieces((0.0, 0, "ab日本cd"))
    assert ["".join(text for text, _ in one) for one in loglines.wrapped(parts, 3)] == ["ab", "日", "本c", "d"]
    assert "".join(text for text, _ in loglines.sideways(parts, 2, 4)) == "日本"


def test_the_load_is_nothing_once_nothing_lives():
    fleet = Fleet()
    fleet.apply([row("a", cpu_percent=30.0, memory_bytes=1000)], (), everything=True)
    assert fleet.load == (30.0, 1000)
    fleet.apply([row("a", "stopped", cpu_percent=None, memory_bytes=None)], (), everything=False)
    assert fleet.load == (0.0, 0)


def test_the_way_to_help_is_the_last_hint_to_go():
    shown = actions.hints(Context.MISSIONS, read_only=False)
    for cells in range(36, 200):
        line = summary.header([], shown, cells, version="1", before=Load(0, 0), now=Load(0, 0), ascii_only=False)
        text = "".join(cell.text for cell in line)
        assert "<?>help" in text or cells < 53  # where the logo has all the room that there is
        assert width(text) <= cells


def test_rows_of_wrapped_lines_are_the_same_however_the_lines_came():
    texts = ["", "x" * 9, "日本語" * 3, "\ttab", "\x1b[31mred\x1b[0m", "y" * 4 + "\x1b[1mz\x1b[0m" * 9]
    lines = [(0.0, at % 3, text) for at, text in enumerate(texts)]
    for cells in (1, 4, 5, 80):
        rows = [len(loglines.wrapped(loglines.pieces(line), cells)) for line in lines]
        wanted = [(at, row) for at, count in enumerate(rows) for row in range(count)]
        grown, whole = Wrapping(cells), Wrapping(cells)
        whole.add(lines)
        grown.add([lines[0], *lines[3:]])
        grown.drop(1)
        grown.put_before(lines[:3])
        assert [[one.at(row) for row in range(len(one))] for one in (whole, grown)] == [wanted, wanted]
        assert whole.at(len(whole)) == (len(lines), 0)


def test_the_cursor_follows_its_row_and_knows_when_it_was_moved():
    old, new = missions.arranged(TREE, flat=True), missions.arranged(TREE[1:], flat=True)
    assert diff.place(new, "c", 2) == 1
    assert diff.moved(old, new, "c", 2)
    assert diff.moved(old, new, "a", 0)
    assert not diff.moved(old, old, "c", 2)


# the tables


def test_every_state_has_its_own_mark_sign_and_word():
    assert {one.value for one in Status} <= {"running", "paused", *(mark.word for mark in MARKS)}
    assert len({mark.word for mark in MARKS}) == len(MARKS)
    assert all(width(mark.mark) == 1 and mark.ascii.isascii() and "\ufe0f" not in mark.mark for mark in MARKS)


@pytest.mark.parametrize("context", list(Context))
def test_no_key_means_two_things_in_one_context(context):
    keys = [key for action in ACTIONS if action.context is context for key in action.keys]
    assert sorted(keys) == sorted(set(keys))


def test_every_verb_of_the_command_line_has_its_twin_or_a_reason():
    from overmind_core.cli.table import COMMANDS as COMMAND_LINE

    assert set(COMMAND_LINE) == set(VERBS) | set(ELSEWHERE)
    verbs = {action.verb for action in ACTIONS if action.verb}
    assert verbs <= set(VERBS) | set(ELSEWHERE) | set(registry.VIEWS)


def test_read_only_leaves_nothing_that_changes():
    shown = [action for context in Context for action in actions.hints(context, read_only=True)]
    assert shown
    assert all(action.danger is Danger.NONE for action in shown)

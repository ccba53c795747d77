"""What a person finds, selects and sees of a terminal's text, without a screen."""

from __future__ import annotations

import pytest

from overmind_core.terminal.screen import Screen
from overmind_core.view import terminal_title as title
from overmind_core.view.terminal_title import Viewport
from overmind_tui.terminal import grid_search
from overmind_tui.terminal.grid import Grid, GridPlace, Selection, all_text, moved, selected_text


def grid(text, columns=10, rows=4, scrollback=100):
    screen = Screen(columns, rows, scrollback=scrollback)
    screen.feed(text.replace("\n", "\r\n").encode())
    return Grid(screen)


def rows(first, last):
    return Selection(GridPlace(first, 0), GridPlace(last, 0))


def test_rows_have_one_number_each_whether_they_scrolled_away_or_not():
    shown = grid("one\ntwo\nthree\nfour\nfive\nsix")
    assert [shown.text(row) for row in range(shown.first, shown.end)] == ["one", "two", "three", "four", "five", "six"]
    assert (shown.first, shown.top, shown.end) == (0, 2, 6)


def test_a_row_keeps_its_number_when_older_ones_are_lost():
    shown = grid("\n".join(f"line {number}" for number in range(20)), scrollback=3)
    assert shown.first == 13
    assert shown.text(15) == "line 15"


def test_the_alternate_screen_has_no_history():
    shown = grid("one\ntwo\nthree\nfour\nfive\x1b[?1049h\x1b[Hfull")
    assert shown.first == shown.top


def test_wrapped_rows_are_one_line_and_blanks_at_the_end_are_none():
    shown = grid("a line that is long   \nnext")
    assert selected_text(rows(0, 3), shown).splitlines()[:2] == ["a line that is long", "next"]
    assert all_text(shown) == "a line that is long\nnext"


def test_a_blank_in_the_last_column_of_a_wrapped_row_is_kept():
    assert all_text(grid("123456789 abc")) == "123456789 abc"


def test_a_selection_sideways_cuts_both_ends():
    shown = grid("abcdef\nghijkl\nmnopqr")
    assert selected_text(Selection(GridPlace(0, 2), GridPlace(1, 3), whole=False), shown) == "cdef\nghij"
    assert selected_text(Selection(GridPlace(1, 3), GridPlace(0, 2), whole=False), shown) == "cdef\nghij"


def test_wide_characters_are_selected_whole():
    shown = grid("日本語x")
    assert selected_text(Selection(GridPlace(0, 0), GridPlace(0, 3), whole=False), shown) == "日本"


def test_the_other_end_moves_after_a_turn_and_sideways_leaves_whole_rows():
    shown = grid("one\ntwo\nthree\nfour")
    chosen = moved(rows(2, 2), shown, rows=1)
    assert selected_text(chosen, shown) == "three\nfour"
    chosen = moved(chosen.turned(), shown, rows=-1)
    assert selected_text(chosen, shown) == "two\nthree\nfour"
    assert moved(chosen, shown, rows=-99).head.row == 0
    assert not moved(chosen, shown, columns=1).whole


def found(shown, text):
    pattern = grid_search.compiled(text)
    assert pattern is not None
    return grid_search.found(shown, pattern)


def matches(shown, text):
    return [(match.row, match.start, match.end) for match in found(shown, text)]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("two", [(1, 0, 3)]),
        ("T[WH]", [(1, 0, 2), (2, 0, 2)]),
        ("[", []),
        ("o", [(0, 0, 1), (1, 2, 3), (3, 1, 2)]),
        ("x*", []),
    ],
)
def test_patterns_are_found_whatever_the_case(text, where):
    assert matches(grid("one\ntwo\nthree\nfour\nfive"), text) == where


def test_what_was_wrapped_is_found_in_both_rows():
    assert matches(grid("12345678needle"), "needle") == [(0, 8, 10), (1, 0, 4)]
    assert matches(grid("1234567890" * 2 + "12needle"), "needle") == [(2, 2, 8)]


def test_columns_behind_wide_characters_are_cells():
    assert matches(grid("日本x"), "x") == [(0, 4, 5)]


def test_a_broken_pattern_is_meant_literally():
    assert matches(grid("a[b"), "[b") == [(0, 1, 3)]


def test_the_next_one_goes_round():
    rows = found(grid("a\nb\na\nb"), "a")

    def after(row, *, back):
        match = grid_search.next_match(rows, row, 0, back=back)
        return match.row if match is not None else None

    assert [after(9, back=True), after(2, back=True), after(0, back=True)] == [2, 0, 2]
    assert [after(0, back=False), after(2, back=False)] == [2, 0]
    assert grid_search.next_match([], 0, 0, back=False) is None


@pytest.mark.parametrize(
    ("before", "cursor", "after"),
    [
        (Viewport(), (0, 0), Viewport(100, 0)),
        (Viewport(), (119, 39), Viewport(120, 70)),
        (Viewport(110, 20), (30, 15), Viewport(110, 20)),  # in sight: nothing moves
        (Viewport(110, 20), (10, 15), Viewport(110, 10)),
        (Viewport(110, 20), (30, 5), Viewport(105, 20)),
    ],
)
def test_a_cropped_terminal_is_shown_around_its_cursor(before, cursor, after):
    assert title.following(before, pane=(50, 20), terminal=(120, 40), top=100, cursor=cursor) == after


def test_a_terminal_that_fits_does_not_move():
    shown = title.following(Viewport(7, 7), pane=(200, 60), terminal=(120, 40), top=0, cursor=(119, 39))
    assert shown == Viewport(0, 0)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"type": "ended", "status": "stopped", "exit_code": 0}, "exited (0) · r restart · esc back"),
        ({"type": "ended", "status": "killed", "exit_code": None}, "killed · r restart · esc back"),
        ({"type": "ended", "status": "crashed", "exit_code": 1, "reason": "timeout"},
         "exited (1), it took too long · r restart · esc back"),
        ({"type": "handing_back"}, "running without a terminal · esc back"),
    ],
)  # fmt: skip
def test_the_border_says_why_it_is_over(item, words):
    assert title.over(item) == words


def test_the_border_says_how_much_is_seen_and_how_to_leave():
    shown = title.looking(
        terminal=(120, 40), cropped=True, back=0, selecting=False, searching="", read_only=False
    )  # fmt: skip
    assert shown == "looking · 120x40, cropped · i types · esc back"
    shown = title.looking(
        terminal=(80, 24), cropped=False, back=0, selecting=False, searching="", read_only=False, no_input=True
    )
    assert shown == "looking · no input · esc back"
    shown = title.typing(["ctrl-\\", "ctrl-]"], terminal=(80, 24), cropped=False)
    assert shown == "typing · ctrl-\\ or ctrl-] leaves"
    assert title.finishing(120) == "finishing the turn (2m) · i interrupt now · esc cancel"
    assert title.exited(-9) == "exited (137) · r restart · esc back"
    assert title.title("api", "vim \x1b[31m[red]") == "api · vim \\x1b[31m[red]"

"""The shape of the main screen: of every size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.view.screen_shape import SMALLEST, Alone, Place, Wish, is_tiny, shape


def test_what_is_typed_into_has_the_whole_screen():
    assert shape(80, 24, Wish(13, alone=Alone.TYPING))[3:6] == (0, 80, 24)


@given(
    st.integers(30, 240), st.integers(4, 90), st.integers(0, 3000), st.sampled_from(Place), st.sampled_from(Alone),
    st.sampled_from([None, True, False]), st.integers(0, 60), st.booleans(), st.booleans(), st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_of_each_size_all_lines_are_used_once(
    columns, rows, listed, place, alone, is_open, before, only, head, hints, inside
):
    found = shape(columns, rows, Wish(listed, place, is_open, only, alone, before, head, hints, inside))
    if found.small:
        assert columns < SMALLEST[0] or rows < SMALLEST[1]
        return
    assert min(found) >= 0
    assert found.header + found.body + found.line + found.hints == rows
    if found.is_beside:
        assert found.list_lines + found.happened == found.panel_lines
        assert found.list_cells + 1 + found.panel_cells == columns
    else:
        assert found.happened == 0
        assert {found.list_cells, found.panel_cells} <= {0, columns}
    if found.list_lines and found.panel_lines:
        assert not is_tiny(columns, rows)
        assert found.list_lines >= 3
        assert found.panel_lines >= 3


def test_where_one_part_has_room_it_is_the_one_with_the_keys():
    for columns, rows in ((40, 8), (50, 12), (59, 40), (200, 14)):
        assert shape(columns, rows, Wish(6)).list_lines == rows - 2 - (rows >= 30)
        inside = shape(columns, rows, Wish(6, is_open=True, in_panel=True))
        assert (inside.list_lines, inside.panel_lines) == (0, rows - 2 - (rows >= 30))
        nobody = shape(columns, rows, Wish(0, needs_only=True, alone=Alone.LIST, in_panel=True))
        assert not nobody.panel_lines, "the sentence that nobody needs a person"
    assert shape(60, 15, Wish(6, is_open=True, in_panel=True)).list_lines, "room for both"


def test_the_list_grows_at_once_and_does_not_shrink_while_the_view_is_open():
    grown = shape(120, 40, Wish(13)).list_lines
    assert shape(120, 40, Wish(4)).list_lines < grown
    assert shape(120, 40, Wish(4, at_least=grown)).list_lines == grown
    assert shape(120, 40, Wish(400)).list_lines == 36 * 60 // 100


def test_of_few_rows_the_panel_is_open_at_first_where_the_list_is_short_and_then_as_somebody_wants_it():
    assert shape(80, 24, Wish(6)).panel_lines
    assert not shape(80, 24, Wish(7)).panel_lines
    assert shape(80, 24, Wish(7, is_open=True)).panel_lines
    assert not shape(80, 24, Wish(6, is_open=False)).panel_lines


def test_the_setting_puts_the_panel_below_or_beside_or_away():
    assert not shape(200, 60, Wish(6, Place.BELOW)).is_beside
    assert shape(150, 60, Wish(6, Place.BESIDE)).is_beside
    assert not shape(100, 60, Wish(6, Place.BESIDE)).is_beside, "neither part would have room"
    assert not shape(120, 40, Wish(6, Place.OFF)).panel_lines
    assert shape(120, 40, Wish(6, Place.OFF, is_open=True)).panel_lines

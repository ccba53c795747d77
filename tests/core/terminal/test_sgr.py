"""Looks: what SGR selects, and that what we write for a look selects it again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.terminal import cells as styles
from overmind_core.terminal.cells import DEFAULT, Underline, interned, linked, styled
from overmind_core.terminal.sgr import parameters_of, select
from tests.kit.cases import tabled

CASES = [
    ("1", {"bold": True}),
    ("2;3;5", {"dim": True, "italic": True, "blink": True}),
    ("1;2;22", {}),
    ("4", {"underline": Underline.SINGLE}),
    ("4:3", {"underline": Underline.CURLY}),
    ("4:0", {}),
    ("4:9", {"underline": Underline.SINGLE}),
    ("21", {"underline": Underline.DOUBLE}),
    ("7;8;9;53", {"reverse": True, "conceal": True, "strike": True, "overline": True}),
    ("7;8;9;53;27;28;29;55", {}),
    ("31;42", {"foreground": 1, "background": 2}),
    ("91;102", {"foreground": 9, "background": 10}),
    ("38;5;208", {"foreground": 208}),
    ("38:5:208", {"foreground": 208}),
    ("38;5;300", {}),
    ("38:5:300", {}),
    ("48;2;1;2;3", {"background": (1, 2, 3)}),
    ("48:2:1:2:3", {"background": (1, 2, 3)}),
    ("48:2::1:2:3", {"background": (1, 2, 3)}),
    ("48:2::1:2:3:0:1", {"background": (1, 2, 3)}),
    ("48:2::256:2:3", {}),
    ("58:5:9", {"underline_colour": 9}),
    ("58;2;1;2;3;1", {"underline_colour": (1, 2, 3), "bold": True}),
    ("58:5:9;59", {}),
    ("38;5;208;1", {"foreground": 208, "bold": True}),
    ("38", {}),
    ("38;5", {}),
    ("38;2;1;2", {}),
    ("38;9;1", {"bold": True}),
    ("", {}),
    ("1;", {}),
    ("1;0;3", {"italic": True}),
    ("999;77", {}),
    ("99999999999999999999", {}),
    (":::;:", {}),
]


@tabled(("parameters", "fields"), CASES)
def test_parameters_select_a_look(parameters, fields):
    assert select(DEFAULT, parameters) is styled(**fields)


def test_a_link_survives_a_reset():
    look = linked(styled(bold=True), "http://x/")
    assert select(look, "0") is linked(DEFAULT, "http://x/")


_colour = st.none() | st.integers(0, 255) | st.tuples(*[st.integers(0, 255)] * 3)
_looks = st.tuples(
    _colour, _colour, _colour, *[st.booleans()] * 3, st.sampled_from(Underline), *[st.booleans()] * 5, st.none()
).map(interned)


@given(_looks, _looks)
def test_what_is_written_for_a_look_brings_it_about_from_any_other(before, look):
    assert select(before, parameters_of(look)) is look


def test_a_picture_in_true_colour_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(styles, "POOL_LIMIT", 100)
    for number in range(1000):
        select(DEFAULT, f"38;2;{number % 256};{number // 256};7")
    assert len(styles._pool) <= 100
    assert len(DEFAULT.following) <= 512
    assert styled() is DEFAULT

"""Tones that can be told apart and read by everybody, on every ground, in each of the three themes."""

from __future__ import annotations

import colorsys
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.missions import status_marks
from overmind_core.domain.missions.status_marks import StatusMark
from overmind_core.view import note_marks, tones
from overmind_core.view.tones import DARK, LIGHT, LOOKS, PALETTES, SIXTEEN, Look
from tests.kit.colours import READ, SEES, XTERM, contrast, distance

TOLD_APART = 17.0
"""Distance in CIELAB; 2 is hardly seen side by side."""
FAINT_UNDER_CURSOR = 3.5
SAME_HUE = 15.0
"""Degrees between two colours that people call by one name."""
OWN = (DARK, LIGHT)
"""Palettes whose grounds are known."""
OF_LINES = {"rule"}
"""No text is written in these."""
OF_SCREEN = (
    "quiet", "faint", "title", "accent", "key", "rule", "wait", "good", "bad", "slow", "off", "news", "add", "cut",
    "graph", "typing", "button",
)  # fmt: skip
WRITTEN = sorted({name for name, one in LOOKS.items() if not one.ground} - OF_LINES)
FILLED = sorted(name for name, one in LOOKS.items() if one.colour == tones.FILLED)
ON_EITHER_GROUND = ("", "quiet", "faint", "accent", "wait", "bad", "off")
"""Tones that are read also where words alone say it."""


def hue(colour: str) -> float:
    """Of a colour, in degrees."""
    return colorsys.rgb_to_hls(*(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)))[0] * 360


def in_xterm(name: str, ground: str) -> str:
    return XTERM[name] if name else XTERM["black" if ground == XTERM["bright_white"] else "bright_white"]


def test_the_table_has_every_tone_of_the_screen_and_of_marks():
    marks = {one.tone for one in vars(status_marks).values() if isinstance(one, StatusMark)}
    assert {*OF_SCREEN, *marks, *tones.NAMES, tones.CURSOR, tones.REST, tones.LINE, ""} <= set(LOOKS)


def test_only_what_a_person_is_needed_for_has_the_colour_of_a_call():
    """Nothing stands still for a note that waits for one, and a landing that waits goes on by itself."""
    marks = [one for where in (status_marks, note_marks) for one in vars(where).values() if isinstance(one, StatusMark)]
    called = {status_marks.WAITING, status_marks.YOUR_TURN, status_marks.REVIEW, status_marks.UNHEARD}
    assert {one for one in marks if one.tone == "wait"} == called


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_a_palette_has_every_colour_that_a_look_names(palette):
    looks = [tones.look(tone, palette, colours=colours) for tone in LOOKS for colours in (True, False)]
    used = {name for one in looks for name in (one.colour, one.ground) if name}
    assert used <= set(palette.colours) == set(DARK.colours)


@pytest.mark.parametrize("palette", OWN, ids=lambda palette: palette.name)
@pytest.mark.parametrize("ground", tones.GROUNDS)
@pytest.mark.parametrize("tone", WRITTEN)
def test_every_tone_can_be_read_on_every_ground(palette, ground, tone):
    dim = LOOKS[tone].colour == "faint" and ground in {tones.CURSOR, tones.REST}
    assert contrast(palette.colour(tone), palette.colours[ground]) >= (FAINT_UNDER_CURSOR if dim else READ)


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
@pytest.mark.parametrize("tone", FILLED)
def test_what_stands_on_a_ground_of_its_own_can_be_read(palette, tone):
    look = tones.look(tone, palette)
    colour, ground = palette.colours[look.colour], palette.colours[look.ground]
    if palette is SIXTEEN:
        assert contrast(XTERM[colour], XTERM[ground]) >= 4.0
        assert not look.bold, "a bold black is a grey in many terminals"
    else:
        assert contrast(colour, ground) >= READ


@pytest.mark.parametrize("palette", OWN, ids=lambda palette: palette.name)
@pytest.mark.parametrize("eyes", SEES)
def test_the_tones_of_states_can_be_told_apart_by_all_eyes(palette, eyes):
    for one, other in itertools.combinations(tones.STATES, 2):
        assert distance(palette.colours[one], palette.colours[other], SEES[eyes]) > TOLD_APART, (one, other)


@pytest.mark.parametrize("tone", [name for name in tones.STATES if name != "off"])
def test_a_tone_keeps_its_hue_on_a_bright_ground_and_is_not_as_dark_as_a_text(tone):
    turned = abs(hue(LIGHT.colours[tone]) - hue(DARK.colours[tone]))
    assert min(turned, 360 - turned) <= SAME_HUE
    text, shown = (contrast(LIGHT.colours[name], LIGHT.colours[tones.PAGE]) for name in (tones.TEXT, tone))
    assert shown < text / 2


@pytest.mark.parametrize("palette", OWN, ids=lambda palette: palette.name)
def test_the_ground_of_the_cursor_is_seen_and_is_weaker_while_the_keys_are_elsewhere(palette):
    page, rest, cursor = (palette.colours[name] for name in (tones.PAGE, tones.REST, tones.CURSOR))
    assert distance(page, cursor, SEES["all"]) > distance(page, rest, SEES["all"]) > 2


def test_the_sixteen_are_names_of_the_terminal_and_no_mixed_colour():
    assert set(SIXTEEN.colours.values()) <= {"", *XTERM}


@pytest.mark.parametrize("tone", WRITTEN)
def test_the_sixteen_can_be_read_in_a_dark_terminal(tone):
    found = in_xterm(SIXTEEN.colour(tone), XTERM["black"])
    assert contrast(found, XTERM["black"]) >= 4.4


@pytest.mark.parametrize("tone", ON_EITHER_GROUND)
def test_what_a_person_must_not_miss_can_be_read_in_a_bright_terminal_too(tone):
    ground = XTERM["bright_white"]
    assert contrast(in_xterm(SIXTEEN.colour(tone), ground), ground) >= 3.9


def test_a_cursor_of_sixteen_or_no_colours_is_reversed_without_other_colours():
    for found in (tones.look("cursor", SIXTEEN), tones.look("cursor", DARK, colours=False)):
        assert found == Look(tones.TEXT, tones.PAGE, reverse=True)
        assert not SIXTEEN.colours[found.colour]
        assert not SIXTEEN.colours[found.ground]
    assert tones.look("cursor-rest", SIXTEEN) == Look(underline=True)


LOOK = [
    ("wait", Look("wait")), ("wait bold", Look("wait", bold=True)), ("bold", Look(bold=True)), ("", Look()),
    ("news", Look(bold=True)), ("news good", Look("good", bold=True)), ("title", Look("title", bold=True)),
    ("key", Look("accent")), ("add", Look("good")), ("cut", Look("bad")), ("cursor", Look(ground="cursor")),
    ("button", Look(tones.FILLED, "accent", bold=True)),
]  # fmt: skip


@pytest.mark.parametrize(("tone", "look"), LOOK)
def test_words_are_put_on_top_of_each_other(tone, look):
    assert tones.look(tone) == look


def test_who_wants_no_colours_sees_by_attributes_what_is_filled():
    assert {tones.look(tone, colours=False) for tone in FILLED} == {Look(bold=True, reverse=True)}


def test_a_tone_that_is_not_in_the_table_is_refused():
    with pytest.raises(KeyError):
        tones.look("wait blod")


ELSEWHERE = [
    ("", "text"), ("news", "text"), ("title", "text"), ("faint", "quiet"), ("rule", "quiet"), ("label", "quiet"),
    ("accent", "key"), ("mark", "key"), ("chosen", "key"), ("button", "key"), ("add", "good"), ("cut", "bad"),
    ("typing", "good"), ("graph", "calm"), ("wait bold", "wait"), ("bold wait", "wait"),
    ("cursor", "text"), ("nonsense", "text"), *[(name, name) for name in tones.NAMES],
]  # fmt: skip


@pytest.mark.parametrize(("tone", "name"), ELSEWHERE)
def test_every_tone_has_one_of_those_that_all_screens_have(tone, name):
    assert tones.named(tone) == name


@given(st.lists(st.sampled_from(sorted(LOOKS)), max_size=3).map(" ".join))
def test_all_words_together_have_a_look_and_a_name(tone):
    for palette in PALETTES:
        assert tones.look(tone, palette) == tones.look(f" {tone} ", palette)
    assert tones.named(tone) in tones.NAMES

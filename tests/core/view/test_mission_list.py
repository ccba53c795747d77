"""The list of missions as it is drawn: the pictures of the screen, its columns, and which of its lines are seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.cells import width
from overmind_core.view import list_columns, mission_list
from overmind_core.view.grouping import grouped, ordered
from overmind_core.view.groups import Listing, Wish
from overmind_core.view.mission_list import FOLD, Look
from overmind_core.view.row_words import Facts
from tests.kit import screen_list as kit
from tests.kit.cases import tabled
from tests.kit.screen_pictures import SIZES, pictures, texts

FACTS = Facts(kit.NOW, kit.ZONE, kit.HEALTH)
DAY = (kit.DAY, kit.QUESTIONS)
DRAWN = {
    "demo": (kit.DEMO, kit.DEMO_QUESTIONS, "demo-agent", True),
    "day": (*DAY, "search-index", True),
    "asks": (*DAY, "api", True),
    "answer": (*DAY, "api", False),
    "choice": (*DAY, "cart-vat", False),
    "calm": (kit.CALM, [], "search-index", True),
    "log": (*DAY, "search-index", True),
    "diff": (*DAY, "search-index", True),
    "terminal": (*DAY, "search-index", True),
    "stats": (*DAY, "search-index", True),
    "needs": (*DAY, "api", False),
    "new": (*DAY, "search-index", False),
}
"""Name of a picture → missions, questions, the cursor's row, whether the keys are in the list."""


def of_picture(name, size):
    """The list's lines of a picture, and how wide it is."""
    columns, rows = size
    lines = pictures()[name, size][2 if rows >= 30 else 1 : -2]
    cells = columns // 2 if columns >= 160 else columns
    own = [line[:cells].rstrip() for line in lines]
    end = next((place for place, line in enumerate(own) if line.startswith("──")), len(own))
    return own[:end], cells


def listing_of(name):
    rows, questions, cursor, focused = DRAWN[name]
    listing = grouped(ordered(rows, None, kit.NOW), questions, kit.NOW, sizes=kit.SIZES_OF_PLANS)
    return Listing(listing.needs) if name == "needs" else listing, cursor, focused


def drawn(name, cells, height, *, roomy, **more):
    listing, cursor, focused = listing_of(name)
    lines = mission_list.slots(listing, roomy=roomy)
    look = Look(list_columns.laid_out(cells), FACTS, cursor, focused, **more)
    top = mission_list.first_seen(len(lines), mission_list.place_of(lines, cursor), height)
    return mission_list.drawn(mission_list.seen(lines, height, top), look)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", DRAWN)
def test_a_list_is_drawn_as_in_the_picture(name, size):
    picture, cells = of_picture(name, size)
    lines = drawn(name, cells, len(picture), roomy=size[1] >= 30)
    shown = texts([line.cells for line in lines])
    assert shown + [""] * (len(picture) - len(shown)) == picture
    assert {sum(width(cell.text) for cell in line.cells) for line in lines if line.cells} == {cells}

"""What a terminal is sent: only what differs from what it shows, and in the end it shows what was drawn."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from overmind_core.terminal.cells import Style as CellStyle
from overmind_core.terminal.screen import Screen
from overmind_tui.shell import frame
from overmind_tui.shell.frame import ChangedCells, Frame, Look, change, pieces
from tests.kit import torture
from tests.kit.cases import tabled

COLUMNS, LINES = 24, 6
WORDS = ["a", "tick 42", "  ", "──┐", "▶", "日本", "e\u0301", "👩\u200d💻", "▁▂▃", " x ", "│"]
STYLES = [
    Style(), Style(color="#ffffff"), Style(color="#ff0000", bgcolor="#102030"), Style(bgcolor="#102030"),
    Style(bold=True, color="#ffffff"), Style(dim=True, italic=True), Style(underline=True, bgcolor="red"),
    Style(reverse=True), Style(strike=True, link="https://example.org/"),
]  # fmt: skip
console = Console(color_system="truecolor", force_terminal=True)


def line(choice):
    """A line of random pieces."""
    segments: list[Segment] = []
    while sum(segment.cell_length for segment in segments) < COLUMNS:
        segments.append(Segment(choice.choice(WORDS), choice.choice(STYLES)))
    return Strip(segments).adjust_cell_length(COLUMNS)


def whole(strips):
    """A frame of all lines."""
    return LayoutUpdate([[strip] for strip in strips], Region(0, 0, COLUMNS, LINES))


def cells(screen):
    """What the terminal shows, cell by cell; of a blank nobody sees the foreground."""
    found = []
    for y in range(LINES):
        row: list[tuple[str, CellStyle]] = []
        for text, style in screen.runs(y):
            row += [(one, replace(style, foreground=None, bold=False, dim=False, italic=False)
                    if one == " " and not style.underline and not style.reverse and not style.strike else style)
                    for one in text]  # fmt: skip
        found.append(row)
    return found


def sent_for(drawn, update, columns=COLUMNS):
    """What a terminal is sent for an update."""
    drawn.resize(columns, LINES)
    drawn.draw(pieces(update, ColorSystem.TRUECOLOR))
    return ChangedCells(drawn).render_segments(console)


def shown(updates):
    """A terminal that was sent these, and how much."""
    drawn, screen, sent = Frame(), Screen(COLUMNS, LINES), 0
    screen.feed(b"\x1b[?7l")
    for update in updates:
        data = sent_for(drawn, update).encode()
        screen.feed(data)
        sent = len(data)
    return screen, sent


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(torture.portion(40)))
def test_a_terminal_that_is_sent_what_differs_shows_what_was_drawn(seed):
    choice = random.Random(seed)
    strips = [line(choice) for _ in range(LINES)]
    updates = [whole(strips)]
    for _ in range(12):
        for y in choice.sample(range(LINES), choice.randrange(LINES)):
            strips[y] = line(choice)
        if choice.random() < 0.5:
            updates.append(whole(list(strips)))
        else:
            spans = [(y, 0, COLUMNS) for y in range(LINES)]
            updates.append(ChopsUpdate([{0: strip} for strip in strips], spans, [[COLUMNS]] * LINES))
        once, _ = shown([whole(list(strips))])
        assert cells(shown(updates)[0]) == cells(once)


def test_nothing_is_sent_for_a_frame_that_is_shown_already():
    strips = [Strip([Segment("a line".ljust(COLUMNS))])] * LINES
    assert shown([whole(strips), whole(strips)])[1] == 0


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        ("tick 41", "tick 42", "\x1b[1;7H2"),
        ("a  b", "A  B", "\x1b[1HA  B"),
        ("a" + " " * 15 + "c", "A" + " " * 15 + "C", "\x1b[1HA\x1b[15CC"),
        ("日本", "本日", "\x1b[1H本\x1b[1;3H日\x1b[1;5H" + " " * 20),
        ("abc", "abc", ""),
    ],
    ids=["one cell", "near ones", "far ones", "cells of which terminals may disagree", "none"],
)
def test_only_cells_that_differ_are_sent(before, after, sent):
    drawn = Frame()
    texts = [
        sent_for(drawn, LayoutUpdate([[Strip([Segment(text)]).adjust_cell_length(COLUMNS)]], Region(0, 0, COLUMNS, 1)))
        for text in (before, after)
    ]
    assert texts[-1] == sent


@tabled(
    ("before", "after", "sent"),
    [
        (None, Look(), "\x1b]8;;\x1b\\\x1b[m"),
        (Look(), Look(1), "\x1b[1m"),
        (Look(1), Look(), "\x1b[m"),
        (Look(3, "31"), Look(1, "31"), "\x1b[22;1m"),
        (Look(1, "31", "44"), Look(0, "31", "44"), "\x1b[22m"),
        (Look(0, "31", "44"), Look(0, "32", "44"), "\x1b[32m"),
        (Look(0, "31"), Look(0, "", "44"), "\x1b[0;44m"),
        (Look(0, "31"), Look(0, "31"), ""),
    ],
)
def test_the_pen_is_changed_by_what_differs(before, after, sent):
    assert change(before, after) == sent


def test_what_others_have_drawn_over_is_drawn_anew():
    drawn = Frame()
    strips = [Strip([Segment("a line".ljust(COLUMNS))])] * LINES
    first = sent_for(drawn, whole(strips))
    drawn.forget()
    assert sent_for(drawn, whole(strips)) == first
    wider = LayoutUpdate(
        [[strip.adjust_cell_length(COLUMNS + 1)] for strip in strips], Region(0, 0, COLUMNS + 1, LINES)
    )
    assert len(sent_for(drawn, wider, COLUMNS + 1)) > len(first)


def test_what_was_drawn_over_before_it_was_shown_is_not_sent():
    drawn = Frame()
    once, twice = (Strip([Segment(text)]).adjust_cell_length(COLUMNS) for text in ("a", "b"))
    sent_for(drawn, LayoutUpdate([[once]], Region(0, 0, COLUMNS, 1)))
    for strip in (twice, once):
        drawn.draw(pieces(LayoutUpdate([[strip]], Region(0, 0, COLUMNS, 1)), ColorSystem.TRUECOLOR))
    assert drawn.take() == ""


def test_colours_that_a_terminal_has_not_are_others():
    assert frame.look_of(Style(color="#ff0000"), ColorSystem.STANDARD).foreground in {"31", "91"}
    assert frame.look_of(Style(color="default"), ColorSystem.TRUECOLOR).foreground == ""

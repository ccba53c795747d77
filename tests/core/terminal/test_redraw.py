"""What a late viewer is sent shows the same screen, and goes on the same way."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from overmind_core.terminal.screen import Screen
from overmind_core.terminal.state import SavedCursor
from tests.kit import torture
from tests.kit.cases import tabled
from tests.kit.terminal_streams import streams

RECORDINGS = sorted(Path(__file__).with_name("recordings").glob("*.jsonl.gz"))


def seen(screen: Screen) -> tuple[object, ...]:
    """Everything that a redraw carries over."""
    state = screen._state
    return (
        [screen.runs(y) for y in range(screen.rows)],
        screen.cursor,
        state.pending_wrap,
        (state.modes.private, state.modes.alternate, state.modes.insert, state.modes.new_line),
        (state.title, state.titles, [*state.keyboard.resources()]),
        [[*state.keyboard.flags(alternate=one)] for one in (False, True)[: 1 + state.modes.alternate]],
        (state.top, state.bottom, state.tabs),
        (state.style, state.charsets.designated, state.charsets.shift),
        [plain(saved) for saved in state.saved[: 1 + state.modes.alternate]],
    )


def plain(saved: SavedCursor | None) -> tuple[object, ...] | None:
    if saved is None:
        return None
    return (*saved[:4], saved.charsets.designated, saved.charsets.shift, saved.origin)


def redrawn(screen: Screen) -> Screen:
    fresh = Screen(screen.columns, screen.rows)
    fresh.feed(screen.redraw())
    assert fresh.faults == []
    return fresh


@settings(max_examples=torture.examples(400), deadline=None)
@given(streams, st.sampled_from([(8, 4), (20, 6), (1, 1), (2, 3)]))
@example("\x1b[?1047h\x1b[?1049h\x1b[!p", (8, 4))  # what 1049 has saved on the alternate screen is forgotten
def test_a_redraw_carries_the_whole_screen_over(stream, size):
    screen = Screen(*size)
    screen.feed(stream.encode())
    assert seen(redrawn(screen)) == seen(screen)


@tabled("recording", RECORDINGS, ids=[path.name.partition(".")[0] for path in RECORDINGS])
def test_a_viewer_may_come_at_any_time_of_a_recorded_session(recording):
    with gzip.open(recording, "rt", encoding="utf-8") as file:
        header, *events = map(json.loads, file)
    screen = Screen(header["columns"], header["rows"])
    late = redrawn(screen)
    for place, (kind, value) in enumerate(events):
        if kind == "r":
            screen.resize(*value)
        else:
            for each in (screen, late):
                each.feed(value.encode("latin-1"))
            assert seen(late) == seen(screen)
        if kind == "r" or place % 3 == 0:  # without a scrollback a later resize has no rows to bring back
            late = redrawn(screen)


def test_the_primary_screen_and_its_cursor_wait_behind_the_alternate_one():
    screen = Screen(20, 4)
    screen.feed(b"\x1b[32mshell\x1b[m $ \x1b[?1049h\x1b[?1000;1006h\x1b[Hvim")
    fresh = redrawn(screen)
    assert fresh.line(0) == "vim"
    for each in (screen, fresh):
        each.feed(b"\x1b[?1049l!")
    assert fresh.line(0) == "shell $ !"
    assert fresh.modes.mouse == 1000


def test_saved_cursors_and_wrapped_rows_are_carried_over():
    screen = Screen(8, 4)
    screen.feed("\x1b[2;3H\x1b[1m\x1b7\x1b[m\x1b[Habcdefghij\r\nabcdefg日".encode())
    fresh = redrawn(screen)
    assert fresh.wrapped(0)
    for each in (screen, fresh):
        each.resize(20, 4)
        each.feed(b"\x1b8x")
    assert fresh.lines() == screen.lines()
    assert seen(fresh) == seen(screen)


def test_the_paint_of_a_redraw_is_one_frame():
    screen = Screen(8, 4)
    assert screen.redraw().startswith(b"\x1b[?2026h")
    assert screen.redraw().endswith(b"\x1b[?2026l")
    screen.feed(b"\x1b[?2026h")
    assert not screen.redraw().endswith(b"\x1b[?2026l")
    assert redrawn(screen).modes.synchronized


KEYS = [
    ("\x1b[>1u", [">1u"]),
    ("\x1b[>1u\x1b[>5u\x1b[<u", [">1u"]),
    ("\x1b[=3u\x1b[=4;2u\x1b[=1;3u", ["=6u"]),
    ("\x1b[>1u\x1b[?1049h\x1b[>5u", [">1u", "?1049h", ">5u"]),
    ("\x1b[?1049h\x1b[>5u\x1b[?1049l", []),
    ("\x1b[>4;2m", [">4;2m"]),
    ("\x1b[>4;2m\x1b[>4m", []),
    ("\x1b[>4;2m\x1b[>1;3m\x1b[>m", []),
    ("\x1b[>1u\x1b[>4;2m\x1bc", []),
]


@tabled(("written", "sent"), KEYS)
def test_a_late_viewer_gets_the_keyboard_protocol_of_the_program(written, sent):
    screen = Screen(8, 3)
    screen.feed(written.encode())
    shown = screen.redraw().decode()
    assert [word for word in re.findall(r"\x1b\[([<=>?][0-9;]*[um]|\?1049h)", shown) if word != "?1049l"] == sent
    assert seen(redrawn(screen))[4:6] == seen(screen)[4:6]


def test_a_late_viewer_gets_the_title():
    screen = Screen(8, 3)
    screen.feed("\x1b]0;✳ planner\x07".encode())
    assert redrawn(screen).title == "✳ planner"

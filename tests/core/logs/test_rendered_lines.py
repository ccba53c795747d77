"""An agent's lines in a log, made readable by whoever knows them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.logs.display import RenderedLines, RunDisplay, begins_inside_a_line, readable_lines
from overmind_core.logs.layout import ERR, OUT
from overmind_core.logs.transcript import LogSelection, Transcript
from tests.kit.log_files import LogFiles


class Counted:
    """Shows each line with its number; a line `-` shows as nothing, `a|b` as two."""

    def __init__(self) -> None:
        self._number = 0

    def feed(self, line: bytes) -> list[str]:
        self._number += 1
        text = line.decode("utf-8", "replace")
        return [] if text == "-" else [f"{self._number} {part}" for part in text.split("|")]


def rendered(data, size=1 << 20, **options):
    reading = RenderedLines(Counted(), **options)
    found = []
    for at in range(0, len(data), size):
        found += reading.feed(data[at : at + size])
    return found + reading.flush()


@given(st.lists(st.sampled_from([b"a", b"-", b"a|b", b"", b"\xff"])), st.integers(1, 7), st.booleans())
def test_the_lines_do_not_depend_on_where_the_bytes_are_cut(lines, size, ended):
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    assert rendered(data, size) == rendered(data)


def test_what_a_line_holds_is_harmless():
    assert rendered(b"a\x1b]0;title\x07\x1b[31mred\x07|b\x1b[5m\n") == ["1 ared", "1 b"]
    assert rendered(b"\x1b[31mred\n", colour=True) == ["1 \x1b[31mred\x1b[0m"]


def test_a_line_that_turns_the_screen_has_no_effect_on_the_next():
    assert rendered(b"\x1b[?1049hvim\nnext\n")[-1] == "2 next"


def test_a_line_whose_beginning_is_not_there_is_left_out():
    assert rendered(b'of it"}\nwhole\n', cut=True) == ["1 whole"]


def test_bytes_alone_are_read_by_whoever_knows_them_or_as_plain_ones():
    assert readable_lines(b'of it"}\na|b\nlast', Counted(), cut=True) == ["1 a", "1 b", "2 last"]
    assert readable_lines(b"of it\n\x1b[31mred\x07", None, cut=True) == ["of it", "red"]
    assert readable_lines(b"", None) == readable_lines(b"", Counted()) == []


def test_half_a_line_is_partial_and_shows_nothing():
    reading = RenderedLines(Counted())
    assert reading.feed(b"half") == []
    assert (reading.partial, reading.pending, reading.partial_line) == (True, True, "")
    assert reading.feed(b" whole\n") == ["1 half whole"]
    assert (reading.partial, reading.pending) == (False, False)


def test_a_huge_line_is_kept_in_pieces_until_it_ends():
    reading = RenderedLines(Counted())
    for _ in range(100):
        assert reading.feed(b"x" * 100_000) == []
    (line,) = reading.feed(b"\n")
    assert len(line) == len("1 ") + 10_000_000


def test_a_line_that_never_ends_is_shown_in_the_end(monkeypatch):
    monkeypatch.setattr("overmind_core.logs.display.LONGEST", 1000)
    reading = RenderedLines(Counted())
    assert reading.feed(b"x" * 999) == []
    assert reading.feed(b"xx") == ["1 " + "x" * 1001]


def test_standard_error_stays_as_it_is():
    display = RunDisplay(rendered=RenderedLines(Counted()))
    out = list(display.feed((1.0, OUT, 0, b"a\n")))
    err = list(display.feed((2.0, ERR, 0, b"b\n")))
    assert [*out, *err] == [(1.0, OUT, "1 a"), (2.0, ERR, "b")]


def test_a_line_behind_one_that_shows_as_nothing_has_its_own_time():
    display = RunDisplay(rendered=RenderedLines(Counted()))
    chunks = [(1.0, OUT, 0, b"-\n"), (5.0, OUT, 2, b"a\n")]
    assert [line for chunk in chunks for line in display.feed(chunk)] == [(5.0, OUT, "2 a")]


def test_an_annotation_waits_for_the_end_of_the_line_that_it_stands_in():
    display = RunDisplay([(0.0, (3, 0), "note")], rendered=RenderedLines(Counted()))
    assert [text for _, _, text in display.feed((1.0, OUT, 0, b"ab\ncd\n"))] == ["1 ab", "note", "2 cd"]
    display = RunDisplay([(0.0, (4, 0), "note")], rendered=RenderedLines(Counted()))
    assert [text for _, _, text in display.feed((1.0, OUT, 0, b"ab\ncd\n"))] == ["1 ab", "2 cd", "note"]


def transcript(files, *, whose="counted", renderers=lambda name: Counted() if name == "counted" else None, **wanted):
    run = {"number": 1, "path": files.path, "tty": False, "format": whose, "out": files.ends[OUT], "err": 0}
    described = {"id": "a1b2c3d4", "name": "api", "status": "stopped", "exit_code": 0}
    described |= {"runs": [run], "annotations": []}
    return Transcript(described, LogSelection(renderers=renderers, **wanted))


@pytest.fixture
def files(tmp_path):
    written = LogFiles(tmp_path / "000001")
    for number in range(60):
        written.out(b"-\n-\n-\n" + f"line {number}|more\n".encode(), wall=float(number))
    return written


def texts(shown):
    return [text.partition(" ")[2] for _, _, text in shown.begin(follow=False)]


@pytest.mark.parametrize("tail", [1, 2, 3, 50, 119, 120, 500])
def test_a_tail_counts_the_lines_that_are_shown(files, tail):
    assert texts(transcript(files, tail=tail)) == texts(transcript(files))[-tail:]


def test_a_moment_is_where_its_lines_begin(files):
    assert texts(transcript(files, since=58.0)) == ["line 58", "more", "line 59", "more"]


@pytest.mark.parametrize("whose", [None, "unknown"])
def test_lines_that_nobody_knows_are_plain(files, whose):
    assert [text for _, _, text in transcript(files, whose=whose, tail=1).begin(follow=False)] == ["line 59|more"]


def test_without_anybody_who_knows_them_lines_are_plain(files):
    assert [text for _, _, text in transcript(files, renderers=None, tail=1).begin(follow=False)] == ["line 59|more"]


PLACES = [(0, False), (1, True), (2, True), (3, False), (4, True)]


@pytest.mark.parametrize(("offset", "inside"), PLACES)
def test_a_place_in_the_middle_of_a_line_is_known(tmp_path, offset, inside):
    files = LogFiles(tmp_path / "000001")
    files.out(b"ab\ncd\n")
    log = transcript(files).runs[0]["path"]
    from overmind_core.logs.reader import RunLog

    assert begins_inside_a_line(RunLog(log), OUT, offset) == inside


def test_after_retention_the_first_line_may_have_lost_its_beginning(tmp_path):
    files = LogFiles(tmp_path / "000001", segment=4)
    for piece in (b"abc", b"def\n", b"gh\n"):
        files.out(piece)
    files.drop(OUT, 1)
    assert texts(transcript(files))[-1:] in (["gh"], [])

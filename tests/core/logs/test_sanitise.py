"""What an agent wrote, as lines for a person."""

from __future__ import annotations

import re
import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.logs.sanitise import Sanitiser, size_text


def lines(*pieces: bytes, colour: bool = False) -> list[str]:
    sanitiser = Sanitiser(colour=colour)
    return [line for piece in pieces for line in sanitiser.feed(piece)] + sanitiser.flush()


SHOWN = [
    ("no newline", b"abc", ["abc"]),
    ("two lines", b"a\nb\n", ["a", "b"]),
    ("a terminal's newlines", b"a\r\nb\r\n", ["a", "b"]),
    ("an empty line", b"a\n\nb\n", ["a", "", "b"]),
    ("one return too many", b"a\r\r\nb", ["a", "b"]),
    ("a progress bar", b"10%\r20%\r100%\r\n", ["100%"]),
    ("the last state keeps a longer one's tail", b"abcdef\rxy\n", ["xycdef"]),
    ("blanks that hide old text", b"downloading\r           \rdone\n", ["done"]),
    ("erase to the end", b"12345\r\x1b[K9\n", ["9"]),
    ("erase to the left", b"12345\x1b[3D\x1b[1KX\n", ["  X45"]),
    ("erase all, from the first column", b"12345\x1b[2K\x1b[1Gab\n", ["ab"]),
    ("to a column and to the right", b"12345\x1b[2GX\x1b[1CY\n", ["1X3Y5"]),
    ("delete and insert", b"abcdef\r\x1b[2Pxy\x1b[2@-\n", ["xy- ef"]),
    ("erase cells", b"abcdef\r\x1b[3X\n", ["   def"]),
    ("backspaces", b"cats\b\b\b\bdog\n", ["dogs"]),
    ("a backspace too many", b"\b\bab\b\b\bX\n", ["Xb"]),
    ("a tab", b"a\tb\n", ["a\tb"]),
    ("a tab that is written over", b"a\tb\rX\n", ["X       b"]),
    ("wide characters written over", "日本\rx\n".encode(), ["x 本"]),
    ("a family written over", "👨\u200d👩\u200d👧abc\rxyz\n".encode(), ["xyzbc"]),
    ("a family that writes over", "abcdef\r👨\u200d👩\u200d👧\n".encode(), ["👨\u200d👩\u200d👧cdef"]),
    ("a flag, a tone and a heart", "🇩🇪👍🏽❤\ufe0fabc\r123456x\n".encode(), ["123456xbc"]),
    ("a heart that gets its look later", "abcd\r❤\x1b[m\ufe0fx\n".encode(), ["❤\ufe0fxd"]),
    ("half a heart", "❤\ufe0fbc\r\x1b[CX\n".encode(), [" Xbc"]),
    ("a mark after a return", "abc\re\u0301\n".encode(), ["e\u0301bc"]),
    ("a title", b"\x1b]0;title\x07text\n", ["text"]),
    ("a title that ends otherwise", b"\x1b]2;title\x1b\\text\n", ["text"]),
    ("a link", b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", ["link"]),
    ("a title without end", b"\x1b]0;title\ntext\n", ["", "text"]),
    ("an image", b"a\x1bPq#0;2;0~~@@vv\x1b\\b\n", ["ab"]),
    ("cursor and keyboard modes", b"\x1b[?25l\x1b[>1u\x1b[?2004hx\x1b[?25h\n", ["x"]),
    ("character sets", b"\x1b(0lqqk\x1b(B\n", ["lqqk"]),
    ("a clear screen", b"prompt\x1b[H\x1b[2Jtext\n", ["prompt", "text"]),
    ("lines drawn again", b"1%\n\x1b[1A\x1b[2K2%\n", ["1%", "2%"]),
    ("bell, NUL and other controls", b"a\x00b\x07c\x0bd\x0ce\x7ff\x1ag\n", ["abcdefg"]),
    ("C1 controls", "a\x9b31mb\x85c\n".encode(), ["a31mbc"]),
    ("reading direction", "a\u202eb\u2066c\u200f\n".encode(), ["abc"]),
    ("no UTF-8", b"\xff\xfe \xc3\n", ["\ufffd\ufffd \ufffd"]),
    ("a character that an escape cuts", b"\xe2\x82\x1b[m\xac\n", ["\ufffd\ufffd"]),
    ("half an escape at the end", b"abc\x1b[31", ["abc"]),
    ("escapes of escapes", b"\x1b\x1b\x1b[mx\n", ["x"]),
    ("full screen", b"a\x1b[?1049h" + b"x" * 1_200_000 + b"\x1b[?1049lb\n", ["a", "[full-screen output, 1.2 MB]", "b"]),
    ("full screen, older", b"\x1b[?47hxy\r\n\x1b[?47l", ["[full-screen output, 16 B]"]),
    ("full screen among other modes", b"\x1b[?1;1047hxy\x1b[?25l\x1b[?1047;1l", ["[full-screen output, 28 B]"]),
    ("full screen without end", b"\x1b[?1049habc", ["[full-screen output, 11 B]"]),
    ("a reset ends full screen", b"\x1b[?1049habc\x1bcx", ["[full-screen output, 13 B]", "x"]),
]

COLOURED = [
    ("kept", b"\x1b[31mred\x1b[0m plain\n", ["\x1b[31mred\x1b[0m plain"]),
    ("closed and opened at line ends", b"\x1b[1;31ma\n\nb\x1b[mc\n", ["\x1b[1;31ma\x1b[0m", "", "\x1b[1;31mb\x1b[0mc"]),
    ("closed at the end", b"\x1b[32mgreen", ["\x1b[32mgreen\x1b[0m"]),
    ("replaced", b"\x1b[31ma\x1b[32mb\x1b[39mc\n", ["\x1b[31ma\x1b[0m\x1b[32mb\x1b[0mc"]),
    ("of 256", b"\x1b[38;5;200mx\x1b[m\n", ["\x1b[38;5;200mx\x1b[0m"]),
    ("true", b"\x1b[48;2;1;2;3mx\x1b[0;1my\n", ["\x1b[48;2;1;2;3mx\x1b[0m\x1b[1my\x1b[0m"]),
    ("with colons", b"\x1b[4:3;38:2::1:2:3mx\n", ["\x1b[4:3;38:2::1:2:3mx\x1b[0m"]),
    ("written over", b"\x1b[31mabc\x1b[m\rX\n", ["X\x1b[31mbc\x1b[0m"]),
    ("cut short", b"\x1b[38;5mx\x1b[38;2;1my\n", ["xy"]),
    ("never concealing", b"\x1b[8msecret\n", ["secret"]),
    ("no keyboard modes", b"\x1b[>4;2mx\n", ["x"]),
]


@pytest.mark.parametrize(("case", "data", "expected"), SHOWN, ids=[case for case, *_ in SHOWN])
def test_bytes_are_shown_as_a_person_would_see_them(case: str, data: bytes, expected: list[str]) -> None:
    assert lines(data) == expected


@pytest.mark.parametrize(("case", "data", "expected"), COLOURED, ids=[case for case, *_ in COLOURED])
def test_colours_are_kept_within_their_lines(case: str, data: bytes, expected: list[str]) -> None:
    assert lines(data, colour=True) == expected


@pytest.mark.parametrize(("case", "data", "expected"), SHOWN + COLOURED)
def test_where_the_bytes_are_cut_changes_nothing(case: str, data: bytes, expected: list[str]) -> None:
    data = data[:200] + data[-200:]
    for colour in (False, True):
        whole = lines(data, colour=colour)
        assert lines(*(data[at : at + 1] for at in range(len(data))), colour=colour) == whole


FRAGMENTS = [
    "a", "bcd", "\n", "\r", "\r\n", "\b", "\t", "日", "e\u0301", "\u0301", "🎉", "31m", ";", "?",
    "👩\u200d👧", "\u200d", "❤", "\ufe0f", "🇩", "🏽",
    "\x1b", "\x1b[", "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[3G", "\x1b[2D", "\x1b[2C", "\x1b[2P", "\x1b[2@", "\x1b[2X",
    "\x1b[J", "\x1b[H", "\x1b[31m", "\x1b[0m", "\x1b[1;44m", "\x1b[38;5;9m", "\x1bc", "\x1b(B",
    "\x1b]0;", "\x07", "\x1b\\", "\x1bP", "\x18", "\x1b[?1049h", "\x1b[?1049l", "\x00", "\x9b", "\u202e",
]  # fmt: skip

DATA = st.one_of(
    st.binary(max_size=80),
    st.lists(st.one_of(st.sampled_from([text.encode() for text in FRAGMENTS]), st.binary(max_size=3)), max_size=40).map(
        b"".join
    ),
)


@given(DATA, st.lists(st.integers(min_value=0, max_value=100)), st.booleans())
def test_any_bytes_cut_anywhere_give_the_same_lines(data: bytes, cuts: list[int], colour: bool) -> None:  # noqa: FBT001
    borders = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(borders)]
    assert lines(*pieces, colour=colour) == lines(data, colour=colour)


@given(DATA, st.booleans())
def test_no_byte_reaches_the_terminal_raw_but_colour(data: bytes, colour: bool) -> None:  # noqa: FBT001
    for line in lines(data, colour=colour):
        text = re.sub(r"\x1b\[[0-9;:]+m", "", line) if colour else line
        assert not {unicodedata.category(character) for character in text.replace("\t", "")} & {"Cc", "Cs"}
        assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
        assert line.count("\x1b") == 0 or line.endswith("\x1b[0m") or line.rpartition("\x1b[0m")[2].count("\x1b") == 0


COSTLY = [
    ("one line", b"z" * 2_000_000),
    ("one coloured line", b"\x1b[31mab\x1b[0mcd" * 100_000),
    ("returns on a long line", b"x" * 4000 + b"\rab" * 100_000),
    ("backspaces on a long line", b"x" * 4000 + b"/\b" * 100_000),
    ("far columns", b"\x1b[2K\x1b[4000Gx" * 10_000),
    ("insertions", b"x" * 4000 + b"\r" + b"\x1b[@" * 50_000),
    ("marks on one letter", b"a\rb" + "\u0301\x1b[m".encode() * 50_000),
    ("escapes", b"\x1b" * 200_000),
    ("beginnings of sequences", b"\x1b[" * 200_000),
    ("endless parameters", b"\x1b[" + b"1;" * 500_000),
    ("titles", b"\x1b]" * 200_000),
    ("screens", b"\x1b[?1049h\x1b[?1049l" * 20_000),
]


@pytest.mark.parametrize(("case", "data"), COSTLY, ids=[case for case, _ in COSTLY])
def test_no_bytes_take_more_than_linear_time(case: str, data: bytes) -> None:
    def seconds(data: bytes) -> float:
        sanitiser = Sanitiser(colour=True)
        start = time.process_time()
        for at in range(0, len(data), 65_536):
            sanitiser.feed(data[at : at + 65_536])
        sanitiser.flush()
        return time.process_time() - start

    assert seconds(data) < 6.0


def test_a_line_of_ten_megabytes_is_one_line() -> None:
    (line,) = lines(*[b"0123456789" * 6553] * 153, b"\n")
    assert len(line) == 65_530 * 153


def test_memory_stays_flat_under_a_progress_bar_that_never_ends() -> None:
    sanitiser = Sanitiser()
    for _ in range(1000):
        sanitiser.feed(b"\r 50% [#####     ]" * 100)
    assert sanitiser.flush() == [" 50% [#####     ]"]


SIZES = [
    (0, "0 B"),
    (999, "999 B"),
    (1000, "1.0 KB"),
    (1_200_000, "1.2 MB"),
    (999_960, "1.0 MB"),
    (5 * 10**12, "5.0 TB"),
]


@pytest.mark.parametrize(("count", "expected"), SIZES)
def test_a_size_is_short(count: int, expected: str) -> None:
    assert size_text(count) == expected


def test_a_full_screen_span_that_goes_on_says_how_much_it_was_so_far() -> None:
    sanitiser = Sanitiser()
    assert sanitiser.feed(b"before\n\x1b[?1049h" + b"x" * 992) == ["before"]
    assert sanitiser.partial_line == "[full-screen output, 1.0 KB]"
    later = Sanitiser(full_screen=1000)
    later.feed(b"x" * 1000)
    assert later.partial_line == "[full-screen output, 2.0 KB]"

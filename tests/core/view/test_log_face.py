"""The log in the panel: minutes where they change, hanging indents, and the tone of each kind of line."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.domain.text.cells import width
from overmind_core.logs.display import NOTE
from overmind_core.logs.layout import ERR, OUT
from overmind_core.view import log_face
from overmind_core.view.cells import TextStyle
from overmind_core.view.log_face import LogLook, rows, tail
from tests.kit.cases import tabled
from tests.kit.screen_panel import ASKS_LOG, CHOICE_LOG, DEMO_LOG, NOW, ZONE, mission
from tests.kit.screen_pictures import texts


def look(cells=80, **more):
    return LogLook(cells, ZONE, is_agent=True, **more)


ASKED = {"asks": ASKS_LOG, "answer": ASKS_LOG, "needs": ASKS_LOG, "choice": CHOICE_LOG, "demo": DEMO_LOG}


def tone_of(text, stream=OUT, **more):
    (row, *_) = rows([(NOW, stream, text)], 0, look(**more))
    return row[-1].tone


TONES = [
    ("⚙ Bash: pytest → ok, 2.1 s", OUT, "quiet"), ("plain", OUT, ""), ("plain", ERR, ""),
    ("[human] do it", NOTE, "news"), ("--- restart #2 at 12:00 ---", NOTE, "quiet"),
    ("✗ api_error 529: overloaded", OUT, "bad"), ("— 3 turns, 41 s —", OUT, "faint"),
    ("… overloaded 529: try 1 of 10 in 2.0 s", OUT, "slow"), ("\x1b[1;31mred\x1b[0m", OUT, "own bold text=1"),
]  # fmt: skip


@tabled(("text", "stream", "tone"), TONES)
def test_each_kind_of_line_has_its_tone(text, stream, tone):
    assert tone_of(text, stream) == tone


def test_you_and_what_you_said_are_bold_in_the_colour_of_a_text():
    (row,) = rows([(NOW, NOTE, "[human] do it")], 0, look())
    assert [(cell.text, cell.tone) for cell in row[1:]] == [("you  ", "news"), ("do it", "news")]


def test_a_programs_lines_are_its_own():
    shown = rows([(NOW, OUT, "? permission: no")], 0, LogLook(80, ZONE))
    assert texts(shown) == [" 14:35  ? permission: no"]


def test_only_questions_that_are_open_have_the_colour_of_one_who_waits():
    log = [(NOW, OUT, "? permission: Bash: a"), (NOW, OUT, "? permission: Bash: b")]
    assert [row[-1].tone for row in tail(log, 9, look(asked=1))] == ["quiet", "wait"]
    assert [row[-1].tone for row in tail(log, 9, look())] == ["quiet", "quiet"]


def test_a_message_of_several_lines_is_one():
    log = [(NOW, NOTE, "[human] one"), (NOW, NOTE, "two"), (NOW, NOTE, "--- preparing ---")]
    assert texts(tail(log, 9, look())) == [" 14:35  you  one", "             two", "        --- preparing ---"]


def test_times_of_all_lines_with_seconds():
    log = [(NOW, OUT, "a"), (NOW + 1, OUT, "b"), (0.0, OUT, "c")]
    assert texts(tail(log, 9, look(times=True))) == [" 14:35:00  a", " 14:35:01  b", "           c"]


def test_lines_that_are_cut_begin_at_a_cell():
    log = [(NOW, OUT, "0123456789" * 9)]
    assert texts(tail(log, 9, look(20, offset=12))) == [" 14:35  2345678901…"]


def test_a_rule_goes_through():
    assert texts(rows([(NOW, NOTE, "── new since 14:02 ──")], 0, look(40))) == ["── new since 14:02 ──" + "─" * 18]


def test_a_rule_of_one_of_several_missions_begins_where_other_lines_do():
    log = [(NOW, OUT, "\x1b[36mapi │\x1b[0m line"), (NOW, NOTE, "\x1b[36mapi │\x1b[0m ── new since 14:02 ──")]
    assert texts(tail(log, 9, look(40))) == [" 14:35  api │ line", "        api │ ── new since 14:02 ──" + "─" * 4]
    assert texts(tail(log, 9, look(40, times=True)))[1].startswith(" " * 11 + "api │ ── new")


def test_scrolling_shows_older_rows_down_to_the_first():
    log = [(NOW, OUT, str(number)) for number in range(9)]
    assert [row[-1] for row in texts(tail(log, 3, look(), above=2))] == ["4", "5", "6"]
    assert [row[-1] for row in texts(tail(log, 3, look(), above=99))] == ["0", "1", "2"]


def test_an_empty_log_says_so():
    assert log_face.nothing(mission("a"))[0].text == " has written nothing yet"
    assert log_face.nothing(mission("a", status="stopped"))[0].text == " has written nothing"


@example(["\t\t⚙ "], 24)
@given(st.lists(st.text(st.sampled_from("ab 日⚙\t"), max_size=60), max_size=6), st.integers(24, 90))
def test_no_row_is_wider_than_the_panel_and_nothing_is_lost(said, cells):
    log = [(NOW, OUT, text) for text in said]
    found = texts(tail(log, 999, look(cells)))
    assert all(width(row) <= cells for row in found)
    shown = "".join(row[8:] for row in found).replace(" ", "")
    assert shown == "".join(said).replace(" ", "").replace("\t", "")


COLOURS = st.none() | st.integers(0, 255) | st.just("#102030")


@given(st.lists(st.sampled_from(["bold", "dim", "reverse"]), unique=True), COLOURS, COLOURS)
def test_a_look_as_a_tone_comes_back(attributes, text, ground):
    one = TextStyle(tuple(attributes), text, ground)
    tone = log_face.tone_of(one)
    assert (log_face.look_of(tone) or TextStyle()) == one
    assert log_face.look_of("wait bold") is None

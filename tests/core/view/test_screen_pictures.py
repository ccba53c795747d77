"""The pictures of the main screen, every cell of which the parts in `view/` make of fixed facts and a fixed clock.

After a change that is wanted, write the pictures anew, and look at what changed:

    pytest tests/core/view/test_screen_pictures.py --update-goldens
"""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from overmind_core.domain.missions.status_marks import WAITING, YOUR_TURN
from overmind_core.view import tones
from tests.kit.screen_frame import ASKED, NAMES, cells_of, frame
from tests.kit.screen_pictures import PATH, SIZES, pictures

HEAD = """\
The pictures of the main screen: every cell, blanks at the ends of lines left out, facts made up.
Size 80x24, 120x40, 200x60. A heading is `## name, size`. The cursor's row has a `▌` at its left.
first: nothing there · demo: the demonstration after 11 s · day: 12 live, 3 need you, 32 ended and folded
calm: nobody needs you · asks: the cursor on one that asks, keys in the list · answer: keys in its question
choice: a question with options · log, diff, terminal, stats: the faces · typing: into its terminal
needs: `!` · help: `?` · new: `n` with a text
"""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_what_the_parts_draw(request, name, size):
    if request.config.getoption("--update-goldens"):
        _write()
    assert frame(name, *size) == list(pictures()[name, size])


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", NAMES)
def test_orange_is_in_no_cell_but_of_who_needs_a_person_their_question_and_the_header(name, size):
    """Acceptance 14; and in the words of marks, which have the colours of the list."""
    found = {
        (y, cell.text.strip()) for y, line in enumerate(cells_of(name, *size)) for cell in line if _is_orange(cell)
    }
    calls = {(y, text) for y, text in found if text in {WAITING.mark, YOUR_TURN.mark}}
    lines = frame(name, *size)
    rows = {y for y, line in enumerate(lines) if re.match(r"[▌ ][ •][!❯] \S.{10,25} (asks|your turn) ", line)}
    legend = {y for y, line in enumerate(lines) if line.startswith(" ! asks you   ❯ your turn")}
    for y, text in found - calls:
        in_header = y == 0 and text.endswith(("need you", "needs you"))
        in_row = y in rows and text in {"asks", "your turn"}
        in_question = name in ASKED and (text.endswith("?") or text.startswith("asks: "))
        assert in_header or in_row or in_question, (y, text)
    asked = {y for y, text in found if name in ASKED and text.startswith("asks: ")}
    assert {y for y, _ in calls} <= rows | legend | asked
    assert bool(found) is (name not in {"first", "calm", "typing"})


CALLS = {
    r"[\d,]+ needs? you": "the header",
    r"[!❯_]|asks|your turn": "the row of one that asks, or whose answer nobody has read; its mark in the help",
    r"\?|review": "a quest, a phase or a card that a person reviews; its mark in the help of their views",
    r"[━=]+": "the bar of an agent of a plan that asks",
    r"[!❯_] (asks|your turn) for .+": "the head of its description",
    r"! asks: .+": "its question in the log",
    r"send it: .+": "the question about a silent one in the view of health",
    r"\S.* \S+\?": "the sentence of an agent's question",
    r"(carts: |login: )?tasks passed with .+": "that of a gate",
    r"deploy has failed: .+": "that of a quest which is stuck",
    r"Hive gpu2 is silent\. .+|wait for it": "that of the swarm, which may take two lines",
}
"""Texts that are orange in pictures of any view → the place where a person is needed."""
_TEXT = re.compile(r'<text class="terminal-(r\d+)" [^>]*>([^<]*)</text>')


def _orange_texts(picture):
    """The texts of an accepted picture that have the colour of a call, in a theme whose colours are known."""
    drawn = picture.read_text("utf-8")
    looks = {name for theme in (tones.DARK, tones.LIGHT)
             for name in re.findall(rf"\.terminal-(r\d+) {{ fill: {theme.colours['wait']}", drawn)}  # fmt: skip
    texts = (html.unescape(text).strip() for name, text in _TEXT.findall(drawn) if name in looks)
    return {text.replace("\N{NO-BREAK SPACE}", " ") for text in texts if text}


def test_no_picture_of_any_view_has_orange_where_no_person_is_needed():
    found = {text: picture.name for picture in Path(PATH).parent.rglob("*.svg") for text in _orange_texts(picture)}
    places = {text: [one for one in CALLS if re.fullmatch(one, text)] for text in found}
    assert {text: found[text] for text, known in places.items() if not known} == {}
    assert {one for known in places.values() for one in known} == set(CALLS)


SHARES = {(80, 24): 0.12, (120, 40): 0.08}


@pytest.mark.parametrize("size", SHARES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_little_of_what_is_written_on_a_working_day_has_a_colour(size):
    drawn = [(cell, len("".join(cell.text.split()))) for line in cells_of("day", *size) for cell in line]
    coloured = sum(count for cell, count in drawn if _colours(cell) & COLOURED)
    assert 0 < coloured <= SHARES[size] * sum(count for _, count in drawn)


COLOURED = {*tones.STATES, "accent", "graph"} - {"off"}


def _colours(cell):
    look = tones.look(cell.tone)
    return {look.colour, look.ground}


def _is_orange(cell):
    return "wait" in _colours(cell) and bool(cell.text.strip())


def _write():
    drawn = (("\n".join(frame(name, *size)), name, size) for name in NAMES for size in SIZES)
    text = "".join(f"\n## {name}, {size[0]}x{size[1]}\n{lines}\n" for lines, name, size in drawn)
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(HEAD + text)
    pictures.cache_clear()

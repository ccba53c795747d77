"""The pictures of the main screen, every cell of which the parts in `view/` make of fixed facts and a fixed clock.

After a change that is wanted, write the pictures anew, and look at what changed:

    pytest tests/core/view/test_screen_pictures.py --update-goldens
"""

from __future__ import annotations

import pytest

from tests.kit.screen_frame import NAMES, frame
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


def _write():
    drawn = (("\n".join(frame(name, *size)), name, size) for name in NAMES for size in SIZES)
    text = "".join(f"\n## {name}, {size[0]}x{size[1]}\n{lines}\n" for lines, name, size in drawn)
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(HEAD + text)
    pictures.cache_clear()

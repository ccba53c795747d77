"""The marks of states in `docs/tui.md` are those of the program: each with its glyph, its ASCII and its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from overmind_core.domain.missions import status_marks
from overmind_core.domain.missions.status_marks import MARKS, StatusMark

PAGE = Path(__file__).parents[2] / "docs" / "tui.md"
HEAD = "| mark | ASCII | state |"
OF_STATES = 5
"""So many tables are of states; the last one is of notes."""
ALSO = {"on the critical path"}
"""Said of an agent beside its state."""

Marks = dict[tuple[str, str], set[str]]
"""(mark, ASCII) → words."""


def read(table: str) -> Marks:
    rows: Marks = {}
    for line in table.strip().splitlines()[2:]:
        fields = [field.strip().strip("`") for field in line.strip()[1:-1].split("|")]
        for mark, ascii_, text in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
            if mark:
                words = text.partition(":")[0].split(", ")
                rows.setdefault((mark, ascii_), set()).update(words)
    return rows


TABLES = [read(part) for part in PAGE.read_text(encoding="utf-8").split("\n\n") if part.startswith(HEAD)]


def of(marks: list[StatusMark] | tuple[StatusMark, ...]) -> Marks:
    rows: Marks = {}
    for one in marks:
        rows.setdefault((one.mark, one.ascii), set()).add(one.word)
    return rows


def test_the_first_table_has_every_state_of_a_mission_and_no_other():
    assert TABLES[0] == of(MARKS)


@pytest.mark.parametrize("number", range(OF_STATES))
def test_what_a_table_says_of_a_mark_the_program_shows_with_it(number):
    known = of([one for one in vars(status_marks).values() if isinstance(one, StatusMark)])
    wrong = {mark: words - known.get(mark, set()) - ALSO for mark, words in TABLES[number].items()}
    assert TABLES[number]
    assert {mark: words for mark, words in wrong.items() if words} == {}

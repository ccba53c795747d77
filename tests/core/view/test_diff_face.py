"""Changes in the panel: files with their numbers, and their diffs."""

from __future__ import annotations

from overmind_core.view import landing, numbers
from overmind_core.view.diff import WORDS, File, heading, of_api
from overmind_core.view.diff_face import lines, total
from tests.kit.cases import tabled
from tests.kit.screen_panel import API_CHANGES, CHANGED, CHANGES, changes
from tests.kit.screen_pictures import texts

COUNTED = [(120, 14, "+120 -14"), (24, 0, "+24"), (0, 2, "-2"), (None, None, ""), (1046, 0, "+1,046")]


@tabled(("added", "removed", "shown"), COUNTED)
def test_lines_that_came_and_went(added, removed, shown):
    assert numbers.lines_changed(added, removed) == shown.replace("-", numbers.MINUS)


def test_a_file_has_the_same_tone_and_the_same_minus_wherever_it_is_listed():
    tones = {letter: File(letter, "a").tone for letter in WORDS}
    assert tones == {**dict.fromkeys("MRCT", "quiet"), **dict.fromkeys("A?", "good"), **dict.fromkeys("DU", "bad")}
    counted = f"+5 {numbers.MINUS}2"
    assert "".join(cell.text for cell in heading(File("M", "a", 5, 2))) == f" changed a  {counted}"
    _, line = landing.uncommitted([{"status": "M", "path": "a", "added": 5, "removed": 2}])
    assert ("".join(cell.text for cell in line), line[0].tone) == (f"  M a  {counted}", tones["M"])
    row = {"insertions": 5, "deletions": 2, "size_bytes": 900_000}
    cells = {column.key: column.cell(row, 0.0).text for column in landing.COLUMNS if column.key in {"lines", "size"}}
    assert cells == {"lines": counted, "size": "900 kB"}


def test_all_files_together():
    assert total(CHANGES) == f"3 files +46 {numbers.MINUS}8"
    assert total(API_CHANGES) == f"6 files +120 {numbers.MINUS}14"
    assert not total(changes([], "", "main"))


def test_changes_that_anybody_may_have_made_are_said_to_be_in_the_folder():
    note = "Its folder is shared: this is all that is not committed there."
    found = of_api({**CHANGED, "base": "HEAD", "note": note})
    assert total(found) == f"3 files +46 {numbers.MINUS}8 in the folder"
    nothing = of_api({**CHANGED, "base": "HEAD", "files": [], "diff": ""})
    assert texts(lines(nothing, 80, 9)) == [" no uncommitted changes"], "it may have committed some"


def test_nothing_is_said_in_words():
    assert texts(lines(changes([], "", "main"), 80, 9)) == [" no changes"]


KINDS = [("?", "a", None, " a  new"), ("D", "a", None, " a  deleted"), ("R", "b", "a", " a → b  renamed"),
         ("M", "\x1b[2Ja", None, " \\x1b[2Ja")]  # fmt: skip


@tabled(("letter", "path", "old_path", "shown"), KINDS)
def test_a_file_without_a_diff_has_its_line(letter, path, old_path, shown):
    file = {"status": letter, "path": path, "added": None, "removed": None, "old_path": old_path}
    found = of_api({"branch": "main", "files": [file], "diff": "", "cut": "more than 1 MB"})
    assert texts(lines(found, 80, 9)) == [shown, " cut off: more than 1 MB"]


def test_scrolling_and_the_end():
    whole = texts(lines(CHANGES, 80, 99))
    assert texts(lines(CHANGES, 80, 5, top=7)) == whole[7:12]
    assert lines(CHANGES, 80, 5, top=99) == []


def test_lines_that_came_and_went_have_their_tones():
    tones = {line[1].text: line[1].tone for line in lines(CHANGES, 80, 12) if len(line) == 3}
    assert (tones["+ "], tones["- "], tones["  "]) == ("add", "cut", "quiet")

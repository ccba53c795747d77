"""Notes in the full-screen program: what a row says, and what a mission was given."""

from __future__ import annotations

from overmind_core.domain.text.cells import width
from overmind_core.errors import OvermindError
from overmind_core.view import describe, mission_notes
from overmind_core.view import notes as notes_rows
from overmind_core.view.describe import Rendering
from tests.kit.cases import tabled
from tests.tui.noted import ADA, FOUND, GIVEN, LISTED, NOTES, WHOLE, note
from tests.tui.test_pictures import NOW
from tests.tui.test_pictures_starting import AGENT
from tests.tui.walks import read


def cells(row):
    return {column.key: column.cell(row, NOW).text for column in notes_rows.COLUMNS}


# rows


def test_a_row_says_how_its_note_stands_beside_its_mark_and_what_is_given_to_nobody_is_faded():
    rows = notes_rows.listed({"notes": NOTES})
    assert [cells(row)["state"] for row in rows] == [
        "◇ proposed", "◆ pinned", "⇄ conflict", "• live", "• rests", "• stale", "– forgotten",
    ]  # fmt: skip
    notes_rows.draw_marks(rows, ascii_only=True)
    assert [cells(row)["state"][0] for row in rows] == ["?", "^", "%", "*", "*", "*", "-"]
    assert [notes_rows.is_faded(row) for row in rows] == [False] * 4 + [True] * 3
    kept = notes_rows.listed({"notes": [note(8, "x", pinned=True, stale=True)]})
    assert cells(kept[0])["state"] == "◆ stale"
    assert {key: cells(rows[1])[key] for key in ("kind", "age", "votes", "scope", "author", "used", "tags", "files")} \
        == {"kind": "gotcha", "age": "21d", "votes": "+4 -0", "scope": "repo", "author": "ada", "used": "7",
            "tags": "redis tests", "files": "api/limits.py tests/**"}  # fmt: skip
    assert cells(rows[3])["votes"] == ""
    assert cells(rows[2])["age"] == "5d", "of the text that is shown"


def test_whatever_a_note_says_is_one_harmless_line_of_a_row():
    row = notes_rows.listed({"notes": NOTES})[0]
    for text in (*cells(row).values(), notes_rows.looked_in(row)):
        assert text.replace("\n", "").isprintable()
        assert width(text.replace("\n", "")) > 0 or not text
    assert cells(row)["text"].startswith("[red]R[/red] [/] \\x1b[2J\\x07 b\\u202eidi")
    assert cells(row)["author"] == "[b]planner"


def test_each_order_sorts_all_rows_and_what_a_person_is_to_decide_on_comes_first():
    rows = notes_rows.listed({"notes": NOTES})
    for order in notes_rows.ORDERS.values():
        assert len(sorted(order.key(row, NOW) for row in rows)) == len(rows)
    by = notes_rows.ORDERS["state"].key
    assert [cells(row)["state"][2:] for row in sorted(rows, key=lambda row: by(row, NOW))] == [
        "conflict", "proposed", "pinned", "live", "rests", "stale", "forgotten",
    ]  # fmt: skip


def test_what_was_found_says_why_and_which_word_was_looked_for_instead():
    rows = notes_rows.found(FOUND)
    assert [notes_rows.why_found(row) for row in rows] == ["words, spelling (redsi: redis)", "words"]
    assert notes_rows.why_found(notes_rows.listed(LISTED)[0]) == ""


def test_all_about_a_note_has_its_history_and_names_what_stands_beside_it():
    text = read(notes_rows.description(WHOLE, Rendering(NOW)))
    assert text[:3] == [" N-0000000003 ⇄ conflict", "  Money is in cents, never in floats.", "  See docs/money.md"]
    assert "  conflict           edited in two places: an edit replaces the newest versions below" in text
    assert "  version            3 of 4" in text
    assert "  helped             2" in text
    heads = [line for line in text[text.index(" 4 versions") + 1 :] if line[4].isdigit()]
    assert [line.partition(":00  ")[2] for line in heads] == [
        "ada  live", "mission planner (claude)  live  beside the one that is shown", "ada  live, pinned",
        "ada  proposed",
    ]  # fmt: skip
    assert text[-1] == "       Money is in cents"
    assert text[-3] == "       (the same text)"
    uses = read(notes_rows.description(WHOLE, Rendering(NOW), {"00000002": "api"}))
    begin = uses.index(" given to 2 runs") + 1
    assert [line.partition(":00  ")[2] for line in uses[begin : begin + 2]] == [
        "00000002  run 3  api",
        "00000099  run 1",
    ]
    purged = {**NOTES[6], "state": "purged", "text": ""}
    assert "  (its text was purged)" in read(notes_rows.description(purged, Rendering(NOW)))
    replaces = {**NOTES[0], "proposed_for": NOTES[1]["id"], "used": 1, "used_at": None}
    text = read(notes_rows.description(replaces, Rendering(NOW, ascii_only=True)))
    assert text[0] == " N-0000000001 ? proposed"
    assert "  given              to 1 run" in text
    assert all(line.isprintable() for line in text)


# what a mission was given


def test_the_description_of_a_mission_says_what_it_was_given_and_wrote():
    assert " notes" not in read(describe.lines(AGENT, None, Rendering(NOW)))
    text = read(describe.lines({**AGENT, "notes": GIVEN}, None, Rendering(NOW)))
    begin = text.index(" notes")
    assert text[begin + 1] == "  given  3 notes, 812 tokens, 2 left out"
    assert text[begin + 2].startswith("    N-0000000002 gotcha   pinned     The rate limiter keeps")
    assert text[begin + 5] == "  wrote  2 notes"
    assert all(line.isprintable() for line in text)


NOTHING = {"inject": "auto", "given": [], "tokens": 0, "left_out": 0, "wrote": []}
SUMMARIES = [
    (NOTHING, "  given  nothing"),
    ({**NOTHING, "inject": "off"}, "  given  nothing: notes are off for it"),
    ({**NOTHING, "inject": "pinned"}, "  given  nothing, pinned ones only"),
    ({**NOTHING, "left_out": 1}, "  given  1 left out"),
    ({**GIVEN, "given": GIVEN["given"][:1], "left_out": 0}, "  given  1 note, 812 tokens"),
    (None, "  notes are given to agents, and to commands with run --memory"),
]


@tabled(("notes", "first"), SUMMARIES)
def test_what_was_given_is_summed_up(notes, first):
    assert read([mission_notes.lines(notes)[0].cells])[0] == first


def test_each_line_about_a_note_knows_its_id():
    assert notes_rows.written(OvermindError("memory_off"), ascii_only=False) is None, "their ids are enough"
    lines = mission_notes.lines(GIVEN, notes_rows.written({"notes": NOTES[:1]}, ascii_only=False))
    assert [line.note for line in lines] == [None, *(one["id"] for one in GIVEN["given"]), None, *GIVEN["wrote"]]
    assert read([mission_notes.lines(GIVEN)[6].cells, lines[6].cells]) == [
        "    N-0000000099", "    N-0000000099 purged",
    ]  # fmt: skip
    assert read([lines[5].cells])[0].startswith("    N-0000000001 ◇ proposed [red]R[/red] [/] \\x1b[2J")


def test_authors_are_never_blank():
    assert notes_rows.author(ADA) == "ada"
    assert notes_rows.author({**ADA, "person": None, "mission": "00000001"}) == "00000001"

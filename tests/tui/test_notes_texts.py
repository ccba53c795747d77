"""Whatever a note says, each line that the full-screen program draws of it is harmless. Pure."""

from __future__ import annotations

from unicodedata import category

from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.view import mission_notes
from overmind_core.view import notes as notes_rows
from overmind_core.view.describe import Rendering
from tests.kit.torture import examples
from tests.tui.noted import note, version
from tests.tui.test_pictures import NOW
from tests.tui.walks import read

MEAN = st.lists(
    st.sampled_from(
        [*"\r\n\v\f\x85\u2028\u2029\x1b\0\t\x7f ", "\x9b31m", "\u202e", "\u2066", "\U000e0041", "[b]", "日本"]
    )
    | st.text(st.characters(exclude_categories=()), max_size=6),
    max_size=12,
).map("".join)


BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@settings(max_examples=examples(400))
@given(MEAN, MEAN, MEAN, st.sampled_from(["live", "proposed", "forgotten"]), st.dictionaries(MEAN, MEAN, max_size=2))
def test_no_control_character_of_a_note_is_drawn(text, word, name, state, corrected):
    by = {"person": None, "mission": "00000001", "name": name, "agent": word}
    versions = [version(2, text, by), version(1, word, by)]
    one = note(1, text, state=state, key=word, tags=[word, name], files=[word], author=by, repository=word,
               proposed_for=word, history=versions, version=2, versions=2,
               used_by=[{"mission": name, "run": 1, "at": versions[0]["at"]}])  # fmt: skip
    (row,) = notes_rows.found({"notes": [{"note": one, "why": ["spelling"], "corrected": corrected}]})
    drawn = [column.cell(row, NOW).text for column in notes_rows.COLUMNS]
    drawn += [notes_rows.why_found(row), *notes_rows.looked_in(row).split("\n")]
    drawn += read(notes_rows.description(one, Rendering(NOW), {name: text}))
    told = {"inject": "auto", "given": [{"id": one["id"], "kind": word, "why": "words", "text": text}], "tokens": 1,
            "left_out": 0, "wrote": [one["id"]]}  # fmt: skip
    drawn += read([line.cells for line in mission_notes.lines(told, {one["id"]: notes_rows.state_and_text(row)})])
    assert [line for line in drawn if not set(map(category, line)).isdisjoint(("Cc", "Cs", "Zl", "Zp"))] == []
    assert [line for line in drawn if not BIDI.isdisjoint(line)] == []

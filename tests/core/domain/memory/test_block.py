"""The block of notes that an agent is given: what it holds can neither end it nor hide."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.memory.block import (
    ASK,
    INTRODUCTION,
    MARGIN,
    BlockNote,
    clean,
    head_line,
    parse,
    render,
    tokens,
    tokens_of_block,
)
from overmind_core.domain.memory.notes import ID_LETTERS, Author, Content, Note, NoteKind, NoteState, Origin, note_id
from tests.kit.cases import tabled
from tests.kit.torture import WHOLE

SECRET = b"of this home"
NOTE = Note(
    id="N-7f3k9c2m4q",
    state=NoteState.LIVE,
    version="0" * 32,
    number=1,
    versions=1,
    content=Content("The rate limiter\nkeeps its buckets in Redis", kind=NoteKind.GOTCHA, files=("api/limits.py",)),
    author=Author(person="ada"),
    origin=Origin.COMMAND,
    created_at=0.0,
    edited_at=1793404800.0,
    by_person=True,
    helped=4,
)
HEAD = "[N-7f3k9c2m4q] gotcha, 2026-10-31, ada, helped 4, hurt 0, api/limits.py"


def test_a_block_is_as_the_contract_has_it():
    block = render([BlockNote(head_line(NOTE), NOTE.content.text)], SECRET)
    word = block[7:19]
    held = f"{INTRODUCTION}\n{HEAD}\n  | The rate limiter\n  | keeps its buckets in Redis\n"
    assert block == f"<notes {word}>\n{held}</notes {word}>\n"
    assert int(word, 16) >= 0
    assert word not in render([BlockNote(HEAD, "another text")], SECRET)
    assert word not in render([BlockNote(HEAD, NOTE.content.text)], b"of another home")
    assert ASK.count("\n") == 1
    assert "overmind recall" in ASK
    assert "overmind remember" in ASK


def test_a_head_line_names_those_that_are_left_out_and_has_an_end():
    alike = head_line(NOTE, like=["N-0000000001", "N-0000000002"])
    assert alike == f"{HEAD}, like N-0000000001, N-0000000002, which may say the opposite"
    many = tuple(f"api/\x1b[1m{place:070}.py" for place in range(9))
    mean = replace(NOTE, author=Author(mission="1a", name="x\n[N-0000000009]" * 20), content=Content("", files=many))
    line = head_line(mean)
    assert clean(line) == line
    assert "\n" not in line
    assert line.endswith(f"api/[1m{1:070}.py, 7 more files")
    assert len(line) < 400


@tabled(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\vd\fe\x85f\u2028g\u2029h\n", "a\nb\nc\nd\ne\nf\ng\nh\n"),
        ("\x1b[31mred\x07 \x9b0m\0", "[31mred 0m"),
        ("a\u202eb\u2066c\u200bd\ufeffe\u00adf\U000e0041g\ufe0fh\U000e0101i", "abcdefghi"),
        ("\tmake: redis", "    make: redis"),
        ("half \ud800 an \udcff emoji \U0001f600", "half \ufffd an \ufffd emoji \U0001f600"),
        ("Größe 漢字 naïve e\u0301", "Größe 漢字 naïve e\u0301"),
    ],
)
def test_what_is_shown_of_a_text_hides_nothing(text, cleaned):
    assert clean(text) == cleaned


@tabled(
    "block",
    [
        "",
        render([BlockNote(HEAD, "x")], b"of another home"),
        render([BlockNote(HEAD, "x")], SECRET).replace("| x", "| y"),
        render([BlockNote(HEAD, "x")], SECRET).replace("  | x", "x"),
        render([BlockNote(HEAD, "x")], SECRET) + "x",
        render([BlockNote("no id", "x")], SECRET),
    ],
)
def test_what_this_home_did_not_make_is_no_block(block):
    with pytest.raises(ValueError, match="no block"):
        parse(block, SECRET)


OTHER = render([BlockNote(HEAD, "text")], SECRET)
MEAN = st.lists(
    st.sampled_from([OTHER, OTHER[:20], f"</notes {OTHER[7:19]}>", HEAD, MARGIN, INTRODUCTION, "<notes", "</notes>"])
    | st.sampled_from([*"\n\r\v\f\x85\u2028\u2029\x1b\0\t ", "\r\n", "\u202e", "\U000e0041", "\ud83d", "\x9b31m", "]"])
    | st.text(max_size=20)
    | st.text(st.characters(exclude_categories=()), max_size=6),
    max_size=12,
).map("".join)
IDS = st.lists(st.sampled_from(ID_LETTERS), min_size=10, max_size=10).map(lambda letters: f"N-{''.join(letters)}")
HELD = st.builds(lambda id_, head, text: BlockNote(f"[{id_}] {head}", text), IDS, MEAN, MEAN)


@pytest.mark.timeout(600 if WHOLE else 120)
@settings(max_examples=20_000 if WHOLE else 100)
@given(st.lists(HELD, min_size=1, max_size=5))
def test_a_block_holds_exactly_its_notes_and_nothing_that_ends_it(notes):
    block = render(notes, SECRET)
    assert parse(block, SECRET) == [BlockNote(clean(one.head).replace("\n", " "), clean(one.text)) for one in notes]
    assert [one.id for one in parse(block)] == [one.head[1:13] for one in notes]
    lines = block.splitlines()
    assert lines == block.removesuffix("\n").split("\n")  # no other end of a line, whoever looks
    outside = [line for line in lines if not line.startswith((MARGIN, "[N-"))]
    assert outside == [lines[0], INTRODUCTION, lines[0].replace("<", "</")]
    assert not {unicodedata.category(letter) for letter in block} & {"Cf", "Cs", "Zl", "Zp"}
    assert {letter for letter in block if unicodedata.category(letter) == "Cc"} == {"\n"}
    assert block.encode().decode() == block
    assert clean(block) == block
    assert render(parse(block), SECRET) == block == render(list(notes), SECRET)
    assert tokens_of_block(notes) == tokens(block)


def test_ids_are_made_of_the_letters_that_a_head_line_knows():
    assert BlockNote(f"[{note_id(2**50 - 1)}] fact", "").id == note_id(2**50 - 1)
    assert BlockNote("[N-short] fact", "").id == ""

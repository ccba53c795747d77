"""Notes as files: what is written is read again, and what is none is refused with its line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.memory.files import FileMistake, NoteFile, file_name, parse, render
from overmind_core.domain.memory.notes import NoteKind, note_id
from tests.kit import torture
from tests.kit.cases import tabled

SHOWN = """\
+++
id = "N-7f3k9c2m4q"
version = "3f9a1c0b77de"
kind = "gotcha"
key = "tests/redis"
tags = ["tests", "a,b"]
files = ["tests/**"]
pin = true
author = "ada"
+++

The rate limiter keeps its buckets in Redis.

Start it with: make redis
"""
NOTE = NoteFile(
    text="The rate limiter keeps its buckets in Redis.\n\nStart it with: make redis",
    id="N-7f3k9c2m4q", version="3f9a1c0b77de", kind=NoteKind.GOTCHA, key="tests/redis", tags=("tests", "a,b"),
    files=("tests/**",), pinned=True, author="ada",
)  # fmt: skip

plain = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=60)
texts = st.lists(plain | st.sampled_from(["+++", "=======", '"""', "\\", "<<<<<<<", "id = 1", "", "\x7f", "\u2028"]),
                 min_size=1, max_size=6).map("\n".join).filter(str.strip)  # fmt: skip
note_files = st.builds(
    NoteFile,
    text=texts,
    id=st.integers(0, 2**50 - 1).map(note_id),
    version=st.integers(0, 16**12 - 1).map("{:012x}".format),
    kind=st.sampled_from(NoteKind),
    key=st.from_regex(r"[a-z0-9][a-z0-9._/-]{0,62}", fullmatch=True) | st.just(""),
    tags=st.lists(plain, max_size=4).map(tuple),
    files=st.lists(plain, max_size=4).map(tuple),
    pinned=st.booleans(),
    author=plain,
)


def test_a_file_is_as_people_read_it():
    assert render(NOTE) == SHOWN
    assert file_name(NOTE) == "tests-redis-N-7f3k9c2m4q.md"
    assert file_name(NoteFile("The rate limiter keeps its buckets in Redis.", id="N-7f3k9c2m4q")) == (
        "the-rate-limiter-keeps-its-buckets-in-N-7f3k9c2m4q.md"
    )
    assert file_name(NoteFile("…", id="N-7f3k9c2m4q")) == "note-N-7f3k9c2m4q.md"


@settings(max_examples=20_000 if torture.WHOLE else 100, deadline=None)
@given(note_files)
def test_what_is_written_is_read_again(note):
    assert parse(render(note)) == note
    assert parse(render(note).replace("\n", "\r\n")).text == note.text  # as git may check it out
    name = file_name(note)
    assert name.isascii()
    assert name.endswith(".md")
    assert "/" not in name


@tabled(
    ("text", "line", "why"),
    [
        ("plain", 1, "a note begins with a line +++"),
        ("", 1, "a note begins with a line +++"),
        ('+++\nkind = "fact"\n\ntext\n', 1, "the line +++ below the fields is missing"),
        ("+++\n+++\n\n \n", 2, "there is no text"),
        ("+++\n+++\n\n" + "x" * 4001, 2, "the text has 4001 characters, the limit is 4000"),
        ('+++\nkind = "fact"\nkind = "fix"\n+++\n\nx', 3, "Cannot overwrite a value"),
        ("+++\nkind = fact\n+++\n\nx", 2, "Invalid value"),
        ('+++\nkind = "fact"\ncolour = "red"\n+++\n\nx', 3, "colour: unknown field"),
        ('+++\nkind = "essay"\n+++\n\nx', 2, "kind: write one of fact, decision, pattern, gotcha, fix, lesson"),
        ('+++\ntags = "a"\n+++\n\nx', 2, "tags: write a list of strings in quotes"),
        (f"+++\ntags = {['a'] * 21}\n+++\n\nx", 2, "tags: at most 20 of 60 characters"),
        ('+++\nid = "N-ILOU"\n+++\n\nx', 2, "id: write the id of a note, such as N-7f3k9c2m4q, or leave the line out"),
        ("+++\npin = 1\n+++\n\nx", 2, "pin: write true or false"),
        ("+++\n[kind]\n+++\n\nx", 2, "kind: write one of fact, decision, pattern, gotcha, fix, lesson"),
        ("+++\n+++\n\na\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> theirs\n", 5, "a merge conflict"),
        ("<<<<<<< HEAD\n+++\n=======\n>>>>>>> theirs\n+++\nx", 1, "a merge conflict"),
    ],
)
def test_what_is_no_note_is_refused_with_its_line(text, line, why):
    with pytest.raises(FileMistake) as refused:
        parse(text)
    assert (refused.value.line, refused.value.why) == (line, why)


def test_marks_of_a_merge_are_only_those_that_belong_together():
    for text in ("Title\n=======\n\nBody", "a\n>>>>>>> b\n<<<<<<< c", "shift left: <<<<<<< by seven"):
        assert parse(f"+++\n+++\n\n{text}\n").text == text

"""Files that are no project's file, by mistake or on purpose: one clear problem, at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.text.problems import Problems
from overmind_core.project_file.read import project
from tests.core.project_file.test_read import WHOLE
from tests.kit.cases import tabled

BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{after}: &{after} [{','.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)
TOO_MUCH = "the file has more than 10000 values, counting each use of an alias"
DEEP = "lists and tables are nested more than 30 levels deep"
NO_FILE = {
    "nothing": (b"", "1:1: the file is empty: write at least isolation: {}"),
    "a comment": (b"# nothing\n", "1:1: the file is empty: write at least isolation: {}"),
    "no UTF-8": (b"a:\n  \xff", "2:3: the file is not UTF-8 from here on"),
    "another encoding": ("a: 1".encode("utf-16"), "1:1: the file is not UTF-8 from here on"),
    "a program": (b"\x7fELF\x02", "1:1: the character U+007F is not allowed in this file"),
    "a zero": (b"a:\n  b\0", "2:4: the character U+0000 is not allowed in this file"),
    "a zero in disguise": (b'a: "\\0"', "1:4: the character U+0000 is not allowed in a string"),
    "half a character": (b'a: "\\ud800"', "1:4: the character U+D800 is not allowed in a string"),
    "no character": (b'a: "\\Uffffffff"', "1:7: this number is too large here"),
    "too large": (b" " * 65537, "1:1: the file is larger than 64 KiB"),
    "two documents": (b"isolation: {}\n---\nservices: {}", "2:1: a second document begins here: write only one"),
    "a bomb": (BOMB.encode(), f"5:11: {TOO_MUCH}"),
    "many values": (b"[" + b"a," * 20000, f"1:20000: {TOO_MUCH}"),
    "many keys": (b"? a\n" * 15000, f"5001:1: {TOO_MUCH}"),
    "deep lists": (b"[" * 60000, f"1:31: {DEEP}"),
    "deep tables": (b"{a: " * 16000, f"1:121: {DEEP}"),
    "deep by aliases": (
        b"a: &a " + b"[" * 20 + b"]" * 20 + b"\nb: " + b"[" * 20 + b"*a" + b"]" * 20,
        f"2:24: {DEEP}",
    ),
    "what contains itself": (b"a: &a\n  b: *a", "2:6: *a refers to itself"),
    "an alias for nothing": (b"a: *b", "1:4: no anchor &b is defined before this"),
    "a key that is a list": (b"? [a]\n: b", "1:3: a key must be a word"),
    "a key that is an alias for a list": (b"a: &a [1]\n*a : b", "2:1: a key must be a word"),
    "a merge of nothing": (b"<<: 1", "1:5: << takes a table or a list of tables"),
    "an object": (b"a: !!python/object:os.system x", "1:4: the tag !!python/object:os.system can't be used here"),
    "a call": (
        b"!!python/object/apply:os.system [x]",
        "1:1: the tag !!python/object/apply:os.system can't be",
    ),
    "a tag of one's own": (b"a: !env X", "1:4: the tag !env can't be used here"),
    "a tab": (b"a:\n\tb: 1", "2:1: a tab is not allowed here: indent with spaces"),
    "no end": (
        b"a: [1,\n  2\n",
        "3:1: expected ',' or ']', but got '<stream end>' (while parsing a flow",
    ),
    "two colons": (b"a: b: c", "1:5: mapping values are not allowed here"),
}


@tabled("case", NO_FILE)
def test_what_is_no_file_of_ours_is_one_clear_problem(case):
    data, message = NO_FILE[case]
    with pytest.raises(Problems) as raised:
        project(data)
    assert len(raised.value.problems) == 1
    assert str(raised.value).startswith(message)


def test_an_anchor_may_be_used_as_often_as_its_values_allow():
    assert project(b"isolation: &a {}\nservices: *a\n").services == ()


SIGNS = [*"{}[],:#&*!|>'\"%@`-?\n\t  ab<=~$\\", "a: ", "- ", "? ", "&a ", "*a", "<<: ", "!!int ", "---\n"]
WORDS = ["services", "isolation", "command", "docker", "ready", "port", "copy"]
TEXTS = st.lists(st.sampled_from([*SIGNS, *WORDS]), max_size=60).map(lambda parts: "".join(parts).encode())


@given(st.one_of(st.binary(max_size=200), TEXTS))
def test_whatever_a_file_says_it_is_read_or_told_to_be_wrong(data):
    read_or_told(data)


@given(st.integers(min_value=0, max_value=len(WHOLE)), st.integers(min_value=0, max_value=30), st.text(max_size=5))
def test_a_file_that_was_cut_or_mistyped_is_read_or_told_to_be_wrong(place, gone, typed):
    read_or_told((WHOLE[:place] + typed + WHOLE[place + gone :]).encode(errors="ignore"))


def read_or_told(data):
    told = []
    try:
        project(data)
    except Problems as problems:
        told = list(problems.problems)
        assert told
    assert all(one.line >= 1 and one.column >= 1 and one.message for one in told)
    assert told == sorted(told)

"""Where keys and values stand, whatever way of TOML they were written in."""

from __future__ import annotations

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st
from tomlkit.exceptions import TOMLKitError

from overmind_core.documents.toml import find_places

WRITTEN = {
    "a key": ("a = 1", {("a",): (0, "1")}),
    "a quoted key": ('"a b" = 1', {("a b",): (0, "1")}),
    "a key with escapes": ('"a\\u0062" = 1', {("ab",): (0, "1")}),
    "a literal key": ("'a\\b' = 1", {("a\\b",): (0, "1")}),
    "a dotted key": ("a . 'b.c' = 1", {("a", "b.c"): (4, "1"), ("a",): (0, None)}),
    "a table": ("[a]\nb = 1", {("a",): (1, None), ("a", "b"): (4, "1")}),
    "a table within one": ("[ a . b ]\nc = 1", {("a",): (2, None), ("a", "b"): (6, None), ("a", "b", "c"): (10, "1")}),
    "a list of tables": (
        "[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 3",
        {("a", 0, "b"): (6, "1"), ("a", 1, "b"): (18, "2"), ("a", 1, "c", "d"): (30, "3")},
    ),
    "an inline table": (
        "a = { b = 1, c.d = 'x' }",
        {("a",): (0, "{ b = 1, c.d = 'x' }"), ("a", "b"): (6, "1"), ("a", "c", "d"): (15, "'x'")},
    ),
    "a list": ("a = [ 1, # one\n  [2],\n]", {("a", 0): (0, "1"), ("a", 1): (0, "[2]"), ("a", 1, 0): (0, "2")}),
    "a comment that looks like a key": ("# b = 1\na = 2 # c = 3", {("a",): (8, "2")}),
    "a text that looks like a table": (
        'a = """\n[b]\nc = 1"""\nd = 2',
        {("a",): (0, '"""\n[b]\nc = 1"""'), ("d",): (21, "2")},
    ),
    "quotes at the end of a long text": ('a = """x"""""\nb = 2', {("a",): (0, '"""x"""""'), ("b",): (14, "2")}),
    "an escaped quote": ('a = "x\\"" # "\nb = 2', {("a",): (0, '"x\\""'), ("b",): (14, "2")}),
    "a date with a blank": ("a = 1979-05-27 07:32:00 # then", {("a",): (0, "1979-05-27 07:32:00")}),
}


@pytest.mark.parametrize(("text", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_everything_stands_where_it_is_written(text, expected):
    tomlkit.parse(text)
    found = find_places(text)

    for path, (key, value) in expected.items():
        span = found.values.get(path)
        assert found.of_key(path) == key, path
        assert (None if span is None else text[span.start : span.end]) == value, path


def test_lines_and_columns_count_characters_from_1():
    found = find_places("'ä' = 1\n\n  '€' = '𝄞x'")

    assert found.position(found.of_key(("ä",))) == (1, 1)
    assert found.position(found.of_value(("ä",))) == (1, 7)
    assert found.position(found.of_key(("€",))) == (3, 3)
    assert found.position(found.inside(("€",), 1)) == (3, 11)


def test_what_stands_nowhere_is_where_the_nearest_thing_above_it_is():
    found = find_places("[a]\nb = 1")

    assert found.of_value(("a",)) == found.of_key(("a", "x", 3)) == 1
    assert found.of_value(("nosuch",)) == 0


KEYS = st.text(min_size=1, max_size=6).filter(lambda text: text.isprintable()) | st.sampled_from(
    ["a", "b-c", "d.e", '"', "'"]
)
PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = st.booleans() | st.integers(-(2**60), 2**60) | PLAIN
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from leaves(one, (*path, place))
    else:
        yield path, value


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_stands_at_the_place_of_a_value_is_the_value(data):
    text = tomlkit.dumps(data)
    found = find_places(text)

    assert found.duplicates == []
    for path, value in leaves(data):
        span = found.values[path]
        assert tomlkit.parse(f"x = {text[span.start : span.end]}").unwrap()["x"] == value


@given(PLAIN.map(lambda text: text.replace("\r", "")), st.sampled_from(["basic", "long", "literal", "long literal"]))
def test_each_character_of_a_text_is_found_again(value, way):
    try:
        written = tomlkit.string(value, literal="literal" in way, multiline="long" in way).as_string()
        read = tomlkit.parse(f"key = {written}").unwrap()["key"]
    except (TOMLKitError, ValueError):
        return  # not every text can be written so
    found = find_places(f"key = {written}")
    offsets = [found.inside(("key",), index) for index in range(len(read))]

    assert offsets == sorted(set(offsets))
    for index, offset in enumerate(offsets):
        character = f"key = {written}"[offset]
        assert character == read[index] or character == "\\"
    assert found.inside(("key",), len(read)) == found.values["key",].start


@given(st.text(st.sampled_from("ab.=[]{}\"',# \n\\é"), max_size=60))
def test_the_walk_over_any_text_has_an_end(text):
    found = find_places(text)

    assert all(0 <= span.start <= span.end <= len(text) for span in found.values.values())
    assert all(0 <= offset < len(text) for offset in found.keys.values())

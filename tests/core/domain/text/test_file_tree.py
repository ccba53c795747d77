"""A tree of files answers what looking at each of them would, however long a pattern makes it look."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.text import file_tree
from overmind_core.domain.text.file_pattern import matches
from overmind_core.domain.text.file_tree import FileTree
from tests.kit.torture import examples

NAME = st.sampled_from(["a", "b", "ab", "a.py", ".git", "[a]", "c\nd"])
PART = st.sampled_from(["a", "b", "a.py", "*", "**", "?", "[ab]", "*.py", "\\[a\\]", "a*", ".", ""]) | NAME
PATHS = st.lists(st.lists(NAME, min_size=1, max_size=4).map("/".join), max_size=8)
PATTERN = st.lists(PART, min_size=1, max_size=5).map("/".join)


def every(paths):
    """The paths, and the folders that they lie in."""
    parts = [path.split("/") for path in paths]
    return dict.fromkeys("/".join(one[:end]) for one in parts for end in range(1, len(one) + 1))


@settings(max_examples=examples(1600))
@given(PATHS, PATTERN)
def test_a_tree_answers_as_each_of_its_files(paths, pattern):
    if not pattern.startswith("/") and pattern.strip("/."):
        tree = FileTree(every(paths))
        assert tree.may_have(pattern) is any(matches(pattern, path, folder="/top") for path in every(paths))


@pytest.mark.parametrize(
    "pattern", ["**/" * 90 + "x", "**/a/" * 60 + "x", "**/*/" * 60 + "x", "*a" * 150, "[a-z]*" * 50]
)
def test_no_pattern_takes_more_steps_than_are_allowed(pattern, monkeypatch):
    monkeypatch.setattr(file_tree, "MOST_STEPS", 20_000)
    deep = "/".join(["a"] * 300)
    wide = [f"{one}/{other}/a.py" for one in range(100) for other in range(20)]
    tree = FileTree(every([deep, *wide]))
    tree.may_have(pattern)
    assert tree.steps <= 20_000 + len(wide)
    assert not matches(pattern, deep + "/y", folder="/") or set(pattern) & set("*[")

"""Whether two patterns can name one path: a table, and the law behind it, with the matcher of paths as its judge."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from overmind_core.domain.text.file_pattern import matches
from overmind_core.domain.text.globs import LONGEST_GLOB, GlobError, GlobIndex, can_meet, glob_problem
from tests.kit.cases import tabled

MEET = [
    ("api/**", "api/users.py"),
    ("api/**", "**/*.py"),
    ("/api", "api/users.py"),
    ("api/", "api/users.py"),
    ("docs", "web/docs/index.md"),
    ("*.py", "src/**"),
    ("src/*/x.py", "src/a/*.py"),
    ("a/**/z", "a/b/**"),
    ("a/**/z", "a/z"),
    ("**", "anything/at/all"),
    (".", "x"),
    ("/", "x"),
    ("a*b*c", "*x*c"),
    ("[a-f]x", "[e-z]?"),
    ("[!a]", "b"),
    (r"\*.py", "[*].py"),
    (r"/a\b", r"/a\\b"),
    ("[]]", "[!x]"),
    ("[a-c-e]", "-"),
    ("src/./api//x", "src/api/x"),
    ("*", ".hidden"),
    ("caf\u00e9/*", "caf?/\udcff"),
    ("a{b", "a{b"),
    ("*.py", "*.js"),  # a folder may be called x.py, and hold y.js
    ("/a/*/z", "/a/z"),  # a/z/z
]
APART = [
    ("api/**", "web/**"),
    ("api/**", "/api.py"),
    ("/api", "src/api/x"),
    ("/*.py", "/*.js"),
    ("src/*.py", "src/*.js"),
    ("/a/*.x", "/a/b.y/c"),
    ("/a/*/z", "/a/b/y"),
    ("/api/x.py", "/api/X.py"),
    ("/[a-c]", "/[d-z]"),
    ("/[!a]", "/a"),
    ("/?", "/ab"),
    ("/a*b", "/*c"),
    (r"/\*", "/x"),
    ("/src/*.py/x", "/src/*.js/x"),
    ("/[.x][.a]", "/[.y][.b]"),
]


@tabled(("one", "other"), MEET)
def test_these_can_name_one_path(one, other):
    assert can_meet(one, other)
    assert can_meet(other, one)


@tabled(("one", "other"), APART)
def test_these_never_name_one_path(one, other):
    assert not can_meet(one, other)
    assert not can_meet(other, one)


BROKEN = [
    ("", "is empty"),
    ("  ", "is empty"),
    ("../other", "leads out of its folder with '..'"),
    ("a/../b", "leads out of its folder with '..'"),
    ("/etc\0", "has a NUL in it"),
    ("//etc/passwd", "begins outside the repository: write a path from its top"),
    ("~/x", "begins outside the repository: write a path from its top"),
    ("src/[ab", "has a [ without its ]; [[] is a bracket itself"),
    ("src/[a/b]", "has a [ without its ]; [[] is a bracket itself"),
    ("[]", "has a [ without its ]; [[] is a bracket itself"),
    ("[z-a]", "has [z-a] in it, where a range runs backwards"),
    ("[!\x01-\U0010ffff]", "has [!\x01-\U0010ffff] in it, which names no file"),
    ("src/[.]/x", "has [.] in it, which names no file"),
    ("src/{a,b}/**", "has braces in it, which are no pattern: write one for each; [{] is a brace itself"),
    ("x" * (LONGEST_GLOB + 1), "is longer than 512 characters"),
]


@tabled(("pattern", "problem"), BROKEN)
def test_a_broken_pattern_is_refused_with_what_is_wrong(pattern, problem):
    assert glob_problem(pattern) == problem
    with pytest.raises(GlobError, match=r"^'"):
        can_meet(pattern, "src")
    with pytest.raises(GlobError):
        GlobIndex[str]().add(pattern, "x")


NAMES = ["".join(letters) for size in (1, 2, 3) for letters in product("ab.", repeat=size) if {*letters} != {"."}]
NAMES += ["..."]
PATHS = [
    *NAMES,
    *("/".join(pair) for pair in product(NAMES[:9], repeat=2)),
    *("/".join(three) for three in product("ab", repeat=3)),
]
LETTERS = ["a", "b", ".", "*", "?", "[ab]", "[!a]", "[a-b.]"]
SMALL_NAMES = st.one_of(st.just("**"), st.lists(st.sampled_from(LETTERS), min_size=1, max_size=3).map("".join))
SMALL = st.builds(
    lambda top, names, end: top + "/".join(names) + end,
    st.sampled_from(["", "/"]),
    st.lists(SMALL_NAMES, min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
).filter(lambda pattern: glob_problem(pattern) is None)


@lru_cache(maxsize=4096)
def matched(pattern: str) -> frozenset[str]:
    return frozenset(path for path in PATHS if matches(pattern, path, folder="/repo"))


@given(SMALL, SMALL)
def test_patterns_that_match_one_path_are_never_called_free(one, other):
    """Acceptance 9, its property: no pair of globs with a common path is called free."""
    assume(matched(one) & matched(other))
    assert can_meet(one, other)
    assert can_meet(other, one)


FLAT = (
    st.lists(st.sampled_from(LETTERS), min_size=1, max_size=2).map("".join).filter(lambda name: name not in {".", "**"})
)
FLAT_PATTERNS = st.lists(FLAT, min_size=1, max_size=2).map("/".join).map("/{}".format)
DEEP_NAMES = ["".join(letters) for size in (1, 2, 3, 4) for letters in product("abc.", repeat=size)]
DEEP_NAMES = [name for name in DEEP_NAMES if name not in {".", ".."}]


@given(
    FLAT_PATTERNS.filter(lambda one: glob_problem(one) is None),
    FLAT_PATTERNS.filter(lambda one: glob_problem(one) is None),
)
def test_patterns_that_meet_match_one_path(one, other):
    """Of two names each at most: all that could tell them apart is listed, so that "can meet" must show a path."""
    depth = max(one.count("/"), other.count("/"))
    common = all(
        any(all(matches(f"/{part}", name, folder="/repo") for part in parts if part) for name in DEEP_NAMES)
        for parts in zip(
            *(pattern[1:].split("/") + [""] * (depth - pattern.count("/")) for pattern in (one, other)), strict=True
        )
    )
    assert can_meet(one, other) is common


WILD_NAMES = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=6).filter(
    lambda name: name not in {".", ".."}
)


@st.composite
def globs_of(draw: st.DrawFn, names: list[str]) -> str:
    """A pattern that matches the path of these names."""
    parts = []
    at = 0
    while at < len(names):
        how = draw(st.sampled_from(["exact", "wild", "spans"]))
        if how == "spans":
            parts.append("**")
            at = draw(st.integers(at, len(names) - 1))
        if how != "exact" and draw(st.booleans()):
            parts.append(wildcards(draw, names[at]))
        else:
            parts.append("".join(escaped(letter) for letter in names[at]))
        at += 1
        if draw(st.integers(0, 5)) == 0:
            break
    return "/" + "/".join(parts)


def escaped(letter: str) -> str:
    return f"\\{letter}" if letter in "*?[]\\" else f"[{letter}]" if letter in "{}" else letter


def wildcards(draw: st.DrawFn, name: str) -> str:
    letters = [draw(st.sampled_from([escaped(letter), "?", "*", f"{escaped(letter)}*"])) for letter in name]
    return "".join(letters)


@given(st.data(), st.lists(WILD_NAMES, min_size=1, max_size=5))
def test_two_patterns_made_of_one_path_meet(data, names):
    """Acceptance 9, its property, over all that can stand in a name."""
    one, other = data.draw(globs_of(names)), data.draw(globs_of(names))
    for pattern in (one, other):
        assume(glob_problem(pattern) is None)
        assert matches(pattern, "/".join(names), folder="/repo")
    assert can_meet(one, other)
    index: GlobIndex[str] = GlobIndex()
    index.add(one, "owner")
    assert index.find(other) == (one, "owner")


BRACKETS = st.text("ab-]!^&~|\\[c", min_size=1, max_size=6)


@given(BRACKETS, st.sampled_from("ab-]!^&~|\\[cd"))
def test_brackets_hold_what_they_match(inside, letter):
    pattern = f"/x[{inside}]y"
    assume(glob_problem(pattern) is None)
    assert can_meet(pattern, f"/x{escaped(letter)}y") is matches(pattern, f"x{letter}y", folder="/repo")


@given(st.lists(SMALL, max_size=8), SMALL)
def test_an_index_finds_a_pattern_where_one_meets(patterns, wanted):
    index: GlobIndex[int] = GlobIndex()
    for number, pattern in enumerate(patterns):
        index.add(pattern, number)
    found = index.find(wanted)
    assert (found is not None) is any(can_meet(pattern, wanted) for pattern in patterns)
    if found is not None:
        assert can_meet(found[0], wanted)
        assert patterns.index(found[0]) == found[1]


def test_hostile_patterns_are_decided_too():
    hostile = "*a" * (LONGEST_GLOB // 2)
    assert can_meet(hostile, "*b" * (LONGEST_GLOB // 2 - 1) + "*a")
    assert not can_meet("/" + "*a" * 255, "/" + "*a" * 250 + "b")
    assert can_meet("**/a/" * 100 + "b", "**/a/" * 100 + "c")

"""Beginnings of what is owned, and the delay before a claim."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.domain.swarm.beginnings import beginnings, could_meet
from overmind_core.domain.swarm.fits import delay_after, load_of
from overmind_core.domain.text.globs import can_meet, glob_problem

# beginnings


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["src/api"], ("src/api",)),
        (["/docs"], ("docs",)),
        (["docs"], ("",)),
        (["src/*.py"], ("src",)),
        (["src/**"], ("src",)),
        (["**/x"], ("",)),
        (["src/a[b]/c"], ("src/ab/c",)),
        (["src/a*/c", "src/api/v1"], ("src",)),
        (["src/api", "src/apis"], ("src/api", "src/apis")),
        ([], ()),
    ],
)
def test_the_beginnings_of_patterns(patterns, expected):
    assert beginnings(patterns) == expected


@pytest.mark.parametrize(
    ("mine", "theirs", "meet"),
    [
        (["src/api"], ["src"], True),
        (["src"], ["src/api"], True),
        (["src/api"], ["src/apis"], False),
        ([""], ["anything"], True),
        (["a", "b/c"], ["d", "b"], True),
        ([], [""], False),
    ],
)
def test_what_could_meet(mine, theirs, meet):
    assert could_meet(mine, theirs) is meet


NAMES = st.one_of(st.just("**"), st.lists(st.sampled_from("ab*?.[ab]"), min_size=1, max_size=3).map("".join))
PATTERNS = st.builds(
    lambda top, names, end: top + "/".join(names) + end,
    st.sampled_from(["", "/"]), st.lists(NAMES, min_size=1, max_size=4), st.sampled_from(["", "/"]),
).filter(lambda pattern: glob_problem(pattern) is None)  # fmt: skip


@given(st.lists(PATTERNS, min_size=1, max_size=3), st.lists(PATTERNS, min_size=1, max_size=3))
@example(["a"], ["b/a"])
@example(["/a/"], ["/a/b/*"])
def test_beginnings_are_never_free_when_the_exact_walk_says_that_they_meet(mine, theirs):
    if any(can_meet(one, other) for one in mine for other in theirs):
        assert could_meet(beginnings(mine), beginnings(theirs))


@given(st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, max_size=3))
def test_meeting_is_mutual(mine, theirs):
    assert could_meet(beginnings(mine), beginnings(theirs)) is could_meet(beginnings(theirs), beginnings(mine))


# load


@pytest.mark.parametrize(
    ("news", "taken", "slots", "seconds"),
    [("queued", 0, 4, 0.0), ("queued", 1, 4, 0.05), ("queued", 4, 4, 0.2), ("queued", 9, 4, 0.2), ("queued", 0, 0, 0.2),
     ("packed", 0, 4, 0.2), ("packed", 3, 4, 0.05), ("packed", 4, 4, 0.0), ("packed queued", 1, 4, 0.05),
     ("hive:eu1 mode", 3, 4, 0.0)],
)  # fmt: skip
def test_the_emptiest_hive_asks_first_and_with_pack_the_fullest(news, taken, slots, seconds):
    assert delay_after(news.split(), load_of(taken, slots)) == pytest.approx(seconds)

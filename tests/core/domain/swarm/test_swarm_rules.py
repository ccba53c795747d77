"""Beginnings of what is owned, the delay before a claim, masks in tails, and the size of pools."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.domain.swarm.beginnings import beginnings, could_meet
from overmind_core.domain.swarm.load import delay_of, load_of
from overmind_core.domain.swarm.masks import MASK, masked, masked_tail
from overmind_core.domain.swarm.pooling import PoolSize, missing, wanted
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
    ("taken", "slots", "pack", "seconds"),
    [(0, 4, False, 0.0), (1, 4, False, 0.05), (4, 4, False, 0.2), (9, 4, False, 0.2), (0, 0, False, 0.2),
     (0, 4, True, 0.2), (3, 4, True, 0.05), (4, 4, True, 0.0)],
)  # fmt: skip
def test_the_emptiest_hive_asks_first_and_with_pack_the_fullest(taken, slots, pack, seconds):
    assert delay_of(load_of(taken, slots), pack=pack) == pytest.approx(seconds)


# masks


@pytest.mark.parametrize(
    ("data", "values", "expected"),
    [
        (b"token=hunter2;", [b"hunter2"], b"token=***;"),
        (b"hunter2hunter2", [b"hunter2"], b"***"),
        (b"abcdef", [b"abcd", b"cdef"], b"***"),
        (b"aaaa", [b"aa"], b"***"),
        (b"key: BEGIN\r\nline\r\nEND.", [b"BEGIN\nline\nEND."], b"key: ***\r\n***\r\n***"),
        (b"plain", [b"", b" ", b"***"], b"plain"),
        (b"x hunter2\n", [b"hunter2\n"], b"x ***\n"),
        (b"xsecretcret", [b"secret", b"***cret"], b"x***"),
    ],
)
def test_values_are_masked(data, values, expected):
    assert masked(data, values) == expected


def test_a_tail_that_begins_within_a_value_shows_no_end_of_it():
    assert masked(b"ter2 and more", [b"hunter2"], is_cut=True) == MASK + b" and more"
    assert masked(b"ter2 and more", [b"hunter2"]) == b"ter2 and more"
    assert masked_tail(b"x" * 100 + b"hunter2", [b"hunter2"], 5) == b"xx***"
    assert masked_tail(b"abc", [], 0) == b""


SMALL = st.lists(st.sampled_from([b"a", b"b", b"*", b"\n"]), max_size=12).map(b"".join)


@given(SMALL, st.lists(SMALL, max_size=4), st.booleans())
def test_no_value_is_left_and_all_else_is(data, values, is_cut):
    left = masked(data, values, is_cut=is_cut)
    assert not [value for value in values if value.strip().strip(b"*") and value.strip() in left]
    if not any(value.strip().strip(b"*") for value in values):
        assert left == data


# pools


@pytest.mark.parametrize(
    ("waiting", "held", "alive", "want", "start"),
    [
        (0, 0, 0, 1, 1),
        (1, 0, 1, 1, 0),
        (4, 0, 1, 1, 0),
        (5, 0, 1, 2, 1),
        (4, 4, 1, 2, 1),
        (99, 0, 2, 3, 1),
        (0, 0, 3, 1, 0),
    ],
)
def test_a_pool_has_as_many_instances_as_what_waits_needs(waiting, held, alive, want, start):
    size = PoolSize(slots=4, least=1, most=3)
    assert wanted(size, waiting, held) == want
    assert missing(size, alive, waiting, held) == start


@given(
    st.integers(1, 8),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 100),
    st.integers(0, 100),
    st.integers(0, 20),
)
def test_a_pool_stays_within_its_bounds_and_has_room_for_all_below_the_most(slots, least, more, waiting, held, alive):
    size = PoolSize(slots, least, least + more)
    want = wanted(size, waiting, held)
    assert least <= want <= size.most
    assert want == size.most or want * slots >= waiting + held
    assert alive + missing(size, alive, waiting, held) >= want

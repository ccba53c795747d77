"""What the resolution of a conflict has left out: a table, then laws for any resolution that keeps both sides."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.quests.resolution import LONGEST_LINE, MOST_LINES, FileSides, dropped_change

BASE = "shop\n"
A = "shop\ncarts\n"
B = "shop\nvouchers\n"


def dropped(result, *, base=BASE, landed=A, own=B, now=None):
    sides = FileSides(base, landed, own, landed if now is None else now, result)
    found = dropped_change("README.md", ["a"], sides)
    return None if found is None else (found.text, found.lines)


LOST = ("README.md would lose 1 line of a", ("- carts",))
CASES = [
    ("its own side, whole", dropped(B), LOST),
    ("its own side and more", dropped("shop\nvouchers\nmore\n"), LOST),
    ("the whole file written new, as before", dropped("vouchers\n", own="vouchers\n", landed="carts\n"), LOST),
    ("both", dropped("shop\ncarts\nvouchers\n"), None),
    ("both, in another order", dropped("vouchers\ncarts\nshop\n"), None),
    ("the other side", dropped(A), None),
    ("words of its own for both", dropped("shop\ncarts and vouchers\n"), None),
    ("a part of the other side", dropped(B + "y\n", landed="shop\nx\ny\n"), None),
    ("what both had added is nobody's", dropped(B + "}\n", landed=A + "}\n", own=B + "}\n"), LOST),
    ("blank lines are nobody's", dropped(B, landed="shop\n\n"), None),
    ("others have removed it since", dropped(B, now="shop\n"), None),
    ("what was removed stays so", dropped(A, base="shop\nold\n", landed="shop\n", own="shop\nold\ncarts\n"), None),
    (
        "a line that was removed and came back",
        dropped("shop\nold\ncarts\n", base="shop\nold\n", landed="shop\n", own="shop\nold\ncarts\n"),
        ("README.md would get back 1 line that a removed", ("+ old",)),
    ),
    ("a changed file that is removed", dropped(None, own=None), LOST),
    (
        "a removed file that stays",
        dropped(B, landed=None, now=""),
        ("README.md would get back 1 line that a removed", ("+ shop",)),
    ),
    (
        "no text",
        dropped("\0b", base="\0", landed="\0a", own="\0b"),
        ("README.md would be as it was before the change of a", ()),
    ),
    ("no text, of neither side", dropped("\0c", base="\0", landed="\0a", own="\0b"), None),
    ("the landed side was no change", dropped(B, landed=BASE), None),
]


@pytest.mark.parametrize(("found", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_only_a_resolution_that_keeps_its_own_side_alone_drops_a_change(found, expected):
    assert found == expected


def test_of_many_and_long_lines_some_are_kept_and_the_others_counted():
    lines = [f"{number} {'x' * 300}" for number in range(14)]
    text, shown = dropped("own\n", base="", own="own\n", landed="".join(f"{line}\n" for line in lines))
    assert text == "README.md would lose 14 lines of a"
    assert len(shown) == MOST_LINES + 1
    assert shown[-1] == "… and 4 more"
    assert all(len(line) == LONGEST_LINE + 2 for line in shown[:-1])


@pytest.mark.parametrize(("whose", "named"), [(["a", "your own commits"], "a and your own commits"), ([], "others")])
def test_all_whose_changes_had_landed_there_are_named(whose, named):
    found = dropped_change("f", whose, FileSides(BASE, A, B, A, B))
    assert found is not None
    assert found.text == f"f would lose 1 line of {named}"


_TEXTS = st.lists(st.sampled_from(["a", "b", "c", "d", "", "}"]), max_size=6).map("\n".join)


@given(_TEXTS, _TEXTS, _TEXTS)
def test_what_its_own_side_added_beside_all_that_has_landed_is_never_a_loss(base, landed, own):
    added = Counter(own.splitlines()) - Counter(base.splitlines())
    assert dropped("\n".join([landed, *added.elements()]), base=base, landed=landed, own=own) is None


@given(_TEXTS, _TEXTS, _TEXTS, _TEXTS)
def test_whoever_keeps_the_target_as_it_is_drops_nothing(base, landed, own, now):
    assert dropped(now, base=base, landed=landed, own=own, now=now) is None

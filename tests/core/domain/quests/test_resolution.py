"""What the resolution of a conflict has left out: a table, then laws for any resolution that keeps both sides."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.quests.quest import DroppedChange
from overmind_core.domain.quests.resolution import (
    LONGEST_LINE,
    MOST_LINES,
    ConflictTexts,
    FileLoss,
    LandedTexts,
    dropped_brief,
    dropped_change,
    file_loss,
    is_within,
    lost_again,
    together,
)
from tests.kit.cases import tabled

BASE = "shop\n"
A = "shop\ncarts\n"
B = "shop\nvouchers\n"


def dropped(result, *, base=BASE, landed=A, own=B, now=None):
    now = landed if now is None else now
    return undone([ConflictTexts(base, landed, own)], now, result, [LandedTexts("a", base, landed)])


def undone(met, now, result, landings):
    loss = file_loss(met, now, result)
    if loss is None:
        return None
    found = dropped_change("README.md", loss, now, met[0].base, landings)
    return found.text, found.lines


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


P, R = "one\nP\n", "one\nP\nR\n"
FIRST, SECOND = ConflictTexts("one\n", P, "Q\n"), ConflictTexts(P, R, "Q\n")
BY_BOTH = [LandedTexts("p", "one\n", P), LandedTexts("r", P, R)]
ALL_LOST = ("README.md would lose 2 lines of p and r", ("- P", "- R"))
OLD = "one\nold\n"


@pytest.mark.parametrize(
    ("met", "now", "result", "landings", "expected"),
    [
        pytest.param([FIRST, SECOND], R, "Q\n", BY_BOTH, ALL_LOST, id="each of two conflicts"),
        pytest.param([FIRST], R, "Q\n", BY_BOTH, ALL_LOST, id="what landed after the conflict"),
        pytest.param([FIRST, SECOND], R, "Q\nR\n", BY_BOTH, ("README.md would lose 1 line of p", ("- P",)),
                     id="a later one that is kept names nobody"),
        pytest.param([FIRST, SECOND], R, "P\nQ\n", BY_BOTH, ("README.md would lose 1 line of r", ("- R",)),
                     id="an earlier one that is kept names nobody"),
        pytest.param([FIRST, SECOND], R, "P\nQ\nR\n", BY_BOTH, None, id="all is kept"),
        pytest.param([FIRST], R, "Q\n", BY_BOTH[:1], ("README.md would lose 2 lines of p and your own commits",
                     ("- P", "- R")), id="a person's own commit"),
        pytest.param([FIRST], R, "Q\n", [], ("README.md would lose 2 lines of your own commits", ("- P", "- R")),
                     id="a person's own commits"),
        pytest.param([FIRST], R, "Q\n", [*BY_BOTH, LandedTexts("s", R, R)], ALL_LOST,
                     id="who landed elsewhere is not named"),
        pytest.param([ConflictTexts(OLD, "one\nP\n", OLD + "Q\n")], "one\nP\n", OLD + "Q\n",
                     [LandedTexts("p", OLD, "one\n"), LandedTexts("r", "one\n", "one\nP\n")],
                     ("README.md would lose 1 line of r and get back 1 line that p removed", ("- P", "+ old")),
                     id="lines that go and lines that come back"),
        pytest.param([ConflictTexts("\0", "\0a", "\0b")], "\0c", "\0b",
                     [LandedTexts("p", "\0", "\0a"), LandedTexts("r", "\0a", "\0c"), LandedTexts("s", "\0c", "\0c")],
                     ("README.md would be as it was before the change of p and r", ()), id="no text, changed again"),
    ],
)  # fmt: skip
def test_all_that_has_landed_since_the_work_began_and_would_go_is_named_with_those_who_landed_it(
    met, now, result, landings, expected
):
    assert undone(met, now, result, landings) == expected


def test_many_who_landed_are_listed():
    texts = ["one\n", "one\na\n", "one\na\nb\n", "one\na\nb\nc\n"]
    landings = [LandedTexts(name, *texts[at : at + 2]) for at, name in enumerate("abc")]
    text, _ = undone([ConflictTexts("one\n", texts[1], "Q\n")], texts[-1], "Q\n", landings)
    assert text == "README.md would lose 3 lines of a, b and c"


@pytest.mark.parametrize(
    ("now", "result", "within"),
    [
        pytest.param(P, "Q\n", True, id="the same"),
        pytest.param(P + "kept\n", "Q\nkept\n", True, id="what has landed since is kept"),
        pytest.param(R, "Q\n", False, id="more lines"),
        pytest.param(P + "P\n", "Q\n", False, id="the same line twice"),
        pytest.param("\0", "Q\n", False, id="no text"),
    ],
)
def test_what_a_person_allowed_to_go_is_what_was_shown_and_no_more(now, result, within):
    allowed, loss = file_loss([FIRST], P, "Q\n"), file_loss([FIRST], now, result)
    assert allowed is not None
    assert loss is not None
    assert is_within(loss, allowed) is within


def test_where_the_own_side_was_taken_in_a_conflict_all_that_is_gone_is_named_though_something_is_kept():
    met = ConflictTexts("one\n", "one\nP\nR\n", "Q\n")
    assert file_loss([met], met.landed, "Q\nR\n") is None
    loss = file_loss([met], met.landed, "Q\nR\n", own_wins=True)
    assert loss is not None
    assert (dict(loss.lost), dict(loss.back)) == ({"P": 1}, {})
    assert file_loss([met], met.landed, "Q\nP\nR\n", own_wins=True) is None


_TEXTS = st.lists(st.sampled_from(["a", "b", "c", "d", "", "}"]), max_size=6).map("\n".join)


@given(_TEXTS, _TEXTS, _TEXTS)
def test_what_its_own_side_added_beside_all_that_has_landed_is_never_a_loss(base, landed, own):
    added = Counter(own.splitlines()) - Counter(base.splitlines())
    assert dropped("\n".join([landed, *added.elements()]), base=base, landed=landed, own=own) is None


@given(_TEXTS, _TEXTS, _TEXTS, _TEXTS)
def test_whoever_keeps_the_target_as_it_is_drops_nothing(base, landed, own, now):
    assert dropped(now, base=base, landed=landed, own=own, now=now) is None


@tabled(
    ("texts", "brief"),
    [
        ((), ""),
        (("a would lose 1 line of b",), "a would lose 1 line of b"),
        (("a would lose 1 line of b", "c would get back 2 lines"), "a would lose 1 line of b; more in 1 other file"),
        (("x", "y", "z"), "x; more in 2 other files"),
    ],
)
def test_of_many_files_that_would_lose_something_the_first_is_told_in_few_words(texts, brief):
    assert dropped_brief([DroppedChange(text[:1], text) for text in texts]) == brief


def losing(lost=(), back=(), replaced=None):
    return FileLoss(Counter(lost), Counter(back), replaced)


@tabled(
    ("denied", "now", "result", "loss"),
    [
        (losing(["carts"]), A, "shop\ncoupons\n", losing(["carts"])),
        (losing(["carts", "carts"]), A, BASE, losing(["carts"])),
        (losing(["carts"]), "carts\ncarts\n", "carts\n", losing(["carts"])),
        (losing(["carts"]), A, "shop\ncarts\ncoupons\n", None),
        (losing(["carts"]), "shop\ngifts\n", BASE, None),
        (losing(["carts"]), A, None, losing(["carts"])),
        (losing(["carts"]), A, A, None),
        (losing([], ["old"]), BASE, "shop\nold\n", losing([], ["old"])),
        (losing([], ["old"]), "shop\nold\n", "shop\nold\nnew\n", None),
        (losing(replaced="\0a"), "\0a", "\0b", losing(replaced="\0a")),
        (losing(replaced="\0a"), "\0c", "\0b", None),
        (None, A, "shop\n", losing(["carts"])),
        (None, A, A + "more\n", None),
        (None, "\0a", "\0b", losing(replaced="\0a")),
        (None, None, "new\n", None),
    ],
)
def test_what_a_person_wants_to_stay_is_lost_again_whatever_was_written_in_its_place(denied, now, result, loss):
    assert lost_again(denied, now, result) == loss


def test_what_several_landings_would_undo_is_all_that_one_of_them_would():
    several = [losing(["a", "a"], ["x"]), losing(["a", "b"]), losing(replaced=""), losing(replaced="\0")]
    assert together(several) == losing(["a", "a", "b"], ["x"], "")
    assert together([]) == losing()

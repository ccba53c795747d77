"""Finding by letters: the table of points, and the order that follows from it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.view import finding
from overmind_core.view.finding import Findable, Kind
from tests.kit.cases import tabled

A, M, V, C = Kind.ACTION, Kind.MISSION, Kind.VIEW, Kind.COMMAND
SCORES = [
    ("stop", "", 0), ("stop", "s", 12), ("stop", "st", 20), ("stop", "stop", 12 + 3 * 8 + 15), ("stop", "STOP", 51),
    ("stop", "sp", 12 + 1 - 2), ("stop", "t", 1), ("stop", "x", None), ("stop", "pots", None), ("stop", "stopp", None),
    ("quest run", "qr", 12 + 10 - 4), ("quest run", "run", 10 + 8 + 8), ("shop-tests", "st", 12 + 10 - 4),
    ("shop-tests", "tests", 10 + 4 * 8), ("", "a", None), ("", "", 15), ("übung", "ÜB", 20),
]  # fmt: skip


@tabled(("name", "letters", "points"), SCORES)
def test_letters_at_beginnings_and_behind_each_other_have_most_points(name, letters, points):
    assert finding.score(name, letters) == (points if letters or not name else 0)


@tabled(
    ("sentence", "piece", "points"),
    [
        ("show its log", "log", 13), ("show its log", "show", 14), ("show its log", "how", 4),
        ("show its log", "shlog", None),
    ],
)  # fmt: skip
def test_of_a_sentence_a_piece_is_found_and_no_scattered_letters(sentence, piece, points):
    assert finding.in_sentence(sentence, piece) == points


ITEMS = [
    Findable(A, "stop", "", "stop it: send its stop signal, then SIGKILL"), Findable(A, "log", "", "show its log"),
    Findable(A, "describe", "describe-row", "describe it"), Findable(M, "stop-light"), Findable(M, "api"),
    Findable(M, "log-mover"), Findable(V, "logs", "l log", "log of the selected or named mission"),
    Findable(C, "stop", "", "stop missions"), Findable(C, "quest logs", "", "show the log of a quest"),
]  # fmt: skip


def names(groups):
    return [[f"{ITEMS[place].kind.name.lower()} {ITEMS[place].name}" for place in group] for group in groups]


@tabled(
    ("letters", "found"),
    [
        ("stop", [["action stop"], ["command stop"], ["mission stop-light"]]),
        ("sl", [["mission stop-light"], ["command quest logs"]]),
        ("log", [["action log"], ["view logs"], ["mission log-mover"], ["command quest logs"]]),
        ("quest log", [["command quest logs"]]),
        ("log quest", [["command quest logs"]]),
        ("SIGKILL", [["action stop"]]),
        ("zz", []),
    ],
)
def test_the_best_stands_first_and_its_kind_with_it(letters, found):
    assert names(finding.ranked(ITEMS, letters, 100)) == found


def test_without_letters_all_stand_in_their_own_order_as_many_as_are_wanted():
    assert finding.ranked(ITEMS, "", 100) == [[0, 1, 2], [3, 4, 5], [6], [7, 8]]
    assert finding.ranked(ITEMS, " ", 4) == [[0, 1, 2], [3]]


@given(st.text(max_size=40), st.text(max_size=10))
def test_letters_are_found_exactly_where_they_stand_in_their_order(name, letters):
    rest = iter(name.casefold())
    stands = all(letter in rest for letter in letters.casefold())
    assert (finding.score(name, letters) is not None) is stands


@given(st.text("abc -", max_size=12), st.text("abc", min_size=1, max_size=4))
def test_the_points_are_those_of_the_best_places(name, letters):
    """Against all places that there are."""

    def every(rest, at):
        if not rest:
            yield []
            return
        for place in range(at, len(name)):
            if name[place] == rest[0]:
                for more in every(rest[1:], place + 1):
                    yield [place, *more]

    def worth(places):
        total = 0
        for number, place in enumerate(places):
            before = places[number - 1] if number else None
            if before is not None:
                total -= min(place - before - 1, finding.MOST_SKIPPED)
            follows = before is not None and before == place - 1
            total += finding._points(name, place, follows=follows)
        return total + (finding.WHOLE if name == letters else 0)

    best = max(map(worth, every(letters, 0)), default=None)
    found = finding.score(name, letters)
    assert (found is None) is (best is None)
    assert best is None or found == best

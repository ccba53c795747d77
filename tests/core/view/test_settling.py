"""The rest of the list: what may move while a person looks at it and presses keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.view.columns import Order
from overmind_core.view.grouping import grouped, ordered
from overmind_core.view.groups import Group, Wish
from overmind_core.view.settling import CALM_SECONDS, HELD_SECONDS, PACE_SECONDS, Pace, SettledOrder, Settling
from tests.kit.cases import tabled
from tests.kit.screen_list import NOW, agent, ended, mission, question


class Screen:
    """A list as it is shown, and its missions."""

    def __init__(self, *rows):
        self.settling = Settling()
        self.rows = {row["id"]: row for row in rows}
        self.wish = Wish()
        self.show(0.0, "")

    def change(self, one, **fields):
        self.rows[one] = {**self.rows[one], **fields}

    def show(self, now, cursor, **more):
        rows = ordered(self.rows.values(), None, NOW)
        asked = [question(1, one["id"], 5.0, "x") for one in rows if one["activity"] == "waiting"]
        wanted = grouped(rows, asked, NOW, self.wish)
        found = self.settling.settled(wanted, self.rows, cursor, now, **more)
        self.ended, self.counts = found.ended, found.counts
        return {group.value: [one.id for one in found.of(group)] for group in Group if found.of(group)}


def three():
    return Screen(*(mission(one, 90.0 - place) for place, one in enumerate("abc")))


ASKS = {"activity": "waiting", "type": "session"}
PLACES = {"running": ["a", "b", "c"]}
MOVED = {"needs": ["b"], "running": ["a", "c"]}


def test_a_row_goes_where_it_belongs_if_nobody_presses_a_key():
    screen = three()
    screen.change("b", **ASKS)
    assert screen.show(10.0, "b") == MOVED
    assert screen.settling.due is None


def test_nothing_comes_goes_or_shifts_right_after_a_key():
    screen = three()
    screen.settling.press(10.0)
    screen.change("b", **ASKS)
    screen.rows["d"] = mission("d", 1.0)
    del screen.rows["c"]
    assert screen.show(10.4, "a") == PLACES
    assert screen.settling.due == 10.0 + CALM_SECONDS
    assert screen.show(10.5, "a") == {"needs": ["b"], "running": ["a", "d"]}
    assert screen.settling.due is None


def test_a_person_who_rearranges_the_list_sees_it_at_once():
    screen = three()
    screen.settling.press(10.0)
    screen.change("b", **ASKS)
    assert screen.show(10.1, "b", asked=True) == MOVED


def test_one_that_was_killed_is_dimmed_where_it_stands():
    screen = three()
    screen.settling.press(10.0)
    screen.change("b", status="killed", ended_at="2026-11-28T14:00:00.000Z")
    assert screen.show(10.1, "b") == PLACES
    shown = {one.id: one.dimmed for one in screen.settling._shown.entries}
    assert shown == {"a": False, "b": True, "c": False}
    assert screen.show(15.0, "b") == PLACES, "the cursor is on it"
    screen.change("b", status="running", ended_at=None)
    screen.show(15.1, "b")
    assert not any(one.dimmed for one in screen.settling._shown.entries), "it was started again"


def test_the_row_under_the_cursor_stays_until_no_key_is_pressed_for_a_while():
    screen = three()
    screen.settling.press(10.0)
    screen.change("b", **ASKS)
    assert screen.show(11.0, "b") == PLACES
    assert screen.settling.due == 10.0 + HELD_SECONDS
    screen.settling.press(12.0)
    assert screen.show(13.5, "b") == PLACES
    assert screen.show(15.0, "b") == MOVED


def test_the_row_stays_until_the_cursor_leaves_it():
    screen = three()
    screen.settling.press(10.0)
    screen.change("b", **ASKS)
    assert screen.show(11.0, "b") == PLACES
    screen.settling.press(11.5)
    assert screen.show(11.6, "c") == PLACES
    assert screen.show(12.0, "c") == MOVED


def test_a_row_that_would_go_out_of_sight_stays_while_the_cursor_is_on_it():
    screen = Screen(mission("a", 9.0), ended("b", 5.0, "failed", unseen=True))
    screen.change("b", unseen=False)
    assert screen.show(99.0, "b") == {"running": ["a"], "above": ["b"]}
    assert screen.settling.due is None
    assert screen.show(99.5, "a") == {"running": ["a"]}


def test_a_row_that_is_held_is_not_counted_among_those_that_ended():
    screen = Screen(mission("a", 9.0), ended("b", 5.0), ended("c", 4.0, parent="a"))
    screen.change("a", status="stopped", outcome="succeeded", exit_code=0, unseen=False)
    for cursor, counts in (("a", {"succeeded": 2}), (None, {"succeeded": 3})):
        rows = ordered(screen.rows.values(), None, NOW)
        found = screen.settling.settled(grouped(rows, [], NOW), screen.rows, cursor, 10.0)
        assert [one.id for one in found.entries] == ["a"] * (cursor == "a")
        assert found.ended == counts
        assert sum(found.ended.values()) == found.counts[Group.BELOW]


def test_one_that_was_just_started_has_a_row_until_the_cursor_leaves_it_though_it_has_ended():
    screen = Screen(mission("a", 9.0), ended("b", 5.0), ended("c", 4.0))
    assert screen.show(9.0, "a", asked=True, brings="c") == {"running": ["a", "c"]}
    assert screen.ended == {"succeeded": 1}
    assert screen.counts[Group.BELOW] == 1
    assert screen.show(99.0, "c") == {"running": ["a", "c"]}
    assert screen.show(99.5, "a") == {"running": ["a"]}
    assert screen.ended == {"succeeded": 2}
    assert screen.show(99.6, "a", asked=True, brings="a") == {"running": ["a"]}


def test_a_row_that_was_removed_goes():
    screen = three()
    screen.settling.press(10.0)
    del screen.rows["b"]
    assert screen.show(11.0, "b") == {"running": ["a", "c"]}


def test_a_row_in_its_place_shows_what_is_known_now():
    screen = three()
    screen.settling.press(10.0)
    screen.change("b", **ASKS, now="Bash: make")
    rows = ordered(screen.rows.values(), None, NOW)
    found = screen.settling.settled(grouped(rows, [question(1, "b", 5.0, "x")], NOW), screen.rows, "b", 11.0)
    entry = found.running[1]
    assert (entry.row["now"], entry.need.kind, entry.questions) == ("Bash: make", "permission", 1)


def test_what_comes_elsewhere_does_not_wait_for_the_row_under_the_cursor():
    screen = three()
    screen.settling.press(10.0)
    screen.change("b", **ASKS)
    screen.rows["d"] = mission("d", 1.0)
    assert screen.show(11.0, "b") == {"running": ["a", "b", "c", "d"]}


def test_an_answered_question_stays_under_the_cursor():
    screen = Screen(mission("a", 90.0), agent("b", 80.0, "waiting", 5.0, 0.1, "x"))
    screen.settling.press(10.0)
    screen.change("b", activity="working")
    assert screen.show(10.6, "b") == {"needs": ["b"], "running": ["a"]}
    assert screen.show(13.0, "b") == {"running": ["a", "b"]}


def test_a_question_about_no_mission_stays_until_the_cursor_leaves_it_or_can_go_nowhere_else():
    gate = {
        **question(1, "s", 5.0, "x"),
        "need": "phase",
        "part": "tasks",
        "about": {"kind": "spec", "id": "s", "name": "login"},
    }
    for rows, left in (([mission("a", 90.0)], ["s", "a"]), ([ended("a", 5.0)], ["s"]), ([], [])):
        known = {row["id"]: row for row in rows}
        settling = Settling()
        settling.settled(grouped(rows, [gate], NOW, Wish()), known, "s", 0.0)
        settling.press(10.0)
        over = grouped(rows, [], NOW, Wish())
        held = settling.settled(over, known, "s", 10.0 + CALM_SECONDS)
        assert next(held.entries).id == "s"
        assert settling.due == (None if left else 10.0 + HELD_SECONDS)
        shown = settling.settled(over, known, "s", 10.0 + HELD_SECONDS)
        assert [one.id for one in shown.entries] == left


def test_output_and_load_move_nothing():
    screen = three()
    for at in range(60):
        screen.change("b", cpu_percent=float(at), now=f"line {at}", cost_usd=at / 10)
        assert screen.show(float(at), "a") == PLACES


STEPS = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from(["asks", "works", "ends", "fails"]), st.booleans()),
    max_size=12,
)


@given(STEPS, st.sampled_from("abcde"))
def test_nobody_is_lost_or_shown_twice_and_the_cursor_keeps_its_neighbours(steps, cursor):
    screen = Screen(*(mission(one, 90.0 - place) for place, one in enumerate("abcde")))
    before = screen.show(0.0, cursor)
    for now, (one, how, pressed) in enumerate(steps):
        change(screen, one, how)
        if pressed:
            screen.settling.press(float(now))
        found = screen.show(now + 0.25, cursor)
        shown = [one for ids in found.values() for one in ids]
        assert len(shown) == len(set(shown))
        if pressed:
            assert found == before
        assert cursor in shown
        before = found
    last = screen.show(99.0, None)
    fresh = Screen(*screen.rows.values())
    assert last == fresh.show(99.0, None)


def change(screen, one, how):
    if how == "asks":
        screen.change(one, status="running", outcome=None, **ASKS)
    elif how == "works":
        screen.change(one, status="running", outcome=None, activity="working")
    elif how in {"ends", "fails"}:
        outcome = "succeeded" if how == "ends" else "failed"
        screen.rows[one] = {**ended(one, 1.0, outcome, unseen=True), "started_at": screen.rows[one]["started_at"]}


IN_ORDER = [
    ("abc", "cab", {}, "abc"),
    ("abc", "cab", {"c": "failed"}, "cab"),
    ("abc", "acb", {"c": "failed"}, "acb"),
    ("abc", "bdca", {}, "abdc"),
    ("abc", "ba", {}, "ab"),
    ("", "ba", {}, "ba"),
]


@tabled(("before", "now", "changed", "so"), IN_ORDER)
def test_an_order_by_figures_holds_until_a_state_changes(before, now, changed, so):
    order = SettledOrder()
    order.settled([mission(one, 9.0) for one in before])
    found = order.settled([mission(one, 9.0, "crashed" if one in changed else "running") for one in now])
    assert "".join(row["id"] for row in found) == so


def test_asking_for_an_order_again_sorts_again():
    order = SettledOrder()
    rows = [mission("a", 9.0, cpu_percent=9.0), mission("b", 8.0, cpu_percent=1.0)]
    order.settled(Order("cpu").of(rows, NOW))
    rows[1]["cpu_percent"] = 50.0
    wanted = Order("cpu").of(rows, NOW)
    assert [row["id"] for row in order.settled(wanted)] == ["a", "b"]
    assert [row["id"] for row in order.settled(wanted, asked=True)] == ["b", "a"]


@given(st.permutations(range(6)), st.permutations(range(8)))
def test_a_settled_order_loses_nobody(before, now):
    order = SettledOrder()
    order.settled([mission(str(one), 9.0) for one in before])
    found = [int(row["id"]) for row in order.settled([mission(str(one), 9.0) for one in now])]
    assert sorted(found) == sorted(now)
    assert [one for one in found if one in before] == list(before)


def test_a_sentence_changes_at_most_twice_a_second():
    pace = Pace()
    said = [pace.paced("a", f"line {tick}", tick / 10) for tick in range(11)]
    assert said == ["line 0"] * 5 + ["line 5"] * 5 + ["line 10"]
    assert pace.due == 0.5 + PACE_SECONDS
    assert pace.paced("b", "other", 0.9) == "other"
    pace.keep(["b"])
    assert pace.paced("a", "new", 1.01) == "new"

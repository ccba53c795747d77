"""Missions in groups: who stands in which, below whom, and what is folded."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from overmind_core.view import row_filter
from overmind_core.view.columns import Order
from overmind_core.view.grouping import grouped, ordered
from overmind_core.view.groups import Group, Wish
from tests.kit.cases import tabled
from tests.kit.screen_list import DAY, NOW, QUESTIONS, agent, ended, mission, question


def listing(rows, questions=(), wish=None, **more):
    wish = wish or Wish()
    return grouped(ordered(rows, wish.order, NOW), questions, NOW, wish, **more)


def shown(found):
    return {group.value: [_written(one) for one in found.of(group)] for group in Group if found.of(group)}


def _written(entry):
    parent = f" < {entry.parent}" if entry.parent else ""
    folded = f" +{entry.folded}" if entry.folded else ""
    return f"{entry.guides}{entry.name}{parent}{folded}{' dim' if entry.dimmed else ''}"


def asking(one, ago=10.0, **more):
    return agent(one, 100.0, "waiting", ago, 0.1, "Bash: make", **more)


def lost(one):
    return ended(one, 5.0, "lost", reason="keeper_lost", lost=True, unseen=True)


FAMILY = [
    mission("plan", 90.0, type="blueprint"),
    mission("a", 80.0, parent="plan", name="plan/a"),
    mission("b", 70.0, parent="plan", name="plan/b"),
    mission("b1", 60.0, parent="b"),
    mission("b2", 50.0, parent="b"),
    mission("c", 40.0, parent="plan", name="plan/c"),
    mission("z", 30.0),
]


def with_(rows, **changed):
    return [changed.get(row["id"], row) for row in rows]


def as_asking(row):
    return {**row, "activity": "waiting"}


def as_ended(row, outcome="succeeded", **more):
    return {
        **ended(row["id"], 1.0, outcome),
        "parent": row["parent"],
        "name": row["name"],
        "started_at": row["started_at"],
        **more,
    }


A, B, B1 = FAMILY[1], FAMILY[2], FAMILY[3]
PLACED = [
    ([], (), {}),
    (FAMILY, (), {"running": ["plan", "├ a", "├ b", "│ ├ b1", "│ └ b2", "└ c", "z"]}),
    (  # the children of one that needs you stay where they are, with its name
        with_(FAMILY, b=as_asking(B)), (question(1, "b", 9.0, "x"),),
        {"needs": ["b < plan"], "running": ["plan", "├ a", "├ b1 < plan/b", "├ b2 < plan/b", "└ c", "z"]},
    ),
    (
        with_(FAMILY, plan=as_asking(FAMILY[0])), (),
        {"needs": ["plan"], "running": ["a < plan", "b < plan", "├ b1", "└ b2", "c < plan", "z"]},
    ),
    (  # what has ended in a family that lives is a part of the line of its root
        with_(FAMILY, a=as_ended(A), b1=as_ended(B1)), (), {"running": ["plan", "├ b", "│ └ b2", "└ c", "z"]},
    ),
    (with_(FAMILY, b=as_ended(B)), (), {"running": ["plan", "├ a", "├ b1 < plan/b", "├ b2 < plan/b", "└ c", "z"]}),
    (  # unless it failed, and nobody has looked
        with_(FAMILY, a=as_ended(A, "failed", unseen=True)), (),
        {"running": ["plan", "├ b", "│ ├ b1", "│ └ b2", "└ c", "z"], "above": ["a < plan"]},
    ),
    ([ended("x", 5.0, "failed"), ended("y", 4.0)], (), {}),
    ([ended("x", 5.0, "failed", unseen=True), ended("y", 4.0, "timed out", unseen=True)], (), {"above": ["y", "x"]}),
    ([ended("x", 5.0, unseen=True), ended("y", 4.0, "stopped", unseen=True)], (), {}),
    ([lost("x"), asking("y")], (), {"needs": ["y", "x"]}),
    (
        [agent("t", 99.0, "idle", 50.0, 0.1, "Done.", unseen=True), asking("late", 5.0), asking("early", 20.0)],
        (question(1, "late", 5.0, "x"), question(2, "early", 20.0, "y")), {"needs": ["early", "late", "t"]},
    ),
    ([agent("t", 99.0, "idle", 50.0, 0.1, "Done.")], (), {"running": ["t"]}),
    (  # work that goes on has not ended, although its mission has
        [ended("w", 5.0, None, quest_state="checking"), ended("v", 4.0, None, quest_state="tried again")],
        (), {"running": ["w"]},
    ),
]  # fmt: skip


@tabled(("rows", "questions", "found"), PLACED)
def test_missions_stand_in_their_groups(rows, questions, found):
    assert shown(listing(rows, questions)) == {
        key: [one.replace(" dim", "") for one in some] for key, some in found.items()
    }


WISHES = [
    (Wish(folded={"b"}), {"running": ["plan", "├ a", "├ b +2", "└ c", "z"]}),
    (Wish(flat=True), {"running": ["plan", "a < plan", "b < plan", "b1 < plan/b", "b2 < plan/b", "c < plan", "z"]}),
    (Wish(order=Order("name", inverted=True)), {"running": ["z", "plan", "├ c", "├ b", "│ ├ b2", "│ └ b1", "└ a"]}),
    (Wish(filter=row_filter.parsed("b1")), {"running": ["plan dim", "└ b dim", "  └ b1"]}),
    (Wish(filter=row_filter.parsed("b1"), flat=True), {"running": ["b1 < plan/b"]}),
    (Wish(attention=True), {}),
    (Wish(grouped=False), {"plain": ["plan", "├ a", "├ b", "│ ├ b1", "│ └ b2", "└ c", "z"]}),
]


@tabled(("wish", "found"), WISHES)
def test_the_list_is_arranged_as_somebody_wants_it(wish, found):
    assert shown(listing(FAMILY, (), wish)) == found


NEEDING = [asking("b", 5.0), asking("a", 20.0), mission("d", 9.0), asking("c", 9.0), mission("e", 8.0)]
SORTED = [
    (None, {"needs": ["a", "c", "b"], "running": ["d", "e"]}),
    (Order("name"), {"needs": ["a", "b", "c"], "running": ["d", "e"]}),
    (Order("name", inverted=True), {"needs": ["c", "b", "a"], "running": ["e", "d"]}),
    (Order("cpu"), {"needs": ["b", "c", "a"], "running": ["d", "e"]}),
]


@tabled(("order", "found"), SORTED)
def test_who_needs_a_person_is_sorted_by_a_column_within_their_group(order, found):
    load = {"a": 1.0, "b": 9.0, "c": 5.0, "d": 99.0, "e": 50.0}
    rows = [{**row, "cpu_percent": load[row["id"]]} for row in NEEDING]
    assert shown(listing(rows, (), Wish(order=order))) == found


def test_what_has_no_mission_is_above_all_that_are_sorted():
    gate = question(
        1,
        "s1",
        5.0,
        "Review the design?",
        need="phase",
        part="design",
        about={"kind": "spec", "id": "s1", "name": "carts"},
    )
    found = listing(NEEDING, (gate,), Wish(order=Order("name")))
    assert [one.id for one in found.needs] == ["s1", "a", "b", "c"]


def test_who_needs_attention_are_those_above_and_failures_that_nobody_has_seen():
    rows = [
        agent("turn", 99.0, "idle", 50.0, 0.1, "Done.", unseen=True), agent("seen", 99.0, "idle", 50.0, 0.1, "Done."),
        asking("q", 5.0), ended("old", 9.0, "failed"), ended("new", 8.0, "failed", unseen=True), mission("r", 9.0),
    ]  # fmt: skip
    found = listing(rows, (), Wish(attention=True, unfolded=True))
    assert shown(found) == {"needs": ["q", "turn"], "above": ["new"]}


def test_members_that_ended_are_shown_in_place():
    rows = with_(FAMILY, a=as_ended(A))
    assert shown(listing(rows, (), Wish(opened={"plan"})))["running"][:2] == ["plan", "├ a dim"]


def test_a_filter_finds_members_that_ended_and_counts_those_behind_the_fold():
    rows = [*with_(FAMILY, a=as_ended(A)), ended("alpha", 3.0), ended("x", 3.0)]
    found = listing(rows, (), Wish(filter=row_filter.parsed("^a|plan/a")))
    assert shown(found)["running"][:2] == ["plan dim", "└ a dim"]
    assert found.ended == {"succeeded": 1}
    assert found.every[Group.BELOW] == 2


def progress_of(rows, **more):
    found = listing(rows, **more).running[0].progress
    return found and (dict(found.ended), found.total, found.running)


def test_the_progress_of_a_plan_counts_its_agents():
    rows = with_(FAMILY, a=as_ended(A), b1=as_ended(B1, "failed"))
    assert progress_of(rows, sizes={"plan": 9}) == ({"succeeded": 1}, 9, ["b", "c"])
    assert progress_of(rows) == ({"succeeded": 1}, None, ["b", "c"])
    assert progress_of(FAMILY) is None
    tried = ended("a0", 5.0, None, parent="plan", quest_state="tried again")
    assert progress_of([*FAMILY, tried], sizes={"plan": 3}) == ({}, 3, ["a", "b", "c"])


def test_the_progress_of_a_family_counts_all_of_it():
    rows = with_([{**FAMILY[0], "type": "session"}, *FAMILY[1:]], a=as_ended(A), b1=as_ended(B1, "failed"))
    assert progress_of(rows) == ({"succeeded": 1, "failed": 1}, 5, ["plan/b", "b2", "plan/c"])


def test_two_questions_of_one_mission_are_one_row():
    questions = [question(1, "a", 5.0, "second"), question(2, "a", 50.0, "first")]
    (entry,) = listing([asking("a")], questions).needs
    assert (entry.questions, entry.need.summary) == (2, "first")


def test_a_question_about_what_is_no_mission_has_a_row():
    about = {"kind": "quest", "id": "q1", "name": "fix"}
    asked = question(1, "q1", 5.0, "review of fix", name="fix", about=about, need="review", part="")
    (entry,) = listing([], [asked]).needs
    assert (entry.id, entry.name) == ("q1", "fix")


def test_those_that_ended_unfold_with_the_newest_end_above():
    rows = [ended("x", 5.0), ended("y", 3.0), ended("z", 4.0, "failed", unseen=True), mission("r", 9.0)]
    found = listing(rows, (), Wish(unfolded=True))
    assert shown(found) == {"running": ["r"], "above": ["z"], "below": ["y", "x"]}
    assert found.above_fold == ["r", "z"]


def test_the_fold_counts_by_outcome_and_says_that_something_is_new():
    found = listing([ended("x", 5.0), ended("y", 3.0, "stopped", unseen=True), ended("z", 3.0, "failed")])
    assert (dict(found.ended), found.has_news, found.below) == ({"succeeded": 1, "failed": 1, "stopped": 1}, True, ())
    assert list(found.ended) == ["succeeded", "failed", "stopped"]


def test_groups_say_how_many_a_filter_leaves():
    found = listing(DAY, QUESTIONS, Wish(filter=row_filter.parsed("cart.200|^api|done-1")))
    assert (found.counts[Group.NEEDS], found.every[Group.NEEDS]) == (1, 3)
    assert (found.counts[Group.RUNNING], found.every[Group.RUNNING]) == (1, 9)
    assert (found.counts[Group.BELOW], found.every[Group.BELOW]) == (11, 32)


STATES = st.sampled_from(["running", "asks", "succeeded", "failed", "unseen"])


def _made(number, how, parent):
    made: dict[str, Any] = {"parent": None if parent is None else f"m{parent}"}
    if how == "running":
        return mission(f"m{number}", 99.0 - number, **made)
    if how == "asks":
        return asking(f"m{number}", **made)
    return ended(f"m{number}", 5.0, "succeeded" if how == "succeeded" else "failed", unseen=how == "unseen", **made)


@given(st.lists(st.tuples(STATES, st.integers(0, 9)), max_size=20), st.booleans(), st.booleans())
def test_every_mission_has_one_place(shapes, flat, unfolded):
    rows = [
        _made(number, how, parent if parent < number else None) for number, (how, parent) in enumerate(shapes)
    ]  # fmt: skip
    found = listing(rows, (), Wish(flat=flat, unfolded=unfolded))
    ids = [entry.id for entry in found.entries]
    assert len(ids) == len(set(ids))
    folded = 0 if unfolded else sum(found.ended.values())
    inside = sum(sum(one.progress.ended.values()) for one in found.running if one.progress is not None)
    needing = {entry.id for entry in found.needs}
    assert needing == {row["id"] for row in rows if row["activity"] == "waiting"}
    assert {row["id"] for row in rows if row["status"] == "running"} - needing == {one.id for one in found.running}
    assert len(ids) + folded <= len(rows)
    if flat:
        assert (len(ids) + folded, inside) == (len(rows), 0)


def test_a_chain_of_a_thousand_is_arranged():
    rows = [mission(f"m{n}", 2000.0 - n, parent=f"m{n - 1}" if n else None) for n in range(1000)]
    assert len(listing(rows).running) == 1000
    rows[500] = as_ended(rows[500])
    assert [one.parent for one in listing(rows).running].count("m500") == 1

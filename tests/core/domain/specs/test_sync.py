"""Tasks become quests once: what a sync creates, changes and cancels follows from ids, hashes and how quests stand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.quests.quest import Goal, Priority, QuestStatus
from overmind_core.domain.specs.check import CheckContext, check
from overmind_core.domain.specs.markdown import parse, render
from overmind_core.domain.specs.reading import owned, read
from overmind_core.domain.specs.shape import CriticalPath, SpecTask, Sync, Tasks
from overmind_core.domain.specs.spec import PHASES, quest_name
from overmind_core.domain.specs.sync import (
    SyncAction,
    SyncedTask,
    compute,
    conflicts,
    counts,
    critical_path,
    goal_of,
    priority_of,
    steps,
    task_hash,
)
from overmind_core.domain.text.globs import can_meet, glob_problem
from tests.kit.cases import tabled
from tests.kit.spec_documents import FILES, WHOLE, tasks

EXPLORE, REQUIREMENTS, DESIGN, TASKS, SYNC = PHASES
QUEUED, RUNNING, REVIEW, COMPLETED, FAILED, CANCELLED = QuestStatus


def context(**changed):
    documents = {phase: read(phase, changed.get(phase, WHOLE[phase])).document for phase in PHASES[:-1]}
    return CheckContext(documents, FILES)


def document(*some):
    return Tasks(tasks=some)


def test_the_plan_of_whole_documents_is_computed():
    made = compute(context(), title="Carts")
    assert made == read(SYNC, WHOLE[SYNC], title="Carts").document
    assert check(made, context()).passes(1.0)
    assert parse(SYNC, render(made)).document == made


def test_what_forbids_a_document_blocks_the_plan():
    made: Any = compute(context(tasks=tasks({"needs": ["TSK-002"]})))
    assert made.order == ()
    assert made.critical_path == CriticalPath()
    assert made.blockers == ("tasks: tasks need each other: TSK-001 -> TSK-002 -> TSK-001",)


def test_without_documents_there_is_nothing_to_plan():
    assert compute(CheckContext()) == Sync()


PATHS = [
    ((), ((), None)),
    ((SpecTask("A"),), (("A",), 0)),
    ((SpecTask("A", hours=1), SpecTask("B", hours=2)), (("B",), 2)),
    ((SpecTask("A", hours=1), SpecTask("B", hours=1, needs=("A",)), SpecTask("C", hours=1.5)), (("A", "B"), 2)),
    ((SpecTask("B", hours=1), SpecTask("A", hours=1)), (("A",), 1)),
    (
        (
            SpecTask("A", hours=0.1),
            SpecTask("C", hours=0.2, needs=("A",)),
            SpecTask("B", hours=0.2, needs=("A",)),
            SpecTask("D", hours=0.3, needs=("C", "B", "gone")),
        ),
        (("A", "B", "D"), 0.6),
    ),
]


@tabled(("some", "expected"), PATHS)
def test_the_critical_path_takes_most_hours_and_of_equals_the_first_by_id(some, expected):
    ordered = [task.id for task in some]
    assert critical_path(some, ordered) == CriticalPath(*expected)


@given(st.lists(st.tuples(st.sampled_from([None, 0, 0.5, 1, 2]), st.sets(st.integers(0, 9), max_size=3)), max_size=8))
def test_no_chain_of_needs_takes_longer_than_the_critical_path(rows):
    some = [
        SpecTask(f"T{number}", hours=hours, needs=tuple(f"T{need}" for need in needs if need < number))
        for number, (hours, needs) in enumerate(rows)
    ]
    by_id = {task.id: task for task in some}

    def chains(name):
        needs = by_id[name].needs
        return [(*chain, name) for need in needs for chain in chains(need)] or [(name,)]

    best = critical_path(some, [task.id for task in some])
    totals = [sum(by_id[name].hours or 0 for name in chain) for task in some for chain in chains(task.id)]
    assert (best.hours or 0) == max(totals, default=0)
    assert sum(by_id[name].hours or 0 for name in best.tasks) == (best.hours or 0)


A, B = SpecTask("A", title="one"), SpecTask("B", title="two", needs=("A",))
CHANGED = SpecTask("A", title="another")


def existing(task, status, quest="q1"):
    return SyncedTask(quest, task_hash(task), status)


def test_a_second_sync_skips_all_that_the_first_created():
    """31, the pure part: n created, then n skipped."""
    first = steps({}, document(B, A))
    assert [(step.action, step.task) for step in first] == [(SyncAction.CREATE, "A"), (SyncAction.CREATE, "B")]
    assert counts(first) == {"created": 2, "updated": 0, "skipped": 0, "conflicts": 0, "cancelled": 0}
    there = {"A": existing(A, QUEUED), "B": existing(B, COMPLETED)}
    assert counts(steps(there, document(B, A))) == {
        "created": 0, "updated": 0, "skipped": 2, "conflicts": 0, "cancelled": 0,
    }  # fmt: skip


ACTIONS = [
    (CHANGED, QUEUED, SyncAction.UPDATE),
    (CHANGED, FAILED, SyncAction.UPDATE),
    (CHANGED, CANCELLED, SyncAction.UPDATE),
    (CHANGED, RUNNING, SyncAction.CONFLICT),
    (CHANGED, REVIEW, SyncAction.CONFLICT),
    (CHANGED, COMPLETED, SyncAction.CONFLICT),
    *((A, status, SyncAction.SKIP) for status in QuestStatus),
    (None, QUEUED, SyncAction.CANCEL),
    (None, RUNNING, SyncAction.CONFLICT),
    (None, REVIEW, SyncAction.CONFLICT),
    (None, COMPLETED, None),
    (None, FAILED, None),
    (None, CANCELLED, None),
]


@tabled(("task", "status", "action"), ACTIONS)
def test_what_a_sync_does_follows_from_the_task_and_its_quest(task, status, action):
    """31, the pure part: one title changed, a task gone."""
    made = steps({"A": existing(A, status)}, document(*(() if task is None else (task,))))
    assert [(step.action, step.task, step.quest) for step in made] == ([(action, "A", "q1")] if action else [])


def test_conflicts_are_the_tasks_that_have_changed_since_their_quests_began():
    others = [SpecTask(name, title="one") for name in "BC"]
    known = {"A": existing(A, RUNNING), "B": existing(others[0], COMPLETED)}
    assert conflicts(known, [CHANGED, *others]) == ["A"]
    assert conflicts(known, [A, *others]) == []


def test_a_task_that_comes_back_after_a_sync_had_cancelled_it_is_updated():
    assert [step.action for step in steps({"A": SyncedTask("q1", "", CANCELLED)}, document(A))] == [SyncAction.UPDATE]


def test_the_hash_of_a_task_is_of_all_that_is_said_of_it():
    assert task_hash(A) == task_hash(SpecTask("A", title="one"))
    assert len({task_hash(one) for one in (A, CHANGED, SpecTask("A", title="one", other=(("risk", "low"),)))}) == 3


def test_a_quest_is_made_of_a_task():
    made: Any = read(TASKS, tasks({"group": None, "hours": None, "creates": ["README.md", "app/[id]/x", "gen/*.py"]}))
    first, second = made.document.tasks
    assert goal_of(second, priority=Priority.LOW, into="spec/carts", verify="make test") == Goal(
        title="Store carts",
        brief=(
            "- type: feature\n- priority: medium\n- group: TKT-001\n- creates: shop/cart_store.py\n"
            "- modifies: shop/app.py, shop/cart.py\n- hours: 1.5\n- needs: TSK-001\n- requirements: REQ-CART-002\n"
            "- acceptance:\n  - a cart survives a restart\n- check: pytest -q tests/test_cart_store.py\n\n"
            "Keep each cart as a file beside the session.\n"
        ),
        priority=Priority.MEDIUM,
        owns=("shop/cart_store.py", "shop/app.py", "shop/cart.py"),
        into="spec/carts",
        verify="make test",
        estimate=5400.0,
        group="TKT-001",
    )
    alone = goal_of(first, priority=Priority.LOW, into=None, verify="make test")
    assert alone.owns == ("/README.md", "app/\\[id]/x", "gen/*.py")
    assert (alone.into, alone.verify, alone.estimate, alone.group) == (None, None, None, None)
    assert quest_name("carts", first.id) == "carts/TSK-001"


def test_the_brief_of_an_endless_task_is_cut():
    made = goal_of(SpecTask("A", acceptance=("ä" * 20_000,) * 4), priority=Priority.LOW, into=None)
    assert len(made.brief.encode()) <= 64 * 1024
    assert made.brief.endswith("ä\n[…]\n")


PRIORITIES = [("critical", Priority.HIGH), ("HIGH", Priority.HIGH), ("low", Priority.LOW), ("", Priority.MEDIUM),
              ("must have", Priority.MEDIUM)]  # fmt: skip


@pytest.mark.parametrize(("word", "priority"), PRIORITIES)
def test_no_document_makes_its_tasks_critical(word, priority):
    assert priority_of(SpecTask("A", priority=word), Priority.MEDIUM) is priority


@given(st.lists(st.text(max_size=20), max_size=4))
def test_what_a_task_owns_are_patterns_that_the_queue_takes(paths):
    made: Any = read(TASKS, {"tasks": [{"id": "A", "creates": paths}]}).document
    for path in made.tasks[0].creates:
        assert glob_problem(owned(path)) is None
        assert can_meet(owned(path), owned(path))

"""Preparations in a world where anything fails and the supervisor dies at any moment: all of it, or nothing."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from overmind_core.domain.isolation.project import Project, ReadyCheck, ReadyKind, Service
from overmind_core.domain.isolation.saga import (
    CheckStep,
    SagaPhase,
    SagaStep,
    StepKind,
    TakeStep,
    UndoStep,
    begun,
    failed,
    interrupted,
    next_action,
    passed,
    saga_of,
    steps,
    taken,
    undone,
)
from tests.kit.cases import tabled

STEPS = steps(
    Project(
        services=(
            Service("db", image="postgres:16", port=5432),
            Service("web", command="serve", port=80, ready=ReadyCheck(ReadyKind.TCP)),
        ),
        copy=(".env",),
        setup=("make",),
    ),
    worktree=True,
)
MOMENTS = ("in the middle", "done, not saved", "saved")
"""When the supervisor dies in an action."""
FATES = ("well", "fails", "is unwanted", *MOMENTS)


class Died(Exception):
    """The supervisor is gone, with all that it had not saved."""


class World:
    """What exists, and a supervisor that takes the steps.

    Attributes:
        whole: Steps that hold.
        half: Steps that somebody died in.
    """

    def __init__(self, plan, before, fates):
        self.before = frozenset(before)
        self.whole = set(before)
        self.half = set()
        self.fates = iter(fates)
        self.saved = saga_of(plan)
        self.undone = []

    def run(self):
        """Go on until it is over, whoever dies on the way."""
        while next_action(self.saved) is not None:
            try:
                self.live()
            except Died:
                self.saved = interrupted(self.saved)
        return self.saved

    def live(self):
        """One supervisor's life."""
        while (action := next_action(self.saved)) is not None:
            fate = next(self.fates, "well")
            match action:
                case CheckStep(step):
                    self.look(step, fate)
                case TakeStep(step):
                    self.take(step, fate)
                case UndoStep(step):
                    self.undo(step, fate)

    def look(self, step, fate):
        if fate in {"fails", "is unwanted"}:
            self.save(failed(self.saved, "lost", "It can't be seen."))
            return
        self.die(fate, "in the middle", "done, not saved")
        self.save((passed if step in self.whole else begun)(self.saved))
        self.die(fate, "saved")

    def take(self, step, fate):
        assert self.saved.at in self.saved.begun, "nothing is touched before it is recorded"
        assert step not in self.half | self.whole, "what is half there is undone before it is taken again"
        self.half.add(step)
        if fate == "fails":
            self.save(failed(self.saved, "broken", "It does not work."))
            return
        self.die(fate, "in the middle")
        self.half.discard(step)
        self.whole.add(step)
        self.die(fate, "done, not saved")
        if fate == "is unwanted":
            self.save(failed(self.saved, "ended", "Nobody wants it any more."))
            return
        self.save(taken(self.saved))
        self.die(fate, "saved")

    def undo(self, step, fate):
        assert step not in self.before, "what held before is nobody's to undo"
        if step in self.whole:
            self.whole.discard(step)
            self.half.add(step)
        self.die(fate, "in the middle")
        self.half.discard(step)
        self.undone.append(step)
        self.die(fate, "done, not saved")
        self.save(undone(self.saved))
        self.die(fate, "saved")

    def save(self, saga):
        self.saved = saga

    @staticmethod
    def die(fate, *moments):
        if fate in moments:
            raise Died


WORLDS = {
    "before": st.sets(st.sampled_from(STEPS)),
    "fates": st.lists(st.sampled_from(FATES), max_size=60),
}


@given(**WORLDS)
@example(before=set(), fates=["well", "done, not saved"] + ["in the middle"] * 6)
@example(before=set(STEPS), fates=[])
def test_in_the_end_there_is_everything_or_nothing_and_what_held_before_is_untouched(before, fates):
    world = World(STEPS, before, fates)
    saga = world.run()

    assert saga.phase in {SagaPhase.DONE, SagaPhase.UNDONE}
    assert world.whole == (set(STEPS) if saga.phase is SagaPhase.DONE else before)
    assert not world.half
    assert (saga.error is None) is (saga.phase is SagaPhase.DONE)
    assert saga.under_way is None


@given(fates=st.lists(st.sampled_from(("well", *MOMENTS)), max_size=60), before=WORLDS["before"])
def test_deaths_alone_never_make_it_fail(fates, before):
    world = World(STEPS, before, fates)
    assert world.run().phase is SagaPhase.DONE


@given(**WORLDS)
def test_another_preparation_takes_what_is_missing_and_undoes_only_that(before, fates):
    first = World(STEPS, before, [])
    first.run()
    first.whole.discard(STEPS[-1])  # such as a service, which ended with the mission
    world = World(STEPS, first.whole, fates)

    phase = world.run().phase

    assert world.whole == (set(STEPS) if phase is SagaPhase.DONE else first.whole)
    assert set(world.undone) <= {STEPS[-1]}


@given(number=st.integers(min_value=0, max_value=len(STEPS) - 1))
def test_the_newest_step_is_undone_first(number):
    world = World(STEPS, (), ["well"] * (2 * number + 1) + ["fails"])
    saga = world.run()
    assert saga.phase is SagaPhase.UNDONE
    assert world.undone == list(reversed(STEPS[: number + 1]))


def test_a_preparation_that_is_done_can_still_be_taken_back():
    world = World(STEPS, {STEPS[0]}, [])
    world.run()
    world.saved = failed(world.saved, "ended", "Nobody wants it any more.")
    world.run()
    assert (world.saved.phase, world.whole) == (SagaPhase.UNDONE, {STEPS[0]})


def test_a_failure_before_anything_was_taken_leaves_nothing_to_undo():
    saga = failed(saga_of(STEPS), "git_failed", "No.")
    assert (saga.phase, next_action(saga)) == (SagaPhase.UNDONE, None)


def test_no_steps_are_done_at_once():
    assert saga_of(()).phase is SagaPhase.DONE


ONE, TWO = STEPS[:2]
PATH = [
    # what happens, what comes next
    (None, CheckStep(ONE)),
    (passed, CheckStep(TWO)),
    (begun, TakeStep(TWO)),
    (interrupted, UndoStep(TWO)),
    (undone, TakeStep(TWO)),
    (interrupted, UndoStep(TWO)),
    (interrupted, UndoStep(TWO)),
    (lambda saga: failed(saga, "ended", "Enough."), UndoStep(TWO)),
    (interrupted, UndoStep(TWO)),
    (undone, None),
]


def test_one_path_step_by_step():
    saga = saga_of(STEPS)
    for number, (event, expected) in enumerate(PATH):
        saga = saga if event is None else event(saga)
        assert next_action(saga) == expected, number
    assert (saga.phase, saga.error, saga.message) == (SagaPhase.UNDONE, "ended", "Enough.")


WEB = Service("web", command="serve")
READY_WEB = Service("web", command="serve", port=80, ready=ReadyCheck(ReadyKind.HTTP, "/"))
DB = Service("db", image="postgres:16")
CACHE = Service("cache", image="redis:7")
PLANS = [
    (Project(), True, ["worktree"]),
    (Project(), False, []),
    (Project(copy=(".env",)), True, ["worktree", "files"]),
    (Project(link=(".venv",)), False, []),
    (Project(setup=("make",)), False, ["setup"]),
    (Project(services=(WEB,)), True, ["worktree", "service web"]),
    (
        Project(services=(READY_WEB, DB, CACHE), setup=("a", "b")),
        True,
        [
            "worktree",
            "image db",
            "image cache",
            "container db",
            "container cache",
            "ready db",
            "ready cache",
            "setup",
            "service web",
            "ready web",
        ],
    ),
]


@tabled(("project", "worktree", "expected"), PLANS)
def test_the_order_of_steps(project, worktree, expected):
    assert [str(step) for step in steps(project, worktree=worktree)] == expected


def test_every_act_is_in_the_plan_of_a_project_that_wants_everything():
    assert {step.act for step in STEPS} == set(StepKind)
    assert SagaStep(StepKind.CONTAINER, "db") in STEPS

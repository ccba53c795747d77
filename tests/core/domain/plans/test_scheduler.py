"""What follows from where the agents of a plan stand: tables of single steps, then the laws over whole random plans."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overmind_core.domain.plans import progress
from overmind_core.domain.plans.blueprint import Blueprint, Dependency, OnFailure, PlanAgent, Until, When
from overmind_core.domain.plans.progress import (
    ACTIVE,
    FINAL,
    HELD,
    PLAN_ENDS,
    AgentProgress,
    AgentStage,
    AttemptEnd,
    EndReason,
    PlanEnding,
)
from overmind_core.domain.plans.scheduler import PlanStep, Scheduler
from overmind_core.plans.reruns import after_change
from tests.kit import torture
from tests.kit.cases import tabled

NOW = 1000.0
ORDERLY, AT_ONCE = PlanEnding.ORDERLY, PlanEnding.AT_ONCE
WAITING = AgentProgress()
RUNNING = AgentProgress(AgentStage.RUNNING, attempt=1, tries=1, mission="aaaaaaaa", ready=True, started_at=1.0)
UNREADY = replace(RUNNING, ready=False)
STARTING = AgentProgress(AgentStage.STARTING, attempt=1, tries=1)
SUCCEEDED = replace(RUNNING, stage=AgentStage.SUCCEEDED, exit_code=0, ended_at=2.0)
FAILED = replace(RUNNING, stage=AgentStage.FAILED, exit_code=1, ended_at=2.0)
SKIPPED = AgentProgress(AgentStage.SKIPPED)


def agent(name, *needs, until=Until.SUCCESS, when=When.SUCCESS, retries=0, stays=False):
    start = {"command": "true", **({"restart": "always"} if stays else {})}
    return PlanAgent(name, start, tuple(Dependency(one, until) for one in needs), when=when, retries=retries)


def plan(*agents, on_failure=OnFailure.STOP, max_parallel=0):
    return Blueprint("p", agents, max_parallel, on_failure)


def step(blueprint, nodes, now, *, ending=PlanEnding.NONE, unreachable=()):
    """One step, with all that follows from those that it skips."""
    board = Scheduler(blueprint, nodes)
    skip: dict[str, str] = {}
    while (found := board.step(now, ending=ending, unreachable=unreachable)).skip:
        skip |= found.skip
        for name in found.skip:
            board.put(name, SKIPPED)
    return replace(found, skip=skip)


def started(until, node):
    """Whether `b`, which waits for `a` in this way, starts, or will never."""
    found = step(
        plan(agent("a"), agent("b", "a", until=until), on_failure=OnFailure.CONTINUE), {"a": node, "b": WAITING}, NOW
    )
    return "starts" if "b" in found.start else "never" if "b" in found.skip else "waits"


@pytest.mark.parametrize(
    ("until", "waiting", "starting", "unready", "running", "succeeded", "failed"),
    [
        (Until.STARTED, "waits", "waits", "starts", "starts", "starts", "starts"),
        (Until.READY, "waits", "waits", "waits", "starts", "starts", "never"),
        (Until.SUCCESS, "waits", "waits", "waits", "waits", "starts", "never"),
        (Until.FINISHED, "waits", "waits", "waits", "waits", "starts", "starts"),
        (Until.FAILURE, "waits", "waits", "waits", "waits", "never", "starts"),
    ],
)
def test_how_far_another_must_have_come(until, waiting, starting, unready, running, succeeded, failed):
    nodes = [WAITING, STARTING, UNREADY, RUNNING, SUCCEEDED, FAILED]
    assert [started(until, node) for node in nodes] == [waiting, starting, unready, running, succeeded, failed]


def test_who_waited_for_what_never_came_is_told_why():
    ended = replace(SUCCEEDED, ready=False)
    found = step(plan(agent("a"), agent("b", "a", until=Until.READY)), {"a": ended, "b": WAITING}, NOW)
    assert found.skip == {"b": "a ended before it was ready"}


@pytest.mark.parametrize("until", list(Until))
@pytest.mark.parametrize("node", [STARTING, UNREADY, RUNNING, replace(RUNNING, stage=AgentStage.STOPPING)])
def test_what_one_has_come_to_that_is_to_run_again_counts_for_nobody(until, node):
    again = replace(node, stopped=EndReason.AGAIN)
    assert started(until, again) == "waits"
    assert started(until, progress.ended(agent("a"), again, AttemptEnd(ok=True, at=5))) == "waits"


@pytest.mark.parametrize("until", list(Until))
def test_who_waits_for_a_skipped_one_is_skipped(until):
    assert started(until, SKIPPED) == "never"


@pytest.mark.parametrize(
    ("when", "succeeded", "failed", "skipped"),
    [
        (When.SUCCESS, "starts", "never", "never"),
        (When.FAILURE, "never", "starts", "starts"),
        (When.ALWAYS, "starts", "starts", "starts"),
    ],
)
@pytest.mark.parametrize("on_failure", list(OnFailure))
def test_after_which_ends_an_agent_runs(on_failure, when, succeeded, failed, skipped):
    def outcome(node):
        found = step(
            plan(agent("a"), agent("b", "a", when=when), on_failure=on_failure), {"a": node, "b": WAITING}, NOW
        )
        return "starts" if "b" in found.start else "never" if "b" in found.skip else "waits"

    assert [outcome(node) for node in (SUCCEEDED, FAILED, SKIPPED)] == [succeeded, failed, skipped]


@pytest.mark.parametrize(
    ("on_failure", "starts", "stops"),
    [(OnFailure.STOP, (), {}), (OnFailure.CONTINUE, ("c",), {}), (OnFailure.CANCEL, (), {"b": EndReason.FAILURE})],
)
def test_a_failure_holds_the_others_as_the_plan_says(on_failure, starts, stops):
    found = step(
        plan(agent("a"), agent("b"), agent("c"), on_failure=on_failure), {"a": FAILED, "b": RUNNING, "c": WAITING}, NOW
    )
    assert (found.start, found.stop) == (starts, stops)


@pytest.mark.parametrize("on_failure", OnFailure)
def test_a_failure_of_an_earlier_run_holds_nobody_but_those_behind_it_and_counts_at_the_end(on_failure):
    nodes = {"a": replace(FAILED, kept=True), "b": RUNNING, "c": WAITING, "d": WAITING}
    shape = plan(agent("a"), agent("b"), agent("c"), agent("d", "a"), on_failure=on_failure)
    found = step(shape, nodes, NOW)
    assert (found.start, found.stop, list(found.skip)) == (("c",), {}, ["d"])
    assert not Scheduler(shape, nodes).went_well


def test_what_runs_again_waits_for_the_services_behind_what_was_kept():
    agents = agent("db", stays=True), agent("a", "db", until=Until.READY), agent("b", "a"), agent("c", "b")
    shape = plan(*agents)
    kept = replace(SUCCEEDED, kept=True)
    nodes = {"db": WAITING, "a": kept, "b": kept, "c": WAITING}
    assert step(shape, nodes, NOW).start == ("db",)
    scheduler = Scheduler(shape, {**nodes, "db": UNREADY})
    assert scheduler.step(NOW).start == ()
    scheduler.put("db", RUNNING)
    assert scheduler.step(NOW).start == ("c",)


@pytest.mark.parametrize(
    ("until", "of_what_failed", "of_another"),
    [
        (Until.STARTED, "never", "never"),
        (Until.FINISHED, "starts", "never"),
        (Until.FAILURE, "starts", "never"),
    ],
)
def test_a_failure_does_not_hold_who_waits_for_that_very_failure(until, of_what_failed, of_another):
    def outcome(name):
        found = step(plan(agent("bad"), agent("good"), agent("b", name, until=until)), nodes, NOW)
        return "starts" if "b" in found.start else "never" if "b" in found.skip else "waits"

    nodes = {"bad": FAILED, "good": SUCCEEDED, "b": WAITING}
    assert (outcome("bad"), outcome("good")) == (of_what_failed, of_another)


@pytest.mark.parametrize(
    ("until", "of_what_failed", "of_another"),
    [
        (Until.STARTED, {"b": EndReason.FAILURE}, {"b": EndReason.FAILURE}),
        (Until.FINISHED, {}, {"b": EndReason.FAILURE}),
        (Until.FAILURE, {}, {"b": EndReason.FAILURE}),
    ],
)
def test_a_failure_does_not_cancel_who_runs_because_of_it(until, of_what_failed, of_another):
    def stops(name):
        cancelling = plan(
            agent("bad"), agent("good"), agent("b", name, until=until), agent("long"), on_failure=OnFailure.CANCEL
        )
        return step(cancelling, {"bad": FAILED, "good": SUCCEEDED, "b": RUNNING, "long": STARTING}, NOW).stop

    assert (stops("bad"), stops("good")) == (of_what_failed, of_another)


@tabled(
    ("node", "well"),
    [
        (WAITING, True),
        (RUNNING, True),
        (SUCCEEDED, True),
        (SKIPPED, True),
        (FAILED, False),
        (replace(RUNNING, stage=AgentStage.CANCELLED, ended_at=2.0), False),
    ],
)
def test_a_plan_went_well_unless_an_agent_failed_or_was_cut_short(node, well):
    board = Scheduler(plan(agent("a"), agent("b"), agent("c")), {"a": SUCCEEDED, "b": node, "c": SKIPPED})
    assert board.went_well is well
    board.put("b", SUCCEEDED)
    assert board.went_well


def test_who_stays_is_stopped_in_reverse_when_all_others_are_done():
    services = plan(
        agent("db", stays=True),
        agent("web", "db", until=Until.READY, stays=True),
        agent("test", "web", until=Until.READY),
    )
    nodes = {"db": RUNNING, "web": RUNNING, "test": RUNNING}
    assert step(services, nodes, NOW).stop == {}
    nodes["test"] = SUCCEEDED
    assert step(services, nodes, NOW).stop == {"web": EndReason.DONE}
    nodes["web"] = replace(RUNNING, stage=AgentStage.STOPPING, stopped=EndReason.DONE)
    assert step(services, nodes, NOW).stop == {}
    nodes["web"] = SUCCEEDED
    assert step(services, nodes, NOW).stop == {"db": EndReason.DONE}
    nodes["db"] = SUCCEEDED
    assert step(services, nodes, NOW).over


def test_a_plan_of_services_alone_stays():
    assert step(plan(agent("db", stays=True)), {"db": RUNNING}, NOW) == PlanStep()


def test_who_stays_takes_a_slot_only_until_it_is_ready():
    both = plan(agent("db", stays=True), agent("test"), max_parallel=1)
    assert step(both, {"db": UNREADY, "test": WAITING}, NOW).start == ()
    assert step(both, {"db": RUNNING, "test": WAITING}, NOW).start == ("test",)


def test_who_is_prepared_holds_a_slot_and_is_stopped_like_who_runs():
    preparing = replace(STARTING, mission="bbbbbbbb")
    both = plan(agent("a"), agent("b"), agent("c"), on_failure=OnFailure.CANCEL, max_parallel=2)

    assert step(both, {"a": preparing, "b": STARTING, "c": WAITING}, NOW) == PlanStep()
    assert step(both, {"a": preparing, "b": STARTING, "c": SUCCEEDED}, NOW, ending=ORDERLY).stop == {
        "a": EndReason.CANCEL
    }
    assert step(both, {"a": preparing, "b": FAILED, "c": SUCCEEDED}, NOW).stop == {"a": EndReason.FAILURE}


def test_a_plan_that_is_ended_starts_nothing_and_stops_what_runs_leaves_first():
    three = plan(agent("a"), agent("b", "a", until=Until.STARTED), agent("c"), agent("d", "b"))
    nodes = {"a": RUNNING, "b": RUNNING, "c": WAITING, "d": WAITING}
    for ending in (ORDERLY, AT_ONCE):
        found = step(three, nodes, NOW, ending=ending)
        assert (found.start, found.skip.keys(), found.stop) == ((), {"c", "d"}, {"b": EndReason.CANCEL})


def test_nobody_ends_after_one_that_cannot_be_ended_now_and_the_plan_is_not_over():
    two = plan(agent("db", stays=True), agent("there", "db", until=Until.STARTED))
    stopping = replace(RUNNING, stage=AgentStage.STOPPING, stopped=EndReason.CANCEL)
    nodes = {"db": RUNNING, "there": stopping}
    assert step(two, nodes, NOW, ending=ORDERLY).stop == {}
    assert step(two, nodes, NOW, ending=ORDERLY, unreachable={"there"}).stop == {"db": EndReason.CANCEL}
    assert step(two, nodes, NOW, unreachable={"there"}).stop == {}, "a plan that is not ended keeps its order"
    assert not step(two, nodes | {"db": replace(RUNNING, stage=AgentStage.CANCELLED)}, NOW, ending=ORDERLY).over


CLEANING = plan(
    agent("db", stays=True),
    agent("work", "db", until=Until.READY),
    agent("later", "work"),
    PlanAgent("drop", {"command": "true"}, (Dependency("work"), Dependency("db", Until.READY)), when=When.ALWAYS),
)
CANCELLED = replace(RUNNING, stage=AgentStage.CANCELLED, ended_at=2.0)
STOPPING = replace(RUNNING, stage=AgentStage.STOPPING, stopped=EndReason.CANCEL)
WINDING_DOWN = [
    # where they stand, how the plan ends; who starts, is skipped and is stopped
    ({"db": RUNNING, "work": RUNNING}, "orderly", (), {"later"}, {"work"}),
    ({"db": RUNNING, "work": STOPPING}, "orderly", (), {"later"}, set()),
    ({"db": RUNNING, "work": CANCELLED}, "orderly", ("drop",), {"later"}, set()),
    ({"db": UNREADY, "work": CANCELLED}, "orderly", (), {"later"}, set()),
    ({"db": RUNNING, "work": CANCELLED, "drop": RUNNING}, "orderly", (), {"later"}, set()),
    ({"db": RUNNING, "work": CANCELLED, "drop": SUCCEEDED}, "orderly", (), {"later"}, {"db"}),
    ({"db": RUNNING, "work": CANCELLED, "drop": FAILED}, "orderly", (), {"later"}, {"db"}),
    ({}, "orderly", ("drop",), {"db", "work", "later"}, set()),
    ({"db": RUNNING, "work": RUNNING}, "at_once", (), {"later", "drop"}, {"work"}),
    ({"db": RUNNING, "work": CANCELLED, "drop": RUNNING}, "at_once", (), {"later"}, {"drop"}),
]


@tabled(("known", "ending", "start", "skip", "stop"), WINDING_DOWN)
def test_what_cleans_up_runs_when_a_plan_is_stopped_and_keeps_its_services_until_then(known, ending, start, skip, stop):
    nodes = {name: known.get(name, WAITING) for name in CLEANING.by_name}
    found = step(CLEANING, nodes, NOW, ending=PlanEnding(ending))
    assert (found.start, set(found.skip), set(found.stop)) == (start, skip, stop)
    assert set(found.stop.values()) <= {EndReason.CANCEL}


def test_what_handles_a_failure_keeps_the_services_that_it_needs():
    nodes = {"db": RUNNING, "work": FAILED, "later": SKIPPED, "drop": WAITING}
    cancelling = replace(CLEANING, on_failure=OnFailure.CANCEL)
    assert step(cancelling, nodes, NOW) == PlanStep(start=("drop",))
    assert step(cancelling, {**nodes, "drop": RUNNING}, NOW).stop == {}
    assert step(cancelling, {**nodes, "drop": SUCCEEDED}, NOW).stop == {"db": EndReason.FAILURE}


RETRIED = [
    # number of the try that failed, back-off → seconds until the next
    (1, 1.0, 1.0),
    (2, 1.0, 2.0),
    (3, 1.0, 4.0),
    (3, 0.1, 0.4),
    (3, 0.0, 0.0),
    (9, 1.0, 60.0),
    (100, 1.0, 60.0),
]


@tabled(("tries", "backoff", "pause"), RETRIED)
def test_between_two_tries_is_a_pause_that_doubles(tries, backoff, pause):
    one = replace(agent("a", retries=100), backoff=backoff)
    waiting = progress.ended(one, replace(RUNNING, tries=tries), AttemptEnd(ok=False, at=NOW))
    assert waiting.stage is AgentStage.WAITING
    assert waiting.not_before == pytest.approx(NOW + pause)
    found = step(plan(one), {"a": waiting}, NOW)
    assert (found.start, found.look_again) == (((), pytest.approx(NOW + pause)) if pause else (("a",), None))
    assert step(plan(one), {"a": waiting}, NOW + pause).start == ("a",)
    assert step(plan(one), {"a": waiting}, NOW - 100).start == ("a",)  # the clock was set back


def test_a_plan_that_waits_for_a_next_try_is_not_over_and_says_so():
    waiting = progress.ended(agent("a", retries=1), RUNNING, AttemptEnd(ok=False, at=NOW))
    board = Scheduler(plan(agent("a", retries=1), agent("b", "a")), {"a": waiting, "b": WAITING})
    assert board.step(NOW) == PlanStep(look_again=NOW + 1)
    assert (board.waits_for("a"), board.waits_for("b")) == ("its next try", "a")
    assert board.step(NOW + 1).start == ("a",)


LAST = AttemptEnd(ok=False, at=NOW, exit_code=3, reason="timeout", limit=9.0)
GIVEN_UP = [
    # where it stands, what becomes of it where nothing follows
    (WAITING, replace(WAITING, stage=AgentStage.SKIPPED, reason=PLAN_ENDS)),
    (progress.run_again(FAILED), AgentProgress(AgentStage.SKIPPED, attempt=1, reason=PLAN_ENDS)),
    (
        progress.ended(agent("a", retries=1), RUNNING, LAST),
        AgentProgress(AgentStage.FAILED, attempt=1, tries=1, mission="aaaaaaaa", exit_code=3, reason="timeout",
                      limit=9.0, ended_at=NOW),
    ),
    (
        progress.ended(agent("a", retries=1), replace(RUNNING, mission=None), LAST),
        AgentProgress(AgentStage.FAILED, attempt=1, tries=1, exit_code=3, reason="timeout", limit=9.0, ended_at=NOW),
    ),
]  # fmt: skip


@tabled(("waiting", "expected"), GIVEN_UP)
def test_one_that_waits_is_skipped_where_nothing_follows_but_has_failed_where_it_waited_for_its_next_try(
    waiting, expected
):
    assert replace(progress.given_up(waiting, PLAN_ENDS), not_before=0.0) == expected


def test_next_behind_an_agent_are_those_that_wait_for_nothing_but_what_is_under_way():
    agents = [agent("a"), agent("b"), agent("c", "a"), agent("d", "a", "b"), agent("e", "a", "f"), agent("f", "c")]
    nodes = dict.fromkeys("abcdef", WAITING) | {"a": STARTING}
    assert Scheduler(plan(*agents), nodes).next_behind("a") == ["c"]
    assert Scheduler(plan(*agents), nodes | {"b": RUNNING}).next_behind("a") == ["c", "d"]
    assert Scheduler(plan(*agents), nodes | {"b": SUCCEEDED}).next_behind("a") == ["c", "d"]
    assert Scheduler(plan(*agents), nodes | {"b": FAILED, "c": RUNNING}).next_behind("a") == []


ENDS = {
    "well": (RUNNING, AttemptEnd(ok=True, at=5), 0, AgentStage.SUCCEEDED),
    "badly": (RUNNING, AttemptEnd(ok=False, at=5, exit_code=3), 0, AgentStage.FAILED),
    "badly, with a try left": (RUNNING, AttemptEnd(ok=False, at=5), 1, AgentStage.WAITING),
    "badly, with none left": (replace(RUNNING, tries=2), AttemptEnd(ok=False, at=5), 1, AgentStage.FAILED),
    "stopped when all was done": (
        replace(RUNNING, stopped=EndReason.DONE), AttemptEnd(ok=False, at=5), 0, AgentStage.SUCCEEDED,
    ),
    "cancelled": (replace(RUNNING, stopped=EndReason.CANCEL), AttemptEnd(ok=True, at=5), 3, AgentStage.CANCELLED),
    "cancelled after a failure": (
        replace(RUNNING, stopped=EndReason.FAILURE), AttemptEnd(ok=True, at=5), 3, AgentStage.CANCELLED,
    ),
    "to run anew": (replace(RUNNING, stopped=EndReason.AGAIN), AttemptEnd(ok=True, at=5), 0, AgentStage.WAITING),
}  # fmt: skip


@tabled(("node", "end", "retries", "stage"), ENDS.values(), ids=ENDS)
def test_where_an_agent_stands_after_an_end(node, end, retries, stage):
    after = progress.ended(agent("a", retries=retries), node, end)
    assert after.stage is stage
    assert after.attempt == node.attempt


def _possible(other):
    """How far it can be waited for: who stays does not end by itself."""
    return [Until.STARTED, Until.READY] if other.stays else list(Until)


@st.composite
def plans(draw):
    count = draw(st.integers(1, 9))
    agents: list[PlanAgent] = []
    for number in range(count):
        needs = draw(st.lists(st.sampled_from(range(number)), unique=True, max_size=3)) if number else []
        agents.append(
            PlanAgent(
                f"a{number}",
                {"command": "true", **({"restart": "always"} if draw(st.booleans()) and draw(st.booleans()) else {})},
                tuple(Dependency(f"a{one}", draw(st.sampled_from(_possible(agents[one])))) for one in needs),
                when=draw(st.sampled_from(list(When))),
                retries=draw(st.integers(0, 2)),
            )
        )
    shuffled = draw(st.permutations(agents))
    return Blueprint("p", tuple(shuffled), draw(st.integers(0, 3)), draw(st.sampled_from(list(OnFailure))))


MOST_CHANGES = 2
"""Of one plan while it runs."""
ENDINGS = list(PlanEnding)
"""A plan that is stopped can be killed, never the other way round."""


class Life:
    """A plan that is carried out by chance: `choose` draws who ends, how, who becomes ready, and what is changed."""

    def __init__(self, blueprint, choose):
        self.blueprint = blueprint
        self.agents = blueprint.by_name
        self.board = Scheduler(blueprint, {name: AgentProgress() for name in self.agents})
        self.starts = dict.fromkeys(self.agents, 0)
        self.choose = choose
        self.now = NOW
        self.ending = PlanEnding.NONE
        self.started_late: set[str] = set()
        """Who began after the plan was told to end."""
        self.changes = 0
        self.last_change: set[str] = set()
        """Who was to run again after the newest change."""
        self.attempt_before: dict[str, int] = {}
        """The attempt of each at the newest change after which it was to run again."""

    @property
    def nodes(self):
        """Where each stands."""
        return self.board.nodes

    def go_on(self):
        """One step and one thing that happens; whether it goes on."""
        if self.choose(st.integers(0, 15)) == 0:
            self.ending = self.choose(st.sampled_from(ENDINGS[ENDINGS.index(self.ending) :]))
        if self.ending is PlanEnding.NONE and self.changes < MOST_CHANGES and self.choose(st.integers(0, 3)) == 0:
            self._change()
        found = self.board.step(self.now, ending=self.ending)
        again = Scheduler(self.blueprint, self.nodes).step(self.now, ending=self.ending)
        assert found == again  # what it remembers changes nothing
        for name, why in found.skip.items():
            self.board.put(name, progress.given_up(self.nodes[name], why))
        if found.skip:
            return True
        for name in found.start:
            self._start(name)
        for name, why in found.stop.items():
            self.board.put(name, replace(self.nodes[name], stage=AgentStage.STOPPING, stopped=why))
        self._check_slots()
        if found.over:
            return False
        if found.look_again is not None and (self._nothing_ends or self.choose(st.booleans())):
            self.now = found.look_again
            return True
        return self._something_happens()

    def _change(self):
        """Some agents are changed: they run again, with all that depends on them."""
        self.changes += 1
        changed = self.choose(st.sets(st.sampled_from(sorted(self.agents)), min_size=1, max_size=2))
        self.last_change = after_change(self.nodes, self.blueprint, changed)
        for name in self.last_change:
            node = self.nodes[name]
            assert node.stage is not AgentStage.WAITING
            self.attempt_before[name] = node.attempt
            stopping = replace(node, stage=AgentStage.STOPPING, stopped=EndReason.AGAIN)
            self.board.put(name, stopping if node.stage in ACTIVE else progress.fresh(node))

    def _check_changed(self, name):
        """Whatever it depends on that was to run again has ended, begun once more and come so far as it must."""
        left, seen = [name], set()
        while left:
            one = left.pop()
            for dependency in self.agents[one].depends_on if self.agents[one].when is When.SUCCESS else ():
                other, node = dependency.agent, self.nodes[dependency.agent]
                assert node.attempt > self.attempt_before.get(other, 0), f"{name} begins before {other} has again"
                assert node.stopped is not EndReason.AGAIN
                if dependency.until is Until.READY:
                    assert node.ready
                if other in self.last_change and other not in seen:
                    seen.add(other)
                    left.append(other)

    @property
    def _nothing_ends(self):
        return not any(
            node.stage in ACTIVE and (node.stage is AgentStage.STOPPING or not self.agents[name].stays)
            for name, node in self.nodes.items()
        )

    def _start(self, name):
        for dependency in self.agents[name].depends_on if self.agents[name].when is When.SUCCESS else ():
            other = self.nodes[dependency.agent].stage
            assert other is not AgentStage.WAITING
            assert other is {Until.SUCCESS: AgentStage.SUCCEEDED, Until.FAILURE: AgentStage.FAILED}.get(
                dependency.until, other
            )
        if self.ending is not PlanEnding.NONE:
            self.started_late.add(name)
        self._check_changed(name)
        self.starts[name] += 1
        begun = progress.begun(self.nodes[name])
        if self.ending is PlanEnding.NONE:
            self._check_start(name, begun)
        self.board.put(name, replace(begun, stage=AgentStage.RUNNING, mission="x", started_at=1.0))

    def _check_start(self, name, begun):
        """A start from which nothing follows, as the board says, changes no step."""
        stands = [begun, replace(begun, stage=AgentStage.RUNNING, mission="x", ready=True, started_at=1.0)]
        boards = [Scheduler(self.blueprint, {**self.nodes, name: node}) for node in stands]
        before, after = (board.step(self.now) for board in boards)
        assert before == after or boards[0].is_start_of_interest(name)

    def _check_slots(self):
        taken = [a for a, n in self.nodes.items() if n.stage in ACTIVE and not (self.agents[a].stays and n.ready)]
        assert len(taken) <= (self.blueprint.max_parallel or len(taken))

    def _something_happens(self):
        active = [name for name, node in self.nodes.items() if node.stage in ACTIVE]
        unready = [name for name in active if not self.nodes[name].ready]
        ending = [one for one in active if self.nodes[one].stage is AgentStage.STOPPING or not self.agents[one].stays]
        if ending and not (unready and self.choose(st.booleans())):
            name = self.choose(st.sampled_from(ending))
            end = AttemptEnd(ok=self.choose(st.booleans()), at=self.now)
            self.board.put(name, progress.ended(self.agents[name], self.nodes[name], end))
        elif unready:
            self.board.put(unready[0], replace(self.nodes[unready[0]], ready=True))
        else:
            assert all(agent.stays for agent in self.agents.values()), f"stuck: {self.nodes}"
            return False
        return True


@settings(max_examples=torture.examples(150), deadline=None)
@given(blueprint=plans(), data=st.data())
def test_every_plan_comes_to_an_end_and_no_agent_runs_before_its_time_or_too_often(blueprint, data):
    life = Life(blueprint, data.draw)
    steps = 0
    while life.go_on():
        steps += 1
        assert steps < 400, "it never ends"
    services_alone = all(agent.stays for agent in blueprint.agents) and life.ending is PlanEnding.NONE
    assert services_alone or all(node.stage in FINAL for node in life.nodes.values())
    assert all(life.starts[name] <= (agent.retries + 1) * (life.changes + 1) for name, agent in life.agents.items())
    assert all(life.agents[name].cleans_up for name in life.started_late)
    if life.ending is ORDERLY:
        assert all(life.starts[name] or not agent.cleans_up for name, agent in life.agents.items())
    if life.board.went_well:
        assert all(node.reason != HELD for node in life.nodes.values()), "no failure is left, and yet it was skipped"

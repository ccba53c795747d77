"""Whatever comes, goes or dies: a program's query to its terminal gets one answer, and never a second one."""

from __future__ import annotations

from collections import Counter, deque
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from overmind_core.keeper.queries import PATIENCE
from overmind_core.keeper.viewers import RunViewers, Viewer
from overmind_core.wire import keeper as wire
from tests.kit import torture
from tests.kit.lent_terminal import Connection

COLOUR = b"\x1b]11;?\x07"
"""Not every terminal knows it."""
ANSWERS = {b"\x1b[5n": b"\x1b[0n", b"\x1b[6n": b"\x1b[1;5R", b"\x1b[c": b"\x1b[?62c", COLOUR: b"\x1b]11;0\x07"}


class Loop:
    """Timers, and nothing else."""

    def __init__(self) -> None:
        self.mono = 0.0
        self.timers: list[tuple[float, Any]] = []

    def later(self, delay: float, action: Any) -> None:
        self.timers.append((self.mono + delay, action))

    def pass_time(self, seconds: float) -> None:
        self.mono += seconds
        due = [timer for timer in self.timers if timer[0] <= self.mono]
        self.timers = [timer for timer in self.timers if timer[0] > self.mono]
        for _, action in due:
            action()

    def boost(self) -> None: ...

    def end_boost(self) -> None: ...


class Person:
    """A viewer, and the terminal in front of it, which answers what it is shown, a little later."""

    def __init__(self, world: World, *, knows_colours: bool) -> None:
        self.knows_colours = knows_colours
        self.connection = cast("Any", Connection())
        self.on_its_way: deque[bytes] = deque()
        self.is_stopped = False
        self.viewer = Viewer(world.run, self.connection, may_write=True)
        world.run.viewers.join(self.viewer)

    def look(self) -> None:
        while self.connection.frames:
            kind, data = self.connection.frames.popleft()
            if kind == wire.FRAME_DATA and data in ANSWERS and (data != COLOUR or self.knows_colours):
                self.on_its_way.append(ANSWERS[data])

    def send(self, data: bytes) -> None:
        self.connection.on_data(wire.data_frame(data))


class World(RuleBasedStateMachine):
    """A run, its keeper's account, viewers that come and go, and a supervisor that may be dead."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.asked: Counter[bytes] = Counter()
        self.arrived: Counter[bytes] = Counter()
        self.people: list[Person] = []
        self.offset = 0
        self.noticed: deque[list[tuple[int, int]]] = deque()
        """Notices on their way to the supervisor; None while it is dead."""
        self.posted: deque[list[int]] = deque()
        """Answers on their way from it."""
        self.lives = True
        self.places: dict[int, bytes] = {}
        stdin = SimpleNamespace(type=self.apply, waiting=0)
        log = SimpleNamespace(offsets=[0, 0], kept=lambda _stream: b"")
        self.run: Any = SimpleNamespace(stdin=stdin, log=log, tty=False, outputs=[], exit=None, on_queries=self.notify)
        self.run.viewers = RunViewers(self.run, cast("Any", self.loop))

    def apply(self, data: bytes) -> None:
        for query, answer in ANSWERS.items():
            self.arrived[query] += data.count(answer)

    def notify(self) -> None:
        if self.lives:
            self.noticed.append(self.run.viewers.queries.for_memory())

    @rule(query=st.sampled_from([*ANSWERS]))
    def program_asks(self, query: bytes) -> None:
        self.asked[query] += 1
        self.offset += len(query)
        self.places[self.offset] = ANSWERS[query]
        self.run.log.offsets[0] = self.offset
        self.run.viewers.show(memoryview(query))
        self.run.viewers.read_queries(memoryview(query))

    @precondition(lambda self: len(self.people) < 3)
    @rule(knows_colours=st.booleans())
    def somebody_attaches(self, *, knows_colours: bool) -> None:
        self.people.append(Person(self, knows_colours=knows_colours))

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def somebody_types(self, data: Any) -> None:
        person = data.draw(st.sampled_from(self.people))
        if not person.is_stopped:
            person.send(b"x")

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def a_terminal_answers(self, data: Any) -> None:
        person = data.draw(st.sampled_from(self.people))
        if not person.is_stopped:
            person.look()
            if person.on_its_way:
                person.send(person.on_its_way.popleft())

    @precondition(lambda self: self.people)
    @rule(data=st.data(), stops=st.booleans())
    def a_viewer_is_stopped_or_goes_on(self, data: Any, *, stops: bool) -> None:
        data.draw(st.sampled_from(self.people)).is_stopped = stops

    @precondition(lambda self: self.people)
    @rule(data=st.data())
    def a_viewer_leaves_or_dies(self, data: Any) -> None:
        person = data.draw(st.sampled_from(self.people))
        self.people.remove(person)
        person.connection.close()

    @rule()
    def the_supervisor_reads_a_notice(self) -> None:
        if self.lives and self.noticed:
            self.posted.append([end for _, end in self.noticed.popleft()])

    @rule()
    def the_keeper_reads_answers(self) -> None:
        if self.posted:
            for end in self.posted.popleft():
                self.run.viewers.answer(end, self.places[end])

    @rule()
    def the_supervisor_dies(self) -> None:
        """What it has sent arrives; what it has not read is lost."""
        self.lives = False
        self.noticed.clear()

    @rule()
    def another_supervisor_comes(self) -> None:
        if not self.lives:
            self.lives = True
            self.notify()

    @rule(seconds=st.sampled_from([0.1, PATIENCE / 2, PATIENCE]))
    def time_passes(self, seconds: float) -> None:
        self.loop.pass_time(seconds)

    @invariant()
    def nothing_is_answered_twice(self) -> None:
        assert self.arrived <= self.asked

    def teardown(self) -> None:
        """Once all that is under way has come, everything is answered that all terminals know."""
        self.another_supervisor_comes()
        for person in self.people:
            while not person.is_stopped:
                person.look()
                if not person.on_its_way:
                    break
                person.send(person.on_its_way.popleft())
        for _ in range(3):
            self.loop.pass_time(PATIENCE)
            while self.noticed or self.posted:
                self.the_supervisor_reads_a_notice()
                self.the_keeper_reads_answers()
        self.nothing_is_answered_twice()
        for query in ANSWERS:
            if query != COLOUR:
                assert self.arrived[query] == self.asked[query], query


TestQueries = World.TestCase
TestQueries.settings = settings(max_examples=torture.examples(120), stateful_step_count=30, deadline=None)

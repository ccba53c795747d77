"""Random claims, beats, ends, takes, reboots, rewinds and lost answers: one holder, growing fences, no end lost."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.kit.swarm import Hive, swarm_in
from tests.kit.swarm_model import LONG, Machine, World, cleared
from tests.kit.torture import portion

RATES = (1.0, 0.9951, 1.0049)
"""Clocks that differ by less than 1 %."""
machine_numbers = st.integers(0, len(RATES) - 1)


@pytest.fixture(scope="module")
def made(module_database_url):
    with swarm_in(module_database_url) as made:
        yield made, [made.member(f"eu{number}", "worker") for number in range(len(RATES))]


class SwarmMachine(RuleBasedStateMachine):
    """One swarm, three hives."""

    def __init__(self, swarm, members):
        super().__init__()
        cleared(swarm)
        hives = [Hive(member, swarm.login(f"eu{number}")) for number, member in enumerate(members)]
        self.world = World(swarm, [Machine(hive, rate) for hive, rate in zip(hives, RATES, strict=True)])

    @initialize()
    def begin(self):
        for machine in self.world.machines:
            assert machine.hive.join().word == "joined"
        self.world.save()

    @rule(on_lost=st.sampled_from(["move", "wait"]), lease=st.sampled_from([10, 60]), many=st.integers(1, 3))
    def post(self, on_lost, lease, many):
        for _ in range(many):
            self.world.post(on_lost=on_lost, lease=lease)

    @rule(number=machine_numbers, lost=st.booleans())
    def beat(self, number, lost):
        self.world.beat(self.world.machines[number], lost=lost)

    @rule(number=machine_numbers, lost=st.booleans())
    def claim(self, number, lost):
        self.world.claim(self.world.machines[number], lost=lost)

    @rule(number=machine_numbers)
    def beat_and_claim(self, number):
        self.world.beat(self.world.machines[number])
        self.world.claim(self.world.machines[number], lost=False)

    @rule(number=machine_numbers, which=st.integers(0, 9), how=st.sampled_from(["done", "failed"]), lost=st.booleans())
    def end(self, number, which, how, lost):
        machine = self.world.machines[number]
        if machine.runs:
            self.world.end(machine, sorted(machine.runs)[which % len(machine.runs)], how, lost=lost)

    @rule(number=machine_numbers, which=st.integers(0, 9))
    def give_back(self, number, which):
        machine = self.world.machines[number]
        if machine.runs:
            self.world.give_back(machine, sorted(machine.runs)[which % len(machine.runs)])

    @rule(seconds=st.sampled_from([1.0, 5.0, 12.0, 61.0, LONG]))
    def advance(self, seconds):
        self.world.advance(seconds)

    @rule(number=machine_numbers)
    def look(self, number):
        self.world.look(self.world.machines[number])

    @rule(number=machine_numbers)
    def take(self, number):
        self.world.take(self.world.machines[number])

    @rule(number=machine_numbers, seconds=st.sampled_from([12.2, 62.7, LONG]))
    def watch_and_take(self, number, seconds):
        self.world.look(self.world.machines[number])
        self.world.advance(seconds)
        self.world.take(self.world.machines[number])
        self.world.claim(self.world.machines[number], lost=False)

    @rule(number=machine_numbers)
    def reboot(self, number):
        self.world.reboot(self.world.machines[number])

    @rule()
    def save(self):
        self.world.save()

    @rule(back=st.integers(0, 3), is_told=st.booleans())
    def rewind(self, back, is_told):
        self.world.rewind(max(1, self.world.snapshots - back), is_told=is_told)

    @rule(number=machine_numbers)
    def settled(self, number):
        self.world.settled(self.world.machines[number])

    @rule(number=machine_numbers)
    def wait_until_settled(self, number):
        machine = self.world.machines[number]
        self.world.beat(machine)
        self.world.advance(LONG)
        self.world.settled(machine)
        self.world.beat(machine)
        self.world.claim(machine, lost=False)

    def teardown(self):
        """In the end all goes on: each hive beats and has what it is said to have."""
        world = self.world
        for _ in range(2):
            for machine in world.machines:
                world.beat(machine)
        world.advance(LONG)
        for machine in world.machines:
            world.beat(machine)
            world.settled(machine)
        for _ in range(2):
            for machine in world.machines:
                world.beat(machine)
        assert world.swarm.admin.status().mode == "open"
        held = {(one.id, one.hive, one.fence) for one in world.swarm.admin.posts() if one.state in {"claimed", "lost"}}
        running = {(post, m.hive.name, claim.fence) for m in world.machines for post, claim in m.runs.items()}
        assert held == running
        for post in world.done - world.excused:
            found = world.swarm.admin.find_post(post)
            assert found is None or found.state in {"done", "failed"}, post


@pytest.mark.timeout(500)
def test_one_holder_fences_only_grow_and_no_end_is_lost(made):
    run_state_machine_as_test(
        lambda: SwarmMachine(*made),  # type: ignore[arg-type] # whatever makes one will do
        settings=settings(
            max_examples=portion(200),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

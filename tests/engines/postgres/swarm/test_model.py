"""Random claims, beats, ends, takes, reboots, rewinds and lost answers: one holder, growing fences, no end lost."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.kit.swarm import Hive, swarm_in
from tests.kit.swarm_model import LONG, Machine, World, cleared

RATES = (1.0, 0.9951, 1.0049)
"""Clocks that differ by less than 1 %."""
machine_numbers = st.integers(0, len(RATES) - 1)


@pytest.fixture(scope="module")
def made(module_database_url):
    with swarm_in(module_database_url) as swarm:
        for number in range(len(RATES)):
            swarm.member(f"eu{number}", "worker").close()
        yield swarm


class SwarmMachine(RuleBasedStateMachine):
    """One swarm, three hives."""

    def __init__(self, swarm):
        super().__init__()
        cleared(swarm)
        logins = [swarm.login(f"eu{number}") for number in range(len(RATES))]
        hives = [Hive(swarm.connected(swarm.url_of(login)), login) for login in logins]
        self.world = World(swarm, [Machine(hive, rate) for hive, rate in zip(hives, RATES, strict=True)])

    @initialize()
    def begin(self):
        for machine in self.world.machines:
            assert machine.hive.join().word == "joined"
        self.world.save()

    @rule(number=machine_numbers, on_lost=st.sampled_from(["move", "wait"]), lost=st.booleans())
    def work(self, number, on_lost, lost):
        """A hive takes what waits; something always does."""
        machine = self.world.machines[number]
        self.world.beat(machine)
        if self.world.swarm.admin.status().queued < 2:
            self.world.post(on_lost=on_lost, lease=10)
        self.world.claim(machine, lost=lost)

    @rule(number=machine_numbers, lost=st.booleans())
    def beat(self, number, lost):
        self.world.beat(self.world.machines[number], lost=lost)

    @rule(number=machine_numbers)
    def claim(self, number):
        """It has not beaten before."""
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

    @rule(which=st.integers(0, 9))
    def retry(self, which):
        ended = sorted(self.world.done)
        if ended:
            self.world.retry(ended[which % len(ended)])

    @rule(number=machine_numbers, seconds=st.sampled_from([6.0, 11.0, 12.2, LONG]))
    def watch_and_take(self, number, seconds):
        """A hive watches the others for so long, and takes what it may; perhaps some beat meanwhile."""
        machine = self.world.machines[number]
        self.world.look(machine)
        self.world.advance(seconds)
        self.world.take(machine)
        self.world.beat(machine)
        self.world.claim(machine, lost=False)

    @rule(number=machine_numbers)
    def reboot(self, number):
        self.world.reboot(self.world.machines[number])

    @rule()
    def save(self):
        self.world.save()

    @rule(back=st.integers(0, 1), is_told=st.booleans(), order=st.lists(machine_numbers, min_size=1, max_size=4))
    def rewind(self, back, is_told, order):
        """The store goes back, and some hives go on."""
        self.world.rewind(max(1, self.world.snapshots - back), is_told=is_told)
        for number in order:
            self.hurry(number)

    @rule(number=machine_numbers)
    def hurry(self, number):
        machine = self.world.machines[number]
        self.world.beat(machine)
        self.world.settled(machine)
        self.world.claim(machine, lost=False)

    @rule(number=machine_numbers)
    def wait_until_settled(self, number):
        machine = self.world.machines[number]
        self.world.beat(machine)
        self.world.advance(LONG)
        self.hurry(number)
        self.hurry(number)

    def teardown(self):
        """In the end all goes on: each hive beats and has what it is said to have."""
        try:
            self.check_end()
        finally:
            for machine in self.world.machines:
                machine.hive.swarm.close()

    def check_end(self):
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


@pytest.mark.parametrize("is_told", [False, True])
def test_a_claim_that_nobody_knew_of_begins_nothing_when_another_hive_has_it_since(made, is_told):
    """Its answer was lost, and then the store forgets that another hive has taken the post."""
    machine = SwarmMachine(made)
    machine.begin()
    world = machine.world
    first, second, _ = world.machines
    for one in world.machines:
        world.beat(one)
    world.post(on_lost="move", lease=10)
    world.claim(first, lost=True)
    world.save()
    world.look(second)
    world.advance(LONG)
    world.take(second)
    world.beat(second)
    world.claim(second, lost=False)
    assert list(second.runs) == world.posted
    world.rewind(world.snapshots, is_told=is_told)
    for number in (0, 1, 0, 2, 0):
        machine.hurry(number)
    assert (list(first.runs), list(second.runs)) == ([], world.posted)
    machine.teardown()

"""Random claims, beats, ends, takes, reboots, rewinds and lost answers: one holder, growing fences, no end lost."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.engines.postgres.swarm.test_model import RATES, SwarmMachine
from tests.kit.swarm import swarm_in
from tests.kit.swarm_model import LONG
from tests.kit.torture import portion, seeded_random


@pytest.fixture(scope="module")
def made(module_database_url):
    with swarm_in(module_database_url) as swarm:
        for number in range(len(RATES)):
            swarm.member(f"eu{number}", "worker").close()
        yield swarm


@pytest.mark.timeout(500)
def test_one_holder_fences_only_grow_and_no_end_is_lost(made):
    run_state_machine_as_test(
        lambda: SwarmMachine(made),  # type: ignore[arg-type] # whatever makes one will do
        settings=settings(
            max_examples=portion(100),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


WEIGHTS = {
    "work": 30, "beat": 10, "claim": 5, "end": 15, "give_back": 4, "retry": 4, "watch_and_take": 15, "reboot": 2,
    "save": 6, "rewind": 6, "hurry": 6, "wait_until_settled": 5,
}  # fmt: skip


@pytest.mark.timeout(500)
@pytest.mark.parametrize("walk", range(portion(12)))
def test_a_long_life_with_many_rewinds(made, walk):
    """As above, further than examples that are to be made small go."""
    chance = seeded_random()
    machine = SwarmMachine(made)
    machine.begin()
    for _ in range(400):
        number, which = chance.randrange(len(RATES)), chance.randrange(10)
        match chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]:
            case "work":
                machine.work(number, chance.choice(["move", "wait"]), chance.random() < 0.2)
            case "beat":
                machine.beat(number, chance.random() < 0.5)
            case "end":
                machine.end(number, which, chance.choice(["done", "failed"]), chance.random() < 0.3)
            case "give_back":
                machine.give_back(number, which)
            case "retry":
                machine.retry(which)
            case "watch_and_take":
                machine.watch_and_take(number, chance.choice([6.0, 11.0, 12.2, LONG]))
            case "save":
                machine.save()
            case "rewind":
                order = [chance.randrange(len(RATES)) for _ in range(chance.randrange(1, 5))]
                machine.rewind(chance.randrange(2), chance.random() < 0.5, order)
            case name:
                getattr(machine, name)(number)
    machine.teardown()

"""How many instances a pool is to have, and what is done about each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overmind_core.domain.swarm.scaling import (
    Deed,
    Instance,
    Machine,
    Seen,
    Step,
    counts,
    held_by,
    machines_of,
    outlook,
    reported_id,
    steps,
    wanted,
)

WANTED = [  # waiting, held, slots, least, most, wanted
    (0, 0, 4, 0, 10, 0),
    (1, 0, 4, 0, 10, 1),
    (4, 0, 4, 0, 10, 1),
    (5, 0, 4, 0, 10, 2),
    (4, 8, 4, 0, 10, 3),  # two are full
    (0, 1, 4, 0, 10, 1),
    (0, 0, 4, 2, 10, 2),
    (99, 0, 4, 0, 10, 10),
    (1, 0, 1, 3, 10, 3),
]


@pytest.mark.parametrize(("waiting", "held", "slots", "least", "most", "count"), WANTED)
def test_as_many_are_wanted_as_have_the_slots_for_what_waits_and_what_they_have(
    waiting, held, slots, least, most, count
):
    assert wanted(waiting, held, slots, least, most) == count


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 50), st.integers(0, 20), st.integers(0, 50))
def test_wanted_is_within_its_limits_enough_and_no_more_than_that(waiting, held, slots, least, more):
    most = least + more
    count = wanted(waiting, held, slots, least, most)
    assert least <= count <= most
    assert count == most or count * slots >= waiting + held
    assert count == least or (count - 1) * slots < waiting + held


START, END = Step(Deed.START, "hpc-1"), Step(Deed.END, "hpc-1")
PENDING, RUNNING, ENDED = (Machine("hpc-1", "4711", state) for state in ("pending", "running", "ended"))


def told(state: str, reason: str | None = None) -> Step:
    return Step(Deed.REPORT, "hpc-1", state, reason)  # type: ignore[arg-type]


LATE, MISSING, STRAY = Seen(late=["hpc-1"]), Seen(missing=["hpc-1"]), Seen(stray=["hpc-1"])
NOW = Seen()
STEPS = [  # row, machine, what has been so for a while, steps
    ({"state": "asked"}, None, NOW, [START]),
    ({"state": "asked"}, PENDING, NOW, [told("started")]),
    ({"state": "asked"}, RUNNING, NOW, [told("running")]),
    ({"state": "asked"}, ENDED, NOW, [told("ended", "it ended before it had joined")]),
    ({"state": "started"}, PENDING, NOW, []),
    ({"state": "started"}, RUNNING, NOW, [told("running")]),
    ({"state": "started"}, None, NOW, []),
    ({"state": "started"}, None, MISSING, [told("ended", "its engine does not know it any more")]),
    ({"state": "running"}, RUNNING, NOW, []),
    ({"state": "running"}, RUNNING, LATE, [END, told("ended", "it has not joined within 10m")]),
    ({"state": "running"}, ENDED, NOW, [told("ended", "it ended before it had joined")]),
    ({"state": "joined", "is_hive": True}, RUNNING, NOW, []),
    ({"state": "joined", "is_hive": True}, PENDING, NOW, []),  # its controller has forgotten that it runs
    ({"state": "joined", "is_hive": True}, RUNNING, LATE, []),
    ({"state": "joined", "is_hive": True}, ENDED, NOW, [told("ended", "its machine has ended")]),
    ({"state": "joined", "is_hive": True}, None, NOW, []),
    ({"state": "joined", "is_hive": True}, None, MISSING, [told("ended", "its machine has ended")]),
    ({"state": "ended"}, RUNNING, NOW, []),  # it is just leaving
    ({"state": "ended"}, RUNNING, STRAY, [END]),
    ({"state": "ended", "is_hive": True}, ENDED, NOW, [told("ended")]),
    ({"state": "asked", "ending": "drain"}, None, NOW, [told("ended")]),
    ({"state": "started", "ending": "drain"}, PENDING, NOW, [END]),
    ({"state": "started", "ending": "drain"}, None, NOW, []),
    ({"state": "started", "ending": "drain"}, ENDED, NOW, [told("ended")]),
    ({"state": "joined", "is_hive": True, "ending": "drain"}, RUNNING, NOW, []),
    ({"state": "joined", "is_hive": True, "ending": "force"}, RUNNING, NOW, [END]),
    ({"state": "joined", "is_hive": True, "ending": "force"}, ENDED, NOW, [told("ended")]),
]


@pytest.mark.parametrize(("row", "machine", "seen", "expected"), STEPS)
def test_what_is_done_about_an_instance(row, machine, seen, expected):
    machines = {} if machine is None else {machine.name: machine}
    assert steps([Instance("hpc-1", **row)], machines, seen, "10m") == expected


INSTANCES = st.builds(
    Instance,
    st.sampled_from(["hpc-1", "hpc-2"]),
    st.sampled_from(["asked", "started", "running", "joined", "ended"]),
    st.sampled_from([None, "drain", "force"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
)
MACHINES = st.dictionaries(
    st.sampled_from(["hpc-1", "hpc-2"]), st.sampled_from(["pending", "running", "ended"]), max_size=2
)


@given(st.lists(INSTANCES, max_size=2, unique_by=lambda one: one.name), MACHINES, st.data())
def test_nothing_is_started_that_its_engine_knows_or_that_has_ended_and_only_what_lives_is_ended(rows, states, data):
    machines = {name: Machine(name, "x", state) for name, state in states.items()}
    names = st.sets(st.sampled_from(["hpc-1", "hpc-2"]))
    seen = Seen(data.draw(names), data.draw(names), data.draw(names))
    by_name = {one.name: one for one in rows}
    for step in steps(rows, machines, seen, "10m"):
        if step.deed is Deed.START:
            assert step.name not in machines
            assert by_name[step.name].state == "asked"
        elif step.deed is Deed.END:
            assert machines[step.name].state != "ended"


def test_what_drains_or_is_to_end_is_not_there_for_what_waits():
    rows = [
        Instance("hpc-1", "joined", held=2, is_hive=True),
        Instance("hpc-2", "joined", held=3, is_hive=True, is_draining=True),
        Instance("hpc-3", "started", "drain"),
        Instance("hpc-4", "asked"),
        Instance("hpc-5", "ended"),
    ]
    assert [one.name for one in rows if counts(one)] == ["hpc-1", "hpc-4"]
    assert held_by(rows) == 2


def test_machines_of_other_swarms_and_pools_of_the_account_are_none_of_a_pool():
    ours, swarm = "overmind-1a2b3c4d-hpc-1", "1a2b3c4d"
    seen = [
        Machine(ours, "1", "ended"), Machine(ours, "2", "running"), Machine(ours, "3", "ended"),
        Machine("overmind-00000000-hpc-1", "4", "running"), Machine("overmind-1a2b3c4d-hpc-2-1", "5", "running"),
        Machine("hpc-1", "6", "running"), Machine("overmind-1a2b3c4d-hp-1", "7", "running"),
    ]  # fmt: skip
    assert machines_of(seen, swarm, "hpc") == {"hpc-1": Machine("hpc-1", "2", "running")}
    assert machines_of(seen, swarm, "hpc-2") == {"hpc-2-1": Machine("hpc-2-1", "5", "running")}
    assert machines_of(seen, "ffffffff", "hpc") == {}


@pytest.mark.parametrize(
    ("starting", "live", "most", "silence", "says"),
    [
        ([], 0, 2, "", "will start an instance"),
        ([], 0, None, "", "will start an instance"),  # nobody has looked at it yet
        (["hpc-7"], 1, 2, "", "starts hpc-7"),
        (["hpc-7", "hpc-8"], 2, 2, "", "starts hpc-7, hpc-8"),
        (["hpc-7"], 1, 2, "squeue failed", "starts hpc-7; its engine does not answer: squeue failed"),
        ([], 1, 2, "squeue failed", "its engine does not answer: squeue failed"),
        ([], 2, 2, "", "has 2 instances, its max"),
        ([], 1, 1, "", "has 1 instance, its max"),
    ],
)
def test_what_a_pool_does_for_a_post_that_waits(starting, live, most, silence, says):
    assert outlook(starting, live, most, silence) == says


@pytest.mark.parametrize(
    ("machine", "reported"),
    [
        (Machine("p-1", "s-p-1", "running"), None),
        (Machine("p-1", "4711", "running"), "4711"),
        (None, None),
    ],
)
def test_a_list_that_knows_our_name_only_takes_nothing_from_what_the_engine_has_answered(machine, reported):
    assert reported_id(machine, "s-p-1") == reported

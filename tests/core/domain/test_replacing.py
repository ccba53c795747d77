"""`replace`: as that of dataclasses, also for values that nobody may change."""

from __future__ import annotations

import dataclasses

import pytest

from overmind_core.domain.missions.mission import Definition, Mission, Run, Status
from overmind_core.domain.replacing import replace

DEFINITION = Definition("amber-comet", "sleep 5", ("sleep", "5"), "/work")
MISSION = Mission("abcd1234", DEFINITION, 12.5, run=3)
RUN = Run("abcd1234", 3, 12.5, pid=4711, ticks=99, boot="boot")


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        (MISSION, {}),
        (MISSION, {"status": Status.RUNNING, "pid": 17, "started_at": 13.0}),
        (DEFINITION, {"name": "other"}),
        (RUN, {"out": 5, "code": 0}),
    ],
)
def test_a_copy_is_what_dataclasses_would_make_and_the_value_stays_as_it_was(value, changes):
    before = dataclasses.astuple(value)
    assert replace(value, **changes) == dataclasses.replace(value, **changes)
    assert dataclasses.astuple(value) == before


def test_a_copy_is_as_frozen_as_the_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(MISSION, pid=1).pid = 2  # type: ignore[misc]


def test_a_field_that_is_not_there_is_refused():
    with pytest.raises(TypeError):
        replace(MISSION, colour="red")

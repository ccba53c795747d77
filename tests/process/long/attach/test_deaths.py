"""Attached while something dies: the mission, the supervisor, the keeper, the client itself."""

from __future__ import annotations

import resource

import pytest

from overmind_core.client.connection import ANSWER_LIMIT
from tests.kit.killing import kill_both
from tests.process.attach.test_deaths import restored

pytestmark = pytest.mark.shared_home


@pytest.mark.long
@pytest.mark.own_home
def test_nobody_left_is_an_error_and_the_terminal_is_restored(om, attach, shell):
    person = attach(shell)
    kill_both(om)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert person.end() == 1
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert restored(person)
    assert "Error: daemon_lost" in person.text()
    assert after.ru_utime - before.ru_utime < ANSWER_LIMIT / 4, "it waits, and is not busy with that"

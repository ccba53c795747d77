"""Each real program killed again and again amid turns and questions, or its supervisor, beside a stub of its models.

OVERMIND_TEST_KILLS says how often.
"""

from __future__ import annotations

import os

import pytest

from tests.kit import torture
from tests.kit.kill_rounds import VICTIMS, kill_in_rounds

pytestmark = [pytest.mark.torture, pytest.mark.linux, pytest.mark.timeout(3600)]
KILLS = int(os.environ.get("OVERMIND_TEST_KILLS", "0")) or torture.portion(50)


def test_nothing_is_lost_doubled_or_left_where_a_program_and_its_supervisor_are_killed(agents):
    outcome = kill_in_rounds(agents, torture.seeded_random(), KILLS, victims=VICTIMS)
    print(agents.provider, outcome)  # noqa: T201 - the figures
    assert not outcome.faults, outcome
    assert outcome.messages == 2 * KILLS

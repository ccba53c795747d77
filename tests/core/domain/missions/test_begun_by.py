"""Which missions the engine has begun for itself."""

from __future__ import annotations

from overmind_core.domain.missions.begun_by import is_of_engine
from overmind_core.domain.plans.progress import AgentProgress
from overmind_core.plans.attempt_start import request_key
from tests.kit.cases import tabled


@tabled(
    ("request_key", "of_engine"),
    [
        (None, False),
        ("", False),
        ("9f86d081884c7d65", False),
        ("merge-by-hand", False),
        ("ritual:r1:2", False),
        ("quest:0a1b2c", True),
        ("quest:0a1b2c:check:1", True),
        ("quest:0a1b2c:review:2", True),
        ("guardian:0a1b2c", True),
        ("merge-0a1b2c:9f86d081884c7d65", True),
        ("isolation:0a1b2c:db:1:0", True),
        ("swarm:0a1b2c3d:7", True),
        (request_key("0a1b2c", "planner", AgentProgress()), True),
    ],
)
def test_what_the_engine_begins_is_known_by_its_request_key(request_key, of_engine):
    assert is_of_engine(request_key) is of_engine

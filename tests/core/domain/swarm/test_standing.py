"""What people read of the end of a post."""

from __future__ import annotations

import pytest

from overmind_core.domain.swarm.standing import ENDED, how_ended

SAID = [
    ("done", "eu1", None, "it has completed on eu1"),
    ("done", "eu1", "landed", "it has completed on eu1"),
    ("failed", "eu1", None, "it has failed on eu1"),
    ("failed", "eu1", "failed", "it has failed on eu1"),
    ("failed", "eu1", "check_failed", "it has failed on eu1: its check failed"),
    ("failed", None, "its quest was removed", "it has failed: its quest was removed"),
    ("cancelled", None, None, "it was cancelled"),
    ("cancelled", "eu1", "cancelled", "it was cancelled on eu1"),
]


@pytest.mark.parametrize(("state", "hive", "reason", "said"), SAID)
def test_it_says_how_a_post_has_ended_where_and_why(state, hive, reason, said):
    assert how_ended(state, hive, reason) == said


def test_each_end_has_words():
    assert {state for state, *_ in SAID} == ENDED

"""Work of quests that failed, landed or settled by a person."""

from __future__ import annotations

import pytest

from tests.kit.queued_shop import Shop


@pytest.fixture
def shop(om):
    return Shop(om)


def test_work_that_its_quest_verifies_is_verified_when_a_person_lands_it_too(shop):
    quest = shop.add("vf", "echo 2 > b", into="main", verify="test -f missing", retries=0)
    assert shop.ended(quest)["reason"] == "verify_failed"
    before = shop.head()
    refused = shop.om.refused("merge", "vf", code="verify_failed")
    assert refused.rstrip().endswith(
        "Have it tried again with: overmind quest retry vf, or merge it all the same with: "
        "overmind merge vf --verify true"
    )
    assert shop.head() == before
    removed = shop.om("rm", "vf")
    assert "Merge with: overmind merge vf (its own check runs first), or " in removed.stderr
    refused = shop.om.refused("merge", quest, code="verify_failed")
    assert "overmind quest retry" not in refused
    shop.om.ok("merge", quest, "--verify", "true")
    assert shop.code.git("show", "main:b") == "2"

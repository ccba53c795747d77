"""How far a tree of missions may grow when they start missions by themselves."""

from __future__ import annotations

import pytest

from tests.kit.killing import kill_supervisor
from tests.kit.waiting import eventually
from tests.process.orchestration.test_limits import AT_ONCE, outcomes, starts

pytestmark = [pytest.mark.linux, pytest.mark.shared_home]


@pytest.mark.long
@pytest.mark.own_home
def test_the_limit_holds_when_the_supervisor_is_killed_among_the_starts(om, tmp_path):
    parent = om.mission(starts("sleep 60", AT_ONCE, tmp_path), "--max-children", "5")
    eventually(lambda: om.info(parent)["children"])
    kill_supervisor(om)
    refused, said = outcomes(tmp_path, AT_ONCE)
    assert len(om.info(parent)["children"]) == 5, said
    assert len(refused) == AT_ONCE - 5
    assert all("Error: forbidden: " in text for text in refused), refused

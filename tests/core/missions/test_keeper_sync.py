"""What the supervisor makes of what its keeper says: here without a keeper."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

from overmind_core.domain.missions.mission import Definition, Mission, Status
from overmind_core.kernel.keeper_client import CurrentKeeper
from overmind_core.missions.changes import Extent, MissionChanged
from overmind_core.missions.keeper_sync import KeeperSync
from tests.kit.clock import FakeClock

RUNNING = Mission("1f3a9c0d", Definition("one", "true", ("true",), "/"), 0.0, Status.RUNNING, run=1, pid=7)


def test_a_state_that_a_full_disk_took_late_does_not_bring_back_a_mission_that_has_ended_since():
    registry = SimpleNamespace(live={RUNNING.id: RUNNING}, put=Mock())
    unused: Any = None
    parts: dict[str, Any] = {
        "registry": registry,
        "progress": SimpleNamespace(of=lambda _run: Extent()),
        "clock": FakeClock(),
        "line": CurrentKeeper(headless=False),
    }
    others = ("keepers", "journal", "meta_table", "exits", "tasks", "launcher", "terminator", "trees", "followers")
    more = ("leases", "deadlines", "runner", "preparer", "records", "terminals")
    sync = KeeperSync(**parts, **dict.fromkeys((*others, *more), unused))
    sync._troubled(RUNNING.run_id, "disk_full")
    assert registry.put.call_args.args[0].reason == "disk_full"
    registry.live.clear()
    sync.on_change(MissionChanged(RUNNING, RUNNING))
    assert registry.put.call_count == 1

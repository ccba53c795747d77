"""What the supervisor makes of what its keeper says: here without a keeper."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from unittest.mock import Mock

from overmind_core.domain.missions.mission import Definition, Mission, Status
from overmind_core.missions.changes import MissionChanged
from overmind_core.missions.keeper_sync import KeeperSync
from overmind_core.missions.output_progress import Extent

if TYPE_CHECKING:
    from overmind_core.daemon.app import Supervisor

RUNNING = Mission("1f3a9c0d", Definition("one", "true", ("true",), "/"), 0.0, Status.RUNNING, run=1, pid=7)


def test_a_state_that_a_full_disk_took_late_does_not_bring_back_a_mission_that_has_ended_since():
    book = SimpleNamespace(live={RUNNING.id: RUNNING}, put=Mock())
    core = SimpleNamespace(
        book=book, pulse=SimpleNamespace(of=lambda _run: Extent()), clock=SimpleNamespace(mono=lambda: 1.0)
    )
    custody = KeeperSync(cast("Supervisor", core))
    custody._troubled(RUNNING.run_id, "disk_full")
    assert book.put.call_args.args[0].reason == "disk_full"
    book.live.clear()
    custody.on_change(MissionChanged(RUNNING, RUNNING))
    assert book.put.call_count == 1

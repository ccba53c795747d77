"""A flood: memory stays flat, disk use within the setting, the newest is kept and readable meanwhile."""

from __future__ import annotations

import os

import pytest

from tests.kit.waiting import eventually
from tests.process.contract.test_log_limits import MB, configure, log_bytes


@pytest.mark.long
def test_in_total_the_logs_records_and_events_that_are_oldest_go_first(om):
    """One test for all three: what is too much is looked for half a minute after a start."""
    configure(om, f'[logs]\ntotal = "{3 * MB}B"\n[retention]\nfinished = 6\nevents = 20\n')
    big = [om.finished(f"head -c {MB} /dev/zero", "--no-tty")["id"] for _ in range(5)]
    small = [om.finished("true")["id"] for _ in range(3)]
    live = om.mission(f"head -c {MB} /dev/zero; sleep 100", "--no-tty")
    eventually(lambda: not all(os.path.exists(om.path("logs", one)) for one in big), timeout=60)
    eventually(lambda: om.ndjson("events")[0]["seq"] > 1)
    eventually(lambda: om.json("status", "--json")["log_bytes"] <= 3 * MB, timeout=20)
    assert [row["id"] for row in om.ps("--all")] == [*big[2:], *small, live]
    kept = [one for one in big if os.path.exists(om.path("logs", one))]
    assert kept == big[-len(kept) :]
    assert 1 <= len(kept) <= 2
    assert log_bytes(om, live) >= MB, "what lives loses nothing"
    oldest = om.ndjson("events")[0]["seq"]
    assert str(oldest) in om.refused("events", "--since", "1", code="gone")
    assert om.info(big[2])["exit_code"] == 0, "the record outlives its log"
    assert om.logs(big[2]) == ""

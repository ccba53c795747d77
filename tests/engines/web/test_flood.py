"""A terminal that writes without end: the page and the server keep little of it, and another tab is typed into."""

from __future__ import annotations

import pytest

from tests.engines.web.conftest import DESK
from tests.engines.web.test_terminal import begin_to_type, open_terminal, session, shown, until
from tests.kit.waiting import eventually

HEAP = 80_000_000
"""Bytes that the page's scripts may hold."""
GROWTH = 60_000_000
"""Bytes that the server may grow by while what it passes on is many times as much."""


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))


def heap(page) -> int:
    """Bytes of a page's scripts, after what is garbage has gone."""
    wire = page.context.new_cdp_session(page)
    wire.send("HeapProfiler.collectGarbage")
    used = wire.send("Runtime.getHeapUsage")["usedSize"]
    wire.detach()
    return int(used)


@pytest.mark.long
def test_beside_an_endless_flood_memory_stays_flat_and_another_tab_is_typed_into(om, site, pages):
    flood = session(om, "echo begun; exec yes 0123456789012345678901234567890123456789")
    shell = session(om, "exec sh")
    flooded, typed = open_terminal(pages, flood), open_terminal(pages, shell, **DESK)
    until(flooded, "0123456789")
    begin_to_type(typed)
    before = memory(site.pid)
    for number in range(20):
        typed.keyboard.type(f"echo answer-$(({number} + 100))\n")
        until(typed, f"answer-{number + 100}")
    assert "0123456789" in shown(flooded)
    assert heap(flooded) < HEAP
    assert memory(site.pid) - before < GROWTH
    flooded.get_by_role("button", name="Type", exact=True).click()
    until(flooded, "typing", lambda page: page.locator(".terminal-words").inner_text())

    def ended():
        flooded.keyboard.press("Control+c")  # while a terminal is joined again none is sent, and the page says so
        return om.json("info", flood, "--json")["status"] in {"stopped", "crashed", "killed"}

    eventually(ended, timeout=30, what="the flood is ended by its key")

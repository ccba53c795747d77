"""What of a row is sent: all of it, or the cells that changed."""

from __future__ import annotations

from tests.kit.web_tab import Table


def test_a_mission_that_writes_is_told_of_by_its_cells(om, tab):
    mission = om.mission(["sh", "-c", "n=0; while :; do n=$((n + 1)); echo tick $n; sleep 0.2; done"])
    tab.open(1, "missions")
    table = Table(tab, 1)
    tab.until(lambda: tab.panes[1] and table.take().rows.get(mission), what="it is listed")
    tab.until(lambda: any("cells" in frame for frame in tab.panes[1]), what="cells of it are told")
    tab.until(
        lambda: table.take().cells(mission).get("now", [""])[0].startswith("tick"), what="its newest line is there"
    )

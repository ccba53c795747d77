"""The doctor's page, as a tab gets it."""

from __future__ import annotations

from tests.kit.overmind import Overmind
from tests.kit.web_tab import Tab


def test_the_findings_are_those_of_the_command_on_that_machine(om: Overmind, tab: Tab) -> None:
    tab.open(1, "doctor")
    frame = tab.until(lambda: tab.panes[1][-1] if tab.panes[1] else None, what="the findings")
    assert frame["t"] == "content", frame
    found = {one["check"]: one for one in frame["content"]["findings"]}
    assert om.home in found["home"]["found"]
    assert found["python"]["status"] == "ok"
    assert found["python"]["tone"] == "good"

"""The doctor's page, as a tab gets it."""

from __future__ import annotations

import pytest

from overmind_core.errors import OvermindError
from overmind_web.pages.doctor import findings
from tests.kit.cases import tabled
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


def test_control_characters_are_spelled_out() -> None:
    (one,) = findings(b'[{"status": "fail", "check": "c", "found": "a\\u001b[31mb", "mend": null}]')
    assert "\x1b" not in one["found"]
    assert (one["tone"], one["mend"]) == ("bad", "")


@tabled("printed", [b"", b"{}x", b"[1]", b'[{"status": "ok"}]', b"3", b"\xff"])
def test_what_is_no_report_is_an_error(printed: bytes) -> None:
    with pytest.raises(OvermindError, match="overmind doctor failed"):
        findings(printed)

"""What the browser says before missions are ended: which children go on, and which end with them."""

from __future__ import annotations

import pytest

from overmind_web.pages.missions import hanging


def mission(name, kind="task", parent=None, status="running"):
    """A mission whose id is its name."""
    more = {"activity": None, "activity_since": None, "ended_at": None, "exit_code": None, "reason": None}
    return {
        "id": name,
        "name": name,
        "type": kind,
        "parent": parent,
        "status": status,
        "started_at": "2026-11-20T12:00:00Z",
        **more,
    }


ROWS = [
    mission("docs"),
    mission("spell", parent="docs"),
    mission("links", parent="docs"),
    mission("old", parent="docs", status="stopped"),
    mission("release", kind="blueprint"),
    mission("build", parent="release"),
    mission("alone"),
]
HANGING = [
    (["docs"], ["2 live children keep running: spell, links."]),
    (["release"], ["1 live child ends with it: build."]),
    (["docs", "links"], ["1 live child keeps running: spell."]),
    (["docs", "release"], ["1 live child ends with it: build.", "2 live children keep running: spell, links."]),
    (["release", "build"], []),
    (["alone", "nobody"], []),
    ([], []),
]


@pytest.mark.parametrize(("meant", "said"), HANGING)
def test_it_is_said_what_hangs_on_those_that_are_to_end(meant, said):
    assert hanging(frozenset(meant), {row["id"]: row for row in ROWS}, 1_000.0) == said

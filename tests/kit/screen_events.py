"""The events of a day for the pictures of the screen, as the request `events` answers them, the oldest first."""

from __future__ import annotations

from typing import Any

from overmind_core.domain.text.moment import format_time
from overmind_core.view.happened import Surroundings
from tests.kit.screen_panel import ZONE, at, mission

Row = dict[str, Any]


def _event(clock: str, kind: str, name: str = "", **more: object) -> Row:
    known = {"mission": name, "name": name} if name else {}
    return {"type": kind, "at": format_time(at(clock)), **known, **more}


def _started(minutes: float, clock: str, name: str, **more: object) -> Row:
    """The start of a run so many minutes before a clock."""
    began = format_time(at(clock) - minutes * 60)
    return {"type": "started", "at": began, "mission": name, "name": name, "pid": 7, **more}


_OK = {"outcome": "succeeded", "exit_code": 0, "reason": None}
_SAID = [
    _event("12:20", "stopped", "nightly", **_OK),
    _event("12:58", "flash", text="this computer woke up; 3 missions went on"),
    _event("13:04", "created", "db", by="person"),
    _event("13:05", "created", "web", by="person"),
    _event("13:12", "stopped", "deps", **_OK),
    _event("13:12", "landed", "deps", branch="deps", target="main", before="1", after="2", added=31,
           removed=31, by="person"),
    _event("13:29", "created", "prices", by="planner"),
    _event("13:31", "crashed", "e2e", outcome="timed out", exit_code=None, reason="stalled"),
    _event("13:38", "stopped", "format", **_OK),
    _event("13:40", "asked", "planner", question=3, need="question", tool="", summary="How is half a cent rounded?"),
    _event("13:44", "answered", "planner", question=3, by="a person", behaviour="allow",
           options=["half a cent rounds up"], summary="How is half a cent rounded?"),
    _event("13:51", "stopped", "crawler", outcome="stopped", exit_code=143, reason="stopped", by="person"),
    _event("13:58", "stopped", "prices", **_OK),
    _event("13:58", "landed", "prices", branch="prices", target="main", before="2", after="3", added=88,
           removed=12, by="person"),
    _event("14:02", "activity", "i18n", doing="limited", need=None),
    _event("14:09", "stopped", "lint", **_OK),
    _event("14:18", "created", "release", by="person"),
    _event("14:24", "restarting", "worker", exit_code=75, delay_seconds=8.0),
    _event("14:24", "restart", "worker", text="--- restart #2 at 2026-11-28T14:24:08.000Z ---"),
    _event("14:27", "turn_ended", "docs", ok=True, reason=None, cost_usd=1.9, turns=4, duration_ms=540_000.0),
    _event("14:29", "stopped", "schema", **_OK),
    _event("14:29", "landed", "schema", branch="schema", target="main", before="3", after="4", added=212,
           removed=40, by="person"),
    _event("14:31", "answered", "api", question=5, by="a person", behaviour="allow", summary="Bash: git status"),
    _event("14:32", "crashed", "unit", outcome="failed", exit_code=1, reason=None),
    _event("14:34", "asked", "api", question=7, need="permission", tool="Bash", summary="Bash: git push origin main"),
    _event("14:35", "asked", "cart-vat", question=8, need="question", tool="", summary="How are prices rounded?"),
]  # fmt: skip
_RUNS = [
    _started(41, "12:20", "nightly"), _started(4, "13:12", "deps"), _started(20, "13:31", "e2e"),
    _started(0.15, "13:38", "format"), _started(124, "13:51", "crawler"), _started(31, "13:58", "prices"),
    _started(0.2, "14:09", "lint"), _started(6, "14:29", "schema"), _started(4, "14:32", "unit"),
]  # fmt: skip
EVENTS = sorted([*_RUNS, *_SAID], key=lambda event: str(event["at"]))
_ROWS = [
    mission("nightly", provider="raw", status="stopped", outcome="succeeded", now="1,204 passed"),
    mission("db", provider="raw", command="postgres", isolation={"ports": {"db": 5432}}),
    mission("web", provider="raw", command="npm run dev", isolation={"ports": {"web": 4310}}),
    mission("planner"),
    mission("docs", activity="idle", unseen=True),
    mission("e2e", provider="raw", status="crashed", outcome="timed out", reason="stalled", limit_seconds=300.0),
    mission("i18n", activity="limited", now="the plan's limit is reached; goes on at 15:00"),
    mission("release", type="blueprint", provider="raw", command=f"apply {'/home/ada/shop'}/release.toml"),
    mission("unit", provider="raw", status="crashed", outcome="failed", exit_code=1,
            now="E999 SyntaxError: invalid syntax in cart.py:14"),
]  # fmt: skip
AROUND = Surroundings(
    rows={row["id"]: row for row in _ROWS},
    zone=ZONE,
)

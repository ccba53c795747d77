"""Facts of the edges of the screen's pictures: missions as the API answers them, at a fixed time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from overmind_core.view.actions import Context
from overmind_core.view.first_run import Agent, Folder
from overmind_core.view.fleet import Fleet
from overmind_core.view.header_line import NO_DAEMON, HeaderFacts
from overmind_core.view.prompt import RestFacts, Said, Where, first_step
from overmind_core.view.summary import EngineLoad, Load

ZONE = UTC
NOW = datetime(2026, 11, 28, 14, 35, tzinfo=ZONE).timestamp()
FOLDER = "~/shop"
PLACES = {"needs": "needs you", "help": "keys"}
"""Picture → the place that its header names."""
QUEUE = {"pools": [{"name": "queue", "used": 2}], "slots": 3, "count": 7, "paused": False}
"""As the request `queue` answers."""
APART = {"sharing": 0}
"""As the request `health` answers."""


def row(name: str, status: str = "running", **more: Any) -> dict[str, Any]:
    """A mission as the API answers it."""
    return {
        "id": name, "name": name, "status": status, "parent": None, "activity": None, "provider": "raw",
        "command": f"run {name}", "labels": {}, "started_at": "2026-11-28T14:00:00.000Z", "ended_at": None,
        "uptime_seconds": 1.0, "restart_count": 0, "exit_code": None, "type": "task", "cwd": "/home/me/shop",
        "unseen": False, **more,
    }  # fmt: skip


ASKING = (
    row("api", activity="waiting", type="session", provider="claude"),
    row("cart-vat", activity="waiting", type="session", provider="claude"),
    row("docs", activity="idle", type="session", provider="claude", unseen=True),
)
RUNNING = (row("release", type="blueprint"), row("planner", type="session", provider="claude"), row("web"))
FAILED = row(
    "unit", "crashed", outcome="failed", exit_code=1, unseen=True, ended_at="2026-11-28T14:32:00.000Z"
)  # fmt: skip
ENDED = row("lint", "stopped", outcome="succeeded", exit_code=0, ended_at="2026-11-28T14:09:12.000Z")


def fleet(picture: str) -> tuple[Fleet, int]:
    """The fleet of a picture, and the rows of its first group."""
    found = Fleet()
    if picture == "first":
        return found, 0
    demo, calm = picture == "demo", picture == "calm"
    asking = ASKING[:1] if demo else () if calm else ASKING
    found.apply([*asking, *RUNNING, *(() if demo or calm else (FAILED,)), ENDED], (), everything=True)
    found.load = Load(2.0, 78e6) if demo else Load(34.0, 2.1e9)
    if not demo:
        found.engine, found.today = EngineLoad.of(QUEUE, APART), 12.4
    return found, len(asking)


def header_facts(picture: str) -> HeaderFacts:
    """The facts of the header of a picture."""
    return HeaderFacts.of(*fleet(picture))._replace(
        place=PLACES.get(picture, ""), note=NO_DAEMON if picture == "first" else ""
    )


UNIT_FAILED = Said("unit failed (1)", datetime(2026, 11, 28, 14, 32, tzinfo=ZONE).timestamp())
WHERE = {"first": Where.FIRST, "help": Where.HELP}
AGENTS = (Agent("claude", installed=True), Agent("codex", installed=False))
CHECKOUT = Folder(FOLDER, "main", 0)
TASK = "Move the prices into a table of their own"
IN_QUESTION = frozenset({"answer", "choice", "needs"})
"""Pictures in which a question has the keys."""


def rest_facts(picture: str) -> RestFacts:
    """The facts of the line at rest in a picture."""
    where = WHERE.get(picture, Where.LIST)
    step = first_step(()) if picture == "demo" else ""
    said = None if picture in {"demo", "first"} else UNIT_FAILED
    context = Context.NEEDS if picture in IN_QUESTION else Context.MISSIONS
    return RestFacts(FOLDER, where, said=said, step=step, zone=ZONE, context=context)

"""The registry of pages, a row each: what it is called, its key, the panes that it opens, the requests that it needs.

A page exists once the daemon answers all that it needs; `hello` names those that do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import NamedTuple, cast

from overmind_core.domain.operations import OPERATIONS
from overmind_web.live.messages import Open
from overmind_web.live.pane import Pane, PaneContext

Opens = Callable[[PaneContext, Open], Pane]


class Page(NamedTuple):
    """A page."""

    name: str
    """In its address, `#/<name>`, and of its modules here and in `static/pages/`."""
    title: str
    key: str = ""
    """Of the keyboard; "" has none."""
    needs: tuple[str, ...] = ()
    """Requests without which it is left out."""
    panes: Mapping[str, str] = {}
    """View, as a pane's `open` names it → `module:class` that shows it, loaded when it is first opened."""
    listed: bool = True
    """It stands in the menu; else it is reached from another page."""


_MISSION = "overmind_web.pages.mission"
_LISTED = {"list": "overmind_web.pages.resources:ResourcePane", "thing": "overmind_web.pages.resources:ThingPane"}
_LISTS = (
    ("quests", "Quests", "quests"), ("queue", "Queue", "queue"), ("rituals", "Rituals", "rituals"),
    ("worktrees", "Worktrees", "worktrees"), ("cost", "Cost", "cost"), ("memory", "Memory", "notes"),
    ("health", "Health", "health"), ("specs", "Specs", "specs"),
)  # fmt: skip
"""Pages that are a list and all about one of it."""
PAGES: tuple[Page, ...] = (
    Page("needs", "Needs you", "!", ("inbox",), {"needs": "overmind_web.pages.needs:NeedsPane"}),
    Page("missions", "Missions", "m", ("ps",), {"missions": "overmind_web.pages.missions:MissionsPane",
         "hanging": "overmind_web.pages.missions:HangingPane"}),
    Page("describe", "Describe", "d", ("info",), {"mission": f"{_MISSION}:MissionPane", "new": f"{_MISSION}:NewPane",
         "describe": f"{_MISSION}:DescribePane"}, listed=False),
    Page("stats", "Stats", "", ("ps",), {"stats": f"{_MISSION}:StatsPane"}, listed=False),
    Page("events", "Events", "", ("events",), {"events": "overmind_web.pages.events:EventsPane"}),
    Page("timeline", "Timeline", "", ("timeline", "events"), {"days": "overmind_web.pages.timeline:DaysPane",
         "timeline": "overmind_web.pages.timeline:TimelinePane"}),
    Page("board", "Board", "", ("board", "queue"), {"board": "overmind_web.pages.board:BoardPane"}),
    Page("plans", "Plans", "", ("plans",), _LISTED),
    Page("plan", "Plan", "", ("plan",), {"plan": "overmind_web.pages.plan:PlanPane"}, listed=False),
    *(Page(name, title, "", (request,), _LISTED) for name, title, request in _LISTS),
    Page("changes", "Changes", "v", ("changes",), {"changes": "overmind_web.pages.changes:ChangesPane",
         "landing": "overmind_web.pages.changes:LandingPane"}, listed=False),
    Page("doctor", "Doctor", panes={"doctor": "overmind_web.pages.doctor:DoctorPane"}),
    Page("spec", "Spec", "", ("spec",), {"spec": "overmind_web.pages.spec:SpecPane",
         "document": "overmind_web.pages.spec:DocumentPane"}, listed=False),
    Page("log", "Log", needs=("logs",), panes={"log": "overmind_web.pages.log:LogPane"}, listed=False),
    Page("terminal", "Terminal", needs=("attach",), listed=False),
)  # fmt: skip
"""In the order of the menu."""


def shown() -> list[dict[str, object]]:
    """Return the pages that the product has, as `hello` sends them."""
    return [
        {"name": page.name, "title": page.title, "key": page.key, "listed": page.listed}
        for page in PAGES
        if all(need in OPERATIONS for need in page.needs)
    ]


def opener(view: str) -> Opens | None:
    """Return what opens a pane of this view; None: there is no such view."""
    for page in PAGES:
        place = page.panes.get(view)
        if place is not None and all(need in OPERATIONS for need in page.needs):
            module, _, name = place.partition(":")
            return cast("Opens", getattr(import_module(module), name))
    return None

"""This home as one of the hives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from overmind_core.version import VERSION
from overmind_core.view.hive_keys import LOCAL
from overmind_core.view.hives import HiveState, Link

if TYPE_CHECKING:
    from overmind_core.view.fleet import Fleet


def home_state(fleet: Fleet) -> HiveState:
    """How this home is reached, and what it has."""
    lost, engine = fleet.lost, fleet.engine
    figures = {**machine(), "slots": engine.slots or None, "draining": engine.paused}
    return HiveState(LOCAL, "", Link.CLOSED if lost else Link.OPEN, VERSION, reason=lost, figures=figures)


@cache
def machine() -> Mapping[str, Any]:
    """The processors of this machine, and its memory in bytes; 0 is unknown."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        memory = 0
    return {"cpu": os.cpu_count() or 0, "memory": memory}

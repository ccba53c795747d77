"""What can stand where a mission, quest or ritual is meant: asked of the daemon at each press of the key, so in haste.

Without a daemon there is nothing to complete, and none is started.
"""

from __future__ import annotations

from overmind_core.client.glance import glance
from overmind_core.domain.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.system.paths import Home

FINAL = frozenset({"stopped", "crashed", "killed"})
ASKED = frozenset({"plans", "quests", "rituals"})
"""Kinds that a request of the same name lists."""
PATIENCE = 0.5
"""Seconds after which a person would think that the shell hangs."""


def candidates(home: Home, kind: str) -> list[str]:
    """Return names and ids of `live`, `finished` or `all` missions, live ones first, each once; so of `ASKED`."""
    try:
        if kind in ASKED:
            return _named(glance(home, kind, {}, timeout=PATIENCE) or [])
        rows = glance(home, "ps", {"all": kind != "live"}, timeout=PATIENCE) or []
    except OvermindError:
        return []
    return words(rows, kind)


def _named(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(display_safe(row["name"]) for row in reversed(rows)))


def words(rows: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
    """Return the names of rows of `ps --json`, then their ids."""
    live = [row for row in rows if row["status"] not in FINAL]
    finished = [row for row in rows if row["status"] in FINAL]
    chosen = {"live": live, "finished": finished, "all": [*live, *finished]}[kind]
    return list(dict.fromkeys(display_safe(row[key]) for key in ("name", "id") for row in chosen))

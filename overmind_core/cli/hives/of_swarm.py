"""The hives of the swarm in `hive list` and `hive info`, beside those of config.toml; one of both is one row."""

from __future__ import annotations

from typing import Any

from overmind_core.cli.swarm.commands import DATABASE
from overmind_core.domain.text.duration import format_uptime
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from overmind_core.cli.context import Context

    Row = dict[str, Any]

VIA = "swarm"


def with_swarm(named: Sequence[Row], context: Context) -> tuple[list[Row], str]:
    """Return the rows of all hives, and why the swarm could not be asked, else nothing.

    Args:
        named: Those of the hives that config.toml names.
        context: Of a home that is in a swarm, or has made one.
    """
    try:
        with context.waiting(DATABASE):
            state = context.client(start=True).call("swarm_status")
    except OvermindError as error:
        return list(named), f"The swarm: {error.message}"
    rows, left = [], {one["name"]: one for one in state["hives"]}
    for row in named:
        found = next((one for one in left.values() if is_same(row, one)), None)
        rows.append(row if found is None else _both(row, left.pop(found["name"])))
    rows += [_of_swarm(one) for one in left.values()]
    return rows, f"The swarm: {state['silence']}" if state["silence"] else ""


def is_same(named: Mapping[str, Any], hive: Mapping[str, Any]) -> bool:
    """Whether a named hive is one of the swarm's: the same home; the same name where that is not known."""
    if named["id"] and hive["id"]:
        return bool(named["id"] == hive["id"])
    return bool(named["name"] == hive["name"])


def _both(named: Row, hive: Mapping[str, Any]) -> Row:
    """A hive that is reached both ways; how its gate is reached says more."""
    return {**named, "via": f"{named['via']}+{VIA}", "labels": hive["labels"], "in_swarm": hive["name"]}


def _of_swarm(hive: Mapping[str, Any]) -> Row:
    seen = None if hive["seen_ago"] is None else f"{format_uptime(max(hive['seen_ago'], 0.0))} ago"
    return {
        "name": hive["name"], "id": hive["id"], "via": VIA, "link": hive["link"], "version": hive["version"] or None,
        "system": None, "cpu": hive["cpu"], "memory": hive["memory"], "home": None, "role": None, "live": hive["held"],
        "slots": hive["slots"], "labels": hive["labels"], "seen": "now" if hive["link"] == "open" else seen,
        "error": None, "in_swarm": hive["name"],
    }  # fmt: skip

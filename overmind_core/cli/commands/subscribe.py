"""`overmind subscribe`: the output of missions as objects, for programs."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, flag, ids
from overmind_core.client.stream import follow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

CURSOR = ("run", "offset")
"""Fields of an item that say how far it goes: the run, and the bytes of its output seen with it."""


def subscribe(args: Namespace, context: Context) -> int:
    """Print an object per line of output, until all have ended: an agent's own, else what the line says."""
    reading = Reading(args.ids, from_start=args.from_start)
    for kind, item in follow(context.client(), reading.request):
        if kind == "ok":
            reading.begin(item)
        elif kind == "item" and reading.take(item):
            context.say(dumps(_shown(item)))
    return 0


def _shown(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """An agent's object as it is; of a line its text and whose it is."""
    if item["type"] == "object":
        shown: Mapping[str, Any] = item["object"]
        return shown
    return item if item["type"] != "plain" else {name: item[name] for name in item if name not in CURSOR}


class Reading:
    """How far the output was read, so that a broken stream goes on where it broke."""

    def __init__(self, wanted: list[str], *, from_start: bool) -> None:
        self._wanted = wanted
        self._from_start = from_start
        self._offsets: dict[str, int] = {}
        self._ended: set[str] = set()

    def request(self) -> tuple[str, dict[str, Any]]:
        """Return the request for what was not read yet."""
        return "subscribe", {"ids": self._wanted, "from_start": self._from_start, "offsets": self._offsets}

    def begin(self, answer: Mapping[str, Any]) -> None:
        """Note what the names mean, and where the stream begins."""
        self._wanted = [mission["id"] for mission in answer.get("missions", ())] or self._wanted
        self._offsets = {**answer.get("offsets", {}), **self._offsets}

    def take(self, item: Mapping[str, Any]) -> bool:
        """Note an item; False when it was printed before the stream broke."""
        if "run" in item and "offset" in item:
            self._offsets[item["run"]] = item["offset"]
        mission = item.get("mission")
        if item.get("type") == "exit" and mission is not None:
            known = mission in self._ended
            self._ended.add(mission)
            return not known
        return True


COMMAND = Command(
    name="subscribe",
    summary="print the output of missions as JSON objects, for programs",
    arguments=[ids()],
    options=[flag("--from-start", "also what was written before"), JSON],
    examples=["overmind subscribe api", "overmind subscribe --from-start build | jq -r .text"],
    run=subscribe,
)

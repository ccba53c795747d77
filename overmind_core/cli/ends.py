"""The lines on stderr of a command that ends missions, while these take their time: their names, and until when."""

from __future__ import annotations

import math
import time

from overmind_core.client.stream import ask_once
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.text.moment import parse_time
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.client.client import Client

    Row = Mapping[str, Any]
    Wait = tuple[tuple[object, ...], str]
    """A wait: a key that stays as long as nothing new is to be said, and the text."""

SILENT_SECONDS = 1.75
"""Seconds of a wait in which nothing is said."""
PAUSE = 1.75
"""Seconds between two looks."""
ANSWER_SECONDS = 2.0
"""How long a look waits for the daemon."""
MOST_NAMED = 3
"""Missions with a line each; of more it is said how many there are, and until when the last one may take."""
MOST_ASKED = 20
"""Missions that are asked until when they may take."""
SAME_SECONDS = 1.0
"""Seconds by which two moments may differ and be the same one: the daemon computes it each time, from two clocks."""
_RUNS = frozenset({"starting", "running", "stopping"})


class EndTeller:
    """Says for whom a command still waits that ends missions, as soon as that changes; call it again and again.

    Args:
        context: Of the command.
        words: The ids and names that it was given; None: it ends all that live.
        may_kill: A kill helps; else it would take back what was asked for, as a restart.
    """

    def __init__(self, context: Context, words: Sequence[str] | None, *, may_kill: bool = True) -> None:
        self._context = context
        self._words = words
        self._may_kill = may_kill
        self._client: Client | None = None
        self._said: set[tuple[object, ...]] = set()
        self._moments: dict[str, float] = {}
        """Mission → when it is killed, as it was said last."""
        self._next_look = time.monotonic() + SILENT_SECONDS

    def __call__(self) -> None:
        """Say what is new, once it is time to look again."""
        if time.monotonic() < self._next_look:
            return
        try:
            waits = list(self._look())
        except (OvermindError, OSError):  # the answer of the command itself says so
            if self._client is not None:
                self._client.close()
            waits = []
        self._next_look = time.monotonic() + PAUSE
        for key, text in waits:
            if key not in self._said:
                self._said.add(key)
                self._context.note(self._there(display_safe(text)))

    def _there(self, text: str) -> str:
        """The text, with its commands as they are for another hive."""
        if self._context.hive is None:
            return text
        from overmind_core.cli.hives.only_here import commands_there  # start-up: only then

        return commands_there(text, self._context.hive.name)

    def _ask(self, command: str, args: Row) -> Any:  # noqa: ANN401  (an answer is any JSON)
        if self._client is None:
            self._client = self._context.client()
        return ask_once(self._client, command, args, timeout=ANSWER_SECONDS)

    def _look(self) -> Iterator[Wait]:
        rows = self._concerned(self._ask("ps", {"status": ["stopping"]}))
        if not rows:
            yield ("",), f"waits for {_listed(self._words)}" if self._words else "waits until all has ended"
        elif len(rows) > MOST_NAMED:
            moments = [self._kill_at(row) for row in rows[:MOST_ASKED]]
            last = max((one for one in moments if one is not None), default=None)
            until = "" if last is None or last <= time.time() else f"; the last one is killed in {_left(last)}"
            at_once = "; at once with: overmind kill --all" if self._may_kill and self._words is None else ""
            names = _listed([row["name"] for row in rows])
            yield ("many",), f"waits for {len(rows)} missions to end: {names}{until}{at_once}"
        else:
            parents = {row["parent"] for row in rows}
            for row in rows:
                if row["type"] != "blueprint":
                    yield self._of_mission(row)
                elif row["id"] not in parents:
                    yield self._of_plan(row)

    def _concerned(self, rows: Sequence[Row]) -> list[Row]:
        """Those that were named, and what is below them."""
        if self._words is None:
            return list(rows)
        found = {row["id"]: row for row in rows if any(_is_meant(row, word) for word in self._words)}
        grows = True
        while grows:
            below = {row["id"]: row for row in rows if row["parent"] in found and row["id"] not in found}
            found |= below
            grows = bool(below)
        return list(found.values())

    def _kill_at(self, row: Row) -> float | None:
        """When what is left of it is killed, in seconds since the epoch; None: nobody can say."""
        if row["type"] == "blueprint":
            return None
        moment = self._ask("info", {"id": row["id"]}).get("kill_at")  # an older daemon does not say it
        return None if moment is None else parse_time(moment, time.time())

    def _of_mission(self, row: Row) -> Wait:
        name, moment = row["name"], self._kill_at(row)
        if moment is None:
            return (row["id"],), f"waits for {name}: it is ending"
        if moment <= time.time():
            return (row["id"], "killed"), f"waits for {name}: it is being killed"
        at_once = f"; at once with: overmind kill {name}" if self._may_kill else ""
        known = self._moments.setdefault(row["id"], moment)
        if abs(moment - known) > SAME_SECONDS:
            known = self._moments[row["id"]] = moment
        text = f"waits for {name}: it has {_left(moment)} left to end, then it is killed{at_once}"
        return (row["id"], known), text

    def _of_plan(self, row: Row) -> Wait:
        name = row["name"]
        plan = self._ask("plan", {"id": row["id"]})
        running = [agent["name"] for agent in plan["agents"] if agent["stage"] in _RUNS]
        if not running:
            return (row["id"],), f"waits for {name}: it is ending"
        verb = "runs" if len(running) == 1 else "run"
        return (row["id"], *running), f"waits for {name}: {_listed(running)} {verb}: overmind logs {name}/{running[0]}"


def _is_meant(row: Row, word: str) -> bool:
    return row["name"] == word or str(row["id"]).startswith(word)


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:MOST_NAMED])}{' and others' if len(names) > MOST_NAMED else ''}"


def _left(moment: float) -> str:
    return f"{math.ceil(moment - time.time())} s"

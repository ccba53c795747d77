"""The connections to the hives that config.toml names: opened in the background, found again, closed at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.client.hives.config import hive_tables
from overmind_core.domain.hives import gate_of
from overmind_core.errors import OvermindError
from overmind_core.view import hives as hive_rows
from overmind_core.view.hive_keys import addressed, hive_of
from overmind_core.view.hives import HiveState, Link
from overmind_tui.hives.clients import RequestClients
from overmind_tui.hives.machine import home_state
from overmind_tui.hives.place import HivePlace
from overmind_tui.hives.stream import HiveStream
from overmind_tui.shell.messages import Connected, Disconnected

if TYPE_CHECKING:
    from textual.message import Message

    from overmind_core.client.client import Args
    from overmind_core.view.cells import Cell, Row
    from overmind_core.view.fleet import Fleet
    from overmind_core.view.hive_keys import Addressed

Entry = Mapping[str, Any]
"""What config.toml says of a hive."""
SILENT_SECONDS = 3.0
"""For so long a question may be open until its hive counts as silent."""
_SEE = " See: overmind hive list"
GIVEN_UP_SECONDS = 10.0
"""For so long requests that are on their way wait for it."""


class ConnectedHive:
    """A hive: its stream, its connections for requests, and what is known of it.

    Args:
        place: Where it is.
        entry: What config.toml says of it.
        post: Where messages of its stream go; may be called from any thread.
    """

    def __init__(self, place: HivePlace, entry: Entry, post: Callable[[Message], object]) -> None:
        self.name = place.name
        self.place = place
        self.entry = entry
        self.stream = HiveStream(place.name, place, post)
        self.requests = RequestClients(place, GIVEN_UP_SECONDS)
        self.state = HiveState(place.name, next(iter(entry)))

    def close(self) -> None:
        """End all connections to it."""
        self.stream.close()
        self.requests.close()
        self.place.close()

    def came(self, message: Message, now: float) -> None:
        """A message of its stream says how it is reached; `now` in seconds since the epoch."""
        if isinstance(message, Connected):
            version = str(message.daemon.get("version", ""))
            self.state = self.state._replace(link=Link.OPEN, version=version, answered_at=now, reason="")
        elif isinstance(message, Disconnected):
            self.state = self.state._replace(link=Link.CLOSED, reason=self._why(message.reason))

    def _why(self, reason: str) -> str:
        """The reason alone, for where the name of the hive stands beside it."""
        said = reason.removeprefix(f"{self.name} can't be asked: ").removeprefix(f"{self.name}: ")
        return said.removesuffix(_SEE).rstrip(".")

    def look(self, now: float) -> bool:
        """Find out whether it answers; whether that is another answer than the last time."""
        before = self.state.link
        if before in {Link.OPEN, Link.SILENT}:
            heard_at, asked_at = self.stream.line
            waited = 0.0 if asked_at is None else time.monotonic() - max(heard_at, asked_at)
            if waited > GIVEN_UP_SECONDS:
                self.requests.give_up()
            if waited > SILENT_SECONDS:
                self.state = self.state._replace(link=Link.SILENT, answered_at=now - (time.monotonic() - heard_at))
            else:
                self.state = self.state._replace(link=Link.OPEN, answered_at=now)
        queue, machine = self.stream.queue, self.place.greeting
        figures = {"slots": queue.get("slots"), "draining": queue.get("paused")}
        figures |= {name: machine.get(name) for name in ("cpu", "memory")}
        self.state = self.state._replace(figures=figures, home=str(machine.get("id") or self.state.home))
        return self.state.link is not before


class HiveConnections:
    """All hives beside this home.

    Args:
        fleet: Gets what they say.
        post: Where messages of their streams go; may be called from any thread.
    """

    def __init__(self, fleet: Fleet, post: Callable[[Message], object]) -> None:
        self._fleet = fleet
        self._post = post
        self._found: dict[str, ConnectedHive] = {}
        self._started = False

    @property
    def names(self) -> Sequence[str]:
        """Of those beside this home, in the order of the configuration."""
        return list(self._found)

    def configure(self, path: str) -> list[str]:
        """Those that a config.toml names are all; one that stays as it was keeps its connections.

        Args:
            path: Of the file.

        Returns:
            A sentence for each that makes no sense; those are left out.

        Raises:
            OvermindError: `invalid_config`, the file can't be read; nothing changed.
        """
        entries = hive_tables(path)
        ways, mistakes = _ways(entries)
        for name in [one for one, found in self._found.items() if one not in ways or found.entry != entries[one]]:
            self._found.pop(name).close()
            self._fleet.drop_hive(name)
        for name, argv in ways.items():
            if name not in self._found:
                self._found[name] = ConnectedHive(HivePlace(name, argv, config=path), entries[name], self._post)
                if self._started:
                    self._found[name].stream.start()
        self._found = {name: self._found[name] for name in ways}
        self._fleet.name_hives(has_hives=bool(self._found))
        return mistakes

    def start(self) -> None:
        """Begin to connect, unless that was begun."""
        if not self._started:
            self._started = True
            for one in self._found.values():
                one.stream.start()

    def close(self) -> None:
        """End all connections."""
        for one in self._found.values():
            one.close()

    def retry(self) -> None:
        """Connect now to all that are lost."""
        for one in self._found.values():
            one.stream.retry()

    # how they are reached

    def of(self, hive: str) -> ConnectedHive | None:
        """A hive by its name; None where there is none."""
        return self._found.get(hive)

    def came(self, hive: str, message: Message, now: float) -> HiveState | None:
        """A message of a hive's stream; the hive, if it is reached in another way now."""
        found = self._found[hive]
        before = found.state.link
        found.came(message, now)
        self._show(found)
        return found.state if found.state.link is not before else None

    def look(self, now: float) -> list[HiveState]:
        """A second went by; those that are reached in another way now (`now` in seconds since the epoch)."""
        changed = [one for one in self._found.values() if one.look(now)]
        for one in changed:
            self._show(one)
        return [one.state for one in changed]

    def _show(self, found: ConnectedHive) -> None:
        since = None if found.state.link is Link.OPEN else found.state.answered_at
        self._fleet.silence(found.name, since)

    @property
    def states(self) -> list[HiveState]:
        """Of all, this home's first."""
        return [home_state(self._fleet), *(one.state for one in self._found.values())]

    @property
    def reached(self) -> tuple[Cell, ...]:
        """What the header says of them."""
        return tuple(hive_rows.reached(self.states))

    def refusal(self, rows: Sequence[Row], now: float) -> OvermindError | None:
        """Why nothing can be done to these missions; None: nothing is known that keeps from it."""
        return next((error for hive in dict.fromkeys(map(hive_of, rows)) if (error := self.silent(hive, now))), None)

    def silent(self, hive: str, now: float) -> OvermindError | None:
        """Why a hive can't be asked; None: nothing is known that keeps from it."""
        found = self._found.get(hive)
        if found is None or found.state.link is Link.OPEN:
            return None
        return hive_rows.silent(found.state, now)

    # requests

    def addressed(self, arguments: Args) -> Addressed:
        """The hive that a request is for, "" is this home, and the request as that one knows it.

        Raises:
            OvermindError: `invalid`, it is for several.
        """
        return addressed(arguments, self._found)


def _ways(entries: Mapping[str, Entry]) -> tuple[dict[str, list[str]], list[str]]:
    """The command of each hive's gate, and a sentence for each that makes no sense."""
    ways: dict[str, list[str]] = {}
    mistakes = []
    for name, entry in entries.items():
        try:
            ways[name] = gate_of(name, entry)
        except ValueError as error:
            mistakes.append(f"config.toml: {error}")
    return ways, mistakes

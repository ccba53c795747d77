"""A pool whose machines a person's own program starts, ends and lists."""

from __future__ import annotations

from collections.abc import Sequence

from overmind_core.domain.swarm.instance_names import is_instance_name
from overmind_core.domain.swarm.pools import PoolSettings, filled
from overmind_core.pool_engines.program import SeenInstance, State, asked

_STATES: dict[str, State] = {"": "running", "pending": "pending", "running": "running", "ended": "ended"}


class CommandEngine:
    """The commands `up`, `down` and `list` of a pool.

    `up` gets the instance's command as further words; its first line of output, if there is one that could be a name,
    is what the engine calls the instance. `list` prints a line for each: its name, and `pending`, `running` (where
    nothing is said) or `ended`.
    """

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings

    def start(self, instance: str, command: Sequence[str]) -> str:
        """As in `Engine`."""
        printed = asked([*filled(self._settings.up, instance), *command]).split("\n", 1)[0].strip()
        return printed if is_instance_name(printed) else instance

    def seen(self) -> list[SeenInstance]:
        """As in `Engine`."""
        return listed(asked(self._settings.list))

    def alive(self) -> list[SeenInstance]:
        """As in `Engine`."""
        return self.seen()

    def end(self, seen: SeenInstance) -> None:
        """As in `Engine`; a `down` of what is gone already has nothing to do, and says so by exit status 0."""
        asked(filled(self._settings.down, seen.name))

    def gate(self, seen: SeenInstance) -> list[str] | None:
        """As in `Engine`."""
        return filled(self._settings.gate, seen.name) if self._settings.gate else None


def listed(printed: str) -> list[SeenInstance]:
    """Return the instances of what `list` printed; a line that says something else is none."""
    found = []
    for line in printed.splitlines():
        name, _, said = line.strip().partition(" ")
        state = _STATES.get(said.strip())
        if state is not None and is_instance_name(name):
            found.append(SeenInstance(name, name, state))
    return found

"""The hives beside this home, as the program has them: configured, connected, shown, and asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.errors import OvermindError
from overmind_core.view.cells import Row, safe
from overmind_core.view.hives import HiveState, Link
from overmind_tui.hives.connections import HiveConnections
from overmind_tui.hives.requests import HiveRequests
from overmind_tui.shell.messages import Connected, Disconnected, FromHive
from overmind_tui.shell.requests import Located

if TYPE_CHECKING:
    from textual.message import Message

    from overmind_core.view.cells import Cell
    from overmind_tui.shell.requests import OnAnswers, Requests
    from overmind_tui.shell.shell import Shell
    from overmind_tui.shell.updates import Updates


class Hives:
    """All other hives.

    Args:
        shell: Shows what they say.
        updates: Takes that over.
        here: Sends requests to this home.
        begin: Runs a function in a worker thread.
        post: Where messages go; may be called from any thread.
    """

    def __init__(
        self, shell: Shell, updates: Updates, here: Requests, begin: Callable[[Callable[[], None]], object],
        post: Callable[[Message], object],
    ) -> None:  # fmt: skip
        self._shell = shell
        self._updates = updates
        self.connections = HiveConnections(shell.fleet, post)
        self.mistakes: Sequence[str] = ()
        """A sentence for each that config.toml makes about them."""
        self.requests = HiveRequests(here, self.connections, begin, post, shell.now)

    def configure(self) -> str:
        """Connect to those that config.toml names now, and to no others; what is wrong there, else ""."""
        try:
            self.mistakes = self.connections.configure(self._shell.home.config)
        except OvermindError as error:
            self.mistakes = [error.message]
        return safe(" · ".join(self.mistakes))

    def start(self) -> None:
        """Begin to connect."""
        self.connections.start()

    def close(self) -> None:
        """End all connections."""
        self.connections.close()

    def retry(self) -> None:
        """Connect now to those that are lost, and ask all for everything again."""
        self.connections.retry()

    # what they say

    def take(self, message: FromHive) -> None:
        """A message of one of their streams."""
        if self.connections.of(message.hive) is None:  # it was taken out of the configuration meanwhile
            return
        self._updates.take_of_hive(message)
        if isinstance(message.message, Connected | Disconnected) and (
            changed := self.connections.came(message.hive, message.message, self._shell.now())
        ):
            self._changed([changed])

    def look(self) -> None:
        """A second went by: find out who doesn't answer."""
        self._changed(self.connections.look(self._shell.now()))

    def _changed(self, hives: Sequence[HiveState]) -> None:
        if not hives:
            return
        for one in hives:
            if one.link is Link.OPEN:
                self._shell.flash(f"{one.name} answers", "quiet")
            else:
                self._shell.flash(f"{one.name} is {one.link.value}" + (f": {one.reason}" if one.reason else ""), "slow")
        self._updates.hive_changed()

    @property
    def reached(self) -> tuple[Cell, ...]:
        """What the header says of them."""
        return self.connections.reached

    @property
    def states(self) -> list[HiveState]:
        """How each is reached, this home's first."""
        return self.connections.states

    # what is asked of them

    def ask(self, hive: str, command: str, arguments: Mapping[str, Any], on_result: OnAnswers) -> None:
        """Ask one hive, "" is this home, for something that is of none of its missions."""
        self.requests.ask(hive, command, arguments, on_result)

    def refusal(self, rows: Sequence[Row]) -> str:
        """Why nothing can be done to these missions, a sentence; "": nothing is known that keeps from it."""
        error = self.connections.refusal(rows, self._shell.now())
        return "" if error is None else error.message

    def located(self, missions: Sequence[str]) -> Located:
        """Where these missions are, and their ids there.

        Raises:
            OvermindError: they are in several hives, or in one that doesn't answer.
        """
        hive, found = self.connections.addressed({"ids": list(missions)})
        if (silent := self.connections.silent(hive, self._shell.now())) is not None:
            raise silent
        connection = self.connections.of(hive)
        return Located(self._shell.home if connection is None else connection.place, found["ids"])

"""The swarm as the program has it: how it stands, its hives beside the named ones, and what it asks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from overmind_core.view import hive_rows
from overmind_core.view import hives as hives_rows
from overmind_core.view import swarm as swarm_rows
from overmind_core.view.cells import Cell, Row, safe
from overmind_core.view.fleet import Way
from overmind_core.view.hive_keys import LOCAL
from overmind_core.view.hives import HiveState, Link
from overmind_core.view.swarm import SwarmState
from overmind_tui.hives.machine import home_state
from overmind_tui.swarm.stream import SwarmStream

if TYPE_CHECKING:
    from textual.message import Message

    from overmind_core.system.paths import Home
    from overmind_tui.shell.messages import SwarmStands
    from overmind_tui.shell.shell import Shell
    from overmind_tui.shell.updates import Updates


SILENT_SECONDS = 5.0
"""For so long an answer may be waited for until the swarm counts as silent."""


class Swarm:
    """The swarm that this home is in, or has made.

    Args:
        shell: Shows it.
        updates: Shows who asks.
        home: Whose daemon knows the swarm.
        post: Where messages go; may be called from any thread.
    """

    def __init__(self, shell: Shell, updates: Updates, home: Home, post: Callable[[Message], object]) -> None:
        self._shell = shell
        self._updates = updates
        self._stream = SwarmStream(home, post)
        self._started = False
        self._names: dict[str, Collection[str]] = {}
        """View → the names of its rows, as they were seen last."""
        self.state = SwarmState()
        shell.fleet.join_swarm(is_in_swarm=True)

    def start(self) -> None:
        """Begin to ask, unless that was begun."""
        if not self._started:
            self._started = True
            self._stream.start()

    def retry(self) -> None:
        """Ask now."""
        self._stream.retry()

    def close(self) -> None:
        """Ask no more."""
        self._stream.close()

    def leave(self) -> None:
        """This home is in no swarm any more."""
        self.close()
        self._shell.fleet.join_swarm(is_in_swarm=False)

    # how it stands

    def look(self) -> None:
        """A second went by: find out whether it answers. Its daemon waits for a frozen database much longer."""
        if self._stream.waits > SILENT_SECONDS and self.state.answered_at and not self.state.silence:
            self.state = self.state._replace(silence="its database does not answer")
            self._show_state()
            self._updates.swarm_changed()

    def take(self, message: SwarmStands) -> None:
        """An answer came."""
        before, now = self.state, self._shell.now()
        self.state = before.then(message.state, now)
        if message.fleets is not None:
            self.learn("fleets", (one["name"] for one in message.fleets))
        if message.questions is not None:
            self._questions = hive_rows.questions(message.questions)
        self._shell.fleet.ask_in_swarm(self._questions, self._ways())
        if bool(before.silence) is not bool(self.state.silence):
            self._show_state()
        self._updates.swarm_changed()

    _questions: Sequence[Row] = ()

    def _show_state(self) -> None:
        if self.state.silence:
            self._shell.flash(safe(f"the swarm is silent: {self.state.silence}"), "slow")
        else:
            self._shell.flash("the swarm answers", "quiet")

    def _ways(self) -> dict[str, Way]:
        """The ways to its hives that lead not through it."""
        return {
            one.in_swarm: Way("" if one.name == LOCAL else one.name, one.link is Link.OPEN)
            for one in self.states
            if one.in_swarm and one.is_named
        }

    @property
    def states(self) -> list[HiveState]:
        """How each hive is reached: this home, those that config.toml names, and those of the swarm alone."""
        hives = self._shell.hives
        named = [home_state(self._shell.fleet)] if hives is None else hives.states
        return hives_rows.merged(named, self.state)

    @property
    def reached(self) -> tuple[Cell, ...]:
        """What the header says."""
        standing = swarm_rows.standing(self.state, self._shell.now())
        hives = hives_rows.reached(self.states)
        return (*hives, Cell(" · ", "label"), *standing) if hives else tuple(standing)

    @property
    def refusal(self) -> str:
        """Why it can't be asked, a sentence; "": nothing is known that keeps from it."""
        return swarm_rows.refusal(self.state, self._shell.now())

    def learn_posts(self, rows: Sequence[Row]) -> None:
        """Note in rows of posts what is asked about them, and whose hives are silent."""
        names = hives_rows.names_of(self.states)
        swarm_rows.learn(rows, self._shell.fleet.questions, self.state, names)

    # names that complete a line

    def learn(self, view: str, names: Iterable[str]) -> None:
        """These are the names of a view's rows."""
        self._names[view] = list(names)

    def names(self, view: str) -> Collection[str]:
        """The names that were seen in a view."""
        return self._names.get(view, ())

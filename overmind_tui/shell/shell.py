"""The shell as pages, panels and actions see it: what they may ask of the program that shows them.

`app.py` implements it, and nobody but `__main__` imports that. What one part alone needs goes to its constructor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from overmind_core.view import ringing

if TYPE_CHECKING:
    from datetime import tzinfo

    from textual.app import App
    from textual.screen import Screen
    from textual.widget import Widget

    from overmind_core.errors import OvermindError
    from overmind_core.log_pages.index import WantedLine
    from overmind_core.system.paths import Home
    from overmind_core.view.actions import Action, Context
    from overmind_core.view.cells import Cell, Row
    from overmind_core.view.fleet import Fleet
    from overmind_core.view.hives import HiveState
    from overmind_core.view.inbox import Key
    from overmind_tui.command_line.parse import Show
    from overmind_tui.render.layout import Panel
    from overmind_tui.shell.key_queue import Expected, KeyQueue
    from overmind_tui.shell.requests import Located
    from overmind_tui.shell.settings import Settings
    from overmind_tui.shell.world import World

    OnAnswers = Callable[[Sequence[Any | OvermindError]], None]
    Item = Mapping[str, Any]


class RowSelection(Protocol):
    """A page with missions, quests or rituals on it."""

    def targets(self) -> list[Row]:
        """Which missions an action would meet: the marked ones that are shown, else the cursor's."""

    def chosen(self) -> list[Row]:
        """Which rows of any kind."""


class Main(RowSelection, Protocol):
    """The missions screen, as all that stands before it asks for it."""

    @property
    def context(self) -> Context:
        """Whose keys count there."""

    @property
    def shows_header(self) -> bool:
        """Whether there is a header."""

    @shows_header.setter
    def shows_header(self, shows: bool) -> None: ...

    @property
    def in_sight(self) -> bool:
        """Whether nothing but a question stands before it."""

    @property
    def absence(self) -> str:
        """The summary of the time while nobody was here, until that was looked at."""

    @property
    def in_view(self) -> str | None:
        """The mission whose newest lines are in sight, as far as the person looks at this program."""

    @property
    def rests_on(self) -> str | None:
        """The mission under the cursor of the list, unless the keys are in its terminal or log: there it is read."""

    @property
    def unread(self) -> set[str]:
        """The missions whose newest lines came since the supervisor was told that they were seen."""

    def act(self, action: Action) -> None:
        """Do an action of the table."""

    def to_front(self, *, for_good: bool = False) -> None:
        """Close all that stands before it; `for_good`: nobody goes back to what was put away for a log, either."""

    def go_to(self, name: str) -> bool:
        """Come to the front with the cursor on the mission that is named; False where there is none."""

    def select(self, mission: str) -> bool:
        """Put the cursor on a mission; False where it is not shown."""

    def show_needs(self, first: Key | None = None) -> None:
        """Show only who needs a person, with the keys in this question, until that is closed."""

    def next_need(self) -> None:
        """Go to the next that needs a person; into its question where the keys were in one."""

    def select_soon(self, mission: str) -> None:
        """Put the cursor on a mission that may not have come yet."""

    def show_panel(self, panel: Panel, show: Show) -> None:
        """Come to the front with the keys on this panel, filtered as it was asked for."""

    def show_log(self, mission: str | None, gone: str, line: WantedLine | None = None) -> None:
        """Show its log, at a line, until that is closed; `gone` is said where there is no such mission."""

    def show_notes(self, mission: str | None, gone: str) -> None:
        """Show what it was given and wrote, until that is closed; `gone` is said where there is no such mission."""

    def join(self, row: Row) -> None:
        """Type into a mission's terminal; where nothing may be typed, look at it."""

    def give(self, panel: Panel) -> None:
        """Give the keys to a panel."""

    def narrow(self, text: str) -> None:
        """Show only the missions that match."""

    def rearrange(self, *, asked: bool = False) -> None:
        """Show the rows as they are now."""

    def changed_connection(self) -> None:
        """The supervisor came or went, or what happened meanwhile is known."""

    def tick(self) -> None:
        """A second went by."""

    def refresh_status(self) -> None:
        """What the line says has changed."""


class OtherHives(Protocol):
    """The hives that config.toml names, as all that is shown asks for them."""

    @property
    def reached(self) -> tuple[Cell, ...]:
        """What the header says: how many answer."""

    @property
    def states(self) -> list[HiveState]:
        """How each is reached, this home's first."""

    def ask(self, hive: str, command: str, arguments: Mapping[str, Any], on_result: OnAnswers) -> None:
        """Ask one hive, "" is this home, for something that is of none of its missions."""

    def refusal(self, rows: Sequence[Row]) -> str:
        """Why nothing can be done to these missions, a sentence; "": nothing is known that keeps from it."""


class OfSwarm(Protocol):
    """The swarm that this home is in, as all that is shown asks for it."""

    @property
    def reached(self) -> tuple[Cell, ...]:
        """What the header says: how many hives answer, and what the swarm holds."""

    @property
    def states(self) -> list[HiveState]:
        """How each hive is reached, this home's first, those that only the swarm knows last."""

    @property
    def refusal(self) -> str:
        """Why it can't be asked, a sentence; "": nothing is known that keeps from it."""

    def retry(self) -> None:
        """Ask now how it stands."""

    def learn_posts(self, rows: Sequence[Row]) -> None:
        """Note in rows of posts what is asked about them, and whose hives are silent."""

    def learn(self, view: str, names: Iterable[str]) -> None:
        """These are the names of a view's rows."""

    def names(self, view: str) -> Collection[str]:
        """The names that were seen in a view."""


class Shell(Protocol):
    """What is shared by all that is shown."""

    home: Home
    world: World
    zone: tzinfo | None
    read_only: bool
    fleet: Fleet
    typed: KeyQueue

    @property
    def app(self) -> App[Any]:
        """The application, as Textual knows it."""

    @property
    def hives(self) -> OtherHives | None:
        """The other hives; None where config.toml names none."""

    @property
    def swarm(self) -> OfSwarm | None:
        """The swarm; None where this home is in none, and has made none."""

    @property
    def main(self) -> Main:
        """The missions screen, at the bottom of all."""

    @property
    def settings(self) -> Settings:
        """What config.toml says now."""

    @property
    def ascii_only(self) -> bool:
        """Whether marks, frames and graphs are drawn with ASCII."""

    def located(self, missions: Sequence[str]) -> Located:
        """Where these missions are, and their ids there.

        Raises:
            OvermindError: they are in several hives, or in one that doesn't answer.
        """

    def now(self) -> float:
        """Seconds since the epoch."""

    def flash(self, text: str, tone: str = "") -> None:
        """Say something in the line for a while."""

    def open(self, screen: Screen[None]) -> None:
        """Show a screen on top; what is typed meanwhile is for it."""

    def expect_view(self) -> Expected:
        """A view was asked for that opens once the supervisor has answered; what is typed waits, but not for ever."""

    def rests_at(self, place: Screen[Any]) -> bool:
        """True where what was asked for in this place may open by itself: nothing has opened since, nobody types."""

    @property
    def is_at_rest(self) -> bool:
        """True where a page may open by itself: nobody writes or is asked anything, and nothing else is to open."""

    def show(self, view: str) -> None:
        """Open a view of the registry over what is open."""

    def act(self, action: str, rows: list[Row]) -> None:
        """Do an action to these rows, as its key would."""

    def request(self, command: str, requests: Sequence[Mapping[str, Any]], on_result: OnAnswers) -> None:
        """Send requests of one kind in a thread; `on_result` gets answers and errors in their order."""

    def follow(
        self, command: str, request: Mapping[str, Any], each: Callable[[Item], None],
        on_result: Callable[[Item | OvermindError], None],
    ) -> None:  # fmt: skip
        """Send a request that is answered by a stream; `each` gets its items, `told` the last one, or the error."""

    def remember(self, **values: bool | float | str | list[str] | Mapping[str, Any]) -> None:
        """Keep these for the next time."""

    def background(self, work: Callable[[], Callable[[], None] | None]) -> None:
        """Do some work in a thread; what it answers is then called in the program's own."""

    def write_terminal(self, sequence: str) -> None:
        """Send the person's terminal a sequence that draws nothing."""


def shell_of(widget: Widget) -> Shell:
    """The shell that shows a widget: our application, whatever else Textual knows of it."""
    return cast("Shell", widget.app)


def ring(shell: Shell, text: str) -> None:
    """Have the terminal call its person."""
    shell.write_terminal(ringing.ring(text, tmux="TMUX" in shell.world.environ))

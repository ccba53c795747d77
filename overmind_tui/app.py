"""The root of the full-screen program: it composes all parts, and implements the shell that they are shown in.

Messages of the threads go to the part that they are for, keys to the screen on top. Nobody but `__main__` imports this.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, ClassVar

from textual import constants, events, on
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.driver import Driver as AnyDriver
from textual.filter import LineFilter
from textual.screen import Screen

from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_core.view import header_line, last_word, prompt, ringing
from overmind_core.view.actions import Context
from overmind_core.view.cells import Row
from overmind_core.view.fleet import Fleet
from overmind_core.view.header_line import HeaderFacts
from overmind_core.view.question_block import short_path
from overmind_tui.command_line.jobs import Jobs
from overmind_tui.command_line.line import Commands
from overmind_tui.command_line.run import CommandRun
from overmind_tui.inbox.messages import Drafts
from overmind_tui.log.follow import LogFollower
from overmind_tui.missions.actions import RowActions, action_groups
from overmind_tui.missions.main_parts import MainParts
from overmind_tui.missions.screen import MissionsScreen
from overmind_tui.pages.page import FILLING_SECONDS, Page
from overmind_tui.shell import appearance, external, messages, world
from overmind_tui.shell.appearance import Appearance
from overmind_tui.shell.coaching import Coaching
from overmind_tui.shell.event_stream import EventStream
from overmind_tui.shell.first_request import FirstRequest
from overmind_tui.shell.frame import ChangedCells, Frame, pieces, system_of
from overmind_tui.shell.key_queue import Expected, KeyQueue
from overmind_tui.shell.keys import PASTE_LIMIT
from overmind_tui.shell.live_settings import LiveSettings
from overmind_tui.shell.notices import Notice, Title
from overmind_tui.shell.quit import Quit
from overmind_tui.shell.remembered import LAST_VIEW, Remembered, TypedHistory
from overmind_tui.shell.requests import Item as ItemOfStream
from overmind_tui.shell.requests import Located, OnAnswers, Requests
from overmind_tui.shell.settings import Settings
from overmind_tui.shell.shell import ring
from overmind_tui.shell.supervisor_host import SupervisorHost
from overmind_tui.shell.timers import SureTimers
from overmind_tui.shell.updates import Item, Updates, show_bottom
from overmind_tui.shell.user_state import AwaySummary, Presence, SeenTracker
from overmind_tui.shell.world import World
from overmind_tui.widgets.missions_list import MissionsList
from overmind_tui.widgets.style import Tones

if TYPE_CHECKING:
    from overmind_tui.hives.hives import Hives
    from overmind_tui.swarm.swarm import Swarm

EXPECTED_SECONDS = 1.0
"""How long keys wait for a view that needs an answer first."""


class OvermindApp(SureTimers, App[str], inherit_bindings=False):
    """Returns what is to be said on the terminal afterwards.

    Args:
        home: Whose missions.
        world: The folder, umask and environment that new missions start from.
        read_only: Hide and disable what changes anything.
        theme: Instead of the configured one.
        view: To begin with.
        first: What that view will ask, asked before.
        zone: Of the times in logs; None is the machine's.
    """

    CSS_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "overmind.tcss")
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: ClassVar = []
    TITLE = "overmind"

    def __init__(
        self,
        home: Home,
        world: World,
        *,
        read_only: bool = False,
        theme: str | None = None,
        view: str = "",
        first: FirstRequest | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__()
        self.tones = Tones(self)
        self.home = home
        self.world = world
        self.read_only = read_only
        self.zone = zone
        self.remembered = Remembered(home)
        self.live = LiveSettings(home, theme=theme)
        self.appearance = Appearance(self, self.live, world.environ)
        self.fleet = Fleet()
        self.first_view = view or self.remembered.get(LAST_VIEW, "")
        """The view to begin with, until it is open."""
        self.typed = KeyQueue(self._press, self._paste, swallowed=self._say_unheard)
        self._requests = Requests(home, self._begin, self.post_message, first)
        self.jobs = Jobs(self.background, world, home)

        self.notice = Notice(self, self.live.mistake)
        self.coaching = Coaching(self, self.remembered)
        self.typed_history = TypedHistory(self.remembered, self.remember)
        self.shows_hints = True
        self.folder_shown = short_path(world.folder, world.environ.get("HOME", ""))

        drafts = Drafts(self.remembered, self.remember)
        self.action_groups = action_groups(self, self.jobs, drafts, self.remembered)
        self.actions = RowActions(self, self.action_groups)
        runs = CommandRun(self, self.jobs, self.action_groups.start.start_fast)
        self.commands = Commands(self, runs, leave=self.ask_leave, remembered=self.remembered)

        self.supervisor_host = SupervisorHost(home, self._begin)
        self.event_stream = EventStream(
            home, self.post_message, host=self.supervisor_host.take, hosted=lambda: self.supervisor_host.active,
            folder=to_wire(world.folder),
        )  # fmt: skip
        self.log_follower = LogFollower(self.located, self.post_message, zone=zone)
        self.away_summary = AwaySummary(self, self.remembered, lambda: self.event_stream.reached)
        self.quitting = Quit(self, self.supervisor_host, self._on_exit)
        self.seen_tracker = SeenTracker(self)
        self.presence = Presence(self)
        self.title_outside = Title(
            self.write_terminal, ascii_only=self.ascii_only, reports=lambda: self.settings.status
        )

        talking = self.action_groups.inbox.answer_actions, self.action_groups.messages
        parts = MainParts(self.remembered, self.log_follower, self.away_summary, *talking, self._open_first)
        self.main = MissionsScreen(parts)
        of_all = [talking[0].happened, talking[1].happened, self.main.notes_panel.happened]
        self.updates = Updates(self, self.main, self.notice, [*of_all, self._ring_for], of_all)
        self.hives: Hives | None = None
        self._configure_hives()
        self.swarm: Swarm | None = None
        self._configure_swarm()
        self.typed.hold()
        if not self.appearance.begin():
            self.notice.put(f"unknown theme {self.live.theme!r}: using {self.theme}", "bad")

    # beginning

    @property
    def settings(self) -> Settings:
        """What config.toml says now."""
        return self.live.now

    @property
    def mistakes(self) -> Sequence[str]:
        """A sentence for each mistake in config.toml."""
        return self.live.mistakes if self.hives is None else (*self.live.mistakes, *self.hives.mistakes)

    @property
    def ascii_only(self) -> bool:
        """Whether marks, frames and graphs are drawn with ASCII."""
        return self.appearance.ascii_only

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What our stylesheet needs of any theme."""
        return appearance.defaults(self.get_theme(self.theme))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What becomes of every line before it is seen."""
        return appearance.filters(super().get_line_filters(), ascii_only=self.ascii_only)

    def notify_style_update(self) -> None:
        """Colours may be others now."""
        super().notify_style_update()
        self.tones.clear()

    def get_driver_class(self) -> type[AnyDriver]:
        """Our driver, unless somebody else shows us, as in a browser."""
        if constants.DRIVER is not None:
            return super().get_driver_class()
        from overmind_tui.shell.driver import Driver  # noqa: PLC0415 - tests need none, and it knows POSIX terminals alone

        return Driver

    def get_default_screen(self) -> Screen[Any]:
        """The missions."""
        return self.main

    def on_mount(self) -> None:
        """From here on it can be ended in order."""
        self.quitting.listen()

    def _configure_hives(self, *, begun: bool = False) -> None:
        """Know the hives that config.toml names; without any, nothing that is about them is imported.

        `begun`: the first frame is there, so that they may be connected to.
        """
        if self.hives is None and self.live.names_hives:
            from overmind_tui.hives.hives import Hives  # noqa: PLC0415 - see above

            self.hives = Hives(self, self.updates, self._requests, self._begin, self.post_message)
        if self.hives is not None and (mistake := self.hives.configure()):
            self.notice.put(mistake, "bad")
        if self.hives is not None and begun:
            self.hives.start()
            self.main.forget_columns()
            self.main.rearrange()

    def _configure_swarm(self, *, begun: bool = False) -> None:
        """Know the swarm where this home is in one, or has made one; else nothing that is about it is imported.

        `begun`: the first frame is there, so that it may be asked.
        """
        is_in_swarm = self.home.is_in_swarm
        if self.swarm is None and is_in_swarm:
            from overmind_tui.swarm.swarm import Swarm  # noqa: PLC0415 - see above

            self.swarm = Swarm(self, self.updates, self.home, self.post_message)
            if begun:
                self.swarm.start()
                self.main.rearrange()
        elif self.swarm is not None and not is_in_swarm:
            self.swarm.leave()
            self.swarm = None
            self.main.forget_columns()
            self.main.rearrange()

    def _start(self) -> None:
        self.event_stream.start()
        if self.hives is not None:
            self.hives.start()
        if self.swarm is not None:
            self.swarm.start()
        self.log_follower.start()
        self.set_interval(1.0, self._tick)
        self.away_summary.look()
        self.background(self._look_for_agents)

    def _open_first(self) -> None:
        """Open the view to begin with before the missions are drawn: nobody would see those.

        Frame first; what is in it comes from the threads.
        """
        view, self.first_view = self.first_view, ""
        if view:
            self.commands.begin(view)
        self.call_after_refresh(self._start)

    def _look_for_agents(self) -> Callable[[], None]:
        self.main.faces.agents = world.installed_agents(self.world.environ)
        return self.main.changed_connection

    async def run_async(self, *args: Any, **options: Any) -> str | None:  # noqa: ANN401 - as Textual has it
        """Run; whatever ends it, missions that only we supervise are handed over before the loop ends."""
        try:
            return await super().run_async(*args, **options)
        finally:
            await asyncio.to_thread(self.quitting.on_exit)

    def on_unmount(self) -> None:
        """Nothing is shown any more."""
        self.jobs.close()
        self.title_outside.give_back()
        self.event_stream.close()
        self.log_follower.close()
        if self.hives is not None:
            self.hives.close()
        if self.swarm is not None:
            self.swarm.close()

    @on(AnyDriver.SignalResume)
    def repaint(self) -> None:
        """Draw all of it: others have drawn on the terminal meanwhile."""
        self._forget_frame()
        external.repaint(self)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:  # noqa: ANN401 - whatever Textual draws
        """Write only what differs from what the terminal shows."""
        frame: Frame | None = getattr(self._driver, "frame", None)
        shows = self._running and not self._closed and not self._batch_count
        if frame is not None and shows and isinstance(renderable, CompositorUpdate):
            frame.resize(*self.size)
            frame.draw(pieces(renderable, system_of(self.console)))
            renderable = None
            if not self._holds_frame():
                changed = ChangedCells(frame)
                moved = self.cursor_position != self._previous_cursor_position
                renderable = changed if changed.text or moved else None
        super()._display(screen, renderable)

    def _holds_frame(self) -> bool:
        """Whether the rows of the page on top are about to come: it is shown with them, or a moment later without."""
        top = self._screen_stack[-1] if self._screen_stack else None
        if not isinstance(top, Page) or not top.is_filling:
            return False
        self.set_timer(FILLING_SECONDS, self.screen.refresh)
        return True

    def _forget_frame(self) -> None:
        frame: Frame | None = getattr(self._driver, "frame", None)
        if frame is not None:
            frame.forget()

    # keys: one after the other, to the screen on top; held while one is opening

    async def on_event(self, event: events.Event) -> None:
        """Take keys and pastes before Textual sends them round its widgets."""
        if isinstance(event, events.Key | events.Paste):
            self.presence.touched()
            self.typed.put(event)
            return
        if isinstance(event, events.Resize):
            self._forget_frame()
        await super().on_event(event)

    def _press(self, key: str, character: str | None) -> None:
        self.screen.press(key, character)  # type: ignore[attr-defined] # every screen is a page

    def _paste(self, text: str) -> None:
        self.screen.paste(text)  # type: ignore[attr-defined] # same
        if len(text) >= PASTE_LIMIT:
            self.flash("the paste was cut at 1 MiB: its end is missing", "bad")

    def open(self, screen: Screen[None]) -> None:
        """Show a screen on top; what is typed meanwhile is for it."""
        self.notice.leave_view()
        self.typed.hold()
        self.push_screen(screen)

    def expect_view(self) -> Expected:
        """A view was asked for that opens once the supervisor has answered; what is typed waits, but not for ever."""
        place = self.screen
        expected = self.typed.expect(lambda: self.rests_at(place))
        self.set_timer(EXPECTED_SECONDS, expected.failed)
        return expected

    def rests_at(self, place: Screen[Any]) -> bool:
        """True where what was asked for in this place may open by itself: nothing has opened since, nobody types."""
        is_typed = isinstance(place, Page) and bool(place.bar.sign or place.context is Context.TYPING)
        return self.screen is place and not is_typed

    @property
    def is_at_rest(self) -> bool:
        """True where a page may open by itself: nobody writes or is asked anything, and nothing else is to open."""
        page = self.screen
        return isinstance(page, Page) and not self.typed.is_waiting and self.rests_at(page)

    def show(self, view: str) -> None:
        """Open a view of the registry over what is open."""
        self.commands.show(view)

    def act(self, action: str, rows: list[Row]) -> None:
        """Do an action to these rows, as its key would."""
        self.actions.do(action, rows)

    # what came

    @on(messages.Connected)
    @on(messages.Disconnected)
    @on(messages.RowsChanged)
    @on(messages.Happened)
    @on(messages.InboxChanged)
    @on(messages.Spent)
    @on(messages.EngineStands)
    @on(messages.NotesProposed)
    def _apply_update(self, message: Item) -> None:
        self.updates.take(message)
        if self.fleet.loaded:
            self.commands.missions_came()

    @on(messages.FromHive)
    def _came_of_hive(self, message: messages.FromHive) -> None:
        if self.hives is not None:
            self.hives.take(message)

    @on(messages.SwarmStands)
    def _swarm_stands(self, message: messages.SwarmStands) -> None:
        if self.swarm is not None:
            self.swarm.take(message)

    @on(messages.Watched)
    def _watched(self, message: messages.Watched) -> None:
        self.presence.watched(message.viewer)

    @on(messages.LogShown)
    @on(messages.LogGrew)
    @on(messages.LogIndexed)
    @on(messages.LogRead)
    @on(messages.LogCounted)
    @on(messages.LogFailed)
    def _log_came(self, message: messages.LogShown) -> None:
        self.main.log_panel.came(message)

    @on(messages.Done)
    def _done(self, message: messages.Done) -> None:
        if self.screen_stack:  # else the program ends, and shows nothing more
            message.then()

    @on(messages.Tapped)
    def _tapped(self, message: messages.Tapped) -> None:
        self.presence.touched()
        self.main.terminal_panel.keys.tapped(message.parts)

    @on(MissionsList.Stayed)
    def _stayed(self, message: MissionsList.Stayed) -> None:
        self.seen_tracker.left(message.row)

    @on(messages.TerminalGone)
    def _terminal_gone(self) -> None:
        self.quitting.at_once()

    def _tick(self) -> None:
        self.main.tick()
        self.seen_tracker.look()
        self.presence.look()
        self.title_outside.update(self.fleet, self.now())
        self.away_summary.record()
        if self.live.look(self.flash, self.appearance.wear):
            self._configure_hives(begun=True)
        if self.hives is not None:
            self.hives.look()
        self._configure_swarm(begun=True)
        if self.swarm is not None:
            self.swarm.look()
        self.notice.look()
        show_bottom(self)

    # telling the terminal

    def ring(self, text: str) -> None:
        """Have the terminal call its person."""
        ring(self, text)

    def _ring_for(self, events: Sequence[Row]) -> None:
        for event in events:
            if self.presence.rings(event):
                self.ring(ringing.sentence(event))

    def write_terminal(self, sequence: str) -> None:
        """Send the terminal a sequence that draws nothing."""
        if sequence and not self.is_headless and self._driver is not None:
            self._driver.write(sequence)
            self._driver.flush()

    # asking

    def _begin(self, work: Callable[[], None]) -> object:
        return self.run_worker(work, thread=True, exit_on_error=False)

    def background(self, work: Callable[[], Callable[[], None] | None]) -> None:
        """Do some work in a thread; what it answers is then called in the program's own."""

        def done() -> None:
            then = work()
            if then is not None:
                self.post_message(messages.Done(then))

        self._begin(done)

    def request(self, command: str, requests: Sequence[Mapping[str, Any]], on_result: OnAnswers) -> None:
        """Send requests of one kind in a thread; `on_result` gets answers and errors in their order."""
        (self._requests if self.hives is None else self.hives.requests).send(command, requests, on_result)

    def follow(
        self, command: str, request: Mapping[str, Any], each: Callable[[ItemOfStream], None],
        on_result: Callable[[ItemOfStream | OvermindError], None],
    ) -> None:  # fmt: skip
        """Send a request that is answered by a stream; `each` gets its items, `told` the last one, or the error."""
        (self._requests if self.hives is None else self.hives.requests).follow(command, request, each, on_result)

    def located(self, missions: Sequence[str]) -> Located:
        """Where these missions are, and their ids there.

        Raises:
            OvermindError: they are in several hives, or in one that doesn't answer.
        """
        return Located(self.home, missions) if self.hives is None else self.hives.located(missions)

    def remember(self, **values: bool | float | str | list[str] | Mapping[str, Any]) -> None:
        """Keep these for the next time."""
        self.remembered.put(**values)
        self._begin(self.remembered.save)

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def take_over(self) -> None:
        """Become the supervisor, where none answers."""
        if self.fleet.lost:
            self.fleet.awaits_supervisor = True
            self.event_stream.retry()

    def refresh_all(self) -> None:
        """Ask for everything again."""
        self.main.rearrange(asked=True)
        self.repaint()
        self.event_stream.retry()
        if self.hives is not None:
            self.hives.retry()
        if self.swarm is not None:
            self.swarm.retry()
        self.flash("refreshed", "quiet")

    # saying

    def header_facts(self, place: str) -> HeaderFacts:
        """The facts of the header of a page at a place."""
        fleet = self.fleet
        facts = HeaderFacts.of(fleet, len(fleet.asking))
        note = header_line.NO_DAEMON if not fleet.rows and self.supervisor_host.active else ""
        several = self.swarm or self.hives
        reached = () if several is None else several.reached
        return facts._replace(
            place=place, read_only=self.read_only, note=note, reached="".join(cell.text for cell in reached),
            is_unreached=any(cell.tone == "slow" for cell in reached),
            as_of=last_word.as_of(fleet.lost_since, self.zone),
        )  # fmt: skip

    def flash(self, text: str, tone: str = "") -> None:
        """Say something in the line for a while."""
        self.notice.put(text, tone)
        show_bottom(self)

    def _say_unheard(self) -> None:
        """Typed text does nothing now, which is said behind the reason."""
        tone = self.notice.tone if self.notice.text else "slow"
        self.flash(prompt.unheard(self.notice.text), tone)

    def ask_leave(self) -> None:
        """Leave; with missions that only we supervise, ask first."""
        self.quitting.ask()

    def _on_exit(self) -> None:
        self.away_summary.leave()
        self.remembered.save()

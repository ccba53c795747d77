"""The program: what came from the threads, which screen has the keys, and how it is left."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from typing import Any, ClassVar

from textual import constants, events, on
from textual.app import App
from textual.driver import Driver as AnyDriver
from textual.screen import Screen

from overmind_core.system.paths import Home
from overmind_core.version import VERSION
from overmind_tui import actions, messages, settings, themes
from overmind_tui.commands import Commands
from overmind_tui.deeds import Deeds
from overmind_tui.departure import Departure
from overmind_tui.feed import Feed
from overmind_tui.hosting import Hosting
from overmind_tui.keyqueue import KeyQueue
from overmind_tui.logfeed import LogFeed
from overmind_tui.questions import Questions, Told
from overmind_tui.screens.missions import MissionsScreen
from overmind_tui.screens.page import Page
from overmind_tui.screens.text import TextPage
from overmind_tui.view.cells import Cell, Row
from overmind_tui.view.fleet import Fleet
from overmind_tui.world import World

NOTICE_SECONDS = 5.0
EVENTS_KEPT = 2000
NOTHING = Cell("")


class OvermindApp(App[str], inherit_bindings=False):
    """Returns what is to be said on the terminal afterwards.

    Args:
        home: Whose missions.
        world: The folder, umask and environment that new missions start from.
        read_only: Hide and disable what changes anything.
        theme: Instead of the configured one.
        view: To begin with.
        zone: Of the times in logs; None is the machine's.
    """

    CSS_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "overmind.tcss")
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    BINDINGS: ClassVar = []
    TITLE = "overmind"
    version = VERSION

    def __init__(
        self,
        home: Home,
        world: World,
        *,
        read_only: bool = False,
        theme: str | None = None,
        view: str = "",
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__()
        self.home = home
        self._world = world
        self.read_only = read_only
        self.zone = zone
        self.settings, mistake = _settings(home)
        self.notice = Cell(mistake, "bad")
        self.ascii_only = settings.ascii_only(self.settings.symbols, world.environ)
        self._first_view = view
        self.fleet = Fleet()
        self.events: deque[Row] = deque(maxlen=EVENTS_KEPT)
        self.lost = ""
        self.shows_crumbs = True
        self.deeds = Deeds(self)
        self.commands = Commands(self)
        self.hosting = Hosting(home, self._begin)
        self._questions = Questions(home, self._begin, self.post_message)
        self.departure = Departure(self)
        self.feed = Feed(home, self.post_message, host=self.hosting.take, hosted=lambda: self.hosting.active)
        self.log_feed = LogFeed(home, self.post_message)
        self.main = MissionsScreen()
        self.typed = KeyQueue(self._press, self._paste)
        self._wanted_row = ""
        self._notice_until = float("inf") if mistake else 0.0
        self._dress(theme or self.settings.theme)

    # beginning

    def _dress(self, wanted: str) -> None:
        """Our own themes beside Textual's; nothing moves."""
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = wanted if wanted in self.available_themes else themes.DARK.name
        self.animation_level = "none"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """What our stylesheet needs of any theme."""
        return themes.DEFAULTS

    def get_driver_class(self) -> type[AnyDriver]:
        """Our driver, unless somebody else shows us, as in a browser."""
        if constants.DRIVER is not None:
            return super().get_driver_class()
        from overmind_tui.driver import Driver  # noqa: PLC0415 - tests need none, and it knows POSIX terminals alone

        return Driver

    def get_default_screen(self) -> Screen[Any]:
        """The missions."""
        return self.main

    def on_mount(self) -> None:
        """Frame first; what is in it comes from the threads."""
        self.departure.listen()
        self.call_after_refresh(self._start)

    def _start(self) -> None:
        self.feed.start()
        self.log_feed.start()
        self.set_interval(1.0, self._tick)
        if self._first_view:
            self.commands.run(self._first_view)

    async def run_async(self, *args: Any, **options: Any) -> str | None:  # noqa: ANN401 - as Textual has it
        """Run; whatever ends it, missions that only we supervise are handed over before the loop ends."""
        try:
            return await super().run_async(*args, **options)
        finally:
            await asyncio.to_thread(self.departure.last_rites)

    def on_unmount(self) -> None:
        """Nothing is shown any more."""
        self.feed.close()
        self.log_feed.close()

    # keys: one after the other, to the screen on top; held while one is opening

    async def on_event(self, event: events.Event) -> None:
        """Take keys and pastes before Textual sends them round its widgets."""
        if isinstance(event, events.Key | events.Paste):
            self.typed.put(event)
            return
        await super().on_event(event)

    def _press(self, key: str, character: str | None) -> None:
        self.screen.press(key, character)  # type: ignore[attr-defined]

    def _paste(self, text: str) -> None:
        self.screen.paste(text)  # type: ignore[attr-defined]

    def open(self, screen: Screen[None]) -> None:
        """Show a screen on top; what is typed meanwhile is for it."""
        self.typed.hold()
        self.push_screen(screen)

    def back(self) -> None:
        """Close the screen on top."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
            self.main.say()

    def to_root(self) -> None:
        """Close all screens but the main one."""
        while len(self.screen_stack) > 1:
            self.pop_screen()

    # what came

    @on(messages.Connected)
    def _connected(self, message: messages.Connected) -> None:
        self.lost = ""
        hosted = "no daemon: this program supervises" if message.hosted else f"daemon {message.daemon.get('pid')}"
        if not self.notice.text:
            self.flash(hosted, "quiet")
        self.main.changed_connection()

    @on(messages.Disconnected)
    def _disconnected(self, message: messages.Disconnected) -> None:
        tail = "ctrl-r starts one here" if message.final else "reconnecting …"
        self.lost = f"{message.reason.rstrip('.')} · {tail}"
        self.main.changed_connection()

    @on(messages.RowsChanged)
    def _rows_changed(self, message: messages.RowsChanged) -> None:
        self.fleet.apply(message.rows, message.removed, everything=message.everything)
        if self._wanted_row in self.fleet.rows:
            self.main.rearrange(asked=True)
            self.main.table.select(self._wanted_row)
            self._wanted_row = ""
        else:
            self.main.rearrange()

    @on(messages.Happened)
    def _happened(self, message: messages.Happened) -> None:
        self.events.extend(message.events)
        if isinstance(self.screen, TextPage) and self.screen.view == "events":
            self.screen.update()

    @on(messages.LogShown)
    @on(messages.LogGrew)
    @on(messages.LogOlder)
    @on(messages.LogFailed)
    def _log_came(self, message: messages.LogShown) -> None:
        self.main.log_came(message)

    @on(messages.Done)
    def _done(self, message: messages.Done) -> None:
        message.then()

    @on(messages.TerminalGone)
    def _terminal_gone(self) -> None:
        self.departure.at_once()

    def _tick(self) -> None:
        if self.notice.text and time.monotonic() > self._notice_until:
            self.notice = NOTHING
        self.main.tick()
        self._say()

    # asking

    def _begin(self, work: Callable[[], None]) -> object:
        return self.run_worker(work, thread=True, exit_on_error=False)

    def request(self, command: str, requests: Sequence[Mapping[str, Any]], told: Told) -> None:
        """Send requests of one kind in a thread; `told` gets answers and errors in their order."""
        self._questions.ask(command, requests, told)

    def world(self) -> dict[str, Any]:
        """What a new mission starts from."""
        return self._world.request()

    @property
    def folder(self) -> str:
        """Where the program was started."""
        return self._world.folder

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment in which the program was started."""
        return self._world.environ

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def select_soon(self, mission: str) -> None:
        """Put the cursor on a mission that may not have come yet."""
        self._wanted_row = mission

    def refresh_all(self) -> None:
        """Ask for everything again."""
        self.fleet.forget_killed()
        self.main.rearrange(asked=True)
        self.feed.retry()
        self.flash("asked for everything again", "quiet")

    # saying

    def flash(self, text: str, tone: str = "") -> None:
        """Say something in the bottom line for a while."""
        self.notice = Cell(" ".join(text.split()), tone)
        self._notice_until = time.monotonic() + NOTICE_SECONDS * (2 if tone == "bad" else 1)
        self._say()

    def _say(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, Page) and screen.is_mounted:
                screen.say()

    def ask_leave(self) -> None:
        """Leave; with missions that only we supervise, ask first."""
        self.departure.ask()

    def allowed(self, danger: actions.Danger) -> bool:
        """Whether this session may do something of this kind."""
        return not self.read_only or danger is actions.Danger.NONE


def _settings(home: Home) -> tuple[settings.Settings, str]:
    try:
        return settings.load(home.config), ""
    except settings.BadSettings as mistake:
        return settings.Settings(), str(mistake)

"""Notifications: a person is called when nobody looks at any screen, by the desktop's own means or a command of theirs.

What is worth a call is decided elsewhere, once per state, and recorded as an event `notification`. Of the clients that
show events to a person one rings: `viewers` knows which of them was used last, and what each has in view. The rest is
for when there is none.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from overmind_core.domain.text.bytestrings import from_wire
from overmind_core.domain.text.cells import cut, display_safe
from overmind_core.system.run_mark import clear_own_mark_of
from overmind_core.system.web_server import read_web_server

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping

    from overmind_core.domain.agents.events import NotificationDue
    from overmind_core.system.paths import Home


class Viewing(NamedTuple):
    """One program: when a person last used it (monotonic seconds), and the mission that it shows; None for none."""

    used_at: float
    view: str | None = None


class Viewers:
    """Programs by the numbers that they get here."""

    def __init__(self) -> None:
        self._looks: dict[int, Viewing] = {}
        self._newest = 0

    def __bool__(self) -> bool:
        """Whether anybody looks."""
        return bool(self._looks)

    def enter(self, now: float) -> int:
        """Another program looks, just begun by a person; its number."""
        self._newest += 1
        self._looks[self._newest] = Viewing(now)
        return self._newest

    def leave(self, viewer: int) -> None:
        """It looks no longer."""
        self._looks.pop(viewer, None)

    def used(self, viewer: int, at: float, view: str | None) -> bool:
        """A person used it at that time, and it shows this mission now; False for a number that nobody has."""
        if viewer not in self._looks:
            return False
        self._looks[viewer] = Viewing(at, view)
        return True

    def called(self, mission: str) -> int | None:
        """Who calls its person about a mission: one that shows it, else the one used last; None where nobody looks.

        One that shows it has nothing to call for; but only itself knows whether it still does.
        """
        showing = [viewer for viewer, look in self._looks.items() if look.view == mission]
        return max(showing or self._looks, key=lambda viewer: (self._looks[viewer].used_at, viewer), default=None)


LIMIT = 10.0
"""Seconds that the program may take."""
LONGEST = 200
"""Cells of a notification's text."""
TITLES = {"blocked": "needs you", "your_turn": "your turn"}
CALLS_KEPT = 200
"""Notifications of which it is known who calls."""
_DESKTOP = ("WAYLAND_DISPLAY", "DISPLAY", "DBUS_SESSION_BUS_ADDRESS")
_SCRIPT = ("on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run")
_log = logging.getLogger(__name__)


class Notifications:
    """Who looks, and what to run when nobody does.

    Args:
        command: The person's own, which gets title and text as its last arguments; empty for none; None for the
            desktop's.
        background: Runs something beside everything else.
        environ: Where a desktop is looked for.
        web_address: Returns where the web server is; None: there is none. Called in a thread.
    """

    def __init__(
        self,
        command: tuple[str, ...] | None,
        background: Callable[[Coroutine[Any, Any, None]], object],
        environ: Mapping[str, str] = os.environ,
        web_address: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._command = command
        self._background = background
        self._environ = environ
        self._web_address = web_address
        self.viewers = Viewers()
        self._called: OrderedDict[int, int | None] = OrderedDict()
        """Event number → the viewer that calls."""
        self._one_at_a_time = asyncio.Lock()

    @contextmanager
    def looking(self) -> Iterator[int]:
        """A client shows events to a person inside of the block; its number among the viewers."""
        viewer = self.viewers.enter(time.monotonic())
        try:
            yield viewer
        finally:
            self.viewers.leave(viewer)

    def rings(self, seq: int, viewer: int) -> bool:
        """Whether this viewer calls its person about the event with this number."""
        return self._called.get(seq) == viewer

    def on_notification(self, event: NotificationDue) -> None:
        """A notification was saved: decide which viewer calls; call where nobody looks."""
        assert event.seq is not None
        if self.viewers:
            self._called[event.seq] = self.viewers.called(str(event.mission))
            while len(self._called) > CALLS_KEPT:
                self._called.popitem(last=False)
            return
        argv = argv_of(event, self._command, self._environ)
        if argv:
            self._background(self._call(argv, event))

    async def _call(self, argv: list[str], event: NotificationDue) -> None:
        async with self._one_at_a_time:
            await asyncio.to_thread(self._run_about, argv, event)

    def _run_about(self, argv: list[str], event: NotificationDue) -> None:
        inherited = {name: value for name, value in self._environ.items() if name != "OVERMIND_URL"}
        _run(argv, inherited | _facts(event, self._web_address()))


def web_address(home: Home, public_url: str) -> str | None:
    """Return where people reach the web server: the one that runs, else where a proxy would serve it; None: nowhere.

    Args:
        home: Whose server.
        public_url: Of `[web]` in config.toml; "" for none.
    """
    server = read_web_server(home)
    return (public_url or None) if server is None else server.address


def argv_of(event: NotificationDue, command: tuple[str, ...] | None, environ: Mapping[str, str]) -> list[str]:
    """What to run for an event; nothing where nobody could see it."""
    name, why = display_safe(str(event.name)), TITLES.get(event.why, TITLES["blocked"])
    title, text = f"{name}: {why}", cut(display_safe(event.now or why), LONGEST)
    if command is not None:
        return [*command, *_words(command, title, text)] if command else []
    if sys.platform == "darwin":
        return ["osascript", *(word for line in _SCRIPT for word in ("-e", line)), title, text]
    return _desktop(title, text, environ)


def _words(command: tuple[str, ...], *texts: str) -> list[str]:
    """The texts, which agents wrote, as the command gets them: ssh joins its words for a shell on the other machine."""
    import shlex  # noqa: PLC0415 - for those with a command of their own

    is_remote = any(os.path.basename(word) == "ssh" for word in command)
    return [shlex.quote(text) if is_remote else text for text in texts]


def _desktop(title: str, text: str, environ: Mapping[str, str]) -> list[str]:
    import shutil  # noqa: PLC0415 - it loads three compressors, which no start should wait for
    from html import escape  # noqa: PLC0415 - same, for the names of all characters

    if not any(environ.get(one) for one in _DESKTOP) or shutil.which("notify-send", path=environ.get("PATH")) is None:
        return []
    return ["notify-send", "--app-name=overmind", "--", title, escape(text, quote=False)]


def _facts(event: NotificationDue, address: str | None) -> dict[str, str]:
    """What a person's command may want to know, as variables; `address`: of the web server."""
    facts = {"ID": event.mission, "NAME": event.name, "WHY": event.why, "NOW": event.now}
    if address is not None:
        from overmind_core.domain.web_access import needs_address  # noqa: PLC0415 - for those who have a web server

        question = event.question if isinstance(event.question, int) else None
        facts["URL"] = needs_address(address, subject=str(event.mission), question=question)
    return {f"OVERMIND_{name}": from_wire(str(value)).replace("\0", "") for name, value in facts.items() if value}


def _run(argv: list[str], environ: Mapping[str, str]) -> None:
    """Run it to its end. Blocks: for a thread."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            cwd="/",
            start_new_session=True,
        )
        clear_own_mark_of(process.pid, background=True)  # the command is the person's
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        if process.returncode:
            _log.warning("%s ended with exit code %d and may have shown nothing", argv[0], process.returncode)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        _log.warning("can't show the notification: %s", error)

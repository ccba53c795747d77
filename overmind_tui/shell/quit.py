"""Quitting the program: with missions that only it supervises, never without a word about them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

from overmind_core.errors import OvermindError
from overmind_tui.pages.dialog import Answer, Dialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_tui.shell.shell import Shell
    from overmind_tui.shell.supervisor_host import SupervisorHost

_log = logging.getLogger(__name__)
LEAVE_LIMIT = 25.0
"""Seconds that leaving may take, with a hand-over to a daemon."""
ENDED_LATER = "The swarm does not answer: a daemon in the background ends the rest once it does."
LEFT_BEHIND = 1
"""Exit status of a program that could not leave by itself."""


class Quit:
    """The way out of the program, asked for or forced.

    Args:
        shell: What is left.
        host: Whom only this program supervises.
        on_exit: What else is done, whatever ended the program.
    """

    def __init__(self, shell: Shell, host: SupervisorHost, on_exit: Callable[[], None]) -> None:
        self._shell = shell
        self._host = host
        self._on_exit = on_exit
        self._leaving = False

    def listen(self) -> None:
        """On the terminal's end, and when told to end: hand over, then go."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self.at_once)
            except (RuntimeError, ValueError):  # not in the main thread: somebody else's signals
                return

    def ask(self) -> None:
        """Leave; ask when missions live that only this program supervises."""
        live = self._host.live
        if self._leaving:
            return
        if not live:
            self.at_once()
            return
        several = "missions are running" if live > 1 else "mission is running"
        lines = [f"{live} {several}, and only this program supervises {'them' if live > 1 else 'it'}."]
        stop = Answer(("s",), "stop all", self._stop_all, "bad")
        answers = [
            Answer(("q", "k", "y"), "keep running in the background", self._keep, "good"),
            *([] if self._shell.read_only else [stop]),
            Answer(("c", "n"), "cancel", lambda: None),
        ]
        self._shell.open(Dialog("leave?", lines, answers, first=0))

    def at_once(self) -> None:
        """Leave without a question; what lives is handed over on the way out."""
        if not self._leaving:
            self._leaving = True
            self._shell.app.exit("")
            if not self._shell.app.is_headless:
                last = threading.Timer(LEAVE_LIMIT, _leave_anyway)
                last.daemon = True
                last.start()

    def on_exit(self) -> None:
        """Whatever ended the program: nobody is left without a supervisor. Blocks: for a thread."""
        self._on_exit()
        try:
            if self._host.needed:
                self._host.hand_over()
        except OvermindError as error:
            _log.error("handing over failed: %s", error.message)
        self._host.end()

    def _keep(self) -> None:
        live = self._host.live

        def keep() -> str:
            self._host.hand_over()
            return f"{live} mission{'s' * (live > 1)} running in the background. Return with: overmind"

        self._in_thread("handing over to a daemon …", keep)

    def _stop_all(self) -> None:
        live = self._host.live

        def stop() -> str:
            from overmind_core.client.client import Client  # noqa: PLC0415 - only on this way out

            client = Client(self._shell.home)
            try:
                answer = client.call("shutdown", {})
            finally:
                client.close()
            ended = live - answer.get("stopping", 0)
            stopped = f"Stopped {ended} mission{'s' * (ended != 1)}."
            note = ENDED_LATER if answer.get("stopping") else answer.get("note")
            return f"{stopped} {note}" if note else stopped

        self._in_thread(f"stopping {live} …", stop)

    def _in_thread(self, flash: str, work: Callable[[], str]) -> None:
        """Do it and exit with its last words."""
        self._leaving = True
        self._shell.flash(flash, "quiet")

        def worked() -> Callable[[], None]:
            try:
                last_words = work()
            except OvermindError as error:
                failure = error
                return lambda: self._failed(failure)
            return lambda: self._shell.app.exit(last_words)

        self._shell.background(worked)

    def _failed(self, error: OvermindError) -> None:
        self._leaving = False
        self._shell.flash(error.message, "bad")


def _leave_anyway() -> None:
    """A thread that waits for somebody must not keep a program alive that nobody sees: what it hosted is taken over."""
    os._exit(LEFT_BEHIND)

"""The log of the mission that is looked at, as it grows; a thread of its own, which follows the person's eyes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from textual.message import Message

from overmind_core.client.calls import Client, result
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_tui.logwindow import LogWindow
from overmind_tui.messages import LogFailed, LogGrew, LogOlder, LogShown

FRAME = 1 / 15
"""Seconds between two messages: more often nobody can read."""
REST = 0.03
"""Seconds that the eyes rest on a row before its log is read."""
LOOK = 0.05
"""Seconds until a change of the wanted log is noticed while nothing grows."""
PAUSE = 0.3
"""Seconds before the supervisor is asked again after it was lost."""
Json = dict[str, Any]


class LogFeed:
    """Posts what is to be shown of the wanted mission's log, until `close`."""

    def __init__(self, home: Home, post: Callable[[Message], object]) -> None:
        self._home = home
        self._post = post
        self._wanted: str | None = None
        self._changed = threading.Event()
        self._stirred = threading.Event()
        """Set with `_changed`, and when what was held back is wanted."""
        self._held = False
        self._closed = False
        self._window: LogWindow | None = None
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Post nothing more."""
        self._closed = True
        self._stir()

    def show(self, mission: str | None) -> None:
        """Look at this mission's log from now on."""
        self._held = False
        if mission != self._wanted:
            self._wanted = mission
            self._stir()

    def hold(self, *, back: bool) -> None:
        """Whether to post nothing for now: somebody reads what is there already."""
        self._held = back
        self._stirred.set()

    def _stir(self) -> None:
        self._changed.set()
        self._stirred.set()

    def load_older(self) -> None:
        """Post what lies before the first line that is shown. Blocks: for a thread."""
        window = self._window
        if window is not None and window.id == self._wanted:
            lines = window.older()
            self._say(LogOlder(window.id, lines, more=window.more))

    def _run(self) -> None:
        while not self._closed:
            mission = self._wanted
            if mission is None:
                self._changed.wait()
                self._rest()
                continue
            self._rest()
            if mission == self._wanted:
                self._look(mission)

    def _rest(self) -> None:
        """Wait until the wanted mission has been the same for a moment."""
        self._changed.clear()
        while self._changed.wait(REST) and not self._closed:
            self._changed.clear()

    def _look(self, mission: str) -> None:
        client = Client(self._home)
        try:
            self._follow(client, mission)
        except (ConnectionError, TimeoutError, OSError):
            self._changed.wait(PAUSE)
        except OvermindError as error:
            if error.code not in {"daemon_not_running", "daemon_lost", "busy"}:
                self._say(LogFailed(mission, error.message))
                self._changed.wait()
            else:
                self._changed.wait(PAUSE)
        finally:
            client.close()

    def _follow(self, client: Client, mission: str) -> None:
        client.connect()
        number = client.send("logs", {"ids": [mission], "follow": True})
        window: LogWindow | None = None
        while not self._changed.is_set():
            try:
                answer = client.receive(timeout=LOOK)
            except TimeoutError:
                self._deliver(window)
                continue
            if answer.get("id") != number:
                continue
            if "ok" in answer or "error" in answer:
                window = self._window = LogWindow(result(answer)["missions"][0])
                self._show(window)
            elif "end" in answer:
                self._rest_of(window)
            elif window is not None:
                self._grow(client, number, window, answer["item"])

    def _rest_of(self, window: LogWindow | None) -> None:
        """Nothing more comes; what is held back may still be wanted."""
        while not self._changed.is_set():
            self._deliver(window)
            self._stirred.wait()
            self._stirred.clear()

    def _grow(self, client: Client, number: int, window: LogWindow, item: Json) -> None:
        """Take over what comes within a frame, and show it at once."""
        began = time.monotonic()
        window.apply(item)
        ended = False
        while (left := began + FRAME - time.monotonic()) > 0:
            try:
                answer = client.receive(timeout=left)
            except TimeoutError:
                break
            if answer.get("id") == number and "item" in answer:
                window.apply(answer["item"])
            elif answer.get("id") == number and "end" in answer:
                ended = True
                break
            if self._changed.is_set():
                return
        self._deliver(window)
        if ended:
            self._rest_of(window)

    def _deliver(self, window: LogWindow | None) -> None:
        if window is None or self._held or not window.stale:
            return
        if window.behind:
            window.jump()
            self._show(window)
            return
        lines, partial = window.grown()
        self._say(LogGrew(window.id, lines, partial=partial, run=window.run, ended=window.ended))

    def _show(self, window: LogWindow) -> None:
        self._say(
            LogShown(
                window.id,
                window.lines,
                partial=window.partial,
                run=window.run,
                ended=window.ended,
                more=window.more,
            )
        )

    def _say(self, message: Message) -> None:
        if not self._closed:
            self._post(message)

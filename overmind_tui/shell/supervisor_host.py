"""The host of a supervisor inside this program, when there is no daemon: the same code, in a thread with its own loop.

Everybody is served, other shells too. When the program ends while missions live, a daemon is started that waits for
the lock, and then the lock is let go: the keeper holds the missions meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import TYPE_CHECKING

from overmind_core.client.daemon import daemon_argv, launch
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.daemon.host import Host

LOCK_SECONDS = 20.0
"""Seconds that the daemon waits for our lock, and that we wait for our own end."""
UMASK = 0o077


class SupervisorHost:
    """The supervisor of this process, if it is one.

    Args:
        home: What to supervise.
        begin: Runs a function in a worker thread.
    """

    def __init__(self, home: Home, begin: Callable[[Callable[[], None]], object]) -> None:
        self._home = home
        self._begin = begin
        self._host: Host | None = None
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._ended.set()
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        self._over = False

    @property
    def active(self) -> bool:
        """Whether this process is the supervisor now."""
        return self._ready.is_set() and not self._ended.is_set()

    @property
    def live(self) -> int:
        """How many missions live, if we supervise them."""
        host = self._host
        return host.live if self.active and host is not None else 0

    @property
    def needed(self) -> bool:
        """Whether anything goes on that only we supervise: missions, or a schedule by which some will come."""
        host = self._host
        return self.active and host is not None and host.needed

    def take(self) -> bool:
        """Become the supervisor unless somebody is; answers once clients are served. Blocks: for a thread.

        Raises:
            OvermindError: the home can't be used.
        """
        from overmind_core.daemon.host import Host  # noqa: PLC0415 - 100 ms that only a host pays

        if os.environ.get("OVERMIND_MISSION_ID"):
            return self._started_daemon()  # this program ends with its mission, the supervisor must not
        with self._lock:
            return not self._over and self._take(Host(self._home, daemon=daemon_argv(self._home)))

    def _take(self, host: Host) -> bool:
        if not host.take():
            return True  # somebody was faster, and will answer
        self._log_to_file()
        self._host, self._failure = host, None
        self._ready.clear()
        self._ended.clear()
        self._begin(self._serve)
        while not self._ready.wait(0.05):
            if self._ended.is_set():
                raise self._why()
        return True

    def hand_over(self) -> None:
        """Leave the missions to a daemon, and stop being the supervisor. Blocks: for a thread.

        Raises:
            OvermindError: no daemon could be started. We are not the supervisor any more: the keeper starts one.
        """
        with self._lock:
            if not self.active:
                return
            starting = _SupervisorThread(self._home)
            starting.begun.wait(LOCK_SECONDS)
            self._go(end=False)
            starting.thread.join(LOCK_SECONDS)
            if starting.failure is not None:
                raise starting.failure

    def end(self) -> None:
        """Stop being the supervisor of nothing, for good: the keeper may go as well. Blocks: for a thread."""
        with self._lock:
            self._over = True
            if self.active:
                self._go(end=not self.needed)

    def _go(self, *, end: bool) -> None:
        if self._host is None:
            return

        if end:
            self._host.end()
        else:
            self._host.hand_over()
        self._ended.wait(LOCK_SECONDS)

    def _serve(self) -> None:
        host = self._host
        assert host is not None
        try:
            asyncio.run(self._serving(host))
        except BaseException as error:
            self._failure = error
            logging.getLogger(__name__).exception("the supervisor failed")
        finally:
            self._ended.set()

    async def _serving(self, host: Host) -> None:
        await host.serve(self._ready.set)

    def _started_daemon(self) -> bool:
        launched = launch(self._home)
        if not launched.may_answer():
            raise launched.failure()
        return True

    def _why(self) -> OvermindError:
        if isinstance(self._failure, OvermindError):
            return self._failure
        return OvermindError("internal", f"The supervisor failed: {self._failure}. See {self._home.daemon_log}")

    def _log_to_file(self) -> None:
        """Where a daemon's words would be; never on the screen."""
        handler = logging.FileHandler(self._home.daemon_log, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
        root = logging.getLogger()
        root.addHandler(handler)
        root.setLevel(logging.INFO)


class _SupervisorThread:
    """A daemon on its way: `launch` comes back only once it serves, which it can't before we have gone."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.begun = threading.Event()
        self.failure: OvermindError | None = None
        self.thread = threading.Thread(target=self._run, name="hand-over")
        self.thread.start()

    def _run(self) -> None:
        try:
            self.begun.set()
            launched = launch(self._home, wait_lock=LOCK_SECONDS, after=os.getpid())
            if not launched.may_answer():
                self.failure = launched.failure()
        except OvermindError as error:
            self.failure = error

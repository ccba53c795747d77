"""The host of a headless run: the supervisor in a thread of this process, and the folder it works in."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import threading
from contextlib import suppress

from overmind_core.client.client import Client
from overmind_core.daemon.host import Host
from overmind_core.errors import OvermindError
from overmind_core.system.lock import holder_pid, is_free
from overmind_core.system.paths import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KILL_AFTER = 2.0
"""Seconds after which the keeper ends everything when this process vanishes."""
LEAVE_LIMIT = 5.0
"""Seconds for the keeper of an earlier run, or our own, to leave."""
PREFIX = "overmind-headless-"


class HeadlessHome:
    """The home of this run: a temporary folder, unless the person named one."""

    def __init__(self, named: str | None) -> None:
        self.temporary = named is None
        self.home = Home(tempfile.mkdtemp(prefix=PREFIX) if named is None else named)

    def remove(self) -> None:
        """Remove what is temporary."""
        if self.temporary:
            shutil.rmtree(self.home.root, ignore_errors=True)


class HostThread:
    """One supervisor, from its start to the end of everything that it started."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._host = Host(home, daemon=None, kill_after=KILL_AFTER)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="supervisor", daemon=True)
        self._failure: BaseException | None = None
        self.cleans_up = False
        """A plan is being ended of which something still has to clean up."""

    def start(self) -> None:
        """Supervise, and return once requests are answered.

        Raises:
            OvermindError: somebody else uses the home, or it can't be used.
        """
        if not self._host.take():
            raise self._taken()
        logging.raiseExceptions = False  # a log on a full disk is no reason to talk between the lines of the output
        logging.basicConfig(
            level=logging.INFO, filename=self._home.daemon_log, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        self._thread.start()
        self._up.wait()
        self.check()

    def check(self) -> None:
        """See whether the supervisor is well.

        Raises:
            OvermindError: it failed.
        """
        if self._failure is not None:
            raise _as_overmind_error(self._failure, self._home)

    def stop(self, grace: float | None = None) -> None:
        """Begin to stop everything; nothing new is started. `grace`: seconds, None = each mission's own."""
        self._refuse()
        threading.Thread(target=self._stop_all, args=(grace,), name="stop", daemon=True).start()

    def kill(self) -> None:
        """Begin to kill everything."""
        self._refuse()
        threading.Thread(target=self._kill_all, name="kill", daemon=True).start()

    def end(self) -> None:
        """Kill whatever is left, and return when supervisor and keeper have left.

        Should that not end in time, the end of this process ends the keeper with all its runs.
        """
        self._refuse()
        if self._thread.is_alive():
            threading.Thread(target=self._shut_down, name="shutdown", daemon=True).start()
            self._thread.join(LEAVE_LIMIT)
        if self._thread.ident is not None and not self._thread.is_alive():
            is_free(self._home.keeper_lock, LEAVE_LIMIT)

    def _serve(self) -> None:
        try:
            asyncio.run(self._host.serve(self._ready))
        except BaseException as error:  # the boundary of the thread
            logging.getLogger(__name__).exception("the supervisor failed")
            self._failure = error
        finally:
            self._up.set()

    def _ready(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._up.set()

    def _refuse(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._host.refuse)

    def _stop_all(self, grace: float | None) -> None:
        extra: dict[str, Any] = {} if grace is None else {"grace": grace}
        with suppress(OvermindError):
            client = Client(self._home)
            while live := [row for row in client.call("ps") if row["ended_at"] is None]:
                tidy = {row["id"] for row in live if row["type"] == "blueprint" and _cleans_up(client, row["id"])}
                self.cleans_up = bool(tidy)  # such a plan ends its agents itself
                asked = [{"id": row["id"], **extra} for row in live if row["parent"] not in tidy]
                answers = client.call_each("stop", asked)
                if all(isinstance(one, OvermindError) and one.code == "swarm_silent" for one in answers):
                    break  # what is left ends once the swarm answers
        self.cleans_up = False

    def _kill_all(self) -> None:
        with suppress(OvermindError):
            Client(self._home).call("kill", {"all": True})

    def _shut_down(self) -> None:
        self._kill_all()
        with suppress(OvermindError):
            Client(self._home).call("shutdown")

    def _taken(self) -> OvermindError:
        pid = holder_pid(self._home.supervisor_lock)
        return OvermindError(
            "busy", f"{self._home.root} is in use by a supervisor (PID {pid}). Choose another folder with --home"
        )


def _cleans_up(client: Client, plan: str) -> bool:
    """Whether something of the plan has to clean up, and has not."""
    agents = client.call("plan", {"id": plan})["agents"]
    return any(one["when"] == "always" and not one["stays"] and one["stage"] not in _DONE for one in agents)


_DONE = frozenset({"succeeded", "failed", "skipped", "cancelled"})


def live_missions(client: Client) -> list[str]:
    """Return the ids of all that are not final."""
    return [row["id"] for row in client.call("ps") if row["ended_at"] is None]


def _as_overmind_error(failure: BaseException, home: Home) -> OvermindError:
    if isinstance(failure, OvermindError):
        return failure
    return OvermindError("internal", f"The supervisor failed: {failure}. See {home.daemon_log}")

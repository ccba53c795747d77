"""One supervisor, from taking the lock to letting go of it; the same in a daemon, in a terminal or in a test."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from overmind_core.daemon import state_check
from overmind_core.daemon.app import App
from overmind_core.daemon.routes import endpoints
from overmind_core.daemon.state import State
from overmind_core.daemon.state_copies import StateCopies
from overmind_core.domain.missions.facts import EndAsked
from overmind_core.domain.missions.mission import Cause
from overmind_core.errors import OvermindError
from overmind_core.kernel import config
from overmind_core.kernel.api_server import LEAST_FILES, Connection, ConnectionLimits
from overmind_core.kernel.database import DiskFull, SchemaNewer, StoreCorrupt, StoreError
from overmind_core.kernel.keeper_client import KeeperStarter, mute_keeper
from overmind_core.missions.keeper_sync import Departure
from overmind_core.providers.registry import names
from overmind_core.system.lock import holder_pid, is_free, wait_lock
from overmind_core.system.machine import SystemClock
from overmind_core.system.paths import (
    Home,
    HomeUnsafe,
    check_sockets,
    ensure_home,
    release_socket_address,
    socket_address,
)
from overmind_core.system.run_mark import clear_mark, wear_own_mark
from overmind_core.system.sweep import end_own_programs
from overmind_core.system.unixsocket import BACKLOG, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from overmind_core.kernel.config import Loaded
    from overmind_core.swarm.host import SwarmHost
    from overmind_core.system.lock import Lock

AT_ONCE = 16
"""Clients taken in before the first of them is looked at: else a crowd would use up all files before it is counted."""
LOOK_SECONDS = 2.0
"""Seconds between two looks whether the socket is still there, and whether the keeper answers."""
KEEPER_SECONDS = 5.0
"""How long the keeper of an earlier run that left nothing may take to leave."""
TURNS = 10
"""Turns of the loop in which those that wait for something are told that it is over."""
FLUSH_SECONDS = 1.0
"""How long clients get to take their last answers."""
_log = logging.getLogger(__name__)


class Host:
    """Use as: `lock = host.take(…)`, then `asyncio.run(host.serve(…))`."""

    def __init__(
        self,
        home: Home,
        *,
        daemon: Sequence[str] | None,
        kill_after: float | None = None,
        attended: bool = False,
        transient: bool = False,
        keeper: int | None = None,
    ) -> None:
        """Supervise nothing yet.

        Args:
            home: The home.
            daemon: The command line of the next daemon; None: there is none.
            kill_after: Seconds after which the keeper ends everything when we are gone; None: it doesn't.
            attended: Whether somebody sees to what runs nevertheless.
            transient: Whether the keeper removes the home then, too.
            keeper: The pid of the one keeper that is to be supervised; None: any, a new one where there is none.
        """
        self._home = home
        self._attended = attended
        self._transient = transient
        self._keeper = keeper
        self._daemon = daemon
        self._kill_after = kill_after
        self._lock: Lock | None = None
        self._connections: set[Connection] = set()
        self._door = ConnectionLimits()
        self._server: asyncio.AbstractServer | None = None
        self._address = ""
        self._inode = 0
        self._app: App | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._config: Loaded | None = None

    def prepare(self, *, alone: bool = False) -> None:
        """Look at the home and read its settings: what is wrong is told before another daemon is asked to leave.

        A daemon that goes on for one that died, with the keeper that has lost it, does so in spite of a mistake,
        whatever command starts it: the settings that were good last count.

        Args:
            alone: Nobody is here to mend a mistake, so that they count, too.

        Raises:
            OvermindError: the home can't be used, or the settings have a mistake, or too few files may be open.
        """
        _check_files()
        try:
            ensure_home(self._home)
            check_sockets(self._home)
        except HomeUnsafe as error:
            raise OvermindError("forbidden", f"{error}.") from error
        except OSError as error:
            raise _unusable(self._home, error) from error
        path, providers = self._home.config, names()
        if alone or self._keeper is not None or self._is_orphaned():
            self._config = config.load_or_last_good(path, self._home.good_config, providers=providers)
        else:
            self._config = config.load(path, providers=providers)

    def _is_orphaned(self) -> bool:
        """True where missions of this home go on without a supervisor."""
        is_kept = holder_pid(self._home.keeper_lock) is not None
        return is_kept and holder_pid(self._home.supervisor_lock) is None

    def take(self, patience: float = 0.0, *, after: int | None = None) -> bool:
        """Become the one supervisor of the home; False when another is, and stays for `patience` seconds.

        Args:
            patience: Seconds.
            after: Wait only for this process; that a third was faster is an answer too.

        Raises:
            OvermindError: the home can't be used, or the settings have a mistake; `busy`, missions run in it that would
                end with us.
        """
        if self._config is None:
            self.prepare()
        try:
            self._lock = wait_lock(self._home.supervisor_lock, patience, after=after)
            if self._lock is not None:
                self._check_keeper(self._lock)
                self._sign()
        except OSError as error:
            raise _unusable(self._home, error) from error
        return self._lock is not None

    @property
    def swarm(self) -> SwarmHost:
        """The membership in a swarm; once clients are answered."""
        assert self._app is not None
        return self._app.swarm

    @property
    def live(self) -> int:
        """How many missions live. May be asked from any thread."""
        return 0 if self._app is None else len(self._app.registry.live)

    @property
    def needed(self) -> bool:
        """Whether anything goes on that only we supervise: missions, or a schedule. May be asked from any thread."""
        return self.live > 0 or (self._app is not None and self._app.line.is_needed)

    def keep(self) -> None:
        """End; the missions live on with their keeper, and the next daemon adopts them. From any thread."""
        self._leave_soon(Departure.KEEP)

    def hand_over(self) -> None:
        """End; another supervisor follows. From any thread."""
        self._leave_soon(Departure.HAND_OVER)

    def end(self) -> None:
        """End where no mission is left: the keeper may go, too. From any thread."""
        self._leave_soon(Departure.END)

    def _leave_soon(self, how: Departure) -> None:
        """Nothing happens before we serve, nor while we leave already."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._leave, how)

    def _leave(self, how: Departure) -> None:
        app = self._app
        if app is not None and not app.phase.leaving.is_set():
            app.tasks.start(app.leave(how))

    def refuse(self) -> None:
        """Start nothing new; only from the loop that serves."""
        if self._app is not None:
            self._app.phase.closing = True

    async def serve(self, ready: Callable[[], None]) -> None:
        """Supervise until a shutdown; `ready` is called once clients are answered.

        Raises:
            OvermindError: the state or the keeper can't be used; `daemon_not_running` when the keeper that we came for
                has left.
        """
        assert self._lock is not None
        assert self._config is not None
        with _explained(self._home):
            _check_state(self._home)
            state = State.open(self._home.database)
        _keep_copy(self._home, self._config)
        keepers = KeeperStarter(
            self._home,
            daemon=self._daemon,
            kill_after=self._kill_after,
            attended=self._attended,
            transient=self._transient,
            only=self._keeper,
        )
        app = App(self._home, state, self._config.settings, keepers, SystemClock())
        self._app = app
        wear_own_mark()  # what we start for ourselves, and a mission may have written, is told from a person's programs
        self._loop = asyncio.get_running_loop()
        if any(map(os.path.lexists, (self._home.socket, self._home.socket_pointer))):  # who leaves in order removes it
            app.workspace.end_left_programs()
        try:
            with _explained(self._home):
                await app.start()
            if self._kill_after is not None:
                _end_plans(app)
            await self._listen(app)
            app.tasks.start(app.retention.keep_bounded())
            if self._kill_after is None:  # else the home ends with us, or is a headless run's
                app.tasks.start(StateCopies(self._home).run())
                app.tasks.start(state_check.LateCheck(self._home, app.state_is_damaged).run())
            app.tasks.start(self._look_around(app))
            ready()
            await app.phase.leaving.wait()
            self._stop_listening()
            self._door.shut = True
            await self._let_clients_go()
        finally:
            app.close()
            if app.workspace.in_threads:  # what runs now nobody waits for any more
                end_own_programs(self._home.root)
            if self._is_ours():  # else these names may be those of another home by now, and of its files
                release_socket_address(self._home.socket, self._home.socket_pointer)
                state.close()
                self._unsign()
            clear_mark()  # before another supervisor listens: to that one, this process is a person's
            self._lock.release()

    def _check_keeper(self, lock: Lock) -> None:
        """Where everything is to end with us, nothing may run that we have not started; the keeper of the last may go.

        Raises:
            OvermindError: `busy`.
        """
        if self._kill_after is not None and not is_free(self._home.keeper_lock, KEEPER_SECONDS):
            lock.release()
            pid = holder_pid(self._home.keeper_lock)
            message = f"{self._home.root} is in use by a keeper (PID {pid}). Choose another folder with --home"
            raise OvermindError("busy", message)

    def _sign(self) -> None:
        """Say whether we are a headless run, whom no daemon follows and a sweep of what started us doesn't spare."""
        if self._kill_after is None:
            self._unsign()
        else:
            os.close(os.open(self._home.headless, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))

    def _unsign(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._home.headless)

    async def _listen(self, app: App) -> None:
        table = endpoints(app)
        try:
            self._address = socket_address(self._home.socket, self._home.socket_pointer)
            socket = listen(self._address)
            self._inode = os.stat(self._address).st_ino
        except OSError as error:
            raise _unusable(self._home, error) from error
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(
            lambda: Connection(table, self._door, self._connections), sock=socket, backlog=AT_ONCE
        )
        socket.listen(BACKLOG)
        self._server = server

    async def _look_around(self, app: App) -> None:
        """See to the keeper and the socket now and then: at the same moment, so that a daemon at rest wakes up once."""
        is_ours = True
        while not app.phase.leaving.is_set():
            await asyncio.sleep(LOOK_SECONDS)
            self._look_at_keeper(app)
            if is_ours and not app.phase.leaving.is_set():
                is_ours = await self._keep_listening(app)

    async def _keep_listening(self, app: App) -> bool:
        """Listen anew when somebody has removed the socket: a daemon that nobody can reach is none.

        Where the lock was removed, too, another daemon may be in our place at any moment. So we leave: to the daemon
        that the keeper starts, or to nobody when the home is gone; the keeper ends what runs then.

        Returns:
            Whether the home is still ours.
        """
        if not self._is_ours():
            _log.error("the home %s or its lock was removed; this daemon exits", self._home.root)
            if self._kill_after is None:
                app.tasks.start(app.leave(Departure.HAND_OVER))
            return False
        if not self._is_reachable():
            _log.warning("the socket %s was removed; creating it again", self._address)
            self._stop_listening()
            try:
                await self._listen(app)
            except OvermindError as error:
                _log.warning("%s", error.message)  # the next look tries again
        return True

    def _look_at_keeper(self, app: App) -> None:
        """Tell those who wait for a keeper that does not answer."""
        if app.line.is_mute():
            error = mute_keeper(app.line.hello.get("pid"))
            for connection in list(self._connections):
                connection.answer_for_keeper(error)

    def _is_ours(self) -> bool:
        """Whether nobody else can be the home's supervisor, as where its lock or the home was removed."""
        return self._lock is not None and self._lock.counts

    def _is_reachable(self) -> bool:
        try:
            return self._server is not None and os.stat(self._address).st_ino == self._inode
        except OSError:
            return False

    def _stop_listening(self) -> None:
        """Take no new clients; those that are here stay."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    async def _let_clients_go(self) -> None:
        """Let each client have what was answered to it."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
        for connection in list(self._connections):
            connection.close()
        deadline = asyncio.get_running_loop().time() + FLUSH_SECONDS
        while self._connections and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - bounded, once
            await asyncio.sleep(0.005)


def _end_plans(app: App) -> None:
    """End, before they take another step, the plans of a headless run that was killed: nobody asked to go on with them.

    Its missions have ended with it.
    """
    for plan in list(app.plans.live):
        app.registry.apply_if_legal(app.registry.live[plan], EndAsked(Cause.KILL, 0.0), urgent=True)


def _keep_copy(home: Home, found: Loaded) -> None:
    if found.mistake:
        _log.error("%s. The last valid settings are in use", found.mistake)
    try:
        config.keep_copy(found, home.good_config)
    except (OSError, OvermindError) as error:
        _log.warning("%s can't be written: %s", home.good_config, error)


@contextmanager
def _explained(home: Home) -> Iterator[None]:
    """Say what is wrong with the state, and what to do about it.

    Raises:
        OvermindError: instead of the store's error.
    """
    try:
        yield
    except SchemaNewer as error:
        advice = "Until then, you can end every mission with: overmind kill --all"
        raise OvermindError("schema_newer", f"{error}. {advice}") from error
    except DiskFull as error:
        advice = f"Free space there first. {home.logs} holds mission logs, which you can remove."
        raise OvermindError("disk_full", f"The disk is full: {home.database} can't be written. {advice}") from error
    except (StoreCorrupt, msgspec.MsgspecError, UnicodeError) as error:
        raise _damaged(home, f"is damaged ({error})") from error
    except StoreError as error:
        raise OvermindError("internal", f"The state can't be opened: {error}") from error


def _check_state(home: Home) -> None:
    """See that nothing of the state is damaged or gone.

    Raises:
        OvermindError: `internal`, it is.
    """
    state_check.prepare(home)
    if found := state_check.trouble(home):
        raise _damaged(home, found)


def _damaged(home: Home, trouble: str) -> OvermindError:
    advice = f"Recover it with: {state_check.RECOVER}. Missions that run go on meanwhile"
    return OvermindError("internal", f"The state {home.database} {trouble}. {advice}.")


def _check_files() -> None:
    """See that enough files may be open at once."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= files < LEAST_FILES:
        limit = f"The limit of open files is {files}, and a daemon needs at least {LEAST_FILES}."
        hard = (
            ""
            if most == resource.RLIM_INFINITY or most >= LEAST_FILES
            else " (its hard limit is lower: see limits.conf(5))"
        )
        raise OvermindError("forbidden", f"{limit} Raise it with: ulimit -n 1024{hard}")


def _unusable(home: Home, error: OSError) -> OvermindError:
    import errno  # noqa: PLC0415 - for this sentence alone

    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    code = "disk_full" if full else "forbidden"
    return OvermindError(code, f"The home {home.root} can't be used: {error.strerror}.")

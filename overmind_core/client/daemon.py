"""Connecting to the daemon of a home, and starting one: a double fork, a session of its own, no inherited file.

Commands that start work start a daemon. Every command does when a keeper lives without a supervisor. The daemon reports
over a pipe that it listens. Several may be started at once: a lock settles who stays, the others leave silently.
"""

from __future__ import annotations

import errno
import os
import sys
import time

from overmind_core.client.connection import ANSWER_LIMIT, DaemonConnection
from overmind_core.errors import OvermindError
from overmind_core.system.lock import holder_pid
from overmind_core.system.paths import HomeUnsafe, can_exist, ensure_home, read_socket_address
from overmind_core.wire import quick_json

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn, TypeAlias

    from overmind_core.system.paths import Home

    Searching: TypeAlias = Callable[[str], None]
    """Called again and again while no daemon answers, with the line for a person about what is waited for."""


MODULE = "overmind_core.daemon"
START_LIMIT = 30.0
"""Seconds for a daemon to listen: a cold disk, a thousand missions to adopt."""
LOOK_SECONDS = 0.2
"""Seconds between two calls of what is done while no daemon answers; see `Searching`."""
TO_START = "waits for the daemon to start"
TO_ANSWER = "waits for the daemon to answer"
_READY_FD = 3


class LaunchedDaemon:
    """A daemon that was started, and whether it listens.

    Attributes:
        pid: Its process.
        ready: It listens. False: it left again, because another one is there or because it can't run.
        said: Its own words on why it left, "" when it had none.
    """

    __slots__ = ("_home", "message", "pid", "ready")

    def __init__(self, home: Home, pid: int, message: str, *, ready: bool) -> None:
        self._home = home
        self.pid = pid
        self.ready = ready
        self.message = message

    def may_answer(self) -> bool:
        """Whether a daemon, this one or the one that was faster, is there."""
        return self.ready or holder_pid(self._home.supervisor_lock) is not None

    def failure(self) -> OvermindError:
        """Return why there is no daemon."""
        try:
            reason: Any = quick_json.decode(self.message)
            return OvermindError(reason["error"], reason["message"])
        except (ValueError, KeyError, TypeError):
            return OvermindError(
                "internal", f"The daemon did not start: {self.message or _last_line(self._home.daemon_log)}"
            )


def daemon_argv(home: Home, *more: str) -> list[str]:
    """Return the command line of a daemon for `home`.

    -P: a file named json.py in the folder where somebody stood must not become part of the daemon.
    """
    return [sys.executable, "-P", "-m", MODULE, "--home", home.root, *more]


def daemon_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without the variables of missions; one says in which mission the daemon was started."""
    from overmind_core.system.run_mark import STARTED_IN  # noqa: PLC0415  (start-up: only when a daemon is launched)

    mission = environ.get("OVERMIND_MISSION_ID", environ.get(STARTED_IN, ""))
    kept = {
        name: value for name, value in environ.items() if not name.startswith(("OVERMIND_MISSION_", "OVERMIND_PARENT_"))
    }
    return {**kept, STARTED_IN: mission} if mission else kept


def launch(
    home: Home,
    *,
    wait_lock: float | None = None,
    after: int | None = None,
    on_waiting: Callable[[], None] = lambda: None,
    keeper: int | None = None,
    searching: Searching = lambda _: None,
) -> LaunchedDaemon:
    """Start a daemon and wait until it listens or has left again.

    Args:
        home: Made when it isn't there.
        wait_lock: Seconds it waits for the daemon before it to leave; None: it leaves at once.
        after: That daemon's pid: with a third one in its place there is nothing to wait for.
        on_waiting: Called, with `after`, once ours is loaded and waits: whoever starts another one then comes too late.
        keeper: The pid of the keeper that wants a daemon: without it none is wanted. None, 0: one is wanted anyway.
        searching: Called again and again until it listens.

    Raises:
        OvermindError: the home can't be used.
    """
    prepare_home(home)
    more = ["--ready-fd", str(_READY_FD)]
    if wait_lock is not None:
        more += ["--wait-lock", str(wait_lock)]
    if after is not None:
        more += ["--after", str(after)]
    if keeper:
        more += ["--keeper", str(keeper)]
    reading, writing = os.pipe()
    try:
        _fork_twice(home, daemon_argv(home, *more), writing)
        os.close(writing)
        return _read_report(home, reading, START_LIMIT + (wait_lock or 0.0), on_waiting, searching)
    finally:
        os.close(reading)


def exec_daemon(home: Home, *, ephemeral: bool = False, instance: str = "") -> NoReturn:
    """Turn this process into the daemon, in the terminal where it is.

    Args:
        home: Made when it isn't there.
        ephemeral: Everything ends with it, and it with its parent.
        instance: File that says which instance of a pool it is.
    """
    prepare_home(home)
    sys.stdout.flush()
    more = ["--ephemeral", str(os.getppid())] if ephemeral else []
    argv = daemon_argv(home, *more, *(["--instance", instance] if instance else []))
    os.execve(argv[0], argv, daemon_environment(os.environ))  # noqa: S606  (our own program)


def prepare_home(home: Home) -> None:
    """Create the home where it is missing.

    Raises:
        OvermindError: `daemon_not_running`, a headless run or an ephemeral daemon in it ends just now; `forbidden`, it
            can't be a home or be created; `disk_full`.
    """
    if os.path.lexists(home.headless) and holder_pid(home.keeper_lock) is not None:
        raise OvermindError(
            "daemon_not_running", f"The daemon of {home.root} has ended: everything that it started is being stopped."
        )
    try:
        ensure_home(home)
    except HomeUnsafe as error:
        raise OvermindError("forbidden", f"{error}.") from None
    except OSError as error:
        code = "disk_full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "forbidden"
        raise _no_home(home, str(error.strerror), code) from None


def _no_home(home: Home, reason: str, code: str = "forbidden") -> OvermindError:
    return OvermindError(code, f"The home {home.root} can't be created: {reason}.")


def _fork_twice(home: Home, argv: list[str], ready: int) -> None:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork() == 0:
            _exec_detached(home, argv, ready)
    finally:
        os._exit(0)


def _exec_detached(home: Home, argv: list[str], ready: int) -> NoReturn:
    """Turn this process, a grandchild with a session that isn't its own, into the daemon."""
    os.write(ready, f"{os.getpid()}\n".encode())
    try:
        os.umask(0o077)
        _arrange_files(home, ready)
        os.chdir("/")
        _reset_signals()
        os.execve(argv[0], argv, daemon_environment(os.environ))  # noqa: S606  (our own program)
    except OSError as error:
        reason = {"error": "internal", "message": f"{argv[0]}: {error.strerror}"}
        os.write(_READY_FD, quick_json.encode(reason).encode(errors="replace"))
    os._exit(127)


def _arrange_files(home: Home, ready: int) -> None:
    from overmind_core.system.program_log import open_log  # noqa: PLC0415  (start-up: only when a daemon is launched)

    log = open_log(home.daemon_log)
    nothing = os.open(os.devnull, os.O_RDWR)
    high = [os.dup(fd) for fd in (nothing, log, log, ready)]  # out of the way of the numbers they get
    while min(high) <= _READY_FD:
        high = [os.dup(fd) for fd in high]
    for number, fd in enumerate(high):
        os.dup2(fd, number)
    os.closerange(_READY_FD + 1, os.sysconf("SC_OPEN_MAX"))


def _reset_signals() -> None:
    """Drop what this terminal, nohup or a test runner had set; the daemon sets its own."""
    import signal  # noqa: PLC0415  (start-up: only when a daemon is launched)

    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGCHLD, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)


def _read_report(
    home: Home, reading: int, limit: float, on_waiting: Callable[[], None], searching: Searching
) -> LaunchedDaemon:
    """Read the daemon's pid, an empty line if it waits, then its word that it listens, or its last words."""
    import select  # noqa: PLC0415  (start-up: as above)

    waits = False
    deadline = time.monotonic() + limit
    received = b""
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([reading], [], [], min(left, LOOK_SECONDS))[0]:
            searching(TO_START)
            continue
        chunk = os.read(reading, 4096)
        received += chunk
        pid, newline, message = received.partition(b"\n")
        if message.startswith(b"\n") and not waits:
            waits = True
            _call_or_end(on_waiting, int(pid))
        message = message.removeprefix(b"\n")
        if not chunk or (message and not message.startswith(b"{")):
            ready = bool(newline and message) and not message.startswith(b"{")
            return LaunchedDaemon(home, int(pid or 0), message.decode(errors="replace").strip(), ready=ready)
    raise OvermindError("busy", f"The daemon did not start listening within {limit:.0f} s. See {home.daemon_log}")


def _call_or_end(on_waiting: Callable[[], None], pid: int) -> None:
    """Tell that the daemon `pid` waits; where that fails it is not wanted any more."""
    try:
        on_waiting()
    except BaseException:
        import signal  # noqa: PLC0415  (start-up: as above)

        try:  # noqa: SIM105  (start-up: contextlib costs each command)
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        raise


def _last_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            lines = log.read().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else f"it exited without a message. See {path}"


_NOT_LISTENING = frozenset({errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR, errno.ECONNRESET, errno.EPIPE})
_LAUNCHES = 3
"""How often a daemon is started that leaves without a word, as one does that is killed."""
_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.2
"""Seconds between two attempts; they double."""


def try_connect(home: Home) -> DaemonConnection | None:
    """Return a connection to the daemon of `home`, None when nobody listens there, or can't just now.

    Raises:
        OvermindError: `forbidden`, the socket is another user's.
    """
    try:
        return DaemonConnection(read_socket_address(home.socket, home.socket_pointer))
    except TimeoutError:  # so many clients at once that its queue is full
        return None
    except PermissionError:
        raise OvermindError("forbidden", f"The home {home.root} belongs to another user.") from None
    except OSError as error:
        if error.errno in _NOT_LISTENING:
            return None
        raise OvermindError("internal", f"{home.socket}: {error}") from None


def connect_until(
    home: Home,
    deadline: float,
    *,
    while_true: Callable[[], bool] | None = None,
    searching: Searching = lambda _: None,
) -> DaemonConnection | None:
    """Return a connection as soon as there is one; None at `deadline` (seconds, monotonic clock).

    Args:
        home: Whose daemon.
        deadline: When to give up.
        while_true: Give up early when this says no.
        searching: Called between two attempts.
    """
    pause = _FIRST_PAUSE
    while True:
        connection = try_connect(home)
        if connection is not None:
            return connection
        if time.monotonic() >= deadline or (while_true is not None and not while_true()):
            return try_connect(home)
        searching(TO_ANSWER)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def connect_or_start(
    home: Home, *, start: bool, searching: Searching = lambda _: None
) -> tuple[DaemonConnection, int | None]:
    """Return a connection to the daemon of `home`, and that daemon's pid when it had to be started.

    Args:
        home: Whose daemon.
        start: Start one also when no keeper lives.
        searching: Called again and again while no daemon listens.

    Raises:
        OvermindError: `daemon_not_running`, `busy`, or why it could not start.
    """
    connection = try_connect(home)
    return (connection, None) if connection is not None else _wait_or_start(home, searching, start=start)


def _wait_or_start(home: Home, searching: Searching, *, start: bool) -> tuple[DaemonConnection, int | None]:
    deadline = time.monotonic() + ANSWER_LIMIT
    while True:
        connection = connect_until(
            home, deadline, while_true=lambda: holder_pid(home.supervisor_lock) is not None, searching=searching
        )
        if connection is not None:
            return connection, None
        pid = holder_pid(home.supervisor_lock)
        if pid is None:
            break
        if time.monotonic() >= deadline:  # else it has only just come, and does not listen yet
            raise OvermindError("busy", f"The daemon (PID {pid}) doesn't answer. Try again, or end it with: kill {pid}")
    keeper = None if start else holder_pid(home.keeper_lock)
    if not start and keeper is None:
        known = can_exist(home)
        raise OvermindError("daemon_not_running") if known else _no_home(home, "nobody can make a folder there")
    return _start_and_connect(home, searching, keeper=keeper)


def _start_and_connect(home: Home, searching: Searching, *, keeper: int | None) -> tuple[DaemonConnection, int | None]:
    """Start a daemon; `keeper`: only for the keeper with this pid."""
    for attempts_left in reversed(range(_LAUNCHES)):
        launched = launch(home, keeper=keeper, searching=searching)
        deadline = time.monotonic() + ANSWER_LIMIT
        connection = connect_until(home, deadline, while_true=launched.may_answer, searching=searching)
        if connection is not None:
            return connection, launched.pid if launched.ready else None
        if launched.message or not attempts_left:
            raise launched.failure()
    raise AssertionError

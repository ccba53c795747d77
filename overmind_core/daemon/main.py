"""The daemon: a supervisor in a process of its own, that nobody's terminal and no mission's end takes along."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import resource
import signal
import sys
import traceback

from overmind_core.daemon.host import Host
from overmind_core.daemon.parent import ParentWatch
from overmind_core.errors import OvermindError
from overmind_core.system import run_mark
from overmind_core.system.lock import is_free
from overmind_core.system.paths import Home
from overmind_core.system.remove_tree import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

USAGE = (
    "python -P -m overmind_core.daemon --home DIR [--ready-fd FD] [--wait-lock SECONDS] [--after PID] [--keeper PID]"
    " [--ephemeral PID] [--instance FILE]"
)
_log = logging.getLogger(__name__)
UMASK = 0o077
SWITCH_SECONDS = 0.0005
"""How long a worker thread that comes back from the disk waits for a busy loop. Python's own 5 ms, once for each of its
system calls, would hold the first of a burst of starts up until all of them were read."""
KILL_AFTER = 1.0
"""Seconds after which the keeper ends everything when an ephemeral daemon is gone."""
LEAVE_SECONDS = 0.5
"""How long an ephemeral daemon whose parent has ended may take to leave: all ends within two seconds."""
YOUNG = 10_000
"""New containers after which garbage is looked for. Python's own 700 are those of three starts, and a burst keeps them
all: a tenth of its time went into looking."""


def main(argv: Sequence[str]) -> int:
    """Run the daemon until it is shut down; its exit status."""
    options = Options(argv)
    ready = _Ready(options.ready_fd, os.environ)
    _shed()
    sys.setswitchinterval(SWITCH_SECONDS)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    )
    home = Home(options.home)
    if options.instance:
        host = Host(home, daemon=None, kill_after=KILL_AFTER, attended=True, transient=True)
    elif options.parent is None:
        host = Host(home, daemon=daemon_argv(home), keeper=options.keeper)
    else:
        host = Host(home, daemon=None, kill_after=KILL_AFTER, attended=True)
    try:
        host.prepare(alone=ready.is_service)
        if options.after is not None:
            ready.waiting()
        if not host.take(options.wait_lock, after=options.after):
            return _taken(home) if options.instance else 0
        # Not `asyncio.run`, which at the end waits for worker threads: the lock is free by then, and who asked us to
        # leave counts on it that nobody is here any more.
        runner = asyncio.Runner()
        if options.instance:
            return runner.run(_serve_instance(host, ready, options))
        runner.run(_serve(host, ready, options.parent))
    except OvermindError as error:
        ready.failed(error)
        sys.stderr.write(f"Error: {error.code}: {error.message}\n")
        return 1
    except Exception as error:  # noqa: BLE001 - the boundary of the process
        traceback.print_exc()
        ready.failed(OvermindError("internal", f"The daemon failed: {error}. See {home.daemon_log}"))
        return 1
    finally:
        if options.instance and is_free(home.keeper_lock, 0.0):  # else the keeper removes it once all has ended
            with contextlib.suppress(OSError):
                remove_tree(home.root)
    return 0


def _taken(home: Home) -> int:
    sys.stderr.write(f"Error: busy: {home.root} is in use: this instance runs already\n")
    os._exit(1)  # nothing of that home is ours to clean up


class Options:
    """What the command line said."""

    __slots__ = ("after", "home", "instance", "keeper", "parent", "ready_fd", "wait_lock")

    def __init__(self, argv: Sequence[str]) -> None:
        """Take `--name value` pairs: argparse would cost half a megabyte for as long as the supervisor lives.

        Raises:
            ValueError: something else is there, or no `--home`.
        """
        given = dict(zip(argv[::2], argv[1::2], strict=True))
        self.home = given.pop("--home", "")
        """Folder of the home."""
        self.ready_fd = int(given.pop("--ready-fd", -1))
        """Gets a byte once clients are answered; -1 for none."""
        self.wait_lock = float(given.pop("--wait-lock", 0.0))
        """Seconds to wait for another daemon to leave."""
        self.after = int(given.pop("--after", 0)) or None
        """Wait only for the daemon with this pid; it may be asked to leave once we tell that we wait."""
        self.keeper = int(given.pop("--keeper", 0)) or None
        """Supervise only what the keeper with this pid holds."""
        parent = given.pop("--ephemeral", None)
        self.parent = None if parent is None else int(parent)
        """End all with this daemon, and the daemon with its parent, which has this pid, 0: none; None: do neither."""
        self.instance = given.pop("--instance", "")
        """File that says which instance of a pool this is; "": it is none."""
        if given or not self.home:
            raise ValueError(f"usage: {USAGE}")


def daemon_argv(home: Home) -> list[str]:
    """How anybody starts this home's daemon."""
    return [sys.executable, "-P", "-m", "overmind_core.daemon", "--home", home.root]


async def _serve(host: Host, ready: _Ready, parent: int | None) -> None:
    loop = asyncio.get_running_loop()
    if parent:
        ParentWatch(loop, parent, lambda: _end_soon(host, loop)).start()
    serving = asyncio.ensure_future(host.serve(ready.listening))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, host.keep)
    await serving


async def _serve_instance(host: Host, ready: _Ready, options: Options) -> int:
    """Be an instance of a pool: join, work, leave; return the exit status."""
    from overmind_core.daemon.instance import InstanceLife  # noqa: PLC0415 - for instances alone

    loop = asyncio.get_running_loop()
    life = InstanceLife(host, options.instance)
    if options.parent:
        ParentWatch(loop, options.parent, lambda: _end_soon(host, loop)).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, life.drain)

    def listening() -> None:
        ready.listening()
        life.begin()

    await host.serve(listening)
    return life.status


def _end_soon(host: Host, loop: asyncio.AbstractEventLoop) -> None:
    """Leave, and leave everything to the keeper where that takes too long: it ends what runs once we are gone."""
    _log.warning("the parent of this daemon has ended; everything ends")
    host.keep()
    loop.call_later(LEAVE_SECONDS, os._exit, 1)


def _shed() -> None:
    """Take off what a mission or terminal that started us may have left on us."""
    os.umask(UMASK)
    os.chdir("/")
    run_mark.clear_mark()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for name in [name for name in os.environ if name.startswith("OVERMIND_") and name != run_mark.STARTED_IN]:
        del os.environ[name]


class _Ready:
    """Tells whoever started us that we listen, or why not."""

    def __init__(self, fd: int, environ: MutableMapping[str, str]) -> None:
        """`environ`: it loses what the init system has said in it, which is about nothing that we start."""
        self._fd = fd
        self._notify = environ.pop("NOTIFY_SOCKET", "")
        """The address of an init system that wants to hear from us; "" for none."""
        self.is_service = bool(environ.pop("OVERMIND_SERVICE", "") or self._notify)
        """Whether the init system has started us, and no person waits."""

    def waiting(self) -> None:
        """An empty line: all is loaded, and only the lock is missing."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.write(self._fd, b"\n")

    def listening(self) -> None:
        self._report(b"1")
        if self._notify:
            self._notify_ready()
        # What was loaded stays: no collection need ever walk it again.
        gc.freeze()
        gc.set_threshold(YOUNG, 10, 10)
        gc.enable()

    def _notify_ready(self) -> None:
        """Tell the init system that clients are answered. Source: sd_notify(3)."""
        import socket  # noqa: PLC0415 - services only

        address = f"\0{self._notify[1:]}" if self._notify.startswith("@") else self._notify
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify_socket:
            notify_socket.connect(address)
            notify_socket.send(b"READY=1")

    def failed(self, error: OvermindError) -> None:
        self._report(json.dumps({"error": error.code, "message": error.message}).encode())

    def _report(self, text: bytes) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.write(fd, text)
                os.close(fd)

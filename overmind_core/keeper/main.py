"""The keeper's process: one per home, detached from whoever started it; puts the parts together and runs the loop.

All code is loaded before the first run: an upgrade must not change it under a keeper that lives.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import socket
import sys
import time
from contextlib import suppress

from overmind_core.keeper.exit_journal import ExitJournal
from overmind_core.keeper.failover import Failover
from overmind_core.keeper.keeper import Keeper
from overmind_core.keeper.lease_watchdog import LeaseWatchdog
from overmind_core.keeper.loop import Loop
from overmind_core.keeper.orphans import Orphans
from overmind_core.keeper.reaper import Reaper
from overmind_core.keeper.run import KeptRuns
from overmind_core.keeper.server import Listener
from overmind_core.keeper.spawn_queue import SpawnQueue
from overmind_core.keeper.viewers import Tickets
from overmind_core.system.lock import holder_pid, try_lock
from overmind_core.system.machine import boot_id
from overmind_core.system.paths import Home, HomeUnsafe, check_sockets, ensure_home, runtime_folder, socket_address
from overmind_core.system.remove_tree import remove_tree
from overmind_core.system.run_mark import MarkPool, clear_mark
from overmind_core.system.unixsocket import listen
from overmind_core.wire.keeper import FAILED, LISTENS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

USAGE = "python -P -m overmind_core.keeper --home DIR [--linger SECONDS] [--ready-fd FD]"
LINGER = 10.0
"""Seconds that a keeper stays when nobody needs it."""
MAX_FILES = 1 << 20
"""Descriptors; what the kernel allows may be without any limit."""
PR_SET_CHILD_SUBREAPER = 36
"""prctl(2)."""
EXIT_OK = 0
EXIT_TAKEN = 75
"""Another keeper holds this home (EX_TEMPFAIL)."""
EXIT_UNSAFE = 78
"""The home can't be used (EX_CONFIG)."""
_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGQUIT)


def main(argv: Sequence[str]) -> int:
    """Run the keeper until nobody needs it; returns its exit status."""
    options = KeeperOptions(argv)
    _detach_from_starter(options.ready_fd)
    try:
        return _serve(options)
    except HomeUnsafe as unsafe:
        sys.stderr.write(f"{unsafe}\n")
        _report(options.ready_fd, FAILED + os.fsencode(str(unsafe)))
        return EXIT_UNSAFE


def _serve(options: KeeperOptions) -> int:
    home = Home(options.home)
    ensure_home(home)
    check_sockets(home)
    lock = try_lock(home.keeper_lock)
    if lock is None:
        return EXIT_TAKEN
    address = socket_address(home.keeper_socket, home.keeper_socket_pointer)
    folder = os.stat(home.root)
    listening = listen(address)
    ours = os.stat(address)
    loop = _build(
        home, listening, linger=options.linger, is_removed=lambda: lock.removed and not _is_same(home.root, folder)
    )
    # What was loaded stays: no collection need ever walk it again.
    gc.collect()
    gc.freeze()
    gc.enable()
    _report(options.ready_fd, LISTENS)
    loop.run()
    if _is_same(address, ours):  # else the home was removed, and there may be another keeper in the next one
        os.unlink(address)
    lock.release()
    return EXIT_OK


def _report(fd: int, text: bytes) -> None:
    """Tell who started us."""
    if fd >= 0:
        with suppress(BrokenPipeError):  # it is dead: its successor finds us by the socket
            os.write(fd, text)
        os.close(fd)


def _is_same(path: str, known: os.stat_result) -> bool:
    """Whether `path` still names what it named when it was known."""
    try:
        return os.path.samestat(os.stat(path), known)
    except OSError:
        return False


class KeeperOptions:
    """The keeper's command line, parsed."""

    __slots__ = ("home", "linger", "ready_fd")

    def __init__(self, argv: Sequence[str]) -> None:
        """Take `--name value` pairs: argparse would cost a megabyte for as long as the keeper lives.

        Raises:
            ValueError: something else is there, or no `--home`.
        """
        given = dict(zip(argv[::2], argv[1::2], strict=True))
        self.home = given.pop("--home", "")
        """Folder of the home."""
        self.linger = float(given.pop("--linger", LINGER))
        """Seconds to stay when nobody needs it."""
        self.ready_fd = int(given.pop("--ready-fd", -1))
        """Gets a new line once the keeper listens, or `FAILED` and the reason; -1 for none."""
        if given or not self.home:
            raise ValueError(f"usage: {USAGE}")


def _detach_from_starter(ready: int) -> None:
    """Keep nothing of whoever started us: folder, files, signals, marks."""
    os.chdir("/")
    os.umask(0o077)
    kept = sorted({2, *([ready] if ready >= 0 else [])})
    for before, after in zip(kept, [*kept[1:], _file_limit()], strict=True):
        os.closerange(before + 1, after)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    clear_mark()
    if sys.platform.startswith("linux"):
        # Whoever loses its parent becomes our child, and can't hide.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _file_limit() -> int:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)


def _build(home: Home, listening: socket.socket, *, linger: float, is_removed: Callable[[], bool]) -> Loop:
    """Build the parts around a loop: the only place that names all of them."""
    nofile = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _file_limit()
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, nofile[1]))
    loop = Loop()
    runs = KeptRuns()
    marks = _mark_pool(home)
    keeper = Keeper(
        loop,
        runs,
        exit_journal=ExitJournal(home.exits),
        orphans=Orphans(),
        marks=marks,
        tickets=Tickets(time.monotonic),
        watchdog=LeaseWatchdog(loop, home, registered=runs.by_pid, kept=lambda: marks.files),
        boot=boot_id(),
        linger=linger,
    )
    spawn_queue = SpawnQueue(keeper, logs=home.logs, limits=nofile, own_limit=limit)
    failover = Failover(
        keeper,
        log=home.daemon_log,
        nofile=nofile,
        is_removed=is_removed,
        remove_home=lambda: holder_pid(home.supervisor_lock) is None and _is_removed_now(home),
    )
    keeper.on_supervisor_lost = failover.on_supervisor_lost
    reaper = Reaper(keeper)
    Listener(keeper, spawn_queue, failover, listening, supervisor_lock=home.supervisor_lock)
    for work in (reaper.work, spawn_queue.work, keeper.purge_step):
        loop.each_turn(work)
    return loop


def _is_removed_now(home: Home) -> bool:
    """Remove a home; what can't be removed stays, and is no reason to stay, too."""
    with suppress(OSError):
        remove_tree(home.root)
    return True


def _mark_pool(home: Home) -> MarkPool:
    """The leased marks; none when our runtime folder isn't to be had, for they only help to find what hides."""
    try:
        return MarkPool(os.path.join(runtime_folder(os.geteuid()), "marks"), home.root)
    except (HomeUnsafe, OSError) as error:
        sys.stderr.write(f"runs are not marked: {error}\n")
        return MarkPool("", home.root, top=0)

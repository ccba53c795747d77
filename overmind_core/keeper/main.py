"""The keeper's start: one per home, out of everybody's way, with all its code loaded before the first run."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import socket
import sys
import time

from overmind_core.keeper.exit_journal import Exits
from overmind_core.keeper.failover import Revival
from overmind_core.keeper.keeper import Keeper
from overmind_core.keeper.loop import Loop
from overmind_core.keeper.orphans import Orphans
from overmind_core.keeper.reaper import Reaper
from overmind_core.keeper.run import Runs
from overmind_core.keeper.server import Reception
from overmind_core.keeper.spawn_queue import Spawner
from overmind_core.keeper.viewers import Tickets
from overmind_core.system.lock import try_lock
from overmind_core.system.machine import boot_id
from overmind_core.system.paths import Home, HomeUnsafe, ensure_home, runtime_folder, socket_address
from overmind_core.system.run_mark import Marks, shed
from overmind_core.system.unixsocket import listen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = "python -P -m overmind_core.keeper --home DIR [--linger SECONDS] [--ready-fd FD]"
LINGER = 10.0
"""Seconds that a keeper stays when nobody needs it."""
MOST_FILES = 1 << 20
"""Descriptors; what the kernel allows may be without any limit."""
PR_SET_CHILD_SUBREAPER = 36
"""prctl(2)."""
EXIT_OK = 0
EXIT_TAKEN = 75
"""Another keeper holds this home (EX_TEMPFAIL)."""
_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGQUIT)


def main(argv: Sequence[str]) -> int:
    """Run the keeper until nobody needs it; returns its exit status."""
    options = Options(argv)
    _stand_apart(options.ready_fd)
    home = Home(options.home)
    ensure_home(home)
    lock = try_lock(home.keeper_lock)
    if lock is None:
        return EXIT_TAKEN
    address = socket_address(home.keeper_socket, home.keeper_socket_pointer)
    loop = _furnish(home, listen(address), linger=options.linger)
    # What was loaded stays: no collection need ever walk it again.
    gc.collect()
    gc.freeze()
    gc.enable()
    if options.ready_fd >= 0:
        os.write(options.ready_fd, b"\n")
        os.close(options.ready_fd)
    loop.run()
    os.unlink(address)
    lock.release()
    return EXIT_OK


class Options:
    """What the command line said."""

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
        """Gets a byte once the keeper listens; -1 for none."""
        if given or not self.home:
            raise ValueError(f"usage: {USAGE}")


def _stand_apart(ready: int) -> None:
    """Keep nothing of whoever started us: folder, files, signals, marks."""
    os.chdir("/")
    os.umask(0o077)
    kept = sorted({2, *([ready] if ready >= 0 else [])})
    for before, after in zip(kept, [*kept[1:], _most_files()], strict=True):
        os.closerange(before + 1, after)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    shed()
    if sys.platform.startswith("linux"):
        # Whoever loses its parent becomes our child, and can't hide.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _most_files() -> int:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)


def _furnish(home: Home, listening: socket.socket, *, linger: float) -> Loop:
    """Put the parts together."""
    theirs = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _most_files()
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, theirs[1]))
    loop = Loop()
    keeper = Keeper(
        loop,
        Runs(),
        exits=Exits(home.exits),
        orphans=Orphans(),
        marks=_marks(home),
        tickets=Tickets(time.monotonic),
        boot=boot_id(),
        linger=linger,
    )
    keeper.spawner = Spawner(keeper, logs=home.logs, limits=theirs, own_limit=limit)
    keeper.revival = Revival(keeper, log=home.daemon_log, nofile=theirs)
    reaper = Reaper(keeper)
    Reception(keeper, listening)
    for work in (reaper.work, keeper.spawner.work, keeper.purging):
        loop.each_turn(work)
    return loop


def _marks(home: Home) -> Marks:
    """The leased marks; none when our runtime folder isn't to be had, for they only help to find what hides."""
    try:
        return Marks(os.path.join(runtime_folder(os.geteuid()), "marks"), home.root)
    except (HomeUnsafe, OSError) as error:
        sys.stderr.write(f"runs get no marks: {error}\n")
        return Marks("", home.root, top=0)

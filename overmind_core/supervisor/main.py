"""The daemon: a supervisor in a process of its own, that nobody's terminal and no mission's end takes along."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import resource
import signal
import sys
import traceback

from overmind_core.errors import OvermindError
from overmind_core.supervisor.custody import Departure
from overmind_core.supervisor.host import Host
from overmind_core.system import marks
from overmind_core.system.paths import Home

UMASK = 0o077
SWITCH_SECONDS = 0.0005
"""How long a worker thread that comes back from the disk waits for a busy loop. Python's own 5 ms, once for each of its
system calls, would hold the first of a burst of starts up until all of them were read."""


def main(argv: list[str] | None = None) -> int:
    """Run the daemon until it is shut down; its exit status. See `--help` for the options."""
    options = _options(argv)
    ready = _Ready(options.ready_fd)
    _shed()
    sys.setswitchinterval(SWITCH_SECONDS)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    )
    home = Home(options.home)
    host = Host(home, daemon=daemon_argv(home))
    try:
        if not host.take(options.wait_lock, after=options.after):
            return 0
        asyncio.run(_serve(host, ready))
    except OvermindError as error:
        ready.failed(error)
        sys.stderr.write(f"Error: {error.code}: {error.message}\n")
        return 1
    except Exception as error:  # noqa: BLE001 - the boundary of the process
        traceback.print_exc()
        ready.failed(OvermindError("internal", f"The daemon failed: {error}. See {home.daemon_log}"))
        return 1
    return 0


def daemon_argv(home: Home) -> list[str]:
    """How anybody starts this home's daemon."""
    return [sys.executable, "-P", "-m", "overmind_core.supervisor", "--home", home.root]


async def _serve(host: Host, ready: _Ready) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.ensure_future(host.serve(ready.listening))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _leave, host)
    await serving


def _leave(host: Host) -> None:
    """On TERM or ctrl-c: go, the agents live on with their keeper and the next daemon adopts them."""
    core = getattr(host, "core", None)
    if core is not None and not core.leaving.is_set():
        core.background(core.leave(Departure.KEEP))


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="overmind-daemon", description=__doc__)
    parser.add_argument("--home", required=True, help="the folder to supervise")
    parser.add_argument("--ready-fd", type=int, default=-1, help="gets a byte once clients are answered")
    parser.add_argument("--wait-lock", type=float, default=0.0, help="seconds to wait for another daemon to leave")
    parser.add_argument("--after", type=int, help="wait only for the daemon with this pid")
    return parser.parse_args(argv)


def _shed() -> None:
    """Take off what a mission or terminal that started us may have left on us."""
    os.umask(UMASK)
    os.chdir("/")
    marks.shed()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for name in [name for name in os.environ if name.startswith("OVERMIND_")]:
        del os.environ[name]


class _Ready:
    """Tells whoever started us that we listen, or why not."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def listening(self) -> None:
        self._say(b"1")

    def failed(self, error: OvermindError) -> None:
        self._say(json.dumps({"error": error.code, "message": error.message}).encode())

    def _say(self, text: bytes) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                os.write(fd, text)
                os.close(fd)

"""tmux, on a server of its own with no configuration: what the figures are held against."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence

MISSING = "tmux is not installed. The figures are ratios to it: apt-get install tmux, or brew install tmux."


def is_there() -> bool:
    """Whether there is a tmux to compare with; as root on Debian it is installed when it is missing."""
    if shutil.which("tmux") is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "tmux"], check=False)
    return shutil.which("tmux") is not None


class Server:
    """One server; it lives in `folder`."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.socket = os.path.join(folder, "socket")
        self._argv = ["tmux", "-S", self.socket, "-f", os.devnull]
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}

    def __call__(self, *words: str) -> str:
        """Run `tmux <words>` and return what it printed."""
        argv = [*self._argv, *words]
        return subprocess.run(argv, env=self._environment, capture_output=True, text=True, check=True).stdout

    @property
    def pid(self) -> int:
        """The server's pid."""
        return int(self("display-message", "-p", "#{pid}"))

    def windows(self) -> list[str]:
        """The windows' ids."""
        return self("list-windows", "-F", "#{window_id}").split()

    def source(self, lines: Sequence[str]) -> float:
        """Let the server carry out a file of commands; return the seconds that it took."""
        path = os.path.join(self.folder, "commands")
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
        began = time.perf_counter()
        self("source-file", path)
        return time.perf_counter() - began


@contextlib.contextmanager
def server(folder: str) -> Iterator[Server]:
    """A server with one window of 80x24 that does nothing; afterwards nothing of it is left."""
    inner = tempfile.mkdtemp(prefix="tmux-", dir=folder)
    tmux = Server(inner)
    tmux("new-session", "-d", "-x", "80", "-y", "24", "sleep 100000")
    try:
        yield tmux
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            tmux("kill-server")
        shutil.rmtree(inner, ignore_errors=True)

"""A web server of a home as tests meet it: its process, its links."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import IO, TYPE_CHECKING

from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

if TYPE_CHECKING:
    from tests.kit.overmind import Overmind

_LINK = re.compile(r"(https?://\S+/)#(\S+)")


class Site:
    """The web server of `om`'s home, which has a daemon; `close` ends it.

    Args:
        om: The command line of the home.
        options: More words for the server's command line.

    Attributes:
        url: Where it answers, with a slash at its end.
        first_link: The link that it printed.
    """

    def __init__(self, om: Overmind, *options: str) -> None:
        self.om = om
        self._options = options
        self._port = 0
        self.url = self.first_link = ""
        self._log = om.path("web-server.log")
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "overmind_web", "--port", str(self._port), *self._options]
        with open(self._log, "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                words, cwd=self.om.home, env=self.om.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert process.stdout is not None
        found = self._printed(process.stdout)
        assert found is not None, f"the server printed no link: {self.log()}"
        self.url, self.first_link = found[1], found[0]
        self._port = int(self.url.rsplit(":", 1)[1].strip("/"))
        return process

    @staticmethod
    def _printed(stdout: IO[str]) -> re.Match[str] | None:
        for line in stdout:
            if found := _LINK.search(line):
                return found
        return None

    @property
    def pid(self) -> int:
        """Of the server."""
        return self._process.pid

    def ended(self, patience: float) -> int:
        """Its exit status, once it has ended by itself. Raises `subprocess.TimeoutExpired`."""
        return self._process.wait(patience)

    def log(self) -> str:
        """What it said on stderr."""
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def link(self) -> str:
        """A fresh link to it."""
        return self.om.ok("web", "link").strip().splitlines()[-1]

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()
        self._process.wait()

    def start_again(self) -> None:
        """Start another one at the same port, after the first has ended."""
        self._end()
        self._process = self._start()

    def stop(self) -> None:
        """SIGSTOP: it answers no more, and its sockets stay."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def _end(self) -> None:
        if self._process.poll() is None:
            os.kill(self.pid, signal.SIGCONT)
            self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def close(self) -> None:
        """End it."""
        self._end()


def kill_supervisor(om: Overmind) -> None:
    """End the daemon as `kill -9` does, and wait until the next one answers."""
    before = om.supervisor_pid()
    os.kill(before, signal.SIGKILL)

    def answers() -> bool:
        try:
            with RawSocket.connect(om.home) as connection:
                return bool(connection.ok("status")["pid"] != before)
        except (OSError, EOFError):
            return False

    eventually(answers, timeout=20.0, what="the next daemon answers")

"""A web server of a home as tests meet it: its process, its links, and somebody who is logged in."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from functools import cached_property
from typing import IO, TYPE_CHECKING, Self
from urllib.parse import urlencode, urlsplit

from tests.kit import fork_server
from tests.kit.becoming import INTERPRETER, WEB
from tests.kit.forked_process import ForkedProcess
from tests.kit.web_client import Session, WebClient
from tests.kit.web_tab import Tab
from tests.kit.web_terminal import WebTerminal

if TYPE_CHECKING:
    from tests.kit.overmind import Overmind

PATIENCE = 30.0
"""Seconds in which it ends on a busy machine."""
_LINK = re.compile(r"(https?://\S+/)#(\S+)")


class Site:
    """The web server of `om`'s home, which has a daemon; a context manager that ends it.

    Args:
        om: The command line of the home.
        options: More words for the server's command line.

    Attributes:
        url: Where it answers, with a slash at its end.
        port: Where it listens.
        first_link: The link that it printed.
    """

    def __init__(self, om: Overmind, *options: str) -> None:
        self.om = om
        self._options = options
        self.url = self.first_link = ""
        self.port = 0
        self._log = om.path("web-server.log")
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        words = [*INTERPRETER, WEB, "--port", str(self.port), *self._options]
        world = self.om.environment
        kind = ForkedProcess if fork_server.serves(world, b"") else subprocess.Popen
        with open(self._log, "a", encoding="utf-8") as log:
            process = kind(
                words,
                cwd=self.om.home,
                env=world,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert process.stdout is not None
        found = self._printed(process.stdout)
        assert found is not None, f"the server printed no link: {self.log()}"
        self.url, self.first_link = found[1], found[0]
        self.port = urlsplit(self.url).port or 0
        return process

    @staticmethod
    def _printed(stdout: IO[str]) -> re.Match[str] | None:
        for line in stdout:
            if found := _LINK.search(line):
                return found
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # its process

    @property
    def pid(self) -> int:
        """Of the server."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def ended(self, patience: float) -> int:
        """Its exit status, once it has ended by itself. Raises `subprocess.TimeoutExpired`."""
        return self._process.wait(patience)

    def log(self) -> str:
        """What it said on stderr."""
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def memory(self) -> int:
        """Resident bytes."""
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        """How many files it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()
        self._process.wait()

    def start_again(self) -> None:
        """Start another one at the same port, after the first has ended."""
        self.close()
        self._process = self._start()

    def stop(self) -> None:
        """SIGSTOP: it answers no more, and its sockets stay."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        if self.runs:
            os.kill(self.pid, signal.SIGCONT)
            self._process.terminate()
        self._process.wait(PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()

    # who is logged in

    def link(self, *options: str) -> str:
        """A fresh link to it; more words for `overmind web link`."""
        return self.om.ok("web", "link", *options).strip().splitlines()[-1]

    @cached_property
    def client(self) -> WebClient:
        """Raw requests to it."""
        return WebClient(self.url)

    @cached_property
    def session(self) -> Session:
        """Somebody who may do everything."""
        return self.log_in()

    def log_in(self, name: str | None = None, *, read_only: bool = False) -> Session:
        """Somebody new."""
        return self.client.log_in("#link=" + self.om.api("web_link", name=name, read_only=read_only)["link"])

    def forget(self) -> None:
        """The next who asks for `session` logs in anew."""
        self.__dict__.pop("session", None)

    def tab(self, session: Session | None = None) -> Tab:
        """One tab of theirs."""
        return self.client.tab(session or self.session)

    def terminal(self, mission: str, mode: str = "look", **query: object) -> WebTerminal:
        """One mission's terminal, as they see it."""
        words = urlencode({"id": mission, "mode": mode, **query})
        return WebTerminal(self.client.socket(f"/tty?{words}", self.session))

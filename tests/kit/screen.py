"""The full-screen program inside tmux, as a person at a terminal has it: keys in, screens out."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

from overmind_tui.pages.dialog import MOMENT
from tests.kit.overmind import Overmind
from tests.kit.processes import alive
from tests.kit.waiting import eventually

_NUMBERS = itertools.count()
TMUX = shutil.which("tmux")


class TmuxScreen:
    """One tmux server with one window, which runs `overmind <words>` in the world of `om`.

    Args:
        om: Whose home and environment.
        words: Arguments of the command line; none: the program.
        size: Columns and rows.
    """

    def __init__(self, om: Overmind, *words: str, size: tuple[int, int] = (100, 30)) -> None:
        number = next(_NUMBERS)  # the server before may still be going away
        self._socket = os.path.join(om.environment["HOME"], f"tmux{number}.sock")
        self._status = os.path.join(om.environment["HOME"], f"tui{number}.status")
        command = shlex.join([sys.executable, "-P", "-m", "overmind_core.cli", *words])
        script = f"{command}; echo $? > {shlex.quote(self._status)}; echo left the program; exec cat"
        environ = {**om.environment, "TMUX_TMPDIR": om.environment["HOME"]}
        environ.pop("TERM", None)
        self._environ = environ
        columns, rows = size
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", om.home,
                   "/bin/sh", "-c", script)  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        running = self._children()
        self.close()
        # On its way out it may hand over to a daemon, which whoever tidies up has to find.
        eventually(lambda: not any(map(alive, running)), timeout=30.0, what="the program has left")

    def close(self) -> None:
        """Close the terminal under whatever runs in it."""
        self._tmux("kill-server", check=False)

    def keys(self, *keys: str) -> None:
        """Press keys, by tmux's names: `j`, `Enter`, `C-k`."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type characters, in one write."""
        self._tmux("send-keys", "-l", text)

    def agree(self, key: str, question: str) -> None:
        """Answer a question, as who has read it: an answer counts only then."""
        self.until(question)
        read_at = time.monotonic() + 2 * MOMENT
        eventually(lambda: time.monotonic() > read_at, what="it could be read")
        self.type(key)
        self.until(gone=question)

    def shown(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    def until(self, *texts: str, gone: str = "", timeout: float = 20.0) -> str:
        """Wait until all texts are on the screen, and `gone` is not; return the screen."""

        def look() -> str:
            shown = self.shown()
            assert all(text in shown for text in texts), f"{texts} not in\n{shown}"
            assert not gone or gone not in shown, f"{gone!r} is still in\n{shown}"
            return shown

        return eventually(look, timeout=timeout)

    def exit_status(self) -> int:
        """Wait until the program has left, and return its exit status."""

        def look() -> str:
            with open(self._status) as file:
                return file.read().strip()

        eventually(lambda: os.path.exists(self._status) and look(), timeout=30.0, what="the program has left")
        return int(look())

    def pid(self) -> int:
        """The program's process."""
        return self._children()[0]

    def _children(self) -> list[int]:
        """The program's process; none once it has left, or its terminal has."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}", check=False).strip()
        if not shell:
            return []
        children = subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True, check=False)
        return [int(pid) for pid in children.stdout.split()]

    def _tmux(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            [TMUX or "tmux", "-S", self._socket, *words],
            env=self._environ, capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        assert done.returncode == 0 or not check, f"tmux {words}: {done.stderr}"
        return done.stdout
